"""Answers of forms on the page in a real Chromium: tables, a timeline with its plot, lists, verdicts, what may be meant."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.exports.export import export_answer
from app.home import Home

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(open_page: Callable[..., Page], bundled_home: Home, serve_page: Callable[..., str]) -> Page:
    return open_page(serve_page(bundled_home.folder, "--offline"), permissions=["clipboard-read", "clipboard-write"])


def ask(page: Page, question: str) -> Any:
    page.fill("#question textarea", question)
    page.click("#ask")
    page.wait_for_function(
        """question => { const t = document.querySelector('#live .turn[aria-busy=false]');
        return t && t.querySelector('.asked').textContent.trim() === question && t.querySelector('.acts'); }""",
        arg=question,
    )  # fmt: skip
    return page.locator("#live .answer")


def begin(page: Page) -> None:
    """A new conversation; the first screen may be there already, so it is the server that is waited for."""
    with page.expect_response("**/run/**"):
        page.click("#new")
    page.wait_for_selector(".welcome")


def copied(page: Page, button: str) -> str:
    page.click(f"#live button:has-text('{button}')")
    page.wait_for_selector("#voice:has-text('Table copied')", state="attached")
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_comparison_is_a_table_that_is_sorted_and_copied(page: Page) -> None:
    answer = ask(page, "Compare UN and Russian estimates of ISKP strength")
    rows = answer.locator("table.grid tbody tr")
    sides = [t.strip() for t in rows.locator("th").all_inner_texts()]
    assert {"UN estimates", "Russian estimates"} == set(sides) and sides[0] == "UN estimates"
    page.click("#live th button:has-text('Side')")
    assert rows.first.locator("th").inner_text() == "Russian estimates"
    table = list(csv.reader(io.StringIO(copied(page, "Copy as CSV"))))
    assert table[0][:2] == ["Side", "What the sources say"] and len(table) == 1 + rows.count()
    assert table[1][0] == "Russian estimates" and re.search(r"\[\d+\]$", table[1][2])
    page.evaluate("document.getElementById('voice').textContent = ''")
    marked = copied(page, "Copy as Markdown").splitlines()
    assert marked[1].count("---") == len(table[0]) and any(line.startswith("[1] Summary by iskp-qa of") for line in marked)
    answer.locator("a.cite").first.click()
    page.wait_for_selector(".evidence .card.chosen")


def test_a_timeline_is_a_list_with_a_plot_whose_spots_lead_to_passages(page: Page) -> None:
    answer = ask(page, "Give me a timeline of ISKP attacks")
    events, spots = answer.locator("ol.timeline > li"), answer.locator("svg a.spot")
    assert events.count() == spots.count() >= 5
    assert answer.locator(".tally strong").inner_text() == str(events.count())
    drawn = spots.evaluate_all("all => all.map(a => Number(a.firstElementChild.getAttribute('x')))")
    assert drawn == sorted(drawn), "from left to right in the order of the list"
    spots.last.click()
    marker = str(spots.last.get_attribute("href")).split("-")[-1]
    page.wait_for_selector(f".evidence .card.chosen [data-markers~='{marker}']")


def test_the_last_answer_as_a_table_is_a_table(page: Page) -> None:
    ask(page, "Is Ghafari dead?")
    answer = ask(page, "as a table")
    assert answer.locator("table.grid thead th").all_inner_texts() == ["Who says it", "Date", "What is said"]
    assert answer.locator("table.grid tbody tr a.cite").count() >= 2 and "|" not in answer.inner_text()


def test_a_verdict_has_its_word_and_both_sides(page: Page) -> None:
    answer = ask(page, "Is Ghafari dead?")
    assert answer.locator(".state-chip.disputed").inner_text() == "Disputed"
    assert answer.locator(".verdict-side a.cite").count() == answer.locator(".verdict-side").count() == 2


def test_a_list_tells_how_many_and_each_thing_with_its_words(page: Page) -> None:
    answer = ask(page, "Which countries has ISKP attacked?")
    things = answer.locator("ul.things > li")
    assert answer.locator(".tally strong").inner_text() == str(things.count())
    assert "Afghanistan" in things.locator(".thing").all_inner_texts() and "**" not in answer.inner_text()
    assert all(n > 0 for n in things.evaluate_all("all => all.map(li => li.querySelectorAll('a.cite').length)"))


def test_what_may_be_meant_is_asked_by_buttons(page: Page) -> None:
    begin(page)
    assert ask(page, "Who claimed it?").locator(".state.unclear svg").count() == 1
    choice = page.locator("#live .choices button").first
    words = choice.inner_text()
    choice.click()
    page.wait_for_selector(f"#live .turn[aria-busy=false] .asked:has-text('{words}')")


def test_exports_carry_the_rows(bundled_home: Home, tmp_path: Path) -> None:
    answer = bundled_home.answerer.answer("Compare UN and Russian estimates of ISKP strength")
    assert answer.shape == "comparison"
    sentences = [cell for row in answer.rows for cell in row.cells]
    table = list(csv.DictReader(io.StringIO(export_answer(answer, "csv"))))
    assert [line["statement"] for line in table] == sentences and table[0]["words"] == "our summary"
    assert export_answer(answer, "markdown").count("| UN estimates |") == len(answer.rows[0].cells)
    html = export_answer(answer, "html")
    assert html.count('<th scope="row"') == len(sentences) and "<button" not in html


def test_the_first_screen_tells_what_this_is_and_offers_what_is_answered(page: Page, bundled_home: Home) -> None:
    begin(page)
    page.wait_for_selector(".welcome h2:has-text('Islamic State – Khorasan Province: one article')")
    card = page.locator(".article-card")
    assert "Aidar Borangaziyev, The Times of Central Asia, 2024" in card.inner_text()
    card.locator("a.cite").nth(2).click()
    page.wait_for_selector(".evidence .card.chosen:has-text('Aidar Borangaziyev')")
    assert card.locator("a[href^='https://timesca.com']").count() == 1
    page.wait_for_function("document.querySelectorAll('.welcome h3.group').length >= 5", timeout=180_000)
    for group in ("Facts", "Where sources differ", "What the author argues"):
        offered = page.locator(f".welcome [aria-label='{group}'] button").all_inner_texts()
        assert offered, group
        answers = [bundled_home.answerer.answer(q) for q in offered]
        assert all(a.status == "answered" and a.citations for a in answers), offered
    kinds = page.locator(".welcome .here strong").all_inner_texts()
    assert sum(map(int, kinds)) == len(bundled_home.library.fingerprints())


def test_an_empty_home_takes_files_that_are_dropped(
    browser: Browser, serve_page: Callable[..., str], tmp_path: Path
) -> None:
    Home(tmp_path / "empty").init(empty=True)
    page = browser.new_page()
    page.set_default_timeout(60_000)
    page.goto(serve_page(tmp_path / "empty", "--offline"))
    page.wait_for_selector(".welcome .drop")
    page.get_by_role("tab", name="Tools", exact=True).click()
    page.fill("#compare-questions textarea", "Who was the miller?")
    page.click("#compare-go")
    page.wait_for_selector("#compare-work .notice:has-text('There are no sources yet')")
    for name, part in (("Ledger", "#ledger"), ("What is new", "#news")):
        page.get_by_role("tab", name=name, exact=True).click()
        page.wait_for_selector(f"{part} .notice:has-text('There are no sources yet')")
        assert page.locator(f"{part} .notice").count() == 1
    page.get_by_role("tab", name="Ask", exact=True).click()
    page.evaluate(
        """() => { const moved = new DataTransfer();
        moved.items.add(new File(['# The Mill\\n\\nThe miller of Askeby was called Tove Lind.\\n'], 'mill.md', {type: 'text/markdown'}));
        for (const name of ['dragover', 'drop'])
          document.querySelector('.welcome').dispatchEvent(new DragEvent(name, {bubbles: true, cancelable: true, dataTransfer: moved})); }"""
    )
    page.wait_for_selector("#work .closing:has-text('1 of 1 can be asked about now')")
    page.get_by_role("tab", name="Ask", exact=True).click()
    assert "Tove Lind" in ask(page, "Who was the miller of Askeby?").inner_text()
    page.get_by_role("tab", name="Tools", exact=True).click()
    page.get_by_role("tab", name="Ledger", exact=True).click()
    page.wait_for_selector("#ledger .notice:has-text('Nothing is counted or measured twice')")
    page.close()


def test_what_is_shown_has_an_address_and_back_works(page: Page, browser: Browser) -> None:
    begin(page)
    page.wait_for_function("['', '#/'].includes(location.hash)")
    ask(page, "Is Ghafari dead?")
    page.wait_for_function("location.hash.startsWith('#/c/')")
    talk = page.evaluate("location.hash")
    page.locator("#evidence [data-act=read]").first.click()
    page.wait_for_selector("#reader mark.focus")
    page.wait_for_function("location.hash.startsWith('#/s/disagreements%2Fghafari/')")
    page.click("#reader [data-link]")
    page.wait_for_selector("#voice:has-text('Link copied')", state="attached")
    link = str(page.evaluate("navigator.clipboard.readText()"))
    page.go_back()
    page.wait_for_selector("#reader", state="hidden")
    assert page.evaluate("location.hash") == talk
    page.get_by_role("tab", name="Sources", exact=True).click()
    page.wait_for_function("location.hash === '#/sources'")
    page.go_back()
    page.wait_for_selector("#live .asked:has-text('Is Ghafari dead?')")
    page.go_back()
    page.wait_for_selector(".welcome")
    page.go_forward()
    page.wait_for_selector("#live .asked:has-text('Is Ghafari dead?')")
    page.reload()
    page.wait_for_selector("#live .asked:has-text('Is Ghafari dead?')")
    assert page.evaluate("location.hash") == talk
    stranger = browser.new_page()
    stranger.goto(link)
    stranger.wait_for_selector("#reader mark.focus:has-text('Ghafari')", timeout=60_000)
    assert stranger.evaluate("location.href") == link
    stranger.close()


def test_a_shared_link_opens_the_whole_conversation_to_others_who_cannot_change_it(page: Page, browser: Browser) -> None:
    begin(page)
    ask(page, "Is Ghafari dead?")
    ask(page, "Who leads ISKP?")
    page.wait_for_function("location.hash.startsWith('#/c/')")
    stranger = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
    stranger.set_default_timeout(60_000)
    stranger.goto(page.url)
    stranger.wait_for_selector("#notice:has-text('somebody else')")
    assert stranger.locator(".turn").count() == 0, "what is not shared stays private"
    page.click("#live [data-link]")
    page.click("dialog .yes")
    page.wait_for_selector(".sharing[data-shared]")
    page.wait_for_selector("#voice:has-text('Link copied')", state="attached")
    link = str(page.evaluate("navigator.clipboard.readText()"))
    assert re.search(r"#/r/[\w-]{32}/2$", link)
    stranger.goto("about:blank")
    stranger.goto(link)
    stranger.wait_for_selector(".sharing[data-guest]:has-text('cannot be changed')")
    stranger.locator(".turn .asked").nth(1).wait_for()
    assert stranger.locator(".turn .asked").all_inner_texts() == ["Is Ghafari dead?", "Who leads ISKP?"]
    stranger.wait_for_selector("#question", state="hidden")
    assert stranger.get_by_role("button", name="Retry").count() == 0
    stranger.locator("#thread a.cite").first.click()
    stranger.locator(".evidence .card.chosen [data-act=read]").click()
    stranger.wait_for_selector("#reader mark.focus")
    stranger.click("#reader [data-close-reader]")
    stranger.wait_for_function("link => location.href.startsWith(link.slice(0, -2))", arg=link)
    stranger.reload()
    stranger.wait_for_selector(".sharing[data-guest]")
    stranger.click("[data-own]")
    stranger.wait_for_selector(".welcome")
    stranger.wait_for_selector("#question textarea", state="visible")
    page.click(".sharing [data-act=unsharetalk]")
    page.click("dialog .yes")
    page.wait_for_selector(".sharing", state="detached")
    stranger.goto("about:blank")
    stranger.goto(link)
    stranger.wait_for_selector("#notice:has-text('opens nothing')")
    stranger.context.close()


def test_what_is_pinned_gets_own_words_an_order_and_becomes_a_draft(page: Page, tmp_path: Path) -> None:
    begin(page)
    ask(page, "Is Ghafari dead?")
    page.click("#live .acts [data-act=pin]")
    page.locator("#evidence .card [data-act=pin]").first.click()
    page.get_by_role("tab", name="Notebook", exact=True).click()
    notes = page.locator("#notebook .note")
    notes.nth(1).wait_for()
    assert notes.count() == 2 and notes.first.locator("h3").inner_text() == "Is Ghafari dead?"
    notes.nth(1).locator("textarea").fill("Ask the UN about this.")
    notes.nth(1).locator("button:has-text('Up')").click()
    page.wait_for_function("document.querySelector('#notebook .note textarea').value === 'Ask the UN about this.'")
    page.click("#add-note")
    notes.nth(2).wait_for()
    page.fill("#draft-title input, #draft-title textarea", "On Ghafari")
    for choice, ending in (("Markdown", ".md"), ("Word", ".docx"), ("CSL", ".json"), ("HTML", ".html")):
        page.click("#draft-form input")
        page.click(f"#draft-form [role=option]:has-text('{choice}')")
        with page.expect_download() as saved:
            page.click("#draft-button")
        assert saved.value.suggested_filename == f"on-ghafari{ending}"
        saved.value.save_as(tmp_path / f"draft{ending}")
    words = (tmp_path / "draft.md").read_text(encoding="utf-8")
    assert words.startswith("# On Ghafari") and words.index("Ask the UN about this.") < words.index("Is Ghafari dead")
    used, defined = set(re.findall(r"\[\^(\d+)\](?!:)", words)), set(re.findall(r"^\[\^(\d+)\]:", words, re.M))
    assert used == defined == {"1", "2"}, "the quote that stands twice has one note"
    from docx import Document

    told = "\n".join(p.text for p in Document(str(tmp_path / "draft.docx")).paragraphs)
    assert "Ask the UN about this." in told and "2. " in told
    items = json.loads((tmp_path / "draft.json").read_text(encoding="utf-8"))
    assert items[0]["title"] and items[0]["note"].endswith("in its own words")
    page.reload()
    page.wait_for_selector("html[data-greeted]", state="attached")
    notes.nth(1).wait_for(timeout=30_000)
    assert notes.first.locator("textarea").input_value() == "Ask the UN about this."


def test_the_page_is_an_app_with_its_own_head_and_icon(page: Page) -> None:
    html = page.request.get(page.url.split("#")[0]).text()
    assert "og:" not in html and "twitter" not in html.split("<body")[0] and 'rel="manifest"' in html
    assert html.count("<title>iskp-qa</title>") == 1
    manifest = page.request.get(f"{page.url.split('#')[0]}manifest.json").json()
    assert manifest["name"] == "iskp-qa" and manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        loaded = page.request.get(f"{page.url.split('#')[0]}{icon['src'].lstrip('/')}")
        assert loaded.ok and loaded.headers["content-type"] == "image/png"


def test_ticked_sources_are_asked_alone_and_chips_take_them_away(page: Page) -> None:
    page.set_viewport_size({"width": 1500, "height": 900})
    page.get_by_role("tab", name="Ask", exact=True).click()
    begin(page)
    page.fill("[data-scope-find]", "verdict")
    assert page.locator("#scope li:visible").count() < 5
    page.fill("[data-scope-find]", "")
    tick = page.locator("#scope [data-scope='csis-bacon']")
    tick.check()
    page.wait_for_selector("#filters-on .chip:has-text('Exploiting a Counterterrorism Gap')")
    ask(page, "How many people died in the Crocus City Hall attack?")
    cited = page.locator("#evidence .card:not(.also .card) [data-act=read]").evaluate_all("all => all.map(b => b.dataset.source)")
    assert set(cited) == {"csis-bacon"}
    page.click("#filters-on .chip")
    page.wait_for_selector("#filters-on .chip", state="detached")
    page.wait_for_function("!document.querySelector(\"#scope [data-scope='csis-bacon']\").checked")
    page.set_viewport_size({"width": 1280, "height": 860})
    assert page.locator("#scope-pane:visible").count() == 0
