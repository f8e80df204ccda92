"""Compare what should agree: stored sources, lexical index and vector store; say what differs, mend it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index import generation, multilingual_encoder
from index.catalog import Catalog
from index.embed import DEFAULT_MODEL, bundled_model_path, check_weights
from index.errors import IndexingError
from index.parts import in_chroma
from index.precision import MULTILINGUAL_MODEL
from index.sync import CATALOG_FILE, dead_passages, read_identity, require_identity
from ingest.chunk import chunk
from ingest.library import Library

if TYPE_CHECKING:
    from app.home import Home

_PACKAGES = ("iskp-qa", "chromadb", "sentence-transformers", "torch", "gradio", "langchain-core")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """Facts about a home, what is wrong with it, and what was mended.

    Attributes:
        unread: files of mirrored folders that could not be read, each with its reason. They are the
            user's to mend, so they are no problem of the home.
    """

    facts: Mapping[str, str]
    problems: tuple[str, ...]
    repaired: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def examine(home: Home, *, repair: bool = False) -> Examination:
    """Look a home over; with ``repair``, re-index where the index does not match the sources."""
    facts = {**_versions(home), **_model_facts(home)}
    problems = _model_problems(home)
    index_problems = _index_problems(home, facts)
    repaired: list[str] = []
    if repair and index_problems:
        report = home.sync(rebuild=True)
        repaired.append(f"the index was rebuilt: {report.added} passages of {report.sources} sources")
    return Examination(
        facts=facts,
        problems=(*problems, *index_problems),
        repaired=tuple(repaired),
        unread=tuple(f"{failure.path}: {failure.reason}" for failure in home.library.failures()),
    )


def _versions(home: Home) -> dict[str, str]:
    facts = {"home": str(home.folder), "home size": f"{_size(home.folder) / 1e6:.1f} MB"}
    for package in _PACKAGES:
        try:
            facts[package] = version(package)
        except PackageNotFoundError:
            facts[package] = "not installed"
    return facts


def _model_facts(home: Home) -> dict[str, str]:
    """The embedding model by name and the SHA-256 of its weights, where it is a folder with a weights file."""
    name = home.settings.encoder.model
    try:
        folder = bundled_model_path() if name == DEFAULT_MODEL else Path(name).expanduser()
        with (folder / "model.safetensors").open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except (IndexingError, OSError):
        return {"embedding model": name}
    return {"embedding model": f"{name}, SHA-256 {found}"}


def _model_problems(home: Home) -> list[str]:
    model = home.settings.encoder.model
    try:
        if model == DEFAULT_MODEL:
            check_weights(bundled_model_path())
        elif model == MULTILINGUAL_MODEL:
            multilingual_encoder.check_weights()
    except IndexingError as exc:
        return [str(exc)]
    return []


def _index_problems(home: Home, facts: dict[str, str]) -> list[str]:
    try:
        with generation.lease(home.index_folder) as folder:
            if folder is None:
                return ["nothing is indexed yet; run: iskp index"]
            facts["index"] = f"{folder.name}-{read_identity(folder).short}"
            facts["index size"] = f"{_size(folder) / 1e6:.1f} MB"
            require_identity(folder, home.encoder, home.chunking)
            return _compare(home, folder, facts)
    except IndexingError as exc:
        return [str(exc)]


def _compare(home: Home, folder: Path, facts: dict[str, str]) -> list[str]:
    problems: list[str] = []
    with closing(Catalog(folder / CATALOG_FILE, readonly=True)) as catalog:
        problems += [f"lexical index: {line}" for line in catalog.check()]
        lexical = set(catalog.passage_ids())
        known, dead = catalog.fingerprints(), dead_passages(catalog)
        vectors = set(in_chroma(folder, catalog, home.chroma_server))
    stored = home.library.fingerprints()
    wanted = _wanted(home.library, home)
    facts["sources"] = str(len(stored))
    facts["passages"] = str(len(vectors))
    facts["deleted passages still on disk"] = f"{dead} (freed by a sync when they outweigh the rest)"
    for what, ids in (("vector store", vectors), ("lexical index", lexical)):
        if ids != wanted:
            problems.append(f"the {what} lacks {len(wanted - ids)} passages and holds {len(ids - wanted)} unknown ones")
    if known != stored:
        changed = sum(1 for i in stored if known.get(i) != stored[i]) + sum(1 for i in known if i not in stored)
        problems.append(f"{changed} sources differ between the store and the index; run: iskp index")
    return problems


def _wanted(library: Library, home: Home) -> set[str]:
    return {p.id for source in library for p in chunk(source, home.chunking)}


def _size(folder: Path) -> int:
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
