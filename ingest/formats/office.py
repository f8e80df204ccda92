"""What the readers of word processors' files share: roles that no style tells, and properties that are believed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.blocks import Block, Metadata, clean
from ingest.dates import FoundDate
from ingest.formats import plain
from ingest.source import Role

_BAD_AUTHOR = re.compile(
    r"^(?:user\d*|admin|administrator|owner|author|unknown|microsoft.*|python-docx|\w*\d\w*)$", re.I
)
_BAD_TITLE = re.compile(r"^(?:document\d*|untitled.*|word document|microsoft word.*|.*\.(?:docx?|rtf|odt))$", re.I)


def with_shown_roles(blocks: list[Block]) -> list[Block]:
    """Title, byline, captions and author note by plain text's rules, where no style told them."""
    lines = [clean(b.text) for b in blocks]
    if any(b.role in {"title", "heading"} and b.row is None for b in blocks):
        roles: list[Role] = [b.role for b in blocks]
        plain.mark_ending(lines, roles, 0)
        for i, line in enumerate(lines[:6]):
            if roles[i] == "body" and len(line) < 90 and (plain.BYLINE.match(line) or plain.date_of(line)):
                roles[i] = "byline"
        if "body" not in roles:
            return blocks
    else:
        roles = plain.roles_of(lines)
    return [
        b if b.row is not None else replace(b, role=r, level=b.level if r == b.role else 3 if r == "heading" else 0)
        for b, r in zip(blocks, roles, strict=True)
    ]


def with_shown(properties: Metadata, blocks: Sequence[Block]) -> Metadata:
    """A file's properties, behind the title, author and date that its text shows."""
    shown = plain.metadata_of([b.text for b in blocks], [b.role for b in blocks])
    title = next((clean(b.text).replace("\n", " ") for b in blocks if b.role == "title"), None)
    found = replace(properties, title=title or properties.title, author=shown.author or properties.author)
    return replace(found, date=shown.date, date_note=None) if shown.date else found


def properties(
    *,
    title: str | None,
    author: str | None,
    created: dt.datetime | None,
    modified: dt.datetime | None,
    language: str | None,
) -> Metadata:
    """What a file says of itself, without the names that programs put there by themselves."""
    title = clean(title or "").replace("\n", " ")
    author = clean(author or "").replace("\n", " ")
    made = _made(created, modified)
    return Metadata(
        title=title if title and not _BAD_TITLE.match(title) else None,
        author=author if len(author) > 2 and not _BAD_AUTHOR.match(author) else None,
        date=made,
        date_note=FoundDate(value=made, known="file").note if made else None,
        language=language[:2].lower() if language and re.match(r"[A-Za-z]{2}(?:-|$)", language) else None,
    )


def _made(created: dt.datetime | None, modified: dt.datetime | None) -> str | None:
    """The day of creation, unless the file was only copied from an old template then."""
    if created is None or created.year < 1990:
        return None
    if modified is not None and abs((modified - created).days) > 366:
        return None
    return created.date().isoformat()
