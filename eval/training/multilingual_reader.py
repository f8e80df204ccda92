"""Trains the multilingual evidence reader: the upper layers of the packaged multilingual encoder, with the reader's heads.

    python -m eval.training.multilingual_reader --public ../shared/data --minutes 25 --out /tmp/multireader

Questions and sentences go through the encoder's lower layers each by itself, and only what is above is trained. It learns from
XQuAD (questions in each language over passages in their own, in English and in another one), from PQuAD (Persian, with questions
that nothing answers) and from a part of our own articles. Every fourth article of XQuAD, the articles of PQuAD and our own whose name
hashes below 0.15 are held out. A run that was stopped goes on from its last checkpoint when it is started again.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from app.evidence.multilingual import PLACES, beside
from app.evidence.packaged import Packed
from app.evidence.torch_network import NARROW, Heads, Layer, Logits, Shape, logits_of, narrowed
from eval.training.sample import Example, Neighbours, Sampler
from eval.training.sets import PQUAD_HELD_OUT, Collection, Question, by_source, fraction, read_own
from eval.training.train import HERE, Group, cut, losses_of
from index import multilingual_encoder as encoder
from ingest.sentences import sentence_spans

LANGUAGES = ("en", "ru", "ar", "tr", "de", "hi")
WORDS = (25, 50, 80)
"""Words of a passage that are read at once in training."""
REPEATS = {"xquad": 1.0, "pquad": 0.8, "own": 0.7}
"""How many of the questions of a set are drawn, as a share."""
BATCH_TOKENS = 4000
SAVE_EVERY = 50
"""Steps between checkpoints."""


class UpperReader(nn.Module):
    """The layers above the encoder's lower ones, and the heads of the reader."""

    def __init__(self) -> None:
        super().__init__()
        shape = Shape()
        self.places = nn.Embedding(PLACES, shape.width)
        nn.init.zeros_(self.places.weight)
        self.layers = nn.ModuleDict({str(i): Layer(shape) for i in range(encoder.LOWER, encoder.LAYERS)})
        self.heads = Heads(shape)
        self.span = nn.Linear(shape.width, 2)
        known = self.state_dict()
        given = {name: value for name, value in encoder.read_weights().items() if name in known}
        turned = {name: torch.from_numpy(np.array(v.T, dtype=np.float32, order="C")) for name, v in given.items()}
        self.load_state_dict(known | turned)

    def forward(self, states: Tensor, owners: Tensor, mask: Tensor) -> Logits:
        """``states`` ``(b, t, width)``, the encoder's lower states; ``owners`` ``(b, t)``, ``mask`` ``(b, t)`` bool."""
        x = states + self.places(owners.clamp(max=PLACES - 1))
        for layer in self.layers.values():
            x = layer(x, mask[:, None, None, :])
        return logits_of(x, owners, self.heads, self.span)


class Texts:
    """Lower states of texts, computed once each."""

    def __init__(self) -> None:
        self._encoder = encoder.MultilingualEncoder()
        self._known: dict[str, encoder.TokenStates] = {}
        self.offsets: dict[str, tuple[tuple[int, int], ...]] = {}

    def add(self, texts: Iterable[str]) -> None:
        """Compute those that are new."""
        new = [t for t in dict.fromkeys(texts) if t not in self._known]
        for text, found in zip(new, self._encoder.lower(new), strict=True):
            self._known[text] = replace(found, states=found.states.astype(np.float16))
            self.offsets[text] = found.offsets

    def beside(self, example: Example) -> tuple[NDArray[Any], list[int]]:
        """States and owners of an example whose texts are known."""
        return beside(
            self._known[example.question], self._known[example.context], [self._known[s] for s in example.sentences]
        )

    def tensors(self, rows: Sequence[tuple[Example, Packed]]) -> tuple[Tensor, Tensor, Tensor]:
        """What the network takes, padded to the longest."""
        pairs = [self.beside(example) for example, _ in rows]
        longest = max(len(owners) for _, owners in pairs)
        states = np.zeros((len(pairs), longest, 384), dtype=np.float16)
        grid = np.zeros((len(pairs), longest), dtype=np.int64)
        for row, (own, owners) in enumerate(pairs):
            states[row, : len(owners)], grid[row, : len(owners)] = own, owners
        sizes = torch.tensor([len(owners) for _, owners in pairs])
        return torch.from_numpy(states).float(), torch.from_numpy(grid), torch.arange(longest)[None] < sizes[:, None]


def load_sets(public: Path, own: Path, rng: random.Random) -> Collection:
    """All questions, each over a passage in a language that is drawn."""
    collection = Collection()
    read_xquad(collection, public / "xquad", rng)
    read_pquad(collection, public / "pquad" / "validation.json")
    read_own(collection, own)
    collection.questions = [q for q in collection.questions if q.mode == "answer"]
    return collection


