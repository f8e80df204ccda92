"""Yes or no: the question as a claim, held against the sentences that answer it best, and both sides with who says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.answering.engine import Desk, Outcome
from app.answering.rows import Sheet, alike, widely_read
from app.citation_text import holder
from app.evidence.gather import Evidence
from app.text import claims
from app.text.claims import Said, akin
from app.text.parse import Clause, Parse, parse
from index.terms import Vocabulary

SURE = 0.6
"""Least score of a sentence that says yes or no."""
SAID = 0.99
"""Share of the claim's words that such a sentence holds: of a part alone it can be no yes."""


def verdict(desk: Desk) -> Outcome | None:
    """"Yes", "No" or "Disputed" with the sentences for it; None where the sentences leave it open."""
    if desk.request.shape != "verdict":
        return None
    trace = widely_read(desk, desk.request.question, desk.models.settings.passages)
    if not trace.decision.answer:
        return None
    vocabulary = desk.index.vocabulary
    with desk.clock.stage("generate"):
        claim = Claim(parse(desk.request.standalone), vocabulary)
        sides = [(e, side(claim, e, vocabulary)) for e in trace.evidence if e.score >= SURE]
        if not sides:
            return None
        lead, first = sides[0]
        other = next((e for e, s in sides[1:] if s in {"yes", "no"} and s != first and _holder(desk, e) != _holder(desk, lead)), None)
        if other is not None and (first != "open" or claims.unsure(lead.text) or claims.alleged(lead.text)):
            word, shown = "Disputed: ", [lead, other]
        elif first != "open":
            word, shown = f"{first.capitalize()}. ", [lead, *(e for e, s in sides[1:] if s == first)][:2]
        else:
            return None
        sheet = Sheet(desk.index.source)
        kept = _unlike(shown, vocabulary)
        text = word + " ".join(sheet.add("", [item]) for item in kept)
        return sheet.outcome(desk, "verdict", text, trace)


@dataclass(frozen=True)
class Claim:
    """A yes-no question as a claim. Its own parse is not used for who does what: questions mislead the parser."""

    found: Parse
    vocabulary: Vocabulary

    @cached_property
    def said(self) -> Said:
        """Its words, figures and denials, without words of doubt ("really")."""
        doubt = ("really", "actually", "still", "truly")
        return claims.read(" ".join(w.text for w in self.found.words if w.pos != "PUNCT" and w.lemma not in doubt), self.vocabulary)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its topic words, in order."""
        return tuple(w.text.lower() for w in self.said.words)

    @cached_property
    def be(self) -> bool:
        """Whether it asks what is or is done to something ("is", "was … sold", "has been sold"), not what something does."""
        lemmas = [w.lemma for w in self.found.words]
        return (lemmas[:1] == ["be"] or "been" in self.found.text.lower().split()) and not any(w.tag == "VBG" for w in self.found.words)

    def place(self, word: str) -> int | None:
        """Where a word stands in the claim."""
        return next((n for n, w in enumerate(self.words) if akin(w, word)), None)


def side(claim: Claim, item: Evidence, vocabulary: Vocabulary) -> str:
    """Whether a sentence says "yes" or "no" to a claim, or leaves it "open".

    It says so where one clause, without "may" and doubt, has a subject and a predicate of the claim in the same order and
    all of the claim's words.
    """
    given = claims.read(item.text, vocabulary)
    found = parse(item.text)
    there = {part for w in given.words for part in (w.text.lower(), *w.text.lower().split("-"))} | {w.lemma for w in found.words}
    share = sum(any(akin(w, t) for t in there) for w in claim.words) / len(claim.words) if claim.words else 0.0
    if claims.opposed(claim.said, given) is not None and share >= SAID / 2:
        return "no"
    if share < SAID or claims.unsure(item.text):
        return "open"
    asked_no = any(w.dep == "neg" for w in claim.found.words)
    for clause in found.clauses:
        if not clause.modal and _says(claim, found, clause):
            return "yes" if clause.negated == asked_no else "no"
    return "open"


def _says(claim: Claim, found: Parse, clause: Clause) -> bool:
    own = found.children[clause.verb]
    subject = next((c for c in own if found.words[c].dep in {"nsubj", "nsubjpass"}), None)
    if subject is None:
        return False
    passive = found.words[subject].dep == "nsubjpass"
    if (clause.lemma == "be" or passive) != claim.be:
        return False
    said = [c for c in own if found.words[c].dep in {"attr", "acomp"}] if clause.lemma == "be" else [clause.verb]
    about = claim.place(found.words[subject].text.lower())
    predicate = next((p for c in said if (p := claim.place(found.words[c].lemma)) is not None), None)
    if about is None or predicate is None or about >= predicate:
        return False
    inside = [part for p in found.subtree(clause.verb) for part in (found.words[p].text.lower(), found.words[p].lemma)]
    return all(any(akin(w, t) for t in inside) for w in claim.words)


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
