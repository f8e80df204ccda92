"""``iskp bench``: benchmarks of single parts on public data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click


@click.group("bench")
def bench() -> None:
    """Measure single parts on public data."""


@bench.command("chunking")
@click.argument("data", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-k", default=5, show_default=True, type=click.IntRange(1, 100), help="Passages for a question.")
@click.option(
    "--max-chars", multiple=True, type=click.IntRange(50), help="Longest passage; may be repeated.  [default: ours]"
)
@click.option("--limit", type=click.IntRange(1), help="Only so many questions, spread evenly.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def chunking(data: Path | None, k: int, max_chars: tuple[int, ...], limit: int | None, as_json: bool) -> None:
    """Score passages and search by characters against fixed windows of 1,200 characters.

    DATA is the folder of chunking_evaluation (questions_df.csv and corpora/*.md). Without it, the folder
    that ISKP_BENCH_DATA names, else data/chunking_evaluation or ../shared/data/chunking_evaluation.

    \b
    Example:
      iskp bench chunking --max-chars 600 --max-chars 900
    """
    from eval.bench.chunking import as_table, find_data, run, to_json
    from index.embed import SentenceTransformerEncoder
    from ingest.chunk import ChunkSettings

    rows = run(
        data or find_data(),
        SentenceTransformerEncoder(),
        k=k,
        max_chars=max_chars or (ChunkSettings().max_chars,),
        limit=limit,
        tell=lambda line: click.echo(line, err=True),
    )
    click.echo(json.dumps(to_json(rows), indent=2) if as_json else as_table(rows))


@bench.command("evidence")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--set", "sets", multiple=True, help="Only this set: clapnq, xquad, selqa or own; may be repeated.")
@click.option("--limit", type=click.IntRange(10), help="Only so many questions of each set.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evidence(data: Path, sets: tuple[str, ...], limit: int | None, as_json: bool) -> None:
    """Switch each part of evidence finding off in turn and score what is left.

    DATA is the folder that holds clapnq, xquad, selqa and chunking_evaluation. Needs: pip install "iskp-qa[train]"

    \b
    Example:
      iskp bench evidence ../shared/data --limit 80
    """
    from dataclasses import asdict

    from eval.bench.evidence import SETS, as_table, run

    scores = run(data, sets=sets or SETS, limit=limit, tell=lambda line: click.echo(line, err=True))
    click.echo(json.dumps([asdict(s) for s in scores], indent=2) if as_json else as_table(scores))


@bench.command("values")
@click.option("--split", default="dev", show_default=True, type=click.Choice(["dev", "test"]), help="test: collections that nobody looked at.")
@click.option("--cases", is_flag=True, help="Show each case that is not wholly right.")
@click.option("--json", "as_json", is_flag=True, help="Print the sums as JSON.")
def values(split: str, cases: bool, as_json: bool) -> None:
    """Score the figures that stand beside answers: of the thing asked for, with their dates, none of another thing.

    Asks the questions of two written collections, each in a temporary home.

    \b
    Example:
      iskp bench values --split test
    """
    from eval.bench.values import as_table, run, sums

    scores = run(split, (lambda line: click.echo(line, err=True)) if cases else None)
    click.echo(json.dumps(sums(scores), indent=2) if as_json else as_table(scores))


@bench.command("holders")
@click.option("--split", default="dev", show_default=True, type=click.Choice(["dev", "test"]), help="test: a collection that nobody looked at.")
@click.option("--cases", is_flag=True, help="Show each case that is not wholly right.")
@click.option("--json", "as_json", is_flag=True, help="Print the sums as JSON.")
def holders(split: str, cases: bool, as_json: bool) -> None:
    """Score whose word answers give: that of the one whose word is asked for, and nobody else's.

    Asks the 45 questions of a written collection in a temporary home.

    \b
    Example:
      iskp bench holders --split test
    """
    from eval.bench.holders import as_table, run, sums

    scores = run(split, (lambda line: click.echo(line, err=True)) if cases else None)
    click.echo(json.dumps(sums(scores), indent=2) if as_json else as_table(scores))


@bench.command("engines")
@click.argument("engine", metavar="ENGINE")
@click.option(
    "--questions",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One a line.  [default: of the dev cases]",
)
@click.option("--limit", default=12, show_default=True, type=click.IntRange(1), help="How many questions.")
@click.option(
    "--home",
    "own_home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of sources and index (or ISKP_HOME).",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def engines(
    root_home: Path | None, engine: str, file: Path | None, limit: int, own_home: Path | None, as_json: bool
) -> None:
    """Time a language model's answers against the bare call of the model, with the same prompts.

    \b
    Example:
      iskp bench engines ollama:llama3.1 --limit 20
    """
    from dataclasses import asdict

    from app.config import default_home
    from app.home import Home
    from eval.bench.engines import as_table, run
    from eval.cases import bundled_cases, sample

    if file:
        questions = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        cases = [c for c in bundled_cases() if c.expect == "answered" and not c.planted and not c.history]
        questions = [c.question for c in sample(cases, split="dev", limit=limit)]
    home = Home(own_home or root_home or default_home())
    model = home.engine(engine)
    list(home.update_sources())
    if home.stale():
        home.sync()
    home.warm_up()
    report = run(home, model, questions[:limit], tell=lambda line: click.echo(line, err=True))
    home.close()
    click.echo(json.dumps(asdict(report), indent=2) if as_json else as_table(report))


@bench.command("support")
@click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that holds clapnq, xquad, selqa, chunking_evaluation, wice and strong.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def support(data: Path, as_json: bool) -> None:
    """Measure the support check on claims that are true to a text or not.

    \b
    Example:
      iskp bench support --data ../shared/data
    """
    from dataclasses import asdict

    from eval.bench.support import as_table, run

    scores = run(data, tell=lambda line: click.echo(line, err=True))
    click.echo(json.dumps([asdict(s) for s in scores], indent=2) if as_json else as_table(scores))


@bench.command("playback")
@click.argument("pairs", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--second", type=click.Choice(["off", "right", "wrong", "yes", "unstated"]), default="off", show_default=True,
    help="How the played model verifies in the second call.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every sentence.")
def playback(pairs: Path, second: Any, as_json: bool) -> None:
    """Play a strong model's sentences back through the writer and count what becomes of them.

    PAIRS has one sentence a line: id, label, claim, and with_source, its passages as "[title, date] text".
    Needs: pip install "iskp-qa[openai]"

    \b
    Example:
      iskp bench playback ../shared/data/strong/pairs.jsonl --second right
    """
    from eval.bench.playback import as_table, read_rows, run, to_json

    played = run(read_rows(pairs), second=second, tell=lambda line: click.echo(line, err=True))
    click.echo(json.dumps(to_json(played), ensure_ascii=False, indent=2) if as_json else as_table(played))


@bench.command("policy")
@click.argument("pairs", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--split", type=click.Choice(["dev", "test"]), help="Only this half.")
@click.option("--own", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A home's policy.toml.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def policy(pairs: Path, split: str | None, own: Path | None, as_json: bool) -> None:
    """Score the policy on pairs of a harmful request and the nearest harmless one.

    \b
    Example:
      iskp bench policy tests/data/policy_pairs.jsonl --split test
    """
    from app.policy.rules import load
    from eval.bench.policy import as_table, read_pairs, run, to_json

    report = run(read_pairs(pairs, split), load(own))
    click.echo(json.dumps(to_json(report), ensure_ascii=False, indent=2) if as_json else as_table(report))


@bench.command("speed")
@click.option(
    "--size",
    "sizes",
    multiple=True,
    type=click.IntRange(10, 10_000_000),
    help="Passages; may be repeated.  [default: 100, 1000, 10000]",
)
@click.option(
    "--encode", "encoded_at_most", default=1000, show_default=True, help="Above so many passages vectors are made up."
)
@click.option(
    "--tutorial/--no-tutorial", default=True, show_default=True, help="Beside the pipeline of a LangChain tutorial."
)
@click.option("--torch/--no-torch", default=True, show_default=True, help="Beside the encoder on torch.")
@click.option("--starts/--no-starts", default=True, show_default=True, help="Time commands from nothing too.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Keep corpora and indexes there.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Keep the figures in FILE.")
@click.option(
    "--baseline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An earlier --json file to compare with.",
)
@click.option("--plot", "plot_file", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with plots.")
def speed(
    sizes: tuple[int, ...], encoded_at_most: int, tutorial: bool, torch: bool, starts: bool, folder: Path | None,
    json_file: Path | None, baseline: Path | None, plot_file: Path | None,
) -> None:  # fmt: skip
    """Measure ingest, questions, starts and memory at growing sizes, in one run beside others.

    Needs for the tutorial: pip install "iskp-qa[bench]"

    \b
    Example:
      iskp bench speed --size 100 --size 1000 --json now.json --plot speed.html
      iskp bench speed --size 100000 --baseline now.json
    """
    from eval.bench.speed import SIZES, as_table, plot, run, to_json

    before = json.loads(baseline.read_text(encoding="utf-8")) if baseline else None
    report = run(
        sizes or SIZES, encoded_at_most=encoded_at_most, tutorial=tutorial, torch=torch, starts=starts, folder=folder,
        tell=lambda line: click.echo(line, err=True),
    )  # fmt: skip
    if json_file:
        json_file.write_text(json.dumps(to_json(report), indent=2) + "\n", encoding="utf-8")
    if plot_file:
        plot_file.write_text(plot(report), encoding="utf-8")
    click.echo(as_table(report, before))


@bench.command("load")
@click.option("--users", default=30, show_default=True, type=click.IntRange(1, 2000), help="People at once.")
@click.option("--seconds", default=300.0, show_default=True, type=click.FloatRange(1), help="For how long.")
@click.option(
    "--think",
    "think_seconds",
    default=15.0,
    show_default=True,
    type=click.FloatRange(0),
    help="Average pause between two questions of one person.",
)
@click.option(
    "--questions",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="One a line.  [default: of the dev cases]",
)
@click.option(
    "--home",
    "own_home",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of sources and index (or ISKP_HOME).  [default: a temporary one with the bundled sources]",
)
@click.option("--url", help="A page that is served already, such as http://127.0.0.1:8080; no home is opened then.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def load(
    root_home: Path | None, users: int, seconds: float, think_seconds: float, file: Path | None, own_home: Path | None,
    url: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Let many people ask one page: errors, seconds to an answer, memory. Exits with 1 when it is too much for the machine.

    Passed: no error, 95 of 100 answers within 3 seconds, memory flat.

    \b
    Example:
      iskp bench load --users 30 --seconds 300
      iskp bench load --url http://127.0.0.1:8080
    """
    import tempfile
    from contextlib import closing

    from app.home import Home
    from eval.bench.load import as_text, run, to_json
    from eval.cases import bundled_cases, sample

    if file:
        questions = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    else:
        cases = [c for c in bundled_cases() if not c.planted and not c.history]
        questions = [c.question for c in sample(cases, split="dev", limit=100)]
    asking: dict[str, Any] = {
        "users": users, "seconds": seconds, "think_seconds": think_seconds, "tell": lambda line: click.echo(line, err=True),
    }  # fmt: skip
    if url:
        report = run(None, questions, url=url, **asking)
    else:
        with tempfile.TemporaryDirectory(prefix="iskp-load-", ignore_cleanup_errors=True) as made:
            folder = own_home or root_home or Path(made)
            with closing(Home(folder)) as home:
                list(home.update_sources())
                if home.stale():
                    home.sync()
            report = run(folder, questions, **asking)
    click.echo(json.dumps(to_json(report), indent=2) if as_json else as_text(report))
    if not report.passed:
        raise click.exceptions.Exit(1)


@bench.group("golden")
def golden() -> None:
    """Keep all answers to fixed questions, and see what a change of the code changed."""


@golden.command("dump")
@click.argument("out", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--article", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The original article.")
@click.option(
    "--questions", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="About the article; JSON lines."
)
@click.option("--public", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Holds clapnq and xquad.")
def golden_dump(out: Path, article: Path | None, questions: Path | None, public: Path | None) -> None:
    """Answer the bundled cases, and questions on the article and on public sets where given, into OUT.

    \b
    Example:
      iskp bench golden dump before.jsonl --public ../shared/data
    """
    from eval.bench.golden import dump

    told = dump(out, article=article, questions=questions, public=public, tell=lambda line: click.echo(line, err=True))
    click.echo(f"{told} answers in {out}")


@golden.command("diff")
@click.argument("before", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def golden_diff(before: Path, after: Path) -> None:
    """Show which answers differ between two dumps. Exits with 1 when some do.

    \b
    Example:
      iskp bench golden diff before.jsonl after.jsonl
    """
    from eval.bench.golden import as_text, compare

    changes = compare(before, after)
    with after.open(encoding="utf-8") as file:
        click.echo(as_text(changes, sum(1 for _ in file)))
    if changes:
        raise click.exceptions.Exit(1)
