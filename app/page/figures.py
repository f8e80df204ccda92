"""The Figures tab: what the tables of the corpus say, drawn, with the rows beneath and the passage of each point."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.figures.plots import Drawing, Line, draw
from app.home import Home
from app.page.tables import Act, TableRow, table_html
from app.rendering.render import render

NAMES = ("strength", "attacks", "timeline")
_DRAWING = "Drawing the figures …"
_NONE = "The sources of this home bring no tables, so there is nothing to draw."


class FiguresTab:
    """What the tab does."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def drawn(self, dark: str) -> list[Any]:
        """A note, then for each of :data:`NAMES` its heading, plot and table.

        Args:
            dark: "dark" where the page is.
        """
        drawings, problems = draw(self._home, dark=dark == "dark")
        found = {d.name: d for d in drawings}
        note = " ".join(problems) if drawings else _NONE
        parts: list[Any] = [render("notice.html", text=note) if note else ""]
        for name in NAMES:
            parts += _parts(found.get(name))
        return parts


def build(tab: FiguresTab) -> tuple[gr.Textbox, list[Any]]:
    """The tab's components: what tells light from dark, and what :meth:`FiguresTab.drawn` fills."""
    dark = gr.Textbox(elem_classes="bridge", label="Theme")
    parts: list[Any] = [gr.HTML(render("waiting.html", text=_DRAWING), elem_id="figures-note", apply_default_css=False)]
    for name in NAMES:
        parts.append(gr.HTML("", elem_id=f"figure-{name}-head", apply_default_css=False))
        parts.append(gr.Plot(show_label=False, elem_id=f"figure-{name}", visible=False))
        parts.append(gr.HTML("", elem_id=f"figure-{name}-rows", apply_default_css=False))
    return dark, parts


def _parts(drawing: Drawing | None) -> list[Any]:
    if drawing is None:
        return ["", gr.update(visible=False), ""]
    rows = [TableRow(cells=line.cells, name=line.cells[0], acts=_acts(line)) for line in drawing.lines]
    return [
        render("figure.html", title=drawing.title, caption=drawing.caption, name=drawing.name),
        gr.update(value=drawing.figure, visible=True),
        render("folded.html", title=f"The {len(rows)} rows of this figure")
        .replace("<!--inside-->", table_html(drawing.title, drawing.header, rows, find="Find", unit="row")),
    ]  # fmt: skip


def _acts(line: Line) -> tuple[Act, ...]:
    if line.place is None:
        return ()
    data = {"source": line.place.source_id, "start": str(line.place.start), "end": str(line.place.end)}
    return (Act(act="read", label="Passage", data=data),)
