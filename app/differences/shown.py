"""Values that differ, written down with who gives them, their dates and markers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from app.answer import Answer, Citation, Difference, Value
from app.differences.dated import said_of, time_of
from app.differences.figure import Found
from app.evidence.citing import cited
from app.text.periods import Asked, of_date, shown
from ingest.source import Source

OLD_YEARS = 2
"""Evidence older than this is called old when a question is about the present."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """The list as text with markers, its citations and the JSON form."""

    text: str
    citations: tuple[Citation, ...]
    difference: Difference


def listed(found: Found, citations: Sequence[Citation], sources: Callable[[str], Source | None]) -> Listed:
    """The values written down, one a line, each with who gives it, its date and its marker.

    Newest first and the undated last, as tables show them (:func:`app.citation_text.rows`): markers count up in both.

    Args:
        citations: those that the answer has already; a sentence cited there keeps its marker.
    """
    every = list(citations)
    known = {(c.source_id, c.start, c.end): c.marker for c in every}
    values: list[Value] = []
    lines: dict[tuple[int, str], list[str]] = {}
    times = {time_of(f) for f in found.figures if f.dated and not f.of_event}
    for figure in sorted(found.figures, key=lambda f: f.dated or "", reverse=True):
        item = figure.evidence
        source = sources(item.hit.passage.source_id)
        if source is None:
            continue
        place = (source.id, item.start, item.end)
        if place not in known:
            known[place] = len(every) + 1
            every.append(cited(item, source, sources, marker=known[place]))
        marker = known[place]
        told_last = len(times) > 1 and figure.dated and not figure.of_event and time_of(figure) == max(times)
        newest = "newest" if told_last else ""
        told = "; ".join(filter(None, (figure.holder, ", ".join(filter(None, (figure.when, newest))))))
        said = f": {figure.said}" if figure.said else ""
        lines.setdefault((marker, told), []).append(f"{figure.value} {figure.unit}".strip() + said)
        values.append(
            Value(value=figure.value, unit=figure.unit, date=figure.dated, marker=marker, of_event=figure.of_event)
        )
    # Values of one sentence share a line.
    written = [f"- {' / '.join(v)}{f' ({told})' if told else ''} [{marker}]" for (marker, told), v in lines.items()]
    return Listed(
        text="\n".join([found.sentence, *written]), citations=tuple(every),
        difference=Difference(about=found.about, values=tuple(values)),
    )  # fmt: skip


def added(
    answer: Answer, found: Found | None, asked: Asked, today: dt.date, sources: Callable[[str], Source | None]
) -> Answer:
    """The answer with what differs behind it, and a word on its age when the question is about the present."""
    if found:
        shown_list = listed(found, answer.citations, sources)
        answer = replace(
            answer, answer=f"{answer.answer}\n{shown_list.text}", citations=shown_list.citations,
            differences=(shown_list.difference,), short_answer=None,  # none of them is preferred
        )  # fmt: skip
    if not asked.now:
        return answer
    newest, marker = max(
        ((said_of(c), c.marker) for c in answer.citations), default=(None, 0), key=lambda n: n[0] or ""
    )
    if newest is None or of_date(newest).last >= (today.year - OLD_YEARS) * 10000 + today.month * 100 + today.day:
        return answer
    note = f"The newest evidence found is of {shown(newest)} [{marker}]."
    return replace(answer, answer=f"{answer.answer}{chr(10) if found else ' '}{note}")
