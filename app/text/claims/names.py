"""The names of a sentence, and whether another sentence names the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from rapidfuzz import fuzz

from app.text.claims.pieces import Said
from app.text.claims.words import bare, stem, unaccented
from app.text.lexicon import CALENDAR, FUNCTION, HONORIFICS, NUMBERS, ORDINALS, PARTICLES

_NO_NAME = HONORIFICS | FUNCTION | CALENDAR | NUMBERS.keys() | ORDINALS.keys()
_DEMONYM_PAIRS = """
/ france/french spain/spanish britain/british uk/british uk/britain england/english scotland/scottish wales/welsh
ireland/irish netherlands/dutch holland/dutch greece/greek denmark/danish switzerland/swiss germany/german
poland/polish turkey/turkish turkey/turk philippines/filipino sweden/swedish sweden/swede finland/finnish finland/finn
iceland/icelandic thailand/thai cyprus/cypriot peru/peruvian norway/norwegian portugal/portuguese brazil/brazilian
afghanistan/afghan kazakhstan/kazakh uzbekistan/uzbek tajikistan/tajik kyrgyzstan/kyrgyz turkmenistan/turkmen
pakistan/pakistani europe/european asia/asian africa/african america/american us/american usa/american canada/canadian
mexico/mexican argentina/argentine lebanon/lebanese congo/congolese moscow/russia kremlin/russia russia/russian
china/chinese beijing/china sudan/sudanese myanmar/burmese burma/burmese ukraine/ukrainian belgium/belgian
hungary/hungarian austria/austrian romania/romanian bulgaria/bulgarian croatia/croatian serbia/serbian
albania/albanian ghana/ghanaian somalia/somali
"""
_DEMONYMS = frozenset(frozenset(pair.split("/")) for pair in _DEMONYM_PAIRS.split())
_PLACE_ENDS = re.compile(r"(?:land|any|ia|a|y|e|i|an|ian|ese|ish|ic|n|en|o|stan|s|er|ers|ans|ians)?$")


def names_of(text: str, tokens: Sequence[re.Match[str]]) -> tuple[tuple[str, ...], ...]:
    """The capitalised runs of a sentence, each as its words."""
    names: list[tuple[str, ...]] = []
    run: list[str] = []

    def close() -> None:
        while run and run[-1].lower() in PARTICLES:
            run.pop()
        if run:
            names.append(tuple(run))
        run.clear()

    for n, match in enumerate(tokens):
        word = bare(match.group())
        gap = text[tokens[n - 1].end() : match.start()] if n else ""
        opens = n == 0 or bool(re.search(r'[.!?"“(:]\s*$', gap))
        if run and gap.strip(" .-'"):
            close()
        if word[0].isupper() and len(word) > 1 and (word.isupper() or word.lower() not in _NO_NAME):
            # At the opening of a sentence a word is a name only when a name goes on behind it, or it is no plain word.
            follows = (
                n + 1 < len(tokens)
                and text[match.end() : tokens[n + 1].start()] == " "
                and tokens[n + 1].group()[0].isupper()
            )
            if not opens or follows or not word[1:].islower():
                run.append(word)
                continue
            close()
            continue
        if (
            run
            and word.lower() in PARTICLES
            and n + 1 < len(tokens)
            and tokens[n + 1].group()[0].isupper()
            and not gap.strip()
        ):
            run.append(word)
            continue
        close()
    close()
    return tuple(dict.fromkeys(names))


def initials_of(names: Iterable[tuple[str, ...]]) -> Iterable[str]:
    """The acronyms that names would give."""
    for name in names:
        capitals = [w for w in name if w[0].isupper()]
        if len(capitals) > 1:
            yield "".join(w[0] for w in capitals).lower()
            yield "".join(w[0] for w in name).lower()


def name_share(name: Sequence[str], said: Said) -> float:
    """How much of a name stands in a sentence, in [0, 1]; the last word counts as much as the others together."""
    parts = [w for w in name if w[0].isupper()]
    if not parts:
        return 1.0
    joined = "".join(w[0] for w in parts).lower()
    if len(parts) > 1 and joined in said.tokens:
        return 1.0
    weights = [1.0] * len(parts)
    weights[-1] = max(1.0, len(parts) - 1.0)
    there = sum(w for part, w in zip(parts, weights, strict=True) if word_of_name(part, said))
    return there / sum(weights)


def word_of_name(word: str, said: Said) -> bool:
    """Whether a word of a name stands in a sentence: so spelt, inflected, as initials, or as its country's people."""
    low = word.lower().replace(".", "")
    if low in said.tokens or stem(low) in said.stems or low in said.initials:
        return True
    pieces = [p for p in re.split(r"[-'’&]", low) if len(p) > 1]
    if len(pieces) > 1 and all(p in said.tokens or stem(p) in said.stems for p in pieces):
        return True
    return any(akin(low, t) for t in said.tokens if t[:1] == low[:1] or len(t) > 2)


def akin(one: str, other: str) -> bool:
    """Whether two lower-case words name the same: a country and its people, or one word spelt in two ways."""
    return (
        one == other
        or stem(one) == stem(other)
        or _same_place(one, other)
        or _spelt_alike(one, other)
        or unaccented(one) == unaccented(other)
    )


@lru_cache(maxsize=65_536)
def _same_place(one: str, other: str) -> bool:
    """Whether two words are a country and its people: "Germany" and "German"."""
    if frozenset((one, other)) in _DEMONYMS or frozenset((one.rstrip("s"), other.rstrip("s"))) in _DEMONYMS:
        return True
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    if shared < 4 or shared < 0.55 * max(len(one), len(other)):
        return False
    return bool(_PLACE_ENDS.fullmatch(one[shared:]) and _PLACE_ENDS.fullmatch(other[shared:]))


def _spelt_alike(one: str, other: str) -> bool:
    return len(one) > 5 and len(other) > 5 and one[0] == other[0] and fuzz.ratio(one, other) >= 88
