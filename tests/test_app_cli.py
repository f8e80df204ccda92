"""The command line as people and scripts use it: real files, real index, real model."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main

REPORT = """\
The Ferry Strike at Norholm

By Ann Lee

Photo: harbour office, Norholm

The ferry crews of Norholm stopped work on 4 May 2021. Their union said that 310 sailors took part.

Harbour master Per Dahl argued that the strike cost the town two million crowns a day. He gave no source for the figure.

What comes next

The crews want a pay rise of nine per cent because prices have risen. Talks resume on Monday.

Ann Lee is a reporter for the Norholm Gazette.
"""


def iskp(home: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output + result.stderr
    return result


def as_json(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home without the bundled corpus that holds one news text."""
    folder = tmp_path_factory.mktemp("strike")
    (folder / "strike.txt").write_text(REPORT, encoding="utf-8")
    home = folder / "home"
    iskp(home, "init", "--empty")
    iskp(home, "ingest", str(folder / "strike.txt"), "--date", "2021-05-05")
    return home


@pytest.fixture
def home(indexed: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(indexed, tmp_path / "home"))


def test_ask_gives_the_whole_answer_json(indexed: Path) -> None:
    answer = as_json(iskp(indexed, "ask", "How many sailors took part in the strike?", "--json"))
    assert set(answer) >= {
        "question", "standalone_question", "status", "answer", "short_answer", "citations", "differences", "missing_terms",
        "nearest", "confidence", "unsupported", "engine", "index_id", "prompt_id", "timings_ms",
    }  # fmt: skip
    assert set(answer["timings_ms"]) == {"understand", "retrieve", "read", "generate", "verify", "total"}
    assert answer["status"] == "answered" and "310" in answer["answer"] and "[1]" in answer["answer"]
    citation = answer["citations"][0]
    assert set(citation) >= {
        "marker", "passage_id", "source_id", "title", "publisher", "author", "date", "url", "genre", "locator", "paragraph",
        "quote", "start", "end", "support", "claim_status", "claimed_by",
    }  # fmt: skip
    assert (citation["paragraph"], citation["date"], citation["author"]) == (1, "2021-05-05", "Ann Lee")


def test_every_quote_is_a_slice_of_the_text_that_sources_show_prints(indexed: Path) -> None:
    text = as_json(iskp(indexed, "sources", "show", "strike.txt", "--json"))["text"]
    for question in ("Why do the crews want more pay?", "What did the harbour master argue?", "capital of France"):
        answer = as_json(iskp(indexed, "ask", question, "--json"))
        for citation in answer["citations"] + answer["nearest"]:
            assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_what_is_not_there_is_abstained_with_the_missing_terms(indexed: Path) -> None:
    answer = as_json(iskp(indexed, "ask", "Which volcano erupted near Naples?", "--json"))
    assert answer["status"] == "abstained" and not answer["citations"]
    assert "volcano" in answer["missing_terms"] and answer["nearest"]


def test_help_with_violence_is_declined_with_exit_code_zero(indexed: Path) -> None:
    answer = as_json(iskp(indexed, "ask", "How do I make a bomb?", "--json"))
    assert (answer["status"], answer["citations"]) == ("declined", [])


def test_batch_keeps_order_and_goes_on_after_bad_lines(indexed: Path, tmp_path: Path) -> None:
    file = tmp_path / "batch.jsonl"
    file.write_text(
        '{"question": "How many sailors took part?"}\nnot json\n{"question": ""}\n{"history": []}\n{"question": "Who is Per Dahl?", "history": [{"role": "user", "content": "x"}]}\n'
    )
    lines = [json.loads(line) for line in iskp(indexed, "ask", "--batch", str(file), "--json").stdout.splitlines()]
    assert [sorted(line)[0] if "error" in line else line["question"] for line in lines] == [
        "How many sailors took part?", "error", "error", "error", "Who is Per Dahl?",
    ]  # fmt: skip
    assert "line 2" in lines[1]["error"] and "line 3" in lines[2]["error"]


