"""Does a text carry a sentence? A verdict, a calibrated probability, the words for and against, and what does not fit.

Figures, dates, names and denials are compared by words (``app.text.claims``), the rest by meaning: the evidence reader's
support head, the encoder's cosine of sentences, and how well each word of the claim is matched.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, Literal, Protocol

import numpy as np

from app.answer import Citation, Grades, cite, graded, no_grades, outlet
from app.errors import BadInput
from app.evidence.gather import Reading, ReadPassage, log_odds
from app.question.analysis import tidy
from app.support import alignment
from app.text import claims
from app.text.claims import Said
from app.text.parse import parse
from app.text.voices import names, voice_left_out
from index.embed import Encoder, Vectors
from index.search import Filters, Hit, OpenIndex, SearchSettings
from index.terms import Vocabulary
from ingest.grade import Grade
from ingest.sentences import sentence_spans

Label = Literal["supported", "partly", "unsupported"]
Verdict = Literal["supported", "contradicted", "disputed", "claimed", "not found"]

MAX_PASSAGE_CHARS = 400_000
_LEADING = 10
"""Sentences of a text that are read closely."""
_MOST_TOGETHER = 4
"""Sentences that may carry a claim together."""
_MOST_ENCODED = 220
"""Sentences of a long text that are compared by meaning; the others share fewer words with the claim."""
_AROUND = 2
_OPENING = 3
"""Sentences at the beginning of a text that name what it is about."""
_HITS = 12
_MOST_READ = 4
"""Windows of a text that the reader reads."""
_SHORT = 12
"""A text of so many sentences is read whole."""
_MOST_KEPT = 4000
_LEAST_GAIN = 0.06
"""Share of the claim that a further sentence must add."""
_LOST = 0.45
"""A word matched worse than this is matched by nothing."""
_FORBEARING = 0.65
"""Of the threshold: what the worst sentence of several must reach. Each sentence is as likely to be misjudged."""
_SAME_NAME = 0.6
_ABSENT = 0.6
"""More than this share of a name must be missing for it to stand nowhere."""
_RIVAL = 0.5
"""How much better the words beside a name may fit another name of the text."""
_EXCERPT = 0.97
"""Least support for a sentence of the text itself with no more than phrases left out."""
_OTHERWISE = (
    "figure_none", "figure_far", "figure_other", "date_none", "date_far", "date_coarse", "date_other", "name_none",
    "name_far", "denial", "opposite", "overstated", "unsure", "alleged",
)  # fmt: skip
"""Signs that a claim says something else than the text, in whatever order."""
_CLOSE = 0.45
"""Least cosine of a claim and a sentence that says otherwise."""


_SAME_MATTER = 0.75
"""Least meaning (mean match of the claim's words) of a sentence that contradicts it: it must speak of the same."""
_MOST_LOST = 0.2
"""Largest share of the claim's words that a sentence that contradicts it may leave unmatched. With both, of 35 sentences of the
bundled notes one is told to be contradicted and of their 35 denials 32; before, all 70. Of 91 true claims of
``support_pairs.jsonl`` (dev) and a strong model one is, of 59 whose planted change is a denial, figure or name 16."""


class SupportReader(Protocol):
    """Scores how well sentences support a claim, in the context of their passage."""

    def check(self, claim: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        """A reading for each passage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportCalibration:
    """Logistic regression over the features of :func:`features`.

    probability = 1 / (1 + exp(-(bias + Σ weight · feature)))

    Attributes:
        threshold: least probability of "supported".
        partly: least probability of "partly" for a claim of one piece.
        fitted_on: in words.
    """

    weights: Mapping[str, float]
    bias: float
    threshold: float
    partly: float
    fitted_on: str

    def probability(self, values: Mapping[str, float]) -> float:
        """Probability in [0, 1] that the text carries the claim."""
        z = self.bias + sum(weight * values[name] for name, weight in self.weights.items())
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, z))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How far given texts carry a sentence.

    Attributes:
        label: whether they do.
        support: how surely, in [0, 1].
        best: the text that carries it best and where in it: (index, start, end); None without text.
        verdict: "supported", "contradicted" or "not found".
        reasons: what does not fit, in English sentences.
        others: further places that are needed or say the same, best first.
        opposed: the best place differs in a figure, name, date or denial; it need not speak of the same matter.
        closeness: how well the words of the sentence are matched there, in [0, 1].
        excerpt: it is a sentence of the text with no more than phrases left out.
        agrees: the best place differs from it in nothing that is compared and speaks of the same matter, however sure that is.
    """

    label: Label
    support: float
    best: tuple[int, int, int] | None
    verdict: Verdict = "not found"
    reasons: tuple[str, ...] = ()
    others: tuple[tuple[int, int, int], ...] = ()
    opposed: bool = False
    closeness: float = 0.0
    excerpt: bool = False
    agrees: bool = False

    @property
    def speaks_for(self) -> bool:
        """Whether the texts carry the sentence or a part of it, and say nothing against it."""
        return self.label != "unsupported" and self.verdict != "contradicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A stretch of a given text; ``end`` is exclusive."""

    quote: str
    start: int
    end: int


_WORDS: Mapping[Verdict, str] = {
    "supported": "Supported", "contradicted": "Contradicted", "disputed": "Disputed: sources say different things",
    "claimed": "Claimed, not established", "not found": "Not found in the sources",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCheck:
    """The result of a check; docs/json.md describes the JSON.

    Attributes:
        support: how surely the text carries the claim, in [0, 1].
        verdict: supported; contradicted; disputed: some sources say so, others otherwise; claimed: only by the one in ``by``;
            not found.
        by: who claims it; empty for other verdicts.
        citations: what carries it, best first; quotes of the text alone when one was given.
        against: what says otherwise, best first.
        reasons: what does not fit, in English sentences.
    """

    claim: str
    label: Label
    support: float
    verdict: Verdict = "not found"
    by: str = ""
    citations: tuple[Citation | Quote, ...] = ()
    against: tuple[Citation | Quote, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The verdict as people read it: "Claimed only by the ministry"."""
        if self.verdict == "claimed" and self.by:
            return f"Claimed only by {self.by}"
        if self.verdict == "not found" and self.label == "partly":
            return "Found in part"
        return _WORDS[self.verdict]


def to_json(check: ClaimCheck) -> dict[str, Any]:
    """The check as plain JSON data."""
    return asdict(check)


def load_support_calibrations() -> dict[str, SupportCalibration]:
    """The packaged calibrations by reader kind."""
    data: dict[str, Any] = json.loads(files("app.support").joinpath("calibration.json").read_text(encoding="utf-8"))
    return {name: SupportCalibration(**values) for name, values in data.items()}


def tidy_claim(claim: str) -> str:
    """The claim in one line.

    Raises:
        BadInput: it is empty or too long.
    """
    try:
        return tidy(claim)
    except BadInput as exc:
        message = str(exc).replace("the question", "the claim").replace("what you want to know", "a statement")
        raise BadInput(message.replace("ask it shorter", "check it in parts")) from exc


# what is compared


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    """A sentence of the texts given; ``text`` is their index, ``place`` its number among all sentences."""

    text: int
    start: int
    end: int
    place: int
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """All sentences of the texts given, with titles and headings."""

    units: tuple[_Unit, ...]
    contexts: tuple[Said, ...]
    titles: tuple[str, ...]

    def around(self, chosen: Sequence[_Unit]) -> list[Said]:
        """Neighbours of sentences, the opening of their texts and its title."""
        own = {u.place for u in chosen}
        texts = {u.text for u in chosen}
        near = [
            u.said
            for u in self.units
            if u.place not in own and u.text in texts and any(abs(u.place - p) <= _AROUND for p in own)
        ]
        opening = [
            u.said for t in texts for u in [v for v in self.units if v.text == t][:_OPENING] if u.place not in own
        ]
        return [*near, *opening, *(self.contexts[t] for t in texts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ranked:
    """A sentence that comes near the claim; ``meanings`` tells how well it matches each word of the claim, ``score``
    what the reader says.
    """

    unit: _Unit
    cosine: float
    shared: float
    meanings: tuple[float, ...]
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A claim against the sentences that come nearest to it.

    Attributes:
        values: features by name, see :func:`features`.
        units: what was compared, best first: (text, start, end).
        reasons: what does not fit.
        opposed: the best sentence says otherwise.
        contradicts: it does so of the same matter: all else that the claim says stands there.
        agrees: it speaks of the same matter and differs in nothing that is compared.
        hedged: it only says that something may be, or that somebody holds it.
        excerpt: the claim is a sentence of the text with no more than phrases left out.
    """

    values: Mapping[str, float]
    units: tuple[tuple[int, int, int], ...]
    reasons: tuple[str, ...]
    opposed: bool
    contradicts: bool
    agrees: bool
    hedged: bool
    excerpt: bool


class SupportChecker:
    """Checks claims against texts. Threads may share one.

    Args:
        reader: scores support in context; None leaves it out, and the calibration must not weigh it.
        grades: those of the sources, for citations.
    """

    def __init__(
        self,
        *,
        reader: SupportReader | None,
        encoder: Encoder,
        calibration: SupportCalibration,
        vocabulary: Vocabulary | None = None,
        search: SearchSettings = SearchSettings(),
        grades: Grades = no_grades,
    ) -> None:
        self._grades = grades
        self._reader = reader
        self._vectors = _Vectors(encoder)
        self._calibration = calibration
        self._vocabulary = vocabulary or Vocabulary.load()
        self._search = search

    def carried(self, sentence: str, quotes: Sequence[str], contexts: Sequence[str] = ()) -> Carried:
        """Whether the quotes together carry a sentence.

        Args:
            contexts: title and headings of each quote; may be left out.
        """
        return self._carried(sentence, self._ground(quotes, contexts))

    def check_text(self, claim: str, passage: str) -> ClaimCheck:
        """A claim against one text alone.

        Raises:
            BadInput: the claim or the text is empty or too long.
        """
        claim = tidy_claim(claim)
        if not passage.strip():
            raise BadInput("the passage is empty; give the text to check the claim against, or leave it out")
        if len(passage) > MAX_PASSAGE_CHARS:
            raise BadInput(
                f"the passage has {len(passage):,} characters; the limit is {MAX_PASSAGE_CHARS:,}: check it in parts"
            )
        told = self.carried(claim, [passage])
        places = tuple(
            Quote(quote=passage[a:b], start=a, end=b) for _, a, b in ([told.best] if told.best else []) + [*told.others]
        )
        by = _holder(claim, passage[told.best[1] : told.best[2]]) if told.best and told.verdict == "supported" else ""
        return ClaimCheck(
            claim=claim, label=told.label, support=told.support, verdict="claimed" if by else told.verdict, by=by,
            reasons=told.reasons, citations=places if told.speaks_for else (),
            against=places[:1] if told.verdict == "contradicted" else (),
        )  # fmt: skip

    def check(self, claim: str, opened: OpenIndex | None, *, filters: Filters = Filters()) -> ClaimCheck:
        """A claim against the whole collection, every passage by itself; None when nothing was indexed.

        Raises:
            BadInput: the claim is empty or too long.
        """
        claim = tidy_claim(claim)
        if opened is None or not opened.passage_count():
            return ClaimCheck(claim=claim, label="unsupported", support=0.0, reasons=("Nothing has been indexed yet.",))
        hits = opened.search(claim, _HITS, filters=filters, settings=self._search)
        told = [(h, self._carried(claim, self._ground([h.passage.text], [h.passage.context]))) for h in hits]
        told = sorted((t for t in told if t[1].best), key=lambda t: -t[1].support)
        if not told:
            return ClaimCheck(claim=claim, label="unsupported", support=0.0, reasons=("No source speaks of it.",))
        return _weighed(claim, told, opened, self._grades())

    def compare(self, claim: str, quotes: Sequence[str], contexts: Sequence[str] = ()) -> Compared | None:
        """What the calibration is fitted on; None when there is no text."""
        return self._compare(claim, self._ground(quotes, contexts))

    # one claim

    def _carried(self, claim: str, ground: _Ground) -> Carried:
        pieces = [claim[a:b] for a, b in sentence_spans(claim)] or [claim]
        told = [self._sentence(p, ground) for p in pieces]
        if len(told) == 1:
            return told[0]
        worst = min(t.support for t in told)
        mean = sum(t.support for t in told) / len(told)
        label: Label = "unsupported"
        enough = worst >= _FORBEARING * self._calibration.threshold and mean >= self._calibration.threshold
        if enough and not any(t.opposed for t in told):
            label = (
                "partly"
                if any(t.label == "partly" for t in told if t.support >= self._calibration.threshold)
                else "supported"
            )
        elif any(t.label != "unsupported" for t in told):
            label = "partly"
        against = [t for t in told if t.verdict == "contradicted"]
        verdict: Verdict = "contradicted" if against else "supported" if label == "supported" else "not found"
        best = max(against or told, key=lambda t: t.support)
        places = [p for t in told for p in ([t.best] if t.best else []) + [*t.others]]
        return Carried(
            label=label, support=round(0.5 * worst + 0.5 * mean, 4), best=best.best,
            reasons=tuple(dict.fromkeys(r for t in told for r in t.reasons)),
            others=tuple(dict.fromkeys(p for p in places if p != best.best)),
            opposed=any(t.opposed for t in told) and label != "supported", verdict=verdict, closeness=best.closeness,
            excerpt=all(t.excerpt for t in told), agrees=all(t.agrees for t in told),
        )  # fmt: skip

    def _sentence(self, claim: str, ground: _Ground) -> Carried:
        compared = self._compare(claim, ground)
        if compared is None:
            return Carried(label="unsupported", support=0.0, best=None, reasons=("There is no text to compare with.",))
        support = self._probability(compared)
        label: Label = "unsupported"
        if support >= self._calibration.threshold:
            label = "partly" if compared.hedged else "supported"
        elif self._partly(claim, ground, support):
            label = "partly"
        verdict: Verdict = "supported" if label == "supported" else "contradicted" if compared.contradicts else "not found"
        return Carried(
            label=label, support=round(support, 4), best=compared.units[0], others=compared.units[1:], verdict=verdict,
            reasons=() if label == "supported" else compared.reasons,
            opposed=compared.opposed and label != "supported", closeness=compared.values["meaning"], excerpt=compared.excerpt,
            agrees=compared.agrees,
        )  # fmt: skip

    def _partly(self, claim: str, ground: _Ground, support: float) -> bool:
        """Whether a part of a sentence that is not carried as a whole is."""
        if support >= self._calibration.partly:
            return True
        parts = clauses(claim)
        if len(parts) < 2:
            return False
        told = [c for c in (self._compare(p, ground) for p in parts) if c]
        return any(self._probability(c) >= self._calibration.threshold for c in told)

    def _probability(self, compared: Compared) -> float:
        """Of being carried; below the threshold when a figure, date or name of the claim stands nowhere in the text, or
        the text says of another name what the claim says of this one; high when the claim is an excerpt of the text.
        """
        values = compared.values
        support = self._calibration.probability(values)
        absent = any(values[p] > _ABSENT for p in ("figure_none", "date_none", "name_none"))
        if absent or values["name_rival"] >= _RIVAL:
            return min(support, _FORBEARING * self._calibration.threshold - 0.01)
        return max(support, _EXCERPT) if compared.excerpt else support

    def _ground(self, texts: Sequence[str], contexts: Sequence[str]) -> _Ground:
        units: list[_Unit] = []
        for n, text in enumerate(texts):
            for start, end in sentence_spans(text):
                said = claims.read(text[start:end], self._vocabulary)
                units.append(_Unit(text=n, start=start, end=end, place=len(units), said=said))
        titles = [*contexts[: len(texts)], *[""] * (len(texts) - len(contexts))]
        return _Ground(
            units=tuple(units), titles=tuple(titles), contexts=tuple(claims.read(t, self._vocabulary) for t in titles)
        )

    def _compare(self, text: str, ground: _Ground) -> Compared | None:
        if not ground.units:
            return None
        claim = claims.read(text, self._vocabulary)
        units = _leaning(claim, ground.units, _MOST_ENCODED)
        vectors = self._vectors.of([claim.text, *(u.said.text for u in units)])
        cosines = (vectors[1:] @ vectors[0]).tolist()
        shares = [_shared(claim, u.said) for u in units]
        order = sorted(range(len(units)), key=lambda i: -(cosines[i] + 0.6 * shares[i]))[:_LEADING]
        meanings = self._meanings(claim, [units[i].said for i in order])
        reading = self._read(text, ground, [units[i] for i in order])
        ranked = [
            _Ranked(
                unit=units[i], cosine=cosines[i], shared=shares[i], meanings=tuple(m), score=reading.get(units[i].place, 0.0)
            )
            for i, m in zip(order, meanings, strict=True)
        ]  # fmt: skip
        chosen = _together(claim, ranked)
        joined = self._vectors.of([" ".join(r.unit.said.text for r in chosen)])
        best = max(reading.values()) if reading else 0.5
        return features(claim, chosen, ground, float(joined[0] @ vectors[0]), best)

    def _read(self, claim: str, ground: _Ground, ranked: Sequence[_Unit]) -> dict[int, float]:
        """The reader's scores by the place of the sentence; of all in a short text, else of those around the leading."""
        if self._reader is None:
            return {}
        windows: list[list[_Unit]] = []
        for unit in ranked:
            if len(windows) < _MOST_READ and not any(unit in w for w in windows):
                own = [u for u in ground.units if u.text == unit.text]
                at = own.index(unit)
                windows.append(own if len(own) <= _SHORT else own[max(0, at - _AROUND) : at + _AROUND + 1])
        told = self._reader.check(
            claim,
            [ReadPassage(context=ground.titles[w[0].text], sentences=tuple(u.said.text for u in w)) for w in windows],
        )
        scores: dict[int, float] = {}
        for window, reading in zip(windows, told, strict=True):
            for unit, score in zip(window, reading.sentences, strict=True):
                scores[unit.place] = max(score, scores.get(unit.place, 0.0))
        return scores

    def _meanings(self, claim: Said, given: Sequence[Said]) -> list[list[float]]:
        """For each sentence, how well each word of the claim is matched by one of its words, in [0, 1]."""
        own = [w.text.lower() for w in claim.words]
        there = list(dict.fromkeys(w.text.lower() for g in given for w in g.words))
        if not own:
            return [[] for _ in given]
        vectors = self._vectors.of([*own, *there])
        alike = vectors[: len(own)] @ vectors[len(own) :].T if there else np.zeros((len(own), 0))
        at = {w: i for i, w in enumerate(there)}
        rows = []
        for said in given:
            columns = [at[w.text.lower()] for w in said.words]
            rows.append(
                [
                    1.0 if word.stem in said.stems else max((float(alike[i, c]) for c in columns), default=0.0)
                    for i, word in enumerate(claim.words)
                ]
            )
        return rows


def _weighed(claim: str, told: Sequence[tuple[Hit, Carried]], opened: OpenIndex, grades: Mapping[str, Grade]) -> ClaimCheck:
    """The passages against one another: one that contradicts counts, whatever support a passage has that is no closer to the claim."""
    best = told[0][1]
    against = sorted((t for t in told if t[1].verdict == "contradicted"), key=lambda t: -t[1].closeness)
    label, verdict, by = best.label, best.verdict, ""
    rivals: list[tuple[Hit, Carried]] = []
    if against:
        nearest = against[0][1].closeness
        carried = [t for t in told if t[1].label == "supported" and t[1].speaks_for and (t[1].excerpt or t[1].closeness >= nearest)]
        rivals = carried or [t for t in told if t[1].agrees and t[1].closeness >= nearest]
        verdict = "disputed" if rivals else "contradicted"
        if not carried:
            label = "partly" if any(c.label == "partly" and c.speaks_for for _, c in told) else "unsupported"
    wanted = [t for t in told if t[1].label == label and t[1].speaks_for] if label != "unsupported" else []
    wanted = wanted or rivals
    if verdict == "supported":
        by = _only_holder(claim, wanted, opened)
        verdict = "claimed" if by else verdict
    return ClaimCheck(
        claim=claim, label=label, support=best.support, verdict=verdict, by=by,
        reasons=against[0][1].reasons if against else best.reasons,
        citations=graded((_citation(h, c, opened) for h, c in wanted), grades),
        against=graded((_citation(h, c, opened) for h, c in against), grades),
    )  # fmt: skip


def _only_holder(claim: str, told: Sequence[tuple[Hit, Carried]], opened: OpenIndex) -> str:
    """The one who alone holds what passages say and whom the claim does not name; "" where it is told as a fact or by several."""
    held = set()
    for hit, carried in told:
        assert carried.best is not None
        _, start, end = carried.best
        marked = hit.passage.claimed_by or "" if hit.passage.claim_status in {"claim", "opinion"} else ""
        held.add(_holder(claim, hit.passage.text[start:end]) or ("" if names(marked, claim) else marked))
        if len(held) > 1:
            return ""
    return held.pop() if held else ""


def _holder(claim: str, quote: str) -> str:
    """Who says what a quote says, where the claim tells it as a fact; else "". Inside a sentence, as "the union"."""
    voice = voice_left_out(claim, quote)
    first = voice.split(" ", 1)[0]
    return voice[0].lower() + voice[1:] if voice and claims.plain(first.lower()) else voice


def clauses(sentence: str) -> list[str]:
    """The parts of a sentence that state something by themselves, told by punctuation and joining words."""
    parts = re.split(
        r"\s*;\s+|,?\s+(?:while|whereas|but|although)\s+|,\s+(?:and|which|who|where|with)\s+|\s+and\s+(?=\w+ed\b)",
        sentence,
    )
    return [p for p in parts if len(p.split()) >= 4]


def _leaning(claim: Said, units: Sequence[_Unit], most: int) -> Sequence[_Unit]:
    """The sentences that share most with the claim, in text order."""
    if len(units) <= most:
        return units
    kept = sorted(units, key=lambda u: (-_shared(claim, u.said), u.place))[:most]
    return sorted(kept, key=lambda u: u.place)


def _shared(claim: Said, given: Said) -> float:
    """Share of the claim's words and figures that stand in a sentence."""
    total = len(claim.words) + len(claim.figures) + len(claim.moments)
    there = sum(w.stem in given.stems for w in claim.words)
    there += sum(any(claims.agrees(f, g) for g in given.figures) for f in claim.figures)
    there += sum(any(claims.dated_near(m, g) for g in given.moments) for m in claim.moments)
    return there / total if total else 0.0


def _together(claim: Said, ranked: Sequence[_Ranked]) -> list[_Ranked]:
    """The sentence that comes nearest, and those that add most of what it lacks."""
    first = max(ranked, key=lambda r: r.cosine + _mean(r.meanings) + 0.6 * r.shared + r.score)
    chosen = [first]
    while len(chosen) < _MOST_TOGETHER:
        have = _covered(claim, chosen)
        gains = [(_covered(claim, [*chosen, r]) - have, r) for r in ranked if r not in chosen]
        gain, further = max(gains, key=lambda g: g[0], default=(0.0, first))
        if gain < _LEAST_GAIN:
            break
        chosen.append(further)
    return chosen


def _covered(claim: Said, chosen: Sequence[_Ranked]) -> float:
    """How much of the claim sentences hold together: words by meaning, figures, dates and names by words."""
    given = [r.unit.said for r in chosen]
    pieces = [max(0.0, (m - 0.3) / 0.7) for m in _best_matches(chosen)]
    pieces += [1.5 * any(claims.agrees(f, g) for s in given for g in s.figures) for f in claim.figures]
    pieces += [1.5 * any(claims.dated_alike(m, g) for s in given for g in s.moments) for m in claim.moments]
    pieces += [max(claims.name_share(n, s) for s in given) for n in claim.names]
    return _mean(pieces)


def _best_matches(chosen: Sequence[_Ranked]) -> list[float]:
    """For each word of the claim the best match in any of the sentences."""
    return [max(column) for column in zip(*(r.meanings for r in chosen), strict=True)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


FEATURES = (
    "cosine", "together", "words", "meaning", "weakest", "second", "lost", "figure_none", "figure_far", "figure_other", "crossed", "figure_beside", "name_beside", "name_rival",
    "date_none", "date_far", "date_coarse", "date_other", "name_none", "name_near", "name_far", "name_other", "denial",
    "opposite", "overstated", "unsure", "alleged", "several", "length", "reader",
)  # fmt: skip


def features(claim: Said, chosen: Sequence[_Ranked], ground: _Ground, together: float, reading: float) -> Compared:
    """What the calibration weighs.

    cosine, together: of the claim with the best sentence, with all chosen. words: share of the claim's words that stand
    there; meaning: how well they are matched; weakest, second: the two matched worst; lost: share matched by nothing.
    Of figures, dates and names, none: one stands nowhere in the text; far: only elsewhere; near: only beside; other: the
    best sentence has another in its place; coarse: the text tells a date less finely. Then flags: a denial or an
    opposite in one of the two, a fuller or a surer wording in the claim. several: how many more sentences are needed.
    *_beside: how far the words beside the claim's figures and names stand beside them in the text. length: words of the
    claim. reader: log-odds of its best score.
    """
    own = [r.unit.said for r in chosen]
    best = own[0]
    around = ground.around([r.unit for r in chosen])
    whole = [*(u.said for u in ground.units), *ground.contexts]
    values = dict.fromkeys(FEATURES, 0.0)
    reasons: list[str] = []
    stems = frozenset().union(*(s.stems for s in own))
    matches = _best_matches(chosen)
    lost = [w.text for w, m in zip(claim.words, matches, strict=True) if m < _LOST]
    worst = sorted(matches)
    values |= {
        "cosine": chosen[0].cosine,
        "together": together,
        "words": _mean([float(w.stem in stems) for w in claim.words]),
        "meaning": _mean(matches),
        "weakest": worst[0] if worst else 1.0,
        "second": worst[1] if len(worst) > 1 else 1.0,
        "lost": len(lost) / len(matches) if matches else 0.0,
        "several": float(len(chosen) - 1),
        "length": math.log1p(len(claim.words)),
        "reader": log_odds(reading),
    }
    values |= _figures(claim, best, own, around, whole, reasons)
    values["figure_beside"] = claims.figure_beside(claim, [*own, *around])
    values["name_beside"] = claims.name_beside(claim, [*own, *around])
    values["name_rival"], rival = claims.name_rival(claim, [*own, *around])
    text = [u.said for u in ground.units]
    exchanged = alignment.name_exchanged(claim, text) or alignment.names_swapped(claim, text)
    if exchanged and values["name_rival"] < _RIVAL:
        values["name_rival"], rival = 1.0, exchanged
    if values["name_rival"] >= _RIVAL:
        reasons.append(f"The text says so of {rival}.")
    swapped = claims.crossed(claim, best)
    values["crossed"] = float(swapped is not None)
    if swapped:
        reasons.append(f"The text gives {swapped.text} for something else.")
    values |= _moments(claim, best, own, around, whole, reasons)
    values |= _names(claim, best, own, around, whole, reasons)
    turned = claims.opposed(claim, best)
    if turned and claim.denied != best.denied:
        turned = None  # "did not rise" is carried by "fell"
    values["opposite"] = float(turned is not None)
    values["denial"] = float(turned is None and claims.denial_differs(claim, best))
    if turned:
        reasons.append(f"The text has the opposite of “{turned[0]}”.")
    if values["denial"]:
        reasons.append("The text denies it." if best.denied else "The claim denies what the text says.")
    values["overstated"] = float(claims.overstated(claim, own))
    values["unsure"] = float(claims.unsure(best.text) and not claims.unsure(claim.text))
    values["alleged"] = float(claims.alleged(best.text) and not claims.alleged(claim.text))
    if values["overstated"]:
        reasons.append("The claim says more than the text.")
    if values["alleged"]:
        reasons.append("The text gives it as what somebody holds.")
    elif values["unsure"]:
        reasons.append("The text says only that it may be so.")
    if lost:
        reasons.append(f"Nothing in the text matches: {', '.join(lost[:5])}.")
    return Compared(
        values=values,
        units=tuple((r.unit.text, r.unit.start, r.unit.end) for r in chosen),
        reasons=tuple(reasons) or ("No sentence of the text says so.",),
        opposed=_opposed(values),
        contradicts=_contradicts(values | ({"date_other": 0.0} if values["date_other"] and _dates_saying(claim, best) else {})),
        agrees=_same_matter(values) and not any(values[v] for v in _OTHERWISE) and values["name_rival"] < _RIVAL,
        hedged=claims.held(best.text) and not (claims.unsure(claim.text) or claims.alleged(claim.text)),
        excerpt=not any(values[v] for v in _OTHERWISE) and any(alignment.excerpt(claim, s) for s in own),
    )


def _opposed(values: Mapping[str, float]) -> bool:
    """Whether the best sentence differs in a figure, date, name or denial."""
    otherwise = ("figure_other", "crossed", "date_other", "denial", "opposite")
    return (values["cosine"] >= _CLOSE or values["words"] >= 0.5) and (
        any(values[o] for o in otherwise) or values["name_rival"] >= _RIVAL or bool(values["name_other"] and values["name_none"])
    )


def _same_matter(values: Mapping[str, float]) -> bool:
    return values["meaning"] >= _SAME_MATTER and values["lost"] <= _MOST_LOST


def _contradicts(values: Mapping[str, float]) -> bool:
    """Whether it does so of the matter of the claim; another figure or date says nothing where a name of the claim is missing."""
    if not _opposed(values) or not _same_matter(values):
        return False
    turned = bool(values["denial"] or values["opposite"]) or values["name_rival"] >= _RIVAL
    return turned or (values["name_none"] <= _ABSENT and any(values[o] for o in ("figure_other", "crossed", "date_other")))


def _dates_saying(claim: Said, best: Said) -> bool:
    """Whether the other dates of a sentence tell when somebody said so: "…, according to the UN in April"."""
    others = [g for g in best.moments if not any(claims.dated_near(m, g) for m in claim.moments)]
    said = [v.said for v in parse(best.text).voices]
    return bool(said) and not any(s.start <= g.at < s.end for g in others for s in said)


def _figures(
    claim: Said, best: Said, own: Sequence[Said], around: Sequence[Said], whole: Sequence[Said], reasons: list[str]
) -> dict[str, float]:
    values = {"figure_none": 0.0, "figure_far": 0.0, "figure_other": 0.0}
    for figure in claim.figures:
        if any(claims.agrees(figure, g) for s in own for g in s.figures):
            continue
        if claims.follows(figure, [g for s in own for g in s.figures]):
            continue
        near = any(claims.agrees(figure, g) for s in around for g in s.figures)
        far = near or any(claims.agrees(figure, g) for s in whole for g in s.figures)
        values["figure_far" if far else "figure_none"] = 0.5 if near else 1.0
        other = [
            g for g in best.figures
            if claims.conflicts(figure, g) or (g.kind == figure.kind and not any(claims.agrees(f, g) for f in claim.figures))
        ]  # fmt: skip
        if other:
            values["figure_other"] = 1.0
            reasons.append(f"The text gives {other[0].text}, the claim {figure.text}.")
        elif not far:
            reasons.append(f"The text does not give {figure.text}.")
    return values


def _moments(
    claim: Said, best: Said, own: Sequence[Said], around: Sequence[Said], whole: Sequence[Said], reasons: list[str]
) -> dict[str, float]:
    values = {"date_none": 0.0, "date_far": 0.0, "date_coarse": 0.0, "date_other": 0.0}
    for moment in claim.moments:
        if any(claims.dated_alike(moment, g) for s in own for g in s.moments):
            continue
        if any(claims.dated_near(moment, g) for s in own for g in s.moments):
            values["date_coarse"] = 1.0
            reasons.append(f"The text tells the date less finely than {moment.text}.")
            continue
        near = any(claims.dated_alike(moment, g) for s in around for g in s.moments)
        far = near or any(claims.dated_alike(moment, g) for s in whole for g in s.moments)
        values["date_far" if far else "date_none"] = 0.5 if near else 1.0
        other = [g for g in best.moments if not any(claims.dated_near(m, g) for m in claim.moments)]
        if other:
            values["date_other"] = 1.0
            reasons.append(f"The text gives {other[0].text}, the claim {moment.text}.")
        elif not far:
            reasons.append(f"The text does not give {moment.text}.")
    return values


def _names(
    claim: Said, best: Said, own: Sequence[Said], around: Sequence[Said], whole: Sequence[Said], reasons: list[str]
) -> dict[str, float]:
    values = {"name_none": 0.0, "name_near": 0.0, "name_far": 0.0, "name_other": 0.0}
    for name in claim.names:
        here = max(_has(name, s, claim) for s in own)
        if here >= _SAME_NAME:
            continue
        near = max((_has(name, s, claim) for s in around), default=0.0)
        far = max((_has(name, s, claim) for s in whole), default=0.0)
        if max(near, here) >= _SAME_NAME:
            values["name_near"] = 1.0
        elif far >= _SAME_NAME:
            values["name_far"] = 1.0
        else:
            values["name_none"] = max(values["name_none"], 1.0 - max(here, near, far))
            reasons.append(f"The text does not name {' '.join(name)}.")
        if any(claims.name_share(n, claim) < _SAME_NAME for n in best.names):
            values["name_other"] = 1.0
    return values


def _has(name: Sequence[str], said: Said, claim: Said) -> float:
    """How much of a name of the claim stands in a sentence, under any spelling of the vocabulary."""
    words = {w.lower() for w in name}
    if any(words & set(" ".join(group).split()) for group in claim.aliases & said.aliases):
        return 1.0
    return claims.name_share(name, said)


class _Vectors:
    """Vectors of texts, the last of them kept: claims are checked one after the other against the same text."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, texts: Sequence[str]) -> Vectors:
        """``(len(texts), dimension)`` float32 unit rows."""
        with self._lock:
            known = {t: self._known[t] for t in texts if t in self._known}
        new = [t for t in dict.fromkeys(texts) if t not in known]
        if new:
            known |= dict(zip(new, self._encoder.encode(new), strict=True))
        with self._lock:
            for text in texts:
                self._known[text] = known[text]
                self._known.move_to_end(text)
            while len(self._known) > _MOST_KEPT:
                self._known.popitem(last=False)
        return np.stack([known[t] for t in texts])


def _citation(hit: Hit, told: Carried, opened: OpenIndex) -> Citation:
    assert told.best is not None
    source = opened.source(hit.passage.source_id)
    assert source is not None
    _, start, end = told.best
    copies = ((opened.source(p.source_id), p) for p in hit.copies)
    return cite(
        source, hit.passage, start=hit.passage.start + start, end=hit.passage.start + end, support=told.support,
        also_in=tuple(outlet(s, p) for s, p in copies if s is not None),
    )  # fmt: skip
