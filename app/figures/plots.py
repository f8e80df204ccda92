"""Figures of one thing over time, drawn from the fact layer: who gave them, when, in which words. Plotly, no remote resources."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from app.citation_text import byline, lead, one_line, place, spoken
from app.ledger.entries import Point, Series
from app.rendering.render import render
from app.text.counts import counted

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from app.home import Home

MOST = 8
"""Things that are drawn."""
# Okabe and Ito's colours (jfly.uni-koeln.de/color), those with most contrast on white first; black and yellow
# are left out, since one of them is lost on either background.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SYMBOLS = ("circle", "square", "diamond", "cross", "star", "hexagon")
OTHER = "others"
_OUTLINE = "#767c85"
"""Grey with a contrast above 4:1 on white and on black, around every mark."""
_INK = {False: "#1b1f24", True: "#e6e9ed"}
_GRID = {False: "#e3e7ec", True: "#333a43"}
_FONT = "system-ui, -apple-system, Segoe UI, sans-serif"
_APART = 1 / 110
"""Figures that would hide each other are drawn this share of the whole time apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the table beneath a figure; ``source_id[start:end]`` is its sentence."""

    key: str
    cells: tuple[str, ...]
    source_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure with the table beneath it.

    Attributes:
        name: the thing in letters and hyphens, for addresses.
        caption: how to read it.
        figure: each point's ``customdata`` is ``[key, source_id, start, end, hover text]``.
        header: names of the cells of each line.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    header: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A point with what it is drawn as.

    Attributes:
        low, high: ends of its bar; the same for a single figure.
        symbol: "" for the one of its group.
    """

    key: str
    point: Point
    group: str
    low: float
    high: float
    symbol: str


def draw(home: Home, *, dark: bool = False, rest: str = "for the rest run: iskp index") -> tuple[list[Drawing], str]:
    """The things of a home with figures of most dates, at most :data:`MOST`, and what of the home is not drawn, in a sentence.

    Args:
        rest: what becomes of sources that are not read yet; the end of that sentence.
    """
    found = home.series()
    coverage = home.facts.coverage(home.library, home.vocabulary())
    told = []
    if len(found) > MOST:
        told.append(f"Drawn are the {MOST} things with figures of most dates, of {len(found)}.")
    if not coverage.complete:
        share = int(100 * coverage.done / coverage.total)
        told.append(f"facts: {share} % ({coverage.done} of {coverage.total} sources are read); {rest}.")
    names: set[str] = set()
    return [_drawing(s, names, home, dark=dark) for s in found[:MOST]], " ".join(told)


def _drawing(series: Series, names: set[str], home: Home, *, dark: bool) -> Drawing:
    base = name = re.sub(r"\W+", "-", series.thing.lower()).strip("-")
    number = 1
    while name in names:
        number += 1
        name = f"{base}-{number}"
    names.add(name)
    rows = [_row(f"{name}-{n}", p, home) for n, p in enumerate(series.points, start=1)]
    undated = sum(p.first is None for p in series.points)
    return Drawing(
        name=name, title=series.thing, caption=" ".join((_CAPTION, f"{counted(undated, 'figure')} without a date: in the table." if undated else "")).strip(),
        figure=figure_of([r for r in rows if r.point.first is not None], dark=dark),
        header=("when", "figure", "who", "words", "source", "place"), lines=tuple(_line(r) for r in rows),
    )  # fmt: skip


def _row(key: str, point: Point, home: Home) -> _Row:
    q = point.figure.quantity
    assert q is not None  # a series is of quantities
    low, high, symbol = q.point, q.point, ""
    if q.bound == "exact" and q.low < q.high == q.point:
        low = q.low
    elif q.bound in _ARROWS:
        symbol = _ARROWS[q.bound]
    return _Row(key=key, point=point, group=_group(point.figure.holder, home), low=low, high=high, symbol=symbol)


def _group(holder: str, home: Home) -> str:
    """Whose figure it is, in short: the first name that the home knows, else the words up to a comma."""
    vocabulary = home.vocabulary()
    known = vocabulary.mentions(holder)
    return vocabulary.full(known[0]) if known else re.split(r"[,;(]", holder)[0].strip() or holder


