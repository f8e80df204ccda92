"""From hits to evidence: every sentence of the passages found, scored for whether it answers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from app.evidence.rows import Spelled, spelled
from app.evidence.statement import Wanted, interrogative
from app.text import claims
from app.text.lexicon import CALENDAR
from index.embed import Encoder
from index.search import Hit
from index.terms import Vocabulary
from ingest.blocks import SEPARATOR
from ingest.chunk import CONTEXT_JOINT, Passage
from ingest.sentences import sentence_spans

PASSAGE_WEIGHT = 5.0
SENTENCE_WEIGHT = 3.0
OVERLAP_WEIGHT = 1.0
LEADING = 8
"""How many of the best sentences are also compared by meaning."""
_SAYS = re.compile(
    r"\b(?:sa(?:y|ys|id)|claim\w*|den(?:y|ies|ied)|admit\w*|estimat\w*|put|puts|think\w*|believ\w*|report\w*|react\w*|call\w*|"
    r"view\w*|describ\w*|accus\w*|blam\w*|declar\w*|announc\w*|promis\w*|opinion|position|word\w*|statement\w*|according)\b",
    re.I,
)
_SPEAKERS = re.compile(
    r"\([^()]*\)|\b(?:according to|as (?:reported|quoted|told|cited) by)\b[^.;,]*|"
    r"\b[\w-]+(?:['’]s?)? (?:spokes\w+|officials?|sources?|(?:\w+ )?ministers?|authorities|statements?|claims?)\b",
    re.I,
)
"""Who says it: of "the Taliban spokesman said that ISKP …" the topic is ISKP."""
LEADING_PASSAGES = 4
"""How many pieces of evidence are looked through for the names of the question."""
OF_OTHERS = 0.001
"""Score of a sentence that speaks of others than the question, whatever the reader makes of it."""
STATES_NOTHING = 0.0002
"""Score of a sentence that can be no answer, such as a question or a byline; below :data:`OF_OTHERS`."""
_REPLIES = frozenset(["yes", "no", "never", "certainly", "indeed", "not at all", "exactly", "absolutely"])
REPLY = 0.75
"""Least score of what follows the question in the text itself, or its label on a fact sheet. Its worth alone is not measured yet."""
_POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|the (?:group|organi[sz]ation|branch|movement|network|militants|fighters|party))\b",
    re.I,
)


class PassageReader(Protocol):
    """Scores sentences in the context of their passage."""

    @property
    def fingerprint(self) -> str:
        """Names the weights; kept with what is calibrated on them."""

    def score(self, question: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        """A reading for each passage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPassage:
    """A passage as a reader gets it: title and headings, then its sentences in order."""

    context: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader found.

    Attributes:
        sentences: how probably each sentence answers, in [0, 1].
        passage: how probably the passage holds an answer, in [0, 1].
        spans: for each sentence the words that would be the short answer, as character offsets in the
            sentence with a score in [0, 1]; empty when the reader finds no spans.
    """

    sentences: tuple[float, ...]
    passage: float
    spans: tuple[tuple[int, int, float] | None, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A sentence that may answer; ``start`` and ``end`` are offsets into the source's text.

    Attributes:
        score: reader's score of the sentence, in [0, 1].
        passage_score: reader's score of its whole passage, in [0, 1].
        similarity: cosine of the question with the sentence (for the leading ones) or with its passage.
        overlap: share of the question's topic terms that stand in the sentence or its context.
        span: offsets into the source's text, and score, of the words that would be the short answer.
        of_others: what the sentence speaks of instead of what the question is about; see ``Vocabulary.confused``.
    """

    hit: Hit
    text: str
    start: int
    end: int
    score: float
    passage_score: float
    similarity: float
    overlap: float
    span: tuple[int, int, float] | None = None
    of_others: tuple[str, ...] = ()

    @property
    def strength(self) -> float:
        """What evidence is ranked by: the reader's log-odds, and how close passage and sentence are in meaning.

        The reader sees what a sentence says, the encoder what it is about. On our own held-out articles
        weights of 8 and 4 put an answering sentence first for 72 % of 75 questions, 4 and 4 for 69 %, the
        reader alone for 61 %; over the bundled corpus smaller weights carried more facts. The share of the question's
        topic words that are there breaks what would be ties: "did ISKP attack X?" is not led by who else did.
        """
        close = PASSAGE_WEIGHT * self.hit.similarity + SENTENCE_WEIGHT * self.similarity
        return log_odds(self.score) + close + OVERLAP_WEIGHT * self.overlap


