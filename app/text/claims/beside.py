"""Whether a figure or name stands beside the same words in two sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from app.text.claims.figures import agrees
from app.text.claims.pieces import Figure, Said


def crossed(claim: Said, given: Said) -> Figure | None:
    """A figure of the claim that stands in the sentence beside another thing than in the claim.

    Told by what is counted ("414 voyages by 1,627 vessels" for the reverse), else by the name that stands nearest.
    """
    for figure in claim.figures:
        same = [g for g in given.figures if agrees(figure, g)]
        others = [g for g in given.figures if g.kind == figure.kind and not agrees(figure, g)]
        if not same or not others:
            continue
        if (
            figure.head
            and all(g.head and g.head != figure.head for g in same)
            and any(g.head == figure.head for g in others)
        ):
            return figure
        for name in claim.names:
            places = _places(name, given.text)
            if (
                places
                and len(_places(name, claim.text))
                and _nearest(places, others) + _MARGIN < _nearest(places, same)
            ):
                return figure
    return None


def name_rival(claim: Said, given: Iterable[Said]) -> tuple[float, str]:
    """How much better the words beside a name of the claim fit another name of the text, in [0, 1], and that name.

    Only names that the claim lacks count: where one name was put for another, the words around still belong to the first.
    """
    given = list(given)
    others = [(s, p, n) for s in given for n in s.names if not _named_in(n, claim) for p in _places(n, s.text)]
    most, whose = 0.0, ""
    for name in claim.names:
        places = [(s, p) for s in given for p in _places(name, s.text)]
        for at in _places(name, claim.text) if places else ():
            own = _beside(claim, at, places)
            for said, place, other in others:
                more = _beside(claim, at, [(said, place)]) - own
                if more > most:
                    most, whose = more, " ".join(other)
    return most, whose


def _named_in(name: Sequence[str], said: Said) -> bool:
    return any(w.lower() in said.tokens for w in name)


def _beside(claim: Said, at: int, places: Iterable[tuple[Said, int]]) -> float:
    """Share of the words around a place of the claim that stand around any of the places; 1 where there are none."""
    wanted = _around(claim, at, _BESIDE) - _around(claim, at, 0)
    found = [len(wanted & _around(s, p, _BESIDE_GIVEN)) / len(wanted) for s, p in places if wanted]
    return max(found, default=1.0)


def _around(said: Said, at: int, reach: int) -> frozenset[str]:
    """Stems of the meaning words at most ``reach`` words from a place."""
    here = min(range(len(said.order)), key=lambda i: abs(said.order[i][0] - at), default=0)
    return frozenset(s for _, s in said.order[max(0, here - reach) : here + reach + 1] if s)

_BESIDE, _BESIDE_GIVEN = 5, 8
"""Words looked at on both sides in the claim, and in the text, where more may lie between."""
_MARGIN = 25
"""Characters by which another figure must stand nearer to a name."""


def _places(name: Sequence[str], text: str) -> list[int]:
    return [m.start() for m in re.finditer(rf"\b{re.escape(name[-1])}\b", text)]


def _nearest(places: Iterable[int], figures: Sequence[Figure]) -> int:
    return min(abs(g.at - p) for g in figures for p in places)
