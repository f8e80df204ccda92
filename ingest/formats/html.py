"""Web pages: the main text without the page's furniture, and what the page says about itself."""

from __future__ import annotations

import copy
import email
import email.policy
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lxml import etree
from lxml.html import HtmlElement
from trafilatura import bare_extraction
from trafilatura.utils import load_html

from ingest.blocks import Block, Extract, Metadata, clean
from ingest.dates import GUESSED
from ingest.errors import BadSource
from ingest.formats import plain
from ingest.formats.hidden import without_hidden
from ingest.formats.page_metadata import is_date_line, key, linked_article_body, page_metadata, reference_texts
from ingest.formats.table import table_blocks
from ingest.source import Role

_BREAK = "\ue000"  # stands for an empty line made of two <br>, which trafilatura would drop
_ENOUGH = 250
_LONGEST_CARD = 600
_REFERENCE_MARKS = re.compile(r"\s*(?:\[\s*(?:\d{1,3}|[a-z]{1,2}|note\s\d{1,2}|citation needed)\s*\]\s*,?\s*)+", re.I)
_LONGEST_TERM = 300
_INLINE = frozenset({"span", "strong", "b", "em", "small", "big"})
_LINK_LIST = 3
"""So many links below the text are a list of other stories; fewer may be its sources."""
_COUNT = re.compile(r"\s*\(\d+\)$")
"""How many comments a story has."""
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif|svg)(?:$|\?)", re.I)
_TIME_CODE = re.compile(r"\d{1,2}:\d\d\b")
"""Begins a line under a film."""
_LEAVES = (
    "p",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "figcaption",
    "td",
    "dd",
    "dt",
    "div",
    "section",
    "span",
    "pre",
)
_CAPTION_CLASS = re.compile(
    r"(?:^|[\s_-])(?:wp-)?(?:caption|figcaption|image-?desc(?:ription)?|photo-?desc(?:ription)?|media-?desc(?:ription)?)(?:[\s_-]?text)?(?:$|[\s_-])",
    re.I,
)
_CREDIT_CLASS = re.compile(r"credit|copyright|photographer|attribution", re.I)
_NOTE_CLASS = re.compile(r"author|contributor|\bbio|writer|byline", re.I)
_FURNITURE = re.compile(
    r"cookie|consent|gdpr|newsletter|subscri|related|recommend|share|sharing|social|promo|advert|sponsor|teaser|breadcrumb|"
    r"comment|sidebar|most-read|trending|popular|paywall|read-?more|more-?(?:stories|news|from)|also-?read|outbrain|taboola",
    re.I,
)
_NEEDS_SCRIPTS = re.compile(
    r"(?:enable|turn on|activate|switch on|requires?|without) java ?script|java ?script (?:is|to be) (?:disabled|enabled|required)|"
    r"checking your browser|are you a robot|verify you are human|включите javascript",
    re.I,
)
_FURNITURE_TEXT = re.compile(
    r"^(?:(?:read|see|watch|listen)(?: more| also| next)?\s*[:：].{0,200}|(?:read|see) (?:more|also)\b.{0,120}|also read\b.{0,160}|"
    r"related(?: stories| articles| content| topics| news)?\s*[:：]?|advertisement|story continues below.{0,60}|"
    r"(?:sign up|subscribe) (?:for|to)\b.{0,200}|(?:download|get) (?:our|the) [\w ]{0,20}\bapp\b.{0,120}|"
    r"support (?:our|independent|quality) (?:journalism|reporting|work)\b.{0,200}|(?:\d+|an?) (?:min(?:ute)?|hour|day|week)s? ago|"
    r"(?:join|follow) our (?:telegram|whatsapp|channel|newsletter)\b.{0,120}|\d{1,2} min(?:ute)? read|(?:share|follow) (?:this|us)\b.{0,80}|click here to\b.{0,120}|"
    r"читайте также.{0,200}|the views(?: and opinions)? expressed\b.{0,200}|подпис(?:аться|ывайтесь)\b.{0,160}|поделиться.{0,40}|реклама)$",
    re.I,
)


