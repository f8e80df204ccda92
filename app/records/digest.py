"""Saved questions and what became of their answers: kept in the home's library, asked again by a digest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace

from pydantic import TypeAdapter

from app.answer import Answer, Citation
from app.errors import BadInput
from ingest.library import Library

_NOTE = "saved questions"
MOST_QUESTIONS = 100
_MOST_STATES = 50
"""Kept of a question, the newest; only answers that changed are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """An answer as a digest found it.

    Attributes:
        at: ISO time in UTC.
        cited: id of the source and quote of each citation.
    """

    at: str
    status: str
    answer: str
    cited: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A saved question with its answers, oldest first; none before its first digest."""

    question: str
    states: tuple[State, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a digest found for a question.

    Attributes:
        before: the answer that it is compared with; None for a question that is asked for the first time.
        new: citations that the answer did not have then, by date of their sources, the undated last.
        gone: citations that it had: source id and quote.
    """

    question: str
    answer: Answer
    before: State | None
    new: tuple[Citation, ...]
    gone: tuple[tuple[str, str], ...]

    @property
    def changed(self) -> bool:
        """Whether the answer rests on other words, or has another status."""
        return self.before is None or bool(self.new or self.gone) or self.before.status != self.answer.status


def load(library: Library) -> list[Saved]:
    """The saved questions in the order in which they were added."""
    return TypeAdapter(list[Saved]).validate_python(json.loads(library.note(_NOTE) or "[]"))


def add(library: Library, question: str) -> None:
    """Save a question.

    Raises:
        BadInput: it is blank or saved already, or there are too many.
    """
    question, known = " ".join(question.split()), load(library)
    if not question:
        raise BadInput('the question is blank; give one: iskp digest --add "…"')
    if question in {s.question for s in known}:
        raise BadInput(f"{question!r} is saved already; 'iskp digest --list' lists what is")
    if len(known) >= MOST_QUESTIONS:
        raise BadInput(f"{len(known)} questions are saved, and that is the limit; remove one: iskp digest --remove QUESTION")
    _store(library, [*known, Saved(question=question)])


def remove(library: Library, question: str) -> None:
    """Forget a question.

    Raises:
        BadInput: it is not saved.
    """
    question, known = " ".join(question.split()), load(library)
    if question not in {s.question for s in known}:
        raise BadInput(f"{question!r} is not saved; 'iskp digest --list' lists what is")
    _store(library, [s for s in known if s.question != question])


def ask_again(
    library: Library, ask: Callable[[str], Answer], *, at: str, since: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Change]:
    """Ask every saved question and keep the answers that changed.

    Args:
        at: ISO time in UTC.
        since: compare with the answer as it was on this day, an ISO date; by default with the last one.
        progress: told questions done and in all.
    """  # fmt: skip
    found: list[Change] = []
    saved = load(library)
    for number, one in enumerate(saved):
        answer = ask(one.question)
        found.append(compare(one.question, answer, _state_of(one.states, since)))
        if not one.states or compare(one.question, answer, one.states[-1]).changed:
            states = (*one.states, _state(answer, at))[-_MOST_STATES:]
            saved[number] = replace(one, states=states)
        progress(number + 1, len(saved))
    _store(library, saved)
    return found


def compare(question: str, answer: Answer, before: State | None) -> Change:
    """What is new in an answer."""
    had, has = set(before.cited) if before else set(), {(c.source_id, c.quote) for c in answer.citations}
    new = [c for c in answer.citations if (c.source_id, c.quote) not in had]
    return Change(
        question=question, answer=answer, before=before,
        new=tuple(sorted(new, key=lambda c: (c.date is None, c.date or ""))),
        gone=tuple(c for c in (before.cited if before else ()) if c not in has),
    )  # fmt: skip


def _state_of(states: Sequence[State], since: str | None) -> State | None:
    """The last state, or the last one up to the end of a day; of a question saved later its first."""
    if since is None:
        return states[-1] if states else None
    earlier = [s for s in states if s.at[:10] <= since]
    return earlier[-1] if earlier else next(iter(states), None)


def _state(answer: Answer, at: str) -> State:
    return State(at=at, status=answer.status, answer=answer.answer, cited=tuple((c.source_id, c.quote) for c in answer.citations))


def _store(library: Library, saved: Iterable[Saved]) -> None:
    library.set_note(_NOTE, json.dumps([asdict(s) for s in saved], ensure_ascii=False))
