"""What a reader sees of the page in a real Chromium: marks in the window, tables, print, theme, jobs, the first start."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.home import Home
from index.generation import writer

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
FILLER = (
    "The chronicle of the harbour tells of ropes, nets, barrels and weather, page after page, without any news. " * 2
)
PARAGRAPHS = 30
"""Of more than 200 characters each: a source of over 5,000, longer than any window."""
YEARS = range(1991, 2000)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A long source with its one fact near the end, nine that give different figures, and two that contradict each other."""
    folder = tmp_path_factory.mktemp("look")
    texts = {"chronicle": "# The Chronicle of Tornvik\n\n" + f"{FILLER}\n\n" * PARAGRAPHS
             + "The harbour master of Tornvik was called Aslaug Rimstad.\n\n"
             "In 1890 the school of Norholm had 3 teachers. In 1950 the school of Norholm had 5 teachers.\n\n" + f"{FILLER}\n\n" * 6}  # fmt: skip
    for n, year in enumerate(YEARS):
        texts[f"count-{year}"] = f"---\ntitle: Count of {year}\npublisher: Office {n}\ndate: {year}\n---\n\n" \
            f"Tornvik had {20 + 7 * n} ferries in {year}, according to Office {n}.\n"  # fmt: skip
    fires = {"Herald": "The fire at the Grand Hotel in Norholm on 3 May 1990 killed 12 people, the police said.",
             "Gazette": "The hospital counted 15 people killed in the fire at the Grand Hotel in Norholm on 3 May 1990."}  # fmt: skip
    for paper, told in fires.items():
        texts[paper] = f"---\ntitle: The {paper} on the fire\npublisher: The {paper}\ndate: 1990-05-20\n---\n\n{told}\n"
    for name, words in texts.items():
        (folder / f"{name}.md").write_text(words, encoding="utf-8")
    home = Home(folder / "home")
    home.init(empty=True)
    outcomes = list(home.add([folder / f"{name}.md" for name in texts], {}))
    assert {o.status for o in outcomes} == {"added"}
    home.sync()
    home.fill_facts()
    home.close()
    return folder / "home"


@pytest.fixture(scope="module")
def visit(open_page: Callable[..., Page], home: Path, serve_page: Callable[..., str]) -> Callable[..., Page]:
    address = serve_page(home, "--offline")

    def visitor(*, scheme: str = "light", at: str = address, **given: Any) -> Page:
        return open_page(at, color_scheme=scheme, **given)

    return visitor


@pytest.fixture(scope="module")
def page(visit: Callable[..., Page]) -> Page:
    """A visitor who asked for a name and for figures that differ."""
    page = visit()
    ask(page, "Who was the harbour master of Tornvik?")
    ask(page, "How many ferries did Tornvik have?")
    return page


def ask(page: Page, question: str) -> None:
    page.fill("#question textarea", question)
    page.click("#ask")
    page.wait_for_function(
        """question => { const t = document.querySelector('#live .turn[aria-busy=false]');
        return t && t.querySelector('.asked').textContent.trim() === question && t.querySelector('.acts'); }""",
        arg=question,
    )  # fmt: skip


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def mark_is_in_the_window(page: Page, mark: str = "#reading mark.focus", words: str = "Aslaug Rimstad") -> bool:
    """Whether the marked words come into the window, and into what of the pane is not clipped."""
    page.wait_for_selector(f"{mark}:has-text('{words}')", state="attached")
    inside = """mark => { const m = document.querySelector(mark).getBoundingClientRect();
        const at = document.elementFromPoint(m.left + 5, m.top + 5);
        return m.top >= 0 && m.bottom <= innerHeight && m.right <= innerWidth && !!at && at.matches('mark'); }"""
    try:
        page.wait_for_function(inside, arg=mark, timeout=20_000)
    except Exception:
        return False
    return True


