"""Figures in a text with what they count: "between 4,000 and 6,000 fighters", "at least 145 dead", "$10 million".

Measured and not used: quantulum3 0.10 (24 MB, 118 ms a sentence; it reads "2 thousand" as 2, "half a
million" as 1.5 million and years as counts, and it does not tell what is counted). Number words are read
by text2num; years and dates are found by :mod:`app.text.periods` and never taken for counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import Stemmer

from app.text.periods import DAY_OR_MONTH, periods

Kind = Literal["count", "money", "percent", "measure"]
Bound = Literal["exact", "about", "at least", "at most", "vague"]

_EVENTS: dict[str, str] = {
    "killed": "kill kills killed killing dead die died dies dying death deaths fatality fatalities toll tolls lives perish perished murdered "
              "drowned slain bodies",
    "injured": "injured injuries injuring injure injures wound wounded wounding wounds hurt",
    "casualties": "casualty casualties mass-casualty",
    "missing": "missing disappeared unaccounted",
    "displaced": "displaced displaces displacing homeless evacuated evacuating fled uprooted",
    "arrested": "arrest arrests arrested arresting detain detained detainees detaining detains detention detentions apprehended",
    "sentenced": "sentenced convicted jailed executed sentences",
    "infected": "infected infection infections sickened ill hospitalised hospitalized",
    "saved": "rescued saved survived survivor survivors vaccinated recovered",
}  # fmt: skip
"""What may have happened to those who are counted; figures of two of these are never compared."""
_EVENT_OF = {word: event for event, words in _EVENTS.items() for word in words.split()}

_HEADS: dict[str, str] = {
    "strength": "fighter militant combatant member insurgent jihadist jihadi soldier troop gunman strength size strong membership",
    "people": "people person individual victim human life body soul",
    "population": "inhabitant resident population populace",
    "staff": "employee staff worker personnel workforce headcount",
    "revenue": "revenue turnover sales",
    "attack": "attack assault strike",
}
"""Nouns that count the same thing, by the name of their group."""
_NUMERIC = r"[0-9]{1,3}(?:[,  ’'][0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
_NUMBER_WORD = (
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion)"
)
_WORDS = rf"{_NUMBER_WORD}(?:(?:[\s-]|\s+and\s+){_NUMBER_WORD})*"
_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "mn": 1e6, "billion": 1e9, "bn": 1e9, "b": 1e9,
    "trillion": 1e12, "tn": 1e12, "dozen": 12.0,
}  # fmt: skip
_SCALE = r"(?:\s?(?:hundred|thousand|million|billion|trillion|dozen|bn|mn|tn)\b|(?<=[0-9])[kmb]\b)"
_CURRENCY_BEFORE = r"(?:(?:US|AU|CA|C|A|NZ|HK|S)?\$|€|£|¥|₹|₽|(?:USD|EUR|GBP|CHF|RUB|INR|CNY|JPY)\s)\s?"
_CURRENCY_AFTER = r"\s(?:(?:US |Australian |Canadian )?dollars?|euros?|pounds(?: sterling)?|rubles?|roubles?|yen|yuan|rupees?|francs?|kronor|kroner|USD|EUR|GBP|CHF)\b"
_PERCENT = r"\s?(?:%|percentage points?\b|per ?cent\b|pc\b)"
_MEASURE = (
    r"\s?(?:square (?:kilomet(?:er|re)s?|miles?|met(?:er|re)s?)|cubic met(?:er|re)s?|km²|km2|m²|m³|kilomet(?:er|re)s?|km|miles?|"
    r"met(?:er|re)s?|centimet(?:er|re)s?|millimet(?:er|re)s?|mm|cm|m|feet|ft|inches|hectares?|ha|acres?|tonnes?|tons?|kg|kilograms?|"
    r"°\s?[CF]|degrees?(?: (?:Celsius|Fahrenheit))?|[MGk]W|(?:mega|giga|kilo)watts?|[TGM]Wh|lit(?:er|re)s?|barrels?|"
    r"years?|months?|weeks?|days?|hours?|minutes?|seconds?|knots|km/h|mph)(?!\w)"
)
_BOUNDS: tuple[tuple[Bound, str], ...] = (
    ("at least", r"at least|no (?:fewer|less) than|not less than|(?:well |just |slightly |a little )?(?:over|above)|(?:well )?(?:more|greater) than|exceeding|upwards? of|as many as at least|a minimum of"),
    ("at most", r"up to|at most|no more than|not more than|(?:well |just |slightly )?(?:under|below)|(?:fewer|less) than|as many as|as much as|a maximum of"),
    ("about", r"about|around|some|roughly|approximately|approx\.|circa|c\.|ca\.|an estimated|estimated(?: at)?|nearly|almost|close to|nearing|in the region of|~|≈"),
)  # fmt: skip
_BOUND = "|".join(pattern for _, pattern in _BOUNDS)
_ROUND_WORDS = r"(?:half a|an? quarter of an?|an?|one and a half) (?:hundred|thousand|million|billion|dozen)"
_VALUE = rf"(?:{_NUMERIC}|{_ROUND_WORDS}|(?<!several )(?<!few )(?<!half a )(?<!many ){_WORDS})"
_ONE = rf"(?:{_CURRENCY_BEFORE})?{_VALUE}(?:{_SCALE})?"
_RANGE_TO = r"(?:\s?[–—-]\s?|\s(?:to|and)\s)"
_FIGURE = re.compile(
    rf"(?<![\w.,:/#¶§])(?:(?P<bound>(?<!\w)(?:{_BOUND}))\s?)?(?P<open>(?:between|from)\s)?(?P<low>{_ONE})"
    rf"(?:(?P<to>{_RANGE_TO})(?:(?P<bound2>{_BOUND})\s)?(?P<high>{_ONE}))?"
    rf"(?P<unit>{_PERCENT}|{_CURRENCY_AFTER}|{_MEASURE})?(?![\w])(?!(?:st|nd|rd|th)\b)(?![.,:]?[0-9])(?!-(?:\w))",
    re.I,
)
_VAGUE = re.compile(
    r"\b(?:(?:several|many|some|a few) )?(?P<unit>tens of thousands|hundreds of thousands|tens of millions|dozens|hundreds|thousands|millions|"
    r"(?<=several )(?:hundred|thousand|million)|(?<=few )(?:hundred|thousand|million))\b(?=(?: of)? \w)",
    re.I,
)
_VAGUE_RANGES = {
    "dozens": (20.0, 99.0), "hundreds": (200.0, 999.0), "thousands": (2e3, 9999.0), "tens of thousands": (2e4, 99_999.0),
    "hundreds of thousands": (2e5, 999_999.0), "millions": (2e6, 9_999_999.0), "tens of millions": (2e7, 99_999_999.0),
}  # fmt: skip
_NOT_A_COUNT = re.compile(
    r"(?:\b(?:resolution|no|nos|number|article|section|chapter|page|pages|p|pp|phase|paragraph|para|note|room|flight|route|highway|"
    r"version|figure|table|level|group|team|grade|class|aged?|unit|battalion|brigade|division|apollo|boeing|covid|level|type|stage|"
    r"point|top|part|article|session|committee)\.?\s?|[#¶§№(]\s?)$",
    re.I,
)
_NO_FIGURE = re.compile(
    r"[- ]?(?:year|month|day)s?[- ]olds?\b|[ -]?(?:times|fold|th|ways?|thirds?|quarters?|fifths|out of)\b|\s+(?:in|of) (?:three|four|five|ten|[0-9])\b",
    re.I,
)
_WORD = re.compile(r"[^\W\d_](?:[^\W_]|[’'-](?=\w))*")
_STOP = frozenset(
    """
    a an the in on at of for from to by with and or but as is are was were be been has have had who which that than while when
    where after before since during near plus including among according into over under will would could may might can said
    says reported there also so not they it its their this these those between because though although out per each left came
    took went made active living present did does do across along within throughout amid against if now then still only
    last this next every worldwide nationwide countrywide aboard onboard abroad overseas inside outside nearby here daily weekly
    monthly yearly around round overall back off up down annually respectively alone combined together today yesterday
    """.split()  # noqa: SIM905
)
_PARTICIPLES = frozenset(
    """
    killed injured wounded displaced missing dead arrested detained evacuated sentenced infected rescued hurt homeless executed
    jailed convicted died drowned murdered vaccinated hospitalised hospitalized saved
    """.split()  # noqa: SIM905
)
PARTICIPLES = r"(?:[a-z]{3,}ed|built|lost|sold|sank|sunk|burnt|broken|won|stolen|shot|bought|grown|sent|cut|dead|missing|homeless|hurt)"
"""What is taken for a past tense or participle behind or before a counted noun."""
_VERB_AFTER = re.compile(
    r"\s*(?:(?:,? (?:among|including) [^,]*,)?\s*(?:who )?(?:were|was|are|is|had been|have been|has been|being|had|have|reportedly|then|also|left|confirmed|"
    r"reported|presumed|feared|later|now|still)\s+)*"
    r"(?P<verb>killed|dead|died|dying|injured|wounded|hurt|missing|displaced|homeless|evacuated|arrested|detained|sentenced|convicted|jailed|"
    r"executed|infected|rescued|drowned|murdered|perished|fled|casualties|deaths|fatalities|hospitali[sz]ed|survived|lost their lives|saved)\b",
    re.I,
)
_VERB_BEFORE = re.compile(
    r"\b(?P<verb>kill(?:s|ed|ing)?|left|leav(?:es|ing)|injur(?:ed|ing|es)|wound(?:ed|ing|s)|displac(?:ed|ing|es)|arrest(?:ed|ing|s)|"
    r"detain(?:ed|ing|s)|murder(?:ed|ing)|evacuat(?:ed|ing)|claim(?:ed|ing|s)|infect(?:ed|ing)|rescu(?:ed|ing)|sav(?:ed|ing)|"
    r"sentenc(?:ed|ing)|execut(?:ed|ing))\s*(?:the (?:lives|deaths?) of\s*)?$",
    re.I,
)
_LABEL = re.compile(
    r"\b(?P<label>death toll|tolls?|deaths?|fatalities|dead|casualties|injuries|number of (?:the )?[\w-]+(?: [\w-]+){0,2})\b(?P<rest>[^.;]{0,80})$",
    re.I,
)
_ASIDE_BEFORE = re.compile(
    r"\b(?:including|includes?|among (?:them|whom|these|those|which)|of (?:them|whom|which|these|those)|with|plus|"
    r"as well as|not counting|besides|up from|down from|compared (?:with|to)|against|earlier|previous|previously|former|"
    r"initial|initially|instead of|rather than|revised from|at first)\s*(?:the |a |all |an )?(?:earlier |previous |initial )?$",
    re.I,
)
_ASIDE_AFTER = re.compile(
    r"\s*(?:\w+ )?of (?:them|whom|which|these|those|the (?:dead|victims|killed|injured|total))\b", re.I
)
_CHANGE_BEFORE = re.compile(
    r"\b(?:by|of|to have (?:fallen|risen) by|(?:rise|fall|drop|increase|decrease|decline|reduction|growth|cut|jump) of(?: \w+)?|down|up|"
    r"(?:grew|rose|fell|dropped|declined|decreased|increased|jumped|shrank|grown|risen|fallen))\s*$",
    re.I,
)
_CHANGE_WORD = re.compile(
    r"\b(?:grow(?:n|s|th|ing)?|grew|r[io]se[sn]?|rising|f[ae]ll(?:en|s|ing)?|drop(?:s|ped|ping)?|increas\w+|decreas\w+|declin\w+|reduc\w+|"
    r"cut|jump(?:ed)?|shr[aiu]nk|down|up|doubled|swell\w*|swollen)\b",
    re.I,
)
_CHANGE_AFTER = re.compile(
    r"\s*(?:rise|fall|drop|increase|decrease|decline|reduction|growth|cut|more|fewer|less|higher|lower|up|down|jump)\b",
    re.I,
)
_CLAUSE_END = re.compile(r"[;:]\s|\.\s")
_JOINED = re.compile(r"\s*(?:,|,? and|,? or|,? then|,? later|/|as|by|in|on|–)*\s*(?:later\s+)?", re.I)
_CARRIED = re.compile(
    r"(?:\s*(?:,?\s*according to [^,;.]*?|,?\s*in the (?:view|count|words) of [^,;.]*?))?\s*,?\s*(?:and|or|but|while|then|later|to)?\s*"
    r"(?:later\s+|at\s+|then\s+|as\s+|and\s+)*(?:at\s+)?",
    re.I,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A figure and what it counts.

    Attributes:
        text: the figure as written, with "about" or "at least", in one line.
        start, end: where it stands in the text (with its unit sign).
        low, high: the numbers that the words allow: "at least 145" is 145 and a little more, "4,000–6,000"
            is both ends.
        point: the number as written; the higher end of a range.
        bound: what the words before it make of it.
        kind: what sort of figure it is.
        unit: what is counted, as written: "fighters", "people killed", "%", "$", "km".
        head: stem of the noun counted, or the name of its group; "" when none stands there.
        modifiers: stems of the words between the figure and its noun.
        named: capitalised words between the figure and its noun ("13 US personnel").
        events: what happened to those counted, see :func:`events_in`.
        verb: stem of what was done to the things counted ("200 houses damaged"); "" when no such word is near.
        aside: it stands beside the figure that is given: a part of it ("including 12 children") or an earlier
            state ("up from 900").
        change: it is a rise or a fall, not a level.
    """

    text: str
    start: int
    end: int
    low: float
    high: float
    point: float
    bound: Bound
    kind: Kind
    unit: str
    head: str = ""
    modifiers: frozenset[str] = frozenset()
    named: tuple[str, ...] = ()
    events: frozenset[str] = frozenset()
    verb: str = ""
    aside: bool = False
    change: bool = False


