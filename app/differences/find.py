"""Figures and dates that differ between sources: found, told apart from figures of other things, listed by date.

Two figures are set against each other only when they count the same thing (same noun or event, same
subject, no part of it, no other place or period) and can't both be right. Nothing is averaged.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from app.answer import Answer, Citation, Difference, Value
from app.citation_text import holder, one_line, shortened
from app.evidence.citing import cited
from app.evidence.gather import Evidence
from app.question.analysis import FACT_KINDS, Question, kind_of
from app.question.target import HOW_MANY, NEUTRAL, Target, is_period
from app.text.periods import Asked, Period, of_date, overlap, periods, shown, speaks_of, strict
from app.text.quantities import Quantity, group_of, nouns_of, quantities
from index.search import Hit
from index.terms import TOKEN, Vocabulary
from ingest.sentences import sentence_spans
from ingest.source import Source

MOST_VALUES = 20
MOST_SIDES = 5
OLD_YEARS = 2
"""Evidence older than this is called old when a question is about the present."""
LEADING_NOTES = 4
"""A source that tells a disagreement must be among so many of the best sentences to be what a question is about."""
SIDE_SCORE = 0.3
"""Least score of a sentence to be shown as one of its sides."""
LEAST_SCORE = 0.1
"""A sentence that was read and scored lower does not answer the question, whatever figure it holds."""
LEAST_SIMILARITY = 0.3
"""Passages that were not read must be at least so close to the question in meaning."""

_NEGATED = re.compile(
    r"\b(?:not?|none|never|neither|nor|cannot|wrong(?:ly)?|incorrect(?:ly)?|false(?:ly)?|denie[sd]|misread\w*|misquot\w*|misattribut\w*|mistaken\w*|misreport\w*)\b|n['’]t\b",
    re.I,
)
_IF = re.compile(
    r"\b(?:could|(?-i:may)|might|would|possib\w+|potential\w*|expect(?:ed|s)?|project(?:ed|ion|ions)|forecasts?|predict\w*|goal|target(?:s|ed)?|"
    r"plans? to|plan(?:ned|s)|aims?|capacity|room for|if|once|hop(?:es|ed)|feared|threatened)\b",
    re.I,
)
_PLACE_AFTER = re.compile(
    r"\b(?:in|from|near|along|around|across)\s+(?:the\s+)?(?:[\w-]+\s+){0,2}?(?:north|south|east|west|northern|southern|eastern|western|"
    r"north-?\w*|south-?\w*|provinces?|districts?|regions?|borders?|city|cities|suburbs?|counties|county|village|villages|area|areas)\b"
    r"|\bin [A-Z][\w-]+ alone\b|\balone\b",
)
_PART_AFTER = re.compile(
    r"^[\w\s’'-]{0,50}\b(?:are|were|was|is|being|came|come|who)\s+(?:also\s+|all\s+|mostly\s+)?(?:citizens|nationals|women|men|girls|boys|"
    r"children|minors|students|foreign\w*|from|natives|immigrants|residents|tourists|veterans|under|over|[A-Z])",
)
_OTHER_SCOPE = re.compile(
    r"\b(?:all (?:other )?groups|together with|altogether|combined|of which|core group|family members only|per (?:year|month|day|week|"
    r"capita)|an? (?:day|week|month) ?|on average|average|each|every (?:day|week|month)|(?:dozens|hundreds) more)\b",
    re.I,
)
_FEW = 12
"""Up to this, a number may count the figures themselves: "the last two"."""
_FAMILIES_TOO = re.compile(
    r"\b(?:counting|including|includes?|with) (?:their |the )?(?:family members|relatives|families)\b", re.I
)
_SAYING = re.compile(
    r"\b(?:sa(?:id|ys)|told|report(?:s|ed)?|stat(?:ed?|es)|claim(?:s|ed)|count(?:s|ed)|put|puts|gave|gives?|estimat(?:ed?|es)|found|"
    r"according to|announced|confirmed|spoke|wrote|noted|figures?|counts|data|statement|bulletin|update[d]?|investigators)\b",
    re.I,
)
_HAPPENING = re.compile(
    r"\b(?:attack(?:s|ed)?|bomb(?:ing|ings|ed)|struck|hit|blast|explo\w+|earthquake|quake|flood\w*|fire|crash\w*|collapse[d]?|storm|"
    r"took place|occurred|happened|killed|died|erupted|sank|derailed|shooting|stormed)\b",
    re.I,
)
_HOLDER = re.compile(
    r"\baccording to (?P<a>(?:the |an? )?[^,;.()]{2,70}?)(?=,|;|\.|\(|$| and [0-9]| in (?:January|February|March|April|May|June|July|August|"
    r"September|October|November|December|[0-9]{4}))"
    r"|(?:^|[,;] |\bthat |\b[Tt]he )(?P<b>[A-Z][\w’'.-]*(?: (?:of|for|and|the|on)? ?[A-Z][\w’'.-]*){0,5}(?: (?:officials?|authorities|"
    r"ministry|government|police|investigators|team|agency|spokes\w+|counts))?) (?:said|says|counted|counts|put|reported|estimated|gave|gives|"
    r"announced|stated|claimed)\b"
)
_LEFT_OWNER = re.compile(
    r"(?P<name>[A-Z][\w’'-]*(?:[ -](?:[A-Z][\w’'-]*|\([A-Z][\w-]*\)))*)\s*(?:\([^)]*\)\s*)?,?\s*"
    r"(?:has|have|had|at|with|numbers?|numbered|fields|fielded)\s*$"
)
_CLAUSE = re.compile(r";\s+|:\s+|,?\s+(?:while|whereas|but)\s+")
_UNIQUE = re.compile(
    r"\b(?:found(?:ed|ing)?|establish(?:ed|ment)|born|creat(?:ed|ion)|died|start(?:ed|s)?|beg[aiu]n|announced|signed|ended|opened|formed|"
    r"formation|built|launched|elected|introduced|invented|discovered|complet(?:ed|ion)|released|published)\b",
    re.I,
)
_GIVEN_AS = re.compile(r"\b(?:of|at|is|are|was|were|to|as)\s+(?:be\s+)?$", re.I)
_OTHER_NAME = re.compile(r"(?<=[^.!?\s]\s)[A-Z][^\W\d_]+")
_ASIDE = re.compile(r",[^,;.]{3,80},(?=\s*(?:has|have|had|with|fields|fielded|number\w*)\s*(?:[a-z]+\s+){0,3}$)")
_COUNTED_BY = re.compile(
    r"\b(?:count(?:s|ed)|put|gave|gives|report(?:s|ed)|estimate[ds]|record(?:s|ed))\s+(?:the (?:toll|number) at\s+)?$",
    re.I,
)
_FOR_WHAT = re.compile(r"\b(?:for|in|at|of|during)\s+(?:the\s+|an?\s+)?(?=[A-Z])")
_CITED = re.compile(r"\b(?:according to|article|report|study|paper|by)\b[^.;]*\($", re.I)
_LED_IN = re.compile(r"(?:^|\b(?:in|on|of|by|at|during|around|from|between|as of|since|for|the|until|to)\s+)$", re.I)
_RIGHT_BEHIND = re.compile(r"(?:\s[\w’'-]+){0,4},?\s+(?:in|as of|as at|by|for|during|on)\s+(?:\w+,\s+)*")
_EARLIER = re.compile(r"\b(?:earlier|previous(?:ly)?|former(?:ly)?|older|once|initial(?:ly)?|at first)\b", re.I)
_TOLD_APART = re.compile(r"\baccording to|\bothers?\b|\bprints?\b|\bdiffer", re.I)
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        "total overall confirmed reported active armed estimated registered known different individual new separate full complete whole "
        "actual people person member fighter human own regular such more dead killed suspected alleged core local",
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure that answers the question, where it stands, and who gives it for when.

    Attributes:
        evidence: its sentence.
        quantity: the figure; None for dates and for sides that are told in words.
        value, unit: as shown.
        period: when it is for; None when unknown.
        dated: its date in ISO form; None when unknown.
        when: the date in words.
        holder: who gives it.
        of_event: ``dated`` is when the event was, not when the figure was given.
        said: the sentence, shown behind a value that says little alone.
        firsthand: whoever gives it also published it, or is named by the one who did; false for what a
            compilation says in its own words.
    """

    evidence: Evidence
    quantity: Quantity | None
    value: str
    unit: str
    period: Period | None
    dated: str | None
    when: str
    holder: str
    of_event: bool = False
    said: str = ""
    firsthand: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Figures that differ, oldest first, and how to say so in one sentence."""

    about: str
    sentence: str
    figures: tuple[Figure, ...]


AGREED = Found(about="", sentence="", figures=())


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The list as text with markers, its citations and the JSON form."""

    text: str
    citations: tuple[Citation, ...]
    difference: Difference


