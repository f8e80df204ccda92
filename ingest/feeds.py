"""Feeds (RSS, Atom): the pages of their entries into the library, each once, by the same fetcher as any address."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ingest.add import Outcome
from ingest.errors import BadSource, IngestError, Unwritable
from ingest.fetch import ACCEPTED_TYPES, Fetched, FetchLimits, NotModified, fetch, is_url, source_id_of_url
from ingest.library import Entry, Feed, Library
from ingest.web import add_urls

MOST_FEEDS = 200
MOST_AT_ONCE = 50
"""Pages of one feed that are fetched at a time; the others come the next time."""
MOST_TRIES = 5
"""So often is a page tried that cannot be had; after that the entry is left out."""
_BYTES = 16 * 1024 * 1024
_TYPES = ACCEPTED_TYPES | {
    "application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/xml", "text/xml", "application/feed+json",
}  # fmt: skip
_LIMITS = FetchLimits(attempts=2, max_bytes=_BYTES, types=_TYPES)

Getter = Callable[..., Fetched | NotModified]


def add_feed(library: Library, url: str, *, get: Getter = fetch) -> Feed:
    """Follow a feed; its entries come with the next :func:`fetch_feeds`.

    Raises:
        BadSource: it is followed already, or the address gives no feed.
        Unreachable: it cannot be had now.
    """
    if not is_url(url):
        raise BadSource(f"{url!r} is no web address; give that of a feed: iskp feed add https://example.org/feed.xml")
    known = library.feeds()
    if url in {f.url for f in known}:
        raise BadSource(f"the feed {url} is followed already; 'iskp feed list' lists them")
    if len(known) >= MOST_FEEDS:
        raise BadSource(f"{len(known)} feeds are followed, and that is the limit; take one away: iskp feed remove URL")
    found = get(url, limits=_LIMITS)
    assert isinstance(found, Fetched)
    title, _ = parsed(found.data, url)
    feed = Feed(url=url, title=title or url, added_at=_now())
    library.put_feed(feed)
    return feed


def fetch_feeds(library: Library, urls: Sequence[str] = (), *, get: Getter = fetch) -> Iterator[Outcome]:
    """Fetch the pages of new entries; one outcome for each page that was tried, and for each feed that failed.

    What cannot be had stays noted and is tried again the next time, also when the feed does not tell of it any more.

    Args:
        urls: of which feeds; of all when empty.

    Raises:
        BadSource: one is not followed.
    """
    known = {f.url: f for f in library.feeds()}
    for url in urls:
        if url not in known:
            raise BadSource(f"the feed {url} is not followed; 'iskp feed list' lists those that are")
    for feed in [known[u] for u in urls] or list(known.values()):
        yield from _fetch_feed(library, feed, get)


def parsed(data: bytes, url: str) -> tuple[str, list[tuple[str, str, str, str | None]]]:
    """Title of a feed, and of each entry its id, web address, title and ISO date, the newest first as the feed gives them.

    Raises:
        BadSource: it is no feed.
    """
    import feedparser

    # A stream, because a text that looks like an address or a file would be opened.
    found: Any = feedparser.parse(io.BytesIO(data), response_headers={"content-location": url})
    if not found.version:
        raise BadSource(f"{url} is no feed (RSS or Atom): look for “RSS” or “feed” on the site, or add single pages with iskp ingest URL")
    entries = []
    for entry in found.entries:
        link = str(entry.get("link") or "").strip()
        moment = entry.get("published_parsed") or entry.get("updated_parsed")
        date = f"{moment.tm_year:04d}-{moment.tm_mon:02d}-{moment.tm_mday:02d}" if moment else None
        if is_url(link):
            entries.append((str(entry.get("id") or link), link, " ".join(str(entry.get("title") or link).split())[:300], date))
    return " ".join(str(found.feed.get("title") or "").split())[:300], entries


def _fetch_feed(library: Library, feed: Feed, get: Getter) -> Iterator[Outcome]:
    stamp = json.loads(feed.stamp) if feed.stamp else {}
    try:
        found = get(feed.url, limits=_LIMITS, etag=stamp.get("etag"), last_modified=stamp.get("last_modified"))
        if isinstance(found, Fetched):
            title, entries = parsed(found.data, feed.url)
            noted = {e.id for e in library.entries(feed.url)}
            for entry_id, link, words, date in entries:
                if entry_id not in noted:
                    library.put_entry(Entry(feed=feed.url, id=entry_id, url=link, title=words, date=date))
            feed = replace(
                feed, title=title or feed.title, stamp=json.dumps({"etag": found.etag, "last_modified": found.last_modified})
            )
        feed = replace(feed, fetched_at=_now(), trouble="")
        library.put_feed(feed)
    except Unwritable:
        raise
    except IngestError as exc:
        library.put_feed(replace(feed, trouble=str(exc)))
        yield Outcome(name=feed.url, status="failed", reason=str(exc))
    due = [e for e in library.entries(feed.url) if e.source_id is None and e.tries < MOST_TRIES]
    for entry in due[:MOST_AT_ONCE]:
        yield from _fetch_entry(library, entry, get)


def _fetch_entry(library: Library, entry: Entry, get: Getter) -> Iterator[Outcome]:
    try:
        source_id = source_id_of_url(entry.url)
    except IngestError as exc:
        library.put_entry(replace(entry, tries=MOST_TRIES, trouble=str(exc)))
        yield Outcome(name=entry.url, status="failed", reason=str(exc))
        return
    if library.record(source_id) is not None or library.removed(source_id=source_id):
        # It is here already, or the user took it out.
        library.put_entry(replace(entry, source_id=source_id, at=_now()))
        return
    for outcome in add_urls(library, [entry.url], get=get):
        if outcome.status == "failed":
            library.put_entry(replace(entry, tries=entry.tries + 1, trouble=outcome.reason))
        else:
            library.put_entry(replace(entry, source_id=outcome.source_id, at=_now(), trouble=""))
        yield outcome


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
