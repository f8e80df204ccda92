"""Questions and sources as a table: in each cell the source's own sentence, which leads to its passage, or that it says nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from app.access.exposure import Gate
from app.answering.grid import Cell, Grid, grid
from app.citation_text import byline, is_summary, lead, spoken
from app.errors import AppError
from app.exports.grid import words, write
from app.home import Home
from app.page.parcel import choices, parcel
from app.page.place import Place
from app.page.scope import chosen_of, scope_html
from app.page.talk import Talk
from app.page.work import Tell, Work
from app.rendering.prose import table_html
from app.rendering.render import render
from app.text.counts import some_say
from ingest.source import Source

PLACE = "compare"
_TITLE = "Comparing sources"
_DRAW_SECONDS = 0.5
"""At most so often is a growing table drawn anew."""
_EMPTY = "There are no sources yet: add some on the Sources tab, then ask them here."

Cells = Mapping[tuple[str, str], Cell]


class Compared(NamedTuple):
    """What a handler changes."""

    work: Any = gr.skip()
    table: Any = gr.skip()
    scope: Any = gr.skip()


class CompareTab:
    """What the view does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home, work: Work, gate: Gate | None = None) -> None:
        self._home = home
        self._place: Place[Grid] = Place(work, PLACE, _TITLE, gate)

    @property
    def place(self) -> Place[Grid]:
        """Its jobs."""
        return self._place

    def run(self, questions: str, chosen: str, talk: Talk, client: str = "here") -> Iterator[Compared]:
        """Ask each chosen source each question, one a line; all sources where none is chosen."""
        sources = list(self._home.library)
        wanted = set(chosen_of(chosen))
        picked = [s for s in sources if s.id in wanted] or sources
        asked = (questions or "").splitlines()
        if not any(q.strip() for q in asked):
            yield Compared(work=self._place.tell(talk.owner, "Type a question first; several stand on lines of their own."))
            return
        if not picked:
            yield Compared(work=self._place.tell(talk.owner, _EMPTY))
            return
        cells: dict[tuple[str, str], Cell] = {}

        def ask(question: str, ids: Sequence[str]) -> Iterable[Cell]:
            for cell in self._home.answerer.ask_each(question, ids):
                cells[question, cell.source_id] = cell
                yield cell

        def job(tell: Tell) -> tuple[Grid, str]:
            tell.step("loading the models")
            made = grid(asked, picked, ask, lambda done, total: tell.go_on("asking", done, total))
            said = sum(c.status == "said" for row in made.rows for c in row)
            return made, f"{some_say(said, len(made.questions) * len(picked), 'cell')}."

        drawn, begun = 0.0, self._place.result(talk.owner)
        lines = tuple(dict.fromkeys(q.strip() for q in asked if q.strip()))
        for shown in self._place.run(job, talk.owner, client):
            if cells and time.monotonic() - drawn > _DRAW_SECONDS:
                drawn = time.monotonic()
                yield Compared(work=shown, table=_table(lines, picked, dict(cells), growing=True))
            else:
                yield Compared(work=shown)
        if self._place.result(talk.owner) is not begun:
            yield self.shown(talk)
        elif cells:  # stopped
            yield Compared(table=_table(lines, picked, cells))

    def opened(self, talk: Talk) -> Iterator[Compared]:
        """The view of somebody who comes back: the sources to choose from, the last table, or how far it is."""
        self._place.untell(talk.owner)
        yield Compared(scope=self.scope())
        for shown in self._place.follow(talk.owner):
            yield Compared(work=shown)
        yield self.shown(talk)

    def scope(self) -> str:
        """The sources to choose from."""
        return scope_html(self._home, "choose")

    def shown(self, talk: Talk) -> Compared:
        """The last table of somebody, and what its job said."""
        made = self._place.result(talk.owner)
        table = "" if made is None else _table(made.questions, made.sources, {(c.question, c.source_id): c for row in made.rows for c in row})
        return Compared(work=self._place.shown(talk.owner), table=table)

    def export(self, form: str, talk: Talk) -> tuple[str, str]:
        """The last table as a file for the browser, and a notice."""
        made = self._place.result(talk.owner)
        if made is None:
            return "", render("notice.html", text="There is no table yet: compare some sources first.")
        try:
            return parcel("comparison", form, write(made, form)), ""
        except AppError as exc:
            return "", render("notice.html", text=f"{exc}.")


def build(tab: CompareTab, talk: gr.State, client: Any) -> list[Any]:
    """The view's components and events; gives what :class:`Compared` fills.

    Args:
        client: gives who asks of a request, for counting.
    """
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=280):
            questions = gr.Textbox(
                label="Questions, one a line", lines=3, max_lines=10, elem_id="compare-questions",
                placeholder="How many fighters does ISKP have?\nWho leads it?",
            )  # fmt: skip
            with gr.Row(elem_classes="bar"):
                go = gr.Button("Compare the sources", variant="primary", scale=0, min_width=190, elem_id="compare-go")
                form = gr.Dropdown(choices("csv", "xlsx", "markdown", "html"), value="csv", show_label=False, label="Download as", container=False, scale=0, min_width=170, elem_id="compare-form")
                save = gr.Button("Download", scale=0, min_width=110, elem_id="compare-save")
        with gr.Column(scale=2, min_width=280), gr.Accordion("Sources to ask (none ticked: all)", open=False, elem_id="compare-sources"):
            scope = gr.HTML(tab.scope(), elem_id="compare-scope", apply_default_css=False)
    notice = gr.HTML("", elem_id="compare-notice", apply_default_css=False)
    work = gr.HTML("", elem_id="compare-work", apply_default_css=False)
    table = gr.HTML("", elem_id="compare-table", apply_default_css=False)
    ids, file = (gr.Textbox(elem_classes="bridge", label=name) for name in ("Sources", "Table"))
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    def run(asked: str, chosen: str, whose: Talk, request: gr.Request) -> Iterator[Compared]:
        yield from tab.run(asked, chosen, whose, client(request))

    go.click(run, [questions, ids, talk], [work, table, scope], js="(q, ids, talk) => [q, window.iskp.chosen('compare-scope'), talk]", concurrency_limit=8, concurrency_id="work", **quiet)
    made = save.click(tab.export, [form, talk], [file, notice], queue=False, **quiet)
    made.then(None, file, None, js="(file) => window.iskp.save(file)", **quiet)
    return [work, table, scope]


def _table(questions: Sequence[str], sources: Sequence[Source], cells: Cells, *, growing: bool = False) -> str:
    """Those that say something first; the others are folded where there are many."""
    rows = [(source, [cells.get((q, source.id)) for q in questions]) for source in sources]
    if not growing:
        rows.sort(key=lambda row: not any(c and c.citation for c in row[1]))
    said = sum(any(c and c.citation for c in found) for _, found in rows)
    html = [[_source(source), *(_cell(c, source) for c in found)] for source, found in rows]
    caption = f"What each source says: {some_say(said, len(rows), 'source')}"
    return f'<div class="answer">{table_html(caption, ["Source", *map(escape, questions)], html, kind="wordy compared", first=0 if growing else max(said, 1), sides=True)}</div>'


def _source(source: Source) -> str:
    return f'{escape(lead(source) + source.title)}<span class="meta byline">{escape(byline(source))}</span>'


def _cell(cell: Cell | None, source: Source) -> str:
    if cell is None:
        return '<span class="meta">…</span>'
    c = cell.citation
    if c is None:
        return f'<span class="meta">{escape(words(cell))}</span>'
    return render("cell.html", text=spoken(c, words(cell)), ours=is_summary(c), c=c, title=source.title)
