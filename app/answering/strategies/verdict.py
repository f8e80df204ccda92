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
from app.text.claims import Said
from app.text.parse import Clause, Parse, parse
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
    """A question as a claim: its words, who it is about and what it says of it."""

    found: Parse
    vocabulary: Vocabulary

    @cached_property
    def said(self) -> Said:
        """Its words, figures and denials, without words of doubt ("really")."""
        doubt = ("really", "actually", "still", "truly")
        kept = (w.text for w in self.found.words if w.pos != "PUNCT" and not (w.dep == "advmod" and w.lemma in doubt))
        return claims.read(" ".join(kept), self.vocabulary)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Its topic words."""
        return tuple(w.text.lower() for w in self.said.words)

    @cached_property
    def core(self) -> tuple[str, str]:
        """The main word of the subject and the word that is said of it; "" where the parse tells none, or it is as empty as "do"."""
        clause = next((c for c in self.found.clauses if self.found.words[c.verb].dep == "ROOT"), None)
        if clause is None or clause.subject is None:
            return "", ""
        return self.found.words[clause.subject.head].text.lower(), _predicate(self.found, clause)


def _predicate(found: Parse, clause: Clause) -> str:
    if clause.lemma != "be":
        return "" if clause.lemma in {"do", "have", "make"} else clause.lemma
    subject = -1 if clause.subject is None else clause.subject.head
    after = [c for c in found.children[clause.verb] if c != subject and found.words[c].pos in {"NOUN", "PROPN", "ADJ"}]
    return found.words[after[0]].lemma if after else ""


def side(claim: Claim, item: Evidence, vocabulary: Vocabulary) -> str:
    """Whether a sentence says "yes" or "no" to a claim, or leaves it "open"."""
    given = claims.read(item.text, vocabulary)
    there = [part for w in given.words for part in {w.text.lower(), *w.text.lower().split("-")}]
    share = sum(any(claims.akin(w, t) for t in there) for w in claim.words) / len(claim.words) if claim.words else 0.0
    subject, predicate = claim.core
    if claims.opposed(claim.said, given) is not None and share >= SAID / 2:
        return "no"
    if not predicate or claims.unsure(item.text):
        return "open"
    found = parse(item.text)
    for clause in found.clauses:
        about = [w.text.lower() for w in found.words if clause.subject is not None and clause.subject.start <= w.start < clause.subject.end]
        about += [w.text.lower() for o in clause.objects for w in found.words if o.start <= w.start < o.end]
        same = claims.akin(_predicate(found, clause) or "-", predicate) or (clause.lemma == "be" and any(claims.akin(predicate, a) for a in about))
        if same and not clause.modal and any(claims.akin(subject, a) for a in about) and share >= SAID:
            return "no" if clause.negated else "yes"
    return "open"


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
