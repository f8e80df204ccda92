"""The network of the evidence reader: a small BERT that reads a question and a passage once.

Only ``app.evidence.packaged`` and the training scripts import this module, so that torch is loaded when a reader is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from app.evidence.packaged import Packed, Scores, tensors

OTHER, QUESTION, FIRST_SENTENCE = 0, 1, 2
"""What a token belongs to: nothing that is pooled, the question, or sentence ``k`` (as ``FIRST_SENTENCE + k``)."""

NARROW = (".qkv", ".out", ".up", ".down")
"""The matrices of a layer, which are stored as int8."""
MODES = ("answer", "support")
"""Heads over the shared encoder: does it answer a question, does it support a claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Sizes of the network; the defaults are those of the packaged weights."""

    vocabulary: int = 30522
    positions: int = 512
    width: int = 384
    layers: int = 12
    heads: int = 12
    inner: int = 1536
    head_width: int = 192
    dropout: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Logits:
    """One batch read. ``b`` passages, ``s`` sentences at most, ``t`` tokens.

    Attributes:
        sentences: ``(b, s)``; -inf where a passage has fewer sentences.
        passages: ``(b,)``.
        spans: ``(b, t, 2)``, start and end of the short answer.
    """

    sentences: Tensor
    passages: Tensor
    spans: Tensor


class Layer(nn.Module):
    """A post-norm transformer layer as in BERT."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.dropout = shape.dropout
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.norm1 = nn.LayerNorm(shape.width, eps=1e-12)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.norm2 = nn.LayerNorm(shape.width, eps=1e-12)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """``x`` ``(b, t, width)``; ``mask`` ``(b, 1, 1, t)`` bool, true where attended."""
        b, t, width = x.shape
        rate = self.dropout if self.training else 0.0
        q, k, v = self.qkv(x).view(b, t, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        a = self.out(a.transpose(1, 2).reshape(b, t, width))
        x = self.norm1(x + a)
        out: Tensor = self.norm2(x + F.dropout(self.down(F.gelu(self.up(x))), rate, self.training))
        return out


class Heads(nn.Module):
    """Turns token states into a logit for every sentence and one for the passage."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.sentence = nn.Linear(4 * shape.width, shape.head_width)
        self.sentence_out = nn.Linear(shape.head_width, 1)
        self.passage = nn.Linear(shape.width, shape.head_width)
        self.passage_out = nn.Linear(shape.head_width, 1)
        self.best_weight = nn.Parameter(torch.tensor(1.0))
        self.dropout = nn.Dropout(shape.dropout)

    def forward(
        self, cls: Tensor, question: Tensor, mean: Tensor, first: Tensor, there: Tensor
    ) -> tuple[Tensor, Tensor]:
        """``cls``, ``question`` ``(b, width)``; ``mean``, ``first`` ``(b, s, width)``; ``there`` ``(b, s)`` bool."""
        wide = cls[:, None].expand_as(mean)
        features = torch.cat([wide, mean, first, mean * question[:, None]], dim=-1)
        sentences = self.sentence_out(self.dropout(F.gelu(self.sentence(features)))).squeeze(-1).float()
        sentences = sentences.masked_fill(~there, float("-inf"))
        passage = self.passage_out(self.dropout(F.gelu(self.passage(cls)))).squeeze(-1).float()
        return sentences, passage + self.best_weight * sentences.max(dim=1).values


class ReaderNetwork(nn.Module):
    """Encoder and heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.words = nn.Embedding(shape.vocabulary, shape.width)
        self.position = nn.Embedding(shape.positions, shape.width)
        self.segment = nn.Embedding(2, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.dropout = nn.Dropout(shape.dropout)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.heads = nn.ModuleDict({mode: Heads(shape) for mode in MODES})
        self.span = nn.Linear(shape.width, 2)

    def encode(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Token states ``(b, t, width)`` of ``ids`` and ``types`` ``(b, t)``; ``mask`` ``(b, t)`` bool."""
        at = torch.arange(ids.shape[1], device=ids.device)
        x: Tensor = self.dropout(self.norm(self.words(ids) + self.position(at)[None] + self.segment(types)))
        attended = mask[:, None, None, :]
        for layer in self.layers:
            x = layer(x, attended)
        return x

    def forward(self, ids: Tensor, types: Tensor, owners: Tensor, mask: Tensor, *, mode: str) -> Logits:
        """Reads a batch. ``owners`` ``(b, t)`` says what each token belongs to (see ``FIRST_SENTENCE``)."""
        states = self.encode(ids, types, mask)
        parts = torch.arange(QUESTION, int(owners.max()) + 1, device=ids.device)
        member = owners[:, None, :] == parts[None, :, None]
        size = member.sum(-1, keepdim=True)
        pooled = (member.to(states.dtype) / size.clamp(min=1).to(states.dtype)) @ states
        start = member.to(torch.uint8).argmax(-1, keepdim=True).expand(-1, -1, states.shape[-1])
        first = states.gather(1, start)
        there = size[:, 1:, 0] > 0
        sentences, passages = self.heads[mode](states[:, 0], pooled[:, 0], pooled[:, 1:], first[:, 1:], there)
        return Logits(sentences=sentences, passages=passages, spans=self.span(states).float())


class TorchNetwork:
    """A network behind the interface that the reader knows."""

    def __init__(self, network: ReaderNetwork) -> None:
        self._network = network

    def read(self, batch: Sequence[Packed], mode: str) -> Scores:
        """Logits of a batch; ``mode`` is ``answer`` or ``support``."""
        with torch.inference_mode():
            logits = self._network(*tensors(batch), mode=mode)
        return Scores(sentences=logits.sentences.numpy(), passages=logits.passages.numpy(), spans=logits.spans.numpy())


def from_bert(path: Path) -> ReaderNetwork:
    """A network whose encoder holds the weights of a BERT checkpoint, with as many layers; the heads are new.

    The word embeddings are rounded as they will be stored, so that nothing changes at export.
    """
    theirs = load_file(path)
    shape = Shape(layers=sum(name.endswith("attention.self.query.weight") for name in theirs))
    network = ReaderNetwork(shape)
    ours = network.state_dict()
    names = {
        "words.weight": "embeddings.word_embeddings.weight",
        "position.weight": "embeddings.position_embeddings.weight",
        "segment.weight": "embeddings.token_type_embeddings.weight",
    }
    pairs = {"norm": "embeddings.LayerNorm"}
    for i in range(shape.layers):
        at = f"encoder.layer.{i}"
        pairs |= {
            f"layers.{i}.out": f"{at}.attention.output.dense",
            f"layers.{i}.norm1": f"{at}.attention.output.LayerNorm",
            f"layers.{i}.up": f"{at}.intermediate.dense",
            f"layers.{i}.down": f"{at}.output.dense",
            f"layers.{i}.norm2": f"{at}.output.LayerNorm",
        }
        for kind in ("weight", "bias"):
            qkv = [theirs[f"{at}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            ours[f"layers.{i}.qkv.{kind}"] = torch.cat(qkv)
    names |= {f"{a}.{kind}": f"{b}.{kind}" for a, b in pairs.items() for kind in ("weight", "bias")}
    ours |= {a: theirs[b].float() for a, b in names.items()}
    ours["words.weight"] = _widen(*_narrow(ours["words.weight"]))
    network.load_state_dict(ours)
    return network


def save(network: ReaderNetwork, path: Path) -> None:
    """Writes the weights: word embeddings and the layers' matrices int8 with a scale a row, all else fp16."""
    stored: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        at = name.removesuffix(".weight")
        if at == "words" or at.endswith(NARROW):
            stored[f"{at}.rows"], stored[f"{at}.scales"] = _narrow(tensor.detach())
        else:
            stored[name] = tensor.detach().to(torch.float16).contiguous()
    save_file(stored, path)


def load(path: Path, shape: Shape) -> ReaderNetwork:
    """The network that ``save`` wrote, in float32 and in evaluation mode."""
    stored = load_file(path)
    narrow = [name.removesuffix(".rows") for name in stored if name.endswith(".rows")]
    wide = {f"{at}.weight": _widen(stored.pop(f"{at}.rows"), stored.pop(f"{at}.scales")) for at in narrow}
    network = ReaderNetwork(shape)
    network.load_state_dict({**wide, **{name: value.float() for name, value in stored.items()}})
    return network.eval()


def _narrow(rows: Tensor) -> tuple[Tensor, Tensor]:
    scales = rows.abs().amax(dim=1).clamp(min=1e-8) / 127
    return (rows / scales[:, None]).round().to(torch.int8), scales


def _widen(rows: Tensor, scales: Tensor) -> Tensor:
    return rows.float() * scales[:, None]
