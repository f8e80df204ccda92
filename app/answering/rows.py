"""Answers of several cited rows: sentences found widely, and the numbering of what they cite."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from app.answer import Citation, Row
from app.answering.compose import attribution
from app.answering.engine import Desk, Outcome, Trace
from app.answering.judge import traced
from app.answering.retrieve import WIDE_HITS, retrieve
from app.citation_text import one_line, with_marker
from app.evidence.citing import cited
from app.evidence.gather import Evidence
from app.evidence.statement import Wanted
from app.question.analysis import Question, analyse
from app.question.matter import matter
from app.question.shape import Shape
from index.search import Hit
from index.terms import Vocabulary
from ingest.sentences import sentence_spans
from ingest.source import Source

READ = 20
"""Passages read by the evidence reader for a list: with 14, one of the six lists of the analyst cases lacks items that 20 find."""
LOOKED_THROUGH = 30
"""Passages whose sentences are looked through by their words alone."""
FLOOR = 0.08
"""Least score of a sentence in an answer of several rows."""
LEAST = 2
"""Rows without which there is no list, timeline or set of facts."""
NEEDED = 0.6
"""Least share of a topic's words that a sentence needs, with the headings above it."""
ALIKE = 0.6
"""Share of the topic words of the shorter of two sentences from which they tell the same."""


@dataclass(slots=True)
class Sheet:
    """An answer of rows under way: a sentence that is used twice keeps its marker."""

    sources: Callable[[str], Source | None]
    citations: list[Citation] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def mark(self, item: Evidence) -> Citation:
        """The citation of a sentence, which gets a number the first time."""
        source = self.sources(item.hit.passage.source_id)
        assert source is not None
        for held in self.citations:
            if (held.source_id, held.start, held.end) == (source.id, item.start, item.end):
                return held
        made = cited(item, source, self.sources, marker=len(self.citations) + 1)
        self.citations.append(made)
        return made

    def sentence(self, item: Evidence, *, attributed: bool = True) -> str:
        """The sentence with who says it and its marker."""
        citation = self.mark(item)
        intro = attribution(citation) if attributed else ""
        return with_marker(intro + one_line(citation.quote), citation.marker)

    def add(self, label: str, items: Sequence[Evidence], *, attributed: bool = True) -> str:
        """A row of sentences, and its text without the label."""
        text = " ".join(self.sentence(i, attributed=attributed) for i in items)
        self.rows.append(
            Row(label=label, cells=tuple(one_line(self.mark(i).quote) for i in items), markers=tuple(self.mark(i).marker for i in items))
        )
        return text

    def running(self, items: Sequence[Evidence]) -> list[str]:
        """The sentences one after the other, a row each; who says it stands only where the source changes."""
        before = ["", *(i.hit.passage.source_id for i in items)]
        return [self.add("", [item], attributed=item.hit.passage.source_id != last) for item, last in zip(items, before, strict=False)]

    def outcome(
        self, desk: Desk, shape: Shape, text: str, trace: Trace | None, *, confidence: float | None = None, reasons: tuple[str, ...] = ()
    ) -> Outcome:
        """The answer that the rows make; how sure it is and why follows from the decision unless it is given."""
        sure = trace.decision.confidence if confidence is None and trace else confidence or 0.0
        answer = replace(
            desk.base, status="answered", answer=text, citations=tuple(self.citations), shape=shape, rows=tuple(self.rows),
            confidence=round(sure, 4), reasons=reasons or (trace.decision.reasons if trace else ()),
        )  # fmt: skip
        return Outcome(answer=answer, trace=trace)


def on(desk: Desk, text: str | None = None) -> Question:
    """What the question is on, analysed, without the words that ask for a form; it wants the word of the one whose word the question wants."""
    asked = desk.request.question
    question = analyse(matter(asked.text) if text is None else text, desk.index.vocabulary, desk.request.today, asked=asked.asked)
    return replace(question, holder=asked.holder)


