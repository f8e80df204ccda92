"""``iskp ask`` without a question: a conversation in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

from app.cli.output import print_answer, status, write

if TYPE_CHECKING:
    from app.answer import Answer
    from app.question.followup import Turn
    from ingest.source import Source

WELCOME = "Ask a question, then ask on: the conversation is kept until /new. /help lists the commands; /quit or Ctrl-D ends."
HELP = (
    "/new      forget what was said and begin anew\n"
    "/sources  list the sources that answers come from\n"
    "/help     this list\n"
    "/quit     end; so does Ctrl-D\n"
    "1, 2, 3   ask the question of that number, where some were offered"
)
STOPPED = "Stopped; that question is left out of the conversation. Ctrl-D ends."


def converse(
    answer: Callable[[str, list[Turn]], Answer], sources: Callable[[], Iterable[Source]], read: Callable[[], str],
) -> None:  # fmt: skip
    """Answer line after line until ``/quit`` or the end of the input.

    Args:
        answer: answers a question after a conversation.
        sources: what can be searched.
        read: gives the next line; raises EOFError at the end and KeyboardInterrupt for Ctrl-C.
    """
    from app.errors import AppError
    from app.question.followup import Turn

    history: list[Turn] = []
    offered: tuple[str, ...] = ()
    interrupted = False
    click.echo(WELCOME)
    while True:
        try:
            line = read().strip()
            interrupted = False
        except EOFError:
            click.echo()
            return
        except KeyboardInterrupt:
            click.echo()
            if interrupted:
                return
            interrupted = True
            click.echo("Press Ctrl-C once more, or Ctrl-D, to end.")
            continue
        if line.startswith("/"):
            command = line.lower()
            if command in {"/quit", "/exit"}:
                return
            if command == "/new":
                history, offered = [], ()
                click.echo("A new conversation.")
            elif command == "/sources":
                _list(sources())
            else:
                click.echo(HELP if command == "/help" else f"There is no command {line.split()[0]}.\n{HELP}")
            continue
        if not line:
            continue
        question = offered[int(line) - 1] if line.isdecimal() and 0 < int(line) <= len(offered) else line
        try:
            with status("answering"):
                told = answer(question, history)
        except KeyboardInterrupt:
            click.echo(f"\n{STOPPED}")
            continue
        except AppError as exc:
            click.echo(str(exc), err=True)
            continue
        print_answer(told, numbered=True)
        click.echo()
        offered = told.options
        history += [Turn(role="user", content=question), Turn(role="assistant", content=told.answer)]


def _list(sources: Iterable[Source]) -> None:
    from app.citation_text import described

    lines = [described(source) for source in sources]
    for line in lines:
        write(line, "  – ")
    if not lines:
        click.echo("There are no sources yet; add some with: iskp ingest FILE")
