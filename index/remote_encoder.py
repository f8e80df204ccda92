"""An encoder that answers by HTTP in the form of OpenAI's embeddings: llama.cpp, vLLM, TEI, Ollama and others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import httpx
import numpy as np
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from index.embed import Progress, Vectors
from index.errors import ModelUnavailable, ServerUnavailable

KEY_VARIABLE = "ISKP_EMBEDDINGS_KEY"
_BUSY = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class _Busy(Exception):
    """Worth another try."""


class RemoteEncoder:
    """A model behind ``URL/embeddings``. Threads may share it.

    Args:
        address: ``http://HOST:PORT/v1#MODEL``.
        batch_size: texts in one request.
        key: sent as a bearer token when there is one.
        attempts: tries of a request that meets a busy server or a broken connection.
    """

    def __init__(
        self,
        address: str,
        *,
        batch_size: int = 32,
        key: str | None = None,
        timeout_seconds: float = 60.0,
        attempts: int = 4,
    ) -> None:
        url, _, model = address.partition("#")
        if not model:
            raise ModelUnavailable(f"the encoder {address!r} names no model; write it as http://HOST:PORT/v1#MODEL")
        self._url = f"{url.rstrip('/')}/embeddings"
        self._model = model
        self._batch_size = batch_size
        self._attempts = attempts
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=timeout_seconds)

    @property
    def name(self) -> str:
        """The model without its address, so that a server may move and the index stays valid."""
        return f"remote:{self._model}"

    @cached_property
    def dimension(self) -> int:
        """Length of a vector; asks the server once."""
        return int(self._embed(["dimension"]).shape[1])

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def is_word(self, word: str) -> bool:
        """True: its vocabulary cannot be asked, so no word is taken for a misspelling."""
        return True

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """``(len(texts), dimension)`` float32 unit rows.

        Raises:
            ServerUnavailable: the server does not answer, refuses, or answers something else.
        """
        parts = []
        for at in range(0, len(texts), self._batch_size):
            part = texts[at : at + self._batch_size]
            parts.append(self._embed(part))
            if progress:
                progress(len(part))
        return np.concatenate(parts) if parts else np.zeros((0, self.dimension), dtype=np.float32)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        again = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential_jitter(initial=0.2, max=5),
            retry=retry_if_exception_type(_Busy),
            reraise=True,
        )
        try:
            answer = again(self._ask, texts)
            rows = sorted(answer["data"], key=lambda row: int(row["index"]))
            vectors = np.asarray([row["embedding"] for row in rows], dtype=np.float32).reshape(len(rows), -1)
            lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        except _Busy as exc:
            raise self._unavailable(str(exc)) from exc
        except (KeyError, TypeError, ValueError) as exc:
            raise self._unavailable(f"its answer is not of the expected form: {exc}") from exc
        if len(vectors) != len(texts) or not np.isfinite(vectors).all() or (lengths == 0).any():
            raise self._unavailable(f"it gave {len(vectors)} usable vectors for {len(texts)} texts")
        return np.asarray(vectors / lengths, dtype=np.float32)

    def _ask(self, texts: Sequence[str]) -> Mapping[str, Any]:
        # Some servers refuse an empty text; a blank one means the same.
        given = {"model": self._model, "input": [t or " " for t in texts], "encoding_format": "float"}
        try:
            response = self._client.post(self._url, json=given)
        except httpx.TransportError as exc:
            raise _Busy(str(exc) or type(exc).__name__) from exc
        except (httpx.HTTPError, httpx.InvalidURL) as exc:
            raise self._unavailable(str(exc)) from exc
        said = f"HTTP {response.status_code}: {' '.join(response.text.split())[:160]}"
        if response.status_code in _BUSY:
            raise _Busy(said)
        if not response.is_success:
            raise self._unavailable(said)
        answer: Mapping[str, Any] = response.json()
        return answer

    def _unavailable(self, why: str) -> ServerUnavailable:
        return ServerUnavailable(
            f"the encoder at {self._url} does not serve {self._model!r} ({why}); check encoder.model and {KEY_VARIABLE}"
        )
