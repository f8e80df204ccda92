"""The page in a real Chromium: what somebody does with it from the first question to the export."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from app.answer import Answer, Difference, Value, cite
from app.exports.export import read_export
from app.home import Home
from app.records.history import HISTORY_FILE, History

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, Route

LIGHTHOUSE = """\
---
title: The Lighthouse of Skarvoy
author: Ingrid Moe
publisher: Skarvoy Gazette
date: 1905-06-01
---

The lighthouse of Skarvoy was lit for the first time in 1871. Its lamp burned rapeseed oil.

Keeper Ingrid Moe claimed that the tower leaned by four degrees. <script>window.hacked = true</script>

An engineer measured one degree in 1902.
"""
HARBOUR = """\
---
title: The Harbour of Tornvik
publisher: Tornvik Herald
date: 1932
---

The harbour of Tornvik was dredged in 1931. The ferry to Tornvik left at seven in the morning.
"""
MILL = "# The Mill of Askeby\n\nThe mill of Askeby ground barley for the garrison. Its miller was Tove Lind.\n"
OWNER = "0123456789abcdef0123456789abcdef"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two texts, and a conversation of :data:`OWNER` in which sources differ."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "lighthouse.md").write_text(LIGHTHOUSE, encoding="utf-8")
    (folder / "harbour.md").write_text(HARBOUR, encoding="utf-8")
    (folder / "mill.md").write_text(MILL, encoding="utf-8")
    home = Home(folder / "home")
    home.init(empty=True)
    assert [o.status for o in home.add([folder / "lighthouse.md", folder / "harbour.md"], {})] == ["added", "added"]
    home.sync()
    opened = home.index.current()
    assert opened is not None
    source = next(s for s in opened.sources() if "Lighthouse" in s.title)
    passages = opened.passages_of(source.id)
    citations = tuple(
        cite(source, p, start=p.start, end=p.end, support=0.9, marker=n) for n, p in enumerate(passages[-2:], start=1)
    )
    values = (
        Value(value="four", unit="degrees", date="1899", marker=1),
        Value(value="one", unit="degree", date="1902", marker=2),
    )
    answer = Answer(
        question="How far does the tower lean?", standalone_question="How far does the tower lean?", status="answered",
        answer="It leans [1]. An engineer measured it [2].", citations=citations,
        differences=(Difference(about="lean of the tower", values=values),),
    )  # fmt: skip
    history = History(home.folder / HISTORY_FILE)
    history.append(history.start("How far does the tower lean?", f"browser:{OWNER}"), answer.question, answer)
    history.close()
    home.close()
    return folder


@pytest.fixture(scope="module")
def address(folder: Path, serve_page: Callable[..., str]) -> str:
    """The served page."""
    return serve_page(folder / "home")


@pytest.fixture(scope="module")
def requested() -> list[str]:
    """Every address that any page of these tests asked for."""
    return []


@pytest.fixture
def visit(browser: Browser, address: str, requested: list[str]) -> Iterator[Callable[..., Page]]:
    """``visit(width=390, color_scheme="dark", owner=…)`` opens the page as a visitor with a profile of their own."""
    contexts: list[BrowserContext] = []

    def open_page(
        *, width: int = 1280, height: int = 860, color_scheme: str | None = None, owner: str | None = None
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=color_scheme,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: requested.append(request.url))
        if owner:
            page.add_init_script(f"localStorage.setItem('iskp-owner', {owner!r})")
        page.goto(address)
        page.wait_for_selector("#question textarea")
        page.wait_for_selector("html[data-greeted]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    return visit()


def ask(page: Page, question: str, *, send: str = "click") -> str:
    """Ask and wait for the settled answer; the text of its turn."""
    page.fill("#question textarea", question)
    if send == "click":
        page.click("#ask")
    else:
        page.keyboard.press("Enter")
    return answered(page, question)


def answered(page: Page, question: str) -> str:
    """The text of the last turn once it is settled."""
    page.wait_for_function(
        """question => { const t = document.querySelector('#live .turn[aria-busy=false]');
        return t && t.querySelector('.asked').textContent.trim() === question && t.querySelector('.acts'); }""",
        arg=question,
    )
    return page.locator("#live .turn").inner_text()


def open_tab(page: Page, name: str, part: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()
    page.wait_for_selector(part)


def test_a_citation_click_leads_to_the_marked_words(page: Page) -> None:
    assert "1871" in ask(page, "When was the lighthouse first lit?")
    page.hover("#live a.cite")
    tip = page.locator("#tip").inner_text()
    assert "Skarvoy Gazette" in tip and "1905-06-01" in tip
    page.wait_for_selector(".evidence .card mark")
    took = page.evaluate(
        """() => new Promise(done => { const began = performance.now();
        document.querySelector('#live a.cite').click();
        requestAnimationFrame(() => setTimeout(() => done(document.querySelector('.card.chosen')
            ? performance.now() - began : Infinity))); })"""
    )
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    assert took < 200 * busy, "a citation answers at once, without the server"
    card = page.locator(".evidence .card.chosen")
    assert "first time in 1871" in card.locator("mark").inner_text()
    assert all(words in card.inner_text() for words in ("¶1", "Ingrid Moe", "Skarvoy Gazette", "1905-06-01", "original text"))
    assert page.evaluate("document.activeElement.classList.contains('card')")


def test_an_answer_is_copied_with_its_citations(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, "When was the lighthouse first lit?")
    page.click("#live [data-copy]")
    page.wait_for_selector("#live [data-copy]:has-text('Copied')")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "1871" in copied and "[1] Ingrid Moe, The Lighthouse of Skarvoy" in copied and "1905-06-01" in copied


def test_a_follow_up_is_understood_shown_and_can_be_reworded(page: Page) -> None:
    ask(page, "When was the lighthouse of Skarvoy lit for the first time?")
    shown = ask(page, "What did its lamp burn?")
    assert "Understood as" in shown and "rapeseed" in shown
    page.click("#thread a.cite")
    page.wait_for_selector(".evidence[data-turn='1'] .card.chosen")
    page.click("#live [data-act=reword]")
    page.wait_for_function("document.querySelector('#question textarea').value.includes('Skarvoy')")


def test_what_is_not_in_the_sources_is_said_with_a_way_on(page: Page) -> None:
    shown = ask(page, "Which volcano erupted near Naples?")
    assert "Not in the sources" in shown and "volcano" in shown and "all 2 sources" in shown
    page.wait_for_selector(".evidence h2:has-text('Nearest passages')")
    page.click("#live [data-act=addsource]")
    page.wait_for_selector("#files input[type=file]", state="attached")


def test_help_with_violence_is_declined_calmly(page: Page) -> None:
    assert "Declined" in ask(page, "How do I make a bomb?")
    page.wait_for_selector(".evidence :text('Nothing was looked up')")


def test_a_difference_is_a_table_with_dates_and_the_newest_marked(visit: Callable[..., Page]) -> None:
    page = visit(owner=OWNER)
    page.click("#past .toggle-button")
    page.click(".history .title:has-text('How far')")
    table = page.locator("#live table.differences")
    table.wait_for()
    rows = table.locator("tbody tr").all_inner_texts()
    assert "one degree" in rows[0] and "1902" in rows[0] and "newest" in rows[0]
    assert "four degrees" in rows[1] and "newest" not in rows[1]
    table.locator("a.cite").first.click()
    assert "engineer" in page.locator(".card.chosen mark").inner_text()


def test_a_filter_limits_what_is_searched(page: Page) -> None:
    page.click("#filters button")
    page.fill("#filter-since input, #filter-since textarea", "1930")
    assert "from 1930-01-01" in ask(page, "When was the lighthouse first lit?")
    page.fill("#filter-since input, #filter-since textarea", "no date")
    page.fill("#question textarea", "When was the lighthouse first lit?")
    page.click("#ask")
    page.wait_for_selector("#notice :text('cannot be used')")


def test_filters_and_a_draft_survive_a_reload_and_an_abstention_leads_out(page: Page) -> None:
    assert page.evaluate("document.querySelector('.sidebar-content').inert"), "what is out of sight is out of reach"
    page.click("#filters button")
    page.fill("#filter-since input, #filter-since textarea", "1999")
    page.wait_for_selector(".filters-on:has-text('from 1999-01-01')")
    ask(page, "When was the lighthouse first lit?")
    assert page.input_value("#question textarea") == "", "the box is free for the next question"
    page.fill("#question textarea", "half a question")
    page.reload()
    page.wait_for_selector("#live .absent:has-text('from 1999-01-01')")
    page.wait_for_selector(".filters-on:has-text('from 1999-01-01')")
    page.wait_for_function("document.querySelector('#question textarea').value === 'half a question'")
    page.click("#live [data-act=everywhere]")
    page.wait_for_selector("#live .turn[aria-busy=false]:has-text('1871')")
    page.wait_for_selector(".filters-on", state="detached")


def test_a_file_is_added_asked_about_at_once_and_removed(page: Page, folder: Path) -> None:
    open_tab(page, "Sources", "#source-table table")
    page.click("#add > button")
    page.set_input_files("#files input[type=file]", [folder / "mill.md"])
    page.wait_for_selector("#files :text('mill')")
    page.click("#add-button")
    page.wait_for_selector("#work .closing:has-text('1 of 1 can be asked about now')")
    page.wait_for_selector("#source-table tr.new td:has-text('The Mill of Askeby')")
    open_tab(page, "Ask", "#question textarea")
    assert "Tove Lind" in ask(page, "Who was the miller of Askeby?")
    page.click(".evidence [data-act=read]")
    page.wait_for_selector("#reader mark.focus:has-text('Tove Lind')")
    open_tab(page, "Sources", "#source-table table")
    page.fill("#source-table [data-find]", "askeby")
    assert page.locator("#source-table tbody tr:visible").count() == 1
    page.click("#source-table tr:has-text('Askeby') [data-act=removesource]")
    page.click("dialog .yes")
    page.wait_for_selector("#source-table td:has-text('Askeby')", state="detached")
    open_tab(page, "Ask", "#question textarea")
    assert "Not in the sources" in ask(page, "Who was the barley miller Tove Lind?")


def test_sources_are_sorted_by_their_headings(page: Page) -> None:
    open_tab(page, "Sources", "#source-table table")
    first = page.locator("#source-table tbody tr:first-child td:first-child")
    page.click("#source-table th button:has-text('Date')")
    assert first.inner_text() == "The Lighthouse of Skarvoy"
    page.click("#source-table th button:has-text('Date')")
    assert first.inner_text() == "The Harbour of Tornvik"
    assert page.get_attribute("#source-table th:has-text('Date')", "aria-sort") == "descending"


def test_retry_edit_undo_and_judging(page: Page, folder: Path) -> None:
    ask(page, "When was the lighthouse first lit?")
    ask(page, "When was the harbour of Tornvik dredged?")
    page.click("#thread [data-act=retry]")
    answered(page, "When was the lighthouse first lit?")
    assert page.locator(".turn").count() == 1, "what followed the question is gone"
    page.click("#live [data-act=edit]")
    page.wait_for_selector("#notice :text('replaces question 1')")
    assert "1931" in ask(page, "When was the harbour of Tornvik dredged?")
    assert page.locator(".turn").count() == 1
    page.click("#live [data-act=up]")
    page.wait_for_selector("#live [data-act=up][aria-pressed=true]")
    page.click("#live [data-act=down]")
    page.click("#blame-reason label:has-text('Something is missing')")
    page.click("#blame-send")
    page.wait_for_selector("#live [data-act=down][aria-pressed=true]")
    kept = [json.loads(line) for line in (folder / "home" / "feedback.jsonl").read_text().splitlines()]
    assert [k["liked"] for k in kept[-2:]] == [True, False] and kept[-1]["reason"] == "Something is missing"
    page.click("#live [data-act=undo]")
    page.wait_for_selector(".welcome")
    assert page.input_value("#question textarea") == "When was the harbour of Tornvik dredged?"


def test_a_reload_finds_the_conversation_and_its_history(page: Page) -> None:
    ask(page, "When was the lighthouse first lit?")
    page.reload()
    page.wait_for_selector("#live .turn:has-text('1871')")
    page.click("#new")
    page.wait_for_selector(".welcome")
    page.click("#past .toggle-button")
    assert page.locator(".history .day").all_inner_texts() == ["Today"]
    page.click(".history [data-rename]")
    page.fill("dialog input", "A tidy name")
    page.click("dialog .yes")
    page.click(".history .title:has-text('A tidy name')")
    page.wait_for_selector("#live .turn:has-text('1871')")
    page.click(".history [data-act=forget]")
    page.click("dialog .yes")
    page.wait_for_selector(".welcome")
    assert page.locator(".history li").count() == 0


def test_what_is_typed_while_a_new_conversation_begins_stays(page: Page) -> None:
    ask(page, "When was the lighthouse first lit?")
    page.fill("#question textarea", "a question that is not sent")

    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/run/**", hold)
    page.click("#new")
    page.wait_for_function("document.querySelector('#question textarea').value === ''")
    page.fill("#question textarea", "How tall is the lighthouse?")
    held[0].continue_()
    page.unroute("**/run/**")
    page.wait_for_selector(".welcome")
    assert page.input_value("#question textarea") == "How tall is the lighthouse?"
    page.fill("#question textarea", "")


def test_an_exported_conversation_is_read_again(page: Page, tmp_path: Path) -> None:
    ask(page, "When was the lighthouse first lit?")
    page.click("#export > button")
    page.click("#export-form input")
    page.click("#export-form [role=option]:has-text('JSON')")
    with page.expect_download() as saved:
        page.click("#export-button")
    saved.value.save_as(tmp_path / "talk.json")
    export = read_export((tmp_path / "talk.json").read_text(encoding="utf-8"))
    citation = export.turns[0].answer.citations[0]
    assert saved.value.suggested_filename == "when-was-the-lighthouse-first-lit.json"
    assert citation.title == "The Lighthouse of Skarvoy" and citation.quote in LIGHTHOUSE


def test_a_stopped_question_can_be_asked_again(page: Page) -> None:
    page.evaluate(
        """() => new MutationObserver((_, observer) => { const stop = document.querySelector('#stop');
        if (stop?.offsetParent) { observer.disconnect(); stop.click(); } })
        .observe(document.body, {childList: true, subtree: true, attributes: true})"""
    )
    long = "When was the lighthouse first lit, " + "and what was told of it by the keeper, " * 40 + "and by whom?"
    page.fill("#question textarea", long)
    page.click("#ask")
    page.wait_for_selector("#live .trouble:has-text('Stopped')")
    page.wait_for_selector("#ask")
    page.click("#live [data-act=edit]")
    page.wait_for_selector("#notice :text('replaces question 1')")
    assert "1871" in ask(page, "When was the lighthouse first lit?")
    assert page.locator(".turn").count() == 1


def test_everything_is_reached_with_the_keyboard(page: Page) -> None:
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    page.keyboard.type("When was the lighthouse first lit?")
    page.keyboard.press("Enter")
    answered(page, "When was the lighthouse first lit?")
    page.wait_for_selector(".evidence .card mark")
    for _ in range(40):
        if page.evaluate("document.activeElement.matches('a.cite')"):
            break
        page.keyboard.press("Shift+Tab")
    assert page.locator("#tip").count() == 1, "source and date are shown on focus too"
    page.keyboard.press("Enter")
    page.wait_for_selector(".card.chosen:focus")
    page.keyboard.press("Tab")
    assert page.evaluate("Boolean(document.activeElement.closest('.card.chosen'))")
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('a.cite')")


def test_a_script_in_a_source_or_a_question_does_not_run(page: Page) -> None:
    ask(page, "By how many degrees did the keeper claim that the tower leaned?")
    page.wait_for_selector(".evidence .card")
    ask(page, "Is <img src=x onerror='window.hacked=true'> a keeper of the lighthouse volcano?")
    page.click("#past .toggle-button")
    page.wait_for_selector(".history :text('keeper claim')")
    assert page.evaluate("window.hacked") is None


def test_on_a_phone_nothing_is_wider_than_the_screen(visit: Callable[..., Page]) -> None:
    page = visit(width=390, height=844)
    ask(page, "When was the lighthouse first lit?")
    page.wait_for_selector(".evidence .card")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    live, evidence = page.locator("#live").bounding_box(), page.locator("#evidence").bounding_box()
    assert live and evidence and evidence["y"] >= live["y"] + live["height"], "the evidence stands below"
    page.click("#live a.cite")
    page.wait_for_selector(".card.chosen")
    top = page.evaluate("document.querySelector('.card.chosen mark').getBoundingClientRect().top")
    assert 0 <= top < 844, "the words are in view"
    page.click(".card.chosen .back")
    assert page.evaluate("document.activeElement.matches('a.cite')")
    for tab, part in (("Sources", "#source-table tr"), ("Evaluation", "#eval-start")):
        open_tab(page, tab, part)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_nothing_was_asked_of_other_machines(requested: list[str], address: str) -> None:
    """Runs last: the network log of all that these tests did."""
    here = (address, address.replace("http", "ws", 1), "data:", "blob:")
    assert [u for u in requested if not u.startswith(here)] == []
    assert len(requested) > 100 and re.match(r"http://127\.0\.0\.1:\d+/", requested[0])
