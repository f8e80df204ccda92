"""Readers: what comes out of files as people have them, and what is said of files that will not do."""

from __future__ import annotations

import io
import os
import re
import zipfile
from pathlib import Path

import docx
import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from ingest.blocks import Extract, assemble
from ingest.chunk import chunk
from ingest.decode import decode
from ingest.errors import BadSource, Unsupported
from ingest.formats import pdf
from ingest.read import extract, kind_of, read_file

# --- decoding -------------------------------------------------------------------------------------------------

TEXTS = {
    "Привет": "cp1251 koi8_r cp866 utf-8 utf-8-sig utf-16 utf-16-le utf-16-be utf-32 utf-32-le",
    "Боевики ИГ": "cp1251 koi8_r cp866 utf-16-le",
    "Хорасан: что известно": "cp1251 koi8_r",
    "Число боевиков выросло до 2 000 человек — сообщает ООН.": "cp1251 utf-16-be utf-32-be",
    "Café à Paris": "cp1252 latin-1 utf-8 utf-16-le",
    "L’été dernier, le « chef » a été tué.": "cp1252 utf-8",
    "Größe der Gruppe: überprüft": "latin-1 cp1252",
    "It’s a test — “quoted”.": "cp1252 utf-8-sig",
    "Zażółć gęślą jaźń, łódź": "cp1250 utf-16",
    "plain words": "ascii utf-16-le utf-32-be",
}


