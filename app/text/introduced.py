"""Who a short name stands for in a text: "Fenn" is "Aldo Fenn, its president", "the federation" the Growers' Federation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from app.text.continued import before, body, goes_on_from, places
from app.text.parse import Parse, parse
from ingest.source import Source

_LOOKED_AT = 3
"""Sentences with a name, the first ones, that may tell who it is."""
_PART_OF_NAME = frozenset(("compound", "appos", "poss"))
_ASIDE = ("relcl", "acl", "advcl")


def introduced(source: Source, start: int, holder: str, stem: Callable[[str], str]) -> tuple[str, ...]:
    """What a text tells of who a name in a sentence is, each as it stands there.

    A name of one person is looked up where the text names them first; "the federation" is the nearest name before it, else behind it, with
    that noun; "its" in any of these is the nearest subject that agrees.

    Args:
        start: where the sentence stands.
        stem: gives the stem of a word.
    """
    found: list[str] = []
    parsed = parse(holder)
    for word in parsed.words:
        if word.dep not in {"ROOT", "appos"}:
            continue
        if word.text[:1].isupper():
            found += _first_named(source, word.text)
        elif word.pos == "NOUN":
            found += _called(source, start, word.text, stem)
    if _points_back(parsed):
        found.append(goes_on_from("it", before(source, start)))
    return tuple(dict.fromkeys(f for f in found if f and f != holder))


def _first_named(source: Source, name: str) -> Iterator[str]:
    """What stands around a name where the text has it first."""
    seen = 0
    for a, b in places(source, body(source)):
        text = source.text[a:b]
        if not re.search(rf"\b{re.escape(name)}\b", text):
            continue
        parsed = parse(text)
        place = next((n for n, w in enumerate(parsed.words) if w.text == name), None)
        if place is not None:
            top = place
            while parsed.words[top].dep in _PART_OF_NAME and parsed.words[top].head != top:
                top = parsed.words[top].head
            told = parsed.span(top, without=_ASIDE).text
            yield told
            if _points_back(parse(told)):
                yield goes_on_from("it", before(source, a))
        seen += 1
        if seen == _LOOKED_AT:
            return


def _called(source: Source, start: int, noun: str, stem: Callable[[str], str]) -> Iterator[str]:
    """The nearest proper name whose main word is a noun: the "Corvane Growers' Federation" for "federation"."""
    spans = list(places(source, body(source)))
    nearest = [*reversed([s for s in spans if s[1] <= start]), *(s for s in spans if s[0] >= start)]
    wanted = stem(noun)
    for a, b in nearest:
        text = source.text[a:b]
        capital = [m.group() for m in re.finditer(r"\b[A-Z][\w’'-]+", text)]
        if not any(stem(c) == wanted for c in capital):
            continue
        parsed = parse(text)
        for place, word in enumerate(parsed.words):
            if word.pos == "PROPN" and word.text[:1].isupper() and stem(word.text) == wanted and word.dep != "compound":
                yield parsed.span(place, without=(*_ASIDE, "appos")).text
                return


def _points_back(parsed: Parse) -> bool:
    return any(w.tag == "PRP$" and w.lemma in {"its", "their"} for w in parsed.words)
