"""Answer or abstain: a calibrated probability that the evidence answers the question."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

from app.answering.features import REGISTRY, Seen
from app.evidence.gather import Evidence
from app.question.analysis import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Logistic regression over some of the features of ``app.answering.features``.

    probability = 1 / (1 + exp(-(bias + Σ weight · feature)))

    Attributes:
        threshold: least probability at which the engine answers.
        fitted_on: in words, for ``--explain``.
        worth: for each weighed feature what its absence costs, by set; see ``eval.training.calibrate``.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float
    fitted_on: str
    worth: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def probability(self, values: Mapping[str, float]) -> float:
        """Probability in [0, 1] that the evidence answers."""
        z = self.bias + sum(weight * values[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, z))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to answer, how sure, and why.

    Attributes:
        features: those that were weighed, with their values.
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


def decide(
    question: Question,
    evidence: Sequence[Evidence],
    missing: Sequence[str],
    calibration: Calibration,
    threshold: float | None = None,
    *,
    unnamed: Sequence[Sequence[str]] = (),
) -> Decision:
    """Answer when there is evidence and its calibrated probability reaches the threshold.

    Args:
        missing: topic terms that no source mentions.
        threshold: overrides the calibration's own.
        unnamed: names of the question that a passage does not mention, for each passage of leading evidence.
    """
    limit = calibration.threshold if threshold is None else threshold
    if not evidence:
        return Decision(answer=False, confidence=0.0, reasons=("no passage was found",), features={})
    seen = Seen(question=question, evidence=evidence, missing=missing, lacking=unnamed)
    values = {f.name: f.value(seen) for f in REGISTRY if f.name in calibration.weights}
    probability = calibration.probability(values)
    return Decision(
        answer=probability >= limit,
        confidence=round(probability, 4),
        reasons=tuple(_reasons(seen, probability, limit)),
        features={k: round(v, 4) for k, v in values.items()},
        apart=seen.nowhere,
        instead=seen.others,
    )


def _reasons(seen: Seen, probability: float, limit: float) -> list[str]:
    reasons = [
        f"probability {probability:.2f} that the evidence answers, "
        f"{'at or above' if probability >= limit else 'below'} the threshold {limit:.2f}"
    ]
    if seen.missing:
        reasons.append(f"no source mentions: {', '.join(seen.missing)}")
    if seen.others:
        reasons.append(f"near passages speak of {', '.join(seen.others)} instead")
    if lacking := seen.nowhere or seen.unnamed:
        reasons.append(f"the best passage does not mention: {', '.join(lacking)}")
    if not seen.kind_found:
        wanted = {"number": "figure", "date": "date", "person": "name", "place": "place"}
        reasons.append(f"the best passages hold no {wanted.get(seen.question.kind, seen.question.kind)}")
    return reasons
