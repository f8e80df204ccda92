"""Bring the index in line with the stored sources: plan what differs, then apply just that."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from index import generation
from index.catalog import Catalog
from index.embed import Encoder, Vectors
from index.errors import IndexingError, Unwritable
from index.identity import Identity
from index.store import VECTORS_FOLDER, ChromaServer, Entry, VectorStore, collection_of, create_store, open_store
from ingest.chunk import ChunkSettings, Passage, chunk
from ingest.dates import date_bounds
from ingest.source import Source

IDENTITY_FILE = "identity.json"
CATALOG_FILE = "catalog.db"
WEAR_FILE = "wear.json"
COMPACT_FROM = 1000
"""Below so many dead passages (1.7 KB of vectors each) compaction is not worth the copying."""
SHORT_PASSAGE_CHARS = 300
"""Passages below this length are embedded together with their title and headings."""
_BATCH, _LARGEST_BATCH = 256, 1024
"""Passages that are waited for before the encoder starts, and that it gets at once at most."""


class SourceShelf(Protocol):
    """Where the stored sources are read from, one at a time."""

    def fingerprints(self) -> Mapping[str, str]:
        """Fingerprint of each stored source by id."""

    def get(self, source_id: str) -> Source:
        """One stored source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What has to happen to which ids; the four lists are disjoint and cover known and wanted."""

    add: tuple[str, ...]
    update: tuple[str, ...]
    skip: tuple[str, ...]
    delete: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether anything has to be done."""
        return bool(self.add or self.update or self.delete)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncReport:
    """Passages added, updated, skipped and deleted; how many texts were embedded; wall time.

    ``updated`` counts passages whose place, badge or bibliographic data changed while their text did
    not; they are embedded again only when the context that is embedded with them changed.

    Attributes:
        compacted: whether the space of passages deleted since the last time was freed.
        freed_bytes: how much that was.
    """

    added: int
    updated: int
    skipped: int
    deleted: int
    embedded: int
    sources: int
    seconds: float
    rebuilt: bool = False
    compacted: bool = False
    freed_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Told while a sync runs: passages embedded so far, of how many known to be needed so far."""

    done: int
    total: int


def plan(known: Mapping[str, str], wanted: Mapping[str, str]) -> Plan:
    """Compare id → digest of what is there with what should be.

    New id → add; known id with another digest → update; same digest → skip; vanished → delete.
    """
    return Plan(
        add=tuple(i for i in wanted if i not in known),
        update=tuple(i for i in wanted if i in known and known[i] != wanted[i]),
        skip=tuple(i for i in wanted if known.get(i) == wanted[i]),
        delete=tuple(i for i in known if i not in wanted),
    )


def embedded_text(passage: Passage) -> str:
    """What the encoder reads: short passages get their title and headings, which say what they are about."""
    if len(passage.text) >= SHORT_PASSAGE_CHARS:
        return passage.text
    return f"{passage.context}: {passage.text}"


def entry_of(passage: Passage, source: Source) -> Entry:
    """The passage with the digest of its embedded text and the facets that searches filter on."""
    facets: dict[str, str | int] = {"genre": source.genre}
    if source.date:
        facets["since"], facets["until"] = date_bounds(source.date)
    digest = hashlib.sha256(embedded_text(passage).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Entry(passage=passage, embed_digest=digest, facets=facets)


def sync(
    root: Path,
    shelf: SourceShelf,
    encoder: Encoder,
    settings: ChunkSettings = ChunkSettings(),
    *,
    rebuild: bool = False,
    lock_timeout_seconds: float = 60.0,
    progress: Callable[[Progress], None] | None = None,
    server: ChromaServer | None = None,
) -> SyncReport:
    """Make the index under ``root`` hold exactly the passages of the stored sources.

    Only passages whose text (or embedded context) is new are embedded. Readers keep the old
    generation until the new one is complete. When more passages were deleted since the last
    compaction than are left, the new generation is compacted: its vectors are copied, not made anew.
    An index that an earlier version built is built from nothing.

    Args:
        rebuild: build from nothing, whatever is there; needed when model or passage length change.
        lock_timeout_seconds: how long to wait for another writer.
        server: keeps the vectors, each generation in a collection of its own; everything else stays under ``root``.

    Raises:
        IdentityMismatch: the index was built with other settings and ``rebuild`` is False.
        ServerUnavailable: the Chroma server does not answer.
        Locked: another process kept writing.
        Unwritable: disk full or no right to write; the index in force stays.
    """
    began = time.monotonic()
    with generation.writer(root, timeout_seconds=lock_timeout_seconds):
        base = None if rebuild else generation.current(root)
        if base is not None and read_identity(base).outdated:
            base, rebuild = None, True
        known: Mapping[str, str] = {}
        if base is not None:
            require_identity(base, encoder, settings)
            require_place(base, server)
            with closing(Catalog(base / CATALOG_FILE, readonly=True)) as catalog:
                known, passages = catalog.fingerprints(), catalog.passage_count()
        sources = plan(known, shelf.fingerprints())
        if base is not None and not sources.changes:
            generation.remove_leftovers(root)
            generation.remove_old(root)
            return SyncReport(
                added=0, updated=0, skipped=passages, deleted=0, embedded=0,
                sources=len(known), seconds=time.monotonic() - began,
            )  # fmt: skip
        dimension = encoder.dimension  # loads the model: what it lacks is no fault of the disk
        identity = Identity(encoder=encoder.name, dimension=dimension, max_chars=settings.max_chars)
        try:
            with generation.writing(root):
                building = generation.start_next(root, copy_from=base)
                store = _store_to_write(root, building, base, server)
                counts = _Applier(building, encoder, settings, progress).apply(sources, shelf, store)
                # On a server every generation is a copy of what lives, so nothing dead is carried along.
                dead = 0 if server else read_dead(base) + counts.deleted
                freed = _settle(building, dead=dead, live=counts.live)
                generation.replace_text(building / IDENTITY_FILE, identity.dump())
                generation.publish(root, building)
                _remove_unused_collections(root, server)
        except BaseException:
            generation.remove_leftovers(root)  # on a full disk its space is needed
            with suppress(IndexingError):
                _remove_unused_collections(root, server)
            raise
        return SyncReport(
            added=counts.added, updated=counts.updated, skipped=counts.skipped, deleted=counts.deleted,
            embedded=counts.embedded, sources=len(sources.add) + len(sources.update) + len(sources.skip),
            seconds=time.monotonic() - began, rebuilt=rebuild, compacted=freed is not None, freed_bytes=freed or 0,
        )  # fmt: skip


def read_identity(folder: Path) -> Identity:
    """What the generation in this folder was built with."""
    try:
        return Identity.parse((folder / IDENTITY_FILE).read_text(encoding="utf-8"))
    except OSError:
        return Identity.parse("")


def read_dead(folder: Path | None) -> int:
    """How many deleted passages still take space in the generation in this folder."""
    try:
        return int(json.loads((folder / WEAR_FILE).read_text(encoding="utf-8"))["dead"]) if folder else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _settle(building: Path, *, dead: int, live: int) -> int | None:
    """Compact a built generation that is mostly dead space; the bytes freed, or None when it was left alone."""
    freed = None
    if dead >= COMPACT_FROM and dead > live:
        freed = _compact(building)
    generation.replace_text(building / WEAR_FILE, json.dumps({"dead": dead if freed is None else 0}))
    return freed


def _compact(building: Path) -> int | None:
    """Copy the vectors into a store without dead space; None, and all as before, when the disk is too full."""
    before = _bytes(building)
    worn, fresh = building / VECTORS_FOLDER, building / f"{VECTORS_FOLDER}.new"
    try:
        with closing(VectorStore(worn)) as store:
            store.copy_to(fresh)
        with closing(Catalog(building / CATALOG_FILE)) as catalog:
            catalog.compact()
    except (Unwritable, OSError, sqlite3.OperationalError):
        shutil.rmtree(fresh, ignore_errors=True)
        return None
    shutil.rmtree(worn)
    fresh.rename(worn)
    return max(0, before - _bytes(building))


def _bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())


def require_identity(folder: Path, encoder: Encoder, settings: ChunkSettings) -> Identity:
    """The identity of a generation, checked against the settings in force without loading a model.

    Raises:
        IdentityMismatch: they differ.
    """
    identity = read_identity(folder)
    identity.require(encoder=encoder.name, max_chars=settings.max_chars)
    return identity


def require_place(folder: Path, server: ChromaServer | None) -> None:
    """Check that the vectors of a generation lie where the settings say, without asking a server.

    Raises:
        IdentityMismatch: they do not.
    """
    if (collection_of(folder) is None) != (server is None):
        open_store(folder, server)


def _store_to_write(root: Path, building: Path, base: Path | None, server: ChromaServer | None) -> VectorStore:
    """The store of a generation that is being built, with what the one before it held."""
    if server is None:
        return VectorStore(building / VECTORS_FOLDER)
    name = _collections_prefix(root) + building.name.split(".")[0]
    with suppress(IndexingError):
        server.delete(name)  # of a writer that was killed
    return create_store(building, server, name, base)


def _collections_prefix(root: Path) -> str:
    """What the names of this home's collections begin with, so that several homes may share a server."""
    file = root / "SERVER_NAME"
    if not file.is_file():
        generation.replace_text(file, f"iskp-{uuid.uuid4().hex[:12]}-")
    return file.read_text(encoding="utf-8")


