"""Folders: which files are found, under which names, and word of changes."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.folder import FoundFile, find_files, watch


def _write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"words of {name}", encoding="utf-8")


def _ids(found: Iterator[FoundFile]) -> list[str]:
    return [f.source_id for f in found if f.error is None]


def test_files_are_found_recursively_and_in_order(tmp_path: Path) -> None:
    _write(tmp_path, "b.txt", "a/z.md", "a/b/c.pdf", "B.txt")
    assert _ids(find_files([tmp_path])) == ["B.txt", "a/b/c.pdf", "a/z.md", "b.txt"]
    assert _ids(find_files([tmp_path])) == _ids(find_files([tmp_path]))


def test_hidden_and_lock_files_are_passed_over(tmp_path: Path) -> None:
    _write(tmp_path, ".git/config", ".hidden.txt", "a/.DS_Store", "~$report.docx", "note.txt~", "Thumbs.db", "kept.txt")
    assert _ids(find_files([tmp_path])) == ["kept.txt"]


def test_hidden_folder_that_is_named_is_read(tmp_path: Path) -> None:
    _write(tmp_path, ".notes/a.txt")
    assert _ids(find_files([tmp_path / ".notes"])) == ["a.txt"]


@pytest.mark.parametrize(
    ("pattern", "ids"),
    [
        ("*.txt", ["a.txt", "x/b.TXT", "x/y/c.txt"]),
        ("x/*.txt", ["x/b.TXT"]),
        ("x/**/*.txt", ["x/b.TXT", "x/y/c.txt"]),
        ("**/*.md", ["d.md", "x/d.md"]),
        ("[ab].*", ["a.txt", "x/b.TXT"]),
        ("?.md", ["d.md", "x/d.md"]),
        ("*.pdf", []),
    ],
)
def test_pattern_picks_by_name_or_path(tmp_path: Path, pattern: str, ids: list[str]) -> None:
    _write(tmp_path, "a.txt", "x/b.TXT", "x/y/c.txt", "d.md", "x/d.md")
    assert _ids(find_files([tmp_path], pattern=pattern)) == ids


def test_odd_names_survive(tmp_path: Path) -> None:
    names = ["name with spaces.txt", "Отчёт за 2024.txt", "two\nlines.txt", "100% [sure].txt", "e\u0301te\u0301.txt"]
    _write(tmp_path, *names)
    found = {f.source_id: f.path for f in find_files([tmp_path])}
    assert set(found) == {
        "name with spaces.txt", "Отчёт за 2024.txt", "two␊lines.txt", "100% [sure].txt", "\u00e9t\u00e9.txt",
    }  # fmt: skip
    assert all(path.read_text(encoding="utf-8").startswith("words of") for path in found.values())


def test_name_that_is_no_unicode_gets_a_printable_id(tmp_path: Path) -> None:
    name = os.fsdecode("письмо.txt".encode("cp1251"))
    try:
        (tmp_path / name).write_text("words")
    except OSError:
        pytest.skip("this file system takes only Unicode names")
    (found,) = find_files([tmp_path])
    found.source_id.encode("utf-8")
    assert found.path.read_text() == "words"


def test_loops_of_links_end_and_nothing_is_found_twice(tmp_path: Path) -> None:
    _write(tmp_path, "docs/a.txt")
    (tmp_path / "docs/up").symlink_to(tmp_path)
    (tmp_path / "docs/self").symlink_to(tmp_path / "docs")
    (tmp_path / "a-link.txt").symlink_to(tmp_path / "docs/a.txt")
    assert _ids(find_files([tmp_path])) == ["docs/a.txt"]


def test_link_to_a_folder_elsewhere_is_followed(tmp_path: Path) -> None:
    _write(tmp_path, "elsewhere/a.txt")
    (tmp_path / "home").mkdir()
    (tmp_path / "home/linked").symlink_to(tmp_path / "elsewhere")
    assert _ids(find_files([tmp_path / "home"])) == ["linked/a.txt"]


def test_what_cannot_be_read_is_an_entry_of_its_own(tmp_path: Path) -> None:
    _write(tmp_path, "docs/a.txt", "b.txt")
    (tmp_path / "docs/dead.txt").symlink_to(tmp_path / "nowhere")
    with socket.socket(socket.AF_UNIX) as listener:
        os.chdir(tmp_path)  # socket paths are short
        listener.bind("s.sock")
        found = list(find_files([tmp_path / "none.txt", tmp_path / "docs", tmp_path / "s.sock", tmp_path / "b.txt"]))
    assert [(f.source_id, f.error) for f in found] == [
        ("none.txt", "no such file or folder"),
        ("a.txt", None),
        ("dead.txt", "it is a link that leads nowhere"),
        ("s.sock", "it is not a regular file"),
        ("b.txt", None),
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_and_folders_without_permission_are_told(tmp_path: Path) -> None:
    _write(tmp_path, "a.txt", "closed/b.txt", "c.txt")
    (tmp_path / "a.txt").chmod(0)
    (tmp_path / "closed").chmod(0)
    try:
        assert [(f.source_id, f.error) for f in find_files([tmp_path])] == [
            ("a.txt", "it may not be read: check the file's permissions"),
            ("c.txt", None),
            ("closed", "the folder may not be read: check its permissions"),
        ]
        (inside,) = find_files([tmp_path / "closed/b.txt"])
        assert inside.error == "it may not be read: check the file's permissions"
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_folder_that_may_not_be_listed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path, "closed/b.txt", "c.txt")
    listing = os.scandir

    def refuse(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return listing(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert [(f.source_id, f.error) for f in find_files([tmp_path])] == [
        ("c.txt", None),
        ("closed", "the folder may not be read: check its permissions"),
    ]


def test_watch_tells_changes_in_batches_and_ends_when_told(tmp_path: Path) -> None:
    _write(tmp_path, "a.txt")
    stop = threading.Event()
    seen: set[str] = set()

    def gather() -> None:
        for batch in watch([tmp_path], debounce_ms=200, stop=stop):
            seen.update(path.name for path in batch)

    thread = threading.Thread(target=gather)
    thread.start()
    try:
        deadline = time.monotonic() + 30
        while not {"b.txt", "c.txt"} <= seen and time.monotonic() < deadline:
            _write(tmp_path, ".hidden", "b.txt", "sub/c.txt")
            time.sleep(0.3)
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive()
    assert {"b.txt", "c.txt"} <= seen
    assert ".hidden" not in seen


def test_watching_nothing_ends_at_once(tmp_path: Path) -> None:
    assert list(watch([tmp_path / "none"])) == []
