"""A document from the web: bounded in time and size, never from a private address, polite.

Each hop of a redirect is resolved here and its address checked; the connection then goes to that
very address, so that a name which resolves differently the second time gains nothing.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import ipaddress
import re
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from ingest.errors import BadSource, IngestError, Unreachable

ACCEPTED_TYPES = frozenset(
    {
        "text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/x-markdown", "text/org",
        "text/x-org", "application/pdf", "application/x-pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.oasis.opendocument.text", "application/epub+zip",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "text/csv",
        "application/csv", "text/tab-separated-values", "text/vtt", "application/x-subrip", "message/rfc822",
        "application/mbox", "application/octet-stream", "binary/octet-stream", "multipart/related",
    }
)  # fmt: skip
_TRACKING = re.compile(
    r"^(?:utm_.*|fbclid|gclid|gclsrc|dclid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|ref_src|ref_url|cmpid|icid|ncid|"
    r"s_cid|at_(?:medium|campaign|custom\d*|link_.*|bbc_.*|ptr_.*|format)|xtor|smid|guccounter|guce_.*|__twitter_impression)$",
    re.I,
)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MEGA = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """Bounds of one fetch.

    Attributes:
        total_seconds: for one attempt, all redirects and the body included.
        max_bytes: of the body after decompression.
        types: media types that are taken.
        attempts: how often a transient failure is tried in all.
        retry_after_seconds: longest wait that a server may ask for; asked for more, we give up.
        backoff_seconds: first wait between attempts; it doubles.
    """

    connect_seconds: float = 10.0
    types: frozenset[str] = ACCEPTED_TYPES
    read_seconds: float = 20.0
    total_seconds: float = 60.0
    max_bytes: int = 64 * _MEGA
    max_redirects: int = 5
    attempts: int = 3
    retry_after_seconds: float = 30.0
    backoff_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A document as it came.

    Attributes:
        url: where it was found in the end, after redirects.
        content_type: as declared, with its charset; empty when none was.
        etag: to be given to the next fetch, with ``last_modified``.
        fetched_at: ISO time in UTC.
    """

    url: str
    data: bytes
    content_type: str
    etag: str | None
    last_modified: str | None
    fetched_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotModified:
    """The document is the one of the given ETag or date."""

    url: str


class _TryAgain(Unreachable):
    """A transient failure; ``after`` is the wait in seconds that the server asked for."""

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


