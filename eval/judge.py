"""Scores by a language model, apart from our own metrics: how faithful an answer is to its quotes, how relevant to its question.

After the idea of Zheng et al. 2023, "Judging LLM-as-a-Judge" (arXiv:2306.05685), with one verdict an answer. A model that
judges its own answers is lenient, and a small one is a poor judge: read the numbers with that in mind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import prompts
from app.writing.engines import EngineError, Usage
from app.writing.parts import Model
from eval.metrics import Score, Summary, summarise
from eval.run import Run

SCALE = 10
_OBJECT = re.compile(r"\{[^{}]*\}")
ASPECTS = ("faithfulness", "relevance")


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedCase:
    """The verdict on one answer, in [0, 1]; None with the reason when it could not be read."""

    id: str
    faithfulness: float | None
    relevance: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """All verdicts of a model.

    Attributes:
        cases: answered cases only; there is nothing to be faithful to in an abstention.
    """

    model: str
    prompt: str
    cases: tuple[JudgedCase, ...]
    faithfulness: Summary
    relevance: Summary


def judge_runs(model: Model, runs: Sequence[Run], *, progress: Callable[[int, int], None] | None = None) -> Judged:
    """A verdict for every answered case. A model that fails leaves the case unscored."""
    answered = [r for r in runs if r.answer is not None and r.answer.status == "answered"]
    cases = []
    for number, run in enumerate(answered, start=1):
        if progress:
            progress(number, len(answered))
        cases.append(judge(model, run))
    return Judged(
        model=model.name,
        prompt=prompts.load("judge").id,
        cases=tuple(cases),
        faithfulness=summarise(Score(value=c.faithfulness, reason=c.reason) for c in cases),
        relevance=summarise(Score(value=c.relevance, reason=c.reason) for c in cases),
    )


def judge(model: Model, run: Run) -> JudgedCase:
    """The model's verdict on one answer."""
    assert run.answer is not None
    quotes = "\n".join(f"[{c.marker}] {' '.join(c.quote.split())}" for c in run.answer.citations)
    system, user = prompts.load("judge").render(
        question=_data(run.answer.standalone_question), answer=_data(run.answer.answer), quotes=_data(quotes)
    )
    try:
        reply = "".join(model.ask(system, user, Usage()))
    except EngineError as exc:
        return JudgedCase(id=run.case.id, faithfulness=None, relevance=None, reason=str(exc))
    verdict = read_verdict(reply)
    if verdict is None:
        return JudgedCase(id=run.case.id, faithfulness=None, relevance=None, reason=f"unreadable: {reply[:80]!r}")
    return JudgedCase(id=run.case.id, faithfulness=verdict[0], relevance=verdict[1])


def read_verdict(reply: str) -> tuple[float, float] | None:
    """Faithfulness and relevance in [0, 1], or None when the reply is no verdict.

    Taken is the last JSON object with both numbers from 0 to 10; nothing is guessed from other words.
    """
    for found in reversed(_OBJECT.findall(reply)):
        try:
            data = json.loads(found)
        except ValueError:
            continue
        values = [data.get(name) for name in ASPECTS]
        if all(isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v <= SCALE for v in values):
            return values[0] / SCALE, values[1] / SCALE
    return None


def _data(text: str) -> str:
    return text.replace("<", "‹").replace(">", "›")
