"""Exports: everything that was shown is in the file, nothing in it is active, JSON is read back exactly."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from app.answer import Answer, Citation, Difference, Value
from app.cli import main
from app.errors import BadInput
from app.exports.export import FORMATS, SUFFIXES, export_answer, export_conversation, file_name, read_export
from app.home import Home
from app.records.history import StoredTurn

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[click](javascript:alert(1))",
    "![x](https://evil.example/x.png)",
    "</blockquote></main><iframe src=//evil.example>",
    "# no heading\n- no list\n1. no list\n> no quote\n| a | b |\n| --- | --- |",
    "`code` **bold** _it_ ~~gone~~ &copy; <https://evil.example>",
    "\x02em\x03 {{ 7*7 }}",
    "line\u2028one\u2029two שלום",
]
CITED = Citation(
    marker=1, passage_id="p", source_id="report", title="Report on ferries", publisher="UN Council", author=None,
    date="2024-07", date_note=None, url="https://example.org/a_b?x=1&y=2", genre="un-report", origin="bundled notes",
    fetched_at=None, locator="¶8", paragraph=8, quote="Forty ferries sail.", start=120, end=139, support=0.91,
    claim_status="claim", claimed_by="the harbour",
)  # fmt: skip
ANSWER = Answer(
    question="How many ferries?", standalone_question="How many ferries sail?", status="answered",
    answer="UN Council: Forty ferries sail [1].", short_answer="Forty", citations=(CITED,),
    differences=(Difference(about="ferries", values=(Value(value="40", unit="ferries", date="2024-07", marker=1),)),),
    confidence=0.9, index_id="gen-7", timings_ms={"total": 12.5},
)  # fmt: skip
TURNS = (
    StoredTurn(question="How many ferries?", answer=ANSWER, at="2024-08-02T10:00:00.000+00:00", liked=False),
    StoredTurn(
        question="And trams?", at="2024-08-02T10:01:00.000+00:00",
        answer=Answer(
            question="And trams?", standalone_question="And trams?", status="abstained",
            answer="The sources do not answer this question.", nearest=(replace(CITED, marker=0),), index_id="gen-7",
        ),
    ),
)  # fmt: skip


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            if name in {"href", "src", "action"}:
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def _read(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    return page


@pytest.mark.parametrize("form", ["markdown", "html", "json"])
def test_what_was_shown_is_in_the_file(form: str) -> None:
    text = export_conversation("About ferries", TURNS, form)
    shown = (
        text if form == "json" else _read(text if form == "html" else MarkdownIt().enable("table").render(text)).text
    )
    for words in (
        "About ferries", "How many ferries?", "How many ferries sail?", "Forty ferries sail.", "UN Council", "¶8",
        "gen-7", "the harbour", "The sources do not answer this question.", "And trams?",
    ):  # fmt: skip
        assert words in shown, words
    assert "https://example.org/a_b?x=1&y=2" in (text if form != "html" else " ".join(_read(text).addresses))


def test_json_is_read_back_exactly_and_written_again_the_same() -> None:
    text = export_conversation("About ferries", TURNS, "json")
    export = read_export(text)
    assert (export.title, export.turns) == ("About ferries", TURNS)
    assert json.loads(text)["index_ids"] == ["gen-7"]
    again = json.loads(export_conversation(export.title, export.turns, "json"))
    assert {**again, "exported_at": ""} == {**json.loads(text), "exported_at": ""}


def test_json_with_half_a_surrogate_pair_can_be_written_to_a_file(tmp_path: Path) -> None:
    text = export_answer(replace(ANSWER, question="odd \ud800"), "json")
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    assert read_export(text).turns[0].question == "odd \ud800"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("no json", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not an export"),
        ('{"kind": "other"}', "not an export"),
        ('{"kind": "iskp-qa export", "version": 9}', "version 9"),
        ('{"kind": "iskp-qa export", "version": 1, "title": "t"}', "damaged at"),
        ('{"kind": "iskp-qa export", "version": 1, "title": "t", "exported_at": "", "turns": [1]}', "damaged at"),
        ('{"kind": "iskp-qa export", "version": 1, "title": 5, "exported_at": "", "turns": []}', "damaged at"),
        (
            '{"kind": "iskp-qa export", "version": 1, "title": "", "exported_at": "", '
            '"turns": [{"question": "q", "at": "", "liked": null, "answer": {}}]}',
            "damaged at turns.0.answer",
        ),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_one_sentence(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        read_export(text)


def test_citation_numbers_lead_to_the_sources_below() -> None:
    page = _read(export_conversation("t", TURNS, "html"))
    inner = [a[1:] for a in page.addresses if a.startswith("#")]
    assert inner and set(inner) <= set(page.ids)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_in_an_export_is_active(payload: str) -> None:
    cited = replace(
        CITED, title=payload, publisher=payload, author=payload, quote=payload, locator=payload, claimed_by=payload,
        url="javascript:alert(1)", source_id=payload,
    )  # fmt: skip
    answer = replace(
        ANSWER, question=payload, standalone_question=payload, answer=f"{payload} [1].", short_answer=payload,
        citations=(cited,), nearest=(cited,), unsupported=(payload,), notice=payload,
        differences=(Difference(about=payload, values=(Value(value=payload, unit=payload, date=payload, marker=1),)),),
    )  # fmt: skip
    turns = [StoredTurn(question=payload, answer=answer, at="2024-08-02T10:00:00+00:00")] * 2
    plain = _read(export_conversation("t", TURNS, "html"))
    page = _read(export_conversation(payload, turns, "html"))
    assert set(page.tags) <= {*plain.tags, "table", "ul", "strong"}
    assert all(a.startswith("#cite-") for a in page.addresses)

    # Markdown of any reader: its HTML, were it let through, and its links.
    reader = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
    known = {t.type for t in reader.parse(export_conversation("t", TURNS, "markdown")) if t.type not in {"html_block"}}
    tokens = reader.parse(export_conversation(payload, turns, "markdown"))
    assert {t.type for t in tokens} <= known | {"bullet_list_open", "bullet_list_close", "table_open"}
    inner = {c.type for t in tokens for c in t.children or ()}
    assert inner <= {"text", "strong_open", "strong_close", "em_open", "em_close", "text_special", "softbreak"}, inner
    words = " ".join(payload.replace("\x02", " ").replace("\x03", " ").split())
    said = " ".join("".join(c.content for c in t.children or ()) for t in tokens if t.type == "inline")
    assert words in " ".join(said.split())


def test_one_answer_has_the_title_of_its_question_and_all_styles_are_there() -> None:
    for form in FORMATS:
        text = export_answer(ANSWER, form, at="2024-08-02T10:00:00+00:00")
        assert text.endswith("\n") or form == "html", form
        assert "UN Council" in text
    assert export_answer(ANSWER, "markdown").startswith("# How many ferries?\n")
    assert export_answer(ANSWER, "html").count("How many ferries?") == 2  # title and heading


def test_notes_of_several_answers_are_numbered_through() -> None:
    text = export_conversation("t", [TURNS[0], TURNS[0]], "chicago")
    assert [line.split(". ")[0] for line in text.splitlines()] == ["1", "2"]


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(BadInput, match=r"no export as 'pdf'.*markdown"):
        export_answer(ANSWER, "pdf")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("How many ferries?", "how-many-ferries.md"),
        ("../../etc/passwd", "etc-passwd.md"),
        ("日本", "conversation.md"),
        ("Ä" * 99, "a" * 60 + ".md"),
    ],
)
def test_file_names_are_plain(title: str, name: str) -> None:
    assert file_name(title, "markdown") == name
    assert set(SUFFIXES) == set(FORMATS)


def test_the_command_prints_an_answer_as_a_document_or_reference(tmp_path: Path) -> None:
    text = tmp_path / "ferries.md"
    text.write_text("# Ferries\n\nThe harbour had 40 ferries in 1990.\n")
    home = Home(tmp_path / "home")
    home.init(empty=True)
    assert [o.status for o in home.add([text], {"author": "Jane Doe", "date": "1991"})] == ["added"]
    home.sync()
    home.close()
    question = ["--home", str(tmp_path / "home"), "ask", "How many ferries did the harbour have in 1990?"]
    done = CliRunner().invoke(main, [*question, "--format", "chicago"])
    assert done.exit_code == 0 and done.stdout == "1. Jane Doe, “Ferries,” 1991, ¶1.\n"
    done = CliRunner().invoke(main, [*question, "--format", "json"])
    assert read_export(done.stdout).turns[0].answer.citations[0].quote == "The harbour had 40 ferries in 1990."
    done = CliRunner().invoke(main, [*question, "--format", "ris", "--json"])
    assert done.exit_code == 2 and "leave out" in done.stderr
    done = CliRunner().invoke(main, [*question, "--format", "pdf"])
    assert done.exit_code == 2 and all(form in done.stderr for form in FORMATS)


@pytest.mark.browser
def test_the_page_loads_nothing_and_is_legible_in_light_and_dark(tmp_path: Path) -> None:
    sync = pytest.importorskip("playwright.sync_api")
    file = tmp_path / "export.html"
    file.write_text(export_conversation("About ferries", TURNS, "html"), encoding="utf-8")
    with sync.sync_playwright() as p:
        browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        colours = []
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 360, "height": 800}, color_scheme=scheme)
            asked: list[str] = []
            page.on("request", lambda r, asked=asked: asked.append(r.url))
            page.goto(file.as_uri())
            assert asked == [file.as_uri()]
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            colours.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
            page.click("a.cite")
            assert page.evaluate("document.querySelector(':target').id") == "cite-1-1"
        browser.close()
    assert colours[0] != colours[1]
