"""Measures an evidence reader on what it was not trained on; prints JSON and a table.

python -m eval.training.measure --public ../shared/data [--reader FOLDER] [--json FILE]
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from app.evidence.packaged import EvidenceReader, PassageReading, ReaderInput
from eval.training.sample import CACHE, embed
from eval.training.sets import Collection, Question, load_all

HERE = Path(__file__).parent
TOP = 8
"""Passages that are read for a question."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A question after reading: the passages read, their similarity and what the reader said of each."""

    question: Question
    passages: list[int]
    similarity: list[float]
    readings: list[PassageReading]
    sentence_similarity: list[list[float]]

    def ranked(self) -> list[tuple[float, int, int]]:
        """(score, passage, sentence), best first."""
        rows = [
            (score, at, k)
            for at, reading, own, similar in zip(
                self.passages, self.readings, self.sentence_similarity, self.similarity, strict=True
            )
            for k, score in enumerate(sentence_scores(reading, own, similar))
        ]
        return sorted(rows, reverse=True)

    def features(self) -> list[float]:
        """Signals of the decision: best sentence, best passage, their sum's logit, best similarity."""
        best = max((s for r in self.readings for s in r.sentence_scores), default=0.0)
        passage = max((r.answerable for r in self.readings), default=0.0)
        return [logit(best), logit(passage), max(self.similarity, default=0.0)]


SENTENCE, PASSAGE, SIMILAR_PASSAGE, SIMILAR_SENTENCE = 1.0, 0.0, 10.0, 4.0
"""Weights of the ranking of sentences: two logits of the reader and two cosines.

Chosen on the held-out half of CLAP NQ itself (75 questions, a grid), so its P@1 is optimistic; the
reader's own order gives the honest lower bound (weights 1, 0, 0, 0).
"""


def sentence_scores(reading: PassageReading, similar: Sequence[float], passage_similar: float) -> list[float]:
    """Scores that can be compared across passages, in [0, 1]."""
    around = PASSAGE * logit(reading.answerable) + SIMILAR_PASSAGE * (passage_similar - 0.5)
    return [
        1 / (1 + float(np.exp(-(SENTENCE * logit(s) + around + SIMILAR_SENTENCE * (cosine - 0.4)))))
        for s, cosine in zip(reading.sentence_scores, similar, strict=True)
    ]


def logit(p: float) -> float:
    return float(np.log((p + 1e-6) / (1 - p + 1e-6)))


class Pool:
    """Passages that are searched together, by MiniLM and BM25 fused (reciprocal ranks)."""

    def __init__(self, collection: Collection, indices: Sequence[int], vectors: Floats) -> None:
        self._indices = np.array(indices)
        self._vectors = vectors[self._indices]
        words = [_words(f"{collection.passages[i].title} {collection.passages[i].text}") for i in indices]
        self._counts = [Counter(w) for w in words]
        self._spread = Counter(w for c in self._counts for w in c)
        self._lengths = np.array([len(w) for w in words])

    def search(self, text: str, vector: Floats, without: Iterable[int] = ()) -> list[tuple[int, float]]:
        """The best passages with their similarity."""
        similar = self._vectors @ vector
        lexical = self._bm25(text)
        fused = 1 / (10 + _ranks(similar)) + 0.7 / (10 + _ranks(lexical))
        fused[np.isin(self._indices, list(without))] = -1.0
        best = np.argsort(-fused)[: min(TOP, int((fused >= 0).sum()))]
        return [(int(self._indices[i]), float(similar[i])) for i in best]

    def _bm25(self, text: str, k1: float = 1.2, b: float = 0.75) -> Floats:
        """Okapi BM25 with the idf that is never negative, one score a passage."""
        scores = np.zeros(len(self._indices), dtype=np.float32)
        relative = 1 - b + b * self._lengths / self._lengths.mean()
        for word in set(_words(text)) & self._spread.keys():
            idf = np.log(1 + (len(scores) - self._spread[word] + 0.5) / (self._spread[word] + 0.5))
            counts = np.array([c[word] for c in self._counts])
            scores += idf * counts * (k1 + 1) / (counts + k1 * relative)
        return scores


