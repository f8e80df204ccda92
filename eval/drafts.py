"""From use to cases: what users marked with a thumb down becomes draft cases to be reviewed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from eval.errors import EvalError

FEEDBACK_FILE = "feedback.jsonl"
"""In the home; one ``{"liked", "question", "history"?, "reason"?, "answer"?, "at"?}`` a line, appended by the chat."""


def read_feedback(file: Path) -> list[Mapping[str, Any]]:
    """What users thought of answers; empty when nobody said anything.

    A line that is cut off (the page was killed while writing) is left out.

    Raises:
        EvalError: the file can't be read.
    """
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as exc:
        raise EvalError(f"the feedback in {file} cannot be read: {exc}") from exc
    return list(_entries(lines))


def _entries(lines: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("question"), str) and entry["question"].strip():
            yield entry


def drafts(feedback: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Draft cases, one for each question that was marked down, with gaps for the reviewer to fill.

    The citations of the bad answer stand in the note, not in ``gold``: they are what was doubted. A draft is
    not a valid case until it says what a right answer is.
    """
    made: dict[str, dict[str, Any]] = {}
    for entry in feedback:
        if entry.get("liked") is not False:
            continue
        history = entry.get("history") or []
        digest = sha256(json.dumps([entry["question"], history], sort_keys=True).encode()).hexdigest()[:8]
        answer = entry.get("answer")
        status = answer.get("status") if isinstance(answer, dict) else None
        text = answer.get("answer") if isinstance(answer, dict) else answer
        made[digest] = {
            "id": f"draft-{digest}",
            "split": "dev",
            "kind": "draft",
            "question": entry["question"],
            "history": history,
            "gold": [],
            "facts": [],
            "forbidden": [],
            "expect": "answered" if status in ("abstained", "declined", "unclear") else "FILL IN: answered, abstained, declined or unclear",
            "note": f"reason: {entry.get('reason') or 'none given'}; the answer was: {text or 'not kept'}",
        }
    return list(made.values())
