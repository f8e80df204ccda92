"""What people add by mistake, through the real command line: a clear line each, and the rest goes on."""

from __future__ import annotations

import io
import json
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from fpdf import FPDF
from PIL import Image

import app.wiring
import ingest.add
import ingest.folder
from app.cli import main
from ingest.add import add_bytes
from ingest.errors import BadSource
from ingest.fetch import FetchLimits, fetch
from ingest.library import Library
from ingest.web import add_urls, fetch_originals

GOOD = "The lighthouse of Norholm was lit for the first time in 1871. Its keeper was Per Dahl."


@pytest.fixture
def iskp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_encoder: Any) -> Callable[..., Result]:
    """The command line on an empty home, with an encoder that needs no torch."""

    class Encoder(make_encoder):  # type: ignore[misc]
        def __init__(self, model: str, *, batch_size: int, precision: str) -> None:
            super().__init__(model)

        def load(self) -> None:
            pass

    monkeypatch.setattr(app.wiring, "open_encoder", Encoder)
    home = tmp_path / "home"
    home.mkdir()
    (home / "iskp.toml").write_text('[answer]\nreader = "similarity"\n')

    def run(*arguments: object) -> Result:
        return CliRunner().invoke(main, ["--home", str(home), *map(str, arguments)], catch_exceptions=False)

    assert run("init", "--empty").exit_code == 0
    return run


def pdf(text: str | None, *, password: str | None = None) -> bytes:
    page = FPDF()
    page.add_page()
    if text is None:
        page.image(Image.new("L", (600, 800), 128), x=0, y=0, w=210)
    else:
        page.set_font("helvetica", size=12)
        page.multi_cell(0, text=text)
    if password:
        page.set_encryption(owner_password="owner", user_password=password)
    return bytes(page.output())


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        with archive.open("word/document.xml", "w", force_zip64=True) as part:
            for _ in range(300):
                part.write(bytes(1024 * 1024))
    return packed.getvalue()


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.txt": (lambda: b"", "it is empty"),
    "blank.md": (lambda: b" \n\t\n", "it is empty"),
    "photo.txt": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "binary data (a PNG image), not text"),
    "noise.txt": (lambda: bytes((i * i * 7 + i) % 256 for i in range(5000)), "not text"),
    "locked.pdf": (lambda: pdf(GOOD, password="secret"), "password"),
    "scanned.pdf": (lambda: pdf(None), "a scanned PDF without a text layer, and Tesseract"),
    "cut.pdf": (lambda: pdf(GOOD)[:500], "PDF"),
    "bomb.docx": (bomb, "zip bomb"),
    "matter.md": (lambda: b"---\ntitle: [unclosed\n---\n\nText.\n", "front matter"),
    "matter-date.md": (lambda: b"---\ndate: soonish\n---\n\nText that is there.\n", "'soonish' is not a date"),
    "tags.html": (lambda: b"<html><body><script>x()</script></body></html>", "no"),
    "picture.jpg": (lambda: b"\xff\xd8\xff\xe0" + bytes(500), "a damaged image that cannot be opened"),
    "things.7z": (lambda: b"7z\xbc\xaf\x27\x1c" + bytes(100), "unpack it"),
}


