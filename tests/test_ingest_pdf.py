"""PDF: no text is lost or mixed, told on small files of our own, each of one kind of page."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import pytest
from fpdf import FPDF

from ingest.blocks import Block, Extract
from ingest.errors import BadSource
from ingest.formats import pdf, pdf_page, pdf_words


class Paper(FPDF):
    """A4 in points from the upper left corner."""

    def __init__(self) -> None:
        super().__init__(unit="pt", format="A4")
        self.set_auto_page_break(False)

    def put(self, x: float, y: float, text: str, size: float = 11, style: str = "") -> None:
        self.set_font("Helvetica", style, size)
        self.text(x, y, text)

    def lines(self, x: float, y: float, texts: Sequence[str], size: float = 11, step: float = 14) -> None:
        for i, text in enumerate(texts):
            self.put(x, y + i * step, text, size)

    def row(self, y: float, cells: Sequence[str], style: str = "") -> None:
        for i, cell in enumerate(cells):
            self.put(60 + 120 * i, y, cell, style=style)

    def read(self) -> Extract:
        return pdf.read(bytes(self.output()))


def bodies(extract: Extract) -> list[str]:
    return [b.text for b in extract.blocks if b.role == "body"]


def rows(extract: Extract) -> list[Block]:
    return [b for b in extract.blocks if b.row is not None]


def test_lines_at_page_edges_that_differ_in_figures_stay() -> None:
    paper = Paper()
    for month, dead in (("May", 14), ("June", 15), ("July", 16), ("August", 17)):
        paper.add_page()
        paper.put(60, 50, f"Deaths in the valley: {dead}")
        paper.put(60, 400, f"The road was closed for a week in {month}.")
        paper.put(60, 800, f"Wounded in the valley: {dead * 2}")
    text = " ".join(bodies(paper.read()))
    assert all(
        f"Deaths in the valley: {n}" in text and f"Wounded in the valley: {2 * n}" in text for n in range(14, 18)
    )


@pytest.mark.parametrize("tops", [("1987", "1994", "2003"), ("2001", "2002", "2003"), ("c", "l", "x"), ("4", "9", "2")])
def test_years_letters_and_figures_alone_on_a_row_stay(tops: tuple[str, ...]) -> None:
    paper = Paper()
    for i, top in enumerate(tops):
        paper.add_page()
        paper.put(60, 60, top)
        paper.put(60, 100, f"The mill {'new' * (i + 1)} was sold to the town for a small sum.")
    text = " ".join(bodies(paper.read()))
    assert all(top in text.split() for top in tops)


def test_page_numbers_go_and_headers_are_told_once() -> None:
    paper = Paper()
    for i, number in enumerate(("i", "ii", "iii", "1", "2", "3", "4")):
        paper.add_page()
        paper.put(60, 40, "Report on the wells of Arn", 9)
        paper.lines(
            60, 100, [f"Well {'abcdefg'[i]} is deep, and the keeper of the well", "draws water from it each day."]
        )
        paper.put(290, 800, number, 9)
    found = paper.read()
    assert bodies(found) == [
        f"Well {c} is deep, and the keeper of the well draws water from it each day." for c in "abcdefg"
    ]
    assert [(b.text, b.page) for b in found.blocks if b.role == "footer"] == [("Report on the wells of Arn", 1)]


def test_forms_and_memos_printed_twice_keep_every_page() -> None:
    paper = Paper()
    for _ in range(2):
        paper.add_page()
        paper.lines(60, 60, ["To the depot at Sund", "Please send 40 lamps to the pier."], step=40)
    assert bodies(paper.read()) == ["To the depot at Sund", "Please send 40 lamps to the pier."] * 2
    form = Paper()
    for name, boats in (("Ana Brown", "41"), ("Ivo Green", "52")):
        form.add_page()
        form.put(60, 50, "Application for a permit", 14, "B")
        form.row(100, ["Name:", name])
        form.row(120, ["Boats:", boats])
        form.put(60, 200, "The boats named above are mine.")
    found = form.read()
    assert [b.text for b in rows(found)] == ["Name: | Ana Brown", "Boats: | 41", "Name: | Ivo Green", "Boats: | 52"]
    assert sum(b.text == "Application for a permit" for b in found.blocks) == 2


def test_a_table_over_pages_is_rows_with_column_names() -> None:
    paper = Paper()
    for n in range(3):
        paper.add_page()
        if n == 0:
            paper.row(80, ["District", "Wells", "Pumps"], "B")
        for i in range(3):
            paper.row(100 + 16 * i, [f"Arn{n}{i}", str(10 + n + i), str(1 + n)])
    found = [b for b in rows(paper.read()) if b.row]
    assert [b.text for b in found] == [f"Arn{n}{i} | {10 + n + i} | {1 + n}" for n in range(3) for i in range(3)]
    assert {b.columns for b in found} == {("District | Wells | Pumps",)}


def test_wrapped_cells_are_one_row_and_figures_never_move_up() -> None:
    paper = Paper()
    paper.add_page()
    paper.row(60, ["Date", "Event", "", "Dead"], "B")
    paper.row(80, ["3 May", "A storm broke the roof of the", "", "4"])
    paper.row(93, ["", "market hall near the river."])
    paper.row(114, ["9 May", "A bus was stopped.", "", "0"])
    paper.row(135, ["", "", "", "4"])
    assert [b.text for b in rows(paper.read()) if b.row] == [
        "3 May | A storm broke the roof of the market hall near the river. | 4",
        "9 May | A bus was stopped. | 0",
        " |  | 4",
    ]


COLUMNS = (
    ("The ferry to Sund", "was late on nine", "days of the month,", "and the crew was", "paid for the wait."),
    ("A new lamp was set", "on the north pier", "by the keeper, who", "is 71 years old and", "will retire soon."),
    ("Prices of herring", "fell by a third in", "the last week, and", "two boats stayed in", "port for repairs."),
)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("shift", [0, 6], ids=["same heights", "shifted"])
@pytest.mark.parametrize("by_row", [True, False], ids=["drawn by row", "drawn by column"])
def test_columns_are_read_one_after_the_other(count: int, shift: float, by_row: bool) -> None:
    paper = Paper()
    paper.add_page()
    paper.put(60, 50, "Harbour news", 18, "B")
    places = [(i, k) for i in range(5) for k in range(count)]
    for i, k in places if by_row else sorted(places, key=lambda place: place[1]):
        paper.put(60 + 150 * k, 90 + 14 * i + shift * (k % 2), COLUMNS[k][i])
    found = paper.read()
    assert found.metadata.title == "Harbour news"
    assert bodies(found) == [" ".join(column) for column in COLUMNS[:count]]


def test_a_table_beside_text_and_a_numbered_list_stay_apart() -> None:
    paper = Paper()
    paper.add_page()
    prose = [
        "The survey of the villages was",
        "made in spring, when the snow",
        "had melted and the roads were",
        "open to carts again.",
    ]
    paper.lines(60, 80, prose)
    for i, cells in enumerate((("Village", "Houses"), ("Bek", "7"), ("Col", "22"))):
        paper.put(330, 83 + 19 * i, cells[0])
        paper.put(430, 83 + 19 * i, cells[1])
    paper.add_page()
    listed = [f"{n}. The council decided on matter {n} without a vote." for n in (1, 2, 3)]
    for i, text in enumerate(listed):
        number, _, rest = text.partition(" ")
        paper.put(60, 60 + 30 * i, number)
        paper.put(85, 60 + 30 * i, rest)
    assert bodies(paper.read()) == [" ".join(prose), "Village | Houses", "Bek | 7", "Col | 22", *listed]


def test_sentences_go_on_past_footnotes_and_page_ends() -> None:
    paper = Paper()
    paper.add_page()
    paper.lines(
        60,
        80,
        [
            "The dam had been inspected four times in the year before it broke, and the",
            "owner was told about the crack by the",
        ],
        12,
    )
    paper.lines(60, 760, ["1 Letter of the inspectors, which the owner got in May."], 8)
    paper.put(290, 810, "7", 9)
    paper.add_page()
    paper.lines(60, 80, ["minister in June. Repairs were never begun, and nobody was asked why for", "nine years."], 12)
    paper.put(290, 810, "8", 9)
    found = paper.read()
    assert bodies(found) == [
        "The dam had been inspected four times in the year before it broke, and the owner was told about the crack by the "
        "minister in June. Repairs were never begun, and nobody was asked why for nine years."
    ]
    assert [b.text for b in found.blocks if b.role == "footnote"] == [
        "1 Letter of the inspectors, which the owner got in May."
    ]


def test_words_are_mended_and_true_hyphens_stay() -> None:
    paper = Paper()
    paper.add_page()
    paper.lines(60, 80, ["The well-known guild wrote of the recon-", "struction of the pier in 2031-", "2034, and the self-", "taught smith did the repair of the har\u00ad", "bour wall."])  # fmt: skip
    assert bodies(paper.read()) == [
        "The well-known guild wrote of the reconstruction of the pier in 2031-2034, and the self-taught smith did the "
        "repair of the harbour wall."
    ]


def test_double_struck_and_letter_spaced_words_are_read_once() -> None:
    paper = Paper()
    paper.add_page()
    paper.put(60, 60, "W A T E R   F E E S", 16, "B")
    for shift in (0, 0.4):
        paper.put(60 + shift, 100, "The fee is 38 crowns.")
        paper.put(60 + shift, 140, "Large families pay half of it.")
    found = paper.read()
    assert found.metadata.title == "WATER FEES"
    assert bodies(found) == ["The fee is 38 crowns.", "Large families pay half of it."]


def test_stamps_are_neither_title_nor_heading_and_watermarks_are_told_once() -> None:
    paper = Paper()
    for n in range(3):
        paper.add_page()
        with paper.rotation(90, 30, 600):
            paper.put(30, 600, "Not for release", 30, "B")
        if n == 0:
            paper.put(60, 60, "Grain on the lower river", 16, "B")
        paper.put(60, 100, f"Grain cost {n + 3} crowns in the port of Sund.")
    found = paper.read()
    assert found.metadata.title == "Grain on the lower river"
    assert [b.role for b in found.blocks if b.text == "Not for release"] == ["footer"]
    assert bodies(found) == [f"Grain cost {n} crowns in the port of Sund." for n in (3, 4, 5)]


def test_a_page_that_unfolds_without_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_words, "_SPARE_SECONDS", 0.0)
    unit = b"BT /F 12 Tf 10 10 Td (hello) Tj ET\n"
    packed = zlib.compress(unit * (64 * 1024**2 // len(unit)), 1)
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(packed), packed),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    data = b"%PDF-1.4\n" + b"".join(b"%d 0 obj%bendobj\n" % (i, o) for i, o in enumerate(objects, 1))
    data += b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % len(data)
    with pytest.raises(BadSource, match=r"^it takes too much memory or time to read"):
        pdf.read(data, max_seconds=2)


def test_a_page_is_drawn_with_the_places_of_the_quoted_words() -> None:
    paper = Paper()
    paper.add_page()
    paper.put(60, 100, "The ferry was built in 1911.")
    paper.put(60, 300, "Nils Aune wrote: The ferry was built in 1911. It had a crew of nine and a bell that")
    paper.add_page()
    paper.put(60, 40, "was heard at sea.")
    data = bytes(paper.output())
    ferry = pdf_page.Quote(text="The ferry was built in 1911.", page=1, before="Nils Aune wrote: ")
    bell = pdf_page.Quote(text="It had a crew of nine and a bell that was heard at sea.", page=1)
    first = pdf_page.draw(data, None, (ferry, bell, pdf_page.Quote(text="no such words here", page=1)))
    assert (first.page, first.count) == (1, 2) and first.png.startswith(b"\x89PNG")
    assert abs(first.height - 842 * pdf_page.DPI / 72) < 2
    (x0, y0, x1, y1), *more = first.boxes[0]
    assert not more and y0 < 297 / 842 < y1 < 310 / 842, "the words after their own context, not the same ones above"
    assert abs(x0 - (60 + paper.get_string_width("Nils Aune wrote: ")) / 595) < 0.01 and x1 < 0.6
    assert len(first.boxes[1]) == 1 and first.boxes[2] == ()
    second = pdf_page.draw(data, 2, (ferry, bell))
    assert second.boxes[0] == () and len(second.boxes[1]) == 1, "what runs on to the next page is marked there too"
    with pytest.raises(BadSource, match="no page 3; the PDF has 2"):
        pdf_page.draw(data, 3)
    with pytest.raises(BadSource, match="cannot be drawn"):
        pdf_page.draw(b"%PDF-1.4 broken", 1)
