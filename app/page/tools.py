"""The Tools tab: sources compared, the ledger, the draft desk, what is new."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.access.exposure import Gate
from app.home import Home
from app.page import compare, desk, ledger, news
from app.page.ask import client_of
from app.page.talk import Talk
from app.page.work import Work
from app.rendering.render import render

_ABOUT = {
    "Compare": "Ask several sources the same questions: each cell holds the source’s own sentence, or says that it says nothing.",
    "Ledger": "One entry for each thing that sources measure or dispute: every claim with who says it, when, how it came here, and what contradicts it.",
    "Draft desk": "Paste a draft: each sentence gets a verdict, the words for and against it, and a footnote.",
    "What is new": "Keep questions, and see what new sources add to their answers or change in them.",
}


class Tools:
    """The parts of the tab."""

    def __init__(self, home: Home, work: Work, gate: Gate | None = None, *, read_only: bool = False) -> None:
        self.compare = compare.CompareTab(home, work, gate)
        self.ledger = ledger.LedgerTab(home, work, gate, read_only=read_only)
        self.desk = desk.DeskTab(home, work, gate)
        self.news = news.NewsTab(home, work, gate, read_only=read_only)

    def stop(self, talk: Talk) -> None:
        """Stop the job that this visitor started here."""
        for part in self._parts():
            part.place.stop(talk.owner)

    def dismiss(self, work: Work, talk: Talk) -> list[str]:
        """Let the result of one's last job go; how far the jobs of each part are then."""
        work.dismiss(talk.owner)
        return [part.place.shown(talk.owner) for part in self._parts()]

    def _parts(self) -> Iterator[Any]:
        yield from (self.compare, self.ledger, self.desk, self.news)


def build(tools: Tools, work: Work, bridge: gr.HTML, talk: gr.State, tab: gr.Tab, *, read_only: bool) -> None:
    """The tab's components and events."""
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
    with gr.Tabs(elem_id="tools-tabs"):
        with gr.Tab("Compare", id="compare") as first:
            _about("Compare")
            compared = compare.build(tools.compare, talk, client_of)
        with gr.Tab("Ledger", id="ledger") as second:
            _about("Ledger")
            listed = ledger.build(tools.ledger, bridge, talk, client_of)
        with gr.Tab("Draft desk", id="draft") as third:
            _about("Draft desk")
            style, checked = desk.build(tools.desk, talk, client_of)
        with gr.Tab("What is new", id="new") as fourth:
            _about("What is new")
            told = news.build(tools.news, bridge, talk, client_of, read_only=read_only)
    for chosen in (tab, first):
        chosen.select(tools.compare.opened, talk, compared, js=_once_there("compare-table"), **quiet)
    second.select(tools.ledger.opened, talk, listed, js=_once_there("ledger"), **quiet)
    third.select(tools.desk.opened, [style, talk], checked, js="(style) => window.iskp.mounted('desk').then(() => [style, null])", **quiet)
    fourth.select(tools.news.opened, talk, told, js=_once_there("news"), **quiet)
    bridge.stopwork(tools.stop, talk, None, api_visibility="private", queue=False)
    shown = [compared[0], listed[0], checked[0], told[0]]
    bridge.dismiss(lambda whose: tools.dismiss(work, whose), talk, shown, api_visibility="private", show_progress="hidden", queue=False)


def _about(part: str) -> None:
    gr.HTML(render("about_part.html", title=part, text=_ABOUT[part]), elem_classes="about-part", apply_default_css=False)


def _once_there(element: str) -> str:
    return f"() => window.iskp.mounted('{element}').then(() => [null])"  # null stands for the conversation
