"""Whether the values beside an answer are the right ones: of the thing asked for, with their dates, and none of another thing.

Made-up collections, written by somebody who had not seen the rules: ``eval/values/harbour`` and ``highland`` are dev, ``delta`` and
``tramway`` test: who looks at cases of these to mend them makes them dev.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.answer import to_json
from app.home import Home
from app.text.lexicon import NUMBERS
from eval.bench import written

FOLDER = Path(__file__).parent.parent / "values"
SPLITS = {"dev": ("harbour", "highland"), "test": ("delta", "tramway")}
_DIGITS = re.compile(r"[0-9]+(?:,[0-9]{3})*(?:\.[0-9]+)?")
_WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question for figures.

    Attributes:
        kind: what makes it hard: "owner", "year", "part", ….
        values: all figures that answer it: ``value``, ``date`` (null where none is told), ``also`` (other fitting dates), ``source``.
        never: figures of other things that stand in the collection.
    """

    id: str
    kind: str
    question: str
    values: tuple[Mapping[str, Any], ...]
    never: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What an answer shows.

    Attributes:
        right: one of the right figures stands in the first sentence, the short answer or beside the answer, and the short answer gives no other.
        found, wanted: different right figures that are shown, and that there are.
        false: figures of other things that are given as the short answer or beside the answer.
        beside: figures beside the answer; ``dated`` of the right ones among them have a right date.
    """

    case: Case
    right: bool
    found: int
    wanted: int
    false: tuple[str, ...]
    beside: int
    beside_right: int
    dated: int


def cases(collection: str) -> tuple[Case, ...]:
    """The cases of a collection."""
    file = FOLDER / collection / "cases.jsonl"
    rows = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    return tuple(Case(id=r["id"], kind=r["kind"], question=r["question"], values=tuple(r["values"]), never=tuple(r["never"])) for r in rows)


def key(value: str) -> tuple[str, ...]:
    """The numbers of a figure, whether in digits or in words: "between 400 and 1,600" is ("400", "1600"), "seven" is ("7",)."""
    found = tuple(d.replace(",", "") for d in _DIGITS.findall(value))
    return found or tuple(
        str(NUMBERS.get(w, w))
        for w in _WORD.findall(value.lower())
        if w not in {"about", "some", "around", "nearly", "a"}
    )


def holds(text: str, value: str) -> bool:
    """Whether a sentence gives a figure."""
    wanted = key(value)
    if wanted and wanted[0].isdigit() and _DIGITS.search(value):
        return set(wanted) <= set(key(text))
    return re.search(rf"\b{re.escape(value.lower())}\b", text.lower()) is not None


def score(case: Case, answer: Mapping[str, Any]) -> Score:
    """How right an answer (JSON) is."""
    answered = answer["status"] == "answered"
    beside = [v for d in answer["differences"] for v in d["values"]] if answered else []
    lead = answer["citations"][0]["quote"] if answered and answer["citations"] else ""
    short = (answer.get("short_answer") or "") if answered else ""
    by_marker = {c["marker"]: Path(c["source_id"]).stem for c in answer["citations"]}
    wanted = {key(v["value"]) for v in case.values}
    shown = {key(v["value"]) for v in case.values if holds(lead, v["value"]) or holds(short, v["value"])}
    shown |= wanted & {key(v["value"]) for v in beside}
    never = {key(n) for n in case.never}
    given = [v["value"] for v in beside] + ([short] if short else [])
    false = tuple(g for g in given if key(g) in never)
    dated = [_dated(v, by_marker.get(v["marker"], ""), case) for v in beside if key(v["value"]) in wanted]
    return Score(
        case=case, right=bool(shown) and not (short and key(short) in never), found=len(shown), wanted=len(wanted), false=false,
        beside=len(beside), beside_right=len(dated), dated=sum(dated),
    )  # fmt: skip


def _dated(shown: Mapping[str, Any], source: str, case: Case) -> bool:
    """Whether a value beside the answer has a date that fits, to the day, month or year that is told."""
    fitting = [v for v in case.values if key(v["value"]) == key(shown["value"])]
    here = [v for v in fitting if v["source"] == source] or fitting
    dates = [d for v in here for d in (v["date"], *v.get("also", ()))]
    date = shown.get("date")
    return any(d == date or (d and date and (date.startswith(d) or d.startswith(date))) for d in dates)


def asked(collection: str, home: Home) -> Iterator[tuple[Score, Mapping[str, Any]]]:
    """Each case of a collection with its answer."""
    for case in cases(collection):
        answer = to_json(home.answerer.answer(case.question))
        yield score(case, answer), answer


def sums(scores: Sequence[Score]) -> dict[str, float]:
    """Shares over cases: right, values found, values beside the answer that are right or false, dates that fit."""
    beside = sum(s.beside for s in scores)
    right = sum(s.beside_right for s in scores)
    return {
        "right": sum(s.right for s in scores) / len(scores),
        "recall": sum(s.found for s in scores) / sum(s.wanted for s in scores),
        "with a false value": sum(bool(s.false) for s in scores) / len(scores),
        "beside": float(beside),
        "beside right": right / beside if beside else 0.0,
        "dated": sum(s.dated for s in scores) / right if right else 0.0,
    }


def as_table(scores: Sequence[Score]) -> str:
    """The sums by kind, as Markdown."""
    return written.as_table(scores, lambda s: s.case.kind, sums, whole=("beside",))


def _told(s: Score, answer: Mapping[str, Any]) -> str:
    beside = [(v["value"], v["unit"], v["date"]) for d in answer["differences"] for v in d["values"]]
    return (
        f"{s.case.id} {s.case.kind}: {s.case.question}\n"
        f"   wanted {[(v['value'], v['date']) for v in s.case.values]}, never {s.case.never}\n"
        f"   {answer['status']} {answer['confidence']:.2f}, short {answer.get('short_answer')}: {answer['answer'][:300]}\n"
        f"   beside {beside}"
    )


def run(split: str, tell: Callable[[str], None] | None = None) -> list[Score]:
    """The scores of a split, each collection asked in a home of its own that is gone afterwards.

    Args:
        tell: is given what each case that is not wholly right came to.
    """
    scores: list[Score] = []
    for collection in SPLITS[split]:
        with written.lent(FOLDER / collection) as home:
            for s, answer in asked(collection, home):
                scores.append(s)
                if tell and (not s.right or s.false or s.found < s.wanted or s.dated < s.beside_right):
                    tell(_told(s, answer))
    return scores
