"""The command line: ``iskp`` or ``python -m app.cli``. Data goes to stdout, progress to stderr.

Everything heavy is imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shlex
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from app.answer import Answer, Citation
    from app.answering.pipeline import Answerer
    from app.home import Home
    from app.question.followup import Turn
    from app.support.checker import ClaimCheck
    from index.search import Filters
    from index.sync import SyncReport
    from ingest.add import Outcome

F = TypeVar("F", bound=Callable[..., Any])


class Main(click.Group):
    """Turns the errors that we know into one line on stderr and exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Our own commands and those of packages above this one, which announce themselves."""
        return sorted({*super().list_commands(ctx), *_announced()})

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


def _announced() -> dict[str, EntryPoint]:
    """Commands of packages that may import this one but not the other way round (``eval``), by entry point."""
    return {entry.name: entry for entry in entry_points(group="iskp.commands")}


def _one_line(exc: Exception) -> click.ClickException:
    return click.ClickException(" ".join(str(exc).split()))


def _home_option(command: F) -> F:
    return click.option(
        "--home", "own_home", type=click.Path(file_okay=False, path_type=Path), default=None,
        help="Folder of sources, index and settings (or ISKP_HOME).",
    )(command)  # fmt: skip


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


@main.command()
@click.argument("question", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the Answer as JSON.")
@click.option(
    "--batch",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSONL file with one {"question", "history"?} a line; prints one Answer a line.',
)
@click.option("--since", help="Only sources dated on or after DATE (2024, 2024-03 or 2024-03-22).", metavar="DATE")
@click.option("--until", help="Only sources dated on or before DATE.", metavar="DATE")
@click.option("--source", "sources", multiple=True, metavar="ID", help="Only this source; may be repeated.")
@click.option(
    "--engine",
    metavar="ENGINE",
    help="Who writes the answer: extractive, ollama:MODEL, openai:MODEL, anthropic:MODEL or URL#MODEL.  [default: engine.name]",
)
@click.option(
    "--format", "form", help="Print a document or references.",
    type=click.Choice(["markdown", "html", "json", "chicago", "chicago-bibliography", "bibtex", "ris"]),
)  # fmt: skip
@click.option("--explain", is_flag=True, help="Show terms, hits, evidence and the decision.")
@_home_option
@click.pass_obj
def ask(
    root_home: Path | None, question: str | None, as_json: bool, batch: Path | None, since: str | None,
    until: str | None, sources: tuple[str, ...], engine: str | None, explain: bool, form: str | None,
    own_home: Path | None,
) -> None:  # fmt: skip
    """Answer a QUESTION with citations, or say that the sources do not.

    \b
    Examples:
      iskp ask "Who is the emir of ISIS-K?"
      iskp ask "How strong is the group?" --since 2023 --json
      iskp ask --batch questions.jsonl --json > answers.jsonl
    """
    if (question is None) == (batch is None):
        raise click.UsageError("give either a QUESTION or --batch FILE.jsonl")
    if form and (batch is not None or as_json or explain):
        raise click.UsageError("--format prints one answer by itself; leave out --batch, --json and --explain")
    home = _open_home(own_home or root_home)
    answerer = _answerer(home, engine)
    filters = _filters(home, since, until, sources)
    if batch is not None:
        _prepare(home)
        for line in _batch(answerer, batch, filters):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    _prepare(home)
    assert question is not None
    answer, trace = answerer.answer_with_trace(question, filters=filters)
    if form:
        from app.exports.export import export_answer

        click.echo(export_answer(answer, form), nl=False)
        return
    if as_json:
        from app.answer import to_json
        from app.answering.pipeline import explain as explained

        data = to_json(answer)
        if explain:
            data["explain"] = explained(trace) if trace else None
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    _print_answer(answer)
    if explain and trace:
        from app.answering.pipeline import explain as explained

        click.echo("\n" + json.dumps(explained(trace), ensure_ascii=False, indent=2))


@main.command()
@click.argument("query")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many passages.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--since", metavar="DATE", help="Only sources dated on or after DATE.")
@click.option("--until", metavar="DATE", help="Only sources dated on or before DATE.")
@click.option("--source", "sources", multiple=True, metavar="ID", help="Only this source; may be repeated.")
@_home_option
@click.pass_obj
def search(
    root_home: Path | None, query: str, k: int, as_json: bool, since: str | None, until: str | None,
    sources: tuple[str, ...], own_home: Path | None,
) -> None:  # fmt: skip
    """Find passages for a QUERY, best first.

    \b
    Example:
      iskp search "recruitment strategy" -k 5
    """
    from textwrap import shorten

    from app.citation_text import described, spoken
    from app.question.analysis import tidy

    home = _open_home(own_home or root_home)
    filters = _filters(home, since, until, sources)
    text = tidy(query)
    _prepare(home)
    opened = home.index.current()
    hits = opened.search(text, k, filters=filters) if opened else []
    if as_json:
        data = [_hit_json(h, opened.source(h.passage.source_id) if opened else None) for h in hits]
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    if not hits:
        click.echo("No passage found.")
    for hit in hits:
        p = hit.passage
        source = opened.source(p.source_id) if opened else None
        click.echo(f"{hit.rank:>3}  {hit.score:.3f}  {p.source_id} {p.locator}")
        if source:
            click.echo(f"     {described(source, p.locator)}")
        click.echo(f"     {spoken(source, shorten(p.text, 200, placeholder=' …')) if source else p.text[:200]}")


@main.command()
@click.argument("claim", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--batch",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSONL file with one {"claim", "passage"?} a line; prints one result as JSON a line.',
)
@click.option("--since", help="Only sources dated on or after DATE (2024, 2024-03 or 2024-03-22).", metavar="DATE")
@click.option("--until", help="Only sources dated on or before DATE.", metavar="DATE")
@click.option("--source", "sources", multiple=True, metavar="ID", help="Only this source; may be repeated.")
@_home_option
@click.pass_obj
def check(
    root_home: Path | None, claim: str | None, as_json: bool, batch: Path | None, since: str | None, until: str | None,
    sources: tuple[str, ...], own_home: Path | None,
) -> None:  # fmt: skip
    """Tell whether the sources support a CLAIM, with the words for and against it.

    With "passage" in a line of --batch, the claim is checked against that text alone.

    \b
    Examples:
      iskp check "The attack on Crocus City Hall killed at least 145 people."
      iskp check --batch claims.jsonl --json > checked.jsonl
    """
    if (claim is None) == (batch is None):
        raise click.UsageError("give either a CLAIM or --batch FILE.jsonl")
    from app.support.checker import tidy_claim, to_json

    home = _open_home(own_home or root_home)
    filters = _filters(home, since, until, sources)
    if batch is not None:
        for line in _check_batch(home, batch, filters):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    assert claim is not None
    tidy_claim(claim)  # what can't be checked is told before the models load
    _prepare(home)
    result = home.checker.check(claim, home.index.current(), filters=filters)
    if as_json:
        click.echo(json.dumps(to_json(result), ensure_ascii=False, indent=2))
    else:
        _print_check(result)


@main.command()
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
@_home_option
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

    Kinds: HTML, PDF, DOCX, EPUB, Markdown, text, CSV, TSV, XLSX, e-mail (EML, MBOX), subtitles (SRT, VTT).

    \b
    Examples:
      iskp ingest article.txt --author "Jane Doe" --date 2024-04
      iskp ingest ~/reports --glob "*.pdf"
      iskp ingest https://example.org/news/story.html
      iskp ingest ~/reports --watch
    """
    from ingest.fetch import is_url

    home = _open_home(own_home or root_home)
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


