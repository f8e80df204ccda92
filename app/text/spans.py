"""Stretches of a text, widened to what can be read."""

from __future__ import annotations

import re

_SCALE = r"(?:hundred|thousand|million|billion|trillion|per cent|percent|%|m|bn|k)"
_UNIT = re.compile(
    rf"[€$£¥]?\d+(?:[.,:/–’'\u00a0\u202f-]\d+|(?<=\d)[ ]\d{{3}}(?!\d))*(?:\s?{_SCALE}(?!\w))?\w*|\w+(?:[’'-]\w+)*"
)
"""A word, or a figure with its separators, sign of currency and scale."""


def whole_words(text: str, start: int, end: int, first: int, last: int) -> tuple[int, int]:
    """A span widened to whole words and whole figures ("300" of "12,300 million"), within ``first`` and ``last``."""
    for found in _UNIT.finditer(text, first, last):
        if found.start() < end and start < found.end():
            start, end = min(start, found.start()), max(end, found.end())
    return start, end
