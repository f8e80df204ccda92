"""Answers as HTML for the page. Every text from a source or a user is escaped here or by the templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader

from app.answer import MARKER, Answer, Citation, Difference
from ingest.source import Source

if TYPE_CHECKING:
    from app.support import ClaimCheck

STATUS_WORDS = {"abstained": "Not in the sources.", "declined": "Declined."}
LABEL_WORDS = {
    "supported": "The sources support this.",
    "partly": "The sources support a part of this.",
    "unsupported": "The sources do not support this.",
}
GENRE_WORDS = {
    "opinion": "opinion piece", "un-report": "UN report", "government": "government", "news": "news",
    "encyclopedia": "encyclopedia", "research": "research", "notes": "notes", "unknown": "other",
}  # fmt: skip
_WEB = frozenset({"http", "https"})
_DRAFT_NOTE = '<p class="meta"><span class="dots" aria-hidden="true"></span>Draft: a sentence stays only if the sources carry it.</p>'
_BULLET = re.compile(r"^\s*(?:[-–•*]|\d+[.)])\s+")

Vote = Literal["up", "down"]
_FIRST_ROWS = 6
"""Rows of a table of differences that are shown before somebody asks for all."""
_FIGURE_CHARS = 60
"""A longer value is a sentence, not a figure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnView:
    """One question of a conversation with what is to be seen of its answer.

    Attributes:
        number: counted from 1 in the conversation; answers' links lead to cards of the same number.
        settled: text so far of an answer that is being written, final; ``citations`` are what its markers stand for.
        draft: what comes after it and is not checked yet.
        waiting: what is going on before there is any text.
        error: one sentence instead of an answer.
        follow_ups: questions offered after the answer.
        scope: what was searched, for an answer that found nothing.
    """

    number: int
    question: str
    answer: Answer | None = None
    settled: str = ""
    citations: tuple[Citation, ...] = ()
    draft: str = ""
    waiting: str = ""
    error: str = ""
    vote: Vote | None = None
    follow_ups: tuple[str, ...] = ()
    scope: str = ""


def thread_html(
    turns: Sequence[TurnView], *, live: bool = False, first_questions: Sequence[str] = (), read_only: bool = False
) -> str:
    """Questions with their answers.

    Args:
        live: these are the last ones, read out as they change; without any, a welcome stands there.
        first_questions: offered with the welcome.
    """
    return render(
        "thread.html", turns=[_turn(t, last=live and t is turns[-1]) for t in turns], live=live,
        first_questions=first_questions, read_only=read_only,
    )  # fmt: skip


def message_html(answer: Answer, turn: int) -> str:
    """An answer's text with its markers as links to the evidence cards, and its differences as a table.

    Args:
        turn: number of the question, so that each answer's links lead to its own cards.
    """
    known = {c.marker: c for c in answer.citations}
    state = STATUS_WORDS.get(answer.status)
    lead = f'<p class="state">{state}</p>' if state else ""
    # A list that says nothing but the differences is shown as their table.
    tabled = {v.marker for d in answer.differences for v in d.values if v.marker in known}
    tables = "".join(_difference(d, known, turn) for d in answer.differences)
    return f'<div class="answer">{lead}{_blocks(answer.answer, known, turn, tabled)}{tables}</div>'


def _growing(turn: TurnView) -> str:
    """An answer that is being written: what is final, and the draft behind it."""
    known = {c.marker: c for c in turn.citations}
    text = _blocks(turn.settled, known, turn.number)
    draft = f'<p class="draft" dir="auto">{escape(turn.draft)}</p>{_DRAFT_NOTE}' if turn.draft.strip() else ""
    return f'<div class="answer">{text}{draft}</div>' if text or draft else ""


def plain_html(text: str) -> str:
    """Somebody's own words."""
    return f'<div class="answer">{escape(text)}</div>'.replace("\n", "<br>")


def evidence_html(
    answer: Answer | None,
    turn: int,
    sources: Callable[[str], Source | None],
    passage: Callable[[str], tuple[int, int] | None],
    *,
    also: Sequence[Citation] = (),
) -> str:
    """The evidence pane for an answer.

    Args:
        sources: source of an id, as it was indexed.
        passage: offsets of a passage id.
        also: passages that were looked at without being cited.
    """
    if answer is None:
        return render("evidence.html", turn=0, cited=(), nearest=(), also=(), declined=False)
    return render(
        "evidence.html",
        turn=turn,
        cited=[_card(c, turn, sources, passage) for c in answer.citations],
        nearest=[_card(c, turn, sources, passage) for c in answer.nearest],
        also=[_card(c, turn, sources, passage) for c in also],
        declined=answer.status == "declined",
    )


def check_html(check: ClaimCheck) -> str:
    """What the sources say to a claim: a verdict in words, quotes for it and quotes against it."""
    return render(
        "check.html", verdict=LABEL_WORDS[check.label], reasons=check.reasons,
        groups=[
            (name, [_said(c) for c in found if isinstance(c, Citation)])
            for name, found in (("For it", check.citations), ("Against it", check.against))
        ],
    )  # fmt: skip


