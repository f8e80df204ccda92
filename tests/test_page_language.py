"""What the page says to visitors of other languages: catalogues, the choice by header, and the page in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

import pytest

import app
from app.home import Home
from app.page.language import components, preferred, script_words
from app.rendering.render import render
from app.text.messages import languages, said, texts

if TYPE_CHECKING:
    from playwright.sync_api import Page

CODES = sorted(languages())
ROOT = Path(app.__file__).parent
NOTE = "The lighthouse of Skarvoy was lit for the first time in 1871. Its lamp burned rapeseed oil."
NAMED = re.compile(r"""\b(?:_|t|label)\(\s*(?:"([^"]+)"|'([^']+)')""")
"""A text of the page by its English sentence, in a template, the script, or the Ask tab."""


def names(sentence: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(sentence) if name)


def test_there_are_the_six_languages() -> None:
    assert CODES == ["de", "fa", "fr", "ru", "tg", "uz"]


@pytest.mark.parametrize("code", CODES)
def test_a_catalogue_has_every_text_with_its_placeholders(code: str) -> None:
    own, russian = texts(code), texts("ru")
    assert own.keys() == russian.keys() and all(words.strip() for words in own.values())
    assert {key for key in own if names(own[key]) != names(russian[key])} == set()
    english = {key for key in own if " " in key or key[:1].isupper()}  # the others are names of sentences
    assert {key for key in english if names(own[key]) != names(key) and "{number}" in own[key]} == set()
    assert {key for key in english if set(names(own[key])) - set(names(key))} == set()


def test_what_the_page_says_is_in_the_catalogues() -> None:
    templates = ROOT / "rendering" / "templates"
    files = [
        *templates.glob("*.html"),
        templates / "page.js",
        ROOT / "page" / "ask.py",
        ROOT / "page" / "server.py",
        ROOT / "page" / "talk.py",
    ]
    found = {a or b for f in files for a, b in NAMED.findall(f.read_text(encoding="utf-8"))}
    assert len(found) > 150 and found - texts("ru").keys() == set()


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("fa-IR", "fa"), ("fa-AF,ps;q=0.5", "fa"), ("uz-UZ", "uz"), ("tg", "tg"), ("ja,de;q=0.4", "de"),
        ("en-GB,ru;q=0.9", "en"), ("ru;q=0.3,fr;q=0.7", "fr"), ("ja", "en"), ("", "en"), ("*", "en"), ("ru;q=0", "en"), ("ru;q=x, ;;,", "en"),
    ],
)  # fmt: skip
def test_the_language_is_chosen_by_what_the_browser_accepts(header: str, code: str) -> None:
    assert preferred(header) == code


def test_a_text_that_no_catalogue_has_stays_and_is_not_searched_for_names() -> None:
    assert said("Claimed only by {0}", language="ru") == "Claimed only by {0}"
    assert said("Question {number}", language="ru", number="{x}") == "Вопрос {x}"
    assert said("Question {number}", number=3) == "Question 3"
    assert "<b>" not in render(
        "filters.html", language="fa", scope="", chips=[{"title": "<b>", "rest": ""}], sources="[]"
    )


def test_components_get_the_catalogues_and_the_script_its_own_words() -> None:
    assert components().translations_dict["ru"]["New conversation"] == "Новая беседа"
    assert (
        "Скопировано" in script_words("ru") and "Новая беседа" not in script_words("ru") and script_words("en") == "{}"
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, serve_page: Callable[..., str]) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("home")
    note = tmp_path_factory.mktemp("sources") / "lighthouse.md"
    note.write_text(f"---\ntitle: The Lighthouse\ndate: 1905\n---\n\n{NOTE}\n")
    home = Home(folder)
    home.init(empty=True)
    assert [outcome.status for outcome in home.add([note], {})] == ["added"]
    home.sync()
    home.close()
    yield serve_page(folder)


def asked(page: Page, question: str) -> None:
    page.fill("#question textarea", question)
    page.click("#ask")
    page.wait_for_selector("#live .turn[aria-busy=false]")


@pytest.mark.browser
def test_a_russian_visitor_reads_the_page_in_russian(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address, locale="ru-RU")
    page.wait_for_selector("text=Каждое предложение ведёт к отрывку")
    page.wait_for_selector(".welcome h3:has-text('Что здесь есть')")
    assert page.evaluate("document.documentElement.lang") == "ru"
    assert page.inner_text('[role="tab"][data-tab-id="ask"]') == "Спросить"
    assert page.get_attribute("#question textarea", "placeholder") == "Ваш вопрос … ( / – сюда)"
    page.wait_for_selector("#scope h2:has-text('Источников: 1')", state="attached")
    asked(page, "When was the lighthouse of Skarvoy first lit?")
    live = page.locator("#live")
    assert "1871" in live.inner_text() and live.get_by_role("button", name="Изменить вопрос").is_visible()
    page.wait_for_selector("#evidence h2:has-text('Процитированные отрывки')")
    page.click('[role="tab"][data-tab-id="sources"]')
    page.wait_for_selector("#source-table")
    assert page.evaluate("location.hash") == "#/sources"


@pytest.mark.browser
def test_a_persian_visitor_reads_the_page_from_the_right(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address, locale="fa-IR")
    page.wait_for_selector(".welcome h3:has-text('چه می‌توان کرد')")
    assert page.evaluate("getComputedStyle(document.querySelector('.welcome')).direction") == "rtl"
    asked(page, "When was the lighthouse of Skarvoy first lit?")
    assert page.locator("#live").get_by_role("button", name="ویرایش پرسش").is_visible()
    quote = page.locator("#evidence .passage").first
    assert quote.evaluate("e => getComputedStyle(e).direction") == "ltr"  # the source's own side
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


@pytest.mark.browser
def test_an_english_visitor_reads_what_stands_in_the_code(open_page: Callable[..., Page], address: str) -> None:
    page = open_page(address, locale="en-GB")
    page.wait_for_selector(".welcome h2:has-text('The Lighthouse')")
    assert page.evaluate("document.documentElement.lang") == "en" and not page.evaluate("document.documentElement.dir")
    assert page.get_by_role("button", name="New conversation").is_visible()
    assert page.get_attribute("#question textarea", "placeholder") == "Ask a question … ( / jumps here)"
