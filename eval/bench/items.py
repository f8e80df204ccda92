"""Questions of many sets with what tells how right an answer is, each set in a home of its own, for studies of what a part is worth."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.answer import to_json
from app.evidence.model_reader import ModelReader
from app.home import Home
from app.question.followup import Turn
from eval.cases import bundled_cases
from eval.metrics import correct, status_right
from eval.run import HomeEngine, run_case

OTHERS = ("clapnq", "mtragun", "ramdocs", "support")
"""Sets that no rule was made on."""


@dataclass(slots=True, kw_only=True)
class Item:
    """Something to ask, with what tells how right an answer is.

    Attributes:
        right: from answers (JSON), one a turn, to 0 to 1.
        own: asks by itself, scores, and counts the differences shown; in place of ``turns``.
        relevant: ids of sources, in part, that hold what answers; empty where the set does not tell.
    """

    set: str
    id: str
    home: str
    turns: Sequence[str] = ()
    history: Sequence[Turn] = ()
    right: Callable[[list[dict[str, Any]]], float] = field(default=lambda _: 0.0)
    own: Callable[[Home], tuple[float, int]] | None = None
    relevant: frozenset[str] = frozenset()


def asked(item: Item, home: Home) -> float:
    """How right the answer is, 0 to 1."""
    return answered(item, home)[0]


def answered(item: Item, home: Home) -> tuple[float, int]:
    """How right the answer is, and how many differences between sources it shows."""
    if item.own:
        return item.own(home)
    history, answers = list(item.history), []
    for turn in item.turns:
        answer = to_json(home.answerer.answer(turn, history))
        answers.append(answer)
        history += [Turn(role="user", content=turn), Turn(role="assistant", content=answer.get("answer") or "")]
    return item.right(answers), sum(len(a.get("differences") or []) for a in answers)


def _lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _fold(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def _alike(one: str, other: str) -> bool:
    a, b = set(_fold(one).split()), set(_fold(other).split())
    return len(a & b) / max(1, min(len(a), len(b))) >= 0.8


def clapnq(data: Path, texts: Path) -> Iterator[Item]:
    """First sentence right where there is an answer, no answer where there is none; half of it where values are said to differ.

    Every page is on a subject of its own, so sources that give different values are a mistake.
    """
    for name in ("answerable", "unanswerable"):
        for row in _lines(data / "clapnq" / f"{name}.jsonl"):
            passage = row["passages"][0]
            write_source(texts / f"{row['id']}.md", passage["title"], " ".join(passage["sentences"]))
            gold = row["output"][0].get("selected_sentences") or [] if name == "answerable" else []
            if name == "answerable" and not gold:
                continue

            def right(answers: list[dict[str, Any]], gold: list[str] = gold) -> float:
                answer = answers[-1]
                quotes = [c["quote"] for c in answer["citations"]] if answer["status"] == "answered" else []
                told = any(_alike(quotes[0], g) for g in gold) if gold and quotes else bool(gold) == bool(quotes)
                return float(told) - 0.5 * bool(answer.get("differences"))

            yield Item(set="clapnq", id=row["id"], home="clapnq", turns=(row["input"],), right=right)


def mtragun(data: Path, texts: Path) -> Iterator[Item]:
    """A relevant passage cited where there is an answer; left open or asked back where not."""
    rows = _lines(data / "mtragun" / "reference.jsonl")
    for document in {c["document_id"]: c for r in rows for c in r["contexts"]}.values():
        name = _name(document["document_id"])
        write_source(texts / f"{name}.md", document.get("title") or name, document["text"].strip())
    for number, row in enumerate(rows):
        kind = row["answerability"][0]
        ids = {_name(c["document_id"]).lower() for c in row["contexts"]}

        def right(answers: list[dict[str, Any]], kind: str = kind, ids: set[str] = ids) -> float:
            answer = answers[-1]
            if kind in ("ANSWERABLE", "PARTIAL"):
                cited = [c["source_id"].lower() for c in answer["citations"]] if answer["status"] == "answered" else []
                return float(any(i in c for i in ids for c in cited))
            return float(answer["status"] in ("abstained", "unclear"))

        history = [Turn(role="user" if t["speaker"] == "user" else "assistant", content=t["text"]) for t in row["input"][:-1]]
        yield Item(
            set="mtragun", id=str(number), home="mtragun", turns=(row["input"][-1]["text"],), history=history, right=right,
            relevant=frozenset(ids) if kind == "ANSWERABLE" else frozenset(),
        )  # fmt: skip


def ramdocs(data: Path, texts: Path) -> Iterator[Item]:
    """Share of the right values that are shown; nothing where only a wrong one is."""
    for number, row in enumerate(_lines(data / "ramdocs" / "test.jsonl")):
        for place, document in enumerate(row["documents"]):
            (texts / f"q{number}-d{place}.txt").write_text(document["text"].strip() + "\n", encoding="utf-8")

        def right(answers: list[dict[str, Any]], row: Any = row) -> float:
            answer = answers[-1]
            if answer["status"] != "answered":
                return 0.0
            told = _fold(" ".join([answer.get("short_answer") or "", answer["answer"], json.dumps(answer.get("differences") or [])]))
            hits = [_fold(g) in told for g in row["gold_answers"] if _fold(g)]
            wrong = any(_fold(w) in told for w in row["wrong_answers"] if _fold(w))
            return sum(hits) / max(1, len(hits)) if any(hits) else -1.0 if wrong else 0.0

        yield Item(set="ramdocs", id=str(number), home="ramdocs", turns=(row["question"],), right=right)


def support(data: Path) -> Iterator[Item]:
    """Claims told supported or not as annotators did: WiCE, and sentences of a strong model with falsehoods planted in some."""
    strong = _lines(data / "strong" / "pairs.jsonl")
    rows = [(f"strong-{n}", r["claim"], r["passage"], r["label"] != "false") for n, r in enumerate(strong)]
    for number, row in enumerate(_lines(data / "wice" / "oracle_chunks_claim_dev.jsonl")):
        if row["label"] in {"supported", "not_supported"}:
            rows.append((f"wice-{number}", row["claim"], "\n".join(row["evidence"]), row["label"] == "supported"))
    for name, claim, passage, gold in rows:

        def right(home: Home, claim: str = claim, passage: str = passage, gold: bool = gold) -> tuple[float, int]:
            return float((home.checker.check_text(claim, passage).label == "supported") == gold), 0

        yield Item(set="support", id=name, home="clapnq", own=right)


def analyst(data: Path, article: Path) -> Iterator[Item]:
    """The share of turns that pass the scorer that lies beside the cases."""
    spec = importlib.util.spec_from_file_location("analyst_score", data / "analyst" / "score.py")
    assert spec and spec.loader
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    for case in scorer.load(data / "analyst" / "cases.yaml"):
        if case["home"] == "article" and not article.exists():
            continue
        turns = tuple(t["q"] for t in scorer.turns(case))

        def right(answers: list[dict[str, Any]], case: Any = case) -> float:
            return float(scorer.score([case], {case["id"]: answers})[0]["pass"])

        yield Item(set="analyst", id=case["id"], home=case["home"], turns=turns, right=right)


def own() -> Iterator[Item]:
    """The dev cases over the bundled sources."""
    for case in bundled_cases():
        if case.planted or case.split != "dev":
            continue

        def right(home: Home, case: Any = case) -> tuple[float, int]:
            run = run_case(case, HomeEngine(home, home.answerer))
            shown = len(run.answer.differences) if run.answer else 0
            return float(status_right(run) and correct(run) is not False), shown

        yield Item(set="own", id=case.id, home="bundled", own=right)


def _name(document: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", document)


def write_source(file: Path, title: str, text: str) -> None:
    """Write a text of a data set as a Markdown file that can be ingested."""
    file.write_text(f"---\ntitle: {json.dumps(title)}\n---\n\n{text}\n", encoding="utf-8")


def gathered(data: Path, work: Path, article: Path) -> tuple[list[Item], dict[str, Home]]:
    """All items and the homes that they are asked in; homes lie in ``work`` and are kept."""
    items: list[Item] = [*own(), *analyst(data, article)]
    homes: dict[str, Home] = {}
    for name, read in (("clapnq", clapnq), ("mtragun", mtragun), ("ramdocs", ramdocs)):
        texts = work / f"{name}-texts"
        texts.mkdir(parents=True, exist_ok=True)
        items += read(data, texts)
        homes[name] = kept_home(work / name, [texts])
    items += support(data)
    homes["bundled"] = kept_home(work / "bundled", None)
    if article.exists():
        homes["article"] = kept_home(work / "article", [article])
    return items, homes


def kept_home(folder: Path, paths: Sequence[Path] | None) -> Home:
    """An indexed home in a folder, made where it is not there yet: with these files alone, or with the bundled sources."""
    made = not folder.exists()
    home = Home(folder)
    if made:
        if paths is None:
            list(home.update_sources())
        else:
            home.init(empty=True)
            list(home.add(list(paths), {}))
    home.sync()
    return home


def remembering() -> None:
    """Let the reader keep its readings: they depend on texts alone, not on a rule."""
    for name in ("score", "check"):
        setattr(ModelReader, name, _kept(getattr(ModelReader, name)))


def _kept(read: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    kept: dict[Any, Any] = {}

    def reading(self: ModelReader, text: str, passages: Sequence[Any]) -> list[Any]:
        new = [p for p in dict.fromkeys(passages) if (text, p) not in kept]
        if new:
            kept.update(zip(((text, p) for p in new), read(self, text, new), strict=True))
        return [kept[text, p] for p in passages]

    return reading
