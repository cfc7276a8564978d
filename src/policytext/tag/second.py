"""A second reading: an encoder looks again at the passages of which the kernel machine is unsure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policytext.errors import ModelError
from policytext.tag.encoder import Encoder, Reading
from policytext.tag.features import Floats
from policytext.tag.judging import f1_of, logistic

_ENCODER = "encoder."
_OWN = ("margin_weight", "encoder_weight", "offset", "low", "high")


@dataclass(frozen=True)
class SecondReading:
    """The encoder, how much each reader's word counts, and which passages are read again.

    A passage is read again when its first probability lies within `low` and `high` for some label; then its
    probability for every label is `1 / (1 + exp(-(margin_weight * margin + encoder_weight * log-odds + offset)))`,
    learnt like a calibration on passages that neither reader had seen. Arrays have one entry a label.
    """

    encoder: Encoder
    margin_weight: Floats
    encoder_weight: Floats
    offset: Floats
    low: Floats
    high: Floats

    def refine(
        self, margins: Floats, first: Floats, words: Sequence[Sequence[str]]
    ) -> tuple[Floats, dict[int, Reading]]:
        """Return probabilities [passages x labels], those of `first` where there was no doubt; and what was read."""
        asked = np.flatnonzero(doubtful(first, self.low, self.high)).tolist()
        readings = {i: self.encoder.read(words[i]) for i in asked}
        result = first.copy()
        if readings:
            logits = np.stack([reading.logits for reading in readings.values()])
            result[asked] = self.joined(margins[asked], logits)
        return result, readings

    def joined(self, margins: Floats, logits: Floats) -> Floats:
        """Return probabilities from both readers' words."""
        return logistic(margins * self.margin_weight + logits * self.encoder_weight + self.offset)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays that need no pickle."""
        encoder = {_ENCODER + name: array for name, array in self.encoder.arrays().items()}
        return {name: getattr(self, name) for name in _OWN} | encoder

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> SecondReading:
        """Rebuild what `arrays` gave.

        Raises:
            ModelError: the arrays do not fit together.
        """
        encoder = {name.removeprefix(_ENCODER): array for name, array in arrays.items() if name.startswith(_ENCODER)}
        found = cls(Encoder.from_arrays(encoder), **{name: arrays[name] for name in _OWN})
        if found.encoder.labels != len(found.margin_weight):
            raise ModelError("the encoder does not speak of the labels of the classifier; restore the model folder")
        return found


def doubtful(first: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    """Say which passages are read again, from their first probabilities [passages x labels]."""
    return np.asarray(((first >= low) & (first <= high)).any(axis=1), dtype=np.bool_)


def fit(encoder: Encoder, margins: Floats, logits: Floats, targets: NDArray[np.bool_]) -> SecondReading:
    """Learn the weights a label by logistic regression on both readers' log-odds of passages that neither had seen.

    Every passage counts as doubtful; `band` says which are worth asking for.
    """
    from sklearn.linear_model import LogisticRegression

    weights = []
    for j in range(targets.shape[1]):
        both = np.stack([margins[:, j], logits[:, j]], axis=1)
        fitted = LogisticRegression(C=1e4).fit(both, targets[:, j])
        weights.append([*fitted.coef_[0], fitted.intercept_[0]])
    columns = np.array(weights, np.float32).T
    nothing, all_ = np.zeros(targets.shape[1], np.float32), np.ones(targets.shape[1], np.float32)
    return SecondReading(encoder, columns[0], columns[1], columns[2], nothing, all_)


def band(
    first: Floats, both: Floats, targets: NDArray[np.bool_], threshold: Floats, price: float
) -> tuple[Floats, Floats]:
    """Return, a label, the band of first probabilities in which a second reading pays: low and high.

    A reading that turns a decision changes the label's F1 by about (2 y - F1) / (positives + decided yes), up for
    a yes and down for a no (the derivative of F1); one that turns nothing changes nothing. Each costs `price /
    passages`: reading all of them would have to bring `price`. The band is where the sum of gains less costs is highest
    (maximum subarray, Kadane's algorithm); it never ends between equal probabilities. A label for which no reading
    pays has an empty band, from 1 to 0. What a passage read for one label gains or loses in others is not counted.
    """
    low, high = np.ones(first.shape[1], np.float32), np.zeros(first.shape[1], np.float32)
    for j, (p, after, y, cut) in enumerate(zip(first.T, both.T, targets.T, threshold, strict=True)):
        decided = after >= cut
        turned = decided.astype(int) - (p >= cut)
        gain = (2 * y - f1_of(y, decided)) * turned / max(1, int(y.sum() + decided.sum())) - price / len(p)
        values, place = np.unique(p, return_inverse=True)
        total = np.concatenate([[0.0], np.cumsum(np.bincount(place, weights=gain))])
        lowest = np.minimum.accumulate(total)
        end = int(np.argmax(total - lowest))
        if total[end] > lowest[end]:
            low[j], high[j] = values[int(np.argmin(total[: end + 1]))], values[end - 1]
    return low, high
