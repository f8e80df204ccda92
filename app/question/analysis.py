"""What kind of answer a question wants, and which of its words carry the topic."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from app.errors import BadInput
from app.question.target import Target, target_of
from app.question.topic import holder_of
from app.text import periods
from app.text.lexicon import AMOUNTS, AUXILIARIES, CALENDAR, THINGS, Thing
from app.text.parse import parse
from app.text.periods import NO_TIME, Asked
from app.text.spans import CAPITALISED
from index.terms import Vocabulary
from ingest.sentences import sentence_spans

Kind = Literal["number", "date", "person", "place", "reason", "manner", "yes-no", "description", "other"]
MAX_CHARS = 2000
_SHOUTED_WORDS = 4
"""Words in capitals that are a sentence rather than names."""

_KIND_OF_THING: dict[Thing, Kind] = {"figure": "number", "date": "date", "reason": "reason", "person": "person", "group": "person", "place": "place"}
_KIND_OF_NOUN = {noun: kind for thing, kind in _KIND_OF_THING.items() for noun in THINGS[thing]}
"""What "what" and "which" ask for, by the noun behind them."""
_KIND_OF_FIRST: dict[str, Kind] = {"when": "date", "who": "person", "whom": "person", "whose": "person", "where": "place"}
_DEGREES = frozenset(("many", "much", "large", "big", "strong", "old", "long", "far", "high", "often", "frequent"))
_PHRASES: dict[str, Kind] = {
    "how come": "reason", "because of what": "reason", "by whom": "person", "since when": "date", "date of": "date", "what way": "manner",
}  # fmt: skip
_TELLING = frozenset(("what", "which", "describe", "explain", "tell", "summarise", "summarize", "overview", "compare", "discuss", "list"))
_BETWEEN: dict[Kind, int] = {"number": 2, "reason": 3, "date": 0, "person": 0, "place": 0}
"""Words that may stand between "which" and its noun; "is the" before a number is passed over."""
_ORDER: tuple[Kind, ...] = ("number", "date", "reason", "person", "place", "yes-no", "manner", "description")
"""Of several kinds that a question's words name, the first is meant."""
FACT_KINDS: frozenset[Kind] = frozenset({"number", "date", "person", "place", "yes-no"})

_TIMES = CALENDAR | {"spring", "summer", "autumn", "winter", "century", "decade", "yesterday", "today", "ago"}
_YEAR = re.compile(r"\b(?:1[0-9]|20)\d\ds?\b|\blast (?:year|month|week)\b", re.I)
_LINKED = re.compile(r"^\W*(?:(?:and|but|so|or|also|then|ok(?:ay)?|no|yes|(?:now|well)(?=,))\b[,:]?\s*)+", re.I)
_AUTHOR = re.compile(
    r"\bwho\b[^?]{0,20}\b(?:wrote|authored|penned|(?:is|was|are|were) the (?:authors?|writers?))\b|\b(?:written|authored) by (?:whom|who)\b|"
    r"\bauthors?(?:['’]s?)?\b[^?]{0,30}\b(?:names?|backgrounds?|affiliations?|jobs?|professions?|employers?|expertise)\b|"
    r"\b(?:names?|background|affiliation|job|profession|employer)\b[^?]{0,20}\b(?:authors?|writers?)\b|"
    r"\b(?:authors?|writers?)(?: of (?:the|this|that) [\w-]+)? works?\b(?! out)|"
    r"\bwhose (?:article|analysis|piece|essay|text|report|commentary)\b|^\W*authors?\b|\bwho (?:is|was) the [^?]{0,40}\bauthor\b",
    re.I,
)
_THE_AUTHOR = re.compile(
    r"\b(?:the|this|that) (?:(?:article|piece|analysis|essay|text|report|commentary)['’]s )?(?:author|writer)\b"
    r"(?: of (?:the|this|that) (?:article|piece|analysis|essay|text|report|commentary)\b)?",
    re.I,
)
_INDIRECT = re.compile(
    r"\b(?:know|asks?|asked|asking|wonder(?:s|ing)?|tell (?:me|us|him|her)|find out|understand|explain|learn|see|check|say)\b[^.!?]*?"
    r"(?<=[\s,])(?=(?:whether|if|who|whom|whose|what|when|where|why|how|which)\b)",
    re.I,
)
"""What leads to a question inside a sentence: "I would like to know whether"."""

