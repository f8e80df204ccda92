"""What a sentence says, compared piece by piece: figures, dates, names, denials, opposites, strength of words.

Meaning is not looked at here (``app.support.checker`` does that); everything below is told by words alone, so that a
changed figure or name is found however alike two sentences are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import permutations
from typing import Literal
from unicodedata import combining, normalize

import Stemmer
from rapidfuzz import fuzz

from app.text.periods import Period, overlap, periods
from app.text.quantities import Quantity, quantities
from index.terms import Vocabulary

Find = Literal["here", "near", "far", "nowhere"]
"""Where a piece of a claim stands: in the sentences compared, beside them, elsewhere in the text, or nowhere."""

_TOKEN = re.compile(r"[^\W_]+(?:[.'’&-](?=[^\W_])[^\W_]+)*")
_TOKENISED = (
    (re.compile(r"``|''"), '"'),
    (re.compile(r"-LRB-"), "("),
    (re.compile(r"-RRB-"), ")"),
    (re.compile(r"(?<=\w) (?=(?:n't|'s|'re|'ve|'ll|'d)\b)"), ""),
    (re.compile(r" (?=[,.;:?!%)\]](?:\s|$))"), ""),
    (re.compile(r"(?<=[($£€\[]) (?=\w)"), ""),
    (re.compile(r"(?<=[0-9]) %"), "%"),
    (re.compile(r"(?<=\w) - (?=\w)"), "-"),
    (re.compile(r"(?<=[0-9]) (?:--|–) (?=[0-9])"), "–"),
)
"""Corpora come tokenised ("one - year period", "$ 1.2 million", "US 's"); so they are read as they were printed."""

_FUNCTION = frozenset(
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
_TITLES = frozenset(
    """
    mr mrs ms miss dr prof professor sir lord lady president minister king queen prince princess general colonel captain
    senator governor mayor judge saint st the a an this that these those it its he she they we i in on at by for of and or
    but after before during while when where who which january february march april may june july august september october
    november december monday tuesday wednesday thursday friday saturday sunday jan feb mar apr jun jul aug sep sept oct nov
    dec no not never there their his her our most some many all both one two three four five six seven eight nine ten first
    second third according however also although since as if with from to under over
    """.split()  # noqa: SIM905
)
_NO_NAME = _TITLES | _FUNCTION
_LINK = frozenset(
    {"of", "the", "de", "la", "del", "di", "van", "von", "al", "el", "bin", "ibn", "and", "for", "du", "da"}
)

_CUES = frozenset(
    """
    not no never none nobody nothing neither nor without cannot hardly barely scarcely rarely seldom denied denies deny
    denying failed fails fail failing refused refuses refuse refusing declined rejected rejects reject lacked lacks lack
    lacking unable unlikely avoid avoided prevented stopped ceased absence ruled
    """.split()  # noqa: SIM905
)
_HARD_CUES = frozenset({"not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot"})
_NO_CUE = re.compile(
    r"\b(?:not only|not just|not merely|not least|no (?:later|earlier|fewer|less|more) than|not (?:more|less|fewer) than|no doubt|"
    r"whether or not|no longer than|no matter|not until|no sooner|cannot but)\b",
    re.I,
)
_SCOPE_END = re.compile(
    r"[,;:().]|\b(?:but|although|though|while|whereas|because|which|who|until|unless|except)\b", re.I
)
_SCOPE = 5

_OPPOSITES = """
before/after first/last more/fewer more/less most/least largest/smallest biggest/smallest increase/decrease increase/decline
increase/fall increase/drop increase/reduce rise/fall rise/decline rise/drop grow/shrink grow/fall grow/decline rose/fell
rose/declined rose/dropped grew/shrank grew/fell grew/declined climbed/fell up/down high/low higher/lower highest/lowest
north/south northern/southern northward/southward east/west eastern/western early/late earlier/later earliest/latest
earliest/last won/lost win/lose win/loss victory/defeat accepted/rejected accept/reject approve/reject approved/rejected
adopted/rejected passed/rejected began/ended begin/end start/end started/ended start/stop started/stopped always/never
all/none all/some every/some many/few major/minor majority/minority male/female man/woman men/women boy/girl old/young
older/younger oldest/youngest success/failure successful/unsuccessful succeeded/failed possible/impossible
allowed/banned allow/ban allow/prohibit permitted/prohibited permit/forbid legal/illegal lawful/unlawful above/below
with/without public/private common/rare maximum/minimum gained/lost gain/loss longer/shorter long/short longest/shortest
strong/weak stronger/weaker strengthen/weaken supported/opposed support/oppose supporter/opponent backed/opposed
for/against favour/oppose favor/oppose both/neither internal/external positive/negative import/export domestic/foreign
best/worst better/worse better/poorer good/bad improve/worsen improved/worsened open/close opened/closed include/exclude
included/excluded true/false right/wrong correct/incorrect safe/dangerous safe/unsafe guilty/innocent guilty/acquitted
convicted/acquitted alive/dead survive/die survived/died born/died enter/leave entered/left arrive/depart arrived/left
join/leave joined/left appoint/dismiss appointed/dismissed hired/fired hire/dismiss raise/lower raised/lowered raise/cut
raised/cut expand/shrink expand/contract expanded/contracted widen/narrow widened/narrowed fast/slow faster/slower
quick/slow quickly/slowly hot/cold warm/cool warmer/cooler warming/cooling wet/dry rich/poor richer/poorer cheap/expensive
cheaper/dearer buy/sell bought/sold buyer/seller lend/borrow surplus/deficit profit/loss income/expense credit/debit
urban/rural inside/outside indoor/outdoor upper/lower left/right front/back forward/backward ahead/behind near/far
deep/shallow thick/thin heavy/light full/empty hard/soft hard/easy difficult/easy simple/complex clean/dirty
present/absent presence/absence agree/disagree agreed/disagreed agreed/refused confirm/deny confirmed/denied admit/deny
admitted/denied praise/criticise praised/criticised praise/criticize praised/criticized praised/blamed encourage/discourage
encouraged/discouraged attack/defend attacked/defended friend/enemy ally/enemy war/peace create/destroy built/destroyed
build/demolish voluntary/compulsory voluntary/mandatory optional/mandatory temporary/permanent partly/fully partial/complete
partially/completely known/unknown certain/uncertain likely/unlikely sufficient/insufficient adequate/inadequate
effective/ineffective efficient/inefficient stable/unstable equal/unequal able/unable willing/unwilling advantage/disadvantage
benefit/harm beneficial/harmful protect/harm helpful/harmful healthy/sick cause/prevent promote/prevent promote/inhibit
activate/inhibit stimulate/inhibit active/passive active/inactive accelerate/slow accelerated/slowed speed/slow tighten/loosen
tightened/loosened tightened/eased ease/tighten free/captive freed/jailed release/arrest released/arrested
released/detained upheld/overturned uphold/overturn granted/denied grant/deny kept/abandoned retain/lose retained/lost
remember/forget love/hate like/dislike optimistic/pessimistic hopeful/doubtful husband/wife father/mother son/daughter
brother/sister king/queen day/night morning/evening summer/winter spring/autumn sunrise/sunset ancestor/descendant
teacher/student parent/child employer/employee predecessor/successor preceded/followed precede/follow
over/under exceeded/missed exceed/miss outnumber/trail minority/most few/most rarely/often seldom/often sometimes/always
only/also sole/joint single/multiple unanimous/divided unanimously/narrowly exact/approximate natural/artificial
local/national northernmost/southernmost top/bottom ancient/modern peak/trough spend/save lengthen/shorten
liberal/conservative left-wing/right-wing civilian/military victory/loss ban/permit remove/add removed/added
add/subtract divide/multiply doubled/halved double/halve triple/halve
"""
_STRONG = frozenset(
    """
    all every always entire entirely only sole solely none never completely complete whole wholly each exclusively universally
    invariably first everyone everybody everything guarantee guaranteed guarantees prove proved proven proves certain certainly
    definitely must fully total totally any unanimously immediately exactly permanently eliminate eliminates eliminated
    """.split()  # noqa: SIM905
)
_SUPERLATIVE = re.compile(r"^(?:most|least|best|worst|\w{3,}est)$")
_NO_SUPERLATIVE = frozenset(
    "interest forest request protest west east rest test invest contest suggest harvest guest quest honest arrest modest digest".split()  # noqa: SIM905
)
_MODAL = re.compile(
    r"\b(?:(?-i:may)|might|could|would|possibl[ey]|perhaps|probabl[ey]|likely|potential(?:ly)?|planned|plans? to|planning|proposed|expect(?:s|ed)?|"
    r"hop(?:es?|ed|ing)|considering|if|unless|suggest(?:s|ed|ing)?|appear(?:s|ed)?|seem(?:s|ed)?|hypothe\w+|unclear|uncertain|should|"
    r"intend(?:s|ed)?|aims?|forecasts?|predict(?:s|ed)?|projected|in theory|theoretical(?:ly)?|preliminary|some evidence)\b",
    re.I,
)
_SAID = re.compile(
    r"\b(?:alleg\w+|claim(?:s|ed|ing)?|argu(?:e[sd]?|ing)|suspect(?:s|ed)?|believ(?:e[sd]?|ing)|reportedly|purported(?:ly)?|supposed(?:ly)?|"
    r"rumou?r\w*|accus\w+|contend\w*|assert\w*|insist\w*|according to|in (?:his|her|their) view|think[s]?|thought|opinion|denie[sd]|"
    r"disput\w+|contested|unconfirmed|unverified|speculat\w+|maintain(?:s|ed) that)\b",
    re.I,
)

_HELD = re.compile(
    r"\b(?:alleg\w+|claim(?:s|ed|ing) (?:that|to)|claims|accus\w+|suspect(?:s|ed)|reportedly|purported(?:ly)?|supposed(?:ly)?|rumou?r\w*|"
    r"unconfirmed|unverified|(?-i:may) (?:have|be)|might|could (?:have|be)|possibly|proposed|planned to|plans to)\b",
    re.I,
)

_FRACTIONS = (
    (re.compile(r"\b(?:one[- ]half|a half|half)\b(?! (?:a |an )?(?:million|billion|thousand|dozen|hundred|of the (?:century|year)))", re.I), 50.0),
    (re.compile(r"\btwo[- ]thirds\b", re.I), 66.7),
    (re.compile(r"\b(?:one|a)[- ]third\b", re.I), 33.3),
    (re.compile(r"\bthree[- ](?:quarters|fourths)\b", re.I), 75.0),
    (re.compile(r"\b(?:one|a)[- ](?:quarter|fourth)\b", re.I), 25.0),
    (re.compile(r"\bfour[- ]fifths\b", re.I), 80.0),
    (re.compile(r"\bthree[- ]fifths\b", re.I), 60.0),
    (re.compile(r"\btwo[- ]fifths\b", re.I), 40.0),
    (re.compile(r"\b(?:one|a)[- ]fifth\b", re.I), 20.0),
    (re.compile(r"\b(?:one|a)[- ]sixth\b", re.I), 16.7),
    (re.compile(r"\b(?:one|a)[- ]eighth\b", re.I), 12.5),
    (re.compile(r"\b(?:one|a)[- ]tenth\b", re.I), 10.0),
)  # fmt: skip
_DIGIT_WORDS = {
    w: i for i, w in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()  # noqa: SIM905
    )
}  # fmt: skip
_SMALL = "|".join(_DIGIT_WORDS)
_ONE_IN = re.compile(rf"\b(?P<a>{_SMALL}|[0-9]+) (?:in|out of)(?: every)? (?P<b>{_SMALL}|[0-9]+)\b", re.I)
_TIMES = (
    (re.compile(r"(?<![\w-])(?:twice|doubl(?:e[sd]?|ing)|two[- ]?fold|two times)\b", re.I), 2.0),
    (re.compile(r"(?<![\w-])(?:thrice|tripl(?:e[sd]?|ing)|three[- ]?fold|three times|trebled?)\b", re.I), 3.0),
    (re.compile(r"(?<![\w-])(?:quadrupl(?:e[sd]?|ing)|four[- ]?fold|four times)\b", re.I), 4.0),
    (re.compile(r"(?<![\w-])(?:five[- ]?fold|five times)\b", re.I), 5.0),
    (re.compile(r"(?<![\w-])(?:ten[- ]?fold|ten times)\b", re.I), 10.0),
    (re.compile(r"\bhalv(?:e[sd]?|ing)\b", re.I), 0.5),
)  # fmt: skip
_ONE = re.compile(r"one$", re.I)
"""Seldom a figure: "one of them", "someone"."""
_HALF_HOUR = re.compile(
    r"\b(?P<more>(?:an|one) hour and a )?half(?: an|-an|[- ])[- ]?hours?\b|\ba quarter of an hour\b", re.I
)
_DECADES = re.compile(
    rf"\b(?:(?P<n>{_SMALL}|[0-9]+) decades|(?:a|one|another|the (?:last|past|next)) (?P<one>decade)|(?:a|one|another) (?P<hundred>century))\b",
    re.I,
)
_ORDINAL_WORDS = {
    w: i for i, w in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth".split(), 1  # noqa: SIM905
    )
}  # fmt: skip
_ORDINAL = re.compile(rf"\b(?:(?P<word>{'|'.join(_ORDINAL_WORDS)})|(?P<digits>[0-9]+)(?:st|nd|rd|th))\b(?!-hand)", re.I)
_BARE = re.compile(r"(?<![\w.,])(?P<n>[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)(?![0-9])")
_DECADE = re.compile(r"\b(?P<part>early |mid-?|late |the )?(?P<y>1[5-9][0-9]0|20[0-9]0|['’]?[2-9]0)s\b", re.I)
_CENTURY = re.compile(
    rf"\b(?:(?P<n>[0-9]{{1,2}})(?:st|nd|rd|th)|(?P<w>{'|'.join(_ORDINAL_WORDS)}|twenty-first))[- ]century\b", re.I
)
_MONTHS = "january february march april may june july august september october november december".split()  # noqa: SIM905
_MONTH = r"(?P<m>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
_DAY_MONTH = re.compile(
    rf"\b(?:(?P<d>[0-3]?[0-9])(?:st|nd|rd|th)?(?: of)? {_MONTH}\b|{_MONTH.replace('?P<m>', '?P<m2>')}\.? (?P<d2>[0-3]?[0-9])(?:st|nd|rd|th)?(?![0-9]))",
    re.I,
)
_MONTH_ALONE = re.compile(
    r"\b(January|February|March|April|May|June|July|August|September|October|November|December)\b"
)
_APPROX = re.compile(
    r"\b(?:about|around|roughly|approximately|some|nearly|almost|close to|circa|an estimated|estimated|more or less|just (?:over|under))\s*$|[~≈]\s*$",
    re.I,
)
_LENGTHS = {
    "km": 1000.0,
    "kilomet": 1000.0,
    "mile": 1609.34,
    "met": 1.0,
    "m": 1.0,
    "feet": 0.3048,
    "ft": 0.3048,
    "cm": 0.01,
    "centimet": 0.01,
    "mm": 0.001,
    "inches": 0.0254,
}
_TIMES_SPAN = {
    "second": 1 / 86400,
    "minute": 1 / 1440,
    "hour": 1 / 24,
    "day": 1.0,
    "week": 7.0,
    "month": 30.44,
    "year": 365.25,
}

_DEMONYM_PAIRS = """
/ france/french spain/spanish britain/british uk/british uk/britain england/english scotland/scottish wales/welsh
ireland/irish netherlands/dutch holland/dutch greece/greek denmark/danish switzerland/swiss germany/german
poland/polish turkey/turkish turkey/turk philippines/filipino sweden/swedish sweden/swede finland/finnish finland/finn
iceland/icelandic thailand/thai cyprus/cypriot peru/peruvian norway/norwegian portugal/portuguese brazil/brazilian
afghanistan/afghan kazakhstan/kazakh uzbekistan/uzbek tajikistan/tajik kyrgyzstan/kyrgyz turkmenistan/turkmen
pakistan/pakistani europe/european asia/asian africa/african america/american us/american usa/american canada/canadian
mexico/mexican argentina/argentine lebanon/lebanese congo/congolese moscow/russia kremlin/russia russia/russian
china/chinese beijing/china sudan/sudanese myanmar/burmese burma/burmese ukraine/ukrainian belgium/belgian
hungary/hungarian austria/austrian romania/romanian bulgaria/bulgarian croatia/croatian serbia/serbian
albania/albanian ghana/ghanaian somalia/somali
"""
_DEMONYMS = frozenset(frozenset(pair.split("/")) for pair in _DEMONYM_PAIRS.split())
_PLACE_ENDS = re.compile(r"(?:land|any|ia|a|y|e|i|an|ian|ese|ish|ic|n|en|o|stan|s|er|ers|ans|ians)?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that a sentence gives.

    Attributes:
        text: as written.
        low, high: what numbers agree with it.
        point: the number itself; the higher end of a range.
        kind: count, money, percent, measure, ordinal, times, or bare (a number of which nothing is known).
        unit: sign or noun, as ``app.text.quantities`` tells it.
        head: what is counted, by its group; "" if unknown.
        bound: "exact", "about", "at least", "at most", "vague".
        range: both ends were given.
        at: where it stands in the printed text.
    """

    text: str
    low: float
    high: float
    point: float
    kind: str
    unit: str = ""
    head: str = ""
    bound: str = "exact"
    range: bool = False
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A date that a sentence gives, in days as YYYYMMDD; year 0 when only day and month are told."""

    text: str
    first: int
    last: int
    relation: str = "at"
    at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word that carries meaning."""

    text: str
    stem: str
    capital: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A word that denies, by its stem, and the stems behind it; ``plain`` for "not" and its like."""

    cue: str
    plain: bool
    of: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a sentence says, in pieces.

    Attributes:
        text: as printed, without the marks of tokenised corpora.
        words: words that carry meaning, in order, each once.
        stems: of all words.
        tokens: all words, lower case.
        names: capitalised runs, each as its words; aliases have their own field.
        aliases: groups of spellings that stand in it.
        order: where each word stands, and its stem; "" for words that carry no meaning.
        denials: words that deny, with what they deny.
        initials: acronyms that its names would give.
    """

    text: str
    words: tuple[Word, ...]
    stems: frozenset[str]
    tokens: frozenset[str]
    names: tuple[tuple[str, ...], ...]
    aliases: frozenset[frozenset[str]]
    figures: tuple[Figure, ...]
    moments: tuple[Moment, ...]
    order: tuple[tuple[int, str], ...]
    denials: tuple[Denial, ...]
    initials: frozenset[str]

    @property
    def denied(self) -> bool:
        """Whether a plain denial (not, no, never, …) stands in it."""
        return any(d.plain for d in self.denials)


