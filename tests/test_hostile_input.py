"""Hostile files, names and questions meet a clear end: one sentence, no harm, no long wait."""

from __future__ import annotations

import io
import json
import socket
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from click.testing import CliRunner, Result
from fpdf import FPDF
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter
from pypdf.actions import JavaScript
from pypdf.generic import DictionaryObject, NameObject, TextStringObject

from app.answer import Answer
from app.cli import main
from app.errors import BadInput
from app.question.analysis import MAX_CHARS, tidy
from app.rendering.html import source_html
from ingest.errors import BadSource, IngestError
from ingest.formats import markdown
from ingest.library import Library
from ingest.read import extract
from ingest.source import Source

SECONDS = 20.0
"""No single hostile text may take longer, on a slow machine too."""


@pytest.fixture(autouse=True)
def _in_time() -> object:
    began = time.process_time()
    yield
    assert time.process_time() - began < SECONDS


# Front matter

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(f'*{chr(97 + i)}' for _ in range(9))}]\n" for i in range(9)
)


@pytest.mark.parametrize(
    "front",
    [
        BOMB,
        BOMB + "author: *j\n",
        BOMB + "title: *j\n",
        "author: [[a, b], {c: d}]\n",
        "title: {a: b}\n",
        "date: [2024]\n",
        "genre: nonsense\n",
        "date: 31 February 2024\n",
        "title: 'unfinished\n",
        "- a\n- b\n",
        "title: a\n\ttab: b\n",
        "a: *nobody\n",
        "[" * 5000 + "\n",
        "{a: " * 3000 + "\n",
        "? " * 3000 + "\n",
        "a: &a\n  b: *a\nauthor: [*a]\n",
    ],
)
def test_poisoned_front_matter_is_one_sentence_or_plain_text(front: str) -> None:
    try:
        found = markdown.read(f"---\n{front}---\n\nThe text itself.\n")
    except BadSource as exc:
        assert len(str(exc)) < 400 and "\n" not in str(exc)
    else:
        assert len(str(found.metadata)) < 2000


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system ['touch /tmp/iskp-was-here']",
        "!!python/object/new:subprocess.Popen [['touch', '/tmp/iskp-was-here']]",
        "!!python/name:os.system",
        "!!python/module:os",
        "!<tag:yaml.org,2002:python/object/apply:eval> ['1']",
        "!!binary aGFjaw==",
    ],
)
def test_tags_in_front_matter_make_nothing(tag: str) -> None:
    try:
        found = markdown.read(f"---\ntitle: {tag}\n---\n\nText.\n")
    except BadSource:
        pass
    else:
        assert found.metadata.title is None or isinstance(found.metadata.title, str)
    assert not Path("/tmp/iskp-was-here").exists()


@given(st.text(max_size=300))
def test_any_front_matter_is_read_or_told(front: str) -> None:
    try:
        markdown.read(f"---\n{front}\n---\n\nText.\n")
    except BadSource as exc:
        assert str(exc)


def test_front_matter_cannot_set_what_is_ours() -> None:
    text = "---\ntitle: T\norigin: bundled notes\nid: ../../etc\nfetched_at: 2020\nparagraphs: original\n---\n\nText.\n"
    found = extract(text.encode(), name="x.md")
    assert "origin" not in str(found.metadata) and "etc" not in str(found.metadata)


def test_paragraph_numbers_and_claim_lines_from_strangers_do_not_break_reading() -> None:
    text = "# T\n\n{paragraph=99999999999999 status=<script> by=x onclick=alert(1)}\nA sentence stands here.\n"
    try:
        found = extract(text.encode(), name="x.md")
    except BadSource as exc:
        assert len(str(exc)) < 300
    else:
        assert "A sentence stands here." in " ".join(b.text for b in found.blocks)


# Word files


def word(
    *paragraphs: str, add: Callable[[zipfile.ZipFile], None] | None = None, change: tuple[str, str, str] | None = None
) -> bytes:
    document = docx.Document()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    plain = io.BytesIO()
    document.save(plain)
    out = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            data = old.read(item)
            if change and item.filename == change[0]:
                assert change[1].encode() in data
                data = data.replace(change[1].encode(), change[2].encode())
            new.writestr(item, data)
        if add:
            add(new)
    return out.getvalue()


