"""The page's own shares: over all groups, and over windows of years where single periods hold too few documents.

The trends table has the periods that the config asks for. A corpus of three documents a year has no period that can
carry a claim, so the headline looks at windows of years then, with the same interval, clustered by document.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from policytext import intervals
from policytext.report.charts import position
from policytext.report.queries import CODED, Queryable

WIDTHS = (1, 2, 3, 5, 10)  # years
ENOUGH = 15  # documents of a window; the interval of fewer, clustered, is mostly too wide to tell anything
FEWEST_WINDOWS = 4
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def per_document(store: Queryable, *, reprints: str = "once") -> pd.DataFrame:
    """Return doc_id, date, coded passages and cluster of each document that counts.

    With `reprints="once"` the earliest document of a cluster stands for it, then the smallest path; a vague date comes
    after the exact ones within it, an unknown date last.
    """
    table = store.sql(
        f"""
        SELECT d.id AS doc_id, d.date, any_value(r.cluster) AS cluster, any_value(d.outlet) AS outlet,
               count(p.n) AS passages
        FROM documents d JOIN passages p ON p.doc_id = d.id AND p.{CODED} LEFT JOIN reprints r ON r.doc_id = d.id
        GROUP BY d.id, d.date, d.path
        ORDER BY coalesce(d.date, '') || '~', d.path, d.id
        """
    )
    if reprints == "once":
        table = table[table["cluster"].isna() | ~table["cluster"].duplicated()]
    elif reprints == "outlet":
        table = table[table["cluster"].isna() | ~table.duplicated(["cluster", "outlet"])]
    return table.drop(columns="outlet").reset_index(drop=True)


def tagged(store: Queryable) -> pd.DataFrame:
    """Return label, doc_id and the number of passages that carry the label."""
    return store.sql(
        "SELECT label, doc_id, count(DISTINCT n) AS tagged FROM tags WHERE decision = 'yes' GROUP BY ALL ORDER BY ALL"
    )


def width(years: Sequence[int]) -> int:
    """Return how many years a window of the headline takes; `years` has one entry a dated text, reprints as one.

    One, when years with enough documents hold most of them; else the narrowest window of which three in four have
    enough, or the widest that leaves a time series. It looks at documents alone, never at what they are tagged with.

    >>> width([2020, 2021, 2022] * 20), width([y for y in range(2001, 2026) for _ in range(4)]), width([2001])
    (1, 5, 1)
    """
    widest = 1
    for years_a_window in WIDTHS:
        _, counts = np.unique((np.asarray(years, int) - 1) // years_a_window, return_counts=True)
        if years_a_window > 1 and len(counts) < FEWEST_WINDOWS:
            break
        widest = years_a_window
        solid = counts[counts >= ENOUGH]
        concentrated = len(solid) >= 5 and solid.sum() >= 0.8 * counts.sum()
        if 4 * len(solid) >= 3 * len(counts) or concentrated:
            break
    return widest


def trend(
    documents: pd.DataFrame, hits: pd.DataFrame, labels: Sequence[str], *, period: str, years: int, level: float
) -> pd.DataFrame:
    """Return label, period, documents, clusters, passages, tagged, share, low, high over windows of `years`.

    Args:
        documents: from `per_document`.
        hits: from `tagged`.
        labels: in the order of the result.
        period: year, quarter or month; not used where `years` is more than one.
        years: of a window; its name is then "2001–2005".
        level: of the intervals.
    """
    names = window_names(documents["date"], period=period, years=years)
    dated = documents.assign(period=names)[names.notna()]
    if dated.empty:
        return pd.DataFrame()
    cell, periods = pd.factorize(dated["period"], sort=True)
    cell = cell.astype(np.int64)
    units = dated["passages"].to_numpy(float)
    unit = units_of(dated)
    clusters = np.bincount(np.unique(np.stack([cell, unit]), axis=1)[0], minlength=len(periods))
    parts = []
    for label in labels:
        own = hits[hits["label"] == label].set_index("doc_id")["tagged"]
        found = dated["doc_id"].map(own).fillna(0).to_numpy(float)
        table = pd.DataFrame({"label": label, "period": periods, "documents": np.bincount(cell), "clusters": clusters})
        parts.append(table.assign(**shares(cell, found, units, unit, level=level)))
    return pd.concat(parts, ignore_index=True)


def units_of(dated: pd.DataFrame) -> Ints:
    """Return which independent unit each document belongs to: its cluster of reprints, or itself."""
    own = pd.Series(np.arange(len(dated)), index=dated.index)
    first = dated.assign(own=own).groupby("cluster")["own"].min()
    mapped: Ints = dated["cluster"].map(first).fillna(own).to_numpy(np.int64)
    return mapped


def window_names(dates: pd.Series, *, period: str, years: int) -> pd.Series:
    """Return the name of each date's period or window; null where the date is unknown or too vague.

    Windows of five years are those of the five-year plans.

    >>> window_names(pd.Series(["2021-05-04", "2021", None]), period="quarter", years=1).tolist()
    ['2021Q2', None, None]
    >>> window_names(pd.Series(["2023-05-04"]), period="year", years=5).tolist()
    ['2021–2025']
    """
    out = []
    for value in dates:
        text = "" if not isinstance(value, str) else value
        month = int(text[5:7]) if len(text) >= 7 else 0
        if years > 1 and text:
            first = (int(text[:4]) - 1) // years * years + 1
            out.append(f"{first}–{first + years - 1}")
        elif period == "year" and text:
            out.append(text[:4])
        elif period == "month" and month:
            out.append(text[:7])
        elif period == "quarter" and month:
            out.append(f"{text[:4]}Q{(month + 2) // 3}")
        else:
            out.append("")
    known = [name if position(name) is not None else None for name in out]
    return pd.Series(known, index=dates.index, dtype=object)


def shares(cell: Ints, hits: Floats, units: Floats, unit: Ints, *, level: float) -> dict[str, Any]:
    """Return passages, tagged, share, low and high of each cell, as columns; see `intervals.shares`.

    `cell`, `hits`, `units` and `unit` have one entry a document; documents of one unit count as one cluster.
    """
    cells = int(cell.max(initial=-1)) + 1
    pairs, inverse = np.unique(np.stack([cell, unit]), axis=1, return_inverse=True)
    y, n = np.bincount(inverse.ravel(), weights=hits), np.bincount(inverse.ravel(), weights=units)
    found = intervals.shares(pairs[0], y, n, np.zeros(cells, np.int64), level=level)
    passages, positive = (np.bincount(cell, weights=values, minlength=cells) for values in (units, hits))
    counts = {"passages": passages.astype(np.int64), "tagged": positive.astype(np.int64)}
    return {**counts, "share": found.share, "low": found.low, "high": found.high}
