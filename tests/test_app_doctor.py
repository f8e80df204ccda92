"""What doctor tells of a home: versions, model, sizes, dead space, files that could not be read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.home import Home
from app.records.doctor import examine
from index.embed import bundled_model_path


def iskp(home: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output + result.stderr
    return result


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that mirrors a folder of one good and one bad file."""
    folder = tmp_path_factory.mktemp("doctor")
    (folder / "in").mkdir()
    (folder / "in" / "salt.md").write_text("# Salt\n\nSalt was taxed in 1711.\n")
    (folder / "in" / "poem.md").write_text("---\ngenre: poem\n---\nText.\n")
    iskp(folder / "home", "init", "--empty")
    iskp(folder / "home", "ingest", str(folder / "in"))
    return folder / "home"


def test_facts_name_the_model_by_its_weights_and_tell_sizes(home: Path) -> None:
    facts = examine(Home(home)).facts
    weights = hashlib.sha256((bundled_model_path() / "model.safetensors").read_bytes()).hexdigest()
    assert facts["embedding model"] == f"all-MiniLM-L6-v2, SHA-256 {weights}"
    assert (facts["sources"], facts["passages"]) == ("1", "1")
    assert facts["home size"].endswith(" MB") and facts["index size"].endswith(" MB")
    assert facts["deleted passages still on disk"].startswith("0 ")
    assert facts["chromadb"][0].isdecimal()


def test_files_that_could_not_be_read_are_listed_and_are_no_problem_of_the_home(home: Path) -> None:
    told = iskp(home, "doctor").stdout
    assert f"not read: {home.parent / 'in' / 'poem.md'}: " in told and "All is well." in told
    data = json.loads(iskp(home, "doctor", "--json").stdout)
    assert len(data["unread"]) == 1 and data["problems"] == []


def test_sources_lists_the_failed_files_on_demand(home: Path) -> None:
    (row,) = json.loads(iskp(home, "sources", "--failed", "--json").stdout)
    assert row["path"].endswith("poem.md") and "'poem'" in row["reason"]
    assert "poem.md" in iskp(home, "sources", "--failed").stdout
    listed = iskp(home, "sources")
    assert "poem" not in listed.stdout and "iskp sources --failed" in listed.stderr


def test_a_bad_file_is_not_told_again_by_the_next_command(home: Path) -> None:
    assert "poem" not in iskp(home, "index").stderr


def test_dead_space_is_told(home: Path, tmp_path: Path) -> None:
    mine = tmp_path / "home"
    iskp(mine, "init", "--empty")
    file = tmp_path / "two.md"
    file.write_text("Salt was taxed in 1711.\n\nSmugglers dug pans at night.\n")
    iskp(mine, "ingest", str(file))
    file.write_text("Salt was taxed in 1711.\n")
    iskp(mine, "ingest", str(file))
    assert examine(Home(mine)).facts["deleted passages still on disk"].startswith("1 ")
