"""Answers as HTML: links for markers, the quote marked in its passage, and nothing active from a source."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.answer import Answer, Difference, Value, cite
from app.citation_text import byline
from app.rendering.html import (
    TurnView,
    evidence_html,
    message_html,
    plain_html,
    source_html,
    thread_html,
    web_address,
)
from ingest.blocks import Block, Extract, Metadata, assemble
from ingest.chunk import chunk
from ingest.source import Source

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "[click](javascript:alert(1))",
    "</blockquote></article><iframe src=//evil.example>",
    "{{ 7*7 }}{% raw %}",
    "![x](https://evil.example/x.png)",
]


def _source(text: str, **metadata: str) -> Source:
    blocks = (Block(text=text), Block(text="A second paragraph stands here."))
    return assemble("s", Extract(blocks=blocks, metadata=Metadata(**metadata)), fallback_title="Title")  # type: ignore[arg-type]


def _answer(source: Source, start: int, end: int, text: str = "Said so [1].") -> Answer:
    citation = cite(source, chunk(source)[0], start=start, end=end, support=0.9, marker=1)
    return Answer(question="q", standalone_question="q", status="answered", answer=text, citations=(citation,))


def _evidence(answer: Answer, source: Source) -> str:
    spans = {p.id: (p.start, p.end) for p in chunk(source)}
    return evidence_html(answer, 1, lambda _: source, spans.get)


def test_the_quote_is_marked_inside_its_passage() -> None:
    source = _source("Before it. The quoted words. After it.")
    start = source.text.index("The quoted")
    html = _evidence(_answer(source, start, start + len("The quoted words.")), source)
    assert 'Before it. <mark data-markers="1">The quoted words.</mark> After it.' in html


def test_markers_with_a_citation_become_links_and_others_stay_text() -> None:
    source = _source("Some words.")
    html = message_html(_answer(source, 0, 4, "One [1]. Two [7]."), 3)
    assert 'href="#cite-3-1"' in html and "[7]" in html and "#cite-3-7" not in html


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_from_a_source_becomes_active(payload: str) -> None:
    source = _source(f"Words {payload} words.", title=payload, author=payload, publisher=payload, url=payload)
    answer = _answer(source, 0, len(source.text.split("\n")[0]), text=f"{payload} [1].")
    for html in (_evidence(answer, source), message_html(answer, 1), plain_html(payload)):
        found = _Elements()
        found.feed(html)
        assert found.names <= {
            "section",
            "article",
            "header",
            "div",
            "h2",
            "h3",
            "p",
            "span",
            "blockquote",
            "mark",
            "a",
            "br",
            "button",
            "details",
            "summary",
        }
        assert found.attributes <= {
            "class", "id", "tabindex", "aria-label", "aria-hidden", "dir", "href", "target", "rel", "type", "data-tip",
            "data-act", "data-turn", "data-marker", "data-source", "data-start", "data-end", "data-back", "data-markers", "role",
        }  # fmt: skip
        assert all(link.startswith(("#cite-", "http://", "https://")) for link in found.links)


class _Elements(HTMLParser):
    """What a browser would see: element names, attribute names and link targets."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//evil.example", "http://[", None, ""]
)
def test_only_web_addresses_are_linked(url: str | None) -> None:
    assert web_address(url) is None


def test_web_addresses_are_kept() -> None:
    assert web_address("https://example.org/a?b=c") == "https://example.org/a?b=c"


def test_an_unknown_date_is_said_to_be_unknown() -> None:
    source = _source("Words.", author="Ann", publisher="The Paper")
    citation = cite(source, chunk(source)[0], start=0, end=5, support=0.5)
    assert byline(citation) == "Ann, The Paper, undated"
    assert byline(replace(citation, date="2024", date_note="day not known")).endswith("2024 (day not known)")


def test_while_an_answer_is_written_what_is_final_and_the_draft_behind_it_are_shown() -> None:
    source = _source("Some words.")
    citations = _answer(source, 0, 4).citations
    turn = TurnView(number=2, question="q", settled="One [1].", citations=citations, draft="Two <b>")
    html = thread_html([turn], live=True)
    assert 'href="#cite-2-1"' in html and "Two &lt;b&gt;" in html and 'aria-busy="true"' in html
    assert "data-act" not in html, "what is being written can't be judged yet"
    stopped = thread_html([replace(turn, error="Stopped.")], live=True)
    assert "Stopped." in stopped and "Two" not in stopped and "One" not in stopped


def test_differences_are_a_table_with_the_newest_first_instead_of_their_bullets() -> None:
    source = _source("About ten lamps. Some twelve lamps.")
    first = _answer(source, 0, 16).citations[0]
    second = replace(first, marker=2, claimed_by="the keeper")
    values = (Value(value="10", unit="lamps", date="1901", marker=1), Value(value="12", unit="", date="1905", marker=2))
    text = "They differ:\n- ten (a paper) [1]\n- twelve (the keeper) [2]\n- by [1] and also so [3]"
    answer = replace(
        _answer(source, 0, 16, text), citations=(first, second), differences=(Difference(about="lamps", values=values),)
    )
    html = message_html(answer, 1)
    assert html.index("12") < html.index("10 lamps") and html.count(">newest<") == 1 and "the keeper" in html
    assert html.index("Newest of 2 that differ: <strong>12</strong> (1905, the keeper") < html.index("They differ"), "and above all"
    no_date = replace(answer, differences=(Difference(about="lamps", values=tuple(replace(v, date=None) for v in values)),))
    assert "newest" not in message_html(no_date, 1).lower(), "none is the newest where no date tells"
    assert "(a paper)" not in html and "also so" in html, "only what the table says is left out"


def test_a_source_is_shown_whole_with_the_cited_words_marked_once() -> None:
    source = _source("Before. The quoted words. After.")
    start = source.text.index("The quoted")
    html = source_html(source, [(start, start + 10), (start + 4, start + 17)], focus=(start, start + 10))
    assert '<mark class="focus" id="reading-focus">The quoted words.</mark>' in html
    assert "A second paragraph" in html and html.count("<mark") == 1


def test_two_quotes_of_one_passage_share_a_card_and_nearest_ones_are_not_marked() -> None:
    source = _source("One thing. Another thing. A third.")
    one, two = (_answer(source, s, s + n).citations[0] for s, n in ((0, 10), (11, 14)))
    answer = replace(_answer(source, 0, 10), citations=(one, replace(two, marker=2)))
    html = _evidence(answer, source)
    assert html.count("<article") == 1 and 'id="cite-1-1"' in html and 'id="cite-1-2"' in html
    assert 'data-markers="1">One thing.</mark>' in html and 'data-markers="2">Another thing.</mark>' in html
    near = replace(answer, status="abstained", citations=(), nearest=(replace(one, marker=0),))
    assert "One thing." in _evidence(near, source) and "<mark" not in _evidence(near, source)
