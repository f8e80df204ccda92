"""The evidence reader: which sentences of a passage answer a question, and whether any does.

A question and a whole passage are read once, together; every sentence is scored in its context.
Trained by ``eval/training``; the model card lies beside the weights.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import ReaderError
from index import eight_bits
from index.precision import Precision
from index.side_by_side import side_by_side
from index.weights import MISSING, placed

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

WEIGHTS = placed(Path(__file__).parent / "weights")
RANGES = WEIGHTS / "ranges.safetensors"
WEIGHTS_SHA256 = "d01b2f9590dc5cec0deaa8ac8461fa1253229a2753011f13b4dea7216c863162"
"""Of the packaged ``model.safetensors``; ``eval/training/train.py`` prints it at export."""

MAX_QUESTION_TOKENS = 64
MAX_CONTEXT_TOKENS = 24
MAX_TOKENS = 320
"""Of question, context and sentences together; a longer passage is read in several windows."""

_CLS, _SEP, _FULL_STOP = 101, 102, 1012
_OTHER, _QUESTION, _FIRST_SENTENCE = 0, 1, 2  # as in app.evidence.torch_network; test_app_reader.py compares them
_SPAN_TOKENS = 24

Span = tuple[int, int, int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderInput:
    """A passage to read: its title and headings (may be empty), then its sentences in order."""

    context: str
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageReading:
    """What the reader found in one passage.

    Attributes:
        sentence_scores: one for each sentence, in [0, 1]: it answers (or supports the claim).
        answerable: in [0, 1]: the passage answers (or supports the claim); 0 if it has no sentences.
        spans: for each sentence (its index, start, end, score): the words in it that would be the
            short answer, as character offsets in the sentence, end exclusive; score in [0, 1].
            None where the sentence has no words.
    """

    sentence_scores: tuple[float, ...]
    answerable: float
    spans: tuple[Span | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """A text as token ids, with the characters that each token covers."""

    ids: tuple[int, ...]
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """One input of the network; the three lists have the same length.

    Attributes:
        ids: token ids.
        types: 0 in the question's segment, 1 in the passage's.
        owners: what each token belongs to, as ``app.evidence.torch_network`` numbers it.
    """

    ids: list[int]
    types: list[int]
    owners: list[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Logits of one batch, as ``app.evidence.torch_network.Logits`` describes them."""

    sentences: NDArray[np.float32]
    passages: NDArray[np.float32]
    spans: NDArray[np.float32]


class Network(Protocol):
    """The reader's network on some runtime."""

    def read(self, batch: Sequence[Packed], mode: str) -> Scores:
        """Logits of a batch; ``mode`` is ``answer`` or ``support``."""


