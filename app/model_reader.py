"""The trained evidence reader behind the interface that the pipeline knows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property

from app.evidence import Reading, ReadPassage
from app.reader import EvidenceReader, ReaderInput


class ModelReader:
    """Loads the packaged weights at the first passage; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @cached_property
    def _reader(self) -> EvidenceReader:
        return EvidenceReader.load()

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
        inputs = [ReaderInput(context=p.context, sentences=p.sentences) for p in passages]
        return [
            Reading(
                sentences=r.sentence_scores,
                passage=r.answerable,
                spans=tuple((s[1], s[2], s[3]) if s else None for s in r.spans),
            )
            for r in self.load().read(question, inputs)
        ]
