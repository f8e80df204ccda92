from __future__ import annotations

import os
import re
import shutil
import textwrap
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from fpdf import FPDF

import ingest.add
from ingest.add import (
    Outcome,
    add_bytes,
    add_paths,
    load_bundled,
    metadata_from,
    refresh,
    remove_source,
    removed_notes,
    restore_source,
)
from ingest.errors import BadSource
from ingest.folder import FoundFile, find_files
from ingest.library import KEPT_DAYS, Library
from ingest.read import read_file


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.stat().st_mtime_ns if file.exists() else 0
    file.write_text(text, encoding="utf-8")
    if before and file.stat().st_mtime_ns <= before:
        os.utime(file, ns=(before + 10**9, before + 10**9))
    return file


def told(outcomes: Iterable[Outcome]) -> dict[str, str]:
    return {Path(o.name).name: o.status for o in outcomes}


def ids(library: Library) -> list[str]:
    return list(library.fingerprints())


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with three notes about trades."""
    folder = tmp_path / "trades"
    write(folder / "bakers.md", "# Bakers\n\nThe guild baked rye bread on Mondays.\n")
    write(folder / "coopers.txt", "Coopers bent oak staves over an open fire.\nA barrel took a day.\n")
    write(folder / "old" / "dyers.md", "# Dyers\n\nWoad made blue and madder made red.\n")
    return folder


# What is added


def test_a_folder_is_added_with_ids_that_are_paths_inside_it(library: Library, shelf: Path) -> None:
    outcomes = list(add_paths(library, [shelf]))
    assert {o.source_id: (o.status, o.passages) for o in outcomes} == {
        "bakers.md": ("added", 1),
        "coopers.txt": ("added", 2),
        "old/dyers.md": ("added", 1),
    }
    assert ids(library) == ["bakers.md", "coopers.txt", "old/dyers.md"]
    assert library.get("bakers.md").title == "Bakers"
    assert library.get("coopers.txt").title == "coopers"


def test_a_file_given_by_itself_is_named_by_its_name(library: Library, shelf: Path) -> None:
    (outcome,) = add_paths(library, [shelf / "old" / "dyers.md"])
    assert (outcome.status, outcome.source_id) == ("added", "dyers.md")


def test_a_second_time_nothing_is_changed(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    before = library.records()
    outcomes = list(add_paths(library, [shelf]))
    assert {o.status for o in outcomes} == {"unchanged"}
    assert [o.passages for o in outcomes] == [1, 2, 1]
    assert library.records() == before
    assert list(refresh(library)) == []


def test_a_file_that_was_only_saved_again_is_unchanged(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    os.utime(shelf / "bakers.md", (1, 1))
    assert told(add_paths(library, [shelf]))["bakers.md"] == "unchanged"
    assert list(refresh(library)) == []


def test_an_edited_file_is_read_again_under_its_id(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    write(shelf / "bakers.md", "# Bakers\n\nThe guild baked wheat bread on Fridays.\n")
    assert told(refresh(library)) == {"bakers.md": "changed"}
    assert "wheat" in library.get("bakers.md").text


def test_a_renamed_file_keeps_its_id_and_is_told_as_moved(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf], overrides={"author": "Ada Moor"}))
    (shelf / "bakers.md").rename(shelf / "old" / "bread.md")
    outcomes = [o for o in add_paths(library, [shelf]) if o.status != "unchanged"]
    assert [(o.status, o.source_id, o.passages) for o in outcomes] == [("moved", "bakers.md", 1)]
    assert str(shelf / "bakers.md") in outcomes[0].reason
    assert ids(library) == ["bakers.md", "coopers.txt", "old/dyers.md"]
    assert library.get("bakers.md").author == "Ada Moor"
    assert list(refresh(library)) == []


def test_what_the_user_says_of_a_moved_file_is_not_lost(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf / "bakers.md"]))
    moved = (shelf / "bakers.md").rename(shelf / "bread.md")
    (outcome,) = add_paths(library, [moved], overrides={"author": "Ada Moor"})
    assert (outcome.status, outcome.source_id) == ("changed", "bakers.md")
    assert library.get("bakers.md").author == "Ada Moor"
    assert library.with_path(str(moved)) is not None


def test_a_copy_is_a_source_of_its_own_and_the_same_bytes_are_told(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    write(shelf / "copy.md", (shelf / "bakers.md").read_text())
    outcome = next(o for o in add_paths(library, [shelf]) if o.source_id == "copy.md")
    assert (outcome.status, outcome.reason) == ("added", "same bytes as 'bakers.md'")


ARTICLE = (
    "The harbour board raised the pilot fee to 40 crowns a ship, the first rise since the long strike of 1911.",
    "Owners of coal barges said that they would take their trade to a better-run port farther along the coast.",
    "The fee pays for two lights on the north mole, which has been dark since a winter storm took the keeper's hut.",
    "A vote of the town council is due in May, and the mayor expects a narrow majority for the new rate.",
)


def test_the_same_text_in_another_format_is_told(library: Library, tmp_path: Path) -> None:
    page = "<html><head><title>Fees</title></head><body><article><h1>Pilot fees rise</h1>{}</article></body></html>"
    write(tmp_path / "in" / "fees.html", page.format("".join(f"<p>{p}</p>" for p in ARTICLE)))
    wrapped = "\n\n".join(textwrap.fill(p, 60, break_on_hyphens=True) for p in ARTICLE)
    write(tmp_path / "in" / "fees.txt", f"Pilot fees rise\n\n{wrapped}\n")
    pdf = FPDF()
    pdf.set_font("Helvetica", size=12)
    pdf.add_page()
    for paragraph in ARTICLE:
        pdf.multi_cell(0, 6, paragraph, new_x="LMARGIN", new_y="NEXT")
        pdf.ln(4)
    pdf.output(str(tmp_path / "in" / "fees.pdf"))
    outcomes = {o.source_id: (o.status, o.reason) for o in add_paths(library, [tmp_path / "in"])}
    assert outcomes == {
        "fees.html": ("added", ""),
        "fees.pdf": ("added", "same text as 'fees.html'"),
        "fees.txt": ("added", "same text as 'fees.html'"),
    }


def test_nearly_the_same_text_is_told_and_another_report_on_the_event_is_not(library: Library, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.txt", "\n".join(ARTICLE))
    write(tmp_path / "in" / "b.txt", "\n".join([*ARTICLE[:3], ARTICLE[3].replace("May", "June")]))
    rival = "The harbour board raised the pilot fee to 40 crowns a ship, the mayor said. Coal barges may go elsewhere."
    write(tmp_path / "in" / "c.txt", f"{rival}\nThe lights on the north mole will burn again by spring.")
    reasons = {o.source_id: o.reason for o in add_paths(library, [tmp_path / "in"])}
    assert reasons["a.txt"] == reasons["c.txt"] == ""
    assert re.fullmatch(r"nearly the same text as 'a.txt' \((8|9)\d%\)", reasons["b.txt"])


def test_a_text_edited_apart_from_its_copy_is_no_longer_told_as_one(library: Library, tmp_path: Path) -> None:
    write(tmp_path / "in" / "a.txt", "\n".join(ARTICLE))
    list(add_paths(library, [tmp_path / "in"]))
    write(tmp_path / "in" / "a.txt", "Nothing of the fees is left in this file.")
    write(tmp_path / "in" / "b.txt", "\n".join(ARTICLE))
    assert {o.source_id: (o.status, o.reason) for o in refresh(library)} == {
        "a.txt": ("changed", ""), "b.txt": ("added", ""),
    }  # fmt: skip


def test_a_file_moved_to_another_suffix_is_read_as_what_it_is_now(library: Library, shelf: Path) -> None:
    """It kept the extraction of its old suffix: a.md that had been a.txt showed its hash signs."""
    file = write(shelf / "smiths.txt", "# Smiths\n\nSmiths worked **iron** at night.\n")
    list(add_paths(library, [shelf]))
    assert "**iron**" in library.get("smiths.txt").text
    file.rename(shelf / "smiths.md")
    (outcome,) = refresh(library)
    assert (outcome.status, outcome.source_id, outcome.reason) == (
        "changed",
        "smiths.txt",
        f"was {file}; it was read again",
    )
    assert library.get("smiths.txt").text == "Smiths\n\nSmiths worked iron at night."
    assert library.get("smiths.txt").media_type == "text/markdown"
    assert list(refresh(library)) == []


def test_a_title_from_the_file_name_follows_the_name(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    file = shelf / "coopers.txt"
    file.rename(shelf / "old" / "On barrels.txt")
    (shelf / "bakers.md").rename(shelf / "bread.md")
    found = {o.source_id: (o.status, o.reason) for o in refresh(library)}
    assert found["coopers.txt"] == ("moved", f"was {file}; it was read again")
    assert library.get("coopers.txt").title == "On barrels"
    assert library.get("bakers.md").title == "Bakers"
    assert ids(library) == ["bakers.md", "coopers.txt", "old/dyers.md"]
    assert list(refresh(library)) == []


def test_a_title_that_the_user_gave_does_not_follow_the_name(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf / "coopers.txt"], overrides={"title": "coopers"}))
    moved = (shelf / "coopers.txt").rename(shelf / "barrels.txt")
    list(add_paths(library, [moved]))
    assert library.get("coopers.txt").title == "coopers"


# What the user removed


@pytest.fixture
def without_bakers(library: Library, shelf: Path) -> Library:
    list(add_paths(library, [shelf], overrides={"author": "Ada Moor"}))
    remove_source(library, "bakers.md")
    return library


def test_a_removed_file_of_a_mirrored_folder_stays_out_and_is_told_when_the_folder_is_named(
    without_bakers: Library, shelf: Path
) -> None:
    assert list(refresh(without_bakers)) == []
    os.utime(shelf / "bakers.md", (1, 1))  # saved again, nothing changed
    assert list(refresh(without_bakers)) == []
    for pattern in (None, "*.md"):
        outcome = next(o for o in add_paths(without_bakers, [shelf], pattern=pattern) if o.source_id == "bakers.md")
        assert outcome.status == "left out" and "iskp sources restore bakers.md" in outcome.reason
    watched = list(add_paths(without_bakers, [shelf, shelf / "bakers.md"], again=False))
    assert {o.status for o in watched} == {"unchanged"}
    assert ids(without_bakers) == ["coopers.txt", "old/dyers.md"]


@pytest.mark.parametrize("to", ["bread.md", "old/bread.md", "new/bread.txt"])
def test_a_removed_file_that_is_renamed_stays_out(without_bakers: Library, shelf: Path, to: str) -> None:
    (shelf / to).parent.mkdir(exist_ok=True)
    (shelf / "bakers.md").rename(shelf / to)
    assert list(refresh(without_bakers)) == []
    assert list(refresh(without_bakers)) == []
    assert ids(without_bakers) == ["coopers.txt", "old/dyers.md"]
    restore_source(without_bakers, "bakers.md")
    assert told(refresh(without_bakers)) == {}
    assert "bakers.md" in ids(without_bakers)


def test_a_removed_file_stays_out_when_its_folder_is_renamed_or_an_inner_one_is_named(
    library: Library, shelf: Path
) -> None:
    list(add_paths(library, [shelf]))
    remove_source(library, "old/dyers.md")
    assert [o.status for o in add_paths(library, [shelf / "old"])] == ["left out"]
    moved = shelf.rename(shelf.with_name("crafts"))
    assert {o.source_id: o.status for o in add_paths(library, [moved])} == {
        "bakers.md": "moved", "coopers.txt": "moved", "old/dyers.md": "left out",
    }  # fmt: skip
    assert list(refresh(library)) == []


def test_a_removed_file_comes_back_when_it_changes_or_is_named(without_bakers: Library, shelf: Path) -> None:
    write(shelf / "bakers.md", "# Bakers\n\nThe guild baked wheat bread on Fridays.\n")
    (outcome,) = refresh(without_bakers)
    assert (outcome.status, outcome.source_id, outcome.reason) == (
        "added", "bakers.md", "it had been removed, and changed since",
    )  # fmt: skip
    assert without_bakers.get("bakers.md").author == "Ada Moor"
    assert without_bakers.removed() == []
    remove_source(without_bakers, "bakers.md")
    assert told(add_paths(without_bakers, [shelf / "bakers.md"])) == {"bakers.md": "added"}
    (shelf / "bakers.md").unlink()
    assert told(refresh(without_bakers)) == {"bakers.md": "removed"}  # it is mirrored as before


def test_a_copy_of_a_removed_file_is_a_source_of_its_own(without_bakers: Library, shelf: Path) -> None:
    shutil.copy(shelf / "bakers.md", shelf / "copy.md")
    assert told(refresh(without_bakers)) == {"copy.md": "added"}


def test_a_folder_whose_files_were_all_removed_stays_mirrored(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    for source_id in ids(library):
        remove_source(library, source_id)
    write(shelf / "smiths.md", "# Smiths\n\nSmiths worked iron at night.\n")
    assert told(refresh(library)) == {"smiths.md": "added"}


def test_what_was_removed_comes_back_as_it_was_though_its_file_or_folder_is_gone(
    without_bakers: Library, shelf: Path
) -> None:
    shutil.rmtree(shelf)
    assert list(refresh(without_bakers)) == []
    assert restore_source(without_bakers, "bakers.md").status == "added"
    source = without_bakers.get("bakers.md")
    assert (source.author, source.title) == ("Ada Moor", "Bakers") and "rye" in source.text
    shelf.mkdir()
    write(shelf / "coopers.txt", "Another text.\n")
    list(refresh(without_bakers))
    assert "bakers.md" in ids(without_bakers)


def test_another_file_does_not_take_the_id_of_a_removed_one(without_bakers: Library, tmp_path: Path) -> None:
    (outcome,) = add_paths(without_bakers, [write(tmp_path / "north" / "bakers.md", "Bakers of the north.\n")])
    assert outcome.source_id == "north/bakers.md"
    restore_source(without_bakers, "bakers.md")
    assert {"bakers.md", "north/bakers.md"} <= set(ids(without_bakers))


def test_after_some_weeks_only_the_removal_is_remembered_and_the_file_brings_the_source_back(
    without_bakers: Library, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(add_paths(without_bakers, [write(shelf.parent / "lone.md", "A lone note.\n")]))
    remove_source(without_bakers, "lone.md")
    (shelf.parent / "lone.md").unlink()
    later = time.time() + (KEPT_DAYS + 1) * 86_400
    monkeypatch.setattr(time, "time", lambda: later)
    assert list(refresh(without_bakers)) == []
    assert [(r.record.id, r.has_text) for r in without_bakers.removed()] == [("bakers.md", False)]
    assert list(refresh(without_bakers)) == []
    assert restore_source(without_bakers, "bakers.md").status == "added"
    assert "rye" in without_bakers.get("bakers.md").text
    with pytest.raises(BadSource, match=r"no source 'lone\.md' was removed; 'iskp sources --removed'"):
        restore_source(without_bakers, "lone.md")
    with pytest.raises(BadSource, match=r"'bakers\.md' is not removed"):
        restore_source(without_bakers, "bakers.md")


# What leaves


def test_a_file_that_vanished_from_a_mirrored_folder_is_removed(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    (shelf / "bakers.md").unlink()
    (outcome,) = refresh(library)
    assert (outcome.status, outcome.source_id) == ("removed", "bakers.md")
    assert ids(library) == ["coopers.txt", "old/dyers.md"]


def test_a_file_that_was_given_by_itself_stays_when_it_is_gone(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf / "bakers.md"]))
    (shelf / "bakers.md").unlink()
    assert list(refresh(library)) == []
    assert "rye" in library.get("bakers.md").text


def test_a_mirrored_folder_that_is_gone_as_a_whole_removes_nothing(library: Library, shelf: Path) -> None:
    """It may lie on a disk that is not mounted just now."""
    list(add_paths(library, [shelf]))
    shelf.rename(shelf.with_name("elsewhere"))
    assert list(refresh(library)) == []
    assert len(ids(library)) == 3


def test_a_folder_inside_a_mirrored_one_leaves_with_it_though_it_was_given_by_itself(
    library: Library, shelf: Path
) -> None:
    list(add_paths(library, [shelf, shelf / "old"]))
    (shelf / "old" / "dyers.md").unlink()
    (shelf / "old").rmdir()
    assert told(refresh(library)) == {"dyers.md": "removed"}


def test_another_folder_is_not_touched_by_mirroring_one(library: Library, shelf: Path, tmp_path: Path) -> None:
    write(tmp_path / "trades-2" / "smiths.md", "Smiths worked iron at night.\n")
    list(add_paths(library, [shelf, tmp_path / "trades-2"]))
    assert told(add_paths(library, [shelf])) == {
        "bakers.md": "unchanged", "coopers.txt": "unchanged", "dyers.md": "unchanged",
    }  # fmt: skip
    assert "smiths.md" in ids(library)


def test_what_cannot_be_read_for_the_moment_is_told_and_stays(
    library: Library, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was once removed as "no longer in its folder"."""
    list(add_paths(library, [shelf]))

    def locked(paths: list[Path], *, pattern: str | None = None) -> Iterable[FoundFile]:
        yield FoundFile(path=shelf / "bakers.md", source_id="bakers.md", error="it may not be read")
        yield FoundFile(path=shelf / "old", source_id="old", error="the folder may not be read")
        yield FoundFile(path=shelf / "coopers.txt", source_id="coopers.txt")

    monkeypatch.setattr(ingest.add, "find_files", locked)
    assert told(add_paths(library, [shelf])) == {"bakers.md": "failed", "old": "failed", "coopers.txt": "unchanged"}
    assert ids(library) == ["bakers.md", "coopers.txt", "old/dyers.md"]