def quantities(text: str) -> list[Quantity]:
    """The figures of a sentence in order, without dates, ordinals, numbers of paragraphs and ages."""
    masked = _without_dates(text)
    found = [q for m in _FIGURE.finditer(masked) for q in _read(m, masked)]
    taken = [(q.start, q.end) for q in found]
    for match in _VAGUE.finditer(masked):
        if not any(a < match.end() and match.start() < b for a, b in taken):
            found.append(_vague(match))
    found.sort(key=lambda q: q.start)
    return _shared([_with_context(q, masked, found) for q in found], masked)


def group_of(word: str) -> str:
    """What a counted noun is compared by: the name of its group, or its stem."""
    stem = _stem(word)
    return next((name for name, words in _HEADS.items() if stem in {_stem(w) for w in words.split()}), stem)


def nouns_of(group: str, n: int = 3) -> tuple[str, ...]:
    """The first nouns of a group, which count what it names; empty for a stem."""
    return tuple(_HEADS.get(group, "").split()[:n])


def is_measure(word: str) -> bool:
    """Whether a word is a unit of measurement, such as "hectares" or "km"."""
    return bool(re.fullmatch(_MEASURE.removeprefix(r"\s?"), word, re.I))


def events_in(text: str) -> frozenset[str]:
    """What a text says to have happened to those counted: "killed", "injured", "arrested" and so on."""
    words = (m.group() for m in _WORD.finditer(text.lower()))
    return frozenset(_EVENT_OF[w] for w in words if w in _EVENT_OF)


