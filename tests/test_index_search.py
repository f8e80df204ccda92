from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index.embed import Encoder
from index.search import Filters, Hit, IndexReader, OpenIndex, SearchSettings
from index.sync import sync
from index.terms import Vocabulary
from ingest.chunk import ChunkSettings
from ingest.library import Library

VOCABULARY = Vocabulary(
    [
        "what",
        "when",
        "where",
        "who",
        "how",
        "why",
        "is",
        "are",
        "was",
        "were",
        "the",
        "a",
        "an",
        "of",
        "in",
        "on",
        "at",
        "to",
        "did",
        "does",
        "do",
    ],
    [["Northern Harbour Board", "NHB", "Harbour Board"]],
)

TEXTS = {
    "ferry": (
        "---\ndate: 2021-03-14\ngenre: news\n---\n# The ferry\n\n"
        "The boat to the island departs every morning at seven.\n\n"
        "A ticket for the crossing costs four crowns.\n\n"
        "Dogs travel free of charge on the lower deck.\n"
    ),
    "board": (
        "---\ndate: 2019\ngenre: government\n---\n# Decisions\n\n"
        "The Northern Harbour Board closed the eastern pier for repairs.\n\n"
        "Its order QX-4417 forbids fishing from the breakwater.\n"
    ),
    "bread": (
        "---\ngenre: research\n---\n# Rye bread\n\n"
        "Bakers let the sour dough rest overnight before they bake it.\n\n"
        "Rye keeps longer than wheat.\n"
    ),
    "weather": (
        "---\ndate: 2021-11\ngenre: news\n---\n# Weather\n\n"
        "A storm tore the roof off the fish market.\n"
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def opened(
    real_encoder: Encoder, make_source, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OpenIndex]:
    home = tmp_path_factory.mktemp("home")
    with closing(Library(home / "library.db")) as library:
        for source_id, text in TEXTS.items():
            library.put(make_source(source_id, text), raw_digest=source_id)
        sync(home / "index", library, real_encoder)
    with closing(IndexReader(home / "index", real_encoder, ChunkSettings(), lambda: VOCABULARY)) as reader:
        current = reader.current()
        assert current is not None
        yield current


def found(hits: list[Hit]) -> set[str]:
    return {hit.passage.source_id for hit in hits}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("When can I sail over in the morning?", "departs every morning"),
        ("May I bring my puppy?", "Dogs travel free"),
        ("How is sourdough made?", "sour dough"),
        ("Which building was damaged by wind?", "storm tore the roof"),
    ],
)
def test_passages_are_found_by_meaning(opened: OpenIndex, query: str, words: str) -> None:
    assert words in opened.search(query, 3)[0].passage.text


def test_passages_are_found_by_a_word_that_no_model_knows(opened: OpenIndex) -> None:
    best = opened.search("QX-4417")[0]
    assert "QX-4417" in best.passage.text
    assert best.lexical > 0


def test_a_spelling_finds_passages_that_use_another(opened: OpenIndex) -> None:
    best = opened.search("NHB")[0]
    assert "Northern Harbour Board" in best.passage.text
    assert best.lexical > 0
    assert opened.document_frequency(["NHB", "volcano"]) == {"NHB": 1, "volcano": 0}


def test_scores_fall_and_ranks_count_from_one(opened: OpenIndex) -> None:
    hits = opened.search("fishing from the pier", 6)
    assert [h.rank for h in hits] == [1, 2, 3, 4, 5, 6]
    assert [h.score for h in hits] == sorted((h.score for h in hits), reverse=True)
    assert len({h.passage.id for h in hits}) == 6


def test_the_score_is_the_cosine_and_the_weighed_lexical_score_in_the_spread_of_the_cosines(opened: OpenIndex) -> None:
    settings = SearchSettings(candidates=opened.passage_count(), lexical_weight=0.5)
    hits = opened.search("fishing from the pier", opened.passage_count(), settings=settings)
    assert len(hits) == opened.passage_count()
    spread = statistics.pstdev(h.similarity for h in hits) / statistics.pstdev(h.lexical for h in hits)
    assert spread > 0
    for hit in hits:
        assert -1.001 <= hit.similarity <= 1.001
        assert hit.score == pytest.approx(hit.similarity + 0.5 * spread * hit.lexical)


def test_when_no_word_of_the_query_is_known_the_cosine_alone_decides(opened: OpenIndex) -> None:
    hits = opened.search("zyxwv", 3)
    assert [h.lexical for h in hits] == [0.0] * 3
    assert [h.score for h in hits] == [h.similarity for h in hits]


def test_without_lexical_weight_the_cosine_alone_decides(opened: OpenIndex) -> None:
    hits = opened.search("fishing from the pier", 8, settings=SearchSettings(lexical_weight=0.0))
    assert [h.score for h in hits] == [h.similarity for h in hits]


