"""What kind of answer a question wants, and which of its words carry the topic."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from app.errors import BadInput
from app.question.target import Target, target_of
from app.text import periods
from app.text.parse import parse
from app.text.periods import NO_TIME, Asked
from index.terms import Vocabulary
from ingest.sentences import sentence_spans

Kind = Literal["number", "date", "person", "place", "reason", "manner", "yes-no", "description", "other"]
MAX_CHARS = 2000
_CODE = re.compile(r"```.*?```", re.S)
_SHOUTED_WORDS = 4
"""Words in capitals that are a sentence rather than names."""

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("number", re.compile(r"\bhow (?:many|much|large|big|strong|old|long|far|high|often|frequent)\b|\b(?:what|which) (?:is |was |were |are )?(?:the |a )?(?:\w+ ){0,2}(?:number|percentage|percent|share|size|amount|total|toll|population|cost|price|figure|strength|rate|estimate)\b|\bpercent(?:age)?\b", re.I)),
    ("date", re.compile(r"^\W*when\b|\b(?:what|which|in what|in which) (?:year|month|date|day|decade|century|time)\b|\bsince when\b|\bhow long ago\b|\bdate of\b", re.I)),
    ("reason", re.compile(r"\bwhy\b|\b(?:what|which) (?:\w+ ){0,3}(?:reasons?|causes?|caused|motives?|explains?|led to|factors?|purpose)\b|\bhow come\b|\bbecause of what\b", re.I)),
    ("person", re.compile(r"^\W*(?:and |but |so )?(?:who|whom|whose)\b|\bby whom\b|\b(?:what|which) (?:person|people|group|organi[sz]ation|company|author|leader|official|agency|party|country|countries)\b", re.I)),
    ("place", re.compile(r"^\W*where\b|\b(?:what|which|in what|in which) (?:place|city|town|province|provinces|region|regions|area|state|location)\b", re.I)),
    ("yes-no", re.compile(r"^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|must|may|might)\b", re.I)),
    ("manner", re.compile(r"\bhow\b|\bin what way\b", re.I)),
    ("description", re.compile(r"\bwhat\b|\bwhich\b|\b(?:describe|explain|tell|summari[sz]e|overview|compare|discuss|list)\b", re.I)),
)  # fmt: skip
FACT_KINDS: frozenset[Kind] = frozenset({"number", "date", "person", "place", "yes-no"})

_AUXILIARY = r"(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might)\b"
_ASKED_NOUN = re.compile(
    rf"\b(?:what|which|how much|how many|whose)\s+(?!{_AUXILIARY})((?:[\w'’-]+\s+){{0,3}}?[\w'’-]+?)\s+{_AUXILIARY}",
    re.I,
)
_CLASSES = frozenset(
    [
        "person",
        "people",
        "group",
        "organisation",
        "organization",
        "company",
        "author",
        "leader",
        "official",
        "agency",
        "party",
        "body",
        "institution",
        "entity",
        "entities",
        "country",
        "countries",
        "place",
        "city",
        "cities",
        "town",
        "province",
        "provinces",
        "region",
        "regions",
        "area",
        "state",
        "location",
        "year",
        "month",
        "date",
        "day",
        "decade",
        "century",
        "time",
        "number",
        "percentage",
        "percent",
        "share",
        "size",
        "amount",
        "total",
        "rate",
    ]
)
"""Nouns that say of which kind the answer is; a text that names the agency need not call it one."""
_FIGURE = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|billions?|half|third|quarter|twice|none|several|few|most|majority)\b",
    re.I,
)
_DATE = re.compile(
    r"\b(?:1[0-9]|20)\d\d(?:s)?\b|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|spring|summer|autumn|winter|century|decade|yesterday|today|last (?:year|month|week)|ago)\b",
    re.I,
)
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-ZА-ЯЁ][\w’'-]+")
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
_CAPITAL = re.compile(r"\b[A-ZА-ЯЁ][\w’'-]*")


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
    """

    text: str
    asked: str
    kind: Kind
    terms: tuple[str, ...] = ()
    needed: frozenset[str] = frozenset()
    time: Asked = NO_TIME
    about_author: bool = False
    target: Target | None = None


def analyse(text: str, vocabulary: Vocabulary, today: dt.date, *, asked: str | None = None) -> Question:
    """What a standalone question asks for; nothing after it looks at the words of the question again for that."""
    kind = kind_of(text)
    return Question(
        text=text, asked=asked or text, kind=kind, target=target_of(text, kind, vocabulary), terms=tuple(vocabulary.content_terms(text)),
        needed=frozenset(vocabulary.content_terms(need(text))), time=periods.asked(text, today),
        about_author=asks_author(text),
    )  # fmt: skip


def tidy(text: str) -> str:
    """The question as it is searched: NFC, one line, no control characters, no shouting.

    Raises:
        BadInput: it is empty or longer than ``MAX_CHARS``.
    """
    if not isinstance(text, str):
        raise BadInput("the question must be text")
    shown = unicodedata.normalize("NFC", text)
    beside = _CODE.sub(" ", shown)  # pasted code is not what is asked
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


def asked_noun(text: str) -> str | None:
    """What a question asks for by name: "salary" of "What salary did the union win?".

    None where it says just "what", or names a mere kind of thing ("which agency").
    """
    found = _ASKED_NOUN.search(text)
    noun = found[1].split()[-1] if found else None
    return None if noun and noun.lower() in _CLASSES else noun


def kind_of(text: str) -> Kind:
    """What kind of answer a question wants, from its words."""
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), "other")


def asks_author(text: str) -> bool:
    """Whether the question is about who wrote a text: bylines and notes on authors are to be read then."""
    return bool(_AUTHOR.search(text))


def naming_author(text: str, author: str) -> str:
    """The question with "the author" by name; one that asks for the name stays as it is."""
    return text if re.search(r"\bwho(?:m|se)?\b", text, re.I) else _THE_AUTHOR.sub(author, text)


def holds_kind(kind: Kind, span: str) -> bool:
    """Whether a short span is itself of the kind asked for: a figure, a date, a name."""
    if kind in {"person", "place"}:
        return bool(_CAPITAL.search(span))
    return fits_kind(kind, span)


def fits_kind(kind: Kind, sentence: str) -> bool:
    """Whether a sentence holds the kind of thing that the question asks for: a figure, a date, a name."""
    if kind == "number":
        return bool(_FIGURE.search(sentence))
    if kind == "date":
        return bool(_DATE.search(sentence))
    if kind in {"person", "place"}:
        return bool(_NAME.search(sentence) or len(_CAPITAL.findall(sentence)) > 1)
    return True
