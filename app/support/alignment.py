"""A claim laid beside a sentence of a text, word by word: what was left out, and which name stands for which."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from app.text import claims
from app.text.claims import Said
from app.text.lexicon import PARTICLES

_LEAST_WORDS = 4
_LIGHT = frozenset("a an the is are was were be been being has have had that".split())  # noqa: SIM905


def excerpt(claim: Said, given: Said) -> bool:
    """Whether a claim is the sentence itself with no more than phrases left out, so that it says nothing else.

    Left out may be what a comma or a bracket opens (", who …"), in front only what a comma ends; forms of "be" and "have" and articles may differ. Denials must be the same.
    """
    if len(claim.order) < _LEAST_WORDS or len(claim.denials) != len(given.denials):
        return False
    own = [t.group().lower() for t in claims.tokens(claim.text)]
    there = claims.tokens(given.text)
    place, before = -1, -1
    for word in own:
        place = next((i for i in range(place + 1, len(there)) if there[i].group().lower() == word), -1)
        if place < 0:
            if word not in _LIGHT:
                return False
            place = before
            continue
        if not _may_go(given.text, there, before + 1, place):
            return False
        before = place
    return before >= 0 and _may_go(given.text, there, before + 1, len(there))


def _may_go(text: str, tokens: Sequence[re.Match[str]], start: int, end: int) -> bool:
    """Whether the words from ``start`` up to ``end`` can be left out without a change of what the rest says."""
    if all(t.group().lower() in _LIGHT for t in tokens[start:end]):
        return True
    if start == 0:
        return end < len(tokens) and "," in text[tokens[end - 1].end() : tokens[end].start()]
    gap = text[tokens[start - 1].end() : tokens[start].start()]
    return bool(re.search(r"[,;(–—]", gap))


_LEAST_ALIKE, _LEAST_MEANT, _MUCH_ALIKE = 4, 2, 6
_THERE = 0.5
_LINK = 5
"""Words between two names, at most, for them to be taken together."""
_BE = frozenset(("is", "are", "was", "were", "be", "been", "being"))
_DONE = re.compile(
    r"\w{2,}(?:ed|en|wn|aid|ade|old|ept|eft|ost|ent|ung|ilt|ght|one)|put|set|cut|let|hit|met|fed|led|won|held|sung|run",
    re.I,
)
_BEHIND = 2
"""Words behind what was left out that must be the same."""
_LONG_NAME = 3
_MUTUAL = re.compile(
    r"(?:meet\w*|met|marr\w+|border\w*|adjoin\w*|neighbou?r\w*|resembl\w+|cooperat\w+|collaborat\w+|co-\w+|face[sd]?|"
    r"play\w*|fought|fight\w*|join\w*|divorc\w+|betwe\w+|near\w*|close|relat\w+|merge[ds]?|alternat\w+|equals?|"
    r"correspond\w*|differ\w*|overlap\w*|connect\w*|link\w*|trade[sd]?|talk\w*|negotiat\w+|versus|vs|called|known)",
    re.I,
)
"""What two do to one another, or one is to the other as the other to it."""
_NEXT = 3
"""Words looked at on either side of a name for the first that means something."""


def name_exchanged(claim: Said, given: Iterable[Said]) -> str:
    """The name in the place of which the claim has another one, where the words around are the same; else "".

    "The ferry line of Norholm was closed in May" over "The ferry line of Skagen was closed in May". The words on both
    sides must be the same, at least ``_LEAST_ALIKE`` next to the name, ``_LEAST_MEANT`` of them with a meaning; for a
    name that the sentence has in another place ``_MUCH_ALIKE``, and not in a list, whose order means nothing. A name
    that stands next to the same word elsewhere in the text is let be.
    """
    if not claim.names:
        return ""
    given = list(given)
    own = claims.tokens(claim.text)
    named = frozenset(w for name in claim.names for w in name)
    proper = frozenset(w for s in given for name in s.names for w in name if w[0].isupper())
    stems = [_stem(t) for t in own]
    for said in given:
        there = claims.tokens(said.text)
        if len(set(stems) & {_stem(t) for t in there}) < _LEAST_ALIKE:
            continue
        opcodes = SequenceMatcher(None, stems, [_stem(t) for t in there], autojunk=False).get_opcodes()
        for n, (kind, i1, i2, j1, j2) in enumerate(opcodes):
            alike = _alike_beside(own, opcodes, n) if kind == "replace" else 0
            if alike < _LEAST_ALIKE:
                continue
            name = _only_names(own[i1:i2], named, inside=i1 > 0)
            ends = n + 1 == len(opcodes)  # the sentence may go on behind the name that the claim ends with
            other = _only_names(there[j1 : _name_end(there, j1, j2, proper) if ends else j2], proper)
            if not name or not other or any(claims.akin(w.lower(), o.lower()) for w in name for o in other):
                continue
            if _initials(other, there[j1:j2]) & {w.lower() for w in name} or _initials(name, own[i1:i2]) & {
                w.lower() for w in other
            }:
                continue
            if claims.name_share(name, said) > _THERE and (alike < _MUCH_ALIKE or _listed(claim.text, own, i1, i2)):
                continue  # names of a list stand in any order
            if not any(_beside_elsewhere(own, i1, i2, name, s) for s in given if s is not said):
                return " ".join(next((n for n in said.names if other[-1] in n and "and" not in n), other))
    return ""


def names_swapped(claim: Said, given: Iterable[Said]) -> str:
    """The name that does in the text what another does to it in the claim; "" if the two have not changed places.

    "Norholm outbid Velm" over "Velm outbid Norholm". The words between must be the same, so that "was outbid by" is let
    be, and one of them must have a meaning that is not mutual ("met", "borders").
    """
    there = [link for said in given for link in _links(said)]
    for first, between, second in _links(claim):
        if (first, between, second) not in there and (second, between, first) in there:
            return second
    return ""


def verb_left_out(claim: Said, given: Iterable[Said]) -> str:
    """The participle without which the claim says what is, where the text says what was done; "" if none is left out.

    "Norholm is a ferry line" over "Norholm is given a ferry line": the words around it are the same.
    """
    own = [_stem(t) for t in claims.tokens(claim.text)]
    for said in given:
        there = claims.tokens(said.text)
        opcodes = SequenceMatcher(None, own, [_stem(t) for t in there], autojunk=False).get_opcodes()
        for before, (kind, _, _, j1, _), behind in zip(opcodes, opcodes[1:], opcodes[2:], strict=False):
            if kind != "insert" or there[j1 - 1].group().lower() not in _BE or not _DONE.fullmatch(there[j1].group()):
                continue
            if before[0] == behind[0] == "equal" and behind[2] - behind[1] >= _BEHIND:
                return there[j1].group()
    return ""


def name_made_up(claim: Said, texts: Iterable[str]) -> str:
    """A name of three words or more that stands nowhere in this order, though each of its words may; "" if none."""
    order = [
        [_stem(t) for t in claims.tokens(claims.printed(text)) if t.group().lower() not in _SMALL] for text in texts
    ]
    for name in claim.names:
        words = [claims.stem(w.lower()) for w in name if w.lower() not in _SMALL]
        if len(words) >= _LONG_NAME and not any(_holds(o, words) for o in order):
            return " ".join(name)
    return ""


def _holds(order: Sequence[str], words: Sequence[str]) -> bool:
    return any(order[k : k + len(words)] == list(words) for k in range(len(order) - len(words) + 1))


def _links(said: Said) -> list[tuple[str, tuple[str, ...], str]]:
    """Neighbouring names of a sentence, each by its last word, with the stems of the words between them."""
    last = {n[-1] for n in said.names}
    parts = {w for n in said.names for w in n}
    tokens = claims.tokens(said.text)
    found = []
    at = [k for k, t in enumerate(tokens) if claims.bare(t.group()) in last]
    for one, other in pairwise(at):
        between = tokens[one + 1 : other]
        while between and claims.bare(between[-1].group()) in parts:
            between = between[:-1]
        gap = said.text[tokens[one].end() : tokens[other].start()]
        meant = [t for t in between if not claims.plain(t.group())]
        if not 0 < len(between) <= _LINK or not meant or _JOINED.search(gap):
            continue
        if all(_MUTUAL.fullmatch(t.group()) for t in meant):
            continue
        ends = (claims.bare(tokens[one].group()), claims.bare(tokens[other].group()))
        found.append((ends[0], tuple(_stem(t) for t in between), ends[1]))
    return found


def _stem(token: re.Match[str]) -> str:
    return claims.stem(claims.bare(token.group()).lower())


def _alike_beside(own: Sequence[re.Match[str]], opcodes: Sequence[tuple[str, int, int, int, int]], n: int) -> int:
    """Words that are the same in both next to what differs; 0 where they are on one side alone or mean too little."""
    left = own[opcodes[n - 1][1] : opcodes[n - 1][2]] if n else []
    right = own[opcodes[n + 1][1] : opcodes[n + 1][2]] if n + 1 < len(opcodes) else []
    if (n and not left) or (n + 1 < len(opcodes) and not right):
        return 0
    alike = [*left, *right]
    return len(alike) if sum(not claims.plain(t.group()) for t in alike) >= _LEAST_MEANT else 0


def _only_names(run: Sequence[re.Match[str]], proper: frozenset[str], *, inside: bool = False) -> list[str]:
    """The words of names in a stretch that holds nothing else but small words; [] if it holds none or more.

    Args:
        inside: the stretch stands within a sentence, where any capital makes a name, of a month too.
    """
    found = []
    for token in run:
        word = claims.bare(token.group())
        if word[0].isupper() and (word in proper or (inside and word.lower() not in _SMALL)):
            found.append(word)
        elif word.lower() not in _SMALL:
            return []
    return found


def _name_end(there: Sequence[re.Match[str]], start: int, end: int, proper: frozenset[str]) -> int:
    """Where the name ends that a stretch begins with."""
    stop = start
    while stop < end and (claims.bare(there[stop].group()) in proper or there[stop].group().lower() in PARTICLES):
        stop += 1
    return stop


def _initials(name: Sequence[str], run: Sequence[re.Match[str]]) -> set[str]:
    """What the name would be if only its first letters were written, with and without its small words."""
    return {"".join(w[0] for w in name).lower(), "".join(t.group()[0] for t in run).lower()}


def _listed(text: str, own: Sequence[re.Match[str]], i1: int, i2: int) -> bool:
    """Whether a stretch is one of several joined by commas or "and", so that its place means nothing."""
    before = text[own[i1 - 1].start() : own[i1].start()] if i1 else ""
    behind = text[own[i2 - 1].end() : own[i2].end()] if i2 < len(own) else ""
    return bool(_JOINED.search(before) or _JOINED.search(behind))


_JOINED = re.compile(r",|;|&|/|\b(?:and|or|nor|with)\b", re.I)
_SMALL = PARTICLES | {"a", "an", "then", "in", "on", "at"}


def _beside_elsewhere(own: Sequence[re.Match[str]], i1: int, i2: int, name: Sequence[str], said: Said) -> bool:
    """Whether a sentence has the name next to a word with a meaning that is next to it in the claim."""
    beside = _next_to(own, i1, i2)
    there = claims.tokens(said.text)
    last = claims.stem(name[-1].lower())
    return any(_stem(t) == last and beside & _next_to(there, k, k + 1) for k, t in enumerate(there))


def _next_to(tokens: Sequence[re.Match[str]], start: int, end: int) -> set[str]:
    """Stems of the first words with a meaning before and behind a stretch, small words passed over."""
    sides = (reversed(tokens[max(0, start - _NEXT) : start]), tokens[end : end + _NEXT])
    found = (next((t for t in side if not claims.plain(t.group())), None) for side in sides)
    return {_stem(t) for t in found if t is not None}
