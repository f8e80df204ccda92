"""The ledger of a collection: for each thing that several holders or several values are found for, every claim on it.

It is made of the fact layer, and of figures alone. Measured and not used on the bundled sources: what the checker of claims finds against
each of 27 denials (26 got an entry, nearly all of other things), and sentences with at least half of a denial's topic words (about 3 of
16 spoke of what is denied). Figures are set against each other as in answers (:mod:`app.differences.find`), with no question
to say what is meant: two figures are of one thing when each would answer "how many …" as the other puts it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, Self, get_args

from rapidfuzz import fuzz

from app.answer import Citation
from app.differences.compare import comparable, disjoint
from app.differences.counted import fits
from app.differences.dated import near_in_time
from app.differences.figure import Figure
from app.differences.find import figure_of
from app.differences.whose import another_owns
from app.evidence.citing import cited
from app.evidence.gather import Evidence
from app.facts.layer import Fact
from app.question.target import NEUTRAL, Target, is_period
from app.text.parse import Parse, parse
from app.text.periods import of_date, periods
from app.text.quantities import Quantity, group_of, quantities
from index.search import NEAR_COPY_RATIO, Hit
from index.terms import Vocabulary
from ingest.chunk import Passage
from ingest.source import Source

State = Literal["disputed", "changes", "agrees"]
_OWNED = frozenset(("strength", "people", "population", "staff", "revenue"))
"""Groups of nouns that tell by themselves what they have to do with whose they are; of others the words around tell."""
_LEAST_COUNT = 2
"""Counts below say nothing that others could measure: "one attack", "a member"."""
_NAMES = ("person", "group", "place")
_TITLE_WORDS = 4
"""Longer titles say more than what a text is about."""
_LONGER = re.compile(r" [A-Z]")
"""Behind a part of a longer name: "United States Census" is not about the United States."""
_STATES: tuple[State, ...] = get_args(State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one sentence says on the thing of an entry.

    Attributes:
        number: from 1 in its entry.
        value: the figure as written, with what it counts.
        holder: who says so.
        date: ISO date that it is of; None when unknown.
        when: the date in words.
        citation: the sentence and where it stands; how it came is told by its publisher, ``claimed_by`` and ``via``.
        contradicts: numbers of the claims of the entry that can't be right together with it.
    """

    number: int
    value: str
    holder: str
    date: str | None
    when: str
    citation: Citation
    contradicts: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing with every claim on it, by date, the undated last.

    Attributes:
        thing: whose, and what is counted or measured.
        state: "disputed" where two claims of one time can't both be right, "changes" where claims of different times differ,
            "agrees" where several holders say the same.
    """

    thing: str
    state: State
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A figure of a series.

    Attributes:
        figure: with its quantity, who gives it, and its date in words.
        first, last: days as YYYYMMDD that it is of; None when unknown.
        whole: it counts what went on over all of that time, rather than on a day of it.
    """

    figure: Figure
    citation: Citation
    first: int | None
    last: int | None
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """The figures of one thing over time, by date, the undated last."""

    thing: str
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a ledger is made from.

    Attributes:
        source: the source of an id as it is indexed, or None.
        passages: the passages of a source.
    """

    source: Callable[[str], Source | None]
    passages: Callable[[str], Sequence[Passage]]
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class _Item:
    """A figure of a sentence.

    Attributes:
        names: what the sentence names beside those who say it, each in its fullest spelling.
        words: stems of what is said around it; for figures that are no counts.
        titled: the sentence names nothing, and the name is that of the title.
    """

    quantity: Quantity
    evidence: Evidence
    source: Source
    names: frozenset[str]
    words: frozenset[str]
    titled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Named:
    """What the sentences of a collection name.

    Attributes:
        spread: in how many sentences each name stands, but for those that give it as who says it.
        speakers: names of which more sentences give who says something than name them otherwise; what is counted is not theirs.
        places: names of places.
    """

    spread: Counter[str]
    speakers: frozenset[str]
    places: frozenset[str]

    @classmethod
    def of(cls, facts: Iterable[Fact], opened: Opened) -> Self:
        spread: Counter[str] = Counter()
        saying: Counter[str] = Counter()
        kinds: dict[str, Counter[str]] = {}
        for fact in facts:
            for m in fact.sentence.marks:
                if m.kind in _NAMES:
                    kinds.setdefault(m.name, Counter())[m.kind] += 1
            spread.update(names := _names(fact, opened))
            saying.update({m.name for m in fact.sentence.marks if m.kind in _NAMES} - names)
        speakers = frozenset(n for n, times in saying.items() if times > spread[n])
        return cls(spread=spread, speakers=speakers, places=frozenset(n for n, k in kinds.items() if k.most_common(1)[0][0] == "place"))


def figures(facts: Iterable[Fact], opened: Opened) -> list[Entry]:
    """Entries for what is counted or measured: what is disputed first, then what changes; those with most claims first.

    Args:
        facts: all of the home, those without figures too: they tell who speaks and what is spoken of.
    """
    found = [_entry(name, pairs, opened) for name, pairs in _joined(facts, opened, over_time=False)]
    return sorted(found, key=lambda e: (_STATES.index(e.state), -len(e.claims), e.thing))


def series(facts: Iterable[Fact], opened: Opened) -> list[Series]:
    """What has figures of two dates and two values at least, those with most dates first.

    Figures of what goes on over a time ("attacks in May") are of one series whatever their times and places are, and whether
    they count what was claimed or what was carried out: they are drawn side by side, not set against each other.

    Args:
        facts: as for :func:`figures`.
    """
    found: list[Series] = []
    for name, pairs in _joined(facts, opened, over_time=True):
        ordered = _ordered(pairs)
        nature = _target(ordered[0][0], name).nature
        points = [_point(item, figure, n, opened, flow=nature == "flow") for n, (item, figure) in enumerate(ordered, start=1)]
        found.append(Series(thing=_thing(name, ordered), points=tuple(points)))
    return sorted(found, key=lambda s: (-len({p.first for p in s.points if p.first}), -len(s.points), s.thing))


def _point(item: _Item, figure: Figure, number: int, opened: Opened, *, flow: bool) -> Point:
    told = figure.period if flow and figure.period and figure.period.relation in {"at", "of"} else None
    day = told or (of_date(figure.dated) if figure.dated else None)
    return Point(
        figure=figure, citation=cited(item.evidence, item.source, opened.source, marker=number),
        first=day.first if day else None, last=day.last if day else None, whole=told is not None,
    )  # fmt: skip


def about(entries: Iterable[Entry], thing: str, vocabulary: Vocabulary) -> list[Entry]:
    """The entries whose thing or whose claims hold all words of ``thing``, in any spelling of its names; those named by it first."""
    wanted = [{vocabulary.stem(w), *(s for a in vocabulary.aliases(w) for s in vocabulary.stems(a))} for w in vocabulary.content_terms(thing)]

    def holds(text: str) -> bool:
        stems = set(vocabulary.stems(text))
        return bool(wanted) and all(stems & w for w in wanted)

    named = [e for e in entries if holds(e.thing)]
    others = [e for e in entries if e not in named and any(holds(f"{e.thing} {c.citation.quote}") for c in e.claims)]
    return named + others


def _items(fact: Fact, opened: Opened, named: _Named, *, titled: bool) -> Iterator[_Item]:
    source, evidence = opened.source(fact.source_id), _evidence(fact, opened)
    marked = {m.start - fact.sentence.start for m in fact.sentence.marks if m.kind == "figure" and not m.part}
    if source is None or evidence is None or not marked or fact.sentence.denied:
        return
    names = _names(fact, opened) - named.speakers
    topic = _topic(source, opened.vocabulary) if titled and not names else ""
    every = quantities(fact.text)
    measured = Counter((q.kind, q.unit) for q in every if q.kind != "count")
    for q in every:
        # Of "42% Pashtun, 27% Tajik" the words before do not tell which share is whose.
        clear = q.unit and q.point >= _LEAST_COUNT if q.kind == "count" else measured[q.kind, q.unit] == 1
        if q.start in marked and (names or topic) and clear:
            yield _Item(
                quantity=q, evidence=evidence, source=source, names=names or frozenset({topic}), words=_words(fact, q, opened.vocabulary),
                titled=not names,
            )  # fmt: skip


def _evidence(fact: Fact, opened: Opened) -> Evidence | None:
    """The sentence in its passage; None where the index does not hold it as it was read."""
    start, end = fact.sentence.start, fact.sentence.end
    for passage in opened.passages(fact.source_id):
        if passage.start <= start and end <= passage.end and passage.text[start - passage.start : end - passage.start] == fact.text:
            hit = Hit(passage=passage, score=0.0, similarity=0.0, lexical=0.0, rank=1)
            return Evidence(hit=hit, text=fact.text, start=start, end=end, score=0.0, passage_score=0.0, similarity=0.0, overlap=0.0)
    return None


def _names(fact: Fact, opened: Opened) -> frozenset[str]:
    """What a sentence names, in its fullest spelling, but for those who say or publish it."""
    vocabulary, source = opened.vocabulary, opened.source(fact.source_id)
    publisher = source.publisher if source else None
    marks = fact.sentence.marks
    holders = [m for m in marks if m.kind == "holder"]
    said = [(m.said_start, m.said_end) for m in holders if m.start < m.end and m.said_start is not None and m.said_end is not None]
    who = " ; ".join((*(m.name for m in holders), publisher or "")).lower()
    named = {
        m.name
        for m in fact.sentence.marks
        if m.kind in _NAMES
        and not any(h.start < m.end and m.start < h.end for h in holders)
        and (not said or any(a <= m.start < b for a, b in said))
        and not _LONGER.match(fact.text, m.end - fact.sentence.start)
    }
    named |= {vocabulary.full(m) for m in vocabulary.mentions(fact.text)}
    return frozenset(n for n in named if not any(re.search(rf"(?<![\w-]){re.escape(a.lower())}(?![\w-])", who) for a in (n, *vocabulary.aliases(n))))


def _topic(source: Source, vocabulary: Vocabulary) -> str:
    """What a text is about where its title is no more than a name: "Norholm", "Sailors' League"; else ""."""
    title = source.title.strip()
    return vocabulary.full(title) if len(title.split()) <= _TITLE_WORDS and all(w[0].isupper() or w.islower() for w in title.split()) else ""


def _words(fact: Fact, q: Quantity, vocabulary: Vocabulary) -> frozenset[str]:
    """Stems of the common words before a figure, which tell what it measures: "turnout", "rose"."""
    terms = [t for t in vocabulary.content_terms(fact.text[: q.start]) if not t[0].isupper() and not t[0].isdigit() and not is_period(t)]
    return frozenset(vocabulary.stem(t) for t in terms)


def _key(q: Quantity) -> tuple[object, ...]:
    """Figures that differ in it are never of one thing."""
    if q.kind != "count":
        return (q.kind, q.unit.lower(), q.change)
    return (q.kind, _head(q), tuple(sorted(q.events)), q.change)


def _head(q: Quantity) -> str:
    """The group of the noun that is counted; people where only what happened to them is told."""
    return q.head or ("people" if q.events else group_of(q.unit.split()[-1]) if q.unit else "")


def _target(item: _Item, name: str) -> Target:
    """What a question would ask for that the figure answers."""
    q = item.quantity
    verb = "" if q.events or not q.verb or NEUTRAL.match(q.verb) else q.verb
    return Target(
        heads=frozenset({_head(q)} if q.kind == "count" else ()), events=q.events, kinds=frozenset({q.kind}),
        label=item.words if q.kind != "count" else frozenset(), change=q.change, subject=(), names=(name,), verb=verb,
    )  # fmt: skip


_Pair = tuple[_Item, Figure]
_Draft = tuple[str, list[_Pair]]


def _joined(facts: Iterable[Fact], opened: Opened, *, over_time: bool) -> Iterator[_Draft]:
    """Figures of one thing with the name of what they are of."""
    facts = list(facts)
    named = _Named.of(facts, opened)
    groups: dict[tuple[object, ...], list[_Item]] = {}
    for fact in facts:
        for item in _items(fact, opened, named, titled=over_time):
            groups.setdefault(_key(item.quantity), []).append(item)
    for items in groups.values():
        yield from _of_one_key(items, opened, named, over_time=over_time)


def _of_one_key(items: Sequence[_Item], opened: Opened, named: _Named, *, over_time: bool) -> Iterator[_Draft]:
    """The same of figures with one key; each figure goes to one thing, of a group or person rather than of a place where a stock is theirs."""
    drafts: list[_Draft] = []
    for name in dict.fromkeys(n for item in items for n in sorted(item.names)):
        match = _Match(name=name, vocabulary=opened.vocabulary, spread=named.spread, over_time=over_time)
        groups: list[list[_Pair]] = []
        for item in items:
            if not match.owns(item):
                continue
            pair = item, figure_of(item.quantity, _target(item, name), item.evidence, item.source)
            # One comparison for each figure and group would do for most; all are made, so that no entry joins two events.
            room = next((g for g in groups if all(match.one_thing(other, pair) for other in g)), None)
            if room is None:
                groups.append([pair])
            else:
                room.append(pair)
        drafts += [(name, g) for g in groups if len(g) > 1]
    taken: set[tuple[str, int, int]] = set()

    def order(draft: _Draft) -> tuple[bool, int, int]:
        name, pairs = draft
        nature = _target(pairs[0][0], name).nature
        # An event is told best by what few sentences name, what somebody has by whom they speak of most.
        return nature == "stock" and name in named.places, -len(pairs), named.spread[name] * (1 if nature == "toll" else -1)

    for name, pairs in sorted(drafts, key=order):
        left = [p for p in pairs if _place(p[0]) not in taken]
        claims = _firsthand(left)
        several = _changing([f for _, f in claims]) if over_time else _worth(f for _, f in claims)
        if len(claims) < 2 or not several:
            continue
        taken |= {_place(i) for i, _ in left}
        yield name, claims


def _firsthand(pairs: list[_Pair]) -> list[_Pair]:
    """Without what a compilation repeats in its own words, where whoever gives the figure says it too."""
    own = [f for _, f in pairs if f.firsthand]
    return [(i, f) for i, f in pairs if f.firsthand or all(disjoint(f, o) for o in own)]


def _place(item: _Item) -> tuple[str, int, int]:
    return item.source.id, item.evidence.start, item.quantity.start


class _Match:
    """Tells which figures of what is named are of one thing, at one time or over time."""

    def __init__(self, *, name: str, vocabulary: Vocabulary, spread: Counter[str], over_time: bool) -> None:
        self._name, self._vocabulary, self._spread, self._over_time = name, vocabulary, spread, over_time
        self._known: dict[tuple[Target, str, tuple[str, int, int]], bool] = {}

    def owns(self, item: _Item) -> bool:
        """Whether a figure is stated, whole, and of what is named."""
        if self._name not in item.names or not self._fits(item, item):
            return False
        if not item.titled and _target(item, self._name).nature != "toll" and not _belongs(item, self._name, self._vocabulary):
            return False
        return not another_owns(item.quantity, item.evidence.text, _target(item, self._name), self._vocabulary)

    def one_thing(self, one: _Pair, other: _Pair) -> bool:
        """Whether each of two figures answers what the other does, for the same subject and time."""
        (a, figure), (b, another) = one, other
        target = _target(a, self._name)
        if self._over_time and target.nature == "flow":
            told = a.quantity.kind == "count" or bool(a.words & b.words)
            return told and self._fits(a, b) and self._fits(b, a)
        if not comparable(another, figure, target):
            return False
        if target.nature != "stock" and not _same_subject(a.names, b.names, self._spread, both=target.nature == "flow"):
            return False
        told = bool(a.quantity.events) or _head(a.quantity) in _OWNED or bool(a.words & b.words)
        # "had 20 ferries" and "had 27 ferries": no word before one of them tells of something else.
        plain = self._over_time and a.quantity.unit.lower() == b.quantity.unit.lower() and not (a.words and b.words)
        return (told or plain) and self._fits(a, b) and self._fits(b, a)

    def _fits(self, asked: _Item, item: _Item) -> bool:
        """Whether a figure answers the question that another one answers."""
        target, question = self._target(asked), f"how many {asked.quantity.unit} {self._name}"
        key = target, question, _place(item)
        if key not in self._known:
            self._known[key] = fits(item.quantity, target, item.evidence.text, question, self._vocabulary)
        return self._known[key]

    def _target(self, item: _Item) -> Target:
        target = _target(item, self._name)
        return replace(target, verb="") if self._over_time and target.nature == "flow" else target


_OF_A_NOUN = frozenset(("compound", "poss", "amod", "nmod", "appos", "nummod"))
_OF_A_VERB = frozenset(("nsubj", "nsubjpass", "dobj", "attr"))


def _belongs(item: _Item, name: str, vocabulary: Vocabulary) -> bool:
    """Whether what is counted is grammatically of what is named: "ISKP has 900 members", "900 members of ISKP", "put ISKP at 900".

    Otherwise it is of something that the sentence does not name: "as of the US census there were 900 people in the city".
    """
    parsed, q = parse(item.evidence.text), item.quantity
    words = parsed.words
    spelled = {name.lower(), *(a.lower() for a in vocabulary.aliases(name))}
    places = [n for n, w in enumerate(words) if any(w.text.lower() == s.split()[-1] for s in spelled)]
    figure = [n for n, w in enumerate(words) if q.start < w.end and w.start < q.end]
    if not figure:
        return False
    above = _above(parsed, figure[-1])
    return any(_leads_to(parsed, n, above) for n in places)


def _above(parsed: Parse, place: int) -> set[int]:
    """A word and all that it depends on, as far as the verb of its clause and those that this one completes or is joined to."""
    found, at = {place}, place
    while parsed.words[at].head != at and (parsed.words[at].pos not in {"VERB", "AUX"} or parsed.words[at].dep in {"xcomp", "conj"}):
        at = parsed.words[at].head
        found.add(at)
    return found


def _leads_to(parsed: Parse, place: int, above: set[int]) -> bool:
    """Whether a word is subject or object of one of those, or says whose it is."""
    at = place
    while at not in above:
        word = parsed.words[at]
        if word.dep == "pobj" and parsed.words[word.head].lemma == "of":
            at = parsed.words[word.head].head
        elif word.dep in _OF_A_NOUN or (word.dep in _OF_A_VERB and word.head in above):
            at = word.head
        else:
            return False
    return True


def _same_subject(one: frozenset[str], other: frozenset[str], spread: Counter[str], *, both: bool) -> bool:
    """Whether what one names that fewest sentences name is named by the other: two attacks of one group have different places.

    Args:
        both: the other way round, too.
    """

    def rarest(names: frozenset[str]) -> str:
        return min(names, key=lambda n: (spread[n], n))

    held = rarest(one) in other, rarest(other) in one
    return all(held) if both else any(held)


def _worth(found: Iterable[Figure]) -> bool:
    """Whether two values are there, or two holders who do not print the same words."""
    return any(
        (disjoint(a, b) and _told_apart(a, b)) or _both_say(a.evidence, b.evidence) for a, b in combinations(list(found), 2)
    )


def _changing(found: Sequence[Figure]) -> bool:
    """Whether there are two dates and two values."""
    return len({f.dated for f in found if f.dated}) > 1 and len({(f.quantity.low, f.quantity.high) for f in found if f.quantity}) > 1


def _told_apart(one: Figure, other: Figure) -> bool:
    """Whether figures stand in two sentences, or are of two holders: a row of a table holds many that say nothing of each other."""
    here, there = one.evidence, other.evidence
    return (here.hit.passage.source_id, here.start) != (there.hit.passage.source_id, there.start) or one.holder != other.holder


def _both_say(one: Evidence, other: Evidence) -> bool:
    """Whether two sources say something each in its own words."""
    apart = one.hit.passage.source_id != other.hit.passage.source_id
    return apart and fuzz.ratio(one.text.casefold(), other.text.casefold()) < NEAR_COPY_RATIO


def _ordered(pairs: Iterable[_Pair]) -> list[_Pair]:
    """By date, the undated last."""
    return sorted(pairs, key=lambda p: (p[1].dated is None, p[1].dated or "", p[1].holder))


def _entry(name: str, pairs: Sequence[_Pair], opened: Opened) -> Entry:
    ordered = _ordered(pairs)
    claims, target = [], _target(ordered[0][0], name)
    for n, (item, figure) in enumerate(ordered, start=1):
        claims.append(
            Claim(
                number=n, value=f"{figure.value} {figure.unit}".strip(), holder=figure.holder, date=figure.dated, when=figure.when,
                citation=cited(item.evidence, item.source, opened.source, marker=n),
                contradicts=tuple(m for m, (_, f) in enumerate(ordered, start=1) if _contradict(f, figure, target)),
            )
        )  # fmt: skip
    changes = any(disjoint(a, b) for (_, a), (_, b) in combinations(ordered, 2))
    state: State = "disputed" if any(c.contradicts for c in claims) else "changes" if changes else "agrees"
    return Entry(thing=_thing(name, ordered), state=state, claims=tuple(claims))


def _contradict(one: Figure, other: Figure, target: Target) -> bool:
    """Whether two figures can't both be right; what is no toll may have changed from one time to another, and where none is told."""
    if not disjoint(one, other):
        return False
    if target.nature == "toll":
        return True
    if one.dated is None or other.dated is None:
        return False
    here, there = one.evidence, other.evidence
    if here.start == there.start and here.hit.passage.id == there.hit.passage.id and one.dated != other.dated:
        return False  # one sentence that tells how it went on
    return near_in_time(one, other) if target.nature == "stock" else _same_span(one, other)