def test_each_bad_file_of_a_folder_has_its_line_and_the_good_ones_are_answered_about(
    iskp: Callable[..., Result], tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, (content, _) in BAD.items():
        (folder / name).write_bytes(content())
    with (folder / "huge.txt").open("wb") as sparse:
        sparse.truncate(200 * 1024 * 1024)
    good = ["good.txt", "two words.txt", "маяк.txt", "new\nline.txt", "data.xyz", "broken.html"]
    for name in good[:-1]:
        (folder / name).write_text(f"{GOOD} This is told in {name.split('.')[0].split()[0]}.")
    (folder / "broken.html").write_text(
        f"<html><title>Light</title><body><div><p>{GOOD}<p>{GOOD} It burnt oil<td></b></div"
    )
    shown = iskp("ingest", folder, "--json")
    assert shown.exit_code == 0, shown.output
    rows = {Path(row["name"]).name: row for row in json.loads(shown.stdout)["sources"]}
    for name, (_, words) in {**BAD, "huge.txt": (bytes, "200 MB")}.items():
        assert rows[name]["status"] == "failed" and words in rows[name]["reason"], rows[name]
        assert "\n" not in rows[name]["reason"] and "Traceback" not in rows[name]["reason"]
        assert rows[name]["passages"] == 0
    for name in good:
        assert rows[name]["status"] == "added" and rows[name]["passages"] > 0, rows[name]
    assert all(row["seconds"] > 0 for row in rows.values())
    assert sorted(s["id"] for s in json.loads(iskp("sources", "--json").stdout)) == sorted(
        ["good.txt", "two words.txt", "маяк.txt", "new␊line.txt", "data.xyz", "broken.html"]
    )
    answer = json.loads(iskp("ask", "When was the lighthouse of Norholm lit for the first time?", "--json").stdout)
    quotes = answer["citations"] + answer["nearest"]
    assert any("1871" in q["quote"] and q["source_id"] in [*good, "new␊line.txt"] for q in quotes), answer
    table = iskp("ingest", folder).stdout
    assert "unchanged" in table and "as a zip" in table and "200 MB" in table


def test_a_huge_file_is_refused_before_it_is_loaded(
    iskp: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "huge.txt").open("wb") as sparse:
        sparse.truncate(200 * 1024 * 1024)
    monkeypatch.setattr(ingest.add, "extract", lambda *a, **k: pytest.fail("it was loaded"))
    began = time.monotonic()
    shown = iskp("ingest", tmp_path / "huge.txt")
    assert time.monotonic() - began < 5
    assert shown.exit_code == 1 and "200 MB; the limit is 64 MB" in shown.stdout
    assert shown.stderr.strip().splitlines()[-1].startswith("Error: none of these could be read")


def test_a_file_without_read_permission_is_told_and_the_rest_goes_on(
    iskp: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "closed.txt").write_text("Nobody may read this.")
    (folder / "open.txt").write_text(GOOD)
    (folder / "closed.txt").chmod(0)
    # Root may read anything, so what an ordinary user would be told is said here.
    really = os.access
    monkeypatch.setattr(
        ingest.folder.os, "access", lambda path, mode: Path(path).name != "closed.txt" and really(path, mode)
    )
    rows = {Path(r["name"]).name: r for r in json.loads(iskp("ingest", folder, "--json").stdout)["sources"]}
    assert rows["closed.txt"]["reason"] == "it may not be read: check the file's permissions"
    assert rows["open.txt"]["status"] == "added"


def test_a_file_that_becomes_bad_keeps_its_last_good_text(iskp: Callable[..., Result], tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_text(GOOD)
    assert iskp("ingest", file).exit_code == 0
    file.write_bytes(b"")
    assert iskp("ingest", file).exit_code == 1
    assert [s["id"] for s in json.loads(iskp("sources", "--json").stdout)] == ["note.txt"]
    assert GOOD in iskp("sources", "show", "note.txt").stdout


@pytest.mark.parametrize("date", ["14 марта 2007", "14 March 2007", "2007-03-14"])
def test_dates_are_given_as_people_write_them(iskp: Callable[..., Result], tmp_path: Path, date: str) -> None:
    (tmp_path / "note.txt").write_text(GOOD)
    assert iskp("ingest", tmp_path / "note.txt", "--date", date).exit_code == 0
    assert json.loads(iskp("sources", "--json").stdout)[0]["date"] == "2007-03-14"


# Addresses

ARTICLE = "<html><head><title>Lights of Norholm</title></head><body><article><h1>Lights of Norholm</h1>{}</article></body></html>"
PARAGRAPHS = [
    f"The {n} lighthouse of Norholm was built by the harbour guild after the storm of 18{i}7, and its lamp burnt whale oil "
    f"until the town had gas. The keeper wrote in his book that {i}1 ships passed in the first winter, more than ever before."
    for i, n in enumerate(("first", "second", "third", "fourth"), start=3)
]
PAGE = ARTICLE.format("".join(f"<p>{p}</p>" for p in PARAGRAPHS)).encode()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.seen.append(self.path)
        path = self.path.partition("?")[0].strip("/")
        if path == "slow":
            time.sleep(3)
        if path == "loop":
            return self.answer(302, b"", location="/loop")
        if path == "picture":
            return self.answer(200, b"\x89PNG", content_type="image/png")
        if path == "huge":
            return self.answer(200, b"x", content_length=str(2 * 1024**3))
        if path in {"good", "slow"}:
            if self.headers.get("If-None-Match") == '"v1"' and not self.server.changed:
                return self.answer(304, b"")
            return self.answer(200, PAGE, etag='"v2"' if self.server.changed else '"v1"')
        if path == "short":
            return self.answer(200, ARTICLE.format("<p>Please accept our cookies to go on.</p>").encode())
        if path == "few":
            return self.answer(200, ARTICLE.format("".join(f"<p>{p * 2}</p>" for p in PARAGRAPHS[:2])).encode())
        return self.answer(500 if path == "broken" else 404, b"no")

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        sent = {"content_type": "text/html; charset=utf-8", "content_length": str(len(body)), **headers}
        for name, value in sent.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET" and status != 304:
            self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []
        self.changed = False

    def handle_error(self, *arguments: object) -> None:
        pass  # a client that hung up is part of the tests

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{path}"


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


LIMITS = FetchLimits(connect_seconds=1, read_seconds=1.5, total_seconds=6, attempts=1)
get = partial(fetch, allow_private=True)


def test_each_bad_address_has_its_line_and_the_good_one_is_stored(library: Library, server: _Server) -> None:
    expected = {
        "missing": "was not found (HTTP 404)", "broken": "HTTP 500", "slow": "did not answer within 1.5 s",
        "loop": "redirects more than 5 times", "picture": "image/png, which cannot be read",
        "huge": "is 2048 MB; the limit is 64 MB",
    }  # fmt: skip
    urls = [*(server.url(path) for path in expected), "ftp://example.org/x", "https://", server.url("good")]
    outcomes = list(add_urls(library, urls, limits=LIMITS, get=get))
    assert [o.name for o in outcomes] == urls
    for outcome, words in zip(outcomes, [*expected.values(), "only http and https", "names no host"], strict=False):
        assert outcome.status == "failed" and words in outcome.reason and "\n" not in outcome.reason
    assert outcomes[-1].status == "added" and outcomes[-1].passages >= 4
    assert len(library.fingerprints()) == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "169.254.169.254", "10.0.0.1", "2130706433"])
