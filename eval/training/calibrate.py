"""Fits the decision to answer (``app/answering/calibration.json``) on held-out questions, through the product's own pipeline.

python -m eval.training.calibrate --public ../shared/data [--write]

Each set is indexed as a user would index it; every held-out question is searched and read by ``app.answering.retrieve`` and
``app.answering.judge``. A question counts as answered when a gold sentence is among the three best; answerable questions whose gold
was not found are left out of the fit, since neither label is true of them. For each answerable question there is also a
near-miss: the same with its gold passages taken out of the index (:class:`Without`), and for every second one another: with the name of
something else in it.

Every feature's worth is measured with one set left out of the fit at a time, on the set left out.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from app.answering.engine import AnswerSettings
from app.answering.features import REGISTRY, measured
from app.answering.judge import read, seen
from app.answering.retrieve import retrieve
from app.evidence.cross_encoder import PREFIX, CrossEncoderReader
from app.evidence.gather import Evidence, PassageReader, SimilarityReader
from app.home import Home
from app.question import tasks
from app.question.analysis import Question as Asked
from app.question.analysis import analyse
from app.question.dialogue import names_of
from app.question.request import Parser, Turn
from eval.cases import Case, bundled_cases
from eval.formats import collection as packaged
from eval.formats import collection_names, fill
from eval.run import empty_home, passage_keys
from eval.training.homes import Text, bundled_home, home_of
from eval.training.logistic import Floats, fit
from eval.training.sets import Collection, Passage, Question, load_all
from index.search import Filters, Hit, OpenIndex, SearchSettings

HERE = Path(__file__).parent
SETS = ("own", "clapnq", "xquad", "selqa")
CASES = "bundled"
"""The dev cases over the bundled sources, fitted on like the public sets."""
TEST = "test"
"""The packaged collections: measured on, never fitted on."""
TODAY = dt.date(2026, 11, 1)
"""Some day: none of the sets asks about the present."""
CONVERSATIONS = "mtragun"
"""Last turns of real conversations, made standalone by the product's own readings; of two the one that is answered better. Features and
threshold are chosen with them in view, weights are not fitted on them: with them the fit got worse on five of the six other sets."""
_NAMES = 10
"""Least names of a set from which another one is drawn."""
NEARLY = 0.01
"""Of thresholds whose J is so near to the best one, which chance may have made, the lowest is taken: it abstains least."""
LEAST_WORTH = 0.0002
"""A feature is taken in when it wins so much AUC on average over the sets left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One question through the pipeline.

    Attributes:
        answerable: whether a passage that answers was there.
        first, found: whether a gold sentence came first, or among the first three.
        values: of every feature; empty when nothing was found.
    """

    source: str
    kind: str
    text: str
    answerable: bool
    first: bool
    found: bool
    values: dict[str, float]
    best: str


class Without:
    """An index as it would be without some passages. It has what the pipeline asks of an open index."""

    def __init__(self, opened: OpenIndex, away: Callable[[str], bool], texts: Sequence[str]) -> None:
        """``away`` tells of a passage's text whether it is gone; ``texts`` are those that are."""
        self._opened = opened
        self._away = away
        self._gone = [set(opened.vocabulary.stems(text)) for text in texts]
        self.vocabulary = opened.vocabulary
        self.source = opened.source

    def search(self, query: str, k: int, *, filters: Filters = Filters(), settings: SearchSettings = SearchSettings()) -> list[Hit]:
        """As :meth:`OpenIndex.search`."""
        hits = self._opened.search(query, k + len(self._gone) + 2, filters=filters, settings=settings)
        kept = [h for h in hits if not self._away(h.passage.text)][:k]
        return [replace(h, rank=n) for n, h in enumerate(kept, start=1)]

    def document_frequency(self, terms: Iterable[str]) -> Mapping[str, int]:
        """As :meth:`OpenIndex.document_frequency`, less the passages that are gone."""
        counts = self._opened.document_frequency(terms)
        stems = {t: set(self.vocabulary.stems(t)) for t in counts}
        return {t: max(0, n - sum(stems[t] <= own for own in self._gone)) for t, n in counts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--own", type=Path, default=HERE / "data")
    parser.add_argument("--write", action="store_true", help="write app/answering/calibration.json")
    parser.add_argument("--reader", default="evidence", help="evidence, similarity or cross-encoder:FOLDER")
    parser.add_argument("--limit", type=int, default=10_000, help="questions of each set, drawn with a fixed seed")
    parser.add_argument("--rows", type=Path, help="JSON lines: read where the file is there, else written")
    options = parser.parse_args()
    if options.rows and options.rows.is_file():
        rows = [Row(**json.loads(line)) for line in options.rows.read_text(encoding="utf-8").splitlines()]
    else:
        collection = load_all(options.public, options.own)
        rows = [row for source in SETS for row in _rows(collection, source, options.reader, options.limit)]
        rows += _conversation_rows(options.public, options.reader)
        with bundled_home() as home:
            dev = [c for c in bundled_cases() if c.split == "dev"]
            rows += [*_case_rows(dev, home, CASES, options.reader), *_case_twins(dev, home, options.reader)]
            for name in collection_names():
                with empty_home(home) as own:
                    data = packaged(name)
                    fill(own, data.sources)
                    own.sync()
                    rows += _case_rows(data.cases, own, TEST, options.reader)
        if options.rows:
            options.rows.write_text("".join(json.dumps(asdict(r)) + "\n" for r in rows), encoding="utf-8")
    for source in (*SETS, CONVERSATIONS, CASES, TEST):
        _tell(source, [r for r in rows if r.source == source])
    fitted = calibrated(rows)
    print(json.dumps(fitted, indent=2))
    if options.write:
        file = HERE.parent.parent / "app" / "answering" / "calibration.json"
        known = json.loads(file.read_text(encoding="utf-8"))
        file.write_text(json.dumps({**known, options.reader.partition(":")[0]: fitted}, indent=2) + "\n", encoding="utf-8")


def calibrated(rows: Sequence[Row]) -> dict[str, Any]:
    """Weights, bias, threshold, and each feature's worth.

    Features are taken in one after the other, the one that wins most AUC on sets left out first, as long as one wins at least
    :data:`LEAST_WORTH`: several tell the same, so that each alone can be missed. The threshold is the lowest one
    with nearly the highest mean of Youden's J over the sets, each left out of the fit. Every set weighs the same, and so do answerable and unanswerable
    questions within it.
    """
    used = [r for r in rows if r.values and (r.found or not r.answerable)]
    sources = sorted({r.source for r in used})
    fitted = [s for s in sources if s not in (CONVERSATIONS, TEST)]
    watched = [s for s in sources if s != TEST]
    names: list[str] = []
    reached = 0.0
    known = [f.name for f in REGISTRY if all(f.name in r.values for r in used)]  # rows that were kept may be older than a feature
    while len(names) < len(known):
        tried = {name: _mean(_left_out(used, sources, [*names, name]), watched) for name in known if name not in names}
        best = max(tried, key=lambda name: tried[name])
        print(f"with {', '.join([*names, best])}: mean AUC of the sets left out {tried[best]:.4f}; then {sorted(tried.values())[-2:][0]:.4f}")
        if tried[best] - reached < LEAST_WORTH:
            break
        names.append(best)
        reached = tried[best]
    whole = _left_out(used, sources, names)
    without = {n: _left_out(used, sources, [o for o in names if o != n]) for n in names} if len(names) > 1 else {}
    worth = {n: {s: whole[s][0] - (without[n][s][0] if without else 0.5) for s in sources} for n in names}
    for source in sources:
        print(f"{source:8} left out of the fit: n={len(whole[source][2])}, AUC {whole[source][0]:.3f}")
    grid = np.arange(0.2, 0.7, 0.01)
    gains = [float(np.mean([_youden(*whole[s][1:], limit) for s in watched])) for limit in grid]
    threshold = round(float(grid[int(np.argmax(np.array(gains) >= max(gains) - NEARLY))]), 2)
    for source in sources:
        _, held, truth = whole[source]
        print(
            f"{source:8} at {threshold}: abstention recall {(held[truth == 0] < threshold).mean():.3f}, "
            f"false abstention {(held[truth == 1] < threshold).mean():.3f}"
        )
    weights, bias = _fit([r for r in used if r.source not in (CONVERSATIONS, TEST)], names)
    fired = {n: sum(bool(r.values[n]) for r in used) for n in names}
    return {
        "weights": {name: round(float(w), 4) for name, w in zip(names, weights, strict=True)},
        "bias": round(bias, 4),
        "threshold": threshold,
        "fitted_on": f"{sum(r.source in fitted for r in used)} held-out questions of {', '.join(fitted)}; worth: AUC lost on a set that the fit has not seen",
        "worth": {n: {**{s: round(float(v), 4) for s, v in worth[n].items()}, "fired": fired[n]} for n in names},
    }


def _youden(held: Floats, truth: Floats, limit: float) -> float:
    """Share of answerable questions that are answered, less that of the others (Youden's J)."""
    return float((held[truth == 1] >= limit).mean() - (held[truth == 0] >= limit).mean())


def _mean(found: Mapping[str, tuple[float, Floats, Floats]], sources: Sequence[str]) -> float:
    return float(np.mean([found[s][0] for s in sources]))


def _left_out(used: Sequence[Row], sources: Sequence[str], names: Sequence[str]) -> dict[str, tuple[float, Floats, Floats]]:
    """For each set: AUC, probabilities and labels on it by a fit on the others."""
    found = {}
    for source in sources:
        weights, bias = _fit([r for r in used if r.source not in (source, CONVERSATIONS, TEST)], names)
        own = [r for r in used if r.source == source]
        truth = np.array([float(r.answerable) for r in own])
        held = 1 / (1 + np.exp(-(_matrix(own, names) @ weights + bias)))
        found[source] = (float(roc_auc_score(truth, held)), held, truth)
    return found


def _fit(used: Sequence[Row], names: Sequence[str]) -> tuple[Floats, float]:
    groups: dict[tuple[str, bool], int] = defaultdict(int)
    for r in used:
        groups[r.source, r.answerable] += 1
    weights = np.array([1.0 / groups[r.source, r.answerable] for r in used])
    signs = {f.name: f.sign for f in REGISTRY}
    truth = np.array([float(r.answerable) for r in used])
    return fit(_matrix(used, names), truth, signs=[signs[n] for n in names], weights=weights)


def _matrix(rows: Sequence[Row], names: Sequence[str]) -> Floats:
    return np.array([[r.values[name] for name in names] for r in rows], dtype=np.float64)


def _rows(collection: Collection, source: str, reader: str, limit: int) -> Iterator[Row]:
    questions = [q for q in collection.questions if q.source == source and q.mode == "answer" and q.held_out]
    random.Random(0).shuffle(questions)
    with indexed_home(collection, source, questions) as home:
        opened = home.index.current()
        assert opened is not None
        scorer = _reader(home, reader)
        for number, question in enumerate(questions[:limit], start=1):
            for answerable, view in variants(collection, question, opened):
                yield _row(collection, question, answerable, view, home, scorer)
            if number % 50 == 0:
                print(f"{source}: {number} of {min(limit, len(questions))} questions", flush=True)
        yield from _twins_of(collection, questions[:limit], opened, home, scorer)


@contextmanager
def indexed_home(collection: Collection, source: str, questions: Sequence[Question]) -> Iterator[Home]:
    """A temporary home with the articles of the questions; for CLAP NQ with all its passages."""
    articles = {collection.passages[i].article for q in questions for i in (*q.gold, *q.near)}
    if source == "clapnq":
        articles = {p.article for p in collection.passages if p.article.startswith("clapnq:")}
    own: dict[str, list[Passage]] = defaultdict(list)
    for passage in collection.passages:
        if passage.article in articles:
            own[passage.article].append(passage)
    texts = (Text(id=a, title=own[a][0].title, paragraphs=[p.text for p in own[a]]) for a in sorted(own))
    with home_of(texts) as home:
        yield home


def _conversation_rows(public: Path, reader: str) -> Iterator[Row]:
    turns = [json.loads(line) for line in (public / CONVERSATIONS / "reference.jsonl").read_text(encoding="utf-8").splitlines()]
    documents = {c["document_id"]: c for t in turns for c in t["contexts"]}
    texts = (Text(id=key_of(i), title=c.get("title") or "", paragraphs=[c["text"]]) for i, c in documents.items())
    with home_of(texts) as home:
        opened = home.index.current()
        assert opened is not None
        scorer = _reader(home, reader)
        parser = Parser(tasks=tasks.default(), declines=lambda _: None, languages=None, today=lambda: TODAY)
        for turn in turns:
            answerable = turn["answerability"][0] == "ANSWERABLE"
            if not answerable and turn["answerability"][0] != "UNANSWERABLE":
                continue
            history = [Turn(role="user" if t["speaker"] == "user" else "assistant", content=t["text"]) for t in turn["input"][:-1]]
            request = parser.parse(turn["input"][-1]["text"], history, opened=opened)
            asked = [r.question for r in request.readings][:2] or [request.question]
            right = partial(_of_documents, {key_of(c["document_id"]) for c in turn["contexts"]})
            found = [
                _read(q, opened, home, scorer, source=CONVERSATIONS, kind="turn", answerable=answerable, right=right) for q in asked
            ]  # fmt: skip
            yield max(found, key=lambda r: r.values.get("passage", -np.inf))


def _of_documents(ids: set[str], item: Evidence) -> bool:
    return item.hit.passage.source_id in ids


def _case_rows(cases: Iterable[Case], home: Home, source: str, reader: str) -> Iterator[Row]:
    """Of cases that are searched for, as a row each; a passage found is one that the case names as gold."""
    opened = home.index.current()
    assert opened is not None
    scorer = _reader(home, reader)
    for case in cases:
        if case.planted or case.since or case.until or case.expect == "declined" or (case.history and not case.standalone):
            continue
        keys = {g.key for g in case.gold}
        if case.expect == "answered" and not keys:
            continue
        asked = analyse(case.standalone or case.question, opened.vocabulary, TODAY)
        yield _read(
            asked, opened, home, scorer, source=source, kind=case.kind, answerable=case.expect == "answered",
            right=partial(_in_gold, keys),
        )  # fmt: skip


def variants(collection: Collection, question: Question, opened: OpenIndex) -> Iterator[tuple[bool, OpenIndex | Without]]:
    """The index with whether it answers the question: as it is, and, where it answers, without the passages that do."""
    yield bool(question.gold), opened
    if question.gold:
        texts = [collection.passages[i].text for i in question.gold]
        keys = {key_of(text) for text in texts}
        yield False, Without(opened, lambda text: any(key_of(text) in key for key in keys), texts)


def gold_of(collection: Collection, question: Question) -> list[str]:
    """Keys of the sentences that answer."""
    return [key_of(collection.passages[i].sentences[s]) for i, chosen in question.gold.items() for s in chosen]


def _reader(home: Home, kind: str) -> PassageReader:
    if kind.startswith(PREFIX):
        return CrossEncoderReader(kind.removeprefix(PREFIX))
    return SimilarityReader(home.encoder) if kind == "similarity" else home.reader


def _case_twins(cases: Sequence[Case], home: Home, reader: str) -> Iterator[Row]:
    opened = home.index.current()
    assert opened is not None
    told = {s.id: s.text for s in opened.sources()}
    asked = [
        (c.question, " ".join(told.get(g.source, "") for g in c.gold)) for c in cases
        if c.expect == "answered" and c.gold and not (c.history or c.planted or c.since or c.until)
    ]  # fmt: skip
    yield from _twin_rows(asked, opened, home, _reader(home, reader), CASES)


def _in_gold(keys: set[str], item: Evidence) -> bool:
    return bool(keys.intersection(passage_keys(item.hit.passage)))


def _twins_of(
    collection: Collection, questions: Sequence[Question], opened: OpenIndex, home: Home, reader: PassageReader
) -> Iterator[Row]:
    asked = [(q.text, " ".join(collection.passages[i].text for i in q.gold)) for q in questions if q.gold]
    yield from _twin_rows(asked, opened, home, reader, questions[0].source)


def _twin_rows(
    asked: Sequence[tuple[str, str]], opened: OpenIndex, home: Home, reader: PassageReader, source: str
) -> Iterator[Row]:
    """Every second question that names somebody or something, with a name of another question in its place: nothing answers it.

    Args:
        asked: questions that are answered, and the text that answers them.
    """
    draw = random.Random(1)
    held = [(text, gold, names_of(text, opened.vocabulary)) for text, gold in asked]
    pool = sorted({name for _, _, names in held for name in names})
    for text, gold, names in held[::2]:
        if not names or len(pool) < _NAMES:
            continue
        name = draw.choice(names)
        around = f"{text} {gold}".lower()
        others = [o for o in pool if not any(word.lower() in around for word in o.split())]
        if not others:
            continue
        other = analyse(text.replace(name, draw.choice(others), 1), opened.vocabulary, TODAY)
        yield _read(other, opened, home, reader, source=source, kind="another name", answerable=False, right=lambda e: False)


def _row(
    collection: Collection, question: Question, answerable: bool, view: OpenIndex | Without, home: Home, reader: PassageReader
) -> Row:
    gold = gold_of(collection, question) if answerable else []
    return _read(
        analyse(question.text, view.vocabulary, TODAY), view, home, reader, source=question.source,
        kind=question.kind if answerable == bool(question.gold) else "gold removed", answerable=answerable,
        right=lambda e: any(holds(key_of(e.text), g) for g in gold),
    )  # fmt: skip


def _read(
    asked: Asked, view: OpenIndex | Without, home: Home, reader: PassageReader, *, source: str, kind: str, answerable: bool,
    right: Callable[[Evidence], bool],
) -> Row:  # fmt: skip
    opened: Any = view
    retrieved = retrieve(asked, opened, AnswerSettings())
    judged = read(asked, retrieved.hits, reader, home.encoder, opened)
    best = [right(e) for e in judged.evidence[:3]] if answerable else []
    return Row(
        source=source,
        kind=kind,
        text=asked.text,
        answerable=answerable,
        first=best[:1] == [True],
        found=any(best),
        values=measured(seen(asked, retrieved, judged, opened.vocabulary)) if judged.leading else {},
        best=judged.evidence[0].text if judged.evidence else "",
    )


def holds(one: str, other: str) -> bool:
    """Whether two keys are of the same sentence, cut a little differently perhaps."""
    return one in other or other in one


def key_of(text: str) -> str:
    """A text without what tokenisers change: letters and digits only, lower case."""
    return re.sub(r"\W+", "", text.lower())


def _tell(source: str, rows: Sequence[Row]) -> None:
    there = [r for r in rows if r.answerable]
    print(
        f"{source:8} answerable {len(there)}, not {len(rows) - len(there)}: sentence P@1 "
        f"{np.mean([r.first for r in there]):.3f}, in three {np.mean([r.found for r in there]):.3f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
