from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from index.encoders import open_encoder
from index.errors import ModelUnavailable, ServerUnavailable
from index.remote_encoder import RemoteEncoder


class Embeddings(ThreadingHTTPServer):
    """Answers as OpenAI's embeddings do: letters counted, not normalised, the last text first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[tuple[str, str | None, dict[str, object]]] = []
        self.failures: list[int] = []
        self.answer: object = None
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Embeddings

    def do_POST(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.headers.get("Authorization"), given))
        if self.server.failures:
            self._send(self.server.failures.pop(0), {"error": "model is loading"})
            return
        rows = [
            {"index": i, "embedding": [1 + text.count("a"), 1 + text.count("b"), 1 + len(text)]}
            for i, text in enumerate(given["input"])
        ]
        self._send(200, self.server.answer or {"data": rows[::-1]})

    def _send(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def served() -> Iterator[Embeddings]:
    server = Embeddings()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def encoder(served: Embeddings) -> Iterator[RemoteEncoder]:
    made = RemoteEncoder(f"{served.url}#letters", batch_size=2, key="secret", attempts=3)
    yield made
    made.close()


def test_texts_are_sent_in_batches_and_come_back_in_order_as_unit_rows(
    served: Embeddings, encoder: RemoteEncoder
) -> None:
    told: list[int] = []
    rows = encoder.encode(["aaa", "b", ""], progress=told.append)
    expected = np.array([[4, 1, 4], [1, 2, 2], [1, 1, 2]], dtype=np.float32)
    assert rows == pytest.approx(expected / np.linalg.norm(expected, axis=1, keepdims=True), abs=1e-6)
    assert rows.dtype == np.float32
    assert told == [2, 1]
    assert [r[2]["input"] for r in served.requests] == [["aaa", "b"], [" "]]
    assert {(path, key, r["model"]) for path, key, r in served.requests} == {
        ("/v1/embeddings", "Bearer secret", "letters")
    }


def test_its_name_is_the_model_wherever_it_is_served(served: Embeddings, encoder: RemoteEncoder) -> None:
    assert encoder.name == "remote:letters"
    assert encoder.dimension == encoder.dimension == 3
    assert len(served.requests) == 1
    assert encoder.encode([]).shape == (0, 3)
    assert encoder.is_word("whatever")


def test_a_busy_server_is_asked_again(served: Embeddings, encoder: RemoteEncoder) -> None:
    served.failures = [503, 429]
    assert len(encoder.encode(["a"])) == 1
    assert len(served.requests) == 3


def test_a_server_that_stays_busy_is_told_in_its_own_words(served: Embeddings, encoder: RemoteEncoder) -> None:
    served.failures = [503] * 3
    with pytest.raises(ServerUnavailable, match=r"'letters' .*HTTP 503: .*model is loading.*ISKP_EMBEDDINGS_KEY"):
        encoder.encode(["a"])


def test_a_refusal_is_not_repeated(served: Embeddings, encoder: RemoteEncoder) -> None:
    served.failures = [401] * 3
    with pytest.raises(ServerUnavailable, match="HTTP 401"):
        encoder.encode(["a"])
    assert len(served.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"index": 0, "embedding": [0, 0, 0]}]},
        {"data": [{"index": 0, "embedding": [1, 2]}, {"index": 1, "embedding": [1]}]},
        {"data": []},
        {"result": 1},
        [1],
    ],
)
def test_an_answer_of_another_form_is_refused(served: Embeddings, encoder: RemoteEncoder, answer: object) -> None:
    served.answer = answer
    with pytest.raises(ServerUnavailable, match=r"127\.0\.0\.1"):
        encoder.encode(["a"])


def test_a_server_that_is_down_is_named() -> None:
    encoder = RemoteEncoder("http://127.0.0.1:9/v1#letters", attempts=2)
    with pytest.raises(ServerUnavailable, match=r"http://127\.0\.0\.1:9/v1/embeddings"):
        encoder.encode(["a"])
    encoder.close()


def test_an_address_without_a_model_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="http://HOST:PORT/v1#MODEL"):
        open_encoder("http://127.0.0.1:9/v1")


def test_a_setting_with_an_address_makes_a_remote_encoder(monkeypatch: pytest.MonkeyPatch, served: Embeddings) -> None:
    monkeypatch.setenv("ISKP_EMBEDDINGS_KEY", "of the environment")
    encoder = open_encoder(f"{served.url}#letters")
    assert isinstance(encoder, RemoteEncoder)
    encoder.encode(["a"])
    assert served.requests[0][1] == "Bearer of the environment"
    encoder.close()
