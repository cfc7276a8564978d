"""Fit a classifier for any codebook from passages labelled by hand.

Two linear models a label, logistic regression and a linear support vector machine, see the same rows; the mean of
their scaled margins is again one linear model, which is all that is kept. Everything that is chosen after fitting
(calibration, thresholds, abstain bands, the scores on the card) rests on margins of documents that the model did not
see: folds never share a document.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from policytext.errors import LabelError
from policytext.tag.classifier import Classifier
from policytext.tag.features import FeatureConfig, Features, Floats, code_points, fit, packed

log = logging.getLogger(__name__)

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class TrainConfig:
    """How to fit. The numbers were chosen by cross-validation by document on the default codebook's labels."""

    features: FeatureConfig = field(default_factory=FeatureConfig)
    folds: int = 5
    seed: int = 2021
    logistic_c: float = 3.0
    margin_c: float = 0.1
    pattern_weight: float = 0.05  # of a pattern count that lies one deviation from its mean, beside rows of length 1
    max_abstained: float = 0.15  # of the passages, a label


@dataclass(frozen=True)
class TrainingSet:
    """Labelled passages after conversion and segmentation, one entry a passage in every field."""

    labels: tuple[str, ...]
    texts: tuple[str, ...]  # simplified
    words: tuple[tuple[str, ...], ...]
    targets: Bools  # [passages x labels]
    groups: tuple[str, ...]  # document of each passage
    patterns: Floats | None = None  # [passages x counts]
    pattern_names: tuple[str, ...] = ()  # of the columns of `patterns`

    def __post_init__(self) -> None:
        sizes = {len(self.texts), len(self.words), len(self.targets), len(self.groups)}
        if len(sizes) > 1 or not self.texts:
            raise LabelError("texts, words, targets and groups must be of one length, and not empty")
        if self.patterns is not None and self.patterns.shape != (len(self.texts), len(self.pattern_names)):
            raise LabelError("patterns must have one row a text and one column a name")

    def take(self, rows: Ints) -> TrainingSet:
        """Return the passages of these positions."""
        return replace(
            self,
            texts=tuple(self.texts[i] for i in rows),
            words=tuple(self.words[i] for i in rows),
            targets=self.targets[rows],
            groups=tuple(self.groups[i] for i in rows),
            patterns=None if self.patterns is None else self.patterns[rows],
        )

    def sha256(self) -> str:
        """Return a hash over texts and labels, whatever their order."""
        rows = sorted(
            hashlib.sha256(f"{text}\x1f{''.join('01'[int(t)] for t in row)}".encode()).hexdigest()
            for text, row in zip(self.texts, self.targets, strict=True)
        )
        return hashlib.sha256("\n".join([*self.labels, *rows]).encode()).hexdigest()


def train(data: TrainingSet, config: TrainConfig | None = None, *, card: dict[str, Any] | None = None) -> Classifier:
    """Fit on all of `data`; calibrate, set thresholds and score on margins cross-fitted by document.

    `card` adds facts that only the caller knows: who labelled, limits, what was left out.

    Raises:
        LabelError: a label has too few passages or documents to be learnt; the message says which.
    """
    config = config or TrainConfig()
    _check_enough(data, config)
    margins, fold = cross_fit(data, config)
    scale = margins.std(axis=0) + 1e-6  # [heads x labels]
    combined = (margins / scale).mean(axis=1)
    slope, offset = calibrate(combined, data.targets)
    probabilities = _logistic(combined * slope + offset)
    threshold = best_thresholds(probabilities, data.targets)
    low, high = abstain_bands(probabilities, data.targets, threshold, config.max_abstained)
    fitted = _fit(data, config)
    weights, intercept = fitted.combined(scale)
    size = len(fitted.features)
    facts = {
        "data_sha256": data.sha256(),
        "passages": len(data.texts),
        "documents": len(set(data.groups)),
        "positives": dict(zip(data.labels, data.targets.sum(axis=0).tolist(), strict=True)),
        "config": asdict(config),
        "thresholds": _by_label(data.labels, threshold),
        "abstain": {label: [float(a), float(b)] for label, a, b in zip(data.labels, low, high, strict=True)},
        "cross_validation": score_card(data, probabilities, threshold, low, high, fold),
    }
    return Classifier(
        labels=data.labels,
        features=fitted.features,
        weights=weights[:size].astype(np.float32),
        intercept=intercept.astype(np.float32),
        pattern_names=data.pattern_names,
        pattern_weights=(weights[size:] * config.pattern_weight).astype(np.float32),
        pattern_center=fitted.center,
        pattern_scale=fitted.spread,
        slope=slope,
        offset=offset,
        threshold=threshold,
        low=low,
        high=high,
        card=json.loads(json.dumps(facts | (card or {}))),
    )


def _check_enough(data: TrainingSet, config: TrainConfig) -> None:
    for label, column in zip(data.labels, data.targets.T, strict=True):
        documents = len({group for group, applies in zip(data.groups, column, strict=True) if applies})
        if documents < config.folds or column.all():
            raise LabelError(
                f'label "{label}" applies to passages of {documents} documents; at least {config.folds} are needed '
                "with, and some passages without it: label more, or leave the label to its terms"
            )