def printed(text: str) -> str:
    """A text of a tokenised corpus as it was printed, in one line; other texts stay."""
    for pattern, new in _TOKENISED:
        text = pattern.sub(new, text)
    return " ".join(text.replace("’", "'").split())


def read(text: str, vocabulary: Vocabulary) -> Said:
    """What a sentence says."""
    text = printed(text)
    tokens = list(_TOKEN.finditer(text))
    words: dict[str, Word] = {}
    for n, match in enumerate(tokens):
        word = bare(match.group())
        low = word.lower()
        if plain(low):
            continue
        words.setdefault(stem(low), Word(text=word, stem=stem(low), capital=word[0].isupper() and n > 0))
    names = _names(text, tokens)
    return Said(
        text=text,
        words=tuple(words.values()),
        stems=frozenset(s for m in tokens for s in _stems_of(m.group())),
        tokens=frozenset(p for m in tokens for p in _parts(m.group())),
        names=names,
        aliases=frozenset(frozenset(a.lower() for a in vocabulary.aliases(m)) for m in vocabulary.mentions(text)),
        figures=_figures(text),
        moments=_moments(text),
        order=tuple((m.start(), "" if plain(m.group()) else stem(bare(m.group()).lower())) for m in tokens),
        denials=_denials(text),
        initials=frozenset(_initials(names)),
    )


