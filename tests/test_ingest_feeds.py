"""Feeds against a real server on this machine: each page once, nothing lost, what fails in a sentence; and snapshots of pages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.home import Home
from app.page.news import NewsTab
from app.page.talk import Talk
from app.page.work import Work
from ingest.errors import BadSource
from ingest.feeds import add_feed, fetch_feeds, parsed
from ingest.fetch import FetchLimits, fetch
from ingest.library import Library
from ingest.originals import snapshot_words
from ingest.web import add_urls

LIMITS = FetchLimits(attempts=1)


class _Server(ThreadingHTTPServer):
    """Gives what ``pages`` holds by path: status, type and body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, tuple[int, str, str]] = {}
        self.seen: list[str] = []

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def feed(self, *names: str) -> None:
        items = "".join(
            f"<item><title>About {n}</title><link>{self.root}/{n}</link><guid>id-{n}</guid><pubDate>Tue, 12 Mar 2024 06:00:00 GMT</pubDate></item>"
            for n in names
        )
        self.pages["/feed"] = (200, "application/rss+xml", f"<rss version='2.0'><channel><title>Harbour News</title>{items}</channel></rss>")

    def page(self, name: str, words: str = "Its keeper was Tove Lind.") -> None:
        body = f"<html><head><title>On {name}</title></head><body><article><h1>On {name}</h1><p>The {name} was built by the harbour office in 1871. {words}</p></article></body></html>"
        self.pages[f"/{name}"] = (200, "text/html", body)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, *args: object) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        status, media, body = self.server.pages.get(self.path, (404, "text/html", "none"))
        self.send_response(status)
        self.send_header("Content-Type", media)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())


@pytest.fixture
def server() -> Iterator[_Server]:
    served = _Server()
    Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield served
    served.shutdown()
    served.server_close()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(tmp_path / "library.db")
    yield opened
    opened.close()


def _get(url: str, *, limits: FetchLimits, **rest: str | None) -> object:
    return fetch(url, limits=FetchLimits(attempts=1, types=limits.types), allow_private=True, **rest)  # type: ignore[arg-type]


def test_each_page_comes_once_and_what_fails_is_tried_again(server: _Server, library: Library) -> None:
    get: Any = _get
    server.feed("lamp", "buoy", "bell")
    for name in ("lamp", "bell"):
        server.page(name)
    server.pages["/buoy"] = (500, "text/html", "down")
    assert add_feed(library, f"{server.root}/feed", get=get).title == "Harbour News"
    with pytest.raises(BadSource, match="followed already"):
        add_feed(library, f"{server.root}/feed", get=get)
    first = {o.name.rsplit("/", 1)[1]: o for o in fetch_feeds(library, get=get)}
    assert {n: o.status for n, o in first.items()} == {"lamp": "added", "bell": "added", "buoy": "failed"}
    assert first["buoy"].reason and "\n" not in first["buoy"].reason
    server.feed("mole")  # the feed has forgotten the entry that failed, and one page answers now
    server.page("mole")
    server.page("buoy")
    server.seen.clear()
    assert {o.name.rsplit("/", 1)[1] for o in fetch_feeds(library, get=get) if o.status == "added"} == {"mole", "buoy"}
    assert sorted(server.seen) == ["/buoy", "/feed", "/mole"], "what is here is not fetched again"
    server.pages["/feed"] = (200, "text/html", "<html><body>We moved</body></html>")
    (lost,) = fetch_feeds(library, get=get)
    assert lost.status == "failed" and "is no feed" in lost.reason
    (kept,) = library.feeds()
    assert kept.trouble == lost.reason and len(library.entries(kept.url)) == 4 and len(list(library)) == 4
    library.remove_feed(kept.url)
    assert library.entries(kept.url) == [] and len(list(library)) == 4


