"""The Ask tab: conversation, evidence, filters, history, export."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

import gradio as gr

from app.access.exposure import Gate, TooBusy
from app.answering.pipeline import Answerer
from app.citation_text import GENRE_WORDS
from app.errors import AppError, BadInput, Unkept
from app.exports.export import export_conversation, file_name
from app.home import Home
from app.page.bridge import number, text
from app.page.front import Front
from app.page.language import label, language_of
from app.page.readiness import Readiness
from app.page.scope import scope_html
from app.page.talk import Exchange, Talk, Views, make_filters
from app.question.analysis import tidy
from app.question.followup import Turn
from app.records import feedback
from app.records.history import HISTORY_FILE, History, StoredTurn
from app.rendering.html import LineOf, Vote, check_html
from app.rendering.render import render
from app.text.messages import said
from app.writing.engines import EXTRACTIVE, parse_engine
from index.errors import IndexingError
from index.search import Filters
from ingest.errors import IngestError

_log = logging.getLogger(__name__)
_MODEL = "Language model {name}"
_NO_DATE = "The date filter cannot be used: {reason}."
_READING = "Reading the sources …"
_WAIT = (
    "An answer is being written. Your question stays in the box; send it when the answer is there, or stop this one."
)
_NOT_YOURS = "This conversation is somebody else's and cannot be changed; ask questions of your own in a new one."
_CHIPS = 6
"""Sources shown as chips above the question box."""
_SHOW_SECONDS = 0.06
"""At most so often is a growing answer shown anew."""
_CONNECT = (
    "To have a language model word the answers, run “iskp model” in a terminal: it lists those on this machine and others, fetches one "
    "(iskp model get NAME) and sets it (iskp model use NAME). Then start the page again."
)
_SENT = "(...all) => window.iskp.sent(all)"
_QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
KNOWN_ERRORS = (AppError, IndexingError, IngestError)
REASONS = (
    "It is wrong", "The citation does not carry it", "Something is missing", "It answers another question",
    "It should have said that the sources do not say", "It should have been answered", "Other",
)  # fmt: skip
EXPORTS = (
    ("Markdown", "markdown"), ("Web page (HTML)", "html"), ("Data (JSON)", "json"), ("Table (CSV)", "csv"),
    ("References: Chicago notes", "chicago"), ("References: Chicago bibliography", "chicago-bibliography"),
    ("References: BibTeX", "bibtex"), ("References: RIS", "ris"),
)  # fmt: skip
WHOLE = (("Whole conversation", True), ("Answer in the evidence pane", False))
_TYPES = {"html": "text/html", "json": "application/json", "csv": "text/csv"}


class Shown(NamedTuple):
    """What a handler changes on the page; :func:`gradio.skip` leaves a part as it is."""

    question: Any = gr.skip()
    thread: Any = gr.skip()
    live: Any = gr.skip()
    evidence: Any = gr.skip()
    notice: Any = gr.skip()
    ask: Any = gr.skip()
    stop: Any = gr.skip()
    blame: Any = gr.skip()
    past: Any = gr.skip()
    sharing: Any = gr.skip()


class Translated(NamedTuple):
    """Parts of the tab whose words the browser cannot choose."""

    heading: Any
    scope: Any
    engine_line: Any
    leaves: Any
    genres: Any
    engine: Any
    form: Any
    whole: Any
    reason: Any


class AskTab:
    """What the tab does; each handler is a plain method that tests can call."""

    def __init__(
        self, home: Home, *, ready: Readiness | None = None, gate: Gate | None = None, read_only: bool = False,
        line_of: LineOf = lambda _: "", models: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self._home = home
        self._models = models
        self._ready = ready or Readiness(usable=True)
        self._front = Front(home, self._ready)
        self._views = Views(home, self._front, read_only=read_only, line_of=line_of)
        self._gate = gate
        self._answerers: dict[str, Answerer] = {}
        self._history = History(home.folder / HISTORY_FILE)

    # showing

    def show(self, talk: Talk, *, question: Any = gr.skip(), evidence: bool = True, notice: str = "") -> Shown:
        """The whole tab as it now is."""
        return Shown(
            question=question,
            thread=self._views.thread(talk),
            live=self._views.live(talk),
            evidence=self._views.evidence(talk) if evidence else gr.skip(),
            notice=_notice(notice),
            ask=gr.update(visible=not talk.busy),
            stop=gr.update(visible=talk.busy),
            blame=gr.update(visible=talk.blamed is not None),
            past=self.past(talk),
            sharing=self._sharing(talk),
        )

    def filters_on(
        self, sources: list[str], genres: list[str], since: str, until: str, request: gr.Request | None = None
    ) -> str:
        """A line that says what the search is limited to; empty without filters."""
        language = language_of(request)
        try:
            filters = make_filters(sources, genres, since, until)
        except IngestError as exc:
            return _notice(said(_NO_DATE, language=language, reason=exc))
        if filters == Filters():
            return ""
        chips = [
            {"title": title, "rest": json.dumps([i for i in filters.sources if i != source_id])}
            for source_id, title in self._views.titles(filters.sources[:_CHIPS])
        ]
        scope = self._views.scope(filters, titled=False, language=language)
        return render("filters.html", scope=scope, chips=chips, sources=json.dumps(filters.sources), language=language)

    def scope(self, request: gr.Request | None = None) -> str:
        """The sources with a box each, ticked where the next question is asked of them alone."""
        return scope_html(self._home, language=language_of(request))

    def narrow(self, event: gr.EventData) -> Any:
        """The sources that were ticked, as the value of the filter."""
        try:
            wanted = json.loads(text(event, "ids", 100_000))
        except ValueError:
            wanted = []
        choices = self.source_choices()
        known = {i for _, i in choices}
        return gr.update(choices=choices, value=[i for i in wanted if i in known] if isinstance(wanted, list) else [])

    def restore(self, kept: str) -> tuple[Any, list[str], str, str]:
        """Filters as the browser kept them over a reload; what is not one any more is left out."""
        try:
            sources, genres, since, until = json.loads(kept)
        except (TypeError, ValueError):
            sources, genres, since, until = [], [], "", ""
        choices = self.source_choices()
        known = {i for _, i in choices}
        chosen = [i for i in sources if i in known] if isinstance(sources, list) else []
        kinds = [g for g in genres if g in GENRE_WORDS] if isinstance(genres, list) else []
        dates = [d[:40] if isinstance(d, str) else "" for d in (since, until)]
        return gr.update(choices=choices, value=chosen), kinds, dates[0], dates[1]

    def offer(self, request: gr.Request | None = None) -> Iterator[tuple[str, str]]:
        """The first screen and what it cites, each time that more is known."""
        for _ in self._front.follow():
            yield self.welcome(request)

    def welcome(self, request: gr.Request | None = None) -> tuple[str, str]:
        """The same as it is by now."""
        language = language_of(request)
        return self._views.welcome(language), self._views.welcome_evidence(language)

    def engines(self, language: str = "en") -> list[tuple[str, str]]:
        """Engines to choose from: what quotes the sources, the language model of the settings, and others that were found."""
        wanted = self._home.settings.engine.name
        words = [(said("Quotes from the sources", language=language), EXTRACTIVE)]
        mine = words if wanted == EXTRACTIVE else [(said(_MODEL, language=language, name=wanted), wanted), *words]
        return [*mine, *((said(_MODEL, language=language, name=name), name) for name in self._models if name != wanted)]

    def written_by(self, engine: str, request: gr.Request | None = None) -> str:
        """Who words the answers, in a line below the question box."""
        spec = parse_engine(engine or EXTRACTIVE)
        if spec.provider == "extractive":
            words = "Answers are quotes of the sources, no language model; nothing leaves this machine."
        elif spec.stays_here():
            words = "Answers are worded by the language model {name} from quotes; nothing leaves this machine."
        else:
            words = "Answers are worded by the language model {name} from quotes; your questions and the passages found are sent to it."
        return render("engine.html", said=said(words, language=language_of(request), name=spec.name))

    def leaves(self, engine: str, request: gr.Request | None = None) -> str:
        """What leaves the machine with an engine."""
        _ = partial(said, language=language_of(request))
        spec = parse_engine(engine or EXTRACTIVE)
        if spec.provider == "extractive":
            stays = _("Answers are sentences of the texts kept here. Nothing leaves this machine.")
            return _notice(stays if len(self.engines()) > 1 else f"{stays} {_(_CONNECT)}")
        if spec.stays_here():
            return _notice(_("{name} runs on this machine; nothing leaves it.", name=spec.name))
        return _notice(
            _("Your question, what was said before it and the passages found are sent to {name}.", name=spec.name)
        )

    def source_choices(self) -> list[tuple[str, str]]:
        """Sources as choices of the filter: label and id."""
        return [(f"{s.title} ({s.date or 'undated'})", s.id) for s in self._home.library]

    def translated(self, request: gr.Request | None = None) -> list[Any]:
        """What of the tab is made before its visitor is known, in the visitor's language: see :attr:`AskParts.translated`."""
        language = language_of(request)
        if language == "en":
            return [gr.skip()] * len(Translated._fields)
        first = self.engines()[0][1]
        shown = Translated(
            heading=render("past.html", language=language), scope=self.scope(request), engine_line=self.written_by(first, request),
            leaves=self.leaves(first, request), genres=_choices([(w, g) for g, w in GENRE_WORDS.items()], language),
            engine=gr.update(choices=self.engines(language)), form=_choices(EXPORTS, language), whole=_choices(WHOLE, language),
            reason=_choices([(r, r) for r in REASONS], language),
        )  # fmt: skip
        return list(shown)

    def wait_until_ready(self, request: gr.Request | None = None) -> Iterator[str]:
        """A word while sources are prepared and models load, and nothing once all is there."""
        for word in self._ready.follow():
            yield _notice(said(word, language=language_of(request)))
        yield _notice(_sentence(Exception(self._ready.failed))) if self._ready.failed else ""

    def greet(self, browser: str, talk_id: str, talk: Talk, request: gr.Request | None = None) -> Shown:
        """The page of somebody who comes, or comes back.

        Args:
            browser: a random name that the browser keeps.
            talk_id: the conversation that was open before a reload; "r:" and a token for a shared one.
        """
        user = getattr(request, "username", None) if request else None
        talk.owner = f"user:{user}" if user else f"browser:{browser[:64]}"
        talk.language = language_of(request)
        if talk.exchanges:  # somebody was faster than this greeting
            return Shown(past=self.past(talk))
        if talk_id:
            with suppress(AppError):  # deleted meanwhile, or taken back
                kind, _, link = talk_id.partition(":")
                if kind == "r":
                    self._read(talk, link)
                else:
                    self._recall(talk, talk_id)
        return self.show(talk)

    # asking

    def ask(
        self, question: str, talk: Talk, sources: list[str], genres: list[str], since: str, until: str,
        engine: str = "", request: gr.Request | None = None,
    ) -> Iterator[Shown]:  # fmt: skip
        """Answer what is in the question box."""
        _ = partial(said, language=talk.language)
        if not question or not question.strip():
            yield Shown(notice=_notice(_(_WAIT) if talk.busy else _("Type a question first.")))
            return
        if talk.busy:
            yield Shown(question=question, notice=_notice(_(_WAIT)))
            return
        try:
            tidy(question)
            filters = make_filters(sources, genres, since, until)
            if talk.link:  # nobody asks on in what somebody else shared
                self._leave(talk)
        except BadInput as exc:
            yield Shown(question=question, notice=_notice(_sentence(exc)))
            return
        except IngestError as exc:
            yield Shown(question=question, notice=_notice(_(_NO_DATE, reason=exc)))
            return
        try:
            with self._gate.admit(client_of(request)) if self._gate else nullcontext():
                if talk.editing:
                    self._cut(talk, talk.editing)
                exchange = Exchange(
                    question=question.strip(), waiting=_READING, filters=filters, engine=engine,
                    searched=self._views.scope(filters, language=talk.language), limited=filters != Filters(),
                )  # fmt: skip
                yield from self._answer(talk, exchange)
        except TooBusy as exc:
            yield Shown(question=question, notice=_notice(_sentence(exc)))

    def ask_offered(
        self, event: gr.EventData, talk: Talk, sources: list[str], genres: list[str], since: str, until: str,
        engine: str = "", request: gr.Request | None = None,
    ) -> Iterator[Shown]:  # fmt: skip
        """Answer a question that the page offered."""
        yield from self.ask(text(event, "text"), talk, sources, genres, since, until, engine, request)

    def retry(
        self, event: gr.EventData, talk: Talk, sources: list[str], genres: list[str], since: str, until: str,
        engine: str = "", request: gr.Request | None = None,
    ) -> Iterator[Shown]:  # fmt: skip
        """Answer a question again, with the filters as they are now; what followed it is removed."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        if exchange is None or talk.busy or talk.link:
            yield Shown(notice=_told(_WAIT, talk) if talk.busy else _told(_NOT_YOURS, talk) if talk.link else gr.skip())
            return
        talk.editing = at
        yield from self.ask(exchange.question, talk, sources, genres, since, until, engine, request)

    def everywhere(
        self, event: gr.EventData, talk: Talk, engine: str = "", request: gr.Request | None = None
    ) -> Iterator[Shown]:
        """Answer a question again from all sources."""
        yield from self.retry(event, talk, [], [], "", "", engine, request)

    def stop(self, talk: Talk) -> Shown:
        """Stop the answer that is being written."""
        if talk.busy:
            talk.exchanges[-1].stopped = True
            talk.exchanges[-1].error = "Stopped. Retry, or edit the question."
        return self.show(talk, evidence=False)

    def stand(self, talk: Talk) -> Shown:
        """The last question and the buttons as they stand, and no more."""
        return Shown(
            live=self._views.live(talk), ask=gr.update(visible=not talk.busy), stop=gr.update(visible=talk.busy)
        )

    def _answer(self, talk: Talk, exchange: Exchange) -> Iterator[Shown]:
        history = talk.history()
        talk.exchanges.append(exchange)
        yield self.show(talk, evidence=False)  # the browser has emptied the question box, or somebody types in it
        try:
            yield from self._write(talk, exchange, history)
        except KNOWN_ERRORS as exc:
            exchange.error = _sentence(exc)
            yield self.show(talk, evidence=False)
            return
        except Exception as exc:
            _log.exception("a question could not be answered")
            exchange.error = f"Something went wrong ({type(exc).__name__}); the terminal says more. Try it again."
            yield self.show(talk, evidence=False)
            return
        finally:
            if exchange.busy:  # the browser left, or something unforeseen
                exchange.error = "Interrupted. Retry, or edit the question."
        if exchange.answer is None or exchange.stopped:
            return
        talk.shown = len(talk.exchanges)
        notice = self._keep(talk, exchange)
        shown = self.show(talk, evidence=False, notice=notice)._replace(thread=gr.skip())
        yield shown._replace(evidence=self._views.evidence(talk, also=False))
        exchange.follow_ups = tuple(self.follow_ups(talk))
        # The whole once more: a browser under load may pass over what comes just before the last.
        yield shown._replace(evidence=self._views.evidence(talk), live=self._views.live(talk))

    def _write(self, talk: Talk, exchange: Exchange, history: list[Turn]) -> Iterator[Shown]:
        for word in self._ready.follow(until_usable=True):
            exchange.waiting = word
            yield Shown(live=self._views.live(talk))
            if exchange.stopped:
                return
        self._ready.check()
        exchange.waiting = _READING
        last_shown = time.monotonic()
        with closing(self._stream(exchange, history)) as events:
            for event in events:
                if exchange.stopped:
                    return
                exchange.take(event)
                if exchange.busy and time.monotonic() - last_shown > _SHOW_SECONDS:
                    last_shown = time.monotonic()
                    yield Shown(live=self._views.live(talk))

    def _stream(self, exchange: Exchange, history: list[Turn]) -> Any:
        known = {name for _, name in self.engines()}
        # Only what is offered: a visitor must not make this machine call others.
        engine = exchange.engine if exchange.engine in known else self._home.settings.engine.name
        return self._answerer(engine).stream(exchange.question, history, filters=exchange.filters)

    def _answerer(self, engine: str) -> Answerer:
        if engine == self._home.settings.engine.name:
            return self._home.answerer
        if engine not in self._answerers:
            self._answerers[engine] = self._home.answerer_with(engine)
        return self._answerers[engine]

    # checking

    def check(
        self, claim: str, sources: list[str], genres: list[str], since: str, until: str,
        engine: str = EXTRACTIVE, request: gr.Request | None = None,
    ) -> str:  # fmt: skip
        """Whether the sources support a claim, with quotes for and against."""
        try:
            with self._gate.admit(client_of(request)) if self._gate else nullcontext():
                self._ready.check()
                filters = make_filters(sources, genres, since, until)
                found = self._home.checker.check(claim, self._home.index.current(), filters=filters)
        except KNOWN_ERRORS as exc:
            return _notice(_sentence(exc))
        return check_html(found, language_of(request))

    def follow_ups(self, talk: Talk) -> Sequence[str]:
        """Questions to go on with, which the sources answer."""
        last = talk.exchanges[-1].answer
        return self._home.suggester.follow_ups(last) if last else ()

    # correcting

    def edit(self, event: gr.EventData, talk: Talk) -> Shown:
        """Put a question back into the box; the next one replaces it and what follows."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        return self._editing(talk, at, exchange.question if exchange else None)

    def reword(self, event: gr.EventData, talk: Talk) -> Shown:
        """The same with the question as it was understood."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        return self._editing(talk, at, exchange.answer.standalone_question if exchange and exchange.answer else None)

    def undo(self, event: gr.EventData, talk: Talk) -> Shown:
        """Take a question and what follows it back; its text returns to the box."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        if exchange is None or at is None or talk.busy or talk.link:
            return Shown(notice=_told(_NOT_YOURS, talk)) if talk.link else Shown()
        self._cut(talk, at)
        talk.shown = len(talk.exchanges)
        return self.show(talk, question=exchange.question)

    def new(self, talk: Talk) -> Shown:
        """Begin a new conversation; the old one stays in the history."""
        self._leave(talk)
        return self.show(talk)

    def _editing(self, talk: Talk, at: int | None, question: str | None) -> Shown:
        if question is None or talk.busy or talk.link:
            return Shown(notice=_told(_NOT_YOURS, talk)) if talk.link else Shown()
        talk.editing = at
        after = len(talk.exchanges) - (at or 0)
        words = "Asking replaces question {at}."
        if after:
            words = (
                "Asking replaces question {at} and the {number} after it."
                if after > 1
                else "Asking replaces question {at} and the one after it."
            )
        return Shown(question=question, notice=_told(words, talk, at=at, number=after))

    def _leave(self, talk: Talk) -> None:
        if talk.busy:
            self.stop(talk)
        talk.id, talk.link, talk.exchanges, talk.shown = None, "", [], 0
        talk.editing = talk.blamed = None

    # judging

    def like(self, event: gr.EventData, talk: Talk) -> Shown:
        """Note that an answer was good."""
        return self._judge(talk, number(event, "turn"), liked=True)

    def blame(self, event: gr.EventData, talk: Talk) -> Shown:
        """Ask what is wrong with an answer."""
        at = number(event, "turn")
        exchange = talk.exchange(at)
        if exchange is None or exchange.answer is None or talk.link:
            return Shown(notice=_told(_NOT_YOURS, talk)) if talk.link else Shown()
        talk.blamed = at
        return Shown(
            blame=gr.update(visible=True),
            notice=_told("What is wrong with the answer to question {number}?", talk, number=at),
        )

    def dislike(self, reason: str | None, remark: str, talk: Talk) -> Shown:
        """Note that it was poor, and why."""
        words = ": ".join(filter(None, (reason or "", (remark or "").strip()[:2000])))
        return self._judge(talk, talk.blamed, liked=False, reason=words)

    def no_blame(self, talk: Talk) -> Shown:
        """Leave it at that."""
        talk.blamed = None
        return Shown(blame=gr.update(visible=False), notice="")

    def _judge(self, talk: Talk, at: int | None, *, liked: bool, reason: str = "") -> Shown:
        exchange = talk.exchange(at)
        if exchange is None or exchange.answer is None or at is None or talk.link:
            return Shown(notice=_told(_NOT_YOURS, talk)) if talk.link else Shown()
        try:
            before = Talk(exchanges=talk.exchanges[: at - 1]).history()
            feedback.record(
                self._home.folder, liked=liked, question=exchange.question, answer=exchange.answer, history=before,
                reason=reason,
            )  # fmt: skip
            if talk.id and exchange.kept:
                self._history.set_liked(talk.id, exchange.kept, liked)
        except AppError as exc:
            return Shown(notice=_notice(_sentence(exc)))
        exchange.vote = "up" if liked else "down"
        talk.blamed = None
        return self.show(talk, evidence=False, notice=said("Noted on this machine. Thank you.", language=talk.language))

    # evidence

    def open(self, event: gr.EventData, talk: Talk) -> str:
        """The evidence of a question."""
        at = number(event, "turn")
        if talk.exchange(at) and at:
            talk.shown = at
        return self._views.evidence(talk)

    # keeping

    def past(self, talk: Talk) -> str:
        """The owner's conversations."""
        try:
            kept = self._history.search(talk.find, talk.owner) if talk.owner else []
        except AppError as exc:
            return _notice(_sentence(exc))
        return render("history.html", conversations=kept, current=talk.id, find=talk.find, language=talk.language)

    def find(self, words: str, talk: Talk) -> str:
        """The owner's conversations that hold these words."""
        talk.find = (words or "")[:200]
        return self.past(talk)

    def recall(self, event: gr.EventData, talk: Talk) -> Shown:
        """Open an earlier conversation."""
        try:
            self._recall(talk, text(event, "id"))
        except AppError as exc:
            return Shown(notice=_notice(_sentence(exc)), past=self.past(talk))
        return self.show(talk)

    def share(self, event: gr.EventData, talk: Talk) -> Shown:
        """Make a link under which others may read a conversation."""
        return self._share(event, talk, self._history.share)

    def unshare(self, event: gr.EventData, talk: Talk) -> Shown:
        """Take the link of a conversation back."""
        return self._share(event, talk, self._history.unshare)

    def read(self, event: gr.EventData, talk: Talk) -> Shown:
        """Open what somebody shared, to be read only."""
        try:
            self._read(talk, text(event, "link"))
        except AppError as exc:
            return Shown(notice=_notice(_sentence(exc)))
        return self.show(talk)

    def _share(self, event: gr.EventData, talk: Talk, change: Callable[[str], object]) -> Shown:
        try:
            change(self._own(talk, text(event, "id")))
        except AppError as exc:
            return Shown(notice=_notice(_sentence(exc)))
        return self.show(talk, evidence=False)

    def _sharing(self, talk: Talk) -> str:
        """A line on who may read the open conversation; nothing where that is its owner alone."""
        link = talk.link
        if talk.id and not link:
            with suppress(AppError):  # deleted in another window
                link = self._history.conversation(talk.id).link
        return render("sharing.html", what="conversation", guest=bool(talk.link), link=link, id=talk.id) if link else ""

    def rename(self, event: gr.EventData, talk: Talk) -> Shown:
        """Give a conversation another title."""
        try:
            self._history.rename(self._own(talk, text(event, "id")), text(event, "title"))
        except AppError as exc:
            return Shown(notice=_notice(_sentence(exc)))
        return Shown(past=self.past(talk))

    def forget(self, event: gr.EventData, talk: Talk) -> Shown:
        """Delete a conversation."""
        try:
            gone = self._own(talk, text(event, "id"))
            self._history.delete(gone)
        except AppError as exc:
            return Shown(notice=_notice(_sentence(exc)), past=self.past(talk))
        if talk.id == gone:
            self._leave(talk)
            return self.show(talk)
        return Shown(past=self.past(talk))

    def clear(self, talk: Talk) -> Shown:
        """Delete all conversations of the owner."""
        if not talk.owner:
            return Shown()
        try:
            count = self._history.clear(talk.owner)
        except AppError as exc:
            return Shown(notice=_notice(_sentence(exc)))
        self._leave(talk)
        words = "{number} conversation deleted." if count == 1 else "{number} conversations deleted."
        return self.show(talk, notice=said(words, language=talk.language, number=f"{count:,}"))

    def _recall(self, talk: Talk, talk_id: str) -> None:
        turns = self._history.turns(self._own(talk, talk_id))
        self._leave(talk)
        talk.id = talk_id
        talk.exchanges = [
            _exchange(t, kept=n, vote=None if t.liked is None else "up" if t.liked else "down")
            for n, t in enumerate(turns, start=1)
        ]
        talk.shown = len(talk.exchanges)

    def _read(self, talk: Talk, link: str) -> None:
        """Open what a token opens: for its owner as it is, for others to be read only.

        Raises:
            BadInput: it opens nothing.
        """
        found = self._history.shared(link)
        if talk.owner and self._history.owner(found.id) == talk.owner:
            self._recall(talk, found.id)
            return
        turns = self._history.turns(found.id)
        self._leave(talk)
        talk.link = link
        talk.exchanges = [_exchange(t) for t in turns]
        talk.shown = len(talk.exchanges)

    def _own(self, talk: Talk, talk_id: str) -> str:
        """The id, where the conversation is the owner's.

        Raises:
            BadInput: there is none of this id for this owner.
        """
        with suppress(BadInput):  # somebody else's must not be told from one that is not there
            if talk.owner and self._history.owner(talk_id) == talk.owner:
                return talk_id
        raise BadInput(
            f"there is no conversation {talk_id!r} of yours: it was deleted, or it is somebody else's, who can share it with “Copy link”"
        )

    def _keep(self, talk: Talk, exchange: Exchange) -> str:
        """Write a question and its answer into the history; what went wrong, in a sentence."""
        assert exchange.answer is not None
        exchange.at = datetime.now(UTC).isoformat(timespec="seconds")
        if not talk.owner or self._history.readonly:
            return ""
        try:
            if talk.id is None:
                talk.id = self._history.start(exchange.question, talk.owner)
            exchange.kept = self._history.append(
                talk.id, exchange.question, exchange.answer, exchange.searched, exchange.limited
            )
        except AppError as exc:
            if isinstance(exc, BadInput):  # deleted in another window: what is open here goes on as a new one
                talk.id = None
            return f"This answer is not in the history: {exc}"
        return ""

    def _cut(self, talk: Talk, at: int) -> None:
        kept = sum(1 for e in talk.exchanges[: at - 1] if e.kept)
        talk.cut(at)
        if talk.id:
            try:
                self._history.truncate(talk.id, kept)
            except (BadInput, Unkept):
                talk.id = None

    # exporting

    def export(self, form: str, whole: bool, talk: Talk) -> tuple[str, str]:
        """Name, media type and text of a file as JSON for the browser, and a notice."""
        chosen = talk.exchanges if whole else [e for e in [talk.exchange(talk.shown)] if e]
        turns = [
            StoredTurn(
                question=e.question, answer=e.answer, at=e.at or datetime.now(UTC).isoformat(timespec="seconds"),
                liked=None if e.vote is None else e.vote == "up",
            )
            for e in chosen
            if e.answer
        ]  # fmt: skip
        if not turns:
            return "", _told("There is no answer to export yet.", talk)
        try:
            content = export_conversation(self._title(talk, turns), turns, form)
        except AppError as exc:
            return "", _notice(_sentence(exc))
        name = file_name(turns[0].question, form)
        return json.dumps({"name": name, "type": _TYPES.get(form, "text/plain"), "text": content}), ""

    def _title(self, talk: Talk, turns: list[StoredTurn]) -> str:
        if len(turns) > 1:
            with suppress(AppError):
                if talk.link:
                    return self._history.shared(talk.link).title
                if talk.id:
                    return self._history.conversation(talk.id).title
        return turns[0].question


