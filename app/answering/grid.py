"""A grid of questions and sources: in each cell the source's own best sentence, or that it says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from app.answer import Citation
from app.errors import BadInput
from ingest.source import Source

CellStatus = Literal["said", "nothing", "not read"]
MOST_QUESTIONS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What one source says on one question.

    Attributes:
        status: "not read" where the search model does not read the language of the source or of the question.
        citation: the sentence, verbatim, where it is "said".
    """

    question: str
    source_id: str
    status: CellStatus
    citation: Citation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Cells by source, in the order of the questions.

    Attributes:
        sources: the rows.
        rows: for each source its cells.
    """

    questions: tuple[str, ...]
    sources: tuple[Source, ...]
    rows: tuple[tuple[Cell, ...], ...]


def grid(
    questions: Sequence[str],
    sources: Sequence[Source],
    ask: Callable[[str, Sequence[str]], Iterable[Cell]],
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Grid:
    """Ask each source each question.

    Args:
        ask: gives a cell for each source id, see :meth:`app.answering.pipeline.Answerer.ask_each`.
        progress: told cells done and in all.

    Raises:
        BadInput: there is no question or no source, or too many questions.
    """
    asked = tuple(dict.fromkeys(q.strip() for q in questions if q.strip()))
    if not asked:
        raise BadInput("there is no question; give some, or a file with --questions, one a line")
    if len(asked) > MOST_QUESTIONS:
        raise BadInput(f"{len(asked)} questions are too many for one table; ask at most {MOST_QUESTIONS} at a time")
    if not sources:
        raise BadInput("there are no sources yet; add some: iskp ingest FILE_OR_FOLDER")
    columns: list[list[Cell]] = []
    total = len(asked) * len(sources)
    for n, question in enumerate(asked):
        columns.append([])
        for cell in ask(question, [s.id for s in sources]):
            columns[n].append(cell)
            progress(n * len(sources) + len(columns[n]), total)
    return Grid(questions=asked, sources=tuple(sources), rows=tuple(zip(*columns, strict=True)))
