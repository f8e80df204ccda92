"""What the tables say, drawn: strength over time, attacks by period, a timeline. Plotly, no remote resources."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any, TypeVar

from app.citation_text import byline, lead, place
from app.figures.tables import AttackRow, EventRow, Place, Row, StrengthRow, Tables, find_place, load_tables
from app.rendering.render import render
from ingest.dates import date_bounds
from ingest.source import Source

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

    from app.home import Home

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
_APART_DAYS = 26.0
"""Estimates that would hide each other are drawn this far apart."""

T = TypeVar("T", bound=Row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the table beneath a figure."""

    key: str
    cells: tuple[str, ...]
    place: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A figure with the table beneath it.

    Attributes:
        name: ``strength``, ``attacks`` or ``timeline``.
        caption: how to read it, one or two sentences.
        figure: each point's ``customdata`` is ``[key, source_id, start, end, …]``; start and end are None
            where the passage is not known.
        header: names of the cells of each line.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    header: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What hovering needs to know beside the row."""

    places: Mapping[str, Place]
    sources: Callable[[str], Source | None]


def draw(home: Home, *, dark: bool = False) -> tuple[list[Drawing], tuple[str, ...]]:
    """The figures that there are rows for, and one sentence for each row that cannot be used."""
    tables = load_tables(home)
    shown = _shown(home, tables)
    drawings = [
        Drawing(
            name="strength", title="How many fighters: estimates over time", caption=_STRENGTH_CAPTION,
            figure=strength_figure(tables.strength, shown, dark=dark),
            header=("as of", "estimate", "counted", "whose estimate", "source", "place", "note"),
            lines=tuple(_line(r, shown, (r.as_of, estimate(r), r.counts, r.who)) for r in tables.strength),
        ) if tables.strength else None,
        Drawing(
            name="attacks", title="Attacks and trends by period", caption=_ATTACKS_CAPTION,
            figure=attacks_figure(tables.attacks, shown, dark=dark),
            header=("period", "figure", "what is counted", "who counted", "source", "place", "note"),
            lines=tuple(_line(r, shown, (_period(r), f"{number(r.value)} {r.unit}", r.what, r.who)) for r in tables.attacks),
        ) if tables.attacks else None,
        Drawing(
            name="timeline", title="Timeline of events", caption=_EVENTS_CAPTION,
            figure=timeline_figure(tables.events, shown, dark=dark),
            header=("date", "event", "where", "killed", "source", "place", "note"),
            lines=tuple(_line(r, shown, (r.date, r.title, r.place, killed(r))) for r in tables.events),
        ) if tables.events else None,
    ]  # fmt: skip
    return [d for d in drawings if d], tables.problems


def strength_figure(rows: Sequence[StrengthRow], shown: Shown, *, dark: bool = False) -> Figure:
    """Estimates over time: a bar from the lower to the upper figure, an arrow where there is only a lower one."""
    import plotly.graph_objects as go

    figure = go.Figure()
    days = _apart(rows)
    for n, (group, own) in enumerate(_groups(rows)):
        bars: dict[str, list[Any]] = {"x": [], "y": []}
        marks: dict[str, list[Any]] = {"x": [], "y": [], "customdata": [], "symbol": []}
        for row in own:
            x = _day(days[row.key])
            ends = [row.low] if row.high in (None, row.low) else [row.low, row.high]
            bars["x"] += [x, x, None]
            bars["y"] += [ends[0], ends[-1], None]
            for y in ends:
                marks["x"].append(x)
                marks["y"].append(y)
                marks["symbol"].append("arrow-up" if row.high is None else SYMBOLS[n])
                marks["customdata"].append(
                    [
                        *_target(row, shown),
                        _hover(row, shown, f"{estimate(row)} {row.counts}", row.who, f"as of {row.as_of}"),
                    ]
                )
        colour = COLOURS[n]
        figure.add_scatter(
            x=bars["x"], y=bars["y"], mode="lines", line={"color": colour, "width": 5}, opacity=0.7,
            hoverinfo="skip", showlegend=False, legendgroup=group,
        )  # fmt: skip
        figure.add_scatter(
            x=marks["x"], y=marks["y"], mode="markers", showlegend=False, legendgroup=group,
            customdata=marks["customdata"], hovertemplate="%{customdata[4]}<extra></extra>",
            marker={**_mark(n), "symbol": marks["symbol"]},
        )  # fmt: skip
        _add_to_legend(figure, group, n, legendgroup=group)
    unit = ", ".join(dict.fromkeys(r.unit for r in rows))
    figure.update_yaxes(title_text=unit, rangemode="tozero", tickformat=",")
    return _styled(figure, dark, height=460)


def attacks_figure(rows: Sequence[AttackRow], shown: Shown, *, dark: bool = False) -> Figure:
    """Counts by period, one panel for each unit: a bar as long as its period, as high as its figure."""
    from plotly.subplots import make_subplots

    units = _by_frequency(r.unit for r in rows)
    groups = dict(_groups(rows))
    number_of = {row.key: n for n, own in enumerate(groups.values()) for row in own}
    rare = {row.key for row in groups.get(OTHER, ())}
    days = [_middle(d) for row in rows for d in (row.period_start, row.period_end)]
    half = (min(days) + max(days)) / 2 if days else 0
    heights = [170.0] * len(units)
    figure = make_subplots(
        rows=len(units), cols=1, shared_xaxes=True, vertical_spacing=0.3 / max(1, len(units)),
        subplot_titles=[escape(u) for u in units], row_heights=heights,
    )  # fmt: skip
    for panel, unit in enumerate(units, start=1):
        for row in (r for r in rows if r.unit == unit):
            n = number_of[row.key]
            begin, end = _iso(date_bounds(row.period_start)[0]), _iso(date_bounds(row.period_end)[1])
            # The point in between is not drawn: it takes the pointer over the line itself.
            between = _day((_middle(begin) + _middle(end)) / 2)
            data = [
                *_target(row, shown),
                _hover(row, shown, f"{number(row.value)} {row.unit}: {row.what}", row.who, _period(row)),
            ]
            figure.add_scatter(
                x=[begin, between, end], y=[row.value] * 3, mode="lines+markers", legendgroup=str(n), showlegend=False,
                customdata=[data] * 3, hovertemplate="%{customdata[4]}<extra></extra>",
                line={"color": COLOURS[n], "width": 4}, marker={**_mark(n), "size": 9, "opacity": [1, 0, 1]},
                row=panel, col=1,
            )  # fmt: skip
            if row.key in rare:
                # The rare ones share one colour: each line says what it is, on the side where there is room.
                late = _middle(begin) + _middle(end) > 2 * half
                words = escape(_short(row.what, 40))
                figure.add_scatter(
                    x=[begin if late else end], y=[row.value], mode="text", text=[f"{words}  " if late else f"  {words}"],
                    textposition="middle left" if late else "middle right", hoverinfo="skip", cliponaxis=False,
                    textfont={"size": 12, "color": _INK[dark]}, showlegend=False, legendgroup=str(n), row=panel, col=1,
                )  # fmt: skip
    for n, group in enumerate(groups):
        _add_to_legend(figure, group, n, legendgroup=str(n))
    for title in figure.layout.annotations:
        title.update(x=0, xanchor="left", font={"size": 13})
    figure.update_yaxes(rangemode="tozero", tickformat=",")
    return _styled(figure, dark, height=130 + 165 * len(units))


def timeline_figure(rows: Sequence[EventRow], shown: Shown, *, dark: bool = False) -> Figure:
    """Events from the earliest above to the latest below; a date known to the month or year is a bar."""
    import plotly.graph_objects as go

    figure = go.Figure()
    lane = {row.key: n for n, row in enumerate(rows)}
    days = [_middle(row.date) for row in rows]
    half = (min(days) + max(days)) / 2 if days else 0
    for n, (group, own) in enumerate(_groups(rows)):
        bars: dict[str, list[Any]] = {"x": [], "y": []}
        for row in own:
            first, last = date_bounds(row.date)
            if first != last:
                bars["x"] += [_iso(first), _iso(last), None]
                bars["y"] += [lane[row.key], lane[row.key], None]
        colour = COLOURS[n]
        figure.add_scatter(
            x=bars["x"], y=bars["y"], mode="lines", line={"color": colour, "width": 5}, opacity=0.7,
            hoverinfo="skip", showlegend=False, legendgroup=group,
        )  # fmt: skip
        figure.add_scatter(
            x=[_day(_middle(r.date)) for r in own], y=[lane[r.key] for r in own], mode="markers", showlegend=False,
            legendgroup=group, marker=_mark(n), hovertemplate="%{customdata[4]}<extra></extra>",
            customdata=[
                [*_target(r, shown), _hover(r, shown, r.title, r.place, r.date, killed(r) and f"killed: {killed(r)}")]
                for r in own
            ],
        )  # fmt: skip
        late = [_middle(r.date) > half for r in own]
        figure.add_scatter(
            x=[_iso(date_bounds(r.date)[0 if after else 1]) for r, after in zip(own, late, strict=True)],
            y=[lane[r.key] for r in own], mode="text", showlegend=False, legendgroup=group, hoverinfo="skip",
            text=[f"{'' if after else '   '}{escape(_short(r.title, 52))}{'   ' if after else ''}" for r, after in zip(own, late, strict=True)],
            textposition=["middle left" if after else "middle right" for after in late],
            textfont={"size": 12, "color": _INK[dark]}, cliponaxis=False,
        )  # fmt: skip
        _add_to_legend(figure, group, n, legendgroup=group)
    figure.update_yaxes(range=[len(rows) - 0.4, -0.6], showticklabels=False, showgrid=False, zeroline=False)
    return _styled(figure, dark, height=110 + 25 * max(4, len(rows)))


def page_html(drawings: Sequence[Drawing], problems: Sequence[str], *, made: str) -> str:
    """The figures and their tables as one page that loads nothing; it follows the reader's light or dark.

    Args:
        made: one sentence at the end that says what the page was made from.
    """
    from plotly.offline import get_plotlyjs

    specs = [{"name": d.name, **json.loads(d.figure.to_json())} for d in drawings]
    data = json.dumps({"figures": specs, "light": theme(dark=False), "dark": theme(dark=True)})
    return render(
        "figures.html", title="Figures from the sources", drawings=drawings, problems=problems, made=made,
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


def estimate(row: StrengthRow) -> str:
    """The estimate in words: ``1,500–2,200``, ``2,000`` or ``7,000 or more``."""
    if row.high is None:
        return f"{number(row.low)} or more"
    return number(row.low) if row.high == row.low else f"{number(row.low)}–{number(row.high)}"


def killed(row: EventRow) -> str:
    """The toll in words; empty when the sources do not say."""
    if row.killed_low is None:
        return ""
    if row.killed_high in (None, row.killed_low):
        return number(row.killed_low)
    return f"{number(row.killed_low)}–{number(row.killed_high or 0)}"


def number(value: float) -> str:
    """A figure with thousands told apart, a true minus sign and no needless decimals."""
    text = f"{value:,.0f}" if value == int(value) else f"{value:,g}"
    return text.replace("-", "−")


def _mark(n: int) -> dict[str, Any]:
    return {"color": COLOURS[n], "symbol": SYMBOLS[n], "size": 11, "line": {"color": _OUTLINE, "width": 1}}


def _add_to_legend(figure: Figure, group: str, n: int, *, legendgroup: str) -> None:
    """An entry of the legend that shows the group's own mark, whatever its first point looks like."""
    figure.add_scatter(
        x=[None], y=[None], mode="markers", name=_short(escape(group), 44), legendgroup=legendgroup, marker=_mark(n),
        legendrank=n + 1,
    )  # fmt: skip


