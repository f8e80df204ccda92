"""A second set of vectors for questions that the encoder of an index does not read, and an index seen through it.

The vectors lie beside the index, in one matrix of float16 rows that is mapped into memory and compared as a whole, and are
made when they are first wanted. ``vectors.json`` names the matrix in force, the passages of its rows, and what they were made
with; it is replaced at once, so that a reader sees the old rows or the new ones.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.catalog import Catalog
from index.embed import Encoder, Vectors
from index.errors import LanguagesMissing
from index.names import Names, names_of
from index.search import Filters, Hit, OpenIndex, SearchSettings
from index.sync import embedded_text
from index.words import stem, topic_words, words
from ingest.chunk import Passage

FORMAT = 1
AT_ONCE = 600
"""Passages that are encoded while a question waits: the packaged multilingual encoder takes 13 passages of 600 characters a second
on two cores that are shared with other work, 30 to 40 where they are free."""
_BATCH = 64
_KEPT_AFTER = 4096
"""Passages after which what is done is written, so that a fill that is stopped goes on from there."""
_BLOCK = 16384
"""Rows widened to 32 bits at once: BLAS knows no float16."""
_CONTENTS = "vectors.json"
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the vectors belong to.

    Attributes:
        encoder: name of the encoder.
        index: the generation of the index whose passages they are, see :attr:`index.search.OpenIndex.id`; empty while a fill is under way.
        file: name of the matrix.
        ids, digests: of each row the passage and of what words it was made.
        names: words of the passages that are names, see :func:`index.names.names_of`.
    """

    encoder: str
    index: str
    file: str
    ids: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    format: int = FORMAT


