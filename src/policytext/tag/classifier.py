"""The fitted classifier: sparse rows times weights, calibrated, with a threshold and an abstain band a label.

At run time this is one sparse product; learning is in `train.py`. On disk it is a folder of two files, `arrays.npz`
(no pickle) and `card.json`, which says what it was learnt from, how good it is and what it must not be used for, and
holds the SHA-256 of the arrays.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from policytext.errors import ModelError
from policytext.tag.dense import Landmarks, WordVectors
from policytext.tag.encoder import Reading
from policytext.tag.features import Features, Floats
from policytext.tag.judging import logistic
from policytext.tag.second import SecondReading

FORMAT = 4
BATCH = 4096  # passages a sparse product: about 60 MB


@dataclass(frozen=True)
class Judged:
    """What a classifier says of passages."""

    probabilities: Floats  # calibrated, [passages x labels]
    readings: dict[int, Reading]  # of the passages that were read a second time, by their position


@dataclass(frozen=True)
class Classifier:
    """A gate that sees words alone, and behind it a model that sees words, n-grams, patterns and word vectors.

    Most passages of a corpus speak of something else. The gate, one sparse product, gives those their (small)
    probabilities; only passages whose gate margin reaches `gate_cut` for some label go on. There the margin is
    `rows @ weights + landmarks.compare(numbers) @ landmark_weights + intercept`. Where that leaves a doubt, a second
    reading may follow: an encoder that sees the words in their order.

    Margins become probabilities by `1 / (1 + exp(-(slope * margin + offset)))` (Platt 1999), learnt on passages whose
    documents the model had not seen. A label is decided yes from its threshold on; within `low` and `high` the
    classifier would rather abstain.
    """

    labels: tuple[str, ...]
    features: Features
    vectors: WordVectors
    landmarks: Landmarks
    pattern_names: tuple[str, ...]
    weights: NDArray[Any]  # [words and n-grams x labels]
    landmark_weights: Floats  # [landmarks x labels]
    intercept: Floats
    slope: Floats
    offset: Floats
    gate_weights: NDArray[Any]  # [words x labels]
    gate_intercept: Floats
    gate_slope: Floats
    gate_offset: Floats
    gate_cut: Floats
    threshold: Floats
    low: Floats
    high: Floats
    card: dict[str, Any]
    second: SecondReading | None = None
    trained_on: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))  # `text_hashes`

    def judge(
        self,
        texts: Sequence[str],
        words: Sequence[Sequence[str]],
        patterns: Callable[[list[str]], Floats] | None = None,
        embed: Callable[[list[str]], Floats] | None = None,
        *,
        explain: bool = True,
    ) -> Judged:
        """Return calibrated probabilities and, to explain them, what the second reading saw.

        `patterns` counts the codebook's patterns in texts, in the order of `pattern_names` (see `aligned`); `embed`
        gives their sentence embeddings.

        Raises:
            ModelError: the model counts on patterns or embeddings and none are given.
        """
        if self.pattern_names and patterns is None:
            raise ModelError("the model was trained with pattern counts; give the patterns of its codebook")
        if self.embeddings and embed is None:
            raise ModelError(
                "the model was trained with sentence embeddings; name their folder as [tag] embeddings in the config"
            )
        embed = embed if self.embeddings else None
        result: Floats = np.empty((len(texts), len(self.labels)), np.float32)
        readings: dict[int, Reading] = {}
        for start in range(0, len(texts), BATCH):
            part = slice(start, start + BATCH)
            found = self._batch(texts[part], words[part], patterns, embed)
            result[part] = found.probabilities
            if explain:
                readings |= {start + i: reading for i, reading in found.readings.items()}
        return Judged(result, readings)

    @property
    def embeddings(self) -> str:
        """Hash of the sentence-embedding model that the classifier was trained with; empty for none."""
        return str((self.card.get("embeddings") or {}).get("sha256", ""))

    def _batch(
        self,
        texts: Sequence[str],
        words: Sequence[Sequence[str]],
        patterns: Callable[[list[str]], Floats] | None,
        embed: Callable[[list[str]], Floats] | None,
    ) -> Judged:
        word_rows = self.features.word_rows(words)
        gate = word_rows @ self.gate_weights.astype(np.float32) + self.gate_intercept
        result = logistic(gate * self.gate_slope + self.gate_offset)
        readings: dict[int, Reading] = {}
        asked = np.flatnonzero((gate >= self.gate_cut).any(axis=1))
        if len(asked):
            chosen = [texts[i] for i in asked.tolist()]
            rows = self.features.joined(word_rows[asked], self.features.ngram_rows(chosen))
            chosen_words = [words[i] for i in asked.tolist()]
            numbers = self.numbers(
                chosen_words, patterns(chosen) if patterns else None, embed(chosen) if embed else None
            )
            margins = self.margins(rows, numbers)
            first = logistic(margins * self.slope + self.offset)
            if self.second is not None:
                first, read = self.second.refine(margins, first, chosen_words)
                readings = {int(asked[i]): reading for i, reading in read.items()}
            result[asked] = first
        return Judged(result, readings)

    def reading(self, which: Literal["doubtful", "all", "none"]) -> Classifier:
        """Return the classifier with a second reading of what it doubts, of every passage, or of none."""
        if which == "doubtful" or self.second is None:
            return self
        if which == "none":
            return replace(self, second=None)
        nothing, one = np.zeros_like(self.second.low), np.ones_like(self.second.high)
        open_gate = np.full_like(self.gate_cut, -np.inf)
        return replace(self, gate_cut=open_gate, second=replace(self.second, low=nothing, high=one))

    def margins(self, rows: csr_matrix, numbers: Floats) -> Floats:
        """Return margins before calibration, float32 [passages x labels]."""
        margins: Floats = rows @ self.weights.astype(np.float32) + self.intercept
        if len(self.landmark_weights):
            margins += self.landmarks.compare(numbers) @ self.landmark_weights
        return margins

    def numbers(
        self, words: Sequence[Sequence[str]], patterns: Floats | None, embedded: Floats | None = None
    ) -> Floats:
        """Return what landmarks compare: damped pattern counts, the mean word vector, the sentence embedding."""
        return dense_numbers(words, patterns, self.vectors, embedded)

    def aligned(self, patterns: NDArray[Any], names: Sequence[str]) -> Floats:
        """Return the counts that the model knows, in its order, from those of a codebook that was edited since.

        A count that the codebook no longer gives stands at its mean, so that it speaks neither for nor against.
        """
        if tuple(names) == self.pattern_names:
            return patterns
        place = {name: column for column, name in enumerate(names)}
        means = np.expm1(self.landmarks.center[: len(self.pattern_names)])
        result: Floats = np.tile(means, (len(patterns), 1)).astype(np.float32)
        for column, name in enumerate(self.pattern_names):
            if name in place:
                result[:, column] = patterns[:, place[name]]
        return result

    def unknown(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the counts that the model learnt and a codebook lacks, and those that only the codebook has."""
        learnt, given = set(self.pattern_names), set(names)
        return sorted(learnt - given), sorted(given - learnt)

    def decisions(self, probabilities: Floats, *, abstain: bool = False) -> NDArray[np.int8]:
        """Return 1 for yes, 0 for no, -1 for abstain, int8 of the shape of `probabilities`."""
        decided = (probabilities >= self.threshold).astype(np.int8)
        if abstain:
            decided[(probabilities >= self.low) & (probabilities < self.high)] = -1
        return decided

    def knows(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return which simplified texts the model was trained on: scores on these say little."""
        return np.isin(text_hashes(texts, ordered=False), self.trained_on)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything but the card as arrays."""
        parts = {
            "features": self.features.arrays(),
            "vectors": self.vectors.arrays(),
            "landmarks": self.landmarks.arrays(),
            "second": {} if self.second is None else self.second.arrays(),
        }
        own = {name: getattr(self, name) for name in _ARRAYS}
        own["trained_on"] = self.trained_on
        own["pattern_names"] = np.frombuffer("\n".join(self.pattern_names).encode("utf-8"), dtype=np.uint8)
        return own | {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def sha256(self) -> str:
        """Return a hash over everything that can change a decision."""
        digest = hashlib.sha256("\n".join(self.labels).encode())
        for name, array in sorted(self.arrays().items()):
            digest.update(name.encode() + array.tobytes())
        return digest.hexdigest()

    def save(self, folder: Path | str) -> None:
        """Write `arrays.npz` and `card.json`, each to a temporary name first."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / ".arrays.npz"
        with temporary.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **self.arrays())
        card = {
            "format": FORMAT,
            "labels": list(self.labels),
            "arrays_sha256": hashlib.sha256(temporary.read_bytes()).hexdigest(),
            **{key: value for key, value in self.card.items() if key not in ("format", "labels", "arrays_sha256")},
        }
        written = folder / ".card.json"
        written.write_text(json.dumps(card, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        temporary.replace(folder / "arrays.npz")
        written.replace(folder / "card.json")

    @classmethod
    def load(cls, folder: Path | str) -> Classifier:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is missing, was altered after training, or is of another format.
        """
        folder = Path(folder)
        card = _read_card(folder / "card.json")
        content = _read_bytes(folder / "arrays.npz")
        if hashlib.sha256(content).hexdigest() != card.get("arrays_sha256"):
            raise ModelError(
                f"{folder / 'arrays.npz'}: differs from the file that card.json describes; restore both or train again"
            )
        try:
            with np.load(folder / "arrays.npz", allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files}
            return cls._from_arrays(arrays, card)
        except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise ModelError(f"{folder / 'arrays.npz'}: not a model of this format: {error}") from error

    @classmethod
    def _from_arrays(cls, arrays: dict[str, NDArray[Any]], card: dict[str, Any]) -> Classifier:
        parts: dict[str, dict[str, NDArray[Any]]] = {"features": {}, "vectors": {}, "landmarks": {}, "second": {}}
        for name, array in arrays.items():
            part, _, rest = name.partition(".")
            if rest:
                parts[part][rest] = array
        names = arrays["pattern_names"].tobytes().decode("utf-8")
        return cls(
            labels=tuple(card["labels"]),
            features=Features.from_arrays(parts["features"]),
            vectors=WordVectors.from_arrays(parts["vectors"]),
            landmarks=Landmarks(**parts["landmarks"]),
            pattern_names=tuple(names.split("\n")) if names else (),
            card=card,
            second=SecondReading.from_arrays(parts["second"]) if parts["second"] else None,
            trained_on=arrays.get("trained_on", np.zeros(0, np.uint64)),
            **{name: arrays[name] for name in _ARRAYS},
        )


def text_hashes(texts: Sequence[str], *, ordered: bool = True) -> NDArray[np.uint64]:
    """Return 64 bits of the SHA-256 of each text without its white space, by default sorted."""
    bare = ("".join(text.split()).encode("utf-8", "surrogatepass") for text in texts)
    digests = b"".join(hashlib.sha256(text).digest()[:8] for text in bare)
    found = np.frombuffer(digests, np.uint64)
    return np.sort(found) if ordered else found


def dense_numbers(
    words: Sequence[Sequence[str]], patterns: Floats | None, vectors: WordVectors, embedded: Floats | None = None
) -> Floats:
    """Return damped pattern counts, mean word vectors, and sentence embeddings, float32 [passages x numbers]."""
    parts = [vectors.means(words)]
    if patterns is not None:
        parts.insert(0, np.log1p(patterns))
    if embedded is not None:
        parts.append(embedded)
    return np.hstack(parts).astype(np.float32)


_ARRAYS = (
    *("weights", "landmark_weights", "intercept", "slope", "offset", "threshold", "low", "high"),
    *("gate_weights", "gate_intercept", "gate_slope", "gate_offset", "gate_cut"),
)


def _read_card(path: Path) -> dict[str, Any]:
    content = _read_bytes(path)
    try:
        card = json.loads(content.decode("utf-8"))
    except ValueError as error:
        raise ModelError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else None
        raise ModelError(f"{path}: format {found!r}, this policytext reads format {FORMAT}; train the model again")
    return card


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(f"{path}: no such file; check [tag] model in the config, or train one") from None
