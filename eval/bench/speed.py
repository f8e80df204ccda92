"""Speed, memory and disk from a hundred to a million passages, beside the raw encoder and a tutorial's pipeline.

Texts are made, with a seed, of the sentences of the bundled notes and of our own training articles. Up to a
limit every passage is really encoded; beyond it vectors are made up around real ones (same dimension, like
neighbourhoods), which tests search, writing and memory without hours of encoding, and the table says so.

The tutorial's pipeline is LangChain's own introduction to retrieval: RecursiveCharacterTextSplitter with pieces
of 1,000 characters that overlap by 200, Chroma.from_documents, similarity_search; with the same encoder weights.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.errors import EvalError
from index import eight_bits
from index.embed import DEFAULT_MODEL, Encoder, Progress, Vectors, bundled_model_path
from index.encoders import open_encoder
from index.store import CHROMA_FOLDER

if TYPE_CHECKING:
    from app.home import Home
    from ingest.add import Outcome

SIZES = (100, 1_000, 10_000)
ENCODED_AT_MOST = 1_000
"""Corpora above this many passages get made-up vectors."""
QUERIES = 100
_PARAGRAPHS = 40
_ASKING = (
    "Who reported {}?",
    "When did {} begin?",
    "How many {} were there?",
    "Where was {} seen?",
    "What is said about {}?",
)
"""Four questions after a fact, then one for an overview, which costs most."""
_SEED = 20240322
_QUIET_SECONDS = 10.0
_BUSY_LOAD = 0.5
_NOISE = 0.6
"""Length of what is added to a real unit vector to make up another."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A command from nothing: wall time, processor time (user and system) and peak memory."""

    name: str
    seconds: float
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds over ``n`` queries."""

    p50: float
    p95: float
    p99: float
    n: int

    @classmethod
    def of(cls, milliseconds: Sequence[float]) -> Latency:
        """Percentiles of these measurements."""
        p50, p95, p99 = (round(float(x), 2) for x in np.percentile(milliseconds, (50, 95, 99)))
        return cls(p50=p50, p95=p95, p99=p99, n=len(milliseconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tutorial:
    """The tutorial's pipeline over the same texts; it has no other way to bring an index up to date than again."""

    ingest_seconds: float
    ingest_cpu_seconds: float
    chunks: int
    search: Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One corpus.

    Attributes:
        made_up: vectors are not of the encoder.
        ingest_seconds: files to index, all in.
        reading_seconds: of it, reading the files into the library; the rest writes the index.
        ingest_peak_mb: most memory of the process so far, the encoder's included; None where the system does not tell.
        encoder_share: of ingest, spent waiting for or running the encoder.
        raw_seconds: the encoder alone over the same passages, and nothing else; None when made up.
        torch_seconds: the same with sentence-transformers and torch.
        unchanged_seconds: looking for changes where there are none, files and index.
        changed_seconds: the same after one paragraph of one file got another sentence, and bringing the index up to date.
        changed_written_mb: what that wrote to the disk; None where the system does not tell.
        stages: of an answer, by stage; ``search`` is the retrieval alone, ``search, processor`` its processor time.
        answer_mb: peak memory of a process that opens the index and answers.
        disk_mb: index and stored sources.
    """

    passages: int
    made_up: bool
    ingest_seconds: float
    ingest_cpu_seconds: float
    reading_seconds: float
    ingest_peak_mb: float | None
    encoder_share: float
    raw_seconds: float | None
    raw_cpu_seconds: float | None
    torch_seconds: float | None
    unchanged_seconds: float
    changed_seconds: float
    changed_written_mb: float | None
    stages: dict[str, Latency]
    answer_mb: float
    disk_mb: float
    tutorial: Tutorial | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One run; ``machine`` says under which circumstances."""

    machine: dict[str, Any]
    starts: list[Start] = field(default_factory=list)
    sizes: list[Size] = field(default_factory=list)