def read_xquad(into: Collection, folder: Path, rng: random.Random) -> None:
    """Each question in every language, over its passage in that language, in English and in a third; every fourth article is held out."""
    sets = {code: json.loads((folder / f"xquad.{code}.json").read_text(encoding="utf-8"))["data"] for code in LANGUAGES}
    for number, article in enumerate(sets["en"]):
        title = article.get("title", "").replace("_", " ")
        texts = {code: [p["context"] for p in sets[code][number]["paragraphs"]] for code in LANGUAGES}
        spans = {code: [sentence_spans(t) for t in own] for code, own in texts.items()}
        at = {
            code: [
                into.add(f"xquad:{number}:{code}", title if code == "en" else "", (t[a:b] for a, b in s))
                for t, s in zip(own, spans[code], strict=True)
            ]
            for code, own in texts.items()
        }
        for k, paragraph in enumerate(article["paragraphs"]):
            for n in range(len(paragraph["qas"])):
                for asked in LANGUAGES:
                    third = rng.choice([code for code in LANGUAGES if code not in (asked, "en")])
                    for within in dict.fromkeys((asked, "en", third)):
                        answer = sets[within][number]["paragraphs"][k]["qas"][n]["answers"][0]
                        start = answer["answer_start"]
                        hits = [i for i, (a, b) in enumerate(spans[within][k]) if a <= start < b]
                        if not hits:
                            continue
                        a, b = spans[within][k][hits[0]]
                        into.questions.append(
                            Question(
                                text=sets[asked][number]["paragraphs"][k]["qas"][n]["question"],
                                source="xquad",
                                kind=f"{asked}-{within}",
                                gold={at[within][k]: (hits[0],)},
                                near=tuple(i for i in at[within] if i != at[within][k]),
                                span=(at[within][k], hits[0], start - a, min(start + len(answer["text"]), b) - a),
                                held_out=number % 4 == 3,
                            )
                        )


def read_pquad(into: Collection, file: Path) -> None:
    """Persian questions; of those that are not answerable their own paragraph comes nearest. About 15 % of the articles are held out."""
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        title = article["title"].strip()
        spans = [sentence_spans(p["context"]) for p in article["paragraphs"]]
        own = [
            into.add(f"pquad:{title}", title, (p["context"][a:b] for a, b in s))
            for p, s in zip(article["paragraphs"], spans, strict=True)
        ]
        for at, paragraph, sentences in zip(own, article["paragraphs"], spans, strict=True):
            for qa in paragraph["qas"]:
                answers = [] if qa["is_impossible"] else qa["answers"]
                starts = [x["answer_start"] for x in answers]
                hits = tuple(i for i, (a, b) in enumerate(sentences) if any(a <= s < b for s in starts))
                span = None
                if hits:
                    a, b = sentences[hits[0]]
                    first = next(x for x in answers if a <= x["answer_start"] < b)
                    start = first["answer_start"]
                    span = (at, hits[0], start - a, min(start + len(first["text"]), b) - a)
                elif answers:
                    continue
                into.questions.append(
                    Question(
                        text=qa["question"],
                        source="pquad",
                        kind="fa-fa",
                        gold={at: hits} if hits else {},
                        near=tuple(i for i in own if i != at) if hits else (at,),
                        span=span,
                        held_out=fraction(title) < PQUAD_HELD_OUT,
                    )
                )


def by_chance(collection: Collection, rng: random.Random, *, keep: int = 6) -> Neighbours:
    """Wrong passages in no order: of the same article and language, and of any others of the set."""
    members: dict[str, list[int]] = {}
    closed = {collection.passages[p].article for q in collection.questions if q.held_out for p in (*q.gold, *q.near)}
    for at, passage in enumerate(collection.passages):
        if passage.article not in closed:
            members.setdefault(passage.article.split(":")[0], []).append(at)
    found = Neighbours(near=[], far=[])
    for question in collection.questions:
        found.near.append(tuple(rng.sample(question.near, min(keep, len(question.near)))))
        others = [i for i in rng.sample(members[question.source], keep) if i not in question.gold]
        found.far.append(tuple(others))
    return found


def _drawn(collection: Collection, rng: random.Random) -> list[tuple[int, Question]]:
    chosen = [(i, q) for i, q in enumerate(collection.questions) if not q.held_out and rng.random() < REPEATS[q.source]]
    rng.shuffle(chosen)
    return chosen


def _batches(
    texts: Texts, sampler: Sampler, chosen: Sequence[tuple[int, Question]], rng: random.Random
) -> Iterator[list[Group]]:
    for low in range(0, len(chosen), 240):
        drawn = [(q.mode, sampler.group(i, q)) for i, q in chosen[low : low + 240]]
        texts.add(t for _, group in drawn for e in group for t in (e.question, e.context, *e.sentences))
        groups: list[Group] = [(mode, [(e, _packed(texts, e)) for e in group]) for mode, group in drawn]
        batches = list(cut(groups, BATCH_TOKENS))
        rng.shuffle(batches)
        yield from batches


