"""Whether a figure of a sentence is of the kind that is asked for, is stated, and counts the whole of it."""

from __future__ import annotations

import re

from app.question.target import NEUTRAL, Target
from app.text.quantities import Quantity, group_of, quantities
from app.text.spans import led_by
from index.terms import TOKEN, Vocabulary

NEGATED = re.compile(
    r"\b(?:not?|none|never|neither|nor|cannot|wrong(?:ly)?|incorrect(?:ly)?|false(?:ly)?|denie[sd]|misread\w*|misquot\w*|misattribut\w*|mistaken\w*|misreport\w*)\b|n['’]t\b",
    re.I,
)
_IF = re.compile(
    r"\b(?:could|(?-i:may)|might|would|possib\w+|potential\w*|expect(?:ed|s)?|project(?:ed|ion|ions)|forecasts?|predict\w*|goal|target(?:s|ed)?|"
    r"plans? to|plan(?:ned|s)|aims?|capacity|room for|if|once|hop(?:es|ed)|feared|threatened)\b",
    re.I,
)
_PLACE_AFTER = re.compile(
    r"\b(?:in|from|near|along|around|across)\s+(?:the\s+)?(?:[\w-]+\s+){0,2}?(?:north|south|east|west|northern|southern|eastern|western|"
    r"north-?\w*|south-?\w*|provinces?|districts?|regions?|borders?|city|cities|suburbs?|counties|county|village|villages|area|areas)\b"
    r"|\bin [A-Z][\w-]+ alone\b|\balone\b",
)
_PART_AFTER = re.compile(
    r"^[\w\s’'-]{0,50}\b(?:are|were|was|is|being|came|come|who)\s+(?:also\s+|all\s+|mostly\s+)?(?:citizens|nationals|women|men|girls|boys|"
    r"children|minors|students|foreign\w*|from|natives|immigrants|residents|tourists|veterans|under|over|[A-Z])",
)
_OTHER_SCOPE = re.compile(
    r"\b(?:all (?:other )?groups|together with|altogether|combined|of which|core group|family members only|per (?:year|month|day|week|"
    r"capita)|an? (?:day|week|month) ?|on average|average|each|every (?:day|week|month)|(?:dozens|hundreds) more)\b",
    re.I,
)
_FEW = 12
"""Up to this, a number may count the figures themselves: "the last two"."""
_FAMILIES_TOO = re.compile(
    r"\b(?:counting|including|includes?|with) (?:their |the )?(?:family members|relatives|families)\b", re.I
)
_CLAUSE = re.compile(r";\s+|:\s+|,?\s+(?:while|whereas|but)\s+")
_GIVEN_AS = ("of", "at", "is", "are", "was", "were", "to", "as", "be")
"""Words right before a figure that is given for what the words before name: "a size of 4,000"."""
_GENERIC = frozenset(
    re.findall(
        r"\w+",
        "total overall confirmed reported active armed estimated registered known different individual new separate full complete whole "
        "actual people person member fighter human own regular such more dead killed suspected alleged core local",
    )
)


def fits(q: Quantity, target: Target, sentence: str, question: str, vocabulary: Vocabulary) -> bool:
    """Whether a figure is of the kind that is asked for, is stated, and counts the whole of it."""
    if q.kind not in target.kinds or not states_whole(q, target, sentence, question):
        return False
    if q.kind != "count":
        stems = set(vocabulary.stems(sentence))
        return target.label <= stems and (not target.dimension or bool(target.dimension & stems))
    asked_stems = set(vocabulary.stems(question))
    if any(not set(vocabulary.stems(name)) <= asked_stems for name in q.named):
        return False
    extra = {m for m in q.modifiers if m not in asked_stems and m not in {vocabulary.stem(g) for g in _GENERIC}}
    named = {s for name in q.named for s in (vocabulary.stem(name), *vocabulary.stems(name))}
    if extra - named:
        return False
    if target.verb and q.verb and q.verb != target.verb and not NEUTRAL.match(q.verb):
        return False
    if target.verb and not q.verb and target.verb not in vocabulary.stems(sentence):
        return False
    return _same_noun(q, target, sentence, vocabulary)


def states_whole(q: Quantity, target: Target, sentence: str, question: str) -> bool:
    """Whether a figure is stated, not denied or expected, and of the whole, not of a part or one of many, unless the question asks for that."""
    if q.aside or q.change != target.change:
        return False
    clause = clause_of(sentence, q)
    around = sentence[clause[0] : clause[1]]
    behind = sentence[q.end : clause[1]]
    near = sentence[max(clause[0], sentence.rfind(", ", 0, q.start)) : q.end] + behind.split(", ")[0]
    first = behind.split(",", maxsplit=1)[0]
    looked_at = ((NEGATED, around), (_IF, near), (_OTHER_SCOPE, near), (_PLACE_AFTER, first), (_PART_AFTER, first))
    return not any(p.search(text) and not p.search(question) for p, text in looked_at)


def _same_noun(q: Quantity, target: Target, sentence: str, vocabulary: Vocabulary) -> bool:
    if target.events:
        if q.events != target.events:
            return False
        return q.head in target.heads or (q.head in {"", "people"} and target.heads <= {"people"})
    if q.events:
        return False
    if q.head in target.heads:
        return True
    if q.head == "people" and target.heads & {"strength", "staff"}:
        return any(group_of(w) in target.heads or w.lower().startswith("employ") for w in TOKEN.findall(sentence))
    if q.head == "" and not q.unit and target.heads & {"strength", "population"}:
        # "gives a size of 4,000–6,000"
        before = sentence[clause_of(sentence, q)[0] : q.start]
        return led_by(before, _GIVEN_AS) and any(group_of(w) in target.heads for w in TOKEN.findall(before))
    return False


def clause_of(sentence: str, q: Quantity) -> tuple[int, int]:
    """Start and end of the part of the sentence, between semicolons and contrasts, in which the figure stands."""
    cuts = list(_CLAUSE.finditer(sentence))
    start = max((m.end() for m in cuts if m.end() <= q.start), default=0)
    end = min((m.start() for m in cuts if m.start() >= q.end), default=len(sentence))
    return start, end


def unit_of(q: Quantity, sentence: str) -> str:
    """What is counted, as written, with "including family members" where that follows."""
    if q.kind in {"percent", "money", "measure"}:
        return ""
    with_whom = re.match(
        rf"[^,;.]{{0,12}}{re.escape(q.unit.split()[-1]) if q.unit else ''},? (?P<note>(?:counting|including|plus|with) (?:fighters and )?(?:their )?(?:family members|relatives|families|reserves)(?: together)?)",
        sentence[q.end :],
    )
    if not with_whom and counts_families(q, sentence):
        return "people, including family members"
    return f"{q.unit}, {with_whom['note']}" if with_whom and q.unit else q.unit


def counts_families(q: Quantity, sentence: str) -> bool:
    """Whether a remark behind the figure says that families are counted too: "4,000 in May, counting family members"."""
    remark = _FAMILIES_TOO.search(sentence, q.end) if q.head in {"strength", "people"} else None
    if remark is None:
        return False
    return not any(q.end <= o.start < remark.start() and o.point > _FEW for o in quantities(sentence))
