"""Commands for what is in a home: ingest, fetch, sources, index, init."""

from __future__ import annotations

import contextlib
import itertools
import json
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.facts import fill, filled_line
from app.cli.home import fill_languages, home_option, open_home, sync, update
from app.cli.output import plain, print_list, print_outcomes, print_report, report_line, source_row, status, table
from app.text.counts import counted

if TYPE_CHECKING:
    from app.home import Home
    from ingest.add import Outcome


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH_OR_URL...")
@click.option("--title", help="Title of the source.")
@click.option("--author", help="Author of the source.")
@click.option("--date", help="Date of publication: 2024, 2024-03 or 2024-03-22.")
@click.option("--publisher", help="Publisher of the source.")
@click.option("--url", help="Address of the original.")
@click.option("--genre", help="opinion, un-report, government, news, encyclopedia, research or notes.")
@click.option("--language", help="Language code, such as en.")
@click.option("--glob", "pattern", help="In folders, only files of this pattern, such as '*.pdf'.")
@click.option("--watch", is_flag=True, help="Go on: re-index whenever a file changes, until interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def ingest(
    root_home: Path | None,
    /,
    paths: tuple[str, ...],
    pattern: str | None,
    watch: bool,
    as_json: bool,
    own_home: Path | None,
    **metadata: str | None,
) -> None:
    """Add or update sources from files, folders or addresses, then bring the index in line.

    Kinds: HTML, PDF, DOCX, ODT, EPUB, Markdown, Org, text, CSV, TSV, XLSX, e-mail (EML, MBOX), subtitles (SRT, VTT).

    \b
    Examples:
      iskp ingest article.txt --author "Jane Doe" --date 2024-04
      iskp ingest ~/reports --glob "*.pdf"
      iskp ingest https://example.org/news/story.html
      iskp ingest ~/reports --watch
    """
    from ingest.fetch import is_url

    home = open_home(own_home or root_home)
    given = {k: v for k, v in metadata.items() if v}
    urls = [p for p in paths if is_url(p)]
    files = [Path(p) for p in paths if not is_url(p)]
    outcomes = _ingest(home, files, urls, given, pattern, as_json)
    if watch:
        _watch(home, files, given, pattern)
    if outcomes and all(o.status == "failed" for o in outcomes):
        raise click.ClickException("none of these could be read; the reasons are above")
    if not outcomes:
        raise click.ClickException("no file was found there; check the path or the --glob pattern")


