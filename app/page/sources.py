"""The Sources tab: what there is, reading it, adding and removing, the index."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from app.access.exposure import check_uploads, upload_limits_of
from app.citation_text import GENRE_WORDS, is_comparison, kind_words
from app.errors import AppError
from app.home import Home
from app.page.bridge import number, text
from app.page.facsimile import Facsimiles
from app.page.tables import Act, TableRow, table_html
from app.page.talk import Talk
from app.page.work import Tell, Work, WorkState, work_html
from app.rendering.html import source_html
from app.rendering.render import render
from app.text.counts import counted
from index.sync import Progress, SyncReport
from ingest.add import Outcome
from ingest.errors import IngestError
from ingest.originals import snapshot_words
from ingest.source import GENRES, Source

ADDED_FOLDER = "added"
"""Folder in the home for files that were added through the page."""
_BUSY = "Another task is running; try again when it is done."
_NOTHING = "Choose files or give an address first."
_CUT_SHORT = "Stopped. What was read is kept, but questions do not find it yet: “Re-index” goes on."
_ADDING, _INDEXING, _BACK = "Adding sources", "Re-indexing", "Bringing a source back"
_STOPPABLE = (_ADDING, _INDEXING)


class _Stopped(AppError):
    """Somebody stopped the indexing."""


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
        self._facsimiles = Facsimiles(home)
        self._read_only = read_only

    def listed(self, talk: Talk | None = None, new: Collection[str] = (), also: str = "") -> Listed:
        """Table, index health and choices of the filter as they are now.

        Args:
            talk: whose page it is.
            new: ids of sources that have just come.
            also: HTML below what the last job says.
        """
        sources = list(self._home.library)
        return Listed(
            work=self._shown(self._work.state, talk) + also,
            table=self._table(sources, new),
            health=self._health(sources),
            choices=gr.update(choices=[(f"{s.title} ({s.date or 'undated'})", s.id) for s in sources]),
        )

    def upload_words(self) -> str:
        """What can be uploaded, of what size."""
        return render("upload.html", limits=upload_limits_of(self._home.settings.chat))

    def read(self, event: gr.EventData, talk: Talk) -> str:
        """A source in full, with what the conversation cites marked."""
        source_id = text(event, "source")
        start, end = number(event, "start"), number(event, "end")
        focus = (start, end) if start is not None and end is not None and end > start else None
        return self.reading(source_id, talk, focus)

    def look(self, event: gr.EventData, talk: Talk) -> str:
        """The same for the pane beside the answer."""
        start, end = number(event, "start"), number(event, "end")
        focus = (start, end) if start is not None and end is not None and end > start else None
        return self.reading(text(event, "source"), talk, focus, beside=True)

    def look_page(self, event: gr.EventData, talk: Talk) -> str:
        """A page of a PDF as it is printed, for the same pane."""
        start, end = number(event, "start"), number(event, "end")
        focus = (start, end) if start is not None and end is not None and end > start else None
        try:
            source = self._source(text(event, "source"))
        except IngestError as exc:
            return render("notice.html", text=str(exc))
        return self._facsimiles.html(source, number(event, "page"), _cited(source, talk), focus)

    def _source(self, source_id: str) -> Source:
        """A source as it was indexed, else as it is stored."""
        opened = self._home.index.current()
        return (opened.source(source_id) if opened else None) or self._home.library.get(source_id)

    def reading(
        self, source_id: str, talk: Talk, focus: tuple[int, int] | None = None, *, beside: bool = False
    ) -> str:
        """The same for a source id and a span to look at."""
        try:
            source = self._source(source_id)
        except IngestError as exc:
            return render("notice.html", text=str(exc))
        return source_html(source, _cited(source, talk), focus, beside=beside, snapshot=snapshot_words(self._home.library, source_id))

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

        new: set[str] = set()

        def job(tell: Tell) -> str:
            outcomes = _told(self._outcomes(copies, addresses, overrides), len(copies) + len(addresses), tell)
            good = [o for o in outcomes if o.status != "failed"]
            new.update(o.source_id for o in good if o.source_id)
            try:
                report = _report(self._sync(tell))
            except _Stopped:
                return _CUT_SHORT
            return f"{len(good)} of {len(outcomes)} can be asked about now. {report}"

        for shown in self._run(_ADDING, job, talk, new=new):
            yield shown._replace(files=None, urls="")

    def remove(self, event: gr.EventData, talk: Talk | None = None) -> Iterator[Listed]:
        """Remove a source; it can be brought back for some days."""
        source_id = text(event, "source")
        also: list[str] = []

        def job(tell: Tell) -> str:
            record, source = self._home.library.record(source_id), self._home.library.get(source_id)
            self._home.remove(source_id)
            if record:
                also.append(render("removed.html", title=source.title, source=source_id))
            if record and record.path and Path(record.path).parent == self._added:
                Path(record.path).unlink(missing_ok=True)
            tell.line(source_id, "removed")
            return _report(self._sync(tell))

        for shown in self._run("Removing a source", job, talk, also=also):
            yield shown._replace(reading="")

    def bring_back(self, event: gr.EventData, talk: Talk | None = None) -> Iterator[Listed]:
        """Store a source again that was removed."""
        source_id = text(event, "source")

        def job(tell: Tell) -> str:
            outcome = self._home.restore(source_id)
            tell.line(outcome.name, "back")
            return _report(self._sync(tell))

        yield from self._run(_BACK, job, talk, new=(source_id,))

    def stop(self, talk: Talk | None = None) -> None:
        """Stop adding or indexing; what was read is kept."""
        if not self._read_only and self._work.state.title in _STOPPABLE and self._work.state.owner == _who(talk):
            self._work.stop()

    def fetch(self, talk: Talk | None = None) -> Iterator[Listed]:
        """Replace bundled notes by the originals from their publishers."""

        def job(tell: Tell) -> str:
            wanted = sum(1 for s in self._home.library if s.origin == "bundled notes" and s.url)
            outcomes = _told(self._home.fetch_originals(), wanted, tell)
            if not outcomes:
                return "No source here stands for an original that could be fetched."
            had = sum(1 for o in outcomes if o.status != "failed")
            if not had:
                return f"None of {counted(len(outcomes), 'original')} could be fetched, so our summaries stay. The reasons are below."
            told = f"{had} of {counted(len(outcomes), 'original')} fetched"
            told += "" if had == len(outcomes) else "; our summaries stay for the others"
            return f"{told}. {_report(self._sync(tell))}"

        yield from self._run("Fetching originals", job, talk)

    def reindex(self, talk: Talk | None = None) -> Iterator[Listed]:
        """Bring sources and index in line with the files."""

        def job(tell: Tell) -> str:
            tell.step("looking for changed files")
            for outcome in self._home.update_sources():
                tell.line(outcome.name, outcome.status, outcome.reason)
            try:
                return _report(self._sync(tell))
            except _Stopped:
                return _CUT_SHORT

        yield from self._run(_INDEXING, job, talk)

    def examine(self, talk: Talk | None = None) -> Iterator[Listed]:
        """Compare sources, vectors and lexical index."""

        def job(tell: Tell) -> str:
            from app.records.doctor import examine

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
        yield Listed(work=self._shown(self._work.state, talk))  # a generator that yields nothing would empty the tab
        if self._work.state.running:
            yield from self._follow(talk)

    def dismiss(self, talk: Talk) -> str:
        """Let the result of one's last job go."""
        self._work.dismiss(_who(talk))
        return self._shown(self._work.state, talk)

    def _run(
        self, title: str, job: Any, talk: Talk | None, *, new: Collection[str] = (), also: Sequence[str] = ()
    ) -> Iterator[Listed]:
        """``new`` and ``also`` are read when the job is done; see :meth:`listed`."""
        if self._read_only:
            yield Listed(work=render("notice.html", text="This page is read-only; sources cannot be changed here."))
            return
        if not self._work.start(title, job, owner=_who(talk)):
            yield Listed(work=render("notice.html", text=_BUSY))
            return
        last = Listed()
        for shown in self._follow(talk):
            last = shown
            yield shown
        yield last._replace(table=self.listed(talk, new).table, work=f"{last.work}{''.join(also)}")

    def _follow(self, talk: Talk | None) -> Iterator[Listed]:
        for state in self._work.follow():
            yield Listed(work=self._shown(state, talk))
        yield self.listed(talk)

    def _shown(self, state: WorkState, talk: Talk | None) -> str:
        own = state.running and state.owner is not None and state.owner == _who(talk)
        stop = own and state.title in _STOPPABLE and not self._read_only
        return work_html(state, _who(talk)) + (render("stop.html") if stop else "")

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
            if tell.stopped.is_set():
                raise _Stopped
            tell.step("indexing", p.done, p.total)

        tell.step("indexing")
        if tell.stopped.is_set():
            raise _Stopped
        return self._home.sync(progress=progress)

    def _table(self, sources: Sequence[Source], new: Collection[str] = ()) -> str:
        rows = [
            (s, TableRow(
                cells=(
                    s.title, "" if is_comparison(s) else s.publisher or s.author or "", s.date or "undated", GENRE_WORDS.get(s.genre, s.genre),
                    kind_words(s),
                ),
                name=s.title, acts=self._acts(s), new=s.id in new,
                lead=Act(act="read", label="Read it in full", data={"source": s.id}),
            ))
            for s in sorted(sources, key=lambda s: (s.date or "", s.title), reverse=True)
        ]  # fmt: skip
        # What the project itself wrote stands for no publication.
        return table_html(
            "Sources", ("Title", "Publisher", "Date", "Type of source", "What is stored"),
            [r for s, r in rows if not _is_own(s)], find="Find a source", unit="source",
            apart=("Comparisons and lists by this project", [r for s, r in rows if _is_own(s)]),
        )  # fmt: skip

    def _acts(self, source: Source) -> tuple[Act, ...]:
        if self._read_only:
            return ()
        sure = f"Remove “{source.title}” and its passages?"
        return (Act(act="removesource", label="Remove", data={"source": source.id}, sure=sure),)

    def _health(self, sources: Sequence[Source]) -> str:
        opened = self._home.index.current()
        passages = opened.passage_count() if opened else 0
        facts = f"{counted(len(sources), 'source')}, {counted(passages, 'passage')}."
        if self._work.state.running:
            return render("notice.html", text=f"{facts} Work is going on; see below.")
        if not sources:
            return render("notice.html", text="There are no sources yet: add some below.")
        behind = opened is None or self._home.stale()
        state = "Some are not indexed yet: press “Re-index”." if behind else "All can be asked about."
        return render("notice.html", text=f"{facts} {state}")


