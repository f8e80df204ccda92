"""From what a format reader found (blocks and metadata) to a Source with canonical text."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import PurePath

from ingest.errors import BadSource
from ingest.language import of_text
from ingest.source import CONTEXT_ROLES, ClaimStatus, Genre, Origin, Paragraph, Role, Source

SEPARATOR = "\n\n"
_OUTSIDE_SECTIONS = frozenset({"title", "byline", "author-note", "footnote", "remark", "footer"})
_SPACES = re.compile(r"[^\S\n]+")
_LINE_EDGES = re.compile(r" ?\n ?")
_CONTROL = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"
    "\ufeff\u00ad\u200b\u2060]"
)
"""Characters of the categories Cc (but the line feed), Zl, Zp, Cs and Co, and what has no width."""
_BREAKS = "\t\v\f\x85\u2028\u2029"
"""Of these, what separates words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of text that a format reader found, before offsets exist.

    Attributes:
        number: the original's body paragraph number, when the notes state it.
        page: page number from 1, for paged formats.
        level: heading level from 1; 0 for everything else.
        unchecked, recognised: as for :class:`~ingest.source.Paragraph`.
        row: row of a table, from 1; 0 for a row of column names, which has the role ``heading``. All
            rows of a table are one paragraph.
        columns: column names of a row's table.
        place: where the block stands in a format that has no paragraphs, in words that a reader can look up:
            ``row 12``, ``00:12:30``, ``message 3``; it is the locator then.
    """

    text: str
    role: Role = "body"
    level: int = 0
    page: int | None = None
    number: int | None = None
    claim_status: ClaimStatus | None = None
    claimed_by: str | None = None
    via: str | None = None
    unchecked: bool = False
    recognised: float | None = None
    row: int | None = None
    columns: tuple[str, ...] = ()
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Bibliographic data, each None when not known."""

    title: str | None = None
    publisher: str | None = None
    author: str | None = None
    date: str | None = None
    date_note: str | None = None
    url: str | None = None
    genre: Genre | None = None
    language: str | None = None
    licence: str | None = None
    disagreement: str | None = None

    def over(self, other: Metadata) -> Metadata:
        """This metadata, with the gaps filled from ``other``; a note on a date goes with its date."""
        gaps = {f.name: getattr(other, f.name) for f in fields(self) if getattr(self, f.name) is None}
        if self.date is not None:
            gaps.pop("date_note", None)
        return replace(self, **gaps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """What a format reader returns.

    Attributes:
        numbered_notes: True when the body blocks are notes of our own whose numbers are not the
            original's, so that locators say ``note 3`` rather than ``¶3``.
        notices: what the user should know of the reading, a clause each: what was left out or replaced.
    """

    blocks: tuple[Block, ...]
    metadata: Metadata = Metadata()
    media_type: str = "text/plain"
    numbered_notes: bool = False
    notices: tuple[str, ...] = ()


def clean(text: str) -> str:
    """The text as it is stored: NFC, no control characters, single spaces, trimmed lines.

    Line breaks inside a block are kept (verse, tables, addresses); runs of them become one.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROL.sub(lambda found: " " if found[0] in _BREAKS else "", text)
    # After the control characters went: a soft hyphen may have stood between a letter and its accent.
    text = unicodedata.normalize("NFC", text)
    text = _LINE_EDGES.sub("\n", _SPACES.sub(" ", text))
    return re.sub(r"\n+", "\n", text).strip()


def title_of_name(name: str) -> str:
    """The title that a source has from the name of its file or address, where nothing better is known."""
    return _one_line(PurePath(name).stem)


def _one_line(text: str) -> str:
    return clean(text).replace("\n", " ")


def assemble(
    source_id: str,
    extract: Extract,
    *,
    overrides: Metadata = Metadata(),
    fallback_title: str = "",
    origin: Origin = "file",
    fetched_at: str | None = None,
) -> Source:
    """Lay the blocks out as one canonical text and say where each lies.

    Args:
        overrides: metadata given by the user; it wins over what the reader found.
        fallback_title: used when neither has a title.

    Raises:
        BadSource: no block holds any text.
    """
    blocks = [replace(b, text=cleaned) for b in extract.blocks if (cleaned := clean(b.text))]
    if not any(b.role not in CONTEXT_ROLES for b in blocks):
        raise BadSource("it holds no readable text: is it empty, an image, or another format?")
    metadata = overrides.over(extract.metadata)
    text, paragraphs = _lay_out(blocks, extract.numbered_notes)
    title = next((b.text for b in blocks if b.role == "title"), "")
    return Source(
        id=source_id,
        title=_one_line(metadata.title or title or fallback_title or source_id),
        text=text,
        paragraphs=paragraphs,
        publisher=metadata.publisher,
        author=metadata.author,
        date=metadata.date,
        date_note=metadata.date_note,
        url=metadata.url,
        genre=metadata.genre or "unknown",
        language=overrides.language or of_text(_told(blocks), metadata.language),
        licence=metadata.licence,
        origin=origin,
        media_type=extract.media_type,
        fetched_at=fetched_at,
        disagreement=metadata.disagreement,
    )


def _told(blocks: Sequence[Block]) -> str:
    """The running text; without any, everything."""
    body = [b.text for b in blocks if b.role == "body" and b.row is None]
    return "\n".join(body or [b.text for b in blocks])


def _lay_out(blocks: Sequence[Block], notes: bool) -> tuple[str, tuple[Paragraph, ...]]:
    pieces: list[str] = []
    paragraphs: list[Paragraph] = []
    headings: list[tuple[int, str]] = []
    on_page: Counter[int] = Counter()
    at = count = last = 0
    for block in blocks:
        if block.role == "heading" and block.row is None:
            level = block.level or 2
            headings = [h for h in headings if h[0] < level]
        number = None
        if block.role == "body":
            following = last if (block.row or 1) > 1 else count + 1
            number = last = block.number if block.number is not None else following
            count = max(count, number)
        paragraphs.append(
            Paragraph(
                start=at,
                end=at + len(block.text),
                role=block.role,
                number=number,
                locator=_locator(block, number, on_page, notes),
                headings=() if block.role in _OUTSIDE_SECTIONS else (*(text for _, text in headings), *block.columns),
                claim_status=block.claim_status,
                claimed_by=block.claimed_by,
                via=block.via,
                unchecked=block.unchecked,
                recognised=block.recognised,
            )
        )
        if block.role == "heading" and block.row is None:
            headings.append((block.level or 2, block.text))
        pieces.append(block.text)
        at += len(block.text) + len(SEPARATOR)
    return SEPARATOR.join(pieces), tuple(paragraphs)


def _locator(block: Block, number: int | None, on_page: Counter[int], notes: bool) -> str:
    if block.role != "body":
        word = block.role.replace("-", " ")
        return f"p. {block.page} {word}" if block.page else f"{block.place} {word}" if block.place else word
    if block.place:
        return block.place
    row = f" row {block.row}" if block.row else ""
    if block.page:
        on_page[block.page] += (block.row or 1) == 1
        return f"p. {block.page} ¶{on_page[block.page]}{row}"
    return f"note {number}{row}" if notes else f"¶{number}{row}"
