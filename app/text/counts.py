"""Numbers with their nouns."""

from __future__ import annotations

import re

_Y_BEHIND_CONSONANT = re.compile(r"(?<=[^aeiou])y$")


def counted(number: int, noun: str) -> str:
    """A number with its noun in the singular or plural: "1 source", "1,200 sources", "2 studies"."""
    if number == 1:
        return f"1 {noun}"
    plural, changed = _Y_BEHIND_CONSONANT.subn("ies", noun)
    return f"{number:,} {plural if changed else f'{noun}s'}"


def some_say(saying: int, number: int, noun: str) -> str:
    """How many of so many say something: "1 of 6 cells says something", "3 of 6 cells say something"."""
    return f"{saying} of {counted(number, noun)} {'says' if 1 in {saying, number} else 'say'} something"
