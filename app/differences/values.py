"""Answers that differ from source to source, whatever they are: told by the words that the reader takes for the short answer.

Each source counts with its sentence that answers best; sources whose short answers mean the same are one answer. A small model
tells whether such a sentence answers the same question as the one that is quoted: ``eval.training.values`` fits it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from app.citation_text import holder, one_line, shortened
from app.differences.counted import states_whole
from app.differences.dated import off_time
from app.differences.figure import Figure, Found
from app.differences.whose import another_owns
from app.evidence.gather import Evidence, log_odds
from app.logistic import Feature, Logistic, load
from app.question.analysis import Kind, Question, holds_kind
from app.question.target import Target
from app.text import claims
from app.text.parse import parse
from app.text.periods import overlap, periods, shown
from app.text.quantities import Quantity, quantities
from app.text.spans import whole_words
from index.terms import Vocabulary
from ingest.source import Source

KINDS = frozenset({"number", "date", "person", "place", "description"})
"""Kinds of questions that a few words can answer."""
MOST = 6
_WORDS_OF_VALUE = 12
_FINITE = frozenset(("VBD", "VBZ", "VBP", "MD"))
_ALIKE = 0.67
"""Share of the words of the shorter answer that the longer one has, from which they are one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The sentence that is quoted, and the best one of another source."""

    question: Question
    lead: Evidence
    other: Evidence
    vocabulary: Vocabulary

    def shared(self, item: Evidence) -> float:
        """Share of the question's topic words that stand in a sentence."""
        return self._share(self.question.terms, item)

    def named(self, item: Evidence) -> float:
        """Share of its capitalised topic words that stand in a sentence; 1 where it has none."""
        return self._share([t for t in self.question.terms if t[:1].isupper() and not self.question.text.startswith(t)], item)

    def _share(self, terms: Sequence[str], item: Evidence) -> float:
        wanted = {stem for term in terms for stem in self.vocabulary.stems(term)}
        return len(wanted & set(self.vocabulary.stems(item.text))) / len(wanted) if wanted else 1.0

    def value(self) -> str:
        """The words of the other sentence that would be its short answer."""
        assert self.other.span is not None
        start = self.other.span[0] - self.other.start
        return self.other.text[start : start + self.other.span[1] - self.other.span[0]]


REGISTRY: tuple[Feature[Pair], ...] = (
    Feature(name="passage", sign=1, about="log-odds of its passage's score", value=lambda p: log_odds(p.other.passage_score)),
    Feature(
        name="span", sign=1, about="log-odds of the score of its short answer",
        value=lambda p: log_odds(p.other.span[2]) if p.other.span else 0.0,
    ),
    Feature(
        name="as_near", sign=1, about="as many topic words stand in it and the headings above as in the lead and its headings",
        value=lambda p: float(p.other.overlap >= p.lead.overlap),
    ),
    Feature(
        name="words", sign=1, about="share of topic words in it, less that in the lead", value=lambda p: p.shared(p.other) - p.shared(p.lead)
    ),
    Feature(name="names", sign=1, about="share of the question's names in it", value=lambda p: p.named(p.other)),
    Feature(
        name="kind", sign=1, about="its short answer is of the kind asked for: a figure, a date, a name",
        value=lambda p: float(holds_kind(p.question.kind, p.value())),
    ),
)  # fmt: skip


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
    for item in best_of_each_source(evidence):
        source = sources(item.hit.passage.source_id)
        if source is None or (item is not lead and not (answers_too(question, lead, item, vocabulary) and _as_asked(question, item, source, vocabulary))):
            continue
        figure = _figure(item, source, question.kind)
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
        about=question.text.rstrip(" ?!."), sentence="Answers by source:", figures=tuple(own[0] for own in answers[:MOST])
    )


def best_of_each_source(evidence: Sequence[Evidence]) -> Iterator[Evidence]:
    """The first sentence of each source that has a short answer."""
    known: set[str] = set()
    for item in evidence:
        if item.span is not None and item.hit.passage.source_id not in known:
            known.add(item.hit.passage.source_id)
            yield item


def answers_too(question: Question, lead: Evidence, other: Evidence, vocabulary: Vocabulary) -> bool:
    """Whether the sentence of another source answers the question that the lead answers."""
    model = _model()
    pair = Pair(question=question, lead=lead, other=other, vocabulary=vocabulary)
    return model.probability(model.weighed(REGISTRY, pair)) >= model.threshold


def _as_asked(question: Question, item: Evidence, source: Source, vocabulary: Vocabulary) -> bool:
    """Whether the sentence of another source speaks of the time asked for, and its figure, where one is asked for, is of the whole that is asked for."""
    if off_time(item, question.time, source.date if source.genre != "notes" and not source.date_note else None):
        return False
    target, span = question.target, item.span
    if question.kind != "number" or target is None or span is None:
        return True
    given = [q for q in quantities(item.text) if q.start < span[1] - item.start and span[0] - item.start < q.end]
    return any(
        states_whole(q, target, item.text, question.text) and not another_owns(q, item.text, target, vocabulary) and not _counts_else(q, target) for q in given
    )


def _counts_else(q: Quantity, target: Target) -> bool:
    """Whether a figure counts something else than is asked for: another noun, or what something else happened to."""
    return bool(q.head and target.heads and q.head not in target.heads) or (q.events != target.events and bool(q.events))


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


def _figure(item: Evidence, source: Source, kind: Kind) -> Figure:
    assert item.span is not None
    start, end = whole_words(source.text, item.span[0], item.span[1], item.start, item.end)
    value = balanced(one_line(source.text[start:end]).strip(" .,;:“”\"'"))
    if len(value.split()) > _WORDS_OF_VALUE or not any(c.isalnum() for c in value) or (kind != "description" and _says(item.text, value)):
        value = ""
    dated = source.date if source.genre != "notes" else None
    return Figure(
        evidence=item, quantity=None, value=value, unit="", period=None, dated=dated, when=shown(dated) if dated else "",
        holder=holder(source, item.hit.passage.claimed_by, shortened(source.title)), said=one_line(item.text),
    )  # fmt: skip


def balanced(value: str) -> str:
    """A value without brackets around it, and without one that opens and does not close: "the Guild" of "the Guild (HG"."""
    if value.startswith("(") and value.find(")") in {-1, len(value) - 1}:
        value = value.strip("()")
    if value.count("(") > value.count(")"):
        value = value[: value.rindex("(")].rstrip(" ,;")
    return value.rstrip(")") if value.count(")") > value.count("(") else value


def _says(sentence: str, value: str) -> bool:
    """Whether some words of a sentence are a statement rather than a name, a date or a figure: a finite verb is among them."""
    start = " ".join(sentence.split()).find(value)
    return start >= 0 and any(w.tag in _FINITE and start <= w.start < start + len(value) for w in parse(" ".join(sentence.split())).words)


def _words(text: str, vocabulary: Vocabulary) -> set[str]:
    return {w.text.lower() for w in claims.read(text, vocabulary).words} | {t.lower() for t in text.split() if any(c.isdigit() for c in t)}


@cache
def _model() -> Logistic:
    return Logistic(**load("app.differences", "values.json"))
