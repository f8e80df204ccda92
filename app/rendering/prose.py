"""Text of an answer as HTML: paragraphs, bullets and tables of its Markdown, markers as links. All else is escaped."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from html import escape

from app.answer import MARKER, Citation
from app.citation_text import described
from app.rendering.render import render

BULLET = re.compile(r"^\s*(?:[-–•*]|\d+[.)])\s+")
FIRST_ROWS = 6
"""Rows of a table of figures that are shown before somebody asks for all."""
_WORDY = 60
"""Characters of a cell from which its table is set for sentences."""
_CELLS = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)*\s*:?-{2,}:?\s*\|?\s*")


def blocks(
    text: str, known: Mapping[int, Citation], turn: int, tabled: Collection[int] = (), *, still: bool = False
) -> str:
    """Lines as paragraphs, bullet lines as lists, Markdown tables as tables, and bold; nothing else of Markdown is read.

    Args:
        turn: number of the question, so that each answer's links lead to its own cards.
        tabled: markers of differences; a bullet that cites nothing else is left to their table.
        still: for a file, in which nothing can be clicked.
    """
    parts: list[str] = []
    bullets: list[str] = []

    def close() -> None:
        if bullets:
            parts.append(f"<ul>{''.join(f'<li>{b}</li>' for b in bullets)}</ul>")
            bullets.clear()

    lines = text.splitlines()
    at = 0
    while at < len(lines):
        line = lines[at]
        rows = _table_rows(lines, at)
        bullet = BULLET.match(line)
        at += len(rows) + 1 if rows else 1
        if rows:
            close()
            head, *body = [[linked(cell, known, turn) for cell in row] for row in rows]
            wordy = any(len(cell) > _WORDY for row in rows for cell in row)
            parts.append(table_html("", head, body, kind="wordy" if wordy else "", still=still))
        elif bullet:
            markers = {int(m) for m in MARKER.findall(line)}
            if markers and markers <= set(tabled):
                continue
            bullets.append(linked(line[bullet.end() :], known, turn))
        elif line.strip():
            close()
            parts.append(f'<p dir="auto">{linked(line, known, turn)}</p>')
    close()
    return "".join(parts)


def linked(text: str, known: Mapping[int, Citation], turn: int) -> str:
    """A text with its markers as links to the cards of their citations."""
    parts: list[str] = []
    at = 0
    for match in MARKER.finditer(text):
        # A marker stays on the line of the word that it follows.
        before = _bold(escape(text[at : match.start()]))
        parts.append(before.rstrip() + "\N{NO-BREAK SPACE}" if before.strip() else before)
        citation = known.get(int(match.group(1)))
        parts.append(link(citation, turn) if citation else escape(match.group()))
        at = match.end()
    parts.append(_bold(escape(text[at:])))
    return "".join(parts)


def _bold(html: str) -> str:
    """Escaped text with **words** between markers in bold: a strong model's headings and emphasis."""
    return re.sub(r"\*\*([^*\n]+)\*\*", r"<strong>\1</strong>", html)


def link(citation: Citation, turn: int) -> str:
    """A marker as a link to the card of its citation."""
    tip = escape(described(citation, citation.locator), quote=True)
    return (
        f'<a class="cite" href="#cite-{turn}-{citation.marker}" data-tip="{tip}" '
        f'aria-label="Citation {citation.marker}: {tip}">{citation.marker}</a>'
    )


def table_html(
    caption: str, header: list[str], rows: list[list[str]], *, kind: str = "", first: int = 0, sides: bool = False, still: bool = False,
    language: str = "en",
) -> str:  # fmt: skip
    """A table of an answer, sorted by its headings and copied as CSV or Markdown.

    Args:
        header, rows: cells as HTML.
        kind: a class for its looks.
        first: rows shown at first where there are at least two more; 0 for all.
        sides: whether the first cell of a row says what the row is about.
        still: for a file: without buttons, all rows shown.
    """
    short = first if first and not still and len(rows) > first + 1 else 0
    return render(
        "grid.html", caption=caption, header=header, rows=rows, kind=kind, first=short, sides=sides, still=still, language=language,
    )  # fmt: skip


def _table_rows(lines: list[str], at: int) -> list[list[str]]:
    """Cells of a Markdown table that begins at a line, its heading first; empty where none does."""
    if "|" not in lines[at] or at + 1 >= len(lines) or not _RULE.fullmatch(lines[at + 1]) or "|" not in lines[at + 1]:
        return []
    head = _cells(lines[at])
    rows = [head]
    for line in lines[at + 2 :]:
        if "|" not in line:
            break
        rows.append((_cells(line) + [""] * len(head))[: len(head)])
    return rows


def _cells(line: str) -> list[str]:
    return [c.strip().replace("\\|", "|") for c in _CELLS.split(line.strip().removeprefix("|").removesuffix("|"))]
