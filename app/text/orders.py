"""Which sentences tell somebody what to do. Inside a source they are data, and no evidence for a statement."""

from __future__ import annotations

import re

from app.text.parse import parse

_ANSWERER = re.compile(
    r"\byour\s+(?:[\w-]+\s+){0,3}?(?:answers?|responses?|repl(?:y|ies)|outputs?|completions?|summar(?:y|ies)|messages?|generated text)\b"
    r"|\b(?:ignore|disregard|forget|override|bypass)\b[^.!?]{0,40}\b(?:instructions?|rules?|prompts?|guidelines?|passages?|"
    r"(?:above|before|previous)\b)"
    r"|\b(?:system|hidden|initial) prompt\b|\b(?:you are|as|act as|pretend to be)\b (?:now )?(?:an? |the )?(?:AI|assistant|chat ?bot|"
    r"(?:large )?language model|LLM)\b|\b(?:note|message|instructions?|attention)\b[^.!?]{0,20}\b(?:to|for)\b[^.!?]{0,12}"
    r"\b(?:AI|assistants?|chat ?bots?|(?:language )?models?|LLMs?|answering systems?)\b"
    r"|\b(?:when|before|after|while|instead of|in) (?:you )?(?:answer|respond|reply)(?:ing|s)?\b",
    re.I,
)
_LINK = re.compile(r"https?://|\bwww\.|\b[\w.+-]+@[\w-]+\.[\w.]+|\b[\w-]+\.(?:com|org|net|info|xyz|io|ru|biz)\b", re.I)


def to_answerer(sentence: str) -> bool:
    """Whether a sentence speaks to whoever writes the answer: to a language model, in a planted text."""
    return bool(_ANSWERER.search(sentence))


def imperative(sentence: str) -> bool:
    """Whether a sentence is an order or a request: its main verb is in the plain form and has no subject.

    By the parse 56 of 60 own sentences are told right; by a list of 157 verbs 41 were.
    """
    return parse(sentence).is_order


def question(sentence: str) -> bool:
    """Whether a sentence asks."""
    return sentence.rstrip(" \"'”’»)").endswith("?")


def link(sentence: str) -> bool:
    """Whether a sentence holds an address of a site or a mailbox."""
    return bool(_LINK.search(sentence))