def find(
    question: Question,
    evidence: Sequence[Evidence],
    more: Callable[[str], Sequence[Hit]],
    vocabulary: Vocabulary,
    sources: Callable[[str], Source | None],
) -> Found | None:
    """What the sources give different figures, dates or accounts for, if they do; :data:`AGREED` where figures were compared and agree.

    Args:
        evidence: sentences that were read, best first.
        more: looks for further passages, which are not read; it is given words to look for besides the question.
    """
    asked = question.time
    read = {e.hit.passage.id for e in evidence}
    if target := question.target:
        wide = [
            *evidence,
            *(e for h in more(_counted(target, question, vocabulary)) if h.passage.id not in read for e in _unread(h)),
        ]
        figures = _figures(target, asked, wide, vocabulary, sources, question)
        if found := _compared(target, figures, question):
            return found
        if figures:
            return AGREED
    if question.kind == "date" and (found := _dates(question, evidence, vocabulary, sources)):
        return found
    return _sides(question, evidence, more, vocabulary, sources)


def listed(found: Found, citations: Sequence[Citation], sources: Callable[[str], Source | None]) -> Listed:
    """The values written down, one a line, each with who gives it, its date and its marker.

    Newest first and the undated last, as tables show them (:func:`app.citation_text.rows`): markers count up in both.

    Args:
        citations: those that the answer has already; a sentence cited there keeps its marker.
    """
    every = list(citations)
    known = {(c.source_id, c.start, c.end): c.marker for c in every}
    values: list[Value] = []
    lines: dict[tuple[int, str], list[str]] = {}
    times = {_time_of(f) for f in found.figures if f.dated and not f.of_event}
    for figure in sorted(found.figures, key=lambda f: f.dated or "", reverse=True):
        item = figure.evidence
        source = sources(item.hit.passage.source_id)
        if source is None:
            continue
        place = (source.id, item.start, item.end)
        if place not in known:
            known[place] = len(every) + 1
            every.append(cited(item, source, sources, marker=known[place]))
        marker = known[place]
        told_last = len(times) > 1 and figure.dated and not figure.of_event and _time_of(figure) == max(times)
        newest = "newest" if told_last else ""
        told = "; ".join(filter(None, (figure.holder, ", ".join(filter(None, (figure.when, newest))))))
        said = f": {figure.said}" if figure.said else ""
        lines.setdefault((marker, told), []).append(f"{figure.value} {figure.unit}".strip() + said)
        values.append(
            Value(value=figure.value, unit=figure.unit, date=figure.dated, marker=marker, of_event=figure.of_event)
        )
    # Values of one sentence share a line.
    written = [f"- {' / '.join(v)}{f' ({told})' if told else ''} [{marker}]" for (marker, told), v in lines.items()]
    return Listed(
        text="\n".join([found.sentence, *written]), citations=tuple(every),
        difference=Difference(about=found.about, values=tuple(values)),
    )  # fmt: skip


