"""The product inside other people's LangChain chains and agents: a retriever, answers that stream, messages, tools."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import threading
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, convert_to_messages
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.content import Citation as CitationBlock
from langchain_core.messages.content import create_citation, create_text_block
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.runnables.config import run_in_executor
from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import ConfigDict, ValidationError, field_validator

from app.answer import MARKER, Answer, Citation, from_json, to_json, words_of
from app.answering.pipeline import Answerer
from app.citation_text import citation_status, claimant, described, lead, one_line, spoken, status_words
from app.errors import AppError, BadInput
from app.question.analysis import tidy
from app.question.followup import Turn
from app.stream import Event
from index.errors import IndexingError
from index.search import Filters, Hit, IndexReader, OpenIndex
from ingest.errors import IngestError
from ingest.sentences import sentence_spans
from ingest.source import GENRES, Genre

if TYPE_CHECKING:
    from app.home import Home

When = str | int | dt.date
"""A date as people write it ("2024", "2024-03", "22 March 2024"), a year, or a date."""
Input = str | Mapping[str, Any]
_FILTERS = ("since", "until", "sources", "genres")
_MOST = 1000
"""Most passages of one search, as on the command line."""
_ROLES = {"human": "user", "ai": "assistant"}
_AROUND = " \n\t.;:,!?…)]»”’\"'-–•*"
"""What may stand between a marker and the next statement, or behind a statement before its marker."""


class PassageRetriever(BaseRetriever):
    """Passages as LangChain documents, best first. The fields are defaults; each call may name its own.

    The metadata carry ``source_id``, ``title``, ``publisher``, ``author``, ``date``, ``url``, ``genre``, ``words``
    ("summary" where they are ours about a publication), ``locator``, ``paragraph``, ``claim_status``, ``claimed_by``,
    ``score`` and the offsets ``start`` and ``end`` into the source's canonical text, so that a citation stays exact.

    Attributes:
        k: how many, from 1 to 1000.
        since, until: only sources dated on or after, and on or before, this date.
        sources: only sources with these ids.
        genres: only sources of these genres.

    Raises:
        BadInput: the query is empty, or there is no such source or genre, or no such k.
        BadSource: a date is not one.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    index: IndexReader
    k: int = 8
    since: When | None = None
    until: When | None = None
    sources: Sequence[str] = ()
    genres: Sequence[str] = ()

    @field_validator("since", "until")
    @classmethod
    def _is_date(cls, value: When | None) -> When | None:
        Filters.of(since=_date(value))
        return value

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun, k: int | None = None,
        since: When | None = None, until: When | None = None, sources: Sequence[str] | None = None,
        genres: Sequence[str] | None = None,
    ) -> list[Document]:  # fmt: skip
        own = {name: getattr(self, name) for name in _FILTERS}
        given = {"since": since, "until": until, "sources": sources, "genres": genres}
        filters = {**own, **{name: value for name, value in given.items() if value is not None}}
        return _search(self.index.current(), query, self.k if k is None else k, **filters)

    async def _aget_relevant_documents(
        self, query: str, *, run_manager: AsyncCallbackManagerForRetrieverRun, **given: Any
    ) -> list[Document]:
        return await run_in_executor(
            None, self._get_relevant_documents, query, run_manager=run_manager.get_sync(), **given
        )


class AnswerRunnable(RunnableLambda[Any, dict[str, Any]]):
    """Takes a question, or ``{"question", "history", "since", "until", "sources", "genres"}``; gives the Answer JSON.

    ``history`` holds LangChain messages or ``{"role", "content"}``. The filters may also be named in the call.
    ``stream`` and ``astream`` give the events of :mod:`app.stream` instead, as the answer comes about; inside a chain
    the next step gets the Answer JSON either way.

    Raises:
        BadInput: the question is empty or too long, or there is no such source or genre.
        BadSource: a date is not one.
    """

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        super().__init__(self._answer, name="answer")

    def _answer(self, value: Input, **filters: Any) -> dict[str, Any]:
        question, history, wanted = self._read(value, filters)
        return to_json(self._answerer.answer(question, history, filters=wanted))

    def stream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:
        """The events of the answer, ``Done`` last; closing the iterator stops the work."""
        return self._transform_stream_with_config(iter([input]), self._events, config, **kwargs)

    def astream(self, input: Input, config: RunnableConfig | None = None, **kwargs: Any) -> AsyncIterator[Any]:
        """The same, with the work in a thread beside the event loop."""

        async def given() -> AsyncIterator[Input]:
            yield input

        return self._atransform_stream_with_config(given(), self._aevents, config, **kwargs)

    def _events(self, inputs: Iterator[Input], **filters: Any) -> Iterator[Any]:
        for value in inputs:
            yield from self._follow(value, filters)

    async def _aevents(self, inputs: AsyncIterator[Input], **filters: Any) -> AsyncIterator[Any]:
        async for value in inputs:
            async for event in _beside(self._follow(value, filters)):
                yield event

    def _follow(self, value: Input, filters: Mapping[str, Any]) -> Generator[Event, None, None]:
        question, history, wanted = self._read(value, filters)
        yield from self._answerer.stream(question, history, filters=wanted)

    def _read(self, value: Input, filters: Mapping[str, Any]) -> tuple[str, list[Turn], Filters]:
        given = {"question": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping) or "question" not in given:
            raise BadInput('the question is missing; give a text or {"question": …, "history": […]}')
        wanted = {**{name: given.get(name) for name in _FILTERS}, **filters}
        return given["question"], _turns(given.get("history") or ()), _filters(self._answerer.index.current(), **wanted)


