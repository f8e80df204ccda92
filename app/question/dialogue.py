"""What a conversation is about when a turn comes: the last question, its time, and who and what was named."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from app.answer import MARKER
from app.text.lexicon import HONORIFICS, TEXTS, THINGS, WRITERS
from app.text.parse import Parse, Word, parse
from app.text.periods import Period, periods
from app.text.voices import REPORTING
from index.terms import Vocabulary
from ingest.sentences import sentence_spans

MentionKind = Literal["person", "group", "place", "thing"]
_KINDS: dict[str, MentionKind] = {"person": "person", "group": "group", "place": "place", "work": "thing", "event": "thing", "other": "thing"}
_LEAD_WORDS = 20
"""Words of who says it and when, before a colon, as extractive answers begin."""
_CAPITALISED = re.compile(r"(?<=\s)(?!I\b)[A-Z][\w-]*(?:['’](?!s\b)\w+)?(?:\s+(?:(?:of|the|al|de)\s+)*[A-Z][\w-]*)*")
_MODIFIERS = frozenset(("compound", "amod", "nmod", "poss", "nummod", "case", "punct", "det"))
_NOUN_PLACES = frozenset(("nsubj", "nsubjpass", "dobj", "pobj", "attr", "ROOT", "conj", "appos", "dative"))
_FINITE = frozenset(("VBD", "VBZ", "VBP", "MD"))
_LONGEST = 8
"""Words of a mention; longer phrases make a question unreadable."""
UNNAMED = TEXTS | WRITERS | {"sources", "question", "answer"}
"""What every conversation here may mean without having named it: never filled in from what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of the conversation; ``role`` is "user" or "assistant"."""

    role: str
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """Somebody or something that was named.

    Attributes:
        text: ready to stand in a sentence: "the Harbour Guild".
        head: its main word, lower case.
        named: it holds a name; else it is a common noun ("spring tides").
    """

    kind: MentionKind
    text: str
    head: str
    named: bool


@dataclass(frozen=True, kw_only=True)
class State:
    """What a turn may lean on. Read from texts alone, and only as far as somebody looks at it.

    Attributes:
        question: the last question, standalone; empty before the first one.
        answer: the last answer without its markers.
        holders: the last turn asked who says so; a bare name after it is that of another holder.
    """

    question: str = ""
    answer: str = ""
    holders: bool = False
    vocabulary: Vocabulary

    @cached_property
    def asked(self) -> tuple[Mention, ...]:
        """Mentions of the last question."""
        return mentions(self.question, self.vocabulary) if self.question else ()

    @cached_property
    def told(self) -> tuple[Mention, ...]:
        """Mentions of the first sentence of the last answer."""
        return mentions(self.claim, self.vocabulary) if self.claim else ()

    @cached_property
    def claim(self) -> str:
        """The first sentence of the last answer, without who says it and when, without its full stop."""
        plain = _without_lead(self.answer)
        spans = sentence_spans(plain)
        return plain[slice(*spans[0])].rstrip(" .") if spans else ""

    @cached_property
    def said(self) -> str:
        """What the first sentence of the last answer says, without who says so: "the dam broke" of "The mayor says that the dam broke"."""
        found = parse(self.claim)
        for voice in found.voices:
            clause = any(found.words[c].dep in {"nsubj", "nsubjpass"} for c in found.children[voice.said.head])
            if voice.holder is not None and not voice.negated and clause and found.spoken(voice):
                return voice.said.text.removeprefix("that ")
        return self.claim

    @cached_property
    def period(self) -> Period | None:
        """The time that the last question names."""
        named = periods(self.question)
        return named[-1] if named else None

    def last(self, *kinds: MentionKind) -> list[Mention]:
        """Mentions of these kinds: of the question before those of the answer, within each by the order of kinds, latest first."""
        found = [
            m for held in (self.asked, self.told) for kind in kinds for m in reversed(held)
            if m.kind == kind and (m.named or held is self.asked)
        ]  # fmt: skip
        return list({m.text.lower(): m for m in found}.values())

    @cached_property
    def topic(self) -> str:
        """What the last question is about, in its own words: its names, else its noun phrases, else its topic words."""
        named = [m.text for m in self.asked if m.named] or [m.text for m in self.asked][:2]
        return ", ".join(dict.fromkeys(_without_article(t) for t in named[:3])) or self.words

    @cached_property
    def words(self) -> str:
        """All topic words of the last question."""
        return " ".join(self.vocabulary.content_terms(self.question)[:8])


def _without_lead(answer: str) -> str:
    """The first statement of an answer; of a list its first item, without what stands before a colon and says nothing.

    "2 found:\n- **Dam**: 2021-07, Radio Velm: The dam broke." → "The dam broke."
    """
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    text = next((line[2:] for line in lines if line.startswith("- ")), " ".join(lines)).replace(REPORTING, "", 1)
    while True:
        lead, colon, rest = text.partition(": ")
        if not colon or not rest or len(lead.split()) > _LEAD_WORDS or any(w.tag in _FINITE for w in parse(lead.strip("*")).words):
            return text
        text = rest


def without_markers(answer: str) -> str:
    """An answer as it reads without the numbers of its citations."""
    return MARKER.sub("", answer)


def mentions(text: str, vocabulary: Vocabulary) -> tuple[Mention, ...]:
    """Who and what a sentence names, in order; common nouns only where it names nothing, its subjects last."""
    parsed = parse(text)
    named = list(_named(parsed, vocabulary))
    nouns = [p for p, w in enumerate(parsed.words) if w.pos == "NOUN" and w.dep in _NOUN_PLACES]
    nouns.sort(key=lambda p: parsed.words[p].dep in {"nsubj", "nsubjpass"})
    found = named or [m for p in nouns if (m := _noun(parsed, p, "thing"))]
    return tuple({m.text.lower(): m for m in found}.values())


def same_person(one: str, other: str) -> bool:
    """Whether the words of one name are the last words of the other: "Strand" and "Captain Olav Strand"."""
    short, long = sorted((one.lower(), other.lower()), key=len)
    return f" {long}".endswith(f" {short}")


def fullest(names: Sequence[str]) -> list[str]:
    """The names with each person once, under the fullest; in the order in which each person comes first."""
    return list(dict.fromkeys(max((n for n in names if same_person(n, name)), key=len) for name in names))


def stands_for_a_person(text: str, name: str) -> bool:
    """Whether a name in a sentence has no common noun before it or in it but that of a person: not "the ferry Halsund"."""
    parsed = parse(text)
    start = text.find(name)
    own = [p for p, w in enumerate(parsed.words) if start <= w.start < start + len(name)]
    words = parsed.words

    def beside(one: int, other: int) -> bool:
        # Two subjects of one verb are how the parser reads some names behind a noun.
        return words[one].head == other or words[other].head == one or (words[one].head, words[one].dep) == (words[other].head, words[other].dep)

    near = [words[p] for p in (*(p - 1 for p in own[:1] if p and any(beside(p - 1, q) for q in own)), *own)]
    return start >= 0 and not any(w.pos == "NOUN" and w.text[0].islower() and w.lemma not in THINGS["person"] | HONORIFICS for w in near)


def names_of(text: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Known spellings and capitalised names of a question, in order, without its first word and times; no grammar is read."""
    spans = [(m.start(), m.end()) for m in _CAPITALISED.finditer(text)]
    at = 0
    for spelling in vocabulary.mentions(text):
        at = text.index(spelling, at)
        spans.append((at, at + len(spelling)))
        at += len(spelling)
    spans += [(p.start, p.end) for p in periods(text)]
    timely = {(p.start, p.end) for p in periods(text)}
    kept: list[tuple[int, int]] = []
    for start, end in sorted(spans, key=lambda s: (s not in timely, s[0] - s[1])):
        if not any(a < end and start < b for a, b in kept):
            kept.append((start, end))
    return tuple(dict.fromkeys(text[a:b] for a, b in sorted(kept) if (a, b) not in timely))


