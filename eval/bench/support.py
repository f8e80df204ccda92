"""How well the support check tells what a text carries.

Seven sets: answers of CLAP NQ against their passage, against a like passage of the set, and with one number, name or
denial changed by script; claims of our own training articles; sentences of XQuAD and SelQA, shortened or altered; pairs
written by hand (``support_pairs.jsonl``); claims of Wikipedia and the pages that they cite, as annotators judged them (WiCE); a strong
model's sentences with falsehoods planted in some; and twins, true and planted (``support_twins.jsonl``). The
calibration is fitted (``eval.training.support``) on what is not fresh; all figures are of fresh claims. Nothing is fitted on the strong
model's sentences and on the twins.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path

import numpy as np

from app.support.checker import SupportChecker
from app.text import claims
from eval.training import alter
from eval.training.sets import Collection, Passage, load_all
from index.embed import Encoder, SentenceTransformerEncoder
from ingest.sentences import sentence_spans

HERE = Path(__file__).parent
CALIBRATION = HERE.parent.parent / "app" / "support" / "calibration.json"
SCRIPTED_SHARE = 400
"""Sentences of XQuAD and SelQA, at most."""
JUDGED_SHARE = 170
"""Claims of WiCE of each label, at most."""

_NUMBER = re.compile(r"(?<![\w.,-])[0-9][0-9,]*(?:\.[0-9]+)?(?![\w,]|-\w|\.[0-9])")
_NUMBER_WORDS = "two three four five six seven eight nine ten twelve twenty thirty forty fifty".split()  # noqa: SIM905
_NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(_NUMBER_WORDS)})\b", re.I)
_VERB = re.compile(
    r"\b(?P<verb>is|are|was|were|can|could|will|would|may|must|should|has|have|had|did|does|do)(?P<no> not)?\b(?= \w)"
)
_NAME = re.compile(r"(?<=[a-z,;] )(?:[A-Z][\w'-]+)(?: [A-Z][\w'-]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A claim and a text, and whether the text carries it.

    Attributes:
        partly: some of it is carried; it counts as not carried.
        fresh: neither reader nor calibration were made with it.
        known: the reader was trained with it or its like, so that its scores of it mean nothing.
        before: the claim before it was changed by script.
    """

    set: str
    kind: str
    claim: str
    text: str
    context: str = ""
    carried: bool
    partly: bool = False
    fresh: bool = False
    known: bool = False
    before: str = ""

    def sentences(self) -> list[str]:
        """What the calibration learns from: each sentence of a true claim, the changed one of another."""
        every = [self.claim[a:b] for a, b in sentence_spans(self.claim)]
        true = {self.before[a:b] for a, b in sentence_spans(self.before)}
        return [s for s in every if s not in true]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How many pairs of a kind were told right."""

    set: str
    kind: str
    carried: bool
    n: int
    right: int

    @property
    def share(self) -> float:
        """Of those told right, in [0, 1]."""
        return self.right / self.n


# pairs


def pairs(public: Path, encoder: Encoder) -> list[Pair]:
    """All pairs, always the same."""
    collection = load_all(public, HERE.parent / "training" / "data")
    every = [*clapnq(public / "clapnq", encoder), *own(collection), *scripted(collection), *written(), *judged(public / "wice"), *strong(public / "strong"), *twins()]
    return [*every, *_misplaced([p for p in every if p.set in {"own", "written"} and not p.known])]


def _misplaced(every: Sequence[Pair]) -> Iterator[Pair]:
    """Every second true claim against the next text of its set."""
    for name in ("own", "written"):
        texts = list(dict.fromkeys((p.text, p.context, p.fresh) for p in every if p.set == name))
        for pair in [p for p in every if p.set == name and p.carried][::2]:
            same = [t for t in texts if t[2] == pair.fresh]
            text, context, _ = same[(same.index((pair.text, pair.context, pair.fresh)) + 1) % len(same)]
            yield replace(pair, kind="other text", text=text, context=context, carried=False)


def clapnq(folder: Path, encoder: Encoder) -> Iterator[Pair]:
    """Gold answers; the passage most like the gold one is the other; every second item is fresh."""
    rows = [json.loads(line) for line in (folder / "answerable.jsonl").read_text(encoding="utf-8").splitlines()]
    texts = [claims.printed(r["passages"][0]["text"]) for r in rows]
    vectors = encoder.encode([f"{r['passages'][0]['title']}: {t}"[:600] for r, t in zip(rows, texts, strict=True)])
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1.0)
    rng = random.Random(7)  # noqa: S311
    everywhere = sorted({n for t in texts for n in _NAME.findall(t)})
    for number, row in enumerate(rows):
        claim = claims.printed(row["output"][0]["answer"]).strip()
        text, title = texts[number], row["passages"][0]["title"]
        fresh = number % 2 == 1
        other = next(int(i) for i in np.argsort(-alike[number]) if rows[int(i)]["passages"][0]["title"] != title)
        kinds: list[tuple[str, str | None, str, str]] = [
            ("gold", claim, text, title),
            ("other passage", claim, texts[other], rows[other]["passages"][0]["title"]),
            ("number", _other_number(claim, text, rng), text, title),
            (
                "name from elsewhere",
                _other_name(claim, text, [n for n in everywhere if n not in text], rng),
                text,
                title,
            ),
            ("name of the text", _other_name(claim, text, _NAME.findall(text), rng), text, title),
            ("denial", _denied(claim, rng), text, title),
        ]
        for kind, said, given, context in kinds:
            if said:
                yield Pair(
                    set="clapnq",
                    kind=kind,
                    claim=said,
                    text=given,
                    context=context,
                    carried=kind == "gold",
                    fresh=fresh,
                    before="" if kind in {"gold", "other passage"} else claim,
                )


def own(collection: Collection) -> Iterator[Pair]:
    """Claims of our own articles, each against the whole article."""
    articles: dict[str, list[Passage]] = defaultdict(list)
    for passage in collection.passages:
        articles[passage.article].append(passage)
    for q in collection.questions:
        if q.source != "own" or q.mode != "support":
            continue
        paragraphs = articles[collection.passages[next(iter((*q.gold, *q.near)))].article]
        yield Pair(
            set="own", kind=q.kind, claim=q.text, text="\n\n".join(p.text for p in paragraphs), context=paragraphs[0].title,
            carried=bool(q.gold), fresh=q.held_out, known=not q.held_out,
        )  # fmt: skip


def scripted(collection: Collection) -> Iterator[Pair]:
    """Sentences of public articles as claims: shortened or altered; the reader knows those of its own articles."""
    rng = random.Random(11)  # noqa: S311
    closed = {collection.passages[p].article for q in collection.questions if q.held_out for p in (*q.gold, *q.near)}
    every = [p for p in collection.passages if p.article.startswith(("xquad", "selqa")) and len(p.sentences) > 2]
    rng.shuffle(every)
    for passage in every[:SCRIPTED_SHARE]:
        sentence = rng.choice(passage.sentences)
        if not 8 <= len(sentence.split()) <= 40:
            continue
        text, known = claims.printed(passage.text), passage.article not in closed
        names = sorted({n for s in passage.sentences for n in _NAME.findall(s)})
        short = claims.printed(alter.shortened(sentence, rng))
        turned = alter.altered(short, names or ["London"], rng)
        for kind, said in (("sentence", short), ("altered", turned)):
            if said:
                yield Pair(
                    set="scripted",
                    kind=kind,
                    claim=said,
                    text=text,
                    context=passage.title,
                    carried=kind == "sentence",
                    known=known,
                )


def written() -> Iterator[Pair]:
    """Pairs written by hand; texts of even number are for development, the others fresh."""
    lines = files("eval.bench").joinpath("support_pairs.jsonl").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        data = json.loads(line)
        for c in data["claims"]:
            yield Pair(
                set="written", kind=c["kind"], claim=c["claim"], text=data["text"], carried=c["label"] == "supported",
                partly=c["label"] == "partly", fresh=number % 2 == 1,
            )  # fmt: skip


def judged(folder: Path) -> Iterator[Pair]:
    """Claims of Wikipedia and the chunks of cited pages that speak of them; every second one is fresh."""
    counts: dict[str, int] = defaultdict(int)
    for line in (folder / "oracle_chunks_claim_dev.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        counts[row["label"]] += 1
        if counts[row["label"]] <= JUDGED_SHARE:
            yield Pair(
                set="wice", kind=row["label"], claim=row["claim"], text="\n".join(row["evidence"]), carried=row["label"] == "supported",
                partly=row["label"] == "partially_supported", fresh=counts[row["label"]] % 2 == 1,
            )  # fmt: skip


def strong(folder: Path) -> Iterator[Pair]:
    """A strong model's sentences and the passages that they cite, for measuring only."""
    for line in (folder / "pairs.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        yield Pair(set="strong", kind=row["label"], claim=row["claim"], text=row["passage"], carried=row["label"] != "false", fresh=True)


def twins() -> Iterator[Pair]:
    """True claims on three invented subjects and their planted twins, for measuring only; each against all texts of its subject."""
    for line in files("eval.bench").joinpath("support_twins.jsonl").read_text(encoding="utf-8").splitlines():
        data = json.loads(line)
        for twin in data["twins"]:
            for carried in (True, False):
                yield Pair(
                    set="twins", kind=twin["kind"], claim=twin["true" if carried else "false"], text="\n\n".join(data["passages"]),
                    carried=carried, fresh=True,
                )  # fmt: skip


def _other_number(claim: str, text: str, rng: random.Random) -> str | None:
    digits = list(_NUMBER.finditer(claim))
    words = list(_NUMBER_WORD.finditer(claim))
    if not digits and not words:
        return None
    found = rng.choice(digits or words)
    old = found.group()
    if not digits:
        new = rng.choice([w for w in _NUMBER_WORDS if w != old.lower() and w not in text])
    elif re.fullmatch(r"1[0-9]{3}|20[0-2][0-9]", old):
        new = str(int(old) + rng.choice((-20, -9, -4, -1, 1, 3, 6, 12)))
    elif "." in old:
        new = f"{float(old.replace(',', '')) * rng.choice((0.6, 1.4, 2.0)):.{len(old.split('.')[1])}f}"
    else:
        value = int(old.replace(",", ""))
        new = str(rng.choice((value + 1, value + 4, value * 2, value * 10)))
        new = f"{int(new):,}" if "," in old else new
    if re.search(rf"(?<![\w.,]){re.escape(new)}(?!\w)", text):
        return None  # it may stand there for the same thing
    return claim[: found.start()] + new + claim[found.end() :]


def _other_name(claim: str, text: str, names: Iterable[str], rng: random.Random) -> str | None:
    there = list(_NAME.finditer(claim))
    others = sorted({n for n in names if n not in claim and not any(w in claim for w in n.split())})
    if not there or not others:
        return None
    found = rng.choice(there)
    return claim[: found.start()] + rng.choice(others) + claim[found.end() :]


def _denied(claim: str, rng: random.Random) -> str | None:
    there = list(_VERB.finditer(claim))
    if not there:
        return None
    found = rng.choice([m for m in there if m["no"]] or there)
    new = found["verb"] if found["no"] else f"{found['verb']} not"
    return claim[: found.start()] + new + claim[found.end() :]


# measuring


def score(checker: SupportChecker, every: Sequence[Pair], tell: Callable[[str], None]) -> list[Score]:
    """How many of the fresh pairs are told right, by set and kind; "partly" counts as not carried."""
    counts: dict[tuple[str, str, bool], list[bool]] = defaultdict(list)
    fresh = [p for p in every if p.fresh]
    for number, pair in enumerate(fresh):
        if number % 100 == 0:
            tell(f"{number} of {len(fresh)} fresh pairs checked")
        told = checker.carried(pair.claim, [pair.text], [pair.context])
        counts[pair.set, pair.kind, pair.carried].append((told.label == "supported") == pair.carried)
    return [Score(set=s, kind=k, carried=c, n=len(v), right=sum(v)) for (s, k, c), v in sorted(counts.items())]


def balanced(scores: Sequence[Score], name: str) -> float:
    """Balanced accuracy over a set: the mean of the shares of carried and of other claims told right."""
    shares = []
    for carried in (True, False):
        mine = [s for s in scores if s.set == name and s.carried == carried]
        shares.append(sum(s.right for s in mine) / sum(s.n for s in mine))
    return sum(shares) / 2


def as_table(scores: Sequence[Score]) -> str:
    """One line a kind, and the balanced accuracy of each set."""
    lines = [f"{'set':10} {'kind':22} {'carried':8} {'n':>5} {'right':>6}"]
    for s in scores:
        lines.append(f"{s.set:10} {s.kind:22} {'yes' if s.carried else 'no':8} {s.n:5} {s.share:6.3f}")
    for name in sorted({s.set for s in scores}):
        lines.append(f"{name:10} balanced accuracy {balanced(scores, name):.3f}")
    return "\n".join(lines)


def run(public: Path, *, tell: Callable[[str], None]) -> list[Score]:
    """Measure the packaged calibration."""
    from app.evidence.model_reader import ModelReader
    from app.support.calibration import load_support_calibrations

    encoder = SentenceTransformerEncoder()
    checker = SupportChecker(reader=ModelReader(), encoder=encoder, calibration=load_support_calibrations()["evidence"])
    return score(checker, pairs(public, encoder), tell)
