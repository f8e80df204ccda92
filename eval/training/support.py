"""Fits the support check (``app/support/calibration.json``) on claims of several sets, and tells what each feature is worth.

python -m eval.training.support --public ../shared/data --rows rows.jsonl [--write]

Claims come from ``eval.bench.support``. A feature's worth is the AUC that is lost without it, on a set that the fit did not see, as
the mean over the sets; features that win nothing there are left out. Comparing is what takes long (some 15 minutes), so
rows are kept in a file and made again only where it is not there.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score

from app.evidence.model_reader import ModelReader
from app.support.calibration import load_support_calibrations
from app.support.checker import SupportChecker
from app.support.features import FEATURES
from eval.bench.support import CALIBRATION, Pair, pairs
from eval.training.logistic import Floats, fit
from index.embed import SentenceTransformerEncoder

READER = "reader"
FOR = frozenset({"cosine", READER})
AGAINST = frozenset(
    {
        "figure_none", "figure_far", "figure_other", "crossed", "date_none", "date_far", "date_coarse", "date_other",
        "name_none", "name_far", "name_other", "name_rival", "denial", "opposite", "overstated", "unsure", "alleged", "several", "lost",
    }
)  # fmt: skip
"""Features that can only speak for a claim, or only against it; with free signs a few pairs made a figure far away speak for one."""
PENALTY = 1e-3
LEAST_WORTH = 0.0005
"""Mean AUC on unseen sets that a feature must win to stay."""
MOST_FALSE = 0.15
"""Share of false claims that may be called supported. At the best balanced accuracy it would be .18, and a sentence that shares a few words
with the text would pass."""
KEPT = ("denial", "opposite", "name_rival", "figure_other", "date_other", "meaning")
"""Features that stay whatever AUC they win: the first five tell that the text says otherwise. Without them but "denial" 47 instead of 22 in 100
claims of CLAP NQ with a name exchanged for another one of the text pass on models that saw no claim of CLAP NQ. Without "meaning" the mean
balanced accuracy on unseen sets is .766 instead of .779."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A sentence of a claim, compared.

    Attributes:
        fresh: only measured on.
        known: the reader was trained with it, so that its score means nothing.
    """

    set: str
    kind: str
    carried: bool
    fresh: bool
    known: bool
    values: Mapping[str, float]


def rows(every: Sequence[Pair], tell: Callable[[str], None]) -> Iterator[Row]:
    """The features of each sentence of each claim; without the reader where it was trained with the claim."""
    encoder, reader = SentenceTransformerEncoder(), ModelReader()
    packaged = load_support_calibrations()
    checkers = {
        known: SupportChecker(reader=None if known else reader, encoder=encoder, calibration=packaged["similarity" if known else "evidence"])
        for known in (True, False)
    }
    for number, pair in enumerate(every):
        if number % 100 == 0:
            tell(f"{number} of {len(every)} claims compared")
        for sentence in pair.sentences():
            compared = checkers[pair.known].compare(sentence, [pair.text], [pair.context])
            if compared is not None:
                values = {n: round(v, 5) for n, v in compared.values.items()}
                yield Row(set=pair.set, kind=pair.kind, carried=pair.carried, fresh=pair.fresh, known=pair.known, values=values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Weights over features and a bias: log-odds of being carried."""

    weights: Mapping[str, float]
    bias: float

    def logits(self, used: Sequence[Row]) -> Floats:
        """``(rows,)``."""
        return np.array([self.bias + sum(w * r.values[n] for n, w in self.weights.items()) for r in used])


def fitted(used: Sequence[Row], names: Sequence[str]) -> Model:
    """A model over the features; every set weighs the same, and so do what is carried and what is not within it.

    The features but the reader's score are fitted on all rows. With it, what they make together and the reader's score are weighed
    against each other over rows that the reader was not trained with.
    """
    plain = tuple(n for n in names if n != READER)
    weights, bias = fit(
        np.array([[r.values[n] for n in plain] for r in used]), np.array([float(r.carried) for r in used]),
        signs=[_sign(n) for n in plain], weights=_weights(used), penalty=PENALTY,
    )  # fmt: skip
    model = Model(weights=dict(zip(plain, weights.tolist(), strict=True)), bias=bias)
    if READER not in names:
        return model
    read = [r for r in used if not r.known]
    pairs_of = np.column_stack([model.logits(read), [r.values[READER] for r in read]])
    second, bias_of_both = fit(pairs_of, np.array([float(r.carried) for r in read]), signs=(1, 1), weights=_weights(read), penalty=PENALTY / 30)
    both = {n: w * float(second[0]) for n, w in model.weights.items()} | {READER: float(second[1])}
    return Model(weights=both, bias=model.bias * float(second[0]) + bias_of_both)