def test_private_addresses_are_refused_by_the_command_line(
    iskp: Callable[..., Result], server: _Server, host: str, tmp_path: Path
) -> None:
    (tmp_path / "good.txt").write_text(GOOD)
    shown = iskp("ingest", f"http://{host}:{server.server_address[1]}/good", tmp_path / "good.txt", "--json")
    rows = {r["status"]: r for r in json.loads(shown.stdout)["sources"]}
    assert shown.exit_code == 0 and rows["added"]["source_id"] == "good.txt"
    assert "private address" in rows["failed"]["reason"] and server.seen == []


# Originals

NOTES = """\
---
title: Lights of Norholm
publisher: Norholm Gazette
date: "1899"
genre: news
url: {url}
paragraphs: original
---

{{paragraph=1 status=fact}}
The first light was the guild's work.

{{paragraph=2 status=fact}}
The second light followed.

{{paragraph=3 status=claim by="the keeper"}}
The keeper praised the third.
"""


def note_down(library: Library, url: str) -> str:
    data = NOTES.format(url=url).encode()
    add_bytes(library, data, name="lights.md", source_id="lights", path="bundled:lights", origin="bundled notes")
    return library.get("lights").text


def test_notes_are_replaced_by_the_original_with_the_same_paragraph_numbers(library: Library, server: _Server) -> None:
    note_down(library, server.url("good"))
    assert [p.number for p in library.get("lights").paragraphs if p.role == "body"] == [1, 2, 3]
    outcomes = list(fetch_originals(library, limits=LIMITS, get=get))
    assert [(o.status, o.source_id) for o in outcomes] == [("changed", "lights")]
    source = library.get("lights")
    second = next(p for p in source.paragraphs if p.number == 2)
    assert source.text[second.start : second.end] == PARAGRAPHS[1] and second.locator == "¶2"
    assert (source.origin, source.publisher, source.genre, source.date) == (
        "fetched",
        "Norholm Gazette",
        "news",
        "1899",
    )
    assert source.fetched_at and second.claim_status is None


def test_an_unchanged_original_costs_one_small_request(library: Library, server: _Server) -> None:
    note_down(library, server.url("good"))
    list(fetch_originals(library, limits=LIMITS, get=get))
    before = library.get("lights")
    assert [o.status for o in fetch_originals(library, limits=LIMITS, get=get)] == ["unchanged"]
    assert server.seen == ["/good", "/good"] and library.get("lights") == before
    server.changed = True
    assert [o.status for o in fetch_originals(library, ["lights"], limits=LIMITS, get=get)] == [
        "unchanged"
    ]  # same text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("broken", "HTTP 500"),
        ("slow", "did not answer"),
        ("missing", "HTTP 404"),
        ("short", "too short to be the original of 'lights'"),
        ("few", "has 2 paragraphs, but the notes speak of ¶3"),
    ],
)
def test_notes_stay_where_the_original_cannot_be_had(library: Library, server: _Server, path: str, words: str) -> None:
    text = note_down(library, server.url(path))
    [outcome] = fetch_originals(library, limits=LIMITS, get=get)
    assert outcome.status == "failed" and words in outcome.reason and outcome.reason.endswith("the notes stay")
    source = library.get("lights")
    assert (source.origin, source.text) == ("bundled notes", text)


def test_after_three_publishers_out_of_reach_the_rest_is_not_tried(library: Library, server: _Server) -> None:
    for i in range(5):
        data = NOTES.format(url=server.url(f"broken?{i}")).encode()
        add_bytes(library, data, name="n.md", source_id=f"n{i}", path=f"bundled:n{i}", origin="bundled notes")
    outcomes = list(fetch_originals(library, limits=LIMITS, get=get))
    assert len(server.seen) == 3 and ["not tried" in o.reason for o in outcomes] == [False] * 3 + [True] * 2


def test_a_source_without_address_cannot_be_fetched(library: Library) -> None:
    add_bytes(library, GOOD.encode(), name="a.txt", source_id="a.txt", path=None)
    with pytest.raises(BadSource, match="no address"):
        list(fetch_originals(library, ["a.txt"], get=get))
