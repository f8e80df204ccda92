"""What evidence, checking and streaming cost beside the bare call of a language model.

The same prompts are put to the model twice: by the answerer, and bare through LangChain. Both get a line of their own
before the prompt, so that neither profits from what a server keeps of the other.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.answering.pipeline import Answerer
from app.home import Home
from app.stream import Done, Draft, Settled
from app.writing.engines import Engine, EngineError, Usage
from app.writing.parts import WriterSettings
from app.writing.writer import Writer
from eval.errors import EvalError


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """One question, in seconds.

    Attributes:
        bare_first, bare_total: the model alone with the prompt of the draft.
        first, settled, total: to the draft's first words, to the first checked sentence, to the whole answer.
        model: of ``total``, how long the model was waited for.
        calls: requests to the model; a repair is a second one.
        fell_back: the quotations stood in.
    """

    question: str
    bare_first: float
    bare_total: float
    first: float
    settled: float
    total: float
    model: float
    calls: int
    fell_back: bool

    @property
    def own(self) -> float:
        """Seconds of our own work that were not hidden behind the model's."""
        return self.total - self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All questions, and what our own work takes of the total time, in [0, 1]."""

    engine: str
    timings: tuple[Timing, ...]
    overhead: float


@dataclass(slots=True)
class _Watched:
    """A model that keeps its prompts and how long it was waited for."""

    engine: Engine
    mark: str = ""
    dry: bool = False
    prompts: list[tuple[str, str]] = field(default_factory=list)
    waited: float = 0.0

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def window_tokens(self) -> int:
        return self.engine.window_tokens

    @property
    def answer_tokens(self) -> int:
        return self.engine.answer_tokens

    def count(self, text: str) -> int:
        return self.engine.count(text)

    def ask(self, system: str, user: str, usage: Usage) -> Iterator[str]:
        self.prompts.append((system, user))
        if self.dry:
            raise EngineError("only the prompt is wanted")
        own = Usage()
        try:
            yield from self.engine.ask(f"{self.mark}\n{system}", user, own)
        finally:
            self.waited += own.waited_seconds
            usage.calls += own.calls


def run(home: Home, engine: Engine, questions: Sequence[str], *, tell: Callable[[str], None]) -> Report:
    """Time each question that the evidence answers.

    Raises:
        EvalError: none of them is answered.
        EngineError: the model failed when it was called bare.
    """
    watched = _Watched(engine)
    wanted = home.settings.engine
    settings = WriterSettings(repair=wanted.repair, unsupported="remove" if wanted.unsupported == "auto" else wanted.unsupported)
    answerer = home.answerer_by(Writer(watched, home.checker, settings))
    timings: list[Timing] = []
    for number, question in enumerate(questions, start=1):
        watched.dry, watched.prompts = True, []
        answerer.answer(question)
        if not watched.prompts:
            tell(f"{number} of {len(questions)}: no answer, left out")
            continue
        prompt, watched.dry = watched.prompts[0], False
        # Whoever comes second meets a warmer machine.
        if number % 2:
            first, total = _bare(engine, prompt, f"Run {number:04d}-b.")
            timing = _through(answerer, watched, question, f"Run {number:04d}-o.")
        else:
            timing = _through(answerer, watched, question, f"Run {number:04d}-o.")
            first, total = _bare(engine, prompt, f"Run {number:04d}-b.")
        timing = replace(timing, bare_first=first, bare_total=total)
        timings.append(timing)
        tell(f"{number} of {len(questions)}: {timing.total:.1f} s, the model alone {total:.1f} s")
    if not timings:
        raise EvalError("none of the questions is answered from these sources; give others")
    spent = sum(t.total for t in timings)
    return Report(engine=engine.name, timings=tuple(timings), overhead=sum(t.own for t in timings) / spent)


def _bare(engine: Engine, prompt: tuple[str, str], mark: str) -> tuple[float, float]:
    system, user = prompt
    began, first = time.perf_counter(), None
    for chunk in engine.model.stream([("system", f"{mark}\n{system}"), ("human", user)]):
        if first is None and chunk.text:
            first = time.perf_counter() - began
    total = time.perf_counter() - began
    return total if first is None else first, total


def _through(answerer: Answerer, watched: _Watched, question: str, mark: str) -> Timing:
    watched.mark, watched.waited = mark, 0.0
    began = time.perf_counter()
    first = settled = None
    answer = None
    for event in answerer.stream(question):
        now = time.perf_counter() - began
        if isinstance(event, Draft):
            first = now if first is None else first
        elif isinstance(event, Settled):
            settled = now if settled is None else settled
        elif isinstance(event, Done):
            answer = event.answer
    total = time.perf_counter() - began
    assert answer is not None
    return Timing(
        question=question, bare_first=0.0, bare_total=0.0, first=total if first is None else first,
        settled=total if settled is None else settled, total=total, model=watched.waited,
        calls=answer.usage.get("calls", 0), fell_back=bool(answer.notice),
    )  # fmt: skip


def as_table(report: Report) -> str:
    """Medians and the share of our own work."""

    def median(value: Callable[[Timing], float]) -> str:
        return f"{statistics.median(map(value, report.timings)):.2f} s"

    fell_back = sum(t.fell_back for t in report.timings)
    rows = [
        ("questions", f"{len(report.timings)}, {fell_back} of them answered by quotations in the end"),
        ("model alone: first words", median(lambda t: t.bare_first)),
        ("model alone: whole", median(lambda t: t.bare_total)),
        ("first words of the draft", median(lambda t: t.first)),
        ("first checked sentence", median(lambda t: t.settled)),
        ("whole answer", median(lambda t: t.total)),
        ("  of it waiting for the model", median(lambda t: t.model)),
        ("  of it our own work", median(lambda t: t.own)),
        ("our own work, of all time", f"{report.overhead:.1%}"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join([f"{report.engine} (medians)", *(f"{name:<{width}}  {value}" for name, value in rows)])