def figure_of(rows: Sequence[_Row], *, dark: bool = False) -> Figure:
    """Figures over time: a bar from the lower to the upper one, a line along a time, an arrow where there is only a bound."""
    import plotly.graph_objects as go

    figure = go.Figure()
    places = _apart(rows)
    for n, (group, own) in enumerate(_groups(rows)):
        bars: dict[str, list[Any]] = {"x": [], "y": []}
        marks: dict[str, list[Any]] = {"x": [], "y": [], "customdata": [], "symbol": []}
        for row in own:
            begin, end = (_iso(row.point.first or 0), _iso(row.point.last or 0)) if _long(row) else (_day(places[row.key]),) * 2
            bars["x"] += [begin, end, None]
            bars["y"] += [row.low, row.high, None]
            for x, y in dict.fromkeys(((begin, row.low), (end, row.high))):
                marks["x"].append(x)
                marks["y"].append(y)
                marks["symbol"].append(row.symbol or SYMBOLS[n])
                marks["customdata"].append([row.key, *_target(row), _hover(row)])
        figure.add_scatter(
            x=bars["x"], y=bars["y"], mode="lines", line={"color": COLOURS[n], "width": 5}, opacity=0.7,
            hoverinfo="skip", showlegend=False, legendgroup=group,
        )  # fmt: skip
        figure.add_scatter(
            x=marks["x"], y=marks["y"], mode="markers", showlegend=False, legendgroup=group,
            customdata=marks["customdata"], hovertemplate="%{customdata[4]}<extra></extra>",
            marker={**_mark(n), "symbol": marks["symbol"]},
        )  # fmt: skip
        _add_to_legend(figure, group, n, legendgroup=group)
    units = dict.fromkeys(q.unit for r in rows if (q := r.point.figure.quantity))
    figure.update_yaxes(title_text=escape(_short(", ".join(filter(None, units)), 40)), rangemode="tozero", tickformat=",")
    return _styled(figure, dark, height=400)


def page_html(drawings: Sequence[Drawing], note: str, *, made: str) -> str:
    """The figures and their tables as one page that loads nothing; it follows the reader's light or dark.

    Args:
        note: what is not drawn.
        made: one sentence at the end that says what the page was made from.
    """
    from plotly.offline import get_plotlyjs

    specs = [{"name": d.name, **json.loads(d.figure.to_json())} for d in drawings]
    data = json.dumps({"figures": specs, "light": theme(dark=False), "dark": theme(dark=True)})
    return render(
        "figures.html", title="Figures from the sources", drawings=drawings, note=note, made=made,
        # The text of a script element ends at the next "</script": a title of a source may hold one.
        data=data.replace("<", "\\u003c"), plotly=get_plotlyjs(),
    )  # fmt: skip


def theme(*, dark: bool) -> dict[str, Any]:
    """What ``Plotly.relayout`` needs to change a drawn figure between light and dark."""
    return {
        "font.color": _INK[dark],
        "hoverlabel.bgcolor": "#262c33" if dark else "#ffffff",
        "hoverlabel.font.color": _INK[dark],
        **{
            f"{axis}{n}.{key}": _GRID[dark]
            for axis in ("xaxis", "yaxis")
            for n in ("", *range(2, 9))
            for key in ("gridcolor", "linecolor", "zerolinecolor")
        },
    }


def _mark(n: int) -> dict[str, Any]:
    return {"color": COLOURS[n], "symbol": SYMBOLS[n], "size": 11, "line": {"color": _OUTLINE, "width": 1}}


def _add_to_legend(figure: Figure, group: str, n: int, *, legendgroup: str) -> None:
    """An entry of the legend that shows the group's own mark, whatever its first point looks like."""
    figure.add_scatter(
        x=[None], y=[None], mode="markers", name=_short(escape(group), 44), legendgroup=legendgroup, marker=_mark(n),
        legendrank=n + 1,
    )  # fmt: skip


def _line(row: _Row) -> Line:
    c, figure = row.point.citation, row.point.figure
    cells = (
        figure.when, f"{figure.value} {figure.unit}".strip(), figure.holder, spoken(c, one_line(c.quote)), f"{lead(c)}{c.title}", place(c, c.locator)
    )  # fmt: skip
    return Line(key=row.key, cells=cells, source_id=c.source_id, start=c.start, end=c.end)


