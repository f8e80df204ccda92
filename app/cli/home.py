"""The home that a command works on: its option, opening it, and bringing its index in line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from app.cli.output import bar, report_line, status

if TYPE_CHECKING:
    from app.home import Home
    from index.search import Filters
    from index.sync import SyncReport
    from ingest.add import Outcome

F = TypeVar("F", bound=Callable[..., Any])


def home_option(command: F) -> F:
    """The option --home of a command, which may also stand before the command."""
    return click.option(
        "--home", "own_home", type=click.Path(file_okay=False, path_type=Path), default=None,
        help="Folder of sources, index and settings (or ISKP_HOME).",
    )(command)  # fmt: skip


def filter_options(command: F) -> F:
    """The options --since, --until, --source and --min-reliability of a command; :func:`wanted_filters` reads them."""
    for option in (
        click.option(
            "--min-reliability", type=click.Choice("ABCDE", case_sensitive=False), metavar="A-E",
            help="Only sources that you graded as reliable as this or more; see 'iskp sources grade'.",
        ),
        click.option("--source", "sources", multiple=True, metavar="ID", help="Only this source; may be repeated."),
        click.option("--until", metavar="DATE", help="Only sources dated on or before DATE."),
        click.option("--since", metavar="DATE", help="Only sources dated on or after DATE (2024, 2024-03 or 2024-03-22)."),
    ):
        command = option(command)
    return command


def open_home(folder: Path | None) -> Home:
    """The home in a folder, by default the platform's."""
    from app.config import default_home
    from app.home import Home

    return Home(folder or default_home())


def wanted_filters(
    home: Home, since: str | None, until: str | None, sources: Iterable[str], min_reliability: str | None = None
) -> Filters:
    """What the options --since, --until, --source and --min-reliability leave of the sources.

    Raises:
        BadSource: no date, no such source, or none that is graded so well.
    """
    from index.search import Filters
    from ingest.errors import BadSource

    wanted = tuple(sources)
    for source_id in wanted:
        home.library.get(source_id)
    if min_reliability:
        there = home.library.fingerprints()
        good = {i for i, g in home.library.grades().items() if i in there and g.at_least(min_reliability.upper())}
        wanted = tuple(i for i in wanted if i in good) if wanted else tuple(sorted(good))
        if not wanted:
            raise BadSource(
                f"none of these sources is graded {min_reliability.upper()} or better; grade some: iskp sources grade ID B2 --reason TEXT"
            )
    return Filters.of(sources=wanted, since=since, until=until)


def prepare(home: Home) -> None:
    """See that there is an index, and load the models behind a word of what is going on."""
    update(home)
    from index.generation import current

    stale = current(home.index_folder) is None or home.stale()
    if stale:
        sync_and_tell(home)
    with status("loading the models (a few seconds)"):
        home.warm_up()


def update(home: Home) -> list[Outcome]:
    """Bring changed files into the library; what can't be read is told on stderr."""
    with status("checking the sources"):
        outcomes = list(home.update_sources())
    for outcome in outcomes:
        if outcome.status == "failed":
            click.echo(f"{outcome.name}: {outcome.reason}", err=True)
    return outcomes


def sync(home: Home, *, rebuild: bool = False) -> SyncReport:
    """Bring the index in line behind a progress bar."""
    from index.sync import Progress

    with bar("indexing") as show:

        def progress(p: Progress) -> None:
            show(p.done, p.total)

        return home.sync(rebuild=rebuild, progress=progress)


def fill_languages(home: Home) -> int:
    """Prepare the passages for questions in other languages behind a progress bar; how many were new."""
    with bar("for other languages") as show:
        return home.fill_languages(show)


def sync_and_tell(home: Home) -> None:
    """Bring the index in line; what changed is told on stderr."""
    report = sync(home)
    if report.embedded or report.deleted or report.updated:
        click.echo(report_line(report), err=True)
