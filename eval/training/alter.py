"""Claims made from sentences by script: shortened without changing what they say, or altered so that they say otherwise."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from itertools import pairwise

_NUMBER = re.compile(r"(?<![\w.-])\d[\d,]*(?:\.\d+)?(?![\w-])")
_WORDS = [
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "hundred",
    "thousand",
    "million",
    "billion",
    "half",
    "third",
    "quarter",
    "first",
    "second",
]
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_WORDS)})\b", re.I)
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|has|have|had|can|could|will|would|should|must|may|might|did|does|do)\b(?! not\b)(?=\s)", re.I
)
_NOT = re.compile(
    r"\b(is|are|was|were|has|have|had|can|could|will|would|should|must|may|might|did|does|do) not\b", re.I
)
_NAME = re.compile(r"(?<=[\w,;] )[A-Z][\w'’-]+(?: (?:of |the |de |al-)?[A-Z][\w'’-]+)*")
_LISTED = re.compile(r"\s*(?:,|;|/|&|\(|\)|and|or|nor|with|as well as|\s)*\s*")
_OPPOSITES = [
    ("before", "after"), ("first", "last"), ("more", "fewer"), ("more", "less"), ("most", "least"), ("largest", "smallest"),
    ("increase", "decrease"), ("increased", "decreased"), ("rose", "fell"), ("high", "low"), ("higher", "lower"),
    ("north", "south"), ("northern", "southern"), ("east", "west"), ("eastern", "western"), ("early", "late"),
    ("won", "lost"), ("accepted", "rejected"), ("began", "ended"), ("always", "never"), ("all", "none"), ("many", "few"),
    ("major", "minor"), ("male", "female"), ("old", "young"), ("older", "younger"), ("success", "failure"),
    ("successful", "unsuccessful"), ("possible", "impossible"), ("allowed", "forbade"), ("above", "below"),
    ("with", "without"), ("public", "private"), ("common", "rare"), ("maximum", "minimum"), ("gained", "lost"),
    ("earlier", "later"), ("longer", "shorter"), ("strong", "weak"), ("supported", "opposed"), ("both", "neither"),
    ("internal", "external"), ("positive", "negative"), ("import", "export"), ("imports", "exports"), ("best", "worst"),
]  # fmt: skip
_OPPOSITE = {a: b for pair in _OPPOSITES for a, b in (pair, pair[::-1])}


def shortened(sentence: str, rng: random.Random) -> str:
    """The sentence, now and then without its brackets, its opening adverb or its last clause."""
    text = sentence.strip()
    if rng.random() < 0.6:
        text = re.sub(r"\s*\([^()]*\)|\s*-LRB-.*?-RRB-", "", text)
    if rng.random() < 0.7:
        text = re.sub(
            r"^(?:However|Moreover|Furthermore|Also|Thus|Therefore|Additionally|In addition|For example)\s*,\s*",
            "",
            text,
        )
    if rng.random() < 0.4:
        cut = re.sub(r"\s*,(?! (?:if|unless|but|except))[^,]*([.!?])$", r"\1", text)
        if len(cut.split()) >= 7:
            text = cut
    return text[:1].upper() + text[1:]


def altered(claim: str, names: Sequence[str], rng: random.Random) -> str | None:
    """The claim with one number, name, negation or opposite changed, or two names exchanged; None if it has none of them."""
    ways: list[Callable[[], str | None]] = [
        lambda: _other_number(claim, rng),
        lambda: _other_number(claim, rng),
        lambda: _other_name(claim, names, rng),
        lambda: _other_name(claim, names, rng),
        lambda: _exchanged(claim, rng),
        lambda: _denied(claim, rng),
        lambda: _opposed(claim, rng),
    ]
    rng.shuffle(ways)
    return next((new for new in (way() for way in ways) if new and new != claim), None)


def _replaced(text: str, found: re.Match[str], new: str) -> str:
    return text[: found.start()] + new + text[found.end() :]


def _other_number(text: str, rng: random.Random) -> str | None:
    digits, words = list(_NUMBER.finditer(text)), list(_NUMBER_WORD.finditer(text))
    if not digits and not words:
        return None
    found = rng.choice(digits or words)
    old = found.group()
    if not digits:
        new = rng.choice([w for w in _WORDS if w != old.lower()])
        return _replaced(text, found, new.capitalize() if old[0].isupper() else new)
    plain = old.replace(",", "")
    if "." in plain:
        new = f"{float(plain) * rng.choice((0.5, 1.3, 2, 3)):.{len(plain.split('.')[1])}f}"
    elif re.fullmatch(r"1[5-9]\d\d|20\d\d", old):
        new = str(int(plain) + rng.choice((-30, -10, -7, -3, -2, -1, 1, 2, 3, 8, 10, 20)))
    else:
        value = int(plain)
        new = str(max(0, rng.choice((value * 2, value * 10, value + 1, value + 3, value // 2, value + 20, value - 1))))
        new = f"{int(new):,}" if "," in old else new
    return _replaced(text, found, new) if new != old else None


def _other_name(text: str, names: Sequence[str], rng: random.Random) -> str | None:
    there = [m for m in _NAME.finditer(text) if len(m.group()) > 2]
    others = [n for n in names if n not in text]
    if not there or not others:
        return None
    return _replaced(text, rng.choice(there), rng.choice(others))


def _exchanged(text: str, rng: random.Random) -> str | None:
    """Two neighbouring names in each other's place, unless they are merely listed together."""
    names = list(_NAME.finditer(text))
    pairs = [
        (a, b)
        for a, b in pairwise(names)
        if not _LISTED.fullmatch(text[a.end() : b.start()])
        if a.group() not in b.group() and b.group() not in a.group()
    ]
    if not pairs:
        return None
    a, b = rng.choice(pairs)
    return text[: a.start()] + b.group() + text[a.end() : b.start()] + a.group() + text[b.end() :]


def _denied(text: str, rng: random.Random) -> str | None:
    found = _NOT.search(text)
    if found:
        return _replaced(text, found, found.group(1))
    found = _AUXILIARY.search(text)
    return _replaced(text, found, f"{found.group()} {rng.choice(('not', 'not', 'never'))}") if found else None


def _opposed(text: str, rng: random.Random) -> str | None:
    found = [m for m in re.finditer(r"[A-Za-z]+", text) if m.group().lower() in _OPPOSITE]
    if not found:
        return None
    one = rng.choice(found)
    new = _OPPOSITE[one.group().lower()]
    return _replaced(text, one, new.capitalize() if one.group()[0].isupper() else new)
