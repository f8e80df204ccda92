"""Reasons: the sentences that tell why, each with who gives the reason."""

from __future__ import annotations

from app.answering.engine import Desk, Outcome
from app.answering.rows import Sheet, alike, widely_read
from app.evidence.gather import Evidence
from app.text.parse import Parse, parse

PASSAGES = 16
MOST, LEAST = 4, 2
FLOOR = 0.05
"""Least score of a sentence that gives a reason."""
CAUSAL = 2.0
"""Strength that a cause in the sentence is worth."""
_MARKS = frozenset(("because", "so"))
_NOUNS = frozenset(("reason", "cause", "factor", "explanation", "motive", "result", "consequence", "effect", "driver", "purpose"))
_VERBS = frozenset(("cause", "explain", "result", "stem", "reflect", "drive", "prompt", "owe", "depend"))


def why(desk: Desk) -> Outcome | None:
    """Up to four reasons; None where fewer than two sentences give one."""
    if desk.request.shape != "why":
        return None
    trace = widely_read(desk, desk.request.question, PASSAGES)
    if not trace.decision.answer:
        return None
    with desk.clock.stage("generate"):
        pairs = [(e, tells_cause(parse(e.text))) for e in trace.evidence if e.score >= FLOOR and not e.of_others]
        ranked = sorted(pairs, key=lambda pair: -(pair[0].strength + CAUSAL * pair[1]))
        chosen: list[Evidence] = []
        for item, causal in ranked:
            fits = causal or item.score >= trace.evidence[0].score / 2
            if fits and len(chosen) < MOST and not any(alike(item.text, c.text, desk.index.vocabulary) for c in chosen):
                chosen.append(item)
        if len(chosen) < LEAST or not any(causal for item, causal in ranked if item in chosen):
            return None
        sheet = Sheet(desk.index.source)
        return sheet.outcome(desk, "why", "\n".join(f"- {sheet.add('', [item])}" for item in chosen), trace)


def tells_cause(found: Parse) -> bool:
    """Whether a sentence tells a cause or a purpose: "because", "due to", "in order to", "the reason", "led to"."""
    for place, word in enumerate(found.words):
        below = {found.words[c].lemma for c in found.children[place]}
        if word.dep in {"advcl", "ccomp"} and any(found.words[c].dep == "mark" and found.words[c].lemma in _MARKS for c in found.children[place]):
            return True
        if word.lemma in {"because", "due"} or (word.lemma == "order" and "in" in {found.words[word.head].lemma} and word.dep == "pobj"):
            return True
        if word.dep == "advcl" and word.tag == "VB" and "to" in below:
            return True
        if (word.pos == "NOUN" and word.lemma in _NOUNS) or (word.pos == "VERB" and word.lemma in _VERBS):
            return True
    return False
