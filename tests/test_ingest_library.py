from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import ingest.sqlite
from ingest.errors import BadSource, IngestError, Unwritable
from ingest.library import SCHEMA_VERSION, Failure, Library, Record
from ingest.source import Source, to_json

Make = Callable[..., Source]


@pytest.fixture
def salt(make_source: Make) -> Source:
    return make_source("salt.md", "# Salt\n\nSalt was taxed in 1711.\n", author="Ada Moor", date="1990")


def test_a_source_comes_back_as_it_was_put(library: Library, salt: Source) -> None:
    library.put(salt, raw_digest="d1")
    assert library.get("salt.md") == salt
    assert list(library) == [salt]
    assert library.fingerprints() == {"salt.md": salt.fingerprint}


def test_what_is_known_of_its_arrival_is_kept(library: Library, salt: Source) -> None:
    library.put(salt, raw_digest="d1", path="/a/salt.md", folder="/a", stamp="5:6", overrides={"author": "Ada Moor"})
    expected = Record(
        id="salt.md", fingerprint=salt.fingerprint, raw_digest="d1", path="/a/salt.md", folder="/a", stamp="5:6",
        overrides={"author": "Ada Moor"},
    )  # fmt: skip
    assert library.record("salt.md") == expected
    assert library.records() == [expected]
    assert library.with_path("/a/salt.md") == expected
    assert library.with_digest("d1") == [expected]


def test_unknown_ids_paths_and_digests_have_no_record(library: Library) -> None:
    assert library.record("x") is None
    assert library.with_path("/x") is None
    assert library.with_digest("x") == []
    assert library.records() == []


def test_putting_a_source_again_replaces_it(library: Library, salt: Source, make_source: Make) -> None:
    library.put(salt, raw_digest="d1", path="/old")
    newer = make_source("salt.md", "# Salt\n\nThe tax ended in 1825.\n")
    library.put(newer, raw_digest="d2")
    assert list(library) == [newer]
    assert library.with_path("/old") is None


def test_touching_changes_the_place_and_nothing_else(library: Library, salt: Source) -> None:
    library.put(salt, raw_digest="d1", path="/a", overrides={"author": "Ada Moor"})
    library.touch("salt.md", path="/b", folder="/", stamp="1:2")
    record = library.record("salt.md")
    assert record is not None
    assert (record.path, record.folder, record.stamp, record.raw_digest) == ("/b", "/", "1:2", "d1")
    assert record.overrides == {"author": "Ada Moor"}
    assert library.get("salt.md") == salt


def test_a_removed_source_is_gone(library: Library, salt: Source) -> None:
    library.put(salt, raw_digest="d1")
    library.remove("salt.md")
    assert list(library) == []


@pytest.mark.parametrize("action", ["get", "remove"])
def test_an_unknown_source_is_named_with_the_command_that_lists_the_known(library: Library, action: str) -> None:
    with pytest.raises(BadSource, match=r"'pepper\.md'.*iskp sources"):
        getattr(library, action)("pepper.md")
    with pytest.raises(BadSource, match=r"'pepper\.md'.*iskp sources"):
        library.set_aside("pepper.md", now=0.0)


def test_a_source_set_aside_keeps_its_text_until_it_is_forgotten_or_put_again(library: Library, salt: Source) -> None:
    for again in (False, True):
        library.put(salt, raw_digest="d1", path="/a/salt.md", folder="/a", stamp="5:6")
        library.set_aside("salt.md", now=7.0)
        (entry,) = library.removed()
        assert (entry.record.folder, entry.title, entry.removed_at, entry.has_text) == ("/a", "Salt", 7.0, True)
        assert library.removed(path="/b") == library.removed(raw_digest="d2") == []
        assert (list(library), library.removed_source("salt.md")) == ([], salt)
        library.forget_removed("salt.md", text_only=True)
        assert (library.removed()[0].has_text, library.removed_source("salt.md")) == (False, None)
        if again:
            library.put(salt, raw_digest="d1")
        else:
            library.forget_removed("salt.md")
        assert library.removed() == []


def test_sources_come_in_the_order_of_their_ids(library: Library, make_source: Make) -> None:
    for source_id in ("b", "a/z", "a"):
        library.put(make_source(source_id, "Text."), raw_digest="d")
    assert [s.id for s in library] == ["a", "a/z", "b"] == list(library.fingerprints())


def test_notes_about_the_home_are_kept_and_replaced(library: Library) -> None:
    assert library.note("mode") is None
    library.set_note("mode", "one")
    library.set_note("mode", "two")
    assert library.note("mode") == "two"


def test_everything_is_there_when_the_file_is_opened_again(tmp_path: Path, salt: Source) -> None:
    first = Library(tmp_path / "library.db")
    first.put(salt, raw_digest="d1")
    first.set_note("mode", "one")
    first.close()
    second = Library(tmp_path / "library.db")
    assert (second.get("salt.md"), second.note("mode")) == (salt, "one")
    second.close()


