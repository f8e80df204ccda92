"""Which language a text is in, told from the text itself."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from typing import Any

SURE = 0.6
"""Least probability at which a few words in Latin script are taken to be in another language than English."""
SURE_TEXT = 0.9
"""The same for a text or passage; below it what its metadata declare is believed."""
_LEAST_LETTERS = 20
_LEAST_PASSAGE = 80
"""Letters from which a passage in Latin script may be in another language than its source; names and titles are shorter."""
_SAMPLE = 4000
"""Characters that are looked at from each of the beginning, the middle and the end of a text."""

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
ENGLISH_WORDS = re.compile(
    r"\b(?:what|who|whom|whose|how|when|where|why|which|the|does|did|tell|about|there|of|is it|are there)\b", re.I
)
ENGLISH_WEAK = re.compile(
    r"\b(?:is|are|was|were|has|have|had|by|to|for|with|and|in|on|from|any|many|much|his|their)\b", re.I
)


def of_text(text: str, declared: str | None = None) -> str | None:
    """ISO 639-1 code of the language of a source; None when neither the text nor ``declared`` tells it.

    A clear text wins over what metadata declare: programs write "en" into files of any language.
    """
    text = _sampled(text)
    letters, others = _letters(text)
    if letters < _LEAST_LETTERS:
        return declared
    if 2 * others > letters:
        return _by_script(text, declared)
    english = len(ENGLISH_WORDS.findall(text)) + len(ENGLISH_WEAK.findall(text))
    if 12 * english >= len(text.split()) and english > 1:
        return "en"
    code, probability = identify(text)
    if probability >= SURE_TEXT and _has_function_words(text, code):
        return code
    return declared or ("en" if code == "en" else None)


def of_passage(text: str, source: str | None) -> str:
    """ISO 639-1 code of the language of a passage: its source's unless script or words tell clearly of another.

    A source of unknown language counts as English.
    """
    known = source or "en"
    letters, others = _letters(text)
    if 2 * others > letters and others >= 8:
        return _by_script(text, None if known in _LATIN_MOSTLY else known) or known
    if letters < _LEAST_PASSAGE:
        return "en" if known not in _LATIN_MOSTLY and ENGLISH_WORDS.search(text) else known
    words, english = len(text.split()), 0
    for pattern in (ENGLISH_WEAK, ENGLISH_WORDS):  # most English passages need the first alone
        english += len(pattern.findall(text))
        if 12 * english >= words:
            return "en"
    code, probability = identify(text)
    return code if probability >= SURE_TEXT and _has_function_words(text, code, one_in=5) else known


def _has_function_words(text: str, language: str, one_in: int = 10) -> bool:
    """Whether at least one word in so many is a function word of a language: a table of names has none of any.

    True for languages without a list.
    """
    import stopwordsiso

    if not stopwordsiso.has_lang(language):
        return True
    known, words = stopwordsiso.stopwords(language), re.findall(r"[^\W\d_]+", text.lower())
    return one_in * sum(w in known for w in words) >= len(words)


_LATIN_MOSTLY = frozenset(
    {"en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "az", "id", "sv", "da", "no", "fi", "cs", "ro", "hu"}
)


def _letters(text: str) -> tuple[int, int]:
    """How many letters there are, and how many of them are not of the Latin script."""
    return sum(map(str.isalpha, text)), sum(c.isalpha() and not _is_latin(c) for c in _BEYOND_ASCII.findall(text))


def _by_script(text: str, declared: str | None) -> str | None:
    code, probability = identify("".join(c for c in text if not _is_latin(c)))
    return declared if declared not in {None, "en"} and probability < SURE_TEXT else code


def _sampled(text: str) -> str:
    if len(text) <= 3 * _SAMPLE:
        return text
    middle = len(text) // 2
    return f"{text[:_SAMPLE]} {text[middle : middle + _SAMPLE]} {text[-_SAMPLE:]}"


def is_mostly_latin(text: str) -> bool:
    """Whether at least half of the letters are of the Latin script."""
    letters, others = _letters(text)
    return 2 * others <= letters


def script_of(text: str) -> str:
    """The script of most letters by its Unicode name, such as CYRILLIC; empty without letters."""
    counts = Counter(_script(c) for c in text if c.isalpha())
    return counts.most_common(1)[0][0] if counts else ""


@cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


@cache
def _is_latin(letter: str) -> bool:
    return letter.isascii() or "LATIN" in unicodedata.name(letter, "")


def identify(text: str) -> tuple[str, float]:
    """The likeliest ISO 639-1 code and its probability among some ninety languages."""
    label, probability = identifier().classify(text)
    return str(label), float(probability)


@cache
def identifier() -> Any:
    """The identifier; loading it takes most of a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