def text_of(data: bytes, name: str) -> str:
    return "\n".join(block.text for block in extract(data, name=name).blocks)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every try to open a connection is noted and fails, also to this machine."""
    tried: list[object] = []

    def connect(self: socket.socket, address: object) -> None:
        tried.append(address)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def test_an_external_entity_in_word_reads_no_file(tmp_path: Path, no_network: list[object]) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret-words")
    for target in (secret.as_uri(), "http://127.0.0.1:9/x"):
        data = word(
            "Visible words.",
            change=(
                "word/document.xml", "<w:document ",
                f'<!DOCTYPE d [<!ENTITY x SYSTEM "{target}">]><w:document ',
            ),
        )  # fmt: skip
        data = word_with_entity(data)
        try:
            text = text_of(data, "x.docx")
        except BadSource:
            continue
        assert "the-secret-words" not in text
    assert not no_network


def word_with_entity(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for item in old.infolist():
            raw = old.read(item)
            new.writestr(item, raw.replace(b"Visible words.", b"Visible &x; words.") if b"DOCTYPE" in raw else raw)
    return out.getvalue()


def test_a_remote_template_and_pictures_are_never_asked_for(no_network: list[object]) -> None:
    link = '<Relationship Id="rIdEvil" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{}" Target="http://127.0.0.1:9/evil" TargetMode="External"/></Relationships>'
    for kind in ("attachedTemplate", "image", "oleObject", "frame", "hyperlink"):
        data = word("Visible words.", change=("word/_rels/document.xml.rels", "</Relationships>", link.format(kind)))
        assert "Visible words." in text_of(data, "x.docx")
    assert not no_network


def test_macros_and_field_commands_are_not_text(no_network: list[object]) -> None:
    def macro(archive: zipfile.ZipFile) -> None:
        archive.writestr("word/vbaProject.bin", b"Shell calc.exe")

    field = (
        '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>DDEAUTO c:\\\\evil.exe</w:instrText></w:r>'
        '<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>'
    )
    data = word("Visible words.", add=macro, change=("word/document.xml", "</w:p>", field))
    text = text_of(data, "x.docx")
    assert "Visible words." in text and "evil" not in text and "calc" not in text


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "..\\..\\x", "word/../../../x"])
def test_names_inside_a_word_file_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    data = word("Visible words.", add=lambda archive: archive.writestr(name, "evil"))
    assert "Visible words." in text_of(data, "x.docx")
    assert list(tmp_path.iterdir()) == []


# PDF


def pdf(*lines: str) -> bytes:
    made = FPDF()
    made.add_page()
    made.set_font("helvetica", size=12)
    for line in lines:
        made.multi_cell(0, 8, line)
        made.ln(6)
    return bytes(made.output())


def test_scripts_links_and_launches_in_a_pdf_do_nothing(no_network: list[object], tmp_path: Path) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf("The visible words of the report stand on this page."))))
    writer.add_open_action(
        JavaScript("app.launchURL('http://127.0.0.1:9/evil'); this.submitForm('http://127.0.0.1:9/');")
    )
    writer.add_attachment("evil.exe", b"MZ evil")
    writer._root_object[NameObject("/OpenAction")] = DictionaryObject(
        {
            NameObject("/S"): NameObject("/Launch"),
            NameObject("/F"): TextStringObject("/bin/touch"),
            NameObject("/P"): TextStringObject(str(tmp_path / "launched")),
        }
    )
    out = io.BytesIO()
    writer.write(out)
    text = text_of(out.getvalue(), "x.pdf")
    assert "visible words of the report" in text
    assert "launchURL" not in text and "MZ evil" not in text
    assert not no_network and not (tmp_path / "launched").exists()


@pytest.mark.parametrize(
    "change",
    [
        (b"/Kids [", b"/Kids [1 0 R "),  # pages that contain themselves
        (b"/Count 1", b"/Count 999999999"),
        (b"/Length ", b"/Length 99999999"),
        (b"endobj", b"endobjendobj"),
    ],
)
def test_a_pdf_with_broken_structure_ends(change: tuple[bytes, bytes]) -> None:
    data = pdf("The visible words of the report stand on this page.")
    try:
        extract(data.replace(*change), name="x.pdf")
    except BadSource as exc:
        assert len(str(exc)) < 300


@given(
    st.binary(min_size=1, max_size=400),
    st.sampled_from(
        ["x.pdf", "x.docx", "x.odt", "x.epub", "x.html", "x.md", "x.org", "x.txt", "x.csv", "x.eml", "x.mbox", "x.srt", "x.xlsx"]
    ),
)
def test_any_bytes_are_read_or_told(data: bytes, name: str) -> None:
    for raw in (
        data,
        b"%PDF-1.7\n" + data,
        b"PK\x03\x04" + data,
        b"<html><body>" + data,
        b"---\n" + data + b"\n---\nx",
    ):
        try:
            extract(raw, name=name)
        except IngestError as exc:
            assert str(exc) and len(str(exc)) < 600


# Questions


@pytest.mark.parametrize("text", ["", " ", "\u202e", "\x00\x01", "\u200b\u200d", "x" * (MAX_CHARS + 1), "я" * 10**6])
def test_questions_without_words_or_of_any_length_are_told(text: str) -> None:
    with pytest.raises(BadInput) as told:
        tidy(text)
    assert len(str(told.value)) < 200


def test_control_and_direction_characters_leave_a_question() -> None:
    said = tidy("Who\x00 leads\u202e the\x1b[31m group\u2066?\r\n\t")
    assert not any(c in said for c in "\x00\u202e\x1b\u2066\n\r\t")
    assert said.startswith("Who") and "leads" in said


@given(st.text(max_size=200))
def test_any_question_is_one_line_or_told(text: str) -> None:
    try:
        said = tidy(text)
    except BadInput:
        return
    assert said and "\n" not in said and "\x00" not in said
    said.encode("utf-8")


def iskp(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--home", str(home), *arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    "source_id", ["../../../../etc/passwd", "/etc/passwd", "..", "%2e%2e%2fetc", "a\x00b", "' OR 1=1 --", "x" * 10_000]
)
def test_ids_are_names_not_paths(tmp_path: Path, source_id: str) -> None:
    home = tmp_path / "home"
    Library(home / "library.db").close()
    assert iskp(home, "init", "--empty").exit_code == 0
    for arguments in (["sources", "show", source_id], ["sources", "remove", source_id]):
        told = iskp(home, *arguments)
        assert told.exit_code == 1 and "there is no source" in told.stderr and "root:" not in told.output


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe\x00", b"[]", b"1", b"null", b'"text"', b'{"question": 3}', b'{"question": ["a"]}', b"{" * 50_000, b"[" * 50_000,
        b'{"question": "a", "history": "b"}', b'{"question": "a", "history": [1]}', b'{"question": "a", "history": [{"role": 1}]}',
        b'{"question": ""}', b'{"question": "\\u0000"}', b'{"question": "' + b"x" * 100_000 + b'"}',
        b'{"question": "\\ud800"}', b'{"question": NaN}',
    ],
)  # fmt: skip
def test_each_bad_batch_line_has_its_error(line: bytes) -> None:
    from app.cli.ask import _batch_line

    try:
        question, _ = _batch_line(line)
        tidy(question)
    except BadInput as exc:
        assert len(str(exc)) < 300
    else:
        raise AssertionError("taken for a question")


def test_a_hostile_text_is_shown_as_text(make_source: Callable[..., Source]) -> None:
    source = make_source("s", "# T\n\nWords \u202eturned\u202c and `<script>alert(1)</script>` here.\n")
    html = source_html(source)
    assert "<script>alert" not in html


def test_an_answer_from_bad_json_is_told() -> None:
    from app.answer import from_json

    for data in ({}, {"question": "q"}, json.loads('{"question": {"$ref": "x"}, "citations": "no"}')):
        with pytest.raises(BadInput):
            answer: Answer = from_json(data)
            assert answer
