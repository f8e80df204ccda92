"""What a question is on, without the words that say in which form the answer is wanted."""

from __future__ import annotations

from app.question.shape import Shape
from app.text.parse import Parse, parse

FORM = frozenset(
    ["list", "timeline", "chronology", "history", "overview", "summary", "comparison", "difference", "table", "quote", "quotation", "citation", "passage", "sentence", "bullet", "takeaway", "point", "paragraph", "word", "line", "reason", "explanation", "definition", "article", "text", "piece", "source", "collection", "argument", "thesis", "conclusion", "name"]
)  # fmt: skip
"""Nouns that name the form of an answer, or the text that it is drawn from. Left in, two of three quotations asked for in the analyst
cases were not found, since "no source mentions: exact, passage"; without them all three are."""
ASKS = frozenset(
    ["list", "name", "give", "show", "tell", "write", "make", "provide", "draw", "compare", "contrast", "put", "quote", "cite", "summarise", "summarize", "sum", "explain", "describe", "enumerate", "need", "want", "find", "get", "define"]
)  # fmt: skip
"""Verbs of requests; with the pronouns around them they say nothing of the matter."""
_FORMS: dict[str, Shape] = {
    **dict.fromkeys(("summary", "overview", "paragraph", "text", "line", "takeaway", "bullet"), "summary"),
    **dict.fromkeys(("timeline", "chronology"), "timeline"), **dict.fromkeys(("quote", "quotation", "citation"), "quote"),
    "list": "list", "comparison": "comparison", "definition": "definition",
}  # fmt: skip
"""What is wanted where the object of a request is such a noun."""
_COMPARING = frozenset(("compare", "contrast"))
_BESIDE = frozenset(("amod", "det", "nummod", "compound", "predet", "prep", "case"))


def matter(text: str) -> str:
    """The words of a question that say what it is on: "Give me a timeline of the strikes in 2019" → "of the strikes in 2019".

    The whole text where nothing would be left.
    """
    found = parse(text)
    drop = {p for p, _ in enumerate(found.words) if of_form(found, p)}
    for place in sorted(drop):
        word = found.words[place]
        if word.pos in {"NOUN", "PROPN"}:
            drop |= {c for c in found.children[place] if found.words[c].dep in _BESIDE and not _carries(found, c)}
        if word.head != place and found.words[word.head].dep == "prep" and not _carries(found, word.head, without=place):
            drop.add(word.head)
    kept = [w for p, w in enumerate(found.words) if p not in drop]
    if not any(w.pos in {"NOUN", "PROPN", "VERB", "ADJ", "NUM"} for w in kept):
        return text
    words = "".join(found.text[w.start : w.end] + (" " if found.text[w.end : w.end + 1].isspace() else "") for w in kept)
    return " ".join(words.split()).strip(" :;,.!?")


def form_named(text: str) -> Shape | None:
    """The form that a request names as what it wants: "Write a short paragraph on the strike" → "summary"; None where it names none."""
    found = parse(text)
    for place, word in enumerate(found.words):
        if word.dep != "ROOT" or word.pos != "VERB":
            continue
        wishes = any(found.words[c].lemma == "i" for c in found.children[place]) and word.lemma in {"need", "want", "like"}
        if word.lemma in _COMPARING and (found.is_order or place == 0):
            return "comparison"
        if found.is_order or wishes:
            wanted = (found.words[c].lemma for c in found.children[place] if found.words[c].dep in {"dobj", "dative", "oprd"})
            return next((_FORMS[lemma] for lemma in wanted if lemma in _FORMS), None)
    return None


def form_words(text: str) -> frozenset[str]:
    """Dictionary forms of the form words of a text."""
    found = parse(text)
    return frozenset(found.words[p].lemma for p in range(len(found.words)) if of_form(found, p))


def of_form(found: Parse, place: int) -> bool:
    """Whether a word belongs to the asking: it names a form, asks for it ("list …", but not "countries list …") or is who asks."""
    word = found.words[place]
    lemma = word.lemma.rstrip("s") if word.lemma.rstrip("s") in FORM else word.lemma
    if lemma in FORM and (word.pos in {"NOUN", "PROPN"} or place == 0):
        return True
    order = word.lemma in ASKS and (place == 0 or found.words[place - 1].lemma in {"please", "i", "you", "to"})
    return order or (word.pos == "PRON" and word.lemma in {"i", "me", "we", "us", "you"}) or word.lemma == "please"


def _carries(found: Parse, place: int, *, without: int = -1) -> bool:
    """Whether words of the matter hang on a word: "with the Trojan horse" of "the sentence with the Trojan horse"."""
    word = found.words[place]
    if word.dep in {"compound", "amod", "nummod", "det", "predet", "case"}:
        return word.dep == "compound" and word.pos == "PROPN"
    below = [p for p in found.subtree(place) if p not in {place, without}]
    return any(found.words[p].pos in {"NOUN", "PROPN"} and not of_form(found, p) for p in below)
