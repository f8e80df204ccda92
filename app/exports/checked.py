"""A checked draft as a file: each sentence with its verdict, and a footnote with the words for and against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from itertools import groupby
from typing import Any

from app.answer import Citation
from app.citation_text import spoken
from app.errors import BadInput
from app.exports.export import markdown_line, xml_text
from app.exports.references import entry, note
from app.support.draft import CheckedDraft, Sentence

FORMS = ("text", "json", "markdown", "docx")
STYLES: Mapping[str, Callable[[Citation], str]] = {"chicago": note, "chicago-bibliography": entry}
"""Styles of a footnote."""
MOST_QUOTES = 2
"""For a sentence, and as many against it: a footnote is read, not searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """A sentence with the number of its footnote, None without one, and the footnote's parts."""

    sentence: Sentence
    number: int | None
    parts: tuple[str, ...]


def write(draft: CheckedDraft, form: str, style: str) -> bytes:
    """The file of a checked draft.

    Raises:
        BadInput: form or style is unknown.
    """
    if form not in FORMS:
        raise BadInput(f"there is no checked draft as {form!r}; choose one of {', '.join(FORMS)}")
    if style not in STYLES:
        raise BadInput(f"there is no style of footnotes {style!r}; choose one of {', '.join(STYLES)}")
    noted = notes(draft, style)
    if form == "docx":
        return _docx(draft, noted)
    made: Mapping[str, Callable[[CheckedDraft, list[Noted]], str]] = {"text": _text, "json": _json, "markdown": _markdown}
    return made[form](draft, noted).encode()


def notes(draft: CheckedDraft, style: str) -> list[Noted]:
    """Each sentence with its footnote: what the sources say to it, in words."""
    found, number = [], 0
    for sentence in draft.sentences:
        parts = _parts(sentence, STYLES[style])
        number += bool(parts)
        found.append(Noted(sentence=sentence, number=number if parts else None, parts=parts))
    return found


def summary(draft: CheckedDraft) -> str:
    """How many sentences have which verdict: "7 sentences: 4 supported, 2 not found, 1 not checked"."""
    n = len(draft.sentences)
    return f"{n} sentence{'' if n == 1 else 's'}: {', '.join(f'{c} {v}' for v, c in draft.counts.items())}"


def _parts(sentence: Sentence, style: Callable[[Citation], str]) -> tuple[str, ...]:
    """The verdict with its reasons, the words for it, the words against it; empty where no source says anything."""
    check = sentence.check
    if check is None or not (check.citations or check.against):
        return ()
    first = " ".join([f"{check.words}.", *(check.reasons if check.verdict != "supported" else ())])
    told = [first]
    for heading, places in (("For it", check.citations), ("Against it", check.against)):
        told += [f"{heading}: {spoken(c, c.quote)} {style(c)}" for c in places[:MOST_QUOTES] if isinstance(c, Citation)]
    return tuple(told)


def _badge(sentence: Sentence) -> str:
    """What stands behind a sentence that the sources do not simply support."""
    if sentence.check is None or sentence.verdict == "supported":
        return ""
    words = sentence.check.words
    return f"({words[0].lower()}{words[1:]})"


def _text(draft: CheckedDraft, noted: list[Noted]) -> str:
    lines = [summary(draft), ""]
    for _, group in groupby(noted, key=lambda n: n.sentence.paragraph):
        for n in group:
            mark = f" [{n.number}]" if n.number else ""
            lines.append(" ".join(filter(None, (f"{n.sentence.lead}{n.sentence.text}{mark}", _badge(n.sentence)))))
        lines.append("")
    for n in noted:
        if n.number:
            lines += [f"{n.number}. {n.parts[0]}", *(f"   {p}" for p in n.parts[1:])]
    return "\n".join(lines).rstrip() + "\n"


def _json(draft: CheckedDraft, noted: list[Noted]) -> str:
    rows = [
        {
            "paragraph": n.sentence.paragraph, "text": n.sentence.text, "verdict": n.sentence.verdict, "note": n.number,
            "check": asdict(n.sentence.check) if n.sentence.check else None,
        }
        for n in noted
    ]  # fmt: skip
    footnotes = [{"number": n.number, "parts": n.parts} for n in noted if n.number]
    return json.dumps({"counts": draft.counts, "sentences": rows, "notes": footnotes}, ensure_ascii=False, indent=2) + "\n"


def _markdown(draft: CheckedDraft, noted: list[Noted]) -> str:
    blocks = []
    for _, group in groupby(noted, key=lambda n: n.sentence.paragraph):
        told = []
        for n in group:
            badge = f" *{markdown_line(_badge(n.sentence))}*" if _badge(n.sentence) else ""
            told.append(f"{n.sentence.lead}{markdown_line(n.sentence.text)}{f'[^{n.number}]' if n.number else ''}{badge}")
        blocks.append(" ".join(told))
    blocks.append("\n".join(f"[^{n.number}]: {' '.join(markdown_line(p) for p in n.parts)}" for n in noted if n.number))
    blocks.append(f"<!-- iskp check --draft: {summary(draft)} -->")
    return "\n\n".join(b for b in blocks if b) + "\n"


def _docx(draft: CheckedDraft, noted: list[Noted]) -> bytes:
    """A Word file; the notes stand at its end under the numbers of the text."""
    from docx import Document

    document: Any = Document()
    for _, group in groupby(noted, key=lambda n: n.sentence.paragraph):
        told = list(group)
        lead = told[0].sentence.lead
        if lead.startswith("#"):
            document.add_heading(xml_text(" ".join(n.sentence.text for n in told)), lead.count("#"))
            continue
        style = "List Number" if lead[:1].isdigit() else "List Bullet" if lead else "Normal"
        paragraph = document.add_paragraph(style=style)
        for n in told:
            paragraph.add_run(xml_text(n.sentence.text))
            if n.number:
                paragraph.add_run(str(n.number)).font.superscript = True
            if badge := _badge(n.sentence):
                paragraph.add_run(xml_text(f" {badge}")).italic = True
            paragraph.add_run(" ")
    if any(n.number for n in noted):
        document.add_heading("Notes", 1)
    for n in noted:
        if n.number:
            document.add_paragraph(xml_text(f"{n.number}. {' '.join(n.parts)}"))
    document.add_paragraph(summary(draft))
    out = BytesIO()
    document.save(out)
    return out.getvalue()
