"""Conversations kept on this machine: read back exactly, changed whole or not at all, never lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from dataclasses import fields
from datetime import datetime, tzinfo
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import app.records.history
from app.answer import Answer, Citation, Difference, Outlet, Row, Scope, Span, Understood, Value, from_json, to_json
from app.errors import BadInput, Unkept
from app.records.history import HISTORY_FILE, SCHEMA_VERSION, TITLE_CHARS, History
from ingest.grade import Grade

# Any text at all, halves of surrogate pairs too: a question may come from anywhere.
texts = st.text(alphabet=st.characters(), max_size=30)
maybe = st.none() | texts
shares = st.floats(0, 1)
outlets = st.builds(Outlet, source_id=texts, title=texts, publisher=maybe, date=maybe, url=maybe, locator=texts)
CITATION = {
    "marker": st.integers(0, 99), "passage_id": texts, "source_id": texts, "title": texts, "publisher": maybe,
    "author": maybe, "date": maybe, "date_note": maybe, "url": maybe, "genre": texts, "origin": texts,
    "fetched_at": maybe, "locator": texts, "paragraph": st.none() | st.integers(0, 999), "quote": texts,
    "start": st.integers(0, 10**6), "end": st.integers(0, 10**6), "support": shares, "claim_status": maybe,
    "claimed_by": maybe, "via": maybe, "also_in": st.lists(outlets, max_size=2).map(tuple),
    "recognised": st.none() | st.floats(0, 1),
    "grade": st.none() | st.builds(Grade, reliability=st.sampled_from("ABCDEF"), credibility=st.integers(1, 6), reason=texts, graded_at=texts),
}  # fmt: skip
citations = st.builds(Citation, **CITATION)
values = st.builds(Value, value=texts, unit=texts, date=maybe, marker=st.integers(0, 9))
differences = st.builds(Difference, about=texts, values=st.lists(values, max_size=3).map(tuple))
some = st.lists(texts, max_size=2).map(tuple)
understood = st.builds(
    Understood, task=texts, shape=texts, turning=texts, names=some, period=st.none() | st.builds(Span, first=maybe, last=maybe),
    scope=st.builds(Scope, sources=some, genres=some, since=maybe, until=maybe),
)
ANSWER = {
    "question": texts, "standalone_question": texts, "status": st.sampled_from(["answered", "abstained", "declined", "unclear"]),
    "answer": texts, "short_answer": maybe, "citations": st.lists(citations, max_size=3).map(tuple),
    "differences": st.lists(differences, max_size=2).map(tuple), "missing_terms": some,
    "nearest": st.lists(citations, max_size=2).map(tuple), "confidence": shares, "unsupported": some, "reasons": some,
    "engine": texts, "index_id": texts, "prompt_id": texts, "notice": texts, "unsearched": texts, "options": some,
    "task": st.sampled_from(["point", "talk", "catalogue"]), "understood": st.none() | understood, "shape": texts,
    "rows": st.lists(
        st.builds(Row, label=texts, cells=some, markers=st.lists(st.integers(1, 9), max_size=2).map(tuple)), max_size=2
    ).map(tuple),
    "timings_ms": st.dictionaries(texts, st.floats(0, 1e6), max_size=3),
    "usage": st.dictionaries(texts, st.integers(0, 10**6), max_size=3),
}  # fmt: skip
answers = st.builds(Answer, **ANSWER)


def _answer(text: str = "Said so.") -> Answer:
    return Answer(question="q", standalone_question="q", status="answered", answer=text)


@pytest.fixture
def history(tmp_path: Path) -> History:
    opened = History(tmp_path / HISTORY_FILE)
    yield opened  # type: ignore[misc]
    opened.close()


@given(answer=answers)
def test_an_answer_is_read_back_exactly_from_its_json(answer: Answer) -> None:
    assert from_json(json.loads(json.dumps(to_json(answer)))) == answer


def test_every_field_is_drawn_in_the_test_above() -> None:
    assert set(ANSWER) == {f.name for f in fields(Answer)}
    assert set(CITATION) == {f.name for f in fields(Citation) if f.init}  # "words" follows from the origin


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("text", "the whole"),
        ({"question": "q"}, "standalone_question"),
        ({**to_json(_answer()), "status": "guessed"}, "status"),
        ({**to_json(_answer()), "citations": [{"marker": 1}]}, "citations.0"),
        ({**to_json(_answer()), "answer": 7}, "answer"),
    ],
)
def test_what_is_no_answer_is_refused_with_the_place(data: object, said: str) -> None:
    with pytest.raises(BadInput, match=said.replace(".", r"\.")):
        from_json(data)


@given(question=texts, answer=answers, title=texts)
def test_a_turn_comes_back_as_it_was_kept(
    tmp_path_factory: pytest.TempPathFactory, question: str, answer: Answer, title: str
) -> None:
    file = tmp_path_factory.mktemp("kept") / HISTORY_FILE
    first = History(file)
    talk = first.start(title)
    first.append(talk, question, answer)
    first.close()
    again = History(file)
    (turn,) = again.turns(talk)
    assert (turn.question, turn.answer, turn.liked) == (question, answer, None)
    again.close()


def test_conversations_are_listed_last_changed_first_and_owners_apart(history: History) -> None:
    one, two = history.start("One"), history.start("Two")
    history.start("Hers", owner="ann")
    history.append(one, "q", _answer())
    assert [(c.id, c.title, c.turns) for c in history.conversations()] == [(one, "One", 1), (two, "Two", 0)]
    assert [c.title for c in history.conversations("ann")] == ["Hers"]
    assert history.owner(two) == ""


def test_changes_in_one_tick_of_the_clock_keep_their_order(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime(2026, 1, 1, tzinfo=tz)

    monkeypatch.setattr(app.records.history, "datetime", Stopped)
    one, two = history.start("One"), history.start("Two")
    history.append(one, "q", _answer())
    assert [c.id for c in history.conversations()] == [one, two]
    history.append(two, "q", _answer())
    assert [c.id for c in history.conversations()] == [two, one]


def test_undo_keeps_the_turns_before_and_numbers_go_on(history: History) -> None:
    talk = history.start("t")
    assert [history.append(talk, f"q{n}", _answer()) for n in (1, 2, 3)] == [1, 2, 3]
    history.truncate(talk, 1)
    assert [t.question for t in history.turns(talk)] == ["q1"]
    assert history.append(talk, "again", _answer()) == 2
    history.truncate(talk, 0)
    assert history.turns(talk) == [] and history.conversations()[0].turns == 0


def test_a_mark_is_kept_changed_and_taken_back(history: History) -> None:
    talk = history.start("t")
    history.append(talk, "q", _answer())
    for liked in (True, False, None):
        history.set_liked(talk, 1, liked)
        assert history.turns(talk)[0].liked is liked
    with pytest.raises(BadInput, match="turn 2"):
        history.set_liked(talk, 2, True)


def test_rename_delete_and_clear(history: History) -> None:
    one, two = history.start("One"), history.start("Two")
    other = history.start("Other", owner="ann")
    history.rename(one, "  First\nquestion ")
    assert history.conversation(one).title == "First question"
    history.delete(two)
    assert [c.id for c in history.conversations()] == [one]
    assert history.clear() == 1
    assert history.conversations() == [] and history.conversations("ann")[0].id == other
    with pytest.raises(BadInput, match="empty"):
        history.rename(other, " ")


def test_a_long_title_is_cut_at_a_word(history: History) -> None:
    talk = history.start("word " * 100)
    title = history.conversation(talk).title
    assert len(title) <= TITLE_CHARS + 2 and title.endswith("word …")


def test_what_is_not_there_is_said_for_every_method(history: History) -> None:
    for call in (
        lambda: history.turns("x"), lambda: history.append("x", "q", _answer()), lambda: history.truncate("x", 0),
        lambda: history.rename("x", "t"), lambda: history.delete("x"), lambda: history.conversation("x"),
    ):  # fmt: skip
        with pytest.raises(BadInput, match="no conversation 'x'"):
            call()


def test_search_finds_all_words_in_titles_questions_and_answers(history: History) -> None:
    talk = history.start("Ferries")
    history.append(talk, "How many ÄPFEL?", _answer("About 100 % of them, it_says."))
    history.start("Trams")
    assert [c.id for c in history.search("ferries äpfel")] == [talk]
    assert [c.id for c in history.search("100 %")] == [talk]
    assert [c.id for c in history.search("it_s")] == [talk]  # no wildcards
    assert history.search("it%s") == [] and history.search("ferries trams") == []
    assert len(history.search(" ")) == 2


def test_deleted_words_are_gone_from_the_files(history: History, tmp_path: Path) -> None:
    talk = history.start("secretwordtitle")
    history.append(talk, "secretwordquestion", _answer("secretwordanswer"))
    history.delete(talk)
    left = b"".join(f.read_bytes() for f in tmp_path.iterdir())
    assert b"secretword" not in left


def test_threads_and_processes_write_at_once_without_loss(tmp_path: Path) -> None:
    history = History(tmp_path / HISTORY_FILE)
    talk = history.start("t")
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_append_many, args=(str(tmp_path / HISTORY_FILE), talk, n)) for n in range(2)]
    threads = [threading.Thread(target=_append_to, args=(history, talk, f"thread {n}", 10)) for n in range(3)]
    for worker in (*others, *threads):
        worker.start()
    for worker in (*others, *threads):
        worker.join()
    assert [p.exitcode for p in others] == [0, 0]
    questions = [t.question for t in history.turns(talk)]
    assert len(questions) == len(set(questions)) == 50
    history.close()


def _append_to(history: History, talk: str, name: str, count: int) -> None:
    for n in range(count):
        history.append(talk, f"{name} {n}", _answer())


def _append_many(file: str, talk: str, number: int) -> None:
    history = History(Path(file))
    _append_to(history, talk, f"process {number}", 10)
    history.close()


_WRITER = """
import sys
from pathlib import Path
from app.answer import Answer
from app.records.history import History
history = History(Path(sys.argv[1]))
talk = history.start("t")
for n in range(100000):
    history.append(talk, f"q{n}", Answer(question="q", standalone_question="q", status="answered", answer="x" * 2000))
    print(n, flush=True)
