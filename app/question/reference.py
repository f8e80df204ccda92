"""Words of a question that mean a text, or who wrote it, without giving its title: "the ferry article", "the author"."""

from __future__ import annotations

from dataclasses import dataclass

from app.text.lexicon import SAYING, TEXTS, WRITERS
from app.text.parse import Parse, parse

ON = frozenset(("about", "on", "regarding", "concerning", "of", "with"))
"""Prepositions before what is spoken of."""
_ONE_TEXT = (TEXTS | WRITERS) - {"collection", "corpus", "source"}
"""Nouns that mean one text or its writer, not all that is read here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Words of a question that mean one text, or who wrote it: "the ferry article", "the author".

    Attributes:
        start: where they begin.
        text: as they stand in the question, without ’s.
        noun: the noun itself, as written.
        beside: its other words that say which: "ferry"; empty where none does.
        shorter: the words without what stands behind the noun: "the text" for "the text on the ferry"; empty where nothing does.
        writer: it means who wrote the text.
    """

    start: int
    text: str
    noun: str
    beside: str
    shorter: str = ""
    writer: bool = False


def reference(question: str) -> Reference | None:
    """The text that a question means without its title, by the parse; None for "the texts", "an article" and "the paper mill"."""
    found = parse(question)
    for place, word in enumerate(found.words):
        one = word.pos in {"NOUN", "PROPN"} and word.tag in {"NN", "NNP"} and word.dep not in {"compound", "nmod"}
        if not one or word.lemma not in _ONE_TEXT:
            continue
        own = found.children[place]
        before = [c for c in own if c < place]
        if any(found.words[c].dep == "det" and found.words[c].lemma not in {"the", "this", "that"} for c in before):
            continue
        said = [p for c in before if found.words[c].dep in {"compound", "amod", "nmod"} for p in found.subtree(c)]
        said += _behind(found, place)
        start = found.words[min([place, *(p for c in before for p in found.subtree(c))])].start
        behind = _behind(found, place)
        return Reference(
            start=start, text=question[start : found.words[max([place, *behind])].end], noun=word.text,
            beside=" ".join(found.words[p].text for p in sorted(said) if found.words[p].lemma not in _ONE_TEXT),
            shorter=question[start : word.end] if behind else "", writer=word.lemma in WRITERS,
        )  # fmt: skip
    return None


def _behind(found: Parse, place: int) -> list[int]:
    """Places of the phrase behind a noun for a text that says which: "on the ferry", up to a verb."""
    words = found.words
    on = next((c for c in found.children[place] if c == place + 1 and words[c].dep == "prep" and words[c].lemma in ON), None)
    if on is None:
        return []
    noun = next((p for p in range(on + 1, len(words)) if words[p].pos in {"NOUN", "PROPN"}), None)
    if noun is None:
        return []
    while noun + 1 < len(words) and words[noun + 1].pos in {"NOUN", "PROPN"} and words[noun + 1].tag not in {"VB", "VBP", "VBZ"} and words[noun + 1].lemma not in SAYING:
        noun += 1
    return list(range(on, noun + 1))
