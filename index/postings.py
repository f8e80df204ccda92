"""Which passages hold a word and how often: what SQLite's FTS5 knows, in arrays that are scored at once.

FTS5 computes bm25() a row at a time and looks the length of each row up in a table. The same score over arrays takes a
tenth of the time (``docs/performance.md``), so words are scored here and FTS5 is asked for phrases.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

TOKENIZER = "porter unicode61 remove_diacritics 2"
"""FTS5's words: folded and stemmed."""
CONTEXT_WEIGHT = 0.33
"""What a word in title and headings counts beside one in the text."""
K1, B = 1.2, 0.75
_MOST = 255
_BYTES = 6

Numbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Posting:
    """The passages that hold a word.

    Attributes:
        numbers: of the passages, ascending, each once.
        body, context: how often it stands in the text, and in title and headings; 255 means that or more.
    """

    numbers: Numbers
    body: NDArray[np.uint8]
    context: NDArray[np.uint8]

    def dump(self) -> bytes:
        """As bytes, six a passage."""
        return self.numbers.astype("<u4").tobytes() + self.body.tobytes() + self.context.tobytes()

    @classmethod
    def load(cls, data: bytes) -> Posting:
        """What :meth:`dump` gave."""
        n = len(data) // _BYTES
        return cls(
            np.frombuffer(data, "<u4", n),
            np.frombuffer(data, np.uint8, n, 4 * n),
            np.frombuffer(data, np.uint8, n, 5 * n),
        )

    @classmethod
    def joined(cls, several: Sequence[Posting]) -> Posting:
        """One of several that have no passage in common."""
        if len(several) == 1:
            return several[0]
        numbers = np.concatenate([p.numbers for p in several])
        order = np.argsort(numbers, kind="stable")
        return cls(
            numbers[order],
            np.concatenate([p.body for p in several])[order],
            np.concatenate([p.context for p in several])[order],
        )

    def of(self, kept: NDArray[np.bool_]) -> Posting:
        """Only some of the passages; ``kept`` by number, and what lies beyond it is none."""
        here = np.zeros(len(self.numbers), dtype=bool)
        known = self.numbers < len(kept)
        here[known] = kept[self.numbers[known]]
        return self if here.all() else Posting(self.numbers[here], self.body[here], self.context[here])


class Words:
    """FTS5's own way to cut, fold and stem words, over a table in memory."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.executescript(
            f'CREATE VIRTUAL TABLE text USING fts5(body, context, content = "", tokenize = "{TOKENIZER}");'
            "CREATE VIRTUAL TABLE word USING fts5vocab(text, instance);"
        )

    def close(self) -> None:
        """Let the memory go."""
        self._db.close()

    def postings(self, rows: Iterable[tuple[int, str, str]]) -> tuple[list[tuple[str, Posting]], dict[int, int]]:
        """Each word of these passages (number, text, title and headings), in order; and how many words each has."""
        self._fill(rows)
        counted = self._db.execute(
            "SELECT term, doc, SUM(col = 'body'), SUM(col = 'context') FROM word GROUP BY term, doc ORDER BY term, doc"
        )
        found = []
        for term, places in groupby(counted, key=itemgetter(0)):
            _, numbers, body, context = zip(*places, strict=True)
            both = np.minimum((body, context), _MOST).astype(np.uint8)
            found.append((term, Posting(np.array(numbers, dtype=np.uint32), both[0], both[1])))
        lengths = dict(self._db.execute("SELECT doc, COUNT(*) FROM word GROUP BY doc"))
        self._empty()
        return found, lengths

    def of(self, text: str) -> list[str]:
        """The words of a text in order, as they are indexed."""
        self._fill([(1, text, "")])
        found = [term for term, _ in sorted(self._db.execute("SELECT term, offset FROM word"), key=lambda row: row[1])]
        self._empty()
        return found

    def _fill(self, rows: Iterable[tuple[int, str, str]]) -> None:
        self._db.executemany("INSERT INTO text(rowid, body, context) VALUES (?, ?, ?)", rows)

    def _empty(self) -> None:
        self._db.execute("INSERT INTO text(text) VALUES ('delete-all')")


def bm25(
    postings: Mapping[str, Posting], lengths: NDArray[np.uint32], rows: int
) -> tuple[Numbers, NDArray[np.float64]]:
    """Passages that hold any of the words, ascending, with the scores that FTS5 gives them, sign turned.

    Σ idf · f · (k1 + 1) / (f + k1 · (1 - b + b · length / mean length)), where f counts the word in the text and
    :data:`CONTEXT_WEIGHT` of it in the context, and idf = ln((N - n + 0.5) / (n + 0.5)), at least 1e-6 (Robertson &
    Zaragoza 2009).

    Args:
        postings: of passages that are there.
        lengths: words of each passage by number.
        rows: passages that are there, N.
    """
    mean = float(lengths.sum(dtype=np.int64)) / rows if rows else 1.0
    total = np.zeros(len(lengths))
    for posting in postings.values():
        n = len(posting.numbers)
        idf = max(np.log((rows - n + 0.5) / (n + 0.5)), 1e-6)
        f = posting.body + CONTEXT_WEIGHT * posting.context
        length = K1 * (1 - B + B * lengths[posting.numbers] / mean)
        total[posting.numbers] += idf * f * (K1 + 1) / (f + length)
    numbers = np.flatnonzero(total).astype(np.uint32)
    return numbers, total[numbers]


def merged(parts: Sequence[Iterator[tuple[str, Posting]]], kept: NDArray[np.bool_]) -> Iterator[tuple[str, Posting]]:
    """The words of several sorted lists in one, of the passages that are still there."""
    rows = heapq.merge(*parts, key=itemgetter(0))
    for term, several in groupby(rows, key=itemgetter(0)):
        posting = Posting.joined([p.of(kept) for _, p in several])
        if len(posting.numbers):
            yield term, posting


def top(scores: NDArray[np.floating], k: int) -> NDArray[np.intp]:
    """Places of the ``k`` highest scores with all that are as high as the last of them, in no order."""
    if len(scores) <= k:
        return np.arange(len(scores))
    last = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= last)
