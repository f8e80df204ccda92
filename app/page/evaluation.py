"""The Evaluation tab: the last report of ``iskp eval`` in the home, and a button that makes a new one.

The report is read as data: the layer that writes it stands above this one. A home without one is shown the one that came with the
program (``python -m eval.shipped`` puts it there).
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from app.errors import AppError
from app.home import Home
from app.page.bridge import text
from app.page.tables import Act, TableRow, table_html
from app.page.talk import Talk
from app.page.work import Tell, Work, work_html
from app.rendering.render import render
from app.text.counts import counted

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

_REPORT = "report.json"
SHIPPED = Path(__file__).with_name(_REPORT)
"""The scores of a run over texts that nothing was fitted to, made before a release."""
_TITLE = "Evaluation"
_PLACE = "evaluation"
_STEP = re.compile(r"case (\d+) of (\d+)")
HEADLINE = (
    "key_fact_recall", "citation_precision", "quote_validity", "hit_rate", "abstention_f1", "false_refusal",
)  # fmt: skip
_GOOD, _WEAK, _BAD = "#0072b2", "#e69f00", "#8a8f98"
"""From the colours of Okabe and Ito, which stay apart for colour-blind readers."""


class Reported(NamedTuple):
    """What the tab shows."""

    work: Any = gr.skip()
    summary: Any = gr.skip()
    kinds: Any = gr.skip()
    calibration: Any = gr.skip()
    metrics: Any = gr.skip()
    cases: Any = gr.skip()


class EvaluationTab:
    """What the tab does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home, work: Work, *, read_only: bool = False) -> None:
        self._home = home
        self._work = work
        self._read_only = read_only

    def last(self) -> Mapping[str, Any]:
        """The newest report of the home that can be read, or the one that came with the program."""
        for file in sorted((self._home.folder / "reports").glob(f"*/{_REPORT}"), reverse=True):
            with suppress(OSError, ValueError):
                report = json.loads(file.read_text(encoding="utf-8"))
                if isinstance(report, dict) and "metrics" in report and "rows" in report:
                    return report
        shipped: Mapping[str, Any] = json.loads(SHIPPED.read_text(encoding="utf-8"))
        return shipped

    def reported(self, talk: Talk | None = None) -> Reported:
        """The last report as it is shown."""
        report = self.last()
        return Reported(
            work=self._shown(talk),
            summary=render(
                "evaluation.html", header=_header(report), tiles=_tiles(report), plain=plain_words(report), cases=bool(report["rows"])
            ),
            kinds=gr.update(value=kinds_figure(report), visible=True),
            calibration=gr.update(value=calibration_figure(report), visible=True),
            metrics=_metrics_table(report), cases=_cases_table(report) if report["rows"] else "",
        )  # fmt: skip

    def case(self, event: gr.EventData) -> str:
        """One case with its answer, citations and verdict."""
        report = self.last()
        found = next((r for r in report["rows"] if r["id"] == text(event, "id")), None)
        return render("case.html", case=found) if found else ""

    def run(self, split: str, limit: float | None, talk: Talk | None = None) -> Iterator[Reported]:
        """Run the evaluation in a process of its own, with progress."""
        if self._read_only:
            yield Reported(
                work=render("notice.html", text="This page is read-only; the evaluation cannot be run here.")
            )
            return
        arguments = ["--split", "test" if split == "test" else "dev"]
        if limit and limit >= 1:
            arguments += ["--limit", str(int(limit))]
        who = talk.owner if talk else ""
        if not self._work.start(_TITLE, lambda tell: self._evaluate(arguments, tell), owner=who, place=_PLACE):
            yield Reported(work=render("notice.html", text="Another task is running; try again when it is done."))
            return
        for state in self._work.follow():
            yield Reported(work=work_html(state, who, _PLACE))
        yield self.reported(talk)

    def dismiss(self, talk: Talk) -> str:
        """Let the result of one's last evaluation go."""
        self._work.dismiss(talk.owner)
        return self._shown(talk)

    def _shown(self, talk: Talk | None) -> str:
        return work_html(self._work.state, talk.owner if talk else "", _PLACE)

    def stop(self) -> None:
        """Stop the evaluation that is running."""
        if self._work.state.place == _PLACE:
            self._work.stop()

    def _evaluate(self, arguments: Sequence[str], tell: Tell) -> str:
        command = [sys.executable, "-m", "app.cli", "--home", str(self._home.folder), "eval", "--progress", *arguments]
        tell.step("loading the models")
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace"
        ) as process:
            assert process.stderr is not None
            last = ""
            for line in process.stderr:
                if tell.stopped.is_set():
                    process.terminate()
                last = line.strip() or last
                if step := _STEP.search(line):
                    tell.step("asking", int(step[1]), int(step[2]))
            code = process.wait()
        if tell.stopped.is_set():
            return "Stopped; the last report stands."
        if code:
            raise AppError(f"the evaluation ended with exit code {code}: {last}")
        return "Done; the report below is new."


