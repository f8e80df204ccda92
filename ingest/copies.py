"""Whether two sources hold the same text, whatever format each came in.

A source's sketch is the smallest hashes of its word sequences (Broder, "On the resemblance and
containment of documents", 1997): sources that share most of a sketch share most of their text, so a
copy is found among thousands of sources without reading them.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from ingest.source import Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SKETCH_SIZE = 48
SAME = 0.75
"""Share of common word sequences from which two texts count as one; two reports on one event stay far below."""
_SEQUENCE = 5
_BLANK = ord(" ")
_MAX_WORDS = 20_000
_HYPHEN = re.compile(r"(?<=\w)[-\u2010\u00ad]\s*(?=\w)")
_WORD = re.compile(r"\w+")


def words_of(source: Source) -> list[str]:
    """The words of the body paragraphs, lower case; hyphens, which line ends put in, are dropped."""
    parts = [source.text[p.start : p.end] for p in source.paragraphs if p.role == "body"]
    text = unicodedata.normalize("NFKC", "\n".join(parts) or source.text).lower()
    return _WORD.findall(_HYPHEN.sub("", text))


def text_digest(words: list[str]) -> str:
    """Hex digest that is equal for equal words."""
    return hashlib.sha256(" ".join(words).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def sequences(words: list[str]) -> NDArray[np.int64]:
    """64-bit hashes of all runs of five words, rising, each once; of the whole where there are fewer. Long texts by their beginning.

    The array is shared by callers and cannot be written.
    """
    return _sequences(" ".join(words[:_MAX_WORDS]).encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=4)  # a source is compared with others and then stored, and a copy with the same ones again
def _sequences(text: bytes) -> NDArray[np.int64]:
    import numpy as np

    between = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _BLANK).tolist()
    starts, ends = [0, *(at + 1 for at in between)], [*between, len(text)]
    digests = b"".join(
        hashlib.blake2b(text[a:b], digest_size=8).digest()
        for a, b in zip(starts, ends[_SEQUENCE - 1 :] or ends[-1:], strict=False)
    )
    found = np.unique(np.frombuffer(digests, dtype=">i8").astype(np.int64))
    found.flags.writeable = False
    return found


def sketch(words: list[str]) -> list[int]:
    """The smallest hashes of the sequences, at most :data:`SKETCH_SIZE`."""
    found: list[int] = sequences(words)[:SKETCH_SIZE].tolist()
    return found


def resemblance(one: list[str], other: list[str]) -> float:
    """Jaccard index of the word sequences of two texts, in [0, 1]."""
    import numpy as np

    mine, theirs = sequences(one), sequences(other)
    both = len(np.intersect1d(mine, theirs, assume_unique=True))
    return both / (len(mine) + len(theirs) - both)
