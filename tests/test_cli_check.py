"""``iskp check`` as people and scripts use it: real files, real index, real models."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.rendering.html import check_html
from app.support.verdict import ClaimCheck

REPORT = """\
The Ferry Strike at Norholm

By Ann Lee

The ferry crews of Norholm stopped work on 4 May 2021. Their union said that 310 sailors took part.

Harbour master Per Dahl argued that the strike cost the town two million crowns a day. He gave no source for the figure.

The crews want a pay rise of nine per cent because prices have risen. Talks resume on Monday.
"""
OTHER = """\
Nets and Moorings

By Bo Ek

The museum of fishery in Norholm opened again in June 2022 after a fire. Nobody was hurt when the roof burned.
"""
KEYS = {"claim", "label", "support", "verdict", "by", "citations", "against"}


def iskp(home: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output + result.stderr
    return result


def checked(home: Path, claim: str) -> Any:
    return json.loads(iskp(home, "check", claim, "--json").stdout)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("check")
    (folder / "strike.txt").write_text(REPORT, encoding="utf-8")
    (folder / "museum.txt").write_text(OTHER, encoding="utf-8")
    iskp(folder / "home", "init", "--empty")
    iskp(folder / "home", "ingest", str(folder / "strike.txt"), "--date", "2021-05-05")
    iskp(folder / "home", "ingest", str(folder / "museum.txt"), "--date", "2022-06-20")
    return folder / "home"


def test_a_claim_that_the_sources_carry_comes_with_its_quote(home: Path) -> None:
    found = checked(home, "310 sailors joined the strike in Norholm, their union said.")
    assert set(found) >= KEYS and found["label"] == "supported" and found["support"] > 0.5
    first = found["citations"][0]
    text = json.loads(iskp(home, "sources", "show", "strike.txt", "--json").stdout)["text"]
    assert "310 sailors" in first["quote"] and text[first["start"] : first["end"]] == first["quote"]
    assert (first["source_id"], first["date"]) == ("strike.txt", "2021-05-05")
    assert not found["against"]


def test_a_wrong_figure_is_unsupported_and_the_right_one_stands_against_it(home: Path) -> None:
    found = checked(home, "Their union said that 240 sailors took part in the strike.")
    assert (found["label"], found["verdict"], found["citations"]) == ("unsupported", "contradicted", [])
    assert "310 sailors" in found["against"][0]["quote"]


def test_what_no_source_speaks_of_is_unsupported_with_nothing_against_it(home: Path) -> None:
    found = checked(home, "The volcano near Naples erupted twice.")
    assert (found["label"], found["citations"], found["against"]) == ("unsupported", [], [])


def test_filters_narrow_what_a_claim_is_checked_against(home: Path) -> None:
    found = json.loads(iskp(home, "check", "310 sailors took part.", "--source", "museum.txt", "--json").stdout)
    assert found["label"] == "unsupported"


def test_what_only_one_voice_says_is_claimed_by_it(home: Path) -> None:
    found = checked(home, "The strike cost the town two million crowns a day.")
    assert (found["verdict"], found["by"]) == ("claimed", "Harbour master Per Dahl") and found["citations"] and not found["against"]
    named = checked(home, "Harbour master Per Dahl argued that the strike cost the town two million crowns a day.")
    assert (named["verdict"], named["by"]) == ("supported", "")


def test_a_denial_is_contradicted_and_nothing_that_denies_stands_for_it(home: Path) -> None:
    found = checked(home, "The museum of fishery in Norholm did not open again in June 2022 after a fire.")
    assert (found["label"], found["verdict"], found["citations"]) == ("unsupported", "contradicted", [])
    assert found["against"][0]["source_id"] == "museum.txt" and all(r[0].isupper() and r.endswith(".") for r in found["reasons"])


def test_sources_that_say_different_things_make_a_claim_disputed(home: Path, tmp_path: Path) -> None:
    (tmp_path / "later.txt").write_text(
        "A Look Back\n\nBy Cy Mo\n\nTheir union said that 240 sailors took part in the strike. The ferries of Norholm sail again.", encoding="utf-8"
    )
    copied = tmp_path / "home"
    shutil.copytree(home, copied)
    iskp(copied, "ingest", str(tmp_path / "later.txt"))
    found = checked(copied, "Their union said that 240 sailors took part in the strike.")
    assert (found["label"], found["verdict"]) == ("supported", "disputed")
    assert "240" in found["citations"][0]["quote"] and "310" in found["against"][0]["quote"]
    assert iskp(copied, "check", "Their union said that 240 sailors took part in the strike.").stdout.startswith("Disputed: sources say")


def test_people_read_verdict_reasons_and_sources(home: Path) -> None:
    shown = iskp(home, "check", "Their union said that 240 sailors took part in the strike.").stdout
    assert shown.startswith("Contradicted") and "Against it:" in shown
    assert "The text gives 310, the claim 240." in shown and "The Ferry Strike at Norholm" in shown
    assert iskp(home, "check", "The union said that 310 sailors took part.").stdout.startswith("Supported")


def test_batch_keeps_order_checks_passages_alone_and_goes_on_after_bad_lines(home: Path, tmp_path: Path) -> None:
    passage = "Before 1990 the mill was idle. In 1994 it made 4,200 tonnes of paper, most of it for export."
    lines: list[str] = [
        json.dumps({"claim": "The mill made 4,200 tonnes of paper in 1994.", "passage": passage}),
        "no json",
        json.dumps({"claim": "The mill made 5,100 tonnes of paper in 1994.", "passage": passage}),
        json.dumps({"claim": " "}),
        json.dumps({"claim": "310 sailors took part, their union said."}),
        json.dumps({"claim": "x", "passage": 3}),
        json.dumps({"claim": "310 sailors took part, their union said.", "passage": passage}),
        json.dumps({"claim": "The mill was closed.", "passage": "  "}),
    ]
    file = tmp_path / "claims.jsonl"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = [json.loads(line) for line in iskp(home, "check", "--batch", str(file), "--json").stdout.splitlines()]
    assert [f.get("label", "error") for f in found] == [
        "supported", "error", "unsupported", "error", "supported", "error", "unsupported", "error",
    ]  # fmt: skip
    assert "line 2" in found[1]["error"] and "line 6" in found[5]["error"]
    quote = found[0]["citations"][0]
    assert set(quote) == {"quote", "start", "end"} and passage[quote["start"] : quote["end"]] == quote["quote"]
    assert "4,200" in found[2]["against"][0]["quote"]
    assert found[4]["citations"][0]["source_id"] == "strike.txt"


@pytest.mark.parametrize(
    ("claim", "words"), [("  ", "the claim is empty"), ("word " * 900, "the claim has 4,499 characters")]
)
def test_a_claim_that_cannot_be_checked_is_one_sentence_and_exit_code_one(home: Path, claim: str, words: str) -> None:
    shown = iskp(home, "check", claim, code=1).stderr.strip()
    assert words in shown and len(shown.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["check"], ["check", "x", "--batch", __file__], ["check", "--batch", "/no/file"]]
)
def test_wrong_usage_is_exit_code_two(home: Path, arguments: list[str]) -> None:
    assert iskp(home, *arguments, code=2).stderr


def test_an_empty_home_says_that_nothing_is_indexed(tmp_path: Path) -> None:
    iskp(tmp_path / "h", "init", "--empty")
    found = checked(tmp_path / "h", "Anything there.")
    assert found["label"] == "unsupported" and found["reasons"] == ["Nothing has been indexed yet."]


@pytest.mark.parametrize(("support", "words"), [(0.54, "Perhaps supported: compare the words"), (0.92, "Supported")])
def test_weak_support_is_told_with_a_doubt(support: float, words: str) -> None:
    check = ClaimCheck(claim="The union said so.", label="supported", support=support, verdict="supported")
    assert check.words == words
    assert check_html(check).count(words) == 1
