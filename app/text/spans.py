"""Stretches of a text: whole words and figures, capitals, the lead of a line, how a sentence ends."""

from __future__ import annotations

import re
from collections.abc import Collection

_SCALE = r"(?:hundred|thousand|million|billion|trillion|per cent|percent|%|m|bn|k)"
_UNIT = re.compile(
    rf"[€$£¥]?\d+(?:[.,:/–’'\u00a0\u202f-]\d+|(?<=\d)[ ]\d{{3}}(?!\d))*(?:\s?{_SCALE}(?!\w))?\w*|\w+(?:[’'-]\w+)*"
)
"""A word, or a figure with its separators, sign of currency and scale."""

CAPITALISED = re.compile(r"\b[A-ZÀ-ÞА-ЯЁ][\w’'-]*")
FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
"""A figure in digits of any script, without the mark behind it."""
LEAD = re.compile(r"\s*(?:(?P<heading>#{1,6})|[-*•–]|[0-9]{1,3}[.)])\s+")
"""What opens a heading of Markdown or an item of a list."""
_CLOSING = "\"'”’»)]"


def ended(text: str, marks: str = ".!…") -> bool:
    """Whether a text ends with one of the marks, inside quotation marks and brackets or not."""
    return text.rstrip(_CLOSING).endswith(tuple(marks))


def led_by(before: str, words: Collection[str]) -> bool:
    """Whether one of some words, lower case, and a blank stand right before what follows."""
    last = before.split()[-1:] if before[-1:].isspace() else []
    return any(word.lstrip("\"'“‘([").lower() in words for word in last)


def whole_words(text: str, start: int, end: int, first: int, last: int) -> tuple[int, int]:
    """A span widened to whole words and whole figures ("300" of "12,300 million"), within ``first`` and ``last``."""
    for found in _UNIT.finditer(text, first, last):
        if found.start() < end and start < found.end():
            start, end = min(start, found.start()), max(end, found.end())
    return start, end
