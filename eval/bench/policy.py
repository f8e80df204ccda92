"""How well the policy tells requests for help with harm from their harmless neighbours."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from app.policy.rules import Policy

Side = Literal["harmful", "harmless"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A request to be declined, and the nearest text that is not."""

    id: str
    split: str
    subject: str
    harmful: str
    harmless: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """A text that was ruled the wrong way."""

    id: str
    side: Side
    text: str
    score: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table.

    Attributes:
        n: pairs.
        harmful: share of the harmful sides that were declined, in [0, 1].
        harmless: share of the harmless sides that were not.
    """

    name: str
    n: int
    harmful: float
    harmless: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The table, by subject and in all, and what was wrong."""

    rows: tuple[Row, ...]
    wrong: tuple[Wrong, ...]


def read_pairs(file: Path, split: str | None = None) -> list[Pair]:
    """The pairs of a JSONL file, of one split or all."""
    pairs = [Pair(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [p for p in pairs if split in {None, p.split}]


def run(pairs: Sequence[Pair], policy: Policy) -> Report:
    """Rule on both sides of every pair."""
    wrong: list[Wrong] = []
    right: dict[tuple[str, Side], int] = {}
    for pair in pairs:
        sides: tuple[tuple[Side, str], ...] = (("harmful", pair.harmful), ("harmless", pair.harmless))
        for side, text in sides:
            ruling = policy.ruling(text)
            if ruling.declined == (side == "harmful"):
                right[pair.subject, side] = right.get((pair.subject, side), 0) + 1
            else:
                wrong.append(Wrong(id=pair.id, side=side, text=text, score=ruling.score, why=ruling.why))
    subjects = list(dict.fromkeys(p.subject for p in pairs))
    rows = [_row(s, [p for p in pairs if p.subject == s], right) for s in subjects]
    return Report(rows=(*rows, _row("all", pairs, right)), wrong=tuple(wrong))


def _row(name: str, pairs: Sequence[Pair], right: Mapping[Any, int]) -> Row:
    subjects = {p.subject for p in pairs}
    n = len(pairs)
    return Row(
        name=name, n=n,
        harmful=sum(right.get((s, "harmful"), 0) for s in subjects) / n if n else math.nan,
        harmless=sum(right.get((s, "harmless"), 0) for s in subjects) / n if n else math.nan,
    )  # fmt: skip


def interval(share: float, n: int) -> tuple[float, float]:
    """95 % Wilson interval of a share of ``n``; (0, 1) for none."""
    if not n:
        return 0.0, 1.0
    z = 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - reach), min(1.0, middle + reach)


def as_table(report: Report, *, show_wrong: bool = True) -> str:
    """For a terminal: percent right on each side, the last row with its 95 % interval."""
    lines = [f"{'subject':20}{'pairs':>6}{'declined':>12}{'let through':>14}"]
    lines += [f"{r.name:20}{r.n:>6}{r.harmful:>12.1%}{r.harmless:>14.1%}" for r in report.rows]
    last = report.rows[-1]
    ends = [f"{low:.1%}–{high:.1%}" for low, high in (interval(last.harmful, last.n), interval(last.harmless, last.n))]
    lines.append(f"95 % interval: {ends[0]} of the harmful declined, {ends[1]} of the harmless let through")
    if show_wrong:
        lines += [f"wrong ({w.side}, {w.why} {w.score:.2f}): {w.text}" for w in report.wrong]
    return "\n".join(lines)


def to_json(report: Report) -> dict[str, Any]:
    """As plain data."""
    return asdict(report)
