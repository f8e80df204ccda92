"""``iskp check --draft``: every sentence of a text against the sources, as people, scripts and word processors get it."""

from __future__ import annotations

import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main

REPORT = """\
The Ferry Strike at Norholm

By Ann Lee

The ferry crews of Norholm stopped work on 4 May 2021. Their union said that 310 sailors took part.

Harbour master Per Dahl argued that the strike cost the town two million crowns a day.
"""
DRAFT = """\
# The strike

The ferry crews of Norholm stopped work on 4 May 2021.[^3] Their union said
that 240 sailors took part. Who paid them?

- The strike cost the town two million crowns a day.
- The volcano near Naples erupted *twice*.
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("draft")
    (folder / "strike.txt").write_text(REPORT, encoding="utf-8")
    (folder / "draft.md").write_text(DRAFT, encoding="utf-8")
    iskp(folder / "home", "init", "--empty")
    iskp(folder / "home", "ingest", str(folder / "strike.txt"), "--date", "2021-05-05")
    return folder / "home"


def iskp(home: Path, *arguments: str, code: int = 0, given: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False, input=given)
    assert result.exit_code == code, result.output + result.stderr
    return result


def test_each_sentence_has_a_verdict_and_what_states_nothing_has_none(home: Path) -> None:
    made = json.loads(iskp(home, "check", "--draft", "-", "--json", given=DRAFT.encode()).stdout)
    assert [(s["paragraph"], s["verdict"], s["note"]) for s in made["sentences"]] == [
        (1, "not checked", None), (2, "supported", 1), (2, "contradicted", 2), (2, "not checked", None), (3, "claimed", 3),
        (4, "not found", None),
    ]  # fmt: skip
    assert made["counts"]["not checked"] == 2 and [n["number"] for n in made["notes"]] == [1, 2, 3]
    assert "[^3]" in made["sentences"][1]["text"] and "[^3]" not in made["sentences"][1]["check"]["claim"]


def test_people_read_the_draft_with_its_notes_in_eighty_columns(home: Path) -> None:
    shown = iskp(home, "check", "--draft", str(home.parent / "draft.md")).stdout
    assert shown.startswith("6 sentences: 2 not checked, 1 supported")
    assert max(map(len, shown.splitlines())) <= 80
    assert "took part. [2] (contradicted)" in " ".join(shown.split()) and "(claimed only by Harbour master Per Dahl)" in " ".join(shown.split())
    assert "Against it:" in shown and "Ann Lee, “The Ferry Strike at Norholm,” May 5, 2021" in " ".join(shown.split())


def test_markdown_keeps_headings_and_lists_and_every_footnote_is_there(home: Path) -> None:
    shown = iskp(home, "check", "--draft", str(home.parent / "draft.md"), "--format", "markdown", "--style", "chicago-bibliography").stdout
    assert "# The strike" in shown and "- The volcano near Naples erupted \\*twice\\*. *(not found in the sources)*" in shown
    assert sorted(set(re.findall(r"\[\^(\d)\](?!:)", shown))) == sorted(re.findall(r"\[\^(\d)\]:", shown)) == ["1", "2", "3"]
    assert "Lee, Ann. “The Ferry Strike at Norholm.”" in shown


def test_a_word_file_has_raised_numbers_and_the_notes_at_its_end(home: Path, tmp_path: Path) -> None:
    from docx import Document

    out = tmp_path / "checked.docx"
    told = iskp(home, "check", "--draft", str(home.parent / "draft.md"), "--format", "docx", "--out", str(out)).stdout
    document = Document(BytesIO(out.read_bytes()))
    paragraphs = [p.text for p in document.paragraphs]
    assert [r.text for p in document.paragraphs for r in p.runs if r.font.superscript] == ["1", "2", "3"]
    assert any(p.startswith("2. Contradicted. The text gives 310") for p in paragraphs) and "written to" in told
    assert [p.style.name for p in document.paragraphs[:3]] == ["Heading 1", "Normal", "List Bullet"]


@pytest.mark.parametrize(("given", "words"), [(b" \n", "the draft is empty"), (b"\xff\xfe\x00", "is no UTF-8 text")])
def test_a_draft_that_cannot_be_read_is_one_sentence(home: Path, given: bytes, words: str) -> None:
    shown = iskp(home, "check", "--draft", "-", code=1, given=given).stderr.strip()
    assert words in shown and len(shown.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["x", "--draft", __file__], ["x", "--format", "docx"]])
def test_options_that_do_not_go_together_are_told(home: Path, arguments: list[str]) -> None:
    assert iskp(home, "check", *arguments, code=2).stderr
