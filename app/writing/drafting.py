"""A language model's draft while it streams in: words without markers, and sentences as they are finished."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.text.spans import LEAD
from app.writing.markers import Mark, MarkerStream, Piece, closed_up
from ingest.sentences import sentence_spans

_THINKING = re.compile(r"^\s*<(think|thinking|reasoning)>(.*?)</\1>", re.I | re.S)
_MAY_THINK = re.compile(r"^\s*(?:<(?:think|thinking|reasoning)>|<[a-z]{0,9}$|$)", re.I)
_DECORATION = re.compile(r"^\s*(?:#{1,6}|>|[-*•–]|\d{1,2}[.)])\s+|\*\*|__|`+|</?[A-Za-z!][^>\n]*>")
_LABEL = re.compile(r"^\s*(?:the )?(?:answer|response|reply|passage(?: \d+)?)(?: is)?\s*:\s+(?=\S)", re.I)
_DANGLING = re.compile(
    r",?\s*(?:\(?\bsee|\baccording to|\bas (?:stated|reported|mentioned|said|noted) (?:in|by))\s*\)?([.!?]?)\s*$", re.I
)
"""What is left of "according to [1]"."""
_MD_LINK = re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)")
_SETTLED_CHARS = 12
"""A sentence is finished once so much of the next one is there: "U.S." does not end one, "U.S. It then" may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftSentence:
    """A sentence of the draft.

    Attributes:
        text: one line of plain words, without markers, Markdown or HTML.
        marks: the markers that stand at it.
        end: how many characters of the draft's words end with it.
        item: whether it begins a line of a list.
    """

    text: str
    marks: tuple[Mark, ...]
    end: int
    item: bool


class Drafting:
    """Takes a draft in pieces of any size. What a reasoning model thinks aloud first is left out."""

    def __init__(self) -> None:
        self.text = ""
        self._markers = MarkerStream()
        self._marks: list[tuple[int, Mark]] = []
        self._thinking: str | None = ""
        self._gap = ""
        self._leading = False
        self._at = 0

    def feed(self, delta: str) -> str:
        """The words that this adds to the draft."""
        if self._thinking is not None:
            self._thinking += delta
            if _MAY_THINK.match(self._thinking) and not _THINKING.match(self._thinking):
                return ""
            delta, self._thinking = _THINKING.sub("", self._thinking), None
        return self._take(list(self._markers.feed(delta)))

    def finish(self) -> str:
        """The words that were held back; the draft is whole now."""
        held, self._thinking = self._thinking, None
        words = self._take(list(self._markers.feed(held))) if held and not _MAY_THINK.match(held) else ""
        return words + self._take(list(self._markers.finish()))

    def sentences(self, *, whole: bool = False) -> list[DraftSentence]:
        """Sentences finished since the last call; with ``whole`` also the last one."""
        found: list[DraftSentence] = []
        while self._at < len(self.text):
            newline = self.text.find("\n", self._at)
            ended = newline >= 0
            line_end = newline if ended else len(self.text)
            line = self.text[self._at : line_end]
            if ended or whole:
                found += self._cut(line, sentence_spans(line), line_end)
                self._at = line_end + ended
                continue
            spans = sentence_spans(line)
            if len(spans) > 1 and len(line) - spans[-1][0] >= _SETTLED_CHARS:
                rest = self._at + spans[-1][0]
                found += self._cut(line[: spans[-1][0]], spans[:-1], rest)
                self._at = rest
            break
        return found

    def _take(self, pieces: list[Piece]) -> str:
        before = len(self.text)
        for piece in pieces:
            if isinstance(piece, Mark):
                self._marks.append((len(self.text), piece))
                continue
            words = self._gap + piece.text
            # The gap before a marker would come to stand before a full stop, where no sentence ends.
            self._gap = words[len(words.rstrip(" ")) :]
            words = words.rstrip(" ")
            bare = words.lstrip(" ")
            self.text += bare if bare.startswith((".", ",", ";", ":", "!", "?", "…", ")")) else words
        return self.text[before:]

    def _cut(self, line: str, spans: list[tuple[int, int]], line_end: int) -> list[DraftSentence]:
        """The sentences of a line that begins at ``_at``, each with its markers."""
        begin = self._at
        whole_line = begin == 0 or self.text[begin - 1] == "\n"
        here = [(at, m) for at, m in self._marks if at <= line_end]
        self._marks = [(at, m) for at, m in self._marks if at > line_end]
        # "[1] A is so. [2] B is so.": markers that lead a line belong to what follows them.
        if whole_line:
            self._leading = bool(spans and here and here[0][0] <= begin + spans[0][0])
        if self._leading and line_end < len(self.text) and self.text[line_end] != "\n":
            # The line goes on, so what stands behind its last sentence here leads the next one.
            end = begin + spans[-1][1]
            self._marks = [*((at, m) for at, m in here if at >= end), *self._marks]
            here = [(at, m) for at, m in here if at < end]
        found = []
        lead = LEAD.match(line)
        for number, (a, b) in enumerate(spans):
            last = number + 1 == len(spans)
            if self._leading:
                high = line_end if last else begin + b - 1
            else:
                high = line_end if last else begin + spans[number + 1][0]
            own, here = [m for at, m in here if at <= high], [(at, m) for at, m in here if at > high]
            text = plain(line[a:b])
            if not re.search(r"\w", text):
                continue
            found.append(
                DraftSentence(
                    text=text,
                    marks=tuple(own),
                    end=min(high, len(self.text)),
                    item=number == 0 and whole_line and bool(lead and not lead["heading"]),
                )
            )
        return found


def plain(text: str) -> str:
    """Words as they may be shown: no Markdown, no HTML, one line."""
    shown = _MD_LINK.sub(r"\1", text)
    shown = _LABEL.sub("", _DECORATION.sub("", shown))
    shown = _DANGLING.sub(r"\1", shown)
    return closed_up(shown)
