"""Requests for help with harm are declined, with questions offered that are answered."""

from __future__ import annotations

from dataclasses import replace

from app.answering.engine import Desk, Outcome
from app.policy.rules import default
from app.text.messages import translated

_OFFERED = 2


def declined(desk: Desk) -> Outcome | None:
    """What the policy says; None where it has no objection."""
    if not desk.request.refusal:
        return None
    options = tuple(desk.models.offers(_OFFERED))
    text = desk.request.refusal
    if text == default().rules.message:  # a home's own message stays as it is
        text = translated("declined", desk.request.frame) or text
    return Outcome(answer=replace(desk.base, status="declined", answer=text, options=options))
