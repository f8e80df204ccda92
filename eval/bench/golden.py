"""The golden net: all answers to fixed questions as JSON, and what changed between two such dumps.

A move of code must change nothing; a change of behaviour is looked at answer by answer.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from app.answer import Answer, to_json
from app.home import Home
from app.question.followup import Turn
from eval.bench.items import kept_home, write_source
from eval.cases import bundled_cases

_VARYING = ("timings_ms", "index_id", "prompt_id", "fetched_at")
"""Fields that differ from run to run, or with every index, without a change of the answer."""
_OF_EACH = 150
"""Questions of each public set."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, with the conversation before it.

    Attributes:
        id: unique within a dump: the set's name, a slash, the question's own id.
    """

    id: str
    question: str
    history: tuple[Turn, ...] = ()


def dump(out: Path, *, article: Path | None, questions: Path | None, public: Path | None, tell: Tell) -> int:
    """Answer everything and write one JSON line an answer; how many.

    Args:
        article: the original article as a text file, with ``questions`` about it (``{"question"}`` a line).
        public: folder that holds ``clapnq`` and ``xquad``.
    """
    with out.open("w", encoding="utf-8") as file:
        lines = 0
        for row in _answers(article, questions, public, tell):
            file.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
            lines += 1
    return lines


def _answers(article: Path | None, questions: Path | None, public: Path | None, tell: Tell) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="iskp-golden-", ignore_cleanup_errors=True) as made:
        with closing(kept_home(Path(made) / "bundled", None)) as home:
            cases = [
                Asked(
                    id=f"cases/{c.id}", question=c.question,
                    history=tuple(Turn(role=t.role, content=t.content) for t in c.history),
                )
                for c in bundled_cases() if not c.planted
            ]  # fmt: skip
            yield from _ask(home, cases, tell)
        if article and questions:
            asked = [json.loads(line)["question"] for line in questions.read_text(encoding="utf-8").splitlines()]
            with closing(kept_home(Path(made) / "article", [article])) as home:
                yield from _ask(home, [Asked(id=f"article/{i}", question=q) for i, q in enumerate(asked)], tell)
        for name, read in (("clapnq", _clapnq), ("xquad", _xquad)) if public else ():
            folder = Path(made) / name
            (folder / "texts").mkdir(parents=True)
            assert public is not None
            of_set = read(public / name, folder / "texts")
            with closing(kept_home(folder / "home", [folder / "texts"])) as home:
                yield from _ask(home, of_set, tell)


def _ask(home: Home, asked: Sequence[Asked], tell: Tell) -> Iterator[dict[str, Any]]:
    for done, question in enumerate(asked, 1):
        if done % 50 == 0 or done == len(asked):
            tell(f"{question.id.split('/')[0]}: {done} of {len(asked)}")
        answer = home.answerer.answer(question.question, question.history)
        yield {"id": question.id, "answer": _plain(to_json(answer))}


def _plain(value: Any) -> Any:
    """JSON data without what varies."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items() if key not in _VARYING}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


def _clapnq(data: Path, texts: Path) -> list[Asked]:
    asked = []
    for name in ("answerable", "unanswerable"):
        rows = [json.loads(line) for line in (data / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for row in rows[: _OF_EACH // 2]:
            passage = row["passages"][0]
            write_source(texts / f"{row['id']}.md", passage["title"], " ".join(passage["sentences"]))
            asked.append(Asked(id=f"clapnq/{row['id']}", question=row["input"]))
    return asked


def _xquad(data: Path, texts: Path) -> list[Asked]:
    articles = json.loads((data / "xquad.en.json").read_text(encoding="utf-8"))["data"]
    asked = []
    for number, article in enumerate(articles):
        # Every second paragraph stays out, so that half of the questions have no answer here.
        kept = [p["context"] for p in article["paragraphs"][::2]]
        write_source(texts / f"{number:02d}.md", article["title"].replace("_", " "), "\n\n".join(kept))
        asked += [Asked(id=f"xquad/{q['id']}", question=q["question"]) for p in article["paragraphs"] for q in p["qas"]]
    step = max(1, len(asked) // _OF_EACH)
    return asked[::step][:_OF_EACH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One answer that is not what it was.

    Attributes:
        fields: names of the fields of the answer that differ; empty where a dump lacks the question.
    """

    id: str
    fields: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def compare(before: Path, after: Path) -> list[Change]:
    """What differs between two dumps, by id; a field that a dump lacks counts as empty or as its default."""
    old, new = _read(before), _read(after)
    changes = []
    for id_ in sorted(old.keys() | new.keys()):
        a, b = old.get(id_), new.get(id_)
        if a is None or b is None:
            changes.append(Change(id=id_, fields=(), before=a, after=b))
            continue
        differing = tuple(k for k in sorted(a.keys() | b.keys()) if _value(a, k) != _value(b, k))
        if differing:
            changes.append(Change(id=id_, fields=differing, before=a, after=b))
    return changes


_DEFAULTS = {f.name: f.default for f in fields(Answer) if f.default is not MISSING}


def _value(answer: Mapping[str, Any], field: str) -> Any:
    return answer.get(field, _DEFAULTS.get(field)) or None


def _read(file: Path) -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return {row["id"]: row["answer"] for row in rows}


def as_text(changes: Sequence[Change], of: int) -> str:
    """A line a change: what differs, and the answer before and after."""
    lines = [f"{len(changes)} of {of} answers differ"]
    for c in changes:
        lines.append(f"{c.id}: {', '.join(c.fields) or ('gone' if c.after is None else 'new')}")
        if c.before is not None and c.after is not None and {"status", "answer"} & set(c.fields):
            lines += [f"  - {_short(c.before)}", f"  + {_short(c.after)}"]
    return "\n".join(lines)


def _short(answer: Mapping[str, Any], chars: int = 300) -> str:
    text = " ".join(str(answer.get("answer", "")).split())
    return f"{answer.get('status')} {float(answer.get('confidence', 0)):.2f} {text[:chars]}"
