"""Files below the paths that a user names, and word of their changes."""

# ruff: noqa: PTH110, PTH112, PTH114 - os.path says no where pathlib raises PermissionError (until Python 3.14)

from __future__ import annotations

import os
import re
import stat
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watchfiles import Change

_NOT_DOCUMENTS = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
_NO_PERMISSION = "it may not be read: check the file's permissions"
_NO_FOLDER_PERMISSION = "the folder may not be read: check its permissions"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file to read.

    Attributes:
        source_id: relative POSIX path below the folder given, or the file's name; the same on every
            machine (NFC, control characters shown as their Unicode pictures).
        error: why it can't be read, instead of an exception for the whole batch.
    """

    path: Path
    source_id: str
    error: str | None = None


def find_files(paths: Sequence[Path], *, pattern: str | None = None) -> Iterator[FoundFile]:
    """Files below the paths, sorted by id within each, each real file once.

    Hidden files and folders, and the lock files of editors, are passed over. Links to folders are
    followed, after the real folders, but no folder is entered twice: loops end by themselves.

    Args:
        pattern: glob such as ``*.pdf`` (matched against names) or ``reports/**/*.pdf`` (against
            relative paths), without regard to case; files named directly are always taken.
    """
    matches = _matcher(pattern)
    taken: set[tuple[int, int]] = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError as exc:
            yield FoundFile(path=path, source_id=_id(path.name), error=_why(path, exc))
            continue
        if stat.S_ISDIR(status.st_mode):
            found = [f for f in _walk(path) if f.error or matches(f.path.relative_to(path).as_posix())]
            yield from _once(sorted(found, key=lambda f: (f.source_id, str(f.path))), taken)
        elif stat.S_ISREG(status.st_mode):
            error = None if os.access(path, os.R_OK) else _NO_PERMISSION
            yield from _once([FoundFile(path=path, source_id=_id(path.name), error=error)], taken)
        else:
            yield FoundFile(path=path, source_id=_id(path.name), error="it is not a regular file")


def watch(
    paths: Sequence[Path], *, debounce_ms: int = 800, stop: threading.Event | None = None
) -> Iterator[frozenset[Path]]:
    """Batches of changed, new and deleted files below the paths, each once things are quiet again.

    Ends when ``stop`` is set or at Ctrl-C. A path that does not exist is not watched.

    Args:
        debounce_ms: longest time that changes are gathered into one batch.
    """
    from watchfiles import watch as watch_changes

    roots = [path.resolve() for path in paths if os.path.exists(path)]
    folders = [root for root in roots if root.is_dir()]
    single = {root for root in roots if not root.is_dir()}

    def wanted(change: Change, name: str) -> bool:
        path = Path(name)
        if path in single:
            return True
        return any(
            path.is_relative_to(folder) and not any(_is_passed_over(part) for part in path.relative_to(folder).parts)
            for folder in folders
        )

    watched = {*folders, *(path.parent for path in single)}
    if not watched:
        return
    for changes in watch_changes(
        *sorted(watched), watch_filter=wanted, debounce=debounce_ms, stop_event=stop, rust_timeout=1_000,
        raise_interrupt=False, ignore_permission_denied=True,
    ):  # fmt: skip
        yield frozenset(Path(name) for _, name in changes)


def _once(found: Sequence[FoundFile], taken: set[tuple[int, int]]) -> Iterator[FoundFile]:
    # A link comes after the file that it points to, whatever its name.
    links = {f.path for f in found if os.path.islink(f.path)}
    doubles = set()
    for file in sorted(found, key=lambda f: f.path in links):
        try:
            status = file.path.stat()
        except OSError:
            continue
        place = (status.st_dev, status.st_ino)
        # Hard links are files of their own: both names may be edited apart by tools that replace files.
        if place in taken and (file.path in links or status.st_nlink == 1):
            doubles.add(file.path)
        taken.add(place)
    yield from (f for f in found if f.error or f.path not in doubles)


def _walk(root: Path) -> Iterator[FoundFile]:
    waiting = [root]
    linked: list[Path] = []
    entered: set[tuple[int, int]] = set()
    while waiting or linked:
        folder = waiting.pop() if waiting else linked.pop(0)
        relative = folder.relative_to(root)
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in entered:
                continue
            entered.add((status.st_dev, status.st_ino))
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries)
        except OSError as exc:
            yield FoundFile(path=folder, source_id=_id(relative.as_posix()), error=_why(folder, exc))
            continue
        for name in names:
            if _is_passed_over(name):
                continue
            path = folder / name
            found = _entry(path, _id((relative / name).as_posix()))
            if found is None:
                if os.path.isdir(path):
                    (linked if os.path.islink(path) else waiting).append(path)
            else:
                yield found


def _entry(path: Path, source_id: str) -> FoundFile | None:
    """The file at a path; None for folders and for what is no document, such as a socket."""
    try:
        mode = path.stat().st_mode
    except OSError as exc:
        return FoundFile(path=path, source_id=source_id, error=_why(path, exc))
    if not stat.S_ISREG(mode):
        return None
    error = None if os.access(path, os.R_OK) else _NO_PERMISSION
    return FoundFile(path=path, source_id=source_id, error=error)


def _is_passed_over(name: str) -> bool:
    return name.startswith((".", "~$")) or name.endswith("~") or name.lower() in _NOT_DOCUMENTS


def _why(path: Path, exc: OSError) -> str:
    if isinstance(exc, PermissionError):
        return _NO_FOLDER_PERMISSION if os.path.isdir(path) else _NO_PERMISSION
    if os.path.islink(path):
        return "it is a link that leads nowhere"
    if isinstance(exc, FileNotFoundError | NotADirectoryError):
        return "no such file or folder"
    return f"it cannot be read: {exc.strerror or exc}"


def _id(name: str) -> str:
    text = os.fsencode(name).decode("utf-8", errors="backslashreplace")
    text = unicodedata.normalize("NFC", text)
    return "".join(chr(0x2400 + ord(c)) if ord(c) < 32 else "\u2421" if ord(c) == 127 else c for c in text)


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    if not pattern:
        return lambda relative: True
    regex = re.compile(_translated(pattern), re.I | re.S)
    if "/" in pattern:
        return lambda relative: bool(regex.fullmatch(relative))
    return lambda relative: bool(regex.fullmatch(relative.rsplit("/", 1)[-1]))


def _translated(pattern: str) -> str:
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]]+\])", pattern.removeprefix("./"))
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    out = []
    for piece in pieces:
        if piece in known:
            out.append(known[piece])
        elif len(piece) > 2 and piece.startswith("[") and piece.endswith("]"):
            inner = piece[1:-1].replace("\\", "\\\\")
            out.append(f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]")
        else:
            out.append(re.escape(piece))
    return "".join(out)
