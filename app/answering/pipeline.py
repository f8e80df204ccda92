"""The way from a question to an Answer: understand it, then the first strategy that has an answer; a model may word it."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.answer import MARKER, Answer, Grades, graded, no_grades
from app.answering.engine import AnswerSettings, Clock, Desk, Models, Outcome, Trace, Wording, understood
from app.answering.grid import Cell
from app.answering.strategies import REGISTRY
from app.answering.strategies.point import best_sentence
from app.errors import BadInput
from app.evidence.citing import cited
from app.evidence.gather import ReadPassage
from app.policy import rules as policy
from app.question.analysis import tidy
from app.question.request import Parser, Request, Turn
from app.question.tasks import TaskClassifier
from app.question.tasks import default as default_tasks
from app.stream import Done, Event, settled
from app.text.language import unread
from app.writing.parts import Given, Material
from app.writing.writer import Writer
from index.search import Filters, Hit, IndexReader, OpenIndex
from ingest.chunk import Passage

_WIDE = 40
"""Passages that a strong model is offered beyond those that were read; as many go as fit into its window."""

__all__ = ("AnswerSettings", "Answerer", "Trace", "explain")


class Answerer:
    """Answers questions from an index, by quotation or, with a writer, in a language model's words."""

    def __init__(
        self,
        *,
        index: IndexReader,
        models: Models,
        today: Callable[[], dt.date] = dt.date.today,
        writer: Writer | None = None,
        rules: policy.Policy | None = None,
        tasks: TaskClassifier | None = None,
        grades: Grades = no_grades,
    ) -> None:
        """``today`` tells what "last year" means and whether evidence is old; ``grades`` those of the sources."""
        self._grades = grades
        self._index = index
        self._models = models
        self._rules = rules or policy.default()
        self._writer = writer
        self._parser = Parser(
            tasks=tasks or default_tasks(), declines=self._rules.declines, languages=models.settings.languages, today=today,
            other_tasks=models.other_tasks,
        )

    @property
    def index(self) -> IndexReader:
        """What it answers from."""
        return self._index

    def warm_up(self) -> None:
        """Load what loads lazily, so that the first question is answered as fast as the next."""
        self._models.reader.score("", [ReadPassage(context="", sentences=("warm",))])

    def answer(self, question: str, history: Sequence[Turn] = (), *, filters: Filters = Filters()) -> Answer:
        """The answer to a question; see :meth:`answer_with_trace`."""
        return self.answer_with_trace(question, history, filters=filters)[0]

    def stream(
        self, question: str, history: Sequence[Turn] = (), *, filters: Filters = Filters()
    ) -> Iterator[Event]:
        """The answer as it comes about, ``Done`` last; closing the iterator stops the work.

        Raises:
            BadInput: the question is empty or too long.
        """
        yield from self._follow(question, history, filters)

    def answer_with_trace(
        self, question: str, history: Sequence[Turn] = (), *, filters: Filters = Filters()
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

    def ask_each(self, question: str, source_ids: Sequence[str]) -> Iterator[Cell]:
        """What each source by itself says on a question, in the order of the ids.

        Raises:
            BadInput: the question is empty, too long, or declined.
        """
        opened = self._index.current()
        request = self._parser.parse(question, opened=opened)
        if request.refusal:
            raise BadInput(f"the question {request.asked!r} is declined: {request.refusal}")
        unread = _unread_sources(opened, self._parser.languages)
        for source_id in source_ids:
            source = opened.source(source_id) if opened else None
            if opened is None or source is None or not request.served or source_id in unread:
                yield Cell(question=question, source_id=source_id, status="not read")
                continue
            narrowed = replace(request, filters=Filters(sources=(source_id,)))
            item = best_sentence(self._desk(narrowed, opened, Clock()), narrowed.question)
            citation = None if item is None else graded([cited(item, source, opened.source, marker=0)], self._grades())[0]
            yield Cell(question=question, source_id=source_id, status="said" if citation else "nothing", citation=citation)

    def _follow(
        self, question: str, history: Sequence[Turn], filters: Filters
    ) -> Generator[Event, None, tuple[Answer, Trace | None]]:
        clock = Clock()
        began = time.perf_counter()
        rewritten = None
        if self._writer and history:
            with clock.stage("understand"):
                text = tidy(question)
                rewritten = None if self._rules.declines(text) else self._writer.condense(text, history)
        opened = self._index.current()
        with clock.stage("understand"):
            request = self._parser.parse(question, history, opened=opened, filters=filters, rewritten=rewritten)

        def finished(answer: Answer) -> Answer:
            total = round((time.perf_counter() - began) * 1000, 2)
            grades = self._grades()
            return replace(
                answer if outcome.everywhere else _with_unread(answer, request, opened, self._parser.languages), timings_ms={**clock.spent, "total": total},
                citations=graded(answer.citations, grades), nearest=graded(answer.nearest, grades),
            )  # fmt: skip

        outcome = self._answer(request, opened, clock)
        answer, trace = outcome.answer, outcome.trace
        shapes = self._writer.shapes if self._writer else frozenset()
        worded = answer.status == "answered" and answer.task == "point" and answer.shape in shapes and request.served
        worded = worded and (answer.shape == "point" or request.turning == "new")
        if self._writer is None or opened is None or not worded:
            answer = finished(answer)
            yield from settled(answer)
            yield Done(answer=answer)
            return answer, trace
        for event in self._writer.write(answer, _material(answer, request, trace, opened, self._wide(request, opened)), clock.stage):
            if isinstance(event, Done):
                answer = finished(event.answer)
                yield Done(answer=answer)
            else:
                yield event
        return answer, trace

    def _wide(self, request: Request, opened: OpenIndex) -> Sequence[Hit]:
        """Further passages for a writer that takes them."""
        if self._writer is None or not self._writer.wide:
            return ()
        return opened.search(request.question.text, _WIDE, filters=request.filters, settings=self._models.settings.search)

    def _answer(self, request: Request, opened: OpenIndex | None, clock: Clock) -> Outcome:
        return _answered(self._desk(request, opened, clock))

    def _desk(self, request: Request, opened: OpenIndex | None, clock: Clock) -> Desk:
        base = Answer(
            question=request.asked, standalone_question=request.standalone, status="abstained", answer="",
            index_id=opened.id if opened else "", prompt_id=f"extractive:{self._models.reader.fingerprint}",
            understood=understood(request),
        )  # fmt: skip
        return Desk(request=request, models=self._models, opened=opened, clock=clock, base=base, answered=_answered)


def _answered(desk: Desk) -> Outcome:
    for strategy in REGISTRY:
        given = strategy(desk)
        if isinstance(given, Outcome):
            return given
        desk = given or desk
    raise AssertionError("the last strategy answers everything")


def _with_unread(
    answer: Answer, request: Request, opened: OpenIndex | None, read: frozenset[str] | None
) -> Answer:
    """The answer, with the sources named that were not searched because of their language."""
    if opened is None or read is None or answer.status == "declined" or answer.task != "point" or not request.served:
        return answer
    told = unread(_within(request.filters, opened), read)
    if not told:
        return answer
    if answer.status == "abstained":
        return replace(answer, answer=f"{answer.answer} {told}")
    return replace(answer, notice=" ".join(filter(None, (answer.notice, told))))


def _unread_sources(opened: OpenIndex | None, read: frozenset[str] | None) -> frozenset[str]:
    """Ids of the sources that have no text in a language that the model reads."""
    if opened is None or read is None:
        return frozenset()
    languages = opened.languages()
    some = {i for code, ids in languages.items() if code in read for i in ids}
    return frozenset(i for code, ids in languages.items() if code not in read for i in ids if i not in some)


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


def _material(answer: Answer, request: Request, trace: Trace | None, opened: OpenIndex, more: Sequence[Hit] = ()) -> Material:
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
    for hit in more:
        order.setdefault(hit.passage.id, hit.passage)
        copies.setdefault(hit.passage.id, hit.copies)
    given = []
    for passage in order.values():
        source = opened.source(passage.source_id)
        if source is not None:
            elsewhere = ((opened.source(p.source_id), p) for p in copies.get(passage.id, ()))
            given.append(
                Given(passage=passage, source=source, copies=tuple((s, p) for s, p in elsewhere if s is not None))
            )
    topic = (request.topic.about or None) if trace is None and request.topic else None
    return Material(
        question=wording.question, passages=tuple(given), vocabulary=opened.vocabulary, topic=topic,
        before=wording.before, after=wording.after, shape=request.shape if answer.shape == "point" else answer.shape, today=f"{request.today:%-d %B %Y}",
    )  # fmt: skip


def explain(trace: Trace) -> Mapping[str, Any]:
    """The trace as plain data, for ``iskp ask --explain``."""
    return {
        "kind": trace.question.kind,
        "terms": list(trace.question.terms),
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
