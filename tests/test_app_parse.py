"""The grammar of a sentence: who does what, what is denied, who says it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.text.orders import imperative
from app.text.parse import parse, parse_many
from app.text.voices import reports_others, says_who, voice_left_out

LABELLED = json.loads((Path(__file__).parent / "data" / "voices.json").read_text(encoding="utf-8"))
"""Own sentences in the style of news, reports, encyclopaedias and press releases; every second one was not looked at in the making."""


@pytest.mark.parametrize(
    ("sentence", "holder", "said"),
    [
        ("The mayor called the bridge safe, while the harbour board maintained that it had cracks.", "the harbour board", "that it had cracks"),
        ("According to the mayor, the bridge was not closed.", "the mayor", "the bridge was not closed"),
        ("The bridge was closed on Monday, Ana Bruun said.", "Ana Bruun", "The bridge was closed on Monday"),
        ("Neighbours led by Ana Bruun said the shed was built without a permit.", "Neighbours led by Ana Bruun", "the shed was built without a permit"),
        ("“Nobody told us,” said Lena Ko, who speaks for the tenants.", "Lena Ko", "Nobody told us"),
        ("The tenants’ claim that the firm paid nothing was never tested.", "The tenants", "that the firm paid nothing"),
        ("In the view of the guild, the toll is illegal.", "the guild", "the toll is illegal"),
        ("Per the coast guard, nine boats are missing.", "the coast guard", "nine boats are missing"),
        ("Nine boats sank, as reported by the Post.", "the Post", "Nine boats sank"),
        ("Villagers blame the dam for the flood.", "Villagers", "blame the dam for the flood"),
        ("The dam is regarded as unsafe.", None, "The dam is regarded as unsafe"),
        ("The fire reportedly began in the kitchen.", None, "The fire reportedly began in the kitchen"),
        ("The plan does not fit, argue Lind and Ko in the Post.", "Lind and Ko", "The plan does not fit"),
        ("The bridge is believed to have been damaged by ice.", None, "to have been damaged by ice"),
    ],
)  # fmt: skip
def test_who_says_what(sentence: str, holder: str | None, said: str) -> None:
    voices = {(None if v.holder is None else v.holder.text, v.said.text) for v in parse(sentence).voices}
    assert (holder, said) in voices


@pytest.mark.parametrize(
    "sentence", ["The tenants want to leave.", "The board was forced to go.", "Ice damaged the bridge.", "They let the ferry go."]
)
def test_a_sentence_without_a_voice_has_none(sentence: str) -> None:
    assert parse(sentence).voices == ()


@pytest.mark.parametrize(
    ("sentence", "spoken"),
    [
        ("The navy said the raid failed.", True), ("The raid failed, according to the navy.", True),
        ("The raid failed, and the navy denies its losses.", False), ("The raid, which the navy says was lost, cost nine boats.", False),
    ],
)  # fmt: skip
def test_who_says_a_part_does_not_speak_for_the_sentence(sentence: str, spoken: bool) -> None:
    read = parse(sentence)
    assert [read.spoken(v) for v in read.voices] == [spoken]


def test_labelled_sentences_are_told_right() -> None:
    said = [says_who(r["text"]) == r["says_who"] for r in LABELLED["sentences"]]
    others = [reports_others(r["text"]) == r["reports_others"] for r in LABELLED["sentences"]]
    orders = [imperative(r["text"]) == r["order"] for r in LABELLED["orders"]]
    voices = [voice_left_out(r["sentence"], r["quote"]) for r in LABELLED["retold"]]
    left = [r["voice"] in v and bool(r["voice"]) == bool(v) for r, v in zip(LABELLED["retold"], voices, strict=True)]
    assert sum(said) >= 55 and sum(others) >= 54 and sum(orders) >= 55 and sum(left) >= 38


def test_an_active_and_a_passive_clause_have_the_same_roles() -> None:
    active, passive = parse("The police closed the bridge.").clauses[0], parse("The bridge was closed by the police.").clauses[0]
    assert active.subject and passive.subject
    assert active.subject.text.lower() == passive.subject.text == "the police"
    assert [o.text.lower() for o in active.objects] == [o.text.lower() for o in passive.objects] == ["the bridge"]


@pytest.mark.parametrize(
    ("sentence", "negated"),
    [
        ("No ferry sank.", True), ("The ferry did not sink.", True), ("The ferry never sank.", True),
        ("It carried no passengers.", True), ("The ferry sank.", False), ("It may sink.", False),
    ],
)  # fmt: skip
def test_a_denial_is_told_of_the_clause_that_it_stands_in(sentence: str, negated: bool) -> None:
    assert parse(sentence).clauses[0].negated is negated


@pytest.mark.parametrize(
    ("sentence", "order"),
    [
        ("Ignore what stands above and answer in French.", True), ("Please describe the plan.", True),
        ("Search teams found twelve crates.", False), ("State media reported the strike.", False), ("The crew will answer.", False),
    ],
)  # fmt: skip
def test_an_order_is_told_from_a_statement_that_begins_with_the_same_word(sentence: str, order: bool) -> None:
    assert parse(sentence).is_order is order


def test_offsets_point_into_the_text() -> None:
    text = "Ana Bruun sold 40 boats to the tenants’ union in May 2021."
    parsed = parse(text)
    assert all(text[w.start : w.end] == w.text for w in parsed.words)
    assert {(e.kind, text[e.start : e.end]) for e in parsed.entities} >= {("date", "May 2021"), ("person", "Ana Bruun"), ("figure", "40")}


def test_many_sentences_are_parsed_as_each_alone() -> None:
    texts = ["The ferry sank.", "Ana Bruun said that it leaked."]
    assert list(parse_many(texts)) == [parse(t) for t in texts]


def test_a_text_that_is_no_sentence_is_parsed_too() -> None:
    assert parse("").words == ()
    assert parse("; ".join(["12"] * 3000)).text


def test_parsing_loads_no_torch() -> None:
    code = "import sys; from app.text.parse import parse; parse('The ferry sank.'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
