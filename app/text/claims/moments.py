"""The dates of a sentence, and which of two sentences agree."""

from __future__ import annotations

import calendar
import re

from app.text.claims.pieces import Moment
from app.text.lexicon import ORDINALS
from app.text.periods import DAY_OR_MONTH, DECADE, Period, month_of, overlap, periods
from app.text.spans import led_by

CENTURY = re.compile(
    rf"\b(?:(?P<n>[0-9]{{1,2}})(?:st|nd|rd|th)|(?P<w>{'|'.join(ORDINALS)}|twenty-first))[- ]century\b", re.I
)
_ALSO_WORDS = ("May", "March")
_LEADS_TO_MONTH = frozenset(("in", "of", "since", "until", "by", "last", "this", "next", "late", "early", "mid"))


def moments_of(text: str) -> tuple[Moment, ...]:
    """The dates that a sentence gives, in order."""
    found: list[tuple[int, int, Moment]] = []

    def add(start: int, end: int, first: int, last: int, relation: str = "at") -> None:
        if not any(a < end and start < b for a, b, _ in found):
            found.append(
                (start, end, Moment(text=text[start:end], first=first, last=last, relation=relation, at=start))
            )

    for p in periods(text):
        add(p.start, p.end, *_days(p), p.relation)
    for m in DECADE.finditer(text):
        digits = m["year"].lstrip("'’")
        year = int(digits) if len(digits) == 4 else 1900 + int(digits)
        add(m.start(), m.end(), year * 10000 + 101, (year + 9) * 10000 + 1231)
    for m in CENTURY.finditer(text):
        number = int(m["n"]) if m["n"] else ORDINALS.get(m["w"].lower(), 21)
        add(m.start(), m.end(), (number - 1) * 1000000 + 101, number * 1000000 + 1231)
    for m in DAY_OR_MONTH.finditer(text):
        month, day = month_of(m["month"]), int(m["d1"] or m["d2"] or 0)
        if 1 <= day <= 31:
            add(m.start(), m.end(), month * 100 + day, month * 100 + day)
        elif (
            not day
            and m["month"] in calendar.month_name
            and (m["month"] not in _ALSO_WORDS or led_by(text[: m.start()].replace("-", " "), _LEADS_TO_MONTH))
        ):
            add(m.start(), m.end(), month * 100 + 1, month * 100 + 31)
    found.sort(key=lambda f: f[0])
    return tuple(m for _, _, m in found)


def _days(p: Period) -> tuple[int, int]:
    return p.first, p.last


def dated_alike(claimed: Moment, given: Moment) -> bool:
    """Whether a date of a text carries that of a claim: the same, or a finer one within it."""
    if claimed.first < 10000 or given.first < 10000:
        one, other = _in_year(claimed), _in_year(given)
        return one is not None and other is not None and overlap(one, other)
    if not overlap((claimed.first, claimed.last), (given.first, given.last)):
        return False
    return given.first >= claimed.first and given.last <= claimed.last


def dated_near(claimed: Moment, given: Moment) -> bool:
    """Whether both may mean the same time, one of them told less finely."""
    if claimed.first < 10000 or given.first < 10000:
        return dated_alike(claimed, given)
    return overlap((claimed.first, claimed.last), (given.first, given.last))


def _in_year(moment: Moment) -> tuple[int, int] | None:
    """Month and day alone; None for what is coarser than a month."""
    first, last = moment.first % 10000, moment.last % 10000
    return (first, last) if first // 100 == last // 100 else None
