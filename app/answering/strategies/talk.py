"""Answers to talk: greetings, thanks, what the program is and does. They state nothing about the subject of the sources."""

from __future__ import annotations

from app.answer import words_of
from app.answering.engine import Desk, Outcome
from app.answering.strategies.point import trace_of
from app.question.tasks import Task
from app.text.counts import counted
from app.text.messages import translated

NO_SOURCES = "There are no sources yet: add files or addresses first, on the page under Sources or with 'iskp ingest'."


def talk(desk: Desk) -> Outcome | None:
    """A sentence or two and questions that are answered; None for what is no talk."""
    task = desk.request.task
    return _replied(desk, task) if task.startswith("talk") else None


def perhaps_talk(desk: Desk) -> Outcome | None:
    """The same for what may be talk and no source answers: "help"."""
    request = desk.request
    if request.leaning == "other" or trace_of(desk, request.question).decision.answer:
        return None
    return _replied(desk, request.leaning)


def _replied(desk: Desk, task: Task) -> Outcome:
    held = desk.opened.origins if desk.opened else {}
    summaries = sum(count for origin, count in held.items() if words_of(origin) == "summary")
    number = sum(held.values())
    told = translated(task if number else "no_sources", desk.request.frame, sources=number)
    return Outcome(answer=desk.told("talk", told or reply(task, sources=number, summaries=summaries)))


def reply(task: Task, *, sources: int, summaries: int) -> str:
    """What is said to talk of this kind.

    Args:
        sources: how many texts can be searched.
        summaries: how many of them are summaries of publications rather than the originals.
    """
    from_what = (
        f"I answer questions from {counted(sources, 'source')} and name the passage behind every sentence." if sources else NO_SOURCES
    )
    if task == "talk-greeting":
        return f"Hello! {from_what}{' Ask me about anything that they cover.' if sources else ''}"
    if task == "talk-thanks":
        return "You’re welcome. Ask another question whenever you like." if sources else f"You’re welcome. {NO_SOURCES}"
    if task == "talk-farewell":
        return "Goodbye. You are welcome to come back with more questions."
    if task == "talk-help":
        return (
            f"{from_what} You can ask follow-up questions, ask for a summary or an overview of a topic, compare what sources say and "
            "see where they differ, have a claim checked against the sources, and export answers with their references. "
            "I also tell which sources there are, and how old they are. I know nothing beyond the sources."
        )
    if task == "talk-identity":
        return (
            "I am iskp-qa, a program that answers questions from a collection of sources, not a person, and I have no opinions. "
            f"{from_what}"
        )
    if task == "talk-trust":
        return f"You need not take my word for it: {_trust(sources, summaries)}"
    if task == "talk-complaint":
        return (
            "I am sorry that this did not help. I can only answer from the sources: try asking with other words, one thing "
            "at a time, with the names that you mean, or ask which sources there are. The cited words show whether an answer fits."
        )
    return f"I do not understand this as a question. {from_what}"


def _trust(sources: int, summaries: int) -> str:
    if not sources:
        return f"every sentence of an answer names the passage that it comes from. {NO_SOURCES}"
    text = (
        "each answer cites the words that it rests on, so that you can open them and check. Sources can be wrong, and I can pick "
        "the wrong passage; where sources differ I show their figures side by side, and I say so when they do not answer."
    )
    if summaries:
        text += (
            f" {summaries} of the {counted(sources, 'source')} are summaries in iskp-qa’s own words and marked as such: "
            "open the original before you quote them."
        )
    return text
