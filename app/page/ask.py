"""The Ask tab: conversation, evidence, filters."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import gradio as gr

from app.errors import AppError
from app.home import Home
from app.page.bridge import number, text
from app.page.talk import Exchange, Talk, Views, make_filters
from app.render import GENRE_WORDS, render
from index.errors import IndexingError
from ingest.errors import IngestError

_READING = "Reading the sources …"
_LOADING = "Loading the models; the first answer waits for them. You can type already."
_WAIT = "An answer is being written. Wait for it or stop it."
KNOWN_ERRORS = (AppError, IndexingError, IngestError)


class Shown(NamedTuple):
    """What a handler changes on the page; :func:`gradio.skip` leaves a part as it is."""

    question: Any = gr.skip()
    thread: Any = gr.skip()
    evidence: Any = gr.skip()
    notice: Any = gr.skip()
    ask: Any = gr.skip()
    stop: Any = gr.skip()
    blame: Any = gr.skip()


class AskTab:
    """What the tab does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home, *, ready: threading.Event | None = None, read_only: bool = False) -> None:
        self._home = home
        self._views = Views(home, read_only=read_only)
        self._ready = ready

    # showing

    def show(self, talk: Talk, *, question: Any = gr.skip(), evidence: bool = True, notice: str = "") -> Shown:
        """The whole tab as it now is."""
        return Shown(
            question=question,
            thread=self._views.thread(talk, self.first_questions() if not talk.exchanges else ()),
            evidence=self._views.evidence(talk) if evidence else gr.skip(),
            notice=_notice(notice),
            ask=gr.update(visible=not talk.busy),
            stop=gr.update(visible=talk.busy),
            blame=gr.update(visible=talk.blamed is not None),
        )

    def first_questions(self) -> Sequence[str]:
        """Questions to begin with."""
        return ()

    def source_choices(self) -> list[tuple[str, str]]:
        """Sources as choices of the filter: label and id."""
        return [(f"{s.title} ({s.date or 'undated'})", s.id) for s in self._home.library]

    def wait_until_ready(self) -> Iterator[str]:
        """A word while the models load, and nothing once they are there."""
        if self._ready is not None and not self._ready.is_set():
            yield _notice(_LOADING)
            self._ready.wait(timeout=300)
        yield ""

    # asking

    def ask(
        self, question: str, talk: Talk, sources: list[str], genres: list[str], since: str, until: str
    ) -> Iterator[Shown]:
        """Answer what is in the question box."""
        if talk.busy:
            yield Shown(notice=_notice(_WAIT))
            return
        if not question or not question.strip():
            yield Shown(notice=_notice("Type a question first."))
            return
        try:
            filters = make_filters(sources, genres, since, until)
        except IngestError as exc:
            yield Shown(notice=_notice(f"The date filter cannot be used: {exc}."))
            return
        if talk.editing:
            self._cut(talk, talk.editing)
        exchange = Exchange(question=question.strip(), waiting=_READING, filters=filters)
        yield from self._answer(talk, exchange)

    def ask_offered(
        self, event: gr.EventData, talk: Talk, sources: list[str], genres: list[str], since: str, until: str
    ) -> Iterator[Shown]:
        """Answer a question that the page offered."""
        yield from self.ask(text(event, "text"), talk, sources, genres, since, until)

    def retry(
        self, event: gr.EventData, talk: Talk, sources: list[str], genres: list[str], since: str, until: str
    ) -> Iterator[Shown]:
        """Answer a question again, with the filters as they are now; what followed it is removed."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        if exchange is None or at is None:
            yield Shown()
            return
        if talk.busy:
            yield Shown(notice=_notice(_WAIT))
            return
        question = exchange.question
        self._cut(talk, at)
        yield from self.ask(question, talk, sources, genres, since, until)

    def stop(self, talk: Talk) -> Shown:
        """Stop the answer that is being written."""
        if talk.busy:
            talk.exchanges[-1].stopped = True
            talk.exchanges[-1].error = "Stopped. Retry, or edit the question."
        return self.show(talk, evidence=False)

    def _answer(self, talk: Talk, exchange: Exchange) -> Iterator[Shown]:
        history = talk.history()
        talk.exchanges.append(exchange)
        number_ = len(talk.exchanges)
        yield self.show(talk, question="", evidence=False)
        try:
            answer = self._home.answerer.answer(exchange.question, history, filters=exchange.filters)
            if exchange.stopped:
                return
            exchange.answer = answer
        except KNOWN_ERRORS as exc:
            exchange.error = " ".join(str(exc).split())
            yield self.show(talk, evidence=False)
            return
        finally:
            if exchange.busy:  # the browser left, or something unforeseen
                exchange.error = "Interrupted. Retry, or edit the question."
        talk.shown = number_
        self._keep(talk, exchange)
        shown = self.show(talk, evidence=False)
        yield shown._replace(evidence=self._views.evidence(talk, also=False))
        yield Shown(evidence=self._views.evidence(talk))

    # correcting

    def edit(self, event: gr.EventData, talk: Talk) -> Shown:
        """Put a question back into the box; the next one replaces it and what follows."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        return self._editing(talk, at, exchange.question if exchange else None)

    def reword(self, event: gr.EventData, talk: Talk) -> Shown:
        """The same with the question as it was understood."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        return self._editing(talk, at, exchange.answer.standalone_question if exchange and exchange.answer else None)

    def undo(self, event: gr.EventData, talk: Talk) -> Shown:
        """Take a question and what follows it back; its text returns to the box."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        if exchange is None or at is None or talk.busy:
            return Shown()
        self._cut(talk, at)
        talk.shown = len(talk.exchanges)
        return self.show(talk, question=exchange.question)

    def new(self, talk: Talk) -> Shown:
        """Begin a new conversation; the old one stays in the history."""
        if talk.busy:
            self.stop(talk)
        talk.id, talk.exchanges, talk.shown = None, [], 0
        talk.editing = talk.blamed = None
        return self.show(talk, question="")

    def _editing(self, talk: Talk, at: int | None, question: str | None) -> Shown:
        if question is None or talk.busy:
            return Shown()
        talk.editing = at
        after = len(talk.exchanges) - (at or 0)
        more = f" and the {after} after it" if after > 1 else " and the one after it" if after else ""
        return Shown(question=question, notice=_notice(f"Asking replaces question {at}{more}."))

    # evidence

    def open(self, event: gr.EventData, talk: Talk) -> str:
        """The evidence of a question."""
        at = number(event, "turn")
        if talk.exchange(at) and at:
            talk.shown = at
        return self._views.evidence(talk)

    # keeping

    def _keep(self, talk: Talk, exchange: Exchange) -> None:
        return

    def _cut(self, talk: Talk, at: int) -> None:
        talk.cut(at)


