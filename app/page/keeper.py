"""What hangs on the index and takes long is made behind the page: the fact layer, vectors for questions in other languages."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from app.errors import AppError
from app.home import Home
from app.page.work import Work
from index.errors import IndexingError
from ingest.errors import IngestError

_LOOK_SECONDS = 3.0
_log = logging.getLogger(__name__)


class Keeper:
    """Brings what hangs on the index in line with it, whoever changed it; the jobs of the page go first.

    Args:
        made: called when the fact layer has been filled.
    """

    def __init__(self, home: Home, work: Work, made: Callable[[], None] = lambda: None) -> None:
        self._home = home
        self._work = work
        self._made = made
        self._done = ""
        self._ended = threading.Event()

    def start(self) -> None:
        """Look for changes in a thread until :meth:`end`."""
        threading.Thread(target=self._run, daemon=True, name="keeper").start()

    def end(self) -> None:
        """Stop; what was read is kept."""
        self._ended.set()

    def look(self) -> bool:
        """Do what there is to do; whether all is in line now. What cannot be written is logged, and tried at the next change."""
        opened = self._home.index.current()
        if opened is None or self._waits():
            return False
        if opened.id == self._done:
            return True
        try:
            if not self._home.facts.readonly and not self._home.fill_facts(stop=self._waits).complete:
                return False
            vectors = self._home.language_vectors
            if vectors and vectors.made:
                self._home.fill_languages()
        except (AppError, IndexingError, IngestError) as exc:
            _log.warning("what hangs on the index could not be brought in line: %s", exc)
        self._done = opened.id
        self._made()
        return True

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                self.look()
            except IndexingError:  # an index that cannot be opened is told at the next question
                _log.debug("the index cannot be opened", exc_info=True)

    def _waits(self) -> bool:
        return self._ended.is_set() or self._work.state.running
