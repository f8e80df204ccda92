"""Follow-ups become the standalone questions that they may mean; questions that stand alone stay as they are."""

from __future__ import annotations

import pytest

from app.question.dialogue import fullest, stands_for_a_person
from app.question.followup import Turn, readings, state_of
from index.terms import Vocabulary

VOCABULARY = Vocabulary.load()
BOATS = (
    "How many boats did the Harbour Guild own in 2019?",
    "Inspector Lund said that the Harbour Guild owned 40 boats [1]. It had 30 before [2].",
)


def meant(question: str, *said: str) -> list[str]:
    """The readings of a question after questions and answers in turn, the likeliest first."""
    roles = ("user", "assistant")
    history = [Turn(role=roles[n % 2], content=text) for n, text in enumerate(said)]
    return [r.text for r in readings(question, state_of(history, VOCABULARY)).found]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("and in 2023?", "How many boats did the Harbour Guild own in 2023?"),
        ("What about 2021?", "How many boats did the Harbour Guild own in 2021?"),
        ("no, I meant 2020", "How many boats did the Harbour Guild own in 2020?"),
        ("And the Weavers' Guild?", "How many boats did the Weavers' Guild own in 2019?"),
        ("And according to the mayor?", "How many boats did the Harbour Guild own in 2019 according to the mayor?"),
        ("Who said that?", "Who said that the Harbour Guild owned 40 boats?"),
        ("why?", "Why is it that the Harbour Guild owned 40 boats?"),
        ("Where did it keep them?", "Where did the Harbour Guild keep them?"),
        ("What are its aims?", "What are the Harbour Guild’s aims?"),
        ("Who leads the group?", "Who leads the Harbour Guild?"),
        ("Where is he?", "Where is Inspector Lund?"),
        ("numbers?", "Numbers – boats Harbour Guild 2019?"),
    ],
)
def test_what_is_left_out_is_filled_in(question: str, expected: str) -> None:
    assert meant(question, *BOATS)[0] == expected


@pytest.mark.parametrize(
    "question",
    ["Who is the mayor of Bergen?", "How deep is the Sognefjord?", "When did Anna Holm retire?", "Is it safe to sail to Vestby?"],
)
def test_a_question_with_its_own_names_means_what_it_says(question: str) -> None:
    assert meant(question, *BOATS) == [question]


def test_agreeing_with_what_was_said_names_it() -> None:
    assert meant("Does the author agree?", *BOATS)[0] == "Does the author agree that the Harbour Guild owned 40 boats?"


@pytest.mark.parametrize("question", ["When was the article published?", "What does the author want?", "What do the sources say?"])
def test_the_article_its_author_and_the_sources_are_themselves(question: str) -> None:
    assert meant(question, *BOATS) == [question]


@pytest.mark.parametrize(
    ("previous", "question", "expected"),
    [
        ("How many strikers were there in Norholm?", "And Vestby?", "How many strikers were there in Vestby?"),
        ("How many fighters does ISKP have in Kunar?", "And Nangarhar?", "How many fighters does ISKP have in Nangarhar?"),
        ("How many fighters does ISKP have in Kunar?", "And the Taliban?", "How many fighters does the Taliban have in Kunar?"),
        ("What does the FSB say about ISKP?", "And according to Russia?", "What does Russia say about ISKP?"),
        ("What does the FSB say about ISKP?", "and Khaama Press?", "What does Khaama Press say about ISKP?"),
        ("How many ships sank according to Lloyd's?", "And according to the navy?", "How many ships sank according to the navy?"),
        ("Who led Norholm's council?", "And Vestby?", "Who led Vestby's council?"),
        ("How many visitors came between 2019 and 2021?", "and in 2023?", "How many visitors came in 2023?"),
        ("How many visitors came in July 2023?", "and in 2024?", "How many visitors came in 2024?"),
    ],
)  # fmt: skip
def test_a_bare_name_or_time_takes_the_place_of_the_last_one_of_its_kind(previous: str, question: str, expected: str) -> None:
    found = meant(question, previous)
    assert expected in found and question not in found


@pytest.mark.parametrize("question", ["Tell me more", "Continue", "go on", "Explain", "more details please"])
def test_asking_for_more_keeps_the_topic_of_the_last_question(question: str) -> None:
    assert "Tornvik" in meant(question, "When was the Tornvik bridge opened?", "In 1931 [1].")[0]


def test_a_place_and_a_person_stay_in_mind_over_several_turns() -> None:
    said = ("When was the flood in Norholm?", "In 1953 [1].", "How many died there?", "Captain Anna Holm counted 31 [1].")
    assert meant("and in 1962?", *said) == ["How many died in Norholm in 1962?"]
    assert meant("When was she born?", *said)[0] == "When was Captain Anna Holm born?"


def test_two_people_named_together_are_rivals() -> None:
    found = readings("Where was he born?", state_of([Turn(role="user", content="Did Peter Lund meet Erik Holm in Vestby?")], VOCABULARY))
    assert found.rivals and {r.text for r in found.found[:2]} == {"Where was Peter Lund born?", "Where was Erik Holm born?"}


@pytest.mark.parametrize(
    ("question", "word"),
    [("Where is he?", "he"), ("How many were killed there?", "there"), ("and in 2021?", "in 2021"), ("Why did they leave?", "they")],
)
def test_what_nothing_explains_is_open(question: str, word: str) -> None:
    assert readings(question, state_of([], VOCABULARY)).open == word


@pytest.mark.parametrize(
    "question",
    ["Is it true that the bridge is closed?", "Lund", "What is this article about?", "Is there a list?", "Did Lund say when he left?"],
)
def test_a_first_question_is_not_open_without_need(question: str) -> None:
    assert not readings(question, state_of([], VOCABULARY)).open


def test_no_pronoun_stands_for_the_first_time() -> None:
    before = ("When was the lighthouse of Skarvoy lit for the first time?", "It was lit in 1871 [1].")
    assert meant("What did its lamp burn?", *before)[0] == "What did Skarvoy’s lamp burn?"


def test_one_person_of_two_names_is_asked_about_once_by_the_fullest() -> None:
    assert fullest(["Reni", "Skipper Pavo Reni", "Anna Holm", "Pavo Reni"]) == ["Skipper Pavo Reni", "Anna Holm"]
    said = ("Who lit the lamp of Pavo Reni?", "Inspector Lund said that Reni had lit it [1].")
    assert meant("When did he leave?", *said)[0] == "When did Pavo Reni leave?"


@pytest.mark.parametrize(
    ("text", "name", "person"),
    [
        ("The cutter Ondine sank in fog.", "The cutter Ondine", False), ("The ferry Halvard was built in 1962.", "Halvard", False),
        ("Skipper Pavo Reni sailed in fog.", "Skipper Pavo Reni", True), ("By noon yesterday Reni denied it.", "Reni", True),
        ("The ferry Halvard was built in 1962 in Velm and carried cars to the islands.", "Halvard", False), ("They elected captain Pavo Reni.", "Pavo Reni", True),
    ],
)  # fmt: skip
def test_a_ship_stands_for_no_person(text: str, name: str, person: bool) -> None:
    assert stands_for_a_person(text, name) is person
