"""Questions, passages and which sentences answer, from public sets and from our own articles.

Everything is read from folders given by the caller; nothing is downloaded or copied.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.sentences import sentence_spans

CHUNKING_CORPORA = ("state_of_the_union", "wikitexts", "pubmed")
"""Those of the five corpora that are prose; chat logs and tables are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A paragraph split in sentences; ``article`` groups passages of one text, ``title`` may be empty."""

    article: str
    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The sentences joined by blanks."""
        return " ".join(self.sentences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question or (``mode`` support) a claim.

    Attributes:
        gold: passage index -> indices of its answering sentences; empty if nothing answers.
        near: passages that look as if they answered but do not, of the same article.
        span: passage, sentence, start, end (characters in the sentence) of the short answer.
        held_out: kept for measuring, never trained on.
    """

    text: str
    source: str
    kind: str
    mode: str = "answer"
    gold: dict[int, tuple[int, ...]] = field(default_factory=dict)
    near: tuple[int, ...] = ()
    span: tuple[int, int, int, int] | None = None
    held_out: bool = False


@dataclass(slots=True)
class Collection:
    """All passages and the questions over them; questions name passages by index."""

    passages: list[Passage] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)

    def add(self, article: str, title: str, sentences: Iterable[str]) -> int:
        """Index of the new passage."""
        self.passages.append(Passage(article=article, title=title, sentences=tuple(sentences)))
        return len(self.passages) - 1


def load_all(public: Path, own: Path) -> Collection:
    """Every set that is there."""
    collection = Collection()
    read_xquad(collection, public / "xquad" / "xquad.en.json")
    read_selqa(collection, public / "selqa")
    read_clapnq(collection, public / "clapnq")
    read_chunking(collection, public / "chunking_evaluation")
    read_own(collection, own)
    add_claims(collection)
    return collection


def read_xquad(into: Collection, path: Path) -> None:
    """Wikipedia paragraphs; every fourth article is held out."""
    for number, article in enumerate(json.loads(path.read_text())["data"]):
        name = f"xquad:{article.get('title', number)}:{number}"
        title = article.get("title", "").replace("_", " ")
        spans = [sentence_spans(p["context"]) for p in article["paragraphs"]]
        own = [
            into.add(name, title, (p["context"][a:b] for a, b in s))
            for p, s in zip(article["paragraphs"], spans, strict=True)
        ]
        for at, paragraph, sentences in zip(own, article["paragraphs"], spans, strict=True):
            for qa in paragraph["qas"]:
                start = qa["answers"][0]["answer_start"]
                end = start + len(qa["answers"][0]["text"])
                hit = next(i for i, (a, b) in enumerate(sentences) if a <= start < b)
                a, b = sentences[hit]
                into.questions.append(
                    Question(
                        text=qa["question"],
                        source="xquad",
                        kind="fact",
                        gold={at: (hit,)},
                        near=tuple(i for i in own if i != at),
                        span=(at, hit, start - a, min(end, b) - a),
                        held_out=number % 4 == 3,
                    )
                )


def read_selqa(into: Collection, folder: Path) -> None:
    """Wikipedia sections; about 15 % of the articles are held out."""
    rows = [row for name in ("dev.json", "test.json") for row in json.loads((folder / name).read_text())]
    sections: dict[tuple[str, ...], int] = {}
    of_article: dict[str, list[int]] = defaultdict(list)
    seen: list[tuple[dict[str, object], int, tuple[int, ...]]] = []
    for row in rows:
        kept = [i for i, s in enumerate(row["candidates"]) if s.strip()]
        sentences = tuple(row["candidates"][i].strip() for i in kept)
        if not sentences:
            continue
        if sentences not in sections:
            title = f"{row['article']} - {row['section']}".replace("_", " ")
            sections[sentences] = into.add(f"selqa:{row['article']}", title, sentences)
            of_article[row["article"]].append(sections[sentences])
        answers = tuple(kept.index(i) for i in row["answers"] if i in kept)
        seen.append((row, sections[sentences], answers))
    for row, at, answers in seen:
        article = str(row["article"])
        into.questions.append(
            Question(
                text=str(row["question"]),
                source="selqa",
                kind=str(row["q_types"]),
                gold={at: answers} if answers else {},
                near=tuple(i for i in of_article[article] if i != at) if answers else (at,),
                held_out=_share(article) < 0.15,
            )
        )


def read_clapnq(into: Collection, folder: Path) -> None:
    """Search questions with long answers; every second item is held out."""
    for name in ("answerable", "unanswerable"):
        lines = (folder / f"{name}.jsonl").read_text().splitlines()
        for number, line in enumerate(lines):
            row = json.loads(line)
            passage = row["passages"][0]
            at = into.add(f"clapnq:{passage['title']}", passage["title"], passage["sentences"])
            chosen = row["output"][0].get("selected_sentences") or [] if row.get("output") else []
            answers = tuple(i for i, s in enumerate(passage["sentences"]) if s in chosen)
            if bool(answers) != (name == "answerable"):
                _skip(f"clapnq {name} item {number}: its selected sentences are not in the passage")
                continue
            into.questions.append(
                Question(
                    text=row["input"],
                    source="clapnq",
                    kind=name,
                    gold={at: answers} if answers else {},
                    near=() if answers else (at,),
                    held_out=number % 2 == 1,
                )
            )


def add_claims(into: Collection, *, share: float = 0.3) -> None:
    """Claims that are sentences of the passages; the sampler shortens them and alters copies of them.

    Nothing is taken from an article that any held-out question is about. ``share`` of the sentences of 8 to 40
    words is taken.
    """
    closed = {into.passages[p].article for q in into.questions if q.held_out for p in (*q.gold, *q.near)}
    members: dict[str, list[int]] = defaultdict(list)
    for at, passage in enumerate(into.passages):
        members[passage.article].append(at)
    for at, passage in enumerate(into.passages):
        if passage.article in closed:
            continue
        for i, sentence in enumerate(passage.sentences):
            if 8 <= len(sentence.split()) <= 40 and _share(f"claim {sentence}") < share:
                near = tuple(p for p in members[passage.article] if p != at)
                into.questions.append(
                    Question(
                        text=sentence, source="scripted", kind="sentence", mode="support", gold={at: (i,)}, near=near
                    )
                )


def read_chunking(into: Collection, folder: Path) -> None:
    """Questions whose answers are marked excerpts of a long text; a passage is up to six sentences."""
    with (folder / "questions_df.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for corpus in CHUNKING_CORPORA:
        text = (folder / "corpora" / f"{corpus}.md").read_text()
        mine = [row for row in rows if row["corpus_id"] == corpus]
        excerpts = [[(r["start_index"], r["end_index"]) for r in json.loads(row["references"])] for row in mine]
        spans = [(a, b) for a, b in sentence_spans(text) if b - a < 700]
        gold: list[dict[int, tuple[int, ...]]] = [{} for _ in mine]
        for low in range(0, len(spans), 6):
            block = spans[low : low + 6]
            if not any(a < block[-1][1] and block[0][0] < b for own in excerpts for a, b in own):
                continue
            at = into.add(f"chunking:{corpus}", "", (" ".join(text[a:b].split()) for a, b in block))
            for found, own in zip(gold, excerpts, strict=True):
                inside = tuple(i for i, s in enumerate(block) if any(_covers(e, s) for e in own))
                if inside:
                    found[at] = inside
        for row, found in zip(mine, gold, strict=True):
            if found:
                into.questions.append(Question(text=row["question"], source="chunking", kind=corpus, gold=found))


def read_own(into: Collection, folder: Path) -> None:
    """Our own articles; about 15 % of them are held out. Invalid lines are named and skipped."""
    for path in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            try:
                read_own_article(into, json.loads(line))
            except (ValueError, KeyError, TypeError, IndexError) as exc:
                _skip(f"{path.name} line {number}: {type(exc).__name__}: {exc}")


def read_own_article(into: Collection, row: dict[str, object]) -> None:
    """Adds one article with its questions and claims; adds nothing if any part of it is invalid."""
    article = json.loads(json.dumps(row))  # untyped from here
    own: list[Question] = []
    base = len(into.passages)
    paragraphs: list[list[str]] = article["paragraphs"]
    everywhere = tuple(range(base, base + len(paragraphs)))
    held_out = _share(str(article["id"])) < 0.15
    for q in article["questions"]:
        gold = _gold(q["answers"], paragraphs, base)
        span = None
        if q.get("short"):
            p, s = q["answers"][0]
            start = paragraphs[p][s].find(q["short"])
            span = (base + p, s, start, start + len(q["short"])) if start >= 0 else None
        near = tuple(i for i in everywhere if i not in gold)
        own.append(
            Question(text=q["q"], source="own", kind=q["kind"], gold=gold, near=near, span=span, held_out=held_out)
        )
    for c in article.get("claims", ()):
        evidence = _gold(c["evidence"], paragraphs, base)
        supported = {"supported": True, "unsupported": False}[c["label"]]
        if supported and not evidence:
            raise ValueError(f"supported claim without evidence: {c['claim']!r}")
        near = tuple(i for i in everywhere if i not in evidence) if supported else tuple(evidence) or everywhere
        own.append(
            Question(
                text=c["claim"],
                source="own",
                kind=c["kind"],
                mode="support",
                gold=evidence if supported else {},
                near=near,
                held_out=held_out,
            )
        )
    name = f"own:{article['id']}"
    for sentences in paragraphs:
        into.add(name, article["title"], sentences)
    into.questions.extend(own)


def _gold(pairs: Sequence[Sequence[int]], paragraphs: list[list[str]], base: int) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = defaultdict(list)
    for p, s in pairs:
        if not (0 <= p < len(paragraphs) and 0 <= s < len(paragraphs[p])):
            raise ValueError(f"no sentence [{p}, {s}]")
        found[base + p].append(s)
    return {p: tuple(sorted(set(s))) for p, s in found.items()}


def _covers(excerpt: tuple[int, int], sentence: tuple[int, int]) -> bool:
    shared = min(excerpt[1], sentence[1]) - max(excerpt[0], sentence[0])
    return shared * 2 >= sentence[1] - sentence[0]


def _share(key: str) -> float:
    """A number in [0, 1) that depends on the key alone, so that splits stay the same."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4]) / 2**32


def _skip(message: str) -> None:
    print(f"skipped {message}", file=sys.stderr)


def by_source(questions: Iterable[Question]) -> Iterator[tuple[str, int]]:
    """How many there are of each source, mode and split."""
    counts: dict[str, int] = defaultdict(int)
    for q in questions:
        part = "held out" if q.held_out else "train"
        counts[f"{q.source} {q.mode} {'answerable' if q.gold else 'not'} {part}"] += 1
    yield from sorted(counts.items())
