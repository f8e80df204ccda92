"""What the first screen shows of a home, found in a thread once the engine can be used. No gradio here."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from app.answer import Answer
from app.citation_text import GENRE_WORDS, is_comparison
from app.errors import AppError
from app.home import Home
from app.page.readiness import Readiness
from app.rendering.welcome import Welcome
from index.errors import IndexingError
from ingest.errors import IngestError
from ingest.source import Source

_log = logging.getLogger(__name__)
_THESIS = "Summarise the article in three sentences."
_PLURALS = {
    "opinion": "opinion pieces", "un-report": "UN reports", "government": "government texts", "news": "news reports",
    "encyclopedia": "encyclopedia articles", "research": "research papers", "notes": "comparisons of ours", "unknown": "other texts",
}  # fmt: skip
_OFFERED = 3
_TICK_SECONDS = 0.4
_TICKS = 300


class Front:
    """Knows the collection of a home; nothing that the page calls waits for the engine."""

    def __init__(self, home: Home, ready: Readiness) -> None:
        self._home = home
        self._ready = ready
        self._lock = threading.Lock()
        self._key = ""
        self._found = Welcome()
        self._done = True

    def now(self) -> Welcome:
        """What is known by now."""
        questions = self._home.suggester.grouped(_OFFERED) if self._ready.usable and not self._ready.word else {}
        waiting = "" if self._ready.usable else self._ready.word
        return replace(
            self._found, questions=tuple((g, tuple(q)) for g, q in questions.items()), waiting=waiting,
            empty=not self._home.library.fingerprints(), done=self._ready.done if waiting else 0, total=self._ready.total if waiting else 0,
            summaries=self._home.library.count("bundled notes", without="notes"),
        )  # fmt: skip

    @property
    def thesis(self) -> Answer | None:
        """The summary of the leading article, once it is there."""
        return self._found.thesis

    def follow(self) -> Iterator[Welcome]:
        """The welcome each time that more is known, until all is."""
        last = None
        for _ in range(_TICKS):
            if self._ready.usable:
                self._begin()
            known = self.now()
            if known != last:
                last = known
                yield known
            if self._ready.failed or (
                self._ready.usable and not self._ready.word and self._done and self._settled(known)
            ):
                return
            threading.Event().wait(_TICK_SECONDS)

    def _settled(self, known: Welcome) -> bool:
        full = len(known.questions) > 2 and all(len(q) >= _OFFERED for _, q in known.questions)
        return known.empty or full or self._home.suggester.complete

    def _begin(self) -> None:
        with self._lock:
            opened = self._home.index.current()
            key = opened.id if opened else ""
            if not key or key == self._key:
                return
            self._key, self._done = key, False
        threading.Thread(target=self._find, args=(key,), name="front", daemon=True).start()

    def _find(self, key: str) -> None:
        try:
            sources = list(self._home.library)
            found = about(sources)
            self._take(key, found)
            if found.article is not None:
                answer = self._home.answerer_with("extractive").answer(_THESIS)
                if answer.status == "answered" and {c.source_id for c in answer.citations} == {found.article.id}:
                    self._take(key, replace(found, thesis=answer))
                else:
                    self._take(key, replace(found, article=None))
        except (AppError, IndexingError, IngestError):
            _log.warning("the first screen could not be filled", exc_info=True)
        finally:
            with self._lock:
                self._done = self._done or key == self._key

    def _take(self, key: str, found: Welcome) -> None:
        with self._lock:
            if key == self._key:
                self._found = found


def about(sources: list[Source]) -> Welcome:
    """What a collection is, by its records alone.

    The leading article is the only signed opinion piece, or the only source.
    """
    signed = [s for s in sources if s.author and s.genre == "opinion"]
    article = signed[0] if len(signed) == 1 else sources[0] if len(sources) == 1 else None
    counts = Counter(s.genre for s in sources)
    kinds = tuple(
        (GENRE_WORDS.get(g, g) if n == 1 else _PLURALS.get(g, g), n)
        for g, n in sorted(counts.items(), key=lambda pair: (pair[0] == "notes", -pair[1]))
    )  # fmt: skip
    newest = max((s for s in sources if s.date and not is_comparison(s)), key=lambda s: s.date or "", default=None)
    return Welcome(
        subject=article.title.split(": ")[0] if article else "",
        sources=len(sources),
        compared=sum(is_comparison(s) for s in sources if s is not article),
        article=article,
        kinds=kinds,
        newest=newest,
    )
