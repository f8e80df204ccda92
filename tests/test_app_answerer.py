"""How much is read for a question, and what is read by name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.home import Home
from ingest.blocks import Metadata, assemble
from ingest.formats import markdown

TERMS = 'distinct = [[["Norholm"], ["Vestby"]]]'
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October")
LOG = [f"In {month} of {year} the harbour counted {n} boats." for n, (year, month) in enumerate(
    ((y, m) for y in (2021, 2022, 2023) for m in MONTHS), start=11)]  # fmt: skip
DAYS = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(len(LOG))]
"""Words unlike those of any other log, so that no two are near-copies."""
ESSAY = (
    "# Boats and quays\n\n{paragraph=1}\nThe quays are too short for the new boats.\n\n"
    "{role=author-note}\nAda Lindqvist is a hydrographer at the Norholm Institute.\n"
)


def _put(home: Home, source_id: str, text: str, **metadata: str) -> None:
    source = assemble(source_id, markdown.read(text), overrides=Metadata(**metadata), fallback_title=source_id)
    home.library.put(source, raw_digest=hashlib.sha256(text.encode()).hexdigest())


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    made.init(empty=True)
    yield made
    made.close()


@pytest.mark.parametrize("long", [False, True])
def test_more_passages_are_read_while_they_are_short(home: Home, long: bool) -> None:
    for number, line in enumerate(LOG):
        filler = "".join(f" The keeper wrote {DAYS[number][at : at + 6]} in his book." for at in range(0, 60, 6))
        _put(home, f"log-{number}", f"# Log {number}\n\n{line}{filler if long else ''}\n")
    home.sync()
    trace = home.answerer.answer_with_trace("How many boats did the harbour count?")[1]
    assert trace is not None
    hits = trace.hits
    assert [h.rank for h in hits] == list(range(1, len(hits) + 1))
    assert len(hits) == (8 if long else 16)


@pytest.mark.parametrize("question", ["Where does the author of the essay work?", "What is the author's profession?"])
def test_the_author_is_known_from_the_byline(home: Home, question: str) -> None:
    _put(home, "essay", ESSAY, author="Ada Lindqvist")
    for number, line in enumerate(LOG[:10]):
        _put(home, f"log-{number}", f"# Log {number}\n\n{line}\n")
    home.sync()
    answer = home.answerer.answer(question)
    assert answer.status == "answered" and "Norholm Institute" in answer.answer
    assert {c.source_id for c in answer.citations} == {"essay"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The mayor of Norholm is Ada Lindqvist.", True),
        ("Vestby lies far north. The mayor of Norholm, who once taught there, is Ada Lindqvist.", True),
        ("The mayor of Vestby and Norholm is Ada Lindqvist.", False),
        ("Vestby lies far north. Its mayor, born in Norholm, is Ada Lindqvist.", False),
        ("The mayor is Ada Lindqvist.", False),
        ("According to the clerk of Vestby, the mayor of Norholm is Ada Lindqvist.", True),
        ("The mayor of Norholm (not of Vestby) is Ada Lindqvist.", True),
        ("The mayor of Norholm, as its papers say, is Ada Lindqvist. Vestby lies far north.", True),
    ],
)
def test_a_sentence_about_another_of_its_kind_answers_nothing(home: Home, text: str, told: bool) -> None:
    (home.folder / "terms.toml").write_text(TERMS)
    _put(home, "town", f"# Towns\n\n{text}\n")
    home.sync()
    trace = home.answerer.answer_with_trace("Who is the mayor of Vestby?")[1]
    assert trace is not None
    lund = next(e for e in trace.evidence if "Lindqvist" in e.text)
    assert (lund.of_others == ("Norholm",)) is told
    assert (lund.score <= 0.001) is told
    assert lund.passage_score < 0.5 or not told
    assert not told or home.answerer.answer("Who is the mayor of Vestby?").status == "abstained"


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("Who led the harbour board in July 2024?", "answered"),
        ("Who led the harbour board in 2024?", "answered"),
        ("Who led the harbour board in July 2018?", "abstained"),
    ],
)
def test_evidence_of_another_time_alone_is_no_answer(home: Home, question: str, status: str) -> None:
    _put(home, "board", "# The harbour board\n\nIn July 2024 Ada Lindqvist led the harbour board of Norholm.\n")
    home.sync()
    answer = home.answerer.answer(question)
    assert answer.status == status
