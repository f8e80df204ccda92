"""How much of answering is written by hand: patterns, word lists and constants, and the size of modules and functions.

python -m eval.bench.house
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

APP = Path(__file__).parent.parent.parent / "app"
ROOMS = ("text", "question", "evidence", "answering", "differences", "support", "writing", "policy", "suggest")
LEAST_WORDS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Of one module.

    Attributes:
        patterns: regular expressions compiled at module level.
        lists: sets, tuples and tables of at least :data:`LEAST_WORDS` strings.
        words: strings in them; of a packed string, its words.
        constants: named numbers.
        longest: lines of the longest function.
    """

    module: str
    lines: int
    patterns: int
    lists: int
    words: int
    constants: int
    longest: int


def counted(file: Path) -> Counted:
    """The counts of a module, told from its syntax."""
    source = file.read_text(encoding="utf-8")
    tree = ast.parse(source)
    values = [n.value for n in tree.body if isinstance(n, ast.Assign | ast.AnnAssign) and n.value is not None]
    patterns = sum(_calls(n, "compile") for v in values for n in ast.walk(v))
    lists = [words for v in values if not any(_calls(n, "compile") for n in ast.walk(v)) and (words := _words(v)) >= LEAST_WORDS]
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    return Counted(
        module=str(file.relative_to(APP.parent)), lines=source.count("\n"), patterns=patterns, lists=len(lists), words=sum(lists),
        constants=sum(_numbers(v) for v in values), longest=max(((f.end_lineno or 0) - f.lineno + 1 for f in functions), default=0),
    )  # fmt: skip


def all_counted() -> Iterator[Counted]:
    """The modules of the rooms that answer."""
    for room in ROOMS:
        for file in sorted((APP / room).rglob("*.py")):
            yield counted(file)


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name


def _words(value: ast.AST) -> int:
    """Words in the strings of a set, tuple, table or packed text; 0 for literals that are types or single texts."""
    if isinstance(value, ast.Subscript) or (isinstance(value, ast.Constant) and " " not in str(value.value)):
        return 0
    if isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and len(str(value.value).split()) < 4 * LEAST_WORDS):
        return 0
    texts = [n.value for n in ast.walk(value) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return sum(len(t.split()) for t in texts)


def _numbers(value: ast.AST) -> int:
    parts = value.elts if isinstance(value, ast.Tuple) else [value]
    return sum(isinstance(p, ast.Constant) and isinstance(p.value, int | float) and not isinstance(p.value, bool) for p in parts)


def main() -> None:
    """Print the table."""
    rows = list(all_counted())
    print("| module | lines | patterns | lists (words) | constants | longest function |\n|---|---|---|---|---|---|")
    for r in rows:
        if r.patterns or r.lists or r.constants:
            print(f"| {r.module} | {r.lines} | {r.patterns} | {r.lists} ({r.words}) | {r.constants} | {r.longest} |")
    print(
        f"| **all {len(rows)}** | {sum(r.lines for r in rows)} | {sum(r.patterns for r in rows)} | {sum(r.lists for r in rows)} "
        f"({sum(r.words for r in rows)}) | {sum(r.constants for r in rows)} | {max(r.longest for r in rows)} |"
    )
    print(f"modules directly in app/: {len(list(APP.glob('*.py')))}")


if __name__ == "__main__":
    main()
