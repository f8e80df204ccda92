"""The ablation of evidence finding on a small public-like set, with the real reader and index."""

import json
from pathlib import Path

import pytest

from eval.bench import evidence
from eval.errors import EvalError


def test_a_folder_without_the_sets_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvalError, match="does not hold the public sets"):
        evidence.run(tmp_path)


def test_sentence_f1_is_that_of_the_hand_worked_example() -> None:
    class Item:
        def __init__(self, text: str) -> None:
            self.text = text

    chosen = [Item("The bridge opened in 1974."), Item("It is red.")]
    gold = ["thebridgeopenedin1974", "itspanstheriver", "itcosttenmillion"]
    # one of two chosen is right, one of three gold sentences is met: 2 · (1/2 · 1/3) / (1/2 + 1/3)
    assert evidence._f1(chosen, gold) == pytest.approx(0.4)
    assert evidence._f1(chosen[1:], gold) == 0.0


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """Files of the form of the public sets: enough held-out CLAP NQ items for five folds, nothing else."""
    subjects = ["bridge", "tunnel", "harbour", "library", "museum", "station", "market", "theatre", "stadium", "school"]
    for name in ("xquad", "selqa", "clapnq", "chunking_evaluation/corpora"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "xquad" / "xquad.en.json").write_text('{"data": []}')
    for name in ("dev.json", "test.json"):
        (tmp_path / "selqa" / name).write_text("[]")
    (tmp_path / "chunking_evaluation" / "questions_df.csv").write_text("question,references,corpus_id\n")
    for corpus in evidence_corpora():
        (tmp_path / "chunking_evaluation" / "corpora" / f"{corpus}.md").write_text("Nothing.")
    answerable, unanswerable = [], []
    for i in range(20):
        subject = subjects[i % 10]
        sentences = [f"The {subject} of town {i} was opened in {1900 + i} .", "Many people came to see it ."]
        passage = {"title": f"The {subject} of town {i}", "sentences": sentences, "text": " ".join(sentences)}
        output = [{"answer": sentences[0], "selected_sentences": sentences[:1]}]
        question = f"when was the {subject} of town {i} opened"
        answerable.append({"id": str(i), "input": question, "passages": [passage], "output": output})
        far = {"title": f"Mayor {i}", "sentences": [f"Mayor {i} likes tea .", "He sleeps late ."], "text": "…"}
        unanswerable.append({"id": f"u{i}", "input": f"how tall is the {subject}", "passages": [far], "output": []})
    for name, rows in (("answerable", answerable), ("unanswerable", unanswerable)):
        (tmp_path / "clapnq" / f"{name}.jsonl").write_text("\n".join(json.dumps(r) for r in rows) + "\n")
    return tmp_path


def evidence_corpora() -> tuple[str, ...]:
    from eval.training.sets import CHUNKING_CORPORA

    return CHUNKING_CORPORA


@pytest.mark.slow
def test_every_variant_is_scored_and_the_reader_shows(public: Path) -> None:
    scores = evidence.run(public, sets=["clapnq"], variants=evidence.VARIANTS[:2])
    whole, without_reader = scores
    assert (whole.answerable, whole.unanswerable) == (10, 20)  # ten with their gold taken away, ten by themselves
    assert whole.hit_rate == 1.0 and whole.precision_at_1 >= 0.9
    assert whole.abstention_recall is not None and without_reader.abstention_recall is None
    assert whole.auc >= 0.8
    table = evidence.as_table(scores)
    assert "no evidence reader" in table and table.count("\n") == 3


def test_an_unknown_set_is_told(public: Path) -> None:
    with pytest.raises(EvalError, match="no held-out questions of 'squad'"):
        evidence.run(public, sets=["squad"])