def fetch(
    url: str,
    *,
    limits: FetchLimits = FetchLimits(),
    etag: str | None = None,
    last_modified: str | None = None,
    allow_private: bool = False,
    client: httpx.Client | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched | NotModified:
    """The document at an address.

    Args:
        etag: of an earlier fetch; with it an unchanged document costs one small request.
        last_modified: the same, as a date of HTTP.
        allow_private: also fetch from this machine and its network.
        client: for tests and for many fetches in a row; it must not follow redirects by itself.
        sleep: waits between attempts.

    Raises:
        Unreachable: it could not be had now; a later try may succeed.
        BadSource: the address, what is there, or its size will not do.
    """
    conditions = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    headers = {name: value for name, value in conditions.items() if value}
    retrying = Retrying(
        stop=stop_after_attempt(max(1, limits.attempts)),
        retry=retry_if_exception_type(_TryAgain),
        wait=_waiting(limits),
        sleep=sleep,
        reraise=True,
    )
    own = client is None
    session = httpx.Client(trust_env=False) if client is None else client
    with session if own else nullcontext():
        try:
            return retrying(_attempt, session, url, headers, limits, allow_private)
        except IngestError:
            raise
        except Exception as exc:
            raise BadSource(f"{url} cannot be fetched: {_reason(exc)}") from exc


def source_id_of_url(url: str) -> str:
    """The address in the form that names a source.

    Without fragment, user name, tracking parameters, default port and last slash; scheme and host
    in lower case.

    Raises:
        BadSource: it is not an address of the web.
    """
    address = _parsed(url)
    query = "&".join(
        p for p in address.query.decode("ascii").split("&") if p and not _TRACKING.match(p.partition("=")[0])
    )
    path = address.raw_path.decode("ascii").partition("?")[0].rstrip("/")
    path = re.sub(r"%[0-9a-fA-F]{2}", lambda m: _decoded_if_plain(m[0]), path)
    default = {"http": 80, "https": 443}[address.scheme]
    port = f":{address.port}" if address.port not in {None, default} else ""
    host = address.host.lower().rstrip(".")
    host = f"[{host}]" if ":" in host else host
    return f"{address.scheme}://{host}{port}{path}" + (f"?{query}" if query else "")


def _decoded_if_plain(escape: str) -> str:
    char = chr(int(escape[1:], 16))
    return char if char.isascii() and (char.isalnum() or char in "-._~") else escape.upper()


def _parsed(url: str) -> httpx.URL:
    url = url.strip()
    try:
        address = httpx.URL(url)
        scheme, host = address.scheme, address.host
    except (httpx.InvalidURL, ValueError, TypeError, UnicodeError) as exc:
        raise BadSource(f"{url!r} is not an address of the web; write it as https://…") from exc
    if scheme not in {"http", "https"}:
        raise BadSource(f"{url} cannot be fetched: only http and https addresses can")
    if not host:
        raise BadSource(f"{url!r} names no host; write it as https://example.org/page")
    return address


def _attempt(
    client: httpx.Client, url: str, conditions: dict[str, str], limits: FetchLimits, allow_private: bool
) -> Fetched | NotModified:
    deadline = time.monotonic() + limits.total_seconds
    address = _parsed(url)
    for _ in range(limits.max_redirects + 1):
        outcome = _hop(client, address, url, conditions, limits, allow_private, deadline)
        if not isinstance(outcome, httpx.URL):
            return outcome
        address = outcome
    raise BadSource(
        f"{url} redirects more than {limits.max_redirects} times: open it in a browser and add the address that it ends at"
    )


def _hop(
    client: httpx.Client, address: httpx.URL, url: str, conditions: dict[str, str], limits: FetchLimits,
    allow_private: bool, deadline: float,
) -> Fetched | NotModified | httpx.URL:  # fmt: skip
    """One request; the next address when it answers with a redirect."""
    if address.userinfo:
        raise BadSource(f"{_bare(address)} holds a user name or password: give the address without it")
    failure: Exception | None = None
    for place in _addresses(address, url, allow_private):
        pinned = address.copy_with(host=place)
        host = address.netloc.decode("ascii")
        try:
            request = client.build_request(
                "GET",
                pinned,
                headers={**_headers(), **conditions, "Host": host},
                timeout=httpx.Timeout(limits.read_seconds, connect=limits.connect_seconds),
                extensions={"sni_hostname": address.raw_host.decode("ascii")},
            )
            response = client.send(request, stream=True, follow_redirects=False)
        except httpx.ConnectError as exc:
            failure = exc
            if "CERTIFICATE" in str(exc).upper():
                raise BadSource(f"{url} has no valid certificate: check the address") from exc
            continue
        except httpx.TimeoutException as exc:
            raise _TryAgain(f"{url} did not answer within {limits.read_seconds:g} s: try again later") from exc
        except httpx.TransportError as exc:
            raise _TryAgain(f"{url} broke off the connection ({_reason(exc)}): try again later") from exc
        try:
            return _answer(response, address, url, limits, deadline)
        except httpx.TimeoutException as exc:
            raise _TryAgain(f"{url} sent nothing for {limits.read_seconds:g} s: try again later") from exc
        except httpx.TransportError as exc:
            raise _TryAgain(f"{url} broke off in the middle ({_reason(exc)}): try again later") from exc
        finally:
            response.close()
    raise _TryAgain(f"{url} cannot be reached ({_reason(failure)}): check the address and the network") from failure


def _headers() -> dict[str, str]:
    return {
        "User-Agent": f"iskp-qa/{_own_version()}",
        "Accept": "text/html,application/xhtml+xml,application/pdf,text/plain;q=0.9,*/*;q=0.5",
        "Accept-Encoding": "gzip, deflate",
        "Accept-Language": "en,*;q=0.5",
        # A kept connection would be found again by its IP address and used for another host's name.
        "Connection": "close",
    }


def _own_version() -> str:
    try:
        return version("iskp-qa")
    except PackageNotFoundError:
        return "0"


def _bare(address: httpx.URL) -> str:
    return str(address.copy_with(userinfo=b""))


def _reason(exc: BaseException | None) -> str:
    return " ".join(str(exc).split())[:160] or type(exc).__name__


def _addresses(address: httpx.URL, url: str, allow_private: bool) -> list[str]:
    """The host's IP addresses, all of them checked."""
    port = address.port or (443 if address.scheme == "https" else 80)
    host = address.raw_host.decode("ascii").strip("[]")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError, OSError) as exc:
        transient = getattr(exc, "errno", None) == socket.EAI_AGAIN
        message = f"{url}: no host is known by the name {host}: check the address and the network"
        raise (_TryAgain(message) if transient else Unreachable(message)) from exc
    places = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for place in places:
        if not allow_private and not is_public(place):
            where = f"{_bare(address)} leads to" if str(address) != url else f"{url} is"
            raise BadSource(
                f"{where} a private address ({place}), which is not fetched: save the page and add the file"
            )
    return places[:4]


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, also where it wraps an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        wrapped = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64 or int(ip) < 2**32:
            wrapped.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        inner = [w for w in wrapped if w is not None]
        if inner:
            return all(is_public(str(w)) for w in inner)
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _answer(
    response: httpx.Response, address: httpx.URL, url: str, limits: FetchLimits, deadline: float
) -> Fetched | NotModified | httpx.URL:
    status = response.status_code
    if status == 304:
        return NotModified(url=str(address))
    if status in _REDIRECTS and "location" in response.headers:
        try:
            return _parsed(str(address.join(response.headers["location"])))
        except (httpx.InvalidURL, ValueError) as exc:
            raise BadSource(f"{url} redirects to something that is no address: open it in a browser") from exc
    if not 200 <= status < 300:
        raise _refusal(response, url, limits)
    content_type = response.headers.get("content-type", "")
    media = content_type.partition(";")[0].strip().lower()
    if media and media not in limits.types:
        raise BadSource(
            f"{url} is of type {media}, which cannot be read: give the address of a web page, PDF, DOCX, ODT, EPUB, Markdown, Org, CSV, XLSX or text"
        )
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.max_bytes:
        raise BadSource(_too_large(url, int(declared), limits))
    data = _body(response, url, limits, deadline)
    if not data.strip():
        raise BadSource(f"{url} is empty: check the address")
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    return Fetched(
        url=str(address.copy_with(fragment=None)),
        data=data,
        content_type=content_type,
        etag=response.headers.get("etag"),
        last_modified=response.headers.get("last-modified"),
        fetched_at=now.isoformat().replace("+00:00", "Z"),
    )


