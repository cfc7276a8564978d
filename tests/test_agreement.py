import numpy as np
import pytest

from policytext.errors import LabelError, UsageError
from policytext.evaluate import agree, alpha

krippendorff = pytest.importorskip("krippendorff", reason="the reference implementation is not installed")


def random_ratings(seed):
    rng = np.random.default_rng(seed)
    ratings = rng.integers(0, rng.integers(2, 5), (rng.integers(2, 6), rng.integers(5, 60))).astype(float)
    ratings[rng.random(ratings.shape) < 0.3] = np.nan
    return ratings


@pytest.mark.parametrize("seed", range(30))
def test_alpha_equals_the_reference(seed):
    ratings = random_ratings(seed)
    expected = krippendorff.alpha(reliability_data=ratings, level_of_measurement="nominal")
    assert alpha(ratings) == pytest.approx(expected, abs=1e-12)


def test_alpha_of_full_agreement_is_one():
    assert alpha([[0, 1, 0], [0, 1, 0]]) == 1


def test_alpha_without_variation_is_unknown():
    assert np.isnan(alpha([[1, 1, 1], [1, 1, 1]]))


def test_agree_has_an_interval_that_holds_alpha():
    rng = np.random.default_rng(3)
    truth = [{"x"} if rng.random() < 0.3 else set() for _ in range(200)]
    other = [one if rng.random() < 0.9 else {"x"} - one for one in truth]
    row = agree({"a": truth, "b": other}).iloc[0]
    assert row["low"] < row["alpha"] < row["high"]
    assert row["units"] == 200


def test_agree_over_documents_is_less_sure_than_over_passages():
    rng = np.random.default_rng(4)
    wrong = np.repeat(rng.random(20) < 0.3, 10)
    truth = [{"x"} if i % 2 else set() for i in range(200)]
    other = [({"x"} - one) if flip else one for one, flip in zip(truth, wrong, strict=True)]
    passages = agree({"a": truth, "b": other}).iloc[0]
    documents = agree({"a": truth, "b": other}, clusters=[str(i // 10) for i in range(200)]).iloc[0]
    assert documents["high"] - documents["low"] > 1.5 * (passages["high"] - passages["low"])


def test_agree_ignores_passages_that_one_reader_left_out():
    assert agree({"a": [{"x"}, set(), {"x"}], "b": [{"x"}, set(), None]}).loc[0, ["alpha", "units"]].tolist() == [
        1.0,
        2,
    ]


def test_agree_is_the_same_twice():
    readings = {"a": [{"x"}, set(), {"x"}, set()], "b": [{"x"}, {"x"}, set(), set()]}
    assert agree(readings).equals(agree(readings))


def test_agree_needs_two_readers_of_the_same_passages():
    with pytest.raises(UsageError, match="at least two"):
        agree({"a": [set()]})
    with pytest.raises(LabelError, match="different lengths"):
        agree({"a": [set()], "b": []})


def test_two_positive_readings_among_a_hundred_tell_nothing():
    first, second = ([{"x"} if i == at else set() for i in range(100)] for at in (3, 60))
    row = agree({"a": first, "b": second}).iloc[0]
    assert np.isnan(row["low"])
    assert np.isnan(row["high"])


def test_one_document_with_all_disagreement_makes_a_wide_interval():
    first = [{"x"} if i % 2 else set() for i in range(100)]
    second = [one if i >= 10 else set() for i, one in enumerate(first)]
    row = agree({"a": first, "b": second}, clusters=[str(i // 10) for i in range(100)]).iloc[0]
    assert row["low"] < 0.6 < row["alpha"] < row["high"] < 1
