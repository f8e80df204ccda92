"""The mean of readers is a reader whose weights lie between theirs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from app.evidence.packaged import WEIGHTS, EvidenceReader, ReaderInput
from eval.training.average import mean
from eval.training.train import export, start


def test_the_mean_of_two_readers_has_their_mean_weights_and_can_be_loaded(tmp_path: Path) -> None:
    (shipped, tokenizer), (other, _) = start(WEIGHTS), start(WEIGHTS)
    before = {name: weight.clone() for name, weight in shipped.state_dict().items()}
    with torch.no_grad():
        for weight in other.parameters():
            weight.add_(0.02)
    moved = {name for name, weight in other.state_dict().items() if not torch.equal(weight, before[name])}
    both = mean([shipped, other])
    for name, weight in both.state_dict().items():
        expected = before[name] + (0.01 if name in moved else 0.0)
        assert torch.allclose(weight, expected, atol=1e-6), name
    export(both, tokenizer, tmp_path / "mean")
    (reading,) = EvidenceReader.load(tmp_path / "mean").read(
        "How deep is the harbour?", [ReaderInput(context="", sentences=("The harbour is 14 metres deep.",))]
    )
    assert len(reading.sentence_scores) == 1


def test_the_mean_of_one_reader_is_that_reader() -> None:
    network, _ = start(WEIGHTS)
    before = {name: weight.clone() for name, weight in network.state_dict().items()}
    assert all(torch.equal(w, before[name]) for name, w in mean([network]).state_dict().items())


def test_a_folder_without_a_reader_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        start(tmp_path / "nowhere")
