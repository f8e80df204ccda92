"""Chroma, and nothing else of ours knows it: vectors by the id of their passage, in a folder or on a server.

Chroma takes more than a second to import, so that is done where a store is opened.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import numpy as np

from index.embed import Vectors
from index.errors import Damaged, IdentityMismatch, IndexingError, ServerUnavailable, Untrusted, Unwritable

if TYPE_CHECKING:
    import httpx
    from chromadb import Collection
    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import CreateCollectionConfiguration

CHROMA_FOLDER = "chroma"
"""Folder of Chroma in a part, where it is not on a server."""
COLLECTION_FILE = "collection.json"
"""Names the collection of a part, where it is on a server."""
_COLLECTION = "passages"
# ef_search well above Chroma's 100: recall of the exact neighbours matters more here than the fraction of a
# millisecond that it costs. ef_construction is Chroma's own: with 200 the ten nearest of 15,000 vectors were the same
# (recall 1.0 with either), and building took 0.65 instead of 0.38 ms of processor time a vector.
_CONFIGURATION: CreateCollectionConfiguration = {"hnsw": {"space": "cosine", "ef_construction": 100, "ef_search": 300}}
_PAGE = 1000
_SECONDS = 60.0
"""How long a server may take for one request."""
_ATTEMPTS = 5
"""Tries of a write."""
_NO_FUNCTION = ({"type": "legacy"}, {"type": "unknown"})
"""How Chroma 1.5 marks a collection without an embedding function; anything beside the type is something to build."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChromaServer:
    """Where a Chroma server answers.

    Attributes:
        url: such as ``http://127.0.0.1:8000``.
        headers: sent with every request, such as a token that a proxy before the server asks for.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @contextmanager
    def client(self) -> Iterator[ClientAPI]:
        """A connection, closed in the end.

        Raises:
            ServerUnavailable: nobody answers there, or the headers are refused.
        """
        import httpx
        from chromadb.errors import ChromaError

        client = self.connect()
        try:
            yield client
        except (httpx.HTTPError, ChromaError, OSError) as exc:
            raise unavailable(exc, self.url) from exc
        finally:
            _disconnect(client)

    def connect(self) -> ClientAPI:
        """A connection that the caller closes with :func:`_disconnect`."""
        import chromadb
        import httpx
        from chromadb.config import Settings
        from chromadb.errors import ChromaError

        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        try:
            # Asked first, since Chroma's client leaves its connections open when it fails.
            httpx.get(f"{self.url}/api/v2/heartbeat", headers=dict(self.headers), timeout=_SECONDS).raise_for_status()
            client = chromadb.HttpClient(
                host=parts.hostname or "",
                port=parts.port or (443 if secure else 80),
                ssl=secure,
                headers=dict(self.headers),
                settings=Settings(anonymized_telemetry=False),
            )
        except (ValueError, ChromaError, httpx.HTTPError, OSError) as exc:
            raise unavailable(exc, self.url) from exc
        _session(client).timeout = httpx.Timeout(_SECONDS)  # it would wait for ever
        return client

    def collections(self, prefix: str) -> list[str]:
        """Names of the collections that begin so."""
        with self.client() as client:
            return [c.name for c in client.list_collections() if c.name.startswith(prefix)]

    def delete(self, name: str) -> None:
        """Remove a collection; one that is gone is no error."""
        from chromadb.errors import NotFoundError

        with self.client() as client, suppress(NotFoundError):
            client.delete_collection(name)


class VectorStore:
    """Unit vectors of passages in a persistent Chroma collection, cosine space, with the id of the passage and its source.

    Chroma writes even when it only opens a folder. Where this user may only read, a temporary copy is
    opened; what is written to it is lost.
    """

    def __init__(self, folder: Path | None = None, *, server: ChromaServer | None = None, collection: str = "") -> None:
        """In ``folder``, or on ``server`` in the collection of this name, which must be there."""
        import chromadb
        import httpx
        from chromadb.config import Settings
        from chromadb.errors import ChromaError, NotFoundError

        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._url = server.url if server else ""
        if server is not None:
            self._client = server.connect()
            try:
                self._collection = self._client.get_collection(collection, embedding_function=None)
            except (ChromaError, httpx.HTTPError, OSError, ValueError, KeyError, TypeError) as exc:
                _disconnect(self._client)  # the last three: an answer that describes no collection
                if isinstance(exc, NotFoundError):
                    raise Damaged(
                        f"the collection {collection} is missing on the Chroma server {server.url}; "
                        "run: iskp index --rebuild"
                    ) from exc
                raise unavailable(exc, server.url) from exc
            try:
                _require_plain(self._collection, server.url)
            except Untrusted:
                _disconnect(self._client)
                raise
            return
        if folder is None:
            raise ValueError("a vector store needs a folder or a server")
        if folder.is_dir() and not os.access(folder, os.W_OK):
            self._copy = tempfile.TemporaryDirectory(prefix="iskp-index-", ignore_cleanup_errors=True)
            folder = _copied(folder, Path(self._copy.name))
        try:
            # Telemetry off by setting; chromadb 1.5 sends none, older and later ones may.
            self._client = chromadb.PersistentClient(
                str(folder), settings=Settings(anonymized_telemetry=False, is_persistent=True)
            )
            self._collection = self._client.get_or_create_collection(
                _COLLECTION,
                embedding_function=None,
                configuration=_CONFIGURATION,
            )
        except Exception as exc:
            raise Damaged(f"the vector store in {folder} cannot be opened ({exc}); run: iskp index --rebuild") from exc

    def close(self) -> None:
        """Flush and let the files go."""
        _disconnect(self._client)
        if self._copy is not None:
            self._copy.cleanup()

    def count(self) -> int:
        """How many vectors are stored."""
        with _reading(self._url):
            return int(self._collection.count())

    def add(self, ids: Sequence[str], source_ids: Sequence[str], vectors: Vectors) -> None:
        """Add; ``vectors`` has a unit row for each id, and a source id stands for each. Ids that are there are replaced."""
        for at in range(0, len(ids), _PAGE):
            with _writing(self._url):
                _persistently(
                    self._collection.upsert,
                    ids=list(ids[at : at + _PAGE]),
                    embeddings=vectors[at : at + _PAGE],
                    metadatas=[{"source_id": s} for s in source_ids[at : at + _PAGE]],
                )

    def all_ids(self) -> Iterator[str]:
        """Every id, in pages."""
        offset = 0
        while True:
            with _reading(self._url):
                ids = self._collection.get(limit=_PAGE, offset=offset, include=[])["ids"]
            if not ids:
                return
            yield from ids
            offset += len(ids)

    def vectors(self, ids: Sequence[str]) -> dict[str, Vectors]:
        """The vectors of these ids, as far as they exist, by id."""
        found: dict[str, Vectors] = {}
        for at in range(0, len(ids), _PAGE):
            with _reading(self._url):
                page = self._collection.get(ids=list(ids[at : at + _PAGE]), include=["embeddings"])
            if page["ids"]:
                found.update(zip(page["ids"], np.asarray(page["embeddings"], dtype=np.float32), strict=True))
        return found

    def nearest(self, vector: Vectors, k: int, sources: Sequence[str] | None = None) -> dict[str, float]:
        """Ids of the ``k`` passages nearest to a unit vector with their cosine similarity, best first.

        Args:
            sources: ids of the sources that may be found; None for all.
        """
        if k < 1:
            return {}
        named: dict[Literal["$in", "$nin"], list[str | int | float | bool]] = {"$in": list(sources or ())}
        with _reading(self._url):
            found = self._collection.query(
                query_embeddings=vector.reshape(1, -1),
                n_results=k,
                where=None if sources is None else {"source_id": named},
                include=["distances"],
            )
        distances = (found["distances"] or [[]])[0]
        # Chroma's cosine distance is 1 - cosine similarity; this is the only place that knows.
        return {i: 1.0 - float(d) for i, d in zip(found["ids"][0], distances, strict=True)}


def open_store(folder: Path, server: ChromaServer | None) -> VectorStore:
    """The vectors of the part in this folder, wherever they lie.

    Raises:
        IdentityMismatch: they lie on a server and none is set, or the other way round.
        ServerUnavailable: the server does not answer.
        Damaged: they cannot be read.
    """
    require_place(folder, server)
    name = collection_of(folder)
    if name is not None:
        return VectorStore(server=server, collection=name)
    if not (folder / CHROMA_FOLDER).is_dir():
        raise Damaged(f"the vectors in {folder} are missing; run: iskp index --rebuild")
    return VectorStore(folder / CHROMA_FOLDER)


def require_place(folder: Path, server: ChromaServer | None) -> None:
    """Check that the vectors of a part lie where the settings say, without asking a server.

    Raises:
        IdentityMismatch: they do not.
    """
    name = collection_of(folder)
    if (name is None) != (server is None):
        where = "on this machine" if name is None else "on a Chroma server"
        other = "names a Chroma server" if server else "is not set"
        raise IdentityMismatch(f"the vectors lie {where}, but index.chroma_url {other}; run: iskp index --rebuild")


def create_store(folder: Path, server: ChromaServer | None, collection: str) -> VectorStore:
    """A new store for the part in ``folder``: a folder in it, or a collection of this name on the server."""
    if server is None:
        return VectorStore(folder / CHROMA_FOLDER)
    with suppress(ServerUnavailable):
        server.delete(collection)  # of a writer that was killed
    (folder / COLLECTION_FILE).write_text(json.dumps({"collection": collection}), encoding="utf-8")
    with server.client() as client:
        made = client.create_collection(collection, embedding_function=None, configuration=_CONFIGURATION)
        _require_plain(made, server.url)
    return VectorStore(server=server, collection=collection)


def _require_plain(collection: Collection, url: str) -> None:
    """Refuse a collection whose stored data name an embedding function, before anything else is asked of it.

    Chroma's client would build it by name, with the server's arguments, at the first write: models and code from
    anywhere. We bring our own vectors and never store one.

    Raises:
        Untrusted: they name one.
    """
    # The raw data: the client's own properties for them already build what they name.
    for functions in (collection.configuration_json, collection._model.serialized_schema):
        for function in _embedding_functions(functions):
            name = function.get("name") if isinstance(function, Mapping) else function
            raise Untrusted(
                f"the Chroma server at {url} wants this machine to load an embedding function ({str(name)[:80]!r}) for "
                f"the collection {collection.name}, which was not stored by iskp; nothing was loaded, read or written: "
                "find out who may write to that server, or take another one with index.chroma_url, then run: "
                "iskp index --rebuild"
            )


def _embedding_functions(data: object) -> Iterator[object]:
    """Whatever stands for an embedding function anywhere in a collection's data, but for the marks of none."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key == "embedding_function":
                if value is not None and value not in _NO_FUNCTION:
                    yield value
            else:
                yield from _embedding_functions(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from _embedding_functions(value)


def collection_of(folder: Path) -> str | None:
    """Name of the collection on a server that holds the vectors of this part; None when they lie in the folder."""
    try:
        return str(json.loads((folder / COLLECTION_FILE).read_text(encoding="utf-8"))["collection"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise Damaged(f"{folder / COLLECTION_FILE} cannot be read ({exc}); run: iskp index --rebuild") from exc


def unavailable(exc: Exception, url: str = "") -> IndexingError:
    """What a server or the way to it said, as one sentence."""
    why = " ".join(str(exc).split())[:160] or type(exc).__name__
    where = f" at {url}" if url else ""
    return ServerUnavailable(
        f"the Chroma server{where} does not serve ({why}); start it with: chroma run --path FOLDER, "
        "or check index.chroma_url and ISKP_CHROMA_TOKEN"
    )


def _session(client: ClientAPI) -> httpx.Client:
    """What a client of a server speaks through; Chroma 1.5 has no public way to it, nor to close it."""
    session: httpx.Client = client._server._session  # type: ignore[attr-defined]
    return session


def _disconnect(client: ClientAPI) -> None:
    used = [getattr(c, "_server", None) for c in (client, getattr(client, "_admin_client", None))]
    client.close()  # type: ignore[attr-defined]  # of the concrete client
    for server in used:
        if (session := getattr(server, "_session", None)) is not None:
            session.close()


def _persistently(write: Callable[..., object], **given: Any) -> None:
    """Write again after a broken connection or a time-out: each write means the same a second time.

    A sync of hours should not be lost to a server that was busy or restarted for a moment.
    """
    import httpx
    from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

    again = Retrying(
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_exponential_jitter(initial=0.5, max=10),
        retry=retry_if_exception_type(httpx.TransportError),
        reraise=True,
    )
    again(write, **given)


@contextmanager
def _writing(url: str) -> Iterator[None]:
    import httpx
    from chromadb.errors import InternalError

    try:
        yield
    except httpx.HTTPError as exc:
        raise unavailable(exc, url) from exc
    except (InternalError, OSError) as exc:
        raise Unwritable(
            f"the vector store cannot be written ({' '.join(str(exc).split())[:200]}): check free space, then run: "
            "iskp index; nothing is lost"
        ) from exc


@contextmanager
def _reading(url: str) -> Iterator[None]:
    import httpx
    from chromadb.errors import InternalError, NotFoundError

    try:
        yield
    except httpx.HTTPError as exc:
        raise unavailable(exc, url) from exc
    except NotFoundError as exc:
        # Removed by a writer that knows nothing of this reader, such as one with a copy of the home elsewhere.
        raise Damaged(
            "the vectors of this index are gone from the Chroma server; bring the home up to date with the writer's, "
            "or run: iskp index --rebuild"
        ) from exc
    except InternalError as exc:
        raise Damaged(
            f"the vector store cannot be read ({' '.join(str(exc).split())[:200]}); run: iskp index --rebuild"
        ) from exc


def _copied(folder: Path, to: Path) -> Path:
    target = to / folder.name
    for place in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        (target / place.relative_to(folder)).mkdir(parents=True)
    for file in folder.rglob("*"):
        if file.is_file():  # contents alone: copied rights would be read-only again
            shutil.copyfile(file, target / file.relative_to(folder))
    return target
