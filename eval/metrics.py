"""What the runs are worth: a score for each case where it makes sense, and pooled measures.

Pure: no clock or randomness but a seeded generator, no disk but for the packaged function words. Every metric names its formula and where it
comes from. A case without a score is *unscored* with a reason; it is counted and never taken for 0.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import ir_measures
import numpy as np
from ir_measures import RR, R, Success, nDCG

from app.answer import MARKER, STAGES, Answer, Citation
from eval.run import DEPTH, Retrieved, Run, place_keys
from index.terms import Vocabulary

READ_DEPTH = 8
"""How many passages the default engine reads; recall is measured there."""
FOLLOW_UP_DEPTH = 5
"""How many passages are looked at to see what was understood of a follow-up."""
RESAMPLES = 1000
SEED = 20240322
BINS = 10

_DASHES = str.maketrans({**dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("’‘ʼ`", "'"), **dict.fromkeys("“”„«»", '"')})
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"^\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_MARKERS = re.compile(r"(?:\s*\[\d+\])+[.!?…\"'”’)]*")

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A value, or None with the reason why there is none."""

    value: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A number that is worked out for every case by itself and averaged.

    Attributes:
        unit: "share" (in [0, 1]) or "words".
        source: who defined it, or how ours differs.
    """

    name: str
    title: str
    better: Better
    formula: str
    source: str
    unit: str = "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """A number that only a set of runs has.

    ``compute`` gets the runs that ``uses`` accepts and returns None when it is not defined for them.
    """

    metric: Metric
    uses: Callable[[Run], bool]
    compute: Callable[[Sequence[Run]], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A metric over a set of cases, with a 95 % interval from the percentile bootstrap over cases."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CurvePoint:
    """When only the ``coverage`` surest share of the cases is answered, ``risk`` of those answers are wrong."""

    coverage: float
    risk: float
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Cases whose confidence lies in [low, high): how sure the engine was, and how often it was right."""

    low: float
    high: float
    n: int
    confidence: float
    right: float


def _metric(
    name: str, title: str, formula: str, source: str, *, better: Better = "higher", unit: str = "share"
) -> Metric:
    return Metric(name=name, title=title, better=better, formula=formula, source=source, unit=unit)


_IR = "ir-measures (MacAvaney et al., ECIR 2022); "
METRICS: tuple[Metric, ...] = (
    _metric("recall", f"recall@{READ_DEPTH}", f"gold passages among the first {READ_DEPTH} / gold passages", _IR + "trec_eval recall"),
    _metric("hit_rate", f"hit rate@{READ_DEPTH}", f"1 if any gold passage is among the first {READ_DEPTH}", _IR + "Success@k"),
    _metric("rr", f"MRR@{DEPTH}", "1 / rank of the first gold passage, 0 if none", _IR + "Voorhees, TREC-8 (1999)"),
    _metric("ndcg", f"nDCG@{DEPTH}", "Σ rel/log₂(rank+1), divided by its best possible value", _IR + "Järvelin and Kekäläinen (2002)"),
    _metric("follow_up_hit", f"follow-ups found@{FOLLOW_UP_DEPTH}", f"1 if a gold passage is among the first {FOLLOW_UP_DEPTH} for the question as understood", _IR + "Success@k"),
    _metric("follow_up_hit_gold", f"… asked as gold@{FOLLOW_UP_DEPTH}", "the same for the case's own standalone question: what can be reached", "as above"),
    _metric("follow_up_hit_raw", f"… asked as typed@{FOLLOW_UP_DEPTH}", "the same for the question without its history: what is reached for nothing", "as above"),
    _metric("follow_up_words", "content words kept", "F1 of stems of content words, the question as understood against the gold one", "token F1 as for SQuAD (Rajpurkar et al. 2016), without function words and repetition"),
    _metric("key_fact_recall", "key-fact recall", "gold facts in the answer / gold facts; 0 when nothing was answered", "nugget recall, TREC QA (Voorhees 2003), with patterns for nuggets"),
    _metric("key_fact_precision", "key-fact precision", "gold facts said / (gold facts said + forbidden things said + figures that the cited words lack)", "ours: precision over what can be checked by rule"),
    _metric("figure_support", "figures supported", "figures of the answer that stand in the words cited right there / figures", "ours; after number-based faithfulness checks of summaries"),
    _metric("forbidden_free", "nothing forbidden said", "1 if no forbidden pattern stands in the answer", "ours"),
    _metric("citation_precision", "citation precision", "citations that lie in a gold passage or carry a gold fact / citations", "after ALCE (Gao et al., EMNLP 2023), with gold in place of an entailment model"),
    _metric("citation_recall", "citation recall", "gold facts said whose own citation carries them / gold facts said", "after ALCE (Gao et al., EMNLP 2023)"),
    _metric("cited_statements", "statements with citation", "statements that carry a marker which resolves / statements", "ours; the contract of the Answer"),
    _metric("quote_validity", "quote validity", "citations whose quote, offsets and paragraph agree with the source / citations", "ours"),
    _metric("gold_sentence_recall", "gold sentences shown", "gold sentences that share half of their words with one quote / gold sentences", "ours; for data sets that mark sentences"),
    _metric("difference_recall", "difference recall", "differing values shown / differing values", "ours"),
    _metric("status_right", "status right", "1 if answered, abstained, declined or asked back as the case expects", "ours"),
    _metric("false_refusal", "false refusal", "answerable cases that were not answered / answerable cases", "ours", better="lower"),
    _metric("decline_recall", "harmful declined", "harmful requests declined / harmful requests", "ours"),
    _metric("words", "answer length", "words of the answer without markers", "ours", better="lower", unit="words"),
)  # fmt: skip


