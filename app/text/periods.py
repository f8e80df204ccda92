"""Periods of time in a text: "22 March 2024", "mid-2021", "from January to October 2023", "last year"."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from app.text.lexicon import MONTHS
from app.text.spans import led_by
from ingest.dates import date_bounds

T = TypeVar("T")
Relation = Literal["at", "as of", "since", "before", "after", "of"]
"""What the word before a period says: "in 2021", "as of 2021", "since 2021", "before 2021", "the attack of 2021"."""

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"(?:[12][0-9]|3[01]|0?[1-9])"
_D1, _D2 = rf"(?P<d1>{_DAY})(?:st|nd|rd|th)?", rf"(?P<d2>{_DAY})(?:st|nd|rd|th)?"
_YEAR = r"(?:1[5-9]|20)[0-9]{2}"
_TO = r"\s*(?:-|–|—|\bto\b|\band\b|\buntil\b|\bthrough\b)\s*"
_PART = (
    r"(?P<part>early|mid|late|the (?:beginning|start|middle|end) of|end of|start of|"
    r"(?:the )?(?:first|second) half of|(?:the )?(?:first|second|third|fourth|last) quarter of|"
    r"(?:the )?(?:spring|summer|autumn|fall|winter)(?: of)?)[\s-]+"
)
_PATTERNS = tuple(
    re.compile(pattern, re.I)
    for pattern in (
        r"(?<![\w-])(?P<y1>[12][0-9]{3})-(?P<m1>0[1-9]|1[0-2])(?:-(?P<d1>0[1-9]|[12][0-9]|3[01]))?(?![\w-])",
        rf"(?<![\w.,]){_D1} (?P<m1>{_MONTH}),?(?: (?P<y1>{_YEAR}))?{_TO}{_D2} (?P<m2>{_MONTH}),? (?P<y2>{_YEAR})(?!\w)",
        rf"(?<![\w.,]){_D1}{_TO}{_D2} (?P<m1>{_MONTH}),? (?P<y1>{_YEAR})(?!\w)",
        rf"(?<![\w.,]){_D1}(?: of)? (?P<m1>{_MONTH}),? (?P<y1>{_YEAR})(?!\w)",
        rf"(?<!\w)(?P<m1>{_MONTH}) {_D1},? (?P<y1>{_YEAR})(?!\w)",
        rf"(?<!\w)(?P<m1>{_MONTH})(?: (?P<y1>{_YEAR}))?{_TO}(?P<m2>{_MONTH}) (?P<y2>{_YEAR})(?!\w)",
        rf"(?<!\w)(?:{_PART})?(?P<m1>{_MONTH})(?: of)? (?P<y1>{_YEAR})(?!\w)",
        rf"(?<![\w.,/$€£-]){_PART}(?P<y1>{_YEAR})(?![\w%]|[.,][0-9])",
        rf"(?<![\w.,/$€£-])(?P<y1>{_YEAR})(?:–|-|/)(?P<y2>{_YEAR}|[0-9]{{2}})(?![\w%–-]|[.,][0-9])",
        rf"(?<=\b(?:from) )(?P<y1>{_YEAR}) (?:to|until|through) (?P<y2>{_YEAR})(?![\w%]|[.,][0-9])",
        rf"(?<=\b(?:between) )(?P<y1>{_YEAR}) and (?P<y2>{_YEAR})(?![\w%]|[.,][0-9])",
        rf"(?<![\w.,/$€£-])(?P<y1>{_YEAR})(?![\w%]|[.,–—-]?[0-9]|-[A-Za-z])",
    )
)
_PARTS = {
    "early": (1, 4), "beginning": (1, 3), "start": (1, 3), "mid": (5, 8), "middle": (5, 8), "late": (9, 12),
    "end": (10, 12), "first half": (1, 6), "second half": (7, 12), "first quarter": (1, 3), "second quarter": (4, 6),
    "third quarter": (7, 9), "fourth quarter": (10, 12), "last quarter": (10, 12), "spring": (3, 6), "summer": (6, 9),
    "autumn": (9, 12), "fall": (9, 12), "winter": (1, 12),
}  # fmt: skip
"""Months that a part of a year may mean: generous, since writers differ."""
_RELATIONS: dict[str, Relation] = {
    "as of": "as of", "as at": "as of", "by": "as of", "until": "as of", "till": "as of", "up to": "as of", "through": "as of",
    "since": "since", "starting in": "since", "starting from": "since", "from": "since", "before": "before", "prior to": "before",
    "earlier than": "before", "after": "after", "following": "after", "later than": "after", "of": "of",
}  # fmt: skip
_LED_BY = re.compile(
    rf"\b(?P<led>{'|'.join(_RELATIONS)})\s+(?:the )?$|\b(?P<far>as of|as at|by|until|till|up to|through)\s+(?:the )?\w+ of $",
    re.I,
)
_MONTH_NAMES = "|".join(sorted(MONTHS, key=len, reverse=True))
DAY_OR_MONTH = re.compile(
    rf"(?<![\w-])(?:(?P<d1>[0-3]?[0-9])(?:st|nd|rd|th)?\s+(?:of\s+)?)?(?P<month>{_MONTH_NAMES})\b"
    r"(?(d1)|(?:\.?\s+(?P<d2>[0-3]?[0-9])(?:st|nd|rd|th)?\b)?)",
    re.I,
)
"""A month with or without its day, whatever year stands behind it; "may" and "march" are among them in small letters."""
DECADE = re.compile(
    r"(?<!\w)(?:(?P<part>early|mid|late)[\s-]+)?(?:the )?(?P<year>(?:1[5-9]|20)[0-9]0|['’]?[2-9]0)['’]?s\b", re.I
)
"""A decade, with its part; its year may have two digits: "the ’80s"."""
# A year that is not one: "about 2000 fighters", "resolution 2734", "room 2010".
_NO_YEAR_BEFORE = re.compile(
    r"\b(?:about|around|some|roughly|approximately|nearly|almost|over|than|least|most|hundred|up to|an estimated)\s+$",
    re.I,
)
_NO_YEAR_AFTER = re.compile(
    r"\s+(?:people|persons|men|women|fighters|members|soldiers|troops|militants|civilians|species|tons?|tonnes|"
    r"kilomet|met(?:er|re)s|miles|km|dollars|euros|pounds|homes|houses|families|votes|workers|employees|students|"
    r"hectares|acres|cases|deaths|dead|injured|killed|inhabitants|residents|birds|animals|trees|copies|million|billion)",
    re.I,
)
_NUMBERED = frozenset(
    "resolution no. number article section room page pages p. pp. pp model route flight law directive decree".split()  # noqa: SIM905
)
"""Words before a number that is one of a series, no year."""
_COUNTED = re.compile(r"(?!\s+(?:in|and|or|the|to|by|at|on|with|when|as|was|were|is|had|has)\b)\s+[a-z]|\s*\(")
_RELATIVE = re.compile(
    r"\b(?:(?P<stretch>(?:in|over|during|within|for) the (?:last|past) (?:(?P<n>\w+) )?(?P<unit>years?|months?|weeks?|days?))|"
    r"(?P<point>(?:last|this) (?:year|month|week)|yesterday|"
    r"(?:a|an|one|two|three|four|five|six|seven|eight|nine|ten|[0-9]{1,2}) (?:years?|months?|weeks?|days?|decades?) ago))\b",
    re.I,
)
_NOW = re.compile(
    r"\b(?:now|nowadays|today|current(?:ly)?|at present|presently|these days|at the moment|latest|newest|"
    r"most recent(?:ly)?|right now|to date|so far|still)\b",
    re.I,
)  # fmt: skip


_TENSE = re.compile(
    r"\b(?:(?P<present>is|are|has|have|does|do|now|currently|puts|counts|stands|numbers|employs|costs|holds|lives?|runs)|"
    r"was|were|had|did|\w{3,}ed|rose|fell|came|took|went|made|won|lost|said)\b",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A stretch of days that a text names.

    Attributes:
        first, last: days as YYYYMMDD numbers, both included.
        start, end: where its words stand in the text.
        relation: what the word before it makes of it.
        iso: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` of the last part named: "2017–18" gives 2018.
    """

    first: int
    last: int
    start: int
    end: int
    relation: Relation
    iso: str

    @property
    def bounds(self) -> tuple[int, int]:
        """The days that are meant when the relation is counted in: "since 2021" has no end."""
        if self.relation == "since":
            return self.first, 99991231
        if self.relation == "after":
            return self.last, 99991231
        if self.relation == "before":
            return 0, self.first - 1
        return self.first, self.last


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What time a question is about.

    Attributes:
        text: the question with relative words made absolute.
        period: the period asked for; None when the question names none.
        now: the question asks for the present or the newest state.
    """

    text: str
    period: Period | None
    now: bool


NO_TIME = Asked(text="", period=None, now=False)


def periods(text: str) -> list[Period]:
    """All periods that the text names, in order, not overlapping. Years that are counts are left out."""
    found: list[Period] = []
    taken = bytearray(len(text))
    for pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if any(taken[match.start() : match.end()]):
                continue
            period = _period(match, text)
            if period is not None:
                found.append(period)
                taken[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    return sorted(found, key=lambda p: p.start)


def relative(text: str, today: dt.date) -> list[Period]:
    """Periods that relative words name ("last year", "two weeks ago"), told from the day on which they were written."""
    found = []
    for match in _RELATIVE.finditer(text):
        named = periods(_absolute(match, text, today))
        if named:
            last = today.year * 10000 + today.month * 100 + today.day if match["stretch"] else named[-1].last
            relation: Relation = "at" if named[-1].relation == "of" else named[-1].relation
            found.append(replace(named[-1], start=match.start(), end=match.end(), last=last, relation=relation))
    return found


def day_of(date: str) -> dt.date:
    """The day of an ISO date, or about the middle of its month or year."""
    first, _ = date_bounds(date)
    middle = {0: 7, 1: first // 100 % 100}.get(date.count("-"))
    return dt.date.fromisoformat(date) if middle is None else dt.date(first // 10000, middle, 1)


def iso_of(first: int, last: int) -> str:
    """The ISO date of the last day, month or year in a stretch of days, as precise as the stretch is long: 20210101 to 20211231 is "2021"."""
    if first == last:
        return f"{last // 10000}-{last // 100 % 100:02}-{last % 100:02}"
    return f"{last // 10000}-{last // 100 % 100:02}" if first // 100 == last // 100 else str(last // 10000)


def of_date(date: str) -> Period:
    """The period of an ISO date of any precision."""
    first, last = date_bounds(date)
    return Period(first=first, last=last, start=0, end=0, relation="at", iso=date)


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two stretches of days, both ends included, share a day."""
    return one[0] <= other[1] and other[0] <= one[1]


