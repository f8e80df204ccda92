"""The decision to answer: never without evidence, and less readily when nothing mentions what is asked for."""

from __future__ import annotations

import math

import pytest

from app.decide import UNMENTIONED, decide, load_calibrations
from app.evidence import Evidence, log_odds
from app.question import Question
from index.search import Hit
from ingest.chunk import Passage

TEXT = "The union has 310 members at Norholm."


def test_without_evidence_even_a_threshold_of_zero_abstains() -> None:
    question = Question(text="Who?", asked="Who?", kind="person")
    decision = decide(question, [], ["who"], 1, load_calibrations()["evidence"], threshold=0.0)
    assert not decision.answer
    assert "no passage was found" in decision.reasons


@pytest.mark.parametrize(
    ("question", "missing", "told"),
    [
        ("What salary does the union pay at Norholm?", ["salary"], True),
        ("Which monthly Salaries does the union pay?", ["Salaries"], True),
        ("What salary does the union pay at Norholm?", ["pay"], False),
        ("What does the union pay as salary?", ["salary"], False),
        ("What salary does the union pay at Norholm?", [], False),
    ],
)
def test_what_no_source_mentions_is_answered_less_readily(question: str, missing: list[str], told: bool) -> None:
    passage = Passage(id="p", source_id="s", start=0, end=len(TEXT), text=TEXT, ordinal=0, context="Union")
    hit = Hit(passage=passage, score=0.8, similarity=0.6, lexical=1.0, rank=1)
    item = Evidence(
        hit=hit, text=TEXT, start=0, end=len(TEXT), score=0.5, passage_score=0.5, similarity=0.6, overlap=0.5
    )
    calibration = load_calibrations()["evidence"]

    def asked(text: str) -> float:
        return decide(Question(text=text, asked=text, kind="other"), [item], missing, 4, calibration).confidence

    lowered = log_odds(asked("Tell me about the union.")) - log_odds(asked(question))
    assert math.isclose(lowered, UNMENTIONED if told else 0.0, abs_tol=0.01)
