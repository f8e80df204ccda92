from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import chromadb
import numpy as np
import pytest
from chromadb.utils import embedding_functions

from app.home import Home
from index.errors import Damaged, IdentityMismatch, ServerUnavailable, Untrusted
from index.search import Filters, IndexReader
from index.store import ChromaServer
from index.sync import SyncReport, sync
from index.terms import Vocabulary
from ingest.chunk import ChunkSettings
from ingest.library import Library

HONEY = "# Honey\n\nBees store honey in combs.\n\nA hive holds sixty thousand bees.\n\nSmoke calms them.\n"
SALT = "# Salt\n\nSalt was taxed in 1711.\n\nSmugglers dug pans at night.\n"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_chroma(folder: Path, port: int) -> subprocess.Popen[bytes]:
    command = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
    folder.mkdir(exist_ok=True)
    with (folder / "log").open("a") as log:
        process = subprocess.Popen(
            [command, "run", "--path", str(folder / "data"), "--host", "127.0.0.1", "--port", str(port)],
            stdout=log, stderr=log,
        )  # fmt: skip
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    return process


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real ``chroma run`` on the loopback address."""
    port = free_port()
    process = start_chroma(tmp_path_factory.mktemp("chroma"), port)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def server(address: str) -> ChromaServer:
    return ChromaServer(url=address)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "home" / "index"


@pytest.fixture
def reader(root: Path, hash_encoder, server: ChromaServer) -> Iterator[IndexReader]:
    opened = IndexReader(root, hash_encoder, ChunkSettings(), lambda: Vocabulary.load(None), server)
    yield opened
    opened.close()


def found(reader: IndexReader, query: str, **filters: object) -> list[str]:
    index = reader.current()
    assert index is not None
    return [h.passage.text for h in index.search(query, 3, filters=Filters(**filters))]


def counts(report: SyncReport) -> tuple[int, int, int, int]:
    return report.added, report.skipped, report.deleted, report.embedded


def test_the_same_code_indexes_and_searches_on_a_server(
    library: Library, root: Path, put, hash_encoder, server: ChromaServer, reader: IndexReader
) -> None:
    put("honey", HONEY, date="2020")
    put("salt", SALT, date="2023")
    assert counts(sync(root, library, hash_encoder, server=server)) == (5, 0, 0, 5)
    assert found(reader, "honey in combs")[0] == "Bees store honey in combs."
    assert found(reader, "bees salt taxed", sources=("salt",))[0] == "Salt was taxed in 1711."
    assert all("bees" not in t.lower() for t in found(reader, "bees", since=20230101))
    assert not (root / "gen-000001" / "chroma").exists()
    hash_encoder.texts.clear()
    assert counts(sync(root, library, hash_encoder, server=server)) == (0, 5, 0, 0)
    put("salt", SALT + "\nPans rust.\n", date="2023")
    library.remove("honey")
    assert counts(sync(root, library, hash_encoder, server=server)) == (1, 2, 3, 1)
    assert hash_encoder.texts == ["salt: Pans rust."] or len(hash_encoder.texts) == 1
    assert "Pans rust." in found(reader, "pans rust")
    assert not found(reader, "honey", sources=("honey",))


def test_readers_keep_what_they_see_until_they_look_again_and_old_collections_go_when_nobody_reads(
    library: Library, root: Path, put, hash_encoder, server: ChromaServer, reader: IndexReader
) -> None:
    put("honey", HONEY)
    sync(root, library, hash_encoder, server=server)
    prefix = (root / "SERVER_NAME").read_text()
    held = reader.current()
    assert held is not None
    put("salt", SALT)
    library.remove("honey")
    sync(root, library, hash_encoder, server=server)
    assert len(server.collections(prefix)) == 2
    assert held.search("honey", 1)[0].passage.source_id == "honey"
    assert found(reader, "honey salt")[0].startswith("Salt")
    assert held.search("honey", 1)[0].passage.source_id == "honey"
    held.close()
    sync(root, library, hash_encoder, server=server)  # nothing changed, but nobody reads the old one any more
    assert [n.rsplit("-", 1)[1] for n in server.collections(prefix)] == ["000002"]
    put("more", "# More\n\nOne more.\n")
    sync(root, library, hash_encoder, server=server)
    assert "One more." in found(reader, "one more")


def test_a_change_sends_what_changed_to_the_server_and_copies_nothing(
    library: Library, root: Path, put, hash_encoder, guarded: str, asked: list[str]
) -> None:
    server = ChromaServer(url=guarded, headers={"Authorization": "Bearer secret"})
    put("log", "\n\n".join(f"Entry {i} of the log." for i in range(500)))
    sync(root, library, hash_encoder, server=server)
    put("honey", HONEY)
    asked.clear()
    sync(root, library, hash_encoder, server=server)
    assert asked.count("upsert") == 1
    assert not {"get", "query", "update"} & set(asked)


def test_two_homes_share_a_server_without_meeting(
    library: Library, tmp_path: Path, put, hash_encoder, server: ChromaServer
) -> None:
    put("honey", HONEY)
    a, b = tmp_path / "a", tmp_path / "b"
    sync(a, library, hash_encoder, server=server)
    sync(b, library, hash_encoder, server=server)
    sync(a, library, hash_encoder, server=server, rebuild=True)
    for root in (a, b):
        prefix = (root / "SERVER_NAME").read_text()
        (name,) = server.collections(prefix)
        assert (
            chromadb.HttpClient(port=int(server.url.rsplit(":", 1)[1]), host="127.0.0.1").get_collection(name).count()
            == 3
        )


def test_a_failed_sync_leaves_no_collection_behind(
    library: Library, root: Path, put, hash_encoder, server: ChromaServer
) -> None:
    put("honey", HONEY)

    def fail(texts: object, *, progress: object = None) -> None:
        raise RuntimeError("out of memory")

    hash_encoder.encode = fail
    with pytest.raises(RuntimeError):
        sync(root, library, hash_encoder, server=server)
    assert server.collections((root / "SERVER_NAME").read_text()) == []


def test_a_server_that_is_down_is_told_with_the_way_on(library: Library, root: Path, put, hash_encoder) -> None:
    put("honey", HONEY)
    down = ChromaServer(url=f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServerUnavailable, match=r"at http://127\.0\.0\.1:\d+ does not serve .*chroma run"):
        sync(root, library, hash_encoder, server=down)
    assert not list(root.glob("gen-*"))


def test_vectors_elsewhere_than_the_settings_say_need_a_rebuild(
    library: Library, root: Path, put, hash_encoder, server: ChromaServer, reader: IndexReader
) -> None:
    put("honey", HONEY)
    sync(root, library, hash_encoder)
    with pytest.raises(IdentityMismatch, match=r"lie on this machine.*iskp index --rebuild"):
        sync(root, library, hash_encoder, server=server)
    with pytest.raises(IdentityMismatch, match="lie on this machine"):
        reader.current()
    assert counts(sync(root, library, hash_encoder, server=server, rebuild=True)) == (3, 0, 0, 3)
    with pytest.raises(IdentityMismatch, match=r"on a Chroma server.*is not set"):
        sync(root, library, hash_encoder)


def test_a_collection_that_is_gone_is_named(
    library: Library, root: Path, put, hash_encoder, server: ChromaServer, reader: IndexReader
) -> None:
    put("honey", HONEY)
    sync(root, library, hash_encoder, server=server)
    (name,) = server.collections((root / "SERVER_NAME").read_text())
    server.delete(name)
    server.delete(name)
    with pytest.raises(Damaged, match=rf"{name} is missing .*--rebuild"):
        reader.current()


def test_a_collection_that_goes_while_it_is_read_is_told(
    library: Library, root: Path, put, hash_encoder, server: ChromaServer, reader: IndexReader
) -> None:
    put("honey", HONEY)
    sync(root, library, hash_encoder, server=server)
    assert found(reader, "honey")
    (name,) = server.collections((root / "SERVER_NAME").read_text())
    server.delete(name)
    with pytest.raises(Damaged, match=r"gone from the Chroma server.*iskp index --rebuild"):
        found(reader, "honey")
    sync(root, library, hash_encoder, server=server, rebuild=True)
    assert found(reader, "honey")


def test_a_server_that_stops_is_told_at_the_next_question_and_used_again_when_it_is_back(
    library: Library, tmp_path: Path, put, hash_encoder
) -> None:
    put("honey", HONEY)
    root, port = tmp_path / "home" / "index", free_port()
    own = ChromaServer(url=f"http://127.0.0.1:{port}")
    process = start_chroma(tmp_path / "chroma", port)
    reader = IndexReader(root, hash_encoder, ChunkSettings(), lambda: Vocabulary.load(None), own)
    try:
        sync(root, library, hash_encoder, server=own)
        assert found(reader, "honey")
        process.terminate()
        process.wait(timeout=30)
        with pytest.raises(ServerUnavailable, match=rf"at {own.url} does not serve"):
            found(reader, "honey")
        process = start_chroma(tmp_path / "chroma", port)
        assert found(reader, "honey")
    finally:
        process.terminate()
        process.wait(timeout=30)
        reader.close()


@pytest.fixture
def stumbles() -> list[str]:
    """Ends of paths at which the proxy hangs up once, the last one first."""
    return []


@pytest.fixture
def poison() -> dict[str, Any]:
    """What the proxy adds to every collection that the server tells of."""
    return {}


@pytest.fixture
def asked() -> list[str]:
    """Ends of the paths that the proxy was asked for."""
    return []


@pytest.fixture
def guarded(
    address: str, stumbles: list[str], poison: dict[str, Any], asked: list[str]
) -> Iterator[Callable[[str], str]]:
    """A proxy before the server that asks for a header, as the server itself knows no users."""
    port = int(address.rsplit(":", 1)[1])

    class Guard(BaseHTTPRequestHandler):
        def _forward(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            if stumbles and self.path.endswith(stumbles[-1]):
                stumbles.pop()
                return  # hangs up without an answer
            if self.headers.get("Authorization") != "Bearer secret":
                self.send_response(401)
                self.end_headers()
                return
            through = http.client.HTTPConnection("127.0.0.1", port)
            through.request(self.command, self.path, body, {"Content-Type": "application/json"})
            answer = through.getresponse()
            content = answer.read()
            asked.append(self.path.rsplit("/", 1)[-1])
            if poison and b'"configuration_json"' in content:
                told = json.loads(content)
                for collection in told if isinstance(told, list) else [told]:
                    for name, value in poison.items():
                        collection[name] = {**(collection[name] or {}), **value}
                content = json.dumps(told).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.getheader("Content-Type") or "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            through.close()

        do_GET = do_POST = do_PUT = do_DELETE = _forward

        def log_message(self, *_: object) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Guard)
    thread = threading.Thread(target=proxy.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{proxy.server_port}"
    proxy.shutdown()
    thread.join()
    proxy.server_close()


def test_a_home_sends_the_token_of_the_environment(
    tmp_path: Path, guarded: str, monkeypatch: pytest.MonkeyPatch, hash_encoder
) -> None:
    (tmp_path / "note.md").write_text(HONEY)
    monkeypatch.setenv("ISKP_INDEX_CHROMA_URL", guarded)
    refused = Home(tmp_path / "home")
    refused.init(empty=True)
    refused.__dict__["encoder"] = hash_encoder
    list(refused.add([tmp_path / "note.md"], {}))
    with pytest.raises(ServerUnavailable, match="does not serve"):
        refused.sync()
    refused.close()
    monkeypatch.setenv("ISKP_CHROMA_TOKEN", "secret")
    home = Home(tmp_path / "home")
    home.__dict__["encoder"] = hash_encoder
    assert "secret" not in repr(home.chroma_server)
    assert home.sync().added == 3
    assert found(home.index, "honey in combs")[0] == "Bees store honey in combs."
    home.close()


def test_a_write_is_repeated_when_the_connection_breaks(
    library: Library, root: Path, put, hash_encoder, guarded: str, stumbles: list[str]
) -> None:
    put("honey", HONEY)
    server = ChromaServer(url=guarded, headers={"Authorization": "Bearer secret"})
    stumbles += ["/upsert", "/upsert"]
    assert counts(sync(root, library, hash_encoder, server=server)) == (3, 0, 0, 3)
    assert stumbles == []


FUNCTION = {"type": "known", "name": "spy", "config": {"model": "x", "trust_remote_code": True}}
DENSE = {"float_list": {"vector_index": {"enabled": True, "config": {"embedding_function": FUNCTION}}}}
SPARSE = {
    "sparse_vector": {
        "sparse_vector_index": {
            "enabled": True,
            "config": {"embedding_function": FUNCTION, "source_key": "#document"},
        }
    }
}
POISONS = [
    {"configuration_json": {"embedding_function": FUNCTION}},
    {"configuration_json": {"embedding_function": {**FUNCTION, "type": "unknown"}}},
    {"schema": {"defaults": DENSE}},
    {"schema": {"keys": {"#embedding": DENSE}}},
    {"schema": {"keys": {"extra": SPARSE}}},
]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the embedding function "spy", known to Chroma's client, was built with."""
    calls: list[dict[str, Any]] = []

    class Spy:
        @staticmethod
        def build_from_config(config: dict[str, Any]) -> Spy:
            calls.append(config)
            return Spy()

        def default_space(self) -> str:
            return "cosine"

        def __call__(self, input: list[str]) -> list[Any]:
            return [np.ones(3, dtype=np.float32) for _ in input]

        embed_query = __call__

    for known in ("known_embedding_functions", "sparse_known_embedding_functions"):
        monkeypatch.setitem(getattr(embedding_functions, known), "spy", Spy)
    return calls


