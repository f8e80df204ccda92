"""What each hand-made rule is worth: right answers with it and without it, on collections that it was not made on.

A rule is a pattern or a word list at module level in the rooms that answer. Each is taken out by itself, and the questions
in whose answering it fired are asked again. python -m eval.bench.worth --data DIR --work DIR [--rooms question,…]
With ``--together`` those that were worth nothing alone are taken out all at once.

Sets: ``own`` and ``analyst`` are those that rules were made on; ``clapnq``, ``mtragun`` and ``ramdocs`` are not.
"""

from __future__ import annotations

import argparse
import ast
import functools
import gc
import importlib
import json
import pkgutil
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import app
from app.home import Home
from eval.bench.house import ROOMS
from eval.bench.items import Item, answered, asked, gathered, remembering

_MOST = 40
"""Questions of one set that are asked again without a rule; the first ones, in a fixed shuffled order."""
_MOST_UNWATCHED = 12
"""The same for a rule of which it is not known where it fires."""
_NEVER = re.compile(r"(?!)")
_PARSE = "app.text.parse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A named pattern or word list.

    Attributes:
        kind: "pattern", "words" or "patterns" (several under one name).
    """

    module: str
    name: str
    kind: str
    value: Any

    @property
    def id(self) -> str:
        """Where it stands: ``question.target:_PLACE``."""
        return f"{self.module.removeprefix('app.')}:{self.name}"

    def without(self) -> Any:
        """What stands in its place when it is taken out."""
        return _NEVER if self.kind == "pattern" else type(self.value)()


def rules(rooms: Sequence[str] = ROOMS) -> list[Rule]:
    """All rules of the rooms, each where it is defined."""
    return [rule for module in _modules(rooms) for rule in _of(module)]


def _modules(rooms: Sequence[str]) -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(app.__path__, "app."):
        if info.name.split(".")[1] in rooms and not info.ispkg:
            yield importlib.import_module(info.name)


def _of(module: ModuleType) -> Iterator[Rule]:
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and (kind := _kind(value := vars(module).get(target.id))):
                yield Rule(module=module.__name__, name=target.id, kind=kind, value=value)


def _kind(value: Any) -> str:
    if isinstance(value, re.Pattern):
        return "pattern"
    if type(value) not in (frozenset, set, tuple, list, dict) or not value:
        return ""
    parts = list(value.values() if isinstance(value, dict) else value)
    if any(isinstance(p, re.Pattern) for p in parts) or any(isinstance(q, re.Pattern) for p in parts if isinstance(p, tuple) for q in p):
        return "patterns"
    keys = list(value)
    return "words" if len(keys) >= 3 and all(isinstance(k, str) for k in keys) else ""


class _Watched:
    """A pattern that notes when it matches."""

    def __init__(self, pattern: re.Pattern[str], fired: Callable[[], None]) -> None:
        self._pattern, self._fired = pattern, fired

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._pattern, name)
        if name not in {"search", "match", "fullmatch", "finditer", "findall", "split", "sub", "subn"}:
            return value

        def called(*given: Any, **named: Any) -> Any:
            text = next((g for g in given if isinstance(g, str)), "") if name not in {"sub", "subn"} else given[1]
            result = value(*given, **named)
            if result if name in {"match", "fullmatch", "search"} else self._pattern.search(text):
                self._fired()
            return result

        return called


class _WatchedWords(frozenset):  # type: ignore[type-arg]
    """A word set that notes when it holds what it is asked for."""

    fired: Callable[[], None]

    def _noted(self, result: Any) -> Any:
        if result:
            self.fired()
        return result

    def __contains__(self, word: object) -> bool:
        return bool(self._noted(super().__contains__(word)))

    def __and__(self, other: Any) -> Any:
        return self._noted(super().__and__(other))

    def __rand__(self, other: Any) -> Any:
        return self._noted(other & frozenset(self))

    def intersection(self, *others: Any) -> Any:
        return self._noted(super().intersection(*others))

    def isdisjoint(self, other: Any) -> bool:
        result = super().isdisjoint(other)
        self._noted(not result)
        return result

    def __sub__(self, other: Any) -> Any:
        self.fired()
        return super().__sub__(other)

    def __rsub__(self, other: Any) -> Any:
        self.fired()
        return other - frozenset(self)

    def __iter__(self) -> Any:
        self.fired()
        return super().__iter__()


@contextmanager
def put(changes: Sequence[tuple[Rule, Any]]) -> Iterator[None]:
    """Other values in the place of rules, in every module that imported them."""
    modules = [m for n, m in list(sys.modules.items()) if n.split(".")[0] in {"app", "index", "ingest"} and m]
    undo: list[tuple[ModuleType, str, Any]] = []
    wanted = {id(rule.value): value for rule, value in changes}
    for module in modules:
        for name, value in list(vars(module).items()):
            if id(value) in wanted:
                undo.append((module, name, value))
                setattr(module, name, wanted[id(value)])
    forget(parses=any(rule.module == _PARSE for rule, _ in changes) and len(changes) == 1)
    try:
        yield
    finally:
        for module, name, value in undo:
            setattr(module, name, value)
        forget(parses=any(rule.module == _PARSE for rule, _ in changes))


_CACHES: list[Any] = []


def forget(*, parses: bool) -> None:
    """Empty every cache of a function in the rooms that answer; that of parses only where asked for."""
    if not _CACHES:
        _CACHES.extend(
            o for o in gc.get_objects()
            if isinstance(o, functools._lru_cache_wrapper) and str(getattr(o, "__module__", "")).startswith("app.")
            and not str(getattr(o, "__module__", "")).startswith(("app.policy", "app.question.tasks", "app.question.forms", "app.rendering"))
        )  # fmt: skip
    for cache in _CACHES:
        if parses or cache.__module__ != _PARSE:
            cache.cache_clear()


def study(items: Sequence[Item], homes: Mapping[str, Home], wanted: Sequence[Rule], out: Path, tell: Callable[[str], None]) -> None:
    """Ask all with every rule watched, then again without each; a JSON line a rule is added to ``out``."""
    base_file = out.with_suffix(".base.json")
    every = rules()
    if base_file.exists():
        stored = json.loads(base_file.read_text(encoding="utf-8"))
        base, fired = stored["base"], {k: set(v) for k, v in stored["fired"].items()}
    else:
        base, fired = watched(items, homes, every, tell)
        base_file.write_text(json.dumps({"base": base, "fired": {k: sorted(v) for k, v in fired.items()}}), encoding="utf-8")
    done = {json.loads(line)["rule"] for line in out.read_text(encoding="utf-8").splitlines()} if out.exists() else set()
    with out.open("a", encoding="utf-8") as file:
        for number, rule in enumerate(wanted, 1):
            if rule.id in done:
                continue
            row = _without(rule, items, homes, base, fired.get(rule.id))
            file.write(json.dumps({"rule": rule.id, "kind": rule.kind, **row}) + "\n")
            file.flush()
            tell(f"{number}/{len(wanted)} {rule.id}: {json.dumps(row)}")


def watched(
    items: Sequence[Item], homes: Mapping[str, Home], every: Sequence[Rule], tell: Callable[[str], None]
) -> tuple[dict[str, float], dict[str, set[str]]]:
    """How right each item is, and for each rule that can be watched the items in which it fired."""
    current = [""]
    fired: dict[str, set[str]] = {}
    changes: list[tuple[Rule, Any]] = []
    for rule in every:
        if rule.kind == "pattern" or isinstance(rule.value, frozenset):
            seen = fired.setdefault(rule.id, set())

            def note(seen: set[str] = seen) -> None:
                seen.add(current[0])

            if rule.kind == "pattern":
                changes.append((rule, _Watched(rule.value, note)))
            else:
                words = _WatchedWords(rule.value)
                words.fired = note
                changes.append((rule, words))
    base = {}
    with put(changes):
        for number, item in enumerate(items, 1):
            forget(parses=False)
            current[0] = f"{item.set}/{item.id}"
            base[current[0]] = asked(item, homes[item.home])
            if number % 50 == 0:
                tell(f"asked {number} of {len(items)}")
    return base, fired


def _without(
    rule: Rule, items: Sequence[Item], homes: Mapping[str, Home], base: Mapping[str, float], where: set[str] | None
) -> dict[str, Any]:
    """Per set: items asked, items changed and the sum of what the rule adds; "needed" where the program fails without it."""
    row: dict[str, Any] = {}
    taken: dict[str, int] = defaultdict(int)
    with put([(rule, rule.without())]):
        for item in items:
            name = f"{item.set}/{item.id}"
            if (where is not None and name not in where) or taken[item.set] >= (_MOST_UNWATCHED if where is None else _MOST):
                continue
            taken[item.set] += 1
            try:
                now = asked(item, homes[item.home])
            except Exception as error:  # a rule that the program cannot do without is no rule but a part
                return {"needed": type(error).__name__}
            n, changed, gain = row.get(item.set, (0, 0, 0.0))
            row[item.set] = (n + 1, changed + (now != base[name]), round(gain + base[name] - now, 3))
    if where is not None:
        row["fired"] = {s: sum(w.startswith(f"{s}/") for w in where) for s in sorted({w.split("/")[0] for w in where})}
    return row


def worthless(out: Path) -> list[str]:
    """Rules of a study without which no answer came out otherwise."""
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    return [r["rule"] for r in rows if "needed" not in r and not any(v[1] for v in r.values() if isinstance(v, list))]


def together(items: Sequence[Item], homes: Mapping[str, Home], taken: Sequence[Rule], tell: Callable[[str], None]) -> None:
    """Ask every item with the rules and without all of them; tell each that comes out otherwise, and the sums of each set."""
    before = {f"{i.set}/{i.id}": answered(i, homes[i.home]) for i in items}
    with put([(rule, rule.without()) for rule in taken]):
        after = {f"{i.set}/{i.id}": answered(i, homes[i.home]) for i in items}
    for name in sorted({i.set for i in items}):
        own = [k for k in before if k.startswith(f"{name}/")]
        for key in (k for k in own if before[k] != after[k]):
            tell(f"{key}: right {before[key][0]:.2f} -> {after[key][0]:.2f}, differences {before[key][1]} -> {after[key][1]}")
        sums = [(sum(told[k][0] for k in own), sum(told[k][1] for k in own)) for told in (before, after)]
        tell(f"{name} ({len(own)}): right {sums[0][0]:.1f} -> {sums[1][0]:.1f}, differences {sums[0][1]} -> {sums[1][1]}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run the study; it goes on where it stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with clapnq, mtragun, ramdocs and analyst")
    parser.add_argument("--work", type=Path, required=True, help="where homes and results are kept")
    parser.add_argument("--article", type=Path, default=Path("no-article"), help="the article as text, for the cases over it")
    parser.add_argument("--rooms", default=",".join(ROOMS))
    parser.add_argument("--together", action="store_true", help="take out at once what a study in --work found to be worth nothing")
    given = parser.parse_args(argv)
    given.work.mkdir(parents=True, exist_ok=True)
    remembering()
    items, homes = gathered(given.data, given.work, given.article)
    items.sort(key=lambda i: zlib.crc32(i.id.encode()))
    if given.together:
        names = set(worthless(given.work / "worth.jsonl"))
        together(items, homes, [r for r in rules(given.rooms.split(",")) if r.id in names], lambda text: print(text, flush=True))
        return
    study(items, homes, rules(given.rooms.split(",")), given.work / "worth.jsonl", lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
