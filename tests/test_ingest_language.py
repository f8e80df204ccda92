"""The language of sources and passages, told from their text; the real identifier."""

import pytest

from ingest.blocks import Block, Extract, Metadata, assemble
from ingest.language import of_passage, of_text

RUSSIAN = "Городской музей Ивеля открылся после ремонта. В нём пять залов, и вход по субботам свободный."
PERSIAN = "موزه شهر ایول پس از تعمیر باز شد. این موزه پنج سالن دارد و ورود در روز شنبه آزاد است."
GERMAN = "Das Museum der Stadt Ivel wurde nach dem Umbau wieder geöffnet. Es hat fünf Säle, und am Samstag ist der Eintritt frei."
ENGLISH = "The museum of Ivel opened again after the works. It has five halls, and on Saturdays nobody has to pay."


@pytest.mark.parametrize(("text", "code"), [(RUSSIAN, "ru"), (PERSIAN, "fa"), (GERMAN, "de"), (ENGLISH, "en")])
def test_a_clear_text_wins_over_what_the_metadata_declare(text: str, code: str) -> None:
    for declared in ("en", "fr", None):
        assert of_text(text, declared) == code


@pytest.mark.parametrize(
    "text", ["Ivel 2034", "17 | 4.5 | 6", "Marta Orrin, Ivel\nPaul Aubin, Velle\nGreta Ohm, Hask\nIda Rook, Quell"]
)
def test_what_shows_no_language_keeps_the_declared_one(text: str) -> None:
    assert of_text(text, "cs") == "cs"


def test_the_user_s_word_wins_over_the_text() -> None:
    extract = Extract(blocks=(Block(text=RUSSIAN),), metadata=Metadata(language="en"))
    assert assemble("s", extract).language == "ru"
    assert assemble("s", extract, overrides=Metadata(language="bg")).language == "bg"


def test_passages_of_a_mixed_source_have_their_own_language() -> None:
    assert of_passage(RUSSIAN, "en") == "ru"
    assert of_passage(ENGLISH, "ru") == "en"
    assert of_passage(GERMAN, "en") == "de"


@pytest.mark.parametrize(
    "passage",
    [
        "Abd al-Rahman, Yusuf Karimi, Leyla Haddad, Omar Farouk, Nasrin Rahmani, Tariq Aziz, Samira Nazari, Hamid Gul, Zahra Amiri, Farid Noori, Laila Sherzad",
        "The word Вилаят stands for a province, and in Хорасан it names the whole region.",
        "Straße 4 | München | 1.204",
    ],
)  # fmt: skip
def test_names_and_foreign_words_do_not_make_an_english_source_foreign(passage: str) -> None:
    assert of_passage(passage, "en") == "en"
    assert of_passage(passage, None) == "en"
