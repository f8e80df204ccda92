"""Commands that keep a home well: backup, restore, doctor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.home import home_option, open_home

if TYPE_CHECKING:
    pass


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE when it exists.")
@home_option
@click.pass_obj
def backup(root_home: Path | None, file: Path, force: bool, own_home: Path | None) -> None:
    """Write sources, conversations, feedback and settings to one FILE; also while the page is open.

    The index is left out: it is made again from the sources.

    \b
    Example:
      iskp backup iskp-2024-11.zip
    """
    from app.config import default_home
    from app.records.backup import backup as write

    done = write((own_home or root_home or default_home()).expanduser(), file, force=force)
    click.echo(f"{file}: {len(done.files)} files, {done.bytes / 1e6:.1f} MB.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also over a home that is in use; the old one is kept aside.")
@home_option
@click.pass_obj
def restore(root_home: Path | None, file: Path, force: bool, own_home: Path | None) -> None:
    """Make a home of a backup FILE. Everything is checked before anything is changed.

    \b
    Example:
      iskp --home ~/restored restore iskp-2024-11.zip
    """
    from app.config import default_home
    from app.records.backup import restore as read

    folder = (own_home or root_home or default_home()).expanduser()
    done = read(file, folder, force=force)
    if done.kept_aside:
        click.echo(f"The former home is kept in {done.kept_aside}.", err=True)
    click.echo(f"Restored {len(done.files)} files to {folder}. Next: iskp --home {folder} index")


@click.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def doctor(root_home: Path | None, repair: bool, as_json: bool, own_home: Path | None) -> None:
    """Compare stored sources, vector store and lexical index; say what differs and mend it."""
    from app.records.doctor import examine

    home = open_home(own_home or root_home)
    report = examine(home, repair=repair)
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False, indent=2))
    else:
        for name, value in report.facts.items():
            click.echo(f"{name}: {value}")
        for unread in report.unread:
            click.echo(f"not read: {unread}")
        for problem in report.problems:
            click.echo(f"problem: {problem}")
        for repaired in report.repaired:
            click.echo(f"repaired: {repaired}")
        if not report.problems:
            click.echo("All is well.")
    if report.problems and not report.repaired:
        raise click.ClickException("problems were found; run: iskp doctor --repair")