def test_a_pattern_takes_what_matches_and_neither_removes_nor_later_brings_the_rest(
    library: Library, shelf: Path
) -> None:
    assert told(add_paths(library, [shelf], pattern="*.md")) == {"bakers.md": "added", "dyers.md": "added"}
    assert list(refresh(library)) == []
    list(add_paths(library, [shelf], pattern="*.txt"))
    assert ids(library) == ["bakers.md", "coopers.txt", "old/dyers.md"]
    write(shelf / "bakers.md", "# Bakers\n\nNo bread on Sundays.\n")
    assert told(refresh(library)) == {"bakers.md": "changed"}


def test_a_file_of_a_mirrored_folder_that_is_also_given_by_itself_stays_mirrored(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    write(shelf / "bakers.md", "# Bakers\n\nNo bread on Sundays.\n")
    assert told(add_paths(library, [shelf / "bakers.md"])) == {"bakers.md": "changed"}
    (shelf / "bakers.md").unlink()
    assert told(refresh(library)) == {"bakers.md": "removed"}


# Equal names


def test_equal_names_in_different_folders_get_ids_of_their_own(library: Library, tmp_path: Path) -> None:
    for town in ("aldby", "benby", "cedby"):
        write(tmp_path / town / "notes.md", f"The market of {town} opens at six.\n")
        list(add_paths(library, [tmp_path / town]))
    assert ids(library) == ["benby/notes.md", "cedby/notes.md", "notes.md"]
    assert "aldby" in library.get("notes.md").text
    assert "cedby" in library.get("cedby/notes.md").text


def test_equal_paths_inside_two_folders_are_told_apart_by_the_folders(library: Library, tmp_path: Path) -> None:
    for town in ("aldby", "benby"):
        write(tmp_path / town / "old" / "notes.md", f"The market of {town} opens at six.\n")
        list(add_paths(library, [tmp_path / town]))
    assert ids(library) == ["benby/old/notes.md", "old/notes.md"]


def test_an_id_that_every_folder_name_leaves_taken_gets_a_number(library: Library, tmp_path: Path) -> None:
    file = write(tmp_path / "notes.md", "The market opens at six.\n")
    taken, candidate = [], "notes.md"
    for parent in (p.name for p in file.resolve().parents):
        taken.append(candidate)
        candidate = f"{parent}/{candidate}" if parent else candidate
    for source_id in taken:
        add_bytes(library, f"About {source_id}.".encode(), name="x.md", source_id=source_id, path=None)
    (outcome,) = add_paths(library, [file])
    assert outcome.status == "added"
    assert outcome.source_id == f"{taken[-1]}~2"


# What the user says


def test_metadata_of_the_user_win_and_are_kept_when_the_file_is_read_again(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf / "bakers.md"], overrides={"author": "Ada Moor", "date": "3 May 1990"}))
    write(shelf / "bakers.md", "---\nauthor: Somebody\n---\nBread was weighed in the square.\n")
    list(refresh(library))
    source = library.get("bakers.md")
    assert (source.author, source.date) == ("Ada Moor", "1990-05-03")
    assert "weighed" in source.text


