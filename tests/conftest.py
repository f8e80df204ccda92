"""Shared fixtures: a fast encoder without meaning, the real one, a library, and an index made of texts.

No test reaches beyond this machine: connections to anything but the loopback address are refused.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import socket_allow_hosts

from index.embed import Progress, SentenceTransformerEncoder, Vectors
from index.sync import sync
from ingest.blocks import Metadata, assemble
from ingest.formats import markdown
from ingest.library import Library
from ingest.source import Source

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
def real_encoder() -> SentenceTransformerEncoder:
    """The packaged all-MiniLM-L6-v2, loaded once."""
    encoder = SentenceTransformerEncoder()
    encoder.load()
    return encoder


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

    def build(texts: Mapping[str, str], encoder: HashEncoder | SentenceTransformerEncoder = hash_encoder) -> Path:
        for source_id, text in texts.items():
            put(source_id, text)
        root = tmp_path / "home" / "index"
        sync(root, library, encoder)
        return root

    return build