def asked(question: str, today: dt.date) -> Asked:
    """The time that a question is about; "last year" is told from ``today`` and written out.

    Example:
        On 2024-05-01 ``"How many came last year?"`` becomes ``"How many came in 2023?"``.
    """
    text = _RELATIVE.sub(lambda m: _absolute(m, question, today), question)
    named = periods(text)
    return Asked(text=text, period=_whole(named, text), now=bool(_NOW.search(question)) and not named)


def speaks_of(text: str, asked: Period, published: str | None = None) -> float:
    """1 when a text names a time within the one asked for, -1 when it names only others, 0 when neither is known.

    "Last year" is told from its source's date. A text without a time of its own holds as of that date: what stood there within the time asked for speaks
    of it, the more so in the present tense; a state in figures ("now has 300 members") of another date speaks of that.

    Args:
        published: ISO date of the source's text; None when it is not known.
    """
    named = periods(text) + (relative(text, day_of(published)) if published else [])
    if not named:
        if published is None:
            return 0
        present = _is_present(text)
        if overlap(of_date(published).bounds, asked.bounds):
            return 1 if present else 0.5
        return -1 if strict(asked) and present and (_NOW.search(text) or any(c.isdigit() for c in text)) else 0
    return 1 if any(overlap(p.bounds, asked.bounds) for p in named) else -1