def _counted(target: Target, question: Question, vocabulary: Vocabulary) -> str:
    """Nouns that count what is asked for, when the question has no such noun: "how strong" counts fighters."""
    if HOW_MANY.search(question.text):
        return ""
    asked = set(vocabulary.stems(question.text))
    return " ".join(n for head in sorted(target.heads) for n in nouns_of(head) if vocabulary.stem(n) not in asked)


def _unread(hit: Hit) -> Iterator[Evidence]:
    """Sentences of a passage that was found but not read."""
    if hit.similarity < LEAST_SIMILARITY:
        return
    for a, b in sentence_spans(hit.passage.text):
        yield Evidence(
            hit=hit, text=hit.passage.text[a:b], start=hit.passage.start + a, end=hit.passage.start + b,
            score=0.0, passage_score=0.0, similarity=hit.similarity, overlap=0.0,
        )  # fmt: skip


def _figures(
    target: Target, asked: Asked, evidence: Iterable[Evidence], vocabulary: Vocabulary,
    sources: Callable[[str], Source | None], question: Question,
) -> list[Figure]:  # fmt: skip
    """Figures in the evidence that are of the kind and subject asked for."""
    found: list[Figure] = []
    for item in evidence:
        source = sources(item.hit.passage.source_id)
        if source is None or (item.passage_score and item.score < LEAST_SCORE):
            continue
        figures = [q for q in quantities(item.text) if fits(q, target, item.text, question.text, vocabulary)]
        if not figures or not _covers(target, item, source, vocabulary):
            continue
        figures = [replace(q, head="people") if _counts_families(q, item.text) else q for q in figures]
        for quantity in figures:
            if another_owns(quantity, item.text, target, vocabulary):
                continue
            figure = figure_of(quantity, target, item, source)
            if asked.period and not _in_time(figure.period, asked.period, published=figure.when.startswith("published")):
                continue
            found.append(figure)
    return found


def figure_of(q: Quantity, target: Target, item: Evidence, source: Source) -> Figure:
    """A figure with who gives it for when, as its sentence and its source tell."""
    period, dated, when = _when(q, target, item, source)
    return Figure(
        evidence=item, quantity=q, value=q.text, unit=_unit(q, item.text), period=period, dated=dated, when=when,
        holder=_holder(q, item, source), of_event=target.nature == "flow" and period is not None and dated == period.iso,
        firsthand=source.genre != "notes" or item.hit.passage.claimed_by not in {None, source.publisher},
    )  # fmt: skip


