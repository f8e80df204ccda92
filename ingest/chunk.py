"""From a source to passages: exact slices of its text, each short enough to embed whole."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.sentences import Span, sentence_spans
from ingest.source import CONTEXT_ROLES, ClaimStatus, Paragraph, Role, Source

_ROLE_WORDS = {
    "author-note": "about the author",
    "byline": "written by",
    "caption": "image caption",
    "credit": "image credit",
    "footnote": "footnote",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkSettings:
    """How long paragraphs are split.

    Attributes:
        max_chars: longest passage in characters. 900 stays under the 256 word pieces that
            all-MiniLM-L6-v2 reads (English runs at 4–5 characters a piece).
    """

    max_chars: int = 900

    def __post_init__(self) -> None:
        if self.max_chars < 50:
            raise ValueError(f"max_chars is {self.max_chars}; it must be at least 50")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A slice of a source that is embedded, found and quoted.

    ``source.text[start:end] == text`` always holds. The id follows from source id, text and
    occurrence, not from position: a line inserted above does not change it.

    Attributes:
        ordinal: position among the source's passages, from 0.
        context: title and headings; read with the passage, never quoted.
        number: body paragraph of the source, from 1; None outside the body.
    """

    id: str
    source_id: str
    start: int
    end: int
    text: str
    ordinal: int
    context: str
    role: Role = "body"
    number: int | None = None
    locator: str = ""
    claim_status: ClaimStatus | None = None
    claimed_by: str | None = None
    via: str | None = None


def chunk(source: Source, settings: ChunkSettings = ChunkSettings()) -> list[Passage]:
    """The passages of a source in text order.

    A paragraph is one passage, or several split at sentences when it is longer than
    ``settings.max_chars``. Titles, headings and page furniture are context, not passages. What
    nobody checked is no passage either: nothing can find or cite it.
    """
    passages: list[Passage] = []
    seen: Counter[str] = Counter()
    for paragraph in source.paragraphs:
        if paragraph.role in CONTEXT_ROLES or paragraph.unchecked:
            continue
        for start, end in _split(source, paragraph, settings.max_chars):
            text = source.text[start:end]
            passages.append(
                Passage(
                    id=_passage_id(source.id, text, seen[text]),
                    source_id=source.id,
                    start=start,
                    end=end,
                    text=text,
                    ordinal=len(passages),
                    context=_context(source, paragraph),
                    role=paragraph.role,
                    number=paragraph.number,
                    locator=paragraph.locator,
                    claim_status=paragraph.claim_status,
                    claimed_by=paragraph.claimed_by,
                    via=paragraph.via,
                )
            )
            seen[text] += 1
    return passages


def _context(source: Source, paragraph: Paragraph) -> str:
    """Title and headings, and what the block is when it is not body text.

    "About the author" and "image caption" are what people ask by: "who wrote it?", "who is shown?".
    """
    role = _ROLE_WORDS.get(paragraph.role)
    return " – ".join((source.title, *paragraph.headings, *([role] if role else [])))


def _passage_id(source_id: str, text: str, occurrence: int) -> str:
    digest = hashlib.sha256(f"{source_id}\0{text}\0{occurrence}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()[:24]


def _split(source: Source, paragraph: Paragraph, limit: int) -> Iterator[Span]:
    start, end = paragraph.start, paragraph.end
    if end - start <= limit:
        yield start, end
        return
    sentences = sentence_spans(source.text[start:end], source.language or "en")
    pieces = [(start + a, start + b) for s in sentences for a, b in _at_words(source.text[start:end], s, limit)]
    # Even parts read better than a full one with a stump behind it.
    target = (end - start) / math.ceil((end - start) / limit)
    first, last = pieces[0]
    for a, b in pieces[1:]:
        if b - first > limit or last - first >= target:
            yield first, last
            first = a
        last = b
    yield first, last


def _at_words(text: str, span: Span, limit: int) -> Iterator[Span]:
    """Cut a sentence longer than the limit at the last white space before it, else at the limit."""
    start, end = span
    while end - start > limit:
        space = max(text.rfind(" ", start + 1, start + limit), text.rfind("\n", start + 1, start + limit))
        cut = space if space > start else start + limit
        yield start, start + len(text[start:cut].rstrip())
        start = cut + len(text[cut:end]) - len(text[cut:end].lstrip())
    if end > start:
        yield start, end
