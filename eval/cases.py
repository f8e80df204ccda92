"""The exam: cases in JSONL files, checked when they are read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from eval.errors import EvalError
from ingest.dates import iso_date
from ingest.errors import IngestError

Split = Literal["dev", "test"]
Expect = Literal["answered", "abstained", "declined", "unclear"]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as exc:
        raise ValueError(f"{text!r} is not a regular expression: {exc}") from exc
    return text


def _date(text: str) -> str:
    try:
        return iso_date(text)
    except IngestError as exc:
        raise ValueError(str(exc)) from exc


Pattern = Annotated[str, Field(min_length=1), AfterValidator(_pattern)]
"""A regular expression, searched without regard to case in text that went through ``metrics.plain``."""
Date = Annotated[str, AfterValidator(_date)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Gold(_Strict):
    """A passage that answers.

    Attributes:
        source: id of the source.
        paragraph: body paragraph from 1; or
        locator: what else names the place, such as "caption" or "author note"; neither means anywhere
            in the source.
        quotes: the sentences in it that answer, where a data set marks them.
    """

    source: str = Field(min_length=1)
    paragraph: int | None = Field(default=None, ge=1)
    locator: str | None = None
    quotes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_place(self) -> Gold:
        if self.paragraph is not None and self.locator is not None:
            raise ValueError("give paragraph or locator, not both")
        return self

    @property
    def key(self) -> str:
        """Names the passage in rankings: ``article#8``, ``article#caption`` or ``article``."""
        place = self.locator if self.paragraph is None else self.paragraph
        return self.source if place is None else f"{self.source}#{place}"


class Turn(_Strict):
    """One message before the question."""

    role: Literal["user", "assistant"]
    content: str


class Planted(_Strict):
    """A source that is added for this case only, in Markdown."""

    id: str = Field(min_length=1)
    text: str = Field(min_length=1)
    title: str | None = None
    date: Date | None = None


class Case(_Strict):
    """A question and what a right answer to it is.

    Attributes:
        gold: passages that answer; all of them count as relevant for retrieval.
        facts: patterns that must all stand in the answer.
        forbidden: patterns of which none may stand in the answer.
        expect: the right status.
        also_accept: statuses that are right too; an answer must then hold the facts.
        differences: patterns of values that must all be shown, because the sources differ.
        standalone: for a question with history, the question as it would be asked without it.
        since: only sources dated on or after.
        until: only sources dated on or before.
        note: why the case is here; not used.
    """

    id: str = Field(pattern=r"^[\w.:-]+$")
    split: Split
    kind: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    question: str = Field(min_length=1)
    history: tuple[Turn, ...] = ()
    standalone: str | None = Field(default=None, min_length=1)
    gold: tuple[Gold, ...] = ()
    facts: tuple[Pattern, ...] = ()
    forbidden: tuple[Pattern, ...] = ()
    expect: Expect = "answered"
    also_accept: tuple[Expect, ...] = ()
    differences: tuple[Pattern, ...] = ()
    planted: Planted | None = None
    since: Date | None = None
    until: Date | None = None
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Case:
        may_answer = self.expect == "answered" or "answered" in self.also_accept
        if self.expect == "answered" and not (self.gold or self.facts or self.differences):
            raise ValueError("a case that expects an answer needs gold, facts or differences to score it by")
        if not may_answer and (self.facts or self.differences):
            raise ValueError(f"a case that expects {self.expect!r} can't have facts or differences")
        if self.standalone and not self.history:
            raise ValueError("standalone is for a question with history")
        if len(self.differences) == 1:
            raise ValueError("differences need at least two values")
        return self


def load_cases(file: Path) -> list[Case]:
    """The cases of a JSONL file, in its order. Blank lines are skipped.

    Raises:
        EvalError: the file or one of its lines can't be used; names file and line.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise EvalError(f"the cases file {file} cannot be read: {exc}") from exc
    return unique(parse(text, str(file)))


def bundled_cases() -> list[Case]:
    """The cases over the bundled sources, in order of file name and line; all of them are for tuning."""
    return unique(case for file in case_files() for case in parse(file.read_text(encoding="utf-8"), file.name))


def case_files() -> list[Traversable]:
    """The bundled files, one per kind."""
    folder = files("eval") / "cases"
    return sorted((f for f in folder.iterdir() if f.name.endswith(".jsonl")), key=lambda f: f.name)


def parse(text: str, name: str) -> Iterator[Case]:
    """Cases of JSONL text; ``name`` is used in messages.

    Raises:
        EvalError: a line is not a valid case.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield Case.model_validate(json.loads(line))
        except ValidationError as exc:
            first = exc.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the case"
            raise EvalError(f"{name}, line {number}: {where}: {first['msg']}") from exc
        except (ValueError, RecursionError) as exc:
            raise EvalError(f"{name}, line {number}: it is not JSON: {exc}") from exc


def unique(cases: Iterable[Case]) -> list[Case]:
    """The cases as a list.

    Raises:
        EvalError: two have the same id.
    """
    known: dict[str, Case] = {}
    for case in cases:
        if case.id in known:
            raise EvalError(f"two cases have the id {case.id!r}; ids must be unique")
        known[case.id] = case
    return list(known.values())


def sample(cases: Sequence[Case], *, split: str = "all", limit: int | None = None) -> list[Case]:
    """The cases of a split; with a limit, that many of them spread evenly over the list."""
    chosen = [c for c in cases if split in ("all", c.split)]
    if limit is None or limit >= len(chosen):
        return chosen
    return [chosen[i * len(chosen) // limit] for i in range(limit)]
