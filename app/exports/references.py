"""References to cited sources: Chicago notes and bibliography, BibTeX and RIS."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, get_args
from urllib.parse import quote

from app.answer import Citation
from app.citation_text import place, recognised_words, remark
from app.errors import BadInput

if TYPE_CHECKING:
    from bibtexparser.middlewares.middleware import Middleware

Style = Literal["chicago", "chicago-bibliography", "bibtex", "ris"]
STYLES: tuple[str, ...] = get_args(Style)
_REPORTS = frozenset({"un-report", "government"})
_BIBTEX_TYPES = {"un-report": "report", "government": "report", "encyclopedia": "inreference", "notes": "misc"}
_RIS_TYPES = {
    "un-report": "RPRT", "government": "GOVDOC", "news": "NEWS", "opinion": "NEWS", "research": "RPRT",
    "encyclopedia": "ENCYC", "notes": "GEN",
}  # fmt: skip
# Unbalanced braces end a BibTeX value even when a backslash stands before them, so they are spelt out.
_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\lbrace{}", "}": r"\rbrace{}", "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "$": r"\$",
    }
)  # fmt: skip
_PARTICLES = frozenset(["al", "bin", "bint", "da", "de", "del", "der", "di", "du", "ibn", "la", "le", "van", "von"])
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_ORGANISATIONS = re.compile(
    r"\b(?:agency|army|assembly|association|bank|board|bureau|center|centre|commission|committee|congress|council|"
    r"court|department|desk|editors?|embassy|foundation|government|group|inspector|institute|ministry|mission|nations|"
    r"network|news|office|organi[sz]ation|police|press|project|secretary|service|staff|state|team|times|union|"
    r"university|wikipedia)\b",
    re.I,
)


def references(citations: Sequence[Citation], style: Style | str) -> str:
    """The cited sources in a style, as plain text ending in a newline; empty without citations.

    ``chicago`` gives a numbered note for each citation, with its place in the source; the other styles list
    each source once: ``chicago-bibliography`` by name, ``bibtex`` and ``ris`` in order of citation.

    Raises:
        BadInput: the style is unknown.
    """
    if style not in STYLES:
        raise BadInput(f"there is no citation style {style!r}; choose one of {', '.join(STYLES)}")
    if not citations:
        return ""
    if style == "chicago":
        return "".join(f"{c.marker}. {note(c)}\n" for c in citations)
    if style == "chicago-bibliography":
        return "".join(f"{entry(c)}\n" for c in bibliography(citations))
    return _bibtex(sources_of(citations)) if style == "bibtex" else _ris(sources_of(citations))


def note(citation: Citation, italic: Callable[[str], str] = str) -> str:
    """A Chicago note: author, title, publisher, date, place and address.

    Args:
        italic: sets the title of a report.
    """
    c = citation
    title = _flat(c.title)
    who = _joined(_names(c.author)) or (_flat(c.publisher or "") if c.genre in _REPORTS else "")
    parts = [
        who,
        italic(title) if c.genre in _REPORTS else f"“{_inner_quotes(title)},”",
        publisher if (publisher := _flat(c.publisher or "")) != who else "",
        _long_date(c.date),
        _place(c),
        _flat(c.url or ""),
    ]
    return f"{_commas(parts)}."


def entry(citation: Citation, italic: Callable[[str], str] = str) -> str:
    """An entry of Chicago's bibliography, which begins with the author or publisher.

    Args:
        italic: sets the title of a report.
    """
    c = citation
    title = _flat(c.title)
    names = _names(c.author)
    publisher = _flat(c.publisher or "")
    parts = [
        _joined([_inverted(names[0]), *names[1:]]) if names else publisher,
        italic(title) if c.genre in _REPORTS else f"“{_stopped(_inner_quotes(title))}”",
        ", ".join(filter(None, (publisher if names else "", _long_date(c.date)))),
        f"{said[0].upper()}{said[1:]}" if (said := remark(c)) else "",
        _flat(c.url or ""),
    ]
    return " ".join(_stopped(p) for p in parts if p)


def bibliography(citations: Sequence[Citation]) -> list[Citation]:
    """Each source once, in the order of a bibliography."""
    return sorted(sources_of(citations), key=lambda c: entry(c).casefold())


def sources_of(citations: Sequence[Citation]) -> list[Citation]:
    """One citation of each source, in order."""
    first: dict[str, Citation] = {}
    for citation in citations:
        first.setdefault(citation.source_id, citation)
    return list(first.values())


def _bibtex(cited: Sequence[Citation]) -> str:
    from bibtexparser.entrypoint import write_string
    from bibtexparser.library import Library
    from bibtexparser.model import Block, Entry, Field

    entries: list[Block] = []
    for key, c in zip(_keys(cited), cited, strict=True):
        names = _names(c.author)
        values = {
            "author": " and ".join(_bibtex_name(n) for n in names) or f"{{{_tex(c.publisher or '')}}}",
            # The second pair of braces keeps capitals as they are.
            "title": f"{{{_tex(c.title)}}}",
            "institution" if c.genre in _REPORTS else "organization": _tex(c.publisher or "") if names else "",
            "date": c.date or "",
            "year": (c.date or "")[:4],
            "url": quote(_flat(c.url), safe="/:?#[]@!$&'()*+,;=%~-._") if c.url else "",
            "urldate": (c.fetched_at or "")[:10],
            "note": _tex("; ".join(_remarks(c))),
        }
        kind = _BIBTEX_TYPES.get(c.genre, "online" if c.url else "misc")
        entries.append(Entry(kind, key, [Field(k, v) for k, v in values.items() if v.strip("{}")]))
    # Nothing is done to the values on the way out: they are escaped above.
    return write_string(Library(entries), unparse_stack=_enclosing())


def _enclosing() -> list[Middleware]:
    from bibtexparser.middlewares import AddEnclosingMiddleware

    return [
        AddEnclosingMiddleware(
            reuse_previous_enclosing=False,
            enclose_integers=True,
            default_enclosing="{",
            allow_inplace_modification=True,
        )
    ]


def _ris(cited: Sequence[Citation]) -> str:
    import rispy

    class Writer(rispy.RisWriter):  # type: ignore[misc]
        def set_header(self, count: int) -> str:
            return ""  # the number that rispy writes before each entry is no RIS

    entries = []
    for c in cited:
        fields: dict[str, str | list[str]] = {
            "type_of_reference": _RIS_TYPES.get(c.genre, "ELEC" if c.url else "GEN"),
            "title": _flat(c.title),
            "authors": [_inverted(n) for n in _names(c.author)] or [_flat(c.publisher or "")],
            "publisher": _flat(c.publisher or ""),
            "year": (c.date or "")[:4],
            "date": "/".join([*(c.date or "").split("-"), "", ""][:3]) + "/" if c.date else "",
            "urls": [_flat(c.url)] if c.url else [],
            "access_date": (c.fetched_at or "")[:10].replace("-", "/"),
            "notes": _remarks(c),
            "id": c.source_id,
        }
        entries.append({k: v for k, v in fields.items() if v and v != [""]})
    return str(rispy.dumps(entries, implementation=Writer)).rstrip("\n") + "\n"


def _remarks(c: Citation) -> list[str]:
    return [*([f"date: {_flat(c.date_note)}"] if c.date_note else []), *([said] if (said := remark(c)) else [])]


def _place(c: Citation) -> str:
    return ", ".join(filter(None, (_flat(place(c, c.locator)), recognised_words(c.recognised), remark(c))))


def _keys(cited: Sequence[Citation]) -> list[str]:
    keys: list[str] = []
    for c in cited:
        base = re.sub(r"[^a-z0-9]+", "-", c.source_id.casefold()).strip("-") or "source"
        key, n = base, 2
        while key in keys:
            key, n = f"{base}-{n}", n + 1
        keys.append(key)
    return keys


def _names(author: str | None) -> list[str]:
    """Authors as they are printed in a byline, each "First Last"; "Last, First" is turned round."""
    text = _flat(author or "")
    if not text:
        return []
    pieces = [p for p in re.split(r"\s*;\s*|\s+and\s+|\s*&\s*", text) if p]
    if len(pieces) == 1:
        parts = [p for p in re.split(r"\s*,\s*", text) if p]
        if len(parts) == 2 and " " not in parts[0] and not _ORGANISATIONS.search(text) and not _person(parts[1]):
            return [f"{parts[1]} {parts[0]}"]
        return [text] if _ORGANISATIONS.search(text) else parts
    if _ORGANISATIONS.search(text):
        return [text]
    return [part for p in pieces for part in re.split(r"\s*,\s*", p) if part]


def _person(name: str) -> bool:
    words = name.split()
    return (
        2 <= len(words) <= 5
        and not _ORGANISATIONS.search(name)
        and all(w[0].isupper() or w.casefold() in _PARTICLES for w in words)
        and not re.search(r"[\d(),:/]", name)
    )


def _inverted(name: str) -> str:
    if not _person(name):
        return name
    words = name.split()
    at = len(words) - 1
    while at > 1 and words[at - 1].casefold() in _PARTICLES:
        at -= 1
    return f"{' '.join(words[at:])}, {' '.join(words[:at])}"


def _bibtex_name(name: str) -> str:
    """A name; the braces keep an organisation from being taken apart."""
    return _tex(_inverted(name)) if _person(name) else f"{{{_tex(name)}}}"


def _joined(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{names[0]} et al."
    if len(names) == 2 and "," not in names[0]:
        return " and ".join(names)
    return ", and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _commas(parts: Sequence[str]) -> str:
    text = ""
    for part in filter(None, parts):
        text += part if not text else f" {part}" if text.endswith(",”") else f", {part}"
    return text.rstrip(".")


def _stopped(text: str) -> str:
    """The text with a full stop, where it does not end a sentence by itself."""
    return text if text.rstrip("”’").endswith((".", "?", "!")) else f"{text}."


def _inner_quotes(title: str) -> str:
    title = title.replace("“", "‘").replace("”", "’")
    return re.sub(r'"([^"]*)"', r"‘\1’", title)


def _long_date(text: str | None) -> str:
    """``2024-03-22`` as "March 22, 2024"; a year or month by itself stays one; "n.d." when unknown."""
    if not text:
        return "n.d."
    try:
        numbers = [int(n) for n in text.split("-")]
        day = date(*[*numbers, 1, 1][:3])
    except (ValueError, TypeError):
        return text
    month = f"{day:%B}"
    return {1: str(day.year), 2: f"{month} {day.year}"}.get(len(numbers), f"{month} {day.day}, {day.year}")


def _tex(text: str) -> str:
    return _flat(text).translate(_LATEX)


def _flat(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


_CSL_TYPES = {
    "un-report": "report", "government": "report", "news": "article-newspaper", "opinion": "article-newspaper",
    "research": "report", "encyclopedia": "entry-encyclopedia", "notes": "document",
}  # fmt: skip


def csl(cited: Sequence[Citation]) -> list[dict[str, Any]]:
    """Sources as CSL-JSON, which Zotero and pandoc read."""
    return [_csl_item(key, c) for key, c in zip(_keys(cited), cited, strict=True)]


def _csl_item(key: str, c: Citation) -> dict[str, Any]:
    item: dict[str, Any] = {"id": key, "type": _CSL_TYPES.get(c.genre, "document"), "title": _flat(c.title)}
    if names := _names(c.author):
        item["author"] = [_csl_name(n) for n in names]
    if c.publisher:
        item["container-title" if c.genre in {"news", "opinion"} else "publisher"] = _flat(c.publisher)
    if c.date:
        item["issued"] = {"date-parts": [[int(part) for part in c.date.split("-") if part.isdigit()]]}
    if c.url:
        item["URL"] = c.url
    if words := remark(c):
        item["note"] = words
    return item


def _csl_name(name: str) -> dict[str, str]:
    if not _person(name):
        return {"literal": name}
    family, _, given = _inverted(name).partition(", ")
    return {"family": family, "given": given} if given else {"literal": name}