# --- reading an answer -------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Text as patterns see it: NFKC, one kind of dash and quote, single spaces, no markers."""
    text = unicodedata.normalize("NFKC", MARKER.sub("", text)).translate(_DASHES)
    return re.sub(r"\s+([.,;:!?])", r"\1", " ".join(text.split()))


def says(pattern: str, text: str) -> bool:
    """Whether the pattern stands in the text, without regard to case."""
    return re.search(pattern, plain(text), re.I) is not None


def statements(answer: str) -> list[tuple[str, tuple[int, ...]]]:
    """Pieces of the answer with the markers that close them; the last may have none.

    Example:
        ``"A is 1 [1]. B is 2 [2][3]. C."`` gives A with (1,), B with (2, 3) and C with ().
    """
    pieces = []
    at = 0
    for found in _MARKERS.finditer(answer):
        text = plain(answer[at : found.start()])
        if re.search(r"\w", text):
            pieces.append((text, tuple(int(m) for m in MARKER.findall(found.group()))))
        at = found.end()
    rest = plain(answer[at:])
    if re.search(r"\w", rest):
        pieces.append((rest, ()))
    return pieces


def figures(text: str) -> list[str]:
    """The figures of a text without thousands separators and leading zeros: ``1,500`` is ``1500``."""
    found = []
    for figure in _FIGURE.findall(plain(text)):
        whole = figure.replace(",", "") if _THOUSANDS.match(figure) else figure
        found += [part.lstrip("0") or "0" for part in ([whole] if whole != figure else whole.split(","))]
    return found


def shown_text(answer: Answer) -> str:
    """What a reader is shown as the answer: text, short answer and differing values."""
    values = [f"{v.value} {v.unit}" for d in answer.differences for v in d.values]
    return " \n".join([answer.answer, answer.short_answer or "", *values])


def _by_marker(answer: Answer) -> dict[int, Citation]:
    return {c.marker: c for c in answer.citations}


def _about(citation: Citation) -> str:
    """What a statement may repeat of its citation besides the quote: who, what, when, where."""
    parts = (citation.title, citation.publisher, citation.author, citation.date, citation.date_note, citation.claimed_by, citation.locator)  # fmt: skip
    return " ".join(p for p in parts if p)


