"""Questions offered on the page: drawn from any collection, each answered by the engine, never waited for."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.answer import Answer, Citation
from app.home import Home
from app.suggest import suggester as suggest
from app.suggest.suggester import (
    ENOUGH,
    MOST_TRIED,
    SUGGESTIONS_FILE,
    Candidate,
    Suggester,
    about_answer,
    candidates,
    first_questions,
    fits,
    follow_ups,
)  # fmt: skip

LIBRARY = {
    "harbour.md": (
        "# The harbour of Lindau Bay\n\n"
        "The harbour of Lindau Bay was opened by mayor Clara Weiss. On 3 May 1987 the Lindau Bay bridge collapsed in a storm.\n\n"
        "Lindau Bay is the largest harbour of the region and had 40 ferries in 1990.\n"
    ),
    "trams.md": (
        "# Why were the trams closed?\n\nThe trams were closed because the Northern Transit Company lost its licence.\n\n"
        "On 12 June 1994 the Northern Transit Company sold its last tram to a museum in Lindau Bay.\n"
    ),
    "museum.md": (
        "# The transport museum\n\nThe museum was founded by director Peter Holm in 1996, as reported by Daily Lantern Post.\n\n"
        "Peter Holm bought twelve trams of the Northern Transit Company.\n"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("suggest")
    texts = folder / "texts"
    texts.mkdir()
    for name, text in LIBRARY.items():
        (texts / name).write_text(text)
    opened = Home(folder / "home")
    opened.init(empty=True)
    assert {o.status for o in opened.add([texts], {})} == {"added"}
    opened.sync()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def found(home: Home) -> Suggester:
    """A suggester that has looked at everything."""
    suggester = Suggester(home, pause_seconds=0)
    suggester.first_questions()
    assert suggester.wait(300)
    return suggester


def _citation(quote: str, **changes: object) -> Citation:
    facts: dict[str, object] = {
        "marker": 1, "passage_id": "p", "source_id": "s", "title": "t", "publisher": None, "author": None, "date": None,
        "date_note": None, "url": None, "genre": "unknown", "origin": "file", "fetched_at": None, "locator": "¶1",
        "paragraph": 1, "quote": quote, "start": 0, "end": len(quote), "support": 0.9, "claim_status": None,
        "claimed_by": None,
    }  # fmt: skip
    return Citation(**{**facts, **changes})  # type: ignore[arg-type]


def _answer(*cited: Citation, question: str = "q") -> Answer:
    return Answer(question=question, standalone_question=question, status="answered", answer="a [1]", citations=cited)


def test_candidates_are_made_from_names_dates_people_and_headings_of_any_collection(home: Home) -> None:
    opened = home.index.current()
    assert opened is not None
    made = {c.question for c in candidates(opened, home)}
    assert {
        "Why were the trams closed?", "What happened on 3 May 1987?", "What happened on 12 June 1994?", "Who is Clara Weiss?",
        "Who is Peter Holm?", "What do the sources say about the Northern Transit Company?",
    } <= made  # fmt: skip
    assert not any("Daily Lantern Post" in q for q in made)  # who reported it is not what it is about
    assert not any("ISKP" in q for q in made)  # questions of the bundled corpus belong to it


def test_every_offered_question_is_answered_with_the_words_it_is_about(home: Home, found: Suggester) -> None:
    offered = found.first_questions(50)
    assert len(offered) >= 4
    for question in offered:
        answer = home.answerer.answer(question)
        assert answer.status == "answered" and answer.citations, question
        name = question.removeprefix("What do the sources say about ").removeprefix("the ").removeprefix("Who is ").rstrip("?")
        if name != question.rstrip("?"):
            assert name in " ".join(c.quote for c in answer.citations), question


def test_a_few_questions_are_of_different_sources(home: Home, found: Suggester) -> None:
    first = [home.answerer.answer(q).citations[0].source_id for q in found.first_questions(3)]
    assert len(set(first)) == 3


def test_follow_ups_lead_on_from_the_answer_and_repeat_nothing(home: Home, found: Suggester) -> None:
    answer = home.answerer.answer("Who founded the transport museum?")
    assert answer.status == "answered"
    found.follow_ups(answer)
    assert found.wait(300)
    offered = found.follow_ups(answer)
    assert offered and answer.question not in offered
    cited = {c.passage_id for c in answer.citations}
    for question in offered:
        other = home.answerer.answer(question)
        assert other.status == "answered" and not {c.passage_id for c in other.citations} <= cited, question


def test_the_page_never_waits(home: Home) -> None:
    suggester = Suggester(home)
    home.index.current()
    answer = _answer(_citation("The Northern Transit Company met Clara Weiss on 3 May 1987."))
    began = time.perf_counter()
    suggester.first_questions()
    suggester.follow_ups(answer)
    assert time.perf_counter() - began < 0.5  # one question alone takes longer on a cold engine
    suggester.close()
    assert suggester.wait(60)


def test_what_was_found_is_kept_for_the_same_index_and_dropped_with_another(home: Home, found: Suggester) -> None:
    offered = found.first_questions(50)
    again = Suggester(home)
    assert again.first_questions(50) == offered
    assert again.wait(0.5)  # nothing was left to try
    file = home.folder / SUGGESTIONS_FILE
    kept = file.read_text()
    data = json.loads(kept)
    assert len(data["found"]) <= ENOUGH + 10 and len(data["tried"]) <= MOST_TRIED + 10
    try:
        file.write_text(json.dumps({**data, "key": "another index"}))
        other = Suggester(home)
        assert other.first_questions(50) == []
        other.close()
        file.write_text("no json")
        broken = Suggester(home)
        assert broken.first_questions(50) == []
        broken.close()
    finally:
        file.write_text(kept)


def test_where_nothing_can_be_written_questions_are_found_all_the_same(
    home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Suggester, "_file", property(lambda _self: tmp_path / "missing" / "folder" / "file.json"))
    suggester = Suggester(home, pause_seconds=0)
    suggester.first_questions()
    assert suggester.wait(300)
    assert suggester.first_questions()
    assert not list(tmp_path.iterdir())


def test_an_empty_home_offers_nothing(tmp_path: Path) -> None:
    empty = Home(tmp_path / "empty")
    empty.init(empty=True)
    assert first_questions(empty) == [] and follow_ups(_answer(_citation("q")), empty) == []
    empty.close()


def test_an_answer_fits_only_when_its_quotes_hold_what_was_meant() -> None:
    asked = Candidate(question="Who is Clara Weiss?", about="Clara Weiss", source_id="s", kind="person")
    assert fits(asked, _answer(_citation("Mayor Clara Weiss opened it.")))
    assert not fits(asked, _answer(_citation("The mayor opened it.")))
    assert not fits(asked, Answer(question="q", standalone_question="q", status="abstained", answer="No."))
    assert not fits(asked, Answer(question="q", standalone_question="q", status="answered", answer="No citation."))


def test_follow_ups_are_about_what_the_quotes_name_and_the_question_does_not() -> None:
    quote = "On 3 May 1987 minister Anna Berg met the Northern Transit Company, as reported by Daily Lantern Post."
    answer = _answer(
        _citation(quote, author="Ann Lee", publisher="Harbour Times"), _citation("Ann Lee of Harbour Times wrote it."),
        question="What did the Northern Transit Company do?",
    )  # fmt: skip
    assert {c.question for c in about_answer(answer)} >= {"What happened on 3 May 1987?", "Who is Anna Berg?"}
    assert not any(
        name in c.question
        for c in about_answer(answer)
        for name in ("Northern Transit", "Daily Lantern", "Harbour Times wrote")
    )


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("He was named as leader of the group in a UN Security Council briefing.", []),
        ("The spokesman of the transport ministry Rigoberto Lanza denied it.", ["Rigoberto Lanza"]),
        ("Its spokeswoman Mina Falk agreed.", ["Mina Falk"]),
    ],
)
def test_a_person_is_who_stands_beside_an_office(text: str, people: list[str]) -> None:
    assert [match[1] for match in suggest._ROLE.finditer(text)] == people
