"""References in citation styles: right for each kind of source, and safe whatever a source is called."""

from __future__ import annotations

import re
from dataclasses import replace

import bibtexparser
import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st
from pylatexenc.latex2text import LatexNodes2Text

from app.answer import Citation
from app.errors import BadInput
from app.exports.references import STYLES, entry, note, references, sources_of

REPORT = Citation(
    marker=1, passage_id="p", source_id="un/report 1", title="Report on {Ferries} & 50 % of_it", publisher="UN Council",
    author=None, date="2024-07", date_note="late July 2024", url="https://example.org/a_b?x=1&y=2", genre="un-report",
    origin="fetched", fetched_at="2024-08-02T10:00:00+00:00", locator="¶8", paragraph=8, quote="q", start=0, end=1,
    support=0.9, claim_status=None, claimed_by=None,
)  # fmt: skip
NEWS = replace(
    REPORT, marker=2, source_id="news", title='The "Lena" sails again?', publisher="Harbour Times", author="Jane van Doe",
    date="2024-03-22", date_note=None, genre="news", locator="p. 3 ¶2",
)  # fmt: skip


def test_a_note_of_a_report_begins_with_who_published_it() -> None:
    assert note(REPORT, "*{}*".format) == (
        "UN Council, *Report on {Ferries} & 50 % of_it*, July 2024, ¶8, https://example.org/a_b?x=1&y=2."
    )


def test_a_note_of_an_article_has_author_title_in_quotes_publisher_and_day() -> None:
    assert note(NEWS) == (
        "Jane van Doe, “The ‘Lena’ sails again?,” Harbour Times, March 22, 2024, p. 3 ¶2, https://example.org/a_b?x=1&y=2."
    )


def test_entries_of_the_bibliography() -> None:
    assert entry(NEWS) == (
        "van Doe, Jane. “The ‘Lena’ sails again?” Harbour Times, March 22, 2024. https://example.org/a_b?x=1&y=2."
    )
    assert entry(replace(REPORT, url=None)) == "UN Council. Report on {Ferries} & 50 % of_it. July 2024."


@pytest.mark.parametrize("style", STYLES)
def test_every_style_says_that_a_summary_is_in_the_words_of_iskp_qa(style: str) -> None:
    summary = replace(NEWS, date=None, origin="bundled notes", locator="note 3", url=None)
    said = "summarised by iskp-qa in its own words"
    assert said in references([summary], style).lower() and said not in references([NEWS], style).lower()
    assert "note 3" not in references([summary], style), "nobody can look up our own count"
    compared = replace(summary, genre="notes", author=None, publisher="iskp-qa project")
    assert "comparison by iskp-qa, in its own words" in references([compared], style).lower()


@pytest.mark.parametrize(
    ("author", "first"),
    [
        ("Jane Doe", "Doe, Jane."),
        ("Doe, Jane", "Doe, Jane."),
        ("Jane Doe and Ann Lee", "Doe, Jane, and Ann Lee."),
        ("E. Lemon, N. Tucker", "Lemon, E., and N. Tucker."),
        ("Jadoon, Sayed, Webber, Valle", "Jadoon et al."),
        ("UN Monitoring Team", "UN Monitoring Team."),
        ("Ministry of Justice and Police", "Ministry of Justice and Police."),
        ("Plato", "Plato."),
        ("李明", "李明."),
        (None, "Harbour Times."),
    ],
)
def test_people_are_turned_round_and_organisations_are_not(author: str | None, first: str) -> None:
    assert entry(replace(NEWS, author=author)).startswith(first)


def test_chicago_notes_each_citation_and_the_others_each_source_once() -> None:
    cited = [REPORT, NEWS, replace(REPORT, marker=3, locator="¶9")]
    assert [line[:2] for line in references(cited, "chicago").splitlines()] == ["1.", "2.", "3."]
    assert [line[:3] for line in references(cited, "chicago-bibliography").splitlines()] == ["UN ", "van"]
    assert (
        len(rispy.loads(references(cited, "ris")))
        == len(bibtexparser.parse_string(references(cited, "bibtex")).entries)
        == 2
    )
    assert [c.source_id for c in sources_of(cited)] == ["un/report 1", "news"]


def test_nothing_cited_is_nothing_and_an_unknown_style_is_said() -> None:
    assert all(references([], style) == "" for style in STYLES)
    with pytest.raises(BadInput, match=r"no citation style 'apa'.*chicago"):
        references([NEWS], "apa")


def test_ris_has_type_name_date_and_address() -> None:
    (read,) = rispy.loads(references([NEWS], "ris"))
    assert read["type_of_reference"] == "NEWS" and read["authors"] == ["van Doe, Jane"]
    assert (read["year"], read["date"], read["access_date"]) == ("2024", "2024/03/22/", "2024/08/02")
    assert read["urls"] == ["https://example.org/a_b?x=1&y=2"]


def test_bibtex_has_type_key_names_and_dates() -> None:
    one, two = bibtexparser.parse_string(references([REPORT, NEWS], "bibtex")).entries
    assert (one.entry_type, one.key) == ("report", "un-report-1")
    assert one["author"] == "{UN Council}" and one["title"].startswith("{Report on ")
    assert (two["author"], two["date"], two["urldate"]) == ("van Doe, Jane", "2024-03-22", "2024-08-02")
    assert two["url"] == "https://example.org/a_b?x=1&y=2"


def test_equal_keys_are_told_apart() -> None:
    text = references([replace(NEWS, source_id=i) for i in ("a b", "a/b", "日本")], "bibtex")
    assert [e.key for e in bibtexparser.parse_string(text).entries] == ["a-b", "a-b-2", "source"]


# What BibTeX and RIS give a meaning to, line ends, and any other character.
awkward = st.text(
    alphabet=st.sampled_from("{}\\%#&_$~^@\",=-\n\r\t 'ÄяبA1") | st.characters(exclude_categories=["Cs"]), max_size=25
)


@given(title=awkward, author=awkward, publisher=awkward)
def test_bibtex_is_read_back_with_the_same_words(title: str, author: str, publisher: str) -> None:
    cited = replace(NEWS, title=title, author=author, publisher=publisher)
    text = references([cited, REPORT], "bibtex")
    read = bibtexparser.parse_string(text)
    assert not read.failed_blocks and [e.key for e in read.entries] == ["news", "un-report-1"]
    if _letters(title):
        value = str(read.entries[0]["title"])
        assert value[0] == "{" and value[-1] == "}"
        assert _letters(LatexNodes2Text().latex_to_text(value[1:-1])) == _letters(title)
    depth = 0
    for sign in text:  # BibTeX counts braces, even those behind a backslash
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0


@given(title=awkward, author=awkward, publisher=awkward)
def test_ris_is_read_back_with_the_same_words_and_no_other_fields(title: str, author: str, publisher: str) -> None:
    one, two = rispy.loads(references([replace(NEWS, title=title, author=author, publisher=publisher), REPORT], "ris"))
    assert one.get("title", "") == _flat(title) and one["type_of_reference"] == "NEWS"
    assert set(one) <= {
        "type_of_reference",
        "title",
        "authors",
        "publisher",
        "year",
        "date",
        "urls",
        "access_date",
        "id",
    }
    assert two["title"] == REPORT.title


def _letters(text: str) -> str:
    """The text without spaces, quotes and dashes, which LaTeX joins and sets in its own way."""
    return re.sub(r"[\s'`´‘’“”\"–—-]", "", _flat(text)).replace("\N{MODIFIER LETTER CIRCUMFLEX ACCENT}", "^")


def _flat(text: str) -> str:
    return " ".join("".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 else c for c in text).split())