class EvidenceReader:
    """Reads passages; one instance may serve several threads (it keeps no state between calls)."""

    def __init__(self, network: Network, tokenizer: Tokenizer, *, fingerprint: str = "unsaved") -> None:
        self._network = network
        self._tokenizer = tokenizer
        self.fingerprint = fingerprint

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        *,
        runtime: Literal["onnx", "torch"] = "onnx",
        precision: Precision = "auto",
    ) -> EvidenceReader:
        """The reader in folder ``path``, or the packaged one, whose SHA-256 is checked.

        A folder of one's own is checked against ``sha256`` in its ``config.json``.

        Args:
            runtime: what computes; the scores are the same, but torch takes seconds to import.
            precision: of the arithmetic on ONNX Runtime; "auto" takes 8 bits where they pay and the reader's ranges are known.

        Raises:
            ReaderError: a file is missing or unreadable, or the weights have another hash.
        """
        folder = path or WEIGHTS
        try:
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            with (folder / "model.safetensors").open("rb") as stream:
                found = hashlib.file_digest(stream, "sha256").hexdigest()
            vocabulary = (folder / "tokenizer.json").read_text(encoding="utf-8")
        except (OSError, ValueError) as exc:
            raise ReaderError(f"the evidence reader in {folder} cannot be loaded: {exc}; {MISSING}") from exc
        expected = WEIGHTS_SHA256 if path is None else str(config.get("sha256", ""))
        if found != expected:
            raise ReaderError(
                f"the evidence reader's weights in {folder} have SHA-256 {found[:12]}…, "
                f"not the expected {expected[:12]}…; reinstall the package"
            )
        network = _network(folder / "model.safetensors", config["shape"], runtime, precision)
        return cls(network, load_tokenizer(vocabulary), fingerprint=f"reader:{found[:16]}")

    def read(self, question: str, passages: Sequence[ReaderInput]) -> list[PassageReading]:
        """How well each passage answers the question, in the order given."""
        return self._read(question, passages, mode="answer")

    def check(self, claim: str, passages: Sequence[ReaderInput]) -> list[PassageReading]:
        """How well each passage supports the claim, in the order given."""
        return self._read(claim, passages, mode="support")

    def _read(self, question: str, passages: Sequence[ReaderInput], *, mode: str) -> list[PassageReading]:
        asked = tokenize(self._tokenizer, [question])[0].ids
        sentences = [tokenize(self._tokenizer, p.sentences) for p in passages]
        contexts = tokenize(self._tokenizer, [p.context for p in passages])
        jobs = [
            (at, low, pack(asked, contexts[at].ids, [t.ids for t in own[low:high]]))
            for at, own in enumerate(sentences)
            for low, high in windows([len(t.ids) for t in own], room(asked, contexts[at].ids))
            if any(t.ids for t in own[low:high])
        ]
        jobs.sort(key=lambda job: -len(job[2].ids))
        # One window at a time: in a batch padding would be computed too.
        read = side_by_side(lambda job: self._network.read([job[2]], mode), jobs)
        found = {(at, low): (packed, logits) for (at, low, packed), logits in read}
        collected = [_Collected(own) for own in sentences]
        for (at, low), (packed, logits) in sorted(found.items(), key=lambda item: item[0]):
            collected[at].add(low, packed, logits)
        return [c.reading() for c in collected]


def _network(weights: Path, shape: dict[str, Any], runtime: str, precision: Precision) -> Network:
    """The network with these weights on a runtime."""
    if runtime == "onnx":
        from app.evidence.onnx_network import OnnxNetwork

        ranges = weights.parent / RANGES.name
        return OnnxNetwork(weights, ranges if eight_bits.wanted(precision) and ranges.is_file() else None)
    from app.evidence import torch_network as reader_model

    known = {f.name for f in fields(reader_model.Shape)}
    return reader_model.TorchNetwork(
        reader_model.load(weights, reader_model.Shape(**{k: v for k, v in shape.items() if k in known}))
    )


class _Collected:
    """Gathers the windows of one passage; a sentence read in two windows keeps its better score."""

    def __init__(self, sentences: Sequence[Tokens]) -> None:
        self._sentences = sentences
        self._scores = [0.0] * len(sentences)
        self._spans: list[Span | None] = [None] * len(sentences)
        self._passage = 0.0

    def add(self, low: int, packed: Packed, logits: Scores) -> None:
        """The window that begins with sentence ``low``, a batch of its own."""
        count = max(packed.owners) - _FIRST_SENTENCE + 1
        self._passage = max(self._passage, float(_sigmoid(logits.passages[0])))
        scores = _sigmoid(logits.sentences[0]).tolist()
        for k in range(count):
            if self._spans[low + k] is None or scores[k] > self._scores[low + k]:
                self._scores[low + k] = scores[k]
                first = packed.owners.index(_FIRST_SENTENCE + k) if _FIRST_SENTENCE + k in packed.owners else 0
                size = packed.owners.count(_FIRST_SENTENCE + k)
                if size:
                    offsets = self._sentences[low + k].offsets[:size]
                    self._spans[low + k] = (low + k, *_best_span(logits.spans[0, first : first + size], offsets))

    def reading(self) -> PassageReading:
        """What all windows said."""
        return PassageReading(sentence_scores=tuple(self._scores), answerable=self._passage, spans=tuple(self._spans))


