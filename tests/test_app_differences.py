"""Figures that differ between sources, from the question to the list: some forty small collections in one index.

All collections share one index, so each question must also keep clear of the figures of all others. The
encoder, the reader and the index are the real ones.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from app.answer import MARKER, Answer, to_json
from app.answering.decide import load_calibrations
from app.answering.engine import Models
from app.answering.pipeline import Answerer
from app.citation_text import rows
from app.differences.find import find
from app.differences.shown import OLD_YEARS
from app.differences.values import balanced
from app.home import Home
from app.question.analysis import analyse
from index.search import Hit
from index.terms import Vocabulary
from ingest.blocks import Metadata, assemble
from ingest.formats import markdown

TODAY = dt.date(2024, 5, 20)
COLLECTIONS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent / "data" / "differing_collections.json").read_text(encoding="utf-8")
)


def _put(home: Home, source_id: str, text: str, **metadata: str) -> None:
    source = assemble(source_id, markdown.read(text), overrides=Metadata(**metadata), fallback_title=source_id)
    home.library.put(source, raw_digest=hashlib.sha256(text.encode()).hexdigest())


def _answerer(home: Home, today: dt.date = TODAY) -> Answerer:
    return Answerer(
        index=home.index, today=lambda: today,
        models=Models(encoder=home.encoder, reader=home.reader, calibration=load_calibrations()["evidence"]),
    )  # fmt: skip


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("collections"))
    home.init(empty=True)
    for collection in COLLECTIONS:
        for number, (publisher, date, text) in enumerate(collection["sources"], start=1):
            name = collection["name"].replace(" ", "-")
            _put(home, f"{name}-{number}", text, title=f"{publisher}, {date}", publisher=publisher, date=date)
    home.sync()
    yield home
    home.close()


@pytest.fixture(scope="module")
def answers(collections: Home) -> Mapping[str, Answer]:
    answerer = _answerer(collections)
    return {c["name"]: answerer.answer(c["question"]) for c in COLLECTIONS}


@pytest.mark.slow
@pytest.mark.parametrize("collection", COLLECTIONS, ids=[c["name"] for c in COLLECTIONS])
def test_exactly_the_figures_that_differ_are_set_side_by_side(
    collection: dict[str, Any], answers: Mapping[str, Answer]
) -> None:
    answer = answers[collection["name"]]
    assert answer.status == "answered", answer.reasons
    values = [v for d in answer.differences for v in d.values]
    assert len(values) == len(collection["shows"]), values
    for wanted in collection["shows"]:
        assert any(wanted in v.value for v in values), (wanted, values)
        assert wanted in answer.answer
    if "newest" in collection:
        (line,) = [n for n in answer.answer.splitlines() if n.startswith("- ") and "newest" in n]
        assert collection["newest"] in line
    assert collection.get("says", "") in answer.answer


def test_every_line_is_cited_by_its_exact_words(collections: Home, answers: Mapping[str, Answer]) -> None:
    texts = {source.id: source.text for source in collections.library}
    for answer in answers.values():
        known = {c.marker: c for c in answer.citations}
        assert {int(m) for m in MARKER.findall(answer.answer)} == set(known)
        for citation in answer.citations:
            assert texts[citation.source_id][citation.start : citation.end] == citation.quote
        for difference in answer.differences:
            assert difference.about
            for value in difference.values:
                assert value.value in " ".join(known[value.marker].quote.split())
        for line in answer.answer.splitlines()[2:]:
            assert re.search(r"\[\d+\]\.?$", line)


def test_a_list_is_in_order_of_time_and_nothing_is_preferred(answers: Mapping[str, Answer]) -> None:
    differing = [a for a in answers.values() if a.differences]
    assert len(differing) >= 15
    for answer in differing:
        (difference,) = answer.differences
        dates = [v.date for v in difference.values if v.date]
        assert dates == sorted(dates, reverse=True)
        assert answer.short_answer is None
        assert set(to_json(answer)["differences"][0]["values"][0]) >= {"value", "unit", "date", "marker"}


def test_what_stands_before_a_list_stays_short(answers: Mapping[str, Answer]) -> None:
    assert max(len(a.answer.split("\n- ")[0].split()) for a in answers.values()) <= 75  # 60 quoted words, attributions


def test_a_figure_for_the_year_asked_for_is_not_contested_by_other_years(answers: Mapping[str, Answer]) -> None:
    text = answers["strength asked for one year"].answer
    assert "1,200" not in text
    assert "80 fighters" not in text


def test_last_year_is_told_from_the_day_and_shown(collections: Home) -> None:
    answer = _answerer(collections, dt.date(2020, 6, 1)).answer(
        "How many visitors did the Ravel Museum have last year?"
    )
    assert answer.standalone_question == "How many visitors did the Ravel Museum have in 2019?"
    assert "355,000" in answer.answer
    assert "310,000" not in answer.answer


def test_a_year_of_which_no_source_speaks_is_not_answered_by_another(collections: Home) -> None:
    answer = _answerer(collections).answer("How many visitors did the Ravel Museum have in 2007?")
    assert answer.status == "abstained"
    assert not answer.citations
    assert answer.nearest


def test_old_evidence_is_called_old_when_the_present_is_asked_for(collections: Home) -> None:
    question = "How many employees does Brightwell Motors have now?"
    old = _answerer(collections, dt.date(2031, 1, 1)).answer(question)
    assert re.search(r"The newest evidence found is of (?:\d+ \w+ )?2023 \[\d+\]\.$", old.answer)
    fresh = _answerer(collections, dt.date(2023 + OLD_YEARS - 1, 1, 1)).answer(question)
    assert "newest evidence" not in fresh.answer
    timeless = _answerer(collections, dt.date(2031, 1, 1)).answer("How many employees does Brightwell Motors have?")
    assert "newest evidence" not in timeless.answer


@pytest.mark.parametrize("field", ["disagreement: who painted the Lowell altar\n", ""])
def test_a_source_that_tells_a_disagreement_gives_its_sides(tmp_path: Path, field: str) -> None:
    """By the field alone: nothing follows from a title."""
    home = Home(tmp_path)
    home.init(empty=True)
    _put(
        home, "note",
        f"---\ngenre: notes\npublisher: The Archive\n{field}paragraphs: notes\n---\n\n"
        "# Open disagreement: who painted the Lowell altar\n\n"
        '{status=claim by="The Archive"}\nWho painted the Lowell altar is disputed.\n\n'
        '{status=claim by="Museum of Lowell"}\nThe Lowell altar was painted by Anna Brandt, the Museum of Lowell said in 1951.\n\n'
        '{status=claim by="Peter Hale"}\nPeter Hale wrote in 2003 that the Lowell altar was painted by Jan Weyer.\n',
        title="Open disagreement: who painted the Lowell altar",
    )  # fmt: skip
    _put(
        home, "other", "The Lowell altar stands in the north aisle and is four metres high.", title="Guide", date="2019"
    )
    home.sync()
    answerer = _answerer(home)
    answer = answerer.answer("Who painted the Lowell altar?")
    if field:
        (difference,) = answer.differences
        assert [v.date for v in difference.values] == ["2003", "1951"]
        assert "Weyer" in difference.values[0].value
        assert "Brandt" in difference.values[1].value
    else:
        assert not answer.differences
    assert not answerer.answer("Where does the Lowell altar stand?").differences
    home.close()


def test_the_strength_question_over_the_bundled_notes_gives_the_series(bundled_home: Home) -> None:
    answer = _answerer(bundled_home, dt.date(2026, 11, 23)).answer("How many fighters is ISKP reported to have?")
    (difference,) = answer.differences
    years = [v.date[:4] for v in difference.values if v.date]
    assert years == sorted(years, reverse=True)
    told = list(dict.fromkeys(int(m) for m in MARKER.findall(answer.answer)))
    assert told == sorted(told) == [c.marker for c in answer.citations], "numbered in order of appearance"
    assert [r.marker for r in rows(difference, {})] == [v.marker for v in difference.values], "and so in the table"
    assert {"2018", "2021", "2022", "2023", "2024", "2025"} <= set(years)
    lines = [line for line in answer.answer.splitlines() if line.startswith("- ")]
    for who, figure in (("Kabulov", "over 10,000"), ("Mujahid", "70–80"), ("Sidorov", "6,500"), ("UN", "2,000")):
        assert any(who in line and figure in line for line in lines), who
    assert "newest" in lines[0]
    assert "about 2,000 fighters" in lines[0]
    assert not _answerer(bundled_home).answer("Who wrote the article?").differences


@pytest.mark.parametrize(
    ("question", "heads", "events", "nature"),
    [
        ("How many fighters does the front have?", {"strength"}, set(), "stock"),
        ("How strong is the front?", {"strength"}, set(), "stock"),
        ("How many people died in the fire?", {"people"}, {"killed"}, "toll"),
        ("What was the death toll of the fire?", set(), {"killed"}, "toll"),
        ("How many attacks were there in 2020?", {"attack"}, set(), "flow"),
        ("What is the population of Tarnhill?", {"population", "people"}, set(), "stock"),
    ],
)
def test_what_a_question_counts(question: str, heads: set[str], events: set[str], nature: str) -> None:
    target = analyse(question, Vocabulary.load(), TODAY).target
    assert target is not None
    assert (set(target.heads), set(target.events), target.nature) == (heads, events, nature)


@pytest.mark.parametrize("question", ["Who leads the front?", "Why did it fail?", "How many times did it fail?"])
def test_other_questions_count_nothing(question: str) -> None:
    assert analyse(question, Vocabulary.load(), TODAY).target is None


def test_a_remark_on_families_stays_with_its_figure(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.init(empty=True)
    _put(
        home, "estimates", "The River Army had almost 4,000 fighters in early 2022, and 7,000–9,000 in July and August 2023, "
        "the last two counting family members as well.", title="Estimates", publisher="Velm Institute", date="2023-09-01",
    )  # fmt: skip
    _put(
        home, "count", "In August 2023 the ministry put the River Army at 5,000 fighters.",
        title="Count", publisher="Ministry of Velm", date="2023-08-20",
    )  # fmt: skip
    home.sync()
    answer = _answerer(home).answer("How many fighters does the River Army have?")
    home.close()
    (difference,) = answer.differences
    assert {(v.value, v.unit) for v in difference.values} == {
        ("almost 4,000", "fighters"), ("7,000–9,000", "people, including family members"), ("5,000", "fighters"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("How strong is the River Army?", "fighter militant combatant"),
        ("What is the size of the River Army?", "fighter militant combatant"),
        ("How many soldiers does the River Army have?", ""),
        ("How many people were killed in the flood?", ""),
    ],
)
def test_passages_that_count_what_is_asked_for_are_looked_for_by_their_nouns(question: str, words: str) -> None:
    looked_for: list[str] = []

    def more(extra: str) -> Sequence[Hit]:
        looked_for.append(extra)
        return ()

    found = find(analyse(question, Vocabulary.load(), TODAY), [], more, Vocabulary.load(), lambda _: None)
    assert found is None and looked_for == [words]


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("mill"))
    home.init(empty=True)
    _put(home, "paper-a", "Last year 640 visitors came to the mill at Orby.", title="A", publisher="Orby Post", date="2020-02-01")
    _put(home, "paper-b", "In 2019 the mill at Orby had 910 visitors.", title="B", publisher="Mill Society", date="2020-03-01")
    _put(home, "paper-c", "In 2019 the mill at Orby employed 14 millers and one clerk.", title="C", publisher="Orby Council", date="2020-03-01")
    home.sync()
    yield home
    home.close()


def test_a_figure_of_last_year_has_the_year_that_is_meant(mill: Home) -> None:
    (difference,) = _answerer(mill).answer("How many visitors did the mill at Orby have in 2019?").differences
    assert {(v.value, v.date) for v in difference.values} == {("640", "2019"), ("910", "2019")}


def test_a_figure_of_another_year_or_of_another_thing_is_not_set_beside(mill: Home) -> None:
    answer = _answerer(mill).answer("How many visitors did the mill at Orby have in 2018?")
    assert not answer.differences
    assert not _answerer(mill).answer("How many millers did the mill at Orby employ in 2019?").differences


@pytest.mark.parametrize(
    ("value", "shown"),
    [("the Guild (HG", "the Guild"), ("the Guild (HG)", "the Guild (HG)"), ("(in Orby)", "in Orby"), ("Orby)", "Orby"), ("(a) and (b)", "(a) and (b)")],
)
def test_a_value_has_no_bracket_that_does_not_close(value: str, shown: str) -> None:
    assert balanced(value) == shown


def test_what_one_publisher_says_has_no_answers_of_others_beside_it(mill: Home) -> None:
    assert not _answerer(mill).answer("What does the Orby Post say about visitors to the mill?").differences
