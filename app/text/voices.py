"""Who says it: whether a sentence names its voice, and whether retelling it left the voice out."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SAYS_WHO = re.compile(
    r"\b(?:according to|sa(?:id|ys)|argue[sd]?|claim(?:s|ed)|report(?:s|ed)|estimate[sd]?|stated?|wrote|writes|"
    r"told|counted|found|calls?|called|holds|thinks|believes|concludes?d?|put|saw|in the (?:view|words|opinion) of|"
    r"the (?:author|article|report|source|study|note)s?)\b",
    re.I,
)
_OWN_WORDS = re.compile(
    r"\b(?:sa(?:id|ys)|claim(?:s|ed)|argue[sd]?|alleg(?:es?|ed)|believe[sd]?|maintain(?:s|ed)|insist(?:s|ed)?|assert(?:s|ed)?|"
    r"contend(?:s|ed)?|suspect(?:s|ed)?|think[s]?|estimate[sd]?|warn(?:s|ed)|conclude[sd]?|report(?:s|ed) that|"
    r"accuse[sd]?|denie[sd])\b",
    re.I,
)
"""Words by which a sentence gives what somebody holds; narrower than those that name a voice at all."""
_ACCORDING = re.compile(r"\b(?:according to|in the (?:view|words|opinion) of|as reported by)\b", re.I)
_MARKED = re.compile(
    r"\b(?:alleg\w+|reportedly|purported(?:ly)?|supposed(?:ly)?|rumou?r\w*|accus\w+|estimate\w*|may|might|could|possibly|probably|"
    r"likely|claim\w*|denie[sd]|unconfirmed|suspect\w*|believe\w*|warn\w*|in (?:his|her|their|its) view)\b",
    re.I,
)
_HELD = (
    r"(?:argument|claim|allegation|assertion|accusation|belief|fear|concern|worry|worries|rumou?r|suggestion|speculation|suspicion|"
    r"notion|idea|narrative|perception|warning|prediction|complaint|view|opinion|theory|theories|myth|promise|threat|denial|impression|"
    r"criticism|conclusion|hope|contention)s?"
)
_HOLDERS = (
    r"(?:critics|opponents|supporters|observers|analysts|experts|commentators|sceptics|skeptics|residents|locals|witnesses|rumou?rs?|"
    r"(?:the |local |state |national |foreign |western |social )*(?:media|press|newspapers|tabloids|coverage)|some|many|others|"
    r"several|most|those who|proponents|detractors|activists|campaigners|politicians|voices)"
)
_HOLD = (
    r"(?:argue|say|claim|fear|believe|think|warn|suggest|insist|maintain|hold|worry|contend|expect|suspect|allege|hope|doubt|assume|speak|"
    r"point|complain|conclude|describe|portray|depict|call|see|view|regard|blame|accuse|predict|object|hail|praise|dismiss|consider|"
    r"agree|state|assert|feel)(?:s|d|ed)?|(?:said|held|thought|spoke|saw|felt)"
)
_REPORTS = re.compile(
    rf"\b{_HELD} (?:\w+ ){{0,3}}?that\b|\b(?:include|contain|feature|repeat|echo|spread|circulate|reject|dismiss|voice)\w* (?:\w+ ){{0,3}}?{_HELD}\b|"
    r"\b(?:is|are|was|were|been|being) (?:\w+ly |often |long |now |also |sometimes )*(?:believed|thought|said|alleged|reported|rumou?red|feared|suspected|"
    r"accused|considered|regarded|described|portrayed|depicted|presented|hailed|blamed|understood|claimed|seen)\b (?:to|as|that|of|for|by)\b|"
    r"\b(?:reportedly|allegedly|supposedly|purportedly|ostensibly)\b|"
    rf"\b{_HOLDERS}\b(?: \w+){{0,4}}? (?:{_HOLD})\b|\bin the eyes of\b|\bwhat \w+ (?:call|see|describe|regard)s?\b|\bit (?:is|was) (?:\w+ly )?(?:said|argued|"
    r"claimed|feared|believed|thought|alleged|suggested|rumou?red|hoped|assumed) that\b",
    re.I,
)
_QUOTATION = re.compile(r"^\W{0,2}[\"“„«][^\"”“»]+[\"”“»]\W*$")
REPORTING = ", reporting what others say"
"""Stands behind an author's name before a sentence that gives what others hold."""
_OTHER_HOLDING = re.compile(
    r"\b(?:attribut\w+|blam(?:e[sd]?|ing)|assess(?:es|ed)?|link(?:s|ed) \w+ to|confirm(?:s|ed)?|deni(?:es|ed)|den(?:y|ying)|"
    r"confess(?:es|ed)?|acknowledg\w+|admit\w*|dismiss\w*|reject\w*|describ\w+|announc\w+|declar\w+|identif\w+|recogni[sz]\w+|"
    r"list(?:s|ed) \w+ as|ascrib\w+|point(?:s|ed) to|took responsibility|claim\w* responsibility|disput\w+)\b",
    re.I,
)
"""Verbs by which a sentence has a voice of its own; none is put behind it."""
_CLAUSES = re.compile(r"[;:]|,? (?:while|whereas|but|although|though|yet|and) ")
_CLAUSE = re.compile(r"[,;:.!?](?:\s|$)")
_WORD = re.compile(r"[^\W_]{2,}")
_FIGURE = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_JOINED = re.compile(r",? (?:and|or) |, ")
_SPEAKER_WORDS = 12
_NOT_SPEAKERS = frozenset(
    [
        "the",
        "and",
        "that",
        "this",
        "these",
        "those",
        "who",
        "which",
        "also",
        "has",
        "have",
        "had",
        "was",
        "were",
        "been",
        "its",
        "his",
        "her",
        "their",
        "our",
        "for",
        "with",
        "from",
        "led",
        "by",
        "of",
        "in",
        "on",
        "at",
        "to",
        "as",
        "an",
        "it",
        "he",
        "she",
        "they",
        "we",
        "is",
        "are",
        "be",
        "not",
        "but",
    ]
)

