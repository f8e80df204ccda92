"""Commands on feeds: feed add, list, remove, fetch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.home import home_option, open_home, sync, update
from app.cli.output import print_list, print_report, status

if TYPE_CHECKING:
    from ingest.add import Outcome


@click.group()
def feed() -> None:
    """Follow feeds (RSS, Atom): 'fetch' adds the pages of new entries, each once.

    \b
    Examples:
      iskp feed add https://example.org/feed.xml
      iskp feed fetch && iskp digest
    """


@feed.command("add")
@click.argument("url")
@home_option
@click.pass_obj
def add_feed(root_home: Path | None, url: str, own_home: Path | None) -> None:
    """Follow the feed at URL."""
    from ingest.feeds import add_feed as follow

    found = follow(open_home(own_home or root_home).library, url)
    click.echo(f"Following {found.title}; its pages come with: iskp feed fetch")


@feed.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def list_feeds(root_home: Path | None, as_json: bool, own_home: Path | None) -> None:
    """List the feeds, how many of their pages are here, and what went wrong last."""
    library = open_home(own_home or root_home).library
    rows = []
    for one in library.feeds():
        entries = library.entries(one.url)
        rows.append((one.url, one.title, (one.fetched_at or "never")[:10], f"{sum(e.source_id is not None for e in entries)} of {len(entries)}", one.trouble))
    print_list(library.feeds(), ("feed", "title", "fetched", "pages", "trouble"), rows, "No feed is followed; follow one: iskp feed add URL", as_json)


@feed.command("remove")
@click.argument("url")
@home_option
@click.pass_obj
def remove_feed(root_home: Path | None, url: str, own_home: Path | None) -> None:
    """Follow a feed no longer; the sources that came from it stay."""
    open_home(own_home or root_home).library.remove_feed(url)
    click.echo("Removed; the sources that came from it stay.")


@feed.command("fetch")
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def fetch_feeds(root_home: Path | None, urls: tuple[str, ...], as_json: bool, own_home: Path | None) -> None:
    """Fetch the pages of new entries, of all feeds or of those at URL, then bring the index in line."""
    from ingest.feeds import fetch_feeds as fetched

    home = open_home(own_home or root_home)
    if not home.library.feeds():
        raise click.ClickException("no feed is followed; follow one: iskp feed add URL")
    update(home)
    outcomes: list[Outcome] = []
    with status("fetching feeds") as tell:
        for outcome in fetched(home.library, urls):
            outcomes.append(outcome)
            tell(f"fetching feeds: {len(outcomes)} done")
    print_report(outcomes, sync(home), as_json)
    if outcomes and all(o.status == "failed" for o in outcomes):
        raise click.ClickException("nothing could be had; what failed is tried again the next time")
