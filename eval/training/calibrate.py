"""Fits the decision to answer (``app/answering/calibration.json``) on held-out questions, through the real pipeline.

python -m eval.training.calibrate --public ../shared/data [--write]

Each set is indexed as a user would index it; every held-out question is searched, read and reduced to
the features of ``app.answering.decide``. A question counts as answered when a gold sentence is among the three
best; answerable questions whose gold was not found are left out of the fit, since neither label is true
of them. For each answerable question there is also a near-miss: the same with its gold passages taken
out of the hits.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from app.answering.decide import features
from app.evidence.cross_encoder import PREFIX, CrossEncoderReader
from app.evidence.gather import PassageReader, SimilarityReader, gather
from app.home import Home
from eval.training.sets import Collection, Question, load_all
from index.search import OpenIndex
from ingest.blocks import Block, Extract, Metadata, assemble

HERE = Path(__file__).parent
DEPTH = 8
FITTED = ("passage", "similarity", "hit", "missing")
"""More features (best sentence, margin, overlap, names that no source mentions, expected kind, keyword style) change
the AUC of single sets by up to .01 in either direction and lower it on our own near-misses; so they are left out."""
C = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question through the pipeline.

    Attributes:
        answerable: whether a passage that answers was there.
        missing: topic terms that no source mentions.
        leading: the best sentences, each with score, passage score, cosine of sentence and of passage, whether
            it is gold, and text.
        first, found: whether a gold sentence came first, or among the first three.
    """

    source: str
    kind: str
    text: str
    answerable: bool
    first: bool
    found: bool
    values: dict[str, float]
    best: str
    missing: list[str]
    leading: list[tuple[float, float, float, float, bool, str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--own", type=Path, default=HERE / "data")
    parser.add_argument("--write", action="store_true", help="write app/answering/calibration.json")
    parser.add_argument("--reader", default="evidence", help="evidence, similarity or cross-encoder:FOLDER")
    parser.add_argument("--false-abstention", type=float, default=0.08, help="share of answerable questions to lose")
    parser.add_argument("--threshold", type=float, help="instead of the one that loses that share")
    parser.add_argument("--limit", type=int, default=10_000, help="questions of each set, drawn with a fixed seed")
    parser.add_argument("--dump", type=Path, help="write the rows as JSON lines")
    options = parser.parse_args()
    collection = load_all(options.public, options.own)
    rows: list[Row] = []
    for source in ("own", "clapnq", "xquad", "selqa"):
        rows += list(_rows(collection, source, options.reader, options.limit))
        _tell(source, [r for r in rows if r.source == source])
    if options.dump:
        options.dump.write_text("".join(json.dumps({n: getattr(r, n) for n in Row.__slots__}) + "\n" for r in rows))
    fitted = fit(rows, options.false_abstention)
    if options.threshold is not None:
        fitted["threshold"] = options.threshold
    print(json.dumps(fitted, indent=2))
    if options.write:
        file = HERE.parent.parent / "app" / "answering" / "calibration.json"
        known = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**known, options.reader.partition(":")[0]: fitted}, indent=2) + "\n", encoding="utf-8")


def fit(rows: Sequence[Row], false_abstention: float) -> dict[str, object]:
    """Weights, bias and the threshold that loses the given share of answerable questions.

    The threshold is set on cross-validated probabilities. Every set weighs the same, and so do
    answerable and unanswerable questions within it.
    """
    used = [r for r in rows if r.found or not r.answerable]
    x = np.array([[r.values[name] for name in FITTED] for r in used])
    y = np.array([r.answerable for r in used], dtype=int)
    groups: dict[tuple[str, bool], int] = defaultdict(int)
    for r in used:
        groups[r.source, r.answerable] += 1
    weights = np.array([1.0 / groups[r.source, r.answerable] for r in used]) * len(used) / len(groups)
    model = LogisticRegression(C=C, max_iter=2000)
    held = cross_val_predict(model, x, y, cv=5, method="predict_proba", params={"sample_weight": weights})[:, 1]
    by_source: dict[str, list[int]] = defaultdict(list)
    for i, r in enumerate(used):
        by_source[r.source].append(i)
    limits = [np.quantile([held[i] for i in own if y[i]], false_abstention) for own in by_source.values()]
    threshold = round(float(np.median(limits)), 3)
    for source, own in by_source.items():
        p, truth = held[own], y[own]
        print(
            f"{source:8} n={len(own):5}  AUC {roc_auc_score(truth, p):.3f}  at {threshold}: abstention recall "
            f"{(p[truth == 0] < threshold).mean():.3f}, false abstention {(p[truth == 1] < threshold).mean():.3f}"
        )
    model.fit(x, y, sample_weight=weights)
    return {
        "weights": {name: round(float(w), 4) for name, w in zip(FITTED, model.coef_[0], strict=True)},
        "bias": round(float(model.intercept_[0]), 4),
        "threshold": threshold,
        "fitted_on": f"{len(used)} held-out questions of {', '.join(sorted(by_source))}",
    }