def test_the_view_of_what_is_new_tells_what_came_since_when(server: _Server, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.init(empty=True)
    news = NewsTab(home, Work())
    assert "Feeds" not in news.shown(Talk()).saved
    server.feed("lamp", "buoy")
    server.page("lamp")
    add_feed(home.library, f"{server.root}/feed", get=_get)  # type: ignore[arg-type]
    list(fetch_feeds(home.library, get=_get))  # type: ignore[arg-type]
    shown = news.shown(Talk()).saved
    assert f"1 page since {home.library.feeds()[0].added_at[:10]}" in shown and "About lamp" in shown and "About buoy" not in shown
    home.close()


def test_a_feed_leads_to_no_private_address_and_opens_no_file(server: _Server, library: Library, tmp_path: Path) -> None:
    server.feed("lamp")
    server.page("lamp")
    library_get: Any = _get
    add_feed(library, f"{server.root}/feed", get=library_get)

    def only_feed(url: str, **rest: object) -> object:
        return (library_get if url.endswith("/feed") else fetch)(url, **rest)  # type: ignore[arg-type, operator]

    (refused,) = fetch_feeds(library, get=only_feed)  # type: ignore[arg-type]
    assert refused.status == "failed" and "private address" in refused.reason and server.seen.count("/lamp") == 0
    secret = tmp_path / "secret.xml"
    secret.write_text("<rss version='2.0'><channel><title>secret</title></channel></rss>", encoding="utf-8")
    with pytest.raises(BadSource, match="is no feed"):
        parsed(str(secret).encode(), "https://example.org/feed")
    told = CliRunner().invoke(main, ["--home", str(tmp_path / "home"), "feed", "add", f"{server.root}/feed"])
    assert told.exit_code == 1 and "private address" in told.output


def test_the_bytes_of_a_page_are_kept_and_a_change_is_told(server: _Server, library: Library) -> None:
    server.page("lamp")
    url = f"{server.root}/lamp"
    for words in ("It burned oil.", "It burned oil.", "It burned gas."):
        server.page("lamp", words)
        (outcome,) = add_urls(library, [url], limits=LIMITS, get=_get)  # type: ignore[arg-type]
    assert outcome.status == "changed" and outcome.source_id
    old, new = library.snapshots(outcome.source_id)
    data = library.snapshot(outcome.source_id, old.digest)
    assert data and b"burned oil" in data and hashlib.sha256(data).hexdigest() == old.digest and len(data) == old.size
    record = library.record(outcome.source_id)
    told = snapshot_words(library, outcome.source_id)
    assert new.digest in told and "This page has changed since" in told and "1 earlier kept" in told
    assert record and record.raw_digest == new.digest and old.fetched_at <= old.seen_at <= new.fetched_at
    library.remove(outcome.source_id)
    assert library.snapshots() == []


@pytest.mark.parametrize("name", ["lamp.warc", "lamp.warc.gz"])
def test_a_snapshot_becomes_a_web_archive_that_others_read(server: _Server, tmp_path: Path, name: str) -> None:
    from warcio.archiveiterator import ArchiveIterator

    server.page("lamp", "It burned oil.")
    home = Home(tmp_path / "home")
    home.init(empty=True)
    (outcome,) = add_urls(home.library, [f"{server.root}/lamp"], limits=LIMITS, get=_get)  # type: ignore[arg-type]
    assert outcome.source_id
    (kept,) = home.library.snapshots(outcome.source_id)
    data = home.library.snapshot(outcome.source_id, kept.digest)
    home.close()
    archive = tmp_path / name
    told = CliRunner().invoke(main, ["--home", str(home.folder), "sources", "snapshots", outcome.source_id, "--save", kept.digest[:6], str(archive)])
    assert told.exit_code == 0, told.output
    assert archive.read_bytes().startswith(b"\x1f\x8b" if name.endswith(".gz") else b"WARC/1")
    with archive.open("rb") as stream:
        records = ArchiveIterator(stream, check_digests="raise")
        read = {r.rec_type: (r.rec_headers, r.content_stream().read()) for r in records}
    headers, body = read["resource"]
    assert body == data and b"iskp-qa" in read["warcinfo"][1]
    assert (headers["WARC-Target-URI"], headers["WARC-Date"]) == (f"{server.root}/lamp", kept.fetched_at)
    assert headers["Content-Type"].startswith("text/html")
