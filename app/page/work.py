"""One long job at a time, behind the page: it goes on when the browser leaves, and whoever looks sees how far it is."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from app.errors import AppError
from app.rendering.render import render
from index.errors import IndexingError
from ingest.errors import IngestError

_LOOK_SECONDS = 0.25
_log = logging.getLogger(__name__)


class Stopped(AppError):
    """Who started a job stopped it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What became of one thing: its name, one word, and why."""

    name: str
    result: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkState:
    """How far a job is.

    Attributes:
        number: jobs are counted from 1; 0 before the first.
        owner: who started it, and sees it; None for the server, whose jobs all see while they run.
        place: the tab that shows it.
        total: None while nobody knows.
        closing: one sentence at the end.
    """

    number: int = 0
    owner: str | None = None
    place: str = "sources"
    title: str = ""
    step: str = ""
    done: int = 0
    total: int | None = None
    lines: tuple[Line, ...] = ()
    running: bool = False
    closing: str = ""
    failed: bool = False


@dataclass(slots=True)
class Tell:
    """How a job says what it does. :attr:`stopped` is set when somebody asked it to stop."""

    _work: Work
    stopped: threading.Event = field(default_factory=threading.Event)

    def step(self, text: str, done: int = 0, total: int | None = None) -> None:
        """Now doing this, so much of so much."""
        self._work.change(step=text, done=done, total=total)

    def go_on(self, text: str, done: int, total: int | None) -> None:
        """The same as :meth:`step`, for a job that can be left at any step.

        Raises:
            Stopped: somebody asked it to stop.
        """
        if self.stopped.is_set():
            raise Stopped("Stopped.")
        self.step(text, done, total)

    def line(self, name: str, result: str, reason: str = "") -> None:
        """One thing is done."""
        self._work.add(Line(name=name, result=result, reason=reason))


Job = Callable[[Tell], str]


class Work:
    """Runs jobs one after the other and knows their state. Threads may share it."""

    def __init__(self) -> None:
        self._state = WorkState()
        self._changed = threading.Condition()
        self._tell: Tell | None = None

    @property
    def state(self) -> WorkState:
        """The present or last job."""
        return self._state

    def start(self, title: str, job: Job, *, owner: str | None = None, place: str = "sources") -> bool:
        """Start a job in its own thread; False when another one runs. See :class:`WorkState` for owner and place."""
        with self._changed:
            if self._state.running:
                return False
            self._state = WorkState(
                number=self._state.number + 1, owner=owner, place=place, title=title, running=True
            )  # fmt: skip
            self._tell = Tell(self)
        threading.Thread(target=self._run, args=(job, self._tell), daemon=True, name=title).start()
        return True

    def stop(self) -> None:
        """Ask the present job to stop when it can."""
        if self._tell:
            self._tell.stopped.set()

    def dismiss(self, owner: str) -> None:
        """Forget what a job of this owner came to."""
        with self._changed:
            if not self._state.running and self._state.owner == owner:
                self._state = WorkState(number=self._state.number)

    def follow(self) -> Iterator[WorkState]:
        """The state whenever it changes, until nothing runs."""
        seen = None
        while True:
            with self._changed:
                if seen is self._state:
                    self._changed.wait(_LOOK_SECONDS)
                state = self._state
            if state is not seen:
                yield state
            seen = state
            if not state.running:
                return

    def change(self, **changes: object) -> None:
        """Set fields of the state."""
        with self._changed:
            self._state = replace(self._state, **changes)  # type: ignore[arg-type]
            self._changed.notify_all()

    def add(self, line: Line) -> None:
        """One more line."""
        with self._changed:
            self._state = replace(self._state, lines=(*self._state.lines, line))
            self._changed.notify_all()

    def _run(self, job: Job, tell: Tell) -> None:
        try:
            self.change(closing=job(tell), running=False)
        except Stopped as exc:
            self.change(closing=str(exc), running=False)
        except (AppError, IndexingError, IngestError) as exc:
            self.change(closing=" ".join(str(exc).split()), failed=True, running=False)
        except Exception as exc:
            _log.exception("%s failed", self._state.title)
            said = f"{self._state.title} failed unexpectedly ({type(exc).__name__}); the terminal says more."
            self.change(closing=said, failed=True, running=False)


def work_html(state: WorkState, who: str | None = None, place: str = "sources") -> str:
    """Title, bar and lines of a job; nothing when ``who`` did not start it, or it belongs to another tab.

    A job that is done takes few lines: its end and what failed; the rest is folded.
    """
    seen = state.owner == who or (state.owner is None and state.running)
    if not (state.title and seen and state.place == place):
        return ""
    failed = [line for line in state.lines if line.result == "failed"]
    return render("work.html", state=state, failed=failed)