def test_new_metadata_for_an_unchanged_file_are_taken_over_and_older_ones_stay(library: Library, shelf: Path) -> None:
    file = shelf / "bakers.md"
    list(add_paths(library, [file], overrides={"author": "Ada Moor"}))
    (outcome,) = add_paths(library, [file], overrides={"publisher": "Guild Press"})
    assert outcome.status == "changed"
    source = library.get("bakers.md")
    assert (source.author, source.publisher) == ("Ada Moor", "Guild Press")


@pytest.mark.parametrize(
    ("values", "reason"),
    [({"genre": "poem"}, "genre 'poem'.*opinion"), ({"date": "soon"}, "'soon'")],
)
def test_impossible_metadata_are_refused_before_anything_is_read(
    library: Library, shelf: Path, values: Mapping[str, str], reason: str
) -> None:
    with pytest.raises(BadSource, match=reason):
        list(add_paths(library, [shelf], overrides=values))
    assert ids(library) == []


def test_blank_and_unknown_values_are_no_metadata() -> None:
    given = metadata_from({"author": "  Ada Moor ", "publisher": " ", "colour": "red", "genre": "news"})
    assert (given.author, given.publisher, given.genre) == ("Ada Moor", None, "news")


# What fails


def test_files_that_cannot_be_read_do_not_stop_the_rest(library: Library, shelf: Path) -> None:
    (shelf / "a-empty.txt").write_bytes(b"")
    (shelf / "a-binary.txt").write_bytes(bytes(range(256)) * 20)
    write(shelf / "a-front.md", "---\ngenre: poem\n---\nText.\n")
    write(shelf / "a-titles.md", "# Only a title\n")
    outcomes = {Path(o.name).name: o for o in add_paths(library, [shelf, shelf / "missing.md"])}
    failed = {name for name, o in outcomes.items() if o.status == "failed"}
    assert failed == {"a-empty.txt", "a-binary.txt", "a-front.md", "a-titles.md", "missing.md"}
    assert all(outcomes[name].reason for name in failed)
    assert ids(library) == ["bakers.md", "coopers.txt", "old/dyers.md"]


