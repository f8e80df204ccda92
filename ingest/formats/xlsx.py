"""Spreadsheets (XLSX): each visible sheet under its name, figures and dates as the cells show them."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from babel.dates import format_datetime
from babel.numbers import format_decimal
from lxml import etree
from openpyxl import load_workbook
from openpyxl.utils import column_index_from_string
from openpyxl.utils.exceptions import InvalidFileException

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.errors import BadSource
from ingest.formats.table import check_size, sheet_blocks
from ingest.formats.zipped import DAMAGE, as_transitional, open_zip

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_DAMAGED = "the XLSX file is damaged or cut off: save or download it again"
_SECTIONS = re.compile(r';(?=(?:[^"]*"[^"]*")*[^"]*$)')
_DATE_PARTS = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]|AM/PM|A/P|y+|m+|d+|h+|s+(?:\.0+)?|.', re.I | re.S)


def read(data: bytes) -> Extract:
    """Blocks of a workbook, sheet by sheet; formulas by the values that were stored with them.

    Hidden sheets, rows and columns are left out and told of.

    Raises:
        BadSource: it is damaged, encrypted, a zip bomb, or larger than the limits for tables.
    """
    with open_zip(data, what="XLSX") as archive:
        data = as_transitional(archive, data, what="XLSX")
    try:
        workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            sheets = workbook.worksheets
            hidden = [sheet.title for sheet in sheets if sheet.sheet_state != "visible"]
            read_sheets = [_sheet(s, archive) for s in sheets if s.sheet_state == "visible"]
        properties = workbook.properties
    except (KeyError, AttributeError, TypeError, IndexError, InvalidFileException, etree.XMLSyntaxError, SyntaxError,
            *DAMAGE) as exc:  # fmt: skip
        raise BadSource(_DAMAGED) from exc
    check_size(sum(len(s.rows) for s in read_sheets), 0)
    blocks: list[Block] = []
    for sheet in read_sheets:
        if sheet.rows:
            blocks.append(Block(text=sheet.title, role="heading", level=2))
            places = [f"sheet “{sheet.title}”, row {number}" for number in sheet.numbers]
            blocks += sheet_blocks(sheet.rows, places)
    title = clean(properties.title or "").replace("\n", " ") if properties else ""
    return Extract(
        blocks=tuple(blocks),
        metadata=Metadata(title=title or None),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        notices=tuple(_notices(read_sheets, hidden)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """What a reader sees of a sheet: texts of the cells, with the numbers of the rows, empty ones between included."""

    title: str
    rows: list[list[str]]
    numbers: list[int]
    hidden_rows: int
    hidden_columns: int
    without_value: int


def _sheet(sheet: Any, archive: zipfile.ZipFile) -> _Sheet:
    hidden_rows, hidden_columns, without_value = _unseen(archive, sheet._worksheet_path)
    sheet.reset_dimensions()  # some programs state a million rows
    rows: list[list[str]] = []
    numbers: list[int] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number in hidden_rows:
            continue
        shown = [c for i, c in enumerate(cells, start=1) if i not in hidden_columns]
        texts = [_shown(c.value, getattr(c, "number_format", "General") or "General") for c in shown]
        if any(texts) or (rows and any(rows[-1])):  # of empty rows one is enough
            rows.append(texts)
            numbers.append(number)
            check_size(len(rows) // 2, max((i for i, text in enumerate(texts, start=1) if text), default=0))
    while rows and not any(rows[-1]):
        rows.pop()
        numbers.pop()
    return _Sheet(
        title=clean(sheet.title).replace("\n", " "), rows=rows, numbers=numbers, hidden_rows=len(hidden_rows),
        hidden_columns=len(hidden_columns), without_value=without_value,
    )  # fmt: skip


def _unseen(archive: zipfile.ZipFile, path: str) -> tuple[set[int], set[int], int]:
    """Numbers of the hidden rows and columns, and how many formulas have no stored value; openpyxl tells neither."""
    rows: set[int] = set()
    columns: set[int] = set()
    without_value = number = 0
    with archive.open(path.lstrip("/")) as file:
        for event, element in etree.iterparse(
            file, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
            tag=(f"{_MAIN}row", f"{_MAIN}col", f"{_MAIN}c"),
        ):  # fmt: skip
            is_hidden = element.get("hidden") in {"1", "true"}
            if event == "start":
                if element.tag == f"{_MAIN}row":
                    number = int(element.get("r") or number + 1)
                    rows |= {number} if is_hidden else set()
                continue
            if element.tag == f"{_MAIN}col" and is_hidden:
                last = min(int(element.get("max", "0")), column_index_from_string("XFD"))
                columns |= set(range(int(element.get("min", "1")), last + 1))
            elif element.tag == f"{_MAIN}c":
                formula, value = element.find(f"{_MAIN}f"), element.find(f"{_MAIN}v")
                without_value += formula is not None and (value is None or not value.text)
            else:
                element.clear()
    return rows, columns, without_value


def _notices(sheets: list[_Sheet], hidden: list[str]) -> Iterator[str]:
    if hidden:
        yield f"hidden sheets were left out: {', '.join(hidden)}"
    rows = sum(s.hidden_rows for s in sheets)
    columns = sum(1 for s in sheets if s.hidden_columns)
    if rows or columns:
        what = " and ".join(filter(None, (f"{rows} hidden rows" if rows else "", "hidden columns" if columns else "")))
        yield f"{what} were left out: unhide them and add the file again if they matter"
    empty = sum(s.without_value for s in sheets)
    if empty:
        yield f"{empty} formulas have no stored value: open the file in a spreadsheet program and save it"


def _shown(value: object, number_format: str) -> str:
    """A cell's value as a spreadsheet program shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return _shown_time(value, number_format)
    if isinstance(value, dt.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"
    if isinstance(value, int | float):
        return _shown_number(value, number_format)
    return str(value)


def _shown_number(value: float, number_format: str) -> str:
    if not math.isfinite(value):
        return str(value)
    sections = _SECTIONS.split(number_format)
    section = sections[0]
    if value < 0 and len(sections) > 1:
        section, value = sections[1], -value
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    pattern = _number_pattern(section)
    if pattern is None:
        return f"{value:.10g}" if isinstance(value, float) and "E" not in f"{value:.10g}".upper() else repr(value)
    try:
        return " ".join(format_decimal(value, format=pattern, locale="en_US").split())
    except (ValueError, ArithmeticError):
        return repr(value)


def _number_pattern(section: str) -> str | None:
    """The format as the pattern of the Unicode locale data, which is nearly the same; None shows the bare number."""
    section = re.sub(r"\[\$([^\]-]*)[^\]]*\]", lambda found: f'"{found[1]}"' if found[1] else "", section)
    section = re.sub(r"\[[^\]]*\]|[_*].", "", section)
    if "general" in section.lower() or "/" in section or not re.search(r"[0#?]", re.sub(r'"[^"]*"|\\.', "", section)):
        return None
    pieces = []
    for text, escaped, other in re.findall(r'"([^"]*)"|\\(.)|([^"\\])', section):
        literal = text or escaped
        quoted = literal.replace("'", "''")
        pieces.append(f"'{quoted}'" if literal else "#" if other == "?" else other.replace("'", "''"))
    pattern = "".join(pieces)
    if re.search(r",(?![#0])", pattern):  # shows thousands or millions; the bare number says the same
        return None
    return pattern if "E" in pattern or re.fullmatch(r"[^0#]*[#0,.]+[^0#]*", re.sub(r"'[^']*'", "", pattern)) else None


def _shown_time(value: dt.datetime | dt.date | dt.time, number_format: str) -> str:
    """A date by its format; by ISO 8601 where each computer shows the format in its own order, as the default one."""
    pattern = _date_pattern(_SECTIONS.split(number_format)[0])
    midnight = isinstance(value, dt.datetime) and value.time() == dt.time()
    if pattern is None:
        return value.isoformat(" ")[:10] if isinstance(value, dt.datetime) and midnight else str(value)
    if isinstance(value, dt.time):
        value = dt.datetime.combine(dt.date(1900, 1, 1), value)
    elif not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time())
    return str(format_datetime(value, pattern, locale="en_US")).replace("\u202f", " ")


