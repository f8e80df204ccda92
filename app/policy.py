"""Which requests are declined: help with violence, never questions about it."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files

_POLICY_FILE = "policy.toml"


@cache
def _patterns() -> tuple[list[re.Pattern[str]], list[re.Pattern[str]], str]:
    data = tomllib.loads(files("app").joinpath(_POLICY_FILE).read_text(encoding="utf-8"))
    decline = [re.compile(p, re.I | re.X) for p in data["decline"]]
    allow = [re.compile(p, re.I | re.X) for p in data["allow"]]
    return decline, allow, " ".join(data["message"].split())


def declines(question: str) -> str | None:
    """The sentence to say instead of an answer, or None when the question may be answered."""
    decline, allow, message = _patterns()
    if any(p.search(question) for p in allow):
        return None
    return message if any(p.search(question) for p in decline) else None
