"""The command on saved questions: digest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.home import home_option, open_home, prepare
from app.cli.output import bar, write

if TYPE_CHECKING:
    from app.records.digest import Change


@click.command()
@click.option("--add", metavar="QUESTION", help="Save a question.")
@click.option("--remove", metavar="QUESTION", help="Forget a saved question.")
@click.option("--list", "listing", is_flag=True, help="List the saved questions.")
@click.option("--since", metavar="DATE", help="Compare with the answers as they were on DATE.  [default: with the last digest]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def digest(
    root_home: Path | None, add: str | None, remove: str | None, listing: bool, since: str | None, as_json: bool, own_home: Path | None
) -> None:
    """Ask the saved questions again: which answers changed, and by which sources, by date.

    \b
    Examples:
      iskp digest --add "How many fighters does ISKP have?"
      iskp digest
      iskp digest --since 2026-10-01 --json
    """
    from datetime import UTC, datetime

    from app.records import digest as saved
    from ingest.dates import iso_date

    if sum((add is not None, remove is not None, listing)) > 1:
        raise click.UsageError("give one of --add, --remove and --list")
    home = open_home(own_home or root_home)
    if add is not None:
        saved.add(home.library, add)
    elif remove is not None:
        saved.remove(home.library, remove)
    elif listing:
        for one in saved.load(home.library):
            click.echo(one.question)
    if add is not None or remove is not None or listing:
        return
    day = iso_date(since) if since else None
    if not saved.load(home.library):
        raise click.ClickException('no question is saved; save one: iskp digest --add "…"')
    prepare(home)
    with bar("asking", "questions") as show:
        found = saved.ask_again(
            home.library, home.answerer.answer, at=datetime.now(UTC).isoformat(timespec="seconds"), since=day, progress=show
        )
    if as_json:
        click.echo(json.dumps([_plain(c) for c in found], ensure_ascii=False, indent=2))
        return
    for change in found:
        _print(change)


def _plain(change: Change) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(change), "changed": change.changed}


def _print(change: Change) -> None:
    from app.citation_text import described, one_line, spoken

    before = change.before
    news = "asked for the first time" if before is None else "changed" if change.changed else "no change"
    write(f"{change.question}: {news}{f' since {before.at[:10]}' if before else ''}", bold=True)
    if not change.changed:
        return
    write(change.answer.answer, "  ")
    for c in change.new:
        write(f"{c.date or 'undated'}  {described(c, c.locator)}", "  + ", dim=True)
        write(spoken(c, one_line(c.quote)), "    ")
    for source_id, quote in change.gone:
        write(f"{source_id}: {one_line(quote)}", "  – ", dim=True)
