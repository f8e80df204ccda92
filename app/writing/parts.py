"""What a writer works with: the model and the check as it sees them, the passages, sentences on their way, the answer as it grows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

from app.answer import Citation, cite, outlet
from app.stream import Verdict
from app.writing.drafting import DraftSentence
from app.writing.engines import Usage
from index.terms import Vocabulary
from ingest.chunk import Passage
from ingest.source import Source

Stage = Callable[[str], AbstractContextManager[None]]


class Carried(Protocol):
    """How far quotes carry a sentence, see ``app.support.checker``."""

    @property
    def label(self) -> Literal["supported", "partly", "unsupported"]:
        """Whether they do."""

    @property
    def support(self) -> float:
        """How surely, in [0, 1]."""

    @property
    def verdict(self) -> str:
        """"supported", "contradicted" or "not found"."""

    @property
    def best(self) -> tuple[int, int, int] | None:
        """Which quote carries it best, and where in it: (index, start, end)."""

    @property
    def others(self) -> Sequence[tuple[int, int, int]]:
        """Further places that are needed or say the same."""

    @property
    def reasons(self) -> Sequence[str]:
        """What does not fit, in words."""

    @property
    def opposed(self) -> bool:
        """Whether the best place differs in a figure, name, date or denial."""


class Checker(Protocol):
    """Compares a sentence with the words that it cites."""

    def carried(self, sentence: str, quotes: Sequence[str], contexts: Sequence[str] = ()) -> Carried:
        """Whether the quotes together carry the sentence."""


class Model(Protocol):
    """The language model, see :class:`app.writing.engines.Engine`."""

    @property
    def name(self) -> str:
        """As the user names it."""

    @property
    def window_tokens(self) -> int:
        """Room for prompt and reply."""

    @property
    def answer_tokens(self) -> int:
        """Room for the reply."""

    def count(self, text: str) -> int:
        """Tokens of a text."""

    def ask(self, system: str, user: str, usage: Usage) -> Iterator[str]:
        """The reply as it comes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriterSettings:
    """What becomes of sentences that nothing carries.

    Attributes:
        repair: give them back to the model once.
        unsupported: leave them out, or show them struck out with a badge; "badge", of a strong model, shows them as they are with one.
    """

    repair: bool = True
    unsupported: Literal["remove", "strike", "badge"] = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A passage that the model may use, with its source and the same words elsewhere."""

    passage: Passage
    source: Source
    copies: tuple[tuple[Source, Passage], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What there is to write from.

    Attributes:
        question: what is to be answered; only parts that the evidence answers.
        passages: best evidence first.
        vocabulary: tells topic words from function words, and spellings of the same thing.
        topic: what an overview is wanted of, if one is.
        before, after: text of the extractive answer that stays: what the sources leave open, which figures differ.
            Its markers are those of the extractive answer.
        shape, today: form of the answer and the day of the request; only a strong model is told.
    """

    question: str
    passages: tuple[Given, ...]
    vocabulary: Vocabulary
    topic: str | None = None
    shape: str = "point"
    today: str = ""
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """A quote beside a sentence: a stretch of the source of a passage, ``score`` in [0, 1]."""

    given: Given
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the quotes of a sentence carry it."""

    label: str = "unsupported"
    supports: Sequence[Support] = ()
    reason: str = ""


@dataclass(slots=True)
class Sentence:
    """A sentence on its way from draft to answer; ``verdict`` None while it waits for its repair."""

    draft: DraftSentence
    text: str
    verdict: Verdict | None = None
    supports: Sequence[Support] = ()
    reason: str = ""


@dataclass(slots=True)
class Sheet:
    """The answer as it grows: settled text, and citations numbered by first use."""

    citations: list[Citation] = field(default_factory=list)
    text: str = ""

    def number(self, support: Support) -> Citation:
        """The citation of a quote, a new one at its first use."""
        given = support.given
        for known in self.citations:
            if (known.passage_id, known.start, known.end) == (given.passage.id, support.start, support.end):
                return known
        made = cite(
            given.source, given.passage, start=support.start, end=support.end, support=support.score,
            marker=len(self.citations) + 1, also_in=tuple(outlet(s, p) for s, p in given.copies),
        )  # fmt: skip
        self.citations.append(made)
        return made

    def adopt(self, citation: Citation) -> int:
        """The number of a citation that the extractive answer made."""
        for known in self.citations:
            if (known.source_id, known.start, known.end) == (citation.source_id, citation.start, citation.end):
                return known.marker
        self.citations.append(replace(citation, marker=len(self.citations) + 1))
        return len(self.citations)


class closing(AbstractContextManager[Iterator[str]]):
    """An iterator that is closed on leaving, if it can be."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces

    def __enter__(self) -> Iterator[str]:
        return self._pieces

    def __exit__(self, *_: object) -> None:
        close = getattr(self._pieces, "close", None)
        if close:
            close()
