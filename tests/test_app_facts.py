"""The fact layer: what sentences say, filled into a real home, killed, filled again, and asked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.facts.extract import Mark, Sentence, sentences
from app.facts.layer import FILE, FactLayer, Wanted
from app.home import Home
from index.terms import Vocabulary
from ingest.blocks import Metadata, assemble
from ingest.formats import markdown
from ingest.source import Source

REPORT = """\
# The ferry strike

The ferry crews of Norholm stopped work on 4 May 2021. Their union said that 310 sailors took part.

Anna Berg argued that the strike cost Norway $2 million a day. Berg did not name a source. She said the port may close.

Last year about 4,000 people lived in Norway’s harbour quarter. On Monday the talks resumed.
"""


def source(text: str, date: str | None = "2021-05-12") -> Source:
    return assemble("strike", markdown.read(text), overrides=Metadata(title="Strike", date=date))


def read(text: str, date: str | None = "2021-05-12") -> list[tuple[str, Sentence]]:
    made = source(text, date)
    return [(made.text[s.start : s.end], s) for s in sentences(made, Vocabulary.load())]


def marks(sentence: Sentence, kind: str) -> list[Mark]:
    return [m for m in sentence.marks if m.kind == kind]


def test_a_sentence_is_read_for_times_figures_names_and_who_says_it() -> None:
    found = dict(read(REPORT))
    stopped = found["The ferry crews of Norholm stopped work on 4 May 2021."]
    assert [(m.first, m.last) for m in marks(stopped, "time")] == [(20210504, 20210504)]
    assert stopped.aspect == "event"
    union = found["Their union said that 310 sailors took part."]
    assert [(m.value, m.name, m.relation) for m in marks(union, "figure")] == [(310, "sailors", "exact")]
    assert [m.name for m in marks(union, "holder")] == ["Their union"]
    cost = found["Anna Berg argued that the strike cost Norway $2 million a day."]
    assert [(m.value, m.unit) for m in marks(cost, "figure")] == [(2e6, "$")]
    assert [m.name for m in marks(cost, "place")] == ["Norway"]
    denial = found["Berg did not name a source."]
    assert denial.denied
    assert [m.name for m in marks(denial, "person")] == ["Anna Berg"]
    doubt = found["She said the port may close."]
    assert doubt.hedged
    assert [m.name for m in marks(doubt, "holder")] == ["Anna Berg"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2021-05-12", {"Last year": (20200101, 20201231), "Monday": (20210510, 20210510)}),
        ("2021", {"Last year": (20200101, 20201231)}),
        (None, {}),
    ],
)
def test_relative_times_are_told_as_far_as_the_date_of_the_source_goes(
    written: str | None, expected: dict[str, tuple[int, int]]
) -> None:
    made = source("Last year about 4,000 people lived there. On Monday the talks resumed.", written)
    told = [m for s in sentences(made, Vocabulary.load()) for m in s.marks if m.kind == "time"]
    found = {made.text[m.start : m.end].removeprefix("On "): (m.first, m.last) for m in told}
    assert found == expected
    assert not any(m.told for m in told)


def test_offsets_hold_in_the_text_of_the_source() -> None:
    made = source(REPORT)
    for sentence in sentences(made, Vocabulary.load()):
        for mark in sentence.marks:
            assert sentence.start <= mark.start <= mark.end <= sentence.end
            if mark.kind == "figure":
                assert any(c.isdigit() for c in made.text[mark.start : mark.end])


def iskp(home: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output + result.stderr
    return result


def made(folder: Path) -> Path:
    """An empty home with three small texts from the folder's "texts", its facts read."""
    texts = folder / "texts"
    texts.mkdir()
    (texts / "strike.md").write_text(REPORT, encoding="utf-8")
    (texts / "storm.md").write_text("A storm hit Denmark in March 2023. The UN counted 12 dead.", encoding="utf-8")
    (texts / "calm.md").write_text("The harbour is quiet. Nobody was hurt in Sweden.", encoding="utf-8")
    home = folder / "home"
    iskp(home, "init", "--empty")
    iskp(home, "ingest", str(texts), "--date", "2024-02-05")
    iskp(home, "index")
    return home


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("facts"))


