"""What an index holds besides vectors, in one SQLite file: sources, passages, their words, and which vectors are theirs.

Every change is one transaction, and a reader keeps the state that it opened (SQLite's write-ahead log): a commit is the
moment at which readers may see a new index, and a writer that is killed before it changed nothing.

Single words are scored by :mod:`index.postings`. SQLite's FTS5 finds phrases.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import Damaged
from index.postings import CONTEXT_WEIGHT, TOKENIZER, Posting, Words, bm25, merged, top
from index.words import forms
from ingest import sqlite
from ingest.chunk import Passage
from ingest.dates import date_bounds
from ingest.language import of_passage
from ingest.source import CONTEXT_ROLES, Source, from_json, to_json

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS sources (
  number INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, fingerprint TEXT NOT NULL, passages INTEGER NOT NULL,
  facts TEXT NOT NULL, genre TEXT, since INTEGER, until INTEGER);
CREATE TABLE IF NOT EXISTS passages (
  number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, source INTEGER NOT NULL, body TEXT NOT NULL,
  context TEXT NOT NULL, digest TEXT NOT NULL, place TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS passages_of ON passages (source);
CREATE TABLE IF NOT EXISTS rows (
  number INTEGER PRIMARY KEY, source INTEGER NOT NULL, words INTEGER NOT NULL, part INTEGER NOT NULL,
  row INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS parts (number INTEGER PRIMARY KEY AUTOINCREMENT, rows INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS segments (number INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS postings (
  segment INTEGER NOT NULL, term TEXT NOT NULL, data BLOB NOT NULL, PRIMARY KEY (segment, term));
CREATE VIRTUAL TABLE IF NOT EXISTS lexical USING fts5(
  body, context, content = "passages", content_rowid = "number", columnsize = 1, tokenize = "{TOKENIZER}");
CREATE VIRTUAL TABLE IF NOT EXISTS around USING fts5(source_id UNINDEXED, body, tokenize = "{TOKENIZER}");
CREATE TABLE IF NOT EXISTS languages (
  source_id TEXT NOT NULL, language TEXT NOT NULL, PRIMARY KEY (source_id, language)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS view (number INTEGER NOT NULL);
"""
_FORMS = "\x1e"
"""In a body, between a text in another language than English and the folded and stemmed forms of its words."""
_WORD = re.compile(r"\w+", re.UNICODE)
SCORED_AT_MOST = 200_000
"""Matches from which the commonest words of a question are left out; to score so many takes some milliseconds."""
GROWTH = 4
"""What is new takes over older pieces up to so many times its size: few pieces, and each row is copied few times."""
_PENDING = 4_000
"""Passages whose words are indexed at once."""
_COUNTS_KEPT = 50_000
_PLACE = ("start", "end", "ordinal", "role", "number", "locator", "claim_status", "claimed_by", "via")
_PASSAGE = "p.id, s.id, p.body, p.context, p.place FROM passages AS p JOIN sources AS s ON s.number = p.source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What :meth:`Catalog.put` did to the passages of a source.

    Attributes:
        added, updated, skipped, deleted: passages.
        to_embed: new ones and those whose embedded text is another now, in text order.
    """

    added: int = 0
    updated: int = 0
    skipped: int = 0
    deleted: int = 0
    to_embed: tuple[Passage, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """The passages that are there, in arrays by number (0 is none).

    Attributes:
        count: how many passages there are.
        source: number of the source; 0 where there is no passage.
        words: how many words a passage has with title and headings.
        part, row: where its vector lies; part 0 while it has none.
    """

    count: int
    source: NDArray[np.uint32]
    words: NDArray[np.uint32]
    part: NDArray[np.uint32]
    row: NDArray[np.uint32]

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Whether there is a passage, by number."""
        return self.source > 0


