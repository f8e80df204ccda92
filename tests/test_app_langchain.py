"""The adapter in LangChain's own terms: its standard tests, filters, events, citations and tools; docs/langchain.md is run."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import BaseTool
from langchain_tests.integration_tests import RetrieversIntegrationTests

from app.answer import Answer, Citation, from_json
from app.errors import BadInput
from app.home import Home
from app.langchain import PassageRetriever, answer_runnable, as_message, langchain_tools, message_runnable
from app.stream import Done, Settled
from ingest.errors import BadSource

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "langchain.md"
TEXTS = {
    "lighthouse": "---\ntitle: The Lighthouse\nurl: https://harbour.example/light\ndate: 2021-05-04\ngenre: news\n---\n"
    "The lighthouse of Skarvoy was lit in 1871.\n\nThe keeper of the lighthouse was Ingrid Moe.\n",
    "ferry": "---\ntitle: The Ferry\ndate: 2024-02-01\ngenre: research\n---\n"
    "The ferry of Skarvoy carries 40 passengers.\n\nThe ferry passes the lighthouse twice a day.\n",
    "storm": "# The Storm\n\nA storm broke the windows of the lighthouse.\n",
}
LIT = "When was the lighthouse of Skarvoy lit?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("langchain")
    for name, text in TEXTS.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    opened = Home(folder / "home")
    opened.init(empty=True)
    assert {o.status for o in opened.add([folder / f"{name}.md" for name in TEXTS], {})} == {"added"}
    opened.sync()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def ids(home: Home) -> dict[str, str]:
    """Source ids by title."""
    return {s.title: s.id for s in home.library}


@pytest.fixture
def retriever(home: Home) -> PassageRetriever:
    return PassageRetriever(index=home.index)


@pytest.fixture(scope="module")
def tools(home: Home) -> dict[str, BaseTool]:
    return {tool.name: tool for tool in langchain_tools(home)}


class TestStandard(RetrieversIntegrationTests):
    @pytest.fixture(autouse=True)
    def _opened(self, home: Home) -> None:
        self.home = home

    @property
    def retriever_constructor(self) -> type[BaseRetriever]:
        return PassageRetriever

    @property
    def retriever_constructor_params(self) -> dict[str, Any]:
        return {"index": self.home.index}

    @property
    def retriever_query_example(self) -> str:
        return "lighthouse"


def titles(documents: list[Any]) -> set[str]:
    return {d.metadata["title"] for d in documents}


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, {"The Lighthouse", "The Ferry", "The Storm"}), ({"since": "2024"}, {"The Ferry"}), ({"since": 2024}, {"The Ferry"}),
        ({"until": dt.date(2023, 1, 1)}, {"The Lighthouse"}), ({"since": "May 2021", "until": "2024-01"}, {"The Lighthouse"}),
        ({"genres": ["research"]}, {"The Ferry"}), ({"genres": "news"}, {"The Lighthouse"}),
    ],
)  # fmt: skip
def test_filters_of_the_retriever_and_of_a_call_leave_the_same_sources(
    home: Home, retriever: PassageRetriever, filters: dict[str, Any], found: set[str]
) -> None:
    assert titles(retriever.invoke("lighthouse", **filters)) == found
    assert titles(asyncio.run(retriever.ainvoke("lighthouse", **filters))) == found
    assert titles(retriever.bind(**filters).invoke("lighthouse")) == found
    if not isinstance(filters.get("genres"), str):
        assert titles(PassageRetriever(index=home.index, **filters).invoke("lighthouse")) == found


def test_a_call_goes_before_the_field(home: Home, ids: dict[str, str]) -> None:
    own = PassageRetriever(index=home.index, since="2024", sources=[ids["The Ferry"]], k=1)
    assert titles(own.invoke("lighthouse", since="2020", sources=[ids["The Lighthouse"]], k=2)) == {"The Lighthouse"}
    assert len(own.invoke("lighthouse")) == 1


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        ({"since": "soon"}, BadSource, "'soon' is not a date"), ({"until": "2024-13"}, BadSource, "2024-13"),
        ({"sources": ["nobody"]}, BadInput, "no source 'nobody'"), ({"genres": ["poem"]}, BadInput, "no genre 'poem'.*opinion"),
        ({"k": 0}, BadInput, "k is 0"),
    ],
)  # fmt: skip
def test_a_wrong_filter_is_told_in_one_sentence(
    home: Home, retriever: PassageRetriever, tools: dict[str, BaseTool], call: dict[str, Any], error: type[Exception], told: str
) -> None:
    for ask in (
        lambda: retriever.invoke("lighthouse", **call), lambda: asyncio.run(retriever.ainvoke("lighthouse", **call)),
        lambda: PassageRetriever(index=home.index, **call).invoke("lighthouse"),
    ):  # fmt: skip
        with pytest.raises(error, match=told) as raised:
            ask()
        assert "\n" not in str(raised.value)
    if "k" not in call:
        with pytest.raises(error, match=told):
            answer_runnable(home.answerer).invoke({"question": LIT, **call})


def test_the_offsets_of_a_document_are_its_place_in_the_source(home: Home, retriever: PassageRetriever) -> None:
    for document in retriever.invoke("lighthouse"):
        of = document.metadata
        assert home.library.get(of["source_id"]).text[of["start"] : of["end"]] == document.page_content


def test_the_event_loop_goes_on_while_passages_are_looked_for(retriever: PassageRetriever) -> None:
    async def longest_pause() -> float:
        pauses, last = [], time.perf_counter()
        work = asyncio.ensure_future(retriever.abatch([f"lighthouse {n}" for n in range(200)]))
        while not work.done():
            await asyncio.sleep(0.001)
            pauses.append(time.perf_counter() - last)
            last = time.perf_counter()
        assert len(await work) == 200 and len(pauses) > 20
        return max(pauses)

    retriever.invoke("lighthouse")
    began = time.perf_counter()
    pause = asyncio.run(longest_pause())
    assert pause < (time.perf_counter() - began) / 2


def test_the_answer_comes_as_json_and_as_events(home: Home) -> None:
    runnable = answer_runnable(home.answerer)
    given = runnable.invoke(LIT)
    assert given["status"] == "answered" and "1871" in given["answer"] and from_json(given).citations
    assert [a["answer"] for a in runnable.batch([LIT, {"question": LIT}])] == [given["answer"]] * 2
    assert asyncio.run(runnable.ainvoke(LIT))["answer"] == given["answer"]

    async def streamed() -> list[Any]:
        return [event async for event in runnable.astream(LIT)]

    for events in (list(runnable.stream(LIT)), asyncio.run(streamed())):
        assert "".join(e.text for e in events if isinstance(e, Settled)) == given["answer"]
        assert isinstance(events[-1], Done) and events[-1].answer.answer == given["answer"]


def test_filters_and_history_reach_the_answer(home: Home, ids: dict[str, str]) -> None:
    runnable = answer_runnable(home.answerer)
    assert runnable.invoke(LIT, sources=[ids["The Storm"]])["status"] == "abstained"
    assert runnable.invoke({"question": LIT, "until": "2022"})["status"] == "answered"
    said = [HumanMessage("How many passengers does the ferry of Skarvoy carry?"), AIMessage("40 [1].")]
    plain = [{"role": "user", "content": said[0].content}, {"role": "assistant", "content": "40 [1]."}]
    followed = [runnable.invoke({"question": "What does it pass?", "history": h})["standalone_question"] for h in (said, plain)]
    assert followed == ["What does Skarvoy pass?"] * 2


@pytest.mark.parametrize("value", [{"history": []}, 5, {"question": LIT, "history": [{"text": "x"}]}, {"question": LIT, "history": [3]}])
def test_input_that_cannot_be_read_is_told(home: Home, value: Any) -> None:
    with pytest.raises(BadInput):
        answer_runnable(home.answerer).invoke(value)


def test_a_step_behind_the_answer_gets_the_json_also_when_streamed(home: Home) -> None:
    chain = answer_runnable(home.answerer) | RunnableLambda(lambda answer: answer["status"])
    assert chain.invoke(LIT) == "answered" and list(chain.stream(LIT)) == ["answered"]


def slow_reply(server: Any) -> Callable[[BaseHTTPRequestHandler], None]:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        server.begin(handler)
        for _ in range(100):
            server.piece(handler, "The lighthouse of Skarvoy was ")
            time.sleep(0.05)

    return slow


def test_a_models_words_stream_and_leaving_ends_the_request(home: Home, chat_server: Any) -> None:
    chat_server.replies = [slow_reply(chat_server)]
    runnable = answer_runnable(home.answerer_with(chat_server.engine))
    events = runnable.stream(LIT)
    next(events)
    events.close()
    assert chat_server.unread.wait(5)


def test_a_cancelled_reader_does_not_wait_for_a_slow_model(home: Home, chat_server: Any) -> None:
    def silent(handler: BaseHTTPRequestHandler) -> None:
        chat_server.begin(handler)
        chat_server.piece(handler, "The lighthouse ")
        time.sleep(4)
        for _ in range(100):
            chat_server.piece(handler, "of Skarvoy was lit in 1871. ")
            time.sleep(0.05)

    chat_server.replies = [silent]
    runnable = answer_runnable(home.answerer_with(chat_server.engine))

    async def leave() -> float:
        events = runnable.astream(LIT)
        await anext(events)
        waiting = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.3)
        began = time.perf_counter()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return time.perf_counter() - began

    assert asyncio.run(leave()) < 2
    assert chat_server.unread.wait(5)


def test_a_message_cites_in_langchains_terms(home: Home) -> None:
    message = message_runnable(home.answerer).invoke(LIT)
    (block,) = message.content_blocks
    (found,) = block["annotations"]
    assert isinstance(message, AIMessage) and message.text == block["text"] and message.response_metadata["status"] == "answered"
    assert (found["type"], found["title"], found["url"]) == ("citation", "The Lighthouse", "https://harbour.example/light")
    assert block["text"][found["start_index"] : found["end_index"]] == "The lighthouse of Skarvoy was lit in 1871"
    extras = found["extras"]
    assert home.library.get(extras["source_id"]).text[extras["start"] : extras["end"]] == found["cited_text"]
    assert extras["words"] == "original" and [m.text for m in message_runnable(home.answerer).stream(LIT)] == [message.text]


def cited(marker: int, quote: str, origin: str = "file") -> Citation:
    return Citation(
        marker=marker, passage_id=f"p{marker}", source_id="s", title="The Ferry", publisher=None, author=None, date=None, date_note=None,
        url=None, genre="news", origin=origin, fetched_at=None, locator="¶1", paragraph=1, quote=quote, start=0, end=len(quote), support=1.0,
        claim_status=None, claimed_by=None,
    )  # fmt: skip


def test_a_citation_covers_its_own_statement_and_no_other() -> None:
    text = (
        "The sources do not answer “Who built it?”. The ferry\ncarries 40 people [1]. It is old. It leaves at noon [2] [1].\n"
        "The sources differ:\n- 40 people (2021) [1]\n- 60 people (2024) [2]"
    )
    answer = Answer(
        question="q", standalone_question="q", status="answered", answer=text,
        citations=(cited(1, "The ferry\ncarries 40 people."), cited(2, "Boats leave at twelve.", origin="bundled notes")),
    )  # fmt: skip
    (block,) = as_message(answer).content_blocks
    notes = block["annotations"]  # type: ignore[typeddict-item]
    assert [(n["extras"]["marker"], text[n["start_index"] : n["end_index"]]) for n in notes] == [
        (1, "carries 40 people"), (2, "It leaves at noon"), (1, "It leaves at noon"), (1, "40 people (2021)"), (2, "60 people (2024)"),
    ]  # fmt: skip
    assert [n["title"] for n in notes[:2]] == ["The Ferry", "Summary by iskp-qa of: The Ferry"]


def test_an_abstention_is_a_message_without_citations(home: Home) -> None:
    message = message_runnable(home.answerer).invoke("Who painted the town hall of Brenna?")
    assert message.response_metadata["status"] == "abstained" and message.content_blocks[0]["annotations"] == []


def call(tool: BaseTool, **args: Any) -> ToolMessage:
    request = {"type": "tool_call", "id": "call-1", "name": tool.name, "args": args}
    message = tool.invoke(request)
    later = asyncio.run(tool.ainvoke(request))
    assert isinstance(message, ToolMessage) and (message.content, message.status) == (later.content, later.status)
    return message


def test_ask_gives_the_model_text_with_sources_and_the_program_the_answer(tools: dict[str, BaseTool]) -> None:
    message = call(tools["ask"], question=LIT, until="2022")
    assert message.status == "success" and from_json(message.artifact).status == "answered"
    assert "1871 [1]" in message.content and "[1] The Lighthouse" in message.content and "https://harbour.example/light" in message.content


def test_search_gives_the_model_passages_and_the_program_documents(tools: dict[str, BaseTool], ids: dict[str, str]) -> None:
    message = call(tools["search"], query="lighthouse", k=1, sources=[ids["The Storm"]])
    (document,) = message.artifact
    assert "“A storm broke the windows of the lighthouse.”" in message.content and document.metadata["source_id"] in message.content


@pytest.mark.parametrize(
    ("name", "args", "told"),
    [
        ("ask", {"question": " "}, "the question is empty"), ("ask", {"question": LIT, "since": "soon"}, "'soon' is not a date"),
        ("ask", {}, "question: "), ("search", {"query": "x", "genres": ["poem"]}, "genres"),
        ("search", {"query": "lighthouse", "sources": ["nobody"]}, "no source 'nobody'"),
        ("search", {"query": "lighthouse", "k": 0}, "k is 0"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_told_to_the_model(tools: dict[str, BaseTool], name: str, args: dict[str, Any], told: str) -> None:
    message = call(tools[name], **args)
    assert message.status == "error" and told in message.content and "\n" not in message.content


def test_every_argument_of_the_tools_is_described(tools: dict[str, BaseTool]) -> None:
    for tool in tools.values():
        schema = tool.tool_call_schema.model_json_schema()  # type: ignore[union-attr]
        assert tool.description and all(field.get("description") for field in schema["properties"].values())


def tool_call(name: str, **args: Any) -> tuple[int, str]:
    """What an OpenAI-compatible server replies to call a tool."""
    function = {"name": name, "arguments": json.dumps(args)}
    said = {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": function}]}
    return completion(said, "tool_calls")


def completion(message: dict[str, Any], reason: str) -> tuple[int, str]:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return 200, json.dumps({"id": "1", "object": "chat.completion", "created": 0, "model": "scripted", "choices": [choice]})


def test_the_examples_of_the_document_work(bundled_home: Home, chat_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    chat_server.replies = [
        tool_call("ask", question="How strong is the group?"), completion({"role": "assistant", "content": "See [1]."}, "stop"),
    ]  # fmt: skip
    served = f'init_chat_model("scripted", model_provider="openai", base_url="{chat_server.engine.split("#")[0]}", api_key="none")'
    code = "\n".join(re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.S))
    for written, here in (("~/my-archive", str(bundled_home.folder)), ('init_chat_model("ollama:llama3.1")', served)):
        assert written in code
        code = code.replace(written, here)
    names: dict[str, Any] = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    names["home"].close()
    assert names["answer"]["status"] == names["followed"]["status"] == "answered" and names["documents"] and names["sentences"]
    assert {d.metadata["genre"] for d in names["reports"]} == {"un-report"}
    assert capsys.readouterr().out.rstrip().splitlines()[-1].startswith("answered ")
    sent = chat_server.asked[-1]["messages"][-1]
    assert sent["role"] == "tool" and "[1] " in sent["content"]


@pytest.mark.parametrize("arguments", [["sources"], ["ask", LIT]])
def test_quoting_and_listing_load_no_langchain(home: Home, arguments: list[str]) -> None:
    code = (
        "import sys; from app.cli import main; main(sys.argv[1:], standalone_mode=False);"
        "print([m for m in sys.modules if m.startswith('langchain') or m == 'langgraph'], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "--home", str(home.folder), *arguments]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert shown.stderr.splitlines()[-1] == "[]"
