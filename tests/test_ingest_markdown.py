from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.blocks import Block, Metadata, assemble
from ingest.errors import BadSource
from ingest.formats.markdown import read


def blocks(text: str) -> list[tuple[str, str]]:
    return [(b.role, b.text) for b in read(text).blocks]


def test_front_matter_becomes_metadata() -> None:
    found = read(
        """---
title: "Salt: a history"
publisher: Coast Review
author: Ada Moor
date: 3 May 1990
date_note: date of the print edition
url: https://example.org/salt
genre: research
language: en
licence: CC BY 4.0
disagreement: who taxed the salt
tags: [salt, sea]
---
Salt was taxed.
"""
    )
    assert found.metadata == Metadata(
        title="Salt: a history",
        publisher="Coast Review",
        author="Ada Moor",
        date="1990-05-03",
        date_note="date of the print edition",
        url="https://example.org/salt",
        genre="research",
        language="en",
        licence="CC BY 4.0",
        disagreement="who taxed the salt",
    )
    assert [b.text for b in found.blocks] == ["Salt was taxed."]
    assert not found.numbered_notes


def test_several_authors_are_joined() -> None:
    assert read("---\nauthor:\n  - Ada Moor\n  - Ben Lind\n---\nText.").metadata.author == "Ada Moor, Ben Lind"


@pytest.mark.parametrize(("date", "iso"), [("2024", "2024"), ("2024-03", "2024-03"), ("2024-03-22", "2024-03-22")])
def test_a_date_is_no_more_precise_than_written(date: str, iso: str) -> None:
    assert read(f"---\ndate: {date}\n---\nText.").metadata.date == iso


def test_words_that_yaml_takes_for_truth_values_stay_words() -> None:
    assert read("---\nlanguage: no\ntitle: on\n---\nText.").metadata == Metadata(language="no", title="on")


@pytest.mark.parametrize("text", ["Text.", "---\n---\nText.", "---\ntitle:\ndate: ''\ngenre:\n---\nText."])
def test_front_matter_may_be_missing_or_empty(text: str) -> None:
    assert read(text).metadata == Metadata()


@pytest.mark.parametrize(
    ("front", "reason"),
    [
        ("title: a: b", "not valid YAML in line 2"),
        ("title: ok\nauthor: 'open", "not valid YAML"),
        ("- a\n- b", "'name: value'"),
        ("genre: poem", "genre.*poem.*opinion"),
        ("date: yesterday", "yesterday"),
        ("publisher: [a, b]", "publisher"),
        ("author: {first: Ada}", "author"),
    ],
)
def test_bad_front_matter_is_refused_with_its_reason(front: str, reason: str) -> None:
    with pytest.raises(BadSource, match=reason):
        read(f"---\n{front}\n---\nText.")


def test_front_matter_says_whether_paragraphs_are_the_originals() -> None:
    assert read("---\nparagraphs: notes\n---\nText.").numbered_notes
    assert not read("---\nparagraphs: original\n---\nText.").numbered_notes


def test_the_first_top_heading_is_the_title_and_others_are_headings_with_their_level() -> None:
    found = read("# Salt\n\nOne.\n\n## Tax\n\n### Smuggling\n\nTwo.\n\n# Pepper\n\nThree.\n").blocks
    assert [(b.role, b.level, b.text) for b in found if b.role != "body"] == [
        ("title", 0, "Salt"),
        ("heading", 2, "Tax"),
        ("heading", 3, "Smuggling"),
        ("heading", 1, "Pepper"),
    ]


def test_underlined_headings_are_headings() -> None:
    assert blocks("Salt\n====\n\nOne.\n\nTax\n---\n\nTwo.") == [
        ("title", "Salt"), ("body", "One."), ("heading", "Tax"), ("body", "Two."),
    ]  # fmt: skip


def test_attributes_give_a_block_its_place_badge_and_role() -> None:
    found = read(
        """{paragraph=3 status=claim by="the tax office" via="https://example.org/report"}
The tax doubled in 1711.

{role=caption}
A salt pan at low tide

No attributes here.
"""
    ).blocks
    assert found == (
        Block(
            text="The tax doubled in 1711.", number=3, claim_status="claim", claimed_by="the tax office",
            via="https://example.org/report",
        ),
        Block(text="A salt pan at low tide", role="caption"),
        Block(text="No attributes here."),
    )  # fmt: skip


