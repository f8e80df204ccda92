"""Train the classifier of tasks on the texts in ``requests/tasks``, those of the policy and the questions of our own articles.

python -m eval.training.tasks --out app/question/tasks.safetensors
python -m eval.training.tasks --turns FILE.jsonl            which turns of conversations it takes for talk or catalogue
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from app.question.tasks import TASKS, Task, default
from eval.training.policy import articles, lines, misspell, requests, sections, trained
from index.onnx_encoder import OnnxEncoder
from index.terms import tokens

if TYPE_CHECKING:
    import torch

FRAMES = (
    "{}", "{}", "{}", "{}", "{}", "{}", "Hello, {}", "Hi! {}", "hey, {}", "Good morning. {}", "{} Thanks.", "{} please", "Please: {}",
    "ok, {}", "So {}", "Thanks. {}", "Quick question: {}", "One more thing: {}", "I would like to know: {}", "and {}",
)  # fmt: skip
"""The same around questions of every kind, so that courtesy around a question says nothing."""
UNFRAMED = ("talk-greeting", "talk-thanks", "talk-farewell", "talk-complaint", "talk-nonsense")
OF_CATALOGUE = ("the article", "the author", "the sources", "the newest source")
"""Things that people look up in ``lookups.txt``, which here are no clear case of either."""
MOST = 300
"""Texts of a class; those of a few lines are repeated with other slots and frames up to it."""
OTHERS = 12000
"""Texts of the classifier of the policy, every one about something else than the program."""
KEYWORDS = 2500
NETWORKS = 4
_WORK = re.compile(
    r"\b(?:your |the |this )?(?:sources?|documents?|articles?|texts?|reports?|publications?|{kind}|collection|library|archive|database)\b|{kind}"
)
"""What makes a question one about the catalogue."""
CONTRASTS = 3
_SLOT = re.compile(r"{(\w+)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--questions", type=int, default=2000, help="how many questions of our articles are examples")
    parser.add_argument("--turns", type=Path, help="MT-RAG's file of tasks; used to measure only")
    options = parser.parse_args()
    if options.turns:
        measure(options.turns)
    if options.out:
        train(options.out, options.questions)


def train(out: Path, questions: int) -> None:
    """Write the weights."""
    import torch
    from torch import nn

    began = time.monotonic()
    rows = examples(random.Random(7), questions)
    texts, tasks = [t for t, _ in rows], [TASKS.index(task) for _, task in rows]
    counts = Counter(tasks)
    worth = torch.tensor([_worth(TASKS[n]) / counts[n] for n in range(len(TASKS))])
    worth, wanted = worth / worth.mean(), torch.tensor(tasks)

    def loss(found: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(found, wanted[at], weight=worth)

    states = OnnxEncoder().states(texts)
    tensors = averaged([trained(states, None, len(TASKS), loss, "task", seed) for seed in range(NETWORKS)], "task")
    tensors["words"] = np.frombuffer(" ".join(catalogue_words()).encode(), dtype=np.uint8)
    save_file(tensors, out)
    shown = ", ".join(f"{TASKS[n]} {c}" for n, c in sorted(counts.items()))
    print(f"{len(texts)} texts ({shown}), {time.monotonic() - began:.0f} s, {out}")


def averaged(networks: Sequence[Mapping[str, NDArray[Any]]], name: str) -> dict[str, NDArray[Any]]:
    """One network whose outputs are the mean of those of several: their units stand side by side."""
    side = {key: np.concatenate([n[f"{name}.{key}"] for n in networks]) for key in ("hidden", "hidden_bias")}
    out = np.concatenate([n[f"{name}.out"] for n in networks], axis=1) / len(networks)
    bias = np.mean([n[f"{name}.bias"] for n in networks], axis=0)
    return {f"{name}.{key}": value.astype(np.float16) for key, value in {**side, "out": out, "bias": bias}.items()}


def catalogue_words() -> list[str]:
    """The words that questions about sources are made of, without what stands in their slots."""
    texts = [line for task in TASKS if task.startswith("catalogue") for line in lines(f"tasks/{task}.txt")]
    return sorted({t.casefold() for text in texts for t in tokens(_SLOT.sub(" ", text))})


def examples(rng: random.Random, questions: int) -> list[tuple[str, Task]]:
    """Texts with their tasks: as written, with their slots filled, and altered."""
    slots = sections("tasks/slots.txt")
    rows: list[tuple[str, Task]] = []
    for task in TASKS:
        written = lines(f"tasks/{task}.txt")
        most = 8 * len(written) if task == "other" else max(MOST, 3 * len(written))
        for n in range(most):
            text = filled(written[n % len(written)], slots, rng)
            rows.append((text if n < len(written) else altered(text, task, rng), task))
        if task.startswith("catalogue") and task != "catalogue-record":
            found = [contrast(line, slots, rng) for line in written if _WORK.search(line) for _ in range(CONTRASTS)]
            rows += [(altered(text, "other", rng), "other") for text in found]
    talk = {version for line in lines("talk.txt") for version in (line, line.lower().rstrip("?.!"))}
    asked = [
        t for t in requests(rng, questions, 0)[0] if t not in talk and not any(thing in t for thing in OF_CATALOGUE)
    ]
    for text in (*rng.sample(asked, OTHERS), *lines("remarks.txt"), *keywords(rng)):
        rows.append((text if rng.random() < 0.6 else altered(text, "other", rng), "other"))
    return rows


def contrast(text: str, slots: dict[str, list[str]], rng: random.Random) -> str:
    """The same asked of other things than sources: "which is the newest bridge?"."""

    def other(match: re.Match[str]) -> str:
        plural = match[0].endswith("s") or match[0] == "{kind}"
        before = "the " if match[0].startswith(("the ", "your ", "this ")) else ""
        return f"{before}{rng.choice(slots['thing'])}{'s' if plural else ''}"

    return filled(_WORK.sub(other, text), slots, rng)


def keywords(rng: random.Random) -> list[str]:
    """Search words: one to three that follow each other in our own articles, as written or in small letters."""
    sentences = [s for article in articles() for paragraph in article["paragraphs"] for s in paragraph]
    found = []
    for sentence in rng.sample(sentences, KEYWORDS):
        words = [w for w in re.findall(r"[\w-]+", sentence) if len(w) > 3 or w.isupper()]
        if words:
            first, most = rng.randrange(len(words)), rng.randint(1, 3)
            text = " ".join(words[first : first + most])
            found.append(text.lower() if rng.random() < 0.4 else text)
    return found


def filled(text: str, slots: dict[str, list[str]], rng: random.Random) -> str:
    """The text with something in the place of each name in braces, and of those in it."""
    while _SLOT.search(text):
        text = _SLOT.sub(lambda m: rng.choice(slots[m[1]]), text)
    return text


def altered(text: str, task: Task, rng: random.Random) -> str:
    """The text in a frame, sometimes misspelt, in capitals, or without capitals and marks."""
    if rng.random() < 0.15:
        text = misspell(text, rng)
    if task not in UNFRAMED:
        text = rng.choice(FRAMES).format(text)
    style = rng.random()
    if style < 0.3:
        return text.lower().rstrip("?.!") or text
    return text.upper() if style < 0.33 else f"{text}!" if style < 0.4 and task in UNFRAMED else text


def _worth(task: Task) -> float:
    """How much all texts of a task count together: the search is asked for most, and every mistake about it is worst."""
    return 24.0 if task == "other" else 1.0


def measure(file: Path) -> None:
    """Print which of the people's turns are taken for talk or catalogue, the surest first."""
    turns: dict[str, None] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        turns |= {t["text"].strip().strip('"'): None for t in json.loads(line)["input"] if t["speaker"] == "user"}
    classifier = default()
    rows = sorted(
        ((1 - float((s := classifier.shares(t))[0]), TASKS[1 + int(np.argmax(s[1:]))], t) for t in turns), reverse=True
    )
    for share, task, text in rows:
        if share > 0.3:
            print(f"{share:.3f} {task:20} {text[:140]}")
    print(f"{len(turns)} turns")


if __name__ == "__main__":
    main()