def strict(asked: Period | None) -> bool:
    """Whether evidence for another time can't answer: "in 2019" binds it, "the attack of 2019" only names the attack."""
    return asked is not None and asked.relation != "of"


def in_time_first(
    found: Sequence[T],
    asked: Period,
    said: Callable[[T], float],
    strength: Callable[[T], float],
    weight: float,
) -> list[T]:
    """What was found, strongest first, what speaks of the time asked for moved up and what speaks of others down.

    Args:
        said: what :func:`speaks_of` gives.
        strength: higher is better.
        weight: what naming the right time is worth in strength; naming only others costs as much, unless
            the time merely helps to name a thing.
    """

    def key(one: T) -> float:
        worth = said(one)
        return -strength(one) - weight * (worth if worth > 0 or strict(asked) else 0)

    return sorted(found, key=key)


def _is_present(text: str) -> bool:
    """Whether the first verb that shows its tense is in the present."""
    tense = _TENSE.search(text)
    return bool(tense and tense["present"])


def shown(date: str) -> str:
    """An ISO date in words: "5 March 2024", "March 2024", "2024"."""
    parts = [int(p) for p in date.split("-")]
    words = [str(parts[0])]
    if len(parts) > 1:
        words.insert(0, calendar.month_name[parts[1]])
    if len(parts) > 2:
        words.insert(0, str(parts[2]))
    return " ".join(words)


