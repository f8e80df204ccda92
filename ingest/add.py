"""Files and bundled notes into the library: what is new, changed, moved, unchanged or unreadable."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal

from ingest.blocks import Metadata, assemble
from ingest.chunk import ChunkSettings, chunk
from ingest.dates import iso_date
from ingest.errors import BadSource, IngestError, Unwritable
from ingest.folder import FoundFile, find_files
from ingest.library import Failure, Library, Record
from ingest.read import extract, read_file
from ingest.source import GENRES, Origin, Source

Status = Literal["added", "changed", "unchanged", "moved", "removed", "failed"]

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
    stops the rest.

    Args:
        again: also read files of mirrored folders that failed before and did not change since.

    Raises:
        BadSource: the overrides are not valid.
        Unwritable: the library cannot be written; what was stored before stays.
    """
    metadata_from(overrides or {})
    known = {} if again else {failure.path: failure for failure in library.failures()}
    for path in paths:
        # Else the next refresh would bring in what the pattern left out.
        folder = str(path.resolve()) if path.is_dir() and pattern is None else None
        yield from _add_path(library, path, folder, overrides or {}, pattern, known)


def refresh(library: Library) -> Iterator[Outcome]:
    """Read again every file that changed since it was read; files that vanished from a folder leave.

    What is unchanged is not told, nor is a file that failed before and is still the same. A file
    that was given by itself and is gone now stays in the library: its text is stored here. A
    library that may only be read stays as it is.
    """
    if library.readonly:
        return
    known = {failure.path: failure for failure in library.failures()}
    folders = {r.folder for r in library.records() if r.folder} | {f.folder for f in known.values() if f.folder}
    for folder in sorted(folders):
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
    source = assemble(
        source_id,
        extract(data, name=name, declared_type=declared_type),
        overrides=metadata_from(given),
        fallback_title=Path(name).stem,
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
    reason = "" if status == "unchanged" else _twin(library, source, digest)
    library.put(
        source, raw_digest=digest, path=path, folder=folder, stamp=stamp, overrides=given, passages=passages
    )  # fmt: skip
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
    """Remove a source for good; a bundled one does not come back by itself.

    Raises:
        BadSource: there is none of this id.
    """
    library.remove(source_id)
    if any(source_id == i for i, _ in _bundled_files()):
        library.set_note(_REMOVED_NOTES, "\n".join(sorted({*removed_notes(library), source_id})))


def removed_notes(library: Library) -> set[str]:
    """Ids of the bundled notes that the user removed."""
    return set(filter(None, (library.note(_REMOVED_NOTES) or "").split("\n")))


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
                yield _add_file(library, found, folder, overrides)
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


def _add_file(library: Library, found: FoundFile, folder: str | None, overrides: Mapping[str, str]) -> Outcome:
    began = time.monotonic()
    outcome = _read_and_store(library, found, folder, overrides)
    return replace(outcome, seconds=time.monotonic() - began)


def _read_and_store(library: Library, found: FoundFile, folder: str | None, overrides: Mapping[str, str]) -> Outcome:
    name = str(found.path)
    path = str(found.path.resolve())
    known: Record | None = None
    moved: Record | None = None
    stamp = None
    try:
        stamp = _stamp(found.path)
        known = library.with_path(path)
        if known and known.stamp == stamp and not (overrides and dict(overrides) != dict(known.overrides)):
            if known.folder != folder and folder is not None:
                library.touch(known.id, path=path, folder=folder, stamp=stamp)
            library.forget_failure(path)
            return Outcome(name=name, status="unchanged", source_id=known.id, passages=_passages(library, known))
        data = read_file(found.path)
        digest = hashlib.sha256(data).hexdigest()
        if known is None:
            known = moved = _moved_from(library, digest)
            if moved and not overrides and _suffix(moved.path) == _suffix(path):
                library.touch(moved.id, path=path, folder=folder, stamp=stamp)
                return Outcome(
                    name=name, status="moved", source_id=moved.id, reason=f"was {moved.path}",
                    passages=_passages(library, moved),
                )  # fmt: skip
        given = {**(known.overrides if known else {}), **overrides}
        source_id = known.id if known else _free_id(library, found)
        outcome = add_bytes(
            library, data, name=name, source_id=source_id, path=path, stamp=stamp, overrides=given,
            # A file of a mirrored folder that is given by itself stays one.
            folder=folder or (known.folder if known and known.path == path else None),
        )  # fmt: skip
        if moved is None:
            return outcome
        # Under another suffix the same bytes are read another way, and may come to another text.
        status: Status = "moved" if outcome.status == "unchanged" else "changed"
        return replace(outcome, status=status, reason=f"was {moved.path}; it was read again")
    except Unwritable:
        raise  # no other file would fare better
    except IngestError as exc:
        if stamp is not None and (folder or known):
            library.put_failure(Failure(path=path, folder=folder, stamp=stamp, reason=str(exc)))
        return Outcome(name=name, status="failed", reason=str(exc))
    except OSError as exc:
        return Outcome(name=name, status="failed", reason=f"it cannot be read: {exc.strerror or exc}")


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


def _free_id(library: Library, found: FoundFile) -> str:
    """The wanted id, with parent folders in front while another file holds it."""
    own = found.source_id.count("/")  # folders that the id names already
    parents = [p.name for p in found.path.resolve().parents if p.name][own:]
    candidate = found.source_id
    for parent in parents:
        if library.record(candidate) is None:
            return candidate
        candidate = f"{parent}/{candidate}"
    number = 2
    while library.record(f"{candidate}~{number}") is not None:
        number += 1
    return f"{candidate}~{number}" if library.record(candidate) else candidate


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
    return (o for o in outcomes if o.status != "unchanged")


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size}:{status.st_mtime_ns}"
