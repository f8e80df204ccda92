"""From a question to the passages that are read for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from app.answering.engine import AnswerSettings
from app.question.analysis import Question, in_full
from app.text import periods
from app.text.parse import parse
from index.search import Filters, Hit, OpenIndex

WIDE_HITS = 80
"""Passages looked through, not read, for figures that differ or for the time asked for."""
_AUTHOR_NOTES = 2
"""How many notes on authors are read where the author is asked for."""
_ABOUT_AUTHORS = "about the author, written by"
"""Stands before bylines and notes on authors in the index."""
_TIME_WEIGHT = 0.15
"""What speaking of the time asked for is worth, in search score."""
_PART_PASSAGES = 5
"""Passages read for each part of a question that asks several things."""
_THINGS = frozenset(("NOUN", "PROPN", "NUM", "X"))
"""What a source mentions or does not; of "Compare", "agree" and "elsewhere" nobody says that no source mentions them."""
_SHORT_CHARS = 2200
"""Of short passages more are read, up to twice as many, as long as they hold so many characters together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """Passages to read, best first.

    Attributes:
        missing: topic terms of the question that no source mentions.
    """

    hits: tuple[Hit, ...]
    missing: tuple[str, ...]


def retrieve(
    question: Question,
    opened: OpenIndex,
    settings: AnswerSettings,
    filters: Filters = Filters(),
    *,
    beside: str | None = None,
) -> Retrieved:
    """The passages that are read for a question.

    Args:
        beside: the longer question that this one is a part of; what it finds is read too.
    """
    text, when = question.text, question.time.period
    wanted = _PART_PASSAGES if beside else settings.passages
    # With a time asked for, passages that speak of it are read before likelier ones that don't.
    hits = opened.search(text, WIDE_HITS if when else 2 * wanted, filters=filters, settings=settings.search)
    if when:
        hits = periods.in_time_first(
            hits, when, lambda h: periods.speaks_of(h.passage.text, when, published(h, opened)), lambda h: h.score, _TIME_WEIGHT
        )
        hits = _ranked(hits)
    hits = hits[:wanted] if beside else _worth_reading(hits, wanted)
    if question.about_author:
        hits = _with_author_notes(text, hits, opened, settings, filters)
    if beside:
        known = {h.passage.id for h in hits}
        more = opened.search(beside, _PART_PASSAGES, filters=filters, settings=settings.search)
        hits = [*hits, *[h for h in more if h.passage.id not in known][: settings.passages - len(hits)]]
    return Retrieved(hits=tuple(hits), missing=missing_terms(question, opened))


def published(hit: Hit, opened: OpenIndex) -> str | None:
    """Date of the text that a hit is from; None for compilations and where it is the date of something else."""
    source = opened.source(hit.passage.source_id)
    return None if source is None or source.genre == "notes" or source.date_note else source.date


def is_author_note(hit: Hit) -> bool:
    """Whether a passage tells who wrote its text."""
    return hit.passage.role in {"byline", "author-note"}


def missing_terms(question: Question, opened: OpenIndex) -> tuple[str, ...]:
    """Topic terms of a question that no source mentions."""
    frequency = opened.document_frequency(question.terms)
    words = opened.vocabulary
    things = {piece for w in parse(question.text).words if w.pos in _THINGS for piece in re.findall(r"\w+", w.text.lower())}
    lacking = (
        t for t in question.terms
        if t in question.needed and not frequency[t] and not words.frames(t) and things & set(re.findall(r"\w+", t.lower()))
    )  # fmt: skip
    return tuple(dict.fromkeys(in_full(t, question.text) for t in lacking))


def _worth_reading(hits: Sequence[Hit], least: int) -> list[Hit]:
    """The first hits: ``least``, or up to twice as many while they are short together."""
    chars = list(accumulate(len(h.passage.text) for h in hits[: 2 * least]))
    return list(hits[: max(least, sum(total <= _SHORT_CHARS for total in chars))])


def _with_author_notes(
    text: str, hits: Sequence[Hit], opened: OpenIndex, settings: AnswerSettings, filters: Filters
) -> list[Hit]:
    """The hits, the last of them replaced by what the likeliest texts say about their authors."""
    more = opened.search(f"{text} {_ABOUT_AUTHORS}", WIDE_HITS, filters=filters, settings=settings.search)
    notes = [h for h in more if is_author_note(h)][:_AUTHOR_NOTES]
    known = {h.passage.id for h in notes}
    kept = [h for h in hits if h.passage.id not in known]
    return _ranked([*kept[: max(1, settings.passages - len(notes))], *notes])


def _ranked(hits: Sequence[Hit]) -> list[Hit]:
    return [replace(h, rank=n) for n, h in enumerate(hits, start=1)]
