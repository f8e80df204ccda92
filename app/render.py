"""Answers as HTML for the page. Every text from a source or a user is escaped here, and only here."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from html import escape
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader

from app.answer import MARKER, Answer, Citation
from ingest.source import Source

STATUS_WORDS = {"abstained": "Not in the sources.", "declined": "Declined."}
_WEB = frozenset({"http", "https"})


def message_html(answer: Answer, turn: int, *, sentences: int | None = None) -> str:
    """The chat message: text with its markers as links to the evidence cards.

    Args:
        turn: number of the message, so that each answer's links lead to its own cards.
        sentences: show only so many of the leading sentences, for streaming.
    """
    text = answer.answer
    if sentences is not None:
        ends = [m.end() for m in re.finditer(r"\[\d+\][^\s]*", text)]
        if sentences < len(ends):
            text = text[: ends[sentences - 1]] if sentences else ""
    known = {c.marker: c for c in answer.citations}
    parts: list[str] = []
    at = 0
    for match in MARKER.finditer(text):
        parts.append(escape(text[at : match.start()]))
        citation = known.get(int(match.group(1)))
        parts.append(_link(citation, turn) if citation else escape(match.group()))
        at = match.end()
    parts.append(escape(text[at:]))
    state = STATUS_WORDS.get(answer.status)
    lead = f'<span class="state">{state}</span> ' if state else ""
    # One line and no blank ones: Markdown then leaves the block alone.
    return f'<div class="answer">{lead}{" ".join("".join(parts).split())}</div>'


def plain_html(text: str) -> str:
    """A user's own words for the chat."""
    return f'<div class="answer">{escape(text)}</div>'.replace("\n", "<br>")


def evidence_html(
    answer: Answer | None,
    turn: int,
    sources: Callable[[str], Source | None],
    passage: Callable[[str], tuple[int, int] | None],
) -> str:
    """The evidence pane for an answer.

    Args:
        sources: source of an id, as it was indexed.
        passage: offsets of a passage id.
    """
    template = _environment().get_template("evidence.html")
    if answer is None:
        return template.render(
            cited=(),
            nearest=(),
            turn=turn,
            understood="",
            note="Ask a question: the passages behind the answer appear here.",
        )
    tidy = " ".join(answer.question.split())
    return template.render(
        cited=[_card(c, sources, passage) for c in answer.citations],
        nearest=[_card(c, sources, passage) for c in answer.nearest],
        turn=turn,
        understood=answer.standalone_question if answer.standalone_question != tidy else "",
        note="No passage was used.",
    )


def support_words(support: float) -> str:
    """How well a quote answers, in words."""
    if support >= 0.8:
        return "strong support"
    return "fair support" if support >= 0.5 else "weak support"


def status_words(citation: Citation) -> str:
    """The claim status as a badge: "opinion: the author"; empty for sources without one."""
    if citation.claim_status is None:
        return ""
    return f"{citation.claim_status}: {citation.claimed_by}" if citation.claimed_by else citation.claim_status


def byline(citation: Citation) -> str:
    """Author, publisher and date in one line; an unknown date is said to be unknown."""
    date = citation.date or "undated"
    if citation.date_note:
        date += f" ({citation.date_note})"
    return ", ".join(filter(None, (citation.author, citation.publisher, date)))


def web_address(url: str | None) -> str | None:
    """The address when it is a web address; anything else (javascript:, file:, data:) is not linked."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme.lower() in _WEB and parts.netloc else None


def _link(citation: Citation, turn: int) -> str:
    tip = escape(f"{citation.title}, {citation.date or 'undated'}, {citation.locator}", quote=True)
    return (
        f'<a class="cite" href="#cite-{turn}-{citation.marker}" title="{tip}" '
        f'aria-label="Citation {citation.marker}">{citation.marker}</a>'
    )


def _card(
    citation: Citation, sources: Callable[[str], Source | None], passage: Callable[[str], tuple[int, int] | None]
) -> dict[str, Any]:
    source = sources(citation.source_id)
    span = passage(citation.passage_id)
    start, end = span or (citation.start, citation.end)
    text = source.text if source else ""
    origin = "bundled notes" if citation.origin == "bundled notes" else "original"
    if citation.fetched_at:
        origin = f"original, fetched on {citation.fetched_at[:10]}"
    elif citation.origin == "file":
        origin = "added file"
    return {
        "marker": citation.marker,
        "title": citation.title,
        "byline": byline(citation),
        "locator": citation.locator,
        "genre": citation.genre,
        "status": status_words(citation),
        "origin": origin,
        "support": support_words(citation.support),
        "before": text[start : citation.start],
        "quote": citation.quote,
        "after": text[citation.end : end],
        "also_in": [f"{o.publisher or o.title}, {o.date or 'undated'}" for o in citation.also_in],
        "via": web_address(citation.via),
        "url": web_address(citation.url),
    }


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("app", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
