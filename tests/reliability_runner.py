"""What the tests of reliability run in processes of their own: real files, real Chroma, an encoder without torch.

``python reliability_runner.py COMMAND ARGUMENT...``; the last line on stdout is JSON. Run by hand:
``python -m tests.reliability_runner every-write FOLDER [STEP] [MODE...]`` lets each write of ingest and sync fail in turn.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

import app.wiring
from app.cli import main as cli
from index import generation
from index.catalog import Catalog
from index.embed import Progress, Vectors
from index.parts import PARTS_FOLDER, folder_of, in_chroma
from index.search import IndexReader
from index.sync import CATALOG_FILE, sync
from index.terms import Vocabulary
from ingest.add import add_paths
from ingest.chunk import ChunkSettings, chunk
from ingest.library import Library


class FastEncoder:
    """Bag of hashed words; while the file ``ISKP_TEST_HOLD`` exists a call waits, and the writer's lock is held."""

    dimension = 32

    def __init__(self, model: str = "fast", *, batch_size: int = 32, precision: str = "auto") -> None:
        self.name = "fast"
        self.texts: list[str] = []

    def load(self) -> None:
        pass

    def encode(self, texts: Sequence[str], *, progress: Progress | None = None) -> Vectors:
        self.texts += texts
        deadline = time.monotonic() + 120
        while (hold := os.environ.get("ISKP_TEST_HOLD")) and Path(hold).exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in text.lower().split():
                row[zlib.crc32(word.encode()) % self.dimension] += 1
            row /= np.linalg.norm(row) or 1
        if progress:
            progress(len(texts))
        return rows

    def is_word(self, word: str) -> bool:
        return False


def text_of(name: str, edition: int) -> str:
    """A note that is told from every other note and from its other editions, in each paragraph."""
    return f"# Note {name}\n\n" + "\n\n".join(
        f"Paragraph {n} of {name} says that harbour {name} counted {edition * 100 + n} barrels of rye in edition {edition}."
        for n in range(1, 5)
    )


def write(folder: Path, name: str, edition: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text_of(name, edition), encoding="utf-8")


def bring_in_line(home: Path, folder: Path, encoder: FastEncoder, *, rebuild: bool = False) -> None:
    with closing(Library(home / "library.db")) as library:
        failed = [o for o in add_paths(library, [folder]) if o.status == "failed"]
        assert not failed, failed
        sync(home / "index", library, encoder, rebuild=rebuild)


def open_reader(home: Path) -> IndexReader:
    return IndexReader(home / "index", FastEncoder(), ChunkSettings(), lambda: Vocabulary.load(None))


def compare(home: Path) -> list[str]:
    """What differs between library, lexical index and Chroma, and what lies about in the index folder."""
    root = home / "index"
    problems = []
    with closing(Library(home / "library.db")) as library:
        wanted = {p.id for source in library for p in chunk(source)}
        stored = library.fingerprints()
    folder = generation.current(root)
    if folder is None:
        return ["no index"]
    with closing(Catalog(folder / CATALOG_FILE, readonly=True)) as catalog:
        lexical, known = list(catalog.passage_ids()), catalog.fingerprints()
        vectors = list(in_chroma(folder, catalog, None))
        named = {folder_of(folder, part).name for part in catalog.parts()}
    if known != stored:
        problems.append("library and catalog hold different sources")
    if sorted(lexical) != sorted(wanted):
        problems.append(f"lexical index: {len(lexical)} rows, {len(wanted)} wanted")
    if sorted(vectors) != sorted(wanted):
        problems.append(f"vector store: {len(vectors)} rows, {len(wanted)} wanted")
    left = {p.name for p in root.iterdir()} - {"CURRENT", "writer.lock", folder.name}
    left |= {p.name for p in (folder / PARTS_FOLDER).iterdir()} - named
    if left:
        problems.append(f"left over: {sorted(left)}")
    return problems


def search_and_check(home: Path, query: str) -> tuple[int, list[str]]:
    """How many hits a search gives, and which of them do not stand in their source."""
    with closing(open_reader(home)) as reader:
        opened = reader.current()
        if opened is None:
            return 0, []
        hits = opened.search(query, 10)
        wrong = []
        for hit in hits:
            source = opened.source(hit.passage.source_id)
            if source is None or source.text[hit.passage.start : hit.passage.end] != hit.passage.text:
                wrong.append(hit.passage.id)
        return len(hits), wrong


