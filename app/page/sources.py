"""The Sources tab: what there is, reading it, adding and removing, the index."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from app.errors import AppError
from app.exposure import check_uploads, upload_limits_of
from app.home import Home
from app.page.bridge import number, text
from app.page.tables import Act, TableRow, table_html
from app.page.talk import Talk
from app.page.work import Tell, Work, work_html
from app.render import GENRE_WORDS, origin_words, render, source_html
from index.sync import Progress, SyncReport
from ingest.add import Outcome
from ingest.errors import IngestError
from ingest.source import GENRES, Source

ADDED_FOLDER = "added"
"""Folder in the home for files that were added through the page."""
_BUSY = "Another task is running; try again when it is done."
_NOTHING = "Choose files or give an address first."


class Listed(NamedTuple):
    """What a handler changes on the tab."""

    work: Any = gr.skip()
    table: Any = gr.skip()
    health: Any = gr.skip()
    choices: Any = gr.skip()
    reading: Any = gr.skip()
    files: Any = gr.skip()
    urls: Any = gr.skip()


class SourcesTab:
    """What the tab does; each handler is a plain method that tests can call."""

    def __init__(self, home: Home, work: Work, *, read_only: bool = False) -> None:
        self._home = home
        self._work = work
        self._read_only = read_only

    def listed(self, talk: Talk | None = None) -> Listed:
        """Table, index health and choices of the filter as they are now."""
        sources = list(self._home.library)
        return Listed(
            work=work_html(self._work.state, _who(talk)),
            table=self._table(sources),
            health=self._health(sources),
            choices=gr.update(choices=[(f"{s.title} ({s.date or 'undated'})", s.id) for s in sources]),
        )

    def read(self, event: gr.EventData, talk: Talk) -> str:
        """A source in full, with what the conversation cites marked."""
        source_id = text(event, "source")
        start, end = number(event, "start"), number(event, "end")
        focus = (start, end) if start is not None and end is not None and end > start else None
        return self.reading(source_id, talk, focus)

    def reading(self, source_id: str, talk: Talk, focus: tuple[int, int] | None = None) -> str:
        """The same for a source id and a span to look at."""
        opened = self._home.index.current()
        source = opened.source(source_id) if opened else None
        try:
            source = source or self._home.library.get(source_id)
        except IngestError as exc:
            return render("notice.html", text=str(exc))
        cited = [
            (c.start, c.end)
            for e in talk.exchanges
            if e.answer
            for c in e.answer.citations
            if c.source_id == source_id and source.text[c.start : c.end] == c.quote
        ]
        return source_html(source, cited, focus)

    def add(
        self,
        files: Sequence[str] | None,
        urls: str,
        title: str,
        author: str,
        date: str,
        publisher: str,
        genre: str,
        talk: Talk | None = None,
    ) -> Iterator[Listed]:
        """Add files and addresses, with progress and what became of each."""
        addresses = [u for u in (urls or "").split() if u]
        if not files and not addresses:
            yield Listed(work=render("notice.html", text=_NOTHING))
            return
        given = {"title": title, "author": author, "date": date, "publisher": publisher, "genre": genre}
        overrides = {k: v.strip() for k, v in given.items() if v and v.strip()}
        try:
            copies = self._copies([Path(f) for f in files or ()])
        except AppError as exc:
            yield Listed(work=render("notice.html", text=str(exc)))
            return

        def job(tell: Tell) -> str:
            outcomes = _told(self._outcomes(copies, addresses, overrides), len(copies) + len(addresses), tell)
            good = sum(1 for o in outcomes if o.status != "failed")
            return f"{good} of {len(outcomes)} can be asked about now. {_report(self._sync(tell))}"

        for shown in self._run("Adding sources", job, talk):
            yield shown._replace(files=None, urls="")

    def remove(self, event: gr.EventData, talk: Talk | None = None) -> Iterator[Listed]:
        """Remove a source."""
        source_id = text(event, "source")

        def job(tell: Tell) -> str:
            record = self._home.library.record(source_id)
            self._home.remove(source_id)
            if record and record.path and Path(record.path).parent == self._added:
                Path(record.path).unlink(missing_ok=True)
            tell.line(source_id, "removed")
            return _report(self._sync(tell))

        for shown in self._run("Removing a source", job, talk):
            yield shown._replace(reading="")

    def fetch(self, talk: Talk | None = None) -> Iterator[Listed]:
        """Replace bundled notes by the originals from their publishers."""

        def job(tell: Tell) -> str:
            wanted = sum(1 for s in self._home.library if s.origin == "bundled notes" and s.url)
            outcomes = _told(self._home.fetch_originals(), wanted, tell)
            if not outcomes:
                return "No source here stands for an original that could be fetched."
            had = sum(1 for o in outcomes if o.status != "failed")
            return f"{had} of {len(outcomes)} originals fetched; for the others the notes serve. {_report(self._sync(tell))}"

        yield from self._run("Fetching originals", job, talk)

    def reindex(self, talk: Talk | None = None) -> Iterator[Listed]:
        """Bring sources and index in line with the files."""

        def job(tell: Tell) -> str:
            tell.step("looking for changed files")
            for outcome in self._home.update_sources():
                tell.line(outcome.name, outcome.status, outcome.reason)
            return _report(self._sync(tell))

        yield from self._run("Re-indexing", job, talk)

    def examine(self, talk: Talk | None = None) -> Iterator[Listed]:
        """Compare sources, vectors and lexical index."""

        def job(tell: Tell) -> str:
            from app.doctor import examine

            tell.step("comparing sources, vectors and lexical index")
            found = examine(self._home)
            for name, value in found.facts.items():
                tell.line(name, value)
            for problem in found.problems:
                tell.line("problem", "found", problem)
            return (
                "All is well." if not found.problems else "Problems were found; re-index, or run: iskp doctor --repair"
            )

        yield from self._run("Index health", job, talk)

    def follow(self, talk: Talk | None = None) -> Iterator[Listed]:
        """A job that is running already, for a page that has just been opened."""
        yield Listed(
            work=work_html(self._work.state, _who(talk))
        )  # a generator that yields nothing would empty the tab
        if self._work.state.running:
            yield from self._follow(talk)

    def dismiss(self, talk: Talk) -> str:
        """Let the result of one's last job go."""
        self._work.dismiss(_who(talk))
        return work_html(self._work.state, _who(talk))

    def _run(self, title: str, job: Any, talk: Talk | None) -> Iterator[Listed]:
        if self._read_only:
            yield Listed(work=render("notice.html", text="This page is read-only; sources cannot be changed here."))
            return
        if not self._work.start(title, job, owner=_who(talk)):
            yield Listed(work=render("notice.html", text=_BUSY))
            return
        yield from self._follow(talk)

    def _follow(self, talk: Talk | None) -> Iterator[Listed]:
        for state in self._work.follow():
            yield Listed(work=work_html(state, _who(talk)))
        yield self.listed(talk)

    @property
    def _added(self) -> Path:
        return self._home.folder.resolve() / ADDED_FOLDER

    def _copies(self, uploaded: Sequence[Path]) -> list[Path]:
        """Copies in the home, because the upload folder is cleared; the same name is a new version of it.

        Raises:
            BadUpload: too many or too large, or the page is read-only.
        """
        limits = upload_limits_of(self._home.settings.chat)
        names = check_uploads([(f.name, f.stat().st_size) for f in uploaded], limits, read_only=self._read_only)
        if names:
            self._added.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copy(f, self._added / name)) for f, name in zip(uploaded, names, strict=True)]

    def _outcomes(self, files: Sequence[Path], urls: Sequence[str], overrides: dict[str, str]) -> Iterator[Outcome]:
        yield from self._home.add(files, overrides)
        yield from self._home.add_urls(urls, overrides)

    def _sync(self, tell: Tell) -> SyncReport:
        def progress(p: Progress) -> None:
            tell.step("indexing", p.done, p.total)

        tell.step("indexing")
        return self._home.sync(progress=progress)

    def _table(self, sources: Sequence[Source]) -> str:
        rows = [
            TableRow(
                cells=(
                    s.title, s.publisher or s.author or "", s.date or "undated", GENRE_WORDS.get(s.genre, s.genre),
                    origin_words(s.origin, s.fetched_at),
                ),
                name=s.title,
                acts=self._acts(s),
            )
            for s in sources
        ]  # fmt: skip
        return table_html("Sources", ("Title", "Publisher", "Date", "Kind", "Text"), rows, find="Find", unit="sources")

    def _acts(self, source: Source) -> tuple[Act, ...]:
        read = Act(act="read", label="Read", data={"source": source.id})
        if self._read_only:
            return (read,)
        sure = f"Remove “{source.title}” and its passages?"
        return (read, Act(act="removesource", label="Remove", data={"source": source.id}, sure=sure))

    def _health(self, sources: Sequence[Source]) -> str:
        opened = self._home.index.current()
        passages = opened.passage_count() if opened else 0
        state = "in line with the sources" if opened and not self._home.stale() else "behind the sources: re-index"
        facts = f"{len(sources)} sources, {passages} passages; the index is {state}"
        return render("notice.html", text=f"{facts} ({opened.id})." if opened else f"{facts}.")


