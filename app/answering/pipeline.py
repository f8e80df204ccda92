"""The pipeline from a question to an Answer: understand, retrieve, read, decide, compose."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

from app.answer import MARKER, STAGES, Answer, Citation, TaskKind, cite, words_of
from app.answering import by_words, catalogue, overview, talk
from app.answering.compose import Limits, compose, originals_first, select, short_answer, standing
from app.answering.decide import Calibration, Decision, decide
from app.differences import find as differences
from app.evidence.gather import Evidence, PassageReader, ReadPassage, gather, names_lacking
from app.policy import rules as policy
from app.question import followup, parts
from app.question.analysis import Question, asks_author, in_full, kind_of, naming_author, need, tidy
from app.question.tasks import Task, TaskClassifier
from app.question.tasks import default as default_tasks
from app.stream import Done, Event, settled
from app.text import periods
from app.text.language import Language, among, codes_by_name, found_by_words, language_of, unread, unreadable
from app.writing.writer import Given, Material, Writer
from index.embed import Encoder
from index.search import Filters, Hit, IndexReader, OpenIndex, SearchSettings
from ingest.chunk import CONTEXT_JOINT, Passage

ABSTENTION = "The sources do not answer this question."
NOTHING_INDEXED = "Nothing has been indexed yet, so there is no source to answer from."
_NEAREST = 3
_OFFERED, _OFFERED_TALK = 2, 3
_OVERVIEW_HITS = 30
_WIDE_HITS = 80
"""Passages looked through, not read, for figures that differ or for the time asked for."""
_AUTHOR_NOTES, _SURE_NOTE = 2, 0.5
"""How many notes on authors are read where the author is asked for, and the score from which one goes first."""
_ABOUT_AUTHORS = "about the author, written by"
"""Stands before bylines and notes on authors in the index."""
_TIME_IN_SEARCH, _TIME_IN_READING = 0.15, 2.5
"""What speaking of the time asked for is worth, in search score and in strength of evidence."""
_PART_PASSAGES = 5
"""Passages read for each part of a question that asks several things."""
_BY_WORDS = 0.5
"""Most confidence that is told of a quotation found by words alone: nobody compared what it means."""
_SHORT_CHARS = 2200
"""Of short passages more are read, up to twice as many, as long as they hold so many characters together."""


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
class Trace:
    """What the pipeline saw on the way, for ``--explain`` and calibration."""

    question: Question
    terms: tuple[str, ...]
    missing: tuple[str, ...]
    hits: tuple[Hit, ...]
    evidence: tuple[Evidence, ...]
    decision: Decision
    wording: Wording | None = None


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


@dataclass(slots=True)
class _Clock:
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.spent[name] = round(self.spent[name] + (time.perf_counter() - began) * 1000, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question as it was understood, and what it is answered from.

    Attributes:
        base: an answer to it that says nothing yet.
        text: what was asked, without greetings and thanks around it.
        served: whether the embedding model reads its language.
        refused: whether it asks for help with harm.
    """

    base: Answer
    text: str
    language: Language
    served: bool
    refused: bool
    task: Task
    opened: OpenIndex | None
    filters: Filters
    clock: _Clock

    @property
    def standalone(self) -> str:
        """The question with what it leaves out filled in."""
        return self.base.standalone_question

    @property
    def index(self) -> OpenIndex:
        """The index, for strategies that come after the one for an empty home."""
        assert self.opened is not None
        return self.opened


Outcome = tuple[Answer, Trace | None]
"""An answer, and the way to it where the sources were searched for it."""


