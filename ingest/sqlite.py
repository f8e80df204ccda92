"""SQLite files of a home: how each is opened, read-only where this user may not write, and brought to its schema."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

BUSY_SECONDS = 30.0
"""How long to wait for another process that writes."""


class NewerSchema(Exception):
    """A later version of this program wrote the file.

    Attributes:
        version: of its schema.
    """

    def __init__(self, version: int) -> None:
        super().__init__(f"the file has schema {version}")
        self.version = version


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The tables of a file.

    Attributes:
        version: kept as SQLite's user_version.
        upgrade: given a database and its version, makes the tables of ``version``; 0 is a new file, or one from before
            versions were kept. Runs in a transaction.
        pragmas: for every connection that writes.
    """

    version: int
    upgrade: Callable[[sqlite3.Connection, int], None]
    pragmas: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open file.

    Attributes:
        version: of its schema; less than the schema's where an old file may only be read.
        readonly: whether it can only be read.
    """

    db: sqlite3.Connection
    version: int
    readonly: bool


def connect(file: Path, mode: Literal["rwc", "rw", "ro"]) -> sqlite3.Connection:
    """A connection that threads may share and whose transactions are begun and ended by SQL.

    Args:
        mode: "rwc" creates the file where it is missing.

    Raises:
        sqlite3.Error: it cannot be opened.
    """
    query = f"mode={mode}"
    if mode == "ro" and may_only_read(file) and not file.with_name(f"{file.name}-wal").exists():
        # A WAL database needs its -shm file even for reading; where that can't be made, SQLite takes the file as one
        # that nobody changes. With a -wal beside it, somebody else may be writing just now.
        query = "immutable=1"
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?{query}", uri=True, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None
    )  # fmt: skip


def open_file(file: Path, schema: Schema, *, or_empty: bool = False) -> Opened:
    """Open a file for several processes, every change a transaction that lasts; create it and its folder if need be.

    Args:
        or_empty: where there is no file and none can be made, give an empty one in memory that can only be read.

    Raises:
        NewerSchema: a later version of this program wrote it.
        OSError, sqlite3.Error: it cannot be opened, or is damaged.
    """
    missing = not file.exists()
    readonly = may_only_read(file) and (or_empty or not missing)
    if readonly:
        db = _empty(schema) if missing else connect(file, "ro")
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        db = connect(file, "rwc")
    try:
        version = _version(db)
        if version > schema.version:
            raise NewerSchema(version)
        if not readonly:
            for pragma in ("journal_mode = WAL", "synchronous = FULL", *schema.pragmas):
                db.execute(f"PRAGMA {pragma}")
            version = _upgraded(db, schema)
    except BaseException:
        db.close()
        raise
    return Opened(db=db, version=version, readonly=readonly)


def may_only_read(file: Path) -> bool:
    """Whether this user may not write the file or its folder; False where the folder is missing and could be made."""
    folder = file.parent
    if not folder.exists():
        return False
    return not os.access(folder, os.W_OK) or (file.exists() and not os.access(file, os.W_OK))


def copy(file: Path, to: Path) -> None:
    """One moment of a database, with what lies in its write-ahead log, as a file by itself."""
    with closing(connect(file, "ro" if may_only_read(file) else "rw")) as here, closing(connect(to, "rwc")) as there:
        here.backup(there)
        there.execute("PRAGMA journal_mode = DELETE")


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def _upgraded(db: sqlite3.Connection, schema: Schema) -> int:
    if _version(db) < schema.version:
        db.execute("BEGIN IMMEDIATE")
        try:
            version = _version(db)  # another process may have done it meanwhile
            if version < schema.version:
                schema.upgrade(db, version)
                db.execute(f"PRAGMA user_version = {schema.version}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
    return schema.version


def _empty(schema: Schema) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    _upgraded(db, schema)
    db.execute("PRAGMA query_only = ON")
    return db
