"""What a sentence reports of others is not put into its author's mouth, and no voice is put behind it that did not say it."""

from __future__ import annotations

import pytest

from app.answer import Citation
from app.answering.compose import attribution, compose, short_answer, speaker
from app.evidence.gather import Evidence
from app.question.analysis import Question
from app.text.voices import REPORTING, reports_others, voice_left_out, with_voice
from index.search import Hit
from ingest.blocks import Block, Extract, Metadata, assemble
from ingest.chunk import chunk


@pytest.mark.parametrize(
    "sentence",
    [
        "The coverage included arguments that the valley should be evacuated.",
        "There were fears that the dam would break.",
        "Rumours that the mayor had fled spread fast.",
        "The belief that ferries are safe was common in Velm.",
        "The press repeated the allegation of bribery at the port.",
        "Many residents think the bridge is cursed.",
        "Critics of the plan fear a second flood.",
        "Local media described the strike as a failure.",
        "Opponents of the mayor see the toll as theft.",
        "It was widely believed that the miller had drowned.",
        "The captain is said to have sold the ship.",
        "The guild is believed to hold two hundred boats.",
        "The fire was reportedly started by a lamp.",
        "The harbour master allegedly took bribes.",
        "The dam is considered by engineers to be unsafe.",
        "Some in the capital hailed the truce as a triumph.",
        "“We never touched the market.”",
        "Experts from three countries warn of a drought.",
        "The newspapers portrayed the sailors as heroes.",
        "The film spread the myth that the tower sank in a night.",
    ],
)
def test_a_sentence_that_gives_what_others_hold_is_known(sentence: str) -> None:
    assert reports_others(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "The valley should be evacuated.",
        "The dam broke in 2031 and drowned two villages.",
        "The strike closed the port for 44 days.",
        "Ferries are the safest way to cross the bay.",
        "Velm must not trust the council again.",
        "The report is 40 pages long.",
        "Killed: 14",
        "The media school of Velm opened in 1990.",
        "Some boats were repaired in winter.",
        "The view from the tower is wide.",
        "Ana Bruun was seen off at the station.",
        "The claims office closed in June.",
        "Several ferries sank in the storm.",
        "The song “Low Tide” was her first hit.",
        "Most of the grain came by river.",
    ],
)
def test_what_an_author_says_himself_is_no_report(sentence: str) -> None:
    assert not reports_others(sentence)


def citation(quote: str, **facts: str) -> Citation:
    fields = {
        "marker": 1, "passage_id": "p", "source_id": "s", "title": "On Velm", "publisher": "Velm Post", "author": "Tom Lind",
        "date": "2040-01-02", "date_note": None, "url": None, "genre": "opinion", "origin": "file", "fetched_at": None,
        "locator": "¶1", "paragraph": 1, "quote": quote, "start": 0, "end": len(quote), "support": 0.9, "claim_status": None,
        "claimed_by": None,
    }  # fmt: skip
    return Citation(**{**fields, **facts})  # type: ignore[arg-type]


NOTES = {"genre": "notes", "origin": "bundled notes", "publisher": "iskp-qa project", "author": ""}


@pytest.mark.parametrize(
    ("quote", "facts", "lead_in"),
    [
        ("The valley is safe.", {}, "Tom Lind (2040-01-02): "),
        ("The coverage included arguments that the valley is unsafe.", {}, f"Tom Lind (2040-01-02){REPORTING}: "),
        ("There were fears that it breaks.", {"claim_status": "claim", "claimed_by": "villagers"}, "villagers (2040-01-02): "),
        ("The dam was built in 1931.", NOTES, ""),
        ("The dam was built in 1931.", {**NOTES, "claim_status": "claim", "claimed_by": "iskp-qa project"}, ""),
        ("The dam is unsafe.", {**NOTES, "claim_status": "claim", "claimed_by": "the guild"}, "the guild: "),
        ("The dam is unsafe, the guild said.", {}, ""),
    ],
)  # fmt: skip
def test_the_lead_in_names_who_says_it(quote: str, facts: dict[str, str], lead_in: str) -> None:
    assert attribution(citation(quote, **facts)) == lead_in


def test_our_own_notes_are_nobody_s_speaker() -> None:
    assert speaker(citation("x", **NOTES)) == ""
    assert speaker(citation("x", genre="notes", origin="file")) == "Tom Lind"


TWO_VOICES = "The Harbour Guild claimed the raid on Velm, while naval intelligence attributed it to the Reed Band."


@pytest.mark.parametrize(
    ("sentence", "voice"),
    [
        ("Naval intelligence attributed the Velm raid to the Reed Band.", "The Harbour Guild"),
        ("The navy blamed the Reed Band for the raid.", "the mayor"),
        ("The mayor confirmed the raid.", "the navy"),
        ("According to the navy, the raid failed.", "the mayor"),
        ("The court dismissed the charge.", "the navy"),
    ],
)
def test_no_voice_is_put_behind_a_sentence_that_has_its_own(sentence: str, voice: str) -> None:
    assert with_voice(sentence, voice) == ""


@pytest.mark.parametrize(
    ("sentence", "quote", "voice"),
    [
        ("Naval intelligence attributed the raid to the Reed Band.", TWO_VOICES, ""),
        (
            "The raid cost nine boats.",
            "The guild claimed victory, but the raid cost nine boats, the navy admitted.",
            "the navy",
        ),
        ("The raid cost nine boats.", "The guild said the raid cost nine boats, and the navy denied it.", "The guild"),
    ],
)
def test_a_voice_belongs_to_the_part_of_the_quote_that_it_says(sentence: str, quote: str, voice: str) -> None:
    assert voice_left_out(sentence, quote) == voice


def evidence_of(text: str, span: str) -> tuple[Evidence, object]:
    source = assemble("s", Extract(blocks=(Block(text=text),)), overrides=Metadata(title="On Velm"))
    passage = chunk(source)[0]
    hit = Hit(passage=passage, score=1.0, similarity=0.5, lexical=1.0, rank=1)
    at = text.index(span)
    return Evidence(
        hit=hit, text=text, start=0, end=len(text), score=0.9, passage_score=0.9, similarity=0.5, overlap=1.0,
        span=(at, at + len(span), 0.9),
    ), source  # fmt: skip


@pytest.mark.parametrize(
    ("text", "span", "short"),
    [
        ("Velm has 12,300 sailors.", "300", "12,300"),
        ("Velm has 2 315 schools.", "315", "2 315"),
        ("It cost €4.7 billion in all.", "7", "€4.7 billion"),
        ("It fell by 8.5 % a year.", "8", "8.5 %"),
        ("The season 2031–32 was wet, 44 days of it.", "44", "44"),
        ("About 1,500–2,200 fishers live there.", "500", "1,500–2,200"),
        ("It rose 1'200 feet.", "200", "1'200"),
    ],
)  # fmt: skip
def test_a_short_answer_never_cuts_a_figure(text: str, span: str, short: str) -> None:
    evidence, source = evidence_of(text, span)
    question = Question(text="How many?", asked="How many?", kind="number")
    assert short_answer(question, evidence, source) == short  # type: ignore[arg-type]


def test_every_marker_of_an_answer_is_its_own_and_the_quote_stays_exact() -> None:
    evidence, source = evidence_of("The port handled 2 million tonnes,[2][3] more than any.[12]", "2 million")
    composed = compose([evidence], lambda _: source)  # type: ignore[arg-type, return-value]
    assert composed.text == "On Velm (undated): The port handled 2 million tonnes, more than any [1]."
    assert composed.citations[0].quote.endswith("tonnes,[2][3] more than any.[12]")
