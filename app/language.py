"""Which language a question is in, and what to say when the search model does not read it."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

SURE = 0.6
"""Least probability at which a Latin-script question is taken to be in another language than English."""

_SAMPLE = 4000
"""Characters of a text that tell its language."""

_ENGLISH = re.compile(
    r"\b(?:what|who|whom|whose|how|when|where|why|which|the|does|did|tell|about|there|of|is it|are there)\b", re.I
)
_ENGLISH_WEAK = re.compile(
    r"\b(?:is|are|was|were|has|have|had|by|to|for|with|and|in|on|from|any|many|much|his|their)\b", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """ISO 639-1 code ("und" when unknown), the English name, and a sentence in the language itself."""

    code: str
    name: str
    say: str


ENGLISH = Language(code="en", name="English", say="")


def language_of(text: str) -> Language:
    """The language of a question.

    Words in another script decide at once; Latin script counts as English unless the identifier is sure of
    another language and no English function word stands in the text: a few keywords or names are in no language.
    """
    letters = [c for c in text if c.isalpha()]
    latin = sum("LATIN" in unicodedata.name(c, "") for c in letters)
    if latin * 4 >= len(letters) and (_ENGLISH.search(text) or len(_ENGLISH_WEAK.findall(text)) >= 2):
        return ENGLISH  # names and titles in it may be in any script
    if len(letters) - latin < 4:
        code, probability = _identify(text)
        return _named(code) if code != "en" and probability >= SURE else ENGLISH
    return _named(_identify("".join(c for c in text if "LATIN" not in unicodedata.name(c, "")))[0])


def language_of_text(text: str) -> Language | None:
    """The language that most of a longer text is in; None when the identifier is not sure."""
    code, probability = _identify(text[:_SAMPLE])
    return _named(code) if probability >= SURE else None


def unreadable(language: Language) -> str:
    """What to say when the search model does not read a language; no claim about what the sources hold."""
    text = (
        f"This collection is searched with an English-only model, so the question in {language.name} "
        "was not searched. Please ask it in English."
    )
    return f"{text} {language.say}".rstrip()


def load() -> None:
    """Load the identifier, which takes most of a second, before the first question needs it."""
    _identifier()


def _identify(text: str) -> tuple[str, float]:
    label, probability = _identifier().classify(text)
    return str(label), float(probability)


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _named(code: str) -> Language:
    if code == "en":
        return ENGLISH
    known = _languages().get(code)
    if known is None:
        return Language(code=code, name="another language", say="")
    return Language(code=code, name=known["name"], say=known["say"])


@cache
def _languages() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("app").joinpath("languages.toml").read_text(encoding="utf-8"))