def _whole(named: Sequence[Period], text: str) -> Period | None:
    """One period from those that a question names: "from 2021 to 2025" spans both."""
    if not named:
        return None
    first, last = named[0], named[-1]
    if len(named) == 1:
        return first
    between = text[first.end : last.start].strip().lower()
    relation: Relation = "at" if re.fullmatch(r"(?:to|until|and|through|till|–|-)(?: in)?", between) else first.relation
    return Period(
        first=min(p.first for p in named), last=max(p.last for p in named), start=first.start, end=last.end,
        relation=relation, iso=last.iso,
    )  # fmt: skip


def _period(match: re.Match[str], text: str) -> Period | None:
    groups = match.groupdict()
    before = text[: match.start()]
    after = text[match.end() : match.end() + 24]
    alone = not (groups.get("m1") or groups.get("y2") or groups.get("part"))
    if not (groups.get("m1") or groups.get("part")) and led_by(before[-24:], _NUMBERED):
        return None
    if alone and (_NO_YEAR_AFTER.match(after) or (_NO_YEAR_BEFORE.search(before[-24:]) and _COUNTED.match(after))):
        return None
    last_year = groups.get("y2") or groups.get("y1") or ""
    first_year = groups.get("y1") or last_year
    if len(last_year) == 2:
        last_year = first_year[:2] + last_year
    low, high = int(first_year), int(last_year)
    if high < low:
        return None
    first_month = _month(groups.get("m1"))
    last_month = _month(groups.get("m2")) or first_month
    day = groups.get("d1")
    last_day = groups.get("d2") or day
    part = (groups.get("part") or "").lower()
    if part and not first_month:
        first_month, last_month = next(months for words, months in _PARTS.items() if words in part)
        iso = f"{high:04d}"
    else:
        iso = _iso(high, last_month, int(last_day) if last_day else None)
    try:
        first = _number(low, first_month or 1, int(day) if day else 1)
        last = _number(high, last_month or 12, int(last_day) if last_day else None)
    except ValueError:
        return None
    if last < first:
        return None
    led = _LED_BY.search(before[-30:])
    relation: Relation = _RELATIONS[(led["led"] or led["far"]).lower()] if led else "at"
    if relation == "since" and (groups.get("y2") or groups.get("m2") or groups.get("d2")):
        relation = "at"  # "from May to July 2024"
    return Period(first=first, last=last, start=match.start(), end=match.end(), relation=relation, iso=iso)


def month_of(name: str) -> int:
    """The number of a month by its name or its short form, in any case."""
    return MONTHS[name.rstrip(".").lower()]


def _month(name: str | None) -> int | None:
    if not name:
        return None
    return int(name) if name.isdigit() else month_of(name)


def _iso(year: int, month: int | None, day: int | None) -> str:
    return f"{year:04d}" + (f"-{month:02d}" if month else "") + (f"-{day:02d}" if month and day else "")


def _number(year: int, month: int, day: int | None) -> int:
    """YYYYMMDD; without a day the last of the month.

    Raises:
        ValueError: there is no such day.
    """
    day = day or calendar.monthrange(year, month)[1]
    dt.date(year, month, day)
    return year * 10000 + month * 100 + day


def _absolute(match: re.Match[str], text: str, today: dt.date) -> str:
    """Relative words as a date, with "in" or "on" when the text has no such word before them."""
    if match["stretch"]:
        since = _looked_up(f"{match['n'] or 'one'} {match['unit']} ago", today)
        return f"since {since}" if since else match.group()
    date = _looked_up(match.group(), today)
    if date is None:
        return match.group()
    before = text[: match.start()].rstrip().lower()
    if re.search(r"\b(?:in|since|of|from|until|before|after|by|on|than|for|during)$", before):
        return date
    return f"{'on' if date[0].isdigit() and ' ' in date else 'in'} {date}"


def _looked_up(words: str, today: dt.date) -> str | None:
    # Imported late: it takes a quarter of a second, and few questions need it.
    from dateparser.date import DateDataParser

    base = dt.datetime(today.year, today.month, today.day)
    found = DateDataParser(languages=["en"], settings={"RELATIVE_BASE": base}).get_date_data(words)
    if found.date_obj is None:
        return None
    date = found.date_obj.date()
    if "week" in words:
        monday = date - dt.timedelta(days=date.weekday())
        sunday = monday + dt.timedelta(days=6)
        if "ago" in words:
            return shown(date.strftime("%Y-%m"))
        return f"{shown(monday.isoformat())} – {shown(sunday.isoformat())}"
    return shown({"year": f"{date.year:04d}", "month": date.strftime("%Y-%m")}.get(found.period, date.isoformat()))
