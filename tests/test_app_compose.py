"""The extractive answer: verbatim, attributed, marked, short."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.answering.compose import Limits, attribution, compose, select, with_marker
from app.evidence.gather import Evidence
from app.question.analysis import Question, kind_of
from index.search import Hit
from index.terms import Vocabulary
from ingest.blocks import Block, Extract, Metadata, assemble
from ingest.chunk import chunk
from ingest.sentences import sentence_spans
from ingest.source import Source

VOCABULARY = Vocabulary.load()
TEXT = (
    "The harbour handled 41 million tonnes in 2019. Grain made up a third of the cargo. "
    "In 2019 the harbour handled 41 million tonnes of cargo. The mayor praised the dockers."
)


def _source(**metadata: str) -> Source:
    return assemble("s", Extract(blocks=(Block(text=TEXT),), metadata=Metadata(**metadata)), fallback_title="Port")  # type: ignore[arg-type]


def _evidence(source: Source, scores: list[float]) -> list[Evidence]:
    passage = chunk(source)[0]
    hit = Hit(passage=passage, score=1.0, similarity=0.8, lexical=1.0, rank=1)
    found = [
        Evidence(hit=hit, text=passage.text[a:b], start=a, end=b, score=s, passage_score=s, similarity=s, overlap=1.0)
        for (a, b), s in zip(sentence_spans(passage.text), scores, strict=True)
    ]
    return sorted(found, key=lambda e: -e.score)


def _question(text: str) -> Question:
    return Question(text=text, asked=text, kind=kind_of(text))


def test_the_best_sentence_leads_and_repetition_is_left_out() -> None:
    chosen = select(
        _question("How much cargo did the harbour handle?"), _evidence(_source(), [0.9, 0.85, 0.88, 0.1]), VOCABULARY
    )
    assert [e.text[:10] for e in chosen] == ["The harbou", "Grain made"]


def test_weak_sentences_do_not_join() -> None:
    chosen = select(_question("How much cargo?"), _evidence(_source(), [0.9, 0.2, 0.1, 0.1]), VOCABULARY)
    assert len(chosen) == 1


def test_an_explanation_goes_on_in_its_passage_but_another_passage_must_answer_clearly() -> None:
    lead, praise, share = (e for e in _evidence(_source(), [0.9, 0.25, 0.05, 0.4]) if not e.text.startswith("In 2019"))
    elsewhere = replace(lead.hit, passage=replace(lead.hit.passage, id="other"))
    question = _question("Describe the harbour")
    assert select(question, [lead, praise, share], VOCABULARY) == [lead, share, praise]
    assert select(question, [lead, praise, replace(share, hit=elsewhere)], VOCABULARY) == [lead, praise]
    assert select(question, [lead, replace(praise, hit=elsewhere)], VOCABULARY) == [lead]
    clear = replace(praise, hit=elsewhere, score=0.85, similarity=0.9)
    assert select(question, [lead, clear], VOCABULARY) == [lead, clear]


def test_a_fact_answer_keeps_within_its_words() -> None:
    limits = Limits(fact_words=12)
    chosen = select(_question("How much cargo?"), _evidence(_source(), [0.9, 0.88, 0.1, 0.87]), VOCABULARY, limits)
    assert sum(len(e.text.split()) for e in chosen) <= 12


def test_quotes_are_slices_and_every_sentence_is_marked() -> None:
    source = _source(author="Ann Lee", date="2020")
    chosen = select(_question("Describe the harbour"), _evidence(source, [0.9, 0.88, 0.1, 0.87]), VOCABULARY)
    composed = compose(chosen, lambda _: source)
    assert all(source.text[c.start : c.end] == c.quote for c in composed.citations)
    assert [c.marker for c in composed.citations] == [1, 2, 3]
    assert composed.text.startswith("Ann Lee (2020): The harbour handled 41 million tonnes in 2019 [1].")
    assert composed.text.count("Ann Lee") == 1


def test_a_claim_is_attributed_to_the_one_who_claims_it() -> None:
    block = Block(text="All cargo was lost.", claim_status="claim", claimed_by="the dockers' union")
    source = assemble("s", Extract(blocks=(block,), metadata=Metadata(author="Ann Lee")), fallback_title="Port")
    passage = chunk(source)[0]
    hit = Hit(passage=passage, score=1.0, similarity=0.8, lexical=1.0, rank=1)
    item = Evidence(
        hit=hit, text=passage.text, start=0, end=19, score=0.9, passage_score=0.9, similarity=0.8, overlap=1.0
    )
    assert compose([item], lambda _: source).text == "the dockers' union (undated): All cargo was lost [1]."


def test_a_sentence_that_attributes_itself_gets_no_second_attribution() -> None:
    source = assemble("s", Extract(blocks=(Block(text="The union said that all was lost."),)), fallback_title="Port")
    passage = chunk(source)[0]
    hit = Hit(passage=passage, score=1.0, similarity=0.8, lexical=1.0, rank=1)
    item = Evidence(
        hit=hit, text=passage.text, start=0, end=33, score=0.9, passage_score=0.9, similarity=0.8, overlap=1.0
    )
    composed = compose([item], lambda _: source)
    assert attribution(composed.citations[0]) == ""


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It rose.", "It rose [1]."),
        ("“It rose.”", "“It rose [1].”"),
        ("Who knows?", "Who knows [1]?"),
        ("image: example.org", "image: example.org [1]."),
        ("He left …", "He left [1]…"),
    ],
)
def test_the_marker_stands_before_the_closing_punctuation(sentence: str, expected: str) -> None:
    assert with_marker(sentence, 1) == expected
