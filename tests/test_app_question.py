"""Questions: cleaned, told apart by what they want, refused when unusable."""

from __future__ import annotations

import pytest

from app.errors import BadInput
from app.question.analysis import MAX_CHARS, asks_author, fits_kind, in_full, kind_of, naming_author, tidy


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("How many ships were lost?", "number"),
        ("What is the population of Norway?", "number"),
        ("When did the strike begin?", "date"),
        ("In which year was it built?", "date"),
        ("Who signed the treaty?", "person"),
        ("Where is the port?", "place"),
        ("Why did prices rise?", "reason"),
        ("What caused the flood?", "reason"),
        ("How does the lock work?", "manner"),
        ("Did the minister resign?", "yes-no"),
        ("What is a fjord?", "description"),
        ("fjord depth records", "other"),
        ("What was the union's estimate of the turnout?", "number"),
        ("But where is the port?", "place"),
        ("In what year and by whom was it built?", "date"),
    ],
)
def test_kind_of_a_question(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_figures_dates_and_names_fit_their_kinds() -> None:
    assert fits_kind("number", "Some 40 boats sank.") and not fits_kind("number", "Boats sank.")
    assert fits_kind("date", "It began in March.") and not fits_kind("date", "It began late.")
    assert fits_kind("person", "Then Maria Holm spoke.") and not fits_kind("person", "then somebody spoke.")


def test_tidy_makes_one_clean_line() -> None:
    assert tidy("  How\tmany\n\x00ships? ") == "How many ships?"


def test_a_question_in_capitals_is_searched_as_a_sentence_and_an_acronym_stays() -> None:
    assert tidy("WHO OWNS THE ORRIN FERRY?") == "Who owns the orrin ferry?"
    assert tidy("NATO UN EU") == "NATO UN EU"
    assert tidy("Who leads the NATO?") == "Who leads the NATO?"


def test_code_pasted_before_a_question_is_not_searched() -> None:
    assert tidy("```\nfor s in ships: print(s)\n```\nWho owns the ferry?") == "Who owns the ferry?"
    assert tidy("```who owns the ferry```") == "```who owns the ferry```"


@pytest.mark.parametrize("text", ["", "   ", "\n\x00\t"])
def test_an_empty_question_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="empty"):
        tidy(text)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Where does the author work?", "Where does Ada Byron work?"),
        ("What is the job of the author of this essay?", "What is the job of Ada Byron?"),
        ("What is the article's author's profession?", "What is Ada Byron's profession?"),
        ("What is the author’s employer?", "What is Ada Byron’s employer?"),
        ("Who is the author of the article?", "Who is the author of the article?"),
        ("Is the authority elected?", "Is the authority elected?"),
    ],
)
def test_the_author_is_read_by_name(text: str, read: str) -> None:
    assert naming_author(text, "Ada Byron") == read


def test_a_question_over_the_limit_is_refused_with_both_numbers() -> None:
    with pytest.raises(BadInput, match=r"2,001 characters; the limit is 2,000"):
        tidy("x" * (MAX_CHARS + 1))


@pytest.mark.parametrize(
    ("term", "text", "whole"),
    [
        ("50", "Are there 50,000 fighters?", "50,000"),
        ("000", "Are there 50\u00a0000 fighters?", "50\u00a0000"),
        ("2031", "What happened in 2031?", "2031"),
        ("12", "Is it 1,234 or 12?", "12"),
        ("fighters", "Are there 50,000 fighters?", "fighters"),
    ],
)
def test_a_part_of_a_number_is_told_as_the_whole_number(term: str, text: str, whole: str) -> None:
    assert in_full(term, text) == whole


@pytest.mark.parametrize(
    "text",
    [
        "Who wrote the article?",
        "Who is the author of the report on dams?",
        "author affiliation Lindqvist",
        "Whose analysis is this?",
        "What is the author's background?",
        "By whom? I mean: written by whom?",
        "What is the name of the author?",
        "Where does the author of this essay work?",
    ],
)
def test_a_question_about_an_author_is_told(text: str) -> None:
    assert asks_author(text)


@pytest.mark.parametrize(
    "text",
    [
        "What does the author think of the ban?",
        "Who leads the group?",
        "Why does the author call it a rivalry?",
        "Which authorities wrote to the bank?",
        "What does the author say about the work of the police?",
        "How does the author work out the toll?",
    ],
)
def test_a_question_about_what_an_author_says_is_none_about_the_author(text: str) -> None:
    assert not asks_author(text)
