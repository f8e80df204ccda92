"""How likely a text asks for help with harm: a logistic regression over sentence states, word runs and form.

Pure arithmetic on what an encoder gives; the weights are made by ``eval.training.policy``.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

WEIGHTS_FILE = "policy_weights.json"
GRAM_WORDS = 3
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

States = NDArray[np.float32]


class StateEncoder(Protocol):
    """Gives averaged token states of all-MiniLM-L6-v2; another model's would mean nothing to the weights."""

    def states(self, texts: Sequence[str]) -> States:
        """``(len(texts), len(STATE_LAYERS), width)`` float32, unit length; see :mod:`index.onnx_encoder`."""

    def is_word(self, word: str) -> bool:
        """Whether the tokenizer knows this word as one piece."""


_SELF = r"(?:i|we|my\s+\w+|our\s+\w+|me|us)"
_HARM = (
    r"(?:kill|murder|attack|bomb|shoot|stab|poison|behead|assassinat|kidnap|blow\s+up|explo|weapon|gun|rifle|grenade|"
    r"terror|jihad|isis|isil|iskp|is-k|daesh|caliphate|al-?qa|taliban|militant|mujahid|martyr|massacre|hostage|torture|"
    r"rape|steal|rob|hack|malware|ransomware|virus|phish|fraud|scam|forge|counterfeit|launder|smuggl|traffick|drug|meth|"
    r"cocaine|heroin|suicide|hate|racis|nazi|genocide|propaganda|recruit|radicali|extremis|bully|stalk|blackmail|threat)"
)
_FORMS: Mapping[str, str] = {
    "asks how for oneself": rf"\b(?:how|where|what|which|when|who)\b[^.?!]{{0,30}}\b(?:can|could|do|should|would|must|might|shall)\s+{_SELF}\b",
    "bare how-to": r"(?:^|[:.?!]\s*)how\s+(?:2|to)\b|\b(?:steps?|instructions?|recipe|guide|tutorial|tips?|blueprint|plan)\s+(?:to|for|on|how)\b",
    "says what one wants": r"\b(?:i|we)\s*(?:'d|would|'m|am|are|'re)?\s*(?:want|like|love|need|plan|going|intend|ready|hate|wish|looking|support)\b",
    "asks to be helped or shown": r"\b(?:help|teach|show|give|tell|send|find|get|sell|put|connect|bring)\s+(?:me|us)\b",
    "asks for a text": r"(?:^|[.:?!,]\s*(?:please\s+)?|\b(?:can|could|would)\s+you\s+)(?:write|draft|compose|create|make|generate|produce|design|translate|rewrite|invent|come\s+up)\b",
    "begins with an imperative": r"^\W*(?:please\s+)?(?:write|draft|compose|create|make|generate|produce|design|give|tell|teach|show|explain|describe|list|suggest|provide|plan|develop|help|find|build|sell|send|convince|persuade|justify|argue|outline|instruct)\b",
    "asks what happened": r"^\W*(?:and\s+)?(?:who|when|where|why|how|what|which\s+\w+|how\s+(?:many|much|long|often|old))\s+(?:\w+\s+){0,2}?(?:was|were|did|had|has|have|happened|killed|carried|attacked|claimed|joined|used|sold|made)\b",
    "asks about a third party": r"\b(?:how|why|what|where|whom?)\s+(?:do|does|did|has|have|had|is|are|was|were|will|would|could|can|might|should)\s+(?!i\b|we\b|one\b|you\b|my\b|our\b|someone\b|somebody\b)(?:the\s+|a\s+|an\s+)?\w+",
    "names a report": r"\b(?:according\s+to|report(?:s|ed)?|source|sources|author|article|study|studies|researchers?|analysts?|un|court|indictment|prosecutors?|police|investigators?|scholars?|history|historians?|experts?|psychologists?)\b",
    "asks for meaning or law": r"^\W*(?:what\s+(?:is|are|was|were|does)|define|explain\s+what|who\s+(?:is|are|was|were)|is\s+it|are\s+there|should|which\s+laws?|what'?s\s+the\s+(?:difference|punishment|penalty|law))\b|\bmean(?:s|ing)?\b|\b(?:legal|law|laws|penalty|punish\w*|banned|forbidden)\b",
    "is about prevention or help": r"\b(?:prevent\w*|protect\w*|stop\w*|recogni[sz]e\w*|notice\w*|warn\w*|report\s+(?:a|an|it|this|them)|detect\w*|avoid\w*|defend\w*|secure|counter\w*|fight\s+against|resist|safe|safely|safety|survivors?|victims?|help\s+(?:a|someone|people|girls|women|children)|hotline|therapy|symptoms|signs?|leave|quit|treat\w*|spot|against|why\s+is|dangers?|dangerous|harmful)\b",
    "someone else did it": r"\b(?:was|were|been|being|are|is|got)\s+(?:\w+ly\s+)?\w+(?:ed|en|own|ade|ung|old|aught|ought|aken|ut|it|ot)\b",
    "for a group of one's own": r"\b(?:our|us|we)\b[^.?!]*\b(?:cell|brothers|group|operation|attack|fighters|cause|movement|strike|militia|emir|unit|martyrs)\b",
    "so that harm comes": r"\b(?:so\s+(?:that\s+)?(?:i|we|he|she|they|nobody|no\s+one|more)|without\s+(?:being|getting|anyone|anybody|a\s+trace|the\s+\w+\s+noticing|leaving)|get\s+away\s+with|unnoticed|undetected|untraceable|anonymously|as\s+many\s+(?:people\s+)?as\s+possible)\b",
    "role or rule-breaking": r"\b(?:ignore\s+(?:all|your|the|any|previous|every)|no\s+(?:limits|restrictions|rules)|unrestricted|uncensored|pretend|you\s+are\s+(?:now\s+)?(?:a|an|my|dan)|hypothetically|for\s+(?:a|my)\s+(?:novel|story|film|thriller|game)|roleplay|role-play|imagine|jailbreak)\b",
    "names harm": rf"\b{_HARM}",
}