class Answerer:
    """Answers questions from an index, by quotation or, with a writer, in a language model's words."""

    def __init__(
        self,
        *,
        index: IndexReader,
        encoder: Encoder,
        reader: PassageReader,
        calibration: Calibration,
        settings: AnswerSettings = AnswerSettings(),
        foreign: tuple[PassageReader, Calibration] | None = None,
        today: Callable[[], dt.date] = dt.date.today,
        writer: Writer | None = None,
        rules: policy.Policy | None = None,
        tasks: TaskClassifier | None = None,
        offers: Callable[[int], Sequence[str]] = lambda n: (),
    ) -> None:
        """``foreign`` reads questions that are not in English, since the evidence reader knows English only.

        ``today`` tells what "last year" means and whether evidence is old; ``offers`` gives up to so many
        questions that are known to be answered, for whoever asked something that is declined or just talks.
        """
        self._index = index
        self._encoder = encoder
        self._reader = reader
        self._calibration = calibration
        self._settings = settings
        self._foreign = foreign
        self._today = today
        self._rules = rules or policy.default()
        self._writer = writer
        self._offers = offers
        self._tasks = tasks or default_tasks()

    def warm_up(self) -> None:
        """Load what loads lazily, so that the first question is answered as fast as the next."""
        self._reader.score("", [ReadPassage(context="", sentences=("warm",))])

    def answer(self, question: str, history: Sequence[followup.Turn] = (), *, filters: Filters = Filters()) -> Answer:
        """The answer to a question; see :meth:`answer_with_trace`."""
        return self.answer_with_trace(question, history, filters=filters)[0]

    def stream(
        self, question: str, history: Sequence[followup.Turn] = (), *, filters: Filters = Filters()
    ) -> Iterator[Event]:
        """The answer as it comes about, ``Done`` last; closing the iterator stops the work.

        Raises:
            BadInput: the question is empty or too long.
        """
        yield from self._follow(question, history, filters)

    def answer_with_trace(
        self, question: str, history: Sequence[followup.Turn] = (), *, filters: Filters = Filters()
    ) -> tuple[Answer, Trace | None]:
        """The answer and the way to it; no trace when the question was declined or nothing is indexed.

        Raises:
            BadInput: the question is empty or too long.
        """
        events = self._follow(question, history, filters)
        while True:
            try:
                next(events)
            except StopIteration as stop:
                answered: tuple[Answer, Trace | None] = stop.value
                return answered

    def _follow(
        self, question: str, history: Sequence[followup.Turn], filters: Filters
    ) -> Generator[Event, None, tuple[Answer, Trace | None]]:
        clock = _Clock()
        began = time.perf_counter()

        def timed(answer: Answer) -> Answer:
            total = round((time.perf_counter() - began) * 1000, 2)
            answer = self._with_unread(answer, opened, filters)
            return replace(answer, timings_ms={**clock.spent, "total": total})

        rewritten = None
        if self._writer and history:
            with clock.stage("understand"):
                text = tidy(question)
                rewritten = None if self._rules.declines(text) else self._writer.condense(text, history)
        opened = self._index.current()
        answer, trace = self._answer(question, history, filters, clock, opened, rewritten)
        if (
            self._writer is None or opened is None or answer.status != "answered" or answer.task != "point"
            or not self._reads(question)
        ):  # fmt: skip
            answer = timed(answer)
            yield from settled(answer)
            yield Done(answer=answer)
            return answer, trace
        for event in self._writer.write(answer, _material(answer, trace, opened), clock.stage):
            if isinstance(event, Done):
                answer = timed(event.answer)
                yield Done(answer=answer)
            else:
                yield event
        return answer, trace

    def _answer(
        self,
        asked: str,
        history: Sequence[followup.Turn],
        filters: Filters,
        clock: _Clock,
        opened: OpenIndex | None,
        rewritten: str | None = None,
    ) -> tuple[Answer, Trace | None]:
        """``rewritten`` is the standalone question of a language model; without it rules make one."""
        with clock.stage("understand"):
            text = tidy(asked)
            bare = standalone = text
            language = language_of(text)
            served = self._settings.languages is None or language.code in self._settings.languages
            english = served and language.code == "en"
            if english:
                bare = self._tasks.without_courtesy(text)
                standalone = bare
            if opened and english:
                said = self._without_talk(history)
                standalone = rewritten or followup.standalone(opened.correct_spelling(bare), said, opened.vocabulary)
                standalone = periods.asked(standalone, self._today()).text
            refusal = self._rules.declines(text) or self._rules.declines(standalone)
            # A few English words are sometimes taken for a rare language, one that has no name here.
            judged = english or language.code not in codes_by_name().values()
            understood = self._tasks.task(text) if judged and not refusal else None
            if understood and understood.task == "other":
                understood = self._tasks.task(bare)
        base = Answer(
            question=asked, standalone_question=standalone, status="declined", answer=refusal or "",
            index_id=opened.id if opened else "", prompt_id=f"extractive:{self._reader.fingerprint}",
        )  # fmt: skip
        request = Request(
            base=base, text=bare, language=language, served=served, refused=bool(refusal),
            task=understood.task if understood else "other", opened=opened, filters=filters, clock=clock,
        )  # fmt: skip
        for strategy in _STRATEGIES:
            found = strategy(self, request)
            if found is not None:
                return found
        raise AssertionError("the last strategy answers everything")

    def _without_talk(self, history: Sequence[followup.Turn]) -> list[followup.Turn]:
        """The conversation without talk and the replies to it: nobody asks on about "thank you"."""
        kept: list[followup.Turn] = []
        talking = False
        for turn in history:
            if turn.role == "user":
                talking = self._tasks.task(turn.content).task.startswith("talk")
            if not talking:
                kept.append(turn)
        return kept

    def _declined(self, request: Request) -> Outcome | None:
        """Help with harm."""
        if not request.refused:
            return None
        return replace(request.base, options=tuple(self._offers(_OFFERED))), None

    def _talk(self, request: Request) -> Outcome | None:
        """Greetings, thanks, what the program is and does."""
        if not request.task.startswith("talk"):
            return None
        held = request.opened.origins if request.opened else {}
        summaries = sum(count for origin, count in held.items() if words_of(origin) == "summary")
        text = talk.reply(request.task, sources=sum(held.values()), summaries=summaries)
        return self._told(request, "talk", text), None

    def _catalogue(self, request: Request) -> Outcome | None:
        """Which sources there are, how many, how old, and who wrote them."""
        if not request.task.startswith("catalogue"):
            return None
        with request.clock.stage("retrieve"):
            composed = catalogue.Catalogue(request.opened, request.filters, self._today()).answer(request.task, request.text)
        if not composed.text:
            return None
        return replace(self._told(request, "catalogue", composed.text), citations=composed.citations), None

    def _told(self, request: Request, task: TaskKind, text: str) -> Answer:
        return replace(
            request.base, status="answered", answer=text, task=task, standalone_question=request.base.question, confidence=1.0,
            reasons=(f"understood as {request.task.replace('-', ': ', 1)}",), options=tuple(self._offers(_OFFERED_TALK)),
        )  # fmt: skip

    def _empty(self, request: Request) -> Outcome | None:
        """Nothing to answer from."""
        if request.opened is not None and request.opened.passage_count():
            return None
        return replace(
            request.base, status="abstained", answer=NOTHING_INDEXED, unsearched="there are no sources yet"
        ), None

    def _unreadable(self, request: Request) -> Outcome | None:
        """A language that the embedding model does not read."""
        if request.served:
            return None
        return self._by_words(request.base, request.language, request.index, request.filters, request.clock), None

    def _surveyed(self, request: Request) -> Outcome | None:
        """What each source says about a topic."""
        topic = overview.topic_of(request.standalone)
        if not topic:
            return None
        surveyed = self._overview(request.base, topic, request.index, request.filters, request.clock)
        return (surveyed, None) if surveyed else None

    def _parted(self, request: Request) -> Outcome | None:
        """Several questions in one."""
        split = parts.split(request.standalone, request.index.vocabulary)
        if len(split) < 2:
            return None
        return self._in_parts(request.base, split, request.index, request.filters, request.clock)

    def _pointed(self, request: Request) -> Outcome | None:
        """The sentences that answer, or an abstention."""
        base, standalone, opened, filters, clock = (
            request.base, request.standalone, request.index, request.filters, request.clock
        )  # fmt: skip
        trace = self.trace(standalone, opened, filters, asked=base.question, clock=clock)
        base = replace(base, confidence=trace.decision.confidence, reasons=trace.decision.reasons)
        with clock.stage("generate"):
            if not trace.decision.answer:
                return self._abstained(base, trace, opened), trace
            chosen = self._chosen(trace, opened)
            when = periods.asked(standalone, self._today())
            if differences.off_time(chosen[0], when, _published(chosen[0].hit, opened)):
                return self._abstained(base, trace, opened, of_time=when.period), trace
            found = self._differing(trace, when, opened, filters)
            if found:
                chosen = chosen[:1]
            composed = compose(chosen, opened.source)
            short = short_answer(trace.question, chosen[0], opened.source(chosen[0].hit.passage.source_id))
            answer = replace(
                base, status="answered", answer=composed.text, short_answer=short, citations=composed.citations
            )
            whole = differences.added(answer, found, when, self._today(), opened.source)
            after = whole.answer.removeprefix(composed.text)
        return whole, replace(trace, wording=Wording(question=standalone, after=after))

    def _reads(self, question: str) -> bool:
        """Whether the embedding model reads a question's language."""
        return self._settings.languages is None or language_of(tidy(question)).code in self._settings.languages

    def _by_words(
        self, base: Answer, language: Language, opened: OpenIndex, filters: Filters, clock: _Clock
    ) -> Answer:
        """A quotation that holds the words of a question whose language the embedding model does not read, or why there is none."""
        with clock.stage("retrieve"):
            read = self._settings.languages or frozenset()
            language = among(base.standalone_question, language, set(opened.languages()) - read)
            found = by_words.find(base.standalone_question, language.code, opened, filters, read)
        reason = f"the question is in {language.name}, which the embedding model does not read"
        near = tuple(
            cite(source, e.hit.passage, start=e.start, end=e.end, support=e.score)
            for e in found.near
            if (source := opened.source(e.hit.passage.source_id)) is not None
        )
        if found.answer is None:
            text = unreadable(language, by_words=found.searched)
            why = "" if found.searched else f"the question is in {language.name}"
            return replace(
                base, status="abstained", answer=text, reasons=(reason,), nearest=near, unsearched=why
            )  # fmt: skip
        composed = compose([found.answer], opened.source)
        share = f"{found.answer.score:.0%} of the question's topic words stand in the quotation; its meaning was not compared"
        return replace(
            base, status="answered", answer=composed.text, citations=composed.citations, reasons=(reason, share),
            notice=found_by_words(language), confidence=round(_BY_WORDS * found.answer.score, 4),
        )  # fmt: skip

    def _with_unread(self, answer: Answer, opened: OpenIndex | None, filters: Filters) -> Answer:
        """The answer, with the sources named that were not searched because of their language."""
        read = self._settings.languages
        if opened is None or read is None or answer.status == "declined" or answer.task != "point" or not self._reads(answer.question):
            return answer
        told = unread(_within(filters, opened), read)
        if not told:
            return answer
        if answer.status == "abstained":
            return replace(answer, answer=f"{answer.answer} {told}")
        return replace(answer, notice=" ".join(filter(None, (answer.notice, told))))

    def _differing(
        self, trace: Trace, when: periods.Asked, opened: OpenIndex, filters: Filters
    ) -> differences.Found | None:
        def more(words: str) -> Sequence[Hit]:
            wide = f"{trace.question.text} {words}".strip()
            return opened.search(wide, _WIDE_HITS, filters=filters, settings=self._settings.search)

        return differences.find(trace.question, when, trace.evidence, more, opened.vocabulary, opened.source)

    def _chosen(self, trace: Trace, opened: OpenIndex) -> list[Evidence]:
        limits = Limits(fact_words=self._settings.fact_words, other_words=self._settings.other_words)
        evidence = originals_first(trace.evidence, opened.source)
        note = next((e for e in evidence if _is_author_note(e.hit) and e.score >= _SURE_NOTE), None)
        if note and asks_author(trace.question.text):
            # A note on the author is short and all of it is about the author.
            whole = sorted((e for e in evidence if e.hit == note.hit), key=lambda e: e.start)
            return whole if sum(len(e.text.split()) for e in whole) <= limits.fact_words else [note]
        when = periods.asked(trace.question.text, self._today()).period
        if when:
            said = _speaking_of(when, opened)
            evidence = periods.in_time_first(
                evidence, when, said, lambda e: standing(e, opened.source), _TIME_IN_READING
            )  # fmt: skip
            if periods.strict(when):
                # Nothing of another time goes with the lead as if it were of the time asked for.
                evidence = [evidence[0], *(e for e in evidence[1:] if said(e) >= 0)]
        return select(trace.question, evidence, opened.vocabulary, limits)

    def _overview(self, base: Answer, topic: str, opened: OpenIndex, filters: Filters, clock: _Clock) -> Answer | None:
        """What each source says about a topic; None when no sentence of any is about it."""
        with clock.stage("retrieve"):
            hits = opened.search(topic, _OVERVIEW_HITS, filters=filters, settings=self._settings.search)
        with clock.stage("read"):
            chosen = overview.choose(topic, hits, self._encoder, opened.vocabulary)
        if not chosen:
            return None
        with clock.stage("generate"):
            composed, left_out = overview.compose(chosen, opened.source, words=self._settings.other_words)
        reasons = [f"an overview of “{topic}”: {len(composed.citations)} sources, one sentence each, by date"]
        if left_out:
            reasons.append(f"{left_out} more sources mention it and are not shown")
        return replace(
            base, status="answered", answer=composed.text, citations=composed.citations, reasons=tuple(reasons),
            confidence=round(max(0.0, min(1.0, max(e.similarity for e in chosen))), 4),
        )  # fmt: skip

    def _in_parts(
        self, base: Answer, split: Sequence[str], opened: OpenIndex, filters: Filters, clock: _Clock
    ) -> tuple[Answer, Trace]:
        """Each part looked up by itself; what one part leaves open is said before what the others answer."""
        traces = [
            self.trace(text, opened, filters, asked=base.question, clock=clock, beside=base.standalone_question)
            for text in split
        ]
        reasons = tuple(f"“{t.question.text}”: {reason}" for t in traces for reason in t.decision.reasons)
        base = replace(base, reasons=reasons)
        with clock.stage("generate"):
            answered = [t for t in traces if t.decision.answer]
            if not answered:
                best = max(traces, key=lambda t: t.decision.confidence)
                missing = tuple(dict.fromkeys(term for t in traces for term in t.missing))
                base = replace(base, confidence=best.decision.confidence)
                return self._abstained(base, replace(best, missing=missing), opened), best
            chosen: list[Evidence] = []
            for part in answered:
                chosen += [e for e in self._chosen(part, opened) if not any(_overlap(e, c) for c in chosen)]
            composed = compose(chosen, opened.source)
            open_parts = [f"The sources do not answer “{t.question.text}”" for t in traces if t not in answered]
            wording = Wording(
                question=" ".join(t.question.text for t in answered), before=" ".join(f"{o}." for o in open_parts)
            )
            hits = tuple(dict.fromkeys(h for t in answered for h in t.hits))
        return replace(
            base, status="answered", answer=" ".join([*(f"{o}." for o in open_parts), composed.text]),
            citations=composed.citations, confidence=min(t.decision.confidence for t in answered),
            missing_terms=tuple(dict.fromkeys(m for t in traces if t not in answered for m in t.missing)),
        ), replace(answered[0], hits=hits, wording=wording)  # fmt: skip

    def trace(
        self,
        standalone: str,
        opened: OpenIndex,
        filters: Filters = Filters(),
        *,
        asked: str | None = None,
        clock: _Clock | None = None,
        beside: str | None = None,
    ) -> Trace:
        """Retrieve, read and decide, without composing.

        Args:
            beside: the longer question that this one is a part of; what it finds is read too.
        """
        clock = clock or _Clock()
        question = Question(text=standalone, asked=asked or standalone, kind=kind_of(standalone))
        with clock.stage("retrieve"):
            terms = tuple(opened.vocabulary.content_terms(standalone))
            needed = set(opened.vocabulary.content_terms(need(standalone)))
            frequency = opened.document_frequency(terms)
            missing = tuple(
                dict.fromkeys(in_full(t, standalone) for t in terms if t in needed and not frequency[t] and not opened.vocabulary.frames(t))
            )
            wanted = _PART_PASSAGES if beside else self._settings.passages
            when = periods.asked(standalone, self._today()).period
            # With a time asked for, passages that speak of it are read before likelier ones that don't.
            deep = _WIDE_HITS if when else 2 * wanted
            hits = opened.search(standalone, deep, filters=filters, settings=self._settings.search)
            if when:
                hits = periods.in_time_first(
                    hits, when, lambda h: periods.speaks_of(h.passage.text, when, _published(h, opened)),
                    lambda h: h.score, _TIME_IN_SEARCH,
                )  # fmt: skip
                hits = [replace(h, rank=n) for n, h in enumerate(hits, start=1)]
            hits = hits[:wanted] if beside else _worth_reading(hits, wanted)
            if asks_author(standalone):
                hits = self._with_author_notes(standalone, hits, opened, filters)
            if beside:
                known = {h.passage.id for h in hits}
                more = opened.search(beside, _PART_PASSAGES, filters=filters, settings=self._settings.search)
                hits += [h for h in more if h.passage.id not in known][: self._settings.passages - len(hits)]
        with clock.stage("read"):
            reader, calibration = self._reader, self._calibration
            foreign = self._foreign if language_of(standalone).code != "en" else None
            if foreign:
                reader, calibration = foreign
                # Words and names of another language stand in no English text; figures do.
                missing = tuple(term for term in missing if any(c.isdigit() for c in term))
            as_read = _as_read(standalone, hits, opened)
            read = [_dated(h, when, opened) for h in hits] if when else hits
            evidence = gather(as_read, read, reader, self._encoder, opened.vocabulary)
            found = {h.passage.id: h for h in hits}
            evidence = [replace(e, hit=found[e.hit.passage.id]) for e in evidence]
            if when:
                said = _speaking_of(when, opened)
                evidence = periods.in_time_first(evidence, when, said, lambda e: e.strength, _TIME_IN_READING)
            judged = evidence
            if when and periods.strict(when) and evidence and said(evidence[0]) >= 0:
                # What tells of other times is no reason to believe that a lead of the time asked for answers.
                judged = [e for e in evidence if said(e) >= 0]
            decision = decide(
                question, judged, missing, len(terms), calibration, self._settings.threshold,
                unnamed=() if foreign else names_lacking(as_read, terms, judged, opened.vocabulary),
            )  # fmt: skip
        return Trace(
            question=question, terms=terms, missing=missing, hits=tuple(hits), evidence=tuple(evidence),
            decision=decision,
        )  # fmt: skip

    def _with_author_notes(self, question: str, hits: Sequence[Hit], opened: OpenIndex, filters: Filters) -> list[Hit]:
        """The hits, the last of them replaced by what the likeliest texts say about their authors."""
        more = opened.search(
            f"{question} {_ABOUT_AUTHORS}", _WIDE_HITS, filters=filters, settings=self._settings.search
        )
        notes = [h for h in more if _is_author_note(h)][:_AUTHOR_NOTES]
        known = {h.passage.id for h in notes}
        kept = [h for h in hits if h.passage.id not in known]
        chosen = [*kept[: max(1, self._settings.passages - len(notes))], *notes]
        return [replace(h, rank=n) for n, h in enumerate(chosen, start=1)]

    def _abstained(
        self, base: Answer, trace: Trace, opened: OpenIndex, of_time: periods.Period | None = None
    ) -> Answer:
        """``of_time`` is the time asked for when the sources speak only of others."""
        text = ABSTENTION
        if of_time:
            asked = trace.question.text[of_time.start : of_time.end]
            text += f" What they say on the matter is not about {asked}."
            base = replace(base, reasons=(*base.reasons, f"the best evidence speaks of other times than {asked}"))
        if trace.missing:
            text += f" No source mentions: {', '.join(trace.missing)}."
        apart = [name for name in trace.decision.apart if name not in trace.missing]
        if trace.decision.instead:
            text += f" The nearest passages speak of {', '.join(trace.decision.instead)}."
        elif apart:
            text += f" The nearest passages do not mention: {', '.join(apart)}."
        return replace(
            base, status="abstained", answer=text, missing_terms=trace.missing, nearest=_nearest(trace, opened)
        )