@pytest.mark.parametrize(("text", "encoding"), [(t, e) for t, names in TEXTS.items() for e in names.split()])
def test_text_in_common_encodings_is_read(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_declared_encoding_decides_where_bytes_leave_it_open() -> None:
    assert decode("ž".encode("cp1250"), declared="windows-1250") == "ž"
    assert decode("naïve “x”".encode("cp1252"), declared="iso-8859-1") == "naïve “x”"
    assert decode("Привет".encode("cp1251"), declared="no-such-encoding") == "Привет"


def test_utf8_cut_in_the_middle_of_a_character_stays_utf8() -> None:
    assert decode("Сообщает агентство Рейтер".encode()[:-1]).startswith("Сообщает агентство Рейте")


def test_text_with_a_few_damaged_bytes_stays_what_it_is() -> None:
    words = "He said: “It’s late.” Then he left the quay and walked home. " * 5
    damaged = words.encode().replace(b"late", b"la\x81e", 1)
    assert decode(damaged).startswith("He said: “It’s la\ufffde.”")
    assert decode(b"plain words and one stray \x8d byte").startswith("plain words and one stray ")


def test_stray_nul_is_dropped() -> None:
    assert (
        decode(b"one\0 two words and more of them to come in this long line")
        == "one two words and more of them to come in this long line"
    )


@pytest.mark.parametrize(
    "data", [os.urandom(4000), bytes(range(256)) * 20, b"\x00\x01\x02\x03" * 500], ids=["random", "all", "low"]
)
def test_binary_data_is_refused(data: bytes) -> None:
    with pytest.raises(BadSource, match=r"^it is binary data, not text$"):
        decode(data)


# --- which reader ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "name", "declared", "kind"),
    [
        (b"%PDF-1.7 ...", "report.txt", None, "pdf"),
        (b"<!DOCTYPE html><p>x", "page", None, "html"),
        (b"\xef\xbb\xbf<html><body>x", "page.txt", None, "html"),
        ("<!doctype html><p>x".encode("utf-16"), "page.dat", None, "html"),
        (b"# Title\n\nText", "a.md", None, "markdown"),
        (b"Text", "https://example.org/a", "text/markdown; charset=utf-8", "markdown"),
        (b"* Heading\n\nText", "a.org", None, "org"),
        (b"#+AUTHOR: Ann Lee\r\n#+title: The ferry\r\n\r\nText", "a.txt", None, "org"),
        (b"Text", "https://example.org/a", "text/org; charset=utf-8", "org"),
        (b"Text", "https://example.org", None, "text"),
        (b"<p>Text</p>", "https://example.org/a?b=c.pdf", "text/html; charset=utf-8", "html"),
        (b"a;b\n1;2", "table.csv", None, "csv"),
        (b"a;b\n1;2", "https://example.org/a", "text/csv", "csv"),
        (b"a;b\n1;2", "table.txt", None, "text"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello", "a", None, "transcript"),
        (b"1\r\n00:00:01,000 --> 00:00:02,000\r\nHello", "a.txt", None, "transcript"),
        (
            b"From: a@b.c\nTo: d@e.f\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n",
            "a",
            None,
            "eml",
        ),
        (
            b"From: <Saved by Blink>\nSnapshot-Content-Location: https://a.b\nMIME-Version: 1.0\nContent-Type: multipart/related; b",
            "a",
            None,
            "mhtml",
        ),
        (b"From: the council\nTo: the people\n\nWe met.", "memo.txt", None, "text"),
        (b"From a@b.c Mon May  5 10:00:00 2036\nFrom: a@b.c\n\nHi", "inbox", None, "mbox"),
        (b"plain words", "notes.xyz", None, "text"),
        (b"plain words", "README", None, "text"),
        (b"From: x\nContent-Type: multipart/related; boundary=b\n\n", "page.mhtml", None, "mhtml"),
    ],
)
def test_content_tells_the_kind_before_the_name(data: bytes, name: str, declared: str | None, kind: str) -> None:
    assert kind_of(data, name=name, declared_type=declared) == kind


def _zip(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/"), data)
    return buffer.getvalue()


PNG = b"\x89PNG\r\n\x1a\n" + os.urandom(200)

BAD_FILES = [
    ("empty.txt", b"", "it is empty"),
    ("blank.txt", b" \n\t\r\n", "it is empty"),
    ("empty.pdf", b"", "it is empty"),
    (
        "photo.txt",
        PNG,
        "it is binary data (a PNG image), not text: rename it to .png, and its text is recognised",
    ),
    ("noise.txt", os.urandom(5000).replace(b"%PDF", b"").replace(b"PK", b""), "it is binary data, not text"),
    ("noise.xyz", b"\x00\x01\x02" * 1000, "it is binary data, not text"),
    ("photo.png", PNG, "it is a damaged image that cannot be opened: save or download it again"),
    ("photo.gif", b"GIF89a" + bytes(90), "it is a GIF image, which is not supported: save it as PNG, and its text is recognised"),
    (
        "old.doc",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "it is an old or protected Microsoft Office file (.doc, .xls, .ppt, .msg), which is not supported: "
        "open it, remove its password if it has one, and save it as .docx, .xlsx, .eml or PDF",
    ),
    (
        "sheet.xlsx",
        _zip(xl__workbook_xml=b"").replace(b"workbook_xml", b"workbook.xml"),
        "the XLSX file is damaged or cut off: save or download it again",
    ),
    ("many.zip", _zip(a=b"x"), "it is a ZIP archive: unpack it and add the files in it"),
    ("many.tar.gz", b"\x1f\x8b\x08" + bytes(50), "it is a gzip archive: unpack it and add the files in it"),
    ("cut.docx", b"PK\x03\x04" + os.urandom(400), "the DOCX file is damaged or cut off: save or download it again"),
    ("cut.odt", b"PK\x03\x04" + os.urandom(400), "the ODT file is damaged or cut off: save or download it again"),
    ("not.odt", b"words", "it is named .odt but is no ODT file: save or download it again"),
    (
        "sheet.ods",
        _zip(mimetype=b"application/vnd.oasis.opendocument.spreadsheet", **{"content.xml": b"<x/>"}),
        "it is an OpenDocument file that is no text, which is not supported: save it as .xlsx, CSV or PDF and add that",
    ),
    ("not.docx", b"words", "it is named .docx but is no DOCX file: save or download it again"),
    ("not.pdf", b"words", "it is named .pdf but is not a PDF: download it again, or rename it if it is text"),
    (
        "bad.md",
        b"---\ntitle: a: b: c\n---\n\nText",
        "its front matter is not valid YAML in line 2; put quotes around the value",
    ),
    ("photo.org", PNG, "it is binary data (a PNG image), not text: rename it to .png, and its text is recognised"),
    (
        "bad.org",
        b"#+DATE: the day after\n\nText",
        "its line '#+DATE:' cannot be read: 'the day after' is not a date; write it as 2024-03-22, 2024-03 or 2024",
    ),
    ("list.md", b"---\n- a\n---\n\nText", "its front matter must be 'name: value' lines"),
]


@pytest.mark.parametrize(("name", "data", "message"), BAD_FILES, ids=[name for name, _, _ in BAD_FILES])
def test_bad_files_are_told_in_one_sentence(name: str, data: bytes, message: str) -> None:
    with pytest.raises(BadSource) as caught:
        extract(data, name=name)
    assert str(caught.value) == message


def test_unknown_binary_kind_is_unsupported() -> None:
    with pytest.raises(Unsupported):
        extract(b"GIF89a" + bytes(90), name="photo.gif")


def test_text_over_the_limit_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "big.txt"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    with pytest.raises(BadSource, match=r"^it is 200 MB; the limit is 64 MB: split it into smaller files$"):
        read_file(path)
    with pytest.raises(BadSource, match=r"^it is 2.0 MB; the limit is 1.0 MB: split it into smaller files$"):
        extract(b"a" * 2 * 1024 * 1024, name="big.txt", max_bytes=1024 * 1024)


def test_missing_file_and_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadSource, match=r"^no such file$"):
        read_file(tmp_path / "none.txt")
    with pytest.raises(BadSource, match=r"^it is not a file$"):
        read_file(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_told(tmp_path: Path) -> None:
    path = tmp_path / "secret.txt"
    path.write_text("words")
    path.chmod(0)
    with pytest.raises(BadSource, match=r"^it may not be read: check the file's permissions$"):
        read_file(path)


def test_errors_of_parsers_do_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(data: bytes) -> Extract:
        raise LookupError("inner   trouble")

    monkeypatch.setattr(pdf, "read", explode)
    with pytest.raises(BadSource, match=r"^it cannot be read as PDF: inner trouble$"):
        extract(b"%PDF-1.4", name="a.pdf")


# --- PDF ------------------------------------------------------------------------------------------------------


def _texts(result: Extract, *roles: str) -> list[str]:
    return [b.text for b in result.blocks if b.role in roles]


FIGURES = tuple(
    f"{n}. Member States noted that the situation changed during the reporting period, with attacks on markets and on "
    f"offices. One Member State assessed that the group had between {n * 100} and {n * 150} members. Others gave lower figures."
    for n in range(1, 16)
)
INTRODUCTION = (
    "The group remains a threat in the region, with an estimated two thousand members and a widening recruitment base "
    "in the northern provinces. Its leadership moved between provinces."
)


class _Report(FPDF):
    def header(self) -> None:
        self.set_font("Times", size=9)
        self.cell(0, 8, "S/2099/17")
        self.ln(12)

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("Times", size=9)
        self.cell(0, 8, f"{self.page_no()}/{{nb}}", align="R")


def _report(*, title: str = "", author: str = "", gap: float = 2.5) -> bytes:
    document = _Report()
    document.set_title(title)
    document.set_author(author)
    document.add_page()

    def write(text: str, style: str = "", size: float = 11, width: float = 120) -> None:
        document.set_font("Times", style, size)
        document.multi_cell(width, size / 2, text, new_x="LMARGIN", new_y="NEXT")

    write("Ninth report of the survey team", "B", 16, 0)
    write("13 February 2024")
    document.ln(4)
    write(INTRODUCTION.replace("recruitment", "recruit-\nment"))
    document.ln(gap)
    write("I. Overview of the year", "B", 12, 0)
    for text in FIGURES:
        write(text)
        document.ln(gap)
    return bytes(document.output())


@pytest.mark.parametrize("gap", [2.5, 0.0], ids=["spaced", "unspaced"])
def test_pdf_report_gives_paragraphs_with_pages(gap: float) -> None:
    result = extract(_report(gap=gap), name="report.pdf")
    body = _texts(result, "body")
    assert INTRODUCTION in body
    whole = [text for text in FIGURES if text in body]
    assert len(whole) >= len(FIGURES) - 1  # one may run over the page break
    assert " ".join(body).count("Others gave lower figures.") == len(FIGURES)
    assert {b.page for b in result.blocks} == {1, 2}
    assert not any("S/2099" in text or re.fullmatch(r"\d/\d", text) for text in body)
    assert _texts(result, "heading") == ["I. Overview of the year"]


def test_pdf_locators_count_paragraphs_on_each_page() -> None:
    source = assemble("report.pdf", extract(_report(), name="report.pdf"))
    second = [p.locator for p in source.paragraphs if p.role == "body" and p.locator.startswith("p. 2")]
    assert second[0] == "p. 2 ¶1"
    assert second == [f"p. 2 ¶{n}" for n in range(1, len(second) + 1)]


_PORTS = ("Aldby", "Benby", "Cedby", "Dorby", "Elmby", "Farby")


def test_pdf_footnotes_are_findable_and_shift_no_paragraph() -> None:
    document = FPDF()
    document.set_auto_page_break(False)
    for page in (1, 2):
        document.add_page()
        document.set_font("Times", size=12)
        for port in _PORTS[:2] if page == 1 else _PORTS[3:5]:
            text = f"The harbour of {port} was used by nine vessels in spring, and two of them changed their names at sea. "
            document.multi_cell(0, 6, text * 3, new_x="LMARGIN", new_y="NEXT")
            document.ln(4)
        document.set_y(255)
        document.set_font("Times", size=8.5)
        note = (
            f"{page} Interview with the harbour master of {_PORTS[page]}, who gave the names of both vessels in full."
        )
        document.multi_cell(100, 4, note, new_x="LMARGIN", new_y="NEXT")
    # An annex in small print is no footnote.
    document.add_page()
    document.set_font("Times", size=8.5)
    document.multi_cell(0, 4, "1 The annex lists every vessel that called at one of the six harbours of the province.")
    source = assemble("x", extract(bytes(document.output()), name="x.pdf"))
    found = [(p.locator, p.number, source.text[p.start : p.end][:22]) for p in source.paragraphs]
    assert found == [
        ("p. 1 ¶1", 1, "The harbour of Aldby w"),
        ("p. 1 ¶2", 2, "The harbour of Benby w"),
        ("p. 1 footnote", None, "1 Interview with the h"),
        ("p. 2 ¶1", 3, "The harbour of Dorby w"),
        ("p. 2 ¶2", 4, "The harbour of Elmby w"),
        ("p. 2 footnote", None, "2 Interview with the h"),
        ("p. 3 ¶1", 5, "1 The annex lists ever"),
    ]
    assert [p.context for p in chunk(source) if p.role == "footnote"] == [f"{source.title} – footnote"] * 2


def test_pdf_title_and_date_come_from_the_title_page() -> None:
    metadata = extract(_report(), name="report.pdf").metadata
    assert metadata.title == "Ninth report of the survey team"
    assert (metadata.date, metadata.date_note) == ("2024-02-13", None)
    assert metadata.author is None


def test_pdf_metadata_of_word_processors_is_not_believed() -> None:
    junk = extract(_report(title="Microsoft Word - draft_v3.docx", author="user"), name="report.pdf").metadata
    assert (junk.title, junk.author) == ("Ninth report of the survey team", None)
    told = extract(_report(title="Ninth report on the region", author="Survey Team"), name="report.pdf").metadata
    assert (told.title, told.author) == ("Ninth report on the region", "Survey Team")


def _encrypted(password: str) -> bytes:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(_report())))
    writer.encrypt(password, "owner", algorithm="AES-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_pdf_that_opens_without_a_password_is_read() -> None:
    assert INTRODUCTION in _texts(extract(_encrypted(""), name="a.pdf"), "body")


def _scan() -> bytes:
    from PIL import Image

    document = FPDF()
    document.add_page()
    document.image(Image.new("L", (60, 80), 200), w=150)
    return bytes(document.output())


def _blank_pdf() -> bytes:
    document = FPDF()
    document.add_page()
    return bytes(document.output())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: _encrypted("secret"),
            "it is an encrypted PDF; remove its password, e.g. with qpdf --decrypt, and add it again",
        ),
        (_blank_pdf, "it is a PDF that holds no text"),
        (lambda: _report()[:2500], "it is a truncated PDF: its end is missing; download or copy it again"),
        (
            lambda: b"%PDF-1.4\n" + b"junk " * 99 + b"startxref\n5\n%%EOF",
            "it is a damaged PDF that cannot be opened; download it again or print it to a new PDF",
        ),
    ],
    ids=["encrypted", "blank", "truncated", "damaged"],
)
def test_bad_pdf_is_told_in_one_sentence(make, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadSource) as caught:
        extract(make(), name="a.pdf")
    assert str(caught.value) == message