@cache
def _forms() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(p, re.I) for p in _FORMS.values())


def form(text: str) -> tuple[float, ...]:
    """Who asks for whom, as zeros and ones; the last values say which of them meet a word of harm."""
    seen = tuple(1.0 if p.search(text) else 0.0 for p in _forms())
    harm = seen[-1]
    return (*seen, *(harm * value for value in seen[:-1]))


def grams(text: str) -> Counter[str]:
    """Runs of one to three words, lower case; the ends of the text count as a word."""
    words = ["^", *(w.lower() for w in _WORD.findall(text)), "$"]
    found: Counter[str] = Counter()
    for size in range(1, GRAM_WORDS + 1):
        found.update(" ".join(words[i : i + size]) for i in range(len(words) - size + 1))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """One logistic regression.

    Attributes:
        states: ``(len(STATE_LAYERS), width)``.
        form: one weight for each value of :func:`form`; empty where form plays no part.
        grams: weight of each known word run, its rarity (idf) included.
        idf: rarity of each known word run, for the length of the vector.
    """

    bias: float
    states: States
    form: tuple[float, ...]
    grams: Mapping[str, float]
    idf: Mapping[str, float]

    def probability(self, states: States, text: str) -> float:
        """In [0, 1]; ``states`` ``(len(STATE_LAYERS), width)``."""
        logit = self.bias + float((self.states * states).sum())
        if self.form:
            logit += sum(w * v for w, v in zip(self.form, form(text), strict=True))
        if self.grams:
            logit += self._of_grams(text)
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))

    def _of_grams(self, text: str) -> float:
        value = length = 0.0
        for gram, count in grams(text).items():
            if gram in self.idf:
                tf = 1 + math.log(count)
                value += tf * self.grams[gram]
                length += (tf * self.idf[gram]) ** 2
        return value / math.sqrt(length) if length else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWeights:
    """What training made: one model for what people ask, one for sentences that a model wrote."""

    request: Linear
    output: Linear


@cache
def load_weights() -> PolicyWeights:
    """The weights of this version."""
    data = json.loads(files("app").joinpath(WEIGHTS_FILE).read_text(encoding="utf-8"))
    return PolicyWeights(request=_linear(data["request"]), output=_linear(data["output"]))


def _linear(data: Mapping[str, Any]) -> Linear:
    idf = {gram: row[0] for gram, row in data["grams"].items()}
    return Linear(
        bias=float(data["bias"]),
        states=np.asarray(data["states"], dtype=np.float32),
        form=tuple(data["form"]),
        grams={gram: row[0] * row[1] for gram, row in data["grams"].items()},
        idf=idf,
    )
