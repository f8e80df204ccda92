"""Tables of any format as blocks: a row is one block that can be quoted, its column names are its context."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from ingest.blocks import Block
from ingest.errors import BadSource

MAX_ROWS = 20_000
"""Of a file that is nothing but tables: each row is searched by itself, and embedding them takes minutes."""
MAX_COLUMNS = 200
_FIGURE = re.compile(r"\d")
_VALUE = re.compile(r"[^\w\s]*\s*\d[\d\s.,:/%()+–-]*\s*\w{0,3}\.?")
"""What is a figure, a date or a time and nothing else."""
_YEAR = re.compile(r"(?:1[5-9]|2[01])\d\d")
_LONGEST_NAME = 60
_SENTENCE = re.compile(r"[.!?…:]['\"”’»)\]]*$")


def table_blocks(
    rows: Sequence[Sequence[str]], *, named: int = 0, guessed: bool | None = None, places: Sequence[str] = ()
) -> Iterator[Block]:
    """Blocks of a table, top down.

    A line above the columns that fills one cell is a caption. A table of one column is plain text.
    Column names that are not marked as such, but look like it, are context to the other rows and a
    row of their own: nothing is lost where the guess is wrong.

    Args:
        rows: texts of the cells; rows and columns may be empty, and rows of different length.
        named: how many rows at the top are marked as column names.
        guessed: whether the first row names the columns, where none is marked; None judges by its look.
        places: where each row stands, for the locators; empty when they count the rows themselves.
    """
    kept = [
        (i < named, [" ".join(cell.split()) for cell in row], places[i] if places else None)
        for i, row in enumerate(rows)
    ]
    kept = [line for line in kept if any(line[1])]
    if max((len(row) for _, row, _ in kept), default=0) < 2 or all(_is_single(row) for _, row, _ in kept):
        yield from (Block(text=next(filter(None, row)), place=place) for _, row, place in kept)
        return
    while len(kept) > 1 and _is_single(kept[0][1]):
        _, row, place = kept.pop(0)
        yield Block(text=next(filter(None, row)), role="caption", place=place)
    names = [_line(row) for is_names, row, _ in kept if is_names]
    body = [(row, place) for is_names, row, place in kept if not is_names]
    if not body:
        names, body = [], [(row, place) for _, row, place in kept]
    yield from (Block(text=line, role="heading", row=0) for line in names)
    if guessed is None:
        guessed = not names and _looks_like_names([row for row, _ in body])
    for number, (row, place) in enumerate(body, start=1):
        columns = tuple(names) or ((_line(body[0][0]),) if guessed and number > 1 else ())
        yield Block(text=_line(row), row=number, columns=columns, place=place)


def sheet_blocks(rows: Sequence[Sequence[str]], places: Sequence[str]) -> Iterator[Block]:
    """Blocks of a sheet or file that is all cells and marks nothing: titles, tables below each other, notes.

    Empty rows part tables. A short line above the columns is a heading, so it is context to the rows;
    a table that has no column names of its own continues the one above it. Columns that are empty in
    the whole sheet are left out.

    Args:
        rows: texts of the cells, empty rows included.
        places: where each row stands, for the locators.

    Raises:
        BadSource: it has more rows or columns than the limits.
    """
    lines = [([" ".join(cell.split()) for cell in row], place) for row, place in zip(rows, places, strict=True)]
    check_size(sum(any(row) for row, _ in lines), max((_width(row) for row, _ in lines), default=0))
    used = sorted({i for row, _ in lines for i, cell in enumerate(row) if cell})
    lines = [([row[i] if i < len(row) else "" for i in used] if any(row) else [], place) for row, place in lines]
    above: tuple[str, ...] = ()
    regions = [list(group) for filled, group in itertools.groupby(lines, key=lambda line: bool(line[0])) if filled]
    for number, region in enumerate(regions, start=1):
        for block in _region(region, above, more=number < len(regions)):
            yield block
            above = block.columns or above


def check_size(rows: int, columns: int) -> None:
    """Refuse a table that is larger than what is read.

    Raises:
        BadSource: it is.
    """
    if rows > MAX_ROWS:
        raise BadSource(f"it has {rows:,} rows; the limit is {MAX_ROWS:,}: split it into smaller files")
    if columns > MAX_COLUMNS:
        raise BadSource(f"it has {columns:,} columns; the limit is {MAX_COLUMNS}: keep the columns that matter")


def _region(lines: list[tuple[list[str], str]], above: tuple[str, ...], *, more: bool) -> Iterator[Block]:
    """Blocks of rows that no empty row parts.

    Args:
        above: column names of the table above.
        more: whether other rows follow, of which a single line may be the title.
    """
    while lines and _is_single(lines[0][0]) and (len(lines[0][0]) > 1 or names_of([r for r, _ in lines]) == "none"):
        row, place = lines.pop(0)
        text = next(filter(None, row))
        is_title = len(text) <= 2 * _LONGEST_NAME and not _SENTENCE.search(text) and not _VALUE.fullmatch(text)
        yield (
            Block(text=text, role="heading", level=3) if is_title and (lines or more) else Block(text=text, place=place)
        )
    if not lines:
        return
    notes: list[tuple[list[str], str]] = []
    while len(lines) > 1 and _is_single(lines[-1][0]) and _SENTENCE.search("".join(lines[-1][0])):
        notes.insert(0, lines.pop())
    rows, places = [row for row, _ in lines], [place for _, place in lines]
    kind = names_of(rows)
    blocks = table_blocks(rows, named=kind == "sure", guessed=kind == "guess", places=places)
    inherits = kind == "none" and len(above) == 1 and above[0].count(" | ") == len(rows[0]) - 1
    for block in blocks:
        yield replace(block, columns=above) if inherits and block.row else block
    for row, place in notes:
        yield Block(text=next(filter(None, row)), place=place)


def names_of(rows: Sequence[Sequence[str]]) -> Literal["sure", "guess", "none"]:
    """Whether the first row names the columns of a table that marks nothing.

    Sure is what stands over a column of figures and is no figure. Words over words are a guess, and in
    two columns, where they may as well be a name and its value, only with a small letter over capitals.
    """
    width = len(rows[0])
    first, rest = rows[0], [[*row, *[""] * (width - len(row))] for row in rows[1:]]
    filled = [cell for cell in first if cell]
    if not rest or len(filled) < max(1, 0.6 * len(first)) or len(set(filled)) < len(filled):
        return "none"
    below = [[row[i] for row in rest if row[i]] for i in range(len(first))]
    figures = [bool(column) and sum(map(_is_value, column)) >= 0.8 * len(column) for column in below]
    for cell, column, of_figures in zip(first, below, figures, strict=True):
        is_year = bool(_YEAR.fullmatch(cell)) and not (column and all(_YEAR.fullmatch(c) for c in column))
        if len(cell) > _LONGEST_NAME or cell in column or (_is_value(cell) and not (is_year and of_figures)):
            return "none"
    if any(of_figures and cell and not _is_value(cell) for cell, of_figures in zip(first, figures, strict=True)):
        return "sure"
    small = any(cell.islower() and sum(not c.islower() for c in column) > 0.8 * len(column)
                for cell, column in zip(first, below, strict=True) if column)  # fmt: skip
    return "guess" if len(filled) > 2 or small else "none"


def _is_value(cell: str) -> bool:
    return bool(_VALUE.fullmatch(cell))


def _is_single(row: Sequence[str]) -> bool:
    return sum(map(bool, row)) == 1


def _width(row: Sequence[str]) -> int:
    return max((i for i, cell in enumerate(row, start=1) if cell), default=0)


def _line(cells: Sequence[str]) -> str:
    return " | ".join(cells)


def _looks_like_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: full, short, without a figure, above a column of figures."""
    first, rest = rows[0], rows[1:]
    if not rest or not all(first) or any(len(c) > _LONGEST_NAME or _FIGURE.search(c) for c in first):
        return False
    return any(all(i < len(row) and _FIGURE.search(row[i]) for row in rest) for i in range(len(first)))
