"""What every way of answering works with: models, settings, the open index, and what it hands back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from app.answer import STAGES, Answer, Scope, Span, TaskKind, Understood
from app.answering.decide import Decision
from app.evidence.gather import Evidence, PassageReader
from app.logistic import Logistic
from app.question.analysis import Question
from app.question.dialogue import names_of
from app.question.request import Request
from app.question.tasks import Task
from index.embed import Encoder
from index.search import Hit, OpenIndex, SearchSettings

if TYPE_CHECKING:
    from app.answering.retrieve import Retrieved
    from index.languages import LanguageVectors

_OFFERED_TALK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """How many passages are read, when to abstain, how long answers may get.

    Attributes:
        languages: ISO 639-1 codes that the encoder reads; None for any.
    """

    passages: int = 8
    threshold: float | None = None
    fact_words: int = 60
    other_words: int = 150
    languages: frozenset[str] | None = frozenset({"en"})
    search: SearchSettings = SearchSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Across:
    """What answers questions in languages that the encoder of the index does not read.

    Attributes:
        reads: whether a text is in one of them.
        calibration: what the scores of ``reader`` mean.
    """

    vectors: LanguageVectors
    reads: Callable[[str], bool]
    reader: PassageReader
    calibration: Logistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """What finds and judges evidence.

    Attributes:
        across: answers in other languages; None where the encoder reads them itself.
        foreign: reads questions that are not in English, where the evidence reader knows English only.
        crossing: the sources that are asked are in another language than the question, though that is English.
        other_tasks: tells the task of a turn in another language than English.
        offers: gives up to so many questions that are known to be answered.
    """

    encoder: Encoder
    reader: PassageReader
    calibration: Logistic
    settings: AnswerSettings = AnswerSettings()
    foreign: tuple[PassageReader, Logistic] | None = None
    across: Across | None = None
    crossing: bool = False
    other_tasks: Callable[[str], Task] | None = None
    offers: Callable[[int], Sequence[str]] = lambda n: ()

    def reading(self, request: Request) -> tuple[PassageReader, Logistic]:
        """The reader for the language of a question, and what its scores mean."""
        if self.foreign and (self.crossing or request.language.code != "en"):
            return self.foreign
        return self.reader, self.calibration


@dataclass(slots=True)
class Clock:
    """Milliseconds spent in each stage."""

    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the time inside to a stage."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] = round(self.spent[name] + (time.perf_counter() - began) * 1000, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What a language model has to keep of the extractive answer.

    Attributes:
        question: the parts of the question that the evidence answers.
        before, after: text around the evidence: parts that stay open, figures that differ, how old it is.
    """

    question: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What was seen on the way to an answer, for ``--explain`` and calibration.

    Attributes:
        missing: topic terms that no source mentions.
        hits: passages read, best first.
        evidence: their sentences, best first.
    """

    question: Question
    missing: tuple[str, ...]
    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]
    decision: Decision
    wording: Wording | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer, and the way to it where the sources were searched.

    Attributes:
        everywhere: those in languages that the index does not read were searched too.
    """

    answer: Answer
    trace: Trace | None = None
    everywhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where one question is worked on.

    Attributes:
        base: an answer to it that says nothing yet.
        searched, read: what was done for a question already, by its text.
        answered: answers another request by the strategies.
    """

    request: Request
    models: Models
    opened: OpenIndex | None
    clock: Clock
    base: Answer
    searched: dict[str, Retrieved] = field(default_factory=dict)
    read: dict[str, Trace] = field(default_factory=dict)
    answered: Callable[[Desk], Outcome]

    @property
    def index(self) -> OpenIndex:
        """The index, for strategies behind the one for an empty home."""
        assert self.opened is not None
        return self.opened

    def asking(self, request: Request) -> Desk:
        """The desk with another request on it."""
        told = replace(self.base, standalone_question=request.standalone, understood=understood(request))
        return replace(self, request=request, base=told)

    def told(self, task: TaskKind, text: str) -> Answer:
        """An answer that rests on no passage, with questions offered beside it."""
        return replace(
            self.base, status="answered", answer=text, task=task, standalone_question=self.request.asked, confidence=1.0,
            reasons=(f"understood as {self.request.task.replace('-', ': ', 1)}",),
            options=tuple(self.models.offers(_OFFERED_TALK)),
        )  # fmt: skip


def understood(request: Request) -> Understood:
    """What of a request is told with its answer."""
    period, filters = request.question.time.period, request.filters
    return Understood(
        task=request.task, shape=request.shape, turning=request.turning,
        names=names_of(request.standalone, request.before.vocabulary),
        period=Span(first=_iso(period.bounds[0]), last=_iso(period.bounds[1])) if period else None,
        scope=Scope(sources=filters.sources, genres=filters.genres, since=_iso(filters.since), until=_iso(filters.until)),
    )  # fmt: skip


def _iso(day: int | None) -> str | None:
    """A day as YYYYMMDD written as an ISO date; None for the bounds of open stretches."""
    return None if not day or day == 99991231 else f"{day // 10000:04}-{day // 100 % 100:02}-{day % 100:02}"


class Strategy(Protocol):
    """A way of answering. They are tried in the order of ``app.answering.strategies.REGISTRY``."""

    def __call__(self, desk: Desk) -> Outcome | Desk | None:
        """The answer; None leaves the question to the next strategy, a desk gives them the question better understood."""