def _refusal(response: httpx.Response, url: str, limits: FetchLimits) -> IngestError:
    status = response.status_code
    if status in {404, 410}:
        return BadSource(f"{url} was not found (HTTP {status}): check the address")
    if status in {401, 402, 403, 451}:
        return BadSource(
            f"{url} is refused by its publisher (HTTP {status}): open it in a browser, save the page and add the file"
        )
    if status not in _TRANSIENT:
        return BadSource(f"{url} answers with HTTP {status}: open it in a browser, save the page and add the file")
    after = _retry_after(response.headers.get("retry-after"))
    message = f"{url} is out of order (HTTP {status}): try again later"
    if after is not None and after > limits.retry_after_seconds:
        return Unreachable(f"{url} is busy (HTTP {status}) and asks to come back in {after:.0f} s: try again then")
    return _TryAgain(message, after)


def _retry_after(value: str | None) -> float | None:
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=dt.UTC)
    return max(0.0, (when - dt.datetime.now(dt.UTC)).total_seconds())


def _waiting(limits: FetchLimits) -> Callable[[RetryCallState], float]:
    def wait(state: RetryCallState) -> float:
        failure = state.outcome.exception() if state.outcome else None
        asked = failure.after if isinstance(failure, _TryAgain) else None
        return asked if asked is not None else min(20.0, limits.backoff_seconds * 2 ** (state.attempt_number - 1))

    return wait


def _too_large(url: str, size: int, limits: FetchLimits) -> str:
    return f"{url} is {_size(size)}; the limit is {_size(limits.max_bytes)}: download it, split it and add the parts"


def _size(size: int) -> str:
    return f"{size / _MEGA:.0f} MB" if size >= _MEGA else f"{size} bytes"


def _body(response: httpx.Response, url: str, limits: FetchLimits, deadline: float) -> bytes:
    """The body, decompressed in bounded steps: a gzip bomb stops at the limit, not in memory."""
    body = bytearray()
    for piece in _decoded(response, url):
        body += piece
        if len(body) > limits.max_bytes:
            raise BadSource(
                f"{url} is larger than the limit of {_size(limits.max_bytes)}: download it, split it and add the parts"
            )
        if time.monotonic() > deadline:
            raise _TryAgain(f"{url} took longer than {limits.total_seconds:g} s: try again later")
    return bytes(body)


def _decoded(response: httpx.Response, url: str) -> Iterator[bytes]:
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in {"", "identity"}:
        yield from response.iter_raw()
        return
    if encoding not in {"gzip", "x-gzip", "deflate"}:
        raise BadSource(f"{url} is compressed as {encoding!r}, which was not asked for: download it and add the file")
    unpacker = zlib.decompressobj(47)  # gzip or zlib, told by its header
    first = True
    try:
        for raw in response.iter_raw():
            if first and encoding == "deflate" and raw and raw[0] & 0x0F != zlib.DEFLATED:
                unpacker = zlib.decompressobj(-15)  # some servers send deflate without its header
            first, rest = False, raw
            while rest:
                yield unpacker.decompress(rest, _MEGA)
                rest = unpacker.unconsumed_tail
                if unpacker.eof:
                    rest = unpacker.unused_data
                    unpacker = zlib.decompressobj(47)
    except zlib.error as exc:
        raise BadSource(
            f"{url} is damaged: it cannot be decompressed; download it in a browser and add the file"
        ) from exc


def is_url(text: str) -> bool:
    """Whether a command-line argument is an address rather than a path."""
    return urlsplit(text).scheme.lower() in {"http", "https"}
