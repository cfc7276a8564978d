"""Shares of coded passages by label and period."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from policytext.arrays import distinct
from policytext.config import TrendsConfig
from policytext.errors import UsageError
from policytext.intervals import shares

UNDATED = "undated"
UNKNOWN = "unknown"
_FORMS = {"year": r"\d{4}", "quarter": r"\d{4}Q[1-4]", "month": r"\d{4}-(?:0[1-9]|1[0-2])"}
_FREQUENCIES = {"year": "Y", "quarter": "Q", "month": "M"}
_NUMBERS = ["passages", "tagged", "abstained"]


def trend(counts: pd.DataFrame, config: TrendsConfig) -> pd.DataFrame:
    """Return the share of coded passages that carry each label, by period, with intervals clustered by document.

    `counts` has one row a label and document: label, period, the columns that `config.by` names, doc_id, passages
    (coded ones), tagged (decided yes), abstained (left undecided); every label covers the same documents. With a
    column `cluster` (reprints of one text share a value, others have none) `config.reprints` applies: "once" counts
    the earliest document of a cluster (columns `date` and `path` say which, where given), "outlet" the
    earliest of each `outlet`, "each" counts all but treats a cluster as one document in the interval.

    The result has one row a label, period and group: documents, clusters (independent ones with coded passages),
    passages, tagged, abstained, share (tagged / passages: what was left undecided counts as not tagged), low, high,
    design_effect, effective_n, basis (see `intervals.shares`) and unassigned (abstained / passages). Periods without
    documents between the first and the last are rows without a share; documents whose date is unknown or too vague
    for the period are rows of their own, "undated".

    Interval: Wilson's, with an effective n from the linearised variance of the ratio over documents; formulas,
    sources and how well it covers in `policytext.intervals`. It is about the process that the documents come from:
    a corpus that holds every document still has one. It knows nothing of wrong tags.

    Raises:
        UsageError: a column is missing, a period or number malformed, or labels cover different documents.

    >>> counts = pd.DataFrame({
    ...     "label": "stage.open", "period": ["2020", "2020", "2022", None], "doc_id": list("abcd"),
    ...     "passages": [10, 10, 20, 5], "tagged": [1, 3, 5, 0], "abstained": [0, 1, 0, 0]})
    >>> trend(counts, TrendsConfig())[["period", "documents", "share", "basis"]]
        period  documents  share      basis
    0     2020          2   0.20  documents
    1     2021          0    NaN
    2     2022          1   0.25    assumed
    3  undated          1   0.00    assumed
    """
    keys = ["label", "period", *config.by]
    counts = _checked(counts, config, keys)
    if "cluster" in counts and config.reprints == "once":
        counts = counts[represents(counts)]
    elif "cluster" in counts and config.reprints == "outlet":
        counts = counts[represents(counts.assign(cluster=_by_outlet(counts)))]
    grouped = counts.groupby(keys, sort=True, observed=True)
    cell: npt.NDArray[np.int64] = grouped.ngroup().to_numpy().astype(np.int64)
    table = grouped[_NUMBERS].sum().reset_index()
    table.insert(len(keys), "documents", _distinct(cell, _codes(counts["doc_id"]), len(table)))
    _add_shares(table, counts, cell, config)
    table["unassigned"] = table["abstained"] / table["passages"].where(table["passages"] > 0)
    return _with_gaps(table, config, keys)


def _by_outlet(counts: pd.DataFrame) -> pd.Series:
    """Return the cluster with the outlet: reprints of one text in one outlet share a value, others have none."""
    outlet = counts["outlet"].fillna(UNKNOWN) if "outlet" in counts else UNKNOWN
    return (counts["cluster"].astype("str") + " " + outlet).where(counts["cluster"].notna())


def periods(dates: pd.Series, period: str) -> pd.Series:
    """Return the period of each ISO date (YYYY, YYYY-MM or YYYY-MM-DD); "undated" where it is unknown or too vague.

    >>> periods(pd.Series(["2021-05-04", "2021", None]), "quarter").tolist()
    ['2021Q2', 'undated', 'undated']
    """
    dates = dates.astype("str").where(dates.notna(), "")
    if period == "year":
        found = dates.str.slice(0, 4)
    elif period == "month":
        found = dates.str.slice(0, 7)
    else:
        month = pd.to_numeric(dates.str.slice(5, 7), errors="coerce")
        quarter = ((month + 2) // 3).astype("Int64").astype("str")
        found = dates.str.slice(0, 4) + "Q" + quarter.where(month.notna(), "")
    return found.where(found.str.fullmatch(_FORMS[period]), UNDATED)


def represents(counts: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Return which rows belong to a document that stands for its reprints: the earliest, then the smallest path.

    Documents outside any cluster stand for themselves. A vague date (2021) comes after the exact ones within it, an
    unknown date last.
    """
    dates = counts["date"] if "date" in counts else counts["period"]
    paths = counts["path"] if "path" in counts else counts["doc_id"]
    unknown = dates.isna() | (dates == UNDATED)
    table = pd.DataFrame(
        {
            "cluster": counts["cluster"].to_numpy(),
            "date": (dates.astype("str") + "~").where(~unknown, "~").to_numpy(),  # "~" sorts after "-" and digits
            "path": paths.to_numpy(),
            "doc_id": counts["doc_id"].to_numpy(),
        }
    )
    first = table.dropna(subset="cluster").drop_duplicates("doc_id").sort_values(["date", "path", "doc_id"])
    first = first.drop_duplicates("cluster")
    kept = table["cluster"].isna() | table["doc_id"].isin(first["doc_id"])
    return kept.to_numpy(dtype=bool)


