from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.blocks import Extract, clean
from ingest.formats.plain import read, split_paragraphs

PARAGRAPH = (
    "The harbour froze in January, and for six weeks no boat reached the island. Letters came over the ice by sledge, "
    "twice a week when the wind allowed it."
)
SECOND = (
    "When the thaw came, the post office counted four hundred parcels that had waited on the mainland since the first "
    "days of the frost."
)


def roles(text: str) -> list[tuple[str, str]]:
    return [(b.role, b.text) for b in read(text).blocks]


def role_of(line: str, text: str) -> str:
    return {t: r for r, t in roles(text)}[line]


def test_the_first_line_is_the_title_when_it_does_not_end_like_a_sentence() -> None:
    assert roles(f"A winter on the island\n\n{PARAGRAPH}\n") == [
        ("title", "A winter on the island"),
        ("body", PARAGRAPH),
    ]


def test_a_question_may_be_a_title() -> None:
    assert roles(f"Who carried the letters?\n{PARAGRAPH}")[0][0] == "title"


def test_a_text_that_begins_with_a_sentence_has_no_title() -> None:
    assert roles(f"{PARAGRAPH}\n{SECOND}") == [("body", PARAGRAPH), ("body", SECOND)]


def test_a_single_line_is_body_whatever_it_looks_like() -> None:
    assert roles("A winter on the island") == [("body", "A winter on the island")]


@pytest.mark.parametrize("line", ["By Ada Moor", "by Ada Moor and Ben Lind", "Author: Ada Moor", "12 January 1987"])
def test_who_wrote_it_and_when_are_told_apart_near_the_top(line: str) -> None:
    assert role_of(line, f"A winter on the island\n{line}\n{PARAGRAPH}") == "byline"


def test_author_and_date_are_read_from_the_byline() -> None:
    found = read(f"A winter on the island\nBy Ada Moor\nPublished: 12 January 1987\n{PARAGRAPH}").metadata
    assert (found.author, found.date) == ("Ada Moor", "1987-01-12")


def test_a_date_far_down_is_not_the_date_of_the_text() -> None:
    text = "\n".join(["A winter on the island", *[PARAGRAPH] * 5, "12 January 1987", SECOND])
    assert read(text).metadata.date is None


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("Photo: Ada Moor / Island Archive", "credit"),
        ("Image credit: Island Archive", "credit"),
        ("Caption: the sledge on the ice", "caption"),
        ("The sledge on the ice, January 1987; photo: Ada Moor", "caption"),
    ],
)
def test_captions_and_credits_are_told_apart_from_the_body(line: str, role: str) -> None:
    assert role_of(line, f"A winter on the island\n{line}\n{PARAGRAPH}\n{SECOND}") == role


def test_a_short_line_above_a_longer_one_is_a_heading_and_a_list_line_is_not() -> None:
    text = f"A winter on the island\n{PARAGRAPH}\nThe thaw\n{SECOND}\n- four hundred parcels\n{SECOND} Again."
    assert role_of("The thaw", text) == "heading"
    assert role_of("- four hundred parcels", text) == "body"


def test_the_author_note_at_the_end_is_found_and_names_the_author() -> None:
    note = "Ada Moor is a historian at the island museum and writes about the post."
    found = read(f"A winter on the island\n{PARAGRAPH}\n{SECOND}\n{note}\nShare this\n")
    assert [b.role for b in found.blocks] == ["title", "body", "body", "author-note", "footer"]
    assert found.metadata.author == "Ada Moor"


def test_page_furniture_at_the_end_is_no_body() -> None:
    text = f"A winter on the island\n{PARAGRAPH}\n{SECOND}\nRelated stories\n© Island Press 1987\n"
    assert [r for r, _ in roles(text)] == ["title", "body", "body", "footer", "footer"]


def test_lines_that_would_all_be_furniture_stay_readable() -> None:
    assert {r for r, _ in roles("Subscribe to us\nShare this\nPrint")} == {"body"}


WRAPPED = """\
The harbour froze in January, and for six weeks no boat
reached the island. Letters came over the ice by sledge,
twice a week when the wind allowed it, and a well-
meaning clerk read them aloud in the hall for everybody
who could not leave the house.

When the thaw came, the post office counted parcels that
had waited on the mainland since the first days of the
frost, four hundred of them.
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_hard_wrapped_lines_are_joined_to_paragraphs(line_end: str) -> None:
    first, second = split_paragraphs(WRAPPED.replace("\n", line_end))
    assert first.startswith("The harbour froze in January, and for six weeks no boat reached")
    assert "a well-meaning clerk" in first
    assert second.endswith("first days of the frost, four hundred of them.")


def test_a_line_is_a_paragraph_when_the_text_is_not_wrapped() -> None:
    assert split_paragraphs(f"{PARAGRAPH}\n{SECOND}\n\n\n{PARAGRAPH}") == [PARAGRAPH, SECOND, PARAGRAPH]


def test_a_page_break_ends_a_paragraph() -> None:
    assert split_paragraphs("One page.\fNext page.") == ["One page.", "Next page."]


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff"])
def test_a_blank_text_has_no_blocks(text: str) -> None:
    assert read(text) == Extract(blocks=(), media_type="text/plain")


LINES = st.lists(
    st.sampled_from(
        [PARAGRAPH, SECOND, "The thaw", "By Ada Moor", "12 January 1987", "Photo: Ada", "© Island Press", "", "- parcels",
         "Ada Moor is a historian.", "twice a week when the wind allowed it, and a well-", "it was cold and", "é", "\u0301"]
    )
    | st.text(max_size=60),
    max_size=14,
)  # fmt: skip


@given(LINES)
def test_no_character_of_a_text_is_lost_or_moved(lines: list[str]) -> None:
    text = "\n".join(lines)
    found = "".join(b.text for b in read(text).blocks)
    assert "".join(found.split()) == "".join(clean(text).split())


@given(LINES)
def test_there_is_body_text_wherever_there_is_text(lines: list[str]) -> None:
    blocks = read("\n".join(lines)).blocks
    assert not blocks or any(b.role not in {"title", "heading", "footer"} for b in blocks)
