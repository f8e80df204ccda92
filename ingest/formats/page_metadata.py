"""Title, author, date, publisher, address and language of a web page, from what the page declares."""

from __future__ import annotations

import copy
import html as entities
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

from htmldate import find_date
from lxml.html import HtmlElement
from lxml.html import document_fromstring as html_of
from trafilatura.metadata import extract_metadata
from trafilatura.settings import Document

from ingest.blocks import Metadata, clean
from ingest.dates import FoundDate, Known, iso_date
from ingest.errors import BadSource
from ingest.source import Genre

_ARTICLE_TYPES = re.compile(r"Article|BlogPosting|Report$|LiveBlog|Review$|AnalysisNews|WebPage$", re.I)
_TITLE_NAMES = ("og:title", "twitter:title", "dc.title", "dcterms.title", "citation_title", "parsely-title", "title")
_AUTHOR_NAMES = (
    "author",
    "article:author",
    "parsely-author",
    "dc.creator",
    "dcterms.creator",
    "sailthru.author",
    "citation_author",
    "byl",
)
_DATE_NAMES = (
    "article:published_time", "og:published_time", "article:published", "datepublished", "date_published",
    "publication_date", "publishdate", "publish-date", "pubdate", "parsely-pub-date", "sailthru.date",
    "dc.date.issued", "dcterms.issued", "dcterms.created", "dc.date", "dc.date.created", "citation_publication_date",
    "article.published", "published-date", "originalpublicationdate", "rnews:datepublished", "date", "cxenseparse:recs:publishtime",
)  # fmt: skip
_CHANGE_NAMES = (
    "article:modified_time", "og:updated_time", "article:modified", "datemodified", "lastmod", "last-modified", "dcterms.modified",
    "dc.date.modified", "modified_time",
)  # fmt: skip
_LATEST = "2099-12-31"
_DATED = ("time", "span", "div", "p", "abbr", "li", "em", "small", "strong", "i", "b", "a", "h2", "h3", "h4", "h5", "dd", "address")
_OTHERS_DATES = frozenset({"table", "figure", "figcaption", "blockquote", "aside", "nav", "script", "style", "option", "form"})
_LINES = frozenset({"p", "li", "dd", "h1", "h2", "h3", "h4"})
_LONGEST_DATED = 120
"""Longer elements are running text."""
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_REFERENCE_CLASS = re.compile(r"(?:^|[\s_-])(?:references?|reflist|citations?|bibliography|footnotes?|endnotes?)(?:$|[\s_-])", re.I)
_REFERENCE_HEADINGS = frozenset(
    ["references", "notes", "notesandreferences", "footnotes", "endnotes", "sources", "bibliography", "citations", "furtherreading", "externallinks", "literature", "workscited", "примечания", "источники", "литература", "ссылки", "сноски", "einzelnachweise", "quellen", "literatur", "weblinks", "anmerkungen", "références", "notesetréférences", "sourcesetbibliographie", "liensexternes", "bibliographie", "referencias", "bibliografía", "enlacesexternos", "منابع", "پانویس", "یادداشتها", "مراجع", "المراجع", "مصادر", "kaynakça"]
)
_ENCYCLOPEDIA = re.compile(r"encyclop(?:a|æ|ä)?e?di|\b\w{2,}p(?:a|æ|ä)?edia\b|\bwiki\b|энциклопеди|википеди|enzyklop|вікіпеді|ویکی|دانشنامه|موسوعة", re.I)
_ENCYCLOPEDIA_HOST = re.compile(r"(?:^|\.)\w*(?:wiki|p(?:a|æ)?edia)\.", re.I)
_SITE_NAMES = (
    "og:site_name",
    "dc.publisher",
    "dcterms.publisher",
    "publisher",
    "citation_publisher",
    "application-name",
)
_SEPARATOR = re.compile(r"\s+[|\-–—·•»«:/]{1,2}\s+|\s*\|\s*")
_DATE_CLASS = re.compile(
    r"(?:publish|posted|pub-?date|dateline|timestamp|entry-date|post-date|article-date|byline|created)", re.I
)
_NOT_A_NAME = re.compile(
    r"https?:|@|^\W*$|\d{3}|^(?:admin|administrator|editor|root|guest|staff|webmaster|user)$|\blogged\b|\bsign(?:ed)? in\b|^(?:[\w-]+\.)+[a-z]{2,4}$",
    re.I,
)
_MONTH_DAY_YEAR = re.compile(
    r"\b(?:\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th|\.|er|º)?\s+(?:de\s+)?[^\W\d_]{3,10}\.?,?\s+(?:de\s+)?\d{4}|[^\W\d_]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{1,2}[./]\d{1,2}[./]\d{4})\b"
)
_SENTENCE_END = re.compile(r"(?<!\bг)[.!?]$")
"""What a line that only tells a date does not end in."""
_A_DAY = re.compile(f"(?P<date>{_MONTH_DAY_YEAR.pattern})")
_MONTH_YEAR = re.compile(r"\b[^\W\d_]{3,9}\.?,?\s+\d{4}\b")
_CHANGED = re.compile(
    r"(?:\b(?:last|page|was|been|content)\b[\s-]{0,3}(?:last\s+)?(?:edited|updated?|modified|changed|reviewed|revised)|^\W*(?:updated|modified|revised)"
    r"|последн\w+\s+(?:изменени|обновлени|правк)\w+|обновлено|изменено|zuletzt\s+(?:bearbeitet|geändert|aktualisiert)|dernière\s+(?:modification|mise\s+à\s+jour)"
    r"|última\s+(?:edición|modificación|actualización))[^\d]{0,25}?(?P<date>" + _MONTH_DAY_YEAR.pattern + ")",
    re.I,
)
"""A line on the last change of a page."""
_PUBLISHED = re.compile(r"\W*(?:first\s+)?(?:published|posted|released|issued|publication\s+date|date|опубликовано|дата|veröffentlicht|publié|publicado)\b", re.I)
_LETTERHEAD = re.compile(r"press|media|news|release|statement|bulletin|communiqu|report|briefing|пресс|\bno\.|№", re.I)
"""In a line with a day above the text: what such a line heads."""
_RUSSIAN_MONTHS = {
    "январ": "January", "феврал": "February", "март": "March", "апрел": "April", "мая": "May", "май": "May",
    "июн": "June", "июл": "July", "август": "August", "сентябр": "September", "октябр": "October",
    "ноябр": "November", "декабр": "December",
}  # fmt: skip


