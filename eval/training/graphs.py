"""Draws the networks of encoder and reader as ONNX graphs without weights.

Weights stay in the safetensors files that are published and checked; ONNX Runtime gets them when a graph is
opened. So a graph is a few kilobytes, depends on the shape alone, and new weights of the same shape need no
new graph. Each network is drawn twice: in 32 bits, and with its large products in whole numbers of 8 bits
(``index.eight_bits`` makes the weights for that). Run again when a shape or the reader's network changes:

    python -m eval.training.graphs

Needs the extra ``train``. tests/test_index_onnx_encoder.py checks that the shipped graphs are these.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

from app.evidence.onnx_network import GRAPH as READER_GRAPH
from app.evidence.onnx_network import GRAPH_8 as READER_GRAPH_8
from index.eight_bits import OUTLIERS, PARTS
from index.multilingual_encoder import BLOCK, PIECES
from index.multilingual_encoder import GRAPH as MULTILINGUAL_GRAPH
from index.multilingual_encoder import GRAPH_8 as MULTILINGUAL_GRAPH_8
from index.multilingual_encoder import LAYERS as MULTILINGUAL_LAYERS
from index.onnx_encoder import GRAPH as ENCODER_GRAPH
from index.onnx_encoder import GRAPH_8 as ENCODER_GRAPH_8
from index.onnx_encoder import STATE_LAYERS

WIDTH, HEADS, INNER, VOCABULARY, POSITIONS, HEAD_WIDTH = 384, 12, 1536, 30522, 512, 192
ENCODER_LAYERS, READER_LAYERS = 6, 12
_MICROSOFT = "com.microsoft"  # ONNX Runtime's own fused operators
_EPSILON = 1e-12


class _Drawing:
    """Collects nodes, weights and constants; methods that add a node return the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.stored: list[TensorProto] = []
        self._names = 0

    def weight(self, name: str, *shape: int, kind: int = TensorProto.FLOAT) -> str:
        """A tensor that is handed over when the graph is opened; naming it again gives the same one."""
        if any(known.name == name for known in self.stored):
            return name
        tensor = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="given")
        self.stored.append(tensor)
        return name

    def integers(self, *values: int) -> str:
        """A constant vector of int64."""
        self._names += 1
        self.stored.append(helper.make_tensor(f"c{self._names}", TensorProto.INT64, [len(values)], values))
        return f"c{self._names}"

    def number(self, value: float, kind: int = TensorProto.FLOAT) -> str:
        """A constant scalar."""
        self._names += 1
        self.stored.append(helper.make_tensor(f"c{self._names}", kind, [], [value]))
        return f"c{self._names}"

    def node(self, kind: str, *inputs: str, domain: str = "", name: str | None = None, **attributes: Any) -> str:
        """One operator with one output."""
        self._names += 1
        output = name or f"n{self._names}"
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def fused(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """One of ONNX Runtime's fused operators."""
        return self.node(kind, *inputs, domain=_MICROSOFT, **attributes)

    def model(self, inputs: Sequence[ValueInfoProto], outputs: Sequence[ValueInfoProto]) -> ModelProto:
        """Everything as a checked model."""
        graph = helper.make_graph(self.nodes, "network", inputs, outputs, self.stored)
        versions = [helper.make_opsetid("", 20), helper.make_opsetid(_MICROSOFT, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=9, producer_name="iskp-qa")


Inputs = dict[str, str]
"""What goes into the product with each of a layer's matrices: names of values by names of weights."""


def layers(
    draw: _Drawing,
    words: str,
    types: str,
    mask: str,
    *,
    count: int,
    eight_bits: bool = False,
    between: list[str] | None = None,
    inputs: Inputs | None = None,
) -> str:
    """Token states ``(b, t, width)`` of word embeddings, types ``(b, t)`` int64 and mask ``(b, t)`` int32.

    Args:
        count: of layers.
        between: gets the states after each layer.
        inputs: gets what is multiplied with each matrix.
    """
    tokens = draw.node("Slice", draw.node("Shape", types), draw.integers(1), draw.integers(2))
    table = draw.weight("position", POSITIONS, WIDTH)
    positions = draw.node("Slice", table, draw.integers(0), tokens, draw.integers(0))
    kinds = draw.node("Gather", draw.weight("segment", 2, WIDTH), types)
    x = _norm(draw, draw.node("Add", draw.node("Add", words, kinds), positions), "norm")
    linear, widen = (_linear_8, _widen_8) if eight_bits else (_linear, _widen)
    for i in range(count):
        at = f"layers.{i}"
        if eight_bits:
            codes = _codes(draw, x, f"{at}.qkv", shrink=True)
            parts = [_product_8(draw, codes, f"{at}.{part}", f"{at}.qkv", WIDTH, WIDTH) for part in PARTS]
            attended = draw.fused("MultiHeadAttention", *parts, "", mask, num_heads=HEADS)
        else:
            attended = draw.fused(
                "Attention", x, draw.weight(f"{at}.qkv.weight", WIDTH, 3 * WIDTH), draw.weight(f"{at}.qkv.bias", 3 * WIDTH),
                mask, num_heads=HEADS,
            )  # fmt: skip
        y = _norm(draw, draw.node("Add", x, linear(draw, attended, f"{at}.out", WIDTH, WIDTH)), f"{at}.norm1")
        wide = widen(draw, y, f"{at}.up")
        if inputs is not None:
            inputs |= {f"{at}.qkv": x, f"{at}.out": attended, f"{at}.up": y, f"{at}.down": wide}
        x = _norm(draw, draw.node("Add", y, linear(draw, wide, f"{at}.down", INNER, WIDTH)), f"{at}.norm2")
        if between is not None:
            between.append(x)
    return x


def _norm(draw: _Drawing, x: str, at: str) -> str:
    # Not fused with the sum before it: ONNX Runtime's SkipLayerNormalization takes three times as long as its parts.
    return draw.node(
        "LayerNormalization", x, draw.weight(f"{at}.weight", WIDTH), draw.weight(f"{at}.bias", WIDTH), epsilon=_EPSILON
    )


def _linear(draw: _Drawing, x: str, at: str, size: int, out: int) -> str:
    product = draw.node("MatMul", x, draw.weight(f"{at}.weight", size, out))
    return draw.node("Add", product, draw.weight(f"{at}.bias", out))


def _widen(draw: _Drawing, x: str, at: str) -> str:
    product = draw.node("MatMul", x, draw.weight(f"{at}.weight", WIDTH, INNER))
    return draw.fused("BiasGelu", product, draw.weight(f"{at}.bias", INNER))


def _widen_8(draw: _Drawing, x: str, at: str) -> str:
    return draw.fused("Gelu", _product_8(draw, _codes(draw, x, at, shrink=True), at, at, WIDTH, INNER))


def _linear_8(draw: _Drawing, x: str, at: str, size: int, out: int) -> str:
    product = _product_8(draw, _codes(draw, x, at), at, at, size, out)
    if not at.endswith(".down"):
        return product
    # The few wide-ranging inputs are multiplied apart, in 32 bits.
    some = draw.node("Gather", x, draw.weight(f"{at}.outliers", OUTLIERS, kind=TensorProto.INT64), axis=2)
    return draw.node("Add", product, draw.node("MatMul", some, draw.weight(f"{at}.apart", OUTLIERS, out)))


def _codes(draw: _Drawing, x: str, at: str, *, shrink: bool = False) -> str:
    if shrink:
        x = draw.node("Mul", x, draw.weight(f"{at}.shrink", WIDTH))
    return draw.node("QuantizeLinear", x, _step(draw, at), _zero(draw, at))


def _product_8(draw: _Drawing, codes: str, at: str, inputs: str, size: int, out: int) -> str:
    return draw.fused(
        "MatMulIntegerToFloat",
        codes,
        draw.weight(f"{at}.codes", size, out, kind=TensorProto.INT8),
        _step(draw, inputs),
        draw.weight(f"{at}.steps", out),
        _zero(draw, inputs),
        "",
        draw.weight(f"{at}.bias", out),
    )


def _step(draw: _Drawing, at: str) -> str:
    return draw.weight(f"{at}.step")


def _zero(draw: _Drawing, at: str) -> str:
    return draw.weight(f"{at}.zero", kind=TensorProto.UINT8)


def encoder(*, eight_bits: bool = False, inputs: Inputs | None = None) -> ModelProto:
    """``ids``, ``mask`` ``(b, t)`` int64 to ``vectors`` ``(b, width)``: mean of the token states, unit length.

    ``states`` ``(b, len(STATE_LAYERS), width)`` is the same after each of these layers.

    Args:
        inputs: gets what is multiplied with each matrix, which are then outputs too.
    """
    draw = _Drawing()
    words = draw.node("Gather", draw.weight("words", VOCABULARY, WIDTH), "ids")
    after: list[str] = []
    mask = draw.node("Cast", "mask", to=TensorProto.INT32)
    types = draw.node("Sub", "ids", "ids")
    layers(draw, words, types, mask, count=ENCODER_LAYERS, eight_bits=eight_bits, between=after, inputs=inputs)
    weights = draw.node("Cast", draw.node("Unsqueeze", "mask", draw.integers(1)), to=TensorProto.FLOAT)
    # The sum has the direction of the mean, and only the direction is kept.
    pooled = [draw.node("MatMul", weights, after[layer - 1]) for layer in STATE_LAYERS]
    draw.node("LpNormalization", draw.node("Concat", *pooled, axis=1), axis=-1, p=2, name="states")
    last = draw.node("Squeeze", draw.node("MatMul", weights, after[-1]), draw.integers(1))
    draw.node("LpNormalization", last, axis=-1, p=2, name="vectors")
    outputs = [_values("vectors", "b", WIDTH), _values("states", "b", len(STATE_LAYERS), WIDTH)]
    return draw.model([_grid("ids"), _grid("mask")], outputs + _watched(inputs))


def multilingual(*, eight_bits: bool = False, inputs: Inputs | None = None) -> ModelProto:
    """As :func:`encoder`, with word embeddings in 4 bits (``index.multilingual_encoder``), vectors only."""
    draw = _Drawing()
    blocks = WIDTH // BLOCK
    both = draw.node("Gather", draw.weight("words.codes", PIECES, WIDTH // 2, kind=TensorProto.UINT8), "ids")
    both = draw.node("Reshape", both, draw.integers(0, 0, blocks, BLOCK // 2))
    low = draw.node("BitwiseAnd", both, draw.number(15, TensorProto.UINT8))
    high = draw.node("BitShift", both, draw.number(4, TensorProto.UINT8), direction="RIGHT")
    codes = draw.node("Cast", draw.node("Concat", low, high, axis=-1), to=TensorProto.FLOAT)
    rows = draw.weight("words.scales", PIECES, blocks, kind=TensorProto.FLOAT16)
    scales = draw.node("Cast", draw.node("Gather", rows, "ids"), to=TensorProto.FLOAT)
    centred = draw.node("Sub", codes, draw.number(8.0))
    words = draw.node("Mul", centred, draw.node("Unsqueeze", scales, draw.integers(3)))
    words = draw.node("Reshape", words, draw.integers(0, 0, WIDTH))
    mask = draw.node("Cast", "mask", to=TensorProto.INT32)
    types = draw.node("Sub", "ids", "ids")
    states = layers(draw, words, types, mask, count=MULTILINGUAL_LAYERS, eight_bits=eight_bits, inputs=inputs)
    weights = draw.node("Cast", draw.node("Unsqueeze", "mask", draw.integers(1)), to=TensorProto.FLOAT)
    pooled = draw.node("Squeeze", draw.node("MatMul", weights, states), draw.integers(1))
    draw.node("LpNormalization", pooled, axis=-1, p=2, name="vectors")
    return draw.model([_grid("ids"), _grid("mask")], [_values("vectors", "b", WIDTH), *_watched(inputs)])


def reader(*, eight_bits: bool = False, inputs: Inputs | None = None) -> ModelProto:
    """``ids``, ``types``, ``owners``, ``mask`` ``(b, t)`` int64 to the logits of both heads, as app.evidence.torch_network has it.

    Args:
        inputs: as of :func:`encoder`.
    """
    draw = _Drawing()
    rows = draw.node(
        "Cast", draw.node("Gather", draw.weight("words.rows", VOCABULARY, WIDTH, kind=TensorProto.INT8), "ids"),
        to=TensorProto.FLOAT,
    )  # fmt: skip
    scales = draw.node("Gather", draw.weight("words.scales", VOCABULARY), "ids")
    words = draw.node("Mul", rows, draw.node("Unsqueeze", scales, draw.integers(2)))
    mask = draw.node("Cast", "mask", to=TensorProto.INT32)
    states = layers(draw, words, "types", mask, count=READER_LAYERS, eight_bits=eight_bits, inputs=inputs)

    last = draw.node("ReduceMax", "owners", keepdims=0)
    one = draw.number(1, TensorProto.INT64)
    parts = draw.node("Range", one, draw.node("Add", last, one), one)
    same = draw.node(
        "Equal",
        draw.node("Unsqueeze", "owners", draw.integers(1)),
        draw.node("Unsqueeze", parts, draw.integers(0, 2)),
    )
    member = draw.node("Cast", same, to=TensorProto.FLOAT)
    size = draw.node("ReduceSum", member, draw.integers(2), keepdims=1)
    share = draw.node("Div", member, draw.node("Max", size, draw.number(1.0)))
    pooled = draw.node("MatMul", share, states)
    starts = draw.node("ArgMax", member, axis=2, keepdims=1)
    first = draw.node("GatherND", states, starts, batch_dims=1)

    def sentences_of(x: str) -> str:
        return draw.node("Slice", x, draw.integers(1), draw.integers(2**31), draw.integers(1))

    zero = draw.number(0, TensorProto.INT64)
    cls = draw.node("Gather", states, zero, axis=1)
    question = draw.node("Slice", pooled, draw.integers(0), draw.integers(1), draw.integers(1))
    mean, opening = sentences_of(pooled), sentences_of(first)
    there = draw.node("Greater", draw.node("Squeeze", sentences_of(size), draw.integers(2)), draw.number(0.0))
    wide = draw.node("Expand", draw.node("Unsqueeze", cls, draw.integers(1)), draw.node("Shape", mean))
    features = draw.node("Concat", wide, mean, opening, draw.node("Mul", mean, question), axis=-1)
    for mode in ("answer", "support"):
        scores = _score(draw, features, f"heads.{mode}.sentence", 4 * WIDTH)
        draw.node("Where", there, scores, draw.number(float("-inf")), name=f"{mode}_sentences")
        best = draw.node("ReduceMax", f"{mode}_sentences", draw.integers(1), keepdims=0)
        weighed = draw.node("Mul", best, draw.weight(f"heads.{mode}.best_weight"))
        draw.node("Add", _score(draw, cls, f"heads.{mode}.passage", WIDTH), weighed, name=f"{mode}_passages")
    spans = draw.node("MatMul", states, draw.weight("span.weight", WIDTH, 2))
    draw.node("Add", spans, draw.weight("span.bias", 2), name="spans")
    outputs = [
        *(_values(f"{mode}_sentences", "b", "s") for mode in ("answer", "support")),
        *(_values(f"{mode}_passages", "b") for mode in ("answer", "support")),
        _values("spans", "b", "t", 2),
    ]
    return draw.model([_grid("ids"), _grid("types"), _grid("owners"), _grid("mask")], outputs + _watched(inputs))


def _score(draw: _Drawing, x: str, at: str, size: int) -> str:
    hidden = draw.fused(
        "BiasGelu",
        draw.node("MatMul", x, draw.weight(f"{at}.weight", size, HEAD_WIDTH)),
        draw.weight(f"{at}.bias", HEAD_WIDTH),
    )
    out = draw.node("MatMul", hidden, draw.weight(f"{at}_out.weight", HEAD_WIDTH, 1))
    return draw.node("Squeeze", draw.node("Add", out, draw.weight(f"{at}_out.bias", 1)), draw.integers(-1))


def _grid(name: str) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "t"])


def _values(name: str, *shape: str | int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _watched(inputs: Inputs | None) -> list[ValueInfoProto]:
    return [_values(name, "b", "t", INNER if at.endswith(".down") else WIDTH) for at, name in (inputs or {}).items()]


def drawn() -> dict[Path, ModelProto]:
    """All graphs by the files that hold them."""
    return {
        ENCODER_GRAPH: encoder(),
        ENCODER_GRAPH_8: encoder(eight_bits=True),
        MULTILINGUAL_GRAPH: multilingual(),
        MULTILINGUAL_GRAPH_8: multilingual(eight_bits=True),
        READER_GRAPH: reader(),
        READER_GRAPH_8: reader(eight_bits=True),
    }


def main() -> None:
    """Write the graphs into the packages that open them."""
    for file, model in drawn().items():
        Path(file).write_bytes(model.SerializeToString(deterministic=True))
        print(f"{file}: {Path(file).stat().st_size} bytes")


if __name__ == "__main__":
    main()
