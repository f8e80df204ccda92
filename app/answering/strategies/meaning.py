"""What a turn means where its words leave that open: the evidence chooses among its readings, or the user is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from app.answering.engine import Desk, Outcome, Trace
from app.answering.rows import found_widely
from app.answering.strategies.point import nearest, searched, trace_of
from app.citation_text import is_comparison
from app.evidence.gather import log_odds
from app.question.analysis import Question
from app.question.dialogue import Mention, MentionKind, fullest, mentions, names_of, same_person, stands_for_a_person
from app.question.followup import KINDS_ALONE
from app.question.request import Reading, Request, ask_instead, asking
from app.text.parse import parse
from ingest.sentences import sentence_spans

HANDICAP = 0.5
"""Log-odds that a reading with words added must be ahead of the turn as typed."""
_MOST_READ = 2
"""Readings whose passages are read; reading is what costs."""
_CLOSE = 0.15
"""Difference of probability below which two persons or things are about as likely to be meant."""
_LOOKED_AT = 6
"""Sentences in which somebody or something that may be meant is looked for."""
_OPTIONS = 3
_STANDS_ALONE = 3
"""Topic words of a turn that is answered as typed though nothing explains its "it", "they" or "this": "where does it
snow", "where do they hold". Of 14 questions of CLAP NQ that were asked back before, five of the seven with an answer are
answered, four of them with the gold answer, and none of the seven without one; MTRAG-UN asks back as often as before
(.075 of 40)."""
_OF_A_TEXT = frozenset(("it", "this", "that", "its"))
"""Pronouns that may stand for a text."""
ASKED_BACK = "It is not clear what “{word}” stands for. Which of these do you mean?"
ASKED_BACK_OPEN = "It is not clear what “{word}” stands for. Please ask with the name that you mean."
EITHER = "This may be asked in more than one way, and the sources answer each. Which do you mean?"


def meaning(desk: Desk) -> Outcome | Desk | None:
    """The desk with the reading that the evidence answers best, or a question back; None where there is nothing to choose."""
    request = desk.request
    if request.turning not in {"new", "correction"}:
        return None
    if request.unexplained and (only := _only_text(desk)):
        return only
    if request.unexplained:
        trace = trace_of(desk, request.question)
        if request.explained_by == ("person",) and (known := _known_person(desk)):
            return desk.asking(ask_instead(request, _with(request.text, request.unexplained, known), desk.index.vocabulary))
        bound = request.explained_by[:1] in {("person",), ("place",)}
        if not bound and trace.decision.answer and len(request.question.terms) >= _STANDS_ALONE:
            return None
        return _asked_back(desk, request.unexplained, trace)
    if not request.readings:
        return None
    named = [r for r in request.readings if r.way == "pronoun"]
    pronoun = next((w.text for w in parse(request.text).words if w.tag in {"PRP", "PRP$"}), "") if request.explained_by == ("person",) else ""
    if pronoun and named and all(_of_a_thing(desk, r) for r in named):
        return _asked_back(desk, pronoun, trace_of(desk, _as_typed(request)))
    if named and not (named := [r for r in named if _may_be(desk, r)]):
        return desk.asking(ask_instead(request, request.text, desk.index.vocabulary))
    loose = [r for r in request.readings if r.way != "pronoun"]
    traces = _read(desk, named[:2] if request.rivals else named)
    if request.rivals and _either(desk, [t for _, t in traces]):
        options = tuple(r.question.text for r, _ in traces)
        answer = replace(desk.base, status="unclear", answer=EITHER, options=options, standalone_question=request.asked)
        return Outcome(answer=answer, trace=traces[0][1])
    if not any(t.decision.answer for _, t in traces):
        # What a pronoun stands for is known better than a topic put behind the turn; that is for where nothing is found.
        traces += _read(desk, loose)
    if request.half_explained and traces and not any(t.decision.answer for _, t in traces):
        return _asked_back(desk, request.half_explained, traces[-1][1])
    best = max(traces, key=lambda found: _worth(*found))[0]
    return desk.asking(asking(request, best.question, desk.index.vocabulary))


def _as_typed(request: Request) -> Question:
    """The question with nothing put into it, where that is one of its readings."""
    return next((r.question for r in request.readings if r.way == "typed"), request.question)


def _only_text(desk: Desk) -> Desk | None:
    """The desk with "it" understood as the only text there is."""
    request = desk.request
    if request.unexplained.lower() not in _OF_A_TEXT or len(list(islice((s for s in desk.index.sources() if request.filters.admits(s)), 2))) != 1:
        return None
    return desk.asking(ask_instead(request, _with(request.text, request.unexplained, "the article"), desk.index.vocabulary))


def _known_person(desk: Desk) -> str:
    """The only one whom the last question names and the sources tell to be a person, by the fullest name; else empty.

    The parser takes a family name alone for a place as often as not.
    """
    named = names_of(desk.request.before.question, desk.index.vocabulary)
    found = fullest([full for name in named if (full := _as_person(desk, name))])
    return found[0] if len(found) == 1 else ""


def _as_person(desk: Desk, name: str) -> str:
    """The fullest name of a person with these last words, where more sentences with the name take it for one's than do not; else empty."""
    people, others = _taken_for(desk, name)
    return max(people, key=len) if len(people) > others else ""


