"""Commands that answer: ask, search, check."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from app.cli.home import filter_options, home_option, open_home, prepare, wanted_filters
from app.cli.output import hit_json, print_answer, print_check, status, write

if TYPE_CHECKING:
    from app.answering.pipeline import Answerer
    from app.home import Home
    from app.question.followup import Turn
    from index.search import Filters
    from ingest.source import Source


@click.command()
@click.argument("question", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the Answer as JSON.")
@click.option(
    "--batch",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSONL file with one {"question", "history"?} a line; prints one Answer a line.',
)
@filter_options
@click.option(
    "--engine",
    metavar="ENGINE",
    help="Who writes the answer: extractive, ollama:MODEL, openai:MODEL, anthropic:MODEL or URL#MODEL.  [default: engine.name]",
)
@click.option(
    "--format", "form", help="Print a document or references.",
    type=click.Choice(["markdown", "html", "json", "csv", "chicago", "chicago-bibliography", "bibtex", "ris"]),
)  # fmt: skip
@click.option("--explain", is_flag=True, help="Show terms, hits, evidence and the decision.")
@home_option
@click.pass_obj
def ask(
    root_home: Path | None, question: str | None, as_json: bool, batch: Path | None, since: str | None,
    until: str | None, sources: tuple[str, ...], min_reliability: str | None, engine: str | None, explain: bool, form: str | None,
    own_home: Path | None,
) -> None:  # fmt: skip
    """Answer a QUESTION with citations, or say that the sources do not. Without one, in a terminal: a conversation.

    \b
    Examples:
      iskp ask
      iskp ask "Who is the emir of ISIS-K?"
      iskp ask "How strong is the group?" --since 2023 --json
      iskp ask --batch questions.jsonl --json > answers.jsonl
    """
    talking = question is None and batch is None and not (as_json or explain or form) and sys.stdin.isatty()
    if (question is None) == (batch is None) and not talking:
        raise click.UsageError("give either a QUESTION or --batch FILE.jsonl")
    if form and (batch is not None or as_json or explain):
        raise click.UsageError("--format prints one answer by itself; leave out --batch, --json and --explain")
    home = open_home(own_home or root_home)
    answerer = _answerer(home, engine)
    filters = wanted_filters(home, since, until, sources, min_reliability)
    if batch is not None:
        prepare(home)
        for line in _batch(answerer, batch, filters):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    prepare(home)
    if talking:
        _converse(home, answerer, filters)
        return
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
    print_answer(answer)
    if explain and trace:
        from app.answering.pipeline import explain as explained

        click.echo("\n" + json.dumps(explained(trace), ensure_ascii=False, indent=2))


@click.command()
@click.argument("query")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="How many passages.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@filter_options
@home_option
@click.pass_obj
def search(
    root_home: Path | None, query: str, k: int, as_json: bool, since: str | None, until: str | None,
    sources: tuple[str, ...], min_reliability: str | None, own_home: Path | None,
) -> None:  # fmt: skip
    """Find passages for a QUERY, best first.

    \b
    Example:
      iskp search "recruitment strategy" -k 5
    """
    from textwrap import shorten

    from app.citation_text import described, spoken
    from app.question.analysis import tidy

    home = open_home(own_home or root_home)
    filters = wanted_filters(home, since, until, sources, min_reliability)
    text = tidy(query)
    prepare(home)
    opened = home.index.current()
    hits = opened.search(text, k, filters=filters) if opened else []
    if as_json:
        data = [hit_json(h, opened.source(h.passage.source_id) if opened else None) for h in hits]
        click.echo(json.dumps(data, ensure_ascii=False, indent=2))
        return
    if not hits:
        click.echo("No passage found.")
    for hit in hits:
        p = hit.passage
        source = opened.source(p.source_id) if opened else None
        click.echo(f"{hit.rank:>3}  {hit.score:.3f}  {p.source_id} {p.locator}")
        quote = shorten(p.text, 200, placeholder=" …")
        if source:
            write(described(source, p.locator), "     ", dim=True)
        write(spoken(source, quote) if source else quote, "     ")


@click.command()
@click.argument("claim", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option(
    "--batch",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help='A JSONL file with one {"claim", "passage"?} a line; prints one result as JSON a line.',
)
@click.option(
    "--draft", type=click.File("rb"), metavar="FILE",
    help="A text of one's own, Markdown or plain, - for standard input: every sentence is checked.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json", "markdown", "docx"]), help="How --draft is told.  [default: text]")
@click.option(
    "--style", type=click.Choice(["chicago", "chicago-bibliography"]), default="chicago", show_default=True,
    help="Style of the footnotes of --draft.",
)  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write --draft to FILE.")
@filter_options
@home_option
@click.pass_obj
def check(
    root_home: Path | None, claim: str | None, as_json: bool, batch: Path | None, draft: IO[bytes] | None, form: str | None,
    style: str, out: Path | None, since: str | None, until: str | None, sources: tuple[str, ...],
    min_reliability: str | None, own_home: Path | None,
) -> None:  # fmt: skip
    """Tell whether the sources support a CLAIM, with the words for and against it.

    With --draft each sentence of a text gets a verdict and a footnote with the words for and against it.

    With "passage" in a line of --batch, the claim is checked against that text alone.

    \b
    Examples:
      iskp check "The attack on Crocus City Hall killed at least 145 people."
      iskp check --batch claims.jsonl --json > checked.jsonl
      iskp check --draft report.md --format docx --out report.docx
    """
    if [claim, batch, draft].count(None) != 2:
        raise click.UsageError("give one of a CLAIM, --batch FILE.jsonl or --draft FILE")
    if draft is None and (form or out):
        raise click.UsageError("--format and --out belong to --draft FILE")
    from app.support.verdict import tidy_claim, to_json

    home = open_home(own_home or root_home)
    filters = wanted_filters(home, since, until, sources, min_reliability)
    if draft is not None:
        from app.cli.draft import check_file

        check_file(home, draft, filters, form=form or ("json" if as_json else "text"), style=style, out=out)
        return
    if batch is not None:
        for line in _check_batch(home, batch, filters):
            click.echo(json.dumps(line, ensure_ascii=False))
        return
    assert claim is not None
    tidy_claim(claim)  # what can't be checked is told before the models load
    prepare(home)
    result = home.checker.check(claim, home.index.current(), filters=filters)
    if as_json:
        click.echo(json.dumps(to_json(result), ensure_ascii=False, indent=2))
    else:
        print_check(result)


def _converse(home: Home, answerer: Answerer, filters: Filters) -> None:
    from contextlib import suppress

    from app.cli.conversation import converse

    with suppress(ImportError):
        import readline  # noqa: F401  # arrow keys and earlier lines at the prompt

    def sources() -> Iterable[Source]:
        opened = home.index.current()
        return opened.sources() if opened else ()

    converse(lambda text, history: answerer.answer(text, history, filters=filters), sources, lambda: input("> "))


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


def _batch(answerer: Answerer, file: Path, filters: Filters) -> Iterator[dict[str, Any]]:
    from app.answer import to_json

    def answered(raw: bytes) -> dict[str, Any]:
        question, history = _batch_line(raw)
        return to_json(answerer.answer(question, history, filters=filters))

    return _line_by_line(file, "answering", answered)


def _batch_line(raw: bytes) -> tuple[str, list[Turn]]:
    from app.errors import BadInput
    from app.question.followup import Turn

    data = _object(raw, "question", '{"question": "…", "history": [{"role": …, "content": …}]}')
    turns = data.get("history") or []
    if not isinstance(turns, list) or not all(
        isinstance(t, dict) and isinstance(t.get("role"), str) and isinstance(t.get("content"), str) for t in turns
    ):
        raise BadInput('"history" must be a list of {"role": "user" or "assistant", "content": "…"}')
    return data["question"], [Turn(role=t["role"], content=t["content"]) for t in turns]


def _check_batch(home: Home, file: Path, filters: Filters) -> Iterator[dict[str, Any]]:
    """A result for each line; the collection is opened at the first claim that comes without a passage."""
    from app.support.verdict import to_json

    prepared = False

    def checked(raw: bytes) -> dict[str, Any]:
        nonlocal prepared
        claim, passage = _check_line(raw)
        if passage is not None:
            return to_json(home.checker.check_text(claim, passage))
        if not prepared:
            prepare(home)
            prepared = True
        return to_json(home.checker.check(claim, home.index.current(), filters=filters))

    return _line_by_line(file, "checking", checked)


def _check_line(raw: bytes) -> tuple[str, str | None]:
    from app.errors import BadInput

    data = _object(raw, "claim", '{"claim": "…", "passage": "…"}; the passage may be left out')
    passage = data.get("passage")
    if passage is not None and not isinstance(passage, str):
        raise BadInput('"passage" must be text, or be left out')
    return data["claim"], passage


def _line_by_line(file: Path, doing: str, told: Callable[[bytes], dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What is told of each line that is not blank; of a bad one, what is wrong with it."""
    from app.errors import AppError

    with file.open("rb") as stream, status(doing) as tell:
        for number, raw in enumerate(stream, start=1):
            if not raw.strip():
                continue
            tell(f"{doing} line {number}")
            try:
                yield told(raw)
            except AppError as exc:
                yield {"error": f"line {number}: {exc}"}


def _object(raw: bytes, key: str, form: str) -> dict[str, Any]:
    """The JSON object of a line, which has a text under ``key``."""
    from app.errors import BadInput

    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise BadInput("it is not a JSON object") from exc
    if not isinstance(data, dict) or not isinstance(data.get(key), str):
        raise BadInput(f"it needs the form {form}")
    return data
