"""Which encoder a model name means; nothing is loaded before the first text."""

from __future__ import annotations

import os

from index.embed import DEFAULT_MODEL, Encoder, SentenceTransformerEncoder
from index.multilingual_encoder import MultilingualEncoder
from index.onnx_encoder import OnnxEncoder
from index.precision import MULTILINGUAL_MODEL, Precision


def open_encoder(
    model: str = DEFAULT_MODEL, *, batch_size: int = 32, precision: Precision = "auto"
) -> Encoder:
    """The packaged models on ONNX Runtime, ``URL#MODEL`` by HTTP, any other on sentence-transformers and torch.

    Args:
        precision: of the packaged models' arithmetic.
    """
    if model == DEFAULT_MODEL:
        return OnnxEncoder(batch_size=batch_size, precision=precision)
    if model == MULTILINGUAL_MODEL:
        return MultilingualEncoder(batch_size=batch_size, precision=precision)
    if model.startswith(("http://", "https://")):
        from index.remote_encoder import KEY_VARIABLE, RemoteEncoder

        return RemoteEncoder(model, batch_size=batch_size, key=os.environ.get(KEY_VARIABLE))
    return SentenceTransformerEncoder(model, batch_size=batch_size)