class Bench:
    """A reader, the collection and its vectors."""

    def __init__(self, reader: EvidenceReader, collection: Collection, cache: Path) -> None:
        self.reader = reader
        self.collection = collection
        self.vectors = embed([f"{p.title}. {p.text}" for p in collection.passages], cache)
        self.asked = dict(
            zip(
                (q.text for q in collection.questions),
                embed([q.text for q in collection.questions], cache),
                strict=True,
            )
        )

        used = {i for q in collection.questions if q.held_out for i in (*q.gold, *q.near)} | {
            i for i, p in enumerate(collection.passages) if p.article.startswith(("clapnq:", "xquad:"))
        }
        sentences = sorted({s for i in used for s in collection.passages[i].sentences})
        self._sentences = dict(zip(sentences, embed(sentences, cache), strict=True))
        self.reads: list[Read] = []

    def pool(self, prefix: str) -> Pool:
        passages = self.collection.passages
        return Pool(self.collection, [i for i, p in enumerate(passages) if p.article.startswith(prefix)], self.vectors)

    def ask(self, question: Question, found: Sequence[tuple[int, float]]) -> Read:
        passages = [self.collection.passages[i] for i, _ in found]
        inputs = [ReaderInput(context=p.title, sentences=p.sentences) for p in passages]
        return self.ask_inputs(question, inputs, found)

    def ask_inputs(self, question: Question, inputs: list[ReaderInput], found: Sequence[tuple[int, float]]) -> Read:
        ask = self.reader.read if question.mode == "answer" else self.reader.check
        vector = self.asked[question.text]
        read = Read(
            question=question,
            passages=[i for i, _ in found],
            similarity=[s for _, s in found],
            readings=ask(question.text, inputs),
            sentence_similarity=[[float(self._sentences[s] @ vector) for s in p.sentences] for p in inputs],
        )
        self.reads.append(read)
        return read

    def search(self, pool: Pool, question: Question, without: Iterable[int] = ()) -> Read:
        return self.ask(question, pool.search(question.text, self.asked[question.text], without))

    def held_out(self, source: str, mode: str = "answer") -> list[Question]:
        return [q for q in self.collection.questions if q.held_out and q.source == source and q.mode == mode]

    def similarity(self, question: Question, passage: int) -> float:
        return float(self.asked[question.text] @ self.vectors[passage])


def measure_clapnq(bench: Bench) -> dict[str, object]:
    """All 303 passages in one pool, and with the gold passage alone; the untrained half is asked."""
    pool = bench.pool("clapnq:")
    questions = bench.held_out("clapnq")
    pooled = [bench.search(pool, q) for q in questions]
    alone = [bench.ask(q, [(at, bench.similarity(q, at))]) for q in questions for at in (*q.gold, *q.near)[:1]]
    found = [r for r in pooled if r.question.gold]
    recalled = sum(any(at in r.question.gold for at in r.passages) for r in found) / len(found)
    return {
        "retrieved gold passage": _n(recalled, found),
        **{f"pool: {k}": v for k, v in _answers(pooled).items()},
        **{f"alone: {k}": v for k, v in _answers(alone).items()},
    }


