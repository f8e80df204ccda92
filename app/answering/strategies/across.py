"""Questions in a language that the encoder of the index does not read: looked up through a second set of vectors that does."""

from __future__ import annotations

from dataclasses import replace

from app.answer import Answer
from app.answering import languages
from app.answering.engine import Desk, Outcome
from app.answering.strategies.unreadable import unreadable
from app.question.analysis import analyse
from app.text.messages import translated
from index.errors import LanguagesMissing
from index.search import OpenIndex
from ingest.language import of_passage


def across(desk: Desk) -> Outcome | None:
    """What the strategies behind make of the question with the other encoder; None where the index reads it or neither does."""
    request, models, other = desk.request, desk.models, desk.models.across
    if request.served or other is None or not other.reads(request.standalone):
        return None
    words = unreadable(desk)
    assert words is not None  # the index does not read the question
    if words.answer.status == "answered":
        return words
    try:
        with desk.clock.stage("retrieve"):
            opened = other.vectors.view(desk.index)
    except LanguagesMissing as exc:
        told = translated("prepare", request.frame, number=exc.number) or str(exc)
        return Outcome(answer=replace(words.answer, answer=told))
    text = languages.spelled_out(request.standalone, opened)
    found = desk.answered(
        replace(
            desk,
            request=replace(request, served=True, question=analyse(text, opened.vocabulary, request.today, asked=request.asked)),
            models=replace(
                models, encoder=other.vectors.encoder, foreign=(other.reader, other.calibration), across=None,
                settings=replace(models.settings, languages=None),
            ),
            opened=opened,
            base=replace(desk.base, prompt_id=f"extractive:{other.reader.fingerprint}"),
        )
    )  # fmt: skip
    return words if _in_own_language(found.answer, request.language.code, opened) else found


def _in_own_language(answer: Answer, code: str, opened: OpenIndex) -> bool:
    """Whether it rests on words in the language of the question, which were compared with it and differ."""
    return any(of_passage(c.quote, _language(opened, c.source_id)) == code for c in answer.citations[:1])


def _language(opened: OpenIndex, source_id: str) -> str | None:
    source = opened.source(source_id)
    return source.language if source else None
