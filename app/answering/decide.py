"""Answer or abstain: a calibrated probability that the evidence answers the question."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from app.evidence.gather import Evidence, log_odds
from app.question.analysis import Question, asked_noun, fits_kind

FEATURES = ("passage", "similarity", "hit", "lead", "overlap", "missing")
"""What a calibration may weigh, see :func:`features`."""


STRANGE_FIGURE = 0.1
"""Most that is granted when the question names a figure, year or numbered thing that stands in no source.

None of 13 such questions among 1,200 held-out ones could be answered; names that no source mentions were misspelt or
beside the point in 14 of 30 answerable questions, so they only lower the probability.
"""
UNMENTIONED = 1.7
"""By how much the log-odds fall when what is asked for by name ("what salary") is mentioned by no source.

That is the log of how much more often it is so where there is no answer: 11 of 137 questions against 11 of 734, over the
bundled cases and the held-out questions of all sets.
"""
UNNAMED = 1.7
"""By how much the log-odds fall when the leading passage lacks a name of the question that a passage close behind has.

The log of how much more often that is so where there is no answer: 11 of 182 questions against 7 of 654, over the bundled
cases and held-out questions of all sets that had a probability of 0.35 or more without this.
"""
NAMED_NOWHERE = 0.2
"""Probability at most when none of the leading passages has a name of the question.

So it was with 16 of 198 questions without an answer and, misspelt names aside, with 3 of 660 others of the same sets: what
such passages say, they say of somebody else.
"""
NEAREST = 3
"""Rank of the last hit that is told of when it speaks of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Logistic regression over some of :data:`FEATURES`.

    probability = 1 / (1 + exp(-(bias + Σ weight · feature)))

    Attributes:
        threshold: least probability at which the engine answers.
        fitted_on: in words, for ``--explain``.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float
    fitted_on: str

    def probability(self, values: Mapping[str, float]) -> float:
        """Probability in [0, 1] that the evidence answers."""
        z = self.bias + sum(weight * values[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, z))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to answer, how sure, and why.

    Attributes:
        apart: names of the question that none of the leading passages mentions.
        instead: what the nearest passages speak of instead of what the question is about.
    """

    answer: bool
    confidence: float
    reasons: tuple[str, ...]
    features: Mapping[str, float]
    apart: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()


def load_calibrations() -> dict[str, Calibration]:
    """The packaged calibrations by reader kind."""
    data: dict[str, Any] = json.loads(files("app.answering").joinpath("calibration.json").read_text(encoding="utf-8"))
    return {name: Calibration(**values) for name, values in data.items()}


def features(evidence: Sequence[Evidence], missing: Sequence[str], terms: int) -> dict[str, float]:
    """What the decision looks at.

    passage: log-odds of the best passage's score. similarity: cosine of the question and the best of the
    three leading sentences. hit: cosine of the question and the best of their passages. lead: how far the best
    passage's cosine is above the mean of all that were read. overlap: largest
    share of topic terms that stand beside a leading sentence. missing: share of topic terms that no
    source mentions.
    """
    if not evidence:
        return dict.fromkeys(FEATURES, 0.0) | {"passage": -9.0, "missing": 1.0}
    leading = evidence[:3]
    hits = {e.hit.passage.id: e.hit.similarity for e in evidence}
    return {
        "passage": log_odds(max(e.passage_score for e in evidence)),
        "similarity": max(e.similarity for e in leading),
        "hit": max(e.hit.similarity for e in leading),
        "lead": max(hits.values()) - sum(hits.values()) / len(hits),
        "overlap": max(e.overlap for e in leading),
        "missing": len(missing) / terms if terms else 0.0,
    }


def decide(
    question: Question,
    evidence: Sequence[Evidence],
    missing: Sequence[str],
    terms: int,
    calibration: Calibration,
    threshold: float | None = None,
    *,
    unnamed: Sequence[Sequence[str]] = (),
) -> Decision:
    """Answer when there is evidence and its calibrated probability reaches the threshold.

    Args:
        missing: topic terms that no source mentions.
        terms: how many topic terms the question has.
        threshold: overrides the calibration's own.
        unnamed: names of the question that a passage does not mention, for each passage of leading evidence.
    """
    values = features(evidence, missing, terms)
    probability = calibration.probability(values)
    if any(c.isdigit() for term in missing for c in term):
        probability = min(probability, STRANGE_FIGURE)
    noun = asked_noun(question.text)
    if noun and noun.lower() in {term.lower() for term in missing}:
        probability = _lowered(probability, UNMENTIONED)
    lacking = tuple(unnamed[0]) if unnamed else ()
    nowhere = [name for name in lacking if all(name in names for names in unnamed)]
    if nowhere:
        probability = min(probability, NAMED_NOWHERE)
    elif lacking:
        probability = _lowered(probability, UNNAMED)
    limit = calibration.threshold if threshold is None else threshold
    near = sorted((e for e in evidence if e.hit.rank <= NEAREST), key=lambda e: e.hit.rank)
    others = tuple(dict.fromkeys(name for e in near for name in e.of_others))
    return Decision(
        answer=bool(evidence) and probability >= limit,
        confidence=round(probability, 4),
        reasons=tuple(_reasons(question, evidence, missing, nowhere or lacking, others, probability, limit)),
        features={k: round(v, 4) for k, v in values.items()},
        apart=tuple(nowhere),
        instead=others,
    )


def _lowered(probability: float, by: float) -> float:
    """The probability with ``by`` taken off its log-odds."""
    return 1.0 / (1.0 + math.exp(by - log_odds(probability)))


def _reasons(
    question: Question,
    evidence: Sequence[Evidence],
    missing: Sequence[str],
    unnamed: Sequence[str],
    others: Sequence[str],
    probability: float,
    limit: float,
) -> list[str]:
    reasons = [
        f"probability {probability:.2f} that the evidence answers, "
        f"{'at or above' if probability >= limit else 'below'} the threshold {limit:.2f}"
    ]
    if not evidence:
        reasons.append("no passage was found")
    if missing:
        reasons.append(f"no source mentions: {', '.join(missing)}")
    if others:
        reasons.append(f"near passages speak of {', '.join(others)} instead")
    if unnamed:
        reasons.append(f"the best passage does not mention: {', '.join(unnamed)}")
    if evidence and not any(fits_kind(question.kind, e.text) for e in evidence[:2]):
        wanted = {"number": "a figure", "date": "a date", "person": "a name", "place": "a place"}
        reasons.append(f"the best passages hold no {wanted.get(question.kind, question.kind).removeprefix('a ')}")
    return reasons
