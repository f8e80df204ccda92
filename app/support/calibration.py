"""The weights of support: a logistic model a kind of reader."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportCalibration:
    """Logistic regression over the features of :func:`features`.

    probability = 1 / (1 + exp(-(bias + Σ weight · feature)))

    Attributes:
        threshold: least probability of "supported".
        partly: least probability of "partly" for a claim of one piece.
        fitted_on: in words.
        worth: by feature the AUC that is lost without it, mean over sets that the fit did not see.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float
    partly: float
    fitted_on: str
    worth: Mapping[str, float] = field(default_factory=dict)

    def probability(self, values: Mapping[str, float]) -> float:
        """Probability in [0, 1] that the text carries the claim."""
        z = self.bias + sum(weight * values[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, z))))


def load_support_calibrations() -> dict[str, SupportCalibration]:
    """The packaged calibrations by reader kind."""
    data: dict[str, Any] = json.loads(files("app.support").joinpath("calibration.json").read_text(encoding="utf-8"))
    return {name: SupportCalibration(**values) for name, values in data.items()}