class AskParts(NamedTuple):
    """Components of the tab that others use."""

    sources: gr.Dropdown
    filters: list[Any]
    kept_filters: gr.Textbox
    notice: gr.HTML
    front: list[Any]
    scope: gr.HTML
    reader: gr.HTML
    shown: list[Any]
    translated: list[Any]
    who: list[Any]


def build(tab: AskTab, bridge: gr.HTML, talk: gr.State) -> AskParts:
    """The tab's components and events."""
    first = tab.show(Talk())
    heading, find, past, clear = _conversations(first)
    with gr.Row(elem_id="panes"):
        scope = _scope_pane(tab)
        with gr.Column(scale=3, min_width=300, elem_id="talk-pane"):
            with gr.Column(elem_id="thread-pane", min_width=280):
                front = gr.HTML(tab.welcome()[0], elem_id="front", apply_default_css=False)
                thread = gr.HTML(first.thread, elem_id="thread", apply_default_css=False)
                live = gr.HTML(first.live, elem_id="live", apply_default_css=False)
            with gr.Column(elem_id="composer", min_width=280):
                notice = gr.HTML("", elem_id="notice", apply_default_css=False)
                sharing = gr.HTML("", elem_id="sharing", apply_default_css=False)
                blaming = _blaming()
                on = gr.HTML("", elem_id="filters-on", apply_default_css=False)
                with gr.Row(elem_id="box", equal_height=False):
                    question = gr.Textbox(
                        label=label("Question"), show_label=False, placeholder=label("Ask a question … ( / jumps here)"), lines=1, max_lines=5, scale=8,
                        elem_id="question", autofocus=True, container=False, min_width=160,
                    )  # fmt: skip
                    ask = gr.Button(label("Ask"), variant="primary", scale=0, min_width=80, elem_id="ask")
                    stop = gr.Button(label("Stop"), scale=0, min_width=80, elem_id="stop", visible=False)
                with gr.Row(elem_id="tools", equal_height=False):
                    filters = _filters(tab)
                    checking = _checking()
                    exporting = _exporting()
                    new = gr.Button(label("New conversation"), size="sm", elem_id="new")
                    engine_line = _engine_line(tab)
                    filters.engine.change(tab.written_by, filters.engine, engine_line, queue=False, **_QUIET)
        front_evidence, evidence, reader = _evidence_pane(first)
    browser, open_talk, kept_filters = (
        gr.Textbox(elem_classes="bridge", label=name) for name in ("Browser", "Conversation", "Filters")
    )
    shown = [question, thread, live, evidence, notice, ask, stop, blaming.box, past, sharing]
    chosen = [talk, *filters[:5]]
    quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    # "multiple": after a stop Gradio may still hold the event for running and ignore the next click; a
    # second question while one is being answered is refused by the handler.
    asking = {**quiet, "concurrency_limit": 4, "concurrency_id": "ask", "trigger_mode": "multiple"}
    events = [
        ask.click(tab.ask, [question, *chosen], shown, js=_SENT, **asking),
        question.submit(tab.ask, [question, *chosen], shown, js=_SENT, **asking),
        bridge.ask(tab.ask_offered, chosen, shown, **asking),
        bridge.retry(tab.retry, chosen, shown, **asking),
        bridge.everywhere(tab.everywhere, [talk, filters.engine], shown, **asking),
    ]
    at_once = {**quiet, "queue": False}
    stopped = stop.click(tab.stop, talk, shown, cancels=events, **at_once)
    # Once more: a piece of the draft that was under way may arrive after the word that it was stopped.
    stopped.then(tab.stand, talk, shown, **at_once)
    for event, handler in (
        (bridge.edit, tab.edit), (bridge.reword, tab.reword), (bridge.undo, tab.undo), (bridge.up, tab.like),
        (bridge.down, tab.blame), (bridge.recall, tab.recall), (bridge.rename, tab.rename), (bridge.forget, tab.forget),
        (bridge.sharetalk, tab.share), (bridge.unsharetalk, tab.unshare), (bridge.readshared, tab.read),
    ):  # fmt: skip
        event(handler, talk, shown, **at_once)
    # The browser empties the box at the click: an answer of the server would take what was typed since.
    new.click(None, None, question, js="() => ''", **quiet)
    new.click(tab.new, talk, shown, cancels=events, **at_once)
    find.change(tab.find, [find, talk], past, **at_once)
    narrowing = _narrowing(tab, bridge, filters, on)
    clear.click(
        tab.clear,
        talk,
        shown,
        js="(talk) => window.iskp.sureAll(talk)",
        **at_once,
    )
    blaming.send.click(tab.dislike, [blaming.reason, blaming.remark, talk], shown, **at_once)
    blaming.cancel.click(tab.no_blame, talk, shown, **at_once)
    bridge.open(tab.open, talk, evidence, **at_once)
    for asked in (checking.button.click, checking.claim.submit):
        asked(tab.check, [checking.claim, *filters[:5]], checking.result, **asking)
    made = exporting.button.click(
        tab.export, [exporting.form, exporting.whole, talk], [exporting.parcel, notice], **at_once
    )
    made.then(None, exporting.parcel, None, js="(file) => window.iskp.save(file)", **quiet)
    translated = list(Translated(
        heading=heading, scope=scope, engine_line=engine_line, leaves=filters.leaves, genres=filters.genres, engine=filters.engine,
        form=exporting.form, whole=exporting.whole, reason=blaming.reason,
    ))  # fmt: skip
    return AskParts(
        sources=filters.sources, filters=narrowing, kept_filters=kept_filters, notice=notice, front=[front, front_evidence], scope=scope, reader=reader, shown=shown, translated=translated,
        who=[browser, open_talk, talk],
    )  # fmt: skip


