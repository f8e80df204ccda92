"""Networks with their large products in whole numbers of 8 bits: twice as fast, for nearly the same vectors and scores.

Weights get a scale for each output. What is multiplied with them gets one fixed scale for each matrix, measured
beforehand ("ranges"), so that a text's vector does not depend on the texts beside it. Some inputs of a BERT range ten
times as wide as the others and would spoil that: the scales of inputs are evened out against those of the weights
(SmoothQuant, Xiao et al. 2023, https://arxiv.org/abs/2211.10438) where that costs little, and the widest inputs of
the last matrix of a layer are multiplied in 32 bits (LLM.int8, Dettmers et al. 2022, https://arxiv.org/abs/2208.07339).

``eval/training/ranges.py`` measures the ranges, ``eval/training/graphs.py`` draws the networks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelUnavailable
from index.precision import Precision

Weights = Mapping[str, NDArray[Any]]
PARTS = ("query", "key", "value")
"""What the columns of a layer's first matrix are for, a third each."""
MATRICES = ("out", "qkv", "up", "down")
OUTLIERS = 32
"""Inputs of a layer's last matrix that are multiplied in 32 bits."""
SMOOTHING = 0.8
"""How much of the inputs' range is moved to the weights, from 0 to 1 (the paper's alpha)."""
_LEVELS = 255
_LARGEST = 127
_TINY = 1e-6


@cache
def pays() -> bool:
    """Whether this processor multiplies 8-bit numbers exactly and fast (VNNI); elsewhere 32 bits are kept."""
    try:
        said = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return bool(re.search(r"^flags\s*:.*\b(?:avx512_vnni|avx_vnni)\b", said, re.M))


def wanted(precision: Precision) -> bool:
    """Whether to compute in 8 bits: always, never or ("auto") where it pays."""
    return precision == "int8" or (precision == "auto" and pays())


def load_ranges(file: Path) -> dict[str, NDArray[Any]]:
    """What :func:`measure` gave, from a file.

    Raises:
        ModelUnavailable: the file is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(file)
    except (OSError, SafetensorError) as exc:
        raise ModelUnavailable(f"{file} cannot be read ({exc}); reinstall the package") from exc


def measure(weights: Weights, inputs: Weights) -> dict[str, NDArray[Any]]:
    """Ranges for every matrix of a network.

    Args:
        weights: of the network in 32 bits, matrices ``(in, out)``.
        inputs: for each matrix (``layers.0.qkv`` and so on) rows that were multiplied with it, ``(n, in)``, or the least and
            the largest of each column, ``(2, in)``.

    Returns:
        For each matrix ``low`` and ``high`` of its inputs; ``spread``, by which each input is divided first; for the last
        matrix of a layer ``outliers``, the inputs multiplied apart.
    """
    found: dict[str, NDArray[Any]] = {}
    for at, rows in inputs.items():
        widest = np.abs(rows).max(axis=0) + _TINY
        if at.endswith(".down"):
            outliers = np.sort(np.argsort(-widest)[:OUTLIERS])
            found[f"{at}.outliers"] = outliers.astype(np.int64)
            coded = np.delete(rows, outliers, axis=1)
        else:
            largest = np.abs(weights[f"{at}.weight"]).max(axis=1) + _TINY
            spread = widest**SMOOTHING / largest ** (1 - SMOOTHING)
            found[f"{at}.spread"] = spread = (spread / np.exp(np.log(spread).mean())).astype(np.float32)
            coded = rows / spread
        found[f"{at}.low"] = np.array(min(coded.min(), 0.0), np.float32)
        found[f"{at}.high"] = np.array(max(coded.max(), 0.0), np.float32)
    return found


def convert(weights: Weights, ranges: Weights) -> dict[str, NDArray[Any]]:
    """Weights for a graph in 8 bits, from those for the same graph in 32 bits and the ranges of its inputs."""
    made = dict(weights)
    for layer in sorted({name.rpartition(".")[0] for name in weights if name.endswith(".qkv.weight")}):
        at = layer.removesuffix(".qkv")
        matrices = {part: made.pop(f"{at}.{part}.weight").astype(np.float32) for part in MATRICES}
        spread = ranges[f"{at}.out.spread"]
        # The inputs of "out" are sums of values: dividing the values divides them.
        matrices["qkv"][:, -len(spread) :] /= spread
        bias = made.pop(f"{at}.qkv.bias").copy()
        bias[-len(spread) :] /= spread
        for part in ("out", "qkv", "up"):
            matrices[part] *= ranges[f"{at}.{part}.spread"][:, None]
        for part in ("qkv", "up"):
            made[f"{at}.{part}.shrink"] = 1 / ranges[f"{at}.{part}.spread"]
        outliers = ranges[f"{at}.down.outliers"]
        made[f"{at}.down.outliers"] = outliers
        made[f"{at}.down.apart"] = matrices["down"][outliers]
        matrices["down"][outliers] = 0
        for part in MATRICES:
            low, high = float(ranges[f"{at}.{part}.low"]), float(ranges[f"{at}.{part}.high"])
            step = (high - low) / _LEVELS
            made[f"{at}.{part}.step"] = np.array(step, np.float32)
            made[f"{at}.{part}.zero"] = np.array(np.clip(round(-low / step), 0, _LEVELS), np.uint8)
        thirds = zip(PARTS, np.split(matrices.pop("qkv"), 3, axis=1), np.split(bias, 3), strict=True)
        for part, matrix, own in thirds:
            matrices[part] = matrix
            made[f"{at}.{part}.bias"] = own
        for part, matrix in matrices.items():
            steps = np.maximum(np.abs(matrix).max(axis=0), _TINY) / _LARGEST
            made[f"{at}.{part}.codes"] = np.rint(matrix / steps).astype(np.int8)
            made[f"{at}.{part}.steps"] = steps
    return made
