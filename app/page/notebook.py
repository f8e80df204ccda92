"""The Notebook tab: what was pinned, with own words, in one's own order, and as a draft with notes."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import gradio as gr

from app.answer import MARKER, Answer
from app.citation_text import described, spoken
from app.errors import AppError
from app.exports.draft import draft
from app.exports.export import file_name
from app.home import Home
from app.page.bridge import number, text
from app.page.parcel import choices, parcel
from app.page.talk import Talk
from app.records.notebook import NOTEBOOK_FILE, Note, Notebook
from app.rendering.render import render

_TITLE = "Draft"


class NotebookTab:
    """What the tab does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home) -> None:
        self._notebook = Notebook(home.folder / NOTEBOOK_FILE)

    def shown(self, talk: Talk) -> str:
        """The notes of the owner, or those that somebody else shared."""
        try:
            guest, link = bool(talk.notebook), talk.notebook or self._notebook.link(talk.owner)
            sharing = render("sharing.html", what="notebook", guest=guest, link=link, id="") if link else ""
            return sharing + render("notebook.html", notes=[_view(n) for n in self._notes(talk)], guest=guest)
        except AppError as exc:
            talk.notebook = ""
            return render("notice.html", text=f"{str(exc)[:1].upper()}{str(exc)[1:]}.")

    def share(self, talk: Talk) -> str:
        """Make a link under which others may read the notebook."""
        talk.notebook = ""
        if talk.owner:
            self._notebook.share(talk.owner)
        return self.shown(talk)

    def unshare(self, talk: Talk) -> str:
        """Take that link back."""
        self._notebook.unshare(talk.owner)
        return self.shown(talk)

    def read(self, event: gr.EventData, talk: Talk) -> str:
        """Open a notebook that was shared, to be read only where it is somebody else's."""
        link = text(event, "link")
        talk.notebook = "" if talk.owner and link == self._notebook.link(talk.owner) else link
        return self.shown(talk)

    def own(self, talk: Talk) -> str:
        """Open one's own notebook again."""
        talk.notebook = ""
        return self.shown(talk)

    def _notes(self, talk: Talk) -> list[Note]:
        return self._notebook.shared(talk.notebook) if talk.notebook else self._notebook.notes(talk.owner)

    def pin(self, event: gr.EventData, talk: Talk) -> str:
        """Pin an answer, or with a marker one of its quotes."""
        talk.notebook = ""  # what is pinned goes into one's own
        exchange = talk.exchange(number(event, "turn"))
        if exchange is not None and exchange.answer is not None and talk.owner:
            marker = number(event, "marker")
            pinned = _quoted(exchange.answer, marker) if marker else exchange.answer
            if pinned is not None:
                self._notebook.add(talk.owner, pinned)
        return self.shown(talk)

    def add(self, talk: Talk) -> str:
        """An empty note for own words."""
        talk.notebook = ""
        self._notebook.add(talk.owner, None)
        return self.shown(talk)

    def write(self, event: gr.EventData, talk: Talk) -> None:
        """Keep one's own words."""
        self._notebook.write(talk.owner, text(event, "id"), text(event, "text", 20_000))

    def move(self, event: gr.EventData, talk: Talk) -> str:
        """Move a note up or down."""
        with suppress(AppError):  # it was taken out in another window; what is shown next tells so
            self._notebook.move(talk.owner, text(event, "id"), -1 if text(event, "by") == "-1" else 1)
        return self.shown(talk)

    def remove(self, event: gr.EventData, talk: Talk) -> str:
        """Take a note out."""
        self._notebook.remove(talk.owner, text(event, "id"))
        return self.shown(talk)

    def export(self, title: str, form: str, talk: Talk) -> tuple[str, str]:
        """Name, type and bytes of a draft as JSON for the browser, and a notice."""
        title = " ".join((title or "").split())[:200] or _TITLE
        try:
            notes = self._notes(talk)
            if not notes:
                return "", render("notice.html", text="Pin an answer or a quote first.")
            made = draft(title, notes, form)
        except AppError as exc:
            return "", render("notice.html", text=f"{exc}.")
        return parcel(PurePath(file_name(title, "markdown")).stem, form, made), ""


def build(tab: NotebookTab, bridge: gr.HTML, talk: gr.State) -> gr.HTML:
    """The tab's components and events."""
    with gr.Row(elem_id="draft", equal_height=False):
        title = gr.Textbox(label="Title of the draft", value=_TITLE, max_lines=1, scale=2, min_width=180, elem_id="draft-title")
        form = gr.Dropdown(choices("markdown", "html", "docx", "csl-json"), value="markdown", label="As", scale=1, min_width=160, elem_id="draft-form")
        with gr.Column(scale=0, min_width=150):
            make = gr.Button("Download the draft", size="sm", variant="primary", elem_id="draft-button")
            new = gr.Button("Add a note", size="sm", elem_id="add-note")
            gr.HTML('<button type="button" class="quiet" data-link="#/notebook">Copy link to the notebook</button>', elem_id="link-notes", apply_default_css=False)
    notice = gr.HTML("", elem_id="draft-notice", apply_default_css=False)
    shown = gr.HTML("", elem_id="notebook", apply_default_css=False)
    file = gr.Textbox(elem_classes="bridge", label="Draft")
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
    for event, handler in ((bridge.pin, tab.pin), (bridge.movenote, tab.move), (bridge.unpin, tab.remove)):
        event(handler, talk, shown, **quiet)
    for event, change in (
        (bridge.sharenotes, tab.share), (bridge.unsharenotes, tab.unshare), (bridge.readnotes, tab.read), (bridge.ownnotes, tab.own),
    ):  # fmt: skip
        event(change, talk, shown, **quiet)
    bridge.writenote(tab.write, talk, None, **quiet)
    new.click(tab.add, talk, shown, **quiet)
    made = make.click(tab.export, [title, form, talk], [file, notice], **quiet)
    made.then(None, file, None, js="(file) => window.iskp.save(file)", **{k: v for k, v in quiet.items() if k != "queue"})
    return shown


def _quoted(answer: Answer, marker: int) -> Answer | None:
    """One citation of an answer as an answer of its own."""
    cited = next((c for c in answer.citations if c.marker == marker), None)
    if cited is None:
        return None
    return replace(
        answer, question=cited.title, standalone_question=cited.title, answer=f"{spoken(cited, cited.quote)} [1]", short_answer=None,
        citations=(replace(cited, marker=1),), differences=(), rows=(), shape="point", nearest=(),
    )  # fmt: skip


def _view(note: Note) -> dict[str, Any]:
    answer = note.answer
    cited = answer.citations if answer else ()
    return {
        "id": note.id, "words": note.words, "heading": answer.question if answer else "",
        "lines": [MARKER.sub(r"[\1]", line.replace("**", "")) for line in answer.answer.splitlines() if line.strip()] if answer else [],
        "cited": [(c.marker, re.sub(r"\s+", " ", described(c, c.locator)), c.source_id, c.start, c.end) for c in cited],
    }  # fmt: skip
