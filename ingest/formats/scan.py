"""Scanned pages and images: their text as Tesseract recognises it, with how sure it is of each paragraph.

Tesseract is a program of its own; where it or the data of a language is missing, the refusal names the command that installs it.
"""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy as np

from ingest.blocks import Block, Extract
from ingest.errors import BadSource, Unsupported
from ingest.formats.page_image import MAX_PIXELS, count_images, draw, pgm
from ingest.formats.pdf_layout import joined, without_furniture
from ingest.formats.pdf_words import Word

MAX_SCANNED = 300
"""Pages of one file that are recognised; one takes two to five seconds."""
DPI = 300
FLOOR = 0.5
"""Confidence below which a word is not told: of 2,612 words in English, Russian and Persian, drawn at 150 to 300 dpi with noise, 101 of the
190 wrong ones are below it and 33 of the right ones."""
LEGIBLE = 0.5
"""Mean confidence below which a page is not told: a picture, a hand, another script. Of the wrong script it is .23 to .49, of the right one over .9."""
GAP = "[…]"
"""What stands for words that could not be recognised."""
_PAGE_SECONDS = 120.0
_LANGUAGES = 6
"""Languages of one script that are tried, the usual ones of our sources first."""
_FIRST_PAGES = 3
_SURE = 0.8
"""Confidence from which no other script is tried."""
_USUAL = ("eng", "rus", "fas", "ara", "tgk", "uzb", "kir", "kaz", "uzb_cyrl", "pus", "urd", "deu", "fra", "tur")
_ENOUGH_WORDS = 10
_INSTALL = "apt-get install tesseract-ocr"
_ADVICE = "elsewhere see tesseract-ocr.github.io), and add it again"
_ENDS = re.compile(r"[.!?…:;؟۔][\"'”’»)\]]*$")
_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_LETTER = re.compile(r"\w")
_SPELLED = re.compile(r"[^\W\d_]{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of a page: its paragraph, and its words, each with its confidence in [0, 1]."""

    paragraph: tuple[int, int]
    words: tuple[tuple[Word, float], ...]


Page = Sequence[_Line]
_Given = TypeVar("_Given")
_Got = TypeVar("_Got")


def read_image(data: bytes) -> Extract:
    """The text of a PNG, JPEG, TIFF or WebP image; each image of a TIFF file is a page.

    Raises:
        BadSource: it is damaged, too large, or holds no legible text.
        Unsupported: Tesseract, or the data of its language, is not installed.
    """
    from PIL import Image

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "image")
        file.write_bytes(data)
        found = count_images(file)
        match found.get("error"):
            case "large":
                raise BadSource(f"it has {found['pixels'] // 10**6} million pixels; the limit is {MAX_PIXELS // 10**6}: make it smaller or cut it")
            case str():
                raise BadSource("it is a damaged image that cannot be opened: save or download it again")
        blocks, notices = recognise(file, range(found["count"]), of_pdf=False, what="it is an image")
        with Image.open(file) as image:
            media_type = Image.MIME.get(image.format or "", "image/png")
    return Extract(blocks=tuple(blocks), media_type=media_type, notices=notices)


def recognise(file: Path, pages: Sequence[int], *, of_pdf: bool, what: str) -> tuple[list[Block], tuple[str, ...]]:
    """Paragraphs of scanned pages (from 0) in their order, and what the user should know of the reading.

    Args:
        what: what the file is, in the words of a refusal: "it is a scanned PDF without a text layer".

    Raises:
        BadSource: the pages are too many, or none is legible.
        Unsupported: Tesseract, or the data of its language, is not installed.
    """
    if len(pages) > MAX_SCANNED:
        raise BadSource(f"{what} of {len(pages)} scanned pages; the limit is {MAX_SCANNED}: split it")
    program = shutil.which("tesseract")
    if program is None:
        raise Unsupported(f"{what}, and Tesseract is not installed: install it ({_INSTALL}; {_ADVICE}")
    drawn = partial(draw, file, dpi=DPI, of_pdf=of_pdf)
    languages = _languages(program, drawn, pages, what)
    told = _side_by_side(lambda number: _recognised(program, drawn(number), languages), pages)
    failed = [n + 1 for n, page in zip(pages, told, strict=True) if page is None]
    legible = [(n + 1, page) for n, page in zip(pages, told, strict=True) if page and _mean(page) >= LEGIBLE]
    if not legible:
        raise BadSource(f"{what}, and Tesseract finds no legible text in it: scan it upright at 300 dpi, and add it again")
    blocks = list(_blocks(legible))
    sure = _mean([line for _, page in legible for line in page])
    gaps = sum(block.text.count(GAP) for block in blocks)
    names = " and ".join(_name(code) for code in languages)
    notices = [f"its text was recognised by OCR (Tesseract, {names}), confidence {sure:.0%}: compare quotations with the original"]
    if gaps:
        notices.append(f"{gaps} illegible {'place shows' if gaps == 1 else 'places show'} as {GAP}")
    if failed:
        notices.append(f"page {', '.join(map(str, failed))} could not be recognised in {_PAGE_SECONDS:.0f} s")
    return blocks, tuple(notices)