def wh(word: Word) -> bool:
    """Whether a word asks: "who", "which", "how"."""
    return word.tag.startswith("W")


def _named(parsed: Parse, vocabulary: Vocabulary) -> list[Mention]:
    # "the first" is an entity of the parser too.
    entities = (e for e in parsed.entities if e.kind in _KINDS and (e.kind != "other" or any(c.isupper() for c in e.text)))
    spans = [(e.start, e.end, _KINDS[e.kind]) for e in entities]
    at = 0
    for spelling in vocabulary.mentions(parsed.text):
        start = parsed.text.index(spelling, at)
        at = start + len(spelling)
        if not any(a < at and start < b for a, b, _ in spans):
            spans.append((start, at, "group"))
    covered = sorted(spans)
    for w in parsed.words:
        if w.pos == "PROPN" and w.dep in _NOUN_PLACES | {"compound"} and not any(a <= w.start < b for a, b, _ in covered) and not _in_period(parsed.text, w):
            covered.append((w.start, w.end, "thing"))
    found: list[Mention] = []
    used: set[int] = set()
    for start, end, kind in sorted(covered):
        places = [p for p, w in enumerate(parsed.words) if start <= w.start < end]
        if not places or used & set(places):
            continue
        head = next((p for p in places if parsed.words[p].head not in places or parsed.words[p].dep == "ROOT"), places[-1])
        while parsed.words[head].dep in {"compound", "nmod", "amod"} and parsed.words[parsed.words[head].head].pos in {"NOUN", "PROPN"}:
            head = parsed.words[head].head
        inside = head in places
        if kind == "person" and not inside:
            # "did Pavo Reni light" is read as a kind of light, and "the Reni stove" names him too.
            found.append(Mention(kind=kind, text=parsed.text[start:end], head=parsed.words[places[-1]].lemma, named=True))
        mention = _noun(parsed, head, kind if inside else "thing", named=True, least=places)
        if mention:
            found += [*_around(parsed, head, mention), mention]
            used |= set(places) | {head}
    return found


