"""The sources of a home with a box each."""

from __future__ import annotations

import json

from app.citation_text import is_comparison
from app.home import Home
from app.rendering.render import render

_LISTED = 400
"""Sources of a group that are listed."""


def scope_html(home: Home, field: str = "scope", language: str = "en") -> str:
    """Boxes to tick.

    Args:
        field: "scope" for those that are the filter of the conversation; another name for a choice of its own, sent as JSON.
        language: of what is said around them.
    """
    sources = sorted(home.library, key=lambda s: (s.title.casefold(), s.id))
    groups = [
        ("", [s for s in sources if not is_comparison(s)]),
        ("Comparisons", [s for s in sources if is_comparison(s)]),
    ]
    shown = [(name, [(s.id, s.title, s.date) for s in own[:_LISTED]]) for name, own in groups if own]
    more = sum(max(0, len(own) - _LISTED) for _, own in groups)
    return render("scope.html", groups=shown, count=len(sources), more=more, field=field, language=language)


def chosen_of(sent: str) -> list[str]:
    """Ids of sources as the browser sent them; empty for anything else."""
    try:
        found = json.loads(sent)
    except (TypeError, ValueError):
        return []
    return [i for i in found if isinstance(i, str)] if isinstance(found, list) else []