# kill


def kill(home: Path, folder: Path, times: int, seed: int) -> dict[str, Any]:
    """Kill ingest and sync ``times`` times; all work is done in forks, so that this process has no threads."""
    import chromadb.api.rust  # noqa: F401 - once, and not in each fork

    dice = random.Random(seed)
    editions = {f"n{i}.md": 1 for i in range(8)}
    for name, edition in editions.items():
        write(folder, name, edition)
    began = time.monotonic()
    assert _fork(lambda: bring_in_line(home, folder, FastEncoder())) == 0
    usual = time.monotonic() - began
    problems: list[str] = []
    killed = finished = 0
    stages: dict[str, int] = {}
    out = home / "check.json"
    for turn in range(2 * times):  # some are done before the signal comes; those do not count
        if killed == times:
            break
        before = dict(editions)
        new = [f"k{turn}-{i}.md" for i in range(3)]
        edited = dice.choice(sorted(before))
        for name in new:
            editions[name] = 1
        editions[edited] += 1
        gone = dice.choice([n for n in sorted(before) if n != edited])
        for name in (*new, edited):
            write(folder, name, editions[name])
        del editions[gone]
        (folder / gone).unlink()
        rebuild = turn % 5 == 4
        child = os.fork()
        if child == 0:
            _leave(lambda again=rebuild: bring_in_line(home, folder, FastEncoder(), rebuild=again))  # type: ignore[misc]
        # Ingest is a small part of the whole: every third kill falls into it.
        time.sleep(dice.uniform(0, usual * (0.15 if turn % 3 == 0 else 1.1)))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        finished += not os.WIFSIGNALED(status)
        stage = _stage(home)
        stages[stage] = stages.get(stage, 0) + 1
        code = _fork(
            lambda b=before, g=gone, e=edited: out.write_text(  # type: ignore[misc]
                json.dumps(_after_kill(home, folder, b, dict(editions), g, e))
            )
        )
        if code:
            problems.append(f"turn {turn}: the check ended with {code}")
        else:
            problems += [f"turn {turn} ({stage}): {p}" for p in json.loads(out.read_text())]
    return {
        "killed": killed, "finished": finished, "stages": stages, "problems": problems,
        "seconds": time.monotonic() - began, "usual": usual,
    }  # fmt: skip


def _after_kill(
    home: Path, folder: Path, before: dict[str, int], now: dict[str, int], gone: str, edited: str
) -> list[str]:
    problems = []
    with closing(Library(home / "library.db")) as library:
        sources = {s.id: s.text for s in library}
    whole = {name: {_canonical(name, e) for e in {before.get(name, 1), now.get(name, 1)}} for name in {*before, *now}}
    problems += [f"{name} is lost" for name in before if name != gone and name not in sources]
    problems += [f"{name} is half there" for name, text in sources.items() if text not in whole[name]]
    hits, wrong = search_and_check(home, f"barrels of rye in harbour {edited}")
    problems += [] if hits else ["the search found nothing"]
    problems += [f"{i} is not a slice of its source" for i in wrong]
    bring_in_line(home, folder, FastEncoder())
    problems += compare(home)
    with closing(Library(home / "library.db")) as library:
        after = {s.id: s.text for s in library}
    problems += (
        [] if after == {n: _canonical(n, e) for n, e in now.items()} else ["the library is not what the files are"]
    )
    return problems


MODES = ("once", "on", "once-rebuild", "on-rebuild")


