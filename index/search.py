"""Search one generation of the index: dense and BM25 candidates, fused into ranked hits."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from index import generation
from index.catalog import Catalog, Newest
from index.embed import Encoder, Vectors
from index.errors import Damaged
from index.identity import Identity
from index.names import Named
from index.parts import View, open_view
from index.store import ChromaServer
from index.sync import CATALOG_FILE, require_identity
from index.terms import TOKEN, Vocabulary
from ingest.chunk import ChunkSettings, Passage
from ingest.dates import date_bounds, iso_date
from ingest.source import Source

NEAR_COPY_RATIO = 90.0
"""Similarity in percent (normalised indel) from which passages of two sources are one."""
NEAR_COPY_MIN_CHARS = 80
"""Shorter passages may be alike by chance."""
COPIES_EXPECTED = 10
"""Candidates beyond the wanted ones whose words are read at once, to find near-copies among them."""
MISSPELLING_MIN_CHARS = 3
"""Shorter words are taken as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which sources a search may use; empty means all.

    Attributes:
        sources: source ids.
        genres: genres.
        since: earliest day as YYYYMMDD; a source whose date may reach that day passes.
        until: latest day as YYYYMMDD. Undated sources pass only when neither bound is set.
    """

    sources: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    since: int | None = None
    until: int | None = None

    @classmethod
    def of(
        cls,
        *,
        sources: Iterable[str] = (),
        genres: Iterable[str] = (),
        since: str | None = None,
        until: str | None = None,
    ) -> Filters:
        """Filters with dates as people write them, such as 2024, 2024-03 or 22 March 2024; a blank one is none.

        Raises:
            BadSource: a date is not one.
        """
        return cls(
            sources=tuple(sources),
            genres=tuple(genres),
            since=date_bounds(iso_date(since))[0] if since and since.strip() else None,
            until=date_bounds(iso_date(until))[1] if until and until.strip() else None,
        )

    def admits(self, source: Source) -> bool:
        """Whether a source passes (:meth:`index.catalog.Catalog.admitted` says it of all)."""
        if (self.sources and source.id not in self.sources) or (self.genres and source.genre not in self.genres):
            return False
        if self.since is None and self.until is None:
            return True
        if not source.date:
            return False
        first, last = date_bounds(source.date)
        return (self.since is None or last >= self.since) and (self.until is None or first <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSettings:
    """How candidates are found and fused.

    Attributes:
        candidates: how many each of the two searches contributes at least.
        lexical_weight: weight of BM25 beside the cosine, both scaled to the same spread over the candidates
            (standard deviations, after Montague & Aslam, CIKM 2001).
    """

    candidates: int = 40
    lexical_weight: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage found.

    Attributes:
        score: fused score, higher is better: cosine + lexical_weight · bm25 · σ(cosine) / σ(bm25), with the
            standard deviations σ over the candidates of the question.
        similarity: cosine of query and passage, in [-1, 1].
        lexical: BM25 score, 0 when no query term stands in the passage.
        rank: from 1.
        copies: passages of other sources with nearly the same words, best first; they have no hit of
            their own.
    """

    passage: Passage
    score: float
    similarity: float
    lexical: float
    rank: int
    copies: tuple[Passage, ...] = ()


class PassageVectors(Protocol):
    """What is searched by meaning: the passages that are there by their vectors, see :class:`index.parts.View`."""

    def nearest(self, vector: Vectors, k: int, admitted: NDArray[np.bool_] | None = None) -> dict[str, float]:
        """Ids of the ``k`` passages nearest to a unit vector with their cosine similarity, best first."""

    def similarities(
        self, ids: Sequence[str], vector: Vectors, admitted: NDArray[np.bool_] | None = None
    ) -> dict[str, float]:
        """Cosine similarity of these passages, as far as they exist and are admitted, to a unit vector."""


