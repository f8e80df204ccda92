from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from app.errors import ReaderError
from app.evidence import packaged as reader
from app.evidence.packaged import EvidenceReader, PassageReading, ReaderInput

HARBOUR = ReaderInput(
    context="Port Selwick - History",
    sentences=(
        "Port Selwick grew up around a lighthouse that fishermen paid for themselves.",
        "The stone breakwater was finished in 1874 after eleven years of work.",
        "Its engineer, Maud Farrant, had studied tides on the opposite coast.",
        "Storms still flood the lower quay every winter.",
    ),
)

ANSWERED_AND_NEAR_MISS = [
    (
        "When was the breakwater of Port Selwick completed?",
        HARBOUR,
        1,
        "How much did the breakwater of Port Selwick cost?",
    ),
    (
        "Who designed the breakwater?",
        HARBOUR,
        2,
        "What is the population of Port Selwick?",
    ),
    (
        "Why did the bakery close its second shop?",
        ReaderInput(
            context="Lindqvist Bakery",
            sentences=(
                "The Lindqvist family opened a bakery in Uppsala and a second shop across the river.",
                "Because flour prices doubled and the lease went up, the second shop was given up after two years.",
                "Anna Lindqvist now bakes about 400 loaves a day.",
            ),
        ),
        1,
        "How many people work at the Lindqvist bakery?",
    ),
]


@pytest.fixture(scope="module")
def trained() -> EvidenceReader:
    return EvidenceReader.load()


def best(reading: PassageReading) -> int:
    return max(range(len(reading.sentence_scores)), key=reading.sentence_scores.__getitem__)


def test_a_reading_has_a_score_for_each_sentence_in_range(trained: EvidenceReader) -> None:
    (reading,) = trained.read("When was the breakwater finished?", [HARBOUR])
    assert len(reading.sentence_scores) == len(HARBOUR.sentences) == len(reading.spans)
    assert all(0.0 <= s <= 1.0 for s in (*reading.sentence_scores, reading.answerable))
    assert trained.fingerprint.startswith("reader:")


@pytest.mark.parametrize(("question", "passage", "answer", "near_miss"), ANSWERED_AND_NEAR_MISS)
def test_the_answering_sentence_leads_and_a_near_miss_scores_lower(
    trained: EvidenceReader, question: str, passage: ReaderInput, answer: int, near_miss: str
) -> None:
    answered, missed = (trained.read(q, [passage])[0] for q in (question, near_miss))
    assert best(answered) == answer
    assert answered.answerable > missed.answerable
    assert answered.sentence_scores[answer] > max(missed.sentence_scores)


def test_the_short_answer_is_inside_its_sentence(trained: EvidenceReader) -> None:
    (reading,) = trained.read("In which year was the breakwater finished?", [HARBOUR])
    span = reading.spans[1]
    assert span is not None
    sentence, start, end, score = span
    assert sentence == 1
    # Which words it picks is not asserted: the shipped weights say "eleven years" here (see the model card).
    assert 0 <= start < end <= len(HARBOUR.sentences[1])
    assert 0.0 <= score <= 1.0


def test_passages_come_back_in_the_order_given_whatever_is_read_beside_them(trained: EvidenceReader) -> None:
    passages = [p for _, p, _, _ in ANSWERED_AND_NEAR_MISS] + [ReaderInput(context="", sentences=("It rained.",))]
    together = trained.read("Who was the engineer?", passages)
    one_by_one = [trained.read("Who was the engineer?", [p])[0] for p in passages]
    assert together == one_by_one


def test_reading_twice_gives_the_same(trained: EvidenceReader) -> None:
    assert trained.read("Who was the engineer?", [HARBOUR]) == trained.read("Who was the engineer?", [HARBOUR])


def test_nothing_to_read_gives_nothing(trained: EvidenceReader) -> None:
    assert trained.read("Who?", []) == []
    (reading,) = trained.read("Who?", [ReaderInput(context="A title", sentences=())])
    assert reading == PassageReading(sentence_scores=(), answerable=0.0, spans=())
    (blank,) = trained.read("", [ReaderInput(context="", sentences=("",))])
    assert len(blank.sentence_scores) == 1
    assert blank.spans == (None,)


def test_a_passage_longer_than_a_window_is_read_to_its_end(trained: EvidenceReader) -> None:
    filler = tuple(
        f"Ship number {i} left the harbour with timber and wool for the southern markets." for i in range(60)
    )
    long = ReaderInput(context="Port Selwick", sentences=(*filler, HARBOUR.sentences[1]))
    (reading,) = trained.read("When was the stone breakwater finished?", [long])
    assert len(reading.sentence_scores) == 61
    assert best(reading) == 60


def test_a_sentence_longer_than_a_window_is_scored(trained: EvidenceReader) -> None:
    (reading,) = trained.read("Who?", [ReaderInput(context="x " * 200, sentences=("timber and wool " * 400, "Short."))])
    assert len(reading.sentence_scores) == 2


def test_a_claim_with_another_number_is_supported_less(trained: EvidenceReader) -> None:
    true, false = (
        trained.check(f"The breakwater at Port Selwick was completed in {year}.", [HARBOUR])[0] for year in (1874, 1921)
    )
    assert best(true) == 1
    assert true.answerable > false.answerable


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "reader"
    shutil.copytree(reader.WEIGHTS, copy)
    assert EvidenceReader.load(copy).fingerprint == EvidenceReader.load().fingerprint
    with (copy / "model.safetensors").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\x01")
    with pytest.raises(ReaderError, match="SHA-256"):
        EvidenceReader.load(copy)
    monkeypatch.setattr(reader, "WEIGHTS", copy)
    with pytest.raises(ReaderError, match="SHA-256"):
        EvidenceReader.load()


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReaderError, match="cannot be loaded"):
        EvidenceReader.load(tmp_path)


def test_windows_cover_every_sentence_and_share_one() -> None:
    assert list(reader.windows([], 10)) == []
    assert list(reader.windows([3, 3, 3], 10)) == [(0, 3)]
    assert list(reader.windows([4, 4, 4, 4], 10)) == [(0, 2), (1, 3), (2, 4)]
    assert list(reader.windows([4, 99, 4], 10)) == [(0, 1), (1, 2), (2, 3)]


def test_a_packed_input_says_what_each_token_belongs_to() -> None:
    packed = reader.pack([7, 8], [9], [[11, 12], [13]])
    assert packed.ids == [101, 7, 8, 102, 9, 1012, 11, 12, 13, 102]
    assert packed.types == [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    assert packed.owners == [0, 1, 1, 0, 0, 0, 2, 2, 3, 0]
    assert len(reader.pack([7] * 500, [8] * 500, [[9] * 500]).ids) == reader.MAX_TOKENS


def test_owner_numbers_are_those_of_the_network() -> None:
    from app.evidence import torch_network as reader_model

    assert (reader._OTHER, reader._QUESTION, reader._FIRST_SENTENCE) == (
        reader_model.OTHER,
        reader_model.QUESTION,
        reader_model.FIRST_SENTENCE,
    )


def test_the_packaged_weights_are_small() -> None:
    assert sum(f.stat().st_size for f in reader.WEIGHTS.iterdir()) <= 45_000_000
