"""Many people on one page, or on several behind one address: each with a browser session, an address and pauses to read.

Every simulated person takes the way of the page itself: greeted, then each question through the queue, the answer as
it streams, the conversation kept. Each comes from a loopback address of its own, so that the limits for one client are
in force as they are for real people.
"""

from __future__ import annotations

import json
import os
import queue
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from eval.errors import EvalError

LIMIT_SECONDS = 3.0
"""What the slowest twentieth of the answers may take."""
WARM_SHARE = 0.2
"""Share of the time after which memory is compared."""
_START_SECONDS = 180.0
_SAMPLE_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run.

    Attributes:
        answers: that came within the time.
        errors: sentences of what went wrong, each once, with how often.
        first_error, last_error: seconds from the start at which the first and the last of them was told; None without.
        p50, p95, p99, slowest: seconds from the question to the whole answer.
        first_p95: seconds to the first sign of life on the page.
        memory_early, memory_late: resident megabytes, middle of the fifth after the first one and of the last fifth.
        memory_peak: resident megabytes. All three are None for a page that somebody else started.
        load_before: of the machine, before the server started.
    """

    users: int
    seconds: float
    think_seconds: float
    answers: int
    errors: dict[str, int]
    first_error: float | None = None
    last_error: float | None = None
    p50: float
    p95: float
    p99: float
    slowest: float
    first_p95: float
    memory_early: float | None
    memory_late: float | None
    memory_peak: float | None
    cores: int
    load_before: float

    @property
    def flat(self) -> bool:
        """Whether memory grew by less than a tenth, as far as it is known."""
        return self.memory_early is None or self.memory_late is None or self.memory_late <= self.memory_early * 1.1

    @property
    def passed(self) -> bool:
        """No error, quick enough, memory flat."""
        return not self.errors and self.answers > 0 and self.p95 <= LIMIT_SECONDS and self.flat


@dataclass(slots=True)
class _Asked:
    seconds: float = 0.0
    first: float = 0.0
    error: str = ""
    at: float = 0.0


def run(
    home: Path | None,
    questions: Sequence[str],
    *,
    url: str | None = None,
    users: int = 30,
    seconds: float = 300.0,
    think_seconds: float = 15.0,
    seed: int = 7,
    tell: Tell = lambda _: None,
) -> Report:
    """Let ``users`` people ask for ``seconds``, each with pauses of ``think_seconds`` on average.

    Args:
        home: its index must be up to date; conversations of the test are kept in it. It is served in a process of its own.
        url: in place of a home, where a page is served already, such as a proxy before several.

    Raises:
        EvalError: the page does not start, or nobody serves one at ``url``.
    """
    if (home is None) == (url is None):
        raise ValueError("give either a home or an address")
    load = os.getloadavg()[0]
    asked: queue.Queue[_Asked] = queue.Queue()
    with _page(home) if home else _served(str(url)) as (address, process):
        tell(f"the page is up; {users} people for {seconds:.0f} s")
        fns = _functions(address)
        began = time.monotonic()
        end = began + seconds
        people = [
            threading.Thread(
                target=_person,
                args=(_Visit(address, fns, n), random.Random(seed + n), questions, end, think_seconds, asked),  # noqa: S311
                daemon=True,
            )
            for n in range(users)
        ]
        for person in people:
            person.start()
        memory = []
        told = time.monotonic()
        while time.monotonic() < end:
            time.sleep(_SAMPLE_SECONDS)
            if process:
                memory.append(_resident_mb(process.pid))
                if process.poll() is not None:
                    raise EvalError(f"the page ended with {process.returncode} under load")
            if time.monotonic() - told >= 20:
                told = time.monotonic()
                tell(f"  {asked.qsize()} answers" + (f", {memory[-1]:.0f} MB" if memory else ""))
        for person in people:
            person.join(timeout=_PATIENCE_SECONDS)
    return _report(
        list(asked.queue), memory, users=users, seconds=seconds, think_seconds=think_seconds, load=load, began=began
    )


def _report(
    asked: Sequence[_Asked], memory: Sequence[float], *, users: int, seconds: float, think_seconds: float, load: float,
    began: float,
) -> Report:  # fmt: skip
    errors: dict[str, int] = {}
    for one in asked:
        if one.error:
            errors[one.error] = errors.get(one.error, 0) + 1
    good = [a for a in asked if not a.error] or [_Asked()]
    when = [a.at - began for a in asked if a.error]
    p50, p95, p99 = (float(x) for x in np.percentile([a.seconds for a in good], (50, 95, 99)))
    fifth = max(1, int(len(memory) * WARM_SHARE))
    return Report(
        users=users, seconds=seconds, think_seconds=think_seconds, answers=sum(not a.error for a in asked), errors=errors,
        first_error=min(when, default=None), last_error=max(when, default=None), p50=p50, p95=p95, p99=p99, slowest=max(a.seconds for a in good),
        first_p95=float(np.percentile([a.first for a in good], 95)),
        memory_early=float(np.median(memory[fifth : 2 * fifth] or memory)) if memory else None,
        memory_late=float(np.median(memory[-fifth:])) if memory else None, memory_peak=max(memory, default=None), cores=os.cpu_count() or 1, load_before=load,
    )  # fmt: skip


@contextmanager
def _page(home: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """``iskp chat`` in a process of its own, once its models are loaded."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "--home", str(home), "chat", "--offline", "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + _START_SECONDS
        while True:
            if process.poll() is not None or time.monotonic() > until:
                raise EvalError(f"the page of {home} did not start; run: iskp --home {home} chat")
            try:
                # Waits for the models, too: the first answer needs them.
                asked = {"data": ["Who?", None, "", "", None]}
                httpx.post(f"{url}/gradio_api/run/ask", json=asked, timeout=_START_SECONDS).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        yield url, process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def _served(url: str) -> Iterator[tuple[str, None]]:
    """A page that others serve."""
    try:
        httpx.get(f"{url.rstrip('/')}/config", timeout=30).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        raise EvalError(f"no page is served at {url} ({exc or type(exc).__name__}); start it with: iskp chat") from exc
    yield url.rstrip("/"), None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Functions:
    """Numbers of the page's events."""

    greet: int
    ask: int


