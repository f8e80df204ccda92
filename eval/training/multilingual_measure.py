"""Measures the multilingual reader on what was held out, beside choosing by cosine: JSON and a table.

    python -m eval.training.multilingual_measure --public ../shared/data [--weights FILE] [--json OUT]

Each question is read with its own passage and others of the same article; of those of PQuAD that nothing answers their own passage is
among them. The threshold of "no answer" is taken from half of the questions and measured on the other half.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from app.evidence.gather import PassageReader, ReadPassage, SimilarityReader
from app.evidence.multilingual import WEIGHTS, MultilingualReader
from eval.training.multilingual_reader import load_sets
from eval.training.sets import Collection, Question
from eval.training.train import HERE
from index.multilingual_encoder import MultilingualEncoder

OTHERS = 4
"""Passages of the same article that are read beside a question's own."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--limit", type=int, default=50, help="questions of each pair of languages, drawn with a fixed seed")
    parser.add_argument("--pquad", type=int, default=300, help="questions of PQuAD")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    collection = load_sets(options.public, HERE / "data", random.Random(1))
    groups: dict[str, list[Question]] = defaultdict(list)
    for question in collection.questions:
        if question.held_out:
            groups[_group(question)].append(question)
    encoder = MultilingualEncoder()
    readers: dict[str, PassageReader] = {"reader": MultilingualReader(encoder, options.weights), "cosine": SimilarityReader(encoder)}
    found: dict[str, dict[str, dict[str, float]]] = {}
    for group, questions in sorted(groups.items()):
        random.Random(0).shuffle(questions)
        asked = questions[: options.pquad if group.startswith("pquad") else options.limit]
        found[group] = {name: measured(collection, asked, reader) for name, reader in readers.items()}
        print(f"{group:10} {len(asked):4}", json.dumps(found[group]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _group(question: Question) -> str:
    """Pairs of XQuAD by what they ask: own language, English passages, English questions, others."""
    if question.source != "xquad":
        return question.source
    asked, _, within = question.kind.partition("-")
    if asked == within:
        return f"xquad {asked}"
    return f"xquad {asked}-en" if within == "en" else "xquad en-xx" if asked == "en" else "xquad xx-yy"


def measured(collection: Collection, questions: Sequence[Question], reader: PassageReader) -> dict[str, float]:
    """First sentence right, AUC of the passage's score, and F1 of finding that there is no answer in a question's own passage."""
    right, scores, labels = [], [], []
    own_scores, own_labels = [], []
    for question in questions:
        at = [*list(question.gold)[:1], *question.near[:OTHERS]]
        readings = reader.score(question.text, [_passage(collection, i) for i in at])
        every = [(s, i, k) for i, r in zip(at, readings, strict=True) for k, s in enumerate(r.sentences)]
        if question.gold:
            _, i, k = max(every)
            right.append(k in question.gold.get(i, ()))
        for n, (i, reading) in enumerate(zip(at, readings, strict=True)):
            scores.append(reading.passage)
            labels.append(i in question.gold)
            if n == 0:
                own_scores.append(scores[-1])
                own_labels.append(bool(question.gold))
    result = {"right": float(np.mean(right)), "auc": float(roc_auc_score(labels, scores))}
    if not all(own_labels):
        result |= _no_answer(np.array(own_scores), np.array(own_labels))
    return {name: round(value, 3) for name, value in result.items()}


def _no_answer(scores: NDArray[np.float64], answered: NDArray[np.bool_]) -> dict[str, float]:
    """Of a question's own passage: AUC, and F1 of "no answer" at the threshold that is best on the other half."""
    fit = np.arange(len(scores)) % 2 == 0
    threshold = max(scores[fit], key=lambda t: _f1(scores[fit] < t, ~answered[fit]))
    said = scores[~fit] < threshold
    return {
        "own_auc": float(roc_auc_score(answered, scores)),
        "no_answer_f1": _f1(said, ~answered[~fit]),
        "no_answer_found": float(said[~answered[~fit]].mean()),
        "answer_kept": float((~said)[answered[~fit]].mean()),
    }


def _f1(said: NDArray[np.bool_], true: NDArray[np.bool_]) -> float:
    both = float((said & true).sum())
    return 2 * both / max(1.0, float(said.sum() + true.sum()))


def _passage(collection: Collection, at: int) -> ReadPassage:
    passage = collection.passages[at]
    return ReadPassage(context=passage.title, sentences=passage.sentences)


if __name__ == "__main__":
    main()
