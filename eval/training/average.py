"""Averages the weights of readers that were trained on from one another and exports the mean.

python -m eval.training.average app/evidence/weights /tmp/rD --out /tmp/rMean

A "model soup" (Wortsman et al. 2022, arXiv:2203.05482): runs from one start lie in one basin, so their mean is
a reader too, often better on what each of them neglects. Means of readers with different starts are noise.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch

from app.evidence.torch_network import ReaderNetwork
from eval.training.train import export, start


def mean(networks: Sequence[ReaderNetwork]) -> ReaderNetwork:
    """The first network with the mean of all weights, each weighing the same."""
    states = [n.state_dict() for n in networks]
    networks[0].load_state_dict({name: torch.stack([s[name] for s in states]).mean(0) for name in states[0]})
    return networks[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("readers", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    loaded = [start(folder) for folder in options.readers]
    export(mean([network for network, _ in loaded]), loaded[0][1], options.out)


if __name__ == "__main__":
    main()