def answer_runnable(answerer: Answerer) -> AnswerRunnable:
    """Answers as a runnable that gives the Answer JSON, or streams; see :class:`AnswerRunnable`."""
    return AnswerRunnable(answerer)


def message_runnable(answerer: Answerer) -> Runnable[Any, AIMessage]:
    """The same input as for :class:`AnswerRunnable`; gives the answer as a message, see :func:`as_message`.

    It streams one message: what was checked can still be discarded until the answer is whole.
    """
    return answer_runnable(answerer) | as_message


def as_message(answer: Answer | Mapping[str, Any]) -> AIMessage:
    """An answer, or its JSON, as a message of one text block with LangChain's standard citations.

    There is one annotation a marker. ``start_index`` and ``end_index`` are the statement that the marker carries, in
    the block's text; ``extras`` is the rest of our citation, with ``start`` and ``end`` in the source's text. Where
    the words are ours about a publication (``extras["words"]`` is "summary") the title says so.

    Raises:
        BadInput: it is no answer.
    """
    whole = answer if isinstance(answer, Answer) else from_json(dict(answer))
    by_marker = {c.marker: c for c in whole.citations}
    annotations = [
        _annotation(by_marker[marker], start, end) for marker, start, end in _statements(whole) if marker in by_marker
    ]
    told = ("status", "task", "confidence", "engine", "index_id", "prompt_id", "notice")
    read, written = whole.usage.get("input_tokens", 0), whole.usage.get("output_tokens", 0)
    used = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    return AIMessage(
        content_blocks=[create_text_block(whole.answer, annotations=list(annotations))],
        response_metadata={name: getattr(whole, name) for name in told},
        usage_metadata=used if whole.usage else None,
    )


def langchain_tools(home: Home) -> list[BaseTool]:
    """Two tools for an agent: ``ask`` (the artifact is the Answer JSON) and ``search`` (the documents).

    What is wrong with a call is told to the model in one sentence; nothing is raised for it.
    """

    def ask(
        question: str, since: str | None = None, until: str | None = None, sources: list[str] | None = None,
        genres: list[Genre] | None = None,
    ) -> tuple[str, dict[str, Any]]:  # fmt: skip
        """Answer a question from the indexed sources, with citations of the exact passages behind it.

        Every marker such as [1] stands for a passage listed below the answer. If the sources do not say, so does the answer.

        Args:
            question: The question, in plain words, complete in itself.
            since: Only sources dated on or after this date, such as 2024, 2024-03 or 2024-03-22.
            until: Only sources dated on or before this date.
            sources: Only sources with these ids.
            genres: Only sources of these genres.
        """
        with _told():
            filters = _filters(home.index.current(), since=since, until=until, sources=sources, genres=genres)
            answer = home.answerer.answer(question, filters=filters)
            return _in_words(answer), to_json(answer)

    def search(
        query: str, k: int = 8, since: str | None = None, until: str | None = None, sources: list[str] | None = None,
        genres: list[Genre] | None = None,
    ) -> tuple[str, list[Document]]:  # fmt: skip
        """Find the passages of the indexed sources that come closest to a query, best first.

        Args:
            query: What to look for.
            k: How many passages.
            since: Only sources dated on or after this date, such as 2024, 2024-03 or 2024-03-22.
            until: Only sources dated on or before this date.
            sources: Only sources with these ids.
            genres: Only sources of these genres.
        """
        with _told():
            opened = home.index.current()
            found = _search(opened, query, k, since=since, until=until, sources=sources, genres=genres)
            return _listed(found), found

    return [
        StructuredTool.from_function(
            function, response_format="content_and_artifact", parse_docstring=True,
            handle_tool_error=True, handle_validation_error=_wrong_call,
        )
        for function in (ask, search)
    ]  # fmt: skip


def _date(value: When | None) -> str | None:
    return None if value is None else str(value)


def _filters(
    opened: OpenIndex | None, *, since: When | None = None, until: When | None = None,
    sources: Iterable[str] | None = None, genres: Iterable[str] | None = None,
) -> Filters:  # fmt: skip
    wanted = [[one] if isinstance(one, str) else list(one or ()) for one in (sources, genres)]
    for source_id in wanted[0]:
        if opened is not None and opened.source(source_id) is None:
            raise BadInput(f"there is no source {source_id!r} in the index; 'iskp sources' lists them")
    for genre in wanted[1]:
        if genre not in GENRES:
            raise BadInput(f"there is no genre {genre!r}; give one of {', '.join(GENRES)}")
    return Filters.of(sources=wanted[0], genres=wanted[1], since=_date(since), until=_date(until))