@main.command()
@click.argument("source_ids", nargs=-1, metavar="[ID]...")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_home_option
@click.pass_obj
def fetch(root_home: Path | None, source_ids: tuple[str, ...], as_json: bool, own_home: Path | None) -> None:
    """Replace bundled notes by the originals from their publishers.

    Without an ID, all that have an address. Where a publisher can't be reached the notes stay.

    \b
    Example:
      iskp fetch article
    """
    home = _open_home(own_home or root_home)
    _update(home)
    outcomes = []
    with _status("fetching originals") as tell:
        for outcome in home.fetch_originals(source_ids):
            outcomes.append(outcome)
            tell(f"fetching originals: {len(outcomes)} done")
    _report(outcomes, _sync(home), as_json)
    if outcomes and all(o.status == "failed" for o in outcomes):
        raise click.ClickException("no original could be had; the notes serve as before")


@main.group(invoke_without_command=True)
@click.option("--failed", is_flag=True, help="List the files of mirrored folders that could not be read, and why.")
@click.option("--removed", is_flag=True, help="List what was removed and can be had again with 'restore'.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_home_option
@click.pass_context
def sources(ctx: click.Context, failed: bool, removed: bool, as_json: bool, own_home: Path | None) -> None:
    """List the stored sources; 'show' prints one, 'remove' takes one out, 'restore' brings it back."""
    ctx.obj = own_home or ctx.obj
    if ctx.invoked_subcommand:
        return
    home = _open_home(ctx.obj)
    _update(home)
    failures = home.library.failures()
    away = home.removed()
    if failed:
        rows = [(f.path, f.reason) for f in failures]
        _list(failures, ("file", "reason"), rows, "Every file of the mirrored folders could be read.", as_json)
        return
    if removed:
        gone = [(r.id, (r.removed_at or "")[:10], r.title, r.path or "") for r in away]
        _list(away, ("id", "removed", "title", "file"), gone, "Nothing is removed.", as_json)
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
    rows = [_source_row(s) for s in home.library]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
    elif rows:
        cells = [(r["id"], r["date"] or "undated", r["genre"], r["title"]) for r in rows]
        _table(("id", "date", "genre", "title"), cells)
    else:
        click.echo("No sources yet. Add some: iskp ingest FILE_OR_FOLDER", err=True)


def _list(
    things: Sequence[Any], header: tuple[str, ...], rows: Sequence[tuple[str, ...]], none: str, as_json: bool
) -> None:
    """Print things as JSON, else as a table, else say that there is none."""
    if as_json:
        click.echo(json.dumps([_plain(t) for t in things], ensure_ascii=False, indent=2))
    elif rows:
        _table(header, rows)
    else:
        click.echo(none, err=True)


@sources.command("show")
@click.argument("source_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with the canonical text and paragraphs.")
@_home_option
@click.pass_obj
def show_source(root_home: Path | None, source_id: str, as_json: bool, own_home: Path | None) -> None:
    """Print a source: bibliographic data and its canonical text with locators."""
    from app.citation_text import UNCHECKED, byline, claimant, kind_meaning, kind_words, lead, status_words
    from ingest.source import to_json

    home = _open_home(own_home or root_home)
    _update(home)
    source = home.library.get(source_id)
    if as_json:
        click.echo(json.dumps({**to_json(source), "fingerprint": source.fingerprint}, ensure_ascii=False, indent=2))
        return
    click.echo(f"{lead(source)}{source.title}, {byline(source)}\n{kind_words(source)}: {kind_meaning(source)}\n")
    for name, value in _source_row(source).items():
        if value not in (None, ""):
            click.echo(f"{name}: {value}")
    for paragraph in source.paragraphs:
        held = status_words(paragraph.claim_status, claimant(source, paragraph.claimed_by))
        badge = UNCHECKED if paragraph.unchecked else held
        click.echo(f"\n{paragraph.locator}{f' [{badge}]' if badge else ''}")
        click.echo(source.text[paragraph.start : paragraph.end])


@sources.command("remove")
@click.argument("source_id", metavar="ID")
@_home_option
@click.pass_obj
def remove_source(root_home: Path | None, source_id: str, own_home: Path | None) -> None:
    """Remove a source and its passages. A file on disk is not touched.

    It stays away until its file changes, or is added by name again. Its text is kept for 30 days, for 'restore'.
    """
    home = _open_home(own_home or root_home)
    _update(home)
    home.remove(source_id)
    report = _sync(home)
    click.echo(
        f"Removed {source_id}. {_report_line(report)}\nTo have it again: iskp sources restore {shlex.quote(source_id)}"
    )


@sources.command("restore")
@click.argument("source_id", metavar="ID")
@_home_option
@click.pass_obj
def restore_removed_source(root_home: Path | None, source_id: str, own_home: Path | None) -> None:
    """Bring a removed source back.

    \b
    Example:
      iskp sources --removed
      iskp sources restore reports/draft.txt
    """
    home = _open_home(own_home or root_home)
    _update(home)
    home.restore(source_id)
    click.echo(f"Restored {source_id}. {_report_line(_sync(home))}")


@main.command()
@click.option("--rebuild", is_flag=True, help="Build from nothing; needed when the model or passage length changed.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_home_option
@click.pass_obj
def index(root_home: Path | None, rebuild: bool, as_json: bool, own_home: Path | None) -> None:
    """Bring the index in line with the sources; only what changed is embedded again."""
    home = _open_home(own_home or root_home)
    outcomes = _update(home)
    report = _sync(home, rebuild=rebuild)
    if as_json:
        click.echo(
            json.dumps({"sources": [_plain(o) for o in outcomes], **_plain(report)}, ensure_ascii=False, indent=2)
        )
    else:
        _print_outcomes([o for o in outcomes if not str(o.name).endswith(".md") or o.status == "failed"])
        click.echo(_report_line(report))


@main.command()
@click.argument("page", type=click.Path(dir_okay=False, path_type=Path), metavar="OUT.html")
@_home_option
@click.pass_obj
def figures(root_home: Path | None, page: Path, own_home: Path | None) -> None:
    """Write strength estimates, attacks and a timeline as one page that loads nothing.

    \b
    Example:
      iskp figures figures.html
    """
    from app.figures.plots import draw, page_html
    from app.figures.tables import FOLDER

    home = _open_home(own_home or root_home)
    _prepare(home)
    drawings, problems = draw(home)
    for problem in problems:
        click.echo(problem, err=True)
    if not drawings:
        raise click.ClickException(
            f"no table has a row to draw; put strength.csv, attacks.csv or events.csv into {home.folder / FOLDER}"
        )
    opened = home.index.current()
    try:
        page.write_text(
            page_html(drawings, problems, made=f"From the index {opened.id if opened else ''}."), encoding="utf-8"
        )
    except OSError as exc:
        raise click.ClickException(f"{page} cannot be written: {exc.strerror}; choose another file") from exc
    click.echo(f"Wrote {page}: {', '.join(f'{d.title} ({len(d.lines)} rows)' for d in drawings)}.")


@main.command()
@click.option("--empty", is_flag=True, help="Without the bundled corpus, to serve another collection.")
@_home_option
@click.pass_obj
def init(root_home: Path | None, empty: bool, own_home: Path | None) -> None:
    """Make a home for sources and index."""
    home = _open_home(own_home or root_home)
    home.init(empty=empty)
    what = "without the bundled corpus" if empty else "with the bundled corpus"
    click.echo(f"Made {home.folder} {what}. Next: iskp --home {home.folder} ingest FILE_OR_FOLDER")


@main.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="Port.  [default: 7860]")
@click.option("--auth", metavar="USER:PASS", help="Ask for this user name and password (or ISKP_CHAT_AUTH).")
@click.option(
    "--auth-file", type=click.Path(dir_okay=False, path_type=Path), help="Ask for one of these: lines of 'iskp passwd'."
)
@click.option("--read-only", is_flag=True, help="Nobody can add, change or remove sources on the page.")
@click.option("--open-to-all", is_flag=True, help="Listen beyond this machine without any password.")
@click.option("--offline", is_flag=True, help="Do not try to fetch the originals at the first start.")
@_home_option
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

    home = _open_home(own_home or root_home)
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
        _update(home)
        _sync_and_tell(home)
    with _status("opening the page"):
        from app.page.server import serve
    serve(
        home, host=host, port=port, auth=accounts.check if accounts else None,
        read_only=read_only or settings.read_only, say=lambda line: click.echo(line, err=True),
        afterwards=None if offline else lambda: _fetch_behind(home),
    )  # fmt: skip


@main.command()
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


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE when it exists.")
@_home_option
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


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also over a home that is in use; the old one is kept aside.")
@_home_option
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


@main.command()
@click.option("--repair", is_flag=True, help="Mend what can be mended.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_home_option
@click.pass_obj
def doctor(root_home: Path | None, repair: bool, as_json: bool, own_home: Path | None) -> None:
    """Compare stored sources, vector store and lexical index; say what differs and mend it."""
    from app.records.doctor import examine

    home = _open_home(own_home or root_home)
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


def _open_home(folder: Path | None) -> Home:
    from app.config import default_home
    from app.home import Home

    return Home(folder or default_home())


def _answerer(home: Home, engine: str | None) -> Answerer:
    """The answerer with the engine asked for; a name that cannot be one is a usage error."""
    from app.errors import BadInput
    from app.writing.engines import parse_engine

    if engine is None:
        return home.answerer
    try:
        parse_engine(engine)
    except BadInput as exc:
        raise click.UsageError(str(exc)) from exc
    return home.answerer_with(engine)


def _filters(home: Home, since: str | None, until: str | None, sources: Iterable[str]) -> Filters:
    from index.search import Filters
    from ingest.dates import date_bounds, iso_date

    wanted = tuple(sources)
    for source_id in wanted:
        home.library.get(source_id)
    return Filters(
        sources=wanted,
        since=date_bounds(iso_date(since))[0] if since else None,
        until=date_bounds(iso_date(until))[1] if until else None,
    )


def _prepare(home: Home) -> None:
    """See that there is an index, and load the models behind a word of what is going on."""
    _update(home)
    from index.generation import current

    stale = current(home.index_folder) is None or home.stale()
    if stale:
        _sync_and_tell(home)
    with _status("loading the models (a few seconds)"):
        home.warm_up()


def _update(home: Home) -> list[Outcome]:
    with _status("checking the sources"):
        outcomes = list(home.update_sources())
    for outcome in outcomes:
        if outcome.status == "failed":
            click.echo(f"{outcome.name}: {outcome.reason}", err=True)
    return outcomes


def _sync(home: Home, *, rebuild: bool = False) -> SyncReport:
    from index.sync import Progress

    with _bar("indexing") as show:

        def progress(p: Progress) -> None:
            show(p.done, p.total)

        return home.sync(rebuild=rebuild, progress=progress)


def _sync_and_tell(home: Home) -> None:
    report = _sync(home)
    if report.embedded or report.deleted or report.updated:
        click.echo(_report_line(report), err=True)


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


def _ingest(
    home: Home, files: list[Path], urls: list[str], metadata: dict[str, str], pattern: str | None, as_json: bool
) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with _status("reading sources") as tell:
        for outcome in itertools.chain(home.add(files, metadata, pattern), home.add_urls(urls, metadata)):
            outcomes.append(outcome)
            tell(f"reading sources: {len(outcomes)} done")
    _report(outcomes, _sync(home), as_json)
    return outcomes


def _watch(home: Home, files: list[Path], metadata: dict[str, str], pattern: str | None) -> None:
    from ingest.folder import watch

    click.echo("Watching; stop with Ctrl-C.", err=True)
    with contextlib.suppress(KeyboardInterrupt):
        for _ in watch(files):
            outcomes = [o for o in home.add(files, metadata, pattern, again=False) if o.status != "unchanged"]
            if outcomes:
                _report(outcomes, _sync(home), as_json=False)


def _report(outcomes: list[Outcome], report: SyncReport, as_json: bool) -> None:
    if as_json:
        data = {"sources": [_plain(o) for o in outcomes], "index": _plain(report)}
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
    else:
        _print_outcomes(outcomes)
        click.echo(_report_line(report))


def _report_line(report: SyncReport) -> str:
    what = "nothing was embedded again" if not report.embedded else f"{report.embedded} embedded"
    return (
        f"Index: {report.added} added, {report.updated} updated, {report.skipped} skipped, "
        f"{report.deleted} deleted passages of {report.sources} sources in {report.seconds:.1f} s; {what}."
        + (f" Compacted: {report.freed_bytes / 1e6:.1f} MB freed." if report.compacted else "")
    )


def _batch(answerer: Answerer, file: Path, filters: Filters) -> Iterator[dict[str, Any]]:
    from app.answer import to_json
    from app.errors import AppError

    with file.open("rb") as stream, _status("answering") as tell:
        for number, raw in enumerate(stream, start=1):
            if not raw.strip():
                continue
            tell(f"answering line {number}")
            try:
                question, history = _batch_line(raw)
                yield to_json(answerer.answer(question, history, filters=filters))
            except AppError as exc:
                yield {"error": f"line {number}: {exc}"}


def _batch_line(raw: bytes) -> tuple[str, list[Turn]]:
    from app.errors import BadInput
    from app.question.followup import Turn

    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise BadInput("it is not a JSON object") from exc
    if not isinstance(data, dict) or not isinstance(data.get("question"), str):
        raise BadInput('it needs the form {"question": "…", "history": [{"role": …, "content": …}]}')
    turns = data.get("history") or []
    if not isinstance(turns, list) or not all(
        isinstance(t, dict) and isinstance(t.get("role"), str) and isinstance(t.get("content"), str) for t in turns
    ):
        raise BadInput('"history" must be a list of {"role": "user" or "assistant", "content": "…"}')
    return data["question"], [Turn(role=t["role"], content=t["content"]) for t in turns]


def _check_batch(home: Home, file: Path, filters: Filters) -> Iterator[dict[str, Any]]:
    """A result for each line; the collection is opened at the first claim that comes without a passage."""
    from app.errors import AppError
    from app.support.checker import to_json

    prepared = False
    with file.open("rb") as stream, _status("checking") as tell:
        for number, raw in enumerate(stream, start=1):
            if not raw.strip():
                continue
            tell(f"checking line {number}")
            try:
                claim, passage = _check_line(raw)
                if passage is not None:
                    yield to_json(home.checker.check_text(claim, passage))
                    continue
                if not prepared:
                    _prepare(home)
                    prepared = True
                yield to_json(home.checker.check(claim, home.index.current(), filters=filters))
            except AppError as exc:
                yield {"error": f"line {number}: {exc}"}


def _check_line(raw: bytes) -> tuple[str, str | None]:
    from app.errors import BadInput

    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise BadInput("it is not a JSON object") from exc
    if not isinstance(data, dict) or not isinstance(data.get("claim"), str):
        raise BadInput('it needs the form {"claim": "…", "passage": "…"}; the passage may be left out')
    passage = data.get("passage")
    if passage is not None and not isinstance(passage, str):
        raise BadInput('"passage" must be text, or be left out')
    return data["claim"], passage


def _print_check(result: ClaimCheck) -> None:
    from app.answer import Citation
    from app.citation_text import spoken

    verdict = {"supported": "Supported", "partly": "Partly supported", "unsupported": "Not supported"}[result.label]
    click.echo(f"{verdict} (support {result.support:.2f} of 1): {result.claim}")
    for reason in result.reasons:
        click.echo(f"  – {reason}")
    for heading, places in (("For it", result.citations), ("Against it", result.against)):
        if places:
            click.echo(f"\n{heading}:")
        for place in places:
            assert isinstance(place, Citation)
            click.echo(f"  {_named(place)}")
            click.echo(f"    {spoken(place, place.quote)}")


def _print_answer(answer: Answer) -> None:
    from app.citation_text import spoken

    if answer.standalone_question != " ".join(answer.question.split()):
        click.echo(f"(understood as: {answer.standalone_question})\n")
    if answer.notice:
        click.echo(f"({answer.notice})\n")
    click.echo(answer.answer)
    if answer.citations:
        click.echo()
    for c in answer.citations:
        click.echo(f"[{c.marker}] {_named(c)}")
        click.echo(f"    {spoken(c, c.quote)}")
        if c.url:
            click.echo(f"    {c.url}")
    if answer.nearest:
        click.echo("\nNearest passages:")
        for c in answer.nearest:
            click.echo(f"  – {_named(c)}: {spoken(c, c.quote)}")
    if answer.options:
        click.echo("\nYou could ask:")
        for question in answer.options:
            click.echo(f"  – {question}")


def _named(citation: Citation) -> str:
    from app.citation_text import citation_status, described

    status = citation_status(citation)
    return f"{described(citation, citation.locator)}{f' [{status}]' if status else ''}"


def _print_outcomes(outcomes: Iterable[Outcome]) -> None:
    rows = [(o.name, o.status, str(o.passages), f"{o.seconds:.1f}", o.reason) for o in outcomes]
    if rows:
        _table(("file", "result", "passages", "seconds", "reason"), rows)


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        # Text, not markup: a file called "[red].txt" is shown as it is.
        table.add_row(*(Text(" ".join(str(cell).split())) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def _source_row(source: Any) -> dict[str, Any]:
    from app.answer import words_of

    names = (
        "id",
        "title",
        "publisher",
        "author",
        "date",
        "date_note",
        "url",
        "genre",
        "language",
        "licence",
        "origin",
        "fetched_at",
        "media_type",
    )
    return {
        **{name: getattr(source, name) for name in names},
        "words": words_of(source.origin),
        "paragraphs": sum(1 for p in source.paragraphs if p.role == "body"),
        "characters": len(source.text),
    }


def _hit_json(hit: Any, source: Any) -> dict[str, Any]:
    from app.answer import words_of

    p = hit.passage
    return {
        "rank": hit.rank, "score": round(hit.score, 6), "similarity": round(hit.similarity, 6),
        "lexical": round(hit.lexical, 6), "passage_id": p.id, "source_id": p.source_id, "locator": p.locator,
        "paragraph": p.number, "start": p.start, "end": p.end, "text": p.text,
        "claim_status": p.claim_status, "claimed_by": p.claimed_by,
        "words": words_of(source.origin) if source else None,
    }  # fmt: skip


def _plain(value: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(value)


@contextmanager
def _status(text: str) -> Iterator[Callable[[str], None]]:
    """A spinner on a terminal; in a pipe or log one line, so that nobody wonders what takes so long."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(text) as status:
        yield status.update


@contextmanager
def _bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar with count, rate and time left on a terminal; nothing in a pipe or log."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(text, total=None, rate="")
        began = time.monotonic()

        def show(done: int, total: int) -> None:
            rate = done / max(1e-6, time.monotonic() - began)
            bars.update(task, completed=done, total=total, rate=f"{rate:.0f} passages/s")

        yield show


if __name__ == "__main__":
    main()
