"""E-mail: one message (EML), or many in one file (MBOX); attachments are named, not read."""

from __future__ import annotations

import copy
import datetime as dt
import email
import email.policy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from email.utils import getaddresses

from lxml import html as lxml_html

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.decode import decode
from ingest.errors import BadSource
from ingest.formats import html, plain
from ingest.formats.hidden import without_hidden

MAX_MESSAGES = 5_000
_FROM_LINE = re.compile(rb"(?:\A|(?<=\n\n)|(?<=\n\r\n))From [^\n]*\d{4}[^\n]*\r?\n(?=[\w-]+:)")
"""Begins a message of an MBOX file. Python's mailbox also cuts at lines of text that begin with "From "."""
_QUOTED = re.compile(r"^\s*>")
_INTRODUCES_QUOTE = re.compile(r"[:：]\s*$")
_QUOTES = "//blockquote[@type='cite'] | //*[contains(@class, 'gmail_quote') or contains(@class, 'moz-cite-prefix')]"
_BLOCK_TAGS = frozenset(
    [
        "p",
        "div",
        "li",
        "td",
        "th",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "blockquote",
        "pre",
        "tr",
        "table",
        "ul",
        "ol",
        "br",
    ]
)


def read(data: bytes) -> Extract:
    """Blocks of a message: its own words, then what is attached.

    What it quotes of other messages is shown, but is no answer: it is not its sender's.

    Raises:
        BadSource: it holds no text.
    """
    message = _parsed(data)
    found = _content(message)
    if not found.blocks:
        raise BadSource(
            "the message holds no readable text: save its attachments and add them"
            if found.attached
            else "the message holds no readable text: it is empty, encrypted or damaged; save its text as .txt"
        )
    return Extract(
        blocks=(*found.blocks, *_attached(found.attached)),
        metadata=Metadata(title=_subject(message), author=_sender(message), date=_day(message)),
        media_type="message/rfc822",
        notices=_notices(found.attached),
    )


def read_mailbox(data: bytes) -> Extract:
    """Blocks of many messages, each under a heading with subject, sender and day.

    Raises:
        BadSource: there are too many, or none holds text.
    """
    starts = [(m.start(), m.end()) for m in _FROM_LINE.finditer(data)]
    if len(starts) > MAX_MESSAGES:
        raise BadSource(
            f"it holds {len(starts):,} messages; the limit is {MAX_MESSAGES:,}: save a folder of it as a file of its own"
        )
    blocks: list[Block] = []
    attached: list[str] = []
    if not starts:
        return read(data)  # a single message that only its name calls a mailbox
    ends = [start for start, _ in starts[1:]] + [len(data)]
    for number, ((_, begin), end) in enumerate(zip(starts, ends, strict=True), start=1):
        message = _parsed(re.sub(rb"(?m)^>(>*From )", rb"\1", data[begin:end]))
        found = _content(message)
        sender = _sender(message)
        facts = ", ".join(filter(None, (sender, _day(message))))
        heading = " – ".join(filter(None, (_subject(message), facts))) or f"Message {number}"
        blocks.append(Block(text=heading, role="heading", level=2))
        place = f"message {number}"
        blocks += [replace(b, place=place, claimed_by=sender if b.role == "body" else None) for b in found.blocks]
        blocks += _attached(found.attached)
        attached += found.attached
    if not any(block.role == "body" for block in blocks):
        raise BadSource("the mailbox holds no readable text: export it again, or save the messages as .eml")
    return Extract(blocks=tuple(blocks), media_type="application/mbox", notices=_notices(attached))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Content:
    blocks: list[Block]
    attached: list[str]


def _parsed(data: bytes) -> EmailMessage:
    return email.message_from_bytes(data.lstrip(b"\xef\xbb\xbf\r\n"), policy=email.policy.default)


def _content(message: EmailMessage) -> _Content:
    parts = [p for p in message.walk() if not p.is_multipart()]
    attached = [name for p in parts if (name := _attachment(p))]
    # A message inside a message is an attachment with parts of its own.
    inner = [p for m in message.walk() if m.get_content_type() == "message/rfc822" for p in m.walk()]
    own = [p for p in parts if not _attachment(p) and not any(p is i for i in inner)]
    attached += [
        f"the message “{_subject(m.get_payload(0)) or 'without subject'}”"  # type: ignore[arg-type]
        for m in message.walk()
        if m.get_content_type() == "message/rfc822"
        and m.is_multipart()
        and not any(m is i for i in inner if i is not m)
    ]
    texts = [p for p in own if p.get_content_type() == "text/plain"]
    pages = [p for p in own if p.get_content_type() in {"text/html", "application/xhtml+xml"}]
    from_text = [b for p in texts for b in _plain_blocks(_text(p), flowed=p.get_param("format") == "flowed")]
    if pages and _length(from_text) < 0.5 * _length(from_pages := [b for p in pages for b in _page_blocks(_text(p))]):
        return _Content(blocks=from_pages, attached=attached)  # the text part only says that there is a page
    return _Content(blocks=from_text, attached=attached)


