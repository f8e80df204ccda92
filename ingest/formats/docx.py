"""Word files (DOCX): paragraphs, headings, lists, tables and captions in order; macros are never read."""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from lxml import etree

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.errors import BadSource
from ingest.formats import office, plain
from ingest.formats.table import table_blocks
from ingest.formats.zipped import DAMAGE, as_transitional, open_zip, parse_xml

_SKIPPED = frozenset(
    {
        *(qn(name) for name in ("w:del", "w:moveFrom", "w:instrText", "w:delText", "w:txbxContent", "w:pPr", "w:rPr")),
        "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
    }
)
_HEADING = re.compile(r"^heading\s*(\d)", re.I)
_CONTENTS = re.compile(r"^(?:toc\b|table of (?:figures|contents)|header$|footer$)", re.I)


def read(data: bytes) -> Extract:
    """Blocks and core properties of a Word file.

    Text that was deleted under tracked changes or is marked as hidden is left out, inserted text is
    kept. Footnotes come last.

    Raises:
        BadSource: it is damaged, encrypted, a zip bomb, or no Word file.
    """
    with open_zip(data, what="DOCX") as archive:
        data = as_transitional(archive, data, what="DOCX")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        notes = list(_footnotes(archive))
    try:
        document = docx.Document(io.BytesIO(data))
        styles = {style.style_id: style.name or "" for style in document.styles}
        _drop_hidden(document.element.body, _hiding_styles(document.styles.element))
    except (PackageNotFoundError, KeyError, AttributeError, etree.XMLSyntaxError, *DAMAGE) as exc:
        raise BadSource("the DOCX file is damaged or cut off: save or download it again") from exc
    blocks = [block for block in _blocks(document.element.body, styles) if clean(block.text)]
    blocks = office.with_shown_roles(blocks)
    if notes:
        blocks += notes
    metadata = office.with_shown(_core(document), blocks)
    return Extract(
        blocks=tuple(blocks),
        metadata=metadata,
        media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    )


def _blocks(parent: Any, styles: dict[str, str]) -> Iterator[Block]:
    for child in parent:
        if child.tag == qn("w:p"):
            yield from _paragraph(child, styles)
        elif child.tag == qn("w:tbl"):
            rows = [row for row in child.iter(qn("w:tr")) if next(row.iterancestors(qn("w:tbl"))) is child]
            marked = itertools.takewhile(lambda row: row.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None, rows)
            yield from table_blocks([list(_cells(row)) for row in rows], named=sum(1 for _ in marked))
        elif child.tag == qn("w:sdt"):
            for content in child.findall(qn("w:sdtContent")):
                yield from _blocks(content, styles)


def _hiding_styles(styles: Any) -> frozenset[str]:
    """Ids of the styles whose text is hidden, by themselves or by a style that they are based on."""
    own = {s.get(qn("w:styleId")): _hides(s.find(qn("w:rPr"))) for s in styles.iter(qn("w:style"))}
    based = {
        s.get(qn("w:styleId")): base.get(qn("w:val"))
        for s in styles.iter(qn("w:style"))
        if (base := s.find(qn("w:basedOn"))) is not None
    }

    def hides(style: str | None) -> bool:
        seen: set[str] = set()
        while style is not None and style in own and style not in seen:
            if own[style] is not None:
                return bool(own[style])
            seen.add(style)
            style = based.get(style)
        return False

    return frozenset(style for style in own if hides(style))


def _hides(properties: Any) -> bool | None:
    """Whether run properties hide their text; None where they do not say."""
    vanish = properties.find(qn("w:vanish")) if properties is not None else None
    return None if vanish is None else vanish.get(qn("w:val"), "1") not in {"0", "false", "off"}


