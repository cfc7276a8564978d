"""Write an encoder down as an ONNX graph: done once, when a model is made; needs onnx, which a run does not.

Products of weights are taken in whole numbers of 8 bits, two to three times as fast: weights have a scale a column,
what they meet gets one scale a product while it runs (dynamic quantisation, as ONNX Runtime has it). Weights stay
within 64, so that pairs of products added in 16 bits, as processors without VNNI do it, never overflow: the log-odds
are the same everywhere. Token vectors are whole numbers as well. Everything else is float32.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LONGEST = 256  # tokens read of a passage: 400 characters have about 240
FAR = 32  # distances of two tokens beyond this are one and the same
_LARGEST = 64  # of a weight
_OWN = "com.microsoft"  # ONNX Runtime's own operators
_OPSET, _IR = 20, 9
Arrays = dict[str, NDArray[Any]]


def encoder_graph(
    vectors: NDArray[np.float32], norms: Arrays, blocks: Sequence[Arrays], heads: Arrays, *, whole: bool = True
) -> bytes:
    """Return the graph from token numbers, int64 [tokens], to log-odds, float32 [1 x labels].

    A second output, `gains`, [1 x tokens x labels], says how much each token adds: they add up to the log-odds.

    `vectors` is [kinds of tokens x width]. `norms` holds n0 (before the blocks) and nf (after them), `blocks` what
    each block needs: n1, qkv, bias (of distances, [heads x 2 FAR + 1]), o, n2, a, b; `heads` att, val and mean, each
    [width x labels]. Every name has a `_weight` and a `_bias`. `whole` says whether products are taken in 8 bits.
    """
    graph = _Graph(whole=whole)
    hidden = graph.norm(graph.looked_up(vectors), norms, "n0", "n0")
    place = np.arange(LONGEST)
    graph.constant("distance", np.clip(place[None, :] - place[:, None], -FAR, FAR) + FAR)
    graph.square()
    for i, block in enumerate(blocks):
        hidden = graph.block(hidden, block, f"block{i}")
    hidden = graph.norm(hidden, norms, "nf", "nf")
    graph.verdict(hidden, heads)
    return graph.serialised(len(vectors), heads["val_weight"].shape[1])


class _Graph:
    """Nodes and constants so far; methods add some and return the name of what they compute."""

    def __init__(self, *, whole: bool) -> None:
        from onnx import TensorProto, helper, numpy_helper

        self._helper, self._numpy, self._kind = helper, numpy_helper, TensorProto
        self._whole = whole
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, name: str, values: NDArray[Any]) -> str:
        self._constants.append(self._numpy.from_array(np.ascontiguousarray(values), name))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **settings: Any) -> str:
        domain = settings.pop("domain", "")
        self._nodes.append(self._helper.make_node(kind, inputs, [output], domain=domain, **settings))
        return output

    def looked_up(self, vectors: NDArray[np.float32]) -> str:
        """Return the vectors of the tokens: [1 x tokens x width]."""
        scale = np.maximum(np.abs(vectors).max(axis=1, keepdims=True), 1e-8) / 127
        table = self.constant("table", np.round(vectors / scale).astype(np.int8))
        rows = self.node("Gather", [table, "ids"], "table_rows", axis=0)
        rows = self.node("Cast", [rows], "table_floats", to=self._kind.FLOAT)
        scales = self.node("Gather", [self.constant("scale", scale.astype(np.float32)), "ids"], "scale_rows", axis=0)
        found = self.node("Mul", [rows, scales], "vectors")
        return self.node("Unsqueeze", [found, self.constant("first", np.array([0]))], "passage")

    def norm(self, hidden: str, arrays: Arrays, name: str, output: str) -> str:
        weight = self.constant(f"{output}_weight", arrays[f"{name}_weight"].astype(np.float32))
        bias = self.constant(f"{output}_bias", arrays[f"{name}_bias"].astype(np.float32))
        return self.node("LayerNormalization", [hidden, weight, bias], output, axis=-1, epsilon=1e-5)

    def square(self) -> None:
        """Compute the shape of a matrix of tokens by tokens."""
        self.node("Shape", ["ids"], "length")
        self.node("Concat", ["length", "length"], "square", axis=0)
        self.constant("corner", np.array([0, 0]))
        self.constant("last_two", np.array([2, 3]))

    def block(self, hidden: str, arrays: Arrays, name: str) -> str:
        """Attend, then transform, each added to what came in."""
        met = self._attention(self.norm(hidden, arrays, "n1", f"{name}_n1"), arrays, name)
        hidden = self.node("Add", [hidden, self.product(met, arrays, "o", f"{name}_o")], f"{name}_met")
        wide = self.product(self.norm(hidden, arrays, "n2", f"{name}_n2"), arrays, "a", f"{name}_a")
        wide = self.node("FastGelu", [wide], f"{name}_gelu", domain=_OWN)  # tanh form, Hendrycks and Gimpel 2016
        return self.node("Add", [hidden, self.product(wide, arrays, "b", f"{name}_b")], f"{name}_out")

    def _attention(self, hidden: str, arrays: Arrays, name: str) -> str:
        mixed = self.product(hidden, arrays, "qkv", f"{name}_qkv")
        parts = [f"{name}_{part}" for part in ("query", "key", "value")]
        self._nodes.append(self._helper.make_node("Split", [mixed], parts, axis=-1, num_outputs=3))
        by_distance = self.constant(f"{name}_by_distance", arrays["bias"].astype(np.float32)[None])
        whole = self.node("Gather", [by_distance, "distance"], f"{name}_bias_whole", axis=2)  # folded when it is loaded
        bias = self.node("Slice", [whole, "corner", "square", "last_two"], f"{name}_bias")
        heads = len(arrays["bias"])
        return self.node("MultiHeadAttention", [*parts, "", "", bias], f"{name}_seen", domain=_OWN, num_heads=heads)

    def product(self, hidden: str, arrays: Arrays, name: str, output: str) -> str:
        """Return `hidden @ weight + bias`."""
        weight = arrays[f"{name}_weight"].astype(np.float32)
        bias = self.constant(f"{output}_bias", arrays[f"{name}_bias"].astype(np.float32))
        if not self._whole:
            found = self.node("MatMul", [hidden, self.constant(f"{output}_weight", weight)], f"{output}_product")
            return self.node("Add", [found, bias], output)
        scale = np.maximum(np.abs(weight).max(axis=0), 1e-8) / _LARGEST
        whole = self.constant(f"{output}_weight", np.round(weight / scale).astype(np.int8))
        scales = self.constant(f"{output}_scale", scale.astype(np.float32))
        return self.node("DynamicQuantizeMatMul", [hidden, whole, scales, "", bias], output, domain=_OWN)

    def verdict(self, hidden: str, heads: Arrays) -> None:
        """Each label weighs the tokens by an attention of its own, and hears them all alike as well."""
        shares = self.node("Softmax", [self._plain(hidden, heads, "att")], "attention", axis=1)
        weighed = self.node("Mul", [shares, self._plain(hidden, heads, "val")], "weighed")
        count = self.node("Cast", ["length"], "count", to=self._kind.FLOAT)
        alike = self.node("Div", [self._plain(hidden, heads, "mean"), count], "alike")
        gains = self.node("Add", [weighed, alike], "gains")
        self.node("ReduceSum", [gains, self.constant("tokens", np.array([1]))], "logits", keepdims=0)

    def _plain(self, hidden: str, heads: Arrays, name: str) -> str:
        weight = self.constant(f"{name}_weight", heads[f"{name}_weight"].astype(np.float32))
        bias = self.constant(f"{name}_bias", heads[f"{name}_bias"].astype(np.float32))
        return self.node("Add", [self.node("MatMul", [hidden, weight], f"{name}_product"), bias], f"{name}_said")

    def serialised(self, kinds: int, labels: int) -> bytes:
        kind = self._kind
        asked = self._helper.make_tensor_value_info("ids", kind.INT64, ["tokens"])
        said = [
            self._helper.make_tensor_value_info("logits", kind.FLOAT, [1, labels]),
            self._helper.make_tensor_value_info("gains", kind.FLOAT, [1, "tokens", labels]),
        ]
        graph = self._helper.make_graph(self._nodes, "encoder", [asked], said, self._constants)
        opsets = [self._helper.make_opsetid("", _OPSET), self._helper.make_opsetid(_OWN, 1)]
        model = self._helper.make_model(graph, opset_imports=opsets, ir_version=_IR)
        self._helper.set_model_props(model, {"tokens": str(kinds)})
        found: bytes = model.SerializeToString()
        return found