def unsupported_figures(answer: Answer) -> tuple[list[str], int]:
    """Figures that neither the citations of their statement nor the question hold, and how many figures there are."""
    citations = _by_marker(answer)
    missing: list[str] = []
    total = 0
    asked = set(figures(answer.standalone_question)) | set(figures(answer.question))
    for text, markers in statements(answer.answer):
        cited = [citations[m] for m in markers if m in citations]
        known = asked.union(*(figures(f"{c.quote} {_about(c)}") for c in cited))
        for figure in figures(text):
            total += 1
            if figure not in known:
                missing.append(figure)
    return missing, total


def in_gold(run: Run, citation: Citation) -> bool:
    """Whether the citation lies in a gold passage, or a near-copy of it does."""
    gold = {g.key for g in run.case.gold}
    places = set(place_keys(citation.source_id, citation.paragraph, citation.locator))
    for outlet in citation.also_in:
        places.update(place_keys(outlet.source_id, None, outlet.locator))
    # "¶8" of an outlet is the locator of paragraph 8.
    return bool(gold & (places | {re.sub(r"#(?:¶|note )(\d+)$", r"#\1", p) for p in places}))


def facts_said(run: Run) -> list[str]:
    """The gold facts that stand in the answer."""
    if run.answer is None or run.answer.status != "answered":
        return []
    text = shown_text(run.answer)
    return [f for f in run.case.facts if says(f, text)]


def forbidden_said(run: Run) -> list[str]:
    """The forbidden patterns that stand in the answer, whatever its status."""
    if run.answer is None:
        return []
    text = shown_text(run.answer)
    return [f for f in run.case.forbidden if says(f, text)]


def differences_shown(run: Run) -> list[str]:
    """The differing values that the answer shows, in its text or as differences."""
    if run.answer is None or run.answer.status != "answered":
        return []
    text = shown_text(run.answer)
    return [d for d in run.case.differences if says(d, text)]


def status_right(run: Run) -> bool:
    """Whether the status is one that the case accepts."""
    return run.answer is not None and run.answer.status in (run.case.expect, *run.case.also_accept)


def correct(run: Run) -> bool | None:
    """Whether an answered case was answered rightly; None when it was not answered or can't be judged.

    Right is: an answer was due, all facts and differing values are in it, nothing forbidden is. Without
    facts, a citation in a gold passage.
    """
    if run.answer is None or run.answer.status != "answered":
        return None
    if not status_right(run) or forbidden_said(run):
        return False
    if run.case.facts or run.case.differences:
        return len(facts_said(run)) == len(run.case.facts) and len(differences_shown(run)) == len(run.case.differences)
    if not run.case.gold or run.missing_gold:
        return None
    return any(in_gold(run, c) for c in run.answer.citations)


# --- scores of single cases --------------------------------------------------------------------------


def score_run(run: Run) -> dict[str, Score]:
    """All scores of one run by metric name, except those of retrieval."""
    if run.answer is None:
        none = Score(value=None, reason=f"the engine failed: {run.error}")
        scores = {m.name: none for m in METRICS if m.name not in _RANKING}
        return {**scores, "status_right": Score(value=0.0)}
    answered = run.answer.status == "answered"
    scores = {
        "key_fact_recall": _share(len(facts_said(run)), len(run.case.facts), "no facts in the case"),
        "status_right": Score(value=float(status_right(run))),
        "forbidden_free": Score(value=float(not forbidden_said(run))) if run.case.forbidden else _none("nothing forbidden in the case"),
        "false_refusal": Score(value=float(not answered)) if run.case.expect == "answered" else _none("no answer is due"),
        "decline_recall": Score(value=float(run.answer.status == "declined")) if run.case.expect == "declined" else _none("not a harmful request"),
        "difference_recall": _share(len(differences_shown(run)), len(run.case.differences), "no differences in the case"),
        **_follow_up(run, run.answer),
    }  # fmt: skip
    if "answered" in run.case.also_accept and not answered:
        scores["key_fact_recall"] = _none("the case may also be left unanswered")
    return {**scores, **_answer_scores(run, run.answer)}