def test_a_file_that_became_unreadable_leaves_the_last_good_text(library: Library, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    write(shelf / "bakers.md", "---\ngenre: poem\n---\nText.\n")
    assert told(refresh(library)) == {"bakers.md": "failed"}
    assert "rye" in library.get("bakers.md").text


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files whose bytes were read."""
    names: list[str] = []

    def reading(path: Path) -> bytes:
        names.append(path.name)
        return read_file(path)

    monkeypatch.setattr(ingest.add, "read_file", reading)
    return names


def test_a_file_that_fails_is_told_once_and_read_again_only_when_it_changed(
    library: Library, shelf: Path, read: list[str]
) -> None:
    """At every question the whole of a bad PDF was read, and its failure told."""
    write(shelf / "poem.md", "---\ngenre: poem\n---\nText.\n")
    assert told(add_paths(library, [shelf]))["poem.md"] == "failed"
    assert [(f.path, f.folder, "poem" in f.reason) for f in library.failures()] == [
        (str(shelf / "poem.md"), str(shelf), True)
    ]
    read.clear()
    assert list(refresh(library)) == []
    assert read == []
    write(shelf / "poem.md", "---\ngenre: ode\n---\nText.\n")
    assert told(refresh(library)) == {"poem.md": "failed"}
    assert "ode" in library.failures()[0].reason
    assert list(refresh(library)) == []
    write(shelf / "poem.md", "---\ngenre: opinion\n---\nText.\n")
    assert told(refresh(library)) == {"poem.md": "added"}
    assert library.failures() == []


def test_a_file_named_again_is_read_again_though_it_failed(library: Library, shelf: Path, read: list[str]) -> None:
    write(shelf / "poem.md", "---\ngenre: poem\n---\nText.\n")
    list(add_paths(library, [shelf]))
    assert told(add_paths(library, [shelf]))["poem.md"] == "failed"
    assert read.count("poem.md") == 2
    assert "poem.md" not in told(add_paths(library, [shelf], again=False))
    assert read.count("poem.md") == 2


def test_a_failure_is_forgotten_with_its_file(library: Library, shelf: Path) -> None:
    write(shelf / "poem.md", "---\ngenre: poem\n---\nText.\n")
    list(add_paths(library, [shelf]))
    (shelf / "poem.md").unlink()
    assert list(refresh(library)) == []
    assert library.failures() == []


def test_a_folder_of_nothing_but_bad_files_is_mirrored_all_the_same(library: Library, tmp_path: Path) -> None:
    file = write(tmp_path / "in" / "poem.md", "---\ngenre: poem\n---\nText.\n")
    list(add_paths(library, [tmp_path / "in"]))
    write(file, "Bread was weighed in the square.\n")
    assert told(refresh(library)) == {"poem.md": "added"}


def test_a_single_file_that_became_unreadable_is_told_once(library: Library, shelf: Path, read: list[str]) -> None:
    list(add_paths(library, [shelf / "bakers.md"]))
    write(shelf / "bakers.md", "---\ngenre: poem\n---\nText.\n")
    assert told(refresh(library)) == {"bakers.md": "failed"}
    read.clear()
    assert list(refresh(library)) == []
    assert read == []


def test_a_link_that_leads_nowhere_is_told_once_by_its_own_name(library: Library, shelf: Path) -> None:
    (shelf / "smiths.md").symlink_to("nowhere.md")
    assert told(add_paths(library, [shelf]))["smiths.md"] == "failed"
    assert [f.path for f in library.failures()] == [str(shelf / "smiths.md")]
    assert list(refresh(library)) == []
    write(shelf / "nowhere.md", "Smiths worked iron at night.\n")
    assert told(refresh(library)) == {"nowhere.md": "added"}
    assert library.failures() == []


def test_a_file_without_permission_is_told_once_and_read_when_it_has_it(
    library: Library, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(add_paths(library, [shelf]))
    found = list(find_files([shelf]))
    new = write(shelf / "smiths.md", "Smiths worked iron at night.\n")
    closed = FoundFile(path=new, source_id="smiths.md", error="it may not be read")
    with monkeypatch.context() as patched:
        patched.setattr(ingest.add, "find_files", lambda paths, pattern: [*found, closed])
        assert told(refresh(library)) == {"smiths.md": "failed"}
        assert list(refresh(library)) == []
    assert told(refresh(library)) == {"smiths.md": "added"}
    assert library.failures() == []


# What costs nothing


def test_unchanged_files_are_neither_read_nor_cut_again(
    library: Library, shelf: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    list(add_paths(library, [shelf]))
    read.clear()

    def never(source: object, settings: object) -> list[object]:
        raise AssertionError("an unchanged source was cut into passages")

    monkeypatch.setattr(ingest.add, "chunk", never)
    assert list(refresh(library)) == []
    assert [o.passages for o in add_paths(library, [shelf])] == [1, 2, 1]
    assert read == []


# Bundled notes


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for the folder of bundled notes."""
    folder = tmp_path / "package" / "corpus"
    write(folder / "ferries.md", "# Ferries\n\nThe ferry ran twice a day.\n")
    write(folder / "quays" / "north.md", "# North quay\n\nThe quay was built of granite.\n")
    write(folder / "tables" / "ferries.csv", "year,trips\n1990,2\n")
    monkeypatch.setattr(ingest.add, "files", lambda package: tmp_path / package.replace("ingest", "package"))
    return folder


def test_bundled_notes_are_loaded_once(library: Library, corpus: Path) -> None:
    assert [(o.status, o.source_id) for o in load_bundled(library)] == [("added", "ferries"), ("added", "quays/north")]
    assert library.get("ferries").origin == "bundled notes"
    assert list(load_bundled(library)) == []


def test_an_edition_with_other_notes_replaces_adds_and_removes(library: Library, corpus: Path) -> None:
    list(load_bundled(library))
    write(corpus / "ferries.md", "# Ferries\n\nThe ferry ran three times a day.\n")
    write(corpus / "buses.md", "# Buses\n\nThe bus waited for the ferry.\n")
    (corpus / "quays" / "north.md").unlink()
    assert {o.source_id: o.status for o in load_bundled(library)} == {
        "buses": "added", "ferries": "changed", "quays/north": "removed",
    }  # fmt: skip
    assert ids(library) == ["buses", "ferries"]


def test_a_bundled_note_that_the_user_removed_does_not_come_back(library: Library, corpus: Path) -> None:
    list(load_bundled(library))
    remove_source(library, "ferries")
    assert removed_notes(library) == {"ferries"}
    write(corpus / "ferries.md", "# Ferries\n\nA new edition.\n")
    assert list(load_bundled(library)) == []
    assert ids(library) == ["quays/north"]


def test_a_bundled_note_that_was_replaced_by_its_original_stays_replaced(library: Library, corpus: Path) -> None:
    list(load_bundled(library))
    original = b"# Ferries\n\nThe original text, as it was published.\n"
    add_bytes(library, original, name="x.md", source_id="ferries", path="https://example.org/ferries", origin="fetched")
    assert list(load_bundled(library)) == []
    assert "as it was published" in library.get("ferries").text


def test_sources_of_the_user_are_not_touched_by_the_bundled_notes(library: Library, corpus: Path, shelf: Path) -> None:
    list(add_paths(library, [shelf]))
    list(load_bundled(library))
    remove_source(library, "bakers.md")
    assert removed_notes(library) == set()
    assert ids(library) == ["coopers.txt", "ferries", "old/dyers.md", "quays/north"]


def test_a_removed_note_comes_back_when_it_is_wanted_also_after_weeks(
    library: Library, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(load_bundled(library))
    for days in (0, KEPT_DAYS + 1):
        remove_source(library, "ferries")
        later = time.time() + days * 86_400
        monkeypatch.setattr(time, "time", lambda later=later: later)
        assert [*load_bundled(library), *refresh(library)] == []
        assert ids(library) == ["quays/north"]
        restore_source(library, "ferries")
        assert [*load_bundled(library), *refresh(library)] == []
        assert ids(library) == ["ferries", "quays/north"] and removed_notes(library) == set()


def test_removing_what_is_not_there_is_refused(library: Library) -> None:
    with pytest.raises(BadSource, match="no source 'x'"):
        remove_source(library, "x")
