"""What a person wants, understood once: the question made standalone, its task, its parts, its time and its limits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.question import followup, forms, parts
from app.question.analysis import Question, analyse, direct, tidy
from app.question.dialogue import MentionKind, State, Turn
from app.question.matter import form_named
from app.question.shape import Shape, Turning
from app.question.tasks import Task, TaskClassifier
from app.question.topic import Topic, topic_of, unattributed
from app.text import messages, periods
from app.text.language import Language, among, codes_by_name, language_of
from index.search import Filters, OpenIndex
from index.terms import Vocabulary
from ingest.language import is_mostly_latin, script_of

__all__ = ("Parser", "Reading", "Request", "Turn")


_ASKED_BY_VERB: tuple[Shape, ...] = ("quote", "summary", "comparison", "timeline")
"""Forms that are lost with the words around the question: "quote me what he said" wants more than what he said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One thing that a turn may mean.

    Attributes:
        way: as typed, or with what added.
    """

    question: Question
    way: followup.Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question as it was understood. Made by :class:`Parser` alone; nothing behind it parses the question again.

    Attributes:
        asked: as typed.
        text: without greetings and thanks around it.
        question: standalone, analysed; of several readings the likeliest by its grammar.
        readings: what it may mean, where that is more than one thing; else empty.
        rivals: the first two readings differ only in whom or what a pronoun stands for.
        unexplained: a word that nothing said so far explains ("there"); else empty.
        half_explained: a word that only a common noun said so far may explain; else empty.
        explained_by: of which kinds of mention these must be.
        before: what was said before it.
        parts: the questions in it when it asks several things, each analysed; else empty.
        topic: what is to be told of, and in whose words; None when something else is asked.
        unattributed: the question without "according to" somebody, which is searched for first; None where it has no such words.
        task: talk, something about the list of sources, or "other": to be searched for.
        leaning: the kind of talk that it may be if nothing answers it; else "other".
        shape: the form of answer that the standalone question wants; "point" for talk, the list of sources and other languages than English.
        turning: what is wanted done with the answer before; "new" for a question of its own and wherever nothing was asked before.
        language: the language it is in.
        frame: the language of what the program says itself, ISO 639-1; English where it has no sentences in the other.
        served: whether the embedding model reads that language.
        refusal: what is said where it asks for help with harm; else empty.
        filters: which sources may be used.
        today: the day on which it is asked.
    """

    asked: str
    text: str
    question: Question
    readings: tuple[Reading, ...] = ()
    rivals: bool = False
    unexplained: str = ""
    half_explained: str = ""
    explained_by: tuple[MentionKind, ...] = ()
    before: State
    parts: tuple[Question, ...] = ()
    topic: Topic | None = None
    unattributed: Question | None = None
    task: Task = "other"
    leaning: Task = "other"
    shape: Shape = "point"
    turning: Turning = "new"
    language: Language
    frame: str = "en"
    served: bool = True
    refusal: str = ""
    filters: Filters = Filters()
    today: dt.date

    @property
    def standalone(self) -> str:
        """The question with what it leaves out filled in."""
        return self.question.text


