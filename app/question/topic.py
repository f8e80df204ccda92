"""Whole-collection questions: "what do the sources say about X?" asks for an overview of X."""

from __future__ import annotations

import re

_ABOUT = r"(?:about|on|regarding|concerning|of)"
_SOURCES = (
    r"(?:all |these |those |your |the |any )*(?:bundled |different |various |public )?"
    r"(?:sources?|articles?|documents?|texts?|reports?|notes?|collection|corpus|papers?|files?)"
)
_PATTERNS = tuple(
    re.compile(p, re.I)
    for p in (
        rf"^(?:so )?what (?:do|does|did|can|have|has) (?:{_SOURCES}|you|we|it|they) (?:say|said|tell|told|report|reported|know|"
        rf"known|write|written|have|mention|contain|cover)(?: (?:us|me))? {_ABOUT} (?P<topic>.+)$",
        rf"^what (?:is|was|has been|have been) (?:known|reported|said|written|there|mentioned|published)(?: \w+)? {_ABOUT} (?P<topic>.+)$",
        rf"^(?:please |can you |could you )*(?:give|write|show|provide|draw up|prepare)(?: me| us)? (?:an? |the )?(?:short |brief |quick |general )?"
        rf"(?:overview|summary|survey|digest) {_ABOUT} (?P<topic>.+)$",
        rf"^(?:an? |the )?(?:short |brief )?(?:overview|summary|survey|digest) {_ABOUT}:? (?P<topic>.+)$",
        rf"^(?:please |can you |could you )*(?:summari[sz]e|sum up)(?: (?:for me|briefly))? (?:what (?:is|was) (?:said|known|reported|written)|"
        rf"what {_SOURCES} (?:say|report|write)|everything|all(?: that is)?(?: known| said)?|{_SOURCES}) {_ABOUT} (?P<topic>.+)$",
        rf"^(?:please |can you |could you )*tell (?:me|us) (?:everything|all|something|more|what you know|what {_SOURCES} say)"
        rf"(?: there is| that is known)? {_ABOUT} (?P<topic>.+)$",
        rf"^(?:what|which) {_SOURCES} (?:mention|deal with|discuss|cover|treat|write about|speak (?:of|about)|talk about|are about) (?P<topic>.+)$",
    )
)
_NO_TOPIC = re.compile(rf"^(?:it|this|that|them|him|her|the topic|{_SOURCES}|everything)$", re.I)


def topic_of(question: str) -> str | None:
    """What an overview is wanted of, or None when the question is not of that kind."""
    text = " ".join(question.split()).rstrip(" ?!.")
    for pattern in _PATTERNS:
        found = pattern.match(text)
        if found:
            topic = found["topic"].strip(" :“”\"'")
            return None if _NO_TOPIC.match(topic) else topic
    return None
