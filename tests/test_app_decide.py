"""The decision to answer: never without evidence, and less readily when nothing mentions what is asked for."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from app.answering.decide import NAMED_NOWHERE, UNMENTIONED, UNNAMED, decide, load_calibrations
from app.evidence.gather import Evidence, log_odds, unnamed
from app.question.analysis import Question
from index.search import Hit
from index.terms import Vocabulary
from ingest.chunk import Passage

TEXT = "The union has 310 members at Norholm."


def _evidence(text: str, context: str) -> Evidence:
    passage = Passage(id="p", source_id="s", start=0, end=len(text), text=text, ordinal=0, context=context)
    hit = Hit(passage=passage, score=0.8, similarity=0.6, lexical=1.0, rank=1)
    return Evidence(
        hit=hit, text=text, start=0, end=len(text), score=0.5, passage_score=0.5, similarity=0.6, overlap=0.5
    )


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
    item = _evidence(TEXT, context="Union")
    calibration = load_calibrations()["evidence"]

    def asked(text: str) -> float:
        return decide(Question(text=text, asked=text, kind="other"), [item], missing, 4, calibration).confidence

    lowered = log_odds(asked("Tell me about the union.")) - log_odds(asked(question))
    assert math.isclose(lowered, UNMENTIONED if told else 0.0, abs_tol=0.01)


def test_a_lead_without_a_name_of_the_question_is_trusted_less_and_the_name_is_told() -> None:
    question = Question(text="How many members has the union at Vestby?", asked="…", kind="number")
    item, calibration = _evidence(TEXT, context="Union"), load_calibrations()["evidence"]
    before = decide(question, [item], [], 3, calibration)
    after = decide(question, [item], [], 3, calibration, unnamed=[("Vestby",), ()])
    nowhere = decide(question, [item], [], 3, calibration, unnamed=[("Vestby",), ("Lund", "Vestby")])
    behind = decide(question, [item], [], 3, calibration, unnamed=[(), ("Vestby",)])
    assert math.isclose(log_odds(before.confidence) - log_odds(after.confidence), UNNAMED, abs_tol=0.01)
    assert before.confidence > NAMED_NOWHERE == nowhere.confidence
    assert behind.confidence == before.confidence
    assert (after.apart, nowhere.apart) == ((), ("Vestby",))
    for told in (after, nowhere):
        assert "the best passage does not mention: Vestby" in told.reasons
    assert not any("does not mention" in reason for reason in before.reasons)


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("How many members has the union at Vestby?", ("Vestby",)),
        ("How many members has the union at Norholm?", ()),
        ("How many members has the union at Norhollm?", ()),  # spelt in another way
        ("How many Dockers are in the union?", ("Dockers",)),
        ("How many Germans are in the union?", ("Germans",)),
        ("Vestby has how many members?", ()),  # a first word is capital anyhow
        ("how many members has the union?", ()),
        ("how many members has the organization?", ()),
        ("how many members has al-qaida?", ("al-qaida",)),
        ("How many members had the union on a Monday in May?", ()),
        ("What does the Harbour Gazette say of members?", ()),
        ("How many members has the union in Denmark?", ()),
    ],
)
def test_names_of_the_question_that_the_lead_lacks_are_found(question: str, absent: tuple[str, ...]) -> None:
    vocabulary = Vocabulary.load()
    lead = _evidence(TEXT + " Most of them are Danish.", context="The Harbour Gazette")
    assert unnamed(question, vocabulary.content_terms(question), lead.hit.passage, vocabulary) == absent


def test_what_near_passages_speak_of_instead_is_told() -> None:
    item = replace(_evidence(TEXT, context="Union"), of_others=("Norholm",))
    question = Question(text="How many members has the union at Vestby?", asked="…", kind="number")
    decision = decide(question, [item], [], 3, load_calibrations()["evidence"])
    assert "near passages speak of Norholm instead" in decision.reasons
    assert decision.instead == ("Norholm",)
