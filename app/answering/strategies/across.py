"""Questions in a language that the encoder of the index does not read: looked up through a second set of vectors that does."""

from __future__ import annotations

from dataclasses import replace

from app.answer import Answer
from app.answering import languages
from app.answering.engine import Across, Desk, Outcome
from app.answering.strategies.unreadable import unreadable
from app.question.analysis import analyse
from app.question.request import Request
from app.text.messages import ABSTENTION, translated
from index.errors import LanguagesMissing
from index.search import OpenIndex
from ingest.language import of_passage

_NEAREST = 3


def across(desk: Desk) -> Outcome | None:
    """What the strategies behind make of the question with the other encoder; None where the index reads it or neither does."""
    request, other = desk.request, desk.models.across
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
    own = over(desk, other, opened)
    found = desk.answered(own)
    if not _in_own_language(found.answer, request.language.code, opened):
        return found
    # By its words nothing in its own language answers, and of words that differ a cosine tells too little: "school" for "museum".
    others = _other_sources(request, opened)
    if others:
        elsewhere = desk.answered(replace(own, request=replace(own.request, filters=replace(request.filters, sources=others)), searched={}, read={}))
        if elsewhere.answer.status == "answered" and not _in_own_language(elsewhere.answer, request.language.code, opened):
            return elsewhere
    answer = replace(
        own.base, status="abstained", answer=translated("abstention", request.frame) or ABSTENTION,
        reasons=("no sentence in the language of the question has enough of its words",), nearest=found.answer.citations[:_NEAREST],
    )  # fmt: skip
    return replace(found, answer=answer)


def over(desk: Desk, other: Across, opened: OpenIndex, *, crossing: bool = False) -> Desk:
    """The desk with the question, its names spelled as the sources spell them, looked up by the other vectors.

    Args:
        opened: the index with these vectors.
        crossing: the sources are in another language than the question.
    """
    request, models = desk.request, desk.models
    text = languages.spelled_out(request.standalone, opened)
    return replace(
        desk,
        request=replace(request, served=True, question=analyse(text, opened.vocabulary, request.today, asked=request.asked)),
        models=replace(
            models, encoder=other.vectors.encoder, foreign=(other.reader, other.calibration), across=None, crossing=crossing,
            settings=replace(models.settings, languages=None),
        ),
        opened=opened, searched={}, read={}, base=replace(desk.base, prompt_id=f"extractive:{other.reader.fingerprint}"),
    )  # fmt: skip


def quoted_in(opened: OpenIndex, source_id: str, quote: str) -> str:
    """ISO 639-1 code of the language of a quote."""
    source = opened.source(source_id)
    return of_passage(quote, source.language if source else None)


def _in_own_language(answer: Answer, code: str, opened: OpenIndex) -> bool:
    """Whether it rests on words in the language of the question."""
    return any(quoted_in(opened, c.source_id, c.quote) == code for c in answer.citations[:1])


def _other_sources(request: Request, opened: OpenIndex) -> tuple[str, ...]:
    """Ids of the sources with text in other languages than the question's, as far as the filters admit them."""
    known = {i for code, ids in opened.languages().items() if code != request.language.code for i in ids}
    return tuple(sorted(known & set(request.filters.sources) if request.filters.sources else known))
