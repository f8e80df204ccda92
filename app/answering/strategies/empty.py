"""Nothing is indexed yet."""

from __future__ import annotations

from dataclasses import replace

from app.answering.engine import Desk, Outcome

NOTHING_INDEXED = "Nothing has been indexed yet, so there is no source to answer from."


def empty(desk: Desk) -> Outcome | None:
    """An abstention where there is nothing to answer from."""
    if desk.opened is not None and desk.opened.passage_count():
        return None
    return Outcome(
        answer=replace(desk.base, status="abstained", answer=NOTHING_INDEXED, unsearched="there are no sources yet")
    )
