"""Which requests are declined: help with violence, never questions about it. ``policy.toml`` says what is what.

The same rules hold for the page, the command line and the HTTP functions, for questions and for what models write.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from app.errors import BadSettings
from app.policy.classifier import Judge, PolicyWeights, load_across, load_weights
from app.question.network import StateEncoder
from app.text.language import language_of
from index.embed import Encoder
from index.multilingual_encoder import MultilingualEncoder, reads
from index.onnx_encoder import packaged
from ingest.language import is_mostly_latin

POLICY_FILE = "policy.toml"
_REMEMBERED = 256
_LONGEST = 4000
"""Characters looked at; questions are shorter anyway, and a model's text is looked at sentence by sentence."""
_SENTENCES = 60
_LEAST_WORDS = 3
"""Shorter texts are talk or search words ("tell me more", "bomb"); without context they tell no wish, so nobody judges them."""

Reason = Literal["allowed", "pattern", "language", "question", "sentence", "output", "harmless"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """Whether a text is declined, and why.

    Attributes:
        score: the classifier's probability in [0, 1]; 1 or 0 where a pattern decided.
        why: what decided.
    """

    declined: bool
    score: float
    why: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The content of a policy file, compiled."""

    message: str
    output_message: str
    threshold: float
    sentence_threshold: float
    output_threshold: float
    allow: tuple[re.Pattern[str], ...]
    decline: tuple[re.Pattern[str], ...]
    output: tuple[re.Pattern[str], ...]
    languages: tuple[re.Pattern[str], ...]
    words: tuple[str, ...]


def read_rules(own: Path | None = None) -> Rules:
    """The rules of this version, with those of a home's own file added.

    Raises:
        BadSettings: the file cannot be read, holds an unknown key or a pattern that is none.
    """
    data = tomllib.loads(files("app.policy").joinpath(POLICY_FILE).read_text(encoding="utf-8"))
    if own is not None and own.is_file():
        try:
            mine = tomllib.loads(own.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
            raise BadSettings(f"the policy file {own} cannot be read: {exc}") from exc
        for key, value in mine.items():
            data[key] = _merged(own, key, data.get(key), value)
    return Rules(
        message=" ".join(data["message"].split()),
        output_message=" ".join(data["output_message"].split()),
        threshold=data["threshold"], sentence_threshold=data["sentence_threshold"],
        output_threshold=data["output_threshold"],
        allow=_compiled("allow", data["allow"]), decline=_compiled("decline", data["decline"]),
        output=_compiled("output", data["output"]),
        languages=_compiled("languages", [p for patterns in data["languages"].values() for p in patterns]),
        words=tuple(dict.fromkeys(data["words"].split())),
    )  # fmt: skip


def _merged(file: Path, key: str, ours: Any, mine: Any) -> Any:
    good = isinstance(mine, type(ours)) or (isinstance(ours, float) and isinstance(mine, int))
    if ours is None:
        raise BadSettings(f"{key!r} in {file} is not a known key of a policy")
    if isinstance(ours, list):
        good = good and all(isinstance(p, str) for p in mine)
    elif isinstance(ours, dict):
        good = good and all(isinstance(v, list) and all(isinstance(p, str) for p in v) for v in mine.values())
    elif isinstance(ours, float):
        good = good and not isinstance(mine, bool) and 0 <= mine <= 1
    if not good:
        raise BadSettings(f"{key!r} in {file} is not of the form that app/policy/policy.toml has for it")
    if isinstance(ours, list):
        return [*ours, *mine]
    if isinstance(ours, dict):
        return {name: [*ours.get(name, []), *mine.get(name, [])] for name in {**ours, **mine}}
    return f"{ours} {mine}" if key == "words" else mine


def _compiled(key: str, patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
    out = []
    for pattern in patterns:
        try:
            out.append(re.compile(pattern, re.I | re.X))
        except re.error as exc:
            raise BadSettings(f"a pattern under {key!r} of the policy is not a regular expression: {exc}") from exc
    return tuple(out)


class Policy:
    """Rules on questions and on texts that a model wrote. Safe to use from several threads.

    Args:
        encoder: gives the states that the weights were made for.
        other: judges what people ask in other languages than English, by the vectors of ``other_encoder``.
    """

    def __init__(
        self, rules: Rules, weights: PolicyWeights, encoder: StateEncoder, other: Judge, other_encoder: Encoder
    ) -> None:
        self.rules = rules
        self._other = other
        self._other_encoder = other_encoder
        self._weights = weights
        self._encoder = encoder
        self.ruling = lru_cache(maxsize=_REMEMBERED)(self._rule)
        """What becomes of a question."""

    def declines(self, question: str) -> str | None:
        """The sentence to say instead of an answer, or None when the question may be answered."""
        return self.rules.message if self.ruling(question).declined else None

    def declines_output(self, text: str) -> str | None:
        """The sentence to say instead of a text that a model wrote, or None when it may be shown."""
        return self.rules.output_message if self.output_ruling(text).declined else None


    def output_ruling(self, text: str) -> Ruling:
        """What becomes of a text that a model wrote; each of its sentences counts."""
        plain = normalise(text)
        if any(p.search(plain) for p in self.rules.output):
            return Ruling(declined=True, score=1.0, why="pattern")
        sentences = split(plain)[:_SENTENCES]
        if not sentences:
            return Ruling(declined=False, score=0.0, why="harmless")
        states = self._encoder.states(sentences)
        score = max(self._weights.output.probability(s, t) for s, t in zip(states, sentences, strict=True))
        return Ruling(declined=score > self.rules.output_threshold, score=score, why="output")

    def _rule(self, question: str) -> Ruling:
        rules = self.rules
        plain = normalise(question[:_LONGEST])
        if not plain:
            return Ruling(declined=False, score=0.0, why="harmless")
        text = mend(plain, rules.words, self._encoder)
        if any(p.search(text) for p in rules.allow):
            return Ruling(declined=False, score=0.0, why="allowed")
        if any(p.search(text) for p in rules.decline):
            return Ruling(declined=True, score=1.0, why="pattern")
        if any(p.search(plain) for p in rules.languages):
            return Ruling(declined=True, score=1.0, why="language")
        if len(text.split()) < _LEAST_WORDS:
            return Ruling(declined=False, score=0.0, why="harmless")
        latin = is_mostly_latin(text)
        ruling = self._classify(text) if latin else Ruling(declined=False, score=0.0, why="harmless")
        if ruling.declined or not reads(plain) or (latin and language_of(plain).code == "en"):
            return ruling
        return self._classify_other(plain)

    def _classify_other(self, text: str) -> Ruling:
        score = self._other.probability(self._other_encoder.encode([text])[0], text)
        if score > self.rules.threshold:
            return Ruling(declined=True, score=score, why="question")
        return Ruling(declined=False, score=score, why="harmless")

    def _classify(self, text: str) -> Ruling:
        # A long frame around a short request thins it out: each sentence is looked at by itself too.
        sentences = [s for s in split(text)[:_SENTENCES] if len(s.split()) >= 3]
        texts = [text, *(sentences if len(sentences) > 1 else [])]
        states = self._encoder.states(texts)
        scores = [self._weights.request.probability(s, t) for s, t in zip(states, texts, strict=True)]
        if scores[0] > self.rules.threshold:
            return Ruling(declined=True, score=scores[0], why="question")
        part = max(scores[1:], default=0.0)
        if part > self.rules.sentence_threshold:
            return Ruling(declined=True, score=part, why="sentence")
        return Ruling(declined=False, score=scores[0], why="harmless")


_LOOKALIKES = str.maketrans("аеорсухіјѕԁһքαοеνρτΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "aeopcyxijsdhqaoevptABEZHIKMNOPTYX")
_LEET = str.maketrans("013457@$!", "oieastasi")
_SPACED = re.compile(r"(?<!\w)(?:[^\W\d_][ .\-_*]){3,}[^\W\d_](?!\w)")
_END = re.compile(r"(?<=[.!?;])[\"'”’)]*\s+|\s*\n+\s*|(?<=\w):\s+(?=\w)")


def normalise(text: str) -> str:
    """The text as a reader takes it: one width, no hidden characters, no letters of other scripts in disguise."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(
        "\n" if c == "\n" else " " if c.isspace() or unicodedata.category(c) == "Cc" else c
        for c in text
        if unicodedata.category(c) not in {"Cf", "Mn", "Cs", "Co"} or c == "\u200c"
    )
    text = re.sub(r"\S+", lambda m: _latin(m.group()), text)
    text = _SPACED.sub(lambda m: re.sub(r"[ .\-_*]", "", m.group()), text)
    return re.sub(r"[^\S\n]+", " ", text).strip()


