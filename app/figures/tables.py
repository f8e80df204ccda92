"""Figures and events from tables: typed rows, each with its source, and the passage where it stands."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from index.search import OpenIndex
from ingest.dates import date_bounds, iso_date
from ingest.errors import BadSource

if TYPE_CHECKING:
    from app.home import Home

FOLDER = "tables"
"""In the home: CSV files of the same names and columns as the bundled ones add rows to them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row has.

    Attributes:
        key: names the row among all tables, such as ``strength-3``.
        locator: where in the source it stands, as a passage's locator: ``¶8``, ``note 3``.
        group: what it is drawn with, for the legend.
    """

    key: str
    source_id: str
    locator: str
    note: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthRow(Row):
    """How many there are, according to somebody.

    Attributes:
        as_of: ISO date of any precision.
        high: None when ``low`` is a lower bound.
        counts: what is counted, such as fighters or members.
        who: whose estimate it is.
    """

    as_of: str
    low: float
    high: float | None
    unit: str
    counts: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttackRow(Row):
    """How many there were in a period, according to somebody; dates are ISO of any precision."""

    period_start: str
    period_end: str
    value: float
    unit: str
    what: str
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow(Row):
    """Something that happened.

    Attributes:
        date: ISO date of any precision.
        killed_low: how many were killed at least; None when the sources do not say.
        killed_high: the highest figure; None when there is one figure or none.
    """

    date: str
    title: str
    place: str
    killed_low: float | None
    killed_high: float | None
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """All rows by date, and one sentence for each that cannot be used."""

    strength: tuple[StrengthRow, ...] = ()
    attacks: tuple[AttackRow, ...] = ()
    events: tuple[EventRow, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a row's words stand; without a passage when the source has changed since and only it is known."""

    source_id: str
    passage_id: str | None = None
    start: int | None = None
    end: int | None = None


class _Bad(ValueError):
    pass


R = TypeVar("R", bound=Row)


def load_tables(home: Home) -> Tables:
    """The bundled rows whose sources the home has, and the home's own rows.

    A row of the home's own that cannot be used is told in ``problems``; the others are there.
    """
    known = home.library.fingerprints().keys()
    bundled = files("ingest").joinpath("corpus", "tables")
    problems: list[str] = []
    rows: dict[str, list[Any]] = {}
    for name, make in _MAKERS.items():
        text = bundled.joinpath(f"{name}.csv").read_text(encoding="utf-8")
        # A bundled source may have been removed: its rows go with it, and nobody need be told.
        found, _ = read_table(text, name, make, known) if home.has_corpus else ([], [])
        file = home.folder / FOLDER / f"{name}.csv"
        own, told = _own(file, name, make, known)
        rows[name] = [*found, *own]
        problems += told
    return Tables(
        strength=tuple(sorted(rows["strength"], key=lambda r: date_bounds(r.as_of))),
        attacks=tuple(sorted(rows["attacks"], key=lambda r: (date_bounds(r.period_start), date_bounds(r.period_end)))),
        events=tuple(sorted(rows["events"], key=lambda r: (date_bounds(r.date)[0], date_bounds(r.date)[1]))),
        problems=tuple(problems),
    )


def read_table(
    text: str,
    name: str,
    make: Callable[[Mapping[str, str], Mapping[str, Any]], R],
    known: Collection[str],
    prefix: str = "",
) -> tuple[list[R], list[str]]:
    """The rows of a CSV text, and one sentence for each that cannot be used.

    Args:
        make: makes a row of its cells by column.
        known: ids of the sources that there are.
        prefix: of the rows' keys.
    """
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [c for c in COLUMNS[name] if c not in (reader.fieldnames or ())]
    if missing:
        return [], [
            f"{name}.csv has no column {', '.join(missing)}; its first line must name {', '.join(COLUMNS[name])}"
        ]
    rows: list[R] = []
    problems: list[str] = []
    for number, cells in enumerate(_cells(reader), start=1):
        try:
            if cells["source_id"] not in known:
                raise _Bad(f"there is no source {cells['source_id']!r}; 'iskp sources' lists them")
            common = {
                "key": f"{prefix}{name}-{number}", "source_id": cells["source_id"], "locator": cells["locator"],
                "note": cells.get("note", ""),
            }  # fmt: skip
            rows.append(make(cells, common))
        except (_Bad, BadSource) as exc:
            problems.append(f"{name}.csv, row {number}, is left out: {exc}")
    return rows, problems


