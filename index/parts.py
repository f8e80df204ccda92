"""Parts: where vectors lie. A part is written once and never changed, so readers need no care of writers.

The catalog says which vector of which part is a passage's, and what it doesn't name is dead. New vectors make a new part;
small parts become one with what is new (:func:`index.catalog.taken_over`). Chroma holds the vectors of every part. On this
machine they also lie in a file of rows that is mapped into memory: below :data:`EXACT_AT_MOST` rows every one is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index import generation
from index.catalog import Catalog
from index.embed import Vectors
from index.errors import Damaged
from index.postings import top
from index.store import CHROMA_FOLDER, ChromaServer, VectorStore, collection_of, create_store, open_store, require_place

PARTS_FOLDER = "vectors"
"""Folder of the parts in a generation."""
MATRIX_FILE = "rows.f32"
EXACT_AT_MOST = 20_000
"""Rows of a part that are all compared with a question; larger ones are searched by Chroma."""
_PAGE = 1000
_SOURCES_NAMED = 500
"""Sources that Chroma is given by name; where more may be found, its finds are sorted out here."""
_TRIES = 100

Admitted = NDArray[np.bool_]
Numbers = NDArray[np.intp]


def folder_of(index: Path, part: int) -> Path:
    """Folder of a part of the generation in ``index``."""
    return index / PARTS_FOLDER / f"{part:06d}"


class PartWriter:
    """Writes a part that nobody reads yet."""

    def __init__(self, folder: Path, server: ChromaServer | None, collection: str) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        (folder / generation.LEASE).touch()
        self._store = create_store(folder, server, collection)
        self._matrix = None if server else (folder / MATRIX_FILE).open("wb")
        self.rows = 0

    def add(self, ids: Sequence[str], source_ids: Sequence[str], vectors: Vectors) -> int:
        """Write vectors behind those that are there; the row of the first."""
        self._store.add(ids, source_ids, vectors)
        if self._matrix is not None:
            self._matrix.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
        first, self.rows = self.rows, self.rows + len(ids)
        return first

    def close(self) -> None:
        """Let the files go."""
        if self._matrix is not None:
            self._matrix.close()
        self._store.close()

    def settle(self) -> None:
        """Close it, and have everything on the disk."""
        self.close()
        generation.sync_folder(self._folder)


class Part:
    """A part that is read."""

    def __init__(self, folder: Path, rows: int, dimension: int, server: ChromaServer | None) -> None:
        require_place(folder, server)
        self._folder = folder
        self._server = server
        self._rows = rows
        self._dimension = dimension

    def close(self) -> None:
        """Let the files go."""
        if "store" in self.__dict__:
            self.store.close()
        self.__dict__.pop("matrix", None)

    @cached_property
    def store(self) -> VectorStore:
        """Chroma."""
        return open_store(self._folder, self._server)

    @cached_property
    def matrix(self) -> Vectors | None:
        """The vectors, ``(rows, dimension)`` unit rows on disk; None on a server or where the file is not whole."""
        file = self._folder / MATRIX_FILE
        size = self._rows * self._dimension * 4
        try:
            if not self._rows or file.stat().st_size != size:
                return None
            return np.asarray(np.memmap(file, dtype="<f4", mode="r", shape=(self._rows, self._dimension)))
        except OSError:
            return None

    def check(self) -> None:
        """Look whether the vectors are there.

        Raises:
            Damaged: they are not.
            ServerUnavailable: the server does not answer.
        """
        if collection_of(self._folder) is not None:
            there = self.store.count()
        elif self.matrix is not None and (self._folder / CHROMA_FOLDER).is_dir():
            return
        else:
            there = self.store.count()
        if there != self._rows:
            raise Damaged(f"the vector store holds {there} of {self._rows} passages; run: iskp index --rebuild")

    def vectors(self, ids: Sequence[str], rows: NDArray[np.uint32]) -> Vectors:
        """The vectors of these passages, which lie in these rows.

        Raises:
            Damaged: one is missing.
        """
        if self.matrix is not None:
            return self.matrix[rows]
        found = self.store.vectors(ids)
        if lost := [i for i in ids if i not in found]:
            raise Damaged(f"passage {lost[0]} is not in the vector store any more; run: iskp index --rebuild")
        return np.stack([found[i] for i in ids])


class View:
    """The vectors that a catalog names, held for reading until closed. Threads may share it."""

    def __init__(
        self,
        index: Path,
        catalog: Catalog,
        leases: Sequence[generation.Lease],
        dimension: int,
        server: ChromaServer | None,
    ) -> None:
        self._catalog = catalog
        self._leases = leases
        self._parts = {
            number: Part(folder_of(index, number), rows, dimension, server) for number, rows in catalog.parts().items()
        }

    def check(self) -> None:
        """Look whether all parts are there (:meth:`Part.check`)."""
        for part in self._parts.values():
            part.check()

    def close(self) -> None:
        """Let the parts go."""
        for part in self._parts.values():
            part.close()
        for held in self._leases:
            held.release()

    @cached_property
    def _places(self) -> dict[int, tuple[Numbers, NDArray[np.uint32]]]:
        """Numbers of the passages of each part, and their rows."""
        rows = self._catalog.rows()
        found = {}
        for part in self._parts:
            numbers = np.flatnonzero(rows.part == part)
            found[part] = numbers, rows.row[numbers]
        return found

    def nearest(self, vector: Vectors, k: int, admitted: Admitted | None = None) -> dict[str, float]:
        """Ids of the ``k`` passages nearest to a unit vector with their cosine similarity, best first.

        Args:
            admitted: by number, which passages are wanted; all by default.
        """
        if k < 1:
            return {}
        numbers: list[Numbers] = []
        scores: list[NDArray[np.float32]] = []
        other: dict[str, float] = {}
        for number, part in self._parts.items():
            here, rows = self._places[number]
            if admitted is not None:
                wanted = admitted[here]
                here, rows = here[wanted], rows[wanted]
            if not len(here):
                continue
            if part.matrix is not None and len(here) <= EXACT_AT_MOST:
                found = _products(part.matrix, rows, vector)
                best = top(found, k)
                numbers.append(here[best])
                scores.append(found[best])
            else:
                other |= self._by_chroma(number, vector, k, admitted, here)
        if numbers:
            everything, all_scores = np.concatenate(numbers), np.concatenate(scores)
            best = top(all_scores, k)
            ids = self._catalog.ids_of(everything[best].tolist())
            other |= {ids[int(n)]: float(s) for n, s in zip(everything[best], all_scores[best], strict=True)}
        return dict(sorted(other.items(), key=lambda row: (-row[1], row[0]))[:k])

    def _by_chroma(
        self, part: int, vector: Vectors, k: int, admitted: Admitted | None, here: Numbers
    ) -> dict[str, float]:
        """The nearest of a part's passages; more are asked for until enough of the finds are there and admitted.

        Args:
            here: numbers of those that are.
        """
        rows = self._catalog.rows()
        sources = None
        if admitted is not None:
            mask = np.zeros(len(rows.part), dtype=bool)
            mask[here] = True
            named = self._catalog.source_ids_of(mask)
            sources = named if len(named) <= _SOURCES_NAMED else None
        k = depth = min(k, len(here))
        while True:
            found = self._parts[part].store.nearest(vector, depth, sources)
            numbers = self._catalog.numbers_of(found)
            alive = {
                i: found[i] for i, n in numbers.items() if rows.part[n] == part and (admitted is None or admitted[n])
            }
            if len(alive) >= k or len(found) < depth:
                return alive
            depth *= 2

    def similarities(self, ids: Sequence[str], vector: Vectors, admitted: Admitted | None = None) -> dict[str, float]:
        """Cosine similarity of these passages, as far as they exist and are admitted, to a unit vector."""
        numbers = self._catalog.numbers_of(ids)
        if admitted is not None:
            numbers = {i: n for i, n in numbers.items() if admitted[n]}
        rows = self._catalog.rows()
        found: dict[str, float] = {}
        for number, part in self._parts.items():
            here = [i for i, n in numbers.items() if rows.part[n] == number]
            if here:
                places = rows.row[[numbers[i] for i in here]]
                found |= dict(zip(here, _dot(part.vectors(here, places), vector).tolist(), strict=True))
        return found


def _products(matrix: Vectors, rows: NDArray[np.uint32], vector: Vectors) -> NDArray[np.float32]:
    """Products of these rows with a vector; where few are wanted only those are read."""
    few = len(rows) * 8 < len(matrix)
    return _dot(matrix[rows], vector) if few else _dot(matrix, vector)[rows]


def _dot(matrix: Vectors, vector: Vectors) -> NDArray[np.float32]:
    """Products of all rows with a vector, on one processor.

    ``matrix @ vector`` uses all of them and waits for the slowest: on two that other work uses too, 10,000 rows took 16 ms
    (median; least 0.3), and so 0.6 ms (least 0.5).
    """
    products: NDArray[np.float32] = np.vecdot(matrix, vector)
    return products


def open_view(index: Path, catalog_file: Path, dimension: int, server: ChromaServer | None) -> tuple[Catalog, View]:
    """The newest state of the generation in ``index``: its catalog and vectors, held for reading.

    Raises:
        Damaged: a part is missing.
    """
    for _ in range(_TRIES):
        with closing(Catalog(catalog_file, readonly=True)) as first:
            parts = first.parts()
        leases: list[generation.Lease] = []
        try:
            for part in parts:
                if (held := generation.hold(folder_of(index, part))) is not None:
                    leases.append(held)
            # Opened after the parts are held: what it names can't be removed any more.
            catalog = Catalog(catalog_file, readonly=True)
        except BaseException:
            _release(leases)
            raise
        if catalog.parts() == parts:
            if len(leases) == len(parts):
                try:
                    return catalog, View(index, catalog, leases, dimension, server)
                except BaseException:
                    catalog.close()
                    _release(leases)
                    raise
            catalog.close()
            _release(leases)
            raise Damaged(f"vectors are missing in {index / PARTS_FOLDER}; run: iskp index --rebuild")
        catalog.close()
        _release(leases)
    raise Damaged("the index keeps changing under the reader; try again when the re-index is done")


def _release(leases: Sequence[generation.Lease]) -> None:
    for held in leases:
        held.release()


def in_chroma(index: Path, catalog: Catalog, server: ChromaServer | None) -> Iterator[str]:
    """Ids of the passages whose vector Chroma holds in the part that the catalog names for them."""
    for part in catalog.parts():
        store = open_store(folder_of(index, part), server)
        try:
            there = set(store.all_ids())
        finally:
            store.close()
        yield from (i for i, _, _ in catalog.in_part(part) if i in there)


def remove_unused(index: Path, catalog: Catalog) -> None:
    """Remove parts that the catalog does not name and nobody reads. Only for the writer."""
    named = {folder_of(index, part).name for part in catalog.parts()}
    with suppress(FileNotFoundError):
        for folder in sorted((index / PARTS_FOLDER).iterdir()):
            if folder.name not in named:
                generation.remove_if_free(folder)