def test_a_second_index_embeds_nothing_and_says_so(home: Path) -> None:
    shown = iskp(home, "index").stdout
    assert "nothing was embedded again" in shown and " 0 added" in shown


def test_editing_one_paragraph_embeds_only_its_passages(indexed: Path, tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_text(REPORT, encoding="utf-8")
    home = tmp_path / "home"
    iskp(home, "init", "--empty")
    added = as_json(iskp(home, "ingest", str(file), "--json"))["index"]["added"]
    file.write_text(REPORT.replace("310 sailors", "290 sailors"), encoding="utf-8")
    report = as_json(iskp(home, "index", "--json"))
    assert (report["embedded"], report["added"], report["deleted"], report["skipped"]) == (1, 1, 1, added - 1)
    assert "290" in as_json(iskp(home, "ask", "How many sailors took part in the strike?", "--json"))["answer"]


def test_sources_lists_shows_and_removes(home: Path) -> None:
    rows = as_json(iskp(home, "sources", "--json"))
    assert [(r["id"], r["title"]) for r in rows] == [("strike.txt", "The Ferry Strike at Norholm")]
    assert "¶1" in iskp(home, "sources", "show", "strike.txt").stdout
    iskp(home, "sources", "remove", "strike.txt")
    assert as_json(iskp(home, "sources", "--json")) == []
    assert as_json(iskp(home, "ask", "How many sailors took part?", "--json"))["status"] == "abstained"


def test_filters_narrow_the_sources(indexed: Path) -> None:
    late = as_json(iskp(indexed, "ask", "How many sailors took part in the strike?", "--since", "2022", "--json"))
    in_time = as_json(iskp(indexed, "ask", "How many sailors took part in the strike?", "--since", "2021-05", "--json"))
    assert (late["status"], in_time["status"]) == ("abstained", "answered")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sources", "show", "nope"], "no source 'nope'"),
        (["ask", "x", "--since", "soonish"], "'soonish' is not a date"),
        (["ask", "x", "--source", "nope"], "no source 'nope'"),
        (["ask", "   "], "question is empty"),
        (["ingest", "/no/such/file"], "none of these could be read"),
        (["sources", "remove", "nope"], "no source 'nope'"),
    ],
)
def test_known_errors_are_one_line_and_exit_code_one(indexed: Path, arguments: list[str], words: str) -> None:
    shown = iskp(indexed, *arguments, code=1).stderr.strip()
    assert words in shown and len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["ask"], ["ask", "x", "--engine", "nope"], ["nonsense"], ["chat", "--host", "0.0.0.0"]]
)
def test_wrong_usage_is_exit_code_two(indexed: Path, arguments: list[str]) -> None:
    assert iskp(indexed, *arguments, code=2).stderr


