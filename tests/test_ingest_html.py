"""Web pages: news pages as sites of many kinds build them, each with the article text that must come out.

All words are our own; names and events are made up.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass

import pytest

from ingest.blocks import Extract, assemble
from ingest.errors import BadSource
from ingest.read import extract


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page, and what a reader of it would call title, author, date and article text."""

    name: str
    html: str
    title: str
    paragraphs: tuple[str, ...]
    date: str | None = None
    author: str | None = None
    publisher: str | None = None
    url: str | None = None
    captions: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    author_note: str | None = None
    encoding: str = "utf-8"


BRIDGE = (
    "The northern ferry crossing at Talsk will close for eleven months while engineers rebuild both landing ramps, "
    "the regional transport office said on Tuesday.",
    "About 4,200 people use the crossing on a working day, according to the office. Most of them travel to the "
    "hospital, the market and two secondary schools on the eastern bank.",
    "“We looked at closing one ramp at a time, but the piles under both are in the same state,” said Irina Holm, who "
    "leads the project. “Half a ferry is not a ferry.”",
    "A bus will run over the road bridge at Orsund every twenty minutes from five in the morning until midnight. The "
    "trip takes 48 minutes, against nine by boat.",
    "Shop owners on the quay are unhappy. Three of them told this newspaper that they had learned of the plan from a "
    "poster on the ticket booth.",
    "The office puts the cost at 37 million crowns, of which the state pays two thirds. In an earlier estimate, from "
    "2019, the sum was 22 million.",
    "Work starts on 4 May. If ice permits, the first boat will leave again in April of next year.",
)
WELLS = (
    "Villages along the Sarai canal have begun to share water by the hour after the driest spring in forty years left "
    "more than half of their wells empty.",
    "Each household draws for ninety minutes every second day, under a rota that the elders of seven villages agreed "
    "in March and that volunteers write on a board beside the sluice.",
    "Hydrologists at the provincial university measured the water table at 31 metres in April. A decade ago it stood "
    "at 19 metres in the same bore.",
    "The causes are disputed. Farmers point to the cotton estates upstream; the estates say that their intake has not "
    "grown since 2011 and blame the failing snow.",
    "Figures from the river board support neither side fully: the intake has grown by a tenth, while the inflow has "
    "fallen by a third.",
    "A second rota, for the fields, is to follow before the heat of June.",
)
RUSSIAN = (
    "Городская библиотека в Лесном откроет после ремонта читальный зал, который был закрыт почти два года, сообщила "
    "во вторник её директор Мария Ковалёва.",
    "За это время рабочие заменили перекрытия, провели отопление и собрали новые стеллажи на двенадцать тысяч томов.",
    "«Мы сохранили старые столы, потому что читатели просили об этом чаще всего», — рассказала директор.",
    "На работы ушло 18 миллионов рублей, хотя сначала смета составляла 11 миллионов. Разницу покрыл областной бюджет.",
    "В первый месяц зал будет работать до восьми вечера, а по воскресеньям здесь пройдут занятия для школьников.",
)


def pages() -> list[Page]:
    """All pages."""
    return [
        _classic(), _blog(), _old_tables(), _div_soup(), _russian(), _scripted(), _opinion(), _broken(), _press_release(),
        _long_read(), _breaks(), _no_declarations(),
    ]  # fmt: skip


def _p(paragraphs: tuple[str, ...], attributes: str = "") -> str:
    return "\n".join(f"<p{attributes}>{text}</p>" for text in paragraphs)


_COOKIES = """<div id="cookie-banner" class="cookie-consent" role="dialog"><h2>We value your privacy</h2><p>We and our
partners store and access information on your device, such as cookies, to show you ads and measure them. You may accept
or refuse at any time in the settings.</p><button>Accept all</button><button>Manage choices</button></div>"""
_NAV = """<nav class="main-nav"><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li><li><a href="/region">
Region</a></li><li><a href="/sport">Sport</a></li><li><a href="/weather">Weather</a></li></ul></nav>"""
_SHARE = """<div class="share-buttons social"><span>Share</span><a href="#">Facebook</a><a href="#">X</a><a href="#">
WhatsApp</a><a href="#">Copy link</a></div>"""
_RELATED = """<aside class="related-stories"><h3>Related stories</h3><ul><li><a href="/1">Harbour master retires after
thirty years at the quay</a></li><li><a href="/2">Why the river freezes later every winter</a></li><li><a href="/3">
Council votes on the new timetable</a></li></ul></aside>"""
_FOOTER = """<footer><p>© 2024 The Talsk Courier. All rights reserved.</p><ul><li><a href="/about">About us</a></li><li>
<a href="/privacy">Privacy policy</a></li><li><a href="/contact">Contact</a></li></ul></footer>"""


