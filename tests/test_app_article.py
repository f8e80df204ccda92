"""The main job, on the real thing: questions about the article, answered, cited on the exact words, or admitted.

The original is not part of the project; its tests run where it lies beside the checkout. The bundled
notes are always tested.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.answer import Answer
from app.home import Home

ROOT = Path(__file__).parent.parent
ORIGINAL = ROOT.parent / "shared" / "sources" / "article.txt"
QUESTIONS = [
    json.loads(line) for line in (ROOT / "tests" / "data" / "article_questions.jsonl").read_text().splitlines()
]
ANSWERABLE = [q for q in QUESTIONS if not q.get("unanswerable")]
UNANSWERABLE = [q for q in QUESTIONS if q.get("unanswerable")]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """An empty home with the real article."""
    if not ORIGINAL.is_file():
        pytest.skip("the original article is not beside this checkout")
    home = Home(tmp_path_factory.mktemp("original"))
    home.init(empty=True)
    assert [o.status for o in home.add([ORIGINAL], {})] == ["added"]
    home.sync()
    yield home
    home.close()


def _answers(home: Home, questions: list[dict[str, Any]]) -> list[Answer]:
    return [home.answerer.answer(q["question"]) for q in questions]


def _has_facts(question: dict[str, Any], answer: Answer) -> bool:
    return answer.status == "answered" and all(re.search(f, answer.answer, re.I) for f in question["facts"])


def _in_place(question: dict[str, Any], answer: Answer) -> bool:
    if not answer.citations:
        return False
    first = answer.citations[0]
    if "locator" in question:
        return first.locator == question["locator"]
    return first.paragraph in (question["paragraph"], *question.get("also", ()))


def _assert_quotes_are_exact(home: Home, answers: list[Answer]) -> None:
    texts = {source.id: source.text for source in home.library}
    for answer in answers:
        for citation in (*answer.citations, *answer.nearest):
            assert texts[citation.source_id][citation.start : citation.end] == citation.quote
        markers = {int(m) for m in re.findall(r"\[(\d+)\]", answer.answer)}
        assert markers == {c.marker for c in answer.citations}


def _share(hits: list[bool]) -> float:
    return sum(hits) / len(hits)


def test_nine_in_ten_answers_about_the_original_carry_the_fact_from_the_right_paragraph(original: Home) -> None:
    answers = _answers(original, ANSWERABLE)
    assert _share([_has_facts(q, a) for q, a in zip(ANSWERABLE, answers, strict=True)]) >= 0.9
    assert _share([_in_place(q, a) for q, a in zip(ANSWERABLE, answers, strict=True)]) >= 0.9
    _assert_quotes_are_exact(original, answers)


def test_what_the_original_does_not_say_is_mostly_admitted(original: Home) -> None:
    answers = _answers(original, UNANSWERABLE)
    assert _share([a.status == "abstained" for a in answers]) >= 0.8
    _assert_quotes_are_exact(original, answers)


@pytest.mark.slow
def test_the_bundled_notes_answer_more_than_five_in_six_of_the_same_questions(bundled_home: Home) -> None:
    answers = _answers(bundled_home, ANSWERABLE)
    assert _share([_has_facts(q, a) for q, a in zip(ANSWERABLE, answers, strict=True)]) >= 0.85
    _assert_quotes_are_exact(bundled_home, answers)
    # 150 quoted words and their attributions; a list of figures that differ stands on lines of its own.
    assert max(len(a.answer.split("\n")[0].split()) for a in answers) <= 170


@pytest.mark.parametrize(
    ("question", "figure"),
    [
        ("Why did the UN estimate that ISKP has 50,000 fighters?", "50,000"),
        ("How many fighters did ISKP lose in 1987?", "1987"),
        ("How many of the 7,345 fighters came from Tajikistan?", "7,345"),
    ],
)
def test_a_question_with_a_figure_that_stands_in_no_source_is_not_answered(
    bundled_home: Home, question: str, figure: str
) -> None:
    answer = bundled_home.answerer.answer(question)
    assert answer.status == "abstained" and figure in answer.missing_terms


@pytest.mark.parametrize(
    "question", ["Who wrote the article on ISKP in The Times of Central Asia?", "Who is the author of the article?"]
)
def test_who_wrote_it_is_answered_from_the_note_on_the_author(bundled_home: Home, question: str) -> None:
    answer = bundled_home.answerer.answer(question)
    assert answer.status == "answered"
    assert {c.locator for c in answer.citations} == {"author note"}
    assert "Borangaziyev" in answer.answer


@pytest.mark.parametrize(
    "question",
    [
        "In which magazine was al-Qaida first credited with the Moscow attack?",
        "How many TTP attacks did Afghan Witness count from January to October 2023?",
        "Do Tajiks make up more than half of the fighters of al-Qaeda?",
    ],
)
def test_what_is_said_of_one_group_is_no_answer_about_another(bundled_home: Home, question: str) -> None:
    answer = bundled_home.answerer.answer(question)
    assert answer.status == "abstained", answer.answer
    assert "The nearest passages speak of" in answer.answer
    asked_of_iskp = question.replace("al-Qaida", "ISKP").replace("al-Qaeda", "ISKP").replace("TTP", "ISKP")
    assert bundled_home.answerer.answer(asked_of_iskp).status == "answered"


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("How much is the US reward for information on Sanaullah Kabulov?", "Kabulov"),
        ("What sanctions has the UN put on Mahdi Kabulov?", "Kabulov"),
    ],
)
def test_what_is_said_of_one_person_is_no_answer_about_another(bundled_home: Home, question: str, name: str) -> None:
    answer = bundled_home.answerer.answer(question)
    assert answer.status == "abstained" and name not in answer.missing_terms
    assert "The nearest passages do not mention: " in answer.answer and name in answer.answer
