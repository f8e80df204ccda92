"""Requests for help with harm are declined, with questions offered that are answered."""

from __future__ import annotations

from dataclasses import replace

from app.answering.engine import Desk, Outcome

_OFFERED = 2


def declined(desk: Desk) -> Outcome | None:
    """What the policy says; None where it has no objection."""
    if not desk.request.refusal:
        return None
    options = tuple(desk.models.offers(_OFFERED))
    return Outcome(answer=replace(desk.base, status="declined", answer=desk.request.refusal, options=options))
