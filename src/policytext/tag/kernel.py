"""The kernel machine and its gate: ridge regression over two kernels, and a linear model of words that imitates it.

One Gram matrix serves all labels and all folds (`train.py`). `views` learns vocabulary, weights and landmarks, none of
which sees a label; `fit` solves for the passages that it may see.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from policytext.config import data_root
from policytext.tag.classifier import dense_numbers
from policytext.tag.dense import Landmarks, WordVectors, landmarks
from policytext.tag.features import Features, Floats
from policytext.tag.features import fit as fit_features
from policytext.tag.judging import Bools, Ints

if TYPE_CHECKING:
    from policytext.tag.train import TrainConfig, TrainingSet, Unlabelled


@dataclass(frozen=True)
class Views:
    """Everything of the passages that models see, and the kernels between all of them."""

    features: Features
    vectors: WordVectors
    landmarks: Landmarks
    rows: Any  # sparse [passages x features]
    compared: Floats  # [passages x landmarks]
    projection: NDArray[np.float64]  # [landmarks x landmarks], inverse of the kernel among them
    gram: Floats  # Gram matrix of the model
    other_rows: Any  # of the passages without labels
    other_compared: Floats

    @property
    def words(self) -> int:
        """How many of the features are words, which the gate sees."""
        return len(self.features.words)


def views(data: TrainingSet, config: TrainConfig, unlabelled: Unlabelled | None) -> Views:
    """Learn vocabulary, weights and landmarks, none of which sees a label, and compute the kernels."""
    features = fit_features(data.texts, data.words, data.groups, config.features)
    rows = features.matrix(data.texts, data.words)
    vectors = _vectors(config)
    numbers = dense_numbers(data.words, data.patterns, vectors, data.embedded)
    relief = np.ones(numbers.shape[1], np.float32)
    relief[: len(data.pattern_names)] = config.pattern_relief
    near = landmarks(numbers, relief, size=config.landmarks, width=config.width, seed=config.seed)
    compared = near.compare(numbers)
    projection = _inverse(np.exp(-_distances(near.points.astype(np.float64))))
    gram = (rows @ rows.T).toarray()
    gram += (config.dense_share * compared @ projection.astype(np.float32)) @ compared.T
    other_rows, other_compared = rows[:0], compared[:0]
    if unlabelled is not None and unlabelled.texts:
        other_rows = features.matrix(unlabelled.texts, unlabelled.words)
        other = dense_numbers(unlabelled.words, unlabelled.patterns, vectors, unlabelled.embedded)
        other_compared = near.compare(other)
    return Views(features, vectors, near, rows, compared, projection, gram, other_rows, other_compared)


def _vectors(config: TrainConfig) -> WordVectors:
    if config.vectors:
        return WordVectors.load(data_root() / config.vectors)
    return WordVectors((), np.zeros((0, 0), np.int8), np.zeros(0, np.float32), np.zeros(0, np.float32))


def _distances(points: NDArray[np.float64]) -> NDArray[np.float64]:
    norms = (points**2).sum(axis=1)
    found: NDArray[np.float64] = np.maximum(norms[:, None] + norms - 2 * points @ points.T, 0)
    return found


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Invert a kernel matrix after adding 0.001 to its diagonal, which keeps twins among landmarks harmless."""
    inverse = np.linalg.inv(matrix + 1e-3 * np.eye(len(matrix)))
    symmetric: NDArray[np.float64] = (inverse + inverse.T) / 2
    return symmetric


def solve(gram: Floats, targets: Bools, ridge: float) -> tuple[Floats, Floats]:
    """Return dual coefficients and intercept of kernel ridge regression on labels of -1 and 1."""
    from sklearn.kernel_ridge import KernelRidge

    signs = (2 * targets - 1).astype(np.float32)
    mean = signs.mean(axis=0)
    fitted = KernelRidge(alpha=ridge, kernel="precomputed").fit(gram, signs - mean)
    return np.asarray(fitted.dual_coef_, np.float32), mean


@dataclass(frozen=True)
class Fitted:
    """A model and its gate, as the classifier keeps them, in full precision."""

    dual: Floats  # [passages it was fitted on x labels]
    intercept: Floats
    weights: Floats  # [features x labels]
    landmark_weights: Floats  # [landmarks x labels]
    gate_weights: Floats  # [words x labels]
    gate_intercept: Floats


def fit(views: Views, data: TrainingSet, seen: Ints, config: TrainConfig) -> Fitted:
    """Fit the model on the passages `seen`, and a gate that imitates it on these and on the passages without labels."""
    from scipy.sparse import vstack
    from sklearn.linear_model import Ridge

    gram = views.gram[np.ix_(seen, seen)]
    dual, intercept = solve(gram, data.targets[seen], config.ridge)
    rows, compared = views.rows[seen], views.compared[seen]
    weights = rows.T @ dual
    landmark_weights = config.dense_share * views.projection.T @ (compared.T @ dual)
    others = views.other_rows @ weights + views.other_compared @ landmark_weights.astype(np.float32) + intercept
    said = np.vstack([gram @ dual + intercept, others])
    words = vstack([part[:, : views.words] for part in (rows, views.other_rows)], format="csr")
    gate_weights, gate_intercept = np.zeros((0, said.shape[1]), np.float32), said.mean(axis=0)
    if words.shape[1]:  # a tiny training set may have no word in two documents
        gate = Ridge(alpha=config.gate_ridge, solver="sparse_cg", tol=1e-4).fit(words, said)
        gate_weights, gate_intercept = np.atleast_2d(gate.coef_).T, np.atleast_1d(gate.intercept_)
    return Fitted(
        dual,
        intercept,
        weights,
        landmark_weights,
        gate_weights.astype(np.float32),
        gate_intercept.astype(np.float32),
    )