def test_pdf_limits_hold() -> None:
    data = _report()
    with pytest.raises(BadSource, match=r"^it has 2 pages; the limit is 1: split it$"):
        pdf.read(data, max_pages=1)
    with pytest.raises(BadSource, match=r"^it takes too long to read: stopped at page 1 of 2; split it$"):
        pdf.read(data, max_seconds=0)


# --- DOCX, EPUB and ODT ---------------------------------------------------------------------------------------


def _document() -> io.BytesIO:
    document = docx.Document()
    document.core_properties.author = "Jane Roe"
    document.core_properties.title = "Word Document"
    document.add_heading("Report on the ferry", 0)
    document.add_paragraph("12 March 2024")
    document.add_heading("Findings", 1)
    document.add_paragraph("The ramps are worn.\nBoth of them are.")
    document.add_paragraph("first point", style="List Bullet")
    table = document.add_table(2, 2)
    for cell, text in zip([c for row in table.rows for c in row.cells], ["Year", "Trips", "2023", "811"], strict=True):
        cell.text = text
    document.add_paragraph("Figure 1: the ramp", style="Caption")
    document.add_paragraph("The last word goes to the people on the quay.")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer


def test_docx_keeps_headings_lists_tables_and_captions_in_order() -> None:
    result = extract(_document().getvalue(), name="report.docx")
    assert [(b.role, b.level, b.text) for b in result.blocks] == [
        ("title", 0, "Report on the ferry"),
        ("byline", 0, "12 March 2024"),
        ("heading", 1, "Findings"),
        ("body", 0, "The ramps are worn.\nBoth of them are."),
        ("body", 0, "first point"),
        ("body", 0, "Year | Trips"),
        ("body", 0, "2023 | 811"),
        ("caption", 0, "Figure 1: the ramp"),
        ("body", 0, "The last word goes to the people on the quay."),
    ]
    assert (result.metadata.title, result.metadata.author) == ("Report on the ferry", "Jane Roe")
    assert (result.metadata.date, result.metadata.date_note) == ("2024-03-12", None)


