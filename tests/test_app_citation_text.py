"""Our summaries are no quotations: in no form of output do quotation marks or a quotation's element hold one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from app.answer import Answer, Citation, Difference, Value, cite, from_json, to_json
from app.citation_text import described, holder, kind_words, origin_words, place, spoken
from app.cli.output import print_answer, print_check
from app.exports.export import export_answer
from app.rendering.html import check_html, copy_text, evidence_html, message_html, source_html
from app.rendering.welcome import Welcome, welcome_html
from app.support.verdict import ClaimCheck
from ingest.blocks import Block, Extract, Metadata, assemble
from ingest.chunk import chunk
from ingest.formats.markdown import read
from ingest.source import Origin, Source

WORDS = "The ferry to Lund carries forty people."
_QUOTES = "\"'“”‘’„«»‹›`"
_QUOTING = frozenset({"blockquote", "q", "cite", "mark"})


def _source(origin: Origin, genre: str = "news", publisher: str = "Harbour Times") -> Source:
    metadata = Metadata(title="Ferries", author="Ann Lee", publisher=publisher, date="2024", genre=genre)  # type: ignore[arg-type]
    blocks = (Block(text=f"It is spring. {WORDS} It rains.", claim_status="claim", claimed_by="the harbour"),)
    return assemble("s", Extract(blocks=blocks, metadata=metadata), origin=origin)


def _citation(source: Source) -> Citation:
    start = source.text.index(WORDS)
    return cite(source, chunk(source)[0], start=start, end=start + len(WORDS), support=0.9, marker=1)


def _answer(source: Source) -> Answer:
    nearest = (replace(_citation(source), marker=0),)
    return Answer(
        question="How many?", standalone_question="How many?", status="answered", answer="Forty [1].",
        citations=(_citation(source),), nearest=nearest,
    )  # fmt: skip


def _checked(source: Source) -> ClaimCheck:
    found = (_citation(source),)
    return ClaimCheck(claim="Forty.", label="supported", support=0.9, citations=found, against=found)


def _evidence(source: Source) -> str:
    spans = {p.id: (p.start, p.end) for p in chunk(source)}
    return evidence_html(_answer(source), 1, lambda _: source, spans.get)


def _said(show: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> str:
    show()
    return capsys.readouterr().out


PLAIN: dict[str, Callable[[Source, pytest.CaptureFixture[str]], str]] = {
    "clipboard": lambda s, _: copy_text(_answer(s)),
    "ask": lambda s, c: _said(lambda: print_answer(_answer(s)), c),
    "check": lambda s, c: _said(lambda: print_check(_checked(s)), c),
}
MARKED_UP: dict[str, Callable[[Source], str]] = {
    "evidence": _evidence,
    "checked": lambda s: check_html(_checked(s)),
    "html": lambda s: export_answer(_answer(s), "html"),
    "markdown": lambda s: MarkdownIt().enable("table").render(export_answer(_answer(s), "markdown")),
}


class _Page(HTMLParser):
    """Each text with the elements around it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, frozenset[str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br", "hr", "link", "img"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.texts.append((data, frozenset(self.open)))


def _in_marks(text: str) -> list[bool]:
    """For each place where the words stand, whether a quotation mark stands before or behind them."""
    places = [m.span() for m in re.finditer(re.escape(WORDS), text)]
    return [text[:a].rstrip()[-1:] in set(_QUOTES) or text[b:].lstrip()[:1] in set(_QUOTES) for a, b in places]


@pytest.mark.parametrize("form", PLAIN)
def test_quotation_marks_stand_around_originals_only_where_text_is_plain(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = (PLAIN[form](_source(o), capsys) for o in ("bundled notes", "file"))  # type: ignore[arg-type]
    assert _in_marks(theirs) and all(_in_marks(theirs))
    assert _in_marks(ours) and not any(_in_marks(ours))
    assert "Summary by iskp-qa of: Ann Lee, Ferries, Harbour Times, 2024" in ours
    assert "iskp-qa" not in theirs


@pytest.mark.parametrize("form", MARKED_UP)
def test_no_quoting_element_holds_a_summary(form: str) -> None:
    found = {}
    for origin in ("bundled notes", "file"):
        page = _Page(MARKED_UP[form](_source(origin)))  # type: ignore[arg-type]
        found[origin] = [bool(around & _QUOTING) for text, around in page.texts if WORDS in text]
        whole = "".join(text for text, _ in page.texts)
        assert not any(_in_marks(whole))
        assert ("iskp-qa of:" in whole or "by iskp-qa" in whole) == (origin == "bundled notes")
    assert any(found["file"]), "an original does stand in one"
    assert found["bundled notes"] and not any(found["bundled notes"])


def test_a_source_that_is_read_says_whether_it_is_our_summary() -> None:
    ours, theirs = source_html(_source("bundled notes")), source_html(_source("file"))
    assert "our summary" in ours and "Summary by iskp-qa of: Ann Lee" in ours and "original text" not in ours
    assert "original text" in theirs and "our summary" not in theirs and "Summary by" not in theirs


def test_json_tells_summaries_from_originals_also_in_answers_that_were_stored_before() -> None:
    for origin, words in (("bundled notes", "summary"), ("file", "original"), ("fetched", "original")):
        answer = _answer(_source(origin))  # type: ignore[arg-type]
        data = json.loads(json.dumps(to_json(answer)))
        assert [c["words"] for c in (*data["citations"], *data["nearest"])] == [words, words]
        assert data["citations"][0]["quote"] == WORDS
        for citation in (*data["citations"], *data["nearest"]):
            del citation["words"]
        assert from_json(data) == answer


def test_a_comparison_of_ours_is_never_named_as_the_holder_by_its_publisher() -> None:
    source = _source("bundled notes", genre="notes", publisher="our project")
    citation = _citation(source)
    assert holder(citation, "the harbour") == "the harbour"
    assert holder(citation, "our project") == holder(citation, None) == "comparison by iskp-qa"
    assert holder(_citation(_source("file", genre="notes")), None) == "Harbour Times", "somebody's own notes are theirs"
    assert "our project" not in described(citation) and kind_words(citation) == "our comparison"


def test_the_table_of_a_difference_has_the_same_holders_and_order_on_the_page_and_in_markdown() -> None:
    first = _citation(_source("bundled notes", genre="notes", publisher="our project"))
    cited = (replace(first, claimed_by=None), replace(first, marker=2))
    values = (Value(value="40", unit="", date="2020", marker=1), Value(value="50", unit="", date="2023", marker=2))
    answer = replace(_answer(_source("file")), citations=cited, differences=(Difference(about="x", values=values),))
    for text in (message_html(answer, 1), export_answer(answer, "markdown")):
        table = text[text.index("Source") :]
        assert table.index("50") < table.index("the harbour") < table.index("40") < table.index("comparison by iskp")
        assert "our project" not in table[: table.index("comparison by iskp")]


def test_counts_of_our_own_notes_are_no_place_to_look_up() -> None:
    ours, theirs = _source("bundled notes"), _source("file")
    assert (place(ours, "note 3"), place(ours, "note 3 row 2"), place(ours, "¶3")) == ("", "", "¶3")
    assert place(theirs, "note 3") == "note 3", "of a file of somebody's own it is one"
    assert (
        origin_words(replace(theirs, origin="fetched", fetched_at="2024-08-02T10")) == "original, fetched on 2024-08-02"
    )
    assert spoken(theirs, "a  b\nc") == "“a b c”"


def test_a_block_of_general_knowledge_is_read_but_never_found() -> None:
    text = '# T\n\n{checked="source"}\nSeen.\n\n{status=fact checked="general knowledge"}\nOnly believed.\n'
    source = assemble("s", read(text), origin="bundled notes")
    assert [p.text for p in chunk(source)] == ["Seen."]
    html = source_html(source)
    assert "Only believed." in html and html.count(">not checked<") == 1


def test_the_welcome_offers_the_originals_while_summaries_are_read() -> None:
    ours = welcome_html(Welcome(summaries=43))
    assert "our summaries of 43 publications, not their text" in ours and 'data-act="fetch"' in ours
    assert "our summaries" not in welcome_html(Welcome()) and "data-act" not in welcome_html(Welcome())
    assert "data-act" not in welcome_html(Welcome(summaries=43), read_only=True)
