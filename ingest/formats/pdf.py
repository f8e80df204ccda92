"""PDF: paragraphs and tables rebuilt from words with their places, with page numbers."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from statistics import median

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.dates import FoundDate, iso_date
from ingest.errors import BadSource
from ingest.formats.pdf_layout import SOFT_END, Line, Region, joined, line_of, regions, rows_of, without_furniture
from ingest.formats.pdf_words import read_words
from ingest.formats.table import table_blocks

MAX_PAGES = 5_000
MAX_SECONDS = 180.0
_SCANNED = "it is a scanned PDF without a text layer"
_EMPTY = "it is a PDF that holds no text"
_TRUNCATED = "it is a truncated PDF: its end is missing; download or copy it again"
_ERRORS = {
    "password": "it is an encrypted PDF; remove its password, e.g. with qpdf --decrypt, and add it again",
    "damaged": "it is a damaged PDF that cannot be opened; download it again or print it to a new PDF",
    "killed": "it takes too much memory or time to read, or is damaged; print it to a new PDF or split it",
}

_NUMBERED = re.compile(r"^(?:\(?(\d{1,3})[.)]|\([a-zа-я]{1,4}\)|[a-z]\))\s+\S")
_BULLET = re.compile(r"^[•▪◦‣●○■□–—-]\s+\S")
_WORD = re.compile(r"[\w-]+")
_TERMINAL = re.compile(r"[.!?…:;]['\"”’»)\]]*\d{0,3}$")
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


@dataclass(frozen=True, slots=True)
class _Part:
    """A block with its first and last line, the right edge of its column, and the left edges of its table's columns."""

    block: Block
    first: Line
    last: Line
    right: float
    turned: bool = False
    edges: tuple[float, ...] = ()