def _same_span(one: Figure, other: Figure) -> bool:
    """Whether the times of two figures share at least half of the shorter; unknown ones do."""
    if one.period is None or other.period is None:
        return True
    (a, b), (c, d) = ((_day(p.first), _day(p.last)) for p in (one.period, other.period))
    return 2 * (min(b, d) - max(a, c) + 1) >= min(b - a, d - c) + 1


def _day(number: int) -> int:
    """A day as YYYYMMDD, counted on; open ends and days past the end of a month are near enough."""
    return number // 10000 * 365 + (number // 100 % 100) * 30 + number % 100


def _thing(name: str, pairs: Sequence[_Pair]) -> str:
    """What is counted, as most put it, and whose it is."""
    counted = Counter(i.quantity.unit for i, _ in pairs if i.quantity.unit)
    what = min(counted, key=lambda u: (-counted[u], len(u))) if counted else "figure"
    first = pairs[0][0]
    if first.quantity.kind != "count":
        told = _measured(first)
        what = f"{told} ({what})" if told else what
    return f"{name}: {what}"


def _measured(item: _Item) -> str:
    """The words before a figure that is no count, shortened."""
    before = item.evidence.text[: item.quantity.start]
    for period in reversed(periods(before)):
        before = before[: period.start] + before[period.end :]
    return " ".join(before.split()[-8:])
