"""What looks like text to a program and is none to a reader: base64, JSON, markup, web archives."""

from __future__ import annotations

import json
import re

_SAMPLE = 200_000
_CODED_RUN = re.compile(r"[A-Za-z0-9+/=_-]{60,}")
_TAG = re.compile(r"<[!/?]?[A-Za-z][^<>]{0,2000}>")
_JSON_MARKS = re.compile(r"[{}\[\]\":,]")
_JSON_PAIR = re.compile(r'"[^"\n]{1,80}"\s*:')
_HEX_DUMP = re.compile(r"^(?:[0-9a-f]{6,}[: ]|)\s*(?:[0-9a-f]{2,4}[ \t]+){8,}", re.I | re.M)


def refusal_of(text: str, *, suffix: str) -> str | None:
    """Why a text is not read, and what to do instead; None for what people write.

    Args:
        suffix: of the file's name, such as ``.json``; the content decides, the name only helps.
    """
    sample = text[:_SAMPLE].strip()
    if sample.startswith("WARC/"):
        return "it is a web archive (WARC), which is not supported: open the pages in it and save each as HTML"
    if _is_json(sample, whole=len(text) <= _SAMPLE, suffix=suffix):
        if suffix == ".ipynb" or re.search(r'"nbformat"\s*:', text):
            return "it is a notebook (.ipynb), which is not supported: export it as Markdown, HTML or PDF"
        return "it is JSON data, not text that can be quoted: save its text as .txt or its records as a table (.csv)"
    marked = sum(len(tag) for tag in _TAG.findall(sample))
    if sample.startswith("<?xml") or (suffix in {".xml", ".rss", ".atom", ".svg"} and sample.startswith("<")):
        return "it is XML data, not text that can be quoted: save its text as .txt, .html or a table (.csv)"
    if marked > 0.4 * len(sample):
        return "it is mostly markup, not text that can be quoted: name it .html if it is a web page, or save its text"
    if sum(map(len, _CODED_RUN.findall(sample))) > 0.5 * len(sample) > 60:
        return "it is mostly encoded data (such as base64), not text: decode it and add the file that it holds"
    if sum(len(line) for line in _HEX_DUMP.findall(sample)) > 0.4 * len(sample) > 100:
        return "it is a listing of bytes, not text: add the file that it lists"
    return None


def _is_json(sample: str, *, whole: bool, suffix: str) -> bool:
    if sample[:1] not in "{[" or not sample:
        return False
    first = sample.split("\n", 1)[0]
    for part in (sample if whole else "", first):  # a document, or records a line each
        try:
            if isinstance(json.loads(part), dict | list) and (part is not first or len(first) > 1):
                return True
        except (ValueError, RecursionError):
            continue
    marks = len(_JSON_MARKS.findall(sample))
    return marks > 0.05 * len(sample) and (
        suffix in {".json", ".jsonl", ".ipynb"} or len(_JSON_PAIR.findall(sample)) > 3
    )
