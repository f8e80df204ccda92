"""A claim and the sentences that may carry it, compared: the features of support and the reasons in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.evidence.gather import log_odds
from app.support import alignment
from app.support.ground import Ground, Ranked, best_matches, mean
from app.text import claims
from app.text.claims import Said
from app.text.parse import parse

_LOST = 0.45
"""A word matched worse than this is matched by nothing."""
_SAME_NAME = 0.6
ABSENT = 0.6
"""More than this share of a name must be missing for it to stand nowhere."""
RIVAL = 0.5
"""How much better the words beside a name may fit another name of the text."""
_OTHERWISE = (
    "figure_none", "figure_far", "figure_other", "date_none", "date_far", "date_coarse", "date_other", "name_none",
    "name_far", "denial", "opposite", "overstated", "unsure", "alleged",
)  # fmt: skip
"""Signs that a claim says something else than the text, in whatever order."""
_CLOSE = 0.45
"""Least cosine of a claim and a sentence that says otherwise."""
_SAME_MATTER = 0.75
"""Least meaning (mean match of the claim's words) of a sentence that contradicts it: it must speak of the same."""
_MOST_LOST = 0.2
"""Largest share of the claim's words that a sentence that contradicts it may leave unmatched. With both, of 35 sentences of the
bundled notes one is told to be contradicted and of their 35 denials 32; before, all 70. Of 91 true claims of
``support_pairs.jsonl`` (dev) and a strong model one is, of 59 whose planted change is a denial, figure or name 16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A claim against the sentences that come nearest to it.

    Attributes:
        values: features by name, see :func:`features`.
        units: what was compared, best first: (text, start, end).
        reasons: what does not fit.
        opposed: the best sentence says otherwise.
        contradicts: it does so of the same matter: all else that the claim says stands there.
        agrees: it speaks of the same matter and differs in nothing that is compared.
        hedged: it only says that something may be, or that somebody holds it.
        excerpt: the claim is a sentence of the text with no more than phrases left out.
    """

    values: Mapping[str, float]
    units: tuple[tuple[int, int, int], ...]
    reasons: tuple[str, ...]
    opposed: bool
    contradicts: bool
    agrees: bool
    hedged: bool
    excerpt: bool

FEATURES = (
    "cosine", "words", "meaning", "second", "lost", "figure_none", "figure_far", "figure_other", "crossed", "name_rival",
    "date_none", "date_far", "date_coarse", "date_other", "name_none", "name_near", "name_far", "name_other", "denial",
    "opposite", "overstated", "unsure", "alleged", "several", "reader",
)  # fmt: skip


def features(claim: Said, chosen: Sequence[Ranked], ground: Ground, reading: float) -> Compared:
    """What the calibration weighs.

    cosine: of the claim with the best sentence. words: share of the claim's words that stand
    there; meaning: how well they are matched; second: the one matched second worst; lost: share matched by nothing.
    Of figures, dates and names, none: one stands nowhere in the text; far: only elsewhere; near: only beside; other: the
    best sentence has another in its place; coarse: the text tells a date less finely. Then flags: a denial or an
    opposite in one of the two, a fuller or a surer wording in the claim. several: how many more sentences are needed.
    name_rival: how much better the words beside a name fit another name of the text. reader: log-odds of its best score.
    """
    own = [r.unit.said for r in chosen]
    best = own[0]
    around = ground.around([r.unit for r in chosen])
    whole = [*(u.said for u in ground.units), *ground.contexts]
    values = dict.fromkeys(FEATURES, 0.0)
    reasons: list[str] = []
    stems = frozenset().union(*(s.stems for s in own))
    matches = best_matches(chosen)
    lost = [w.text for w, m in zip(claim.words, matches, strict=True) if m < _LOST]
    worst = sorted(matches)
    values |= {
        "cosine": chosen[0].cosine,
        "words": mean([float(w.stem in stems) for w in claim.words]),
        "meaning": mean(matches),
        "second": worst[1] if len(worst) > 1 else 1.0,
        "lost": len(lost) / len(matches) if matches else 0.0,
        "several": float(len(chosen) - 1),
        "reader": log_odds(reading),
    }
    values |= _figures(claim, best, own, around, whole, reasons)
    values["name_rival"], rival = claims.name_rival(claim, [*own, *around])
    text = [u.said for u in ground.units]
    exchanged = alignment.name_exchanged(claim, text) or alignment.names_swapped(claim, text)
    if exchanged and values["name_rival"] < RIVAL:
        values["name_rival"], rival = 1.0, exchanged
    if values["name_rival"] >= RIVAL:
        reasons.append(f"The text says so of {rival}.")
    swapped = claims.crossed(claim, best)
    values["crossed"] = float(swapped is not None)
    if swapped:
        reasons.append(f"The text gives {swapped.text} for something else.")
    values |= _moments(claim, best, own, around, whole, reasons)
    values |= _names(claim, best, own, around, whole, reasons)
    turned = claims.opposed(claim, best)
    if turned and claim.denied != best.denied:
        turned = None  # "did not rise" is carried by "fell"
    values["opposite"] = float(turned is not None)
    values["denial"] = float(turned is None and claims.denial_differs(claim, best))
    if turned:
        reasons.append(f"The text has the opposite of “{turned[0]}”.")
    if values["denial"]:
        reasons.append("The text denies it." if best.denied else "The claim denies what the text says.")
    values["overstated"] = float(claims.overstated(claim, own))
    values["unsure"] = float(claims.unsure(best.text) and not claims.unsure(claim.text))
    values["alleged"] = float(claims.alleged(best.text) and not claims.alleged(claim.text))
    if values["overstated"]:
        reasons.append("The claim says more than the text.")
    if values["alleged"]:
        reasons.append("The text gives it as what somebody holds.")
    elif values["unsure"]:
        reasons.append("The text says only that it may be so.")
    if lost:
        reasons.append(f"Nothing in the text matches: {', '.join(lost[:5])}.")
    return Compared(
        values=values,
        units=tuple((r.unit.text, r.unit.start, r.unit.end) for r in chosen),
        reasons=tuple(reasons) or ("No sentence of the text says so.",),
        opposed=_opposed(values),
        contradicts=_contradicts(values | ({"date_other": 0.0} if values["date_other"] and _dates_saying(claim, best) else {})),
        agrees=_same_matter(values) and not any(values[v] for v in _OTHERWISE) and values["name_rival"] < RIVAL,
        hedged=claims.held(best.text) and not (claims.unsure(claim.text) or claims.alleged(claim.text)),
        excerpt=not any(values[v] for v in _OTHERWISE) and any(alignment.excerpt(claim, s) for s in own),
    )


def _opposed(values: Mapping[str, float]) -> bool:
    """Whether the best sentence differs in a figure, date, name or denial."""
    otherwise = ("figure_other", "crossed", "date_other", "denial", "opposite")
    return (values["cosine"] >= _CLOSE or values["words"] >= 0.5) and (
        any(values[o] for o in otherwise) or values["name_rival"] >= RIVAL or bool(values["name_other"] and values["name_none"])
    )


def _same_matter(values: Mapping[str, float]) -> bool:
    return values["meaning"] >= _SAME_MATTER and values["lost"] <= _MOST_LOST


def _contradicts(values: Mapping[str, float]) -> bool:
    """Whether it does so of the matter of the claim; another figure or date says nothing where a name of the claim is missing."""
    if not _opposed(values) or not _same_matter(values):
        return False
    turned = bool(values["denial"] or values["opposite"]) or values["name_rival"] >= RIVAL
    return turned or (values["name_none"] <= ABSENT and any(values[o] for o in ("figure_other", "crossed", "date_other")))


def _dates_saying(claim: Said, best: Said) -> bool:
    """Whether the other dates of a sentence tell when somebody said so: "…, according to the UN in April"."""
    others = [g for g in best.moments if not any(claims.dated_near(m, g) for m in claim.moments)]
    said = [v.said for v in parse(best.text).voices]
    return bool(said) and not any(s.start <= g.at < s.end for g in others for s in said)


def _figures(
    claim: Said, best: Said, own: Sequence[Said], around: Sequence[Said], whole: Sequence[Said], reasons: list[str]
) -> dict[str, float]:
    values = {"figure_none": 0.0, "figure_far": 0.0, "figure_other": 0.0}
    for figure in claim.figures:
        if any(claims.agrees(figure, g) for s in own for g in s.figures):
            continue
        if claims.follows(figure, [g for s in own for g in s.figures]):
            continue
        near = any(claims.agrees(figure, g) for s in around for g in s.figures)
        far = near or any(claims.agrees(figure, g) for s in whole for g in s.figures)
        values["figure_far" if far else "figure_none"] = 0.5 if near else 1.0
        other = [
            g for g in best.figures
            if claims.conflicts(figure, g) or (g.kind == figure.kind and not any(claims.agrees(f, g) for f in claim.figures))
        ]  # fmt: skip
        if other:
            values["figure_other"] = 1.0
            reasons.append(f"The text gives {other[0].text}, the claim {figure.text}.")
        elif not far:
            reasons.append(f"The text does not give {figure.text}.")
    return values


def _moments(
    claim: Said, best: Said, own: Sequence[Said], around: Sequence[Said], whole: Sequence[Said], reasons: list[str]
) -> dict[str, float]:
    values = {"date_none": 0.0, "date_far": 0.0, "date_coarse": 0.0, "date_other": 0.0}
    for moment in claim.moments:
        if any(claims.dated_alike(moment, g) for s in own for g in s.moments):
            continue
        if any(claims.dated_near(moment, g) for s in own for g in s.moments):
            values["date_coarse"] = 1.0
            reasons.append(f"The text tells the date less finely than {moment.text}.")
            continue
        near = any(claims.dated_alike(moment, g) for s in around for g in s.moments)
        far = near or any(claims.dated_alike(moment, g) for s in whole for g in s.moments)
        values["date_far" if far else "date_none"] = 0.5 if near else 1.0
        other = [g for g in best.moments if not any(claims.dated_near(m, g) for m in claim.moments)]
        if other:
            values["date_other"] = 1.0
            reasons.append(f"The text gives {other[0].text}, the claim {moment.text}.")
        elif not far:
            reasons.append(f"The text does not give {moment.text}.")
    return values


def _names(
    claim: Said, best: Said, own: Sequence[Said], around: Sequence[Said], whole: Sequence[Said], reasons: list[str]
) -> dict[str, float]:
    values = {"name_none": 0.0, "name_near": 0.0, "name_far": 0.0, "name_other": 0.0}
    for name in claim.names:
        here = max(_has(name, s, claim) for s in own)
        if here >= _SAME_NAME:
            continue
        near = max((_has(name, s, claim) for s in around), default=0.0)
        far = max((_has(name, s, claim) for s in whole), default=0.0)
        if max(near, here) >= _SAME_NAME:
            values["name_near"] = 1.0
        elif far >= _SAME_NAME:
            values["name_far"] = 1.0
        else:
            values["name_none"] = max(values["name_none"], 1.0 - max(here, near, far))
            reasons.append(f"The text does not name {' '.join(name)}.")
        if any(claims.name_share(n, claim) < _SAME_NAME for n in best.names):
            values["name_other"] = 1.0
    return values


def _has(name: Sequence[str], said: Said, claim: Said) -> float:
    """How much of a name of the claim stands in a sentence, under any spelling of the vocabulary."""
    words = {w.lower() for w in name}
    if any(words & set(" ".join(group).split()) for group in claim.aliases & said.aliases):
        return 1.0
    return claims.name_share(name, said)
