"""Intervals for shares of passages that come in documents: what `aggregate` and `evaluate` both rest on.

Passages of one document resemble each other, so n passages of m documents tell less than n passages drawn one by one.
How much less is the design effect; n divided by it is the effective n, and that n goes into Wilson's interval.
`shares` is the whole of it; the other functions are its steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri, stdtrit

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# What passages of one document share when the corpus cannot say: the upper end of what the terms of the default
# codebook show in 22,651 real documents by year (0.06 to 0.14 for the labels with 500 passages and more).
ASSUMED_CORRELATION = 0.15
# Fewer documents than this, with a hit, with a miss, or beyond the first of their cell, do not pin a correlation down.
ENOUGH_DOCUMENTS = 10
# As how many further documents the pool's correlation counts beside a cell's own documents. In simulations over 120
# designs (2 to 30 documents of very unequal length, shares 2 to 30 %, correlations 0 to 0.5, also mixed within a
# pool) a nominal 95 % covered 94 to 99 %; without the pool 80 to 99 %, with wider intervals on average.
POOL_FREEDOM = 4


@dataclass(frozen=True)
class Shares:
    """Shares of cells with their intervals; every array has shape (cells,)."""

    clusters: Ints  # with at least one unit
    share: Floats  # NaN in an empty cell, like everything below
    low: Floats
    high: Floats
    design_effect: Floats
    effective_n: Floats
    basis: npt.NDArray[np.object_]  # where the design effect comes from: documents, pooled, assumed; "" if empty


@dataclass(frozen=True)
class Clusters:
    """Clusters of units in cells, and the cells' totals. A cluster has one entry for every cell that it is in."""

    cell: Ints  # (clusters,)
    hits: Floats  # (clusters,)
    units: Floats  # (clusters,), at least 1: a document without a coded passage says nothing about their share
    count: Ints  # (cells,) like all below
    total: Floats
    positive: Floats

    @property
    def share(self) -> Floats:
        """Hits over units of each cell; NaN in an empty one."""
        return divide(self.positive, self.total)

    def sums(self, values: Floats) -> Floats:
        """Return the sum over the clusters of each cell."""
        return np.bincount(self.cell, weights=values, minlength=len(self.count)).astype(float)


def shares(cell: Ints, hits: npt.ArrayLike, units: npt.ArrayLike, pool: Ints, *, level: float = 0.95) -> Shares:
    """Return the share of hits in each cell, with an interval that knows about clusters.

    `cell`, `hits` and `units` have one entry a cluster of a cell; `pool` one a cell: cells of one pool (the periods
    of one label) lend each other what they know of how passages of a document resemble each other.

    The design effect of a cell is the larger of what its own documents show (`design_effect`) and the mean of that and
    the pool's (`kish`), weighted by the own degrees of freedom and `POOL_FREEDOM`: with few documents the own figure
    is too low as often as too high, and a low one makes an interval falsely narrow. However many documents
    there are, the own figure weighs no more than there are documents with a hit, nor than there are with a miss: of a
    rare label the others tell nothing. Averaging variances with a
    prior's degrees of freedom follows Smyth (2004), Linear models and empirical Bayes methods, SAGMB 3. Where a
    cell's documents cannot tell (there is one; or no passage is tagged, or every one) the pool's stands alone, and
    where the pool cannot tell either, one from an assumed correlation. `basis` says which.

    >>> one = shares(np.array([0, 0, 0]), [1, 0, 1], [1, 1, 1], np.array([0]))  # single passages: plain Wilson
    >>> [float(x) for x in (one.effective_n[0], one.low[0].round(4), wilson(2 / 3, 3)[0].round(4))]
    [3.0, 0.2077, 0.2077]
    """
    groups = _clusters(cell, hits, units, len(pool))
    rho, pool_freedom, told = _pooled(groups, pool)
    own, freedom = design_effect(groups), degrees_of_freedom(groups, rho)
    borrowed = kish(groups, rho)
    seen = np.isfinite(own) & np.isfinite(freedom)
    own, freedom = np.where(seen, own, 1), np.where(seen, freedom, 1)
    weight = np.minimum(freedom, _telling(groups))
    mean = (weight * own + POOL_FREEDOM * borrowed) / (weight + POOL_FREEDOM)
    effect = np.where(seen, np.maximum(np.maximum(own, mean), 1), borrowed)
    n = effective_n(groups.total, effect, np.where(seen, freedom + POOL_FREEDOM, pool_freedom), level=level)
    low, high = wilson(groups.share, n, level=level)
    basis = np.where(seen, "documents", np.where(told, "pooled", "assumed")).astype(object)
    basis[groups.total == 0] = ""
    return Shares(groups.count, groups.share, low, high, effect, n, basis)


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


