"""Who says it: whether a sentence names its voice, and whether retelling it left the voice out."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.text import claims
from app.text.lexicon import COUNTING, HEDGES, JUDGING, SAYING
from app.text.parse import Parse, Voice, parse
from app.text.spans import FIGURE

_OWN = frozenset(("i", "we"))
REPORTING = ", reporting what others say"
"""Stands behind an author's name before a sentence that gives what others hold."""
_SHORT_VOICE = 6
_PLAIN = frozenset(("DT", "PRP$", "NNS", "JJ", "CD"))
"""Tags of words that begin a voice and are no name, so that they lose their capital inside a sentence."""
_CONTENT = frozenset(("NOUN", "PROPN", "VERB", "ADJ", "NUM"))


def says_who(text: str) -> bool:
    """Whether a sentence tells who says what it says; who says a part of it does not speak for the rest."""
    parts = [parse(part) for part in re.split(r";\s", text) if part.strip()]
    return bool(parts) and all(any(v.holder is not None and p.spoken(v) for v in p.voices) for p in parts)


def reports_others(text: str) -> bool:
    """Whether a sentence gives what others than its author hold or say: "the coverage included fears that …"."""
    return _is_quotation(text) or any(v.holder is None or v.holder.text.lower() not in _OWN for v in parse(text).voices)


def _is_quotation(text: str) -> bool:
    """Whether all of a text stands between one pair of quotation marks."""
    bare = text.strip(" .,;:!?…()[]—–-")
    return len(bare) > 2 and bare[0] in "\"“„«" and bare[-1] in "\"”“»" and not any(c in "\"”“»" for c in bare[1:-1])


def names(who: str, sentence: str) -> bool:
    """Whether a sentence itself names the one who says it."""
    capitalised = [w for w in re.findall(r"[^\W\d_]{2,}", who) if w[0].isupper() and w not in {"The", "UN"}]
    return bool(capitalised) and all(name in sentence for name in capitalised[:3])


def voice_left_out(sentence: str, quote: str) -> str:
    """The words of a quote that name who says so, when a sentence that retells it keeps nothing of them; else "".

    "Critics led by Ana Bruun said the dam was built without a permit" retold as "The dam was built without a
    permit" turns a claim into a fact. A sentence that names the speaker, or marks what it says as somebody's, does not.
    """
    voice = _left_out(parse(sentence), parse(quote))
    return voice.holder.text if voice is not None and voice.holder is not None else ""


def claimant_left_out(claim: str, quote: str) -> str:
    """The same as it stands inside a sentence, with what is said of them: "the owner, Norfjord Lines"."""
    given = parse(quote)
    voice = _left_out(parse(claim), given)
    return "" if voice is None else whose(given, voice)


def whose(parsed: Parse, voice: Voice) -> str:
    """Who holds a voice, as inside a sentence: "the owner, Norfjord Lines"; "" for nobody."""
    if voice.holder is None:
        return ""
    name = parsed.span(voice.holder.head, without=("relcl", "acl", "advcl")).text
    first = name.split(" ", 1)[0]
    return name[0].lower() + name[1:] if claims.plain(first.lower()) else name


def carried_by(parsed: Parse, place: int) -> Voice | None:
    """The voice that says a clause, the innermost; None where the sentence tells it as a fact."""
    at = parsed.words[place].start
    around = [v for v in parsed.voices if v.at != place and v.said.start <= at < v.said.end]
    return min(around, key=lambda v: v.said.end - v.said.start, default=None)


def names_speaker(question: str, sentence: str, start: int, end: int) -> bool:
    """Whether a stretch of a sentence lies wholly in who says a clause of it, where the question does not ask for that.

    It asks for that by a verb of saying, or where it speaks of the holder: "Who owns the ferry?" of "the owner, Bruun, said …".
    Of 467 answers of XQuAD in English 6 lie in a holder; 1 of them is lost.
    """
    parsed = parse(sentence)
    for voice in parsed.voices:
        if voice.holder is None or voice.said.head == voice.at:
            continue  # who "blames Bruun" or "counts three" does what a question may ask for
        holder = parsed.span(voice.holder.head, without=("relcl",))
        if holder.start <= start and end <= holder.end:
            beside = _content(parsed, holder.start, holder.end) - _content(parsed, start, end)
            return not (asks_who_says(question, voice.verb) or beside & _content(parse(question), 0, len(question)))
    return False