def find_place(row: Row, opened: OpenIndex) -> Place | None:
    """Where the row's words stand in the index, or None when its source is not indexed."""
    if opened.source(row.source_id) is None:
        return None
    number = row.locator.lstrip("¶# ")
    for passage in opened.passages_of(row.source_id):
        if passage.locator == row.locator or (number.isdigit() and passage.number == int(number)):
            return Place(source_id=row.source_id, passage_id=passage.id, start=passage.start, end=passage.end)
    return Place(source_id=row.source_id)


def _own(
    file: Path, name: str, make: Callable[[Mapping[str, str], Mapping[str, Any]], R], known: Collection[str]
) -> tuple[list[R], list[str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return [], []
    except (OSError, UnicodeDecodeError) as exc:
        return [], [f"{file} cannot be read: {exc}; save it as CSV in UTF-8"]
    try:
        return read_table(text, name, make, known, prefix="own-")
    except csv.Error as exc:
        return [], [f"{file} is not CSV: {exc}"]


def _cells(reader: csv.DictReader[str]) -> Iterator[dict[str, str]]:
    for row in reader:
        yield {k: (v or "").strip() for k, v in row.items() if isinstance(k, str) and not isinstance(v, list)}


def _strength(cells: Mapping[str, str], common: Mapping[str, Any]) -> StrengthRow:
    low, high = _range(cells, "low", "high")
    if low is None:
        raise _Bad("low is empty; write the figure, or its lower bound")
    return StrengthRow(
        **common, group=cells.get("group") or cells["who"], as_of=iso_date(cells["as_of"]), low=low, high=high,
        unit=cells["unit"], counts=cells["counts"], who=_said(cells, "who"),
    )  # fmt: skip


def _attack(cells: Mapping[str, str], common: Mapping[str, Any]) -> AttackRow:
    start, end = iso_date(cells["period_start"]), iso_date(cells["period_end"] or cells["period_start"])
    if date_bounds(end)[1] < date_bounds(start)[0]:
        raise _Bad(f"the period ends ({end}) before it begins ({start})")
    return AttackRow(
        **common, group=cells.get("group") or cells["what"], period_start=start, period_end=end,
        value=_number(cells, "value", signed=True), unit=_said(cells, "unit"), what=cells["what"], who=_said(cells, "who"),
    )  # fmt: skip


def _event(cells: Mapping[str, str], common: Mapping[str, Any]) -> EventRow:
    low, high = _range(cells, "killed_low", "killed_high")
    return EventRow(
        **common, group=cells.get("group") or cells["what"], date=iso_date(cells["date"]), title=_said(cells, "title"),
        place=cells["place"], killed_low=low, killed_high=high, what=cells["what"],
    )  # fmt: skip


def _range(cells: Mapping[str, str], low: str, high: str) -> tuple[float | None, float | None]:
    first = _number(cells, low) if cells[low] else None
    second = _number(cells, high) if cells[high] else None
    if second is not None and (first is None or second < first):
        raise _Bad(f"{high} is {cells[high]} and {low} is {cells[low] or 'empty'}; write the smaller one in {low}")
    return first, second


def _number(cells: Mapping[str, str], column: str, *, signed: bool = False) -> float:
    text = cells[column]
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or (value < 0 and not signed):
        raise _Bad(f"{column} is {text!r}; write a number such as 1500")
    return value


def _said(cells: Mapping[str, str], column: str) -> str:
    if not cells[column]:
        raise _Bad(f"{column} is empty")
    return cells[column]


_COMMON = ("source_id", "locator")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "strength": ("as_of", "low", "high", "unit", "counts", "who", *_COMMON),
    "attacks": ("period_start", "period_end", "value", "unit", "what", "who", *_COMMON),
    "events": ("date", "title", "place", "killed_low", "killed_high", "what", *_COMMON),
}
"""Columns that a table must have; ``note`` and ``group`` may be there too."""
_MAKERS: Mapping[str, Callable[[Mapping[str, str], Mapping[str, Any]], Any]] = {
    "strength": _strength,
    "attacks": _attack,
    "events": _event,
}
