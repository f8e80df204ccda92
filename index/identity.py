"""What an index was built with; compared whenever one is opened."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from index.errors import Damaged, IdentityMismatch

FORMAT_VERSION = 3
"""Raised when the layout on disk, the cleaner or the sentence splitter changes; older indexes are built anew by :func:`index.sync.sync`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Everything that makes two indexes comparable.

    The precision of the encoder is no part of it: a vector in 8 bits has a cosine of 0.9992 on average (least 0.998) with
    the one in 32 bits, and recall@5 is the same with either (``docs/performance.md``, "Eight bits"). One index serves both,
    so that a home can move to a machine that computes otherwise.

    Attributes:
        encoder: name of the embedding model.
        dimension: length of its vectors.
        max_chars: longest passage.
        format: version of layout and cleaner.
    """

    encoder: str
    dimension: int
    max_chars: int
    format: int = FORMAT_VERSION

    @property
    def outdated(self) -> bool:
        """Whether an earlier version built it, so that it has to be built anew."""
        return self.format < FORMAT_VERSION

    @property
    def short(self) -> str:
        """Twelve hex digits that name this combination."""
        return hashlib.sha256(self.dump().encode()).hexdigest()[:12]

    def dump(self) -> str:
        """As JSON, for the index folder."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> Identity:
        """The identity that :meth:`dump` wrote.

        Raises:
            Damaged: it cannot be read.
        """
        try:
            return cls(**json.loads(text))
        except (ValueError, TypeError) as exc:
            raise Damaged("the index does not say what it was built with; run: iskp index --rebuild") from exc

    def require(self, *, encoder: str, max_chars: int) -> None:
        """Check that an index of this identity can be used with the settings in force.

        Raises:
            IdentityMismatch: it can't; the message names both values and the way on.
        """
        if self.outdated:
            raise IdentityMismatch("the index was built by an earlier version of this program; run: iskp index")
        for name, mine, theirs in (
            ("embedding model", self.encoder, encoder),
            ("passage length", self.max_chars, max_chars),
            ("format", self.format, FORMAT_VERSION),
        ):
            if mine != theirs:
                raise IdentityMismatch(
                    f"the index was built with {name} {mine!r}, but the settings say {theirs!r}; "
                    "run: iskp index --rebuild"
                )
