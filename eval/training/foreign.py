"""Fits the decision on questions that are not in English (``multilingual`` in ``app/answering/calibration.json``).

    python -m eval.training.foreign --public ../shared/data [--write]

The paragraphs of every second article of XQuAD are indexed, in English and in the language of the questions (Russian, Arabic,
Turkish, German), with the packaged multilingual encoder. Each question is asked twice: as it is, and with its paragraph taken
out of the hits, when nothing answers it. The other articles, and Persian questions of PQuAD with and without an answer, are held out.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from app.answering import languages
from app.answering.features import REGISTRY, measured
from app.answering.judge import read, seen
from app.answering.retrieve import Retrieved
from app.evidence.gather import SimilarityReader
from app.logistic import Logistic
from app.question.analysis import analyse
from eval.training.calibrate import HERE, TODAY, key_of
from eval.training.homes import Text, home_of
from eval.training.logistic import fit
from index.embed import Progress, Vectors
from index.languages import LanguageVectors
from index.multilingual_encoder import MultilingualEncoder
from index.search import Hit, OpenIndex
from index.words import folded

LANGUAGES = ("ru", "ar", "tr", "de")
FITTED = ("similarity", "lead", "held")
DEPTH = 8
_BEGINNING = 40
"""Letters of a passage that tell its paragraph."""
MOST = 120
"""Paragraphs of PQuAD."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question with the paragraph and the words that answer it; no words where it has no answer."""

    text: str
    paragraph: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was seen of a question.

    Attributes:
        truth: whether one of the first three sentences answers it.
        first: whether the first one does.
        there: whether its paragraph was among the passages.
    """

    group: str
    values: Mapping[str, float]
    truth: bool
    first: bool
    there: bool


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--public", type=Path, required=True, help="folder of the public sets, with xquad and pquad in it")
    parser.add_argument("--limit", type=int, default=45, help="questions of each kind, drawn with a fixed seed")
    parser.add_argument("--abstain", type=float, default=0.85, help="share of questions without an answer to abstain on")
    parser.add_argument("--rows", type=Path, help="where the features are kept, and read from when they are there")
    parser.add_argument("--write", action="store_true", help="write app/answering/calibration.json")
    options = parser.parse_args()
    if options.rows and options.rows.exists():
        rows = [Row(**line) for line in map(json.loads, options.rows.read_text(encoding="utf-8").splitlines())]
    else:
        rows = list(rows_of(options.public, options.limit, Remembering()))
        if options.rows:
            options.rows.write_text("".join(f"{json.dumps(_plain(r))}\n" for r in rows), encoding="utf-8")
    fitted, held = fitted_on([r for r in rows if r.group.startswith("fit")], options.abstain)
    print(json.dumps(fitted, indent=2), held)
    for group in sorted({r.group for r in rows}):
        print(group, told([r for r in rows if r.group == group], fitted))
    if options.write:
        file = HERE.parent.parent / "app" / "answering" / "calibration.json"
        known = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**known, "multilingual": fitted}, indent=2) + "\n", encoding="utf-8")


def rows_of(public: Path, limit: int, encoder: MultilingualEncoder) -> Iterator[Row]:
    """Features of all questions, by group: "fit" or "held", and the languages of question and paragraph."""
    sets = {code: json.loads((public / "xquad" / f"xquad.{code}.json").read_text(encoding="utf-8"))["data"] for code in ("en", *LANGUAGES)}
    for half, name in ((0, "fit"), (1, "held")):
        part = {code: articles[half::2] for code, articles in sets.items()}
        answers = {code: {q["id"]: (p["context"], q["answers"][0]["text"]) for a in articles for p in a["paragraphs"] for q in p["qas"]} for code, articles in part.items()}
        for within, asked_in in (("en", LANGUAGES), *((code, (code,)) for code in LANGUAGES)):
            with _Home(part[within], encoder) as opened:
                for code in asked_in:
                    questions = [q for a in part[code] for p in a["paragraphs"] for q in p["qas"]]
                    random.Random(0).shuffle(questions)
                    asked = [Asked(text=q["question"], paragraph=answers[within][q["id"]][0], answer=answers[within][q["id"]][1]) for q in questions[:limit]]
                    yield from _rows(f"{name} {code}-{within}", code, asked, opened, encoder)
    articles = json.loads((public / "pquad" / "validation.json").read_text(encoding="utf-8"))["data"]
    paragraphs = [p for a in articles for p in a["paragraphs"]][:MOST]
    asked = [
        Asked(text=q["question"], paragraph=p["context"], answer=q["answers"][0]["text"] if q["answers"] and not q["is_impossible"] else "")
        for p in paragraphs for q in p["qas"]
    ]  # fmt: skip
    random.Random(0).shuffle(asked)
    with _Home([{"title": "متن", "paragraphs": paragraphs}], encoder) as opened:
        yield from _rows("held fa-fa", "fa", asked[: 3 * limit], opened, encoder)


class _Home:
    """The paragraphs of articles as an open index that the multilingual encoder sees."""

    def __init__(self, articles: Sequence[Mapping[str, Any]], encoder: MultilingualEncoder) -> None:
        texts = (Text(id=f"{n}", title=a["title"], paragraphs=[p["context"] for p in a["paragraphs"]]) for n, a in enumerate(articles))
        self._home = home_of(texts, encoder)
        self._folder = tempfile.TemporaryDirectory(prefix="iskp-training-")
        self._encoder = encoder

    def __enter__(self) -> OpenIndex:
        opened = self._home.__enter__().index.current()
        assert opened is not None
        return LanguageVectors(Path(self._folder.name), self._encoder).view(opened)

    def __exit__(self, *_: object) -> None:
        self._home.__exit__(None, None, None)
        self._folder.cleanup()


def _rows(group: str, code: str, questions: Sequence[Asked], opened: OpenIndex, encoder: MultilingualEncoder) -> Iterator[Row]:
    reader = SimilarityReader(encoder)
    for asked in questions:
        paragraph, answer = _key(asked.paragraph), _key(asked.answer)
        question = analyse(languages.spelled_out(asked.text, opened), opened.vocabulary, TODAY, asked=asked.text)
        hits = opened.search(question.text, DEPTH + 2)
        away = [h for h in hits if _key(h.passage.text)[:_BEGINNING] not in paragraph]
        for there, kept in ((True, hits[:DEPTH]), (False, away[:DEPTH])):
            if not answer and not there:
                continue
            yield from _row(group, code, kept, there and bool(answer), question, paragraph, answer, opened, reader, encoder)
    print(group, len(questions), flush=True)


def _row(group: str, code: str, hits: Sequence[Hit], there: bool, question: Any, paragraph: str, answer: str, opened: OpenIndex, reader: SimilarityReader, encoder: MultilingualEncoder) -> Iterator[Row]:
    judged = read(question, hits, reader, encoder, opened, language=code)
    missing = languages.missing(question, (), opened)
    looked = seen(question, Retrieved(hits=tuple(hits), missing=missing), judged, opened.vocabulary)
    right = [bool(answer) and _key(e.hit.passage.text)[:_BEGINNING] in paragraph and answer in _key(e.text) for e in judged.evidence[:3]]
    yield Row(group=group, values=measured(looked), truth=any(right), first=right[:1] == [True], there=there)


def fitted_on(rows: Sequence[Row], abstain: float) -> tuple[dict[str, Any], str]:
    """Weights, and what they are worth on fifths of the rows that they were not fitted on."""
    rows = [r for r in rows if r.truth or not r.there]  # of the others neither label is true
    x = np.array([[r.values[n] for n in FITTED] for r in rows])
    y = np.array([r.truth for r in rows], dtype=int)
    signs = {f.name: f.sign for f in REGISTRY}

    def fit_some(some: NDArray[np.bool_], used: Sequence[int]) -> tuple[NDArray[np.float64], float]:
        balance = np.where(y[some] == 1, 1 / max(1, y[some].sum()), 1 / max(1, (y[some] == 0).sum()))
        return fit(x[some][:, used], y[some].astype(float), signs=[signs[FITTED[n]] for n in used], weights=balance)

    def held_out(used: Sequence[int]) -> NDArray[np.float64]:
        scores = np.zeros(len(y))
        for part in range(5):
            away = np.arange(len(y)) % 5 == part
            weights, bias = fit_some(~away, used)
            scores[away] = 1 / (1 + np.exp(-(x[away][:, used] @ weights + bias)))
        return scores

    every = list(range(len(FITTED)))
    scores = held_out(every)
    auc = roc_auc_score(y, scores)
    worth = {FITTED[n]: {"xquad": round(float(auc - roc_auc_score(y, held_out([k for k in every if k != n]))), 4)} for n in every}
    weights, bias = fit_some(np.ones(len(y), dtype=bool), every)
    threshold = round(float(np.quantile(scores[y == 0], abstain)), 3)
    text = (
        f"{len(y)} questions of xquad in {', '.join(LANGUAGES)} over paragraphs in English and in their own language: AUC {auc:.2f}; at the "
        f"threshold {np.mean(scores[y == 0] < threshold):.2f} abstain without the paragraph, {np.mean(scores[y == 1] < threshold):.2f} with it"
    )
    fitted = {
        "weights": {n: round(float(w), 4) for n, w in zip(FITTED, weights, strict=True)}, "bias": round(bias, 4), "threshold": threshold,
        "fitted_on": text, "worth": worth,
    }  # fmt: skip
    return fitted, f"AUC {auc:.3f}"


def told(rows: Sequence[Row], fitted: Mapping[str, Any]) -> str:
    """Right sentence quoted, false abstentions, and abstentions where nothing answers."""
    model = Logistic(**fitted)
    yes = [model.probability(r.values) >= model.threshold for r in rows]
    there = [(r, a) for r, a in zip(rows, yes, strict=True) if r.there]
    gone = [a for r, a in zip(rows, yes, strict=True) if not r.there]
    return (
        f"with an answer {len(there)}: right sentence first {np.mean([r.first for r, _ in there]):.3f}, and answered "
        f"{np.mean([r.first and a for r, a in there]):.3f}, right among three but abstained "
        f"{np.mean([not a for r, a in there if r.truth]):.3f}; without {len(gone)}: abstained {1 - np.mean(gone):.3f}"
    )


def _key(text: str) -> str:
    """A text without what tokenisers and the cleaner of sources change."""
    return key_of(folded(text))


def _plain(row: Row) -> dict[str, Any]:
    return {"group": row.group, "values": row.values, "truth": row.truth, "first": row.first, "there": row.there}


if __name__ == "__main__":
    main()