def _without_dates(text: str) -> str:
    """The text with dates blanked out at the same length."""
    for period in periods(text):
        text = text[: period.start] + "\x00" * (period.end - period.start) + text[period.end :]
    for day in DAY_OR_MONTH.finditer(text):
        if (day["d1"] or day["d2"]) and day["month"][0].isupper() and not text.startswith((" million", " thousand"), day.end()):
            text = text[: day.start()] + "\x00" * (day.end() - day.start()) + text[day.end() :]
    return text


def _read(match: re.Match[str], text: str) -> Iterator[Quantity]:
    before = text[: match.start()]
    if _NOT_A_COUNT.search(before[-16:]) and not match["bound"] and not _currency(match["low"]):
        return
    if _NO_FIGURE.match(text[match.end() :]):
        return
    low = _number(match["low"])
    high = _number(match["high"]) if match["high"] else low
    if low is None or high is None:
        return
    kind, unit = _kind(match)
    if match["high"]:
        # "2 to 3 million": the scale of the second goes for the first.
        scale = _scale(match["high"])
        if scale > 1 and _scale(match["low"]) == 1 and low < high / scale * 10:
            low *= scale
    is_range = bool(match["high"]) and low < high and (match["to"].strip() != "and" or bool(match["open"]))
    start = match.start()
    if match["high"] and not is_range:
        # Two figures that "and" joins, not a range: read each by itself.
        cut = match.end("low")
        for piece in (_FIGURE.match(text, start, cut), _FIGURE.match(text, match.end("to"), match.end())):
            if piece:
                yield from (replace(q, kind=kind, unit=unit) for q in _read(piece, text))
        return
    bound = _bound(match["bound"])
    if match["open"] and is_range and match["open"].strip().lower() == "from" and _CHANGE_WORD.search(before[-60:]):
        # "grew from 2,200 to almost 4,000": the state reached is what counts.
        bound, low, is_range = _bound(match["bound2"]), high, False
        start = match.start("bound2") if match["bound2"] else match.start("high")
    elif match["open"] and not is_range and not match["high"]:
        start = match.start("bound") if match["bound"] else match.start("low")
    end = (
        match.end()
        if kind in {"percent", "measure"} or match["unit"]
        else (match.end("high") if match["high"] else match.end("low"))
    )
    written = " ".join(text[start:end].split())
    # A round figure with its scale in words is as exact as its last digit.
    slack = 0.0 if is_range else _slack(match["high"] or match["low"])
    yield Quantity(
        text=written, start=start, end=end, point=high, bound=bound, kind=kind, unit=unit,
        low=_low(low, bound) - slack, high=_high(high, bound) + slack,
    )  # fmt: skip