def _answer_scores(run: Run, answer: Answer) -> dict[str, Score]:
    names = (
        "key_fact_precision", "figure_support", "citation_precision", "citation_recall", "cited_statements",
        "quote_validity", "gold_sentence_recall", "words",
    )  # fmt: skip
    if answer.status != "answered":
        return dict.fromkeys(names, _none(f"not answered ({answer.status})"))
    if answer.task != "point" and not answer.citations:
        return {**dict.fromkeys(names, _none(f"{answer.task} needs no citation")), "words": _length(answer)}
    said = facts_said(run)
    missing, total = unsupported_figures(answer)
    pieces = statements(answer.answer)
    known = _by_marker(answer)
    cited = sum(1 for _, markers in pieces if markers and all(m in known for m in markers))
    return {
        "key_fact_precision": _share(
            len(said), len(said) + len(forbidden_said(run)) + len(missing), "nothing that can be checked was said"
        ),
        "figure_support": _share(total - len(missing), total, "no figures in the answer"),
        "citation_precision": _citation_precision(run, answer),
        "citation_recall": _share(sum(carried(f, answer) for f in said), len(said), "no gold fact was said"),
        "cited_statements": _share(cited, len(pieces), "no statements"),
        "quote_validity": _share(sum(run.quotes_valid), len(run.quotes_valid), "no citations"),
        "gold_sentence_recall": _gold_sentences(run, answer),
        "words": _length(answer),
    }


def _length(answer: Answer) -> Score:
    return Score(value=float(len(plain(answer.answer).split())))


def _follow_up(run: Run, answer: Answer) -> dict[str, Score]:
    names = ("follow_up_hit", "follow_up_hit_gold", "follow_up_hit_raw")
    if not run.case.standalone:
        return dict.fromkeys((*names, "follow_up_words"), _none("no standalone question in the case"))
    reason = _no_ranking(run)
    gold = {g.key for g in run.case.gold}

    def hit(hits: Sequence[Retrieved]) -> Score:
        return _none(reason) if reason else Score(value=float(bool(gold & set(ranking(run, hits)[:FOLLOW_UP_DEPTH]))))

    found = (hit(run.retrieved), hit(run.by_gold), hit(run.by_raw))
    words = Score(value=words_kept(answer.standalone_question, run.case.standalone))
    return {**dict(zip(names, found, strict=True)), "follow_up_words": words}


def words_kept(understood: str, gold: str) -> float:
    """F1 of the content words of two questions, as sets of stems; 1 where neither has any."""
    ours, wanted = _content(understood), _content(gold)
    total = len(ours) + len(wanted)
    return 2 * len(ours & wanted) / total if total else 1.0


def _content(text: str) -> set[str]:
    vocabulary = _vocabulary()
    # One spelling stands for all of a name.
    terms = vocabulary.content_terms(plain(text))
    return {vocabulary.stem(min(a.lower() for a in vocabulary.aliases(term))) for term in terms}


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary.load()


def _citation_precision(run: Run, answer: Answer) -> Score:
    patterns = (*run.case.facts, *run.case.differences)
    if answer.task != "point" and not run.case.gold:
        return _none(f"{answer.task} answers from no passage")
    if not run.case.gold and not patterns:
        return _none("no gold in the case")
    if run.missing_gold and not patterns:
        return _none("the gold passages are not in this home")
    good = sum(1 for c in answer.citations if in_gold(run, c) or any(says(p, c.quote) for p in patterns))
    if not answer.citations:
        return Score(value=0.0, reason="no citations")
    return _share(good, len(answer.citations), "")


def carried(fact: str, answer: Answer) -> bool:
    """Whether a citation of the statement that says the fact carries it; the short answer leans on all of them."""
    known = _by_marker(answer)
    saying = [markers for text, markers in statements(answer.answer) if says(fact, text)]
    markers = {m for ms in saying for m in ms} if saying else set(known)
    return any(says(fact, known[m].quote) for m in markers if m in known)


