"""The trained evidence reader behind the interface that the pipeline knows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property

from app.evidence.gather import Reading, ReadPassage
from app.evidence.packaged import EvidenceReader, PassageReading, ReaderInput
from index.precision import Precision


class ModelReader:
    """Loads the packaged weights at the first passage; threads may share it.

    Args:
        precision: of its arithmetic; "auto" takes 8 bits where they pay.
    """

    def __init__(self, precision: Precision = "auto") -> None:
        self._precision = precision
        self._lock = threading.Lock()

    @cached_property
    def _reader(self) -> EvidenceReader:
        return EvidenceReader.load(precision=self._precision)

    def load(self) -> EvidenceReader:
        """The reader, loaded once."""
        with self._lock:
            return self._reader

    @property
    def fingerprint(self) -> str:
        """Names the weights."""
        return self.load().fingerprint

    def score(self, question: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        """A reading for each passage."""
        return [_reading(r) for r in self.load().read(question, _inputs(passages))]

    def check(self, claim: str, passages: Sequence[ReadPassage]) -> list[Reading]:
        """How well each passage supports a claim; its spans mean nothing."""
        return [_reading(r) for r in self.load().check(claim, _inputs(passages))]


def _inputs(passages: Sequence[ReadPassage]) -> list[ReaderInput]:
    return [ReaderInput(context=p.context, sentences=p.sentences) for p in passages]


def _reading(read: PassageReading) -> Reading:
    return Reading(
        sentences=read.sentence_scores,
        passage=read.answerable,
        spans=tuple((s[1], s[2], s[3]) if s else None for s in read.spans),
    )
