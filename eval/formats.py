"""Data sets of sources and cases: our own collections and JSONL, SQuAD (1.1, 2.0, XQuAD), CLAP NQ."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from app.home import Home
from eval.cases import Case, Gold, load_cases, parse, unique
from eval.errors import EvalError
from eval.run import store
from ingest.blocks import Block, Extract, Metadata, assemble
from ingest.formats import markdown
from ingest.source import Source

Format = Literal["squad", "clapnq", "jsonl"]
FORMATS: tuple[Format, ...] = ("squad", "clapnq", "jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """Cases, and the sources that they are about; our own format brings none.

    Attributes:
        collection: name of a packaged collection, which is examined in a home of its own; empty for all else.
    """

    cases: tuple[Case, ...]
    sources: tuple[Source, ...] = ()
    collection: str = ""


def collection_names() -> list[str]:
    """The collections that ship with the product, in order."""
    return sorted(folder.name for folder in _collections().iterdir() if folder.is_dir())


def collection(name: str) -> DataSet:
    """A packaged collection: its cases, and its texts under the ids ``NAME/FILE``.

    Raises:
        EvalError: there is no such collection.
    """
    if name not in collection_names():
        raise EvalError(f"there is no collection {name!r}; use {', '.join(collection_names())} or all")
    folder = _collections() / name
    texts = sorted((f for f in folder.iterdir() if f.name.endswith(".md")), key=lambda f: f.name)
    cases = unique(parse((folder / "cases.jsonl").read_text(encoding="utf-8"), f"{name}/cases.jsonl"))
    sources = (
        assemble(f"{name}/{f.name.removesuffix('.md')}", markdown.read(f.read_text(encoding="utf-8"))) for f in texts
    )
    return DataSet(cases=tuple(cases), sources=tuple(sources), collection=name)


def _collections() -> Traversable:
    return files("eval") / "collections"


def read_data_set(form: Format, data_files: Sequence[Path]) -> DataSet:
    """Files of one format as one data set.

    Raises:
        EvalError: a file is not of that format.
    """
    if form == "jsonl":
        return DataSet(cases=tuple(unique(c for f in data_files for c in load_cases(f))))
    read: Callable[[str], DataSet] = {"squad": squad, "clapnq": clapnq}[form]
    sets = []
    for file in data_files:
        try:
            sets.append(read(file.read_text(encoding="utf-8")))
        except OSError as exc:
            raise EvalError(f"{file} cannot be read: {exc}") from exc
        except (KeyError, TypeError, IndexError, AttributeError, ValueError, RecursionError) as exc:
            raise EvalError(f"{file} is not of the format {form!r}: {type(exc).__name__}: {exc}") from exc
    sources = {s.id: s for part in sets for s in part.sources}
    return DataSet(cases=tuple(unique(c for part in sets for c in part.cases)), sources=tuple(sources.values()))


def squad(text: str) -> DataSet:
    """SQuAD 1.1 and 2.0 JSON (Rajpurkar et al., 2016 and 2018): one source per article, one paragraph per context.

    A question with ``is_impossible`` expects abstention; the plausible answers then are forbidden. Any of
    the answers given counts.
    """
    cases, sources = [], []
    for number, article in enumerate(json.loads(text)["data"], start=1):
        title = str(article.get("title") or f"article {number}").replace("_", " ")
        contexts = [p["context"] for p in article["paragraphs"]]
        digest = sha256("\n".join(contexts).encode()).hexdigest()[:8]
        source_id = f"squad/{_slug(title)}-{digest}"
        sources.append(_source(source_id, title, contexts))
        for index, paragraph in enumerate(article["paragraphs"], start=1):
            cases += [_squad_case(qa, source_id, index) for qa in paragraph["qas"]]
    return DataSet(cases=tuple(cases), sources=tuple(sources))


def _squad_case(qa: Mapping[str, Any], source_id: str, paragraph: int) -> Case:
    answers = list(dict.fromkeys(a["text"] for a in qa.get("answers") or () if a["text"].strip()))
    impossible = bool(qa.get("is_impossible")) or not answers
    return Case(
        id=_case_id(str(qa["id"])),
        split="test",
        kind="unanswerable" if impossible else "answerable",
        question=qa["question"].strip(),
        expect="abstained" if impossible else "answered",
        gold=() if impossible else (Gold(source=source_id, paragraph=paragraph),),
        facts=() if impossible else (_any_of(answers),),
    )


def clapnq(text: str) -> DataSet:
    """CLAP NQ JSONL (Rosenthal et al., 2025), answerable and unanswerable: one source per passage.

    Its answers are written freely, so the sentences that annotators selected are the gold.
    """
    cases, sources = [], {}
    for line in filter(str.strip, text.split("\n")):
        item = json.loads(line)
        gold = []
        selected = [s for o in item["output"] for s in o.get("selected_sentences") or () if s.strip()]
        for passage in item["passages"]:
            body = passage["text"]
            source_id = f"clapnq/{_slug(passage['title'])}-{sha256(body.encode()).hexdigest()[:8]}"
            sources[source_id] = _source(source_id, passage["title"], [body])
            gold.append(Gold(source=source_id, quotes=tuple(dict.fromkeys(selected))))
        answered = any(str(o.get("answer") or "").strip() for o in item["output"]) and bool(selected)
        cases.append(
            Case(
                id=_case_id(str(item["id"])),
                split="test",
                kind="answerable" if answered else "unanswerable",
                question=item["input"].strip(),
                expect="answered" if answered else "abstained",
                gold=tuple(gold) if answered else (),
            )
        )
    return DataSet(cases=tuple(cases), sources=tuple(sources.values()))


def fill(home: Home, sources: Iterable[Source]) -> int:
    """Put a data set's sources into a home without the bundled corpus; returns how many are new or changed.

    Raises:
        AppError: the home holds the bundled corpus.
    """
    wanted = list(sources)
    if not wanted:
        return 0
    home.init(empty=True)
    known = home.library.fingerprints()
    changed = [s for s in wanted if known.get(s.id) != s.fingerprint]
    with home.library.transaction():
        for source in changed:
            store(home, source)
    return len(changed)


def _source(source_id: str, title: str, contexts: Sequence[str]) -> Source:
    blocks = tuple(Block(text=c, number=i) for i, c in enumerate(contexts, start=1))
    return assemble(source_id, Extract(blocks=blocks, metadata=Metadata(title=title)), fallback_title=title)


def _any_of(answers: Sequence[str]) -> str:
    """A pattern for any of the answers as whole words; an answer that ends in a sign has no word end to ask for."""
    from eval.metrics import plain

    parts = []
    for text in map(plain, answers):
        before = r"(?<!\w)" if re.match(r"\w", text) else ""
        after = r"(?!\w)" if re.search(r"\w$", text) else ""
        parts.append(f"{before}{re.escape(text)}{after}")
    return "|".join(parts)


def _slug(text: str) -> str:
    return re.sub(r"[^\w]+", "-", text.lower()).strip("-")[:60] or "untitled"


def _case_id(text: str) -> str:
    return re.sub(r"[^\w.:-]", "-", text)
