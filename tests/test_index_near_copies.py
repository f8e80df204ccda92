"""The same agency text in several outlets is one hit, with all outlets named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.embed import Encoder
from index.search import COPIES_EXPECTED, IndexReader, OpenIndex
from index.terms import Vocabulary
from ingest.chunk import ChunkSettings

AGENCY = (
    "The ferry to Norholm ran aground in thick fog on Tuesday morning, and all 212 passengers were taken off unhurt."
)
TEXTS = {
    "gazette": f"# Gazette\n\n{AGENCY}\n\nThe gazette adds that the captain is a veteran of the line.\n",
    "courier": f"# Courier\n\n{AGENCY.replace('thick fog', 'dense fog')}\n",
    "herald": f"# Herald\n\n{AGENCY.replace(' on Tuesday morning', ' on Tuesday')}\n",
    "rival": "# Rival\n\nThe ferry to Norholm ran on time on Tuesday, and 41 passengers praised the new coffee on board.\n",
}


@pytest.fixture
def opened(make_index: Callable[..., Path], real_encoder: Encoder) -> Iterator[OpenIndex]:
    root = make_index(TEXTS, real_encoder)
    reader = IndexReader(root, real_encoder, ChunkSettings(), Vocabulary.load)
    current = reader.current()
    assert current is not None
    yield current
    reader.close()


def test_three_outlets_share_one_hit_and_a_similar_report_keeps_its_own(opened: OpenIndex) -> None:
    hits = opened.search("ferry Norholm aground fog passengers", 10)
    agency = [h for h in hits if "aground" in h.passage.text]
    assert len(agency) == 1
    assert {agency[0].passage.source_id, *(c.source_id for c in agency[0].copies)} == {"gazette", "courier", "herald"}
    assert any(h.passage.source_id == "rival" and not h.copies for h in hits)
    assert [h.rank for h in hits] == list(range(1, len(hits) + 1))


def test_more_outlets_than_are_read_at_once_still_leave_room_for_others(
    make_index: Callable[..., Path], real_encoder: Encoder
) -> None:
    outlets = {f"outlet-{n:02}": f"# Outlet {n}\n\n{AGENCY}\n" for n in range(2 * COPIES_EXPECTED)}
    reader = IndexReader(make_index(TEXTS | outlets, real_encoder), real_encoder, ChunkSettings(), Vocabulary.load)
    current = reader.current()
    assert current is not None
    first, second = current.search("ferry Norholm aground fog passengers", 2)
    assert {p.source_id for p in (first.passage, *first.copies)} >= set(outlets)
    assert "aground" not in second.passage.text
    reader.close()