def fits(q: Quantity, target: Target, sentence: str, question: str, vocabulary: Vocabulary) -> bool:
    """Whether a figure is of the kind that is asked for, is stated, and counts the whole of it."""
    if q.kind not in target.kinds or q.aside or q.change != target.change:
        return False
    clause = _clause(sentence, q)
    around = sentence[clause[0] : clause[1]]
    behind = sentence[q.end : clause[1]]
    near = sentence[max(clause[0], sentence.rfind(", ", 0, q.start)) : q.end] + behind.split(", ")[0]
    if any(
        p.search(text) and not p.search(question) for p, text in ((_NEGATED, around), (_IF, near), (_OTHER_SCOPE, near))
    ):
        return False
    if any(p.search(behind.split(",")[0]) and not p.search(question) for p in (_PLACE_AFTER, _PART_AFTER)):
        return False
    if q.kind != "count":
        stems = set(vocabulary.stems(sentence))
        return target.label <= stems and (not target.dimension or bool(target.dimension & stems))
    asked_stems = set(vocabulary.stems(question))
    if any(not set(vocabulary.stems(name)) <= asked_stems for name in q.named):
        return False
    extra = {m for m in q.modifiers if m not in asked_stems and m not in {vocabulary.stem(g) for g in _GENERIC}}
    named = {s for name in q.named for s in (vocabulary.stem(name), *vocabulary.stems(name))}
    if extra - named:
        return False
    if target.verb and q.verb and q.verb != target.verb and not NEUTRAL.match(q.verb):
        return False
    if target.verb and not q.verb and target.verb not in vocabulary.stems(sentence):
        return False
    return _same_noun(q, target, sentence, vocabulary)


def _same_noun(q: Quantity, target: Target, sentence: str, vocabulary: Vocabulary) -> bool:
    if target.events:
        if q.events != target.events:
            return False
        return q.head in target.heads or (q.head in {"", "people"} and target.heads <= {"people"})
    if q.events:
        return False
    if q.head in target.heads:
        return True
    if q.head == "people" and target.heads & {"strength", "staff"}:
        return any(group_of(w) in target.heads or w.lower().startswith("employ") for w in TOKEN.findall(sentence))
    if q.head == "" and not q.unit and target.heads & {"strength", "population"}:
        # "gives a size of 4,000–6,000"
        before = sentence[_clause(sentence, q)[0] : q.start]
        return bool(_GIVEN_AS.search(before)) and any(group_of(w) in target.heads for w in TOKEN.findall(before))
    return False


def _clause(sentence: str, q: Quantity) -> tuple[int, int]:
    """Start and end of the part of the sentence, between semicolons and contrasts, in which the figure stands."""
    cuts = list(_CLAUSE.finditer(sentence))
    start = max((m.end() for m in cuts if m.end() <= q.start), default=0)
    end = min((m.start() for m in cuts if m.start() >= q.end), default=len(sentence))
    return start, end


def _covers(target: Target, item: Evidence, source: Source, vocabulary: Vocabulary) -> bool:
    """Whether the sentence, in its source, is about the subject of the question."""
    passage = item.hit.passage
    text = " ".join(filter(None, (item.text, passage.context, passage.claimed_by, source.publisher, source.author)))
    known = _spellings(text, vocabulary)
    stems = set(vocabulary.stems(text))
    for name in target.names:
        if not _names_it(name, known, stems, vocabulary) and not (
            _names_it(name, _spellings(passage.text, vocabulary), set(vocabulary.stems(passage.text)), vocabulary)
            and _speaks_on(item, source, target)
        ):
            return False
    near = stems | set(vocabulary.stems(passage.text))
    there = [t for t in target.subject if set(vocabulary.stems(t)) <= near or _alike(t, near)]
    needed = 0.5 if target.names else 0.75
    return len(there) >= needed * len(target.subject)


def _names_it(name: str, known: frozenset[frozenset[str]], stems: Collection[str], vocabulary: Vocabulary) -> bool:
    spelled = _spellings(name, vocabulary)
    return spelled <= known if spelled else set(vocabulary.stems(name)) <= set(stems)


def _speaks_on(item: Evidence, source: Source, target: Target) -> bool:
    """Whether a sentence goes on about what its paragraph named before: it names nobody else but who says so."""
    rest = _HOLDER.sub(" ", item.text)
    known = f"{source.publisher} {source.title} {' '.join(target.names)}".lower()
    others = [m.group() for m in _OTHER_NAME.finditer(rest) if m.group().lower() not in known]
    return not [o for o in others if not periods(f"in {o} 2000")]


def _alike(term: str, stems: set[str]) -> bool:
    """Whether a word of the same beginning stands there: "flood" and "flooding", "bombing" and "bombs"."""
    word = term.lower()
    return len(word) >= 5 and any(s[:5] == word[:5] for s in stems if len(s) >= 4)


def _spellings(text: str, vocabulary: Vocabulary) -> frozenset[frozenset[str]]:
    """What is named in a text, whatever the spelling."""
    return frozenset(frozenset(a.lower() for a in vocabulary.aliases(m)) for m in vocabulary.mentions(text))


def another_owns(q: Quantity, sentence: str, target: Target, vocabulary: Vocabulary) -> bool:
    """Whether the figure is given for someone else than the question is about: "and the TTP at about 6,000"."""
    if _given_for_another(q, sentence, target, vocabulary):
        return True
    # "Marbury, a rival of Fenwick, has 600": what stands between commas is not the owner.
    owner = _LEFT_OWNER.search(_ASIDE.sub(" ", sentence[: q.start]))
    if owner is None:
        return False
    name = owner["name"]
    mine, asked = _spellings(name, vocabulary), frozenset().union(*(_spellings(n, vocabulary) for n in target.names))
    if mine or asked:
        return not mine & asked and not any(n.lower() in name.lower() for n in target.names)
    return bool(target.names) and not any(n.lower() in name.lower() or name.lower() in n.lower() for n in target.names)


