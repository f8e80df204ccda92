"""Addresses into the library: pages that a user names, and the originals behind the bundled notes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from ingest.add import Outcome, add_bytes
from ingest.blocks import Block
from ingest.chunk import chunk
from ingest.errors import BadSource, IngestError, Unreachable, Unwritable
from ingest.fetch import Fetched, FetchLimits, NotModified, fetch, source_id_of_url
from ingest.library import Library, Record
from ingest.read import extract
from ingest.source import Source

_GIVE_UP_AFTER = 3
"""So many publishers in a row that can't be reached mean that there is no network."""

_LEAST_CHARS = 600
"""An original shorter than this is a notice or a consent page, not the document."""

Getter = Callable[..., Fetched | NotModified]


def add_urls(
    library: Library,
    urls: Sequence[str],
    *,
    overrides: Mapping[str, str] | None = None,
    limits: FetchLimits = FetchLimits(),
    get: Getter = fetch,
) -> Iterator[Outcome]:
    """Fetch addresses into the library, one outcome each; an unchanged one costs a small request."""
    for url in urls:
        began = time.monotonic()
        try:
            source_id = source_id_of_url(url)
            outcome = _add(library, url, source_id, {"url": url, **(overrides or {})}, limits, get)
        except Unwritable:
            raise
        except IngestError as exc:
            outcome = Outcome(name=url, status="failed", reason=str(exc), seconds=time.monotonic() - began)
        yield outcome


def fetch_originals(
    library: Library,
    source_ids: Sequence[str] = (),
    *,
    limits: FetchLimits = FetchLimits(attempts=2),
    get: Getter = fetch,
) -> Iterator[Outcome]:
    """Replace bundled notes by the originals from their publishers; notes stay where that fails.

    Args:
        source_ids: which; all that have an address when empty.

    Raises:
        BadSource: an id is not known, or its source has no address.
    """
    unreachable = 0
    for source in _with_address(library, source_ids):
        if unreachable == _GIVE_UP_AFTER:
            yield Outcome(
                name=source.url or source.id, status="failed", source_id=source.id,
                reason="not tried: no publisher could be reached; the notes stay",
            )  # fmt: skip
            continue
        began = time.monotonic()
        try:
            outcome = _replace(library, source, limits, get)
            unreachable = 0
        except Unwritable:
            raise
        except IngestError as exc:
            unreachable += isinstance(exc, Unreachable)
            reason = f"{exc}; the notes stay" if source.origin == "bundled notes" else str(exc)
            outcome = Outcome(
                name=source.url or source.id, status="failed", source_id=source.id, reason=reason,
                seconds=time.monotonic() - began,
            )  # fmt: skip
        yield outcome


def _with_address(library: Library, source_ids: Sequence[str]) -> list[Source]:
    if not source_ids:
        return [s for s in library if s.url and s.origin in {"bundled notes", "fetched"}]
    chosen = [library.get(source_id) for source_id in source_ids]
    for source in chosen:
        if not source.url:
            raise BadSource(f"source {source.id!r} has no address to fetch its original from")
    return chosen


def _replace(library: Library, source: Source, limits: FetchLimits, get: Getter) -> Outcome:
    known = ("title", "publisher", "author", "date", "date_note", "genre", "language", "licence")
    overrides = {name: str(value) for name in known if (value := getattr(source, name))}
    assert source.url is not None
    return _add(library, source.url, source.id, {**overrides, "url": source.url}, limits, get, notes=source)


def _add(
    library: Library,
    url: str,
    source_id: str,
    overrides: Mapping[str, str],
    limits: FetchLimits,
    get: Getter,
    *,
    notes: Source | None = None,
) -> Outcome:
    began = time.monotonic()
    record = library.record(source_id)
    kept = record is not None and any(s.digest == record.raw_digest for s in library.snapshots(source_id))
    found = get(url, limits=limits, **(_validators(record) if kept else {}))
    if isinstance(found, NotModified):
        assert record is not None
        library.snapshot_seen(source_id, record.raw_digest, datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"))
        return Outcome(
            name=url, status="unchanged", source_id=source_id, passages=len(chunk(library.get(source_id))),
            seconds=time.monotonic() - began,
        )  # fmt: skip
    given = dict(overrides)
    if notes is not None:
        page = extract(found.data, name=found.url, declared_type=found.content_type)
        _require_original(notes, [b for b in page.blocks if b.role == "body"])
        if page.metadata.date and page.metadata.date_note is None:
            # The page's own date is at least as exact as the notes'; a guess or the day of a change is not.
            given.pop("date", None)
            given.pop("date_note", None)
    outcome = add_bytes(
        library,
        found.data,
        name=found.url,
        source_id=source_id,
        path=url,
        stamp=json.dumps({"etag": found.etag, "last_modified": found.last_modified}),
        overrides=given,
        origin="fetched",
        declared_type=found.content_type,
        fetched_at=found.fetched_at,
    )
    library.keep_snapshot(source_id, found.data, url=found.url, media_type=found.content_type or "", at=found.fetched_at)
    return Outcome(
        name=url, status=outcome.status, source_id=source_id, passages=outcome.passages, reason=outcome.reason,
        seconds=time.monotonic() - began, language=outcome.language,
    )  # fmt: skip


def _require_original(notes: Source, body: Sequence[Block]) -> None:
    """Refuse what can't be the original: a notice, a consent page, a text with fewer paragraphs.

    Raises:
        BadSource: it isn't.
    """
    if sum(len(block.text) for block in body) < _LEAST_CHARS:
        raise BadSource(f"what {notes.url} gave is too short to be the original of {notes.id!r}")
    last = max((p.number or 0 for p in notes.paragraphs if p.locator.startswith("¶")), default=0)
    paragraphs = sum(1 for block in body if (block.row or 1) == 1)
    if paragraphs < last:
        raise BadSource(f"what {notes.url} gave has {paragraphs} paragraphs, but the notes speak of ¶{last}")


def _validators(record: Record | None) -> dict[str, str | None]:
    if record is None or not record.stamp or not record.stamp.startswith("{"):
        return {}
    stamp = json.loads(record.stamp)
    return {"etag": stamp.get("etag"), "last_modified": stamp.get("last_modified")}
