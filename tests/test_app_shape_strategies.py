"""Answers in the form that is wanted, over a small collection of made-up subjects, with the real encoder and reader."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.answer import Answer, from_json, to_json
from app.answering.engine import Clock
from app.home import Home
from app.question.matter import matter
from app.question.shape import Shape
from app.question.sides import sides
from app.question.wanted import things

SOURCES = {
    "gazette.md": (
        {"title": "Strikes at the Velm shipyard", "publisher": "Velm Gazette", "date": "2021-09-02"},
        [
            "Workers of the Velm shipyard went on strike on 4 March 2018 over night shifts.",
            "A second strike at the Velm shipyard began on 12 June 2019 and lasted nine days.",
            "The Velm shipyard strike of 2 August 2021 ended with a new contract.",
        ],
    ),
    "radio.md": (
        {"title": "A shipyard stands still", "publisher": "Coast Radio", "date": "2019-06-13"},
        ["On 12 June 2019 a second strike began at the Velm shipyard.", "The Velm bakery sells rye bread."],
    ),
    "union.md": (
        {"title": "What the shipwrights want", "publisher": "Shipwrights' Union", "date": "2021-08-20"},
        [
            "The Shipwrights' Union says that 900 workers joined the strike.",
            "The harbour board put the number of strikers at 400 workers.",
            "The shipyard lost two orders because the strike delayed the hulls.",
            "Managers cut night shifts due to a shortage of welders, which led to lower pay.",
        ],
    ),
    "falcons.md": (
        {"title": "Grey falcons abroad", "publisher": "Bird Letter", "date": "2022-03"},
        [
            "The grey falcon is a small bird of prey of dry plains.",
            "Grey falcons were released in Norway, Portugal and Estonia.",
            "Grey falcons were also released in Chile in 2020.",
            "A conference on the grey falcon was held in Canada.",
            "Ana Lindqvist leads the grey falcon programme.",
        ],
    ),
    "mill.md": (
        {"title": "The mill at Orsa", "publisher": "Orsa Review", "author": "Mira Holt", "date": "2020", "genre": "opinion"},
        [
            "The windmill of Orsa is open to visitors.",
            "Ranger Pell is dead, the Orsa council confirmed.",
            "The ferry of Orsa does not run in winter.",
            "Orsa sued Velm over the river in 2015.",
            "The quarry of Orsa may be flooded.",
            "“The old windmill turns only for tourists,” wrote the miller Tove Brandt in her diary.",
        ],
    ),
    "essay.md": (
        {"title": "Why small museums last", "publisher": "Letters", "author": "Ida Krantz", "date": "2023-01-05", "genre": "opinion"},
        [
            "Small museums last longer than large ones because their neighbours look after them.",
            "Read more about our newsletter?",
            "Large museums depend on ministries whose budgets change with every election.",
            "It rained on the day of my visit.",
            "Volunteers of small museums repair roofs, sell tickets and teach school classes without pay.",
            "Visitors return to small museums since they meet people there whom they know.",
            "A museum that belongs to its street outlives the minister who opened it.",
        ],
    ),
}  # fmt: skip
Told = Callable[[str, Shape], Answer]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder: Path = tmp_path_factory.mktemp("sources")
    for name, (head, paragraphs) in SOURCES.items():
        lines = "\n".join(f"{key}: {value}" for key, value in head.items())
        (folder / name).write_text(f"---\n{lines}\n---\n\n" + "\n\n".join(paragraphs) + "\n")
    home = Home(tmp_path_factory.mktemp("home"))
    home.init(empty=True)
    assert {o.status for o in home.add([folder], {})} == {"added"}
    home.sync()
    answerer = home.answerer

    def answer(question: str, shape: Shape) -> Answer:
        opened = answerer.index.current()
        request = replace(answerer._parser.parse(question, opened=opened), shape=shape)
        found = answerer._answer(request, opened, Clock()).answer
        for citation in found.citations:
            source = home.library.get(citation.source_id)
            assert source is not None
            assert source.text[citation.start : citation.end] == citation.quote
        for row in found.rows:
            assert len(row.cells) == len(row.markers)
            assert set(row.markers) <= {c.marker for c in found.citations}
        return found

    yield answer
    home.close()


def labels(answer: Answer) -> list[str]:
    return [row.label for row in answer.rows]


def test_a_list_holds_the_countries_asked_for_and_not_the_one_mentioned_by_the_way(told: Told) -> None:
    answer = told("In which countries were grey falcons released?", "list")
    assert answer.shape == "list"
    assert {"Norway", "Portugal", "Estonia", "Chile"} == set(labels(answer))
    assert answer.answer.startswith("4 found in 1 source:")


def test_a_list_of_which_nothing_is_known_is_an_abstention(told: Told) -> None:
    answer = told("List the kings of Atlantis", "list")
    assert (answer.status, answer.shape, answer.rows) == ("abstained", "point", ())


def test_a_timeline_is_ascending_and_tells_an_event_of_two_sources_once(told: Told) -> None:
    answer = told("Give me a timeline of the strikes at the Velm shipyard", "timeline")
    assert labels(answer) == ["4 March 2018", "12 June 2019", "2 August 2021"]
    june = next(line for line in answer.answer.splitlines() if "12 June 2019:" in line)
    assert june.count("[") == 2


def test_a_timeline_keeps_to_the_period_asked_for(told: Told) -> None:
    answer = told("Give me a timeline of the strikes at the Velm shipyard from 2018 to 2019", "timeline")
    assert labels(answer) == ["4 March 2018", "12 June 2019"]


def test_a_comparison_gives_each_side_what_it_says(told: Told) -> None:
    answer = told("Compare the Shipwrights' Union and the harbour board on the number of strikers", "comparison")
    cells = {row.label: " ".join(row.cells) for row in answer.rows}
    assert "900" in cells["The Shipwrights' Union"]
    assert "400" in cells["The harbour board"]


def test_a_summary_has_the_length_asked_for_and_only_sentences_that_stand_alone(told: Told) -> None:
    answer = told("Summarise the essay by Ida Krantz in three bullets", "summary")
    assert len(answer.rows) == 3
    assert {c.author for c in answer.citations} == {"Ida Krantz"}
    assert not {"It rained on the day of my visit.", "Read more about our newsletter?"} & {c.quote for c in answer.citations}


def test_a_definition_begins_with_the_sentence_that_says_what_it_is(told: Told) -> None:
    answer = told("What is the grey falcon?", "definition")
    assert answer.shape == "definition"
    assert answer.citations[0].quote == "The grey falcon is a small bird of prey of dry plains."


@pytest.mark.parametrize(
    ("question", "word"),
    [("Is the windmill of Orsa open?", "Yes."), ("Does the ferry of Orsa run in winter?", "No."), ("Is Ranger Pell alive?", "According to the Orsa council, no.")],
)
def test_a_verdict_says_yes_or_no_first(told: Told, question: str, word: str) -> None:
    answer = told(question, "verdict")
    assert answer.answer.startswith(word)


@pytest.mark.parametrize("question", ["Is the bakery of Orsa open?", "Did Velm sue Orsa?", "Is the quarry of Orsa flooded?"])
def test_no_verdict_rests_on_another_subject_on_the_roles_reversed_or_on_a_may(told: Told, question: str) -> None:
    answer = told(question, "verdict")
    assert not answer.answer.startswith(("Yes", "No."))


def test_the_verdict_on_who_did_what_to_whom_is_yes_in_the_right_order(told: Told) -> None:
    assert told("Did Orsa sue Velm?", "verdict").answer.startswith("Yes.")


def test_a_quotation_is_whole_in_quotation_marks_and_with_its_place(told: Told) -> None:
    answer = told("Quote the exact sentence about the old windmill and tourists", "quote")
    assert answer.answer.startswith("“‘The old windmill turns only for tourists,’ wrote the miller Tove Brandt in her diary.” (")
    assert all(part in answer.answer for part in ("Mira Holt", "The mill at Orsa", "2020"))


@pytest.mark.parametrize("who", ["writer", "author"])
def test_of_two_writers_neither_is_the_writer_and_the_question_is_asked_of_all(told: Told, who: str) -> None:
    answer = told(f"What does the {who} think about ministries and museums?", "point")
    assert answer.status == "answered"
    assert "depend on ministries" in answer.answer


def test_rows_and_shape_survive_the_way_through_json(told: Told) -> None:
    answer = told("In which countries were grey falcons released?", "list")
    assert from_json(to_json(answer)) == answer


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("Compare the mayor and the guild on the dam", ("the mayor", "the guild")),
        ("What is the difference between Velm and Orsa?", ("Velm", "Orsa")),
        ("How do Danish and Finnish views of the canal differ?", ("Danish views", "Finnish views")),
        ("Herring catches 2019 vs 2023", ("2019", "2023")),
        ("Compare estimates of the board, the union and the town", ("the board", "the union", "the town")),
    ],
)
def test_the_sides_of_a_comparison_are_told_from_the_question(question: str, names: tuple[str, ...]) -> None:
    found = sides(question)
    assert found is not None
    assert found.names == names


def test_one_thing_has_no_sides() -> None:
    assert sides("How deep is the harbour?") is None


@pytest.mark.parametrize(
    ("question", "noun"),
    [("Which gates of the old harbour are open?", "gate"), ("List all wardens of the guild", "warden"), ("How many different tolls are given?", "toll")],
)
def test_the_thing_asked_for_is_the_noun_behind_the_asking_word(question: str, noun: str) -> None:
    assert things(question).noun == noun


def test_words_that_ask_for_a_form_are_not_searched_for() -> None:
    assert matter("Give me a timeline of the strikes in 2019") == "of the strikes in 2019"
    assert matter("Quote the exact sentence with the old windmill") == "with the old windmill"
