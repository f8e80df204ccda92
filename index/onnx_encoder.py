"""The packaged encoder on ONNX Runtime: the same weights and vectors as with torch, without its seconds of import.

The graphs are drawn by ``eval/training/graphs.py`` and hold no weights; they come from the published
safetensors file when one is opened. Computed in 8 bits (``index.eight_bits``) a vector has a cosine of 0.999 with the
one in 32 bits, so that an index serves both.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index import eight_bits
from index.embed import DEFAULT_MODEL, Progress, Vectors, bundled_model_path, check_weights
from index.errors import ModelUnavailable
from index.precision import Precision
from index.side_by_side import side_by_side, workers

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

GRAPH = Path(__file__).parent / "minilm.onnx"
GRAPH_8 = Path(__file__).parent / "minilm_int8.onnx"
RANGES = Path(__file__).parent / "minilm_ranges.safetensors"
DIMENSION = 384
MAX_TOKENS = 256
"""What is longer is cut, as the model's own settings say."""
BATCH_TOKENS = 1024
"""Tokens in a batch with its padding: enough to keep a core busy, little enough for its caches."""
_LEAST_TOKENS = 64
"""Few texts are split in batches of not less than this, so that every core has some."""
_LAYERS = 6
_UNWANTED = ["SkipLayerNormFusion", "BiasSkipLayerNormFusion"]
"""Optimisations that make it slower: the fused operator takes three times as long as its parts."""
STATE_LAYERS = (2, 4, 6)
"""Layers whose averaged states :meth:`OnnxEncoder.states` gives: form shows in the lower ones, subject in the upper."""

Weights = dict[str, NDArray[Any]]


