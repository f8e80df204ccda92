"""Figures and dates that differ between sources: found, told apart from figures of other things, listed by date.

Two figures are set against each other only when they count the same thing (same noun or event, same
subject, no part of it, no other place or period) and can't both be right. Nothing is averaged.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from app.citation_text import one_line
from app.differences.compare import compared
from app.differences.counted import NEGATED, counts_families, fits, unit_of
from app.differences.dated import in_time, is_cited, time_of, when_of
from app.differences.figure import AGREED, Figure, Found, about
from app.differences.whose import alike, another_owns, covers, holder_of
from app.evidence.gather import Evidence
from app.question.analysis import FACT_KINDS, Question, kind_of
from app.question.target import HOW_MANY, Target, is_period
from app.text.periods import Asked, Period, overlap, periods, shown
from app.text.quantities import Quantity, nouns_of, quantities
from index.search import Hit
from index.terms import Vocabulary
from ingest.sentences import sentence_spans
from ingest.source import Source

MOST_SIDES = 5
LEADING_NOTES = 4
"""A source that tells a disagreement must be among so many of the best sentences to be what a question is about."""
SIDE_SCORE = 0.3
"""Least score of a sentence to be shown as one of its sides."""
LEAST_SCORE = 0.1
"""A sentence that was read and scored lower does not answer the question, whatever figure it holds."""
LEAST_SIMILARITY = 0.3
"""Passages that were not read must be at least so close to the question in meaning."""
_UNIQUE = re.compile(
    r"\b(?:found(?:ed|ing)?|establish(?:ed|ment)|born|creat(?:ed|ion)|died|start(?:ed|s)?|beg[aiu]n|announced|signed|ended|opened|formed|"
    r"formation|built|launched|elected|introduced|invented|discovered|complet(?:ed|ion)|released|published)\b",
    re.I,
)
_TOLD_APART = re.compile(r"\baccording to|\bothers?\b|\bprints?\b|\bdiffer", re.I)


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
        if found := compared(target, figures, question):
            return found
        if figures:
            return AGREED
    if question.kind == "date" and (found := _dates(question, evidence, vocabulary, sources)):
        return found
    return _sides(question, evidence, more, vocabulary, sources)


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
        if not figures or not covers(target, item, source, vocabulary):
            continue
        figures = [replace(q, head="people") if counts_families(q, item.text) else q for q in figures]
        for quantity in figures:
            if another_owns(quantity, item.text, target, vocabulary):
                continue
            figure = figure_of(quantity, target, item, source)
            if asked.period and not in_time(figure.period, asked.period, published=figure.when.startswith("published")):
                continue
            found.append(figure)
    return found


def figure_of(q: Quantity, target: Target, item: Evidence, source: Source) -> Figure:
    """A figure with who gives it for when, as its sentence and its source tell."""
    period, dated, when = when_of(q, target, item, source)
    return Figure(
        evidence=item, quantity=q, value=q.text, unit=unit_of(q, item.text), period=period, dated=dated, when=when,
        holder=holder_of(q, item, source), of_event=target.nature == "flow" and period is not None and dated == period.iso,
        firsthand=source.genre != "notes" or item.hit.passage.claimed_by not in {None, source.publisher},
    )  # fmt: skip


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
        if source is None or item.score < 3 * LEAST_SCORE or not covers(target, item, source, vocabulary):
            continue
        stems = set(vocabulary.stems(item.text))
        words = [t for t in subject if set(vocabulary.stems(t)) <= stems or alike(t, stems)]
        if subject and len(words) < len(subject):
            continue
        for period in periods(item.text):
            if (
                period.relation in {"at", "of"}
                and not _is_report_of(period, item.text)
                and not NEGATED.search(item.text)
            ):
                figures.append(
                    Figure(
                        evidence=item, quantity=None, value=one_line(item.text[period.start : period.end]), unit="", period=period,
                        dated=period.iso, when=shown(source.date) if source.date and source.genre != "notes" else "",
                        holder=holder_of(None, item, source), of_event=True,
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
    return Found(about=about(question), figures=tuple(kept[:MOST_SIDES]), sentence="The sources give different dates:")


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
            sides = sorted(sides[:MOST_SIDES], key=time_of)
            return Found(about=matter, figures=tuple(sides), sentence="The sources do not agree on this:")
    return None


def _common_words(text: str, vocabulary: Vocabulary) -> list[str]:
    """Topic words that are no names."""
    mentioned = {m.lower() for m in vocabulary.mentions(text)}
    return [t for t in vocabulary.content_terms(text) if t.lower() not in mentioned and not t[0].isupper()]


def _side(item: Evidence) -> Figure:
    """A sentence of a note as one side, with the first date in it."""
    told = next((p for p in periods(item.text) if not is_cited(p, item.text)), None)
    return Figure(
        evidence=item, quantity=None, value=one_line(item.text).rstrip("."), unit="", period=told,
        dated=told.iso if told else None, when="", holder=item.hit.passage.claimed_by or "", of_event=True,
    )  # fmt: skip
