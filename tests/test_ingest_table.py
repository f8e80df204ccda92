"""Tables of all formats alike: a row is a block, its column names are context, all rows are one paragraph."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import docx
import pytest
from docx.oxml import OxmlElement
from hypothesis import given
from hypothesis import strategies as st

from ingest.blocks import Block, assemble
from ingest.chunk import chunk
from ingest.formats.table import table_blocks
from ingest.read import extract

ROWS = [["Year", "Trips", "Note"], ["2022", "790", "storm in May"], ["2023", "811", ""]]
TEXT = "The ferry of Norholm carries cars, people and post across the sound from March until the ice comes. "


def _markdown(rows: list[list[str]]) -> tuple[bytes, str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    table = "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
    return f"# Ferry\n\n{TEXT * 4}\n\n{table}\n\n{TEXT * 3}\n".encode(), "a.md"


def _org(rows: list[list[str]]) -> tuple[bytes, str]:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    table = "\n".join([lines[0], f"|{'+'.join('---' for _ in rows[0])}|", *lines[1:]])
    return f"#+TITLE: Ferry\n\n{TEXT * 4}\n\n{table}\n\n{TEXT * 3}\n".encode(), "a.org"


def _cells(rows: list[list[str]]) -> str:
    def row(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{c}</{tag}>" for c in cells) + "</tr>"

    return f"<table><thead>{row(rows[0], 'th')}</thead><tbody>{''.join(row(r, 'td') for r in rows[1:])}</tbody></table>"


def _html(rows: list[list[str]]) -> tuple[bytes, str]:
    page = (
        f"<html><body><article><h1>Ferry</h1><p>{TEXT * 4}</p>{_cells(rows)}<p>{TEXT * 3}</p></article></body></html>"
    )
    return page.encode(), "a.html"


def _docx(rows: list[list[str]]) -> tuple[bytes, str]:
    document = docx.Document()
    document.add_heading("Ferry", 0)
    document.add_paragraph(TEXT * 4)
    table = document.add_table(len(rows), len(rows[0]))
    for r, cells in enumerate(rows):
        for c, text in enumerate(cells):
            table.cell(r, c).text = text
    table.rows[0]._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))
    document.add_paragraph(TEXT * 3)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue(), "a.docx"


def _epub(rows: list[list[str]]) -> tuple[bytes, str]:
    chapter = f"<html xmlns='http://www.w3.org/1999/xhtml'><body><p>{TEXT * 4}</p>{_cells(rows)}<p>{TEXT * 3}</p></body></html>"
    container = (
        "<container xmlns='urn:oasis:names:tc:opendocument:xmlns:container' version='1.0'><rootfiles>"
        "<rootfile full-path='a.opf' media-type='application/oebps-package+xml'/></rootfiles></container>"
    )
    package = (
        "<package xmlns='http://www.idpf.org/2007/opf' version='3.0'><metadata/><manifest>"
        "<item id='c' href='c.xhtml' media-type='application/xhtml+xml'/></manifest><spine><itemref idref='c'/></spine></package>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("a.opf", package)
        archive.writestr("c.xhtml", chapter)
    return buffer.getvalue(), "a.epub"


def _odt(rows: list[list[str]]) -> tuple[bytes, str]:
    def row(cells: list[str]) -> str:
        filled = (f"<table:table-cell><text:p>{c}</text:p></table:table-cell>" for c in cells)
        return f"<table:table-row>{''.join(filled)}</table:table-row>"

    names = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in ("office", "text", "table"))
    content = (
        f"<office:document-content {names}><office:body><office:text><text:p>{TEXT * 4}</text:p><table:table>"
        f"<table:table-header-rows>{row(rows[0])}</table:table-header-rows>{''.join(map(row, rows[1:]))}</table:table>"
        f"<text:p>{TEXT * 3}</text:p></office:text></office:body></office:document-content>"
    )
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("content.xml", content)
    return buffer.getvalue(), "a.odt"


@pytest.mark.parametrize(
    "make", [_markdown, _org, _html, _docx, _epub, _odt], ids=["Markdown", "Org", "HTML", "DOCX", "EPUB", "ODT"]
)
def test_rows_of_every_format_can_be_quoted_alone_and_shift_no_paragraph(
    make: Callable[[list[list[str]]], tuple[bytes, str]],
) -> None:
    data, name = make(ROWS)
    source = assemble("x", extract(data, name=name))
    shown = {source.text[p.start : p.end]: p for p in source.paragraphs}
    assert (shown["2022 | 790 | storm in May"].locator, shown["2023 | 811 |"].locator) == ("¶2 row 1", "¶2 row 2")
    assert shown["2022 | 790 | storm in May"].headings[-1] == "Year | Trips | Note"
    assert [p.number for p in source.paragraphs if p.role == "body"] == [1, 2, 2, 3]
    last = chunk(source)[-1]
    assert last.number == 3 and "Year" not in last.context
    row = next(p for p in chunk(source) if p.text.startswith("2022"))
    assert row.context.endswith("Year | Trips | Note")


def test_column_names_that_nobody_marked_are_context_and_can_still_be_quoted() -> None:
    names, first, second = table_blocks(ROWS)
    assert (names.role, names.text, names.columns) == ("body", "Year | Trips | Note", ())
    assert first.columns == second.columns == ("Year | Trips | Note",)


def test_a_table_of_names_and_values_has_no_column_names() -> None:
    found = list(table_blocks([["Captain", "Ann Lee"], ["Mate", "Per Dahl"]]))
    assert [(b.text, b.columns, b.row) for b in found] == [("Captain | Ann Lee", (), 1), ("Mate | Per Dahl", (), 2)]


def test_a_line_over_all_columns_is_the_caption_and_one_column_is_plain_text() -> None:
    found = list(table_blocks([["Trips by year", ""], *[row[:2] for row in ROWS]], named=2))
    assert [(b.role, b.text, b.row) for b in found] == [
        ("caption", "Trips by year", None), ("heading", "Year | Trips", 0),
        ("body", "2022 | 790", 1), ("body", "2023 | 811", 2),
    ]  # fmt: skip
    assert list(table_blocks([["One."], [""], ["Two."]])) == [Block(text="One."), Block(text="Two.")]
    assert list(table_blocks([])) == list(table_blocks([["", ""]])) == []


def test_a_table_of_column_names_alone_is_not_lost() -> None:
    assert [(b.role, b.text) for b in table_blocks([["Year", "Trips"]], named=1)] == [("body", "Year | Trips")]


@given(st.lists(st.lists(st.sampled_from(["", "a", "b 1", "2020"]), max_size=4), max_size=5), st.integers(0, 3))
def test_no_cell_is_lost_and_none_invented(rows: list[list[str]], named: int) -> None:
    shown = [cell for b in table_blocks(rows, named=named) for cell in b.text.split(" | ") if cell]
    assert shown == [cell for row in rows for cell in row if cell]
