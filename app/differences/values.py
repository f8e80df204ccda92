"""Answers that differ from source to source, whatever they are: told by the words that the reader takes for the short answer.

Each source counts with its sentence that answers best; sources whose short answers mean the same are one answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from app.citation_text import holder, one_line, shortened
from app.differences.find import Figure, Found
from app.evidence.gather import Evidence
from app.question.analysis import Question
from app.text import claims
from app.text.periods import overlap, periods, shown
from app.text.spans import whole_words
from index.terms import Vocabulary
from ingest.source import Source

KINDS = frozenset({"number", "date", "person", "place", "description"})
"""Kinds of questions that a few words can answer."""
LEAST_SCORE, GAP, WORDS = 0.2, 6.0, 0.34
"""A further source must answer with this score, at most so much weaker than the first one, and hold all but this share of the topic words
that the first one holds. Over 251 questions of RAMDocs, 198 of them with several values, these show differences for .79 of the 198 (.20
before), and for .045 of 200 questions of XQuAD, which have one value each; a logistic model of ten features fitted on half of both
shows .68 at .04 and .76 at .06 on the other half."""
MOST = 6
_WORDS_OF_VALUE = 12
_ALIKE = 0.67
"""Share of the words of the shorter answer that the longer one has, from which they are one."""


def find(
    question: Question, evidence: Sequence[Evidence], vocabulary: Vocabulary, sources: Callable[[str], Source | None]
) -> Found | None:
    """The answers of the sources, when they are more than one.

    Args:
        evidence: sentences that were read, the one that is quoted first.
    """
    if question.kind not in KINDS or not evidence or evidence[0].span is None:
        return None
    lead = evidence[0]
    answers: list[list[Figure]] = []
    for item in _best_of_each_source(evidence):
        source = sources(item.hit.passage.source_id)
        weak = item.score < LEAST_SCORE or item.strength < lead.strength - GAP or item.overlap < lead.overlap - WORDS
        if source is None or (weak and item is not lead):
            continue
        figure = _figure(item, source)
        if not figure.value:
            continue
        alike = next((own for own in answers if any(same(figure.value, f.value, vocabulary) for f in own)), None)
        if alike is None:
            answers.append([figure])
        else:
            alike.append(figure)
    if len(answers) < 2:
        return None
    return Found(
        about=question.text.rstrip(" ?!."), sentence="The sources give more than one answer:",
        figures=tuple(own[0] for own in answers[:MOST]),
    )  # fmt: skip


def same(one: str, other: str, vocabulary: Vocabulary) -> bool:
    """Whether two short answers mean the same: one date or number within the other, one name, or nearly the same words."""
    times, others = periods(f"in {one}"), periods(f"in {other}")
    if times and others:
        return overlap((times[0].first, times[0].last), (others[0].first, others[0].last))
    spelled = [{vocabulary.spell_out(m).lower() for m in vocabulary.mentions(text)} for text in (one, other)]
    if spelled[0] & spelled[1]:
        return True
    mine, theirs = _words(one, vocabulary), _words(other, vocabulary)
    figures = [{w for w in words if w[0].isdigit()} for words in (mine, theirs)]
    if figures[0] and figures[1]:
        return figures[0] <= figures[1] or figures[1] <= figures[0]
    if not mine or not theirs:
        return True
    few, many = sorted((mine, theirs), key=len)
    return sum(any(claims.akin(w, m) for m in many) for w in few) >= _ALIKE * len(few)


def _best_of_each_source(evidence: Sequence[Evidence]) -> Iterator[Evidence]:
    known: set[str] = set()
    for item in evidence:
        if item.span is not None and item.hit.passage.source_id not in known:
            known.add(item.hit.passage.source_id)
            yield item


def _figure(item: Evidence, source: Source) -> Figure:
    assert item.span is not None
    start, end = whole_words(source.text, item.span[0], item.span[1], item.start, item.end)
    value = one_line(source.text[start:end]).strip(" .,;:“”\"'()")
    if len(value.split()) > _WORDS_OF_VALUE or not any(c.isalnum() for c in value):
        value = ""
    dated = source.date if source.genre != "notes" else None
    return Figure(
        evidence=item, quantity=None, value=value, unit="", period=None, dated=dated, when=shown(dated) if dated else "",
        holder=holder(source, item.hit.passage.claimed_by, shortened(source.title)), said=one_line(item.text),
    )  # fmt: skip


def _words(text: str, vocabulary: Vocabulary) -> set[str]:
    return {w.text.lower() for w in claims.read(text, vocabulary).words} | {t.lower() for t in text.split() if any(c.isdigit() for c in t)}