def asks_who_says(question: str, verb: str = "") -> bool:
    """Whether a question asks who says, holds or counts something.

    Args:
        verb: a further verb whose doer it may ask for.
    """
    parsed = parse(question)
    saying = SAYING | JUDGING | COUNTING | {"hold", "according", verb}
    for asking in (w for w in parsed.words if w.tag.startswith("W")):
        if any(v.holder is not None and v.holder.start <= asking.start < v.holder.end for v in parsed.voices):
            return True
        top = asking
        while top.dep in {"det", "poss", "pobj"}:
            top = parsed.words[top.head]
        if top.dep in {"nsubj", "agent", "prep"} and parsed.words[top.head].lemma in saying:
            return True
    return False


def _left_out(told: Parse, given: Parse) -> Voice | None:
    if told.voices or any(w.lemma in HEDGES and w.pos != "PROPN" and w.tag != "NNP" for w in told.words):
        return None
    words = _content(told, 0, len(told.text))
    for voice in sorted(given.voices, key=lambda v: v.said.end - v.said.start):
        if voice.holder is None or not (who := _content(given, voice.holder.start, voice.holder.end)) or who & words:
            continue
        said = _content(given, voice.said.start, voice.said.end) - who
        rest = _content(given, 0, len(given.text)) - said
        if len(words & said) >= max(1, len(words & rest)) or not words & (said | rest):
            return voice
    return None


def _content(parsed: Parse, start: int, end: int) -> set[str]:
    """Dictionary forms of the words between two offsets that carry meaning."""
    return {w.lemma for w in parsed.words if start <= w.start < end and w.pos in _CONTENT}


def voice_not_there(sentence: str, quotes: Sequence[str]) -> str:
    """One of the voices that a sentence names for a figure which its quote has from another of them alone; else "".

    "Listed in 2024 and 2025, according to the UN and the US" over "The UN kept naming him in 2024 and 2025" puts the
    years into the mouth of the US too.
    """
    read = parse(sentence)
    voices = [s.text for v in read.voices if v.holder and v.verb == "according" for s in read.joined(v.holder.head)]
    named = {v: {w for w in re.findall(r"\w{2,}", v) if w[0].isupper()} for v in voices}
    named = {v: words for v, words in named.items() if words}
    for figure in dict.fromkeys(FIGURE.findall(sentence)) if len(named) > 1 else ():
        holders = [set(re.findall(r"\w{2,}", q)) for q in quotes if figure in FIGURE.findall(q)]
        missing = [{v for v, words in named.items() if not words & h} for h in holders]
        if missing and all(0 < len(m) < len(named) for m in missing):
            return min(set.union(*missing), key=voices.index)
    return ""


def with_voice(sentence: str, voice: str) -> str:
    """The sentence with the voice behind it, or "" where it has one of its own or needed rewording.

    "310 sailors took part.", "Their union" → "310 sailors took part, according to their union."
    """
    if not voice or len(voice.split()) > _SHORT_VOICE or parse(sentence).voices:
        return ""
    body = sentence.rstrip()
    ending = re.search(r"[.!?…]?$", body)
    assert ending
    start = f"{body[: ending.start()]}, according to "
    lowered = parse(f"{start}{voice[0].lower()}{voice[1:]}.")
    first = next((w for w in lowered.words if w.start == len(start)), None)
    plain = first is not None and (first.tag in _PLAIN or (first.tag == "NN" and not _is_name(voice, start)))
    named = voice[0].lower() + voice[1:] if plain else voice
    told = f"{start}{named}{ending.group() or '.'}"
    whole = any(v.verb == "according" and v.holder and v.holder.text == named for v in parse(told).voices)
    return told if whole else ""


def _is_name(voice: str, start: str) -> bool:
    return any(e.start == len(start) and e.kind in {"person", "group", "place"} for e in parse(f"{start}{voice}.").entities)