def read(data: bytes, *, max_pages: int = MAX_PAGES, max_seconds: float = MAX_SECONDS) -> Extract:
    """Blocks with page numbers and the metadata of a PDF.

    A paragraph that runs over a page break is one block, with the page on which it begins. Headers and footers are
    told once, as ``footer``.

    Raises:
        BadSource: it is encrypted, truncated, damaged, illegible, or takes too much time or memory.
        Unsupported: it is scanned as a whole, and Tesseract or the data of its language is not installed.
    """
    if b"startxref" not in data[-8192:] or b"%%EOF" not in data[-8192:]:
        raise BadSource(_TRUNCATED)
    found = read_words(data, max_pages=max_pages, max_seconds=max_seconds)
    match found.get("error"):
        case "pages":
            raise BadSource(f"it has {found['count']} pages; the limit is {max_pages}: split it")
        case "time":
            raise BadSource(f"it takes too long to read: stopped at page {found['page']} of {found['count']}; split it")
        case str(error):
            raise BadSource(_ERRORS[error])
    pages = found["pages"]
    if not pages:
        raise BadSource("it is a PDF without pages")
    if found["failed"] > max(1, len(pages) // 10):
        raise BadSource(f"it is a damaged PDF: {found['failed']} of {len(pages)} pages cannot be read")
    scanned, notices = _recognised(data, found["scans"], whole=not any(p for n, p in enumerate(pages) if n not in found["scans"]))
    pages = [[] if n in found["scans"] else page for n, page in enumerate(pages)]
    if not scanned and not any(pages):
        raise BadSource(_EMPTY)
    kept, furniture = without_furniture(pages)
    layout = [regions(page) for page in kept]
    words = Counter(w for page in layout for r in page for line in r.lines for w in _WORD.findall(line.text.lower()))
    parts = [part for at, page in enumerate(layout, start=1) for region in page for part in _parts(region, at, words)]
    parts = _run_on(_with_footnotes(_headed(_named(parts))), words)
    metadata = _metadata(found["facts"], found["language"], [line_of(row) for row in rows_of(pages[0])])
    parts, title = _titled(parts, metadata.title)
    footers = tuple(Block(text=text, role="footer", page=at + 1) for at, text in furniture)
    return Extract(
        blocks=tuple(sorted((*(part.block for part in parts), *scanned), key=_page)) + footers,
        metadata=replace(metadata, title=title),
        media_type="application/pdf",
        notices=notices,
    )


def _recognised(data: bytes, scans: Sequence[int], *, whole: bool) -> tuple[list[Block], tuple[str, ...]]:
    """The text of the scanned pages and what is to be known of it; where only some are, what hinders is told and does not stop."""
    if not scans:
        return [], ()
    from ingest.formats.scan import recognise

    some = f"page {', '.join(str(n + 1) for n in scans[:5])}{' and more' if len(scans) > 5 else ''}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "file.pdf")
        file.write_bytes(data)
        try:
            return recognise(file, scans, of_pdf=True, what=_SCANNED if whole else f"{some} is scanned")
        except BadSource as exc:
            if whole:
                raise
            return [], (f"left out: {exc}",)


def _page(block: Block) -> int:
    return block.page or 0


def _parts(region: Region, page: int, words: Counter[str]) -> Iterator[_Part]:
    """Paragraphs of lines, or rows of a table."""
    lines = region.lines
    right = max(line.x1 for line in lines)
    if region.rows:
        for block in table_blocks(region.rows, named=region.named):
            yield _Part(replace(block, page=page), lines[0], lines[-1], right, edges=region.edges)
        return
    step = _line_step(lines)
    width = sorted(len(line.text) for line in lines)[int(0.9 * (len(lines) - 1))]
    group: list[Line] = []
    for line in (*lines, None):
        if group and (line is None or _starts(group, line, step, width)):
            text = ""
            for one in group:
                text = joined(text, one.text, words)
            yield _Part(Block(text=text, page=page), group[0], group[-1], right, region.turned)
            group = []
        if line is not None:
            group.append(line)


def _line_step(lines: Sequence[Line]) -> float:
    steps = [a.y - b.y for a, b in pairwise(lines) if 0.5 * a.size < a.y - b.y < 4 * a.size]
    if not steps:
        return 0.0
    # The most frequent step, in half points, is the one inside paragraphs; the median may be one between.
    common, count = Counter(round(s * 2) / 2 for s in steps).most_common(1)[0]
    return common if count > 0.25 * len(steps) else median(steps)


def _starts(group: Sequence[Line], line: Line, step: float, width: int) -> bool:
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
    if _BULLET.match(line.text) or (numbered and (ended or line.x0 < last.x0 - 2 or len(last.text) < 0.6 * width)):
        return True
    hanging = len(group) == 1 and (_NUMBERED.match(first.text) or _BULLET.match(first.text))
    if ended and not hanging and line.x0 > last.x0 + 0.8 * line.size:
        return True
    return ended and len(last.text) < 0.7 * width and not line.text[:1].islower()


def _named(parts: Sequence[_Part]) -> list[_Part]:
    """The parts with the column names of a table also on its rows that stand on the following pages."""
    result: list[_Part] = []
    last: _Part | None = None
    for part in parts:
        block = part.block
        if block.row is None:
            last = None if block.role == "body" and not part.turned else last
        elif last and not block.columns and (block.page or 0) - (last.block.page or 0) <= 1 and _like(part, last):
            block = replace(block, columns=last.block.columns)
        result.append(replace(part, block=block))
        if block.columns:
            last = result[-1]
    return result


def _like(one: _Part, other: _Part) -> bool:
    return len(one.edges) == len(other.edges) and all(
        abs(a - b) < 10 for a, b in zip(one.edges, other.edges, strict=True)
    )


def _run_on(parts: Sequence[_Part], words: Counter[str]) -> list[_Part]:
    """The parts with sentences joined that a column or page ends within, past the footnotes between."""
    result: list[_Part] = []
    open_at: int | None = None
    for part in parts:
        plain = part.block.role == "body" and part.block.row is None and not part.turned
        if plain and open_at is not None and _goes_on(result[open_at], part):
            before = result[open_at]
            text = joined(before.block.text, part.block.text, words)
            result[open_at] = replace(before, block=replace(before.block, text=text), last=part.last, right=part.right)
            continue
        if plain and (open_at is None or part.first.size > 0.85 * result[open_at].last.size):
            open_at = len(result)  # small print between does not end a sentence
        elif part.block.role == "heading" or part.block.row is not None:
            open_at = None
        result.append(part)
    return result


def _goes_on(before: _Part, part: _Part) -> bool:
    if part.first.y < before.last.y and part.block.page == before.block.page and part.right == before.right:
        return False  # paragraphs of one column
    text, more = before.block.text, part.block.text
    if _TERMINAL.search(text) or before.last.bold != part.first.bold or abs(before.last.size - part.first.size) > 0.6:
        return False
    if _BULLET.match(more) or _NUMBERED.match(more):
        return False
    full = before.last.x1 > before.right - 2 * before.last.size and len(before.last.text) > 20
    return more[:1].islower() or bool(SOFT_END.search(text)) or full


def _headed(parts: Sequence[_Part]) -> list[_Part]:
    sizes: Counter[float] = Counter()
    heavy = total = 0
    for part in parts:
        sizes[part.first.size] += len(part.block.text)
        total += len(part.block.text)
        heavy += len(part.block.text) if part.first.bold else 0
    body = sizes.most_common(1)[0][0] if sizes else 10.0
    bold_means = heavy < 0.4 * total
    larger = sorted({p.first.size for p in parts if _is_larger(p, body)}, reverse=True)[:4]
    headed = []
    for i, part in enumerate(parts):
        size = part.first.size
        level = 0
        if _is_larger(part, body):
            level = 1 + (larger.index(size) if size in larger else len(larger))
        elif bold_means and part.first.bold and size >= 0.95 * body and _may_head(part) and i + 1 < len(parts):
            level = 2 + len(larger)
        headed.append(replace(part, block=replace(part.block, role="heading", level=min(level, 6))) if level else part)
    return headed


def _is_larger(part: _Part, body: float) -> bool:
    return part.first.size > 1.12 * body and _may_head(part)


def _may_head(part: _Part) -> bool:
    text = part.block.text
    return (
        not part.turned
        and part.block.row is None
        and part.block.role == "body"
        and len(text) <= 220
        and bool(re.search(r"[^\W\d_]{2}", text))
        and not re.search(r"[^.!?]{20,}[.;]$", text)
    )


def _with_footnotes(parts: Sequence[_Part]) -> list[_Part]:
    """The parts with footnotes told apart: smaller print below all body text of a page, after a mark.

    A page without larger print, such as an annex, has none.
    """
    letters: Counter[float] = Counter()
    for part in parts:
        letters[part.first.size] += len(part.block.text)
    usual = letters.most_common(1)[0][0] if letters else 0.0
    small = _FOOTNOTE_SIZE * usual
    lowest: dict[tuple[int | None, float], float] = {}
    for part in parts:
        if part.block.role == "body" and part.first.size > small and not part.turned:
            place = part.block.page, part.right
            lowest[place] = min(part.last.y, lowest.get(place, part.last.y))
    noted: set[int | None] = set()
    result = []
    for part in parts:
        page = part.block.page
        heights = [y for (on, right), y in lowest.items() if on == page and right == part.right] or [
            y for (on, _), y in lowest.items() if on == page
        ]
        below = (
            part.block.role == "body"
            and part.block.row is None
            and not part.turned
            and part.first.size <= small
            and part.first.y < min(heights, default=0.0)
        )
        if below and (page in noted or _FOOTNOTE_MARK.match(part.block.text)):
            noted.add(page)
            result.append(replace(part, block=replace(part.block, role="footnote")))
        else:
            result.append(part)
    return result


def _titled(parts: list[_Part], declared: str | None) -> tuple[list[_Part], str | None]:
    """The parts with the title told apart: what the file declares, else the largest words of page 1."""
    first = [i for i, p in enumerate(parts) if p.block.page == 1 and p.block.role == "heading" and p.block.row is None]
    chosen: int | None = None
    if declared:
        chosen = next((i for i in first if _same(parts[i].block.text, declared)), None)
    elif first:
        largest = max(parts[i].first.size for i in first)
        usual = Counter(part.first.size for part in parts).most_common(1)[0][0]
        at_top = next(i for i in first if parts[i].first.size == largest)
        chosen = at_top if largest > 1.2 * usual or at_top == 0 else None
    if chosen is None:
        return parts, declared
    block = parts[chosen].block
    titled = replace(parts[chosen], block=replace(block, role="title", level=0))
    return [*parts[:chosen], titled, *parts[chosen + 1 :]], declared or block.text


def _same(one: str, other: str) -> bool:
    return "".join(c for c in one.lower() if c.isalnum()) == "".join(c for c in other.lower() if c.isalnum())


def _metadata(facts: Mapping[str, str], language: str, first: Sequence[Line]) -> Metadata:
    title, author = (clean(facts.get(key, "")).replace("\n", " ") for key in ("Title", "Author"))
    date, note = next(_printed_dates(first), None), None
    if date is None:
        date = _file_date(facts.get("CreationDate", ""))
        note = FoundDate(value=date, known="file").note if date else None
    return Metadata(
        title=title if len(title) >= 5 and not _BAD_TITLE.search(title) else None,
        author=author if len(author) >= 4 and not _BAD_AUTHOR.match(author) else None,
        date=date,
        date_note=note,
        language=language[:2].lower() if re.match(r"[A-Za-z]{2}(?:-|$)", language) else None,
    )


def _printed_dates(first: Sequence[Line]) -> Iterator[str]:
    """Days printed on a short line of the first page, as on title pages and letterheads."""
    for line in first[:40]:
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