def _languages(program: str, drawn: Callable[[int], bytes], pages: Sequence[int], what: str) -> tuple[str, ...]:
    """Tesseract's names of the languages to read the pages in: the one that is surest of a first page with words, and English beside Cyrillic.

    One language of each script is tried, then the others of the surest script. Tesseract's own detection of scripts takes
    Persian for Latin, and Russian at 150 dpi too.

    Raises:
        BadSource: no page is legible.
        Unsupported: Tesseract has no language.
    """
    listed = subprocess.run([program, "--list-langs"], check=False, capture_output=True, text=True, timeout=_PAGE_SECONDS)
    installed = re.findall(r"^(?!osd$|equ$)[a-z]{3}(?:_\w+)?$", listed.stdout, re.M)
    known = sorted(installed, key=lambda name: (_USUAL.index(name) if name in _USUAL else len(_USUAL), name))
    if not known:
        raise Unsupported(f"{what}, and Tesseract has no language here: install one ({_INSTALL}-eng; {_ADVICE}")
    scripts: dict[str, list[str]] = {}
    for name in known:
        scripts.setdefault(_script_of(name), []).append(name)
    best, sure = known[0], 0.0
    for number in pages[:_FIRST_PAGES]:
        band = _band(drawn(number))

        def tried(names: Sequence[str], band: bytes = band) -> tuple[float, int, str]:
            return max(_side_by_side(lambda name: _surely(_recognised(program, band, (name,)), name), names))

        sure, words, best = 0.0, 0, known[0]
        for names in scripts.values():
            sure, words, best = max((sure, words, best), tried(names[:1]))
            if sure >= _SURE:
                break
        others = scripts[_script_of(best)][1:_LANGUAGES]
        if others and sure >= LEGIBLE:
            sure, words, best = max((sure, words, best), tried(others))
        if sure >= LEGIBLE and words >= _ENOUGH_WORDS:
            break
    if sure < LEGIBLE:
        here = ", ".join(_name(name) for name in known[:_LANGUAGES])
        raise BadSource(
            f"{what}, and Tesseract finds no legible text in it: install the data of its language ({_INSTALL}-fas for Persian; "
            f"here are {here}), or scan it upright at 300 dpi, and add it again"
        )  # fmt: skip
    # Names in Latin letters stand in Cyrillic texts; in Persian ones English costs 5 to 13 % of the characters.
    return (best, "eng") if "eng" in known and _script_of(best) not in {"Latin", "Arabic"} else (best,)


def _surely(page: Page | None, name: str) -> tuple[float, int, str]:
    """Confidence of a page in words of letters, their number, and the language; in another script noise is read as figures."""
    words = [word for line in page or () for word in line.words]
    spelled = [(word, sure if _SPELLED.search(word.text) else 0.0) for word, sure in words]
    return _confidence(spelled), sum(sure > 0 for _, sure in spelled), name


