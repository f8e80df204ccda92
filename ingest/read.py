"""Bytes of any supported kind to an Extract; the kind is told by content first, by name second."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from ingest.blocks import Extract
from ingest.decode import decode
from ingest.errors import BadSource, IngestError, Unsupported
from ingest.formats import docx, epub, html, markdown, pdf, plain

Kind = Literal["pdf", "docx", "epub", "html", "mhtml", "markdown", "text"]

MAX_BYTES = 64 * 1024 * 1024
"""Largest file that is read unless the caller says otherwise."""
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".shtml"})
SUPPORTED = "text, Markdown, HTML, PDF, DOCX or EPUB"

_HTML_START = re.compile(
    rb"^(?:\s|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])", re.I | re.S
)
_HTML_TAGS = re.compile(rb"</?(?:html|head|body|div|p|article|section|h[1-6]|table|ul|span|a)(?:\s[^>]*)?>", re.I)
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w:.-]{2,30})|<\?xml[^>]{0,100}encoding=[\"']([\w.-]+)", re.I
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w:.-]+)", re.I)
_MHTML_START = re.compile(rb"^(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,20}?content-type:\s*multipart/related", re.I)
# What people add by mistake, told by the first bytes, so that the message can name it.
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\0", "a TIFF image"),
    (b"MM\0*", "a TIFF image"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Microsoft Office file (.doc, .xls or .ppt)"),
    (b"{\\rtf", "an RTF file"),
    (b"%!PS", "a PostScript file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90\0", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"ID3", "an audio file"),
    (b"OggS", "an audio file"),
)
_ZIPPED: tuple[tuple[str, str], ...] = (
    ("xl/workbook.xml", "an Excel file"),
    ("ppt/presentation.xml", "a PowerPoint file"),
    ("content.xml", "an OpenDocument file"),
)


def extract(data: bytes, *, name: str, declared_type: str | None = None, max_bytes: int = MAX_BYTES) -> Extract:
    """Blocks and metadata of a file's bytes.

    Args:
        name: file name or address; its suffix helps to tell text formats apart.
        declared_type: media type that a web server declared, if any, with its charset.
        max_bytes: larger material is refused.

    Raises:
        BadSource: the material is empty, broken, too large or not text.
        Unsupported: no reader for this kind.
    """
    check_size(len(data), max_bytes)
    if not data.strip(b" \t\r\n\f\v\0"):
        raise BadSource("it is empty")
    kind = kind_of(data, name=name, declared_type=declared_type)
    try:
        return _READERS[kind](data, name, declared_type)
    except IngestError:
        raise
    except RecursionError as exc:
        raise BadSource(f"it cannot be read as {kind.upper()}: it is nested too deeply") from exc
    except Exception as exc:  # the border to eight parsers: whatever they raise, the batch goes on
        why = " ".join(str(exc).split())[:200] or type(exc).__name__
        raise BadSource(f"it cannot be read as {kind.upper()}: {why}") from exc


def read_file(path: Path, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The bytes of a file, whose size is checked before it is read.

    Raises:
        BadSource: it is too large, may not be read, or is no regular file.
    """
    try:
        if not path.is_file():
            raise BadSource("it is not a file" if path.exists() else "no such file")
        check_size(path.stat().st_size, max_bytes)
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except PermissionError as exc:
        raise BadSource("it may not be read: check the file's permissions") from exc
    except OSError as exc:
        raise BadSource(f"it cannot be read: {exc.strerror or exc}") from exc
    check_size(len(data), max_bytes)
    return data


def check_size(size: int, max_bytes: int) -> None:
    """Refuse what is larger than the limit.

    Raises:
        BadSource: it is.
    """
    if size > max_bytes:
        raise BadSource(f"it is {_megabytes(size)}; the limit is {_megabytes(max_bytes)}: split it into smaller files")


def _megabytes(size: int) -> str:
    mega = size / (1024 * 1024)
    return f"{mega:.0f} MB" if mega >= 10 else f"{mega:.1f} MB" if mega >= 0.1 else f"{size} bytes"


