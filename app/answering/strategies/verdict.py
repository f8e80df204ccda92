"""Yes or no: the question as a claim, held against the sentences that answer it best, and both sides with who says so."""

from __future__ import annotations

from collections.abc import Sequence

from app.answering.engine import Desk, Outcome
from app.answering.rows import Sheet, alike, widely_read
from app.citation_text import holder
from app.evidence.gather import Evidence
from app.text import claims
from app.text.claims import Said
from app.text.parse import parse
from index.terms import Vocabulary

PASSAGES = 10
SURE = 0.6
"""Least score of a sentence that says yes or no."""
SAID = 0.99
"""Share of the claim's words that such a sentence holds: of a part alone it can be no yes."""


def verdict(desk: Desk) -> Outcome | None:
    """"Yes", "No" or "Disputed" with the sentences for it; None where the sentences leave it open."""
    if desk.request.shape != "verdict":
        return None
    trace = widely_read(desk, desk.request.question, PASSAGES)
    if not trace.decision.answer:
        return None
    vocabulary = desk.index.vocabulary
    with desk.clock.stage("generate"):
        claim = claims.read(claimed(desk.request.standalone), vocabulary)
        sides = [(e, side(claim, e, vocabulary)) for e in trace.evidence if e.score >= SURE]
        yes = [e for e, s in sides if s == "yes"]
        no = [e for e, s in sides if s == "no"]
        if yes and no and _holder(desk, yes[0]) != _holder(desk, no[0]):
            word, shown = "Disputed: ", [yes[0], no[0]]
        elif yes and not no:
            word, shown = "Yes. ", yes[:2]
        elif no and not yes:
            word, shown = "No. ", no[:2]
        else:
            return None
        # What is less sure is shown beside it: a reader should see that others say it otherwise.
        hedged = next((e for e, s in sides if s == "open" and not any(alike(e.text, c.text, vocabulary) for c in shown)), None)
        sheet = Sheet(desk.index.source)
        kept = _unlike([*shown, *([hedged] if hedged else [])], vocabulary)
        text = word + " ".join(sheet.add("", [item]) for item in kept)
        return sheet.outcome(desk, "verdict", text, trace)


def claimed(question: str) -> str:
    """The question as a statement, as far as its words go: auxiliaries and adverbs of doubt ("really") are left out."""
    found = parse(question)
    kept = (w for w in found.words if w.pos != "PUNCT" and not (w.pos == "ADV" and w.dep == "advmod" and w.lemma in {"really", "actually", "still", "truly"}))
    return " ".join(w.text for w in kept)


def side(claim: Said, item: Evidence, vocabulary: Vocabulary) -> str:
    """Whether a sentence says "yes" or "no" to a claim, or leaves it "open"."""
    given = claims.read(item.text, vocabulary)
    there = [w.text.lower() for w in given.words]
    words = [w.text.lower() for w in claim.words]
    share = sum(any(claims.akin(w, t) for t in there) for w in words) / len(words) if words else 0.0
    against = claims.denial_differs(claim, given) or claims.opposed(claim, given) is not None
    if against and share >= SAID / 2:
        return "no" if not claims.unsure(item.text) else "open"
    hedged = claims.unsure(item.text) or claims.alleged(item.text) or any(c.modal for c in parse(item.text).clauses)
    return "yes" if share >= SAID and not hedged else "open"


def _unlike(items: Sequence[Evidence], vocabulary: Vocabulary) -> list[Evidence]:
    kept: list[Evidence] = []
    for item in items:
        if not any(alike(item.text, k.text, vocabulary, 0.9) for k in kept):
            kept.append(item)
    return kept


def _holder(desk: Desk, item: Evidence) -> str:
    said = next((v.holder.text for v in parse(item.text).voices if v.holder is not None), "")
    source = desk.index.source(item.hit.passage.source_id)
    return said or (holder(source, item.hit.passage.claimed_by) if source else "")
