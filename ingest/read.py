"""Bytes of any supported kind to an Extract; the kind is told by content first, by name second.

The module of a format, with what it needs of others, is imported when a file of that format is read.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit

from ingest.blocks import Extract
from ingest.errors import BadSource, IngestError, Unsupported

Kind = Literal[
    "pdf", "docx", "odt", "epub", "xlsx", "html", "mhtml", "markdown", "org", "csv", "eml", "mbox", "transcript",
    "image", "text",
]  # fmt: skip

MAX_BYTES = 64 * 1024 * 1024
"""Largest file that is read unless the caller says otherwise."""
MARKDOWN_SUFFIXES = frozenset({".md", ".markdown", ".mdown", ".mkd"})
ORG_SUFFIXES = frozenset({".org"})
HTML_SUFFIXES = frozenset({".html", ".htm", ".xhtml", ".shtml"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv", ".tab"})
TABLE_TYPES = frozenset({"text/csv", "text/tab-separated-values", "application/csv"})
TRANSCRIPT_SUFFIXES = frozenset({".srt", ".vtt"})
_OF_TEXT = frozenset({".txt", ".text", ".log"}) | MARKDOWN_SUFFIXES | ORG_SUFFIXES | HTML_SUFFIXES | TABLE_SUFFIXES
_IMAGES = {b"\x89PNG\r\n": "PNG", b"\xff\xd8\xff": "JPEG", b"II*\0": "TIFF", b"MM\0*": "TIFF"}

_HTML_START = re.compile(
    rb"^(?:\s|<\?xml[^>]*>|<!--.*?-->)*<(?:!doctype\s+html|html[\s>]|head[\s>]|body[\s>])", re.I | re.S
)
_HTML_TAGS = re.compile(rb"</?(?:html|head|body|div|p|article|section|h[1-6]|table|ul|span|a)(?:\s[^>]*)?>", re.I)
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w:.-]{2,30})|<\?xml[^>]{0,100}encoding=[\"']([\w.-]+)", re.I
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w:.-]+)", re.I)
_MHTML_START = re.compile(rb"^(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){0,20}?content-type:\s*multipart/related", re.I)
_MBOX_START = re.compile(rb"From [^\n]*\d{4}[^\n]*\n[\w-]+:")
_HEADERS = re.compile(rb"(?:[\w-]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")
_OF_MAIL = re.compile(rb"^(?:message-id|received|mime-version|return-path|delivered-to):", re.I | re.M)
_TRANSCRIPT_START = re.compile(rb"WEBVTT\b|\d+[ \t]*\n\d{1,2}:\d\d:\d\d[.,]\d{3} --> ")
_ORG_START = re.compile(rb"(?:#\+\w+:[^\n]*\n\s*)*#\+title:", re.I)
_AS_TEXT = "save it as text, DOCX or PDF and add that"
_AS_WORDS = "add its words as text or as subtitles (SRT, VTT)"
_AS_SCAN = "save it as PNG, and its text is recognised"
# What people add by mistake, told by the first bytes, so that the message can name it and say what to do.
_OTHERS: tuple[tuple[bytes, str, str], ...] = (
    (b"GIF8", "a GIF image", _AS_SCAN),
    (b"8BPS", "a Photoshop image", _AS_SCAN),
    (b"AT&TFORM", "a DjVu file", _AS_SCAN),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "an old or protected Microsoft Office file (.doc, .xls, .ppt, .msg)",
        "open it, remove its password if it has one, and save it as .docx, .xlsx, .eml or PDF",
    ),
    (b"{\\rtf", "an RTF file", _AS_TEXT),
    (b"%!PS", "a PostScript file", "save it as PDF and add that"),
    (b"\x1f\x8b", "a gzip archive", ""),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", ""),
    (b"Rar!\x1a\x07", "a RAR archive", ""),
    (b"BZh", "a bzip2 archive", ""),
    (b"\xfd7zXZ\0", "an xz archive", ""),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", ""),
    (b"!BDN", "an Outlook data file (.pst)", "export its messages as MBOX or EML and add those"),
    (b"\x7fELF", "a program", "add a text about it instead"),
    (b"MZ\x90\0", "a program", "add a text about it instead"),
    (b"SQLite format 3\0", "an SQLite database", "export its tables as CSV and add those"),
    (b"PAR1", "a Parquet table", "export it as CSV and add that"),
    (b"ID3", "an audio file", _AS_WORDS),
    (b"OggS", "an audio file", _AS_WORDS),
    (b"fLaC", "an audio file", _AS_WORDS),
    (b"\x1aE\xdf\xa3", "a video", _AS_WORDS),
)
_ZIPPED: tuple[tuple[str, str, str], ...] = (
    ("xl/workbook.bin", "a binary Excel file (.xlsb)", "save it as .xlsx or CSV and add that"),
    ("ppt/presentation.xml", "a PowerPoint file", "save it as PDF and add that"),
    ("content.xml", "an OpenDocument file that is no text", "save it as .xlsx, CSV or PDF and add that"),
    ("Index/Document.iwa", "a Pages, Numbers or Keynote file", "export it as .docx, .xlsx or PDF and add that"),
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
        return _with_damage(_READERS[kind](data, name, declared_type))
    except IngestError:
        raise
    except RecursionError as exc:
        raise BadSource(f"it cannot be read as {kind.upper()}: it is nested too deeply") from exc
    except Exception as exc:  # the border to many parsers: whatever they raise, the batch goes on
        why = " ".join(str(exc).split())[:200] or type(exc).__name__
        raise BadSource(f"it cannot be read as {kind.upper()}: {why}") from exc


def _with_damage(found: Extract) -> Extract:
    """What was read, with word of the characters that no encoding explains."""
    places = sum(block.text.count("\ufffd") for block in found.blocks)
    if not places:
        return found
    what = "1 character is damaged and shows" if places == 1 else f"{places} characters are damaged and show"
    return replace(found, notices=(*found.notices, f"{what} as \ufffd: compare with the original"))


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
    if image := _image_kind(data):
        if suffix in _OF_TEXT:
            raise BadSource(f"it is binary data (a {image} image), not text: rename it to .{image.lower()}, and its text is recognised")
        return "image"
    other = _other_kind(data)
    if other:
        raise _unsupported(*other, suffix)
    kind = _text_kind(data[:65536].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe"), suffix, media)
    if kind == "text" and suffix == ".pdf":
        raise BadSource("it is named .pdf but is not a PDF: download it again, or rename it if it is text")
    if kind == "text" and suffix in {".docx", ".odt", ".epub", ".xlsx", ".xlsm"}:
        raise BadSource(f"it is named {suffix} but is no {suffix[1:].upper()} file: save or download it again")
    return kind


def _text_kind(head: bytes, suffix: str, media: str) -> Kind:
    """Which reader the first bytes of a text are for, without the byte order mark and UTF-16's zeros."""
    if _HTML_START.match(head[:4096]):
        return "html"
    start = head[:65536].replace(b"\r\n", b"\n").lstrip()
    if suffix == ".mbox" or _MBOX_START.match(start):
        return "mbox"
    if suffix == ".eml" or media == "message/rfc822" or _is_mail(start):
        return "eml"
    if suffix in TRANSCRIPT_SUFFIXES or media in {"text/vtt", "application/x-subrip"} or _TRANSCRIPT_START.match(start):
        return "transcript"
    if suffix in {".mhtml", ".mht"} or _MHTML_START.match(head[:4096].replace(b"\r\n", b"\n")):
        return "mhtml"
    if suffix in MARKDOWN_SUFFIXES or media in {"text/markdown", "text/x-markdown"}:
        return "markdown"
    if suffix in ORG_SUFFIXES or media in {"text/org", "text/x-org"} or _ORG_START.match(start):
        return "org"
    if suffix in TABLE_SUFFIXES or media in TABLE_TYPES:
        return "csv"
    if suffix in HTML_SUFFIXES or media in {"text/html", "application/xhtml+xml"}:
        return "html"
    if suffix != ".txt" and media != "text/plain" and len(_HTML_TAGS.findall(head)) >= 8 and head[:1] == b"<":
        return "html"
    return "text"


