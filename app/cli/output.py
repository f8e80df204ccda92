"""What the commands print: answers, checks, tables and progress. Data goes to stdout, progress to stderr."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from textwrap import wrap
from typing import TYPE_CHECKING, Any
from unicodedata import combining, east_asian_width

import click

if TYPE_CHECKING:
    from app.answer import Answer, Citation
    from app.support.verdict import ClaimCheck
    from index.sync import SyncReport
    from ingest.add import Outcome
    from ingest.grade import Grade


_PROSE = 80
"""Columns of running text where nobody says how many there are."""
_WIDEST = 100
"""Longer lines are hard to read on any terminal."""
_LEAST = 24
"""Columns that text needs beside others; with fewer it stands below them."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def print_check(result: ClaimCheck) -> None:
    """A checked claim with the words for and against it."""
    from app.answer import Citation
    from app.citation_text import spoken

    write(f"{result.words} (support {result.support:.2f} of 1): {result.claim}")
    for reason in result.reasons:
        write(reason, "  – ")
    for heading, places in (("For it", result.citations), ("Against it", result.against)):
        if places:
            click.echo(f"\n{heading}:")
        for place in places:
            assert isinstance(place, Citation)
            write(_named(place), "  ", dim=True)
            write(spoken(place, place.quote), "    ")


def print_answer(answer: Answer, *, numbered: bool = False) -> None:
    """An answer with its citations; a short answer stands on a line of its own before it.

    Args:
        numbered: questions to go on with have numbers, by which they can be asked.
    """
    from app.citation_text import spoken

    if answer.standalone_question != " ".join(answer.question.split()):
        write(f"(understood as: {answer.standalone_question})\n")
    if answer.notice:
        write(f"({answer.notice})\n")
    if answer.short_answer:
        write(f"{answer.short_answer}\n", bold=True)
    write(answer.answer)
    if answer.citations:
        click.echo()
    for c in answer.citations:
        write(_named(c), f"[{c.marker}] ", dim=True)
        write(spoken(c, c.quote), "    ")
        if c.url:
            click.echo(f"    {c.url}")
    if answer.nearest:
        click.echo("\nNearest passages:")
        for c in answer.nearest:
            write(f"{_named(c)}: {spoken(c, c.quote)}", "  – ")
    if answer.options:
        click.echo("\nWhich of these?" if answer.status == "unclear" else "\nYou could ask:")
        for number, question in enumerate(answer.options, start=1):
            write(question, f"  {number}  " if numbered else "  – ")


def write(text: str, lead: str = "", *, bold: bool = False, dim: bool = False) -> None:
    """Print text, its lines broken at spaces; words and addresses stay whole.

    Args:
        lead: stands before the first line, and blanks of its length before the others.
        bold, dim: on a terminal.
    """
    width = min(_columns() or _PROSE, _WIDEST)
    for line in text.split("\n"):
        item = "  " if line.startswith("- ") else ""
        shown = wrap(
            line, width, initial_indent=lead, subsequent_indent=" " * len(lead) + item, break_long_words=False,
            break_on_hyphens=False,
        )  # fmt: skip
        told = "\n".join(shown)
        click.echo(click.style(told, bold=bold or None, dim=dim or None) if told and (bold or dim) else told)
        lead = " " * len(lead)


def _named(citation: Citation) -> str:
    from app.citation_text import citation_status, described, grade_words

    told = "; ".join(t for t in (citation_status(citation), grade_words(citation)) if t)
    return f"{described(citation, citation.locator)}{f' [{told}]' if told else ''}"


def print_outcomes(outcomes: Iterable[Outcome]) -> None:
    """What became of files and addresses."""
    rows = [(o.name, o.status, str(o.passages), f"{o.seconds:.1f}", o.reason) for o in outcomes]
    if rows:
        table(("file", "result", "passages", "seconds", "reason"), rows)


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, running: int = 1) -> None:
    """Rows in columns, none of whose words is ever broken, so that ids and paths can be copied.

    Where the columns are too wide for the terminal the last ones are broken at spaces, or stand below the others. In a
    pipe each row is one line.

    Args:
        running: how many of the last columns hold running text.
    """
    cells = [tuple(_CONTROL.sub(" ", " ".join(str(cell).split())) for cell in row) for row in (header, *rows)]
    widths = [max(map(_cells, column)) for column in zip(*cells, strict=True)]
    columns = _columns()
    fixed = len(header) - running
    left = sum(widths[:fixed]) + 2 * fixed
    beside = columns is None or left + sum(widths[fixed:]) + 2 * (running - 1) <= columns
    for number, row in enumerate(cells):
        if beside:
            lines = [_padded(row, widths)]
        elif running == 1 and columns is not None and columns - left >= _LEAST:
            first, *more = wrap(row[-1], columns - left, break_long_words=False, break_on_hyphens=False) or [""]
            lines = [_padded((*row[:-1], first), widths), *(f"{' ' * left}{rest}" for rest in more)]
        else:
            limit = columns or _PROSE
            lines = [_padded(row[:fixed], widths)] if left - 2 <= limit else _stacked(row[:fixed], limit)
            for cell in row[fixed:]:
                lines += wrap(
                    cell, limit, initial_indent="    ", subsequent_indent="    ", break_long_words=False,
                    break_on_hyphens=False,
                )  # fmt: skip
        told = "\n".join(lines)
        click.echo(click.style(told, bold=True) if number == 0 else told)


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell + " " * (width - _cells(cell)) for cell, width in zip(row, widths, strict=False)).rstrip()


def _stacked(row: Sequence[str], columns: int) -> list[str]:
    """The cells on as few lines as they take, all but the first line indented."""
    lines = [row[0]]
    for cell in row[1:]:
        longer = f"{lines[-1]}  {cell}"
        if _cells(longer) <= columns:
            lines[-1] = longer
        else:
            lines.append(f"    {cell}")
    return lines


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _columns() -> int | None:
    """Columns of the terminal, or as COLUMNS says; None in a pipe or file."""
    if os.environ.get("COLUMNS", "").isdecimal() or sys.stdout.isatty():
        return shutil.get_terminal_size((_PROSE, 24)).columns
    return None


def print_list(
    things: Sequence[Any], header: tuple[str, ...], rows: Sequence[tuple[str, ...]], none: str, as_json: bool,
    running: int = 1,
) -> None:  # fmt: skip
    """Print things as JSON, else as a table, else say that there is none."""
    if as_json:
        click.echo(json.dumps([plain(t) for t in things], ensure_ascii=False, indent=2))
    elif rows:
        table(header, rows, running=running)
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


def source_row(source: Any, grades: Mapping[str, Grade]) -> dict[str, Any]:
    """What a list of sources tells of one.

    Args:
        grades: of the home, by id.
    """
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
        "grade": plain(grades[source.id]) if source.id in grades else None,
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
def bar(text: str, unit: str = "passages") -> Iterator[Callable[..., None]]:
    """A progress bar with count, rate and time left on a terminal; nothing in a pipe or log.

    It is told how much is done, of how much, and how many units that were, where that is another number.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total, _units=None: None
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

        def show(done: int, total: int, units: int | None = None) -> None:
            rate = (done if units is None else units) / max(1e-6, time.monotonic() - began)
            bars.update(task, completed=done, total=total, rate=f"{rate:.0f} {unit}/s")

        yield show