class MadeUpEncoder:
    """Real vectors for questions, made-up ones for passages: a real one from a small pool plus noise, by the text's hash.

    Args:
        real: what questions are encoded with, and whose name the index gets.
        pool: ``(n, dimension)`` unit rows.
    """

    def __init__(self, real: Encoder, pool: Vectors) -> None:
        self.name = real.name
        self.dimension = real.dimension
        self._real = real
        self._pool = pool

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        """``(len(texts), dimension)`` float32 unit rows; a single text is a question."""
        if len(texts) == 1:
            return self._real.encode(texts, progress=progress)
        rows = np.empty((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            noise = np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
            moved = noise.standard_normal(self.dimension, dtype=np.float32) * (_NOISE / self.dimension**0.5)
            row[:] = self._pool[noise.integers(len(self._pool))] + moved
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        if progress:
            progress(len(texts))
        return rows

    def is_word(self, word: str) -> bool:
        """Whether the real model knows this word as one piece."""
        return self._real.is_word(word)


class _Timed:
    """An encoder that counts its own seconds."""

    def __init__(self, inner: Encoder) -> None:
        self.name, self.dimension, self.is_word = inner.name, inner.dimension, inner.is_word
        self._inner = inner
        self.seconds = 0.0

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        began = time.perf_counter()
        try:
            return self._inner.encode(texts, progress=progress)
        finally:
            self.seconds += time.perf_counter() - began


class _Rarely:
    """Tells at most every ten seconds."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._last = time.monotonic()

    def __call__(self, line: str) -> None:
        if time.monotonic() - self._last >= _QUIET_SECONDS:
            self._last = time.monotonic()
            self._tell(line)


class _Watch:
    """Wall and processor time of a block, in seconds."""

    def __enter__(self) -> _Watch:
        self._began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds, self.cpu_seconds = time.perf_counter() - self._began[0], time.process_time() - self._began[1]


def sentences() -> list[str]:
    """Sentences of the bundled notes and of our own training articles, each once, sorted."""
    from ingest.sentences import sentence_spans

    texts = [f.read_text(encoding="utf-8").split("\n---\n", 1)[-1] for f in _files("ingest", "corpus", ".md")]
    found = {
        line[a:b]
        for text in texts
        for line in text.split("\n")
        if line and not line.startswith(("#", "|", "-", "!", ">"))
        for a, b in sentence_spans(line)
    }
    for file in _files("eval.training", "data", ".jsonl"):
        for line in file.read_text(encoding="utf-8").splitlines():
            found |= {s for p in json.loads(line).get("paragraphs", []) for s in p}
    return sorted(s for s in found if 40 <= len(s) <= 400 and "{" not in s)


def _files(package: str, folder: str, suffix: str) -> Iterator[Any]:
    return (f for f in files(package).joinpath(folder).iterdir() if f.name.endswith(suffix))


def write_corpus(folder: Path, passages: int, seed: int = _SEED) -> list[str]:
    """Markdown files with about ``passages`` paragraphs of three to seven sentences; figures vary, so that no two are alike.

    Returns:
        Questions: words of sentences that stand in them.
    """
    draw = random.Random(seed)  # noqa: S311 - texts, not secrets
    stock = sentences()
    folder.mkdir(parents=True, exist_ok=True)
    asked: list[str] = []

    def question(text: str) -> str:
        words = re.findall(r"\w{4,}", text)[:5]
        return _ASKING[len(asked) % len(_ASKING)].format(" ".join(words))

    def varied(text: str) -> str:
        return re.sub(r"\d", lambda m: str(draw.randrange(1, 10)), text)

    for number in range(-(-passages // _PARAGRAPHS)):
        here = min(_PARAGRAPHS, passages - number * _PARAGRAPHS)
        paragraphs = [" ".join(varied(draw.choice(stock)) for _ in range(draw.randint(3, 7))) for _ in range(here)]
        title = " ".join(re.findall(r"[A-Za-z]{4,}", draw.choice(stock))[:4]) or "Report"
        head = f"---\ntitle: {title} {number}\ndate: 20{draw.randint(10, 24)}-0{draw.randint(1, 9)}-11\n---\n\n"
        (folder / f"text-{number:05d}.md").write_text(head + "\n\n".join(paragraphs) + "\n", encoding="utf-8")
        asked.append(question(draw.choice(paragraphs)))
    while len(asked) < QUERIES:
        asked.append(question(draw.choice(stock)))
    return asked[:QUERIES]


def run(
    sizes: Iterable[int] = SIZES,
    *,
    encoded_at_most: int = ENCODED_AT_MOST,
    tutorial: bool = True,
    starts: bool = True,
    torch: bool = True,
    folder: Path | None = None,
    tell: Tell = lambda _: None,
) -> Report:
    """Measure everything, smallest first.

    Args:
        tutorial: also the tutorial's pipeline. Needs the extra ``bench``.
        starts: also the commands from nothing.
        torch: also the encoder on torch.
        folder: where corpora and indexes go; by default a temporary folder that is removed.

    Raises:
        EvalError: the extra is not installed.
    """
    if tutorial:
        _need_tutorial()
    report = Report(machine=_machine())
    if report.machine["load_before"] > _BUSY_LOAD:
        tell(f"the machine is busy (load {report.machine['load_before']:.1f}): compare ratios and processor time only")
    with tempfile.TemporaryDirectory(prefix="iskp-bench-", ignore_cleanup_errors=True) as made:
        place = folder or Path(made)
        encoder = open_encoder()
        encoder.encode(["warm"])
        pool = encoder.encode(sentences()[::8])
        for passages in sorted(sizes):
            tell(f"{passages} passages …")
            report.sizes.append(
                _size(
                    place / str(passages), passages, encoder, pool, made_up=passages > encoded_at_most,
                    tutorial=tutorial, torch=torch, tell=tell,
                )
            )  # fmt: skip
        if starts:
            tell("commands from nothing …")
            report.starts.extend(_starts(place / str(min(sizes))))
    report.machine["load_after"] = os.getloadavg()[0]
    return report


def _size(
    place: Path,
    passages: int,
    encoder: Encoder,
    pool: Vectors,
    *,
    made_up: bool,
    tutorial: bool,
    torch: bool,
    tell: Tell,
) -> Size:
    from app.home import Home
    from index.sync import sync

    asked = write_corpus(place / "texts", passages)
    used = _Timed(MadeUpEncoder(encoder, pool) if made_up else encoder)
    with closing(Home(place / "home")) as home:
        home.init(empty=True)
        told = _Rarely(tell)
        with _Watch() as ingest:
            with _Watch() as reading:
                outcomes = _read(home, place / "texts", passages, told)
            tell(
                f"  read {len(outcomes)} files in {reading.seconds:.1f} s ({reading.cpu_seconds:.1f} s of processor time)"
            )
            report = sync(
                home.index_folder, home.library, used, home.chunking,
                progress=lambda p: told(f"  {p.done} of about {passages} passages ingested"),
            )  # fmt: skip
        if any(o.status == "failed" for o in outcomes):
            raise EvalError("the generated texts could not be read")
        peak = _peak_mb()
        tell(
            f"  ingested {report.added} passages in {ingest.seconds:.1f} s ({ingest.cpu_seconds:.1f} s of processor time), "
            f"peak memory {peak or 0:.0f} MB; on disk, MB: {_parts_of(place / 'home')}"
        )
        with _Watch() as unchanged:
            list(home.update_sources())
            home.sync()
        tell(f"  looked for changes in {unchanged.seconds:.1f} s")
        if not made_up:
            tell("  the encoder alone …")
        raw, slow = (None, None) if made_up else _raw(home, encoder, torch=torch)
        stages = _latencies(home, asked)
        for stage in ("search", "search, processor", "total"):
            tell(f"  {stage}: p50 {stages[stage].p50} ms, p95 {stages[stage].p95} ms")
        changed, written = _change(home, place / "texts")
        tell(
            f"  one file changed: {changed.seconds:.1f} s ({changed.cpu_seconds:.1f} s of processor time), "
            f"{written or 0:.2f} MB written"
        )
    answering = _command("answer", ["--home", str(place / "home"), "ask", asked[0]])
    if tutorial:
        tell("  the tutorial's pipeline …")
    theirs = _tutorial(place, encoder, made_up, pool, asked) if tutorial else None
    return Size(
        passages=report.added,
        made_up=made_up,
        ingest_seconds=ingest.seconds,
        ingest_cpu_seconds=ingest.cpu_seconds,
        reading_seconds=reading.seconds,
        ingest_peak_mb=peak,
        encoder_share=used.seconds / ingest.seconds,
        raw_seconds=raw.seconds if raw else None,
        raw_cpu_seconds=raw.cpu_seconds if raw else None,
        torch_seconds=slow.seconds if slow else None,
        unchanged_seconds=unchanged.seconds,
        changed_seconds=changed.seconds,
        changed_written_mb=written,
        stages=stages,
        answer_mb=answering.peak_mb,
        disk_mb=_megabytes(place / "home"),
        tutorial=theirs,
    )


def _read(home: Home, texts: Path, passages: int, told: Tell) -> list[Outcome]:
    outcomes, read = [], 0
    for outcome in home.add([texts], {}):
        outcomes.append(outcome)
        read += outcome.passages
        told(f"  {read} of about {passages} passages read")
    return outcomes


def _change(home: Home, texts: Path) -> tuple[_Watch, float | None]:
    """Give a paragraph of one file another sentence and bring the index up to date; the time, and megabytes written."""
    file = min(texts.iterdir())
    file.write_text(
        file.read_text(encoding="utf-8").rstrip("\n") + " One more sentence stands here.\n", encoding="utf-8"
    )
    before = _written()
    with _Watch() as changed:
        outcomes = list(home.update_sources())
        report = home.sync()
    if [o.status for o in outcomes] != ["changed"] or report.embedded != 1:
        raise EvalError(f"one paragraph of {file} changed, but {report.embedded} passages were encoded again")
    after = _written()
    return changed, None if before is None or after is None else (after - before) / 1e6


def _written() -> int | None:
    """Bytes that this process sent to disks so far (Linux)."""
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def _peak_mb() -> float | None:
    """Most memory of this process so far, in MB (Linux)."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


def _megabytes(place: Path) -> float:
    return sum(f.stat().st_size for f in (place, *place.rglob("*")) if f.is_file()) / 1e6


def _parts_of(home: Path) -> str:
    """What takes the space of a home, by name of the file or of the folder of Chroma."""
    found: dict[str, float] = {}
    for file in (f for f in home.rglob("*") if f.is_file()):
        name = CHROMA_FOLDER if CHROMA_FOLDER in file.parts else file.name
        found[name] = found.get(name, 0) + file.stat().st_size / 1e6
    return ", ".join(f"{name} {size:.1f}" for name, size in sorted(found.items(), key=lambda f: -f[1]) if size >= 0.1)


def _raw(home: Home, encoder: Encoder, *, torch: bool) -> tuple[_Watch, _Watch | None]:
    """The encoder alone over all passages, on our runtime and on torch."""
    from index.embed import SentenceTransformerEncoder
    from index.sync import embedded_text
    from ingest.chunk import chunk

    texts = [embedded_text(p) for source in home.library for p in chunk(source, home.chunking)]
    with _Watch() as mine:
        encoder.encode(texts)
    if not torch:
        return mine, None
    model = SentenceTransformerEncoder().load()
    model.encode(["warm"])
    with _Watch() as theirs:
        model.encode(texts, batch_size=32, normalize_embeddings=True, show_progress_bar=False)
    return mine, theirs


def _latencies(home: Home, asked: Sequence[str]) -> dict[str, Latency]:
    home.warm_up()
    opened = home.index.current()
    if opened is None:
        raise EvalError("nothing was indexed")
    for question in asked[:3]:
        home.answerer.answer(question)
    spent: dict[str, list[float]] = {"search": [], "search, processor": []}
    for question in asked:
        with _Watch() as search:
            opened.search(question, 10)
        spent["search"].append(search.seconds * 1000)
        spent["search, processor"].append(search.cpu_seconds * 1000)
    for question in asked[::2]:
        for stage, milliseconds in home.answerer.answer(question).timings_ms.items():
            spent.setdefault(stage, []).append(milliseconds)
    return {stage: Latency.of(values) for stage, values in spent.items()}


def _need_tutorial() -> None:
    for name in ("langchain_chroma", "langchain_huggingface", "langchain_text_splitters"):
        if importlib.util.find_spec(name) is None:
            raise EvalError(f'{name} is not installed; run: pip install "iskp-qa[bench]", or give --no-tutorial')


def _tutorial(place: Path, encoder: Encoder, made_up: bool, pool: Vectors, asked: Sequence[str]) -> Tutorial:
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_huggingface import HuggingFaceEmbeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    model = HuggingFaceEmbeddings(model_name=str(bundled_model_path()), encode_kwargs={"normalize_embeddings": True})
    embeddings: Embeddings = model
    if made_up:
        stand_in = MadeUpEncoder(encoder, pool)

        class MadeUp(Embeddings):
            def embed_documents(self, texts: list[str]) -> list[list[float]]:
                rows: list[list[float]] = stand_in.encode(texts).tolist()
                return rows

            def embed_query(self, text: str) -> list[float]:
                row: list[float] = model.embed_query(text)
                return row

        embeddings = MadeUp()
    with _Watch() as ingest:
        documents = [
            Document(page_content=f.read_text(encoding="utf-8"), metadata={"source": f.name})
            for f in sorted((place / "texts").iterdir())
        ]
        chunks = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200).split_documents(documents)
        store = Chroma.from_documents(chunks, embeddings, persist_directory=str(place / "tutorial"))
    store.similarity_search(asked[0], k=10)
    spent = []
    for question in asked:
        with _Watch() as search:
            store.similarity_search(question, k=10)
        spent.append(search.seconds * 1000)
    return Tutorial(
        ingest_seconds=ingest.seconds,
        ingest_cpu_seconds=ingest.cpu_seconds,
        chunks=len(chunks),
        search=Latency.of(spent),
    )


def _starts(place: Path) -> list[Start]:
    """Commands in a process of their own, over an index that is there; the second run of each, with warm files."""
    home = ["--home", str(place / "home")]
    return [
        _command(name, arguments, times=2)
        for name, arguments in (
            ("iskp --help", ["--help"]),
            ("iskp sources", [*home, "sources"]),
            ("iskp index (no change)", [*home, "index"]),
            ("iskp search", [*home, "search", "recruitment"]),
            ("iskp ask", [*home, "ask", "Who recruits members?"]),
            ("bare: import sentence-transformers, load the model", []),
        )
    ]


_CHILD = """
import sys
sys.argv = ["iskp", *sys.argv[1:]]
try:
    if len(sys.argv) > 1:
        from app.cli import main
        main()
    else:
        from sentence_transformers import SentenceTransformer
        SentenceTransformer({model!r}, device="cpu")
finally:
    import os, resource
    usage = resource.getrusage(resource.RUSAGE_SELF)
    # On Linux maxrss holds what the parent had when it forked; the high-water mark of this program does not.
    try:
        peak = next(int(l.split()[1]) for l in open("/proc/self/status") if l.startswith("VmHWM"))
    except OSError:
        peak = usage.ru_maxrss / 1e3
    print("\\n@", usage.ru_utime + usage.ru_stime, peak / 1e3, file=sys.stderr, flush=True)
"""


def _command(name: str, arguments: Sequence[str], *, times: int = 1) -> Start:
    code = _CHILD.format(model=str(bundled_model_path()))
    for _ in range(times):
        with _Watch() as whole:
            done = subprocess.run(
                [sys.executable, "-c", code, *arguments],
                capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"}, check=False,
            )  # fmt: skip
        if done.returncode:
            raise EvalError(f"iskp {' '.join(arguments)} failed: {done.stderr[-300:]}")
    cpu, peak = done.stderr.rsplit("@", 1)[1].split()
    return Start(name=name, seconds=whole.seconds, cpu_seconds=float(cpu), peak_mb=float(peak))


def _machine() -> dict[str, Any]:
    from importlib.metadata import version

    return {
        "date": time.strftime("%Y-%m-%d"),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "load_before": os.getloadavg()[0],
        "encoder": DEFAULT_MODEL,
        "precision": "int8" if eight_bits.wanted("auto") else "float32",
        "versions": {n: version(n) for n in ("iskp-qa", "chromadb", "onnxruntime", "torch", "sentence-transformers")},
    }


def to_json(report: Report) -> dict[str, Any]:
    """As plain data, for a file to compare with."""
    return asdict(report)


def ratios(size: Size, starts: Sequence[Start] = ()) -> dict[str, float]:
    """What is promised, as ratios: more is better for the first four, less for the last.

    ``ingest / raw encoder`` compares throughput; the tutorial's ingest counts seconds over the same texts.
    """
    found: dict[str, float] = {}
    if size.raw_seconds is not None:
        found["ingest / raw encoder"] = size.raw_seconds / size.ingest_seconds
    if size.raw_cpu_seconds is not None:
        found["the same in processor time"] = size.raw_cpu_seconds / size.ingest_cpu_seconds
    if size.torch_seconds is not None:
        found["ingest / raw encoder on torch"] = size.torch_seconds / size.ingest_seconds
    if size.tutorial is not None:
        found["tutorial ingest / ingest"] = size.tutorial.ingest_seconds / size.ingest_seconds
        found["tutorial ingest / no-change sync"] = size.tutorial.ingest_seconds / size.unchanged_seconds
        found["search p50 / tutorial"] = size.stages["search"].p50 / size.tutorial.search.p50
    return found


def as_table(report: Report, before: dict[str, Any] | None = None) -> str:
    """Everything as text; with an earlier run, the ratio of now to then behind the figures."""
    rows: list[tuple[str, ...]] = [("", *(f"{s.passages:,}{' *' if s.made_up else ''}" for s in report.sizes))]

    def row(name: str, value: Callable[[Size], float | None], form: str = "{:.1f}") -> None:
        cells = [("–" if (v := value(s)) is None else form.format(v)) for s in report.sizes]
        if any(c != "–" for c in cells):
            rows.append((name, *cells))

    row("ingest, passages/s", lambda s: s.passages / s.ingest_seconds)
    row("  share in the encoder", lambda s: s.encoder_share, "{:.2f}")
    row("  raw encoder, passages/s", lambda s: s.passages / s.raw_seconds if s.raw_seconds else None)
    row("  raw encoder on torch, passages/s", lambda s: s.passages / s.torch_seconds if s.torch_seconds else None)
    row("  processor ms a passage", lambda s: s.ingest_cpu_seconds / s.passages * 1000, "{:.2f}")
    row("ingest, peak memory, MB", lambda s: s.ingest_peak_mb, "{:.0f}")
    row("sync without change, s", lambda s: s.unchanged_seconds, "{:.3f}")
    row("sync of one changed file, s", lambda s: s.changed_seconds, "{:.3f}")
    row("  written, MB", lambda s: s.changed_written_mb, "{:.2f}")
    for stage in dict.fromkeys(k for s in report.sizes for k in s.stages):
        for which in ("p50", "p95", "p99"):
            row(f"{stage} {which}, ms", lambda s, stage=stage, which=which: getattr(s.stages[stage], which))  # type: ignore[misc]
    row("iskp ask, peak memory, MB", lambda s: s.answer_mb, "{:.0f}")
    row("home on disk, MB", lambda s: s.disk_mb)
    row("tutorial: ingest, s", lambda s: s.tutorial.ingest_seconds if s.tutorial else None)
    row("tutorial: search p50, ms", lambda s: s.tutorial.search.p50 if s.tutorial else None)
    row("tutorial: search p95, ms", lambda s: s.tutorial.search.p95 if s.tutorial else None)
    for name in dict.fromkeys(n for s in report.sizes for n in ratios(s)):
        row(f"× {name}", lambda s, name=name: ratios(s).get(name), "{:.2f}")  # type: ignore[misc]
    if before:
        old = {s["passages"]: s for s in before["sizes"]}
        row("÷ before: ingest s", lambda s: _over(s.ingest_seconds, old.get(s.passages), "ingest_seconds"), "{:.2f}")
        row(
            "÷ before: search p50",
            lambda s: _over(s.stages["search"].p50, old.get(s.passages), "stages", "search", "p50"),
            "{:.2f}",
        )
        row(
            "÷ before: total p50",
            lambda s: _over(s.stages["total"].p50, old.get(s.passages), "stages", "total", "p50"),
            "{:.2f}",
        )
    lines = _aligned(rows)
    if any(s.made_up for s in report.sizes):
        lines.append(
            "* vectors made up around real ones: nothing was encoded but the questions; ingest is all the rest"
        )
    if report.starts:
        bare = report.starts[-1]
        lines += ["", *_aligned([
            ("from nothing", "s", "processor s", "peak MB", "× bare (processor)"),
            *(
                (s.name, f"{s.seconds:.2f}", f"{s.cpu_seconds:.2f}", f"{s.peak_mb:.0f}", f"{s.cpu_seconds / bare.cpu_seconds:.2f}")
                for s in report.starts
            ),
        ])]  # fmt: skip
    m = report.machine
    computed = f", encoder and reader in {m['precision']}" if "precision" in m else ""
    lines += [
        "",
        f"{m['cores']} cores{computed}, load {m['load_before']:.1f} before and {m.get('load_after', 0):.1f} after.",
    ]
    return "\n".join(lines)


def _over(now: float, before: Any, *path: str) -> float | None:
    for key in path:
        before = before.get(key) if before else None
    return now / before if before else None


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return [
        "  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(r, widths, strict=True)))
        for r in rows
    ]


def plot(report: Report) -> str:
    """A page of HTML that needs no network: throughput and latency over the size of the corpus."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    sizes = [s.passages for s in report.sizes]
    figure = make_subplots(rows=1, cols=2, subplot_titles=("Ingest, passages per second", "Milliseconds per question"))
    throughput: dict[str, list[float | None]] = {
        "ours, encoded": [None if s.made_up else s.passages / s.ingest_seconds for s in report.sizes],
        "ours, without the encoder": [s.passages / s.ingest_seconds if s.made_up else None for s in report.sizes],
        "raw encoder": [s.passages / s.raw_seconds if s.raw_seconds else None for s in report.sizes],
        "tutorial": [s.passages / s.tutorial.ingest_seconds if s.tutorial and not s.made_up else None for s in report.sizes],
    }  # fmt: skip
    latency: dict[str, list[float | None]] = {
        "search p95": [s.stages["search"].p95 for s in report.sizes],
        "answer p95": [s.stages["total"].p95 for s in report.sizes],
        "tutorial search p95": [s.tutorial.search.p95 if s.tutorial else None for s in report.sizes],
    }
    for column, lines in ((1, throughput), (2, latency)):
        for name, values in lines.items():
            if any(v is not None for v in values):
                figure.add_trace(go.Scatter(x=sizes, y=values, name=name, mode="lines+markers"), row=1, col=column)
    figure.update_xaxes(type="log", title="passages")
    figure.update_yaxes(type="log")
    figure.update_layout(title="iskp bench speed", template="plotly_white")
    page: str = figure.to_html(include_plotlyjs=True, full_html=True)
    return page