def tokens(text: str) -> list[re.Match[str]]:
    """The words of a printed text, in order."""
    return list(_TOKEN.finditer(text))


def plain(word: str) -> bool:
    """Whether a word carries no meaning of its own, or is a figure."""
    low = bare(word).lower()
    return low in _FUNCTION or len(low) < 2 or low[0].isdigit() or (low in _DIGIT_WORDS and low != "zero")


# figures


def _figures(text: str) -> tuple[Figure, ...]:
    found: list[tuple[int, int, Figure]] = []

    def add(start: int, end: int, figure: Figure) -> None:
        if not any(a < end and start < b for a, b, _ in found):
            found.append((start, end, figure))

    for period in periods(text):
        found.append((period.start, period.end, _NO_FIGURE))
    for pattern in (_DAY_MONTH, _DECADE, _CENTURY):
        for m in pattern.finditer(text):
            add(m.start(), m.end(), _NO_FIGURE)
    for start, end, figure in sorted(_worded(text), key=lambda f: (f[0], -f[1])):
        add(start, end, figure)
    for q in quantities(text):
        if not _ONE.search(q.text):
            add(q.start, q.end, _of_quantity(q))
    for m in _ORDINAL.finditer(text):
        number = float(_ORDINAL_WORDS[m["word"].lower()] if m["word"] else m["digits"])
        add(m.start(), m.end(), Figure(text=m.group(), low=number, high=number, point=number, kind="ordinal"))
    for m in _BARE.finditer(text):
        number = float(m["n"].replace(",", ""))
        bound = "about" if _APPROX.search(text[: m.start()][-16:]) else "exact"
        add(m.start(), m.end(), Figure(text=m.group(), low=number, high=number, point=number, kind="bare", bound=bound))
    found.sort(key=lambda f: f[0])
    return tuple(replace(f, at=start) for start, _, f in found if f is not _NO_FIGURE)


