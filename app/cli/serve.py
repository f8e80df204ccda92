"""Commands for readers beyond the terminal: chat, mcp, passwd, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.home import home_option, open_home, prepare, sync_and_tell, update
from app.cli.output import status

if TYPE_CHECKING:
    from app.home import Home


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port.  [default: 7860]")
@click.option("--auth", metavar="USER:PASS", help="Ask for this user name and password (or ISKP_CHAT_AUTH).")
@click.option(
    "--auth-file", type=click.Path(dir_okay=False, path_type=Path), help="Ask for one of these: lines of 'iskp passwd'."
)
@click.option("--read-only", is_flag=True, help="Nobody can add, change or remove sources on the page.")
@click.option("--open-to-all", is_flag=True, help="Listen beyond this machine without any password.")
@click.option("--offline", is_flag=True, help="Do not try to fetch the originals at the first start.")
@home_option
@click.pass_obj
def chat(
    root_home: Path | None, host: str | None, port: int | None, auth: str | None, auth_file: Path | None,
    read_only: bool, open_to_all: bool, offline: bool, own_home: Path | None,
) -> None:  # fmt: skip
    """Open the chat page on http://127.0.0.1:7860.

    The first start tries once to fetch the originals of the bundled notes, behind the page.

    \b
    Example:
      iskp passwd ann >> passwords && chmod 600 passwords
      iskp chat --host 0.0.0.0 --auth-file passwords --read-only
    """
    from app.access.exposure import Refused, check_binding, check_port, read_accounts
    from index.generation import current

    home = open_home(own_home or root_home)
    settings = home.settings.chat
    host = host or settings.host
    try:
        accounts = read_accounts(option=auth, file=auth_file or settings.auth_file)
        check_binding(host, has_auth=bool(accounts), forced=open_to_all)
    except Refused as exc:
        raise click.UsageError(str(exc)) from exc
    port = port or settings.port
    check_port(host, port)
    click.echo("Starting iskp-qa …", err=True)
    if current(home.index_folder) is not None:  # a first index is made behind the page, which shows how far it is
        update(home)
        sync_and_tell(home)
    with status("opening the page"):
        from app.page.server import serve
    serve(
        home, host=host, port=port, auth=accounts.check if accounts else None,
        read_only=read_only or settings.read_only, say=lambda line: click.echo(line, err=True),
        afterwards=None if offline else lambda: _fetch_behind(home),
    )  # fmt: skip


@click.command()
@home_option
@click.pass_obj
def mcp(root_home: Path | None, own_home: Path | None) -> None:
    """Serve the sources to an MCP client over standard input and output; the client starts this.

    Tools: search, fetch and ask; resources: iskp://source/ID.

    \b
    Example, in the configuration of a client:
      {"mcpServers": {"iskp": {"command": "iskp", "args": ["mcp"]}}}
    """
    from app.connect.mcp_server import serve

    home = open_home(own_home or root_home)
    serve(home, prepare)


@click.command()
@click.argument("user")
def passwd(user: str) -> None:
    """Print a line for --auth-file: USER and the hash of a password that is asked for.

    \b
    Example:
      iskp passwd ann >> passwords && chmod 600 passwords
    """
    from app.access.exposure import hash_password

    if not user or set(user) & set(":#\n\r") or user != user.strip():
        raise click.UsageError("USER must be a name without colon, number sign or outer spaces")
    password = click.prompt("Password", hide_input=True, confirmation_prompt="Again", err=True)
    click.echo(f"{user}:{hash_password(password)}")


@click.command()
@click.argument("page", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT.html")
@home_option
@click.pass_obj
def figures(root_home: Path | None, page: Path, own_home: Path | None) -> None:
    """Draw what the sources give figures of over time, as one page that loads nothing.

    It is drawn from the sentences that 'iskp index' has read; see 'iskp facts' and 'iskp ledger'.

    \b
    Example:
      iskp figures figures.html
    """
    from app.figures.plots import draw, page_html

    home = open_home(own_home or root_home)
    prepare(home)
    drawings, note = draw(home)
    if not drawings:
        raise click.ClickException(f"nothing in the sources has figures of two dates, so there is nothing to draw. {note}".strip())
    if note:
        click.echo(note, err=True)
    opened = home.index.current()
    try:
        page.write_text(
            page_html(drawings, note, made=f"From the index {opened.id if opened else ''}."), encoding="utf-8"
        )
    except OSError as exc:
        raise click.ClickException(f"{page} cannot be written: {exc.strerror}; choose another file") from exc
    click.echo(f"Wrote {page}: {', '.join(f'{d.title} ({len(d.lines)} rows)' for d in drawings)}.")


def _fetch_behind(home: Home) -> None:
    """Fetch the originals once, while the page is in use; a reader sees the notes until all is indexed."""
    from ingest.errors import IngestError

    if not home.first_fetch_due():
        return
    click.echo("Trying to fetch the originals of the bundled notes …", err=True)
    try:
        outcomes = list(home.fetch_originals(patient=False))
        fetched = sum(1 for o in outcomes if o.status in {"added", "changed"})
        if fetched:
            home.sync()
        click.echo(f"{fetched} of {len(outcomes)} originals fetched; for the others the notes serve.", err=True)
    except IngestError as exc:
        click.echo(f"The originals could not be fetched: {exc}. The notes serve.", err=True)