def read(text: str, *, url: str | None = None) -> Extract:
    """Blocks of the page's main text and its metadata.

    Navigation, cookie notices, share buttons, lists of other stories and comments are left out, and
    so is what the page's markup hides.

    Args:
        url: where the page came from; used when it doesn't name its own address.

    Raises:
        BadSource: it is not HTML, or no main text was found in it.
    """
    tree = load_html(text)
    if tree is None:
        raise BadSource("it is broken HTML from which no page could be read: save it again from the browser")
    metadata = page_metadata(copy.deepcopy(tree), url=url)
    references = reference_texts(tree)
    tree = without_hidden(tree)
    _prepare(tree)
    blocks = _main_blocks(tree)
    blocks = _with_dom_facts(tree, blocks, metadata)
    blocks, metadata = _title_apart(_without_furniture(blocks), metadata)
    blocks = _without_link_lists(tree, blocks)
    if not _is_an_article(tree, blocks):
        raise BadSource(
            "no main text was found in the page: is it a front page, a video, or filled in by scripts? "
            "Save the article itself as text"
        )
    blocks = [replace(b, role="footnote") if b.role == "body" and key(b.text) in references else b for b in blocks]
    byline = plain.metadata_of([b.text for b in blocks], [b.role for b in blocks])
    if byline.date and metadata.date_note == GUESSED:
        metadata = replace(metadata, date=None, date_note=None)
    return Extract(blocks=tuple(blocks), metadata=metadata.over(byline), media_type="text/html")


def page_of_mhtml(data: bytes) -> tuple[bytes, str | None]:
    """The HTML part of a page saved as MHTML, and its address.

    Raises:
        BadSource: it holds none.
    """
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    for part in message.walk():
        if part.get_content_type() in {"text/html", "application/xhtml+xml"}:
            page = part.get_payload(decode=True)
            url = str(part.get("Content-Location") or message.get("Snapshot-Content-Location") or "").strip()
            if isinstance(page, bytes) and page.strip():
                return page, url if url.startswith("http") else None
    raise BadSource("the saved page (MHTML) holds no HTML: save it again as 'web page, HTML only'")


def _prepare(tree: HtmlElement) -> None:
    """Put into words what the page shows by its markup alone, and drop its reference marks.

    trafilatura drops ``time`` with its words from a sentence, and takes a term of a list apart from what is said of it.
    """
    for mark in list(tree.iter("sup")):
        if _REFERENCE_MARKS.fullmatch("".join(mark.itertext())):
            mark.drop_tree()
    for element in list(tree.iter("time", "data")):
        block = next((a for a in element.iterancestors() if a.tag in _LEAVES and a.tag not in _INLINE), None)
        if block is not None and block.tag not in {"div", "section"} and _length_of(block) > 2 * _length_of(element):
            element.drop_tag()  # a part of a sentence; one that stands alone is page furniture
    for box in list(tree.iter("aside")):
        if _is_fact_box(box):
            box.tag = "div"
            box.attrib.pop("class", None)  # extraction drops what is called an aside
    for listed in list(tree.iter("dl")):
        _with_terms(listed)
    for element in list(tree.iter("div", "li", "section", "figure", "a")):
        _apart(element)


def _is_fact_box(aside: HtmlElement) -> bool:
    """Whether an aside of the article tells facts of its own rather than leading elsewhere."""
    linked = sum(_length_of(a) for a in aside.iter("a"))
    return (
        any(a.tag in {"article", "main"} for a in aside.iterancestors())
        and not _FURNITURE.search(_class(aside))
        and any(True for _ in aside.iter("li", "dd", "td"))
        and 10 * linked < 3 * _length_of(aside)
        and next(aside.iter("form", "input", "button"), None) is None
    )


def _with_terms(listed: HtmlElement) -> None:
    """A list of terms as a list of lines, each "term: what is said of it"."""
    lines: list[str] = []
    terms: list[str] = []
    said = True
    for part in listed.iter("dt", "dd"):
        if next(part.iterancestors("dl")) is not listed:
            continue
        if part.tag == "dt":
            terms = [*([] if said else terms), _caption_text(part)]
            said = False
        elif _length_of(part) > _LONGEST_TERM or next(part.iter("p", "ul", "ol", "dl", "table"), None) is not None:
            return  # an article built as such a list keeps its paragraphs
        else:
            lines.append(f"{', '.join(terms)}: {_caption_text(part)}" if terms else _caption_text(part))
            said = True
    if not lines:
        return
    for child in list(listed):
        listed.remove(child)
    listed.text, listed.tag = None, "ul"
    for line in lines:
        item = etree.SubElement(listed, "li")
        item.text = re.sub(r"\s*:\s*:\s*", ": ", line)