class OpenIndex:
    """One generation, held for reading until closed. Threads may share it."""

    def __init__(
        self,
        folder: Path,
        held: generation.Lease,
        encoder: Encoder,
        identity: Identity,
        vocabulary: Vocabulary,
        server: ChromaServer | None = None,
    ) -> None:
        self.folder = folder
        self.identity = identity
        self.encoder = encoder
        self.vocabulary = vocabulary
        self._catalog, vectors = open_view(folder, folder / CATALOG_FILE, identity.dimension, server)
        self._vectors: PassageVectors = vectors
        try:
            self._passages = self._catalog.passage_count()
            self._view = self._catalog.view()
            vectors.check()
        except BaseException:
            vectors.close()
            self._catalog.close()
            raise
        # Also runs when the last user drops an index that is no longer current.
        self._release = weakref.finalize(self, _close_all, self._catalog, vectors, held)
        # On the catalog's method, not on one of self: a cache that held self would keep it alive.
        self.source = lru_cache(maxsize=512)(self._catalog.source)
        """The source of an id as it was indexed, or None."""

    @property
    def id(self) -> str:
        """Names the state of the index and what it was built with; kept in every answer."""
        return f"{self.folder.name}.{self._view}-{self.identity.short}"

    @property
    def view(self) -> int:
        """Number of the commit that is seen."""
        return self._view

    def close(self) -> None:
        """Let the generation go."""
        self._release()

    def passage_count(self) -> int:
        """How many passages can be found."""
        return self._passages

    def sources(self) -> Iterable[Source]:
        """All indexed sources by id, one at a time."""
        return (s for i in self._catalog.source_ids() if (s := self._catalog.source(i)) is not None)

    def passages_of(self, source_id: str) -> list[Passage]:
        """The passages of a source in text order."""
        return self._catalog.passages_of(source_id)

    @cached_property
    def origins(self) -> Mapping[str, int]:
        """How many sources came in each way (:attr:`ingest.source.Source.origin`)."""
        return self._catalog.origins()

    def languages(self) -> Mapping[str, frozenset[str]]:
        """Ids of the sources that have passages in a language, by ISO 639-1 code."""
        return self._languages

    @cached_property
    def _languages(self) -> Mapping[str, frozenset[str]]:
        return self._catalog.languages()

    def search_words(self, groups: Sequence[Sequence[str]], k: int = 10, *, filters: Filters = Filters()) -> list[Hit]:
        """The ``k`` best passages by their words alone (see :meth:`index.catalog.Catalog.search`), best first."""
        scores = dict(self._catalog.search(groups, k, self._admitted(filters)))
        best = sorted(scores, key=lambda i: (-scores[i], i))[:k]
        passages = self._catalog.passages(best)
        return [
            Hit(passage=passages[i], score=scores[i], similarity=0.0, lexical=scores[i], rank=rank)
            for rank, i in enumerate((i for i in best if i in passages), start=1)
        ]

    def document_frequency(self, terms: Iterable[str]) -> Mapping[str, int]:
        """In how many passages each term (or one of its aliases) stands."""
        terms = list(terms)
        alternatives = {t: self.vocabulary.aliases(t) for t in terms}
        counts = self._catalog.document_frequency({a for group in alternatives.values() for a in group})
        return {t: max(counts[a] for a in alternatives[t]) for t in terms}

    def correct_spelling(self, text: str) -> str:
        """The text with misspelt words replaced by the nearest words of the sources.

        Only words are touched that no source has, that the embedding model does not know as a word, and
        that are one slip away from a word of the sources (two for words of eight letters and more): a
        swapped, missing, added or wrong letter (optimal string alignment distance). Of several as near, one
        that only lacks or swaps letters goes first ("hav" is "have", not "had"), then the one that more passages hold.
        """
        return TOKEN.sub(lambda match: self._nearest_word(match.group()), text)

    def _nearest_word(self, word: str) -> str:
        folded = word.lower()
        if len(folded) < MISSPELLING_MIN_CHARS or not folded.isalpha() or folded in self._words:
            return word
        if word.isupper() or self.encoder.is_word(folded) or self.document_frequency([word])[word]:
            return word
        slips = 2 if len(folded) >= 8 else 1
        found = process.extract(folded, self._words, scorer=OSA.distance, score_cutoff=slips, limit=None)
        near = {str(w): slip for w, slip, _ in found if w[0] == folded[0]}
        if not near:
            return word
        frequency = self.document_frequency(near)
        best = min(near, key=lambda w: (near[w], bool(Counter(folded) - Counter(w)), -frequency[w], w))
        return best.capitalize() if word[0].isupper() else best

    @cached_property
    def _words(self) -> dict[str, str]:
        return {w: w for w in self._catalog.words()}

    def names_in(self, question: str) -> Sequence[Named]:
        """Names of a question in other letters than the collection's; found by the index of another language alone."""
        return ()

    def search(
        self, query: str, k: int = 10, *, filters: Filters = Filters(), settings: SearchSettings = SearchSettings()
    ) -> list[Hit]:
        """The ``k`` best passages for a query, best first; none for a blank query."""
        if not query.strip() or k < 1:
            return []
        depth = max(k, settings.candidates)
        vector = self.encoder.encode([self.vocabulary.spell_out(query)])[0]
        admitted = self._admitted(filters)
        similarity = self._vectors.nearest(vector, depth, admitted)
        lexical = self._lexical(query, depth, admitted)
        similarity |= self._vectors.similarities([i for i in lexical if i not in similarity], vector)
        spread = float(np.std([lexical.get(i, 0.0) for i in similarity] or [0.0]))
        weight = settings.lexical_weight * float(np.std(list(similarity.values()) or [0.0])) / spread if spread else 0.0
        scored = sorted(
            ((s + weight * lexical.get(i, 0.0), s, i) for i, s in similarity.items()),
            reverse=True,
        )
        hits: list[Hit] = []
        # Words are read for the best alone: for all candidates that takes longer than to find them.
        for at in range(0, len(scored), k + COPIES_EXPECTED):
            window = scored[at : at + k + COPIES_EXPECTED]
            passages = self._catalog.passages([i for _, _, i in window])
            for score, s, i in window:
                if i not in passages:
                    raise Damaged(f"passage {i} is not in the catalog any more; run: iskp index --rebuild")
                twin = next((n for n, h in enumerate(hits) if _is_copy(passages[i], h.passage)), None)
                if twin is not None:
                    hits[twin] = replace(hits[twin], copies=(*hits[twin].copies, passages[i]))
                elif len(hits) < k:
                    hit = Hit(
                        passage=passages[i], score=score, similarity=s, lexical=lexical.get(i, 0.0), rank=len(hits) + 1
                    )
                    hits.append(hit)
            if len(hits) == k:
                break
        return hits

    def _lexical(self, query: str, depth: int, admitted: NDArray[np.bool_] | None) -> dict[str, float]:
        return dict(self._catalog.search(self.vocabulary.query_groups(query), depth, admitted))

    def _admitted(self, filters: Filters) -> NDArray[np.bool_] | None:
        if filters == Filters():
            return None
        return self._catalog.admitted(filters.sources, filters.genres, filters.since, filters.until)


