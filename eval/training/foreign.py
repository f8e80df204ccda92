"""Fits the decision on questions that are not in English (``multilingual`` in ``app/answering/calibration.json``).

    python -m eval.training.foreign --public ../shared/data [--write]

The English paragraphs of every second article of XQuAD are indexed with the packaged multilingual encoder; questions on
them in Russian, Arabic, Turkish and German are searched and read by meaning. Each is asked twice: as it is, and with its
paragraph taken out of the hits, when nothing answers it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from app.answering.features import REGISTRY, Seen, measured
from app.evidence.gather import SimilarityReader, gather
from app.question.analysis import analyse
from eval.training.calibrate import HERE, TODAY, key_of
from eval.training.homes import Text, home_of
from eval.training.logistic import fit
from index.embed import Progress, Vectors
from index.multilingual_encoder import MultilingualEncoder

LANGUAGES = ("ru", "ar", "tr", "de")
FITTED = ("similarity", "lead")
"""Beside these two the cosine of the passage came out with the wrong sign."""
DEPTH = 8


class Remembering(MultilingualEncoder):
    """Encodes every text once."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, Vectors] = {}

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """As in use."""
        new = [t for t in dict.fromkeys(texts) if t not in self._known]
        self._known |= dict(zip(new, super().encode(new, progress=progress), strict=True))
        return np.stack([self._known[t] for t in texts]) if texts else super().encode(texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--public", type=Path, required=True, help="folder of the public sets, with xquad in it")
    parser.add_argument("--limit", type=int, default=45, help="questions in each language, drawn with a fixed seed")
    parser.add_argument("--abstain", type=float, default=0.85, help="share of questions without an answer to abstain on")
    parser.add_argument("--write", action="store_true", help="write app/answering/calibration.json")
    options = parser.parse_args()
    sets = {
        code: json.loads((options.public / "xquad" / f"xquad.{code}.json").read_text(encoding="utf-8"))["data"][::2]
        for code in ("en", *LANGUAGES)
    }
    gold = {q["id"]: (p["context"], q["answers"][0]["text"]) for a in sets["en"] for p in a["paragraphs"] for q in p["qas"]}
    values, truth, first = [], [], []
    encoder = Remembering()
    texts = (Text(id=a["title"], title=a["title"], paragraphs=[p["context"] for p in a["paragraphs"]]) for a in sets["en"])
    with home_of(texts, encoder) as home:
        opened = home.index.current()
        assert opened is not None
        reader = SimilarityReader(encoder)
        for code in LANGUAGES:
            questions = [q for a in sets[code] for p in a["paragraphs"] for q in p["qas"]]
            random.Random(0).shuffle(questions)
            right = []
            for question in questions[: options.limit]:
                paragraph, answer = (key_of(text) for text in gold[question["id"]])
                hits = opened.search(question["question"], DEPTH + 2)
                away = [h for h in hits if key_of(h.passage.text) not in paragraph]
                for there, kept in ((True, hits[:DEPTH]), (False, away[:DEPTH])):
                    evidence = gather(question["question"], kept, reader, encoder, opened.vocabulary)
                    found = [key_of(e.hit.passage.text) in paragraph and answer in key_of(e.text) for e in evidence[:3]]
                    if there:
                        right.append(found[:1] == [True])
                        if not any(found):
                            continue  # neither label is true of it
                    looked = Seen(question=analyse(question["question"], opened.vocabulary, TODAY), evidence=evidence, missing=(), vocabulary=opened.vocabulary)
                    values.append([measured(looked)[name] for name in FITTED])
                    truth.append(any(found))
            first += right
            print(f"{code}: right sentence first {np.mean(right):.3f} of {len(right)}", flush=True)
    x, y = np.array(values), np.array(truth, dtype=int)
    signs = {f.name: f.sign for f in REGISTRY}

    def fitted_on(rows: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
        balance = np.where(y[rows] == 1, 1 / max(1, y[rows].sum()), 1 / max(1, (y[rows] == 0).sum()))
        return fit(x[rows], y[rows].astype(float), signs=[signs[n] for n in FITTED], weights=balance)

    held = np.zeros(len(y))
    for part in range(5):
        away = np.arange(len(y)) % 5 == part
        weights, bias = fitted_on(~away)
        held[away] = 1 / (1 + np.exp(-(x[away] @ weights + bias)))
    weights, bias = fitted_on(np.ones(len(y), dtype=bool))
    threshold = round(float(np.quantile(held[y == 0], options.abstain)), 3)
    worth = (
        f"{len(y)} questions of xquad in {', '.join(LANGUAGES)} over English paragraphs: AUC {roc_auc_score(y, held):.2f}; at the "
        f"threshold {np.mean(held[y == 0] < threshold):.2f} abstain without the paragraph, {np.mean(held[y == 1] < threshold):.2f} with it; "
        f"right sentence first {np.mean(first):.2f}"
    )
    fitted = {
        "weights": {n: round(float(w), 4) for n, w in zip(FITTED, weights, strict=True)},
        "bias": round(bias, 4),
        "threshold": threshold,
        "fitted_on": worth,
    }
    print(json.dumps(fitted, indent=2))
    if options.write:
        file = HERE.parent.parent / "app" / "answering" / "calibration.json"
        known = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**known, "multilingual": fitted}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
