"""What is wanted of the program: talk, something about its sources, or a search of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from app.question.tasks import TASKS, TaskClassifier, default

FILE = Path(__file__).parent / "data" / "tasks.txt"
ROWS = [line.split(" | ") for line in FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


@pytest.fixture(scope="module")
def classifier() -> TaskClassifier:
    return default()


def test_most_utterances_of_every_task_are_understood(classifier: TaskClassifier) -> None:
    right, of = Counter[str](), Counter[str]()
    for task, text in ROWS:
        of[task] += 1
        right[task] += classifier.task(text).task == task
    assert set(of) == set(TASKS)
    assert right.total() >= 0.87 * of.total(), right
    assert all(right[task] >= 0.6 * of[task] for task in TASKS), {t: (right[t], of[t]) for t in TASKS}


def test_a_question_on_a_subject_is_hardly_ever_taken_for_talk(classifier: TaskClassifier) -> None:
    taken = [text for task, text in ROWS if task == "other" and classifier.task(text).task != "other"]
    assert len(taken) <= 2, taken


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Hello, how many keepers does the lighthouse have?", "how many keepers does the lighthouse have?"),
        ("Good morning! Who runs the ferry? Thanks a lot.", "Who runs the ferry?"),
        ("Who runs the ferry, and since when?", "Who runs the ferry, and since when?"),
        ("Thanks!", "Thanks!"),
    ],
)
def test_greetings_and_thanks_around_a_question_are_dropped(classifier: TaskClassifier, text: str, bare: str) -> None:
    assert classifier.without_courtesy(text) == bare


def test_a_long_text_is_never_talk(classifier: TaskClassifier) -> None:
    assert classifier.task("thank you very much " * 20).task == "other"