def _worded(text: str) -> Iterator[tuple[int, int, Figure]]:
    """Shares and multiples told in words: "one in eleven", "two thirds", "doubled"."""
    for m in _ONE_IN.finditer(text):
        a, b = _small(m["a"]), _small(m["b"])
        if 0 < a < b:
            yield m.start(), m.end(), _share(m.group(), 100.0 * a / b, text[: m.start()])
    for pattern, value in _FRACTIONS:
        for m in pattern.finditer(text):
            yield m.start(), m.end(), _share(m.group(), value, text[: m.start()])
    for m in _HALF_HOUR.finditer(text):
        minutes = 90.0 if m["more"] else 15.0 if "quarter" in m.group().lower() else 30.0
        yield (
            m.start(),
            m.end(),
            Figure(text=m.group(), low=minutes, high=minutes, point=minutes, kind="measure", unit="minutes"),
        )
    for m in _DECADES.finditer(text):
        years = 100.0 if m["hundred"] else 10.0 * (_small(m["n"]) if m["n"] else 1.0)
        bound = "about" if _APPROX.search(text[: m.start()][-16:]) else "exact"
        yield (
            m.start(),
            m.end(),
            Figure(text=m.group(), low=years, high=years, point=years, kind="measure", unit="years", bound=bound),
        )
    for pattern, value in _TIMES:
        for m in pattern.finditer(text):
            yield m.start(), m.end(), Figure(text=m.group(), low=value, high=value, point=value, kind="times")