def _classic() -> Page:
    data = {
        "@context": "https://schema.org", "@type": "NewsArticle", "headline": "Talsk ferry to close for eleven months",
        "datePublished": "2024-03-12T06:30:00+01:00", "dateModified": "2024-03-14T09:00:00+01:00",
        "author": [{"@type": "Person", "name": "Anna Weiss"}, {"@type": "Person", "name": "Tomas Lind"}],
        "publisher": {"@type": "Organization", "name": "The Talsk Courier"},
    }  # fmt: skip
    html = f"""<!doctype html><html lang="en-GB"><head><meta charset="utf-8">
<title>Talsk ferry to close for eleven months | The Talsk Courier</title>
<meta property="og:title" content="Talsk ferry to close for eleven months | The Talsk Courier">
<meta property="og:site_name" content="The Talsk Courier">
<link rel="canonical" href="https://courier.example/region/talsk-ferry-closes">
<script type="application/ld+json">{json.dumps(data)}</script></head><body>{_COOKIES}<header>{_NAV}</header>
<main><article><header><h1>Talsk ferry to close for eleven months</h1>
<p class="byline">By <a href="/a">Anna Weiss</a> and Tomas Lind</p><time datetime="2024-03-12">12 March 2024</time></header>
{_SHARE}<figure class="lead"><img src="f.jpg" alt="ferry"><figcaption>The ferry at the western landing last winter.
<span class="credit">Photo: Per Aas</span></figcaption></figure>
{_p(BRIDGE[:3])}<div class="ad-slot" aria-label="advertisement"><span>Advertisement</span></div>
<h2>Bus instead of boat</h2>{_p(BRIDGE[3:5])}{_RELATED}<h2>Cost has risen</h2>{_p(BRIDGE[5:])}</article></main>
<section class="newsletter-signup"><h3>Never miss a story</h3><p>Sign up for our morning newsletter and get the news of the
region in your inbox every day at six.</p><form><input type="email"><button>Sign up</button></form></section>
{_FOOTER}</body></html>"""
    return Page(
        name="classic", html=html, title="Talsk ferry to close for eleven months", date="2024-03-12",
        author="Anna Weiss, Tomas Lind", publisher="The Talsk Courier", paragraphs=BRIDGE,
        url="https://courier.example/region/talsk-ferry-closes", headings=("Bus instead of boat", "Cost has risen"),
        captions=("The ferry at the western landing last winter. Photo: Per Aas",),
    )  # fmt: skip


