"""Plain text, as people save it from a news page: title, captions, headings, body, author note told apart.

The rules read shape and position, never topic words of a particular text.
"""

from __future__ import annotations

import itertools
import re
import statistics
from collections.abc import Sequence

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.dates import iso_date
from ingest.errors import BadSource
from ingest.source import CONTEXT_ROLES, Role

_CREDIT_WORDS = (
    r"(?:image|images|photo|photos|photograph|picture|illustration|graphic|credit|cover|foto|фото|изображение)"
)
CREDIT_LINE = re.compile(
    rf"^\W*(?:(?:file|stock|lead|hero|cover|featured)\s+)?{_CREDIT_WORDS}(?:\s+(?:credit|by|courtesy of|source))?s?\s*[:：/|–—-]",
    re.I,
)
_CREDIT_TAIL = re.compile(
    rf"[;,.(|–—-]\s*\(?(?:file\s+)?{_CREDIT_WORDS}s?\s*(?:(?:credit|source)?\s*[:：/|]|by\b|courtesy\b)\s*.{{1,100}}$",
    re.I,
)
_CAPTION_LINE = re.compile(r"^(?:caption|подпись)\s*[:：]", re.I)
BYLINE = re.compile(
    r"^(?:by|written by|author|автор)\s*[:：]?\s+(?P<name>[^\W\d_][\w.'’-]*(?:\s+(?:[^\W\d_][\w.'’-]*|and|и|,)){0,8})$",
    re.I,
)
_DATE_LINE = re.compile(
    r"^(?:published|updated|posted|date|дата)?\s*(?:on)?\s*[:：]?\s*(?P<date>[\w ,./:-]{6,40})$", re.I
)
NOTE_START = re.compile(r"^(?:about the authors?|the authors? (?:is|are)|author(?:'s|s'|’s)? (?:bio|note))\b", re.I)
_NAME = r"(?:(?:Dr|Prof|Professor|Mr|Ms|Mrs|Sir|Gen|Lt|Col)\.?\s+)?[^\W\d_][\w.'’-]+(?:\s+(?:[A-Z]\.|(?:van|von|de|al|el|bin|ibn|da|di|du|la|le)\b|al-\w+|[^\W\d_][\w.'’-]*)){1,4}"
NOTE_BODY = re.compile(
    rf"^(?P<name>{_NAME}),?\s+(?:is|was|are|works|serves|writes|teaches|covers|has (?:worked|been|written))\b.*"
    r"\b(?:expert|fellow|analyst|journalist|researcher|research|consultant|professor|columnist|editor|correspondent|"
    r"director|author|writer|lecturer|scholar|contributor|specialist|reporter|adviser|advisor|associate|chair|president|"
    r"founder|student|candidate|strategist|economist|historian|diplomat|ambassador|university|institute|foundation)\b",
    re.S,
)
_FOOTER_WORDS = re.compile(
    r"^(?:avatar|share( this)?.*|advertisement|read (?:more|also|next)\b.*|related( stories| articles| posts)?|subscribe\b.*|"
    r"sign up\b.*|follow us\b.*|all rights reserved\.?|copyright\b.*|©.*|tags?\s*:.*|topics\s*:.*|comments?|view more.*|"
    r"more from .*|print|e-?mail|facebook|twitter|telegram|whatsapp|linkedin|newsletter.*)$",
    re.I,
)
_SENTENCE_END = re.compile(r"[.!…:;,]['\"”’»)\]]*$|[?]['\"”’»)\]]+$")
TERMINAL = re.compile(r"[.!?…]['\"”’»)\]]*$")
_NOTE_LINES_FROM_END = 5
_MOST_HEADINGS = 2
"""Headings that may stand under each other; more short lines than that are a list."""


def read(text: str) -> Extract:
    """Blocks of a plain text, with the role of each; title, author and date where the text shows them."""
    lines = split_paragraphs(text)
    roles = roles_of(lines)
    blocks = tuple(Block(text=line, role=role) for line, role in zip(lines, roles, strict=True))
    return Extract(blocks=blocks, metadata=metadata_of(lines, roles), media_type="text/plain")


