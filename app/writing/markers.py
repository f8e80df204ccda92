"""Citation markers in a language model's text, taken out while it streams in.

Understood are ``[1]``, several in a row, joined (``[1,2]``, ``[1; 2]``, ``[1-3]``, ``[1 and 2]``), doubled brackets,
full-width brackets and figures (``【１】``), footnotes (``[^1]``), words before the figure (``[passage 1]``), what some
services put behind it (``【1†source】``) and a link behind the bracket (``[1](…)``). What is none of them stays text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_OPEN, _CLOSE = "[【［〔", "]】］〕"
_NUMBER = r"\^?\s*\d+"
_JOIN = r"\s*(?:[-–—‐~,;、，；&/+]|\band\b|\bund\b|\bto\b|\s)\s*"
_WORD = r"(?:passages?|sources?|refs?\.?|references?|no\.?|nr\.?|#)?"
_GROUP = re.compile(
    rf"[{re.escape(_OPEN)}]{{1,2}}\s*{_WORD}\s*(?P<numbers>{_NUMBER}(?:{_JOIN}{_WORD}\s*{_NUMBER}){{0,20}})\s*"
    rf"(?:(?::\d+)?†[^{re.escape(_OPEN + _CLOSE)}\n]{{0,40}})?[{re.escape(_CLOSE)}]{{1,2}}(?:\((?:https?:|#)[^()\s]{{0,200}}\))?",
    re.I,
)
_RANGE = re.compile(r"(\d+)\s*(?:[-–—‐~]|\bto\b)\s*\^?\s*(\d+)", re.I)
_WIDEST = 20
"""A range over more passages than anyone gives a model is not read as one; its ends are."""
_HELD = 80
"""An open bracket is held back for at most so many characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Words without markers."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A marker: the passage numbers that it names, in order, each once. They may be invented."""

    numbers: tuple[int, ...]


Piece = Text | Mark


class MarkerStream:
    """Splits text that comes in pieces of any size into words and markers; the pieces' borders do not matter."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str) -> Iterator[Piece]:
        """What can be told by now; an unfinished bracket is held back."""
        self._held += text
        at = _safe_end(self._held)
        ready, self._held = self._held[:at], self._held[at:]
        yield from split(ready)

    def finish(self) -> Iterator[Piece]:
        """What was held back."""
        ready, self._held = self._held, ""
        yield from split(ready)


def split(text: str) -> Iterator[Piece]:
    """The words and markers of a whole text."""
    at = 0
    for found in _GROUP.finditer(text):
        if found.start() > at:
            yield Text(text=text[at : found.start()])
        yield Mark(numbers=_numbers(found["numbers"]))
        at = found.end()
    if at < len(text):
        yield Text(text=text[at:])


def without_markers(text: str) -> str:
    """The text with its markers taken out, on one line."""
    words = "".join(p.text for p in split(text) if isinstance(p, Text))
    return closed_up(words)


def closed_up(text: str) -> str:
    """One line without the gaps that markers leave before punctuation."""
    return re.sub(r"\s+([.,;:!?…])", r"\1", " ".join(text.split()))


def existing(marks: Sequence[Mark], count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The numbers from 1 to ``count`` that the marks name, in order of first use, and those that do not exist."""
    numbers = tuple(dict.fromkeys(n for m in marks for n in m.numbers))
    return tuple(n for n in numbers if 1 <= n <= count), tuple(n for n in numbers if not 1 <= n <= count)


def _numbers(inside: str) -> tuple[int, ...]:
    found: list[int] = []
    rest = inside
    while pair := _RANGE.search(rest):
        first, last = int(pair[1][:9]), int(pair[2][:9])
        found += _plain(rest[: pair.start()])
        found += range(first, last + 1) if first <= last < first + _WIDEST else (first, last)
        rest = rest[pair.end() :]
    return tuple(dict.fromkeys((*found, *_plain(rest))))


def _plain(text: str) -> list[int]:
    return [int(n[:9]) for n in re.findall(r"\d+", text)]  # no passage has a longer number, and int() has its limits


def _safe_end(text: str) -> int:
    """Up to where the text cannot change its meaning by what follows."""
    # A whole marker may go on: "]" may be doubled or followed by a link.
    last = next(iter(deque(_GROUP.finditer(text), maxlen=1)), None)
    if last is not None and (last.end() == len(text) or _link_open(text[last.end() :])):
        return last.start()
    begin = max((text.rfind(c) for c in _OPEN), default=-1)
    if begin < 0 or (last is not None and begin < last.end()) or len(text) - begin > _HELD:
        return len(text)
    if any(c in text[begin:] for c in _CLOSE) or "\n" in text[begin:]:
        return len(text)
    return begin - 1 if begin and text[begin - 1] in _OPEN else begin


def _link_open(rest: str) -> bool:
    return len(rest) <= _HELD * 3 and re.fullmatch(r"\((?:h?t?t?p?s?:?|https?:[^()\s]*|#[^()\s]*)", rest) is not None
