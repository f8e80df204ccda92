"""Whose figure it is: whether a sentence is about the subject asked for, and who gives the figure."""

from __future__ import annotations

import re
from collections.abc import Collection

from app.citation_text import holder, one_line, shortened
from app.differences.counted import clause_of
from app.evidence.gather import Evidence
from app.question.target import Target
from app.text.lexicon import MONTH_NAMES
from app.text.periods import periods
from app.text.quantities import Quantity, quantities
from index.terms import Vocabulary
from ingest.source import Source

_HOLDER = re.compile(
    rf"\baccording to (?P<a>(?:the |an? )?[^,;.()]{{2,70}}?)(?=,|;|\.|\(|$| and [0-9]| in (?:{'|'.join(MONTH_NAMES)}|[0-9]{{4}}))"
    r"|(?:^|[,;] |\bthat |\b[Tt]he )(?P<b>[A-Z][\w’'.-]*(?: (?:of|for|and|the|on)? ?[A-Z][\w’'.-]*){0,5}(?: (?:officials?|authorities|"
    r"ministry|government|police|investigators|team|agency|spokes\w+|counts))?) (?:said|says|counted|counts|put|reported|estimated|gave|gives|"
    r"announced|stated|claimed)\b"
)
_LEFT_OWNER = re.compile(
    r"(?P<name>[A-Z][\w’'-]*(?:[ -](?:[A-Z][\w’'-]*|\([A-Z][\w-]*\)))*)\s*(?:\([^)]*\)\s*)?,?\s*"
    r"(?:has|have|had|at|with|numbers?|numbered|fields|fielded)\s*$"
)
_OTHER_NAME = re.compile(r"(?<=[^.!?\s]\s)[A-Z][^\W\d_]+")
_ASIDE = re.compile(r",[^,;.]{3,80},(?=\s*(?:has|have|had|with|fields|fielded|number\w*)\s*(?:[a-z]+\s+){0,3}$)")
_FOR_WHAT = re.compile(r"\b(?:for|in|at|of|during)\s+(?:the\s+|an?\s+)?(?=[A-Z])")


def covers(target: Target, item: Evidence, source: Source, vocabulary: Vocabulary) -> bool:
    """Whether the sentence, in its source, is about the subject of the question."""
    passage = item.hit.passage
    text = " ".join(filter(None, (item.text, passage.context, passage.claimed_by, source.publisher, source.author)))
    known = _spellings(text, vocabulary)
    stems = set(vocabulary.stems(text))
    for name in target.names:
        if not _names_it(name, known, stems, vocabulary) and not (
            _names_it(name, _spellings(passage.text, vocabulary), set(vocabulary.stems(passage.text)), vocabulary)
            and _speaks_on(item, source, target)
        ):
            return False
    near = stems | set(vocabulary.stems(passage.text))
    there = [t for t in target.subject if set(vocabulary.stems(t)) <= near or alike(t, near)]
    needed = 0.5 if target.names else 0.75
    return len(there) >= needed * len(target.subject)


def _names_it(name: str, known: frozenset[frozenset[str]], stems: Collection[str], vocabulary: Vocabulary) -> bool:
    spelled = _spellings(name, vocabulary)
    return spelled <= known if spelled else set(vocabulary.stems(name)) <= set(stems)


def _speaks_on(item: Evidence, source: Source, target: Target) -> bool:
    """Whether a sentence goes on about what its paragraph named before: it names nobody else but who says so."""
    rest = _HOLDER.sub(" ", item.text)
    known = f"{source.publisher} {source.title} {' '.join(target.names)}".lower()
    others = [m.group() for m in _OTHER_NAME.finditer(rest) if m.group().lower() not in known]
    return not [o for o in others if not periods(f"in {o} 2000")]


def alike(term: str, stems: set[str]) -> bool:
    """Whether a word of the same beginning stands there: "flood" and "flooding", "bombing" and "bombs"."""
    word = term.lower()
    return len(word) >= 5 and any(s[:5] == word[:5] for s in stems if len(s) >= 4)


def _spellings(text: str, vocabulary: Vocabulary) -> frozenset[frozenset[str]]:
    """What is named in a text, whatever the spelling."""
    return frozenset(frozenset(a.lower() for a in vocabulary.aliases(m)) for m in vocabulary.mentions(text))


def another_owns(q: Quantity, sentence: str, target: Target, vocabulary: Vocabulary) -> bool:
    """Whether the figure is given for someone else than the question is about: "and the TTP at about 6,000"."""
    if _given_for_another(q, sentence, target, vocabulary):
        return True
    # "Marbury, a rival of Fenwick, has 600": what stands between commas is not the owner.
    owner = _LEFT_OWNER.search(_ASIDE.sub(" ", sentence[: q.start]))
    if owner is None:
        return False
    name = owner["name"]
    mine, asked = _spellings(name, vocabulary), frozenset().union(*(_spellings(n, vocabulary) for n in target.names))
    if mine or asked:
        return not mine & asked and not any(n.lower() in name.lower() for n in target.names)
    return bool(target.names) and not any(n.lower() in name.lower() or name.lower() in n.lower() for n in target.names)


def _given_for_another(q: Quantity, sentence: str, target: Target, vocabulary: Vocabulary) -> bool:
    """Whether a sentence shares its figures out: "100 for the Kerman attack and 145 for the Crocus attack"."""

    def named_behind(one: Quantity) -> tuple[bool, bool]:
        end = min((o.start for o in every if o.start >= one.end), default=len(sentence))
        behind = sentence[one.end : end]
        stems, known = set(vocabulary.stems(behind)), _spellings(behind, vocabulary)
        mine = bool(target.names) and all(_names_it(n, known, stems, vocabulary) for n in target.names)
        return mine, bool(_FOR_WHAT.search(_without_periods(behind)))

    every = quantities(sentence)
    mine, anyone = named_behind(q)
    return anyone and not mine and any(named_behind(o)[0] for o in every if o.start != q.start)


def _without_periods(text: str) -> str:
    for period in reversed(periods(text)):
        text = text[: period.start] + text[period.end :]
    return text


def holder_of(q: Quantity | None, item: Evidence, source: Source) -> str:
    """Who gives the figure: the note's "claimed by", "according to X", else who published it."""
    after = item.text[q.end : clause_of(item.text, q)[1]] if q else item.text
    own = next((m for m in _HOLDER.finditer(after) if m["a"]), None) or next(
        (m for m in _HOLDER.finditer(item.text) if m["b"] and (q is None or m.start() < q.start)), None
    )
    passage = item.hit.passage
    if q is not None and not own:
        start, end = clause_of(item.text, q)
        if re.search(r"\baccording to\b", item.text, re.I) and not re.search(
            r"\baccording to\b", item.text[start:end], re.I
        ):
            return "source not named"  # the one named stands behind another figure of the sentence
    if passage.claimed_by and source.genre != "notes":
        return passage.claimed_by
    if own and not (
        passage.claimed_by
        and "," not in passage.claimed_by
        and ";" not in passage.claimed_by
        and " via " not in f" {passage.claimed_by} "
    ):
        return one_line(re.sub(r"^(?:the|an?) ", "", (own["a"] or own["b"]).strip(), flags=re.I))
    return holder(source, passage.claimed_by, shortened(source.title))