def _with_part(data: bytes, name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if entry.filename != name:
                new.writestr(entry, old.read(entry))
        new.writestr(name, content)
    return buffer.getvalue()


def test_docx_leaves_out_deleted_words_and_keeps_inserted_ones() -> None:
    data = _document().getvalue()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        xml = archive.read("word/document.xml").decode()
    xml = xml.replace(
        "<w:r><w:t>The last word goes",
        '<w:del w:id="1" w:author="a"><w:r><w:delText>Gone. </w:delText></w:r></w:del>'
        '<w:ins w:id="2" w:author="a"><w:r><w:t xml:space="preserve">New. </w:t></w:r></w:ins><w:r><w:t>The last word goes',
    )
    result = extract(_with_part(data, "word/document.xml", xml.encode()), name="a.docx")
    assert result.blocks[-1].text == "New. The last word goes to the people on the quay."


def test_zip_bomb_as_docx_is_not_opened() -> None:
    bomb = _with_part(_document().getvalue(), "word/media/image1.png", bytes(40 * 1024 * 1024))
    with pytest.raises(BadSource) as caught:
        extract(bomb, name="bomb.docx")
    assert re.fullmatch(
        r"the DOCX file was not opened: its 0\.\d MB would unpack to 41 MB in \d+ files, as a zip bomb does",
        str(caught.value),
    )


def test_entities_in_docx_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")
    with zipfile.ZipFile(_document()) as archive:
        xml = archive.read("word/document.xml").decode()
    head, rest = xml.split("?>", 1)
    evil = f'{head}?><!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>' + rest.replace(
        "The last word", "&x; The last word"
    )
    try:
        result = extract(_with_part(_document().getvalue(), "word/document.xml", evil.encode()), name="a.docx")
    except BadSource:
        return
    assert "TOPSECRET" not in " ".join(b.text for b in result.blocks)


def _book() -> bytes:
    chapter = (
        '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>t</title></head><body><h1>The {n} hour</h1>'
        "<p>It was late&nbsp;in the {n} hour.</p><blockquote><p>“Wait,” they said.</p></blockquote></body></html>"
    )
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Hours</dc:title>'
        "<dc:creator>A. Writer</dc:creator><dc:date>2019-05-01</dc:date><dc:language>en-GB</dc:language></metadata><manifest>"
        '<item id="b" href="two%20b.xhtml" media-type="application/xhtml+xml"/><item id="a" href="one.xhtml" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>'
    )
    container = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="OEBPS/p.opf"/></rootfiles></container>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", container)
        archive.writestr("OEBPS/p.opf", package)
        archive.writestr("OEBPS/one.xhtml", chapter.replace("{n}", "first"))
        archive.writestr("OEBPS/two b.xhtml", chapter.replace("{n}", "second"))
    return buffer.getvalue()


