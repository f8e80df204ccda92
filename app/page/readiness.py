"""How far the page is with what it does before the first answer: sources read, passages indexed, models loaded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from app.errors import AppError
from app.home import Home
from app.page.work import Tell, Work
from app.text.counts import counted
from index.errors import IndexingError
from ingest.errors import IngestError

LOADING = "Loading the models; the first answer waits for them. You can type already."
_CHECKING = "Preparing: reading the sources …"
_TICK_SECONDS = 0.3
_READ_AT_START = 2000
"""Passages whose sentences are read unasked; the 369 of the bundled sources take 8 seconds on two busy cores."""


class NotReady(AppError):
    """Nothing can be asked yet, or ever before somebody repairs what the message names."""


class Readiness:
    """One word for what is going on, told by one thread and read by all; ``done`` of ``total`` passages are indexed."""

    def __init__(self, *, usable: bool = True) -> None:
        self.word = "" if usable else _CHECKING
        self.usable = usable
        self.failed = ""
        self.done, self.total = 0, 0

    def follow(self, *, until_usable: bool = False) -> Iterator[str]:
        """The word again and again, several times a second, until there is none, or something can be asked."""
        while self.word and not (until_usable and (self.usable or self.failed)):
            yield self.word
            time.sleep(_TICK_SECONDS)

    def check(self, wait_seconds: float = 0.0) -> None:
        """Wait so long until something can be asked.

        Raises:
            NotReady: it still cannot.
        """
        deadline = time.monotonic() + wait_seconds
        for _ in self.follow(until_usable=True):
            if time.monotonic() >= deadline:
                raise NotReady(f"{self.word.rstrip(' .…')}; ask again in a minute")
        if not self.usable:
            raise NotReady(self.failed)


def prepare(home: Home, work: Work, ready: Readiness, say: Callable[[str], None]) -> None:
    """Bring ``ready`` to its end; what is long is a job that the page shows.

    Args:
        say: prints a line where the server was started.
    """
    try:
        if not ready.usable:
            _index(home, work, ready, say)
        ready.word = LOADING
        home.warm_up()
    except (AppError, IndexingError, IngestError) as exc:
        # A model that cannot be loaded is told at the first question, where somebody reads it.
        if not ready.usable:
            ready.failed = f"the sources could not be prepared: {' '.join(str(exc).split())}"
            say(f"Error: {ready.failed}")
    finally:
        if not (ready.usable or ready.failed):
            ready.failed = "the sources could not be prepared; the terminal says why"
        ready.word = ""


def read_sentences(home: Home, say: Callable[[str], None]) -> None:
    """Fill the fact layer behind the page, so that figures and ledger are not empty after a first start; larger homes wait to be told.

    Args:
        say: prints a line where the server was started.
    """
    try:
        opened = home.index.current()
        if opened and opened.passage_count() <= _READ_AT_START:
            home.fill_facts()
    except (AppError, IndexingError, IngestError) as exc:
        say(f"Figures and ledger stay empty: {' '.join(str(exc).split())}")


def _index(home: Home, work: Work, ready: Readiness, say: Callable[[str], None]) -> None:
    for outcome in home.update_sources():
        if outcome.status == "failed":
            say(f"{outcome.name}: {outcome.reason}")
    count = len(home.library.fingerprints())
    title = f"Preparing {counted(count, 'source')}"

    def job(tell: Tell) -> str:
        report = home.sync(progress=lambda p: tell.step("indexing passages", p.done, p.total))
        return f"{report.sources} sources with {report.added} passages can be asked about."

    ready.word = f"{title} …"
    if count == 0 or not work.start(title, job):
        home.sync()  # somebody was faster and adds sources: their job and this one wait for each other
    else:
        for state in work.follow():
            if state.total:
                ready.done, ready.total = state.done, state.total
                ready.word = f"{title}: {state.done} of {state.total} passages."
        if state.failed:
            raise NotReady(state.closing)
        say(f"{title}: done. {state.closing}")
    ready.usable = True
