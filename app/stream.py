"""An answer while it is being written: what is only a draft, what is checked, and the whole at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from app.answer import Answer, Citation

Verdict = Literal["quoted", "supported", "repaired", "removed", "struck", "unconfirmed", "framing"]
"""How a sentence settled.

quoted: verbatim from a source. supported: a model wrote it and the quotes carry it. repaired: it was not carried,
was written again and is now. removed: it was not carried; ``text`` is empty. struck: it was not carried and is
shown struck out, because the setting asks for it. unconfirmed: of a strong model, shown with a badge. framing: a heading,
lead-in or "not stated" of a strong model, which needs no source.
"""
_PIECE = re.compile(r".*?\[\d+\](?:[.!?…;:,]*[\"'”’»)\]]*)*(?:\s+(?=\S)|$)|.+$", re.S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """More of a language model's draft, not yet checked against anything. It carries no citation markers."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """The next sentence of the answer, final. Sentences settle in the order in which they stand.

    Attributes:
        text: the sentence with its ``[1]`` markers and the white space that follows; empty when it was removed.
        verdict: how it settled.
        citations: what its markers stand for; markers are numbered by first use and never change.
        draft_end: how many characters of the draft (all ``Draft.text`` joined) are dealt with; what lies behind
            them is still a draft.
    """

    text: str
    verdict: Verdict
    citations: tuple[Citation, ...] = ()
    draft_end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Discarded:
    """Draft and settled sentences so far no longer count; another answer follows, for the reason given."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The whole answer, always the last event. Its text is that of the settled sentences joined."""

    answer: Answer


Event = Draft | Settled | Discarded | Done


def settled(answer: Answer) -> Iterator[Settled]:
    """The sentences of a finished answer, each with what it cites; joined they are the answer's text."""
    by_marker = {c.marker: c for c in answer.citations}
    for piece in _PIECE.finditer(answer.answer):
        markers = dict.fromkeys(int(m) for m in re.findall(r"\[(\d+)\]", piece.group()))
        cited = tuple(by_marker[m] for m in markers if m in by_marker)
        yield Settled(text=piece.group(), verdict="quoted", citations=cited)