def _drop_hidden(body: Any, hiding: frozenset[str]) -> None:
    """Take out hidden runs and the table rows that were deleted under tracked changes."""
    for row in list(body.iter(qn("w:tr"))):
        if row.find(f"{qn('w:trPr')}/{qn('w:del')}") is not None:
            row.getparent().remove(row)
    for run in list(body.iter(qn("w:r"))):
        properties = run.find(qn("w:rPr"))
        style = properties.find(qn("w:rStyle")) if properties is not None else None
        paragraph = next(run.iterancestors(qn("w:p")), None)
        of_paragraph = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}") if paragraph is not None else None
        hidden = _hides(properties)
        if hidden is None:
            hidden = any(s is not None and s.get(qn("w:val")) in hiding for s in (style, of_paragraph))
        if hidden:
            run.getparent().remove(run)


def _cells(row: Any) -> Iterator[str]:
    for cell in row.iter(qn("w:tc")):
        if cell.getparent() is row or cell.getparent().tag in {qn("w:sdtContent")}:
            yield " ".join(" ".join(_text(p).split()) for p in cell.iter(qn("w:p"))).strip()


def _paragraph(paragraph: Any, styles: dict[str, str]) -> Iterator[Block]:
    text = _text(paragraph)
    style = _style(paragraph, styles)
    if _CONTENTS.match(style):
        return
    outline = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    heading = _HEADING.match(style)
    level = int(heading[1]) if heading else int(outline.get(qn("w:val"), "9")) + 1 if outline is not None else 0
    if style.lower() == "title":
        yield Block(text=text, role="title")
    elif 0 < level <= 9:
        yield Block(text=text, role="heading", level=min(level, 6))
    elif style.lower() == "caption":
        yield Block(text=text, role="caption")
    elif _is_all_bold(paragraph) and plain.looks_like_heading(clean(text)):
        yield Block(text=text, role="heading", level=4)
    else:
        yield Block(text=text)
    for box in paragraph.iter(qn("w:txbxContent")):
        if not any(a.tag in _SKIPPED - {qn("w:txbxContent")} for a in box.iterancestors()):
            yield from _blocks(box, styles)


def _style(paragraph: Any, styles: dict[str, str]) -> str:
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return styles.get(style.get(qn("w:val"), ""), "") if style is not None else ""


def _is_all_bold(paragraph: Any) -> bool:
    runs = [r for r in paragraph.iter(qn("w:r")) if _text(r).strip()]
    bold = [r.find(f"{qn('w:rPr')}/{qn('w:b')}") for r in runs]
    return bool(runs) and all(b is not None and b.get(qn("w:val"), "1") not in {"0", "false"} for b in bold)


def _text(element: Any) -> str:
    parts: list[str] = []

    def walk(node: Any) -> None:
        for child in node:
            if child.tag in _SKIPPED:
                continue
            if child.tag == qn("w:t"):
                parts.append(child.text or "")
            elif child.tag == qn("w:tab"):
                parts.append(" ")
            elif child.tag in {qn("w:br"), qn("w:cr")}:
                parts.append("\n")
            elif child.tag == qn("w:noBreakHyphen"):
                parts.append("-")
            else:
                walk(child)

    walk(element)
    return "".join(parts)


def _footnotes(archive: zipfile.ZipFile) -> Iterator[Block]:
    hiding: frozenset[str] = frozenset()
    try:
        if "word/styles.xml" in archive.namelist():
            hiding = _hiding_styles(parse_xml(archive.read("word/styles.xml")))
        data = archive.read("word/footnotes.xml")
    except KeyError:
        return
    except DAMAGE as exc:
        raise BadSource("the DOCX file is damaged or cut off: save or download it again") from exc
    tree = parse_xml(data)
    _drop_hidden(tree, hiding)
    for note in tree.iter(qn("w:footnote")):
        text = " ".join(" ".join(_text(p).split()) for p in note.iter(qn("w:p"))).strip()
        if text and note.get(qn("w:type")) in {None, "normal"}:
            yield Block(text=text, role="footnote")


def _core(document: Document) -> Metadata:
    core = document.core_properties
    return office.properties(
        title=core.title, author=core.author, created=core.created, modified=core.modified, language=core.language
    )