def _said(citation: Citation) -> dict[str, Any]:
    return {
        "quote": citation.quote, "title": citation.title, "byline": byline(citation), "locator": citation.locator,
        "source_id": citation.source_id, "start": citation.start, "end": citation.end,
    }  # fmt: skip


def copy_text(answer: Answer) -> str:
    """The answer as plain text with its references, for the clipboard."""
    lines = [answer.answer]
    if answer.citations:
        lines.append("")
    for c in answer.citations:
        lines.append(f"[{c.marker}] {c.title} – {byline(c)}, {c.locator}: “{' '.join(c.quote.split())}”")
        if web_address(c.url):
            lines.append(f"    {c.url}")
    return "\n".join(lines)


def support_words(support: float) -> str:
    """How well a quote answers, in words."""
    if support >= 0.8:
        return "strong support"
    return "fair support" if support >= 0.5 else "weak support"


def status_words(citation: Citation) -> str:
    """The claim status as a badge: "opinion of the author"; empty for sources without one."""
    if citation.claim_status is None:
        return ""
    if citation.claim_status == "opinion":
        return f"opinion of {citation.claimed_by}" if citation.claimed_by else "opinion"
    return f"{citation.claim_status}: {citation.claimed_by}" if citation.claimed_by else citation.claim_status


def byline(citation: Citation) -> str:
    """Author, publisher and date in one line; an unknown date is said to be unknown."""
    date = citation.date or "undated"
    if citation.date_note:
        date += f" ({citation.date_note})"
    return ", ".join(filter(None, (citation.author, citation.publisher, date)))


def origin_words(origin: str, fetched_at: str | None) -> str:
    """Where a text came from: "bundled notes", "original, fetched on …" or "added file"."""
    if origin == "bundled notes":
        return origin
    if fetched_at:
        return f"original, fetched on {fetched_at[:10]}"
    return "added file" if origin == "file" else "original"