def _packed(texts: Texts, example: Example) -> Packed:
    owners = texts.beside(example)[1]
    return Packed(ids=owners, types=owners, owners=owners)


def train(
    network: UpperReader, collection: Collection, out: Path, *, minutes: float, rate: float, negatives: int, seed: int
) -> None:
    """Trains until the processor time (minutes a thread) or the questions are over; leaves the averaged weights in the network."""
    optimizer = torch.optim.AdamW(
        [
            {
                "params": [p for n, p in network.named_parameters() if p.requires_grad and n.startswith("layers.")],
                "peak": rate,
            },
            {
                "params": [p for n, p in network.named_parameters() if p.requires_grad and not n.startswith("layers.")],
                "peak": rate * 10,
            },
        ],
        weight_decay=0.01,
        fused=True,
    )
    every = [p for part in optimizer.param_groups for p in part["params"]]
    average = {k: v.clone() for k, v in network.state_dict().items()}
    file = out / "checkpoint.pt"
    done = step = 0
    before = 0.0
    if file.exists():
        kept: dict[str, Any] = torch.load(file, weights_only=True)
        network.load_state_dict(kept["network"])
        optimizer.load_state_dict(kept["optimizer"])
        for part, times in zip(optimizer.param_groups, (1, 10), strict=True):
            part["peak"] = rate * times  # which may be another than before
        average, done, step, before = kept["average"], kept["done"], kept["step"], kept["minutes"]
        print(f"goes on after {done} questions and {before:.1f} minutes", flush=True)
    rng = random.Random(f"{seed} {done}")
    torch.manual_seed(seed + step)
    chosen = _drawn(collection, random.Random(seed))
    sampler = Sampler(collection, by_chance(collection, rng), rng, negatives=negatives, words=WORDS)
    texts = Texts()
    network.train()
    begun = time.process_time()
    shown: list[list[float]] = []
    for batch in _batches(texts, sampler, chosen[done:], rng):
        spent = before + (time.process_time() - begun) / 60 / torch.get_num_threads()
        progress = max(spent / minutes, done / len(chosen))
        if progress >= 1:
            break
        for part in optimizer.param_groups:
            part["lr"] = part["peak"] * min(1.0, (step + 1) / 40, 1.02 - progress)
        groups = [group for _, group in batch]
        # The fused attention takes five times as long backwards as its parts, on a processor.
        with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            logits = network(*texts.tensors([row for group in groups for row in group]))
        losses = losses_of(logits, groups, texts.offsets)
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(every, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        done, step = done + len(batch), step + 1
        if step % 4 == 0:
            decay = min(0.98, step / (step + 40))
            for k, v in network.state_dict().items():
                average[k].lerp_(v, 1 - decay)
        shown.append([float(x.detach()) for x in losses])
        if step % 25 == 0:
            means = " ".join(f"{sum(x) / len(x):.3f}" for x in zip(*shown, strict=True))
            print(f"{spent:5.1f} min  step {step}  {done} of {len(chosen)} questions  losses {means}", flush=True)
            shown = []
        if step % SAVE_EVERY == 0:
            state = {
                "network": network.state_dict(), "optimizer": optimizer.state_dict(), "average": average, "done": done, "step": step,
                "minutes": spent,
            }  # fmt: skip
            torch.save(state, file.with_suffix(".new"))
            file.with_suffix(".new").replace(file)
    network.load_state_dict(average)


def export(network: UpperReader, file: Path) -> None:
    """Writes what ``app.evidence.multilingual`` reads: matrices of the layers int8 with a scale a row, all else fp16."""
    stored: dict[str, Tensor] = {}
    for name, tensor in network.state_dict().items():
        at = name.removesuffix(".weight")
        if at.endswith(NARROW):
            stored[f"{at}.rows"], stored[f"{at}.scales"] = narrowed(tensor.detach())
        else:
            stored[name] = tensor.detach().to(torch.float16).contiguous()
    save_file(stored, file)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--public", type=Path, required=True, help="folder of the public sets, with xquad and pquad in it"
    )
    parser.add_argument("--own", type=Path, default=HERE / "data")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint and of the weights")
    parser.add_argument("--minutes", type=float, default=25.0, help="of processor time a thread")
    parser.add_argument("--rate", type=float, default=2.5e-4)
    parser.add_argument("--negatives", type=int, default=2, help="wrong passages for each question")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    args.out.mkdir(parents=True, exist_ok=True)
    collection = load_sets(args.public, args.own, random.Random(args.seed))
    for name, count in by_source(collection.questions):
        print(f"{count:6} {name}")
    network = UpperReader()
    train(network, collection, args.out, minutes=args.minutes, rate=args.rate, negatives=args.negatives, seed=args.seed)
    export(network, args.out / "model.safetensors")
    print(f"wrote {args.out / 'model.safetensors'}: {(args.out / 'model.safetensors').stat().st_size} bytes")


if __name__ == "__main__":
    main()