def build(tab: EvaluationTab, bridge: gr.HTML, talk: gr.State, *, read_only: bool) -> list[Any]:
    """The tab's components and events; gives what :class:`Reported` fills."""
    first = tab.reported()
    summary = gr.HTML(first.summary, elem_id="eval-summary", apply_default_css=False)
    with gr.Row(visible=not read_only, elem_id="eval-run"):
        split = gr.Dropdown(
            [("cases for tuning (dev)", "dev"), ("cases for the final word, over texts of their own (test)", "test")],
            value="dev", label="Cases", min_width=240,
        )  # fmt: skip
        limit = gr.Number(label="How many (0 = all)", value=20, minimum=0, precision=0, min_width=160)
        run = gr.Button("Run the evaluation", variant="primary", scale=0, min_width=210, elem_id="eval-start")
        stop = gr.Button("Stop", scale=0, min_width=90, elem_id="eval-stop")
    work = gr.HTML(first.work, elem_id="eval-work", apply_default_css=False)
    with gr.Row():
        kinds = gr.Plot(show_label=False, elem_id="eval-kinds", min_width=300, scale=3, visible=False)
        calibration = gr.Plot(show_label=False, elem_id="eval-calibration", min_width=300, scale=2, visible=False)
    metrics = gr.HTML(first.metrics, elem_id="eval-metrics", apply_default_css=False)
    with gr.Row():
        with gr.Column(scale=3, min_width=300):
            cases = gr.HTML(first.cases, elem_id="eval-cases", apply_default_css=False)
        with gr.Column(scale=2, min_width=300):
            case = gr.HTML("", elem_id="eval-case", apply_default_css=False)
    parts = [work, summary, kinds, calibration, metrics, cases]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    run.click(tab.run, [split, limit, talk], parts, concurrency_limit=8, concurrency_id="work", **quiet)
    stop.click(tab.stop, None, None, queue=False, **quiet)
    bridge.dismiss(tab.dismiss, talk, work, queue=False, **quiet)
    bridge.case(tab.case, None, case, queue=False, **quiet)
    return parts


def kinds_figure(report: Mapping[str, Any]) -> Figure:
    """A bar per kind of question: how many were right, partly right and wrong."""
    import plotly.graph_objects as go

    kinds = [k for k in reversed(report.get("kinds", ())) if k.get("n")]
    names = [f"{k['kind']} ({k['n']})" for k in kinds]

    def share(which: Sequence[str], k: Mapping[str, Any]) -> float:
        return float(sum(k["verdicts"].get(v, 0) for v in which) / k["n"])

    rest = [v for k in kinds for v in k["verdicts"] if v not in {"right", "partly"}]
    layers = (("right", _GOOD, ["right"]), ("partly", _WEAK, ["partly"]), ("wrong", _BAD, sorted(set(rest))))
    figure = go.Figure(
        [
            go.Bar(
                name=name, y=names, x=[share(which, k) for k in kinds], orientation="h", marker_color=colour,
                hovertemplate="%{y}: %{x:.0%} " + name + "<extra></extra>",
            )
            for name, colour, which in layers
        ]
    )  # fmt: skip
    figure.update_layout(barmode="stack", xaxis_tickformat=".0%", xaxis_range=[0, 1], legend_traceorder="normal")
    figure = plain(figure, "Right answers by kind of question", height=170 + 22 * len(kinds))
    # Beneath, where it hides no title on a narrow screen.
    return figure.update_layout(legend={"y": 0, "yref": "container", "yanchor": "bottom"}, margin={"t": 50, "b": 90})