class LanguageVectors:
    """The second set of vectors of a home. Safe to use from several threads.

    Args:
        folder: where they are kept; made at the first fill.
        encoder: reads the languages that the index's own does not.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self._folder = folder
        self.encoder = encoder
        self._lock = threading.Lock()
        self._seen: tuple[str, OpenIndex] | None = None

    @property
    def made(self) -> bool:
        """Whether there are any."""
        return (self._folder / _CONTENTS).is_file()

    def view(self, opened: OpenIndex) -> OpenIndex:
        """The index as this encoder sees it; passages that have no vector yet get one first.

        Raises:
            LanguagesMissing: they are more than :data:`AT_ONCE`.
        """
        with self._lock:
            if self._seen is None or self._seen[0] != opened.id:
                rows, matrix = self._read()
                if rows.index != opened.id:
                    rows, matrix = self._filled(opened, rows, matrix, None, AT_ONCE)
                self._seen = opened.id, _Seen(opened, self.encoder, rows, matrix)
            return self._seen[1]

    def fill(self, opened: OpenIndex, progress: Progress | None = None) -> int:
        """Give every passage of the index a vector; how many were encoded."""
        with self._lock:
            rows, matrix = self._read()
            before = dict(zip(rows.ids, rows.digests, strict=True))
            if rows.index == opened.id:
                return 0
            rows, _ = self._filled(opened, rows, matrix, progress, None)
            self._seen = None
            return sum(before.get(i) != d for i, d in zip(rows.ids, rows.digests, strict=True))

    def _filled(
        self, opened: OpenIndex, rows: Rows, matrix: NDArray[np.float16], progress: Progress | None, most: int | None
    ) -> tuple[Rows, NDArray[np.float16]]:
        passages = [p for source in opened.sources() for p in opened.passages_of(source.id)]
        digests = [_digest(p) for p in passages]
        at = {key: n for n, key in enumerate(zip(rows.ids, rows.digests, strict=True))}
        kept = [(p, d) for p, d in zip(passages, digests, strict=True) if (p.id, d) in at]
        new = [(p, d) for p, d in zip(passages, digests, strict=True) if (p.id, d) not in at]
        if most is not None and len(new) > most:
            raise LanguagesMissing(len(new))
        names = names_of(f"{p.context} {p.text}" for p in passages)
        made = matrix[[at[p.id, d] for p, d in kept]]
        fresh: list[Vectors] = []
        for start in range(0, len(new), _BATCH):
            if progress:
                progress(start, len(new))
            fresh.append(self.encoder.encode([embedded_text(p) for p, _ in new[start : start + _BATCH]]))
            done = start + _BATCH
            if done % _KEPT_AFTER == 0 and done < len(new):
                self._write("", [*kept, *new[:done]], (), _joined(made, fresh))
        if progress:
            progress(len(new), len(new))
        return self._write(opened.id, [*kept, *new], names, _joined(made, fresh))

    def _read(self) -> tuple[Rows, NDArray[np.float16]]:
        """What is kept; nothing where it is missing, damaged or of another encoder, since it can be made again."""
        nothing = Rows(encoder=self.encoder.name, index="", file=""), np.zeros((0, 0), dtype=np.float16)
        try:
            known: dict[str, Any] = json.loads((self._folder / _CONTENTS).read_text(encoding="utf-8"))
            rows = Rows(**{**known, **{key: tuple(known[key]) for key in ("ids", "digests", "names")}})
            if rows.format != FORMAT or rows.encoder != self.encoder.name:
                return nothing
            matrix: NDArray[np.float16] = np.load(self._folder / rows.file, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, KeyError, TypeError):
            return nothing
        fits = matrix.dtype == np.float16 and matrix.ndim == 2 and len(matrix) == len(rows.ids) == len(rows.digests)
        return (rows, matrix) if fits else nothing

    def _write(
        self, index: str, whole: Sequence[tuple[Passage, str]], names: Sequence[str], matrix: NDArray[np.float16]
    ) -> tuple[Rows, NDArray[np.float16]]:
        """Keep the rows; where the home cannot be written they last as long as the program runs."""
        ids, digests = tuple(p.id for p, _ in whole), tuple(d for _, d in whole)
        name = hashlib.sha256(repr((self.encoder.name, ids, digests)).encode()).hexdigest()[:16]
        rows = Rows(
            encoder=self.encoder.name, index=index, file=f"{name}.npy", ids=ids, digests=digests, names=tuple(names)
        )  # fmt: skip
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            written = self._folder / f"{name}.{os.getpid()}.tmp"
            with written.open("wb") as stream:
                np.save(stream, matrix, allow_pickle=False)
            os.replace(written, self._folder / rows.file)
            written.write_text(json.dumps(asdict(rows)), encoding="utf-8")
            os.replace(written, self._folder / _CONTENTS)
        except OSError:
            return rows, matrix
        for old in self._folder.glob("*.npy"):
            if old.name != rows.file:
                _remove(old)
        return rows, matrix


class _Matrix:
    """Vectors of passages in one matrix; which of them pass a filter the catalog knows."""

    def __init__(self, catalog: Catalog, ids: Sequence[str], matrix: NDArray[np.float16]) -> None:
        self._catalog = catalog
        self._ids = ids
        self._at = {i: n for n, i in enumerate(ids)}
        self._matrix = matrix

    def nearest(self, vector: Vectors, k: int, admitted: NDArray[np.bool_] | None = None) -> dict[str, float]:
        """As of any vectors, but exact."""
        scores = np.concatenate(
            [self._matrix[n : n + _BLOCK].astype(np.float32) @ vector for n in range(0, len(self._ids), _BLOCK)]
            or [vector[:0]]
        )
        order = [self._ids[row] for row in np.argsort(-scores, kind="stable").tolist()]
        return {i: float(scores[self._at[i]]) for i in self._passing(order, admitted)[:k]}

    def similarities(
        self, ids: Sequence[str], vector: Vectors, admitted: NDArray[np.bool_] | None = None
    ) -> dict[str, float]:
        """As of any vectors."""
        known = self._passing([i for i in ids if i in self._at], admitted)
        if not known:
            return {}
        scores = self._matrix[[self._at[i] for i in known]].astype(np.float32) @ vector
        return {i: float(s) for i, s in zip(known, scores, strict=True)}

    def _passing(self, ids: Sequence[str], admitted: NDArray[np.bool_] | None) -> list[str]:
        if admitted is None:
            return list(ids)
        numbers = self._catalog.numbers_of(ids)
        return [i for i in ids if i in numbers and admitted[numbers[i]]]


class _Seen(OpenIndex):
    """An open index through another encoder. It shares everything else with the one that it was made of, which stays open for it."""

    def __init__(self, opened: OpenIndex, encoder: Encoder, rows: Rows, matrix: NDArray[np.float16]) -> None:
        vars(self).update(vars(opened))
        self._of = opened
        self.encoder = encoder
        self._vectors = _Matrix(opened._catalog, rows.ids, matrix)
        self.names_in = lru_cache(maxsize=16)(Names(rows.names, opened.vocabulary).found)  # type: ignore[method-assign]

    def search(
        self, query: str, k: int = 10, *, filters: Filters = Filters(), settings: SearchSettings = SearchSettings()
    ) -> list[Hit]:
        """As of any index; words count by the share of the question's that the sources can hold: most are in another language."""
        groups = self._groups(query)
        there = self._catalog.document_frequency({word for group in groups for word in group})
        share = sum(any(there[w] for w in group) for group in groups) / len(groups) if groups else 0.0
        return super().search(
            query, k, filters=filters, settings=replace(settings, lexical_weight=settings.lexical_weight * share)
        )

    def _lexical(self, query: str, depth: int, admitted: NDArray[np.bool_] | None) -> dict[str, float]:
        return dict(self._catalog.search(self._groups(query), depth, admitted))

    def _groups(self, query: str) -> list[tuple[str, ...]]:
        """The words of the question with their stems in the languages of the sources, and its names as the sources spell them."""
        codes = set(self.languages())
        named = self.names_in(query)
        apart = {w for n in named for w in words(f"{n.written} {n.spelled[0]}")}
        rest = [w for w in topic_words(query, codes) if w not in apart]
        groups = [tuple(dict.fromkeys((w, *(stem(w, c) for c in sorted(codes))))) for w in rest]
        return groups + [tuple(dict.fromkeys((*n.spelled, *words(n.written)))) for n in named]


def _joined(made: NDArray[np.float16], fresh: Sequence[Vectors]) -> NDArray[np.float16]:
    parts = [made] if len(made) else []
    parts += [part.astype(np.float16) for part in fresh]
    return np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float16)


def _digest(passage: Passage) -> str:
    return hashlib.sha256(embedded_text(passage).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _remove(file: Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError:
        return  # on Windows while a reader has it mapped; the next fill tries again
