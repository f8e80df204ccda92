"""A cross-encoder of the user's choice instead of the packaged evidence reader."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.errors import ReaderError
from app.evidence.gather import Reading, ReadPassage

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

PREFIX = "cross-encoder:"
"""What the setting ``answer.reader`` begins with when it names one."""
_BATCH = 16


class CrossEncoderReader:
    """Scores every sentence, with the title of its passage before it, and every passage as a whole.

    Threads may share it. It gives no short answers.

    Args:
        model: folder of a cross-encoder that gives one number for a pair of texts, or the name of one in the local
            hub cache. Nothing is ever downloaded here.
    """

    def __init__(self, model: str) -> None:
        self.fingerprint = f"{PREFIX}{model}"
        self._name = model
        self._lock = threading.Lock()
        self._model: CrossEncoder | None = None

    def load(self) -> CrossEncoder:
        """The model, loaded once.

        Raises:
            ReaderError: it is missing, or it sorts pairs into classes.
        """
        with self._lock:
            if self._model is None:
                self._model = _load(self._name)
            return self._model

    def score(self, question: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        """A reading for each passage; sigmoids of the model's numbers."""
        from torch.nn import Sigmoid

        texts = [[_beside(p.context, s) for s in (" ".join(p.sentences), *p.sentences)] for p in passages]
        flat = [(question, text) for own in texts for text in own]
        if not flat:
            return []
        scores = self.load().predict(flat, batch_size=_BATCH, activation_fn=Sigmoid(), show_progress_bar=False)
        rest = iter(scores.tolist())
        readings = []
        for own in texts:
            whole, *sentences = (next(rest) for _ in own)
            readings.append(Reading(sentences=tuple(sentences), passage=whole if sentences else 0.0))
        return readings


def _beside(context: str, text: str) -> str:
    return f"{context}. {text}" if context else text


def _load(name: str) -> CrossEncoder:
    folder = Path(name).expanduser()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import CrossEncoder
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        model: CrossEncoder = CrossEncoder(
            str(folder) if folder.is_dir() else name, device="cpu", local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError) as exc:
        raise ReaderError(
            f"the cross-encoder {name!r} is not on this machine; give the path of its folder in 'answer.reader' "
            f"({PREFIX}FOLDER), or fetch it first: hf download {name}"
        ) from exc
    if model.num_labels != 1:
        raise ReaderError(
            f"the cross-encoder {name!r} gives {model.num_labels} numbers for a pair of texts, not one; "
            "take a model made for ranking passages, such as cross-encoder/ms-marco-MiniLM-L-6-v2"
        )
    return model
