from __future__ import annotations

import json
from dataclasses import replace

import pytest

from ingest.errors import BadSource
from ingest.source import Paragraph, Source, from_json, to_json

TEXT = "Lighthouses\n\nThe first lamp burned whale oil.\n\nA keeper in 1911"


def source(**changes: object) -> Source:
    base = Source(
        id="lamps.md",
        title="Lighthouses",
        text=TEXT,
        paragraphs=(
            Paragraph(start=0, end=11, role="title", locator="title"),
            Paragraph(
                start=13, end=45, number=1, locator="¶1", headings=("Fuel",), claim_status="claim",
                claimed_by="the harbour office", via="https://example.org/report",
            ),
            Paragraph(start=47, end=63, role="caption", locator="caption"),
        ),
        publisher="Coast Review",
        author="Ada Moor",
        date="1990-05",
        date_note="exact day not known",
        url="https://example.org/lamps",
        genre="research",
        language="en",
        licence="CC BY 4.0",
        fetched_at="2024-01-01T00:00:00Z",
    )  # fmt: skip
    return replace(base, **changes)


def test_a_source_comes_back_from_json_as_it_was() -> None:
    original = source()
    assert from_json(json.loads(json.dumps(to_json(original)))) == original


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"colour": "red"}, "colour"),
        ({"paragraphs": [{"start": 0, "end": 4, "colour": "red"}]}, "colour"),
        ({"paragraphs": [{"end": 4}]}, "start"),
        ({"paragraphs": ["¶1"]}, "cannot be read"),
    ],
)
def test_a_stored_source_with_strange_fields_is_refused(change: dict[str, object], reason: str) -> None:
    with pytest.raises(BadSource, match=reason):
        from_json({**to_json(source()), **change})


@pytest.mark.parametrize("field", ["id", "title", "text", "paragraphs"])
def test_a_stored_source_that_lacks_a_field_is_refused(field: str) -> None:
    stored = to_json(source())
    del stored[field]
    with pytest.raises(BadSource, match=field):
        from_json(stored)


@pytest.mark.parametrize(
    "change",
    [
        {"text": TEXT + "."},
        {"title": "Lamps"},
        {"publisher": None},
        {"author": "B. Moor"},
        {"date": "1990-06"},
        {"date_note": None},
        {"url": "https://example.org/other"},
        {"genre": "news"},
        {"licence": None},
        {"origin": "fetched"},
        {"disagreement": "who lit the lamps"},
        {"paragraphs": (Paragraph(start=0, end=11, role="heading"),)},
    ],
)
def test_the_fingerprint_changes_with_everything_that_is_shown(change: dict[str, object]) -> None:
    assert source(**change).fingerprint != source().fingerprint


def test_the_fingerprint_does_not_depend_on_when_the_source_was_fetched() -> None:
    assert source(fetched_at="2025-02-02T00:00:00Z").fingerprint == source().fingerprint


def test_the_fingerprint_is_the_same_on_every_machine() -> None:
    plain = Source(id="a", title="A", text="one", paragraphs=(Paragraph(start=0, end=3),))
    # Taken once; a change of it re-indexes every source that anybody stored.
    assert plain.fingerprint == "863a771df9c683d8df75fef49e10085d"


@pytest.mark.parametrize(
    "paragraphs",
    [
        (Paragraph(start=0, end=12), Paragraph(start=11, end=20)),
        (Paragraph(start=13, end=20), Paragraph(start=0, end=5)),
        (Paragraph(start=5, end=5),),
        (Paragraph(start=5, end=4),),
        (Paragraph(start=-1, end=4),),
        (Paragraph(start=60, end=len(TEXT) + 1),),
    ],
    ids=["overlap", "disorder", "empty", "backwards", "before the text", "behind the text"],
)
def test_paragraphs_must_lie_in_the_text_in_order(paragraphs: tuple[Paragraph, ...]) -> None:
    with pytest.raises(BadSource, match=r"lamps\.md"):
        source(paragraphs=paragraphs)


def test_a_source_stored_with_the_former_extra_field_is_read_as_it_is_now() -> None:
    assert from_json({**to_json(source()), "extra": {"section": "world"}}) == source()
