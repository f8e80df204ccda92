"""From words with their places to the lines, columns and tables of a page, without headers, footers and page numbers."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, takewhile
from statistics import median

from ingest.blocks import clean
from ingest.formats.pdf_words import Word

_GUTTER = 0.9
"""Least width of a gutter in letter heights; gaps between words of justified lines are about 0.3."""
_MOST = 0.85
"""Share of the rows that must keep a gutter free."""
_PROSE_WORDS = 3.5
"""Median of the words in a line from which a column holds prose, not cells."""
_LABEL = re.compile(r"^\W*(?:\d{1,3}(?:\.\d{1,2})*|[^\W\d_]|[ivxlc]{1,5})?[.)\]:]?$", re.I)
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|seite|p\.|стр\.|с\.)\s*)?(?:(\d{1,5})|([ivxlc]{1,7}))(?:\s*(?:of|/|из|von)\s*\d{1,4})?\W*", re.I
)
_FIGURE = re.compile(r"\W*\d[\d\W]*\w{0,3}")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

SOFT_END = re.compile(r"[^\W\d_][-\u00ad\u2010]$")
_CUT = re.compile(r"\w[-\u00ad\u2010–]$")
_KEEPS_HYPHEN = frozenset({"self", "non", "counter", "anti", "co", "ex", "cross", "well", "semi", "multi", "inter", "intra", "pre", "post", "pro", "re", "so", "long", "short", "high", "low", "mid", "half", "north", "south", "east", "west"})  # fmt: skip
_WORD = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a column or of a whole page; y grows upwards, in points."""

    text: str
    x0: float
    x1: float
    y: float
    size: float
    bold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A part of a page: either lines of text, top down, or rows of cells.

    Attributes:
        turned: stamps and notes written in another direction than the page.
        named: how many rows at the top are column names.
        edges: left edges of a table's columns.
    """

    lines: tuple[Line, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    named: int = 0
    edges: tuple[float, ...] = ()
    turned: bool = False


Row = list[Word]


def rows_of(words: Sequence[Word]) -> list[Row]:
    """Words that stand side by side, rows top down and words left to right; raised marks stay in their row."""
    rows: list[Row] = []
    largest: list[Word] = []  # of each row: its height is the row's
    for word in sorted(words, key=lambda w: -w.y):
        for i in range(len(rows) - 1, max(len(rows) - 3, -1), -1):
            one, other = sorted((largest[i], word), key=lambda w: w.size)
            raised = one.size < 0.8 * other.size and len(one.text) < 4
            if abs(one.y - other.y) <= (0.6 if raised else 0.35) * other.size:
                rows[i].append(word)
                largest[i] = other
                break
        else:
            rows.append([word])
            largest.append(word)
    return [sorted(row, key=lambda w: w.x0) for row in rows]


def line_of(row: Row) -> Line:
    """The text of a row, with letter-spaced words closed up, and the look of most of its letters."""
    weights: Counter[tuple[float, float]] = Counter()
    for word in row:
        weights[word.size, word.y] += len(word.text)
    (size, y), _ = weights.most_common(1)[0]
    letters = sum(len(w.text) for w in row)
    backwards = len(_RIGHT_TO_LEFT.findall("".join(w.text for w in row))) > letters / 2
    return Line(
        text=clean(_spaced(row[::-1] if backwards else row)).replace("\n", " "),
        x0=row[0].x0,
        x1=max(w.x1 for w in row),
        y=y,
        size=size,
        bold=sum(len(w.text) for w in row if w.bold) > 0.9 * letters,
    )


def _spaced(row: Row) -> str:
    single = sum(len(w.text) == 1 and w.text.isalpha() for w in row)
    if single < 4 or single < 0.8 * len(row):
        return " ".join(w.text for w in row)
    gaps = [b.x0 - a.x1 for a, b in pairwise(row)]
    wide = 1.6 * median(gaps) + 0.1 * row[0].size
    return row[0].text + "".join((" " if gap > wide else "") + w.text for gap, w in zip(gaps, row[1:], strict=True))


def without_furniture(pages: Sequence[Sequence[Word]]) -> tuple[list[list[Word]], list[tuple[int, str]]]:
    """The words of each page without running headers, footers and page numbers, and the headers and footers.

    A header or footer is the same text at the same place of at least three pages, or of both, in at most three rows
    at the edge that stand off from the rest and are not larger; it is told once, as is a stamp that is on every page.
    A page number is alone in its row and counts up with the pages. A header beside such a number is told as it
    stands, on every page. Nothing is taken from a page that would keep less than it loses.
    """
    rows = [rows_of([w for w in page if not w.turned]) for page in pages]
    lines = [[line_of(row) for row in page] for page in rows]
    places: defaultdict[str, list[tuple[int, Line]]] = defaultdict(list)
    numbers: dict[int, tuple[int, Line, str, int, bool]] = {}
    for at, page in enumerate(lines):
        for i, line in enumerate(page):
            places[line.text].append((at, line))
            if min(i, len(page) - 1 - i) < 3 and (number := _number(rows[at][i])):
                numbers[id(line)] = at, line, *number
    same_text: defaultdict[tuple[str, bool], list[tuple[int, Line, int]]] = defaultdict(list)
    for at, line, beside, value, roman in numbers.values():
        same_text[beside, roman].append((at, line, value))

    def runs(line: Line, usual: float) -> bool:
        if line.size > usual or (len(pages) < 3 and line.size > 0.95 * usual):
            return False  # a heading, or the same words on two pages: a form, a memo printed twice
        same = {p for p, other in places[line.text] if abs(other.y - line.y) <= 2 and abs(other.x0 - line.x0) <= 2}
        return len(same) >= max(2, min(3, len(pages)))

    def counts(line: Line) -> bool:
        if id(line) not in numbers:
            return False
        at, _, beside, value, roman = numbers[id(line)]
        if not beside and not -100 < value - at < 1000:  # years that count up are no page numbers
            return False
        others = {
            p
            for p, other, theirs in same_text[beside, roman]
            if p != at and theirs - value == p - at and _same_place(other, line, bool(beside) or (p - at) % 2 == 1)
        }
        return len(others) >= (3 if beside else 1 if len(pages) < 5 else 2)

    kept: list[list[Word]] = []
    told: dict[str, int] = {}
    stamps = Counter(_stamp(page) for page in pages)
    for at, page in enumerate(lines):
        usual = median(line.size for line in page) if page else 0.0
        numbered = [counts(line) for line in page]
        gone = _gone(page, [is_number or runs(line, usual) for line, is_number in zip(page, numbered, strict=True)])
        for i in sorted(gone):
            if not numbered[i] or numbers[id(page[i])][2]:
                told.setdefault(page[i].text, at)
        stamp = _stamp(pages[at])
        everywhere = len(pages) > 1 and stamps[stamp] == len(pages)
        if everywhere and stamp:
            told.setdefault(stamp, at)
        turned = [] if everywhere else [word for word in pages[at] if word.turned]
        kept.append([word for i, row in enumerate(rows[at]) if i not in gone for word in row] + turned)
    return kept, [(at, text) for text, at in told.items()]


def _gone(page: Sequence[Line], repeated: Sequence[bool]) -> set[int]:
    """Of the repeated lines those at the edges that stand off, unless the page would be (nearly) empty then."""
    steps = sorted(a.y - b.y for a, b in pairwise(page))
    usual = steps[len(steps) // 4] if steps else 0.0  # that of the text, also on a page of few lines
    gone: set[int] = set()
    for order in (range(len(page)), range(len(page) - 1, -1, -1)):
        run = list(takewhile(lambda i: repeated[i], order))
        if not run or len(run) > 3 or len(run) == len(page):
            continue
        if abs(page[run[-1]].y - page[run[-1] + order.step].y) > 1.2 * usual or _PAGE_NUMBER.fullmatch(
            page[run[-1]].text
        ):
            gone.update(run)
    return gone if 2 * sum(len(page[i].text) for i in gone) <= sum(len(line.text) for line in page) else set()


def _stamp(page: Sequence[Word]) -> str:
    return " ".join(word.text for word in page if word.turned)


def _number(row: Row) -> tuple[str, int, bool] | None:
    """The page number of a row: the text that stands far from it, its value, and whether it is roman."""
    cells = _cells(row, gap=3.0)
    for number, beside in ((cells[0], cells[1:]), (cells[-1], cells[:-1])):
        match = _PAGE_NUMBER.fullmatch(line_of(number).text)
        if match and match[1]:
            return " ".join(line_of(cell).text for cell in beside), int(match[1]), False
        if match and match[2]:
            digits = [_ROMAN[c] for c in match[2].lower()]
            value = sum(-a if a < b else a for a, b in pairwise([*digits, 0]))
            return " ".join(line_of(cell).text for cell in beside), value, True
    return None


def _same_place(one: Line, other: Line, facing: bool) -> bool:
    """Facing pages may have their numbers on opposite sides."""
    return abs(one.y - other.y) <= 3 and (facing or abs(one.x0 + one.x1 - other.x0 - other.x1) <= 20)


def regions(words: Sequence[Word]) -> list[Region]:
    """The columns, tables and plain parts of a page in reading order; turned text comes last."""
    found = list(_regions([w for w in words if not w.turned]))
    turned = [w for w in words if w.turned]
    for _, run in groupby(turned, key=lambda w: (w.size, w.y)):
        found.append(Region(lines=(line_of(list(run)),), turned=True))
    return found


def _regions(words: Sequence[Word]) -> Iterator[Region]:
    plain: list[Line] = []
    for band, gutters in _bands(rows_of(words)):
        parts = list(_split(band, gutters)) if gutters else []
        if not parts:
            plain += [line_of(row) for row in band]
            continue
        if plain:
            yield Region(lines=tuple(plain))
            plain = []
        yield from parts
    if plain:
        yield Region(lines=tuple(plain))


Span = tuple[float, float]


def _bands(rows: Sequence[Row]) -> Iterator[tuple[list[Row], list[float]]]:
    """Runs of rows that share a gutter, with the middles of their gutters, and the rows between them, with none."""
    start = 0
    while start < len(rows):
        end = start
        for ahead in (3, 2):  # columns may have their lines at different heights, so that no row shows the gutter
            free: list[Span] = [(float("-inf"), float("inf"))]
            for row in rows[start : start + ahead]:
                free = _free(free, row)
            if _inner(free, rows[start : start + ahead]):
                end = min(start + ahead, len(rows))
                break
        while start < end < len(rows) and _inner(narrower := _free(free, rows[end]), rows[start : end + 1]):
            free, end = narrower, end + 1
        band = list(rows[start:end])
        several = [i for i, row in enumerate(band) if len(_cells(row)) > 1]
        if several:
            steps = [a[0].y - b[0].y for a, b in pairwise(band)] or [0.0]
            far = (i + 1 for i in range(several[-1], len(steps)) if steps[i] > 1.3 * median(steps))
            band = band[: next(far, len(band))]
        gutters = _gutters(band)
        if not gutters or (several and several[0] > 0):
            band, gutters = list(rows[start : start + 1]), []
        yield band, gutters
        start += len(band)


def _free(free: Sequence[Span], row: Row) -> list[Span]:
    for word in row:
        free = [
            part
            for a, b in free
            for part in ((a, min(b, word.x0)), (max(a, word.x1), b))
            if part[1] - part[0] >= _GUTTER * word.size
        ]
    return list(free)


def _inner(free: Sequence[Span], rows: Sequence[Row]) -> bool:
    """Whether a free strip has text on both sides."""
    left, right = min(row[0].x0 for row in rows), max(w.x1 for row in rows for w in row)
    return any(left < a and b < right for a, b in free)


def _cells(row: Row, gap: float = _GUTTER) -> list[Row]:
    cells = [[row[0]]]
    for a, b in pairwise(row):
        if b.x0 - a.x1 >= gap * max(a.size, b.size):
            cells.append([])
        cells[-1].append(b)
    return cells


def _gutters(band: Sequence[Row]) -> list[float]:
    """The middles of the strips that most rows keep free and that have text on both sides at the same height."""
    if len(band) < 2:
        return []
    size = median(w.size for row in band for w in row)
    cells = [(c[0].x0, max(w.x1 for w in c), c[0].y) for row in band for c in _cells(row)]
    edges = sorted({x for x0, x1, _ in cells for x in (x0, x1)})
    gutters: list[float] = []
    run: list[Span] = []
    for a, b in [*pairwise(edges), (edges[-1], edges[-1])]:
        crossed = sum(x0 < b and x1 > a for x0, x1, _ in cells)
        if b > a and crossed <= (1 - _MOST) * len(band):
            run.append((a, b))
            continue
        if run and run[-1][1] - run[0][0] >= _GUTTER * size:
            middle = (run[0][0] + run[-1][1]) / 2
            if _both_sides(cells, middle):
                gutters.append(middle)
        run = []
    return gutters


def _both_sides(cells: Sequence[tuple[float, float, float]], middle: float) -> bool:
    left = [y for x0, x1, y in cells if x1 <= middle]
    right = [y for x0, x1, y in cells if x0 >= middle]
    if len(left) < 2 or len(right) < 2:
        return False
    shared = min(max(left), max(right)) - max(min(left), min(right))
    return shared > 0.5 * min(max(left) - min(left), max(right) - min(right))


def _split(band: Sequence[Row], gutters: Sequence[float]) -> Iterator[Region]:
    """Prose columns one after the other, a table as rows; nothing when the gutter only sets off list labels."""
    words = [w for row in band for w in row]
    columns = [c for c in _columns(words, gutters) if c]
    if len(columns) < 2:
        return
    lines = [rows_of(column) for column in columns]
    labels = all(_LABEL.match(line_of(row).text) for row in lines[0])
    if labels and median(len(row) for row in lines[1]) >= 2:
        columns = [columns[0] + columns[1], *columns[2:]]
        lines = [rows_of(column) for column in columns]
    if len(columns) < 2:
        return
    prose = [_is_prose(rows) for rows in lines]
    if not any(prose):
        yield _table(columns)
        return
    heights = [row[0].y for rows, is_prose in zip(lines, prose, strict=True) if is_prose for row in rows]
    short = [row[0] for rows, is_prose in zip(lines, prose, strict=True) if not is_prose for row in rows]
    aligned = sum(any(abs(w.y - y) <= 0.2 * w.size for y in heights) for w in short)
    if short and aligned >= 0.8 * len(short):
        yield _table(columns)
        return
    at = 0
    for is_prose, group in groupby(prose):
        size = len(list(group))
        if is_prose:
            for column in columns[at : at + size]:
                yield from _regions(column)
        else:
            yield from _regions([w for column in columns[at : at + size] for w in column])
        at += size


def _is_prose(rows: Sequence[Row]) -> bool:
    """Whether a column holds sentences: long lines, or short ones that begin in the middle of a sentence."""
    words = median(len(row) for row in rows)
    inside = sum(row[0].text[0].islower() for row in rows)
    return len(rows) >= 3 and (words >= _PROSE_WORDS or (words >= 2 and inside >= 0.5 * len(rows)))


def _columns(words: Sequence[Word], gutters: Sequence[float]) -> list[list[Word]]:
    columns: list[list[Word]] = [[] for _ in range(len(gutters) + 1)]
    for row in rows_of(words):
        for cell in _cells(row):
            columns[sum(cell[0].x0 > g for g in gutters)] += cell
    return columns


def _table(columns: Sequence[Sequence[Word]]) -> Region:
    """Rows of cells. A row without a first cell and without figures of its own continues the cells above it."""
    place = {id(word): i for i, column in enumerate(columns) for word in column}
    lines: list[Line] = []
    rows: list[list[str]] = []
    heavy: list[bool] = []
    for row in rows_of([w for column in columns for w in column]):
        cells = ["" for _ in columns]
        for i, cell in groupby(row, key=lambda w: place[id(w)]):
            cells[i] = line_of(list(cell)).text
        line = line_of(row)
        goes_on = rows and not cells[0] and not any(_FIGURE.fullmatch(c) for c in cells)
        if goes_on and lines[-1].y - line.y < 1.6 * line.size:
            rows[-1] = [f"{a} {b}".strip() for a, b in zip(rows[-1], cells, strict=True)]
        else:
            rows.append(cells)
            heavy.append(line.bold)
        lines.append(line)
    names = len(heavy) > 1 and heavy[0] and not all(heavy) and not _FIGURE.fullmatch(rows[0][0])
    return Region(
        lines=tuple(lines),
        rows=tuple(map(tuple, rows)),
        named=int(names and sum(map(bool, rows[0])) > 1),
        edges=tuple(min(word.x0 for word in column) for column in columns),
    )


def joined(text: str, more: str, words: Counter[str]) -> str:
    """Two lines as one text; a word divided at the line end is mended as the document writes it elsewhere."""
    if not _CUT.search(text) or not more[:1].isalnum():
        return f"{text} {more}".strip()
    if not (SOFT_END.search(text) and more[:1].islower()):
        return text + more  # a range, a number or a double name
    before = _WORD.findall(text)[-1].rstrip("-\u00ad\u2010").lower()
    after = _WORD.findall(more.lower())[0]
    whole = words[before + after]
    keeps = not whole and (
        words[f"{before}-{after}"] or before in _KEEPS_HYPHEN or "-" in before or (words[before] and words[after] > 1)
    )
    return text + more if keeps and not text.endswith("\u00ad") else text[:-1] + more
