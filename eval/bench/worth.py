"""What each hand-made rule is worth: right answers with it and without it, on collections that it was not made on.

A rule is a pattern or a word list at module level in the rooms that answer. Each is taken out by itself, and the questions
in whose answering it fired are asked again. python -m eval.bench.worth --data DIR --work DIR [--rooms question,…]

Sets: ``own`` and ``analyst`` are those that rules were made on; ``clapnq``, ``mtragun`` and ``ramdocs`` are not.
"""

from __future__ import annotations

import argparse
import ast
import functools
import gc
import importlib
import importlib.util
import json
import pkgutil
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import app
from app.answer import to_json
from app.evidence.model_reader import ModelReader
from app.home import Home
from app.question.followup import Turn
from eval.bench.house import ROOMS
from eval.cases import bundled_cases
from eval.metrics import correct
from eval.run import HomeEngine, run_case

OTHERS = ("clapnq", "mtragun", "ramdocs")
"""Sets that no rule was made on."""
_MOST = 40
"""Questions of one set that are asked again without a rule; the first ones, in a fixed shuffled order."""
_NEVER = re.compile(r"(?!)")
_PARSE = "app.text.parse"
Worth = Mapping[str, tuple[int, float, int]]


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
        return self._noted(super().__rand__(other))

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
        return super().__rsub__(other)

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


@dataclass(slots=True, kw_only=True)
class Item:
    """Something to ask, with what tells how right an answer is.

    Attributes:
        right: from answers (JSON), one a turn, to 0 to 1.
        own: asks by itself and scores; in place of ``turns``.
    """

    set: str
    id: str
    home: str
    turns: Sequence[str] = ()
    history: Sequence[Turn] = ()
    right: Callable[[list[dict[str, Any]]], float] = field(default=lambda _: 0.0)
    own: Callable[[Home], float] | None = None


def asked(item: Item, home: Home) -> float:
    """How right the answer is, 0 to 1."""
    if item.own:
        return item.own(home)
    history, answers = list(item.history), []
    for turn in item.turns:
        answer = to_json(home.answerer.answer(turn, history))
        answers.append(answer)
        history += [Turn(role="user", content=turn), Turn(role="assistant", content=answer.get("answer") or "")]
    return item.right(answers)


# ---------------------------------------------------------------- sets