def _checked(counts: pd.DataFrame, config: TrendsConfig, keys: list[str]) -> pd.DataFrame:
    """Return the counts with unknowns named, after making sure that a share of them means something."""
    missing = [column for column in [*keys, "doc_id", *_NUMBERS] if column not in counts]
    if missing:
        raise UsageError(
            f"counts lack the columns {', '.join(missing)}; they have {', '.join(map(str, counts.columns))}"
        )
    counts = counts.assign(
        period=counts["period"].astype("str").where(counts["period"].notna(), UNDATED),
        **{name: counts[name].astype("str").where(counts[name].notna(), UNKNOWN) for name in config.by},
    )
    found = pd.Series(counts["period"].unique())
    wrong = found[~(found.str.fullmatch(_FORMS[config.period]) | (found == UNDATED))]
    if len(wrong):
        raise UsageError(
            f'period "{wrong.iloc[0]}" is no {config.period}; use `aggregate.periods` to make periods of dates'
        )
    if (counts["tagged"] + counts["abstained"] > counts["passages"]).any() or (counts[_NUMBERS] < 0).any(axis=None):
        raise UsageError(
            "counts: tagged + abstained exceeds passages, or a number is negative; count each passage once"
        )
    covered = counts.groupby("label", observed=True)["passages"].agg(["size", "sum"])
    if (covered != covered.max()).any(axis=None):
        raise UsageError("counts: labels cover different documents; give every label a row, zeros included, for each")
    return counts


def _add_shares(table: pd.DataFrame, counts: pd.DataFrame, cell: npt.NDArray[np.int64], config: TrendsConfig) -> None:
    """Add the columns of `intervals.shares` to the table of cells."""
    unit = _codes(counts["doc_id"])
    if "cluster" in counts:
        named = counts["cluster"].notna().to_numpy()
        unit = np.where(named, _codes(counts["cluster"]), unit + len(counts))
    pairs, first = np.unique(cell * (2 * len(counts) + 1) + unit, return_inverse=True)
    result = shares(
        pairs // (2 * len(counts) + 1),
        np.bincount(first, weights=counts["tagged"].to_numpy(float), minlength=len(pairs)).astype(float),
        np.bincount(first, weights=counts["passages"].to_numpy(float), minlength=len(pairs)).astype(float),
        _codes(table["label"]),
        level=config.level,
    )
    table.insert(list(table.columns).index("documents") + 1, "clusters", result.clusters)
    for name in ("share", "low", "high", "design_effect", "effective_n", "basis"):
        table[name] = getattr(result, name)


def _with_gaps(table: pd.DataFrame, config: TrendsConfig, keys: list[str]) -> pd.DataFrame:
    """Add rows for the periods between the first and the last in which a label and group has no document."""
    dated = table["period"][table["period"] != UNDATED]
    if dated.empty:
        return table
    span = pd.period_range(dated.min(), dated.max(), freq=_FREQUENCIES[config.period]).astype("str")
    groups = table[["label", *config.by]].drop_duplicates()
    every = groups.merge(pd.DataFrame({"period": span}), how="cross")
    gaps = every.merge(table[keys], how="left", on=keys, indicator=True).query("_merge == 'left_only'")[keys]
    whole = pd.concat([table, gaps]).sort_values(keys, ignore_index=True)
    counts = ["documents", "clusters", *_NUMBERS]
    whole[counts] = whole[counts].fillna(0).astype("int64")
    whole["basis"] = whole["basis"].fillna("")
    return whole


def _codes(values: pd.Series) -> npt.NDArray[np.int64]:
    return pd.factorize(values)[0].astype(np.int64)


def _distinct(cell: npt.NDArray[np.int64], document: npt.NDArray[np.int64], cells: int) -> npt.NDArray[np.int64]:
    """Return the number of distinct documents of each cell."""
    pairs = distinct(cell * (len(document) + 1) + document)
    return np.bincount(pairs // (len(document) + 1), minlength=cells)