def _suffix(name: str) -> str:
    path = urlsplit(name).path if re.match(r"https?://", name) else name
    return PurePosixPath(path.replace("\\", "/")).suffix.lower()


def _is_mail(start: bytes) -> bool:
    """Whether a file begins with the header of a message that was sent, whatever its name; no saved web page."""
    header = _HEADERS.match(start)
    if not header or b"\nsnapshot-content-location:" in b"\n" + header[0].lower():
        return False
    return bool(_OF_MAIL.search(header[0]) and re.search(rb"^from:", header[0], re.I | re.M)) and bool(
        re.search(rb"^(?:to|cc|received|message-id):", header[0], re.I | re.M)
    )


def _image_kind(data: bytes) -> str:
    """Which of the images that are read; empty for others."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in _IMAGES.items() if data.startswith(magic)), "")


def _other_kind(data: bytes) -> tuple[str, str] | None:
    if data[:4] == b"RIFF":
        kinds = {b"WAVE": ("an audio file", _AS_WORDS)}
        return kinds.get(data[8:12], ("a media file", _AS_WORDS))
    if data[4:8] == b"ftyp":
        is_image = data[8:12] in {b"heic", b"heix", b"mif1", b"avif"}
        return ("a HEIC or AVIF image", _AS_SCAN) if is_image else ("a video or audio file", _AS_WORDS)
    if data[257:262] == b"ustar":
        return "a tar archive", ""
    if data[60:68] == b"BOOKMOBI":
        return "a Kindle book", "save it as EPUB or PDF and add that"
    return next(((what, advice) for magic, what, advice in _OTHERS if data.startswith(magic)), None)


def _unsupported(what: str, advice: str, suffix: str) -> BadSource:
    if "archive" in what:
        return Unsupported(f"it is {what}: unpack it and add the files in it")
    if suffix in _OF_TEXT:
        return BadSource(f"it is binary data ({what}), not text: {advice}")
    return Unsupported(f"it is {what}, which is not supported: {advice}")


def _zipped_kind(data: bytes, suffix: str) -> Kind:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            stated = archive.open("mimetype").read(100) if "mimetype" in names else b""
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as exc:
        if suffix in {".docx", ".odt", ".epub", ".xlsx"}:
            raise BadSource(f"the {suffix[1:].upper()} file is damaged or cut off: save or download it again") from exc
        raise _unsupported("a damaged ZIP archive", "", suffix) from exc
    if "word/document.xml" in names:
        return "docx"
    if stated.startswith(b"application/vnd.oasis.opendocument.text") or (suffix == ".odt" and "content.xml" in names):
        return "odt"
    if "META-INF/container.xml" in names:
        return "epub"
    if "xl/workbook.xml" in names:
        return "xlsx"
    known = next(((what, advice) for name, what, advice in _ZIPPED if name in names), ("a ZIP archive", ""))
    raise _unsupported(*known, suffix)


def _charset(declared_type: str | None) -> str | None:
    match = _CHARSET.search(declared_type or "")
    return match[1] if match else None


def _page_charset(data: bytes) -> str | None:
    match = _META_CHARSET.search(data[:8192])
    return (match[1] or match[2]).decode("ascii") if match else None


def _decoded(data: bytes, declared: str | None) -> str:
    from ingest.decode import decode

    return decode(data, declared=declared)


def _read_html(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import html

    text = _decoded(data, _charset(declared_type) or _page_charset(data))
    return html.read(text, url=name if re.match(r"https?://", name) else None)


def _read_mhtml(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import html

    page, url = html.page_of_mhtml(data)
    return html.read(_decoded(page, _page_charset(page)), url=url)


def _read_markdown(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import markdown

    found = markdown.read(_decoded(data, _charset(declared_type)))
    # What is shown of it: pictures may stand in the file itself as base64.
    _refuse_no_text("\n".join(block.text for block in found.blocks), name)
    return found


def _read_org(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import org

    text = _decoded(data, _charset(declared_type))
    _refuse_no_text(text, name)
    return org.read(text)


def _read_text(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import plain

    text = _decoded(data, _charset(declared_type))
    _refuse_no_text(text, name)
    return plain.read(text)


def _refuse_no_text(text: str, name: str) -> None:
    from ingest.formats.refused import refusal_of

    refused = refusal_of(text, suffix=_suffix(name))
    if refused:
        raise Unsupported(refused)


def _read_table(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import delimited

    by_tabs = _suffix(name) in {".tsv", ".tab"} or "tab-separated" in (declared_type or "")
    text = _decoded(data, _charset(declared_type))
    _refuse_no_text(text, name)
    return delimited.read(text, delimiter="\t" if by_tabs else None)


def _read_transcript(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import transcript

    return transcript.read(_decoded(data, _charset(declared_type)))


def _read_mailbox(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import mail

    return mail.read_mailbox(data)


def _read_image(data: bytes, name: str, declared_type: str | None) -> Extract:
    from ingest.formats import scan

    return scan.read_image(data)


def _read_bytes(data: bytes, kind: Literal["pdf", "docx", "odt", "epub", "xlsx", "mail"]) -> Extract:
    found: Extract = import_module(f"ingest.formats.{kind}").read(data)
    return found


_READERS: dict[Kind, Callable[[bytes, str, str | None], Extract]] = {
    "pdf": lambda data, name, declared: _read_bytes(data, "pdf"),
    "docx": lambda data, name, declared: _read_bytes(data, "docx"),
    "odt": lambda data, name, declared: _read_bytes(data, "odt"),
    "epub": lambda data, name, declared: _read_bytes(data, "epub"),
    "xlsx": lambda data, name, declared: _read_bytes(data, "xlsx"),
    "html": _read_html,
    "mhtml": _read_mhtml,
    "markdown": _read_markdown,
    "org": _read_org,
    "csv": _read_table,
    "eml": lambda data, name, declared: _read_bytes(data, "mail"),
    "mbox": _read_mailbox,
    "transcript": _read_transcript,
    "image": _read_image,
    "text": _read_text,
}
