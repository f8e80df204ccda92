"""The report as plain data: header, metrics, kinds, curves and one row per case. No rendering here."""

from __future__ import annotations

import json
import platform
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from eval.errors import EvalError
from eval.judge import Judged
from eval.metrics import (
    METRICS,
    POOLED,
    Bin,
    CurvePoint,
    Metric,
    Score,
    Summary,
    bins,
    calibration_pairs,
    correct,
    differences_shown,
    facts_said,
    forbidden_said,
    latency,
    risk_coverage,
    score_all,
    share_right,
    status_right,
    summarise,
    summarise_pooled,
    unsupported_figures,
)
from eval.run import Run

FORMAT = 1
"""Raised when an older report can no longer be read as a baseline."""
VERDICTS = ("right", "partly", "wrong", "false refusal", "false answer", "not declined", "failed")
_PACKAGES = ("iskp-qa", "torch", "sentence-transformers", "chromadb", "numpy", "ir-measures")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What was examined, with what.

    Attributes:
        dirty: whether the working tree differed from the commit; None outside a checkout.
        collection: which sources were asked: "bundled", names of packaged collections, or "home" for cases of
            one's own.
        corpus: how many sources of which origin the home, or the homes of the collections, held.
        prompt: fingerprints of prompt or reader weights seen in the answers.
    """

    date: str
    commit: str | None
    dirty: bool | None
    versions: Mapping[str, str]
    index: str
    engine: str
    prompt: str
    cases: str
    split: str
    corpus: Mapping[str, int]
    settings: Mapping[str, Any]
    seconds: float
    collection: str = ""
    format: int = FORMAT


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """A metric with its summary."""

    metric: Metric
    summary: Summary


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """How the cases of one kind, or of one collection, went."""

    kind: str
    n: int
    right: Summary
    verdicts: Mapping[str, int]
    key_fact_recall: float | None
    citation_precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A citation as the report shows it."""

    marker: int
    source_id: str
    title: str
    date: str | None
    locator: str
    quote: str
    valid: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A case with what came of it."""

    id: str
    kind: str
    split: str
    question: str
    standalone: str
    expect: str
    status: str
    verdict: str
    why: tuple[str, ...]
    answer: str
    short_answer: str | None
    confidence: float | None
    citations: tuple[Cited, ...]
    gold: tuple[str, ...]
    retrieved: tuple[str, ...]
    scores: Mapping[str, float | None]
    milliseconds: float | None
    collection: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Latency of a stage in milliseconds."""

    stage: str
    p50: float
    p95: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is shown of an evaluation.

    Attributes:
        collections: a row per packaged collection, worst first; empty where none was asked.
    """

    header: Header
    metrics: tuple[MetricRow, ...]
    kinds: tuple[KindRow, ...]
    curve: tuple[CurvePoint, ...]
    calibration: tuple[Bin, ...]
    latency: tuple[Stage, ...]
    rows: tuple[Row, ...]
    judged: Judged | None = None
    collections: tuple[KindRow, ...] = ()

    def value(self, name: str) -> float | None:
        """The value of a metric by name.

        Raises:
            EvalError: there is no such metric.
        """
        return self.row(name).summary.value

    def row(self, name: str) -> MetricRow:
        """A metric by name.

        Raises:
            EvalError: there is no such metric.
        """
        for row in self.metrics:
            if row.metric.name == name:
                return row
        raise EvalError(f"there is no metric {name!r}; known are {', '.join(r.metric.name for r in self.metrics)}")


def make_report(runs: Sequence[Run], header: Header, judged: Judged | None = None) -> Report:
    """Score the runs and lay everything out."""
    scores = score_all(runs)
    rows = [MetricRow(metric=m, summary=summarise(scores[m.name].values())) for m in METRICS]
    rows += [MetricRow(metric=p.metric, summary=summarise_pooled(p, runs)) for p in POOLED]
    stages = tuple(Stage(stage=s, p50=p50, p95=p95) for s, (p50, p95) in latency(runs).items())
    return Report(
        header=header,
        metrics=tuple(rows),
        kinds=_kinds(runs, scores, lambda r: r.case.kind),
        collections=_kinds([r for r in runs if r.collection], scores, lambda r: r.collection),
        curve=tuple(risk_coverage(runs)),
        calibration=tuple(bins(calibration_pairs(runs))),
        latency=stages,
        rows=tuple(_row(run, {name: by_case[run.case.id] for name, by_case in scores.items()}) for run in runs),
        judged=judged,
    )


def verdict(run: Run) -> tuple[str, tuple[str, ...]]:
    """One word for how the case went, and what was wrong with it."""
    if run.answer is None:
        return "failed", (run.error,)
    case, status = run.case, run.answer.status
    if not status_right(run):
        word = {"answered": "false refusal", "abstained": "false answer", "declined": "not declined", "unclear": "not asked back"}[case.expect]
        if word == "false answer" and status in {"declined", "unclear"}:
            word = "false refusal"
        return word, (f"{status}, expected {case.expect}",)
    why = [f"forbidden: {f}" for f in forbidden_said(run)]
    if why:
        return "wrong", tuple(why)
    if status != "answered":
        return "right", ()
    said, shown = facts_said(run), differences_shown(run)
    why += [f"missing: {f}" for f in case.facts if f not in said]
    why += [f"difference not shown: {d}" for d in case.differences if d not in shown]
    why += [f"figure without support: {f}" for f in unsupported_figures(run.answer)[0]]
    if correct(run):
        return "right", tuple(why)
    if correct(run) is None:
        return "right", ("not judged: nothing to check the answer by",)
    return ("partly" if said or shown else "wrong"), tuple(why) or ("no citation in a gold passage",)


def _row(run: Run, scores: Mapping[str, Score]) -> Row:
    word, why = verdict(run)
    case, answer = run.case, run.answer
    return Row(
        id=case.id,
        kind=case.kind,
        split=case.split,
        question=case.question,
        standalone=answer.standalone_question if answer else "",
        expect=" or ".join((case.expect, *case.also_accept)),
        status=answer.status if answer else "failed",
        verdict=word,
        why=why,
        answer=answer.answer if answer else run.error,
        short_answer=answer.short_answer if answer else None,
        confidence=round(answer.confidence, 4) if answer else None,
        citations=tuple(
            Cited(
                marker=c.marker, source_id=c.source_id, title=c.title, date=c.date, locator=c.locator, quote=c.quote,
                valid=valid,
            )
            for c, valid in zip(answer.citations, run.quotes_valid, strict=True)
        )
        if answer
        else (),
        gold=tuple(g.key for g in case.gold),
        retrieved=tuple(hit.keys[0] for hit in run.retrieved),
        scores={name: score.value for name, score in scores.items()},
        milliseconds=answer.timings_ms.get("total") if answer else None,
        collection=run.collection,
    )  # fmt: skip


def _kinds(
    runs: Sequence[Run], scores: Mapping[str, Mapping[str, Score]], kind_of: Callable[[Run], str]
) -> tuple[KindRow, ...]:
    rows = []
    for kind in sorted({kind_of(r) for r in runs}):
        of_kind = [r for r in runs if kind_of(r) == kind]
        words = [verdict(r)[0] for r in of_kind]

        def mean(name: str, chosen: Sequence[Run] = of_kind) -> float | None:
            return summarise(scores[name][r.case.id] for r in chosen).value

        rows.append(
            KindRow(
                kind=kind,
                n=len(of_kind),
                right=share_right([word == "right" for word in words]),
                verdicts=dict(Counter(words)),
                key_fact_recall=mean("key_fact_recall"),
                citation_precision=mean("citation_precision"),
                recall=mean("recall"),
            )
        )
    # Worst first: that is what one looks for.
    return tuple(sorted(rows, key=lambda r: (r.right.value or 0.0, r.kind)))


def make_header(
    runs: Sequence[Run],
    *,
    cases: str,
    split: str,
    collection: str,
    corpus: Mapping[str, int],
    settings: Mapping[str, Any],
    seconds: float,
) -> Header:
    """What is known of this evaluation, now."""
    commit, dirty = _checkout()
    answers = [r.answer for r in runs if r.answer is not None]
    return Header(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=commit,
        dirty=dirty,
        versions=_versions(),
        index=_most_common(a.index_id for a in answers if a.status != "declined"),
        engine=", ".join(sorted({a.engine for a in answers})) or "none",
        prompt=", ".join(sorted({a.prompt_id for a in answers})) or "none",
        cases=cases,
        split=split,
        collection=collection,
        corpus=corpus,
        settings=settings,
        seconds=round(seconds, 1),
    )


def _most_common(values: Any) -> str:
    counted = Counter(values).most_common(1)
    return counted[0][0] if counted else "none"


def _checkout() -> tuple[str | None, bool | None]:
    root = Path(__file__).resolve().parent.parent

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=20, check=True)  # fmt: skip
        return done.stdout.strip()

    try:
        # Inside a virtual environment of some other checkout this would name a foreign commit.
        if Path(git("rev-parse", "--show-toplevel")).resolve() != root:
            return None, None
        return git("rev-parse", "HEAD"), bool(git("status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


# --- JSON --------------------------------------------------------------------------------------------


def to_json(report: Report) -> str:
    """The report as JSON text."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=1)


def read_report(file: Path) -> Report:
    """A report that :func:`to_json` wrote.

    Raises:
        EvalError: it can't be read or is of another version.
    """
    if file.is_dir():
        file = file / "report.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as exc:
        raise EvalError(f"the report {file} cannot be read: {exc}") from exc
    found = data.get("header", {}).get("format") if isinstance(data, dict) else None
    if found != FORMAT:
        raise EvalError(f"{file} is not a report of format {FORMAT} but {found}; make it anew: iskp eval --report DIR")
    try:
        return TypeAdapter(Report).validate_python(data)
    except ValidationError as exc:
        where = ".".join(str(p) for p in exc.errors()[0]["loc"])
        raise EvalError(f"{file} is not a report: {where}: {exc.errors()[0]['msg']}") from exc


def without_times(report: Report) -> dict[str, Any]:
    """The report's data without dates and times: equal for two runs of the same code on the same home."""
    data = asdict(report)
    data["header"].pop("date")
    data["header"].pop("seconds")
    data.pop("latency")
    for row in data["rows"]:
        row.pop("milliseconds")
    return data
