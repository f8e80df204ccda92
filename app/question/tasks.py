"""What is wanted of the program: talk, something about its list of sources, or, nearly always, a search of the sources.

A small learnt network tells them apart; the weights are made by ``eval.training.tasks``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from app.question.network import Floats, Network, StateEncoder, network
from index.embed import Encoder
from index.multilingual_encoder import reads
from index.onnx_encoder import packaged

Task = Literal[
    "other", "talk-greeting", "talk-thanks", "talk-farewell", "talk-help", "talk-identity", "talk-trust", "talk-complaint",
    "talk-nonsense", "catalogue-about", "catalogue-list", "catalogue-newest", "catalogue-oldest", "catalogue-count",
    "catalogue-record", "catalogue-new-since",
]  # fmt: skip
TASKS: tuple[Task, ...] = get_args(Task)
WEIGHTS_FILE = "tasks.safetensors"
ACROSS_FILE = "across.safetensors"
THRESHOLD = 0.84
"""Least probability that it is not a question to search for. Of 1,024 turns of people in the MT-RAG conversations (never trained on),
about 995 of them no talk, 5 are then taken for talk or catalogue (0.5 %); at 0.7 there are 12, at 0.9 4."""
LEANING = 0.5
"""Least share of talk from which a turn that no source answers is taken for talk: "help". Between this and :data:`THRESHOLD` are 13 of the
1,024 turns (five of them talk), and none of 1,438 questions of XQuAD and RAMDocs."""
_LONGEST_WORDS = 40
"""Longer texts hold a question of their own; none of the training texts of talk or catalogue is as long."""
_ENGLISH_ONLY = frozenset({"catalogue-record", "catalogue-new-since"})
_CYRILLIC_NAME = re.compile(r"(?<=[\w,] )[А-ЯЁ]\w")
_REMEMBERED = 256
_CLAUSE = re.compile(r"(?<=[.!?,;:–—])\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What is wanted, and how surely.

    Attributes:
        probability: of the task in [0, 1]; for "other", of not being any of the rest.
        leaning: for "other", the kind of talk that it may be if nothing answers it, see :data:`LEANING`; else "other".
    """

    task: Task
    probability: float
    leaning: Task = "other"


class TaskClassifier:
    """Tells the task of an utterance. Safe to use from several threads."""

    def __init__(self, weights: Network, encoder: StateEncoder) -> None:
        self._weights = weights
        self._encoder = encoder
        self.states = lru_cache(maxsize=_REMEMBERED)(self._states)
        """``(len(STATE_LAYERS), width)`` of a text: what this network and those of :mod:`app.question.forms` read."""
        self.task = lru_cache(maxsize=_REMEMBERED)(self._judge)
        """The task of a text; "other" below :data:`THRESHOLD`."""

    def without_courtesy(self, text: str) -> str:
        """The text without greetings and thanks that stand before or behind a question; as it was when nothing else is in it."""
        clauses = _CLAUSE.split(text.strip())
        while len(clauses) > 1 and self._courtesy(clauses[0]):
            clauses = clauses[1:]
        while len(clauses) > 1 and self._courtesy(clauses[-1]):
            clauses = clauses[:-1]
        return " ".join(clauses)

    def _courtesy(self, clause: str) -> bool:
        return self.task(clause).task in {"talk-greeting", "talk-thanks", "talk-farewell"}

    def _judge(self, text: str) -> Understood:
        if not text.strip() or len(text.split()) > _LONGEST_WORDS:
            return Understood(task="other", probability=1.0)
        shares = self.shares(text)
        best = 1 + int(np.argmax(shares[1:]))
        special = 1.0 - float(shares[0])
        if special < THRESHOLD:
            talk = [i for i, task in enumerate(TASKS) if task.startswith("talk")]
            leaning = TASKS[max(talk, key=lambda i: float(shares[i]))] if shares[talk].sum() >= LEANING else "other"
            return Understood(task="other", probability=1.0 - special, leaning=leaning)
        return Understood(task=TASKS[best], probability=special)

    def shares(self, text: str) -> Floats:
        """Probabilities ``(len(TASKS),)``, in the order of :data:`TASKS`."""
        logits = self._weights.logits(self.states(text))
        powers = np.exp(logits - logits.max())
        shares: Floats = powers / powers.sum()
        return shares

    def _states(self, text: str) -> Floats:
        found: Floats = self._encoder.states([text])[0]
        return found


class TasksAcross:
    """Tells the task of an utterance in another language than English, by the vectors of the multilingual encoder.

    Args:
        weights: ``(len(TASKS), width)``.
        bias: ``(len(TASKS),)``.
    """

    def __init__(self, weights: Floats, bias: Floats, encoder: Encoder) -> None:
        self._weights = weights
        self._bias = bias
        self._encoder = encoder
        self.task = lru_cache(maxsize=_REMEMBERED)(self._judge)
        """The task of a text; "other" below :data:`THRESHOLD`, and for what names a source or a time, which only English is read for."""

    def _judge(self, text: str) -> Task:
        if len(text.split()) > _LONGEST_WORDS or not reads(text):
            return "other"
        logits = self._weights @ self._encoder.encode([text])[0] + self._bias
        powers = np.exp(logits - logits.max())
        shares = powers / powers.sum()
        best = TASKS[1 + int(np.argmax(shares[1:]))]
        named = best.startswith("catalogue") and _CYRILLIC_NAME.search(text)  # what a list of all sources would not answer
        return "other" if 1.0 - float(shares[0]) < THRESHOLD or best in _ENGLISH_ONLY or named else best


def load_across(encoder: Encoder) -> TasksAcross:
    """The classifier for other languages of this version.

    Args:
        encoder: the packaged multilingual one.
    """
    from safetensors.numpy import load as read

    tensors = read(files("app.question").joinpath(ACROSS_FILE).read_bytes())
    return TasksAcross(tensors["weights"].astype(np.float32), tensors["bias"].astype(np.float32), encoder)


def load(encoder: object = None) -> TaskClassifier:
    """The classifier of this version.

    Args:
        encoder: used when it is the packaged model, so that it is in memory once.
    """
    return TaskClassifier(_weights(), packaged(encoder))


@cache
def default() -> TaskClassifier:
    """The classifier with the packaged encoder."""
    return load()


@cache
def catalogue_words() -> frozenset[str]:
    """The words that the training questions about sources are made of; any other word of one is a value or a topic."""
    return frozenset(_tensors()["words"].tobytes().decode().split())


@cache
def _weights() -> Network:
    return network(_tensors(), "task")


@cache
def _tensors() -> dict[str, NDArray[Any]]:
    from safetensors.numpy import load as read

    return read(files("app.question").joinpath(WEIGHTS_FILE).read_bytes())
