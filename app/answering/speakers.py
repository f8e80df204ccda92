"""Whose words a sentence gives: the writer or publisher of its source, or somebody whom it quotes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.answering.engine import Desk
from app.evidence.gather import Evidence
from app.question.matter import form_words
from app.question.reference import reference
from app.text.continued import before, goes_on_from
from app.text.lexicon import COUNTING, JUDGING, RUMOURS, SAYING, TEXTS, VIEWS, WRITERS
from app.text.parse import Parse, parse
from app.text.periods import periods
from app.text.voices import whose
from index.search import Hit
from ingest.source import Source

_OF_TEXT = WRITERS | TEXTS
_QUOTED = re.compile(r"[“\"](?P<words>.+)[”\"]")
_TELLING = SAYING | JUDGING | COUNTING | VIEWS | RUMOURS | {"according"}
_NOUNS = frozenset(("NOUN", "PROPN"))
_OWNING = frozenset(("of", "for", "from", "at", "in"))
"""Prepositions before whom somebody speaks for: "the spokesman for the guild", but not "the article on the guild"."""


def on_side(name: str, text: str, hit: Hit, desk: Desk) -> bool:
    """Whether a text is on a side: names it, falls in its time, or is by it."""
    times = periods(f"in {name}")
    if times:
        return any(p.first <= times[0].last and times[0].first <= p.last for p in periods(text))
    return names(name, text, desk) or _by(name, hit, desk)


def held_by(name: str, item: Evidence, desk: Desk) -> bool:
    """Whether it is the side that says what a sentence says."""
    found = parse(item.text)
    holders = [v.holder.text for v in found.voices if v.holder is not None and found.spoken(v)]
    return any(_is(parse(h), name, _nouns(name), desk) for h in holders) if holders else _by(name, item.hit, desk)


def theirs(name: str, item: Evidence, desk: Desk) -> bool:
    """Whether a sentence gives the word of a side: it says so, goes on from them with a pronoun, or stands unvoiced in a text by them.

    What they say aside does not count: "attacks go on although the army declared them over".
    """
    return held_by(name, item, desk) or voiced_by(name, item.text, item.start, item.hit, desk, aside=False)


def voiced_by(name: str, text: str, start: int, hit: Hit, desk: Desk, *, aside: bool = True) -> bool:
    """Whether a sentence names the side as one who says something in it, or goes on from them with a pronoun: "It counts three".

    Args:
        start: where it stands in its source.
        aside: what is said in a clause beside the main one counts too.
    """
    found = parse(text)
    for voice in found.voices:
        if voice.holder is None or voice.verb not in _TELLING or not (aside or found.spoken(voice) or _in_main(found, voice.at)):
            continue
        word, holder = found.words[voice.holder.head], whose(found, voice)
        if word.pos == "PRON":
            source = desk.index.source(hit.passage.source_id)
            holder = goes_on_from(word.lemma, before(source, start)) if source is not None else ""
        if holder and _is(parse(holder), name, _nouns(name), desk):
            return True
    return False


def _in_main(found: Parse, place: int) -> bool:
    """Whether a verb is the main one, joined to it, or what it says: "admits" of "the article reports that the army admits it"."""
    while found.words[place].dep in {"ccomp", "conj", "parataxis"} and found.words[place].head != place:
        place = found.words[place].head
    return found.words[place].dep == "ROOT"


def _is(holder: Parse, name: str, nouns: set[str], desk: Desk) -> bool:
    """Whether a holder is the side: "the guild of drivers" the guild, not the drivers; "the Taliban's Qani" the Taliban.

    Args:
        nouns: those of a name without capitals, of which one is the holder's; "the author" shares its stem with "the authority".
    """
    words = holder.words
    heads = [n for n, w in enumerate(words) if w.dep in {"ROOT", "appos"} and w.pos in _NOUNS]
    about = {p for n, w in enumerate(words) if w.dep == "prep" and w.lemma not in _OWNING for p in holder.subtree(n)}
    own = " ".join(words[p].text for h in heads for p in holder.subtree(h, without=("acl", "relcl", "advcl", "appos")) if p not in about)
    return names(name, own, desk) and (not nouns or any(holder.words[h].lemma in nouns for h in heads))


def _nouns(name: str) -> set[str]:
    return {w.lemma for w in parse(name).words if w.pos in _NOUNS} if name.islower() else set()


def _by(name: str, hit: Hit, desk: Desk) -> bool:
    source = desk.index.source(hit.passage.source_id)
    if source is None:
        return False
    # "reporters, as summarised by X" are not X.
    claimed = (hit.passage.claimed_by or "").partition(", as ")[0]
    return any(names(name, by, desk) for by in (claimed or source.author or "", source.publisher or ""))


def names(name: str, text: str, desk: Desk) -> bool:
    """Whether a text names a side: in another spelling, by all words of a name, or by half of the words of what is no name."""
    vocabulary = desk.index.vocabulary
    spelled = {vocabulary.aliases(m) for m in vocabulary.mentions(name)}
    if spelled and spelled <= {vocabulary.aliases(m) for m in vocabulary.mentions(text)}:
        return True
    words = [w for w in re.findall(r"[^\W_]+", name) if w.lower() != "the"]
    named = [w for w in words if w[0].isupper()]
    if named:
        return all(re.search(rf"\b{re.escape(w)}", text) for w in named)
    wanted = [s for term in vocabulary.content_terms(name) for s in vocabulary.stems(term)]
    stems = set(vocabulary.stems(text))
    return bool(wanted) and sum(w in stems for w in wanted) * 2 >= len(wanted)


def named_source(desk: Desk, question: str) -> Source | None:
    """The source that is meant: by its title or author, by what stands beside "article", or "the article" where the collection has one
    source, one signed opinion piece, or the last question named one.
    """
    vocabulary = desk.index.vocabulary
    asked = set(vocabulary.stems(question))
    sources = [s for s in desk.index.sources() if desk.request.filters.admits(s)]
    if source := quoted(question, sources):
        return source
    by_author = [s for s in sources if s.author and vocabulary.stem(s.author.split()[-1]) in asked]
    if by_author:
        return max(by_author, key=lambda s: len(s.text))
    if source := titled(desk, question):
        return source
    referred = reference(question)
    described = fitting(desk, referred.beside, sources) if referred and referred.beside else []
    if len(described) == 1:
        return described[0]
    of_text = form_words(question) & (_OF_TEXT | {"takeaway", "conclusion", "thesis", "argument"})
    if len(sources) == 1:
        return sources[0]
    if of_text or WRITERS & _words(question):
        pieces = [s for s in sources if s.author and s.genre == "opinion"]
        if len(pieces) == 1:
            return pieces[0]
        before = desk.request.before.question  # of several, none is "the article" but the one that was asked about
        again = before != question and referred is not None and not referred.beside
        return named_source(desk, before) if before and again else None
    return None


def titled(desk: Desk, question: str) -> Source | None:
    """The source whose title stands in a question: in quotation marks, or by two words or more; of several titles the longest."""
    vocabulary = desk.index.vocabulary
    asked = {vocabulary.stem(t) for t in vocabulary.content_terms(question)}
    sources = [s for s in desk.index.sources() if desk.request.filters.admits(s)]
    if source := quoted(question, sources):
        return source
    titles = [(s, {vocabulary.stem(t) for t in vocabulary.content_terms(s.title)}) for s in sources]
    return max(((s, t) for s, t in titles if len(t) > 1 and t <= asked), key=lambda pair: len(pair[1]), default=(None, set()))[0]


def quoted(question: str, sources: Sequence[Source]) -> Source | None:
    """The source whose whole title stands in quotation marks."""
    found = _QUOTED.search(question)
    title = found["words"].casefold() if found else ""
    return next((s for s in sources if title and s.title.casefold() == title), None)


def fitting(desk: Desk, words: str, sources: Sequence[Source]) -> list[Source]:
    """The sources whose records (title, author, publisher) hold all of these words; the titles alone where some title does."""
    vocabulary = desk.index.vocabulary
    wanted = {vocabulary.stem(t) for t in vocabulary.content_terms(words)}
    if not wanted:
        return []

    def held(text: str) -> bool:
        return wanted <= {vocabulary.stem(t) for t in vocabulary.content_terms(text)}

    by_title = [s for s in sources if held(s.title)]
    return by_title or [s for s in sources if held(f"{s.title} {s.author or ''} {s.publisher or ''}")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Speaker:
    """Whose words are wanted.

    Attributes:
        name: as it may stand in the sources: the author's name for "the author".
        text: the id of the text where one is meant ("the article"), all of whose sentences count; else empty.
    """

    name: str
    text: str = ""

    def said(self, item: Evidence, desk: Desk) -> bool:
        """Whether a sentence is theirs."""
        return item.hit.passage.source_id == self.text if self.text else held_by(self.name, item, desk)

    def wrote(self, hit: Hit, desk: Desk) -> bool:
        """Whether a passage is of a text that they wrote or published."""
        return hit.passage.source_id == self.text if self.text else _by(self.name, hit, desk)

    def near(self, hit: Hit, desk: Desk) -> bool:
        """Whether a passage may hold words of theirs."""
        return hit.passage.source_id == self.text if self.text else on_side(self.name, hit.passage.text, hit, desk)


def speaker(desk: Desk, name: str) -> Speaker | None:
    """Who is meant by a name, "the author" or "the article"; None where several texts may be meant by these."""
    words = _words(name)
    titled_so = quoted(name, [s for s in desk.index.sources() if desk.request.filters.admits(s)])
    if titled_so is None and (not words & _OF_TEXT or any(w[:1].isupper() for w in name.split()[1:])):
        return Speaker(name=name)
    source = titled_so or named_source(desk, name)
    if source is None:
        return None
    if words & WRITERS and (source.author or titled_so is None):
        return Speaker(name=source.author or name)
    return Speaker(name=name, text=source.id)


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[a-z]+", text.lower()))
