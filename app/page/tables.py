"""Tables of the page: searched and sorted in the browser, so that no click waits for the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.rendering.render import render
from app.text.counts import counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A button in a row; ``data`` goes with its event, ``sure`` is asked first."""

    act: str
    label: str
    data: Mapping[str, str] = field(default_factory=dict)
    sure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of texts; ``name`` tells screen readers what its buttons are for.

    Attributes:
        lead: what a click on the first text does.
        new: whether the row is shown as one that has just come.
    """

    cells: tuple[str, ...]
    name: str = ""
    acts: tuple[Act, ...] = ()
    lead: Act | None = None
    new: bool = False


def table_html(
    caption: str, header: Sequence[str], rows: Sequence[TableRow], *, find: str = "", unit: str = "row",
    apart: tuple[str, Sequence[TableRow]] = ("", ()),
) -> str:  # fmt: skip
    """A table; with ``find``, a search box of that label above it.

    Args:
        unit: what a row is, in the singular.
        apart: rows that stand by themselves below the others, with their heading.
    """
    return render(
        "table.html", caption=caption, header=header, bodies=[("", rows), *([apart] if apart[1] else [])],
        has_acts=any(r.acts for r in (*rows, *apart[1])), searchable=bool(find), find=find, unit=unit,
        count=counted(len(rows) + len(apart[1]), unit),
    )  # fmt: skip
