"""The second call to a strong model: for each sentence supported, contradicted or not stated, with the words that decide it.

The words count only where they stand in a passage letter by letter, so that a verdict can be looked up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.writing.markers import Mark, split
from app.writing.passages import WORD

Verdict = Literal["supported", "contradicted", "not stated"]
LEAST_WORDS = 3
"""Fewer literal words decide nothing: a name alone stands in most passages. Not measured."""
_LINE = re.compile(r"^\W*s(\d{1,3})\W{1,4}(supported|contradicted|not stated)\b\W*(.*)$", re.I)
_QUOTES = re.compile(r"[\"“”„«»]([^\"“”„«»].*)[\"“”„«»]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Literal words: which text, and where in it (characters)."""

    which: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """What the model says of a sentence.

    Attributes:
        place: where its words stand; None where they stand nowhere or are too few.
        rewrite: the corrected sentence with its markers; empty where there is none.
    """

    verdict: Verdict
    place: Place | None = None
    rewrite: str = ""


def opinions(reply: str, texts: Sequence[str]) -> Mapping[int, Opinion]:
    """The model's opinions by the number of the sentence, from 1; lines of another form are passed over.

    Args:
        texts: the passages whose words may be quoted.
    """
    found: dict[int, Opinion] = {}
    for line in reply.splitlines():
        read = _LINE.match(line)
        if read is None or int(read[1]) in found:
            continue
        verdict: Verdict = "not stated"
        if read[2].lower() != "not stated":
            verdict = "supported" if read[2].lower() == "supported" else "contradicted"
        words, _, rewrite = read[3].partition(" | ")
        bare = "".join(p.text for p in split(words) if not isinstance(p, Mark))
        quoted = _QUOTES.search(bare)
        place = None if verdict == "not stated" else literal(quoted[1] if quoted else bare, texts)
        found[int(read[1])] = Opinion(verdict=verdict, place=place, rewrite=rewrite.strip() if verdict == "contradicted" else "")
    return found


def literal(words: str, texts: Sequence[str]) -> Place | None:
    """Where words stand in the first text that has them one behind the other; case and punctuation are passed over."""
    wanted = [m.group().lower() for m in WORD.finditer(words)]
    if len(wanted) < LEAST_WORDS:
        return None
    for which, text in enumerate(texts):
        there = list(WORD.finditer(text))
        lowered = [m.group().lower() for m in there]
        for at in range(len(there) - len(wanted) + 1):
            if lowered[at : at + len(wanted)] == wanted:
                return Place(which=which, start=there[at].start(), end=there[at + len(wanted) - 1].end())
    return None