_NO_FIGURE = Figure(text="", low=0, high=0, point=0, kind="")


def _share(text: str, percent: float, before: str) -> Figure:
    bound = next(
        (
            name
            for name, words in (
                ("at least", r"(?:more than|over|at least|no (?:fewer|less) than|above)\s*$"),
                ("at most", r"(?:fewer than|less than|under|below|at most|up to|no more than)\s*$"),
            )
            if re.search(words, before, re.I)
        ),
        "about",
    )
    return Figure(
        text=text, low=percent * 0.93, high=percent * 1.07, point=percent, kind="percent", unit="%", bound=bound
    )


def _of_quantity(q: Quantity) -> Figure:
    return Figure(
        text=q.text, low=q.low, high=q.high, point=q.point, kind=q.kind, unit=q.unit, head=q.head, bound=q.bound,
        range=q.bound == "exact" and q.low < q.high and abs(q.high - q.point) < 1e-9,
    )  # fmt: skip


def _small(text: str) -> float:
    return float(_DIGIT_WORDS.get(text.lower(), 0) if not text.isdigit() else int(text))


def agrees(claimed: Figure, given: Figure) -> bool:
    """Whether a figure of a text carries that of a claim."""
    if not _comparable(claimed, given):
        return False
    factor = _factor(claimed, given)
    low, high, point = given.low * factor, given.high * factor, given.point * factor
    if claimed.kind == "ordinal" or given.kind == "ordinal":
        return claimed.point == point and (claimed.kind == given.kind or "bare" in {claimed.kind, given.kind})
    if claimed.range and given.range:
        return _close(claimed.low, low, 0.02) and _close(claimed.high, high, 0.02)
    if claimed.bound == "at least":
        return point >= claimed.point * 0.999 and (point <= claimed.point * 2 or given.bound == "at least")
    if claimed.bound == "at most":
        return point <= claimed.point * 1.001 and point >= claimed.point * 0.4
    if claimed.range:
        return claimed.low * 0.98 <= low and high <= claimed.high * 1.02
    if claimed.bound == "vague" or given.bound == "vague":
        return overlap((int(claimed.low), int(claimed.high)), (int(low), int(high)))
    if given.range:
        return _close(claimed.point, low, 0.001) or _close(claimed.point, high, 0.001)
    if claimed.bound == "about":
        return _close(claimed.point, point, _leeway(claimed.point))
    return _close(claimed.point, point, 0.02 if factor != 1.0 else 0.0005) or _rounded(claimed, point)


def _leeway(point: float) -> float:
    """By what share "about" so many may be off: a number that is told to the last digit is not meant roughly."""
    digits = len(f"{point:.6g}".partition("e")[0].replace(".", "").strip("0"))
    return 0.12 if digits <= 2 else 0.01 if digits == 3 else 0.0005


def follows(claimed: Figure, given: Sequence[Figure]) -> bool:
    """Whether a figure of a claim can be worked out from two of a text: a share, a sum or a difference."""
    counts = [g.point for g in given if g.kind in {"count", "money", "bare"} and g.bound != "vague"]
    if not 2 <= len(counts) <= _MOST_WORKED_WITH:
        return False
    for a, b in permutations(counts, 2):
        if claimed.kind == "percent" and 0 < a < b:
            shares = (100.0 * a / b, 100.0 - 100.0 * a / b)
            if any(agrees(replace(claimed, kind="percent"), _share("", s, "")) for s in shares):
                return True
        if claimed.kind in {"count", "money"} and claimed.point in {a - b, a + b} and claimed.point > 1:
            return True
    return False


_MOST_WORKED_WITH = 6


