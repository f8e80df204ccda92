"""Quotations: the exact sentence with where it stands; only of originals, and said so where there is none."""

from __future__ import annotations

from dataclasses import replace

from app.answer import Citation, words_of
from app.answering.compose import with_list
from app.answering.engine import Desk, Outcome
from app.answering.rows import LOOKED_THROUGH, Sheet, by_meaning, found_widely, on, statements, widely_read
from app.citation_text import described, one_line
from app.evidence.gather import Evidence

HELD = 0.75
"""Share of the topic's words that the sentence itself holds, from which it is the one that is asked for."""
ONLY_SUMMARY = "The collection has no original text on this, only a summary of ours, which is not to be quoted as the publisher’s words:"


def quote(desk: Desk) -> Outcome | None:
    """The sentence asked for, whole; None where none holds the words of the question and none answers."""
    if desk.request.shape != "quote":
        return None
    question = on(desk)
    hits = found_widely(desk, question.text, LOOKED_THROUGH)
    near = by_meaning(desk, statements(hits, question.text, desk.index.vocabulary)[:80], question.text)
    if not near:
        return None
    trace = widely_read(desk, question, desk.models.settings.passages)
    with desk.clock.stage("generate"):
        held = sorted(((_held(desk, question.text, e), e) for e in near), key=lambda pair: -(pair[0] + pair[1].similarity))
        originals = [(share, e) for share, e in held if share >= HELD and _original(desk, e)]
        share, item = (originals or held)[0]
        if share < HELD and not trace.decision.answer:
            return None
        if share < HELD:
            item = next((e for e in trace.evidence if _original(desk, e)), trace.evidence[0])
        sheet = Sheet(desk.index.source)
        citation = sheet.mark(replace(with_list(item), score=max(share, item.score)))
        text = _printed(citation) if _original(desk, item) else f"{ONLY_SUMMARY} {sheet.sentence(item)}"
        return sheet.outcome(desk, "quote", text, trace, confidence=max(trace.decision.confidence, min(0.95, share * 0.9)))


def _held(desk: Desk, topic: str, item: Evidence) -> float:
    """Share of the topic's words that stand in the sentence itself."""
    vocabulary = desk.index.vocabulary
    wanted = {s for term in vocabulary.content_terms(topic) for s in vocabulary.stems(term)}
    return len(wanted & set(vocabulary.stems(item.text))) / len(wanted) if wanted else 0.0


def _original(desk: Desk, item: Evidence) -> bool:
    source = desk.index.source(item.hit.passage.source_id)
    return source is not None and words_of(source.origin) == "original"


def _printed(citation: Citation) -> str:
    """The quotation as it can be printed, with author, title, publisher, date and place behind it."""
    quoted = one_line(citation.quote)
    inner = quoted.translate(str.maketrans("“”", "‘’"))
    return f"“{inner}” ({described(citation, citation.locator)}) [{citation.marker}]"
