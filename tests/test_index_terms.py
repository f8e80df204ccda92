from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import IndexingError
from index.terms import Vocabulary, tokens

VOCABULARY = Vocabulary(
    ["the", "of", "is", "what", "tell", "about", "us", "it"],
    [
        ["International Union of Beekeepers", "IUB", "Bee Union"],
        ["Northern Ports", "US", "United Shores"],
        ["Saint Olaf's Day", "Olsok"],
    ],
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Who built it?", ["Who", "built", "it"]),
        ("a well-known man’s 3.5 km/h", ["a", "well-known", "man’s", "3.5", "km/h"]),
        ("(“quoted”) – dash_ed…", ["quoted", "dash", "ed"]),
        ("зима 雪", ["зима", "雪"]),
        ("?! …", []),
    ],
)
def test_tokens_are_words_and_numbers_as_written(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


def test_content_terms_are_topic_words_in_order_without_repetition() -> None:
    assert VOCABULARY.content_terms("What is the wax of the hive? The hives, the wax!") == ["wax", "hive"]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("the keeper's hive", ["keeper", "hive"]),
        ("the keeper’s hive", ["keeper", "hive"]),
        ("a 7 x", ["7"]),
        ("What is it?", []),
        ("", []),
    ],
)
def test_possessives_and_single_letters_are_dropped(text: str, terms: list[str]) -> None:
    assert VOCABULARY.content_terms(text) == terms


def test_a_spelling_of_several_words_is_one_term_and_counts_once() -> None:
    assert VOCABULARY.content_terms("honey of the Bee Union or IUB") == ["honey", "Bee Union", "or"]


def test_letters_inside_another_word_are_not_taken_for_a_mention() -> None:
    assert VOCABULARY.content_terms("FOCUS of US trade") == ["FOCUS", "US", "trade"]


@pytest.mark.parametrize("text", ["Tell us about the hive", "tell us"])
def test_a_function_word_is_no_mention_of_what_is_spelled_alike_in_capitals(text: str) -> None:
    assert VOCABULARY.mentions(text) == []
    assert "us" not in VOCABULARY.content_terms(text)
    assert VOCABULARY.stems(text)[:2] == ["tell", "us"]


def test_every_spelling_is_found_in_any_case_and_as_a_whole_word() -> None:
    assert VOCABULARY.mentions("iub and the BEE UNION, not IUBs") == ["iub", "BEE UNION"]


@pytest.mark.parametrize("text", ["on Saint Olaf's Day", "on Saint Olaf’s Day"])
def test_both_apostrophes_are_the_same(text: str) -> None:
    assert VOCABULARY.aliases(VOCABULARY.mentions(text)[0])[-1] == "Olsok"


def test_letters_that_only_a_regular_expression_takes_for_the_same_do_no_harm() -> None:
    """The long s and the dotless i match "s" and "i" there, but lower() keeps them apart."""
    text = "Ol\u017fok and \u0131ub"
    assert VOCABULARY.mentions(text) == []
    assert VOCABULARY.spell_out(text) == text
    assert VOCABULARY.stems(text) == ["ol\u017fok", "and", "\u0131ub"]


def test_aliases_are_the_term_itself_and_the_other_spellings() -> None:
    assert VOCABULARY.aliases("IUB") == ("IUB", "International Union of Beekeepers", "Bee Union")
    assert VOCABULARY.aliases("bee union")[0] == "bee union"
    assert VOCABULARY.aliases("wax") == ("wax",)


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("When was the IUB founded?", "When was the IUB (International Union of Beekeepers) founded?"),
        ("the Bee Union", "the Bee Union"),
        ("the International Union of Beekeepers (IUB)", "the International Union of Beekeepers (IUB)"),
        ("tell us", "tell us"),
        ("the US", "the US (Northern Ports)"),
    ],
)
def test_acronyms_alone_are_spelled_out_unless_they_are_already(text: str, spelled: str) -> None:
    assert VOCABULARY.spell_out(text) == spelled


def test_stems_fold_inflections_and_spellings() -> None:
    assert VOCABULARY.stems("The IUB's hives") == VOCABULARY.stems("the International Union of Beekeepers's hive")


def test_a_query_looks_for_every_spelling_of_each_topic_word() -> None:
    assert VOCABULARY.query_groups("What is the IUB hive?") == [
        ("IUB", "International Union of Beekeepers", "Bee Union"),
        ("hive",),
    ]


