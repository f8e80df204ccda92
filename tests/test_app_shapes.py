"""The form of answer that a question wants, and what a turn does with the answer before it."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from app.question import forms
from app.question.followup import Turn
from app.question.forms import SHAPES, TURNINGS
from app.question.matter import form_named
from app.question.request import Parser
from app.question.tasks import default

FILE = Path(__file__).parent / "data" / "shapes.txt"
ROWS = [line.split(" | ") for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
OF_SHAPE = [(label, text) for label, text in ROWS if not label.startswith("turning ")]
OF_TURNING = [(label.removeprefix("turning "), text) for label, text in ROWS if label.startswith("turning ")]
BEFORE = [
    Turn(role="user", content="How many divers found the wreck?"),
    Turn(role="assistant", content="Six divers found it in 2018 [1]."),
]


def _parser(declines: Callable[[str], str | None] = lambda _: None) -> Parser:
    return Parser(tasks=default(), declines=declines, languages=frozenset({"en"}), today=lambda: dt.date(2026, 5, 4))


def _check(rows: list[tuple[str, str]], names: tuple[str, ...], told: Callable[[str], str], least: float) -> None:
    right, of, wrong = Counter[str](), Counter[str](), []
    for label, text in rows:
        of[label] += 1
        right[label] += (got := told(text)) == label
        if got != label:
            wrong.append((label, got, text))
    assert set(of) == set(names)
    assert right.total() >= least * of.total(), wrong
    assert all(right[name] >= 0.6 * of[name] for name in names), wrong
    plain = [row for row in wrong if row[0] == names[0]]
    assert len(plain) <= 0.05 * of[names[0]], plain


def test_most_questions_show_the_form_of_answer_that_they_want() -> None:
    _check(OF_SHAPE, SHAPES, lambda text: forms.shape(default().states(text)), 0.85)


def test_most_turns_show_what_they_do_with_the_answer_before() -> None:
    _check(OF_TURNING, TURNINGS, lambda text: forms.turning(default().states(text)), 0.9)


def test_a_turn_changes_the_answer_before_only_where_something_was_asked_before() -> None:
    talk = [Turn(role="user", content="Hello!"), Turn(role="assistant", content="Hello.")]
    assert _parser().parse("as a table please", BEFORE, opened=None).turning == "table"
    assert _parser().parse("as a table please", talk, opened=None).turning == "new"
    assert _parser().parse("as a table please", opened=None).turning == "new"


def test_courtesy_around_a_turn_does_not_hide_what_it_does() -> None:
    assert _parser().parse("Thank you! Shorter, please.", BEFORE, opened=None).turning == "shorter"


def test_a_request_says_the_form_of_answer_with_and_without_a_conversation() -> None:
    asked = "Compare the divers with the dredgers."
    assert _parser().parse(asked, opened=None).shape == "comparison"
    assert _parser().parse(asked, BEFORE, opened=None).shape == "comparison"
    assert _parser().parse(asked, BEFORE, opened=None).turning == "new"


@pytest.mark.parametrize(
    "asked", ["Hello!", "Liste tous les plongeurs qui ont trouvé cette vieille épave dans le port."]
)
def test_talk_and_other_languages_have_no_form_of_answer(asked: str) -> None:
    assert _parser().parse(asked, opened=None).shape == "point"


def test_what_is_declined_has_no_form_and_changes_no_answer() -> None:
    request = _parser(lambda _: "No.").parse("list all of that", BEFORE, opened=None)
    assert (request.shape, request.turning, request.refusal) == ("point", "new", "No.")


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Write a short paragraph on the tram strike", "summary"),
        ("I need a few lines about the ferry accident", "summary"),
        ("Make a timeline of the strike", "timeline"),
        ("Give me the number of divers", None),
        ("Name the captain", None),
        ("Who wrote the paragraph on the strike?", None),
    ],
)
def test_a_form_that_a_request_names_is_the_one_it_wants(text: str, form: str | None) -> None:
    assert form_named(text) == form


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ("Can you tell me why the dam broke?", "why the dam broke?"),
        ("Quote me the sentence where the mayor says it", "Quote me the sentence where the mayor says it"),
        ("Ask the mayor why it broke", "Ask the mayor why it broke"),
    ],
)
def test_a_request_to_be_told_is_the_question_in_it_unless_it_wants_a_form(asked: str, text: str) -> None:
    assert _parser().parse(asked, opened=None).text == text
