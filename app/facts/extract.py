"""What each sentence of a source says: times, places, names, figures, who says it, event or state, denial and hedge. Pure."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.text.lexicon import COUNTING, HEARSAY, HEDGES, JUDGING, SAYING
from app.text.parse import Entity, Parse, Span, Voice, parse_many
from app.text.places import country
from app.text.quantities import Quantity, quantities
from app.text.times import times
from index.terms import Vocabulary
from ingest.chunk import is_row
from ingest.sentences import sentence_spans
from ingest.source import CONTEXT_ROLES, Paragraph, Source

VERSION = 9
"""Of what is extracted; another one makes every source be read again."""

Place = tuple[Paragraph, int, int]
"""A sentence: its paragraph, where it starts and ends in the source's text."""
Aspect = Literal["event", "state", ""]
MarkKind = Literal["time", "place", "person", "group", "figure", "holder"]
_STATES = frozenset(
    ("be", "have", "contain", "consist", "comprise", "include", "belong", "remain", "know", "believe", "think", "mean", "exist", "own",
     "need", "want", "like", "seem", "resemble", "depend", "live")
)  # fmt: skip
"""Verbs that tell a state in any tense."""
_SIGNS = frozenset(("suggest", "show", "indicate", "reveal", "find", "mean"))
"""Verbs by which things tell, too."""
_REPORTS = frozenset(
    ("study", "report", "research", "survey", "poll", "analysis", "census", "investigation", "review", "paper", "inquiry", "author", "researcher",
     "scientist", "scholar", "expert", "official", "investigator", "police", "court", "officer", "analyst", "economist", "historian", "document")
)  # fmt: skip
"""Nouns of those who find things out, and of what they write."""
_LIKENING = frozenset(("describe", "portray", "depict", "view", "regard", "hail"))
_NOT_TURNED = frozenset(("think", "believe", "find", "assume", "expect"))
"""Verbs that do not stand before the one who says: "…, said Bruun" but not "…, thought Bruun by night"."""
_NO_COUNT = re.compile(r"\s*(?:B\.?C|C\.?E\b|A\.?D\b|°(?!\s?[CF]\b)|′|''|half\b|third\b|quarter\b|(?:fif|six|seven|eigh|nin|ten)th\b|[ap]\.?m\b)")
"""Behind a number that counts nothing: "450 BC", "31°33′", "one fifth", "8 p.m."."""
_UNCHANGED = frozenset(("aircraft", "spacecraft", "personnel", "staff", "police", "fish", "sheep", "species", "series", "dead", "offspring", "crew"))
"""Nouns without a plural of their own."""
_NONE = frozenset(("nobody", "none", "nothing", "neither"))
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
        aspect: whether it tells what happened or how things are; "" where its verb or tense leaves that open.
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
    places = _places(source)
    return _read(source, places, parse_many([source.text[a:b] for _, a, b in places]), vocabulary)


def read_each(sources: Iterable[Source], vocabulary: Vocabulary) -> Iterator[tuple[Source, Iterator[Sentence]]]:
    """Sources with their sentences, see :func:`sentences`.

    The parser gets the sentences of several sources together; one small source at a time takes a fifth longer. The
    sentences of a source have to be taken before the next source.
    """
    ahead: deque[tuple[Source, list[Place]]] = deque()

    def texts() -> Iterator[str]:
        for source in sources:
            places = _places(source)
            ahead.append((source, places))
            yield from (source.text[a:b] for _, a, b in places)

    parses = parse_many(texts())
    upcoming = next(parses, None)
    while ahead:
        source, places = ahead.popleft()

        def own(n: int = len(places)) -> Iterator[Parse]:
            nonlocal upcoming
            for _ in range(n):
                assert upcoming is not None
                given, upcoming = upcoming, next(parses, None)
                yield given

        yield source, _read(source, places, own(), vocabulary)


def _read(source: Source, places: Sequence[Place], parses: Iterator[Parse], vocabulary: Vocabulary) -> Iterator[Sentence]:
    written = None if source.genre == "notes" or source.date_note else source.date
    fuller: dict[str, str] = {}
    at: Paragraph | None = None
    year: int | None = None
    age, before = 0, ""
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