def _search(opened: OpenIndex | None, query: str, k: int, **filters: Any) -> list[Document]:
    if not 1 <= k <= _MOST:
        raise BadInput(f"k is {k}; give how many passages you want, from 1 to {_MOST}")
    text, wanted = tidy(query), _filters(opened, **filters)
    return [_document(opened, hit) for hit in opened.search(text, k, filters=wanted)] if opened else []


def _document(opened: OpenIndex, hit: Hit) -> Document:
    passage = hit.passage
    source = opened.source(passage.source_id)
    return Document(
        page_content=passage.text,
        id=passage.id,
        metadata={
            "source_id": passage.source_id,
            "title": source.title if source else None,
            "publisher": source.publisher if source else None,
            "author": source.author if source else None,
            "date": source.date if source else None,
            "url": source.url if source else None,
            "genre": source.genre if source else None,
            "words": words_of(source.origin) if source else None,
            "described": described(source, passage.locator) if source else passage.source_id,
            "locator": passage.locator,
            "paragraph": passage.number,
            "start": passage.start,
            "end": passage.end,
            "claim_status": passage.claim_status,
            "claimed_by": claimant(source, passage.claimed_by) if source else passage.claimed_by,
            "score": hit.score,
        },
    )


def _turns(history: Iterable[Any]) -> list[Turn]:
    try:
        messages = convert_to_messages(list(history))
    except (TypeError, ValueError, NotImplementedError) as exc:
        raise BadInput(
            'the history cannot be read; give LangChain messages or [{"role": "user" or "assistant", "content": "…"}]'
        ) from exc
    return [Turn(role=_ROLES[m.type], content=str(m.text)) for m in messages if m.type in _ROLES]


async def _beside(events: Generator[Event, None, None]) -> AsyncIterator[Event]:
    """The events, each made in a thread; whoever stops reading ends the work at its next event."""
    turn = threading.Lock()

    def following() -> Event | None:
        with turn:
            return next(events, None)

    def end() -> None:
        with turn:
            events.close()

    try:
        while (event := await run_in_executor(None, following)) is not None:
            yield event
    finally:
        # Not waited for: a reader that was cancelled need not wait for a slow model.
        asyncio.get_running_loop().run_in_executor(None, end)


def _statements(answer: Answer) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of each marker of an answer and the statement before it, end exclusive.

    The statement is the quote, else the last sentence of the line. Markers side by side share theirs.
    """
    quotes = {c.marker: one_line(c.quote).rstrip(_AROUND) for c in answer.citations}
    before = start = end = 0
    for found in MARKER.finditer(answer.answer):
        marker = int(found.group(1))
        between = answer.answer[before : found.start()]
        if re.search(r"\w", between):
            end = before + len(between.rstrip())
            at = answer.answer.rfind(quotes.get(marker) or "\0", before, end)
            start = at if at >= 0 else _last_sentence(answer.answer, before, end)
        before = found.end()
        yield marker, start, end


def _last_sentence(text: str, start: int, end: int) -> int:
    line = max(start, text.rfind("\n", start, end) + 1)
    line += len(text[line:end]) - len(text[line:end].lstrip(_AROUND))
    return line + sentence_spans(text[line:end])[-1][0]


def _annotation(citation: Citation, start: int, end: int) -> CitationBlock:
    extras = {name: value for name, value in asdict(citation).items() if name not in {"title", "url", "quote"}}
    return create_citation(
        url=citation.url, title=f"{lead(citation)}{citation.title}", cited_text=citation.quote,
        start_index=start, end_index=end, **extras,
    )  # fmt: skip


def _in_words(answer: Answer) -> str:
    """An answer as a model reads it: the text, then what its markers stand for."""
    lines = [f"({answer.notice})"] if answer.notice else []
    lines.append(answer.answer)
    for heading, cited in (("Sources", answer.citations), ("Nearest passages, which do not answer it", answer.nearest)):
        lines += [f"\n{heading}:"] if cited else []
        for c in cited:
            number = f"[{c.marker}] " if c.marker else "- "
            facts = (described(c, c.locator), citation_status(c), c.url or "")
            lines.append(f"{number}{'; '.join(filter(None, facts))}\n{spoken(c, c.quote)}")
    return "\n".join(lines)


def _listed(found: Sequence[Document]) -> str:
    """Passages as a model reads them."""
    lines = []
    for number, document in enumerate(found, start=1):
        of = document.metadata
        status = status_words(of["claim_status"], of["claimed_by"])
        facts = (of["described"], f"source {of['source_id']}", status, of["url"] or "")
        text = " ".join(document.page_content.split())
        lines.append(f"{number}. {'; '.join(filter(None, facts))}\n{text if of['words'] == 'summary' else f'“{text}”'}")
    return "\n".join(lines) or "No passage found."


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (AppError, IndexingError, IngestError) as exc:
        raise ToolException(" ".join(str(exc).split())) from exc


def _wrong_call(exc: Any) -> str:
    assert isinstance(exc, ValidationError)
    first = exc.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg'].replace('Input should', 'it should')}"
