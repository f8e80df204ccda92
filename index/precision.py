"""How exactly the packaged models compute."""

from __future__ import annotations

from typing import Literal

Precision = Literal["auto", "float32", "int8"]
"""Of their large products: 32 bits, whole numbers of 8 bits, or what pays on this processor (:func:`index.eight_bits.pays`)."""
