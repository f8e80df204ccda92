"""The draft desk: paragraphs of one's own, each sentence with its verdict, the words for and against, and a footnote."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

import gradio as gr

from app.access.exposure import Gate
from app.errors import AppError
from app.exports.checked import STYLES, Noted, notes, summary, write
from app.home import Home
from app.page.parcel import choices, parcel
from app.page.place import Place
from app.page.talk import Talk
from app.page.work import Tell, Work
from app.rendering.html import told_html
from app.rendering.render import render
from app.support.draft import CheckedDraft, check_draft

PLACE = "draft"
_STYLES = (("Chicago notes", "chicago"), ("Chicago bibliography", "chicago-bibliography"))
_TITLE = "Checking a draft"
_ICONS = {"supported": "yes", "contradicted": "no", "disputed": "disputed", "claimed": "unclear", "not found": "abstained"}


class Checked(NamedTuple):
    """What a handler changes."""

    work: Any = gr.skip()
    draft: Any = gr.skip()


class DeskTab:
    """What the view does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home, work: Work, gate: Gate | None = None) -> None:
        self._home = home
        self._place: Place[CheckedDraft] = Place(work, PLACE, _TITLE, gate)

    @property
    def place(self) -> Place[CheckedDraft]:
        """Its jobs."""
        return self._place

    def run(self, text: str, style: str, talk: Talk, client: str = "here") -> Iterator[Checked]:
        """Hold each sentence against the sources."""
        if not (text or "").strip():
            yield Checked(work=self._place.tell(talk.owner, "Paste some paragraphs first."))
            return
        if not self._home.library.fingerprints():
            yield Checked(work=self._place.tell(talk.owner, "There are no sources yet: add some on the Sources tab, then check a draft against them."))
            return

        def job(tell: Tell) -> tuple[CheckedDraft, str]:
            tell.step("loading the models")
            opened = self._home.index.current()
            made = check_draft(
                text, lambda claim: self._home.checker.check(claim, opened), lambda done, total: tell.go_on("checking sentences", done, total)
            )
            return made, f"{summary(made)}."

        for shown in self._place.run(job, talk.owner, client):
            yield Checked(work=shown)
        yield self.shown(style, talk)

    def opened(self, style: str, talk: Talk) -> Iterator[Checked]:
        """The view of somebody who comes back."""
        self._place.untell(talk.owner)
        for shown in self._place.follow(talk.owner):
            yield Checked(work=shown)
        yield self.shown(style, talk)

    def shown(self, style: str, talk: Talk) -> Checked:
        """The last draft of somebody with footnotes of a style."""
        made = self._place.result(talk.owner)
        return Checked(work=self._place.shown(talk.owner), draft="" if made is None else _draft(notes(made, _known(style))))

    def export(self, form: str, style: str, talk: Talk) -> tuple[str, str]:
        """The last draft as a file for the browser, and a notice."""
        made = self._place.result(talk.owner)
        if made is None:
            return "", render("notice.html", text="No draft is checked yet: paste one and check it first.")
        try:
            return parcel("checked-draft", form, write(made, form, _known(style))), ""
        except AppError as exc:
            return "", render("notice.html", text=f"{exc}.")


def build(tab: DeskTab, talk: gr.State, client: Any) -> tuple[gr.Dropdown, list[Any]]:
    """The view's components and events: the style of footnotes, and what :class:`Checked` fills. See :func:`app.page.compare.build`."""
    draft = gr.Textbox(
        label="Paragraphs of your own", lines=6, max_lines=18, elem_id="desk-draft",
        placeholder="Paste paragraphs here. Each sentence is held against the sources; headings and questions are left as they are.",
    )  # fmt: skip
    with gr.Row(elem_classes="bar"):
        go = gr.Button("Check the draft", variant="primary", scale=0, min_width=150, elem_id="desk-go")
        style = gr.Dropdown(list(_STYLES), value="chicago", show_label=False, label="Footnotes as", container=False, scale=0, min_width=180, elem_id="desk-style")
        form = gr.Dropdown(choices("docx", "markdown", "text", "json"), value="docx", show_label=False, label="Download as", container=False, scale=0, min_width=150, elem_id="desk-form")
        save = gr.Button("Download", scale=0, min_width=110, elem_id="desk-save")
    notice = gr.HTML("", elem_id="desk-notice", apply_default_css=False)
    work = gr.HTML("", elem_id="desk-work", apply_default_css=False)
    checked = gr.HTML("", elem_id="desk", apply_default_css=False)
    file = gr.Textbox(elem_classes="bridge", label="Checked draft")
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    def run(text: str, chosen: str, whose: Talk, request: gr.Request) -> Iterator[Checked]:
        yield from tab.run(text, chosen, whose, client(request))

    go.click(run, [draft, style, talk], [work, checked], concurrency_limit=8, concurrency_id="work", **quiet)
    style.change(tab.shown, [style, talk], [work, checked], queue=False, **quiet)
    made = save.click(tab.export, [form, style, talk], [file, notice], queue=False, **quiet)
    made.then(None, file, None, js="(file) => window.iskp.save(file)", **quiet)
    return style, [work, checked]


def _known(style: str) -> str:
    return style if style in STYLES else next(iter(STYLES))


def _draft(noted: list[Noted]) -> str:
    paragraphs = [[_sentence(n) for n in group] for _, group in groupby(noted, key=lambda n: n.sentence.paragraph)]
    return render("desk.html", paragraphs=paragraphs, notes=[(n.number, n.parts) for n in noted if n.number])


def _sentence(noted: Noted) -> dict[str, Any]:
    sentence = noted.sentence
    check = sentence.check
    return {
        "text": sentence.text, "lead": sentence.lead, "number": noted.number, "heading": sentence.lead.startswith("#"),
        "words": check.words if check else "", "icon": _ICONS.get(sentence.verdict, "open"), "sides": told_html(check) if check else "",
        "reasons": check.reasons if check else (),
    }  # fmt: skip
