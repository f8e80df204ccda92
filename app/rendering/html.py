"""Answers as HTML for the page. Every text from a source or a user is escaped here or by the templates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from app.answer import Answer, Citation, Difference
from app.citation_text import (
    UNCHECKED,
    UNCHECKED_MEANING,
    byline,
    citation_status,
    claimant,
    described,
    genre_words,
    grade_meaning,
    grade_words,
    is_summary,
    kind_meaning,
    kind_words,
    lead,
    origin_words,
    place,
    recognised_words,
    rows,
    spoken,
    status_words,
)
from app.rendering.prose import FIRST_ROWS, blocks, link, table_html
from app.rendering.render import render
from app.rendering.shapes import shape_html
from app.text.messages import said
from ingest.source import Source

if TYPE_CHECKING:
    from app.support.verdict import ClaimCheck

STATUS_WORDS = {"abstained": "Not in the sources.", "declined": "Declined.", "unclear": "Not clear what is meant."}
_WEB = frozenset({"http", "https"})
_DRAFT = "Draft: a sentence stays only if the sources carry it."
_DRAFT_NOTE = '<p class="meta"><span class="dots" aria-hidden="true"></span>{}</p>'

_LONG_QUESTION = 280
"""Characters from which a question is shown cut, about four lines, with a button for the rest."""

Vote = Literal["up", "down"]
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
        limited: whether filters left sources out.
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
    limited: bool = False


LineOf = Callable[[Sequence[Citation]], str]
"""Gives the address of the line of the ledger that holds one of some citations; empty where none does."""


def thread_html(
    turns: Sequence[TurnView], *, live: bool = False, read_only: bool = False, guest: bool = False, empty: bool = False,
    line_of: LineOf = lambda _: "", language: str = "en",
) -> str:  # fmt: skip
    """Questions with their answers.

    Args:
        live: these are the last ones, read out as they change.
        guest: it is somebody else's conversation, which can be read and copied but not changed.
        empty: there are no sources yet.
        language: of what the page itself says, ISO 639-1.
    """
    views = [_turn(t, last=live and t is turns[-1], line_of=line_of, language=language) for t in turns]
    return render(
        "thread.html", turns=views, live=live, read_only=read_only, guest=guest, empty=empty, language=language
    )


def message_html(
    answer: Answer, turn: int, *, still: bool = False, line_of: LineOf = lambda _: "", language: str = "en"
) -> str:
    """An answer in the form of its shape, with its markers as links to the evidence cards, and its differences as a table.

    Args:
        turn: number of the question, so that each answer's links lead to its own cards.
        still: for a file, in which nothing can be clicked.
        line_of: where the ledger holds what a difference is about.
        language: of what the page itself says; the answer has its own.
    """
    known = {c.marker: c for c in answer.citations}
    words = STATUS_WORDS.get(answer.status, "")
    state = (
        said("Not searched: {reason}.", language=language, reason=answer.unsearched)
        if answer.unsearched
        else said(words, language=language)
    )
    sign = "unsearched" if answer.unsearched else answer.status
    lead = render("state.html", state=sign, words=state) if state else ""
    # A list that says nothing but the differences is shown as their table.
    tabled = {v.marker for d in answer.differences for v in d.values if v.marker in known}
    tables = "".join(
        _difference(d, known, turn, still=still, language=language) + _ledger_link(d, known, line_of, language)
        for d in answer.differences
    )
    text = shape_html(answer, known, turn, still=still, language=language) or blocks(
        answer.answer, known, turn, tabled, still=still
    )
    newest = "".join(_newest(d, known, turn, language) for d in answer.differences)
    return f'<div class="answer">{lead}{newest}{text}{tables}</div>'


def _newest(difference: Difference, known: dict[int, Citation], turn: int, language: str) -> str:
    """Above figures that differ: which is the newest, and that it is one of several; nothing where no date tells."""
    found = rows(difference, known)
    told = [r for r in found if r.newest and r.marker in known]
    if not told:
        return ""
    lead = escape(said("Newest of {number} that differ", language=language, number=len(found)))
    values = ", ".join(f"<strong>{escape(r.value)}</strong>" for r in told)
    whose = ", ".join(dict.fromkeys(f"{escape(r.whose)} {link(known[r.marker], turn)}" for r in told))
    return f'<p class="newest" dir="auto">{lead}: {values} ({escape(told[0].date)}, {whose})</p>'


def _growing(turn: TurnView, language: str) -> str:
    """An answer that is being written: what is final, and the draft behind it."""
    known = {c.marker: c for c in turn.citations}
    text = blocks(turn.settled, known, turn.number)
    draft = (
        f'<p class="draft" dir="auto">{escape(turn.draft)}</p>{_DRAFT_NOTE.format(escape(said(_DRAFT, language=language)))}'
        if turn.draft.strip()
        else ""
    )
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
    language: str = "en",
) -> str:
    """The evidence pane for an answer.

    Args:
        sources: source of an id, as it was indexed.
        passage: offsets of a passage id.
        also: passages that were looked at without being cited.
        language: of what the page itself says, ISO 639-1.
    """
    if answer is None:
        return render("evidence.html", turn=0, cited=(), nearest=(), also=(), declined=False, language=language)
    return render(
        "evidence.html",
        turn=turn,
        cited=[_card(group, turn, sources, passage, language) for group in _by_passage(answer.citations)],
        nearest=[_card([c], turn, sources, passage, language) for c in answer.nearest],
        also=[_card([c], turn, sources, passage, language) for c in also],
        declined=answer.status == "declined",
        language=language,
    )


def check_html(check: ClaimCheck, language: str = "en") -> str:
    """What the sources say to a claim: a verdict in words, quotes for it and quotes against it."""
    return render(
        "check.html",
        verdict=f"{said(check.words, language=language)}.",
        reasons=check.reasons,
        groups=_sides(check, language),
        language=language,
    )


def told_html(check: ClaimCheck) -> str:
    """The quotes for a claim and those against it alone."""
    return render("told.html", groups=_sides(check, "en"))


def _sides(check: ClaimCheck, language: str) -> list[tuple[str, list[dict[str, Any]]]]:
    return [
        (name, [_said(c, language) for c in found if isinstance(c, Citation)])
        for name, found in (("For it", check.citations), ("Against it", check.against))
    ]


def _said(citation: Citation, language: str) -> dict[str, Any]:
    return {
        "quote": citation.quote, "title": citation.title, "described": described(citation, citation.locator),
        "source_id": citation.source_id, "start": citation.start, "end": citation.end, **_kind(citation, language),
    }  # fmt: skip


def _kind(source: Source | Citation, language: str = "en") -> dict[str, Any]:
    """The chip that tells summaries from original text."""
    return {
        "summary": is_summary(source),
        "kind": said(kind_words(source), language=language),
        "meaning": said(kind_meaning(source), language=language),
    }


def copy_text(answer: Answer) -> str:
    """The answer as plain text with its references, for the clipboard."""
    lines = [answer.answer]
    if answer.citations:
        lines.append("")
    for c in answer.citations:
        grade = f" [{words}]" if (words := grade_words(c)) else ""
        lines.append(f"[{c.marker}] {described(c, c.locator)}{grade}: {spoken(c, c.quote)}")
        if web_address(c.url):
            lines.append(f"    {c.url}")
    return "\n".join(lines)


def web_address(url: str | None) -> str | None:
    """The address when it is a web address; anything else (javascript:, file:, data:) is not linked."""
    if not url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return url if parts.scheme.lower() in _WEB and parts.netloc else None


def source_html(
    source: Source, cited: Iterable[tuple[int, int]] = (), focus: tuple[int, int] | None = None, *, beside: bool = False,
    snapshot: str = "",
) -> str:  # fmt: skip
    """A source in full, with the cited words marked.

    Args:
        cited: spans of the text to mark; overlapping ones become one.
        focus: the span to scroll to.
        beside: it stands beside the answer that cites it, with a way back.
        snapshot: what is kept of its original, in words.
    """
    spans = _merge([*cited, *([focus] if focus else [])], len(source.text))
    blocks = [
        {
            "role": p.role,
            "locator": place(source, p.locator),
            "status": ""
            if p.unchecked
            else status_words(p.claim_status, claimant(source, p.claimed_by)) or recognised_words(p.recognised),
            "unchecked": UNCHECKED if p.unchecked else "",
            "parts": _marked(source.text, p.start, p.end, spans, focus),
        }
        for p in source.paragraphs
    ]
    return render(
        "source.html", source=source, blocks=blocks, origin=origin_words(source), genre=genre_words(source.genre),
        byline=f"{lead(source)}{byline(source)}", url=web_address(source.url), marked=len(spans),
        unchecked_meaning=UNCHECKED_MEANING, focus=focus, beside=beside, snapshot=snapshot, **_kind(source),
    )  # fmt: skip


def _turn(turn: TurnView, *, last: bool, line_of: LineOf, language: str) -> dict[str, Any]:
    answer = turn.answer
    busy = answer is None and not turn.error
    # What was stopped is not shown in part: nobody has checked its draft, and no cards stand behind its links.
    html = (
        message_html(answer, turn.number, line_of=line_of, language=language)
        if answer
        else _growing(turn, language)
        if busy
        else ""
    )
    understood = ""
    if answer and answer.standalone_question != " ".join(answer.question.split()):
        understood = answer.standalone_question
    return {
        "number": turn.number, "question": turn.question, "html": html, "busy": busy, "last": last, "vote": turn.vote,
        "waiting": turn.waiting if busy and not html else "", "error": turn.error, "understood": understood,
        "short": answer.short_answer if answer else None, "status": answer.status if answer else "",
        "notice": answer.notice if answer else "",
        "plain": copy_text(answer) if answer and answer.status == "answered" else "", "judged": answer is not None,
        "references": copy_text(replace(answer, answer="")).strip() if answer and answer.citations else "",
        "nearest": len(answer.nearest) if answer else 0, "scope": turn.scope, "limited": turn.limited,
        # A source can help where the question is one, not where a single unknown word was typed or nothing was searched.
        "addable": answer is not None and not answer.unsearched and len(turn.question.split()) > 1,
        "long": len(turn.question) > _LONG_QUESTION,
        "unsupported": answer.unsupported if answer else (), "engine": answer.engine if answer else "",
        "choices": answer.options if last and answer and answer.status == "unclear" else (),
        "follow_ups": () if not last or answer is None or answer.status == "unclear" else answer.options or turn.follow_ups,
        "told": _told(answer, language) if answer else (),
    }  # fmt: skip


def _told(answer: Answer, language: str) -> tuple[str, ...]:
    """What else was understood: the time asked for, and what is wanted done with the answer before."""
    understood = answer.understood
    if understood is None:
        return ()
    span = understood.period
    when = said("{first} to {last}", language=language, first=span.first or "…", last=span.last or "…") if span else ""
    turning = "" if understood.turning in {"new", "correction"} else f"the last answer again: {understood.turning}"
    return tuple(t for t in (when, turning) if t)


def _difference(difference: Difference, known: dict[int, Citation], turn: int, *, still: bool, language: str) -> str:
    found = rows(difference, known)
    _ = partial(said, language=language)
    counts = sum(any(c.isdigit() for c in r.value) for r in found) * 2 > len(found)
    heading = ("Figure" if counts else "Answer") if all(len(r.value) <= _FIGURE_CHARS for r in found) else "Account"
    cells = [
        [
            escape(r.value), escape(r.date) + (f' <span class="badge">{escape(_("newest"))}</span>' if r.newest else ""),
            f"{escape(r.whose)} {link(known[r.marker], turn) if r.marker in known else ''}",
        ]
        for r in found
    ]  # fmt: skip
    about = difference.about or _("The sources differ")
    counted = "{about}: {number} figures" if heading == "Figure" else "{about}: {number} accounts"
    caption = escape(_(counted, about=about, number=len(found)))
    header = [escape(_(words)) for words in (heading, "Date", "Source")]
    return table_html(caption, header, cells, kind="differences", first=FIRST_ROWS, still=still, language=language)


def _ledger_link(difference: Difference, known: dict[int, Citation], line_of: LineOf, language: str) -> str:
    words = escape(said("All claims on it in the ledger", language=language))
    address = line_of([known[v.marker] for v in difference.values if v.marker in known])
    return f'<p class="grid-acts"><a class="quiet" href="{escape(address)}">{words}</a></p>' if address else ""


def _by_passage(citations: Sequence[Citation]) -> list[list[Citation]]:
    """Citations of one passage together, in order of the first of each."""
    groups: dict[str, list[Citation]] = {}
    for c in citations:
        groups.setdefault(c.passage_id, []).append(c)
    return list(groups.values())


def _card(
    group: Sequence[Citation],
    turn: int,
    sources: Callable[[str], Source | None],
    passage: Callable[[str], tuple[int, int] | None],
    language: str,
) -> dict[str, Any]:
    """What is shown of a passage and of the citations of it, which are marked; one with marker 0 is not."""
    citation = group[0]
    source = sources(citation.source_id)
    start, end = passage(citation.passage_id) or (citation.start, citation.end)
    text = source.text if source else ""
    before, after = _neighbours(source, start, end) if source else ("", "")
    # The index may have moved on since an old answer: its quote is then shown by itself.
    whole = all(text[c.start : c.end] == c.quote and start <= c.start and c.end <= end for c in group)
    spans = [(c.start, c.end) for c in group if c.marker]
    if whole:
        parts = _marked(text, start, end, _merge(spans, len(text)), None)
        at = start
        for part in parts:
            part["markers"] = [c.marker for c in group if c.start < at + len(part["text"]) and at < c.end]
            at += len(part["text"])
    else:
        parts = [{"text": c.quote, "mark": bool(c.marker), "markers": [c.marker]} for c in group]
    return {
        "id": f"cite-{turn}-{citation.marker}" if citation.marker else "",
        "marker": ", ".join(str(c.marker) for c in group if c.marker),
        "markers": [(c.marker, f"cite-{turn}-{c.marker}") for c in group if c.marker],
        "parts": parts,
        "turn": turn,
        "source_id": citation.source_id,
        "start": citation.start,
        "end": citation.end,
        "known": source is not None,
        "title": citation.title,
        "byline": described(citation, citation.locator, titled=False),
        **_kind(citation, language),
        **_chips(citation, language),
        "previous": before,
        "next": after,
        "also_in": [f"{o.publisher or o.title}, {o.date or 'undated'}" for o in citation.also_in],
        "via": web_address(citation.via),
        "url": web_address(citation.url),
    }


def _chips(citation: Citation, language: str) -> dict[str, Any]:
    """One chip beside the kind of text, and what is folded below it."""
    status, genre = citation_status(citation), genre_words(citation.genre)
    told = [genre, origin_words(citation)] if status else [origin_words(citation)]
    if citation.locator and not place(citation, citation.locator):
        told.append(f"{citation.locator} of ours on it")
    told.append(grade_meaning(citation))
    return {
        "chip": status or said(genre, language=language),
        "grade": grade_words(citation),
        "details": [t for t in told if t],
    }


def _neighbours(source: Source, start: int, end: int) -> tuple[str, str]:
    """The paragraph before and the one after a passage; the rest of its own paragraph counts."""
    shown = [p for p in source.paragraphs if not p.unchecked]
    before = [p for p in shown if p.start < start]
    after = [p for p in shown if p.end > end]
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
