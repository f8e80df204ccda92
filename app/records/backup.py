"""A home in one file, and back: sources, conversations, judgements, settings and reports.

The index is left out: it is made again from the sources with ``iskp index``.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from app.errors import AppError
from app.records import history, notebook
from ingest import library, sqlite

FORMAT = 1
MANIFEST = "manifest.json"
_DATABASES = ("library.db", "history.db", "notebook.db")
_FILES = ("iskp.toml", "terms.toml", "policy.toml", "feedback.jsonl")
_FOLDERS = ("reports",)
_MAX_FILES = 100_000
_MAX_MANIFEST = 50_000_000
_PART = re.compile(r"[^/\\:\x00-\x1f\x7f]{1,200}")
_SCHEMAS = {"library.db": library.SCHEMA_VERSION, "history.db": history.SCHEMA_VERSION, "notebook.db": notebook.SCHEMA_VERSION}
"""Newest version of each database that this program reads."""


class BadBackup(AppError):
    """A backup cannot be written, or what is given is none that can be restored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """What went into a backup or came out of it.

    Attributes:
        kept_aside: where the former home lies after a forced restore.
    """

    files: tuple[str, ...]
    bytes: int
    kept_aside: Path | None = None


def backup(home: Path, file: Path, *, force: bool = False) -> BackedUp:
    """Write everything of a home that cannot be made again to one file.

    Databases are copied as of one moment, also while others write. The file appears whole or not at all.

    Raises:
        BadBackup: there is no home, the file exists already, or it cannot be written.
    """
    if not (home / "library.db").is_file():
        raise BadBackup(f"there is no home to back up in {home}; choose one with --home")
    if file.exists() and not force:
        raise BadBackup(f"{file} exists already; give another name, or --force to replace it")
    try:
        with tempfile.TemporaryDirectory(prefix=".backup-", dir=file.absolute().parent) as scratch:
            return _write(home, file, Path(scratch))
    except (OSError, sqlite3.Error, zipfile.BadZipFile) as exc:
        raise BadBackup(
            f"the backup {file} cannot be written ({_reason(exc)}): check free space and the folder's rights; "
            "nothing in the home was changed"
        ) from exc


