"""Train the classifiers of tasks and of the policy for questions in other languages, on the English texts of ``requests/``.

    python -m eval.training.across [--write]

The packaged multilingual encoder puts a sentence and its translation near each other, so that what is learnt of English vectors holds
for the others; no text in another language is trained on. ``requests/languages.jsonl`` holds our own translations, to measure with.
"""

from __future__ import annotations

import argparse
import json
import random
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from app.policy.classifier import Judge
from app.policy.rules import Policy, load, read_rules
from app.question.network import STATE_SCALE, network
from app.question.tasks import TASKS, TasksAcross
from eval.training.policy import HERE, requests
from eval.training.tasks import examples
from index.multilingual_encoder import MultilingualEncoder

Tensors = dict[str, NDArray[Any]]
MOST = 6000
"""Texts of each side of the policy, and of questions to search for."""
NETWORKS = 3
UNITS, DECAY, EPOCHS = 128, 1e-2, 25
STRENGTH = 10.0
"""Inverse penalty of the weights of tasks. Networks of one hidden layer took two of 18 translations for another task, this one."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the weights into app/policy and app/question")
    options = parser.parse_args()
    encoder = MultilingualEncoder()
    policy, tasks = policy_weights(encoder), task_weights(encoder)
    measure(encoder, policy, tasks)
    if options.write:
        app = HERE.parent.parent / "app"
        save_file(policy, app / "policy" / "across.safetensors")
        save_file(tasks, app / "question" / "across.safetensors")


def policy_weights(encoder: MultilingualEncoder) -> Tensors:
    """Networks side by side, whose outputs are averaged."""
    rng = random.Random(7)
    texts, labels, _ = requests(rng, 2000, 0)
    rows = list(dict.fromkeys(zip(texts, labels, strict=True)))
    rng.shuffle(rows)
    rows = [r for y in (0, 1) for r in [r for r in rows if r[1] == y][:MOST]]
    x, y = _encoded(encoder, [t for t, _ in rows]), np.array([y for _, y in rows])
    made = [MLPClassifier((UNITS,), alpha=DECAY, max_iter=EPOCHS, random_state=n).fit(x, y) for n in range(NETWORKS)]
    tensors = {
        "hidden": np.concatenate([m.coefs_[0].T for m in made]) / STATE_SCALE,
        "hidden_bias": np.concatenate([m.intercepts_[0] for m in made]),
        "out": np.concatenate([m.coefs_[1].T for m in made], axis=1) / NETWORKS,
        "bias": np.mean([m.intercepts_[1] for m in made], axis=0),
    }
    return {f"request.{key}": np.ascontiguousarray(value, dtype=np.float16) for key, value in tensors.items()}


def task_weights(encoder: MultilingualEncoder) -> Tensors:
    """One row of weights a task."""
    rng = random.Random(7)
    rows = list(dict.fromkeys(examples(rng, 2000)))
    rng.shuffle(rows)
    rows = [r for r in rows if r[1] != "other"] + [r for r in rows if r[1] == "other"][:MOST]
    fitted = LogisticRegression(C=STRENGTH, max_iter=300).fit(
        _encoded(encoder, [t for t, _ in rows]), [TASKS.index(task) for _, task in rows]
    )
    return {"weights": np.ascontiguousarray(fitted.coef_, dtype=np.float16), "bias": fitted.intercept_.astype(np.float16)}


def measure(encoder: MultilingualEncoder, policy: Tensors, tasks: Tensors) -> None:
    """What becomes of the translations; each that is taken for something else is named."""
    texts = [json.loads(t) for t in (HERE / "requests" / "languages.jsonl").read_text(encoding="utf-8").splitlines()]
    english = load()
    judge = Judge(network=network(policy, "request"), with_form=False)
    rules = Policy(read_rules(), english._weights, english._encoder, judge, encoder)
    known = TasksAcross(tasks["weights"].astype(np.float32), tasks["bias"].astype(np.float32), encoder)
    found = [("harm" if rules.declines(t["text"]) else "", known.task(t["text"])) for t in texts]
    harm = [f for t, f in zip(texts, found, strict=True) if t["kind"] == "harm"]
    rest = [f for t, f in zip(texts, found, strict=True) if t["kind"] != "harm"]
    special = [(t["kind"], f[1]) for t, f in zip(texts, found, strict=True) if t["kind"] in TASKS and t["kind"] != "other"]
    search = [f[1] for t, f in zip(texts, found, strict=True) if t["kind"] not in TASKS or t["kind"] == "other"]
    print(f"declined: {sum(map(bool, (h for h, _ in harm)))} of {len(harm)} harmful, {sum(map(bool, (h for h, _ in rest)))} of {len(rest)} others")
    print(
        f"tasks: right {sum(k == f for k, f in special)}, another {sum(f not in (k, 'other') for k, f in special)} of {len(special)}; "
        f"to be searched for, taken for talk or catalogue: {sum(f != 'other' for f in search)} of {len(search)}"
    )
    for text, (harmful, task) in zip(texts, found, strict=True):
        if bool(harmful) != (text["kind"] == "harm") or task != (text["kind"] if text["kind"] in TASKS else "other"):
            print(f"  {text['kind']}: {harmful or 'allowed'}, {task}: {text['text']}")


def _encoded(encoder: MultilingualEncoder, texts: list[str]) -> NDArray[np.float32]:
    print(f"{len(texts)} texts", flush=True)
    return encoder.encode(texts)


if __name__ == "__main__":
    main()
