from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.embed import Vectors
from index.errors import Damaged
from index.store import Entry, VectorStore
from ingest.chunk import Passage


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VectorStore]:
    with closing(VectorStore(tmp_path / "chroma")) as opened:
        yield opened


def entry(number: int, source_id: str = "s", **facets: str | int) -> Entry:
    text = f"Text {number}"
    passage = Passage(
        id=f"{source_id}-{number}", source_id=source_id, start=number * 10, end=number * 10 + len(text), text=text,
        ordinal=number, context="Title", locator=f"¶{number}",
    )  # fmt: skip
    return Entry(passage=passage, embed_digest=f"d{number}", facets=facets)


FULL = Entry(
    passage=Passage(
        id="full", source_id="s", start=3, end=9, text="A lamp", ordinal=0, context="Title – Heading", role="caption",
        number=7, locator="p. 2 ¶7", claim_status="claim", claimed_by="the keeper", via="https://example.org",
    ),
    embed_digest="abc",
    facets={"genre": "news", "since": 20240101, "until": 20241231},
)  # fmt: skip
ROW = np.array([[0.6, 0.8]], dtype=np.float32)


def units(*angles: float) -> Vectors:
    return np.array([[np.cos(a), np.sin(a)] for a in angles], dtype=np.float32)


def test_an_entry_comes_back_as_it_was_put_with_its_vector(store: VectorStore) -> None:
    store.upsert([FULL], ROW)
    entries, vectors = store.get(["full", "unknown"])
    assert entries == [FULL]
    assert vectors == pytest.approx(ROW)


def test_what_is_not_known_of_a_passage_comes_back_as_none(store: VectorStore) -> None:
    store.upsert([entry(1)], ROW)
    assert store.get(["s-1"])[0] == [entry(1)]


def test_similarity_is_the_cosine_best_first(store: VectorStore) -> None:
    store.upsert([entry(0), entry(1), entry(2)], units(0.0, 0.5, 3.1))
    found = store.nearest(units(0.1)[0], 3)
    assert list(found) == ["s-0", "s-1", "s-2"]
    assert list(found.values()) == pytest.approx([np.cos(0.1), np.cos(0.4), np.cos(3.0)], abs=1e-5)


def test_passages_found_otherwise_get_the_similarity_of_those_that_pass(store: VectorStore) -> None:
    store.upsert([entry(0), entry(1, "other"), entry(2)], units(0.0, 0.5, 3.1))
    ids = ["s-0", "other-1", "s-2", "unknown"]
    found = store.similarities(ids, units(0.1)[0], {"source_id": "s"})
    assert found == pytest.approx({"s-0": np.cos(0.1), "s-2": np.cos(3.0)}, abs=1e-5)
    assert store.similarities(ids, units(0.1)[0])["other-1"] == pytest.approx(np.cos(0.4), abs=1e-5)
    assert store.similarities(["s-0"], units(0.1)[0], {"source_id": "nobody"}) == {}
    assert store.passages(ids) == {e.passage.id: e.passage for e in (entry(0), entry(1, "other"), entry(2))}


@pytest.mark.parametrize(("k", "expected"), [(-1, 0), (0, 0), (2, 2), (3, 3), (1000, 3)])
def test_as_many_as_asked_for_and_there_are_come_back(store: VectorStore, k: int, expected: int) -> None:
    store.upsert([entry(0), entry(1), entry(2)], units(0.0, 0.5, 3.1))
    assert len(store.nearest(units(0.1)[0], k)) == expected


def test_an_empty_store_finds_nothing(store: VectorStore) -> None:
    assert store.nearest(units(0.1)[0], 5) == {}
    assert store.similarities(["x"], units(0.1)[0]) == {}
    assert store.passages([]) == store.passages(["x"]) == {}
    assert store.count() == 0
    assert list(store.all_ids()) == []
    assert store.entries_of("s") == []
    assert store.get([])[0] == []
    assert store.get(["x"])[0] == []


def test_a_rare_filter_still_finds_every_passage_that_passes_among_many(store: VectorStore) -> None:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(1500, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    store.upsert([entry(n, "rare" if n % 300 == 0 else "common") for n in range(1500)], rows)
    found = store.nearest(rows[1], 40, {"source_id": "rare"})
    assert sorted(found) == sorted(f"rare-{n}" for n in (0, 300, 600, 900, 1200))
    best = sorted(float(rows[1] @ row) for row in rows)[::-1][:40]
    assert list(store.nearest(rows[1], 40).values()) == pytest.approx(best, abs=1e-5)
    assert len(store.nearest(rows[1], 1500)) == 1500


def test_more_than_a_page_of_ids_is_listed_deleted_and_counted(store: VectorStore) -> None:
    entries = [entry(n) for n in range(1201)]
    store.upsert(entries, np.repeat(ROW, 1201, axis=0))
    assert sorted(store.all_ids()) == sorted(e.passage.id for e in entries)
    store.delete([e.passage.id for e in entries[1:]])
    assert list(store.all_ids()) == ["s-0"]
    assert store.count() == 1


def test_entries_of_a_source_come_in_text_order(store: VectorStore) -> None:
    store.upsert([entry(2), entry(0, "other"), entry(0), entry(1)], np.repeat(ROW, 4, axis=0))
    assert [e.passage.id for e in store.entries_of("s")] == ["s-0", "s-1", "s-2"]


def test_new_metadata_replace_the_old_ones_and_the_vector_stays(store: VectorStore) -> None:
    store.upsert([FULL], ROW)
    plain = Entry(
        passage=Passage(id="full", source_id="s", start=5, end=11, text="A lamp", ordinal=4, context="Title"),
        embed_digest="abc",
        facets={"genre": "notes"},
    )
    store.update_metadata([plain])
    entries, vectors = store.get(["full"])
    assert entries == [plain]
    assert vectors == pytest.approx(ROW)


def test_an_upsert_replaces_the_vector(store: VectorStore) -> None:
    store.upsert([entry(0)], units(0.0))
    store.upsert([entry(0)], units(1.5))
    assert store.get(["s-0"])[1] == pytest.approx(units(1.5))
    assert store.count() == 1


def test_deleting_what_is_not_there_is_no_error(store: VectorStore) -> None:
    store.upsert([entry(0)], ROW)
    store.delete(["unknown"])
    store.delete([])
    assert store.count() == 1


def test_everything_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    with closing(VectorStore(tmp_path / "chroma")) as first:
        first.upsert([FULL], ROW)
    with closing(VectorStore(tmp_path / "chroma")) as second:
        assert second.get(["full"])[0] == [FULL]
        assert list(second.nearest(ROW[0], 1)) == ["full"]


def test_closing_one_of_two_stores_on_a_folder_leaves_the_other_working(store: VectorStore, tmp_path: Path) -> None:
    store.upsert([FULL], ROW)
    VectorStore(tmp_path / "chroma").close()
    assert list(store.nearest(ROW[0], 1)) == ["full"]


def test_the_digest_changes_with_everything_that_is_kept() -> None:
    others = [
        entry(1),
        entry(2),
        entry(1, "t"),
        entry(1, genre="news"),
        Entry(passage=entry(1).passage, embed_digest="x", facets={}),
    ]
    assert len({e.digest for e in others}) == 5
    assert entry(1, genre="news", since=1).digest == entry(1, since=1, genre="news").digest


def test_a_broken_store_is_told_as_damage_with_the_way_on(tmp_path: Path) -> None:
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"not a database at all " * 300)
    with pytest.raises(Damaged, match="iskp index --rebuild"):
        VectorStore(tmp_path / "chroma")