def _write(home: Path, file: Path, scratch: Path) -> BackedUp:
    facts: dict[str, dict[str, Any]] = {}
    partial = scratch / "partial.zip"
    # Only the owner: conversations and settings are nobody else's business.
    with (
        os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as stream,
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        for name, source in _contents(home, scratch):
            facts[name] = _pack(archive, name, source)
        manifest = {"format": FORMAT, "made_at": datetime.now(UTC).isoformat(timespec="seconds"), "files": facts}
        archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    with partial.open("rb") as written:
        os.fsync(written.fileno())
    os.replace(partial, file)
    return BackedUp(files=tuple(facts), bytes=file.stat().st_size)


def _contents(home: Path, scratch: Path) -> Iterator[tuple[str, Path]]:
    for name in _DATABASES:
        if (home / name).is_file():
            copy = scratch / name
            sqlite.copy(home / name, copy)
            yield name, copy
    for name in _FILES:
        if (home / name).is_file():
            yield name, home / name
    for folder in _FOLDERS:
        for path in sorted((home / folder).rglob("*")):
            # A link may lead anywhere; what it leads to is not part of the home.
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(home).as_posix(), path


def _pack(archive: zipfile.ZipFile, name: str, source: Path) -> dict[str, Any]:
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as stream, archive.open(name, "w", force_zip64=True) as out:
        while block := stream.read(1 << 20):
            digest.update(block)
            size += len(block)
            out.write(block)
    return {"sha256": digest.hexdigest(), "bytes": size}


def restore(file: Path, home: Path, *, force: bool = False) -> BackedUp:
    """Make a home of a backup. Everything is checked before anything of the home changes.

    A forced restore keeps the former home beside the new one.

    Raises:
        BadBackup: the home is not empty and that was not forced, the file is no whole backup of ours, or the disk
            does not let us write.
    """
    home = home.absolute()
    occupied = home.exists() and (not home.is_dir() or any(home.iterdir()))
    if occupied and not force:
        raise BadBackup(f"{home} is not empty; restore to another --home, or give --force (the old one is kept aside)")
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{home.name}-restoring-", dir=home.parent))
        try:
            done = _unpack(file, staged)
            return BackedUp(files=done.files, bytes=done.bytes, kept_aside=_swap(staged, home, occupied))
        finally:
            shutil.rmtree(staged, ignore_errors=True)
    except zipfile.BadZipFile as exc:
        raise BadBackup(f"{file} is not a backup, or is damaged: {_reason(exc)}; nothing was changed") from exc
    except (OSError, sqlite3.Error) as exc:
        raise BadBackup(
            f"{file} cannot be restored ({_reason(exc)}): check the file, free space and rights; nothing was changed"
        ) from exc


def _unpack(file: Path, staged: Path) -> BackedUp:
    with zipfile.ZipFile(file) as archive:
        facts = _manifest(file, archive)
        total = sum(f["bytes"] for f in facts.values())
        if total > shutil.disk_usage(staged).free:
            raise BadBackup(f"{file} holds {total / 1e6:.0f} MB, more than is free in {staged.parent}")
        for name, fact in facts.items():
            _unpack_one(file, archive, name, fact, staged.joinpath(*PurePosixPath(name).parts))
    for name in _DATABASES:
        if name in facts:
            _check_database(file, staged / name)
    return BackedUp(files=tuple(facts), bytes=total)


def _manifest(file: Path, archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    try:
        if archive.getinfo(MANIFEST).file_size > _MAX_MANIFEST:
            raise ValueError
        manifest = json.loads(archive.read(MANIFEST))
        version = manifest["format"]
        facts: dict[str, dict[str, Any]] = manifest["files"]
        for name, fact in facts.items():
            if not (isinstance(fact["bytes"], int) and fact["bytes"] >= 0 and isinstance(fact["sha256"], str)):
                raise ValueError(name)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, RuntimeError, EOFError, zlib.error) as exc:
        raise BadBackup(f"{file} is not a backup of iskp-qa: it has no readable {MANIFEST}") from exc
    if version != FORMAT:
        raise BadBackup(f"{file} is a backup of format {version!r}; this version reads format {FORMAT}")
    strange = [n for n in facts if not _is_ours(n)] + [
        n for n in archive.namelist() if n not in facts and n != MANIFEST
    ]
    if strange or len(facts) > _MAX_FILES or len(set(archive.namelist())) != len(archive.namelist()):
        raise BadBackup(
            f"{file} holds what no backup holds: {strange[0][:80]!r}" if strange else f"{file} is no backup"
        )
    if "library.db" not in facts:
        raise BadBackup(f"{file} holds no store of sources")
    return facts


def _is_ours(name: str) -> bool:
    """Whether a backup may hold a file of this name; anything that leads out of the home may not."""
    parts = name.split("/")
    if len(parts) == 1:
        return name in _DATABASES or name in _FILES
    return parts[0] in _FOLDERS and all(_PART.fullmatch(p) and p not in {".", ".."} for p in parts)


def _unpack_one(file: Path, archive: zipfile.ZipFile, name: str, fact: dict[str, Any], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    try:
        with archive.open(name) as stream, target.open("xb") as out:
            while block := stream.read(1 << 20):
                size += len(block)
                if size > fact["bytes"]:
                    break  # more than it says: a bomb
                digest.update(block)
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
    except (KeyError, RuntimeError, NotImplementedError, EOFError, zlib.error) as exc:
        raise BadBackup(f"{file} is damaged: {name} cannot be read from it") from exc
    if size != fact["bytes"] or digest.hexdigest() != fact["sha256"]:
        raise BadBackup(f"{file} is damaged: {name} is not what was backed up; nothing was changed")


def _check_database(file: Path, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        try:
            verdict = db.execute("PRAGMA quick_check").fetchone()[0]
            version = db.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as exc:
            raise BadBackup(f"{file} is damaged: {path.name} in it is no database; nothing was changed") from exc
    if verdict != "ok":
        raise BadBackup(f"{file} is damaged: {path.name} in it fails its check; nothing was changed")
    if version > _SCHEMAS[path.name]:
        raise BadBackup(f"{path.name} in {file} was written by a newer version of iskp-qa; update, then restore")


def _swap(staged: Path, home: Path, occupied: bool) -> Path | None:
    aside = None
    staged.chmod(0o700)
    if occupied:
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        aside = home.with_name(f"{home.name}.before-restore-{stamp}")
        os.replace(home, aside)
    elif home.exists():
        home.rmdir()
    try:
        os.replace(staged, home)
    except OSError:
        if aside is not None:
            with suppress(OSError):
                os.replace(aside, home)
        raise
    return aside


def _reason(exc: Exception) -> str:
    return getattr(exc, "strerror", None) or str(exc)
