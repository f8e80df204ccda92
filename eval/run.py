"""Put the cases to an engine, one after the other, and keep what came back."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from app.answer import Answer, Citation
from app.answering.pipeline import Answerer
from app.errors import AppError
from app.home import Home
from app.question.followup import Turn
from eval.cases import Case, Gold, Planted
from index.search import Filters
from ingest import sqlite
from ingest.blocks import Metadata, assemble
from ingest.chunk import Passage
from ingest.dates import date_bounds
from ingest.formats import markdown
from ingest.source import Source

DEPTH = 10
"""How many passages are retrieved for the ranking metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """A passage found, with the places of its near-copies in other sources."""

    rank: int
    score: float
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What the engine made of a case.

    Attributes:
        answer: None when it failed.
        retrieved: ranked passages for the standalone question; empty when it was declined or there is no gold.
        by_gold: ranked passages for the case's own standalone question; empty where the case has none.
        by_raw: ranked passages for the question as it was typed, in the same cases.
        collection: name of the packaged collection that was asked; empty for the home's own sources.
        quotes_valid: for each citation, whether quote, offsets and paragraph agree with the stored source.
        missing_gold: keys of gold passages that are not in the home at all.
        error: why there is no answer.
    """

    case: Case
    answer: Answer | None
    retrieved: tuple[Retrieved, ...] = ()
    by_gold: tuple[Retrieved, ...] = ()
    by_raw: tuple[Retrieved, ...] = ()
    collection: str = ""
    quotes_valid: tuple[bool, ...] = ()
    missing_gold: tuple[str, ...] = ()
    error: str = ""


class Engine(Protocol):
    """What is examined."""

    def answer(self, case: Case) -> Answer:
        """The engine's answer."""

    def retrieve(self, question: str, case: Case) -> Sequence[Retrieved]:
        """The best passages, best first."""

    def source(self, source_id: str) -> Source | None:
        """A stored source."""


@dataclass(slots=True)
class HomeEngine:
    """The real engine over a home."""

    home: Home
    answerer: Answerer
    _sources: dict[str, Source | None] = field(default_factory=dict)

    def answer(self, case: Case) -> Answer:
        """As the command line would answer."""
        history = [Turn(role=t.role, content=t.content) for t in case.history]
        return self.answerer.answer(case.question, history, filters=filters(case))

    def retrieve(self, question: str, case: Case) -> Sequence[Retrieved]:
        """As the answerer would retrieve, but ``DEPTH`` passages."""
        opened = self.home.index.current()
        if opened is None:
            return []
        return [
            Retrieved(
                rank=h.rank, score=h.score, keys=tuple(k for p in (h.passage, *h.copies) for k in passage_keys(p))
            )
            for h in opened.search(question, DEPTH, filters=filters(case))
        ]

    def source(self, source_id: str) -> Source | None:
        """The indexed source."""
        if source_id not in self._sources:
            opened = self.home.index.current()
            self._sources[source_id] = opened.source(source_id) if opened else None
        return self._sources[source_id]


def passage_keys(passage: Passage) -> tuple[str, ...]:
    """The names under which gold may mean this passage."""
    return place_keys(passage.source_id, passage.number, passage.locator)


def place_keys(source_id: str, paragraph: int | None, locator: str) -> tuple[str, ...]:
    """``article#8``, ``article#caption``, ``article``: the narrowest first."""
    place = str(paragraph) if paragraph is not None else locator
    return tuple(dict.fromkeys((f"{source_id}#{place}", f"{source_id}#{locator}", source_id)))


def filters(case: Case) -> Filters:
    """The filters that the case asks for."""
    return Filters(
        since=date_bounds(case.since)[0] if case.since else None,
        until=date_bounds(case.until)[1] if case.until else None,
    )


def run_cases(
    cases: Sequence[Case], engine: Engine, *, collection: str = "", progress: Callable[[int, Case], None] | None = None
) -> list[Run]:
    """A run for each case, in order. A case that the engine refuses as bad input is kept with its error."""
    runs = []
    for number, case in enumerate(cases, start=1):
        if progress:
            progress(number, case)
        runs.append(replace(run_case(case, engine), collection=collection))
    return runs


