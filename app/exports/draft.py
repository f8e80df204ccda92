"""A notebook as a draft: own words, pinned answers and quotes, with numbered notes to what they cite."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from app.answer import MARKER, Citation
from app.citation_text import is_summary
from app.errors import BadInput
from app.exports.export import markdown_line, xml_text
from app.exports.references import csl, note, sources_of
from app.records.notebook import Note
from app.rendering.html import web_address
from app.rendering.render import render

FORMS = ("markdown", "html", "docx", "csl-json")
"""Forms of a draft."""


@dataclass(slots=True)
class _Draft:
    """The sections in order; markers are numbers of ``cited``, which counts from 1."""

    sections: list[tuple[str, list[str], list[str]]] = field(default_factory=list)
    cited: list[Citation] = field(default_factory=list)


def draft(title: str, notes: Sequence[Note], form: str) -> bytes:
    """The file of a draft.

    Raises:
        BadInput: the form is unknown.
    """
    if form not in FORMS:
        raise BadInput(f"there is no draft as {form!r}; choose one of {', '.join(FORMS)}")
    made = _made(notes)
    if form == "csl-json":
        return (json.dumps(csl(sources_of(made.cited)), ensure_ascii=False, indent=2) + "\n").encode()
    if form == "docx":
        return _docx(title, made)
    return (_markdown(title, made) if form == "markdown" else _html(title, made)).encode()


def _made(notes: Sequence[Note]) -> _Draft:
    made = _Draft()
    for one in notes:
        own = [p for p in one.words.split("\n") if p.strip()]
        if one.answer is None:
            made.sections.append(("", own, []))
            continue
        known = {c.marker: c for c in one.answer.citations}

        def number(marker: int, known: dict[int, Citation] = known) -> str:
            citation = known.get(marker)
            return f"[{_number(citation, made.cited)}]" if citation else ""

        lines = [MARKER.sub(lambda m: number(int(m[1])), line) for line in one.answer.answer.splitlines() if line.strip()]
        made.sections.append((one.answer.question, own, lines))
    return made


def _number(citation: Citation, cited: list[Citation]) -> int:
    """The number of a citation, which gets the next one the first time."""
    for n, held in enumerate(cited, start=1):
        if (held.source_id, held.start, held.end) == (citation.source_id, citation.start, citation.end):
            return n
    cited.append(citation)
    return len(cited)


def _markdown(title: str, made: _Draft) -> str:
    parts = [f"# {markdown_line(title)}"]
    for heading, own, lines in made.sections:
        if heading:
            parts.append(f"## {markdown_line(heading)}")
        parts += [markdown_line(p) for p in own]
        if lines:
            body = "\n".join(("- " + markdown_line(line[2:])) if line.startswith("- ") else markdown_line(line) for line in lines)
            for n in range(len(made.cited), 0, -1):
                body = body.replace(f"\\[{n}\\]", f"[^{n}]")
            parts.append(body.replace("\\*\\*", "**"))
    parts.append("\n".join(f"[^{n}]: {markdown_line(note(c))}" for n, c in enumerate(made.cited, start=1)))
    return "\n\n".join(p for p in parts if p) + "\n"


def _html(title: str, made: _Draft) -> str:
    sections = [
        {"heading": heading, "own": own, "lines": [_pieces(line) for line in lines]} for heading, own, lines in made.sections
    ]
    notes = [{"text": note(c), "url": web_address(c.url)} for c in made.cited]
    return render("draft.html", title=title, sections=sections, notes=notes, ours=any(is_summary(c) for c in made.cited))


def _pieces(line: str) -> list[tuple[str, str]]:
    """A line as texts, each with the number that follows it; empty behind the last."""
    pieces, at = [], 0
    plain = line.removeprefix("- ").replace("**", "")
    for match in MARKER.finditer(plain):
        pieces.append((plain[at : match.start()].rstrip(), match[1]))
        at = match.end()
    return [*pieces, (plain[at:], "")]


def _docx(title: str, made: _Draft) -> bytes:
    """A Word file; the notes stand at its end under the numbers of the text."""
    from docx import Document

    document: Any = Document()
    document.add_heading(xml_text(title), 0)
    for heading, own, lines in made.sections:
        if heading:
            document.add_heading(xml_text(heading), 1)
        for paragraph in own:
            document.add_paragraph(xml_text(paragraph))
        for line in lines:
            paragraph = document.add_paragraph(style="List Bullet" if line.startswith("- ") else "Normal")
            for words, number in _pieces(line):
                paragraph.add_run(xml_text(words))
                if number:
                    paragraph.add_run(number).font.superscript = True
    if made.cited:
        document.add_heading("Notes", 1)
        for n, c in enumerate(made.cited, start=1):
            document.add_paragraph(xml_text(f"{n}. {note(c)}"))
    out = BytesIO()
    document.save(out)
    return out.getvalue()
