"""Conversations over a small collection: readings that the evidence chooses, questions back, and answers in another form."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from app.answer import Answer
from app.home import Home
from app.question.followup import Turn
from app.question.shape import Turning
from ingest.blocks import Metadata, assemble
from ingest.formats import markdown

TEXTS = {
    "flood": "# The flood of Norholm\n\nThe flood in Norholm killed 31 people in 1953. The dyke at Norholm broke because it had not been repaired for years.",
    "fire": "# The fire of Vestby\n\nThe fire in Vestby killed 7 people in 1961. It began in a rope works.",
    "guild": "# The Harbour Guild\n\nThe Harbour Guild owned 40 boats in 2019. The Harbour Guild owned 55 boats in 2023. "
    "The Harbour Guild was founded by Anna Holm in 1890.",
    "people": "# Two captains\n\nPeter Lund was born in Oslo in 1902. Erik Holm was born in Bergen in 1911.",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(Path(tmp_path_factory.mktemp("talk")) / "home")
    made.init(empty=True)
    for source_id, text in TEXTS.items():
        source = assemble(source_id, markdown.read(text), overrides=Metadata(author=f"Writer of {source_id}", date="2024"), fallback_title=source_id)
        made.library.put(source, raw_digest=hashlib.sha256(text.encode()).hexdigest())
    made.sync()
    yield made
    made.close()


def ask(home: Home, question: str, *said: str, turning: Turning = "new") -> Answer:
    """The answer after questions and answers in turn."""
    roles = ("user", "assistant")
    history = [Turn(role=roles[n % 2], content=text) for n, text in enumerate(said)]
    answerer = home.answerer
    learnt = answerer._parser
    answerer._parser = replace(learnt, turning=lambda text: turning if text == question else "new")
    try:
        return answerer.answer(question, history)
    finally:
        answerer._parser = learnt


@pytest.mark.parametrize(
    ("question", "said", "understood", "told"),
    [
        ("How many were killed there?", ("When was the flood in Norholm?", "In 1953 [1]."), "Norholm", "31"),
        ("How many were killed there?", ("When was the fire in Vestby?", "In 1961 [1]."), "Vestby", "7"),
        ("and in 2023?", ("How many boats did the Harbour Guild own in 2019?", "40 [1]."), "in 2023?", "55"),
        ("When was he born?", ("Who kept a log?", "Skipper Peter Lund said that he had kept one [1]."), "Peter Lund", "1902"),
        ("Who founded it?", ("How many boats did the Harbour Guild own in 2019?", "40 [1]."), "the Harbour Guild", "Anna Holm"),
    ],
)
def test_a_follow_up_is_answered_about_what_was_meant(
    home: Home, question: str, said: tuple[str, ...], understood: str, told: str
) -> None:
    answer = ask(home, question, *said)
    assert (answer.status, answer.question) == ("answered", question)
    assert understood in answer.standalone_question and told in answer.answer


def test_a_turn_as_typed_wins_when_it_names_its_own_subject(home: Home) -> None:
    answer = ask(home, "Where was Erik Holm born?", "When was the flood in Norholm?", "In 1953 [1].")
    assert answer.standalone_question == "Where was Erik Holm born?" and "Bergen" in answer.answer


@pytest.mark.parametrize("question", ["How many were killed there?", "Where was he born?", "and in 2023?"])
def test_what_nothing_explains_is_asked_back_with_complete_questions(home: Home, question: str) -> None:
    answer = ask(home, question)
    assert answer.status == "unclear" and not answer.citations
    assert answer.standalone_question == question and all(o.endswith("?") and o != question for o in answer.options)


def test_places_of_the_sources_are_offered_for_there(home: Home) -> None:
    assert {"How many were killed in Norholm?", "How many were killed in Vestby?"} <= set(ask(home, "How many were killed there?").options)


def test_two_people_who_may_be_meant_are_asked_about(home: Home) -> None:
    answer = ask(home, "Where was he born?", "Did Peter Lund meet Erik Holm?", "No source says so.")
    assert answer.status == "unclear"
    assert set(answer.options) == {"Where was Peter Lund born?", "Where was Erik Holm born?"}


def test_the_slots_of_a_question_are_told(home: Home) -> None:
    understood = ask(home, "and in 2023?", "How many boats did the Harbour Guild own in 2019?", "40 [1].").understood
    assert understood is not None and understood.names == ("Harbour Guild",) and understood.period is not None
    assert (understood.period.first, understood.period.last) == ("2023-01-01", "2023-12-31")


FLOOD = ("Why did the dyke at Norholm break?", "Writer of flood (2024): The dyke at Norholm broke because it had not been repaired for years [1].")


def test_shorter_gives_fewer_words_of_the_same_answer(home: Home) -> None:
    first = ask(home, "How many boats did the Harbour Guild own in 2019?")
    answer = ask(home, "shorter please", "How many boats did the Harbour Guild own in 2019?", first.answer, turning="shorter")
    assert len(answer.answer.split()) < len(first.answer.split()) and "40" in answer.answer and len(answer.citations) == 1


def test_who_says_that_names_the_holder_and_the_text(home: Home) -> None:
    answer = ask(home, "who says that?", *FLOOD, turning="who-says")
    assert "Writer of flood" in answer.answer and "The flood of Norholm" in answer.answer and "[1]" in answer.answer


@pytest.mark.parametrize(("turning", "sign"), [("bullets", "- "), ("table", "| Who says it"), ("quote", "- “"), ("sure", "Only one source")])
def test_the_last_answer_takes_another_form(home: Home, turning: Turning, sign: str) -> None:
    answer = ask(home, "another form, please", *FLOOD, turning=turning)
    assert answer.status == "answered" and answer.answer.startswith(sign) and "repaired" in answer.answer
    assert answer.standalone_question == FLOOD[0]


def test_longer_says_more_and_a_form_is_no_subject_for_the_next_turn(home: Home) -> None:
    said = ("How many boats did the Harbour Guild own in 2019?", "40 [1].")
    short, long = ask(home, said[0]), ask(home, "more", *said, turning="longer")
    assert len(long.answer) >= len(short.answer)
    assert "55" in ask(home, "and in 2023?", *said, "numbers?", short.answer).answer


def test_a_bare_name_after_who_says_that_is_another_holder(home: Home) -> None:
    said = ("How many boats did the Harbour Guild own in 2019?", "40 [1].", "who says that?", "Writer of guild [1].")
    learnt = home.answerer._parser
    home.answerer._parser = replace(learnt, turning=lambda text: "who-says" if text == said[2] else "new")
    try:
        history = [Turn(role=("user", "assistant")[n % 2], content=text) for n, text in enumerate(said)]
        answer = home.answerer.answer("And the Weavers?", history)
    finally:
        home.answerer._parser = learnt
    assert answer.standalone_question == "How many boats did the Harbour Guild own in 2019 according to the Weavers?"


def test_a_correction_replaces_what_was_wrong(home: Home) -> None:
    answer = ask(home, "no, I meant 2023", "How many boats did the Harbour Guild own in 2019?", "40 [1].", turning="correction")
    assert answer.standalone_question == "How many boats did the Harbour Guild own in 2023?" and "55" in answer.answer


def test_where_any_of_several_texts_may_be_meant_their_titles_are_offered(home: Home) -> None:
    answer = ask(home, "summarise it")
    assert answer.status == "unclear"
    assert set(answer.options) <= {f"Summarise “{title}”" for title in ("The flood of Norholm", "The fire of Vestby", "The Harbour Guild", "Two captains")}
    told = ask(home, answer.options[0])
    assert (told.status, told.shape) == ("answered", "summary")


ISLES = {
    "lamp": (
        "# The lamp of Sorrel Head\n\nThe lamp of Sorrel Head was lit in 1871 by Greta Vane and burned whale oil until the war. "
        "The keepers of the lamp walked four miles to the village for bread every week. The lamp failed on nine nights in the winter of 1902. "
        "A buoy with a bell was laid below the cliff after the wreck of the Ostra.",
        {"author": "Nils Aker", "publisher": "Island Post", "date": "2020"},
    ),
    "mine": (
        "# Silver below the Brenn hills\n\nThe silver mine of Brenn was dug by prisoners and closed in 1911 after a flood. "
        "The company of the mine paid no pensions to the widows of the drowned. The United Nations of miners, a union, asked the state for help in vain. "
        "A museum in the old smelter shows the pumps of the mine to schools.",
        {"author": "Rosa Tell", "publisher": "Hill Review", "date": "2021"},
    ),
}  # fmt: skip
LAMP, MINE = "“The lamp of Sorrel Head”", "“Silver below the Brenn hills”"


def _home(folder: Path, texts: Mapping[str, tuple[str, Mapping[str, str]]]) -> Iterator[Home]:
    made = Home(folder / "home")
    made.init(empty=True)
    for source_id, (text, facts) in texts.items():
        source = assemble(source_id, markdown.read(text), overrides=Metadata(**facts), fallback_title=source_id)  # type: ignore[arg-type]
        made.library.put(source, raw_digest=hashlib.sha256(text.encode()).hexdigest())
    made.sync()
    yield made
    made.close()


@pytest.fixture(scope="module")
def isles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    yield from _home(tmp_path_factory.mktemp("isles"), ISLES)


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("summarise the article", {f"Summarise {LAMP}", f"Summarise {MINE}"}),
        ("give me three key arguments of the author", {f"Give me three key arguments of the author of {t}" for t in (LAMP, MINE)}),
        ("What is the author's main argument?", {f"What is {t}'s main argument?" for t in (LAMP, MINE)}),
    ],
)
def test_which_of_several_texts_is_meant_is_asked_with_complete_questions(isles: Home, question: str, options: set[str]) -> None:
    answer = ask(isles, question)
    assert (answer.status, set(answer.options)) == ("unclear", options) and not answer.citations
    for option in options:
        told = ask(isles, option)
        assert {c.source_id for c in told.citations} == {"lamp" if LAMP in option else "mine"}


def test_three_arguments_are_three_sentences(isles: Home) -> None:
    assert len(ask(isles, f"Give me three key arguments of the author of {LAMP}").rows) == 3


def test_of_many_texts_none_is_offered(home: Home) -> None:
    answer = ask(home, "summarise the article")
    assert answer.status == "unclear" and len(answer.options) == len(TEXTS)
    source = assemble("ropes", markdown.read("# Ropes\n\nRopes are made of hemp."), fallback_title="ropes")
    home.library.put(source, raw_digest="ropes")
    home.sync()
    try:
        answer = ask(home, "summarise the article")
    finally:
        home.library.remove("ropes")
        home.sync()
    assert (answer.status, answer.options) == ("unclear", ()) and "title or author" in answer.answer


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("summarise the mine article", None), ("What is the text by Rosa Tell about?", "mine"), ("summarise the lamp article", "lamp"), ("Summarise the text on the Brenn hills", "mine"),
        ("what does the text on the lamp say about bread?", "lamp"), ("Summarise the Hill Review article", "mine"),
    ],
)  # fmt: skip
def test_a_text_is_meant_by_the_words_of_its_record(isles: Home, question: str, source: str | None) -> None:
    answer = ask(isles, question)
    if source is None:  # no record holds the word; sentences that do may answer
        assert all("mine" in c.quote.lower() for c in answer.citations)
    else:
        assert answer.status == "answered" and {c.source_id for c in answer.citations} == {source}


def test_the_text_of_the_last_question_is_meant_by_the_author(isles: Home) -> None:
    answer = ask(isles, "give me three key arguments of the author", "summarise the lamp article", "The lamp was lit in 1871 [1].")
    assert answer.status == "answered" and {c.source_id for c in answer.citations} == {"lamp"}


def test_a_name_of_several_words_is_not_found_in_parts(isles: Home) -> None:
    said = ("what does the author say about Brenn", "Rosa Tell (2021): The silver mine of Brenn was dug by prisoners [1].")
    answer = ask(isles, "and what about the US?", *said)
    assert answer.standalone_question == "what does the author say about the US?" and answer.status == "abstained"


SHIP = {
    "wreck": (
        "# The loss of the cutter Ondine\n\nThe cutter Ondine was built in 1903 and carried mail to the islands. Skipper Jonas Reve took the helm of it in 1921. "
        "Reve sold the house of his father after the wreck. The cutter Ondine sank off the point in fog. Mate Petra Sund swam ashore.",
        {"author": "Nils Aker", "date": "2020"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def cutter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    yield from _home(tmp_path_factory.mktemp("cutter"), SHIP)


def test_a_family_name_that_the_parser_takes_for_no_person_is_the_person_of_the_sources(cutter: Home) -> None:
    answer = ask(cutter, "when did he take the helm", "What happened to Reve after the wreck?", "The cutter Ondine sank off the point in fog [1].")
    assert answer.status == "answered" and "Jonas Reve" in answer.standalone_question and "1921" in answer.answer


def test_a_ship_is_never_offered_for_he_and_a_person_once(cutter: Home) -> None:
    answer = ask(cutter, "Where was he born?")
    assert answer.status == "unclear"
    assert any("Jonas Reve" in o for o in answer.options)
    assert not any("Ondine" in o or o == "Where was Reve born?" for o in answer.options)


def test_he_after_a_question_about_a_ship_is_asked_back(cutter: Home) -> None:
    answer = ask(cutter, "when did he take the helm", "What happened to Ondine?", "The cutter Ondine sank off the point in fog [1].")
    assert answer.status == "unclear" and not any("Ondine" in o for o in answer.options)