def _kind(match: re.Match[str]) -> tuple[Kind, str]:
    """What sort of figure it is, and its unit sign; "" for counts."""
    unit = (match["unit"] or "").strip()
    currency = _currency(match["low"]) or _currency(match["high"] or "")
    if re.fullmatch(_PERCENT.replace(r"\s?", ""), unit, re.I):
        return "percent", "percentage points" if "point" in unit.lower() else "%"
    if currency or re.fullmatch(_CURRENCY_AFTER.removeprefix(r"\s"), unit, re.I):
        sign = (currency or unit).lower()
        return "money", _CURRENCIES.get(sign, sign)
    return ("measure", unit) if unit else ("count", "")


_CURRENCIES = {
    "$": "$", "us$": "$", "usd": "$", "dollar": "$", "dollars": "$", "us dollars": "$", "us dollar": "$", "€": "€", "eur": "€",
    "euro": "€", "euros": "€", "£": "£", "gbp": "£", "pounds": "£", "pounds sterling": "£",
}  # fmt: skip


def _low(value: float, bound: Bound) -> float:
    return {"about": 0.9, "at most": 0.5}.get(bound, 1.0) * value


def _high(value: float, bound: Bound) -> float:
    # "At least 40" and "143" differ for a reader, though logic lets both be true.
    return {"about": 1.1, "at least": 1.1}.get(bound, 1.0) * value


