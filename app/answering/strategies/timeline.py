"""Timelines: the dated sentences on a topic in the order of time, each event once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.engine import Desk, Outcome
from app.answering.rows import Sheet, alike, by_meaning, found_widely, on, statements, widely_read
from app.evidence.gather import Evidence
from app.text import periods
from app.text.counts import counted

MOST = 12
"""Lines of a timeline."""
LEAST = 2
NEAR = 0.12
"""How far below the nearest sentence, in cosine, one may lie that is on the topic still."""
_NAMED = 0.5
"""Share of the topic's terms that stand in a sentence or its headings."""
_TELLING = 4
"""Words that a sentence needs beside its date."""


@dataclass(frozen=True, slots=True)
class _Event:
    when: periods.Period
    told: tuple[Evidence, ...]


def timeline(desk: Desk) -> Outcome | None:
    """What happened when, ascending; None where fewer than two dated sentences are on the topic."""
    if desk.request.shape != "timeline":
        return None
    question = on(desk)
    trace = widely_read(desk, question, desk.models.settings.passages)
    if not trace.decision.answer:
        return None
    hits = found_widely(desk, question.text)
    dated = statements(hits, question.text, desk.index.vocabulary, lambda text: len(text.split()) > _TELLING and bool(periods.periods(text)))
    asked = question.time.period
    if asked is not None:
        dated = [e for e in dated if any(periods.overlap(p.bounds, asked.bounds) for p in periods.periods(e.text))]
    near = by_meaning(desk, dated, question.text)
    with desk.clock.stage("generate"):
        chosen = events([e for e in near if e.overlap >= _NAMED or e.similarity >= near[0].similarity - NEAR], asked, desk)
        if len(chosen) < LEAST:
            return None
        sheet = Sheet(desk.index.source)
        lines = []
        for event in chosen:
            first, *others = event.told
            label = periods.shown(event.when.iso)
            text = sheet.add(label, event.told[:1])
            marks = "".join(f"[{sheet.mark(o).marker}]" for o in others)
            lines.append(f"- {label}: {text}" + (f" Also {marks}." if marks else ""))
        sources = len({c.source_id for c in sheet.citations})
        head = f"{counted(len(chosen), 'event')} in {counted(sources, 'source')}, in the order of time:"
        return sheet.outcome(desk, "timeline", "\n".join((head, *lines)), trace)


def events(items: Sequence[Evidence], asked: periods.Period | None, desk: Desk) -> list[_Event]:
    """The best sentences as events, ascending; sentences of one time that tell the same are one event."""
    found: list[_Event] = []
    for item in items:
        named = [p for p in periods.periods(item.text) if asked is None or periods.overlap(p.bounds, asked.bounds)]
        when = min(named, key=lambda p: (p.last - p.first, p.start))
        place = next((n for n, e in enumerate(found) if _same(e, when, item, desk)), None)
        if place is not None:
            known = {e.hit.passage.source_id for e in found[place].told}
            if item.hit.passage.source_id not in known:
                found[place] = _Event(found[place].when, (*found[place].told, item))
        elif len(found) < MOST:
            found.append(_Event(when, (item,)))
    return sorted(found, key=lambda e: (e.when.first, e.when.last))


def _same(event: _Event, when: periods.Period, item: Evidence, desk: Desk) -> bool:
    if not periods.overlap((event.when.first, event.when.last), (when.first, when.last)):
        return False
    return any(alike(item.text, told.text, desk.index.vocabulary) for told in event.told)
