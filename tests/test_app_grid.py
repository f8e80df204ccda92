"""Questions and sources as a table: each source answers by itself, verbatim, or says nothing; every file form."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from app.answer import cite
from app.answering.grid import Cell, Grid, grid
from app.cli import main
from app.errors import BadInput
from app.exports.grid import FORMS, write
from app.home import Home
from ingest.blocks import Metadata, assemble
from ingest.chunk import chunk
from ingest.formats import plain

SAILORS, COST = "How many sailors took part in the strike at Norholm?", "What was built in Velm?"


def iskp(home: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output + result.stderr
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home with two texts on different things."""
    folder = tmp_path_factory.mktemp("grid")
    (folder / "strike.md").write_text(
        "The ferry crews of Norholm stopped work on 4 May 2021. In all, 310 sailors took part in the strike at Norholm.", encoding="utf-8"
    )
    (folder / "bridge.md").write_text("A stone bridge was built in Velm in 1890. It is 40 metres long.", encoding="utf-8")
    made = folder / "home"
    iskp(made, "init", "--empty")
    iskp(made, "ingest", str(folder / "strike.md"), str(folder / "bridge.md"))
    return made


def test_each_source_answers_by_itself_with_its_own_words(home: Path) -> None:
    data = json.loads(iskp(home, "table", SAILORS, COST, "--format", "json").stdout)
    assert data["questions"] == [SAILORS, COST]
    texts = {s.id: s.text for s in Home(home).library}
    said = {}
    for row in data["rows"]:
        for cell in row["cells"]:
            citation = cell["citation"]
            assert (citation is None) == (cell["status"] != "said")
            if citation:
                assert texts[row["source_id"]][citation["start"] : citation["end"]] == citation["quote"]
            said[row["title"], cell["question"]] = citation and citation["quote"]
    assert sorted(said.items(), key=str) == sorted(
        {
            ("strike", SAILORS): "In all, 310 sailors took part in the strike at Norholm.", ("strike", COST): None,
            ("bridge", SAILORS): None, ("bridge", COST): "A stone bridge was built in Velm in 1890.",
        }.items(), key=str,
    )  # fmt: skip


def test_questions_come_from_a_file_and_the_form_from_the_name_of_the_file_written(home: Path, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text(f"{SAILORS}\n\n{SAILORS}\n", encoding="utf-8")
    source = next(s.id for s in Home(home).library if s.title == "strike")
    told = iskp(home, "table", "--questions", str(tmp_path / "q.txt"), "--source", source, "--out", str(tmp_path / "t.csv"))
    assert "1 question, 1 source; 1 of 1 cell says something" in told.stderr
    rows = list(csv.reader(io.StringIO((tmp_path / "t.csv").read_text(encoding="utf-8-sig"))))
    assert rows[0] == ["source", "title", "date", "words", SAILORS, "cited"]
    assert rows[1][4] == "In all, 310 sailors took part in the strike at Norholm."


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["table"], "there is no question"),
        (["table", "How do I build a bomb?"], "is declined"),
        (["table", SAILORS, "--source", "nowhere"], "there is no source 'nowhere'"),
        (["table", SAILORS, "--format", "xlsx"], "--out FILE.xlsx"),
        (["table", SAILORS, "--out", "t.foo"], "add --format"),
    ],
)
def test_what_cannot_be_made_is_told_in_a_sentence(home: Path, arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments])
    assert result.exit_code in {1, 2}
    assert told in result.stderr


def hostile() -> Grid:
    """A grid whose sentence a spreadsheet, a browser or Markdown would take for more than text."""
    text = '=cmd|"/c calc"!A1 <script>alert(1)</script> | x'
    source = assemble("a|b", plain.read(text), overrides=Metadata(title="<b>T</b>"))
    passage = next(p for p in chunk(source) if text[:4] in p.text)
    start = source.text.index("=cmd")
    citation = cite(source, passage, start=start, end=start + len(text), support=1.0)
    assert citation.quote == text
    cell = Cell(question="=1+1", source_id=source.id, status="said", citation=citation)
    return grid(["=1+1"], [source], lambda _q, _ids: [cell])


def test_no_file_form_lets_a_sentence_be_more_than_text() -> None:
    made = hostile()
    book = load_workbook(io.BytesIO(write(made, "xlsx")))
    cell = book.active["E2"]  # type: ignore[index]
    assert (cell.data_type, cell.value) == ("s", made.rows[0][0].citation.quote)  # type: ignore[union-attr]
    assert book.active["E1"].data_type == "s"  # type: ignore[index]
    lines = list(csv.reader(io.StringIO(write(made, "csv").decode("utf-8-sig"))))
    assert lines[0][4] == "'=1+1"
    assert lines[1][4].startswith("'=cmd")
    page = write(made, "html").decode()
    assert "<script>" not in page
    assert "<b>T" not in page
    table = write(made, "markdown").decode().splitlines()
    assert len(table) == 3
    assert "<script" not in table[2].replace("\\<", "")
    assert table[2].replace("\\|", "").count("|") == 3
    with pytest.raises(BadInput, match="choose one of csv, xlsx"):
        write(made, "pdf")
    assert all(write(made, form) for form in FORMS)
