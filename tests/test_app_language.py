"""Which language a question is in; the real identifier."""

import json

import pytest

from app.text.language import ENGLISH, language_of, unreadable


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Сколько бойцов у ИГХ?", "ru"),
        ("Қанша содырлар бар?", "kk"),
        ("Чанд ҷангҷӯ дорад?", "tg"),
        ("شمار جنگجویان داعش خراسان چقدر است؟", "fa"),
        ("有多少战士？", "zh"),
        ("¿Cuántos combatientes tiene ISKP?", "es"),
        ("Combien de combattants compte l'ISKP ?", "fr"),
        ("Wie viele Kämpfer hat ISKP?", "de"),
    ],
)
def test_other_languages_are_named_and_told_in_their_own_words(text: str, code: str) -> None:
    found = language_of(text)
    assert found.code == code
    said = unreadable(found)
    assert found.name in said and found.say in said and found.say
    assert "not answer" not in said  # nothing is claimed about what the sources hold


@pytest.mark.parametrize(
    "text",
    [
        "ISKP strength 2023", "Ansarullah leader", "Kandahar bank attack toll", "Who is Sanaullah Ghafari?", "Crocus attackers number",
        "What is “Вилаят Хорасан”?", "Wilayat Khorasan", "2023?", "Ghafari", "al-Muhajir", "Taliban Daesh rivalry cause", "?", "12",
        "How did Muhammad Karimi die", "reward Ghafari", "Why?", "opinion author Trojan horse",
    ],
)  # fmt: skip
def test_english_keywords_and_names_count_as_english(text: str) -> None:
    assert language_of(text) == ENGLISH


def test_a_script_without_a_sentence_of_its_own_is_still_told() -> None:
    found = language_of("რამდენი მებრძოლი ჰყავს?")
    assert found.code != "en"
    assert "another language" in unreadable(found)
    assert json.dumps(unreadable(found))
