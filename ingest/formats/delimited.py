"""Tables as text (CSV, TSV): cells parted by a comma, semicolon, tab or bar, read as tables of all formats are."""

from __future__ import annotations

import csv
import io
import itertools
import re
import statistics
from typing import Literal

import clevercsv

from ingest.blocks import Extract
from ingest.formats import plain
from ingest.formats.table import MAX_ROWS, check_size, names_of, sheet_blocks

_DELIMITERS = ",;\t|"
_DETECTION_LINES = 100
_DETECTION_CHARS = 20_000
_STATED = re.compile(r"sep=([^\n])\r?\n", re.I)
"""The first line by which spreadsheet programs tell each other the delimiter."""


def read(text: str, *, delimiter: str | None = None) -> Extract:
    """Blocks of a table; its locators count rows as a spreadsheet program does, the first line being row 1.

    A file of one column is plain text.

    Args:
        delimiter: known from the file's name or type; else it is detected.

    Raises:
        BadSource: it has too many rows or columns.
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    stated = _STATED.match(text)
    first = 2 if stated else 1
    if stated:
        text, delimiter = text[stated.end() :], stated[1]
    if delimiter is None or delimiter not in text[:_DETECTION_CHARS]:
        delimiter = _detected(text)
    check_size(text.count("\n") if '"' not in text else 0, 0)  # before anything is built of it
    rows = _rows(text, delimiter) if delimiter else []
    if max(map(len, rows), default=0) < 2:
        return plain.read(text)
    places = [f"row {number}" for number in range(first, first + len(rows))]
    return Extract(blocks=tuple(sheet_blocks(_with_whole_lines(rows, delimiter or ""), places)), media_type="text/csv")


def _detected(text: str) -> str | None:
    """The delimiter by the consistency of cells; Python's own csv.Sniffer errs on title lines and decimal commas."""
    sample = "\n".join(text[:_DETECTION_CHARS].split("\n")[:_DETECTION_LINES])
    try:
        dialect = clevercsv.Sniffer().sniff(sample, delimiters=_DELIMITERS)
    except clevercsv.Error:
        return None
    return dialect.delimiter or None if dialect else None


def _rows(text: str, delimiter: str) -> list[list[str]]:
    try:
        return _parsed(text, delimiter, quoting=0, strict=True)
    except csv.Error as exc:
        # A quotation mark that nothing closes is a character like others; else it would swallow what follows.
        unclosed = "unexpected end" in str(exc) or "field limit" in str(exc)
    return _parsed(text, delimiter, quoting=3 if unclosed else 0, strict=False)


def _parsed(text: str, delimiter: str, *, quoting: Literal[0, 3], strict: bool) -> list[list[str]]:
    """Rows; ``quoting`` is csv.QUOTE_MINIMAL or csv.QUOTE_NONE."""
    rows: list[list[str]] = []
    for row in csv.reader(io.StringIO(text), delimiter=delimiter, quoting=quoting, strict=strict):
        rows.append(row)
        if len(rows) > 2 * MAX_ROWS:
            check_size(sum(any(r) for r in rows), 0)
    return rows


def _with_whole_lines(rows: list[list[str]], delimiter: str) -> list[list[str]]:
    """The rows, with a title above the columns and a note below an empty row put together again.

    They are sentences, whose commas part no cells: they come to fewer cells than the table has columns.
    """
    filled = [i for i, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not filled:
        return rows
    width = statistics.mode(len(rows[i]) for i in reversed(filled))
    whole = list(rows)
    for i, after in itertools.pairwise(filled):
        if len(rows[i]) >= width:
            break
        if len(rows[after]) < width or names_of(rows[after : after + 20]) != "none":
            whole[i] = [delimiter.join(rows[i])]
    last = filled[-1]
    if len(filled) > 1 and filled[-2] < last - 1 and len(rows[last]) < width:
        whole[last] = [delimiter.join(rows[last])]
    return whole
