"""Backup and restore: nothing lost, nothing half, nothing outside the home."""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import sqlite3
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.records import history
from app.records.backup import FORMAT, MANIFEST, BadBackup, backup, restore
from ingest import library as sources
from ingest.errors import IngestError
from ingest.library import Library
from ingest.source import Source

ROOT = Path(__file__).parent.parent


@pytest.fixture
def home(tmp_path: Path, make_source: Callable[..., Source]) -> Path:
    folder = tmp_path / "home"
    with closing(Library(folder / "library.db")) as library:
        for i in range(3):
            library.put(make_source(f"s{i}", f"# T{i}\n\nThe harbour counted {i} ships.\n"), raw_digest=str(i))
        library.set_note("bundled corpus", "no")
    history.History(folder / history.HISTORY_FILE).close()
    (folder / "iskp.toml").write_text("[answer]\nfact_words = 40\n")
    (folder / "feedback.jsonl").write_text('{"liked": true}\n')
    (folder / "reports" / "2024").mkdir(parents=True)
    (folder / "reports" / "2024" / "report.json").write_text("{}")
    (folder / "index").mkdir()
    (folder / "index" / "big").write_bytes(b"x" * 10_000)
    return folder


def sources_of(home: Path) -> dict[str, str]:
    with closing(Library(home / "library.db")) as library:
        return library.fingerprints()


def test_a_restored_home_holds_all_that_cannot_be_made_again(home: Path, tmp_path: Path) -> None:
    done = backup(home, tmp_path / "b.zip")
    assert {"library.db", "history.db", "iskp.toml", "feedback.jsonl", "reports/2024/report.json"} == set(done.files)
    other = tmp_path / "other"
    restore(tmp_path / "b.zip", other)
    assert sources_of(other) == sources_of(home) and len(sources_of(other)) == 3
    for name in ("iskp.toml", "feedback.jsonl", "reports/2024/report.json"):
        assert (other / name).read_bytes() == (home / name).read_bytes()
    assert not (other / "index").exists()
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == [], "nothing is left lying about"


