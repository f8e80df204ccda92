"""Conversations kept on this machine: one SQLite file, every change a transaction.

A process that is killed at any moment leaves each conversation as it was before or after the change.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from app.answer import Answer, from_json, to_json
from app.errors import BadInput, Unkept
from ingest import sqlite

HISTORY_FILE = "history.db"
"""In the home."""
SCHEMA_VERSION = 3
TITLE_CHARS = 120
"""Longest title; a longer one is cut at a word."""
_SCHEMA = """
CREATE TABLE conversations (
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, title TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  shared TEXT);
CREATE INDEX by_owner ON conversations (owner, updated_at);
CREATE UNIQUE INDEX by_link ON conversations (shared);
CREATE TABLE turns (
  conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE, number INTEGER NOT NULL,
  question TEXT NOT NULL, words TEXT NOT NULL, answer TEXT NOT NULL, at TEXT NOT NULL, liked INTEGER,
  searched TEXT NOT NULL DEFAULT '', limited INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (conversation, number)) WITHOUT ROWID;
"""
_UPGRADES = {
    1: (
        "ALTER TABLE turns ADD COLUMN searched TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE turns ADD COLUMN limited INTEGER NOT NULL DEFAULT 0",
    ),
    2: ("ALTER TABLE conversations ADD COLUMN shared TEXT", "CREATE UNIQUE INDEX by_link ON conversations (shared)"),
}
"""By schema, what makes the next one of it."""
_CONVERSATION = """
SELECT c.id, c.title, c.created_at, c.updated_at, (SELECT count(*) FROM turns t WHERE t.conversation = c.id), {shared}
FROM conversations c WHERE """
_NEWEST = " ORDER BY c.updated_at DESC, c.rowid DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What a list of conversations shows.

    Attributes:
        created_at: ISO time in UTC, as is ``updated_at``, the time of the last change of its turns.
        turns: how many questions it holds.
        link: the token under which others may read it; empty where its owner made none.
    """

    id: str
    title: str
    created_at: str
    updated_at: str
    turns: int
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTurn:
    """A question with its answer.

    Attributes:
        at: ISO time in UTC of the answer.
        liked: what the user thought of it; None when nothing was said.
        searched: what was searched for it, in words, as it was then; empty when that was not noted.
        limited: whether filters left sources out.
    """

    question: str
    answer: Answer
    at: str
    liked: bool | None = None
    searched: str = ""
    limited: bool = False


