"""How the SQLite files of a home are opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingest import sqlite


def _grow(db: sqlite3.Connection, version: int) -> None:
    if version < 1:
        db.execute("CREATE TABLE boats (name TEXT)")
    if version < 2:
        db.execute("ALTER TABLE boats ADD COLUMN sails INTEGER")


SECOND = sqlite.Schema(version=2, upgrade=_grow)


def test_a_file_of_a_later_version_is_refused_and_not_written(tmp_path: Path) -> None:
    file = tmp_path / "boats.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 3")
    before = file.read_bytes()
    with pytest.raises(sqlite.NewerSchema) as told:
        sqlite.open_file(file, SECOND)
    assert told.value.version == 3
    assert file.read_bytes() == before and list(tmp_path.iterdir()) == [file]


def test_an_upgrade_that_fails_leaves_the_file_at_its_version(tmp_path: Path) -> None:
    file = tmp_path / "boats.db"
    sqlite.open_file(file, SECOND).db.close()

    def fail(db: sqlite3.Connection, version: int) -> None:
        db.execute("DROP TABLE boats")
        raise sqlite3.OperationalError("disk full")

    with pytest.raises(sqlite3.OperationalError):
        sqlite.open_file(file, sqlite.Schema(version=3, upgrade=fail))
    opened = sqlite.open_file(file, SECOND)
    opened.db.execute("INSERT INTO boats VALUES ('Signe', 2)")
    opened.db.close()


def test_a_copy_holds_what_still_lies_in_the_log(tmp_path: Path) -> None:
    opened = sqlite.open_file(tmp_path / "boats.db", SECOND)
    opened.db.execute("INSERT INTO boats VALUES ('Signe', 2)")
    sqlite.copy(tmp_path / "boats.db", tmp_path / "copy.db")
    opened.db.close()
    with closing(sqlite3.connect(tmp_path / "copy.db")) as db:
        assert db.execute("SELECT * FROM boats").fetchall() == [("Signe", 2)]