def _target(row: _Row) -> tuple[str, int, int]:
    c = row.point.citation
    return c.source_id, c.start, c.end


def _hover(row: _Row) -> str:
    """Text of a hover box; Plotly reads some HTML in it, so everything is escaped."""
    c, figure = row.point.citation, row.point.figure
    where = ", ".join(filter(None, (_short(c.title, 70), place(c, c.locator))))
    under = [figure.holder, figure.when, f"{lead(c)}{where}", byline(c)]
    return "<br>".join([f"<b>{escape(f'{figure.value} {figure.unit}'.strip())}</b>", *(_wrapped(u) for u in under if u)])


def _wrapped(text: str) -> str:
    import textwrap

    return "<br>".join(escape(part) for part in textwrap.wrap(text, 60))


def _groups(rows: Sequence[_Row]) -> list[tuple[str, list[_Row]]]:
    """The rows by group, the largest first; when there are more groups than colours, the rest share the last."""
    names = _by_frequency(r.group for r in rows)
    own = names if len(names) <= len(COLOURS) else names[: len(COLOURS) - 1]
    found: dict[str, list[_Row]] = {name: [] for name in own}
    for row in rows:
        found.setdefault(row.group if row.group in own else OTHER, []).append(row)
    return list(found.items())


def _by_frequency(names: Iterable[str]) -> list[str]:
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return sorted(counted, key=lambda name: -counted[name])


def _apart(rows: Sequence[_Row]) -> dict[str, float]:
    """The day that each row is drawn at: near its date, so that no bar hides another."""
    days = [_middle(row) for row in rows]
    step = max(1.0, (max(days) - min(days)) * _APART) if days else 1.0
    near = (max((r.high for r in rows), default=0.0)) * _APART
    placed: dict[str, tuple[float, float, float]] = {}
    for row in rows:
        for n in range(2 * len(rows)):
            x = _middle(row) + step * ((n + 1) // 2) * (1 if n % 2 else -1)
            if not any(abs(x - o) < step and row.low <= h + near and lo <= row.high + near for o, lo, h in placed.values()):
                break
        placed[row.key] = (x, row.low, row.high)
    return {key: x for key, (x, _, _) in placed.items()}


def _long(row: _Row) -> bool:
    """Whether the time that a figure is of is drawn: of one that says what went on over it."""
    return row.point.whole and row.low == row.high and row.point.first != row.point.last


def _middle(row: _Row) -> float:
    first, last = (date.fromisoformat(_iso(n or 0)).toordinal() for n in (row.point.first, row.point.last))
    return (first + last) / 2


def _iso(number_: int) -> str:
    return f"{number_ // 10000:04d}-{number_ // 100 % 100:02d}-{number_ % 100:02d}"


def _day(ordinal: float) -> str:
    return (datetime(1, 1, 1) + timedelta(days=ordinal - 1)).strftime("%Y-%m-%d")


def _short(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _styled(figure: Figure, dark: bool, *, height: int) -> Figure:
    figure.update_layout(
        template="none", height=height, autosize=True, margin={"l": 60, "r": 24, "t": 36, "b": 40}, hovermode="closest",
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", font={"family": _FONT, "size": 13, "color": _INK[dark]},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "title": {"text": ""}},
        hoverlabel={
            "align": "left", "bordercolor": _OUTLINE, "bgcolor": "#262c33" if dark else "#ffffff",
            "font": {"size": 13, "color": _INK[dark], "family": _FONT},
        },
    )  # fmt: skip
    lines = {"gridcolor": _GRID[dark], "linecolor": _GRID[dark], "zerolinecolor": _GRID[dark]}
    figure.update_xaxes(type="date", **lines)
    figure.update_yaxes(automargin=True, **lines)
    return figure


_ARROWS = {"at least": "arrow-up", "at most": "arrow-down"}
_CAPTION = (
    "Each mark is the figure of one sentence. A bar runs from its lower to its upper end or along the time that was counted; an arrow "
    "is a bound. Who counts may count differently: the table has the words."
)
