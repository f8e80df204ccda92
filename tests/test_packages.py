"""The five generic package names are ours, and importing them does no work."""

from __future__ import annotations

import importlib.util
import resource
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from app.home import Home

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", ["ingest", "index", "app", "prompts", "eval"])
def test_package_comes_from_this_repository(name: str) -> None:
    """Pip silently overwrites when another distribution ships the same top-level name."""
    spec = importlib.util.find_spec(name)
    assert spec is not None and spec.origin is not None
    assert Path(spec.origin).is_relative_to(ROOT)


def test_help_answers_in_half_a_second() -> None:
    command = [sys.executable, "-m", "app.cli", "--help"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)  # compiled files are there now
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.5


def test_command_line_imports_nothing_heavy() -> None:
    code = "import sys, app.cli; print([m for m in ('torch', 'chromadb', 'gradio', 'numpy', 'pydantic') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT)
    assert shown.stdout.strip() == "[]"


HEAVY = (
    "chromadb", "dateparser", "docx", "gradio", "httpx", "langchain", "langchain_core", "lxml", "numpy", "onnxruntime", "openpyxl",
    "pypdfium2", "torch", "trafilatura",
)  # fmt: skip


@pytest.mark.parametrize("arguments", [["init"], ["sources"], ["sources", "show", "zelin-2023"], ["sources", "--removed"]])
def test_what_needs_no_index_imports_no_model_store_or_format(bundled_home: Home, arguments: list[str]) -> None:
    code = (
        "import sys; from app.cli import main; main(sys.argv[1:], standalone_mode=False);"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "--home", str(bundled_home.folder), *arguments]
    shown = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    assert shown.stderr.splitlines()[-1] == "[]"


def test_listing_sources_takes_little_processor_time(bundled_home: Home) -> None:
    command = [sys.executable, "-m", "app.cli", "--home", str(bundled_home.folder), "sources"]
    seconds = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        seconds.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before)
    assert min(seconds) < 1.0  # 0.45 on a quiet machine; a model or Chroma would add one to three


def test_help_names_every_command_once() -> None:
    from click.testing import CliRunner

    from app.cli import main

    shown = CliRunner().invoke(main, ["--help"]).stdout.partition("Options:")[2]
    named = [line.split()[0] for line in shown.splitlines() if line.startswith("  ") and line[2:3].isalpha()]
    assert sorted(named) == main.list_commands(click.Context(main))


def test_readme_names_only_commands_that_exist() -> None:
    import re

    from app.cli import main

    used = set(re.findall(r"^iskp (?:--home \S+ )?(\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M))
    assert used and used <= set(main.list_commands(click.Context(main)))
