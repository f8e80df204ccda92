"""What the commands print: answers, checks, tables and progress. Data goes to stdout, progress to stderr."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from app.answer import Answer, Citation
    from app.support.checker import ClaimCheck
    from index.sync import SyncReport
    from ingest.add import Outcome


def print_check(result: ClaimCheck) -> None:
    """A checked claim with the words for and against it."""
    from app.answer import Citation
    from app.citation_text import spoken

    verdict = {"supported": "Supported", "partly": "Partly supported", "unsupported": "Not supported"}[result.label]
    click.echo(f"{verdict} (support {result.support:.2f} of 1): {result.claim}")
    for reason in result.reasons:
        click.echo(f"  – {reason}")
    for heading, places in (("For it", result.citations), ("Against it", result.against)):
        if places:
            click.echo(f"\n{heading}:")
        for place in places:
            assert isinstance(place, Citation)
            click.echo(f"  {_named(place)}")
            click.echo(f"    {spoken(place, place.quote)}")


def print_answer(answer: Answer) -> None:
    """An answer with its citations."""
    from app.citation_text import spoken

    if answer.standalone_question != " ".join(answer.question.split()):
        click.echo(f"(understood as: {answer.standalone_question})\n")
    if answer.notice:
        click.echo(f"({answer.notice})\n")
    click.echo(answer.answer)
    if answer.citations:
        click.echo()
    for c in answer.citations:
        click.echo(f"[{c.marker}] {_named(c)}")
        click.echo(f"    {spoken(c, c.quote)}")
        if c.url:
            click.echo(f"    {c.url}")
    if answer.nearest:
        click.echo("\nNearest passages:")
        for c in answer.nearest:
            click.echo(f"  – {_named(c)}: {spoken(c, c.quote)}")
    if answer.options:
        click.echo("\nYou could ask:")
        for question in answer.options:
            click.echo(f"  – {question}")


def _named(citation: Citation) -> str:
    from app.citation_text import citation_status, described

    status = citation_status(citation)
    return f"{described(citation, citation.locator)}{f' [{status}]' if status else ''}"


def print_outcomes(outcomes: Iterable[Outcome]) -> None:
    """What became of files and addresses."""
    rows = [(o.name, o.status, str(o.passages), f"{o.seconds:.1f}", o.reason) for o in outcomes]
    if rows:
        table(("file", "result", "passages", "seconds", "reason"), rows)


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Rows in columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        # Text, not markup: a file called "[red].txt" is shown as it is.
        table.add_row(*(Text(" ".join(str(cell).split())) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def print_list(
    things: Sequence[Any], header: tuple[str, ...], rows: Sequence[tuple[str, ...]], none: str, as_json: bool
) -> None:
    """Print things as JSON, else as a table, else say that there is none."""
    if as_json:
        click.echo(json.dumps([plain(t) for t in things], ensure_ascii=False, indent=2))
    elif rows:
        table(header, rows)
    else:
        click.echo(none, err=True)


def print_report(outcomes: list[Outcome], report: SyncReport, as_json: bool) -> None:
    """What became of sources and of the index."""
    if as_json:
        data = {"sources": [plain(o) for o in outcomes], "index": plain(report)}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        print_outcomes(outcomes)
        click.echo(report_line(report))


def report_line(report: SyncReport) -> str:
    """What became of the index, in one line."""
    what = "nothing was embedded again" if not report.embedded else f"{report.embedded} embedded"
    return (
        f"Index: {report.added} added, {report.updated} updated, {report.skipped} skipped, "
        f"{report.deleted} deleted passages of {report.sources} sources in {report.seconds:.1f} s; {what}."
        + (f" Compacted: {report.freed_bytes / 1e6:.1f} MB freed." if report.compacted else "")
    )


def source_row(source: Any) -> dict[str, Any]:
    """What a list of sources tells of one."""
    from app.answer import words_of

    names = (
        "id",
        "title",
        "publisher",
        "author",
        "date",
        "date_note",
        "url",
        "genre",
        "language",
        "licence",
        "origin",
        "fetched_at",
        "media_type",
    )
    return {
        **{name: getattr(source, name) for name in names},
        "words": words_of(source.origin),
        "paragraphs": sum(1 for p in source.paragraphs if p.role == "body"),
        "characters": len(source.text),
    }


def hit_json(hit: Any, source: Any) -> dict[str, Any]:
    """A found passage for --json."""
    from app.answer import words_of

    p = hit.passage
    return {
        "rank": hit.rank, "score": round(hit.score, 6), "similarity": round(hit.similarity, 6),
        "lexical": round(hit.lexical, 6), "passage_id": p.id, "source_id": p.source_id, "locator": p.locator,
        "paragraph": p.number, "start": p.start, "end": p.end, "text": p.text,
        "claim_status": p.claim_status, "claimed_by": p.claimed_by,
        "words": words_of(source.origin) if source else None,
    }  # fmt: skip


def plain(value: Any) -> dict[str, Any]:
    """A dataclass for --json."""
    from dataclasses import asdict

    return asdict(value)


@contextmanager
def status(text: str) -> Iterator[Callable[[str], None]]:
    """A spinner on a terminal; in a pipe or log one line, so that nobody wonders what takes so long."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(text) as status:
        yield status.update


@contextmanager
def bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with count, rate and time left on a terminal; nothing in a pipe or log."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(text, total=None, rate="")
        began = time.monotonic()

        def show(done: int, total: int) -> None:
            rate = done / max(1e-6, time.monotonic() - began)
            bars.update(task, completed=done, total=total, rate=f"{rate:.0f} passages/s")

        yield show