class GraphEncoder(ABC):
    """An encoder whose network and weights the package ships. Threads may share it.

    Args:
        batch_size: texts encoded at once at most; progress is told after each batch.
        precision: of the arithmetic; "auto" takes 8 bits where they pay.
    """

    name: str

    def __init__(self, *, batch_size: int = 32, precision: Precision = "auto") -> None:
        self._batch_size = batch_size
        self._precision = precision
        self._lock = threading.Lock()
        self._session: InferenceSession | None = None

    @property
    def dimension(self) -> int:
        """Length of a vector; loads the model, so that what it lacks is told before anything is written."""
        self.load()
        return DIMENSION

    def load(self) -> InferenceSession:
        """The network, opened once; safe to call from several threads.

        Raises:
            ModelUnavailable: it is missing, or its weights are not the published ones.
        """
        with self._lock:
            if self._session is None:
                self._session = self._open(eight_bits.wanted(self._precision))
            return self._session

    @abstractmethod
    def _open(self, in_8_bits: bool) -> InferenceSession: ...

    @property
    @abstractmethod
    def _tokenizer(self) -> Tokenizer: ...

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """``(len(texts), 384)`` float32 unit rows."""
        return self._run("vectors", (DIMENSION,), texts, progress)

    def _run(
        self, wanted: str, shape: tuple[int, ...], texts: Sequence[str], progress: Progress | None = None
    ) -> Vectors:
        session = self.load()
        out = np.zeros((len(texts), *shape), dtype=np.float32)
        ids = [e.ids for e in self._tokenizer.encode_batch_fast(list(texts))] if texts else []
        lengths = [len(i) for i in ids]
        tokens = min(BATCH_TOKENS, max(_LEAST_TOKENS, sum(lengths) // (2 * workers())))

        def computed(rows: list[int]) -> NDArray[np.float32]:
            grid, mask = padded([ids[row] for row in rows])
            states: NDArray[np.float32] = session.run([wanted], {"ids": grid, "mask": mask})[0]
            return states

        # The shortest come first from batches(); the longest should begin first.
        for rows, found in side_by_side(computed, [*batches(lengths, tokens=tokens, texts=self._batch_size)][::-1]):
            out[rows] = found
            if progress:
                progress(len(rows))
        return out


class OnnxEncoder(GraphEncoder):
    """all-MiniLM-L6-v2 as the package ships it, checked against its published SHA-256."""

    name = DEFAULT_MODEL

    def _open(self, in_8_bits: bool) -> InferenceSession:
        folder = bundled_model_path()
        check_weights(folder)
        weights = read_weights(folder / "model.safetensors")
        if in_8_bits:
            return open_graph(GRAPH_8, eight_bits.convert(weights, eight_bits.load_ranges(RANGES)))
        return open_graph(GRAPH, weights)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return open_tokenizer()

    def is_word(self, word: str) -> bool:
        """Whether the model's tokenizer knows this word as one piece."""
        return len(self._tokenizer.encode(word.lower(), add_special_tokens=False).ids) == 1

    def states(self, texts: Sequence[str]) -> Vectors:
        """``(len(texts), len(STATE_LAYERS), 384)`` float32: averaged token states between the layers, unit length."""
        return self._run("states", (len(STATE_LAYERS), DIMENSION), texts)


def open_tokenizer() -> Tokenizer:
    """The packaged encoder's, which cuts what is too long.

    Raises:
        ModelUnavailable: its file is missing.
    """
    from tokenizers import Tokenizer

    file = bundled_model_path() / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(file.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ModelUnavailable(f"the model file {file} cannot be read: {exc.strerror}") from exc
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def batches(lengths: Sequence[int], *, tokens: int, texts: int) -> Iterator[list[int]]:
    """Positions in groups of like length, so that little padding is computed; every position once.

    A group has at most ``texts`` members, and at most ``tokens`` tokens with its padding unless it is a single one.
    """
    group: list[int] = []
    for at in sorted(range(len(lengths)), key=lengths.__getitem__):
        # In rising order the newest is the longest, to which all others are padded.
        if group and (len(group) == texts or (len(group) + 1) * lengths[at] > tokens):
            yield group
            group = []
        group.append(at)
    if group:
        yield group


def padded(rows: Sequence[Sequence[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Token ids and mask (1 where a token stands), ``(b, t)``, padded with 0 to the longest."""
    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max())[None] < lengths[:, None]
    grid = np.zeros(mask.shape, dtype=np.int64)
    grid[mask] = np.concatenate([np.asarray(row, dtype=np.int64) for row in rows])
    return grid, mask.astype(np.int64)


def open_graph(graph: Path | bytes, weights: Mapping[str, NDArray[Any]]) -> InferenceSession:
    """A graph without weights, with these handed over; matrices as ``(in, out)``.

    A call computes in the thread that makes it; several may run at once (``index.side_by_side``).

    Args:
        graph: its file, or what stands in one.

    Raises:
        ModelUnavailable: the graph is missing or does not fit the weights.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(np.asarray(w, order="C")) for w in weights.values()]
    options.add_external_initializers(list(weights), values)
    try:
        return onnxruntime.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph), options, providers=["CPUExecutionProvider"], disabled_optimizers=_UNWANTED
        )
    except Exception as exc:  # its errors share no base class but Exception
        raise ModelUnavailable(
            f"the network {graph if isinstance(graph, Path) else ''} cannot be opened ({' '.join(str(exc).split())[:200]}); reinstall the package"
        ) from exc


def read_weights(file: Path) -> Weights:
    """The tensors of a BERT checkpoint under the names of our graph."""
    from safetensors import safe_open

    with safe_open(file, framework="numpy") as stored:

        def read(name: str) -> NDArray[Any]:
            tensor: NDArray[Any] = stored.get_tensor(name)
            return tensor

        found: Weights = {
            "words": read("embeddings.word_embeddings.weight"),
            "position": read("embeddings.position_embeddings.weight"),
            "segment": read("embeddings.token_type_embeddings.weight"),
            "norm.weight": read("embeddings.LayerNorm.weight"),
            "norm.bias": read("embeddings.LayerNorm.bias"),
        }
        for i in range(_LAYERS):
            theirs, ours = f"encoder.layer.{i}", f"layers.{i}"
            parts = [f"{theirs}.attention.self.{part}" for part in ("query", "key", "value")]
            found[f"{ours}.qkv.weight"] = np.concatenate([read(f"{p}.weight") for p in parts]).T
            found[f"{ours}.qkv.bias"] = np.concatenate([read(f"{p}.bias") for p in parts])
            for mine, name in (
                ("out", "attention.output.dense"),
                ("up", "intermediate.dense"),
                ("down", "output.dense"),
            ):
                found[f"{ours}.{mine}.weight"] = read(f"{theirs}.{name}.weight").T
                found[f"{ours}.{mine}.bias"] = read(f"{theirs}.{name}.bias")
            for mine, name in (("norm1", "attention.output.LayerNorm"), ("norm2", "output.LayerNorm")):
                found[f"{ours}.{mine}.weight"] = read(f"{theirs}.{name}.weight")
                found[f"{ours}.{mine}.bias"] = read(f"{theirs}.{name}.bias")
    return found


def packaged(encoder: object = None) -> OnnxEncoder:
    """The encoder when it is the packaged model, else one that all who need just that model share."""
    return encoder if isinstance(encoder, OnnxEncoder) else _shared()


@cache
def _shared() -> OnnxEncoder:
    return OnnxEncoder()
