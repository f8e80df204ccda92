"""The pipeline from a question to an Answer: understand, retrieve, read, decide, compose."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from app import followup, policy
from app.answer import STAGES, Answer, Citation, cite
from app.compose import Limits, compose, originals_first, select, short_answer
from app.decide import Calibration, Decision, decide
from app.evidence import Evidence, PassageReader, ReadPassage, gather
from app.question import Question, kind_of, tidy
from index.embed import Encoder
from index.search import Filters, Hit, IndexReader, OpenIndex, SearchSettings

ABSTENTION = "The sources do not answer this question."
NOTHING_INDEXED = "Nothing has been indexed yet, so there is no source to answer from."
_NEAREST = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSettings:
    """How many passages are read, when to abstain, how long answers may get."""

    passages: int = 8
    threshold: float | None = None
    fact_words: int = 60
    other_words: int = 150
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


class Answerer:
    """Answers questions from an index, without a language model."""

    def __init__(
        self,
        *,
        index: IndexReader,
        encoder: Encoder,
        reader: PassageReader,
        calibration: Calibration,
        settings: AnswerSettings = AnswerSettings(),
    ) -> None:
        self._index = index
        self._encoder = encoder
        self._reader = reader
        self._calibration = calibration
        self._settings = settings

    def warm_up(self) -> None:
        """Load what loads lazily, so that the first question is answered as fast as the next."""
        self._reader.score("", [ReadPassage(context="", sentences=("warm",))])

    def answer(self, question: str, history: Sequence[followup.Turn] = (), *, filters: Filters = Filters()) -> Answer:
        """The answer to a question; see :meth:`answer_with_trace`."""
        return self.answer_with_trace(question, history, filters=filters)[0]

    def answer_with_trace(
        self, question: str, history: Sequence[followup.Turn] = (), *, filters: Filters = Filters()
    ) -> tuple[Answer, Trace | None]:
        """The answer and the way to it; no trace when the question was declined or nothing is indexed.

        Raises:
            BadInput: the question is empty or too long.
        """
        clock = _Clock()
        with clock.stage("total"):
            answer, trace = self._answer(question, history, filters, clock)
        return replace(answer, timings_ms=clock.spent), trace

    def _answer(
        self, asked: str, history: Sequence[followup.Turn], filters: Filters, clock: _Clock
    ) -> tuple[Answer, Trace | None]:
        opened = self._index.current()
        index_id = opened.id if opened else ""
        with clock.stage("understand"):
            text = tidy(asked)
            standalone = text
            if opened:
                standalone = followup.standalone(opened.correct_spelling(text), history, opened.vocabulary)
            refusal = policy.declines(text) or policy.declines(standalone)
        base = Answer(
            question=asked, standalone_question=standalone, status="declined", answer=refusal or "",
            index_id=index_id, prompt_id=f"extractive:{self._reader.fingerprint}",
        )  # fmt: skip
        if refusal:
            return base, None
        if opened is None or not opened.passage_count():
            return replace(base, status="abstained", answer=NOTHING_INDEXED), None
        trace = self.trace(standalone, opened, filters, asked=asked, clock=clock)
        base = replace(base, confidence=trace.decision.confidence, reasons=trace.decision.reasons)
        with clock.stage("generate"):
            if not trace.decision.answer:
                return self._abstained(base, trace, opened), trace
            limits = Limits(fact_words=self._settings.fact_words, other_words=self._settings.other_words)
            evidence = originals_first(trace.evidence, opened.source)
            chosen = select(trace.question, evidence, opened.vocabulary, limits)
            composed = compose(chosen, opened.source)
            short = short_answer(trace.question, chosen[0], opened.source(chosen[0].hit.passage.source_id))
        return replace(
            base, status="answered", answer=composed.text, short_answer=short, citations=composed.citations
        ), trace

    def trace(
        self,
        standalone: str,
        opened: OpenIndex,
        filters: Filters = Filters(),
        *,
        asked: str | None = None,
        clock: _Clock | None = None,
    ) -> Trace:
        """Retrieve, read and decide, without composing."""
        clock = clock or _Clock()
        question = Question(text=standalone, asked=asked or standalone, kind=kind_of(standalone))
        with clock.stage("retrieve"):
            terms = tuple(opened.vocabulary.content_terms(standalone))
            frequency = opened.document_frequency(terms)
            missing = tuple(t for t in terms if not frequency[t])
            hits = opened.search(standalone, self._settings.passages, filters=filters, settings=self._settings.search)
        with clock.stage("read"):
            evidence = gather(standalone, hits, self._reader, self._encoder, opened.vocabulary)
            decision = decide(question, evidence, missing, len(terms), self._calibration, self._settings.threshold)
        return Trace(
            question=question, terms=terms, missing=missing, hits=tuple(hits), evidence=tuple(evidence),
            decision=decision,
        )  # fmt: skip

    def _abstained(self, base: Answer, trace: Trace, opened: OpenIndex) -> Answer:
        text = ABSTENTION
        if trace.missing:
            text += f" No source mentions: {', '.join(trace.missing)}."
        return replace(
            base, status="abstained", answer=text, missing_terms=trace.missing, nearest=_nearest(trace, opened)
        )


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
