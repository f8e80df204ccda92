"""One page of a PDF or image file as grey pixels, drawn in a process of its own, whose memory and time are limited.

PDFium and the decoders of images are native code; a bomb or a crash ends only that process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 200_000_000
"""Largest image that is decoded: A0 at 300 dpi has 140 million pixels."""
_DRAWN_PIXELS = 40_000_000
"""Largest page that is recognised; larger ones are drawn smaller."""
_MAX_MEMORY = 2 * 1024**3
_MAX_SECONDS = 60.0
_USUAL_INCHES = 8.27
"""Width of A4, for images that do not tell their resolution."""


def count_images(file: Path) -> dict[str, Any]:
    """Either ``error`` (``damaged``, ``large`` with ``pixels``) or ``count``, the pages of an image file."""
    try:
        told: dict[str, Any] = json.loads(_run("count", str(file), "0", "0"))
    except (ValueError, subprocess.SubprocessError):
        return {"error": "damaged"}
    return told


def draw(file: Path, number: int, *, dpi: int, of_pdf: bool) -> bytes:
    """A page (from 0) as a PGM image of about the resolution; empty where it cannot be drawn."""
    try:
        return _run("pdf" if of_pdf else "image", str(file), str(number), str(dpi))
    except subprocess.SubprocessError:
        return b""


def _run(*arguments: str) -> bytes:
    command = [sys.executable, "-P", __file__, *arguments]
    return subprocess.run(command, check=True, stdin=subprocess.DEVNULL, capture_output=True, timeout=_MAX_SECONDS).stdout


def _count(file: str) -> dict[str, Any]:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours
    try:
        with Image.open(file, formats=("PNG", "JPEG", "TIFF", "WEBP", "MPO")) as image:
            pixels = image.width * image.height
            count = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return {"error": "damaged"}
    return {"error": "large", "pixels": pixels} if pixels > MAX_PIXELS else {"count": count}


def _of_pdf(file: str, number: int, dpi: int) -> bytes:
    import pypdfium2

    page = pypdfium2.PdfDocument(file)[number]
    width, height = page.get_size()
    inches = width * height / 72**2
    scale = min(dpi / 72, (_DRAWN_PIXELS / inches) ** 0.5 / 72) if inches else 1
    pixels = page.render(scale=scale, grayscale=True).to_numpy()
    return pgm(pixels)


def _of_image(file: str, number: int, dpi: int) -> bytes:
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(file, formats=("PNG", "JPEG", "TIFF", "WEBP", "MPO")) as image:
        image.seek(number)
        if image.width * image.height > MAX_PIXELS:
            raise ValueError("too large")
        told = float((image.info.get("dpi") or (0,))[0])
        if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info:
            image.thumbnail((_DRAWN_PIXELS**0.5,) * 2)
            over = image.convert("RGBA")
            drawn = Image.new("RGBA", over.size, "white")
            drawn.alpha_composite(over)
            grey = drawn.convert("L")
        else:
            grey = image.convert("L")
        grey = ImageOps.exif_transpose(grey)
    if not 100 <= told <= 2400:
        told = grey.width / _USUAL_INCHES
    factor = min(max(1.0, dpi / told), 4.0, (_DRAWN_PIXELS / (grey.width * grey.height)) ** 0.5)
    if factor != 1:
        grey = grey.resize((max(1, round(grey.width * factor)), max(1, round(grey.height * factor))))
    return pgm(np.asarray(grey))


def pgm(pixels: NDArray[np.uint8]) -> bytes:
    """Grey pixels (height, width) as a file of Netpbm."""
    height, width = pixels.shape[:2]
    return b"P5 %d %d 255\n" % (width, height) + pixels.tobytes()


def _main() -> None:
    from ingest.formats.limited import limit_memory

    limit_memory(_MAX_MEMORY)
    what, file, number, dpi = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    if what == "count":
        sys.stdout.buffer.write(json.dumps(_count(file)).encode())
    else:
        sys.stdout.buffer.write((_of_pdf if what == "pdf" else _of_image)(file, number, dpi))


if __name__ == "__main__":
    _main()
