"""Whose word a question wants, who a short name stands for, and answers that give nobody else's word for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from app.answer import Answer
from app.home import Home
from app.question.dialogue import Turn
from app.question.sides import owner, sides
from app.question.topic import holder_of, unattributed
from app.text.introduced import introduced
from eval.bench.holders import FOLDER as COLLECTIONS
from eval.bench.holders import SPLITS, Case, as_table, cases, score, sums

TEXTS = {
    "kiln.md": (
        "---\ntitle: Cracks in the kiln\npublisher: Lowmere Post\ndate: 2023-04-11\ngenre: news\n---\n\n"
        "The kiln of the Lowmere brickworks has cracked, the Building Inspectorate said on Monday. It put the number of cracks at 17.\n\n"
        "The Brickmakers' Union speaks of neglect. \"We counted 41 cracks in January,\" said Runa Tell, its chairwoman. "
        "Tell added that the kiln was never cooled slowly. The union demands a new kiln.\n\n"
        "The company, owned by Osric Clay, denied neglect. According to its director, Per Aldin, the cracks came from the flood. "
        "The union, he said, had no engineer.\n\n"
        "Lowmere Bank, which lent the money for the kiln, is expected to ask for it back.\n"
    ),
    "talk.md": (
        "---\ntitle: Fire and clay, episode 3\npublisher: Clay Radio\ndate: 2023-05-02\ngenre: news\n---\n\n"
        "HOST: Our guest is Ana Lindqvist of the Ceramic Institute.\n\n"
        "LINDQVIST: The bricks of Lowmere were fired too hot. I would put the loss at nine kilns in ten years.\n\n"
        "HOST: The town has 300 potters.\n"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("holders")
    for name, text in TEXTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    home = Home(folder / "home")
    home.init(empty=True)
    assert [o.status for o in home.add([folder / n for n in TEXTS], {})] == ["added"] * len(TEXTS)
    home.sync()
    yield home
    home.close()


def ask(home: Home, question: str, *history: str) -> Answer:
    turns = [Turn(role=role, content=said) for said, role in zip(history, ("user", "assistant") * len(history), strict=False)]  # type: ignore[arg-type]
    return home.answerer.answer(question, turns)


@pytest.mark.parametrize(
    ("question", "holder"),
    [
        ("How many trees were lost according to the growers?", "the growers"), ("According to the board, when did it close?", "the board"),
        ("How many workers does the company say were hurt?", "the company"), ("What did Dr. Vell tell the inquiry about the dust?", "Dr. Vell"),
        ("the agency's estimate of the damage?", "the agency"), ("What does the report say about recruitment?", "the report"),
        ("How many fires did the union put out?", ""), ("Who says that the dam is safe?", ""), ("What do the sources say about the dam?", ""),
        ("Is the mayor dead?", ""), ("What did she say?", ""), ("What hymn did Luther write?", ""), ("Which causes do many scientists believe in?", ""),
        ("In what year did Priestley recognise oxygen?", ""), ("What did the Northern State control?", ""), ("Which firm's position is known?", ""),
    ],
)  # fmt: skip
def test_whose_word_a_question_wants(question: str, holder: str) -> None:
    assert holder_of(question) == holder


@pytest.mark.parametrize(
    ("question", "bare"),
    [
        ("How strong is the dam according to the board?", "How strong is the dam?"), ("In the view of the board, is it safe?", "Is it safe?"),
        ("How many, according to the board, left in 2020?", "How many left in 2020?"), ("How strong is the dam?", "How strong is the dam?"),
    ],
)
def test_a_question_without_whose_word_it_wants(question: str, bare: str) -> None:
    assert unattributed(question) == bare


def test_a_text_tells_who_a_short_name_is(home: Home) -> None:
    source = home.library.get("kiln.md")
    assert source is not None
    stem = home.vocabulary().stem

    def told(holder: str, before: str) -> str:
        return " | ".join(introduced(source, source.text.index(before), holder, stem))

    assert "Runa Tell, its chairwoman" in told("Tell", "Tell added") and "The Brickmakers' Union" in told("Tell", "Tell added")
    assert told("The union", "The union demands") == "The Brickmakers' Union"
    assert "The company" in told("its director, Per Aldin", "According to its director")


@pytest.mark.parametrize(
    ("question", "words", "others"),
    [
        ("How many cracks are there according to the union?", "41 cracks", "17"), ("How many cracks are there according to the inspectorate?", "17", "41"),
        ("What does the company say about the cracks?", "from the flood", "41 cracks"), ("What does Ana Lindqvist say about the bricks?", "fired too hot", "cracked"),
        ("What does the union want?", "demands a new kiln", "flood"),
    ],
)  # fmt: skip
def test_the_word_of_the_one_who_is_asked_for_leads(home: Home, question: str, words: str, others: str) -> None:
    answer = ask(home, question)
    assert answer.status == "answered" and words in answer.citations[0].quote and others not in answer.citations[0].quote


def test_each_part_of_a_question_has_its_own_holder(home: Home) -> None:
    answer = ask(home, "How many cracks are there according to the union, and who owns the company?")
    assert answer.status == "answered" and "do not answer" not in answer.answer
    assert {"41 cracks", "Osric Clay"} <= {w for c in answer.citations for w in ("41 cracks", "Osric Clay") if w in c.quote}


def test_a_name_of_capitals_stands_for_the_words_that_begin_so(home: Home) -> None:
    answer = ask(home, "How many cracks are there according to the BU?")
    assert answer.status == "answered" and "41 cracks" in answer.citations[0].quote


def test_nobody_elses_word_is_given_for_that_of_one_who_says_nothing(home: Home) -> None:
    answer = ask(home, "What does Lowmere Bank say about the money for the kiln?")
    assert answer.status == "abstained" and "No statement by Lowmere Bank on this was found." in answer.answer
    assert answer.nearest and "no sentence that was read gives the word of Lowmere Bank" in answer.reasons


def test_each_side_of_a_comparison_has_its_own_word(home: Home) -> None:
    answer = ask(home, "Compare what the union and Lowmere Bank say about the cracks in the kiln")
    assert answer.shape == "comparison"
    own = {r.label: " ".join(r.cells) for r in answer.rows}
    assert "counted 41 cracks" in own["The union"] and not own["Lowmere Bank"]
    assert "**Lowmere Bank**: No statement of theirs on this was found." in answer.answer


def test_what_x_says_after_a_question_is_that_question_asked_of_x(home: Home) -> None:
    answer = ask(home, "And what does the inspectorate say?", "How many cracks does the kiln have?", "The union counted 41 cracks [1].")
    assert answer.standalone_question == "How many cracks does the kiln have according to the inspectorate?"
    assert answer.status == "answered" and "17" in answer.citations[0].quote


@pytest.mark.parametrize(
    ("question", "matter", "perhaps"),
    [
        ("Compare the board and the guild on how strong the dam is", "how strong the dam is", False), ("Compare UN and Russian estimates of the loss", "the loss", False),
        ("How do the mayor and the guild differ on the dam?", "the dam", False), ("Compare the mayor and the guild on the number of boats", "the number of boats", True),
        ("Compare the ferry and the bus on cost", "", False), ("Compare the ferry and the bus", "", False),
    ],
)  # fmt: skip
def test_what_the_sides_of_a_comparison_speak_of(question: str, matter: str, perhaps: bool) -> None:
    found = sides(question)
    assert found is not None and (found.matter, found.perhaps) == (matter, perhaps)


@pytest.mark.parametrize(("side", "who"), [("the author's own view", "the author"), ("Russian estimates", "Russian"), ("the guild", "the guild")])
def test_who_speaks_in_a_side(side: str, who: str) -> None:
    assert owner(side) == who


def _answer(*quotes: str, rows: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    return {"status": "answered", "citations": [{"quote": q} for q in quotes], "rows": [{"label": label, "cells": [cell]} for label, cell in rows]}


def test_the_measure_tells_own_words_from_others() -> None:
    case = Case(id="a", kind="says", question="?", right={"": ("41 cracks",)}, wrong={"": ("17",)})
    assert score(case, _answer("We counted 41 cracks.")).right == 1
    other = score(case, _answer("It saw 17.", "We counted 41 cracks."))
    assert other.wrong and not other.right
    silent = Case(id="b", kind="silent", question="?", right={}, wrong={"": ("17",)})
    assert score(silent, {"status": "abstained", "citations": [], "rows": []}).right == 1 and score(silent, _answer("It saw 17.")).wrong
    both = Case(id="c", kind="compare", question="?", right={"the union": ("41",), "the board": ("17",)}, wrong={"the union": ("17",), "the board": ("41",)})
    half = score(both, _answer(rows=(("The union", "We counted 41."), ("The board", "The union counted 41."))))
    assert half.right == 0.5 and half.wrong
    table = as_table([other, half])
    assert "| all | 2 | 0.25 | 1.00 | 1.00 |" in table and sums([half])["right"] == 0.5


@pytest.mark.parametrize("collection", [c for own in SPLITS.values() for c in own])
def test_every_case_has_words_that_stand_in_its_texts(collection: str) -> None:
    texts = " ".join(f.read_text(encoding="utf-8") for f in (COLLECTIONS / collection).glob("*.md")).lower()
    found = cases(collection)
    assert len(found) == 45 and sum(c.kind == "silent" for c in found) == 8
    for case in found:
        assert all(w.lower() in texts for own in (*case.right.values(), *case.wrong.values()) for w in own), case.id
        assert bool(case.right) is (case.kind != "silent"), case.id
