"""Whether an answer gives the word of the one whose word is asked for, and says so where they say nothing.

Made-up collections, written by somebody who had not seen the rules: ``eval/holders/orchard`` is dev, ``quarry`` test: who looks at cases of
it to mend them makes it dev.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.answer import to_json
from app.home import Home
from eval.bench import written

FOLDER = Path(__file__).parent.parent / "holders"
SPLITS = {"dev": ("orchard",), "test": ("quarry",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A question for somebody's word.

    Attributes:
        kind: "says", "according", "author", "compare" (two holders), "silent" (they say nothing on it, though others do).
        right: words of their own statements by holder, one of which must be cited; without an entry nobody's are right.
        wrong: words of others on the matter, by holder.
    """

    id: str
    kind: str
    question: str
    right: Mapping[str, tuple[str, ...]]
    wrong: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What an answer gives.

    Attributes:
        right: share of the holders whose own word is cited, 0 to 1; of a silent one, 1 for an abstention.
        wrong: the first sentence (in a comparison, the row of a holder) gives another's word for theirs.
    """

    case: Case
    right: float
    wrong: bool
    answered: bool


def cases(collection: str) -> tuple[Case, ...]:
    """The cases of a collection."""
    rows = (json.loads(line) for line in (FOLDER / collection / "cases.jsonl").read_text(encoding="utf-8").splitlines())
    return tuple(Case(id=r["id"], kind=r["kind"], question=r["question"], right=_by_holder(r["right"]), wrong=_by_holder(r["wrong"])) for r in rows)


def _by_holder(given: Any) -> dict[str, tuple[str, ...]]:
    return {k: tuple(v) for k, v in given.items()} if isinstance(given, dict) else {"": tuple(given)} if given else {}


def score(case: Case, answer: Mapping[str, Any]) -> Score:
    """How right an answer (JSON) is."""
    answered = answer["status"] == "answered"
    quotes = [c["quote"] for c in answer["citations"]] if answered else []
    if case.kind == "silent":
        return Score(case=case, right=float(not answered), wrong=answered and any(_holds(q, case.wrong.get("", ())) for q in quotes), answered=answered)
    if case.kind == "compare":
        rows = answer["rows"] if answered else []
        told = {name: " ".join(cell for r in rows if _labels(r["label"], name) for cell in r["cells"]) for name in case.right}
        right = sum(_holds(told[name], case.right[name]) for name in told) / len(told)
        return Score(case=case, right=right, wrong=any(_holds(told[n], case.wrong.get(n, ())) for n in told), answered=answered)
    wrong = bool(quotes) and _holds(quotes[0], case.wrong.get("", ()))
    return Score(case=case, right=float(not wrong and any(_holds(q, case.right[""]) for q in quotes)), wrong=wrong, answered=answered)


def _holds(text: str, words: Sequence[str]) -> bool:
    return any(w.lower() in text.lower() for w in words)


def _labels(label: str, name: str) -> bool:
    return name.lower().removeprefix("the ").split()[-1] in label.lower()


def asked(collection: str, home: Home) -> Iterator[tuple[Score, Mapping[str, Any]]]:
    """Each case of a collection with its answer."""
    for case in cases(collection):
        answer = to_json(home.answerer.answer(case.question))
        yield score(case, answer), answer


def sums(scores: Sequence[Score]) -> dict[str, float]:
    """Shares over cases."""
    n = len(scores)
    return {"right": sum(s.right for s in scores) / n, "another's word": sum(s.wrong for s in scores) / n, "answered": sum(s.answered for s in scores) / n}


def as_table(scores: Sequence[Score]) -> str:
    """The sums by kind, as Markdown."""
    return written.as_table(scores, lambda s: s.case.kind, sums)


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
                if tell and (s.right < 1 or s.wrong):
                    tell(f"{s.case.id} {s.case.kind}: {s.case.question}\n   wanted {dict(s.case.right)}\n   {answer['status']}: {answer['answer'][:300]}")
    return scores
