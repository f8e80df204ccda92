"""OpenDocument texts (ODT): paragraphs, headings, lists, tables and captions in order; macros are never read."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.errors import BadSource
from ingest.formats import office, plain
from ingest.formats.table import table_blocks
from ingest.formats.zipped import DAMAGE, open_zip, parse_xml

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_OFFICE, _STYLE, _TEXT, _TABLE, _DRAW, _META = (
    _OASIS % name for name in ("office", "style", "text", "table", "drawing", "meta")
)
_FORMAT = _OASIS % "xsl-fo-compatible"
_DUBLIN = "{http://purl.org/dc/elements/1.1/}"
_PARAGRAPH, _HEADING, _NOTE = f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}note"
_ROW = f"{_TABLE}table-row"
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_LEFT_OUT = (
    f"{_TEXT}tracked-changes",  # the words that were deleted
    f"{_OFFICE}annotation",
    f"{_OFFICE}forms",
    f"{_TEXT}ruby-text",
    *(f"{_TEXT}{kind}-index" for kind in ("illustration", "table", "object", "user", "alphabetical")),
    f"{_TEXT}table-of-content",
    f"{_TEXT}bibliography",
)
_HEADING_STYLE = re.compile(r"Heading_20_(\d+)")
_SPACES = re.compile(r"[ \t\r\n]+")
_MAX_REPEATED = 1024 * 1024
"""Characters that cells may add by standing for several."""
_DAMAGED = "the ODT file is damaged or cut off: save or download it again"


def read(data: bytes) -> Extract:
    """Blocks and properties of an OpenDocument text.

    Text that was deleted under tracked changes or is hidden, comments and tables of contents are left
    out. Footnotes come last.

    Raises:
        BadSource: it is damaged, encrypted, a zip bomb, or no text.
    """
    with open_zip(data, what="ODT") as archive:
        names = set(archive.namelist())
        try:
            if "encrypted-package" in names or _is_encrypted(archive, names):
                raise BadSource("the ODT file is encrypted: remove its password and add it again")
            content = parse_xml(archive.read("content.xml"))
            styles = _Styles(content, *(parse_xml(archive.read(n)) for n in ("styles.xml",) if n in names))
            properties = _properties(parse_xml(archive.read("meta.xml"))) if "meta.xml" in names else Metadata()
        except (KeyError, *DAMAGE) as exc:
            raise BadSource(_DAMAGED) from exc
    body = content.find(f"{_OFFICE}body/{_OFFICE}text")
    if body is None:
        raise BadSource(_DAMAGED)
    _drop_unseen(body, styles)
    _refuse_repeats(body)
    notes = list(_footnotes(body))
    etree.strip_elements(body, _NOTE, with_tail=False)
    blocks = [block for block in _blocks(body, styles) if clean(block.text)]
    blocks = office.with_shown_roles(blocks) + notes
    return Extract(
        blocks=tuple(blocks),
        metadata=office.with_shown(properties, blocks),
        media_type="application/vnd.oasis.opendocument.text",
    )


def _is_encrypted(archive: zipfile.ZipFile, names: set[str]) -> bool:
    """Whether the list of parts names a cipher; the entries of the archive bear no mark of it."""
    if "META-INF/manifest.xml" not in names:
        return False
    manifest = parse_xml(archive.read("META-INF/manifest.xml"))
    return next(manifest.iter("{*}encryption-data"), None) is not None


class _Styles:
    """Styles by family and name, each with what it is based on."""

    def __init__(self, *parts: Any) -> None:
        self._styles = {
            (style.get(f"{_STYLE}family"), style.get(f"{_STYLE}name")): style
            for part in parts
            for style in part.iter(f"{_STYLE}style")
        }

    def chain(self, element: Any) -> list[Any]:
        """The style of a paragraph, heading or span, and those that it is based on, the nearest first."""
        family = "text" if element.tag == f"{_TEXT}span" else "paragraph"
        found: list[Any] = []
        style = self._styles.get((family, element.get(f"{_TEXT}style-name")))
        while style is not None and style not in found:
            found.append(style)
            style = self._styles.get((family, style.get(f"{_STYLE}parent-style-name")))
        return found

    def names(self, element: Any) -> list[str]:
        """The names of these styles; a name without a style among them."""
        found = self.chain(element)
        last = found[-1].get(f"{_STYLE}parent-style-name") if found else element.get(f"{_TEXT}style-name")
        return [*(style.get(f"{_STYLE}name", "") for style in found), last or ""]

    def value(self, element: Any, name: str) -> str | None:
        """A text property, by the nearest style that states it."""
        stated = (p.get(name) for style in self.chain(element) for p in style.findall(f"{_STYLE}text-properties"))
        return next((value for value in stated if value is not None), None)


def _drop_unseen(body: Any, styles: _Styles) -> None:
    etree.strip_elements(body, *_LEFT_OUT, with_tail=False)
    for mark in list(body.iter(f"{_TEXT}hidden-text", f"{_TEXT}hidden-paragraph")):
        if mark.get(f"{_TEXT}is-hidden") == "true":
            is_whole = mark.tag == f"{_TEXT}hidden-paragraph"
            hidden = next(mark.iterancestors(_PARAGRAPH, _HEADING), mark) if is_whole else mark
            hidden.clear(keep_tail=True)
    for section in list(body.iter(f"{_TEXT}section")):
        if section.get(f"{_TEXT}display") == "none":
            section.clear(keep_tail=True)
    for element in list(body.iter(_PARAGRAPH, _HEADING, f"{_TEXT}span")):
        if styles.value(element, f"{_TEXT}display") == "none" and not _shows_again(element, styles):
            element.clear(keep_tail=True)


def _shows_again(element: Any, styles: _Styles) -> bool:
    return any(styles.value(span, f"{_TEXT}display") == "true" for span in element.iter(f"{_TEXT}span"))


def _refuse_repeats(body: Any) -> None:
    """Refuse a few bytes that stand for very many cells.

    Raises:
        BadSource: they would fill more than the limit.
    """
    added = sum((_repeats(cell) - 1) * (len("".join(cell.itertext())) + 1) for cell in body.iter(*_CELLS))
    if added > _MAX_REPEATED:
        raise BadSource(
            f"the ODT file was not read: cells that its tables repeat would fill {added / _MAX_REPEATED:.0f} MB, as a zip bomb does"
        )


def _repeats(cell: Any) -> int:
    stated = cell.get(f"{_TABLE}number-columns-repeated", "1")
    return max(1, int(stated)) if re.fullmatch(r"[0-9]{1,12}", stated) else 1


def _footnotes(body: Any) -> Iterator[Block]:
    for note in body.iter(_NOTE):
        text = " ".join(" ".join(_text(p).split()) for p in note.iter(_PARAGRAPH, _HEADING)).strip()
        if text:
            yield Block(text=text, role="footnote")


def _blocks(parent: Any, styles: _Styles) -> Iterator[Block]:
    """Blocks of what lies in an element, lists, sections and frames opened."""
    for child in parent:
        if child.tag == f"{_TABLE}table":
            yield from _table(child)
        else:
            if child.tag in {_PARAGRAPH, _HEADING}:
                yield _paragraph(child, styles)
            yield from _blocks(child, styles)


def _paragraph(paragraph: Any, styles: _Styles) -> Block:
    text = _text(paragraph)
    names = styles.names(paragraph)
    by_style = next((found for name in names if (found := _HEADING_STYLE.fullmatch(name))), None)
    if "Title" in names:
        return Block(text=text, role="title")
    if paragraph.tag == _HEADING or by_style:
        stated = paragraph.get(f"{_TEXT}outline-level", by_style[1] if by_style else "1")
        return Block(text=text, role="heading", level=min(int(stated), 6) if re.fullmatch("[1-9][0-9]?", stated) else 1)
    if "Caption" in names:
        return Block(text=text, role="caption")
    if _is_all_bold(paragraph, styles) and plain.looks_like_heading(clean(text)):
        return Block(text=text, role="heading", level=4)
    return Block(text=text)


def _is_all_bold(paragraph: Any, styles: _Styles) -> bool:
    def weights(element: Any, above: str | None) -> Iterator[str | None]:
        own = styles.value(element, f"{_FORMAT}font-weight") or above
        if (element.text or "").strip():
            yield own
        for child in element:
            if not _is_drawn(child):
                yield from weights(child, own)
            if (child.tail or "").strip():
                yield own

    found = set(weights(paragraph, None))
    return found == {"bold"}


def _table(table: Any) -> Iterator[Block]:
    rows = [row for row in table.iter(_ROW) if next(row.iterancestors(f"{_TABLE}table")) is table]
    named = sum(1 for row in rows if row.getparent().tag == f"{_TABLE}table-header-rows")
    yield from table_blocks([list(_cells(row)) for row in rows], named=named)


def _cells(row: Any) -> Iterator[str]:
    for cell in row.iterchildren(*_CELLS):
        paragraphs = (" ".join(_text(p).split()) for p in cell.iter(_PARAGRAPH, _HEADING))
        yield from [" ".join(filter(None, paragraphs))] * _repeats(cell)


def _text(element: Any) -> str:
    """The words of a paragraph, without those of the frames in it; they are paragraphs of their own."""
    parts: list[str] = []

    def walk(node: Any) -> None:
        parts.append(_SPACES.sub(" ", node.text or ""))
        for child in node:
            if child.tag in {f"{_TEXT}s", f"{_TEXT}tab"}:
                parts.append(" ")
            elif child.tag == f"{_TEXT}line-break":
                parts.append("\n")
            elif isinstance(child.tag, str) and not _is_drawn(child):
                walk(child)
            parts.append(_SPACES.sub(" ", child.tail or ""))

    walk(element)
    return "".join(parts)


def _is_drawn(element: Any) -> bool:
    """Whether it is a frame or shape; ``draw:a`` is a link around one."""
    return isinstance(element.tag, str) and element.tag.startswith(_DRAW)


def _properties(meta: Any) -> Metadata:
    def fact(*names: str) -> str | None:
        found = (e.text for name in names for e in meta.iter(name) if e.text and e.text.strip())
        return next(found, None)

    return office.properties(
        title=fact(f"{_DUBLIN}title"),
        # "creator" is who saved it last.
        author=fact(f"{_META}initial-creator", f"{_DUBLIN}creator"),
        created=_moment(fact(f"{_META}creation-date", f"{_DUBLIN}date")),
        modified=_moment(fact(f"{_DUBLIN}date")),
        language=fact(f"{_DUBLIN}language"),
    )


def _moment(text: str | None) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(text.strip()).replace(tzinfo=None) if text else None
    except ValueError:
        return None