def split_paragraphs(text: str) -> list[str]:
    """Paragraphs of a text: a line each, or, in hard-wrapped text, what blank lines separate."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    lines = text.split("\n")
    if not _is_wrapped(lines):
        return [stripped for line in lines if (stripped := clean(line))]
    paragraphs: list[str] = []
    current: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            current.append(line.strip())
        elif current:
            paragraphs.append(_unwrap(current))
            current = []
    return [stripped for p in paragraphs if (stripped := clean(p))]


def _unwrap(lines: Sequence[str]) -> str:
    joined = lines[0]
    for line in lines[1:]:
        hyphenated = re.search(r"[a-zа-я]-$", joined) and line[:1].islower()
        joined = joined + line if hyphenated else f"{joined} {line}"
    return joined


def _is_wrapped(lines: Sequence[str]) -> bool:
    """Whether line ends are only typesetting: most lines run on, and none is longer than a terminal's.

    A line runs on when the next one is not blank, it does not end a sentence, and it is about as
    long as the longest.
    """
    filled = [line.rstrip() for line in lines if line.strip()]
    if len(filled) < 3:
        return False
    longest = statistics.quantiles((len(line) for line in filled), n=20)[-1]
    if longest > 130 or longest < 40:
        return False
    pairs = [(a.rstrip(), b) for a, b in itertools.pairwise(lines) if a.strip() and b.strip()]
    running_on = sum(len(a) > 0.6 * longest and not TERMINAL.search(a) for a, _ in pairs)
    return running_on >= 0.3 * len(filled)


def roles_of(lines: Sequence[str]) -> list[Role]:
    """The role of each paragraph of a text."""
    roles: list[Role] = ["body"] * len(lines)
    start = 0
    if len(lines) > 1 and _looks_like_title(lines[0]):
        roles[0], start = "title", 1
    end = mark_ending(lines, roles, start)
    for i in range(start, end):
        if roles[i] == "body":
            roles[i] = _role_inside(lines, i, start, end)
    if not any(role not in CONTEXT_ROLES for role in roles):
        return ["body"] * len(lines)
    return roles


def _looks_like_title(line: str) -> bool:
    return len(line) <= 220 and not _SENTENCE_END.search(line) and "\n" not in line


def mark_ending(lines: Sequence[str], roles: list[Role], start: int) -> int:
    """Mark author note and footer from the end upwards; where the body ends, exclusive."""
    end = len(lines)
    note = next(
        (
            i
            for i in range(max(start + 1, end - _NOTE_LINES_FROM_END), end)
            if len(lines[i]) < 900
            and (NOTE_START.match(lines[i]) or NOTE_BODY.match(lines[i]))
            and all(_is_trailer(line) for line in lines[i + 1 :])
        ),
        None,
    )
    if note is not None:
        for i in range(note, end):
            is_note = i == note or NOTE_BODY.match(lines[i]) or (len(lines[i]) > 80 and TERMINAL.search(lines[i]))
            roles[i] = "author-note" if is_note else "footer"
        return note
    while end > start + 1 and _FOOTER_WORDS.match(lines[end - 1]):
        end -= 1
        roles[end] = "footer"
    return end


def _is_trailer(line: str) -> bool:
    """What may stand below an author note: more of it, or page furniture."""
    return bool(
        NOTE_BODY.match(line)
        or _FOOTER_WORDS.match(line)
        or len(line) < 60
        or re.search(r"\b(views|opinions) expressed\b", line, re.I)
    )


def _role_inside(lines: Sequence[str], i: int, start: int, end: int) -> Role:
    line = lines[i]
    near_top = i - start < 5
    if len(line) <= 200 and CREDIT_LINE.match(line):
        return "credit"
    if _CAPTION_LINE.match(line) or (len(line) <= 400 and _CREDIT_TAIL.search(line)):
        return "caption"
    if near_top and len(line) < 90 and (BYLINE.match(line) or (i - start < 3 and date_of(line))):
        return "byline"
    if _FOOTER_WORDS.match(line) and len(line) < 60:
        return "footer"
    if i + 1 < end and looks_like_heading(line) and len(lines[i + 1]) > len(line) and not _in_list(lines, i, start, end):
        return "heading"
    return "body"


def _in_list(lines: Sequence[str], i: int, start: int, end: int) -> bool:
    """Whether a line is one of several short ones, as on a fact sheet: a heading and one below it stand above text."""
    first, last = i, i
    while first > start and looks_like_heading(lines[first - 1]):
        first -= 1
    while last + 1 < end and looks_like_heading(lines[last + 1]):
        last += 1
    return last - first >= _MOST_HEADINGS or last + 1 >= end


def looks_like_heading(line: str) -> bool:
    """Whether a paragraph has the shape of a heading: short, no closing punctuation, a capital first."""
    words = line.split()
    if len(words) > 16 or len(line) > 120 or _SENTENCE_END.search(line):
        return False
    if line.startswith(("-", "–", "—", "•", "*", "·")):
        return False
    # A short line is a heading only if it reads like one: it starts with a capital, a figure or a quote.
    return bool(re.match(r"[\"“‘«(]?[\dA-ZА-ЯЁÀ-Þ]", line)) and bool(re.search(r"[^\W\d_]{2}", line))


def date_of(line: str) -> str | None:
    """The ISO date of a line that holds nothing but a date; None for other lines."""
    match = _DATE_LINE.match(line)
    if not match or not re.search(r"\d{4}", line):
        return None
    try:
        return iso_date(match["date"].strip(" ,"))
    except BadSource:
        return None


def metadata_of(lines: Sequence[str], roles: Sequence[Role]) -> Metadata:
    """Author and date that bylines and author notes tell."""
    author = date = None
    for line, role in zip(lines, roles, strict=True):
        if role == "byline":
            byline = BYLINE.match(line)
            author = author or (byline["name"].strip() if byline else None)
            date = date or date_of(line)
        elif role == "author-note" and author is None:
            note = NOTE_BODY.match(line)
            author = note["name"].strip() if note else None
    return Metadata(author=author, date=date)
