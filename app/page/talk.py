"""A conversation as the page holds it, and what is shown of it. No gradio here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from app.answer import Answer, Citation, cite, graded
from app.citation_text import GENRE_WORDS
from app.home import Home
from app.page.front import Front
from app.question.followup import Turn
from app.rendering.html import LineOf, TurnView, Vote, evidence_html, thread_html
from app.rendering.welcome import welcome_html
from app.stream import Discarded, Draft, Event, Settled
from app.text.messages import said
from index.search import Filters

_ALSO = 5
_NAMED = 2
"""So many of the chosen sources are named in words."""


@dataclass(slots=True)
class Exchange:
    """A question and what became of it; without answer and error it is being answered.

    Attributes:
        kept: its number in the history; 0 when it is not kept.
        at: ISO time in UTC of the answer.
        searched: what was searched, in words, as it was when the answer came.
        limited: whether filters left sources out.
    """

    question: str
    answer: Answer | None = None
    settled: str = ""
    citations: dict[int, Citation] = field(default_factory=dict)
    draft: str = ""
    waiting: str = ""
    error: str = ""
    vote: Vote | None = None
    follow_ups: tuple[str, ...] = ()
    filters: Filters = field(default_factory=Filters)
    engine: str = ""
    stopped: bool = False
    kept: int = 0
    at: str = ""
    searched: str = ""
    limited: bool = False

    @property
    def busy(self) -> bool:
        """Whether it is being answered."""
        return self.answer is None and not self.error

    def take(self, event: Event) -> None:
        """What the engine says next."""
        if isinstance(event, Draft):
            self.draft += event.text
        elif isinstance(event, Settled):
            self.settled += event.text
            self.citations |= {c.marker: c for c in event.citations}
            self._dealt_with = event.draft_end
        elif isinstance(event, Discarded):
            self.settled = self.draft = ""
            self.citations, self._dealt_with = {}, 0
            self.waiting = f"{event.reason} …"
        else:
            self.answer = event.answer

    _dealt_with: int = 0

    def view(self, number: int) -> TurnView:
        """What is shown of it."""
        return TurnView(
            number=number, question=self.question, answer=self.answer, settled=self.settled,
            citations=tuple(self.citations.values()), draft=self.draft[self._dealt_with :], waiting=self.waiting,
            error=self.error, vote=self.vote, follow_ups=self.follow_ups,
            scope="" if self.answer is None or self.answer.unsearched else self.searched, limited=self.limited,
        )  # fmt: skip


@dataclass(slots=True)
class Talk:
    """One conversation of one owner.

    Attributes:
        id: of the kept conversation; None before the first answer.
        editing: number of the question that the next one replaces.
        shown: number of the question whose evidence is in the pane; 0 for none.
        blamed: number of the answer whose poor mark waits for a reason.
        find: words that the conversations of the list hold.
        link: the token under which somebody else's conversation is open here, to be read only; empty for one's own.
        notebook: the same for somebody else's notebook.
        language: ISO 639-1 code of what the page says to its visitor.
    """

    owner: str = ""
    id: str | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    editing: int | None = None
    shown: int = 0
    blamed: int | None = None
    find: str = ""
    link: str = ""
    notebook: str = ""
    language: str = "en"

    @property
    def busy(self) -> bool:
        """Whether a question is being answered."""
        return bool(self.exchanges) and self.exchanges[-1].busy

    def exchange(self, number: int | None) -> Exchange | None:
        """The question of this number, counted from 1."""
        return self.exchanges[number - 1] if number and 0 < number <= len(self.exchanges) else None

    def history(self) -> list[Turn]:
        """What was said so far, for follow-up questions."""
        turns: list[Turn] = []
        for e in self.exchanges:
            if e.answer:
                turns += [Turn(role="user", content=e.question), Turn(role="assistant", content=e.answer.answer)]
        return turns

    def cut(self, number: int) -> None:
        """Forget this question and what follows it."""
        del self.exchanges[max(0, number - 1) :]
        self.editing = self.blamed = None
        self.shown = min(self.shown, len(self.exchanges))


class Views:
    """HTML of a conversation and its evidence, over a home."""

    def __init__(self, home: Home, front: Front, *, read_only: bool = False, line_of: LineOf = lambda _: "") -> None:
        self._home = home
        self._front = front
        self._read_only = read_only
        self._line_of = line_of

    def thread(self, talk: Talk) -> str:
        """All questions but the last."""
        views = [e.view(n) for n, e in enumerate(talk.exchanges[:-1], start=1)]
        return thread_html(
            views, read_only=self._read_only, guest=bool(talk.link), line_of=self._line_of, language=talk.language
        )

    def live(self, talk: Talk) -> str:
        """The last question; nothing before the first one."""
        if not talk.exchanges:
            return thread_html((), live=True, language=talk.language)
        empty = not self._home.library.fingerprints()
        view = talk.exchanges[-1].view(len(talk.exchanges))
        return thread_html(
            [view],
            live=True,
            read_only=self._read_only,
            guest=bool(talk.link),
            empty=empty,
            line_of=self._line_of,
            language=talk.language,
        )

    def evidence(self, talk: Talk, *, also: bool = True) -> str:
        """The evidence of the question that is shown."""
        exchange = talk.exchange(talk.shown)
        answer = exchange.answer if exchange else None
        looked_at: tuple[Citation, ...] = ()
        if exchange and answer and also and answer.status == "answered":
            looked_at = self._also(answer, exchange.filters)
        return self._cards(answer, talk.shown, looked_at, talk.language)

    def welcome(self, language: str = "en") -> str:
        """The first screen, as far as it is known by now."""
        return welcome_html(self._front.now(), read_only=self._read_only, language=language)

    def welcome_evidence(self, language: str = "en") -> str:
        """The passages that the first screen cites, as question 0."""
        return self._cards(self._front.thesis, 0, (), language) if self._front.thesis else ""

    def _cards(self, answer: Answer | None, turn: int, looked_at: Sequence[Citation], language: str) -> str:
        opened = self._home.index.current()
        if answer is None or opened is None:
            return evidence_html(None, 0, lambda _: None, lambda _: None, language=language)
        spans: dict[str, tuple[int, int]] = {}
        for source_id in {c.source_id for c in (*answer.citations, *answer.nearest, *looked_at)}:
            spans |= {p.id: (p.start, p.end) for p in opened.passages_of(source_id)}
        return evidence_html(answer, turn, opened.source, spans.get, also=looked_at, language=language)

    def _also(self, answer: Answer, filters: Filters) -> tuple[Citation, ...]:
        """Passages that the search found for an answer and that it does not cite, best first."""
        opened = self._home.index.current()
        if opened is None:
            return ()
        cited = {c.passage_id for c in answer.citations}
        found: list[Citation] = []
        for hit in opened.search(answer.standalone_question, len(cited) + _ALSO, filters=filters):
            source = opened.source(hit.passage.source_id)
            if source is not None and hit.passage.id not in cited:
                passage = hit.passage
                found.append(cite(source, passage, start=passage.start, end=passage.end, support=hit.score))
        return graded(found[:_ALSO], self._home.library.grades())

    def titles(self, source_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Ids with titles, of those sources that are indexed."""
        opened = self._home.index.current()
        return [(i, s.title) for i in source_ids if opened and (s := opened.source(i)) is not None]

    def scope(self, filters: Filters, *, titled: bool = True, language: str = "en") -> str:
        """What a question with these filters is searched in, in words; with the titles of the first chosen sources."""
        _ = partial(said, language=language)
        opened = self._home.index.current()
        if opened is None:
            return _("nothing, because nothing is indexed yet")
        everything = len(self._home.library.fingerprints())
        total = f"{everything:,}"
        if filters.sources:
            words = _(
                "{number} of {total} source" if everything == 1 else "{number} of {total} sources",
                number=len(filters.sources),
                total=total,
            )
            titles = [s.title for i in filters.sources[:_NAMED] if (s := opened.source(i)) is not None]
            rest = len(filters.sources) - len(titles)
            if titled:
                words += f" ({'; '.join([*titles, *([_('{number} more', number=rest)] if rest else [])])})"
        elif filters != Filters():
            words = _("{number} source" if everything == 1 else "{number} sources", number=total)
        else:
            words = _("all {number} sources", number=everything) if everything != 1 else _("the one source")
            passages = opened.passage_count()
            words += f" ({_('{number} passage' if passages == 1 else '{number} passages', number=f'{passages:,}')})"
        if filters.genres:
            words += _(", only {kinds}", kinds=", ".join(_(GENRE_WORDS.get(g, g)) for g in filters.genres))
        if filters.since:
            words += _(", from {day}", day=_day(filters.since))
        if filters.until:
            words += _(", up to {day}", day=_day(filters.until))
        return words


def make_filters(sources: Sequence[str], genres: Sequence[str], since: str, until: str) -> Filters:
    """Filters from what was chosen on the page.

    Raises:
        BadSource: a date is not one.
    """
    return Filters.of(sources=sources or (), genres=genres or (), since=since, until=until)


def _day(number: int) -> str:
    text = str(number)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"
