"""How sure a share is: the interval of each cell of a trend, clustered by document."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from policytext.intervals import Floats, Ints, clustered, correlation, effective_n, wilson

# What passages of one document share when the corpus itself cannot say.
ASSUMED_CORRELATION = 0.1
# Fewer than this many documents beyond the first of each cell do not pin a correlation down; see `_pooled`.
ENOUGH_FREEDOM = 10


@dataclass(frozen=True)
class Shares:
    """Shares of cells with their intervals; every array has shape (cells,)."""

    clusters: Ints
    share: Floats
    low: Floats
    high: Floats
    design_effect: Floats
    effective_n: Floats
    basis: npt.NDArray[
        np.object_
    ]  # where the design effect comes from: documents, pooled, assumed; "" without passages


def shares(cell: Ints, hits: Floats, units: Floats, pool: Ints, *, level: float) -> Shares:
    """Return the share of hits in each cell with an interval that knows about clusters.

    `cell`, `hits` and `units` have one entry a cluster of a cell; `pool` one a cell: cells of one pool (of one label)
    lend each other their intra-document correlation. A cell's own documents give its design effect. Where they
    cannot (one document; no passage or every passage tagged) it is Kish's 1 + (b - 1) rho with the pool's rho (b:
    the size of the document that an average passage lives in; Kish 1965, Survey Sampling, 5.4); where the pool
    cannot tell either, with an assumed rho. `basis` says which.
    """
    cells = len(pool)
    sums = clustered(cell, hits, units, cells)
    rho, freedom, told = _pooled(cell, hits, units, pool)
    own = np.isfinite(sums.design_effect)
    effect = np.where(own, np.maximum(sums.design_effect, 1), 1 + (sums.weighted_size - 1) * rho)
    freedom = np.where(own, sums.clusters - 1, freedom)
    n = effective_n(sums.units, effect, freedom, level=level)
    low, high = wilson(sums.share, n, level=level)
    basis = np.where(own, "documents", np.where(told, "pooled", "assumed")).astype(object)
    basis[sums.units == 0] = ""
    return Shares(sums.clusters, sums.share, low, high, effect, n, basis)


def _pooled(cell: Ints, hits: Floats, units: Floats, pool: Ints) -> tuple[Floats, Floats, npt.NDArray[np.bool_]]:
    """Return for every cell its pool's correlation, the degrees of freedom behind it, and whether the pool told it.

    A pool with few documents can show no correlation by luck, so it may raise the assumed one but not lower it.
    """
    rho = np.full(len(pool), ASSUMED_CORRELATION)
    freedom = np.full(len(pool), np.inf)
    told = np.zeros(len(pool), bool)
    for one in np.unique(pool):
        rows = pool[cell] == one
        value, df = correlation(cell[rows], hits[rows], units[rows])
        if np.isfinite(value):
            here = pool == one
            enough = df >= ENOUGH_FREEDOM
            rho[here] = value if enough else max(value, ASSUMED_CORRELATION)
            freedom[here] = df if enough else np.inf
            told[here] = enough or value > ASSUMED_CORRELATION
    return rho, freedom, told