_STRATEGIES: tuple[Callable[[Answerer, Request], Outcome | None], ...] = (
    Answerer._declined,
    Answerer._talk,
    Answerer._catalogue,
    Answerer._empty,
    Answerer._unreadable,
    Answerer._surveyed,
    Answerer._parted,
    Answerer._pointed,
)
"""The ways of answering in the order in which they are tried; one that gives None leaves the question to the next."""


def _within(filters: Filters, opened: OpenIndex) -> Mapping[str, Collection[str]]:
    """Ids of the sources of each language that pass the filters; dates are not looked at."""
    languages = opened.languages()
    if not filters.sources and not filters.genres:
        return languages

    undated = replace(filters, since=None, until=None)

    def passes(source_id: str) -> bool:
        source = opened.source(source_id)
        return source is not None and undated.admits(source)

    return {code: [i for i in ids if passes(i)] for code, ids in languages.items()}


def _published(hit: Hit, opened: OpenIndex) -> str | None:
    """Date of the text that a hit is from; None for compilations and where it is the date of something else."""
    source = opened.source(hit.passage.source_id)
    return None if source is None or source.genre == "notes" or source.date_note else source.date


def _dated(hit: Hit, when: periods.Period, opened: OpenIndex) -> Hit:
    """The hit with the date of its text to be read with it, where that is within the time asked for."""
    published = _published(hit, opened)
    if not published or not periods.overlap(periods.of_date(published).bounds, when.bounds):
        return hit
    return replace(hit, passage=replace(hit.passage, context=f"{periods.shown(published)}{CONTEXT_JOINT}{hit.passage.context}"))


