"""The evidence reader for other languages than English, over the packaged multilingual encoder.

Question, context and sentences go through the encoder's lower layers each by itself (as in DeFormer, Cao et al. 2020,
https://arxiv.org/abs/2005.00697); upper layers and heads of its own then read them together. So what the package ships for it is
the upper part alone. Trained by ``eval/training/multilingual_reader.py``.
"""

from __future__ import annotations

import hashlib
import math
import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from app.errors import ReaderError
from app.evidence.gather import Reading, ReadPassage, SimilarityReader, log_odds
from app.evidence.model_reader import reading_of
from app.evidence.packaged import (
    FIRST_SENTENCE,
    MAX_CONTEXT_TOKENS,
    MAX_QUESTION_TOKENS,
    MAX_TOKENS,
    OTHER,
    QUESTION,
    Collected,
    Packed,
    Scores,
    Tokens,
    windows,
)
from index.multilingual_encoder import MultilingualEncoder, TokenStates
from index.onnx_encoder import open_graph
from index.side_by_side import side_by_side

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

_HERE = Path(__file__).parent
GRAPH = _HERE / "multilingual_reader.onnx"
WEIGHTS = _HERE / "multilingual_weights" / "model.safetensors"
WEIGHTS_SHA256 = ""
CLOSENESS = 20.0
"""Log-odds that a sentence loses for each 1 of cosine that it is farther from the question than the closest one. First sentence right, 40
questions of each of 8 held-out groups (XQuAD ru, ar, tr, de, ru-en, ar-en, en-xx, PQuAD): 0.61 without, 0.78 by cosine alone, 0.80 with
15, 0.83 with 20, 0.82 with 30."""
PLACES = 34
"""Owners that are told apart: marks and context, the question, and so many sentences less two; those behind count as the last."""


def available(weights: Path = WEIGHTS) -> bool:
    """Whether the weights are there."""
    return weights.is_file()


class MultilingualReader:
    """Loads its weights at the first passage; threads may share it.

    Args:
        weights: the packaged ones, whose SHA-256 is checked, or a file of one's own.
    """

    def __init__(self, encoder: MultilingualEncoder, weights: Path = WEIGHTS) -> None:
        self._encoder = encoder
        self._weights = weights
        self._closeness = SimilarityReader(encoder)
        self._lock = threading.Lock()

    @cached_property
    def _loaded(self) -> tuple[InferenceSession, str]:
        try:
            found = hashlib.sha256(self._weights.read_bytes()).hexdigest()
        except OSError as exc:
            raise ReaderError(f"{self._weights} cannot be read ({exc.strerror}); reinstall the package") from exc
        if self._weights == WEIGHTS and found != WEIGHTS_SHA256:
            raise ReaderError(f"{WEIGHTS} has SHA-256 {found[:12]}…, not {WEIGHTS_SHA256[:12]}…; reinstall the package")
        return open_graph(GRAPH, read_weights(self._weights)), found

    def load(self) -> tuple[InferenceSession, str]:
        """The network and the SHA-256 of its weights, loaded once.

        Raises:
            ReaderError: the weights are missing or are others.
        """
        with self._lock:
            return self._loaded

    @property
    def fingerprint(self) -> str:
        """Names the weights."""
        return f"multilingual-reader:{self.load()[1][:16]}"

    def score(self, question: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        """A reading for each passage."""
        session, _ = self.load()
        texts = list(dict.fromkeys([question, *(t for p in passages for t in (p.context, *p.sentences) if t.strip())]))
        known = dict(zip(texts, self._encoder.lower(texts), strict=True))
        nothing = TokenStates(states=known[question].states[:2], offsets=())
        asked = known[question]
        jobs = []
        collected = []
        for at, passage in enumerate(passages):
            context = known.get(passage.context, nothing)
            own = [known.get(s, nothing) for s in passage.sentences]
            collected.append(Collected([Tokens(ids=(), offsets=s.offsets) for s in own]))
            room = (
                MAX_TOKENS
                - 2
                - min(len(asked.offsets), MAX_QUESTION_TOKENS)
                - min(len(context.offsets), MAX_CONTEXT_TOKENS)
            )
            for low, high in windows([len(s.offsets) for s in own], room):
                if any(s.offsets for s in own[low:high]):
                    jobs.append((at, low, *beside(asked, context, own[low:high])))
        jobs.sort(key=lambda job: -len(job[3]))

        def run(job: tuple[int, int, NDArray[np.float32], list[int]]) -> Scores:
            grid = np.array([job[3]], dtype=np.int64)
            values: Sequence[NDArray[Any]] = session.run(
                ["sentences", "passages", "spans"], {"states": job[2][None], "owners": grid, "mask": np.ones_like(grid)}
            )
            return Scores(sentences=values[0], passages=values[1], spans=values[2])

        for (at, low, _, owners), scores in sorted(side_by_side(run, jobs), key=lambda item: item[0][:2]):
            collected[at].add(low, Packed(ids=[], types=[], owners=owners), scores)
        close = self._closeness.score(question, passages)
        nearest = max((c.passage for c in close), default=0.0)
        return [_nearer(reading_of(c.reading()), by.sentences, nearest) for c, by in zip(collected, close, strict=True)]


def _nearer(reading: Reading, cosines: Sequence[float], nearest: float) -> Reading:
    """The reading with its sentences ranked by their closeness to the question too; the passage's score stays."""
    odds = [log_odds(score) + CLOSENESS * (cosine - nearest) for score, cosine in zip(reading.sentences, cosines, strict=True)]
    return replace(reading, sentences=tuple(1 / (1 + math.exp(-o)) for o in odds))


def beside(
    question: TokenStates, context: TokenStates, sentences: Sequence[TokenStates]
) -> tuple[NDArray[np.float32], list[int]]:
    """States ``(t, 384)`` of question, context and sentences one behind the other, and what each belongs to; at most ``MAX_TOKENS``."""
    asked, around = min(len(question.offsets), MAX_QUESTION_TOKENS), min(len(context.offsets), MAX_CONTEXT_TOKENS)
    parts = [question.states[: asked + 1], question.states[-1:], context.states[1 : around + 1]]
    owners = [OTHER, *[QUESTION] * asked, OTHER, *[OTHER] * around]
    for k, sentence in enumerate(sentences):
        fits = min(len(sentence.offsets), MAX_TOKENS - len(owners))
        parts.append(sentence.states[1 : fits + 1])
        owners += [FIRST_SENTENCE + k] * fits
    return np.concatenate(parts), owners


def read_weights(file: Path) -> dict[str, NDArray[Any]]:
    """The tensors under the names of the graph, matrices ``(in, out)``, in float32."""
    from safetensors.numpy import load_file

    stored = load_file(file)
    for at in [name.removesuffix(".rows") for name in stored if name.endswith(".rows")]:
        stored[f"{at}.weight"] = stored.pop(f"{at}.rows").astype(np.float32) * stored.pop(f"{at}.scales")[:, None]
    return {
        "places" if name == "places.weight" else name: (
            value.T if value.ndim == 2 and name != "places.weight" else value
        ).astype(np.float32)
        for name, value in stored.items()
    }
