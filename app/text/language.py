"""Which language a question is in, and what to say when the search model does not read it."""

from __future__ import annotations

import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from ingest.language import ENGLISH_WEAK, ENGLISH_WORDS, SURE, identifier, identify

_AS_LIKELY = 4
"""How many of the likeliest languages of a short text count."""


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
    if latin * 4 >= len(letters) and (ENGLISH_WORDS.search(text) or len(ENGLISH_WEAK.findall(text)) >= 2):
        return ENGLISH  # names and titles in it may be in any script
    if len(letters) - latin < 4:
        code, probability = identify(text)
        return named(code) if code != "en" and probability >= SURE else ENGLISH
    return named(identify("".join(c for c in text if "LATIN" not in unicodedata.name(c, "")))[0])


def among(text: str, language: Language, codes: Collection[str]) -> Language:
    """The language of a question where sources are in languages of these codes: one of them if it is nearly as likely.

    Four words in Cyrillic letters may be in any of ten languages.
    """
    if language.code in codes:
        return language
    likely = [str(code) for code, _ in identifier().rank(text)[:_AS_LIKELY]]
    return next((named(code) for code in likely if code in codes), language)


def unreadable(language: Language, *, by_words: bool = False) -> str:
    """What to say when the search model does not read a language; no claim about what the sources hold.

    Args:
        by_words: some sources are in the language, and no sentence of theirs had enough of the question's words.
    """
    done = "was searched by its words alone, and no sentence has enough of them" if by_words else "was not searched"
    text = (
        f"This collection is searched with a model that does not read {language.name}, so the question "
        f"{done}. Please ask it in English."
    )
    return f"{text} {language.say}".rstrip()


def found_by_words(language: Language) -> str:
    """What to say beside a quotation that was found by the words of a question alone."""
    return f"Found by its words alone: the search model does not read {language.name}, so check whether the sentence answers."


def unread(sources: Mapping[str, Collection[str]], read: Iterable[str]) -> str:
    """What an answer says of sources whose language the search model does not read; empty when there are none.

    Args:
        sources: ids of sources by ISO 639-1 code.
        read: codes that the model reads.
    """
    known = set(read)
    others = {code: set(ids) for code, ids in sources.items() if code not in known and ids}
    if not others:
        return ""
    number = len(set().union(*others.values()))
    names = listed(sorted(named(code).name for code in others))
    return (
        f"Not searched for their meaning: {number} source{'s' if number != 1 else ''} with text in {names}, which the "
        f"search model does not read. A question in {'that language' if len(others) == 1 else 'one of these languages'} finds "
        f"{'it' if number == 1 else 'them'} by words."
    )


def of_source(code: str | None, read: Iterable[str] | None) -> str:
    """What a report on a new source says of its language; empty when the search model reads it.

    Args:
        read: codes that the model reads; None for any.
    """
    if code is None or read is None or code in set(read):
        return ""
    return f"the text is in {named(code).name}: the search model does not read it; questions in this language find it by its words"


def listed(names: list[str]) -> str:
    """Names in a row: "Persian, Russian and Tajik"."""
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]


def load() -> None:
    """Load the identifier, which takes most of a second, before the first question needs it."""
    identifier()


def codes_by_name() -> dict[str, str]:
    """ISO 639-1 codes of the languages that have a name here, by that name."""
    return {ENGLISH.name: ENGLISH.code, **{known["name"]: code for code, known in _languages().items()}}


def named(code: str) -> Language:
    """The language of an ISO 639-1 code."""
    if code == "en":
        return ENGLISH
    known = _languages().get(code)
    if known is None:
        return Language(code=code, name=f"another language ({code})", say="")
    return Language(code=code, name=known["name"], say=known["say"])


@cache
def _languages() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("app.text").joinpath("languages.toml").read_text(encoding="utf-8"))