_OF_SOURCES = frozenset(("catalogue-about", "catalogue-list", "catalogue-count", "catalogue-new-since"))
"""Tasks whose answers tell of the collection and name nobody who could be meant by "he"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parser:
    """Understands questions.

    Attributes:
        tasks: tells talk and questions about the list of sources from others.
        declines: gives what is said to a question that asks for help with harm; None for all others.
        languages: ISO 639-1 codes that the encoder reads; None for any.
        today: tells the day, and so what "last year" means.
        other_tasks: tells the task of a turn in another language than English; without it all are "other".
        turning: tells what a turn after another wants done with the answer before it; by default the learnt classifier.
    """

    tasks: TaskClassifier
    declines: Callable[[str], str | None]
    languages: frozenset[str] | None
    today: Callable[[], dt.date]
    other_tasks: Callable[[str], Task] | None = None
    turning: Callable[[str], Turning] | None = None

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
        if english and self._shape(bare) not in _ASKED_BY_VERB:
            bare = direct(bare)
        today = self.today()
        vocabulary = opened.vocabulary if opened else _no_words()
        meant = followup.Readings(found=(followup.Reading(text=bare, way="typed"),))
        before = State(vocabulary=vocabulary)
        turning: Turning = "new"
        if english and history:
            before = followup.state_of(self._questions(history), vocabulary)
            turning = self._turning(bare) if before.question else "new"
            last = next((t.content for t in reversed(history) if t.role == "user"), "")
            before = replace(before, holders=bool(last) and self._turning(last) == "who-says")
        if opened and english:
            if rewritten:
                meant = followup.Readings(found=(followup.Reading(text=rewritten, way="pronoun"),))
            else:
                meant = followup.readings(opened.correct_spelling(bare), before)
        texts = [(periods.asked(r.text, today).text if opened and english else r.text, r.way) for r in meant.found]
        # A reading that asks for help with harm is never searched; only the likeliest declines the whole turn.
        texts = [texts[0], *(found for found in texts[1:] if not self.declines(found[0]))]
        refusal = next((told for t in (text, texts[0][0]) if (told := self.declines(t))), "")
        # "Are you sure?" is talk at the beginning, and asks about the answer behind one.
        task: Task = "other" if refusal or turning != "new" else self._task(text, bare, english=english, language=language)
        request = Request(
            asked=asked, text=bare, language=language, frame=_frame(text, language), served=served, refusal=refusal, filters=filters, today=today,
            before=before, turning="new" if refusal else turning, question=_analysed(texts[0][0], vocabulary, today, asked),
            readings=tuple(Reading(question=_analysed(t, vocabulary, today, asked), way=w) for t, w in texts) if len(texts) > 1 else (),
            rivals=meant.rivals, unexplained=meant.open, half_explained=meant.weak, explained_by=meant.kinds,
            task=task, leaning=self.tasks.task(bare).leaning if english and task == "other" and turning == "new" and not refusal else "other",
            shape=self._shape(texts[0][0]) if english and task == "other" and not refusal else "point",
        )  # fmt: skip
        if opened is None or not served or request.task.startswith("talk"):
            return request
        return asking(request, request.question, vocabulary)

    def _shape(self, text: str) -> Shape:
        learnt = forms.shape(self.tasks.states(text))
        named = form_named(text)
        return named or "point" if learnt == "point" or named == "comparison" else learnt

    def _turning(self, text: str) -> Turning:
        return self.turning(text) if self.turning else forms.turning(self.tasks.states(text))

    def _served(self, language: Language) -> bool:
        return self.languages is None or language.code in self.languages

    def _task(self, text: str, bare: str, *, english: bool, language: Language) -> Task:
        # A few English words are sometimes taken for a rare language, one that has no name here.
        if not english and (language.code in codes_by_name().values() or not is_mostly_latin(text)):
            return self.other_tasks(text) if self.other_tasks else "other"
        task = self.tasks.task(text).task
        return self.tasks.task(bare).task if task == "other" else task

    def _questions(self, history: Sequence[Turn]) -> list[Turn]:
        """The conversation without talk, changes of form, and the replies to them: nobody asks on about "thank you".

        A reply that tells which sources there are, or that they do not answer, is no statement that could be asked about.
        """
        kept: list[Turn] = []
        left_out = of_sources = False
        for turn in history:
            if turn.role == "user":
                task = self.tasks.task(turn.content).task
                left_out = task.startswith("talk") or self._turning(turn.content) not in {"new", "correction"}
                of_sources = task in _OF_SOURCES
            if not left_out:
                states = turn.role == "user" or not (of_sources or messages.abstains(turn.content))
                kept.append(turn if states else replace(turn, content=""))
        return kept


def _frame(text: str, language: Language) -> str:
    """The language to say sentences of one's own in; a few words in Cyrillic letters may be in any of ten languages."""
    known = messages.languages()
    if language.code not in known and script_of(text) in {"CYRILLIC", "ARABIC"}:
        language = among(text, language, known)
    return language.code if language.code in known else "en"


def asking(request: Request, question: Question, vocabulary: Vocabulary) -> Request:
    """The request as one that means this question, with its topic and parts."""
    split = parts.split(question.text, vocabulary)
    bare = unattributed(question.text) if question.holder else question.text
    return replace(
        request,
        question=question,
        topic=topic_of(question.text),
        unattributed=None if bare == question.text else replace(_analysed(bare, vocabulary, request.today, request.asked), holder=question.holder),
        parts=tuple(_analysed(part, vocabulary, request.today, request.asked) for part in split) if len(split) > 1 else (),
    )


def ask_instead(request: Request, text: str, vocabulary: Vocabulary) -> Request:
    """The request as one that asks something else, in no need of what was said before."""
    question = _analysed(periods.asked(text, request.today).text, vocabulary, request.today, request.asked)
    plain = replace(request, readings=(), rivals=False, unexplained="", half_explained="", turning="new", task="other")
    return asking(plain, question, vocabulary)


def _analysed(text: str, vocabulary: Vocabulary, today: dt.date, asked: str) -> Question:
    return analyse(text, vocabulary, today, asked=asked)


def _no_words() -> Vocabulary:
    return Vocabulary.load()
