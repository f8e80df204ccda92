"""``iskp bench``: benchmarks of single parts on public data."""

from __future__ import annotations

import json
from pathlib import Path

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
