"""Org mode: headings by their stars, paragraphs, lists and tables; comments, drawers and planning lines are left out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.blocks import Block, Extract, Metadata
from ingest.dates import iso_date
from ingest.errors import BadSource
from ingest.formats.table import table_blocks

_KEYWORD = re.compile(r"[ \t]*#\+(\w+):[ \t]*(.*)")
_HEADING = re.compile(r"(\*+)[ \t]+(.*)")
_STATE = re.compile(r"(?:(?:TODO|DONE|NEXT|WAITING|CANCELLED)[ \t]+)?(?:\[#[A-Z0-9]\][ \t]+)?")
_TAGS = re.compile(r"[ \t]+:[\w@#%:]+:[ \t]*$")
_ITEM = re.compile(r"(?:[ \t]*(?:[-+]|\d{1,9}[.)])|[ \t]+\*)(?:[ \t]+(.*)|$)")
_CHECKBOX = re.compile(r"^\[[ Xx-]\][ \t]+")
_DRAWER = re.compile(r"[ \t]*:[\w-]+:[ \t]*$")
_DRAWER_END = re.compile(r"[ \t]*:END:[ \t]*$", re.I)
_PLANNING = re.compile(r"[ \t]*(?:SCHEDULED|DEADLINE|CLOSED):[ \t]*[<\[]")
_COMMENT = re.compile(r"[ \t]*#(?:[ \t]|$)")
_MARK = re.compile(r"[ \t]*#\+(begin|end)_(\w+)", re.I)
_VERBATIM = frozenset({"src", "example", "export"})
_RULE = re.compile(r"[ \t]*-{5,}[ \t]*$")
_LINK = re.compile(r"\[\[([^\[\]\n]+)\](?:\[([^\[\]\n]+)\])?\]")
_EMPHASIS = re.compile(r"(?<![^\s({'\"“‘—–-])([*/_=~+])(?=\S)([^\n]{0,300}?\S)\1(?![^\s)}'\"”’.,;:!?—–-])")


def read(text: str) -> Extract:
    """Blocks of an Org file; its title, author and date where ``#+TITLE:`` and the like state them.

    Raises:
        BadSource: its date is none.
    """
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    stated: dict[str, str] = {}
    for line in lines:
        found = _KEYWORD.fullmatch(line)
        if found and found[2].strip():
            name = found[1].lower()
            # Org joins a keyword that is given twice, so that a long title may stand on two lines.
            stated[name] = f"{stated[name]} {found[2].strip()}" if name == "title" and name in stated else found[2].strip()
    title = _plain(stated.get("title", "")) or None
    blocks = ([Block(text=title, role="title")] if title else []) + list(_blocks(lines))
    return Extract(
        blocks=tuple(blocks),
        metadata=Metadata(
            title=title,
            author=_plain(stated.get("author", "")) or None,
            date=_date(stated["date"]) if "date" in stated else None,
            language=stated.get("language"),
        ),
        media_type="text/org",
    )


def _date(stated: str) -> str:
    """The date, also of a time stamp such as ``<2024-03-22 Fri 10:00>``."""
    stamp = re.match(r"[<\[](\d{4}-\d\d-\d\d)\b", stated)
    try:
        return iso_date(stamp[1] if stamp else stated)
    except BadSource as exc:
        raise BadSource(f"its line '#+DATE:' cannot be read: {exc}") from exc


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    """A paragraph, an item, a heading or a row of a table each, top down."""
    words: list[str] = []
    rows: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        is_row = line.lstrip().startswith("|")
        heading, item, mark = _HEADING.fullmatch(line), _ITEM.fullmatch(line), _MARK.match(line)
        drawer_end = _end_of_drawer(lines, at) if _DRAWER.fullmatch(line) else None
        aside = bool(
            mark or drawer_end or _KEYWORD.fullmatch(line) or _COMMENT.match(line) or _PLANNING.match(line)
            or _RULE.fullmatch(line)
        )  # fmt: skip
        if words and (is_row or aside or heading or item or not line.strip()):
            yield Block(text=_plain(" ".join(words)))
            words = []
        if rows and not is_row:
            yield from _table(rows)
            rows = []
        if is_row:
            rows.append(line.strip())
        elif heading:
            said = _TAGS.sub("", _STATE.sub("", heading[2], count=1))
            yield Block(text=_plain(said), role="heading", level=len(heading[1]))
        elif mark and mark[1].lower() == "begin" and mark[2].lower() in _VERBATIM | {"comment"}:
            inside, at = _verbatim(lines, at, mark[2].lower())
            if mark[2].lower() != "comment":
                yield Block(text="\n".join(inside))
        elif drawer_end:
            at = drawer_end
        elif item and not aside:
            words = [_CHECKBOX.sub("", item[1] or "")]
        elif line.strip() and not aside:
            words.append(line.strip())
    if words:
        yield Block(text=_plain(" ".join(words)))
    if rows:
        yield from _table(rows)


def _end_of_drawer(lines: Sequence[str], at: int) -> int | None:
    """The line behind the drawer that begins before line ``at``; None where nothing closes it before the next heading."""
    for number in range(at, len(lines)):
        if _DRAWER_END.fullmatch(lines[number]):
            return number + 1
        if _HEADING.fullmatch(lines[number]):
            return None
    return None


def _verbatim(lines: Sequence[str], at: int, kind: str) -> tuple[Sequence[str], int]:
    """The lines of a block whose words are no markup, and the line behind it; one that nothing closes is the rest."""
    for number in range(at, len(lines)):
        mark = _MARK.match(lines[number])
        if mark and mark[1].lower() == "end" and mark[2].lower() == kind:
            return lines[at:number], number + 1
    return lines[at:], len(lines)


def _table(rows: Sequence[str]) -> Iterator[Block]:
    """Rows of a table; what stands above its first rule names the columns."""
    rules = [n for n, row in enumerate(rows) if re.match(r"\|-", row)]
    cells = [[_plain(cell) for cell in row.strip("|").split("|")] for row in rows if not re.match(r"\|-", row)]
    named = rules[0] if rules and rules[0] < len(cells) else 0
    yield from table_blocks(cells, named=named)


def _plain(text: str) -> str:
    """The words as a reader sees them: links by their description, without marks of emphasis."""
    text = _LINK.sub(lambda found: found[2] or found[1], text)
    return _EMPHASIS.sub(r"\2", text).strip()
