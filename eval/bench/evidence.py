"""Ablation of evidence finding: each part of retrieval, reading and decision switched off in turn.

Measured over what the evidence reader was never trained on (``eval.training.sets`` says what that is): every
held-out question is searched and read by the product's own pipeline, once with its passages and once with its gold passages
taken away, which makes a near-miss. What each feature of the decision is worth ``eval.training.calibrate`` measures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.answering.compose import Limits, select
from app.answering.decide import decide, load_calibrations
from app.answering.engine import AnswerSettings
from app.answering.features import measured
from app.answering.judge import read, seen
from app.answering.retrieve import retrieve
from app.evidence.gather import Evidence, PassageReader, Reading, ReadPassage, SimilarityReader
from app.home import Home
from app.question.analysis import analyse
from eval.errors import EvalError
from eval.training.calibrate import TODAY, gold_of, holds, indexed_home, key_of, variants
from eval.training.sets import Collection, Question, load_all
from index.search import OpenIndex, SearchSettings

OWN = Path(__file__).parent.parent / "training" / "data"
SETS = ("clapnq", "xquad", "selqa", "own")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """The pipeline with one part changed.

    Attributes:
        reader: "evidence" or "similarity".
        meaning: whether cosines count in ranking and decision beside the reader.
        context: whether the reader sees title and headings.
        search: how hits are found.
    """

    name: str
    reader: str = "evidence"
    meaning: bool = True
    context: bool = True
    search: SearchSettings = SearchSettings()


VARIANTS = (
    Variant(name="all parts"),
    Variant(name="no evidence reader", reader="similarity"),
    Variant(name="reader alone, no cosines", meaning=False),
    Variant(name="no title and headings for the reader", context=False),
    Variant(name="dense search alone", search=SearchSettings(lexical_weight=0.0)),
    Variant(name="BM25 search alone", search=SearchSettings(lexical_weight=1000.0)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Of one variant on one set, all shares in [0, 1].

    Attributes:
        answerable, unanswerable: questions of each kind.
        hit_rate: a gold sentence stands in the passages read.
        precision_at_1: a gold sentence comes first.
        evidence_f1: F1 of the sentences that the answer would quote against the gold sentences, averaged.
        auc: answerable or not, by logistic regression over the decision's features, five-fold within the set.
        abstention_recall, false_abstention: with the shipped calibration and threshold (None for other variants,
            whose scores it does not fit).
    """

    variant: str
    source: str
    answerable: int
    unanswerable: int
    hit_rate: float
    precision_at_1: float
    evidence_f1: float
    auc: float
    abstention_recall: float | None
    false_abstention: float | None