def _places(source: Source) -> list[Place]:
    """Where the sentences of a source stand; none where its language is not read."""
    found: list[Place] = []
    for paragraph in source.paragraphs if readable(source) else ():
        if paragraph.role in CONTEXT_ROLES or paragraph.unchecked:
            continue
        text = source.text[paragraph.start : paragraph.end]
        spans = [(0, len(text))] if is_row(paragraph.locator) else sentence_spans(text, source.language or "en")
        found += [(paragraph, paragraph.start + a, paragraph.start + b) for a, b in spans]
    return found


def _moved(mark: Mark, by: int) -> Mark:
    said = None if mark.said_start is None else mark.said_start + by
    until = None if mark.said_end is None else mark.said_end + by
    return replace(mark, start=mark.start + by, end=mark.end + by, said_start=said, said_end=until)


def _times(parsed: Parse, written: str | None, year: int | None) -> Iterator[Mark]:
    for t in times(parsed, written, year):
        yield Mark(kind="time", start=t.start, end=t.end, first=t.first, last=t.last, relation=t.relation, told=t.told)


def _figures(parsed: Parse) -> Iterator[Mark]:
    for q in quantities(parsed.text):
        name = ""
        if _in_name(parsed, q):
            continue
        if q.kind == "count" and (_NO_COUNT.match(parsed.text, q.end) or not (name := _counted(parsed, q))):
            continue
        yield Mark(
            kind="figure", start=q.start, end=q.end, name=name, relation=q.bound, low=q.low, high=q.high, value=q.point,
            unit="" if q.kind == "count" else q.unit, part=q.aside,
        )  # fmt: skip


def _in_name(parsed: Parse, q: Quantity) -> bool:
    """Whether a number is part of a name: "the Big Ten", "F-4", "Studio 4"; the parser's names tell, a capital, or a hyphen before it."""
    text = parsed.text
    if q.start and text[q.start].isupper() and text[:q.start].strip(" \"“‘'(") and text[q.start : q.end].split()[0].isalpha():
        return True
    if q.kind == "count" and re.search(r"\w[-–]$", text[:q.start]):
        return True
    return any(e.kind not in {"date", "figure"} and e.start < q.start and q.start < e.end for e in parsed.entities)


def _counted(parsed: Parse, q: Quantity) -> str:
    """What a number counts, by the grammar; "" where it counts nothing: labels ("season three"), ages, references, coordinates.

    Without it 45 of 100 numbers of a collection that is not ours were no figures, or counted something else; with it and
    :func:`_in_name` 10 of 100 others (``docs/results/2026-11.md``).
    """
    words = parsed.words
    own = [n for n, w in enumerate(words) if q.start < w.end and w.start < q.end]
    if not own or parsed.text[:q.start].endswith(("'", "’", '="')):
        return ""  # "class of ’75", an attribute
    number = next((n for n in reversed(own) if words[n].tag == "CD"), own[-1])
    following = words[number + 1] if number + 1 < len(words) else None
    if q.text.lower() == "one" and (words[number].pos != "NUM" or (following is not None and following.lemma == "of")):
        return ""  # "one may think", "one of the best"
    for _ in own:
        if words[number].head not in own or words[number].head == number:
            break
        number = words[number].head
    seen = {number}
    while words[number].dep == "conj" and words[number].head not in seen and words[words[number].head].tag == "CD":
        number = words[number].head
        seen.add(number)
    of = [c for c in parsed.children[number] if words[c].lemma == "of" and words[c].start >= q.end]
    things = [c for o in of for c in parsed.children[o] if words[c].dep == "pobj" and words[c].pos in {"NOUN", "PROPN"}]
    head = words[number].head
    verb = q.unit.rsplit(" ", 1)[-1] if q.events else ""
    if things:
        name = _phrase(parsed, things[0], q.end)
    elif words[number].dep in {"nummod", "compound", "quantmod", "amod"} and words[head].start >= q.end:
        name = _phrase(parsed, head, q.end) if _plural(parsed, head) or q.point == 1 or q.events else ""
    elif q.events:
        return q.unit
    elif words[number].dep == "attr" and words[head].lemma == "be":
        subject = next((c for c in parsed.children[head] if words[c].dep == "nsubj" and words[c].pos == "NOUN"), None)
        return "" if subject is None else _phrase(parsed, subject, 0)
    else:
        return ""
    if not name or not name[0].isalpha():
        return ""
    return f"{name} {verb}" if verb and verb not in name else name


def _plural(parsed: Parse, head: int) -> bool:
    """Whether a noun stands for several things; "four star", "2010 Men" and names are none that are counted."""
    word = parsed.words[_whole(parsed, head)]
    return word.tag in {"NNS", "NNPS"} or word.lemma in _UNCHANGED