@pytest.mark.parametrize("query", ["", "  \n\t"])
def test_a_blank_query_finds_nothing(opened: OpenIndex, query: str) -> None:
    assert opened.search(query) == []


@pytest.mark.parametrize("query", ["?!", "the of is", '"', "🙂"])
def test_a_query_without_topic_words_still_gets_an_answer(opened: OpenIndex, query: str) -> None:
    assert len(opened.search(query, 3)) == 3


@pytest.mark.parametrize(("k", "expected"), [(-1, 0), (0, 0), (1, 1), (8, 8), (5000, 8)])
def test_as_many_hits_as_asked_for_and_there_are(opened: OpenIndex, k: int, expected: int) -> None:
    assert opened.passage_count() == 8
    assert len(opened.search("fish", k)) == expected


def test_fewer_candidates_than_k_do_not_shorten_the_answer(opened: OpenIndex) -> None:
    assert len(opened.search("fish", 8, settings=SearchSettings(candidates=1))) == 8


EVERY = {"ferry", "board", "bread", "weather"}


@pytest.mark.parametrize(
    ("filters", "sources"),
    [
        (Filters(), EVERY),
        (Filters(sources=("bread",)), {"bread"}),
        (Filters(sources=("bread", "ferry")), {"bread", "ferry"}),
        (Filters(sources=("nothing",)), set()),
        (Filters(genres=("news",)), {"ferry", "weather"}),
        (Filters(genres=("news", "government")), {"ferry", "weather", "board"}),
        (Filters(since=20210101), {"ferry", "weather"}),
        (Filters(since=20190701), {"ferry", "weather", "board"}),  # 2019 may be December
        (Filters(since=20211115), {"weather"}),  # November 2021 may be its last day
        (Filters(until=20191231), {"board"}),
        (Filters(until=20210313), {"board"}),
        (Filters(until=20210314), {"board", "ferry"}),
        (Filters(since=20200101, until=20210601), {"ferry"}),
        (Filters(since=20300101), set()),
        (Filters(genres=("news",), sources=("board",)), set()),
        (Filters(genres=("news",), since=20210601, until=20211231, sources=("weather", "ferry")), {"weather"}),
    ],
)
@pytest.mark.parametrize("query", ["boat board bread storm", "QX-4417", "what"])
def test_only_sources_that_pass_the_filter_are_found_and_undated_ones_pass_no_date_bound(
    opened: OpenIndex, query: str, filters: Filters, sources: set[str]
) -> None:
    hits = opened.search(query, 20, filters=filters)
    assert found(hits) == sources
    assert [h.rank for h in hits] == list(range(1, len(hits) + 1))


def test_sources_and_passages_can_be_listed(opened: OpenIndex) -> None:
    assert [s.id for s in opened.sources()] == ["board", "bread", "ferry", "weather"]
    source = opened.source("ferry")
    assert source is not None
    passages = opened.passages_of("ferry")
    assert [p.ordinal for p in passages] == [0, 1, 2]
    assert all(source.text[p.start : p.end] == p.text for p in passages)
    assert opened.source("nothing") is None
    assert opened.passages_of("nothing") == []


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("When does the fery leave?", "When does the ferry leave?"),
        ("Breakwatre repairs", "Breakwater repairs"),
        ("the esatern pier", "the eastern pier"),
        ("What is a volcano?", "What is a volcano?"),
        ("FERY", "FERY"),
        ("order QX-4417", "order QX-4417"),
        ("ry bread", "ry bread"),
    ],
)
def test_misspelt_words_become_words_of_the_sources_and_others_stay(opened: OpenIndex, typed: str, meant: str) -> None:
    assert opened.correct_spelling(typed) == meant


def test_the_index_is_named_by_its_state_and_what_it_was_built_with(opened: OpenIndex) -> None:
    assert opened.id == f"{opened.folder.name}.{opened.view}-{opened.identity.short}"
    assert opened.identity.encoder == "all-MiniLM-L6-v2"
    assert opened.identity.dimension == 384


def test_equal_texts_in_two_sources_are_both_found(make_index, hash_encoder) -> None:
    root: Path = make_index({"a": "Rye keeps well.", "b": "Rye keeps well."})
    with closing(IndexReader(root, hash_encoder, ChunkSettings(), Vocabulary.load)) as reader:
        current = reader.current()
        assert current is not None
        assert found(current.search("rye", 2)) == {"a", "b"}


def test_a_lacking_letter_is_likelier_than_a_wrong_one(make_index, hash_encoder) -> None:
    root: Path = make_index({"a": "The boats have sails. He had a boat, she had one, they had two.", "b": "It had oars."})
    with closing(IndexReader(root, hash_encoder, ChunkSettings(), Vocabulary.load)) as reader:
        current = reader.current()
        assert current is not None and current.correct_spelling("boats hav sials") == "boats have sails"
