from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.blocks import SEPARATOR, Block, Extract, Metadata, assemble, clean
from ingest.errors import BadSource
from ingest.source import CONTEXT_ROLES, ROLES


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("  two   words \t here ", "two words here"),
        ("one\r\ntwo\rthree\nfour", "one\ntwo\nthree\nfour"),
        ("verse one \n\n\n  verse two", "verse one\nverse two"),
        ("cafe\u0301", "café"),
        ("non\u00a0breaking\u2003space", "non breaking space"),
        ("hy\u00adphen\u200bated \ufeffword\u2060", "hyphenated word"),
        ("e\u00ad\u0301tude", "étude"),
        ("bell\x07 and nul\x00", "bell and nul"),
        ("line\u2028separator\x0bhere", "line separator here"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("👩\u200d🚒", "👩\u200d🚒"),
        ("\n \t\n", ""),
    ],
)
def test_text_is_cleaned_of_what_no_reader_sees(raw: str, stored: str) -> None:
    assert clean(raw) == stored


@given(st.text(st.characters(), max_size=200) | st.text("ae\u0301\u00ad\u200b \t\n\r\x00\x1c\u2028-", max_size=40))
def test_cleaned_text_is_stable_composed_and_free_of_control_characters(raw: str) -> None:
    text = clean(raw)
    assert clean(text) == text
    assert unicodedata.is_normalized("NFC", text)
    assert all(c in " \n" or not c.isspace() for c in text)
    assert all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cs", "Co", "Zl", "Zp"} for c in text)
    assert "  " not in text
    assert "\n\n" not in text
    assert text == text.strip()


def test_every_control_character_goes() -> None:
    every = [chr(i) for i in range(sys.maxunicode + 1)]
    unseen = [c for c in every if unicodedata.category(c) in {"Cc", "Cs", "Co", "Zl", "Zp"} or c in "\ufeff\u00ad\u200b\u2060"]
    gone = [c for c in every if clean(f"a{c}b") in {"ab", "a b", "a\nb"} and unicodedata.category(c) != "Zs"]
    assert gone == unseen


BLOCKS = st.lists(
    st.builds(
        Block,
        text=st.text(max_size=40),
        role=st.sampled_from(ROLES),
        level=st.integers(0, 6),
        page=st.none() | st.integers(1, 3),
        number=st.none() | st.integers(1, 9),
    ),
    max_size=8,
)


@given(BLOCKS, st.booleans())
def test_every_paragraph_is_the_slice_of_its_block_and_nothing_else_is_in_the_text(
    blocks: list[Block], notes: bool
) -> None:
    kept = [b for b in blocks if clean(b.text)]
    try:
        source = assemble("s", Extract(blocks=tuple(blocks), numbered_notes=notes))
    except BadSource:
        assert all(b.role in CONTEXT_ROLES for b in kept)
        return
    assert [source.text[p.start : p.end] for p in source.paragraphs] == [clean(b.text) for b in kept]
    assert source.text == SEPARATOR.join(clean(b.text) for b in kept)
    assert [p.role for p in source.paragraphs] == [b.role for b in kept]
    assert all((p.number is not None) == (p.role == "body") for p in source.paragraphs)
    assert all(p.locator for p in source.paragraphs)


def assembled(*blocks: Block, **options: object) -> list[tuple[str, int | None, str]]:
    source = assemble("s", Extract(blocks=blocks, **options))
    return [(source.text[p.start : p.end], p.number, p.locator) for p in source.paragraphs]


def test_body_paragraphs_are_counted_and_nothing_else_is() -> None:
    assert assembled(
        Block(text="Rivers", role="title"),
        Block(text="A delta", role="caption"),
        Block(text="First."),
        Block(text="Upstream", role="heading", level=2),
        Block(text="Second."),
        Block(text="Ada writes about rivers.", role="author-note"),
    ) == [
        ("Rivers", None, "title"),
        ("A delta", None, "caption"),
        ("First.", 1, "¶1"),
        ("Upstream", None, "heading"),
        ("Second.", 2, "¶2"),
        ("Ada writes about rivers.", None, "author note"),
    ]