def _whole(parsed: Parse, head: int) -> int:
    """The noun that a word is put together with: "games" of "career games"."""
    while parsed.words[head].dep == "compound" and parsed.words[head].head > head:
        head = parsed.words[head].head
    return head


def _phrase(parsed: Parse, head: int, first: int) -> str:
    """A noun with the words right before it that belong to it, from an offset on."""
    head = _whole(parsed, head)
    own = set(parsed.subtree(head))
    at = head
    while at and at - 1 in own and parsed.words[at - 1].start >= first and parsed.words[at - 1].pos in {"NOUN", "PROPN", "ADJ", "VERB", "PUNCT", "NUM", "PART", "ADV"}:
        at -= 1
    return bare(" ".join(parsed.text[parsed.words[at].start : parsed.words[head].end].split()))


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
        if " " not in name and name in fuller:
            kind = "person"  # whom the text named in full before
        known = vocabulary.full(_person(name, fuller) if kind == "person" else name)
        yield Mark(kind=kind, start=start, end=start + len(name), name=known)
    for found in countries:
        if not any(e.start < found.end and found.start < e.end for e in parsed.entities):
            yield Mark(kind="place", start=found.start, end=found.end, name=vocabulary.full(found.text))


def bare(name: str) -> str:
    """A name without its article, the ’s of a possessive and marks around it."""
    name = re.sub(r"['’]s?$", "", name.strip())
    return re.sub(r"^(?:the|The|a|an)\s+", "", name).strip(" #*.,;:–—-()[]\"“”'‘’")


def _person(name: str, fuller: dict[str, str]) -> str:
    """The full name where a text gave one before the family name alone; who was named by one word first keeps it."""
    last = name.rsplit(" ", 1)[-1]
    known = fuller.setdefault(last, name)
    if known not in {name, last} and " " in name and not name.startswith(known):
        fuller[last] = last  # two people of one family name: alone it stands for neither
    return name if " " in name else fuller[name]


def _holders(
    parsed: Parse, paragraph: Paragraph, vocabulary: Vocabulary, fuller: dict[str, str], before: str
) -> Iterator[Mark]:
    if paragraph.claimed_by:
        end = len(parsed.text)
        yield Mark(kind="holder", start=0, end=0, name=vocabulary.full(paragraph.claimed_by), said_start=0, said_end=end)
    asks = parsed.text.rstrip(" \"”’)").endswith("?")
    for voice in parsed.voices:
        if voice.holder is None or voice.negated or not _says(parsed, voice, asks):
            continue
        for span in parsed.joined(voice.holder.head):
            word = parsed.words[span.head]
            if word.pos == "PRON":
                if word.lemma not in {"he", "she"} or not before:
                    continue
                name = before
                named = span
            elif word.pos in {"NOUN", "PROPN"} and not any(parsed.words[n].tag == "WP" for n in parsed.subtree(span.head)):
                named = parsed.span(span.head, without=("relcl", "appos", "acl", "advcl", "conj", "cc", "punct", "npadvmod", "nummod"))
                name = _holder_name(parsed, named, vocabulary, fuller)
            else:
                continue
            yield Mark(
                kind="holder", start=named.start, end=named.end, name=name, said_start=voice.said.start, said_end=voice.said.end
            )  # fmt: skip


