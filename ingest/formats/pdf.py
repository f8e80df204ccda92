"""PDF: paragraphs rebuilt from lines, with page numbers; headers, footers and page numbers left out."""

from __future__ import annotations

import io
import logging
import math
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, PyPdfError

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.dates import FoundDate, iso_date
from ingest.errors import BadSource

MAX_PAGES = 5_000
MAX_SECONDS = 180.0
_MAX_CHARS = 40_000_000
_EDGE_LINES = 3
_SCANNED = "it is a scanned PDF without a text layer; run OCR, e.g. ocrmypdf, and add it again"
_ENCRYPTED = "it is an encrypted PDF; remove its password, e.g. with qpdf --decrypt, and add it again"
_TRUNCATED = "it is a truncated PDF: its end is missing; download or copy it again"

_PAGE_NUMBER = re.compile(
    r"^\W*(?:page|p\.|стр\.?)?\s*(?:\d{1,4}|[ivxlc]{1,7})\s*(?:(?:of|/|из)\s*\d{1,4})?[\s–—|)\]-]*$", re.I
)
_NUMBERED = re.compile(r"^(?:\(?(\d{1,3})[.)]|\([a-zа-я]{1,4}\)|[a-z]\))\s+\S")
_BULLET = re.compile(r"^[•▪◦‣●○■□–—-]\s+\S")
_TERMINAL = re.compile(r"[.!?…:;]['\"”’»)\]]*\d{0,3}$")
_SOFT_END = re.compile(r"[^\W\d_][-\u00ad\u2010]$")
_KEEPS_HYPHEN = frozenset({"self", "non", "counter", "anti", "co", "ex", "cross", "well", "semi", "multi", "inter", "intra", "pre", "post", "pro", "re", "so", "long", "short", "high", "low", "mid", "half", "north", "south", "east", "west"})  # fmt: skip
_BAD_TITLE = re.compile(
    r"^(?:microsoft\s+\w+\s*[-–]|untitled|document\d*$|slide\s*\d|title$|layout\s*\d|print|\(?anonymous|doc\d|новый|без имени)|"
    r"\.(?:docx?|rtf|odt|pdf|indd|qxd|qxp|pptx?|xlsx?|wpd|tex|dvi)\b|^[\w./-]*\d[\w./-]*$",
    re.I,
)
_BAD_AUTHOR = re.compile(
    r"^(?:user|admin|administrator|owner|author|unknown|anonymous|microsoft.*|adobe.*|\w*\d\w*|[a-z]{1,8})$", re.I
)
_FOOTNOTE_SIZE = 0.92
_FOOTNOTE_MARK = re.compile(r"^(?:\[?\(?\d{1,4}\b[\]).]*|[*†‡§]+|[a-z]/?(?=\s))\s*\S")
_DAY = re.compile(
    r"\b\d{1,2}(?:st|nd|rd|th)?\s+[^\W\d_]{3,9}\s+(?:19|20)\d{2}\b|\b[^\W\d_]{3,9}\s+\d{1,2},\s+(?:19|20)\d{2}\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of a page with its place; y grows upwards, in points."""

    text: str
    page: int
    x: float
    y: float
    size: float
    bold: bool


def read(data: bytes, *, max_pages: int = MAX_PAGES, max_seconds: float = MAX_SECONDS) -> Extract:
    """Blocks with page numbers and the metadata of a PDF.

    A paragraph that runs over a page break becomes two blocks, each with its page.

    Raises:
        BadSource: it is encrypted, scanned, truncated, damaged, or takes too long.
    """
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of every flaw that it could mend
    if b"startxref" not in data[-8192:] or b"%%EOF" not in data[-8192:]:
        raise BadSource(_TRUNCATED)
    reader = _open(data)
    pages = _lines_of_pages(reader, max_pages=max_pages, max_seconds=max_seconds)
    if sum(len(line.text) for page in pages for line in page) < 8 * min(len(pages), 20):
        raise BadSource(_SCANNED if _has_images(reader) else "it is a PDF that holds no text")
    blocks = _with_footnotes(_headed(_paragraphs(_without_furniture(pages))))
    metadata = _metadata(reader, pages)
    blocks, title = _titled(blocks, metadata.title)
    return Extract(
        blocks=tuple(b for b, _ in blocks), metadata=replace(metadata, title=title), media_type="application/pdf"
    )


def _open(data: bytes) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise BadSource(_ENCRYPTED)
        if not len(reader.pages):
            raise BadSource("it is a PDF without pages")
    except DependencyError as exc:
        raise BadSource(_ENCRYPTED) from exc
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, OSError) as exc:
        raise BadSource(
            "it is a damaged PDF that cannot be opened; download it again or print it to a new PDF"
        ) from exc
    return reader


