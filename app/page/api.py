"""What other programs call: the same functions over HTTP (gradio_client) and as MCP tools."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api as offer

from app.answer import to_json
from app.errors import BadInput
from app.followup import Turn
from app.home import Home
from app.page.talk import make_filters
from app.question import tidy

_MOST = 100


class Api:
    """Functions for programs; the docstrings are what an MCP client shows to a model."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def ask(
        self,
        question: str,
        history: list[dict[str, str]] | None = None,
        since: str = "",
        until: str = "",
        sources: list[str] | None = None,
    ) -> dict[str, Any]:
        """Answer a question from the indexed sources, with citations of the exact words.

        The status is "answered", "abstained" (the sources do not say) or "declined". Every marker such as [1] in
        the answer names a citation with quote, title, publisher, date, locator and address.

        Args:
            question: The question, in plain words.
            history: Earlier messages as {"role": "user" or "assistant", "content": text}, for follow-up questions.
            since: Only sources dated on or after this date: 2024, 2024-03 or 2024-03-22.
            until: Only sources dated on or before this date.
            sources: Only sources with these ids.
        """
        turns = [Turn(role=_text(t, "role"), content=_text(t, "content")) for t in history or []]
        filters = make_filters(sources or [], [], since, until)
        return to_json(self._home.answerer.answer(question, turns, filters=filters))

    def search(
        self, query: str, k: int = 10, since: str = "", until: str = "", sources: list[str] | None = None
    ) -> list[dict[str, Any]]:
        """Find the passages that come closest to a query, best first.

        Args:
            query: What to look for.
            k: How many passages, at most 100.
            since: Only sources dated on or after this date: 2024, 2024-03 or 2024-03-22.
            until: Only sources dated on or before this date.
            sources: Only sources with these ids.
        """
        opened = self._home.index.current()
        filters = make_filters(sources or [], [], since, until)
        hits = opened.search(tidy(query), max(1, min(int(k), _MOST)), filters=filters) if opened else []
        found = []
        for hit in hits:
            p = hit.passage
            source = opened.source(p.source_id) if opened else None
            found.append(
                {
                    "rank": hit.rank, "score": round(hit.score, 6), "passage_id": p.id, "source_id": p.source_id,
                    "title": source.title if source else "", "publisher": source.publisher if source else None,
                    "date": source.date if source else None, "url": source.url if source else None,
                    "locator": p.locator, "paragraph": p.number, "start": p.start, "end": p.end, "text": p.text,
                    "claim_status": p.claim_status, "claimed_by": p.claimed_by,
                }
            )  # fmt: skip
        return found

    def sources(self) -> list[dict[str, Any]]:
        """List the sources that answers come from: id, title, publisher, author, date, address, genre, origin."""
        return [
            {
                "id": s.id, "title": s.title, "publisher": s.publisher, "author": s.author, "date": s.date,
                "url": s.url, "genre": s.genre, "language": s.language, "origin": s.origin, "fetched_at": s.fetched_at,
                "characters": len(s.text),
            }
            for s in self._home.library
        ]  # fmt: skip


def build(functions: Api) -> None:
    """Offer the functions under their names."""
    for function in (functions.ask, functions.search, functions.sources):
        offer(_told(function), api_name=function.__name__, concurrency_limit=4, concurrency_id="api")


def _told(function: Any) -> Any:
    """The function with what we know to be wrong as one sentence for the caller."""
    import functools

    from app.page.ask import KNOWN_ERRORS

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except KNOWN_ERRORS as exc:
            raise gr.Error(" ".join(str(exc).split()), print_exception=False) from exc

    return call


def _text(turn: Any, name: str) -> str:
    value = turn.get(name) if isinstance(turn, dict) else None
    if not isinstance(value, str):
        raise BadInput('history must be a list of {"role": "user" or "assistant", "content": "…"}')
    return value
