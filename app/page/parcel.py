"""Files on their way to the browser, which saves them."""

from __future__ import annotations

import base64
import json
from typing import NamedTuple


class _Form(NamedTuple):
    """How a form of file is offered, and the ending and media type of its files."""

    label: str
    ending: str
    media_type: str


_FORMS = {
    "csv": _Form("Table (CSV)", ".csv", "text/csv"),
    "xlsx": _Form("Workbook (XLSX)", ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "markdown": _Form("Markdown", ".md", "text/markdown"),
    "html": _Form("Web page (HTML)", ".html", "text/html"),
    "docx": _Form("Word (DOCX)", ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "text": _Form("Text", ".txt", "text/plain"),
    "json": _Form("Data (JSON)", ".json", "application/json"),
    "csl-json": _Form("References (CSL-JSON)", ".json", "application/json"),
}


def choices(*forms: str) -> list[tuple[str, str]]:
    """Forms of file to choose from: each with its label."""
    return [(_FORMS[form].label, form) for form in forms]


def parcel(stem: str, form: str, content: bytes) -> str:
    """Name, media type and bytes of a file as JSON for ``window.iskp.save``.

    Args:
        stem: the file's name without its ending.
    """
    known = _FORMS[form]
    return json.dumps({"name": f"{stem}{known.ending}", "type": known.media_type, "base64": base64.b64encode(content).decode()})
