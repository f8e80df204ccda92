"""Closed classes of English words that several modules read: the calendar, numbers, grammar, names, saying, texts.

A class stands here once, whoever reads it. What a class is worth is measured by ``python -m eval.bench.worth``, which takes
each one out by itself; the numbers stand in docs/results.
"""

from __future__ import annotations

import calendar
from typing import Literal

MONTH_NAMES = tuple(name for name in calendar.month_name if name)
"""January to December."""
MONTHS: dict[str, int] = {
    **{name.lower(): number for names in (calendar.month_name, calendar.month_abbr) for number, name in enumerate(names) if name},
    "sept": 9,
}
"""Names of months and their short forms, lower case, with their number."""
CALENDAR = frozenset((*MONTHS, *(name.lower() for names in (calendar.day_name, calendar.day_abbr) for name in names)))
"""Names of months and days of the week and their short forms, lower case."""

NUMBERS: dict[str, int] = {
    word: number for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()  # noqa: SIM905
    )
}  # fmt: skip
ORDINALS: dict[str, int] = {
    word: number for number, word in enumerate(
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"], 1
    )
}  # fmt: skip
AMOUNTS = frozenset(
    (*NUMBERS, "dozen", "dozens", "hundred", "hundreds", "thousand", "thousands", "million", "millions", "billion", "billions", "half",
     "third", "quarter", "twice", "none", "several", "few", "most", "majority", "both")
)  # fmt: skip
"""Words that tell how many, exactly or not."""

AUXILIARIES = ("is", "are", "was", "were", "do", "does", "did", "has", "have", "had", "can", "could", "will", "would", "should", "may", "might")
FUNCTION = frozenset(
    """
    a about above after again against all also although am among an and another any are as at away be because been before
    being below between both but by can could did do does doing done down during each either else even ever every few for
    from further had has have having he her here hers herself him himself his how however i if in indeed into is it its
    itself just least less let like made make makes many may me might more most much must my near neither no nor not of
    off often on once one only onto or other others our out over own per put rather said same say says several shall she
    should since so some still such than that the their them themselves then there therefore these they this those though
    through thus to together too toward towards under until up upon us very was we well were what when where whereas
    whether which while who whom whose why will with within without would yet you your never none nothing nobody cannot
    along around across amid upon onto via whilst despite according told been it's there's that's
    """.split()  # noqa: SIM905 - reads better than a list
)
"""Words without a meaning of their own."""

PARTICLES = frozenset(("of", "the", "de", "la", "del", "di", "van", "von", "al", "el", "bin", "ibn", "and", "for", "du", "da"))
"""Small words inside names."""
HONORIFICS = frozenset(
    """
    mr mrs ms miss dr prof professor sir lord lady president minister king queen prince princess general colonel captain senator governor
    mayor judge saint st
    """.split()  # noqa: SIM905
)
"""Words before a name that are no part of it."""

HEDGES = frozenset(("may", "might", "could", "possibly", "probably", "likely", "alleged", "purported", "supposed", "unconfirmed", "suspected"))
"""Words by which a sentence tells that something is not sure; a rumour may be retold with one."""
REPORTEDLY = frozenset(("reportedly", "allegedly", "supposedly", "purportedly", "ostensibly"))
RUMOURS = frozenset(("allegation", "accusation", "rumour", "rumor", "suspicion", "speculation"))
BELIEVED = frozenset(("believe", "think", "say", "report", "allege", "rumour", "rumor", "suspect", "claim", "fear", "estimate"))
"""Verbs by which something is said of nobody, and so is not sure: "is believed to hold"; not "is known to", "is called"."""
HEARSAY = BELIEVED | REPORTEDLY | RUMOURS
SAYING = frozenset(
    ("say", "tell", "announce", "report", "claim", "argue", "state", "write", "explain", "note", "add", "confirm", "admit", "acknowledge", "believe",
     "think", "suggest", "show", "find", "reveal", "indicate", "estimate", "predict", "expect", "assume", "fear", "hope", "insist", "maintain", "warn",
     "declare", "allege", "assert", "contend", "conclude", "recall", "reply", "respond", "comment", "observe", "remark", "stress", "emphasize",
     "emphasise", "promise", "vow", "deny", "doubt", "mention", "attest", "rule", "testify", "swear", "agree", "disagree", "complain", "concede",
     "disclose", "proclaim", "reiterate", "speculate", "suspect", "shout", "assure", "propose", "stipulate", "advise", "boast", "joke", "quip", "tweet")
)  # fmt: skip
"""Verbs by which somebody says or believes a clause."""
JUDGING = frozenset(
    ("accuse", "acknowledge", "allege", "argue", "claim", "contest", "doubt", "report", "quote", "admit", "announce", "ascribe", "assess", "attribute", "blame", "call", "condemn", "confess", "confirm", "consider", "criticise",
     "criticize", "declare", "denounce", "deny", "depict", "describe", "dismiss", "dispute", "estimate", "fear", "hail", "identify", "portray", "praise",
     "predict", "present", "recognise", "recognize", "regard", "suspect", "view", "warn")
)  # fmt: skip
"""Verbs by which somebody says something of their object: "blamed the fog", "is regarded as unsafe"."""
COUNTING = frozenset(("put", "count", "number", "give", "list", "record", "see", "find", "name"))
"""Verbs that say something where their object or what stands behind "at" is a figure: "put the losses at 40"."""
VIEWS = frozenset(
    ("claim", "statement", "description", "figure", "count", "argument", "verdict", "view", "opinion", "word", "eye", "judgement", "judgment",
     "account", "estimate", "assessment", "position", "stance", "take", "attitude", "conclusion")
)  # fmt: skip
"""Nouns for what somebody holds: "in the view of", "the author's position"."""

WRITERS = frozenset(("author", "writer"))
TEXTS = frozenset(("source", "article", "document", "text", "report", "note", "paper", "file", "collection", "corpus", "piece", "analysis", "essay", "commentary"))
"""Nouns for what is read here."""

Thing = Literal["place", "person", "group", "date", "figure", "reason", "other"]
THINGS: dict[Thing, frozenset[str]] = {
    "place": frozenset(
        ["country", "countries", "province", "provinces", "region", "regions", "area", "state", "location", "place", "city", "cities", "town", "village", "river", "island", "district", "harbour", "bridge", "street", "gate", "building"]
    ),
    "person": frozenset(
        "person people leader official author minister founder mayor analyst singer worker king victim spokesman scientist man woman".split()  # noqa: SIM905
    ),
    "group": frozenset(
        ["group", "organisation", "organization", "company", "party", "agency", "bank", "ministry", "militia", "newspaper", "tribe", "nationality", "team", "union", "movement", "institution", "body", "entity"]
    ),
    "date": frozenset("year date month day week decade century time".split()),  # noqa: SIM905
    "figure": frozenset(
        "number toll estimate percentage percent amount size cost share total population price figure strength rate".split()  # noqa: SIM905
    ),
    "reason": frozenset("reason reasons cause causes caused motive motives explain explains led factor factors purpose".split()),  # noqa: SIM905
}
"""Nouns by the kind of thing that they name."""
