from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.catalog import Catalog
from index.errors import Damaged
from index.words import stem
from ingest.chunk import chunk
from ingest.source import Source

Make = Callable[..., Source]

TEXTS = {
    "bees": "# Bees\n\nBees store honey in combs of wax.\n\nA beekeeper smoked the hive before harvesting honey.\n",
    "wax": "# Candles\n\nCandles were poured from wax in December.\n",
    "cafe": "# Rest\n\nThe café served crème brûlée.\n",
}


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with closing(Catalog(tmp_path / "catalog.db")) as opened:
        yield opened


@pytest.fixture
def filled(catalog: Catalog, make_source: Make) -> Catalog:
    for source_id, text in TEXTS.items():
        source = make_source(source_id, text)
        catalog.put(source, chunk(source))
    return catalog


def found(catalog: Catalog, *groups: tuple[str, ...], k: int = 10) -> list[str]:
    texts = {p.id: p.text for i in catalog.source_ids() for p in chunk(catalog.source(i))}
    return [texts[i] for i, _ in catalog.search(groups, k)]


def test_passages_with_the_words_are_found_and_others_are_not(filled: Catalog) -> None:
    assert sorted(found(filled, ("wax",))) == [
        "Bees store honey in combs of wax.",
        "Candles were poured from wax in December.",
    ]
    assert found(filled, ("volcano",)) == []


def test_scores_are_positive_and_fall(filled: Catalog) -> None:
    scores = [score for _, score in filled.search([("honey",), ("wax",), ("combs",)], 10)]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert min(scores) > 0


def test_the_passage_with_more_of_the_words_comes_first(filled: Catalog) -> None:
    assert found(filled, ("honey",), ("wax",))[0] == "Bees store honey in combs of wax."


@pytest.mark.parametrize("spelling", ["harvested", "HARVESTS", "harvest"])
def test_words_are_compared_by_their_stem(filled: Catalog, spelling: str) -> None:
    assert found(filled, (spelling,)) == ["A beekeeper smoked the hive before harvesting honey."]


@pytest.mark.parametrize("spelling", ["cafe", "café", "CREME"])
def test_accents_do_not_matter(filled: Catalog, spelling: str) -> None:
    assert found(filled, (spelling,)) == ["The café served crème brûlée."]


def test_several_words_in_a_row_are_looked_for_as_a_phrase(filled: Catalog) -> None:
    assert found(filled, ("combs of wax",)) == ["Bees store honey in combs of wax."]
    assert found(filled, ("wax of combs",)) == []


def test_the_title_is_searched_but_weighs_less_than_the_text(catalog: Catalog, make_source: Make) -> None:
    for source_id, text in {
        "titled": "# Honey\n\nIt is kept in jars of clay.\n",
        "told": "# Jars\n\nHoney is kept in jars of clay.\n",
    }.items():
        source = make_source(source_id, text)
        catalog.put(source, chunk(source))
    assert found(catalog, ("honey",)) == ["Honey is kept in jars of clay.", "It is kept in jars of clay."]


def test_of_several_spellings_of_one_thing_only_the_best_counts(catalog: Catalog, make_source: Make) -> None:
    other = "".join(f"There is no word of it in number {n}.\n\n" for n in range(9))
    source = make_source(
        "names", f"# Notes\n\nThe cutter is called smack, hoy and yawl here.\n\nThe hoy sailed.\n\n{other}"
    )
    catalog.put(source, chunk(source))
    boat = ("smack", "hoy", "yawl")
    listing, hoy = (p.id for p in chunk(source)[:2])
    alone = {word: dict(catalog.search([(word,)], 10)) for word in boat}
    together = dict(catalog.search([boat], 10))
    # All spellings are as rare as the whole group, which here is as rare as "hoy".
    assert together == pytest.approx({listing: alone["hoy"][listing], hoy: alone["hoy"][hoy]})
    assert together[listing] < alone["smack"][listing]
    apart = dict(catalog.search([(word,) for word in boat], 10))
    assert apart[listing] == pytest.approx(sum(scores[listing] for scores in alone.values()))


def test_the_rarest_spelling_is_no_better_than_the_usual_one(catalog: Catalog, make_source: Make) -> None:
    usual = "".join(f"The hoy of number {n} sailed with its crew of five.\n\n" for n in range(5))
    other = "".join(f"There is no word of it in number {n}.\n\n" for n in range(9))
    source = make_source(
        "names", f"# Notes\n\nA smack is called so for the sound that it makes in port.\n\n{usual}{other}"
    )
    catalog.put(source, chunk(source))
    rare, *_ = (p.id for p in chunk(source))
    ranked = [i for i, _ in catalog.search([("smack", "hoy"), ("crew",)], 20)]
    assert ranked[-1] == rare and len(ranked) == 6


@pytest.mark.parametrize(("k", "expected"), [(-1, 0), (0, 0), (1, 1), (2, 2), (99, 2)])
def test_no_more_than_k_are_returned(filled: Catalog, k: int, expected: int) -> None:
    assert len(filled.search([("wax",)], k)) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.lists(st.text(max_size=12) | st.sampled_from(['wax"', "NOT", "a*", "x:y", "___", "-", "( "]), max_size=3)
    )
)
def test_no_query_breaks_the_query_language(filled: Catalog, groups: list[list[str]]) -> None:
    groups = [[t.encode("utf-8", "ignore").decode() for t in g] for g in groups]
    assert all(score > 0 for _, score in filled.search(groups, 5))
    assert set(filled.document_frequency(t for g in groups for t in g)) == {t for g in groups for t in g}