def _conversations(first: Shown) -> tuple[gr.HTML, gr.Textbox, gr.HTML, gr.Button]:
    """The list of conversations: its heading, the search in it, the list, and what deletes all."""
    with gr.Sidebar(label=label("Conversations"), open=False, elem_id="past", width=300):
        heading = gr.HTML(render("past.html"), apply_default_css=False)
        find = gr.Textbox(
            label=label("Search the conversations"), show_label=False, container=False, max_lines=1, elem_id="past-find",
            placeholder=label("Search the conversations"),
        )  # fmt: skip
        past = gr.HTML(first.past, elem_id="history", apply_default_css=False)
        clear = gr.Button(label("Delete all conversations"), size="sm", elem_id="clear")
    return heading, find, past, clear


def _engine_line(tab: AskTab) -> gr.HTML:
    return gr.HTML(tab.written_by(tab.engines()[0][1]), elem_id="engine-line", apply_default_css=False)


def _scope_pane(tab: AskTab) -> gr.HTML:
    with gr.Column(scale=1, min_width=220, elem_id="scope-pane"):
        return gr.HTML(tab.scope(), elem_id="scope", apply_default_css=False)


def _evidence_pane(first: Shown) -> tuple[gr.HTML, gr.HTML, gr.HTML]:
    """What the first screen cites, what an answer cites, and a source in full."""
    with gr.Column(scale=2, min_width=300, elem_id="evidence-pane"):
        front = gr.HTML("", elem_id="front-evidence", apply_default_css=False)
        evidence = gr.HTML(first.evidence, elem_id="evidence", apply_default_css=False)
        reader = gr.HTML("", elem_id="reader", apply_default_css=False)
    return front, evidence, reader


