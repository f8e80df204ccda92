"""Engines: names, keys, and what comes of servers that are slow, silent, broken or refuse."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from app.errors import BadInput
from app.writing.engines import (
    KEY_VARIABLE,
    Engine,
    EngineError,
    EngineSettings,
    EngineSpec,
    TooLong,
    Usage,
    chat_model,
    estimated_tokens,
    parse_engine,
)

SECRET = "sk-never-shown-1234567890"
QUICK = EngineSettings(timeout_seconds=5, total_seconds=20, retries=0, answer_tokens=40)


def engine(server: Any, settings: EngineSettings = QUICK, **environment: str) -> Engine:
    return Engine(parse_engine(server.engine), settings, environment)


def reply(of: Engine, usage: Usage | None = None) -> str:
    return "".join(of.ask("Be brief.", "Who left?", usage or Usage()))


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("extractive", EngineSpec(provider="extractive")),
        ("ollama:llama3.1", EngineSpec(provider="ollama", model="llama3.1")),
        ("ollama:llama3.1:8b", EngineSpec(provider="ollama", model="llama3.1:8b")),
        ("openai:gpt-4o-mini", EngineSpec(provider="openai", model="gpt-4o-mini")),
        ("anthropic:some-model", EngineSpec(provider="anthropic", model="some-model")),
        ("http://127.0.0.1:8080/v1#m", EngineSpec(provider="compatible", model="m", base_url="http://127.0.0.1:8080/v1")),
        ("https://h.example/v1/#a/b", EngineSpec(provider="compatible", model="a/b", base_url="https://h.example/v1")),
    ],
)  # fmt: skip
def test_an_engine_is_named_in_one_word(text: str, spec: EngineSpec) -> None:
    assert parse_engine(text) == spec
    assert parse_engine(spec.name) == spec


@pytest.mark.parametrize(
    "text",
    ["", "gpt-4", "ollama:", "ollama", "mistral:x", "http://127.0.0.1:8080/v1", "http://#m", "http://[::1/v1#m", "http://h:port/v1#m",
     "ollama:a b", "file:///etc/passwd#m", "openai:\nx"],
)  # fmt: skip
def test_what_is_no_engine_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BadInput) as told:
        parse_engine(text)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", [f"http://user:{SECRET}@h/v1#m", f"http://h/v1?key={SECRET}#m"])
def test_a_key_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadInput) as told:
        parse_engine(text)
    assert SECRET not in str(told.value) and KEY_VARIABLE in str(told.value)


@pytest.mark.parametrize(
    ("text", "environment", "stays"),
    [
        ("extractive", {}, True), ("ollama:m", {}, True), ("ollama:m", {"OLLAMA_HOST": "http://10.0.0.7:11434"}, False),
        ("ollama:big:120b-cloud", {}, False), ("http://127.0.0.1:1/v1#m", {}, True), ("http://localhost:1/v1#m", {}, True),
        ("http://[::1]:1/v1#m", {}, True), ("http://192.168.1.5:1/v1#m", {}, False), ("openai:m", {}, False), ("anthropic:m", {}, False),
    ],
)  # fmt: skip
def test_it_is_known_what_leaves_the_machine(text: str, environment: dict[str, str], stays: bool) -> None:
    assert parse_engine(text).stays_here(environment) is stays


@pytest.mark.parametrize(("name", "variable"), [("openai:m", "OPENAI_API_KEY"), ("anthropic:m", "ANTHROPIC_API_KEY")])
def test_a_missing_key_is_named(name: str, variable: str) -> None:
    with pytest.raises(EngineError, match=variable):
        chat_model(parse_engine(name), environment={})


@pytest.mark.parametrize(
    ("name", "module", "package"),
    [
        ("ollama:m", "langchain_ollama", "langchain-ollama"),
        ("openai:m", "langchain_openai", "langchain-openai"),
        ("anthropic:m", "langchain_anthropic", "langchain-anthropic"),
        ("http://127.0.0.1:1/v1#m", "langchain_openai", "langchain-openai"),
    ],
)
def test_a_missing_package_names_the_command(
    name: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineError, match=f"pip install {package}$"):
        chat_model(parse_engine(name), environment={"OPENAI_API_KEY": SECRET, "ANTHROPIC_API_KEY": SECRET})


@pytest.mark.parametrize("name", ["ollama:m", "openai:m", "anthropic:m", "http://127.0.0.1:1/v1#m"])
def test_each_provider_gives_a_model_that_shows_no_key(name: str) -> None:
    keys = {"OPENAI_API_KEY": SECRET, "ANTHROPIC_API_KEY": SECRET, KEY_VARIABLE: SECRET}
    model = chat_model(parse_engine(name), environment=keys)
    assert SECRET not in repr(model) + str(model) + parse_engine(name).name


def test_the_extractive_engine_is_no_model() -> None:
    with pytest.raises(EngineError, match="no language model"):
        chat_model(parse_engine("extractive"))


def test_a_reply_streams_and_is_counted(chat_server: Any) -> None:
    chat_server.replies = ["The crew left."]
    usage = Usage()
    assert reply(engine(chat_server), usage) == "The crew left."
    assert (usage.calls, usage.input_tokens, usage.output_tokens) == (1, 70, 8)
    assert usage.first_seconds is not None and usage.waited_seconds > 0
    sent = chat_server.asked[0]
    assert sent["stream"] is True and sent["model"] == "scripted" and sent["max_tokens"] == 40


def test_only_the_key_for_this_server_is_sent(chat_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, SECRET)
    reply(engine(chat_server))
    assert SECRET not in str(chat_server.headers)
    reply(engine(chat_server, **{KEY_VARIABLE: "mine"}))
    assert chat_server.headers[-1]["authorization"] == "Bearer mine"


@pytest.mark.parametrize(
    ("status", "told"),
    [(401, KEY_VARIABLE), (403, KEY_VARIABLE), (404, "not known"), (429, "no more requests"), (500, "HTTP 500"), (503, "HTTP 503")],
)  # fmt: skip
def test_a_refusal_is_told_in_one_sentence_without_the_servers_words(chat_server: Any, status: int, told: str) -> None:
    chat_server.replies = [(status, f'{{"error": {{"message": "bad key {SECRET}"}}}}')]
    with pytest.raises(EngineError, match=told) as raised:
        reply(engine(chat_server, **{KEY_VARIABLE: SECRET}))
    assert SECRET not in str(raised.value) and "\n" not in str(raised.value)
    assert raised.value.__cause__ is None and raised.value.__suppress_context__  # no traceback shows it either


def test_the_library_tries_again_when_the_server_is_busy(chat_server: Any) -> None:
    chat_server.replies = [(503, "{}"), "The crew left."]
    assert reply(engine(chat_server, EngineSettings(timeout_seconds=10, retries=1))) == "The crew left."
    assert len(chat_server.asked) == 2


def test_no_room_is_told_apart(chat_server: Any) -> None:
    message = "request (6031 tokens) exceeds the available context size (4096 tokens), try increasing it"
    chat_server.replies = [(400, f'{{"error": {{"message": "{message}", "type": "exceed_context_size_error"}}}}')]
    with pytest.raises(TooLong):
        reply(engine(chat_server))


def test_a_server_that_is_down(chat_server: Any) -> None:
    chat_server.close()
    with pytest.raises(EngineError, match="cannot be reached"):
        reply(engine(chat_server))


def test_a_slow_first_word_ends_the_wait(chat_server: Any) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        chat_server.begin(handler)
        for _ in range(40):
            time.sleep(0.1)
            handler.wfile.write(b": still here\n\n")  # keeps the connection alive, as some servers do

    chat_server.replies = [slow]
    began = time.perf_counter()
    with pytest.raises(EngineError, match="did not reply within 1 s"):
        reply(engine(chat_server, EngineSettings(timeout_seconds=1, retries=0)))
    assert time.perf_counter() - began < 3


def test_a_reply_that_takes_for_ever_ends_too(chat_server: Any) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        chat_server.begin(handler)
        for _ in range(60):
            chat_server.piece(handler, "and ")
            time.sleep(0.1)

    chat_server.replies = [endless]
    with pytest.raises(EngineError, match="did not reply"):
        reply(engine(chat_server, EngineSettings(timeout_seconds=5, total_seconds=1, retries=0)))


def test_a_server_that_dies_midway(chat_server: Any) -> None:
    def dies(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        chat_server.piece(handler, "The crew")
        handler.connection.close()

    chat_server.replies = [dies]
    got = []
    with pytest.raises(EngineError, match="broke off"):
        for piece in engine(chat_server).ask("s", "u", Usage()):
            got.append(piece)
    assert got == ["The crew"]


def test_an_empty_reply_is_an_empty_reply(chat_server: Any) -> None:
    chat_server.replies = [""]
    assert reply(engine(chat_server)) == ""


def test_a_stream_that_ends_without_a_word(chat_server: Any) -> None:
    chat_server.replies = [lambda handler: chat_server.begin(handler)]
    assert reply(engine(chat_server)) == ""


@pytest.mark.parametrize("raw", [b"data: {not json\n\n", b"data: [1, 2]\n\n", b'data: {"choices": [{"delta": 5}]}\n\n'])
def test_rubbish_instead_of_a_stream(chat_server: Any, raw: bytes) -> None:
    def rubbish(handler: BaseHTTPRequestHandler) -> None:
        chat_server.begin(handler)
        handler.wfile.write(raw)

    chat_server.replies = [rubbish]
    with pytest.raises(EngineError, match="unreadable"):
        reply(engine(chat_server))


def test_a_huge_reply_is_cut(chat_server: Any) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        chat_server.begin(handler)
        for _ in range(100_000):
            chat_server.piece(handler, "more " * 20)

    chat_server.replies = [flood]
    usage = Usage()
    text = reply(engine(chat_server), usage)
    assert usage.stopped and len(text) <= QUICK.answer_tokens * 12
    assert chat_server.unread.wait(10)


def test_closing_a_reply_ends_the_request(chat_server: Any) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        chat_server.begin(handler)
        for _ in range(200):
            chat_server.piece(handler, "word " * 2000)
            time.sleep(0.02)

    chat_server.replies = [slow]
    pieces = engine(chat_server, EngineSettings(timeout_seconds=5, retries=0, answer_tokens=8000)).ask(
        "s", "u", Usage()
    )
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert chat_server.unread.wait(10)


def test_tokens_are_estimated_on_the_safe_side() -> None:
    assert estimated_tokens("") == 0
    assert estimated_tokens("Recruitment went on.") >= 4
    assert estimated_tokens("Вербовка продолжалась.") >= 8


@pytest.mark.slow
def test_a_real_server_tells_its_window_and_counts_tokens(smollm: str) -> None:
    real = Engine(parse_engine(smollm), EngineSettings(answer_tokens=8))
    assert real.window_tokens == 2048
    assert 0 < real.count("Recruitment went on.") <= estimated_tokens("Recruitment went on.")
    usage = Usage()
    assert reply(real, usage)
    assert 0 < usage.output_tokens <= 9 and usage.input_tokens > 5


@pytest.mark.slow
def test_a_real_server_refuses_what_is_too_long(smollm: str) -> None:
    real = Engine(parse_engine(smollm), EngineSettings(answer_tokens=8, retries=0))
    with pytest.raises(TooLong):
        "".join(real.ask("s", "left " * 3000, Usage()))


@pytest.mark.slow
def test_a_real_server_killed_midway(start_llama: Callable[[int], Any]) -> None:
    with start_llama(512) as (name, process):
        real = Engine(parse_engine(name), EngineSettings(timeout_seconds=30, retries=0, answer_tokens=300))
        with pytest.raises(EngineError):
            for number, _ in enumerate(real.ask("Go on and on.", "Tell a long story.", Usage())):
                if number == 3:
                    process.kill()