def _functions(url: str) -> _Functions:
    config = httpx.get(f"{url}/config", timeout=30).json()
    names = {c["id"]: c["props"].get("elem_id") for c in config["components"]}
    events = {
        (names.get(component), event): d
        for d in config["dependencies"]
        for component, event in d["targets"]
        if component is not None
    }
    greet = next(d for d in config["dependencies"] if d.get("api_name") == "greet")
    return _Functions(greet=int(greet["id"]), ask=int(events["ask", "click"]["id"]))


class _Visit:
    """One person's browser session."""

    def __init__(self, url: str, functions: _Functions, number: int) -> None:
        self._functions = functions
        self._session = uuid.uuid4().hex[:12]
        # Linux answers on all of 127.0.0.0/8; elsewhere all people come from one address.
        address = f"127.0.{1 + number // 200}.{1 + number % 200}" if sys.platform == "linux" else None
        self._client = httpx.Client(
            base_url=url,
            timeout=_PATIENCE_SECONDS,
            transport=httpx.HTTPTransport(local_address=address),
        )

    def greet(self) -> None:
        self._client.get("/").raise_for_status()  # a proxy may send this visitor to a process with a cookie
        body = {
            "data": [f"load-{self._session}", "", None], "fn_index": self._functions.greet, "session_hash": self._session,
        }  # fmt: skip
        self._client.post("/gradio_api/run/predict", json=body).raise_for_status()

    def ask(self, question: str) -> _Asked:
        began = time.perf_counter()
        asked = _Asked()
        body = {
            "data": [question, None, [], [], "", "", "extractive"], "fn_index": self._functions.ask,
            "session_hash": self._session, "event_data": None, "trigger_id": None,
        }  # fmt: skip
        try:
            self._client.post("/gradio_api/queue/join", json=body).raise_for_status()
            with self._client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as answer:
                shown = self._follow(answer.iter_lines(), asked, began)
        except httpx.HTTPError as exc:
            asked.error, asked.at = _words(exc), time.monotonic()
            return asked
        asked.seconds = time.perf_counter() - began
        if not asked.error and 'class="answer' not in shown:
            asked.error = "the page showed no answer"
        asked.at = time.monotonic()
        return asked

    def _follow(self, lines: Iterator[str], asked: _Asked, began: float) -> str:
        shown = ""
        for line in lines:
            if not line.startswith("data:"):
                continue
            message: dict[str, Any] = json.loads(line.removeprefix("data:"))
            if message["msg"] == "process_generating" and not asked.first:
                asked.first = time.perf_counter() - began
            if message["msg"] in {"process_generating", "process_completed"}:
                shown += json.dumps(message["output"], ensure_ascii=False).replace('\\"', '"')
                if not message.get("success", True):
                    asked.error = str(message["output"].get("error") or "the page failed")[:120]
            if message["msg"] == "close_stream":
                break
        return shown

    def close(self) -> None:
        self._client.close()


def _person(
    visit: _Visit,
    draw: random.Random,
    questions: Sequence[str],
    end: float,
    think_seconds: float,
    asked: queue.Queue[_Asked],
) -> None:
    # They don't all come in the same second.
    time.sleep(draw.uniform(0, min(think_seconds, max(0.0, end - time.monotonic()))))
    try:
        visit.greet()
        while time.monotonic() < end:
            asked.put(visit.ask(draw.choice(questions)))
            pause = draw.uniform(0.5, 1.5) * think_seconds
            if time.monotonic() + pause >= end:
                break
            time.sleep(pause)
    except httpx.HTTPError as exc:
        asked.put(_Asked(error=_words(exc), at=time.monotonic()))
    finally:
        visit.close()


def _words(exc: httpx.HTTPError) -> str:
    return f"status {exc.response.status_code}" if isinstance(exc, httpx.HTTPStatusError) else type(exc).__name__


def _resident_mb(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1e3
    except OSError:
        pass
    return float("nan")


def as_text(report: Report) -> str:
    """For a terminal."""
    r = report
    errors = "; ".join(f"{text} ({n} times)" for text, n in r.errors.items()) or "none"
    if r.first_error is not None and r.last_error is not None:
        errors += f", {r.first_error:.0f} to {r.last_error:.0f} s after the start"
    memory = (
        "memory    unknown: the page was started by others"
        if r.memory_early is None
        else f"memory    {r.memory_early:.0f} MB early, {r.memory_late:.0f} MB late, {r.memory_peak:.0f} MB at most"
    )
    return "\n".join(
        (
            f"{r.users} people, {r.seconds:.0f} s, pauses of {r.think_seconds:.0f} s on average; {r.cores} cores, load "
            f"{r.load_before:.1f} before",
            f"answers   {r.answers} ({r.answers / r.seconds:.1f} a second)",
            f"errors    {errors}",
            f"seconds   p50 {r.p50:.2f}, p95 {r.p95:.2f}, p99 {r.p99:.2f}, slowest {r.slowest:.2f}; first sign p95 "
            f"{r.first_p95:.2f}",
            memory,
            "passed" if r.passed else "failed",
        )
    )


def to_json(report: Report) -> dict[str, Any]:
    """As plain data."""
    return {**asdict(report), "passed": report.passed}