class History:
    """Conversations by id. Several processes may read and write; threads may share an instance.

    Every method that writes raises :class:`~app.errors.Unkept` where it can't; what was stored before
    stays. Methods that take an id raise :class:`~app.errors.BadInput` when there is no such conversation.

    Attributes:
        readonly: whether conversations can only be read here.
    """

    def __init__(self, file: Path) -> None:
        """Open or create the file.

        Raises:
            Unkept: it is damaged, of a newer version, or cannot be opened.
        """
        self._file = file
        self._lock = threading.RLock()
        schema = sqlite.Schema(
            version=SCHEMA_VERSION, upgrade=_upgrade, pragmas=("foreign_keys = ON", "secure_delete = ON")
        )
        try:
            # On a disk that nobody may write there is nothing to read as long as no history is there.
            opened = sqlite.open_file(file, schema, or_empty=True)
        except sqlite.NewerSchema as exc:
            raise Unkept(
                f"the history {file} was written by a newer version (schema {exc.version}, this one knows "
                f"{SCHEMA_VERSION}): upgrade, or move the file away to begin a new one"
            ) from exc
        except (OSError, sqlite3.Error) as exc:
            raise Unkept(
                f"the history {file} cannot be opened ({exc}): check the folder's rights and free space, or move "
                "the file away to begin a new one"
            ) from exc
        self._db, self.readonly = opened.db, opened.readonly
        # A read-only file of an older schema stays as it is.
        self._searched = "searched, limited" if opened.version > 1 else "'', 0"
        self._conversation = _CONVERSATION.format(shared="c.shared" if opened.version > 2 else "NULL")
        self._links = opened.version > 2

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def conversations(self, owner: str = "") -> list[Conversation]:
        """The owner's conversations, the one changed last first."""
        return [_conversation(r) for r in self._query(f"{self._conversation} c.owner = ? {_NEWEST}", owner)]

    def conversation(self, conversation_id: str) -> Conversation:
        """One conversation."""
        rows = self._query(f"{self._conversation} c.id = ?", conversation_id)
        if not rows:
            raise _unknown(conversation_id)
        return _conversation(rows[0])

    def share(self, conversation_id: str) -> str:
        """The token under which others may read a conversation, 192 random bits; made where there is none yet."""
        with self._writing():
            self._db.execute(
                "UPDATE conversations SET shared = ? WHERE id = ? AND shared IS NULL", (secrets.token_urlsafe(24), conversation_id)
            )
        return self.conversation(conversation_id).link

    def unshare(self, conversation_id: str) -> None:
        """Nobody but its owner may read a conversation any more; a later link is another one."""
        with self._writing():
            if not self._db.execute("UPDATE conversations SET shared = NULL WHERE id = ?", (conversation_id,)).rowcount:
                raise _unknown(conversation_id)

    def shared(self, link: str) -> Conversation:
        """The conversation that a token opens.

        Raises:
            BadInput: it opens none, or none any more.
        """
        rows = self._query(f"{self._conversation} c.shared = ?", _storable(link)) if link and self._links else []
        if not rows:
            raise BadInput("this link opens nothing: it was taken back, the conversation was deleted, or a part of the link is missing")
        return _conversation(rows[0])

    def owner(self, conversation_id: str) -> str:
        """Whose conversation it is."""
        rows = self._query("SELECT owner FROM conversations WHERE id = ?", conversation_id)
        if not rows:
            raise _unknown(conversation_id)
        return str(rows[0][0])

    def start(self, title: str, owner: str = "") -> str:
        """Begin an empty conversation, often with its first question as title; returns its id."""
        new = uuid.uuid4().hex
        with self._writing():
            now = self._moment()
            self._db.execute("INSERT INTO conversations VALUES (?, ?, ?, ?, ?, NULL)", (new, owner, _title(title), now, now))
        return new

    def turns(self, conversation_id: str) -> list[StoredTurn]:
        """The questions and answers in order."""
        self.owner(conversation_id)
        rows = self._query(
            f"SELECT question, answer, at, liked, {self._searched} FROM turns WHERE conversation = ? ORDER BY number",
            conversation_id,
        )
        return [
            StoredTurn(
                question=json.loads(r[0]), answer=from_json(json.loads(r[1])), at=r[2],
                liked=None if r[3] is None else bool(r[3]), searched=r[4], limited=bool(r[5]),
            )
            for r in rows
        ]  # fmt: skip

    def append(
        self, conversation_id: str, question: str, answer: Answer, searched: str = "", limited: bool = False
    ) -> int:
        """Add a question with its answer and what was searched for it; returns its number, from 1."""
        words = " ".join((question, answer.answer)).casefold()
        with self._writing():
            now = self._touch(conversation_id)
            (count,) = self._db.execute(
                "SELECT coalesce(max(number), 0) FROM turns WHERE conversation = ?", (conversation_id,)
            ).fetchone()
            # JSON escapes what SQLite cannot hold as text, such as half of a surrogate pair.
            self._db.execute(
                "INSERT INTO turns VALUES (?, ?, ?, ?, ?, ?, NULL, ?, ?)",
                (
                    conversation_id, count + 1, json.dumps(question), _storable(words), json.dumps(to_json(answer)), now,
                    _storable(searched), limited,
                ),
            )  # fmt: skip
        return int(count) + 1

    def truncate(self, conversation_id: str, keep: int) -> None:
        """Keep the first ``keep`` turns, for undo, edit and retry."""
        with self._writing():
            self._touch(conversation_id)
            self._db.execute("DELETE FROM turns WHERE conversation = ? AND number > ?", (conversation_id, max(0, keep)))

    def set_liked(self, conversation_id: str, number: int, liked: bool | None) -> None:
        """Note what the user thought of a turn, counted from 1.

        Raises:
            BadInput: there is no such turn.
        """
        with self._writing():
            changed = self._db.execute(
                "UPDATE turns SET liked = ? WHERE conversation = ? AND number = ?", (liked, conversation_id, number)
            ).rowcount
            if not changed:
                raise BadInput(f"there is no turn {number} in the conversation {conversation_id!r}; reload the page")

    def rename(self, conversation_id: str, title: str) -> None:
        """Give a conversation another title.

        Raises:
            BadInput: the title is blank.
        """
        if not title.strip():
            raise BadInput("the title is empty; type a word or two")
        with self._writing():
            done = self._db.execute("UPDATE conversations SET title = ? WHERE id = ?", (_title(title), conversation_id))
            if not done.rowcount:
                raise _unknown(conversation_id)

    def delete(self, conversation_id: str) -> None:
        """Forget a conversation; its words are overwritten in the file."""
        with self._writing():
            if not self._db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,)).rowcount:
                raise _unknown(conversation_id)
        self._forget()

    def clear(self, owner: str = "") -> int:
        """Forget all conversations of the owner; returns how many they were."""
        with self._writing():
            count = self._db.execute("DELETE FROM conversations WHERE owner = ?", (owner,)).rowcount
        self._forget()
        return count

    def search(self, text: str, owner: str = "") -> list[Conversation]:
        """The owner's conversations in whose title, questions or answers every word of the text stands.

        A blank text finds all; upper and lower case are the same.
        """
        words = [_storable(w) for w in text.casefold().split()]
        found = set(self._ids_with(words, owner))
        return [c for c in self.conversations(owner) if c.id in found]

    def _ids_with(self, words: Sequence[str], owner: str) -> Iterator[str]:
        rows = self._query(
            "SELECT c.id, c.title, coalesce((SELECT group_concat(words, ' ') FROM turns t WHERE t.conversation = c.id), '') "
            "FROM conversations c WHERE c.owner = ?",
            owner,
        )
        for conversation_id, title, said in rows:
            everything = f"{title.casefold()} {said}"
            if all(w in everything for w in words):
                yield conversation_id

    def _touch(self, conversation_id: str) -> str:
        now = self._moment()
        done = self._db.execute("UPDATE conversations SET updated_at = ? WHERE id = ?", (now, conversation_id))
        if not done.rowcount:
            raise _unknown(conversation_id)
        return now

    def _moment(self) -> str:
        """Now, but after every change on record: two in one tick, or a clock put back, keep their order."""
        now = datetime.now(UTC)
        (newest,) = self._db.execute("SELECT max(updated_at) FROM conversations").fetchone()
        if newest is not None:
            now = max(now, datetime.fromisoformat(newest) + timedelta(microseconds=1))
        return now.isoformat(timespec="microseconds")

    def _forget(self) -> None:
        """Take deleted words out of the log too; where somebody reads just now, the next deletion does it."""
        with self._lock:
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except sqlite3.Error as exc:
                self._roll_back()
                raise Unkept(
                    f"the history {self._file} cannot be written ({exc}): check free space and the folder's rights, "
                    "then try again; nothing that was kept is lost"
                ) from exc
            except BaseException:
                self._roll_back()
                raise

    def _roll_back(self) -> None:
        if self._db.in_transaction:  # SQLite rolls back by itself when the disk is full
            self._db.execute("ROLLBACK")

    def _query(self, sql: str, *parameters: str) -> list[tuple]:  # type: ignore[type-arg]
        with self._lock:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except sqlite3.Error as exc:
                raise Unkept(
                    f"the history {self._file} cannot be read ({exc}); move the file away to begin a new one"
                ) from exc


def _upgrade(db: sqlite3.Connection, version: int) -> None:
    if not version:
        for statement in _SCHEMA.split(";"):
            db.execute(statement)
    for older in range(version or SCHEMA_VERSION, SCHEMA_VERSION):
        for statement in _UPGRADES[older]:
            db.execute(statement)


def _conversation(row: Sequence[Any]) -> Conversation:
    return Conversation(id=row[0], title=row[1], created_at=row[2], updated_at=row[3], turns=row[4], link=row[5] or "")


def _title(text: str) -> str:
    words = _storable(" ".join(text.split())) or "Untitled"
    return words if len(words) <= TITLE_CHARS else words[:TITLE_CHARS].rsplit(" ", 1)[0] + " …"


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _unknown(conversation_id: str) -> BadInput:
    return BadInput(f"there is no conversation {conversation_id!r}; it may have been deleted in another window")