_NUMBER = re.compile(r"\d{1,3}(?:[,\u00a0\u202f]\d{3})+|\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question ready for search, analysed once; see :func:`analyse`.

    Attributes:
        text: standalone, cleaned.
        asked: as the user wrote it.
        kind: what kind of answer it wants.
        terms: its topic terms, in order.
        needed: those of them that stand in what is wanted, not in what leads to it; see :func:`need`.
        time: the period that it names, and whether it asks about the present.
        about_author: bylines and notes on authors are to be read.
        target: which figure it asks for; None when it asks for none.
        holder: whose word it wants, as it names them ("according to the board"); empty where nobody's.
    """

    text: str
    asked: str
    kind: Kind
    terms: tuple[str, ...] = ()
    needed: frozenset[str] = frozenset()
    time: Asked = NO_TIME
    about_author: bool = False
    target: Target | None = None
    holder: str = ""


def analyse(text: str, vocabulary: Vocabulary, today: dt.date, *, asked: str | None = None) -> Question:
    """What a standalone question asks for; nothing after it looks at the words of the question again for that."""
    kind = kind_of(text)
    return Question(
        text=text, asked=asked or text, kind=kind, target=target_of(text, kind, vocabulary), terms=tuple(vocabulary.content_terms(text)),
        needed=frozenset(vocabulary.content_terms(need(text))), time=periods.asked(text, today),
        about_author=asks_author(text), holder=holder_of(text),
    )  # fmt: skip


def tidy(text: str) -> str:
    """The question as it is searched: NFC, one line, no control characters, no shouting.

    Raises:
        BadInput: it is empty or longer than ``MAX_CHARS``.
    """
    if not isinstance(text, str):
        raise BadInput("the question must be text")
    shown = unicodedata.normalize("NFC", text)
    fenced = shown.split("```")
    beside = " ".join([*fenced[::2], *(fenced[-1:] if len(fenced) % 2 == 0 else [])])  # pasted code is not what is asked
    shown = beside if any(c.isalnum() for c in beside) else shown
    shown = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in shown)
    shown = " ".join(shown.split())
    if not shown:
        raise BadInput("the question is empty; type what you want to know")
    if not any(c.isalnum() for c in shown):
        raise BadInput(f"the question {shown[:20]!r} has no words; type what you want to know")
    if len(shown) > MAX_CHARS:
        raise BadInput(f"the question has {len(shown):,} characters; the limit is {MAX_CHARS:,}: ask it shorter")
    # All in capitals, no word shows that it is a name; the search and its readers know sentences in small letters.
    return shown.capitalize() if shown.isupper() and len(shown.split()) >= _SHOUTED_WORDS else shown


def need(text: str) -> str:
    """The part of a text that says what is wanted: its questions, direct or not; the whole where none stands out.

    "I write a book. My editor asks, among other things, whether the truce holds. Thanks!" → "whether the truce holds."
    """
    asking = []
    for a, b in sentence_spans(text):
        sentence = text[a:b]
        indirect = _INDIRECT.search(sentence)
        if indirect:
            asking.append(sentence[indirect.end() :])
        elif sentence.rstrip(" \"'”’»)").endswith("?"):
            asking.append(sentence)
    return " ".join(asking) or text


def direct(text: str) -> str:
    """A request to be told something, as the question that it holds: "Show me where the ferry sank" → "where the ferry sank".

    The text itself where there is no question within, or where a noun stands outside it ("Ask the mayor why …").
    """
    found = parse(text)
    for place, word in enumerate(found.words):
        if not word.tag.startswith("W") or not place:
            continue
        clause = word.head
        while found.words[clause].dep not in {"ccomp", "advcl", "ROOT"}:
            clause = found.words[clause].head
        inside = found.subtree(clause)
        outside = [w for p, w in enumerate(found.words) if p not in inside]
        asks = found.words[clause].dep != "ROOT" and inside[0] == place and any(w.tag == "PRP" and w.lemma in {"i", "me", "we", "us"} for w in outside)
        return text[word.start :] if asks and not any(w.pos in {"NOUN", "PROPN"} for w in outside) else text
    return text


def in_full(term: str, text: str) -> str:
    """A term of the text, or the whole number that it is a part of: "50,000" for "50"."""
    if not term.isdigit():
        return term
    return next((n for n in _NUMBER.findall(text) if term in re.split(r"\D", n)), term)


def unlinked(text: str) -> str:
    """A question without the words that link it to what was said: "And then, who …" → "who …"."""
    return _LINKED.sub("", text)


def kind_of(text: str) -> Kind:
    """What kind of answer a question wants, from its words."""
    found = set(_kinds(_words(text)))
    return next((kind for kind in _ORDER if kind in found), "other")


def _kinds(words: Sequence[str]) -> Iterator[Kind]:
    """The kinds of answer that any words of a question name."""
    first = next((w for w in words if w not in {"and", "but", "so"}), "")
    if first in _KIND_OF_FIRST:
        yield _KIND_OF_FIRST[first]
    if words and (words[0] in AUXILIARIES or words[0] == "must"):
        yield "yes-no"
    for place, word in enumerate(words):
        if word in {"percent", "percentage"}:
            yield "number"
        elif word == "why":
            yield "reason"
        elif word == "how":
            yield "number" if " ".join(words[place + 1 : place + 2]) in _DEGREES else "manner"
        elif word in {"what", "which"}:
            yield from _of_noun(words[place + 1 : place + 7])
        if word in _TELLING:
            yield "description"
        for far in (2, 3):
            if phrase := _PHRASES.get(" ".join(words[place : place + far])):
                yield phrase


def _of_noun(behind: Sequence[str]) -> Iterator[Kind]:
    """The kinds that the words behind "what" or "which" name, each as near as it has to stand."""
    skipped = sum(1 for _ in takewhile({"is", "was", "were", "are", "the", "a"}.__contains__, behind[:2]))
    for place, word in enumerate(behind):
        kind = _KIND_OF_NOUN.get(word)
        if kind and place <= _BETWEEN[kind] + (skipped if kind == "number" else 0):
            yield kind


def asks_author(text: str) -> bool:
    """Whether the question is about who wrote a text: bylines and notes on authors are to be read then."""
    return bool(_AUTHOR.search(text))


def naming_author(text: str, author: str) -> str:
    """The question with "the author" by name; one that asks for the name stays as it is."""
    return text if re.search(r"\bwho(?:m|se)?\b", text, re.I) else _THE_AUTHOR.sub(author, text)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def holds_kind(kind: Kind, span: str) -> bool:
    """Whether a short span is itself of the kind asked for: a figure, a date, a name."""
    if kind in {"person", "place"}:
        return bool(CAPITALISED.search(span))
    return fits_kind(kind, span)


def fits_kind(kind: Kind, sentence: str) -> bool:
    """Whether a sentence holds the kind of thing that the question asks for: a figure, a date, a name."""
    if kind == "number":
        return any(c.isdigit() for c in sentence) or not AMOUNTS.isdisjoint(_words(sentence))
    if kind == "date":
        return bool(_YEAR.search(sentence)) or not _TIMES.isdisjoint(_words(sentence))
    if kind in {"person", "place"}:
        capitals = list(CAPITALISED.finditer(sentence))
        inside = (m.start() for m in capitals if m.start() and len(m.group()) > 1)
        return len(capitals) > 1 or any(not sentence[: at - 1].endswith((".", "!", "?")) for at in inside)
    return True
