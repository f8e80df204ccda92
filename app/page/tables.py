"""Tables of the page: searched and sorted in the browser, so that no click waits for the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.render import render


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """A button in a row; ``data`` goes with its event, ``sure`` is asked first."""

    act: str
    label: str
    data: Mapping[str, str] = field(default_factory=dict)
    sure: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """A row of texts; ``name`` tells screen readers what its buttons are for."""

    cells: tuple[str, ...]
    name: str = ""
    acts: tuple[Act, ...] = ()


def table_html(
    caption: str, header: Sequence[str], rows: Sequence[TableRow], *, find: str = "", unit: str = "rows"
) -> str:
    """A table; with ``find``, a search box of that label above it."""
    return render(
        "table.html", caption=caption, header=header, rows=rows, has_acts=any(r.acts for r in rows),
        searchable=bool(find), find=find, unit=unit,
    )  # fmt: skip
