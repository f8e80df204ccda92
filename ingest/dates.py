"""Publication dates: many spellings in, ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD`` out."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from dataclasses import dataclass
from typing import Literal

from dateutil import parser as dateutil_parser

from ingest.errors import BadSource

_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:[T ].*)?)?)?", re.S)
_YEAR_FIRST = re.compile(r"[0-9]{4}")


_RUSSIAN = (
    "янв(?:ар[ья])?", "фев(?:р(?:ал[ья])?)?", "мар(?:та?)?", "апр(?:ел[ья])?", "ма[йя]", "июн[ья]?", "июл[ья]?",
    "авг(?:уста?)?", "сен(?:т(?:ябр[ья])?)?", "окт(?:ябр[ья])?", "ноя(?:б(?:р[ья])?)?", "дек(?:абр[ья])?",
)  # fmt: skip
"""Months as they stand in dates (genitive), alone (nominative) and shortened."""
_RUSSIAN_MONTHS = tuple(re.compile(rf"(?<!\w){month}\.?(?!\w)", re.I) for month in _RUSSIAN)
_RUSSIAN_YEAR = re.compile(r"(?<=\d)\s*(?:г\.?|года?|году)(?!\w)", re.I)


Known = Literal["stated", "byline", "changed", "first", "guessed", "file"]
"""How a date is known: the source's metadata state it, it stands under the title or in a letterhead, it is the day of the
last change or of the first version, it was found somewhere in the source, or it is the day on which the file was made."""

GUESSED = "guessed"
_NOTES: dict[Known, str] = {
    "changed": "last changed", "first": "first published", "guessed": GUESSED, "file": "file made",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDate:
    """A date that a reader of a format found in a source.

    Attributes:
        value: ISO date of any precision.
        known: how it is known.
    """

    value: str
    known: Known

    @property
    def note(self) -> str | None:
        """What is shown beside the date; None where it is the date of the text."""
        return _NOTES.get(self.known)


def in_words(date: str | None, note: str | None) -> str:
    """A date for a lead-in: one that is not the date of the text says so first ("file made 2024-03-22")."""
    if not date:
        return "undated"
    return f"{note} {date}" if note in _NOTES.values() else date


def iso_date(text: str) -> str:
    """The date in ISO form, no more precise than the text is.

    Raises:
        BadSource: the text is not a date, or one that does not exist.
    """
    text = text.strip()
    iso = _ISO.fullmatch(text)
    if iso:
        year, month, day = iso.groups()
        try:
            dt.date(int(year), int(month or 1), int(day or 1))
        except ValueError as exc:
            raise BadSource(f"{text!r} is not a date that exists") from exc
        return "-".join(part for part in iso.groups() if part)
    text = _in_english(text)
    # dateutil takes "2024/03/05" for the third of May when days come first.
    day_first = not _YEAR_FIRST.match(text)
    # Parsed against two different default dates: what differs was not in the text. Time zones are
    # passed over: one that dateutil does not know would make it warn.
    try:
        first, second = (
            dateutil_parser.parse(text, default=default, dayfirst=day_first, ignoretz=True)
            for default in (dt.datetime(2000, 1, 1), dt.datetime(2001, 2, 2))
        )
    except (ValueError, OverflowError) as exc:
        raise BadSource(f"{text!r} is not a date; write it as 2024-03-22, 2024-03 or 2024") from exc
    if first.year != second.year:
        raise BadSource(f"{text!r} has no year; write the date as 2024-03-22, 2024-03 or 2024")
    if first.month != second.month:
        return f"{first.year:04d}"
    if first.day != second.day:
        return f"{first.year:04d}-{first.month:02d}"
    return f"{first.year:04d}-{first.month:02d}-{first.day:02d}"


def _in_english(text: str) -> str:
    """With Russian months in English, the only names that dateutil knows; anything else stays."""
    if not re.search("[а-яё]", text, re.I):
        return text
    for number, month in enumerate(_RUSSIAN_MONTHS, start=1):
        text = month.sub(calendar.month_name[number], text)
    return _RUSSIAN_YEAR.sub("", text)


def date_bounds(date: str) -> tuple[int, int]:
    """First and last day that an ISO date of any precision may mean, as YYYYMMDD numbers."""
    parts = [int(part) for part in date.split("-")]
    year = parts[0]
    first_month, last_month = (parts[1], parts[1]) if len(parts) > 1 else (1, 12)
    if len(parts) > 2:
        first_day, last_day = parts[2], parts[2]
    else:
        first_day, last_day = 1, calendar.monthrange(max(year, 1), last_month)[1]
    return year * 10000 + first_month * 100 + first_day, year * 10000 + last_month * 100 + last_day
