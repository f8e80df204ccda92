"""The stored sources of a home: one SQLite file, every change a transaction.

A process that is killed at any moment leaves each source either as it was or as it should be.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest import sqlite
from ingest.copies import SAME, resemblance, sketch, text_digest, words_of
from ingest.errors import BadSource, IngestError, Unwritable
from ingest.grade import Grade
from ingest.source import Genre, Origin, Source, from_json, to_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (
  id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, source TEXT NOT NULL,
  raw_digest TEXT NOT NULL, path TEXT, folder TEXT, stamp TEXT, overrides TEXT NOT NULL DEFAULT '{}',
  passages INTEGER, text_digest TEXT);
CREATE INDEX IF NOT EXISTS by_digest ON sources (raw_digest);
CREATE INDEX IF NOT EXISTS by_path ON sources (path);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS failures (
  path TEXT PRIMARY KEY, folder TEXT, stamp TEXT, reason TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sketches (
  hash INTEGER NOT NULL, source_id TEXT NOT NULL, PRIMARY KEY (hash, source_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sketches_by_source ON sketches (source_id);
CREATE TABLE IF NOT EXISTS removed (
  id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, source TEXT, raw_digest TEXT NOT NULL, path TEXT, folder TEXT,
  stamp TEXT, overrides TEXT NOT NULL, passages INTEGER, title TEXT NOT NULL, removed_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS removed_by_path ON removed (path);
CREATE INDEX IF NOT EXISTS removed_by_digest ON removed (raw_digest);
CREATE TABLE IF NOT EXISTS grades (
  source_id TEXT PRIMARY KEY, reliability TEXT NOT NULL, credibility INTEGER NOT NULL, reason TEXT NOT NULL, graded_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS snapshots (
  source_id TEXT NOT NULL, digest TEXT NOT NULL, url TEXT NOT NULL, media_type TEXT NOT NULL, fetched_at TEXT NOT NULL,
  seen_at TEXT NOT NULL, size INTEGER NOT NULL, packed BLOB NOT NULL, PRIMARY KEY (source_id, digest));
CREATE TABLE IF NOT EXISTS feeds (
  url TEXT PRIMARY KEY, title TEXT NOT NULL, added_at TEXT NOT NULL, fetched_at TEXT, stamp TEXT, trouble TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS entries (
  feed TEXT NOT NULL REFERENCES feeds (url), id TEXT NOT NULL, url TEXT NOT NULL, title TEXT NOT NULL, date TEXT, source_id TEXT,
  at TEXT, tries INTEGER NOT NULL, trouble TEXT NOT NULL, PRIMARY KEY (feed, id));
"""
SCHEMA_VERSION = 5
"""Kept as SQLite's user_version; 0 is a store from before versions were kept, with the tables of 1.

2 adds passage counts, sketches of the texts, and the files that could not be read. 3 adds what the user removed. 4 adds grades.
5 adds snapshots of what was fetched, and feeds.
"""
KEPT_DAYS = 30
"""How long the text of a removed source is kept, to bring it back."""
MOST_SNAPSHOTS = 20
"""Of one source; the oldest leave first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of how a stored source came here.

    Attributes:
        raw_digest: SHA-256 of the bytes it was made from.
        path: absolute path of the file, or the address it was fetched from.
        folder: the folder that was given for ingest, if the file was found in one.
        stamp: size and time of the file when it was read, or the server's validators as JSON.
        overrides: bibliographic data given by the user, kept for re-reading.
        passages: how many passages it came to when it was read; None when that was not counted.
    """

    id: str
    fingerprint: str
    raw_digest: str
    path: str | None
    folder: str | None
    stamp: str | None
    overrides: Mapping[str, str]
    passages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What an address gave, byte for byte.

    Attributes:
        digest: SHA-256 of the bytes.
        url: the address that gave them in the end, after its redirects.
        fetched_at: ISO time in UTC at which these bytes came first; at ``seen_at`` the address gave them last.
        size: bytes.
    """

    source_id: str
    digest: str
    url: str
    media_type: str
    fetched_at: str
    seen_at: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A feed whose pages are added.

    Attributes:
        fetched_at: ISO time in UTC at which it came last; None before the first time.
        stamp: the server's validators as JSON.
        trouble: what went wrong the last time, one clause; empty when nothing did.
    """

    url: str
    title: str
    added_at: str
    fetched_at: str | None = None
    stamp: str | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of a feed.

    Attributes:
        feed: address of the feed, in which ``id`` is its own.
        date: ISO day that the feed gives.
        source_id: the source of its page; None as long as that is not here.
        at: ISO time in UTC at which it came.
        tries: how often it was tried without success.
    """

    feed: str
    id: str
    url: str
    title: str
    date: str | None = None
    source_id: str | None = None
    at: str | None = None
    tries: int = 0
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A file that could not become a source, remembered so that it is read again only when it changed.

    Attributes:
        path: absolute path.
        folder: the mirrored folder that it was found in, if any.
        stamp: size and time of the file when it was tried; None when it could not even be opened.
        reason: one clause for the user.
    """

    path: str
    folder: str | None
    stamp: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """A source that the user removed, and that stays away until it is asked for or its file changes.

    Attributes:
        record: how it had come here.
        removed_at: seconds since 1970.
        has_text: whether its text is still kept; see :data:`KEPT_DAYS`.
    """

    record: Record
    title: str
    removed_at: float
    has_text: bool


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
        try:
            opened = sqlite.open_file(file, sqlite.Schema(version=SCHEMA_VERSION, upgrade=_upgrade))
        except sqlite.NewerSchema as exc:
            raise IngestError(
                f"the store of sources {file} is of version {exc.version}, and this program reads up to {SCHEMA_VERSION}; "
                "update iskp-qa, or choose another --home"
            ) from exc
        except (OSError, sqlite3.Error) as exc:
            raise IngestError(
                f"the store of sources {file} cannot be opened: {exc}; check the folder's rights and free space"
            ) from exc
        self._db, self.readonly = opened.db, opened.readonly
        # An older store that may only be read cannot be brought up to date.
        self._keeps_removed = opened.version >= 3
        self._keeps_grades = opened.version >= 4
        self._keeps_snapshots = opened.version >= 5
        self._columns = _RECORD if opened.version >= 2 else f"{_OLD_RECORD}, NULL"

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
        passages: int | None = None,
    ) -> None:
        """Add or replace a source."""
        words = words_of(source)
        with self._together():
            self._write(
                f"INSERT OR REPLACE INTO sources ({_RECORD}, source, text_digest) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    source.id,
                    source.fingerprint,
                    raw_digest,
                    path,
                    folder,
                    stamp,
                    json.dumps(dict(overrides or {})),
                    passages,
                    json.dumps(to_json(source)),
                    text_digest(words),
                ),
            )
            self._put_sketch(source.id, words)
            self._write("DELETE FROM removed WHERE id = ? OR path = ?", (source.id, path))
            if path is not None:
                self.forget_failure(path)

    def touch(self, source_id: str, *, path: str | None, folder: str | None, stamp: str | None) -> None:
        """Note where an unchanged source lies now."""
        with self._together():
            self._write("DELETE FROM removed WHERE path = ?", (path,))
            self._write(
                "UPDATE sources SET path = ?, folder = ?, stamp = ? WHERE id = ?",
                (path, folder, stamp, source_id),
            )

    def count_passages(self, source_id: str, passages: int) -> None:
        """Note to how many passages a source came."""
        with self._lock:
            self._write("UPDATE sources SET passages = ? WHERE id = ?", (passages, source_id))

    def remove(self, source_id: str) -> None:
        """Forget a source.

        Raises:
            BadSource: there is none of this id.
        """
        with self._together():
            if not self._write("DELETE FROM sources WHERE id = ?", (source_id,)).rowcount:
                raise BadSource(f"there is no source {source_id!r}; 'iskp sources' lists them")
            self._write("DELETE FROM sketches WHERE source_id = ?", (source_id,))
            # Of what may come back, the bytes stay as long as the text.
            self._write("DELETE FROM snapshots WHERE source_id = ? AND source_id NOT IN (SELECT id FROM removed)", (source_id,))

    def set_aside(self, source_id: str, *, now: float) -> None:
        """Remove a source at the user's wish: it is remembered as removed, and its text kept for a while.

        Args:
            now: seconds since 1970.

        Raises:
            BadSource: there is none of this id.
        """
        with self._together():
            title = self.get(source_id).title
            self._write(
                f"INSERT OR REPLACE INTO removed ({_RECORD}, source, title, removed_at) "
                f"SELECT {_RECORD}, source, ?, ? FROM sources WHERE id = ?",
                (title, now, source_id),
            )
            self.remove(source_id)

    def removed(
        self, *, source_id: str | None = None, path: str | None = None, raw_digest: str | None = None
    ) -> list[Removed]:
        """What the user removed, by id; with an argument, only what has this id, path or digest."""
        if not self._keeps_removed:
            return []
        wanted = {k: v for k, v in (("id", source_id), ("path", path), ("raw_digest", raw_digest)) if v is not None}
        where = " AND ".join(f"{column} = ?" for column in wanted) or "1"
        rows = self._query(
            f"SELECT {_RECORD}, title, removed_at, source IS NOT NULL FROM removed WHERE {where} ORDER BY id",
            *wanted.values(),
        )
        return [Removed(record=_record(r), title=r[8], removed_at=r[9], has_text=bool(r[10])) for r in rows]

    def removed_source(self, source_id: str) -> Source | None:
        """The kept text of a removed source, or None."""
        rows = self._query("SELECT source FROM removed WHERE id = ? AND source IS NOT NULL", source_id)
        return from_json(json.loads(rows[0][0])) if rows else None

    def touch_removed(self, source_id: str, *, path: str, folder: str | None, stamp: str | None) -> None:
        """Note where the unchanged file of a removed source lies now."""
        with self._lock:
            self._write(
                "UPDATE removed SET path = ?, folder = ?, stamp = ? WHERE id = ?", (path, folder, stamp, source_id)
            )

    def forget_removed(self, source_id: str, *, text_only: bool = False) -> None:
        """Forget a removal, or only the text that was kept; an unknown id is ignored."""
        with self._lock:
            if text_only:
                self._write("UPDATE removed SET source = NULL WHERE id = ?", (source_id,))
            else:
                self._write("DELETE FROM removed WHERE id = ?", (source_id,))
            self._write("DELETE FROM snapshots WHERE source_id = ? AND source_id NOT IN (SELECT id FROM sources)", (source_id,))

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

    def count(self, origin: Origin, *, without: Genre) -> int:
        """How many sources came here in this way, those of one genre left out."""
        query = (
            "SELECT COUNT(*) FROM sources WHERE json_extract(source, '$.origin') = ? AND json_extract(source, '$.genre') != ?"
        )
        return int(self._query(query, origin, without)[0][0])

    def fingerprints(self) -> dict[str, str]:
        """Fingerprint of each source by id."""
        return dict(self._query("SELECT id, fingerprint FROM sources ORDER BY id"))

    def records(self) -> list[Record]:
        """How each source came here, by id."""
        return [_record(r) for r in self._query(f"SELECT {self._columns} FROM sources ORDER BY id")]

    def record(self, source_id: str) -> Record | None:
        """How this source came here, or None."""
        rows = self._query(f"SELECT {self._columns} FROM sources WHERE id = ?", source_id)
        return _record(rows[0]) if rows else None

    def with_digest(self, raw_digest: str) -> list[Record]:
        """Sources made from exactly these bytes."""
        return [
            _record(r) for r in self._query(f"SELECT {self._columns} FROM sources WHERE raw_digest = ?", raw_digest)
        ]

    def with_path(self, path: str) -> Record | None:
        """The source that was read from this path, or None."""
        rows = self._query(f"SELECT {self._columns} FROM sources WHERE path = ?", path)
        return _record(rows[0]) if rows else None

    def same_text(self, source: Source) -> tuple[str, float] | None:
        """Another stored source with the same body text and how much of it is the same, or None.

        Returns:
            Its id and the share of common word sequences, from :data:`ingest.copies.SAME` to 1.0;
            1.0 only when all words are equal. The most alike one where there are several.
        """
        self._sketch_the_rest()
        words = words_of(source)
        equal = self._query(
            "SELECT id FROM sources WHERE text_digest = ? AND id <> ? ORDER BY id", text_digest(words), source.id
        )
        if equal:
            return str(equal[0][0]), 1.0
        hashes = sketch(words)
        marks = ", ".join("?" * len(hashes))
        candidates = self._query(
            f"SELECT source_id FROM sketches WHERE hash IN ({marks}) AND source_id <> ? "
            "GROUP BY source_id HAVING COUNT(*) >= ? ORDER BY COUNT(*) DESC, source_id LIMIT 5",
            *hashes, source.id, len(hashes) // 2,
        )  # fmt: skip
        found = [(str(row[0]), resemblance(words, words_of(self.get(str(row[0]))))) for row in candidates]
        best = max(found, key=lambda pair: pair[1], default=None)
        return (best[0], min(best[1], 0.999)) if best and best[1] >= SAME else None

    def failures(self) -> list[Failure]:
        """Files that could not be read and have not changed since, by path."""
        try:
            rows = self._query("SELECT path, folder, stamp, reason FROM failures ORDER BY path")
        except sqlite3.OperationalError:  # a read-only store from before failures were kept
            return []
        return [Failure(path=r[0], folder=r[1], stamp=r[2], reason=r[3]) for r in rows]

    def put_failure(self, failure: Failure) -> None:
        """Remember a file that could not be read."""
        with self._lock:
            self._write(
                "INSERT OR REPLACE INTO failures (path, folder, stamp, reason) VALUES (?, ?, ?, ?)",
                (failure.path, failure.folder, failure.stamp, failure.reason),
            )

    def forget_failure(self, path: str) -> None:
        """Forget that a file could not be read; an unknown path is ignored."""
        # Looked up first: this is asked of every unchanged file, and most never failed.
        with self._lock:
            if self._query("SELECT 1 FROM failures WHERE path = ?", path):
                self._write("DELETE FROM failures WHERE path = ?", (path,))

    def grades(self) -> dict[str, Grade]:
        """What a curator thinks of the sources, by id; those without a grade are left out.

        A grade stays while its source is updated, or removed and brought back.
        """
        if not self._keeps_grades:
            return {}
        rows = self._query("SELECT source_id, reliability, credibility, reason, graded_at FROM grades ORDER BY source_id")
        return {i: Grade(reliability=r, credibility=c, reason=why, graded_at=at) for i, r, c, why, at in rows}

    def set_grade(self, source_id: str, grade: Grade | None) -> None:
        """Grade a source, or take its grade away.

        Raises:
            BadSource: there is none of this id.
        """
        with self._together():
            self.get(source_id)
            self._write("DELETE FROM grades WHERE source_id = ?", (source_id,))
            if grade is not None:
                self._write(
                    "INSERT INTO grades (source_id, reliability, credibility, reason, graded_at) VALUES (?, ?, ?, ?, ?)",
                    (source_id, grade.reliability, grade.credibility, grade.reason, grade.graded_at),
                )

    def keep_snapshot(self, source_id: str, data: bytes, *, url: str, media_type: str, at: str) -> None:
        """Keep what an address gave; bytes that it gave before are kept once.

        Args:
            at: ISO time in UTC at which it gave them.
        """
        digest = hashlib.sha256(data).hexdigest()
        with self._together():
            if self.snapshot_seen(source_id, digest, at):
                return
            self._write(
                "INSERT INTO snapshots (source_id, digest, url, media_type, fetched_at, seen_at, size, packed) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (source_id, digest, url, media_type, at, at, len(data), zlib.compress(data)),
            )
            self._write(
                "DELETE FROM snapshots WHERE source_id = ? AND digest NOT IN "
                "(SELECT digest FROM snapshots WHERE source_id = ? ORDER BY seen_at DESC, rowid DESC LIMIT ?)",
                (source_id, source_id, MOST_SNAPSHOTS),
            )

    def snapshot_seen(self, source_id: str, digest: str, at: str) -> bool:
        """Note that an address gave the same bytes again; False where they are not kept."""
        with self._lock:
            return bool(
                self._write("UPDATE snapshots SET seen_at = ? WHERE source_id = ? AND digest = ?", (at, source_id, digest)).rowcount
            )

    def snapshots(self, source_id: str | None = None) -> list[Snapshot]:
        """What addresses gave, of one source or of all, by source and time."""
        if not self._keeps_snapshots:
            return []
        where, values = ("WHERE source_id = ?", (source_id,)) if source_id is not None else ("", ())
        rows = self._query(
            f"SELECT source_id, digest, url, media_type, fetched_at, seen_at, size FROM snapshots {where} ORDER BY source_id, fetched_at, rowid",
            *values,
        )
        return [
            Snapshot(source_id=r[0], digest=r[1], url=r[2], media_type=r[3], fetched_at=r[4], seen_at=r[5], size=r[6]) for r in rows
        ]

    def snapshot(self, source_id: str, digest: str) -> bytes | None:
        """The bytes of a snapshot; None where they are not kept."""
        if not self._keeps_snapshots:
            return None
        rows = self._query("SELECT packed FROM snapshots WHERE source_id = ? AND digest = ?", source_id, digest)
        return zlib.decompress(rows[0][0]) if rows else None

    def feeds(self) -> list[Feed]:
        """The feeds in the order in which they were added."""
        if not self._keeps_snapshots:
            return []
        rows = self._query("SELECT url, title, added_at, fetched_at, stamp, trouble FROM feeds ORDER BY rowid")
        return [Feed(url=r[0], title=r[1], added_at=r[2], fetched_at=r[3], stamp=r[4], trouble=r[5]) for r in rows]

    def put_feed(self, feed: Feed) -> None:
        """Add or replace a feed."""
        with self._lock:
            self._write(
                "INSERT INTO feeds (url, title, added_at, fetched_at, stamp, trouble) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (url) DO UPDATE "
                "SET title = excluded.title, fetched_at = excluded.fetched_at, stamp = excluded.stamp, trouble = excluded.trouble",
                (feed.url, feed.title, feed.added_at, feed.fetched_at, feed.stamp, feed.trouble),
            )

    def remove_feed(self, url: str) -> None:
        """Forget a feed and its entries; the sources that came from it stay.

        Raises:
            BadSource: it is not followed.
        """
        with self._together():
            if not self._write("DELETE FROM feeds WHERE url = ?", (url,)).rowcount:
                raise BadSource(f"the feed {url} is not followed; 'iskp feed list' lists those that are")
            self._write("DELETE FROM entries WHERE feed = ?", (url,))

    def entries(self, feed: str) -> list[Entry]:
        """The entries of a feed in the order in which they were noted."""
        if not self._keeps_snapshots:
            return []
        rows = self._query(
            "SELECT feed, id, url, title, date, source_id, at, tries, trouble FROM entries WHERE feed = ? ORDER BY rowid", feed
        )
        return [
            Entry(feed=r[0], id=r[1], url=r[2], title=r[3], date=r[4], source_id=r[5], at=r[6], tries=r[7], trouble=r[8]) for r in rows
        ]

    def put_entry(self, entry: Entry) -> None:
        """Add or replace an entry."""
        with self._lock:
            self._write(
                "INSERT INTO entries (feed, id, url, title, date, source_id, at, tries, trouble) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (feed, id) DO UPDATE SET source_id = excluded.source_id, at = excluded.at, tries = excluded.tries, trouble = excluded.trouble",
                (entry.feed, entry.id, entry.url, entry.title, entry.date, entry.source_id, entry.at, entry.tries, entry.trouble),
            )

    def note(self, name: str) -> str | None:
        """A small fact kept about the home, or None."""
        rows = self._query("SELECT value FROM notes WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def set_note(self, name: str, value: str) -> None:
        """Keep a small fact about the home."""
        with self._lock:
            self._write("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def _put_sketch(self, source_id: str, words: list[str]) -> None:
        self._write("DELETE FROM sketches WHERE source_id = ?", (source_id,))
        for value in sketch(words):
            self._write("INSERT INTO sketches (hash, source_id) VALUES (?, ?)", (value, source_id))

    def _sketch_the_rest(self) -> None:
        """Give the sources that were stored before sketches were kept theirs."""
        for (source_id,) in self._query("SELECT id FROM sources WHERE text_digest IS NULL"):
            words = words_of(self.get(source_id))
            with self._together():
                self._put_sketch(source_id, words)
                self._write("UPDATE sources SET text_digest = ? WHERE id = ?", (text_digest(words), source_id))

    @contextmanager
    def _together(self) -> Iterator[None]:
        with self._lock:
            if self._db.in_transaction:
                yield
            else:
                with self.transaction():
                    yield

    def _write(self, sql: str, parameters: Sequence[str | float | bytes | None] = ()) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, parameters)
        except sqlite3.OperationalError as exc:
            raise Unwritable(
                f"the store of sources {self._file} cannot be written ({exc}): check free space and the folder's "
                "rights, then try again; nothing that was stored is lost"
            ) from exc

    def _query(self, sql: str, *parameters: str | int) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            return self._db.execute(sql, parameters).fetchall()


def _upgrade(db: sqlite3.Connection, _version: int) -> None:
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
    known = {row[1] for row in db.execute("PRAGMA table_info(sources)")}
    for column in ("passages INTEGER", "text_digest TEXT"):
        if column.split()[0] not in known:
            db.execute(f"ALTER TABLE sources ADD COLUMN {column}")
    db.execute("CREATE INDEX IF NOT EXISTS by_text ON sources (text_digest)")


_OLD_RECORD = "id, fingerprint, raw_digest, path, folder, stamp, overrides"
_RECORD = f"{_OLD_RECORD}, passages"


def _record(row: tuple) -> Record:  # type: ignore[type-arg]
    return Record(
        id=row[0], fingerprint=row[1], raw_digest=row[2], path=row[3], folder=row[4], stamp=row[5],
        overrides=json.loads(row[6]), passages=row[7],
    )  # fmt: skip
