"""Answer or abstain: a calibrated probability that the evidence answers the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.answering.features import REGISTRY, Seen
from app.logistic import Logistic, load


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to answer, how sure, and why.

    Attributes:
        features: those that were weighed, with their values.
        apart: names of the question that none of the leading passages mentions.
        instead: what the nearest passages speak of instead of what the question is about.
        unheard: whose word is asked for and was not found; else empty.
    """

    answer: bool
    confidence: float
    reasons: tuple[str, ...]
    features: Mapping[str, float]
    apart: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    unheard: str = ""


def load_calibrations() -> dict[str, Logistic]:
    """The packaged calibrations by reader kind."""
    return {name: Logistic(**values) for name, values in load("app.answering", "calibration.json").items()}


def decide(seen: Seen, calibration: Logistic, threshold: float | None = None) -> Decision:
    """Answer when there is evidence and its calibrated probability reaches the threshold.

    Args:
        threshold: overrides the calibration's own.
    """
    limit = calibration.threshold if threshold is None else threshold
    if not seen.evidence:
        return Decision(answer=False, confidence=0.0, reasons=("no passage was found",), features={})
    values = calibration.weighed(REGISTRY, seen)
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