@pytest.mark.parametrize("mark", ["- ", "1. ", "> "])
def test_attributes_above_a_list_or_quotation_belong_to_its_first_block(mark: str) -> None:
    (block,) = read(f"{{paragraph=2 status=fact}}\n{mark}Salt is heavy.\n").blocks
    assert (block.text, block.number, block.claim_status) == ("Salt is heavy.", 2, "fact")


@pytest.mark.parametrize(
    ("attribute", "reason"),
    [
        ("role=poem", "role='poem'"),
        ("status=rumour", "status='rumour'"),
        ("paragraph=three", "paragraph='three'"),
        ("paragraph=0", "paragraph='0'"),
        ("paragraph=-1", "paragraph='-1'"),
        ('paragraph="²"', "paragraph='²'"),
        ("paragraph=99999999999999999999", "whole number"),
    ],
)
def test_an_unknown_attribute_value_is_refused_with_what_is_allowed(attribute: str, reason: str) -> None:
    with pytest.raises(BadSource, match=reason):
        read(f"{{{attribute}}}\nSalt is heavy.\n")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Salt is *very* **old** and `NaCl`.", "Salt is very old and NaCl."),
        ("See [the pans](https://example.org) today.", "See the pans today."),
        ("![A salt pan](pan.png)", "A salt pan"),
        ("One\nparagraph in two lines.", "One paragraph in two lines."),
        ("Verse one  \nverse two", "Verse one\nverse two"),
        ("5 \\* 3 &amp; more", "5 * 3 & more"),
        ("Salt<!-- secret --> is <b>heavy</b>.", "Salt is heavy."),
        ("<https://example.org/salt>", "https://example.org/salt"),
    ],
)
def test_markup_is_taken_off_and_its_words_stay(text: str, plain: str) -> None:
    assert blocks(text) == [("body", plain)]


def test_lists_quotations_tables_and_code_are_text_too() -> None:
    text = "- pans\n- ponds\n  - deep ponds\n\n> Salt is heavy.\n\n| Year | Tax |\n|---|---|\n| 1711 | 2 |\n\n```\nboil();\n```\n"
    assert [t.strip() for _, t in blocks(text)] == [
        "pans", "ponds", "deep ponds", "Salt is heavy.", "Year | Tax", "1711 | 2", "boil();",
    ]  # fmt: skip


def test_a_table_row_is_quoted_whole_and_carries_what_is_said_of_the_table() -> None:
    text = "Before.\n\n{paragraph=4 status=claim by=UN}\n| Year | Tax |\n|---|---|\n| 1711 | **2** |\n| 1720 | |\n\nAfter.\n"
    source = assemble("x", read(text))
    rows = [(p.locator, p.number, p.headings, p.claim_status, source.text[p.start : p.end]) for p in source.paragraphs]
    assert rows == [
        ("¶1", 1, (), None, "Before."),
        ("heading", None, (), None, "Year | Tax"),
        ("¶4 row 1", 4, ("Year | Tax",), "claim", "1711 | 2"),
        ("¶4 row 2", 4, ("Year | Tax",), "claim", "1720 |"),
        ("¶5", 5, (), None, "After."),
    ]


def test_comments_and_raw_markup_are_not_read() -> None:
    assert blocks("<!-- todo: check -->\n\n<div onclick='x()'>\n\nSalt.\n\n</div>\n") == [("body", "Salt.")]


MARKUP = st.lists(
    st.sampled_from(
        ["# ", "## ", "- ", "> ", "1. ", "\n", "\n\n", "---\n", "{paragraph=2}\n", "{role=caption}\n", "{", "}", "`", "```\n",
         "*", "[a](b)", "![", "|", "|---|\n", "<b>", "<!--", "title: x\n", "salt ", "Salt. ", "&amp;", "\\", "\t", "    "]
    ),
    max_size=25,
).map("".join)  # fmt: skip


@given(st.text(max_size=200) | MARKUP)
def test_any_text_is_read_or_refused_for_a_reason(text: str) -> None:
    try:
        found = read(text)
    except BadSource as refusal:
        assert len(str(refusal)) > 20
    else:
        assert all(isinstance(b, Block) for b in found.blocks)
        assert sum(b.role == "title" for b in found.blocks) <= 1