def conflicts(claimed: Figure, given: Figure) -> bool:
    """Whether both figures can't be of the same thing although they seem to count the same."""
    if not _comparable(claimed, given) or agrees(claimed, given) or "bare" in {claimed.kind, given.kind}:
        return False
    if claimed.kind == "count":
        return bool(claimed.head) and claimed.head == given.head
    return claimed.kind == given.kind


def crossed(claim: Said, given: Said) -> Figure | None:
    """A figure of the claim that stands in the sentence beside another thing than in the claim.

    Told by what is counted ("414 voyages by 1,627 vessels" for the reverse), else by the name that stands nearest.
    """
    for figure in claim.figures:
        same = [g for g in given.figures if agrees(figure, g)]
        others = [g for g in given.figures if g.kind == figure.kind and not agrees(figure, g)]
        if not same or not others:
            continue
        if (
            figure.head
            and all(g.head and g.head != figure.head for g in same)
            and any(g.head == figure.head for g in others)
        ):
            return figure
        for name in claim.names:
            places = _places(name, given.text)
            if (
                places
                and len(_places(name, claim.text))
                and _nearest(places, others) + _MARGIN < _nearest(places, same)
            ):
                return figure
    return None


def figure_beside(claim: Said, given: Iterable[Said]) -> float:
    """How far the words beside the claim's figures and dates also stand beside them in the text, in [0, 1]; the least."""
    given = list(given)
    least = 1.0
    for figure in claim.figures:
        places = [(s, g.at) for s in given for g in s.figures if agrees(figure, g)]
        least = min(least, _beside(claim, figure.at, places))
    for moment in claim.moments:
        places = [(s, g.at) for s in given for g in s.moments if dated_alike(moment, g)]
        least = min(least, _beside(claim, moment.at, places))
    return least


def name_beside(claim: Said, given: Iterable[Said]) -> float:
    """The same for names; those that stand nowhere in the same spelling are left out."""
    given = list(given)
    least = 1.0
    for name in claim.names:
        places = [(s, p) for s in given for p in _places(name, s.text)]
        own = _places(name, claim.text)
        if places and own:
            least = min(least, max(_beside(claim, p, places) for p in own))
    return least


def name_rival(claim: Said, given: Iterable[Said]) -> tuple[float, str]:
    """How much better the words beside a name of the claim fit another name of the text, in [0, 1], and that name.

    Only names that the claim lacks count: where one name was put for another, the words around still belong to the first.
    """
    given = list(given)
    others = [(s, p, n) for s in given for n in s.names if not _named_in(n, claim) for p in _places(n, s.text)]
    most, whose = 0.0, ""
    for name in claim.names:
        places = [(s, p) for s in given for p in _places(name, s.text)]
        for at in _places(name, claim.text) if places else ():
            own = _beside(claim, at, places)
            for said, place, other in others:
                more = _beside(claim, at, [(said, place)]) - own
                if more > most:
                    most, whose = more, " ".join(other)
    return most, whose


def _named_in(name: Sequence[str], said: Said) -> bool:
    return any(w.lower() in said.tokens for w in name)


def _beside(claim: Said, at: int, places: Iterable[tuple[Said, int]]) -> float:
    """Share of the words around a place of the claim that stand around any of the places; 1 where there are none."""
    wanted = _around(claim, at, _BESIDE) - _around(claim, at, 0)
    found = [len(wanted & _around(s, p, _BESIDE_GIVEN)) / len(wanted) for s, p in places if wanted]
    return max(found, default=1.0)


def _around(said: Said, at: int, reach: int) -> frozenset[str]:
    """Stems of the meaning words at most ``reach`` words from a place."""
    here = min(range(len(said.order)), key=lambda i: abs(said.order[i][0] - at), default=0)
    return frozenset(s for _, s in said.order[max(0, here - reach) : here + reach + 1] if s)


_BESIDE, _BESIDE_GIVEN = 5, 8
"""Words looked at on both sides in the claim, and in the text, where more may lie between."""
_MARGIN = 25
"""Characters by which another figure must stand nearer to a name."""


def _places(name: Sequence[str], text: str) -> list[int]:
    return [m.start() for m in re.finditer(rf"\b{re.escape(name[-1])}\b", text)]


def _nearest(places: Iterable[int], figures: Sequence[Figure]) -> int:
    return min(abs(g.at - p) for g in figures for p in places)


def _comparable(one: Figure, other: Figure) -> bool:
    kinds = {one.kind, other.kind}
    if len(kinds) == 1:
        if one.kind == "money":
            return one.unit == other.unit or "$" in one.unit + other.unit
        if one.kind == "measure":
            return one.unit.lower() == other.unit.lower() or _factor(one, other) != 1.0 or _same_unit(one, other)
        return True
    return bool(kinds & {"bare"}) or kinds in ({"count", "measure"}, {"count", "money"})


def _same_unit(one: Figure, other: Figure) -> bool:
    return one.unit.lower()[:4] == other.unit.lower()[:4]


def _factor(claimed: Figure, given: Figure) -> float:
    """What the given figure is multiplied by to be in the claim's unit; 1 where units can't be told."""
    for table in (_LENGTHS, _TIMES_SPAN):
        one, other = _unit_in(claimed.unit, table), _unit_in(given.unit, table)
        if one and other and one != other:
            return other / one
    return 1.0


def _unit_in(unit: str, table: dict[str, float]) -> float | None:
    low = unit.lower()
    return next((v for name, v in table.items() if low == name or (len(name) > 2 and low.startswith(name))), None)


def _close(a: float, b: float, tolerance: float) -> bool:
    return abs(a - b) <= tolerance * max(abs(a), abs(b)) + 1e-9


