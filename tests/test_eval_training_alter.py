"""Claims that are changed by script so that their text no longer carries them."""

from __future__ import annotations

import random

import pytest

from eval.training.alter import altered


@pytest.mark.parametrize(
    ("claim", "names"),
    [
        ("The harbour of Selwick was finished in 1874.", ["Torbay"]),
        ("A crew from Selwick met the engineer Farrant.", []),
        ("The quay was flooded.", []),
    ],
)
def test_a_changed_claim_says_something_else(claim: str, names: list[str]) -> None:
    for seed in range(20):
        changed = altered(claim, names, random.Random(seed))
        assert changed is not None and changed != claim


def test_names_change_places_unless_they_are_only_listed() -> None:
    seen = {altered("A crew from Selwick wrote to Torbay.", [], random.Random(seed)) for seed in range(20)}
    assert seen == {"A crew from Torbay wrote to Selwick."}
    for seed in range(20):
        assert altered("Crews from Selwick and Torbay sailed.", [], random.Random(seed)) is None


def test_a_claim_without_anything_to_change_is_left_alone() -> None:
    assert altered("Ships sail there.", [], random.Random(0)) is None
