"""The sentences of a text that may carry a claim, and which of them are looked at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.text import claims
from app.text.claims import Said

LEADING = 10
"""Sentences of a text that are read closely."""
_MOST_TOGETHER = 4
"""Sentences that may carry a claim together."""
AROUND = 2
_OPENING = 3
"""Sentences at the beginning of a text that name what it is about."""
_LEAST_GAIN = 0.06
"""Share of the claim that a further sentence must add."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A sentence of the texts given; ``text`` is their index, ``place`` its number among all sentences."""

    text: int
    start: int
    end: int
    place: int
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """All sentences of the texts given, with titles and headings."""

    units: tuple[Unit, ...]
    contexts: tuple[Said, ...]
    titles: tuple[str, ...]

    def around(self, chosen: Sequence[Unit]) -> list[Said]:
        """Neighbours of sentences, the opening of their texts and its title."""
        own = {u.place for u in chosen}
        texts = {u.text for u in chosen}
        near = [
            u.said
            for u in self.units
            if u.place not in own and u.text in texts and any(abs(u.place - p) <= AROUND for p in own)
        ]
        opening = [
            u.said for t in texts for u in [v for v in self.units if v.text == t][:_OPENING] if u.place not in own
        ]
        return [*near, *opening, *(self.contexts[t] for t in texts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A sentence that comes near the claim; ``meanings`` tells how well it matches each word of the claim, ``score``
    what the reader says.
    """

    unit: Unit
    cosine: float
    shared: float
    meanings: tuple[float, ...]
    score: float


def clauses(sentence: str) -> list[str]:
    """The parts of a sentence that state something by themselves, told by punctuation and joining words."""
    parts = re.split(
        r"\s*;\s+|,?\s+(?:while|whereas|but|although)\s+|,\s+(?:and|which|who|where|with)\s+|\s+and\s+(?=\w+ed\b)",
        sentence,
    )
    return [p for p in parts if len(p.split()) >= 4]


def leaning(claim: Said, units: Sequence[Unit], most: int) -> Sequence[Unit]:
    """The sentences that share most with the claim, in text order."""
    if len(units) <= most:
        return units
    kept = sorted(units, key=lambda u: (-shared(claim, u.said), u.place))[:most]
    return sorted(kept, key=lambda u: u.place)


def shared(claim: Said, given: Said) -> float:
    """Share of the claim's words and figures that stand in a sentence."""
    total = len(claim.words) + len(claim.figures) + len(claim.moments)
    there = sum(w.stem in given.stems for w in claim.words)
    there += sum(any(claims.agrees(f, g) for g in given.figures) for f in claim.figures)
    there += sum(any(claims.dated_near(m, g) for g in given.moments) for m in claim.moments)
    return there / total if total else 0.0


def together(claim: Said, ranked: Sequence[Ranked]) -> list[Ranked]:
    """The sentence that comes nearest, and those that add most of what it lacks."""
    first = max(ranked, key=lambda r: r.cosine + mean(r.meanings) + 0.6 * r.shared + r.score)
    chosen = [first]
    while len(chosen) < _MOST_TOGETHER:
        have = _covered(claim, chosen)
        gains = [(_covered(claim, [*chosen, r]) - have, r) for r in ranked if r not in chosen]
        gain, further = max(gains, key=lambda g: g[0], default=(0.0, first))
        if gain < _LEAST_GAIN:
            break
        chosen.append(further)
    return chosen


def _covered(claim: Said, chosen: Sequence[Ranked]) -> float:
    """How much of the claim sentences hold together: words by meaning, figures, dates and names by words."""
    given = [r.unit.said for r in chosen]
    pieces = [max(0.0, (m - 0.3) / 0.7) for m in best_matches(chosen)]
    pieces += [1.5 * any(claims.agrees(f, g) for s in given for g in s.figures) for f in claim.figures]
    pieces += [1.5 * any(claims.dated_alike(m, g) for s in given for g in s.moments) for m in claim.moments]
    pieces += [max(claims.name_share(n, s) for s in given) for n in claim.names]
    return mean(pieces)


def best_matches(chosen: Sequence[Ranked]) -> list[float]:
    """For each word of the claim the best match in any of the sentences."""
    return [max(column) for column in zip(*(r.meanings for r in chosen), strict=True)]


def mean(values: Sequence[float]) -> float:
    """Their mean; 0 of none."""
    return sum(values) / len(values) if values else 0.0