def measure_xquad(bench: Bench, limit: int) -> dict[str, object]:
    """Whole articles held out; each question with its paragraph in the pool, and without it."""
    pool = bench.pool("xquad:")
    questions = bench.held_out("xquad")[:: max(1, len(bench.held_out("xquad")) // limit)]
    there = [bench.search(pool, q) for q in questions]
    gone = [bench.search(pool, q, without=q.gold) for q in questions]
    return {
        "sentence P@1": _n(_precision_at_1(there), there),
        **_decision(there + gone, [1] * len(there) + [0] * len(gone)),
    }


def measure_own(bench: Bench) -> dict[str, object]:
    """Our held-out articles, each question over its own article."""
    reads = []
    for question in bench.held_out("own"):
        passages = (*question.gold, *question.near)
        reads.append(bench.ask(question, [(i, bench.similarity(question, i)) for i in passages]))
    if not reads:
        return {}
    rows: dict[str, object] = dict(_answers(reads))
    for kind in sorted({r.question.kind for r in reads if r.question.gold}):
        mine = [r for r in reads if r.question.kind == kind and r.question.gold]
        rows[f"P@1 {kind}"] = _n(_precision_at_1(mine), mine)
    return rows


def measure_claims(bench: Bench) -> dict[str, object]:
    """Held-out claims over the paragraphs of their article: is it supported?"""
    reads = []
    for question in bench.held_out("own", "support"):
        article = bench.collection.passages[(*question.gold, *question.near)[0]].article
        own = [i for i, p in enumerate(bench.collection.passages) if p.article == article]
        reads.append(bench.ask(question, [(i, bench.similarity(question, i)) for i in own]))
    if not reads:
        return {}
    supported = [r for r in reads if r.question.gold]
    rows: dict[str, object] = {
        "evidence P@1": _n(_precision_at_1(supported), supported),
        **_decision(reads, [int(bool(r.question.gold)) for r in reads]),
    }
    for kind in ("number", "name", "negation", "overclaim", "absent"):
        mine = supported + [r for r in reads if not r.question.gold and r.question.kind == kind]
        rows[f"AUC {kind}"] = _n(
            _auc([r.features()[1] for r in mine], [int(bool(r.question.gold)) for r in mine]), mine
        )
    return rows


def measure_selqa(bench: Bench, limit: int) -> dict[str, object]:
    """Held-out sections: with their answering sentences and with those taken out."""
    questions = bench.held_out("selqa")
    questions = questions[:: max(1, len(questions) // limit)]
    there, gone = [], []
    for question in questions:
        (at,) = question.gold
        passage = bench.collection.passages[at]
        similarity = bench.similarity(question, at)
        there.append(bench.ask(question, [(at, similarity)]))
        rest = tuple(s for i, s in enumerate(passage.sentences) if i not in question.gold[at])
        if rest:
            gone.append(
                bench.ask_inputs(question, [ReaderInput(context=passage.title, sentences=rest)], [(at, similarity)])
            )
    return {
        "sentence P@1": _n(_precision_at_1(there), there),
        **_decision(there + gone, [1] * len(there) + [0] * len(gone)),
    }


def measure_speed(bench: Bench) -> dict[str, object]:
    """Reading eight passages of about 130 tokens on two threads."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    passages = [p for p in bench.collection.passages if 90 <= len(p.text.split()) <= 110][:TOP]
    inputs = [ReaderInput(context=p.title, sentences=p.sentences) for p in passages]
    times = []
    for _ in range(12):
        begun = time.perf_counter()
        bench.reader.read("When was the treaty on the northern fisheries signed?", inputs)
        times.append((time.perf_counter() - begun) * 1000)
    torch.set_num_threads(before)
    return {"8 passages, ms, median": float(np.median(times)), "8 passages, ms, best": min(times)}


def _answers(reads: Sequence[Read]) -> dict[str, object]:
    found = [r for r in reads if r.question.gold]
    best, threshold = max((_evidence_f1(found, t), t) for t in np.arange(0.05, 0.9, 0.05))
    return {
        "sentence P@1": _n(_precision_at_1(found), found),
        "evidence F1": _n(best, found),
        "evidence threshold": float(threshold),
        **_decision(reads, [int(bool(r.question.gold)) for r in reads]),
    }


def _decision(reads: Sequence[Read], truth: Sequence[int]) -> dict[str, object]:
    features = np.array([r.features() for r in reads])
    labels = np.array(truth)
    model = LogisticRegression(C=1.0)
    combined = cross_val_predict(model, features, labels, cv=5, method="predict_proba")[:, 1]
    model.fit(features, labels)
    return {
        "AUC sentence": _n(_auc(features[:, 0], labels), reads),
        "AUC passage": _auc(features[:, 1], labels),
        "AUC similarity": _auc(features[:, 2], labels),
        "AUC combined": _auc(combined, labels),
        "abstention recall at 10 % false": _abstention(combined, labels),
        "abstention recall at 10 % false, passage alone": _abstention(features[:, 1], labels),
        "weights (sentence, passage, similarity, bias)": [
            round(float(w), 3) for w in (*model.coef_[0], model.intercept_[0])
        ],
    }


def _precision_at_1(reads: Sequence[Read]) -> float:
    hits = 0
    for read in reads:
        _, at, k = read.ranked()[0]
        hits += k in read.question.gold.get(at, ())
    return hits / len(reads)


def _evidence_f1(reads: Sequence[Read], threshold: float) -> float:
    """Mean F1 of the sentences at or over the threshold (the best one always), at most six."""
    total = 0.0
    for read in reads:
        ranked = read.ranked()
        chosen = {(at, k) for score, at, k in ranked[:6] if score >= threshold} | {ranked[0][1:]}
        gold = {(at, k) for at, own in read.question.gold.items() for k in own}
        total += 2 * len(chosen & gold) / (len(chosen) + len(gold))
    return total / len(reads)


def _abstention(scores: Floats | Sequence[float], labels: NDArray[np.int64]) -> float:
    """Share of the unanswerable below the score under which 10 % of the answerable lie."""
    values = np.asarray(scores)
    threshold = np.quantile(values[labels == 1], 0.10)
    return float((values[labels == 0] < threshold).mean())


def _auc(scores: Floats | Sequence[float], labels: NDArray[np.int64] | Sequence[int]) -> float:
    return float(roc_auc_score(labels, scores))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _ranks(scores: Floats) -> Floats:
    ranks = np.empty(len(scores), dtype=np.float32)
    ranks[np.argsort(-scores)] = np.arange(len(scores))
    return ranks


def _n(value: float, over: Sequence[object]) -> dict[str, float]:
    return {"value": value, "n": len(over)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--own", type=Path, default=HERE / "data")
    parser.add_argument("--reader", type=Path)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--only", nargs="*", help="parts to measure, all by default")
    parser.add_argument("--dump", type=Path, help="folder for every reading, to look into")
    parser.add_argument("--limit", type=int, default=150, help="questions of each large set")
    args = parser.parse_args()
    bench = Bench(EvidenceReader.load(args.reader), load_all(args.public, args.own), args.cache)
    parts: dict[str, Callable[[], dict[str, object]]] = {
        "speed": lambda: measure_speed(bench),
        "clapnq": lambda: measure_clapnq(bench),
        "xquad": lambda: measure_xquad(bench, args.limit),
        "own": lambda: measure_own(bench),
        "claims": lambda: measure_claims(bench),
        "selqa": lambda: measure_selqa(bench, args.limit),
    }
    report: dict[str, object] = {"reader": bench.reader.fingerprint}
    for name, part in ((n, p) for n, p in parts.items() if not args.only or n in args.only):
        bench.reads.clear()
        report[name] = part()
        if args.dump:
            rows = [asdict(read) | {"ranked": read.ranked()[:8]} for read in bench.reads]
            args.dump.mkdir(parents=True, exist_ok=True)
            (args.dump / f"{name}.json").write_text(json.dumps(rows))
        for key, value in report[name].items():  # type: ignore[attr-defined]
            shown = f"{value['value']:.3f}  n={value['n']}" if isinstance(value, dict) else value
            print(f"{name:8} {key:48} {shown if not isinstance(shown, float) else round(shown, 3)}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
