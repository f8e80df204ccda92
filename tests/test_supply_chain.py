"""Nothing that is shipped or loaded can carry code, and every licence is one that we may build on."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent
PACKAGES = ("ingest", "index", "app", "prompts", "eval")
MODULES = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))]


def supply_chain() -> ModuleType:
    spec = importlib.util.spec_from_file_location("supply_chain", ROOT / "tests" / "supply_chain.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_no_file_that_is_shipped_is_a_pickle() -> None:
    suffixes = {".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib", ".npy", ".ckpt"}
    assert [p for package in PACKAGES for p in (ROOT / package).rglob("*") if p.suffix in suffixes] == []


def test_no_module_unpickles_or_runs_code_of_models_or_texts() -> None:
    found = []
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [
                (module.name, n) for n in names if n.split(".")[0] in {"pickle", "marshal", "shelve", "dill", "joblib"}
            ]
            if isinstance(node, ast.Call):
                called = node.func.id if isinstance(node.func, ast.Name) else ""
                found += [(module.name, called)] if called in {"eval", "exec", "compile", "__import__"} else []
                found += [
                    (module.name, str(k.arg))
                    for k in node.keywords
                    if (k.arg in {"trust_remote_code", "allow_pickle", "shell", "allow_dangerous_deserialization"})
                    and not (isinstance(k.value, ast.Constant) and k.value.value is False)
                ]
    assert found == []


def test_every_licence_is_permissive_or_looked_at() -> None:
    assert list(supply_chain().problems()) == []


def test_a_copyleft_licence_without_a_choice_is_noticed() -> None:
    module = supply_chain()
    assert module._only_copyleft("AGPL-3.0-only") and module._only_copyleft("GPL-2.0 AND MIT")
    assert not module._only_copyleft("MIT OR GPL-2.0-only") and not module._only_copyleft("Apache-2.0")


def test_the_list_knows_our_direct_dependencies() -> None:
    names = set(supply_chain().closure())
    assert {"chromadb", "gradio", "langchain", "torch", "sentence-transformers", "pypdfium2"} <= names


def report(*found: tuple[str, str, list[str]]) -> dict[str, object]:
    """As pip-audit writes it."""
    return {
        "dependencies": [
            {"name": name, "version": "1.0", "vulns": [{"id": one, "aliases": others, "fix_versions": ["1.1"]}]}
            for name, one, others in found
        ]
    }


def test_an_accepted_vulnerability_is_told_with_its_reason_and_any_other_is_new() -> None:
    module = supply_chain()
    (accepted, *_) = module.ACCEPTED
    some = min(accepted.ids)
    given = report(("chromadb", "X-1", [some]), ("chromadb", "X-2", []), ("gradio", some, []))
    new, known, checked = module.judge(given)
    assert [line.split(":")[0] for line in new] == ["chromadb 1.0 X-2", f"gradio 1.0 {some}"] and "1.1" in new[0]
    assert len(known) == 1 and accepted.reason in known[0] and checked


def test_a_report_in_which_every_package_was_skipped_is_no_check() -> None:
    skipped = {"dependencies": [{"name": "gradio", "skip_reason": "not found on PyPI"}]}
    assert supply_chain().judge(skipped) == ([], [], False)


def test_what_was_accepted_must_be_looked_at_again_from_its_day_on() -> None:
    module = supply_chain()
    (first, *_) = module.ACCEPTED
    assert module.overdue(first.expires - timedelta(days=1), (first,)) == []
    (line,) = module.overdue(first.expires, (first,))
    assert "chromadb" in line and str(first.expires) in line
    assert all(a.reason and date(2026, 11, 1) < a.expires <= date(2027, 6, 1) for a in module.ACCEPTED)


def test_the_bill_of_materials_names_what_is_installed_with_its_licences(tmp_path: Path) -> None:
    (line,) = [x.strip() for x in (ROOT / "Makefile").read_text().splitlines() if "cyclonedx-py environment" in x]
    tool = shutil.which("cyclonedx-py", path=str(Path(sys.executable).parent))
    assert tool is not None
    words = line.replace("$(BIN)/cyclonedx-py", tool).replace("$(BIN)/python", sys.executable).split()
    words[words.index("--output-file") + 1] = str(tmp_path / "sbom.json")
    subprocess.run(words, check=True, capture_output=True, cwd=ROOT, timeout=120)
    bill = json.loads((tmp_path / "sbom.json").read_text())
    parts = {c["name"]: c for c in bill["components"]}
    assert bill["bomFormat"] == "CycloneDX" and bill["metadata"]["component"]["name"] == "iskp-qa"
    assert parts["chromadb"]["licenses"] and parts["gradio"]["version"] and parts["torch"]["purl"]
    assert sum(1 for c in parts.values() if c.get("licenses")) > 0.9 * len(parts)