def _rounded(claimed: Figure, point: float) -> bool:
    """Whether the claim rounds: "1.5 million" for 1,512,300, but not "1,500" for 1,512 without a word of doubt."""
    if not claimed.low < claimed.high:
        return False
    return claimed.low <= point <= claimed.high


# dates


def _moments(text: str) -> tuple[Moment, ...]:
    found: list[tuple[int, int, Moment]] = []

    def add(start: int, end: int, first: int, last: int, relation: str = "at") -> None:
        if not any(a < end and start < b for a, b, _ in found):
            found.append(
                (start, end, Moment(text=text[start:end], first=first, last=last, relation=relation, at=start))
            )

    for p in periods(text):
        add(p.start, p.end, *_days(p), p.relation)
    for m in _DECADE.finditer(text):
        digits = m["y"].lstrip("'’")
        year = int(digits) if len(digits) == 4 else 1900 + int(digits)
        add(m.start(), m.end(), year * 10000 + 101, (year + 9) * 10000 + 1231)
    for m in _CENTURY.finditer(text):
        number = int(m["n"]) if m["n"] else _ORDINAL_WORDS.get(m["w"].lower(), 21)
        add(m.start(), m.end(), (number - 1) * 1000000 + 101, number * 1000000 + 1231)
    for m in _DAY_MONTH.finditer(text):
        day, month = int(m["d"] or m["d2"]), _month(m["m"] or m["m2"])
        if 1 <= day <= 31:
            add(m.start(), m.end(), month * 100 + day, month * 100 + day)
    for m in _MONTH_ALONE.finditer(text):
        if m.group() in {"May", "March"} and not re.search(
            r"\b(?:in|of|since|until|by|last|this|next|late|early|mid)[ -]$", text[: m.start()], re.I
        ):
            continue
        month = _month(m.group())
        add(m.start(), m.end(), month * 100 + 1, month * 100 + 31)
    found.sort(key=lambda f: f[0])
    return tuple(m for _, _, m in found)


def _days(p: Period) -> tuple[int, int]:
    return p.first, p.last


def _month(name: str) -> int:
    return next(i for i, m in enumerate(_MONTHS, 1) if m.startswith(name.lower()[:3]))


def dated_alike(claimed: Moment, given: Moment) -> bool:
    """Whether a date of a text carries that of a claim: the same, or a finer one within it."""
    if claimed.first < 10000 or given.first < 10000:
        one, other = _in_year(claimed), _in_year(given)
        return one is not None and other is not None and overlap(one, other)
    if not overlap((claimed.first, claimed.last), (given.first, given.last)):
        return False
    return given.first >= claimed.first and given.last <= claimed.last


def dated_near(claimed: Moment, given: Moment) -> bool:
    """Whether both may mean the same time, one of them told less finely."""
    if claimed.first < 10000 or given.first < 10000:
        return dated_alike(claimed, given)
    return overlap((claimed.first, claimed.last), (given.first, given.last))


def _in_year(moment: Moment) -> tuple[int, int] | None:
    """Month and day alone; None for what is coarser than a month."""
    first, last = moment.first % 10000, moment.last % 10000
    return (first, last) if first // 100 == last // 100 else None


# names


def bare(word: str) -> str:
    """A word without the ending of a possessive."""
    return re.sub(r"['’]s?$", "", word)


def _parts(word: str) -> tuple[str, ...]:
    low = bare(word).lower().replace(".", "")
    return (low, *(p for p in re.split(r"[-'’&]", low) if p != low and len(p) > 1))


def _stems_of(word: str) -> tuple[str, ...]:
    return tuple(stem(p) for p in _parts(word))


def _names(text: str, tokens: Sequence[re.Match[str]]) -> tuple[tuple[str, ...], ...]:
    names: list[tuple[str, ...]] = []
    run: list[str] = []

    def close() -> None:
        while run and run[-1].lower() in _LINK:
            run.pop()
        if run:
            names.append(tuple(run))
        run.clear()

    for n, match in enumerate(tokens):
        word = bare(match.group())
        gap = text[tokens[n - 1].end() : match.start()] if n else ""
        opens = n == 0 or bool(re.search(r'[.!?"“(:]\s*$', gap))
        if run and gap.strip(" .-'"):
            close()
        if word[0].isupper() and len(word) > 1 and (word.isupper() or word.lower() not in _NO_NAME):
            # At the opening of a sentence a word is a name only when a name goes on behind it, or it is no plain word.
            follows = (
                n + 1 < len(tokens)
                and text[match.end() : tokens[n + 1].start()] == " "
                and tokens[n + 1].group()[0].isupper()
            )
            if not opens or follows or not word[1:].islower():
                run.append(word)
                continue
            close()
            continue
        if (
            run
            and word.lower() in _LINK
            and n + 1 < len(tokens)
            and tokens[n + 1].group()[0].isupper()
            and not gap.strip()
        ):
            run.append(word)
            continue
        close()
    close()
    return tuple(dict.fromkeys(names))


def _initials(names: Iterable[tuple[str, ...]]) -> Iterable[str]:
    for name in names:
        capitals = [w for w in name if w[0].isupper()]
        if len(capitals) > 1:
            yield "".join(w[0] for w in capitals).lower()
            yield "".join(w[0] for w in name).lower()


