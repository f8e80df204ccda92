"""Sentence boundaries as character offsets, so that a quote is always a slice of its source."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sentencex

Span = tuple[int, int]

# "two facts: 1." – the figure that ends this piece opens the next one.
_ENUMERATOR_TAIL = re.compile(r"(?:^|[:;,]\s+|\b(?:and|or)\s+)(\(?\d{1,2}[.)])\s*$")
# "[2]", "[3, 4]", "[12–14]", "[a]", "[note 1]", "[^2]", "[citation needed]", "[who?]" in a text are references of its own.
_REFERENCE = re.compile(
    r"\s*\[(?:\^?\d{1,3}(?:\s*[,;–-]\s*\d{1,3})*|\^[\w-]+|[a-z]|(?:note|nb|n|fn|ref|lower-alpha)\.?\s?\d*|[a-z ]+\?|"
    r"(?:[a-z][a-z -]* )?needed|update|edit|dubious[^\]]*|dead link|better source[^\]]*|sic)\]",
)
_BRACKETED_NUMBER = re.compile(r"\[(\d+)\]")


def unmarked(text: str) -> str:
    """The text without its own reference marks; another number in square brackets gets round ones.

    "It fell,[2][3] more than before.[citation needed]" → "It fell, more than before."
    """
    return _BRACKETED_NUMBER.sub(r"(\1)", _REFERENCE.sub("", text))


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