class _Filters(NamedTuple):
    sources: gr.Dropdown
    genres: gr.CheckboxGroup
    since: gr.Textbox
    until: gr.Textbox
    engine: gr.Dropdown
    leaves: gr.HTML


def _filters(tab: AskTab) -> _Filters:
    engines = tab.engines()
    title = label("Filters and engine") if len(engines) > 1 else label("Filters")
    with gr.Accordion(title, open=False, elem_id="filters") as box:
        sources = gr.Dropdown(
            label=label("Sources (all when empty)"), multiselect=True, choices=tab.source_choices(), value=[],
            elem_id="filter-sources",
        )  # fmt: skip
        genres = gr.CheckboxGroup(
            label=label("Type of source (all when empty)"),
            choices=[(w, g) for g, w in GENRE_WORDS.items()],
            elem_id="filter-genres",
        )
        with gr.Row():
            since = gr.Textbox(
                label=label("From"), placeholder=label("2023 or 2023-06"), elem_id="filter-since", min_width=120
            )
            until = gr.Textbox(label=label("To"), placeholder="2024-12-31", elem_id="filter-until", min_width=120)
        engine = gr.Dropdown(
            engines,
            value=engines[0][1],
            label=label("Answers are written by"),
            elem_id="engine",
            visible=len(engines) > 1,
        )
        leaves = gr.HTML(tab.leaves(engines[0][1]), elem_id="leaves", apply_default_css=False)
        at_once: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
        engine.change(tab.leaves, engine, leaves, **at_once)
        box.expand(lambda: gr.update(choices=tab.source_choices()), None, sources, **at_once)
    return _Filters(sources=sources, genres=genres, since=since, until=until, engine=engine, leaves=leaves)


