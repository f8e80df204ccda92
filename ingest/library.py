"""The stored sources of a home: one SQLite file, every change a transaction.

A process that is killed at any moment leaves each source either as it was or as it should be.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import BadSource, IngestError, Unwritable
from ingest.source import Source, from_json, to_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (
  id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, source TEXT NOT NULL,
  raw_digest TEXT NOT NULL, path TEXT, folder TEXT, stamp TEXT, overrides TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS by_digest ON sources (raw_digest);
CREATE INDEX IF NOT EXISTS by_path ON sources (path);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_BUSY_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of how a stored source came here.

    Attributes:
        raw_digest: SHA-256 of the bytes it was made from.
        path: absolute path of the file, or the address it was fetched from.
        folder: the folder that was given for ingest, if the file was found in one.
        stamp: size and time of the file when it was read, or the server's validators as JSON.
        overrides: bibliographic data given by the user, kept for re-reading.
    """

    id: str
    fingerprint: str
    raw_digest: str
    path: str | None
    folder: str | None
    stamp: str | None
    overrides: Mapping[str, str]


class Library:
    """Sources by id. Several processes may read and write; several threads may share an instance.

    Every method that writes raises :class:`~ingest.errors.Unwritable` where it can't; what was
    stored before stays.

    Attributes:
        readonly: whether this user may only read here.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.RLock()
        self.readonly = _is_readonly(file)
        try:
            self._db = _open_readonly(file) if self.readonly else _open(file)
        except (OSError, sqlite3.Error) as exc:
            raise IngestError(
                f"the store of sources {file} cannot be opened: {exc}; check the folder's rights and free space"
            ) from exc

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside become permanent together, or none of them."""
        with self._lock:
            self._write("BEGIN IMMEDIATE")
            try:
                yield
                self._write("COMMIT")
            except BaseException:
                if self._db.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._db.execute("ROLLBACK")
                raise

    def put(
        self,
        source: Source,
        *,
        raw_digest: str,
        path: str | None = None,
        folder: str | None = None,
        stamp: str | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> None:
        """Add or replace a source."""
        with self._lock:
            self._write(
                "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    source.id,
                    source.fingerprint,
                    json.dumps(to_json(source)),
                    raw_digest,
                    path,
                    folder,
                    stamp,
                    json.dumps(dict(overrides or {})),
                ),
            )

    def touch(self, source_id: str, *, path: str | None, folder: str | None, stamp: str | None) -> None:
        """Note where an unchanged source lies now."""
        with self._lock:
            self._write(
                "UPDATE sources SET path = ?, folder = ?, stamp = ? WHERE id = ?",
                (path, folder, stamp, source_id),
            )

    def remove(self, source_id: str) -> None:
        """Forget a source.

        Raises:
            BadSource: there is none of this id.
        """
        with self._lock:
            if not self._write("DELETE FROM sources WHERE id = ?", (source_id,)).rowcount:
                raise BadSource(f"there is no source {source_id!r}; 'iskp sources' lists them")

    def get(self, source_id: str) -> Source:
        """The source of this id.

        Raises:
            BadSource: there is none.
        """
        rows = self._query("SELECT source FROM sources WHERE id = ?", source_id)
        if not rows:
            raise BadSource(f"there is no source {source_id!r}; 'iskp sources' lists them")
        return from_json(json.loads(rows[0][0]))

    def __iter__(self) -> Iterator[Source]:
        """All sources by id, one at a time."""
        for (source_id,) in self._query("SELECT id FROM sources ORDER BY id"):
            yield self.get(source_id)

    def fingerprints(self) -> dict[str, str]:
        """Fingerprint of each source by id."""
        return dict(self._query("SELECT id, fingerprint FROM sources ORDER BY id"))

    def records(self) -> list[Record]:
        """How each source came here, by id."""
        return [_record(r) for r in self._query(f"SELECT {_RECORD} FROM sources ORDER BY id")]

    def record(self, source_id: str) -> Record | None:
        """How this source came here, or None."""
        rows = self._query(f"SELECT {_RECORD} FROM sources WHERE id = ?", source_id)
        return _record(rows[0]) if rows else None

    def with_digest(self, raw_digest: str) -> list[Record]:
        """Sources made from exactly these bytes."""
        return [_record(r) for r in self._query(f"SELECT {_RECORD} FROM sources WHERE raw_digest = ?", raw_digest)]

    def with_path(self, path: str) -> Record | None:
        """The source that was read from this path, or None."""
        rows = self._query(f"SELECT {_RECORD} FROM sources WHERE path = ?", path)
        return _record(rows[0]) if rows else None

    def note(self, name: str) -> str | None:
        """A small fact kept about the home, or None."""
        rows = self._query("SELECT value FROM notes WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def set_note(self, name: str, value: str) -> None:
        """Keep a small fact about the home."""
        with self._lock:
            self._write("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def _write(self, sql: str, parameters: Sequence[str | None] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, parameters)
        except sqlite3.OperationalError as exc:
            raise Unwritable(
                f"the store of sources {self._file} cannot be written ({exc}): check free space and the folder's "
                "rights, then try again; nothing that was stored is lost"
            ) from exc

    def _query(self, sql: str, *parameters: str) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()


def _open(file: Path) -> sqlite3.Connection:
    file.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(file, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(_SCHEMA)
    return db


def _open_readonly(file: Path) -> sqlite3.Connection:
    # A WAL database needs its -shm file even for reading; where that can't be made, SQLite takes the
    # file as one that nobody changes. With a -wal beside it, somebody else may be writing just now.
    mode = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "immutable=1"
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?{mode}", uri=True, timeout=_BUSY_SECONDS, check_same_thread=False,
        isolation_level=None,
    )  # fmt: skip


def _is_readonly(file: Path) -> bool:
    return file.exists() and not (os.access(file, os.W_OK) and os.access(file.parent, os.W_OK))


_RECORD = "id, fingerprint, raw_digest, path, folder, stamp, overrides"


def _record(row: tuple) -> Record:  # type: ignore[type-arg]
    return Record(
        id=row[0], fingerprint=row[1], raw_digest=row[2], path=row[3], folder=row[4], stamp=row[5],
        overrides=json.loads(row[6]),
    )  # fmt: skip
