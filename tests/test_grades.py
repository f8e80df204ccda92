"""Grades of sources: set by a curator, kept through all that becomes of a source, shown beside its citations."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli import main
from app.home import Home
from app.rendering.html import evidence_html
from ingest.errors import BadSource
from ingest.grade import Grade, parse_grade
from ingest.library import SCHEMA_VERSION, Library

STRIKE = "# The ferry strike\n\nThe union of Norholm said that 310 sailors took part in the strike.\n"
GOSSIP = "# Harbour gossip\n\nPeople at the quay say that 900 sailors took part in the strike of Norholm.\n"
AT = "2026-11-28T10:00:00+00:00"


def iskp(home: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "strike.md").write_text(STRIKE, encoding="utf-8")
    (tmp_path / "texts" / "gossip.md").write_text(GOSSIP, encoding="utf-8")
    iskp(tmp_path / "home", "init", "--empty")
    iskp(tmp_path / "home", "ingest", str(tmp_path / "texts"))
    return tmp_path / "home"


@pytest.mark.parametrize(("code", "expected"), [("A1", "A1"), (" b-3 ", "B3"), ("f6", "F6")])
def test_a_code_is_read_as_people_write_it(code: str, expected: str) -> None:
    assert parse_grade(code, "seen\n it", at=AT).code == expected
    assert parse_grade(code, "seen\n it", at=AT).reason == "seen it"


@pytest.mark.parametrize(("code", "reason", "words"), [("G1", "x", "no grade"), ("A7", "x", "no grade"), ("A", "x", "no grade"), ("A1", " ", "needs a reason"), ("A1", "x" * 501, "501")])
def test_what_is_no_grade_is_told(code: str, reason: str, words: str) -> None:
    with pytest.raises(BadSource, match=words):
        parse_grade(code, reason, at=AT)


def test_reliability_that_cannot_be_judged_is_never_enough() -> None:
    def enough(code: str, least: str) -> bool:
        return parse_grade(code, "x", at=AT).at_least(least)

    assert [enough(c, "B") for c in ("A6", "B1", "C1", "F1")] == [True, True, False, False]
    assert not enough("F1", "E") and enough("E1", "E")


def test_a_grade_is_shown_beside_citations_and_narrows_a_question(home: Path) -> None:
    names = {s["title"]: s["id"] for s in json.loads(iskp(home, "sources", "--json"))}
    strike, gossip = names["The ferry strike"], names["Harbour gossip"]
    assert "grade" not in iskp(home, "sources").split("\n")[0]
    iskp(home, "sources", "grade", strike, "b2", "--reason", "the union's own count")
    iskp(home, "sources", "grade", gossip, "E5", "--reason", "hearsay")
    assert {s["id"]: s["grade"]["reliability"] for s in json.loads(iskp(home, "sources", "--json"))} == {strike: "B", gossip: "E"}
    assert "B2" in iskp(home, "sources") and "usually reliable" in iskp(home, "sources", "show", strike)

    question = "How many sailors took part in the strike?"
    answer: dict[str, Any] = json.loads(iskp(home, "ask", question, "--json"))
    told = {c["source_id"]: c["grade"] for c in answer["citations"]}
    assert told[strike]["credibility"] == 2 and told[strike]["reason"] == "the union's own count"
    assert "graded B2" in iskp(home, "ask", question)
    assert "graded B2 (usually reliable, probably true): the union's own count" in iskp(home, "ask", question, "--format", "markdown").replace("\\", "")
    assert "graded B2" in iskp(home, "ask", question, "--format", "csv")

    narrowed = json.loads(iskp(home, "ask", question, "--json", "--min-reliability", "b"))
    assert {c["source_id"] for c in narrowed["citations"]} == {strike}
    assert "graded A or better" in iskp(home, "ask", question, "--min-reliability", "A", code=1)
    iskp(home, "sources", "grade", strike, "--clear")
    assert "graded B2" not in iskp(home, "ask", question)
    assert "no source 'x'" in iskp(home, "sources", "grade", "x", "A1", "--reason", "y", code=1)


def test_the_evidence_card_tells_the_grade(home: Path) -> None:
    opened = Home(home)
    opened.library.set_grade(next(iter(opened.library.fingerprints())), parse_grade("C3", "<one> visit", at=AT))
    answer = opened.answerer.answer("How many sailors took part in the strike?")
    html = evidence_html(answer, 1, opened.library.get, lambda _: None)
    assert '<span class="badge">graded C3</span>' in html and "&lt;one&gt; visit" in html
    opened.close()


def test_a_grade_stays_when_its_source_changes_is_removed_and_restored_or_backed_up(home: Path, tmp_path: Path) -> None:
    source_id = next(s["id"] for s in json.loads(iskp(home, "sources", "--json")) if s["title"] == "The ferry strike")
    iskp(home, "sources", "grade", source_id, "A1", "--reason", "seen")

    def code(folder: Path) -> str | None:
        with closing(Library(folder / "library.db")) as library:
            grade = library.grades().get(source_id)
            return grade.code if grade else None

    (tmp_path / "texts" / "strike.md").write_text(STRIKE + "\nIt ended in June.\n", encoding="utf-8")
    iskp(home, "index", "--no-facts")
    assert "ended in June" in iskp(home, "sources", "show", source_id) and code(home) == "A1"
    iskp(home, "sources", "remove", source_id)
    iskp(home, "sources", "restore", source_id)
    assert code(home) == "A1"
    iskp(home, "backup", str(tmp_path / "b.zip"))
    iskp(tmp_path / "other", "restore", str(tmp_path / "b.zip"))
    assert code(tmp_path / "other") == "A1"


def test_a_store_from_before_grades_is_brought_up_to_date(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = home / "library.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript("DROP TABLE grades; PRAGMA user_version = 3;")
    with monkeypatch.context() as only_read:
        only_read.setattr("ingest.sqlite.may_only_read", lambda file: True)
        with closing(Library(file)) as library:
            assert library.grades() == {}
    with closing(Library(file)) as library:
        source_id = next(iter(library.fingerprints()))
        grade = Grade(reliability="D", credibility=4, reason="old", graded_at=AT)
        library.set_grade(source_id, grade)
        assert library.grades() == {source_id: grade}
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