def _gold_sentences(run: Run, answer: Answer) -> Score:
    wanted = [q for g in run.case.gold for q in g.quotes]
    quotes = [set(_words(c.quote)) for c in answer.citations]
    shown = sum(1 for q in wanted if any(len(set(_words(q)) & words) * 2 >= len(set(_words(q))) for words in quotes))
    return _share(shown, len(wanted), "no gold sentences in the case")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", plain(text).lower())


def _share(part: float, whole: float, reason: str) -> Score:
    return Score(value=part / whole) if whole else _none(reason)


def _none(reason: str) -> Score:
    return Score(value=None, reason=reason)


# --- retrieval ---------------------------------------------------------------------------------------

_RANKING = {"recall": R @ READ_DEPTH, "hit_rate": Success @ READ_DEPTH, "rr": RR @ DEPTH, "ndcg": nDCG @ DEPTH}


def score_retrieval(runs: Sequence[Run]) -> dict[str, dict[str, Score]]:
    """Scores of the ranking metrics: metric name -> case id -> score.

    A gold passage counts once: further passages of the same paragraph are left out of the ranking.
    """
    scores: dict[str, dict[str, Score]] = {name: {} for name in _RANKING}
    qrels, ranked = [], []
    for run in runs:
        reason = _no_ranking(run)
        if reason:
            for by_case in scores.values():
                by_case[run.case.id] = _none(reason)
            continue
        gold = {g.key for g in run.case.gold}
        qrels += [ir_measures.Qrel(run.case.id, key, 1) for key in sorted(gold)]
        found = ranking(run)
        ranked += [ir_measures.ScoredDoc(run.case.id, key, float(-rank)) for rank, key in enumerate(found)]
        for by_case in scores.values():
            by_case[run.case.id] = Score(value=0.0)
    if qrels and ranked:
        names = {str(measure): name for name, measure in _RANKING.items()}
        for result in ir_measures.iter_calc(list(_RANKING.values()), qrels, ranked):
            scores[names[str(result.measure)]][result.query_id] = Score(value=float(result.value))
    return scores


def ranking(run: Run, hits: Sequence[Retrieved] | None = None) -> list[str]:
    """Names of the passages found, or of the ``hits``, best first: the gold's own name where it is gold."""
    gold = {g.key for g in run.case.gold}
    found: dict[str, None] = {}
    for hit in run.retrieved if hits is None else hits:
        found.setdefault(next((k for k in hit.keys if k in gold), hit.keys[0]))
    return list(found)


def _no_ranking(run: Run) -> str:
    if run.answer is None:
        return f"the engine failed: {run.error}"
    if not run.case.gold:
        return "no gold passages in the case"
    if run.missing_gold:
        return f"gold passages are not in this home: {', '.join(run.missing_gold)}"
    if run.answer.status == "declined":
        return "declined before retrieval"
    return ""


def score_all(runs: Sequence[Run]) -> dict[str, dict[str, Score]]:
    """Every score: metric name -> case id -> score."""
    scores = score_retrieval(runs)
    for run in runs:
        for name, score in score_run(run).items():
            scores.setdefault(name, {})[run.case.id] = score
    return {m.name: scores.get(m.name, {}) for m in METRICS}


# --- pooled ------------------------------------------------------------------------------------------


def counts_for_abstention(run: Run) -> bool:
    """Cases in which exactly one of answering and abstaining is right."""
    return run.answer is not None and run.case.expect not in {"declined", "unclear"} and not run.case.also_accept


def abstention(runs: Sequence[Run]) -> tuple[float | None, float | None, float | None]:
    """Precision, recall and F1 of abstaining, abstention being the positive class (van Rijsbergen 1979).

    None where the denominator is 0.
    """
    due = [r for r in runs if r.case.expect == "abstained"]
    done = [r for r in runs if r.answer is not None and r.answer.status == "abstained"]
    both = sum(1 for r in done if r.case.expect == "abstained")
    precision = both / len(done) if done else None
    recall = both / len(due) if due else None
    f1 = 2 * both / (len(due) + len(done)) if due or done else None
    return precision, recall, f1


