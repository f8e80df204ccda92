"""Commands on what the sources say, sentence by sentence: facts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.home import home_option, open_home
from app.cli.output import bar, table

if TYPE_CHECKING:
    from app.facts.extract import Mark
    from app.facts.layer import Coverage, Fact, Filled
    from app.home import Home


@click.command()
@click.option("--source", "sources", multiple=True, metavar="ID", help="Only this source; may be repeated.")
@click.option("--holder", default="", metavar="NAME", help="Only what NAME says.")
@click.option("--place", default="", metavar="NAME", help="Only sentences that name the place.")
@click.option("--name", default="", metavar="NAME", help="Only sentences that name the person, group or place.")
@click.option("--from", "since", metavar="DATE", help="Only sentences that name a time on or after DATE (2024, 2024-03 or 2024-03-22).")
@click.option("--to", "until", metavar="DATE", help="Only sentences that name a time on or before DATE.")
@click.option("--figures", is_flag=True, help="Only sentences with figures.")
@click.option("--kind", type=click.Choice(["event", "state"]), help="Only what happened, or how things are.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most sentences.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def facts(
    root_home: Path | None, sources: tuple[str, ...], holder: str, place: str, name: str, since: str | None, until: str | None,
    figures: bool, kind: str | None, limit: int, as_json: bool, own_home: Path | None,
) -> None:  # fmt: skip
    """List what the sentences of the sources say: times, names, figures, and who says it.

    'iskp index' reads the sentences; where some are not read yet, that is told.

    \b
    Examples:
      iskp facts --place Moscow --figures
      iskp facts --from 2024-01 --to 2024-06 --kind event
      iskp facts --holder UN --json
    """
    from app.facts.layer import Wanted

    home = open_home(own_home or root_home)
    for source_id in sources:
        home.library.get(source_id)
    first, last = _bounds(since, until)
    wanted = Wanted(
        sources=sources, holder=holder, place=place, name=name, first=first, last=last, figures=figures, aspect=kind or "", limit=limit + 1
    )
    vocabulary = home.vocabulary()
    coverage = home.facts.coverage(home.library, vocabulary)
    found = home.facts.find(home.library, vocabulary, wanted)
    more, found = len(found) > limit, found[:limit]
    if as_json:
        told = {"done": coverage.done, "total": coverage.total, "complete": coverage.complete, "unread": list(coverage.unread)}
        click.echo(json.dumps({"coverage": told, "more": more, "facts": [_plain(f) for f in found]}, ensure_ascii=False, indent=2))
        return
    if found:
        rows = [(f.source_id, f.sentence.locator, _told(f), f.text) for f in found]
        table(("source", "where", "what", "sentence"), rows, running=2)
    else:
        click.echo("No sentence fits.", err=True)
    if more:
        click.echo(f"There are more than {limit}; for more: --limit N", err=True)
    tell_coverage(coverage)


def fill(home: Home) -> Filled:
    """Bring the fact layer in line behind a progress bar."""
    with bar("facts", unit="sentences") as show:
        return home.fill_facts(lambda p: show(round(100 * p.share), 100, p.sentences))


def filled_line(done: Filled) -> str:
    """What a fill did, in one line."""
    return f"Facts: {done.sentences} sentences of {done.read} sources read, {done.removed} sources forgotten in {done.seconds:.1f} s."


def tell_coverage(coverage: Coverage) -> None:
    """Say on stderr what of the sources is not read yet."""
    if not coverage.complete:
        share = int(100 * coverage.done / coverage.total)
        click.echo(f"facts: {share} % ({coverage.done} of {coverage.total} sources are read); for the rest run: iskp index", err=True)
    if coverage.unread:
        click.echo(f"In a language that is not read: {', '.join(coverage.unread)}", err=True)


def _bounds(since: str | None, until: str | None) -> tuple[int | None, int | None]:
    from ingest.dates import date_bounds, iso_date

    return date_bounds(iso_date(since))[0] if since else None, date_bounds(iso_date(until))[1] if until else None


def _told(fact: Fact) -> str:
    """What a sentence names, in short."""
    s = fact.sentence
    times, figures, names, holders = (
        [m for m in s.marks if m.kind in kinds]
        for kinds in (("time",), ("figure",), ("person", "group", "place"), ("holder",))
    )
    pieces = [f"{iso_day(m.first)}…{iso_day(m.last)}" if m.first != m.last else iso_day(m.first) for m in times]
    pieces += [" ".join(filter(None, (_of(fact, m), m.name))) for m in figures]
    pieces += list(dict.fromkeys(m.name for m in names))
    pieces += [f"says: {m.name}" for m in dict.fromkeys(holders)]
    pieces += [w for w, is_so in ((s.aspect, bool(s.aspect)), ("denied", s.denied), ("unsure", s.hedged)) if is_so]
    return "; ".join(pieces)


def _of(fact: Fact, mark: Mark) -> str:
    return fact.text[mark.start - fact.sentence.start : mark.end - fact.sentence.start]


def iso_day(day: int | None) -> str:
    """A day as YYYYMMDD as an ISO date."""
    return "" if day is None else f"{day // 10000:04}-{day // 100 % 100:02}-{day % 100:02}"


def _plain(fact: Fact) -> dict[str, Any]:
    """A fact as ``docs/json.md`` describes it."""
    s = fact.sentence
    marks: dict[str, list[dict[str, Any]]] = {"times": [], "places": [], "people": [], "groups": [], "figures": [], "holders": []}
    for m in s.marks:
        base: dict[str, Any] = {"start": m.start, "end": m.end}
        if m.kind == "time":
            marks["times"].append({**base, "first": iso_day(m.first), "last": iso_day(m.last), "relation": m.relation, "told": m.told})
        elif m.kind == "figure":
            value = {"value": m.value, "low": m.low, "high": m.high, "unit": m.unit, "counted": m.name, "bound": m.relation}
            marks["figures"].append({**base, **value, "part": m.part})
        elif m.kind == "holder":
            marks["holders"].append({**base, "name": m.name, "said_start": m.said_start, "said_end": m.said_end})
        else:
            marks[{"place": "places", "person": "people", "group": "groups"}[m.kind]].append({**base, "name": m.name})
    return {
        "source_id": fact.source_id, "locator": s.locator, "start": s.start, "end": s.end, "text": fact.text,
        "kind": s.aspect or None, "denied": s.denied, "hedged": s.hedged, **marks,
    }  # fmt: skip
