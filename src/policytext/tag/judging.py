"""What margins of unseen documents say: calibration, thresholds, abstain bands, and the scores on a model's card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policytext.tag.features import Floats

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


def logistic(logits: NDArray[Any]) -> Floats:
    """Return probabilities of log-odds."""
    found: Floats = (1 / (1 + np.exp(-np.clip(logits, -30, 30)))).astype(np.float32)
    return found


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
            first = np.nextafter(np.float32(below[down]), np.float32(1)) if len(below) else threshold[j]
            last = above[up] if up < len(above) else threshold[j]
            kept = (scores < first) | (scores >= last)
            f1 = f1_of(truth[kept], scores[kept] >= threshold[j])
            if f1 > best:
                best, low[j], high[j] = f1, first, last
    return low, high


def score_card(
    labels: Sequence[str],
    targets: Bools,
    probabilities: Floats,
    fold: Ints,
    max_abstained: float,
) -> dict[str, Any]:
    """Return cross-validated scores.

    Thresholds and abstain bands of each fold come from the other folds, so that none is chosen on what it is scored on.
    """
    decided = decided_by_others(probabilities, targets, fold)
    f1 = np.array([f1_of(t, d) for t, d in zip(targets.T, decided.T, strict=True)])
    kept = sure_by_others(probabilities, targets, fold, max_abstained)
    columns = range(len(labels))
    sure = [f1_of(targets[kept[:, j], j], decided[kept[:, j], j]) for j in columns]
    return {
        "by": "document",
        "folds": int(fold.max() + 1),
        "macro_f1": round(float(f1.mean()), 4),
        "f1": by_label(labels, f1),
        "expected_calibration_error": by_label(
            labels, [calibration_error(probabilities[:, j], targets[:, j]) for j in columns]
        ),
        "abstain_coverage": by_label(labels, kept.mean(axis=0)),
        "abstain_f1": by_label(labels, sure),
    }


def decided_by_others(scores: Floats, targets: Bools, fold: Ints) -> Bools:
    """Decide each fold by the thresholds that are best on the others."""
    decided = np.zeros_like(targets)
    for k in np.unique(fold):
        decided[fold == k] = scores[fold == k] >= best_thresholds(scores[fold != k], targets[fold != k])
    return decided


def sure_by_others(scores: Floats, targets: Bools, fold: Ints, max_abstained: float) -> Bools:
    """Return which decisions of each fold lie outside the abstain bands that are best on the others."""
    kept = np.ones_like(targets)
    for k in np.unique(fold):
        others = scores[fold != k], targets[fold != k]
        low, high = abstain_bands(*others, best_thresholds(*others), max_abstained)
        kept[fold == k] = (scores[fold == k] < low) | (scores[fold == k] >= high)
    return kept


def calibration_error(probabilities: NDArray[Any], truth: Bools, bins: int = 10) -> float:
    """Return the expected calibration error over equal-width bins (Naeini et al. 2015).

    >>> calibration_error(np.array([0.25, 0.25, 0.25, 0.25]), np.array([True, False, False, False]))
    0.0
    """
    place = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=probabilities - truth, minlength=bins)
    return float(np.abs(gaps).sum() / len(truth))


def f1_of(truth: Bools, decided: Bools) -> float:
    """Return F1 of one label; 0 where it neither occurs nor is decided."""
    hits = int((truth & decided).sum())
    return 2 * hits / max(1, int(truth.sum()) + int(decided.sum()))


def by_label(labels: Sequence[str], values: Any) -> dict[str, float]:
    """Return label -> value, rounded for a card."""
    return {label: round(float(value), 4) for label, value in zip(labels, values, strict=True)}