def design_effect(groups: Clusters) -> Floats:
    """Return each cell's design effect as its own documents show it; NaN for one document or a share of 0 or 1.

    The share is a ratio of two totals over clusters; its linearised variance is sum((y - p n)^2 / (1 - n/N)) / N^2
    (Cochran 1977, Sampling Techniques, 6.3, with each squared residual enlarged by its leverage as in Bell and
    McCaffrey 2002, Bias reduction in standard errors for linear regression with multi-stage samples, Survey
    Methodology 28; for clusters of one size that is the textbook's m / (m - 1)). It is divided by p(1-p)/(N-1), the
    variance that N single draws would have (Kish 1965, Survey Sampling, ch. 8).
    """
    share, leverage = groups.share, _leverage(groups)
    residual = groups.hits - share[groups.cell] * groups.units
    variance = divide(groups.sums(divide(residual**2, 1 - leverage)), groups.total**2)
    return divide(variance, divide(share * (1 - share), groups.total - 1))


def degrees_of_freedom(groups: Clusters, rho: Floats) -> Floats:
    """Return how many degrees of freedom the variance of each cell has; NaN for one document.

    m - 1 for m clusters of one size, fewer where a large one dominates: 2 E(v)^2 / Var(v) under the working model
    that clusters are independent and units of one have the correlation `rho` (Satterthwaite's approximation as in
    Bell and McCaffrey 2002). The variance is a quadratic form u'Au; E and Var are tr(AS) and 2 tr(ASAS) with
    S = diag(n (1 + (n - 1) rho)) and A = diag(a) - ab' - ba' + c, written out in sums because A is never built.
    """
    g = _leverage(groups)
    a = divide(1.0, 1 - g)
    b, c = a * g, groups.sums(a * g**2)
    spread = groups.units * (1 + (groups.units - 1) * rho[groups.cell])
    off = c[groups.cell] - 2 * b
    trace = groups.sums(spread * (a + off))
    s, sb, sbb = groups.sums(spread), groups.sums(spread * b), groups.sums(spread * b**2)
    square = c**2 * s**2 + 2 * s * sbb - 4 * c * s * sb + 2 * sb**2 + groups.sums(spread**2 * ((a + off) ** 2 - off**2))
    return divide(trace**2, square)


def kish(groups: Clusters, rho: Floats) -> Floats:
    """Return the design effect that a correlation makes: 1 + (b - 1) rho, b the cluster size an average unit sees.

    Kish (1965), Survey Sampling, ch. 5, with b = sum(n^2) / N for clusters of unequal size (Gabler, Haeder and Lahiri
    1999, A model based justification of Kish's formula for design effects, Survey Methodology 25).
    """
    return 1 + (divide(groups.sums(groups.units**2), groups.total) - 1) * rho


def effective_n(units: npt.ArrayLike, effect: npt.ArrayLike, freedom: npt.ArrayLike, *, level: float = 0.95) -> Floats:
    """Return how many single draws the units are worth.

    n* = N / design effect * (t(N-1) / t(freedom))^2: the second factor pays for a variance that is itself estimated
    (Korn and Graubard 1998, Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data, Survey Methodology 24), and never rewards one that rests on more than the cell. Never
    more than N: a design effect under 1 is luck more
    often than design (Dean and Pagano 2015, Evaluating confidence interval methods for binomial proportions in
    clustered surveys, J. Survey Statistics and Methodology 3, who find Wilson's interval with this n among the best).
    """
    units, effect = np.asarray(units, float), np.asarray(effect, float)
    ratio = divide(_t(units - 1, level), _t(np.asarray(freedom, float), level))
    n: Floats = np.minimum(units, divide(units, effect) * np.where(units > 1, np.minimum(ratio, 1), 1) ** 2)
    return n


