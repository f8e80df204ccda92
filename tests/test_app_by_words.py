"""Questions in the language of a source that the embedding model does not read, over a small home; real encoder and index."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.answer import Answer
from app.home import Home
from app.text.messages import languages, translated
from index.search import Filters

SOURCES = {
    "ivel.txt": "Музей Ивеля открылся после ремонта 6 мая 2031 года. Ремонт музея обошёлся в 14 миллионов крон. Директор музея – Нина Лапина.",
    "velm.txt": "کتابخانه شهر ولم در بهار باز می‌شود. هزینه ساخت کتابخانه ۹ میلیون کرون بود. در این کتابخانه ۴۰ هزار کتاب هست.",
    "hask.txt": "Die Brücke von Hask wurde im Herbst erneuert. Die Erneuerung der Brücke kostete 3 Millionen Kronen und dauerte neun Wochen.",
    "mill.txt": "The mill of Orrin grinds 40 sacks a day. It was built by two brothers from the coast.",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("sources")
    for name, text in SOURCES.items():
        (folder / name).write_text(text)
    opened = Home(tmp_path_factory.mktemp("home"))
    opened.init(empty=True)
    told = {Path(o.name).name: o.reason for o in opened.add([folder], {})}
    assert "Russian" in told["ivel.txt"] and "by its words" in told["ivel.txt"]
    assert "Persian" in told["velm.txt"] and "German" in told["hask.txt"] and not told["mill.txt"]
    opened.sync()
    yield opened
    opened.close()


def ask(home: Home, question: str, filters: Filters = Filters()) -> Answer:
    return home.answerer.answer(question, filters=filters)


@pytest.mark.parametrize(
    ("question", "figure", "source"),
    [
        ("Во сколько обошёлся ремонт музея Ивеля?", "14 миллионов", "ivel.txt"),
        ("هزينه ساخت كتابخانه ولم چقدر بود؟", "۹ میلیون", "velm.txt"),  # with Arabic letters
        ("Wie viel kostete die Erneuerung der Brücke?", "3 Millionen", "hask.txt"),
    ],
)
def test_a_question_in_the_language_of_a_source_is_answered_by_its_words(
    home: Home, question: str, figure: str, source: str
) -> None:
    answer = ask(home, question)
    assert answer.status == "answered" and figure in answer.answer
    assert [c.source_id for c in answer.citations] == [source]
    assert all(c.quote in SOURCES[source] for c in answer.citations)
    assert answer.notice in {translated("by_words", code) for code in languages()} and answer.confidence <= 0.5


@pytest.mark.parametrize(
    "question",
    [
        "Сколько стоил ремонт школы Ивеля?",
        "Сколько стоил ремонт музея Тарна?",
        "Сколько стоил ремонт музея Ивеля в 2019 году?",
        "هزینه ساخت مدرسه ولم چقدر بود؟",
        "Wie viel kostete die Schule in Hask?",
    ],
)
def test_words_that_are_not_there_are_no_answer_and_what_is_near_is_offered(home: Home, question: str) -> None:
    answer = ask(home, question)
    assert answer.status == "abstained" and not answer.citations
    assert answer.nearest


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("¿Cuánto costó la renovación del museo de Ivel?", "14 миллионов"),
        ("Кто построил мельницу Оррина?", "two brothers"),
    ],
)
def test_a_source_in_another_language_than_the_question_is_found_by_meaning(home: Home, question: str, words: str) -> None:
    answer = ask(home, question)
    assert answer.status == "answered" and words in answer.answer


def test_a_question_in_letters_that_no_encoder_knows_is_not_searched(home: Home) -> None:
    answer = ask(home, "伊维尔博物馆的翻修花了多少钱？")
    assert answer.status == "abstained" and "was not searched" in answer.answer and "请用英语提问" in answer.answer


def test_a_source_that_is_filtered_out_is_not_quoted(home: Home) -> None:
    assert ask(home, "Во сколько обошёлся ремонт музея Ивеля?", Filters(sources=("mill.txt",))).status == "abstained"


def test_an_english_answer_tells_which_languages_were_not_searched_and_where_there_is_none_they_are(home: Home) -> None:
    answer = ask(home, "How many sacks does the mill of Orrin grind?")
    assert answer.status == "answered" and "40 sacks" in answer.answer
    assert "3 sources" in answer.notice and "German, Persian and Russian" in answer.notice
    assert "Russian" not in answer.answer
    foreign = ask(home, "How much did the repair of the museum of Ivel cost?")
    assert foreign.status == "answered" and "14 миллионов" in foreign.answer
    assert foreign.notice.startswith("Quoted as it stands, in Russian")
    assert {c.source_id for c in foreign.citations} == {"ivel.txt"}


def test_where_all_sources_are_english_nothing_is_told_of_languages(home: Home) -> None:
    answer = ask(home, "How many sacks does the mill of Orrin grind?", Filters(sources=("mill.txt",)))
    assert answer.status == "answered" and not answer.notice
