"""Pages of PDFs as they are printed, with the cited words marked: drawn when they are asked for, and kept for a while."""

from __future__ import annotations

import base64
import re
import threading
from collections import OrderedDict
from collections.abc import Sequence

from app.home import Home
from app.rendering.render import render
from ingest.errors import BadSource, IngestError
from ingest.formats.pdf_page import PageImage, Quote, draw
from ingest.originals import original
from ingest.source import Source

PDF = "application/pdf"
_MOST_BYTES = 48 * 1024 * 1024
"""Of the images that are kept, those looked at last."""
_AT_ONCE = 2
_PATIENCE_SECONDS = 30.0
_BUSY = "other pages are being drawn just now; try again in a moment"
_BEFORE = 80
"""Characters before a quote that tell it from the same words elsewhere on its page."""
_PAGE = re.compile(r"p\. (\d+)\b")


class Facsimiles:
    """Draws pages of the PDFs of a home. Threads may share it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._kept: OrderedDict[tuple[object, ...], PageImage] = OrderedDict()
        self._lock = threading.Lock()
        self._drawing = threading.BoundedSemaphore(_AT_ONCE)

    def html(self, source: Source, page: int | None, cited: Sequence[tuple[int, int]], focus: tuple[int, int] | None) -> str:
        """A page with the cited words marked, or a sentence on why there is none.

        Args:
            page: its number from 1; None for the one that holds the focus.
            cited: spans of the source's text.
        """
        spans = [*([focus] if focus else []), *(s for s in cited if s != focus)]
        try:
            image = self._image(source, page, [_quote(source, start, end) for start, end in spans])
        except IngestError as exc:
            said = str(exc)
            return render("facsimile.html", source=source, focus=focus, trouble=f"{said[:1].upper()}{said[1:]}.", image=None)
        marks = [(number == 0 and focus is not None, boxes) for number, boxes in enumerate(image.boxes) if boxes]
        data = base64.b64encode(image.png).decode("ascii")
        return render("facsimile.html", source=source, focus=focus, trouble="", image=image, data=data, marks=marks)

    def _image(self, source: Source, page: int | None, quotes: list[Quote]) -> PageImage:
        record = self._home.library.record(source.id)
        key = (record.raw_digest if record else "", page, *quotes)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        if not self._drawing.acquire(timeout=_PATIENCE_SECONDS):
            raise BadSource(_BUSY)
        try:
            image = draw(original(self._home.library, source.id), page, quotes)
        finally:
            self._drawing.release()
        with self._lock:
            self._kept[key] = image
            while sum(len(i.png) for i in self._kept.values()) > _MOST_BYTES and len(self._kept) > 1:
                self._kept.popitem(last=False)
        return image


def _quote(source: Source, start: int, end: int) -> Quote:
    """Words of a source with the page on which their paragraph begins."""
    paragraph = next((p for p in source.paragraphs if p.start <= start < p.end), None)
    found = _PAGE.match(paragraph.locator) if paragraph else None
    before = source.text[max(paragraph.start if paragraph else 0, start - _BEFORE) : start]
    return Quote(text=source.text[start:end], page=int(found[1]) if found else 1, before=before)
