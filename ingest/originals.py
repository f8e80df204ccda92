"""The bytes that a source was made of, as far as they are still there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from ingest.errors import BadSource
from ingest.library import Library
from ingest.read import read_file


def snapshot_words(library: Library, source_id: str) -> str:
    """When the bytes of a fetched source came, their SHA-256, and whether the page has changed since its first fetch.

    Empty where nothing is kept.
    """
    kept = library.snapshots(source_id)
    record = library.record(source_id)
    now = next((s for s in kept if record and s.digest == record.raw_digest), None)
    if now is None:
        return ""
    told = f"Snapshot of {_minute(now.fetched_at)} UTC, {now.size:,} bytes, SHA-256 {now.digest}."
    others = [s for s in kept if s.digest != now.digest]
    if others:
        first = min(others, key=lambda s: s.fetched_at)
        told += f" This page has changed since {_minute(first.fetched_at)} UTC, when it was fetched first; {len(others)} earlier kept."
    elif now.seen_at != now.fetched_at:
        told += f" The page was still the same on {_minute(now.seen_at)} UTC."
    return told


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def original(library: Library, source_id: str) -> bytes:
    """The very bytes that a source was made of: the kept ones of what was fetched, else those of its file.

    Raises:
        BadSource: there is no such source, or these bytes are not there any more.
    """
    record = library.record(source_id)
    if record is None:
        raise BadSource(f"there is no source {source_id!r}; 'iskp sources' lists them")
    kept = library.snapshot(source_id, record.raw_digest)
    if kept is not None:
        return kept
    if not record.path or not Path(record.path).is_absolute():
        raise BadSource("the original is not kept here: it was fetched by an earlier version; fetch it again to have it")
    if not Path(record.path).exists():
        raise BadSource("the original is not there any more: its file was moved or deleted since it was added")
    data = read_file(Path(record.path))
    if hashlib.sha256(data).hexdigest() != record.raw_digest:
        raise BadSource("the original was changed since it was read; re-index to read it anew")
    return data
