"""Who may reach the page and how much one client may ask of it: passwords, rates, pending work, uploads.

Nothing here knows gradio or a socket; the page and the command line call it.
"""

from __future__ import annotations

import base64
import binascii
import errno
import hashlib
import hmac
import os
import socket
import stat
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from app.access.hosts import is_loopback
from app.errors import AppError

if TYPE_CHECKING:
    from app.config import ChatSection

AUTH_VARIABLE = "ISKP_CHAT_AUTH"
_SCRYPT = "scrypt"
_COST, _BLOCK, _PARALLEL = 2**14, 8, 1
_PBKDF2 = "pbkdf2-sha256"
_KEY_BYTES = 32
_MAX_PASSWORD = 1024
_NAME_CHARS = 120


class Refused(AppError):
    """The page is not opened this way; the message says what would make it all right."""


class TooBusy(AppError):
    """A client asks too much at once.

    Attributes:
        retry_seconds: when it is worth trying again.
    """

    def __init__(self, message: str, retry_seconds: float) -> None:
        super().__init__(message)
        self.retry_seconds = retry_seconds


class BadUpload(AppError):
    """An upload is too large, one too many, or has no usable name."""


def check_binding(host: str, *, has_auth: bool, forced: bool = False) -> None:
    """Refuse to listen where others reach the page without a password.

    Raises:
        Refused: other machines could reach it, nobody is asked for a password, and that was not forced.
    """
    if not host.strip():
        raise Refused("--host is empty; use 127.0.0.1, or an address of this machine together with --auth USER:PASS")
    if not (is_loopback(host) or has_auth or forced):
        raise Refused(
            f"--host {host} opens the page to other machines; add --auth USER:PASS, set {AUTH_VARIABLE}, "
            "or listen on 127.0.0.1"
        )


def address_of(host: str, port: int) -> str:
    """Where a browser on this machine finds a server that listens on ``host``."""
    bare = host.strip().removeprefix("[").removesuffix("]")
    if bare in {"0.0.0.0", "::"}:  # noqa: S104 - every address of the machine; its own name reaches it
        bare = "localhost"
    return f"http://{f'[{bare}]' if ':' in bare else bare}:{port}/"


def check_port(host: str, port: int) -> None:
    """Refuse to start where nobody can listen, in a sentence and before anything slow is done.

    Raises:
        Refused: another program listens there, or this machine or user may not.
    """
    found = _binding(host, port)
    if found is None:
        return
    if found == errno.EADDRINUSE:
        free = next((p for p in range(port + 1, min(port + 100, 65536)) if _binding(host, p) is None), None)
        raise Refused(
            f"port {port} is in use; perhaps the page is open already: {address_of(host, port)} "
            f"Else choose another port, such as --port {free or 'N'}"
        )
    if found == errno.EACCES:
        raise Refused(f"port {port} is not open to this user; choose one from 1024 on, such as --port 7860")
    raise Refused(f"--host {host} is no address of this machine; use 127.0.0.1, or 0.0.0.0 together with --auth")


def _binding(host: str, port: int) -> int | None:
    """Number of the error of listening there; None when it can be done."""
    bare = host.strip().removeprefix("[").removesuffix("]")
    try:
        family, kind, _, _, at = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as tried:
            if os.name == "posix":  # elsewhere it lets two programs listen
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(at)
            tried.listen()
    except OSError as exc:
        return exc.errno or errno.EADDRNOTAVAIL
    return None


# Passwords


def hash_password(password: str, *, salt: bytes | None = None) -> str:
    """``scrypt$n$r$p$salt$key``: what is kept instead of a password.

    Raises:
        Refused: it is empty or unreasonably long.
    """
    if not password or len(password) > _MAX_PASSWORD:
        raise Refused(f"a password needs 1 to {_MAX_PASSWORD} characters")
    salt = os.urandom(16) if salt is None else salt
    key = _scrypt(password, salt, _COST, _BLOCK, _PARALLEL, _KEY_BYTES)
    return "$".join((_SCRYPT, str(_COST), str(_BLOCK), str(_PARALLEL), _text(salt), _text(key)))


