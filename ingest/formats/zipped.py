"""Office files and e-books are ZIP archives: what is checked before one is opened."""

from __future__ import annotations

import io
import re
import zipfile
import zlib

from lxml import etree

from ingest.errors import BadSource

MAX_UNPACKED_BYTES = 256 * 1024 * 1024
MAX_XML_BYTES = 64 * 1024 * 1024
DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)
"""What zipfile raises of archives that are cut off, altered or of a kind that it can't read."""
_STRICT = b"http://purl.oclc.org/ooxml/"
_STRICT_NAME = re.compile(rb"http://purl\.oclc\.org/ooxml/(\w+)/(\w)")
_MAX_RATIO = 120
_RATIO_FROM = 16 * 1024 * 1024
_MAX_FILES = 20_000
_MEGA = 1024 * 1024


def open_zip(data: bytes, *, what: str) -> zipfile.ZipFile:
    """The archive, after its table of contents was checked; nothing is unpacked for it.

    Python's zipfile never reads more of a file than the table states, so a table that lies is
    no way around the limits.

    Args:
        what: name of the format, for the message.

    Raises:
        BadSource: it is damaged, encrypted or would unpack to far more than it holds.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        entries = archive.infolist()
    except DAMAGE as exc:
        raise BadSource(f"the {what} file is damaged or cut off: save or download it again") from exc
    total = sum(entry.file_size for entry in entries)
    bloated = total > _RATIO_FROM and total > _MAX_RATIO * len(data)
    markup = max(
        (e.file_size for e in entries if e.filename.lower().endswith((".xml", ".rels", ".html", ".xhtml"))), default=0
    )
    if bloated or total > MAX_UNPACKED_BYTES or markup > MAX_XML_BYTES or len(entries) > _MAX_FILES:
        raise BadSource(
            f"the {what} file was not opened: its {len(data) / _MEGA:.1f} MB would unpack to "
            f"{total / _MEGA:.0f} MB in {len(entries)} files, as a zip bomb does"
        )
    if any(entry.flag_bits & 1 for entry in entries):
        raise BadSource(f"the {what} file is encrypted: remove its password and add it again")
    return archive


def as_transitional(archive: zipfile.ZipFile, data: bytes, *, what: str) -> bytes:
    """The Office file with the names of the ordinary form, if it was saved in the strict one (ISO/IEC 29500).

    The two differ in the addresses that name their parts and elements; no library at hand knows the strict ones.

    Args:
        data: the file whose archive this is.
        what: name of the format, for the message.

    Raises:
        BadSource: it is damaged.
    """
    try:
        if _STRICT not in archive.read("_rels/.rels"):
            return data
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as converted:
            for entry in archive.infolist():
                part = archive.read(entry)
                if entry.filename.lower().endswith((".xml", ".rels")):
                    part = _STRICT_NAME.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", part)
                converted.writestr(entry.filename, part)
    except (KeyError, *DAMAGE) as exc:
        raise BadSource(f"the {what} file is damaged or cut off: save or download it again") from exc
    return buffer.getvalue()


def parse_xml(data: bytes) -> etree._Element:
    """An XML part, without entities, DTDs or network.

    Raises:
        BadSource: it is not well-formed.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as exc:
        raise BadSource(f"it is damaged inside: {exc.msg}") from exc