def _line(row: Row, shown: Shown, cells: tuple[str, ...]) -> Line:
    source = shown.sources(row.source_id)
    title = f"{lead(source)}{source.title}" if source else row.source_id
    where = place(source, row.locator) if source else row.locator
    return Line(key=row.key, cells=(*cells, title, where, row.note), place=shown.places.get(row.key))


def _shown(home: Home, tables: Tables) -> Shown:
    opened = home.index.current()
    if opened is None:
        return Shown(places={}, sources=lambda _: None)
    rows: list[Row] = [*tables.strength, *tables.attacks, *tables.events]
    places = {row.key: place for row in rows if (place := find_place(row, opened))}
    return Shown(places=places, sources=opened.source)


def _target(row: Row, shown: Shown) -> list[str | int | None]:
    place = shown.places.get(row.key)
    return [row.key, row.source_id, place.start if place else None, place.end if place else None]


def _hover(row: Row, shown: Shown, head: str, *lines: str) -> str:
    """Text of a hover box; Plotly reads some HTML in it, so everything is escaped."""
    source = shown.sources(row.source_id)
    where = [_short(source.title, 70), place(source, row.locator)] if source else [row.source_id, row.locator]
    under = [*lines, row.note, f"{lead(source) if source else ''}{', '.join(filter(None, where))}"]
    if source:
        under.append(byline(source))
    return "<br>".join([f"<b>{escape(head)}</b>", *(_wrapped(u) for u in under if u)])


