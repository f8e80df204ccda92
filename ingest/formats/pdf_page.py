"""A page of a PDF as an image, with the places of words on it, drawn by PDFium in a process of its own.

PDFium is native code and cannot be stopped inside a page; a bomb or a crash ends only that process.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ingest.errors import BadSource

DPI = 110
"""Resolution of a page of usual size; small print of A4 is readable."""
MAX_SIDE = 2400
"""Pixels of the longer side; a larger page is drawn smaller."""
MAX_SECONDS = 45.0
LEAST = 12
"""Letters and digits of the shortest run of words that is found apart from the rest of its quote."""
_MAX_MEMORY = 1024**3
_GONE = "the page cannot be drawn: it takes too much memory, or the file is damaged; read its text, or open the original"

Box = tuple[float, float, float, float]
"""Left, top, right and bottom edge as shares of the page's width and height, from its upper left corner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Words to be marked.

    Attributes:
        page: on which their paragraph begins, from 1; it may run on to the next one.
        before: what stands before them in the paragraph, to tell them from the same words elsewhere on the page.
    """

    text: str
    page: int
    before: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageImage:
    """A page as it is printed.

    Attributes:
        png: the image.
        page: its number, from 1, out of ``count``.
        width: pixels; ``height`` likewise.
        boxes: of each quote, one for each line that it takes; none where its words are not on the page.
    """

    png: bytes
    page: int
    count: int
    width: int
    height: int
    boxes: tuple[tuple[Box, ...], ...]


def draw(data: bytes, page: int | None, quotes: Sequence[Quote] = ()) -> PageImage:
    """Draw a page.

    Args:
        page: its number from 1; None for the page on which the words of the first quote stand, else the first one.

    Raises:
        BadSource: there is no such page, or it cannot be drawn.
    """
    asked = {"page": page, "quotes": [[q.text, q.page, q.before] for q in quotes]}
    command = [sys.executable, "-P", "-m", __name__]
    try:
        done = subprocess.run(
            command, check=False, input=json.dumps(asked).encode() + b"\n" + data, capture_output=True, timeout=MAX_SECONDS
        )
        head, _, png = done.stdout.partition(b"\n")
        told: dict[str, Any] = json.loads(head)
    except subprocess.TimeoutExpired as exc:
        raise BadSource(f"the page took longer than {MAX_SECONDS:g} s to draw; try again when this machine has less to do, or read its text") from exc
    except ValueError as exc:
        raise BadSource(_GONE) from exc
    if "error" in told:
        raise BadSource(told["error"])
    boxes = tuple(tuple((b[0], b[1], b[2], b[3]) for b in found) for found in told["boxes"])
    return PageImage(png=png, page=told["page"], count=told["count"], width=told["width"], height=told["height"], boxes=boxes)


def runs(quote: str, page: str) -> list[tuple[int, int]]:
    """Where the words of a quote stand in the letters of a page: its longest runs from left to right, as spans of the page.

    Both are letters and digits alone, see :func:`letters`. A run is at least :data:`LEAST` long, or the whole quote.
    """
    found: list[tuple[int, int]] = []
    at = after = 0
    while at < len(quote):
        place, length = _longest(quote, at, page, after)
        if length < min(LEAST, len(quote)):
            at += 1
            continue
        found.append((place, place + length))
        at, after = at + length, place + length
    return found


def _longest(quote: str, at: int, page: str, after: int) -> tuple[int, int]:
    """Place and length of the longest beginning of ``quote[at:]`` on the page; what stands after a place goes first."""
    place, low, high = -1, 0, len(quote) - at
    while low < high:  # a beginning of what is there is there too
        middle = (low + high + 1) // 2
        words = quote[at : at + middle]
        there = page.find(words, after)
        there = page.find(words) if there < 0 else there
        if there < 0:
            high = middle - 1
        else:
            place, low = there, middle
    return place, low


def letters(text: str) -> tuple[str, list[int]]:
    """Letters and digits of a text in lower case, compatible forms as one, and of each the character that it comes from."""
    kept: list[str] = []
    origins: list[int] = []
    for i, char in enumerate(text):
        for part in unicodedata.normalize("NFKC", char).casefold():
            if part.isalnum():
                kept.append(part)
                origins.append(i)
    return "".join(kept), origins


def _draw(data: bytes, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    import pypdfium2

    try:
        document = pypdfium2.PdfDocument(data)
        count = len(document)
        quotes = [Quote(text=q[0], page=q[1], before=q[2]) for q in asked["quotes"]]
        number = asked["page"] or (_page_of(document, quotes[0]) if quotes else 1)
        if not 1 <= number <= count:
            return {"error": f"there is no page {number}; the PDF has {count}"}, b""
        page = document[number - 1]
        scale = min(DPI / 72, MAX_SIDE / max(page.get_size()))
        bitmap = page.render(scale=scale, may_draw_forms=False)
        boxes = [_boxes(page, q, number) for q in quotes]
    except pypdfium2.PdfiumError:
        return {"error": _GONE}, b""
    return {"page": number, "count": count, "width": bitmap.width, "height": bitmap.height, "boxes": boxes}, _png(bitmap.to_pil())


def _png(image: Any) -> bytes:
    """The image in 256 colours, a quarter of the bytes of true ones; print does not suffer."""
    from io import BytesIO

    file = BytesIO()
    image.convert("RGB").quantize(256).save(file, "PNG", optimize=True)
    return file.getvalue()


def _page_of(document: Any, quote: Quote) -> int:
    """The page that holds most of a quote: that of its paragraph, or the one after it."""
    words, _ = letters(quote.text)
    pages = [n for n in (quote.page, quote.page + 1) if 1 <= n <= len(document)]
    return max(pages, key=lambda n: sum(b - a for a, b in runs(words, _letters_of(document[n - 1])[0])), default=quote.page)


def _letters_of(page: Any) -> tuple[str, list[int]]:
    """Letters and digits of a page, and of each the number of PDFium's character."""
    from pypdfium2 import raw

    text = page.get_textpage()
    codes = [raw.FPDFText_GetUnicode(text, i) for i in range(text.count_chars())]
    return letters("".join(chr(c) if 0 < c < 0x110000 else " " for c in codes))


