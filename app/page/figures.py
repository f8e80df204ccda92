"""The Figures tab: figures of one thing over time, drawn, with the rows beneath and the sentence of each point."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.figures.plots import MOST, Drawing, Line, draw
from app.home import Home
from app.page.tables import Act, TableRow, table_html
from app.rendering.render import render

_DRAWING = "Drawing the figures …"
_REST = "the rest is being read: open this tab again in a minute"
_NONE = "Nothing in the sources has figures of two dates, so there is nothing to draw."


class FiguresTab:
    """What the tab does."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._drawn: dict[tuple[object, ...], tuple[list[Drawing], str]] = {}

    def drawn(self, dark: str) -> list[Any]:
        """A note, then for each of :data:`~app.figures.plots.MOST` its heading, plot and table; those without a drawing are empty.

        Args:
            dark: "dark" where the page is.
        """
        drawings, note = self._of_now(dark=dark == "dark")
        if not drawings and not note:
            note = _NONE
        parts: list[Any] = [render("notice.html", text=note) if note else ""]
        for n in range(MOST):
            parts += _parts(drawings[n] if n < len(drawings) else None)
        return parts

    def _of_now(self, *, dark: bool) -> tuple[list[Drawing], str]:
        """What is drawn, kept until the index or the fact layer has changed."""
        opened = self._home.index.current()
        key = opened.id if opened else "", self._home.facts.coverage(self._home.library, self._home.vocabulary()), dark
        if key not in self._drawn:
            self._drawn = {key: draw(self._home, dark=dark, rest=_REST)}
        return self._drawn[key]


def build(tab: FiguresTab) -> tuple[gr.Textbox, list[Any]]:
    """The tab's components: what tells light from dark, and what :meth:`FiguresTab.drawn` fills."""
    dark = gr.Textbox(elem_classes="bridge", label="Theme")
    parts: list[Any] = [gr.HTML(render("waiting.html", text=_DRAWING), elem_id="figures-note", apply_default_css=False)]
    for n in range(1, MOST + 1):
        parts.append(gr.HTML("", elem_classes="figure-head", apply_default_css=False))
        parts.append(gr.Plot(show_label=False, elem_id=f"figure-{n}", elem_classes="figure-plot", visible=False))
        parts.append(gr.HTML("", elem_id=f"figure-{n}-rows", apply_default_css=False))
    return dark, parts


def _parts(drawing: Drawing | None) -> list[Any]:
    if drawing is None:
        return ["", gr.update(visible=False), ""]
    rows = [TableRow(cells=line.cells, name=line.cells[1], acts=(_read(line),)) for line in drawing.lines]
    return [
        render("figure.html", title=drawing.title, caption=drawing.caption, name=drawing.name),
        gr.update(value=drawing.figure, visible=True),
        render("folded.html", title=f"The {len(rows)} rows of this figure")
        .replace("<!--inside-->", table_html(drawing.title, drawing.header, rows, find="Find", unit="row")),
    ]  # fmt: skip


def _read(line: Line) -> Act:
    return Act(act="read", label="Passage", data={"source": line.source_id, "start": str(line.start), "end": str(line.end)})
