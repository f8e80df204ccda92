"""From a source to passages: exact slices of its text, each short enough to embed whole."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingest.sentences import Span, sentence_spans
from ingest.source import CONTEXT_ROLES, ClaimStatus, Paragraph, Role, Source

_ROLE_WORDS = {
    "author-note": "about the author",
    "byline": "written by",
    "caption": "image caption",
    "credit": "image credit",
    "footnote": "footnote",
}
CONTEXT_JOINT = " – "
_LINE_CHARS, _LINES_CHARS, _QUESTION_CHARS = 120, 400, 200
"""Longest short line, lines together, and question that the block under it is read with, in characters."""
_ROW = re.compile(r"(?:^|\s)row \d+$")
_ENDED = re.compile(r"[.!?…:;][\"'”’»)\]]*$")
_ENUMERATION = re.compile(
    r"^\W*(?:(?:chapter|part|section|annex|appendix|figure|fig|table|box|step|day|question|no|page)\b\.?\s*(?:\d+(?:\.\d+)*|[IVXLC]+|[A-Z])\b[.):]?|"
    r"(?:\d+|[IVXLC]+|[A-Z])[.):](?!\d)|\d+(?:\.\d+)+\.?(?=\s+(?-i:[A-ZÀ-Þ])))\s*",
    re.I,
)
_WORD = re.compile(r"\w+")
_FIGURE = re.compile(r"\d")
_LABELLED = re.compile(r"\w[:–—] ?\w")
_FINITE = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|won|lost|fell|rose|led|held|\w{2,}(?<!re|ne)ed|kills?|dies?|says?|wins?)\b",
    re.I,
)
_TELLING_WORDS = 4
"""Words that a heading with a verb needs, so that "Related" or "Red wine" is none."""


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
    ``settings.max_chars``. Short lines that follow each other (a fact sheet, a figure and what it counts) are
    one, since each says little without the others. Titles, headings and page furniture are context, not
    passages, but a heading that tells something or has no text under it is one. What nobody checked is no
    passage either: nothing can find or cite it.
    """
    passages: list[Passage] = []
    seen: Counter[str] = Counter()
    for group in _groups(source, min(settings.max_chars, _LINES_CHARS)):
        paragraph = next((p for p in group if p.role != "heading"), group[0])
        whole = replace(paragraph, start=group[0].start, end=group[-1].end)
        for start, end in _split(source, whole, settings.max_chars):
            text = source.text[start:end]
            passages.append(
                Passage(
                    id=_passage_id(source.id, text, seen[text]),
                    source_id=source.id,
                    start=start,
                    end=end,
                    text=text,
                    ordinal=len(passages),
                    context=_context(source, group[0]),
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


def is_row(locator: str) -> bool:
    """Whether a place is a row of a table: "table 2 row 3", "sheet “Towns”, row 3"."""
    return bool(_ROW.search(locator))


def tells(heading: str) -> bool:
    """Whether a heading says something by itself: a figure, "label: value", or what somebody did."""
    text = _ENUMERATION.sub("", heading)
    words = _WORD.findall(text)
    if len(words) < 2 or text.rstrip().endswith("?"):
        return False
    return bool(
        _FIGURE.search(text) or _LABELLED.search(text) or (len(words) >= _TELLING_WORDS and _FINITE.search(text))
    )


def _groups(source: Source, limit: int) -> Iterator[list[Paragraph]]:
    """Paragraphs that make a passage together: lines that stand under each other, else one by one.

    Args:
        limit: characters that lines may hold together.
    """
    lines: list[Paragraph] = []
    following = (*source.paragraphs[1:], None)
    for paragraph, after in zip(source.paragraphs, following, strict=True):
        if paragraph.unchecked:  # also ends the lines before it
            if lines:
                yield lines
                lines = []
            continue
        line = _is_line(source, paragraph, after)
        fits = lines and paragraph.end - lines[0].start <= limit and _same_holder(lines[0], paragraph)
        if lines and not (line and fits):
            yield lines
            lines = []
        if line:
            lines.append(paragraph)
        elif paragraph.role not in CONTEXT_ROLES:
            yield [paragraph]
    if lines:
        yield lines


def _is_line(source: Source, paragraph: Paragraph, after: Paragraph | None) -> bool:
    """Whether a block is a short line that may need its neighbours: no row of a table, no whole sentence."""
    text = source.text[paragraph.start : paragraph.end]
    if paragraph.role == "heading":
        if after is not None and is_row(after.locator):
            return False
        alone = after is None or text not in after.headings
        return (alone or tells(text)) and len(text) <= _LINE_CHARS
    return (
        paragraph.role == "body"
        and len(text) <= _LINE_CHARS
        and not is_row(paragraph.locator)
        and not _ENDED.search(text)
    )


def _same_holder(one: Paragraph, other: Paragraph) -> bool:
    return (one.claim_status, one.claimed_by, one.via) == (other.claim_status, other.claimed_by, other.via)


def _context(source: Source, paragraph: Paragraph) -> str:
    """Title and headings, what the block is when it is not body text, and the question that it follows.

    "About the author" and "image caption" are what people ask by: "who wrote it?", "who is shown?".
    """
    role = _ROLE_WORDS.get(paragraph.role)
    asked = _question_above(source, paragraph) if paragraph.role == "body" else ""
    return CONTEXT_JOINT.join(
        (source.title, *paragraph.headings, *([role] if role else []), *([asked] if asked else []))
    )


def _question_above(source: Source, paragraph: Paragraph) -> str:
    """The question that ends the block above, in an interview or a list of questions and answers; else ""."""
    before = source.text[: paragraph.start].rstrip()
    if not before.endswith("?") or source.text[paragraph.start : paragraph.end].rstrip().endswith("?"):
        return ""
    block = next((p for p in source.paragraphs if p.end == len(before) and p.role == "body" and not p.unchecked), None)
    if block is None:
        return ""
    a, b = sentence_spans(source.text[block.start : block.end], source.language or "en")[-1]
    return source.text[block.start + a : block.start + b] if b - a <= _QUESTION_CHARS else ""


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
