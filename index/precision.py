"""What settings say of the packaged models, without loading any."""

from __future__ import annotations

from typing import Literal

MULTILINGUAL_MODEL = "multilingual-e5-small"
"""Name in settings and in the identity of an index."""
Precision = Literal["auto", "float32", "int8"]
"""Of their large products: 32 bits, whole numbers of 8 bits, or what pays on this processor (:func:`index.eight_bits.pays`)."""
