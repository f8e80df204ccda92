"""The five generic package names are ours, and importing them does no work."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

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


def test_readme_names_only_commands_that_exist() -> None:
    import re

    from app.cli import main

    used = set(re.findall(r"^iskp (?:--home \S+ )?(\w+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M))
    assert used and used <= set(main.list_commands(click.Context(main)))
