"""A claim laid beside a sentence: what is left out, and which name stands for which."""

from __future__ import annotations

import pytest

from app.support import alignment
from app.text import claims
from index.terms import Vocabulary

VOCABULARY = Vocabulary.load()


@pytest.mark.parametrize(
    ("claim", "sentence", "is_excerpt"),
    [
        ("The ferry crews were on strike.", "In May, the ferry crews, who work in Norholm, had been on strike.", True),
        ("They stopped the attack on the port.", "They failed to stop the attack on the port.", False),
        ("The strike ended on Monday.", "The union denied that the strike ended on Monday.", False),
        ("All ferries ran on time.", "Not all ferries ran on time.", False),
        ("The king ruled the island.", "The son of the king ruled the island.", False),
        ("The bridge was opened by the mayor in 1932.", "The bridge was opened in 1932.", False),
        ("The guild attacked the port of Velm.", "The guild planned and attacked the port of Velm.", False),
        ("It ended.", "It ended.", False),
    ],
)
def test_a_claim_that_only_leaves_phrases_out_is_an_excerpt(claim: str, sentence: str, is_excerpt: bool) -> None:
    assert alignment.excerpt(claims.read(claim, VOCABULARY), claims.read(sentence, VOCABULARY)) is is_excerpt


LINE = "The ferry line of Skagen was closed by the harbour board in May."
ELSEWHERE = "Norholm has a school for sailors, founded by Ana Bruun."


@pytest.mark.parametrize(
    ("claim", "sentence", "name"),
    [
        ("The ferry line of Norholm was closed by the harbour board in May.", LINE, "Skagen"),
        ("The ferry line of Norholm was closed by the harbour board in May.", f"In spring, {LINE[0].lower()}{LINE[1:]}", "Skagen"),
        ("The ferry line ran every day to Norholm.", "The ferry line ran every day to Skagen until the strike of the crews.", "Skagen"),
        ("Then Ana Bruun closed the ferry line for good.", "Ada Dahl closed the ferry line for good.", "Ada Dahl"),
        ("The port sells to Velm, Norholm and Brix, says the board.", "The port sells to Velm, Skagen and Brix, says the board.", "Skagen"),
        ("The board of Norholm told the crews of Norholm in May to go home.", "The board of Norholm told the crews of Skagen in May to go home.", "Skagen"),
    ],
)  # fmt: skip
def test_a_name_put_in_the_place_of_another_is_found(claim: str, sentence: str, name: str) -> None:
    assert exchanged(claim, sentence) == name


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        (LINE, LINE),
        ("The Norwegian ferry line was closed by the harbour board.", "Norway's ferry line was closed by the harbour board."),
        ("The UN counted 300 ships in the harbour of Skagen.", "The United Nations counted 300 ships in the harbour of Skagen."),
        ("Ana Bruun closed the ferry line for good.", "She closed the ferry line for good."),
        ("Ana Bruun closed the ferry line for good.", "The harbour master of Skagen closed the ferry line for good."),
        ("The port sells to Brix, Velm and Norholm.", "The port sells to Norholm, Brix and Velm."),
        ("The line of Norholm was busy.", "The line of Skagen was late."),
        ("The harbour of Skagen lies north of Velm.", "There is no harbour."),
    ],
)  # fmt: skip
def test_other_wordings_exchange_no_name(claim: str, sentence: str) -> None:
    assert exchanged(claim, sentence) == ""


def test_a_name_that_the_text_has_there_too_is_let_be() -> None:
    claim = "The branches meet near Norholm in Velm County and flow west."
    branches = "The branches rise near Skagen in Velm County and flow west."
    assert exchanged(claim, branches) == "Skagen"
    assert exchanged(claim, branches, "They meet near Norholm in Velm County.") == ""


@pytest.mark.parametrize(
    ("claim", "sentence", "name"),
    [
        ("Norholm outbid Velm for the ferry.", "In May Velm outbid Norholm.", "Velm"),
        ("Ana Bruun sued the town of Velm.", "The town of Velm sued Ana Bruun.", ""),
        ("Norholm sued Ana Bruun.", "Ana Bruun sued Norholm.", "Bruun"),
        ("Norholm was outbid by Velm.", "Velm outbid Norholm.", ""),
        ("Norholm borders Velm.", "Velm borders Norholm.", ""),
        ("Norholm and Velm signed.", "Velm and Norholm signed.", ""),
        ("Norholm outbid Velm.", "Velm outbid Norholm, then Norholm outbid Velm.", ""),
    ],
)
def test_names_that_changed_places_are_found(claim: str, sentence: str, name: str) -> None:
    text = [claims.read(s, VOCABULARY) for s in (sentence, "Later Norholm and Velm made up.")]
    assert alignment.names_swapped(claims.read(f"Then {claim}", VOCABULARY), text) == name


@pytest.mark.parametrize(
    ("claim", "sentence", "verb"),
    [
        ("Norholm is a ferry line to Skagen.", "From May on Norholm is given a ferry line to Skagen.", "given"),
        ("The mayor was the founder of the line.", "The mayor was accused by the founder of the line.", "accused"),
        ("The mayor was a thief.", "The mayor was called a thief.", "called"),
        ("The line was closed.", "The line was closed.", ""),
        ("The line was closed in May.", "The line was finally closed in May.", ""),
        ("The line is busy.", "The line is long and busy.", ""),
    ],
)
def test_a_verb_left_out_between_the_same_words_is_found(claim: str, sentence: str, verb: str) -> None:
    assert alignment.verb_left_out(claims.read(claim, VOCABULARY), [claims.read(sentence, VOCABULARY)]) == verb


@pytest.mark.parametrize(
    ("claim", "name"),
    [
        ("It was the Port Union Council of Crews.", "Port Union Council of Crews"),
        ("It was the Council of the Port Unions.", ""),
        ("It was the Port Council.", ""),
    ],
)
def test_a_long_name_stands_in_its_order(claim: str, name: str) -> None:
    text = "Members of the Port Union founded the Council of Port Unions and Crews."
    assert alignment.name_made_up(claims.read(claim, VOCABULARY), [text]) == name


def exchanged(claim: str, *sentences: str) -> str:
    text = (*sentences, ELSEWHERE, "Later Per Dahl and the people of Skagen left.")
    return alignment.name_exchanged(claims.read(claim, VOCABULARY), [claims.read(s, VOCABULARY) for s in text])
