"""One entry for each thing that sources measure or dispute: every claim with its holder, date and way, and what speaks against it."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from app.access.exposure import Gate
from app.answer import Citation
from app.citation_text import described, grade_words, is_summary, one_line, spoken
from app.errors import AppError
from app.exports.ledger import STATE_WORDS, against, by_status, later, way, write_ledger
from app.facts.layer import Coverage, Wanted
from app.home import Home
from app.ledger.entries import Claim, Entry
from app.page.parcel import choices, parcel
from app.page.place import Place
from app.page.talk import Talk
from app.page.work import Tell, Work
from app.rendering.render import render
from app.text.counts import counted
from index.errors import IndexingError
from ingest.errors import IngestError

_log = logging.getLogger(__name__)

PLACE = "ledger"
_TITLE = "Reading the sentences"
_COMPARING = "Comparing what the sources say …"
_FOLLOWED_SECONDS = 30.0
"""How long an opened ledger waits for what is being read."""
_LOOK_SECONDS = 1.0
_READ_ONLY = "This page is read-only; in a terminal, “iskp index” reads the rest."
_AT_START = 3000
"""Most sentences that are compared when the page starts; 474 took 7 s on two busy cores, the loading of the parser among it."""
_SHOWN = 300
"""Entries that the page lists; the files hold all."""


class Listed(NamedTuple):
    """What a handler changes."""

    work: Any = gr.skip()
    entries: Any = gr.skip()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A ledger, and the state of the home that it is of."""

    state: tuple[object, ...]
    entries: tuple[tuple[str, Entry], ...]
    coverage: Coverage


