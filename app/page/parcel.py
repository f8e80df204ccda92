"""Files on their way to the browser, which saves them."""

from __future__ import annotations

import base64
import json

_TYPES = {
    "csv": "text/csv", "markdown": "text/markdown", "html": "text/html", "json": "application/json", "csl-json": "application/json", "text": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}  # fmt: skip


def parcel(name: str, form: str, content: bytes) -> str:
    """Name, media type and bytes of a file as JSON for ``window.iskp.save``."""
    return json.dumps({"name": name, "type": _TYPES[form], "base64": base64.b64encode(content).decode()})
