"""Work spread over the processors: everything is done once, faults come through, nobody waits for what is not wanted."""

from __future__ import annotations

import threading
from itertools import islice

import pytest

from index.side_by_side import side_by_side, workers


@pytest.fixture(autouse=True)
def _three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")


def test_every_job_comes_back_with_its_result() -> None:
    assert sorted(side_by_side(lambda n: n * n, range(50))) == [(n, n * n) for n in range(50)]
    assert list(side_by_side(lambda n: n, [])) == []


def test_as_many_run_at_once_as_are_set() -> None:
    together = threading.Barrier(3, timeout=10)
    waited = [index for _, index in side_by_side(lambda _: together.wait(), range(3))]
    assert sorted(waited) == [0, 1, 2]  # with fewer threads the barrier would break


def test_one_job_needs_no_thread() -> None:
    assert [t for _, t in side_by_side(lambda _: threading.current_thread(), [1])] == [threading.current_thread()]


def test_a_fault_ends_it_and_what_has_not_begun_is_dropped() -> None:
    begun: list[int] = []

    def work(n: int) -> int:
        begun.append(n)
        if n == 0:
            raise ValueError("no such text")
        threading.Event().wait(0.02)
        return n

    with pytest.raises(ValueError, match="no such text"):
        list(side_by_side(work, range(200)))
    assert len(begun) < 20


def test_a_caller_that_stops_asking_stops_the_work() -> None:
    begun: list[int] = []

    def work(n: int) -> int:
        begun.append(n)
        threading.Event().wait(0.02)
        return n

    found = side_by_side(work, range(200))
    assert len(list(islice(found, 2))) == 2
    found.close()  # type: ignore[attr-defined]  # a generator
    assert len(begun) < 20


@pytest.mark.parametrize(("value", "threads"), [("5", 5), ("0", None), ("many", None), ("", None)])
def test_the_environment_may_say_how_many(monkeypatch: pytest.MonkeyPatch, value: str, threads: int | None) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert workers() == threads if threads else workers() >= 1