def _latin(word: str) -> str:
    """A word that mixes Latin with lookalikes of other scripts, in Latin."""
    changed = word.translate(_LOOKALIKES)
    return changed if changed != word and re.search(r"[A-Za-z]", word) and changed.isascii() else word


def mend(text: str, words: Sequence[str], encoder: StateEncoder) -> str:
    """Misspelt words that matter to the policy, spelled as in ``words``; what the tokenizer knows stays."""
    known = frozenset(words)

    def fix(match: re.Match[str]) -> str:
        word = match.group()
        lower = word.lower()
        if lower in known:
            return word
        plain = lower.translate(_LEET)
        if plain != lower and plain in known and re.search(r"[a-z]{2}", lower):
            return plain
        name = word[0].isupper() and match.start() > 0
        if len(lower) < 4 or not lower.isascii() or not lower.isalpha() or name:
            return word
        return word if encoder.is_word(lower) else _nearest(lower, known) or word

    return re.sub(r"[\w@$!]*[^\W\d_][\w@$]*", fix, text)


def _nearest(word: str, known: frozenset[str]) -> str | None:
    from rapidfuzz.distance import OSA

    best: tuple[int, str] | None = None
    for candidate in known:
        allowed = 1 if len(candidate) < 7 else 2
        if candidate[0] == word[0] and abs(len(candidate) - len(word)) <= allowed and len(candidate) >= 4:
            distance = OSA.distance(word, candidate, score_cutoff=allowed)
            if distance <= allowed and (best is None or (distance, candidate) < best):
                best = (distance, candidate)
    return best[1] if best else None


def split(text: str) -> list[str]:
    """Sentences and lines, blank ones left out."""
    return [part.strip() for part in _END.split(text) if part and part.strip()]


def load(own: Path | None = None, encoder: object = None, other: Encoder | None = None) -> Policy:
    """The policy of this version with a home's own file.

    Args:
        encoder: used when it is the packaged model, so that it is in memory once.
        other: the packaged multilingual encoder; one of its own without it.
    """
    other = other or MultilingualEncoder()
    return Policy(read_rules(own), load_weights(), packaged(encoder), load_across(), other)


@cache
def default() -> Policy:
    """The policy without anything of a home."""
    return load()


def declines(question: str) -> str | None:
    """As :meth:`Policy.declines`, by the policy of this version alone."""
    return default().declines(question)


def declines_output(text: str) -> str | None:
    """As :meth:`Policy.declines_output`, by the policy of this version alone."""
    return default().declines_output(text)
