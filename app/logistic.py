"""A decision that is a logistic model over named features: what it looks at stands in a registry, its weights in a JSON file."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature(Generic[T]):
    """One thing that a decision looks at.

    Attributes:
        sign: 1 where more of it can only speak for, -1 where only against.
        value: computes it.
        about: what it is, in words.
    """

    name: str
    sign: Literal[1, -1]
    value: Callable[[T], float]
    about: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Logistic:
    """Logistic regression over some of the features of a registry.

    probability = 1 / (1 + exp(-(bias + Σ weight · feature)))

    Attributes:
        threshold: least probability that counts as yes.
        fitted_on: in words.
        worth: for each weighed feature what its absence costs, by set.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float
    fitted_on: str
    worth: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def probability(self, values: Mapping[str, float]) -> float:
        """Probability in [0, 1]; ``values`` holds at least the features that are weighed."""
        z = self.bias + sum(weight * values[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, z))))

    def weighed(self, registry: Sequence[Feature[T]], seen: T) -> dict[str, float]:
        """The values of the features that have a weight; the others are not computed."""
        return {f.name: f.value(seen) for f in registry if f.name in self.weights}


def load(package: str, file: str) -> Any:
    """The JSON data of a packaged file of weights."""
    return json.loads(files(package).joinpath(file).read_text(encoding="utf-8"))