def calibration_figure(report: Mapping[str, Any]) -> Figure:
    """How often answers of a confidence were right, against the diagonal of perfect calibration."""
    import plotly.graph_objects as go

    bins = report.get("calibration", ())
    most = max((b["n"] for b in bins), default=1)
    figure = go.Figure(
        [
            go.Scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": _BAD}, hoverinfo="skip"),
            go.Scatter(
                x=[b["confidence"] for b in bins], y=[b["right"] for b in bins], mode="markers",
                marker={"size": [8 + 18 * (b["n"] / most) ** 0.5 for b in bins], "color": _GOOD},
                cliponaxis=False, text=[f"{b['n']} cases" for b in bins],
                hovertemplate="%{text}: confidence %{x:.2f}, right %{y:.0%}<extra></extra>",
            ),
        ]
    )  # fmt: skip
    figure.update_layout(
        showlegend=False, xaxis_title="confidence", yaxis_title="share right", xaxis_range=[0, 1], yaxis_range=[0, 1.05]
    )
    return plain(figure, "Confidence, and how often it was right", height=400)


def plain_words(report: Mapping[str, Any]) -> str:
    """What a report says, in plain words."""
    verdicts: Counter[str] = Counter()
    for kind in report.get("kinds", ()):
        verdicts.update(kind["verdicts"])
    total, right, partly = verdicts.total(), verdicts["right"], verdicts["partly"]
    if not total:
        return ""
    texts = "over texts that it was never fitted to" if report["header"].get("split") == "test" else "over the texts that it was tuned on"
    told = f"Of {counted(total, 'question')} with known answers, {texts}, {right} ({right / total:.0%}) were answered right"
    told += f" and {partly} in part" if partly else ""
    known = {m["metric"]["name"]: m["summary"]["value"] for m in report["metrics"]}
    if known.get("quote_validity") is not None:
        told += f"; {known['quote_validity']:.0%} of the quotations stand word for word in their sources"
    if known.get("false_refusal") is not None:
        told += f", and {known['false_refusal']:.0%} of what the texts do answer was left unanswered"
    return f"{told}."


def plain(figure: Figure, title: str, *, height: int) -> Figure:
    """The look that all plots of the page share: transparent, so that both themes serve."""
    figure.update_layout(
        height=height, margin={"l": 10, "r": 28, "t": 80, "b": 40},
        title={"text": title, "font": {"size": 15}, "x": 0.02, "y": 0.99, "yanchor": "top", "pad": {"t": 14}},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)", font={"family": "system-ui, sans-serif", "color": "#7a8594", "size": 13},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0}, hoverlabel={"align": "left"},
    )  # fmt: skip
    figure.update_xaxes(automargin=True, gridcolor="rgba(128,128,128,0.25)", zeroline=False)
    figure.update_yaxes(automargin=True, gridcolor="rgba(128,128,128,0.25)", zeroline=False)
    return figure


def _tiles(report: Mapping[str, Any]) -> list[dict[str, str]]:
    known = {m["metric"]["name"]: m for m in report["metrics"]}
    return [
        {"label": _title(known[name]["metric"]), "value": _number(known[name]["summary"]["value"])}
        for name in HEADLINE
        if name in known
    ]


def _metrics_table(report: Mapping[str, Any]) -> str:
    rows = []
    for m in report["metrics"]:
        metric, s = m["metric"], m["summary"]
        between = f"{_number(s.get('low'))} – {_number(s.get('high'))}" if s.get("low") is not None else ""
        cells = (_title(metric), _number(s.get("value")), between, str(s.get("n", "")), str(s.get("unscored", "")))
        rows.append(TableRow(cells=cells))
    table = table_html("Metrics", ("Metric", "Value", "95 % interval", "Cases", "Unscored"), rows)
    return render("folded.html", title=f"All {len(rows)} metrics with their intervals").replace("<!--inside-->", table)


def _cases_table(report: Mapping[str, Any]) -> str:
    rows = [
        TableRow(
            cells=(r["id"], r["kind"], r["verdict"], r["question"], r["status"]), name=r["id"],
            acts=(Act(act="case", label="Look", data={"id": r["id"]}),),
        )
        for r in report["rows"]
    ]  # fmt: skip
    return table_html("Cases", ("Case", "Kind", "Verdict", "Question", "Status"), rows, find="Find cases", unit="case")


def _header(report: Mapping[str, Any]) -> dict[str, Any]:
    header = dict(report.get("header", {}))
    with suppress(ValueError):
        made = datetime.fromisoformat(str(header.get("date", "")))
        if made.tzinfo:
            header["date"] = f"{made.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return header


def _title(metric: Mapping[str, Any]) -> str:
    return f"{metric['title']}{' ↓' if metric.get('better') == 'lower' else ''}"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.0f}"