def _lines_of_pages(reader: PdfReader, *, max_pages: int, max_seconds: float) -> list[list[_Line]]:
    count = len(reader.pages)
    if count > max_pages:
        raise BadSource(f"it has {count} pages; the limit is {max_pages}: split it")
    deadline = time.monotonic() + max_seconds
    pages: list[list[_Line]] = []
    failed: list[int] = []
    chars = 0
    for number in range(1, count + 1):
        try:
            lines = _lines(reader.pages[number - 1], number)
        except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError):
            lines = []
            failed.append(number)
        chars += sum(len(line.text) for line in lines)
        if time.monotonic() > deadline or chars > _MAX_CHARS:
            raise BadSource(f"it takes too long to read: stopped at page {number} of {count}; split it")
        pages.append(lines)
    if len(failed) > max(1, count // 10):
        raise BadSource(f"it is a damaged PDF: {len(failed)} of {count} pages cannot be read")
    return pages


def _lines(page: PageObject, number: int) -> list[_Line]:
    lines: list[_Line] = []
    parts: list[tuple[str, float, float, float, bool]] = []

    def flush() -> None:
        text = clean("".join(p[0] for p in parts)).replace("\n", " ")
        told = [p for p in parts if p[0].strip()]
        parts.clear()
        if not text:
            return
        main = max(told, key=lambda p: len(p[0]))
        lettered = sum(len(p[0].strip()) for p in told)
        bold = sum(len(p[0].strip()) for p in told if p[4]) > 0.9 * lettered
        lines.append(_Line(text=text, page=number, x=told[0][1], y=main[2], size=round(main[3], 1), bold=bold))

    def visit(text: str, cm: Any, tm: Any, font: Any, font_size: float) -> None:
        x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
        y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        size = abs(font_size) * math.hypot(tm[2], tm[3]) * math.hypot(cm[2], cm[3])
        name = str((font or {}).get("/BaseFont", ""))
        bold = bool(re.search(r"bold|black|heavy|semib|CMBX", name, re.I))
        pieces = text.split("\n")
        for i, piece in enumerate(pieces):
            if i:
                flush()
            if piece:
                parts.append((piece, float(x), float(y), float(size) or 10.0, bold))

    page.extract_text(visitor_text=visit)
    flush()
    return lines


def _has_images(reader: PdfReader) -> bool:
    for page in list(reader.pages)[:5]:
        try:
            resources: Any = page.get("/Resources", {})
            objects = resources.get_object().get("/XObject", {}).get_object()
            if any(o.get_object().get("/Subtype") == "/Image" for o in objects.values()):
                return True
        except (PyPdfError, AttributeError, KeyError, TypeError, ValueError):
            continue
    return False


def _without_furniture(pages: Sequence[Sequence[_Line]]) -> list[list[_Line]]:
    """The pages without page numbers and the lines that repeat at their edges."""

    def mark(line: _Line) -> tuple[str, int]:
        return re.sub(r"\d+", "#", line.text.lower()), round(line.size)

    seen: Counter[tuple[str, int]] = Counter()
    for lines in pages:
        seen.update({mark(line) for line in _edges(lines)})
    enough = 2 if len(pages) <= 6 else max(3, math.ceil(0.2 * len(pages)))
    kept: list[list[_Line]] = []
    for lines in pages:
        edges = {id(line) for line in _edges(lines)}
        kept.append(
            [
                line
                for line in lines
                if id(line) not in edges
                or not (_PAGE_NUMBER.match(line.text) or (seen[mark(line)] >= enough and len(line.text) < 160))
            ]
        )
    return kept


def _edges(lines: Sequence[_Line]) -> list[_Line]:
    """The uppermost and lowest lines: headers and footers may come anywhere in the stream."""
    by_height = sorted(lines, key=lambda line: -line.y)
    rows = sorted({round(line.y) for line in by_height}, reverse=True)
    outer = set(rows[:_EDGE_LINES]) | set(rows[-_EDGE_LINES:])
    return [line for line in by_height if round(line.y) in outer]


def _paragraphs(pages: Sequence[Sequence[_Line]]) -> list[tuple[Block, _Line]]:
    """Blocks, each with its first line, whose size and weight tell headings."""
    words = Counter(w for page in pages for line in page for w in re.findall(r"[\w-]+", line.text.lower()))
    blocks: list[tuple[Block, _Line]] = []
    for lines in pages:
        if not lines:
            continue
        step = _line_step(lines)
        width = sorted(len(line.text) for line in lines)[int(0.9 * (len(lines) - 1))]
        group: list[_Line] = []
        for line in lines:
            if group and _starts(group, line, step, width):
                blocks.append((_joined(group, words), group[0]))
                group = []
            group.append(line)
        blocks.append((_joined(group, words), group[0]))
    return blocks


def _line_step(lines: Sequence[_Line]) -> float:
    steps = [a.y - b.y for a, b in pairwise(lines) if 0.5 * a.size < a.y - b.y < 4 * a.size]
    if not steps:
        return 0.0
    # The most frequent step, in half points, is the one inside paragraphs; the median may be one between.
    common, count = Counter(round(s * 2) / 2 for s in steps).most_common(1)[0]
    return common if count > 0.25 * len(steps) else median(steps)


def _starts(group: Sequence[_Line], line: _Line, step: float, width: int) -> bool:
    """Whether a line begins a new paragraph after the lines of the group."""
    last, first = group[-1], group[0]
    down = last.y - line.y
    ended = bool(_TERMINAL.search(last.text))
    runs_on = last.text[-1:].isalpha() and line.text[:1].islower() and first.size <= line.size * 1.1
    if line.bold != last.bold and abs(down) > 0.5 * last.size and not runs_on:
        return True
    if abs(line.size - last.size) > 0.12 * max(line.size, last.size) and abs(down) > 0.5 * last.size:
        return True
    if abs(down) <= 0.5 * last.size:
        return False  # the same line, or a raised footnote mark
    if step and (down > 1.3 * step or down > 2.5 * line.size):
        return True
    numbered = _NUMBERED.match(line.text)
    if _BULLET.match(line.text) or (numbered and (ended or line.x < last.x - 2 or len(last.text) < 0.6 * width)):
        return True
    if down < 0:  # the next column
        return ended or not line.text[:1].islower()
    hanging = len(group) == 1 and (_NUMBERED.match(first.text) or _BULLET.match(first.text))
    if ended and not hanging and line.x > last.x + 0.8 * line.size:
        return True
    return ended and len(last.text) < 0.7 * width and not line.text[:1].islower()


def _joined(lines: Sequence[_Line], words: Counter[str]) -> Block:
    text = lines[0].text
    for line in lines[1:]:
        if _SOFT_END.search(text) and line.text[:1].islower():
            before = re.findall(r"[\w-]+", text)[-1].rstrip("-\u00ad\u2010").lower()
            after = re.match(r"\w*", line.text.lower())
            rest = after[0] if after else ""
            hyphened = f"{before}-{rest}"
            keeps = (words[hyphened] and not words[before + rest]) or (
                not words[before + rest] and (before in _KEEPS_HYPHEN or "-" in before)
            )
            text = text + line.text if keeps else text[:-1] + line.text
        else:
            text = f"{text} {line.text}"
    return Block(text=text, page=lines[0].page)


def _headed(blocks: Sequence[tuple[Block, _Line]]) -> list[tuple[Block, _Line]]:
    sizes: Counter[float] = Counter()
    heavy = total = 0
    for block, line in blocks:
        sizes[line.size] += len(block.text)
        total += len(block.text)
        heavy += len(block.text) if line.bold else 0
    body = sizes.most_common(1)[0][0] if sizes else 10.0
    bold_means = heavy < 0.4 * total
    larger = sorted({line.size for b, line in blocks if _is_larger(b, line, body)}, reverse=True)[:4]
    headed = []
    for i, (block, line) in enumerate(blocks):
        level = 0
        if _is_larger(block, line, body):
            level = 1 + (larger.index(line.size) if line.size in larger else len(larger))
        elif bold_means and line.bold and line.size >= 0.95 * body and _short(block.text) and i + 1 < len(blocks):
            level = 2 + len(larger)
        headed.append((replace(block, role="heading", level=min(level, 6)) if level else block, line))
    return headed


def _with_footnotes(blocks: list[tuple[Block, _Line]]) -> list[tuple[Block, _Line]]:
    """The blocks with footnotes told apart: smaller print below all body text of a page, after a mark.

    A page without larger print, such as an annex, has none.
    """
    letters: Counter[float] = Counter()
    for block, line in blocks:
        letters[line.size] += len(block.text)
    usual = letters.most_common(1)[0][0] if letters else 0.0
    lowest: dict[int, float] = {}
    for block, line in blocks:
        if block.role == "body" and line.size > _FOOTNOTE_SIZE * usual:
            lowest[line.page] = min(line.y, lowest.get(line.page, line.y))
    noted: set[int] = set()
    result = []
    for block, line in blocks:
        below = block.role == "body" and line.size <= _FOOTNOTE_SIZE * usual and line.y < lowest.get(line.page, 0.0)
        if below and (line.page in noted or _FOOTNOTE_MARK.match(block.text)):
            noted.add(line.page)
            result.append((replace(block, role="footnote"), line))
        else:
            result.append((block, line))
    return result


def _is_larger(block: Block, line: _Line, body: float) -> bool:
    return line.size > 1.12 * body and _short(block.text)


def _short(text: str) -> bool:
    return len(text) <= 220 and bool(re.search(r"[^\W\d_]{2}", text)) and not re.search(r"[^.!?]{20,}[.;]$", text)


def _titled(blocks: list[tuple[Block, _Line]], declared: str | None) -> tuple[list[tuple[Block, _Line]], str | None]:
    """The blocks with the title told apart: what the file declares, else the largest words of page 1."""
    first = [i for i, (b, _) in enumerate(blocks) if b.page == 1 and b.role == "heading"]
    chosen: int | None = None
    if declared:
        chosen = next((i for i in first if _same(blocks[i][0].text, declared)), None)
    elif first:
        largest = max(blocks[i][1].size for i in first)
        usual = Counter(line.size for _, line in blocks).most_common(1)[0][0]
        at_top = [i for i in first if blocks[i][1].size == largest]
        chosen = at_top[0] if largest > 1.2 * usual or at_top[0] == 0 else None
    if chosen is None:
        return blocks, declared
    block, line = blocks[chosen]
    titled = [*blocks[:chosen], (replace(block, role="title", level=0), line), *blocks[chosen + 1 :]]
    return titled, declared or block.text


def _same(one: str, other: str) -> bool:
    return "".join(c for c in one.lower() if c.isalnum()) == "".join(c for c in other.lower() if c.isalnum())


def _metadata(reader: PdfReader, pages: Sequence[Sequence[_Line]]) -> Metadata:
    try:
        facts = {str(k): clean(str(v)).replace("\n", " ") for k, v in (reader.metadata or {}).items()}
    except (PyPdfError, AttributeError, ValueError, TypeError):
        facts = {}
    title = facts.get("/Title", "")
    author = facts.get("/Author", "")
    date, note = next(_printed_dates(pages), None), None
    if date is None:
        date = _file_date(facts.get("/CreationDate", ""))
        note = FoundDate(value=date, known="file").note if date else None
    return Metadata(
        title=title if len(title) >= 5 and not _BAD_TITLE.search(title) else None,
        author=author if len(author) >= 4 and not _BAD_AUTHOR.match(author) else None,
        date=date,
        date_note=note,
        language=_language(reader),
    )


def _printed_dates(pages: Sequence[Sequence[_Line]]) -> Iterator[str]:
    """Days printed on a short line of the first page, as on title pages and letterheads."""
    for line in list(pages[0])[:40] if pages else []:
        match = _DAY.search(line.text)
        if match and len(line.text) < 70 and len(match[0]) > 0.3 * len(line.text):
            try:
                date = iso_date(match[0])
            except BadSource:
                continue
            if len(date) == 10:
                yield date


def _file_date(text: str) -> str | None:
    match = re.match(r"D:(\d{4})(\d{2})(\d{2})", text)
    try:
        return iso_date("-".join(match.groups())) if match else None
    except BadSource:
        return None


def _language(reader: PdfReader) -> str | None:
    try:
        declared = str(reader.root_object.get("/Lang", ""))
    except (PyPdfError, AttributeError, ValueError, TypeError):
        return None
    return declared[:2].lower() if re.match(r"[A-Za-z]{2}(?:-|$)", declared) else None
