"""What the program itself says, in the language of a question: fixed sentences from a catalogue. Quotations are never translated."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_FILES = ("messages.toml", "page.toml")
"""What is said in answers, and what the page says around them."""

ABSTENTION = "The sources do not answer this question."


def abstains(text: str) -> bool:
    """Whether a reply begins by saying, in any language that there are sentences in, that the sources do not answer."""
    return text.startswith((ABSTENTION, *(own["abstention"] for own in _catalogue().values() if "abstention" in own)))


def translated(key: str, language: str, **values: object) -> str | None:
    """The sentence of a key in a language (ISO 639-1), with the values in the place of their names; None where there is none."""
    sentence = _catalogue().get(language, {}).get(key)
    return sentence.format(**values) if sentence is not None else None


def said(sentence: str, /, *, language: str = "en", **values: object) -> str:
    """An English sentence of the program in a language (ISO 639-1), with the values in the place of their names.

    It stays English where the catalogue does not have it. Without values it is not searched for names: it may be any text.
    """
    return translated(sentence, language, **values) or (sentence.format(**values) if values else sentence)


def texts(language: str) -> Mapping[str, str]:
    """All sentences in a language by their keys; none where there is no such catalogue."""
    return _catalogue().get(language, {})


def languages() -> frozenset[str]:
    """Codes of the languages that there are sentences in, English not among them."""
    return frozenset(_catalogue())


@cache
def _catalogue() -> Mapping[str, Mapping[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name in _FILES:
        for language, sentences in tomllib.loads(files("app.text").joinpath(name).read_text(encoding="utf-8")).items():
            found.setdefault(language, {}).update(sentences)
    return found
