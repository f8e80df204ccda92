"""When a figure is for: the dates of its sentence and its source."""

from __future__ import annotations

from collections.abc import Sequence

from app.answer import Citation
from app.citation_text import one_line
from app.differences.counted import clause_of
from app.differences.figure import Figure
from app.evidence.gather import Evidence
from app.question.target import Target
from app.text.periods import Asked, Period, of_date, overlap, periods, shown, speaks_of, strict
from app.text.quantities import Quantity
from ingest.source import Source


def when_of(q: Quantity, target: Target, item: Evidence, source: Source) -> tuple[Period | None, str | None, str]:
    """The period that a figure is for (or of the event it counts), the date to show, and that date in words."""
    named = periods(item.text)
    start, end = clause_of(item.text, q)
    own = [p for p in named if start <= p.start < end] or named
    published = source.date if source.date and source.genre != "notes" else None
    told: Period | None
    if target.nature == "toll":
        reported = [p for p in named if p.relation == "as of"]
        event = _nearest([p for p in named if p not in reported], q, item.text)
        told = _nearest(reported, q, item.text)
        return event, *_words(told, item.text, published)
    told = _nearest([p for p in own if p.relation != "of" or len(own) == 1], q, item.text)
    if told is None and target.nature == "flow":
        told = next(iter(periods(item.hit.passage.context)), None)
        return told, *_words(told, item.hit.passage.context, published)
    if told is not None:
        return told, *_words(told, item.text, published)
    return (of_date(published) if published else None), *_words(None, "", published)


def _words(period: Period | None, text: str, published: str | None) -> tuple[str | None, str]:
    """A date in ISO form and in words: as the text has it, else of publication."""
    if period is not None:
        return period.iso, one_line(text[period.start : period.end])
    return published, f"published {shown(published)}" if published else "undated"


def _nearest(named: Sequence[Period], q: Quantity, text: str) -> Period | None:
    """The period nearest to the figure; one with a word before it that says what it is goes first."""
    led = [p for p in named if p.relation != "at" or not text[: p.start]]
    return min(led or named, key=lambda p: min(abs(p.start - q.end), abs(q.start - p.end)), default=None)


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