def _date_pattern(section: str) -> str | None:
    """The format as a Unicode date pattern; None for those that have no order of their own."""
    if section.lower() in {"mm-dd-yy", "m/d/yy h:mm", "general"} or section.startswith("[$-F"):
        return None
    tokens = _DATE_PARTS.findall(section)
    twelve = any(t.upper() in {"AM/PM", "A/P"} for t in tokens)
    pieces: list[str] = []
    for i, token in enumerate(tokens):
        low = token.lower()
        letters = [t.lower()[0] for t in tokens if t[0].lower() in "ymdhs" and len(set(t.lower()[:1])) == 1]
        at = sum(1 for t in tokens[:i] if t[0].lower() in "ymdhs")
        if low[0] == "[":
            continue
        if low in {"am/pm", "a/p"}:
            pieces.append("a")
        elif low[0] == "m":
            is_minute = (at > 0 and letters[at - 1] == "h") or (at + 1 < len(letters) and letters[at + 1] == "s")
            pieces.append("m" * len(low) if is_minute and len(low) < 3 else "M" * min(len(low), 5))
        elif low[0] == "d":
            pieces.append({1: "d", 2: "dd", 3: "EEE"}.get(len(low), "EEEE"))
        elif low[0] == "h":
            pieces.append(("h" if twelve else "H") * len(low))
        elif low[0] == "y":
            pieces.append("yy" if len(low) < 3 else "yyyy")
        elif low[0] == "s":
            pieces.append("s" * min(2, low.count("s")))
        else:
            literal = token.strip('"') if token[0] == '"' else token[-1]
            quoted = literal.replace("'", "''")
            pieces.append(
                f"'{quoted}'" if literal.isalpha() or len(literal) > 1 else literal.replace("@", "").replace(";", "")
            )
    return "".join(pieces)
