"""The ledger: what several sources count of one thing, from a real home with its index and fact layer."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main

TEXTS = {
    "gazette.md": ("Norholm Gazette", "2021-05-12", """\
# The fire at Norholm

The fire at the Grand Hotel in Norholm on 4 May 2021 killed 12 people, the police said.

The fire at the Harbour Hall in Tarnby on 9 June 2018 killed 31 people.

In 2021 the Sailors' League had 900 members in Norholm. Of the crews 42% were Danes, 27% were Finns and 9% were Swedes.
"""),
    "herald.md": ("Tarnby Herald", "2021-05-20", """\
# After the fire

The fire at the Grand Hotel in Norholm on 4 May 2021 killed 15 people, according to the hospital.

The Sailors' League does not have 5,000 members.
"""),
    "almanac.md": ("Sea Almanac", "2021-11", """\
# Crews of the north

In 2021 the Sailors' League had about 2,000 members.

In 1995 the Sailors' League had 310 members.
"""),
}  # fmt: skip


def run(home: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledger")
    run(folder / "home", "init", "--empty")
    for name, (publisher, date, text) in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
        run(folder / "home", "ingest", str(folder / name), "--publisher", publisher, "--date", date)
    run(folder / "home", "index")
    return folder / "home"


def entries(home: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run(home, "ledger", *arguments, "--format", "json").stdout)
    return found


def test_figures_of_one_event_stand_together_and_those_of_another_do_not(home: Path) -> None:
    (fire,) = entries(home, "fire")
    assert fire["state"] == "disputed"
    assert [(c["value"], c["contradicts"]) for c in fire["claims"]] in (
        [("12 people killed", [2]), ("15 people killed", [1])],
        [("15 people killed", [2]), ("12 people killed", [1])],
    )
    assert {c["citation"]["publisher"] for c in fire["claims"]} == {"Norholm Gazette", "Tarnby Herald"}
    assert {c["way"].split(" → ")[-1] for c in fire["claims"]} == {"original text"}


def test_what_changed_with_time_is_no_dispute_and_a_denied_figure_no_claim(home: Path) -> None:
    (league,) = entries(home, "League members")
    told = {c["value"]: c for c in league["claims"]}
    assert list(told) == ["310 members", "900 members", "about 2,000 members"]
    assert told["310 members"]["contradicts"] == [] and told["310 members"]["date"] == "1995"
    assert told["900 members"]["contradicts"] == [3] and told["about 2,000 members"]["contradicts"] == [2]


def test_shares_of_one_whole_are_not_set_against_each_other(home: Path) -> None:
    assert not [e for e in entries(home) if any("%" in c["value"] for c in e["claims"])]
    assert len(entries(home, "--disputed")) == 2


def test_the_ledger_is_printed_as_text_table_and_markdown(home: Path) -> None:
    source = next(s["id"] for s in json.loads(run(home, "sources", "--json").stdout) if s["publisher"] == "Tarnby Herald")
    run(home, "sources", "grade", source, "B2", "--reason", "local paper")
    text = " ".join(run(home, "ledger", "Norholm", "--disputed").stdout.split())
    assert "disputed" in text and "contradicts 1" in text and "“The fire at the Grand Hotel" in text and "graded B2" in text
    rows = list(csv.DictReader(StringIO(run(home, "ledger", "fire", "--format", "csv").stdout)))
    assert [r["contradicts"] for r in rows] == ["2", "1"] and {r["grade"] for r in rows} == {"", "graded B2"}
    assert "| 15 people killed |" in run(home, "ledger", "fire", "--format", "markdown").stdout
    nothing = run(home, "ledger", "submarines")
    assert nothing.stdout == "" and "Nothing is found twice on 'submarines'" in nothing.stderr


def test_what_is_not_read_yet_is_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("# New\n\nThe Sailors' League had 40 ships.\n", encoding="utf-8")
    run(tmp_path / "home", "init", "--empty")
    run(tmp_path / "home", "ingest", str(tmp_path / "x.md"))
    assert "run: iskp index" in run(tmp_path / "home", "ledger").stderr