def _given_for_another(q: Quantity, sentence: str, target: Target, vocabulary: Vocabulary) -> bool:
    """Whether a sentence shares its figures out: "100 for the Kerman attack and 145 for the Crocus attack"."""

    def named_behind(one: Quantity) -> tuple[bool, bool]:
        end = min((o.start for o in every if o.start >= one.end), default=len(sentence))
        behind = sentence[one.end : end]
        stems, known = set(vocabulary.stems(behind)), _spellings(behind, vocabulary)
        mine = bool(target.names) and all(_names_it(n, known, stems, vocabulary) for n in target.names)
        return mine, bool(_FOR_WHAT.search(_without_periods(behind)))

    every = quantities(sentence)
    mine, anyone = named_behind(q)
    return anyone and not mine and any(named_behind(o)[0] for o in every if o.start != q.start)


def _without_periods(text: str) -> str:
    for period in reversed(periods(text)):
        text = text[: period.start] + text[period.end :]
    return text


def _when(q: Quantity, target: Target, item: Evidence, source: Source) -> tuple[Period | None, str | None, str]:
    """The period that a figure is for (or of the event it counts), the date to show, and that date in words."""
    named = periods(item.text)
    start, end = _clause(item.text, q)
    cited = [p for p in named if _is_cited(p, item.text)]
    own = [p for p in named if start <= p.start < end and p not in cited] or [p for p in named if p not in cited]
    published = source.date if source.date and source.genre != "notes" else None
    if cited and not own:
        published = cited[-1].iso
    told: Period | None
    if target.nature == "toll":
        reported = [p for p in named if _is_report_date(p, q, item.text)]
        event = _nearest([p for p in named if p not in reported], q, item.text)
        told = _nearest(reported, q, item.text)
        return event, *_words(told, item.text, published)
    told = _nearest([p for p in own if p.relation != "of" or len(own) == 1], q, item.text)
    if told is None and target.nature == "flow":
        told = next(iter(periods(item.hit.passage.context)), None)
        return told, *_words(told, item.hit.passage.context, published)
    if told is not None:
        return told, *_words(told, item.text, published)
    if published and _EARLIER.search(item.text[start:end]):
        return replace(of_date(published), first=0), None, f"before {shown(published)}"
    return (of_date(published) if published else None), *_words(None, "", published)


def _is_cited(period: Period, sentence: str) -> bool:
    """Whether a date says when a text appeared: "according to the article by X (2024)"."""
    return bool(_CITED.search(sentence[: period.start])) and sentence[period.end :].startswith(")")


def _words(period: Period | None, text: str, published: str | None) -> tuple[str | None, str]:
    """A date in ISO form and in words: as the text has it, else of publication."""
    if period is not None:
        return period.iso, one_line(text[period.start : period.end])
    return published, f"published {shown(published)}" if published else "undated"


def _nearest(named: Sequence[Period], q: Quantity, text: str) -> Period | None:
    """The period nearest to the figure; one that a preposition leads in goes before "the 1988 Committee"."""
    behind = [p for p in named if p.start >= q.end and _RIGHT_BEHIND.fullmatch(text[q.end : p.start])]
    if behind:
        return behind[0]
    led = [p for p in named if p.relation != "at" or _LED_IN.search(text[: p.start])]
    return min(led or named, key=lambda p: min(abs(p.start - q.end), abs(q.start - p.end)), default=None)


def _is_report_date(period: Period, q: Quantity, sentence: str) -> bool:
    """Whether a date in a sentence on an event is when the figure was given, not when the event was."""
    if period.relation == "as of":
        return True
    if period.relation == "of":
        return False
    if _COUNTED_BY.search(sentence[: q.start]) and re.search(r"\bin\s+$", sentence[: period.start], re.I):
        return True  # "counted 149 dead in the attack in June 2025"

    def distance(pattern: re.Pattern[str]) -> int:
        return min(
            (min(abs(m.start() - period.end), abs(period.start - m.end())) for m in pattern.finditer(sentence)),
            default=999,
        )

    return distance(_SAYING) < distance(_HAPPENING)


def _in_time(period: Period | None, asked: Period, *, published: bool = False) -> bool:
    """Whether a figure's period meets the one asked for; a date of publication must lie in it altogether."""
    if period is None or not period.first:
        return False
    # "Dates from mid-2021" does not make it a figure for later years: its own days count, not "since".
    first, last = asked.bounds
    return (
        first <= period.first and period.last <= last
        if published
        else overlap((period.first, period.last), asked.bounds)
    )


def _unit(q: Quantity, sentence: str) -> str:
    """What is counted, as written, with "including family members" where that follows."""
    if q.kind in {"percent", "money", "measure"}:
        return ""
    with_whom = re.match(
        rf"[^,;.]{{0,12}}{re.escape(q.unit.split()[-1]) if q.unit else ''},? (?P<note>(?:counting|including|plus|with) (?:fighters and )?(?:their )?(?:family members|relatives|families|reserves)(?: together)?)",
        sentence[q.end :],
    )
    if not with_whom and _counts_families(q, sentence):
        return "people, including family members"
    return f"{q.unit}, {with_whom['note']}" if with_whom and q.unit else q.unit


