"""What the reader is given to read: the words of a passage with what tells whose they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import pytest

from app.answering.engine import AnswerSettings
from app.answering.judge import read
from app.answering.retrieve import retrieve
from app.evidence.gather import Reading, ReadPassage
from app.home import Home
from app.question.analysis import analyse
from ingest.blocks import Block, Extract, Metadata, assemble


class Recording:
    """Keeps what it is given, and thinks nothing of it."""

    fingerprint = "recording"

    def __init__(self) -> None:
        self.contexts: list[str] = []

    def score(self, question: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        self.contexts += [p.context for p in passages]
        return [Reading(sentences=(0.5,) * len(p.sentences), passage=0.5) for p in passages]


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(tmp_path_factory.mktemp("mill"))
    home.init(empty=True)
    blocks = (Block(text="We employ 14 millers and have bought a second wheel."),)
    made = assemble("letter", Extract(blocks=blocks, metadata=Metadata(title="A year at the river", publisher="Brask Mill Company")), fallback_title="x")
    home.library.put(made, raw_digest="letter")
    home.sync()
    yield home
    home.close()


@pytest.mark.parametrize(
    ("question", "told"),
    [("How many millers does the Brask Mill Company employ?", True), ("How many millers are there?", False), ("Who bought a mill wheel?", False)],
)
def test_who_published_a_text_is_read_with_it_where_the_question_names_them(mill: Home, question: str, told: bool) -> None:
    opened = mill.index.current()
    assert opened is not None
    asked, reader = analyse(question, opened.vocabulary, dt.date(2024, 1, 1)), Recording()
    hits = retrieve(asked, opened, AnswerSettings()).hits
    judged = read(asked, hits, reader, mill.encoder, opened)
    assert any(c.startswith("Brask Mill Company") for c in reader.contexts) is told
    assert not any(e.hit.passage.context.startswith("Brask Mill Company") for e in judged.evidence)
