"""Definitions: what or who something is, by a sentence that says so, and a few facts that add to it."""

from __future__ import annotations

from collections.abc import Sequence

from app.answering.engine import Desk, Outcome, Trace
from app.answering.rows import (
    FLOOR,
    LEAST,
    LOOKED_THROUGH,
    Sheet,
    alike,
    by_meaning,
    found_widely,
    on,
    statements,
    widely_read,
)
from app.evidence.gather import Evidence
from app.question.matter import matter
from app.text import claims
from app.text.claims import akin
from app.text.parse import parse
from app.text.voices import reports_others
from index.terms import Vocabulary

FACTS = 3
"""Facts behind the definition."""
WORDS = 110


def definition(desk: Desk) -> Outcome | None:
    """A defining sentence and up to three facts; None where no sentence says what it is, and where it is asked what somebody says."""
    if desk.request.shape != "definition" or (desk.request.topic and desk.request.topic.holder):
        return None
    name = named(desk.request.standalone)
    vocabulary = desk.index.vocabulary
    asked = {vocabulary.stem(t) for t in desk.request.question.terms if not vocabulary.frames(t)}
    if not name or not asked <= {stem for t in [name, *name.split()] for stem in (vocabulary.stem(t), *vocabulary.stems(t))}:
        return None  # "Who is the artist of the album X?" wants more than what an artist is
    hits = found_widely(desk, desk.request.standalone, LOOKED_THROUGH)
    about = [e for e in statements(hits, "", vocabulary) if _holds(name, e.text, vocabulary) and not opinion(e)]
    defining = [(worth, e) for e in about if (worth := defines(name, e.text, vocabulary))]
    best = max((worth for worth, _ in defining), default=0)
    near = by_meaning(desk, [e for worth, e in defining if worth == best], f"{name} is")
    trace = widely_read(desk, on(desk, f"Who or what is {name}?"), desk.models.settings.passages)
    if not near and not trace.decision.answer:
        return None
    with desk.clock.stage("generate"):
        chosen = [*near[:1], *facts(desk, name, near[:1], trace)]
        if len(chosen) < LEAST and not near:
            return None
        sheet = Sheet(desk.index.source)
        text = " ".join(sheet.add("", [item]) for item in chosen)
        return sheet.outcome(desk, "definition", text, trace)


def facts(desk: Desk, name: str, given: Sequence[Evidence], trace: Trace) -> list[Evidence]:
    """Sentences that answer and add names, dates, places or figures of a kind that was not given."""
    vocabulary = desk.index.vocabulary
    seen = {entity.kind for item in given for entity in parse(item.text).entities}
    left = WORDS - sum(len(item.text.split()) for item in given)
    found: list[Evidence] = []
    for item in trace.evidence:
        kinds = {entity.kind for entity in parse(item.text).entities} if item.score >= FLOOR else set()
        long = len(item.text.split()) > left
        if not kinds - seen or long or opinion(item) or not _holds(name, item.text, vocabulary):
            continue
        if any(alike(item.text, c.text, vocabulary) for c in (*given, *found)):
            continue
        found.append(item)
        seen |= kinds
        left -= len(item.text.split())
        if len(found) == FACTS:
            break
    return found


def named(question: str) -> str:
    """What is to be defined: "Khalil Haqqani" of "who was Khalil Haqqani?"."""
    found = parse(matter(question))
    for place, word in enumerate(found.words):
        if word.pos in {"NOUN", "PROPN", "ADJ", "VERB", "X"} and word.dep not in {"compound", "amod", "poss", "aux"} and word.lemma != "be":
            before = [c for c in found.children[place] if c < place and found.words[c].dep in {"compound", "amod", "nmod"}]
            return found.text[found.words[min([place, *before])].start : word.end]
    return ""


def defines(name: str, text: str, vocabulary: Vocabulary) -> int:
    """2 where a sentence says what something is ("X is a …"), 1 where it says so by the way ("X, a …"), 0 otherwise."""
    found = parse(text)
    for clause in found.clauses:
        root = found.words[clause.verb].dep == "ROOT"
        if root and clause.lemma == "be" and not clause.negated and not clause.modal and clause.subject is not None and clause.objects:
            noun = found.words[clause.objects[0].head].pos in {"NOUN", "PROPN"}
            if noun and _is(name, clause.subject.text, vocabulary) and _is(found.words[clause.subject.head].text, name, vocabulary):
                return 2
    for place, word in enumerate(found.words):
        if word.dep == "appos" and word.pos in {"NOUN", "PROPN"} and _is(name, found.span(word.head, without=("appos", "relcl", "punct", "prep")).text, vocabulary):
            return 1 if any(found.words[c].dep in {"det", "amod", "prep"} for c in found.children[place]) else 0
    return 0


def opinion(item: Evidence) -> bool:
    """Whether a sentence is what somebody holds rather than what is."""
    return item.hit.passage.claim_status == "opinion" or claims.unsure(item.text) or claims.alleged(item.text) or reports_others(item.text)


def _is(name: str, subject: str, vocabulary: Vocabulary) -> bool:
    """Whether a subject is the thing itself and no part or property of it."""
    wanted, there = (_words(t, vocabulary) for t in (name, subject))
    return bool(wanted) and all(any(akin(w, t) for t in there) for w in wanted) and len(there) <= len(wanted) + 3


def _holds(name: str, text: str, vocabulary: Vocabulary) -> bool:
    wanted, there = (_words(t, vocabulary) for t in (name, text))
    return bool(wanted) and all(any(akin(w, t) for t in there) for w in wanted)


def _words(text: str, vocabulary: Vocabulary) -> set[str]:
    return {s for term in vocabulary.content_terms(text) for s in vocabulary.stems(term)}
