from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.embed import Vectors
from index.errors import Damaged
from index.store import VectorStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[VectorStore]:
    with closing(VectorStore(tmp_path / "chroma")) as opened:
        yield opened


ROW = np.array([[0.6, 0.8]], dtype=np.float32)


def units(*angles: float) -> Vectors:
    return np.array([[np.cos(a), np.sin(a)] for a in angles], dtype=np.float32)


def test_vectors_come_back_by_their_id(store: VectorStore) -> None:
    store.add(["a", "b"], ["s", "s"], units(0.3, 0.9))
    found = store.vectors(["b", "a", "unknown"])
    assert found == {"a": pytest.approx(units(0.3)[0]), "b": pytest.approx(units(0.9)[0])}
    assert store.vectors([]) == {}


def test_similarity_is_the_cosine_best_first(store: VectorStore) -> None:
    store.add(["a", "b", "c"], ["s"] * 3, units(0.0, 0.5, 3.1))
    found = store.nearest(units(0.1)[0], 3)
    assert list(found) == ["a", "b", "c"]
    assert list(found.values()) == pytest.approx([np.cos(0.1), np.cos(0.4), np.cos(3.0)], abs=1e-5)


@pytest.mark.parametrize(("k", "expected"), [(-1, 0), (0, 0), (2, 2), (3, 3), (1000, 3)])
def test_as_many_as_asked_for_and_there_are_come_back(store: VectorStore, k: int, expected: int) -> None:
    store.add(["a", "b", "c"], ["s"] * 3, units(0.0, 0.5, 3.1))
    assert len(store.nearest(units(0.1)[0], k)) == expected


def test_an_empty_store_finds_nothing(store: VectorStore) -> None:
    assert store.nearest(units(0.1)[0], 5) == {}
    assert store.vectors(["x"]) == {}
    assert (store.count(), list(store.all_ids())) == (0, [])


def test_few_sources_are_searched_whole_among_many(store: VectorStore) -> None:
    rng = np.random.default_rng(7)
    rows = rng.normal(size=(1500, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    store.add([f"p{n}" for n in range(1500)], ["rare" if n % 300 == 0 else "common" for n in range(1500)], rows)
    assert sorted(store.nearest(rows[1], 40, ["rare"])) == sorted(f"p{n}" for n in (0, 300, 600, 900, 1200))
    assert store.nearest(rows[1], 40, ["nobody"]) == {}
    best = sorted((float(rows[1] @ row) for row in rows), reverse=True)[:40]
    assert list(store.nearest(rows[1], 40).values()) == pytest.approx(best, abs=1e-5)
    assert len(store.nearest(rows[1], 1500)) == 1500


def test_more_than_a_page_of_ids_is_listed_and_counted(store: VectorStore) -> None:
    ids = [f"p{n}" for n in range(1201)]
    store.add(ids, ["s"] * 1201, np.repeat(ROW, 1201, axis=0))
    assert sorted(store.all_ids()) == sorted(ids)
    assert store.count() == 1201


def test_an_id_that_is_there_gets_the_new_vector(store: VectorStore) -> None:
    """A write that is repeated after a broken connection must not fail or count twice."""
    store.add(["a"], ["s"], units(0.0))
    store.add(["a"], ["s"], units(1.5))
    assert store.vectors(["a"])["a"] == pytest.approx(units(1.5)[0])
    assert store.count() == 1


def test_everything_is_there_when_the_store_is_opened_again(tmp_path: Path) -> None:
    with closing(VectorStore(tmp_path / "chroma")) as first:
        first.add(["a"], ["s"], ROW)
    with closing(VectorStore(tmp_path / "chroma")) as second:
        assert second.vectors(["a"])["a"] == pytest.approx(ROW[0])
        assert list(second.nearest(ROW[0], 1)) == ["a"]


def test_closing_one_of_two_stores_on_a_folder_leaves_the_other_working(store: VectorStore, tmp_path: Path) -> None:
    store.add(["a"], ["s"], ROW)
    VectorStore(tmp_path / "chroma").close()
    assert list(store.nearest(ROW[0], 1)) == ["a"]


def test_a_broken_store_is_told_as_damage_with_the_way_on(tmp_path: Path) -> None:
    (tmp_path / "chroma").mkdir()
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"not a database at all " * 300)
    with pytest.raises(Damaged, match="iskp index --rebuild"):
        VectorStore(tmp_path / "chroma")
