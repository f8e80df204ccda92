"""Answer or abstain: a calibrated probability that the evidence answers the question."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from app.evidence import Evidence, log_odds
from app.question import Question, fits_kind

FEATURES = ("best", "passage", "margin", "similarity", "hit", "overlap", "missing", "fits")
"""Inputs of the calibration, see :func:`features`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Logistic regression over :data:`FEATURES`.

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
    """Whether to answer, how sure, and why."""

    answer: bool
    confidence: float
    reasons: tuple[str, ...]
    features: Mapping[str, float]


def load_calibrations() -> dict[str, Calibration]:
    """The packaged calibrations by reader kind."""
    data: dict[str, Any] = json.loads(files("app").joinpath("calibration.json").read_text(encoding="utf-8"))
    return {name: Calibration(**values) for name, values in data.items()}


def features(question: Question, evidence: Sequence[Evidence], missing: Sequence[str], terms: int) -> dict[str, float]:
    """What the decision looks at.

    best: logit of the best sentence's score. passage: logit of the best passage score. margin: best
    minus the mean of all scores. similarity: cosine of the best sentence. hit: cosine of its passage.
    overlap: share of topic terms beside the best sentence. missing: share of topic terms that no
    source mentions. fits: whether the best sentence holds the kind of thing asked for.
    """
    if not evidence:
        return dict.fromkeys(FEATURES, 0.0) | {"best": -9.0, "passage": -9.0, "missing": 1.0}
    best = evidence[0]
    mean = sum(e.score for e in evidence) / len(evidence)
    return {
        "best": log_odds(best.score),
        "passage": log_odds(max(e.passage_score for e in evidence)),
        "margin": best.score - mean,
        "similarity": max(e.similarity for e in evidence[:3]),
        "hit": max(e.hit.similarity for e in evidence[:3]),
        "overlap": max(e.overlap for e in evidence[:3]),
        "missing": len(missing) / terms if terms else 0.0,
        "fits": float(any(fits_kind(question.kind, e.text) for e in evidence[:2])),
    }


def decide(
    question: Question,
    evidence: Sequence[Evidence],
    missing: Sequence[str],
    terms: int,
    calibration: Calibration,
    threshold: float | None = None,
) -> Decision:
    """Answer when the calibrated probability reaches the threshold.

    Args:
        missing: topic terms that no source mentions.
        terms: how many topic terms the question has.
        threshold: overrides the calibration's own.
    """
    values = features(question, evidence, missing, terms)
    probability = calibration.probability(values)
    limit = calibration.threshold if threshold is None else threshold
    return Decision(
        answer=probability >= limit,
        confidence=round(probability, 4),
        reasons=tuple(_reasons(question, evidence, missing, values, probability, limit)),
        features={k: round(v, 4) for k, v in values.items()},
    )


def _reasons(
    question: Question,
    evidence: Sequence[Evidence],
    missing: Sequence[str],
    values: Mapping[str, float],
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
    if evidence and not values["fits"]:
        wanted = {"number": "a figure", "date": "a date", "person": "a name", "place": "a place"}
        reasons.append(f"the best passages hold no {wanted.get(question.kind, question.kind).removeprefix('a ')}")
    return reasons
