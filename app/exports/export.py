"""An answer or a conversation as a file: Markdown, HTML, JSON, or its references in a citation style."""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from io import StringIO
from typing import Any, Literal, get_args
from urllib.parse import quote

from markupsafe import Markup, escape
from pydantic import TypeAdapter, ValidationError

from app.answer import Answer, Citation, Difference, to_json
from app.citation_text import (
    citation_status,
    genre_words,
    grade_meaning,
    grade_words,
    holder,
    is_summary,
    kind_words,
    label,
    one_line,
    origin_words,
    place,
    rows,
)
from app.errors import BadInput
from app.exports.references import STYLES, bibliography, entry, note, references
from app.records.history import StoredTurn
from app.rendering.html import STATUS_WORDS, message_html, web_address
from app.rendering.render import render
from app.rendering.shapes import cells_of, said_on

Format = Literal["markdown", "html", "json", "csv", "chicago", "chicago-bibliography", "bibtex", "ris"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES = {
    "markdown": ".md", "html": ".html", "json": ".json", "csv": ".csv", "chicago": ".txt", "chicago-bibliography": ".txt",
    "bibtex": ".bib", "ris": ".ris",
}  # fmt: skip
KIND = "iskp-qa export"
VERSION = 1
_URL_CHARS = "/:?#[]@!$&'()*+,;=%~-._"
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$&!])|(?<=^)([-+=])|(?<=^)(\d+)([.)])")
_ITALIC = ("\x02", "\x03")
"""Stand around what is set in italics until everything else is escaped; references hold no control characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is exported: a conversation, or one answer as a conversation of one turn.

    Attributes:
        exported_at: ISO time in UTC.
    """

    title: str
    exported_at: str
    turns: tuple[StoredTurn, ...]


def export_answer(answer: Answer, form: Format | str, *, at: str | None = None) -> str:
    """One answer in a form of :data:`FORMATS`.

    Args:
        at: ISO time of the answer; now by default.

    Raises:
        BadInput: the form is unknown.
    """
    at = at or _now()
    turn = StoredTurn(question=answer.question, answer=answer, at=at)
    return write_export(Export(title=answer.question, exported_at=_now(), turns=(turn,)), form)


def export_conversation(title: str, turns: Sequence[StoredTurn], form: Format | str) -> str:
    """A conversation in a form of :data:`FORMATS`.

    Raises:
        BadInput: the form is unknown.
    """
    return write_export(Export(title=title, exported_at=_now(), turns=tuple(turns)), form)


def write_export(export: Export, form: Format | str) -> str:
    """The text of the file.

    Raises:
        BadInput: the form is unknown.
    """
    if form in STYLES:
        return references(_numbered(export), form)
    writers: dict[str, Callable[[Export], str]] = {"markdown": _markdown, "html": _html, "json": _json, "csv": _csv}
    if form not in writers:
        raise BadInput(f"there is no export as {form!r}; choose one of {', '.join(FORMATS)}")
    return writers[form](export)


def read_export(text: str) -> Export:
    """What :func:`write_export` wrote as JSON.

    Raises:
        BadInput: it is not such a file, or one of a newer version.
    """
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BadInput("this file is not JSON; export the conversation as JSON to read it again") from exc
    if not isinstance(data, dict) or data.get("kind") != KIND:
        raise BadInput(f'this is not an export of iskp-qa: its "kind" is not "{KIND}"')
    if data.get("version") != VERSION:
        raise BadInput(f"this export is of version {data.get('version')!r}, this program reads {VERSION}; upgrade it")
    try:
        return _reader().validate_python(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise BadInput(f"this export is damaged at {where}: {first['msg'].lower()}; export it again") from exc


@cache
def _reader() -> TypeAdapter[Export]:
    return TypeAdapter(Export)


def file_name(title: str, form: Format | str) -> str:
    """A plain file name for an export, such as ``how-many-fighters.md``."""
    ascii_ = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().casefold()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_).strip("-")[:60].strip("-")
    return f"{words or 'conversation'}{SUFFIXES.get(form, '.txt')}"


def _json(export: Export) -> str:
    turns = [{**asdict(replace(t, answer=_EMPTY)), "answer": to_json(t.answer)} for t in export.turns]
    data = {
        "kind": KIND, "version": VERSION, "title": export.title, "exported_at": export.exported_at,
        "index_ids": _index_ids(export), "turns": turns,
    }  # fmt: skip
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair cannot stand in a file as it is
        text = json.dumps(data, indent=2)
    return text + "\n"


def _markdown(export: Export) -> str:
    parts = [f"# {markdown_line(export.title)}\n"]
    for t in export.turns:
        parts.append("\n".join(_markdown_turn(t, alone=len(export.turns) == 1)))
    parts.append(f"---\n\n{markdown_line(_made(export))}\n")
    return "\n".join(parts)


