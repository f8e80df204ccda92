"""When a figure is for: the dates of its sentence and its source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.answer import Citation
from app.citation_text import one_line
from app.differences.counted import clause_of
from app.differences.figure import Figure
from app.evidence.gather import Evidence
from app.question.target import Target
from app.text.parse import parse
from app.text.periods import Asked, Period, iso_of, of_date, overlap, periods, shown, speaks_of, strict
from app.text.quantities import Quantity
from app.text.spans import led_by
from app.text.times import times
from ingest.source import Source

_SAYING = re.compile(
    r"\b(?:sa(?:id|ys)|told|report(?:s|ed)?|stat(?:ed?|es)|claim(?:s|ed)|count(?:s|ed)|put|puts|gave|gives?|estimat(?:ed?|es)|found|"
    r"according to|announced|confirmed|spoke|wrote|noted|figures?|counts|data|statement|bulletin|update[d]?|investigators)\b",
    re.I,
)
_HAPPENING = re.compile(
    r"\b(?:attack(?:s|ed)?|bomb(?:ing|ings|ed)|struck|hit|blast|explo\w+|earthquake|quake|flood\w*|fire|crash\w*|collapse[d]?|storm|"
    r"took place|occurred|happened|killed|died|erupted|sank|derailed|shooting|stormed)\b",
    re.I,
)
_COUNTED_BY = re.compile(
    r"\b(?:count(?:s|ed)|put|gave|gives|report(?:s|ed)|estimate[ds]|record(?:s|ed))\s+(?:the (?:toll|number) at\s+)?$",
    re.I,
)
_CITED = re.compile(r"\b(?:according to|article|report|study|paper|by)\b[^.;]*\($", re.I)
_LED_IN = frozenset("in on of by at during around from between since for the until to".split())  # noqa: SIM905
_RIGHT_BEHIND = re.compile(r"(?:\s[\w’'-]+){0,4},?\s+(?:in|as of|as at|by|for|during|on)\s+(?:\w+,\s+)*")
_EARLIER = re.compile(r"\b(?:earlier|previous(?:ly)?|former(?:ly)?|older|once|initial(?:ly)?|at first)\b", re.I)


def when_of(q: Quantity, target: Target, item: Evidence, source: Source) -> tuple[Period | None, str | None, str]:
    """The period that a figure is for (or of the event it counts), the date to show, and that date in words."""
    written = source.date if source.date and source.genre != "notes" else None
    named = [*periods(item.text), *(_untold(item.text, written) if written else ())]
    start, end = clause_of(item.text, q)
    cited = [p for p in named if is_cited(p, item.text)]
    own = [p for p in named if start <= p.start < end and p not in cited] or [p for p in named if p not in cited]
    published = written
    if cited and not own:
        published = cited[-1].iso
    told: Period | None
    if target.nature == "toll":
        reported = [p for p in named if _is_report_date(p, q, item.text)]
        event = _nearest([p for p in named if p not in reported], q, item.text)
        told = _nearest(reported, q, item.text)
        return event, *_words(told, item.text, published)
    told = _nearest([p for p in own if p.relation != "of" or len(own) == 1], q, item.text)
    if told is None and target.nature == "flow":
        told = next(iter(periods(item.hit.passage.context)), None)
        return told, *_words(told, item.hit.passage.context, published)
    if told is not None:
        return told, *_words(told, item.text, published)
    if published and _EARLIER.search(item.text[start:end]):
        return replace(of_date(published), first=0), None, f"before {shown(published)}"
    return (of_date(published) if published else None), *_words(None, "", published)


def _untold(text: str, written: str) -> Iterator[Period]:
    """Times without a year, told from when a text was written: "last year", "on Monday", "in May"."""
    for time in times(parse(text), written):
        if not time.told:
            yield Period(first=time.first, last=time.last, start=time.start, end=time.end, relation=time.relation, iso=iso_of(time.first, time.last))


def is_cited(period: Period, sentence: str) -> bool:
    """Whether a date says when a text appeared: "according to the article by X (2024)"."""
    return bool(_CITED.search(sentence[: period.start])) and sentence[period.end :].startswith(")")


def _words(period: Period | None, text: str, published: str | None) -> tuple[str | None, str]:
    """A date in ISO form and in words: as the text has it, else of publication."""
    if period is not None:
        words = one_line(text[period.start : period.end])
        return period.iso, words if any(p.iso == period.iso for p in periods(words)) else shown(period.iso)
    return published, f"published {shown(published)}" if published else "undated"


def _nearest(named: Sequence[Period], q: Quantity, text: str) -> Period | None:
    """The period nearest to the figure; one that a preposition leads in goes before "the 1988 Committee"."""
    behind = [p for p in named if p.start >= q.end and _RIGHT_BEHIND.fullmatch(text[q.end : p.start])]
    if behind:
        return behind[0]
    led = [p for p in named if p.relation != "at" or not text[: p.start] or led_by(text[: p.start], _LED_IN)]
    return min(led or named, key=lambda p: min(abs(p.start - q.end), abs(q.start - p.end)), default=None)


def _is_report_date(period: Period, q: Quantity, sentence: str) -> bool:
    """Whether a date in a sentence on an event is when the figure was given, not when the event was."""
    if period.relation == "as of":
        return True
    if period.relation == "of":
        return False
    if _COUNTED_BY.search(sentence[: q.start]) and re.search(r"\bin\s+$", sentence[: period.start], re.I):
        return True  # "counted 149 dead in the attack in June 2025"

    def distance(pattern: re.Pattern[str]) -> int:
        return min(
            (min(abs(m.start() - period.end), abs(period.start - m.end())) for m in pattern.finditer(sentence)),
            default=999,
        )

    return distance(_SAYING) < distance(_HAPPENING)


def in_time(period: Period | None, asked: Period, *, published: bool = False) -> bool:
    """Whether a figure's period meets the one asked for; a date of publication must lie in it altogether."""
    if period is None or not period.first:
        return False
    # "Dates from mid-2021" does not make it a figure for later years: its own days count, not "since".
    first, last = asked.bounds
    return (
        first <= period.first and period.last <= last
        if published
        else overlap((period.first, period.last), asked.bounds)
    )