def _blog() -> Page:
    html = f"""<!DOCTYPE html><html lang="en-US"><head><meta charset="UTF-8"><title>Seven villages, one rota - Dry Season Notes</title>
<meta property="og:title" content="Seven villages, one rota"><meta property="og:site_name" content="Dry Season Notes">
<meta property="article:published_time" content="2023-05-19T08:12:44+00:00"><meta name="author" content="Leila Karim">
</head><body class="post-template-default single"><div id="page" class="site"><div class="site-header"><p class="site-title">
<a href="/">Dry Season Notes</a></p>{_NAV}</div><div id="content"><div id="primary"><article id="post-311" class="post hentry">
<header class="entry-header"><h1 class="entry-title">Seven villages, one rota</h1><div class="entry-meta">
<span class="posted-on">Posted on <time class="entry-date published" datetime="2023-05-19T08:12:44+00:00">May 19, 2023</time></span>
<span class="author vcard"><a class="url fn n" href="/author/leila">Leila Karim</a></span></div></header>
<div class="entry-content">{_p(WELLS[:2])}<div class="wp-caption aligncenter"><img src="w.jpg"><p class="wp-caption-text">A sluice
on the Sarai canal in April.</p></div>{_p(WELLS[2:4])}<blockquote><p>{WELLS[4]}</p></blockquote><p>{WELLS[5]}</p>
<div class="sharedaddy sd-sharing-enabled"><h3 class="sd-title">Share this:</h3><ul><li><a>Facebook</a></li><li><a>Twitter</a></li></ul></div>
<div id="jp-relatedposts" class="jp-relatedposts"><h3>Related</h3><p>The pump that nobody owned</p></div></div>
<footer class="entry-footer"><span class="cat-links">Posted in <a>Water</a></span><span class="tags-links">Tagged <a>canal</a></span></footer>
</article><nav class="post-navigation"><a rel="prev">Previous: The pump that nobody owned</a></nav>
<div id="comments" class="comments-area"><h2>2 thoughts on “Seven villages, one rota”</h2><ol class="comment-list"><li><p>I grew up
there and the wells were never this low, not even in the year of the great fire.</p></li><li><p>Thank you for going and
counting the hours, nobody else in the press did it.</p></li></ol></div></div>
<aside id="secondary" class="widget-area"><section class="widget"><h2>Recent posts</h2><ul><li>Notes on a dry mill</li></ul></section></aside>
</div><footer class="site-footer">Proudly powered by WordPress</footer></div></body></html>"""
    return Page(
        name="blog", html=html, title="Seven villages, one rota", date="2023-05-19", author="Leila Karim",
        publisher="Dry Season Notes", paragraphs=WELLS, captions=("A sluice on the Sarai canal in April.",),
    )  # fmt: skip


def _old_tables() -> Page:
    text = "<br><br>\n".join(RUSSIAN)
    html = f"""<HTML><HEAD><META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=windows-1251">
<TITLE>Читальный зал откроют после ремонта :: Вести Лесного</TITLE></HEAD><BODY BGCOLOR=white><TABLE width=900><TR><TD colspan=3>
<A HREF="/">Главная</A> | <A HREF="/news">Новости</A> | <A HREF="/arch">Архив</A> | <A HREF="/gb">Гостевая</A></TD></TR><TR><TD width=150>
<A HREF=/1>Погода</A><BR><A HREF=/2>Афиша</A><BR><A HREF=/3>Расписание</A></TD><TD><H1>Читальный зал откроют после ремонта</H1>
<SMALL>14 марта 2007</SMALL><BR><BR><FONT SIZE=2>{text}</FONT></TD><TD width=150><B>Опрос</B><BR>Вы ходите в библиотеку?<BR>
<INPUT type=radio>Да<BR><INPUT type=radio>Нет</TD></TR><TR><TD colspan=3>© Вести Лесного, 2007</TD></TR></TABLE></BODY></HTML>"""
    return Page(
        name="old tables", html=html, title="Читальный зал откроют после ремонта", date="2007-03-14",
        paragraphs=RUSSIAN, encoding="cp1251",
    )  # fmt: skip


def _div_soup() -> Page:
    body = "".join(
        f'<div data-component="text-block" class="sc-1a2b3c kXyZq"><p class="ssrcss-1q0x">{t}</p></div>' for t in BRIDGE
    )
    html = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Ferry at Talsk shuts for almost a year - Orbit News</title>
<meta property="og:title" content="Ferry at Talsk shuts for almost a year"><meta property="og:site_name" content="Orbit News">
<meta property="og:url" content="https://orbit.example/news/articles/c1x9"></head><body><div id="__next"><div class="sc-a">{_NAV}</div>
<div class="sc-b hGfD"><div class="sc-c"><h1 id="main-heading" class="sc-d">Ferry at Talsk shuts for almost a year</h1>
<div class="sc-e"><span>Olof Brandt</span><span class="sc-time"><time datetime="2024-03-13T17:02:11.000Z">13 March 2024</time></span></div></div>
{body}<div class="sc-f" data-component="links-block"><h2>More on this story</h2><ul><li><a href="/x1">River ice arrives late again</a></li>
<li><a href="/x2">Market square to be paved by autumn</a></li></ul></div><div class="sc-topics" data-component="topic-list"><ul><li><a>Transport
</a></li><li><a>Talsk</a></li></ul></div></div><div class="sc-most-read"><h2>Most read</h2><ol><li><a href="/m1">A winter without snow in
the north</a></li><li><a href="/m2">Bakery burns down, nobody hurt</a></li></ol></div></div>
<script id="__NEXT_DATA__" type="application/json">{{"props": {{}}}}</script></body></html>"""
    return Page(
        name="div soup", html=html, title="Ferry at Talsk shuts for almost a year", date="2024-03-13",
        publisher="Orbit News", url="https://orbit.example/news/articles/c1x9", paragraphs=BRIDGE,
    )  # fmt: skip


def _russian() -> Page:
    body = (
        _p(RUSSIAN[:2])
        + '<div class="inline-related"><p>Читайте также: Школу в Лесном достроят к сентябрю</p></div>'
        + _p(RUSSIAN[2:])
    )
    html = f"""<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>В Лесном откроют читальный зал — Областная газета</title>