def _wrapped(text: str) -> str:
    import textwrap

    return "<br>".join(escape(part) for part in textwrap.wrap(text, 60))


def _groups(rows: Sequence[T]) -> list[tuple[str, list[T]]]:
    """The rows by group, the largest first; when there are more groups than colours, the rest share the last."""
    names = _by_frequency(r.group for r in rows)
    own = names if len(names) <= len(COLOURS) else names[: len(COLOURS) - 1]
    found: dict[str, list[T]] = {name: [] for name in own}
    for row in rows:
        found.setdefault(row.group if row.group in own else OTHER, []).append(row)
    return list(found.items())


def _by_frequency(names: Iterable[str]) -> list[str]:
    counted: dict[str, int] = {}
    for name in names:
        counted[name] = counted.get(name, 0) + 1
    return sorted(counted, key=lambda name: -counted[name])


def _apart(rows: Sequence[StrengthRow]) -> dict[str, float]:
    """The day that each row is drawn at: near its date, so that no bar hides another."""
    placed: dict[str, tuple[float, float, float]] = {}
    for row in rows:
        low, high, day = row.low, row.high or row.low, _middle(row.as_of)
        for n in range(2 * len(rows)):
            x = day + _APART_DAYS * ((n + 1) // 2) * (1 if n % 2 else -1)
            if not any(abs(x - o) < _APART_DAYS and low <= h and lo <= high for o, lo, h in placed.values()):
                break
        placed[row.key] = (x, low, high)
    return {key: x for key, (x, _, _) in placed.items()}


def _period(row: AttackRow) -> str:
    return row.period_start if row.period_start == row.period_end else f"{row.period_start} to {row.period_end}"


def _middle(iso: str) -> float:
    first, last = (date.fromisoformat(_iso(n)).toordinal() for n in date_bounds(iso))
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


_STRENGTH_CAPTION = (
    "Each bar runs from the lower to the upper figure of one estimate; an arrow is a lower bound. "
    "Fighters, members and family members are counted by different sources: see the table."
)
_ATTACKS_CAPTION = (
    "Each line covers the period that was counted, at the height of its figure. Figures of different counters "
    "count different things and do not form one series. A percent change is the rise, or below zero the fall, that "
    "the counter gives against an earlier period; the note in the table says more."
)
_EVENTS_CAPTION = "Earliest above, latest below. Where only the month or year is known, a bar shows it."