def _rows(collection: Collection, source: str, reader: str, limit: int) -> Iterator[Row]:
    questions = [q for q in collection.questions if q.source == source and q.mode == "answer" and q.held_out]
    random.Random(0).shuffle(questions)
    with indexed_home(collection, source, questions) as home:
        opened = home.index.current()
        assert opened is not None
        scorer = _reader(home, reader)
        for question in questions[:limit]:
            yield from _of_question(collection, question, opened, home, scorer)


@contextmanager
def indexed_home(collection: Collection, source: str, questions: Sequence[Question]) -> Iterator[Home]:
    """A temporary home with the articles of the questions; for CLAP NQ with all its passages."""
    articles = {collection.passages[i].article for q in questions for i in (*q.gold, *q.near)}
    if source == "clapnq":
        articles = {p.article for p in collection.passages if p.article.startswith("clapnq:")}
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.init(empty=True)
        for article in sorted(articles):
            own = [p for p in collection.passages if p.article == article]
            blocks = tuple(Block(text=p.text) for p in own)
            made = assemble(article, Extract(blocks=blocks, metadata=Metadata(title=own[0].title or None)))
            home.library.put(made, raw_digest=article)
        home.sync()
        yield home
        home.close()


def _reader(home: Home, kind: str) -> PassageReader:
    if kind.startswith(PREFIX):
        return CrossEncoderReader(kind.removeprefix(PREFIX))
    return SimilarityReader(home.encoder) if kind == "similarity" else home.reader


def _of_question(
    collection: Collection, question: Question, opened: OpenIndex, home: Home, reader: PassageReader
) -> Iterator[Row]:
    terms = opened.vocabulary.content_terms(question.text)
    frequency = opened.document_frequency(terms)
    missing = [t for t in terms if not frequency[t]]
    # Where the gold passages are taken away, what they alone mention is mentioned nowhere.
    gold_stems = [set(opened.vocabulary.stems(collection.passages[i].text)) for i in question.gold]
    alone = [t for t in terms if frequency[t] <= sum(set(opened.vocabulary.stems(t)) <= own for own in gold_stems)]
    gold_texts = {key_of(collection.passages[i].text) for i in question.gold}
    gold = {key_of(collection.passages[i].sentences[s]) for i, chosen in question.gold.items() for s in chosen}
    hits = opened.search(question.text, DEPTH + len(gold_texts))
    variants = [(bool(gold), hits[:DEPTH])]
    if gold:
        variants.append((False, [h for h in hits if not any(key_of(h.passage.text) in t for t in gold_texts)][:DEPTH]))
    for answerable, kept in variants:
        known = missing if answerable == bool(gold) else alone
        evidence = gather(question.text, kept, reader, home.encoder, opened.vocabulary)
        best = [_gold(e.text, gold) for e in evidence[:3]]
        yield Row(
            source=question.source,
            kind=question.kind if answerable == bool(gold) else "gold removed",
            text=question.text,
            answerable=answerable,
            first=answerable and best[:1] == [True],
            found=answerable and any(best),
            values=features(evidence, known, len(terms)),
            best=evidence[0].text if evidence else "",
            missing=known,
            leading=[
                (e.score, e.passage_score, e.similarity, e.hit.similarity, answerable and _gold(e.text, gold), e.text)
                for e in evidence[:15]
            ],
        )


def _gold(text: str, gold: Iterable[str]) -> bool:
    return any(holds(key_of(text), g) for g in gold)


def holds(one: str, other: str) -> bool:
    """Whether two keys are of the same sentence, cut a little differently perhaps."""
    return one in other or other in one


def key_of(text: str) -> str:
    """A text without what tokenisers change: letters and digits only, lower case."""
    return re.sub(r"\W+", "", text.lower())


def _tell(source: str, rows: Sequence[Row]) -> None:
    there = [r for r in rows if r.answerable]
    truth = [r.answerable for r in rows]
    best = [r.values["passage"] for r in rows]
    print(
        f"{source:8} answerable {len(there)}, not {len(rows) - len(there)}: sentence P@1 "
        f"{np.mean([r.first for r in there]):.3f}, in three {np.mean([r.found for r in there]):.3f}, "
        f"AUC of the best passage score alone {roc_auc_score(truth, best):.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
