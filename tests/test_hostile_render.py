"""A corpus of XSS payloads in everything that the page shows, in a real Chromium: no script runs, nothing is asked for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest

from app.answer import Answer, Difference, Outlet, Value, cite
from app.exports.export import FORMATS, export_answer, file_name
from app.page.tables import Act, TableRow, table_html
from app.page.work import Line, WorkState, work_html
from app.rendering.html import TurnView, evidence_html, message_html, plain_html, source_html, thread_html
from app.rendering.render import render
from app.rendering.welcome import Welcome, welcome_html
from ingest.blocks import Block, Extract, Metadata, assemble
from ingest.chunk import chunk
from ingest.source import Source

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = next((p for name in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(name))), None)
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
RUN = "window.hacked=(window.hacked||0)+1"
AWAY = "//evil.invalid/x"

PAYLOADS = [
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><img src=x onerror="{RUN}">',
    f"'><svg onload='{RUN}'>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<details open ontoggle={RUN}>",
    f"<body onload={RUN}>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src=javascript:parent.{RUN}></iframe>",
    f"<object data=javascript:{RUN}></object>",
    f"<embed src={AWAY}>",
    f"<link rel=stylesheet href={AWAY}>",
    f"<style>@import '{AWAY}'; body{{background:url({AWAY})}}</style>",
    f"<meta http-equiv=refresh content='0;url={AWAY}'>",
    f"<base href={AWAY}>",
    f"<form action={AWAY}><input autofocus onfocus={RUN}></form>",
    f'" onmouseover="{RUN}" autofocus onfocus="{RUN}" x="',
    f"' onmouseover='{RUN}' x='",
    f"`-{RUN}-`",
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f"data:text/html,<script>parent.{RUN}</script>",
    f"vbscript:{RUN}",
    f"https://evil.invalid/\" onclick=\"{RUN}",
    f"[x](javascript:{RUN})",
    f"![x]({AWAY})",
    f"<a href='javascript:{RUN}'>x</a>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<textarea></textarea><img src=x onerror={RUN}>",
    f"<!--><img src=x onerror={RUN}>-->",
    f"<![CDATA[><img src=x onerror={RUN}>]]>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;img src=x onerror={RUN}&#62;",
    f"\\u003cimg src=x onerror={RUN}\\u003e",
    f"＜script＞{RUN}＜/script＞",
    f"<scr\x00ipt>{RUN}</scr\x00ipt>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src={AWAY} autoplay onerror={RUN}>",
    f"{{{{ constructor.constructor('{RUN}')() }}}}",
    "{{ 7*7 }}{% raw %}{% include '/etc/passwd' %}",
    f"${{{RUN}}}",
    f"<portal src={AWAY}>",
    f"<p style='background:url({AWAY})'>x</p>",
    f"\u202e<img src=x onerror={RUN}>\u202c",
    f"[1]<img src=x onerror={RUN}>[2]",
    f"- <img src=x onerror={RUN}>\n1. <script>{RUN}</script>",
    f"]]>--></style></script></title></textarea><img src=x onerror={RUN}>",
]  # fmt: skip


def hostile_source(payload: str) -> Source:
    """Title, author, publisher, date note, language, licence, address, body, caption, heading and claimant."""
    blocks = (
        Block(text=f"Heading {payload}", role="heading", level=2),
        Block(text=f"Words before {payload} and after.", claim_status="claim", claimed_by=payload),
        Block(text=f"Caption {payload}", role="caption"),
        Block(text="A last paragraph stands here."),
    )
    values = dict.fromkeys(("title", "author", "publisher", "date_note", "url", "language", "licence"), payload)
    source = assemble("s", Extract(blocks=blocks, metadata=Metadata(**values)), fallback_title="T")  # type: ignore[arg-type]
    # Nothing of what reading cleans away is relied on here: rendering has to hold by itself.
    return replace(source, title=payload, author=payload, publisher=payload, url=payload, licence=payload)


def hostile_answer(source: Source, payload: str) -> Answer:
    passage = chunk(source)[0]
    citation = replace(
        cite(source, passage, start=passage.start, end=passage.end, support=0.9, marker=1),
        title=payload, author=payload, publisher=payload, date=payload, date_note=payload, url=payload, via=payload,
        genre=payload, origin=payload, fetched_at=payload, locator=payload, claim_status="claim", claimed_by=payload,
        source_id=payload, passage_id=passage.id,
        also_in=(Outlet(source_id=payload, title=payload, publisher=payload, date=payload, url=payload, locator=payload),),
    )  # fmt: skip
    return Answer(
        question=payload, standalone_question=f"other {payload}", status="answered", answer=f"{payload} [1]. {payload} [7].",
        short_answer=payload, citations=(citation,), nearest=(replace(citation, marker=0),),
        differences=(Difference(about=payload, values=(Value(value=payload, unit=payload, date=payload, marker=1),)),),
        missing_terms=(payload,), unsupported=(payload,), engine=payload,
    )  # fmt: skip


def everything(payload: str) -> str:
    """One page with all that the product renders, the payload in every place that holds a text of others."""
    source = hostile_source(payload)
    answer = hostile_answer(source, payload)
    spans = {p.id: (p.start, p.end) for p in chunk(source)}
    abstained = replace(answer, status="abstained", citations=(), answer=payload)
    turns = [
        TurnView(number=1, question=payload, answer=answer, follow_ups=(payload,), scope=payload),
        TurnView(number=2, question=payload, settled=payload, draft=payload),
        TurnView(number=3, question=payload, waiting=payload),
        TurnView(number=4, question=payload, error=payload),
        TurnView(number=5, question=payload, answer=abstained, scope=payload, follow_ups=(payload,)),
    ]
    rows = [
        TableRow(
            cells=(payload, payload),
            name=payload,
            acts=(Act(act="read", label=payload, data={"source": payload}, sure=payload),),
        )
    ]
    state = WorkState(
        number=1, title=payload, step=payload, done=1, total=2, running=True, closing=payload,
        lines=(Line(name=payload, result="failed", reason=payload),),
    )  # fmt: skip
    conversations = [{"id": payload, "title": payload, "updated_at": payload}]
    case = {
        "id": payload, "verdict": payload, "kind": payload, "split": payload, "expect": payload, "status": payload, "question": payload,
        "standalone": payload + "x", "answer": payload, "why": [payload], "gold": [payload],
        "citations": [{"marker": payload, "title": payload, "date": payload, "locator": payload, "quote": payload}],
    }  # fmt: skip
    return "\n".join(
        [
            thread_html(turns, live=True),
            welcome_html(Welcome(subject=payload, sources=3, article=source, thesis=answer, newest=source, kinds=((payload, 2),),
                                 questions=(("fact", (payload,)),), waiting=payload)),
            message_html(answer, 1),
            plain_html(payload),
            evidence_html(answer, 1, lambda _: source, spans.get, also=answer.nearest),
            evidence_html(answer, 1, lambda _: None, lambda _: None),
            source_html(source, [(0, 5)], (2, 9)),
            table_html(payload, (payload, payload), rows, find=payload),
            work_html(state),
            work_html(replace(state, running=False, failed=True)),
            render("history.html", conversations=conversations, current=payload),
            render("removed.html", title=payload, source=payload),
            render("notice.html", text=payload),
            render("case.html", case=case),
        ]
    )


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
def page(browser: Browser) -> Iterator[Page]:
    """A new page each time: the content policy of an exported page would guard what is shown after it."""
    opened = browser.new_page()
    opened.asked = []  # type: ignore[attr-defined]
    opened.said = []  # type: ignore[attr-defined]

    def ask(route: Any) -> None:
        opened.asked.append(route.request.url)  # type: ignore[attr-defined]
        route.abort()

    def say(dialog: Any) -> None:
        opened.said.append(dialog.message)  # type: ignore[attr-defined]
        dialog.dismiss()

    opened.route("**/*", ask)
    opened.on("dialog", say)
    yield opened
    opened.close()


def look(page: Page, html: str) -> None:
    """Show it, move over all that can be pointed at, and see what happened."""
    page.asked.clear()  # type: ignore[attr-defined]
    page.said.clear()  # type: ignore[attr-defined]
    page.set_content(html)
    page.evaluate(
        """() => document.querySelectorAll('*').forEach((e) => {
             for (const kind of ['mouseover', 'mouseenter', 'focus', 'toggle', 'error', 'load', 'pointerdown'])
               e.dispatchEvent(new Event(kind, { bubbles: true }));
             if (e.focus) e.focus();
           })"""
    )
    page.wait_for_timeout(50)
    assert page.evaluate("window.hacked") is None
    assert page.asked == [] and page.said == []  # type: ignore[attr-defined]
    links = page.evaluate("() => [...document.querySelectorAll('[href], [src], [action]')].map((e) => e.outerHTML)")
    wrong = page.evaluate(
        """() => [...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))
                 .filter((h) => h !== null && !/^(#cite-|https?:\\/\\/)/.test(h))"""
    )
    assert wrong == [], (wrong, links[:5])
    inserted = page.evaluate(
        "() => [...document.querySelectorAll('img,iframe,object,embed,base,portal,video,audio,form,math,link')].map((e) => e.outerHTML)"
    )
    assert inserted == []
    # Attributes that act are ours alone, and ours has none.
    acting = page.evaluate(
        "() => [...document.querySelectorAll('*')].flatMap((e) => e.getAttributeNames().filter((n) => n.startsWith('on')))"
    )
    assert acting == []


pytestmark = pytest.mark.browser


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_that_is_shown_becomes_active(page: Page, payload: str) -> None:
    style = files("app.rendering").joinpath("templates", "page.css").read_text(encoding="utf-8")
    script = files("app.rendering").joinpath("templates", "page.js").read_text(encoding="utf-8")
    look(
        page,
        f"<!doctype html><html><head><style>{style}</style></head><body>{everything(payload)}<script>{script}</script></body></html>",
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_an_exported_page_is_as_harmless(page: Page, payload: str) -> None:
    source = hostile_source(payload)
    look(page, export_answer(hostile_answer(source, payload), "html", at="2024-01-01T00:00:00+00:00"))


def test_the_guard_itself_sees_a_script(page: Page) -> None:
    with pytest.raises(AssertionError):
        look(page, f"<p>x</p><script>{RUN}</script>")
    with pytest.raises(AssertionError):
        look(page, f"<img src={AWAY}>")


@pytest.mark.parametrize("payload", [*PAYLOADS, "../../etc/passwd", "a/b\\c", "\x00", "con", "x" * 5000])
def test_names_of_exported_files_are_names(payload: str) -> None:
    for form in FORMATS:
        name = file_name(payload, form)
        assert name and len(name) < 200 and not set(name) & set('/\\<>:"|?*\x00\n\r') and not name.startswith(".")
