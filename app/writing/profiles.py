"""How much is asked of a language model: short sentences close to the text of a small one, whole answers of a strong one."""

from __future__ import annotations

import re
from typing import Literal

from app.writing.engines import EngineSpec

Profile = Literal["small", "strong", "reasoning"]
STRONG_FROM = 20.0
"""Billions of parameters from which on a model whose name tells its size is taken for a strong one. Not measured: no such model
runs here; a user can set the profile."""
ANSWER_TOKENS: dict[Profile, int] = {"small": 400, "strong": 1500, "reasoning": 6000}
"""Longest reply by profile; what a reasoning model thinks counts as reply."""
_SIZE = re.compile(r"(?<![\w.])(\d{1,4}(?:\.\d+)?)b(?![a-z])", re.I)
_REASONING = re.compile(r"(?:^|[/:_-])(?:o[1-9]|gpt-[5-9]|qwq|r1)\b|reason|think", re.I)
_FAMILIES = re.compile(r"(?:^|[/:_-])(?:gpt-[4-9]|claude|gemini|grok|mistral-large|deepseek-(?:v\d|chat)|command-[ar])", re.I)


def profile_of(spec: EngineSpec) -> Profile:
    """The profile that a model's name tells; "small" where it tells nothing."""
    sizes = [float(s) for s in _SIZE.findall(spec.model)]
    if sizes and max(sizes) < STRONG_FROM:
        return "small"
    if _REASONING.search(spec.model):
        return "reasoning"
    hosted = spec.provider in {"openai", "anthropic"}
    return "strong" if sizes or hosted or _FAMILIES.search(spec.model) else "small"