def test_a_transaction_that_fails_changes_nothing(library: Library, salt: Source) -> None:
    class Stop(Exception):
        pass

    with pytest.raises(Stop), library.transaction():
        library.put(salt, raw_digest="d1")
        library.set_note("mode", "one")
        raise Stop
    assert (list(library), library.note("mode")) == ([], None)


def test_a_transaction_becomes_visible_to_others_as_a_whole(library: Library, salt: Source, tmp_path: Path) -> None:
    other = Library(tmp_path / "home" / "library.db")
    with library.transaction():
        library.put(salt, raw_digest="d1")
        assert other.fingerprints() == {}
    assert list(other.fingerprints()) == ["salt.md"]
    other.close()


def test_a_process_killed_in_a_transaction_leaves_the_old_state(library: Library, salt: Source, tmp_path: Path) -> None:
    library.put(salt, raw_digest="d1")
    script = """
import os, sys
from pathlib import Path
from ingest.library import Library
library = Library(Path(sys.argv[1]))
with library.transaction():
    library.remove("salt.md")
    library.set_note("mode", "half done")
    os._exit(9)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "home" / "library.db")], check=False)
    assert done.returncode == 9
    assert (list(library), library.note("mode")) == ([salt], None)


def test_threads_share_one_instance(library: Library, make_source: Make) -> None:
    failures: list[Exception] = []

    def work(number: int) -> None:
        try:
            for round_ in range(10):
                library.put(make_source(f"{number}-{round_}", "Text."), raw_digest="d")
                library.get(f"{number}-{round_}")
        except Exception as exc:
            failures.append(exc)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(library.fingerprints()) == 40


def test_a_file_that_is_no_library_is_named(tmp_path: Path) -> None:
    file = tmp_path / "library.db"
    file.write_text("This is a diary, not a database. " * 100)
    with pytest.raises(IngestError, match=r"library\.db cannot be opened"):
        Library(file)


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where the folder should be")
    with pytest.raises(IngestError, match="check the folder's rights"):
        Library(tmp_path / "home" / "library.db")


_FIRST_SCHEMA = """
CREATE TABLE sources (
  id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, source TEXT NOT NULL,
  raw_digest TEXT NOT NULL, path TEXT, folder TEXT, stamp TEXT, overrides TEXT NOT NULL DEFAULT '{}');
CREATE INDEX by_digest ON sources (raw_digest);
CREATE INDEX by_path ON sources (path);
CREATE TABLE notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@pytest.mark.parametrize("version", [0, 1])
def test_a_store_of_a_former_version_is_brought_up_to_date_with_all_that_it_holds(
    tmp_path: Path, salt: Source, make_source: Make, version: int
) -> None:
    file = tmp_path / "library.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript(f"{_FIRST_SCHEMA}PRAGMA user_version = {version};")
        stored = json.dumps({**to_json(salt), "extra": {}})
        row = (salt.id, salt.fingerprint, stored, "d1", "/a/salt.md", "/a", "5:6", "{}")
        db.execute("INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.commit()
    with closing(Library(file)) as library:
        assert list(library) == [salt]
        record = library.record("salt.md")
        assert record is not None and (record.path, record.passages) == ("/a/salt.md", None)
        assert library.failures() == library.removed() == []
        copy = make_source("copy.md", "# Of salt\n\nSalt was taxed in 1711.\n")
        assert library.same_text(copy) == ("salt.md", 1.0)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_a_failure_is_kept_until_its_file_is_stored(library: Library, salt: Source) -> None:
    one = Failure(path="/a/salt.md", folder="/a", stamp="5:6", reason="it is empty")
    two = Failure(path="/a/tar.md", folder=None, stamp=None, reason="it may not be read")
    library.put_failure(one)
    library.put_failure(two)
    assert library.failures() == [one, two]
    library.put(salt, raw_digest="d1", path="/a/salt.md")
    assert library.failures() == [two]
    library.forget_failure("/a/tar.md")
    assert library.failures() == []


def test_a_removed_source_is_nobodys_copy(library: Library, salt: Source, make_source: Make) -> None:
    library.put(salt, raw_digest="d1")
    copy = make_source("copy.md", "Salt was taxed in 1711.\n")
    assert library.same_text(copy) == ("salt.md", 1.0)
    assert library.same_text(salt) is None
    library.remove("salt.md")
    assert library.same_text(copy) is None


def test_a_store_of_a_former_version_that_may_only_be_read_is_read(
    tmp_path: Path, salt: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "library.db"
    with closing(sqlite3.connect(file)) as db:
        db.executescript(f"{_FIRST_SCHEMA}PRAGMA user_version = 1;")
        row = (salt.id, salt.fingerprint, json.dumps(to_json(salt)), "d1", "/a/salt.md", None, "5:6", "{}")
        db.execute("INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.commit()
    # Root, as in many containers, may write everywhere, whatever the file says.
    monkeypatch.setattr(ingest.sqlite, "may_only_read", lambda file: True)
    with closing(Library(file)) as library:
        assert list(library) == [salt]
        assert [r.id for r in library.records()] == ["salt.md"]
        assert library.failures() == library.removed() == []
        with pytest.raises(Unwritable):
            library.count_passages("salt.md", 1)
