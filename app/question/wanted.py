"""What things a question asks for: the noun behind "which", "list", "how many", and the kind of name that fits it."""

from __future__ import annotations

from dataclasses import dataclass

from app.question.matter import FORM
from app.text.lexicon import THINGS, Thing
from app.text.parse import Parse, parse
from index.embed import Encoder

_OTHER = ["attack", "reason", "factor", "thing", "argument", "event", "measure", "law", "claim", "product", "crop", "animal", "weapon", "method", "target", "word", "language", "problem"]
"""Nouns of no kind that a name fits; a noun is of the kind whose example is nearest in meaning."""
_KINDS: tuple[Thing, ...] = ("place", "person", "group", "date", "figure")
SURE = 0.4
"""Least cosine to an example: below it the kind is not known, and sentences are listed rather than names."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The things that are asked for.

    Attributes:
        noun: dictionary form of the noun, "" where none was found.
        words: the noun as it stands, with the words before it ("Afghan provinces").
    """

    noun: str
    words: str


def things(text: str) -> Asked:
    """The noun that names what is asked for: "gates" of "Which gates of the old harbour are open?"."""
    found = parse(text)
    place = _asked(found)
    if place is None:
        return Asked("", "")
    first = min((c for c in found.children[place] if found.words[c].dep in {"amod", "compound"} and found.words[c].lemma != "many"), default=place)
    return Asked(found.words[place].lemma, text[found.words[first].start : found.words[place].end])


def thing_of(noun: str, encoder: Encoder) -> Thing:
    """The kind of things that a noun names."""
    kinds: list[tuple[Thing, str]] = [(kind, word) for kind in _KINDS for word in sorted(THINGS[kind])] + [("other", word) for word in _OTHER]
    if not noun:
        return "other"
    for kind, word in kinds:
        if word == noun:
            return kind
    vectors = encoder.encode([noun, *(word for _, word in kinds)])
    close = (vectors[1:] @ vectors[0]).tolist()
    best = max(range(len(kinds)), key=close.__getitem__)
    return kinds[best][0] if close[best] >= SURE else "other"


def _asked(found: Parse) -> int | None:
    words = found.words
    for place, word in enumerate(words):
        determined = word.tag == "WDT" or (word.lemma in {"which", "what"} and word.dep == "det")
        if determined and words[word.head].pos in {"NOUN", "PROPN"}:
            return word.head
        if determined and place + 1 < len(words):
            after = next((p for p in range(place + 1, len(words)) if words[p].tag in {"NNS", "NNPS"}), None)
            if after is not None and all(words[p].pos in {"NOUN", "PROPN", "ADJ"} for p in range(place + 1, after)):
                return after
        if word.lemma == "many" and words[word.head].pos == "NOUN":
            return word.head
    plural = (p for p, w in enumerate(words) if w.tag in {"NNS", "NNPS"} and w.lemma not in FORM)
    return next(plural, next((p for p, w in enumerate(words) if w.tag in {"NNS", "NN"} and w.lemma not in FORM), None))