def cross_fit(data: TrainingSet, config: TrainConfig) -> tuple[Floats, Ints]:
    """Return margins of models that did not see the passage's document [passages x heads x labels], and the folds."""
    fold = assign_folds(data.groups, config.folds, config.seed)
    margins = np.zeros((len(data.texts), 2, len(data.labels)), np.float32)
    for k in range(config.folds):
        seen, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        fitted, rest = _fit(data.take(seen), config), data.take(held)
        margins[held] = fitted.margins(rest)
        log.info("cross-fitting: %d of %d folds", k + 1, config.folds)
    return margins, fold


def assign_folds(groups: Sequence[str], folds: int, seed: int) -> Ints:
    """Spread documents over folds by a hash of their name: no order of input changes it."""
    key = [hashlib.sha256(f"{seed}\x1f{group}".encode()).digest() for group in groups]
    return np.array([int.from_bytes(digest[:8], "big") % folds for digest in key], dtype=np.int64)


@dataclass(frozen=True)
class _Fitted:
    """Two heads (logistic regression, support vectors) over the same rows."""

    features: Features
    center: Floats
    spread: Floats
    pattern_weight: float
    coefficients: NDArray[np.float64]  # [heads x (features + patterns) x labels]
    intercepts: NDArray[np.float64]  # [heads x labels]

    def rows(self, data: TrainingSet) -> csr_matrix:
        return _rows(data, self.features, self.center, self.spread, self.pattern_weight)

    def margins(self, data: TrainingSet) -> Floats:
        rows = self.rows(data)
        found = [rows @ c + i for c, i in zip(self.coefficients, self.intercepts, strict=True)]
        return np.stack(found, axis=1).astype(np.float32)

    def combined(self, scale: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return weights and intercept of the mean of the scaled heads."""
        return (self.coefficients / scale[:, None, :]).mean(axis=0), (self.intercepts / scale).mean(axis=0)


def _fit(data: TrainingSet, config: TrainConfig) -> _Fitted:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import LinearSVC

    features = fit(data.texts, data.words, data.groups, config.features)
    counts = np.zeros((len(data.texts), 0), np.float32) if data.patterns is None else np.log1p(data.patterns)
    center, spread = counts.mean(axis=0), counts.std(axis=0)
    spread = np.where(spread < 1e-6, 1.0, spread).astype(np.float32)
    rows = _rows(data, features, center, spread, config.pattern_weight)
    heads = (
        LogisticRegression(C=config.logistic_c, class_weight="balanced", solver="liblinear", random_state=config.seed),
        LinearSVC(C=config.margin_c, class_weight="balanced", random_state=config.seed),
    )
    coefficients, intercepts = [], []
    for head in heads:
        fits = [(fitted.coef_[0], fitted.intercept_[0]) for fitted in (head.fit(rows, y) for y in data.targets.T)]
        coefficients.append(np.stack([coefficient for coefficient, _ in fits], axis=1))
        intercepts.append([intercept for _, intercept in fits])
    return _Fitted(
        features, center.astype(np.float32), spread, config.pattern_weight, np.array(coefficients), np.array(intercepts)
    )


def _rows(data: TrainingSet, features: Features, center: Floats, spread: Floats, weight: float) -> csr_matrix:
    sparse = features.matrix(data.texts, data.words)
    if data.patterns is None or not data.patterns.shape[1]:
        return sparse
    dense = np.clip((np.log1p(data.patterns) - center) / spread, -5, 5) * weight
    rows: csr_matrix = hstack([sparse, csr_matrix(dense)], format="csr", dtype=np.float32)
    return rows


def calibrate(margins: Floats, targets: Bools) -> tuple[Floats, Floats]:
    """Return slope and offset a label of Platt's logistic calibration."""
    from sklearn.linear_model import LogisticRegression

    fits = [LogisticRegression(C=1e4).fit(margins[:, j : j + 1], targets[:, j]) for j in range(targets.shape[1])]
    slope = np.array([fitted.coef_[0, 0] for fitted in fits], np.float32)
    return slope, np.array([fitted.intercept_[0] for fitted in fits], np.float32)


def best_thresholds(probabilities: Floats, targets: Bools) -> Floats:
    """Return a threshold a label: the middle of those whose F1 is within 0.01 of the best.

    The very best threshold of one sample is often a lucky edge; the middle of the plateau carries over better.
    """
    found = []
    for scores, truth in zip(probabilities.T, targets.T, strict=True):
        order = np.argsort(-scores, kind="stable")
        hits = np.cumsum(truth[order])
        f1 = 2 * hits / (np.arange(1, len(hits) + 1) + truth.sum())
        found.append(np.median(scores[order][f1 >= f1.max() - 0.01]))
    return np.array(found, np.float32)


def abstain_bands(
    probabilities: Floats, targets: Bools, threshold: Floats, max_abstained: float
) -> tuple[Floats, Floats]:
    """Return the band a label around its threshold that, left undecided, raises F1 of the rest most.

    At most `max_abstained` of the passages fall into a band; the grid is over how many below and above.
    """
    low, high = threshold.copy(), threshold.copy()
    for j, (scores, truth) in enumerate(zip(probabilities.T, targets.T, strict=True)):
        below, above = np.sort(scores[scores < threshold[j]])[::-1], np.sort(scores[scores >= threshold[j]])
        budget = int(max_abstained * len(scores))
        best = -1.0
        for up in np.linspace(0, min(budget, len(above) // 2), 21).astype(int):
            down = min(budget - up, len(below) - 1)
            band = below[down], (above[up] if up < len(above) else np.inf)
            kept = (scores <= band[0]) | (scores >= band[1])
            f1 = _f1(truth[kept], scores[kept] >= threshold[j])
            if f1 > best:
                best, low[j], high[j] = f1, np.nextafter(np.float32(band[0]), np.float32(1)), band[1]
    return low, high


def score_card(
    data: TrainingSet, probabilities: Floats, threshold: Floats, low: Floats, high: Floats, fold: Ints
) -> dict[str, Any]:
    """Return cross-validated scores; thresholds of each fold come from the other folds, so none is chosen on itself."""
    decided = np.zeros_like(data.targets)
    for k in np.unique(fold):
        decided[fold == k] = probabilities[fold == k] >= best_thresholds(
            probabilities[fold != k], data.targets[fold != k]
        )
    f1 = np.array([_f1(t, d) for t, d in zip(data.targets.T, decided.T, strict=True)])
    kept = (probabilities < low) | (probabilities >= high)
    columns = range(len(data.labels))
    sure = [_f1(data.targets[kept[:, j], j], probabilities[kept[:, j], j] >= threshold[j]) for j in columns]
    return {
        "by": "document",
        "folds": int(fold.max() + 1),
        "macro_f1": round(float(f1.mean()), 4),
        "f1": _by_label(data.labels, f1),
        "expected_calibration_error": _by_label(
            data.labels, [calibration_error(probabilities[:, j], data.targets[:, j]) for j in columns]
        ),
        "abstain_coverage": _by_label(data.labels, kept.mean(axis=0)),
        "abstain_f1": _by_label(data.labels, sure),
    }


def calibration_error(probabilities: NDArray[Any], truth: Bools, bins: int = 10) -> float:
    """Return the expected calibration error over equal-width bins (Naeini et al. 2015).

    >>> calibration_error(np.array([0.25, 0.25, 0.25, 0.25]), np.array([True, False, False, False]))
    0.0
    """
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=probabilities - truth, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def _f1(truth: Bools, decided: Bools) -> float:
    hits = int((truth & decided).sum())
    return 2 * hits / max(1, int(truth.sum()) + int(decided.sum()))


def _logistic(logits: Floats) -> Floats:
    return (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)


def _by_label(labels: Sequence[str], values: Any) -> dict[str, float]:
    return {label: round(float(value), 4) for label, value in zip(labels, values, strict=True)}


def copies(texts: Sequence[str], held_out: Sequence[str], *, shared: float = 0.5) -> Ints:
    """Return positions of the texts that share at least half of their 8-character shingles with a held-out text.

    The share is of the shorter of the two, so that a passage quoted inside a longer one is found too.
    """
    ours, rows = _shingles(texts)
    theirs, held_rows = _shingles(held_out)
    owners: dict[int, list[int]] = {}
    for key, row in zip(theirs.tolist(), held_rows.tolist(), strict=True):
        owners.setdefault(key, []).append(row)
    mine, sizes = np.bincount(rows, minlength=len(texts)), np.bincount(held_rows, minlength=len(held_out))
    common: dict[tuple[int, int], int] = {}
    for at in np.flatnonzero(np.isin(ours, theirs)).tolist():
        for owner in owners[int(ours[at])]:
            pair = (int(rows[at]), owner)
            common[pair] = common.get(pair, 0) + 1
    found = {row for (row, owner), n in common.items() if n >= shared * min(mine[row], sizes[owner])}
    return np.array(sorted(found), dtype=np.int64)


def _shingles(texts: Sequence[str]) -> tuple[NDArray[np.uint64], Ints]:
    """Return the different 8-grams of each text, hashed from two packed 4-grams, and the text of each."""
    codes, rows = code_points(texts)
    ((_, keys),) = packed(codes, (4,))
    first, second = keys[:-4], keys[4:]
    whole = (first != 0) & (second != 0) & (rows[:-4] == rows[4:])[: len(first)]
    mixed = first[whole] * np.uint64(0x9E3779B97F4A7C15) ^ second[whole]
    pairs = np.unique(np.stack([mixed, rows[: len(first)][whole].astype(np.uint64)], axis=1), axis=0)
    return pairs[:, 0], pairs[:, 1].astype(np.int64)