def key(text: str) -> str:
    """The letters and digits of a text in lower case, to compare texts that differ in punctuation."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).lower() if c.isalnum())


def page_metadata(tree: HtmlElement, *, url: str | None = None) -> Metadata:
    """What the page says about itself; fields that it leaves open are None."""
    named = _named(tree)
    linked = list(_linked_data(tree))
    article = _article(tree, linked)
    address = _address(tree, named, url)
    site = _site(named, linked, article) or _encyclopedia_in_title(tree)
    guess = _guess(tree, address)
    date = _date(tree, named, article, address, _is_changing(tree, named, article, site, address))
    title = _title(tree, named, article, site) or (clean(guess.title) if guess and guess.title else None)
    return Metadata(
        title=title,
        publisher=site or (clean(guess.sitename) if guess and guess.sitename else None),
        author=_author(named, article, site) or _plausible_authors(_seen_authors(guess, site)) or _shown_author(tree),
        date=date.value if date else None,
        date_note=date.note if date else None,
        url=address,
        genre="encyclopedia" if _is_encyclopedia(tree, named, article, site, address) else _genre(article, named, address),
        language=_language(tree, named),
        licence=_licence(tree),
    )


def _guess(tree: HtmlElement, url: str | None) -> Document | None:
    """What trafilatura finds in the page's visible parts."""
    try:
        found = extract_metadata(copy.deepcopy(tree), default_url=url, extensive=False)  # it prunes what it is given
    except (ValueError, TypeError, AttributeError, IndexError, KeyError):  # one broken link in a page is enough
        return None
    return found if isinstance(found, Document) else None