def web_address(url: str | None) -> str | None:
    """The address when it is a web address; anything else (javascript:, file:, data:) is not linked."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme.lower() in _WEB and parts.netloc else None


def source_html(source: Source, cited: Iterable[tuple[int, int]] = (), focus: tuple[int, int] | None = None) -> str:
    """A source in full, with the cited words marked.

    Args:
        cited: spans of the text to mark; overlapping ones become one.
        focus: the span to scroll to.
    """
    spans = _merge([*cited, *([focus] if focus else [])], len(source.text))
    blocks = [
        {
            "role": p.role,
            "locator": p.locator,
            "status": f"{p.claim_status}: {p.claimed_by}" if p.claim_status and p.claimed_by else p.claim_status or "",
            "parts": _marked(source.text, p.start, p.end, spans, focus),
        }
        for p in source.paragraphs
    ]
    return render(
        "source.html", source=source, blocks=blocks, origin=origin_words(source.origin, source.fetched_at),
        genre=GENRE_WORDS.get(source.genre, source.genre), url=web_address(source.url), marked=len(spans),
    )  # fmt: skip


def _turn(turn: TurnView, *, last: bool) -> dict[str, Any]:
    answer = turn.answer
    busy = answer is None and not turn.error
    # What was stopped is not shown in part: nobody has checked its draft, and no cards stand behind its links.
    html = message_html(answer, turn.number) if answer else _growing(turn) if busy else ""
    understood = ""
    if answer and answer.standalone_question != " ".join(answer.question.split()):
        understood = answer.standalone_question
    return {
        "number": turn.number, "question": turn.question, "html": html, "busy": busy, "last": last, "vote": turn.vote,
        "waiting": turn.waiting if busy and not html else "", "error": turn.error, "understood": understood,
        "short": answer.short_answer if answer else None, "status": answer.status if answer else "",
        "plain": copy_text(answer) if answer else "",
        "references": copy_text(replace(answer, answer="")).strip() if answer and answer.citations else "", "missing": answer.missing_terms if answer else (),
        "nearest": len(answer.nearest) if answer else 0, "scope": turn.scope,
        "unsupported": answer.unsupported if answer else (), "engine": answer.engine if answer else "",
        "follow_ups": turn.follow_ups if last else (),
    }  # fmt: skip


def _blocks(text: str, known: dict[int, Citation], turn: int, tabled: Collection[int] = ()) -> str:
    """Lines as paragraphs, bullet lines as lists; nothing else of Markdown is read.

    Args:
        tabled: markers of differences; a bullet that cites nothing else is left to their table.
    """
    parts: list[str] = []
    bullets: list[str] = []

    def close() -> None:
        if bullets:
            parts.append(f"<ul>{''.join(f'<li>{b}</li>' for b in bullets)}</ul>")
            bullets.clear()

    for line in text.splitlines():
        bullet = _BULLET.match(line)
        if bullet:
            markers = {int(m) for m in MARKER.findall(line)}
            if markers and markers <= set(tabled):
                continue
            bullets.append(_linked(line[bullet.end() :], known, turn))
        elif line.strip():
            close()
            parts.append(f'<p dir="auto">{_linked(line, known, turn)}</p>')
    close()
    return "".join(parts)


def _linked(text: str, known: dict[int, Citation], turn: int) -> str:
    parts: list[str] = []
    at = 0
    for match in MARKER.finditer(text):
        # A marker stays on the line of the word that it follows.
        before = escape(text[at : match.start()])
        parts.append(before.rstrip() + "\N{NO-BREAK SPACE}" if before.strip() else before)
        citation = known.get(int(match.group(1)))
        parts.append(_link(citation, turn) if citation else escape(match.group()))
        at = match.end()
    parts.append(escape(text[at:]))
    return "".join(parts)


def _link(citation: Citation, turn: int) -> str:
    said = f"{citation.title}, {citation.publisher or 'publisher unknown'}, {citation.date or 'undated'}, {citation.locator}"
    tip = escape(said, quote=True)
    return (
        f'<a class="cite" href="#cite-{turn}-{citation.marker}" data-tip="{tip}" '
        f'aria-label="Citation {citation.marker}: {tip}">{citation.marker}</a>'
    )


def _difference(difference: Difference, known: dict[int, Citation], turn: int) -> str:
    values = sorted(difference.values, key=lambda v: v.date or "", reverse=True)
    dates = {v.date for v in values if v.date and not v.of_event}
    newest = max(dates) if len(dates) > 1 else None
    rows = [
        {
            "value": f"{v.value} {v.unit}".strip(),
            "date": v.date or "undated",
            "newest": newest is not None and v.date == newest and not v.of_event,
            "link": _link(known[v.marker], turn) if v.marker in known else "",
            "source": _said_by(known[v.marker]) if v.marker in known else "",
        }
        for v in values
    ]
    figures = all(len(r["value"]) <= _FIGURE_CHARS for r in rows)
    return render(
        "difference.html", about=difference.about, rows=rows, first=_FIRST_ROWS, heading="Figure" if figures else "Account",
    )


def _said_by(citation: Citation) -> str:
    """Whose figure it is: who claims it, else who published it."""
    return citation.claimed_by or citation.publisher or citation.title


def _card(
    citation: Citation,
    turn: int,
    sources: Callable[[str], Source | None],
    passage: Callable[[str], tuple[int, int] | None],
) -> dict[str, Any]:
    source = sources(citation.source_id)
    start, end = passage(citation.passage_id) or (citation.start, citation.end)
    text = source.text if source else ""
    before, after = _neighbours(source, start, end) if source else ("", "")
    # The index may have moved on since an old answer: its quote is then shown by itself.
    whole = text[citation.start : citation.end] == citation.quote and start <= citation.start and citation.end <= end
    return {
        "id": f"cite-{turn}-{citation.marker}" if citation.marker else "",
        "marker": citation.marker,
        "turn": turn,
        "source_id": citation.source_id,
        "start": citation.start,
        "end": citation.end,
        "known": source is not None,
        "title": citation.title,
        "byline": byline(citation),
        "locator": citation.locator,
        "genre": GENRE_WORDS.get(citation.genre, citation.genre) if citation.genre != "unknown" else "",
        "status": status_words(citation),
        "origin": origin_words(citation.origin, citation.fetched_at),
        "support": support_words(citation.support),
        "before": text[start : citation.start] if whole else "",
        "quote": citation.quote,
        "after": text[citation.end : end] if whole else "",
        "previous": before,
        "next": after,
        "also_in": [f"{o.publisher or o.title}, {o.date or 'undated'}" for o in citation.also_in],
        "via": web_address(citation.via),
        "url": web_address(citation.url),
    }


def _neighbours(source: Source, start: int, end: int) -> tuple[str, str]:
    """The paragraph before and the one after a passage; the rest of its own paragraph counts."""
    before = [p for p in source.paragraphs if p.start < start]
    after = [p for p in source.paragraphs if p.end > end]
    return (
        source.text[before[-1].start : min(before[-1].end, start)] if before else "",
        source.text[max(after[0].start, end) : after[0].end] if after else "",
    )


def _merge(spans: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted((max(0, s), min(length, e)) for s, e in spans):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def _marked(
    text: str, start: int, end: int, spans: Sequence[tuple[int, int]], focus: tuple[int, int] | None
) -> list[dict[str, Any]]:
    """``text[start:end]`` cut into pieces that are marked or not."""
    pieces: list[dict[str, Any]] = []
    at = start
    for span in spans:
        s, e = max(span[0], start), min(span[1], end)
        if s >= e:
            continue
        pieces.append({"text": text[at:s], "mark": False, "focus": False})
        pieces.append({"text": text[s:e], "mark": True, "focus": focus is not None and s <= focus[0] < e})
        at = e
    pieces.append({"text": text[at:end], "mark": False, "focus": False})
    return [p for p in pieces if p["text"]]


def render(template: str, **values: Any) -> str:
    """A template of ``app/templates`` with everything escaped that is not markup of ours."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("app", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
