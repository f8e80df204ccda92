"""Passages as a model is given them, and which of their words may stand in an answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from app.text import orders as instructions
from app.text.spans import FIGURE
from app.writing.engines import estimated_tokens
from app.writing.markers import without_markers
from app.writing.parts import Given, Support
from ingest.sentences import sentence_spans, unmarked

WORD = re.compile(r"\w+", re.U)


def facts_of(given: Given) -> str:
    """Who wrote, published and holds what a passage says, and when: the prompt shows it, so a sentence may name it."""
    told = (given.source.title, given.source.author, given.source.publisher, given.source.date, given.passage.claimed_by)
    return ", ".join(str(f) for f in told if f)


def fitting(passages: Sequence[Given], room: int, count: Callable[[str], int]) -> tuple[tuple[Given, ...], int]:
    """The passages that fit into so many tokens, whole, in their order, and how many do not."""
    if estimated_tokens(as_data(passages)) <= room:
        return tuple(passages), 0  # the usual case, without asking a server's tokenizer for each
    chosen: list[Given] = []
    for given in passages:
        needed = count(as_data([given])) + 2
        if needed <= room:
            chosen.append(given)
            room -= needed
    return tuple(chosen), len(passages) - len(chosen)


def as_data(passages: Sequence[Given]) -> str:
    """Numbered passages between delimiters that cannot stand inside them, with source, date and claim status."""
    blocks = []
    for number, given in enumerate(passages, start=1):
        passage, source = given.passage, given.source
        facts = {
            "n": str(number),
            "source": ", ".join(filter(None, (source.author, source.publisher))) or source.title,
            "title": source.title,
            "date": source.date or "undated",
            "place": passage.locator,
        }
        if passage.claim_status:
            whose = f" by {passage.claimed_by}" if passage.claimed_by else ""
            facts["status"] = f"{passage.claim_status}{whose}"
        attributes = " ".join(f'{name}="{data_of(value)}"' for name, value in facts.items() if value)
        blocks.append(f"<passage {attributes}>\n{data_of(unmarked(passage.text))}\n</passage>")
    return "\n".join(blocks)

_ANGLES = str.maketrans({"<": "‹", ">": "›", "＜": "‹", "＞": "›", "﹤": "‹", "﹥": "›", '"': "”"})
_CHAT_FORMAT = re.compile(r"\[\s*/?\s*(?:INST|SYS(?:TEM)?|ASSISTANT|USER)\s*\]|#{2,}\s*(?=\w)", re.I)


def data_of(text: str, *, lines: bool = False) -> str:
    """Text of others without anything that a model could take for our delimiters, markers or its own chat format.

    What it says stays; quotes are made from the original, never from this.
    """
    visible = "".join(c if c == "\n" or c.isprintable() else " " for c in text)
    shown = _CHAT_FORMAT.sub("", visible.translate(_ANGLES))
    if lines:
        return shown
    return without_markers(shown)


def usable(text: str, *, commands: bool = False) -> list[tuple[int, int]]:
    """The stretches of a passage that can be evidence: all but what speaks to an answering system, asks or orders.

    Args:
        commands: orders count too, as for a question how to do something.
    """
    runs: list[tuple[int, int]] = []
    joined = False
    for a, b in sentence_spans(text):
        sentence = text[a:b]
        if (
            instructions.to_answerer(sentence)
            or instructions.question(sentence)
            or (instructions.imperative(sentence) and not commands)
        ):
            joined = False
            continue
        if joined:
            runs[-1] = (runs[-1][0], b)
        else:
            runs.append((a, b))
        joined = True
    return runs


def quoted(text: str, start: int, end: int) -> tuple[int, int]:
    """The whole sentences that a stretch touches."""
    touched = [(a, b) for a, b in sentence_spans(text) if a < end and start < b]
    if not touched:
        return start, end
    return touched[0][0], touched[-1][1]


def missing_figures(sentence: str, passages: Sequence[Given], supports: Sequence[Support]) -> list[str]:
    """Figures of a sentence that stand neither in its quotes nor in the titles and dates beside them."""
    shown = [s.given.source.text[s.start : s.end] for s in supports]
    beside = [
        t for g in passages for t in (g.passage.context, g.source.title, g.source.date, g.passage.claimed_by) if t
    ]
    known = set(FIGURE.findall(" ".join([*shown, *beside])))
    return [f for f in dict.fromkeys(FIGURE.findall(sentence)) if f not in known]


def nearest(sentence: str, passages: Sequence[Given]) -> list[Given]:
    """Passages that share words with a sentence, most first."""
    words = words_of(sentence)
    shared = [(len(words & words_of(g.passage.text)), at) for at, g in enumerate(passages)]
    return [passages[at] for n, at in sorted(shared, key=lambda pair: (-pair[0], pair[1])) if n >= 2]


def words_of(text: str) -> set[str]:
    """The words of a text, lower case."""
    return {w for w in WORD.findall(text.lower()) if len(w) > 3 or w.isdigit()}


def key(text: str) -> str:
    """A text as it is compared with others: its words alone."""
    return " ".join(WORD.findall(text.lower()))
