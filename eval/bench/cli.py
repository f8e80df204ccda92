"""``iskp bench``: benchmarks of single parts on public data."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.group("bench")
def bench() -> None:
    """Measure single parts on public data."""


@bench.command("chunking")
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-k", default=5, show_default=True, type=click.IntRange(1, 100), help="Passages for a question.")
@click.option(
    "--max-chars", multiple=True, type=click.IntRange(50), help="Longest passage; may be repeated.  [default: ours]"
)
@click.option("--limit", type=click.IntRange(1), help="Only so many questions, spread evenly.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def chunking(data: Path, k: int, max_chars: tuple[int, ...], limit: int | None, as_json: bool) -> None:
    """Score passages and search by characters against fixed windows of 1,200 characters.

    DATA is the folder of chunking_evaluation (questions_df.csv and corpora/*.md).

    \b
    Example:
      iskp bench chunking ../shared/data/chunking_evaluation --max-chars 600 --max-chars 900
    """
    from eval.bench.chunking import as_table, run, to_json
    from index.embed import SentenceTransformerEncoder
    from ingest.chunk import ChunkSettings

    rows = run(
        data,
        SentenceTransformerEncoder(),
        k=k,
        max_chars=max_chars or (ChunkSettings().max_chars,),
        limit=limit,
        tell=lambda line: click.echo(line, err=True),
    )
    click.echo(json.dumps(to_json(rows), indent=2) if as_json else as_table(rows))
