"""What other programs call: the same functions over HTTP (gradio_client) and as MCP tools."""

from __future__ import annotations

import functools
import inspect
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, get_type_hints

import gradio as gr
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from gradio.events import api as offer
from gradio.route_utils import FnIndexInferError
from pydantic import TypeAdapter, ValidationError

from app.access.exposure import Gate
from app.answer import to_json, words_of
from app.errors import BadInput
from app.home import Home
from app.page.ask import KNOWN_ERRORS, client_of
from app.page.readiness import Readiness
from app.page.talk import make_filters
from app.question.analysis import tidy
from app.question.followup import Turn
from index.search import Filters, Hit
from ingest.source import Source

_MOST = 100
_PATIENCE_SECONDS = 50.0
"""For which a call waits for the first index; most clients give up after a minute."""
_log = logging.getLogger(__name__)


class Page(gr.Blocks):
    """Blocks whose functions for programs take their defaults for the trailing values that a call leaves out.

    Gradio's own clients fill them in; a plain HTTP call does not.
    """

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *args: Any, **kwargs: Any) -> Any:
        """See :class:`gradio.Blocks`; what is left out of the page's own events stays an error."""
        if block_fn.api_visibility == "public":
            if len(inputs) > len(block_fn.inputs):
                raise gr.Error(
                    f"{block_fn.api_name} takes {len(block_fn.inputs)} values at most; the call has {len(inputs)}",
                    print_exception=False,
                )
            inputs = [*inputs, *(b.value for b in block_fn.inputs[len(inputs) :])]
        return await super().preprocess_data(block_fn, inputs, *args, **kwargs)


class Api:
    """Functions for programs; the docstrings are what an MCP client shows to a model."""

    def __init__(self, home: Home, gate: Gate | None = None, ready: Readiness | None = None) -> None:
        self._home = home
        self._gate = gate
        self._ready = ready or Readiness()

    @contextmanager
    def _serving(self, request: gr.Request | None) -> Iterator[None]:
        """Counts the caller, and tells what we know to be wrong as one sentence."""
        try:
            with self._gate.admit(client_of(request)) if self._gate else nullcontext():
                self._ready.check(wait_seconds=_PATIENCE_SECONDS)
                yield
        except KNOWN_ERRORS as exc:
            raise gr.Error(" ".join(str(exc).split()), print_exception=False) from exc
        except Exception as exc:
            _log.exception("a call failed")
            said = f"something went wrong ({type(exc).__name__}); the terminal of the server says more"
            raise gr.Error(said, print_exception=False) from exc

    def _filters(self, sources: Sequence[str] | None, since: str, until: str) -> Filters:
        for source_id in sources or ():
            self._home.library.get(source_id)
        return make_filters(sources or (), (), since, until)

    def ask(
        self,
        question: str,
        history: list[dict[str, str]] | None = None,
        since: str = "",
        until: str = "",
        sources: list[str] | None = None,
        request: gr.Request | None = None,
    ) -> dict[str, Any]:
        """Answer a question from the indexed sources, with citations of the passages behind it.

        The status is "answered", "abstained" (the sources do not say), "unclear" (the options are questions to choose
        from) or "declined". Every marker such as [1] in the answer names a citation with quote, title, publisher, date, locator and address.

        Args:
            question: The question, in plain words.
            history: Earlier messages as {"role": "user" or "assistant", "content": text}, for follow-up questions.
            since: Only sources dated on or after this date: 2024, 2024-03 or 2024-03-22.
            until: Only sources dated on or before this date.
            sources: Only sources with these ids.
        """
        with self._serving(request):
            turns = [Turn(role=_text(t, "role"), content=_text(t, "content")) for t in history or []]
            filters = self._filters(sources, since, until)
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
            filters = self._filters(sources, since, until)
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


def wrong_calls() -> dict[Any, Callable[..., JSONResponse]]:
    """What the server answers to calls that reach none of the functions: one sentence, as for wrong arguments."""

    def unknown(request: Any, exc: Exception) -> JSONResponse:
        named = request.path_params.get("api_name", "")
        return JSONResponse({"error": f"there is no function {named!r}; docs/connect.md lists them"}, status_code=404)

    def malformed(request: Any, exc: Exception) -> JSONResponse:
        told = exc.errors()[0] if isinstance(exc, RequestValidationError) else {}
        where = ".".join(str(p) for p in told.get("loc", ()))
        said = f'the call cannot be read ({where}: {told.get("msg", "")}); send JSON such as {{"data": ["a question"]}}'
        return JSONResponse({"error": said}, status_code=422)

    return {FnIndexInferError: unknown, RequestValidationError: malformed}


def _as_text(function: Callable[..., Any]) -> Callable[..., Any]:
    # Gradio's MCP server shows data as Python writes it, which no JSON reader understands.
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> str:
        return json.dumps(function(*_checked(function, args, kwargs)), ensure_ascii=False)

    call.__annotations__ = {**function.__annotations__, "return": "str"}
    return call


def _no_tool(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*_checked(function, args, kwargs))

    call._mcp_type = "http"  # type: ignore[attr-defined]
    return call


def _checked(function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Any]:
    """The arguments in order, of the kinds that the function is annotated with; null stands for the default.

    Raises:
        gr.Error: one is missing or of another kind.
    """
    signature, hints = inspect.signature(function), get_type_hints(function)
    given = signature.bind_partial(*args, **kwargs).arguments
    values: list[Any] = []
    for name, parameter in signature.parameters.items():
        value = given.get(name)
        if value is None:
            if parameter.default is parameter.empty:
                raise gr.Error(f"{name} is missing", print_exception=False)
            value = parameter.default
        elif name != "request":
            try:
                value = TypeAdapter(hints[name]).validate_python(value)
            except ValidationError as exc:
                said = exc.errors()[0]["msg"].replace("Input should", "it should")
                raise gr.Error(f"{name} is {json.dumps(value)[:80]}: {said}", print_exception=False) from exc
        values.append(value)
    return values


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