@pytest.mark.parametrize(("width", "height"), [(1400, 900), (1024, 768), (390, 844)])
def test_the_marked_words_lie_in_the_window_from_all_ways_in(
    visit: Callable[..., Page], width: int, height: int
) -> None:
    page = visit(width=width, height=height)
    ask(page, "Who was the harbour master of Tornvik?")
    page.locator(".evidence .card:has-text('Aslaug') [data-act=read]").first.click()
    assert mark_is_in_the_window(page, "#reader mark.focus"), "Read in full"
    assert page.get_by_role("tab", name="Ask", exact=True).get_attribute("aria-selected") == "true"
    assert page.locator(".evidence:visible").count() == 0
    assert page.locator("#live .asked:visible").count() == (1 if width >= 900 else 0), "on a phone one pane at a time"
    page.keyboard.press("Escape")
    page.wait_for_selector(".evidence .card.chosen :focus, .evidence .card :focus")
    page.locator(".evidence .card:has-text('Aslaug') [data-act=read]").first.click()
    page.click("#reader [data-close-reader]")
    assert page.locator("#live .asked:visible").count() == 1 and page.locator("#reader:visible").count() == 0
    tab(page, "Sources")
    page.wait_for_selector("#source-table table")
    tall = "#reading"
    assert page.locator("#source-table .row-acts button").first.bounding_box()["x"] < width  # type: ignore[index]
    page.click("#source-table tr:has-text('Chronicle') [data-act=read]")
    assert mark_is_in_the_window(page, "#reading mark"), "Sources > Read"
    if width >= 900:
        assert page.evaluate(f"document.querySelector('{tall}').clientHeight") < height, "the pane scrolls, not the page"
    for way in ("point", "row"):
        page.click("#source-table tr:has-text('Count of 1991') [data-act=read]")
        page.wait_for_selector("#reading h2:has-text('Count of 1991')")
        tab(page, "Figures")
        if way == "point":
            page.wait_for_selector("#figure-2 .js-plotly-plot[data-listens]")
            page.locator("#figure-2 .scatterlayer .point").first.click(force=True)
        else:
            page.click("#figure-2-rows summary")
            page.click("#figure-2-rows [data-act=read]")
        assert mark_is_in_the_window(page, words="had 3 teachers"), way


def test_a_long_table_shows_its_first_rows_then_all_and_scrolls_in_no_box(page: Page) -> None:
    tab(page, "Ask")
    table = page.locator("#live table.differences")
    assert f"{len(YEARS)} figures" in table.locator("caption").inner_text()
    newest = page.locator("#live .newest")
    assert newest.locator("strong").inner_text() == "76 ferries" and f"Newest of {len(YEARS)}" in newest.inner_text()
    assert newest.bounding_box()["y"] < min(b["y"] for b in (table.bounding_box(), page.locator("#live .answer p").nth(1).bounding_box()) if b)  # type: ignore[index]
    seen = page.locator("#live table.differences tbody tr:visible")
    assert seen.count() == 6
    page.click(f"#live button:has-text('Show all {len(YEARS)}')")
    assert seen.count() == len(YEARS)
    box = page.locator("#live .answer .scroll").first
    assert box.evaluate("b => b.scrollHeight <= b.clientHeight + 1")
    row, badge = (page.locator(f"#live tr:has(.badge) {part}").bounding_box() for part in ("td:nth-child(2)", ".badge"))
    assert row and badge and row["y"] <= badge["y"] and badge["y"] + badge["height"] <= row["y"] + row["height"]
    page.click("#live button:has-text('Show the first 6')")
    assert seen.count() == 6


