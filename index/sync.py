"""Bring the index in line with the stored sources: plan what differs, then apply just that."""

from __future__ import annotations

import hashlib
import sqlite3
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from index import generation, parts
from index.catalog import Catalog, taken_over
from index.embed import Encoder, Vectors
from index.errors import IndexingError, ServerUnavailable
from index.identity import Identity
from index.parts import Part, PartWriter
from index.store import ChromaServer, collection_of, require_place
from ingest.chunk import ChunkSettings, Passage, chunk
from ingest.source import Source

IDENTITY_FILE = "identity.json"
CATALOG_FILE = "catalog.db"
COMPACT_FROM = 1000
"""Below so many dead passages (1.7 KB of vectors each) compaction is not worth the copying."""
SHORT_PASSAGE_CHARS = 300
"""Passages below this length are embedded together with their title and headings."""
_BATCH, _LARGEST_BATCH = 256, 1024
"""Passages that are waited for before the encoder starts, and that it gets at once at most."""
_PAGE = 1000


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


def embed_digest(passage: Passage) -> str:
    """Of the text that is embedded."""
    return hashlib.sha256(embedded_text(passage).encode("utf-8", "surrogatepass")).hexdigest()[:16]


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

    Only passages whose text (or embedded context) is new are embedded. Their vectors make a new part, and one commit of
    the catalog shows it together with everything else that changed; readers keep what they see until then. When more
    passages were deleted since the last compaction than are left, the parts are compacted: vectors are copied, not made
    anew. An index that an earlier version built is built from nothing.

    Args:
        rebuild: build from nothing, whatever is there; needed when model or passage length change.
        lock_timeout_seconds: how long to wait for another writer.
        server: keeps the vectors, each part in a collection of its own; everything else stays under ``root``.

    Raises:
        IdentityMismatch: the index was built with other settings and ``rebuild`` is False.
        ServerUnavailable: the Chroma server does not answer.
        Locked: another process kept writing.
        Unwritable: disk full or no right to write; the index in force stays.
    """
    began = time.monotonic()
    with generation.writer(root, timeout_seconds=lock_timeout_seconds):
        generation.remove_leftovers(root)
        base = None if rebuild else generation.current(root)
        if base is not None and read_identity(base).outdated:
            base, rebuild = None, True
        known: Mapping[str, str] = {}
        if base is not None:
            require_identity(base, encoder, settings)
            with closing(Catalog(base / CATALOG_FILE, readonly=True)) as catalog:
                known, passages = catalog.fingerprints(), catalog.passage_count()
                for part in catalog.parts():
                    require_place(parts.folder_of(base, part), server)
        sources = plan(known, shelf.fingerprints())
        if base is not None and not sources.changes:
            generation.remove_old(root)
            _remove_unused_parts(base)
            with suppress(ServerUnavailable):  # it isn't needed when nothing changed
                _remove_unused_collections(root, server)
            return SyncReport(
                added=0, updated=0, skipped=passages, deleted=0, embedded=0,
                sources=len(known), seconds=time.monotonic() - began,
            )  # fmt: skip
        dimension = encoder.dimension  # loads the model: what it lacks is no fault of the disk
        identity = Identity(encoder=encoder.name, dimension=dimension, max_chars=settings.max_chars)
        freed: int | None = None
        try:
            with generation.writing(root):
                folder = base or generation.start_next(root)
                with _Writer(root, folder, dimension, server, building=base is None) as writer:
                    counts = _Applier(writer, encoder, settings, progress).apply(sources, shelf)
                    writer.commit()
                    if base is not None:
                        freed = writer.tidy()
                        generation.remove_old(root)
                if base is not None and writer.uncertain:
                    with suppress(IndexingError, OSError):  # the next sync does it
                        _remove_unused_parts(base)
                if base is None:
                    generation.replace_text(folder / IDENTITY_FILE, identity.dump())
                    generation.publish(root, folder)
                _remove_unused_collections(root, server)
        except BaseException:
            generation.remove_leftovers(root)  # on a full disk its space is needed
            with suppress(IndexingError, OSError):
                if base is not None:
                    _remove_unused_parts(base)
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


def _remove_unused_parts(folder: Path) -> None:
    """Remove the parts that nobody names, by the catalog as it is on the disk. Only for the writer."""
    with closing(Catalog(folder / CATALOG_FILE, readonly=True)) as catalog:
        parts.remove_unused(folder, catalog)


def dead_passages(catalog: Catalog) -> int:
    """How many vectors take space and are no passage's."""
    return sum(catalog.parts().values()) - catalog.passage_count()


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


def _collections_prefix(root: Path) -> str:
    """What the names of this home's collections begin with, so that several homes may share a server."""
    file = root / "SERVER_NAME"
    if not file.is_file():
        generation.replace_text(file, f"iskp-{uuid.uuid4().hex[:12]}-")
    return file.read_text(encoding="utf-8")


def _remove_unused_collections(root: Path, server: ChromaServer | None) -> None:
    """Remove this home's collections that no part on disk names any more."""
    if server is None:
        return
    used = {collection_of(p) for g in generation.finished(root) for p in (g / parts.PARTS_FOLDER).glob("*")}
    for name in server.collections(_collections_prefix(root)):
        if name not in used:
            server.delete(name)