def run_case(case: Case, engine: Engine) -> Run:
    """One case through the engine."""
    missing = tuple(g.key for g in case.gold if not gold_exists(g, engine.source(g.source)))
    try:
        answer = engine.answer(case)
    except AppError as exc:
        return Run(case=case, answer=None, missing_gold=missing, error=str(exc))
    retrieved: Sequence[Retrieved] = ()
    by_gold: Sequence[Retrieved] = ()
    by_raw: Sequence[Retrieved] = ()
    if case.gold and answer.status != "declined":
        retrieved = engine.retrieve(answer.standalone_question, case)
        if case.standalone:
            by_gold = engine.retrieve(case.standalone, case)
            by_raw = engine.retrieve(case.question, case)
    return Run(
        case=case,
        answer=answer,
        retrieved=tuple(retrieved),
        by_gold=tuple(by_gold),
        by_raw=tuple(by_raw),
        quotes_valid=tuple(quote_valid(c, engine.source(c.source_id)) for c in answer.citations),
        missing_gold=missing,
    )


def gold_exists(gold: Gold, source: Source | None) -> bool:
    """Whether the source has the gold passage."""
    if source is None:
        return False
    return any(gold.key in place_keys(source.id, p.number, p.locator) for p in source.paragraphs)


def quote_valid(citation: Citation, source: Source | None) -> bool:
    """Whether the quote is the source's text at its offsets and stands in the paragraph that is named."""
    if source is None or not citation.quote or source.text[citation.start : citation.end] != citation.quote:
        return False
    block = next((p for p in source.paragraphs if p.start <= citation.start < p.end), None)
    return block is not None and block.number == citation.paragraph


@contextmanager
def engine_for(home: Home, cases: Sequence[Case], name: str | None = None) -> Iterator[Engine]:
    """The home's engine; cases with a planted source go to a copy of the home that holds the planted ones.

    The home itself is never changed. The models are shared between the two.

    Args:
        name: an engine other than that of the settings.
    """

    def engine(of: Home) -> HomeEngine:
        return HomeEngine(of, of.answerer_with(name) if name else of.answerer)

    planted = {c.planted.id: c.planted for c in cases if c.planted}
    usual = engine(home)
    if not planted:
        yield usual
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iskp-eval-")))
        copy = copy_home(home, folder / "home")
        stack.callback(copy.close)
        for source in planted.values():
            plant(copy, source)
        copy.sync()
        yield Switched(usual=usual, planted=engine(copy))


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """Sends cases with a planted source to one engine, all others to the other."""

    usual: Engine
    planted: Engine

    def _for(self, case: Case) -> Engine:
        return self.planted if case.planted else self.usual

    def answer(self, case: Case) -> Answer:
        """The answer of the engine that the case needs."""
        return self._for(case).answer(case)

    def retrieve(self, question: str, case: Case) -> Sequence[Retrieved]:
        """The passages of the engine that the case needs."""
        return self._for(case).retrieve(question, case)

    def source(self, source_id: str) -> Source | None:
        """The source, planted or not."""
        return self.usual.source(source_id) or self.planted.source(source_id)


def copy_home(home: Home, folder: Path) -> Home:
    """A copy of the home's sources and index in another folder; encoder and reader are shared."""
    folder.mkdir(parents=True)
    sqlite.copy(home.folder / "library.db", folder / "library.db")
    if home.index_folder.is_dir():
        shutil.copytree(home.index_folder, folder / "index")
    return _alike(home, folder)


@contextmanager
def empty_home(home: Home) -> Iterator[Home]:
    """A home without sources, with the settings and models of another, that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="iskp-eval-") as folder:
        made = _alike(home, Path(folder))
        try:
            made.init(empty=True)
            yield made
        finally:
            made.close()


def _alike(home: Home, folder: Path) -> Home:
    for name in ("iskp.toml", "terms.toml", "policy.toml"):
        if (home.folder / name).is_file():
            shutil.copy2(home.folder / name, folder / name)
    copy = Home(folder)
    # cached_property: what is already loaded is not loaded again.
    copy.__dict__["encoder"] = home.encoder
    copy.__dict__["reader"] = home.reader
    return copy


def plant(home: Home, planted: Planted) -> None:
    """Put a source into the library as if it had been ingested."""
    overrides = Metadata(title=planted.title, date=planted.date)
    store(home, assemble(planted.id, markdown.read(planted.text), overrides=overrides, fallback_title=planted.id))


def store(home: Home, source: Source) -> None:
    """Put a ready source into the library; :meth:`Home.sync` indexes it."""
    home.library.put(source, raw_digest=sha256(source.text.encode()).hexdigest())


def without_timings(run: Run) -> Run:
    """The run with what differs between two runs of the same code taken out."""
    timings: Mapping[str, float] = {}
    return replace(run, answer=replace(run.answer, timings_ms=timings) if run.answer else None)
