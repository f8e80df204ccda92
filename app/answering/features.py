"""What the decision to answer looks at: each feature with the direction in which it may count, in one registry.

What each is worth stands in ``calibration.json`` beside its weight; ``eval.training.calibrate`` measures it anew. Others were tried and
cost nothing, or won something, when they were left out: see ``docs/results``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.differences.counted import fits
from app.evidence.gather import Evidence, log_odds
from app.logistic import Feature
from app.question.analysis import Question, fits_kind
from app.text.quantities import quantities
from index.terms import Vocabulary

_LEADING = 3
_NEAREST = 3
"""Rank of the last passage that is told of when it speaks of something else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A question with what was found for it.

    Attributes:
        evidence: sentences, best first; the features need at least one.
        missing: topic terms of the question that no source mentions.
        lacking: for each of the leading passages, names of the question that it does not mention.
        held: share of the words that can be compared across languages which a leading passage holds, see ``app.answering.languages.held``.
        vocabulary: for the stems of words.
    """

    question: Question
    evidence: Sequence[Evidence]
    missing: Sequence[str]
    lacking: Sequence[Sequence[str]] = ()
    held: float = 1.0
    vocabulary: Vocabulary

    @property
    def leading(self) -> Sequence[Evidence]:
        """The first three sentences."""
        return self.evidence[:_LEADING]

    @property
    def unnamed(self) -> tuple[str, ...]:
        """Names of the question that the first passage lacks."""
        return tuple(self.lacking[0]) if self.lacking else ()

    @property
    def nowhere(self) -> tuple[str, ...]:
        """Names of the question that all leading passages lack."""
        return tuple(name for name in self.unnamed if all(name in names for names in self.lacking))

    @property
    def others(self) -> tuple[str, ...]:
        """What the nearest passages speak of instead of what the question is about."""
        near = sorted((e for e in self.evidence if e.hit.rank <= _NEAREST), key=lambda e: e.hit.rank)
        return tuple(dict.fromkeys(name for e in near for name in e.of_others))

    @property
    def kind_found(self) -> bool:
        """Whether the best two sentences hold the kind of thing that is asked for: a figure, a date, a name."""
        return any(fits_kind(self.question.kind, e.text) for e in self.evidence[:2])


def _ahead(seen: Seen) -> float:
    hits = {e.hit.passage.id: e.hit.similarity for e in seen.evidence}
    return max(hits.values()) - sum(hits.values()) / len(hits)


def _fits(seen: Seen) -> float:
    target = seen.question.target
    if target is None:
        return 1.0
    return float(
        any(fits(q, target, e.text, seen.question.text, seen.vocabulary) for e in seen.leading for q in quantities(e.text))
    )


REGISTRY: tuple[Feature[Seen], ...] = (
    Feature(
        name="passage", sign=1, about="log-odds of the best passage's score",
        value=lambda s: log_odds(max(e.passage_score for e in s.evidence)),
    ),
    Feature(
        name="hit", sign=1, about="cosine of the question and the closest of the passages of the three first sentences",
        value=lambda s: max(e.hit.similarity for e in s.leading),
    ),
    Feature(
        name="similarity", sign=1, about="cosine of the question and the closest of the three first sentences",
        value=lambda s: max(e.similarity for e in s.leading),
    ),
    Feature(
        name="lead", sign=1, about="how far the closest passage's cosine is above the mean of all that were read", value=_ahead
    ),
    Feature(
        name="overlap", sign=1, about="largest share of the topic terms that stand beside one of the three first sentences",
        value=lambda s: max(e.overlap for e in s.leading),
    ),
    Feature(
        name="missing", sign=-1, about="share of the topic terms that no source mentions",
        value=lambda s: len(s.missing) / len(s.question.terms) if s.question.terms else 0.0,
    ),
    Feature(name="fits", sign=1, about="one of the three first sentences holds a figure of the kind asked for, where one is", value=_fits),
    Feature(
        name="nowhere", sign=-1, about="all leading passages lack a name of the question", value=lambda s: float(bool(s.nowhere))
    ),
    Feature(
        name="held", sign=1, about="of a question in another language, largest share of its names and figures, and of its words where the "
        "passage is in its language, in one of the three first passages", value=lambda s: s.held,
    ),
)  # fmt: skip


def measured(seen: Seen) -> dict[str, float]:
    """The value of every feature."""
    return {feature.name: feature.value(seen) for feature in REGISTRY}
