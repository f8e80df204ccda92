"""Questions that ask two or three things at once, taken apart so that each is looked up by itself."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from app.question.dialogue import State, wh
from app.question.followup import resolved
from app.text.parse import Parse, parse
from index.terms import Vocabulary
from ingest.sentences import sentence_spans

MOST_PARTS = 3
_CLAUSES = frozenset(("relcl", "advcl", "acl", "ccomp", "csubj"))
"""Grammatical places of clauses whose question word asks nothing: "the year in which it opened", "when it rains"."""
_JOINTS = frozenset(("and", "or", ";"))
_POINTING = frozenset(("it", "they", "he", "she", "its", "their", "his", "her", "there", "that", "this", "such"))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """A stretch of a question with one thing asked.

    Attributes:
        asked: the words that ask: "how many ships", "since when".
        rest: what follows them; empty where another piece lends it.
    """

    asked: str
    rest: str

    @property
    def text(self) -> str:
        return f"{self.asked} {self.rest}".strip()


def split(question: str, vocabulary: Vocabulary) -> tuple[str, ...]:
    """The questions in a question, each standing by itself; the question alone when it asks one thing.

    "When and where did X happen?" becomes two questions with the same rest; "Who led X, and since when?" lends the
    second the rest of the first; "Who led X, and what did he write?" resolves its pronoun from the first. "What are
    X's size and the name of its head?" asks for two details.
    """
    text = " ".join(question.split())
    details = _details(parse(text.rstrip(" ?")))
    if details:
        return details[0], _alone(details[1], details[0], vocabulary)
    pieces = [p for asked in _questions(text) for p in _pieces(parse(asked.strip().rstrip(" ?")))]
    if not 2 <= len(pieces) <= MOST_PARTS or not any(p.rest for p in pieces):
        return (question,)
    lender = next(p for p in pieces if p.rest)
    whole = [_sentence(p.text if p.rest else f"{p.asked} {lender.rest}") for p in pieces]
    return (whole[0], *(_alone(w, whole[0], vocabulary) if p.rest else w for p, w in zip(pieces[1:], whole[1:], strict=True)))


def _questions(text: str) -> list[str]:
    """The text cut behind each of its sentences that ends with a question mark."""
    ends = [b for a, b in sentence_spans(text) if text[a:b].rstrip().endswith("?")]
    cuts = [0, *(e for e in ends if any(c.isalnum() for c in text[e:])), len(text)]
    return [text[a:b] for a, b in pairwise(cuts)]


def _pieces(found: Parse) -> list[_Piece]:
    """A sentence cut before every further question word that "and", "or" or a semicolon joins on; a comma counts beside one of these."""
    words = found.words
    starts = {p: _start(found, p) for p, w in enumerate(words) if wh(w)}
    joints = {p: words[s - 1].text.lower() for p, s in starts.items() if s}
    asking = [p for p in starts if joints.get(p) in _JOINTS or not _within_clause(found, p)]
    if not asking or starts[asking[0]] > 1 or (starts[asking[0]] == 1 and words[0].pos not in {"CCONJ", "ADV"}):
        return [_Piece(asked="", rest=found.text)]
    if not any(joints.get(p) in _JOINTS for p in asking[1:]):
        return [_Piece(asked="", rest=found.text)]
    further = [s for p, s in starts.items() if p > asking[0] and joints.get(p) in {*_JOINTS, ","}]
    cuts = [starts[asking[0]], *further]
    return [_piece(found, a, b) for a, b in zip(cuts, [*cuts[1:], len(words)], strict=True)]


def _within_clause(found: Parse, place: int) -> bool:
    """Whether a question word leads a clause inside the sentence."""
    words = found.words
    at = place
    while words[at].dep != "ROOT" and words[at].head != at:
        if words[at].dep in _CLAUSES:
            return words[at].dep != "ccomp" or at != place
        at = words[at].head
    return False


def _start(found: Parse, place: int) -> int:
    """Where the words that ask begin: a preposition before them is theirs."""
    return place - 1 if place and found.words[place - 1].pos in {"ADP", "SCONJ"} else place


def _piece(found: Parse, first: int, end: int) -> _Piece:
    words = found.words
    while end > first and (words[end - 1].pos in {"PUNCT", "CCONJ"}):
        end -= 1
    verb = next((p for p in range(first, end) if words[p].pos in {"VERB", "AUX"} and words[p].tag != "VBN"), None)
    if verb is None:
        return _Piece(asked=found.text[words[first].start : words[end - 1].end], rest="")
    return _Piece(asked=found.text[words[first].start : words[verb].start].strip(), rest=found.text[words[verb].start : words[end - 1].end])


def _details(found: Parse) -> tuple[str, str] | None:
    """Two things asked for by their names, the second of them pointing back to the first: "X's size and the name of its head"."""
    words = found.words
    root = next((p for p, w in enumerate(words) if w.dep == "ROOT" and w.lemma == "be"), None)
    if root is None or not words or not wh(words[0]):
        return None
    for other in range(root + 1, len(words)):
        joint = next((c for c in found.children[words[other].head] if words[c].dep == "cc"), None)
        own = [words[p] for p in found.subtree(other)]
        named = any(w.tag == "PRP$" for w in own) and not any(wh(w) for w in own) and not _within_clause(found, other)
        if words[other].dep == "conj" and words[other].pos == "NOUN" and joint is not None and named:
            ask = found.text[: words[root].end]
            return f"{found.text[: words[joint].start].rstrip(' ,')}?", f"{ask} {found.text[words[joint].end :].strip()}?"
    return None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip(' ?,;')}?"


def _alone(part: str, first: str, vocabulary: Vocabulary) -> str:
    """A further part as a question of its own: what it points back to is told, or named behind it."""
    alone = resolved(_sentence(part), State(question=first, vocabulary=vocabulary))
    mine = {vocabulary.stem(t) for t in vocabulary.content_terms(alone)}
    unsaid = [t for t in vocabulary.content_terms(first) if vocabulary.stem(t) not in mine]
    points = any(w.lemma.lower() in _POINTING for w in parse(alone).words)
    return f"{alone.rstrip(' ?')} – {' '.join(unsaid)}?" if unsaid and (points or len(mine) < 2) else alone
