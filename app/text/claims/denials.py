"""Denials, opposites and the strength of words, and whether two sentences differ in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from app.text.claims.pieces import Denial, Said
from app.text.claims.words import TOKEN, stem
from app.text.lexicon import FUNCTION

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
_ASSENT = ("confirm", "admit", "accept", "agree")
_STRONG = frozenset(
    """
    all every always entire entirely only sole solely none never completely complete whole wholly each exclusively universally
    invariably first everyone everybody everything guarantee guaranteed guarantees prove proved proven proves certain certainly
    definitely must fully total totally any unanimously immediately exactly permanently eliminate eliminates eliminated
    """.split()  # noqa: SIM905
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


def denials_of(text: str) -> tuple[Denial, ...]:
    """What a sentence denies, in order."""
    masked = _NO_CUE.sub(lambda m: " " * len(m.group()), text)
    found = []
    for match in TOKEN.finditer(masked):
        word = match.group().lower()
        contracted = word.endswith("n't")
        if word not in _CUES and not contracted:
            continue
        rest = masked[match.end() :]
        end = _SCOPE_END.search(rest)
        reach = rest[: end.start()] if end else rest
        content = [m.group().lower() for m in TOKEN.finditer(reach) if m.group().lower() not in FUNCTION]
        plain = contracted or word in _HARD_CUES
        found.append(Denial(cue=stem(word), plain=plain, of=frozenset(stem(w) for w in content[:_SCOPE])))
    return tuple(found)


def denies(text: str) -> bool:
    """Whether a sentence plainly denies something; "failed to" and its like do not count."""
    return any(d.plain for d in denials_of(text))


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


@cache
def _opposite() -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for pair in _OPPOSITES.split():
        one, other = (stem(w) for w in pair.split("/"))
        table.setdefault(one, set()).add(other)
        table.setdefault(other, set()).add(one)
    return {k: frozenset(v) for k, v in table.items()}


def denies_that(verb: str) -> bool:
    """Whether a verb of saying denies what is said: it is the opposite of a verb of assent ("confirm", "accept", "agree")."""
    return any(stem(verb) in _opposite()[stem(word)] for word in _ASSENT)


def opposed(claim: Said, given: Said) -> tuple[str, str] | None:
    """A word of the claim that the sentence lacks while it has its opposite, with that opposite."""
    table = _opposite()
    for match in TOKEN.finditer(claim.text):
        own = stem(match.group().lower())
        if own in table and own not in given.stems:
            for other in table[own]:
                if other in given.stems and other not in claim.stems:
                    return match.group(), other
    return None


def overstated(claim: Said, given: Iterable[Said]) -> bool:
    """Whether the claim has a word of fullness or a superlative that no sentence given has."""
    there = frozenset().union(*(g.tokens for g in given))
    strong = {t for t in claim.tokens if t in _STRONG or _superlative(t)}
    return bool(strong) and not strong & there


def _superlative(word: str) -> bool:
    return word in {"most", "least", "best", "worst"} or (word.endswith("est") and len(word) > 5)


def unsure(text: str) -> bool:
    """Whether a sentence speaks of what may be, not of what is."""
    return bool(_MODAL.search(text))


def alleged(text: str) -> bool:
    """Whether a sentence gives what somebody holds, not what is established."""
    return bool(_SAID.search(text))


def held(text: str) -> bool:
    """Whether a sentence plainly marks what it says as held by somebody, or as no more than possible."""
    return bool(_HELD.search(text))
