"""Whose words a sentence gives: the writer or publisher of its source, or somebody whom it quotes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.answering.engine import Desk
from app.evidence.gather import Evidence
from app.question.matter import form_words
from app.question.reference import reference
from app.text.continued import before, goes_on_from, meant_within
from app.text.introduced import introduced
from app.text.lexicon import COUNTING, JUDGING, RUMOURS, SAYING, TEXTS, VIEWS, WRITERS
from app.text.parse import Parse, parse
from app.text.periods import periods
from app.text.voices import whose
from index.search import Hit
from ingest.source import Source

_OF_TEXT = WRITERS | TEXTS
_QUOTED = re.compile(r"[“\"](?P<words>.+)[”\"]")
_DEMANDING = frozenset(("ask", "demand", "urge", "request", "propose", "offer", "want", "promise", "call", "object", "oppose", "support", "back", "reject", "favour", "favor"))
"""Verbs by whose object somebody says what they want or do not want: "Fenn demands 110 marks"."""
_SPEAKS = re.compile(r"([A-Z][A-Z.’'-]+(?: [A-Z][A-Z.’'-]+){0,3}):\s")
_TELLING = SAYING | JUDGING | COUNTING | VIEWS | RUMOURS | {"according"}
_NOUNS = frozenset(("NOUN", "PROPN"))
_PRONOUNS = frozenset(("he", "she", "it", "they", "i", "we", "you", "nobody", "who", "some", "many", "others", "people"))
_FIRST = frozenset(("i", "we", "my", "our"))
_INTRODUCING = 6
"""Passages looked at for who a person is that the text itself does not introduce."""
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
    if not holders or all(h.lower() in _FIRST for h in holders):
        return _by(name, item.hit, desk)
    return any(_is(h, item.start, item.hit, name, desk) for h in holders)


def giving_word(holder: str, items: Iterable[Evidence], desk: Desk) -> set[Evidence]:
    """The sentences that give the word of somebody as a question names them: "the author", "the article", "the union"; none of nobody's."""
    who = speaker(desk, holder) if holder else None
    return {e for e in items if who.said(e, desk) or theirs(who.name, e, desk)} if who is not None else set()


def theirs(name: str, item: Evidence, desk: Desk) -> bool:
    """Whether a sentence gives the word of a side: it says so, goes on from them with a pronoun, or stands unvoiced in a text by them.

    What they say aside does not count: "attacks go on although the army declared them over".
    """
    label = _label(item, desk)
    if label and all(v.holder is None or v.holder.text.lower() in _FIRST for v in parse(item.text).voices):
        source = desk.index.source(item.hit.passage.source_id)
        introduced_so = source is not None and name in source.text and label.split()[-1] == name.rsplit(maxsplit=1)[-1]
        return introduced_so or _names_in_main(parse(label), name, desk)
    return held_by(name, item, desk) or voiced_by(name, item.text, item.start, item.hit, desk, aside=False)


def _label(item: Evidence, desk: Desk) -> str:
    """Who speaks in a paragraph of a transcript: "Oduya" of "ODUYA: I have nothing against it."; else empty."""
    source = desk.index.source(item.hit.passage.source_id)
    paragraph = next((p for p in source.paragraphs if p.start <= item.start < p.end), None) if source is not None else None
    found = _SPEAKS.match(source.text[paragraph.start : paragraph.end]) if source is not None and paragraph is not None else None
    return found[1].title() if found else ""


def voiced_by(name: str, text: str, start: int, hit: Hit, desk: Desk, *, aside: bool = True) -> bool:
    """Whether a sentence names the side as one who says something in it, or goes on from them with a pronoun: "It counts three".

    Args:
        start: where it stands in its source.
        aside: what is said in a clause beside the main one counts too.
    """
    found = parse(text)
    told = [(v.holder.head, whose(found, v)) for v in found.voices if v.holder is not None and v.verb in _TELLING and (aside or found.spoken(v) or _in_main(found, v.at))]
    if not told and (last := _said_last(text)):
        told = [(len(found.words) - 1, last)]
    told += [] if told else [(c.subject.head, c.subject.text) for c in found.clauses if c.subject is not None and c.lemma in _DEMANDING and (aside or _in_main(found, c.verb))]
    return any(who and _is(who, start, hit, name, desk) for who in (_meant(found, head, holder, start, hit, desk) for head, holder in told))


def _meant(found: Parse, head: int, holder: str, start: int, hit: Hit, desk: Desk) -> str:
    """A holder, or whom it means where it is a pronoun; empty where nobody tells."""
    if found.words[head].pos != "PRON":
        return holder
    source = desk.index.source(hit.passage.source_id)
    return meant_within(found, head) or (goes_on_from(found.words[head].lemma, before(source, start)) if source is not None else "")


