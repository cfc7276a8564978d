"""What a passage is about, as a few hundred numbers: pattern counts and the mean of its words' vectors.

A smooth function of these numbers is learnt as a kernel machine over landmarks: passages of the training set to which
every passage is compared (the Nystroem approximation of a Gaussian kernel, Williams and Seeger 2001). Terms that no
labelled passage holds still count, through the groups of the codebook and through the neighbours of their vectors.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from policytext.errors import ModelError
from policytext.tag.features import Floats

_BLOCK = 256  # passages compared with all landmarks at a time: 1.5 MB, which the cache holds


@dataclass(frozen=True)
class WordVectors:
    """Vectors learnt from unlabelled texts; `matrix` is int8, a row's numbers are `matrix * scale`.

    `weight` damps frequent words (smooth inverse frequency, Arora et al. 2017).
    """

    words: tuple[str, ...]
    matrix: NDArray[np.int8]
    scale: Floats  # [words]
    weight: Floats  # [words]

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def _weighted(self) -> Floats:
        result: Floats = self.matrix.astype(np.float32) * (self.scale * self.weight)[:, None]
        return result

    def means(self, words: Sequence[Sequence[str]]) -> Floats:
        """Return the weighted mean vector of each passage's known words, float32 [passages x dimensions]."""
        get = self._index.get
        columns = np.fromiter(map(get, chain.from_iterable(words), repeat(-1)), np.int32)
        lengths = np.fromiter(map(len, words), np.int64, len(words))
        rows = np.repeat(np.arange(len(words)), lengths)[columns >= 0]
        columns = columns[columns >= 0]
        counts = csr_matrix((np.ones(len(columns), np.float32), (rows, columns)), shape=(len(words), len(self.words)))
        known = np.maximum(np.bincount(rows, minlength=len(words)), 1)
        result: Floats = (counts @ self._weighted / known[:, None]).astype(np.float32)
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays that need no pickle."""
        words = np.frombuffer("\n".join(self.words).encode("utf-8"), dtype=np.uint8)
        return {"words": words, "matrix": self.matrix, "scale": self.scale, "weight": self.weight}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> WordVectors:
        """Rebuild what `arrays` gave.

        Raises:
            ModelError: the arrays do not fit together.
        """
        joined = arrays["words"].tobytes().decode("utf-8")
        words = tuple(joined.split("\n")) if joined else ()
        if len(words) != len(arrays["matrix"]):
            raise ModelError("the words of the vectors do not fit their matrix; restore the model folder")
        return cls(words, arrays["matrix"], arrays["scale"], arrays["weight"])

    @classmethod
    def load(cls, folder: Path | str) -> WordVectors:
        """Read `vectors.npz` and check it against the SHA-256 in `card.json`.

        Raises:
            ModelError: a file is missing or was altered.
        """
        path = Path(folder) / "vectors.npz"
        try:
            content = path.read_bytes()
            card = json.loads((Path(folder) / "card.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ModelError(f"{error.filename}: no such file; restore the folder of word vectors") from None
        if hashlib.sha256(content).hexdigest() != card.get("arrays_sha256"):
            raise ModelError(f"{path}: differs from the file that card.json describes; restore both")
        with np.load(path, allow_pickle=False) as stored:
            return cls.from_arrays({name: stored[name] for name in stored.files})


@dataclass(frozen=True)
class Landmarks:
    """Scaled passages to compare with: `points` is [landmarks x numbers], already divided by the kernel's width."""

    center: Floats  # [numbers]
    scale: Floats  # [numbers]; what a difference is divided by
    limit: Floats  # [numbers]; scaled differences from the centre end here
    points: NDArray[np.float16]

    def place(self, numbers: Floats) -> Floats:
        """Return numbers centred, scaled and cut at the limit."""
        result: Floats = np.clip((numbers - self.center) / self.scale, -self.limit, self.limit).astype(np.float32)
        return result

    @cached_property
    def _doubled(self) -> tuple[Floats, Floats]:
        """Twice the points, laid out for the product, and their squared norms."""
        points = self.points.astype(np.float32)
        return np.ascontiguousarray(2 * points.T), (points**2).sum(axis=1)

    def compare(self, numbers: Floats) -> Floats:
        """Return the Gaussian kernel with every landmark, float32 [passages x landmarks]."""
        doubled, norms = self._doubled
        result = np.empty((len(numbers), len(self.points)), np.float32)
        for start in range(0, len(numbers), _BLOCK):
            part = self.place(numbers[start : start + _BLOCK])
            block = result[start : start + _BLOCK]
            np.matmul(part, doubled, out=block)  # minus the squared distance, piece by piece and in place
            block -= norms
            block -= (part**2).sum(axis=1)[:, None]
            np.minimum(block, 0, out=block)
            np.exp(block, out=block)
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays that need no pickle."""
        return {"center": self.center, "scale": self.scale, "limit": self.limit, "points": self.points}


def landmarks(numbers: Floats, relief: Floats, *, size: int, width: float, seed: int) -> Landmarks:
    """Choose landmarks among the rows of `numbers` and learn their scale.

    A difference of one standard deviation counts for `relief` (one a column). `width` is the kernel's squared width a
    column: passages that differ by 1 in every column have a similarity of exp(-1 / (2 width)). Columns that never
    vary have no say; differences from the mean end at five deviations.
    """
    spread = numbers.std(axis=0)
    varying = spread > 1e-6
    unit = np.sqrt(2 * width * max(int(varying.sum()), 1))
    deviation = np.where(varying, spread, 1.0)
    scale = (deviation * unit / relief).astype(np.float32)
    limit = np.where(varying, 5 * relief / unit, 0.0).astype(np.float32)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(numbers))[:size])
    empty = Landmarks(numbers.mean(axis=0).astype(np.float32), scale, limit, np.zeros((0, len(scale)), np.float16))
    return Landmarks(empty.center, scale, limit, empty.place(numbers[chosen]).astype(np.float16))