def time_of(figure: Figure) -> int:
    """The last day that a figure may be of; 0 when nothing is known."""
    if figure.dated is None:
        return figure.period.last if figure.period else 0
    if figure.period and str(figure.period.last)[:4] == figure.dated[:4]:
        return figure.period.last  # "early 2021" ends before "2021" does
    return of_date(figure.dated).last


def near_in_time(one: Figure, other: Figure) -> bool:
    """Whether what two figures say of time lies within a year; unknown dates do."""
    known = [f.period or (of_date(f.dated) if f.dated else None) for f in (one, other)]
    times = [(p.first, p.last) for p in known if p is not None]
    if len(times) < 2:
        return True
    return times[0][0] <= times[1][1] + 10000 and times[1][0] <= times[0][1] + 10000


def length(period: Period) -> int:
    """Days, roughly."""
    years, rest = divmod(period.last - period.first, 10000)
    months, days = divmod(rest, 100)
    return years * 365 + months * 30 + days + 1


def off_time(lead: Evidence, asked: Asked, published: str | None) -> bool:
    """Whether the best evidence speaks of other times only than the one asked for.

    Args:
        published: date of the lead's text, see :func:`app.text.periods.speaks_of`.

    None of 62 answerable questions bound to a time, bundled and held-out ones of all sets, had such evidence.
    """
    return asked.period is not None and strict(asked.period) and speaks_of(lead.text, asked.period, published) < 0


def said_of(citation: Citation) -> str | None:
    """The date that a quotation speaks of, else that of its source."""
    named = [p for p in periods(citation.quote) if p.relation not in {"of", "since", "before"}]
    if named:
        return max(named, key=lambda p: p.last).iso
    return citation.date if citation.genre != "notes" else None
