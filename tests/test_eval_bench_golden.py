"""Two dumps of answers are compared field by field, and what varies from run to run is left out."""

from __future__ import annotations

import json
from pathlib import Path

from app.answer import Answer, to_json
from eval.bench.golden import _plain, as_text, compare


def _dump(file: Path, answers: dict[str, Answer]) -> Path:
    file.write_text("".join(json.dumps({"id": i, "answer": _plain(to_json(a))}) + "\n" for i, a in answers.items()))
    return file


def _answer(text: str, *, milliseconds: float = 1.0, index: str = "gen-1") -> Answer:
    return Answer(
        question="How deep is the lake?", standalone_question="How deep is the lake?", status="answered", answer=text,
        timings_ms={"total": milliseconds}, index_id=index,
    )  # fmt: skip


def test_times_and_index_names_are_no_difference(tmp_path: Path) -> None:
    before = _dump(tmp_path / "a", {"cases/1": _answer("It is 84 m deep.", milliseconds=3.1, index="gen-1")})
    after = _dump(tmp_path / "b", {"cases/1": _answer("It is 84 m deep.", milliseconds=9.9, index="gen-2")})
    assert compare(before, after) == []


def test_a_changed_a_missing_and_a_new_answer_are_told(tmp_path: Path) -> None:
    before = _dump(tmp_path / "a", {"cases/1": _answer("It is 84 m deep."), "cases/2": _answer("It is salty.")})
    after = _dump(tmp_path / "b", {"cases/1": _answer("It is 48 m deep."), "cases/3": _answer("It is wide.")})
    changes = compare(before, after)
    assert [(c.id, c.fields) for c in changes] == [("cases/1", ("answer",)), ("cases/2", ()), ("cases/3", ())]
    told = as_text(changes, of=2)
    assert "cases/2: gone" in told and "cases/3: new" in told
    assert "- answered 0.00 It is 84 m deep." in told and "+ answered 0.00 It is 48 m deep." in told


def test_a_field_that_came_later_and_has_its_default_is_no_difference(tmp_path: Path) -> None:
    before = tmp_path / "a"
    row = {k: v for k, v in _plain(to_json(_answer("It is 84 m deep."))).items() if k not in {"options", "task"}}
    before.write_text(json.dumps({"id": "cases/1", "answer": row}) + "\n")
    assert compare(before, _dump(tmp_path / "b", {"cases/1": _answer("It is 84 m deep.")})) == []