_SHORT_VOICE = 6
_NAMEABLE = re.compile(r"[\w'’.-]+(?: [\w'’.-]+)*")
_LOWERED = frozenset(
    [
        "a",
        "an",
        "the",
        "their",
        "his",
        "her",
        "its",
        "our",
        "some",
        "many",
        "most",
        "several",
        "other",
        "both",
        "one",
        "two",
        "local",
        "former",
        "senior",
        "critics",
        "officials",
        "analysts",
        "experts",
        "witnesses",
        "observers",
        "authorities",
        "residents",
        "researchers",
        "police",
        "prosecutors",
        "investigators",
        "opponents",
        "supporters",
        "scholars",
        "diplomats",
        "journalists",
        "doctors",
        "lawyers",
    ]
)
"""Words that may begin or be a voice without being a name."""
_LINKS = frozenset(
    [
        "in",
        "on",
        "at",
        "by",
        "of",
        "for",
        "from",
        "with",
        "after",
        "before",
        "since",
        "until",
        "during",
        "when",
        "while",
        "as",
        "although",
        "because",
        "but",
        "and",
        "or",
        "if",
        "that",
        "then",
        "later",
        "earlier",
        "meanwhile",
        "today",
        "however",
    ]
)


def says_who(text: str) -> bool:
    """Whether a sentence tells who says, counts or finds what it says."""
    return bool(_SAYS_WHO.search(text))


def reports_others(text: str) -> bool:
    """Whether a sentence gives what others than its author hold or say: "the coverage included fears that …"."""
    return bool(_REPORTS.search(text) or _QUOTATION.match(text))


def names(who: str, sentence: str) -> bool:
    """Whether a sentence itself names the one who says it."""
    capitalised = [w for w in re.findall(r"[^\W\d_]{2,}", who) if w[0].isupper() and w not in {"The", "UN"}]
    return bool(capitalised) and all(name in sentence for name in capitalised[:3])


