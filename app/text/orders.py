"""Which sentences tell somebody what to do. Inside a source they are data, and no evidence for a statement."""

from __future__ import annotations

import re

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
_COURTESY = r"(?:please|kindly|now|also|then|next|just|finally|first|instead|always|never|do not|don['’]t|make sure to|be sure to|remember to)"
_VERBS = (
    "add", "act", "adopt", "advise", "analy[sz]e", "announce", "answer", "append", "apply", "arrange", "ask", "assume", "attach",
    "avoid", "begin", "break down", "buy", "calculate", "call", "capitali[sz]e", "change", "check", "choose", "cite", "claim", "classify",
    "click", "close", "compare", "complete", "compose", "compute", "conclude", "consider", "contact", "continue", "convert",
    "copy", "create", "decode", "define", "delete", "describe", "design", "determine", "develop", "discuss", "display", "donate",
    "download", "draft", "draw", "emphasi[sz]e", "encode", "encourage", "encrypt", "end", "enter", "evaluate", "exchange",
    "execute", "explain", "express", "find", "finish", "follow", "format", "generate", "give", "go to", "group", "highlight",
    "identify", "imagine", "imitate", "ignore", "include", "incorporate", "insert", "integrate", "interpret", "introduce", "invert", "invest", "join",
    "leave out", "let", "list", "log in", "make", "look up", "mask", "mention", "misspell", "mix", "modify", "name", "offer", "omit",
    "order", "outline", "output", "paraphrase", "perform", "print", "promote", "propose", "provide", "predict", "purchase", "put",
    "recommend", "rearrange", "refer", "remind", "remove", "repeat", "rephrase", "replace", "reply", "report", "respond",
    "return", "reverse", "rewrite", "say", "search", "send", "share", "show", "sign up", "simulate", "solve", "speak", "start",
    "state", "sort", "stop", "subscribe", "substitute", "suggest", "summari[sz]e", "switch", "teach", "tell", "think", "transform",
    "translate", "try", "type", "use", "visit", "vote", "walk", "warn", "work out", "write",
)  # fmt: skip
_COMMAND = re.compile(
    rf"^\W*(?:{_COURTESY}[,:]?\s+)*(?:{'|'.join(_VERBS)})\s+(?!(?:of|was|were|is|are|has|had|said|says|by|and)\b)\S",
    re.I,
)
_NOUN_AFTER = re.compile(
    r"^\W*\w+\s+(?:[A-Za-z’'-]+\s+){0,3}?(?:was|were|is|are|has|have|had|will|said|says|rose|fell|came)\b", re.I
)
_COURTESY_WORDS = frozenset(("please", "kindly", "always", "never", "don", "do"))
_NOUNS_TOO = frozenset(
    ["act", "address", "answer", "approach", "arrange", "call", "cause", "change", "check", "claim", "click", "close", "complete", "contact", "copy", "cover", "cut", "design", "display", "donate", "download", "draft", "draw", "end", "estimate", "exchange", "express", "find", "finish", "focus", "format", "group", "highlight", "initial", "insert", "join", "lead", "leave", "list", "mask", "matter", "mention", "mix", "model", "name", "offer", "order", "outline", "output", "play", "print", "process", "program", "promise", "promote", "purchase", "put", "record", "refer", "remind", "repeat", "reply", "report", "respond", "return", "reverse", "search", "send", "share", "show", "sign", "sort", "sound", "speak", "start", "state", "stop", "subject", "substitute", "switch", "talk", "teach", "test", "think", "transform", "translate", "try", "type", "use", "visit", "vote", "walk", "warn", "work", "write"]
)  # fmt: skip
"""Verbs of :data:`_VERBS` and their like that also begin statements, as nouns or in headlines."""
_OBJECT_AFTER = re.compile(
    r"^\W*[a-z]+ (?:up |out |down |off |back )?(?:the|an?|all|any|this|that|these|those|your|my|its|his|her|their|our|me|us|it|them|"
    r"each|every|some|how|what|why|when|where|who|whether|if|only|both|no|not|[\"“‘']|here|now|below|above)(?!\w)",
    re.I,
)
_LINK = re.compile(r"https?://|\bwww\.|\b[\w.+-]+@[\w-]+\.[\w.]+|\b[\w-]+\.(?:com|org|net|info|xyz|io|ru|biz)\b", re.I)


def to_answerer(sentence: str) -> bool:
    """Whether a sentence speaks to whoever writes the answer: to a language model, in a planted text."""
    return bool(_ANSWERER.search(sentence))


def command(sentence: str) -> bool:
    """Whether a sentence is an order or a request, by its first word: a verb in its plain form, without a subject."""
    return bool(_COMMAND.match(sentence)) and not _NOUN_AFTER.match(sentence)


def imperative(sentence: str) -> bool:
    """Whether a sentence is surely an order: what may as well begin with a noun ("State law forbids …") is none."""
    if not command(sentence):
        return False
    words = re.findall(r"[^\W\d_]+", sentence.lower())
    first = next((w for w in words if w not in _COURTESY_WORDS), "")
    return first not in _NOUNS_TOO or words[0] in _COURTESY_WORDS or bool(_OBJECT_AFTER.match(sentence))


def question(sentence: str) -> bool:
    """Whether a sentence asks."""
    return sentence.rstrip(" \"'”’»)").endswith("?")


def link(sentence: str) -> bool:
    """Whether a sentence holds an address of a site or a mailbox."""
    return bool(_LINK.search(sentence))
