"""What the parts that understand a turn are worth: each switched off, over conversations and questions as people type them.

python -m eval.bench.talk --data DIR --work DIR [--article FILE]     the sets of ``eval.bench.items``
"""

from __future__ import annotations

import argparse
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from app.home import Home
from app.question import followup, forms, request
from eval.bench.items import Item, asked, gathered, remembering

SETS = ("mtragun", "analyst")
DEPTH = 5
"""Passages among which a relevant one is looked for."""


@contextmanager
def _put(owner: Any, name: str, value: Any) -> Iterator[None]:
    held = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, held)


@contextmanager
def no_forms() -> Iterator[None]:
    """Every question is a point question, and every turn a new one."""
    with _put(forms, "shape", lambda states: "point"), _put(forms, "turning", lambda states: "new"):
        yield


@contextmanager
def no_tasks() -> Iterator[None]:
    """Nothing is talk or about the list of sources."""
    with _put(request.Parser, "_task", lambda self, *given, **named: "other"):
        yield


@contextmanager
def no_state() -> Iterator[None]:
    """Each turn is read without those before it."""
    whole = request.Parser.parse

    def parse(self: request.Parser, text: str, history: Sequence[Any] = (), **named: Any) -> request.Request:
        return whole(self, text, (), **named)

    with _put(request.Parser, "parse", parse):
        yield


@contextmanager
def no_candidates() -> Iterator[None]:
    """Grammar alone chooses: the first reading of a turn is the only one."""
    whole = followup.readings

    def readings(turn: str, state: Any) -> followup.Readings:
        found = whole(turn, state)
        return replace(found, found=found.found[:1], rivals=False)

    with _put(followup, "readings", readings):
        yield


@contextmanager
def shipped() -> Iterator[None]:
    """All parts on."""
    yield


VARIANTS: Mapping[str, Callable[[], Any]] = {
    "shipped": shipped, "no forms of answer": no_forms, "no talk, no catalogue": no_tasks, "no state": no_state, "no candidates": no_candidates,
}  # fmt: skip


def right(items: Sequence[Item], homes: Mapping[str, Home]) -> dict[str, float]:
    """Share right by set."""
    found: dict[str, list[float]] = defaultdict(list)
    for item in items:
        found[item.set].append(asked(item, homes[item.home]))
    return {name: float(np.mean(values)) for name, values in found.items()}


def recall(items: Sequence[Item], home: Home) -> tuple[float, float, int]:
    """Share of follow-ups with a relevant passage among the first :data:`DEPTH`: by our standalone question, by the turn as typed; and n."""
    opened = home.index.current()
    assert opened is not None
    hit: dict[str, list[bool]] = {"ours": [], "typed": []}
    for item in items:
        if not item.relevant or not item.history:
            continue
        ours = home.answerer.answer(item.turns[0], item.history).standalone_question
        for name, text in (("ours", ours), ("typed", item.turns[0])):
            ids = [h.passage.source_id.lower() for h in opened.search(text, DEPTH)]
            hit[name].append(any(wanted in i for wanted in item.relevant for i in ids))
    return float(np.mean(hit["ours"])), float(np.mean(hit["typed"])), len(hit["ours"])


def main(argv: Sequence[str] | None = None) -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--article", type=Path, default=Path("no-article"))
    given = parser.parse_args(argv)
    remembering()
    items, homes = gathered(given.data, given.work, given.article)
    items = sorted((i for i in items if i.set in SETS), key=lambda i: zlib.crc32(i.id.encode()))
    ours, typed, n = recall(items, homes["mtragun"])
    print(f"recall@{DEPTH} of {n} follow-ups: standalone {ours:.3f}, as typed {typed:.3f}", flush=True)
    print("| | " + " | ".join(SETS) + " |\n|---" + "|---" * len(SETS) + "|")
    for name, variant in VARIANTS.items():
        with variant():
            shares = right(items, homes)
        print(f"| {name} | " + " | ".join(f"{shares[s]:.3f}" for s in SETS) + " |", flush=True)


if __name__ == "__main__":
    main()