def test_epub_gives_its_chapters_in_reading_order() -> None:
    result = extract(_book(), name="hours.epub")
    assert [(b.role, b.text) for b in result.blocks] == [
        ("heading", "The first hour"),
        ("body", "It was late in the first hour."),
        ("body", "“Wait,” they said."),
        ("heading", "The second hour"),
        ("body", "It was late in the second hour."),
        ("body", "“Wait,” they said."),
    ]
    metadata = result.metadata
    assert (metadata.title, metadata.author, metadata.date, metadata.language) == (
        "Hours",
        "A. Writer",
        "2019-05-01",
        "en",
    )


def test_cut_epub_is_told() -> None:
    with pytest.raises(BadSource, match=r"^the EPUB file is damaged or cut off: save or download it again$"):
        extract(_book()[:900], name="hours.epub")


ODT_NAMES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for short, name in {
        "office": "office", "text": "text", "table": "table", "draw": "drawing", "style": "style",
        "fo": "xsl-fo-compatible", "meta": "meta",
    }.items()
) + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'  # fmt: skip
ODT_STYLES = """
<style:style style:name="P1" style:family="paragraph" style:parent-style-name="Title"/>
<style:style style:name="P2" style:family="paragraph" style:parent-style-name="Illustration"/>
<style:style style:name="Bold" style:family="text"><style:text-properties fo:font-weight="bold"/></style:style>
<style:style style:name="Secret" style:family="text"><style:text-properties text:display="none"/></style:style>
<style:style style:name="P3" style:family="paragraph" style:parent-style-name="P4"/>
<style:style style:name="P4" style:family="paragraph" style:parent-style-name="P3"/>"""
ODT_BODY = """
<text:p text:style-name="P1">Report on the ferry</text:p>
<text:table-of-content><text:index-body><text:p>Findings 3</text:p></text:index-body></text:table-of-content>
<text:h text:outline-level="2">Findings</text:h>
<text:p text:style-name="P3">The ramps
 are<text:s text:c="3"/>worn<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Seen in May.</text:p></text:note-body></text:note>.<text:line-break/>Both of them are.</text:p>
<text:list><text:list-item><text:p>first point</text:p><text:list><text:list-item><text:p>point below it</text:p></text:list-item></text:list></text:list-item></text:list>
<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Year</text:p></table:table-cell><table:table-cell><text:p>Trips</text:p></table:table-cell><table:table-cell><text:p>Late</text:p></table:table-cell></table:table-row></table:table-header-rows>
<table:table-row><table:table-cell><text:p>2023</text:p></table:table-cell><table:table-cell table:number-columns-repeated="2"><text:p>811</text:p></table:table-cell></table:table-row></table:table>
<text:p>Beside it <draw:frame><draw:text-box><text:p text:style-name="P2">Figure 1: the ramp</text:p></draw:text-box></draw:frame>stands a sign.</text:p>
<text:p><text:span text:style-name="Bold">What was done</text:span></text:p>
<text:p>The last word goes to the people on the quay.</text:p>"""


