"""A ledger as JSON, CSV or Markdown. Pure."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from io import StringIO

from app.citation_text import claimant, described, grade_words, is_comparison, kind_words, one_line, spoken
from app.exports.export import markdown_line, spreadsheet_cell
from app.ledger.entries import Claim, Entry

FORMATS = ("text", "json", "csv", "markdown")
STATE_WORDS = {"disputed": "disputed", "changes": "changes over time", "agrees": "several say the same"}
_STATUSES = (("fact", "Facts"), ("claim", "Claims"), ("opinion", "Opinions"), (None, "Not marked as fact, claim or opinion"))
_COLUMNS = (
    "thing", "state", "number", "value", "date", "holder", "way", "status", "contradicts", "grade", "quote", "words", "title", "place", "address"
)  # fmt: skip


def by_status(entry: Entry) -> list[tuple[str, list[Claim]]]:
    """The claims of an entry, facts, claims and opinions apart, each kind with its heading; "" where none is marked."""
    groups = ((heading, [c for c in entry.claims if c.citation.claim_status == status]) for status, heading in _STATUSES)
    found = [(heading, claims) for heading, claims in groups if claims]
    # Where nothing is marked, as in texts of one's own, there is nothing to tell apart.
    return [("", list(entry.claims))] if [h for h, _ in found] == [_STATUSES[-1][1]] else found


def way(claim: Claim) -> str:
    """How a claim came here: who holds it, who published it, and what is read here, the first first."""
    c = claim.citation
    steps = (claim.holder, "" if is_comparison(c) else c.publisher or c.author or c.title, kind_words(c))
    return " → ".join(dict.fromkeys(s for s in steps if s))


def against(claim: Claim) -> str:
    """Which claims contradict it, in words; empty where none does."""
    return f"contradicts {', '.join(map(str, claim.contradicts))}" if claim.contradicts else ""


def later(claim: Claim, entry: Entry) -> str:
    """Which newer claims the same holder makes with other values, in words; empty where none."""
    newer = [c.number for c in entry.claims if c.holder == claim.holder and c.date and claim.date and c.date > claim.date and c.value != claim.value]
    return f"newer from the same: {', '.join(map(str, newer))}" if newer else ""


def write_ledger(entries: Sequence[Entry], form: str) -> str:
    """The ledger in a form of :data:`FORMATS` other than "text"."""
    writers: dict[str, Callable[[Sequence[Entry]], str]] = {"json": _json, "csv": _csv, "markdown": _markdown}
    return writers[form](entries)


def _json(entries: Sequence[Entry]) -> str:
    data = [{**asdict(e), "claims": [{**asdict(c), "way": way(c)} for c in e.claims]} for e in entries]
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _csv(entries: Sequence[Entry]) -> str:
    out = StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for e in entries:
        for c in e.claims:
            cited = c.citation
            row = (
                e.thing, e.state, str(c.number), c.value, c.date or "", c.holder, way(c), cited.claim_status or "", " ".join(map(str, c.contradicts)),
                grade_words(cited), one_line(cited.quote), kind_words(cited), cited.title, cited.locator, cited.url or "",
            )  # fmt: skip
            writer.writerow([spreadsheet_cell(t) for t in row])
    return out.getvalue()


def _markdown(entries: Sequence[Entry]) -> str:
    lines: list[str] = []
    for e in entries:
        lines += [f"## {markdown_line(e.thing)}", "", f"{STATE_WORDS[e.state].capitalize()}.", ""]
        for heading, claims in by_status(e):
            lines += [*([f"### {heading}", ""] if heading else []), "| | Value | When | Who | How it came | Against | Words |", "| --- | --- | --- | --- | --- | --- | --- |"]
            for c in claims:
                told = ", ".join(t for t in (described(c.citation, c.citation.locator), grade_words(c.citation)) if t)
                cells = (str(c.number), c.value, c.when, c.holder, way(c), against(c), f"{spoken(c.citation, one_line(c.citation.quote))} ({told})")
                lines.append(f"| {' | '.join(markdown_line(t) for t in cells)} |")
            lines.append("")
    return "\n".join(lines)


def heading(claim: Claim) -> str:
    """A claim in one line: value, time, who, who claims it where that is told in other words, what contradicts it, grade."""
    c = claim.citation
    claimed = claimant(c, c.claimed_by) or ""
    told = (claim.when, claim.holder, "" if claimed == claim.holder else claimed, against(claim), grade_words(c))
    return f"{claim.value}  ({'; '.join(t for t in told if t)})"
