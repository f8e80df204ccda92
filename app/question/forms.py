"""The form of answer that a question wants, and what a turn does with the answer before it.

Two small learnt networks over the states that the classifier of tasks computes anyway; the weights are made by ``eval.training.shapes``.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import get_args

import numpy as np

from app.question.network import Floats, Network, network
from app.question.shape import Shape, Turning

SHAPES: tuple[Shape, ...] = get_args(Shape)
TURNINGS: tuple[Turning, ...] = get_args(Turning)
WEIGHTS_FILE = "shapes.safetensors"
SHAPE_THRESHOLD = 0.6
"""Least probability of another form than "point". At 0.5 an ordinary question ("What other name does the article use …?")
lost its answer to another form among the 224 dev cases four times, at 0.6 twice; of 185 written questions 166 keep their form at 0.6."""
TURNING_THRESHOLD = 0.6
"""Least probability of something else than "new". Of 1,024 turns of people in the MT-RAG conversations 10 were then not new at first sight, 5 of
them wrongly (0.5 %), and 6, one wrongly, after a round whose lines answer those mistakes; at 0.45 13, 6 wrongly. Of 121 written turns 118 are right."""


def shape(states: Floats) -> Shape:
    """The form of answer, from the states ``(len(STATE_LAYERS), width)`` of a standalone question; "point" in doubt."""
    return SHAPES[_surest(shares(states, "shape"), SHAPE_THRESHOLD)]


def turning(states: Floats) -> Turning:
    """What a turn does with the answer before it, from the states of the turn as typed; "new" in doubt."""
    return TURNINGS[_surest(shares(states, "turning"), TURNING_THRESHOLD)]


def shares(states: Floats, name: str) -> Floats:
    """Probabilities in the order of :data:`SHAPES` for the name "shape", of :data:`TURNINGS` for "turning"."""
    logits = _weights()[name].logits(states)
    powers = np.exp(logits - logits.max())
    found: Floats = powers / powers.sum()
    return found


def _surest(found: Floats, threshold: float) -> int:
    """The place of the most probable one; 0, the plain one, where its probability is below the threshold."""
    best = int(np.argmax(found))
    return best if found[best] >= threshold else 0


@cache
def _weights() -> dict[str, Network]:
    from safetensors.numpy import load

    tensors = load(files("app.question").joinpath(WEIGHTS_FILE).read_bytes())
    return {name: network(tensors, name) for name in ("shape", "turning")}
