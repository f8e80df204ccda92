"""A citation in words: who wrote it, what kind of text it is, and how its words are shown. Pure; no HTML.

Original text stands in quotation marks with its author. A summary is iskp-qa's own wording about a publication:
it names that publication and never stands in quotation marks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.answer import Citation, Difference, words_of
from ingest.blocks import SEPARATOR
from ingest.sentences import unmarked

TOOL = "iskp-qa"
COMPARISON = f"comparison by {TOOL}"
"""Whose the words of our comparisons of sources are."""
GENRE_WORDS = {
    "opinion": "opinion piece", "un-report": "UN report", "government": "government", "news": "news",
    "encyclopedia": "encyclopedia", "research": "research", "notes": "notes", "unknown": "other",
}  # fmt: skip
UNCHECKED = "not checked"
UNCHECKED_MEANING = "This rests on general knowledge and was not checked against a source. Answers do not use it."
_OWN_COUNT = re.compile(r"note \d+(?: row \d+)?")
"""Locators that count our own notes; nobody can look them up in the publication."""


_ENDING = re.compile(r"\s*([.!?…]+[\"'”’»)\]]*)$")
_INTRO_WORDS = 9


class Described(Protocol):
    """What a citation and a source both know of a publication."""

    @property
    def title(self) -> str: ...  # noqa: D102
    @property
    def author(self) -> str | None: ...  # noqa: D102
    @property
    def publisher(self) -> str | None: ...  # noqa: D102
    @property
    def date(self) -> str | None: ...  # noqa: D102
    @property
    def date_note(self) -> str | None: ...  # noqa: D102
    @property
    def genre(self) -> str: ...  # noqa: D102
    @property
    def origin(self) -> str: ...  # noqa: D102
    @property
    def fetched_at(self) -> str | None: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure of a difference as a table shows it.

    Attributes:
        newest: its date is the latest as of which a figure was given; days of events do not count.
        whose: who holds the figure; empty when its marker has no citation.
    """

    value: str
    date: str
    newest: bool
    whose: str
    marker: int


def is_summary(source: Described) -> bool:
    """Whether the words are ours and not those of a publisher."""
    return words_of(source.origin) == "summary"


def is_comparison(source: Described) -> bool:
    """Whether it is a text of ours that compares several publications, rather than a summary of one."""
    return is_summary(source) and source.genre == "notes"


def kind_words(source: Described) -> str:
    """What kind of text is shown, as a chip."""
    if is_comparison(source):
        return "our comparison"
    return "our summary" if is_summary(source) else "original text"


def kind_meaning(source: Described) -> str:
    """What the chip means, in a sentence."""
    if is_comparison(source):
        return f"{TOOL} wrote this: it compares what several publications say. Do not quote it as theirs."
    if is_summary(source):
        return f"{TOOL} wrote this in its own words about the publication. Do not quote it as the publisher’s text."
    return "These are the source’s own words. They can be quoted."


def byline(source: Described) -> str:
    """Author, publisher and date in one line; an unknown date is said to be unknown."""
    return ", ".join(filter(None, (source.author, _publisher(source), _dated(source))))


def described(source: Described, locator: str = "", *, titled: bool = True) -> str:
    """Where words come from: "Summary by iskp-qa of: Ann Lee, On harbours, Gazette, 2024, ¶5"; no lead for originals.

    Args:
        titled: with the title, which a card shows by itself.
    """
    who = "" if is_comparison(source) else source.author
    read = recognised_words(source.recognised) if isinstance(source, Citation) else ""
    parts = (who, source.title if titled else "", _publisher(source), _dated(source), place(source, locator), read)
    return f"{lead(source)}{', '.join(filter(None, parts))}"


def lead(source: Described) -> str:
    """What stands before a publication's name when the words are ours, with a space behind it; else empty."""
    if is_comparison(source):
        return f"{label(source)}: "
    return f"{label(source)} of: " if is_summary(source) else ""


def label(source: Described) -> str:
    """Whose words stand below a reference, where they are ours; else empty."""
    if is_comparison(source):
        return f"{COMPARISON[0].upper()}{COMPARISON[1:]}"
    return f"Summary by {TOOL}" if is_summary(source) else ""


def spoken(source: Described, text: str) -> str:
    """Words on one line as they may be printed: originals in quotation marks, ours without."""
    line = " ".join(text.split())
    return line if is_summary(source) else f"“{line}”"


