"""Names of a question in other letters than those of the collection."""

from __future__ import annotations

import pytest

from index.names import Names, names_of
from index.terms import Vocabulary

TEXTS = [
    "Sanaullah Ghafari leads the group. The court of Kandahar heard Mujahid; the Crocus hall burned.",
    "Borangaziyev and Newton wrote to Sudan. In April the police came to Kerman, and the group left.",
]


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(names_of(TEXTS), Vocabulary.load())


@pytest.mark.parametrize(
    ("question", "spelled"),
    [
        ("Кто такой Санаулла Гафари?", ["Sanaullah", "Ghafari"]),
        ("غفاری کیست؟", ["Ghafari"]),
        ("مجاهد در قندهار چه گفت؟", ["Mujahid", "Kandahar"]),
        ("Что произошло в Кандагаре и Кермане?", ["Kandahar", "Kerman"]),
        ("Что Борангазиев пишет о России?", ["Borangaziyev", "Russia"]),
        ("Кто возглавляет ИГИЛ-Хорасан?", ["ISKP"]),
        ("رهبر داعش خراسان کیست؟", ["ISKP"]),
        ("Сколько талибов в Китае?", ["Taliban", "China"]),
        ("Тоҷикистон чанд ҷангҷӯ дорад?", ["Tajikistan"]),
        ("Warum sorgt sich Russland um Zentralasien?", ["Russia", "Central Asia"]),
    ],
)
def test_a_name_is_found_in_the_spelling_of_the_collection(names: Names, question: str, spelled: list[str]) -> None:
    found = names.found(question)
    assert [n.spelled[0] for n in found] == spelled
    assert all(question[n.start : n.end] == n.written for n in found)


@pytest.mark.parametrize(
    "question",
    [
        "Какое решение суда отменило сегрегацию?",  # no Sudan
        "Какие страны участвовали в переговорах и каковы их результаты?",
        "Сколько стоит проезд в метро?",
        "این کتاب چه زمانی نوشته شده است؟",  # no Estonia
        "What did Russia say about Kerman?",
    ],
)
def test_other_words_are_no_names(names: Names, question: str) -> None:
    assert names.found(question) == ()


def test_a_month_is_one_beside_a_figure_alone(names: Names) -> None:
    (found,) = names.found("در آوریل ۲۰۲۴ چه شد؟")
    assert found.month and found.spelled == ("April",)
    assert "June" not in [s for n in names.found("جون کیست؟") for s in n.spelled]
