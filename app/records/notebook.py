"""What somebody pinned, with own words: one SQLite file in the home, each change at once."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.answer import Answer, from_json, to_json
from app.errors import BadInput, Unkept
from ingest import sqlite

NOTEBOOK_FILE = "notebook.db"
"""In the home."""
SCHEMA_VERSION = 2
MOST_CHARS = 20_000
"""Longest own words of a note."""
_SCHEMA = """
CREATE TABLE notes (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, place INTEGER NOT NULL, answer TEXT NOT NULL, words TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX by_place ON notes (owner, place);
"""
_LINKS = "CREATE TABLE links (owner TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One entry of a notebook.

    Attributes:
        answer: what was pinned, an answer or a quote as an answer of one citation; None for own words alone.
        words: one's own.
        at: ISO time in UTC at which it was pinned.
    """

    id: str
    answer: Answer | None
    words: str
    at: str


class Notebook:
    """Notes by owner, in their order. Several processes may read and write; threads may share an instance.

    Raises:
        Unkept: the file cannot be opened or written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.RLock()
        schema = sqlite.Schema(version=SCHEMA_VERSION, upgrade=_upgrade, pragmas=("secure_delete = ON",))
        try:
            opened = sqlite.open_file(file, schema, or_empty=True)
        except sqlite.NewerSchema as exc:
            raise Unkept(f"the notebook {file} was written by a newer version; upgrade, or move the file away") from exc
        except (OSError, sqlite3.Error) as exc:
            raise Unkept(f"the notebook {file} cannot be opened ({exc}): check the folder's rights and free space") from exc
        self._db = opened.db
        self._links = opened.version > 1  # a read-only file of an older schema stays as it is

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def notes(self, owner: str) -> list[Note]:
        """The owner's notes in their order."""
        rows = self._run("SELECT id, answer, words, at FROM notes WHERE owner = ? ORDER BY place", owner)
        return [Note(id=r[0], answer=from_json(json.loads(r[1])) if r[1] else None, words=r[2], at=r[3]) for r in rows]

    def add(self, owner: str, answer: Answer | None, words: str = "") -> str:
        """A note at the end; its id."""
        new, at = uuid.uuid4().hex, datetime.now(UTC).isoformat(timespec="seconds")
        self._run(
            "INSERT INTO notes SELECT ?, ?, coalesce(max(place), 0) + 1, ?, ?, ? FROM notes WHERE owner = ?",
            new, owner, json.dumps(to_json(answer)) if answer else "", words[:MOST_CHARS], at, owner,
        )  # fmt: skip
        return new

    def write(self, owner: str, note_id: str, words: str) -> None:
        """Replace one's own words."""
        self._run("UPDATE notes SET words = ? WHERE owner = ? AND id = ?", words[:MOST_CHARS], owner, note_id)

    def remove(self, owner: str, note_id: str) -> None:
        """Take a note out."""
        self._run("DELETE FROM notes WHERE owner = ? AND id = ?", owner, note_id)

    def move(self, owner: str, note_id: str, by: int) -> None:
        """Move a note up (negative) or down; at an end it stays.

        Raises:
            BadInput: there is no such note.
        """
        with self._lock:
            order = [r[0] for r in self._run("SELECT id FROM notes WHERE owner = ? ORDER BY place", owner)]
            if note_id not in order:
                raise BadInput("this note is not in the notebook any more")
            at = order.index(note_id)
            order.insert(max(0, min(len(order) - 1, at + by)), order.pop(at))
            for place, known in enumerate(order, start=1):
                self._run("UPDATE notes SET place = ? WHERE id = ?", place, known)

    def link(self, owner: str) -> str:
        """The token under which others may read the owner's notebook; empty where there is none."""
        rows = self._run("SELECT token FROM links WHERE owner = ?", owner) if self._links else []
        return str(rows[0][0]) if rows else ""

    def share(self, owner: str) -> str:
        """The same, 192 random bits, made where there is none yet."""
        self._run("INSERT OR IGNORE INTO links VALUES (?, ?)", owner, secrets.token_urlsafe(24))
        return self.link(owner)

    def unshare(self, owner: str) -> None:
        """Nobody but the owner may read the notebook any more; a later link is another one."""
        self._run("DELETE FROM links WHERE owner = ?", owner)

    def shared(self, link: str) -> list[Note]:
        """The notes that a token opens.

        Raises:
            BadInput: it opens none, or none any more.
        """
        found = self._run("SELECT owner FROM links WHERE token = ?", link.encode("utf-8", "replace").decode()) if link and self._links else []
        if not found:
            raise BadInput("this link opens nothing: it was taken back, or a part of the link is missing")
        return self.notes(str(found[0][0]))

    def _run(self, sql: str, *values: Any) -> list[Any]:
        try:
            with self._lock:
                return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as exc:
            raise Unkept(f"the notebook {self._file} cannot be used ({exc}); check the folder's rights and free space") from exc


def _upgrade(db: sqlite3.Connection, version: int) -> None:
    for statement in (*(_SCHEMA.split(";") if not version else ()), _LINKS):
        if statement.strip():
            db.execute(statement)
