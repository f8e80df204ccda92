"""The reader's network on ONNX Runtime: the same weights and scores as ``app.evidence.torch_network`` without torch.

The graph is drawn by ``eval/training/graphs.py`` and holds no weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index import eight_bits
from index.onnx_encoder import open_graph, padded

if TYPE_CHECKING:
    from app.evidence.packaged import Packed, Scores

GRAPH = Path(__file__).parent / "reader.onnx"
GRAPH_8 = Path(__file__).parent / "reader_int8.onnx"


class OnnxNetwork:
    """Reads batches. Threads may share it.

    Args:
        weights: a file that :func:`app.evidence.torch_network.save` wrote, with the default shape.
        ranges: of what its matrices are multiplied with, to compute in 8 bits; without them it computes in 32.

    Raises:
        ModelUnavailable: the graph is missing or does not fit the weights.
    """

    def __init__(self, weights: Path, ranges: Path | None = None) -> None:
        if ranges is None:
            self._session = open_graph(GRAPH, read_weights(weights))
        else:
            codes = eight_bits.convert(read_weights(weights), eight_bits.load_ranges(ranges))
            self._session = open_graph(GRAPH_8, codes)

    def read(self, batch: Sequence[Packed], mode: str) -> Scores:
        """Logits of a batch; ``mode`` is ``answer`` or ``support``."""
        return self.scores(self._session.run, batch, mode)

    @staticmethod
    def scores(run: Callable[..., Sequence[NDArray[Any]]], batch: Sequence[Packed], mode: str) -> Scores:
        """What ``run`` (an ONNX session's, or the like) makes of a batch."""
        from app.evidence.packaged import Scores

        ids, mask = padded([p.ids for p in batch])
        types, owners = (padded(rows)[0] for rows in ([p.types for p in batch], [p.owners for p in batch]))
        wanted = [f"{mode}_sentences", f"{mode}_passages", "spans"]
        sentences, passages, spans = run(wanted, {"ids": ids, "types": types, "owners": owners, "mask": mask})
        return Scores(sentences=sentences, passages=passages, spans=spans)


def read_weights(file: Path) -> dict[str, NDArray[Any]]:
    """Linear layers turned to ``(in, out)`` and all but the words in float32."""
    from safetensors.numpy import load_file

    stored = load_file(file)
    words = {name: stored.pop(name) for name in ("words.rows", "words.scales")}
    for at in [name.removesuffix(".rows") for name in stored if name.endswith(".rows")]:
        rows, scales = stored.pop(f"{at}.rows"), stored.pop(f"{at}.scales")
        stored[f"{at}.weight"] = rows.astype(np.float32) * scales[:, None]
    tables = {"position.weight": "position", "segment.weight": "segment"}
    return {
        **words,
        **{
            tables.get(name, name): (value.T if value.ndim == 2 and name not in tables else value).astype(np.float32)
            for name, value in stored.items()
        },
    }
