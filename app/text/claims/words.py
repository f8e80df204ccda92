"""The words of a sentence: which carry meaning, their stems, and how tokenised corpora were printed."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from unicodedata import combining, normalize

import Stemmer

TOKEN = re.compile(r"[^\W_]+(?:[.'’&-](?=[^\W_])[^\W_]+)*")
_MARKS_OF_CORPORA = {"``": '"', "''": '"', "-LRB-": "(", "-RRB-": ")"}
_BLANK_OF_CORPORA = re.compile(
    r"(?<=\w) (?=(?:n't|'s|'re|'ve|'ll|'d)\b)| (?=[,.;:?!%)\]](?:\s|$))|(?<=[($£€\[]) (?=\w)|(?<=[0-9]) (?=%)"
    r"|(?<=\w) (?=- \w)|(?<=\w -) (?=\w)"
)
_RANGE_OF_CORPORA = re.compile(r"(?<=[0-9]) (?:--|–) (?=[0-9])")
"""Corpora come tokenised ("one - year period", "$ 1.2 million", "US 's"); so they are read as they were printed."""
FUNCTION = frozenset(
    """
    a about above after again against all also although am among an and another any are as at away be because been before
    being below between both but by can could did do does doing done down during each either else even ever every few for
    from further had has have having he her here hers herself him himself his how however i if in indeed into is it its
    itself just least less let like made make makes many may me might more most much must my near neither no nor not of
    off often on once one only onto or other others our out over own per put rather said same say says several shall she
    should since so some still such than that the their them themselves then there therefore these they this those though
    through thus to together too toward towards under until up upon us very was we well were what when where whereas
    whether which while who whom whose why will with within without would yet you your never none nothing nobody cannot
    along around across amid upon onto via whilst despite according told been it's there's that's
    """.split()  # noqa: SIM905 - reads better than a list
)
DIGIT_WORDS = {
    w: i for i, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()  # noqa: SIM905
    )
}  # fmt: skip


def printed(text: str) -> str:
    """A text of a tokenised corpus as it was printed, in one line; other texts stay."""
    for mark, shown in _MARKS_OF_CORPORA.items():
        text = text.replace(mark, shown)
    text = _BLANK_OF_CORPORA.sub("", _RANGE_OF_CORPORA.sub("–", text))
    return " ".join(text.replace("’", "'").split())


def tokens(text: str) -> list[re.Match[str]]:
    """The words of a printed text, in order."""
    return list(TOKEN.finditer(text))


def plain(word: str) -> bool:
    """Whether a word carries no meaning of its own, or is a figure."""
    low = bare(word).lower()
    return low in FUNCTION or len(low) < 2 or low[0].isdigit() or (low in DIGIT_WORDS and low != "zero")


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
