"""Words of other languages than English for the lexical search."""

import pytest

from index.words import folded, forms, stem, topic_words, words


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("كتاب علي", "کتاب علی"),  # Arabic and Persian letters
        ("می‌رود", "می رود"),  # a joiner between the parts of a word
        ("مَدرَسة", "مدرسه"),  # vowel signs
        ("۳۸ و ٣٨", "38 و 38"),
        ("Ёлка", "елка"),
        ("cafe\u0301", "café"),
        ("كـــتاب", "کتاب"),  # drawn out
    ],
)
def test_letters_written_in_several_ways_are_one(one: str, other: str) -> None:
    assert words(one) == words(other)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("ru", "мельница", "мельницы"),
        ("de", "brücken", "brücke"),
        ("ar", "مدرسه", "المدرسه"),
        ("uk", "млинами", "млинарня"),
    ],
)
def test_forms_of_a_word_have_one_stem_in_its_language(language: str, one: str, other: str) -> None:
    assert stem(folded(one), language) == stem(folded(other), language)


def test_words_of_a_script_without_blanks_are_pairs_of_letters() -> None:
    assert words("新桥费用38") == ["新桥", "桥费", "费用", "38"]


def test_vowel_signs_that_belong_to_the_word_stay_in_it() -> None:
    assert words("चक्की में आटा") == ["चक्की", "में", "आटा"]


def test_function_words_of_the_languages_at_hand_carry_no_topic() -> None:
    assert topic_words("Сколько стоит мельница Ивеля?", {"ru"}) == ["стоит", "мельница", "ивеля"]
    assert topic_words("кто где когда", {"ru"}) == ["кто", "где", "когда"]  # nothing else is left


def test_what_is_added_to_the_index_is_only_what_is_not_written_already() -> None:
    assert "мельница" not in forms("мельница", "ru") and forms("мельницы", "ru")
