"""Scanned PDFs and images, drawn here and read by the real Tesseract."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import pytest
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont

from app.answer import cite
from app.citation_text import described
from app.exports.references import references
from ingest.blocks import assemble
from ingest.chunk import ChunkSettings, chunk
from ingest.errors import BadSource, Unsupported
from ingest.formats import scan
from ingest.read import extract

FIRST = "The ferry of Norholm was built in 1931 by the brothers Dahl."
SECOND = "It carries ninety passengers and sails twice a day in summer."


@pytest.fixture(scope="module", autouse=True)
def _tesseract() -> None:
    if shutil.which("tesseract") is None:
        told = "no Tesseract found; install it: apt-get install tesseract-ocr tesseract-ocr-rus tesseract-ocr-fas"
        (pytest.fail if os.environ.get("ISKP_TEST_STRICT") else pytest.skip)(told)


def drawn(*lines: str, height: int = 0) -> Image.Image:
    """A page of about A5's width at 150 dpi."""
    image = Image.new("L", (1200, height or 120 + 100 * len(lines)), 255)
    font = ImageFont.load_default(34)  # Aileron with Latin and Cyrillic letters, which comes with Pillow
    for at, line in enumerate(lines):
        ImageDraw.Draw(image).text((40, 50 + 100 * at), line, font=font, fill=0)
    return image


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    packed = io.BytesIO()
    image.save(packed, form, dpi=(150, 150), **options)
    return packed.getvalue()


def test_scanned_pages_among_written_ones_are_quoted_with_page_and_confidence() -> None:
    document = FPDF()
    document.add_page()
    document.set_font("helvetica", size=12)
    document.multi_cell(0, text="The harbour office publishes this yearly report on its boats and crews.")
    document.add_page()
    document.image(drawn(FIRST, SECOND, height=700), x=0, y=0, w=210)
    found = extract(bytes(document.output()), name="report.pdf")
    source = assemble("report", found)
    written, *read = [p for p in source.paragraphs if p.role in {"body", "title", "heading"}]
    assert written.recognised is None
    assert [source.text[p.start : p.end] for p in read] == [FIRST, SECOND]
    assert [p.locator for p in read] == ["p. 2 ¶1", "p. 2 ¶2"]
    assert all(0.7 < (p.recognised or 0) <= 1 for p in read)
    assert "recognised by OCR (Tesseract, English)" in found.notices[0]
    passage = next(p for p in chunk(source, ChunkSettings()) if FIRST in p.text)
    citation = cite(source, passage, start=read[0].start, end=read[0].end, support=1)
    told = f"recognised by OCR, confidence {100 * (read[0].recognised or 0):.0f} %"
    assert citation.recognised == read[0].recognised
    assert told in described(citation, citation.locator) and told in references([citation], "chicago")
    assert assemble("report", found).fingerprint == source.fingerprint


@pytest.mark.parametrize(("form", "name"), [("JPEG", "a.jpg"), ("WEBP", "a.webp"), ("TIFF", "a.tiff")])
def test_images_are_read(form: str, name: str) -> None:
    data = saved(drawn(FIRST), form, **({"save_all": True, "append_images": [drawn(SECOND)]} if form == "TIFF" else {}))
    texts = [(b.page, b.text) for b in extract(data, name=name).blocks]
    assert texts == ([(1, FIRST), (2, SECOND)] if form == "TIFF" else [(1, FIRST)])


def test_what_cannot_be_read_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refused(data: bytes, name: str, error: type[BadSource]) -> str:
        with pytest.raises(error) as caught:
            extract(data, name=name)
        return str(caught.value)

    empty = saved(Image.new("L", (600, 800), 128), "PNG")
    assert (
        "finds no legible text in it: install the data of its language (apt-get install tesseract-ocr-fas for Persian; here are English"
        in refused(empty, "a.png", BadSource)
    )
    huge = saved(Image.new("1", (20_000, 20_000)), "PNG")
    assert refused(huge, "a.png", BadSource) == "it has 400 million pixels; the limit is 200: make it smaller or cut it"
    monkeypatch.setattr(scan, "MAX_SCANNED", 1)
    two = saved(drawn(FIRST), "TIFF", save_all=True, append_images=[drawn(SECOND)])
    assert refused(two, "a.tiff", BadSource) == "it is an image of 2 scanned pages; the limit is 1: split it"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused(saved(drawn(FIRST), "PNG"), "a.png", Unsupported) == (
        "it is an image, and Tesseract is not installed: install it (apt-get install tesseract-ocr; "
        "elsewhere see tesseract-ocr.github.io), and add it again"
    )
