"""Does a text carry a sentence? A verdict, a calibrated probability, the words for and against, and what does not fit.

Figures, dates, names and denials are compared by words (``app.text.claims``), the rest by meaning: the evidence reader's
support head, the encoder's cosine of sentences, and how well each word of the claim is matched.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from app.answer import Citation, Grades, cite, graded, no_grades, outlet
from app.errors import BadInput
from app.evidence.gather import Reading, ReadPassage
from app.support.calibration import SupportCalibration
from app.support.features import ABSENT, Compared, features
from app.support.ground import AROUND, LEADING, Ground, Ranked, Unit, clauses, leaning, shared, together
from app.support.verdict import Carried, ClaimCheck, Label, Quote, Verdict, tidy_claim
from app.text import claims
from app.text.claims import Said
from app.text.voices import claimant_left_out, names
from index.embed import Encoder, Vectors
from index.search import Filters, Hit, OpenIndex, SearchSettings
from index.terms import Vocabulary
from ingest.grade import Grade
from ingest.sentences import sentence_spans

MAX_PASSAGE_CHARS = 400_000
_MOST_ENCODED = 220
"""Sentences of a long text that are compared by meaning; the others share fewer words with the claim."""
_HITS = 12
_MOST_READ = 4
"""Windows of a text that the reader reads."""
_SHORT = 12
"""A text of so many sentences is read whole."""
_MOST_KEPT = 4000
_FORBEARING = 0.65
"""Of the threshold: what the worst sentence of several must reach. Each sentence is as likely to be misjudged."""
_EXCERPT = 0.97
"""Least support for a sentence of the text itself with no more than phrases left out."""


class SupportReader(Protocol):
    """Scores how well sentences support a claim, in the context of their passage."""

    def check(self, claim: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        """A reading for each passage."""


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
        by = claimant_left_out(claim, passage[told.best[1] : told.best[2]]) if told.best and told.verdict == "supported" else ""
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

    def _carried(self, claim: str, ground: Ground) -> Carried:
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

    def _sentence(self, claim: str, ground: Ground) -> Carried:
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

    def _partly(self, claim: str, ground: Ground, support: float) -> bool:
        """Whether a part of a sentence that is not carried as a whole is."""
        if support >= self._calibration.partly:
            return True
        parts = clauses(claim)
        if len(parts) < 2:
            return False
        told = [c for c in (self._compare(p, ground) for p in parts) if c]
        return any(self._probability(c) >= self._calibration.threshold for c in told)

    def _probability(self, compared: Compared) -> float:
        """Of being carried; below the threshold when a figure, date or name of the claim stands nowhere in the text, high when the claim is
        an excerpt of the text.
        """
        values = compared.values
        support = self._calibration.probability(values)
        absent = any(values[p] > ABSENT for p in ("figure_none", "date_none", "name_none"))
        if absent:
            return min(support, _FORBEARING * self._calibration.threshold - 0.01)
        return max(support, _EXCERPT) if compared.excerpt else support

    def _ground(self, texts: Sequence[str], contexts: Sequence[str]) -> Ground:
        units: list[Unit] = []
        for n, text in enumerate(texts):
            for start, end in sentence_spans(text):
                said = claims.read(text[start:end], self._vocabulary)
                units.append(Unit(text=n, start=start, end=end, place=len(units), said=said))
        titles = [*contexts[: len(texts)], *[""] * (len(texts) - len(contexts))]
        return Ground(
            units=tuple(units), titles=tuple(titles), contexts=tuple(claims.read(t, self._vocabulary) for t in titles)
        )

    def _compare(self, text: str, ground: Ground) -> Compared | None:
        if not ground.units:
            return None
        claim = claims.read(text, self._vocabulary)
        units = leaning(claim, ground.units, _MOST_ENCODED)
        vectors = self._vectors.of([claim.text, *(u.said.text for u in units)])
        cosines = (vectors[1:] @ vectors[0]).tolist()
        shares = [shared(claim, u.said) for u in units]
        order = sorted(range(len(units)), key=lambda i: -(cosines[i] + 0.6 * shares[i]))[:LEADING]
        meanings = self._meanings(claim, [units[i].said for i in order])
        reading = self._read(text, ground, [units[i] for i in order])
        ranked = [
            Ranked(
                unit=units[i], cosine=cosines[i], shared=shares[i], meanings=tuple(m), score=reading.get(units[i].place, 0.0)
            )
            for i, m in zip(order, meanings, strict=True)
        ]  # fmt: skip
        chosen = together(claim, ranked)
        best = max(reading.values()) if reading else 0.5
        return features(claim, chosen, ground, best)

    def _read(self, claim: str, ground: Ground, ranked: Sequence[Unit]) -> dict[int, float]:
        """The reader's scores by the place of the sentence; of all in a short text, else of those around the leading."""
        if self._reader is None:
            return {}
        windows: list[list[Unit]] = []
        for unit in ranked:
            if len(windows) < _MOST_READ and not any(unit in w for w in windows):
                own = [u for u in ground.units if u.text == unit.text]
                at = own.index(unit)
                windows.append(own if len(own) <= _SHORT else own[max(0, at - AROUND) : at + AROUND + 1])
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
        held.add(claimant_left_out(claim, hit.passage.text[start:end]) or ("" if names(marked, claim) else marked))
        if len(held) > 1:
            return ""
    return held.pop() if held else ""


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
