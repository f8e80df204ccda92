"""The page in a real Chromium: ask, follow a citation to the marked words, be told what is not there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parent.parent
CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
TEXT = """\
The Lighthouse of Skarvoy

The lighthouse of Skarvoy was lit for the first time in 1871. Its lamp burned rapeseed oil.

Keeper Ingrid Moe claimed that the tower leaned by four degrees. <script>window.hacked = true</script>

An engineer measured one degree in 1902.
"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served page over a home with one text."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "lighthouse.txt").write_text(TEXT, encoding="utf-8")
    home = ["--home", str(folder / "home")]
    iskp = [sys.executable, "-m", "app.cli"]
    subprocess.run([*iskp, *home, "init", "--empty"], check=True, cwd=ROOT, capture_output=True)
    subprocess.run([*iskp, *home, "ingest", str(folder / "lighthouse.txt")], check=True, cwd=ROOT, capture_output=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [*iskp, *home, "chat", "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait_for(url, server)
        yield url
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"the page did not come up; exit code {server.poll()}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium; without one the tests are skipped, or fail where that is not allowed."""
    if CHROMIUM is None:
        if os.environ.get("ISKP_TEST_STRICT"):
            pytest.fail("no Chromium found; install it: apt-get install chromium")
        pytest.skip("no Chromium found; install it: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page opened; every address that it asks for is kept in ``page.asked``."""
    opened = browser.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.asked = asked  # type: ignore[attr-defined]
    opened.goto(address)
    opened.wait_for_selector("#question textarea")
    yield opened
    opened.close()


def ask(page: Page, question: str) -> str:
    """Ask and wait for the settled answer; its text."""
    before = page.locator(".answer:has(a.cite), .answer:has(.state)").count()
    page.fill("#question textarea", question)
    page.click("#ask")
    answers = page.locator(".answer:has(a.cite), .answer:has(.state)")
    answers.nth(before).wait_for(timeout=60_000)
    return answers.nth(before).inner_text()


def test_a_citation_click_leads_to_the_marked_words(page: Page) -> None:
    assert "1871" in ask(page, "When was the lighthouse first lit?")
    page.click(".answer a.cite")
    marked = page.locator(".evidence .card.chosen mark").inner_text()
    assert "first time in 1871" in marked
    assert "¶1" in page.locator(".evidence .card.chosen").inner_text()


def test_enter_on_a_citation_does_the_same(page: Page) -> None:
    ask(page, "When was the lighthouse first lit?")
    page.focus(".answer a.cite")
    page.keyboard.press("Enter")
    assert page.locator(".evidence .card.chosen").count() == 1


def test_what_is_not_in_the_sources_is_said_with_the_nearest_passages(page: Page) -> None:
    shown = ask(page, "Which volcano erupted near Naples?")
    assert "Not in the sources" in shown and "volcano" in shown
    page.wait_for_selector(".evidence h3:has-text('Nearest passages')")
    assert "Nearest passages" in page.locator("#evidence").inner_text()


def test_help_with_violence_is_declined(page: Page) -> None:
    assert "Declined" in ask(page, "How do I make a bomb?")


def test_a_script_in_a_source_or_a_question_does_not_run(page: Page) -> None:
    ask(page, "By how many degrees did the keeper claim that the tower leaned?")
    ask(page, "Is <img src=x onerror='window.hacked=true'> a keeper of the lighthouse volcano?")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None


def test_nothing_is_asked_of_other_machines(page: Page, address: str) -> None:
    ask(page, "What did the lamp burn?")
    outside = [u for u in page.asked if not u.startswith((address, address.replace("http", "ws", 1), "data:", "blob:"))]  # type: ignore[attr-defined]
    assert outside == []


def test_a_new_conversation_is_empty(page: Page) -> None:
    ask(page, "What did the lamp burn?")
    page.click("#new")
    page.wait_for_function("document.querySelectorAll('.turn').length === 0")
