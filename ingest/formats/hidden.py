"""What a page holds but does not show."""

from __future__ import annotations

import copy
import re
from typing import Any

_HIDING_STYLE = re.compile(r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))\b", re.I)
_NEVER_SHOWN = frozenset({"template", "noscript"})
_ROOTS = frozenset({"html", "body"})


def without_hidden(tree: Any) -> Any:
    """A copy of an lxml tree without the elements that readers do not see; closed ``details`` stay.

    A page that was saved while a dialog lay over it marks all of its text ``aria-hidden``: where that would
    take more than half of the text, only the other marks count.
    """
    shown = copy.deepcopy(tree)
    whole = _letters(shown)
    _drop(shown, aria=False)
    left = copy.deepcopy(shown)
    _drop(left, aria=True)
    return left if _letters(left) >= 0.5 * min(whole, _letters(shown)) else shown


def _drop(tree: Any, *, aria: bool) -> None:
    for element in list(tree.iter()):
        if not isinstance(element.tag, str) or element.tag in _ROOTS or element.getparent() is None:
            continue
        if _is_hidden(element, aria=aria):
            _remove(element)


def _is_hidden(element: Any, *, aria: bool) -> bool:
    if element.tag in _NEVER_SHOWN or element.get("hidden") is not None:
        return True
    if element.tag == "dialog" and element.get("open") is None:
        return True
    if aria and (element.get("aria-hidden") or "").strip().lower() == "true":
        return True
    return bool(_HIDING_STYLE.search(element.get("style") or ""))


def _remove(element: Any) -> None:
    """Take an element out and keep the text behind it."""
    parent, before = element.getparent(), element.getprevious()
    if element.tail:
        if before is not None:
            before.tail = (before.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def _letters(tree: Any) -> int:
    return sum(len(text.strip()) for text in tree.itertext(with_tail=False) if isinstance(text, str))
