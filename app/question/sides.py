"""The sides of a comparison: "the mayor and the guild" of "Compare the mayor and the guild on the dam"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.question.matter import matter
from app.question.reference import ON
from app.text.lexicon import JUDGING, SAYING, VIEWS
from app.text.parse import Parse, parse

_WITH = frozenset(("with", "to", "and", "against", "than", "from", "vs", "vs.", "versus"))
_SIDE = frozenset(("NOUN", "PROPN", "NUM"))
MOST = 4
_BEFORE_MATTER = ON | {"over", "of", "whether", "that"}
_DIFFERING = frozenset(("differ", "disagree", "agree", "see"))


@dataclass(frozen=True, slots=True)
class Sides:
    """What is compared.

    Attributes:
        names: the sides, as they are written.
        questions: for each side what is asked, without the other sides.
        matter: what the sides are to speak of, where it is their words that are compared: "the dam" of "the mayor and the guild on the
            dam"; empty where it is they themselves.
        perhaps: it may as well be they themselves: "the number of members" of "the guild and the union on the number of members".
    """

    names: tuple[str, ...]
    questions: tuple[str, ...]
    matter: str = ""
    perhaps: bool = False


def sides(text: str) -> Sides | None:
    """The sides that a question names, and what is asked of each; None where it names fewer than two."""
    about = matter(text)
    found = parse(about)
    heads = _heads(found)
    if not 2 <= len(heads) <= MOST:
        return None
    spans = [_own(found, h, heads) for h in heads]
    noun = _shared(found, heads)
    shared = "" if noun is None else f" {found.words[noun].text}"
    names = tuple(about[a:b].removesuffix(shared) + shared for a, b in spans)
    first, last = spans[0][0], spans[-1][1] if noun is None else found.words[noun].end
    before, after = about[:first].rstrip(), about[last:].strip().removeprefix("'s").removeprefix("’s").strip()
    if found.words and before.split()[-1:] and before.split()[-1].lower() == "between":
        before = before[: -len("between")].rstrip()
    asked = tuple(" ".join(f"{before} {name} {after}".split()) for name in names)
    spoken, sure = _spoken_of(found, heads, last)
    return Sides(names, asked, spoken, perhaps=bool(spoken) and not sure)


def _spoken_of(found: Parse, heads: list[int], start: int) -> tuple[str, bool]:
    """What stands behind the sides and a preposition, where the sides are to speak of it, and whether that is sure.

    They surely are where a verb or noun of saying stands there ("what they say about", "their estimates of"), and where it names somebody or
    says something of its own: "on how strong ISKP is". They may be where it is something known, "the dam"; not in "the ferry and the bus on cost".
    """
    words = found.words
    prep = next((p for p, w in enumerate(words) if w.start >= start and w.lemma in _BEFORE_MATTER and w.pos in {"ADP", "SCONJ"}), None)
    if prep is None or prep + 1 == len(words):
        return "", False
    behind = words[prep + 1 :]
    said = any(w.lemma in SAYING | JUDGING | _DIFFERING for w in words if start <= w.start < words[prep].start or w.dep == "ROOT")
    viewed = any(words[h].lemma in VIEWS or words[words[h].head].lemma in VIEWS for h in heads)
    own = any(w.pos == "PROPN" or w.dep in {"nsubj", "nsubjpass"} for w in behind)
    end = behind[-1].start if behind[-1].lemma in _DIFFERING else len(found.text)
    known = any(w.dep in {"det", "poss"} for w in behind)
    return (found.text[behind[0].start : end].strip(" ?.!") if said or viewed or own or known else ""), said or viewed or own


def owner(name: str) -> str:
    """Who speaks in a side: "the author" of "the author's view", "Russian" of "Russian estimates"."""
    found = parse(name)
    views = [w for w in found.words if w.lemma in VIEWS and w.pos == "NOUN"]
    bare = name[: views[0].start].strip() if views else name
    return re.sub(r"(?:['’]s?)?(?:\s+own)?$", "", bare) or name


def _heads(found: Parse) -> list[int]:
    """The main words of the sides, in order: joined words of one kind, the ones behind "between" first."""
    words = found.words
    groups = []
    for place, word in enumerate(words):
        if word.pos not in {*_SIDE, "ADJ"} or word.dep == "conj":
            continue
        group = [place, *_joined(found, place)]
        if word.pos == "ADJ" and not all(words[g].text[:1].isupper() for g in group):
            continue  # "large and old ships" are one side
        if len(group) > 1:
            between = words[word.head].lemma == "between"
            named = any(words[g].pos in {"PROPN", "NUM"} for g in group)
            groups.append((not between, not named, place, [_within(found, group), *group[1:]]))
    return min(groups)[3] if groups else _over_against(found)


def _within(found: Parse, group: list[int]) -> int:
    """The first side: of "estimates of the board, the union and the town", which is read as three things, the board."""
    bare, *rest = ([c for c in found.children[g] if found.words[c].dep in {"det", "poss"}] for g in group)
    below = [o for c in found.children[group[0]] if found.words[c].lemma == "of" for o in found.children[c] if found.words[o].dep == "pobj"]
    return below[0] if below and not bare and all(rest) else group[0]


def _shared(found: Parse, heads: list[int]) -> int | None:
    """The noun that the sides share: "views" of "Russian and Chinese views", "estimates" of "UN and Russian estimates"."""
    first, last = found.words[heads[0]], found.words[heads[-1]]
    if last.pos == "ADJ":
        return first.head if found.words[first.head].pos == "NOUN" else None
    described = any(found.words[c].dep in {"amod", "compound"} and found.words[c].text[:1].isupper() for c in found.children[heads[-1]])
    return heads[-1] if last.pos == "NOUN" and first.pos == "PROPN" and described else None


def _joined(found: Parse, place: int) -> list[int]:
    joined = []
    for child in found.children[place]:
        word = found.words[child]
        if word.dep == "conj" and word.pos in {*_SIDE, "ADJ"}:
            joined += [child, *_joined(found, child)]
    return joined


def _over_against(found: Parse) -> list[int]:
    """Two things on both sides of "with", "to", "vs" …: "the claims of the press next to the author's view"."""
    words = found.words
    for place, word in enumerate(words):
        if word.text.lower() not in _WITH or not 0 < place < len(words) - 1:
            continue
        after = next((p for p in range(place + 1, len(words)) if words[p].pos in _SIDE and words[p].dep not in {"compound", "poss"}), None)
        before = next((p for p in range(place - 1, -1, -1) if words[p].pos in _SIDE and (p == place - 1 or words[p].dep not in {"compound", "poss"})), None)
        if before is not None and after is not None:
            return [before, after]
    return []


def _own(found: Parse, head: int, heads: list[int]) -> tuple[int, int]:
    """Where the words of one side stand, without the other sides and what hangs on both."""
    beside = {"amod", "compound", "det", "poss", "nummod", "nsubj"}  # a name right before a noun is often taken for its subject
    before = [c for c in found.children[head] if c < head and found.words[c].dep in beside and c not in heads and found.words[c].lemma not in _WITH]
    first = min((min(found.subtree(c)) for c in before), default=head)
    return found.words[first].start, found.words[head].end
