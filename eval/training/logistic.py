"""Logistic regression with signs: a feature that can only speak for (or against) gets no weight of the other sign."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]


def fit(
    x: Floats, y: Floats, *, signs: Sequence[int], weights: Floats | None = None, penalty: float = 1e-3
) -> tuple[Floats, float]:
    """Weights ``(features,)`` and bias that minimise the mean log loss plus ``penalty · Σ w²`` on standardised features.

    Args:
        x: ``(rows, features)``.
        y: ``(rows,)``, 1 or 0.
        signs: 1, -1 or 0 (free) for each feature.
        weights: of the rows; equal where not given.

    Solved with L-BFGS-B (Byrd, Lu, Nocedal and Zhu 1995), whose bounds carry the signs.
    """
    scale = x.std(axis=0)
    scale[scale == 0] = 1.0
    middle = x.mean(axis=0)
    z = (x - middle) / scale
    share = np.full(len(y), 1 / len(y)) if weights is None else weights / weights.sum()

    def loss(parameters: Floats) -> tuple[float, Floats]:
        w, b = parameters[:-1], parameters[-1]
        margin = z @ w + b
        error = 1 / (1 + np.exp(-margin)) - y
        value = float(share @ (np.logaddexp(0, margin) - y * margin) + penalty * w @ w)
        return value, np.append(z.T @ (share * error) + 2 * penalty * w, share @ error)

    bounds = [{1: (0, None), -1: (None, 0), 0: (None, None)}[s] for s in signs]
    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)]).x
    w = found[:-1] / scale
    return w, float(found[-1] - w @ middle)
