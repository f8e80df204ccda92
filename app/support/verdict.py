"""What a check of a claim says, as data and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.answer import Citation
from app.errors import BadInput
from app.question.analysis import tidy

Label = Literal["supported", "partly", "unsupported"]
Verdict = Literal["supported", "contradicted", "disputed", "claimed", "not found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How far given texts carry a sentence.

    Attributes:
        label: whether they do.
        support: how surely, in [0, 1].
        best: the text that carries it best and where in it: (index, start, end); None without text.
        verdict: "supported", "contradicted" or "not found".
        reasons: what does not fit, in English sentences.
        others: further places that are needed or say the same, best first.
        opposed: the best place differs in a figure, name, date or denial; it need not speak of the same matter.
        closeness: how well the words of the sentence are matched there, in [0, 1].
        excerpt: it is a sentence of the text with no more than phrases left out.
        agrees: the best place differs from it in nothing that is compared and speaks of the same matter, however sure that is.
    """

    label: Label
    support: float
    best: tuple[int, int, int] | None
    verdict: Verdict = "not found"
    reasons: tuple[str, ...] = ()
    others: tuple[tuple[int, int, int], ...] = ()
    opposed: bool = False
    closeness: float = 0.0
    excerpt: bool = False
    agrees: bool = False

    @property
    def speaks_for(self) -> bool:
        """Whether the texts carry the sentence or a part of it, and say nothing against it."""
        return self.label != "unsupported" and self.verdict != "contradicted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A stretch of a given text; ``end`` is exclusive."""

    quote: str
    start: int
    end: int


SURE = 0.7
"""Support from which "supported" is said without a doubt. Of 59 hand-written pairs, not fitted on, that the check takes for supported, 26 of 41
are true from here on and 8 of 18 below; on 54 of WiCE the doubt tells nothing (20 of 30, 21 of 24)."""

_WORDS: Mapping[Verdict, str] = {
    "supported": "Supported", "contradicted": "Contradicted", "disputed": "Disputed: sources say different things",
    "claimed": "Claimed, not established", "not found": "Not found in the sources",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimCheck:
    """The result of a check; docs/json.md describes the JSON.

    Attributes:
        support: how surely the text carries the claim, in [0, 1].
        verdict: supported; contradicted; disputed: some sources say so, others otherwise; claimed: only by the one in ``by``;
            not found.
        by: who claims it; empty for other verdicts.
        citations: what carries it, best first; quotes of the text alone when one was given.
        against: what says otherwise, best first.
        reasons: what does not fit, in English sentences.
    """

    claim: str
    label: Label
    support: float
    verdict: Verdict = "not found"
    by: str = ""
    citations: tuple[Citation | Quote, ...] = ()
    against: tuple[Citation | Quote, ...] = ()
    reasons: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """The verdict as people read it: "Claimed only by the ministry"."""
        if self.verdict == "claimed" and self.by:
            return f"Claimed only by {self.by}"
        if self.verdict == "not found" and self.label == "partly":
            return "Found in part"
        return _WORDS[self.verdict] if self.sure else "Perhaps supported: compare the words"

    @property
    def sure(self) -> bool:
        """False where the claim is called supported and the support is weaker than :data:`SURE`."""
        return self.verdict != "supported" or self.support >= SURE


def to_json(check: ClaimCheck) -> dict[str, Any]:
    """The check as plain JSON data."""
    return asdict(check)


def tidy_claim(claim: str) -> str:
    """The claim in one line.

    Raises:
        BadInput: it is empty or too long.
    """
    try:
        return tidy(claim)
    except BadInput as exc:
        message = str(exc).replace("the question", "the claim").replace("what you want to know", "a statement")
        raise BadInput(message.replace("ask it shorter", "check it in parts")) from exc