def linked_article_body(tree: HtmlElement) -> str:
    """The longest ``articleBody`` of the page's JSON-LD; empty when it has none."""
    bodies = (d.get("articleBody") for d in _linked_data(tree))
    return max((b for b in bodies if isinstance(b, str)), key=len, default="")


def is_date_line(text: str) -> bool:
    """Whether a line holds a day and little else."""
    match = _MONTH_DAY_YEAR.search(text)
    if match is None or len(text) >= len(match[0]) + 25 or _iso(match[0]) is None:
        return False
    return not _SENTENCE_END.search(text)


def _named(tree: HtmlElement) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for element in tree.iter("meta"):
        content = clean(element.get("content") or "").replace("\n", " ")
        for attribute in ("property", "name", "itemprop"):
            for name in (element.get(attribute) or "").lower().split():
                if content:
                    found.setdefault(name, []).append(content)
    return found


def _first(named: Mapping[str, list[str]], names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from named.get(name, [])


def _linked_data(tree: HtmlElement) -> Iterator[Mapping[str, Any]]:
    for script in tree.iter("script"):
        if (script.get("type") or "").split(";")[0].strip().lower() != "application/ld+json":
            continue
        text = (
            re.sub(r"^\s*(?://)?\s*<!\[CDATA\[|(?://)?\s*\]\]>\s*$|^\s*<!--|-->\s*$", "", script.text or "")
            .strip()
            .rstrip(";")
        )
        try:
            yield from _objects(json.loads(text, strict=False))
        except (ValueError, RecursionError):
            continue


def _objects(value: Any, depth: int = 0) -> Iterator[Mapping[str, Any]]:
    if depth > 6:
        return
    if isinstance(value, list):
        for entry in value:
            yield from _objects(entry, depth + 1)
    elif isinstance(value, dict):
        yield value
        for name in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart"):
            yield from _objects(value.get(name), depth + 1)


def _types(data: Mapping[str, Any]) -> list[str]:
    kinds = data.get("@type")
    return [k for k in (kinds if isinstance(kinds, list) else [kinds]) if isinstance(k, str)]


def _is_article(data: Mapping[str, Any]) -> bool:
    return any(_ARTICLE_TYPES.search(kind) for kind in _types(data))


def _text(value: Any) -> str:
    return " ".join(clean(_unescaped(value)).split()) if isinstance(value, str) else ""


def _unescaped(text: str) -> str:
    return entities.unescape(re.sub(r"<[^>]{1,80}>", "", text))


def _article(tree: HtmlElement, linked: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What the page's JSON-LD says of the article itself, not of other stories that it lists."""
    page_title = key(" ".join(tree.itertext("title")))
    candidates = [d for d in linked if _is_article(d) and ("headline" in d or "datePublished" in d)]

    def rank(data: Mapping[str, Any]) -> tuple[bool, bool]:
        headline = key(_text(data.get("headline")))
        return "WebPage" in _types(data), not (headline and headline in page_title)

    return min(candidates, key=rank, default={})


def _names(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for entry in value for name in _names(entry)]
    if isinstance(value, dict):
        return _names(value.get("name"))
    return [_text(value)] if _text(value) else []


def _site(named: Mapping[str, list[str]], linked: list[Mapping[str, Any]], article: Mapping[str, Any]) -> str | None:
    publishers = _names(article.get("publisher"))
    own = next(_first(named, _SITE_NAMES[:1]), None)
    organisation = [
        n for d in linked if {"NewsMediaOrganization", "WebSite"} & set(_types(d)) for n in _names(d.get("name"))
    ]
    others = list(_first(named, _SITE_NAMES[1:]))
    for candidate in [own, *publishers, *organisation, *others]:
        if candidate and 1 < len(candidate) <= 80 and not candidate.startswith(("http", "@")):
            return candidate
    return None


def _address(tree: HtmlElement, named: Mapping[str, list[str]], url: str | None) -> str | None:
    base = url or ""
    links = [e.get("href") or "" for e in tree.iter("link") if "canonical" in (e.get("rel") or "").lower().split()]
    for candidate in [*links, *named.get("og:url", [])]:
        try:
            address = urljoin(base, candidate.strip()) if candidate.strip() else ""
            parts = urlsplit(address)
        except ValueError:  # such as an unclosed IPv6 address
            continue
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            continue
        # A canonical link to the front page is a template's mistake.
        if url and parts.path in {"", "/"} and urlsplit(url).path not in {"", "/"}:
            continue
        return address
    return url


def _title(
    tree: HtmlElement, named: Mapping[str, list[str]], article: Mapping[str, Any], site: str | None
) -> str | None:
    page_title = " ".join((tree.findtext(".//title") or "").split())
    declared = [_without_site(t, site) for t in [_text(article.get("headline")), *_first(named, _TITLE_NAMES[:6])] if t]
    declared = [t for t in declared if t and key(t) != key(site or "")]
    headings = [
        (h, text)
        for h in tree.iter("h1")
        if (text := " ".join("".join(h.itertext()).split())) and key(text) != key(site or "") and len(text) <= 300
    ]
    references = [key(t) for t in [*declared, page_title] if t]
    for _, text in headings:
        if any(_same_title(key(text), reference) for reference in references):
            return text
    inside = [text for h, text in headings if any(a.tag in {"article", "main"} for a in h.iterancestors())]
    if (
        len(inside) == 1
        and len(inside[0].split()) > 2
        and _overlap(inside[0], " ".join([*declared, page_title])) >= 0.4
    ):
        return inside[0]
    if declared:
        return declared[0]
    shortened = _without_site(page_title, site)
    if len(headings) == 1 and len(headings[0][1].split()) > 2 and not shortened:
        return headings[0][1]
    if shortened:
        return _without_tail(shortened) if shortened == page_title else shortened
    return headings[0][1] if headings else None


def _same_title(heading: str, reference: str) -> bool:
    if len(heading) < 6:
        return heading == reference
    return (heading in reference and len(heading) > 0.35 * len(reference)) or (
        reference in heading and len(reference) > 0.6 * len(heading)
    )


def _overlap(one: str, other: str) -> float:
    words, others = set(one.lower().split()), set(other.lower().split())
    return len(words & others) / max(1, len(words))


def _without_site(title: str, site: str | None) -> str:
    """The title without the site's name at either end."""
    title = " ".join(title.split())
    names = {key(site), key(re.sub(r"\.\w{2,4}$|^www\.|^the\s", "", site, flags=re.I))} - {""} if site else set()
    for match in reversed(list(_SEPARATOR.finditer(title))):
        head, tail = title[: match.start()].strip(), title[match.end() :].strip()
        if not head or not tail:
            continue
        if key(tail) in names or (
            names and len(tail) < 60 and any(key(tail).startswith(n) for n in names if len(n) > 3)
        ):
            return _without_site(head, site)
    first = _SEPARATOR.search(title)
    if first and key(title[: first.start()]) in names and title[first.end() :].strip():
        return title[first.end() :].strip()
    return title


def _without_tail(title: str) -> str:
    """The title without a short last part, which on an unnamed site is most likely its name."""
    matches = list(_SEPARATOR.finditer(title))
    if not matches:
        return title
    head, tail = title[: matches[-1].start()].strip(), title[matches[-1].end() :].strip()
    short = len(tail.split()) <= 4 and len(head.split()) >= 3 and len(tail) < 0.6 * len(head)
    return head if short else title


def _author(named: Mapping[str, list[str]], article: Mapping[str, Any], site: str | None) -> str | None:
    for names in (_names(article.get("author")), _names(article.get("creator")), list(_first(named, _AUTHOR_NAMES))):
        authors = _plausible_authors([n for n in names if key(n) != key(site or "")] or names)
        if authors:
            return authors
    return None


def _seen_authors(guess: Document | None, site: str | None) -> list[str]:
    """The names that trafilatura sees, without those of the site; it makes "Courier Com" of a host's name."""
    host = re.sub(r"^www\.", "", (guess.hostname or "") if guess else "")
    names = (guess.author or "").split(";") if guess else []
    return [n for n in names if key(n) not in {key(site or ""), key(host), key(host + ".com")}]


def _shown_author(tree: HtmlElement) -> str | None:
    """A name in a short element that is marked as the author's."""
    for element in tree.iter("a", "span", "p", "div", "address", "strong", "li"):
        marks = f"{element.get('class') or ''} {element.get('rel') or ''} {element.get('itemprop') or ''}"
        if not re.search(r"(?:^|[\s_-])(?:author|byline|contributor)s?(?:$|[\s_-])", marks, re.I):
            continue
        text = " ".join("".join(element.itertext()).split())
        name = re.sub(r"^.{0,20}\b(?:by|автор)\b\s*:?\s*", "", text, flags=re.I)
        words = name.split()
        if (
            len(name) <= 60
            and 2 <= len(words) <= 6
            and all(w[:1].isupper() or w in {"and", "и", "de", "van", "von", "al"} for w in words)
        ):
            return _plausible_authors([name])
    return None


def _plausible_authors(names: Iterable[str]) -> str | None:
    kept: list[str] = []
    for given in names:
        name = re.sub(r"^(?:by|written by|автор)\s*:?\s+", "", " ".join(given.split()), flags=re.I).strip(" ,;|")
        if 2 < len(name) <= 100 and not _NOT_A_NAME.search(name) and key(name) not in {key(k) for k in kept}:
            kept.append(name)
    return ", ".join(kept[:8]) or None


def _date(
    tree: HtmlElement, named: Mapping[str, list[str]], article: Mapping[str, Any], url: str | None, changing: bool
) -> FoundDate | None:
    """The page's date and how it is known: stated, shown under the title, of the last change, or guessed.

    Args:
        changing: the page has no date of its own because it is changed all the time; the last change counts.
    """
    published = _stated([article.get("datePublished"), *_first(named, _DATE_NAMES), article.get("dateCreated")])
    changed = _stated([article.get("dateModified"), *_first(named, _CHANGE_NAMES)])
    parts = _parts_about_itself(tree)
    if changing or not published:
        changed = changed or _iso_in(_CHANGED, parts)
    if changing and changed:
        return FoundDate(value=changed, known="changed")
    if published:
        return FoundDate(value=published, known="first" if changing else "stated")
    if changing:
        return None
    shown = _shown_date(tree, parts)
    if shown and (shown.known == "byline" or not changed):
        return shown
    if changed:
        return FoundDate(value=changed, known="changed")
    guess = find_date(_only(tree, parts), url=url, original_date=True, extensive_search=False, max_date=_LATEST)
    value = _iso(guess, visible=True)
    return FoundDate(value=value, known="guessed") if value else None


def _stated(values: Iterable[Any]) -> str | None:
    return next((date for value in values if (date := _iso(value)) and len(date) == 10), None)


def _parts_about_itself(tree: HtmlElement) -> list[HtmlElement]:
    """Short elements in which a page may tell its own date, in order.

    Not among them: running text and lists of references, which tell of events and of other texts, tables, captions,
    quotations, and what leads to other stories.
    """
    outside = _reference_parts(tree)
    parts = []
    for element in tree.iter():
        if not isinstance(element.tag, str):
            continue
        parent = element.getparent()
        # A site's own header tells today's date.
        others = element.tag in _OTHERS_DATES or _is_teaser(element) or _is_site_header(element)
        if others or parent in outside:
            outside.add(element)
        if element in outside or element.tag not in _DATED:
            continue
        block = next((a for a in [element, *element.iterancestors()] if a.tag in _LINES), element)
        line = _flat(block)
        if not line or len(line) > _LONGEST_DATED or not _flat(element):
            continue
        if not _SENTENCE_END.search(line) or _PUBLISHED.match(line) or _CHANGED.search(line):
            parts.append(element)
    return parts


def _is_site_header(element: HtmlElement) -> bool:
    return (
        element.tag == "header"
        and next(element.iter("h1"), None) is None
        and not any(a.tag == "article" for a in element.iterancestors())
    )


def _flat(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())


def _iso_in(pattern: re.Pattern[str], parts: Iterable[HtmlElement]) -> str | None:
    for element in parts:
        match = pattern.search(_flat(element))
        if match and (date := _iso(match["date"], visible=True)) and len(date) == 10:
            return date
    return None


def _shown_date(tree: HtmlElement, parts: Sequence[HtmlElement]) -> FoundDate | None:
    """The date under the title or marked as that of publication; else, as a guess, another one that stands for itself."""
    title = next((e for e in tree.iter("h1")), None)
    guess = None
    order = {e: i for i, e in enumerate(tree.iter())}
    first = order.get(title, -1) if title is not None else -1
    text = next((order[p] for p in tree.iter("p") if order[p] > first and len(_flat(p)) > _LONGEST_DATED), len(order))
    for element in parts:
        line = _flat(element)
        seen = first < order[element]
        above = seen and order[element] < text
        if _CHANGED.search(line):
            continue
        marks = f"{element.get('class') or ''} {element.get('id') or ''}"
        own = "datepublished" in (element.get("itemprop") or "").lower() or element.get("pubdate") is not None
        marked = own or bool(_DATE_CLASS.search(marks)) or bool(_PUBLISHED.match(line))
        value = None
        if element.tag == "time" or own:
            value = _iso(element.get("datetime") or element.get("content") or line, visible=True)
        if value is None or len(value) < 10:
            value = _iso_in(_A_DAY, [element]) or (_month(line) if marked and len(line) < 80 else value)
        if value is None or len(value) < 7:
            continue
        alone = is_date_line(line) or element.tag == "time"
        if own or (marked and (above or element.tag == "time" or bool(_PUBLISHED.match(line)))) or (alone and above):
            return FoundDate(value=value, known="byline")
        # A line that tells when and where: "Press release 12 – Talsk, 4 May 2024"; a sentence is no such line.
        if above and guess is None and len(line) < 100 and not line.endswith((".", "!", "?")):
            known: Known = "byline" if _LETTERHEAD.search(line) else "guessed"
            guess = FoundDate(value=value, known=known)
        elif alone and guess is None and seen:
            guess = FoundDate(value=value, known="guessed")
    return guess


def _month(line: str) -> str | None:
    match = _MONTH_YEAR.search(line)
    date = _iso(match[0], visible=True) if match else None
    return date if date and len(date) == 7 else None


def _only(tree: HtmlElement, parts: Sequence[HtmlElement]) -> HtmlElement:
    """A page of the given parts alone, for a reader that would look everywhere."""
    page = html_of("<html><head></head><body></body></html>")
    body = page.find("body")
    chosen = set(parts)
    for element in parts:
        if chosen.isdisjoint(element.iterancestors()):
            body.append(copy.deepcopy(element))
    return page


def _reference_parts(tree: HtmlElement) -> set[HtmlElement]:
    """Elements that list what a text refers to, told by their class or by the heading above them."""
    found = {e for e in tree.iter("ol", "ul", "div", "section", "table") if _REFERENCE_CLASS.search(e.get("class") or "")}
    for heading in tree.iter("h2", "h3", "h4", "h5"):
        if key(_flat(heading)).removesuffix("edit") not in _REFERENCE_HEADINGS:
            continue
        around = heading.getparent()
        wrapped = around is not None and around.tag == "div" and key(_flat(around)) == key(_flat(heading))
        place = around if wrapped and around is not None else heading
        for after in place.itersiblings("ol", "ul", "p", "div", "section", "table", "dl", *_HEADINGS):
            inner = next((h.tag for h in [after, *after.iter("h1", "h2", "h3", "h4", "h5")] if h.tag in _HEADINGS), None)
            if inner and inner <= heading.tag:
                break
            found.add(after)
    return found


def reference_texts(tree: HtmlElement) -> set[str]:
    """Keys (see :func:`key`) of the texts that a page lists as its references."""
    parts = _reference_parts(tree)
    return {key(_flat(e)) for p in parts for e in [p, *p.iter("li", "p", "td")]} - {""}


def _is_changing(
    tree: HtmlElement, named: Mapping[str, list[str]], article: Mapping[str, Any], site: str | None, url: str | None
) -> bool:
    """Whether a page is changed all the time: an encyclopedia's, or one that reports live."""
    return any("LiveBlog" in kind for kind in _types(article)) or _is_encyclopedia(tree, named, article, site, url)


def _is_encyclopedia(
    tree: HtmlElement, named: Mapping[str, list[str]], article: Mapping[str, Any], site: str | None, url: str | None
) -> bool:
    tail = _SEPARATOR.split(_flat_title(tree))[1:]
    names = [*_names(article.get("publisher")), site or "", *tail, *named.get("og:site_name", [])]
    host = urlsplit(url or "").hostname or ""
    generators = " ".join(named.get("generator", []))
    return (
        any(_ENCYCLOPEDIA.search(name) for name in names)
        or bool(_ENCYCLOPEDIA_HOST.search(host))
        or "wiki" in generators.lower()
    )


def _encyclopedia_in_title(tree: HtmlElement) -> str | None:
    return next((part for part in _SEPARATOR.split(_flat_title(tree))[1:] if _ENCYCLOPEDIA.search(part)), None)


def _flat_title(tree: HtmlElement) -> str:
    return " ".join((tree.findtext(".//title") or "").split())


def _is_teaser(element: HtmlElement) -> bool:
    return bool(
        re.search(
            r"related|recommend|teaser|sidebar|more-|latest|trending|popular|comment",
            f"{element.get('class') or ''} {element.get('id') or ''}",
            re.I,
        )
    )


def _iso(value: Any, *, visible: bool = False) -> str | None:
    """The day; None for one older than the web if it is merely ``visible``: then it is one that the text speaks of."""
    if not isinstance(value, str) or not re.search(r"\d{4}", value):
        return None
    text = " ".join(value.split())
    found = None
    compact = re.match(r"(\d{4})(\d{2})(\d{2})(?:T|\d{6}|$)", text)
    if compact:
        text = "-".join(compact.groups())
    elif not re.match(r"\d{4}-\d{2}", text):
        found = _MONTH_DAY_YEAR.search(text)
        text = found[0] if found else text
        for stem, month in _RUSSIAN_MONTHS.items():
            text = re.sub(rf"\b{stem}\w*\b", month, text, flags=re.I)
    try:
        date: str | None = iso_date(text[:40])
    except BadSource:
        date = _in_another_language(text[:40]) if found else None
    if date is None:
        return None
    return date if ("1993" if visible else "1900") <= date < "2100" else None


def _in_another_language(day: str) -> str | None:
    from dateparser import parse  # a third of a second, for few pages

    date = parse(day, settings={"STRICT_PARSING": True, "DATE_ORDER": "DMY"})
    return date.date().isoformat() if date else None


def _language(tree: HtmlElement, named: Mapping[str, list[str]]) -> str | None:
    declared = [
        tree.get("lang") or "",
        *(e.get("lang") or "" for e in tree.iter("html")),
        *named.get("og:locale", []),
        *named.get("language", []),
    ]
    return next((d[:2].lower() for d in declared if re.match(r"[A-Za-z]{2}(?:[-_]|$)", d)), None)


def _licence(tree: HtmlElement) -> str | None:
    links = (e for e in tree.iter("a", "link") if "license" in (e.get("rel") or "").lower().split())
    return next((href for e in links if (href := (e.get("href") or "").strip()).startswith("http")), None)


def _genre(article: Mapping[str, Any], named: Mapping[str, list[str]], url: str | None) -> Genre | None:
    kinds = _types(article)
    section = " ".join([_text(article.get("articleSection")), *named.get("article:section", [])]).lower()
    path = urlsplit(url or "").path.lower()
    opinion = re.compile(r"(?:^|[/\W])(?:opinions?|op-?eds?|commentary|editorials?|columnists?|мнени[ея])(?:[/\W]|$)")
    if "OpinionNewsArticle" in kinds or opinion.search(section) or opinion.search(path):
        return "opinion"
    if any(re.search(r"NewsArticle|ReportageNews|AnalysisNews|LiveBlog", k) for k in kinds):
        return "news"
    if "ScholarlyArticle" in kinds or "citation_doi" in named:
        return "research"
    return None
