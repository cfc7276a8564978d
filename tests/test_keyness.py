import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import chi2_contingency, false_discovery_control

from policytext.aggregate import keywords
from policytext.errors import UsageError


def corpus(seed=0, documents=60, length=80):
    rng = np.random.default_rng(seed)
    words = [f"词{i}" for i in range(40)] + ["税", "，", "2021"]
    return [rng.choice(words, length).tolist() for _ in range(documents)]


def test_log_likelihood_equals_scipy():
    words = corpus()
    target = np.arange(60) < 20
    table = keywords(words, target).set_index("word")
    mine = table.loc["词3"]
    sizes = [
        sum(w[0] in "词税" for one in words[:20] for w in one),
        sum(w[0] in "词税" for one in words[20:] for w in one),
    ]
    rows = [[mine["target"], mine["reference"]], [sizes[0] - mine["target"], sizes[1] - mine["reference"]]]
    expected = chi2_contingency(rows, correction=False, lambda_="log-likelihood")
    assert mine["log_likelihood"] == pytest.approx(expected.statistic)
    assert mine["target_per_million"] == pytest.approx(1e6 * mine["target"] / sizes[0])


def test_adjusted_p_equals_scipy():
    table = keywords(corpus(), np.arange(60) < 20)
    np.testing.assert_allclose(table["p_adjusted"], false_discovery_control(table["p"]))


def test_word_of_the_target_comes_first_with_a_positive_ratio():
    words = [[*one, "赋能", "赋能"] if i < 20 else one for i, one in enumerate(corpus())]
    first = keywords(words, np.arange(60) < 20).iloc[0]
    assert first["word"] == "赋能"
    assert first["log_ratio"] > 5
    assert first["p_adjusted"] < 1e-6
    assert first["dispersion"] < 0.05


def test_word_of_the_reference_has_a_negative_ratio():
    words = [[*one, "赋能"] if i >= 20 else one for i, one in enumerate(corpus())]
    assert keywords(words, np.arange(60) < 20).iloc[0]["log_ratio"] < -3


def test_words_of_one_character_stay_and_symbols_go():
    table = keywords(corpus(), np.arange(60) < 20)
    assert "税" in set(table["word"])
    assert not {"，", "2021"} & set(table["word"])
    assert table.attrs["dropped"] == {"symbols": 2, "rare": 0}


def test_burst_in_one_document_is_noted_and_not_significant():
    words = corpus()
    words[0] = [*words[0], *["疫苗"] * 40]
    row = keywords(words, np.arange(60) < 20).set_index("word").loc["疫苗"]
    assert row["log_likelihood"] > 60
    assert row["p"] > 0.05
    assert row["dispersion"] > 0.9
    assert row["note"] == "half or more in one document"


def test_bursty_words_are_not_found_where_there_is_nothing_to_find():
    """Documents of two parts drawn alike: each has its own mixture of words."""
    rng = np.random.default_rng(1)
    names = np.array([f"词{i}" for i in range(200)])
    words = [rng.choice(names, 150, p=rng.dirichlet(np.full(200, 0.3))).tolist() for _ in range(200)]
    table = keywords(words, np.arange(200) % 2 == 0)
    naive = (table["log_likelihood"] > 3.84).mean()
    assert naive > 0.2
    assert (table["p"] < 0.05).mean() < 0.09
    assert (table["p_adjusted"] < 0.05).mean() < 0.02


def test_passages_of_a_document_count_together():
    words = corpus()
    words[0], words[1] = [*words[0], *["疫苗"] * 20], [*words[1], *["疫苗"] * 20]
    documents = ["d0", "d0", *(f"d{i}" for i in range(2, 60))]
    row = keywords(words, np.arange(60) < 20, documents=documents).set_index("word").loc["疫苗"]
    assert row["target_documents"] == 1
    assert row["note"]


def test_order_and_kind_of_input_change_nothing():
    words, target = corpus(), np.arange(60) < 20
    order = np.random.default_rng(0).permutation(60)
    one = keywords(words, target)
    other = keywords(pa.array([words[i] for i in order]), target[order])
    assert one["word"].tolist() == other["word"].tolist()
    np.testing.assert_allclose(one["p"], other["p"])


def test_one_document_has_no_p():
    table = keywords([["数据"] * 9, ["养老", "数据"] * 5, ["养老"] * 4], [True, False, False])
    assert table["p"].isna().all()
    assert (table["log_likelihood"] > 0).all()


@pytest.mark.parametrize(
    ("words", "target", "message"),
    [
        ([["数据"]], [True], "reference has no words"),
        ([["，"], ["数据"]], [True, False], "target has no words"),
        ([["数据"]], [True, False], "target has 2 entries"),
    ],
)
def test_parts_that_cannot_be_compared_are_refused(words, target, message):
    with pytest.raises(UsageError, match=message):
        keywords(words, target)


def test_two_documents_on_a_side_seldom_show_what_is_not_there():
    rng = np.random.default_rng(5)
    names = np.array([f"词{i}" for i in range(60)])
    found = total = 0
    for _ in range(10):
        docs = [rng.choice(names, 300, p=rng.dirichlet(np.full(60, 2.0))).tolist() for _ in range(40)]
        table = keywords(docs, np.arange(40) < 2, documents=[str(i) for i in range(40)], min_count=5)
        found, total = found + int((table["p"] < 0.05).sum()), total + len(table)
    assert found / total < 0.09
