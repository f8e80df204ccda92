"""What one holder says of something: the author, a publisher, somebody who is quoted; or one text ("the article").

Where nothing is by them or names them, nobody else's words are given for theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.answering.engine import Desk, Outcome, Trace
from app.answering.retrieve import missing_terms
from app.answering.rows import NEEDED, Sheet, alike, on, statements, widely_read
from app.answering.speakers import Speaker, speaker, voiced_by
from app.answering.strategies.point import Found, abstained
from app.answering.strategies.summary import length
from app.evidence.gather import STATES_NOTHING, Evidence
from app.text.voices import reports_others
from index.search import Hit
from ingest.sentences import sentence_spans

SENTENCES = 4


def holder(desk: Desk) -> Outcome | None:
    """Their sentences on it; None for other questions, where it is open who is meant, and where none of theirs is on it."""
    topic = desk.request.topic
    if topic is None or not topic.holder:
        return None
    who = speaker(desk, topic.holder)
    if who is None:
        return None
    if not topic.about:
        return _anything(desk, who)
    trace = widely_read(desk, on(desk, topic.question), desk.models.settings.passages, lambda hit: who.near(hit, desk))
    if not trace.hits:
        return _left_open(desk, trace)
    with desk.clock.stage("read"):
        held = {(e.hit.passage.id, e.start): e for e in statements(trace.hits, topic.about, desk.index.vocabulary)}
        own = [e for e in trace.evidence if who.said(e, desk) and (who.text or not reports_others(e.text))]
        chosen = _chosen(desk, own, held)[: min(length(desk.request.standalone)[0], SENTENCES)]
    sure = not topic.view or trace.decision.answer or any(e.score >= desk.models.calibration.threshold for e in chosen)
    if not chosen or not sure:
        return None
    return _told(desk, chosen, trace, f"{len(chosen)} sentences of {who.name} on “{topic.about}”")


def _anything(desk: Desk, who: Speaker) -> Outcome | None:
    """What they say in any matter, in reading order; an abstention where nobody of that name says anything, None for who wrote a source."""
    question, most = desk.request.question, desk.models.settings.passages

    def theirs(hit: Hit) -> bool:
        passage = hit.passage
        spans = sentence_spans(passage.text) if who.near(hit, desk) else []
        return any(voiced_by(who.name, passage.text[a:b], passage.start + a, hit, desk) for a, b in spans)

    trace = widely_read(desk, question, most, theirs)
    with desk.clock.stage("read"):
        own = [e for e in trace.evidence if e.score > STATES_NOTHING and voiced_by(who.name, e.text, e.start, e.hit, desk)]
        chosen: list[Evidence] = []
        for item in own:
            if len(chosen) < SENTENCES and not any(alike(item.text, e.text, desk.index.vocabulary) for e in chosen):
                chosen.append(item)
    if not chosen:
        trace = widely_read(desk, question, most, lambda hit: who.near(hit, desk))
        if any(who.wrote(hit, desk) for hit in trace.hits):
            return None
        return _left_open(desk, trace)
    first = {e.hit.passage.source_id: n for n, e in reversed(list(enumerate(chosen)))}
    chosen.sort(key=lambda e: (first[e.hit.passage.source_id], e.start))
    return _told(desk, chosen, trace, f"{len(chosen)} sentences in which {who.name} says something")


def _told(desk: Desk, chosen: Sequence[Evidence], trace: Trace, reason: str) -> Outcome:
    """The sentences one after the other."""
    with desk.clock.stage("generate"):
        sheet = Sheet(desk.index.source)
        lines = sheet.running(chosen)
        confidence = max(trace.decision.confidence, *(e.score for e in chosen))
        return sheet.outcome(desk, "summary", " ".join(lines), trace, confidence=confidence, reasons=(*trace.decision.reasons, reason))


def _left_open(desk: Desk, trace: Trace) -> Outcome:
    """An abstention, with the words that no source mentions."""
    found = Found(trace=replace(trace, missing=missing_terms(desk.request.question, desk.index)))
    return Outcome(answer=abstained(desk.base, found, desk.index), trace=trace)


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
