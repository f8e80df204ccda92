"""Comparisons: what the sources say of each side, or what each side says, one beside the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from app.answering.engine import Desk, Outcome, Trace
from app.answering.rows import FLOOR, Sheet, alike, on, widely_read
from app.answering.speakers import held_by, names, on_side, speaker, theirs
from app.evidence.gather import Evidence
from app.question.sides import owner, sides
from app.question.wanted import thing_of, things
from app.text.periods import periods
from index.search import Hit

SENTENCES = 2
"""Sentences of each side."""
_NOTHING = "The sources say nothing on this."
_SILENT = "No statement of theirs on this was found."
_HELD, _COUNTED = 2.0, 1.5
"""Strength that it is worth where the side itself says it, and where a figure is wanted and given."""


def comparison(desk: Desk) -> Outcome | None:
    """Each side with its sentences; None where the question names no two sides, or fewer than two have evidence."""
    if desk.request.shape != "comparison":
        return None
    found = sides(desk.request.standalone)
    if found is None:
        return None
    meant = [speaker(desk, owner(name) if found.matter else name) for name in found.names]
    known = [who.name if who else name for who, name in zip(meant, found.names, strict=True)]
    traces = [
        widely_read(desk, replace(on(desk, text), holder=""), desk.models.settings.passages, partial(_passage_on, desk, name))
        for name, text in zip(known, found.questions, strict=True)
    ]
    with desk.clock.stage("generate"):
        chosen = _sides(desk, known, traces, spoken=bool(found.matter))
        spoken = bool(found.matter) and (all(chosen) if found.perhaps else any(chosen))
        if found.matter and not spoken:
            chosen = _sides(desk, known, traces, spoken=False)
        answered = [t for t, own in zip(traces, chosen, strict=True) if own]
        if not answered or len(answered) < 2 <= len(found.names) - 1 or not any(t.decision.answer for t in answered):
            return None
        sheet = Sheet(desk.index.source)
        lines = []
        for name, own in zip(found.names, chosen, strict=True):
            label = name[:1].upper() + name[1:]
            text = sheet.add(label, own)
            lines.append(f"- **{label}**: {text or (_SILENT if spoken else _NOTHING)}")
        best = max(answered, key=lambda t: t.decision.confidence)
        hits = tuple(dict.fromkeys(h for t in traces for h in t.hits))
        trace = Trace(question=best.question, missing=best.missing, hits=hits, evidence=best.evidence, decision=best.decision)
        return sheet.outcome(desk, "comparison", "\n".join(lines), trace, confidence=min(t.decision.confidence for t in answered))


def _sides(desk: Desk, known: Sequence[str], traces: Sequence[Trace], *, spoken: bool) -> list[list[Evidence]]:
    """The sentences of each side; no sentence stands on two."""
    chosen: list[list[Evidence]] = []
    for name, trace in zip(known, traces, strict=True):
        others = [e for own in chosen for e in own]
        chosen.append(_side(desk, name, [n for n in known if n != name], trace, others, spoken=spoken))
    return chosen


def _side(desk: Desk, name: str, rivals: Sequence[str], trace: Trace, others: Sequence[Evidence], *, spoken: bool) -> list[Evidence]:
    """The best sentences that speak of a side, or are by it, and are not those of another side.

    Args:
        spoken: only those that give the side's own word.
    """
    vocabulary = desk.index.vocabulary
    figures = trace.question.kind == "number" or thing_of(things(trace.question.text).noun, desk.models.encoder) == "figure"

    def worth(item: Evidence) -> float:
        holds = any(c.isdigit() for c in _undated(item.text))
        return item.strength + _HELD * held_by(name, item, desk) + _COUNTED * (figures and holds)

    own: list[Evidence] = []
    for item in sorted(trace.evidence, key=worth, reverse=True):
        if item.score < FLOOR or any((e.start, e.hit.passage.id) == (item.start, item.hit.passage.id) for e in others):
            continue
        elsewhere = not names(name, item.text, desk) and any(names(r, item.text, desk) for r in rivals)
        fits = theirs(name, item, desk) if spoken else not elsewhere and on_side(name, item.text, item.hit, desk)
        if fits and not any(alike(item.text, e.text, vocabulary) for e in own):
            own.append(item)
        if len(own) == SENTENCES:
            break
    return own


def _undated(text: str) -> str:
    for period in reversed(periods(text)):
        text = text[: period.start] + text[period.end :]
    return text


def _passage_on(desk: Desk, name: str, hit: Hit) -> bool:
    return on_side(name, hit.passage.text, hit, desk)
