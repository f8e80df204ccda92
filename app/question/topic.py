"""What is said of something: "what do the sources say about X?", "what does the author think of X?"."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.question.matter import FORM
from app.question.reference import ON, reference
from app.text.lexicon import SAYING, TEXTS, VIEWS, WRITERS
from app.text.parse import Parse, Span, parse

_KNOWN = frozenset(
    ("say", "claim", "report", "argue", "write", "think", "believe", "state", "tell", "maintain", "estimate", "know", "mention", "contain", "cover", "have",
     "publish", "discuss", "treat", "deal", "speak", "talk")
)  # fmt: skip
"""Verbs of what a text or a person says of something."""
_HOLDING = frozenset(("think", "believe", "agree", "disagree"))
"""Verbs of what somebody holds of a thing."""
_SAYS = frozenset((*SAYING, *(f"{verb}d" if verb.endswith("e") else f"{verb}ed" for verb in SAYING), "said", "told", "thought")) - {"show", "find", "write"}
_SUBJECT = frozenset(("nsubj", "nsubjpass"))
_NOUN = frozenset(("NOUN", "PROPN"))
_NAMING = frozenset(("DET", "ADJ", "NOUN", "PROPN", "ADP", "NUM", "PART", "CCONJ"))
"""Parts of speech of the words that name somebody: "the head of the UN's mission"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What is to be told of.

    Attributes:
        about: the thing, in the words of the question; empty where all that the holder says is wanted.
        holder: whose words are wanted, as the question names them; empty where those of all sources are.
        view: what they hold of it is wanted, rather than anything that they say.
    """

    about: str
    holder: str = ""
    view: bool = False

    @property
    def question(self) -> str:
        """What the sentences wanted would answer."""
        return f"How should {self.about} be seen?" if self.view else f"What is said about {self.about}?"


def topic_of(question: str) -> Topic | None:
    """What a question wants to be told of, and by whom; None where it asks for something else."""
    text = " ".join(question.split()).rstrip(" ?!.")
    referred = reference(text)
    if referred is not None and referred.shorter and (topic := _topic_of(text.replace(referred.text, referred.shorter, 1))):
        # What stands behind the noun misleads the parser: "what does the text on the ferry say about the radar".
        return replace(topic, holder=topic.holder.replace(referred.shorter, referred.text, 1))
    return _topic_of(text)


def holder_of(question: str) -> str:
    """Whose word a question wants: "the growers" of "how many trees fell according to the growers?"; empty where it wants nobody's.

    Told by "according to", by whose view or estimate is asked for, and by who stands between "does" and a verb of saying: there the parser
    often takes the verb for a noun.
    """
    found = parse(" ".join(question.split()).rstrip(" ?!."))
    words = found.words
    by = next((v.holder for v in found.voices if v.holder is not None and v.verb == "according"), None)
    if by is not None:
        return _holder(found, by.head)
    for place, word in enumerate(words):
        owner = next((c for c in found.children[place] if words[c].dep == "poss"), None)
        if word.lemma in VIEWS and word.pos == "NOUN" and owner is not None and not any(words[p].tag.startswith("W") for p in found.subtree(owner)):
            return _named(found, found.span(owner, without=("case",)))
        if word.lemma not in {"do", "have"} and word.tag != "MD":
            continue
        noun = next((p for p in range(place + 1, len(words)) if words[p].pos in _NOUN or words[p].pos not in _NAMING), len(words))
        end = next((p for p in range(noun + 1, len(words)) if words[p].text in _SAYS or words[p].pos not in _NAMING), len(words))
        if end == len(words) or words[noun].pos not in _NOUN or words[end].text not in _SAYS:
            continue
        # "Many scientists", "a witness" and "supporters of it" are nobody in particular.
        if (words[noun].pos == "PROPN" or words[place + 1].lemma in {"the", "this"}) and _says_something(found, end):
            return _named(found, _between(found, place + 1, end))
    return ""


def unattributed(question: str) -> str:
    """A question without "according to X": "How strong is it according to the board?" → "How strong is it?"; as it is where it has none."""
    found = parse(question)
    voice = next((v for v in found.voices if v.holder is not None and v.verb == "according"), None)
    if voice is None or voice.holder is None:
        return question
    aside = found.span(voice.at)
    before, after = question[: aside.start].rstrip(" ,"), question[max(aside.end, voice.holder.end) :].lstrip(" ,")
    whole = f"{before}{'' if not after or after[0] in '?!.' else ' '}{after}".strip()
    return f"{whole[:1].upper()}{whole[1:]}"


def _says_something(found: Parse, verb: int) -> bool:
    """Whether what is said is asked for, or follows: nothing, "about", "that", or a clause stands behind the verb; not "to", as in "hope to"."""
    behind = [w for w in found.words[verb + 1 :] if w.pos != "PUNCT"]
    if not behind or behind[0].lemma in ON | {"that", "whether", "if", "in", "at"}:
        return True
    told_about = found.words[verb].lemma == "tell" and any(w.lemma == "about" for w in behind)
    return told_about or (behind[0].lemma != "to" and any(w.pos in {"VERB", "AUX"} for w in behind))


def _between(found: Parse, first: int, end: int) -> Span:
    start, last = found.words[first].start, found.words[end - 1].end
    return Span(text=found.text[start:last], start=start, end=last, head=end - 1)


def _named(found: Parse, named: Span) -> str:
    """The words of somebody who says something; empty for "the sources"."""
    nouns = [w for w in found.words if w.pos in _NOUN and named.start <= w.start < named.end]
    every = not nouns or (nouns[-1].lemma in TEXTS and nouns[-1].tag == "NNS") or nouns[-1].lemma in {"collection", "corpus"}
    return "" if every else named.text


def _topic_of(text: str) -> Topic | None:
    found = parse(text)
    roots = [p for p, w in enumerate(found.words) if w.dep == "ROOT"]
    within = [c for root in roots if found.is_order for c in found.children[root] if found.words[c].dep == "ccomp"]
    for verb in (*roots, *within):
        for topic in (_said(found, verb), _view(found, verb), _told(found, verb)):
            if topic:
                held = found.words[verb].lemma in _HOLDING or (found.words[verb].lemma == "be" and bool(topic.holder))
                return replace(topic, view=held)
    return next((topic for verb in (*roots, *within) if (topic := _anything(found, verb))), None)


def _anything(found: Parse, root: int) -> Topic | None:
    """As in "What does the union say?": nothing but the asking word and the holder stands with the verb."""
    own = found.children[root]
    asks = [c for c in own if found.words[c].lemma == "what" and not found.children[c]]
    subject = next((c for c in own if found.words[c].dep in _SUBJECT and c not in asks), None)
    beside = {found.words[c].dep for c in own if c not in asks and c != subject}
    if not asks or subject is None or found.words[root].lemma not in SAYING or not beside <= {"aux", "punct"}:
        return None
    word = found.words[subject]
    holder = "" if word.lemma in TEXTS | WRITERS else _holder(found, subject)
    return Topic(about="", holder=holder) if holder else None


def _said(found: Parse, root: int) -> Topic | None:
    """As in "What do the sources say about X?", "What is known of X?", "Which sources mention X?", "Does the author agree that X?"."""
    words = found.words
    own = found.children[root]
    if words[root].lemma not in _KNOWN | {"agree", "disagree", "be"}:
        return None
    asks = [c for c in own if words[c].lemma in {"what", "which"} or any(words[d].lemma in {"what", "which"} for d in found.children[c])]
    subject = next((c for c in own if words[c].dep in _SUBJECT), None)
    claim = next((c for c in own if words[c].dep == "ccomp" and c > root), None)
    if subject is not None and claim is not None and not asks and root and words[root].tag == "VB" and words[0].lemma in {"do", "will", "would"}:
        holder = _holder(found, subject)
        mark = next((c for c in found.children[claim] if words[c].dep == "mark"), None)
        return Topic(about=_from(found, words[mark].end if mark is not None else words[claim].start), holder=holder) if holder else None
    if not asks:
        return None
    on = next((p for p in range(root, len(words)) if words[p].lemma in ON and words[p].dep == "prep" and words[p].head in {root, *own}), None)
    start = None if on is None else words[on].end
    if subject in asks and subject is not None:
        if words[root].lemma == "be" or words[subject].lemma not in TEXTS:
            # "What is known about X?"; "Which groups mention X?" asks for a list.
            start = start if words[subject].lemma == "what" and words[root].tag == "VBN" else None
        elif start is None:
            thing = next((c for c in own if words[c].dep == "dobj" and c > root), None)
            start = None if thing is None else words[min(found.subtree(thing))].start
        return _topic(found, start, "")
    if words[root].lemma == "be" or (subject is not None and words[root].lemma in {"agree", "disagree"}):
        return None
    if subject is None and words[root].tag != "VBN":
        # "What do the Taliban claim about X?": a verb that is read as a noun has no subject, but words before it.
        does = next((p for p in range(root) if words[p].lemma == "do"), None)
        between = "" if does is None else found.text[words[does].end : words[root].start].strip()
        return _topic(found, start, between) if between and words[does + 1 if does is not None else 0].pos != "PRON" else None
    return _topic(found, start, "" if subject is None else _holder(found, subject))


def _view(found: Parse, root: int) -> Topic | None:
    """As in "What is the author's view of X?"."""
    words = found.words
    noun = next((c for c in found.children[root] if words[c].lemma in VIEWS), None)
    if noun is None or words[root].lemma != "be" or not any(words[c].lemma == "what" for c in found.children[root]):
        return None
    owner = next((c for c in found.children[noun] if words[c].dep == "poss"), None)
    on = next((c for c in found.children[noun] if words[c].lemma in ON and words[c].dep == "prep"), None)
    return None if owner is None or on is None else _topic(found, words[on].end, found.span(owner, without=("case",)).text)


def _told(found: Parse, root: int) -> Topic | None:
    """As in "Tell me something about X"."""
    words = found.words
    if words[root].lemma != "tell" or not found.is_order:
        return None
    on = next((p for p in range(root, len(words)) if words[p].lemma in {"about", "of"} and words[p].dep == "prep"), None)
    return None if on is None else _topic(found, words[on].end, "")


def _topic(found: Parse, start: int | None, holder: str) -> Topic | None:
    about = "" if start is None else _from(found, start)
    parsed = [w for w in found.words if start is not None and w.start >= start]
    bare = [w for w in parsed if w.pos not in {"DET", "PUNCT", "ADP"}]
    empty = not bare or all(w.pos == "PRON" or w.lemma in TEXTS | FORM | {"everything", "topic"} for w in bare)
    of_a_text = bool(holder and bare) and all(w.lemma in TEXTS for w in bare)  # "what do critics say about the article"
    return None if not about or (empty and not of_a_text) else Topic(about=about, holder=holder)


def _from(found: Parse, start: int) -> str:
    """The words from a place to the end, or to a clause that is joined on: "the Hazaras" of "the Hazaras and why they matter"."""
    end = len(found.text)
    for place, word in enumerate(found.words):
        joins = word.dep == "cc" and word.start > start
        if joins and any(w.tag.startswith("W") for w in found.words[place + 1 : place + 3]):
            end = word.start
            break
    return found.text[start:end].strip(" ,:“”\"'")


def _holder(found: Parse, subject: int) -> str:
    """Who is to say it; empty for "you", "the sources", "they"."""
    word = found.words[subject]
    if word.pos == "PRON" or (word.lemma in TEXTS and word.tag == "NNS") or word.lemma in {"collection", "corpus"}:
        return ""
    return found.span(subject, without=("relcl",)).text