def kind_of(data: bytes, *, name: str, declared_type: str | None = None) -> Kind:
    """Which reader the bytes are for.

    Raises:
        Unsupported: they are of a known kind that no reader takes.
        BadSource: the name says text, the content is something else.
    """
    suffix = _suffix(name)
    media = (declared_type or "").split(";")[0].strip().lower()
    if b"%PDF-" in data[:1024]:
        return "pdf"
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zipped_kind(data, suffix)
    other = _other_kind(data)
    if other:
        raise _unsupported(other, suffix)
    head = data[:65536].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe")
    if _HTML_START.match(head[:4096]):
        return "html"
    if suffix in {".mhtml", ".mht"} or _MHTML_START.match(head[:4096].replace(b"\r\n", b"\n")):
        return "mhtml"
    if suffix in MARKDOWN_SUFFIXES or media in {"text/markdown", "text/x-markdown"}:
        return "markdown"
    if suffix in HTML_SUFFIXES or media in {"text/html", "application/xhtml+xml"}:
        return "html"
    if suffix != ".txt" and media != "text/plain" and len(_HTML_TAGS.findall(head)) >= 8 and head[:1] == b"<":
        return "html"
    if suffix == ".pdf":
        raise BadSource("it is named .pdf but is not a PDF: download it again, or rename it if it is text")
    if suffix in {".docx", ".epub"}:
        raise BadSource(f"it is named {suffix} but is no {suffix[1:].upper()} file: save or download it again")
    return "text"


def _suffix(name: str) -> str:
    path = urlsplit(name).path if re.match(r"https?://", name) else name
    return PurePosixPath(path.replace("\\", "/")).suffix.lower()


def _other_kind(data: bytes) -> str | None:
    if data[:4] == b"RIFF":
        return {b"WEBP": "a WebP image", b"WAVE": "an audio file"}.get(data[8:12], "a media file")
    if data[4:8] == b"ftyp":
        return "a video or HEIC image"
    return next((what for magic, what in _OTHERS if data.startswith(magic)), None)


def _unsupported(what: str, suffix: str) -> BadSource:
    if suffix in {".txt", ".text", ".log"} | MARKDOWN_SUFFIXES | HTML_SUFFIXES:
        return BadSource(f"it is binary data ({what}), not text")
    if "archive" in what:
        return Unsupported(f"it is {what}: unpack it and add the files in it")
    return Unsupported(f"it is {what}, which is not supported; save it as {SUPPORTED}")


def _zipped_kind(data: bytes, suffix: str) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as exc:
        if suffix in {".docx", ".epub"}:
            raise BadSource(f"the {suffix[1:].upper()} file is damaged or cut off: save or download it again") from exc
        raise _unsupported("a damaged ZIP archive", suffix) from exc
    if "word/document.xml" in names:
        return "docx"
    if "META-INF/container.xml" in names:
        return "epub"
    raise _unsupported(next((what for name, what in _ZIPPED if name in names), "a ZIP archive"), suffix)


def _charset(declared_type: str | None) -> str | None:
    match = _CHARSET.search(declared_type or "")
    return match[1] if match else None


def _page_charset(data: bytes) -> str | None:
    match = _META_CHARSET.search(data[:8192])
    return (match[1] or match[2]).decode("ascii") if match else None


def _read_html(data: bytes, name: str, declared_type: str | None) -> Extract:
    text = decode(data, declared=_charset(declared_type) or _page_charset(data))
    return html.read(text, url=name if re.match(r"https?://", name) else None)


def _read_mhtml(data: bytes, name: str, declared_type: str | None) -> Extract:
    page, url = html.page_of_mhtml(data)
    return html.read(decode(page, declared=_page_charset(page)), url=url)


_READERS: dict[Kind, Callable[[bytes, str, str | None], Extract]] = {
    "pdf": lambda data, name, declared: pdf.read(data),
    "docx": lambda data, name, declared: docx.read(data),
    "epub": lambda data, name, declared: epub.read(data),
    "html": _read_html,
    "mhtml": _read_mhtml,
    "markdown": lambda data, name, declared: markdown.read(decode(data, declared=_charset(declared))),
    "text": lambda data, name, declared: plain.read(decode(data, declared=_charset(declared))),
}