def verify(password: str, kept: str) -> bool:
    """Whether a password belongs to what :func:`hash_password` gave; compared in constant time.

    Also reads ``pbkdf2-sha256$iterations$salt$key``, for machines whose OpenSSL has no scrypt.
    """
    parts = kept.split("$")
    try:
        if parts[0] == _SCRYPT and len(parts) == 6:
            cost, block, parallel = (int(p) for p in parts[1:4])
            salt, key = _bytes(parts[4]), _bytes(parts[5])
            found = _scrypt(password[:_MAX_PASSWORD], salt, cost, block, parallel, len(key))
        elif parts[0] == _PBKDF2 and len(parts) == 4:
            salt, key = _bytes(parts[2]), _bytes(parts[3])
            found = hashlib.pbkdf2_hmac("sha256", password[:_MAX_PASSWORD].encode(), salt, int(parts[1]), len(key))
        else:
            return False
    except (ValueError, binascii.Error):
        return False
    return len(password) <= _MAX_PASSWORD and hmac.compare_digest(found, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Who may use the page. Holds no password, only what is kept instead."""

    kept: Mapping[str, str] = field(repr=False)

    def __bool__(self) -> bool:
        return bool(self.kept)

    def check(self, user: str, password: str) -> bool:
        """Whether this is a known user with the right password; an unknown one takes as long as a known one."""
        kept = self.kept.get(user)
        right = verify(password, kept if kept is not None else _nobody())
        return right and kept is not None


def read_accounts(
    *, option: str | None = None, file: Path | None = None, environment: Mapping[str, str] | None = None
) -> Accounts:
    """Accounts from ``--auth``, else from the environment, else from a file; none of them means no accounts.

    ``--auth`` and the variable hold ``USER:PASSWORD`` or ``USER:HASH``; the file holds a ``USER:HASH`` a line, never
    a readable password.

    Raises:
        Refused: a line or value is not of that form, or others than its owner may read or write the file.
    """
    environment = os.environ if environment is None else environment
    if option is not None:
        return Accounts(kept=dict([_account(option, "--auth")]))
    if given := environment.get(AUTH_VARIABLE):
        return Accounts(kept=dict([_account(given, AUTH_VARIABLE)]))
    return _accounts_in(file) if file is not None else Accounts(kept={})


def _accounts_in(file: Path) -> Accounts:
    try:
        # Groups may be meant; the world never is.
        if os.name == "posix" and file.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH | stat.S_IWGRP):
            raise Refused(f"the password file {file} is open to others; run: chmod 600 {file}")
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise Refused(f"the password file {file} cannot be read: {getattr(exc, 'strerror', None) or exc}") from exc
    kept: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        user, _, hashed = line.strip().partition(":")
        if not user or not _is_hash(hashed):
            # The line itself is not shown: it may hold a password.
            raise Refused(f"line {number} of {file} is not USER:HASH; make one with: iskp passwd USER")
        kept[user] = hashed
    if not kept:
        raise Refused(f"the password file {file} names nobody; make a line with: iskp passwd USER")
    return Accounts(kept=kept)


def _account(value: str, where: str) -> tuple[str, str]:
    user, colon, secret = value.partition(":")
    if not (user and colon and secret):
        raise Refused(f"{where} must be USER:PASS")
    return user, secret if _is_hash(secret) else hash_password(secret)


def _is_hash(text: str) -> bool:
    kind, *parts = text.split("$")
    if (kind, len(parts)) not in {(_SCRYPT, 5), (_PBKDF2, 3)} or not all(p.isdecimal() for p in parts[:-2]):
        return False
    try:
        return bool(_bytes(parts[-2]) and _bytes(parts[-1]))
    except (ValueError, binascii.Error):
        return False


def _scrypt(password: str, salt: bytes, cost: int, block: int, parallel: int, size: int) -> bytes:
    # One at a time: each needs 16 MB, and a crowd at the door must not fill the memory.
    with _HASHING:
        return hashlib.scrypt(
            password.encode("utf-8", "surrogatepass"), salt=salt, n=cost, r=block, p=parallel, dklen=size,
            maxmem=2**26,
        )  # fmt: skip


_HASHING = threading.Lock()
_NOBODY = "$".join((_SCRYPT, str(_COST), str(_BLOCK), str(_PARALLEL)))


def _nobody() -> str:
    return f"{_NOBODY}${_text(b'nobody is called')}${_text(bytes(_KEY_BYTES))}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


# How much a client may ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one client may do.

    Attributes:
        per_minute: requests in a minute, in the long run; 0 for any number.
        burst: requests at once after a rest.
        pending: requests of one client that wait or run.
        pending_in_all: those of all clients together.
        clients: how many clients are remembered; the one that was quiet longest is forgotten.
    """

    per_minute: float = 30.0
    burst: int = 10
    pending: int = 3
    pending_in_all: int = 64
    clients: int = 10_000


def allowance_of(chat: ChatSection) -> Allowance:
    """What the settings allow one client."""
    return Allowance(
        per_minute=chat.requests_per_minute, burst=chat.burst, pending=chat.pending_per_client,
        pending_in_all=chat.pending,
    )  # fmt: skip


class Gate:
    """Counts what each client asks. Memory is bounded; safe to use from several threads.

    Args:
        clock: seconds that never run backwards.
    """

    def __init__(self, allowance: Allowance = Allowance(), clock: Callable[[], float] = time.monotonic) -> None:
        self._allowance = allowance
        self._clock = clock
        self._lock = threading.Lock()
        self._tokens: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._pending: dict[str, int] = {}

    @contextmanager
    def admit(self, client: str) -> Iterator[None]:
        """Count one request of a client for as long as it lasts.

        Raises:
            TooBusy: too fast, or too many at once; nothing is counted then.
        """
        self._enter(client)
        try:
            yield
        finally:
            with self._lock:
                self._pending[client] -= 1
                if not self._pending[client]:
                    del self._pending[client]

    def _enter(self, client: str) -> None:
        limit = self._allowance
        with self._lock:
            if self._pending.get(client, 0) >= limit.pending:
                raise TooBusy(
                    f"{limit.pending} of your questions are still being answered; please wait for one of them", 1.0
                )
            if sum(self._pending.values()) >= limit.pending_in_all:
                raise TooBusy("many people are asking just now; please try again in a few seconds", 5.0)
            self._take_token(client)
            self._pending[client] = self._pending.get(client, 0) + 1

    def _take_token(self, client: str) -> None:
        """One token of a bucket that fills at ``per_minute`` and holds ``burst``."""
        rate = self._allowance.per_minute / 60
        if not rate:
            return
        now = self._clock()
        left, since = self._tokens.pop(client, (float(self._allowance.burst), now))
        left = min(float(self._allowance.burst), left + (now - since) * rate)
        self._tokens[client] = (left - 1 if left >= 1 else left, now)
        while len(self._tokens) > self._allowance.clients:
            self._tokens.popitem(last=False)
        if left < 1:
            wait = (1 - left) / rate
            raise TooBusy(f"too many questions in a short time; please try again in {max(1, round(wait))} s", wait)


# Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """How many files of what size one upload may hold; bytes."""

    files: int = 50
    file_bytes: int = 50_000_000
    total_bytes: int = 200_000_000


def upload_limits_of(chat: ChatSection) -> UploadLimits:
    """What the settings allow one upload."""
    return UploadLimits(
        files=chat.upload_files, file_bytes=int(chat.upload_megabytes * 1e6),
        total_bytes=int(chat.upload_total_megabytes * 1e6),
    )  # fmt: skip


def check_uploads(
    uploads: Iterable[tuple[str, int]], limits: UploadLimits = UploadLimits(), *, read_only: bool = False
) -> list[str]:
    """Names under which uploaded files may be kept, in order.

    What a file is told by its content when it is read, not by its name.

    Args:
        uploads: name as the browser gave it, and size in bytes.

    Raises:
        BadUpload: the page is read-only, or a limit is passed; the message names the file and the limit.
    """
    given = list(uploads)
    if read_only and given:
        raise BadUpload("this page is read-only: files cannot be added here")
    if len(given) > limits.files:
        raise BadUpload(f"{len(given)} files are too many at once; send at most {limits.files}")
    names: list[str] = []
    for name, size in given:
        safe = safe_name(name)
        if size > limits.file_bytes:
            raise BadUpload(
                f"{safe} is too large ({_megabytes(size)}); a file may have {_megabytes(limits.file_bytes)}"
            )
        names.append(_unused(safe, names))
    total = sum(size for _, size in given)
    if total > limits.total_bytes:
        raise BadUpload(
            f"these files are too large together ({_megabytes(total)}); send at most "
            f"{_megabytes(limits.total_bytes)} at once"
        )
    return names


def safe_name(name: str) -> str:
    """A file name that stays in its folder and shows as it is: no path, control or direction characters.

    Raises:
        BadUpload: nothing usable is left.
    """
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    # Cc, Cf: control and direction characters ("fdp.exe" shown as "exe.pdf"); Cs: lone surrogates.
    kept = "".join(
        c for c in last if unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Co", "Cn"} and c not in '<>:"|?*'
    )
    kept = " ".join(kept.split()).strip(". ")
    stem, dot, ending = kept.rpartition(".")
    if len(kept) > _NAME_CHARS:
        kept = f"{stem[: _NAME_CHARS - 12]}{dot}{ending[:11]}" if stem else kept[:_NAME_CHARS]
    if not kept:
        raise BadUpload("a file has no usable name; rename it and send it again")
    return kept


def _unused(name: str, taken: list[str]) -> str:
    stem, dot, ending = name.rpartition(".")
    candidate, number = name, 2
    while candidate.casefold() in {t.casefold() for t in taken}:
        candidate = f"{stem} ({number}).{ending}" if dot and stem else f"{name} ({number})"
        number += 1
    return candidate


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e6:.1f} MB"
