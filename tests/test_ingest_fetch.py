"""Fetching from a real server on this machine: what is taken, what is refused, and in which words."""

from __future__ import annotations

import email.utils
import gzip
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ingest import fetch as module
from ingest.errors import BadSource, IngestError, Unreachable
from ingest.fetch import Fetched, FetchLimits, NotModified, fetch, is_public, is_url, source_id_of_url

PAGE = b"<!doctype html><title>Page</title><p>Words of the page.</p>"
LIMITS = FetchLimits(connect_seconds=2, read_seconds=0.5, total_seconds=2, max_bytes=2_000_000, backoff_seconds=0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of these tests."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        headers = {k.lower(): v for k, v in self.headers.items()}
        self.server.seen.append((self.path, headers))
        count = sum(1 for path, _ in self.server.seen if path == self.path)
        name = "at_" + self.path.split("?")[0].strip("/").replace("-", "_")
        getattr(self, name, self.at_missing)(count, headers)

    def send(self, status: int = 200, body: bytes = PAGE, **headers: str) -> None:
        self.send_response(status)
        sent = {"content_type": "text/html; charset=utf-8", "content_length": str(len(body)), **headers}
        for key, value in sent.items():
            if value:
                self.send_header(key.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def at_missing(self, count: int, headers: dict[str, str]) -> None:
        self.send(404)

    def at_page(self, count: int, headers: dict[str, str]) -> None:
        if headers.get("if-none-match") == '"v1"':
            self.send(304, b"", content_length="", content_type="")
        else:
            self.send(etag='"v1"', last_modified="Tue, 12 Mar 2024 06:00:00 GMT")

    def at_dated(self, count: int, headers: dict[str, str]) -> None:
        self.send(304, b"", content_length="") if "if-modified-since" in headers else self.send()

    def at_flaky(self, count: int, headers: dict[str, str]) -> None:
        self.send(500) if count < 3 else self.send()

    def at_down(self, count: int, headers: dict[str, str]) -> None:
        self.send(500)

    def at_busy(self, count: int, headers: dict[str, str]) -> None:
        self.send(503, retry_after="2") if count == 1 else self.send()

    def at_long_wait(self, count: int, headers: dict[str, str]) -> None:
        self.send(429, retry_after="3600")

    def at_dated_wait(self, count: int, headers: dict[str, str]) -> None:
        self.send(503, retry_after=email.utils.formatdate(time.time() + 10, usegmt=True)) if count == 1 else self.send()

    def at_forbidden(self, count: int, headers: dict[str, str]) -> None:
        self.send(403)

    def at_teapot(self, count: int, headers: dict[str, str]) -> None:
        self.send(418)

    def at_slow(self, count: int, headers: dict[str, str]) -> None:
        time.sleep(0.8)

    def at_trickle(self, count: int, headers: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        for _ in range(60):
            self.wfile.write(b"words ")
            self.wfile.flush()
            time.sleep(0.05)

    def at_loop(self, count: int, headers: dict[str, str]) -> None:
        self.send(302, b"", location=f"/loop?{count}")

    def at_moved(self, count: int, headers: dict[str, str]) -> None:
        self.send(301, b"", location="page#top")

    def at_to_private(self, count: int, headers: dict[str, str]) -> None:
        self.send(302, b"", location="http://10.0.0.7/admin")

    def at_to_file(self, count: int, headers: dict[str, str]) -> None:
        self.send(302, b"", location="file:///etc/passwd")

    def at_image(self, count: int, headers: dict[str, str]) -> None:
        self.send(content_type="image/png")

    def at_untyped(self, count: int, headers: dict[str, str]) -> None:
        self.send(content_type="")

    def at_huge(self, count: int, headers: dict[str, str]) -> None:
        self.send(content_length=str(2 * 1024**3))

    def at_endless(self, count: int, headers: dict[str, str]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b"a" * 100_000)

    def at_more_than_said(self, count: int, headers: dict[str, str]) -> None:
        self.send(body=PAGE + b"b" * 5_000_000, content_length=str(len(PAGE)))

    def at_less_than_said(self, count: int, headers: dict[str, str]) -> None:
        self.send(content_length="5000")

    def at_zipped(self, count: int, headers: dict[str, str]) -> None:
        body = gzip.compress(PAGE)
        self.send(body=body, content_encoding="gzip")

    def at_deflated(self, count: int, headers: dict[str, str]) -> None:
        packer = zlib.compressobj(wbits=-15)
        self.send(body=packer.compress(PAGE) + packer.flush(), content_encoding="deflate")

    def at_bomb(self, count: int, headers: dict[str, str]) -> None:
        self.send(body=gzip.compress(bytes(100_000_000), 1), content_encoding="gzip")

    def at_bad_gzip(self, count: int, headers: dict[str, str]) -> None:
        self.send(body=b"no gzip at all", content_encoding="gzip")

    def at_brotli(self, count: int, headers: dict[str, str]) -> None:
        self.send(content_encoding="br")

    def at_empty(self, count: int, headers: dict[str, str]) -> None:
        self.send(body=b"")


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _get(url: str, **options: object) -> Fetched | NotModified:
    waits = options.pop("waits", [])
    return fetch(url, limits=LIMITS, allow_private=True, sleep=waits.append, **options)  # type: ignore[arg-type, union-attr]


def test_page_comes_with_what_the_next_fetch_needs(server: _Server) -> None:
    found = _get(f"{server.root}/page#part")
    assert isinstance(found, Fetched)
    assert (found.data, found.content_type) == (PAGE, "text/html; charset=utf-8")
    assert (found.etag, found.last_modified) == ('"v1"', "Tue, 12 Mar 2024 06:00:00 GMT")
    assert found.url == f"{server.root}/page"
    assert found.fetched_at.endswith("Z")


def test_requests_are_polite_and_tell_nothing_of_the_user(server: _Server) -> None:
    _get(f"{server.root}/page")
    ((_, headers),) = server.seen
    assert headers["user-agent"].startswith("iskp-qa/")
    assert headers["host"] == server.root.removeprefix("http://")
    assert set(headers) == {"host", "user-agent", "accept", "accept-encoding", "accept-language", "connection"}


def test_unchanged_page_costs_one_small_request(server: _Server) -> None:
    assert _get(f"{server.root}/page", etag='"v1"') == NotModified(url=f"{server.root}/page")
    assert isinstance(_get(f"{server.root}/page", etag='"v0"'), Fetched)
    assert isinstance(_get(f"{server.root}/dated", last_modified="Tue, 12 Mar 2024 06:00:00 GMT"), NotModified)
    assert len(server.seen) == 3


def test_server_that_recovers_is_tried_again(server: _Server) -> None:
    assert isinstance(_get(f"{server.root}/flaky"), Fetched)
    assert len(server.seen) == 3


def test_wait_that_the_server_asks_for_is_kept(server: _Server) -> None:
    waits: list[float] = []
    assert isinstance(_get(f"{server.root}/busy", waits=waits), Fetched)
    assert waits == [2.0]
    waits.clear()
    _get(f"{server.root}/dated-wait", waits=waits)
    assert 7 < waits[0] <= 10


def test_redirect_is_followed_and_named(server: _Server) -> None:
    found = _get(f"{server.root}/moved")
    assert isinstance(found, Fetched)
    assert found.url == f"{server.root}/page"


@pytest.mark.parametrize("path", ["zipped", "deflated", "untyped", "more-than-said"])
def test_body_is_the_page_however_it_is_sent(server: _Server, path: str) -> None:
    found = _get(f"{server.root}/{path}")
    assert isinstance(found, Fetched)
    assert found.data == PAGE


@pytest.mark.parametrize(
    ("path", "kind", "message", "requests"),
    [
        ("none", BadSource, "{url} was not found (HTTP 404): check the address", 1),
        (
            "forbidden",
            BadSource,
            "{url} is refused by its publisher (HTTP 403): open it in a browser, save the page and add the file",
            1,
        ),
        ("teapot", BadSource, "{url} answers with HTTP 418: open it in a browser, save the page and add the file", 1),
        ("down", Unreachable, "{url} is out of order (HTTP 500): try again later", 3),
        ("long-wait", Unreachable, "{url} is busy (HTTP 429) and asks to come back in 3600 s: try again then", 1),
        ("slow", Unreachable, "{url} did not answer within 0.5 s: try again later", 3),
        ("trickle", Unreachable, "{url} took longer than 1 s: try again later", None),
        (
            "loop",
            BadSource,
            "{url} redirects more than 5 times: open it in a browser and add the address that it ends at",
            6,
        ),
        (
            "image",
            BadSource,
            "{url} is of type image/png, which cannot be read: give the address of a web page, PDF, DOCX, ODT, EPUB, Markdown, Org, CSV, XLSX or text",
            1,
        ),
        ("huge", BadSource, "{url} is 2048 MB; the limit is 2 MB: download it, split it and add the parts", 1),
        (
            "endless",
            BadSource,
            "{url} is larger than the limit of 2 MB: download it, split it and add the parts",
            1,
        ),
        ("bomb", BadSource, "{url} is larger than the limit of 2 MB: download it, split it and add the parts", 1),
        (
            "bad-gzip",
            BadSource,
            "{url} is damaged: it cannot be decompressed; download it in a browser and add the file",
            1,
        ),
        (
            "brotli",
            BadSource,
            "{url} is compressed as 'br', which was not asked for: download it and add the file",
            1,
        ),
        ("empty", BadSource, "{url} is empty: check the address", 1),
        ("to-file", BadSource, "file:/etc/passwd cannot be fetched: only http and https addresses can", 1),
    ],
)
def test_bad_answers_are_told_in_one_sentence(
    server: _Server, path: str, kind: type[IngestError], message: str, requests: int | None
) -> None:
    url = f"{server.root}/{path}"
    limits = FetchLimits(
        connect_seconds=2, read_seconds=0.5 if path in {"trickle", "slow"} else 5, total_seconds=1 if path == "trickle" else 10, max_bytes=2 * 1024**2, backoff_seconds=0,
        attempts=1 if path == "trickle" else 3,
    )  # fmt: skip
    with pytest.raises(IngestError) as caught:
        fetch(url, limits=limits, allow_private=True, sleep=lambda _: None)
    assert str(caught.value) == message.format(url=url)
    assert isinstance(caught.value, kind)
    assert requests is None or len(server.seen) == requests


def test_connection_cut_in_the_middle_is_transient(server: _Server) -> None:
    with pytest.raises(Unreachable, match=r"broke off in the middle .*: try again later$"):
        _get(f"{server.root}/less-than-said")
    assert len(server.seen) == 3


def test_closed_port_is_transient() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(
        Unreachable, match=r"^http://127\.0\.0\.1:\d+/ cannot be reached \(.*\): check the address and the network$"
    ):
        _get(f"http://127.0.0.1:{port}/")


# --- addresses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "2130706433", "0x7f000001", "0x7f.1", "127.1", "0", "10.1.2.3", "172.16.0.1",
        "192.168.0.1", "169.254.169.254", "100.64.0.1", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a00:1]",
        "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    ],
)  # fmt: skip
def test_private_addresses_are_refused_however_written(host: str) -> None:
    url = f"http://{host}:9/x"
    with pytest.raises(BadSource) as caught:
        fetch(url)
    assert str(caught.value).startswith(f"{url} is a private address (")
    assert str(caught.value).endswith("), which is not fetched: save the page and add the file")


def test_redirect_to_a_private_address_is_refused(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    start = server.root.removeprefix("http://").split(":")[0]
    monkeypatch.setattr(module, "is_public", lambda address: address == start)  # only the test server counts as public
    with pytest.raises(BadSource) as caught:
        fetch(f"{server.root}/to-private", limits=LIMITS)
    assert str(caught.value) == (
        "http://10.0.0.7/admin leads to a private address (10.0.0.7), which is not fetched: save the page and add the file"
    )


def test_connection_goes_to_the_address_that_was_checked(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(host: str, port: int, *args: object, **options: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    found = _get(f"http://rebind.example:{server.server_port}/page")
    assert isinstance(found, Fetched)
    assert asked[0] == "rebind.example"
    assert "rebind.example" not in asked[1:]  # resolved once; later lookups are of the pinned number
    assert server.seen[0][1]["host"] == f"rebind.example:{server.server_port}"


def test_name_with_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **options: found)
    with pytest.raises(BadSource, match=r"is a private address \(10\.0\.0\.1\)"):
        fetch("http://two.example/")


def test_unknown_host_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable) as caught:
        fetch("https://nowhere.example/a")
    assert str(caught.value) == (
        "https://nowhere.example/a: no host is known by the name nowhere.example: check the address and the network"
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("ftp://example.org/a", "ftp://example.org/a cannot be fetched: only http and https addresses can"),
        ("file:///etc/passwd", "file:///etc/passwd cannot be fetched: only http and https addresses can"),
        ("http:///a", "'http:///a' names no host; write it as https://example.org/page"),
        ("http://[::1", "'http://[::1' is not an address of the web; write it as https://…"),
        (
            "https://me:pw@example.org/a",
            "https://example.org/a holds a user name or password: give the address without it",
        ),
    ],
)
def test_addresses_that_will_not_do_are_told(url: str, message: str) -> None:
    with pytest.raises(BadSource) as caught:
        fetch(url)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("::ffff:10.0.0.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_public_addresses_are_told_from_private_ones(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("url", "source_id"),
    [
        ("HTTPS://Example.ORG:443/News/A/?utm_source=x&id=3&fbclid=y#part", "https://example.org/News/A?id=3"),
        ("http://example.org:80/", "http://example.org"),
        ("http://example.org:8080/a/", "http://example.org:8080/a"),
        ("https://example.org/%7euser/%d0%b0", "https://example.org/~user/%D0%B0"),
        ("https://example.org/а", "https://example.org/%D0%B0"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        ("https://me:pw@example.org/x", "https://example.org/x"),
        ("https://example.org/x?b=2&a=1", "https://example.org/x?b=2&a=1"),
    ],
)
def test_spellings_of_an_address_name_one_source(url: str, source_id: str) -> None:
    assert source_id_of_url(url) == source_id
    assert source_id_of_url(source_id) == source_id


def test_addresses_are_told_from_paths() -> None:
    assert is_url("https://example.org/a")
    assert not is_url("notes/http.txt")
    assert not is_url(r"C:\notes\a.txt")