def correlation(groups: Clusters) -> tuple[float, int]:
    """Return the intra-cluster correlation within cells, pooled over them, and its degrees of freedom.

    The analysis-of-variance estimator for binary data (Ridout, Demetrio and Firth 1999, Estimating intraclass
    correlation for binary data, Biometrics 55), with sums of squares taken within each cell so that differences
    between cells do not count. Bounded to [0, 1]; NaN where the data cannot tell.
    """
    cells = groups.count > 0
    freedom = len(groups.units) - int(cells.sum())
    all_units = float(groups.units.sum())
    within_freedom = all_units - len(groups.units)
    if freedom <= 0 or within_freedom <= 0:
        return float("nan"), max(freedom, 0)
    fitted = float((groups.positive[cells] ** 2 / groups.total[cells]).sum())
    between = (float((groups.hits**2 / groups.units).sum()) - fitted) / freedom
    within = float((groups.hits - groups.hits**2 / groups.units).sum()) / within_freedom
    size = (all_units - float((groups.sums(groups.units**2)[cells] / groups.total[cells]).sum())) / freedom
    spread = between + (size - 1) * within
    return (min(max((between - within) / spread, 0.0), 1.0) if spread > 0 else float("nan")), freedom


def codes(values: npt.ArrayLike | Sequence[Any]) -> Ints:
    """Return a number for each name of a cluster, 0 for the first; a missing one is a cluster of its own.

    >>> codes(["a", None, "a", None, "b"]).tolist()
    [0, 2, 0, 3, 1]
    """
    found, names = pd.factorize(np.asarray(values, object), sort=False)
    missing = found < 0
    found[missing] = len(names) + np.arange(missing.sum())
    return found.astype(np.int64)


def divide(above: npt.ArrayLike, below: npt.ArrayLike) -> Floats:
    """Return above / below, NaN where below is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    result = np.full(below.shape, np.nan)
    np.divide(above, below, out=result, where=below != 0)
    return result


def _clusters(cell: Ints, hits: npt.ArrayLike, units: npt.ArrayLike, cells: int) -> Clusters:
    hits, units = np.asarray(hits, float), np.asarray(units, float)
    filled = units > 0
    cell, hits, units = np.asarray(cell)[filled], hits[filled], units[filled]
    count = np.bincount(cell, minlength=cells)
    total, positive = (np.bincount(cell, weights=x, minlength=cells).astype(float) for x in (units, hits))
    return Clusters(cell, hits, units, count, total, positive)


def _pooled(groups: Clusters, pool: Ints) -> tuple[Floats, Floats, Flags]:
    """Return for every cell its pool's correlation, the degrees of freedom behind it, and whether the pool told it.

    A pool in which few documents have a hit can show no correlation by luck, so it may raise the assumed one but not
    lower it.
    """
    rho = np.full(len(pool), ASSUMED_CORRELATION)
    freedom, told = np.full(len(pool), np.inf), np.zeros(len(pool), bool)
    for one in np.unique(pool):
        rows = pool[groups.cell] == one
        value, df = correlation(_clusters(groups.cell[rows], groups.hits[rows], groups.units[rows], len(pool)))
        seen = min(df, int((groups.hits[rows] > 0).sum()), int((groups.hits[rows] < groups.units[rows]).sum()))
        if seen >= ENOUGH_DOCUMENTS and np.isfinite(value):
            rho[pool == one], freedom[pool == one], told[pool == one] = value, df, True
        elif value > ASSUMED_CORRELATION:
            rho[pool == one], told[pool == one] = value, True
    return rho, freedom, told


def _telling(groups: Clusters) -> Floats:
    """Return how many clusters of each cell have a hit, or how many have a miss, whichever are fewer."""
    with_hit, with_miss = (groups.sums((of > 0).astype(float)) for of in (groups.hits, groups.units - groups.hits))
    return np.minimum(with_hit, with_miss)


def _leverage(groups: Clusters) -> Floats:
    """Return the share of its cell's units that each cluster holds."""
    return groups.units / groups.total[groups.cell]


def _t(freedom: Floats, level: float) -> Floats:
    """Student's t at the level; NaN without a degree of freedom."""
    return np.asarray(stdtrit(np.where(freedom > 0, freedom, np.nan), (1 + level) / 2), float)
