import numpy as np
import pandas as pd
import pytest

from policytext.errors import UsageError
from policytext.evaluate import draw, poisson, rates, strata


def passages(documents=40, each=10):
    table = pd.DataFrame({"doc_id": np.repeat([f"d{i:03}" for i in range(documents)], each)})
    table["n"] = np.tile(np.arange(each), documents)
    table["stratum"] = np.where(table.index % 20 == 0, "rare", np.where(table.index % 4 == 0, "some", "none"))
    return table


@pytest.mark.parametrize("method", ["random", "systematic"])
@pytest.mark.parametrize("allocation", ["equal", "proportional", {"rare": 5, "some": 7, "none": 30}])
def test_weights_add_up_to_the_corpus_in_every_stratum(method, allocation):
    table = passages()
    drawn = draw(table, 42, allocation=allocation, method=method)
    assert len(drawn) == 42
    weights = (1 / drawn["inclusion_probability"]).groupby(drawn["stratum"]).sum()
    assert weights.to_dict() == pytest.approx(table["stratum"].value_counts().to_dict())


def test_equal_allocation_reads_rare_strata_in_full():
    counts = draw(passages(), 90)["stratum"].value_counts()
    assert counts.to_dict() == {"none": 35, "some": 35, "rare": 20}


@pytest.mark.parametrize("method", ["random", "systematic"])
def test_order_of_rows_does_not_matter(method):
    table = passages()
    shuffled = table.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(draw(table, 30, method=method), draw(shuffled, 30, method=method))


def test_larger_sample_holds_the_smaller_one():
    table = passages().drop(columns="stratum")
    small, large = (set(map(tuple, draw(table, size)[["doc_id", "n"]].to_numpy())) for size in (20, 60))
    assert small < large


def test_seed_changes_the_sample():
    assert not draw(passages(), 30).equals(draw(passages(), 30, seed=1))


def test_systematic_sample_spreads_over_documents():
    table = passages().drop(columns="stratum")
    assert draw(table, 40, method="systematic")["doc_id"].nunique() == 40
    assert draw(table, 40)["doc_id"].nunique() < 35


@pytest.mark.parametrize("method", ["random", "systematic"])
def test_passages_are_drawn_as_often_as_recorded(method):
    table = passages(documents=20, each=4)
    hits = np.zeros(len(table))
    for seed in range(150):
        drawn = draw(table, 20, allocation="proportional", method=method, seed=seed)
        hits += table.merge(drawn, how="left", on=["doc_id", "n"])["inclusion_probability"].notna()
    expected = table.merge(drawn.groupby("stratum", as_index=False)["inclusion_probability"].first())
    expected = expected.sort_values(["doc_id", "n"])["inclusion_probability"].to_numpy()
    assert np.abs(hits / 150 - expected).max() < 0.17  # more than four standard errors


def test_poisson_draws_each_with_its_own_probability():
    table = passages()
    chance = rates(np.arange(len(table)), 80)
    sizes = [len(poisson(table, chance, seed=seed)) for seed in range(200)]
    assert chance.sum() == pytest.approx(80)
    assert np.mean(sizes) == pytest.approx(80, abs=2)
    drawn = poisson(table, chance)
    assert set(drawn["inclusion_probability"]) <= set(chance)


def test_rates_leave_no_passage_out_of_reach():
    chance = rates([0.0] * 9 + [5.0], 3)
    assert chance.sum() == pytest.approx(3)
    assert (chance > 0).all()
    assert chance.max() == 1


def test_stratum_is_the_rarest_predicted_label():
    assert strata([{"a", "b"}, {"a"}, set(), ["a"]]) == ["b", "a", "(none)", "a"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 2}, "ask for 3 to 400"),
        ({"size": 401}, "ask for 3 to 400"),
        ({"size": 3, "allocation": {"other": 1}}, 'no stratum "other"'),
        ({"size": 3, "allocation": {"rare": 99, "some": 1, "none": 1}}, "draw 1 to 20"),
    ],
)
def test_impossible_samples_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        draw(passages(), **options)


def test_probabilities_outside_their_range_are_refused():
    with pytest.raises(UsageError, match="above 0"):
        poisson(passages(), np.zeros(400))
    with pytest.raises(UsageError, match="cannot draw"):
        rates([1.0], 2)


@pytest.mark.parametrize("stratum", [[2020, 2020, 2021, 2021], [True, False, True, False], [None, "a", "a", None]])
def test_strata_of_any_kind_are_names(stratum):
    passages = pd.DataFrame({"doc_id": list("abcd"), "n": 0, "stratum": pd.Series(stratum, dtype=object)})
    assert len(draw(passages, 2)) == 2
