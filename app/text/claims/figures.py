"""The figures of a sentence, and which of two sentences agree."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

from app.text.claims.moments import CENTURY
from app.text.claims.pieces import Figure
from app.text.lexicon import NUMBERS, ORDINALS
from app.text.periods import DAY_OR_MONTH, DECADE, overlap, periods
from app.text.quantities import Quantity, quantities

_PARTS = {
    "half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9, "tenth": 10,
}  # fmt: skip
_FRACTION = re.compile(
    rf"\b(?:(?P<n>a|{'|'.join(list(NUMBERS)[1:10])})[- ](?P<of>{'|'.join(_PARTS)})s?|half)\b"
    r"(?! (?:a |an )?(?:million|billion|thousand|dozen|hundred|of the (?:century|year)))",
    re.I,
)
_SMALL = "|".join(NUMBERS)
_ONE_IN = re.compile(rf"\b(?P<a>{_SMALL}|[0-9]+) (?:in|out of)(?: every)? (?P<b>{_SMALL}|[0-9]+)\b", re.I)
_MULTIPLES = {
    "twice": 2.0, "doubl": 2.0, "thrice": 3.0, "tripl": 3.0, "trebl": 3.0, "quadrupl": 4.0, "halv": 0.5,
    **{w: float(n) for w, n in NUMBERS.items() if n > 1},
}  # fmt: skip
_TIMES = re.compile(
    rf"(?<![\w-])(?:(?P<word>twice|thrice)|(?P<stem>doubl|tripl|trebl|quadrupl|halv)(?:e[sd]?|ing)|(?P<n>{_SMALL})(?:[- ]?fold| times))\b", re.I
)
_DECADES = re.compile(
    rf"\b(?:(?P<n>{_SMALL}|[0-9]+) decades|(?:a|one|another|the (?:last|past|next)) (?P<one>decade)|(?:a|one|another) (?P<hundred>century))\b",
    re.I,
)
_ORDINAL = re.compile(rf"\b(?:(?P<word>{'|'.join(ORDINALS)})|(?P<digits>[0-9]+)(?:st|nd|rd|th))\b(?!-hand)", re.I)
_BARE = re.compile(r"(?<![\w.,])(?P<n>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)(?![0-9])")
_APPROX = re.compile(
    r"\b(?:about|around|roughly|approximately|some|nearly|almost|close to|circa|an estimated|estimated|more or less|just (?:over|under))\s*$|[~≈]\s*$",
    re.I,
)
_LENGTHS = {
    "km": 1000.0,
    "kilomet": 1000.0,
    "mile": 1609.34,
    "met": 1.0,
    "m": 1.0,
    "feet": 0.3048,
    "ft": 0.3048,
    "cm": 0.01,
    "centimet": 0.01,
    "mm": 0.001,
    "inches": 0.0254,
}
_TIMES_SPAN = {
    "second": 1 / 86400,
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "month": 30.44,
    "year": 365.25,
}


def figures_of(text: str) -> tuple[Figure, ...]:
    """The numbers that a sentence gives, in digits or words, in order."""
    found: list[tuple[int, int, Figure]] = []

    def add(start: int, end: int, figure: Figure) -> None:
        if not any(a < end and start < b for a, b, _ in found):
            found.append((start, end, figure))

    for period in periods(text):
        found.append((period.start, period.end, _NO_FIGURE))
    for pattern in (DAY_OR_MONTH, DECADE, CENTURY):
        for m in pattern.finditer(text):
            add(m.start(), m.end(), _NO_FIGURE)
    for start, end, figure in sorted(_worded(text), key=lambda f: (f[0], -f[1])):
        add(start, end, figure)
    for q in quantities(text):
        if not q.text.lower().endswith("one"):  # seldom a figure: "one of them", "someone"
            add(q.start, q.end, _of_quantity(q))
    for m in _ORDINAL.finditer(text):
        number = float(ORDINALS[m["word"].lower()] if m["word"] else m["digits"])
        add(m.start(), m.end(), Figure(text=m.group(), low=number, high=number, point=number, kind="ordinal"))
    for m in _BARE.finditer(text):
        number = float(m["n"].replace(",", ""))
        bound = "about" if _APPROX.search(text[: m.start()][-16:]) else "exact"
        add(m.start(), m.end(), Figure(text=m.group(), low=number, high=number, point=number, kind="bare", bound=bound))
    found.sort(key=lambda f: f[0])
    return tuple(replace(f, at=start) for start, _, f in found if f is not _NO_FIGURE)


def _worded(text: str) -> Iterator[tuple[int, int, Figure]]:
    """Shares and multiples told in words: "one in eleven", "two thirds", "doubled"."""
    for m in _ONE_IN.finditer(text):
        a, b = _small(m["a"]), _small(m["b"])
        if 0 < a < b:
            yield m.start(), m.end(), _share(m.group(), 100.0 * a / b, text[: m.start()])
    for m in _FRACTION.finditer(text):
        n, of = NUMBERS.get((m["n"] or "a").lower(), 1), _PARTS[(m["of"] or "half").lower()]
        if n < of:
            yield m.start(), m.end(), _share(m.group(), round(100.0 * n / of, 1), text[: m.start()])
    for m in _DECADES.finditer(text):
        years = 100.0 if m["hundred"] else 10.0 * (_small(m["n"]) if m["n"] else 1.0)
        bound = "about" if _APPROX.search(text[: m.start()][-16:]) else "exact"
        yield (
            m.start(),
            m.end(),
            Figure(text=m.group(), low=years, high=years, point=years, kind="measure", unit="years", bound=bound),
        )
    for m in _TIMES.finditer(text):
        value = _MULTIPLES.get((m["word"] or m["stem"] or m["n"]).lower())
        if value:
            yield m.start(), m.end(), Figure(text=m.group(), low=value, high=value, point=value, kind="times")


_NO_FIGURE = Figure(text="", low=0, high=0, point=0, kind="")


def _share(text: str, percent: float, before: str) -> Figure:
    bound = next(
        (
            name
            for name, words in (
                ("at least", r"(?:more than|over|at least|no (?:fewer|less) than|above)\s*$"),
                ("at most", r"(?:fewer than|less than|under|below|at most|up to|no more than)\s*$"),
            )
            if re.search(words, before, re.I)
        ),
        "about",
    )
    return Figure(
        text=text, low=percent * 0.93, high=percent * 1.07, point=percent, kind="percent", unit="%", bound=bound
    )


def _of_quantity(q: Quantity) -> Figure:
    return Figure(
        text=q.text, low=q.low, high=q.high, point=q.point, kind=q.kind, unit=q.unit, head=q.head, bound=q.bound,
        range=q.bound == "exact" and q.low < q.high and abs(q.high - q.point) < 1e-9,
    )  # fmt: skip


def _small(text: str) -> float:
    return float(NUMBERS.get(text.lower(), 0) if not text.isdigit() else int(text))


def agrees(claimed: Figure, given: Figure) -> bool:
    """Whether a figure of a text carries that of a claim."""
    if not _comparable(claimed, given):
        return False
    factor = _factor(claimed, given)
    low, high, point = given.low * factor, given.high * factor, given.point * factor
    if claimed.kind == "ordinal" or given.kind == "ordinal":
        return claimed.point == point and (claimed.kind == given.kind or "bare" in {claimed.kind, given.kind})
    if claimed.range and given.range:
        return _close(claimed.low, low, 0.02) and _close(claimed.high, high, 0.02)
    if claimed.bound == "at least":
        return point >= claimed.point * 0.999 and (point <= claimed.point * 2 or given.bound == "at least")
    if claimed.bound == "at most":
        return point <= claimed.point * 1.001 and point >= claimed.point * 0.4
    if claimed.range:
        return claimed.low * 0.98 <= low and high <= claimed.high * 1.02
    if claimed.bound == "vague" or given.bound == "vague":
        return overlap((int(claimed.low), int(claimed.high)), (int(low), int(high)))
    if given.range:
        return _close(claimed.point, low, 0.001) or _close(claimed.point, high, 0.001)
    if claimed.bound == "about":
        return _close(claimed.point, point, _leeway(claimed.point))
    return _close(claimed.point, point, 0.02 if factor != 1.0 else 0.0005) or _rounded(claimed, point)


def _leeway(point: float) -> float:
    """By what share "about" so many may be off: a number that is told to the last digit is not meant roughly."""
    digits = len(f"{point:.6g}".partition("e")[0].replace(".", "").strip("0"))
    return 0.12 if digits <= 2 else 0.01 if digits == 3 else 0.0005


def follows(claimed: Figure, given: Sequence[Figure]) -> bool:
    """Whether a figure of a claim can be worked out from two of a text: a share, a sum or a difference."""
    counts = [g.point for g in given if g.kind in {"count", "money", "bare"} and g.bound != "vague"]
    if not 2 <= len(counts) <= _MOST_WORKED_WITH:
        return False
    for a, b in permutations(counts, 2):
        if claimed.kind == "percent" and 0 < a < b:
            shares = (100.0 * a / b, 100.0 - 100.0 * a / b)
            if any(agrees(replace(claimed, kind="percent"), _share("", s, "")) for s in shares):
                return True
        if claimed.kind in {"count", "money"} and claimed.point in {a - b, a + b} and claimed.point > 1:
            return True
    return False

_MOST_WORKED_WITH = 6


def conflicts(claimed: Figure, given: Figure) -> bool:
    """Whether both figures can't be of the same thing although they seem to count the same."""
    if not _comparable(claimed, given) or agrees(claimed, given) or "bare" in {claimed.kind, given.kind}:
        return False
    if claimed.kind == "count":
        return bool(claimed.head) and claimed.head == given.head
    return claimed.kind == given.kind