def _taken_for(desk: Desk, name: str) -> tuple[list[str], int]:
    """Names of persons with these last words in the sentences that hold a name, and how many take it for something else."""
    people: list[str] = []
    others = 0
    for text in _naming(desk, name)[:_LOOKED_AT]:
        for mention in mentions(text, desk.index.vocabulary):
            if mention.named and same_person(name, mention.text):
                person = mention.kind == "person" and stands_for_a_person(text, mention.text)
                people += [mention.text] * person
                others += not person
    return people, others


def _of_a_thing(desk: Desk, reading: Reading) -> bool:
    """Whether a reading puts for "he" or "she" what the sources tell to be no person: a ship."""
    put = [n for n in names_of(reading.question.text, desk.index.vocabulary) if n in desk.request.before.question and n not in desk.request.text]
    people, others = _taken_for(desk, put[0]) if len(put) == 1 else ([], 0)
    return others > len(people)


def _may_be(desk: Desk, reading: Reading) -> bool:
    """Whether "the union" may stand for the name that a reading puts for it: the sources call that name so, or the noun says no more than its kind."""
    request = desk.request
    put = [n for n in names_of(reading.question.text, desk.index.vocabulary) if n not in request.text]
    found = parse(request.text)
    nouns = [
        found.words[w.head].lemma for w in found.words
        if w.lemma == "the" and w.dep == "det" and request.text[w.start : found.words[w.head].end] not in reading.question.text
    ]  # fmt: skip
    if not nouns or nouns[0] in KINDS_ALONE:
        return True
    if not put:
        return False
    return any(_called(text, put[0], nouns[0]) for text in _naming(desk, put[0]))


def _naming(desk: Desk, name: str) -> list[str]:
    """Sentences with a name, of the passages nearest to it."""
    hits = found_widely(desk, name, _LOOKED_AT)
    return [text for hit in hits for a, b in sentence_spans(hit.passage.text) if name in (text := hit.passage.text[a:b])]


def _called(text: str, name: str, noun: str) -> bool:
    """Whether a sentence calls a name by a noun: within it, right before it, or as what it is."""
    found = parse(text)
    start = text.find(name)
    own = {p for p, w in enumerate(found.words) if start <= w.start < start + len(name)}
    near = own | {found.words[p].head for p in own} | {c for p in own for c in found.children[p]}
    near |= {c for p in near if found.words[p].lemma == "be" for c in found.children[p] if found.words[c].dep == "attr"}
    return any(found.words[p].lemma == noun and found.words[p].pos in {"NOUN", "PROPN"} for p in near)


