"""Tables of any format as blocks: a row is one block that can be quoted, its column names are its context."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.blocks import Block

_FIGURE = re.compile(r"\d")
_LONGEST_NAME = 60


def table_blocks(rows: Sequence[Sequence[str]], *, named: int = 0) -> Iterator[Block]:
    """Blocks of a table, top down.

    A line above the columns that fills one cell is a caption. A table of one column is plain text.
    Column names that are not marked as such, but look like it, are context to the other rows and a
    row of their own: nothing is lost where the guess is wrong.

    Args:
        rows: texts of the cells; rows and columns may be empty, and rows of different length.
        named: how many rows at the top are marked as column names.
    """
    kept = [(i < named, [" ".join(cell.split()) for cell in row]) for i, row in enumerate(rows)]
    kept = [(is_names, row) for is_names, row in kept if any(row)]
    if max((len(row) for _, row in kept), default=0) < 2 or all(sum(map(bool, row)) == 1 for _, row in kept):
        yield from (Block(text=next(filter(None, row))) for _, row in kept)
        return
    while len(kept) > 1 and sum(map(bool, kept[0][1])) == 1:
        yield Block(text=next(filter(None, kept.pop(0)[1])), role="caption")
    names = [_line(row) for is_names, row in kept if is_names]
    body = [row for is_names, row in kept if not is_names]
    if not body:
        names, body = [], [row for _, row in kept]
    yield from (Block(text=line, role="heading", row=0) for line in names)
    guessed = (_line(body[0]),) if not names and _looks_like_names(body) else ()
    for number, row in enumerate(body, start=1):
        columns = tuple(names) or (guessed if number > 1 else ())
        yield Block(text=_line(row), row=number, columns=columns)


def _line(cells: Sequence[str]) -> str:
    return " | ".join(cells)


def _looks_like_names(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row names the columns: full, short, without a figure, above a column of figures."""
    first, rest = rows[0], rows[1:]
    if not rest or not all(first) or any(len(c) > _LONGEST_NAME or _FIGURE.search(c) for c in first):
        return False
    return any(all(i < len(row) and _FIGURE.search(row[i]) for row in rest) for i in range(len(first)))