def _says(parsed: Parse, voice: Voice, asks: bool) -> bool:
    """Whether a voice is one: somebody did say so, by a verb of saying; not "if anybody thinks", "may conclude", "who says?".

    Without it about 40 of 100 holders of a collection that is not ours were none; with it 4 of 100 others.
    """
    word = parsed.words[voice.at]
    assert voice.holder is not None
    holder = parsed.words[voice.holder.head]
    if any(e.kind in {"date", "figure"} and e.start <= holder.start < e.end for e in parsed.entities) or holder.text == "%":
        return False
    if word.pos == "NOUN" and voice.said.head == voice.at and word.dep != "attr":
        return False  # "the abuser's account was closed"
    if word.pos not in {"VERB", "AUX"}:
        return word.lemma != "per" or holder.pos == "PROPN"  # "according to", "X's claim that"; not "per capita"
    beside = [parsed.words[c] for c in parsed.children[voice.at]]
    if (asks and word.dep == "ROOT") or any(w.tag == "MD" or (w.dep == "mark" and w.lemma in {"if", "unless", "whether"}) for w in beside):
        return False
    if word.tag == "VB" and not any(w.lemma == "do" for w in beside):
        return False  # "wants her mother to say so"
    behind = voice.holder.start > word.start
    if any(w.dep == "auxpass" for w in beside) and not behind:
        return False  # "it fell and is considered lost": nobody says so
    if behind and voice.verb in _NOT_TURNED and not any(w.dep == "agent" for w in beside):
        return False  # "think Paris by night"
    if word.tag == "VBN" and not behind and not any(w.dep.startswith("aux") for w in beside):
        return False  # a headline: "Bruun accused of fraud"
    if voice.verb in _LIKENING and voice.said.head == voice.at and not any(w.lemma == "as" for w in beside):
        return False  # "is portrayed by Bruun"
    if voice.verb in _SIGNS:
        # "It broke, suggesting that …", "found out"; things that tell are none, but for those that somebody wrote.
        aside = (word.tag == "VBG" and word.dep == "advcl") or any(w.dep == "prt" for w in beside)
        return not aside and voice.verb in SAYING and _writes(parsed, voice.holder.head)
    return voice.verb in (JUDGING | COUNTING if voice.said.head == voice.at else SAYING)


def _writes(parsed: Parse, head: int) -> bool:
    """Whether a word names somebody, or what somebody wrote or found."""
    word = parsed.words[head]
    if word.lemma in _REPORTS or word.pos == "PRON":
        return True
    return any(e.kind in {"person", "group"} and e.start <= word.start < e.end for e in parsed.entities)


def _holder_name(parsed: Parse, span: Span, vocabulary: Vocabulary, fuller: dict[str, str]) -> str:
    """The person or group that the words name, else the words: of "its director Ana Bruun" the person, of "a judge, Ana Bruun" too."""
    words = parsed.words
    heads = [span.head, *(c for c in parsed.children[span.head] if words[c].dep == "appos")]
    for kind in ("person", "group"):
        for entity in parsed.entities:
            if entity.kind == kind and any(entity.start <= words[h].start < entity.end for h in heads):
                name = bare(entity.text)
                return vocabulary.full(_person(name, fuller) if kind == "person" else name)
    return vocabulary.full(bare(span.text))


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
    """Whether a sentence tells an event or a state: by the tense and the verb of what it says in the main.

    The present of other verbs than those of states leaves it open: "the river flows north", "Ana opens the door".
    """
    at = _main(parsed)
    if at is None or parsed.words[at].pos not in {"VERB", "AUX"}:
        return ""
    word = parsed.words[at]
    helping = [parsed.words[c] for c in parsed.children[at] if parsed.words[c].dep.startswith("aux")]
    helpers, tags = {w.lemma for w in helping}, {w.tag for w in helping}
    if word.pos == "AUX" or word.lemma in _STATES:
        return "state"
    if word.tag == "VBD" or "VBD" in tags or "have" in helpers or (word.tag == "VBG" and "be" in helpers) or "will" in helpers:
        return "event"
    return "state" if any(w.dep == "auxpass" for w in helping) else ""


def denied(parsed: Parse) -> bool:
    """Whether what a sentence says in the main is denied: "not", "no", "nobody", or somebody who denies it."""
    at = _main(parsed)
    if at is None:
        return False
    words = parsed.words
    beside = [c for c in parsed.children[at] if words[c].dep in {"nsubj", "nsubjpass", "dobj", "attr", "expl"}]
    none = any(words[c].lemma in _NONE or any(words[d].dep == "det" and words[d].lemma == "no" for d in parsed.children[c]) for c in beside)
    told = any(at in {v.at, v.said.head} for v in parsed.voices if v.verb == "deny" or v.negated)
    return none or told or any(words[c].dep == "neg" and words[c].text.lower() != "no" for c in parsed.children[at])


def hedged(parsed: Parse) -> bool:
    """Whether a sentence says that it is not sure: "may", "possibly", "is believed to", "allegedly"."""
    for n, w in enumerate(parsed.words):
        if w.lemma not in HEDGES or w.pos == "PROPN":
            continue
        refused = any(parsed.words[c].dep == "neg" for c in parsed.children[w.head]) if w.lemma in _MODALS else False
        if w.lemma not in _MODALS or (w.tag == "MD" and not refused and w.head != n):
            return True
    return any(v.holder is None and v.verb in HEARSAY for v in parsed.voices)