def test_chromas_own_client_builds_what_a_hostile_server_names(
    guarded: str, poison: dict[str, Any], built: list[dict[str, Any]]
) -> None:
    """Without this the tests below would prove nothing; once it fails, the client is mended and the check may go."""
    poison.update({"schema": {"keys": {"extra": SPARSE}}})
    client = chromadb.HttpClient(
        host="127.0.0.1", port=int(guarded.rsplit(":", 1)[1]), headers={"Authorization": "Bearer secret"}
    )
    collection = client.get_or_create_collection("hostile", embedding_function=None)
    assert built == []
    with contextlib.suppress(Exception):
        collection.upsert(ids=["a"], embeddings=[[1.0, 0.0]], documents=["a"])
    assert built[0]["trust_remote_code"] is True


@pytest.mark.parametrize("given", POISONS)
def test_nothing_is_built_read_or_written_when_a_server_names_an_embedding_function(
    library: Library, root: Path, put, hash_encoder, guarded: str, poison: dict[str, Any], asked: list[str],
    built: list[dict[str, Any]], given: dict[str, Any],
) -> None:  # fmt: skip
    put("honey", HONEY)
    server = ChromaServer(url=guarded, headers={"Authorization": "Bearer secret"})
    sync(root, library, hash_encoder, server=server)
    put("salt", SALT)
    poison.update(given)
    asked.clear()
    told = rf"at {guarded} wants this machine to load an embedding function \('spy'\).*iskp index --rebuild"
    reader = IndexReader(root, hash_encoder, ChunkSettings(), lambda: Vocabulary.load(None), server)
    with pytest.raises(Untrusted, match=told):
        reader.current()
    for rebuild in (False, True):
        with pytest.raises(Untrusted, match=told):
            sync(root, library, hash_encoder, server=server, rebuild=rebuild)
    assert built == []
    assert not {"get", "query", "count", "upsert", "add", "update"} & set(asked)
    poison.clear()
    assert found(reader, "honey in combs")[0] == "Bees store honey in combs."
    reader.close()


@pytest.mark.slow
def test_processes_share_a_home_whose_vectors_lie_on_a_server(tmp_path: Path, address: str) -> None:
    home, note, more = tmp_path / "home", tmp_path / "note.md", tmp_path / "more.md"
    note.write_text("# Ferries\n\nThe ferry to Norholm carries 300 people.\n")
    more.write_text("# Trams\n\nThe tram to Skarvoy has 12 stops.\n")
    environment = {**os.environ, "ISKP_INDEX_CHROMA_URL": address}

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "app.cli", "--home", str(home), *arguments],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ended(process: subprocess.Popen[str]) -> str:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        return out

    ended(start("init", "--empty"))
    ended(start("ingest", str(note)))
    ask = ("ask", "--json", "How many people does the ferry to Norholm carry?")
    readers = [start(*ask), start(*ask)]
    writer = start("ingest", str(more))
    for reader in readers:
        assert "300" in json.loads(ended(reader))["answer"]
    ended(writer)
    assert "12" in json.loads(ended(start("ask", "--json", "How many stops does the tram to Skarvoy have?")))["answer"]
    assert not list((home / "index").glob("gen-*/chroma"))
