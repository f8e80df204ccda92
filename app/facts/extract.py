"""What each sentence of a source says: times, places, names, figures, who says it, event or state, denial and hedge. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from app.text.parse import Entity, Parse, parse_many
from app.text.places import country
from app.text.quantities import quantities
from app.text.times import times
from app.text.voices import HEDGES
from index.terms import Vocabulary
from ingest.chunk import is_row
from ingest.sentences import sentence_spans
from ingest.source import CONTEXT_ROLES, Paragraph, Source

VERSION = 1
"""Of what is extracted; another one makes every source be read again."""

Aspect = Literal["event", "state", ""]
MarkKind = Literal["time", "place", "person", "group", "figure", "holder"]
_STATES = frozenset(
    ("be", "have", "contain", "consist", "comprise", "include", "belong", "remain", "know", "believe", "think", "mean", "exist", "own",
     "need", "want", "like", "seem", "resemble", "depend", "live")
)  # fmt: skip
"""Verbs that tell a state in any tense."""
_PRONOUNS = frozenset(("he", "she", "they", "it", "we", "i", "you", "who", "which", "that", "this", "these", "those", "one", "some", "others", "many"))
_MODALS = frozenset(("may", "might", "could"))
_NAMES: dict[str, MarkKind] = {"person": "person", "group": "group", "place": "place"}
_YEAR_HOLDS = 2
"""Sentences of a paragraph for which a year goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing that a sentence names; offsets are of the source's text.

    Attributes:
        kind: "figure" and "time" have values, the others a name.
        name: the fullest spelling that is known; of a figure what is counted; "" for a time.
        first, last: of a time, days as YYYYMMDD numbers, both included.
        relation: of a time: "at", "as of", "since", "before", "after", "of"; of a figure its bound: "exact", "about", "at least",
            "at most", "vague".
        low, high: of a figure, what its words allow.
        value: the figure as written; the higher end of a range.
        unit: "%", "$", "km"; "" for a count.
        part: the figure stands beside the one that is given: a part of it, or an earlier state.
        told: False where a time was told from the date of the text or from the sentences before.
        said_start, said_end: of a holder, what is said.
    """

    kind: MarkKind
    start: int
    end: int
    name: str = ""
    first: int | None = None
    last: int | None = None
    relation: str = ""
    low: float | None = None
    high: float | None = None
    value: float | None = None
    unit: str = ""
    part: bool = False
    told: bool = True
    said_start: int | None = None
    said_end: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence of a source with what it names.

    Attributes:
        aspect: whether it tells what happened or how things are; "" where it has no verb.
        denied: what it says in the main is denied.
        hedged: it is said not to be sure.
    """

    start: int
    end: int
    locator: str
    aspect: Aspect
    denied: bool
    hedged: bool
    marks: tuple[Mark, ...]


def readable(source: Source) -> bool:
    """Whether the extraction reads the language of a source."""
    return source.language is None or source.language.split("-")[0] == "en"


def sentences(source: Source, vocabulary: Vocabulary) -> Iterator[Sentence]:
    """The sentences of a source in order; none where its language is not read.

    Titles, headings, footers and what notes say about themselves are left out, as in answers.
    """
    if not readable(source):
        return
    places = list(_places(source))
    written = None if source.genre == "notes" or source.date_note else source.date
    fuller: dict[str, str] = {}
    at: Paragraph | None = None
    year: int | None = None
    age, before = 0, ""
    parses = parse_many([source.text[a:b] for _, a, b in places])
    for (paragraph, start, end), parsed in zip(places, parses, strict=True):
        if paragraph is not at:
            at, year, before = paragraph, None, ""
        if year is not None and age >= _YEAR_HOLDS:
            year = None
        marks = [*_times(parsed, written, year), *_figures(parsed), *_names(parsed, vocabulary, fuller)]
        told = [m for m in marks if m.kind == "time" and m.told and m.last is not None]
        year, age = (told[-1].last or 0) // 10000 if told else year, 0 if told else age + 1
        people = {m.name for m in marks if m.kind == "person"}
        holders = list(_holders(parsed, paragraph, vocabulary, fuller, before))
        before = next(iter(people)) if len(people) == 1 else next((h.name for h in holders), "") if not people else ""
        yield Sentence(
            start=start, end=end, locator=paragraph.locator, aspect=aspect(parsed), denied=denied(parsed), hedged=hedged(parsed),
            marks=tuple(_moved(m, start) for m in sorted((*marks, *holders), key=lambda m: (m.start, m.kind))),
        )  # fmt: skip


def _places(source: Source) -> Iterator[tuple[Paragraph, int, int]]:
    for paragraph in source.paragraphs:
        if paragraph.role in CONTEXT_ROLES or paragraph.unchecked:
            continue
        text = source.text[paragraph.start : paragraph.end]
        spans = [(0, len(text))] if is_row(paragraph.locator) else sentence_spans(text, source.language or "en")
        for a, b in spans:
            yield paragraph, paragraph.start + a, paragraph.start + b


def _moved(mark: Mark, by: int) -> Mark:
    said = None if mark.said_start is None else mark.said_start + by
    until = None if mark.said_end is None else mark.said_end + by
    return replace(mark, start=mark.start + by, end=mark.end + by, said_start=said, said_end=until)


