"""Summaries of a source, a topic or the collection: the sentences that stand for the most of it, spread over the text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from app.answering.engine import Desk, Outcome, Trace
from app.answering.rows import Sheet, alike, coverage, on, statements, widely_read
from app.answering.speakers import named_source, quoted
from app.citation_text import shortened
from app.evidence.gather import Evidence
from app.question.matter import ASKS, FORM, matter
from app.question.reference import reference
from app.text.lexicon import NUMBERS, TEXTS
from app.text.parse import parse
from index.search import Hit
from ingest.source import Source

USUAL, MOST = 5, 12
"""Sentences of a summary where no number is asked for, and at most."""
_WORDS = (8, 45)
"""Words of a sentence that can stand in a summary."""
_READ = 240
"""Sentences compared by meaning; of longer texts every so-manieth."""
_SPREAD = 0.55
"""Weight of what a sentence says for the whole, against how much the chosen ones say it already (maximal marginal relevance)."""
_EDGE = 0.08
"""What standing in the first or the last eighth of a text is worth, in cosine: thesis and conclusion stand there."""
_EIGHTH = 8
COVERED = 0.5
"""Share of the topic's words, by how telling they are, from which a sentence is on the topic even where nothing answers it as a question."""
NEARLY = 0.6
"""Share of the best sentence's coverage that the others need."""
_ONE = re.compile(r"\b(?:in|as|one|a|single) (?:one |single )?(?:sentence|line)\b", re.I)
_COUNTED = FORM - TEXTS - {"word"}
"""Nouns of which a number tells how many sentences are wanted: "three arguments"."""
_BACK = frozenset(("PRP", "DT", "CC", "RB", "PRP$"))
"""Parts of speech that begin a sentence which leans on the one before it ("It", "This", "And", "Thus")."""


def summary(desk: Desk) -> Outcome | None:
    """The sentences that sum up; None where no source is meant and nothing is on the topic."""
    question = desk.request.standalone
    if desk.request.topic or not (desk.request.shape == "summary" or _of_a_text_alone(desk, question)):
        return None
    source = named_source(desk, question)
    wanted, bullets = length(question)
    topic = topic_beside(desk, question, source)
    if (source is None and not topic) or (topic and wanted == 1):
        return None  # one sentence on one thing is what the point strategy gives
    if source is None:
        return _of_topic(desk, topic, wanted, bullets)
    with desk.clock.stage("read"):
        chosen = choose(desk, statements(_passages(source, desk), "", desk.index.vocabulary, _stands), wanted, topic)
    if not chosen:
        return None
    whole = f"{len(chosen)} sentences that stand for the most of “{shortened(source.title)}”"
    return _told(desk, chosen, bullets, None, confidence=1.0, reasons=(whole,))


def _of_a_text_alone(desk: Desk, question: str) -> bool:
    """Whether a question names one text and says nothing else: "What is the ferry article about?"."""
    open_form = desk.request.shape in {"point", "definition"} and desk.request.question.kind in {"description", "other"}
    if not open_form or not (reference(question) or quoted(question, list(desk.index.sources()))):
        return False
    source = named_source(desk, question)
    return source is not None and not topic_beside(desk, question, source) and bool(topic_beside(desk, question, None))


def _of_topic(desk: Desk, topic: str, wanted: int, bullets: int) -> Outcome | None:
    """What the sources say of a thing: the sentences that hold most of its words, the best read first; None where they hold too few."""
    trace = widely_read(desk, on(desk, topic))
    covers = coverage(desk, topic)
    shares = [covers(e.text) for e in trace.evidence]
    best = max(shares, default=0.0)
    if not best or not (trace.decision.answer or best >= COVERED):
        return None
    chosen: list[Evidence] = []
    for item, share in zip(trace.evidence, shares, strict=True):
        if share >= NEARLY * best and _stands(item.text) and not any(alike(item.text, c.text, desk.index.vocabulary) for c in chosen):
            chosen.append(item)
        if len(chosen) == wanted:
            break
    if not chosen:
        return None
    return _told(desk, chosen, bullets, trace, confidence=max(trace.decision.confidence, best))


