"""Retrieval by characters: how much of the gold excerpts the first k passages hold, and how little else.

Data and measures are those of Smith and Troynikov, "Evaluating Chunking Strategies for Retrieval"
(Chroma technical report, July 2024; https://research.trychroma.com/evaluating-chunking), counted in
characters instead of tokens. For a question with the gold characters E and retrieved passages that
cover the characters R of its corpus::

    recall    = |E ∩ R| / |E|
    precision = |E ∩ R| / |R|
    IoU       = |E ∩ R| / (|E| + |R| - |E ∩ R|)

R counts every character of every retrieved passage, those of other corpora too; where passages
overlap, the overlap counts as often as it is retrieved (the report does the same, to make redundancy
cost something). All corpora lie in one index, as in the report.
"""

from __future__ import annotations

import csv
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from eval.errors import EvalError
from index.embed import Encoder, Progress, Vectors, cosine
from index.search import IndexReader
from index.sync import sync
from index.terms import Vocabulary
from ingest.blocks import assemble
from ingest.chunk import ChunkSettings
from ingest.read import extract
from ingest.source import Source

Range = tuple[int, int]
Retrieve = Callable[[str, int], Sequence["Piece"]]

FIXED_CHARS = 1200
DATA_VARIABLE = "ISKP_BENCH_DATA"
_DATA_PLACES = ("data/chunking_evaluation", "../shared/data/chunking_evaluation")
_QUESTIONS = "questions_df.csv"
_DATA_HOME = "https://github.com/brandonstarxel/chunking_evaluation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question with its gold excerpts, ``[start, end)`` in the text of its corpus, none overlapping."""

    text: str
    corpus: str
    excerpts: tuple[Range, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A retrieved stretch of a corpus."""

    corpus: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """The three measures of one question, each in [0, 1]."""

    recall: float
    precision: float
    iou: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One way of chunking and searching.

    Attributes:
        recall: mean over the questions, as are precision and IoU.
        recall_se: standard error of that mean.
        passages: how many were indexed.
        mean_chars: their mean length.
        by_corpus: recall, precision and IoU of each corpus's questions.
    """

    name: str
    k: int
    questions: int
    recall: float
    precision: float
    iou: float
    recall_se: float
    iou_se: float
    passages: int
    mean_chars: float
    seconds: float
    by_corpus: Mapping[str, Overlap]


def run(
    data: Path,
    encoder: Encoder,
    *,
    k: int = 5,
    max_chars: Sequence[int] = (ChunkSettings().max_chars,),
    limit: int | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> list[Row]:
    """Fixed windows with dense search, then our passages with our search, a row for each length.

    Args:
        data: folder with ``questions_df.csv`` and ``corpora/*.md``.
        limit: only so many questions, spread evenly.
    """
    corpora = read_corpora(data)
    questions = read_questions(data, corpora)
    if limit is not None:
        questions = questions[:: max(1, math.ceil(len(questions) / limit))]
    remembering = RememberingEncoder(encoder)
    tell(f"fixed windows of {FIXED_CHARS} characters")
    rows = [_fixed(corpora, questions, remembering, k)]
    for length in max_chars:
        tell(f"our passages, at most {length} characters")
        rows.append(_ours(corpora, questions, remembering, k, ChunkSettings(max_chars=length)))
    return rows


def find_data() -> Path:
    """The folder that ``ISKP_BENCH_DATA`` names, else the first usual place that is there.

    Raises:
        EvalError: none is; the message says where the data can be got and how to point at them.
    """
    named = os.environ.get(DATA_VARIABLE, "")
    for place in [named] if named else _DATA_PLACES:
        if (Path(place) / _QUESTIONS).is_file():
            return Path(place)
    tried = f"{DATA_VARIABLE} names {named!r}, which does not hold {_QUESTIONS}" if named else "no data were found"
    raise EvalError(
        f"{tried}: get them with 'git clone {_DATA_HOME}', and give the folder in it that holds {_QUESTIONS} and "
        f"corpora/ as DATA or in {DATA_VARIABLE}"
    )


def read_corpora(data: Path) -> dict[str, str]:
    """The corpora as they are, by name."""
    # newline="": offsets of the gold excerpts count what is in the file.
    texts = {}
    for file in sorted((data / "corpora").glob("*.md")):
        with file.open(encoding="utf-8", newline="") as stream:
            texts[file.stem] = stream.read()
    if not texts or not (data / _QUESTIONS).is_file():
        raise EvalError(f"{data} does not hold {_QUESTIONS} and corpora/*.md; give the folder of chunking_evaluation")
    return texts


def read_questions(data: Path, corpora: Mapping[str, str]) -> list[Question]:
    """The questions in file order; those whose excerpt is not where the file says are an error."""
    questions = []
    with (data / _QUESTIONS).open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            excerpts = [(int(r["start_index"]), int(r["end_index"])) for r in json.loads(row["references"])]
            questions.append(Question(text=row["question"], corpus=row["corpus_id"], excerpts=tuple(merged(excerpts))))
            if any(not 0 <= start < end <= len(corpora[row["corpus_id"]]) for start, end in excerpts):
                raise ValueError(f"an excerpt of {row['question']!r} lies outside its corpus")
    return questions


def merged(ranges: Sequence[Range]) -> list[Range]:
    """The same characters as disjoint ranges, in order."""
    out: list[Range] = []
    for start, end in sorted(ranges):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def overlap(question: Question, pieces: Sequence[Piece]) -> Overlap:
    """Recall, precision and IoU of what was retrieved for a question; nothing retrieved scores 0."""
    own = merged([(p.start, p.end) for p in pieces if p.corpus == question.corpus])
    common = sum(max(0, min(e, b) - max(s, a)) for s, e in question.excerpts for a, b in own)
    gold = sum(end - start for start, end in question.excerpts)
    retrieved = sum(p.end - p.start for p in pieces)
    return Overlap(
        recall=common / gold,
        precision=common / retrieved if retrieved else 0.0,
        iou=common / (gold + retrieved - common),
    )


def raw_ranges(raw: str, passages: Sequence[str]) -> list[Range]:
    """Where each passage lies in the file it came from, whose white space and mark-up were cleaned.

    Passages are looked for one after the other by their characters without white space. What the
    reader altered (a bullet, a link) makes a passage unfindable as a whole; then its first and last
    characters are looked for.

    Raises:
        ValueError: a passage is nowhere.
    """
    places = [i for i, char in enumerate(raw) if not char.isspace()]
    bare = "".join(raw[i] for i in places)
    out: list[Range] = []
    at = 0
    for passage in passages:
        wanted = "".join(passage.split())
        start = bare.find(wanted, at)
        end = start + len(wanted)
        if start < 0:
            start, end = _ends(bare, wanted, at)
        out.append((places[start], places[end - 1] + 1))
        at = end
    return out


def _ends(bare: str, wanted: str, at: int) -> Range:
    reach = at + 3 * len(wanted) + 20_000
    for size in (24, 12, 6):
        head, tail = wanted[:size], wanted[-size:]
        start = bare.find(head, at, reach)
        last = bare.find(tail, max(start, at), start + 2 * len(wanted) + 200) if start >= 0 else -1
        if last >= 0:
            return start, last + len(tail)
    raise ValueError(f"the passage {wanted[:80]!r} is not in the file")


class RememberingEncoder:
    """Another encoder that never embeds the same text twice."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[str, Vectors] = {}
        self.name = encoder.name
        self.dimension = encoder.dimension

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """Unit rows of the texts."""
        new = list(dict.fromkeys(t for t in texts if t not in self._known))
        if new:
            self._known.update(zip(new, self._encoder.encode(new), strict=True))
        if progress:
            progress(len(texts))
        return np.stack([self._known[t] for t in texts]) if texts else np.zeros((0, self.dimension), np.float32)

    def is_word(self, word: str) -> bool:
        """As the encoder says."""
        return self._encoder.is_word(word)


def _fixed(corpora: Mapping[str, str], questions: Sequence[Question], encoder: Encoder, k: int) -> Row:
    began = time.monotonic()
    pieces = [
        Piece(corpus=name, start=at, end=min(at + FIXED_CHARS, len(text)))
        for name, text in corpora.items()
        for at in range(0, len(text), FIXED_CHARS)
    ]
    rows = encoder.encode([corpora[p.corpus][p.start : p.end] for p in pieces])

    def retrieve(query: str, k: int) -> list[Piece]:
        similarity = cosine(encoder.encode([query])[0], rows)
        return [pieces[i] for i in np.argsort(-similarity, kind="stable")[:k]]

    return _row(f"fixed {FIXED_CHARS}, dense", questions, retrieve, pieces, k, began)


def _ours(
    corpora: Mapping[str, str], questions: Sequence[Question], encoder: Encoder, k: int, settings: ChunkSettings
) -> Row:
    began = time.monotonic()
    shelf = _Shelf(corpora)
    with (
        tempfile.TemporaryDirectory(prefix="iskp-bench-") as folder,
        _index(Path(folder), shelf, encoder, settings) as i,
    ):
        opened = i.current()
        assert opened is not None
        pieces: dict[str, Piece] = {}
        for name in corpora:
            passages = opened.passages_of(name)
            for passage, (start, end) in zip(
                passages, raw_ranges(corpora[name], [p.text for p in passages]), strict=True
            ):
                pieces[passage.id] = Piece(corpus=name, start=start, end=end)

        def retrieve(query: str, k: int) -> list[Piece]:
            return [pieces[hit.passage.id] for hit in opened.search(query, k)]

        return _row(f"ours {settings.max_chars}, hybrid", questions, retrieve, list(pieces.values()), k, began)


@contextmanager
def _index(folder: Path, shelf: _Shelf, encoder: Encoder, settings: ChunkSettings) -> Iterator[IndexReader]:
    sync(folder, shelf, encoder, settings)
    reader = IndexReader(folder, encoder, settings, lambda: Vocabulary.load(None))
    try:
        yield reader
    finally:
        reader.close()


class _Shelf:
    """The corpora read as plain text, which they are in spite of their names: Markdown would drop "<unk>" and "\\["."""

    def __init__(self, corpora: Mapping[str, str]) -> None:
        self._sources = {
            name: assemble(name, extract(text.encode(), name=f"{name}.txt"), fallback_title=name.replace("_", " "))
            for name, text in corpora.items()
        }

    def fingerprints(self) -> Mapping[str, str]:
        """Fingerprint of each corpus."""
        return {name: source.fingerprint for name, source in self._sources.items()}

    def get(self, source_id: str) -> Source:
        """One corpus."""
        return self._sources[source_id]


def _row(
    name: str, questions: Sequence[Question], retrieve: Retrieve, pieces: Sequence[Piece], k: int, began: float
) -> Row:
    scores = [overlap(q, retrieve(q.text, k)) for q in questions]
    corpora = sorted({q.corpus for q in questions})
    mean = _mean(scores)
    return Row(
        name=name,
        k=k,
        questions=len(questions),
        recall=mean.recall,
        precision=mean.precision,
        iou=mean.iou,
        recall_se=_standard_error([s.recall for s in scores]),
        iou_se=_standard_error([s.iou for s in scores]),
        passages=len(pieces),
        mean_chars=statistics.fmean(p.end - p.start for p in pieces),
        seconds=time.monotonic() - began,
        by_corpus={
            corpus: _mean([s for s, q in zip(scores, questions, strict=True) if q.corpus == corpus])
            for corpus in corpora
        },
    )


def _mean(scores: Sequence[Overlap]) -> Overlap:
    return Overlap(
        recall=statistics.fmean(s.recall for s in scores),
        precision=statistics.fmean(s.precision for s in scores),
        iou=statistics.fmean(s.iou for s in scores),
    )


def _standard_error(values: Sequence[float]) -> float:
    return statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0


def as_table(rows: Sequence[Row]) -> str:
    """The rows for a terminal: percent, ± one standard error."""
    lines = [f"{'':24}{'recall':>13}{'precision':>11}{'IoU':>13}{'passages':>10}{'chars':>7}{'seconds':>9}"]
    lines += [
        f"{r.name:24}{_percent(r.recall, r.recall_se):>13}{r.precision:>11.1%}{_percent(r.iou, r.iou_se):>13}"
        f"{r.passages:>10}{r.mean_chars:>7.0f}{r.seconds:>9.1f}"
        for r in rows
    ]
    return "\n".join(lines)


def _percent(value: float, error: float) -> str:
    return f"{value:.1%} ± {100 * error:.1f}"


def to_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as plain data."""
    return [asdict(row) for row in rows]
