"""The measure of figures beside answers, on answers made by hand and on one small question through the product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eval.bench.values import FOLDER, SPLITS, Case, as_table, asked, cases, holds, key, score, sums
from eval.bench.written import made

CASE = Case(
    id="c", kind="owner", question="How many boats does the guild have?",
    values=({"value": "31", "date": "2020-03", "source": "gazette"}, {"value": "between 40 and 44", "date": None, "source": "letter"}),
    never=("12",),
)  # fmt: skip


def _answer(quote: str, *values: tuple[str, str | None, int], short: str | None = None) -> dict[str, Any]:
    return {
        "status": "answered", "confidence": 0.9, "answer": quote, "short_answer": short,
        "citations": [{"marker": 1, "source_id": "gazette.md", "quote": quote}, {"marker": 2, "source_id": "letter.md", "quote": ""}],
        "differences": [{"about": "boats", "values": [{"value": v, "unit": "boats", "date": d, "marker": m} for v, d, m in values]}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "numbers"),
    [("1,240", ("1240",)), ("between 400 and 1,600", ("400", "1600")), ("seven", ("7",)), ("about 2.5 million", ("2.5",))],
)
def test_a_figure_is_told_by_its_numbers(value: str, numbers: tuple[str, ...]) -> None:
    assert key(value) == numbers


@pytest.mark.parametrize(("text", "value", "there"), [("It has 1,240 men.", "240", False), ("Seven came.", "seven", True), ("A seventh.", "seven", False)])
def test_a_sentence_holds_whole_figures_only(text: str, value: str, there: bool) -> None:
    assert holds(text, value) is there


def test_right_figures_and_their_dates_are_counted() -> None:
    found = score(CASE, _answer("The guild has 31 boats.", ("31", "2020-03-09", 1), ("40 to 44", None, 2)))
    assert (found.right, found.found, found.wanted, found.false, found.beside_right, found.dated) == (True, 2, 2, (), 2, 2)


def test_a_wrong_date_and_a_figure_of_another_thing_count_against_it() -> None:
    found = score(CASE, _answer("The guild has 31 boats.", ("31", "2019", 1), ("12", None, 2)))
    assert (found.beside, found.beside_right, found.dated, found.false) == (2, 1, 0, ("12",))


def test_a_short_answer_of_another_thing_is_not_right() -> None:
    assert not score(CASE, _answer("The guild has 31 boats and its rival 12.", short="12")).right


def test_an_abstention_finds_nothing() -> None:
    found = score(CASE, {"status": "abstained", "citations": [], "differences": [], "short_answer": None})
    assert not found.right and found.found == 0


@pytest.mark.parametrize("collection", [c for own in SPLITS.values() for c in own])
def test_every_case_names_texts_that_give_its_figures(collection: str) -> None:
    folder = Path("eval/values") / collection
    for case in cases(collection):
        for value in case.values:
            text = (folder / f"{value['source']}.md").read_text(encoding="utf-8")
            assert value["value"] in text, (case.id, value)
        assert not {key(n) for n in case.never} & {key(v["value"]) for v in case.values}, case.id


@pytest.mark.slow
def test_a_collection_is_asked_through_the_product(tmp_path: Path) -> None:
    home = made(FOLDER / "harbour", tmp_path)
    scores = [s for s, _ in asked("harbour", home)]
    home.close()
    found = sums(scores)
    assert found["right"] >= 0.75 and found["with a false value"] <= 0.15
    assert as_table(scores).splitlines()[-1].startswith(f"| all | {len(scores)} |")
