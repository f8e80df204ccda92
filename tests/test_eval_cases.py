"""The cases: loading with clear messages, and that they fit the sources that they are asked over."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

import ingest
from eval.cases import Case, bundled_cases, load_cases, sample, unique
from eval.errors import EvalError
from eval.formats import DataSet, collection, collection_names
from eval.metrics import says
from eval.run import gold_exists, place_keys
from ingest.blocks import assemble
from ingest.formats import markdown
from ingest.source import Source

CORPUS = Path(ingest.__file__).parent / "corpus"
CASES = bundled_cases()
KINDS = {
    "fact", "number", "who-said", "opinion", "why-how", "multi-part", "across", "difference", "date-bound",
    "follow-up", "keyword", "typo", "near-miss", "far", "false-premise", "harmful", "scary-harmless", "injection",
}  # fmt: skip
COLLECTIONS = [collection(name) for name in collection_names()]
TEST_CASES = [c for d in COLLECTIONS for c in d.cases]
EVERY = [*CASES, *TEST_CASES]
FACT = {"id": "a", "split": "dev", "kind": "fact", "question": "Who?", "facts": ["Ann"]}


@cache
def source(source_id: str) -> Source | None:
    packaged = next((s for d in COLLECTIONS for s in d.sources if s.id == source_id), None)
    if packaged is not None:
        return packaged
    file = CORPUS / f"{source_id}.md"
    return assemble(source_id, markdown.read(file.read_text(encoding="utf-8"))) if file.is_file() else None


def blocks(source_id: str, key: str) -> str:
    found = source(source_id)
    assert found is not None
    return " \n ".join(
        found.text[p.start : p.end] for p in found.paragraphs if key in place_keys(found.id, p.number, p.locator)
    )


def test_there_are_enough_cases_of_every_kind():
    kinds = Counter(c.kind for c in CASES)
    assert len(CASES) >= 160
    assert set(kinds) == KINDS
    assert kinds["near-miss"] >= 40


def test_cases_over_the_bundled_sources_are_for_tuning_only():
    assert {c.split for c in CASES} == {"dev"}


def test_the_test_cases_are_over_texts_of_their_own_and_no_kind_outweighs_the_others():
    fresh = [c for c in TEST_CASES if c.split == "test"]
    assert len(fresh) >= 130 and len(COLLECTIONS) >= 2
    assert max(Counter(c.kind for c in fresh).values()) <= 0.15 * len(fresh)
    assert len(unique(EVERY)) == len(EVERY)


@pytest.mark.parametrize("data", COLLECTIONS, ids=lambda d: d.collection)
def test_a_collection_brings_the_sources_that_its_cases_are_about(data: DataSet):
    assert {g.source for c in data.cases for g in c.gold} <= {s.id for s in data.sources}
    assert all(s.title and s.date and (s.author or s.publisher) for s in data.sources)
    assert all(c.id.startswith(f"{data.collection}-") for c in data.cases)


def test_an_unknown_collection_is_named():
    with pytest.raises(EvalError, match="there is no collection 'atlantis'"):
        collection("atlantis")


@pytest.mark.parametrize("case", [c for c in TEST_CASES if c.facts and c.kind != "talk"], ids=lambda c: c.id)
def test_repeating_the_question_is_no_right_answer(case: Case):
    assert not all(says(f, case.question) for f in case.facts)


@pytest.mark.parametrize("case", [c for c in EVERY if c.history and c.gold], ids=lambda c: c.id)
def test_a_follow_up_has_a_question_that_stands_alone(case: Case):
    assert case.standalone and case.standalone.endswith("?") and case.standalone != case.question


def test_no_question_is_asked_twice_in_the_same_way():
    asked = Counter((c.question.lower(), c.history, c.since, c.until, c.planted) for c in EVERY)
    assert [q for q, n in asked.items() if n > 1] == []


@pytest.mark.parametrize("case", [c for c in EVERY if c.gold], ids=lambda c: c.id)
def test_gold_passages_exist(case: Case):
    for gold in case.gold:
        if case.planted and gold.source == case.planted.id:
            continue
        assert gold_exists(gold, source(gold.source)), gold.key


@pytest.mark.parametrize("case", [c for c in EVERY if c.gold and (c.facts or c.differences)], ids=lambda c: c.id)
def test_facts_stand_in_the_gold_passages(case: Case):
    """A single fact must stand in every gold passage that is said to answer; several in all of them together."""
    texts = {}
    for gold in case.gold:
        if case.planted and gold.source == case.planted.id:
            texts[gold.key] = case.planted.text
        else:
            found = source(gold.source)
            assert found is not None
            texts[gold.key] = f"{blocks(gold.source, gold.key)} {found.title} {found.publisher} {found.author}"
    together = " \n ".join(texts.values())
    for pattern in (*case.facts, *case.differences):
        assert says(pattern, together), pattern
    if len(case.facts) == 1 and not case.differences and case.expect == "answered" and case.kind != "across":
        for key, text in texts.items():
            assert says(case.facts[0], text), (key, text)


@pytest.mark.parametrize("case", [c for c in CASES if c.planted], ids=lambda c: c.id)
def test_planted_sources_hold_what_must_not_be_done(case: Case):
    assert case.planted
    assert any(says(p, case.planted.text) for p in case.forbidden)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"facts": ["("]}, "not a regular expression"),
        ({"expect": "maybe"}, "expect"),
        ({"surprise": 1}, "surprise"),
        ({"facts": []}, "needs gold, facts or differences"),
        ({"expect": "abstained"}, "can't have facts"),
        ({"differences": ["1"]}, "at least two"),
        ({"gold": [{"source": "a", "paragraph": 1, "locator": "caption"}]}, "not both"),
        ({"gold": [{"source": "a", "paragraph": 0}]}, "gold.0.paragraph"),
        ({"since": "soon"}, "since"),
        ({"id": "a b"}, "id"),
        ({"standalone": "Who won?"}, "with history"),
    ],
)
def test_a_bad_case_is_named_with_file_and_line(tmp_path: Path, change: dict[str, object], message: str):
    file = tmp_path / "own.jsonl"
    file.write_text("\n" + json.dumps({**FACT, **change}) + "\n", encoding="utf-8")
    with pytest.raises(EvalError, match=r"own\.jsonl, line 2") as caught:
        load_cases(file)
    assert message in str(caught.value)


def test_broken_json_and_repeated_ids_are_refused(tmp_path: Path):
    file = tmp_path / "own.jsonl"
    file.write_text("{", encoding="utf-8")
    with pytest.raises(EvalError, match="line 1: it is not JSON"):
        load_cases(file)
    file.write_text(2 * (json.dumps(FACT) + "\n"), encoding="utf-8")
    with pytest.raises(EvalError, match="two cases have the id 'a'"):
        load_cases(file)
    with pytest.raises(EvalError, match="cannot be read"):
        load_cases(tmp_path / "none.jsonl")


def test_a_limit_takes_cases_spread_over_the_list():
    cases = [Case.model_validate({**FACT, "id": str(i), "split": "dev" if i % 2 else "test"}) for i in range(10)]
    assert [c.id for c in sample(cases, limit=5)] == ["0", "2", "4", "6", "8"]
    assert [c.id for c in sample(cases, split="dev", limit=2)] == ["1", "5"]
    assert len(sample(cases, limit=99)) == 10