def _band(image: bytes) -> bytes:
    """The third of a page with the most ink; a small image as a whole."""
    if not image:
        return image
    _, width, height, _ = image[:40].split(maxsplit=4)[:4]
    head = image.index(b"\n") + 1
    rows = np.frombuffer(image, np.uint8, offset=head).reshape(int(height), int(width))
    tall = max(len(rows) // 3, 3 * DPI)
    if len(rows) <= tall:
        return image
    ink = np.concatenate(([0], np.cumsum((rows < rows.mean() / 2).sum(axis=1))))
    top = int(np.argmax(ink[tall:] - ink[:-tall]))
    return pgm(rows[top : top + tall])


def _script_of(name: str) -> str:
    """The script of a language of Tesseract in English."""
    from babel import Locale
    from babel.core import get_global

    code, _, written = name.partition("_")
    code = get_global("language_aliases").get(code, code)
    likely = get_global("likely_subtags").get(code, "")
    script = written.title() if len(written) == 4 else [*likely.split("_"), ""][1]
    return str(Locale("en").scripts.get(script, script))


def _side_by_side(work: Callable[[_Given], _Got], given: Sequence[_Given]) -> list[_Got]:
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        return list(pool.map(work, given))


def _name(language: str) -> str:
    from babel import Locale
    from babel.core import get_global

    code = language.partition("_")[0]
    return str(Locale("en").languages.get(get_global("language_aliases").get(code, code), language))


def _recognised(program: str, image: bytes, languages: Sequence[str]) -> Page | None:
    """The lines of a page; None where it took too long or could not be drawn."""
    told = _run(program, image, "-l", "+".join(languages), "--psm", "3", "-c", "tessedit_create_tsv=1")
    return None if told is None else list(_lines(told))


def _run(program: str, image: bytes, *options: str) -> str | None:
    if not image:
        return None
    command = [program, "stdin", "stdout", "--dpi", str(DPI), *options]
    # One thread each: pages are read side by side.
    settings = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run(command, check=False, input=image, capture_output=True, timeout=_PAGE_SECONDS, env=settings)
    except (subprocess.TimeoutExpired, OSError):
        return None
    return done.stdout.decode("utf-8", "replace")


def _lines(tsv: str) -> Iterator[_Line]:
    rows = [row for row in csv.DictReader(tsv.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE) if (row.get("text") or "").strip()]
    for (block, paragraph, _), line in groupby(rows, key=lambda r: (r["block_num"], r["par_num"], r["line_num"])):
        of_line, words = list(line), []
        size = max(_points(row, "height") for row in of_line)
        foot = max(_points(row, "top") + _points(row, "height") for row in of_line)
        for row in of_line:
            left, width = _points(row, "left"), _points(row, "width")
            word = Word(text=_MARKS.sub("", row["text"]).strip(), x0=left, x1=left + width, y=-foot, size=size, bold=False, turned=False)
            words.append((word, max(0.0, float(row["conf"])) / 100))
        yield _Line(paragraph=(int(block), int(paragraph)), words=tuple(words))


def _points(row: Mapping[str, str], name: str) -> float:
    return float(row[name]) * 72 / DPI


def _mean(page: Page) -> float:
    """Mean confidence of the letters of a page; 0 where there are none."""
    return _confidence([word for line in page for word in line.words])


def _confidence(words: Sequence[tuple[Word, float]]) -> float:
    letters = sum(len(word.text) for word, _ in words)
    return sum(len(word.text) * sure for word, sure in words) / letters if letters else 0.0


def _blocks(pages: Sequence[tuple[int, Page]]) -> Iterator[Block]:
    """Paragraphs with page and confidence; one that a page ends within goes on, and headers and footers come last."""
    kept, furniture = without_furniture([[word for line in page for word, _ in line.words] for _, page in pages])
    stays = [{id(word) for word in page} for page in kept]
    words = Counter(w for page in kept for word in page for w in re.findall(r"[\w-]+", word.text.lower()))
    blocks: list[tuple[int, str, list[tuple[Word, float]]]] = []
    for (number, page), there in zip(pages, stays, strict=True):
        first = True
        for _, lines in groupby(page, key=lambda line: line.paragraph):
            text, told = "", []
            for line in lines:
                left = [(word, sure) for word, sure in line.words if id(word) in there]
                text = joined(text, _told(left), words) if text else _told(left)
                told += left
            if not _LETTER.search(text) or text.count(GAP) > len(told) / 2:
                continue  # rules, specks and pictures
            before = blocks[-1][1] if blocks else ""
            if first and before and not _ENDS.search(before) and text[:1].isalpha() and not text[:1].isupper() and len(before) > 80:
                blocks[-1] = (blocks[-1][0], joined(before, text, words), blocks[-1][2] + told)
            else:
                blocks.append((number, text, told))
            first = False
    for number, text, told in blocks:
        yield Block(text=text, page=number, recognised=round(_confidence(told), 3))
    for at, text in furniture:
        yield Block(text=text, role="footer", page=pages[at][0])


def _told(words: Sequence[tuple[Word, float]]) -> str:
    """The words of a line; a run of those below the floor is one gap."""
    marked = (word.text if sure >= FLOOR else GAP for word, sure in words if sure >= FLOOR or _LETTER.search(word.text))
    return " ".join(text for text, same in groupby(marked) for text in ([text] if text == GAP else same))
