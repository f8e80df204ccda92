"""Files and bundled notes into the library: what is new, changed, moved, unchanged or unreadable."""

from __future__ import annotations

import hashlib
import os
import shlex
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from ingest.blocks import Metadata, assemble, title_of_name
from ingest.chunk import ChunkSettings, chunk
from ingest.dates import iso_date
from ingest.errors import BadSource, IngestError, Unwritable
from ingest.folder import FoundFile, find_files
from ingest.library import KEPT_DAYS, Failure, Library, Record, Removed
from ingest.read import extract, read_file
from ingest.source import GENRES, Origin, Source

Status = Literal["added", "changed", "unchanged", "moved", "removed", "left out", "failed"]

_REMOVED_NOTES = "bundled notes removed by the user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one file or address.

    Attributes:
        name: path or address as the user knows it.
        source_id: None when it failed before it had one.
        passages: how many passages it came to; 0 when it failed or was removed.
        reason: one clause for the user; why it failed, or what else is worth knowing.
        language: ISO 639-1 code of the text's language where it was read just now and is known.
    """

    name: str
    status: Status
    source_id: str | None = None
    passages: int = 0
    reason: str = ""
    seconds: float = 0.0
    language: str | None = None


def metadata_from(values: Mapping[str, str]) -> Metadata:
    """Bibliographic data given by a user, checked.

    Raises:
        BadSource: an unknown genre or an impossible date.
    """
    known = {f.name for f in fields(Metadata)}
    given = {k: v.strip() for k, v in values.items() if k in known and v and v.strip()}
    if "date" in given:
        given["date"] = iso_date(given["date"])
    if given.get("genre", "unknown") not in GENRES:
        raise BadSource(f"genre {given['genre']!r} is not known; use one of {', '.join(GENRES)}")
    return Metadata(**given)  # type: ignore[arg-type]  # genre was checked against GENRES


def add_paths(
    library: Library,
    paths: Sequence[Path],
    *,
    overrides: Mapping[str, str] | None = None,
    pattern: str | None = None,
    again: bool = True,
) -> Iterator[Outcome]:
    """Read files and folders into the library, one outcome each, as they are done.

    A folder is mirrored: a file that vanished from it since the last time is removed. With a
    pattern it is not: what matches is added as if each file had been named. One bad file never
    stops the rest. A file that the user removed is left out until it changes or is named itself.

    Args:
        again: the user says so, rather than a watch: files of mirrored folders that failed before and did not
            change since are read too, removed files that are named come back, and what is left out is told.

    Raises:
        BadSource: the overrides are not valid.
        Unwritable: the library cannot be written; what was stored before stays.
    """
    metadata_from(overrides or {})
    known = {} if again else {failure.path: failure for failure in library.failures()}
    for path in paths:
        # Else the next refresh would bring in what the pattern left out.
        folder = str(path.resolve()) if path.is_dir() and pattern is None else None
        named = again and not path.is_dir()
        outcomes = _add_path(library, path, folder, overrides or {}, pattern, known, named=named)
        yield from (o for o in outcomes if again or o.status != "left out")


def refresh(library: Library) -> Iterator[Outcome]:
    """Read again every file that changed since it was read; files that vanished from a folder leave.

    What is unchanged or left out is not told, nor is a file that failed before and is still the same. A file
    that was given by itself and is gone now stays in the library: its text is stored here. A
    library that may only be read stays as it is.
    """
    if library.readonly:
        return
    known = {failure.path: failure for failure in library.failures()}
    folders = {r.folder for r in library.records()} | {f.folder for f in known.values()}
    folders |= {r.record.folder for r in library.removed()}  # a folder whose files were all removed stays mirrored
    for folder in sorted(filter(None, folders)):
        if Path(folder).is_dir():
            yield from _drop_unchanged(_add_path(library, Path(folder), folder, {}, None, known))
    for record in library.records():
        if record.folder or not record.path or not os.path.isabs(record.path):
            continue
        path = Path(record.path)
        if path.is_file() and _stamp(path) != record.stamp and not _failed_before(known, path):
            found = FoundFile(path=path, source_id=record.id)
            yield from _drop_unchanged([_add_file(library, found, None, record.overrides)])
    for failure in known.values():
        if not os.path.lexists(failure.path):
            library.forget_failure(failure.path)
    _expire_removed(library, time.time())


def add_bytes(
    library: Library,
    data: bytes,
    *,
    name: str,
    source_id: str,
    path: str | None,
    folder: str | None = None,
    stamp: str | None = None,
    overrides: Mapping[str, str] | None = None,
    origin: Origin = "file",
    declared_type: str | None = None,
    fetched_at: str | None = None,
) -> Outcome:
    """Make a source of bytes and store it.

    Raises:
        IngestError: the bytes cannot become a source; nothing was stored.
    """
    digest = hashlib.sha256(data).hexdigest()
    given = dict(overrides or {})
    found = extract(data, name=name, declared_type=declared_type)
    source = assemble(
        source_id,
        found,
        overrides=metadata_from(given),
        fallback_title=title_of_name(name),
        origin=origin,
        fetched_at=fetched_at,
    )
    passages = len(chunk(source, ChunkSettings()))
    if not passages:
        raise BadSource("no passage could be made of it: it holds only headings or page furniture")
    before = library.record(source_id)
    status: Status = "added"
    if before is not None:
        status = "unchanged" if before.fingerprint == source.fingerprint else "changed"
    twin = "" if status == "unchanged" else _twin(library, source, digest)
    library.put(
        source, raw_digest=digest, path=path, folder=folder, stamp=stamp, overrides=given, passages=passages
    )  # fmt: skip
    reason = "; ".join(filter(None, (*found.notices, twin)))
    return Outcome(
        name=name, status=status, source_id=source_id, passages=passages, reason=reason, language=source.language
    )  # fmt: skip


def _twin(library: Library, source: Source, digest: str) -> str:
    """Which stored source holds the same, as a clause for the user; empty when none does."""
    same = [r.id for r in library.with_digest(digest) if r.id != source.id]
    if same:
        return f"same bytes as {same[0]!r}"
    found = library.same_text(source)
    if found is None:
        return ""
    other, share = found
    return f"same text as {other!r}" if share == 1.0 else f"nearly the same text as {other!r} ({share:.0%})"


def load_bundled(library: Library) -> Iterator[Outcome]:
    """Bring the bundled notes into the library; those the user removed or replaced stay as they are.

    A library that may only be read stays as it is.
    """
    if library.readonly:
        return
    removed = removed_notes(library)
    present: set[str] = set()
    for source_id, data in _bundled_files():
        present.add(source_id)
        record = library.record(source_id)
        replaced = record is not None and not _is_bundled(record)
        same = record is not None and record.raw_digest == hashlib.sha256(data).hexdigest()
        if source_id in removed or replaced or same:
            continue
        yield add_bytes(
            library, data, name=f"{source_id}.md", source_id=source_id,
            path=_bundled_path(source_id), origin="bundled notes",
        )  # fmt: skip
    for record in library.records():
        if _is_bundled(record) and record.id not in present:
            library.remove(record.id)
            yield Outcome(name=record.id, status="removed", source_id=record.id, reason="no longer bundled")


def remove_source(library: Library, source_id: str) -> None:
    """Remove a source; it does not come back by itself, neither as a bundled note nor as a file of a mirrored folder.

    Its text is kept for :data:`ingest.library.KEPT_DAYS`, for :func:`restore_source`.

    Raises:
        BadSource: there is none of this id.
    """
    with library.transaction():
        library.set_aside(source_id, now=time.time())
        if any(source_id == i for i, _ in _bundled_files()):
            _set_removed_notes(library, {*removed_notes(library), source_id})


def restore_source(library: Library, source_id: str) -> Outcome:
    """Bring a removed source back: from its kept text, else from its file or the bundled notes.

    Raises:
        BadSource: it was not removed, or nothing is left to make it of.
    """
    if library.record(source_id) is not None:
        raise BadSource(f"{source_id!r} is not removed; it is among the sources")
    entry = next(iter(library.removed(source_id=source_id)), None)
    bundled = source_id in removed_notes(library)
    source = library.removed_source(source_id)
    if entry is not None and source is not None:
        outcome = _put_back(library, entry, source)
        if bundled:
            _set_removed_notes(library, removed_notes(library) - {source_id})
        return outcome
    if bundled:
        library.forget_removed(source_id)
        _set_removed_notes(library, removed_notes(library) - {source_id})
        found = next((o for o in load_bundled(library) if o.source_id == source_id), None)
        if found is not None:
            return found
    if entry is None:
        raise BadSource(f"no source {source_id!r} was removed; 'iskp sources --removed' lists those that were")
    file = FoundFile(path=Path(entry.record.path or ""), source_id=source_id)
    outcome = _add_file(library, file, entry.record.folder, entry.record.overrides, named=True)
    if outcome.status == "failed":
        raise BadSource(f"{source_id!r} cannot come back from {entry.record.path}: {outcome.reason}")
    return outcome


def _put_back(library: Library, entry: Removed, source: Source) -> Outcome:
    record = entry.record
    there = record.path is not None and os.path.lexists(record.path)
    library.put(
        source, raw_digest=record.raw_digest, path=record.path, stamp=record.stamp, overrides=record.overrides,
        passages=record.passages,
        # As a file of a mirrored folder that is gone it would leave again at once.
        folder=record.folder if there else None,
    )  # fmt: skip
    return Outcome(name=record.path or record.id, status="added", source_id=record.id, passages=record.passages or 0)


def _expire_removed(library: Library, now: float) -> None:
    """Forget texts that were kept long enough, and removals of files that are gone."""
    for entry in library.removed():
        if now - entry.removed_at < KEPT_DAYS * 86_400:
            continue
        path, folder = entry.record.path or "", entry.record.folder
        # A folder that is gone as a whole may lie on a disk that is not mounted just now.
        returns = os.path.isabs(path) and (os.path.lexists(path) or (folder is not None and not Path(folder).is_dir()))
        if entry.has_text or not returns:
            library.forget_removed(entry.record.id, text_only=returns)


def removed_notes(library: Library) -> set[str]:
    """Ids of the bundled notes that the user removed."""
    return set(filter(None, (library.note(_REMOVED_NOTES) or "").split("\n")))


def _set_removed_notes(library: Library, ids: set[str]) -> None:
    library.set_note(_REMOVED_NOTES, "\n".join(sorted(ids)))


def _bundled_files() -> Iterator[tuple[str, bytes]]:
    def walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
        for entry in sorted(folder.iterdir(), key=lambda e: e.name):
            if entry.is_dir():
                yield from walk(entry, f"{prefix}{entry.name}/")
            elif entry.name.endswith(".md"):
                yield prefix + entry.name.removesuffix(".md"), entry.read_bytes()

    yield from walk(files("ingest").joinpath("corpus"), "")


def _bundled_path(source_id: str) -> str:
    return f"bundled:{source_id}"


def _is_bundled(record: Record) -> bool:
    return record.path == _bundled_path(record.id)


def _add_path(
    library: Library,
    path: Path,
    folder: str | None,
    overrides: Mapping[str, str],
    pattern: str | None,
    known: Mapping[str, Failure],
    *,
    named: bool = False,
) -> Iterator[Outcome]:
    """Outcomes of a file, or of the files of a folder, but for those that are known to fail and did not change."""
    seen: set[str] = set()
    unread: set[Path] = set()
    failed: set[str] = set()
    for found in find_files([path], pattern=pattern):
        place = str(found.path.resolve())
        if not found.error:
            seen.add(place)
            if not _failed_before(known, Path(place)):
                yield _add_file(library, found, folder, overrides, named=named, place=place)
            continue
        unread.add(Path(place))
        place = str(found.path.parent.resolve() / found.path.name)  # a link that leads nowhere is not what it names
        failed.add(place)
        before = known.get(place)
        if before is None or before.reason != found.error:
            if folder:
                library.put_failure(Failure(path=place, folder=folder, stamp=None, reason=found.error))
            yield Outcome(name=str(found.path), status="failed", reason=found.error)
    if folder:
        yield from _remove_vanished(library, folder, seen, unread)
        for failure in library.failures():
            if failure.folder == folder and failure.path not in seen | failed:
                library.forget_failure(failure.path)


def _failed_before(known: Mapping[str, Failure], path: Path) -> bool:
    failure = known.get(str(path))
    return failure is not None and failure.stamp is not None and failure.stamp == _stamp(path)


def _add_file(
    library: Library, found: FoundFile, folder: str | None, overrides: Mapping[str, str], *, named: bool = False,
    place: str = "",
) -> Outcome:  # fmt: skip
    """Add one file; one that the user removed only when it changed since, or is ``named`` by the user.

    Args:
        place: its resolved path, where it is known: to resolve it takes a fifth of the look at an unchanged one.
    """
    began = time.monotonic()
    outcome = _read_and_store(library, found, place or str(found.path.resolve()), folder, overrides, named)
    return replace(outcome, seconds=time.monotonic() - began)


def _read_and_store(
    library: Library, found: FoundFile, path: str, folder: str | None, overrides: Mapping[str, str], named: bool
) -> Outcome:
    name = str(found.path)
    known: Record | None = None
    stamp = None
    try:
        stamp = _stamp(found.path)
        known = library.with_path(path)
        if known and known.stamp == stamp and not (overrides and dict(overrides) != dict(known.overrides)):
            if known.folder != folder and folder is not None:
                library.touch(known.id, path=path, folder=folder, stamp=stamp)
            library.forget_failure(path)
            return Outcome(name=name, status="unchanged", source_id=known.id, passages=_passages(library, known))
        guarded = known is None and not named
        if guarded and (away := _kept_away(library, path, stamp)):
            return _left_out(library, away, name, path, folder, stamp)
        data = read_file(found.path)
        digest = hashlib.sha256(data).hexdigest()
        if guarded and (away := _kept_away(library, path, stamp, digest)):
            return _left_out(library, away, name, path, folder, stamp)
        if known is None and (moved := _moved_from(library, digest)):
            return _move(library, moved, data, name, path, folder, stamp, overrides)
        removed = next((r.record for r in library.removed(path=path)), None) if known is None else None
        past = known or removed
        outcome = add_bytes(
            library, data, name=name, source_id=past.id if past else _free_id(library, found), path=path, stamp=stamp,
            overrides={**(past.overrides if past else {}), **overrides},
            # A file of a mirrored folder that is given by itself stays one.
            folder=folder or (past.folder if past else None),
        )  # fmt: skip
        reason = "it had been removed" if named else "it had been removed, and changed since"
        return replace(outcome, reason="; ".join(filter(None, (reason, outcome.reason)))) if removed else outcome
    except Unwritable:
        raise  # no other file would fare better
    except IngestError as exc:
        if stamp is not None and (folder or known):
            library.put_failure(Failure(path=path, folder=folder, stamp=stamp, reason=str(exc)))
        return Outcome(name=name, status="failed", reason=str(exc))
    except OSError as exc:
        return Outcome(name=name, status="failed", reason=f"it cannot be read: {exc.strerror or exc}")


def _move(
    library: Library, moved: Record, data: bytes, name: str, path: str, folder: str | None, stamp: str,
    overrides: Mapping[str, str],
) -> Outcome:  # fmt: skip
    """Note that a stored source lies at another path now; read again what the new name or ``overrides`` may change."""
    if not overrides and _suffix(moved.path) == _suffix(path) and not _named_by_file(library, moved, path):
        library.touch(moved.id, path=path, folder=folder, stamp=stamp)
        return Outcome(
            name=name, status="moved", source_id=moved.id, reason=f"was {moved.path}",
            passages=_passages(library, moved),
        )  # fmt: skip
    before = library.get(moved.id).text
    outcome = add_bytes(
        library, data, name=name, source_id=moved.id, path=path, folder=folder, stamp=stamp,
        overrides={**moved.overrides, **overrides},
    )  # fmt: skip
    # Under another suffix the same bytes are read another way, and may come to another text.
    same = outcome.status == "unchanged" or (not overrides and library.get(moved.id).text == before)
    return replace(outcome, status="moved" if same else "changed", reason=f"was {moved.path}; it was read again")


def _passages(library: Library, record: Record) -> int:
    """To how many passages a stored source came; counted once where that was not kept."""
    if record.passages is not None:
        return record.passages
    passages = len(chunk(library.get(record.id), ChunkSettings()))
    library.count_passages(record.id, passages)
    return passages


def _suffix(path: str | None) -> str:
    return Path(path or "").suffix.lower()


def _moved_from(library: Library, digest: str) -> Record | None:
    """The stored source of the same bytes whose own file is gone: it was renamed or moved."""
    return next(
        (r for r in library.with_digest(digest) if r.path and os.path.isabs(r.path) and not os.path.lexists(r.path)),
        None,
    )


def _kept_away(library: Library, path: str, stamp: str, digest: str | None = None) -> Removed | None:
    """The removal for which a file stays out: of this path and unchanged, or of the same bytes moved here since.

    Args:
        digest: of its bytes, once they were read.
    """
    for removed in library.removed(path=path):
        return removed if stamp == removed.record.stamp or digest == removed.record.raw_digest else None
    for removed in library.removed(raw_digest=digest) if digest else ():
        before = removed.record.path or ""
        if os.path.isabs(before) and not os.path.lexists(before):
            return removed
    return None


def _left_out(
    library: Library, removed: Removed, name: str, path: str, folder: str | None, stamp: str | None
) -> Outcome:
    record = removed.record
    folder = folder or record.folder
    if (record.path, record.folder, record.stamp) != (path, folder, stamp):
        library.touch_removed(record.id, path=path, folder=folder, stamp=stamp)
    return Outcome(
        name=name, status="left out", source_id=record.id,
        reason=f"it was removed; to have it again: iskp sources restore {shlex.quote(record.id)}",
    )  # fmt: skip


def _named_by_file(library: Library, moved: Record, path: str) -> bool:
    """Whether a moved source has its title from its former file name, and the new one gives another."""
    before = title_of_name(moved.path or "")
    return title_of_name(path) != before and library.get(moved.id).title == before


def _free_id(library: Library, found: FoundFile) -> str:
    """The wanted id, with parent folders in front while another file holds it, or a removed one that may return."""

    def free(candidate: str) -> bool:
        return library.record(candidate) is None and not library.removed(source_id=candidate)

    own = found.source_id.count("/")  # folders that the id names already
    parents = [p.name for p in found.path.resolve().parents if p.name][own:]
    candidate = found.source_id
    for parent in parents:
        if free(candidate):
            return candidate
        candidate = f"{parent}/{candidate}"
    number = 2
    while not free(f"{candidate}~{number}"):
        number += 1
    return candidate if free(candidate) else f"{candidate}~{number}"


def _remove_vanished(library: Library, folder: str, seen: set[str], unread: set[Path]) -> Iterator[Outcome]:
    """Remove what was found in the folder once and is not there now; what can't be read just now stays."""
    for record in library.records():
        if not record.folder or not record.path or record.path in seen:
            continue
        # A folder inside that was given by itself and is gone as a whole has nobody else to notice.
        inside = Path(record.folder).is_relative_to(folder) and not Path(record.folder).exists()
        if (record.folder == folder or inside) and unread.isdisjoint((Path(record.path), *Path(record.path).parents)):
            library.remove(record.id)
            yield Outcome(
                name=record.path or record.id, status="removed", source_id=record.id,
                reason="the file is no longer in its folder",
            )  # fmt: skip


def _drop_unchanged(outcomes: Iterable[Outcome]) -> Iterator[Outcome]:
    return (o for o in outcomes if o.status not in {"unchanged", "left out"})


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}"
