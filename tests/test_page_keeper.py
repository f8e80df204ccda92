"""What hangs on the index follows it while the page is open."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.home import Home
from app.page.keeper import Keeper
from app.page.ledger import LedgerTab
from app.page.talk import Talk
from app.page.work import Tell, Work
from ingest.source import Source


@pytest.fixture
def home(tmp_path: Path, make_source: Callable[..., Source]) -> Home:
    home = Home(tmp_path / "home")
    home.init(empty=True)
    home.library.put(make_source("count", "In 1991 the port of Tornvik had 20 ferries."), raw_digest="0")
    home.sync()
    return home


def unread(home: Home) -> int:
    coverage = home.facts.coverage(home.library, home.vocabulary())
    return coverage.total - coverage.done


def test_a_source_added_on_the_page_reaches_the_fact_layer(home: Home, make_source: Callable[..., Source]) -> None:
    made: list[int] = []
    keeper = Keeper(home, Work(), made=lambda: made.append(unread(home)))
    assert unread(home) == 1
    assert keeper.look() and keeper.look()
    assert unread(home) == 0 and made == [0]
    home.library.put(make_source("more", "In 1995 it had 22 ferries."), raw_digest="1")
    home.sync()
    assert unread(home) == 1
    assert keeper.look()
    assert unread(home) == 0 and made == [0, 0]


def test_jobs_of_the_page_go_first(home: Home) -> None:
    work, go_on = Work(), threading.Event()

    def job(tell: Tell) -> str:
        go_on.wait(30)
        return "Done."

    assert work.start("Adding", job)
    keeper = Keeper(home, work)
    assert not keeper.look() and unread(home) == 1
    go_on.set()
    assert [s.running for s in work.follow()][-1] is False
    assert keeper.look() and unread(home) == 0


def test_a_page_that_ends_reads_no_further(home: Home) -> None:
    keeper = Keeper(home, Work())
    keeper.end()
    assert not keeper.look() and unread(home) == 1


def test_the_ledger_reads_the_rest_at_once_or_waits_for_it(home: Home, make_source: Callable[..., Source]) -> None:
    tab = LedgerTab(home, Work())
    assert "1 sentence read" in str([shown.work for shown in tab.fill(Talk(owner="browser:a"))])
    assert unread(home) == 0
    home.library.put(make_source("more", "The mayor was glad."), raw_digest="1")
    home.sync()
    opened = tab.opened(Talk(owner="browser:b"))
    assert any("1 of 2 sources" in str(shown.entries) for shown in opened)
    assert Keeper(home, Work()).look()
    assert "Nothing is counted or measured twice" in str([shown.entries for shown in opened][-1])