def _length_of(element: HtmlElement) -> int:
    return len("".join(element.itertext()))


def _apart(element: HtmlElement) -> None:
    """A blank between parts that stand on lines of their own although no blank is written: a large figure and its label."""
    parts = list(element)
    if len(parts) < 2 or (element.text or "").strip() or any((c.tail or "").strip() for c in parts):
        return
    for part, after in itertools.pairwise(parts):
        inline = part.tag in _INLINE and after.tag in _INLINE
        if inline and not part.tail and _length_of(part) > 1:  # one letter may be an initial
            part.tail = " "


def _main_blocks(tree: HtmlElement) -> list[Block]:
    marked = copy.deepcopy(tree)
    _mark_empty_lines(marked)
    _free_from_layout_tables(marked)
    blocks = _extracted(marked)
    length = _length(blocks)
    if length < _ENOUGH:
        generous = _extracted(marked, recall=True)
        if _length(generous) > 1.5 * length:
            blocks, length = generous, _length(generous)
    declared = linked_article_body(tree)
    if len(declared) > max(_ENOUGH, 1.5 * length):
        stated = _declared_blocks(tree, declared)
        if _length(stated) > 1.3 * length:
            return stated
    elif (
        len(blocks) <= 2
        and len(declared) > _ENOUGH
        and _line(declared[:200]) in _line(" ".join(b.text for b in blocks))
    ):
        return _declared_blocks(tree, declared)  # the page's text is there only, and came out as one piece
    return _unmerged(tree, blocks)