<meta property="og:site_name" content="Областная газета"><meta itemprop="datePublished" content="2022-11-08T12:40:00+03:00">
<meta name="author" content="Олег Дымов"></head><body><div class="header"><a>Политика</a><a>Экономика</a><a>Общество</a></div>
<div class="cookies-note">Мы используем файлы cookie. Продолжая пользоваться сайтом, вы соглашаетесь с этим. <a>Понятно</a></div>
<div class="article" itemscope itemtype="https://schema.org/NewsArticle"><h1 class="article__title">В Лесном откроют читальный зал</h1>
<div class="article__date">8 ноября 2022, 12:40</div><div class="article__text" itemprop="articleBody">{body}</div>
<div class="article__tags">Теги: <a>библиотеки</a>, <a>Лесной</a></div><div class="subscribe-block"><p>Подписывайтесь на наш канал в
мессенджере, чтобы узнавать новости первыми.</p></div></div><div class="news-feed"><a>Снег выпал раньше срока</a><a>Мост закрыли на
проверку</a></div><div class="footer">Сетевое издание «Областная газета». 16+</div></body></html>"""
    return Page(
        name="russian", html=html, title="В Лесном откроют читальный зал", date="2022-11-08", author="Олег Дымов",
        publisher="Областная газета", paragraphs=RUSSIAN,
    )  # fmt: skip


def _scripted() -> Page:
    data = {
        "@graph": [
            {"@type": "WebSite", "name": "Canal Daily"},
            {"@type": ["NewsArticle"], "headline": "Wells run dry along the Sarai", "datePublished": "2023-05-20",
             "author": {"name": "Omid Rahmani"}, "articleBody": "\n\n".join(WELLS)},
        ]
    }  # fmt: skip
    html = f"""<!doctype html><html><head><title>Wells run dry along the Sarai</title><script type="application/ld+json">
{json.dumps(data)}</script></head><body><div id="app"><h1>Wells run dry along the Sarai</h1><p>{WELLS[0]}</p><div class="loader">
Loading…</div></div><noscript>Please turn on JavaScript to read this page.</noscript></body></html>"""
    return Page(
        name="scripted", html=html, title="Wells run dry along the Sarai", date="2023-05-20", author="Omid Rahmani",
        publisher="Canal Daily", paragraphs=WELLS,
    )  # fmt: skip


def _opinion() -> Page:
    note = "Henrik Sol is a fellow at the Institute for Small Ports. He writes about ferries and the people who wait for them."
    html = f"""<!doctype html><html lang="en"><head><title>Half a ferry is a start | Opinion | The Meridian</title>
<meta name="twitter:title" content="Half a ferry is a start"><meta property="article:section" content="Opinion">
<meta property="og:site_name" content="The Meridian"><meta name="parsely-author" content="Henrik Sol">
<meta name="parsely-pub-date" content="2024-03-20T00:00:00Z"></head><body>{_NAV}<main><div class="kicker">Opinion</div>
<h1 class="headline">Half a ferry is a start</h1><h2 class="dek">Closing both ramps at once saves money and loses people.</h2>
<div class="contributors">By Henrik Sol</div><div class="article-body">{_p(BRIDGE[:2])}<aside class="pullquote"><p>Half a ferry is not
a ferry.</p></aside>{_p(BRIDGE[2:5])}<p><strong>The sums</strong></p>{_p(BRIDGE[5:])}<p><em>The views expressed in this article are the
author’s own.</em></p></div><div class="author-bio"><img src="h.jpg"><div class="bio-text"><p>{note}</p></div></div>
<div class="donate promo"><p>Support our journalism. Give five crowns a month and read without advertisements for a year.</p></div></main>
{_RELATED}{_FOOTER}</body></html>"""
    return Page(
        name="opinion", html=html, title="Half a ferry is a start", date="2024-03-20", author="Henrik Sol",
        publisher="The Meridian", paragraphs=BRIDGE, headings=("The sums",), author_note=note,
    )  # fmt: skip


def _broken() -> Page:
    body = "".join(f"<p>{text}\n" for text in WELLS)
    html = f"""<html><head><title>Water by the hour</title><meta name=date content=2021-06-02>