def faults(home: Path, folder: Path, mode: str, step: int, first: int = 1, last: int | None = None) -> dict[str, Any]:
    """Let the n-th write of ingest and sync fail, for every ``step``-th n; needs failing_writes.c preloaded.

    Args:
        mode: "once" for an error of that write alone, "on" for that and all later ones, as on a full disk; with "-rebuild"
            behind it the index is rebuilt.
        first, last: writes to begin and to end with, to look at one that failed.
    """
    import chromadb.api.rust  # noqa: F401 - once, and not in each fork

    shim = ctypes.CDLL(os.environ["LD_PRELOAD"])
    shim.writes_seen.restype = ctypes.c_long
    once, rebuild = mode.startswith("once"), mode.endswith("rebuild")
    start, saved, out = {f"n{i}.md": 1 for i in range(4)}, home.with_name("saved"), home.with_name("told.json")
    check = home.with_name("check.json")
    for name, edition in start.items():
        write(folder, name, edition)
    assert _fork(lambda: bring_in_line(home, folder, FastEncoder())) == 0
    shutil.copytree(home, saved)
    write(folder, "n1.md", 2)
    write(folder, "new.md", 1)
    (folder / "n2.md").unlink()
    now = {"n0.md": 1, "n1.md": 2, "n3.md": 1, "new.md": 1}

    def work(n: int) -> None:
        shim.fail_writes(str(home).encode(), ctypes.c_long(n), ctypes.c_long(n if once else 2**63 - 1))
        try:
            bring_in_line(home, folder, FastEncoder(), rebuild=rebuild)
        finally:
            done = int(shim.writes_seen())
            shim.fail_writes(b"", ctypes.c_long(-1), ctypes.c_long(-1))
            out.write_text(json.dumps(done))

    assert _fork(lambda: work(2**62)) == 0
    total = json.loads(out.read_text())
    problems: list[str] = []
    tried = told = 0
    said = time.monotonic()
    for n in range(first, (last or total) + 1, step):
        if time.monotonic() - said > 20:
            said = time.monotonic()
            print(f"{mode}: write {n} of {total}, {len(problems)} problems", *problems[-1:], file=sys.stderr, flush=True)
        shutil.rmtree(home)
        shutil.copytree(saved, home)
        child = os.fork()
        if child == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            _leave(lambda at=n: work(at))  # type: ignore[misc]
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        tried, told = tried + 1, told + (code == 1)
        if code not in (0, 1):
            problems.append(f"write {n}: ended with {code}")
        ended = _fork(
            lambda c=code: check.write_text(  # type: ignore[misc]
                json.dumps(_after_fault(home, c) + _after_kill(home, folder, start, now, "n2.md", "n1.md"))
            )
        )
        problems += [f"write {n}: {p}" for p in (json.loads(check.read_text()) if ended == 0 else ["the check failed"])]
    return {"tried": tried, "told": told, "writes": total, "problems": problems}


def _after_fault(home: Path, code: int) -> list[str]:
    """What is wrong with a home where the command ended well; what lies about is for the next sync to remove."""
    return [p for p in compare(home) if not p.startswith("left over")] if code == 0 else []


