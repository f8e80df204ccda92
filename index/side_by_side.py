"""Work on all processors: one piece a thread.

ONNX Runtime can also share the work of one operator between threads, but then these wait for each other after every
operator: over passages of differing length that takes a fifth to a third longer, and longer still when other work
runs beside it, such as writing what was encoded.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def workers() -> int:
    """How many threads compute: OMP_NUM_THREADS, or the processors that this process may use."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def side_by_side(work: Callable[[Job], Result], jobs: Sequence[Job]) -> Iterator[tuple[Job, Result]]:
    """Each job with its result, in the order in which they end; put the longest jobs first.

    The threads are this call's own, so that a question does not queue behind the thousands of texts of somebody's ingest.
    Jobs that have not begun are dropped when one fails or the caller stops asking.
    """
    threads = min(workers(), len(jobs))
    if threads <= 1:
        for job in jobs:
            yield job, work(job)
        return
    pool = ThreadPoolExecutor(threads, "compute")
    try:
        begun = {pool.submit(work, job): job for job in jobs}
        for done in as_completed(begun):
            yield begun[done], done.result()
    finally:
        pool.shutdown(cancel_futures=True)
