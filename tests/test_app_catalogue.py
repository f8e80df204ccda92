"""Answers to talk and to questions about the sources, in the bundled home, an empty one and a small one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import pytest

from app.answer import Answer
from app.home import Home
from index.search import Filters
from ingest.blocks import Metadata, assemble
from ingest.formats import markdown

SOURCES = {
    "essay": (
        "# Who pays for the Norholm lighthouse?\n\nThe lighthouse of Norholm costs more than the town earns. The keeper is asked to leave.\n\n"
        "The town should sell the lighthouse to the Seabird Trust.\n\n{role=author-note}\nAda Lind is a hydrographer.\n",
        {"author": "Ada Lind", "publisher": "The Norholm Gazette", "date": "2031-05-02", "genre": "opinion", "url": "https://gazette.example/lighthouse"},
    ),
    "count": (
        "# Puffin count of 2030\n\nThe Seabird Trust counted 412 puffins on the island in June 2030.\n",
        {"publisher": "Seabird Trust", "date": "2030-11", "genre": "research"},
    ),
    "storm": (
        "# Storm damages the pier\n\nA storm broke the pier of Norholm on Monday. Nobody was hurt.\n",
        {"publisher": "Evening Post", "date": "2032-01-15", "genre": "news"},
    ),
    "pier": (
        "# Pier opens again\n\nThe pier of Norholm was opened again after the storm. Puffins were seen below it.\n",
        {"publisher": "Evening Post", "date": "2032-08-20", "genre": "news"},
    ),
    "odd": ("# Notes [7] on nets\n\nNets are mended in winter.\n", {"publisher": "Net\n- Office [9]", "date": "2031-12", "genre": "unknown"}),
    "island": ("# Norholm\n\nNorholm is an island with a lighthouse and 900 people.\n", {"publisher": "Wikipedia", "genre": "encyclopedia"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def norholm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("norholm"))
    made.init(empty=True)
    for name, (text, facts) in SOURCES.items():
        source = assemble(name, markdown.read(text), overrides=Metadata(**facts), fallback_title=name)  # type: ignore[arg-type]
        made.library.put(source, raw_digest=hashlib.sha256(text.encode()).hexdigest())
    made.sync()
    yield made
    made.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("empty"))
    made.init(empty=True)
    yield made
    made.close()


def _checked(home: Home, answer: Answer) -> Answer:
    """The answer, once each marker has a citation and each citation quotes its source exactly."""
    opened = home.index.current()
    assert opened is not None
    assert {int(m) for m in re.findall(r"\[(\d+)\]", answer.answer)} == {c.marker for c in answer.citations}
    for c in answer.citations:
        source = opened.source(c.source_id)
        assert source is not None and source.text[c.start : c.end] == c.quote
    return answer


def _asked(home: Home, question: str) -> Answer:
    answer = _checked(home, home.answerer.answer(question))
    assert (answer.status, answer.task) == ("answered", "catalogue"), answer
    return answer


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("hello", "Hello!"),
        ("thanks, that was very helpful", "welcome"),
        ("see you tomorrow", "Goodbye"),
        ("What can you do?", "follow-up"),
        ("help", "follow-up"),
        ("are you a human?", "not a person"),
        ("why should I trust you?", "summaries"),
        ("you are wrong", "sorry"),
        ("asdf", "do not understand"),
    ],
)
def test_talk_gets_a_sentence_of_its_kind_and_questions_that_are_answered(
    bundled_home: Home, question: str, said: str
) -> None:
    answer = bundled_home.answerer.answer(question)
    assert (answer.status, answer.task, answer.citations) == ("answered", "talk", ())
    assert said in answer.answer and not answer.missing_terms
    assert len(answer.options) == 3
    assert "ISKP" not in answer.answer, "talk states nothing about the subject"


@pytest.mark.parametrize(
    "question",
    ["hello", "What can you do?", "which sources do you have?", "How many sources are there?", "newest source?"],
)
def test_an_empty_home_says_how_to_add_sources(empty: Home, question: str) -> None:
    answer = empty.answerer.answer(question)
    assert answer.status == "answered" and "add files" in answer.answer and answer.options == ()


def test_a_question_on_a_subject_is_still_searched(norholm: Home) -> None:
    answer = norholm.answerer.answer("Hello, how many puffins did the Seabird Trust count in 2030?")
    assert answer.task == "point" and "412" in answer.answer


def test_talk_before_a_follow_up_is_no_subject(norholm: Home) -> None:
    from app.question.followup import Turn

    history = [
        Turn(role="user", content="When was the pier opened again?"),
        Turn(role="assistant", content="On 20 August 2032."),
        Turn(role="user", content="thank you so much"),
        Turn(role="assistant", content="You’re welcome."),
    ]
    answer = norholm.answerer.answer("Who broke it?", history)
    assert "You’re" not in answer.standalone_question and answer.standalone_question != "Who broke it?"


def test_what_tells_of_the_sources_or_of_their_silence_is_never_pasted_into_the_next_question(bundled_home: Home) -> None:
    from app.question.followup import Turn

    history: list[Turn] = []
    meant = []
    for question in ("What is the article about?", "Who wrote it?", "Who was the mayor of Atlantis?", "When?"):
        answer = bundled_home.answerer.answer(question, history)
        meant.append(answer.standalone_question)
        history += [Turn(role="user", content=question), Turn(role="assistant", content=answer.answer)]
    assert meant[1] == "Who wrote the article?"
    assert history[5].content.startswith("The sources do not answer") and "do not answer" not in meant[3]


def test_all_sources_are_listed_by_kind_with_year_and_publisher(bundled_home: Home) -> None:
    answer = _asked(bundled_home, "Which sources do you have?")
    assert "There are 75 sources" in answer.answer
    assert (
        re.search(r"14 UN reports: .*2021–2025", answer.answer)
        and "4 encyclopedia articles: Wikipedia (4" in answer.answer
    )


@pytest.mark.parametrize(
    ("question", "titles"),
    [
        ("Which sources are from the Evening Post?", {"storm", "pier"}),
        ("which sources are from the Evning Post?", {"storm", "pier"}),
        ("Which news articles do you have?", {"storm", "pier"}),
        ("list all texts by Ada Lind", {"essay"}),
        ("Which sources are from 2030?", {"count"}),
        ("Which of your sources are from Wikipedia?", {"island"}),
        ("How many sources mention puffins?", {"count", "pier"}),
        ("In how many documents is the storm mentioned?", {"storm", "pier"}),
        ("which documents came out since 2032?", {"storm", "pier"}),
        ("What was published after January 2032?", {"pier"}),
    ],
)
def test_kinds_publishers_authors_years_and_topics_narrow_the_list(
    norholm: Home, question: str, titles: set[str]
) -> None:
    answer = _asked(norholm, question)
    assert {c.source_id for c in answer.citations} == titles, answer.answer


def test_what_no_record_has_is_said_to_be_missing(norholm: Home) -> None:
    assert "no source that mentions “Guardian”" in _asked(norholm, "Do you use the Guardian as a source?").answer
    assert "no source in German" in _asked(norholm, "Which sources are in German?").answer
    assert "no source from 2019" in _asked(norholm, "How many sources are from 2019?").answer


@pytest.mark.parametrize(
    ("question", "first"),
    [("What is the newest source?", "pier"), ("what's your oldest source?", "count"), ("newest news article?", "pier")],
)
def test_the_newest_and_the_oldest_stand_first(norholm: Home, question: str, first: str) -> None:
    assert _asked(norholm, question).citations[0].source_id == first


def test_undated_sources_are_counted_apart(norholm: Home) -> None:
    assert "Of 1 no date is known" in _asked(norholm, "What is the newest source?").answer


@pytest.mark.parametrize(
    "question",
    [
        "Who wrote the article and where can I read it?",
        "Who is the author of the Norholm Gazette piece?",
        "link to the article on who pays for the lighthouse",
    ],
)
def test_a_record_tells_author_publisher_date_and_address(norholm: Home, question: str) -> None:
    answer = _asked(norholm, question)
    for fact in ("Ada Lind", "The Norholm Gazette", "2 May 2031", "https://gazette.example/lighthouse"):
        assert fact in answer.answer
    assert answer.citations[0].locator == "author note"


def test_several_works_that_fit_are_listed_to_choose_from(bundled_home: Home) -> None:
    answer = _asked(bundled_home, "Who wrote the UN report?")
    assert "Which source do you mean?" in answer.answer and len(answer.citations) > 3


def test_a_collection_is_told_by_kinds_years_names_and_its_centre(norholm: Home) -> None:
    text = _asked(norholm, "What is this collection about?").answer
    for fact in (
        "6 sources",
        "2 news reports",
        "between 2030 and 2032",
        "Norholm",
        "Who pays for the Norholm lighthouse?",
        "costs more than the town earns",
    ):
        assert fact in text


def test_marks_and_lines_in_a_record_are_no_markers_and_no_list(norholm: Home) -> None:
    text = _asked(norholm, "list all documents from December 2031").answer
    assert "nets" in text and "[7]" not in text and "[9]" not in text and text.count("\n- ") == 1


def test_the_filters_of_the_page_hold(norholm: Home) -> None:
    answer = norholm.answerer.answer("How many sources do you have?", filters=Filters(genres=("news",)))
    assert "There are 2 sources: 2 news reports" in answer.answer
    none = norholm.answerer.answer("How many sources do you have?", filters=Filters(since=20400101))
    assert "No source passes the filters" in none.answer


def test_few_sources_without_a_main_one_are_named_and_months_are_no_names(tmp_path_factory: pytest.TempPathFactory) -> None:
    made = Home(tmp_path_factory.mktemp("pair"))
    made.init(empty=True)
    for name, facts in (("Kelp", {"author": "Tor Fenn", "date": "2018"}), ("Salt", {"author": "Una Reyd", "date": "2020-03"})):
        text = f"# {name} of the sound\n\nIn January the people of Ostrand cut the {name.lower()}. By Friday the barns of Ostrand are full.\n"
        source = assemble(name, markdown.read(text), overrides=Metadata(**facts), fallback_title=name)  # type: ignore[arg-type]
        made.library.put(source, raw_digest=hashlib.sha256(text.encode()).hexdigest())
    made.sync()
    try:
        told = _asked(made, "What is this collection about?").answer
    finally:
        made.close()
    assert "name most: Ostrand." in told
    assert all(part in told for part in ("Kelp of the sound", "Tor Fenn", "2018", "Salt of the sound", "Una Reyd", "March 2020"))
