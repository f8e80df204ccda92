"""The words of a sentence: which carry meaning, their stems, and how tokenised corpora were printed."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from unicodedata import combining, normalize

import Stemmer

from app.text.lexicon import FUNCTION, NUMBERS

TOKEN = re.compile(r"[^\W_]+(?:[.'’&-](?=[^\W_])[^\W_]+)*")
_MARKS_OF_CORPORA = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")"}
_BLANK_OF_CORPORA = re.compile(
    r"(?<=\w) (?=(?:n't|'s|'re|'ve|'ll|'d)\b)| (?=[,.;:?!%)\]](?:\s|$))|(?<=[($£€\[]) (?=\w)|(?<=[0-9]) (?=%)"
    r"|(?<=\w) (?=- \w)|(?<=\w -) (?=\w)"
)
"""Corpora come tokenised ("one - year period", "$ 1.2 million", "US 's"); so they are read as they were printed."""


def printed(text: str) -> str:
    """A text of a tokenised corpus as it was printed, in one line; other texts stay."""
    for mark, shown in _MARKS_OF_CORPORA.items():
        text = text.replace(mark, shown)
    text = _BLANK_OF_CORPORA.sub("", text)
    return " ".join(text.replace("’", "'").split())


def tokens(text: str) -> list[re.Match[str]]:
    """The words of a printed text, in order."""
    return list(TOKEN.finditer(text))


def plain(word: str) -> bool:
    """Whether a word carries no meaning of its own, or is a figure."""
    low = bare(word).lower()
    return low in FUNCTION or len(low) < 2 or low[0].isdigit() or (low in NUMBERS and low != "zero")


def bare(word: str) -> str:
    """A word without the ending of a possessive."""
    return re.sub(r"['’]s?$", "", word)


def parts(word: str) -> tuple[str, ...]:
    """A word and what it is joined of, lower case: "Anglo-Dutch" has "anglo" and "dutch"."""
    low = bare(word).lower().replace(".", "")
    return (low, *(p for p in re.split(r"[-'’&]", low) if p != low and len(p) > 1))


def stems_of(word: str) -> tuple[str, ...]:
    """The stems of a word and of what it is joined of."""
    return tuple(stem(p) for p in parts(word))


def unaccented(word: str) -> str:
    """A word without accents."""
    return word if word.isascii() else "".join(c for c in normalize("NFD", word) if not combining(c))


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Snowball stem of a lower-cased word."""
    return str(_stemmer().stemWord(word.lower()))