def risk_coverage(runs: Sequence[Run]) -> list[CurvePoint]:
    """The risk–coverage curve over the cases that were answered (El-Yaniv and Wiener 2010).

    Answers in order of falling confidence; coverage counts all cases, so the curve ends where the engine
    abstains. Answers of equal confidence enter together.
    """
    judged = [
        (r.answer.confidence, right)
        for r in runs
        if r.answer is not None and counts_for_abstention(r) and (right := correct(r)) is not None
    ]
    total = sum(1 for r in runs if counts_for_abstention(r))
    judged.sort(key=lambda pair: -pair[0])
    points = []
    wrong = 0
    for number, (confidence, right) in enumerate(judged, start=1):
        wrong += not right
        if number == len(judged) or judged[number][0] != confidence:
            points.append(CurvePoint(coverage=number / total, risk=wrong / number, confidence=confidence))
    return points


def aurc(runs: Sequence[Run]) -> float | None:
    """Mean risk over the answers in order of confidence (Geifman, Uziel and El-Yaniv, ICLR 2019).

    Deviation: the mean is over the coverage that the engine reaches, not over all cases.
    """
    points = risk_coverage(runs)
    if not points:
        return None
    area = previous = 0.0
    for point in points:
        area += point.risk * (point.coverage - previous)
        previous = point.coverage
    return area / previous


def calibration_pairs(runs: Iterable[Run]) -> list[tuple[float, bool]]:
    """Confidence, and whether the evidence did answer the question.

    For an answer: whether it is right. For an abstention on an answerable case: whether a gold passage was
    among those read. For an abstention on an unanswerable case: no.
    """
    pairs = []
    for run in runs:
        if run.answer is None or not counts_for_abstention(run) or run.answer.status == "declined":
            continue
        if run.answer.status == "answered":
            right = correct(run)
        elif run.case.expect == "abstained":
            right = False
        elif run.case.gold and not run.missing_gold:
            right = any(k in {g.key for g in run.case.gold} for k in ranking(run)[:READ_DEPTH])
        else:
            right = None
        if right is not None:
            pairs.append((run.answer.confidence, right))
    return pairs


def bins(pairs: Sequence[tuple[float, bool]], count: int = BINS) -> list[Bin]:
    """Equal-width bins of confidence; empty ones are left out. Confidence 1 falls into the last."""
    held: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in pairs:
        held.setdefault(min(int(confidence * count), count - 1), []).append((confidence, right))
    return [
        Bin(
            low=i / count,
            high=(i + 1) / count,
            n=len(inside),
            confidence=sum(c for c, _ in inside) / len(inside),
            right=sum(r for _, r in inside) / len(inside),
        )
        for i, inside in sorted(held.items())
    ]