def test_a_print_holds_the_whole_conversation_with_its_references(page: Page) -> None:
    tab(page, "Ask")
    page.emulate_media(media="print")
    assert page.locator("#live table.differences tbody tr:visible").count() == len(YEARS)
    references = page.locator(".references:visible").all_inner_texts()
    assert len(references) == 2 and "Aslaug Rimstad" in references[0] and "[2]" in references[1]
    for part in (".tab-wrapper", "#composer", "#flip", ".acts", ".all-rows"):
        assert page.locator(f"{part}:visible").count() == 0, part
    assert page.evaluate("getComputedStyle(document.querySelector('#thread-pane')).overflowY") == "visible"
    page.emulate_media(media="screen")
    assert page.locator(".references:visible").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_chosen_theme_outlives_a_reload(visit: Callable[..., Page], scheme: str) -> None:
    page = visit(scheme=scheme)
    flip = page.get_by_role("button", name="Dark theme")
    assert flip.get_attribute("aria-pressed") == str(scheme == "dark").lower()
    flip.click()
    chosen = str(scheme != "dark").lower()
    page.reload()
    page.wait_for_selector("html[data-greeted]", state="attached")
    page.wait_for_timeout(500)  # Gradio's script sets its own idea when it is there
    assert flip.get_attribute("aria-pressed") == chosen
    assert page.evaluate("String(document.body.classList.contains('dark'))") == chosen


def test_a_question_sent_while_another_is_answered_stays_in_the_box(visit: Callable[..., Page]) -> None:
    page = visit()
    page.fill("#question textarea", "How many ferries did Tornvik have?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live .turn, #live .waiting")
    page.fill("#question textarea", "Who was the harbour master?")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live .turn[aria-busy=false] .acts")
    page.wait_for_timeout(1000)
    asked = page.locator(".asked").all_inner_texts()
    assert page.input_value("#question textarea") == "Who was the harbour master?" or len(asked) == 2, asked


def test_a_long_question_is_folded_and_fingers_find_the_buttons(visit: Callable[..., Page]) -> None:
    page = visit(width=390, height=844, has_touch=True, is_mobile=True)
    ask(page, "Who was the harbour master of Tornvik, " + "as the chronicle of the harbour tells it, " * 14 + "then?")
    asked = page.locator("#live .asked")
    folded = asked.bounding_box()
    page.click("#live [data-more]")
    whole = asked.bounding_box()
    assert folded and whole and folded["height"] < 160 < whole["height"]
    heights = page.locator("#live .acts button:visible").evaluate_all("all => all.map(b => b.offsetHeight)")
    assert len(heights) >= 4 and min(heights) >= 36, heights


def test_too_large_a_file_is_refused_before_it_is_sent(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "upload" in request.url else None)
    with (tmp_path / "large.txt").open("wb") as large:
        large.truncate(60_000_000)
    tab(page, "Sources")
    page.click("#add > button")
    page.set_input_files("#files input[type=file]", tmp_path / "large.txt")
    page.wait_for_selector("#upload-refused:has-text('large.txt (60.0 MB)')")
    page.wait_for_timeout(500)
    assert sent == []


def test_a_server_that_is_gone_is_told_and_the_draft_stays(visit: Callable[..., Page]) -> None:
    page = visit()
    page.fill("#question textarea", "a draft")
    page.context.set_offline(True)
    page.wait_for_selector("#lost:has-text('iskp chat --port')")
    page.context.set_offline(False)
    page.wait_for_selector("#lost", state="detached")
    page.wait_for_function("() => document.querySelector('#question textarea')?.value === 'a draft'")


def test_another_process_behind_the_address_is_noticed_and_nothing_typed_or_asked_is_lost(visit: Callable[..., Page]) -> None:
    page = visit()
    page.fill("#question textarea", "a draft")
    page.evaluate("window.before = true; sessionStorage.setItem('iskp-asked', 'What was under way?')")
    page.route("**/gradio_api/app_id", lambda route: route.fulfill(json={"app_id": 1}))
    page.wait_for_function("() => !window.before && document.documentElement.dataset.greeted")
    page.wait_for_selector("#cut-off:has-text('What was under way?')")
    assert page.input_value("#question textarea") == "a draft"
    page.evaluate("window.before = true")
    with page.expect_response("**/gradio_api/app_id", timeout=20_000):
        pass
    assert page.evaluate("window.before"), "it is loaded anew again and again"


