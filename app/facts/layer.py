"""The fact layer of a home: one SQLite file that is filled behind the index, source by source, and asked by filters.

A process that is killed at any moment leaves each source either read or not read.
"""

from __future__ import annotations

import json
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from app.errors import AppError
from app.facts.extract import VERSION, Mark, Sentence, read_each, readable
from index.terms import Vocabulary
from ingest import sqlite
from ingest.errors import BadSource
from ingest.library import Library
from ingest.source import Source

FILE = "facts.db"
_SCHEMA = """
CREATE TABLE sources (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, language_read INTEGER NOT NULL);
CREATE TABLE sentences (
  number INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE, start INTEGER NOT NULL, end INTEGER NOT NULL,
  locator TEXT NOT NULL, aspect TEXT NOT NULL, denied INTEGER NOT NULL, hedged INTEGER NOT NULL);
CREATE INDEX sentences_by_place ON sentences (source, start);
CREATE TABLE marks (
  sentence INTEGER NOT NULL REFERENCES sentences ON DELETE CASCADE, kind TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
  name TEXT NOT NULL, first INTEGER, last INTEGER, relation TEXT NOT NULL, low REAL, high REAL, value REAL, unit TEXT NOT NULL,
  part INTEGER NOT NULL, told INTEGER NOT NULL, said_start INTEGER, said_end INTEGER);
CREATE INDEX marks_by_sentence ON marks (sentence);
CREATE INDEX marks_by_name ON marks (kind, name);
CREATE INDEX marks_by_time ON marks (first, last) WHERE kind = 'time'
"""
SCHEMA_VERSION = 1
_MARK = tuple(f.name for f in fields(Mark))
_NAMED = ("person", "group", "place")
_AMONG = "IN (SELECT value FROM json_each(?))"
"""A list of any length as one value; SQLite takes 32,766 values in a statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a fill is.

    Attributes:
        done: sources read, the one under way in part.
        total: sources of the home that are read or to be read.
        sentences: read by this fill.
    """

    done: float
    total: int
    sentences: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.done / self.total if self.total else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a fill did.

    Attributes:
        read, removed: sources.
        complete: False where it was stopped.
    """

    read: int
    removed: int
    sentences: int
    seconds: float
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of a home is read.

    Attributes:
        done, total: sources.
        unread: ids of sources in languages that are not read; they count as done.
    """

    done: int
    total: int
    unread: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every source is read as it is now."""
        return self.done == self.total


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which sentences to list; what is left open does not matter.

    Attributes:
        holder, place, name: whole words of a name; every spelling that the home's terms know finds it. ``name`` is a person, a group or
            a place.
        first, last: days as YYYYMMDD numbers; sentences that name a time which shares a day with them.
        figures: only sentences with figures.
        aspect: "event" or "state".
        limit: most sentences; None for all.
    """

    sources: tuple[str, ...] = ()
    holder: str = ""
    place: str = ""
    name: str = ""
    first: int | None = None
    last: int | None = None
    figures: bool = False
    aspect: str = ""
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A sentence with what it names and its words."""

    source_id: str
    sentence: Sentence
    text: str


class FactLayer:
    """What the sentences of a home say. Several processes may read and fill; threads may share an instance.

    Raises:
        AppError: the file cannot be opened.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.RLock()
        self._filling = threading.Lock()
        try:
            opened = sqlite.open_file(
                file, sqlite.Schema(version=SCHEMA_VERSION, upgrade=_upgrade, pragmas=("foreign_keys = ON",)), or_empty=True
            )
        except sqlite.NewerSchema as exc:
            raise AppError(
                f"the fact layer {file} is of version {exc.version}, and this program reads up to {SCHEMA_VERSION}; update iskp-qa, "
                f"or delete {file.name}* there and run: iskp index"
            ) from exc
        except (OSError, sqlite3.Error) as exc:
            raise AppError(f"the fact layer {file} cannot be opened: {exc}; delete {file.name}* there and run: iskp index") from exc
        self._db, self.readonly = opened.db, opened.readonly

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def coverage(self, library: Library, vocabulary: Vocabulary) -> Coverage:
        """How much of the library is read as it is now."""
        wanted = _states(library, vocabulary)
        known = {i: (state, bool(read)) for i, state, read in self._rows("SELECT id, state, language_read FROM sources")}
        current = [i for i, state in wanted.items() if i in known and known[i][0] == state]
        return Coverage(done=len(current), total=len(wanted), unread=tuple(i for i in current if not known[i][1]))

    def fill(
        self,
        library: Library,
        vocabulary: Vocabulary,
        progress: Callable[[Progress], None] = lambda _: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Filled:
        """Read what is not read yet, and forget what is gone; each source is one transaction. Threads fill one after the other.

        Args:
            stop: asked before each sentence; when true, the source under way is left unread, and the next fill goes on there.

        Raises:
            AppError: this user may not write here, or the disk is full.
        """
        if self.readonly:
            raise AppError("the fact layer can only be read by this user; fill it as the user who owns the home")
        with self._filling:
            return self._fill(library, vocabulary, progress, stop)

    def _fill(self, library: Library, vocabulary: Vocabulary, progress: Callable[[Progress], None], stop: Callable[[], bool]) -> Filled:
        began = time.perf_counter()
        wanted = _states(library, vocabulary)
        known = dict(self._rows("SELECT id, state FROM sources"))
        todo = [i for i, state in wanted.items() if known.get(i) != state]
        done, read, count, complete = len(wanted) - len(todo), 0, 0, False
        gone = self.forget(library)
        progress(Progress(done=done, total=len(wanted), sentences=0))
        for source, reading in read_each(_there(library, todo), vocabulary):
            found: list[Sentence] = []
            for sentence in reading:
                if stop():
                    break
                found.append(sentence)
                progress(Progress(done=done + min(0.99, sentence.end / len(source.text)), total=len(wanted), sentences=count + len(found)))
            if stop():
                break
            self._put(source.id, _state(source.fingerprint, vocabulary), found, language_read=readable(source))
            done, read, count = done + 1, read + 1, count + len(found)
            progress(Progress(done=done, total=len(wanted), sentences=count))
        else:
            complete = True
        seconds = time.perf_counter() - began
        return Filled(read=read, removed=gone, sentences=count, seconds=round(seconds, 2), complete=complete)

    def forget(self, library: Library) -> int:
        """Take out what is no more in the library; how many sources that were.

        Raises:
            AppError: it cannot be written.
        """
        there = library.fingerprints()
        gone = [i for (i,) in self._rows("SELECT id FROM sources") if i not in there]
        if gone:
            with self._transaction():
                self._db.execute(f"DELETE FROM sources WHERE id {_AMONG}", (json.dumps(gone),))
        return len(gone)

    def find(self, library: Library, vocabulary: Vocabulary, wanted: Wanted = Wanted()) -> list[Fact]:
        """The sentences that fit, by source and place; with a time asked for, by time.

        Sources that were changed or removed since they were read are left out.
        """
        where: list[str] = ["1"]
        values: list[Any] = []

        def among(column: str, options: Sequence[str]) -> str:
            values.append(json.dumps(options))
            return f"{column} {_AMONG}"

        states = _states(library, vocabulary)
        current = [i for i, state in self._rows("SELECT id, state FROM sources") if states.get(i) == state]
        if wanted.sources or len(current) < self._rows("SELECT COUNT(*) FROM sources")[0][0]:
            where.append(among("o.id", [i for i in current if not wanted.sources or i in wanted.sources]))
        for kinds, name in ((("holder",), wanted.holder), (("place",), wanted.place), (_NAMED, wanted.name)):
            if name:
                names = self._spelled(kinds, name, vocabulary)
                kind_list = ", ".join(f"'{k}'" for k in kinds)
                where.append(f"s.number IN (SELECT sentence FROM marks WHERE kind IN ({kind_list}) AND {among('name', names)})")
        timed = wanted.first is not None or wanted.last is not None
        when = "(SELECT MIN(t.first) FROM marks t WHERE t.sentence = s.number AND t.kind = 'time' AND t.last >= ? AND t.first <= ?)"
        bounds = (wanted.first or 0, wanted.last or 99991231)
        if timed:
            where.append(f"{when} IS NOT NULL")
            values.extend(bounds)
        if wanted.figures:
            where.append("s.number IN (SELECT sentence FROM marks WHERE kind = 'figure')")
        if wanted.aspect:
            where.append("s.aspect = ?")
            values.append(wanted.aspect)
        order = f"{when}, o.id, s.start" if timed else "o.id, s.start"
        values.extend(bounds if timed else ())
        limit = "" if wanted.limit is None else f" LIMIT {int(wanted.limit)}"
        rows = self._rows(
            "SELECT o.id, s.number, s.start, s.end, s.locator, s.aspect, s.denied, s.hedged FROM sentences s JOIN sources o ON o.number = s.source "
            f"WHERE {' AND '.join(where)} ORDER BY {order}{limit}", *values,
        )  # fmt: skip
        marks = self._marks([r[1] for r in rows])
        texts = {i: library.get(i).text for i in {r[0] for r in rows}}
        return [
            Fact(source_id=r[0], text=texts[r[0]][r[2] : r[3]], sentence=_sentence(r[2:], marks.get(r[1], [])))
            for r in rows
        ]  # fmt: skip

    def within(self, source_id: str, start: int, end: int) -> list[Sentence]:
        """The sentences of a source that begin in a stretch of it, in order; none where it is not read."""
        rows = self._rows(
            "SELECT s.number, s.start, s.end, s.locator, s.aspect, s.denied, s.hedged FROM sentences s JOIN sources o ON o.number = s.source "
            "WHERE o.id = ? AND s.start >= ? AND s.start < ? ORDER BY s.start", source_id, start, end,
        )  # fmt: skip
        marks = self._marks([r[0] for r in rows])
        return [_sentence(r[1:], marks.get(r[0], [])) for r in rows]

    def _spelled(self, kinds: Sequence[str], name: str, vocabulary: Vocabulary) -> list[str]:
        """Names of the layer that hold the one asked for, in any spelling, as whole words."""
        spellings = "|".join(re.escape(s) for s in vocabulary.aliases(name.strip()))
        pattern = re.compile(rf"(?<!\w)(?:{spellings})(?!\w)", re.I)
        marks = ", ".join("?" * len(kinds))
        return [n for (n,) in self._rows(f"SELECT DISTINCT name FROM marks WHERE kind IN ({marks})", *kinds) if pattern.search(n)]

    def _marks(self, numbers: Sequence[int]) -> dict[int, list[Mark]]:
        found: dict[int, list[Mark]] = {}
        query = f"SELECT sentence, {', '.join(_MARK)} FROM marks WHERE sentence {_AMONG} ORDER BY rowid"
        for number, *values in self._rows(query, json.dumps(numbers)):
            given = dict(zip(_MARK, values, strict=True))
            mark = Mark(**{**given, "part": bool(given["part"]), "told": bool(given["told"])})
            found.setdefault(number, []).append(mark)
        return found

    def _put(self, source_id: str, state: str, found: Sequence[Sentence], *, language_read: bool) -> None:
        with self._transaction():
            self._db.execute("DELETE FROM sources WHERE id = ?", (source_id,))
            row = self._db.execute(
                "INSERT INTO sources (id, state, language_read) VALUES (?, ?, ?)", (source_id, state, language_read)
            )
            number = row.lastrowid
            for s in found:
                made = self._db.execute(
                    "INSERT INTO sentences (source, start, end, locator, aspect, denied, hedged) VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (number, s.start, s.end, s.locator, s.aspect, s.denied, s.hedged),
                )
                self._db.executemany(
                    f"INSERT INTO marks (sentence, {', '.join(_MARK)}) VALUES (?{', ?' * len(_MARK)})",
                    [(made.lastrowid, *(getattr(m, name) for name in _MARK)) for m in s.marks],
                )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException as exc:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                if isinstance(exc, sqlite3.OperationalError):
                    raise AppError(
                        f"the fact layer cannot be written ({exc}): check free space and the folder's rights, then run: iskp index"
                    ) from exc
                raise

    def _rows(self, query: str, *values: Any) -> list[Any]:
        with self._lock:
            try:
                return self._db.execute(query, values).fetchall()
            except sqlite3.DatabaseError as exc:
                raise AppError(f"the fact layer {self._file} cannot be read ({exc}); delete {FILE}* there and run: iskp index") from exc


def _sentence(row: Sequence[Any], marks: Sequence[Mark]) -> Sentence:
    start, end, locator, aspect, denied, hedged = row
    return Sentence(
        start=start, end=end, locator=locator, aspect=aspect, denied=bool(denied), hedged=bool(hedged), marks=tuple(marks)
    )  # fmt: skip


def _there(library: Library, source_ids: Iterable[str]) -> Iterator[Source]:
    for source_id in source_ids:
        with suppress(BadSource):  # removed meanwhile
            yield library.get(source_id)


def _states(library: Library, vocabulary: Vocabulary) -> dict[str, str]:
    return {i: _state(fingerprint, vocabulary) for i, fingerprint in library.fingerprints().items()}


def _state(fingerprint: str, vocabulary: Vocabulary) -> str:
    """What facts of a source follow from: its content, the extraction, and the spellings of the home."""
    return f"{VERSION}:{vocabulary.fingerprint}:{fingerprint}"


def _upgrade(db: sqlite3.Connection, _version: int) -> None:
    for statement in _SCHEMA.split(";"):
        db.execute(statement)