def _narrowing(tab: AskTab, bridge: gr.HTML, filters: _Filters, on: gr.HTML) -> list[Any]:
    """The filters told where they are on, kept in the browser, and taken away again; their components."""
    narrowing = [filters.sources, filters.genres, filters.since, filters.until]
    at_once: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}
    keep = "(...chosen) => window.iskp.keepFilters(chosen)"
    gr.on(
        [f.change for f in narrowing],  # type: ignore[attr-defined]
        tab.filters_on,
        narrowing,
        on,
        js=keep,
        **at_once,
    )
    bridge.scope(tab.narrow, None, filters.sources, **at_once)
    for event in (bridge.everywhere, bridge.nofilters):
        event(lambda: ([], [], "", ""), None, narrowing, **at_once)
    return narrowing


class _Checking(NamedTuple):
    claim: gr.Textbox
    button: gr.Button
    result: gr.HTML


def _checking() -> _Checking:
    with gr.Accordion(label("Check a claim"), open=False, elem_id="check"):
        claim = gr.Textbox(
            label=label("Claim"),
            placeholder=label("ISKP was formed in 2015."),
            lines=1,
            max_lines=4,
            elem_id="claim",
        )
        button = gr.Button(label("Check against the sources"), size="sm", elem_id="check-button")
        result = gr.HTML("", elem_id="check-result", apply_default_css=False)
    return _Checking(claim=claim, button=button, result=result)


