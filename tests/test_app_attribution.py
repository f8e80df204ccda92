"""A claim is not retold as a fact: the voice that a quote names stays in the sentence."""

from __future__ import annotations

import pytest

from app.text.voices import names, says_who, voice_left_out, voice_not_there, with_voice

BRIDGE = "Critics led by Ana Bruun said the bridge was built without a permit."


@pytest.mark.parametrize(
    ("sentence", "quote", "voice"),
    [
        ("The bridge was built without a permit.", BRIDGE, "Critics led by Ana Bruun"),
        ("The ferry carried 145 people.", "The ferry carried 145 people, according to the port office.", "the port office"),
        ("The ferry carried 145 people.", "The ferry carried 145 people, port officials said.", "port officials"),
        ("The ferry carried 145 people.", "The ferry carried 145 people, said Ana Bruun.", "Ana Bruun"),
        ("The guild has 2,000 members.", "The ministry estimates that the guild has 2,000 members.", "The ministry"),
    ],
)  # fmt: skip
def test_a_claim_told_as_a_fact_is_found(sentence: str, quote: str, voice: str) -> None:
    assert voice_left_out(sentence, quote) == voice


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("Critics said the bridge was built without a permit.", BRIDGE),
        ("The bridge was allegedly built without a permit.", BRIDGE),
        ("Ana Bruun holds that there was no permit for the bridge.", BRIDGE),
        ("The ministry puts the guild at 2,000 members.", "The ministry estimates that the guild has 2,000 members."),
        ("Ana Bruun leads the guild.", "Ana Bruun, who leads the guild, said that she would stay."),
        ("The bridge was opened in 1932.", "The bridge was opened in 1932, he said."),
        ("The bridge was opened in 1932.", "The bridge was opened in 1932."),
    ],
)  # fmt: skip
def test_a_sentence_that_keeps_or_needs_no_voice_is_let_be(sentence: str, quote: str) -> None:
    assert voice_left_out(sentence, quote) == ""


def test_a_sentence_that_says_who_needs_no_lead_in() -> None:
    assert says_who("According to the port office the ferry is late.")
    assert names("Ana Bruun", "Ana Bruun closed the bridge.")
    assert not says_who("The ferry is late.")
    assert not names("Ana Bruun", "The bridge was closed.")


@pytest.mark.parametrize(
    ("voice", "told"),
    [
        ("Their union", "The ferry was late, according to their union."),
        ("Critics led by Ana Bruun", "The ferry was late, according to critics led by Ana Bruun."),
        ("Ana Bruun", "The ferry was late, according to Ana Bruun."),
        ("port officials", "The ferry was late, according to port officials."),
        ("In July the ministry", ""),
        ("nobody who knew the line well enough to say", ""),
        ("a 2021 report (p. 3)", ""),
    ],
)
def test_a_voice_is_put_back_where_it_fits_as_it_stands(voice: str, told: str) -> None:
    assert with_voice("The ferry was late.", voice) == told


COUNTS = ["The Port Office and the Guild count the crews.", "The Port Office counted 310 sailors on strike."]


@pytest.mark.parametrize(
    ("sentence", "voice"),
    [
        ("310 sailors were on strike, according to the Port Office and the Guild.", "the Guild"),
        ("310 sailors were on strike, according to the Port Office.", ""),
        ("310 sailors were on strike.", ""),
        ("Sailors were on strike, according to the Port Office and the Guild.", ""),
        ("310 sailors were on strike, according to the Harbour Board and the Guild.", ""),
    ],
)
def test_a_figure_is_not_put_into_another_mouth(sentence: str, voice: str) -> None:
    assert voice_not_there(sentence, COUNTS) == voice


def test_a_figure_that_one_quote_has_from_all_may_stand() -> None:
    both = "The UN and the US count 310 sailors."
    assert voice_not_there("310 sailors took part, according to the UN and the US.", [both, "The UN counts 310."]) == ""
    assert voice_not_there("310 sailors took part, according to the UN and the US.", ["The UN counts 310."]) == "the US"