def unseen(every: Sequence[Row], names: Sequence[str]) -> dict[str, float]:
    """By set the AUC of a model that saw no row of it, over the rows that the reader does not know."""
    found = {}
    for name in sorted({r.set for r in every}):
        held = [r for r in every if r.set == name and not r.known]
        if len({r.carried for r in held}) == 2:
            model = fitted([r for r in every if r.set != name and not r.fresh], names)
            found[name] = float(roc_auc_score([r.carried for r in held], model.logits(held)))
    return found


def chosen(every: Sequence[Row], tell: Callable[[str], None]) -> tuple[list[str], dict[str, float]]:
    """The features that win on unseen sets, the least useful taken out one after the other, and what each of them is worth there."""
    names = list(FEATURES)
    base = float(np.mean(list(unseen(every, names).values())))
    while True:
        without = {n: float(np.mean(list(unseen(every, [m for m in names if m != n]).values()))) for n in names if n not in KEPT}
        name = max(without, key=lambda n: without[n])
        if base - without[name] >= LEAST_WORTH:
            kept = {n: float(np.mean(list(unseen(every, [m for m in names if m != n]).values()))) for n in KEPT}
            return names, {n: round(base - w, 4) for n, w in (without | kept).items()}
        tell(f"without {name}: {without[name]:.4f} (before {base:.4f})")
        names.remove(name)
        base = without[name]


def threshold(model: Model, used: Sequence[Row]) -> float:
    """The lowest probability at which no more than :data:`MOST_FALSE` of the false claims are called supported, as the mean over the sets."""
    told = 1.0 / (1.0 + np.exp(-model.logits(used)))
    false, weights = np.array([not r.carried for r in used]), _weights(used)
    tried = np.round(np.arange(0.2, 0.95, 0.02), 2)
    return float(next(t for t in tried if weights[false & (told >= t)].sum() <= MOST_FALSE * weights[false].sum()))


def calibration(every: Sequence[Row], names: Sequence[str], worth: Mapping[str, float]) -> dict[str, Any]:
    """What is shipped for a reader or without one."""
    used = [r for r in every if not r.fresh]
    model = fitted(used, names)
    read = [r for r in used if not r.known] if READER in names else used
    least = threshold(model, read)
    return {
        "weights": {n: round(w, 4) for n, w in model.weights.items() if round(w, 4)}, "bias": round(model.bias, 4),
        "threshold": least, "partly": round(0.75 * least, 3), "fitted_on": f"{len(used)} sentences of {', '.join(sorted({r.set for r in used}))}",
        "worth": {n: worth[n] for n in names if n in worth},
    }  # fmt: skip


def _sign(name: str) -> int:
    return 1 if name in FOR else -1 if name in AGAINST else 0


def _weights(used: Sequence[Row]) -> Floats:
    counts: dict[tuple[str, bool], int] = defaultdict(int)
    for r in used:
        counts[r.set, r.carried] += 1
    return np.array([1.0 / counts[r.set, r.carried] for r in used]) * len(used) / len(counts)


def main() -> None:
    """Compare, choose, fit, and print the AUC of each set unseen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--public", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True, help="where the compared claims are kept")
    parser.add_argument("--write", action="store_true", help="write the packaged calibration")
    given = parser.parse_args()
    if not given.rows.exists():
        made = rows(pairs(given.public, SentenceTransformerEncoder()), lambda text: print(text, flush=True))
        lines = [json.dumps({n: getattr(r, n) for n in Row.__slots__}) for r in made]
        given.rows.write_text("\n".join(lines) + "\n", encoding="utf-8")
    every = [Row(**json.loads(line)) for line in given.rows.read_text(encoding="utf-8").splitlines()]
    names, worth = chosen(every, lambda text: print(text, flush=True))
    print(json.dumps({"AUC of the set that was not seen": unseen(every, names), "worth": worth}, indent=2))
    if given.write:
        made_of = {"similarity": [n for n in names if n != READER], "evidence": names}
        packaged = {kind: calibration(every, own, worth) for kind, own in made_of.items()}
        CALIBRATION.write_text(json.dumps(packaged, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
