"""What a source is: canonical text, paragraphs that point into it, and who published it when."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from ingest.errors import BadSource

Role = Literal["title", "body", "heading", "caption", "credit", "byline", "author-note", "footnote", "remark", "footer"]
"""What a block of text is. Only ``body`` blocks count as paragraphs; ``title``, ``heading``, ``footer`` and
``remark`` (what notes say about themselves) blocks are shown with the source, never quoted as an answer."""

ClaimStatus = Literal["fact", "claim", "opinion"]
Genre = Literal["opinion", "un-report", "government", "news", "encyclopedia", "research", "notes", "unknown"]
Origin = Literal["bundled notes", "fetched", "file"]

GENRES: tuple[str, ...] = get_args(Genre)
ROLES: tuple[str, ...] = get_args(Role)
STATUSES: tuple[str, ...] = get_args(ClaimStatus)
CONTEXT_ROLES: frozenset[str] = frozenset({"title", "heading", "remark", "footer"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """One block of a source: ``source.text[start:end]``.

    Attributes:
        start: first character in the canonical text.
        end: one past the last character.
        role: what the block is.
        number: body paragraphs are counted from 1; None for everything else. Several blocks of
            bundled notes may carry the same number, because they note the same original paragraph;
            so do the rows of a table.
        locator: what a reader is shown: ``¶8``, ``p. 12 ¶3``, ``¶4 row 2``, ``sheet “2035”, row 4``, ``00:12:30``,
            ``message 3``, ``caption``, ``author note``.
        headings: headings above the block, outermost first; then the column names of a table's row.
        claim_status: in annotated notes, whether the block is a fact, a claim or an opinion.
        claimed_by: whose claim or opinion it is.
        via: address of the report through which a fact was seen, if not in the source itself.
        unchecked: nobody held it against a source; it is shown when the source is read, and never found or cited.
        recognised: mean confidence in [0, 1] of OCR that read it from a picture; None for text that was written as text.
    """

    start: int
    end: int
    role: Role = "body"
    number: int | None = None
    locator: str = ""
    headings: tuple[str, ...] = ()
    claim_status: ClaimStatus | None = None
    claimed_by: str | None = None
    via: str | None = None
    unchecked: bool = False
    recognised: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source with its canonical text.

    The text is stored once; every offset anywhere in the product points into it.

    Attributes:
        id: stable across machines (relative path or URL), unique in a home.
        title: as published, or the file name when nothing better is known.
        date: ``YYYY``, ``YYYY-MM`` or ``YYYY-MM-DD``; None when unknown.
        date_note: one phrase shown beside the date, such as "exact day not known".
        origin: how the source came here.
        fetched_at: ISO time in UTC of the fetch, for fetched sources.
        disagreement: what the sides that it tells do not agree on, such as "who painted the altar", where that is what the text is for.
        paragraphs: in text order, not overlapping.
    """

    id: str
    title: str
    text: str
    paragraphs: tuple[Paragraph, ...]
    publisher: str | None = None
    author: str | None = None
    date: str | None = None
    date_note: str | None = None
    url: str | None = None
    genre: Genre = "unknown"
    language: str | None = None
    licence: str | None = None
    origin: Origin = "file"
    media_type: str = "text/plain"
    fetched_at: str | None = None
    disagreement: str | None = None

    def __post_init__(self) -> None:
        last = 0
        for paragraph in self.paragraphs:
            if not last <= paragraph.start < paragraph.end <= len(self.text):
                raise BadSource(
                    f"source {self.id!r} has a paragraph at {paragraph.start}–{paragraph.end} that "
                    f"overlaps its neighbour or leaves the text of {len(self.text)} characters"
                )
            last = paragraph.end

    @property
    def fingerprint(self) -> str:
        """Hex digest of everything that an index or a citation shows of this source."""
        # "extra" was a field once; without it every stored source would look changed.
        facts = {**to_json(self), "extra": {}}
        facts.pop("fetched_at")
        if self.disagreement is None:
            del facts["disagreement"]  # not there once; sources without it have not changed by it
        for paragraph in facts["paragraphs"]:
            # Not there once; paragraphs without them have not changed by it.
            if not paragraph["unchecked"]:
                del paragraph["unchecked"]
            if paragraph["recognised"] is None:
                del paragraph["recognised"]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


_SOURCE_FIELDS = tuple(f.name for f in fields(Source))
_PARAGRAPH_FIELDS = tuple(f.name for f in fields(Paragraph))


def to_json(source: Source) -> dict[str, Any]:
    """The source as plain JSON data; :func:`from_json` is its inverse."""
    # Not asdict, which copies every value deeply: nothing below is more than a tuple of strings.
    facts = {name: getattr(source, name) for name in _SOURCE_FIELDS}
    facts["paragraphs"] = tuple({name: getattr(p, name) for name in _PARAGRAPH_FIELDS} for p in source.paragraphs)
    return facts


def from_json(data: Mapping[str, Any]) -> Source:
    """The source that :func:`to_json` wrote.

    Raises:
        BadSource: a field is missing, unknown or inconsistent.
    """
    try:
        paragraphs = tuple(Paragraph(**{**p, "headings": tuple(p.get("headings", ()))}) for p in data["paragraphs"])
        known = {name: value for name, value in data.items() if name != "extra"}  # a field once
        return Source(**{**known, "paragraphs": paragraphs})
    except (KeyError, TypeError) as exc:
        raise BadSource(f"a stored source cannot be read: {exc}") from exc