def test_figures_say_that_they_are_drawn_and_hide_no_legend(visit: Callable[..., Page]) -> None:
    page = visit(width=390, height=844)
    page.route("**/*lotly*", lambda route: (time.sleep(0.5), route.continue_()))
    tab(page, "Figures")
    page.wait_for_selector("#figures-note .waiting:has-text('Drawing'), .figure-head .drawing")
    page.wait_for_selector("#figure-1 .legend")
    page.wait_for_selector(".figure-head .drawing", state="hidden")
    assert page.locator(".modebar:visible").count() == 0 and page.locator("#figures-note .waiting").count() == 0


def test_a_job_is_shown_to_its_starter_who_can_dismiss_it(visit: Callable[..., Page], page: Page) -> None:
    other = visit()
    tab(page, "Sources")
    page.click("#examine")
    page.wait_for_selector("#work .closing")
    assert page.locator("#work .results:visible").count() == 0, "what is done is folded"
    page.click("#work summary")
    assert page.locator("#work .results:visible").count() == 1
    tab(other, "Sources")
    other.wait_for_selector("#source-table table")
    other.wait_for_timeout(700)
    assert other.locator("#work .work").count() == 0
    tab(page, "Evaluation")
    page.wait_for_selector("#eval-start")
    assert page.locator("#eval-work .work").count() == 0
    tab(page, "Sources")
    page.click("#work [data-act=dismiss]")
    page.wait_for_selector("#work .work", state="detached")
    tab(page, "Ask")
    tab(page, "Sources")
    page.wait_for_timeout(700)
    assert page.locator("#work .work").count() == 0


def test_what_the_command_line_can_do_the_tools_do_too(visit: Callable[..., Page], tmp_path: Path) -> None:
    page = visit()
    tab(page, "Tools")
    page.wait_for_function("location.hash === '#/compare'")
    page.fill("#compare-questions textarea", "Who was the harbour master of Tornvik?\nHow many ferries did Tornvik have?")
    page.click("#compare-sources > button")
    for title in ("Count of 1991", "Chronicle", "Count of 1995"):
        page.locator(f"#compare-scope li:has-text('{title}') input").check()
    page.click("#compare-go")
    page.wait_for_selector("#compare-work .closing")
    assert "3 of 6 cells say something" in page.locator("#compare-work .closing").inner_text()
    rows = page.locator("#compare-table tbody tr")
    told = {row.locator("th").inner_text().splitlines()[0]: row.locator("td").all_inner_texts() for row in rows.all()}
    assert "Aslaug Rimstad" in told["The Chronicle of Tornvik"][0] and told["The Chronicle of Tornvik"][1] == "says nothing"
    assert told["Count of 1991"][0] == "says nothing" and "20 ferries in 1991" in told["Count of 1991"][1]
    for choice, ending, begins in (("CSV", ".csv", b"\xef\xbb\xbfsource"), ("XLSX", ".xlsx", b"PK"), ("Markdown", ".md", b"| Source"), ("HTML", ".html", b"<!doctype")):
        assert download(page, "compare", choice, tmp_path / f"c{ending}").startswith(begins)
    page.click("#compare-table tr:has-text('Chronicle') [data-act=read]")
    assert mark_is_in_the_window(page, "#reader mark.focus")
    page.click("#reader [data-close-reader]")
    page.wait_for_function("location.hash === '#/compare'")
    assert rows.count() == 3, "the way back leads to the table"

    tab(page, "Ledger")
    page.wait_for_selector("#ledger .entry[data-state=disputed]:has-text('people killed')")
    assert download(page, "ledger", "CSV", tmp_path / "l.csv").count(b"disputed") == 2
    tab(page, "Ask")
    ask(page, "How many people did the fire at the Grand Hotel in Norholm kill?")
    page.click("#live a[href^='#/ledger/']")
    page.wait_for_selector("#ledger .claims li.chosen:focus:has-text('people killed'):has-text('contradicts')")
    address = str(page.evaluate("location.hash"))
    page.go_back()
    page.wait_for_selector("#live .asked:visible")
    other = visit(at=page.url.split("#")[0] + address)
    other.wait_for_selector("#ledger .claims li.chosen:focus:has-text('contradicts')")

    tab(page, "Tools")
    tab(page, "Draft desk")
    page.fill("#desk-draft textarea", "The harbour master of Tornvik was called Aslaug Rimstad. Tornvik had 99 ferries in 1991. Was it so?")
    page.click("#desk-go")
    page.wait_for_selector("#desk-work .closing:has-text('3 sentences')")
    chips = page.locator("#desk .sentence summary").all_inner_texts()
    assert [c.strip() for c in chips] == ["Supported", "Contradicted"]
    page.locator("#desk summary").nth(1).click()
    assert "20 ferries in 1991" in page.locator("#desk .told:visible").first.inner_text()
    assert "Aslaug Rimstad" in page.locator("#desk-note-1").inner_text()
    assert download(page, "desk", "Word", tmp_path / "d.docx").startswith(b"PK")

    tab(page, "What is new")
    page.fill("#news-question textarea, #news-question input", "Who was the harbour master of Tornvik?")
    page.click("#news-add")
    page.wait_for_selector("#news .saved:has-text('Not asked yet')")
    page.click("#news-ask")
    page.wait_for_selector("#news .saved.changed .added:has-text('Aslaug Rimstad')")
    page.click("#news-ask")
    page.wait_for_selector("#news .saved:has-text('no change since')")
    page.click("#news [data-act=unsave]")
    page.click(".ask-user .yes")
    page.wait_for_selector("#news .notice:has-text('No question is saved yet')")


