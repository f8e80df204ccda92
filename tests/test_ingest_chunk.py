from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingest.blocks import Block, Extract, assemble
from ingest.chunk import ChunkSettings, Passage, chunk
from ingest.errors import BadSource
from ingest.formats import markdown, plain
from ingest.source import CONTEXT_ROLES, ROLES, Source

PIECES = st.sampled_from(
    ["The mill turned all night. ", "Why? ", "Dr. Moor left at 5 p.m. ", "x" * 70, "snow " * 40, "\n", "\n\n", "# Mill\n\n",
     "## Wheel\n\n", "- oak\n", "> stone\n", "By Ada Moor\n", "Photo: Ada\n", "Two facts: 1. ", "{paragraph=2}\n", "🙂", "é\u0301",
     "\u00a0", "\t", "\u200b", "| a | b |\n|---|---|\n| c | d |\n", "© Mill Press\n", "зима и лето. ", "雨が降った。", "```\n"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=30), max_size=20).map("".join)
READERS = st.sampled_from([plain.read, markdown.read])
LIMITS = st.sampled_from([50, 51, 77, 120, 900])


def sourced(read: Callable[[str], Extract], text: str) -> Source:
    try:
        return assemble("mill.txt", read(text))
    except BadSource:
        assume(False)
        raise


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(READERS, TEXTS, LIMITS)
def test_passages_of_any_text_are_exact_short_slices_and_nothing_is_lost(
    read: Callable[[str], Extract], text: str, limit: int
) -> None:
    source = sourced(read, text)
    passages = chunk(source, ChunkSettings(max_chars=limit))
    for passage in passages:
        assert source.text[passage.start : passage.end] == passage.text
        assert 0 < len(passage.text) <= limit
        assert passage.text == passage.text.strip()
    assert all(a.end <= b.start for a, b in itertools.pairwise(passages))
    assert [p.ordinal for p in passages] == list(range(len(passages)))
    assert len({p.id for p in passages}) == len(passages)
    for paragraph in source.paragraphs:
        inside = [p for p in passages if p.start < paragraph.end and paragraph.start < p.end]
        held = "".join(
            squeezed(source.text[max(p.start, paragraph.start) : min(p.end, paragraph.end)]) for p in inside
        )
        whole = squeezed(source.text[paragraph.start : paragraph.end])
        if paragraph.role not in CONTEXT_ROLES:
            assert held == whole
        elif paragraph.role != "heading":
            assert held == ""
    assert chunk(source, ChunkSettings(max_chars=limit)) == passages


BLOCKS = st.lists(
    st.builds(
        Block, text=st.sampled_from(["Oak.", "Stone.", "Wheel"]) | st.text(max_size=120), role=st.sampled_from(ROLES)
    ),
    max_size=6,
)


@given(BLOCKS, st.builds(Block, text=st.sampled_from(["Oak.", "A new line."])), st.integers(0, 6), LIMITS)
def test_a_block_inserted_anywhere_changes_no_id_of_the_others(
    blocks: list[Block], inserted: Block, at: int, limit: int
) -> None:
    start = [Block(text="There is always one."), *blocks]
    longer = [*start[:at], inserted, *start[at:]]
    before, after = (
        {p.id: p.text for p in chunk(assemble("s", Extract(blocks=tuple(b))), ChunkSettings(max_chars=limit))}
        for b in (start, longer)
    )
    assert before.items() <= after.items()
    assert len(after) == len(before) + 1


def test_a_line_put_above_a_text_moves_its_passages_and_keeps_their_ids() -> None:
    lines = [f"Number {n} of the wheels was made of oak by the same carpenter as the others." for n in range(9)]
    before = chunk(assemble("mill.txt", plain.read("\n".join(lines))))
    after = chunk(assemble("mill.txt", plain.read("\n".join(["The mill had nine wheels in all, it is said.", *lines]))))
    assert [p.id for p in after[1:]] == [p.id for p in before]
    assert [p.start - q.start for p, q in zip(after[1:], before, strict=True)] == [46] * 9


def test_ids_depend_on_the_source_and_the_text_and_the_occurrence() -> None:
    blocks = Extract(blocks=(Block(text="Oak."), Block(text="Stone."), Block(text="Oak.")))
    here, there = chunk(assemble("here", blocks)), chunk(assemble("there", blocks))
    assert len({p.id for p in (*here, *there)}) == 6
    # Taken once: another value embeds every index anew.
    assert here[0].id == "46fc9a13cded2496982d8360"


def passages_of(*blocks: Block, limit: int = 900, title: str = "Mills") -> list[Passage]:
    source = assemble("s", Extract(blocks=blocks), fallback_title=title)
    return chunk(source, ChunkSettings(max_chars=limit))


def test_a_short_paragraph_is_one_passage() -> None:
    assert [p.text for p in passages_of(Block(text="One. Two. Three."), Block(text="Four."))] == [
        "One. Two. Three.",
        "Four.",
    ]


def test_a_long_paragraph_is_split_between_sentences_into_even_parts() -> None:
    sentence = "The wheel turned and turned again."  # 34 characters
    parts = passages_of(Block(text=" ".join([sentence] * 6)), limit=120)
    assert [p.text.count(sentence) for p in parts] == [3, 3]
    assert all(p.text.endswith("again.") for p in parts)


def test_a_sentence_above_the_limit_is_split_between_words() -> None:
    text = " ".join(["wheel"] * 40)
    parts = passages_of(Block(text=text), limit=50)
    assert " ".join(p.text for p in parts) == text
    assert all(word == "wheel" for p in parts for word in p.text.split())


def test_a_word_above_the_limit_is_cut_at_the_limit() -> None:
    assert [len(p.text) for p in passages_of(Block(text="x" * 120), limit=50)] == [50, 50, 20]


def test_context_is_read_with_a_passage_and_never_one_itself() -> None:
    found = passages_of(
        Block(text="Wheels", role="heading", level=2),
        Block(text="Overshot", role="heading", level=3),
        Block(text="Water falls on it."),
        Block(text="A wheel in winter", role="caption"),
        Block(text="Ada Moor builds wheels.", role="author-note"),
        Block(text="Share this", role="footer"),
    )
    assert [(p.text, p.context) for p in found] == [
        ("Water falls on it.", "Mills – Wheels – Overshot"),
        ("A wheel in winter", "Mills – Wheels – Overshot – image caption"),
        ("Ada Moor builds wheels.", "Mills – about the author"),
    ]


def test_every_part_of_a_split_paragraph_carries_its_place_and_badge() -> None:
    block = Block(
        text="The wheel turned and turned again. " * 6,
        number=7,
        claim_status="opinion",
        claimed_by="the miller",
        via="x",
    )
    parts = passages_of(block, limit=100)
    assert len(parts) > 1
    assert {(p.number, p.locator, p.claim_status, p.claimed_by, p.via) for p in parts} == {
        (7, "¶7", "opinion", "the miller", "x")
    }


def test_a_source_of_headings_alone_has_no_passages(make_source: Callable[..., Source]) -> None:
    source = make_source("s", "# Mills\n\nOak.\n")
    only_title = Source(id="s", title="Mills", text=source.text, paragraphs=source.paragraphs[:1])
    assert chunk(only_title) == []


@pytest.mark.parametrize("limit", [49, 0, -1])
def test_a_limit_that_no_sentence_fits_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match=str(limit)):
        ChunkSettings(max_chars=limit)