def _comparable(one: Figure, other: Figure) -> bool:
    kinds = {one.kind, other.kind}
    if len(kinds) == 1:
        if one.kind == "money":
            return one.unit == other.unit or "$" in one.unit + other.unit
        if one.kind == "measure":
            return one.unit.lower() == other.unit.lower() or _factor(one, other) != 1.0 or _same_unit(one, other)
        return True
    return bool(kinds & {"bare"}) or kinds in ({"count", "measure"}, {"count", "money"})


def _same_unit(one: Figure, other: Figure) -> bool:
    return one.unit.lower()[:4] == other.unit.lower()[:4]


def _factor(claimed: Figure, given: Figure) -> float:
    """What the given figure is multiplied by to be in the claim's unit; 1 where units can't be told."""
    for table in (_LENGTHS, _TIMES_SPAN):
        one, other = _unit_in(claimed.unit, table), _unit_in(given.unit, table)
        if one and other and one != other:
            return other / one
    return 1.0


def _unit_in(unit: str, table: dict[str, float]) -> float | None:
    low = unit.lower()
    return next((v for name, v in table.items() if low == name or (len(name) > 2 and low.startswith(name))), None)


def _close(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b)) + 1e-9


def _rounded(claimed: Figure, point: float) -> bool:
    """Whether the claim rounds: "1.5 million" for 1,512,300, but not "1,500" for 1,512 without a word of doubt."""
    if not claimed.low < claimed.high:
        return False
    return claimed.low <= point <= claimed.high
