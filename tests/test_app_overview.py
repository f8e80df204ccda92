"""Overviews of a topic over a small collection, with the real encoder and reader."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.home import Home
from app.question.topic import Topic, topic_of
from index.search import Filters

SOURCES = {
    "harbour.md": (
        "Harbour of Velm reopens",
        "Velm Post",
        "2019-05-04",
        ["The harbour of Velm was dredged for eleven months.", "The town council of Velm paid for the dredging."],
    ),
    "ferry.md": (
        "Ferries",
        "Coast Radio",
        "2021",
        ["Two ferries leave Velm every morning.", "Tickets cost four crowns.", "Fog stops the ferries in October."],
    ),
    "bees.md": ("Bees", "Garden Letter", "2020-07", ["Wild bees nest in sandy soil.", "Their nests are small."]),
    "undated.md": ("Notes on Velm", "A Reader", "", ["Velm has a lighthouse that was built from black stone."]),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("sources")
    for name, (title, publisher, date, paragraphs) in SOURCES.items():
        head = [f"title: {title}", f"publisher: {publisher}", *([f"date: {date}"] if date else [])]
        body = "\n\n".join(paragraphs)
        (folder / name).write_text("---\n" + "\n".join(head) + f"\n---\n\n{body}\n")
    opened = Home(tmp_path_factory.mktemp("home"))
    opened.init(empty=True)
    assert {o.status for o in opened.add([folder], {})} == {"added"}
    opened.sync()
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("question", "about", "holder"),
    [
        ("What do the sources say about the harbour of Velm?", "the harbour of Velm", ""),
        ("what do your documents report on bees", "bees", ""),
        ("What is known about “Velm”?", "Velm", ""),
        ("Which sources mention Velm?", "Velm", ""),
        ("Tell me everything about bees!", "bees", ""),
        ("Tell me something about the ferries and why they matter", "the ferries", ""),
        ("What does the council say about dredging?", "dredging", "the council"),
        ("What is the mayor's view of the harbour?", "the harbour", "the mayor"),
        ("Does the author agree that the harbour is safe?", "the harbour is safe", "the author"),
        ("What do the fishermen claim about fog?", "fog", "the fishermen"),
        ("What do critics say about the article?", "the article", "critics"),
    ],
)
def test_what_is_to_be_told_of_and_by_whom(question: str, about: str, holder: str) -> None:
    found = topic_of(question)
    assert found is not None and (found.about, found.holder) == (about, holder)


@pytest.mark.parametrize(
    "question",
    ["What is the harbour about?", "What do you know about it?", "How many ferries leave Velm?", "Which ferries cover the bay?"],
)
def test_other_questions_have_no_topic_to_be_told_of(question: str) -> None:
    assert topic_of(question) is None


@pytest.mark.parametrize(("question", "view"), [("What does the mayor think about fog?", True), ("What is the mayor's view of fog?", True), ("What does the mayor say about fog?", False)])
def test_a_view_is_told_from_words_on_a_thing(question: str, view: bool) -> None:
    assert topic_of(question) == Topic(about="fog", holder="the mayor", view=view)


def test_what_one_publisher_says_is_told_in_its_words_alone(home: Home) -> None:
    answer = home.answerer.answer("What does Coast Radio say about Velm?")
    assert answer.status == "answered"
    assert {c.publisher for c in answer.citations} == {"Coast Radio"} and "Two ferries leave Velm" in answer.answer


def test_what_a_publisher_does_not_speak_of_is_not_taken_from_another(home: Home) -> None:
    assert "dredged" not in home.answerer.answer("What does Coast Radio say about dredging?").answer


def test_one_cited_line_a_source_by_date(home: Home) -> None:
    answer = home.answerer.answer("What do the sources say about Velm?")
    assert answer.status == "answered"
    lines = answer.answer.splitlines()
    assert [line.split(",")[0] for line in lines] == ["- 2019-05-04", "- 2021", "- undated"]
    assert [c.publisher for c in answer.citations] == ["Velm Post", "Coast Radio", "A Reader"]
    for marker, (line, citation) in enumerate(zip(lines, answer.citations, strict=True), start=1):
        assert citation.marker == marker and re.search(rf"\[{marker}\]\.$", line)
        assert home.library.get(citation.source_id).text[citation.start : citation.end] == citation.quote
        assert "Velm" in citation.quote


def test_a_topic_of_which_no_source_speaks_is_not_surveyed(home: Home) -> None:
    answer = home.answerer.answer("What do the sources say about volcanoes?")
    assert answer.status == "abstained"
    assert "volcanoes" in answer.answer


@pytest.mark.parametrize("name", ["Velm", "velm?", "lighthouse", "sandy soil"])
def test_a_mere_name_that_stands_in_the_sources_is_not_told_to_be_absent(home: Home, name: str) -> None:
    answer = home.answerer.answer(name)
    assert answer.status == "answered" and answer.citations
    assert all(name.strip("?").lower() in c.quote.lower() for c in answer.citations)


@pytest.mark.parametrize("name", ["volcanoes", "Sydney", "stop", "Was it?"])
def test_a_name_that_stands_nowhere_and_what_is_no_name_find_nothing(home: Home, name: str) -> None:
    answer = home.answerer.answer(name)
    assert not answer.citations


def test_filters_hold_for_overviews(home: Home) -> None:
    answer = home.answerer.answer("What do the sources say about Velm?", filters=Filters(since=20200101))
    assert [c.publisher for c in answer.citations] == ["Coast Radio"]


def test_a_question_in_parts_is_answered_part_by_part(home: Home) -> None:
    answer = home.answerer.answer("How many ferries leave Velm every morning, and what do tickets cost?")
    assert answer.status == "answered"
    assert "Two ferries" in answer.answer and "four crowns" in answer.answer


def test_a_part_without_an_answer_is_named_and_the_other_answered(home: Home) -> None:
    answer = home.answerer.answer("How many ferries leave Velm every morning? Who designed the opera house of Sydney?")
    assert answer.status == "answered"
    assert answer.answer.startswith("The sources do not answer “Who designed the opera house of Sydney?”.")
    assert "Two ferries" in answer.answer
    assert answer.answer.rstrip().endswith("[1].")  # what was found closes with its marker
    assert "sydney" in [t.lower() for t in answer.missing_terms]


def test_a_language_that_no_encoder_reads_is_told_and_nothing_is_claimed_of_the_sources(home: Home) -> None:
    answer = home.answerer.answer("毎朝何隻のフェリーが出航しますか？")
    assert answer.status == "abstained"
    assert "English" in answer.answer and "英語" in answer.answer
    assert "do not answer" not in answer.answer and not answer.missing_terms


def test_an_encoder_for_any_language_searches_the_question(tmp_path: Path, home: Home) -> None:
    (home.folder / "iskp.toml").write_text("[encoder]\nlanguages = []\n")
    try:
        with_any = Home(home.folder)
        answer = with_any.answerer.answer("¿Cuántos ferries salen de Velm cada mañana?")
        with_any.close()
    finally:
        (home.folder / "iskp.toml").unlink()
    assert not any("embedding model does not read" in r for r in answer.reasons)
    assert any("probability" in r for r in answer.reasons)  # it was searched, read and decided upon
