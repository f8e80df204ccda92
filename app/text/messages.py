"""What the program itself says, in the language of a question: fixed sentences from a catalogue. Quotations are never translated."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

ABSTENTION = "The sources do not answer this question."


def abstains(text: str) -> bool:
    """Whether a reply begins by saying, in any language that there are sentences in, that the sources do not answer."""
    return text.startswith((ABSTENTION, *(own["abstention"] for own in _catalogue().values() if "abstention" in own)))


def translated(key: str, language: str, **values: object) -> str | None:
    """The sentence of a key in a language (ISO 639-1), with the values in the place of their names; None where there is none."""
    sentence = _catalogue().get(language, {}).get(key)
    return sentence.format(**values) if sentence is not None else None


def languages() -> frozenset[str]:
    """Codes of the languages that there are sentences in, English not among them."""
    return frozenset(_catalogue())


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    return tomllib.loads(files("app.text").joinpath("messages.toml").read_text(encoding="utf-8"))