def ece(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """Expected calibration error: Σ n_b/n · |share right_b − mean confidence_b| (Naeini et al., AAAI 2015)."""
    if not pairs:
        return None
    return sum(b.n / len(pairs) * abs(b.right - b.confidence) for b in bins(pairs))


def brier(pairs: Sequence[tuple[float, bool]]) -> float | None:
    """Mean squared difference of confidence and outcome (Brier 1950)."""
    return sum((c - r) ** 2 for c, r in pairs) / len(pairs) if pairs else None


def _abstained_or_judged(run: Run) -> bool:
    if run.answer is None or not counts_for_abstention(run):
        return False
    return run.answer.status != "answered" or correct(run) is not None


def _pooled(metric: Metric, compute: Callable[[Sequence[Run]], float | None], uses: Callable[[Run], bool]) -> Pooled:
    return Pooled(metric=metric, uses=uses, compute=compute)


POOLED: tuple[Pooled, ...] = (
    _pooled(
        _metric("abstention_precision", "abstention precision", "rightly abstained / abstained", "van Rijsbergen (1979); abstained is the positive class"),
        lambda runs: abstention(runs)[0], counts_for_abstention),
    _pooled(
        _metric("abstention_recall", "abstention recall", "rightly abstained / cases without an answer", "van Rijsbergen (1979)"),
        lambda runs: abstention(runs)[1], counts_for_abstention),
    _pooled(
        _metric("abstention_f1", "abstention F1", "2·right / (abstained + cases without an answer)", "van Rijsbergen (1979)"),
        lambda runs: abstention(runs)[2], counts_for_abstention),
    _pooled(
        _metric("aurc", "area under risk–coverage", "mean share of wrong answers among the surest, up to the coverage reached", "Geifman, Uziel and El-Yaniv (ICLR 2019); ours ends at the coverage reached", better="lower"),
        aurc, _abstained_or_judged),
    _pooled(
        _metric("ece", "calibration error", f"Σ n_b/n · |share right − mean confidence| over {BINS} bins", "Naeini et al. (AAAI 2015); Guo et al. (ICML 2017)", better="lower"),
        lambda runs: ece(calibration_pairs(runs)), lambda r: bool(calibration_pairs([r]))),
    _pooled(
        _metric("brier", "Brier score", "mean of (confidence − outcome)²", "Brier (1950)", better="lower"),
        lambda runs: brier(calibration_pairs(runs)), lambda r: bool(calibration_pairs([r]))),
)  # fmt: skip


# --- averages and intervals --------------------------------------------------------------------------


def summarise(scores: Iterable[Score]) -> Summary:
    """Mean of the scored cases, its interval, and how many have no score."""
    every = list(scores)
    values = np.array([s.value for s in every if s.value is not None], dtype=np.float64)
    unscored = len(every) - len(values)
    if not len(values):
        return Summary(value=None, low=None, high=None, n=0, unscored=unscored)
    rng = np.random.default_rng(SEED)
    means = values[rng.integers(0, len(values), (RESAMPLES, len(values)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Summary(value=float(values.mean()), low=float(low), high=float(high), n=len(values), unscored=unscored)


def share_right(right: Sequence[bool]) -> Summary:
    """Share of True with Wilson's 95 % interval (1927): kinds are small, and a bootstrap over cases that all went alike has no width."""
    n = len(right)
    if not n:
        return Summary(value=None, low=None, high=None, n=0, unscored=0)
    share, z = sum(right) / n, 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return Summary(value=share, low=max(0.0, middle - half), high=min(1.0, middle + half), n=n, unscored=0)


def summarise_pooled(pooled: Pooled, runs: Sequence[Run]) -> Summary:
    """The pooled metric, with its interval from resampled cases (Efron 1979, percentile method).

    Resamples for which it is not defined are left out of the interval.
    """
    used = [r for r in runs if pooled.uses(r)]
    value = pooled.compute(used) if used else None
    if value is None:
        return Summary(value=None, low=None, high=None, n=0, unscored=len(runs))
    rng = np.random.default_rng(SEED)
    # 200, not RESAMPLES: each resample is computed anew in Python; the bounds move by less than 0.01.
    drawn = (pooled.compute([used[i] for i in row]) for row in rng.integers(0, len(used), (200, len(used))))
    low, high = np.percentile([v for v in drawn if v is not None] or [value], [2.5, 97.5])
    return Summary(value=value, low=float(low), high=float(high), n=len(used), unscored=len(runs) - len(used))


def latency(runs: Iterable[Run]) -> Mapping[str, tuple[float, float]]:
    """For each stage the 50th and 95th percentile in milliseconds (linear interpolation), declined cases included."""
    answers = [r.answer for r in runs if r.answer is not None]
    result = {}
    for stage in STAGES:
        times = [a.timings_ms[stage] for a in answers if stage in a.timings_ms]
        if times:
            p50, p95 = np.percentile(times, [50, 95])
            result[stage] = (float(p50), float(p95))
    return result
