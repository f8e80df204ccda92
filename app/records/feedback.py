"""What users think of answers, one line each in the home; ``iskp eval drafts`` makes cases of it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.answer import Answer, to_json
from app.errors import Unkept
from app.question.followup import Turn

FEEDBACK_FILE = "feedback.jsonl"
"""In the home; the form is the one that ``eval.drafts`` reads."""
_LOCK_SECONDS = 10.0


def record(
    home: Path,
    *,
    liked: bool,
    question: str,
    answer: Answer | None = None,
    history: Sequence[Turn] = (),
    reason: str = "",
) -> None:
    """Append one judgement; it is on disk when this returns, whole or not at all.

    Args:
        home: the home's folder.
        history: what was said before the question.

    Raises:
        Unkept: the file cannot be written; what was in it stays.
    """
    import portalocker

    entry = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "liked": liked,
        "question": question,
        "history": [{"role": t.role, "content": t.content} for t in history],
        "reason": reason.strip(),
        "answer": to_json(answer) if answer else None,
    }
    # Half of a surrogate pair can be neither stored nor printed; nobody means it.
    line = (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    file = home / FEEDBACK_FILE
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with portalocker.Lock(file, "a+b", timeout=_LOCK_SECONDS) as stream:
            _append(stream.fileno(), line)
    except (OSError, portalocker.exceptions.BaseLockException) as exc:
        raise Unkept(
            f"the feedback {file} cannot be written ({exc}): check free space and the folder's rights, then try again"
        ) from exc


def _append(file: int, line: bytes) -> None:
    end = os.lseek(file, 0, os.SEEK_END)
    os.lseek(file, max(0, end - 1), os.SEEK_SET)
    if end and os.read(file, 1) != b"\n":  # somebody was killed while writing: their line ends here
        line = b"\n" + line
    try:
        while line:
            line = line[os.write(file, line) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, end)
        raise