def _speaking_of(when: periods.Period, opened: OpenIndex) -> Callable[[Evidence], float]:
    return lambda e: periods.speaks_of(e.text, when, _published(e.hit, opened))


def _is_author_note(hit: Hit) -> bool:
    return hit.passage.role in {"byline", "author-note"}


def _overlap(one: Evidence, other: Evidence) -> bool:
    return one.hit.passage.source_id == other.hit.passage.source_id and one.start < other.end and other.start < one.end


def _material(answer: Answer, trace: Trace | None, opened: OpenIndex) -> Material:
    """What a language model gets: the passages that the extractive answer quotes, then the others that were read.

    What a list of differences cites is left out: the list itself stays in the answer.
    """
    wording = (trace.wording if trace else None) or Wording(question=answer.standalone_question)
    quoted = {int(m) for m in MARKER.findall(answer.answer.removesuffix(wording.after))}
    copies = {h.passage.id: h.copies for h in trace.hits} if trace else {}
    passages = {h.passage.id: h.passage for h in trace.hits} if trace else {}
    order: dict[str, Passage] = {}
    for citation in answer.citations:
        if citation.marker not in quoted:
            continue
        if citation.passage_id not in passages:
            passages |= {p.id: p for p in opened.passages_of(citation.source_id)}
        if citation.passage_id in passages:
            order[citation.passage_id] = passages[citation.passage_id]
    for item in trace.evidence if trace else ():
        order.setdefault(item.hit.passage.id, item.hit.passage)
    for hit in trace.hits if trace else ():
        order.setdefault(hit.passage.id, hit.passage)
    given = []
    for passage in order.values():
        source = opened.source(passage.source_id)
        if source is not None:
            elsewhere = ((opened.source(p.source_id), p) for p in copies.get(passage.id, ()))
            given.append(
                Given(passage=passage, source=source, copies=tuple((s, p) for s, p in elsewhere if s is not None))
            )
    topic = overview.topic_of(answer.standalone_question) if trace is None else None
    return Material(
        question=wording.question, passages=tuple(given), vocabulary=opened.vocabulary, topic=topic,
        before=wording.before, after=wording.after,
    )  # fmt: skip


