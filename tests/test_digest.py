"""The digest: saved questions asked again of a real home whose sources change."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from app.cli import main
from app.home import Home
from app.records import digest

STRIKE = "# The ferry strike\n\nThe union of Norholm said that 310 sailors took part in the strike.\n"
LATER = "# The ferry strike, counted again\n\nThe harbour office of Norholm said that 900 sailors took part in the strike.\n"
QUESTION = "How many sailors took part in the strike?"


def iskp(home: Path, *arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


def test_a_digest_tells_what_new_sources_change_and_is_quiet_otherwise(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (tmp_path / "strike.md").write_text(STRIKE, encoding="utf-8")
    (tmp_path / "later.md").write_text(LATER, encoding="utf-8")
    iskp(home, "init", "--empty")
    iskp(home, "ingest", str(tmp_path / "strike.md"), "--date", "2021-05-05")
    assert "no question is saved" in iskp(home, "digest", code=1)
    iskp(home, "digest", "--add", f"  {QUESTION} ")
    assert "saved already" in iskp(home, "digest", "--add", QUESTION, code=1)
    assert iskp(home, "digest", "--list").splitlines() == [QUESTION]
    assert "asked for the first time" in iskp(home, "digest")
    assert "no change" in iskp(home, "digest")

    iskp(home, "ingest", str(tmp_path / "later.md"), "--date", "2021-06-01")
    shutil.copytree(home, tmp_path / "copy")
    told: list[dict[str, Any]] = json.loads(iskp(home, "digest", "--json"))
    assert told[0]["changed"] and [(c["date"], "900" in c["quote"]) for c in told[0]["new"]] == [("2021-06-01", True)]
    assert told[0]["gone"] == []
    words = " ".join(iskp(tmp_path / "copy", "digest").split())
    assert "changed since" in words and "+ 2021-06-01" in words and "900 sailors" in words
    assert "no change" in iskp(home, "digest")

    iskp(home, "digest", "--remove", QUESTION)
    assert "is not saved" in iskp(home, "digest", "--remove", QUESTION, code=1)


def test_since_compares_with_the_answer_of_that_day(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.init(empty=True)
    (tmp_path / "strike.md").write_text(STRIKE, encoding="utf-8")
    (tmp_path / "later.md").write_text(LATER, encoding="utf-8")
    digest.add(home.library, QUESTION)
    for name, day in (("strike.md", "2026-10-01"), ("later.md", "2026-11-01")):
        list(home.add([tmp_path / name], {}))
        home.sync()
        digest.ask_again(home.library, home.answerer.answer, at=f"{day}T12:00:00+00:00")

    def new(since: str | None) -> int:
        return len(digest.ask_again(home.library, home.answerer.answer, at="2026-11-28T12:00:00+00:00", since=since)[0].new)

    assert (new(None), new("2026-11-05"), new("2026-10-15")) == (0, 0, 1)
    home.close()