def _odt(body: str = ODT_BODY, *, meta: str = "", **parts: str) -> bytes:
    files = {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f"<office:document-content {ODT_NAMES}><office:automatic-styles>{ODT_STYLES}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>",
        "styles.xml": f'<office:document-styles {ODT_NAMES}><office:styles><style:style style:name="Illustration" '
        'style:family="paragraph" style:parent-style-name="Caption"/></office:styles></office:document-styles>',
        "meta.xml": f"<office:document-meta {ODT_NAMES}><office:meta>{meta}</office:meta></office:document-meta>",
    }
    return _zip(**{name: text.encode() for name, text in (files | parts).items()})


def test_odt_keeps_headings_lists_tables_and_captions_in_order() -> None:
    result = extract(_odt(), name="report")
    assert [(b.role, b.level, b.text) for b in result.blocks if b.role != "body"] == [
        ("title", 0, "Report on the ferry"),
        ("heading", 2, "Findings"),
        ("heading", 0, "Year | Trips | Late"),
        ("caption", 0, "Figure 1: the ramp"),
        ("heading", 4, "What was done"),
        ("footnote", 0, "Seen in May."),
    ]
    source = assemble("x", result)
    assert [(p.locator, source.text[p.start : p.end]) for p in source.paragraphs if p.role == "body"] == [
        ("¶1", "The ramps are worn.\nBoth of them are."),
        ("¶2", "first point"),
        ("¶3", "point below it"),
        ("¶4 row 1", "2023 | 811 | 811"),
        ("¶5", "Beside it stands a sign."),
        ("¶6", "The last word goes to the people on the quay."),
    ]
    assert result.media_type == "application/vnd.oasis.opendocument.text"


