"""Measures how wide the inputs of every matrix range, in encoder and reader, for computing in 8 bits.

    python -m eval.training.ranges [--own DATA]

Our own articles are run through both networks in 32 bits: for the encoder every paragraph, question and title; for the
reader every question and claim with its paragraph and with another of the same article. Run again when weights change.
Needs the extra ``train``.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto
from safetensors.numpy import save_file

from app.evidence import onnx_network as reader_onnx
from app.evidence.packaged import RANGES, WEIGHTS, EvidenceReader, Packed, ReaderInput, Scores, load_tokenizer
from eval.training import graphs
from eval.training.sets import Collection, read_own
from index import onnx_encoder
from index.eight_bits import measure
from index.embed import bundled_model_path

HERE = Path(__file__).parent
TEXTS = 3000
"""At most so many, drawn with a fixed seed: the ranges no longer grow then."""


class Watched:
    """A network in 32 bits that remembers the least and the largest value of every input of a matrix."""

    def __init__(self, model: ModelProto, inputs: Mapping[str, str], weights: Mapping[str, NDArray[Any]]) -> None:
        self._session = onnx_encoder.open_graph(model.SerializeToString(), weights)
        self._inputs = inputs
        self.extremes: dict[str, NDArray[np.float32]] = {}

    def run(self, wanted: Sequence[str], given: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """What the session gives; what stands behind the end of a text is not watched."""
        results = self._session.run([*wanted, *self._inputs.values()], dict(given))
        there = given["mask"].astype(bool)
        for at, values in zip(self._inputs, results[len(wanted) :], strict=True):
            rows = [values[there], self.extremes[at]] if at in self.extremes else [values[there]]
            both = np.concatenate(rows)
            self.extremes[at] = np.stack([both.min(axis=0), both.max(axis=0)])
        return list(results[: len(wanted)])


class WatchedReader(reader_onnx.OnnxNetwork):
    """The reader's network, watched."""

    def __init__(self, weights: Path) -> None:
        inputs: graphs.Inputs = {}
        model = graphs.reader(inputs=inputs)
        self.weights = reader_onnx.read_weights(weights)
        self.watched = Watched(model, inputs, self.weights)

    def read(self, batch: Sequence[Packed], mode: str) -> Scores:
        """As in use, but watched."""
        return self.scores(self.watched.run, batch, mode)


def of_encoder(texts: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Ranges of the packaged encoder."""
    weights = onnx_encoder.read_weights(bundled_model_path() / "model.safetensors")
    inputs: graphs.Inputs = {}
    model = graphs.encoder(inputs=inputs)
    watched = Watched(model, inputs, weights)
    tokenizer = onnx_encoder.open_tokenizer()
    ids = [e.ids for e in tokenizer.encode_batch_fast(list(texts))]
    for rows in onnx_encoder.batches([len(i) for i in ids], tokens=onnx_encoder.BATCH_TOKENS, texts=32):
        grid, mask = onnx_encoder.padded([ids[row] for row in rows])
        watched.run(["vectors"], {"ids": grid, "mask": mask})
    return measure(weights, watched.extremes)


def of_reader(pairs: Sequence[tuple[str, str, ReaderInput]], folder: Path = WEIGHTS) -> dict[str, NDArray[Any]]:
    """Ranges of the reader in ``folder``, from what it is asked: mode, question or claim, passage."""
    network = WatchedReader(folder / "model.safetensors")
    reader = EvidenceReader(network, load_tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8")))
    for mode, text, passage in pairs:
        (reader.read if mode == "answer" else reader.check)(text, [passage])
    return measure(network.weights, network.watched.extremes)


def texts_of(collection: Collection) -> Iterator[str]:
    """What an encoder gets: paragraphs, sentences, titles, questions and claims."""
    for passage in collection.passages:
        yield from (passage.title, passage.text, passage.sentences[0])
    yield from (question.text for question in collection.questions)


def pairs_of(collection: Collection) -> Iterator[tuple[str, str, ReaderInput]]:
    """What a reader gets: every question and claim with a passage that answers or supports, and with one that is near."""
    for question in collection.questions:
        for at in [*list(question.gold)[:1], *question.near[:1]]:
            passage = collection.passages[at]
            yield question.mode, question.text, ReaderInput(context=passage.title, sentences=passage.sentences)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--own", type=Path, default=HERE / "data")
    options = parser.parse_args()
    collection = Collection()
    read_own(collection, options.own)
    texts, pairs = list(texts_of(collection)), list(pairs_of(collection))
    chance = np.random.default_rng(0)
    texts = [texts[i] for i in chance.permutation(len(texts))[:TEXTS]]
    pairs = [pairs[i] for i in chance.permutation(len(pairs))[:TEXTS]]
    for file, folder, ranges in (
        (onnx_encoder.RANGES, bundled_model_path(), of_encoder(texts)),
        (RANGES, WEIGHTS, of_reader(pairs)),
    ):
        digest = hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
        save_file(ranges, file, metadata={"weights": digest})
        print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
