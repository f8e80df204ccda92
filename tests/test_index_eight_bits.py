"""The networks in 8 bits: how near they stay to those in 32, and when they are taken."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from app.evidence.packaged import RANGES as READER_RANGES
from app.evidence.packaged import WEIGHTS, WEIGHTS_SHA256, EvidenceReader, ReaderInput
from index import eight_bits
from index.eight_bits import OUTLIERS, convert, load_ranges, measure, wanted
from index.embed import bundled_model_path
from index.errors import ModelUnavailable
from index.onnx_encoder import RANGES, OnnxEncoder, read_weights

FERRY = [
    "The first ferry of the day leaves the old harbour at nine in the morning.",
    "Boats cross to the island every hour while the summer timetable runs.",
    "Passengers with bicycles pay two crowns more on the crossing.",
]
BREAD = [
    "Rye bread needs a sour dough that has stood for a night.",
    "The baker turns the loaves once so that the crust gets even.",
    "Flour from the mill by the river is ground between stones.",
]
ODD = ["", "one " * 400, "Паром отходит утром.", "🙂 naïve café — “quoted”", "x" * 300, "1,500–2,200"]


@pytest.fixture(scope="module")
def encoders() -> tuple[OnnxEncoder, OnnxEncoder]:
    return OnnxEncoder(precision="int8"), OnnxEncoder(precision="float32")


def test_vectors_point_where_those_in_32_bits_do(encoders: tuple[OnnxEncoder, OnnxEncoder]) -> None:
    texts = [*FERRY, *BREAD, *ODD]
    mine, exact = (encoder.encode(texts) for encoder in encoders)
    assert mine.dtype == np.float32
    assert np.linalg.norm(mine, axis=1) == pytest.approx(1.0, abs=1e-5)
    cosines = (mine * exact).sum(axis=1)
    assert cosines[: len(FERRY + BREAD)].min() > 0.998
    assert cosines.min() > 0.99, dict(zip(texts, cosines, strict=True))
    assert np.abs(mine - exact).max() > 1e-5, "computed in 32 bits after all"


def test_the_same_texts_are_nearest(encoders: tuple[OnnxEncoder, OnnxEncoder]) -> None:
    texts = [*FERRY, *BREAD]
    for asked in ("When does the boat leave?", "How is rye bread baked?", "What do bicycles cost?"):
        mine, exact = (
            np.argsort(-(encoder.encode(texts) @ encoder.encode([asked])[0]), kind="stable") for encoder in encoders
        )
        assert mine[0] == exact[0]


def test_vectors_made_in_either_precision_serve_questions_in_the_other(
    encoders: tuple[OnnxEncoder, OnnxEncoder],
) -> None:
    """Why the precision is no part of an index's identity."""
    texts = [*FERRY, *BREAD]
    for asked in ("When does the boat leave?", "How is rye bread baked?", "What do bicycles cost?"):
        coded, exact = (encoder.encode([asked])[0] for encoder in encoders)
        for vectors in (encoder.encode(texts) for encoder in encoders):
            assert np.argmax(vectors @ coded) == np.argmax(vectors @ exact)
            assert np.abs(vectors @ coded - vectors @ exact).max() < 0.05


def test_a_vector_hardly_depends_on_what_shares_its_batch(encoders: tuple[OnnxEncoder, OnnxEncoder]) -> None:
    texts = [*FERRY, *BREAD, *ODD]
    together = encoders[0].encode(texts)
    alone = np.concatenate([encoders[0].encode([text]) for text in texts])
    assert (together * alone).sum(axis=1).min() > 0.9995


def test_the_reader_scores_nearly_as_in_32_bits() -> None:
    passages = [ReaderInput(context="Ferry", sentences=tuple(FERRY)), ReaderInput(context="", sentences=tuple(BREAD))]
    coded, exact = EvidenceReader.load(precision="int8"), EvidenceReader.load(precision="float32")
    assert coded.fingerprint == exact.fingerprint
    differences = []
    for asked in ("When does the first ferry leave?", "What does bread need?", "Who owns the mill?"):
        for mine, theirs in zip(coded.read(asked, passages), exact.read(asked, passages), strict=True):
            pairs = [*zip(mine.sentence_scores, theirs.sentence_scores, strict=True)]
            pairs.append((mine.answerable, theirs.answerable))
            differences += [abs(_log_odds(a) - _log_odds(b)) for a, b in pairs]
    assert max(differences) < 1.0
    assert 0 < np.mean(differences) < 0.2


def _log_odds(probability: float) -> float:
    p = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(p / (1 - p))


