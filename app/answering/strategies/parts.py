"""A question that asks several things: each part is looked up by itself; what stays open is said first."""

from __future__ import annotations

from dataclasses import replace

from app.answering.compose import compose
from app.answering.engine import Desk, Outcome, Wording
from app.answering.strategies.point import abstained, look_up
from app.differences.shown import added
from app.evidence.gather import Evidence


def in_parts(desk: Desk) -> Outcome | None:
    """The answers to the parts; None for a question that asks one thing."""
    request, opened = desk.request, desk.index
    if not request.parts:
        return None
    found = [look_up(desk, part, beside=request.standalone) for part in request.parts]
    traces = [f.trace for f in found]
    reasons = tuple(f"“{t.question.text}”: {reason}" for t in traces for reason in t.decision.reasons)
    base = replace(desk.base, reasons=reasons)
    with desk.clock.stage("generate"):
        answered = [f for f in found if f.chosen]
        if not answered:
            best = max(found, key=lambda f: f.trace.decision.confidence)
            missing = tuple(dict.fromkeys(term for t in traces for term in t.missing))
            base = replace(base, confidence=best.trace.decision.confidence)
            best = replace(best, trace=replace(best.trace, missing=missing))
            return Outcome(answer=abstained(base, best, opened, desk.request.frame), trace=best.trace)
        chosen: list[Evidence] = []
        for part in answered:
            chosen += [e for e in part.chosen if not any(_overlap(e, c) for c in chosen)]
        composed = compose(chosen, opened.source)
        left = [f for f in found if not f.chosen]
        before = " ".join(f"The sources do not answer “{f.trace.question.text}”." for f in left)
        answer = replace(
            base, status="answered", answer=f"{before} {composed.text}".strip(), citations=composed.citations,
            confidence=min(f.trace.decision.confidence for f in answered),
            missing_terms=tuple(dict.fromkeys(m for f in left for m in f.trace.missing)),
        )  # fmt: skip
        said = answer.answer
        for part in answered:
            answer = added(answer, part.differing, part.trace.question.time, request.today, opened.source)
        wording = Wording(
            question=" ".join(f.trace.question.text for f in answered), before=before, after=answer.answer.removeprefix(said)
        )
        hits = tuple(dict.fromkeys(h for f in answered for h in f.trace.hits))
    return Outcome(answer=answer, trace=replace(answered[0].trace, hits=hits, wording=wording))


def _overlap(one: Evidence, other: Evidence) -> bool:
    return one.hit.passage.source_id == other.hit.passage.source_id and one.start < other.end and other.start < one.end
