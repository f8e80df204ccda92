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
from typing import Any, NamedTuple

MAX_CHARS = 40_000_000
_MAX_MEMORY = 2 * 1024**3
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
    read) and ``images`` (whether its first pages show any).
    """
    command = [sys.executable, "-P", "-m", __name__, str(max_pages), str(max_seconds)]
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
    failed = chars = 0
    for number in range(count):
        try:
            pages.append(_words(document[number]))
        except pypdfium2.PdfiumError:
            pages.append([])
            failed += 1
        chars += sum(len(word.text) for word in pages[-1])
        if time.monotonic() > deadline or chars > MAX_CHARS:
            return {"error": "time", "page": number + 1, "count": count}
    return {
        "pages": pages,
        "failed": failed,
        "facts": document.get_metadata_dict(),
        "language": _language(document),
        "images": not chars and any(_has_image(document, number) for number in range(min(count, 5))),
    }


def _language(document: Any) -> str:
    from pypdfium2 import raw

    text = (ctypes.c_ushort * 64)()
    raw.FPDFCatalog_GetLanguage(document, text, ctypes.sizeof(text))
    return bytes(text).decode("utf-16-le", "ignore").partition("\0")[0]


def _has_image(document: Any, number: int) -> bool:
    import pypdfium2

    try:
        return any(True for _ in document[number].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE], max_depth=3))
    except pypdfium2.PdfiumError:
        return False


def _words(page: Any) -> list[Word]:
    """The words of a page in the order of the file, without those that are drawn twice at the same place."""
    from pypdfium2 import raw

    text = page.get_textpage()
    matrix, box = raw.FS_MATRIX(), raw.FS_RECTF()
    x, y = ctypes.c_double(), ctypes.c_double()
    name, flags = ctypes.create_string_buffer(256), ctypes.c_int()
    bold, heavy, guessed, drawn_by = False, False, False, None
    letters: list[str] = []
    place = [0.0, 0.0, 0.0, 0.0]  # x0, x1, y, size
    angle = 0
    found: list[tuple[Word, int]] = []
    places: defaultdict[str, list[tuple[float, float, int]]] = defaultdict(list)

    def flush() -> None:
        word = "".join(letters)
        letters.clear()
        if any("\ud800" <= c < "\ue000" for c in word):
            word = word.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
        x0, x1, base, size = place
        near = 0.3 * size
        if not word or any(
            a == angle and abs(x0 - left) < near and abs(base - low) < near for left, low, a in places[word]
        ):
            return
        places[word].append((x0, base, angle))
        found.append((Word(word, round(x0, 1), round(x1, 1), round(base, 1), round(size, 1), bold, False), angle))

    for i in range(text.count_chars()):
        code = raw.FPDFText_GetUnicode(text, i)
        char = chr(code) if code < 0x110000 else ""
        if char in _LINE_END_HYPHENS:
            char = "-"
        if raw.FPDFText_IsGenerated(text, i) == 1:
            guessed = True
            continue
        if not char.strip():
            flush()
            continue
        raw.FPDFText_GetMatrix(text, i, matrix)
        raw.FPDFText_GetLooseCharBox(text, i, box)
        raw.FPDFText_GetCharOrigin(text, i, x, y)
        size = abs(raw.FPDFText_GetFontSize(text, i)) * math.hypot(matrix.c, matrix.d) or 10.0
        turn = math.atan2(matrix.b, matrix.a)
        along, across = math.cos(turn), math.sin(turn)
        ends = [p * along + q * across for p in (box.left, box.right) for q in (box.bottom, box.top)]
        x0, x1, base = min(ends), max(ends), y.value * along - x.value * across
        degrees = round(math.degrees(turn)) % 360
        apart = max(x0 - place[1], place[0] - x1)
        if letters and (
            degrees != angle or abs(base - place[2]) > 0.4 * place[3] or apart > (0.1 if guessed else 0.6) * size
        ):
            flush()
        guessed = False
        handle = ctypes.cast(raw.FPDFText_GetTextObject(text, i), ctypes.c_void_p).value
        if handle != drawn_by:
            drawn_by = handle
            raw.FPDFText_GetFontInfo(text, i, name, 256, flags)
            weight = raw.FPDFText_GetFontWeight(text, i)
            heavy = bool(flags.value & _FORCED_BOLD or weight >= 600 or _BOLD.search(name.value.decode("latin-1")))
        if not letters:
            place, angle, bold = [x0, x1, base, size], degrees, heavy
        place[0], place[1] = min(place[0], x0), max(place[1], x1)
        letters.append(char)
    flush()
    directions: Counter[int] = Counter()
    for word, turned in found:
        directions[turned] += len(word.text)
    main = directions.most_common(1)[0][0] if directions else 0
    return [word._replace(turned=turned != main) for word, turned in found]


def _main() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY, _MAX_MEMORY))
    except (ImportError, ValueError, OSError):
        pass  # Windows has no such limit; time is limited all the same
    json.dump(_read(sys.stdin.buffer.read(), int(sys.argv[1]), float(sys.argv[2])), sys.stdout)


if __name__ == "__main__":
    _main()
