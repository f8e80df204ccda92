"""``iskp eval``: examine the engine, write the report, compare, gate. Reached through the entry point group ``iskp.commands``."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.home import Home
    from app.writing.engines import Engine
    from eval.cases import Case
    from eval.formats import DataSet, Format
    from eval.judge import Judged
    from eval.report import Report
    from eval.run import Run


@click.group("eval", invoke_without_command=True)
@click.option(
    "--cases",
    "case_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file of cases instead of the bundled ones; may be repeated.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "squad", "clapnq"]),
    default="jsonl",
    show_default=True,
    help="What the files of --cases are. squad and clapnq bring their own sources, for an empty home.",
)
@click.option(
    "--split",
    type=click.Choice(["dev", "test", "all"]),
    help="Tune on dev only. dev: the cases over the bundled sources; test: those over the packaged collections, which no rule was fitted to.  [default: dev; test with --collection; all with --cases]",
)
@click.option(
    "--collection",
    metavar="NAME",
    help="Only this packaged collection, or all; each is asked in a temporary home of its own.",
)
@click.option("--limit", type=click.IntRange(1), help="Only so many cases, spread evenly.")
@click.option(
    "--engine", metavar="ENGINE", help="Who writes the answers, as for iskp ask.  [default: engine.name of the settings]"
)
@click.option("--judge", "judge_name", metavar="ENGINE", help="A language model that scores the answers too, shown apart.")
@click.option(
    "--report",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where report.json and report.html go.  [default: reports/TIME in the home]",
)
@click.option(
    "--baseline",
    type=click.Path(exists=True, path_type=Path),
    help="An earlier report.json (or its folder) to compare with.",
)
@click.option(
    "--fail-under",
    "gates",
    multiple=True,
    metavar="METRIC=VALUE",
    help="Exit with 1 when METRIC is worse than VALUE; may be repeated.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON instead of tables.")
@click.option("--progress", is_flag=True, help="Tell each case on a line of its own, for a program that watches.")
@click.option(
    "--home",
    "own_home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of sources, index and settings (or ISKP_HOME).",
)
@click.pass_context
def evaluate(
    ctx: click.Context, case_files: tuple[Path, ...], form: Format, split: str | None, collection: str | None, limit: int | None,
    engine: str | None, judge_name: str | None, folder: Path | None, baseline: Path | None, gates: tuple[str, ...], as_json: bool, progress: bool, own_home: Path | None,
) -> None:  # fmt: skip
    """Examine the engine with cases whose right answers are known, and write a report.

    \b
    Examples:
      iskp eval
      iskp eval --baseline before/report.json
      iskp eval --split test
      iskp eval --collection maresby
      iskp eval --fail-under key_fact_recall=0.6 --fail-under quote_validity=1
      iskp --home /tmp/squad eval --format squad --cases dev-v2.0.json --limit 200
      iskp eval drafts
    """
    ctx.obj = own_home or ctx.obj
    if ctx.invoked_subcommand:
        return
    _check_engine(engine)
    _check_engine(judge_name)
    if form != "jsonl" and not case_files:
        raise click.UsageError(f"--format {form} needs --cases FILE")
    if collection and case_files:
        raise click.UsageError("--collection brings its own cases; leave out --cases, or --collection")
    if split == "all" and not case_files:
        raise click.UsageError("dev and test are examined apart: run iskp eval, then iskp eval --split test")
    split = split or ("all" if case_files else "test" if collection else "dev")
    from eval.compare import breaches, compare, thresholds
    from eval.errors import BelowThreshold
    from eval.render import html, print_terminal
    from eval.report import read_report, to_json

    wanted = thresholds(gates)
    before = read_report(baseline) if baseline else None
    data_sets = _data_sets(form, case_files, split, collection)
    with closing(_open_home(ctx.obj)) as home:
        target = folder or home.folder / "reports" / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        _make_folder(target)  # before minutes of work, not after
        report = _examine(home, data_sets, form=form, case_files=case_files, split=split, limit=limit, lines=progress, name=engine, judge_name=judge_name)
    comparison = compare(before, report) if before else None
    failed = breaches(report, wanted)
    _write(target / "report.json", to_json(report))
    _write(target / "report.html", html(report, comparison))
    if as_json:
        click.echo(to_json(report))
    else:
        print_terminal(report, comparison)
    click.echo(f"Report: {target / 'report.html'}", err=True)
    if failed:
        raise BelowThreshold("; ".join(failed))


@evaluate.command()
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write there instead of to stdout.")
@click.pass_obj
def drafts(root_home: Path | None, output: Path | None) -> None:
    """Turn answers that users marked down into draft cases, a JSON line each, to be reviewed and completed.

    \b
    Example:
      iskp eval drafts --output drafts.jsonl
    """
    from eval.drafts import FEEDBACK_FILE, read_feedback
    from eval.drafts import drafts as make

    with closing(_open_home(root_home)) as home:
        file = home.folder / FEEDBACK_FILE
    made = make(read_feedback(file))
    lines = "".join(json.dumps(d, ensure_ascii=False) + "\n" for d in made)
    if output:
        _write(output, lines)
    elif made:
        click.echo(lines, nl=False)
    where = f" in {output}" if output else ""
    click.echo(
        f"{len(made)} draft cases{where}; fill in gold, facts and expect, then move them to a cases file.", err=True
    )


def _make_folder(folder: Path) -> None:
    from eval.errors import EvalError

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        raise EvalError(f"no report can be written to {folder}: {exc.strerror}; choose another with --report") from exc


def _write(file: Path, text: str) -> None:
    from eval.errors import EvalError

    try:
        file.write_text(text, encoding="utf-8")
    except OSError as exc:
        raise EvalError(f"{file} cannot be written: {exc.strerror}") from exc


def _open_home(folder: Path | None) -> Home:
    from app.config import default_home
    from app.home import Home

    return Home(folder or default_home())


def _data_sets(form: Format, case_files: tuple[Path, ...], split: str, name: str | None) -> list[DataSet]:
    from eval.cases import bundled_cases
    from eval.formats import DataSet, collection, collection_names, read_data_set

    if case_files:
        return [read_data_set(form, case_files)]
    if name or split == "test":
        return [collection(n) for n in (collection_names() if name in (None, "all") else [str(name)])]
    return [DataSet(cases=tuple(bundled_cases()))]


def _examine(
    home: Home, data_sets: Sequence[DataSet], *, form: Format, case_files: tuple[Path, ...], split: str, limit: int | None,
    lines: bool, name: str | None = None, judge_name: str | None = None,
) -> Report:  # fmt: skip
    from eval.cases import sample
    from eval.errors import EvalError
    from eval.report import make_header, make_report
    from eval.run import engine_for, run_cases

    chosen = sample([c for d in data_sets for c in d.cases], split=split, limit=limit)
    if not chosen:
        raise EvalError(f"there are no cases in the split {split!r}")
    # A missing package or key is told now, not after minutes of work.
    judge = home.engine(judge_name) if judge_name else None
    if name:
        home.answerer_with(name)
    began = time.perf_counter()
    runs: list[Run] = []
    corpus: Counter[str] = Counter()

    def progress(number: int, case: Case) -> None:
        at = len(runs) + number
        _tell(f"case {at} of {len(chosen)}: {case.id}", last=at == len(chosen), line=lines)

    for data_set in data_sets:
        own = {c.id for c in data_set.cases}
        cases = [c for c in chosen if c.id in own]
        if not cases:
            continue
        with _ready_home(home, data_set) as ready, engine_for(ready, cases, name) as engine:
            runs += run_cases(cases, engine, collection=data_set.collection, progress=progress)
            corpus.update(s.origin for s in ready.library)
    judged = _judged(judge, runs, lines=lines) if judge else None
    collections = ", ".join(d.collection for d in data_sets)
    named = ", ".join(f.name for f in case_files) if case_files else "the packaged collections" if collections else "the bundled cases"
    header = make_header(
        runs,
        cases=named if form == "jsonl" else f"{named} ({form})",
        split=split,
        collection=collections or ("home" if case_files else "bundled"),
        corpus=dict(corpus),
        settings={
            f"{section}.{key}": value
            for section, values in home.settings.model_dump(
                include={"encoder", "index", "search", "answer", *(("engine",) if name else ())}
            ).items()
            for key, value in values.items()
            if key not in ("batch_size", "lock_timeout_seconds")
        },
        seconds=time.perf_counter() - began,
    )
    return make_report(runs, header, judged)


@contextmanager
def _ready_home(home: Home, data_set: DataSet) -> Iterator[Home]:
    """A home that holds the data set's sources, indexed, with its models loaded: the given one, or one for a collection."""
    from eval.formats import fill
    from eval.run import empty_home

    with empty_home(home) if data_set.collection else nullcontext(home) as ready:
        fill(ready, data_set.sources)
        for outcome in ready.update_sources():
            if outcome.status == "failed":
                click.echo(f"{outcome.name}: {outcome.reason}", err=True)
        if ready.stale():
            click.echo(f"Indexing {data_set.collection or 'the home'} …", err=True)
            ready.sync()
        ready.warm_up()
        yield ready


def _judged(judge: Engine, runs: Sequence[Run], *, lines: bool) -> Judged:
    from eval.judge import judge_runs

    def progress(number: int, total: int) -> None:
        _tell(f"judging {number} of {total}", last=number == total, line=lines)

    return judge_runs(judge, runs, progress=progress)


def _check_engine(name: str | None) -> None:
    from app.errors import BadInput
    from app.writing.engines import parse_engine

    try:
        parse_engine(name or "extractive")
    except BadInput as exc:
        raise click.UsageError(str(exc)) from exc


def _tell(text: str, *, last: bool, line: bool) -> None:
    """One line that is written over on a terminal; in a pipe silence, or a line each where that was asked for."""
    if line:
        click.echo(text, err=True)
    elif sys.stderr.isatty():
        click.echo(f"\r\033[K{text}" + ("\r\033[K" if last else ""), err=True, nl=False)
