"""Sentence boundaries as character offsets, so that a quote is always a slice of its source."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sentencex

Span = tuple[int, int]

# "two facts: 1." – the figure that ends this piece opens the next one.
_ENUMERATOR_TAIL = re.compile(r"(?:^|[:;,]\s+|\b(?:and|or)\s+)(\(?\d{1,2}[.)])\s*$")


def sentence_spans(text: str, language: str = "en") -> list[Span]:
    """(start, end) of each sentence, trimmed of white space, in order; none is empty.

    Every character that is not white space lies in exactly one span.
    """
    starts = [0]
    for boundary in sentencex.get_sentence_boundaries(language, text):
        start, end = int(boundary["start_index"]), int(boundary["end_index"])
        tail = _ENUMERATOR_TAIL.search(text[start:end])
        starts.append(start + tail.start(1) if tail else end)
    ends = [*starts[1:], len(text)]
    return list(_trimmed(text, zip(starts, ends, strict=True)))


def _trimmed(text: str, spans: Iterator[Span] | zip[Span]) -> Iterator[Span]:
    for start, end in spans:
        piece = text[start:end]
        stripped = piece.strip()
        if stripped:
            offset = piece.index(stripped[0])
            yield start + offset, start + offset + len(stripped)
