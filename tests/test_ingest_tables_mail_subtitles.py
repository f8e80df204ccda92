"""Tables, e-mail, subtitles, hidden text and what is no text: what comes out of each kind of file."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import mailbox
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import pytest
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from openpyxl import Workbook

from ingest.add import add_bytes
from ingest.blocks import Block, Extract, assemble
from ingest.decode import decode
from ingest.errors import BadSource, Unsupported
from ingest.formats import table
from ingest.library import Library
from ingest.read import extract

PROSE = "The ferry of Norholm carries cars, people and post across the sound from March until the ice comes. "


def _rows(found: Extract) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(p.locator, found_text, p.headings) for p, found_text in _paragraphs(found) if p.role == "body"]


def _paragraphs(found: Extract):  # type: ignore[no-untyped-def]
    source = assemble("x", found)
    return [(p, source.text[p.start : p.end]) for p in source.paragraphs]


def _text(found: Extract) -> str:
    return assemble("x", found).text


# --- tables as text -------------------------------------------------------------------------------------------

HARBOURS = "harbour{0}ships{0}depth\nOstby{0}1.200{0}14,2\nLinnö{0}850{0}9,1\n"
HARBOUR_ROWS = [
    ("row 2", "Ostby | 1.200 | 14,2", ("harbour | ships | depth",)),
    ("row 3", "Linnö | 850 | 9,1", ("harbour | ships | depth",)),
]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.csv", HARBOURS.format(";").encode("cp1252")),
        ("a.csv", HARBOURS.format(";").encode("utf-16")),
        ("a.csv", HARBOURS.format(";").encode("utf-8-sig")),
        ("a.csv", HARBOURS.format("|").encode()),
        ("a.csv", HARBOURS.replace("14,2", '"14,2"').replace("9,1", '"9,1"').format(",").encode()),
        ("a.tsv", HARBOURS.format("\t").replace("\n", "\r\n").encode("utf-16-le")),
        ("a.csv", HARBOURS.format("\t").encode()),
    ],
    ids=["Windows-1252", "UTF-16", "byte order mark", "bars", "commas", "TSV in UTF-16 without mark", "tabs in .csv"],
)
def test_rows_of_a_text_table_carry_their_column_names_whatever_parts_the_cells(name: str, data: bytes) -> None:
    assert _rows(extract(data, name=name)) == HARBOUR_ROWS


def test_line_breaks_and_commas_inside_quotes_do_not_part_rows() -> None:
    found = extract(b'id,remark\n1,"First line\nsecond, line"\n2,short\n', name="a.csv")
    assert [text for _, text, _ in _rows(found)] == ["1 | First line second, line", "2 | short"]


def test_a_title_line_with_commas_is_context_and_a_note_below_stands_alone() -> None:
    found = extract(
        b"Ships, by harbour\nharbour,ships,year\nOstby,12,2035\nLinn,9,2035\n\nSource: port, rounded.\n", name="a.csv"
    )
    assert _rows(found) == [
        ("row 3", "Ostby | 12 | 2035", ("Ships, by harbour", "harbour | ships | year")),
        ("row 4", "Linn | 9 | 2035", ("Ships, by harbour", "harbour | ships | year")),
        ("row 6", "Source: port, rounded.", ("Ships, by harbour",)),
    ]


def test_without_a_header_no_row_is_taken_for_one() -> None:
    assert _rows(extract(b"Ostby,1200\nLinn,850\n", name="a.csv")) == [
        ("row 1", "Ostby | 1200", ()),
        ("row 2", "Linn | 850", ()),
    ]


def test_a_quotation_mark_that_nothing_closes_swallows_no_rows() -> None:
    assert [r[0] for r in _rows(extract(b'harbour,ships\nOstby,"12\nLinn,9\n', name="a.csv"))] == ["row 2", "row 3"]


def test_a_table_over_the_limit_is_refused_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_ROWS", 3)
    with pytest.raises(BadSource, match=r"^it has 5 rows; the limit is 3: split it into smaller files$"):
        extract(b"a,b\n" + b"1,2\n" * 4, name="a.csv")


# --- spreadsheets ---------------------------------------------------------------------------------------------


def _workbook() -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.title = "2035"
    for row in [["Ships by harbour"], [], ["harbour", "ships", "share", "since", "month"],
                ["Ostby", 1200, 0.125, dt.date(2035, 3, 4), dt.date(2035, 3, 1)],
                ["Linn", 850, 0.2, dt.date(2034, 1, 2), dt.date(2035, 4, 1)],
                ["Secret", 1, 0.1, dt.date(2034, 1, 2), dt.date(2035, 4, 1)]]:  # fmt: skip
        sheet.append(row)
    for row in (4, 5):
        for column, shown in ((2, "#,##0"), (3, "0.0%"), (5, "mmm yyyy")):
            sheet.cell(row, column).number_format = shown
    sheet.row_dimensions[6].hidden = True
    other = book.create_sheet("Piers")
    other["C5"], other["D5"], other["C6"], other["D6"] = "pier", "length", "North", 40
    secret = book.create_sheet("Drafts")
    secret["A1"], secret.sheet_state = "nothing to see", "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_sheets_are_headings_and_cells_read_as_they_are_shown() -> None:
    found = extract(_workbook(), name="a.xlsx")
    columns = ("2035", "Ships by harbour", "harbour | ships | share | since | month")
    assert _rows(found) == [
        ("sheet “2035”, row 4", "Ostby | 1,200 | 12.5% | 2035-03-04 | Mar 2035", columns),
        ("sheet “2035”, row 5", "Linn | 850 | 20.0% | 2034-01-02 | Apr 2035", columns),
        ("sheet “Piers”, row 6", "North | 40", ("Piers", "pier | length")),
    ]


def test_hidden_rows_and_sheets_stay_out_and_the_user_is_told() -> None:
    found = extract(_workbook(), name="a.xlsx")
    assert "Secret" not in _text(found) and "nothing to see" not in _text(found)
    assert [n.split(":")[0] for n in found.notices] == ["hidden sheets were left out", "1 hidden rows were left out"]


def _rezipped(data: bytes, change) -> bytes:  # type: ignore[no-untyped-def]
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, change(entry.filename, old.read(entry)))
    return buffer.getvalue()


def _strict(_: str, part: bytes) -> bytes:
    for kind in (b"spreadsheetml", b"wordprocessingml", b"officeDocument", b"drawingml"):
        part = part.replace(
            b"http://schemas.openxmlformats.org/" + kind + b"/2006/", b"http://purl.oclc.org/ooxml/" + kind + b"/"
        )
    return part


def test_office_files_in_the_strict_form_read_like_ordinary_ones() -> None:
    document = docx.Document()
    document.add_paragraph(PROSE)
    buffer = io.BytesIO()
    document.save(buffer)
    for name, data in (("a.docx", buffer.getvalue()), ("a.xlsx", _workbook())):
        strict = _rezipped(data, _strict)
        assert b"purl.oclc.org" in zipfile.ZipFile(io.BytesIO(strict)).read("_rels/.rels")
        assert _text(extract(strict, name=name)) == _text(extract(data, name=name))


def test_a_spreadsheet_that_unpacks_without_end_is_not_opened() -> None:
    bomb = _rezipped(_workbook(), lambda name, part: part + b" " * 70_000_000 if name.endswith("sheet1.xml") else part)
    with pytest.raises(BadSource, match="zip bomb"):
        extract(bomb, name="a.xlsx")


# --- e-mail ---------------------------------------------------------------------------------------------------


def _message(text: str = "Grüße. The pier is open again.\n", **more: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "Ida Fenn <ida@example.org>", "desk@example.org"
    message["Subject"], message["Date"] = "Pier of Ostby – öffnet", "Mon, 05 May 2036 23:30:00 +0200"
    message["Message-ID"] = "<1@example.org>"
    for name, value in more.items():
        message[name] = value
    message.set_content(text, cte="quoted-printable")
    return message


def test_a_message_has_its_sender_subject_and_day_and_no_trace_of_its_coding() -> None:
    message = _message()
    message.add_alternative("<html><body><p>Other words</p></body></html>", subtype="html")
    message.add_attachment(b"The toll is 3 crowns.", maintype="text", subtype="plain", filename="toll.txt")
    found = extract(message.as_bytes(), name="a.eml")
    data = found.metadata
    assert (data.title, data.author, data.date) == ("Pier of Ostby – öffnet", "Ida Fenn", "2036-05-05")
    assert _rows(found) == [("¶1", "Grüße. The pier is open again.", ())]
    assert _text(found).endswith("Attached, not read: toll.txt.") and "toll.txt" in found.notices[0]


def test_a_message_that_is_a_page_is_read_as_one_even_when_short() -> None:
    message = _message("See the page.")
    hidden = "<div style='display:none'>Preheader of the shop</div>"
    message.add_alternative(
        f"<html><body>{hidden}<div>The mill of Tarn burned down on <b>Friday</b>.</div><div>Nobody was hurt.</div><blockquote type='cite'>It stands.</blockquote></body></html>",
        subtype="html",
        cte="base64",
    )
    found = extract(message.as_bytes(), name="a.eml")
    assert found.blocks[-1].role == "remark"
    assert _text(found) == "The mill of Tarn burned down on Friday.\n\nNobody was hurt.\n\nIt stands."


def test_what_a_message_quotes_of_others_is_no_answer_of_its_sender() -> None:
    found = extract(
        _message(
            "The pier is open.\n\nOn Monday Odo wrote:\n> The pier is closed.\n\n-- \nIda, harbour desk\n"
        ).as_bytes(),
        name="a.eml",
    )
    assert [(b.role, b.text) for b in found.blocks] == [
        ("body", "The pier is open."), ("remark", "On Monday Odo wrote:"), ("remark", "The pier is closed."),
        ("footer", "Ida, harbour desk"),
    ]  # fmt: skip


def test_a_message_of_attachments_alone_is_refused_with_what_to_do() -> None:
    message = EmailMessage()
    message["From"], message["Subject"] = "a@example.org", "scan"
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="scan.pdf")
    with pytest.raises(BadSource, match="save its attachments and add them"):
        extract(message.as_bytes(), name="a.eml")


def test_each_message_of_a_mailbox_has_its_heading_and_its_sender(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "a.mbox")
    box.add(_message("First of all:\n\nFrom here the road is closed.\n"))
    second = _message("The road is open.\n")
    second.replace_header("From", "Odo Brask <odo@example.org>")
    box.add(second)
    box.close()
    found = extract((tmp_path / "a.mbox").read_bytes(), name="a.mbox")
    assert [(b.place, b.claimed_by, b.text) for b in found.blocks if b.role == "body"] == [
        ("message 1", "Ida Fenn", "First of all:"), ("message 1", "Ida Fenn", "From here the road is closed."),
        ("message 2", "Odo Brask", "The road is open."),
    ]  # fmt: skip
    assert [b.text for b in found.blocks if b.role == "heading"][1] == "Pier of Ostby – öffnet – Odo Brask, 2036-05-05"


# --- subtitles ------------------------------------------------------------------------------------------------


def _said(found: Extract) -> list[tuple[str | None, str, str | None]]:
    return [(b.place, b.text, b.claimed_by) for b in found.blocks]


def test_cues_join_into_sentences_and_time_codes_are_only_locators() -> None:
    srt = "1\r\n00:12:30,100 --> 00:12:33,000\r\nThe <i>bridge</i> holds\r\nforty tonnes\r\n\r\n2\r\n00:12:33,000 --> 00:12:35,000\r\nand no more.\r\n\r\n3\r\n01:02:03,000 --> 01:02:05,000\r\nNote: it was mended.\r\n"
    assert _said(extract(srt.encode(), name="a.srt")) == [
        ("00:12:30", "The bridge holds forty tonnes and no more.", None), ("01:02:03", "Note: it was mended.", None),
    ]  # fmt: skip


def test_speakers_begin_paragraphs_of_their_own() -> None:
    vtt = "WEBVTT - Hearing\n\nNOTE made by hand\n\nSTYLE\n::cue { color: red }\n\n1\n00:01.000 --> 00:03.000 align:start\n<v.loud Ida Fenn>Who paid\n\n00:03.000 --> 00:04.000\n<v Ida Fenn>for the bridge?</v>\n\n00:04.000 --> 00:06.000\n<v Odo>Tarn &amp; Ostby.\n"
    found = extract(vtt.encode(), name="a.vtt")
    assert found.metadata.title == "Hearing"
    assert _said(found) == [
        ("00:00:01", "Ida Fenn: Who paid for the bridge?", "Ida Fenn"), ("00:00:04", "Odo: Tarn & Ostby.", "Odo"),
    ]  # fmt: skip
    srt = "1\n00:00:01,000 --> 00:00:02,000\nIDA: Who paid?\n- ODO: Tarn did.\n"
    assert [s[1] for s in _said(extract(srt.encode(), name="a.srt"))] == ["IDA: Who paid?", "ODO: Tarn did."]


def test_live_captions_that_repeat_the_line_above_are_read_once() -> None:
    vtt = "WEBVTT\n\n00:01.000 --> 00:03.000\nthe bridge\n\n00:03.000 --> 00:05.000\nthe bridge\nholds<00:04.000><c> forty</c>\n\n00:05.000 --> 00:07.000\nholds forty\ntonnes\n"
    assert [s[1] for s in _said(extract(vtt.encode(), name="a.vtt"))] == ["the bridge holds forty tonnes"]


# --- hidden text ----------------------------------------------------------------------------------------------


def test_hidden_words_of_a_word_file_stay_out_whether_marked_or_by_style() -> None:
    document = docx.Document()
    for name, kind in (("Unseen", WD_STYLE_TYPE.CHARACTER), ("Unseen block", WD_STYLE_TYPE.PARAGRAPH)):
        document.styles.add_style(name, kind).font.hidden = True
    document.styles.add_style("Heir", WD_STYLE_TYPE.CHARACTER).base_style = document.styles["Unseen"]
    paragraph = document.add_paragraph("The ferry runs daily.")
    paragraph.add_run(" Marked.").font.hidden = True
    paragraph.add_run(" Styled.", style="Heir")
    paragraph.add_run(" Shown again.", style="Heir").font.hidden = False
    document.add_paragraph("Whole paragraph.", style="Unseen block")
    rows = document.add_table(2, 2)
    rows.cell(0, 0).text, rows.cell(0, 1).text, rows.cell(1, 0).text, rows.cell(1, 1).text = "kept", "1", "deleted", "2"
    rows.rows[1]._tr.get_or_add_trPr().append(OxmlElement("w:del"))
    buffer = io.BytesIO()
    document.save(buffer)
    assert [t for _, t, _ in _rows(extract(buffer.getvalue(), name="a.docx"))] == [
        "The ferry runs daily. Shown again.", "kept | 1",
    ]  # fmt: skip


def _page(inside: str, around: str = "") -> str:
    body = f"<article {around}><h1>Ferry</h1><p>{PROSE * 3}</p>{inside}<p>{PROSE * 2}</p></article>"
    return _text(extract(f"<html><body>{body}</body></html>".encode(), name="a.html"))


@pytest.mark.parametrize(
    "how",
    ["p hidden", "p hidden='until-found'", "p aria-hidden='true'", "template", "noscript", "dialog",
     "p style='color:red; visibility: hidden'", "p style='DISPLAY:NONE'"],
)  # fmt: skip
def test_what_a_page_hides_is_no_source_text(how: str) -> None:
    secret = "Fifteen sailors drowned near Norholm in the storm of March, as nobody may read here."
    assert secret not in _page(f"<{how}>{secret}</{how.split()[0]}>")


def test_closed_details_and_a_page_saved_under_a_dialog_are_read() -> None:
    shown = "Twelve sailors were saved near Norholm in the storm of March, as everybody may read."
    assert shown in _page(f"<details><summary>More on the storm</summary><p>{shown}</p></details>")
    assert shown in _page(f"<p>{shown}</p>", around="aria-hidden='true'")


# --- encodings and what is no text ----------------------------------------------------------------------------

ENCODED = [
    ("cp1256", "ارتفع سعر كيس الحبوب في مدينة تارن إلى أربع عشرة قطعة."),
    ("cp1256", "قيمت نان در تارن بالا رفت و شورا پاسخ نداد."),
    ("cp1253", "Η τιμή του ψωμιού στο Ταρν ανέβηκε, και ο μυλωνάς κατηγορεί τη γέφυρα."),
    ("cp1255", "מחיר הלחם בטארן עלה, ובעל הטחנה מאשים את הגשר."),
    ("cp1257", "Grūdu maisa cena Tarnā pieauga, un dzirnavu īpašnieks vaino tiltu šomēnes."),
    ("cp874", "ราคาข้าวหนึ่งกระสอบในเมืองทาร์นขึ้นเป็นสิบสี่มงกุฎ"),
    ("iso8859_2", "Cena worka zboża w Tarnie wzrosła, a właściciel młyna obwinia most, żeby wyjaśnić źródło."),
    ("koi8_u", "Ціна мішка зерна в Тарні зросла, і господар млина звинувачує міст."),
]


@pytest.mark.parametrize(("encoding", "text"), ENCODED, ids=[f"{e}-{i}" for i, (e, _) in enumerate(ENCODED)])
def test_text_in_old_encodings_of_many_languages_is_read(encoding: str, text: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_one_stray_byte_costs_one_character_and_is_told(tmp_path: Path) -> None:
    text = f"{PROSE * 2500}\n\nLinnö is open. Ostby – too.\n"
    data = text.encode().replace(b"March", b"Mar\xe9ch", 1)
    assert len(text) > 200_000  # what is not ASCII stands far behind
    assert decode(data) == text.replace("March", "Mar\ufffdch", 1)
    outcome = add_bytes(Library(tmp_path / "library"), data, name="a.txt", source_id="a", path=None)
    assert outcome.status == "added" and outcome.reason.startswith("1 character is damaged and shows as \ufffd")


NO_TEXT = [
    ("a.json", json.dumps({"town": "Ostby", "ships": [1, 2, {"name": "Alma"}]}), "JSON data"),
    ("a.txt", json.dumps([{"town": "Ostby", "note": PROSE}] * 3, indent=1), "JSON data"),
    ("a.jsonl", "".join(json.dumps({"town": "Ostby", "n": n}) + "\n" for n in range(5)), "JSON data"),
    ("a.json", json.dumps([{"town": "Ostby", "n": 1}] * 20)[:-30], "JSON data"),
    ("a.ipynb", json.dumps({"cells": [{"source": [PROSE]}], "nbformat": 4}, indent=1), "notebook"),
    ("a.xml", f"<?xml version='1.0'?><towns><town>{PROSE}</town></towns>", "XML data"),
    ("a.txt", "<town><name>Ostby</name><ships>12</ships></town>\n" * 9, "mostly markup"),
    ("a.warc", f"WARC/1.0\r\nWARC-Type: response\r\n\r\n{PROSE}", "web archive"),
    ("a.txt", base64.encodebytes(bytes(range(256)) * 9).decode(), "encoded data"),
]


@pytest.mark.parametrize(("name", "text", "what"), NO_TEXT, ids=[f"{w}-{i}" for i, (_, _, w) in enumerate(NO_TEXT)])
def test_what_is_no_text_for_readers_is_refused_with_what_to_do(name: str, text: str, what: str) -> None:
    with pytest.raises(Unsupported, match=what) as caught:
        extract(text.encode(), name=name)
    assert ": " in str(caught.value) and str(caught.value).startswith("it is ")


@pytest.mark.parametrize(
    "text", [f"[1] {PROSE}", f"{{sic}} {PROSE}", f"a < b and b > c. {PROSE}", f"{PROSE}\n{'_' * 90}\n{PROSE}"]
)
def test_texts_with_a_few_marks_are_read(text: str) -> None:
    assert extract(text.encode(), name="a.txt").blocks[0] != Block(text="")
