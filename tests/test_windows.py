import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from policytext import aggregate
from policytext.config import TrendsConfig
from policytext.report import windows


def corpus(seed=1, documents=60):
    rng = np.random.default_rng(seed)
    passages = rng.integers(1, 40, documents)
    return pd.DataFrame(
        {
            "doc_id": [f"d{i}" for i in range(documents)],
            "date": [f"{2001 + i % 7}-0{1 + i % 9}" for i in range(documents)],
            "cluster": [None] * documents,
            "passages": passages,
            "tagged": rng.binomial(passages, 0.2),
        }
    )


def counts(table, label="a.b"):
    period = table["date"].str.slice(0, 4)
    return table.assign(label=label, period=period, abstained=0)


COLUMNS = ["label", "period", "documents", "passages", "tagged", "share", "low", "high"]


def test_windows_of_one_year_are_the_trends_table():
    table = corpus()
    hits = table.assign(label="a.b")[["label", "doc_id", "tagged"]]
    mine = windows.trend(table, hits, ["a.b"], period="year", years=1, level=0.95)
    theirs = aggregate.trend(counts(table), TrendsConfig())
    assert_frame_equal(mine[COLUMNS], theirs[COLUMNS], check_dtype=False)


def test_windows_keep_every_dated_document_and_passage():
    table = corpus()
    hits = table.assign(label="a.b")[["label", "doc_id", "tagged"]]
    mine = windows.trend(table, hits, ["a.b", "a.c"], period="year", years=3, level=0.95)
    sums = mine.groupby("label")[["documents", "passages", "tagged"]].sum()
    assert sums.loc["a.b"].tolist() == [60, table["passages"].sum(), table["tagged"].sum()]
    assert sums.loc["a.c"].tolist() == [60, table["passages"].sum(), 0]
    assert mine["period"].unique().tolist() == ["1999–2001", "2002–2004", "2005–2007"]


def test_documents_of_one_cluster_widen_the_interval():
    table = corpus()
    hits = table.assign(label="a.b")[["label", "doc_id", "tagged"]]
    apart = windows.trend(table, hits, ["a.b"], period="year", years=10, level=0.95)
    table["cluster"] = ["c"] * 30 + [None] * 30
    together = windows.trend(table, hits, ["a.b"], period="year", years=10, level=0.95)
    assert (together["high"] - together["low"]).sum() > (apart["high"] - apart["low"]).sum()


def test_undated_documents_are_in_no_window():
    table = corpus(documents=3).assign(date=[None, "2001", "2001-05-02"])
    hits = table.assign(label="a.b")[["label", "doc_id", "tagged"]]
    assert windows.trend(table, hits, ["a.b"], period="year", years=1, level=0.95)["documents"].tolist() == [2]
    assert windows.trend(table, hits, ["a.b"], period="month", years=1, level=0.95)["documents"].tolist() == [1]
    assert windows.trend(table[:1], hits, ["a.b"], period="year", years=1, level=0.95).empty


@pytest.mark.parametrize(
    ("years", "width"),
    [
        ([2001 + i % 5 for i in range(100)], 1),
        ([y for y in range(2001, 2026) for _ in range(5)], 3),
        ([y for y in range(2001, 2026) for _ in range(4)], 5),
        (list(range(1954, 2026)), 10),
        ([*range(1954, 2017), *(y for y in range(2017, 2026) for _ in range(80))], 1),
        ([2001, 2002, 2003], 1),
        ([2020], 1),
        ([], 1),
    ],
)
def test_width_of_a_window_follows_the_documents_a_year(years, width):
    assert windows.width(years) == width


def test_windows_of_five_years_are_those_of_the_five_year_plans():
    dates = pd.Series(["2015-12-31", "2016-01-01", "2020", "2021-03"])
    names = windows.window_names(dates, period="year", years=5)
    assert names.tolist() == ["2011–2015", "2016–2020", "2016–2020", "2021–2025"]