class _Exporting(NamedTuple):
    form: gr.Dropdown
    whole: gr.Radio
    button: gr.Button
    parcel: gr.Textbox


def _exporting() -> _Exporting:
    with gr.Accordion(label("Export"), open=False, elem_id="export"):
        form = gr.Dropdown(list(EXPORTS), value="markdown", label=label("As"), elem_id="export-form")
        whole = gr.Radio(list(WHOLE), value=True, label=label("What"), elem_id="export-whole")
        button = gr.Button(label("Download"), size="sm", elem_id="export-button")
        # Carries the file to the browser, which saves it.
        parcel = gr.Textbox(elem_classes="bridge", label="File")
    return _Exporting(form=form, whole=whole, button=button, parcel=parcel)


class _Blaming(NamedTuple):
    box: gr.Group
    reason: gr.Radio
    remark: gr.Textbox
    send: gr.Button
    cancel: gr.Button


def _blaming() -> _Blaming:
    with gr.Group(visible=False, elem_id="blame") as box:
        reason = gr.Radio(list(REASONS), label=label("Reason"), elem_id="blame-reason")
        remark = gr.Textbox(
            label=label("In your words (optional)"), max_lines=3, max_length=2000, elem_id="blame-remark"
        )
        with gr.Row():
            send = gr.Button(label("Send"), variant="primary", size="sm", elem_id="blame-send")
            cancel = gr.Button(label("Cancel"), size="sm", elem_id="blame-cancel")
    return _Blaming(box=box, reason=reason, remark=remark, send=send, cancel=cancel)


def _exchange(turn: StoredTurn, *, kept: int = 0, vote: Vote | None = None) -> Exchange:
    return Exchange(
        question=turn.question,
        answer=turn.answer,
        kept=kept,
        at=turn.at,
        searched=turn.searched,
        limited=turn.limited,
        vote=vote,
    )


def _notice(words: str) -> str:
    return render("notice.html", text=words) if words else ""


def _choices(choices: Sequence[tuple[str, str | bool]], language: str) -> Any:
    """Choices of a component in a language; their values stay."""
    return gr.update(choices=[(said(words, language=language), value) for words, value in choices])


def _told(sentence: str, talk: Talk, **values: object) -> str:
    """A notice in the language of the page."""
    return _notice(said(sentence, language=talk.language, **values))


def _sentence(exc: Exception) -> str:
    """An error as a sentence: it begins with a capital and ends with a stop."""
    words = " ".join(str(exc).split())
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith(('.', '!', '?', '…')) else '.'}"


def client_of(request: gr.Request | None) -> str:
    """Who asks, for counting: the user's name, else the address."""
    if request is None:
        return "here"
    host = getattr(getattr(request, "client", None), "host", None)
    return str(getattr(request, "username", None) or host or "unknown")
