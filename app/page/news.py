"""What is new: saved questions, asked again, and which sources changed their answers, by date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import gradio as gr

from app.access.exposure import Gate
from app.citation_text import described, is_summary, one_line, spoken
from app.errors import AppError
from app.home import Home
from app.page.bridge import text
from app.page.place import Place
from app.page.talk import Talk
from app.page.work import Tell, Work
from app.records import digest
from app.records.digest import Change, Saved
from app.rendering.prose import blocks
from app.rendering.render import render
from app.text.counts import counted
from ingest.dates import iso_date
from ingest.errors import IngestError

PLACE = "new"
_MOST_CAME = 20
"""Pages of feeds that the view lists."""
_TITLE = "Asking the saved questions"
_READ_ONLY = "This page is read-only; saved questions cannot be changed or asked again here."


class Told(NamedTuple):
    """What a handler changes."""

    work: Any = gr.skip()
    saved: Any = gr.skip()
    question: Any = gr.skip()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The changes of the last digest that was asked for on the page; ``at`` is its ISO time in UTC."""

    at: str
    changes: dict[str, Change]


class NewsTab:
    """What the view does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home, work: Work, gate: Gate | None = None, *, read_only: bool = False) -> None:
        self._home = home
        self._read_only = read_only
        self._place: Place[_Found] = Place(work, PLACE, _TITLE, gate)

    @property
    def place(self) -> Place[_Found]:
        """Its jobs."""
        return self._place

    def add(self, question: str, talk: Talk) -> Told:
        """Save a question."""
        return self._changed(lambda: digest.add(self._home.library, question or ""), talk, question="")

    def remove(self, event: gr.EventData, talk: Talk) -> Told:
        """Forget a saved question."""
        return self._changed(lambda: digest.remove(self._home.library, text(event, "question")), talk)

    def run(self, since: str, talk: Talk, client: str = "here") -> Iterator[Told]:
        """Ask all saved questions again.

        Args:
            since: a day in words to compare with; with the last answers when blank.
        """
        if self._read_only:
            yield Told(work=self._place.tell(talk.owner, _READ_ONLY))
            return
        try:
            day = iso_date(since.strip()) if since and since.strip() else None
        except IngestError as exc:
            yield Told(work=self._place.tell(talk.owner, f"The date cannot be used: {exc}."))
            return
        if not digest.load(self._home.library):
            yield Told(work=self._place.tell(talk.owner, "No question is saved yet: save one first."))
            return
        at = datetime.now(UTC).isoformat(timespec="seconds")

        def job(tell: Tell) -> tuple[_Found, str]:
            tell.step("loading the models")
            found = digest.ask_again(
                self._home.library, self._home.answerer.answer, at=at, since=day, progress=lambda done, total: tell.go_on("asking", done, total)
            )
            changed = sum(c.changed for c in found)
            return _Found(at=at, changes={c.question: c for c in found}), f"{changed} of {counted(len(found), 'answer')} changed."

        for shown in self._place.run(job, talk.owner, client):
            yield Told(work=shown)
        yield self.shown(talk)

    def opened(self, talk: Talk) -> Iterator[Told]:
        """The view of somebody who comes back."""
        self._place.untell(talk.owner)
        for shown in self._place.follow(talk.owner):
            yield Told(work=shown)
        yield self.shown(talk)

    def shown(self, talk: Talk) -> Told:
        """The saved questions with what is new on each."""
        saved, found = digest.load(self._home.library), self._place.result(talk.owner)
        views = [_view(one, found.changes.get(one.question) if found else None) for one in saved]
        return Told(
            work=self._place.shown(talk.owner),
            saved=_feeds_html(self._home) + render("news.html", saved=views, read_only=self._read_only, sources=len(self._home.library.fingerprints())),
        )

    def _changed(self, change: Any, talk: Talk, **also: Any) -> Told:
        if self._read_only:
            return Told(work=self._place.tell(talk.owner, _READ_ONLY))
        self._place.untell(talk.owner)
        try:
            change()
        except AppError as exc:
            said = str(exc).split("; ")[0]  # what follows is how to do it in a terminal
            return Told(work=self._place.tell(talk.owner, f"{said[:1].upper()}{said[1:]}."))
        return self.shown(talk)._replace(**also)


def build(tab: NewsTab, bridge: gr.HTML, talk: gr.State, client: Any, *, read_only: bool) -> list[Any]:
    """The view's components and events; gives what :class:`Told` fills. See :func:`app.page.compare.build`."""
    with gr.Row(elem_classes="bar", visible=not read_only, equal_height=False):
        question = gr.Textbox(
            show_label=False, label="A question to keep up with", placeholder="A question to keep up with …", max_lines=2, container=False, scale=4, min_width=220, elem_id="news-question",
        )  # fmt: skip
        add = gr.Button("Save the question", scale=0, min_width=180, elem_id="news-add")
    with gr.Row(elem_classes="bar", visible=not read_only, equal_height=False):
        ask = gr.Button("Ask all again now", variant="primary", scale=0, min_width=170, elem_id="news-ask")
        since = gr.Textbox(
            show_label=False, label="Compare with the answers of this day", placeholder="compare with a day: 2026-10-01", max_lines=1, container=False, scale=0, min_width=260, elem_id="news-since",
        )  # fmt: skip
    work = gr.HTML("", elem_id="news-work", apply_default_css=False)
    saved = gr.HTML("", elem_id="news", apply_default_css=False)
    parts = [work, saved, question]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    def run(day: str, whose: Talk, request: gr.Request) -> Iterator[Told]:
        yield from tab.run(day, whose, client(request))

    for asked in (add.click, question.submit):
        asked(tab.add, [question, talk], parts, queue=False, **quiet)
    ask.click(run, [since, talk], parts, concurrency_limit=8, concurrency_id="work", **quiet)
    bridge.unsave(tab.remove, talk, parts, queue=False, **quiet)
    return parts


