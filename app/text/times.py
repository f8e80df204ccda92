"""Times in a sentence as ranges of days: those with a year, decades, and those told from when the text was written."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.text.parse import Parse
from app.text.periods import DAY_OR_MONTH, DECADE, Period, Relation, day_of, month_of, periods, relative

_DECADE_PARTS = {"early": (0, 3), "mid": (3, 6), "late": (7, 9)}
"""Years of a decade that its part may mean."""
_BEFORE_CHRIST = re.compile(r"\s*(?:[–-]\s*[0-9]+\s*)?B\.?C", re.I)
_YEAR_BEHIND = re.compile(r"\.?\s*,?\s*(?P<year>(?:1[5-9]|20)[0-9]{2})(?![0-9])")
"""A year that a comma or a blank parts from its month: "July, 1910", "May 21 , 2022"."""
_WEEKDAY = re.compile(rf"(?:(?P<next>next)\s+|(?:last|this|on)\s+)?(?P<day>{'|'.join(calendar.day_name)})\b(?!s)", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """A stretch of days that a sentence names.

    Attributes:
        first, last: days as YYYYMMDD numbers, both included.
        start, end: where its words stand in the sentence.
        relation: what the word before it makes of it, see :data:`app.text.periods.Relation`.
        told: False where the year is not in the words but was told from the time of writing or the sentences before.
    """

    first: int
    last: int
    start: int
    end: int
    relation: Relation = "at"
    told: bool = True


def times(parsed: Parse, written: str | None = None, year: int | None = None) -> list[Time]:
    """The times of a parsed sentence in order, not overlapping.

    Args:
        written: ISO date of the text; relative times are found as far as its precision goes: "last year" needs a year,
            "on Monday" a day.
        year: of which the sentences before tell; days and months without a year are of it.
    """
    text = parsed.text
    found: list[Time] = []

    def add(time: Time | None) -> None:
        if time is not None and not any(f.start < time.end and time.start < f.end for f in found):
            found.append(time)

    decades = [d for m in DECADE.finditer(text) if (d := _decade(m)) is not None]
    for decade in decades:
        add(decade)
    own = [p for p in periods(text) if not _BEFORE_CHRIST.match(text, p.end) and not _counted(parsed, p)]
    for match in DAY_OR_MONTH.finditer(text):
        behind = _YEAR_BEHIND.match(text, match.end())
        whole = any(p.start < match.end() and match.start() < p.end for p in own)
        if behind and not whole and match["month"][0].isupper():
            for time in _in_year(match, int(behind["year"]), None):
                add(replace(time, end=behind.end(), told=True))
    for period in own:
        add(_years(text, period) or _time(period))
    last = next((p.last // 10000 for p in reversed(own)), None) or year
    for time in _untold(parsed, written, last):
        add(time)
    return sorted(found, key=lambda t: t.start)


def _time(period: Period, *, told: bool = True) -> Time:
    return Time(first=period.first, last=period.last, start=period.start, end=period.end, relation=period.relation, told=told)


def _years(text: str, period: Period) -> Time | None:
    """Two years where the second could be a month: "1910-11" is rarely November 1910."""
    one, _, two = text[period.start : period.end].partition("-")
    if not (len(one) == 4 and one.isdigit() and len(two) == 2 and two.isdigit()) or int(two) != (int(one) + 1) % 100:
        return None
    first = int(one)
    return Time(first=first * 10000 + 101, last=(first + 1) * 10000 + 1231, start=period.start, end=period.end, relation=period.relation)


def _decade(match: re.Match[str]) -> Time | None:
    first, last = _DECADE_PARTS.get((match["part"] or "").lower(), (0, 9))
    if len(match["year"]) < 4:
        return None  # "in her 80s"
    year = int(match["year"])
    if year % 100 == 0 and year < 2000:
        last = 99 if not match["part"] else last  # "the 1800s" is a century
    return Time(first=(year + first) * 10000 + 101, last=(year + last) * 10000 + 1231, start=match.start(), end=match.end())


def _counted(parsed: Parse, period: Period) -> bool:
    """Whether a bare year is a count ("1600 acres"), by the parser's names."""
    bare = parsed.text[period.start : period.end].isdigit()
    return bare and any(e.kind == "figure" and e.start <= period.start < e.end for e in parsed.entities)


def _untold(parsed: Parse, written: str | None, year: int | None) -> Iterator[Time]:
    text = parsed.text
    exact = written is not None and written.count("-") == 2
    day = dt.date.fromisoformat(written) if written is not None and exact else None
    if written is not None:
        base = day_of(written)
        for period in relative(text, base):
            words = text[period.start : period.end].lower()
            if day or ("year" in words and "-" not in period.iso) or ("decade" in words):
                yield _time(period, told=False)
    for entity in parsed.entities:
        if entity.kind != "date":
            continue
        for match in DAY_OR_MONTH.finditer(text, entity.start, entity.end):
            if not match["month"][0].isupper():
                continue
            if year is not None or day is not None:
                yield from _in_year(match, year, day)
        match_day = _WEEKDAY.match(text, entity.start, entity.end)
        if match_day and day is not None and match_day.end() == entity.end:
            yield _weekday(match_day, day)


def _in_year(match: re.Match[str], year: int | None, day: dt.date | None) -> Iterator[Time]:
    month = month_of(match["month"])
    number = match["d1"] or match["d2"]
    if year is None:
        assert day is not None
        # What was written without a year is of the last twelve months.
        later = (month, int(number or 1)) > (day.month, day.day) if number else month > day.month
        year = day.year - later
    try:
        first = dt.date(year, month, int(number) if number else 1)
    except ValueError:
        return
    last = first if number else first.replace(day=calendar.monthrange(year, month)[1])
    yield Time(first=_number(first), last=_number(last), start=match.start(), end=match.end(), told=False)


def _weekday(match: re.Match[str], day: dt.date) -> Time:
    wanted = [n.lower() for n in calendar.day_name].index(match["day"].lower())
    back = (day.weekday() - wanted) % 7
    named = day + dt.timedelta(days=7 - back) if match["next"] else day - dt.timedelta(days=back)
    return Time(first=_number(named), last=_number(named), start=match.start(), end=match.end(), told=False)


def _number(day: dt.date) -> int:
    return day.year * 10000 + day.month * 100 + day.day