def name_share(name: Sequence[str], said: Said) -> float:
    """How much of a name stands in a sentence, in [0, 1]; the last word counts as much as the others together."""
    parts = [w for w in name if w[0].isupper()]
    if not parts:
        return 1.0
    joined = "".join(w[0] for w in parts).lower()
    if len(parts) > 1 and joined in said.tokens:
        return 1.0
    weights = [1.0] * len(parts)
    weights[-1] = max(1.0, len(parts) - 1.0)
    there = sum(w for part, w in zip(parts, weights, strict=True) if word_of_name(part, said))
    return there / sum(weights)


def word_of_name(word: str, said: Said) -> bool:
    """Whether a word of a name stands in a sentence: so spelt, inflected, as initials, or as its country's people."""
    low = word.lower().replace(".", "")
    if low in said.tokens or stem(low) in said.stems or low in said.initials:
        return True
    pieces = [p for p in re.split(r"[-'’&]", low) if len(p) > 1]
    if len(pieces) > 1 and all(p in said.tokens or stem(p) in said.stems for p in pieces):
        return True
    return any(akin(low, t) for t in said.tokens if t[:1] == low[:1] or len(t) > 2)


def akin(one: str, other: str) -> bool:
    """Whether two lower-case words name the same: a country and its people, or one word spelt in two ways."""
    return (
        one == other
        or stem(one) == stem(other)
        or _same_place(one, other)
        or _spelt_alike(one, other)
        or _unaccented(one) == _unaccented(other)
    )


@lru_cache(maxsize=65_536)
def _same_place(one: str, other: str) -> bool:
    """Whether two words are a country and its people: "Germany" and "German"."""
    if frozenset((one, other)) in _DEMONYMS or frozenset((one.rstrip("s"), other.rstrip("s"))) in _DEMONYMS:
        return True
    shared = 0
    while shared < min(len(one), len(other)) and one[shared] == other[shared]:
        shared += 1
    if shared < 4 or shared < 0.55 * max(len(one), len(other)):
        return False
    return bool(_PLACE_ENDS.fullmatch(one[shared:]) and _PLACE_ENDS.fullmatch(other[shared:]))


def _unaccented(word: str) -> str:
    return word if word.isascii() else "".join(c for c in normalize("NFD", word) if not combining(c))


def _spelt_alike(one: str, other: str) -> bool:
    return len(one) > 5 and len(other) > 5 and one[0] == other[0] and fuzz.ratio(one, other) >= 88


# denials


def _denials(text: str) -> tuple[Denial, ...]:
    masked = _NO_CUE.sub(lambda m: " " * len(m.group()), text)
    found = []
    for match in _TOKEN.finditer(masked):
        word = match.group().lower()
        contracted = word.endswith("n't")
        if word not in _CUES and not contracted:
            continue
        rest = masked[match.end() :]
        end = _SCOPE_END.search(rest)
        reach = rest[: end.start()] if end else rest
        content = [m.group().lower() for m in _TOKEN.finditer(reach) if m.group().lower() not in _FUNCTION]
        plain = contracted or word in _HARD_CUES
        found.append(Denial(cue=stem(word), plain=plain, of=frozenset(stem(w) for w in content[:_SCOPE])))
    return tuple(found)


def denial_differs(claim: Said, given: Said) -> bool:
    """Whether one of two sentences denies what the other states, told by words that both have.

    "Failed to" and its like deny only where the other sentence lacks the verb itself.
    """
    shared = claim.stems & given.stems
    in_claim, plain_claim = _denied(claim, given)
    in_given, plain_given = _denied(given, claim)
    if plain_claim and in_claim & shared and not in_claim & in_given and not (in_given and _turned(claim, given)):
        return True
    return plain_given and bool(in_given & shared) and not in_claim


def _denied(said: Said, other: Said) -> tuple[frozenset[str], bool]:
    """Stems denied in a sentence, and whether plainly so."""
    own = [d for d in said.denials if d.plain or d.cue not in other.stems]
    return frozenset().union(*(d.of for d in own)), any(d.plain for d in own)


def _turned(claim: Said, given: Said) -> bool:
    return bool(opposed(claim, given))


# words


@cache
def _opposite() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for pair in _OPPOSITES.split():
        one, other = (stem(w) for w in pair.split("/"))
        table.setdefault(one, set()).add(other)
        table.setdefault(other, set()).add(one)
    return {k: frozenset(v) for k, v in table.items()}


def opposed(claim: Said, given: Said) -> tuple[str, str] | None:
    """A word of the claim that the sentence lacks while it has its opposite, with that opposite."""
    table = _opposite()
    for match in _TOKEN.finditer(claim.text):
        own = stem(match.group().lower())
        if own in table and own not in given.stems:
            for other in table[own]:
                if other in given.stems and other not in claim.stems:
                    return match.group(), other
    return None


def overstated(claim: Said, given: Iterable[Said]) -> bool:
    """Whether the claim has a word of fullness or a superlative that no sentence given has."""
    there = frozenset().union(*(g.tokens for g in given))
    strong = {t for t in claim.tokens if t in _STRONG or (_SUPERLATIVE.match(t) and t not in _NO_SUPERLATIVE)}
    return bool(strong) and not strong & there


def unsure(text: str) -> bool:
    """Whether a sentence speaks of what may be, not of what is."""
    return bool(_MODAL.search(text))


def alleged(text: str) -> bool:
    """Whether a sentence gives what somebody holds, not what is established."""
    return bool(_SAID.search(text))


def held(text: str) -> bool:
    """Whether a sentence plainly marks what it says as held by somebody, or as no more than possible."""
    return bool(_HELD.search(text))


@cache
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Snowball stem of a lower-cased word."""
    return str(_stemmer().stemWord(word.lower()))