class SourcesParts(NamedTuple):
    """Components of the tab that others use."""

    listed: list[Any]
    reading: gr.HTML
    fetched: list[Any]


def build(tab: SourcesTab, bridge: gr.HTML, talk: gr.State, choices: Any, *, read_only: bool) -> SourcesParts:
    """The tab's components and events."""
    first = tab.listed()
    health = gr.HTML(first.health, elem_id="health", apply_default_css=False)
    with gr.Accordion("Add sources", open=False, visible=not read_only, elem_id="add") as adding:
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                files = gr.File(label="Files", file_count="multiple", height=140, elem_id="files")
                gr.HTML(tab.upload_words(), apply_default_css=False)
            with gr.Column(scale=1, min_width=280):
                urls = gr.Textbox(
                    label="Web addresses, one a line (they are fetched from the network)", lines=2, max_lines=6,
                    placeholder="https://example.org/report.html", elem_id="urls",
                )  # fmt: skip
                add = gr.Button("Add files and addresses", variant="primary", elem_id="add-button")
        with gr.Accordion("Missing details (title, author, date …)", open=False), gr.Row():
            title = gr.Textbox(label="Title", min_width=160)
            author = gr.Textbox(label="Author", min_width=160)
            date = gr.Textbox(label="Date", placeholder="2024-03-22", min_width=120)
            publisher = gr.Textbox(label="Publisher", min_width=160)
            genre = gr.Dropdown(
                label="Type of source",
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
    fetched = [asked(tab.fetch, talk, listed, **working) for asked in (fetch.click, bridge.fetch)]
    examine.click(tab.examine, talk, listed, **working)
    bridge.removesource(tab.remove, talk, listed, **working)
    bridge.bringback(tab.bring_back, talk, listed, **working)
    bridge.stopwork(tab.stop, talk, None, queue=False, **quiet)
    bridge.dismiss(tab.dismiss, talk, work, queue=False, **quiet)
    bridge.read(tab.read, talk, reading, queue=False, **quiet)
    bridge.addsource(lambda: gr.update(open=True), None, adding, queue=False, **quiet)
    return SourcesParts(listed=listed, reading=reading, fetched=fetched)


def _cited(source: Source, talk: Talk) -> list[tuple[int, int]]:
    """Spans of a source that the answers of a conversation cite."""
    cited = [c for e in talk.exchanges if e.answer for c in e.answer.citations if c.source_id == source.id]
    return [(c.start, c.end) for c in cited if source.text[c.start : c.end] == c.quote]


def _who(talk: Talk | None) -> str:
    return talk.owner if talk else ""


def _unread() -> str:
    return render("notice.html", text="Choose a title to read the source in full, with the cited words marked.")


def _told(outcomes: Iterable[Outcome], total: int, tell: Tell) -> list[Outcome]:
    """The outcomes, each told as it comes."""
    had: list[Outcome] = []
    tell.step("reading", 0, total or None)
    for outcome in outcomes:
        had.append(outcome)
        passages = counted(outcome.passages, "passage") if outcome.passages else ""
        tell.line(
            Path(outcome.name).name or outcome.name, outcome.status, "; ".join(filter(None, (passages, outcome.reason)))
        )
        tell.step("reading", len(had), max(total, len(had)) or None)
        if tell.stopped.is_set():
            break
    return had


def _is_own(source: Source) -> bool:
    """Whether the project wrote it, on no publication."""
    return source.origin == "bundled notes" and source.url is None


def _report(report: SyncReport) -> str:
    changes = (("added", report.added), ("updated", report.updated), ("removed", report.deleted))
    told = ", ".join(f"{counted(n, 'passage')} {what}" for what, n in changes if n)
    return f"Index: {told} in {report.seconds:.1f} s." if told else "Index: nothing had changed."
