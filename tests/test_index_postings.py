from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import catalog as catalogs
from index.catalog import GROWTH, Catalog, taken_over
from index.postings import TOKENIZER, Posting, Words, top
from ingest.chunk import chunk
from ingest.source import Source

WORDS = ["harbour", "Harbours", "rye", "barrel", "café", "CAFE", "counted", "counting", "ферма", "a_b", "B52", "1711"]


def text_of(draw: random.Random, title: str) -> str:
    lines = (" ".join(draw.choices(WORDS, k=draw.randint(1, 300))) + "." for _ in range(6))
    return f"# {title}\n\n" + "\n\n".join(lines)


def test_scores_are_those_of_fts5_whatever_was_put_changed_and_removed(
    tmp_path: Path, make_source: Callable[..., Source], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogs, "_PENDING", 7)  # many segments, which become few
    draw = random.Random(11)
    with closing(Catalog(tmp_path / "catalog.db")) as catalog:
        for _ in range(60):
            catalog.begin()
            name = f"s{draw.randrange(12)}"
            if draw.random() < 0.3:
                catalog.remove(name)
            else:
                source = make_source(name, text_of(draw, " ".join(draw.choices(WORDS, k=2))))
                catalog.put(source, chunk(source))
            catalog.commit()
        with closing(sqlite3.connect(tmp_path / "catalog.db")) as db:
            segments = db.execute("SELECT COUNT(*) FROM segments").fetchone()[0]
            for groups in (["rye"], ["café", "rye"], ["ферма", "B52", "1711", "counted"], ["nothing"], ["a_b"]):
                query = " OR ".join(f'"{w}"' for w in groups)
                expected = dict(
                    db.execute(
                        "SELECT p.id, -bm25(lexical, 1.0, 0.33) FROM lexical JOIN passages AS p ON p.number = lexical.rowid "
                        "WHERE lexical MATCH ?", (query,),
                    )
                )  # fmt: skip
                assert dict(catalog.search([(w,) for w in groups], 1000)) == pytest.approx(expected, rel=1e-6)
                for word in groups:
                    n = db.execute("SELECT COUNT(*) FROM lexical WHERE lexical MATCH ?", (f'"{word}"',)).fetchone()[0]
                    assert catalog.document_frequency([word])[word] == n
        assert 1 <= segments <= 6
        assert catalog.check() == []


def test_words_are_cut_as_fts5_cuts_them() -> None:
    with closing(Words()) as words:
        assert words.of("Counting the cafés' B52, a_b") == ["count", "the", "cafe", "b52", "a", "b"]
        rows = [(7, "Rye, rye and salt", "Salt"), (9, "Rye", "")]
        postings, lengths = words.postings(rows)
        found = {term: (p.numbers.tolist(), p.body.tolist(), p.context.tolist()) for term, p in postings}
        assert lengths == {7: 5, 9: 1}
        assert found == {"rye": ([7, 9], [2, 1], [0, 0]), "and": ([7], [1], [0]), "salt": ([7], [1], [1])}
        assert words.postings([]) == ([], {})
    assert "porter" in TOKENIZER


@given(st.dictionaries(st.integers(1, 2**32 - 1), st.tuples(st.integers(0, 255), st.integers(0, 255)), max_size=30))
def test_a_posting_comes_back_from_bytes(rows: dict[int, tuple[int, int]]) -> None:
    numbers = sorted(rows)
    posting = Posting(
        np.array(numbers, dtype=np.uint32),
        np.array([rows[n][0] for n in numbers], dtype=np.uint8),
        np.array([rows[n][1] for n in numbers], dtype=np.uint8),
    )
    again = Posting.load(posting.dump())
    assert [a.tolist() for a in (again.numbers, again.body, again.context)] == [
        a.tolist() for a in (posting.numbers, posting.body, posting.context)
    ]


@given(st.lists(st.integers(0, 5), max_size=20), st.integers(1, 8))
def test_the_best_and_their_equals_are_kept(values: list[int], k: int) -> None:
    scores = np.array(values, dtype=float)
    found = sorted((values[i] for i in top(scores, k)), reverse=True)
    ranked = sorted(values, reverse=True)
    assert found == [v for v in ranked if v >= ranked[min(k, len(ranked)) - 1]]


@given(st.integers(1, 10_000), st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_pieces_stay_few(first: int, changes: list[int]) -> None:
    """Sizes, newest first: whatever comes, each is more than GROWTH times all newer ones together, so their number is a logarithm."""
    sizes = [first]
    for new in changes:
        sizes = [new, *sizes]
        taken = taken_over(sizes)
        sizes = [sum(sizes[:taken]), *sizes[taken:]]
        assert all(size > GROWTH * sum(sizes[:1]) for size in sizes[1:2])
    assert len(sizes) <= 2 + np.log(first + sum(changes)) / np.log(GROWTH)