def voice_left_out(sentence: str, quote: str) -> str:
    """The words of a quote that name who says so, when a sentence that retells it keeps nothing of them; else "".

    "Critics led by Ana Bruun said the dam was built without a permit" retold as "The dam was built without a
    permit" turns a claim into a fact. A sentence that names the speaker, or marks what it says as somebody's, does not.
    """
    if says_who(sentence) or _MARKED.search(sentence) or _OTHER_HOLDING.search(sentence):
        return ""
    said = _told_in(sentence, quote)
    for voice in _voices(quote):
        if said and voice not in said:
            continue  # it holds what another part of the quote tells
        words = {w.lower() for w in _WORD.findall(voice)} - _NOT_SPEAKERS
        if words and not words & {w.lower() for w in _WORD.findall(sentence)}:
            return voice
    return ""


def _told_in(sentence: str, quote: str) -> str:
    """The part of a quote of several voices that tells what the sentence tells; "" where that is no single part."""
    parts = [p.strip() for p in _CLAUSES.split(quote)]
    if len(parts) < 2 or len(_voices(quote)) + len(_OTHER_HOLDING.findall(quote)) < 2:
        return ""
    words = {w.lower() for w in _WORD.findall(sentence)} - _NOT_SPEAKERS
    shared = [len(words & {w.lower() for w in _WORD.findall(p)}) for p in parts]
    best = max(shared)
    return parts[shared.index(best)] if shared.count(best) == 1 else ""


def _voices(quote: str) -> list[str]:
    """Stretches of the quote that name a speaker: before a verb of saying, or after "according to"."""
    found: list[str] = []
    for match in _OWN_WORDS.finditer(quote):
        before = _CLAUSE.split(quote[: match.start()])[-1].split()
        if not before:
            after = _CLAUSE.split(quote[match.end() :])[0].split()
            inverted = bool(after) and after[0][0].isupper()  # "…, said Ana Bruun", not "Bruun, who leads it, said …"
            before = after[:_SPEAKER_WORDS] if inverted else quote[: match.start()].split()
        found.append(" ".join(before[-_SPEAKER_WORDS:]))
    for match in _ACCORDING.finditer(quote):
        found.append(" ".join(_CLAUSE.split(quote[match.end() :])[0].split()[:_SPEAKER_WORDS]))
    return found


def voice_not_there(sentence: str, quotes: Sequence[str]) -> str:
    """One of the voices that a sentence names for a figure which its quote has from another of them alone; else "".

    "Listed in 2024 and 2025, according to the UN and the US" over "The UN kept naming him in 2024 and 2025" puts the
    years into the mouth of the US too.
    """
    voices: list[str] = []
    for match in _ACCORDING.finditer(sentence):
        voices += _JOINED.split(re.split(r"[;:.!?](?:\s|$)", sentence[match.end() :])[0].strip(" ."))
    named = {v: {w for w in _WORD.findall(v) if w[0].isupper()} for v in voices}
    named = {v: words for v, words in named.items() if words}
    for figure in dict.fromkeys(_FIGURE.findall(sentence)) if len(named) > 1 else ():
        holders = [set(_WORD.findall(q)) for q in quotes if figure in _FIGURE.findall(q)]
        missing = [{v for v, words in named.items() if not words & h} for h in holders]
        if missing and all(0 < len(m) < len(named) for m in missing):
            return min(set.union(*missing), key=voices.index)
    return ""


def with_voice(sentence: str, voice: str) -> str:
    """The sentence with the voice behind it, or "" where it has one of its own or needed rewording.

    "310 sailors took part.", "Their union" → "310 sailors took part, according to their union."
    """
    if says_who(sentence) or _OTHER_HOLDING.search(sentence):
        return ""
    words = voice.split()
    plain = words[0].lower() in _LOWERED if words else False
    if not words or len(words) > _SHORT_VOICE or not _NAMEABLE.fullmatch(voice):
        return ""
    if words[0].lower() in _LINKS or not (plain or words[0][0].isupper() or words[-1].lower() in _LOWERED):
        return ""
    named = voice[0].lower() + voice[1:] if plain else voice
    body = sentence.rstrip()
    ending = re.search(r"[.!?…]?$", body)
    return f"{body[: ending.start()]}, according to {named}{ending.group() or '.'}" if ending else ""
