"""Names of a question in the spelling of a collection that is written in other letters: Гафари and غفاری are Ghafari.

A name is found by, in this order: the groups of ``spellings.toml`` and a home's own aliases, the countries and months of CLDR, and its
consonants: the question's word is transliterated, and compared with the words of the collection that never stand in small letters.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rapidfuzz import fuzz

from index.terms import TOKEN, Vocabulary
from index.words import folded, stem, topic_words
from ingest.language import script_of

_SPELLINGS = "spellings.toml"
_IN = ("ru", "fa", "tg", "uz", "uz_Cyrl", "kk", "ky", "tr", "ar", "ps", "de", "fr", "es", "az", "uk")
_LONGEST = 5
"""Words of the longest spelling that is looked for."""
_LEAST_SKELETON = 3
"""Consonants that a name needs to be compared by them: of two, many words are made."""
_ALIKE = {True: 62.0, False: 80.0}
"""Least likeness in percent (normalised indel) of a transliterated word and a name with the same consonants, for a word that looks like
a name (a capital, or letters that have none) and for others."""
_SOUNDS = (
    ("dzh", "j"), ("tsch", "c"), ("sch", "s"), ("sh", "s"), ("zh", "j"), ("kh", "k"), ("gh", "g"), ("ch", "c"), ("ph", "f"), ("ck", "k"), ("q", "k"),
    ("x", "ks"), ("ts", "s"), ("th", "t"),
)  # fmt: skip
_VOWELS = re.compile(r"[aeiouywvh'\W\d_]+")
_SCRIPTS = {"CYRILLIC": ("ru",), "ARABIC": ("fa", "ar")}
"""Languages whose endings are taken from words in a script."""
_LEAST_STEM = {"CYRILLIC": 3, "ARABIC": 5}
"""Letters that the stem of a listed spelling needs: the Arabic stemmers leave three of Newton, as of Niue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A name of a question.

    Attributes:
        written: as it stands there, between start and end.
        spelled: as the collection may spell it, the likeliest first.
        month: it is the name of one.
    """

    written: str
    start: int
    end: int
    spelled: tuple[str, ...]
    month: bool = False


class Names:
    """The names of one collection, to be looked up from questions.

    Args:
        words: words of the collection that are names, see :func:`names_of`.
    """

    def __init__(self, words: Iterable[str], vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._by_skeleton: dict[str, list[str]] = {}
        for word in words:
            if len(bones := skeleton(word)) >= _LEAST_SKELETON:
                self._by_skeleton.setdefault(bones, []).append(word)

    def found(self, question: str) -> tuple[Named, ...]:
        """Names of a question that the collection may spell in another way, in order."""
        tokens = list(TOKEN.finditer(question.replace("\u200c", " ")))
        content = set(topic_words(question, {"ru", "fa", "ar", "tr", "de", "fr", "en"}))
        found: list[Named] = []
        at = 0
        while at < len(tokens):
            words = [t.group() for t in tokens[at : at + _LONGEST]]
            length, listed = self._listed(words, tokens[at - 1].group() if at else "")
            spelled: tuple[str, ...] = ()
            name = at > 0 and words[0][:1].isupper()  # some lists of function words hold towns
            if length > 1 or name or content & set(re.findall(r"\w+", folded(words[0]))):
                spelled = self._vocabulary.aliases(listed.name) if listed else self._alike(words[0])
            start, end = tokens[at].start(), tokens[at + length - 1].end()
            if spelled and spelled[0].lower() != question[start:end].lower():
                month = listed is not None and listed.month
                found.append(Named(written=question[start:end], start=start, end=end, spelled=spelled, month=month))
            at += length
        return tuple(found)

    def _listed(self, words: Sequence[str], before: str) -> tuple[int, _Listed | None]:
        """How many of the first words are a spelling that is listed, and what it stands for."""
        known = _known()
        for length in range(len(words), 0, -1):
            here = words[:length]
            for form in _forms(" ".join(here)):
                listed = known.get(form)
                if listed is None or (listed.capital and length == 1 and here[0][0].islower()):
                    continue
                if listed.month and not any(map(str.isdigit, before + "".join(words[1:2]))):
                    continue  # "Jon" is June as well
                return length, listed
        return 1, None

    def _alike(self, word: str) -> tuple[str, ...]:
        if word.isascii() or any(map(str.isdigit, word)):
            return ()
        likely = word[:1].isupper() or word[:1].lower() == word[:1].upper()
        forms = dict.fromkeys((word, *(stem(folded(word), code) for code in _SCRIPTS.get(script_of(word), ()))))
        for plain in dict.fromkeys(heard for form in forms for heard in _heard(latin(form))):
            scored = [(fuzz.ratio(plain, name.lower().replace("q", "k")), name) for name in self._by_skeleton.get(skeleton(plain), ())]
            best = max(scored, default=(0.0, ""))[0]
            if best >= _ALIKE[likely]:
                return tuple(name for score, name in sorted(scored, reverse=True) if score >= best - 10)
        return ()


def names_of(texts: Iterable[str]) -> list[str]:
    """Words with a capital that stand in small letters nowhere in the texts: nearly all of them are names."""
    capital: set[str] = set()
    small: set[str] = set()
    for text in texts:
        for match in TOKEN.finditer(text):
            for word in match.group().split("-"):
                if word.isalpha() and len(word) >= _LEAST_SKELETON:
                    (capital if word[0].isupper() else small).add(word)
    return sorted(w for w in capital if w.lower() not in small)


def latin(word: str) -> str:
    """A word in small Latin letters."""
    from anyascii import anyascii

    return str(anyascii(unicodedata.normalize("NFC", word))).lower()


def _heard(plain: str) -> Iterator[str]:
    """A transliterated word, and where Cyrillic kh and g may stand for the h that it has no letter for, with h."""
    plain = plain.replace("q", "k")
    yield plain
    yield plain.replace("kh", "h")
    yield plain.replace("g", "h")
    yield plain.replace("kh", "h").replace("g", "h")


def skeleton(word: str) -> str:
    """The consonants of a word, those that sound alike as one; v, w, h and y are left out, since other scripts drop or add them."""
    plain = latin(word)
    for written, sound in _SOUNDS:
        plain = plain.replace(written, sound)
    plain = re.sub(r"c(?=[aouklrtn]|$)", "k", plain)
    return re.sub(r"(.)\1+", r"\1", _VOWELS.sub("", plain))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """What a spelling stands for.

    Attributes:
        capital: it is written with one.
    """

    name: str
    capital: bool
    month: bool = False


def _forms(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Under what a spelling is listed: its folded words, and their stems in the languages of its script, where they are long enough."""
    words = re.findall(r"\w+", folded(text))
    yield "", tuple(words)
    for code in _SCRIPTS.get(script := script_of(text), ()):
        stems = tuple(stem(word, code) for word in words)
        if sum(map(len, stems)) >= _LEAST_STEM[script]:
            yield code, stems


@cache
def _known() -> dict[tuple[str, tuple[str, ...]], _Listed]:
    """English names by the forms of their spellings in other languages."""
    from babel import Locale

    found: dict[tuple[str, tuple[str, ...]], _Listed] = {}

    def put(name: str, spelling: str, *, month: bool = False) -> None:
        listed = _Listed(name=name, capital=spelling[:1].isupper() and not month, month=month)
        for form in _forms(spelling):
            found.setdefault(form, listed)

    for name, *spellings in tomllib.loads(files("index").joinpath(_SPELLINGS).read_text(encoding="utf-8"))["groups"]:
        for spelling in spellings:
            put(name, spelling)
    english = Locale("en")
    for code in _IN:
        locale = Locale.parse(code)
        for territory, name in locale.territories.items():
            if territory.isalpha() and territory in english.territories:
                put(english.territories[territory], name)
        for form in ("format", "stand-alone"):
            for number, name in locale.months[form]["wide"].items():
                put(english.months["format"]["wide"][number], name, month=True)
    return found
