"""A cross-encoder of one's own, as a folder on this machine: tiny and untrained, but a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import load_settings
from app.errors import BadSettings, ReaderError
from app.evidence.cross_encoder import CrossEncoderReader
from app.evidence.gather import ReadPassage
from app.evidence.model_reader import ModelReader
from app.home import Home
from index.embed import bundled_model_path

PASSAGES = [
    ReadPassage(
        context="Port Selwick", sentences=("The breakwater was finished in 1874.", "Storms still flood the quay.")
    ),
    ReadPassage(context="", sentences=("It rained.",)),
    ReadPassage(context="Nothing else", sentences=()),
]


def tiny(folder: Path, *, labels: int = 1) -> str:
    """A cross-encoder with two narrow layers and random weights, saved as sentence-transformers reads them."""
    import torch
    from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    shape = BertConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, num_labels=labels
    )
    BertForSequenceClassification(shape).save_pretrained(folder)
    AutoTokenizer.from_pretrained(str(bundled_model_path())).save_pretrained(folder)
    return str(folder)


@pytest.mark.slow
def test_sentences_and_passages_get_the_models_own_scores_in_the_order_given(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder
    from torch.nn import Sigmoid

    folder = tiny(tmp_path / "model")
    first, second, empty = CrossEncoderReader(folder).score("When was it finished?", PASSAGES)
    asked = "When was it finished?"
    expected = CrossEncoder(folder, device="cpu").predict(
        [
            (asked, "Port Selwick. The breakwater was finished in 1874. Storms still flood the quay."),
            (asked, "Port Selwick. The breakwater was finished in 1874."),
            (asked, "Port Selwick. Storms still flood the quay."),
            (asked, "It rained."),
        ],
        activation_fn=Sigmoid(),
    )
    assert [first.passage, *first.sentences, *second.sentences] == pytest.approx(expected.tolist(), abs=1e-5)
    assert second.passage == pytest.approx(second.sentences[0], abs=1e-5)
    assert (empty.sentences, empty.passage) == ((), 0.0)
    assert CrossEncoderReader(folder).score("Who?", []) == []


@pytest.mark.slow
def test_a_home_answers_with_it_and_checks_claims_with_the_packaged_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny(tmp_path / "model")
    monkeypatch.setenv("ISKP_ANSWER_READER", f"cross-encoder:{folder}")
    monkeypatch.setenv("ISKP_ANSWER_THRESHOLD", "0")
    home = Home(tmp_path / "home")
    home.init(empty=True)
    note = tmp_path / "note.md"
    note.write_text(
        "# Port Selwick\n\nThe stone breakwater was finished in 1874 after eleven years.\n", encoding="utf-8"
    )
    assert [o.status for o in home.add([note], {})] == ["added"]
    home.sync()
    assert isinstance(home.reader, CrossEncoderReader)
    assert isinstance(home.checker._reader, ModelReader)
    answer = home.answerer.answer("When was the stone breakwater finished?")
    assert "1874" in answer.answer
    assert answer.prompt_id == f"extractive:cross-encoder:{folder}"
    home.close()


def test_what_is_no_cross_encoder_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="is not on this machine; give the path"):
        CrossEncoderReader("nobody/no-such-model").score("Who?", PASSAGES)
    with pytest.raises(ReaderError, match="gives 3 numbers for a pair"):
        CrossEncoderReader(tiny(tmp_path / "model", labels=3)).score("Who?", PASSAGES)


def test_the_setting_needs_a_model(tmp_path: Path) -> None:
    for wrong in ("cross-encoder:", "cross-encoder: ", "other"):
        with pytest.raises(BadSettings, match=r"answer\.reader"):
            load_settings(tmp_path, {"ISKP_ANSWER_READER": wrong})