class AskParts(NamedTuple):
    """Components of the tab that others use."""

    sources: gr.Dropdown
    notice: gr.HTML
    shown: list[Any]


def build(tab: AskTab, bridge: gr.HTML, talk: gr.State) -> AskParts:
    """The tab's components and events."""
    with gr.Sidebar(label="Conversations", open=False, elem_id="past", width=300):
        gr.HTML("", elem_id="history", apply_default_css=False)
    with gr.Row(elem_id="panes"):
        with gr.Column(scale=3, min_width=300, elem_id="talk-pane"):
            thread = gr.HTML(tab.show(Talk()).thread, elem_id="thread", apply_default_css=False)
            with gr.Column(elem_id="composer", min_width=280):
                notice = gr.HTML("", elem_id="notice", apply_default_css=False)
                with gr.Row(elem_id="box", equal_height=False):
                    question = gr.Textbox(
                        label="Question", show_label=False, placeholder="Ask a question …", lines=1, max_lines=5, scale=8,
                        elem_id="question", autofocus=True, max_length=2000, container=False,
                    )  # fmt: skip
                    ask = gr.Button("Ask", variant="primary", scale=0, min_width=80, elem_id="ask")
                    stop = gr.Button("Stop", scale=0, min_width=80, elem_id="stop", visible=False)
                    new = gr.Button("New", scale=0, min_width=70, elem_id="new")
                with gr.Accordion("Filters", open=False, elem_id="filters"):
                    sources = gr.Dropdown(
                        label="Sources (all when empty)", multiselect=True, choices=tab.source_choices(), value=[],
                        elem_id="filter-sources",
                    )  # fmt: skip
                    genres = gr.CheckboxGroup(
                        label="Kinds (all when empty)", choices=[(w, g) for g, w in GENRE_WORDS.items()],
                        elem_id="filter-genres",
                    )  # fmt: skip
                    with gr.Row():
                        since = gr.Textbox(label="From", placeholder="2023 or 2023-06", elem_id="filter-since")
                        until = gr.Textbox(label="To", placeholder="2024-12-31", elem_id="filter-until")
                with gr.Group(visible=False, elem_id="blame") as blame:
                    pass
        with gr.Column(scale=2, min_width=300, elem_id="evidence-pane"):
            evidence = gr.HTML(tab.show(Talk()).evidence, elem_id="evidence", apply_default_css=False)
    shown = [question, thread, evidence, notice, ask, stop, blame]
    chosen = [talk, sources, genres, since, until]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    asking = {**quiet, "concurrency_limit": 4, "concurrency_id": "ask"}
    events = [
        ask.click(tab.ask, [question, *chosen], shown, **asking),
        question.submit(tab.ask, [question, *chosen], shown, **asking),
        bridge.ask(tab.ask_offered, chosen, shown, **asking),
        bridge.retry(tab.retry, chosen, shown, **asking),
    ]
    stop.click(tab.stop, talk, shown, cancels=events, queue=False, **quiet)
    bridge.edit(tab.edit, talk, shown, queue=False, **quiet)
    bridge.reword(tab.reword, talk, shown, queue=False, **quiet)
    bridge.undo(tab.undo, talk, shown, queue=False, **quiet)
    new.click(tab.new, talk, shown, queue=False, **quiet)
    bridge.open(tab.open, talk, evidence, queue=False, **quiet)
    return AskParts(sources=sources, notice=notice, shown=shown)


def _notice(said: str) -> str:
    return render("notice.html", text=said) if said else ""