def _counts_families(q: Quantity, sentence: str) -> bool:
    """Whether a remark behind the figure says that families are counted too: "4,000 in May, counting family members"."""
    remark = _FAMILIES_TOO.search(sentence, q.end) if q.head in {"strength", "people"} else None
    if remark is None:
        return False
    return not any(q.end <= o.start < remark.start() and o.point > _FEW for o in quantities(sentence))


def _holder(q: Quantity | None, item: Evidence, source: Source) -> str:
    """Who gives the figure: the note's "claimed by", "according to X", else who published it."""
    after = item.text[q.end : _clause(item.text, q)[1]] if q else item.text
    own = next((m for m in _HOLDER.finditer(after) if m["a"]), None) or next(
        (m for m in _HOLDER.finditer(item.text) if m["b"] and (q is None or m.start() < q.start)), None
    )
    passage = item.hit.passage
    if q is not None and not own:
        start, end = _clause(item.text, q)
        if re.search(r"\baccording to\b", item.text, re.I) and not re.search(
            r"\baccording to\b", item.text[start:end], re.I
        ):
            return "source not named"  # the one named stands behind another figure of the sentence
    if passage.claimed_by and source.genre != "notes":
        return passage.claimed_by
    if own and not (
        passage.claimed_by
        and "," not in passage.claimed_by
        and ";" not in passage.claimed_by
        and " via " not in f" {passage.claimed_by} "
    ):
        return one_line(re.sub(r"^(?:the|an?) ", "", (own["a"] or own["b"]).strip(), flags=re.I))
    return holder(source, passage.claimed_by, shortened(source.title))


def _compared(target: Target, figures: Sequence[Figure], question: Question) -> Found | None:
    """The figures that belong with the best one, when at least two of them can't both be right."""
    anchors = [f for f in figures if f.evidence.passage_score]
    if not anchors:
        return None
    anchor = max(anchors, key=lambda f: f.evidence.strength)
    alike = [f for f in figures if comparable(f, anchor, target)]
    values = distinct([f for f in alike if f.firsthand])
    if not _differ(values):
        values = distinct(alike)
    if not _differ(values):
        return None
    values = _most_telling(values, anchor)
    values.sort(key=lambda f: (_time_of(f), f.quantity.point if f.quantity else 0))
    several = target.nature == "stock" and len({f.dated for f in values if f.dated}) > 1
    return Found(
        about=_about(question), figures=tuple(values),
        sentence=f"The sources give different figures{', by source and date' if several else ''}:",
    )  # fmt: skip


def _time_of(figure: Figure) -> int:
    """The last day that a figure may be of; 0 when nothing is known."""
    if figure.dated is None:
        return figure.period.last if figure.period else 0
    if figure.period and str(figure.period.last)[:4] == figure.dated[:4]:
        return figure.period.last  # "early 2021" ends before "2021" does
    return of_date(figure.dated).last


def _differ(values: Sequence[Figure]) -> bool:
    """Whether two of the figures can't both be right."""
    return any(disjoint(a, b) for a, b in combinations(values, 2))


def comparable(figure: Figure, anchor: Figure, target: Target) -> bool:
    """Whether two figures count the same thing, as far as kind, unit and time tell."""
    one, other = figure.quantity, anchor.quantity
    if one is None or other is None or one.kind != other.kind:
        return False
    if one.kind != "count" and one.unit.lower() != other.unit.lower():
        return False
    if figure is anchor or target.nature == "stock":
        return True
    if target.nature == "toll":
        if figure.period is None or anchor.period is None:
            return bool(target.names) or near_in_time(figure, anchor)
        return overlap((figure.period.first, figure.period.last), (anchor.period.first, anchor.period.last)) or (
            _length(figure.period) <= 1
            and _length(anchor.period) <= 1
            and abs(figure.period.first - anchor.period.first) <= 2
        )
    if figure.period and anchor.period:
        long, short = sorted((_length(figure.period), _length(anchor.period)), reverse=True)
        return (
            overlap((figure.period.first, figure.period.last), (anchor.period.first, anchor.period.last))
            and long <= 1.5 * short
        )
    return near_in_time(figure, anchor)


def near_in_time(one: Figure, other: Figure) -> bool:
    """Whether what two figures say of time lies within a year; unknown dates do."""
    known = [f.period or (of_date(f.dated) if f.dated else None) for f in (one, other)]
    times = [(p.first, p.last) for p in known if p is not None]
    if len(times) < 2:
        return True
    return times[0][0] <= times[1][1] + 10000 and times[1][0] <= times[0][1] + 10000


def _length(period: Period) -> int:
    """Days, roughly."""
    years, rest = divmod(period.last - period.first, 10000)
    months, days = divmod(rest, 100)
    return years * 365 + months * 30 + days + 1


