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
"""Results that are kept, of those who asked last."""

T = TypeVar("T")


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
        self._lock = threading.Lock()

    def result(self, who: str) -> T | None:
        """What the last job of somebody came to."""
        with self._lock:
            return self._kept.get(who)

    def keep(self, who: str, result: T) -> None:
        """Keep what a job came to, for as long as the server runs and few others came since."""
        with self._lock:
            self._kept[who] = result
            self._kept.move_to_end(who)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    def run(self, job: Callable[[Tell], tuple[T, str]], who: str, client: str) -> Iterator[str]:
        """Start a job and give the HTML of how far it is, again and again.

        Args:
            job: gives its result and a sentence at the end.
            client: as the gate counts.
        """

        def kept(tell: Tell) -> str:
            result, closing = job(tell)
            self.keep(who, result)
            return closing

        try:
            with self._gate.admit(client) if self._gate else nullcontext():
                if not self._work.start(self._title, kept, owner=who, place=self._name):
                    yield render("notice.html", text=_BUSY)
                    return
        except TooBusy as exc:
            yield render("notice.html", text=f"{str(exc)[:1].upper()}{str(exc)[1:]}.")
            return
        yield from self.follow(who)

    def follow(self, who: str) -> Iterator[str]:
        """The HTML of a job of this place, again and again, until none runs; once where none does."""
        yield self.shown(who)
        if self._work.state.running and self._mine(who):
            for _ in self._work.follow():
                yield self.shown(who)

    def shown(self, who: str) -> str:
        """How far the job of somebody is, with a button that stops it."""
        stop = render("stop.html") if self._work.state.running and self._mine(who) else ""
        return work_html(self._work.state, who, self._name) + stop

    def stop(self, who: str) -> None:
        """Stop the job of somebody."""
        if self._mine(who):
            self._work.stop()

    def _mine(self, who: str) -> bool:
        return self._work.state.place == self._name and self._work.state.owner == who