<body><div class=top><a href=/>Start<a href=/n>News</div><div class=story><h1>Water by the hour</h1><b>{body}
</div></span><table><tr><td>Contact<td>Imprint</table><script>var a = "<p>not text</p>";"""
    return Page(name="broken", html=html, title="Water by the hour", date="2021-06-02", paragraphs=WELLS)


def _press_release() -> Page:
    items = (
        "Two landing ramps will be rebuilt on new piles of steel.",
        "A bus replaces the ferry from five in the morning until midnight.",
        "Tickets for the ferry are valid on the bus without any surcharge.",
    )
    listed = "".join(f"<li>{item}</li>" for item in items)
    html = f"""<!doctype html><html lang="en"><head><title>Transport office announces works at Talsk crossing | Regional Transport Office</title>
<meta name="dcterms.issued" content="2024-03-11"><meta name="dcterms.publisher" content="Regional Transport Office"></head><body>
<a class="skip" href="#main">Skip to main content</a>{_NAV}<ol class="breadcrumb"><li><a>Home</a></li><li><a>News</a></li><li>Press releases</li></ol>
<div id="main" role="main"><h1>Transport office announces works at Talsk crossing</h1><p class="date">Published 11 March 2024</p>
<div class="field-body">{_p(BRIDGE[:2])}<h3>What will change</h3><ul>{listed}</ul>{_p(BRIDGE[5:])}<h3>Passengers by year</h3><table><thead><tr>
<th>Year</th><th>Passengers</th></tr></thead><tbody><tr><td>2021</td><td>811,000</td></tr><tr><td>2022</td><td>902,000</td></tr></tbody></table></div></div>
{_FOOTER}</body></html>"""
    return Page(
        name="press release", html=html, title="Transport office announces works at Talsk crossing", date="2024-03-11",
        publisher="Regional Transport Office", headings=("What will change", "Passengers by year", "Year | Passengers"),
        paragraphs=(*BRIDGE[:2], *items, *BRIDGE[5:], "2021 | 811,000", "2022 | 902,000"),
    )  # fmt: skip


def _long_read() -> Page:
    parts = [*WELLS, *BRIDGE]
    sections = "".join(
        f"<section><h2>Part {n}</h2>{_p(tuple(parts[n * 4 : n * 4 + 4]))}<figure><img><figcaption>Picture for part {n} of the story.</figcaption></figure></section>"
        for n in range(3)
    )
    html = f"""<!doctype html><html lang="en"><head><title>Two rivers</title><meta property="og:title" content="Two rivers: a long read on wells and ferries">
<meta property="og:site_name" content="Slow Paper"></head><body>{_COOKIES}{_NAV}<article><h1>Two rivers: a long read on wells and ferries</h1>
<div class="meta"><span class="author">Words by Mina Falk</span><span class="published-date">3 February 2024</span></div>{sections}{_p(tuple(parts[12:]))}
<div class="tags"><a>Rivers</a><a>Long reads</a></div></article><div class="recommended"><h2>Recommended for you</h2><div class="card"><h3>The last
lighthouse keeper</h3><p>For thirty years he has climbed the same stairs every evening.</p></div></div>{_FOOTER}</body></html>"""
    return Page(
        name="long read", html=html, title="Two rivers: a long read on wells and ferries", date="2024-02-03", author="Mina Falk",
        publisher="Slow Paper", paragraphs=tuple(parts), headings=("Part 0", "Part 1", "Part 2"),
        captions=tuple(f"Picture for part {n} of the story." for n in range(3)),
    )  # fmt: skip


def _breaks() -> Page:
    html = f"""<!doctype html><html lang="en"><head><title>Wells and hours</title><meta name="pubdate" content="20230522"></head><body>
