"""What other programs call: the same functions over HTTP (gradio_client) and as MCP tools."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import gradio as gr
from gradio.events import api as offer

from app.answer import to_json, words_of
from app.errors import BadInput
from app.exposure import Gate
from app.followup import Turn
from app.home import Home
from app.page.ask import KNOWN_ERRORS, client_of
from app.page.talk import make_filters
from app.question import tidy
from index.search import Hit
from ingest.source import Source

_MOST = 100


class Api:
    """Functions for programs; the docstrings are what an MCP client shows to a model."""

    def __init__(self, home: Home, gate: Gate | None = None) -> None:
        self._home = home
        self._gate = gate

    @contextmanager
    def _serving(self, request: gr.Request | None) -> Iterator[None]:
        """Counts the caller, and tells what we know to be wrong as one sentence."""
        try:
            with self._gate.admit(client_of(request)) if self._gate else nullcontext():
                yield
        except KNOWN_ERRORS as exc:
            raise gr.Error(" ".join(str(exc).split()), print_exception=False) from exc

    def ask(
        self,
        question: str,
        history: list[dict[str, str]] | None = None,
        since: str = "",
        until: str = "",
        sources: list[str] | None = None,
        request: gr.Request | None = None,
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
        with self._serving(request):
            turns = [Turn(role=_text(t, "role"), content=_text(t, "content")) for t in history or []]
            filters = make_filters(sources or [], [], since, until)
            return to_json(self._home.answerer.answer(question, turns, filters=filters))

    def search(
        self,
        query: str,
        k: int = 10,
        since: str = "",
        until: str = "",
        sources: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> list[dict[str, Any]]:
        """Find the passages that come closest to a query, best first.

        Args:
            query: What to look for.
            k: How many passages, at most 100.
            since: Only sources dated on or after this date: 2024, 2024-03 or 2024-03-22.
            until: Only sources dated on or before this date.
            sources: Only sources with these ids.
        """
        with self._serving(request):
            opened = self._home.index.current()
            filters = make_filters(sources or [], [], since, until)
            depth = max(1, min(int(k), _MOST))
            hits = opened.search(tidy(query), depth, filters=filters) if opened else []
            return [_found(hit, opened.source(hit.passage.source_id) if opened else None) for hit in hits]

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
    """Offer each function twice: as an MCP tool that gives JSON text, and over HTTP, where it gives data.

    None of them waits in the page's queue; the gate counts them instead.
    """
    for function in (functions.ask, functions.search, functions.sources):
        offer(_as_text(function), api_name=f"{function.__name__}_json", queue=False)
    for function in (functions.ask, functions.search, functions.sources):
        offer(_no_tool(function), api_name=function.__name__, queue=False)


def _as_text(function: Callable[..., Any]) -> Callable[..., Any]:
    # Gradio's MCP server shows data as Python writes it, which no JSON reader understands.
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> str:
        return json.dumps(function(*args, **kwargs), ensure_ascii=False)

    call.__annotations__ = {**function.__annotations__, "return": "str"}
    return call


def _no_tool(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    call._mcp_type = "http"  # type: ignore[attr-defined]
    return call


def _found(hit: Hit, source: Source | None) -> dict[str, Any]:
    p = hit.passage
    return {
        "rank": hit.rank, "score": round(hit.score, 6), "passage_id": p.id, "source_id": p.source_id,
        "title": source.title if source else "", "publisher": source.publisher if source else None,
        "date": source.date if source else None, "url": source.url if source else None,
        "locator": p.locator, "paragraph": p.number, "start": p.start, "end": p.end, "text": p.text,
        "claim_status": p.claim_status, "claimed_by": p.claimed_by,
        "words": words_of(source.origin) if source else None,
    }  # fmt: skip


def _text(turn: Any, name: str) -> str:
    value = turn.get(name) if isinstance(turn, dict) else None
    if not isinstance(value, str):
        raise BadInput('history must be a list of {"role": "user" or "assistant", "content": "…"}')
    return value
