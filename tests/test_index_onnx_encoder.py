from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import index.onnx_encoder
from index.embed import DEFAULT_MODEL, SentenceTransformerEncoder
from index.encoders import open_encoder
from index.errors import ModelUnavailable
from index.onnx_encoder import GRAPH, OnnxEncoder, batches, open_graph, padded

TEXTS = [
    "The ferry leaves at nine.",
    "",
    "   ",
    "one " * 400,
    "Паром отходит утром.",
    "🙂 naïve café — “quoted”",
    "A boat departs in the morning; bread is baked from rye. " * 9,
    "x" * 300,
]


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder(precision="float32")


def test_vectors_are_those_of_torch_so_that_an_index_serves_both(
    encoder: OnnxEncoder, torch_encoder: SentenceTransformerEncoder
) -> None:
    mine, theirs = encoder.encode(TEXTS), torch_encoder.encode(TEXTS)
    assert mine.shape == theirs.shape == (len(TEXTS), 384)
    assert mine.dtype == np.float32
    assert np.abs(mine - theirs).max() < 1e-5
    assert encoder.name == torch_encoder.name
    assert encoder.dimension == torch_encoder.dimension


@pytest.mark.parametrize("word", ["harbour", "Ferry", "ferrry", "habrour", "", "ISKP", "naïve"])
def test_words_are_known_as_to_torch(encoder: OnnxEncoder, torch_encoder: SentenceTransformerEncoder, word: str) -> None:
    assert encoder.is_word(word) is torch_encoder.is_word(word)


def test_no_texts_give_no_rows(encoder: OnnxEncoder) -> None:
    assert encoder.encode([]).shape == (0, 384)


def test_a_vector_does_not_depend_on_what_shares_its_batch(
    encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = encoder.encode(TEXTS)
    monkeypatch.setattr(index.onnx_encoder, "BATCH_TOKENS", 1)
    assert np.abs(encoder.encode(TEXTS[::-1])[::-1] - together).max() < 1e-5


def test_progress_is_told_after_each_batch_and_adds_up() -> None:
    told: list[int] = []
    OnnxEncoder(batch_size=3).encode(list("abcdefg"), progress=told.append)
    assert sorted(told) == [1, 3, 3]


def test_batches_hold_every_position_once_and_keep_within_their_limits() -> None:
    lengths = [7, 3, 100, 3, 50, 0, 49, 3, 12]
    found = list(batches(lengths, tokens=60, texts=3))
    assert sorted(at for group in found for at in group) == list(range(len(lengths)))
    for group in found:
        assert len(group) <= 3
        assert len(group) == 1 or len(group) * max(lengths[at] for at in group) <= 60
    assert found == [[5, 1, 3], [7, 0, 8], [6], [4], [2]]


def test_padding_marks_what_is_no_token() -> None:
    grid, mask = padded([[5, 6, 7], [8]])
    assert grid.tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_the_packaged_model_opens_without_torch_and_others_with_it() -> None:
    assert isinstance(open_encoder(), OnnxEncoder)
    assert isinstance(open_encoder(DEFAULT_MODEL), OnnxEncoder)
    assert isinstance(open_encoder("somebody/else"), SentenceTransformerEncoder)
    script = (
        "import sys; from index.encoders import open_encoder as o; e = o(); print('onnxruntime' in sys.modules); "
        "e.encode(['text']); e.is_word('ferry'); print({'torch', 'transformers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:2] == ["False", "set()"]


def test_a_changed_model_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"changed")
    monkeypatch.setattr(index.onnx_encoder, "bundled_model_path", lambda: tmp_path)
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        OnnxEncoder().encode(["text"])
    with pytest.raises(ModelUnavailable, match=r"tokenizer\.json cannot be read"):
        OnnxEncoder().is_word("text")


def test_weights_that_do_not_fit_the_graph_are_refused_in_one_sentence() -> None:
    with pytest.raises(ModelUnavailable, match=r"minilm\.onnx cannot be opened .*reinstall"):
        open_graph(GRAPH, {"words": np.zeros((2, 384), dtype=np.float32)})


def test_the_shipped_graphs_are_those_that_the_script_draws() -> None:
    """They are written by ``python -m eval.training.graphs``; a change of one without the other is an oversight."""
    onnx = pytest.importorskip("onnx", reason="only who changes a network needs it")
    from eval.training import graphs

    drawn = graphs.drawn()
    assert len(drawn) == 6
    for file, graph in drawn.items():
        assert onnx.load(file, load_external_data=False) == graph, f"{file.name} is not what is drawn"