def test_odt_properties_say_who_wrote_it_and_when_it_was_made() -> None:
    facts = "<dc:title>On ferries</dc:title><meta:initial-creator>Jane Roe</meta:initial-creator><dc:creator>A. Clerk</dc:creator>"
    dates = (
        "<meta:creation-date>2024-03-12T10:00:00.123456789</meta:creation-date><dc:date>2024-03-14T09:30:00Z</dc:date>"
    )
    found = extract(_odt("<text:p>Words are here.</text:p>", meta=facts + dates), name="a.odt").metadata
    assert (found.title, found.author, found.date, found.date_note) == (
        "On ferries",
        "Jane Roe",
        "2024-03-12",
        "file made",
    )
    found = extract(_odt(meta=facts + dates.replace("2024-03-12", "2019-03-12")), name="a.odt").metadata
    assert (found.title, found.date) == ("Report on the ferry", None), "the file was copied from an old one"


def test_odt_leaves_out_what_a_reader_does_not_see() -> None:
    body = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>Gone.</text:p></text:deletion></text:changed-region></text:tracked-changes>"
        '<text:p>It is <text:span text:style-name="Secret">Gone </text:span>here<office:annotation><dc:creator>A</dc:creator><text:p>Gone.</text:p></office:annotation>'
        '<text:hidden-text text:is-hidden="true">Gone</text:hidden-text>, it is.</text:p><text:p><text:hidden-paragraph text:is-hidden="true"/>Gone.</text:p>'
        '<text:section text:display="none"><text:p>Gone.</text:p></text:section><text:p>It stays.</text:p>'
    )
    assert _texts(extract(_odt(body), name="a.odt"), "body") == ["It is here, it is.", "It stays."]


