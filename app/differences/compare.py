"""Figures that count the same thing and can't both be right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import combinations

from app.differences.dated import length, near_in_time, time_of
from app.differences.figure import Figure, Found, about
from app.question.analysis import Question
from app.question.target import Target
from app.text.periods import overlap

MOST_VALUES = 20


def compared(target: Target, figures: Sequence[Figure], question: Question) -> Found | None:
    """The figures that belong with the best one, when at least two of them can't both be right."""
    anchors = [f for f in figures if f.evidence.passage_score]
    if not anchors:
        return None
    anchor = max(anchors, key=lambda f: f.evidence.strength)
    alike = [f for f in figures if comparable(f, anchor, target)]
    values = distinct([f for f in alike if f.firsthand])
    if not _differ(values):
        values = distinct(alike)
    if not _differ(values):
        return None
    values = _most_telling(values, anchor)
    values.sort(key=lambda f: (time_of(f), f.quantity.point if f.quantity else 0))
    several = target.nature == "stock" and len({f.dated for f in values if f.dated}) > 1
    return Found(
        about=about(question), figures=tuple(values),
        sentence=f"The sources give different figures{', by source and date' if several else ''}:",
    )  # fmt: skip


def _differ(values: Sequence[Figure]) -> bool:
    """Whether two of the figures can't both be right."""
    return any(disjoint(a, b) for a, b in combinations(values, 2))


def comparable(figure: Figure, anchor: Figure, target: Target) -> bool:
    """Whether two figures count the same thing, as far as kind, unit and time tell."""
    one, other = figure.quantity, anchor.quantity
    if one is None or other is None or one.kind != other.kind:
        return False
    if one.kind != "count" and one.unit.lower() != other.unit.lower():
        return False
    if figure is anchor or target.nature == "stock":
        return True
    if target.nature == "toll":
        if figure.period is None or anchor.period is None:
            return bool(target.names) or near_in_time(figure, anchor)
        return overlap((figure.period.first, figure.period.last), (anchor.period.first, anchor.period.last)) or (
            length(figure.period) <= 1
            and length(anchor.period) <= 1
            and abs(figure.period.first - anchor.period.first) <= 2
        )
    if figure.period and anchor.period:
        long, short = sorted((length(figure.period), length(anchor.period)), reverse=True)
        return (
            overlap((figure.period.first, figure.period.last), (anchor.period.first, anchor.period.last))
            and long <= 1.5 * short
        )
    return near_in_time(figure, anchor)


def distinct(figures: Sequence[Figure]) -> list[Figure]:
    """The figures with repetitions taken out: the same value for the same year is one, whoever prints it."""
    kept: list[Figure] = []
    for figure in sorted(figures, key=lambda f: (f.dated is None, -f.evidence.score, f.evidence.hit.rank)):
        twin = next((k for k in kept if _same(figure, k)), None)
        if twin is None:
            kept.append(figure)
        elif (figure.dated or "") > (twin.dated or ""):
            kept[kept.index(twin)] = figure
    return kept


def _same(figure: Figure, kept: Figure) -> bool:
    one, other = figure.quantity, kept.quantity
    if one is None or other is None:
        return figure.value == kept.value
    if figure.dated and kept.dated and figure.dated[:4] != kept.dated[:4]:
        return False
    if {one.head, other.head} == {"people", "strength"}:
        return False  # 4,000 fighters are not 4,000 people with their families
    return (one.low, one.high) == (other.low, other.high) or (
        one.point == other.point and _width(figure) == _width(kept) == 0
    )


def _width(figure: Figure) -> float:
    q = figure.quantity
    return q.high - q.low if q and q.bound == "exact" and "–" in re.sub(r"-| to | and ", "–", q.text) else 0.0


def disjoint(one: Figure, other: Figure) -> bool:
    """Whether two figures can't both be right."""
    a, b = one.quantity, other.quantity
    return a is not None and b is not None and (a.high < b.low or b.high < a.low)


def _most_telling(values: list[Figure], anchor: Figure) -> list[Figure]:
    """At most :data:`MOST_VALUES`: the leading one, the newest and the extremes first, then a spread over time."""
    if len(values) <= MOST_VALUES:
        return values
    first = [
        max(values, key=lambda f: f.dated or ""),
        min(values, key=lambda f: f.quantity.low if f.quantity else 0),
        max(values, key=lambda f: f.quantity.high if f.quantity else 0),
        *(f for f in values if f is anchor),
    ]
    rest = sorted((f for f in values if f not in first), key=lambda f: (-f.evidence.score, -f.evidence.hit.score))
    # One of each year, then a second of each, and so on: a series is worth most when it has no gaps.
    seen: Counter[str] = Counter((f.dated or "")[:4] for f in first)
    turns: list[tuple[int, int, Figure]] = []
    for order, figure in enumerate(rest):
        year = (figure.dated or "")[:4]
        turns.append((seen[year], order, figure))
        seen[year] += 1
    rest = [figure for _, _, figure in sorted(turns, key=lambda t: t[:2])]
    return list({id(f): f for f in [*first, *rest]}.values())[:MOST_VALUES]
