"""Jobs that a visitor starts in one part of the page, and what each came to."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Generic, TypeVar

from app.access.exposure import Gate, TooBusy
from app.page.work import Tell, Work, work_html
from app.rendering.render import render

_BUSY = "Another task is running; try again when it is done."
_MOST_KEPT = 50
"""Results and notices that are kept, of those who asked last."""

T = TypeVar("T")
V = TypeVar("V")


class Place(Generic[T]):
    """Jobs of one part of the page that visitors start, and what each came to.

    Args:
        name: of the place.
        title: of its jobs.
        gate: counts what each client asks.
    """

    def __init__(self, work: Work, name: str, title: str, gate: Gate | None = None) -> None:
        self._work, self._name, self._title, self._gate = work, name, title, gate
        self._kept: OrderedDict[str, T] = OrderedDict()
        self._notices: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()

    def result(self, who: str) -> T | None:
        """What the last job of somebody came to."""
        with self._lock:
            return self._kept.get(who)

    def keep(self, who: str, result: T) -> None:
        """Keep what a job came to, for as long as the server runs and few others came since."""
        with self._lock:
            _put(self._kept, who, result)

    def tell(self, who: str, text: str) -> str:
        """The HTML of a notice to somebody; it stands until the next job or the next look, whatever else is drawn meanwhile."""
        notice = render("notice.html", text=text)
        with self._lock:
            _put(self._notices, who, notice)
        return notice

    def untell(self, who: str) -> None:
        """Let the notice to somebody go."""
        with self._lock:
            self._notices.pop(who, None)

    def run(self, job: Callable[[Tell], tuple[T, str]], who: str, client: str) -> Iterator[str]:
        """Start a job and give the HTML of how far it is, again and again.

        Args:
            job: gives its result and a sentence at the end.
            client: as the gate counts.
        """

        def kept(tell: Tell) -> str:
            result, closing = job(tell)
            self.keep(who, result)
            self.untell(who)
            return closing

        self.untell(who)
        try:
            with self._gate.admit(client) if self._gate else nullcontext():
                if not self._work.start(self._title, kept, owner=who, place=self._name):
                    yield self.tell(who, _BUSY)
                    return
        except TooBusy as exc:
            yield self.tell(who, f"{str(exc)[:1].upper()}{str(exc)[1:]}.")
            return
        yield from self.follow(who)

    def follow(self, who: str) -> Iterator[str]:
        """The HTML of a job of this place, again and again, until none runs; once where none does."""
        yield self.shown(who)
        if self._work.state.running and self._mine(who):
            for _ in self._work.follow():
                yield self.shown(who)

    def shown(self, who: str) -> str:
        """A notice to somebody, or how far their job is, with a button that stops it."""
        running = self._work.state.running and self._mine(who)
        with self._lock:
            notice = self._notices.get(who)
        if notice and not running:
            return notice
        stop = render("stop.html") if running else ""
        return work_html(self._work.state, who, self._name) + stop

    def stop(self, who: str) -> None:
        """Stop the job of somebody."""
        if self._mine(who):
            self._work.stop()

    def _mine(self, who: str) -> bool:
        return self._work.state.place == self._name and self._work.state.owner == who


def _put(kept: OrderedDict[str, V], who: str, value: V) -> None:
    kept[who] = value
    kept.move_to_end(who)
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
