"""How likely a text asks for help with harm, or praises it: a small network over the encoder's averaged token states.

Pure arithmetic on what an encoder gives; the weights are made by ``eval.training.policy``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from app.question.network import Floats, Network, network

WEIGHTS_FILE = "weights.safetensors"
ACROSS_FILE = "across.safetensors"

_SELF = r"(?:i|we|my\s+\w+|our\s+\w+|me|us)"
_HARM = (
    r"(?:kill|murder|attack|bomb|shoot|stab|poison|behead|assassinat|kidnap|blow\s+up|explo|weapon|gun|rifle|grenade|"
    r"terror|jihad|isis|isil|iskp|is-k|daesh|caliphate|al-?qa|taliban|militant|mujahid|martyr|massacre|hostage|torture|"
    r"rape|steal|rob|hack|malware|ransomware|virus|phish|fraud|scam|forge|counterfeit|launder|smuggl|traffick|drug|meth|"
    r"cocaine|heroin|suicide|hate|racis|nazi|genocide|propaganda|recruit|radicali|extremis|bully|stalk|blackmail|threat)"
)
FORMS: Mapping[str, str] = {
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
    return tuple(re.compile(p, re.I) for p in FORMS.values())


def form(text: str) -> tuple[float, ...]:
    """Who asks for whom, as zeros and ones, one for each of :data:`FORMS`."""
    return tuple(1.0 if p.search(text) else 0.0 for p in _forms())


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A network of one output.

    Attributes:
        with_form: whether :func:`form` plays a part.
    """

    network: Network
    with_form: bool

    def probability(self, states: Floats, text: str) -> float:
        """In [0, 1]; ``states`` ``(len(STATE_LAYERS), width)``."""
        logit = float(self.network.logits(states, form(text) if self.with_form else ())[0])
        return float(1 / (1 + np.exp(-np.clip(logit, -60.0, 60.0))))


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWeights:
    """What training made: one network for what people ask, one for sentences that a model wrote."""

    request: Judge
    output: Judge


@cache
def load_weights() -> PolicyWeights:
    """The weights of this version."""
    from safetensors.numpy import load

    tensors = load(files("app.policy").joinpath(WEIGHTS_FILE).read_bytes())
    return PolicyWeights(request=_judge(tensors, "request"), output=_judge(tensors, "output"))


@cache
def load_across() -> Judge:
    """What judges requests in other languages by vectors of the multilingual encoder (``eval.training.across``)."""
    from safetensors.numpy import load

    return Judge(network=network(load(files("app.policy").joinpath(ACROSS_FILE).read_bytes()), "request"), with_form=False)


def _judge(tensors: Mapping[str, NDArray[np.generic]], name: str) -> Judge:
    return Judge(network=network(tensors, name), with_form=bool(tensors[f"{name}.with_form"][0]))
