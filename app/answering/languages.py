"""What of a question can be compared with evidence in another language: its names and figures, and every word with evidence in its own."""

from __future__ import annotations

from collections.abc import Sequence

from app.evidence.gather import LEADING_PASSAGES, Evidence, unnamed
from app.question.analysis import Question
from index.names import Named
from index.search import OpenIndex
from index.terms import Vocabulary
from index.words import alike, ascii_digits, holds, topic_words, words
from ingest.chunk import Passage
from ingest.language import of_passage, script_of

RARE = 20
_LEADING = 3


def spelled_out(question: str, opened: OpenIndex) -> str:
    """The question with its names in the spelling of the sources behind them, and its figures in ASCII digits.

    Of a name in more than one of :data:`RARE` passages nothing is said twice: it would bring all of them nearer. Months take the place
    of the word, so that "January 2024" is read as a time. Of 45 questions of XQuAD in Russian over English paragraphs the right sentence
    comes first for 0.71 with it and 0.64 without, in Arabic, Turkish and German for as many.
    """
    most = opened.passage_count() / RARE
    for name in reversed(opened.names_in(question)):
        counts = opened.document_frequency(name.spelled[:1])
        if name.month:
            question = question[: name.start] + name.spelled[0] + question[name.end :]
        elif counts[name.spelled[0]] <= most:
            question = f"{question[: name.end]} ({name.spelled[0]}){question[name.end :]}"
    return ascii_digits(question)


def missing(question: Question, terms: Sequence[str], opened: OpenIndex) -> tuple[str, ...]:
    """What no source mentions: of the terms that are said to be missing the figures, and names that stand nowhere in any spelling."""
    names = [n for n in opened.names_in(question.text) if not n.month]
    counts = opened.document_frequency({s for n in names for s in (*n.spelled, *words(n.written))})
    nowhere = [n.written for n in names if not any(counts[s] for s in (*n.spelled, *words(n.written)))]
    return tuple(dict.fromkeys((*(t for t in terms if any(map(str.isdigit, t))), *nowhere)))


def lacking(names: Sequence[Named], leading: Sequence[Evidence], vocabulary: Vocabulary) -> tuple[tuple[str, ...], ...]:
    """For each of the leading passages, names of the question that stand there in no spelling."""
    passages = {e.hit.passage.id: e.hit.passage for e in leading[:LEADING_PASSAGES]}
    named = [n for n in names if not n.month]
    return tuple(tuple(n.written for n in named if not _stands(n, p, vocabulary)) for p in passages.values())


def held(
    question: str, language: str, names: Sequence[Named], leading: Sequence[Evidence], opened: OpenIndex
) -> float:
    """Largest share of the words that can be compared which stand in one of the leading passages, in [0, 1].

    These are names and figures, and all topic words where the passage is in the language of the question; 1 where there are none.

    Args:
        question: as asked, before :func:`spelled_out`.
        language: ISO 639-1.
    """
    apart = {w for n in names for w in words(n.written)}
    others = [w for w in topic_words(question, {language}) if w not in apart]
    named = [n for n in names if not n.month]
    found = 0.0
    for passage in {e.hit.passage.id: e.hit.passage for e in leading[:_LEADING]}.values():
        source = opened.source(passage.source_id)
        code = of_passage(passage.text, source.language if source else None)
        script = script_of(question)
        own = script == script_of(passage.text) and (script != "LATIN" or code == language)
        there = words(f"{passage.context} {passage.text}")
        marks = [_stands(n, passage, opened.vocabulary) for n in named]
        marks += [holds(there, w, code) for w in others if own or any(map(str.isdigit, w))]
        found = max(found, sum(marks) / len(marks) if marks else 1.0)
    return found


def _stands(name: Named, passage: Passage, vocabulary: Vocabulary) -> bool:
    if any(not unnamed("", (spelled,), passage, vocabulary) for spelled in name.spelled):
        return True
    there = words(f"{passage.context} {passage.text}")
    return all(any(alike(w, t) for t in there) for w in words(name.written))
