"""What the product returns: an answer with citations that point at exact words. No HTML, no models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from app.errors import BadInput
from ingest.chunk import Passage
from ingest.grade import Grade
from ingest.source import Source

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Status = Literal["answered", "abstained", "declined", "unclear"]
Words = Literal["original", "summary"]
TaskKind = Literal["point", "talk", "catalogue"]
STAGES = ("understand", "retrieve", "read", "generate", "verify", "total")
MARKER = re.compile(r"\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """Another source that prints the same words."""

    source_id: str
    title: str
    publisher: str | None
    date: str | None
    url: str | None
    locator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A quote with where it stands and who published it.

    ``quote`` equals the source's canonical text between ``start`` and ``end``.

    Attributes:
        marker: the number in the answer's text; 0 for passages that are only offered to look at.
        paragraph: body paragraph counted from 1; None outside the body.
        support: how well the quote answers the question (or carries the claim), in [0, 1].
        also_in: other outlets that print the passage.
        words: whose words the quote is made of: the publication's, or ours about it (a summary is never shown
            in quotation marks). It follows from the origin, also for answers that were stored without it.
        grade: what a curator thought of the source when the answer was made; None where nobody graded it.
        recognised: least confidence in [0, 1] of the OCR that read the quoted paragraphs from a picture; None for other text.
    """

    marker: int
    passage_id: str
    source_id: str
    title: str
    publisher: str | None
    author: str | None
    date: str | None
    date_note: str | None
    url: str | None
    genre: str
    origin: str
    fetched_at: str | None
    locator: str
    paragraph: int | None
    quote: str
    start: int
    end: int
    support: float
    claim_status: str | None
    claimed_by: str | None
    via: str | None = None
    also_in: tuple[Outlet, ...] = ()
    grade: Grade | None = None
    recognised: float | None = None
    words: Words = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", words_of(self.origin))


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One figure among those that differ.

    Attributes:
        date: ISO date that it is as of.
        of_event: the date is that of the event itself; a later one does not make the figure a newer one.
    """

    value: str
    unit: str
    date: str | None
    marker: int
    of_event: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A thing for which the sources give different figures."""

    about: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of days, both ends included, as ISO dates; None for an open end."""

    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which sources a question was asked of: ids, genres and dates of the filters; all empty for the whole collection."""

    sources: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """How a turn was understood.

    Attributes:
        task: "other" for a search of the sources, else the kind of talk or of question about the sources.
        shape: the form of answer that is wanted.
        turning: what is wanted done with the answer before; "new" for a question of its own.
        names: names of the standalone question.
        period: the time asked for; None when none is named.
    """

    task: str
    shape: str
    turning: str
    names: tuple[str, ...]
    period: Span | None
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One item of a list, one event of a timeline, one side of a comparison, or one sentence of a verdict.

    Attributes:
        label: the item, the date or the side; of a verdict who says it in the sentence, else empty.
        cells: its sentences, without markers; empty where the sources say nothing of it.
        markers: the citation of each cell, in their order.
    """

    label: str
    cells: tuple[str, ...]
    markers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of a question; see DESIGN §4 for the JSON.

    Attributes:
        answer: text with ``[1]`` markers; every marker has a citation.
        short_answer: the shortest span that answers, where there is one.
        missing_terms: topic words of the question that no source mentions.
        nearest: passages to look at instead, best first, when abstained.
        confidence: calibrated probability in [0, 1] that the evidence answers the question.
        unsupported: sentences of a language model that the cited words did not carry.
        reasons: why the engine decided as it did, in words.
        notice: what a reader should know of how the answer came about, such as a language model that failed.
        unsearched: why the question was not looked up at all, in words; empty when it was searched.
        usage: calls of a language model and its tokens in and out; empty without one.
        options: complete questions to ask instead or next, known to be answered.
        task: what kind of answer it is: "point" from a search of the sources, "talk", or "catalogue", about the
            sources themselves.
        understood: how the question was understood; None in answers that were stored without it.
        shape: the form of the answer.
        rows: what stands in the lines of a list, a timeline or a comparison; empty for other shapes.
    """

    question: str
    standalone_question: str
    status: Status
    answer: str
    short_answer: str | None = None
    citations: tuple[Citation, ...] = ()
    differences: tuple[Difference, ...] = ()
    missing_terms: tuple[str, ...] = ()
    nearest: tuple[Citation, ...] = ()
    confidence: float = 0.0
    unsupported: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    engine: str = "extractive"
    index_id: str = ""
    prompt_id: str = ""
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    notice: str = ""
    unsearched: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    task: TaskKind = "point"
    understood: Understood | None = None
    shape: str = "point"
    rows: tuple[Row, ...] = ()


def to_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON data."""
    return asdict(answer)


def from_json(data: object) -> Answer:
    """The answer that :func:`to_json` wrote, also after a way through a file.

    Fields that this version does not know are left out.

    Raises:
        BadInput: a field is missing or of the wrong kind.
    """
    from pydantic import ValidationError

    try:
        return _adapter().validate_python(data)
    except ValidationError as exc:
        first = exc.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise BadInput(f"this is not an answer of iskp-qa: {where}: {first['msg'].lower()}") from exc


@cache
def _adapter() -> TypeAdapter[Answer]:
    from pydantic import TypeAdapter

    return TypeAdapter(Answer)


def words_of(origin: str) -> Words:
    """Whose words the text of a source of this origin is made of."""
    return "summary" if origin == "bundled notes" else "original"


def cite(
    source: Source,
    passage: Passage,
    *,
    start: int,
    end: int,
    support: float,
    marker: int = 0,
    also_in: tuple[Outlet, ...] = (),
) -> Citation:
    """A citation of ``source.text[start:end]``, which lies in the passage.

    Its place is that of the paragraph it begins in: a passage may hold several short lines.
    """
    begins = next((p for p in source.paragraphs if p.start <= start < p.end), None)
    place = begins if begins and passage.start <= begins.start and begins.end <= passage.end else passage
    return Citation(
        marker=marker,
        passage_id=passage.id,
        source_id=source.id,
        title=source.title,
        publisher=source.publisher,
        author=source.author,
        date=source.date,
        date_note=source.date_note,
        url=source.url,
        genre=source.genre,
        origin=source.origin,
        fetched_at=source.fetched_at,
        locator=place.locator,
        paragraph=place.number,
        quote=source.text[start:end],
        start=start,
        end=end,
        support=round(min(1.0, max(0.0, support)), 4),
        claim_status=passage.claim_status,
        claimed_by=passage.claimed_by,
        via=passage.via,
        also_in=also_in,
        recognised=min((p.recognised for p in source.paragraphs if p.recognised is not None and p.start < end and start < p.end), default=None),
    )


Grades = Callable[[], Mapping[str, Grade]]
"""The grades of sources by id, as they are just now."""


def no_grades() -> Mapping[str, Grade]:
    """For what has no curator."""
    return {}


def graded(citations: Iterable[Citation], grades: Mapping[str, Grade]) -> tuple[Citation, ...]:
    """The citations with the grades of their sources."""
    return tuple(replace(c, grade=grades.get(c.source_id)) for c in citations)


def outlet(source: Source, passage: Passage) -> Outlet:
    """Where else a passage stands."""
    return Outlet(
        source_id=source.id,
        title=source.title,
        publisher=source.publisher,
        date=source.date,
        url=source.url,
        locator=passage.locator,
    )
