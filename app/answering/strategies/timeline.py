"""Timelines: the dated sentences on a topic in the order of time, each event once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.engine import Desk, Outcome
from app.answering.rows import LEAST, Sheet, alike, by_meaning, found_widely, on, statements, widely_read
from app.evidence.gather import Evidence
from app.text import periods
from app.text.counts import counted
from app.text.parse import parse

MOST = 12
"""Lines of a timeline."""
NEAR = 0.12
"""How far below the nearest sentence, in cosine, one may lie that is on the topic still."""
_NAMED = 0.5
"""Share of the topic's terms that stand in a sentence or its headings."""
_CROWDED = 0.02
"""What each event of the same year takes from the worth of a further one, and each of the same month again."""
_EXACT = 0.05
"""What a month is worth over a year, and a day over a month: events have days, states have years; "since 2015" is a state."""
_NOTES = 0.1
"""What a compilation, which tells of events by the way, is worth less."""
_LOOKED_AT = 60
"""Dated sentences compared by meaning."""
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
    near = by_meaning(desk, dated[:_LOOKED_AT], question.text)
    with desk.clock.stage("generate"):
        chosen = events([e for e in near if e.overlap >= _NAMED or e.similarity >= near[0].similarity - NEAR], asked, desk)
        if len(chosen) < LEAST:
            return None
        sheet = Sheet(desk.index.source)
        lines = []
        for event in chosen:
            others = event.told[1:]
            label = _label(event.when)
            text = sheet.add(label, event.told[:1])
            marks = "".join(f"[{sheet.mark(o).marker}]" for o in others)
            lines.append(f"- {label}: {text}" + (f" Also {marks}." if marks else ""))
        sources = len({c.source_id for c in sheet.citations})
        head = f"{counted(len(chosen), 'event')} in {counted(sources, 'source')}, in the order of time:"
        return sheet.outcome(desk, "timeline", "\n".join((head, *lines)), trace)


def events(items: Sequence[Evidence], asked: periods.Period | None, desk: Desk) -> list[_Event]:
    """The best sentences as events, ascending, spread over the time; sentences of one time that tell the same are one event."""
    found: list[_Event] = []
    left = [(item, when) for item in items if (when := _when(item.text, asked)) is not None]
    while left:
        item, when = max(left, key=lambda pair: _worth(pair[0], pair[1], found, desk))
        left.remove((item, when))
        place = next((n for n, e in enumerate(found) if _same(e, when, item, desk)), None)
        if place is not None:
            known = {e.hit.passage.source_id for e in found[place].told}
            if item.hit.passage.source_id not in known:
                found[place] = _Event(found[place].when, (*found[place].told, item))
        elif len(found) < MOST:
            found.append(_Event(when, (item,)))
    return sorted(found, key=lambda e: (e.when.first, e.when.last))


def _when(text: str, asked: periods.Period | None) -> periods.Period | None:
    """The narrowest time of what a sentence tells; when somebody said it is not when it happened."""
    named = periods.periods(text)
    # A parse costs 10 ms: only where a time stands behind the words that name who says it.
    said_at = text.lower().find("according")
    told = [v.said for v in parse(text).voices if v.verb == "according"] if 0 <= said_at < named[-1].start else []
    own = [p for p in named if not told or any(v.start <= p.start < v.end for v in told)]
    fits = [p for p in own if asked is None or (asked.bounds[0] <= p.first and p.last <= asked.bounds[1])]
    return min(fits, key=lambda p: (p.last - p.first, p.start), default=None)


def _worth(item: Evidence, when: periods.Period, found: Sequence[_Event], desk: Desk) -> float:
    source = desk.index.source(item.hit.passage.source_id)
    compiled = source is not None and source.genre == "notes"
    same = [e.when.first for e in found if e.when.first // 10000 == when.first // 10000]
    months = sum(first // 100 == when.first // 100 for first in same)
    exact = when.iso.count("-") if when.relation != "since" else -1
    return item.similarity + 0.3 * item.overlap + _EXACT * exact - _NOTES * compiled - _CROWDED * (months + len(same))


def _label(when: periods.Period) -> str:
    """The time in words; both ends of a stretch that is no whole year, month or day."""
    first, last = when.first, when.last
    if first // 100 == last // 100 or first // 10000 != last // 10000 or (first % 10000 == 101 and last % 10000 == 1231):
        whole = first // 10000 == last // 10000
        return periods.shown(when.iso) if whole else f"{first // 10000}–{last // 10000}"
    exact = when.iso.count("-") > 1
    ends = [f"{d // 10000:04d}-{d // 100 % 100:02d}" + (f"-{d % 100:02d}" if exact else "") for d in (first, last)]
    begin = periods.shown(ends[0]).rsplit(" ", 1)[0]
    return f"{begin} – {periods.shown(ends[1])}"


def _same(event: _Event, when: periods.Period, item: Evidence, desk: Desk) -> bool:
    if not periods.overlap((event.when.first, event.when.last), (when.first, when.last)):
        return False
    return any(alike(item.text, told.text, desk.index.vocabulary) for told in event.told)
