"""Follow-up questions made standalone from the conversation, without a model.

The words of the user are kept; what they leave out is taken from the last question or answer, and the
result is shown so that it can be corrected.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answer import MARKER
from app.text.orders import imperative
from index.terms import Vocabulary
from ingest.sentences import sentence_spans

_ELLIPSIS = re.compile(
    r"^\W*(?:and|but|so|or|then|also)?,?\s*(?:(?P<about>what about|how about)\s+|(?P<prep>in|on|at|for|by|from|to|with|before|after|since|during|under)\s+)(?P<rest>.+?)\W*$",
    re.I,
)
_AND_NAME = re.compile(r"^\W*(?:and|but|or)\b,?\s+(?P<rest>(?:the )?[^\s?.!]+(?: [^\s?.!]+){0,4})\W*$", re.I)
_CONNECTED = re.compile(r"^\W*(?:and|but|so|also|then)\b,?\s*", re.I)
_WHY_ALONE = re.compile(
    r"^\W*(?:and |but )?(?P<word>why|how|when|where|since when|how so|why not|who|by whom|says who|how many|how much)\W*$",
    re.I,
)
_POINTS_BACK = re.compile(r"\b(?:that|this|these|those|it)\b", re.I)
_SAID_BACK = re.compile(
    r"\b(?:sa(?:id|ys|y)|claim(?:s|ed)?|report(?:s|ed)?|wrote|argue[sd]?|state[sd]?|source)\b.*\b(?:that|this|it|so)\b",
    re.I,
)
_PRONOUN = re.compile(
    r"\b(?:it|they|them|he|she|him|her|its|their|his|the (?:group|organi[sz]ation|country|author|article|company|movement|attack|ministry|report))\b",
    re.I,
)
_GO_ON = re.compile(
    r"^\W*(?:please\s+)?(?:continue|go on|carry on|proceed|elaborate|explain|expand|more|and then|what else)(?:\s+details?)?"
    r"(?:,?\s+please)?\W*$",
    re.I,
)
"""Asks for more of the same. It changes none of 1,024 turns of real conversations (MTRAG-UN); buttons of chat clients send such words."""
_YEAR = re.compile(r"\b(?:1[89]|20)\d\d\b")
_NAME = re.compile(r"\b(?:[A-Z][\w’'-]*(?:\s+(?:of|and|the|al|de)\s+(?=[A-Z]))?\s?)+")
_QUESTION_WORDS = frozenset(
    [
        "who",
        "what",
        "when",
        "where",
        "why",
        "how",
        "which",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "has",
        "have",
        "had",
        "can",
        "could",
        "will",
        "would",
        "should",
        "in",
        "on",
        "at",
        "and",
        "but",
        "the",
        "a",
        "an",
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of the conversation; ``role`` is "user" or "assistant"."""

    role: str
    content: str


def standalone(question: str, history: Sequence[Turn], vocabulary: Vocabulary) -> str:
    """The question with what it leaves out filled in from the conversation.

    A question that stands by itself comes back unchanged.
    """
    asked = [t.content for t in history if t.role == "user" and t.content.strip()]
    answered = [t.content for t in history if t.role == "assistant" and t.content.strip()]
    if not asked:
        return question
    previous = " ".join(asked[-1].split())
    lead = _lead_sentence(answered[-1]) if answered else ""
    alone = _WHY_ALONE.match(question)
    if alone and lead:
        return f"{alone['word'].capitalize()}: {lead}?"
    if lead and _SAID_BACK.search(question) and not _topic(question, vocabulary):
        return f"{question.rstrip(' ?')}: {lead}?"
    ellipsis = _ELLIPSIS.match(question)
    if (
        ellipsis
        and len(question.split()) <= 9
        and "?" not in ellipsis["rest"]
        and not _has_verb_first(ellipsis["rest"])
    ):
        return _with_replacement(previous, ellipsis["rest"], ellipsis["prep"], vocabulary)
    named = _AND_NAME.match(question)
    if named and _is_name(named["rest"], vocabulary):
        return _with_replacement(previous, named["rest"], None, vocabulary)
    topic = _main_topic(previous, vocabulary) or _main_topic(lead, vocabulary)
    if topic and _GO_ON.match(question):
        return f"{question.strip(' ?.!').capitalize()} – {topic}?"
    pronoun = _PRONOUN.search(question)
    if pronoun and topic and topic.lower() not in question.lower() and not _names(question):
        return _replace_pronoun(question, pronoun, topic)
    connected = _CONNECTED.match(question)
    if (
        topic
        and not _names(question)
        and (connected or not _topic(question, vocabulary) or _POINTS_BACK.search(question))
    ):
        return f"{_CONNECTED.sub('', question).rstrip(' ?')} – {topic}?"
    return question


def _with_replacement(previous: str, new: str, preposition: str | None, vocabulary: Vocabulary) -> str:
    base = previous.rstrip(" ?.")
    year = _YEAR.search(new)
    if year and _YEAR.search(base):
        return _YEAR.sub(year.group(), base, count=1) + "?"
    if not preposition:
        # "what about X?": X takes the place of the last thing of its kind.
        known = {m.lower() for m in vocabulary.mentions(base)}
        others = [n for n in _names(base) if n.lower() not in known]
        old = others[-1] if others and not vocabulary.mentions(new) else _main_topic(base, vocabulary)
        if old and (_names(new) or vocabulary.mentions(new)):
            return re.sub(r"\bthe the\b", "the", base.replace(old, new, 1), flags=re.I) + "?"
        return f"{base} – {new}?"
    return f"{base} {preposition} {new}?"


def _replace_pronoun(question: str, pronoun: re.Match[str], topic: str) -> str:
    possessive = pronoun.group().lower() in {"its", "their", "his", "her"}
    replacement = f"{topic}’s" if possessive else topic
    return question[: pronoun.start()] + replacement + question[pronoun.end() :]


def _topic(text: str, vocabulary: Vocabulary) -> list[str]:
    return vocabulary.content_terms(text)


def _names(text: str) -> list[str]:
    """Capitalised names, without the word that begins a question or an order ("Tell", "Continue"), and a closing possessive."""
    found = []
    ordered = imperative(text)
    for match in _NAME.finditer(text):
        words = match.group().split()
        if ordered and not text[: match.start()].strip():
            words = words[1:]
        while words and words[0].lower() in _QUESTION_WORDS:
            words = words[1:]
        if words:
            found.append(re.sub(r"['’]s$", "", " ".join(words)))
    return found


def _is_name(text: str, vocabulary: Vocabulary) -> bool:
    """Whether a text is nothing but a name: "Kunar", "the Taliban"."""
    bare = re.sub(r"^the\s+", "", text, flags=re.I)
    return _names(bare) == [bare] or vocabulary.mentions(bare) == [bare]


def _main_topic(text: str, vocabulary: Vocabulary) -> str | None:
    """The entity a text is about: the last known spelling or name in it."""
    mentions = vocabulary.mentions(text)
    names = _names(MARKER.sub("", text))
    if mentions:
        return mentions[0]
    return names[-1] if names else None


def _has_verb_first(text: str) -> bool:
    return text.split(maxsplit=1)[0].lower() in {
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "has",
        "have",
        "can",
        "will",
        "who",
        "what",
        "when",
        "where",
        "why",
        "how",
    }


def _lead_sentence(answer: str) -> str:
    plain = " ".join(MARKER.sub("", answer).split())
    spans = sentence_spans(plain)
    return plain[slice(*spans[0])].rstrip(" .") if spans else ""