def _remove_unused_collections(root: Path, server: ChromaServer | None) -> None:
    """Remove this home's collections that no generation on disk names any more."""
    if server is None:
        return
    used = {collection_of(folder) for folder in generation.finished(root)}
    for name in server.collections(_collections_prefix(root)):
        if name not in used:
            server.delete(name)


@dataclass(slots=True)
class _Counts:
    added: int = 0
    updated: int = 0
    skipped: int = 0
    deleted: int = 0
    embedded: int = 0

    @property
    def live(self) -> int:
        return self.added + self.updated + self.skipped


class _Applier:
    """Carries a plan over sources out in a folder that nobody reads yet."""

    def __init__(
        self, folder: Path, encoder: Encoder, settings: ChunkSettings, progress: Callable[[Progress], None] | None
    ) -> None:
        self._folder = folder
        self._encoder = encoder
        self._settings = settings
        self._progress = progress
        self._counts = _Counts()
        self._pending: list[Entry] = []
        self._encoding: tuple[Sequence[Entry], Future[Vectors]] | None = None
        self._planned = 0

    def apply(self, sources: Plan, shelf: SourceShelf, store: VectorStore) -> _Counts:
        with (
            closing(store),
            closing(Catalog(self._folder / CATALOG_FILE)) as catalog,
            ThreadPoolExecutor(1, "encoder") as beside,
        ):
            catalog.begin()
            for source_id in sources.delete:
                gone = [e.passage.id for e in store.entries_of(source_id)]
                store.delete(gone)
                catalog.remove(source_id)
                self._counts.deleted += len(gone)
            for source_id in (*sources.add, *sources.update):
                source = shelf.get(source_id)
                passages = chunk(source, self._settings)
                known = store.entries_of(source_id) if source_id in sources.update else []
                self._apply_source([entry_of(p, source) for p in passages], known, store)
                catalog.put(source, passages)
                while len(self._pending) >= _BATCH:
                    self._embed_pending(store, beside)
            while self._pending or self._encoding:
                self._embed_pending(store, beside)
            unchanged = store.count() - self._counts.added - self._counts.updated
            self._counts.skipped = unchanged
            catalog.commit()
        return self._counts

    def _apply_source(self, wanted: Sequence[Entry], known: Iterable[Entry], store: VectorStore) -> None:
        there = {e.passage.id: e for e in known}
        here = {e.passage.id: e for e in wanted}
        todo = plan({i: e.digest for i, e in there.items()}, {i: e.digest for i, e in here.items()})
        again = [i for i in todo.update if here[i].embed_digest != there[i].embed_digest]
        store.update_metadata([here[i] for i in todo.update if i not in set(again)])
        store.delete(todo.delete)
        self._counts.added += len(todo.add)
        self._counts.updated += len(todo.update)
        self._counts.deleted += len(todo.delete)
        self._pending += [here[i] for i in (*todo.add, *again)]
        self._planned += len(todo.add) + len(again)

    def _embed_pending(self, store: VectorStore, beside: Executor) -> None:
        """Give the next batch to the encoder, then store the one before it.

        The encoder works while sources are read and vectors written; one batch is under way at most.
        """
        done, self._encoding = self._encoding, None
        vectors = done[1].result() if done else None
        batch, self._pending = self._pending[:_LARGEST_BATCH], self._pending[_LARGEST_BATCH:]
        if batch:
            texts = [embedded_text(e.passage) for e in batch]
            self._encoding = batch, beside.submit(self._encoder.encode, texts, progress=self._tell)
        if done and vectors is not None:
            store.upsert(done[0], vectors)

    def _tell(self, encoded: int) -> None:
        self._counts.embedded += encoded
        if self._progress:
            self._progress(Progress(done=self._counts.embedded, total=self._planned))