def _as_read(question: str, hits: Sequence[Hit], opened: OpenIndex) -> str:
    """The question as the reader gets it: a note on an author does not say "the author"."""
    note = next((h for h in hits if _is_author_note(h)), None) if asks_author(question) else None
    source = opened.source(note.passage.source_id) if note else None
    return naming_author(question, source.author) if source and source.author else question


def _worth_reading(hits: Sequence[Hit], least: int) -> list[Hit]:
    """The first hits: ``least``, or up to twice as many while they are short together."""
    chars = list(accumulate(len(h.passage.text) for h in hits[: 2 * least]))
    return list(hits[: max(least, sum(total <= _SHORT_CHARS for total in chars))])


def _nearest(trace: Trace, opened: OpenIndex) -> tuple[Citation, ...]:
    """The best sentence of each of the best passages, to look at instead of an answer."""
    found: dict[str, Citation] = {}
    for item in trace.evidence:
        source = opened.source(item.hit.passage.source_id)
        if source is not None and item.hit.passage.id not in found:
            found[item.hit.passage.id] = cite(
                source, item.hit.passage, start=item.start, end=item.end, support=item.score
            )
        if len(found) == _NEAREST:
            break
    return tuple(found.values())


def explain(trace: Trace) -> Mapping[str, Any]:
    """The trace as plain data, for ``iskp ask --explain``."""
    return {
        "kind": trace.question.kind,
        "terms": list(trace.terms),
        "missing": list(trace.missing),
        "hits": [
            {
                "rank": h.rank, "source": h.passage.source_id, "locator": h.passage.locator,
                "score": round(h.score, 4), "similarity": round(h.similarity, 4), "lexical": round(h.lexical, 4),
            }
            for h in trace.hits
        ],
        "evidence": [
            {"score": round(e.score, 4), "similarity": round(e.similarity, 4), "locator": e.hit.passage.locator,
             "source": e.hit.passage.source_id, "text": e.text}
            for e in trace.evidence[:10]
        ],
        "decision": {
            "answer": trace.decision.answer, "confidence": trace.decision.confidence,
            "reasons": list(trace.decision.reasons), "features": dict(trace.decision.features),
        },
    }  # fmt: skip
