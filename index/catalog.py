"""The lexical side of an index and a snapshot of its sources, in one SQLite file beside Chroma.

BM25 is SQLite's own FTS5: it stems, updates a row at a time, is opened rather than rebuilt at
start, and its cost grows with the posting lists of the query terms, not with the corpus.
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from index.errors import Damaged
from index.words import forms
from ingest import sqlite
from ingest.chunk import Passage
from ingest.language import of_passage
from ingest.source import CONTEXT_ROLES, Source, from_json, to_json

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sources (
  id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, passages INTEGER NOT NULL, facts TEXT NOT NULL);
CREATE VIRTUAL TABLE IF NOT EXISTS lexical USING fts5(
  passage_id UNINDEXED, source_id UNINDEXED, body, context,
  tokenize = "porter unicode61 remove_diacritics 2");
CREATE VIRTUAL TABLE IF NOT EXISTS around USING fts5(
  source_id UNINDEXED, body, tokenize = "porter unicode61 remove_diacritics 2");
CREATE TABLE IF NOT EXISTS languages (
  source_id TEXT NOT NULL, language TEXT NOT NULL, PRIMARY KEY (source_id, language)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS words (word TEXT PRIMARY KEY) WITHOUT ROWID;
"""
_FORMS = "\x1e"
"""In a row of the lexical table, between a text in another language than English and the folded and stemmed forms of its words."""
_WORD = re.compile(r"\w+", re.UNICODE)
SCORED_AT_MOST = 20_000
"""Matching passages from which the commonest words of a question are left out: they say least and cost most."""

_COUNTS_KEPT = 50_000


