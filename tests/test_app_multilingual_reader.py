from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.errors import ReaderError
from app.evidence.gather import ReadPassage
from app.evidence.multilingual import MultilingualReader, beside
from app.evidence.torch_network import narrowed
from eval.training.multilingual_reader import UpperReader, export
from index.multilingual_encoder import MultilingualEncoder

QUESTION = "Когда достроили мол?"
PASSAGES = [
    ReadPassage(context="بندر", sentences=("موج‌شکن در سال ۱۸۷۴ تمام شد.", "", "توفان‌ها هنوز می‌آیند.")),
    ReadPassage(context="", sentences=("Мол достроили в 1874 году.",)),
    ReadPassage(context="Length", sentences=tuple(f"Ship {i} left the harbour with timber and wool." for i in range(60))),
    ReadPassage(context="Nothing", sentences=()),
]


@pytest.fixture(scope="module")
def encoder() -> MultilingualEncoder:
    return MultilingualEncoder()


@pytest.fixture(scope="module")
def network() -> UpperReader:
    torch.manual_seed(0)
    network = UpperReader().eval()
    with torch.no_grad():
        network.places.weight.normal_(std=0.3)
        for name, matrix in network.named_parameters():  # as they will be stored
            if name.startswith("layers.") and matrix.ndim == 2:
                codes, scales = narrowed(matrix)
                matrix.copy_(codes * scales[:, None])
            else:
                matrix.copy_(matrix.half())
    return network


def test_scores_are_those_of_the_network_that_was_trained(encoder: MultilingualEncoder, network: UpperReader, tmp_path: Path) -> None:
    export(network, tmp_path / "model.safetensors")
    readings = MultilingualReader(encoder, tmp_path / "model.safetensors").score(QUESTION, PASSAGES)
    assert [len(r.sentences) for r in readings] == [3, 1, 60, 0]
    assert readings[0].sentences[1] == 0 and readings[0].spans[1] is None and readings[3].passage == 0
    assert min(readings[2].sentences) > 0  # read in several windows
    for passage, reading in zip(PASSAGES[:2], readings, strict=False):
        asked, context, *sentences = encoder.lower([QUESTION, passage.context, *passage.sentences])
        states, owners = beside(asked, context, sentences)
        with torch.inference_mode():
            said = network(torch.tensor(states)[None], torch.tensor([owners]), torch.ones(1, len(owners), dtype=torch.bool))
        assert reading.passage == pytest.approx(float(said.passages.sigmoid()), abs=1e-4)
        assert reading.sentences == pytest.approx(said.sentences[0].sigmoid().tolist(), abs=1e-4)
        for sentence, span in zip(passage.sentences, reading.spans, strict=True):
            assert span is None or 0 <= span[0] < span[1] <= len(sentence)


def test_tokens_between_the_layers_cover_the_text(encoder: MultilingualEncoder) -> None:
    for text, lower in zip(texts := ["Мол достроили в 1874 году.", "پل بسته شد", ""], encoder.lower(texts), strict=True):
        assert lower.states.shape == (len(lower.offsets) + 2, 384)
        assert "".join(text[a:b] for a, b in lower.offsets).replace(" ", "") == text.replace(" ", "")


def test_weights_that_are_not_there_are_told(encoder: MultilingualEncoder, tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match=r"none\.safetensors cannot be read .*; reinstall the package"):
        MultilingualReader(encoder, tmp_path / "none.safetensors").score(QUESTION, PASSAGES[:1])
