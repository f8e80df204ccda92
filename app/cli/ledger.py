"""The command on what several holders say of one thing: ledger."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.facts import tell_coverage
from app.cli.home import home_option, open_home, sync_and_tell, update
from app.cli.output import status, write

if TYPE_CHECKING:
    from app.ledger.entries import Entry


@click.command()
@click.argument("thing", required=False)
@click.option("--disputed", is_flag=True, help="Only what is disputed.")
@click.option("--format", "form", type=click.Choice(["text", "json", "csv", "markdown"]), default="text", show_default=True, help="How to print it.")
@home_option
@click.pass_obj
def ledger(root_home: Path | None, thing: str | None, disputed: bool, form: str, own_home: Path | None) -> None:
    """List each thing that several figures or holders are found for: every claim, by date, and what contradicts it.

    With THING, only what is about it, such as a name or what is counted. 'iskp index' reads the sentences that it is made of.

    \b
    Examples:
      iskp ledger --disputed
      iskp ledger "Crocus City Hall"
      iskp ledger "ISKP fighters" --format csv > fighters.csv
    """
    from app.exports.ledger import write_ledger
    from app.ledger.entries import about
    from index.generation import current

    home = open_home(own_home or root_home)
    update(home)
    if current(home.index_folder) is None or home.stale():
        sync_and_tell(home)
    with status("comparing the sources"):
        entries = home.ledger()
    if thing:
        entries = about(entries, thing, home.vocabulary())
    if disputed:
        entries = [e for e in entries if e.state == "disputed"]
    if form != "text":
        click.echo(write_ledger(entries, form), nl=False)
    else:
        for number, entry in enumerate(entries):
            if number:
                click.echo()
            _print(entry)
        if not entries:
            click.echo(f"Nothing is found twice{f' on {thing!r}' if thing else ''}.", err=True)
    tell_coverage(home.facts.coverage(home.library, home.vocabulary()))


def _print(entry: Entry) -> None:
    from app.citation_text import described, one_line, spoken
    from app.exports.ledger import STATE_WORDS, by_status, heading, way

    write(f"{entry.thing}: {STATE_WORDS[entry.state]}", bold=True)
    for kind, claims in by_status(entry):
        if kind:
            write(kind, "  ")
        for c in claims:
            write(heading(c), f"  {c.number:>3}  ")
            write(spoken(c.citation, one_line(c.citation.quote)), "       ")
            write(f"{way(c)}: {described(c.citation, c.citation.locator)}", "       ", dim=True)
            if c.citation.via:
                click.echo(f"       {c.citation.via}")
