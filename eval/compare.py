"""A report against an earlier one: which cases were won and lost, and which metrics moved."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eval.errors import EvalError
from eval.metrics import Better
from eval.report import Report, Row

_RANK = {"right": 2, "partly": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A case that went differently."""

    id: str
    kind: str
    question: str
    before: str
    after: str
    better: bool
    answer_before: str
    answer_after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A metric before and now."""

    name: str
    title: str
    better: Better
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Win, tie and loss per case (Sakai 2014 calls it the paired view), over the cases in both reports.

    Attributes:
        only_after: cases that are right now and were not in the baseline.
        only_before: cases that were right in the baseline and are not now.
        p_value: of these two counts, see :func:`mcnemar`.
        new: ids only in the present report.
        gone: ids only in the baseline.
        different: header lines that differ, as (name, before, now).
    """

    wins: int
    ties: int
    losses: int
    only_after: int
    only_before: int
    p_value: float
    changes: tuple[Change, ...]
    moved: tuple[Moved, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]
    different: tuple[tuple[str, str, str], ...]


def compare(before: Report, after: Report) -> Comparison:
    """What changed from the baseline to the present report.

    A case is won when its verdict is better, or the verdict is the same and more key facts were said.
    """
    old: Mapping[str, Row] = {r.id: r for r in before.rows}
    new: Mapping[str, Row] = {r.id: r for r in after.rows}
    shared = [i for i in new if i in old]
    changes = [_change(old[i], new[i]) for i in shared if _worth(old[i]) != _worth(new[i])]
    changes.sort(key=lambda c: (c.better, c.kind, c.id))
    known = {r.metric.name: r.summary.value for r in before.metrics}
    headers = [("commit", before.header.commit, after.header.commit), ("index", before.header.index, after.header.index),
               ("engine", before.header.engine, after.header.engine), ("prompt", before.header.prompt, after.header.prompt),
               ("collection", before.header.collection, after.header.collection), ("cases", before.header.cases, after.header.cases), ("split", before.header.split, after.header.split)]  # fmt: skip
    wins = sum(c.better for c in changes)
    only_after = sum(c.after == "right" != c.before for c in changes)
    only_before = sum(c.before == "right" != c.after for c in changes)
    return Comparison(
        wins=wins,
        ties=len(shared) - len(changes),
        losses=len(changes) - wins,
        only_after=only_after,
        only_before=only_before,
        p_value=mcnemar(only_after, only_before),
        changes=tuple(changes),
        moved=tuple(
            Moved(
                name=r.metric.name,
                title=r.metric.title,
                better=r.metric.better,
                before=known.get(r.metric.name),
                after=r.summary.value,
            )
            for r in after.metrics
        ),
        new=tuple(i for i in new if i not in old),
        gone=tuple(i for i in old if i not in new),
        different=tuple((name, str(a), str(b)) for name, a, b in headers if a != b),
    )


def mcnemar(one: int, other: int) -> float:
    """How likely the counts are to lie this far apart, or further, if both engines were equally good: two-sided p.

    The exact form of the test of McNemar (Psychometrika 12, 1947): of the n = one + other cases that only one of
    the two engines has right, each is as likely to be the one's as the other's, so
    p = min(1, 2 · Σ_{i ≤ min(one, other)} C(n, i) / 2ⁿ). Cases that both have right, or wrong, do not count.
    """
    n = one + other
    tail = sum(math.comb(n, i) for i in range(min(one, other) + 1))
    return min(1.0, 2 * tail / (1 << n))


def _worth(row: Row) -> tuple[int, float]:
    facts = row.scores.get("key_fact_recall")
    return _RANK.get(row.verdict, 0), facts if facts is not None else 0.0


def _change(old: Row, new: Row) -> Change:
    return Change(
        id=new.id,
        kind=new.kind,
        question=new.question,
        before=old.verdict,
        after=new.verdict,
        better=_worth(new) > _worth(old),
        answer_before=old.answer,
        answer_after=new.answer,
    )


def thresholds(given: Sequence[str]) -> dict[str, float]:
    """``METRIC=VALUE`` texts as numbers.

    Raises:
        EvalError: one is not of that form.
    """
    wanted = {}
    for text in given:
        name, _, value = text.partition("=")
        try:
            wanted[name.strip()] = float(value)
        except ValueError as exc:
            raise EvalError(f"--fail-under {text!r} is not METRIC=VALUE, such as key_fact_recall=0.6") from exc
    return wanted


def breaches(report: Report, wanted: Mapping[str, float]) -> list[str]:
    """What is worse than wanted, a clause each. A metric without a value is a breach: nothing was measured.

    For metrics where lower is better, the value is the most that is allowed.

    Raises:
        EvalError: there is no such metric.
    """
    found = []
    for name, limit in wanted.items():
        row = report.row(name)
        value = row.summary.value
        if value is None:
            found.append(f"{name} has no value, wanted {limit:g}")
        elif row.metric.better == "higher" and value < limit:
            found.append(f"{name} is {value:.3f}, wanted at least {limit:g}")
        elif row.metric.better == "lower" and value > limit:
            found.append(f"{name} is {value:.3f}, wanted at most {limit:g}")
    return found