def _around(parsed: Parse, head: int, name: Mention) -> list[Mention]:
    """The noun that a name tells the place of: "the attack in Kerman"."""
    words = parsed.words
    preposition = words[head].head
    if words[head].dep != "pobj" or words[preposition].lemma not in {"in", "on", "at", "near", "against"}:
        return []
    noun = words[preposition].head
    held = _noun(parsed, noun, "thing") if words[noun].pos == "NOUN" else None
    if held is None:
        return []
    text = f"{held.text} {words[preposition].text} {name.text}"
    return [Mention(kind="thing", text=text, head=held.head, named=True)] if len(text.split()) <= _LONGEST else []


def _noun(parsed: Parse, head: int, kind: MentionKind, *, named: bool = False, least: Sequence[int] = ()) -> Mention | None:
    """A noun with what stands before it, and a name behind it ("the attack in Kerman"); None for what asks, for times, and for :data:`UNNAMED`."""
    words = parsed.words
    if words[head].lemma in UNNAMED and not least:
        return None
    own = {head, *least} | {p for c in parsed.children[head] if words[c].dep in _MODIFIERS for p in parsed.subtree(c)}
    own = {p for p in own if p <= max([head, *least])}
    places = sorted(own)
    while places and (wh(words[places[0]]) or words[places[0]].pos in {"PUNCT", "ADV"} or words[places[0]].lemma in {"many", "much", "more", "any", "some"}):
        places = places[1:]
    if not places or head not in places or any(wh(words[p]) or words[p].pos == "PRON" for p in places):
        return None
    start, end = words[places[0]].start, words[places[-1]].end
    text = re.sub(r"['’]s$", "", parsed.text[start:end])
    if len(text.split()) > _LONGEST or (not named and _in_period(parsed.text, words[head])):
        return None
    return Mention(kind=kind, text=text, head=words[head].lemma, named=named)


def _in_period(text: str, word: Word) -> bool:
    return any(p.start <= word.start < p.end for p in periods(text))


def _without_article(text: str) -> str:
    return re.sub(r"^(?:the|an?)\s+", "", text, flags=re.I)
