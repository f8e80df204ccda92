"""The second set of vectors: made once, kept in line, searched exactly; real index."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index import languages
from index.errors import LanguagesMissing
from index.languages import LanguageVectors
from index.search import Filters, IndexReader
from index.sync import sync
from index.terms import Vocabulary
from ingest.chunk import ChunkSettings

TEXTS = {
    "ferry": "---\ngenre: news\n---\n# Ferry\n\nThe boat to the island departs every morning at seven.\n\nDogs travel free of charge.\n",
    "board": "---\ngenre: government\n---\n# Board\n\nThe harbour board closed the eastern pier.\n\nIts order forbids fishing.\n",
    "bread": "---\ngenre: research\n---\n# Bread\n\nBakers let the sour dough rest overnight.\n",
}


@pytest.fixture
def home(make_index: Callable[..., Path], hash_encoder: Any) -> IndexReader:
    return IndexReader(make_index(TEXTS), hash_encoder, ChunkSettings(), lambda: Vocabulary([], []))


def vectors_of(tmp_path: Path, make_encoder: Any) -> LanguageVectors:
    return LanguageVectors(tmp_path / "languages", make_encoder("other", 32))


def test_an_index_is_seen_through_another_encoder_with_its_filters(home: IndexReader, tmp_path: Path, make_encoder: Any) -> None:
    opened = home.current()
    assert opened is not None
    vectors = vectors_of(tmp_path, make_encoder)
    seen = vectors.view(opened)
    hit = seen.search("the boat departs", 1)[0]
    wanted = vectors.encoder.encode(["the boat departs", languages.embedded_text(hit.passage)])
    assert hit.passage.source_id == "ferry"
    assert hit.similarity == pytest.approx(float(wanted[0] @ wanted[1]), abs=1e-3)
    within = seen.search("the boat departs", 5, filters=Filters(genres=("government",)))
    assert {h.passage.source_id for h in within} == {"board"} and len(within) == 2
    assert seen.passage_count() == opened.passage_count() == 5 and vectors.view(opened) is seen


def test_only_what_changed_is_encoded_again_and_another_process_reads_it(
    home: IndexReader, library: Any, put: Any, tmp_path: Path, make_encoder: Any, hash_encoder: Any
) -> None:
    vectors = vectors_of(tmp_path, make_encoder)
    assert vectors.fill(home.current()) == 5 and vectors.fill(home.current()) == 0
    put("bread", TEXTS["bread"] + "\nRye keeps longer than wheat.\n")
    library.remove("board")
    sync(tmp_path / "home" / "index", library, hash_encoder)
    again = vectors_of(tmp_path, make_encoder)
    seen = again.view(home.current())
    assert [t.rpartition(": ")[2] for t in again.encoder.texts] == ["Rye keeps longer than wheat."]
    assert {h.passage.source_id for h in seen.search("pier rye boat", 9)} == {"bread", "ferry"}
    assert len(list((tmp_path / "languages").glob("*.npy"))) == 1
    assert vectors_of(tmp_path, make_encoder).view(home.current()).search("rye", 1)[0].passage.text.startswith("Rye")


def test_too_many_passages_for_a_question_name_the_command(
    home: IndexReader, tmp_path: Path, make_encoder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "AT_ONCE", 3)
    vectors = vectors_of(tmp_path, make_encoder)
    with pytest.raises(LanguagesMissing, match=r"5 passages .* run: iskp index --languages"):
        vectors.view(home.current())
    told: list[tuple[int, int]] = []
    assert vectors.fill(home.current(), lambda *at: told.append(at)) == 5 and told[-1] == (5, 5)
    assert vectors.view(home.current()).search("dough", 1)[0].passage.source_id == "bread"


@pytest.mark.parametrize("damage", ["cut", "no contents", "other encoder"])
def test_what_is_damaged_or_of_another_encoder_is_made_again(
    home: IndexReader, tmp_path: Path, make_encoder: Any, damage: str
) -> None:
    vectors_of(tmp_path, make_encoder).fill(home.current())
    matrix = next((tmp_path / "languages").glob("*.npy"))
    if damage == "cut":
        matrix.write_bytes(matrix.read_bytes()[:100])
    if damage == "no contents":
        (tmp_path / "languages" / "vectors.json").write_text("{")
    name = "another" if damage == "other encoder" else "other"
    again = LanguageVectors(tmp_path / "languages", make_encoder(name, 32))
    assert again.view(home.current()).search("dough", 1)[0].passage.source_id == "bread"
    assert len(again.encoder.texts) == 6  # five passages and the question
