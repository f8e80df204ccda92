"""The first screen: what this collection is, its leading article, what one can do with it, questions to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.answer import Answer
from app.citation_text import byline
from app.rendering.html import web_address
from app.rendering.prose import blocks
from app.rendering.render import render
from app.text.messages import said
from ingest.source import Source

GROUPS: dict[str, str] = {"fact": "Facts", "differ": "Where sources differ", "argued": "What the author argues"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """What is known of a collection.

    Attributes:
        subject: what the leading article is about, by its title; empty where there is none.
        sources, compared: how many sources there are, and how many of them are comparisons of ours.
        article: the text that the others are about; None where there is no such one.
        thesis: its summary, whose citations are in the evidence pane under question 0.
        kinds: how many sources of each type, the most first.
        newest: the source of the latest date.
        questions: offered ones by group, a key of :data:`GROUPS`.
        summaries: of how many publications the sources are our summaries.
        empty: there are no sources.
        waiting: what is done before the first answer, in words.
        done, total: how much of it; total 0 while that is not known.
    """

    subject: str = ""
    sources: int = 0
    compared: int = 0
    article: Source | None = None
    thesis: Answer | None = None
    kinds: tuple[tuple[str, int], ...] = ()
    newest: Source | None = None
    questions: tuple[tuple[str, tuple[str, ...]], ...] = ()
    summaries: int = 0
    empty: bool = False
    waiting: str = ""
    done: int = 0
    total: int = 0


def welcome_html(welcome: Welcome, *, read_only: bool = False, language: str = "en") -> str:
    """The first screen, in place of a conversation; what it says itself is in a language (ISO 639-1)."""
    article, thesis = welcome.article, welcome.thesis
    said = blocks(thesis.answer, {c.marker: c for c in thesis.citations}, 0) if thesis else ""
    return render(
        "welcome.html", w=welcome, read_only=read_only, thesis=said, groups=_groups(welcome.questions),
        byline=byline(article) if article else "", url=web_address(article.url) if article else None,
        newest_byline=byline(welcome.newest) if welcome.newest else "", title=_title(welcome, language), language=language,
    )  # fmt: skip


def _title(welcome: Welcome, language: str) -> str:
    """What this is, on one line."""
    if not welcome.subject:
        counted = "Ask {number} source" if welcome.sources == 1 else "Ask {number} sources"
        return said(
            counted if welcome.sources else "Ask your own sources", language=language, number=f"{welcome.sources:,}"
        )
    subject, compared = welcome.subject, welcome.compared
    others = welcome.sources - 1 - compared
    if others + compared == 0:
        return subject
    told = (
        "{subject}: one article, {number} source on it"
        if others == 1
        else "{subject}: one article, {number} sources on it"
    )
    if compared:
        told += " and {compared} comparison" if compared == 1 else " and {compared} comparisons"
    return said(told, language=language, subject=subject, number=f"{others:,}", compared=f"{compared:,}")


def _groups(questions: Sequence[tuple[str, tuple[str, ...]]]) -> list[tuple[str, tuple[str, ...]]]:
    return [(GROUPS[group], asked) for group, asked in questions]