def _bound(words: str | None) -> Bound:
    if not words:
        return "exact"
    return next(name for name, pattern in _BOUNDS if re.fullmatch(pattern, words.strip(), re.I))


def _currency(text: str) -> str:
    found = re.match(_CURRENCY_BEFORE, text, re.I)
    return found.group().strip() if found else ""


def _scale(text: str) -> float:
    found = re.search(rf"{_SCALE}$", text, re.I)
    return _SCALES[found.group().strip().lower()] if found else 1.0


def _slack(text: str) -> float:
    """Half a unit of the last digit of "1.2 billion"; 0 for figures without a scale word."""
    scale = _scale(text)
    if scale < 1e6:
        return 0.0
    if not re.search(r"[0-9]", text):
        return scale * 0.1
    digits = re.search(r"\.([0-9]+)", text)
    return scale * 0.5 * 10.0 ** -(len(digits[1]) if digits else 0) * 0.999


def _number(text: str) -> float | None:
    from text_to_num import text2num

    text = re.sub(rf"^{_CURRENCY_BEFORE}", "", text, flags=re.I)
    digits = re.match(_NUMERIC, text)
    if digits:
        return float(re.sub(r"[,  ’']", "", digits.group())) * _scale(text)
    words = text.strip().lower()
    rounded = re.fullmatch(_ROUND_WORDS, words)
    if rounded:
        part = {"half": 0.5, "one": 1.5}.get(words.split()[0], 0.25 if "quarter" in words else 1.0)
        return part * _SCALES[words.split()[-1]]
    if words in {"hundred", "thousand", "million", "billion"}:
        return None
    words = re.sub(r"\s+dozen$", "", words)
    try:
        value = float(text2num(words.replace("-", " "), "en"))
    except ValueError:
        return None
    return value * 12 if words != text.strip().lower() else value