@click.command()
@click.argument("source_ids", nargs=-1, metavar="[ID]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def fetch(root_home: Path | None, source_ids: tuple[str, ...], as_json: bool, own_home: Path | None) -> None:
    """Replace bundled notes by the originals from their publishers.

    Without an ID, all that have an address. Where a publisher can't be reached the notes stay.

    \b
    Example:
      iskp fetch article
    """
    home = open_home(own_home or root_home)
    update(home)
    outcomes = []
    with status("fetching originals") as tell:
        for outcome in home.fetch_originals(source_ids):
            outcomes.append(outcome)
            tell(f"fetching originals: {len(outcomes)} done")
    print_report(outcomes, sync(home), as_json)
    if outcomes and all(o.status == "failed" for o in outcomes):
        raise click.ClickException("no original could be had; the notes serve as before")


@click.group(invoke_without_command=True)
@click.option("--failed", is_flag=True, help="List the files of mirrored folders that could not be read, and why.")
@click.option("--removed", is_flag=True, help="List what was removed and can be had again with 'restore'.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_context
def sources(ctx: click.Context, failed: bool, removed: bool, as_json: bool, own_home: Path | None) -> None:
    """List the stored sources; 'show' prints one, 'grade' grades it, 'remove' takes it out, 'restore' brings it back."""
    ctx.obj = own_home or ctx.obj
    if ctx.invoked_subcommand:
        return
    home = open_home(ctx.obj)
    update(home)
    failures = home.library.failures()
    away = home.removed()
    if failed:
        rows = [(f.path, f.reason) for f in failures]
        print_list(failures, ("file", "reason"), rows, "Every file of the mirrored folders could be read.", as_json)
        return
    if removed:
        gone = [(r.id, (r.removed_at or "")[:10], r.title, r.path or "") for r in away]
        print_list(away, ("id", "removed", "title", "file"), gone, "Nothing is removed.", as_json, running=2)
        return
    _list_sources(home, as_json)
    if as_json:
        return
    if away:
        click.echo(
            f"Left out as removed: {len(away)}; list: iskp sources --removed; bring back: iskp sources restore ID",
            err=True,
        )
    if failures:
        click.echo(f"{len(failures)} files could not be read; their reasons: iskp sources --failed", err=True)


def _list_sources(home: Home, as_json: bool) -> None:
    grades = home.library.grades()
    rows = [source_row(s, grades) for s in home.library]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif rows:
        # A column that is empty for everybody who grades nothing would only take room.
        columns = ("id", "date", "genre", *(["grade"] if grades else ()), "title")
        told = [
            {**r, "date": r["date"] or "undated", "grade": grades[r["id"]].code if r["id"] in grades else ""} for r in rows
        ]
        table(columns, [tuple(r[c] for c in columns) for r in told])
    else:
        click.echo("No sources yet. Add some: iskp ingest FILE_OR_FOLDER", err=True)


@sources.command("show")
@click.argument("source_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with the canonical text and paragraphs.")
@home_option
@click.pass_obj
def show_source(root_home: Path | None, source_id: str, as_json: bool, own_home: Path | None) -> None:
    """Print a source: bibliographic data and its canonical text with locators."""
    from app.citation_text import (
        UNCHECKED,
        byline,
        claimant,
        kind_meaning,
        kind_words,
        lead,
        recognised_words,
        status_words,
    )
    from ingest.originals import snapshot_words
    from ingest.source import to_json

    home = open_home(own_home or root_home)
    update(home)
    source = home.library.get(source_id)
    if as_json:
        click.echo(json.dumps({**to_json(source), "fingerprint": source.fingerprint, "grade": _grade(home, source_id)}, ensure_ascii=False, indent=2))
        return
    click.echo(f"{lead(source)}{source.title}, {byline(source)}\n{kind_words(source)}: {kind_meaning(source)}\n")
    grades = home.library.grades()
    for name, value in source_row(source, {}).items():
        if value not in (None, ""):
            click.echo(f"{name}: {value}")
    if grade := grades.get(source_id):
        click.echo(f"grade: {grade.code} ({grade.meaning}), {grade.graded_at[:10]}: {grade.reason}")
    if kept := snapshot_words(home.library, source_id):
        click.echo(kept)
    for paragraph in source.paragraphs:
        held = status_words(paragraph.claim_status, claimant(source, paragraph.claimed_by))
        badge = UNCHECKED if paragraph.unchecked else "; ".join(filter(None, (held, recognised_words(paragraph.recognised))))
        click.echo(f"\n{paragraph.locator}{f' [{badge}]' if badge else ''}")
        click.echo(source.text[paragraph.start : paragraph.end])


@sources.command("snapshots")
@click.argument("source_id", metavar="ID")
@click.option("--save", nargs=2, metavar="SHA256 FILE", help="Write the bytes of one to FILE, as a web archive where it ends in .warc or .warc.gz; the first letters of its SHA-256 will do.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def list_snapshots(root_home: Path | None, source_id: str, save: tuple[str, str] | None, as_json: bool, own_home: Path | None) -> None:
    """List what the address of a source gave, with time and SHA-256; 'iskp ingest URL' fetches it anew.

    \b
    Example:
      iskp sources snapshots example.org/story --save 3fa9 story.html
      iskp sources snapshots example.org/story --save 3fa9 story.warc.gz
    """
    library = open_home(own_home or root_home).library
    library.get(source_id)
    kept = library.snapshots(source_id)
    if save is None:
        rows = [(s.fetched_at, s.seen_at, str(s.size), s.digest) for s in kept]
        print_list(kept, ("fetched", "same until", "bytes", "sha-256"), rows, "No bytes are kept of this source; only those of fetched ones are.", as_json)
        return
    found = [s for s in kept if save[0] and s.digest.startswith(save[0].lower())]
    if len(found) != 1:
        raise click.ClickException(f"{len(found)} snapshots of {source_id!r} begin with {save[0]!r}; list them: iskp sources snapshots {shlex.quote(source_id)}")
    if Path(save[1]).exists():
        raise click.ClickException(f"{save[1]} exists already; give another name")
    data = library.snapshot(source_id, found[0].digest)
    assert data is not None
    if save[1].endswith((".warc", ".warc.gz")):
        from ingest.warc import warc

        written = warc(found[0], data, software=f"iskp-qa/{version('iskp-qa')}", compressed=save[1].endswith(".gz"))
    else:
        written = data
    Path(save[1]).write_bytes(written)
    click.echo(f"{save[1]}: {len(data)} bytes, fetched {found[0].fetched_at}")


@sources.command("grade")
@click.argument("source_id", metavar="ID")
@click.argument("code", metavar="GRADE", required=False)
@click.option("--reason", default="", metavar="TEXT", help="Why; shown beside every citation.")
@click.option("--clear", is_flag=True, help="Take the grade away.")
@home_option
@click.pass_obj
def grade_source(
    root_home: Path | None, source_id: str, code: str | None, reason: str, clear: bool, own_home: Path | None
) -> None:
    """Grade a source: reliability A to F, then credibility 1 to 6. It stays when the source is updated.

    \b
    A completely reliable    1 confirmed by other sources
    B usually reliable       2 probably true
    C fairly reliable        3 possibly true
    D not usually reliable   4 doubtful
    E unreliable             5 improbable
    F cannot be judged       6 cannot be judged

    \b
    Example:
      iskp sources grade un-35 A2 --reason "monitoring team, several member states"
    """
    from datetime import UTC, datetime

    from ingest.grade import parse_grade

    if clear == (code is not None):
        raise click.UsageError("give either a GRADE such as B2, or --clear")
    home = open_home(own_home or root_home)
    update(home)
    grade = parse_grade(code, reason, at=datetime.now(UTC).isoformat(timespec="seconds")) if code else None
    home.library.set_grade(source_id, grade)
    click.echo(f"{source_id}: {f'{grade.code} ({grade.meaning})' if grade else 'no grade'}.")


@sources.command("remove")
@click.argument("source_id", metavar="ID")
@home_option
@click.pass_obj
def remove_source(root_home: Path | None, source_id: str, own_home: Path | None) -> None:
    """Remove a source and its passages. A file on disk is not touched.

    It stays away until its file changes, or is added by name again. Its text is kept for 30 days, for 'restore'.
    """
    home = open_home(own_home or root_home)
    update(home)
    home.remove(source_id)
    report = sync(home)
    click.echo(
        f"Removed {source_id}. {report_line(report)}\nTo have it again: iskp sources restore {shlex.quote(source_id)}"
    )


@sources.command("restore")
@click.argument("source_id", metavar="ID")
@home_option
@click.pass_obj
def restore_removed_source(root_home: Path | None, source_id: str, own_home: Path | None) -> None:
    """Bring a removed source back.

    \b
    Example:
      iskp sources --removed
      iskp sources restore reports/draft.txt
    """
    home = open_home(own_home or root_home)
    update(home)
    home.restore(source_id)
    click.echo(f"Restored {source_id}. {report_line(sync(home))}")


@click.command()
@click.option("--rebuild", is_flag=True, help="Build from nothing; needed when the model or passage length changed.")
@click.option("--languages", is_flag=True, help="Also for questions in other languages than English; kept in line from then on.")
@click.option("--no-facts", is_flag=True, help="Without reading the sentences for 'iskp facts'.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_obj
def index(
    root_home: Path | None, rebuild: bool, languages: bool, no_facts: bool, as_json: bool, own_home: Path | None
) -> None:
    """Bring the index in line with the sources; only what changed is embedded again.

    Then the sentences of what changed are read for 'iskp facts'. The index answers meanwhile, and a fill that is
    interrupted goes on at the next call.
    """
    home = open_home(own_home or root_home)
    outcomes = update(home)
    report = sync(home, rebuild=rebuild)
    if not as_json:
        print_outcomes([o for o in outcomes if not str(o.name).endswith(".md") or o.status == "failed"])
        click.echo(report_line(report))
    others = fill_languages(home) if languages or (home.language_vectors and home.language_vectors.made) else None
    if others is not None and not as_json:
        click.echo(f"For questions in other languages: {counted(others, 'passage')} encoded.")
    facts = None if no_facts else fill(home)
    if as_json:
        data = {
            "sources": [plain(o) for o in outcomes], **plain(report), "languages": others,
            "facts": plain(facts) if facts else None,
        }  # fmt: skip
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    elif facts and (facts.read or facts.removed):
        click.echo(filled_line(facts))


@click.command()
@click.option("--empty", is_flag=True, help="Without the bundled corpus, to serve another collection.")
@home_option
@click.pass_obj
def init(root_home: Path | None, empty: bool, own_home: Path | None) -> None:
    """Make a home for sources and index."""
    home = open_home(own_home or root_home)
    home.init(empty=empty)
    what = "without the bundled corpus" if empty else "with the bundled corpus"
    click.echo(f"Made {home.folder} {what}. Next: iskp --home {home.folder} ingest FILE_OR_FOLDER")


def _grade(home: Home, source_id: str) -> dict[str, Any] | None:
    found = home.library.grades().get(source_id)
    return plain(found) if found else None


def _ingest(
    home: Home, files: list[Path], urls: list[str], metadata: dict[str, str], pattern: str | None, as_json: bool
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with status("reading sources") as tell:
        for outcome in itertools.chain(home.add(files, metadata, pattern), home.add_urls(urls, metadata)):
            outcomes.append(outcome)
            tell(f"reading sources: {len(outcomes)} done")
    print_report(outcomes, sync(home), as_json)
    return outcomes


def _watch(home: Home, files: list[Path], metadata: dict[str, str], pattern: str | None) -> None:
    from ingest.folder import watch

    click.echo("Watching; stop with Ctrl-C.", err=True)
    with contextlib.suppress(KeyboardInterrupt):
        for _ in watch(files):
            outcomes = [o for o in home.add(files, metadata, pattern, again=False) if o.status != "unchanged"]
            if outcomes:
                print_report(outcomes, sync(home), as_json=False)