def _read(desk: Desk, readings: Sequence[Reading]) -> list[tuple[Reading, Trace]]:
    """The readings whose passages come nearest, read."""
    likeliest = sorted(readings, key=lambda r: -_found(desk, r))[:_MOST_READ]
    return [(r, trace_of(desk, r.question)) for r in likeliest]


def _found(desk: Desk, reading: Reading) -> float:
    """Closeness of the nearest passage in meaning."""
    return max((h.similarity for h in searched(desk, reading.question).hits), default=0.0)


def _worth(reading: Reading, trace: Trace) -> float:
    return log_odds(trace.decision.confidence) - HANDICAP * (reading.way != "typed")


def _either(desk: Desk, traces: Sequence[Trace]) -> bool:
    """Whether two readings are answered about as surely, by different sentences."""
    if len(traces) < 2 or not all(t.decision.answer and t.evidence for t in traces):
        return False
    one, other = traces
    leads = {(t.evidence[0].hit.passage.id, t.evidence[0].start) for t in traces}
    return len(leads) > 1 and abs(one.decision.confidence - other.decision.confidence) < _CLOSE


def _asked_back(desk: Desk, word: str, trace: Trace) -> Outcome:
    """That it is not clear who or what is meant, with questions about those that the sources name near these words."""
    request = desk.request
    whole = word.lower() in _OF_A_TEXT and request.shape == "summary" and not request.question.terms
    names = _texts(desk) if whole else _named(desk, trace, request.explained_by)
    options = tuple(dict.fromkeys(_with(request.text, word, n) for n in names))[:_OPTIONS]
    told = ASKED_BACK if options else ASKED_BACK_OPEN
    options = options or tuple(desk.models.offers(_OPTIONS))
    answer = replace(
        desk.base, status="unclear", answer=told.format(word=word), options=options, confidence=0.0,
        standalone_question=request.asked, nearest=nearest(trace, desk.index),
        reasons=(f"nothing said before tells what “{word}” stands for",),
    )  # fmt: skip
    return Outcome(answer=answer, trace=trace)


def _texts(desk: Desk) -> list[str]:
    """Titles of the newest texts of others, in quotation marks."""
    admitted = [s for s in desk.index.sources() if desk.request.filters.admits(s) and not is_comparison(s)]
    texts = sorted(admitted, key=lambda s: s.date or "", reverse=True)
    return [f"“{s.title}”" for s in texts[:_OPTIONS]]


def _named(desk: Desk, trace: Trace, kinds: Sequence[MentionKind]) -> list[str]:
    """Names of these kinds in the sentences that come nearest."""
    if not kinds:
        return []
    said: dict[str, list[Mention]] = {}
    for item in trace.evidence[:_LOOKED_AT]:
        source = desk.index.source(item.hit.passage.source_id)
        told_by = {source.publisher, source.author} if source else set()
        for mention in mentions(item.text, desk.index.vocabulary):
            name = mention.text.removeprefix("the ").removeprefix("The ")
            person = mention.kind != "person" or stands_for_a_person(item.text, mention.text)
            if mention.named and mention.kind in kinds and name[:1].isupper() and name not in told_by and person:
                said.setdefault(name, []).append(mention)
    order = sorted(said, key=lambda n: (-len(said[n]), kinds.index(said[n][0].kind)))
    return fullest(order) if tuple(kinds) == ("person",) else order


def _with(question: str, word: str, name: str) -> str:
    possessive = word.lower() in {"his", "its", "their"}
    place = word.lower() == "there"
    written = f"{name}’s" if possessive else f"in {name}" if place else name
    text = re.sub(rf"\b{re.escape(word)}\b", written.replace("\\", ""), question, count=1)
    return f"{text[:1].upper()}{text[1:]}"
