"""From passages to evidence and the decision whether it answers: the same for every strategy, and for calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.answering import languages
from app.answering.decide import decide
from app.answering.engine import Desk, Trace
from app.answering.features import Seen
from app.answering.retrieve import Retrieved, is_author_note, published
from app.answering.speakers import giving_word, speaker
from app.evidence.gather import Evidence, PassageReader, gather, names_lacking
from app.question.analysis import Question, naming_author
from app.text import periods
from index.embed import Encoder
from index.search import Hit, OpenIndex
from index.terms import Vocabulary
from ingest.chunk import CONTEXT_JOINT

TIME_WEIGHT = 2.5
"""What speaking of the time asked for is worth, in strength of evidence."""
HELD_WEIGHT = 20.0
"""What being the word of the one whose word is asked for is worth, in strength of evidence: these come first."""
_LEAST_HELD = 0.1
"""Reader's score without which their sentence is not on the matter."""
_HELD_AMONG = 16
"""Sentences of which it is told whose word they are; each is parsed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Sentences, best first, and whether they answer.

    Attributes:
        leading: those that the decision rests on: of the time asked for, where one is.
        lacking: for each of the leading passages, names of the question that it does not mention.
        held: see ``app.answering.languages.held``; 1 for English.
    """

    evidence: tuple[Evidence, ...]
    leading: tuple[Evidence, ...]
    lacking: tuple[tuple[str, ...], ...]
    held: float = 1.0


def read(
    question: Question,
    hits: Sequence[Hit],
    reader: PassageReader,
    encoder: Encoder,
    opened: OpenIndex,
    *,
    language: str = "en",
    crossing: bool = False,
    weigh: Callable[[Sequence[Evidence]], Callable[[Evidence], float]] = lambda found: lambda e: 0.0,
) -> Judged:
    """Read the passages and rank their sentences by how well they answer.

    Args:
        language: of the question, ISO 639-1; names of other languages than English are looked for as the sources spell them.
        crossing: the passages are in another language, also where the question is in English.
        weigh: gives what each sentence is worth beside its strength.
    """
    when = question.time.period
    as_read = _as_read(question, hits, opened)
    asked = frozenset(opened.vocabulary.stems(question.text))
    told = [_bylined(_dated(h, when, opened) if when else h, asked, opened) for h in hits]
    evidence = gather(as_read, told, reader, encoder, opened.vocabulary)
    found = {h.passage.id: h for h in hits}
    evidence = [replace(e, hit=found[e.hit.passage.id]) for e in evidence]
    worth = weigh(evidence)
    if any(map(worth, evidence)):
        evidence = sorted(evidence, key=lambda e: -(e.strength + worth(e)))
    leading = evidence
    if when:
        said = speaking_of(when, opened)
        evidence = leading = periods.in_time_first(evidence, when, said, lambda e: e.strength + worth(e), TIME_WEIGHT)
        if periods.strict(when) and evidence and said(evidence[0]) >= 0:
            # What tells of other times is no reason to believe that a lead of the time asked for answers.
            leading = [e for e in evidence if said(e) >= 0]
    if language == "en" and not crossing:
        lacking = names_lacking(as_read, question.terms, leading, opened.vocabulary)
        return Judged(evidence=tuple(evidence), leading=tuple(leading), lacking=tuple(lacking))
    names = opened.names_in(question.text)
    return Judged(
        evidence=tuple(evidence), leading=tuple(leading), lacking=languages.lacking(names, leading, opened.vocabulary),
        held=languages.held(question.asked, language, names, leading, opened),
    )  # fmt: skip


def seen(question: Question, retrieved: Retrieved, judged: Judged, vocabulary: Vocabulary) -> Seen:
    """What the decision looks at."""
    return Seen(
        question=question, evidence=judged.leading, missing=retrieved.missing, lacking=judged.lacking, held=judged.held,
        vocabulary=vocabulary,
    )  # fmt: skip


def traced(desk: Desk, question: Question, retrieved: Retrieved) -> Trace:
    """Passages read and the decision whether they answer, with the reader for the language of the request."""
    with desk.clock.stage("read"):
        reader, calibration = desk.models.reading(desk.request)
        language, crossing = desk.request.language.code, desk.models.crossing
        if language != "en" or crossing:
            retrieved = replace(retrieved, missing=languages.missing(question, retrieved.missing, desk.index))
        judged = read(
            question, retrieved.hits, reader, desk.models.encoder, desk.index, language=language, crossing=crossing,
            weigh=lambda found: held_worth(desk, question.holder, found),
        )  # fmt: skip
        decision = decide(seen(question, retrieved, judged, desk.index.vocabulary), calibration, desk.models.settings.threshold)
        who = speaker(desk, question.holder) if question.holder else None
        if decision.answer and who is not None and not any(map(held_worth(desk, question.holder, judged.leading), judged.leading)):
            reason = f"no sentence that was read gives the word of {question.holder}"
            decision = replace(decision, answer=False, unheard=question.holder, reasons=(*decision.reasons, reason))
    return Trace(question=question, missing=retrieved.missing, hits=retrieved.hits, evidence=judged.evidence, decision=decision)


def held_worth(desk: Desk, holder: str, evidence: Sequence[Evidence]) -> Callable[[Evidence], float]:
    """Tells of a sentence what it is worth, in strength, that it gives the word of the one whose word is asked for; 0 for nobody's."""
    own = giving_word(holder, (e for e in evidence[:_HELD_AMONG] if e.score >= _LEAST_HELD), desk)
    return lambda e: HELD_WEIGHT * (e in own)


def speaking_of(when: periods.Period, opened: OpenIndex) -> Callable[[Evidence], float]:
    """Tells of a sentence whether it speaks of a time, see :func:`app.text.periods.speaks_of`."""
    return lambda e: periods.speaks_of(e.text, when, published(e.hit, opened))


def _as_read(question: Question, hits: Sequence[Hit], opened: OpenIndex) -> str:
    """The question as the reader gets it: a note on an author does not say "the author"."""
    note = next((h for h in hits if is_author_note(h)), None) if question.about_author else None
    source = opened.source(note.passage.source_id) if note else None
    return naming_author(question.text, source.author) if source and source.author else question.text


def _bylined(hit: Hit, asked: frozenset[str], opened: OpenIndex) -> Hit:
    """The hit with who published or wrote its text to be read with it, where the question names them: "we" are these.

    Args:
        asked: stems of the question.
    """
    source = opened.source(hit.passage.source_id)
    for by in (source.publisher, source.author) if source and source.genre != "notes" else ():
        words = {opened.vocabulary.stem(t) for t in opened.vocabulary.content_terms(by or "")}
        if by and words and words <= asked and by.lower() not in hit.passage.context.lower():
            return replace(hit, passage=replace(hit.passage, context=f"{by}{CONTEXT_JOINT}{hit.passage.context}"))
    return hit


def _dated(hit: Hit, when: periods.Period, opened: OpenIndex) -> Hit:
    """The hit with the date of its text to be read with it, where that is within the time asked for."""
    date = published(hit, opened)
    if not date or not periods.overlap(periods.of_date(date).bounds, when.bounds):
        return hit
    return replace(hit, passage=replace(hit.passage, context=f"{periods.shown(date)}{CONTEXT_JOINT}{hit.passage.context}"))
