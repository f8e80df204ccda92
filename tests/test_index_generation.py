from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index import generation
from index.errors import Damaged, Locked

Start = Callable[..., subprocess.Popen[str]]

PRELUDE = """
import os, sys, time
from pathlib import Path
from index import generation
root = Path(sys.argv[1])
def tell(word):
    print(word, flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Another process that has run as far as telling "ready"; it ends with the test."""
    running = []

    def run(script: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE + script, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


def make(root: Path, content: str = "text") -> Path:
    """A new current generation that holds one file."""
    building = generation.start_next(root)
    (building / "file.txt").write_text(content)
    return generation.publish(root, building)


def names(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if p.is_dir())


def test_nothing_is_current_before_the_first_generation(tmp_path: Path) -> None:
    assert generation.current(tmp_path / "nowhere") is None
    assert generation.acquire(tmp_path) is None
    with generation.lease(tmp_path) as folder:
        assert folder is None


def test_the_generation_published_last_is_current_and_older_ones_are_removed(tmp_path: Path) -> None:
    make(tmp_path, "first")
    second = make(tmp_path, "second")
    assert generation.current(tmp_path) == second
    assert (second / "file.txt").read_text() == "second"
    assert names(tmp_path) == [second.name]


@pytest.mark.parametrize("content", ["gen-000009", "../outside", ""])
def test_a_current_generation_that_is_gone_is_damage_with_the_way_on(tmp_path: Path, content: str) -> None:
    (tmp_path / "CURRENT").write_text(content)
    with pytest.raises(Damaged, match="iskp index --rebuild"):
        generation.current(tmp_path)


def test_a_second_writer_is_told_which_process_holds_the_lock(tmp_path: Path, start: Start) -> None:
    other = start('with generation.writer(root, timeout_seconds=0):\n    tell("ready")\n    sys.stdin.read()\n')
    with (
        pytest.raises(Locked, match=rf"number {other.pid}\b.*try again"),
        generation.writer(tmp_path, timeout_seconds=0),
    ):
        pass


def test_a_second_writer_waits_for_the_first(tmp_path: Path, start: Start) -> None:
    start('with generation.writer(root, timeout_seconds=0):\n    tell("ready")\n    time.sleep(0.5)\n')
    with generation.writer(tmp_path, timeout_seconds=20):
        pass


def test_a_killed_writer_leaves_the_old_generation_and_no_lock(tmp_path: Path, start: Start) -> None:
    old = make(tmp_path, "first")
    other = start(
        "with generation.writer(root, timeout_seconds=0):\n"
        "    building = generation.start_next(root)\n"
        '    (building / "file.txt").write_text("half")\n'
        '    tell("ready")\n    sys.stdin.read()\n'
    )
    other.kill()
    other.wait()
    assert generation.current(tmp_path) == old
    assert (old / "file.txt").read_text() == "first"
    assert len(names(tmp_path)) == 2
    with generation.writer(tmp_path, timeout_seconds=0):
        building = generation.start_next(tmp_path)
    assert names(tmp_path) == [old.name, building.name]
    assert not list(building.iterdir())


def test_a_writer_killed_between_building_and_swapping_leaves_the_old_generation(tmp_path: Path) -> None:
    old = make(tmp_path, "first")
    (tmp_path / "gen-000002").mkdir()  # built and renamed, but CURRENT does not name it yet
    assert generation.current(tmp_path) == old
    newest = make(tmp_path, "third")
    assert newest.name == "gen-000003"
    assert names(tmp_path) == [newest.name]


def test_a_generation_that_another_process_reads_is_kept_until_it_lets_go(tmp_path: Path, start: Start) -> None:
    old = make(tmp_path, "first")
    reader = start(
        'with generation.lease(root) as folder:\n    tell("ready")\n    sys.stdin.readline()\n'
        '    tell((folder / "file.txt").read_text())\n    sys.stdin.read()\n'
    )
    new = make(tmp_path, "second")
    assert names(tmp_path) == [old.name, new.name]
    answer, _ = reader.communicate("go\n")
    assert answer.strip() == "first"
    generation.remove_old(tmp_path)
    assert names(tmp_path) == [new.name]


def test_readers_do_not_keep_each_other_out(tmp_path: Path, start: Start) -> None:
    current = make(tmp_path)
    start('with generation.lease(root):\n    tell("ready")\n    sys.stdin.read()\n')
    with generation.lease(tmp_path) as first, generation.lease(tmp_path) as second:
        assert first == second == current


def test_a_writer_does_not_wait_for_readers_of_old_generations(tmp_path: Path) -> None:
    """portalocker tries for five seconds unless told otherwise, for every generation that is held."""
    make(tmp_path)
    with generation.lease(tmp_path):
        began = time.monotonic()
        make(tmp_path)
        assert time.monotonic() - began < 2


def test_a_lease_is_given_back_when_reading_fails(tmp_path: Path) -> None:
    old = make(tmp_path)
    with pytest.raises(RuntimeError), generation.lease(tmp_path):
        raise RuntimeError
    new = make(tmp_path)
    assert old.name not in names(tmp_path)
    assert generation.current(tmp_path) == new


def test_a_small_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "name"
    for text in ("one", "two"):
        generation.replace_text(file, text)
        assert file.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["name"]
