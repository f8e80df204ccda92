"""Turns that want something done with the last answer: it is found again from the last question and put in another form."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from app.answer import MARKER, Answer, Citation
from app.answering.compose import Limits, compose, select, speaker
from app.answering.engine import Desk, Outcome, Trace, Wording
from app.citation_text import described, is_summary, one_line, spoken, with_marker
from app.question.followup import lowered
from app.question.request import ask_instead
from app.question.shape import Turning
from app.text.parse import parse
from index.search import OpenIndex
from ingest.sentences import sentence_spans

LONGER = Limits(
    fact_words=200, other_words=300, fact_sentences=6, other_sentences=8, fact_gap=6.0, other_gap=8.0, fact_floor=0.1,
    other_floor=0.05, elsewhere_gap=4.0, elsewhere_floor=0.3,
)  # fmt: skip
"""An answer of about twice the length and up to four times the sentences; all else stays as it is read and decided."""
FEW_WORDS = 12
"""A sentence up to so long is short enough."""


def turned(desk: Desk) -> Outcome | None:
    """The last answer in the form asked for; None for a turn that asks something of its own, and where nothing was asked before."""
    request, before = desk.request, desk.request.before
    if request.turning in {"new", "correction"} or not before.question:
        return None
    question = before.question
    if request.turning == "why":
        question = f"Why is it that {lowered(before.said)}?" if before.claim else f"Why – {question}"
    return _again(desk, question)


def _again(desk: Desk, question: str) -> Outcome:
    request, before = desk.request, desk.request.before
    again = desk.asking(ask_instead(request, question, desk.index.vocabulary))
    outcome = desk.answered(again)
    answer = outcome.answer
    form = _FORMS.get(request.turning)
    if request.turning == "sure" and outcome.trace is None and before.claim and before.question == question:
        # An overview is no statement that holds or doesn't; what its first line says is.
        return _again(desk, f"Is it true that {lowered(before.said)}?")
    if answer.status != "answered" or answer.task != "point" or form is None:
        return outcome
    if request.turning == "longer":
        answer = _longer(answer, outcome.trace, desk.index)
    changed = form(answer, before.answer)
    changed = replace(changed, reasons=(*answer.reasons, f"the answer to “{question}” again: {request.turning}"))
    # What a language model may word again is the question, not the form that was asked for.
    trace = outcome.trace and replace(outcome.trace, wording=Wording(question=question, after=changed.answer))
    return Outcome(answer=changed, trace=trace)


def _shorter(answer: Answer, before: str) -> Answer:
    """The fewest words that answer: the short answer, else the first sentence without who says it."""
    first = _pieces(answer.answer)[0]
    marker = int(MARKER.findall(first)[0]) if MARKER.search(first) else 0
    cited = [c for c in answer.citations if c.marker == marker]
    text = first
    if answer.short_answer:
        text = f"{answer.short_answer} [{marker}]"
    elif cited and len(first.split()) > FEW_WORDS and len(first.split()) >= len(before.split()):
        text = with_marker(one_line(cited[0].quote), marker)
    return _renumbered(replace(answer, answer=text, citations=tuple(cited), differences=(), short_answer=None))


def _longer(answer: Answer, trace: Trace | None, opened: OpenIndex) -> Answer:
    """More of the evidence that was read; answers that are lists already stay as they are."""
    if trace is None or not trace.decision.answer or answer.differences:
        return answer
    composed = compose(select(trace.question, trace.evidence, opened.vocabulary, LONGER), opened.source)
    if len(composed.text) <= len(answer.answer):
        return answer
    return replace(answer, answer=composed.text, citations=composed.citations)


def _bullets(answer: Answer, before: str) -> Answer:
    return replace(answer, answer="\n".join(f"- {piece.removeprefix('- ')}" for piece in _pieces(answer.answer)), short_answer=None)


def _table(answer: Answer, before: str) -> Answer:
    """A line a citation: who says it, when, and the words."""
    rows = [
        f"| {speaker(c) or described(c, titled=False)} | {c.date or 'undated'} | {one_line(c.quote).replace('|', '/')} [{c.marker}] |"
        for c in answer.citations
    ]  # fmt: skip
    head = ["| Who says it | Date | What is said |", "| --- | --- | --- |"]
    return replace(answer, answer="\n".join([*head, *rows]), short_answer=None)


def _who_says(answer: Answer, before: str) -> Answer:
    """Whose statements the answer gives, and where they stand, a line each."""
    return replace(answer, answer="\n".join(f"- {_said_by(c)}" for c in answer.citations), short_answer=None)


def _said_by(citation: Citation) -> str:
    voice = next((v.holder.text for v in parse(one_line(citation.quote)).voices if v.holder and v.verb != "show"), "")
    who = citation.claimed_by or voice or speaker(citation)
    where = with_marker(f"{described(citation, citation.locator)}.", citation.marker)
    own = who and who in where
    told = where if own or not who else f"{who[:1].upper()}{who[1:]}: {where}"
    more = "; ".join(dict.fromkeys(o.title for o in citation.also_in))
    return f"{told} The same words stand in {more}." if more else told


def _quote(answer: Answer, before: str) -> Answer:
    """The cited words as they stand; ours about a publication are told as ours."""
    lines = []
    for citation in answer.citations:
        ours = "Not a quotation but our summary: " if is_summary(citation) else ""
        lines.append(f"- {ours}{spoken(citation, citation.quote)} [{citation.marker}]")
    return replace(answer, answer="\n".join(lines), short_answer=None)


def _sure(answer: Answer, before: str) -> Answer:
    """How many sources carry the answer, and whether some say otherwise."""
    sources = {c.source_id for c in answer.citations}
    others = sum(len(c.also_in) for c in answer.citations)
    if answer.differences:
        lead = "Not for sure: the sources differ."
    elif len(sources) + others > 1:
        lead = f"{len(sources) + others} sources say so, and none of the passages that were read gives another figure."
    else:
        lead = "Only one source says so; no other passage that was read confirms or contradicts it."
    return replace(answer, answer=f"{lead} {answer.answer}", short_answer=None)


def _same(answer: Answer, before: str) -> Answer:
    return answer


_FORMS: dict[Turning, Callable[[Answer, str], Answer]] = {
    "shorter": _shorter, "longer": _same, "bullets": _bullets, "table": _table, "who-says": _who_says, "quote": _quote, "sure": _sure,
}  # fmt: skip


def _pieces(text: str) -> list[str]:
    """The sentences of an answer; a full stop belongs to the marker before it."""
    return [line[a:b] for line in text.split("\n") if line.strip() for a, b in sentence_spans(line)] or [text]


def _renumbered(answer: Answer) -> Answer:
    """The answer with its only citation as number 1."""
    if len(answer.citations) != 1:
        return answer
    return replace(answer, answer=MARKER.sub("[1]", answer.answer), citations=(replace(answer.citations[0], marker=1),))