def download(page: Page, part: str, choice: str, to: Path) -> bytes:
    page.click(f"#{part}-form input")
    page.click(f"#{part}-form [role=option]:has-text('{choice}')")
    with page.expect_download() as saved:
        page.click(f"#{part}-save")
    saved.value.save_as(to)
    return to.read_bytes()


def test_a_first_start_is_served_at_once_and_becomes_usable_by_itself(
    visit: Callable[..., Page], serve_page: Callable[..., str], tmp_path: Path
) -> None:
    fresh = Home(tmp_path / "fresh")
    with writer(fresh.index_folder, timeout_seconds=5):  # the index cannot be made before this is let go
        page = visit(at=serve_page(tmp_path / "fresh", "--offline"))
        page.wait_for_selector("#notice:has-text('Preparing 75 sources')")
        page.fill("#question textarea", "Who is the author of the article?")
        page.click("#ask")
        page.wait_for_selector("#live .waiting:has-text('Preparing')")
    page.wait_for_selector("#live .turn[aria-busy=false] a.cite", timeout=180_000)
    page.wait_for_selector("#notice:not(:has-text('Preparing'))", state="attached")
    until = time.monotonic() + 120
    while not fresh.facts.coverage(fresh.library, fresh.vocabulary()).complete and time.monotonic() < until:
        time.sleep(0.5)
    tab(page, "Figures")
    page.wait_for_selector("#figure-1 .scatterlayer .point")
    fresh.close()


def test_a_busy_port_is_one_sentence_and_a_start_is_told_in_our_own_words(tmp_path: Path, free_port: int) -> None:
    command = [sys.executable, "-m", "app.cli", "--home", str(tmp_path), "chat", "--offline", "--port", str(free_port)]
    Home(tmp_path).init(empty=True)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline().strip() for _ in range(2)]
        assert lines == ["Starting iskp-qa …", f"iskp-qa is at http://127.0.0.1:{free_port}/ (Ctrl+C ends it)."]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        server.terminate()
        assert "Launching" not in server.stdout.read()
    assert second.returncode == 1 and not second.stdout
    (said,) = second.stderr.splitlines()
    assert f"port {free_port} is in use" in said and "--port" in said


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
