"""What the page's own HTML (links, buttons in answers and tables) tells the server."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

EVENTS = (
    "ask", "retry", "edit", "undo", "reword", "up", "down", "open", "read", "addsource", "fetch", "recall", "rename", "forget",
    "removesource", "point", "case", "everywhere", "nofilters", "stopwork", "bringback", "dismiss", "look", "pin", "unpin", "movenote", "writenote", "scope", "fillfacts",
    "unsave", "sharetalk", "unsharetalk", "readshared", "sharenotes", "unsharenotes", "readnotes", "ownnotes", "lookpage",
)  # fmt: skip
"""Values of ``data-act`` in the templates; ``page.js`` sends each with the element's other data. Gradio takes "share" for itself."""


def bridge() -> gr.HTML:
    """An unseen component with one event for each of :data:`EVENTS`."""
    return gr.HTML(
        "", js_on_load=f"window.iskp.connect(trigger, {json.dumps(EVENTS)});", elem_id="bridge", apply_default_css=False
    )


def number(event: Any, name: str) -> int | None:
    """A whole number that came with an event; None when it is missing or something else."""
    try:
        return int(str(getattr(event, name)))
    except (AttributeError, ValueError):
        return None


def text(event: Any, name: str, longest: int = 4000) -> str:
    """A text that came with an event; empty when it is missing."""
    value = getattr(event, name, "")
    return value[:longest] if isinstance(value, str) else ""
