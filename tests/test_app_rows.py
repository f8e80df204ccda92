"""Rows of tables are read with the names of their columns."""

from __future__ import annotations

from dataclasses import replace

from app.evidence.rows import spelled
from ingest.chunk import Passage

ROW = Passage(
    id="r", source_id="fleet", start=40, end=60, text="Orrin | | 30 | ferries", ordinal=2,
    context="Fleets – port | founded | ships | kind", locator="table 1 row 2",
)  # fmt: skip


def test_a_row_is_told_by_its_columns_and_empty_cells_are_left_out() -> None:
    told = spelled(ROW)
    assert told is not None
    assert told.text == "port: Orrin; ships: 30; kind: ferries"


def test_words_found_in_a_told_row_are_given_back_as_they_stand_in_the_row() -> None:
    told = spelled(ROW)
    assert told is not None
    at = told.text.index("30")
    there = told.in_row(at, at + 2)
    assert there is not None
    assert ROW.text[slice(*there)] == "30"
    assert told.in_row(told.text.index("ships"), at + 2) is None


def test_what_is_no_row_or_has_other_columns_is_read_as_it_stands() -> None:
    assert spelled(replace(ROW, locator="¶3")) is None
    assert spelled(replace(ROW, text="Orrin | 30")) is None