def distinct(figures: Sequence[Figure]) -> list[Figure]:
    """The figures with repetitions taken out: the same value for the same year is one, whoever prints it."""
    kept: list[Figure] = []
    for figure in sorted(figures, key=lambda f: (f.dated is None, -f.evidence.score, f.evidence.hit.rank)):
        twin = next((k for k in kept if _same(figure, k)), None)
        if twin is None:
            kept.append(figure)
        elif (figure.dated or "") > (twin.dated or ""):
            kept[kept.index(twin)] = figure
    return kept


def _same(figure: Figure, kept: Figure) -> bool:
    one, other = figure.quantity, kept.quantity
    if one is None or other is None:
        return figure.value == kept.value
    if figure.dated and kept.dated and figure.dated[:4] != kept.dated[:4]:
        return False
    if {one.head, other.head} == {"people", "strength"}:
        return False  # 4,000 fighters are not 4,000 people with their families
    return (one.low, one.high) == (other.low, other.high) or (
        one.point == other.point and _width(figure) == _width(kept) == 0
    )


def _width(figure: Figure) -> float:
    q = figure.quantity
    return q.high - q.low if q and q.bound == "exact" and "–" in re.sub(r"-| to | and ", "–", q.text) else 0.0


def disjoint(one: Figure, other: Figure) -> bool:
    """Whether two figures can't both be right."""
    a, b = one.quantity, other.quantity
    return a is not None and b is not None and (a.high < b.low or b.high < a.low)


def _most_telling(values: list[Figure], anchor: Figure) -> list[Figure]:
    """At most :data:`MOST_VALUES`: the leading one, the newest and the extremes first, then a spread over time."""
    if len(values) <= MOST_VALUES:
        return values
    first = [
        max(values, key=lambda f: f.dated or ""),
        min(values, key=lambda f: f.quantity.low if f.quantity else 0),
        max(values, key=lambda f: f.quantity.high if f.quantity else 0),
        *(f for f in values if f is anchor),
    ]
    rest = sorted((f for f in values if f not in first), key=lambda f: (-f.evidence.score, -f.evidence.hit.score))
    # One of each year, then a second of each, and so on: a series is worth most when it has no gaps.
    seen: Counter[str] = Counter((f.dated or "")[:4] for f in first)
    turns: list[tuple[int, int, Figure]] = []
    for order, figure in enumerate(rest):
        year = (figure.dated or "")[:4]
        turns.append((seen[year], order, figure))
        seen[year] += 1
    rest = [figure for _, _, figure in sorted(turns, key=lambda t: t[:2])]
    return list({id(f): f for f in [*first, *rest]}.values())[:MOST_VALUES]


def _dates(
    question: Question, evidence: Sequence[Evidence], vocabulary: Vocabulary, sources: Callable[[str], Source | None]
) -> Found | None:
    """Dates that differ for one event: something that happens once, or dates within days of each other."""
    text = question.text
    terms = [t for t in vocabulary.content_terms(text) if not is_period(t)]
    mentioned = {m.lower() for m in vocabulary.mentions(text)}
    names = tuple(t for t in terms if t.lower() in mentioned or (t[0].isupper() and not text.startswith(t)))
    subject = tuple(t for t in terms if t not in names)
    target = Target(
        heads=frozenset(),
        events=frozenset(),
        kinds=frozenset(),
        label=frozenset(),
        change=False,
        subject=subject,
        names=names,
    )
    if not names and not subject:
        return None
    unique = _UNIQUE.search(text)
    figures: list[Figure] = []
    for item in evidence:
        source = sources(item.hit.passage.source_id)
        if source is None or item.score < 3 * LEAST_SCORE or not _covers(target, item, source, vocabulary):
            continue
        stems = set(vocabulary.stems(item.text))
        words = [t for t in subject if set(vocabulary.stems(t)) <= stems or _alike(t, stems)]
        if subject and len(words) < len(subject):
            continue
        for period in periods(item.text):
            if (
                period.relation in {"at", "of"}
                and not _is_report_of(period, item.text)
                and not _NEGATED.search(item.text)
            ):
                figures.append(
                    Figure(
                        evidence=item, quantity=None, value=one_line(item.text[period.start : period.end]), unit="", period=period,
                        dated=period.iso, when=shown(source.date) if source.date and source.genre != "notes" else "",
                        holder=_holder(None, item, source), of_event=True,
                    )
                )  # fmt: skip
    if not figures:
        return None
    best = figures[0]
    kept: list[Figure] = []
    for figure in figures:
        a, b = figure.period, best.period
        if a is None or b is None or not (unique or abs(a.first - b.first) <= 7):
            continue
        twin = next((k for k in kept if k.period and overlap((k.period.first, k.period.last), (a.first, a.last))), None)
        if twin is None:
            kept.append(figure)
    outlets = {f.evidence.hit.passage.source_id for f in kept}
    if len(kept) < 2 or (len(outlets) < 2 and not any(_TOLD_APART.search(f.evidence.text) for f in kept)):
        return None
    kept.sort(key=lambda f: f.period.first if f.period else 0)
    return Found(about=_about(question), figures=tuple(kept[:MOST_SIDES]), sentence="The sources give different dates:")


