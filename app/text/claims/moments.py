"""The dates of a sentence, and which of two sentences agree."""

from __future__ import annotations

import re

from app.text.claims.pieces import Moment
from app.text.periods import Period, overlap, periods

ORDINAL_WORDS = {
    w: i for i, w in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(), 1  # noqa: SIM905
    )
}  # fmt: skip
DECADE = re.compile(r"\b(?P<part>early |mid-?|late |the )?(?P<y>1[5-9][0-9]0|20[0-9]0|['’]?[2-9]0)s\b", re.I)
CENTURY = re.compile(
    rf"\b(?:(?P<n>[0-9]{{1,2}})(?:st|nd|rd|th)|(?P<w>{'|'.join(ORDINAL_WORDS)}|twenty-first))[- ]century\b", re.I
)
_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
_MONTH = r"(?P<m>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
DAY_MONTH = re.compile(
    rf"\b(?:(?P<d>[0-3]?[0-9])(?:st|nd|rd|th)?(?: of)? {_MONTH}\b|{_MONTH.replace('?P<m>', '?P<m2>')}\.? (?P<d2>[0-3]?[0-9])(?:st|nd|rd|th)?(?![0-9]))",
    re.I,
)
_MONTH_ALONE = re.compile(
    r"\b(January|February|March|April|May|June|July|August|September|October|November|December)\b"
)


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
        digits = m["y"].lstrip("'’")
        year = int(digits) if len(digits) == 4 else 1900 + int(digits)
        add(m.start(), m.end(), year * 10000 + 101, (year + 9) * 10000 + 1231)
    for m in CENTURY.finditer(text):
        number = int(m["n"]) if m["n"] else ORDINAL_WORDS.get(m["w"].lower(), 21)
        add(m.start(), m.end(), (number - 1) * 1000000 + 101, number * 1000000 + 1231)
    for m in DAY_MONTH.finditer(text):
        day, month = int(m["d"] or m["d2"]), _month(m["m"] or m["m2"])
        if 1 <= day <= 31:
            add(m.start(), m.end(), month * 100 + day, month * 100 + day)
    for m in _MONTH_ALONE.finditer(text):
        if m.group() in {"May", "March"} and not re.search(
            r"\b(?:in|of|since|until|by|last|this|next|late|early|mid)[ -]$", text[: m.start()], re.I
        ):
            continue
        month = _month(m.group())
        add(m.start(), m.end(), month * 100 + 1, month * 100 + 31)
    found.sort(key=lambda f: f[0])
    return tuple(m for _, _, m in found)


def _days(p: Period) -> tuple[int, int]:
    return p.first, p.last


def _month(name: str) -> int:
    return next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(name.lower()[:3]))


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
