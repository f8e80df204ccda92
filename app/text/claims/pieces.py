"""What a sentence says, in pieces: words, figures, dates, names, denials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Find = Literal["here", "near", "far", "nowhere"]
"""Where a piece of a claim stands: in the sentences compared, beside them, elsewhere in the text, or nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that a sentence gives.

    Attributes:
        text: as written.
        low, high: what numbers agree with it.
        point: the number itself; the higher end of a range.
        kind: count, money, percent, measure, ordinal, times, or bare (a number of which nothing is known).
        unit: sign or noun, as ``app.text.quantities`` tells it.
        head: what is counted, by its group; "" if unknown.
        bound: "exact", "about", "at least", "at most", "vague".
        range: both ends were given.
        at: where it stands in the printed text.
    """

    text: str
    low: float
    high: float
    point: float
    kind: str
    unit: str = ""
    head: str = ""
    bound: str = "exact"
    range: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A date that a sentence gives, in days as YYYYMMDD; year 0 when only day and month are told."""

    text: str
    first: int
    last: int
    relation: str = "at"
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word that carries meaning."""

    text: str
    stem: str
    capital: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A word that denies, by its stem, and the stems behind it; ``plain`` for "not" and its like."""

    cue: str
    plain: bool
    of: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a sentence says, in pieces.

    Attributes:
        text: as printed, without the marks of tokenised corpora.
        words: words that carry meaning, in order, each once.
        stems: of all words.
        tokens: all words, lower case.
        names: capitalised runs, each as its words; aliases have their own field.
        aliases: groups of spellings that stand in it.
        order: where each word stands, and its stem; "" for words that carry no meaning.
        denials: words that deny, with what they deny.
        initials: acronyms that its names would give.
    """

    text: str
    words: tuple[Word, ...]
    stems: frozenset[str]
    tokens: frozenset[str]
    names: tuple[tuple[str, ...], ...]
    aliases: frozenset[frozenset[str]]
    figures: tuple[Figure, ...]
    moments: tuple[Moment, ...]
    order: tuple[tuple[int, str], ...]
    denials: tuple[Denial, ...]
    initials: frozenset[str]

    @property
    def denied(self) -> bool:
        """Whether a plain denial (not, no, never, …) stands in it."""
        return any(d.plain for d in self.denials)