def _close_all(catalog: Catalog, vectors: View, held: generation.Lease) -> None:
    catalog.close()
    vectors.close()
    held.release()


def _is_copy(passage: Passage, other: Passage) -> bool:
    """Whether two outlets print nearly the same words: at least 90 % of them in the same order."""
    if passage.source_id == other.source_id:
        return False
    shorter, longer = sorted((len(passage.text), len(other.text)))
    if shorter < NEAR_COPY_MIN_CHARS or shorter < 0.8 * longer:
        return False
    return fuzz.ratio(passage.text.casefold(), other.text.casefold(), score_cutoff=NEAR_COPY_RATIO) > 0


class IndexReader:
    """The index of a home, always the current generation: a re-index is seen at the next question."""

    def __init__(
        self,
        root: Path,
        encoder: Encoder,
        chunking: ChunkSettings,
        vocabulary: Callable[[], Vocabulary],
        server: ChromaServer | None = None,
    ) -> None:
        self._root = root
        self._server = server
        self._encoder = encoder
        self._chunking = chunking
        self._vocabulary = vocabulary
        self._open: OpenIndex | None = None
        self._newest: Newest | None = None
        self._lock = threading.Lock()

    def current(self) -> OpenIndex | None:
        """The current generation opened, or None when nothing was indexed yet.

        Raises:
            IdentityMismatch: it was built with other settings than the ones in force.
            Damaged: it is incomplete.
        """
        with self._lock:
            folder = generation.current(self._root)
            if folder is not None and self._open is not None and self._open.folder == folder:
                self._newest = self._newest or Newest(folder / CATALOG_FILE)
                if self._newest.view() == self._open.view:
                    return self._open
            acquired = generation.acquire(self._root)
            if acquired is None:
                return None
            folder, held = acquired
            try:
                identity = require_identity(folder, self._encoder, self._chunking)
                opened = OpenIndex(folder, held, self._encoder, identity, self._vocabulary(), self._server)
            except BaseException:
                held.release()
                raise
            if self._newest is not None and (self._open is None or self._open.folder != folder):
                self._newest.close()
                self._newest = None
            # The old one is not closed here: another thread may be reading it. It closes when dropped.
            self._open = opened
            return opened

    def close(self) -> None:
        """Let the generation go."""
        with self._lock:
            if self._open is not None:
                self._open.close()
                self._open = None
            if self._newest is not None:
                self._newest.close()
                self._newest = None
