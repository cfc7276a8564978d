import numpy as np
import pandas as pd
import pytest

from policytext.aggregate import periods, trend
from policytext.config import TrendsConfig
from policytext.errors import UsageError
from policytext.intervals import wilson


def counts(rows, **columns):
    table = pd.DataFrame(rows, columns=["period", "doc_id", "passages", "tagged", "abstained"])
    return table.assign(label="stage.open", **columns)


def simulated(seed=0, documents=300):
    rng = np.random.default_rng(seed)
    passages = rng.integers(1, 30, documents)
    return counts(
        {
            "period": rng.choice(["2019", "2020", "2022", None], documents),
            "doc_id": [f"d{i:04}" for i in range(documents)],
            "passages": passages,
            "tagged": rng.binomial(passages, rng.beta(1, 4, documents)),
            "abstained": 0,
        }
    )


def test_share_counts_abstained_passages_and_names_their_share():
    table = trend(counts([("2020", "a", 10, 2, 3), ("2020", "b", 10, 4, 1)]), TrendsConfig())
    row = table.iloc[0]
    assert (row["documents"], row["passages"], row["tagged"], row["abstained"]) == (2, 20, 6, 4)
    assert row["share"] == pytest.approx(0.3)
    assert row["unassigned"] == pytest.approx(0.2)


def test_one_passage_a_document_gives_plain_wilson():
    rows = [("2020", f"d{i}", 1, int(i < 7), 0) for i in range(40)]
    row = trend(counts(rows), TrendsConfig()).iloc[0]
    low, high = wilson(7 / 40, 40)
    assert row["design_effect"] == pytest.approx(1)
    assert (row["low"], row["high"]) == (pytest.approx(float(low)), pytest.approx(float(high)))


def test_documents_that_repeat_themselves_count_as_documents():
    single = [("2020", f"d{i}", 1, int(i < 7), 0) for i in range(40)]
    tenfold = [("2020", f"d{i}", 10, 10 * int(i < 7), 0) for i in range(40)]
    once, ten = (trend(counts(rows), TrendsConfig()).iloc[0] for rows in (single, tenfold))
    assert ten["effective_n"] == pytest.approx(once["effective_n"], rel=0.1)
    assert ten["effective_n"] < 45 < ten["passages"]


def test_periods_without_documents_are_gaps():
    table = trend(counts([("2019", "a", 5, 1, 0), ("2022", "b", 5, 1, 0)]), TrendsConfig())
    assert table["period"].tolist() == ["2019", "2020", "2021", "2022"]
    assert table["documents"].tolist() == [1, 0, 0, 1]
    assert table.loc[table["documents"] == 0, ["share", "low", "high", "effective_n"]].isna().all(axis=None)


def test_undated_documents_are_their_own_row():
    table = trend(counts([("2019", "a", 5, 1, 0), (None, "b", 7, 1, 0), ("undated", "c", 1, 0, 0)]), TrendsConfig())
    assert table["period"].tolist() == ["2019", "undated"]
    assert table["passages"].tolist() == [5, 8]


def test_every_passage_is_counted_once():
    data = simulated()
    table = trend(data, TrendsConfig())
    assert table["passages"].sum() == data["passages"].sum()
    assert table["tagged"].sum() == data["tagged"].sum()
    assert table["documents"].sum() == len(data)


def test_order_of_rows_does_not_matter():
    data = simulated()
    shuffled = data.sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(trend(data, TrendsConfig()), trend(shuffled, TrendsConfig()))


def test_one_document_is_flagged_and_never_narrow():
    row = trend(counts([("2020", "a", 400, 200, 0)]), TrendsConfig()).iloc[0]
    assert row["basis"] == "assumed"
    assert row["effective_n"] <= 10
    assert row["high"] - row["low"] > 0.4


def test_one_document_borrows_from_the_other_periods():
    data = pd.concat([simulated().dropna(subset="period"), counts([("2021", "x", 400, 200, 0)])])
    table = trend(data, TrendsConfig()).set_index("period")
    assert table["basis"].to_dict() == {"2019": "documents", "2020": "documents", "2021": "pooled", "2022": "documents"}
    assert table.loc["2021", "effective_n"] < 20


@pytest.mark.parametrize("tagged", [0, 50])
def test_no_or_every_passage_tagged_keeps_an_interval_wider_than_independence(tagged):
    table = trend(counts([("2020", f"d{i}", 50, tagged, 0) for i in range(4)]), TrendsConfig())
    low, high = wilson(tagged / 50, 200)
    assert table.loc[0, "high"] - table.loc[0, "low"] > float(high - low)


def test_document_without_coded_passages_is_counted_but_has_no_share():
    row = trend(counts([("2020", "a", 0, 0, 0)]), TrendsConfig()).iloc[0]
    assert (row["documents"], row["passages"]) == (1, 0)
    assert np.isnan(row["share"])
    assert np.isnan(row["low"])


