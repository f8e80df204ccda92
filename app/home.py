"""A home: the folder that holds sources, index, settings and history, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from app.config import Settings, load_settings
from app.errors import AppError
from ingest.add import Outcome, add_paths, load_bundled, refresh, remove_source, removed_notes, restore_source
from ingest.library import Library

if TYPE_CHECKING:
    from app.answering.pipeline import Answerer
    from app.evidence.gather import PassageReader
    from app.facts.layer import Fact, FactLayer, Filled
    from app.facts.layer import Progress as FactProgress
    from app.ledger.entries import Entry, Opened, Series
    from app.policy.rules import Policy
    from app.question.tasks import TaskClassifier
    from app.suggest.suggester import Suggester
    from app.support.checker import SupportChecker
    from app.writing.engines import Engine
    from app.writing.writer import Writer
    from index.embed import Encoder
    from index.languages import LanguageVectors
    from index.search import IndexReader
    from index.store import ChromaServer
    from index.sync import Progress, SyncReport
    from index.terms import Vocabulary
    from ingest.chunk import ChunkSettings

T = TypeVar("T")
_MODE = "bundled corpus"
_FIRST_FETCH = "first fetch of originals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """A source that the user removed.

    Attributes:
        path: its file or address, if it had one.
        removed_at: ISO time in UTC; None for a bundled note that was removed long ago.
    """

    id: str
    title: str
    path: str | None
    removed_at: str | None


class Home:
    """Everything below one folder. Opening one writes nothing but the folder and its empty store.

    What the settings mean is made by :mod:`app.wiring` when it is first asked for: listing sources loads no index
    and no model.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser()
        self.settings: Settings = load_settings(self.folder)

    @cached_property
    def library(self) -> Library:
        """The stored sources."""
        return Library(self.folder / "library.db")

    @cached_property
    def encoder(self) -> Encoder:
        """The embedding model, not yet loaded."""
        from app import wiring

        return wiring.encoder(self.settings.encoder)

    @cached_property
    def language_vectors(self) -> LanguageVectors | None:
        """Vectors for questions in languages that the encoder does not read; None where it reads more than English."""
        from app import wiring

        return wiring.language_vectors(self.folder / "languages", self.settings.encoder, self.other_encoder)

    @cached_property
    def other_encoder(self) -> Encoder:
        """The packaged multilingual encoder, not yet loaded; the home's own where that is the one."""
        from app import wiring
        from index.precision import MULTILINGUAL_MODEL

        return self.encoder if self.encoder.name == MULTILINGUAL_MODEL else wiring.other_encoder(self.settings.encoder)

    def fill_languages(self, progress: Callable[[int, int], None] | None = None) -> int:
        """Give every passage a vector for questions in other languages; how many were new.

        Raises:
            AppError: the encoder of the home reads other languages itself, or nothing is indexed yet.
        """
        if self.language_vectors is None:
            raise AppError(
                f"the encoder {self.settings.encoder.model!r} of this home reads other languages than English itself: "
                "leave --languages out"
            )
        opened = self.index.current()
        if opened is None:
            raise AppError("nothing is indexed yet; add sources first: iskp ingest FILE_OR_FOLDER")
        return self.language_vectors.fill(opened, progress)

    @cached_property
    def reader(self) -> PassageReader:
        """What scores sentences, not yet loaded."""
        from app import wiring

        return wiring.reader(self.settings, self.encoder)

    @cached_property
    def index(self) -> IndexReader:
        """The index, always its current generation."""
        from app import wiring

        return wiring.index(self.index_folder, self.settings.index, self.encoder, self.vocabulary)

    @property
    def index_folder(self) -> Path:
        """Where the generations of the index live."""
        return self.folder / "index"

    @property
    def chroma_server(self) -> ChromaServer | None:
        """The server that keeps the vectors, if one is set."""
        from app import wiring

        return wiring.chroma_server(self.settings.index)

    @property
    def has_corpus(self) -> bool:
        """Whether this is a home with the bundled corpus."""
        return self.library.note(_MODE) == "yes"

    @property
    def chunking(self) -> ChunkSettings:
        """How passages are made."""
        from app import wiring

        return wiring.chunking(self.settings.index)

    def vocabulary(self) -> Vocabulary:
        """Function words and aliases, with the home's own ``terms.toml`` added."""
        from app import wiring

        return wiring.vocabulary(self.folder)

    @cached_property
    def checker(self) -> SupportChecker:
        """Checks claims against texts and the collection; its models are not yet loaded."""
        from app import wiring

        return wiring.checker(self.settings, self.encoder, self.reader, self.vocabulary(), self.library.grades)

    @cached_property
    def policy(self) -> Policy:
        """What is declined, with the home's own ``policy.toml`` added."""
        from app import wiring

        return wiring.policy(self.folder, self.encoder, self.other_encoder)

    @cached_property
    def tasks(self) -> TaskClassifier:
        """Tells talk and questions about the sources from questions to search for."""
        from app import wiring

        return wiring.tasks(self.encoder)

    @cached_property
    def answerer(self) -> Answerer:
        """Answers questions from the index with the engine of the settings."""
        return self.answerer_with(self.settings.engine.name)

    def answerer_with(self, engine: str) -> Answerer:
        """Answers questions from the index with an engine by name, see :func:`app.writing.engines.parse_engine`.

        Raises:
            BadInput: there is no such engine.
            EngineError: its package or key is missing.
        """
        from app import wiring

        if not wiring.writes(engine):
            return self.answerer_by(None)
        return self.answerer_by(
            wiring.writer(self.settings.engine, self.engine(engine), self.checker, self.policy)
        )

    def engine(self, name: str) -> Engine:
        """A language model by name, with the limits of the settings.

        Raises:
            BadInput: there is no such engine.
            EngineError: it is no language model, or its package or key is missing.
        """
        from app import wiring

        return wiring.engine(self.settings.engine, name)

    def answerer_by(self, writer: Writer | None) -> Answerer:
        """Answers questions from the index in a writer's words, or by quotation."""
        from app import wiring

        return wiring.answerer(
            self.settings, index=self.index, encoder=self.encoder, languages=self.language_vectors, reader=self.reader,
            policy=self.policy, tasks=self.tasks,
            other_tasks=wiring.other_tasks(self.other_encoder), offers=self.suggester.known, writer=writer,
            grades=self.library.grades,
        )  # fmt: skip

    @cached_property
    def suggester(self) -> Suggester:
        """Offers questions that the index answers; looks for them in a thread once it is asked for some."""
        from app.suggest.suggester import Suggester

        return Suggester(self)

    def init(self, *, empty: bool = False) -> None:
        """Make the home; an empty one never gets the bundled corpus.

        Raises:
            AppError: it was made before, the other way.
        """
        mode = "no" if empty else "yes"
        known = self.library.note(_MODE)
        if known is not None and known != mode:
            raise AppError(
                f"{self.folder} is already a home {'with' if known == 'yes' else 'without'} the bundled corpus; "
                "choose another folder with --home"
            )
        self.library.set_note(_MODE, mode)

    def update_sources(self) -> Iterator[Outcome]:
        """Bring bundled notes and changed files into the library; what is unchanged is not told."""
        if self.library.note(_MODE) is None:
            self.init()
        if self.library.note(_MODE) == "yes":
            yield from load_bundled(self.library)
        yield from refresh(self.library)

    def add(
        self, paths: Sequence[Path], overrides: Mapping[str, str], pattern: str | None = None, *, again: bool = True
    ) -> Iterator[Outcome]:
        """Read files and folders into the library; ``again`` as for :func:`ingest.add.add_paths`."""
        if self.library.note(_MODE) is None:
            self.init()
        found = add_paths(self.library, paths, overrides=overrides, pattern=pattern, again=again)
        return self._with_language(found)

    def add_urls(self, urls: Sequence[str], overrides: Mapping[str, str]) -> Iterator[Outcome]:
        """Fetch addresses into the library."""
        from ingest.web import add_urls

        if self.library.note(_MODE) is None:
            self.init()
        return self._with_language(add_urls(self.library, urls, overrides=overrides))

    def _with_language(self, outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
        """The outcomes, each telling of a language that the search model does not read."""
        from app.text.language import of_source

        for outcome in outcomes:
            told = of_source(outcome.language, self.settings.encoder.reads())
            yield replace(outcome, reason="; ".join(filter(None, (told, outcome.reason)))) if told else outcome

    def fetch_originals(self, source_ids: Sequence[str] = (), *, patient: bool = True) -> Iterator[Outcome]:
        """Replace bundled notes by the originals from their publishers.

        Args:
            patient: False tries each address once with short time-outs, for the first start of the page.
        """
        from ingest.fetch import FetchLimits
        from ingest.web import fetch_originals

        limits = FetchLimits(attempts=2)
        if not patient:
            limits = FetchLimits(connect_seconds=3, read_seconds=6, total_seconds=15, attempts=1)
        return fetch_originals(self.library, source_ids, limits=limits)

    def first_fetch_due(self) -> bool:
        """Whether the originals of the bundled notes were never tried in this home; asking marks them as tried."""
        if self.library.note(_MODE) != "yes" or self.library.note(_FIRST_FETCH) is not None:
            return False
        self.library.set_note(_FIRST_FETCH, "tried")
        return True

    def remove(self, source_id: str) -> None:
        """Remove a source from the library; :meth:`sync` takes it out of the index, :meth:`restore` brings it back."""
        remove_source(self.library, source_id)

    def removed(self) -> list[Removal]:
        """What the user removed and may have back, by id."""
        kept = {r.record.id: r for r in self.library.removed()}
        return [
            Removal(
                id=i,
                title=kept[i].title if i in kept else i,
                path=kept[i].record.path if i in kept else None,
                removed_at=datetime.fromtimestamp(kept[i].removed_at, UTC).isoformat(timespec="seconds")
                if i in kept
                else None,
            )
            for i in sorted({*kept, *removed_notes(self.library)})
        ]

    def restore(self, source_id: str) -> Outcome:
        """Bring a removed source back into the library; :meth:`sync` takes it into the index.

        Raises:
            BadSource: it was not removed, or nothing is left to make it of.
        """
        return restore_source(self.library, source_id)

    def sync(self, *, rebuild: bool = False, progress: Callable[[Progress], None] | None = None) -> SyncReport:
        """Bring the index in line with the library; what left it leaves the fact layer too."""
        from app.facts.layer import FILE
        from index.sync import sync

        report = sync(
            self.index_folder,
            self.library,
            self.encoder,
            self.chunking,
            rebuild=rebuild,
            lock_timeout_seconds=self.settings.index.lock_timeout_seconds,
            progress=progress,
            server=self.chroma_server,
        )
        if (self.folder / FILE).exists() and not self.facts.readonly:
            self.facts.forget(self.library)
        return report

    @cached_property
    def facts(self) -> FactLayer:
        """What the sentences of the sources say, as far as it is filled."""
        from app.facts.layer import FILE, FactLayer

        return FactLayer(self.folder / FILE)

    def fill_facts(
        self, progress: Callable[[FactProgress], None] = lambda _: None, stop: Callable[[], bool] = lambda: False
    ) -> Filled:
        """Bring the fact layer in line with the library; see :meth:`app.facts.layer.FactLayer.fill`."""
        return self.facts.fill(self.library, self.vocabulary(), progress, stop)

    def ledger(self) -> list[Entry]:
        """What several holders or several values are found for, as far as the fact layer is filled; empty where nothing is indexed.

        See :func:`app.ledger.entries.figures`.
        """
        from app.answer import graded
        from app.ledger.entries import figures

        grades = self.library.grades()
        return [
            replace(e, claims=tuple(replace(c, citation=graded([c.citation], grades)[0]) for c in e.claims))
            for e in self._of_facts(figures)
        ]

    def series(self) -> list[Series]:
        """Figures of one thing over time, as far as the fact layer is filled; see :func:`app.ledger.entries.series`."""
        from app.ledger.entries import series

        return self._of_facts(series)

    def _of_facts(self, make: Callable[[Iterable[Fact], Opened], list[T]]) -> list[T]:
        """What is made of all facts; empty where nothing is indexed."""
        from functools import cache

        from app.ledger.entries import Opened

        opened = self.index.current()
        if opened is None:
            return []
        vocabulary = self.vocabulary()
        there = Opened(source=opened.source, passages=cache(opened.passages_of), vocabulary=vocabulary)
        return make(self.facts.find(self.library, vocabulary), there)

    def stale(self) -> bool:
        """Whether the library holds something that the index does not or the other way round, or an earlier version built the index."""
        from index import generation
        from index.catalog import Catalog
        from index.sync import CATALOG_FILE, read_identity

        with generation.lease(self.index_folder) as folder:
            if folder is None:
                return True
            if read_identity(folder).outdated:
                return True
            with closing(Catalog(folder / CATALOG_FILE, readonly=True)) as catalog:
                return catalog.fingerprints() != self.library.fingerprints()

    def warm_up(self) -> None:
        """Load the models, so that the first question is answered as fast as the next."""
        self.encoder.encode(["warm"])
        self.answerer.warm_up()

    def close(self) -> None:
        """Let all files go."""
        if "suggester" in self.__dict__:
            self.suggester.close()
        if "index" in self.__dict__:
            self.index.close()
        if "facts" in self.__dict__:
            self.facts.close()
        if "library" in self.__dict__:
            self.library.close()
