"""A small encoder that reads a passage word by word in its order: transformer blocks, for doubtful passages.

Pre-trained without labels by masked words (Devlin et al. 2019) and fine-tuned on passages and their evidence clauses
(`benchmarks/encoder_train.py`, which needs PyTorch; this module does not). Blocks normalise first (Xiong et al. 2020)
and know the distance of two words, not their place, so that a clause says the same wherever it stands. Every label
looks where its own attention points, which was taught on the clauses that readers named. ONNX Runtime does the sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policytext.errors import ModelError
from policytext.tag.features import Floats
from policytext.tag.graph import LONGEST, Arrays, encoder_graph
from policytext.tag.sessions import open_session

_UNKNOWN = 2


@dataclass(frozen=True)
class Reading:
    """What the encoder says of one passage, and why."""

    logits: Floats  # [labels], not yet calibrated
    words: Sequence[str]
    tokens: list[tuple[int, int]]  # span of each
    token_gains: Floats  # [tokens x labels]; they add up to the log-odds

    @cached_property
    def by_word(self) -> tuple[list[tuple[int, int]], Floats]:
        """Spans of the words that were read, and what each adds; a word read by character has their sum."""
        ends = np.cumsum([len(word) for word in self.words] or [0])
        owner = np.searchsorted(ends, [start for start, _ in self.tokens or [(0, 0)]], side="right")
        kept, place = np.unique(np.minimum(owner, len(ends) - 1), return_inverse=True)
        gains = np.zeros((len(kept), self.token_gains.shape[1]), np.float32)
        np.add.at(gains, place, self.token_gains)
        return [(int(ends[i]) - len(self.words[i]) if self.words else 0, int(ends[i])) for i in kept], gains


@dataclass(frozen=True)
class Encoder:
    """The fitted encoder: the tokens that it knows, and its ONNX graph (see `graph.py`) as bytes."""

    tokens: tuple[str, ...]  # the first four are padding, mask, unknown, end of paragraph
    graph: NDArray[np.uint8]

    @classmethod
    def made(
        cls, tokens: Sequence[str], vectors: Floats, norms: Arrays, blocks: Sequence[Arrays], heads: Arrays
    ) -> Encoder:
        """Return an encoder of these weights, named as in `encoder_graph`."""
        graph = encoder_graph(vectors, norms, blocks, heads)
        return cls(tuple(tokens), np.frombuffer(graph, np.uint8))

    @cached_property
    def _index(self) -> dict[str, int]:
        return {token: i for i, token in enumerate(self.tokens) if i > _UNKNOWN}

    @cached_property
    def _session(self) -> Any:
        return open_session(self.graph.tobytes())

    @property
    def labels(self) -> int:
        """How many labels the encoder speaks of."""
        return int(self._session.get_outputs()[0].shape[1])

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

    def read(self, words: Sequence[str]) -> Reading:
        """Read a passage, given as words.

        Each passage is read alone and on one thread (about 1 ms for 80 words on one core): what is read beside it, or
        by how many, changes no digit.
        """
        numbers, spans = self.encode(words)
        logits, gains = self._run(numbers)
        return Reading(logits, words, spans, gains)

    def logits(self, numbers: Sequence[Sequence[int]]) -> Floats:
        """Return log-odds, not yet calibrated, float32 [passages x labels], of passages given as token numbers."""
        return np.array([self._run(one)[0] for one in numbers], np.float32)

    def _run(self, numbers: Sequence[int]) -> tuple[Floats, Floats]:
        logits, gains = self._session.run(None, {"ids": np.array(numbers or [_UNKNOWN], np.int64)})
        return logits[0], gains[0]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays that need no pickle."""
        return {"tokens": np.frombuffer("\n".join(self.tokens).encode("utf-8"), dtype=np.uint8), "graph": self.graph}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Encoder:
        """Rebuild what `arrays` gave.

        Raises:
            ModelError: the arrays do not fit together, or the graph is none.
        """
        found = cls(tuple(arrays["tokens"].tobytes().decode("utf-8").split("\n")), arrays["graph"])
        try:
            session = found._session
        except Exception as error:  # ONNX Runtime's errors have no other class in common
            raise ModelError(f"the encoder's graph cannot be loaded ({error}); restore the model folder") from error
        names = [node.name for node in (*session.get_inputs(), *session.get_outputs())]
        if names != ["ids", "logits", "gains"]:
            raise ModelError(f"the encoder's graph has {', '.join(names)}, not ids, logits, gains; restore the model")
        known = session.get_modelmeta().custom_metadata_map.get("tokens")
        if known != str(len(found.tokens)):
            raise ModelError("the tokens of the encoder do not fit its table; restore the model folder")
        return found