def _vague(match: re.Match[str]) -> Quantity:
    unit = match["unit"].lower()
    low, high = _VAGUE_RANGES[unit if unit.endswith("s") else f"{unit}s"]
    return Quantity(
        text=" ".join(match.group().split()), start=match.start(), end=match.end(), low=low, high=high, point=low,
        bound="vague", kind="count", unit="",
    )  # fmt: skip


def _with_context(q: Quantity, text: str, every: Sequence[Quantity]) -> Quantity:
    """The figure with its noun and with what happened to those counted."""
    following = min((o.start for o in every if o.start >= q.end), default=len(text))
    after, before = text[q.end : following], text[: q.start]
    aside = bool(_ASIDE_BEFORE.search(before[-30:]) or _ASIDE_AFTER.match(after))
    # "some spoke of growth, others of 2,000": the second figure is a level.
    reach = re.split(r",\s", before[-80:])[-1] if before.endswith(" of ") else before[-80:]
    change = bool(_CHANGE_BEFORE.search(before[-40:]) and _CHANGE_WORD.search(reach)) or (
        q.kind == "percent" and bool(_CHANGE_AFTER.match(after))
    )
    if q.kind != "count":
        return replace(q, aside=aside, change=change)
    words = _noun_phrase(after)
    if q.text.lower() == "one" and not words:
        return replace(q, aside=True)  # "the one that"
    events: set[str] = set()
    tail = after
    if words:
        tail = after[after.find(words[-1]) + len(words[-1]) :]
    verb = _VERB_AFTER.match(tail) or (_VERB_AFTER.match(after) if not words else None)
    unit = " ".join(words)
    if verb:
        events |= events_in(verb["verb"])
        unit = f"{unit} {verb['verb'].lower()}".strip()
    events |= events_in(unit)
    led = _VERB_BEFORE.search(before[-40:])
    if led and not events:
        events |= events_in(led["verb"])
        if led["verb"].lower().startswith(("leav", "left", "claim")):
            events.clear()  # "left 23 dead" says what happened behind the figure
        if events:
            unit = f"{unit} {min(events)}".strip()
    nouns = [w for w in words if w.lower() not in _PARTICIPLES]
    head = group_of(nouns[-1]) if nouns else ""
    if not words and not events:
        label = _LABEL.search(_CLAUSE_END.split(before)[-1])
        if label:
            events |= events_in(label["label"])
            noun = label["label"].split()[-1] if label["label"].lower().startswith("number") else ""
            head = group_of(noun) if noun else ""
            unit = min(events) if events else noun
    return replace(
        q, unit=unit, head=head, events=frozenset(events), aside=aside, change=change,
        modifiers=frozenset(_stem(w) for w in nouns[:-1]),
        named=tuple(w for w in words[:-1] if w[0].isupper()), verb=_verb(tail if words else after, before, every, q),
    )  # fmt: skip


