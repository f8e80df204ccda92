"""Trains the evidence reader from a small BERT (or goes on from an earlier reader) and exports it.

python -m eval.training.train --public ../shared/data --minutes 30 --out /tmp/reader
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import random
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from app.evidence import packaged as reader
from app.evidence import torch_network as reader_model
from eval.training.sample import CACHE, Example, Sampler, neighbours
from eval.training.sets import Collection, Question, by_source, load_all
from index.embed import bundled_model_path, check_weights

HERE = Path(__file__).parent
BATCH_TOKENS = 3200
REPEATS = {"clapnq": 3.0, "xquad": 1.2, "selqa": 0.6, "chunking": 1.0, "own": 1.7, "claims": 1.5, "scripted": 0.5}
"""How often an epoch draws a question of each source, on average."""

CHECKPOINT_MINUTES = 4.0
"""Processor time (minutes a thread) between two checkpoints."""

SETS = ("clapnq", "xquad", "selqa")
"""The public sets that can be left out."""

Group = tuple[str, list[tuple[Example, reader.Packed]]]


def main() -> None:
    args = _arguments()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    rng = random.Random(args.seed)
    collection = load_all(args.public, args.own)
    if args.without:
        leave_out(collection, args.without)
    for name, count in by_source(collection.questions):
        print(f"{count:6} {name}")
    sampler = Sampler(collection, neighbours(collection, args.cache), rng, negatives=args.negatives)
    network, tokenizer = start(args.start, args.base)
    chosen = [
        (i, q)
        for i, q in enumerate(collection.questions)
        if not q.held_out or (args.all_clapnq and q.source == "clapnq")
        for _ in range(int(REPEATS["claims" if q.mode == "support" and q.source == "own" else q.source] + rng.random()))
    ]
    args.out.mkdir(parents=True, exist_ok=True)
    average = train(
        network, tokenizer, sampler, chosen, rng,
        minutes=args.minutes, rate=args.rate, epochs=args.epochs, bfloat16=args.bfloat16, checkpoint=args.out / "checkpoint.pt",
    )  # fmt: skip
    network.load_state_dict(average)
    export(network, tokenizer, args.out)
    (args.out / "checkpoint.pt").unlink(missing_ok=True)


def leave_out(collection: Collection, name: str) -> None:
    """Takes every question of the set and every claim made of its passages out of the collection, in place."""
    collection.questions = [
        q
        for q in collection.questions
        if q.source != name
        and not any(collection.passages[at].article.startswith(f"{name}:") for at in (*q.gold, *q.near))
    ]


def train(
    network: reader_model.ReaderNetwork,
    tokenizer: Tokenizer,
    sampler: Sampler,
    chosen: Sequence[tuple[int, Question]],
    rng: random.Random,
    *,
    minutes: float,
    rate: float,
    epochs: float,
    bfloat16: bool = False,
    checkpoint: Path | None = None,
) -> dict[str, Tensor]:
    """Trains until the processor time (minutes a thread) or the epochs are over, the rate falling to nought with it.

    Args:
        bfloat16: matrix products in 16 bits (weights stay in 32), a third faster where the processor has them.
        checkpoint: where everything is written every few minutes; training goes on from it where it is there.

    Returns:
        The averaged weights.
    """
    network.words.weight.requires_grad_(False)  # stored as int8; half of all parameters, few of them seen
    heads = [p for n, p in network.named_parameters() if n.startswith(("heads.", "span."))]
    body = [p for n, p in network.named_parameters() if not n.startswith(("heads.", "span.", "words."))]
    optimizer = torch.optim.AdamW(
        [{"params": body, "peak": rate}, {"params": heads, "peak": rate * 10}], weight_decay=0.01, fused=True
    )
    network.train()
    average = {k: v.clone() for k, v in network.state_dict().items()}
    done = step = 0
    earlier = 0.0
    if checkpoint is not None and checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        average, done, step, earlier = kept["average"], kept["done"], kept["step"], kept["minutes"]
        rng.seed(step)
    begun, written = time.process_time(), earlier
    shown: list[list[float]] = []
    for batch, mode, questions in _batches(tokenizer, sampler, chosen, rng):
        spent = earlier + (time.process_time() - begun) / 60 / torch.get_num_threads()
        if checkpoint is not None and spent - written >= CHECKPOINT_MINUTES:
            parts = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "average": average}
            torch.save({**parts, "done": done, "step": step, "minutes": spent}, checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
            written = spent
        progress = max(spent / minutes, done / (epochs * len(chosen)))
        if progress >= 1:
            break
        for part in optimizer.param_groups:
            part["lr"] = part["peak"] * min(1.0, (step + 1) / 40, 1.02 - progress)
        losses = batch_losses(network, batch, mode, bfloat16=bfloat16)
        sum(losses).backward()  # type: ignore[union-attr]
        torch.nn.utils.clip_grad_norm_(body + heads, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        done, step = done + questions, step + 1
        if step % 4 == 0:
            decay = min(0.98, step / (step + 40))
            for k, v in network.state_dict().items():
                average[k].lerp_(v, 1 - decay)
        shown.append([float(x.detach()) for x in losses])
        if step % 20 == 0:
            means = " ".join(f"{sum(x) / len(x):.3f}" for x in zip(*shown, strict=True))
            print(f"{spent:5.1f} min  step {step}  epoch {done / len(chosen):.2f}  losses {means}", flush=True)
            shown = []
    return average


def batch_losses(
    network: reader_model.ReaderNetwork,
    groups: Sequence[list[tuple[Example, reader.Packed]]],
    mode: str,
    *,
    bfloat16: bool = False,
) -> list[Tensor]:
    """Losses of the sentences, the passages, the choice within each group, and the short answers."""
    rows = [row for group in groups for row in group]
    owners = [i for i, group in enumerate(groups) for _ in group]
    packed = [p for _, p in rows]
    ids, types, parts, mask = reader.tensors(packed)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        logits = network(ids, types, parts, mask, mode=mode)
    labels = torch.zeros(logits.sentences.shape)
    for i, (example, _) in enumerate(rows):
        for k, answers in enumerate(example.labels[: labels.shape[1]]):
            labels[i, k] = float(answers)
    there = logits.sentences.isfinite()
    positive = labels.sum(1) > 0
    scores = logits.sentences.masked_fill(~there, -20.0)
    each = F.binary_cross_entropy_with_logits(scores, labels, reduction="none", pos_weight=torch.tensor(2.0))
    # A passage counts as much as any other, however many sentences it has.
    sentences = (each * there).sum(1).div(there.sum(1).sqrt()).mean() * 0.6
    passages = F.binary_cross_entropy_with_logits(logits.passages, positive.float())
    choice = [
        torch.logsumexp(scores[at], (0, 1)) - torch.logsumexp(scores[at].masked_fill(labels[at] == 0, -30.0), (0, 1))
        for at in (torch.tensor([j for j, o in enumerate(owners) if o == i]) for i in range(len(groups)))
        if positive[at].any()
    ]
    listwise = torch.stack(choice).mean() * 0.5 if choice else scores.sum() * 0.0
    spans = [_span_loss(logits.spans[i], p, e) for i, (e, p) in enumerate(rows) if e.span is not None]
    short = torch.stack(spans).sum() / len(rows) * 0.3 if spans else logits.spans.sum() * 0.0
    return [sentences, passages, listwise, short]


def _span_loss(logits: Tensor, packed: reader.Packed, example: Example) -> Tensor:
    """Cross-entropy of start and end over the tokens of the whole passage; nought if they were cut off."""
    sentence, start, end = example.span or (0, 0, 0)
    owner = reader_model.FIRST_SENTENCE + sentence
    tokens = _OFFSETS[example.sentences[sentence]]
    inside = [k for k, (a, b) in enumerate(tokens) if a < end and start < b]
    first = packed.owners.index(owner) if owner in packed.owners else -1
    if not inside or first < 0 or inside[-1] >= packed.owners.count(owner):
        return logits.sum() * 0.0
    legal = torch.tensor([o >= reader_model.FIRST_SENTENCE for o in packed.owners])
    scores = logits[: len(legal)].masked_fill(~legal[:, None], -30.0)
    target = torch.tensor([first + inside[0], first + inside[-1]])
    return F.cross_entropy(scores.T, target)


_OFFSETS: dict[str, tuple[tuple[int, int], ...]] = {}
_IDS: dict[str, tuple[int, ...]] = {}


def _packed(tokenizer: Tokenizer, example: Example) -> reader.Packed:
    texts = [example.question, example.context, *example.sentences]
    missing = [t for t in texts if t not in _IDS]
    for text, tokens in zip(missing, reader.tokenize(tokenizer, missing), strict=True):
        _IDS[text], _OFFSETS[text] = tokens.ids, tokens.offsets
    return reader.pack(_IDS[texts[0]], _IDS[texts[1]], [_IDS[t] for t in texts[2:]])


def _batches(
    tokenizer: Tokenizer, sampler: Sampler, chosen: Sequence[tuple[int, Question]], rng: random.Random
) -> Iterator[tuple[list[list[tuple[Example, reader.Packed]]], str, int]]:
    """Batches of groups of like length and one mode, for ever; with each how many questions it holds."""
    while True:
        order = list(chosen)
        rng.shuffle(order)
        for low in range(0, len(order), 480):
            groups: list[Group] = []
            for index, question in order[low : low + 480]:
                examples = sampler.group(index, question)
                groups.append((question.mode, [(e, _packed(tokenizer, e)) for e in examples]))
            batches = [b for mode in reader_model.MODES for b in _cut([g for g in groups if g[0] == mode])]
            rng.shuffle(batches)
            for batch in batches:
                yield [group for _, group in batch], batch[0][0], len(batch)


def _cut(groups: list[Group]) -> Iterator[list[Group]]:
    def longest(group: Group) -> int:
        return max(len(p.ids) for _, p in group[1])

    batch: list[Group] = []
    for group in sorted(groups, key=longest):
        rows = sum(len(g[1]) for g in batch) + len(group[1])
        if batch and rows * longest(group) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(group)
    if batch:
        yield batch


def export(network: reader_model.ReaderNetwork, tokenizer: Tokenizer, out: Path) -> None:
    """Writes what ``EvidenceReader.load`` reads and prints the hash that belongs in ``app/evidence/packaged.py``."""
    out.mkdir(parents=True, exist_ok=True)
    reader_model.save(network, out / "model.safetensors")
    (out / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    with (out / "model.safetensors").open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    config = {"format": 1, "sha256": found, "shape": asdict(network.shape)}
    (out / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    print(f"exported {out}  sha256 {found}")


def install(folder: Path) -> None:
    """Makes the reader in ``folder`` the packaged one."""
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        shutil.copyfile(folder / name, reader.WEIGHTS / name)


def start(path: Path | None, base: Path | None = None) -> tuple[reader_model.ReaderNetwork, Tokenizer]:
    """The reader in folder ``path``, to go on from; else a BERT checkpoint with fresh heads.

    Args:
        base: safetensors of a BERT with the vocabulary of all-MiniLM-L6-v2 and as wide; that model itself for None.
    """
    if path is not None:
        vocabulary = (path / "tokenizer.json").read_text(encoding="utf-8")
        shape = json.loads((path / "config.json").read_text(encoding="utf-8"))["shape"]
        network = reader_model.load(path / "model.safetensors", reader_model.Shape(**shape))
        return network, reader.load_tokenizer(vocabulary)
    folder = bundled_model_path()
    check_weights(folder)
    tokenizer = reader.load_tokenizer((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return reader_model.from_bert(base or folder / "model.safetensors"), tokenizer


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--public", type=Path, required=True, help="folder with xquad, selqa, clapnq, …")
    parser.add_argument("--own", type=Path, default=HERE / "data")
    parser.add_argument("--start", type=Path, help="a reader to go on from")
    parser.add_argument("--base", type=Path, help="a BERT checkpoint to begin with; without it, all-MiniLM-L6-v2")
    parser.add_argument("--bfloat16", action="store_true", help="matrix products in 16 bits")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--negatives", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--without", choices=SETS, help="a set that no part of is trained on, to measure what it is worth"
    )
    parser.add_argument("--all-clapnq", action="store_true", help="train on its held-out half too (for release)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