def _lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def _fold(text: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def _alike(one: str, other: str) -> bool:
    a, b = set(_fold(one).split()), set(_fold(other).split())
    return len(a & b) / max(1, min(len(a), len(b))) >= 0.8


def clapnq(data: Path, texts: Path) -> Iterator[Item]:
    """First sentence right where there is an answer, no answer where there is none."""
    for name in ("answerable", "unanswerable"):
        for row in _lines(data / "clapnq" / f"{name}.jsonl"):
            passage = row["passages"][0]
            _write(texts / f"{row['id']}.md", passage["title"], " ".join(passage["sentences"]))
            gold = row["output"][0].get("selected_sentences") or [] if name == "answerable" else []
            if name == "answerable" and not gold:
                continue

            def right(answers: list[dict[str, Any]], gold: list[str] = gold) -> float:
                answer = answers[-1]
                quotes = [c["quote"] for c in answer["citations"]] if answer["status"] == "answered" else []
                return float(any(_alike(quotes[0], g) for g in gold) if gold and quotes else bool(gold) == bool(quotes))

            yield Item(set="clapnq", id=row["id"], home="clapnq", turns=(row["input"],), right=right)


def mtragun(data: Path, texts: Path) -> Iterator[Item]:
    """A relevant passage cited where there is an answer; left open or asked back where not."""
    rows = _lines(data / "mtragun" / "reference.jsonl")
    for document in {c["document_id"]: c for r in rows for c in r["contexts"]}.values():
        name = _name(document["document_id"])
        _write(texts / f"{name}.md", document.get("title") or name, document["text"].strip())
    for number, row in enumerate(rows):
        kind = row["answerability"][0]
        ids = {_name(c["document_id"]).lower() for c in row["contexts"]}

        def right(answers: list[dict[str, Any]], kind: str = kind, ids: set[str] = ids) -> float:
            answer = answers[-1]
            if kind in ("ANSWERABLE", "PARTIAL"):
                cited = [c["source_id"].lower() for c in answer["citations"]] if answer["status"] == "answered" else []
                return float(any(i in c for i in ids for c in cited))
            return float(answer["status"] in ("abstained", "unclear"))

        history = [Turn(role="user" if t["speaker"] == "user" else "assistant", content=t["text"]) for t in row["input"][:-1]]
        yield Item(set="mtragun", id=str(number), home="mtragun", turns=(row["input"][-1]["text"],), history=history, right=right)


def ramdocs(data: Path, texts: Path) -> Iterator[Item]:
    """Share of the right values that are shown; nothing where only a wrong one is."""
    for number, row in enumerate(_lines(data / "ramdocs" / "test.jsonl")):
        for place, document in enumerate(row["documents"]):
            (texts / f"q{number}-d{place}.txt").write_text(document["text"].strip() + "\n", encoding="utf-8")

        def right(answers: list[dict[str, Any]], row: Any = row) -> float:
            answer = answers[-1]
            if answer["status"] != "answered":
                return 0.0
            told = _fold(" ".join([answer.get("short_answer") or "", answer["answer"], json.dumps(answer.get("differences") or [])]))
            hits = [_fold(g) in told for g in row["gold_answers"] if _fold(g)]
            wrong = any(_fold(w) in told for w in row["wrong_answers"] if _fold(w))
            return sum(hits) / max(1, len(hits)) if any(hits) else -1.0 if wrong else 0.0

        yield Item(set="ramdocs", id=str(number), home="ramdocs", turns=(row["question"],), right=right)


def analyst(data: Path, article: Path) -> Iterator[Item]:
    """The share of turns that pass the scorer that lies beside the cases."""
    spec = importlib.util.spec_from_file_location("analyst_score", data / "analyst" / "score.py")
    assert spec and spec.loader
    scorer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(scorer)
    for case in scorer.load(data / "analyst" / "cases.yaml"):
        if case["home"] == "article" and not article.exists():
            continue
        turns = tuple(t["q"] for t in scorer.turns(case))

        def right(answers: list[dict[str, Any]], case: Any = case) -> float:
            return float(scorer.score([case], {case["id"]: answers})[0]["pass"])

        yield Item(set="analyst", id=case["id"], home=case["home"], turns=turns, right=right)


def own() -> Iterator[Item]:
    """The dev cases over the bundled sources."""
    for case in bundled_cases():
        if case.planted or case.split != "dev":
            continue

        def right(home: Home, case: Any = case) -> float:
            return float(bool(correct(run_case(case, HomeEngine(home, home.answerer)))))

        yield Item(set="own", id=case.id, home="bundled", own=right)


def _name(document: str) -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", document)


def _write(file: Path, title: str, text: str) -> None:
    file.write_text(f"---\ntitle: {json.dumps(title)}\n---\n\n{text}\n", encoding="utf-8")


# ---------------------------------------------------------------- study


def gathered(data: Path, work: Path, article: Path) -> tuple[list[Item], dict[str, Home]]:
    """All items and the homes that they are asked in; homes lie in ``work`` and are kept."""
    items: list[Item] = [*own(), *analyst(data, article)]
    homes: dict[str, Home] = {}
    for name, read in (("clapnq", clapnq), ("mtragun", mtragun), ("ramdocs", ramdocs)):
        texts = work / f"{name}-texts"
        texts.mkdir(parents=True, exist_ok=True)
        items += read(data, texts)
        homes[name] = _home(work / name, [texts])
    homes["bundled"] = _home(work / "bundled", None)
    if article.exists():
        homes["article"] = _home(work / "article", [article])
    return items, homes


def _home(folder: Path, paths: Sequence[Path] | None) -> Home:
    made = not folder.exists()
    home = Home(folder)
    if made:
        if paths is None:
            list(home.update_sources())
        else:
            home.init(empty=True)
            list(home.add(list(paths), {}))
    home.sync()
    return home


def remembering() -> None:
    """Let the reader keep its readings: they depend on texts alone, not on a rule."""
    for name in ("score", "check"):
        setattr(ModelReader, name, _kept(getattr(ModelReader, name)))


def _kept(read: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    kept: dict[Any, Any] = {}

    def reading(self: ModelReader, text: str, passages: Sequence[Any]) -> list[Any]:
        new = [p for p in dict.fromkeys(passages) if (text, p) not in kept]
        if new:
            kept.update(zip(((text, p) for p in new), read(self, text, new), strict=True))
        return [kept[text, p] for p in passages]

    return reading


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
    changes = []
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
            if (where is not None and name not in where) or taken[item.set] >= _MOST:
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


def main(argv: Sequence[str] | None = None) -> None:
    """Run the study; it goes on where it stopped."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with clapnq, mtragun, ramdocs and analyst")
    parser.add_argument("--work", type=Path, required=True, help="where homes and results are kept")
    parser.add_argument("--article", type=Path, default=Path("no-article"), help="the article as text, for the cases over it")
    parser.add_argument("--rooms", default=",".join(ROOMS))
    given = parser.parse_args(argv)
    given.work.mkdir(parents=True, exist_ok=True)
    remembering()
    items, homes = gathered(given.data, given.work, given.article)
    items.sort(key=lambda i: zlib.crc32(i.id.encode()))
    study(items, homes, rules(given.rooms.split(",")), given.work / "worth.jsonl", lambda text: print(text, flush=True))


if __name__ == "__main__":
    main()
