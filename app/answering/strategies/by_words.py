"""Quotations for a question in a language that the embedding model does not read: found by its words alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.evidence.gather import Evidence
from index.search import Filters, Hit, OpenIndex
from index.words import alike, folded, holds, stem, topic_words, words
from ingest.language import is_mostly_latin, of_passage
from ingest.sentences import sentence_spans

ENOUGH = 0.83
"""Share of a question's topic words that a quotation must hold: all of up to five, of six one may be missing.

At 0.75 the cost of a library was quoted where that of a school was asked for: one word in four.
"""
_NEAR = 0.3
_PASSAGES = 20
_SENTENCES = 2
"""A quotation is one sentence, or two in a row where the second adds words of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The best quotation and others.

    Attributes:
        searched: whether any source is in a language other than those that the model reads.
        answer: None when no quotation holds enough of the question's words.
        near: the best of each passage, best first.
    """

    searched: bool
    answer: Evidence | None = None
    near: tuple[Evidence, ...] = ()


def find(question: str, language: str, opened: OpenIndex, filters: Filters, read: frozenset[str]) -> Found:
    """Look a question up by its words in the passages of languages that the model does not read.

    Args:
        language: the question's, ISO 639-1.
        read: languages that the model reads.
    """
    codes = set(opened.languages()) - read
    if not codes:
        return Found(searched=False)
    asked = topic_words(question, codes | {language})
    names = _names(question)
    latin = is_mostly_latin(question)
    looked_for = [tuple(dict.fromkeys((w, *(stem(w, c) for c in sorted(codes))))) for w in asked]
    found: list[Evidence] = []
    searched = False
    for hit in opened.search_words(looked_for, _PASSAGES, filters=filters):
        source = opened.source(hit.passage.source_id)
        code = of_passage(hit.passage.text, source.language if source else None)
        if (
            code in read
            or is_mostly_latin(hit.passage.text) != latin
            or (language in codes and latin and code != language)
        ):
            continue
        searched = True
        best = max(_quotations(hit, asked, code), key=lambda e: (e.score, -len(e.text)))
        found.append(best)
    found.sort(key=lambda e: (-e.score, e.hit.rank))
    found = [e for e in found if e.score >= _NEAR]
    answer = found[0] if found and found[0].score >= ENOUGH else None
    if answer is not None:
        there = words(answer.text) + words(answer.hit.passage.context)
        if any(not any(alike(n, t) for t in there) for n in names):
            answer = None
    return Found(searched=searched, answer=answer, near=tuple(found[:3]))


def _quotations(hit: Hit, asked: Sequence[str], language: str) -> Iterator[Evidence]:
    passage = hit.passage
    context = words(passage.context)
    spans = sentence_spans(passage.text, language)
    for i in range(len(spans)):
        for j in range(i, min(len(spans), i + _SENTENCES)):
            start, end = spans[i][0], spans[j][1]
            there = words(passage.text[start:end])
            held = sum(
                1.0 if holds(there, w, language) else 0.5 if holds(context, w, language) else 0.0 for w in asked
            )
            share = held / len(asked) if asked else 0.0
            yield Evidence(
                hit=hit, text=passage.text[start:end], start=passage.start + start, end=passage.start + end,
                score=share, passage_score=share, similarity=0.0, overlap=share,
            )  # fmt: skip


def _names(question: str) -> list[str]:
    """Folded words of a question that a quotation must hold: figures, and words with a capital after the first."""
    written = question.split()
    capital = [w for w in written[1:] if w[:1].isupper()]
    # In German every noun has a capital: they are no names.
    names = capital if len(capital) <= 2 else []
    return [w for part in [*names, *(p for p in written if any(map(str.isdigit, p)))] for w in words(folded(part))]
