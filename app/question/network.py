"""A small network over the encoder's averaged token states: one hidden layer, one output for each thing that it tells apart.

Pure arithmetic on what an encoder gives; the weights are made by ``eval.training``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

STATE_SCALE = 3.0
"""States are unit vectors of 384 numbers; so scaled they weigh about as much as zeros and ones beside them."""

Floats = NDArray[np.float32]


class StateEncoder(Protocol):
    """Gives averaged token states of all-MiniLM-L6-v2; another model's would mean nothing to the weights."""

    def states(self, texts: Sequence[str]) -> Floats:
        """``(len(texts), len(STATE_LAYERS), width)`` float32, unit length; see :mod:`index.onnx_encoder`."""

    def is_word(self, word: str) -> bool:
        """Whether the tokenizer knows this word as one piece."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One hidden layer.

    Attributes:
        hidden: ``(units, inputs)`` float32; the inputs are the flattened states, then further features if there are any.
        hidden_bias: ``(units,)`` float32.
        out: ``(outputs, units)`` float32.
        bias: ``(outputs,)`` float32.
    """

    hidden: Floats
    hidden_bias: Floats
    out: Floats
    bias: Floats

    def logits(self, states: Floats, more: Sequence[float] = ()) -> Floats:
        """``(outputs,)``; ``states`` ``(len(STATE_LAYERS), width)``, ``more`` the further features."""
        inputs = states.reshape(-1) * STATE_SCALE
        if more:
            inputs = np.concatenate([inputs, np.asarray(more, dtype=np.float32)])
        units = np.maximum(self.hidden @ inputs + self.hidden_bias, 0.0)
        logits: Floats = self.out @ units + self.bias
        return logits


def network(tensors: Mapping[str, NDArray[np.generic]], name: str) -> Network:
    """The network that training stored under a name; ``out`` of a single output may be stored flat."""

    def of(key: str) -> Floats:
        return tensors[f"{name}.{key}"].astype(np.float32)

    return Network(hidden=of("hidden"), hidden_bias=of("hidden_bias"), out=np.atleast_2d(of("out")), bias=of("bias"))
