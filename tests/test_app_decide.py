"""The decision to answer: never without evidence, whatever the threshold."""

from __future__ import annotations

from app.decide import decide, load_calibrations
from app.question import Question


def test_without_evidence_even_a_threshold_of_zero_abstains() -> None:
    question = Question(text="Who?", asked="Who?", kind="person")
    decision = decide(question, [], ["who"], 1, load_calibrations()["evidence"], threshold=0.0)
    assert not decision.answer
    assert "no passage was found" in decision.reasons
