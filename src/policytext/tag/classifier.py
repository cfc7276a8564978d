"""The fitted classifier: sparse rows times weights, calibrated, with a threshold and an abstain band a label.

At run time this is one sparse product; learning is in `train.py`. On disk it is a folder of two files, `arrays.npz`
(no pickle) and `card.json`, which says what it was learnt from, how good it is and what it must not be used for, and
holds the SHA-256 of the arrays.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policytext.errors import ModelError
from policytext.tag.features import Features, Floats

FORMAT = 1
BATCH = 4096  # passages a sparse product: about 60 MB


@dataclass(frozen=True)
class Classifier:
    """Weights of one linear model a label over words, n-grams and pattern counts.

    `weights` is [features x labels], `pattern_weights` [patterns x labels]. The margin of a passage becomes a
    probability by `1 / (1 + exp(-(slope * margin + offset)))` (Platt 1999), learnt on margins of passages whose
    documents the model had not seen. A label is decided yes from its threshold on; within `low` and `high` the
    classifier would rather abstain.
    """

    labels: tuple[str, ...]
    features: Features
    weights: Floats
    intercept: Floats
    pattern_names: tuple[str, ...]
    pattern_weights: Floats
    pattern_center: Floats
    pattern_scale: Floats
    slope: Floats
    offset: Floats
    threshold: Floats
    low: Floats
    high: Floats
    card: dict[str, Any]

    def margins(
        self, texts: Sequence[str], words: Sequence[Sequence[str]], patterns: NDArray[Any] | None = None
    ) -> Floats:
        """Return margins before calibration, float32 [len(texts) x labels].

        Raises:
            ModelError: the model counts on patterns that are missing or of another codebook.
        """
        result: Floats = np.empty((len(texts), len(self.labels)), np.float32)
        for start in range(0, len(texts), BATCH):
            part = slice(start, start + BATCH)
            result[part] = self.features.matrix(texts[part], words[part]) @ self.weights
        result += self.intercept + self._pattern_margins(patterns)
        return result

    def _pattern_margins(self, patterns: NDArray[Any] | None) -> Floats | float:
        expected = len(self.pattern_center)
        found = 0 if patterns is None else patterns.shape[1]
        if expected != found:
            raise ModelError(
                f"the model was trained with {expected} pattern counts, the codebook gives {found}; "
                "train again with this codebook: policytext train --labels F"
            )
        if patterns is None or not expected:
            return 0.0
        margins: Floats = self.scaled(patterns) @ self.pattern_weights
        return margins

    def aligned(self, patterns: NDArray[Any], names: Sequence[str]) -> Floats:
        """Return the counts that the model knows, in its order, from those of a codebook that was edited since.

        A count that the codebook no longer gives stands at its mean, so that it speaks neither for nor against.
        """
        if tuple(names) == self.pattern_names:
            return patterns
        place = {name: column for column, name in enumerate(names)}
        result: Floats = np.tile(np.expm1(self.pattern_center), (len(patterns), 1)).astype(np.float32)
        for column, name in enumerate(self.pattern_names):
            if name in place:
                result[:, column] = patterns[:, place[name]]
        return result

    def unknown(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the counts that the model learnt and a codebook lacks, and those that only the codebook has."""
        learnt, given = set(self.pattern_names), set(names)
        return sorted(learnt - given), sorted(given - learnt)

    def scaled(self, patterns: NDArray[Any]) -> Floats:
        """Return pattern counts as the weights expect them: damped, centred, scaled, at most five deviations off."""
        spread = (np.log1p(patterns) - self.pattern_center) / self.pattern_scale
        clipped: Floats = np.clip(spread, -5, 5).astype(np.float32, copy=False)
        return clipped

    def probabilities(
        self, texts: Sequence[str], words: Sequence[Sequence[str]], patterns: NDArray[Any] | None = None
    ) -> Floats:
        """Return calibrated probabilities, float32 [len(texts) x labels]."""
        logits = self.margins(texts, words, patterns) * self.slope + self.offset
        found: Floats = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
        return found

    def decisions(self, probabilities: Floats, *, abstain: bool = False) -> NDArray[np.int8]:
        """Return 1 for yes, 0 for no, -1 for abstain, int8 of the shape of `probabilities`."""
        decided = (probabilities >= self.threshold).astype(np.int8)
        if abstain:
            decided[(probabilities >= self.low) & (probabilities < self.high)] = -1
        return decided

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything but the card as arrays."""
        own = {name: getattr(self, name) for name in _ARRAYS}
        own["pattern_names"] = np.frombuffer("\n".join(self.pattern_names).encode("utf-8"), dtype=np.uint8)
        return own | {f"features.{name}": array for name, array in self.features.arrays().items()}

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
            own = {name: arrays[name] for name in _ARRAYS}
            names = tuple(arrays["pattern_names"].tobytes().decode("utf-8").split("\n"))
        except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise ModelError(f"{folder / 'arrays.npz'}: not a model of this format: {error}") from error
        features = Features.from_arrays(
            {name.removeprefix("features."): array for name, array in arrays.items() if name.startswith("features.")}
        )
        return cls(
            labels=tuple(card["labels"]),
            features=features,
            card=card,
            pattern_names=names if names != ("",) else (),
            **own,
        )


_ARRAYS = (
    *("weights", "intercept", "pattern_weights", "pattern_center", "pattern_scale"),
    *("slope", "offset", "threshold", "low", "high"),
)


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(_read_bytes(path).decode("utf-8"))
    except ValueError as error:
        raise ModelError(f"{path}: not valid JSON: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else None
        raise ModelError(f"{path}: format {found!r}, this policytext reads format {FORMAT}; train the model again")
    return card


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ModelError(f"{path}: no such file; check [tag] model in the config, or train one") from None
