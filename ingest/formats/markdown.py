"""Markdown with optional YAML front matter and attribute lines such as ``{paragraph=3 status=claim}``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.attrs import attrs_block_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from ingest.blocks import Block, Extract, Metadata
from ingest.dates import iso_date
from ingest.errors import BadSource
from ingest.formats.table import table_blocks
from ingest.source import GENRES, ROLES, STATUSES

_TEXT_FIELDS = ("title", "publisher", "author", "date_note", "url", "language", "licence", "disagreement")
_OTHER_FIELDS = frozenset({"date", "genre", "paragraphs"})
_UNCHECKED = "general knowledge"
"""Value of the block attribute ``checked`` that keeps a block from being evidence."""
_PARAGRAPH_NUMBER = re.compile(r"0*[1-9][0-9]{0,8}")


def read(text: str) -> Extract:
    """Blocks and front matter of a Markdown text.

    Front matter may hold title, publisher, author, date, date_note, url, genre, language, licence,
    disagreement and ``paragraphs: original|notes``. Other keys are ignored: other people's notes have their own.

    Raises:
        BadSource: the front matter is not YAML, or a value is not of its kind.
    """
    parser = MarkdownIt("commonmark").enable("table").use(front_matter_plugin).use(attrs_block_plugin)
    tokens = parser.parse(text)
    front: Mapping[str, Any] = {}
    if tokens and tokens[0].type == "front_matter":
        front = _front_matter(tokens[0].content)
    return Extract(
        blocks=tuple(_blocks(tokens)),
        metadata=_metadata(front),
        media_type="text/markdown",
        numbered_notes=front.get("paragraphs") == "notes",
    )


def _front_matter(content: str) -> Mapping[str, Any]:
    try:
        # BaseLoader keeps every scalar a string: "2024" stays a year, "no" stays a word.
        front = yaml.load(content, Loader=yaml.BaseLoader)  # noqa: S506 - builds strings only
    except (yaml.YAMLError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f" in line {mark.line + 2}" if mark else ""
        raise BadSource(f"its front matter is not valid YAML{where}; put quotes around the value") from exc
    if front in (None, ""):
        return {}
    if not isinstance(front, dict):
        raise BadSource("its front matter must be 'name: value' lines")
    return front


def _metadata(front: Mapping[str, Any]) -> Metadata:
    for name in _TEXT_FIELDS + tuple(_OTHER_FIELDS):
        if name in front and not isinstance(front[name], str):
            if name == "author" and isinstance(front[name], list):
                continue
            raise BadSource(f"front matter field {name!r} must be one line of text")
    author = front.get("author")
    if isinstance(author, list):
        # Nested lists are refused unread: aliases of aliases would unfold without end.
        if not all(isinstance(a, str) for a in author):
            raise BadSource("front matter field 'author' must be a name or a list of names")
        author = ", ".join(author)
    genre = front.get("genre") or None
    if genre is not None and genre not in GENRES:
        raise BadSource(f"front matter field 'genre' is {genre!r}; use one of {', '.join(GENRES)}")
    date = front.get("date") or None
    texts = {name: " ".join(front[name].split()) or None for name in _TEXT_FIELDS if name in front and name != "author"}
    return Metadata(
        **texts,
        author=author or None,
        genre=genre,
        date=iso_date(date) if date else None,
    )


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    title_seen = False
    for i, token in enumerate(tokens):
        if token.type in {"fence", "code_block"}:
            yield Block(text=token.content)
        elif token.type == "html_block":
            continue  # comments and markup are not text that a reader would see
        elif token.type == "table_open":
            yield from _table(tokens[i:])
        elif token.type == "inline" and tokens[i - 1].type not in {"th_open", "td_open"}:
            opener = tokens[i - 1]
            text = _plain(token.children or [])
            if opener.type == "heading_open":
                level = int(opener.tag[1])
                if level == 1 and not title_seen:
                    title_seen = True
                    yield Block(text=text, role="title")
                else:
                    yield Block(text=text, role="heading", level=level)
            else:
                yield _annotated(text, _attributes(tokens, i))


def _table(tokens: Sequence[Token]) -> Iterator[Block]:
    rows: list[list[str]] = []
    for token in itertools.takewhile(lambda t: t.type != "table_close", tokens):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(_plain(token.children or []))
    for block in table_blocks(rows, named=1):
        note = _annotated(block.text, tokens[0].attrs) if block.role == "body" else block
        yield replace(note, row=block.row, columns=block.columns)


def _attributes(tokens: list[Token], i: int) -> Mapping[str, Any]:
    """Attributes of the paragraph, or of the list item or quotation that it opens."""
    for opener in reversed(tokens[max(0, i - 3) : i]):
        if opener.nesting != 1:
            break
        if opener.attrs:
            return opener.attrs
    return {}


def _annotated(text: str, attributes: Mapping[str, Any]) -> Block:
    role = str(attributes.get("role", "body"))
    status = attributes.get("status")
    number = attributes.get("paragraph")
    if role not in ROLES:
        raise BadSource(f"block attribute role={role!r}; use one of {', '.join(ROLES)}")
    if status is not None and status not in STATUSES:
        raise BadSource(f"block attribute status={status!r}; use one of {', '.join(STATUSES)}")
    if number is not None and not _PARAGRAPH_NUMBER.fullmatch(str(number)):
        raise BadSource(f"block attribute paragraph={number!r} is not a whole number from 1")
    return Block(
        text=text,
        role=role,  # type: ignore[arg-type]  # checked against ROLES above
        number=int(number) if number is not None else None,
        claim_status=status,
        claimed_by=str(attributes["by"]) if "by" in attributes else None,
        via=str(attributes["via"]) if "via" in attributes else None,
        unchecked=attributes.get("checked") == _UNCHECKED,
    )


def _plain(children: list[Token]) -> str:
    parts: list[str] = []
    for child in children:
        if child.type in {"softbreak"}:
            parts.append(" ")
        elif child.type == "hardbreak":
            parts.append("\n")
        elif child.type == "image":
            parts.append(_plain(child.children or []))
        elif child.type != "html_inline":
            parts.append(child.content)
    return "".join(parts)
