"""Answers that have a form: comparisons as tables, timelines with a plot, lists with their number, verdicts with both sides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from html import escape

from app.answer import Answer, Citation, Row
from app.citation_text import holder, is_comparison
from app.rendering.prose import BULLET, blocks, link, linked, table_html
from app.rendering.render import render
from app.text.messages import said
from app.text.periods import periods

VERDICTS = {"Yes": "yes", "No": "no", "Disputed": "disputed", "Not in the sources": "open"}
NOTHING = "The sources say nothing on this."
_VERDICT = re.compile(rf"({'|'.join(VERDICTS)})[.:]?\s")
_TALLY = re.compile(r"(\d+) ")
_ENDING = re.compile(r"[\s.!?…\"'”’»)\]]+$")


def shape_html(
    answer: Answer, known: Mapping[int, Citation], turn: int, *, still: bool = False, language: str = "en"
) -> str | None:
    """An answer's rows in the form of its shape; None where it has none, or its text was worded anew and no longer holds them.

    Args:
        still: for a file, in which nothing can be clicked.
        language: of the headings of tables.
    """
    if not answer.rows or any(m not in known for r in answer.rows for m in r.markers):
        return None
    if answer.shape == "comparison":
        return _comparison(answer, known, turn, still=still, language=language)
    if answer.shape == "verdict":
        return _verdict(answer, known, turn)
    if answer.shape in {"timeline", "list", "count"}:
        return _listed(answer, known, turn, still=still)
    return None


def verdict_of(answer: Answer) -> str:
    """The first word of a verdict: "Yes", "No", "Disputed"; empty where there is none."""
    first = _VERDICT.match(answer.answer) if answer.shape == "verdict" else None
    return first[1] if first else ""


def cells_of(row: Row) -> list[tuple[str, int]]:
    """The sentences of a row, each with its marker, 0 where the sources say nothing."""
    return list(zip(row.cells, row.markers, strict=False)) or [(NOTHING, 0)]


def _comparison(answer: Answer, known: Mapping[int, Citation], turn: int, *, still: bool, language: str) -> str | None:
    if not _holds(answer):
        return None
    rows = [
        [escape(row.label), escape(cell), *(_whence(known[marker], turn) if marker else ("", ""))]
        for row in answer.rows
        for cell, marker in cells_of(row)
    ]
    caption = escape(", ".join(row.label for row in answer.rows))
    header = [escape(said(words, language=language)) for words in ("Side", "What the sources say", "Source", "Date")]
    return table_html(caption, header, rows, kind="wordy", sides=True, still=still, language=language)


def _verdict(answer: Answer, known: Mapping[int, Citation], turn: int) -> str | None:
    word = verdict_of(answer)
    if not word or not _holds(answer):
        return None
    said = [
        {
            "text": cell,
            "link": link(known[marker], turn),
            "whose": f"{row.label}, in {_whose(known[marker])}" if row.label else _whose(known[marker]),
            "date": said_on(known[marker]),
        }
        for row in answer.rows
        for cell, marker in zip(row.cells, row.markers, strict=False)
    ]
    return render("verdict.html", word=word, state=VERDICTS[word], said=said)


def _listed(answer: Answer, known: Mapping[int, Citation], turn: int, *, still: bool) -> str | None:
    lines = [line for line in answer.answer.splitlines() if line.strip()]
    bulleted = [(line, BULLET.match(line)) for line in lines]
    told = [line[b.end() :] for line, b in bulleted if b]
    rests = [_behind(row.label, words) for row, words in zip(answer.rows, told, strict=False)]
    if len(told) != len(answer.rows) or any(r is None for r in rests):
        return None
    intro = [line for line, b in bulleted if not b]
    tally = _TALLY.match(intro[0]) if intro else None
    items = [
        {
            "label": row.label,
            "html": linked(rest or "", known, turn),
            "spot": f"{turn}-{row.markers[0]}" if row.markers else "",
        }
        for row, rest in zip(answer.rows, rests, strict=True)
    ]
    plot = "" if answer.shape != "timeline" else _plot(answer.rows, turn, still=still)
    return render(
        "listed.html", tally=tally[1] if tally else "", head=intro[0][tally.end() :].rstrip(":") if tally else "",
        intro=blocks("\n".join(intro[1:] if tally else intro), known, turn), items=items, plot=plot, ordered=answer.shape == "timeline",
    )  # fmt: skip


def _behind(label: str, words: str) -> str | None:
    """What a bullet says after its label; None where it begins otherwise."""
    for head in (f"**{label}**: ", f"**{label}** ", f"{label}: ") if label else ("",):
        if words.startswith(head):
            return words[len(head) :]
    return None


def _holds(answer: Answer) -> bool:
    """Whether the text still says what the rows do."""
    plain = " ".join(answer.answer.split())
    return all(_ENDING.sub("", c) in plain for row in answer.rows for c in row.cells)


def said_on(citation: Citation) -> str:
    """The date of the publication; empty where the words are our comparison, whose own date says nothing of it."""
    return "" if is_comparison(citation) else citation.date or "undated"


def _whence(citation: Citation, turn: int) -> tuple[str, str]:
    return f"{escape(_whose(citation))} {link(citation, turn)}", escape(said_on(citation))


def _whose(citation: Citation) -> str:
    return holder(citation, citation.claimed_by)


# the plot of a timeline

_WIDE, _LANE, _TOP = 640.0, 13.0, 8.0
_EDGE = 14.0
_SPOT = 5.0
_TICKS = 8
"""Most years named below the line."""
_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class _Mark:
    x: float
    width: float
    y: float
    label: str
    href: str


def _plot(rows: tuple[Row, ...], turn: int, *, still: bool) -> str:
    """Events along the years: a spot for a day or month, a bar for a longer stretch; empty with fewer than two dates."""
    dated = [(span, row) for row in rows if (span := _span(row.label)) is not None]
    if len(dated) < 2:
        return ""
    low = min(first for (first, _), _ in dated)
    high = max(last for (_, last), _ in dated)
    scale = (_WIDE - 2 * _EDGE) / max(high - low, 1 / 12)
    marks: list[_Mark] = []
    ends: list[float] = []
    for (first, last), row in dated:
        x, width = _EDGE + (first - low) * scale, max(2 * _SPOT, (last - first) * scale)
        lane = next((n for n, end in enumerate(ends) if x > end + 2), len(ends))
        ends[lane : lane + 1] = [x + width]
        href = f"#cite-{turn}-{row.markers[0]}" if row.markers else ""
        marks.append(_Mark(x=x, width=min(width, _WIDE - x), y=_TOP + lane * _LANE, label=row.label, href=href))
    years = range(int(low), int(high) + 1)
    step = -(-len(years) // _TICKS)
    ticks = [(_EDGE + max(0.0, year - low) * scale, year) for year in years if (year - years[0]) % step == 0]
    base = _TOP + len(ends) * _LANE + 4
    return render("plot.html", marks=marks, ticks=ticks, base=base, wide=_WIDE, spot=2 * _SPOT, still=still)


def _span(label: str) -> tuple[float, float] | None:
    """A time in words as decimal years, both ends."""
    found = periods(f"in {label}")
    if not found:
        return None
    return _decimal(found[0].first), _decimal(found[-1].last)


def _decimal(day: int) -> float:
    year, month, rest = day // 10000, day // 100 % 100, day % 100
    try:
        return year + (date(year, month, rest) - date(year, 1, 1)).days / _DAYS
    except ValueError:  # a year that no calendar has
        return float(year)
