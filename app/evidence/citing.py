"""Evidence as a citation."""

from __future__ import annotations

from collections.abc import Callable

from app.answer import Citation, cite, outlet
from app.evidence.gather import Evidence
from ingest.source import Source


def cited(item: Evidence, source: Source, sources: Callable[[str], Source | None], *, marker: int) -> Citation:
    """A sentence of a source, with the other sources that print the same words."""
    copies = ((sources(p.source_id), p) for p in item.hit.copies)
    return cite(
        source, item.hit.passage, start=item.start, end=item.end, support=item.score, marker=marker,
        also_in=tuple(outlet(s, p) for s, p in copies if s is not None),
    )  # fmt: skip