class Catalog:
    """Sources and lexical rows of one generation of the index.

    Readers open it read-only; several threads may use one instance. Reading raises
    :class:`~index.errors.Damaged` when the file is missing or broken.
    """

    def __init__(self, file: Path, *, readonly: bool = False) -> None:
        self._file = file
        try:
            self._db = sqlite.connect(file, "ro" if readonly else "rwc")
        except sqlite3.Error as exc:
            raise self._damaged(exc) from exc
        self._lock = threading.Lock()
        self._counts: dict[str, int] | None = {} if readonly else None
        """How many passages hold a phrase, once it was asked; what a reader sees never changes."""
        if not readonly:
            self._db.executescript(_SCHEMA)
            self._db.execute("PRAGMA synchronous = NORMAL")

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def begin(self) -> None:
        """Start a transaction; :meth:`commit` ends it."""
        self._db.execute("BEGIN")

    def commit(self) -> None:
        """Make everything since :meth:`begin` permanent."""
        self._db.execute("COMMIT")

    def put(self, source: Source, passages: Sequence[Passage]) -> None:
        """Add or replace a source and its lexical rows."""
        self.remove(source.id)
        self._db.execute(
            "INSERT INTO sources VALUES (?, ?, ?, ?)",
            (source.id, source.fingerprint, len(passages), json.dumps(to_json(source))),
        )
        languages = [of_passage(p.text, source.language) for p in passages]
        self._db.executemany(
            "INSERT INTO lexical VALUES (?, ?, ?, ?)",
            [(p.id, p.source_id, _indexed(p.text, code), p.context) for p, code in zip(passages, languages, strict=True)],
        )
        self._db.executemany(
            "INSERT INTO languages VALUES (?, ?)", [(source.id, code) for code in sorted(set(languages))]
        )
        around = _around(source, passages)
        self._db.execute("INSERT INTO around VALUES (?, ?)", (source.id, around))
        self._put_words("\n".join((around, *(f"{p.context} {p.text}" for p in passages))))

    def _put_words(self, text: str) -> None:
        words = {w for w in _WORD.findall(text.lower()) if w.isalpha()}
        self._db.executemany("INSERT OR IGNORE INTO words VALUES (?)", [(w,) for w in words])

    def remove(self, source_id: str) -> None:
        """Forget a source; an unknown one is ignored."""
        if self._db.execute("DELETE FROM sources WHERE id = ?", (source_id,)).rowcount:
            for table in ("lexical", "around"):
                rows = self._db.execute(f"SELECT rowid FROM {table} WHERE source_id = ?", (source_id,)).fetchall()
                self._db.executemany(f"DELETE FROM {table} WHERE rowid = ?", rows)
            self._db.execute("DELETE FROM languages WHERE source_id = ?", (source_id,))

    def fingerprints(self) -> dict[str, str]:
        """Fingerprint of each indexed source by id."""
        return dict(self._query("SELECT id, fingerprint FROM sources"))

    def passage_count(self) -> int:
        """Passages that the sources came to when they were indexed."""
        return int(self._query("SELECT COALESCE(SUM(passages), 0) FROM sources")[0][0])

    def passage_ids(self) -> Iterator[str]:
        """Ids of all lexical rows."""
        return (row[0] for row in self._query("SELECT passage_id FROM lexical"))

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

    def search(self, groups: Sequence[Sequence[str]], k: int) -> list[tuple[str, float]]:
        """Passage ids with their BM25 score, best first, higher is better, at most ``k``.

        Args:
            groups: what to look for, each with its spellings. A passage qualifies with any of them;
                of several spellings of one thing the best counts, each as rare as all of them together,
                so that a passage that lists all names of a group, or has its rarest, is not ranked
                above one that is about it.

        Title and headings weigh a third of the text. Score: FTS5's bm25() (k1 = 1.2, b = 0.75), sign
        turned, summed over groups.
        """
        if k < 1:
            return []
        total: dict[str, float] = {}
        depth = max(5 * k, 200)
        plain = self._affordable(list(dict.fromkeys(p for g in groups if len(g) == 1 and (p := _phrase(g[0])))))
        for passage_id, score in self._match(" OR ".join(plain), depth):
            total[passage_id] = score
        for group in groups:
            if len(group) == 1:
                continue
            best: dict[str, float] = {}
            phrases = {p for spelling in group if (p := _phrase(spelling))}
            whole = self._rarity(" OR ".join(sorted(phrases))) if phrases else 0.0
            for phrase in phrases:
                for passage_id, score in self._match(phrase, depth):
                    best[passage_id] = max(score * whole / self._rarity(phrase), best.get(passage_id, 0.0))
            for passage_id, score in best.items():
                total[passage_id] = total.get(passage_id, 0.0) + score
        return sorted(total.items(), key=lambda row: (-row[1], row[0]))[:k]

    def _affordable(self, phrases: Sequence[str]) -> Sequence[str]:
        """The rarest phrases, at least one, as long as they match few enough passages to score them all.

        A small collection keeps all of them; in a large one the cost of a question stays bounded.
        """
        if self._rows() <= SCORED_AT_MOST:
            return phrases
        kept: list[str] = []
        matched = 0
        for phrase in sorted(phrases, key=self._holding):
            matched += self._holding(phrase)
            if kept and matched > SCORED_AT_MOST:
                break
            kept.append(phrase)
        return kept

    def _rows(self) -> int:
        """Passages that can be found."""
        return self._counted("", "SELECT COUNT(*) FROM lexical_docsize", ())

    def _rarity(self, query: str) -> float:
        """The idf that bm25() gives to what so many passages hold, at least 1e-6."""
        n = self._holding(query)
        return max(math.log((self._rows() - n + 0.5) / (n + 0.5)), 1e-6)

    def _holding(self, phrase: str) -> int:
        """How many passages hold a phrase."""
        return self._counted(phrase, "SELECT COUNT(*) FROM lexical WHERE lexical MATCH ?", (phrase,))

    def _counted(self, key: str, sql: str, parameters: Sequence[object]) -> int:
        if self._counts is not None and key in self._counts:
            return self._counts[key]
        count = int(self._query(sql, parameters)[0][0])
        if self._counts is not None and len(self._counts) < _COUNTS_KEPT:
            self._counts[key] = count
        return count

    def _match(self, query: str, k: int) -> list[tuple[str, float]]:
        if not query:
            return []
        # Ids are looked up for the best rows alone: read for every match, they took two thirds of the time.
        rows = self._query(
            "SELECT l.passage_id, best.score FROM ("
            "SELECT rowid AS number, -bm25(lexical, 0, 0, 1.0, 0.33) AS score FROM lexical "
            "WHERE lexical MATCH ? ORDER BY score DESC LIMIT ?"
            ") AS best JOIN lexical AS l ON l.rowid = best.number ORDER BY best.score DESC, l.passage_id",
            (query, k),
        )
        return [(row[0], float(row[1])) for row in rows]

    def document_frequency(self, terms: Iterable[str]) -> Mapping[str, int]:
        """In how many passages (with title and headings) each term stands, stemmed as the index is.

        Where it stands in none: how many sources name it as author, publisher or year, or in text outside of passages.
        """
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
        self._db.execute("BEGIN")
        self._db.execute("DELETE FROM words")
        for context, body in self._db.execute("SELECT context, body FROM lexical"):
            self._put_words(f"{context} {body.split(_FORMS)[0]}")
        for (body,) in self._db.execute("SELECT body FROM around"):
            self._put_words(body)
        self._db.execute("INSERT INTO lexical(lexical) VALUES ('optimize')")
        self._db.execute("COMMIT")
        self._db.execute("VACUUM")

    def check(self) -> list[str]:
        """What SQLite's own integrity check finds wrong; empty when all is well."""
        return [row[0] for row in self._query("PRAGMA quick_check") if row[0] != "ok"]

    def _query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except sqlite3.ProgrammingError:
                raise  # our own mistake, such as using a closed catalog
            except sqlite3.DatabaseError as exc:
                raise self._damaged(exc) from exc

    def _damaged(self, exc: sqlite3.Error) -> Damaged:
        return Damaged(f"the catalog {self._file} cannot be read ({exc}); run: iskp index --rebuild")


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