def _sigmoid(logits: NDArray[np.float32] | np.float32) -> NDArray[np.float64]:
    with np.errstate(over="ignore"):  # exp of a very small logit's negative is inf, and 1 / inf is right
        return np.asarray(1.0 / (1.0 + np.exp(-np.float64(logits))))


def _best_span(logits: NDArray[np.float32], offsets: Sequence[tuple[int, int]]) -> tuple[int, int, float]:
    """The likeliest stretch of at most ``_SPAN_TOKENS`` tokens; ``logits`` ``(tokens, 2)``."""
    exact = logits.astype(np.float64)
    odds = np.exp(exact - exact.max(axis=0))
    start, end = (odds / odds.sum(axis=0)).T
    both = np.tril(np.triu(start[:, None] * end[None, :]), _SPAN_TOKENS - 1)
    i, j = divmod(int(both.argmax()), both.shape[1])
    return offsets[i][0], offsets[j][1], float(both[i, j])


def load_tokenizer(vocabulary: str) -> Tokenizer:
    """The tokenizer that a ``tokenizer.json`` describes, without truncation or padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(vocabulary)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> list[Tokens]:
    """Each text by itself, without special tokens; quotation marks of tokenised corpora become plain ones."""
    plain = [t.replace("``", '" ').replace("''", '" ') for t in texts]  # same length: offsets stay true
    encoded = tokenizer.encode_batch(plain, add_special_tokens=False)
    return [Tokens(ids=tuple(e.ids), offsets=tuple(e.offsets)) for e in encoded]


def room(question: Sequence[int], context: Sequence[int], limit: int = MAX_TOKENS) -> int:
    """Tokens that are left for sentences."""
    return limit - min(len(question), MAX_QUESTION_TOKENS) - min(len(context), MAX_CONTEXT_TOKENS) - 4


def windows(lengths: Sequence[int], budget: int) -> Iterator[tuple[int, int]]:
    """(first, end) of runs of sentences of at most ``budget`` tokens; neighbours share one sentence.

    Every sentence lies in a run; one longer than the budget is in a run that ``pack`` must cut.
    """
    low = 0
    while low < len(lengths):
        high, size = low, 0
        while high < len(lengths) and (high == low or size + lengths[high] <= budget):
            size += lengths[high]
            high += 1
        yield low, high
        if high == len(lengths):
            return
        shared = high - low > 1 and lengths[high - 1] + lengths[high] <= budget
        low = high - 1 if shared else high


def pack(question: Sequence[int], context: Sequence[int], sentences: Sequence[Sequence[int]]) -> Packed:
    """``[CLS] question [SEP] context . sentences [SEP]``, cut at ``MAX_TOKENS``."""
    asked = list(question[:MAX_QUESTION_TOKENS])
    ids, owners = [_CLS, *asked, _SEP], [_OTHER, *[_QUESTION] * len(asked), _OTHER]
    types = [0] * len(ids)
    if context:
        around = [*context[:MAX_CONTEXT_TOKENS], _FULL_STOP]
        ids += around
        owners += [_OTHER] * len(around)
    for k, sentence in enumerate(sentences):
        fits = sentence[: max(MAX_TOKENS - 1 - len(ids), 0)]
        ids += fits
        owners += [_FIRST_SENTENCE + k] * len(fits)
    ids.append(_SEP)
    owners.append(_OTHER)
    return Packed(ids=ids, types=types + [1] * (len(ids) - len(types)), owners=owners)


def tensors(batch: Sequence[Packed]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """ids, types, owners as ``(b, t)`` int64 and the mask ``(b, t)`` bool, padded to the longest."""
    import torch

    longest = max(len(p.ids) for p in batch)
    columns = [
        torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows])
        for rows in ([p.ids for p in batch], [p.types for p in batch], [p.owners for p in batch])
    ]
    sizes = torch.tensor([len(p.ids) for p in batch])
    return columns[0], columns[1], columns[2], torch.arange(longest)[None] < sizes[:, None]
