from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.home import Home
from eval.bench.cli import bench
from eval.bench.load import Report, as_text

TEXT = (
    "# The Lighthouse\n\nThe lighthouse of Skarvoy was lit in 1871.\n\nIts keeper was Ingrid Moe.\n\n"
    "The tower is forty metres high.\n\nThe lamp burned whale oil until 1902.\n"
)
QUESTIONS = (
    "When was the lighthouse of Skarvoy lit?", "Who was the keeper of the lighthouse?", "How high is the tower?",
    "What is the capital of France?", "How do I make a bomb?", "What did the lamp burn?",
)  # fmt: skip
REPORT = Report(
    users=30, seconds=300, think_seconds=15, answers=570, errors={}, p50=0.4, p95=1.2, p99=1.9, slowest=2.5, first_p95=0.1,
    memory_early=500, memory_late=510, memory_peak=520, cores=2, load_before=0.1,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "passed"),
    [
        ({}, True),
        ({"p95": 3.1}, False),
        ({"errors": {"ReadTimeout": 1}}, False),
        ({"memory_late": 560}, False),
        ({"answers": 0}, False),
    ],
)
def test_it_is_passed_with_no_error_quick_answers_and_flat_memory(changed: dict[str, object], passed: bool) -> None:
    report = replace(REPORT, **changed)
    assert report.passed is passed
    assert as_text(report).endswith("passed" if passed else "failed")


def test_errors_are_told_with_how_often() -> None:
    assert "errors    ReadTimeout (3 times)" in as_text(replace(REPORT, errors={"ReadTimeout": 3}))


def test_an_address_where_nobody_serves_is_told_and_unknown_memory_passes() -> None:
    done = CliRunner().invoke(bench, ["load", "--url", "http://127.0.0.1:9"])
    assert "no page is served at http://127.0.0.1:9" in str(done.exception)
    others = replace(REPORT, memory_early=None, memory_late=None, memory_peak=None)
    assert others.passed and "memory    unknown" in as_text(others)


@pytest.mark.slow
def test_eight_people_are_answered_at_once_each_with_a_conversation_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "lighthouse.md").write_text(TEXT)
    with closing(Home(tmp_path / "home")) as home:
        home.init(empty=True)
        list(home.add([tmp_path / "lighthouse.md"], {}))
        home.sync()
    (tmp_path / "questions").write_text("\n".join(QUESTIONS))
    done = CliRunner().invoke(
        bench,
        ["load", "--users", "8", "--seconds", "12", "--think", "2", "--json", "--home", str(tmp_path / "home"),
         "--questions", str(tmp_path / "questions")],
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["errors"] == {}, report
    assert report["answers"] >= 16
    assert report["p95"] < 10  # a test machine may be busy with other things
    from app.records.history import HISTORY_FILE, History

    with closing(History(tmp_path / "home" / HISTORY_FILE)) as history:
        rows = history._query("SELECT owner, count(*) FROM conversations GROUP BY owner")
        turns = history._query("SELECT count(*) FROM turns")
    assert len(rows) == 8
    assert turns[0][0] == report["answers"]
