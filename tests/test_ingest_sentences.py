from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.sentences import sentence_spans

SENTENCES = st.lists(
    st.sampled_from(
        ["The mill turned. ", "Why? ", "Dr. Moor left at 5 p.m. ", "“Stay!” she said. ", "Two facts: 1. ", "It cost $3.50. ",
         "🙂 ", "…", "\n", "e.g. salt ", "и снег. ", "雨が降った。", "2) ", "\u0301", " ", "(see p. 4). "]
    ),
    max_size=12,
).map("".join)  # fmt: skip


def sentences(text: str, language: str = "en") -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text, language)]


def test_sentences_are_cut_at_their_ends_and_trimmed() -> None:
    assert sentences(" The mill turned.  Nobody saw it!\nWho would? ") == [
        "The mill turned.",
        "Nobody saw it!",
        "Who would?",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Moor met Mrs. Lind at 5 p.m. on the quay.",
        "The bill came to 3.5 million crowns, i.e. twice the estimate.",
    ],
)
def test_abbreviations_and_figures_do_not_end_a_sentence(text: str) -> None:
    assert sentences(text) == [text]


def test_the_figure_of_a_list_opens_its_item_instead_of_ending_the_one_before() -> None:
    found = sentences("She gave two reasons: 1. The bridge was closed. 2. The ferry was full.")
    assert found == ["She gave two reasons:", "1. The bridge was closed.", "2. The ferry was full."]


@pytest.mark.parametrize("language", ["en", "ru", "xx", "", "en-GB"])
def test_an_unknown_language_is_split_like_any_other(language: str) -> None:
    assert sentences("One mill. Two mills.", language) == ["One mill.", "Two mills."]


def test_offsets_count_characters_beyond_the_basic_plane_once() -> None:
    assert sentences("🙂🙂 first. 👩‍🚒 second.") == ["🙂🙂 first.", "👩‍🚒 second."]


@given(st.text(max_size=120) | SENTENCES)
def test_every_character_that_is_not_white_space_lies_in_exactly_one_sentence(text: str) -> None:
    spans = sentence_spans(text)
    assert all(a < b for a, b in spans)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))
    assert all(text[a:b] == text[a:b].strip() for a, b in spans)
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
