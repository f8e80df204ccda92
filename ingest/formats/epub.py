"""E-books (EPUB): the chapters in reading order, each read as the XHTML that it is."""

from __future__ import annotations

import itertools
import posixpath
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from lxml import etree, html

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.dates import iso_date
from ingest.errors import BadSource
from ingest.formats.hidden import without_hidden
from ingest.formats.table import table_blocks
from ingest.formats.zipped import DAMAGE, open_zip, parse_xml

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_PACKAGE = "{http://www.idpf.org/2007/opf}"
_DUBLIN = "{http://purl.org/dc/elements/1.1/}"
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_TEXT = frozenset({"p", "li", "blockquote", "pre", "dd", "dt", "figcaption", "caption", *_HEADINGS})
_SKIPPED = frozenset({"script", "style", "nav", "head"})
_DAMAGED = "the EPUB file is damaged or cut off: save or download it again"


def read(data: bytes) -> Extract:
    """Blocks and metadata of an e-book without copy protection.

    Raises:
        BadSource: it is damaged, protected, a zip bomb, or holds no text.
    """
    with open_zip(data, what="EPUB") as archive:
        try:
            root = parse_xml(archive.read("META-INF/container.xml")).find(f".//{_CONTAINER}rootfile")
            package_path = root.get("full-path", "") if root is not None else ""
            package = parse_xml(archive.read(package_path))
            blocks = [b for chapter in _chapters(archive, package, package_path) for b in _blocks(chapter)]
        except (KeyError, *DAMAGE) as exc:
            raise BadSource(_DAMAGED) from exc
    metadata = _metadata(package)
    if not any(b.role == "body" for b in blocks):
        raise BadSource("the EPUB file holds no readable text: is it copy-protected or made of images?")
    return Extract(blocks=tuple(blocks), metadata=metadata, media_type="application/epub+zip")


def _chapters(archive: zipfile.ZipFile, package: etree._Element, package_path: str) -> Iterator[bytes]:
    hrefs = {
        item.get("id"): item.get("href", "")
        for item in package.iter(f"{_PACKAGE}item")
        if item.get("media-type") == "application/xhtml+xml" and "nav" not in (item.get("properties") or "").split()
    }
    for reference in package.iter(f"{_PACKAGE}itemref"):
        href = hrefs.get(reference.get("idref"))
        if href:
            yield archive.read(posixpath.normpath(posixpath.join(posixpath.dirname(package_path), unquote(href))))


def _blocks(chapter: bytes) -> Iterator[Block]:
    # Through the HTML parser: it mends what is not well-formed and knows the named entities.
    tree = without_hidden(html.document_fromstring(chapter, parser=html.HTMLParser(encoding="utf-8", no_network=True)))
    for element in tree.iter():
        if element.tag == "table" and not any(a.tag in {*_SKIPPED, "table"} for a in element.iterancestors()):
            yield from _table(element)
        if element.tag not in _TEXT and not (element.tag == "div" and not any(True for _ in element)):
            continue
        if any(a.tag in _SKIPPED or a.tag in _TEXT or a.tag == "table" for a in element.iterancestors()):
            continue
        for part in _parts(element):
            if element.tag in _HEADINGS:
                yield Block(text=part, role="heading", level=_HEADINGS[element.tag])
            else:
                yield Block(text=part, role="caption" if element.tag in {"figcaption", "caption"} else "body")


def _table(element: html.HtmlElement) -> Iterator[Block]:
    rows = [[c for c in row if c.tag in {"td", "th"}] for row in element.iter("tr")]
    named = itertools.takewhile(lambda row: row and all(c.tag == "th" for c in row), rows)
    for caption in element.iter("caption"):
        yield Block(text=clean("".join(caption.itertext())), role="caption")
    texts = [[clean("".join(cell.itertext())) for cell in row] for row in rows]
    yield from table_blocks(texts, named=sum(1 for _ in named))


def _parts(element: html.HtmlElement) -> Iterator[str]:
    inner = [
        c
        for c in element.iterdescendants()
        if c.tag in {"p", "li"} and not any(d.tag in {"p", "li"} for d in c.iterdescendants())
    ]
    for part in inner or [element]:
        text = clean(" ".join("".join(part.itertext()).split()))
        if text:
            yield text


def _metadata(package: etree._Element) -> Metadata:
    def facts(name: str) -> list[str]:
        return [clean(e.text) for e in package.iter(f"{_DUBLIN}{name}") if e.text and clean(e.text)]

    date = None
    for text in facts("date"):
        try:
            date = date or iso_date(text)
        except BadSource:
            continue
    return Metadata(
        title=next(iter(facts("title")), None),
        author=", ".join(facts("creator")) or None,
        publisher=next(iter(facts("publisher")), None),
        date=date,
        language=next((lang[:2].lower() for lang in facts("language")), None),
        licence=next(iter(facts("rights")), None),
    )
