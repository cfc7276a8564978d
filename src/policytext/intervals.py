"""Intervals for shares of passages that come in documents, the formulas that `aggregate` and `evaluate` both use.

Passages of one document resemble each other, so n passages of m documents tell less than n passages drawn one by one.
How much less is the design effect; n divided by it is the effective n, and that n goes into Wilson's interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, stdtrit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Clustered:
    """Totals of cells whose units come in clusters: one value a cell in every array, all of shape (cells,)."""

    clusters: Ints  # m: clusters with at least one unit
    units: Floats  # N
    hits: Floats  # Y
    weighted_size: Floats  # size of the cluster that an average unit lives in: sum of squared sizes / N
    design_effect: Floats  # of the share; NaN where the cell cannot tell: one cluster, or share 0 or 1

    @property
    def share(self) -> Floats:
        """Y / N; NaN in an empty cell."""
        return divide(self.hits, self.units)


def wilson(share: npt.ArrayLike, n: npt.ArrayLike, *, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return Wilson's score interval of a share out of n, n not necessarily whole.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22. NaN where n
    is 0 or the share is unknown.

    >>> low, high = wilson(0.0, 10)
    >>> float(low), round(float(high), 3)
    (0.0, 0.278)
    """
    share, n = np.asarray(share, float), np.asarray(n, float)
    n = np.where(n > 0, n, np.nan)
    square = float(ndtri((1 + level) / 2)) ** 2
    centre = (share + square / (2 * n)) / (1 + square / n)
    half = np.sqrt(square * (share * (1 - share) / n + square / (4 * n**2))) / (1 + square / n)
    low = np.where(share == 0, 0.0, np.maximum(centre - half, 0))  # exactly, not up to rounding
    high = np.where(share == 1, 1.0, np.minimum(centre + half, 1))
    return np.where(np.isnan(n), np.nan, low), np.where(np.isnan(n), np.nan, high)


def clustered(cell: Ints, hits: npt.ArrayLike, units: npt.ArrayLike, cells: int) -> Clustered:
    """Sum clusters into cells and estimate each cell's design effect.

    `cell`, `hits` and `units` have one entry a cluster of a cell. The share Y/N is a ratio of two totals over m
    clusters; its linearised variance is m/(m-1) * sum((y - p n)^2) / N^2 (Cochran 1977, Sampling Techniques, 6.3;
    Kish 1965, Survey Sampling, 6.3). Divided by p(1-p)/(N-1), what N single draws would have, it is the design effect.
    """
    hits, units = np.asarray(hits, float), np.asarray(units, float)
    filled = units > 0  # a document without a coded passage says nothing about their share
    cell, hits, units = cell[filled], hits[filled], units[filled]
    clusters = np.bincount(cell, minlength=cells)
    total, squares = _sums(cell, units, cells), _sums(cell, units**2, cells)
    positive = _sums(cell, hits, cells)
    share = divide(positive, total)
    residuals = _sums(cell, (hits - share[cell] * units) ** 2, cells)
    variance = divide(clusters * residuals, (clusters - 1) * total**2)
    effect = divide(variance, divide(share * (1 - share), total - 1))
    return Clustered(clusters, total, positive, divide(squares, total), effect)


def effective_n(units: npt.ArrayLike, effect: npt.ArrayLike, freedom: npt.ArrayLike, *, level: float = 0.95) -> Floats:
    """Return how many single draws the units are worth.

    n* = N / design effect * (t(N-1) / t(freedom))^2: the second factor pays for a variance that is itself estimated
    from few clusters (Korn and Graubard 1998, Confidence intervals for proportions with small expected number of
    positive counts estimated from survey data, Survey Methodology 24). Never more than N: a design effect under 1
    is luck more often than stratification (Dean and Pagano 2015, Evaluating confidence interval methods for binomial
    proportions in clustered surveys, J. Survey Statistics and Methodology 3, who find Wilson's interval with this n*
    among the best). `freedom` is the number of clusters less one.
    """
    units, effect = np.asarray(units, float), np.asarray(effect, float)
    ratio = divide(_t(units - 1, level), _t(np.asarray(freedom, float), level))
    n: Floats = np.minimum(units, divide(units, effect) * np.where(units > 1, ratio, 1) ** 2)
    return n


def correlation(cell: Ints, hits: npt.ArrayLike, units: npt.ArrayLike) -> tuple[float, int]:
    """Return the intra-cluster correlation within cells, pooled over them, and its degrees of freedom between clusters.

    The analysis-of-variance estimator for binary data (Ridout, Demetrio and Firth 1999, Estimating intraclass
    correlation for binary data, Biometrics 55), with sums of squares taken within each cell so that differences
    between cells do not count. Bounded to [0, 1]; NaN where the data cannot tell.
    """
    hits, units = np.asarray(hits, float), np.asarray(units, float)
    filled = units > 0
    _, cell = np.unique(cell[filled], return_inverse=True)
    hits, units = hits[filled], units[filled]
    cells = int(cell.max(initial=-1)) + 1
    total, positive = _sums(cell, units, cells), _sums(cell, hits, cells)
    freedom = len(units) - cells
    within_freedom = float(units.sum()) - len(units)
    if freedom <= 0 or within_freedom <= 0:
        return float("nan"), max(freedom, 0)
    between = (float((hits**2 / units).sum()) - float((positive**2 / total).sum())) / freedom
    within = float((hits - hits**2 / units).sum()) / within_freedom
    size = (float(units.sum()) - float((_sums(cell, units**2, cells) / total).sum())) / freedom
    spread = between + (size - 1) * within
    return (min(max((between - within) / spread, 0.0), 1.0) if spread > 0 else float("nan")), freedom


def _t(freedom: Floats, level: float) -> Floats:
    """Student's t at the level; NaN without a degree of freedom."""
    return np.asarray(stdtrit(np.where(freedom > 0, freedom, np.nan), (1 + level) / 2), float)


def _sums(cell: Ints, values: Floats, cells: int) -> Floats:
    return np.bincount(cell, weights=values, minlength=cells).astype(float)


def divide(above: npt.ArrayLike, below: npt.ArrayLike) -> Floats:
    """Return above / below, NaN where below is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    result = np.full(below.shape, np.nan)
    np.divide(above, below, out=result, where=below != 0)
    return result