class SimilarityReader:
    """Scores by meaning alone: cosine of question and sentence. For homes without reader weights."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.fingerprint = f"similarity:{encoder.name}"

    def score(self, question: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        """Cosine clipped to [0, 1]; the passage scores as its best sentence."""
        flat = [s for p in passages for s in p.sentences]
        vectors = self._encoder.encode([question, *flat])
        scores = iter(np.clip(vectors[1:] @ vectors[0], 0.0, 1.0).tolist())
        readings = []
        for passage in passages:
            own = tuple(next(scores) for _ in passage.sentences)
            readings.append(Reading(sentences=own, passage=max(own, default=0.0)))
        return readings


def gather(
    question: str, hits: Sequence[Hit], reader: PassageReader, encoder: Encoder, vocabulary: Vocabulary
) -> list[Evidence]:
    """All sentences of the hits as evidence, best first."""
    rows = [spelled(h.passage) for h in hits]
    spans = [[(0, len(h.passage.text))] if row else _spans(h.passage.text) for h, row in zip(hits, rows, strict=True)]
    texts = [[h.passage.text[a:b] for a, b in own] for h, own in zip(hits, spans, strict=True)]
    others = [
        [_of_others(question, text, hit, vocabulary) for text in own] for hit, own in zip(hits, texts, strict=True)
    ]
    wanted = Wanted(question, vocabulary)
    words = [[row.text] if row else own for row, own in zip(rows, texts, strict=True)]
    readings = [
        _stated(wanted, hit.passage, own, _in_row(reading, row) if row else reading)
        for hit, own, row, reading in zip(hits, texts, rows, _read(question, hits, words, others, reader), strict=True)
    ]
    terms = {vocabulary.stem(t) for term in vocabulary.content_terms(question) for t in vocabulary.stems(term)}
    found: list[Evidence] = []
    for hit, own, sentences, reading, of in zip(hits, spans, texts, readings, others, strict=True):
        around = set(vocabulary.stems(hit.passage.context))
        spans_found = reading.spans or (None,) * len(own)
        for (a, b), text, score, span, other in zip(own, sentences, reading.sentences, spans_found, of, strict=True):
            at = hit.passage.start + a
            there = terms & (around | set(vocabulary.stems(text)))
            found.append(
                Evidence(
                    hit=hit,
                    text=text,
                    start=at,
                    end=hit.passage.start + b,
                    score=score,
                    passage_score=reading.passage,
                    similarity=hit.similarity,
                    overlap=len(there) / len(terms) if terms else 1.0,
                    span=(at + span[0], at + span[1], span[2]) if span else None,
                    of_others=other,
                )
            )
    ranked = sorted(found, key=lambda e: (-e.strength, e.hit.rank, e.start))
    # Encoding every sentence would cost as much as reading them; only the best can matter.
    ranked = [e for e in ranked if e.score > STATES_NOTHING] or ranked
    leading = ranked[:LEADING]
    vectors = encoder.encode([vocabulary.spell_out(question), *(e.text for e in leading)])
    similarities = (vectors[1:] @ vectors[0]).tolist()
    exact = [replace(e, similarity=s) for e, s in zip(leading, similarities, strict=True)]
    return sorted(exact, key=lambda e: (-e.strength, e.hit.rank, e.start)) + ranked[LEADING:]


def _read(
    question: str,
    hits: Sequence[Hit],
    texts: Sequence[Sequence[str]],
    others: Sequence[Sequence[tuple[str, ...]]],
    reader: PassageReader,
) -> list[Reading]:
    """Readings of the passages; what speaks of something else (``others``) neither answers nor makes its neighbours answer.

    A passage with such sentences is read without them too, and each other sentence gets the lower score: a reader that sees the
    mayor of another town named takes the sentence beside it, on the town in question, for an answer.
    """
    passages = [
        ReadPassage(context=h.passage.context, sentences=tuple(own)) for h, own in zip(hits, texts, strict=True)
    ]
    rest = {i: [k for k, other in enumerate(of) if not other] for i, of in enumerate(others) if any(of) and not all(of)}
    without = [replace(passages[i], sentences=tuple(texts[i][k] for k in kept)) for i, kept in rest.items()]
    readings = reader.score(question, [*passages, *without])
    again = dict(zip(rest, readings[len(passages) :], strict=True))
    return [
        _lowered(r, of, rest.get(i, ()), again.get(i)) for i, (r, of) in enumerate(zip(readings, others, strict=False))
    ]


def _lowered(
    reading: Reading, others: Sequence[tuple[str, ...]], kept: Sequence[int], again: Reading | None
) -> Reading:
    if not any(others):
        return reading
    scores = [min(s, OF_OTHERS) if o else s for s, o in zip(reading.sentences, others, strict=True)]
    if again is not None:
        for k, score in zip(kept, again.sentences, strict=True):
            scores[k] = min(scores[k], score)
    least = [reading.passage, max(scores, default=0.0), *((again.passage,) if again else ())]
    return replace(reading, sentences=tuple(scores), passage=min(least))


def _in_row(reading: Reading, row: Spelled) -> Reading:
    """The reading of a row in words, with its span where it stands in the row."""
    spans = []
    for span in reading.spans:
        there = row.in_row(span[0], span[1]) if span else None
        spans.append((*there, span[2]) if span and there else None)
    return replace(reading, spans=tuple(spans))


def _spans(text: str) -> list[tuple[int, int]]:
    """Sentences; "No." and its like go with the sentence after it, which says what it means."""
    found: list[tuple[int, int]] = []
    bare = False
    for a, b in sentence_spans(text):
        if bare and SEPARATOR not in text[found[-1][1] : a]:
            found[-1] = (found[-1][0], b)
        else:
            found.append((a, b))
        bare = text[a:b].rpartition(": ")[2].strip(" \"'“”.!,–—").lower() in _REPLIES
    return found


def _stated(wanted: Wanted, passage: Passage, sentences: Sequence[str], reading: Reading) -> Reading:
    """The reading with what states nothing taken out, and what follows the same question in the text put up."""
    stands = [wanted.answered_by(s, passage) for s in sentences]
    scores = [s if ok else min(s, STATES_NOTHING) for s, ok in zip(reading.sentences, stands, strict=True)]
    spans = reading.spans
    best = max(reading.sentences, default=0.0)
    whole = reading.passage
    if not all(stands) and best > max(scores, default=0.0):
        # What the passage was thought to answer with is no answer.
        whole = min(whole, max(scores, default=0.0))
    above, _, asked = passage.context.rpartition(CONTEXT_JOINT)
    before = [asked, *sentences]
    for k, ok in enumerate(stands):
        if ok and interrogative(before[k]) and wanted.asked_in(before[k], above):
            scores[k], whole = max(scores[k], REPLY), max(whole, REPLY)
    for k, ok in enumerate(stands):
        if ok and SEPARATOR in passage.text and wanted.labelled_in(sentences[k], f"{passage.context} {passage.text}"):
            scores[k], whole = max(scores[k], REPLY), max(whole, REPLY)
    return replace(reading, sentences=tuple(scores), passage=whole, spans=spans)


def _of_others(question: str, sentence: str, hit: Hit, vocabulary: Vocabulary) -> tuple[str, ...]:
    """What a sentence speaks of instead of what the question is about.

    A sentence that begins by pointing back ("the group") speaks of what its passage names. Who says it is no topic, unless the question
    asks what somebody says.
    """
    topic = sentence if _SAYS.search(question) else _SPEAKERS.sub(" ", sentence)
    others = vocabulary.confused(question, topic)
    if not others:
        return ()
    back = _POINTS_BACK.search(topic)
    if back and back.start() < topic.find(others[0]) and not vocabulary.confused(question, hit.passage.text):
        return ()
    return tuple(others)


def names_lacking(
    question: str, terms: Sequence[str], evidence: Sequence[Evidence], vocabulary: Vocabulary
) -> list[tuple[str, ...]]:
    """For the passages of the first :data:`LEADING_PASSAGES` pieces of evidence, what :func:`unnamed` tells of each.

    Once one lacks nothing that the first lacks, the others are not looked at.
    """
    passages = {e.hit.passage.id: e.hit.passage for e in evidence[:LEADING_PASSAGES]}
    found: list[tuple[str, ...]] = []
    for passage in passages.values():
        found.append(unnamed(question, found[0] if found else terms, passage, vocabulary))
        if not found[-1]:
            break
    return found


def unnamed(question: str, terms: Iterable[str], passage: Passage, vocabulary: Vocabulary) -> tuple[str, ...]:
    """Names of the question that stand neither in a passage nor in its title and headings.

    Another spelling or the country's people count as the name. The question's first word is no name for sure; months and days are none.

    Args:
        terms: topic terms of the question, such as ``Vocabulary.content_terms`` gives them.
    """
    known = {m for m in vocabulary.mentions(question) if any(map(str.isupper, "".join(vocabulary.aliases(m))))}
    names = [
        t for t in terms
        if (t[:1].isupper() or t in known) and t.lower() not in CALENDAR and not question.lstrip().startswith(t)
    ]  # fmt: skip
    if not names:
        return ()
    text = f"{passage.context}. {passage.text}"
    stems = set(vocabulary.stems(text))
    names = [n for n in names if not stems & set(vocabulary.stems(n))]
    if not names:
        return ()
    said = claims.read(text, vocabulary)
    return tuple(n for n in names if not any(claims.word_of_name(w, said) for w in n.split()))


def log_odds(probability: float) -> float:
    """ln(p / (1 - p)), with p kept within 0.0001 of its ends."""
    p = min(1 - 1e-4, max(1e-4, probability))
    return math.log(p / (1 - p))