class SourcesParts(NamedTuple):
    """Components of the tab that others use."""

    listed: list[Any]
    reading: gr.HTML


def build(tab: SourcesTab, bridge: gr.HTML, talk: gr.State, choices: Any, *, read_only: bool) -> SourcesParts:
    """The tab's components and events."""
    first = tab.listed()
    health = gr.HTML(first.health, elem_id="health", apply_default_css=False)
    with gr.Accordion("Add sources", open=False, visible=not read_only, elem_id="add") as adding:
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                files = gr.File(
                    label="Files (HTML, PDF, DOCX, EPUB, text)", file_count="multiple", height=170,
                    elem_id="files",
                )  # fmt: skip
            with gr.Column(scale=1, min_width=280):
                urls = gr.Textbox(
                    label="Addresses, one a line (they are fetched from the network)", lines=2, max_lines=6,
                    placeholder="https://example.org/report.html", elem_id="urls",
                )  # fmt: skip
                add = gr.Button("Add", variant="primary", elem_id="add-button")
        with gr.Accordion("Bibliographic data, where the files do not say", open=False), gr.Row():
            title = gr.Textbox(label="Title", min_width=160)
            author = gr.Textbox(label="Author", min_width=160)
            date = gr.Textbox(label="Date", placeholder="2024-03-22", min_width=120)
            publisher = gr.Textbox(label="Publisher", min_width=160)
            genre = gr.Dropdown(
                label="Kind",
                choices=[("as found", ""), *((GENRE_WORDS[g], g) for g in GENRES)],
                value="",
                min_width=120,
            )
    with gr.Row(elem_id="source-actions", visible=not read_only):
        reindex = gr.Button("Re-index", size="sm", elem_id="reindex", scale=0, min_width=110)
        fetch = gr.Button("Fetch originals", size="sm", elem_id="fetch", scale=0, min_width=110)
        examine = gr.Button("Check the index", size="sm", elem_id="examine", scale=0, min_width=110)
    work = gr.HTML("", elem_id="work", apply_default_css=False)
    with gr.Row(elem_id="shelf"):
        with gr.Column(scale=3, min_width=300):
            table = gr.HTML(first.table, elem_id="source-table", apply_default_css=False)
        with gr.Column(scale=2, min_width=300):
            reading = gr.HTML(_unread(), elem_id="reading", apply_default_css=False)
    listed = [work, table, health, choices, reading, files, urls]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    working = {**quiet, "concurrency_limit": 8, "concurrency_id": "work"}
    add.click(tab.add, [files, urls, title, author, date, publisher, genre, talk], listed, **working)
    reindex.click(tab.reindex, talk, listed, **working)
    fetch.click(tab.fetch, talk, listed, **working)
    examine.click(tab.examine, talk, listed, **working)
    bridge.removesource(tab.remove, talk, listed, **working)
    bridge.dismiss(tab.dismiss, talk, work, queue=False, **quiet)
    bridge.read(tab.read, talk, reading, queue=False, **quiet)
    bridge.addsource(lambda: gr.update(open=True), None, adding, queue=False, **quiet)
    return SourcesParts(listed=listed, reading=reading)


def _who(talk: Talk | None) -> str:
    return talk.owner if talk else ""


def _unread() -> str:
    return render("notice.html", text="Choose “Read” to see a source in full, with the cited words marked.")


def _told(outcomes: Iterable[Outcome], total: int, tell: Tell) -> list[Outcome]:
    """The outcomes, each told as it comes."""
    had: list[Outcome] = []
    tell.step("reading", 0, total or None)
    for outcome in outcomes:
        had.append(outcome)
        passages = f"{outcome.passages} passages" if outcome.passages else ""
        tell.line(
            Path(outcome.name).name or outcome.name, outcome.status, "; ".join(filter(None, (passages, outcome.reason)))
        )
        tell.step("reading", len(had), max(total, len(had)) or None)
    return had


def _report(report: SyncReport) -> str:
    return (
        f"Index: {report.added} passages added, {report.updated} updated, {report.deleted} deleted, "
        f"{report.skipped} unchanged, in {report.seconds:.1f} s."
    )