def test_a_query_of_function_words_alone_looks_for_those() -> None:
    assert VOCABULARY.query_groups("What is it?") == [("What",), ("is",), ("it",)]


def test_an_empty_vocabulary_changes_nothing() -> None:
    empty = Vocabulary([], [])
    assert empty.spell_out("the IUB") == "the IUB"
    assert empty.mentions("the IUB") == []
    assert empty.content_terms("the IUB") == ["the", "IUB"]


PACKAGED = Vocabulary.load()


def test_the_packaged_vocabulary_knows_what_carries_no_topic() -> None:
    assert PACKAGED.content_terms("Could you please tell us what the author says about it?") == []


RIVALS = Vocabulary(
    ["the"],
    [["International Union of Beekeepers", "IUB", "Bee Union"], ["League of Millers", "LOM"]],
    [[["IUB", "Young Beekeepers"], ["LOM"], ["Guild of Smiths"]], [["Norholm"], ["Vestby"]]],
)


@pytest.mark.parametrize(
    ("text", "other", "instead"),
    [
        ("Who leads the LOM?", "Ada Lund leads the Bee Union.", ["Bee Union"]),
        ("Who leads the LOM?", "Ada Lund leads the League of Millers.", []),
        ("Who leads the LOM?", "The Bee Union and the LOM quarrelled.", []),
        ("Who leads the LOM?", "Ada Lund leads it.", []),
        ("Who leads the hive?", "Ada Lund leads the Bee Union.", []),
        ("Who leads the Young Beekeepers?", "Ada Lund leads the Bee Union.", []),
        ("Who leads the Guild of Smiths?", "The IUB, the LOM and the IUB.", ["IUB", "LOM"]),
        ("Who leads the LOM at Norholm?", "Ada Lund leads the LOM at Vestby.", ["Vestby"]),
        ("Who leads the LOM at Norholm?", "Ada Lund leads the IUB at Vestby.", ["IUB", "Vestby"]),
    ],
)
def test_a_text_may_speak_of_others_of_the_same_kind(text: str, other: str, instead: list[str]) -> None:
    assert RIVALS.confused(text, other) == instead


@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["US", "us ", "’", "'s ", "Shi’a ", "U.S. ", "ſ", "İ", "a-b "])).map("".join)
)
def test_any_text_has_terms_that_stand_in_it(text: str) -> None:
    assert all(term in text for term in PACKAGED.content_terms(text))
    assert all(mention in text for mention in PACKAGED.mentions(text))
    assert len(PACKAGED.spell_out(text)) >= len(text)


def test_a_users_file_extends_groups_and_adds_words(tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    file.write_text('function_words = "hullo"\naliases = [["UN", "Vereinte Nationen"], ["Bee Union", "IUB"]]\n')
    mine = Vocabulary.load(file)
    assert "Vereinte Nationen" in mine.aliases("United Nations")
    assert mine.aliases("IUB") == ("IUB", "Bee Union")
    assert mine.content_terms("hullo hive") == ["hive"]


def test_a_users_file_adds_distinct_things(tmp_path: Path) -> None:
    file = tmp_path / "terms.toml"
    file.write_text('distinct = [[["Norholm"], ["Vestby"]]]\n')
    mine = Vocabulary.load(file)
    assert mine.confused("Who is mayor of Norholm?", "Vestby has a mayor.") == ["Vestby"]
    assert mine.confused("Who leads al-Qaeda?", "Someone leads the TTP.") == ["TTP"]


def test_a_users_file_need_not_exist(tmp_path: Path) -> None:
    assert Vocabulary.load(tmp_path / "terms.toml").aliases("UN") == PACKAGED.aliases("UN")


@pytest.mark.parametrize(
    "content",
    [
        'distinct = "Norholm"',
        'distinct = [["Norholm", "Vestby"]]',
        "distinct = [[[]]]",
        "aliases = 5",
        "aliases = ['a']",
        "aliases = [[]]",
        "aliases = [['']]",
        "aliases = [[1]]",
        "function_words = ['a']",
        "x = ",
        "\xff",
    ],
)
def test_a_users_file_of_another_form_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "terms.toml"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(IndexingError, match=r"terms\.toml"):
        Vocabulary.load(file)