@pytest.fixture
def filled(template: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return Path(shutil.copytree(template, tmp_path / "home"))


def emptied(home: Path) -> None:
    for file in home.glob(f"{FILE}*"):
        file.unlink()


def listed(home: Path, *arguments: str) -> list[str]:
    return [f["text"] for f in json.loads(iskp(home, "facts", "--json", *arguments).stdout)["facts"]]


def test_filters_narrow_the_list(filled: Path) -> None:
    assert listed(filled, "--place", "denmark") == ["A storm hit Denmark in March 2023."]
    assert listed(filled, "--holder", "United Nations") == ["The UN counted 12 dead."]  # another spelling of it
    assert listed(filled, "--name", "Berg", "--kind", "event") == [
        "Anna Berg argued that the strike cost Norway $2 million a day.", "Berg did not name a source.",
    ]  # fmt: skip
    assert listed(filled, "--from", "2023-02", "--to", "2023") == [
        "Last year about 4,000 people lived in Norway’s harbour quarter.", "A storm hit Denmark in March 2023.",
    ]  # fmt: skip
    assert len(listed(filled, "--figures", "--limit", "1")) == 1
    assert "There are more than 1" in iskp(filled, "facts", "--limit", "1").stderr


def test_only_what_changed_is_read_again_and_what_left_is_forgotten(tmp_path: Path) -> None:
    filled, folder = made(tmp_path), tmp_path / "texts"
    assert json.loads(iskp(filled, "index", "--json").stdout)["facts"]["read"] == 0
    (folder / "storm.md").write_text("A storm hit Finland in March 2023.", encoding="utf-8")
    (folder / "calm.md").unlink()
    iskp(filled, "index", "--no-facts")
    stale = iskp(filled, "facts", "--place", "Denmark")
    assert "facts: 50 % (1 of 2 sources are read); for the rest run: iskp index" in stale.stderr
    assert not stale.stdout
    done = json.loads(iskp(filled, "index", "--json").stdout)["facts"]
    assert (done["read"], done["removed"], done["complete"]) == (1, 0, True)  # what left went with the index
    assert listed(filled, "--place", "Finland") == ["A storm hit Finland in March 2023."]
    assert listed(filled, "--place", "Sweden") == []


def test_new_spellings_in_the_home_make_its_sentences_be_read_again(filled: Path) -> None:
    (filled / "terms.toml").write_text('aliases = [["Kingdom of Denmark", "Denmark"]]', encoding="utf-8")
    iskp(filled, "index")
    assert listed(filled, "--place", "Kingdom of Denmark") == ["A storm hit Denmark in March 2023."]


def test_a_fill_that_is_stopped_goes_on_where_it_was(filled: Path) -> None:
    emptied(filled)
    home = Home(filled)
    seen: list[float] = []
    done = home.fill_facts(lambda p: seen.append(p.done), stop=lambda: bool(seen) and seen[-1] > 1)
    assert (done.read, done.complete) == (1, False)
    assert home.facts.coverage(home.library, home.vocabulary()).done == 1
    assert (home.fill_facts().read, home.facts.coverage(home.library, home.vocabulary()).complete) == (2, True)
    home.close()


def test_a_killed_fill_leaves_whole_sources(filled: Path) -> None:
    emptied(filled)
    home = Home(filled)
    wanted = {s.id: list(sentences(s, home.vocabulary())) for s in home.library}
    code = (
        "import sys; from pathlib import Path; from app.home import Home\n"
        "Home(Path(sys.argv[1])).fill_facts(lambda p: print(p.done, flush=True) or __import__('time').sleep(0.05))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(filled)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for line in child.stdout:
        if float(line) > 1:
            os.kill(child.pid, signal.SIGKILL)
            break
    child.wait()
    child.stdout.close()
    coverage = home.facts.coverage(home.library, home.vocabulary())
    assert 1 <= coverage.done < coverage.total
    for source_id, sentences_read in wanted.items():
        there = home.facts.within(source_id, 0, 10**9)
        assert there in ([], sentences_read)
    assert home.fill_facts().complete
    assert all(home.facts.within(i, 0, 10**9) == read for i, read in wanted.items())
    home.close()


def test_a_pdf_in_an_empty_home_is_read(tmp_path: Path) -> None:
    from fpdf import FPDF

    pdf = FPDF()
    pdf.add_page()
    pdf.set_font("helvetica", size=12)
    pdf.multi_cell(0, 8, "The river rose in Hungary on 3 June 2013. The mayor said that 40 houses were flooded.")
    pdf.output(str(tmp_path / "flood.pdf"))
    home = tmp_path / "home"
    iskp(home, "init", "--empty")
    iskp(home, "ingest", str(tmp_path / "flood.pdf"))
    assert "facts: 0 %" in iskp(home, "facts").stderr
    iskp(home, "index")
    (fact,) = json.loads(iskp(home, "facts", "--place", "Hungary", "--json").stdout)["facts"]
    assert fact["times"][0]["first"] == "2013-06-03"
    assert fact["locator"].startswith("p. 1")


def test_a_reader_sees_a_home_that_is_filled_at_the_same_time(filled: Path) -> None:
    reader, home = FactLayer(filled / FILE), Home(filled)
    (filled / "terms.toml").write_text('aliases = [["Kongeriket Norge", "Norway"]]', encoding="utf-8")
    seen: list[int] = []
    home.fill_facts(lambda _: seen.append(len(reader.find(home.library, home.vocabulary(), Wanted()))))
    assert seen == sorted(seen)
    assert 0 in seen
    assert seen[-1] == len(reader.find(home.library, home.vocabulary())) > 5
    reader.close()
    home.close()


def test_a_damaged_file_is_told_with_what_to_do(filled: Path) -> None:
    emptied(filled)
    (filled / FILE).write_bytes(b"no database" * 1000)
    result = CliRunner().invoke(main, ["--home", str(filled), "facts"])
    assert result.exit_code == 1
    assert f"delete {FILE}* there and run: iskp index" in result.stderr


def test_what_a_removed_source_says_is_forgotten_at_once(filled: Path) -> None:
    gone = next(s.id for s in Home(filled).library if "storm" in s.id)
    layer = FactLayer(filled / FILE)
    assert len(layer.within(gone, 0, 10**9)) == 2
    iskp(filled, "sources", "remove", gone)
    assert layer.within(gone, 0, 10**9) == []
    layer.close()