def _times(parsed: Parse, written: str | None, year: int | None) -> Iterator[Mark]:
    for t in times(parsed, written, year):
        yield Mark(kind="time", start=t.start, end=t.end, first=t.first, last=t.last, relation=t.relation, told=t.told)


def _figures(parsed: Parse) -> Iterator[Mark]:
    for q in quantities(parsed.text):
        sign = q.unit if q.kind != "count" else ""
        yield Mark(
            kind="figure", start=q.start, end=q.end, name="" if sign else q.unit, relation=q.bound, low=q.low, high=q.high, value=q.point,
            unit=sign, part=q.aside,
        )  # fmt: skip


def _names(parsed: Parse, vocabulary: Vocabulary, fuller: dict[str, str]) -> Iterator[Mark]:
    text = parsed.text
    countries = [Entity(kind="place", text=m.group(), start=m.start(), end=m.end()) for m in country().finditer(text)]
    for entity in parsed.entities:
        whole = next((c for c in countries if c.text == bare(entity.text)), None)
        kind = _NAMES.get("place" if whole is not None else entity.kind)
        name = bare(entity.text)
        if kind is None or not any(c.isupper() for c in name):
            continue
        start = entity.start + entity.text.index(name)
        known = vocabulary.full(_person(name, fuller) if kind == "person" else name)
        yield Mark(kind=kind, start=start, end=start + len(name), name=known)
    for found in countries:
        if not any(e.start < found.end and found.start < e.end for e in parsed.entities):
            yield Mark(kind="place", start=found.start, end=found.end, name=vocabulary.full(found.text))


def bare(name: str) -> str:
    """A name without its article, the ’s of a possessive and marks around it."""
    name = re.sub(r"['’]s?$", "", name.strip())
    return re.sub(r"^(?:the|The|a|an)\s+", "", name).strip(" .,;:–—-()[]\"“”'‘’")


def _person(name: str, fuller: dict[str, str]) -> str:
    """The full name where a text gives one for a family name alone."""
    last = name.rsplit(" ", 1)[-1]
    if " " in name:
        # Two people of one family name: the name alone then stands for neither.
        fuller[last] = name if fuller.get(last, name) in (name, last) or name.startswith(fuller[last]) else last
        return name
    return fuller.get(name, name)


def _holders(
    parsed: Parse, paragraph: Paragraph, vocabulary: Vocabulary, fuller: dict[str, str], before: str
) -> Iterator[Mark]:
    if paragraph.claimed_by:
        end = len(parsed.text)
        yield Mark(kind="holder", start=0, end=0, name=vocabulary.full(paragraph.claimed_by), said_start=0, said_end=end)
    seen = set()
    for voice in parsed.voices:
        if voice.holder is None or voice.negated:
            continue
        for span in parsed.joined(voice.holder.head):
            if (span.start, voice.said.start) in seen:
                continue
            seen.add((span.start, voice.said.start))
            name = _holder_name(parsed, span.start, span.end, vocabulary, fuller)
            if name.lower() in _PRONOUNS:
                if name.lower() not in {"he", "she"} or not before:
                    continue
                name = before
            yield Mark(
                kind="holder", start=span.start, end=span.end, name=name, said_start=voice.said.start, said_end=voice.said.end
            )  # fmt: skip


def _holder_name(parsed: Parse, start: int, end: int, vocabulary: Vocabulary, fuller: dict[str, str]) -> str:
    """The one person or group named by the words, else the words."""
    name = bare(parsed.text[start:end])
    if " " not in name:
        return vocabulary.full(_person(name, fuller))
    return vocabulary.full(name)


def _main(parsed: Parse) -> int | None:
    """The verb of what the sentence says: of "X said that it fell" the second."""
    root = next((n for n, w in enumerate(parsed.words) if w.dep == "ROOT"), None)
    if root is None:
        return None
    for voice in parsed.voices:
        if voice.at == root:
            return voice.said.head
    return root


def aspect(parsed: Parse) -> Aspect:
    """Whether a sentence tells an event or a state: by the tense and the verb of what it says in the main."""
    at = _main(parsed)
    if at is None or parsed.words[at].pos not in {"VERB", "AUX"}:
        return ""
    word = parsed.words[at]
    helpers = {parsed.words[c].lemma for c in parsed.children[at] if parsed.words[c].dep.startswith("aux")}
    if word.pos == "AUX" or word.lemma in _STATES:
        return "state"
    tags = {parsed.words[c].tag for c in parsed.children[at] if parsed.words[c].dep.startswith("aux")}
    if word.tag == "VBD" or "VBD" in tags or "have" in helpers or (word.tag == "VBG" and "be" in helpers) or "will" in helpers:
        return "event"
    return "state"


def denied(parsed: Parse) -> bool:
    """Whether what a sentence says in the main is denied: "not", "no", "never", or somebody who denies it."""
    at = _main(parsed)
    if at is None:
        return False
    return any(c.negated for c in parsed.clauses if c.verb == at) or any(v.verb in {"deny", "dismiss"} or v.negated for v in parsed.voices)


def hedged(parsed: Parse) -> bool:
    """Whether a sentence says that it is not sure: "may", "possibly", "is believed to", "allegedly"."""
    if any(w.lemma in HEDGES and w.pos != "PROPN" and not (w.lemma in _MODALS and w.tag != "MD") for w in parsed.words):
        return True
    return any(v.holder is None for v in parsed.voices)
