"""The command line: ``iskp`` or ``python -m app.cli``. Data goes to stdout, progress to stderr.

Everything heavy is imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli import ask, care, collection, digest, facts, feeds, grid, ledger, model, serve

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_GROUPS: dict[str, tuple[click.Command, ...]] = {
    "Ask": (ask.ask, ask.search, ask.check, grid.table, facts.facts, ledger.ledger, digest.digest),
    "Sources": (collection.ingest, collection.sources, collection.fetch, feeds.feed, collection.index, collection.init),
    "Page": (serve.chat, serve.mcp, serve.passwd, serve.figures),
    "Maintain": (model.model, care.backup, care.restore, care.doctor),
}
"""Our commands in the order of the help."""
_MEASURE = "Measure"
"""Heading of the commands of packages above this one."""


class Main(click.Group):
    """Turns the errors that we know into one line on stderr and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our own commands and those of packages above this one, which announce themselves."""
        return sorted({*super().list_commands(ctx), *_announced()})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by use, each with its whole first sentence."""
        groups = {heading: [str(c.name) for c in commands] for heading, commands in _GROUPS.items()}
        groups[_MEASURE] = sorted(_announced())
        width = max(len(name) for names in groups.values() for name in names)
        for heading, names in groups.items():
            found = [(name, self.get_command(ctx, name)) for name in names]
            rows = [(name.ljust(width), c.get_short_help_str(limit=500)) for name, c in found if c]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name; an announced one is loaded only when it is needed."""
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in (announced := _announced()):
            loaded: click.Command = announced[cmd_name].load()
            return loaded
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; known errors become one line."""
        from app.errors import AppError
        from ingest.errors import IngestError

        try:
            return super().invoke(ctx)
        except (AppError, IngestError) as exc:
            raise _one_line(exc) from exc
        except BrokenPipeError:
            # The reader of our output went away (iskp … | head): nothing more to say.
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - lives until exit
            ctx.exit(0)
        except Exception as exc:
            from index.errors import IndexingError

            if isinstance(exc, IndexingError):
                raise _one_line(exc) from exc
            raise


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), envvar="ISKP_HOME", default=None,
    help="Folder of sources, index and settings (or ISKP_HOME).  [default: the user data folder]",
)  # fmt: skip
@click.version_option(package_name="iskp-qa", prog_name="iskp")
@click.pass_context
def main(ctx: click.Context, home: Path | None) -> None:
    """Ask a news analysis and its sources; every sentence links to the passage it comes from.

    \b
    Examples:
      iskp ask "How many fighters does ISKP have?"
      iskp ingest report.md notes/ && iskp ask "Who wrote the report?"
      iskp chat
    """
    ctx.obj = home


def _announced() -> dict[str, EntryPoint]:
    """Commands of packages that may import this one but not the other way round (``eval``), by entry point."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group="iskp.commands")}


def _one_line(exc: Exception) -> click.ClickException:
    return click.ClickException(" ".join(str(exc).split()))


for _commands in _GROUPS.values():
    for _command in _commands:
        main.add_command(_command)
