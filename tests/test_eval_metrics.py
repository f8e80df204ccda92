"""Metrics against fractions written out by hand and against scikit-learn; broken engines against the metric meant for them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from app.answer import Answer, Citation, Difference, Status, Value
from app.errors import BadInput
from eval.cases import Case, Gold
from eval.metrics import (
    POOLED,
    Score,
    abstention,
    aurc,
    bins,
    brier,
    calibration_pairs,
    correct,
    ece,
    figures,
    latency,
    plain,
    ranking,
    risk_coverage,
    says,
    score_all,
    share_right,
    statements,
    summarise,
    summarise_pooled,
    words_kept,
)
from eval.report import Report, make_header, make_report, verdict
from eval.run import Retrieved, Run, run_cases
from ingest.blocks import assemble
from ingest.formats import markdown
from ingest.source import Source

BOOK = assemble(
    "book",
    markdown.read(
        "# Book\n\nThe fair had 340 visitors.\n\nIt rained on all of the days.\n\n"
        "The mayor, Ann Hill, opened the fair in 2019.\n\nOne paper counted 90 dead, another 120 dead.\n"
    ),
)


def case(name: str, **fields: object) -> Case:
    return Case.model_validate({"id": name, "split": "dev", "kind": "fact", "question": f"What of {name}?", **fields})


VISITORS = case("visitors", gold=[{"source": "book", "paragraph": 1}], facts=["340"])
MAYOR = case("mayor", gold=[{"source": "book", "paragraph": 3}], facts=["Ann Hill", "2019"], forbidden=["Bob"])
DEAD = case("dead", gold=[{"source": "book", "paragraph": 4}], differences=[r"\b90\b", r"\b120\b"])
WEATHER = case("moon", expect="abstained", kind="near-miss")
HARM = case("harm", expect="declined", kind="harmful")
CASES = [VISITORS, MAYOR, DEAD, WEATHER, HARM]


def citation(paragraph: int, marker: int = 1, **changes: object) -> Citation:
    block = next(p for p in BOOK.paragraphs if p.number == paragraph)
    made = Citation(
        marker=marker, passage_id=f"p{paragraph}", source_id="book", title="Book", publisher=None, author=None, date=None,
        date_note=None, url=None, genre="notes", origin="file", fetched_at=None, locator=block.locator,
        paragraph=paragraph, quote=BOOK.text[block.start : block.end], start=block.start, end=block.end, support=1.0,
        claim_status=None, claimed_by=None,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def answer(asked: Case, status: Status, text: str, *citations: Citation, confidence: float = 0.9) -> Answer:
    return Answer(
        question=asked.question, standalone_question=asked.question, status=status, answer=text, citations=citations,
        confidence=confidence, index_id="gen-1", prompt_id="test", timings_ms={"total": 10.0},
    )  # fmt: skip


class Good:
    """Answers every case rightly; the broken engines below differ in one thing each."""

    def answer(self, asked: Case) -> Answer:
        if asked.expect == "declined":
            return answer(asked, "declined", "No.")
        if asked.expect == "abstained":
            return answer(asked, "abstained", "The sources do not answer this.", confidence=0.1)
        paragraph = asked.gold[0].paragraph or 0
        quote = citation(paragraph)
        return answer(asked, "answered", re.sub(r"\.$", " [1].", quote.quote), quote)

    def retrieve(self, question: str, asked: Case) -> Sequence[Retrieved]:
        return [Retrieved(rank=i, score=1 / i, keys=(f"book#{n}", "book")) for i, n in enumerate((1, 2, 3, 4), start=1)]

    def source(self, source_id: str) -> Source | None:
        return BOOK if source_id == "book" else None


class WrongParagraph(Good):
    """Right words, but the citation points at another paragraph."""

    def answer(self, asked: Case) -> Answer:
        made = super().answer(asked)
        return replace(made, citations=(citation(2),)) if made.citations else made


class WrongNumberOfParagraph(Good):
    """The right quote with a wrong paragraph number beside it."""

    def answer(self, asked: Case) -> Answer:
        made = super().answer(asked)
        return replace(made, citations=tuple(replace(c, paragraph=2) for c in made.citations))


class InventedNumber(Good):
    """Adds a figure that no source has."""

    def answer(self, asked: Case) -> Answer:
        made = super().answer(asked)
        if made.status != "answered":
            return made
        return replace(made, answer=made.answer.replace(" [1]", " and 7,777 of them came by train [1]"))


class AlwaysAnswers(Good):
    def answer(self, asked: Case) -> Answer:
        made = super().answer(asked)
        return made if made.status == "answered" else answer(asked, "answered", "It rained [1].", citation(2))


class AlwaysAbstains(Good):
    def answer(self, asked: Case) -> Answer:
        return answer(asked, "abstained", "The sources do not answer this.", confidence=0.1)


class Fails(Good):
    def answer(self, asked: Case) -> Answer:
        raise BadInput("too long")


def examine(engine: Good) -> Report:
    runs = run_cases(CASES, engine)
    header = make_header(runs, cases="test", split="all", collection="home", corpus={}, settings={}, seconds=1.0)
    return make_report(runs, header)


def test_a_good_engine_gets_full_marks():
    report = examine(Good())
    full = {
        "key_fact_recall", "key_fact_precision", "figure_support", "forbidden_free", "citation_precision",
        "citation_recall", "cited_statements", "quote_validity", "difference_recall", "status_right", "decline_recall",
        "abstention_precision", "abstention_recall", "abstention_f1", "recall", "hit_rate",
    }  # fmt: skip
    assert {n: report.value(n) for n in full} == dict.fromkeys(full, 1.0)
    assert report.value("false_refusal") == 0
    assert {r.verdict for r in report.rows} == {"right"}


@pytest.mark.parametrize(
    ("engine", "metric", "value"),
    [
        (WrongParagraph(), "citation_precision", 0.0),
        (WrongParagraph(), "citation_recall", 0.0),
        (WrongNumberOfParagraph(), "quote_validity", 0.0),
        # figures: 340 and 7777; 2019 and 7777; 90, 120 and 7777 -> (1/2 + 1/2 + 2/3) / 3
        (InventedNumber(), "figure_support", (1 / 2 + 1 / 2 + 2 / 3) / 3),
        # facts / (facts + invented): 1/2, 2/3, 0/1
        (InventedNumber(), "key_fact_precision", (1 / 2 + 2 / 3 + 0) / 3),
        (AlwaysAnswers(), "abstention_recall", 0.0),
        (AlwaysAnswers(), "decline_recall", 0.0),
        (AlwaysAbstains(), "false_refusal", 1.0),
        (AlwaysAbstains(), "abstention_precision", 1 / 4),
        (AlwaysAbstains(), "key_fact_recall", 0.0),
        (Fails(), "status_right", 0.0),
    ],
    ids=lambda v: type(v).__name__ if isinstance(v, Good) else str(v),
)
def test_a_broken_engine_is_caught_by_the_metric_meant_for_it(engine: Good, metric: str, value: float):
    assert examine(engine).value(metric) == pytest.approx(value)


def test_what_a_broken_engine_does_right_is_not_held_against_it():
    assert examine(WrongParagraph()).value("quote_validity") == 1
    assert examine(WrongParagraph()).value("key_fact_recall") == 1
    assert examine(InventedNumber()).value("citation_precision") == 1
    assert examine(AlwaysAnswers()).value("false_refusal") == 0
    assert examine(AlwaysAbstains()).value("abstention_recall") == 1


def test_verdicts_say_what_was_wrong():
    words = {r.id: r.verdict for r in examine(AlwaysAnswers()).rows}
    assert words["moon"] == "false answer"
    assert words["harm"] == "not declined"
    assert {r.verdict for r in examine(AlwaysAbstains()).rows if r.id in {"visitors", "mayor"}} == {"false refusal"}
    assert {r.verdict for r in examine(Fails()).rows} == {"failed"}
    assert examine(Fails()).rows[0].why == ("too long",)
    forbidden = run_of(MAYOR, answer(MAYOR, "answered", "Ann Hill and Bob, 2019 [1].", citation(3)))
    assert verdict(forbidden) == ("wrong", ("forbidden: Bob",))


# --- reading answers ---


def run_of(asked: Case, given: Answer | None, *keys: str) -> Run:
    return Run(
        case=asked, answer=given, quotes_valid=(True,) * len(given.citations if given else ()),
        retrieved=tuple(Retrieved(rank=i, score=1 / i, keys=(k,)) for i, k in enumerate(keys, start=1)),
    )  # fmt: skip


def test_patterns_do_not_care_about_dashes_quotes_spaces_case_or_markers():
    assert plain("1,500–2,200\u00a0 fighters [1].") == "1,500-2,200 fighters."
    assert says(r"1,?500 ?(-|to) ?2,?200", "1500 — 2200")
    assert says('it\'s "so"', "It’s “SO”")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A is 1 [1]. B is 2 [2][3]. C.", [("A is 1", (1,)), ("B is 2", (2, 3)), ("C.", ())]),
        ("One. Two [1].", [("One. Two", (1,))]),
        ("[1].", []),
        ("", []),
    ],
)
def test_statements_are_closed_by_their_markers(text: str, expected: list[tuple[str, tuple[int, ...]]]):
    assert statements(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,500–2,200", ["1500", "2200"]),
        ("3.3 million, 40%", ["3.3", "40"]),
        ("2024-01-09", ["2024", "1", "9"]),
        ("none", []),
        ("2,3,4", ["2", "3", "4"]),
    ],
)
def test_figures_are_compared_without_separators(text: str, expected: list[str]):
    assert figures(text) == expected


def test_a_figure_must_stand_in_the_citation_of_its_own_statement():
    crossed = answer(
        MAYOR, "answered", "Ann Hill opened it in 2019 [1]. It had 340 visitors [2].", citation(1), citation(3, 2)
    )
    assert score_all([run_of(MAYOR, crossed)])["figure_support"]["mayor"].value == 0
    right = replace(crossed, citations=(citation(3), citation(1, 2)))
    assert score_all([run_of(MAYOR, right)])["figure_support"]["mayor"].value == 1


def test_citation_recall_asks_the_citation_of_the_statement_that_says_the_fact():
    # 2 facts said in one statement; its citation carries both only where it is paragraph 3.
    crossed = answer(MAYOR, "answered", "Ann Hill, 2019 [1]. Rain [2].", citation(2), citation(3, 2))
    scores = score_all([run_of(MAYOR, crossed)])
    assert scores["citation_recall"]["mayor"].value == 0
    assert scores["citation_precision"]["mayor"].value == 1 / 2


def test_uncited_statements_are_counted():
    half = answer(MAYOR, "answered", "Ann Hill opened it [1]. It was fun.", citation(3))
    assert score_all([run_of(MAYOR, half)])["cited_statements"]["mayor"].value == 1 / 2
    unresolved = answer(MAYOR, "answered", "Ann Hill [2].", citation(3))
    assert score_all([run_of(MAYOR, unresolved)])["cited_statements"]["mayor"].value == 0


def test_differences_count_as_shown_in_text_or_as_values():
    text = answer(DEAD, "answered", "Between 90 and 120 [1].", citation(4))
    assert correct(run_of(DEAD, text)) is True
    values = (Value(value="90", unit="dead", date=None, marker=1), Value(value="120", unit="dead", date=None, marker=1))
    listed = replace(
        answer(DEAD, "answered", "They differ [1].", citation(4)),
        differences=(Difference(about="dead", values=values),),
    )
    assert score_all([run_of(DEAD, listed)])["difference_recall"]["dead"].value == 1
    one = answer(DEAD, "answered", "It was 90 [1].", citation(4))
    assert score_all([run_of(DEAD, one)])["difference_recall"]["dead"].value == 1 / 2


def test_a_case_that_accepts_both_is_right_either_way_but_not_when_the_correction_is_missing():
    both = case(
        "trap",
        expect="abstained",
        also_accept=["answered"],
        facts=["rained"],
        gold=[{"source": "book", "paragraph": 2}],
    )
    assert verdict(run_of(both, answer(both, "abstained", "No.")))[0] == "right"
    assert verdict(run_of(both, answer(both, "answered", "It rained [1].", citation(2))))[0] == "right"
    assert verdict(run_of(both, answer(both, "answered", "It snowed [1].", citation(2))))[0] == "wrong"
    assert score_all([run_of(both, answer(both, "abstained", "No."))])["key_fact_recall"]["trap"].value is None


# --- ranking ---


def ranked(gold: Sequence[str], found: Sequence[str]) -> dict[str, float | None]:
    golds = tuple(Gold(source=g) for g in gold)
    asked = VISITORS.model_copy(update={"gold": golds})
    run = run_of(asked, answer(asked, "answered", "340 [1].", citation(1)), *found)
    return {name: scores["visitors"].value for name, scores in score_all([run]).items()}


def test_ranking_metrics_by_hand():
    got = ranked(["a", "b"], ["x", "a", "y", "b"])
    assert got["recall"] == 2 / 2
    assert got["hit_rate"] == 1
    assert got["rr"] == pytest.approx(1 / 2)
    # gains at ranks 2 and 4, against the best possible at ranks 1 and 2
    best = 1 / math.log2(2) + 1 / math.log2(3)
    assert got["ndcg"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / best)


def test_recall_stops_at_eight_and_the_reciprocal_rank_at_ten():
    found = [f"x{i}" for i in range(8)]
    assert ranked(["a", "b"], ["b", *found[:7], "a"])["recall"] == 1 / 2
    assert ranked(["a"], [*found, "a"])["hit_rate"] == 0
    assert ranked(["a"], [*found, "a"])["rr"] == pytest.approx(1 / 9)
    assert ranked(["a"], [])["recall"] == 0


def test_ranking_agrees_with_an_independent_implementation():
    sklearn = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(7)
    for _ in range(50):
        found = [f"d{i}" for i in rng.permutation(12)[:10]]
        gold = [f"d{i}" for i in rng.permutation(10)[: rng.integers(1, 5)]]
        got = ranked(gold, found)
        # All that was not found ranks last.
        every = [*found, *(g for g in gold if g not in found)]
        truth = np.array([[float(d in gold) for d in every]])
        given = np.array([[float(10 - i) if i < 10 else -1.0 - i for i in range(len(every))]])
        assert got["ndcg"] == pytest.approx(sklearn.ndcg_score(truth, given, k=10))
        assert got["recall"] == pytest.approx(sum(d in gold for d in found[:8]) / len(gold))
        first = next((i for i, d in enumerate(found, start=1) if d in gold), None)
        assert got["rr"] == pytest.approx(1 / first if first else 0)


def test_a_gold_passage_counts_once_and_through_its_copies():
    run = replace(
        run_of(VISITORS, answer(VISITORS, "answered", "340 [1].", citation(1))),
        retrieved=(
            Retrieved(rank=1, score=3, keys=("other#1", "book#1")),
            Retrieved(rank=2, score=2, keys=("book#1",)),
            Retrieved(rank=3, score=1, keys=("book#2",)),
        ),
    )
    assert ranking(run) == ["book#1", "book#2"]


def test_gold_that_is_not_in_the_home_is_unscored_not_missed():
    gone = case("gone", gold=[{"source": "nowhere", "paragraph": 1}], facts=["x"])

    class Elsewhere(Good):
        def answer(self, asked: Case) -> Answer:
            return answer(asked, "abstained", "No.")

    scores = score_all(run_cases([gone], Elsewhere()))
    assert scores["recall"]["gone"] == Score(value=None, reason="gold passages are not in this home: nowhere#1")


# --- pooled ---


def mixed(seed: int, n: int = 40) -> list[Run]:
    rng = np.random.default_rng(seed)
    runs = []
    for i in range(n):
        asked = (VISITORS if rng.random() < 0.6 else WEATHER).model_copy(update={"id": f"c{i}"})
        confidence = float(rng.random())
        if rng.random() < 0.6:
            text = "There were 340 [1]." if rng.random() < 0.7 else "It rained [1]."
            runs.append(run_of(asked, answer(asked, "answered", text, citation(1), confidence=confidence)))
        else:
            runs.append(run_of(asked, answer(asked, "abstained", "No.", confidence=confidence), "book#1"))
    return runs


def test_abstention_by_hand():
    # due: 1 of 4 cases; done: 2, of which 1 rightly -> P 1/2, R 1/1, F1 2/3
    runs = [
        run_of(VISITORS, answer(VISITORS, "answered", "340 [1].", citation(1))),
        run_of(MAYOR, answer(MAYOR, "abstained", "No.")),
        run_of(WEATHER, answer(WEATHER, "abstained", "No.")),
        run_of(DEAD, answer(DEAD, "answered", "90 or 120 [1].", citation(4))),
    ]
    assert abstention(runs) == (1 / 2, 1.0, pytest.approx(2 / 3))
    assert abstention([]) == (None, None, None)


def test_abstention_agrees_with_scikit_learn():
    sklearn = pytest.importorskip("sklearn.metrics")
    for seed in range(10):
        runs = mixed(seed)
        due = [r.case.expect == "abstained" for r in runs]
        done = [r.answer is not None and r.answer.status == "abstained" for r in runs]
        precision, recall, f1, _ = sklearn.precision_recall_fscore_support(due, done, average="binary")
        assert abstention(runs) == (pytest.approx(precision), pytest.approx(recall), pytest.approx(f1))


def test_the_risk_coverage_curve_by_hand():
    wrong, right = "It rained [1].", "There were 340 [1]."
    asked = [VISITORS.model_copy(update={"id": f"c{i}"}) for i in range(4)]
    runs = [
        run_of(asked[0], answer(asked[0], "answered", right, citation(1), confidence=0.9)),
        run_of(asked[1], answer(asked[1], "answered", wrong, citation(1), confidence=0.8)),
        run_of(asked[2], answer(asked[2], "answered", right, citation(1), confidence=0.7)),
        run_of(asked[3], answer(asked[3], "abstained", "No.", confidence=0.1), "book#1"),
    ]
    points = [(p.coverage, p.risk) for p in risk_coverage(runs)]
    assert points == [(1 / 4, 0), (2 / 4, 1 / 2), (3 / 4, pytest.approx(1 / 3))]
    assert aurc(runs) == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)
    assert aurc(runs[3:]) is None


def test_answers_of_equal_confidence_enter_the_curve_together():
    runs = [
        run_of(c, answer(c, "answered", text, citation(1), confidence=0.5))
        for c, text in ((VISITORS, "It rained [1]."), (VISITORS.model_copy(update={"id": "b"}), "340 [1]."))
    ]
    assert [(p.coverage, p.risk) for p in risk_coverage(runs)] == [(1.0, 0.5)]


def test_calibration_by_hand():
    # bin 0.9–1.0: confidence .95, right 1/2; bin 0.1–0.2: confidence .1, right 0
    pairs = [(0.95, True), (0.95, False), (0.1, False), (0.1, False)]
    assert ece(pairs) == pytest.approx(2 / 4 * abs(0.5 - 0.95) + 2 / 4 * 0.1)
    assert [(b.low, b.n) for b in bins(pairs)] == [(0.1, 2), (0.9, 2)]
    assert bins([(1.0, True)])[0].high == 1.0
    assert ece([]) is None
    assert brier([]) is None


def test_brier_and_bins_agree_with_scikit_learn():
    sklearn = pytest.importorskip("sklearn")
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss

    assert sklearn
    pairs = calibration_pairs(mixed(3, 200))
    confidence, right = np.array([c for c, _ in pairs]), np.array([r for _, r in pairs])
    assert brier(pairs) == pytest.approx(brier_score_loss(right, confidence))
    share, mean = calibration_curve(right, confidence, n_bins=10)
    assert [b.right for b in bins(pairs)] == pytest.approx(list(share))
    assert [b.confidence for b in bins(pairs)] == pytest.approx(list(mean))


def test_confidence_of_an_abstention_is_held_against_what_was_retrieved():
    found = run_of(VISITORS, answer(VISITORS, "abstained", "No.", confidence=0.3), "book#1")
    lost = run_of(VISITORS, answer(VISITORS, "abstained", "No.", confidence=0.3), "book#2")
    absent = run_of(WEATHER, answer(WEATHER, "abstained", "No.", confidence=0.3))
    assert calibration_pairs([found, lost, absent]) == [(0.3, True), (0.3, False), (0.3, False)]


# --- averages ---


def test_unscored_cases_are_counted_and_left_out_of_the_mean():
    summary = summarise([Score(value=1.0), Score(value=0.0), Score(value=None, reason="x")])
    assert (summary.value, summary.n, summary.unscored) == (0.5, 2, 1)
    empty = summarise([Score(value=None)])
    assert (empty.value, empty.low, empty.n, empty.unscored) == (None, None, 0, 1)


def test_the_interval_holds_the_mean_and_narrows_with_more_cases():
    few = summarise([Score(value=float(i % 2)) for i in range(10)])
    many = summarise([Score(value=float(i % 2)) for i in range(1000)])
    for s in (few, many):
        assert s.low is not None and s.high is not None and s.value is not None
        assert s.low <= s.value <= s.high
    assert many.high - many.low < few.high - few.low
    # normal approximation: 1.96 · sqrt(0.25 / 1000) = 0.031
    assert many.high - 0.5 == pytest.approx(0.031, abs=0.005)


def test_wilson_interval_by_hand():
    # n=10, all right: low = (1 + z²/20 - z·sqrt(z²/400)) / (1 + z²/10) = 1 / (1 + 0.38416) = 0.7225
    summary = share_right([True] * 10)
    assert (summary.low, summary.high) == (pytest.approx(0.7225, abs=1e-4), 1.0)
    assert share_right([]).value is None


@pytest.mark.parametrize("pooled", POOLED, ids=lambda p: p.metric.name)
def test_pooled_metrics_have_an_interval_and_are_the_same_every_time(pooled: object):
    summary = summarise_pooled(pooled, mixed(1))  # type: ignore[arg-type]
    assert summary == summarise_pooled(pooled, mixed(1))  # type: ignore[arg-type]
    assert summary.value is not None and summary.low is not None and summary.high is not None
    assert summary.low <= summary.value <= summary.high
    assert summarise_pooled(pooled, []).value is None  # type: ignore[arg-type]


def test_latency_percentiles_are_interpolated():
    def made(ms: float) -> Run:
        return run_of(VISITORS, replace(answer(VISITORS, "abstained", ""), timings_ms={"total": ms}))

    assert latency([made(10), made(20), made(30)])["total"] == (20, pytest.approx(29))
    assert latency([]) == {}


def test_a_follow_up_is_scored_as_understood_as_gold_and_as_typed():
    history = [{"role": "user", "content": "How many visitors had the fair?"}]
    gold = [{"source": "book", "paragraph": 3}]
    asked = case("opener", question="Who opened it?", standalone="Who opened the fair?", history=history, gold=gold, facts=["Ann Hill"])

    class Finds(Good):
        def answer(self, asked: Case) -> Answer:
            found = answer(asked, "answered", "The mayor, Ann Hill, opened the fair in 2019 [1].", citation(3))
            return replace(found, standalone_question="Who opened the fair in spring?")

        def retrieve(self, question: str, asked: Case) -> Sequence[Retrieved]:
            # The right passage comes first for the gold question, fifth as understood and sixth as typed.
            before = {"Who opened the fair?": 0, "Who opened the fair in spring?": 4, "Who opened it?": 5}[question]
            keys = [*(f"other#{i}" for i in range(before)), "book#3"]
            return [Retrieved(rank=i, score=1.0, keys=(k,)) for i, k in enumerate(keys, start=1)]

    scores = score_all(run_cases([asked], Finds()))
    names = ("follow_up_hit_gold", "follow_up_hit", "follow_up_hit_raw", "follow_up_words")
    # open, fair against open, fair, spring: 2 · 2 / 5
    assert [scores[n]["opener"].value for n in names] == [1.0, 1.0, 0.0, 0.8]


def test_a_question_without_history_has_no_score_for_follow_ups():
    found = score_all(run_cases([MAYOR], Good()))["follow_up_hit"]["mayor"]
    assert found.value is None and "no standalone question" in found.reason


def test_content_words_are_counted_once_by_stem_and_without_function_words():
    assert words_kept("Who opened the fairs?", "who opens a fair, a fair") == 1.0
    assert words_kept("Why?", "Who opened the fair?") == 0.0


def test_talk_is_not_asked_for_citations():
    hello = case("hello", kind="talk", facts=["hello"])
    said = replace(answer(hello, "answered", "Hello! I answer from 12 sources."), task="talk")
    scores = score_all([run_of(hello, said)])
    assert {n: scores[n]["hello"].value for n in ("citation_precision", "cited_statements", "figure_support")} == dict.fromkeys(
        ("citation_precision", "cited_statements", "figure_support")
    )
    assert scores["key_fact_recall"]["hello"].value == 1.0
