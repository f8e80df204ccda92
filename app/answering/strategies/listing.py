"""Lists and counts: the things asked for, each once with the sentence that answers best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.answering.compose import with_list
from app.answering.engine import Desk, Outcome, Trace
from app.answering.rows import FLOOR, LEAST, Sheet, alike, on, widely_read
from app.evidence.gather import Evidence
from app.question.matter import of_form
from app.question.wanted import Asked, thing_of, things
from app.text.claims import akin
from app.text.counts import counted
from app.text.lexicon import Thing
from app.text.parse import Entity, Parse, parse
from app.text.places import country, territories
from index.embed import Encoder
from index.terms import Vocabulary

MOST = 12
"""Items of a list."""
SENTENCES = 8
"""Items where the things have no names, so that the sentences themselves are listed."""
_STATES = frozenset(("country", "nation", "state"))
_ROW_WORDS = 8
_LIGHT = frozenset(("be", "have", "do", "happen", "take", "make", "give", "mention", "discuss", "cover", "include", "differ"))
ALIKE = 0.5
"""Cosine from which two words mean nearly the same: attack and hit .51, release and free .58; attack and arrest .35."""
_ENUMERATES = 3
"""Items from which one sentence is an enumeration, and stands first."""


@dataclass(slots=True)
class _Item:
    name: str
    words: frozenset[str]
    told: list[Evidence] = field(default_factory=list)


def deed(question: str, asked: Asked, kind: Thing) -> str:
    """What the question says of the things asked for, as one word: "release" of "Which birds were released?".

    Of figures it is what they count ("death" of "death tolls"). "" where it is no more than "are", or names what a text does.
    """
    found = parse(question)
    if kind == "figure":
        return next((w.lemma for w in parse(asked.words).words if w.dep == "compound" and w.pos == "NOUN"), "")
    verbs = [w.lemma for p, w in enumerate(found.words) if p and w.pos == "VERB" and w.lemma not in _LIGHT and not of_form(found, p)]
    return verbs[-1] if verbs else ""


@dataclass(frozen=True)
class Done:
    """Tells whether a sentence says of a name what the question says of the things, in any wording."""

    verb: str
    encoder: Encoder
    _near: dict[str, bool] = field(default_factory=dict)

    def to(self, found: Parse, name: Entity) -> bool:
        """Whether the verb, or a word near to it in meaning, governs the name: "the raids hit Velm" for "attacked"."""
        if not self.verb:
            return True
        at = next((n for n, w in enumerate(found.words) if w.start <= name.start < w.end), None)
        if at is None:
            return False
        over = set()
        while True:
            below = {c for c in found.children[at] if found.words[c].dep in {"nsubj", "nsubjpass", "dobj"}}
            over |= {at, *below, *(c for b in below for c in found.children[b] if found.words[c].dep in {"compound", "amod"})}
            if found.words[at].head == at:
                break
            # Of "149 dead and 609 injured" the dead do not govern the 609.
            joined = found.words[at].dep == "conj"
            at = found.words[at].head
            if joined and found.words[at].head != at and found.words[at].pos != "VERB":
                at = found.words[at].head
        words = {found.words[p].lemma for p in over if found.words[p].pos in {"NOUN", "VERB", "ADJ"}}
        return any(akin(w, self.verb) for w in words) or self._alike(words)

    def _alike(self, words: set[str]) -> bool:
        new = sorted(words - set(self._near))
        if new:
            vectors = self.encoder.encode([self.verb, *new])
            self._near.update(zip(new, ((vectors[1:] @ vectors[0]) >= ALIKE).tolist(), strict=True))
        return any(self._near[w] for w in words)


def listing(desk: Desk) -> Outcome | None:
    """The things asked for, with the number found; None where fewer than two are."""
    if desk.request.shape not in {"list", "count"}:
        return None
    question = on(desk)
    asked = things(desk.request.standalone)
    trace = widely_read(desk, question)
    if not trace.decision.answer:
        return None
    with desk.clock.stage("generate"):
        kind = thing_of(asked.noun, desk.models.encoder)
        evidence = [e for e in trace.evidence if e.score >= FLOOR and not e.of_others]
        subject = _words(desk.request.standalone, desk.index.vocabulary)
        done = Done(deed(desk.request.standalone, asked, kind), desk.models.encoder)
        found = [] if kind == "other" else items(evidence, kind, subject, desk.index.vocabulary, done)
        if kind == "place":
            found = [i for i in found if (i.name.lower() in territories()) == (asked.noun in _STATES)]
        if kind == "other":
            return _sentences(desk, trace, evidence)
        return _named(desk, trace, found[:MOST]) if len(found) >= LEAST else None


def items(evidence: Sequence[Evidence], kind: Thing, subject: frozenset[str], vocabulary: Vocabulary, done: Done) -> list[_Item]:
    """The names of the kind in the sentences, each with its sentences; the best told first.

    Args:
        subject: words of the question; what it names itself is no answer to it.
        done: what the question says of the things.
    """
    found: list[_Item] = []
    for item in evidence:
        for name in _named_in(item, kind, done):
            words = _words(name, vocabulary)
            if not words or all(any(akin(w, s) for s in subject) for w in words):
                continue
            held = next((i for i in found if _same(i.words, words, kind)), None)
            if held is None:
                found.append(_Item(name, words, [item]))
            else:
                if len(words) > len(held.words):
                    held.name, held.words = name, words
                if item not in held.told:
                    held.told.append(item)
    return found


def _named_in(item: Evidence, kind: Thing, done: Done) -> list[str]:
    """The names of a kind that the reader takes for the answer of a sentence, and those that stand in a row with them.

    All names of the sentence would list who reports it and what it mentions by the way: of 39 items of five lists over the
    bundled home 15 were wrong, with the row and :class:`Done` 4 of 27.
    """
    found = parse(item.text)
    own = _joined([e for e in found.entities if e.kind == kind], item.text)
    if kind == "place":
        own = [e for e in own if e.text.lower() not in territories()]
        own += [Entity(kind="place", text=m.group(), start=m.start(), end=m.end()) for m in country().finditer(item.text)]
        said_by = [v.holder for v in found.voices if v.holder is not None]
        own = sorted((e for e in own if not any(h.start <= e.start < h.end for h in said_by)), key=lambda e: e.start)
    if item.span is not None:
        first, last = item.span[0] - item.start, item.span[1] - item.start
        keep = {n for n, e in enumerate(own) if e.start < last and first < e.end}
        for n in (*range(1, len(own)), *range(len(own) - 2, -1, -1), *range(1, len(own))):
            beside = [m for m in (n - 1, n + 1) if m in keep]
            if any(_in_a_row(found, own[min(m, n)], own[max(m, n)]) for m in beside):
                keep.add(n)
        own = [e for n, e in enumerate(own) if n in keep]
    own = [e for e in own if done.to(found, e)]
    names = (e.text.removesuffix("’s").removesuffix("'s") for e in own)
    return [n.removeprefix("the ").removeprefix("The ").strip(" .,-–()") for n in names]


def _joined(names: Sequence[Entity], text: str) -> list[Entity]:
    """The names, those that a hyphen parts put together."""
    whole: list[Entity] = []
    for name in names:
        last = whole[-1] if whole else None
        if last is not None and text[last.end : name.start] == "-":
            whole[-1] = Entity(kind=name.kind, text=text[last.start : name.end], start=last.start, end=name.end)
        else:
            whole.append(name)
    return whole


def _in_a_row(found: Parse, one: Entity, other: Entity) -> bool:
    """Whether two names belong to one enumeration: no verb and no full stop of any kind between them."""
    between = [w for w in found.words if one.end <= w.start and w.end <= other.start]
    opened = 0
    outside = []
    for word in between:
        opened += (word.text in {"(", "["}) - (word.text in {")", "]"})
        outside += [word] if not opened else []
    return len(outside) <= _ROW_WORDS and not any(w.pos in {"VERB", "AUX", "SCONJ"} or w.text in {";", ":"} for w in outside)


def _same(one: frozenset[str], other: frozenset[str], kind: Thing) -> bool:
    if kind in {"date", "figure"}:
        return one == other
    few, many = sorted((one, other), key=len)
    return all(any(akin(w, m) for m in many) for w in few)


def _words(text: str, vocabulary: Vocabulary) -> frozenset[str]:
    return frozenset(w for term in vocabulary.content_terms(text) for w in vocabulary.stems(term))


def _named(desk: Desk, trace: Trace, found: Sequence[_Item]) -> Outcome:
    sheet = Sheet(desk.index.source)
    lines = []
    told: list[Evidence] = [e for i in found for e in i.told]
    first = max(dict.fromkeys(told), key=lambda e: sum(e in i.told for i in found))
    enumerated = [i for i in found if first in i.told]
    if len(enumerated) >= _ENUMERATES:
        lines.append(sheet.sentence(first))
    shown = [first] if lines else []
    for item in found:
        best = next((e for e in item.told if e not in shown), item.told[0])
        text = sheet.add(item.name, [best])
        # A sentence is printed once; further items of it point at it.
        lines.append(f"- **{item.name}** [{sheet.mark(best).marker}]" if best in shown else f"- **{item.name}**: {text}")
        shown.append(best)
    sources = len({c.source_id for c in sheet.citations})
    return sheet.outcome(desk, desk.request.shape, "\n".join((f"{len(found)} found in {counted(sources, 'source')}:", *lines)), trace)


def _sentences(desk: Desk, trace: Trace, evidence: Sequence[Evidence]) -> Outcome | None:
    """The sentences themselves as items, where the things asked for have no names of their own."""
    chosen: list[Evidence] = []
    for item in evidence:
        whole = with_list(item)
        if len(chosen) < SENTENCES and not any(alike(whole.text, c.text, desk.index.vocabulary) for c in chosen):
            chosen.append(whole)
    if len(chosen) < LEAST:
        return None
    sheet = Sheet(desk.index.source)
    lines = [f"- {sheet.add('', [item])}" for item in chosen]
    sources = len({c.source_id for c in sheet.citations})
    head = f"{counted(len(chosen), 'passage')} found in {counted(sources, 'source')}:"
    return sheet.outcome(desk, desk.request.shape, "\n".join((head, *lines)), trace)
