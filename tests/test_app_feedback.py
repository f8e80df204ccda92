"""What users think of answers: one whole line each, and draft cases made of it by the real command."""

from __future__ import annotations

import json
import multiprocessing
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.answer import Answer
from app.errors import Unkept
from app.question.followup import Turn
from app.records.feedback import FEEDBACK_FILE, record
from eval import drafts

ANSWER = Answer(question="q", standalone_question="q", status="abstained", answer="The sources do not answer this.")


def _lines(home: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (home / FEEDBACK_FILE).read_text().splitlines()]


def test_the_page_and_the_evaluation_mean_the_same_file() -> None:
    assert drafts.FEEDBACK_FILE == FEEDBACK_FILE


def test_a_judgement_holds_question_history_reason_and_answer(tmp_path: Path) -> None:
    history = [Turn(role="user", content="Who?"), Turn(role="assistant", content="She.")]
    record(tmp_path, liked=False, question="And when?\n", answer=ANSWER, history=history, reason=" wrong year ")
    (entry,) = _lines(tmp_path)
    assert entry["question"] == "And when?\n" and entry["reason"] == "wrong year" and entry["liked"] is False
    assert entry["history"] == [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "She."}]
    assert entry["answer"]["status"] == "abstained" and str(entry["at"]).endswith("+00:00")  # type: ignore[index]


def test_the_command_makes_a_draft_of_what_was_marked_down(tmp_path: Path) -> None:
    record(tmp_path, liked=True, question="Good one?", answer=ANSWER)
    record(tmp_path, liked=False, question="When did it begin?", answer=ANSWER, reason="it is in the article")
    record(tmp_path, liked=False, question="Half \ud800 a pair?", reason="odd")
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", "--home", str(tmp_path), "eval", "drafts"], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [d["question"] for d in made] == ["When did it begin?", "Half ? a pair?"]
    assert made[0]["expect"] == "answered" and "it is in the article" in made[0]["note"]


def test_a_line_that_was_cut_off_does_not_swallow_the_next(tmp_path: Path) -> None:
    (tmp_path / FEEDBACK_FILE).write_text('{"liked": false, "question": "cut o')
    record(tmp_path, liked=False, question="Whole?")
    assert [e["question"] for e in drafts.read_feedback(tmp_path / FEEDBACK_FILE)] == ["Whole?"]


def test_processes_write_whole_lines_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_record_many, args=(str(tmp_path), n)) for n in range(3)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    questions = [str(e["question"]) for e in _lines(tmp_path)]
    assert len(questions) == len(set(questions)) == 60


def _record_many(home: str, number: int) -> None:
    for n in range(20):
        record(Path(home), liked=False, question=f"{number}.{n} " + "x" * 3000)


def test_a_full_disk_is_one_sentence_and_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    record(tmp_path, liked=True, question="kept")
    before = (tmp_path / FEEDBACK_FILE).read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(Unkept, match=r"cannot be written.*free space"):
            record(tmp_path, liked=False, question="x" * 50_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert (tmp_path / FEEDBACK_FILE).read_bytes() == before