CELL = '<table:table><table:table-row><table:table-cell table:number-columns-repeated="99999999"><text:p>x</text:p></table:table-cell></table:table-row></table:table>'
ENTRY = '<file-entry xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><encryption-data/></file-entry>'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_odt()[:900], r"the ODT file is damaged or cut off: save or download it again"),
        (_odt(**{"content.xml": "<x/>"}), r"the ODT file is damaged or cut off: save or download it again"),
        (_odt(**{"content.xml": "<x>"}), r"it is damaged inside: .*"),
        (_odt(Pictures__a_png="\0" * 40 * 1024 * 1024), r"the ODT file was not opened: its 0\.\d MB would unpack to 40 MB in 5 files, as a zip bomb does"),
        (_odt(CELL), r"the ODT file was not read: cells that its tables repeat would fill 191 MB, as a zip bomb does"),
        (_odt(**{"META-INF/manifest.xml": ENTRY}), r"the ODT file is encrypted: remove its password and add it again"),
        (_zip(mimetype=b"application/vnd.oasis.opendocument.text", **{"encrypted-package": b"x"}), r"the ODT file is encrypted: .*"),
    ],
    ids=["cut", "other content", "not well-formed", "bomb", "repeated cells", "encrypted", "wholly encrypted"],
)  # fmt: skip
def test_bad_odt_is_told_in_one_sentence(data: bytes, message: str) -> None:
    with pytest.raises(BadSource) as caught:
        extract(data, name="a.odt")
    assert re.fullmatch(message, str(caught.value))


def test_entities_in_odt_are_not_expanded(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("TOPSECRET")
    with zipfile.ZipFile(io.BytesIO(_odt("<text:p>Words &amp;x; are here.</text:p>"))) as archive:
        xml = archive.read("content.xml").decode().replace("&amp;x;", "&x;")
    evil = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]>{xml}'
    [text] = _texts(extract(_odt(**{"content.xml": evil}), name="a.odt"), "body")
    assert text.split() == ["Words", "are", "here."]


# --- Org mode -------------------------------------------------------------------------------------------------

ORG = """#+TITLE: The ferry of Norholm
#+AUTHOR: Ann Lee
#+DATE: <2024-03-22 Fri>
# a comment of the author's

Cars, people and post
cross the *sound* each day.

* TODO [#A] The boats                                        :ferry:old:
:PROPERTIES:
:ID: 4711
:END:
SCHEDULED: <2024-04-01 Mon>
See [[https://example.org/a][the yard]] and 2*3*4.

** Crew
- [X] Per Dahl, mate,
  since 2019
- Ida Moe
1. First
   * Nested

#+BEGIN_SRC text
* no heading
#+END_SRC
#+BEGIN_QUOTE
The ice comes late.
#+END_QUOTE
#+BEGIN_COMMENT
secret
#+END_COMMENT

| Year | Trips |
|------+-------|
| 2022 | 790   |
"""


def test_org_keeps_headings_lists_and_tables_in_order_and_leaves_out_what_is_no_text() -> None:
    found = extract(ORG.encode(), name="a.org")
    assert [(b.role, b.text) for b in found.blocks] == [
        ("title", "The ferry of Norholm"),
        ("body", "Cars, people and post cross the sound each day."),
        ("heading", "The boats"),
        ("body", "See the yard and 2*3*4."),
        ("heading", "Crew"),
        ("body", "Per Dahl, mate, since 2019"),
        ("body", "Ida Moe"),
        ("body", "First"),
        ("body", "Nested"),
        ("body", "* no heading"),
        ("body", "The ice comes late."),
        ("heading", "Year | Trips"),
        ("body", "2022 | 790"),
    ]
    assert (found.metadata.title, found.metadata.author, found.metadata.date) == ("The ferry of Norholm", "Ann Lee", "2024-03-22")
    source = assemble("x", found)
    assert next(p for p in source.paragraphs if source.text[p.start : p.end] == "Ida Moe").headings == ("The boats", "Crew")


@pytest.mark.parametrize("text", ["#+BEGIN_SRC\nwords", "* A\n:LOGBOOK:\nwords", "|-\n| words", "#+BEGIN_QUOTE\nwords"])
def test_cut_org_keeps_its_words(text: str) -> None:
    assert "words" in " ".join(_texts(extract(text.encode(), name="a.org"), "body"))