def _markdown_turn(turn: StoredTurn, *, alone: bool) -> list[str]:
    answer = turn.answer
    lines = [] if alone else [f"## {markdown_line(turn.question)}\n"]
    if understood := _understood(answer):
        lines.append(f"Understood as: {markdown_line(understood)}\n")
    if state := STATUS_WORDS.get(answer.status):
        lines.append(f"**{state}**\n")
    if answer.short_answer:
        lines.append(f"**{markdown_line(answer.short_answer)}**\n")
    lines += _markdown_answer(answer)
    for difference in answer.differences:
        lines += _markdown_difference(difference, answer)
    if answer.unsupported:
        lines += ["Left out, because no cited words carry it:\n", *(f"- {markdown_line(s)}" for s in answer.unsupported), ""]
    if answer.notice:
        lines.append(f"{markdown_line(answer.notice)}\n")
    for heading, cited in (("Sources", answer.citations), ("Nearest passages", answer.nearest)):
        if cited:
            lines += [f"### {heading}\n", *(_markdown_citation(c) for c in cited)]
    if answer.citations:
        lines += ["### Bibliography\n"]
        lines += [f"- {_md_reference(entry, c, '. ')}" for c in bibliography(answer.citations)]
        lines.append("")
    lines.append(f"{markdown_line(_answered(turn))}\n")
    return lines


def _markdown_answer(answer: Answer) -> list[str]:
    """The text; a comparison as its table, with the labels of lists and timelines in bold."""
    if answer.shape == "comparison" and answer.rows:
        lines = ["| Side | What the sources say |", "| --- | --- |"]
        for row in answer.rows:
            lines += [f"| {markdown_line(row.label)} | {markdown_line(cell)}{f' [{marker}]' if marker else ''} |" for cell, marker in cells_of(row)]
        return [*lines, ""]
    text = _md_body(answer.answer)
    for head in {markdown_line(r.label) for r in answer.rows if r.label}:
        text = text.replace(f"- \\*\\*{head}\\*\\*", f"- **{head}**").replace(f"\n- {head}: ", f"\n- **{head}**: ")
    return [text + "\n"]


def _csv(export: Export) -> str:
    """One line a statement: rows of lists, timelines and comparisons and figures that differ, else each cited sentence."""
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(("question", "about", "statement", "said by", "date", "words", "title", "publisher", "place", "address", "grade"))
    for turn in export.turns:
        cited = {c.marker: c for c in turn.answer.citations}
        for about, words, marker in _statements(turn.answer):
            c = cited.get(marker)
            whence = (holder(c, c.claimed_by), said_on(c), kind_words(c), c.title, c.publisher or "", place(c, c.locator), web_address(c.url) or "", grade_words(c)) if c else ("",) * 8
            writer.writerow([spreadsheet_cell(t) for t in (turn.question, about, words, *whence)])
    return out.getvalue()


def _statements(answer: Answer) -> list[tuple[str, str, int]]:
    """What is told, on what, with its marker; 0 where the sources say nothing."""
    found = [(row.label, words, marker) for row in answer.rows for words, marker in cells_of(row)]
    cited = {c.marker: c for c in answer.citations}
    found += [(f"{d.about}, {r.date}", r.value, r.marker) for d in answer.differences for r in rows(d, cited)]
    return found or [("", one_line(c.quote), c.marker) for c in answer.citations]


def spreadsheet_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _markdown_citation(c: Citation) -> str:
    # A summary is no quotation, so it does not stand in a block quotation.
    before = "  " if is_summary(c) else "  > "
    text = f"{label(c)}: {c.quote}" if is_summary(c) else c.quote
    words = "\n".join(f"{before}{markdown_line(line)}" for line in text.split("\n"))
    number = f"**[{c.marker}]** " if c.marker else ""
    return f"- {number}{_md_reference(note, c, ', ')}\n\n{words}\n\n  {markdown_line(' · '.join(_facts(c)))}\n"


def _markdown_difference(difference: Difference, answer: Answer) -> list[str]:
    by_marker = {c.marker: c for c in answer.citations}
    lines = [f"The sources differ: {markdown_line(difference.about)}\n", "| Figure | Date | Source |", "| --- | --- | --- |"]
    for row in rows(difference, by_marker):
        source = f"{markdown_line(row.whose)} [{row.marker}]" if row.marker in by_marker else ""
        lines.append(f"| {markdown_line(row.value)} | {markdown_line(row.date)}{' (newest)' if row.newest else ''} | {source} |")
    return [*lines, ""]


