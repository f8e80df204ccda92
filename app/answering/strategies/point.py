"""A question that asks one thing: the sentences that answer it, with what other sources say differently, or an abstention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.answer import Answer, Citation, cite
from app.answering.compose import Limits, compose, originals_first, select, short_answer, standing
from app.answering.engine import Desk, Outcome, Trace, Wording
from app.answering.judge import TIME_WEIGHT, held_worth, speaking_of, traced
from app.answering.retrieve import WIDE_HITS, Retrieved, is_author_note, published, retrieve
from app.answering.speakers import giving_word, on_side
from app.differences import values
from app.differences.dated import off_time
from app.differences.figure import AGREED
from app.differences.figure import Found as Differing
from app.differences.find import find
from app.differences.shown import added
from app.evidence.gather import Evidence
from app.question.analysis import Question
from app.text import periods
from app.text.messages import ABSTENTION, translated
from index.search import Hit, OpenIndex

_NEAREST = 3
_SURE_NOTE = 0.5
"""Score from which a note on the author goes first where the author is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a question finds.

    Attributes:
        chosen: the sentences that make the answer, the best first; empty where the sources do not answer.
        differing: what the sources give differently.
        off_time: the time asked for, when the sources speak only of others.
    """

    trace: Trace
    chosen: tuple[Evidence, ...] = ()
    differing: Differing | None = None
    off_time: periods.Period | None = None


def point(desk: Desk) -> Outcome:
    """The answer by quotation, or an abstention with what came nearest."""
    question, opened = desk.request.unattributed or desk.request.question, desk.index
    found = look_up(desk, question)
    if not found.chosen and desk.request.unattributed:
        found = look_up(desk, desk.request.question)
    base = replace(desk.base, confidence=found.trace.decision.confidence, reasons=found.trace.decision.reasons)
    with desk.clock.stage("generate"):
        if not found.chosen:
            return Outcome(answer=abstained(base, found, opened, desk.request.frame), trace=found.trace)
        composed = compose(found.chosen, opened.source)
        lead = found.chosen[0]
        short = short_answer(question, lead, opened.source(lead.hit.passage.source_id))
        answer = replace(base, status="answered", answer=composed.text, short_answer=short, citations=composed.citations)
        whole = added(answer, found.differing, question.time, desk.request.today, opened.source)
        after = whole.answer.removeprefix(composed.text)
    return Outcome(answer=whole, trace=replace(found.trace, wording=Wording(question=desk.request.standalone, after=after)))


def look_up(desk: Desk, question: Question, *, beside: str | None = None) -> Found:
    """Search, read, decide, choose, and look for what differs.

    Args:
        beside: the longer question that this one is a part of.
    """
    trace = trace_of(desk, question, beside=beside)
    if not trace.decision.answer:
        return _given_by_holder(desk, trace) if trace.decision.unheard else Found(trace=trace)
    with desk.clock.stage("generate"):
        chosen = _chosen(desk, trace)
        lead = chosen[0]
        if off_time(lead, question.time, published(lead.hit, desk.index)):
            return Found(trace=trace, off_time=question.time.period)
        differing = _differing(desk, trace, lead)
        if question.holder and differing is not None:
            chosen, differing = _of_holder(desk, question.holder, chosen, differing)
        if differing is not None:
            differing = replace(differing, sentence=translated(differing.sentence, desk.request.frame) or differing.sentence)
        return Found(trace=trace, chosen=tuple(chosen[:1] if differing else chosen), differing=differing)


def best_sentence(desk: Desk, question: Question) -> Evidence | None:
    """The sentence that answers best; None where the sources that pass the filters do not answer."""
    trace = trace_of(desk, question)
    if not trace.decision.answer:
        return None
    lead = _chosen(desk, trace)[0]
    return None if off_time(lead, question.time, published(lead.hit, desk.index)) else lead


def trace_of(desk: Desk, question: Question, *, beside: str | None = None) -> Trace:
    """Search, read and decide, without choosing."""
    if beside is None and question.text in desk.read:
        return desk.read[question.text]
    trace = traced(desk, question, searched(desk, question, beside=beside))
    if beside is None:
        desk.read[question.text] = trace
    return trace


def searched(desk: Desk, question: Question, *, beside: str | None = None) -> Retrieved:
    """The passages to read for a question."""
    if beside is None and question.text in desk.searched:
        return desk.searched[question.text]
    with desk.clock.stage("retrieve"):
        found = retrieve(question, desk.index, desk.models.settings, desk.request.filters, beside=beside)
        if question.holder and beside is None:
            found = replace(found, hits=_with_theirs(desk, question, found.hits))
    if beside is None:
        desk.searched[question.text] = found
    return found


def _with_theirs(desk: Desk, question: Question, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The passages to read, up to half of them the likeliest that name the one whose word is asked for, or are by them."""
    asked = desk.request.question.text if question is desk.request.unattributed else question.text
    wide = desk.index.search(asked, WIDE_HITS, filters=desk.request.filters, settings=desk.models.settings.search)
    near = [h for h in wide if on_side(question.holder, h.passage.text, h, desk)]
    half = hits[: (len(hits) + 1) // 2]
    return tuple({h.passage.id: h for h in (*half, *near, *hits)}.values())[: len(hits)]


def abstained(base: Answer, found: Found, opened: OpenIndex, frame: str = "en") -> Answer:
    """That the sources do not answer, what they do not mention and what came nearest.

    Args:
        frame: the language to say it in, ISO 639-1.
    """
    trace = found.trace
    text = translated("abstention", frame) or ABSTENTION
    if found.off_time:
        asked = trace.question.text[found.off_time.start : found.off_time.end]
        told = translated("off_time", frame, time=asked) or f"What they say on the matter is not about {asked}."
        text += f" {told}"
        base = replace(base, reasons=(*base.reasons, f"the best evidence speaks of other times than {asked}"))
    if trace.missing:
        terms = ", ".join(trace.missing)
        text += f" {translated('missing', frame, terms=terms) or f'No source mentions: {terms}.'}"
    apart = [name for name in trace.decision.apart if name not in trace.missing]
    if trace.decision.unheard:
        text += f" No statement by {trace.decision.unheard} on this was found."
    elif trace.decision.instead:
        terms = ", ".join(trace.decision.instead)
        text += f" {translated('instead', frame, terms=terms) or f'The nearest passages speak of {terms}.'}"
    elif apart:
        terms = ", ".join(apart)
        text += f" {translated('apart', frame, terms=terms) or f'The nearest passages do not mention: {terms}.'}"
    return replace(base, status="abstained", answer=text, missing_terms=trace.missing, nearest=nearest(trace, opened))


def nearest(trace: Trace, opened: OpenIndex) -> tuple[Citation, ...]:
    """The best sentence of each of the best passages, to look at instead of an answer."""
    found: dict[str, Citation] = {}
    for item in trace.evidence:
        source = opened.source(item.hit.passage.source_id)
        if source is not None and item.hit.passage.id not in found:
            found[item.hit.passage.id] = cite(source, item.hit.passage, start=item.start, end=item.end, support=item.score)
        if len(found) == _NEAREST:
            break
    return tuple(found.values())


def _chosen(desk: Desk, trace: Trace) -> list[Evidence]:
    opened, settings, question = desk.index, desk.models.settings, trace.question
    limits = Limits(fact_words=settings.fact_words, other_words=settings.other_words)
    evidence = originals_first(trace.evidence, opened.source)
    worth = held_worth(desk, question.holder, evidence)
    if any(map(worth, evidence)):
        evidence = sorted(evidence, key=lambda e: -(standing(e, opened.source) + worth(e)))
    note = next((e for e in evidence if is_author_note(e.hit) and e.score >= _SURE_NOTE), None)
    if note and question.about_author:
        # A note on the author is short and all of it is about the author.
        whole = sorted((e for e in evidence if e.hit == note.hit), key=lambda e: e.start)
        return whole if sum(len(e.text.split()) for e in whole) <= limits.fact_words else [note]
    when = question.time.period
    if when:
        said = speaking_of(when, opened)
        evidence = periods.in_time_first(evidence, when, said, lambda e: standing(e, opened.source) + worth(e), TIME_WEIGHT)
        if periods.strict(when):
            # Nothing of another time goes with the lead as if it were of the time asked for.
            evidence = [evidence[0], *(e for e in evidence[1:] if said(e) >= 0)]
    return select(question, evidence, opened.vocabulary, limits)


def _differing(desk: Desk, trace: Trace, lead: Evidence) -> Differing | None:
    opened, question = desk.index, trace.question
    found = _figures(desk, trace)
    if found is not None or question.about_author or question.holder:
        return None if found == AGREED else found  # what one holder says is not what others say differently
    order = [lead, *(e for e in trace.evidence if (e.start, e.hit.passage.id) != (lead.start, lead.hit.passage.id))]
    return values.find(question, order, opened.vocabulary, opened.source)


def _figures(desk: Desk, trace: Trace) -> Differing | None:
    opened, question = desk.index, trace.question

    def more(words: str) -> Sequence[Hit]:
        wide = f"{question.text} {words}".strip()
        return opened.search(wide, WIDE_HITS, filters=desk.request.filters, settings=desk.models.settings.search)

    return find(question, trace.evidence, more, opened.vocabulary, opened.source)


def _given_by_holder(desk: Desk, trace: Trace) -> Found:
    """The figures of the one whose word is asked for, where no sentence that was read is theirs; else nothing."""
    with desk.clock.stage("generate"):
        differing = _figures(desk, trace)
        chosen, own = _of_holder(desk, trace.question.holder, [], differing) if differing is not None else ([], None)
    if not chosen:
        return Found(trace=trace)
    heard = replace(trace, decision=replace(trace.decision, answer=True, unheard=""))
    return Found(trace=heard, chosen=tuple(chosen), differing=own)


def _of_holder(desk: Desk, holder: str, chosen: list[Evidence], differing: Differing) -> tuple[list[Evidence], Differing | None]:
    """The figures that the one whose word is asked for gives; the newest leads where no sentence chosen is theirs."""
    given = giving_word(holder, (*chosen[:1], *(f.evidence for f in differing.figures)), desk)
    own = tuple(f for f in differing.figures if f.evidence in given)
    if own and not (chosen and chosen[0] in given):
        chosen = [max(own, key=lambda f: f.dated or "").evidence]
    return chosen, replace(differing, figures=own) if len(own) > 1 else None
