"""The words of a PDF with their places, read by PDFium in a process of its own, whose memory and time are limited.

PDFium is native code and cannot be stopped inside a page; a bomb or a crash ends only that process.
"""

from __future__ import annotations

import ctypes
import json
import math
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any, NamedTuple

MAX_CHARS = 40_000_000
FEW_CHARS = 8
"""Letters on a page below which it may be a scan with a stamp."""
SCANNED = 0.3
"""Share of such a page that images cover from which it is a scan."""
_MAX_MEMORY = 1024**3
_SPARE_SECONDS = 10.0
"""Beyond the limit, before the process is ended: it looks at the clock after each page and says where it was."""
_BOLD = re.compile(r"bold|black|heavy|semib|CMBX", re.I)
_FORCED_BOLD = 1 << 18
_LINE_END_HYPHENS = "\x02\ufffe"
"""PDFium's marks for a hyphen at the end of a line."""


class Word(NamedTuple):
    """A word in the direction that most of its page is written in: x to the right, y up, in points."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    turned: bool


def read_words(data: bytes, *, max_pages: int, max_seconds: float) -> dict[str, Any]:
    """Either ``error`` (``password``, ``damaged``, ``killed``, ``pages``, ``time``; the latter two with ``count`` and ``page``),
    or ``pages`` (lists of words), ``facts`` (the file's own metadata), ``language``, ``failed`` (pages that cannot be
    read) and ``scans`` (numbers, from 0, of pages that are pictures).
    """
    command = [sys.executable, "-P", __file__, str(max_pages), str(max_seconds)]
    try:
        done = subprocess.run(
            command, check=False, input=data, capture_output=True, timeout=max_seconds + _SPARE_SECONDS
        )
        told: dict[str, Any] = json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError):
        return {"error": "killed"}
    told["pages"] = [[Word(*word) for word in page] for page in told.get("pages", [])]
    return told


def _read(data: bytes, max_pages: int, max_seconds: float) -> dict[str, Any]:
    import pypdfium2

    deadline = time.monotonic() + max_seconds
    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
    except pypdfium2.PdfiumError as exc:
        locked = exc.err_code in {pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY}
        return {"error": "password" if locked else "damaged"}
    if count > max_pages:
        return {"error": "pages", "count": count}
    pages: list[list[Word]] = []
    scans: list[int] = []
    failed = chars = 0
    for number in range(count):
        try:
            pages.append(_words(document[number]))
        except pypdfium2.PdfiumError:
            pages.append([])
            failed += 1
        chars += sum(len(word.text) for word in pages[-1])
        if sum(len(word.text) for word in pages[-1]) < FEW_CHARS and _pictured(document, number) >= SCANNED:
            scans.append(number)
        if time.monotonic() > deadline or chars > MAX_CHARS:
            return {"error": "time", "page": number + 1, "count": count}
    return {
        "pages": pages,
        "failed": failed,
        "facts": document.get_metadata_dict(),
        "language": _language(document),
        "scans": scans,
    }


def _language(document: Any) -> str:
    from pypdfium2 import raw

    text = (ctypes.c_ushort * 64)()
    raw.FPDFCatalog_GetLanguage(document, text, ctypes.sizeof(text))
    return bytes(text).decode("utf-16-le", "ignore").partition("\0")[0]


def _pictured(document: Any, number: int) -> float:
    """Share of a page that its images cover; those that overlap count twice."""
    import pypdfium2

    try:
        page = document[number]
        width, height = page.get_size()
        boxes = [o.get_bounds() for o in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)]
    except pypdfium2.PdfiumError:
        return 0.0
    return float(sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes) / (width * height or 1))


class _Letter(NamedTuple):
    """A character in its own direction; ``gap`` is the least distance, in its size, that ends the word before it."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool
    degrees: int
    gap: float


def _letters(text: Any) -> Iterator[_Letter]:
    """The characters of a text page in the order of the file. PDFium's guesses of spaces count where there is a gap."""
    from pypdfium2 import raw

    matrix, box = raw.FS_MATRIX(), raw.FS_RECTF()
    x, y, flags = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
    name = ctypes.create_string_buffer(256)
    bold, gap, drawn_by = False, 0.6, None
    for i in range(text.count_chars()):
        code = raw.FPDFText_GetUnicode(text, i)
        char = chr(code) if code < 0x110000 else ""
        if raw.FPDFText_IsGenerated(text, i) == 1:
            gap = min(gap, 0.1)
            continue
        if not char.strip():
            gap = float("-inf")
            continue
        raw.FPDFText_GetMatrix(text, i, matrix)
        raw.FPDFText_GetLooseCharBox(text, i, box)
        raw.FPDFText_GetCharOrigin(text, i, x, y)
        handle = ctypes.cast(raw.FPDFText_GetTextObject(text, i), ctypes.c_void_p).value
        if handle != drawn_by:
            drawn_by = handle
            raw.FPDFText_GetFontInfo(text, i, name, 256, flags)
            heavy = flags.value & _FORCED_BOLD or raw.FPDFText_GetFontWeight(text, i) >= 600
            bold = bool(heavy or _BOLD.search(name.value.decode("latin-1")))
        turn = math.atan2(matrix.b, matrix.a)
        along, across = math.cos(turn), math.sin(turn)
        ends = [p * along + q * across for p in (box.left, box.right) for q in (box.bottom, box.top)]
        yield _Letter(
            "-" if char in _LINE_END_HYPHENS else char,
            min(ends),
            max(ends),
            y.value * along - x.value * across,
            abs(raw.FPDFText_GetFontSize(text, i)) * math.hypot(matrix.c, matrix.d) or 10.0,
            bold,
            round(math.degrees(turn)) % 360,
            gap,
        )
        gap = 0.6


def _words(page: Any) -> list[Word]:
    """The words of a page in the order of the file, without those that are drawn twice at the same place."""
    groups: list[list[_Letter]] = []
    x0 = x1 = 0.0
    for letter in _letters(page.get_textpage()):
        first = groups[-1][0] if groups else None
        apart = max(letter.x0 - x1, x0 - letter.x1)
        if (
            first is None
            or letter.degrees != first.degrees
            or abs(letter.y - first.y) > 0.4 * first.size
            or apart > letter.gap * letter.size
        ):
            groups.append([])
            x0, x1 = letter.x0, letter.x1
        groups[-1].append(letter)
        x0, x1 = min(x0, letter.x0), max(x1, letter.x1)
    directions = Counter(letter.degrees for group in groups for letter in group)
    main = directions.most_common(1)[0][0] if directions else 0
    words: list[Word] = []
    places: defaultdict[tuple[str, int], list[Word]] = defaultdict(list)
    for group in groups:
        first = group[0]
        text = "".join(letter.text for letter in group)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        left, right = min(letter.x0 for letter in group), max(letter.x1 for letter in group)
        word = Word(
            text=text,
            x0=round(left, 1),
            x1=round(right, 1),
            y=round(first.y, 1),
            size=round(first.size, 1),
            bold=first.bold,
            turned=first.degrees != main,
        )
        near, same = 0.3 * word.size, places[text, first.degrees]
        if text and not any(abs(word.x0 - w.x0) < near and abs(word.y - w.y) < near for w in same):
            same.append(word)
            words.append(word)
    return words


def _main() -> None:
    from ingest.formats.limited import limit_memory

    limit_memory(_MAX_MEMORY)
    json.dump(_read(sys.stdin.buffer.read(), int(sys.argv[1]), float(sys.argv[2])), sys.stdout)


if __name__ == "__main__":
    _main()