def _is_report_of(period: Period, sentence: str) -> bool:
    """Whether the date belongs to the one who says it: "according to Wikipedia (2024)", "the report of 2023"."""
    before = sentence[max(0, period.start - 40) : period.start]
    return bool(
        re.search(
            r"\($|\b(?:report|article|reported|said|according to [\w ]+|statement|version)(?: (?:in|on|of))?\s*$",
            before,
            re.I,
        )
    )


def _sides(
    question: Question, evidence: Sequence[Evidence], more: Callable[[str], Sequence[Hit]], vocabulary: Vocabulary,
    sources: Callable[[str], Source | None],
) -> Found | None:  # fmt: skip
    """The sides that a source which tells a disagreement records, when the question is about its matter."""
    if question.kind not in FACT_KINDS - {"number"}:
        return None
    stems = set(vocabulary.stems(question.text))
    for source_id in dict.fromkeys(e.hit.passage.source_id for e in evidence[:LEADING_NOTES]):
        source = sources(source_id)
        if source is None or not (matter := source.disagreement):
            continue
        own = [e for e in evidence if e.hit.passage.source_id == source.id and e.score >= SIDE_SCORE]
        words = _common_words(matter, vocabulary)
        shared = [t for t in words if set(vocabulary.stems(t)) <= stems]
        there = set(vocabulary.stems(" ".join((matter, *(e.text for e in own)))))
        terms = vocabulary.content_terms(question.text)
        covered = [t for t in terms if set(vocabulary.stems(t)) <= there]
        if not shared or 2 * len(shared) < len(words) or 3 * len(covered) < 2 * len(terms):
            continue
        if kind_of(matter) != question.kind and not (matter.startswith("whether") and question.kind == "yes-no"):
            continue
        if len(shared) == len(words) and sum(e.hit.passage.claimed_by != source.publisher for e in own) < 2:
            # The note is about nothing but what is asked: all of its sides belong here.
            read = {e.hit.passage.id for e in own}
            found = (h for h in more("") if h.passage.source_id == source.id and h.passage.id not in read)
            own += [e for h in found for e in _unread(h)]
        sides = [_side(e) for e in own if e.hit.passage.claimed_by != source.publisher]
        if len(sides) > 1:
            sides = sorted(sides[:MOST_SIDES], key=_time_of)
            return Found(about=matter, figures=tuple(sides), sentence="The sources do not agree on this:")
    return None


def _common_words(text: str, vocabulary: Vocabulary) -> list[str]:
    """Topic words that are no names."""
    mentioned = {m.lower() for m in vocabulary.mentions(text)}
    return [t for t in vocabulary.content_terms(text) if t.lower() not in mentioned and not t[0].isupper()]


def _side(item: Evidence) -> Figure:
    """A sentence of a note as one side, with the first date in it."""
    told = next((p for p in periods(item.text) if not _is_cited(p, item.text)), None)
    return Figure(
        evidence=item, quantity=None, value=one_line(item.text).rstrip("."), unit="", period=told,
        dated=told.iso if told else None, when="", holder=item.hit.passage.claimed_by or "", of_event=True,
    )  # fmt: skip


def _about(question: Question) -> str:
    return question.text.rstrip(" ?!.")


def off_time(lead: Evidence, asked: Asked, published: str | None) -> bool:
    """Whether the best evidence speaks of other times only than the one asked for.

    Args:
        published: date of the lead's text, see :func:`app.text.periods.speaks_of`.

    None of 62 answerable questions bound to a time, bundled and held-out ones of all sets, had such evidence.
    """
    return asked.period is not None and strict(asked.period) and speaks_of(lead.text, asked.period, published) < 0


def added(
    answer: Answer, found: Found | None, asked: Asked, today: dt.date, sources: Callable[[str], Source | None]
) -> Answer:
    """The answer with what differs behind it, and a word on its age when the question is about the present."""
    if found:
        shown_list = listed(found, answer.citations, sources)
        answer = replace(
            answer, answer=f"{answer.answer}\n{shown_list.text}", citations=shown_list.citations,
            differences=(shown_list.difference,), short_answer=None,  # none of them is preferred
        )  # fmt: skip
    if not asked.now:
        return answer
    newest, marker = max(
        ((_said_of(c), c.marker) for c in answer.citations), default=(None, 0), key=lambda n: n[0] or ""
    )
    if newest is None or of_date(newest).last >= (today.year - OLD_YEARS) * 10000 + today.month * 100 + today.day:
        return answer
    note = f"The newest evidence found is of {shown(newest)} [{marker}]."
    return replace(answer, answer=f"{answer.answer}{chr(10) if found else ' '}{note}")


def _said_of(citation: Citation) -> str | None:
    """The date that a quotation speaks of, else that of its source."""
    named = [p for p in periods(citation.quote) if p.relation not in {"of", "since", "before"}]
    if named:
        return max(named, key=lambda p: p.last).iso
    return citation.date if citation.genre != "notes" else None