def remark(source: Described) -> str:
    """What a reference says about the wording, for readers who do not know this tool; empty for originals."""
    if is_comparison(source):
        return f"{COMPARISON}, in its own words"
    return f"summarised by {TOOL} in its own words" if is_summary(source) else ""


def place(source: Described, locator: str) -> str:
    """A locator that a reader can look up; empty for counts of our own notes."""
    return "" if is_summary(source) and _OWN_COUNT.fullmatch(locator) else locator


def claimant(source: Described, claimed_by: str | None) -> str | None:
    """Who holds a claim; a statement of our own in a comparison is the comparison's."""
    return COMPARISON if claimed_by and is_comparison(source) and claimed_by == source.publisher else claimed_by


def holder(source: Described, claimed_by: str | None, unsigned: str | None = None) -> str:
    """Whose statement it is: who claims it, else who published it; "comparison by iskp-qa" for what is our own.

    Args:
        unsigned: what an unsigned text is called by; its title by default.
    """
    if by := claimant(source, claimed_by):
        return by
    return COMPARISON if is_comparison(source) else source.publisher or source.author or unsigned or source.title


def status_words(status: str | None, by: str | None) -> str:
    """A claim status as a chip: "opinion of the author", "claim: UN"; empty for texts without one."""
    if status is None or not by:
        return status or ""
    if by == COMPARISON:
        return by
    return f"opinion of {by}" if status == "opinion" else f"{status}: {by}"


def citation_status(citation: Citation) -> str:
    """The same for a citation."""
    return status_words(citation.claim_status, claimant(citation, citation.claimed_by))


def grade_words(citation: Citation) -> str:
    """What a curator thinks of the source, as a chip: "graded B2"; empty where nobody graded it."""
    return f"graded {citation.grade.code}" if citation.grade else ""


def grade_meaning(citation: Citation) -> str:
    """The same in full, with the reason; empty where nobody graded it."""
    grade = citation.grade
    return f"{grade_words(citation)} ({grade.meaning}): {grade.reason}" if grade else ""


def recognised_words(confidence: float | None) -> str:
    """That a program read the words from a picture: "recognised by OCR, confidence 87 %"; empty for other text."""
    return "" if confidence is None else f"recognised by OCR, confidence {100 * confidence:.0f} %"


def genre_words(genre: str) -> str:
    """A genre as a chip; empty when it is not known."""
    return "" if genre == "unknown" else GENRE_WORDS.get(genre, genre)


def origin_words(source: Described) -> str:
    """Where a text came from: "written by iskp-qa", "original, fetched on …" or "added file"."""
    if is_summary(source):
        return f"written by {TOOL}"
    if source.fetched_at:
        return f"original, fetched on {source.fetched_at[:10]}"
    return "added file" if source.origin == "file" else "original"


def rows(difference: Difference, cited: Mapping[int, Citation]) -> list[Row]:
    """The figures of a difference as every table shows them: the newest first, the undated last."""
    values = sorted(difference.values, key=lambda v: v.date or "", reverse=True)
    dates = {v.date for v in values if v.date and not v.of_event}
    newest = max(dates) if len(dates) > 1 else None
    return [
        Row(
            value=f"{v.value} {v.unit}".strip(),
            date=v.date or "undated",
            newest=newest is not None and v.date == newest and not v.of_event,
            whose=holder(cited[v.marker], cited[v.marker].claimed_by) if v.marker in cited else "",
            marker=v.marker,
        )
        for v in values
    ]


def _publisher(source: Described) -> str | None:
    return None if is_comparison(source) else source.publisher


def _dated(source: Described) -> str:
    date = source.date or "undated"
    return f"{date} ({source.date_note})" if source.date_note else date


def shortened(title: str) -> str:
    """A title of at most nine words."""
    words = title.split()
    return title if len(words) <= _INTRO_WORDS else " ".join(words[:_INTRO_WORDS]) + " …"


def with_marker(sentence: str, marker: int) -> str:
    """The sentence with its marker before the closing punctuation."""
    ending = _ENDING.search(sentence)
    if ending:
        return f"{sentence[: ending.start()]} [{marker}]{ending.group(1)}"
    return f"{sentence} [{marker}]."


def one_line(quote: str) -> str:
    """The quote on one line, without its own reference marks; the citation keeps its exact words.

    "[2]" inside a source would look like a marker of the answer. Lines that stand apart are joined by dashes.
    """
    return " – ".join(" ".join(part.split()) for part in unmarked(quote).split(SEPARATOR) if part.strip())
