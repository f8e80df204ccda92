"""Questions in a language that the embedding model does not read: a quotation that holds their words, or why there is none."""

from __future__ import annotations

from dataclasses import replace

from app.answer import cite
from app.answering.compose import compose
from app.answering.engine import Desk, Outcome
from app.answering.strategies import by_words
from app.text.language import among, found_by_words
from app.text.language import unreadable as told_unreadable
from app.text.messages import translated

_CONFIDENCE = 0.5
"""Most confidence that is told of a quotation found by words alone: nobody compared what it means."""


def unreadable(desk: Desk) -> Outcome | None:
    """What the words of the question find; None for a language that the model reads."""
    request, opened, base = desk.request, desk.index, desk.base
    if request.served:
        return None
    with desk.clock.stage("retrieve"):
        read = desk.models.settings.languages or frozenset()
        language = among(request.standalone, request.language, set(opened.languages()) - read)
        found = by_words.find(request.standalone, language.code, opened, request.filters, read)
    reason = f"the question is in {language.name}, which the embedding model does not read"
    if found.answer is None:
        near = tuple(
            cite(source, e.hit.passage, start=e.start, end=e.end, support=e.score)
            for e in found.near
            if (source := opened.source(e.hit.passage.source_id)) is not None
        )
        return Outcome(
            answer=replace(
                base, status="abstained", answer=told_unreadable(language, by_words=found.searched), reasons=(reason,),
                nearest=near, unsearched="" if found.searched else f"the question is in {language.name}",
            )
        )  # fmt: skip
    composed = compose([found.answer], opened.source)
    share = f"{found.answer.score:.0%} of the question's topic words stand in the quotation; its meaning was not compared"
    return Outcome(
        answer=replace(
            base, status="answered", answer=composed.text, citations=composed.citations, reasons=(reason, share),
            notice=translated("by_words", request.frame) or found_by_words(language), confidence=round(_CONFIDENCE * found.answer.score, 4),
        )
    )  # fmt: skip