class _Remembering:
    """A reader that reads the same question and passage once, whatever the variant."""

    def __init__(self, reader: PassageReader) -> None:
        self._reader = reader
        self.fingerprint = reader.fingerprint
        self._known: dict[tuple[str, str, tuple[str, ...]], Reading] = {}

    def score(self, question: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        keys = [(question, p.context, p.sentences) for p in passages]
        new = [p for k, p in zip(keys, passages, strict=True) if k not in self._known]
        for passage, reading in zip(new, self._reader.score(question, new) if new else [], strict=True):
            self._known[question, passage.context, passage.sentences] = reading
        return [self._known[k] for k in keys]

    def forget(self) -> None:
        self._known.clear()


class _Contextless:
    """The reader without title and headings."""

    def __init__(self, reader: PassageReader) -> None:
        self._reader = reader
        self.fingerprint = reader.fingerprint

    def score(self, question: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        return self._reader.score(question, [ReadPassage(context="", sentences=p.sentences) for p in passages])


@dataclass(slots=True)
class _Tally:
    hit: list[bool] = field(default_factory=list)
    first: list[bool] = field(default_factory=list)
    f1: list[float] = field(default_factory=list)
    features: list[list[float]] = field(default_factory=list)
    answerable: list[bool] = field(default_factory=list)
    answered: list[bool] = field(default_factory=list)


def run(
    data: Path,
    *,
    sets: Sequence[str] = SETS,
    variants: Sequence[Variant] = VARIANTS,
    limit: int | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Scores]:
    """Scores of every variant on every set.

    Args:
        data: folder that holds clapnq, xquad, selqa and chunking_evaluation.
        limit: at most so many questions of a set, drawn with a fixed seed.

    Raises:
        EvalError: a set is missing or there is no held-out question in it.
    """
    try:
        collection = load_all(data, OWN)
    except OSError as exc:
        raise EvalError(f"{data} does not hold the public sets: {exc.filename} is missing") from exc
    found: list[Scores] = []
    for source in sets:
        questions = [q for q in collection.questions if q.source == source and q.mode == "answer" and q.held_out]
        if not questions:
            raise EvalError(f"there are no held-out questions of {source!r}; the sets are {', '.join(SETS)}")
        chosen = [questions[i] for i in np.random.default_rng(0).permutation(len(questions))[:limit]]
        with indexed_home(collection, source, questions) as home:
            opened = home.index.current()
            assert opened is not None
            tallies = _tally(collection, chosen, opened, home, variants, tell)
        found += [_scores(v, source, t) for v, t in zip(variants, tallies, strict=True)]
    return found


def _tally(
    collection: Collection,
    questions: Sequence[Question],
    opened: OpenIndex,
    home: Home,
    variants: Sequence[Variant],
    tell: Callable[[str], None],
) -> list[_Tally]:
    evidence_reader = _Remembering(home.reader)
    readers: dict[tuple[str, bool], PassageReader] = {
        ("evidence", True): evidence_reader,
        ("evidence", False): _Remembering(_Contextless(home.reader)),
        ("similarity", True): SimilarityReader(home.encoder),
    }
    tallies = [_Tally() for _ in variants]
    for number, question in enumerate(questions, start=1):
        for variant, tally in zip(variants, tallies, strict=True):
            _one(collection, question, opened, home, readers[variant.reader, variant.context], variant, tally)
        for reader in readers.values():
            if isinstance(reader, _Remembering):
                reader.forget()
        if number % 25 == 0:
            tell(f"{question.source}: {number} of {len(questions)} questions")
    return tallies


def _one(
    collection: Collection,
    question: Question,
    opened: OpenIndex,
    home: Home,
    reader: PassageReader,
    variant: Variant,
    tally: _Tally,
) -> None:
    calibration = load_calibrations()[variant.reader]
    names = list(calibration.weights) if variant.meaning else ["passage"]
    asked = analyse(question.text, opened.vocabulary, TODAY)
    gold = gold_of(collection, question)
    for answerable, view in variants(collection, question, opened):
        index: Any = view
        retrieved = retrieve(asked, index, AnswerSettings(search=variant.search))
        judged = read(asked, retrieved.hits, reader, home.encoder, index)
        evidence: Sequence[Evidence] = judged.evidence
        if not variant.meaning:
            evidence = sorted(evidence, key=lambda e: -e.score)
            judged = replace(judged, evidence=tuple(evidence), leading=tuple(evidence))
        looked = seen(asked, retrieved, judged, opened.vocabulary)
        decision = decide(looked, calibration)
        values = measured(looked) if judged.leading else {}
        tally.features.append([values.get(n, 0.0) for n in names])
        tally.answerable.append(answerable)
        tally.answered.append(decision.answer)
        if answerable:
            right = [any(holds(key_of(e.text), g) for g in gold) for e in evidence]
            tally.hit.append(any(right))
            tally.first.append(right[:1] == [True])
            tally.f1.append(_f1(select(asked, evidence, opened.vocabulary, Limits()), gold))


def _f1(chosen: Sequence[Evidence], gold: Sequence[str]) -> float:
    keys = [key_of(e.text) for e in chosen]
    right = sum(any(holds(k, g) for g in gold) for k in keys)
    met = sum(any(holds(k, g) for k in keys) for g in gold)
    if not right:
        return 0.0
    precision, recall = right / len(keys), met / len(gold)
    return 2 * precision * recall / (precision + recall)


def _scores(variant: Variant, source: str, tally: _Tally) -> Scores:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    truth = np.array(tally.answerable)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    model = LogisticRegression(class_weight="balanced", max_iter=2000)
    held = cross_val_predict(model, np.array(tally.features), truth, cv=folds, method="predict_proba")[:, 1]
    answered = np.array(tally.answered)
    shipped = variant == VARIANTS[0]
    return Scores(
        variant=variant.name,
        source=source,
        answerable=int(truth.sum()),
        unanswerable=int((~truth).sum()),
        hit_rate=float(np.mean(tally.hit)),
        precision_at_1=float(np.mean(tally.first)),
        evidence_f1=float(np.mean(tally.f1)),
        auc=float(roc_auc_score(truth, held)),
        abstention_recall=float((~answered)[~truth].mean()) if shipped else None,
        false_abstention=float((~answered)[truth].mean()) if shipped else None,
    )


def as_table(scores: Sequence[Scores]) -> str:
    """A Markdown table, one row a set and variant."""
    lines = [
        "| set (answerable / not) | variant | gold read | P@1 | evidence F1 | AUC | abstention recall | false abstention |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for s in scores:
        shares = (s.hit_rate, s.precision_at_1, s.evidence_f1, s.auc, s.abstention_recall, s.false_abstention)
        cells = " | ".join("" if x is None else f"{x:.2f}" for x in shares)
        lines.append(f"| {s.source} ({s.answerable} / {s.unanswerable}) | {s.variant} | {cells} |")
    return "\n".join(lines)
