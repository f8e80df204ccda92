"""Sentences compared word by word."""

from __future__ import annotations

import pytest

from app import claims
from index.terms import Vocabulary

VOCABULARY = Vocabulary.load()


@pytest.mark.parametrize(
    ("claim", "sentence", "is_excerpt"),
    [
        ("The ferry crews stopped work on 4 May 2021.", "The ferry crews of Norholm stopped work on 4 May 2021.", True),
        ("The ferry crews stopped work.", "The ferry crews stopped work on 4 May, and the union paid them.", True),
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
    assert claims.excerpt(claims.read(claim, VOCABULARY), claims.read(sentence, VOCABULARY)) is is_excerpt
