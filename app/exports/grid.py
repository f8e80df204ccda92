"""A grid of questions and sources as a file: Markdown, HTML, JSON, CSV or a workbook. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Literal, get_args

from app.answering.grid import Cell, Grid
from app.citation_text import byline, described, is_summary, lead, one_line, place, spoken
from app.errors import BadInput
from app.exports.export import markdown_line
from app.rendering.render import render

Form = Literal["csv", "xlsx", "markdown", "html", "json"]
FORMS: tuple[str, ...] = get_args(Form)
SUFFIXES: dict[str, Form] = {".csv": "csv", ".xlsx": "xlsx", ".md": "markdown", ".html": "html", ".htm": "html", ".json": "json"}
_WORDS = {"nothing": "says nothing", "not read": "not read: the search model does not read the language"}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Beginnings that a spreadsheet takes for a formula."""
_WIDTH = 60


def write(grid: Grid, form: Form | str) -> bytes:
    """The bytes of the file; text is UTF-8.

    Raises:
        BadInput: the form is unknown.
    """
    writers: dict[str, Callable[[Grid], bytes]] = {
        "csv": lambda g: _csv(g).encode("utf-8-sig"), "xlsx": _xlsx, "markdown": lambda g: _markdown(g).encode(),
        "html": lambda g: _html(g).encode(), "json": lambda g: _json(g).encode(),
    }  # fmt: skip
    if form not in writers:
        raise BadInput(f"there is no table as {form!r}; choose one of {', '.join(FORMS)}")
    return writers[form](grid)


def words(cell: Cell) -> str:
    """The source's sentence as it stands, on one line, or that it says nothing."""
    return _WORDS[cell.status] if cell.citation is None else one_line(cell.citation.quote)


def where(cell: Cell) -> str:
    """Source id, start and end of the sentence in the source's text; empty where nothing is said."""
    c = cell.citation
    return "" if c is None else f"{c.source_id}:{c.start}-{c.end}"


def _header(grid: Grid) -> list[str]:
    return ["source", "title", "date", "words", *(h for q in grid.questions for h in (q, "cited"))]


def _lines(grid: Grid) -> list[list[str]]:
    found = []
    for source, row in zip(grid.sources, grid.rows, strict=True):
        kind = "summary" if is_summary(source) else "original"
        found.append([source.id, source.title, source.date or "", kind, *(t for c in row for t in (words(c), where(c)))])
    return found


def _csv(grid: Grid) -> str:
    """Two columns a question: the sentence, and where it stands. A cell that begins like a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows([f"'{t}" if t.startswith(_FORMULA) else t for t in line] for line in (_header(grid), *_lines(grid)))
    return out.getvalue()


def _xlsx(grid: Grid) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "table"
    for r, line in enumerate((_header(grid), *_lines(grid)), start=1):
        for c, text in enumerate(line, start=1):
            cell = sheet.cell(row=r, column=c)
            cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
            cell.data_type = "s"  # never a formula
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            if r == 1:
                cell.font = Font(bold=True)
    for n in range(len(grid.questions)):
        sheet.column_dimensions[get_column_letter(5 + 2 * n)].width = _WIDTH
    sheet.freeze_panes = "B2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _markdown(grid: Grid) -> str:
    head = ["Source", *(markdown_line(q) for q in grid.questions)]
    lines = [head, ["---"] * len(head)]
    for source, row in zip(grid.sources, grid.rows, strict=True):
        name = f"**{markdown_line(source.id)}**: {markdown_line(lead(source) + source.title)}, {markdown_line(byline(source))}"
        lines.append([name, *map(_markdown_cell, row)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _markdown_cell(cell: Cell) -> str:
    c = cell.citation
    if c is None:
        return f"*{_WORDS[cell.status]}*"
    return f"{markdown_line(spoken(c, one_line(c.quote)))} ({markdown_line(' '.join(filter(None, (place(c, c.locator), where(cell)))))})"


def _html(grid: Grid) -> str:
    rows = [
        {
            "source": source.id, "about": described(source),
            "cells": [
                {"said": c.citation is not None, "text": spoken(c.citation, words(c)) if c.citation else words(c), "where": where(c)}
                for c in row
            ],
        }
        for source, row in zip(grid.sources, grid.rows, strict=True)
    ]  # fmt: skip
    return render("grid_file.html", title="Questions and sources", questions=grid.questions, rows=rows)


def _json(grid: Grid) -> str:
    data = {
        "questions": list(grid.questions),
        "rows": [
            {
                "source_id": source.id, "title": source.title, "date": source.date,
                "cells": [
                    {"question": c.question, "status": c.status, "citation": asdict(c.citation) if c.citation else None}
                    for c in row
                ],
            }
            for source, row in zip(grid.sources, grid.rows, strict=True)
        ],
    }  # fmt: skip
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
