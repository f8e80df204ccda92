"""Train what tells the form of a wanted answer and what a turn does with the answer before, on ``requests/shapes`` and ``requests/turnings``.

python -m eval.training.shapes --out app/question/shapes.safetensors
python -m eval.training.shapes --turns FILE.jsonl           which turns of conversations do something with the answer before
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from app.question.forms import SHAPES, TURNINGS, shares
from app.question.tasks import TASKS, default
from eval.training.policy import articles, lines, misspell, requests, sections, trained
from eval.training.tasks import averaged, filled, keywords
from index.onnx_encoder import OnnxEncoder

if TYPE_CHECKING:
    import torch

Row = tuple[str, str]
"""A text and what it is."""
FRAMES = (
    *["{}"] * 12, "Hello, {}", "hi, {}", "{} Thanks.", "{} please", "please {}", "ok, {}", "So {}", "Quick question: {}", "and {}",
    "Thanks. {}", "hm, {}", "As a student I ask: {}", "For my article: {}",
)  # fmt: skip
"""The same around texts of every kind, so that a frame by itself says nothing."""
MOST = {"shape": 900, "turning": 500}
"""Texts of a class; its lines are repeated with other slots and frames up to it."""
PLAIN = {"shape": 2000, "turning": 1500}
"""Texts out of the templates of the plain class, which stands first."""
PLAIN_WORTH = {"shape": 2.0, "turning": 12.0}
"""How much all texts of the plain class count together, in texts of one other class: it is asked for most."""
OTHERS = 5000
"""Texts of the classifiers of policy and tasks, every one a question of its own."""
NETWORKS, UNITS = 2, 40
_AUXILIARY = re.compile(
    r"(?:so |and )?(?:is|are|was|were|do|does|did|has|have|had|will|would|can|could|should)(?:n't)? \w", re.I
)
_WHY = re.compile(r"(?:so |and )?(?:why|how come|what (?:caused|explains|led))\b", re.I)
_COMPARED = re.compile(r"compar|differen|differ\b|\bversus\b|\bvs\b|\bthan\b", re.I)
_MANY = re.compile(r"(?:which|what|who|list|name)\b", re.I)
_WHAT_IS = re.compile(r"(?:what|who)(?:'s| is| are| was| were| does| exactly)\b(?! the\b)|define|meaning|explain", re.I)
_PLURAL = re.compile(r"(?:which|what) (?:\w+ )?\w{2,}[^s\W]s\b", re.I)
_WHAT_IS_ANY = re.compile(r"(?:what|who)(?:'s| is| are| was| were)\b|explain|history|list\b|name\b", re.I)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--turns", type=Path, help="MT-RAG's file of tasks; used to measure only")
    options = parser.parse_args()
    if options.out:
        train(options.out)
    if options.turns:
        measure(options.turns)


def train(out: Path) -> None:
    """Write the weights of both."""
    tensors: dict[str, NDArray[Any]] = {}
    for name, names, rows in (
        ("shape", SHAPES, shape_examples(random.Random(11))),
        ("turning", TURNINGS, turning_examples(random.Random(12))),
    ):
        began = time.monotonic()
        tensors |= fitted(name, names, rows)
        shown = ", ".join(f"{label} {count}" for label, count in sorted(Counter(label for _, label in rows).items()))
        print(f"{name}: {len(rows)} texts ({shown}), {time.monotonic() - began:.0f} s", flush=True)
    save_file(tensors, out)


def fitted(name: str, names: Sequence[str], rows: Sequence[Row]) -> dict[str, NDArray[Any]]:
    """The tensors of one network that tells ``names`` apart."""
    import torch
    from torch import nn

    labels = [names.index(label) for _, label in rows]
    counts = Counter(labels)
    worth = torch.tensor([(1.0 if n else PLAIN_WORTH[name]) / counts[n] for n in range(len(names))])
    worth, wanted = worth / worth.mean(), torch.tensor(labels)

    def loss(found: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(found, wanted[at], weight=worth)

    states = OnnxEncoder().states([text for text, _ in rows])
    found = [trained(states, None, len(names), loss, name, seed, units=UNITS) for seed in range(NETWORKS)]
    return averaged(found, name)


def shape_examples(rng: random.Random) -> list[Row]:
    """Texts with the form of answer that they want."""
    rows = written("shape", SHAPES, rng)
    told = [(q["q"], label) for article in articles() for q in article["questions"] if (label := asked_for(q))]
    rows += [(altered(text, rng) if rng.random() < 0.3 else text, label) for text, label in told]
    return rows + [(text, "point") for text in rng.sample(keywords(rng), 600)]


def asked_for(question: dict[str, Any]) -> str | None:
    """The form that a question of our own articles wants, by its kind and its first words; None where they leave doubt."""
    text, kind = question["q"], question["kind"]
    if _COMPARED.search(text):
        return None
    if kind == "why" or _WHY.match(text):
        return "why"
    if kind == "yesno" or _AUXILIARY.match(text):
        return "verdict"
    if kind == "list":
        return "list" if _MANY.match(text) else None
    if kind == "definition":
        return "definition" if _WHAT_IS.match(text) else None
    return None if kind == "multi" or _WHAT_IS_ANY.match(text) or _PLURAL.match(text) else "point"


def turning_examples(rng: random.Random) -> list[Row]:
    """Texts with what they do with the answer before."""
    rows = written("turning", TURNINGS, rng)
    known = {_bare(line) for label in TURNINGS[1:] for line in lines(f"turnings/{label}.txt")}
    slots = sections("shapes/slots.txt")
    asked = [filled(line, slots, rng) for shape in SHAPES for line in lines(f"shapes/{shape}.txt") for _ in range(3)]
    task_slots = sections("tasks/slots.txt")
    asked += [
        filled(line, task_slots, rng) for task in TASKS if task != "talk-trust" for line in lines(f"tasks/{task}.txt")
    ]
    asked += rng.sample(requests(rng, 6000, 0)[0], OTHERS)
    asked += [*lines("remarks.txt"), *rng.sample(keywords(rng), 800)]
    plain = [text for text in asked if _bare(text) not in known]
    return rows + [(altered(text, rng) if rng.random() < 0.4 else text, "new") for text in plain]


def written(name: str, names: Sequence[str], rng: random.Random) -> list[Row]:
    """The lines of our files, as they stand and altered."""
    slots = sections("shapes/slots.txt")
    rows = []
    for label in names:
        texts = lines(f"{name}s/{label}.txt")
        for n in range(PLAIN[name] if label == names[0] else MOST[name]):
            text = filled(texts[n % len(texts)], slots, rng)
            rows.append((text if n < len(texts) else altered(text, rng), label))
    return rows


def altered(text: str, rng: random.Random) -> str:
    """The text in a frame, sometimes misspelt, in capitals, or without capitals and marks."""
    if rng.random() < 0.15:
        text = misspell(text, rng)
    text = rng.choice(FRAMES).format(text)
    style = rng.random()
    if style < 0.35:
        return text.lower().rstrip("?.!") or text
    return text.upper() if style < 0.37 else text[0].upper() + text[1:] if style < 0.5 else text


def measure(file: Path) -> None:
    """Print which of the people's turns are taken for something else than a question of its own, the surest first."""
    turns: dict[str, None] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        turns |= {t["text"].strip().strip('"'): None for t in json.loads(line)["input"] if t["speaker"] == "user"}
    states = default().states
    rows = []
    for text in turns:
        found = shares(states(text), "turning")
        best = int(np.argmax(found))
        if best:
            rows.append((float(found[best]), TURNINGS[best], text))
    for share, label, text in sorted(rows, reverse=True):
        print(f"{share:.3f} {label:10} {text[:140]}")
    print(f"{len(turns)} turns")


def _bare(text: str) -> str:
    return text.casefold().strip(" ?.!")


if __name__ == "__main__":
    main()