def test_a_backup_and_a_restored_home_are_for_their_owner_only(home: Path, tmp_path: Path) -> None:
    backup(home, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", tmp_path / "other")
    assert (tmp_path / "b.zip").stat().st_mode & 0o077 == 0
    assert (tmp_path / "other").stat().st_mode & 0o077 == 0


def test_what_is_only_in_the_write_ahead_log_is_backed_up(home: Path, tmp_path: Path) -> None:
    with closing(Library(home / "library.db")) as library:
        library.set_note("late", "said")
        assert (home / "library.db-wal").stat().st_size
        backup(home, tmp_path / "b.zip")
    restore(tmp_path / "b.zip", tmp_path / "other")
    with closing(Library(tmp_path / "other" / "library.db")) as library:
        assert library.note("late") == "said"


def test_a_backup_while_others_write_is_of_one_moment(home: Path, tmp_path: Path) -> None:
    """A writer keeps two notes equal in each transaction; no backup may hold them apart."""
    stop = threading.Event()

    def write() -> None:
        with closing(Library(home / "library.db")) as library:
            number = 0
            while not stop.is_set():
                number += 1
                with library.transaction():
                    library.set_note("one", str(number))
                    library.set_note("two", str(number))

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for turn in range(8):
            backup(home, tmp_path / f"{turn}.zip")
    finally:
        stop.set()
        thread.join()
    for turn in range(8):
        restore(tmp_path / f"{turn}.zip", tmp_path / f"r{turn}")
        with closing(Library(tmp_path / f"r{turn}" / "library.db")) as library:
            assert library.note("one") == library.note("two")


def test_a_home_that_may_only_be_read_is_backed_up(home: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    for path in (*home.rglob("*"), home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert "library.db" in backup(home, tmp_path / "b.zip").files


def test_an_occupied_home_is_refused_and_forced_kept_aside(home: Path, tmp_path: Path) -> None:
    backup(home, tmp_path / "b.zip")
    (home / "iskp.toml").write_text("[answer]\nfact_words = 50\n")
    with pytest.raises(BadBackup, match="not empty"):
        restore(tmp_path / "b.zip", home)
    assert "50" in (home / "iskp.toml").read_text()
    done = restore(tmp_path / "b.zip", home, force=True)
    assert "40" in (home / "iskp.toml").read_text()
    assert done.kept_aside is not None and "50" in (done.kept_aside / "iskp.toml").read_text()
    assert (done.kept_aside / "index" / "big").exists()


def test_an_empty_folder_may_be_restored_to(home: Path, tmp_path: Path) -> None:
    backup(home, tmp_path / "b.zip")
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "b.zip", tmp_path / "empty")
    assert len(sources_of(tmp_path / "empty")) == 3


def test_a_backup_is_not_replaced_unasked(home: Path, tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("mine")
    with pytest.raises(BadBackup, match="--force"):
        backup(home, tmp_path / "b.zip")
    assert (tmp_path / "b.zip").read_text() == "mine"
    backup(home, tmp_path / "b.zip", force=True)
    assert zipfile.is_zipfile(tmp_path / "b.zip")


def make(file: Path, entries: Mapping[str, bytes], manifest: Any = None, *, claim: Mapping[str, int] = {}) -> Path:
    """An archive as an attacker would make it: honest hashes, any names."""
    facts = {n: {"sha256": hashlib.sha256(d).hexdigest(), "bytes": claim.get(n, len(d))} for n, d in entries.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
        archive.writestr(MANIFEST, json.dumps({"format": FORMAT, "files": facts} if manifest is None else manifest))
    return file


@pytest.fixture
def database(home: Path, tmp_path: Path) -> bytes:
    backup(home, tmp_path / "good.zip")
    with zipfile.ZipFile(tmp_path / "good.zip") as archive:
        return archive.read("library.db")


@pytest.mark.parametrize(
    "name",
    [
        "../evil.txt", "/tmp/evil.txt", "reports/../../evil.txt", "reports/..", "C:\\evil.txt", "reports/a\\..\\..\\evil",
        "index/CURRENT", "evil.py", "reports/", "reports//x", "library.db-wal", "reports/a\nb", "REPORTS/x",
    ],
)  # fmt: skip
def test_an_archive_with_a_strange_name_is_refused_whole(tmp_path: Path, database: bytes, name: str) -> None:
    file = make(tmp_path / "evil.zip", {"library.db": database, name: b"evil"})
    before = sorted(p for p in tmp_path.rglob("*"))
    with pytest.raises(BadBackup, match="holds what no backup holds"):
        restore(file, tmp_path / "victim")
    assert sorted(p for p in tmp_path.rglob("*")) == before


def test_a_file_that_the_manifest_does_not_name_is_refused(tmp_path: Path, database: bytes) -> None:
    file = make(tmp_path / "evil.zip", {"library.db": database})
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("feedback.jsonl", "x")
    with pytest.raises(BadBackup, match="holds what no backup holds"):
        restore(file, tmp_path / "victim")


def test_a_link_in_the_archive_becomes_a_plain_file(tmp_path: Path, database: bytes) -> None:
    file = make(tmp_path / "evil.zip", {"library.db": database})
    link = zipfile.ZipInfo("reports/link")
    link.external_attr = 0o120777 << 16
    facts = {
        n: {"sha256": hashlib.sha256(d).hexdigest(), "bytes": len(d)}
        for n, d in {"library.db": database, "reports/link": b"/etc/passwd"}.items()
    }
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("library.db", database)
        archive.writestr(link, b"/etc/passwd")
        archive.writestr(MANIFEST, json.dumps({"format": FORMAT, "files": facts}))
    restore(file, tmp_path / "victim")
    written = tmp_path / "victim" / "reports" / "link"
    assert not written.is_symlink() and written.read_bytes() == b"/etc/passwd"


def test_links_in_a_home_are_not_followed(home: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (home / "reports" / "link").symlink_to(secret)
    assert "reports/link" not in backup(home, tmp_path / "b.zip").files


def test_a_bomb_is_stopped_at_the_size_that_it_claims(tmp_path: Path, database: bytes) -> None:
    file = make(
        tmp_path / "bomb.zip",
        {"library.db": database, "feedback.jsonl": b"0" * 50_000_000},
        claim={"feedback.jsonl": 10},
    )
    with pytest.raises(BadBackup, match="not what was backed up"):
        restore(file, tmp_path / "victim")
    assert not (tmp_path / "victim").exists()


def test_more_than_the_disk_holds_is_refused_before_unpacking(tmp_path: Path, database: bytes) -> None:
    file = make(tmp_path / "b.zip", {"library.db": database}, claim={"library.db": 10**18})
    with pytest.raises(BadBackup, match="more than is free"):
        restore(file, tmp_path / "victim")


@pytest.mark.parametrize(
    "manifest",
    [[], {}, {"format": 1}, {"format": 1, "files": []}, {"format": 1, "files": {"library.db": {}}},
     {"format": 1, "files": {"library.db": {"bytes": -1, "sha256": ""}}},
     {"format": 1, "files": {"library.db": {"bytes": "9", "sha256": 3}}}],
)  # fmt: skip
def test_a_bad_manifest_is_told(tmp_path: Path, database: bytes, manifest: Any) -> None:
    with pytest.raises(BadBackup, match="not a backup of iskp-qa"):
        restore(make(tmp_path / "b.zip", {"library.db": database}, manifest), tmp_path / "victim")


def test_a_later_format_is_told(tmp_path: Path, database: bytes) -> None:
    file = make(tmp_path / "b.zip", {"library.db": database}, {"format": 99, "files": {}})
    with pytest.raises(BadBackup, match="format 99"):
        restore(file, tmp_path / "victim")


def test_damage_anywhere_is_noticed(home: Path, tmp_path: Path) -> None:
    backup(home, tmp_path / "good.zip")
    good = (tmp_path / "good.zip").read_bytes()
    for at in range(0, len(good), max(1, len(good) // 60)):
        bad = bytearray(good)
        bad[at] ^= 0xFF
        (tmp_path / "bad.zip").write_bytes(bad)
        target = tmp_path / "victim"
        try:
            restore(tmp_path / "bad.zip", target)
        except BadBackup:
            assert not target.exists()
        else:  # a byte that says nothing, such as a time in the zip's directory
            assert sources_of(target) == sources_of(home)
            subprocess.run(["rm", "-r", str(target)], check=True)
    for size in (0, 10, len(good) // 2, len(good) - 1):
        (tmp_path / "bad.zip").write_bytes(good[:size])
        with pytest.raises(BadBackup):
            restore(tmp_path / "bad.zip", tmp_path / "victim")


def test_no_database_as_database_is_told(tmp_path: Path) -> None:
    file = make(tmp_path / "b.zip", {"library.db": b"SQLite format 3\x00" + b"\x01" * 500})
    with pytest.raises(BadBackup, match=r"damaged: library\.db"):
        restore(file, tmp_path / "victim")


def test_a_full_disk_leaves_no_half_backup_and_no_half_home(home: Path, tmp_path: Path) -> None:
    """RLIMIT_FSIZE in a process of its own: no file may grow beyond 4 kB."""
    backup(home, tmp_path / "b.zip")
    command = [sys.executable, "-m", "app.cli", "--home"]

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    for arguments, message in (
        ([str(home), "backup", str(tmp_path / "c.zip")], "cannot be written"),
        ([str(tmp_path / "victim"), "restore", str(tmp_path / "b.zip")], "cannot be restored"),
    ):
        done = subprocess.run(
            [*command, *arguments], cwd=ROOT, capture_output=True, text=True, preexec_fn=limited, check=False
        )
        assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "c.zip").exists() and not (tmp_path / "victim").exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_home_from_before_versions_were_kept_opens_and_is_marked(home: Path) -> None:
    with closing(sqlite3.connect(home / "library.db")) as db:
        db.execute("PRAGMA user_version = 0")
    assert len(sources_of(home)) == 3
    with closing(sqlite3.connect(home / "library.db")) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == sources.SCHEMA_VERSION


def test_a_store_of_a_newer_version_is_not_touched(home: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home / "library.db")) as db:
        db.execute(f"PRAGMA user_version = {sources.SCHEMA_VERSION + 1}")
    with pytest.raises(IngestError, match="update iskp-qa"):
        Library(home / "library.db")
    backup(home, tmp_path / "b.zip")
    with pytest.raises(BadBackup, match="newer version"):
        restore(tmp_path / "b.zip", tmp_path / "other")


def test_the_commands_say_what_they_did(home: Path, tmp_path: Path) -> None:
    def iskp(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), catch_exceptions=False)

    told = iskp("--home", str(home), "backup", str(tmp_path / "b.zip"))
    assert told.exit_code == 0 and re.search(r"b\.zip: 5 files, 0\.0 MB", told.stdout)
    refused = iskp("--home", str(home), "restore", str(tmp_path / "b.zip"))
    assert refused.exit_code == 1 and "is not empty" in refused.stderr
    done = iskp("--home", str(tmp_path / "new"), "restore", str(tmp_path / "b.zip"))
    assert done.exit_code == 0 and "iskp --home" in done.stdout
    assert iskp("--home", str(tmp_path / "none"), "backup", str(tmp_path / "d.zip")).exit_code == 1