def _attachment(part: EmailMessage) -> str | None:
    """Name of a part that is no text of the message itself; None for text, signatures and pictures in the page."""
    kind = part.get_content_type()
    name = clean(part.get_filename() or "").replace("\n", " ")
    if part.get_content_disposition() == "attachment":
        return name or f"a part of type {kind}"
    if kind.startswith("text/") and not name:
        return None
    if part.get("Content-ID") and kind.startswith("image/"):
        return None
    return name or None


def _text(part: EmailMessage) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload.strip():
        return ""
    return decode(payload, declared=part.get_content_charset())


def _plain_blocks(text: str, *, flowed: bool) -> Iterator[Block]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    signature = next((i for i, line in enumerate(lines) if line in {"-- ", "--"}), len(lines))
    groups: list[tuple[bool, list[str]]] = []
    for line in lines[:signature]:
        quoted = bool(_QUOTED.match(line))
        if not groups or groups[-1][0] != quoted:
            groups.append((quoted, []))
        groups[-1][1].append(re.sub(r"^(?:\s*>)+ ?", "", line) if quoted else line)
    for i, (quoted, group) in enumerate(groups):
        paragraphs = plain.split_paragraphs(_unflowed(group) if flowed else "\n".join(group))
        followed = i + 1 < len(groups) and groups[i + 1][0]
        for paragraph in paragraphs:
            introduces = followed and paragraph is paragraphs[-1] and _INTRODUCES_QUOTE.search(paragraph)
            yield Block(text=paragraph, role="remark" if quoted or introduces else "body")
    for paragraph in plain.split_paragraphs("\n".join(lines[signature + 1 :])):
        yield Block(text=paragraph, role="footer")


def _unflowed(lines: Sequence[str]) -> str:
    """Lines that end in a space run on in the next one (RFC 3676)."""
    return re.sub(r" \n(?=\S)", " ", "\n".join(lines))


def _page_blocks(page: str) -> list[Block]:
    """Blocks of an HTML part, what it quotes of other messages last, as a remark.

    Our reader of web pages takes away what is around an article; where that is much of the message, or the
    message has no paragraphs (most mail programs write lines), its lines are read as they are shown.
    """
    if not page.strip():
        return []
    tree = without_hidden(lxml_html.document_fromstring(page.encode(), parser=lxml_html.HTMLParser(encoding="utf-8")))
    quoted: list[str] = []
    for element in tree.xpath(_QUOTES):
        if element.getparent() is not None:
            quoted += _lines(element)
            element.drop_tree()
    lines = _lines(tree)
    blocks = [Block(text=line) for line in lines]
    if next(tree.iter("p"), None) is not None:
        try:
            article = html.read(lxml_html.tostring(tree, encoding="unicode")).blocks
        except BadSource:
            article = ()
        if _length(article) > 0.7 * _length(blocks):
            blocks = list(article)
    return blocks + [Block(text=line, role="remark") for line in quoted]


def _lines(tree: lxml_html.HtmlElement) -> list[str]:
    """Texts of the paragraphs and lines of a page, top down."""
    tree = copy.deepcopy(tree)
    for element in list(tree.iter("script", "style", "head")):
        if element.getparent() is not None:
            element.drop_tree()
    for element in tree.iter(*_BLOCK_TAGS):
        element.tail = "\n\n" + (element.tail or "")
        if element.tag not in {"br", "td", "th"}:
            element.text = "\n\n" + (element.text or "")
    return [line for part in "".join(tree.itertext()).split("\n\n") if (line := " ".join(part.split()))]


def _length(blocks: Sequence[Block]) -> int:
    return sum(len(b.text) for b in blocks)


def _attached(names: Sequence[str]) -> list[Block]:
    return [Block(text=f"Attached, not read: {', '.join(names)}.", role="remark")] if names else []


def _notices(names: Sequence[str]) -> tuple[str, ...]:
    if not names:
        return ()
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return (f"attachments were not read: {shown}; save them and add them as files",)


def _subject(message: EmailMessage) -> str | None:
    return _header(message, "Subject")


def _sender(message: EmailMessage) -> str | None:
    pairs = getaddresses([_header(message, "From") or _header(message, "Sender") or ""])
    return ", ".join(clean(name) or address for name, address in pairs if name or address) or None


def _header(message: EmailMessage, name: str) -> str | None:
    try:
        value = str(message.get(name) or "")
    except (ValueError, IndexError, AttributeError, TypeError):  # the standard library's parser of odd headers
        value = str(dict(message.raw_items()).get(name, ""))
    return clean(value.encode("utf-8", "replace").decode()).replace("\n", " ") or None


def _day(message: EmailMessage) -> str | None:
    try:
        date = email.utils.parsedate_to_datetime(_header(message, "Date") or "")
    except (ValueError, TypeError, IndexError):
        return None
    return date.date().isoformat() if dt.date(1970, 1, 2) < date.date() else None
