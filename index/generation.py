"""Generations of the index on disk: built aside, swapped in one step, removed when nobody reads them.

``index/CURRENT`` names the folder in force. A rebuild makes the next one beside it and replaces CURRENT last, so a reader
sees the old index or the new one, never half, and a writer that is killed leaves the old one untouched. Changes within a
generation are commits of its catalog (:mod:`index.catalog`).
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import portalocker

from index.errors import Damaged, Locked, Unwritable

_CURRENT = "CURRENT"
LEASE = "lease"
"""File that readers of a folder hold a shared lock on."""
_WRITER = "writer.lock"
_BUILDING = ".building"
_PREFIX = "gen-"


def current(root: Path) -> Path | None:
    """Folder of the generation in force, or None when nothing was indexed yet.

    Raises:
        Damaged: CURRENT names a folder that is gone.
    """
    try:
        name = (root / _CURRENT).read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    folder = root / name
    if not name.startswith(_PREFIX) or not folder.is_dir():
        raise Damaged(f"the index folder {name!r} is missing; run: iskp index --rebuild")
    return folder


@contextmanager
def lease(root: Path) -> Iterator[Path | None]:
    """Hold the current generation for reading: it will not be removed meanwhile."""
    handle = acquire(root)
    try:
        yield handle[0] if handle else None
    finally:
        if handle:
            handle[1].release()


class Lease:
    """A shared lock on a generation."""

    def __init__(self, lock: portalocker.Lock) -> None:
        self._lock = lock

    def release(self) -> None:
        """Give the generation free."""
        self._lock.release()


def acquire(root: Path) -> tuple[Path, Lease] | None:
    """The current generation with a shared lock on it, or None when nothing was indexed yet."""
    for _ in range(100):
        folder = current(root)
        if folder is None:
            return None
        held = hold(folder)
        if held is None:
            continue  # swapped and removed between the two steps: CURRENT names a newer one by now
        if current(root) == folder:
            return folder, held
        held.release()
    raise Damaged("the index keeps changing under the reader; try again when the re-index is done")


def hold(folder: Path) -> Lease | None:
    """A shared lock on a folder, so that it is not removed; None when it is gone or going."""
    lock = portalocker.Lock(
        folder / LEASE,
        mode="r",
        flags=portalocker.LockFlags.SHARED | portalocker.LockFlags.NON_BLOCKING,
        fail_when_locked=True,
    )
    try:
        lock.acquire()
    except (portalocker.exceptions.BaseLockException, OSError):
        return None
    return Lease(lock)


@contextmanager
def writer(root: Path, *, timeout_seconds: float) -> Iterator[None]:
    """Be the only writer.

    Raises:
        Locked: another process still writes after ``timeout_seconds``.
        Unwritable: the folder cannot be written.
    """
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        (root / _WRITER).touch()
    lock = portalocker.Lock(root / _WRITER, mode="a+", timeout=timeout_seconds, check_interval=0.2)
    try:
        stream = lock.acquire()
    except portalocker.exceptions.BaseLockException as exc:
        holder = (root / _WRITER).read_text(encoding="ascii", errors="replace").strip()
        raise Locked(
            f"another process{f' (number {holder})' if holder else ''} is writing the index; "
            "wait until it is done and try again"
        ) from exc
    try:
        with writing(root):
            stream.seek(0)
            stream.truncate()
            stream.write(str(os.getpid()))
            stream.flush()
        yield
    finally:
        lock.release()


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Tell what the system says against writing as one sentence.

    Raises:
        Unwritable: the disk is full, or the folder may not be written.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as exc:
        why = (exc.strerror if isinstance(exc, OSError) else None) or " ".join(str(exc).split())[:200]
        raise Unwritable(
            f"the index in {root} cannot be written ({why}): check free space and the folder's rights, then run: "
            "iskp index; nothing is lost"
        ) from exc


def remove_leftovers(root: Path) -> None:
    """Remove what killed writers began to build. Only for the writer."""
    for leftover in root.glob(f"{_PREFIX}*{_BUILDING}"):
        shutil.rmtree(leftover, ignore_errors=True)
    (root / f".{_CURRENT}.new").unlink(missing_ok=True)


def start_next(root: Path) -> Path:
    """A new folder to build in; leftovers of killed writers are removed first. Only for the writer."""
    remove_leftovers(root)
    numbers = [int(p.name.removeprefix(_PREFIX)) for p in finished(root)]
    folder = root / f"{_PREFIX}{max(numbers, default=0) + 1:06d}{_BUILDING}"
    folder.mkdir(parents=True)
    return folder


def publish(root: Path, building: Path) -> Path:
    """Make a built folder the current generation and remove those that nobody holds."""
    folder = building.with_name(building.name.removesuffix(_BUILDING))
    (building / LEASE).touch()
    sync_folder(building)
    building.rename(folder)
    replace_text(root / _CURRENT, folder.name)
    remove_old(root)
    return folder


def remove_old(root: Path) -> None:
    """Remove generations that are neither current nor read by anybody."""
    keep = current(root)
    for folder in finished(root):
        if folder == keep:
            continue
        remove_if_free(folder)


def remove_if_free(folder: Path) -> None:
    """Remove a folder that nobody holds; one that is held stays, and the next writer tries again."""
    if not (folder / LEASE).exists():  # nobody can hold it, and a full disk has no room for a lease
        shutil.rmtree(folder, ignore_errors=True)
        return
    lock = portalocker.Lock(
        folder / LEASE,
        mode="a",
        flags=portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING,
        fail_when_locked=True,  # otherwise it tries for five seconds, once for every folder held
    )
    try:
        lock.acquire()
    except (portalocker.exceptions.BaseLockException, OSError):
        return
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Have all files of a folder on the disk."""
    for file in folder.rglob("*"):
        if file.is_file():
            _sync_to_disk(file)


def replace_text(file: Path, text: str) -> None:
    """Write a small file in one step: after a crash it holds the old text or the new one."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(text, encoding="utf-8")
    _sync_to_disk(temporary)
    os.replace(temporary, file)


def finished(root: Path) -> list[Path]:
    """Folders of all generations that were published and are still there, oldest first."""
    return sorted(p for p in root.glob(f"{_PREFIX}*") if p.is_dir() and p.name.removeprefix(_PREFIX).isdecimal())


def _sync_to_disk(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())