def _unmerged(tree: HtmlElement, blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with those that hold several of the page's paragraphs taken apart again."""
    paragraphs = [
        (key(text), text) for p in tree.iter("p") if (text := clean("".join(p.itertext())).replace("\n", " "))
    ]
    known = {k for k, _ in paragraphs}
    result: list[Block] = []
    for block in blocks:
        whole = key(block.text)
        if block.role != "body" or len(whole) < 60 or whole in known:
            result.append(block)
            continue
        result.extend(replace(block, text=text) for text in _pieces(whole, paragraphs) or [block.text])
    return result


def _pieces(whole: str, paragraphs: Sequence[tuple[str, str]]) -> list[str]:
    """The run of paragraphs that a text is made of; empty when there is none."""
    for start, (first, _) in enumerate(paragraphs):
        if not first or not whole.startswith(first):
            continue
        joined, texts = "", []
        for part, text in paragraphs[start:]:
            if not whole.startswith(joined + part):
                break
            joined += part
            texts += [text] if part else []
            if joined == whole:
                return texts
    return []


def _is_an_article(tree: HtmlElement, blocks: Sequence[Block]) -> bool:
    texts = [b.text for b in blocks if b.role == "body"]
    letters = sum(len(key(text)) for text in texts)
    links = {key("".join(a.itertext())) for a in tree.iter("a")}
    linked = sum(len(key(text)) for text in texts if key(text) in links)
    notice = letters < 400 and any(_NEEDS_SCRIPTS.search(text) for text in texts)
    return letters >= 25 and linked <= 0.7 * letters and not notice


def _length(blocks: Sequence[Block]) -> int:
    return sum(len(b.text) for b in blocks if b.role == "body")


def _mark_empty_lines(tree: HtmlElement) -> None:
    for br in tree.iter("br"):
        following = br.getnext()
        if following is not None and following.tag == "br" and not (br.tail or "").strip():
            br.tail = f" {_BREAK} "


def _free_from_layout_tables(tree: HtmlElement) -> None:
    """Old pages put the whole page into tables; as ``div`` the cells are judged like other parts."""
    for table in list(tree.iter("table")):
        cells = [c for c in table.iter("td") if next(c.iterancestors("table")) is table]
        if any(
            len("".join(c.itertext())) > 600 and any(True for _ in c.iter("p", "br", "h1", "h2", "table"))
            for c in cells
        ):
            rows = [
                part
                for part in table.iter("tbody", "thead", "tr", "td", "th")
                if next(part.iterancestors("table")) is table
            ]
            for part in [*rows, table]:
                part.tag = "div"


def _extracted(tree: HtmlElement, *, recall: bool = False) -> list[Block]:
    found = bare_extraction(
        copy.deepcopy(tree), include_comments=False, include_tables=True, favor_recall=recall, with_metadata=False
    )
    body = getattr(found, "body", None)
    if body is None:
        return []
    return [part for block in _blocks(body) for part in _split(block)]


def _split(block: Block) -> Iterator[Block]:
    for part in block.text.split(_BREAK):
        if cleaned := clean(part):
            yield replace(block, text=cleaned)


def _blocks(element: etree._Element) -> Iterator[Block]:
    """Blocks of trafilatura's own small XML: p, head, list/item, quote, table/row/cell, code, lb."""
    if element.text and element.text.strip():
        yield Block(text=_line(element.text))
    for child in element:
        if not isinstance(child.tag, str):
            pass
        elif child.tag == "head":
            text = _line(_inline(child))
            if text:
                level = child.get("rend", "h2")[1:]
                yield Block(text=text, role="heading", level=int(level) if level.isdecimal() else 2)
        elif child.tag == "list":
            yield from _items(child)
        elif child.tag == "table":
            yield from _table(child)
        elif (child.tag == "quote" and any(c.tag in {"p", "list", "head"} for c in child)) or child.tag in {
            "div",
            "body",
        }:
            yield from _blocks(child)
        elif child.tag != "graphic":
            text = _inline(child)
            if text.strip():
                yield Block(text=text)
        if child.tail and child.tail.strip():
            yield Block(text=_line(child.tail))


def _items(element: etree._Element) -> Iterator[Block]:
    for item in element:
        if item.tag == "list":
            yield from _items(item)
            continue
        inner = [child for child in item if child.tag == "list"]
        copied = copy.deepcopy(item)
        for child in list(copied):
            if child.tag == "list":
                copied.remove(child)
        text = _inline(copied)
        if text.strip():
            yield Block(text=text)
        for child in inner:
            yield from _items(child)


def _table(element: etree._Element) -> Iterator[Block]:
    named = 0
    rows: list[list[str]] = []
    for row in element.iter("row"):
        cells = list(row.iter("cell"))
        texts = [_line(_inline(cell)) for cell in cells]
        marked = all(cell.get("role") == "head" for cell, text in zip(cells, texts, strict=True) if text)
        if marked and named == len(rows):
            named += 1
        rows.append(texts)
    yield from table_blocks(rows, named=named)


def _inline(element: etree._Element) -> str:
    parts = [element.text or ""]
    for child in element:
        if isinstance(child.tag, str):
            parts.append("\n" if child.tag == "lb" else "" if child.tag == "graphic" else _inline(child))
            if child.tag in {"p", "item"}:
                parts.append(_BREAK)
        parts.append(child.tail or "")
    lines = "".join(parts)
    return re.sub(r"[^\S\n]*\n[^\S\n]*", "\n", lines) if "\n" in lines else lines


def _line(text: str) -> str:
    return " ".join(text.replace(_BREAK, " ").split())


def _declared_blocks(tree: HtmlElement, declared: str) -> list[Block]:
    """The article text that the page's JSON-LD states, with the page's own paragraphs where they fit."""
    whole = key(declared)
    blocks: list[Block] = []
    for element in tree.iter("p", "li", "h2", "h3", "h4", "blockquote"):
        text = _line("".join(element.itertext()))
        if (
            len(key(text)) < 8
            or key(text) not in whole
            or any(a.tag in {"p", "li", "blockquote"} for a in element.iterancestors())
        ):
            continue
        if element.tag in {"h2", "h3", "h4"}:
            blocks.append(Block(text=text, role="heading", level=int(element.tag[1])))
        else:
            blocks.append(Block(text=text))
    if _length(blocks) >= 0.8 * len(declared):
        return blocks
    return [Block(text=line) for part in re.split(r"\n+|(?:<br\s*/?>|</?p>)+", declared) if (line := _line(part))]


@dataclass(slots=True)
class _Place:
    """An element of the page that holds text, in document order."""

    element: HtmlElement
    order: int
    key: str


def _with_dom_facts(tree: HtmlElement, blocks: list[Block], metadata: Metadata) -> list[Block]:
    """The blocks with captions, bylines and the author note told apart, as the page's markup shows them."""
    places = _places(tree)
    orders = _orders(places, blocks)
    captions = {p.key for p in places if _is_caption(p.element)}
    bold = {p.key for p in places if p.element.tag == "p" and _is_all_bold(p.element)}
    blocks = [_as_shown(b, captions, bold) for b in blocks]
    blocks, orders = _without_teasers(blocks, orders, places)
    blocks = _marked_ends(blocks)
    blocks, orders = _with_left_out(blocks, orders, places)
    known = [o for o in orders if o is not None]
    if not known:
        return blocks
    return _with_captions(blocks, orders, places) + _author_note(blocks, places, max(known), metadata)


def _places(tree: HtmlElement) -> list[_Place]:
    places = []
    for order, element in enumerate(tree.iter(*_LEAVES)):
        if element.tag in {"div", "section", "span"} and not (
            _CAPTION_CLASS.search(_class(element)) or _NOTE_CLASS.search(_class(element))
        ):
            continue
        text = key("".join(element.itertext())[:5000])
        if text:
            places.append(_Place(element=element, order=order, key=text))
    return places


def _class(element: HtmlElement) -> str:
    return f"{element.get('class') or ''} {element.get('id') or ''} {element.get('itemprop') or ''} {element.get('rel') or ''}"


def _orders(places: Sequence[_Place], blocks: Sequence[Block]) -> list[int | None]:
    """Where each block stands in the page, None where its text was not found there as a whole."""
    by_key: dict[str, list[int]] = {}
    for place in places:
        by_key.setdefault(place.key, []).append(place.order)
    last = -1
    orders: list[int | None] = []
    for block in blocks:
        wanted = key(block.text)
        order = next((o for o in by_key.get(wanted, []) if o > last), None)
        if order is None and len(wanted) >= 20:
            # A part of a paragraph that was split at empty lines.
            order = next((p.order for p in places if p.order >= last and len(p.key) < 20_000 and wanted in p.key), None)
        orders.append(order)
        last = order if order is not None else last
    return orders


def _is_caption(element: HtmlElement) -> bool:
    if element.tag == "figcaption":
        return True
    return element.tag in {"p", "div", "span"} and bool(_CAPTION_CLASS.search(element.get("class") or ""))


def _is_all_bold(element: HtmlElement) -> bool:
    marked = [c for c in element if c.tag in {"strong", "b"}]
    return len(marked) == 1 and key("".join(marked[0].itertext())) == key("".join(element.itertext()))


def _as_shown(block: Block, captions: set[str], bold: set[str]) -> Block:
    if block.role != "body":
        return block
    if key(block.text) in captions:
        return replace(block, role=_caption_role(block.text))
    if key(block.text) in bold and plain.looks_like_heading(block.text):
        return replace(block, role="heading", level=3)
    return block


def _caption_role(text: str) -> Role:
    return "credit" if len(text) <= 200 and plain.CREDIT_LINE.match(text) else "caption"


def _marked_ends(blocks: list[Block]) -> list[Block]:
    """Bylines near the top, credits anywhere, author note and page furniture at the end, by plain text's rules."""
    lines = [b.text for b in blocks]
    roles: list[Role] = [b.role for b in blocks]
    if len(lines) < 2:
        return blocks
    plain.mark_ending(lines, roles, 0)
    near_top = 0
    for i, line in enumerate(lines):
        if roles[i] != "body":
            continue
        near_top += 1
        if near_top <= 4 and len(line) < 90 and (plain.BYLINE.match(line) or is_date_line(line)):
            roles[i] = "byline"
        elif len(line) <= 200 and plain.CREDIT_LINE.match(line):
            roles[i] = "credit"
        elif _FURNITURE_TEXT.match(line):
            roles[i] = "footer"
    if "body" not in roles:
        return blocks
    return [replace(b, role=role) for b, role in zip(blocks, roles, strict=True)]


def _without_furniture(blocks: Sequence[Block]) -> list[Block]:
    """The blocks without page furniture and without what stands there twice (for screens of two sizes)."""
    seen: set[str] = set()
    kept = []
    for block in blocks:
        whole = key(block.text)
        if block.role == "footer" or (len(whole) > 60 and whole in seen):
            continue
        seen.add(whole)
        kept.append(block)
    return kept


def _without_teasers(
    blocks: list[Block], orders: list[int | None], places: Sequence[_Place]
) -> tuple[list[Block], list[int | None]]:
    """The blocks without those of other stories: cards with a linked headline, headings over lists of links.

    Cards go only above and below the text: between its paragraphs they may be the items of a list. On
    a page that is mostly cards they stay; whether it is an article at all is judged later.
    """
    element_of = {p.order: p.element for p in places}
    found = [element_of.get(o) if o is not None else None for o in orders]
    teaser = [e is not None and _is_teaser(e) for e in found]
    own = [i for i, (b, out) in enumerate(zip(blocks, teaser, strict=True)) if b.role == "body" and b.text and not out]
    own = [i for i in own if orders[i] is not None]
    teaser = [out and bool(own) and not own[0] < i < own[-1] for i, out in enumerate(teaser)]
    told = sum(len(b.text) for b, out in zip(blocks, teaser, strict=True) if out and b.role == "body")
    if told > 0.5 * _length(blocks):
        return blocks, orders
    around = {
        a
        for e, b, out in zip(found, blocks, teaser, strict=True)
        if e is not None and b.role == "body" and not out
        for a in e.iterancestors()
    }

    def over_links(block: Block, element: HtmlElement | None) -> bool:
        if block.role != "heading" or block.row is not None or element is None:
            return False
        parent = element.getparent()
        return parent is not None and parent not in around and sum(1 for _ in parent.iter("a")) >= 2

    kept = [
        (b, o) for b, o, e, out in zip(blocks, orders, found, teaser, strict=True) if not out and not over_links(b, e)
    ]
    while kept and kept[-1][0].role == "heading" and kept[-1][0].row is None:
        kept.pop()  # what stood under it is gone
    return [b for b, _ in kept], [o for _, o in kept]


def _is_teaser(element: HtmlElement) -> bool:
    """Whether a text stands in one of several like cards, each with a headline that leads to another page."""
    for around in [element, *itertools.islice(element.iterancestors(), 4)]:
        if around.tag in {"body", "html", "main"}:
            return False
        if not _has_linked_headline(around):
            continue
        if len("".join(around.itertext())) > _LONGEST_CARD:
            return False
        parent = around.getparent()
        return parent is not None and any(
            other is not around
            and other.tag == around.tag
            and other.get("class") == around.get("class")
            and _has_linked_headline(other)
            for other in parent
        )
    return False


def _has_linked_headline(element: HtmlElement) -> bool:
    for heading in element.iter("h2", "h3", "h4", "h5"):
        links = [*heading.iter("a"), *(a for a in heading.iterancestors("a"))]
        whole = key("".join(heading.itertext()))
        for link in links:
            address = link.get("href") or ""
            if whole and address and not address.startswith("#") and whole in key("".join(link.itertext())):
                return True
    return False


def _with_left_out(
    blocks: list[Block], orders: Sequence[int | None], places: Sequence[_Place]
) -> tuple[list[Block], list[int | None]]:
    """The blocks with what extraction dropped between them: paragraphs like their neighbours, headings over kept text."""
    used = set(orders)
    element_of = {p.order: p.element for p in places}
    kept = [element_of[o] for o in orders if o is not None and element_of[o].tag == "p"]
    alike = Counter((p.getparent(), p.get("class")) for p in kept)
    known = [o for o in orders if o is not None]
    present = " ".join(key(b.text) for b in blocks)
    merged: list[tuple[int, Block, int | None]] = []
    last = -1
    for block, order in zip(blocks, orders, strict=True):
        last = order if order is not None else last
        merged.append((last, block, order))
    headed = {k.getprevious() for k in kept}
    merged_facts = _lists_left_out(places, used, known, present, element_of)
    merged += [(order, block, order) for order, block in merged_facts]
    for place in places:
        element = place.element
        if place.order in used or not known or not known[0] < place.order < known[-1]:
            continue
        if element.tag in {"h2", "h3", "h4"} and element in headed and not any(True for _ in element.iter("a")):
            if key(text := clean(_line("".join(element.itertext())))) and not _FURNITURE_TEXT.match(text):
                merged.append((place.order, Block(text=text, role="heading", level=int(element.tag[1])), place.order))
            continue
        if element.tag != "p":
            continue
        text = clean(_line("".join(element.itertext())))
        linked = sum(len(key("".join(a.itertext()))) for a in element.iter("a"))
        if (
            alike[(element.getparent(), element.get("class"))] >= 3
            and len(place.key) >= 40
            and linked < 0.5 * len(place.key)
            and place.key not in present
            and plain.TERMINAL.search(text)
            and not _FURNITURE_TEXT.match(text)
        ):
            merged.append((place.order, Block(text=text), place.order))
    merged.sort(key=lambda entry: entry[0])
    return [block for _, block, _ in merged], [order for _, _, order in merged]


def _lists_left_out(
    places: Sequence[_Place], used: set[int | None], known: Sequence[int], present: str, element_of: dict[int, HtmlElement]
) -> list[tuple[int, Block]]:
    """Items of lists of facts that extraction dropped from the article, such as its key points, with the heading above them."""
    shared = _common_ancestor([element_of[o] for o in known])
    found: list[tuple[int, Block]] = []
    headings = {p.element: p for p in places if p.element.tag in {"h2", "h3", "h4"}}
    for place in places:
        item = place.element
        listed = item.getparent() if item.tag == "li" else None
        if listed is None or shared is None or place.order in used or place.order > known[-1] or len(place.key) < 15:
            continue
        around = list(item.iterancestors())
        inside = shared in around or any(a.tag in {"article", "main"} for a in around)
        items = [i for i in listed if i.tag == "li"]
        if (
            not inside
            or len(items) < 2
            or next(listed.iter("a", "form", "button"), None) is not None
            or any(_is_furniture(a) for a in around)
            or place.key in present
        ):
            continue
        heading = headings.get(listed.getprevious())
        if item is items[0] and heading is not None and heading.order not in used and heading.key not in present:
            text = clean(_caption_text(heading.element))
            found.append((heading.order, Block(text=text, role="heading", level=int(heading.element.tag[1]))))
        found.append((place.order, Block(text=clean(_caption_text(item)))))
    return found


def _with_captions(blocks: list[Block], orders: Sequence[int | None], places: Sequence[_Place]) -> list[Block]:
    """The blocks with the captions that stand between them put in place."""
    known = [o for o in orders if o is not None]
    present = {key(b.text) for b in blocks}
    element_of = {p.order: p.element for p in places}
    shared = _common_ancestor([element_of[o] for o in known])
    waiting = []
    for place in places:
        if not _is_caption(place.element) or place.key in present or len(place.key) < 8 or place.order > known[-1]:
            continue
        if place.order < known[0] and not _is_lead(place.element, shared):
            continue
        if any(_is_furniture(a) for a in place.element.iterancestors()):
            continue
        if any(_is_caption(a) for a in place.element.iterancestors()) or _leads_away(place.element):
            continue
        if _TIME_CODE.match(_caption_text(place.element)):
            continue
        present.add(place.key)
        waiting.append((place.order, _caption_text(place.element)))
    merged: list[Block] = []
    for block, order in zip(blocks, orders, strict=True):
        while waiting and order is not None and waiting[0][0] < order:
            text = waiting.pop(0)[1]
            merged.append(Block(text=text, role=_caption_role(text)))
        merged.append(block)
    return merged


def _leads_away(caption: HtmlElement) -> bool:
    """Whether the whole caption is a link, and not to a picture: it is the headline of another story."""
    around = [a for a in caption.iterancestors() if a.tag == "a"]
    inside = [a for a in caption.iter("a") if key("".join(a.itertext())) == key(_COUNT.sub("", _caption_text(caption)))]
    return any(a.get("href") and not _PICTURE.search(a.get("href", "")) for a in (*around, *inside))


def _caption_text(element: HtmlElement) -> str:
    pieces = []
    for text in element.itertext():
        pieces.append(text)
    return _line(" ".join(pieces))


def _is_lead(caption: HtmlElement, shared: HtmlElement | None) -> bool:
    """Whether a caption above the text belongs to it: same article, or at most a few levels around."""
    around = shared
    for _ in range(3):
        if around is None or around.tag in {"body", "html"}:
            return any(a.tag in {"article", "main"} for a in caption.iterancestors())
        if around in list(caption.iterancestors()):
            return True
        around = around.getparent()
    return False


def _common_ancestor(elements: Sequence[HtmlElement]) -> HtmlElement | None:
    if not elements:
        return None
    shared = [elements[0], *elements[0].iterancestors()]
    for element in elements[1:]:
        around = {element, *element.iterancestors()}
        shared = [a for a in shared if a in around]
    return shared[0] if shared else None


def _is_furniture(element: HtmlElement) -> bool:
    return element.tag in {"aside", "nav", "footer"} or (
        element.tag not in {"body", "html", "main", "article"} and bool(_FURNITURE.search(_class(element)))
    )


def _author_note(blocks: Sequence[Block], places: Sequence[_Place], last: int, metadata: Metadata) -> list[Block]:
    """A note about the author below the text, which main-text extraction takes for furniture."""
    if any(b.role == "author-note" for b in blocks):
        return []
    present = {key(b.text) for b in blocks}
    surnames = {name.split()[-1].lower() for name in re.split(r",| and ", metadata.author or "") if name.split()}
    for place in places:
        if (
            place.order <= last
            or place.key in present
            or place.element.tag in {"figcaption", "td"}
            or not 40 <= len(place.key) <= 900
        ):
            continue
        text = _line("".join(place.element.itertext()))
        around = [place.element, *list(place.element.iterancestors())[:4]]
        told = any(_NOTE_CLASS.search(_class(a)) for a in around)
        named = any(re.search(rf"\b{re.escape(s)}\b", text[:120], re.I) for s in surnames)
        if any(re.search(r"comment|related|recommend|newsletter|cookie", _class(a), re.I) for a in around):
            continue
        is_note = bool(plain.NOTE_START.match(text) or plain.NOTE_BODY.match(text))
        if plain.TERMINAL.search(text) and ((is_note and (told or named)) or (told and named)):
            return [Block(text=text, role="author-note")]
    return []


def _title_apart(blocks: list[Block], metadata: Metadata) -> tuple[list[Block], Metadata]:
    """The blocks without the title, which the metadata tells."""
    title = metadata.title
    if not title:
        for i, block in enumerate(blocks[:3]):
            if block.role == "heading" and block.level == 1:
                return [*blocks[:i], *blocks[i + 1 :]], replace(metadata, title=block.text)
        return blocks, metadata
    same = key(title)
    return [b for i, b in enumerate(blocks) if not (i < 4 and key(b.text) == same)], metadata


def _without_link_lists(tree: HtmlElement, blocks: list[Block]) -> list[Block]:
    """The blocks without lists of other stories below the text: paragraphs that are links and nothing else.

    Links between paragraphs stay, and so do those of a page that holds little else: it may be no article at all.
    """
    links = {key("".join(a.itertext())) for a in tree.iter("a")} - {""}

    def linked(block: Block) -> bool:
        return block.role == "body" and key(_COUNT.sub("", block.text)) in links

    own = [i for i, b in enumerate(blocks) if b.role == "body" and not linked(b)]
    if sum(len(blocks[i].text) for i in own) < _ENOUGH:
        return blocks
    after = [i for i in range(own[-1] + 1, len(blocks)) if linked(blocks[i])]
    return blocks if len(after) < _LINK_LIST else [b for i, b in enumerate(blocks) if i not in after]
