"""Chroma, and nothing else of ours knows it: passages and their vectors, on disk."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import chromadb
import numpy as np
from chromadb.config import Settings
from chromadb.errors import InternalError

from index.embed import Vectors
from index.errors import Damaged, Unwritable
from ingest.chunk import Passage

_COLLECTION = "passages"
_PAGE = 1000
_TEXT_FIELDS = ("source_id", "context", "role", "locator", "claim_status", "claimed_by", "via")
_INT_FIELDS = ("start", "end", "ordinal", "number")
_FACETS = ("genre", "since", "until")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A passage as it is kept.

    Attributes:
        embed_digest: of the text that was embedded; when it changes, so must the vector.
        facets: values that searches filter on (genre, date bounds as YYYYMMDD).
    """

    passage: Passage
    embed_digest: str
    facets: Mapping[str, str | int]

    @property
    def digest(self) -> str:
        """Changes when anything that is stored changes."""
        return repr((self.passage, self.embed_digest, sorted(self.facets.items())))


class VectorStore:
    """Passages with unit vectors in a persistent Chroma collection, cosine space.

    Chroma writes even when it only opens a folder. Where this user may only read, a temporary copy is
    opened; what is written to it is lost.
    """

    def __init__(self, folder: Path) -> None:
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        if folder.is_dir() and not os.access(folder, os.W_OK):
            self._copy = tempfile.TemporaryDirectory(prefix="iskp-index-", ignore_cleanup_errors=True)
            folder = _copied(folder, Path(self._copy.name))
        try:
            # Telemetry off by setting; chromadb 1.5 sends none, older and later ones may.
            self._client = chromadb.PersistentClient(
                str(folder), settings=Settings(anonymized_telemetry=False, is_persistent=True)
            )
            self._collection = self._client.get_or_create_collection(
                _COLLECTION,
                embedding_function=None,
                # ef_search well above Chroma's 100: recall of the exact neighbours matters more here
                # than the fraction of a millisecond that it costs.
                configuration={"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 300}},
            )
        except Exception as exc:
            raise Damaged(f"the vector store in {folder} cannot be opened ({exc}); run: iskp index --rebuild") from exc

    def close(self) -> None:
        """Flush and let the files go."""
        self._client.close()  # type: ignore[attr-defined]  # of the concrete client
        if self._copy is not None:
            self._copy.cleanup()

    def count(self) -> int:
        """How many passages are stored."""
        with _reading():
            return int(self._collection.count())

    def upsert(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Add or replace; ``vectors`` has a unit row for each entry."""
        for at in range(0, len(entries), _PAGE):
            part = entries[at : at + _PAGE]
            with _writing():
                self._collection.upsert(
                    ids=[e.passage.id for e in part],
                    embeddings=vectors[at : at + _PAGE],
                    documents=[e.passage.text for e in part],
                    metadatas=[_metadata(e) for e in part],
                )

    def update_metadata(self, entries: Sequence[Entry]) -> None:
        """Replace offsets, locators and facets; the vectors stay."""
        for at in range(0, len(entries), _PAGE):
            part = entries[at : at + _PAGE]
            with _writing():
                self._collection.update(ids=[e.passage.id for e in part], metadatas=[_metadata(e) for e in part])

    def delete(self, ids: Sequence[str]) -> None:
        """Remove these passages; unknown ids are ignored."""
        for at in range(0, len(ids), _PAGE):
            with _writing():
                self._collection.delete(ids=list(ids[at : at + _PAGE]))

    def entries_of(self, source_id: str) -> list[Entry]:
        """All entries of a source, in text order."""
        with _reading():
            found = self._collection.get(where={"source_id": source_id}, include=["documents", "metadatas"])
        return sorted(_entries(cast("Mapping[str, Any]", found)), key=lambda e: e.passage.ordinal)

    def all_ids(self) -> Iterator[str]:
        """Every id, in pages."""
        offset = 0
        while ids := self._collection.get(limit=_PAGE, offset=offset, include=[])["ids"]:
            yield from ids
            offset += len(ids)

    def get(self, ids: Sequence[str]) -> tuple[list[Entry], Vectors]:
        """The entries of these ids that exist, and their vectors in the same order."""
        if not ids:
            return [], np.zeros((0, 0), dtype=np.float32)
        with _reading():
            found = self._collection.get(ids=list(ids), include=["documents", "metadatas", "embeddings"])
        vectors = np.asarray(found["embeddings"], dtype=np.float32)
        return _entries(cast("Mapping[str, Any]", found)), vectors

    def copy_to(self, folder: Path) -> None:
        """Write everything into a new store, which takes only the space that it needs.

        Chroma frees neither the places of deleted vectors nor the pages of its database.
        """
        ids = list(self.all_ids())
        with closing(VectorStore(folder)) as target:
            for at in range(0, len(ids), _PAGE):
                target.upsert(*self.get(ids[at : at + _PAGE]))

    def nearest(self, vector: Vectors, k: int, where: Mapping[str, Any] | None = None) -> list[tuple[Passage, float]]:
        """The ``k`` passages nearest to a unit vector with their cosine similarity, best first."""
        available = self.count()
        if k < 1 or available == 0:
            return []
        with _reading():
            found = self._collection.query(
                query_embeddings=vector.reshape(1, -1),
                n_results=min(k, available),
                where=dict(where) if where else None,
                include=["documents", "metadatas", "distances"],
            )
        distances = (found["distances"] or [[]])[0]
        single = {
            "ids": found["ids"][0],
            "documents": (found["documents"] or [[]])[0],
            "metadatas": (found["metadatas"] or [[]])[0],
        }
        # Chroma's cosine distance is 1 - cosine similarity; this is the only place that knows.
        return [(e.passage, 1.0 - float(d)) for e, d in zip(_entries(single), distances, strict=True)]


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except (InternalError, OSError) as exc:
        raise Unwritable(
            f"the vector store cannot be written ({' '.join(str(exc).split())[:200]}): check free space, then run: "
            "iskp index; nothing is lost"
        ) from exc


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except InternalError as exc:
        raise Damaged(
            f"the vector store cannot be read ({' '.join(str(exc).split())[:200]}); run: iskp index --rebuild"
        ) from exc


def _copied(folder: Path, to: Path) -> Path:
    target = to / folder.name
    for place in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        (target / place.relative_to(folder)).mkdir(parents=True)
    for file in folder.rglob("*"):
        if file.is_file():  # contents alone: copied rights would be read-only again
            shutil.copyfile(file, target / file.relative_to(folder))
    return target


def _metadata(entry: Entry) -> dict[str, Any]:
    passage = entry.passage
    values = {name: getattr(passage, name) for name in (*_TEXT_FIELDS, *_INT_FIELDS)}
    # None, not absence: an update in Chroma keeps the keys that it is not given.
    return {**values, "embed_digest": entry.embed_digest, **{f"facet_{k}": entry.facets.get(k) for k in _FACETS}}


def _entries(found: Mapping[str, Any]) -> list[Entry]:
    return [
        _entry(id_, document, metadata)
        for id_, document, metadata in zip(found["ids"], found["documents"], found["metadatas"], strict=True)
    ]


def _entry(id_: str, document: str, metadata: Mapping[str, Any]) -> Entry:
    try:
        passage = Passage(
            id=id_,
            text=document,
            **{name: metadata.get(name) for name in (*_TEXT_FIELDS, *_INT_FIELDS)},  # type: ignore[arg-type]
        )
        facets = {k.removeprefix("facet_"): v for k, v in metadata.items() if k.startswith("facet_") and v is not None}
        return Entry(passage=passage, embed_digest=str(metadata["embed_digest"]), facets=facets)
    except (KeyError, AttributeError, TypeError) as exc:
        raise Damaged(f"passage {id_} in the vector store is incomplete; run: iskp index --rebuild") from exc
