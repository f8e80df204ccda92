"""The words of a question: which carry its topic, and which spellings mean the same."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import Stemmer

from index.errors import IndexingError

TOKEN = re.compile(r"[^\W_]+(?:[.'’&/-](?=[^\W_])[^\W_]+)*", re.UNICODE)
"""A word or number, with inner hyphens, apostrophes and points."""
_TERMS_FILE = "terms.toml"


class Vocabulary:
    """Function words and alias groups, from the packaged file and the user's own.

    Args:
        function_words: words that carry no topic, lower case.
        aliases: groups of spellings of one thing; the first is the fullest.
        distinct: kinds of things that must not stand in for one another; each thing by one or more of its names.
        frame_words: words of the letter around a question, which are searched but never said to be missing.
    """

    def __init__(
        self,
        function_words: Iterable[str],
        aliases: Sequence[Sequence[str]],
        distinct: Sequence[Sequence[Sequence[str]]] = (),
        frame_words: Iterable[str] = (),
    ) -> None:
        self._function_words = frozenset(function_words)
        self._distinct = distinct
        known = {_fold(s) for group in aliases for s in group}
        alone = [(n,) for kind in distinct for thing in kind for n in thing if _fold(n) not in known]
        self._groups = (*(tuple(group) for group in aliases), *alone)
        self._stemmer = Stemmer.Stemmer("english")
        self._frame = frozenset(self.stem(word) for word in frame_words)

    @classmethod
    def load(cls, extra: Path | None = None) -> Vocabulary:
        """The packaged vocabulary, with the groups and words of a user's file added.

        Raises:
            IndexingError: the file is not of the expected form.
        """
        data = tomllib.loads(files("index").joinpath(_TERMS_FILE).read_text(encoding="utf-8"))
        words, groups, distinct = data["function_words"].split(), data["aliases"], data["distinct"]
        if extra is not None and extra.is_file():
            mine = _read(extra)
            words += mine.get("function_words", "").split()
            groups = _merge(groups, mine.get("aliases", []))
            distinct += mine.get("distinct", [])
        return cls(words, groups, distinct, data["frame_words"].split())

    @cached_property
    def _by_spelling(self) -> dict[str, tuple[str, ...]]:
        return {_fold(spelling): group for group in self._groups for spelling in group}

    @cached_property
    def _things(self) -> dict[str, frozenset[tuple[int, int]]]:
        """By the fullest spelling: kinds and things that it is a name of."""
        found: dict[str, frozenset[tuple[int, int]]] = {}
        for number, kind in enumerate(self._distinct):
            for which, thing in enumerate(kind):
                for name in thing:
                    full = self._by_spelling[_fold(name)][0]
                    found[full] = found.get(full, frozenset()) | {(number, which)}
        return found

    @cached_property
    def _matcher(self) -> re.Pattern[str]:
        spellings = sorted({s for group in self._groups for s in group}, key=len, reverse=True)
        # A typographic apostrophe is as good as a plain one.
        pattern = "|".join(re.escape(s).replace("'", "['’]") for s in spellings)
        return re.compile(r"(?<!\w)(?:" + pattern + r")(?!\w)", re.I)

    def _matches(self, text: str) -> Iterator[tuple[re.Match[str], tuple[str, ...]]]:
        """Spellings in the text with their groups. "Tell us" is no mention of the US."""
        if not self._groups:
            return
        for match in self._matcher.finditer(text):
            found = match.group()
            # None for letters that only regular expressions take for the same, such as the Turkish dotless i.
            group = self._by_spelling.get(_fold(found))
            if group is not None and found not in self._function_words:
                yield match, group

    def _replace(self, text: str, replacement: Callable[[str, str], str]) -> str:
        """The text with ``replacement(spelling found, fullest spelling)`` in place of each spelling."""
        pieces, at = [], 0
        for match, group in self._matches(text):
            pieces += [text[at : match.start()], replacement(match.group(), group[0])]
            at = match.end()
        return "".join((*pieces, text[at:]))

    def aliases(self, term: str) -> tuple[str, ...]:
        """The term itself and every other spelling of the same thing."""
        return tuple(dict.fromkeys((term, *self._by_spelling.get(_fold(term), ()))))

    def full(self, term: str) -> str:
        """The fullest spelling of a term; the term itself where no other is known."""
        return self._by_spelling.get(_fold(term), (term,))[0]

    @cached_property
    def fingerprint(self) -> str:
        """Names the groups of spellings; kept with what was made with them."""
        return hashlib.sha256(repr(self._groups).encode()).hexdigest()[:16]

    def mentions(self, text: str) -> list[str]:
        """Spellings of alias groups that stand in the text, in order of appearance."""
        return [match.group() for match, _ in self._matches(text)]

    def confused(self, text: str, other: str) -> list[str]:
        """What ``other`` speaks of instead of what ``text`` speaks of, as named there; empty when it speaks of the same.

        For each kind of distinct things that both name some of: those of ``other`` when none of ``text`` is among them.
        """
        asked = {t for _, group in self._matches(text) for t in self._things.get(group[0], ())}
        found = [(m.group(), t) for m, group in self._matches(other) for t in self._things.get(group[0], ())]
        shared = {kind for kind, thing in asked if (kind, thing) in {t for _, t in found}}
        kinds = {kind for kind, _ in asked} - shared
        return list(dict.fromkeys(name for name, (kind, _) in found if kind in kinds))

    def spell_out(self, text: str) -> str:
        """The text with the fullest spelling behind acronyms, which an English encoder can't know.

        Only acronyms (no lower-case letters) are spelled out: "ISIL-K" but not "Daesh".
        """

        def spelled(found: str, full: str) -> str:
            if any(c.islower() for c in found) or full.lower() in text.lower():
                return found
            return f"{found} ({full})"

        return self._replace(text, spelled)

    def content_terms(self, text: str) -> list[str]:
        """The words that carry the topic, in order, without repetition; alias spellings stay whole."""
        terms: dict[str, tuple[int, str]] = {}
        rest = text
        for match, group in self._matches(text):
            terms.setdefault(_fold(group[0]), (match.start(), match.group()))
            # Blanks of the same length, so that positions stay.
            rest = rest[: match.start()] + " " * len(match.group()) + rest[match.end() :]
        for match in TOKEN.finditer(rest):
            word = re.sub(r"['’]s$", "", match.group())
            folded = _fold(word)
            if folded in self._function_words or (len(folded) < 2 and not folded.isdigit()):
                continue
            terms.setdefault(self.stem(folded), (match.start(), word))
        return [term for _, term in sorted(terms.values())]

    def frames(self, term: str) -> bool:
        """Whether a term belongs to the letter around a question rather than to what it is about."""
        return self.stem(term) in self._frame

    def query_groups(self, text: str) -> list[tuple[str, ...]]:
        """What the lexical search looks for: each content term with all its spellings.

        When nothing but function words is left, those are used.
        """
        terms = self.content_terms(text) or tokens(text)
        return [self.aliases(term) for term in terms]

    def stem(self, word: str) -> str:
        """Snowball stem of a lower-cased word."""
        return str(self._stemmer.stemWord(_fold(word)))

    def within(self, term: str, stems: Sequence[str]) -> bool:
        """Whether a term stands in a text of these stems, a name of several words as a whole."""
        own = self.stems(term)
        return any(list(stems[n : n + len(own)]) == own for n, stem in enumerate(stems) if own and stem == own[0])

    def stems(self, text: str) -> list[str]:
        """Stems of all words of a text, in order; alias spellings fold into the fullest one."""
        folded = self._replace(text, lambda _, full: full)
        return [self.stem(m.group()) for m in TOKEN.finditer(folded)]


def tokens(text: str) -> list[str]:
    """Words and numbers of a text, in order, as written."""
    return [m.group() for m in TOKEN.finditer(text)]


def _fold(text: str) -> str:
    return text.lower().replace("’", "'")


def _read(file: Path) -> dict[str, Any]:
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise IndexingError(f"the vocabulary file {file} cannot be read: {exc}") from exc
    groups, distinct = data.get("aliases", []), data.get("distinct", [])
    if (
        not isinstance(data.get("function_words", ""), str)
        or not isinstance(groups, list)
        or not all(isinstance(g, list) and g and all(isinstance(s, str) and s.strip() for s in g) for g in groups)
    ):
        raise IndexingError(
            f"the vocabulary file {file} must hold 'function_words' as one text and 'aliases' as lists of spellings"
        )
    if not isinstance(distinct, list) or not all(
        isinstance(kind, list)
        and all(isinstance(t, list) and t and all(isinstance(n, str) and n.strip() for n in t) for t in kind)
        for kind in distinct
    ):
        raise IndexingError(
            f"the vocabulary file {file} must hold 'distinct' as a list of kinds, each a list of things, each a list of names"
        )
    return data


def _merge(groups: list[list[str]], mine: list[list[str]]) -> list[list[str]]:
    """The user's groups extend those that share a spelling with them."""
    merged = [list(g) for g in groups]
    for group in mine:
        folded = {_fold(s) for s in group}
        home = next((g for g in merged if folded & {_fold(s) for s in g}), None)
        if home is None:
            merged.append(list(group))
        else:
            home.extend(s for s in group if _fold(s) not in {_fold(h) for h in home})
    return merged
