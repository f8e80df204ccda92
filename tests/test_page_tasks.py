"""Five tasks of somebody new, in a real Chromium: each is done in so many clicks; ``-s`` prints clicks and seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from fpdf import FPDF

from app.home import Home

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser
DRAFT = "Kabulov said in 2022 that ISKP had about 6,000 fighters. Ukraine planned the attack on Crocus City Hall."
ANSWERED = "#live .turn[aria-busy=false] .acts"


class Visitor:
    """Somebody at a page whose clicks are counted; a file that is dropped counts as one, typing as none."""

    def __init__(self, page: Page, task: str) -> None:
        self.page = page
        self.task = task
        self.clicks = 0
        self._since = time.monotonic()

    def click(self, part: str | Locator) -> None:
        self.clicks += 1
        (self.page.locator(part).first if isinstance(part, str) else part).click()

    def tab(self, name: str) -> None:
        self.click(self.page.get_by_role("tab", name=name, exact=True))

    def ask(self, question: str) -> None:
        self.page.fill("#question textarea", question)
        self.click("#ask")
        self.page.wait_for_selector(f"#live .asked:has-text('{question}')")
        self.page.wait_for_selector(ANSWERED)

    def done(self, clicks: int) -> None:
        print(f"\n| {self.task} | {self.clicks} | {time.monotonic() - self._since:.1f} |")
        assert self.clicks == clicks


@pytest.fixture(scope="module")
def address(bundled_home: Home, serve_page: Callable[..., str]) -> str:
    return serve_page(bundled_home.folder, "--offline")


@pytest.fixture
def arrive(open_page: Callable[..., Page], address: str) -> Callable[..., Visitor]:
    """``arrive("task")`` opens the page as a new visitor."""
    return lambda task, at=address: Visitor(open_page(at), task)


def test_who_said_a_figure(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive("find who said a figure (2,000 fighters)")
    visitor.ask("How many fighters does ISKP have?")
    assert "UN Monitoring Team" in visitor.page.locator("#live .newest").inner_text()
    visitor.click("#live .newest a.cite")
    visitor.page.wait_for_selector(".card.chosen:has-text('claim: UN Monitoring Team') .pointed:has-text('2,000')")
    visitor.done(clicks=2)


def test_two_holders_are_compared(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive("compare two holders (the UN, Russia)")
    visitor.ask("Compare UN and Russian estimates of ISKP strength")
    sides = {s.split("\n")[0] for s in visitor.page.locator("#live table tbody th").all_inner_texts()}
    assert {"UN estimates", "Russian estimates"} <= sides
    visitor.done(clicks=1)


def test_a_paragraph_is_checked(arrive: Callable[..., Visitor]) -> None:
    visitor = arrive("check a paragraph of two sentences")
    visitor.tab("Tools")
    visitor.tab("Draft desk")
    visitor.page.fill("#desk-draft textarea", DRAFT)
    visitor.click("#desk-go")
    visitor.page.wait_for_selector("#desk-work .closing:has-text('2 sentences')")
    visitor.page.locator("#desk .sentence summary").nth(1).wait_for()
    assert visitor.page.locator("#desk .sentence summary").count() == 2
    visitor.done(clicks=3)


def test_an_answer_leaves_with_footnotes(arrive: Callable[..., Visitor], tmp_path: Path) -> None:
    visitor = arrive("export an answer with footnotes")
    visitor.ask("Who leads ISKP?")
    visitor.click("#live .acts [data-act=pin]")
    visitor.tab("Notebook")
    visitor.page.wait_for_selector("#notebook .note")
    with visitor.page.expect_download() as saved:
        visitor.click("#draft-button")
    saved.value.save_as(tmp_path / "draft.md")
    words = (tmp_path / "draft.md").read_text(encoding="utf-8")
    assert re.search(r"\[\^1\](?!:)", words) and re.search(r"^\[\^1\]: ", words, re.M)
    visitor.done(clicks=4)


def test_a_pdf_is_added_and_asked_about(
    arrive: Callable[..., Visitor], serve_page: Callable[..., str], tmp_path: Path
) -> None:
    Home(tmp_path / "home").init(empty=True)
    paper = FPDF()
    paper.add_page()
    paper.set_font("Helvetica", "", 11)
    paper.multi_cell(0, 6, "The ferry of Kvalsund was built by Nils Aune. It crossed the sound twice a day.")
    paper.output(str(tmp_path / "ferry.pdf"))
    visitor = arrive("add a PDF and ask about it", at=serve_page(tmp_path / "home", "--offline"))
    with visitor.page.expect_file_chooser() as chooser:
        visitor.click(".welcome [data-choose-files]")
    visitor.clicks += 1  # the file itself, in the system's own window
    chooser.value.set_files(tmp_path / "ferry.pdf")
    visitor.page.wait_for_selector("#work .closing:has-text('1 of 1 can be asked about now')")
    visitor.tab("Ask")
    visitor.ask("Who built the ferry of Kvalsund?")
    assert "Nils Aune" in visitor.page.locator("#live .answer").inner_text()
    visitor.click("#live a.cite")
    visitor.page.wait_for_selector(".card.chosen mark:has-text('Nils Aune')")
    visitor.done(clicks=5)
