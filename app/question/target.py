"""Which figure a question asks for: what is counted, of whom, and how such figures relate to time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from app.text.periods import periods
from app.text.quantities import PARTICIPLES, Kind, events_in, group_of, is_measure
from index.terms import TOKEN, Vocabulary

Nature = Literal["stock", "flow", "toll"]
"""A stock may change with time (members), a flow belongs to a period (sales), a toll to an event (deaths)."""


_FLOW_HEADS = frozenset(
    group_of(w)
    for w in (
        "attack", "incident", "event", "explosion", "bombing", "case", "visit", "visitor", "tourist", "passenger", "goal",
        "sale", "birth", "flight", "accident", "crime", "protest", "complaint", "patient", "arrival", "trip", "order",
        "vote", "strike", "raid", "operation", "clash", "delivery", "export", "import", "migrant", "refugee", "applicant",
        "application", "death", "shipment", "earthquake", "fire", "storm", "revenue",
    )
)  # fmt: skip


_FLOW_LABELS = frozenset(
    group_of(w)
    for w in (
        "revenue", "turnover", "profit", "loss", "sale", "income", "earning", "turnout", "rainfall", "rain", "snow", "emission",
        "budget", "spending", "export", "import", "growth", "rate", "inflation", "unemployment", "output", "production",
        "consumption", "harvest", "yield", "traffic", "share", "percentage", "percent", "vote",
    )
)  # fmt: skip


HOW_MANY = re.compile(r"\bhow many\b|\b(?:number|count|estimates?|total) of\b(?! (?:isk|the )?$)", re.I)


_HOW_STRONG = re.compile(r"\bhow (?:large|big|strong|sizeable|numerous)\b|\b(?:strength|size|membership)\b", re.I)


_HOW_MUCH = re.compile(
    r"\bhow (?:much|high|far|long|tall|deep|wide|heavy|fast|hot|cold|big|large)\b|\bpercent(?:age)?\b|\b(?:share|proportion|rate|turnout|"
    r"revenue|turnover|profits?|loss(?:es)?|sales|cost|costs|price|budget|value|worth|reward|magnitude|height|length|area|depth|"
    r"temperature|rainfall|emissions|income|debt|fine|damage|margin|score)\b",
    re.I,
)


_NO_MEASURE = re.compile(r"\bhow (?:many times|often|old|long ago|come)\b|\bwhy\b|\bhow much of\b", re.I)


_TREND = re.compile(
    r"\b(?:develop(?:ed|s)?|change[ds]?|evolve[ds]?|over time|over the years|trend|series|estimates)\b", re.I
)


_WHAT_FIGURE = re.compile(
    r"^\W*what (?:is|was|were|are)\b.*\b(?:estimates?|strength|size|tolls?|number|population|turnout|revenue|figures?)\b",
    re.I,
)


_CHANGE = re.compile(
    r"\bby how (?:much|many)\b|\b(?:how (?:much|far) (?:did|has|have|had|do|does)\b.*\b(?:fall|fallen|rise|risen|drop|dropped|grow|"
    r"grown|increase[d]?|decrease[d]?|decline[d]?|shrink|shrunk|change[d]?))\b",
    re.I,
)


_DIMENSIONS = {
    "high": frozenset({"high", "height", "tall", "elev", "altitud", "rise", "stand"}),
    "tall": frozenset({"high", "height", "tall", "stand"}),
    "long": frozenset({"long", "length", "last", "took", "take", "stretch", "durat", "run"}),
    "wide": frozenset({"wide", "width", "across", "broad"}),
    "deep": frozenset({"deep", "depth"}),
    "heavy": frozenset({"heavi", "weigh", "weight"}),
    "far": frozenset({"away", "distanc", "from"}),
    "fast": frozenset({"fast", "speed"}),
}


_DID = re.compile(
    r"\bdid\b.*?\b(?P<verb>[a-z]{3,})(?=\s+(?:in|on|at|during|from|by|for|since|after|before|according)\b|[?.\s]*$)"
)


NEUTRAL = re.compile(
    r"have|had|put|out|off|take|make|made|carry|carried|see|seen|report(?:ed)?|count(?:ed)?|estimate[d]?|claim(?:ed)?|state[d]?|record(?:ed)?|"
    r"register(?:ed)?|list(?:ed)?|say|give|include[d]?|locate[d]?|base[d]?|need(?:ed)?|use[d]?|call(?:ed)?|name[d]?|publish(?:ed)?|announce[d]?|"
    r"confirm(?:ed)?|measure[d]?|found|reach(?:ed)?|total(?:l?ed)?|number(?:ed)?|told|under|over|there|part|place",
    re.I,
)


_CHANGED = frozenset(
    """
    fall fell fallen rise rose risen drop dropped grow grew grown increase increased increases decrease decreased decreases decline declined
    declines shrink shrank shrunk change changed changes high long far deep wide big large much heavy tall
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What kind of figure a question asks for.

    Attributes:
        heads: what may be counted, by group; empty when the question does not say.
        events: what happened to those counted.
        kinds: kinds of figure that may answer.
        label: stems of what is measured, for figures that are no counts ("turnout", "revenue").
        change: whether a rise or fall is asked for.
        verb: stem of what was done to the things counted, where the question says so.
        dimension: stems of which one must stand with the figure, for "how high", "how long".
        subject: the words that say whose figure it is; common words among them.
        names: the names among them; each spelling folded.
    """

    heads: frozenset[str]
    events: frozenset[str]
    kinds: frozenset[Kind]
    label: frozenset[str]
    change: bool
    subject: tuple[str, ...]
    names: tuple[str, ...]
    verb: str = ""
    dimension: frozenset[str] = frozenset()

    @property
    def nature(self) -> Nature:
        """How figures of it relate to time."""
        if self.events:
            return "toll"
        if self.change or self.kinds == {"percent"} or self.heads & _FLOW_HEADS or self.label & _FLOW_LABELS:
            return "flow"
        return "stock"


def target_of(text: str, kind: str, vocabulary: Vocabulary) -> Target | None:
    """What figure a question asks for; None when it asks for none."""
    if _NO_MEASURE.search(text) or not (kind == "number" or _TREND.search(text) or _WHAT_FIGURE.search(text)):
        return None
    heads: set[str] = set()
    kinds: set[Kind] = {"count"}
    label: set[str] = set()
    events = set(events_in(text))
    change = bool(_CHANGE.search(text))
    asked_for = HOW_MANY.search(text)
    consumed: set[str] = set()
    if asked_for:
        words = _noun_phrase(text[asked_for.end() :])
        if words and is_measure(words[-1]):
            kinds = {"measure"}
        elif words:
            heads.add(group_of(words[-1]))
            consumed.add(vocabulary.stem(words[-1]))
    elif any(word in text.lower() for word in ("population", "populous")):
        heads |= {"population", "people"}
        consumed.add(vocabulary.stem("population"))
    elif _HOW_STRONG.search(text) and not _HOW_MUCH.search(re.sub(r"how (?:big|large)", "", text, flags=re.I)):
        heads.add("strength")
    elif not events or change:
        if not _HOW_MUCH.search(text) and not change:
            return None
        kinds = {"percent", "money", "measure"}
    if "strength" in heads or (heads & {"people"} and not events):
        heads |= {"people"} if "people" in heads else set()
    terms = [t for t in vocabulary.content_terms(text) if not is_period(t)]
    event_words = {vocabulary.stem(m.group()) for m in TOKEN.finditer(text) if events_in(m.group())}
    mentioned = {m.lower() for m in vocabulary.mentions(text)}
    names = [t for t in terms if t.lower() in mentioned or (t[0].isupper() and not text.startswith(t))]
    about = [
        t for t in terms
        if t not in names and group_of(t) not in heads and vocabulary.stem(t) not in consumed | event_words
        and not _TREND.fullmatch(t) and t.lower() not in _ASKING
    ]  # fmt: skip
    if "count" not in kinds:
        label = {vocabulary.stem(t) for t in about if not is_measure(t) and t.lower() not in _CHANGED}
    return Target(
        heads=frozenset(heads), events=frozenset(events), kinds=frozenset(kinds), label=frozenset(label), change=change,
        subject=tuple(about), names=tuple(names), dimension=_dimension(text) if "measure" in kinds else frozenset(),
        verb="" if events else _asked_verb(text, vocabulary),
    )  # fmt: skip


_ASKING = frozenset(
    re.findall(
        r"\w+",
        "estimate estimates estimated strength size strong toll death deaths count counts counted figure figures percent percentage share "
        "put give gave total exactly approximately roughly develop change evolve time high rate much",
    )
)


def _noun_phrase(after: str) -> list[str]:
    words: list[str] = []
    for match in re.finditer(r"[^\W\d_][\w’'-]*|[^\s\w]", after):
        word = match.group()
        if not word[0].isalpha() or re.fullmatch(
            r"(?:do|does|did|is|are|was|were|has|have|had|can|could|will|would|in|on|at|of|for|from|to|by|with|and|or|the|who|that|which|"
            r"there|killed|died|injured|wounded|lost|live|lives|fled|went|came|took|voted|according|per|works?|lived|develop|change)",
            word,
            re.I,
        ):
            if not words and word.lower() in {"the", "of"}:
                continue
            break
        if words and re.fullmatch(PARTICIPLES, word, re.I):
            break
        words.append(word)
    return words


def _asked_verb(question: str, vocabulary: Vocabulary) -> str:
    """Stem of the verb in "how many houses were destroyed", "how many houses did the storm destroy"."""
    if not re.search(r"\bhow many\b", question, re.I):
        return ""
    found = re.search(rf"\bhow many [\w -]*?\b(?P<verb>{PARTICIPLES})\b", question, re.I) or _DID.search(question)
    if found is None or NEUTRAL.fullmatch(found["verb"]):
        return ""
    return vocabulary.stem(found["verb"])


def _dimension(question: str) -> frozenset[str]:
    how = re.search(r"\bhow (\w+)", question, re.I)
    return _DIMENSIONS.get(how[1].lower(), frozenset()) if how else frozenset()


def is_period(term: str) -> bool:
    """Whether a topic term is no more than a time."""
    return bool(periods(f"in {term}") or re.fullmatch(
        r"(?:early|mid|late|end|half|quarter|january|february|march|april|may|june|july|august|september|october|november|december)"
        r"(?:-[0-9]{4})?", term, re.I))  # fmt: skip