class _Writer:
    """Writes one generation: the catalog, in one transaction, and at most one new part at a time."""

    def __init__(
        self, root: Path, folder: Path, dimension: int, server: ChromaServer | None, *, building: bool
    ) -> None:
        self._root = root
        self._folder = folder
        self._dimension = dimension
        self._server = server
        self._building = building
        self.catalog = Catalog(folder / CATALOG_FILE, building=building)
        self._part: tuple[int, PartWriter] | None = None
        self.uncertain = False
        """Whether a commit failed: it may still be whole in the log, and then it counts for whoever opens the catalog next."""

    def __enter__(self) -> _Writer:
        self.catalog.begin()
        return self

    def __exit__(self, *_: object) -> None:
        if self._part:
            with suppress(IndexingError, OSError):
                self._part[1].close()
        self.catalog.close()

    def add(self, rows: Sequence[tuple[str, str]], vectors: Vectors) -> None:
        """Store the vectors of these passages (id, id of the source) and say where they lie."""
        if self._part is None:
            number = self.catalog.new_part()
            name = ""
            if self._server:
                name = f"{_collections_prefix(self._root)}{self._folder.name.split('.')[0]}-{number:06d}"
            folder = parts.folder_of(self._folder, number)
            generation.remove_if_free(folder)  # of a writer that was killed
            self._part = number, PartWriter(folder, self._server, name)
        number, writer = self._part
        ids = [id_ for id_, _ in rows]
        first = writer.add(ids, [source for _, source in rows], vectors)
        self.catalog.place_vectors(number, first, ids)

    def commit(self) -> None:
        """Have the new part on the disk, then show it and all changes of the catalog."""
        if self._part is not None:
            number, writer = self._part
            writer.settle()
            self.catalog.size_part(number, writer.rows)
            self._part = None
        self.uncertain = True
        self.catalog.commit()
        self.uncertain = False
        if self._building:
            self.catalog.settle()

    def tidy(self) -> int | None:
        """Make few parts of many, and free the space of what is dead where that is most of it.

        Nothing is lost when it fails, as on a full disk: the next sync does it.

        Returns:
            Bytes freed by compaction, or None.
        """
        live, dead = self.catalog.passage_count(), dead_passages(self.catalog)
        compacting = dead >= COMPACT_FROM and dead > live
        before = 0
        try:
            if compacting:
                self.catalog.checkpoint()
                before = _bytes(self._folder)
            self._merge(everything=compacting)
            if compacting:
                self.catalog.compact()
        except (IndexingError, OSError, sqlite3.OperationalError):
            if self._part:
                with suppress(IndexingError, OSError):
                    self._part[1].close()
                self._part = None
            self.catalog.rollback()
            if self.uncertain:
                return None
            compacting = False
        parts.remove_unused(self._folder, self.catalog)
        return max(0, before - _bytes(self._folder)) if compacting else None

    def _merge(self, *, everything: bool) -> None:
        sizes, live = self.catalog.parts(), self.catalog.live_in_parts()
        newest = sorted(live, reverse=True)
        taken = newest if everything else newest[: taken_over([live[n] for n in newest])]
        if len(taken) == 1 and not everything:
            taken = []
        gone = {*taken, *(n for n in sizes if n not in live)}
        if not gone:
            return
        self.catalog.begin()
        for number in taken:
            rows = self.catalog.in_part(number)
            with closing(Part(parts.folder_of(self._folder, number), sizes[number], self._dimension, self._server)) as part:
                for at in range(0, len(rows), _PAGE):
                    some = rows[at : at + _PAGE]
                    vectors = part.vectors([i for i, _, _ in some], np.array([r for _, _, r in some], dtype=np.uint32))
                    self.add([(i, source) for i, source, _ in some], vectors)
        for number in gone:
            self.catalog.remove_part(number)
        self.commit()


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
    """Carries a plan over sources out."""

    def __init__(
        self, writer: _Writer, encoder: Encoder, settings: ChunkSettings, progress: Callable[[Progress], None] | None
    ) -> None:
        self._writer = writer
        self._encoder = encoder
        self._settings = settings
        self._progress = progress
        self._counts = _Counts()
        self._pending: list[Passage] = []
        self._encoding: tuple[Sequence[Passage], Future[Vectors]] | None = None
        self._planned = 0

    def apply(self, sources: Plan, shelf: SourceShelf) -> _Counts:
        catalog = self._writer.catalog
        with ThreadPoolExecutor(1, "encoder") as beside:
            for source_id in sources.delete:
                self._counts.deleted += catalog.remove(source_id)
            for source_id in (*sources.add, *sources.update):
                source = shelf.get(source_id)
                change = catalog.put(source, chunk(source, self._settings), embed_digest)
                self._counts.added += change.added
                self._counts.updated += change.updated
                self._counts.deleted += change.deleted
                self._pending += change.to_embed
                self._planned += len(change.to_embed)
                while len(self._pending) >= _BATCH:
                    self._embed_pending(beside)
            while self._pending or self._encoding:
                self._embed_pending(beside)
        self._counts.skipped = catalog.passage_count() - self._counts.added - self._counts.updated
        return self._counts

    def _embed_pending(self, beside: Executor) -> None:
        """Give the next batch to the encoder, then store the one before it.

        The encoder works while sources are read and vectors written; one batch is under way at most.
        """
        done, self._encoding = self._encoding, None
        vectors = done[1].result() if done else None
        batch, self._pending = self._pending[:_LARGEST_BATCH], self._pending[_LARGEST_BATCH:]
        if batch:
            texts = [embedded_text(p) for p in batch]
            self._encoding = batch, beside.submit(self._encoder.encode, texts, progress=self._tell)
        if done and vectors is not None:
            self._writer.add([(p.id, p.source_id) for p in done[0]], vectors)

    def _tell(self, encoded: int) -> None:
        self._counts.embedded += encoded
        if self._progress:
            self._progress(Progress(done=self._counts.embedded, total=self._planned))