def _said_last(text: str) -> str:
    """Who says it where a sentence ends in that and the parse of the whole overlooks it: "…, the Sentra agency reported on Monday."."""
    tail = parse(text.rpartition(",")[2].strip(" ”\""))
    clause = next((c for c in tail.clauses if tail.words[c.verb].dep == "ROOT" and c.lemma in SAYING), None)
    return clause.subject.text if clause is not None and clause.subject is not None and not clause.objects else ""


def _in_main(found: Parse, place: int) -> bool:
    """Whether a verb is the main one, joined to it, or what it says: "admits" of "the article reports that the army admits it"."""
    while found.words[place].dep in {"ccomp", "conj", "parataxis"} and found.words[place].head != place:
        place = found.words[place].head
    return found.words[place].dep == "ROOT"


def _is(holder: str, start: int, hit: Hit, name: str, desk: Desk) -> bool:
    """Whether a holder is the side, as named or as the text tells who that is: "the guild of drivers" the guild, not the drivers; "the
    Taliban's Qani" the Taliban; "Fenn" the federation whose president he is.

    Args:
        start: where the sentence stands in its source.
    """
    if _names_in_main(parse(holder), name, desk):
        return True
    return any(_names_in_main(parse(t), name, desk) for t in _introduced(holder, start, hit, desk))


def _introduced(holder: str, start: int, hit: Hit, desk: Desk) -> tuple[str, ...]:
    """What the text tells of who a holder is; what other texts tell of a family name that it does not introduce."""
    source, stem = desk.index.source(hit.passage.source_id), desk.index.vocabulary.stem
    told = introduced(source, start, holder, stem) if source is not None else ()
    bare = holder.lower().removeprefix("the ")
    if told or " " in bare or _PRONOUNS & {bare}:
        return told
    hits = desk.index.search_words([[stem(bare)]], _INTRODUCING, filters=desk.request.filters)
    others = [o for i in dict.fromkeys(h.passage.source_id for h in hits) if (o := desk.index.source(i)) is not None]
    elsewhere = tuple(dict.fromkeys(t.removeprefix("The ").removeprefix("the ") for o in others for t in introduced(o, len(o.text), holder, stem)))
    # "The federation" of a text that names none is the one that others name, where that is one.
    whole = [t for t in elsewhere if not any(set(t.split()) < set(o.split()) for o in elsewhere)]
    return elsewhere if (holder[:1].isupper() and bare == holder.lower()) or len(whole) == 1 else ()


def _names_in_main(holder: Parse, name: str, desk: Desk) -> bool:
    """Whether the words of a holder name the side, without what they are about; of a name without capitals one noun must be the holder's
    own: "the author" shares its stem with "the authority".
    """
    words = holder.words
    heads = [n for n, w in enumerate(words) if w.dep in {"ROOT", "appos"} and (w.pos in _NOUNS or w.text[:1].isupper())]
    about = {p for n, w in enumerate(words) if w.dep == "prep" and w.lemma not in _OWNING for p in holder.subtree(n)}
    own = " ".join(words[p].text for h in heads for p in holder.subtree(h, without=("acl", "relcl", "advcl", "appos")) if p not in about)
    if not (names(name, own, desk) or (_is_person(name) and name.rsplit(maxsplit=1)[-1] in own.split())):
        return False
    nouns = {form for w in parse(name).words if w.pos in _NOUNS for form in (w.lemma, w.text)} if name.islower() else set()
    # "The growers" are the "Growers' Federation", which is one name.
    within = [c for h in heads if words[h].text[:1].isupper() for c in holder.children[h] if words[c].dep in {"poss", "compound"}]
    return not nouns or any({words[h].lemma, words[h].text.lower()} & nouns for h in (*heads, *within))


def _is_person(name: str) -> bool:
    """Whether a name of several words is a person's; the parser tells better in a sentence than of the name alone."""
    return len(name.split()) > 1 and any(e.kind == "person" and e.end == len(name) for e in parse(f"{name} said so.").entities)


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
        return all(re.search(rf"\b{re.escape(w)}", text) for w in named) or (len(named) == 1 and _initials(named[0], text))
    wanted = [s for term in vocabulary.content_terms(name) for s in vocabulary.stems(term)]
    stems = set(vocabulary.stems(text))
    return bool(wanted) and sum(w in stems for w in wanted) * 2 >= len(wanted)


def _initials(name: str, text: str) -> bool:
    """Whether a name of capitals stands for words of a text: "AAA" for "the American Automobile Association"."""
    return name.isupper() and len(name) > 1 and name in "".join(w[0] for w in re.findall(r"[^\W_]+", text) if w[0].isupper())


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
