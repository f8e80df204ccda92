"""Training groups: a question with a passage that answers it and passages that do not."""

from __future__ import annotations

import hashlib
import random
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.training.alter import altered, shortened
from eval.training.sets import Collection, Question
from index.embed import SentenceTransformerEncoder

CACHE = Path(tempfile.gettempdir()) / "reader_embed.npz"
"""Where vectors of texts are kept between runs."""

STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "the",
        "of",
        "in",
        "on",
        "at",
        "to",
        "for",
        "by",
        "with",
        "from",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "what",
        "which",
        "who",
        "whom",
        "whose",
        "when",
        "where",
        "why",
        "how",
        "that",
        "this",
        "it",
        "its",
        "and",
        "or",
        "as",
        "about",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What the network reads once; ``labels`` has one entry a sentence, ``span`` as in ``Question``."""

    question: str
    context: str
    sentences: tuple[str, ...]
    labels: tuple[bool, ...]
    span: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """For each question, passages by falling similarity: of its own article, and of others."""

    near: list[tuple[int, ...]]
    far: list[tuple[int, ...]]


def embed(texts: Sequence[str], cache: Path) -> NDArray[np.float32]:
    """``(n, 384)`` unit rows by MiniLM; known texts come from the cache file."""
    keys = [hashlib.sha1(t.encode(), usedforsecurity=False).hexdigest() for t in texts]
    known: dict[str, NDArray[np.float32]] = {}
    if cache.exists():
        with np.load(cache) as stored:
            known = dict(zip(stored["keys"].tolist(), stored["rows"], strict=True))
    missing = {k: t for k, t in zip(keys, texts, strict=True) if k not in known}
    if missing:
        rows = SentenceTransformerEncoder().encode(list(missing.values()))
        known |= dict(zip(missing, rows, strict=True))
        np.savez(cache, keys=np.array(list(known)), rows=np.stack(list(known.values())))
    return np.stack([known[k] for k in keys])


def neighbours(collection: Collection, cache: Path, *, keep: int = 6) -> Neighbours:
    """Ranks the wrong passages of every question, the most tempting first."""
    passages = embed([f"{p.title}. {p.text}" for p in collection.passages], cache)
    asked = embed([q.text for q in collection.questions], cache)
    articles = np.array([p.article for p in collection.passages])
    found = Neighbours(near=[], far=[])
    for question, vector in zip(collection.questions, asked, strict=True):
        similar = passages @ vector
        found.near.append(tuple(sorted(question.near, key=lambda i: -float(similar[i]))[:keep]))
        own = articles == articles[next(iter(question.gold), question.near[0] if question.near else 0)]
        similar[own] = -1.0
        found.far.append(tuple(int(i) for i in np.argsort(-similar)[:keep]))
    return found


def _names(text: str) -> list[str]:
    """Capitalised words after the first, and years."""
    return re.findall(r"(?<=\s)[A-Z][\w'’-]+(?:\s[A-Z][\w'’-]+)*|\b(?:1[5-9]|20)\d\d\b", text)


class Sampler:
    """Draws a group for a question; the first example of the group of an answerable one answers."""

    def __init__(self, collection: Collection, wrong: Neighbours, rng: random.Random, *, negatives: int = 1) -> None:
        self._passages = collection.passages
        self._wrong = wrong
        self._rng = rng
        self._negatives = negatives
        self._names = {
            source: sorted({n for q in collection.questions if q.source == source for n in _names(q.text)})
            for source in {q.source for q in collection.questions}
        }

    def group(self, index: int, question: Question) -> list[Example]:
        """The examples of one question; its wording varies from call to call."""
        text = self._reworded(question.text) if question.mode == "answer" else question.text
        if question.source == "scripted":
            text = shortened(text, self._rng)
        examples = [self._positive(text, question)] if question.gold else []
        for _ in range(self._negatives):
            examples.append(self._negative(text, index, question))
        return examples

    def _positive(self, text: str, question: Question) -> Example:
        at = self._rng.choice(list(question.gold))
        order = list(range(len(self._passages[at].sentences)))
        order = self._window(order, set(question.gold[at]), at)
        return self._example(text, at, order, question)

    def _negative(self, text: str, index: int, question: Question) -> Example:
        draw = self._rng.random()
        if question.mode == "support" and question.gold and draw < 0.7:
            return self._altered(text, index, question)
        swapped = self._about_another(text, question) if question.gold and draw < 0.12 else None
        if swapped:
            at = self._rng.choice(list(question.gold))
            order = self._window(list(range(len(self._passages[at].sentences))), set(question.gold[at]), at)
            example = self._example(swapped, at, order, question)
            return replace(example, labels=tuple(False for _ in order), span=None)
        if question.gold and draw < 0.45:
            at = self._rng.choice(list(question.gold))
            order = [i for i in range(len(self._passages[at].sentences)) if i not in question.gold[at]]
            if order:
                return self._example(text, at, self._window(order, set(), at), question)
        near, far = self._wrong.near[index], self._wrong.far[index]
        at = self._favourite(near if near and (draw < 0.85) else far)
        return self._example(
            text, at, self._window(list(range(len(self._passages[at].sentences))), set(), at), question
        )

    def _altered(self, text: str, index: int, question: Question) -> Example:
        """The claim changed so that its own passage does not carry it; another passage if it cannot be changed."""
        at = self._rng.choice(list(question.gold))
        elsewhere = self._passages[self._favourite(self._wrong.far[index])].text
        beside = " ".join(s for i, s in enumerate(self._passages[at].sentences) if i not in question.gold[at])
        changed = altered(text, _names(beside if self._rng.random() < 0.5 else elsewhere), self._rng)
        if changed is None:
            at, changed = self._favourite(self._wrong.far[index]), text
        order = list(range(len(self._passages[at].sentences)))
        example = self._example(changed, at, self._window(order, set(question.gold.get(at, ())), at), question)
        return replace(example, labels=tuple(False for _ in example.labels), span=None)

    def _about_another(self, text: str, question: Question) -> str | None:
        """The question with a name or a year replaced by one that is nowhere in its passages."""
        there = " ".join(self._passages[at].text for at in question.gold)
        own = [n for n in _names(text) if n in there]
        if not own:
            return None
        name = self._rng.choice(own)
        year = name.isdigit()
        others = [n for n in self._names[question.source] if n.isdigit() == year and n not in there]
        return text.replace(name, self._rng.choice(others)) if others else None

    def _favourite(self, ranked: Sequence[int]) -> int:
        return ranked[min(int(self._rng.expovariate(0.7)), len(ranked) - 1)]

    def _example(self, text: str, at: int, order: list[int], question: Question) -> Example:
        passage = self._passages[at]
        gold = question.gold.get(at, ())
        span = None
        if question.span and question.span[0] == at and question.span[1] in order:
            span = (order.index(question.span[1]), *question.span[2:])
        return Example(
            question=text,
            context="" if self._rng.random() < 0.2 else passage.title,
            sentences=tuple(passage.sentences[i] for i in order),
            labels=tuple(i in gold for i in order),
            span=span,
        )

    def _window(self, order: list[int], keep: set[int], at: int) -> list[int]:
        """A stretch of about the length of a paragraph that holds one of ``keep``, now and then reordered."""
        sentences = self._passages[at].sentences
        words = self._rng.choice((40, 90, 120, 150))
        must = self._rng.choice([i for i, s in enumerate(order) if not keep or s in keep])
        low = high = must
        size = len(sentences[order[must]].split())
        while True:
            sides = [i for i in (low - 1, high + 1) if 0 <= i < len(order)]
            if not sides:
                break
            step = self._rng.choice(sides)
            size += len(sentences[order[step]].split())
            if size > words:
                break
            low, high = min(low, step), max(high, step)
        chosen = order[low : high + 1]
        if self._rng.random() < 0.08:
            self._rng.shuffle(chosen)
        return chosen

    def _reworded(self, text: str) -> str:
        draw = self._rng.random()
        words = text.rstrip(" ?").split()
        if draw < 0.08:
            kept = [w for w in words if w.lower() not in STOP_WORDS]
            return " ".join(kept if len(kept) > 2 else words)
        if draw < 0.16:
            return " ".join(self._mistyped(w) if len(w) > 4 and self._rng.random() < 0.25 else w for w in words)
        return " ".join(words) if draw < 0.35 else text

    def _mistyped(self, word: str) -> str:
        i = self._rng.randrange(1, len(word) - 1)
        return self._rng.choice(
            (
                word[:i] + word[i + 1 :],
                word[: i - 1] + word[i] + word[i - 1] + word[i + 1 :],
                word[:i] + word[i] + word[i:],
            )
        )
