"""A report for people: a table on the terminal and one self-contained HTML page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from eval.compare import Comparison
from eval.judge import Judged
from eval.metrics import Metric
from eval.plots import calibration_plot, kinds_plot, latency_plot, risk_coverage_plot
from eval.report import VERDICTS, KindRow, Report


def number(value: float | None, metric: Metric) -> str:
    """A metric's value as text; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:.1f}" if metric.unit == "words" else f"{value:.3f}"


def html(report: Report, comparison: Comparison | None = None) -> str:
    """One page that needs nothing from elsewhere. All texts are escaped."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((files("eval") / "report.html").read_text(encoding="utf-8"))
    return template.render(
        report=report,
        comparison=comparison,
        number=number,
        verdicts=Counter(r.verdict for r in report.rows),
        order=VERDICTS,
        curve=risk_coverage_plot(report.curve),
        kinds=kinds_plot(report.kinds),
        latency=latency_plot(report.latency),
        calibration=calibration_plot(report.calibration),
    )


def terminal(report: Report, comparison: Comparison | None = None) -> Group:
    """The report's tables for a rich console."""
    parts: list[Table | Text] = [_header(report), _metrics(report), _kinds("kind", report.kinds)]
    if report.collections:
        parts.append(_kinds("collection", report.collections))
    times = ", ".join(f"{s.stage} {s.p50:.0f}/{s.p95:.0f}" for s in report.latency if s.p95 > 0)
    parts.append(Text(f"Latency p50/p95 in ms: {times or 'none'}"))
    if report.judged:
        parts += _judged(report.judged)
    if comparison:
        parts += _comparison(comparison)
    return Group(*parts)


def print_terminal(report: Report, comparison: Comparison | None = None) -> None:
    """Print the report on stdout."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=120)
    console.print(terminal(report, comparison))


def _header(report: Report) -> Text:
    h = report.header
    commit = f"{h.commit[:10]}{' (dirty)' if h.dirty else ''}" if h.commit else "not a checkout"
    counted = Counter(r.verdict for r in report.rows)
    verdicts = ", ".join(f"{counted[v]} {v}" for v in VERDICTS if counted[v])
    return Text(
        f"{len(report.rows)} cases ({h.split}) of {h.cases}{f', collection {h.collection}' if h.collection else ''} in {h.seconds:.0f} s · engine {h.engine} · {h.prompt}\n"
        f"index {h.index} · commit {commit} · {h.date}\n{verdicts}\n"
    )


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(names):
        table.add_column(name, justify="right" if i else "left", no_wrap=not i)
    return table


def _metrics(report: Report) -> Table:
    table = _table("metric", "value", "95% interval", "n", "unscored")
    for row in report.metrics:
        s = row.summary
        interval = f"{number(s.low, row.metric)} – {number(s.high, row.metric)}" if s.value is not None else ""
        name = f"{row.metric.title}{' ↓' if row.metric.better == 'lower' else ''}"
        table.add_row(name, number(s.value, row.metric), interval, str(s.n), str(s.unscored))
    return table


def _kinds(name: str, rows: Sequence[KindRow]) -> Table:
    table = _table(
        f"\n{name} (worst first)", "\nn", "\nright", "\n95% interval", "\nkey facts", "citation\nprecision", "\nrecall"
    )
    for row in rows:
        right = row.right
        table.add_row(
            Text(row.kind), str(row.n), _percent(right.value), f"{_percent(right.low)} – {_percent(right.high)}",
            _percent(row.key_fact_recall), _percent(row.citation_precision), _percent(row.recall),
        )  # fmt: skip
    return table


def _judged(judged: Judged) -> list[Table | Text]:
    table = _table("judge", "value", "95% interval", "n", "unscored")
    for name, s in (("faithfulness", judged.faithfulness), ("relevance", judged.relevance)):
        low_high = f"{_percent(s.low)} – {_percent(s.high)}" if s.value is not None else ""
        table.add_row(name, _percent(s.value), low_high, str(s.n), str(s.unscored))
    return [Text(f"\nOpinion of the model {judged.model} ({judged.prompt}), no part of the scores above:"), table]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _comparison(comparison: Comparison) -> list[Table | Text]:
    c = comparison
    text = Text(f"\nAgainst the baseline: {c.wins} won, {c.ties} tied, {c.losses} lost")
    text.append(f"\n{c.only_after} cases newly right, {c.only_before} no longer right; exact McNemar test, two-sided: p = {c.p_value:.3f}")
    if c.new or c.gone:
        text.append(f"; {len(c.new)} new cases, {len(c.gone)} gone")
    for name, before, after in c.different:
        text.append(f"\n{name}: {before} -> {after}")
    table = _table("metric", "before", "now", "change")
    for moved in c.moved:
        if moved.before is not None and moved.after is not None and round(moved.after - moved.before, 4):
            table.add_row(
                moved.title, f"{moved.before:.3f}", f"{moved.after:.3f}", f"{moved.after - moved.before:+.3f}"
            )
    changes = _table("case", "before", "now", "question")
    for change in c.changes:
        changes.add_row(
            Text(change.id, style="green" if change.better else "red"),
            change.before,
            change.after,
            Text(change.question),
        )
    return [text, table, changes]
