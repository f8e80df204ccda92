"""A turn that leans on what was said before, as the standalone questions that it may mean; the evidence chooses among them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.question.analysis import unlinked
from app.question.dialogue import (
    UNNAMED,
    Mention,
    MentionKind,
    State,
    Turn,
    fullest,
    mentions,
    same_person,
    wh,
    without_markers,
)
from app.question.topic import holder_of
from app.text.lexicon import SAYING, THINGS
from app.text.parse import Parse, Word, parse
from app.text.periods import Period, periods
from index.terms import Vocabulary

__all__ = ("Reading", "Readings", "Turn", "lowered", "readings", "resolved", "state_of")

Way = Literal["typed", "pronoun", "replaced", "topic"]
MOST_READINGS = 4
_TURNS = 6
"""Earlier questions that are looked at; what was named before them is seldom meant."""
KINDS_ALONE = frozenset(
    ("group", "organisation", "organization", "movement", "company", "agency", "party", "country", "city", "town", "region", "province", "state", "man",
     "woman", "event", "attack")
)  # fmt: skip
"""Nouns that say no more of a name than of which kind it is: "the group" may stand for any group, "the union" for one alone."""
_LEANS = re.compile(
    rf"\b(?:he|she|him|his|her|it|its|they|them|their|there|then|this|that|these|those)\b|\bthe (?:{'|'.join(sorted(KINDS_ALONE))})\b", re.I
)
"""Words of a turn that may point back; only where one stands is its grammar read."""
_ABOUT = ("what about ", "how about ")
_PREPOSITION = re.compile(r"^(?:in|on|at|for|by|from|to|with|before|after|since|until|during|under|against|among)\s+(?=\S)", re.I)
_BEFORE_TIME = re.compile(r"(?:\b(?P<word>in|on|during|since|before|after|by|until|from|between|at|for|as of)\s+)?(?:the\s+)?$", re.I)
_MEANT = re.compile(r"^(?:i\s+)?(?:mean|meant|am asking about|asked about)\s+(?:to (?:ask|say)\s+)?|^(?:not\s+.+?,?\s+but|rather|instead|actually)\s+", re.I)
_LONGEST_FRAGMENT = 8
"""Words of a turn without a verb that still leans on the last question."""
_KINDS_OF_NOUN: dict[str, tuple[MentionKind, ...]] = {
    **dict.fromkeys(THINGS["group"], ("group", "thing")), **dict.fromkeys(THINGS["place"], ("place",)), **dict.fromkeys(THINGS["person"] - {"people"}, ("person",)),
}  # fmt: skip
"""What a mere kind of thing may stand for; any other noun points to a mention with the same head."""
_PERSON: tuple[MentionKind, ...] = ("person",)
_THING: tuple[MentionKind, ...] = ("group", "thing", "place", "person")
_PLACE: tuple[MentionKind, ...] = ("place", "thing")
_STANCES = frozenset(("agree", "disagree", "concur", "object"))
"""Verbs that leave unsaid what they take a stance on."""
_PRONOUNS = ({"it", "its"}, {"they", "them", "their"}, {"he", "him", "his"}, {"she", "her"})
AUTHOR = Mention(kind="person", text="the author", head="author", named=True)
"""Who else "he" may be after a question about the article."""
ARTICLE = Mention(kind="thing", text="the article", head="article", named=True)
"""What "it" is after a question about the article that names nothing else."""
_CLEFT: dict[str, str] = {"why": "Why is it that", "how": "How is it that", "when": "When was it that", "where": "Where was it that"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One thing that a turn may mean, and how its words came about."""

    text: str
    way: Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What a turn may mean, the likeliest by its grammar first.

    Attributes:
        rivals: the first two differ only in whom or what a pronoun stands for.
        open: the word that nothing said so far explains; empty where all is said.
        weak: the word that only a noun without "the" explains ("boats"); empty where a name or "the pier" does.
        kinds: of which kinds it must be.
    """

    found: tuple[Reading, ...]
    rivals: bool = False
    open: str = ""
    weak: str = ""
    kinds: tuple[MentionKind, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Anaphor:
    """A word that points back, and how what it stands for is written in its place."""

    start: int
    end: int
    text: str
    kinds: tuple[MentionKind, ...]
    possessive: bool = False
    before: str = ""
    head: str = ""


def state_of(history: Sequence[Turn], vocabulary: Vocabulary) -> State:
    """What was said last, its questions made standalone one after the other."""
    asked = [n for n, t in enumerate(history) if t.role == "user" and t.content.strip()]
    state = State(vocabulary=vocabulary)
    for number, at in enumerate(asked[-_TURNS:], start=max(0, len(asked) - _TURNS)):
        until = asked[number + 1] if number + 1 < len(asked) else len(history)
        answers = [t.content for t in history[at + 1 : until] if t.role == "assistant"]
        question = resolved(" ".join(history[at].content.split()), state)
        state = State(question=question, answer=without_markers(answers[-1]) if answers else "", vocabulary=vocabulary)
    return state


def resolved(turn: str, state: State) -> str:
    """The likeliest reading by grammar alone."""
    return readings(turn, state).found[0].text


def readings(turn: str, state: State) -> Readings:
    """What a turn may mean; a question that stands by itself means what it says."""
    bare = _MEANT.sub("", unlinked(turn)).strip() or turn
    typed = Reading(text=bare if _MEANT.match(unlinked(turn)) else turn, way="typed")
    connected = bool(state.question) and bare != turn
    short = len(bare.split()) <= _LONGEST_FRAGMENT
    if not (state.question or _LEANS.search(turn) or short):
        return Readings(found=(typed,))
    own = _holds_name(bare, state.vocabulary)
    if own and not (_LEANS.search(turn) or connected or short):
        return Readings(found=(typed,))
    parsed = parse(bare)
    pointing = _anaphors(parsed, state)
    if not state.question:
        first = next((p for p in pointing if p.kinds in (_PERSON, _PLACE)), pointing[0] if pointing else None)
        if first and own and first.kinds != _PERSON:
            return Readings(found=(typed,))  # a turn with a name of its own can be searched
        return Readings(found=(typed,), open=_lone(parsed, bare) or (first.text if first else ""), kinds=first.kinds if first else ())
    fragment = short and not _has_verb(parsed)
    found = _replaced(bare, state) if fragment else _of_holder(bare, state) or _about_claim(parsed, state)
    rivals = False
    if not found and pointing and not (fragment and not pointing[0].possessive):
        texts, rivals = _filled(bare, pointing, state)
        found = [Reading(text=t, way="pronoun") for t in texts]
        if not found and pointing[0].kinds == _PERSON:
            return Readings(found=(typed,), open=pointing[0].text, kinds=pointing[0].kinds)
    sure = bool(found) and found[0].way == "replaced"
    without_nouns = not any(w.pos in {"NOUN", "PROPN", "NUM"} for w in parsed.words)
    asks = turn.rstrip().endswith("?") or any(wh(w) for w in parsed.words)
    topic = [] if sure else _with_topic(bare, state, whole=fragment or (not pointing and (without_nouns or not asks)))
    if pointing or fragment or without_nouns or (connected and not asks and not own):
        found += [*topic, *([] if sure or (pointing and found) else [typed])]
    else:
        found += [] if sure else [typed, *([] if own else topic)]
    unique = list({r.text.casefold(): r for r in found}.values())
    first = pointing[0] if pointing and not sure else None
    weak = first.text if first and not any(_firm(m) for m in _meant(first, state)) else ""
    return Readings(
        found=tuple(unique[:MOST_READINGS]), rivals=rivals and len(unique) > 1, weak=weak, kinds=first.kinds if first else ()
    )


def _holds_name(text: str, vocabulary: Vocabulary) -> bool:
    """Whether a capitalised word stands behind the first, a known spelling anywhere, or the article or its author is meant."""
    if UNNAMED & set(re.findall(r"[a-z]+", text.lower())):
        return True
    return bool(vocabulary.mentions(text)) or any(w[:1].isupper() and w not in {"I", "I'm"} for w in text.split()[1:])


def _of_holder(bare: str, state: State) -> list[Reading]:
    """The last question asked of somebody else: "What does the union say?"."""
    holder = holder_of(bare)
    start = bare.find(holder)
    rest = {w.lemma for w in parse(bare).words if w.pos != "PUNCT" and not start <= w.start < start + len(holder)}
    if not holder or state.holders or "what" not in rest or not rest <= {"what", "do"} | SAYING:
        return []
    return [Reading(text=_by_holder(state.question.rstrip(" ?.!"), holder, state), way="replaced")]


def _about_claim(parsed: Parse, state: State) -> list[Reading]:
    """"Who said that?", "Does the minister agree?" with what was said."""
    if not state.claim:
        return []
    asks = any(wh(w) for w in parsed.words)
    for place, word in enumerate(parsed.words):
        if word.lemma in _STANCES and word.dep == "ROOT" and not any(parsed.words[c].dep in {"ccomp", "prep"} for c in parsed.children[place]):
            bare = parsed.text.rstrip(" ?.!")
            return [Reading(text=f"{bare} that {lowered(state.said)}?", way="replaced")] if bare.endswith(word.text) else []
        said = word.text.lower() in {"that", "this", "so", "it"} and word.dep in {"dobj", "advmod", "dative"}
        if asks and said and parsed.words[word.head].lemma in SAYING and not parsed.text[word.end :].strip(" ?.!"):
            return [Reading(text=f"{parsed.text[: word.start]}that {lowered(state.said)}?", way="replaced")]
    return []


def _behind(text: str, *leads: str) -> str:
    """The text without the first of the leads, lower case, that it begins with."""
    lead = next((lead for lead in leads if text.lower().startswith(lead)), "")
    return text[len(lead) :].lstrip()


def _lone(parsed: Parse, text: str) -> str:
    """A turn that says nothing without a question before it, such as "and in 2021?"; else empty."""
    bare = text.strip(" ?.!")
    rest = _PREPOSITION.sub("", _behind(bare, *_ABOUT))
    named = periods(rest)
    alone = bool(named) and named[0].start == 0 and named[-1].end == len(rest)
    return bare if alone and not _has_verb(parsed) else ""


def _has_verb(parsed: Parse) -> bool:
    return parsed.is_order or any(w.tag in {"VBD", "VBZ", "VBP", "MD"} for w in parsed.words)


def _anaphors(parsed: Parse, state: State) -> list[_Anaphor]:
    """The words that point back to what was said before this turn, in order."""
    found = []
    for place, word in enumerate(parsed.words):
        one = _anaphor(parsed, place, word, state)
        if one and not _explained(parsed, place, one):
            found.append(one)
    return found


def _anaphor(parsed: Parse, place: int, word: Word, state: State) -> _Anaphor | None:
    lower = word.text.lower()
    if word.tag in {"PRP", "PRP$"}:
        if lower in {"he", "she", "him", "his", "her", "it", "its", "they", "them", "their"}:
            if lower == "it" and _expletive(parsed, place):
                return None
            kinds = _PERSON if lower in {"he", "she", "him", "his", "her"} else _THING
            return _Anaphor(start=word.start, end=word.end, text=word.text, kinds=kinds, possessive=word.tag == "PRP$")
        return None
    counted = place > 0 and parsed.words[place - 1].lemma == "be"  # "how many are there"
    if lower == "there" and word.dep != "expl" and word.tag == "RB" and not counted:
        before = "" if place and parsed.words[place - 1].pos == "ADP" else "in "
        return _Anaphor(start=word.start, end=word.end, text=word.text, kinds=_PLACE, before=before)
    if word.dep == "det" and lower in {"the", "this", "that", "these", "those"}:
        noun = parsed.words[word.head]
        known = _KINDS_OF_NOUN.get(noun.lemma)
        plain = noun.pos == "NOUN" and word.head == place + 1 and not any(
            parsed.words[c].dep in {"prep", "relcl", "acl"} for c in parsed.children[word.head]
        )  # fmt: skip
        if periods(parsed.text[word.start : noun.end]) or noun.dep == "compound" or noun.lemma in UNNAMED:
            return None
        if not plain:
            unknown = lower != "the" and not state.question and noun.pos in {"NOUN", "PROPN"}
            return _Anaphor(start=word.start, end=noun.end, text=parsed.text[word.start : noun.end], kinds=()) if unknown else None
        same = any(m.head == noun.lemma and m.named for m in (*state.asked, *state.told))
        if same or (known and state.question) or (lower != "the" and not state.question):
            return _Anaphor(
                start=word.start, end=noun.end, text=parsed.text[word.start : noun.end], kinds=() if same else known or (),
                head=noun.lemma if same else "", possessive=False,
            )  # fmt: skip
    return None


def _expletive(parsed: Parse, place: int) -> bool:
    """Whether "it" points forward: "Is it safe to …", "it is said that …"."""
    verb = parsed.words[place].head
    near = {n for c in (verb, *parsed.children[verb]) for n in (c, *parsed.children[c])}
    return any(parsed.words[c].dep in {"xcomp", "ccomp", "csubj", "advcl", "acl"} for n in near for c in parsed.children[n] if c > place)


def _explained(parsed: Parse, place: int, one: _Anaphor) -> bool:
    """Whether the turn itself names before the word what it points to."""
    if one.kinds == _PERSON:
        nouns = (w for w in parsed.words[:place] if w.dep in {"nsubj", "nsubjpass", "attr"} and w.pos in {"NOUN", "PROPN"})
        return any(e.kind == "person" and e.end <= one.start for e in parsed.entities) or any(w.tag in {"NN", "NNP"} for w in nouns)
    return any(
        w.pos in {"NOUN", "PROPN"} and w.dep in {"nsubj", "nsubjpass", "dobj", "pobj", "attr", "conj"} and w.end <= one.start
        and (one.possessive or not any(wh(parsed.words[q]) for q in parsed.subtree(p)))
        for p, w in enumerate(parsed.words[:place])
    )  # fmt: skip


def _filled(turn: str, pointing: Sequence[_Anaphor], state: State) -> tuple[list[str], bool]:
    """The turn with each pointing word replaced; two texts where the first word may mean two of one kind named alike."""
    first = pointing[0]
    choices = _meant(first, state)[:2]
    texts = []
    for choice in choices:
        pieces, at, used = [], 0, {choice.text}
        for one in pointing:
            same = _same_word(one, first)
            if not same and one.kinds == first.kinds:
                continue  # "Where did it keep them?": what "them" means was seldom a name
            fit = choice if same else next((m for m in _meant(one, state) if m.text not in used), None)
            if fit is None:
                continue
            used.add(fit.text)
            pieces += [turn[at : one.start], _written(one, fit)]
            at = one.end
        texts.append("".join((*pieces, turn[at:])))
    two = len(choices) == 2 and AUTHOR not in choices and choices[0].kind == choices[1].kind and all(_asked(c, state) for c in choices)
    alike = two or (len(choices) == 2 and AUTHOR not in choices and choices[0].kind == choices[1].kind == "person" and not _asked(choices[0], state))
    return [f"{t[:1].upper()}{t[1:]}" for t in texts], alike


def _asked(mention: Mention, state: State) -> bool:
    """Whether the last question named it, a person by the last name too."""
    return mention in state.asked or (mention.kind == "person" and any(m.kind == "person" and same_person(m.text, mention.text) for m in state.asked))


def _same_word(one: _Anaphor, other: _Anaphor) -> bool:
    words = {one.text.lower(), other.text.lower()}
    return len(words) == 1 or any(words <= group for group in _PRONOUNS)


def _meant(one: _Anaphor, state: State) -> list[Mention]:
    if one.head:
        return [m for m in (*reversed(state.asked), *reversed(state.told)) if m.head == one.head and m.named]
    found = state.last(*one.kinds)
    if one.kinds == _THING:
        # The parser takes many a group's name for a person's: one of the question goes before anything of the answer.
        asked = [m for m in found if m in state.asked]
        found = [m for m in asked if m.kind != "person"] or asked
        found += [m for m in state.last(*one.kinds) if m not in asked and m.kind != "person"]
        if not found and "article" in re.findall(r"[a-z]+", state.question.lower()):
            found = [ARTICLE]
    if one.kinds == _PERSON and not found:
        found = _speakers(state)
    if one.kinds == _PERSON:
        by_name = {m.text: m for m in found}
        found = [by_name[name] for name in fullest(list(by_name))]
    if one.kinds == _PERSON and not any(m.kind == "person" for m in state.asked) and UNNAMED & set(re.findall(r"[a-z]+", state.question.lower())):
        found = [*found[:1], AUTHOR]
    return found


def _speakers(state: State) -> list[Mention]:
    """Whom the answer before gives words to by a name of several words, whatever kind the parser takes the name for."""
    holders = [v.holder.text for v in parse(state.claim).voices if v.holder]
    return [m for m in state.told if m.named and m.kind != "place" and len(m.text.split()) > 1 and m.text in holders]


def _firm(mention: Mention) -> bool:
    """Whether it was named, or spoken of as known: "the pier"."""
    return mention.named or mention.text.lower().startswith("the ")


def _written(one: _Anaphor, mention: Mention) -> str:
    text = mention.text
    if one.possessive:
        return f"{text}’" if text.endswith("s") and mention.kind != "person" else f"{text}’s"
    return f"{one.before}{text}"


def _replaced(bare: str, state: State) -> list[Reading]:
    """The last question with its time, holder or a name replaced by what a turn without a verb gives."""
    rest = bare.strip(" ?.!,")
    rest = _behind(rest, *_ABOUT)
    base = state.question.rstrip(" ?.!")
    if not rest or not base:
        return []
    if (by := _behind(rest, "according to ")) != rest:
        return [Reading(text=_by_holder(base, by, state), way="replaced")]
    alone = _CLEFT.get(rest.lower())
    if alone and state.claim:
        return [Reading(text=f"{alone} {lowered(state.said)}?", way="replaced")]
    preposition = _PREPOSITION.match(rest)
    content = rest[preposition.end() :] if preposition else rest
    when = periods(content)
    if when and when[0].start == 0 and when[-1].end == len(content):
        return [Reading(text=_at_time(base, rest, content, state.period), way="replaced")]
    if any(wh(w) for w in parse(rest).words):
        return []
    new = mentions(content, state.vocabulary)
    name = re.sub(r"^the\s+", "", content, flags=re.I)
    whole = [m for m in new if m.named and len(m.text) >= len(name) - 2]
    if not whole and all(w[:1].isupper() for w in name.split()):
        whole = [Mention(kind="thing", text=content, head=name.lower(), named=True)]
    if not whole:
        return []
    if state.holders and not preposition:
        return [Reading(text=_by_holder(base, content, state), way="replaced")]
    found = []
    for old in _counterparts(whole[-1], preposition.group().strip() if preposition else "", base, state):
        at = base.rfind(old.text)
        text = f"{base[:at]}{_as_before(base[:at], content)}{base[at + len(old.text) :]}?"
        found.append(Reading(text=_tidied(text), way="replaced"))
    if found:
        return found
    return [Reading(text=f"{base} {preposition.group().lower().strip()} {content}?", way="replaced")] if preposition else []


def _counterparts(new: Mention, preposition: str, base: str, state: State) -> list[Mention]:
    """What of the last question a new name may take the place of: the last of its kind first; a second where nothing tells them apart."""
    held = [m for m in state.asked if m.named and m.text in base]
    if preposition:
        held = [m for m in held if base[: base.rfind(m.text)].lower().split()[-1:] == [preposition.lower()]]
    known = bool(state.vocabulary.mentions(new.text))

    def rank(mention: Mention) -> tuple[bool, bool]:
        # A known spelling for a known one first: the kinds that the parser gives to names alone are often wrong.
        return bool(state.vocabulary.mentions(mention.text)) == known, mention.kind == new.kind

    best = max(map(rank, held), default=None)
    return [m for m in reversed(held) if rank(m) == best][:2]


def _by_holder(base: str, holder: str, state: State) -> str:
    """The question asked of another holder."""
    parsed = parse(base)
    old = next((v.holder for v in parsed.voices if v.holder and v.verb in {"according", *SAYING}), None)
    old = old or next((c.subject for c in parsed.clauses if c.subject and c.lemma in SAYING), None)
    if old and any(m.text in old.text or old.text in m.text for m in state.asked):
        return _tidied(f"{base[: old.start]}{holder}{base[old.end :]}?")
    return f"{base} according to {holder}?"


def _at_time(base: str, rest: str, content: str, old: Period | None) -> str:
    """The question asked of another time, the whole old one replaced."""
    if old is None:
        return f"{base} {rest if rest != content else 'in ' + content}?"
    before = _BEFORE_TIME.search(base[: old.start])
    assert before is not None
    if rest != content:
        return f"{base[: before.start()]}{rest}{base[old.end :]}?"
    if (before["word"] or "").lower() in {"between", "from"}:
        return f"{base[: before.start()]}in {content}{base[old.end :]}?"
    return f"{base[: old.start]}{content}{base[old.end :]}?"


def _with_topic(bare: str, state: State, *, whole: bool) -> list[Reading]:
    """The turn with what the last question is about behind it."""
    topic = state.words if whole and state.words else state.topic
    known = bare.lower()
    if not topic or topic.lower() in known:
        return []
    text = bare.rstrip(" ?.!,")
    return [Reading(text=f"{text[:1].upper()}{text[1:]} – {topic}?", way="topic")]


def _as_before(before: str, new: str) -> str:
    """A new name with the article that stands before the old one left out of it."""
    return re.sub(r"^the\s+", "", new, flags=re.I) if re.search(r"\bthe\s+$", before, re.I) else new


def _tidied(text: str) -> str:
    return re.sub(r"\bthe the\b", "the", text, flags=re.I)


def lowered(sentence: str) -> str:
    """A sentence as it stands behind other words: its first letter small unless it begins with a name."""
    first = parse(sentence).words[:1]
    return sentence if not first or first[0].pos == "PROPN" else f"{sentence[:1].lower()}{sentence[1:]}"


