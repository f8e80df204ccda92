"""What one holder says of something: the author, a publisher, somebody who is quoted; or one text ("the article").

Where nothing is by them or names them, nobody else's words are given for theirs.
"""

from __future__ import annotations

from dataclasses import replace

from app.answering.engine import Desk, Outcome
from app.answering.retrieve import missing_terms
from app.answering.rows import NEEDED, Sheet, alike, on, statements, widely_read
from app.answering.speakers import speaker
from app.answering.strategies.point import Found, abstained
from app.answering.strategies.summary import length
from app.evidence.gather import Evidence
from app.text.voices import reports_others

SENTENCES = 4


def holder(desk: Desk) -> Outcome | None:
    """Their sentences on it; None for other questions, where it is open who is meant, and where none of theirs is on it."""
    topic = desk.request.topic
    if topic is None or not topic.holder:
        return None
    who = speaker(desk, topic.holder)
    if who is None:
        return None
    trace = widely_read(desk, on(desk, topic.question), desk.models.settings.passages, lambda hit: who.near(hit, desk))
    if not trace.hits:
        found = Found(trace=replace(trace, missing=missing_terms(desk.request.question, desk.index)))
        return Outcome(answer=abstained(desk.base, found, desk.index), trace=trace)
    with desk.clock.stage("read"):
        held = {(e.hit.passage.id, e.start): e for e in statements(trace.hits, topic.about, desk.index.vocabulary)}
        own = [e for e in trace.evidence if who.said(e, desk) and (who.text or not reports_others(e.text))]
        chosen = _chosen(desk, own, held)[: min(length(desk.request.standalone)[0], SENTENCES)]
    sure = not topic.view or trace.decision.answer or any(e.score >= desk.models.calibration.threshold for e in chosen)
    if not chosen or not sure:
        return None
    with desk.clock.stage("generate"):
        sheet = Sheet(desk.index.source)
        lines = sheet.running(chosen)
        reason = f"{len(chosen)} sentences of {who.name} on “{topic.about}”"
        confidence = max(trace.decision.confidence, *(e.score for e in chosen))
        return sheet.outcome(desk, "summary", " ".join(lines), trace, confidence=confidence, reasons=(*trace.decision.reasons, reason))


def _chosen(desk: Desk, theirs: list[Evidence], on_topic: dict[tuple[str, int], Evidence]) -> list[Evidence]:
    """The strongest sentences that hold the words of the topic, each saying something of its own."""
    own: list[Evidence] = []
    for item in theirs:
        near = on_topic.get((item.hit.passage.id, item.start))
        if near is None or near.overlap < NEEDED or any(alike(item.text, e.text, desk.index.vocabulary) for e in own):
            continue
        own.append(item)
        if len(own) == SENTENCES:
            break
    return own
