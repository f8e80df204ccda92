"""Countries and parts of the world by name: the parser takes some of them for people ("Tajikistan"). From the Unicode CLDR."""

from __future__ import annotations

import re
from functools import cache

from babel import Locale

_SHORT_NAME = 2


@cache
def territories() -> frozenset[str]:
    """Lower-case English names of countries and parts of the world."""
    return frozenset(name.lower() for name in Locale("en").territories.values())


@cache
def country() -> re.Pattern[str]:
    """Finds countries by name."""
    names = (name for code, name in Locale("en").territories.items() if code.isalpha() and len(name) > _SHORT_NAME)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(names, key=len, reverse=True)))})(?!\w)")