def test_document_frequency_counts_passages_with_their_titles(filled: Catalog) -> None:
    assert filled.document_frequency(["honey", "bees", "wax", "volcano", "?"]) == {
        "honey": 2, "bees": 2, "wax": 2, "volcano": 0, "?": 0,
    }  # fmt: skip


def test_a_source_comes_back_as_it_was_indexed(filled: Catalog, make_source: Make) -> None:
    assert filled.source("wax") == make_source("wax", TEXTS["wax"])
    assert filled.source("nothing") is None
    assert filled.source_ids() == ["bees", "cafe", "wax"]
    assert filled.fingerprints()["wax"] == make_source("wax", TEXTS["wax"]).fingerprint
    assert filled.passage_count() == len(set(filled.passage_ids())) == 4


def test_putting_a_source_again_replaces_its_passages(filled: Catalog, make_source: Make) -> None:
    newer = make_source("wax", "# Candles\n\nTallow is cheaper.\n")
    filled.put(newer, chunk(newer))
    assert found(filled, ("tallow",)) == ["Tallow is cheaper."]
    assert found(filled, ("december",)) == []
    assert filled.passage_count() == 4


def test_a_removed_source_is_found_no_more_and_an_unknown_one_is_ignored(filled: Catalog) -> None:
    filled.remove("bees")
    filled.remove("nothing")
    assert found(filled, ("honey",)) == []
    assert filled.source_ids() == ["cafe", "wax"]
    assert filled.passage_count() == len(list(filled.passage_ids())) == 2


def test_words_are_lower_case_letters_only(filled: Catalog, make_source: Make) -> None:
    source = make_source("year", "# Year\n\nIn 1711 the B52 Hive was built.\n")
    filled.put(source, chunk(source))
    words = set(filled.words())
    assert {"hive", "café", "year"} <= words
    assert words.isdisjoint({"1711", "b52", "Hive"})


def test_a_reader_cannot_write(filled: Catalog, tmp_path: Path, make_source: Make) -> None:
    with closing(Catalog(tmp_path / "catalog.db", readonly=True)) as reader:
        assert reader.source_ids() == ["bees", "cafe", "wax"]
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.put(make_source("x", "Text."), [])


def test_a_whole_catalog_passes_its_check(filled: Catalog) -> None:
    assert filled.check() == []


def test_a_missing_catalog_is_told_as_damage_with_the_way_on(tmp_path: Path) -> None:
    with pytest.raises(Damaged, match="iskp index --rebuild"):
        Catalog(tmp_path / "catalog.db", readonly=True)


def test_a_broken_catalog_is_told_as_damage_with_the_way_on(tmp_path: Path) -> None:
    (tmp_path / "catalog.db").write_bytes(b"not a database at all " * 300)
    with pytest.raises(Damaged, match="iskp index --rebuild"):
        Catalog(tmp_path / "catalog.db", readonly=True)


def test_the_commonest_words_are_left_out_where_they_would_match_too_much(
    filled: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups = [("wax",), ("honey",), ("brûlée",)]  # in two, two and one of four passages
    assert len(filled.search(groups, 10)) == 4
    monkeypatch.setattr("index.catalog.SCORED_AT_MOST", 3)
    with closing(Catalog(tmp_path / "catalog.db", readonly=True)) as reader:
        assert len(reader.search(groups, 10)) == 3
        assert [t for t in found(reader, *groups) if "wax" in t and "honey" in t]
        assert "The café served crème brûlée." in found(reader, *groups)
        assert len(reader.search([("wax",)], 10)) == 2  # one word is always kept
        assert reader.search([("volcano",), ("wax",)], 10) == reader.search([("wax",)], 10)


def test_equal_scores_come_in_the_order_of_their_ids(catalog: Catalog, make_source: Make) -> None:
    for number in range(8):
        source = make_source(f"s{number}", "# Title\n\nThe same words.\n")
        catalog.put(source, chunk(source))
    ids = [i for i, _ in catalog.search([("words",)], 8)]
    assert ids == sorted(ids) and len(ids) == 8


def test_passages_of_other_languages_are_found_by_their_stems_and_told(catalog: Catalog, make_source: Make) -> None:
    texts = {
        "ru": "# Мельница\n\nНа старой мельнице у реки мололи рожь и пшеницу до самой зимы.\n",
        "fa": "# آسیاب\n\nآسیاب کنار رودخانه گندم را آرد می‌کند و نان شهر از آن است.\n",
        **TEXTS,
    }
    for source_id, text in texts.items():
        source = make_source(source_id, text)
        catalog.put(source, chunk(source))
    assert [t[:9] for t in found(catalog, (stem("мельницу", "ru"),))] == ["На старой"]
    assert [t[:5] for t in found(catalog, ("رودخانه",), ("می",))] == ["آسیاب"]
    assert catalog.languages() == {"ru": {"ru"}, "fa": {"fa"}, "en": set(TEXTS)}
    catalog.remove("ru")
    catalog.compact()
    assert set(catalog.languages()) == {"fa", "en"}
    assert not any(w.startswith("мельниц") for w in catalog.words())


def test_rows_of_english_passages_are_their_text_and_nothing_more(filled: Catalog, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "catalog.db")) as db:
        rows = {body for (body,) in db.execute("SELECT body FROM lexical")}
    assert rows == {p.text for i in filled.source_ids() for p in chunk(filled.source(i))}
