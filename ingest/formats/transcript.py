"""Subtitles and transcripts (SRT, VTT): cues joined to paragraphs; time codes are locators, never text.

Libraries at hand give cue after cue; what matters here is which of them are one sentence, and who speaks.
"""

from __future__ import annotations

import html
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.errors import BadSource

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,]\d{1,3}"
TIMING = re.compile(rf"^[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}.*$", re.M)
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?\s+([^>]+)>", re.I)
_TAG = re.compile(r"<[^>\n]*>|\{\\[^}\n]*\}")
_NAME = r"[^\W\d_][\w.'’-]*(?:[ -][^\W\d_][\w.'’-]*){0,3}"
_SPEAKER = re.compile(rf"^(?:>>+\s*|[-–—]\s*)?(?:\[(?P<a>{_NAME})\]|(?P<b>{_NAME}))\s*[:：]\s+(?=\S)")
_TURN = re.compile(r"^(?:>>+|[-–—])\s*")
_SENTENCE_END = re.compile(r"[.!?…]['\"”’»)\]]*$")
_ENOUGH = 300
_LONGEST = 700
"""Characters after which a paragraph ends at the next sentence, and where it ends anyway: about half a minute."""
_PAUSE = 4
"""Seconds without a word that end a paragraph whose sentence has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    text: str
    speaker: str | None
    new_turn: bool
    start: int
    end: int


def read(text: str) -> Extract:
    """Blocks of a transcript; a paragraph begins with its speaker's name where the file tells it.

    Raises:
        BadSource: it holds no cue with words.
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    said = _without_repetition(list(_cues(text)))
    if not said:
        raise BadSource("no subtitles were found in it: export it again as SRT or VTT, or add its words as text")
    title = re.match(r"WEBVTT[ \t]*[-–—:]?[ \t]*([^\n]*)", text)
    media = "text/vtt" if title else "application/x-subrip"
    return Extract(
        blocks=tuple(_paragraphs(said)),
        metadata=Metadata(title=clean(title[1]) or None if title else None),
        media_type=media,
    )


def _speakers(text: str) -> frozenset[str]:
    """Names before a colon that are speakers: in capitals, or found so more than once; "Note: …" is text."""
    lines = (_SPEAKER.match(clean(_TAG.sub("", line))) for line in text.split("\n"))
    names = Counter(found["a"] or found["b"] for found in lines if found)
    return frozenset(n for n, count in names.items() if not n[0].islower() and (count > 1 or n.isupper()))


def _cues(text: str) -> Iterator[_Said]:
    speakers = _speakers(text)
    timings = list(TIMING.finditer(text))
    speaker: str | None = None
    for found, following in itertools.zip_longest(timings, timings[1:]):
        start, end = _seconds(found.groups()[:3]), _seconds(found.groups()[3:])
        body = text[found.end() : following.start() if following else len(text)].strip("\n")
        # An empty line ends the cue; what stands behind it is the number of the next one, or a comment.
        for part, named in _voices(body.split("\n\n")[0]):
            for line_text, name, turn in _turns(part, speakers):
                who = named or name
                speaker = who or (None if turn else speaker)
                yield _Said(text=line_text, speaker=speaker, new_turn=bool(who) or turn, start=start, end=end)


def _seconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds = (int(part or 0) for part in parts)
    return 3600 * hours + 60 * minutes + seconds


def _voices(body: str) -> Iterator[tuple[str, str | None]]:
    """Parts of a cue with the voice that VTT names for each."""
    pieces = _VOICE.split(body)
    yield pieces[0], None
    for name, part in zip(pieces[1::2], pieces[2::2], strict=True):
        yield part, clean(html.unescape(name))


def _turns(part: str, speakers: frozenset[str]) -> Iterator[tuple[str, str | None, bool]]:
    """Lines of a cue, joined unless another person begins to speak: text, name, whether a turn begins."""
    text, name, turn = "", None, False
    for raw in part.split("\n"):
        line = clean(html.unescape(_TAG.sub("", raw)))
        if not line:
            continue
        found = _SPEAKER.match(line)
        if found and (found["a"] or found["b"]) not in speakers:
            found = None
        begins = found or _TURN.match(line)
        if begins and text:
            yield text, name, turn
            text, name, turn = "", None, False
        if begins:
            name, turn = (found["a"] or found["b"] if found else None), True
            line = line[begins.end() :]
        text = f"{text}\n{line}" if text else line
    if text:
        yield text, name, turn


def _without_repetition(said: Sequence[_Said]) -> list[_Said]:
    """Cues of live captions show the line before once more above the new one; each line is kept once."""
    kept: list[_Said] = []
    before: list[str] = []
    for cue in said:
        lines = cue.text.split("\n")
        overlap = next((n for n in range(len(lines), 0, -1) if before[-n:] == lines[:n]), 0)
        close = not kept or cue.start <= kept[-1].end + 1
        new = lines[overlap:] if close and not cue.new_turn else lines
        before = lines
        if new:
            kept.append(
                _Said(text=" ".join(new), speaker=cue.speaker, new_turn=cue.new_turn, start=cue.start, end=cue.end)
            )
    return kept


def _paragraphs(said: Sequence[_Said]) -> Iterator[Block]:
    group: list[_Said] = []
    for cue in said:
        if group and _ends_before(group, cue):
            yield _paragraph(group)
            group = []
        group.append(cue)
    yield _paragraph(group)


def _ends_before(group: Sequence[_Said], cue: _Said) -> bool:
    length = sum(len(c.text) + 1 for c in group)
    if cue.speaker != group[-1].speaker or (cue.new_turn and cue.speaker is None):
        return True
    ended = bool(_SENTENCE_END.search(group[-1].text))
    return length > _LONGEST or (ended and (length > _ENOUGH or cue.start - group[-1].end >= _PAUSE))


def _paragraph(group: Sequence[_Said]) -> Block:
    start, speaker = group[0].start, group[0].speaker
    words = " ".join(c.text for c in group)
    return Block(
        text=f"{speaker}: {words}" if speaker else words,
        place=f"{start // 3600:02}:{start // 60 % 60:02}:{start % 60:02}",
        claimed_by=speaker,
    )