def _view(one: Saved, change: Change | None) -> dict[str, Any]:
    """A saved question with its newest answer, and what a digest found for it."""
    last = one.states[-1] if one.states else None
    view: dict[str, Any] = {
        "question": one.question, "news": "", "changed": False, "new": (), "gone": (), "times": len(one.states),
        "at": last.at[:10] if last else "", "answer": _html(last.answer) if last else "",
    }  # fmt: skip
    if change is None:
        return view
    before = change.before
    news = "asked for the first time" if before is None else "changed" if change.changed else "no change"
    return view | {
        "news": f"{news} since {before.at[:10]}" if before else news, "changed": change.changed, "answer": _html(change.answer.answer),
        "new": [
            {"date": c.date or "undated", "described": described(c, c.locator), "text": spoken(c, one_line(c.quote)), "ours": is_summary(c), "c": c}
            for c in change.new
        ],
        "gone": [(source_id, one_line(quote)) for source_id, quote in change.gone],
    }  # fmt: skip


def _feeds_html(home: Home) -> str:
    """The feeds that are followed, since when, and what came from them, the newest first; nothing without feeds."""
    feeds = home.library.feeds()
    came = sorted(
        ((e.at or "", e, f) for f in feeds for e in home.library.entries(f.url) if e.source_id and home.library.record(e.source_id)),
        key=lambda c: c[0], reverse=True,
    )  # fmt: skip
    last = max((f.fetched_at or "" for f in feeds), default="")
    return render(
        "feeds.html", feeds=feeds, last=last[:10], since=min((f.added_at for f in feeds), default="")[:10], count=len(came),
        came=[(at[:10], e, f) for at, e, f in came[:_MOST_CAME]],
    ) if feeds else ""  # fmt: skip


def _html(answer: str) -> str:
    """An answer with its lists; its markers lead nowhere here."""
    return blocks(answer, {}, 0, still=True)
