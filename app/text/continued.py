"""What stands around a sentence: whom its pronoun goes on from, and who denies it in the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from app.text import claims
from app.text.lexicon import RUMOURS, VIEWS
from app.text.parse import Parse, parse
from ingest.sentences import sentence_spans
from ingest.source import CONTEXT_ROLES, Paragraph, Source

_BEFORE = 4
"""Sentences looked back over. Of 106 pronouns that are subjects in the paragraphs of XQuAD 50 agree with the subject right before, 19 with that
before it, 3 with the third and 3 with the fourth; the others with none."""
_SUBJECT_FORMS = {"his": "he", "him": "he", "her": "she", "its": "it", "their": "they", "them": "they"}
_SUBJECTS = frozenset(("nsubj", "nsubjpass"))


def before(source: Source, start: int) -> list[Parse]:
    """The sentences in front of an offset, in its paragraph and the one before it, the nearest last."""
    spans = [s for s in _sentences(source, start, back=True) if s[1] <= start]
    return [parse(source.text[a:b]) for a, b in spans[-_BEFORE:]]


def after(source: Source, end: int) -> tuple[int, int] | None:
    """Where the next sentence stands, in the same paragraph or as the first of the next."""
    return next((s for s in _sentences(source, end - 1) if s[0] >= end), None)


def _sentences(source: Source, at: int, *, back: bool = False) -> Iterator[tuple[int, int]]:
    own = body(source)
    here = next((n for n, p in enumerate(own) if p.start <= at < p.end), None)
    if here is None:
        return
    yield from places(source, own[max(0, here - 1) : here + 1] if back else own[here : here + 2])


def body(source: Source) -> list[Paragraph]:
    """The paragraphs that say something themselves."""
    return [p for p in source.paragraphs if p.role not in CONTEXT_ROLES and not p.unchecked]


def places(source: Source, paragraphs: Iterable[Paragraph]) -> Iterator[tuple[int, int]]:
    """Where each sentence of some paragraphs stands in the source's text."""
    for paragraph in paragraphs:
        for a, b in sentence_spans(source.text[paragraph.start : paragraph.end], source.language or "en"):
            yield paragraph.start + a, paragraph.start + b


def subject_of(parsed: Parse) -> int | None:
    """Place of the subject of what a sentence says in the main."""
    root = next((n for n, w in enumerate(parsed.words) if w.dep == "ROOT"), None)
    return None if root is None else next((c for c in parsed.children[root] if parsed.words[c].dep in _SUBJECTS), None)


def goes_on_from(pronoun: str, front: Sequence[Parse]) -> str:
    """Whom "he", "she", "it" or "they" means: the nearest subject of the sentences in front that agrees with it; "" where there is none."""
    pronoun = _SUBJECT_FORMS.get(pronoun, pronoun)
    for parsed in reversed(front):
        at = subject_of(parsed)
        if at is not None and _agrees(pronoun, parsed, at):
            return parsed.span(at, without=("relcl", "acl", "advcl")).text
    return ""


def meant_within(parsed: Parse, place: int) -> str:
    """Whom "he", "she", "it" or "they" at a place means by the nearest subject before it in the same sentence; "" where none agrees."""
    pronoun = _SUBJECT_FORMS.get(parsed.words[place].lemma, parsed.words[place].lemma)
    for at in range(place - 1, -1, -1):
        if parsed.words[at].dep in _SUBJECTS and _agrees(pronoun, parsed, at):
            return parsed.span(at, without=("relcl", "acl", "advcl")).text
    return ""


def _agrees(pronoun: str, parsed: Parse, at: int) -> bool:
    word = parsed.words[at]
    if word.pos not in {"NOUN", "PROPN"}:
        return False
    kinds = {e.kind for e in parsed.entities if e.start <= word.start < e.end}
    if pronoun == "they":
        return word.tag in {"NNS", "NNPS"} or "group" in kinds or any(parsed.words[c].dep == "conj" for c in parsed.children[at])
    if word.tag not in {"NN", "NNP"}:
        return False
    if pronoun == "it":
        return "person" not in kinds and not any(parsed.words[c].tag == "PRP$" for c in parsed.children[at])
    speaks = any(v.holder is not None and v.holder.head == at for v in parsed.voices)
    family = kinds == {"group"} and not parsed.children[at]  # a family name alone is often taken for a group's
    return pronoun in {"he", "she"} and ("person" in kinds or family or (not kinds and (speaks or word.pos == "PROPN")))


def answers_back(parsed: Parse) -> bool:
    """Whether a sentence denies what was said before it: "Bruun denied this", "The claim was rejected by the bank"."""
    for clause in parsed.clauses:
        if parsed.words[clause.verb].dep != "ROOT" or clause.negated or clause.modal or clause.subject is None or not claims.denies_that(clause.lemma):
            continue
        heads = [parsed.words[o.head] for o in clause.objects]
        return bool(heads) and all(w.tag in {"DT", "PRP"} or w.lemma in VIEWS | RUMOURS for w in heads)
    return False