def test_a_reader_whose_ranges_nobody_measured_computes_in_32_bits(tmp_path: Path) -> None:
    for name in ("model.safetensors", "tokenizer.json"):
        (tmp_path / name).symlink_to(WEIGHTS / name)
    config = (WEIGHTS / "config.json").read_text(encoding="utf-8").rstrip().removesuffix("}")
    (tmp_path / "config.json").write_text(f'{config}, "sha256": "{WEIGHTS_SHA256}"}}', encoding="utf-8")
    passage = [ReaderInput(context="Ferry", sentences=tuple(FERRY))]
    own = EvidenceReader.load(tmp_path, precision="int8").read("When?", passage)
    assert own == EvidenceReader.load(precision="float32").read("When?", passage)
    assert own != EvidenceReader.load(precision="int8").read("When?", passage)


@pytest.mark.parametrize("ranges", [RANGES, READER_RANGES])
def test_the_shipped_ranges_are_of_the_shipped_weights(ranges: Path) -> None:
    """They are measured by ``python -m eval.training.ranges``."""
    weights = (bundled_model_path() if ranges == RANGES else WEIGHTS) / "model.safetensors"
    with safe_open(ranges, framework="numpy") as stored:
        assert stored.metadata() == {"weights": hashlib.sha256(weights.read_bytes()).hexdigest()}


def test_codes_times_steps_give_the_weights_back() -> None:
    weights = read_weights(bundled_model_path() / "model.safetensors")
    ranges = load_ranges(RANGES)
    made = convert(weights, ranges)
    up = made["layers.0.up.codes"].astype(np.float32) * made["layers.0.up.steps"]
    exact = weights["layers.0.up.weight"] * ranges["layers.0.up.spread"][:, None]
    assert (np.abs(up - exact) <= made["layers.0.up.steps"] / 2 * 1.001).all()
    outliers = made["layers.0.down.outliers"]
    assert (made["layers.0.down.codes"][outliers] == 0).all()
    assert (made["layers.0.down.apart"] == weights["layers.0.down.weight"][outliers]).all()
    # Values are divided by what the matrix after them is multiplied by: the product stays.
    value = made["layers.0.value.codes"].astype(np.float32) * made["layers.0.value.steps"]
    value /= ranges["layers.0.qkv.spread"][:, None]
    out = made["layers.0.out.codes"].astype(np.float32) * made["layers.0.out.steps"]
    product = weights["layers.0.qkv.weight"][:, -384:] @ weights["layers.0.out.weight"]
    assert np.linalg.norm(value @ out - product) < 0.02 * np.linalg.norm(product)


def test_ranges_take_in_all_that_was_seen_but_the_widest_inputs() -> None:
    chance = np.random.default_rng(0)
    narrow, wide = chance.uniform(-1, 2, (50, 100)), chance.uniform(-90, 60, (50, OUTLIERS))
    weights = {"layers.0.down.weight": chance.normal(size=(132, 8)), "layers.0.up.weight": chance.normal(size=(100, 8))}
    found = measure(weights, {"layers.0.down": np.hstack([narrow, wide]), "layers.0.up": narrow})
    assert found["layers.0.down.outliers"].tolist() == list(range(100, 132))
    assert found["layers.0.down.low"] == pytest.approx(narrow.min())
    assert found["layers.0.down.high"] == pytest.approx(narrow.max())
    evened = narrow / found["layers.0.up.spread"]
    assert found["layers.0.up.high"] == pytest.approx(evened.max())
    assert np.log(found["layers.0.up.spread"]).mean() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("flags\t\t: fpu avx2 avx512f avx512_vnni sse", True),
        ("flags : avx2 avx_vnni", True),
        ("flags : fpu avx2 avx512f avx512_vbmi2", False),
        ("Features : fp asimd avx512_vnni", False),
    ],
)
def test_eight_bits_are_taken_where_the_processor_multiplies_them_fast(
    monkeypatch: pytest.MonkeyPatch, flags: str, fast: bool
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: f"processor : 0\n{flags}\n")
    eight_bits.pays.cache_clear()
    try:
        assert eight_bits.pays() is fast
        assert wanted("auto") is fast
        assert wanted("int8")
        assert not wanted("float32")
    finally:
        eight_bits.pays.cache_clear()


def test_without_a_list_of_what_the_processor_can_it_computes_in_32_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    eight_bits.pays.cache_clear()
    try:
        assert not eight_bits.pays()
    finally:
        eight_bits.pays.cache_clear()


def test_lost_ranges_are_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"lost\.safetensors cannot be read .*reinstall"):
        load_ranges(tmp_path / "lost.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(ModelUnavailable, match="reinstall"):
        load_ranges(tmp_path / "bad.safetensors")