def _told(
    desk: Desk, chosen: Sequence[Evidence], bullets: int, trace: Trace | None, *, confidence: float, reasons: tuple[str, ...] = ()
) -> Outcome:
    with desk.clock.stage("generate"):
        sheet = Sheet(desk.index.source)
        lines = sheet.running(chosen)
        text = "\n".join(f"- {line}" for line in lines) if bullets else " ".join(lines)
        return sheet.outcome(desk, "summary", text, trace, confidence=confidence, reasons=reasons)


def _stands(text: str) -> bool:
    """Whether a sentence can be understood without the one before it."""
    if not _WORDS[0] <= len(text.split()) <= _WORDS[1]:
        return False
    first = parse(text).words[0]
    return not (first.tag in _BACK and first.lemma not in {"the", "a", "an", "no", "some", "all", "every"})


def _passages(source: Source, desk: Desk) -> list[Hit]:
    passages = desk.index.passages_of(source.id)
    return [Hit(passage=p, score=0.0, similarity=0.0, lexical=0.0, rank=n) for n, p in enumerate(passages, start=1)]


def topic_beside(desk: Desk, question: str, source: Source | None) -> str:
    """What is wanted of beside the source, or beside the text that a question means; empty where it is of the whole."""
    vocabulary = desk.index.vocabulary
    said = f"{source.author or ''} {source.title}" if source else ""
    if (referred := reference(question)) is not None:
        said += f" {referred.noun} {referred.beside if source else ''}"
    named = {vocabulary.stem(t) for t in vocabulary.content_terms(said)}
    terms = vocabulary.content_terms(matter(question))
    asked = {vocabulary.stem(w) for w in FORM | ASKS | {"author", "main", "key", *NUMBERS}}
    left = [t for t in terms if vocabulary.stem(t) not in named | asked and not vocabulary.frames(t) and not t.isdigit()]
    return " ".join(left)


def length(question: str) -> tuple[int, int]:
    """How many sentences are wanted, and whether as bullets (1 or 0)."""
    found = parse(question)
    bullets = int(any(w.lemma in {"bullet", "point", "takeaway"} for w in found.words))
    if _ONE.search(question):
        return 1, bullets
    for word in found.words:
        if word.pos == "NUM" and found.words[word.head].lemma in _COUNTED:
            number = NUMBERS.get(word.lemma) or (int(word.text) if word.text.isdigit() else 0)
            if number:
                return min(number, MOST), bullets
    return USUAL, bullets


def choose(desk: Desk, items: Sequence[Evidence], wanted: int, topic: str) -> list[Evidence]:
    """The sentences nearest in meaning to all the others, far from one another, in reading order."""
    items = items[:: max(1, -(-len(items) // _READ))]
    if not items:
        return []
    vectors = desk.models.encoder.encode([desk.index.vocabulary.spell_out(topic or " "), *(i.text for i in items)])
    about, own = vectors[0], vectors[1:]
    central = own @ np.mean(own, axis=0)
    worth = central / max(float(central.max()), 1e-6)
    if topic:
        worth = 0.5 * worth + own @ about
    places = np.array([i.start for i in items], dtype=float)
    edge = np.minimum(places, places.max() - places) <= places.max() / _EIGHTH
    worth = worth + _EDGE * edge
    chosen: list[int] = []
    near = own @ own.T
    while len(chosen) < min(wanted, len(items)):
        said = near[:, chosen].max(axis=1) if chosen else np.zeros(len(items))
        score = _SPREAD * worth - (1 - _SPREAD) * said
        score[chosen] = -np.inf
        chosen.append(int(score.argmax()))
    order = sorted(chosen, key=lambda n: (items[n].hit.rank if items[n].hit.score else 0, items[n].start))
    return [replace(items[n], score=float(min(1.0, max(0.0, central[n])))) for n in order]
