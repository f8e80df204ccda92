"""Questions that ask two or three things at once, taken apart so that each is looked up by itself."""

from __future__ import annotations

import re

from app.question.dialogue import State
from app.question.followup import resolved
from index.terms import Vocabulary

MOST_PARTS = 3
_WH = (
    r"(?:how (?:many|much|long|old|large|big|often|far|high)|what|who|whom|whose|when|where|why|how|which|"
    r"(?:by|for|to|with|from|in|at|on|since|until) (?:whom|what|when|where|which|how (?:many|much|long)))"
)
_DETAIL = (
    r"(?:date|year|time|number|amount|size|share|name|title|age|place|location|site|cost|price|length|duration|leader|"
    r"head|founder|author|cause|reason|purpose|aim|motive|result|outcome|toll|source|nationality|capital|population)s?"
)
_TWO_DETAILS = re.compile(
    rf"^(?P<ask>what|who) (?P<verb>is|are|was|were) (?!(?:the )?\w+s of )(?P<first>[^,?]*(?:['’]s? | of )[^,?]*?),? and "
    rf"(?P<second>(?:the|his|her|its|their) (?:\w+ ){{0,2}}{_DETAIL}\b[^,?]*)\??$",
    re.I,
)
"""Two things asked for by their names: "What is the guild's size and the name of its head?"."""
_SENTENCES = re.compile(r"(?<=\?)\s+(?=\S)")
_TWO_WORDS = re.compile(
    rf"^(?P<first>{_WH})(?:,? (?P<middle>{_WH}))?,? (?:and|or) (?P<second>{_WH}) (?P<rest>\S.*)$", re.I
)
_AND = re.compile(rf"(?:,? (?:and|or)|;) (?={_WH}\b)", re.I)
_JOINED = re.compile(rf"(?:,? (?:and|or)|[;,]) (?={_WH}\b)", re.I)
_ASKED = re.compile(rf"^(?:(?:and|so|but) )?{_WH}\s+", re.I)
_INVERTED = re.compile(
    r"\b(?:(?:do|does|did|can|could|will|would|should|may|might|must)\b"
    r"|(?:is|are|was|were|has|have|had) (?=(?:the|an?|this|that|these|those|he|she|it|they|his|her|its|their)\b|[A-Z])).*"
)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must)\b", re.I
)
_POINTS_BACK = re.compile(
    r"\b(?:he|she|it|they|him|her|them|his|hers|its|their|theirs|there|that|this|those|these|such)\b", re.I
)
_SHORT = 5
"""Up to so many words a further part has no verb of its own and shares that of the first."""


def split(question: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The questions in a question, each standing by itself; the question alone when it asks one thing.

    "When and where did X happen?" becomes two questions with the same rest; "Who led X, and since when?" lends the
    second the rest of the first; "Who led X, and what did he write?" resolves its pronoun from the first. "What are
    X's size and the name of its head?" asks for two details.
    """
    text = " ".join(question.split())
    whole = (question,)
    both = _TWO_WORDS.match(text)
    if both:
        asked = [both[g] for g in ("first", "middle", "second") if both[g]]
        tail = _JOINED.split(both["rest"], maxsplit=1)
        firsts = [f"{a[:1].upper()}{a[1:]} {tail[0].rstrip(' ?,')}?" for a in asked]
        more = [_complete(tail[1], firsts[0], vocabulary)] if len(tail) > 1 else []
        return tuple([*firsts, *more][:MOST_PARTS])
    details = _TWO_DETAILS.match(text)
    if details:
        verb = f"{details['ask'].capitalize()} {details['verb']}"
        first = f"{verb} {details['first']}?"
        return first, _complete(f"{verb} {details['second']}", first, vocabulary)
    pieces = [p for s in _SENTENCES.split(text) for p in _pieces(s)]
    if not 2 <= len(pieces) <= MOST_PARTS:
        return whole
    first = f"{pieces[0].rstrip(' ?,;')}?"
    return (first, *(_complete(p, first, vocabulary) for p in pieces[1:]))


def _pieces(sentence: str) -> list[str]:
    """A sentence at its further question words, if it begins with one itself."""
    if not re.match(rf"(?:(?:and|so|but) )?{_WH}\b", sentence, re.I):
        return [sentence]
    # A comma alone parts a clause from its main sentence as often as two questions.
    return [p for p in (_JOINED if _AND.search(sentence) else _AND).split(sentence) if p.strip()]


def _complete(part: str, first: str, vocabulary: Vocabulary) -> str:
    """A further part as a question of its own."""
    text = part.strip().rstrip(" ?")
    text = f"{text[:1].upper()}{text[1:]}"
    if len(text.split()) <= _SHORT and not (_AUXILIARY.search(text) or _POINTS_BACK.search(text)):
        rest = _INVERTED.search(first)
        return f"{text} {(rest.group() if rest else _ASKED.sub('', first)).rstrip(' ?')}?"
    alone = resolved(f"{text}?", State(question=first, vocabulary=vocabulary))
    mine = {vocabulary.stem(t) for t in vocabulary.content_terms(alone)}
    unsaid = [t for t in vocabulary.content_terms(first) if vocabulary.stem(t) not in mine]
    if unsaid and (_POINTS_BACK.search(alone) or len(mine) < 2):
        return f"{alone.rstrip(' ?')} – {' '.join(unsaid)}?"
    return alone