class Catalog:
    """The catalog of an index.

    Readers open it read-only and see it as it was then, whatever is written later; several threads may use one instance.
    Reading raises :class:`~index.errors.Damaged` when the file is missing or broken.
    """

    def __init__(self, file: Path, *, readonly: bool = False, building: bool = False) -> None:
        """Open it; ``building``: nobody reads it yet, so it is written without safety against a crash until :meth:`settle`."""
        self._file = file
        self._readonly = readonly
        self._unchanged = building
        """Whether every passage that was ever put is still there."""
        try:
            self._db = sqlite.connect(file, "ro" if readonly else "rwc")
        except sqlite3.Error as exc:
            raise self._damaged(exc) from exc
        self._lock = threading.RLock()
        self._counts: dict[str, int] | None = {} if readonly else None
        """How many passages hold a phrase, once it was asked; what a reader sees never changes."""
        self._kept: Rows | None = None
        self._pending: list[tuple[int, str, str]] = []
        self._words = Words()
        self._term = lru_cache(maxsize=4096)(self._term_of)
        try:
            if readonly:
                self._db.execute("BEGIN")
                self.view()  # from the first read on, the transaction sees one state
                return
            for pragma in (
                ("journal_mode = OFF", "synchronous = OFF")
                if building
                else ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 2000")
            ):
                self._db.execute(f"PRAGMA {pragma}")
            self._db.executescript(_SCHEMA)
        except sqlite3.DatabaseError as exc:
            self.close()
            if readonly or not isinstance(exc, sqlite3.OperationalError):
                raise self._damaged(exc) from exc
            raise
        except Damaged:
            self.close()
            raise

    def close(self) -> None:
        """Let the file go; what was not committed is forgotten."""
        self._words.close()
        self._db.close()

    def begin(self) -> None:
        """Start a transaction; :meth:`commit` ends it."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make everything since :meth:`begin` permanent, and visible to readers that open from now on."""
        self._flush()
        number = self.view() + 1
        self._db.execute("DELETE FROM view")
        self._db.execute("INSERT INTO view VALUES (?)", (number,))
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        """Forget everything since :meth:`begin`."""
        self._pending.clear()
        self._kept = None
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def settle(self) -> None:
        """Make a catalog that was built ready for readers and writers."""
        self._db.execute("PRAGMA journal_mode = WAL")

    def view(self) -> int:
        """Number of the last commit that is seen here."""
        found = self._query("SELECT number FROM view")
        return int(found[0][0]) if found else 0

    def put(
        self, source: Source, passages: Sequence[Passage], digest: Callable[[Passage], str] = lambda _: ""
    ) -> Change:
        """Add or replace a source and its passages; rows of passages that stay the same stay.

        Args:
            digest: of the text that is embedded; when it changes, so must the vector.
        """
        since, until = date_bounds(source.date) if source.date else (None, None)
        facets = (source.genre, since, until)
        known = self._query("SELECT number, genre, since, until FROM sources WHERE id = ?", (source.id,))
        number = int(known[0][0]) if known else None
        moved = bool(known) and tuple(known[0][1:]) != facets
        row = (source.id, source.fingerprint, len(passages), json.dumps(to_json(source)), *facets)
        if number is None:
            number = self._run("INSERT INTO sources VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)", row)
        else:
            self._db.execute(
                "UPDATE sources SET id = ?, fingerprint = ?, passages = ?, facts = ?, genre = ?, since = ?, until = ? "
                "WHERE number = ?", (*row, number),
            )  # fmt: skip
        languages = [of_passage(p.text, source.language) for p in passages]
        there = {
            r[1]: r
            for r in self._query(
                "SELECT number, id, body, context, digest, place FROM passages WHERE source = ?", (number,)
            )
        }
        added = updated = skipped = 0
        to_embed: list[Passage] = []
        for passage, language in zip(passages, languages, strict=True):
            new = (_indexed(passage.text, language), passage.context, digest(passage), _place(passage))
            old = there.pop(passage.id, None)
            if old is None:
                self._insert(passage.id, number, new)
                added += 1
                to_embed.append(passage)
                continue
            if tuple(old[2:4]) != new[:2]:
                part = self._query("SELECT part, row FROM rows WHERE number = ?", (old[0],))[0]
                self._delete(old[:4])
                self._insert(passage.id, number, new, *part)
            elif tuple(old[4:]) != new[2:]:
                self._db.execute("UPDATE passages SET digest = ?, place = ? WHERE number = ?", (*new[2:], old[0]))
            elif not moved:
                skipped += 1
                continue
            updated += 1
            if old[4] != new[2]:
                to_embed.append(passage)
        for old in there.values():
            self._delete(old[:4])
        self._put_around(source, passages, languages)
        if len(self._pending) >= _PENDING:
            self._flush()
        self._kept = None
        return Change(added=added, updated=updated, skipped=skipped, deleted=len(there), to_embed=tuple(to_embed))

    def _put_around(self, source: Source, passages: Sequence[Passage], languages: Sequence[str]) -> None:
        self._remove_around(source.id)
        self._db.executemany(
            "INSERT INTO languages VALUES (?, ?)", [(source.id, code) for code in sorted(set(languages))]
        )
        around = _around(source, passages)
        self._db.execute("INSERT INTO around VALUES (?, ?)", (source.id, around))
        self._put_words("\n".join((around, *(f"{p.context} {p.text}" for p in passages))))

    def _remove_around(self, source_id: str) -> None:
        for row in self._query("SELECT rowid FROM around WHERE source_id = ?", (source_id,)):
            self._db.execute("DELETE FROM around WHERE rowid = ?", row)
        self._db.execute("DELETE FROM languages WHERE source_id = ?", (source_id,))

    def _insert(self, id_: str, source: int, new: tuple[str, str, str, str], part: int = 0, row: int = 0) -> None:
        number = self._run("INSERT INTO passages VALUES (NULL, ?, ?, ?, ?, ?, ?)", (id_, source, *new))
        self._db.execute("INSERT INTO lexical(rowid, body, context) VALUES (?, ?, ?)", (number, *new[:2]))
        self._db.execute("INSERT INTO rows VALUES (?, ?, 0, ?, ?)", (number, source, part, row))
        self._pending.append((number, *new[:2]))

    def _delete(self, old: Sequence[Any]) -> None:
        self._unchanged = False
        number, _, body, context = old
        self._db.execute(
            "INSERT INTO lexical(lexical, rowid, body, context) VALUES ('delete', ?, ?, ?)", (number, body, context)
        )
        self._db.execute("DELETE FROM rows WHERE number = ?", (number,))
        self._db.execute("DELETE FROM passages WHERE number = ?", (number,))

    def _run(self, sql: str, parameters: Sequence[object]) -> int:
        return int(self._db.execute(sql, parameters).lastrowid or 0)

    def _put_words(self, text: str) -> None:
        words = {w for w in _WORD.findall(text.lower()) if w.isalpha()}
        self._db.executemany("INSERT OR IGNORE INTO words VALUES (?)", [(w,) for w in words])

    def remove(self, source_id: str) -> int:
        """Forget a source; how many passages it had. An unknown one is ignored."""
        known = self._query("SELECT number FROM sources WHERE id = ?", (source_id,))
        if not known:
            return 0
        gone = self._query("SELECT number, id, body, context FROM passages WHERE source = ?", known[0])
        for row in gone:
            self._delete(row)
        self._remove_around(source_id)
        self._db.execute("DELETE FROM sources WHERE number = ?", known[0])
        self._kept = None
        return len(gone)

    # Words

    def _flush(self) -> None:
        """Index the words of the passages that were put, as a segment of its own."""
        if not self._pending:
            return
        rows, lengths = self._words.postings(self._pending)
        self._pending.clear()
        self._db.executemany("UPDATE rows SET words = ? WHERE number = ?", [(n, i) for i, n in lengths.items()])
        self._kept = None
        self._store_segment(rows)
        self._merge_segments()

    def _store_segment(self, rows: Iterable[tuple[str, Posting]]) -> None:
        segment, size = self._run("INSERT INTO segments VALUES (NULL, 0)", ()), 0

        def stored() -> Iterator[tuple[int, str, bytes]]:
            nonlocal size
            for term, posting in rows:
                size += len(posting.numbers)
                yield segment, term, posting.dump()

        self._db.executemany("INSERT INTO postings VALUES (?, ?, ?)", stored())
        self._db.execute("UPDATE segments SET size = ? WHERE number = ?", (size, segment))

    def _merge_segments(self) -> None:
        segments = self._query("SELECT number, size FROM segments ORDER BY number DESC")
        taken = taken_over([size for _, size in segments])
        if taken < 2:
            return
        self._join_segments([number for number, _ in segments[:taken]])

    def _join_segments(self, numbers: Sequence[int]) -> None:
        def read(segment: int) -> Iterator[tuple[str, Posting]]:
            found = self._db.execute("SELECT term, data FROM postings WHERE segment = ? ORDER BY term", (segment,))
            return ((term, Posting.load(data)) for term, data in found)

        last = self._query("SELECT COALESCE(MAX(number), 0) FROM passages")[0][0]
        alive = np.ones(last + 1, dtype=bool) if self._unchanged else self.rows().alive
        self._store_segment(merged([read(n) for n in numbers], alive))
        for number in numbers:
            self._db.execute("DELETE FROM postings WHERE segment = ?", (number,))
            self._db.execute("DELETE FROM segments WHERE number = ?", (number,))

    def rows(self) -> Rows:
        """The passages that are there, in arrays."""
        with self._lock:
            if self._kept is None:
                found = self._query("SELECT number, source, words, part, row FROM rows")
                table = np.array(found, dtype=np.int64).reshape(-1, 5)
                columns = np.zeros((4, int(table[:, 0].max(initial=0)) + 1), dtype=np.uint32)
                columns[:, table[:, 0]] = table[:, 1:].T
                self._kept = Rows(len(found), *columns)
            return self._kept

    def _posting(self, term: str) -> Posting:
        # CROSS JOIN keeps SQLite from reading all postings to look up their few segments.
        found = self._query(
            "SELECT p.data FROM segments AS s CROSS JOIN postings AS p ON p.segment = s.number AND p.term = ?", (term,)
        )
        alive = self.rows().alive
        parts = [Posting.load(data).of(alive) for (data,) in found] or [Posting.load(b"")]
        return Posting.joined(parts)

    def _term_of(self, phrase: str) -> tuple[str, ...]:
        with self._lock:
            return tuple(self._words.of(phrase))

    # Vectors

    def place_vectors(self, part: int, first_row: int, ids: Sequence[str]) -> None:
        """Say that the vectors of these passages lie in a part, one after another."""
        self._db.executemany(
            "UPDATE rows SET part = ?, row = ? WHERE number = (SELECT number FROM passages WHERE id = ?)",
            [(part, first_row + i, id_) for i, id_ in enumerate(ids)],
        )
        self._kept = None

    def new_part(self) -> int:
        """Number of a new part, which holds nothing yet."""
        return self._run("INSERT INTO parts VALUES (NULL, 0)", ())

    def size_part(self, part: int, rows: int) -> None:
        """Say how many rows a part holds; without any it is forgotten."""
        self._db.execute("UPDATE parts SET rows = ? WHERE number = ?", (rows, part))
        self._db.execute("DELETE FROM parts WHERE number = ? AND rows = 0", (part,))

    def remove_part(self, part: int) -> None:
        """Forget a part."""
        self._db.execute("DELETE FROM parts WHERE number = ?", (part,))

    def parts(self) -> dict[int, int]:
        """How many rows each part holds, dead ones too; the oldest first."""
        return dict(self._query("SELECT number, rows FROM parts ORDER BY number"))

    def live_in_parts(self) -> dict[int, int]:
        """How many passages have their vector in each part that has any."""
        return dict(self._query("SELECT part, COUNT(*) FROM rows WHERE part GROUP BY part"))

    def in_part(self, part: int) -> list[tuple[str, str, int]]:
        """Id, id of the source, and row of the passages whose vectors lie in a part, by row."""
        return self._query(
            "SELECT p.id, s.id, r.row FROM rows AS r JOIN passages AS p ON p.number = r.number "
            "JOIN sources AS s ON s.number = r.source WHERE r.part = ? ORDER BY r.row", (part,),
        )  # fmt: skip

    def ids_of(self, numbers: Iterable[int]) -> dict[int, str]:
        """Ids of passages by their number."""
        return dict(self._in("SELECT number, id FROM passages WHERE number", list(numbers)))

    def numbers_of(self, ids: Iterable[str]) -> dict[str, int]:
        """Numbers of the passages that are there, by id."""
        return dict(self._in("SELECT id, number FROM passages WHERE id", list(ids)))

    def passages(self, ids: Iterable[str]) -> dict[str, Passage]:
        """The passages of these ids that are there, by id."""
        return {row[0]: _passage(row) for row in self._in(f"SELECT {_PASSAGE} WHERE p.id", list(ids))}

    def passages_of(self, source_id: str) -> list[Passage]:
        """The passages of a source in text order."""
        found = [_passage(row) for row in self._query(f"SELECT {_PASSAGE} WHERE s.id = ?", (source_id,))]
        return sorted(found, key=lambda p: p.ordinal)

    def _in(self, sql: str, values: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        for at in range(0, len(values), 500):
            some = values[at : at + 500]
            found += self._query(f"{sql} IN ({','.join('?' * len(some))})", some)
        return found

    def admitted(
        self, sources: Sequence[str], genres: Sequence[str], since: int | None, until: int | None
    ) -> NDArray[np.bool_]:
        """Which passages' sources pass a filter, by number of the passage; what is empty or None admits all."""
        tests, values = ["1"], list[Any]()
        for column, wanted in (("id", sources), ("genre", genres)):
            if wanted:
                tests.append(f"{column} IN (SELECT value FROM json_each(?))")
                values.append(json.dumps(list(wanted)))
        for test, bound in (("until >= ?", since), ("since <= ?", until)):
            if bound is not None:
                tests.append(test)
                values.append(bound)
        numbers = [n for (n,) in self._query(f"SELECT number FROM sources WHERE {' AND '.join(tests)}", values)]
        rows = self.rows()
        passing = np.zeros(int(rows.source.max(initial=0)) + 1, dtype=bool)
        passing[[n for n in numbers if n < len(passing)]] = True
        passing[0] = False
        return passing[rows.source]

    def source_ids_of(self, admitted: NDArray[np.bool_]) -> list[str]:
        """Ids of the sources of these passages."""
        numbers = np.unique(self.rows().source[admitted]).tolist()
        return [id_ for (id_,) in self._in("SELECT id FROM sources WHERE number", numbers)]

    def fingerprints(self) -> dict[str, str]:
        """Fingerprint of each indexed source by id."""
        return dict(self._query("SELECT id, fingerprint FROM sources"))

    def passage_count(self) -> int:
        """Passages that the sources came to when they were indexed."""
        return int(self._query("SELECT COALESCE(SUM(passages), 0) FROM sources")[0][0])

    def passage_ids(self) -> Iterator[str]:
        """Ids of all passages."""
        return (row[0] for row in self._query("SELECT id FROM passages"))

    def source(self, source_id: str) -> Source | None:
        """The source as it was indexed, or None."""
        rows = self._query("SELECT facts FROM sources WHERE id = ?", (source_id,))
        return from_json(json.loads(rows[0][0])) if rows else None

    def languages(self) -> dict[str, frozenset[str]]:
        """Ids of the sources that have passages in a language, by ISO 639-1 code."""
        found: dict[str, set[str]] = {}
        for language, source_id in self._query("SELECT language, source_id FROM languages"):
            found.setdefault(language, set()).add(source_id)
        return {language: frozenset(ids) for language, ids in found.items()}

    def origins(self) -> dict[str, int]:
        """How many indexed sources came in each way."""
        return dict(self._query("SELECT json_extract(facts, '$.origin'), COUNT(*) FROM sources GROUP BY 1"))

    def source_ids(self) -> list[str]:
        """Ids of all indexed sources, sorted."""
        return [row[0] for row in self._query("SELECT id FROM sources ORDER BY id")]

    def search(
        self, groups: Sequence[Sequence[str]], k: int, admitted: NDArray[np.bool_] | None = None
    ) -> list[tuple[str, float]]:
        """Passage ids with their BM25 score, best first, higher is better, at most ``k``.

        Args:
            groups: what to look for, each with its spellings. A passage qualifies with any of them;
                of several spellings of one thing the best counts, each as rare as all of them together,
                so that a passage that lists all names of a group, or has its rarest, is not ranked
                above one that is about it.
            admitted: by number, which passages are wanted; all by default.

        Title and headings weigh a third of the text. Score: FTS5's bm25() (k1 = 1.2, b = 0.75), sign
        turned, summed over groups.
        """
        if k < 1:
            return []
        self._ready()
        depth = max(5 * k, 200)
        plain = self._affordable(list(dict.fromkeys(p for g in groups if len(g) == 1 and (p := _phrase(g[0])))))
        total = self._match(plain, depth, admitted)
        for group in groups:
            if len(group) == 1:
                continue
            best: dict[int, float] = {}
            phrases = {p for spelling in group if (p := _phrase(spelling))}
            whole = self._rarity(self._holding_any(phrases)) if phrases else 0.0
            for phrase in phrases:
                rarity = self._rarity(self._holding(phrase))
                for number, score in self._match([phrase], depth, admitted).items():
                    best[number] = max(score * whole / rarity, best.get(number, 0.0))
            for number, score in best.items():
                total[number] = total.get(number, 0.0) + score
        if len(total) > 4 * k:  # ids are looked up for the best alone
            least = sorted(total.values())[-k]
            total = {n: s for n, s in total.items() if s >= least}
        ids = self.ids_of(total)
        return sorted(((ids[n], s) for n, s in total.items()), key=lambda row: (-row[1], row[0]))[:k]

    def _ready(self) -> None:
        if not self._readonly:
            self._flush()

    def _affordable(self, phrases: Sequence[str]) -> Sequence[str]:
        """The rarest phrases, at least one, as long as they match few enough passages to score them all.

        A small collection keeps all of them; in a large one the cost of a question stays bounded.
        """
        if self.rows().count <= SCORED_AT_MOST:
            return phrases
        kept: list[str] = []
        matched = 0
        for phrase in sorted(phrases, key=self._holding):
            matched += self._holding(phrase)
            if kept and matched > SCORED_AT_MOST:
                break
            kept.append(phrase)
        return kept

    def _rarity(self, n: int) -> float:
        """The idf that bm25() gives to what so many passages hold, at least 1e-6."""
        return max(math.log((self.rows().count - n + 0.5) / (n + 0.5)), 1e-6)

    def _holding(self, phrase: str) -> int:
        """How many passages hold a phrase."""
        if self._counts is not None and phrase in self._counts:
            return self._counts[phrase]
        terms = self._term(phrase)
        if len(terms) == 1:
            count = len(self._posting(terms[0]).numbers)
            if self._counts is not None and len(self._counts) < _COUNTS_KEPT:
                self._counts[phrase] = count
            return count
        return self._counted(phrase, "SELECT COUNT(*) FROM lexical WHERE lexical MATCH ?", (phrase,))

    def _holding_any(self, phrases: Iterable[str]) -> int:
        """How many passages hold one of these phrases."""
        query = " OR ".join(sorted(phrases))
        return self._counted(query, "SELECT COUNT(*) FROM lexical WHERE lexical MATCH ?", (query,))

    def _counted(self, key: str, sql: str, parameters: Sequence[object]) -> int:
        if self._counts is not None and key in self._counts:
            return self._counts[key]
        count = int(self._query(sql, parameters)[0][0])
        if self._counts is not None and len(self._counts) < _COUNTS_KEPT:
            self._counts[key] = count
        return count

    def _match(self, phrases: Sequence[str], k: int, admitted: NDArray[np.bool_] | None) -> dict[int, float]:
        """Scores of the passages that hold one of the phrases, by number: at least the ``k`` best where there are so many."""
        words = [terms[0] for p in phrases if len(terms := self._term(p)) == 1]
        rest = [p for p in phrases if len(self._term(p)) > 1]
        rows = self.rows()
        numbers, scores = bm25({w: self._posting(w) for w in words}, rows.words, rows.count)
        if rest and (found := self._phrases(" OR ".join(rest))):
            more = np.array([n for n, _ in found], dtype=np.uint32)
            numbers, at = np.unique(np.concatenate((numbers, more)), return_inverse=True)
            scores = np.bincount(at, np.concatenate((scores, [s for _, s in found])), len(numbers)).astype(np.float64)
        if admitted is not None and len(numbers):
            kept = admitted[numbers]
            numbers, scores = numbers[kept], scores[kept]
        best = top(scores, k)
        return dict(zip(numbers[best].tolist(), scores[best].tolist(), strict=True))

    def _phrases(self, query: str) -> list[tuple[int, float]]:
        if not query:
            return []
        return self._query(
            f"SELECT rowid, -bm25(lexical, 1.0, {CONTEXT_WEIGHT}) AS score FROM lexical WHERE lexical MATCH ?", (query,)
        )

    def document_frequency(self, terms: Iterable[str]) -> Mapping[str, int]:
        """In how many passages (with title and headings) each term stands, stemmed as the index is.

        Where it stands in none: how many sources name it as author, publisher or year, or in text outside of passages.
        """
        self._ready()
        counts: dict[str, int] = {}
        for term in terms:
            phrase = _phrase(term)
            counts[term] = (self._holding(phrase) or self._around_holding(phrase)) if phrase else 0
        return counts

    def _around_holding(self, phrase: str) -> int:
        sql = "SELECT COUNT(*) FROM around WHERE around MATCH ?"
        return self._counted(f"around {phrase}", sql, (phrase,))

    def words(self) -> list[str]:
        """Every word that was ever indexed here, lower case; those of removed sources may linger."""
        return [row[0] for row in self._query("SELECT word FROM words")]

    def compact(self) -> None:
        """Let go of the words of removed sources and of free pages. Not inside a transaction."""
        self.begin()
        self._db.execute("DELETE FROM words")
        for context, body in self._db.execute("SELECT context, body FROM passages"):
            self._put_words(f"{context} {_text(body)}")
        for (body,) in self._db.execute("SELECT body FROM around"):
            self._put_words(body)
        self._join_segments([n for (n,) in self._query("SELECT number FROM segments ORDER BY number")])
        self._db.execute("INSERT INTO lexical(lexical) VALUES ('optimize')")
        self.commit()
        self._db.execute("VACUUM")
        self.checkpoint()

    def checkpoint(self) -> None:
        """Move the write-ahead log into the file, as far as readers allow it."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def check(self) -> list[str]:
        """What SQLite's own integrity check finds wrong; empty when all is well."""
        return [row[0] for row in self._query("PRAGMA quick_check") if row[0] != "ok"]

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except sqlite3.ProgrammingError:
                raise  # our own mistake, such as using a closed catalog
            except sqlite3.OperationalError as exc:
                if not self._readonly:
                    raise  # told by who writes, such as a full disk
                raise self._damaged(exc) from exc
            except sqlite3.DatabaseError as exc:
                raise self._damaged(exc) from exc

    def _damaged(self, exc: sqlite3.Error) -> Damaged:
        return _damaged(self._file, exc)


def _damaged(file: Path, exc: sqlite3.Error) -> Damaged:
    return Damaged(f"the catalog {file} cannot be read ({exc}); run: iskp index --rebuild")


class Newest:
    """Tells the last commit of a catalog, for readers that keep an older one open."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._db = sqlite.connect(file, "ro")

    def view(self) -> int:
        """Number of the last commit.

        Raises:
            Damaged: it cannot be read.
        """
        try:
            found = self._db.execute("SELECT number FROM view").fetchone()
        except sqlite3.DatabaseError as exc:
            raise _damaged(self._file, exc) from exc
        return int(found[0]) if found else 0

    def close(self) -> None:
        """Let the file go."""
        self._db.close()


def taken_over(sizes: Sequence[int]) -> int:
    """How many of the newest pieces become one, given their sizes, newest first.

    Each older piece that is at most :data:`GROWTH` times all newer ones goes in. So sizes grow by that factor, their
    number with the logarithm of the whole, and a row is copied as often at most.
    """
    whole, taken = 0, 0
    for count, size in enumerate(sizes, start=1):
        if whole and size > GROWTH * whole:
            break
        whole += size
        taken = count
    return taken


def _place(passage: Passage) -> str:
    return json.dumps([getattr(passage, name) for name in _PLACE], ensure_ascii=False)


def _text(body: str) -> str:
    return body.split(f"\n{_FORMS}", 1)[0]


def _passage(row: Sequence[Any]) -> Passage:
    id_, source_id, body, context, place = row
    values = dict(zip(_PLACE, json.loads(place), strict=True))
    return Passage(id=id_, source_id=source_id, text=_text(body), context=context, **values)


def _around(source: Source, passages: Sequence[Passage]) -> str:
    """Who made a source, its year, and what of its text stands in no passage: a name there is mentioned too."""
    held = {(p.start, p.end) for p in passages}
    rest = [
        source.text[p.start : p.end]
        for p in source.paragraphs
        if p.role in CONTEXT_ROLES and (p.start, p.end) not in held
    ]
    facts = (source.title, source.author, source.publisher, (source.date or "")[:4], *rest)
    return "\n".join(filter(None, facts))


def _indexed(text: str, language: str) -> str:
    """What the lexical index holds of a passage; English ones as they are, since FTS5 stems English itself."""
    more = forms(text, language) if language != "en" else []
    return f"{text}\n{_FORMS}{' '.join(more)}" if more else text


def _phrase(term: str) -> str:
    """An FTS5 phrase; quoting makes every word of a question harmless to the query language."""
    words = _WORD.findall(term)
    return '"' + " ".join(words) + '"' if words else ""
