"""Words of languages that the embedding model may not read: folded letters and stems, for the lexical search."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import Stemmer
import stopwordsiso

_STEMMERS = {
    "ar": "arabic", "hy": "armenian", "eu": "basque", "ca": "catalan", "cs": "czech", "da": "danish", "nl": "dutch", "en": "english",
    "et": "estonian", "fi": "finnish", "fr": "french", "de": "german", "el": "greek", "hi": "hindi", "hu": "hungarian",
    "id": "indonesian", "ga": "irish", "it": "italian", "lt": "lithuanian", "ne": "nepali", "no": "norwegian", "nb": "norwegian",
    "fa": "persian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian", "sr": "serbian", "es": "spanish",
    "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""Snowball's names of the languages that it has a stemmer for."""
_TRUNCATED = 5
"""Letters kept of a word of a language without a stemmer, so that its endings do not matter."""
_LETTERS = str.maketrans({
    "ي": "ی", "ى": "ی", "ئ": "ی", "ك": "ک", "ة": "ه", "ۀ": "ه", "ہ": "ه", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ؤ": "و",
    "ё": "е", "’": "'", "\u0640": None, "\u200d": None, "\u200e": None, "\u200f": None, "\u00ad": None, "\ufeff": None,
    "\u200c": " ",  # between the parts of a Persian word, where others write a blank
})  # fmt: skip
_PREFIX = 4
"""Letters at the beginning, and seven tenths of the shorter word, that make two words forms of one."""
_VOWEL_SIGNS = re.compile("[\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670\u06d6-\u06ed]")
_UNSPACED = re.compile("[\u0e00-\u0e7f\u0e80-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+")
"""Runs of scripts that put no blank between words."""


def folded(text: str) -> str:
    """The text in lower case with one form for letters, digits and signs that are written in several."""
    text = unicodedata.normalize("NFC", text).lower().translate(_LETTERS)
    return ascii_digits(unicodedata.normalize("NFKC", _VOWEL_SIGNS.sub("", text)))


def ascii_digits(text: str) -> str:
    """The text with 0 to 9 in place of the digits of other scripts."""
    return "".join(str(unicodedata.digit(c)) if c.isdigit() and not c.isascii() else c for c in text)


def words(text: str) -> list[str]:
    """Words and numbers of a text, folded; of scripts without blanks, pairs of letters."""
    found = []
    for token in "".join(c if _is_inner(c) else " " for c in folded(text)).split():
        at = 0
        for run in _UNSPACED.finditer(token):
            found += [token[at : run.start()]] if run.start() > at else []
            letters = run.group()
            found += [letters[i : i + 2] for i in range(len(letters) - 1)] or [letters]
            at = run.end()
        found += [token[at:]] if at < len(token) else []
    return found


def stem(word: str, language: str) -> str:
    """The stem of a folded word in a language (ISO 639-1)."""
    name = _STEMMERS.get(language)
    if language == "ar":  # its stemmer knows the letters as Arabic writes them
        word = re.sub("ه$", "ة", word.replace("ی", "ي").replace("ک", "ك"))
    if name:
        return folded(str(_stemmer(name).stemWord(word)))
    return word if word.isascii() or word[:1].isdigit() else word[:_TRUNCATED]


def forms(text: str, language: str) -> list[str]:
    """What the lexical index holds of a text besides its words as written: folded words and stems that differ from them."""
    written = set(re.findall(r"\w+", text.lower()))
    wanted = [form for word in words(text) for form in dict.fromkeys((word, stem(word, language)))]
    return [form for form in wanted if form not in written]


def topic_words(question: str, languages: frozenset[str] | set[str]) -> list[str]:
    """The words of a question that carry its topic: none of the function words of any of the languages."""
    empty = frozenset[str]().union(*(_function_words(code) for code in languages))
    found = list(dict.fromkeys(words(question)))
    return [w for w in found if w not in empty and (len(w) > 1 or w.isdigit())] or found


def holds(there: Sequence[str], word: str, language: str) -> bool:
    """Whether a folded word, or another form of it, stands among folded words in a language (ISO 639-1)."""
    root = stem(word, language)
    return any(word == t or stem(t, language) == root or alike(word, t) for t in there)


def alike(one: str, other: str) -> bool:
    """Whether two words begin alike enough to be forms of one; figures must be the same."""
    if one == other:
        return True
    if any(map(str.isdigit, one + other)):
        return False
    common = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return common >= _PREFIX and common >= 0.7 * min(len(one), len(other))


@cache
def _function_words(language: str) -> frozenset[str]:
    known = stopwordsiso.stopwords(language) if stopwordsiso.has_lang(language) else ()
    return frozenset(form for word in known for form in words(word) if " " not in word)


@cache
def _stemmer(name: str) -> Any:
    return Stemmer.Stemmer(name)


def _is_inner(letter: str) -> bool:
    return unicodedata.category(letter)[0] in "LNM"
