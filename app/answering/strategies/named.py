"""A turn that only names a thing ("Taliban", "peace talks?"): what the sources say about it, where no sentence answers it."""

from __future__ import annotations

from dataclasses import replace

from app.answering.engine import Desk, Outcome
from app.answering.strategies.overview import overview
from app.answering.strategies.point import trace_of
from app.question.dialogue import wh
from app.question.topic import Topic
from app.text.parse import parse

_LONGEST = 3
"""Words of a mere name; longer ones are seldom typed without a verb. 65 of the 1,024 turns of MTRAG-UN pass for one, and no question of XQuAD or
RAMDocs; of the 60 that were read some 50 are mere names, the others courtesies and bits such as "For example?"."""


def named(desk: Desk) -> Outcome | None:
    """One sentence of each source that names the thing; None for questions, orders, and what a sentence answers."""
    request = desk.request
    about = request.standalone.strip(" ?!.,")
    if request.shape != "point" or not 0 < len(about.split()) <= _LONGEST:
        return None
    words = parse(about)
    if words.is_order or any(wh(w) or w.tag in {"VBD", "VBP", "MD", "UH"} for w in words.words):
        return None
    if trace_of(desk, request.question).decision.answer:
        return None
    return overview(replace(desk, request=replace(request, topic=Topic(about=about))))