def widely_read(desk: Desk, question: Question, passages: int = READ, fits: Callable[[Hit], bool] = lambda hit: True) -> Trace:
    """More passages than for a point, read, and the decision whether they answer.

    Args:
        fits: which passages are read at all; where it turns some down, others are read in their place.
    """
    settings = replace(desk.models.settings, passages=WIDE_HITS)
    with desk.clock.stage("retrieve"):
        retrieved = retrieve(question, desk.index, settings, desk.request.filters)
        retrieved = replace(retrieved, hits=tuple(islice(filter(fits, retrieved.hits), passages)))
    return traced(desk, question, retrieved)


def found_widely(desk: Desk, text: str, hits: int = WIDE_HITS) -> list[Hit]:
    """Passages looked through rather than read."""
    with desk.clock.stage("retrieve"):
        return desk.index.search(text, hits, filters=desk.request.filters, settings=desk.models.settings.search)


def statements(hits: Iterable[Hit], question: str, vocabulary: Vocabulary, fits: Callable[[str], bool] = lambda text: True) -> list[Evidence]:
    """The sentences of the passages that state something and fit; ``similarity`` is that of the passage, ``score`` 0."""
    wanted = Wanted(question, vocabulary)
    terms = vocabulary.content_terms(question)
    asked = frozenset(s for t in terms for s in vocabulary.stems(t))
    found = []
    for hit in hits:
        around = held(terms, hit.passage.context, vocabulary)
        for a, b in sentence_spans(hit.passage.text):
            text = hit.passage.text[a:b]
            if not fits(text) or not wanted.answered_by(text, hit.passage):
                continue
            there = around | held(terms, text, vocabulary)
            found.append(
                Evidence(
                    hit=hit, text=text, start=hit.passage.start + a, end=hit.passage.start + b, score=0.0, passage_score=0.0,
                    similarity=hit.similarity, overlap=len(there) / len(asked) if asked else 1.0,
                )
            )  # fmt: skip
    return found


def held(terms: Collection[str], text: str, vocabulary: Vocabulary) -> frozenset[str]:
    """Stems of those of the terms that stand in a text: of "the US" none where the UN and a state are named apart."""
    stems = vocabulary.stems(text)
    return frozenset(s for t in terms if vocabulary.within(t, stems) for s in vocabulary.stems(t))


def coverage(desk: Desk, topic: str) -> Callable[[str], float]:
    """Tells of a text how much of a topic's words it holds, 0 to 1, each weighed by how rare it is in the collection (idf)."""
    vocabulary = desk.index.vocabulary
    terms = [t for t in vocabulary.content_terms(topic) if not vocabulary.frames(t)]
    counts = desk.index.document_frequency(terms)
    worth = {t: math.log((desk.index.passage_count() + 1) / (counts[t] + 0.5)) for t in terms}
    whole = sum(worth.values())

    def covered(text: str) -> float:
        stems = vocabulary.stems(text)
        return sum(w for t, w in worth.items() if vocabulary.within(t, stems)) / whole if whole > 0 else 0.0

    return covered


def by_meaning(desk: Desk, items: Sequence[Evidence], text: str) -> list[Evidence]:
    """The sentences with their own cosine to a text, the nearest first."""
    if not items:
        return []
    with desk.clock.stage("read"):
        vectors = desk.models.encoder.encode([desk.index.vocabulary.spell_out(text), *(i.text for i in items)])
    close = (vectors[1:] @ vectors[0]).tolist()
    return sorted((replace(i, similarity=s) for i, s in zip(items, close, strict=True)), key=lambda e: -(e.similarity + 0.3 * e.overlap))


def alike(one: str, other: str, vocabulary: Vocabulary, share: float = ALIKE) -> bool:
    """Whether most topic words of the shorter sentence stand in the other."""
    mine, theirs = ({vocabulary.stem(t) for t in vocabulary.content_terms(text)} for text in (one, other))
    if not mine or not theirs:
        return one == other
    return len(mine & theirs) >= share * min(len(mine), len(theirs))
