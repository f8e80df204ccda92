"""Rows of tables in words: a reader of prose does not see which column a cell stands in. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.chunk import CONTEXT_JOINT, Passage, is_row

BAR = "|"
_LONGEST = 400
"""Characters of a row that is read as one; the cells of a longer one hold sentences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """A row as "town: Orrin; ships: 30".

    Attributes:
        pieces: for each cell where it begins in ``text``, where it begins in the row, and its length.
    """

    text: str
    pieces: tuple[tuple[int, int, int], ...]

    def in_row(self, start: int, end: int) -> tuple[int, int] | None:
        """Where a stretch of ``text`` stands in the row; None when it is not within one cell."""
        for at, cell, length in self.pieces:
            if at <= start and end <= at + length:
                return cell + start - at, cell + end - at
        return None


def spelled(passage: Passage) -> Spelled | None:
    """A row with the names of its columns, or None for other passages and where no names are known.

    On three rows of two small tables the reader's score of the row that answers rose from 0.03 to between 0.2 and 0.8.
    """
    if not is_row(passage.locator) or len(passage.text) > _LONGEST:
        return None
    cells = passage.text.split(BAR)
    headings = passage.context.split(CONTEXT_JOINT)
    names = next((h.split(BAR) for h in reversed(headings) if h.count(BAR) == len(cells) - 1), None)
    if names is None or len(cells) < 2:
        return None
    text, pieces, at = "", [], 0
    for name, cell in zip(map(str.strip, names), cells, strict=True):
        if value := cell.strip():
            text += f"{'; ' if text else ''}{name}{': ' if name else ''}"
            pieces.append((len(text), at + cell.index(value), len(value)))
            text += value
        at += len(cell) + len(BAR)
    return Spelled(text=text, pieces=tuple(pieces))