"""


def test_a_process_killed_while_writing_loses_nothing_that_it_reported(tmp_path: Path) -> None:
    for _ in range(3):
        writer = subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path / HISTORY_FILE)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        first = writer.stdout.readline()
        assert first.strip() == "0"
        time.sleep(0.15)
        writer.send_signal(signal.SIGKILL)
        reported = len(writer.stdout.read().splitlines()) + 1
        writer.stdout.close()
        writer.wait()
        history = History(tmp_path / HISTORY_FILE)
        newest = history.conversations()[0]
        kept = [t.question for t in history.turns(newest.id)]
        assert kept == [f"q{n}" for n in range(len(kept))] and reported <= len(kept) <= reported + 1
        history.close()


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(tmp_path: Path) -> None:
    history = History(tmp_path / HISTORY_FILE)
    talk = history.start("t")
    history.append(talk, "kept", _answer())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write beyond the limit fails as on a full disk
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(Unkept, match=r"cannot be written.*free space"):
            history.append(talk, "lost", _answer("x" * 5_000_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert [t.question for t in history.turns(talk)] == ["kept"]
    assert history.append(talk, "afterwards", _answer()) == 2
    history.close()


def test_another_version_and_a_damaged_file_are_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / HISTORY_FILE
    History(file).close()
    db = sqlite3.connect(file)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    with pytest.raises(Unkept, match="newer version"):
        History(file)
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is not a database, but somebody's words" * 100)
    before = broken.read_bytes()
    with pytest.raises(Unkept, match="move the file away"):
        History(broken)
    assert broken.read_bytes() == before


def test_a_read_only_home_shows_its_history_and_refuses_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / HISTORY_FILE
    first = History(file)
    talk = first.start("t")
    first.append(talk, "q", _answer())
    first.close()
    # Tests may run as root, whom no rights stop: the edge to the operating system is what is replaced.
    monkeypatch.setattr(os, "access", lambda _path, mode: mode != os.W_OK)
    history = History(file)
    assert history.readonly and [t.question for t in history.turns(talk)] == ["q"]
    with pytest.raises(Unkept, match="cannot be written"):
        history.append(talk, "q2", _answer())
    history.close()
    empty = History(tmp_path / "none.db")
    assert empty.conversations() == [] and not (tmp_path / "none.db").exists()
    with pytest.raises(Unkept, match="cannot be written"):
        empty.start("t")
    empty.close()


def test_a_history_of_the_first_schema_is_read_and_goes_on(tmp_path: Path) -> None:
    file = tmp_path / HISTORY_FILE
    first = History(file)
    talk = first.start("t")
    first.append(talk, "q", _answer())
    first.close()
    db = sqlite3.connect(file)
    db.executescript(
        "ALTER TABLE turns DROP COLUMN searched; ALTER TABLE turns DROP COLUMN limited; DROP INDEX by_link; "
        "ALTER TABLE conversations DROP COLUMN shared; PRAGMA user_version = 1;"
    )
    db.close()
    history = History(file)
    history.append(talk, "q2", _answer(), "1 of 3 sources", True)
    assert [(t.searched, t.limited) for t in history.turns(talk)] == [("", False), ("1 of 3 sources", True)]
    assert history.shared(history.share(talk)).id == talk
    history.close()
