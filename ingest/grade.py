"""Grades of sources as a curator sets them: reliability A to F and credibility 1 to 6. None is ever inferred."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.errors import BadSource

RELIABILITY = {
    "A": "completely reliable", "B": "usually reliable", "C": "fairly reliable", "D": "not usually reliable", "E": "unreliable",
    "F": "reliability cannot be judged",
}  # fmt: skip
"""The source, in the words of the Admiralty system."""
CREDIBILITY = {
    1: "confirmed by other sources", 2: "probably true", 3: "possibly true", 4: "doubtful", 5: "improbable", 6: "truth cannot be judged",
}  # fmt: skip
"""What it says, likewise."""
_CODE = re.compile(r"\s*([A-F])\s*-?\s*([1-6])\s*", re.I)
MOST_REASON_CHARS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """What a curator thinks of a source.

    Attributes:
        reliability: a letter of :data:`RELIABILITY`.
        credibility: a number of :data:`CREDIBILITY`.
        reason: why, in the curator's words.
        graded_at: ISO time in UTC.
    """

    reliability: str
    credibility: int
    reason: str
    graded_at: str

    @property
    def code(self) -> str:
        """Both in short, such as "B2"."""
        return f"{self.reliability}{self.credibility}"

    @property
    def meaning(self) -> str:
        """Both in words."""
        return f"{RELIABILITY[self.reliability]}, {CREDIBILITY[self.credibility]}"

    def at_least(self, reliability: str) -> bool:
        """Whether the source is as reliable as a letter A to E or more so; one that cannot be judged never is."""
        return self.reliability != "F" and self.reliability <= reliability


def parse_grade(code: str, reason: str, *, at: str) -> Grade:
    """The grade of a code such as "A2" or "b-3".

    Args:
        at: ISO time in UTC.

    Raises:
        BadSource: it is no such code, or the reason is blank or too long.
    """
    found = _CODE.fullmatch(code)
    if found is None:
        raise BadSource(f"{code!r} is no grade; give reliability A to F and credibility 1 to 6, such as B2")
    told = " ".join(reason.split())
    if not told:
        raise BadSource("a grade needs a reason that others can judge; give one with --reason")
    if len(told) > MOST_REASON_CHARS:
        raise BadSource(f"the reason has {len(told)} characters; the limit is {MOST_REASON_CHARS}: shorten it")
    return Grade(reliability=found[1].upper(), credibility=int(found[2]), reason=told, graded_at=at)
