"""A figure that answers a question, with who gives it for when; figures and values that differ."""

from __future__ import annotations

from dataclasses import dataclass

from app.evidence.gather import Evidence
from app.question.analysis import Question
from app.text.periods import Period
from app.text.quantities import Quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure that answers the question, where it stands, and who gives it for when.

    Attributes:
        evidence: its sentence.
        quantity: the figure; None for dates and for sides that are told in words.
        value, unit: as shown.
        period: when it is for; None when unknown.
        dated: its date in ISO form; None when unknown.
        when: the date in words.
        holder: who gives it.
        of_event: ``dated`` is when the event was, not when the figure was given.
        said: the sentence, shown behind a value that says little alone.
        firsthand: whoever gives it also published it, or is named by the one who did; false for what a
            compilation says in its own words.
    """

    evidence: Evidence
    quantity: Quantity | None
    value: str
    unit: str
    period: Period | None
    dated: str | None
    when: str
    holder: str
    of_event: bool = False
    said: str = ""
    firsthand: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Figures that differ, oldest first, and how to say so in one sentence."""

    about: str
    sentence: str
    figures: tuple[Figure, ...]

AGREED = Found(about="", sentence="", figures=())


def about(question: Question) -> str:
    """What a difference is about, in words."""
    return question.text.rstrip(" ?!.")