@pytest.fixture(scope="module")
def long_id(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home whose only source has an id and a title that fill a terminal."""
    folder = tmp_path_factory.mktemp("wide")
    name = "harbour-office/minutes-of-the-board/2021-05-ferry-strike-with-annexes.txt"
    (folder / "shelf" / name).parent.mkdir(parents=True)
    (folder / "shelf" / name).write_text(f"{REPORT}\nMinutes {'of the meeting ' * 20}.\n", encoding="utf-8")
    iskp(folder / "home", "init", "--empty")
    title = "The ferry strike at Norholm 島へ, as the harbour office of the town put it down in its minutes of May"
    iskp(folder / "home", "ingest", str(folder / "shelf"), "--title", title)
    return folder / "home", name


@pytest.mark.parametrize("columns", ["40", "80", "130"])
def test_at_any_width_ids_can_be_copied_and_no_line_is_longer_or_ends_in_blanks(
    long_id: tuple[Path, str], columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, name = long_id
    monkeypatch.setenv("COLUMNS", columns)
    for arguments in (["sources"], ["search", "ferry crews", "-k", "3"], ["ask", "Why do the crews want a pay rise?"]):
        lines = iskp(home, *arguments).stdout.splitlines()
        assert not [line for line in lines if line != line.rstrip()]
        assert not [line for line in lines if len(line) > int(columns) and name not in line]
        if arguments[0] != "ask":
            assert sum(name in line.split() for line in lines) in {1, 2, 3}


def test_in_a_pipe_each_source_is_one_line(long_id: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    lines = iskp(long_id[0], "sources").stdout.splitlines()
    assert len(lines) == 2 and lines[1].startswith(long_id[1]) and lines[1].endswith("minutes of May")


def test_a_short_answer_stands_on_its_own_line_and_text_is_broken_at_words(indexed: Path) -> None:
    answer = as_json(iskp(indexed, "ask", "How many sailors took part in the strike?", "--json"))
    lines = iskp(indexed, "ask", "How many sailors took part in the strike?").stdout.splitlines()
    assert answer["short_answer"] and lines[:2] == [answer["short_answer"], ""]
    assert " ".join(answer["answer"].split()) in " ".join(line.strip() for line in lines)


def test_a_cut_passage_ends_at_a_word(long_id: tuple[Path, str]) -> None:
    shown = " ".join(iskp(long_id[0], "search", "minutes of the meeting", "-k", "1").stdout.split())
    assert re.search(r"(?:of|the|meeting) …", shown)


def test_an_empty_home_says_that_nothing_is_indexed(tmp_path: Path) -> None:
    iskp(tmp_path / "h", "init", "--empty")
    answer = as_json(iskp(tmp_path / "h", "ask", "Anything there?", "--json"))
    assert answer["status"] == "abstained" and "Nothing has been indexed" in answer["answer"]


def test_search_and_explain_show_the_path(indexed: Path) -> None:
    hits = as_json(iskp(indexed, "search", "pay rise", "-k", "2", "--json"))
    assert [h["rank"] for h in hits] == [1, 2] and "pay rise" in hits[0]["text"]
    explained = as_json(iskp(indexed, "ask", "Why do the crews want more pay?", "--json", "--explain"))["explain"]
    assert explained["terms"] and explained["hits"] and explained["evidence"] and "features" in explained["decision"]


def test_doctor_finds_and_mends_a_damaged_index(home: Path) -> None:
    assert "All is well" in iskp(home, "doctor").stdout
    current = home / "index" / (home / "index" / "CURRENT").read_text()
    (current / "identity.json").write_text("{}")
    assert "problem" in iskp(home, "doctor", code=1).stdout
    assert "rebuilt" in iskp(home, "doctor", "--repair").stdout
    assert "All is well" in iskp(home, "doctor").stdout


@pytest.mark.slow
def test_a_source_removed_from_a_mirrored_folder_stays_out_until_it_is_restored(home: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    (shelf / "vault.txt").write_text("The vault of Tolby holds 12 chests.\n", encoding="utf-8")
    (shelf / "mill.txt").write_text("The mill of Tolby grinds oats.\n", encoding="utf-8")
    iskp(home, "ingest", str(shelf))
    assert "iskp sources restore vault.txt" in iskp(home, "sources", "remove", "vault.txt").stdout
    listed = iskp(home, "sources")
    assert "vault.txt" not in listed.stdout and "mill.txt" in listed.stdout
    assert "Left out as removed: 1" in listed.stderr and "iskp sources restore ID" in listed.stderr
    assert "12" not in as_json(iskp(home, "ask", "--json", "How many chests does the vault of Tolby hold?"))["answer"]
    (away,) = as_json(iskp(home, "sources", "--removed", "--json"))
    assert (away["id"], away["title"], away["path"]) == ("vault.txt", "vault", str(shelf / "vault.txt"))
    assert "vault.txt" in iskp(home, "sources", "--removed").stdout
    assert "Restored vault.txt" in iskp(home, "sources", "restore", "vault.txt").stdout
    assert "12" in as_json(iskp(home, "ask", "--json", "How many chests does the vault of Tolby hold?"))["answer"]
    assert "Nothing is removed" in iskp(home, "sources", "--removed").stderr
    assert "no source 'x' was removed" in iskp(home, "sources", "restore", "x", code=1).stderr