def _boxes(page: Any, quote: Quote, number: int) -> list[Box]:
    if number not in (quote.page, quote.page + 1):
        return []
    words, _ = letters(quote.text)
    there, origins = _letters_of(page)
    context = letters(quote.before)[0][-3 * LEAST :]
    at = there.find(context + words)
    found = [(at + len(context), at + len(context) + len(words))] if at >= 0 else runs(words, there)
    if number != quote.page:  # a paragraph that runs on brings its end, and nothing else
        found = [(a, b) for a, b in found if words.endswith(there[a:b]) and b - a >= min(LEAST, len(words))]
    return _lines(page, [origins[i] for a, b in found for i in range(a, b)])


def _lines(page: Any, characters: Sequence[int]) -> list[Box]:
    """Boxes of characters of a page, those of one line as one."""
    import ctypes

    from pypdfium2 import raw

    text, fine = page.get_textpage(), 10_000
    x, y = ctypes.c_int(), ctypes.c_int()
    found: list[list[float]] = []
    for i in characters:
        left, bottom, right, top = text.get_charbox(i, loose=True)
        corners = []
        for px, py in ((left, top), (right, bottom)):
            raw.FPDF_PageToDevice(page, 0, 0, fine, fine, 0, px, py, x, y)
            corners.append((x.value / fine, y.value / fine))
        (x0, x1), (y0, y1) = (sorted(c[n] for c in corners) for n in (0, 1))
        last = found[-1] if found else None
        height = y1 - y0
        # The next character of the line stands beside the last one; a gap of a few letters is a space.
        if last and min(last[3], y1) - max(last[1], y0) > 0.5 * min(height, last[3] - last[1]) and -height < x0 - last[2] < 3 * height:
            found[-1] = [min(last[0], x0), min(last[1], y0), max(last[2], x1), max(last[3], y1)]
        else:
            found.append([x0, y0, x1, y1])
    shares = [[min(1.0, max(0.0, v)) for v in box] for box in found]
    return [(b[0], b[1], b[2], b[3]) for b in shares if b[2] > b[0] and b[3] > b[1]]


def _main() -> None:
    from ingest.formats.limited import limit_memory

    limit_memory(_MAX_MEMORY)
    asked = json.loads(sys.stdin.buffer.readline())
    told, png = _draw(sys.stdin.buffer.read(), asked)
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + png)


if __name__ == "__main__":
    _main()
