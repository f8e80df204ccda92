"""The extractive answer: verbatim sentences, led by the one that answers, each attributed and cited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.answer import Citation
from app.citation_text import COMPARISON, claimant, is_comparison, one_line, shortened, with_marker
from app.evidence.citing import cited
from app.evidence.gather import Evidence
from app.question.analysis import FACT_KINDS, Question, holds_kind
from app.text.spans import LEAD, whole_words
from app.text.voices import REPORTING, names, names_speaker, reports_others, says_who
from index.terms import Vocabulary
from ingest.dates import in_words
from ingest.sentences import sentence_spans
from ingest.source import Source

SHORT_ANSWER_SCORE = 0.4
SHORT_ANSWER_WORDS = 8
NOTES_PENALTY = 1.0
"""Strength by which a compilation must answer better than an original to come first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long an extractive answer may get.

    Attributes:
        fact_words, other_words: words of a fact answer and of any other.
        fact_sentences, other_sentences: sentences of each.
        fact_gap, other_gap: a further sentence of the lead's passage may lie at most this far below it, in
            strength: an explanation often goes on over sentences that say little by themselves,
        fact_floor, other_floor: and needs this score.
        elsewhere_gap, elsewhere_floor: the same for sentences of other passages.

    Chosen on training halves and held-out articles of CLAP NQ, XQuAD, SelQA and our own.
    """

    fact_words: int = 60
    other_words: int = 150
    fact_sentences: int = 2
    other_sentences: int = 5
    fact_gap: float = 2.8
    other_gap: float = 6.0
    fact_floor: float = 0.3
    other_floor: float = 0.1
    elsewhere_gap: float = 2.8
    elsewhere_floor: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """Answer text with markers, and the citations that they stand for."""

    text: str
    citations: tuple[Citation, ...]


def select(
    question: Question, evidence: Sequence[Evidence], vocabulary: Vocabulary, limits: Limits = Limits()
) -> list[Evidence]:
    """The sentences that make the answer: the best first, then complements in reading order.

    A complement must answer too, more clearly when it comes from another passage, say something new and fit
    into the word limit.
    """
    if not evidence:
        return []
    fact = question.kind in FACT_KINDS
    words_left = limits.fact_words if fact else limits.other_words
    most = limits.fact_sentences if fact else limits.other_sentences
    lead = with_list(evidence[0])
    chosen = [lead]
    words_left -= len(lead.text.split())
    for candidate in evidence[1:]:
        if len(chosen) == most:
            break
        if candidate.hit.passage.id != lead.hit.passage.id:
            gap, floor = limits.elsewhere_gap, limits.elsewhere_floor
        else:
            gap, floor = (limits.fact_gap, limits.fact_floor) if fact else (limits.other_gap, limits.other_floor)
        if candidate.score < floor or candidate.strength < lead.strength - gap:
            continue
        length = len(candidate.text.split())
        if length > words_left or any(_repeats(candidate.text, c.text, vocabulary) for c in chosen):
            continue
        chosen.append(candidate)
        words_left -= length
    return [lead, *_in_reading_order(lead, chosen[1:])]


def with_list(item: Evidence) -> Evidence:
    """A sentence that announces a list ("two facts:") together with the items that follow it."""
    if not item.text.rstrip().endswith(":"):
        return item
    passage = item.hit.passage
    end = item.end
    for a, b in sentence_spans(passage.text):
        if passage.start + a >= item.end:
            if not LEAD.match(passage.text[a:b]):
                break
            end = passage.start + b
    return replace(item, end=end, text=passage.text[item.start - passage.start : end - passage.start])


def short_answer(question: Question, lead: Evidence, source: Source | None) -> str | None:
    """The shortest span of the lead that answers a fact question, or None when the reader is not sure of one.

    A span is given only when it holds the kind of thing that was asked for, and is no part of who says what the lead
    says, unless the question asks for that.
    """
    if source is None or lead.span is None or question.kind not in FACT_KINDS - {"yes-no"}:
        return None
    start, end, score = lead.span
    start, end = whole_words(source.text, start, end, lead.start, lead.end)
    span = one_line(source.text[start:end])
    if score < SHORT_ANSWER_SCORE or not span or len(span.split()) > SHORT_ANSWER_WORDS:
        return None
    if names_speaker(question.text, lead.text, start - lead.start, end - lead.start):
        return None
    return span if holds_kind(question.kind, span) else None


def originals_first(
    evidence: Sequence[Evidence], sources: Callable[[str], Source | None], penalty: float = NOTES_PENALTY
) -> list[Evidence]:
    """The evidence with compilations ("notes", which tell what others say) moved behind like originals.

    Args:
        penalty: how much stronger a compilation has to answer to stand before an original.
    """
    return sorted(evidence, key=lambda item: -standing(item, sources, penalty))


def standing(item: Evidence, sources: Callable[[str], Source | None], penalty: float = NOTES_PENALTY) -> float:
    """Strength of evidence, less the penalty for compilations."""
    source = sources(item.hit.passage.source_id)
    return item.strength - (penalty if source is not None and source.genre == "notes" else 0.0)


def compose(chosen: Sequence[Evidence], sources: Callable[[str], Source | None]) -> Composed:
    """Write the chosen sentences down, each with attribution where it has none, and its marker."""
    parts: list[str] = []
    citations: list[Citation] = []
    attributed: str | None = None
    for marker, item in enumerate(chosen, start=1):
        source = sources(item.hit.passage.source_id)
        if source is None:
            continue
        citation = cited(item, source, sources, marker=marker)
        intro = "" if attributed == source.id else attribution(citation)
        attributed = source.id
        parts.append(with_marker(intro + one_line(citation.quote), marker))
        citations.append(citation)
    return Composed(text=" ".join(parts), citations=tuple(citations))


def attribution(citation: Citation) -> str:
    """Who says it and when, as a lead-in; empty when the sentence says so itself.

    The lead-in never says more than the source's bibliographic data: no date is guessed. Notes that
    compile what others say get no date, since theirs is not the date of what was said. What a sentence
    reports of others is not put into its author's mouth.
    """
    who = speaker(citation)
    if not who or says_who(citation.quote) or names(who, citation.quote):
        return ""
    dated = who if citation.genre == "notes" else f"{who} ({in_words(citation.date, citation.date_note)})"
    return f"{dated}{REPORTING}: " if reports_others(citation.quote) and who != _holder(citation) else f"{dated}: "


def speaker(citation: Citation) -> str:
    """Who says what a citation quotes; "" for our own compilations, unless a passage of theirs names its holder."""
    holder = _holder(citation)
    if is_comparison(citation):
        return holder if holder != COMPARISON else ""
    return holder or citation.author or citation.publisher or shortened(citation.title)


def _holder(citation: Citation) -> str:
    """Whose claim or opinion it is, as the block tells."""
    by = claimant(citation, citation.claimed_by) if citation.claim_status in {"claim", "opinion"} else None
    return by or ""


def _in_reading_order(lead: Evidence, rest: Sequence[Evidence]) -> list[Evidence]:
    """The lead's passage first, then other passages by their best sentence; in each by position."""
    order: dict[str, int] = {lead.hit.passage.source_id: 0}
    for item in rest:
        order.setdefault(item.hit.passage.source_id, len(order))
    return sorted(rest, key=lambda e: (order[e.hit.passage.source_id], e.start))


def _repeats(text: str, other: str, vocabulary: Vocabulary) -> bool:
    """Whether nearly all topic words of one stand in the other."""
    mine = {vocabulary.stem(t) for t in vocabulary.content_terms(text)}
    theirs = {vocabulary.stem(t) for t in vocabulary.content_terms(other)}
    if not mine or not theirs:
        return text == other
    return len(mine & theirs) / min(len(mine), len(theirs)) > 0.8
