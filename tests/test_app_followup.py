"""Follow-ups become standalone questions; questions that stand alone stay as they are."""

from __future__ import annotations

import pytest

from app.question.followup import Turn, standalone
from index.terms import Vocabulary

VOCABULARY = Vocabulary.load()
HISTORY = [
    Turn(role="user", content="How many boats did the Harbour Guild own in 2019?"),
    Turn(
        role="assistant", content="Inspector Lund said that the Harbour Guild owned 40 boats [1]. It had 30 before [2]."
    ),
]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("and in 2023?", "How many boats did the Harbour Guild own in 2023?"),
        ("What about 2021?", "How many boats did the Harbour Guild own in 2021?"),
        ("Who said that?", "Who said that: Inspector Lund said that the Harbour Guild owned 40 boats?"),
        ("And the Weavers' Guild?", "How many boats did the Weavers' Guild own in 2019?"),
        ("why?", "Why: Inspector Lund said that the Harbour Guild owned 40 boats?"),
        ("Where did it keep them?", "Where did Harbour Guild keep them?"),
    ],
)
def test_what_is_left_out_is_filled_in(question: str, expected: str) -> None:
    assert standalone(question, HISTORY, VOCABULARY) == expected


@pytest.mark.parametrize(
    "question",
    ["Who is the mayor of Bergen?", "What is a guild?", "How deep is the Sognefjord?", "When did Anna Holm retire?"],
)
def test_a_question_that_stands_alone_is_unchanged(question: str) -> None:
    assert standalone(question, HISTORY, VOCABULARY) == question


def test_without_history_nothing_changes() -> None:
    assert standalone("and in 2023?", [], VOCABULARY) == "and in 2023?"


@pytest.mark.parametrize(
    ("previous", "question", "expected"),
    [
        ("How many strikers were there in Norholm?", "And Vestby?", "How many strikers were there in Vestby?"),
        ("How many fighters does ISKP have in Kunar?", "And Nangarhar?", "How many fighters does ISKP have in Nangarhar?"),
        ("How many fighters does ISKP have in Kunar?", "And the Taliban?", "How many fighters does the Taliban have in Kunar?"),
        ("What does the FSB say about ISKP?", "and Khaama Press?", "What does the Khaama Press say about ISKP?"),
        ("Who led Norholm's council?", "And Vestby?", "Who led Vestby's council?"),
        ("Who led Norholm's council?", "And Vestby’s harbour when?", "And Vestby’s harbour when?"),
    ],
)  # fmt: skip
def test_a_bare_name_takes_the_place_of_the_last_one_of_its_kind(previous: str, question: str, expected: str) -> None:
    assert standalone(question, [Turn(role="user", content=previous)], VOCABULARY) == expected


@pytest.mark.parametrize("question", ["Tell me more", "Continue", "go on", "Explain", "more details please"])
def test_asking_for_more_keeps_the_topic_of_the_last_question(question: str) -> None:
    history = [Turn(role="user", content="When was the Tornvik bridge opened?"), Turn(role="assistant", content="In 1931 [1].")]
    assert "Tornvik" in standalone(question, history, VOCABULARY)
