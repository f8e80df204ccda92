"""Yes or no: the question as a claim, held against the sentences that answer it best, and both sides with who says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from app.answering.engine import Desk, Outcome, Trace
from app.answering.rows import Sheet, alike, widely_read
from app.citation_text import holder
from app.evidence.gather import Evidence
from app.text import claims
from app.text.claims import Said, akin
from app.text.continued import after, answers_back, before, goes_on_from
from app.text.lexicon import HEARSAY
from app.text.parse import Clause, Parse, Voice, parse
from app.text.voices import carried_by, claimant_left_out, names, whose
from index.terms import Vocabulary
from ingest.source import Source

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
        sides = [side(claim, e, desk.index.source(e.hit.passage.source_id), vocabulary) for e in trace.evidence if e.score >= SURE]
        if not sides:
            return None
        lead = sides[0]
        other = next((s for s in sides[1:] if s.says not in {"open", lead.says} and _holder(desk, s) != _holder(desk, lead)), None)
        if lead.says != "open":
            agreed = [lead, *(s for s in sides[1:] if s.says == lead.says)][:2]
            other = other or next((r for s in agreed if (r := _reply(desk, s, trace)) is not None), None)
        if other is not None and (lead.says != "open" or claims.unsure(lead.item.text) or claims.alleged(lead.item.text)):
            word, shown = "Disputed: ", [lead, other]
        elif lead.says != "open":
            word, shown = _word(agreed), agreed
        else:
            return None
        sheet = Sheet(desk.index.source)
        kept = _unlike(shown, vocabulary)
        text = word + " ".join(sheet.add(_label(s), [s.item]) for s in kept)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a sentence says to a claim.

    Attributes:
        by: who says so in it, as inside a sentence; "" where the text tells it as a fact.
        last: nobody else says anything behind it, so that "denied this" in the next sentence speaks of it.
    """

    item: Evidence
    says: Literal["yes", "no", "open"] = "open"
    by: str = ""
    last: bool = True


def side(claim: Claim, item: Evidence, source: Source | None, vocabulary: Vocabulary) -> Side:
    """Whether a sentence says "yes" or "no" to a claim, or leaves it "open", and whose word that is.

    It says so where one clause, without "may" and doubt, has a subject and a predicate of the claim in the same order and
    all of the claim's words. A clause that somebody denies says the opposite; one that is said of nobody, or by a "he" who
    is not told from the sentences before, leaves it open.
    """
    given = claims.read(item.text, vocabulary)
    found = parse(item.text)
    there = {part for w in given.words for part in (w.text.lower(), *w.text.lower().split("-"))} | {w.lemma for w in found.words}
    share = sum(any(akin(w, t) for t in there) for w in claim.words) / len(claim.words) if claim.words else 0.0
    if claims.opposed(claim.said, given) is not None and share >= SAID / 2:
        return Side(item=item, says="no", by=_marked(claim, item) or claimant_left_out(claim.found.text, item.text))
    if share < SAID or claims.unsure(item.text):
        return Side(item=item)
    asked_no = any(w.dep == "neg" for w in claim.found.words)
    for clause in found.clauses:
        if not clause.modal and _says(claim, found, clause):
            yes = clause.negated == asked_no
            voice = carried_by(found, clause.verb)
            if voice is None:
                return Side(item=item, says="yes" if yes else "no", by=_marked(claim, item))
            by = _named(claim, found, voice, item, source)
            if by is None or voice.negated:
                return Side(item=item)
            yes = yes != claims.denies_that(voice.verb)
            last = not any(v.at > max(voice.at, clause.verb) and v.holder is not None for v in found.voices)
            return Side(item=item, says="yes" if yes else "no", by=by, last=last)
    return Side(item=item)


def _named(claim: Claim, found: Parse, voice: Voice, item: Evidence, source: Source | None) -> str | None:
    """Who holds a voice; "" for the writer and for one whom the claim names, None where it is open who does."""
    if voice.holder is None:
        return None if voice.verb in HEARSAY else _marked(claim, item)
    word = found.words[voice.holder.head]
    if word.pos == "PRON":
        if word.lemma in {"i", "we"}:
            return _marked(claim, item)
        return (source and goes_on_from(word.lemma, before(source, item.start))) or None
    name = whose(found, voice)
    writer = source is not None and any(names(by, name) for by in (source.author, source.publisher) if by)
    return "" if writer or claim.place(word.lemma) is not None or claim.place(word.text.lower()) is not None else name


def _marked(claim: Claim, item: Evidence) -> str:
    """Whose claim a note marks it to be, as in ``iskp check``."""
    passage = item.hit.passage
    by = passage.claimed_by if passage.claim_status == "claim" else None
    return by if by and not names(by, claim.found.text) else ""


def _word(agreed: Sequence[Side]) -> str:
    """"Yes." where one sentence tells it as a fact, else whose word it is."""
    says = agreed[0].says
    by = list(dict.fromkeys(s.by for s in agreed))
    return f"{says.capitalize()}. " if "" in by else f"According to {' and '.join(by)}, {says}. "


def _label(told: Side) -> str:
    """Who says it in the sentence, to stand above it: without "the"."""
    name = told.by.removeprefix("the ")
    return name[:1].upper() + name[1:]


def _reply(desk: Desk, told: Side, trace: Trace) -> Side | None:
    """The sentence behind it in the text in which somebody denies it: "Bruun denied this"."""
    passage = told.item.hit.passage
    source = desk.index.source(passage.source_id)
    spot = after(source, told.item.end) if source is not None and told.last else None
    found = parse(source.text[slice(*spot)]) if source is not None and spot is not None else None
    if source is None or spot is None or found is None or not answers_back(found):
        return None
    start, end = spot
    by = next((c.subject.text for c in found.clauses if c.subject and found.words[c.verb].dep == "ROOT"), "")
    known = next((e for e in trace.evidence if (e.hit.passage.source_id, e.start) == (source.id, start)), None)
    if known is not None:
        return Side(item=known, by=by)
    held = next((p for p in desk.index.passages_of(source.id) if p.start <= start and end <= p.end), None)
    if held is None:
        return None
    hit = replace(told.item.hit, passage=held, copies=())
    return Side(item=replace(told.item, hit=hit, text=source.text[start:end], start=start, end=end, span=None), by=by)


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


def _unlike(sides: Sequence[Side], vocabulary: Vocabulary) -> list[Side]:
    kept: list[Side] = []
    for told in sides:
        if not any(alike(told.item.text, k.item.text, vocabulary, 0.9) for k in kept):
            kept.append(told)
    return kept


def _holder(desk: Desk, told: Side) -> str:
    source = desk.index.source(told.item.hit.passage.source_id)
    return told.by or (holder(source, told.item.hit.passage.claimed_by) if source else "")