def build_shim(folder: Path) -> Path | None:
    """Compile failing_writes.c into ``folder``; None where there is no compiler, or no Linux."""
    compiler, shim = shutil.which("cc") or shutil.which("gcc"), folder / "failing_writes.so"
    if compiler is None or sys.platform != "linux":
        return None
    source = Path(__file__).with_name("failing_writes.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(shim), str(source), "-ldl"], check=True)
    return shim


def every_write(folder: Path, step: int = 1, modes: Sequence[str] = MODES) -> dict[str, Any]:
    """Run ``faults`` in each mode, below ``folder``; this takes about a second for each write and mode."""
    folder.mkdir(parents=True, exist_ok=True)
    shim = build_shim(folder)
    if shim is None:
        raise SystemExit("failing writes need Linux and a C compiler (cc or gcc); install one")
    told = {}
    for mode in modes:
        place = folder / mode
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        ended = subprocess.run(
            [sys.executable, __file__, "faults", str(place / "home"), str(place / "notes"), mode, str(step)],
            env={**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": str(Path(__file__).parent.parent)},
            stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        told[mode] = json.loads(ended.stdout.splitlines()[-1])
        print(mode, json.dumps(told[mode]), file=sys.stderr, flush=True)
    return told


def _canonical(name: str, edition: int) -> str:
    return text_of(name, edition).removeprefix("# ")


def _stage(home: Path) -> str:
    """How far the killed process came, by what it left."""
    root = home / "index"
    finished = [p.name for p in root.glob("gen-*") if p.name[4:].isdecimal()]
    if any(root.glob("*.building")):
        return "building"
    folder = generation.current(root)
    assert folder is not None
    with closing(Catalog(folder / CATALOG_FILE, readonly=True)) as catalog:
        named = {folder_of(folder, part) for part in catalog.parts()}
    if {*(folder / PARTS_FOLDER).iterdir()} - named:
        return "part"
    return "swapping" if len(finished) > 1 else "reading or done"


def _fork(work: Any) -> int:
    child = os.fork()
    if child == 0:
        _leave(work)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _leave(work: Any) -> None:
    try:
        work()
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(1)
    os._exit(0)


# read and write at the same time


def read(home: Path, stop: Path) -> dict[str, Any]:
    """Search until ``stop`` exists; every hit is compared with its source as it was indexed."""
    answers = 0
    hits_seen = 0
    generations: set[str] = set()
    editions: set[str] = set()
    errors: list[str] = []
    with closing(open_reader(home)) as reader:
        while not stop.exists():
            try:
                opened = reader.current()
                assert opened is not None
                hits = opened.search(f"harbour n{answers % 200}.md counted barrels of rye", 5)
                assert hits, "nothing was found"
                for hit in hits:
                    source = opened.source(hit.passage.source_id)
                    assert source is not None, f"no source {hit.passage.source_id}"
                    assert source.text[hit.passage.start : hit.passage.end] == hit.passage.text, "not a slice"
                    editions.add(hit.passage.text.rsplit(" ", 1)[-1])
                generations.add(opened.folder.name)
                answers += 1
                hits_seen += len(hits)
            except Exception as exc:
                errors.append(f"{type(exc).__name__}: {exc}")
                if len(errors) > 20:
                    break
            time.sleep(0.01)  # as a person would; on one core the writer needs its turn
            if answers == 1:
                stop.with_suffix(".reading").touch()
    return {
        "answers": answers, "hits": hits_seen, "errors": errors, "generations": sorted(generations),
        "editions": sorted(editions),
    }  # fmt: skip


def churn(home: Path, folder: Path, count: int) -> dict[str, Any]:
    """Change ``count`` files and re-index twice, then rebuild."""
    for edition in (2, 3):
        for i in range(count):
            write(folder, f"n{i}.md", edition)
        bring_in_line(home, folder, FastEncoder())
    bring_in_line(home, folder, FastEncoder(), rebuild=True)
    return {"problems": [p for p in compare(home) if not p.startswith("left over")]}


# a command line whose encoder is the fast one


def run_cli(arguments: Sequence[str], file_bytes: int | None = None) -> None:
    app.wiring.open_encoder = FastEncoder  # type: ignore[assignment]
    if file_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    cli(list(arguments), standalone_mode=True)


def ask_readonly(home: Path) -> dict[str, Any]:
    """Ask, take every right to write away from the home and from this process, and ask again."""
    from click.testing import CliRunner

    app.wiring.open_encoder = FastEncoder  # type: ignore[assignment]

    def invoke(*arguments: str) -> tuple[int, str, str]:
        result = CliRunner().invoke(cli, ["--home", str(home), *arguments])
        if result.exception and not isinstance(result.exception, SystemExit):
            return result.exit_code, "", repr(result.exception)
        return result.exit_code, result.stdout, result.stderr

    question = ("ask", "How many barrels of rye did harbour n1.md count?", "--json")
    before = invoke(*question)
    # What is imported at first use lies where only this user may read; so it is used once before.
    for arguments in (("init", "--empty"), ("ingest", str(home.parent / "late.txt"))):
        CliRunner().invoke(cli, ["--home", str(home.parent / "warm"), *arguments])
    for path in (*home.rglob("*"), home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    with contextlib.suppress(OSError):
        (home / "x").touch()
        raise AssertionError("the home can still be written")
    after, added = invoke(*question), invoke("ingest", str(home.parent / "late.txt"))
    return {"before": before, "after": after, "added": added}


def main() -> None:
    command, *rest = sys.argv[1:]
    paths = [Path(r) for r in rest]
    result: dict[str, Any] = {}
    if command == "kill":
        result = kill(paths[0], paths[1], int(rest[2]), int(rest[3]))
    elif command == "faults":
        result = faults(paths[0], paths[1], rest[2], *map(int, rest[3:]))
    elif command == "every-write":
        result = every_write(paths[0], int(rest[1]) if rest[1:] else 1, rest[2:] or MODES)
    elif command == "read":
        result = read(paths[0], paths[1])
    elif command == "churn":
        result = churn(paths[0], paths[1], int(rest[2]))
    elif command == "readonly":
        result = ask_readonly(paths[0])
    elif command == "cli":
        run_cli(rest)
    elif command == "cli-limited":
        run_cli(rest[1:], int(rest[0]))
    else:
        raise SystemExit(f"no command {command}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