def test_groups_get_their_own_rows_and_unknown_ones_a_name():
    data = counts([("2020", "a", 5, 1, 0), ("2021", "b", 5, 2, 0)], region=["TW", None])
    table = trend(data, TrendsConfig(by=("region",)))
    assert table[["period", "region", "documents"]].to_numpy().tolist() == [
        ["2020", "TW", 1],
        ["2020", "unknown", 0],
        ["2021", "TW", 0],
        ["2021", "unknown", 1],
    ]


def test_reprints_count_once_by_their_earliest_document():
    rows = [("2021", "a", 10, 5, 0), ("2020", "b", 8, 4, 0), ("2020", "c", 10, 1, 0)]
    data = counts(rows, cluster=["k", "k", None], date=["2021-01-01", "2020-03-01", "2020-02-02"], path=["a", "b", "c"])
    table = trend(data, TrendsConfig()).set_index("period")
    assert table["passages"].to_dict() == {"2020": 18}


def test_reprints_prefer_an_exact_date_then_the_smallest_path():
    rows = [("2020", "a", 1, 0, 0), ("2020", "b", 2, 0, 0), ("2020", "c", 4, 0, 0)]
    data = counts(rows, cluster="k", date=["2020", "2020-03-01", "2020-03-01"], path=["x", "z", "y"])
    assert trend(data, TrendsConfig()).loc[0, "passages"] == 4


def test_reprints_counted_each_are_one_document_in_the_interval():
    rows = [("2020", f"d{i}", 10, i % 4, 0) for i in range(12)]
    data = counts(rows, cluster=["k"] * 8 + [None] * 4)
    row = trend(data, TrendsConfig(reprints="each")).iloc[0]
    assert (row["documents"], row["clusters"], row["passages"]) == (12, 5, 120)


def test_interval_covers_the_truth_when_passages_are_nested():
    """Nominal 95 %: 800 corpora of 12 to 60 documents with an intra-document correlation of 0.3."""
    rng = np.random.default_rng(7)
    truth, frames = 0.15, []
    for i in range(800):
        passages = rng.integers(1, 25, rng.integers(12, 60))
        chance = rng.beta(truth * 7 / 3, (1 - truth) * 7 / 3, len(passages))
        table = counts({"period": f"{1000 + i}", "doc_id": np.arange(len(passages)), "passages": passages,
                        "tagged": rng.binomial(passages, chance), "abstained": 0})  # fmt: skip
        frames.append(table)
    table = trend(pd.concat(frames, ignore_index=True), TrendsConfig())
    covered = ((table["low"] <= truth) & (truth <= table["high"])).mean()
    low, high = wilson(table["share"], table["passages"])
    naive = ((low <= truth) & (truth <= high)).mean()
    assert 0.93 <= covered <= 0.99
    assert naive < 0.8  # what ignoring documents would claim


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("year", ["2021", "2021", "2021", "undated", "undated"]),
        ("quarter", ["2021Q2", "2021Q2", "undated", "undated", "undated"]),
        ("month", ["2021-05", "2021-05", "undated", "undated", "undated"]),
    ],
)
def test_periods_of_dates(period, expected):
    dates = pd.Series(["2021-05-04", "2021-05", "2021", None, "n.d."])
    assert periods(dates, period).tolist() == expected


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("May 2020", "a", 5, 1, 0)], "is no year"),
        ([("2020", "a", 5, 4, 2)], "exceeds passages"),
        ([("2020", "a", -1, 0, 0)], "negative"),
    ],
)
def test_bad_counts_are_refused(rows, message):
    with pytest.raises(UsageError, match=message):
        trend(counts(rows), TrendsConfig())


def test_labels_must_cover_the_same_documents():
    data = counts([("2020", "a", 5, 1, 0), ("2020", "b", 5, 1, 0)]).assign(label=["x", "x"])
    data = pd.concat([data, data.iloc[:1].assign(label="y")])
    with pytest.raises(UsageError, match="different documents"):
        trend(data, TrendsConfig())


def test_missing_column_is_named():
    with pytest.raises(UsageError, match="lack the columns abstained"):
        trend(counts([("2020", "a", 5, 1, 0)]).drop(columns="abstained"), TrendsConfig())


def test_no_rows_give_an_empty_table_with_all_columns():
    table = trend(counts([]), TrendsConfig())
    assert table.empty
    assert {"share", "low", "high", "basis", "unassigned"} <= set(table.columns)


def test_reprints_can_count_once_an_outlet():
    counts = pd.DataFrame(
        {
            "label": "stage.open",
            "period": "2020",
            "doc_id": list("abcd"),
            "path": list("abcd"),
            "date": ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"],
            "cluster": ["x", "x", "x", None],
            "outlet": ["甲报", "甲报", "乙网", "甲报"],
            "passages": [10, 10, 10, 10],
            "tagged": [1, 1, 1, 1],
            "abstained": 0,
        }
    )
    found = {
        rule: int(trend(counts, TrendsConfig(reprints=rule))["documents"].iloc[0])
        for rule in ("once", "outlet", "each")
    }
    assert found == {"once": 2, "outlet": 3, "each": 4}
