"""The decision to answer: never without evidence, and less readily when nothing mentions what is asked for."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from app.answering.decide import decide, load_calibrations
from app.answering.features import REGISTRY, Seen, measured
from app.evidence.gather import Evidence, unnamed
from app.question.analysis import Question, analyse
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


def _seen(text: str, *evidence: Evidence, missing: tuple[str, ...] = (), lacking: tuple[tuple[str, ...], ...] = ()) -> Seen:
    return Seen(question=_asked(text), evidence=evidence, missing=missing, lacking=lacking, vocabulary=Vocabulary.load())


def _asked(text: str) -> Question:
    return analyse(text, Vocabulary.load(), dt.date(2026, 11, 1))


def test_without_evidence_even_a_threshold_of_zero_abstains() -> None:
    decision = decide(_seen("Who won?", missing=("won",)), load_calibrations()["evidence"], threshold=0.0)
    assert not decision.answer
    assert "no passage was found" in decision.reasons


def test_names_that_the_leading_passages_lack_are_told() -> None:
    question = "How many members has the union at Vestby?"
    item, calibration = _evidence(TEXT, context="Union"), load_calibrations()["evidence"]
    nowhere = decide(_seen(question, item, lacking=(("Vestby",), ("Lund", "Vestby"))), calibration)
    assert nowhere.apart == ("Vestby",)
    assert "the best passage does not mention: Vestby" in nowhere.reasons
    for lacking in ((), (("Vestby",), ()), ((), ("Vestby",))):
        assert not decide(_seen(question, item, lacking=lacking), calibration).apart
    assert not any("does not mention" in reason for reason in decide(_seen(question, item), calibration).reasons)


def test_no_weight_has_the_wrong_sign_and_the_features_of_the_reader_have_a_measured_worth() -> None:
    signs = {feature.name: feature.sign for feature in REGISTRY}
    calibrations = load_calibrations()
    assert all(weight * signs[name] > 0 for c in calibrations.values() for name, weight in c.weights.items())
    evidence = calibrations["evidence"]
    assert all(len(evidence.worth[name]) > 3 for name in evidence.weights), "measured on several collections"
    assert set(signs) == {name for c in calibrations.values() for name in c.weights}, "what no calibration weighs has no place here"


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


def test_a_figure_of_another_kind_than_the_one_asked_for_speaks_against() -> None:
    item = _evidence(TEXT, context="Union")
    asked = ("How many members has the union?", "How many ships has the union?", "Where is the union?")
    assert [measured(_seen(q, item))["fits"] for q in asked] == [1, 0, 1]


def test_a_name_that_no_leading_passage_holds_speaks_against() -> None:
    item, calibration = _evidence(TEXT, context="Union"), load_calibrations()["evidence"]
    asked = "How many members has the union at Vestby?"
    assert decide(_seen(asked, item, lacking=(("Vestby",),)), calibration).confidence < decide(_seen(asked, item), calibration).confidence


def test_what_near_passages_speak_of_instead_is_told() -> None:
    item = replace(_evidence(TEXT, context="Union"), of_others=("Norholm",))
    decision = decide(_seen("How many members has the union at Vestby?", item), load_calibrations()["evidence"])
    assert "near passages speak of Norholm instead" in decision.reasons
    assert decision.instead == ("Norholm",)