def _verb(tail: str, before: str, every: Sequence[Quantity], q: Quantity) -> str:
    behind = re.match(
        rf"\s*(?:(?:were|was|have been|had been|has been|are|is|being)\s+(?:\w+ly\s+)?)?(?P<verb>{PARTICIPLES})\b",
        tail,
        re.I,
    )
    if behind:
        return _stem(behind["verb"])
    segment = before[max((o.end for o in every if o.end <= q.start), default=0) :]
    led = re.findall(rf"\b({PARTICIPLES})\b", segment, re.I)
    return _stem(led[-1]) if led else ""


def _noun_phrase(after: str) -> list[str]:
    """The words right behind a figure up to and with its noun: at most five, none of them a function word."""
    words: list[str] = []
    at = 0
    of = re.match(r"\s+of (?=[a-z])", after)
    if of:
        at = of.end()
    while len(words) < 5:
        gap = re.match(r"\s+|-(?=\w)", after[at:])
        if not gap and (words or at == 0):
            break
        at += gap.end() if gap else 0
        word = _WORD.match(after, at)
        if not word or word.group().lower() in _STOP or (words and re.fullmatch(PARTICIPLES, word.group(), re.I)):
            break
        words.append(word.group())
        at = word.end()
        if words[-1].lower() in _PARTICIPLES:
            break
    return words


def _shared(found: list[Quantity], text: str) -> list[Quantity]:
    """Figures without a noun take it from their neighbour: "149 and 150 dead", "80 killed … and 97 according to"."""
    found = list(found)
    for i in range(len(found) - 2, -1, -1):
        q, following = found[i], found[i + 1]
        gap = text[q.end : following.start]
        if q.kind == "count" and not q.unit and following.unit and following.kind == "count" and _JOINED.fullmatch(gap):
            found[i] = _like(q, following)
    for i in range(1, len(found)):
        previous, q = found[i - 1], found[i]
        if q.kind != "count" or q.unit or previous.kind != "count" or not previous.unit:
            continue
        gap = text[previous.end : q.start]
        unit = re.match(rf"\s*(?:of )?{re.escape(previous.unit.split()[0])}[\w ]*?(?=\s|,|$)", gap)
        rest = gap[unit.end() :] if unit else gap
        if _CARRIED.fullmatch(rest) or re.fullmatch(r"[^A-Z;.]{0,40}", rest):
            found[i] = _like(q, previous)
    return found


def _like(q: Quantity, other: Quantity) -> Quantity:
    return replace(
        q, unit=other.unit, head=other.head, modifiers=other.modifiers, named=other.named, events=other.events
    )


@cache
def _stem(word: str) -> str:
    return str(Stemmer.Stemmer("english").stemWord(word.lower().replace("’", "'")))
