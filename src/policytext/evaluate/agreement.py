"""Do readers agree: Krippendorff's alpha for each label, with an interval."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import stdtrit

from policytext.errors import LabelError, UsageError
from policytext.intervals import codes, divide

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_ENOUGH = 4  # clusters with the label, and without it, that an interval needs


def alpha(ratings: npt.ArrayLike) -> float:
    """Return Krippendorff's alpha for nominal data.

    `ratings` has shape (readers, units); NaN is a unit that the reader did not code. Units that fewer than two readers
    coded do not count. NaN where nothing varies, so that there is no chance to agree beyond.

    Source: Krippendorff (2019), Content Analysis, 4th ed., ch. 12; alpha = 1 - observed / expected disagreement, from
    the coincidences of pairs of readings within units.

    >>> round(alpha([[1, 1, 0, 0, 1], [1, 0, 0, 0, 1]]), 3)
    0.64
    """
    disagreement, values = _coincidences(np.asarray(ratings, float))
    return float(_alpha(disagreement.sum(), values.sum(axis=0)))


def agree(
    readings: Mapping[str, Sequence[Collection[str] | None]],
    *,
    labels: Sequence[str] | None = None,
    clusters: Sequence[str] | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return alpha of each label, with an interval, over passages that two or more readers coded.

    `readings` maps a reader to its label sets, one a passage, None where the reader did not code it. The interval is
    over passages, or over their documents where `clusters` names them; NaN where fewer than four of them have the
    label, or lack it, and where no reading differs: these tell nothing of others. The result has one row a
    label: label, alpha, low, high, units (coded at least twice), positive (share of readings with the label).

    Raises:
        UsageError: fewer than two readers, or lists of different lengths.

    >>> agree({"a": [{"x"}, set(), set()], "b": [{"x"}, {"x"}, set()]})[["label", "alpha", "units"]]
      label     alpha  units
    0     x  0.444444      3
    """
    length = _length(readings)
    labels = (
        sorted({label for sets in readings.values() for one in sets if one for label in one})
        if labels is None
        else labels
    )
    unit = np.arange(length) if clusters is None else codes(clusters)
    rows = []
    for label in labels:
        disagreement, values = _coincidences(_binary(readings, label))
        low, high = _interval(disagreement, values, unit, level)
        coded = values.sum()
        rows.append(
            {
                "label": label,
                "alpha": float(_alpha(disagreement.sum(), values.sum(axis=0))),
                "low": low,
                "high": high,
                "units": int((values.sum(axis=1) > 0).sum()),
                "positive": float(values[:, 1].sum() / coded) if coded else float("nan"),
            }
        )
    return pd.DataFrame(rows, columns=["label", "alpha", "low", "high", "units", "positive"])


def _length(readings: Mapping[str, Sequence[Collection[str] | None]]) -> int:
    lengths = {reader: len(sets) for reader, sets in readings.items()}
    if len(lengths) < 2:
        raise UsageError(f"{len(lengths)} reader(s); agreement needs at least two")
    if len(set(lengths.values())) > 1:
        raise LabelError(
            f"readers coded lists of different lengths: {lengths}; give each passage an entry, None if not coded"
        )
    return next(iter(lengths.values()))


def _binary(readings: Mapping[str, Sequence[Collection[str] | None]], label: str) -> Floats:
    """Return 1, 0 or NaN for each reader and passage."""
    return np.array([[np.nan if one is None else float(label in one) for one in sets] for sets in readings.values()])


def _coincidences(ratings: Floats) -> tuple[Floats, Floats]:
    """Return for each unit its disagreeing pairs and its readings by value, both per pairable reading.

    Shapes (units,) and (units, values), with at least the two values 0 and 1.
    """
    coded = ~np.isnan(ratings)
    known = np.union1d([0.0, 1.0], ratings[coded])
    counts = np.stack([(ratings == value).sum(axis=0) for value in known], axis=1).astype(float)
    readings = counts.sum(axis=1)
    counts[readings < 2] = 0
    pairs = readings**2 - (counts**2).sum(axis=1)  # ordered pairs of different readings
    disagreement = np.where(readings < 2, 0.0, pairs / np.maximum(readings - 1, 1))
    return disagreement, counts


def _alpha(disagreement: npt.ArrayLike, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return alpha from totals; `values` has the values of readings on its last axis."""
    disagreement, values = np.asarray(disagreement, float), np.asarray(values, float)
    total = values.sum(axis=-1)
    expected = total**2 - (values**2).sum(axis=-1)
    return 1 - divide((total - 1) * disagreement, expected)


def _interval(disagreement: Floats, values: Floats, unit: Ints, level: float) -> tuple[float, float]:
    """Return the interval of alpha over clusters; `unit` says which cluster each passage is of.

    Leaving out one cluster at a time gives a standard error (the jackknife; Shao and Tu 1995, The Jackknife and
    Bootstrap) of log(1 - alpha), which is far less skewed than alpha; half a disagreement is added for it, so that one
    cluster that holds all of them does not decide alone. Student's t has as many degrees of freedom as clusters tell:
    those with the label or those without, whichever are fewer, less one. In simulations with 5 to 300 clusters a
    nominal 95 % covered 91 to 99 %, where a percentile bootstrap covered 51 to 95 %.
    """
    count = int(unit.max(initial=-1)) + 1
    totals = np.zeros((count, 1 + values.shape[1]))
    np.add.at(totals, unit, np.column_stack([disagreement, values]))
    totals = totals[totals[:, 1:].sum(axis=1) > 0]
    telling = int((totals[:, 1:3] > 0).sum(axis=0).min()) if len(totals) else 0
    whole = totals.sum(axis=0)
    if telling < _ENOUGH or not whole[0]:
        return float("nan"), float("nan")
    without = whole - totals
    logs = np.log(1 - _alpha(without[:, 0] + 1, without[:, 1:]))
    error = float(np.sqrt((len(logs) - 1) * logs.var())) * float(stdtrit(telling - 1, (1 + level) / 2))
    gap = 1 - float(_alpha(whole[0], whole[1:]))
    return max(-1.0, 1 - gap * float(np.exp(error))), 1 - gap * float(np.exp(-error))
