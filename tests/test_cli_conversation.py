"""``iskp ask`` without a question: what is typed line after line."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from app.answer import Answer
from app.cli.conversation import converse
from app.question.followup import Turn


def reader(*lines: str | type[BaseException]) -> Callable[[], str]:
    """Gives these lines, raises what is no line, then ends."""
    left: Iterator[str | type[BaseException]] = iter(lines)

    def read() -> str:
        line = next(left, EOFError)
        if isinstance(line, str):
            return line
        raise line

    return read


def talk(*lines: str | type[BaseException]) -> list[tuple[str, list[str]]]:
    """Questions with the questions before them, as they were asked; "stop" is interrupted."""
    asked: list[tuple[str, list[str]]] = []

    def answer(question: str, history: list[Turn]) -> Answer:
        asked.append((question, [t.content for t in history if t.role == "user"]))
        if question == "stop":
            raise KeyboardInterrupt
        options = ("Who is Lund?", "Who is Holm?") if question == "Who is he?" else ()
        return Answer(question=question, standalone_question=question, status="answered", answer="So it is.", options=options)

    converse(answer, lambda: (), reader(*lines))
    return asked


def test_each_question_comes_with_those_before_it_until_a_new_conversation() -> None:
    assert talk("How old?", "", "and now?", "/new", "Why?", "/quit", "Never asked?") == [("How old?", []), ("and now?", ["How old?"]), ("Why?", [])]


def test_a_number_asks_the_question_that_was_offered(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("Who is he?", "2", "1")[1:] == [("Who is Holm?", ["Who is he?"]), ("1", ["Who is he?", "Who is Holm?"])]
    assert "2  Who is Holm?" in capsys.readouterr().out


def test_ctrl_c_stops_an_answer_and_at_the_prompt_ends_only_when_pressed_twice() -> None:
    assert talk("stop", KeyboardInterrupt, "go on?", KeyboardInterrupt, KeyboardInterrupt, "late?") == [("stop", []), ("go on?", [])]


def test_commands_are_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert talk("/help", "/nonsense", "/sources") == []
    told = capsys.readouterr().out
    assert "/new" in told and "no command /nonsense" in told and "There are no sources yet" in told