def _md_reference(style: Callable[[Citation, Callable[[str], str]], str], c: Citation, before_url: str) -> str:
    """A reference with its address as a link; the address is not escaped, since a link takes it as it is."""
    url = web_address(c.url)
    text = markdown_line(style(replace(c, url=None), _italic)).replace(_ITALIC[0], "*").replace(_ITALIC[1], "*")
    return f"{text[:-1]}{before_url}<{quote(url, safe=_URL_CHARS)}>." if url else text


def markdown_line(text: str) -> str:
    """Somebody's text on one line, with nothing in it read as Markdown or HTML."""
    return _MARKDOWN.sub(lambda m: f"{m[3]}\\{m[4]}" if m[3] else f"\\{m[0]}", " ".join(text.split()))


def xml_text(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(c for c in text if c in "\t\n" or (c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff"))


def _md_body(text: str) -> str:
    """An answer: its lines, bullets and tables stay, its markers too."""
    lines = []
    for line in text.splitlines():
        if line.startswith("| "):
            cells = (c.strip() for c in line.strip("| ").split("|"))
            made = " | ".join(c if re.fullmatch(r"-+", c) else re.sub(r"\\\[(\d+)\\\]", r"[\1]", markdown_line(c)) for c in cells)
            lines.append(f"| {made} |")
            continue
        bullet = re.match(r"\s*[-–•*]\s+", line)
        plain = re.sub(r"\\\[(\d+)\\\]", r"[\1]", markdown_line(line[bullet.end() :] if bullet else line))
        lines.append(f"- {plain}" if bullet else plain)
    return "\n".join(lines)


def _html(export: Export) -> str:
    turns = [
        {
            "question": t.question, "understood": _understood(t.answer), "short": t.answer.short_answer,
            "unsupported": t.answer.unsupported, "notice": t.answer.notice,
            "answer": message_html(t.answer, n, still=True), "answered": _answered(t),
            "cited": [_html_citation(c, n) for c in t.answer.citations],
            "nearest": [_html_citation(c, n) for c in t.answer.nearest],
            "bibliography": [_html_reference(entry, c, ". ") for c in bibliography(t.answer.citations)],
        }
        for n, t in enumerate(export.turns, start=1)
    ]  # fmt: skip
    return render("export.html", title=export.title, turns=turns, made=_made(export), alone=len(turns) == 1)


def _html_citation(c: Citation, turn: int) -> dict[str, Any]:
    return {
        "id": f"cite-{turn}-{c.marker}" if c.marker else "", "marker": c.marker, "quote": c.quote,
        "reference": _html_reference(note, c, ", "), "facts": _facts(c), "label": label(c),
    }  # fmt: skip


def _html_reference(style: Callable[[Citation, Callable[[str], str]], str], c: Citation, before_url: str) -> Markup:
    text = escape(style(replace(c, url=None), _italic))
    text = text.replace(_ITALIC[0], Markup("<em>")).replace(_ITALIC[1], Markup("</em>"))
    url = web_address(c.url)
    if not url:
        return text
    return text[:-1] + Markup('{}<a href="{}" rel="noopener noreferrer">{}</a>.').format(before_url, url, url)


def _italic(text: str) -> str:
    return text.join(_ITALIC)


def _facts(c: Citation) -> list[str]:
    origin = "" if is_summary(c) else origin_words(c)
    return [f for f in (kind_words(c), citation_status(c), genre_words(c.genre), origin, grade_meaning(c)) if f]


def _understood(answer: Answer) -> str:
    same = answer.standalone_question == " ".join(answer.question.split())
    return "" if same else answer.standalone_question


def _answered(turn: StoredTurn) -> str:
    words = f"Answered on {turn.at[:10]} at {turn.at[11:16]} UTC" if len(turn.at) > 10 else f"Answered on {turn.at}"
    return f"{words} by the engine {turn.answer.engine}, index {turn.answer.index_id or 'none'}."


def _numbered(export: Export) -> list[Citation]:
    """All citations of an export, numbered through where there are several answers."""
    cited = [c for t in export.turns for c in t.answer.citations]
    return cited if len(export.turns) == 1 else [replace(c, marker=n) for n, c in enumerate(cited, start=1)]


def _index_ids(export: Export) -> list[str]:
    return list(dict.fromkeys(t.answer.index_id for t in export.turns if t.answer.index_id))


def _made(export: Export) -> str:
    cited = [c for t in export.turns for c in (*t.answer.citations, *t.answer.nearest)]
    said = []
    if any(not is_summary(c) for c in cited):
        said.append("Original text is quoted exactly.")
    if any(is_summary(c) for c in cited):
        said.append(
            "Summaries and comparisons are in the words of iskp-qa: do not quote them as the publications' text."
        )
    return " ".join([f"Exported from iskp-qa on {export.exported_at[:10]}.", *said])


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


_EMPTY = Answer(question="", standalone_question="", status="abstained", answer="")