<div id="menu"><a>Home</a> <a>Archive</a></div><div id="story"><h1>Wells and hours</h1><div class="text">{"<br><br>".join(WELLS)}</div></div>
<div id="bottom">All rights reserved</div></body></html>"""
    return Page(name="breaks", html=html, title="Wells and hours", date="2023-05-22", paragraphs=WELLS)


def _no_declarations() -> Page:
    html = f"""<html><body><ul><li><a href="/">Home</a></li><li><a href="/news">News</a></li></ul><h1>Ferry stops, bus starts</h1>
<p>March 15, 2024</p>{_p(BRIDGE)}<p><a href="/back">Back to the list of news</a></p></body></html>"""
    return Page(
        name="no declarations", html=html, title="Ferry stops, bus starts", date="2024-03-15", paragraphs=BRIDGE
    )


def _shingles(text: str, n: int = 4) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return Counter(tuple(words[i : i + n]) for i in range(max(1, len(words) - n + 1)))


def _f1(found: str, wanted: str) -> float:
    a, b = _shingles(found), _shingles(wanted)
    hits = (a & b).total()
    return 2 * hits / (a.total() + b.total())


def _texts(result: Extract, *roles: str) -> list[str]:
    return [b.text for b in result.blocks if b.role in roles]


def _read(page: Page) -> Extract:
    return extract(page.html.encode(page.encoding), name=f"{page.name}.html")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_news_page_gives_its_article_and_nothing_else(page: Page) -> None:
    result = _read(page)
    body = _texts(result, "body")
    assert _f1("\n".join(body), "\n".join(page.paragraphs)) >= 0.95
    assert [p for p in page.paragraphs if p not in body] == []  # one paragraph, one block
    assert _texts(result, "heading") == list(page.headings)
    assert _texts(result, "caption", "credit") == list(page.captions)
    assert _texts(result, "title") == []  # it is told by the metadata


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_news_page_tells_title_date_author_and_publisher(page: Page) -> None:
    metadata = _read(page).metadata
    assert (metadata.title, metadata.date) == (page.title, page.date)
    assert metadata.publisher == page.publisher
    assert metadata.url == page.url
    if page.author:
        assert metadata.author == page.author


def test_note_about_the_author_is_kept_apart() -> None:
    page = next(p for p in pages() if p.name == "opinion")
    result = _read(page)
    assert _texts(result, "author-note") == [page.author_note]
    assert result.metadata.genre == "opinion"


def test_page_assembles_into_a_source_with_exact_offsets() -> None:
    source = assemble("classic.html", _read(pages()[0]))
    body = [p for p in source.paragraphs if p.role == "body"]
    assert [p.number for p in body] == list(range(1, 8))
    assert source.text[body[1].start : body[1].end] == pages()[0].paragraphs[1]
    assert body[4].headings == ("Bus instead of boat",)


def test_paragraph_like_its_neighbours_is_not_lost_and_doubles_are() -> None:
    shown = [f"<p>{text}</p>" for text in BRIDGE]
    shown.insert(3, '<p class="promo">Subscribe to our morning newsletter.</p>')
    article = f"<article><h1>Talsk ferry</h1>{''.join(shown)}<div class=mobile>{shown[2]}</div></article>"
    result = extract(f"<html><body>{article}</body></html>".encode(), name="a.html")
    assert _texts(result, "body", "footer") == list(BRIDGE)


def test_page_address_is_used_when_the_page_names_none() -> None:
    page = next(p for p in pages() if p.name == "breaks")
    result = extract(page.html.encode(), name="https://example.org/a?id=1", declared_type="text/html")
    assert result.metadata.url == "https://example.org/a?id=1"
    assert result.media_type == "text/html"


@pytest.mark.parametrize(
    "html", ["<html><body><nav><a href=/>Home</a></nav></body></html>", "<html></html>", "<!doctype html><"]
)
def test_page_without_main_text_is_refused(html: str) -> None:
    with pytest.raises(BadSource) as caught:
        extract(html.encode(), name="front.html")
    assert "\n" not in str(caught.value)


def test_front_page_message() -> None:
    with pytest.raises(BadSource) as caught:
        extract(b"<html><body><nav><a href=/>Home</a></nav></body></html>", name="front.html")
    assert str(caught.value) == (
        "no main text was found in the page: is it a front page, a video, or filled in by scripts? "
        "Save the article itself as text"
    )


def test_one_broken_address_does_not_spoil_the_page() -> None:
    page = pages()[0]
    for good in ("https://courier.example/region/talsk-ferry-closes", "https://schema.org"):
        result = extract(page.html.replace(good, "https://[cour").encode(), name="a.html")
        assert result.metadata.title == page.title


def test_broken_markup_never_raises_anything_but_our_errors() -> None:
    whole = pages()[0].html
    for cut in range(0, len(whole), 97):
        try:
            extract(whole[:cut].encode(), name="cut.html")
        except BadSource:
            continue


def test_deeply_nested_page_ends_in_a_sentence_or_a_text() -> None:
    html = "<html><body>" + "<div>" * 20_000 + "<p>Deep words stand here in the middle of it all.</p>"
    try:
        extract(html.encode(), name="deep.html")
    except BadSource as exc:
        assert "\n" not in str(exc)


def test_page_saved_by_the_browser_as_mhtml_is_read() -> None:
    page = pages()[0]
    saved = (
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://courier.example/x\r\nSubject: x\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="b1"\r\n\r\n\r\n--b1\r\nContent-Type: text/html\r\n'
        "Content-Transfer-Encoding: 8bit\r\nContent-Location: https://courier.example/x\r\n\r\n"
        + page.html
        + "\r\n--b1--\r\n"
    )
    result = extract(saved.encode(), name="page.mhtml")
    assert result.metadata.title == page.title
    assert page.paragraphs[2] in _texts(result, "body")


_STORIES = ("Storm closes three schools in the north", "Harbour strike enters its second week", "The new tax explained")


def _cards() -> str:
    card = "<div class='card'><a href='/s{n}'><img src='x.jpg'><h4>{title}</h4></a><p>{text}</p><span>{n} hours ago</span></div>"
    return "".join(card.format(n=n, title=t, text=BRIDGE[-1 - n][:200]) for n, t in enumerate(_STORIES, start=1))


def _shown(html: str) -> list[tuple[str, str]]:
    return [(b.role, b.text) for b in extract(html.encode(), name="a.html").blocks if b.role in {"body", "heading"}]


def test_cards_of_other_stories_below_the_text_are_left_out() -> None:
    """Main-text extraction takes their summaries for paragraphs where no class names them."""
    text = "".join(f"<div class='k1'><p>{p}</p></div>" for p in BRIDGE[:4])
    html = f"<html><body><div class='k0'><h1>The bridge</h1>{text}<div class='k7'><h2>Top stories</h2>{_cards()}</div></div></body></html>"
    assert _shown(html) == [("body", p) for p in BRIDGE[:4]]


def test_list_items_with_linked_headlines_inside_the_text_stay() -> None:
    items = "".join(
        f"<div class='item'><h3><a href='/s{i}'>{t}</a></h3><p>{BRIDGE[i]}</p></div>" for i, t in enumerate(_STORIES)
    )
    rest = "".join(f"<p>{p}</p>" for p in BRIDGE[3:])
    html = f"<html><body><article><h1>The bridge</h1><p>So it began on the quay of Talsk, by the account of the ferrymen themselves.</p>{items}{rest}</article></body></html>"
    found = _shown(html)
    assert all(("body", BRIDGE[i]) in found and ("heading", t) in found for i, t in enumerate(_STORIES))


def test_a_page_of_nothing_but_cards_keeps_its_cards() -> None:
    """Such as a digest: there the cards are the text."""
    html = f"<html><body><main><h1>News</h1><section>{_cards()}</section></main></body></html>"
    assert [t for role, t in _shown(html) if role == "body"] == [BRIDGE[-1 - n][:200].strip() for n in (1, 2, 3)]


def test_headings_over_lists_of_links_go_and_headings_of_posts_stay() -> None:
    links = "<ul>" + "".join(f"<li><a href='/s{i}'>{t}</a></li>" for i, t in enumerate(_STORIES)) + "</ul>"
    posts = "".join(
        f"<article class='post'><time>1{i}:05</time><h2>Update {i}: the water rises</h2><p>{p}</p></article>"
        for i, p in enumerate(BRIDGE[:4])
    )
    html = f"<html><body><main><h1>The bridge</h1>{posts}<section><h2>More on the bridge</h2>{links}</section></main></body></html>"
    found = _shown(html)
    assert [t for role, t in found if role == "body"] == list(BRIDGE[:4])
    assert [t for role, t in found if role == "heading"] == [f"Update {i}: the water rises" for i in range(4)]


@pytest.mark.parametrize(
    "line",
    [
        "2 hours ago", "Download our app for breaking news alerts.", "5 min read", "Join our Telegram channel for more.",
        "Support independent journalism. Donate to the paper today.",
    ],
)  # fmt: skip
def test_lines_of_the_house_between_paragraphs_are_left_out(line: str) -> None:
    text = "".join(f"<p>{p}</p>" for p in (*BRIDGE[:3], line, *BRIDGE[3:6]))
    html = f"<html><body><article><h1>The bridge</h1>{text}</article></body></html>"
    assert [t for _, t in _shown(html)] == list(BRIDGE[:6])


def _page_with(extra: str) -> str:
    text = "".join(f"<p>{p}</p>" for p in BRIDGE[:5])
    return f"<html><body><article><h1>The bridge</h1>{text}</article>{extra}</body></html>"


def _all(html: str) -> list[str]:
    return [b.text for b in extract(html.encode(), name="a.html").blocks]


def test_headlines_under_pictures_of_other_stories_are_no_captions() -> None:
    cards = "".join(
        f"<figure><img src='{i}.jpg'><figcaption><a href='/story-{i}'>{t}</a> ({i})</figcaption></figure>"
        for i, t in enumerate(_STORIES)
    )
    html = _page_with("").replace("</article>", f"</article>{cards}<p>{BRIDGE[5]}</p>")
    assert not set(_STORIES) & {t.removesuffix(f" ({i})") for t in _all(html) for i in range(3)}


def test_a_caption_linked_to_its_picture_stays() -> None:
    figure = "<figure><a href='/large/quay.jpg'><img src='q.jpg'><figcaption>The quay of Talsk at dawn</figcaption></a></figure>"
    html = _page_with("").replace(f"<p>{BRIDGE[2]}</p>", f"{figure}<p>{BRIDGE[2]}</p>")
    assert "The quay of Talsk at dawn" in _all(html)


def test_what_is_said_in_a_film_is_no_caption() -> None:
    lines = "".join(f"<p class='caption'>00:0{i} {w} the ferry</p>" for i, w in enumerate(("before", "on", "after")))
    html = _page_with("").replace(f"<p>{BRIDGE[2]}</p>", f"<div>{lines}</div><p>{BRIDGE[2]}</p>")
    assert not any(t.startswith("00:0") for t in _all(html))


def test_a_list_of_links_below_the_text_is_left_out_and_links_within_it_stay() -> None:
    stories = [
        f"{t}, and what {who} think of it" for t in _STORIES for who in ("teachers", "fishermen", "the ministry")
    ]
    below = "".join(f"<p><a href='/s{i}'>{t}</a></p>" for i, t in enumerate(stories))
    within = f"<p><a href='/source'>The report of the harbour office</a></p><p>{BRIDGE[2]}</p>"
    html = _page_with("").replace("</article>", f"{below}</article>").replace(f"<p>{BRIDGE[2]}</p>", within)
    found = _all(html)
    assert "The report of the harbour office" in found and not set(stories) & set(found)


def test_a_date_from_before_the_web_is_not_the_page_s_own() -> None:
    html = _page_with("").replace(
        "<h1>The bridge</h1>",
        "<h1>The bridge</h1><p>The act of August 14, 1935 is the reason, says the mayor in a long letter.</p>",
    )
    assert extract(html.encode(), name="a.html").metadata.date is None


@pytest.mark.parametrize("shown", ["Account You're logged", "talskcourier.com"])
def test_a_login_line_or_a_host_is_no_author(shown: str) -> None:
    address = "<link rel='canonical' href='https://talskcourier.com/bridge'></head>"
    html = _page_with("").replace("<article>", f"<article><p class='byline'><a rel='author'>{shown}</a></p>")
    html = html.replace("<body>", f"<head>{address}<body>")
    assert extract(html.encode(), name="a.html").metadata.author is None