class LedgerTab:
    """What the view does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home, work: Work, gate: Gate | None = None, *, read_only: bool = False) -> None:
        self._home = home
        self._read_only = read_only
        self._place: Place[int] = Place(work, PLACE, _TITLE, gate)
        self._made: _Made | None = None
        self._lock = threading.Lock()

    @property
    def place(self) -> Place[int]:
        """Its jobs."""
        return self._place

    def make(self) -> _Made:
        """The ledger as the home now is; it is made once for each state of the home."""
        with self._lock:
            coverage = self._home.facts.coverage(self._home.library, self._home.vocabulary())
            opened = self._home.index.current()
            state = (coverage, opened.id if opened else None, tuple(sorted(self._home.library.grades().items())))
            if self._made is None or self._made.state != state:
                self._made = _Made(state=state, entries=tuple(_named(self._home.ledger())), coverage=coverage)
            return self._made

    def prepare(self) -> None:
        """Make the ledger before anybody asks, where the sentences are read and few enough; answers then link to it."""
        try:
            layer, library, vocabulary = self._home.facts, self._home.library, self._home.vocabulary()
            coverage = layer.coverage(library, vocabulary)
            if coverage.done == coverage.total and len(layer.find(library, vocabulary, Wanted(limit=_AT_START + 1))) <= _AT_START:
                self.make()
        except (AppError, IndexingError, IngestError):
            _log.warning("the ledger could not be made", exc_info=True)

    def line(self, citations: Sequence[Citation]) -> str:
        """The address of the line that holds the first of these citations which has one; empty before the ledger is made."""
        made = self._made
        for c in citations if made else ():
            for name, entry in made.entries if made else ():
                for claim in entry.claims:
                    held = claim.citation
                    if held.source_id == c.source_id and held.start < c.end and c.start < held.end:
                        return f"#/ledger/{name}/{claim.number}"
        return ""

    def opened(self, talk: Talk) -> Iterator[Listed]:
        """The ledger, made anew where something has changed, and once more when what is being read meanwhile has been read."""
        self._place.untell(talk.owner)
        yield Listed(work=self._place.shown(talk.owner), entries=gr.skip() if self._made else render("waiting.html", text=_COMPARING))
        for shown in self._place.follow(talk.owner):
            yield Listed(work=shown)
        made = self.make()
        yield Listed(work=self._place.shown(talk.owner), entries=self._shown(made))
        until = time.monotonic() + _FOLLOWED_SECONDS
        while made.coverage.done < made.coverage.total and not self._home.facts.readonly and time.monotonic() < until:
            time.sleep(_LOOK_SECONDS)
            coverage = self._home.facts.coverage(self._home.library, self._home.vocabulary())
            if coverage.done == coverage.total:
                made = self.make()
                yield Listed(work=self._place.shown(talk.owner), entries=self._shown(made))

    def fill(self, talk: Talk, client: str = "here") -> Iterator[Listed]:
        """Read the sentences that are not read yet, then make the ledger."""
        if self._read_only:
            yield Listed(work=self._place.tell(talk.owner, _READ_ONLY))
            return

        def job(tell: Tell) -> tuple[int, str]:
            tell.step("looking for what is not read yet")
            filled = self._home.fill_facts(lambda p: tell.step("reading", round(100 * p.share), 100), tell.stopped.is_set)
            return filled.sentences, "Stopped; what was read stays." if not filled.complete else f"{counted(filled.sentences, 'sentence')} read."

        for shown in self._place.run(job, talk.owner, client):
            yield Listed(work=shown)
        yield Listed(entries=render("waiting.html", text=_COMPARING))
        yield Listed(work=self._place.shown(talk.owner), entries=self._shown(self.make()))

    def export(self, form: str) -> tuple[str, str]:
        """All entries as a file for the browser, and a notice."""
        entries = [entry for _, entry in self.make().entries]
        if not entries:
            return "", render("notice.html", text="The ledger is empty: there is nothing to export.")
        return parcel("ledger", form, write_ledger(entries, form).encode("utf-8-sig" if form == "csv" else "utf-8")), ""

    def _shown(self, made: _Made) -> str:
        coverage = made.coverage
        return render(
            "ledger.html", entries=[_view(name, entry) for name, entry in made.entries[:_SHOWN]], count=len(made.entries), more=max(0, len(made.entries) - _SHOWN),
            sources=coverage.total, read=coverage.done, readonly=self._home.facts.readonly, fills=coverage.done < coverage.total and not self._read_only,
            states=[(word, sum(e.state == state for _, e in made.entries)) for state, word in STATE_WORDS.items()],
        )  # fmt: skip


def build(tab: LedgerTab, bridge: gr.HTML, talk: gr.State, client: Any) -> list[Any]:
    """The view's components and events; gives what :class:`Listed` fills. See :func:`app.page.compare.build`."""
    work = gr.HTML("", elem_id="ledger-work", apply_default_css=False)
    with gr.Row(elem_classes="bar"):
        form = gr.Dropdown(choices("csv", "markdown", "json"), value="csv", show_label=False, label="Download as", container=False, scale=0, min_width=170, elem_id="ledger-form")
        save = gr.Button("Download the ledger", scale=0, min_width=210, elem_id="ledger-save")
    notice = gr.HTML("", elem_id="ledger-notice", apply_default_css=False)
    entries = gr.HTML("", elem_id="ledger", apply_default_css=False)
    file = gr.Textbox(elem_classes="bridge", label="Ledger")
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}

    def fill(whose: Talk, request: gr.Request) -> Iterator[Listed]:
        yield from tab.fill(whose, client(request))

    bridge.fillfacts(fill, talk, [work, entries], concurrency_limit=8, concurrency_id="work", **quiet)
    made = save.click(tab.export, form, [file, notice], **quiet)
    made.then(None, file, None, js="(file) => window.iskp.save(file)", **quiet)
    return [work, entries]


def _named(entries: Sequence[Entry]) -> Iterator[tuple[str, Entry]]:
    """Entries with the name of each in an address: its thing in small letters, with a number where several are called so."""
    times: Counter[str] = Counter()
    for entry in entries:
        name = "-".join(re.findall(r"\w+", entry.thing.casefold()))[:80].strip("-")
        times[name] += 1
        yield f"{name}-{times[name]}" if times[name] > 1 else name, entry


def _view(name: str, entry: Entry) -> dict[str, Any]:
    return {
        "name": name, "thing": entry.thing, "state": entry.state, "words": STATE_WORDS[entry.state], "count": counted(len(entry.claims), "claim"),
        "values": _values(entry.claims),
        "groups": [(heading, [_claim(c, entry) for c in claims]) for heading, claims in by_status(entry)],
    }  # fmt: skip


def _values(claims: Sequence[Claim]) -> str:
    """The different values in the order of their dates, the newest last."""
    values = list(dict.fromkeys(c.value for c in claims))
    return " · ".join(values if len(values) <= 4 else (values[0], "…", *values[-2:]))


def _claim(claim: Claim, entry: Entry) -> dict[str, Any]:
    c = claim.citation
    return {
        "number": claim.number, "value": claim.value, "when": claim.when, "holder": claim.holder, "way": way(claim), "contradicts": claim.contradicts,
        "against": against(claim), "later": later(claim, entry), "grade": grade_words(c), "text": spoken(c, one_line(c.quote)), "ours": is_summary(c),
        "described": described(c, c.locator), "c": c,
    }  # fmt: skip
