"""A small encoder that reads a passage word by word in its order: transformer blocks in NumPy, for doubtful passages.

Pre-trained without labels by masked words (Devlin et al. 2019) and fine-tuned on passages and their evidence clauses
(`benchmarks/encoder_train.py`, which needs PyTorch; this module does not). Blocks normalise first (Xiong et al. 2020)
and know the distance of two words, not their place, so that a clause says the same wherever it stands. Every label
looks where its own attention points, which was taught on the clauses that readers named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from policytext.errors import ModelError
from policytext.tag.features import Floats

LONGEST = 256  # tokens read of a passage: 400 characters have about 240
_FAR = 32  # distances beyond this are one and the same
_UNKNOWN = 2
_BLOCK_ARRAYS = (
    *("n1_weight", "n1_bias", "qkv_weight", "qkv_bias", "o_weight", "o_bias", "bias"),
    *("n2_weight", "n2_bias", "a_weight", "a_bias", "b_weight", "b_bias"),
)


@dataclass(frozen=True)
class Encoder:
    """The fitted encoder: a table of token vectors (int8, a row's numbers are `table * scale`), blocks and heads.

    `blocks` holds one dict of arrays a block; `heads` has `att`, `val` and `mean`, each [width x labels] with a bias.
    """

    tokens: tuple[str, ...]  # the first four are padding, mask, unknown, end of paragraph
    table: NDArray[np.int8]  # [tokens x width]
    scale: Floats  # [tokens]
    norms: dict[str, NDArray[Any]]  # n0 before the blocks, nf after them
    blocks: tuple[dict[str, NDArray[Any]], ...]
    heads: dict[str, NDArray[Any]]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens) if i > _UNKNOWN}

    @cached_property
    def _ready(self) -> tuple[dict[str, Floats], list[dict[str, Floats]], dict[str, Floats]]:
        """Weights as float32, once."""
        widen = [{name: array.astype(np.float32) for name, array in block.items()} for block in self.blocks]
        return (
            {name: array.astype(np.float32) for name, array in self.norms.items()},
            widen,
            {name: array.astype(np.float32) for name, array in self.heads.items()},
        )

    def encode(self, words: Sequence[str]) -> tuple[list[int], list[tuple[int, int]]]:
        """Return token numbers of a passage's words and the span of each; unknown words are read by character."""
        numbers: list[int] = []
        spans: list[tuple[int, int]] = []
        start = 0
        for word in words:
            known = self._index.get(word)
            if known is not None:
                numbers.append(known)
                spans.append((start, start + len(word)))
            elif not word.isspace():
                numbers += [self._index.get(mark, _UNKNOWN) for mark in word]
                spans += [(start + i, start + i + 1) for i in range(len(word))]
            start += len(word)
        return numbers[:LONGEST], spans[:LONGEST]

    def logits(self, words: Sequence[Sequence[str]]) -> Floats:
        """Return log-odds, not yet calibrated, float32 [passages x labels].

        Each passage is read alone and on one thread: as fast as batches of padded ones (5 ms for 80 words on one
        core), and what is read beside it, or by how many, changes no digit.
        """
        result = np.empty((len(words), self.heads["val_weight"].shape[1]), np.float32)
        with threadpool_limits(1):
            for line, one in zip(result, words, strict=True):
                line[:] = self._read(self.encode(one)[0])
        return result

    def _read(self, numbers: Sequence[int]) -> Floats:
        """Return log-odds [labels] of one passage: each label weighs the tokens by an attention of its own."""
        ids = np.array(numbers or [_UNKNOWN])
        norms, blocks, heads = self._ready
        hidden = self.table[ids].astype(np.float32) * self.scale[ids][:, None]
        hidden = _normalised(hidden, norms["n0_weight"], norms["n0_bias"])
        for block in blocks:
            hidden = _block(hidden, block)
        hidden = _normalised(hidden, norms["nf_weight"], norms["nf_bias"])
        attention = _softmax(hidden @ heads["att_weight"] + heads["att_bias"], axis=0)
        seen = (attention * (hidden @ heads["val_weight"] + heads["val_bias"])).sum(axis=0)
        logits: Floats = seen + hidden.mean(axis=0) @ heads["mean_weight"] + heads["mean_bias"]
        return logits

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays that need no pickle."""
        tokens = np.frombuffer("\n".join(self.tokens).encode("utf-8"), dtype=np.uint8)
        named = {f"block{i}_{name}": array for i, block in enumerate(self.blocks) for name, array in block.items()}
        heads = {f"head_{name}": array for name, array in self.heads.items()}
        return {"tokens": tokens, "table": self.table, "scale": self.scale, **self.norms, **named, **heads}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Encoder:
        """Rebuild what `arrays` gave.

        Raises:
            ModelError: the arrays do not fit together.
        """
        tokens = tuple(arrays["tokens"].tobytes().decode("utf-8").split("\n"))
        if len(tokens) != len(arrays["table"]) or len(tokens) != len(arrays["scale"]):
            raise ModelError("the tokens of the encoder do not fit its table; restore the model folder")
        count = sum(name.endswith("_qkv_weight") for name in arrays)
        blocks = tuple({name: arrays[f"block{i}_{name}"] for name in _BLOCK_ARRAYS} for i in range(count))
        norms = {name: arrays[name] for name in ("n0_weight", "n0_bias", "nf_weight", "nf_bias")}
        heads = {name.removeprefix("head_"): array for name, array in arrays.items() if name.startswith("head_")}
        return cls(tokens, arrays["table"], arrays["scale"], norms, blocks, heads)


def _block(hidden: Floats, block: dict[str, Floats]) -> Floats:
    """Attend, then transform, each added to what came in: [tokens x width]."""
    length, width = hidden.shape
    heads = len(block["bias"])
    mixed = _normalised(hidden, block["n1_weight"], block["n1_bias"]) @ block["qkv_weight"]
    mixed += block["qkv_bias"]
    query, key, value = mixed.reshape(length, 3, heads, width // heads).transpose(1, 2, 0, 3)
    place = np.arange(length)
    distance = np.clip(place[None, :] - place[:, None], -_FAR, _FAR) + _FAR
    scores = np.matmul(query * np.float32((width // heads) ** -0.5), key.swapaxes(-1, -2))
    scores += block["bias"][:, distance]
    met = np.matmul(_softmax(scores, axis=-1), value).transpose(1, 0, 2).reshape(length, width)
    hidden = hidden + met @ block["o_weight"]
    hidden += block["o_bias"]
    wide = _normalised(hidden, block["n2_weight"], block["n2_bias"]) @ block["a_weight"]
    wide += block["a_bias"]
    hidden += _gelu(wide) @ block["b_weight"]
    hidden += block["b_bias"]
    return hidden


def _normalised(hidden: Floats, weight: Floats, bias: Floats) -> Floats:
    result: Floats = hidden - hidden.mean(axis=-1, keepdims=True)
    variance = np.einsum("...i,...i->...", result, result)[..., None] / np.float32(hidden.shape[-1])
    result /= np.sqrt(variance + np.float32(1e-5))
    result *= weight
    result += bias
    return result


def _softmax(scores: Floats, axis: int) -> Floats:
    """Return shares along an axis; `scores` is overwritten."""
    scores -= scores.max(axis=axis, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=axis, keepdims=True)
    return scores


def _gelu(values: Floats) -> Floats:
    """Return the Gaussian error linear unit by its tanh form (Hendrycks and Gimpel 2016)."""
    inner = values * values
    inner *= np.float32(0.044715 * 0.7978846)
    inner += np.float32(0.7978846)
    inner *= values
    np.tanh(inner, out=inner)
    inner += 1
    inner *= values
    inner *= np.float32(0.5)
    return inner