def test_numbers_of_the_original_are_kept_and_counting_goes_on_from_the_highest() -> None:
    rows = assembled(Block(text="a", number=4), Block(text="b", number=2), Block(text="c"), Block(text="d", number=2))
    assert [number for _, number, _ in rows] == [4, 2, 5, 2]


def test_paragraphs_of_paged_sources_are_counted_on_each_page() -> None:
    rows = assembled(
        Block(text="a", page=1), Block(text="b", page=1), Block(text="c", page=2, role="caption"),
        Block(text="d", page=2),
    )  # fmt: skip
    assert [locator for *_, locator in rows] == ["p. 1 ¶1", "p. 1 ¶2", "p. 2 caption", "p. 2 ¶1"]
    assert [number for _, number, _ in rows] == [1, 2, None, 3]


def test_notes_of_our_own_are_not_called_paragraphs_of_the_original() -> None:
    assert [locator for *_, locator in assembled(Block(text="a"), Block(text="b"), numbered_notes=True)] == [
        "note 1",
        "note 2",
    ]


def test_a_paragraph_carries_the_headings_above_it_outermost_first() -> None:
    source = assemble(
        "s",
        Extract(
            blocks=(
                Block(text="Rivers", role="title"),
                Block(text="Course", role="heading", level=2),
                Block(text="Springs", role="heading", level=3),
                Block(text="Cold water."),
                Block(text="Mouth", role="heading", level=2),
                Block(text="Salt water."),
                Block(text="Ada writes about rivers.", role="author-note"),
                Block(text="by Ada", role="byline"),
            )
        ),
    )
    found = {source.text[p.start : p.end]: p.headings for p in source.paragraphs}
    assert found["Cold water."] == ("Course", "Springs")
    assert found["Springs"] == ("Course",)
    assert found["Mouth"] == ()
    assert found["Salt water."] == ("Mouth",)
    assert found["Ada writes about rivers."] == found["by Ada"] == found["Rivers"] == ()


def test_badges_of_notes_are_kept() -> None:
    block = Block(text="The mill is older.", claim_status="claim", claimed_by="the miller", via="https://example.org")
    (paragraph,) = assemble("s", Extract(blocks=(block,))).paragraphs
    assert (paragraph.claim_status, paragraph.claimed_by, paragraph.via) == (
        "claim", "the miller", "https://example.org",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given_title", "found_title", "block_title", "fallback", "expected"),
    [
        ("Given", "Found", "Block", "file", "Given"),
        (None, "Found", "Block", "file", "Found"),
        (None, None, "Block\nin two lines", "file", "Block in two lines"),
        (None, None, None, "file", "file"),
        (None, None, None, "", "the-id"),
    ],
)
def test_the_title_comes_from_the_user_then_the_reader_then_the_text_then_the_file_name(
    given_title: str | None, found_title: str | None, block_title: str | None, fallback: str, expected: str
) -> None:
    blocks = (*([Block(text=block_title, role="title")] if block_title else []), Block(text="Body."))
    source = assemble(
        "the-id",
        Extract(blocks=blocks, metadata=Metadata(title=found_title)),
        overrides=Metadata(title=given_title),
        fallback_title=fallback,
    )
    assert source.title == expected


def test_what_the_user_says_wins_and_gaps_are_filled_by_what_was_found() -> None:
    mine = Metadata(author="Ada", genre="news")
    found = Metadata(author="A. N. Onymous", date="1990", genre="opinion")
    assert mine.over(found) == Metadata(author="Ada", date="1990", genre="news")
    assert assemble("s", Extract(blocks=(Block(text="x"),))).genre == "unknown"


@pytest.mark.parametrize(
    "blocks",
    [(), (Block(text=" \u200b "),), (Block(text="T", role="title"), Block(text="All rights reserved", role="footer"))],
    ids=["nothing", "blank", "only furniture"],
)
def test_what_holds_no_readable_text_is_refused(blocks: tuple[Block, ...]) -> None:
    with pytest.raises(BadSource, match="no readable text"):
        assemble("s", Extract(blocks=blocks))
