"""What a person wants, understood once: the question made standalone, its task, its parts, its time and its limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.question import followup, forms, parts
from app.question.analysis import Question, analyse, tidy
from app.question.shape import Shape, Turning
from app.question.tasks import Task, TaskClassifier
from app.question.topic import topic_of
from app.text import periods
from app.text.language import Language, codes_by_name, language_of
from index.search import Filters, OpenIndex
from index.terms import Vocabulary

Turn = followup.Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question as it was understood. Made by :class:`Parser` alone; nothing behind it parses the question again.

    Attributes:
        asked: as typed.
        text: without greetings and thanks around it.
        question: standalone, analysed.
        parts: the questions in it when it asks several things, each analysed; else empty.
        topic: what an overview of the sources is wanted of; None when none is.
        task: talk, something about the list of sources, or "other": to be searched for.
        shape: the form of answer that the standalone question wants; "point" for talk, the list of sources and other languages than English.
        turning: what is wanted done with the answer before; "new" for a question of its own and wherever nothing was asked before.
        language: the language it is in.
        served: whether the embedding model reads that language.
        refusal: what is said where it asks for help with harm; else empty.
        filters: which sources may be used.
        today: the day on which it is asked.
    """

    asked: str
    text: str
    question: Question
    parts: tuple[Question, ...] = ()
    topic: str | None = None
    task: Task = "other"
    shape: Shape = "point"
    turning: Turning = "new"
    language: Language
    served: bool = True
    refusal: str = ""
    filters: Filters = Filters()
    today: dt.date

    @property
    def standalone(self) -> str:
        """The question with what it leaves out filled in."""
        return self.question.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """Understands questions.

    Attributes:
        tasks: tells talk and questions about the list of sources from others.
        declines: gives what is said to a question that asks for help with harm; None for all others.
        languages: ISO 639-1 codes that the encoder reads; None for any.
        today: tells the day, and so what "last year" means.
    """

    tasks: TaskClassifier
    declines: Callable[[str], str | None]
    languages: frozenset[str] | None
    today: Callable[[], dt.date]

    def reads(self, text: str) -> bool:
        """Whether the embedding model reads a question's language.

        Raises:
            BadInput: the question is empty or too long.
        """
        return self._served(language_of(tidy(text)))

    def parse(
        self,
        asked: str,
        history: Sequence[Turn] = (),
        *,
        opened: OpenIndex | None,
        filters: Filters = Filters(),
        rewritten: str | None = None,
    ) -> Request:
        """A question after a conversation, understood.

        Args:
            opened: the index, for its vocabulary and the spelling of its words; None when there is none yet.
            rewritten: the standalone question of a language model; without it rules make one.

        Raises:
            BadInput: the question is empty or too long.
        """
        text = tidy(asked)
        language = language_of(text)
        served = self._served(language)
        english = served and language.code == "en"
        bare = self.tasks.without_courtesy(text) if english else text
        today = self.today()
        standalone = bare
        said = self._without_talk(history) if english else []
        if opened and english:
            standalone = rewritten or followup.standalone(opened.correct_spelling(bare), said, opened.vocabulary)
            standalone = periods.asked(standalone, today).text
        refusal = self.declines(text) or self.declines(standalone) or ""
        vocabulary = opened.vocabulary if opened else None
        task: Task = "other" if refusal else self._task(text, bare, english=english, language=language)
        request = Request(
            asked=asked, text=bare, language=language, served=served, refusal=refusal, filters=filters, today=today, task=task,
            question=_analysed(standalone, vocabulary, today, asked),
            shape=forms.shape(self.tasks.states(standalone)) if english and task == "other" and not refusal else "point",
            turning=forms.turning(self.tasks.states(bare)) if _asks(said) and not refusal else "new",
        )  # fmt: skip
        if vocabulary is None or not served or request.task.startswith("talk"):
            return request
        split = parts.split(standalone, vocabulary)
        return replace(
            request,
            topic=topic_of(standalone),
            parts=tuple(_analysed(part, vocabulary, today, asked) for part in split) if len(split) > 1 else (),
        )

    def _served(self, language: Language) -> bool:
        return self.languages is None or language.code in self.languages

    def _task(self, text: str, bare: str, *, english: bool, language: Language) -> Task:
        # A few English words are sometimes taken for a rare language, one that has no name here.
        if not english and language.code in codes_by_name().values():
            return "other"
        task = self.tasks.task(text).task
        return self.tasks.task(bare).task if task == "other" else task

    def _without_talk(self, history: Sequence[Turn]) -> list[Turn]:
        """The conversation without talk and the replies to it: nobody asks on about "thank you"."""
        kept: list[Turn] = []
        talking = False
        for turn in history:
            if turn.role == "user":
                talking = self.tasks.task(turn.content).task.startswith("talk")
            if not talking:
                kept.append(turn)
        return kept


def _asks(history: Sequence[Turn]) -> bool:
    return any(turn.role == "user" and turn.content.strip() for turn in history)


def _analysed(text: str, vocabulary: Vocabulary | None, today: dt.date, asked: str) -> Question:
    return analyse(text, vocabulary or _no_words(), today, asked=asked)


def _no_words() -> Vocabulary:
    return Vocabulary.load()
