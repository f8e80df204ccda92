"""Commands on questions and sources as a table: table."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from app.cli.home import home_option, open_home, prepare
from app.cli.output import bar
from app.text.counts import counted, some_say


@click.command()
@click.argument("questions", nargs=-1, metavar="QUESTION...")
@click.option("--questions", "file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A file of questions, one a line.")
@click.option("--source", "sources", multiple=True, metavar="ID", help="Only this source; may be repeated.  [default: all]")
@click.option("--format", "form", type=click.Choice(["csv", "xlsx", "markdown", "html", "json"]), help="[default: as --out ends, else markdown]")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to this file; needed for xlsx.")
@home_option
@click.pass_obj
def table(
    root_home: Path | None, questions: tuple[str, ...], file: Path | None, sources: tuple[str, ...], form: str | None, out: Path | None,
    own_home: Path | None,
) -> None:  # fmt: skip
    """Ask each source each QUESTION: in each cell the source's own best sentence and where it stands, or "says nothing".

    \b
    Examples:
      iskp table "How many fighters does ISKP have?" "Who leads it?" --source article --source un-35
      iskp table --questions questions.txt --out table.xlsx
    """
    from app.answering.grid import grid
    from app.exports.grid import SUFFIXES, write

    form = form or (SUFFIXES.get(out.suffix.lower()) if out else "markdown")
    if form is None:
        raise click.UsageError(f"--out {out} does not tell a format by its ending; add --format")
    if form == "xlsx" and out is None:
        raise click.UsageError("a workbook needs a file: --out FILE.xlsx")
    home = open_home(own_home or root_home)
    asked = [*questions, *(_lines(file) if file else ())]
    wanted = [home.library.get(i) for i in dict.fromkeys(sources)]
    prepare(home)
    with bar("asking", "cells") as show:
        made = grid(asked, wanted or list(home.library), home.answerer.ask_each, show)
    written = write(made, form)
    if out is None:
        sys.stdout.buffer.write(written)
        return
    try:
        out.write_bytes(written)
    except OSError as exc:
        raise click.ClickException(f"{out} cannot be written ({exc.strerror}); choose another --out") from exc
    said = sum(c.status == "said" for row in made.rows for c in row)
    rows, columns = len(made.questions), len(made.sources)
    click.echo(f"{out}: {counted(rows, 'question')}, {counted(columns, 'source')}; {some_say(said, rows * columns, 'cell')}.", err=True)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as exc:
        raise click.ClickException(f"{file} is not UTF-8 text; save the questions as plain text, one a line") from exc
