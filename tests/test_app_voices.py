"""Whose word an answer gives: verdicts, short answers and statements, over made-up texts, with the real encoder and reader."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.answer import Answer
from app.home import Home
from app.question.followup import Turn
from app.question.topic import topic_of
from app.text.continued import answers_back, goes_on_from
from app.text.parse import parse
from app.text.voices import names_speaker

TEXTS = {
    "quarry.md": """---
title: The quarry above Lindal
author: Petra Voss
publisher: Valley Post
date: 2021-06-02
---

The quarry above Lindal opened in 1954. In March 2020 a wall of the quarry collapsed onto the road. Two drivers were hurt.

The mining inspectorate said that the drains had frozen, while the operator, Karst Stone, maintained that the foreman had blasted without a permit.

Foreman Jonas Ahl denied this. He left the company in July 2020.

The guild of drivers argues that the operator saved on warning lights. It lists nine complaints about the lights. Karst Stone lists two.

The county council confirmed that the road had reopened in May 2020. The school bus uses the road again.

The museum of Lindal is closed on Mondays.
""",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Answer]]:
    folder: Path = tmp_path_factory.mktemp("texts")
    for name, text in TEXTS.items():
        (folder / name).write_text(text)
    home = Home(tmp_path_factory.mktemp("home"))
    home.init(empty=True)
    assert [o.status for o in home.add([folder], {})] == ["added"]
    home.sync()
    yield home.answerer.answer
    home.close()


def test_what_a_party_says_is_no_yes_and_a_denial_in_the_next_paragraph_is_the_other_side(told: Callable[[str], Answer]) -> None:
    answer = told("Did the foreman blast without a permit?")
    assert answer.answer.startswith("Disputed: ")
    assert [row.label for row in answer.rows] == ["Operator, Karst Stone", "Foreman Jonas Ahl"]
    assert "Foreman Jonas Ahl denied this [2]" in answer.answer


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("Did the drains freeze?", "According to the mining inspectorate, yes."),
        ("Did the operator save on warning lights?", "According to the guild of drivers, yes."),
        ("Is the museum of Lindal closed on Mondays?", "Yes."),
    ],
)
def test_a_verdict_tells_whose_word_it_is_unless_the_text_states_it(told: Callable[[str], Answer], question: str, word: str) -> None:
    assert told(question).answer.startswith(word)


def test_what_somebody_says_in_any_matter_is_theirs_and_goes_on_with_a_pronoun(told: Callable[[str], Answer]) -> None:
    guild = told("what does the guild say")
    assert [c.quote for c in guild.citations] == [
        "The guild of drivers argues that the operator saved on warning lights.", "It lists nine complaints about the lights.",
    ]  # fmt: skip
    company = told("What does Karst Stone say?")
    assert [c.quote for c in company.citations][-1] == "Karst Stone lists two."
    assert len(company.citations) == 2


@pytest.mark.parametrize("question", ["What does the school say?", "What did the drivers say?", "What does Petra Lund say?"])
def test_of_one_who_says_nothing_nobody_elses_words_are_given(told: Callable[[str], Answer], question: str) -> None:
    assert told(question).status == "abstained"


@pytest.mark.parametrize(
    ("question", "holder"),
    [("What does the union say?", "the union"), ("what did Ana Bruun argue", "Ana Bruun"), ("What does the article say?", None), ("What did he say?", None)],
)
def test_a_question_for_all_that_one_says_names_the_holder_alone(question: str, holder: str | None) -> None:
    topic = topic_of(question)
    assert (topic and (topic.holder, topic.about)) == (holder and (holder, ""))


@pytest.mark.parametrize(
    ("sentence", "does"),
    [
        ("Bruun denied this.", True), ("The claim was rejected by the bank.", True), ("The union denies it.", True),
        ("The mayor rejected the plan.", False), ("Bruun denied that he slept.", False), ("Bruun did not deny it.", False),
    ],
)  # fmt: skip
def test_a_denial_of_what_was_said_before_is_told_by_the_parse(sentence: str, does: bool) -> None:
    assert answers_back(parse(sentence)) is does


@pytest.mark.parametrize(
    ("question", "span", "does"),
    [
        ("Who was at fault?", "Karst Stone", True), ("Who says that the foreman blasted?", "Karst Stone", False),
        ("According to whom did the foreman blast?", "Karst Stone", False), ("Who is the operator?", "Karst Stone", False),
        ("How many drivers were hurt?", "three", True), ("Who blasted?", "foreman", False),
    ],
)  # fmt: skip
def test_a_short_answer_is_not_who_says_it_unless_that_is_asked(question: str, span: str, does: bool) -> None:
    sentence = "The operator, Karst Stone, maintained that the foreman had blasted, and three owners said that he was to blame."
    at = sentence.index(span)
    assert names_speaker(question, sentence, at, at + len(span)) is does


def test_whose_word_it_is_is_no_short_answer(told: Callable[[str], Answer]) -> None:
    assert told("Who was to blame for the blast without a permit?").short_answer != "Karst Stone"
    assert told("Who maintained that the foreman had blasted without a permit?").short_answer == "Karst Stone"


@pytest.mark.parametrize(
    ("pronoun", "front", "whom"),
    [
        ("he", ["Ahl denied this.", "He told the court so."], "Ahl"),
        ("it", ["The guild of drivers argues that the lights were broken."], "The guild of drivers"),
        ("they", ["The drivers, who were tired, stopped."], "The drivers"),
        ("he", ["The lights were broken."], ""),
    ],
)
def test_a_pronoun_goes_on_from_the_subject_that_agrees(pronoun: str, front: list[str], whom: str) -> None:
    assert goes_on_from(pronoun, [parse(s) for s in front]).rstrip(",") == whom


@pytest.fixture(scope="module")
def tram(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder: Path = tmp_path_factory.mktemp("tram")
    (folder / "tram.md").write_text(
        "---\ntitle: The tram at Ostby\nauthor: Ada Lind\n---\n\nThe owner, Karst Lines, says that the driver ignored a signal. Karst Lines counts two broken signals."
        "\n\nThe union of drivers argues that the company never mended the signal. It lists nine complaints.\n"
    )
    home = Home(tmp_path_factory.mktemp("tram-home"))
    home.init(empty=True)
    list(home.add([folder], {}))
    home.sync()
    yield home
    home.close()


def test_the_union_is_not_the_company_that_was_named_last(tram: Home) -> None:
    first = "Who ignored a signal?"
    history = [Turn(role="user", content=first), Turn(role="assistant", content=tram.answerer.answer(first).answer)]
    answer = tram.answerer.answer("What does the union say?", history)
    assert answer.citations[0].quote.startswith("The union of drivers argues")
