import json

import numpy as np
import pytest
from sklearn.metrics import f1_score, precision_recall_fscore_support

from policytext.errors import LabelError
from policytext.evaluate import Units, score

LABELS = ["stage.open", "stage.smart", "theme.enablement"]


def simulated(seed=0, passages=300):
    rng = np.random.default_rng(seed)
    true = rng.random((passages, 3)) < [0.2, 0.1, 0.3]
    guess = np.where(rng.random(true.shape) < 0.85, true, ~true)
    sets = [[{LABELS[j] for j in np.flatnonzero(row)} for row in table] for table in (true, guess)]
    return sets, true, guess


def test_scores_equal_scikit_learn():
    (truth, predicted), true, guess = simulated()
    scores = score(truth, predicted, labels=LABELS)
    precision, recall, f1, support = precision_recall_fscore_support(true, guess)
    np.testing.assert_allclose(scores.labels["precision"], precision)
    np.testing.assert_allclose(scores.labels["recall"], recall)
    np.testing.assert_allclose(scores.labels["f1"], f1)
    assert scores.labels["support"].tolist() == support.tolist()
    assert scores.macro_f1 == pytest.approx(f1_score(true, guess, average="macro"))


def test_intervals_hold_their_scores():
    (truth, predicted), _, _ = simulated()
    table = score(truth, predicted).labels
    for name in ("precision", "recall", "f1", "alpha"):
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()


def test_passages_of_one_document_are_not_independent():
    (truth, predicted), _, _ = simulated(passages=60)
    many = Units(clusters=[f"d{i % 60}" for i in range(600)])
    alone, repeated = score(truth, predicted).labels, score(truth * 10, predicted * 10, units=many).labels
    for name in ("precision", "recall", "f1"):
        width, wide = (t[f"{name}_high"] - t[f"{name}_low"] for t in (alone, repeated))
        assert ((width * 0.9 <= wide) & (wide <= width * 1.25)).all(), name


def test_order_of_passages_does_not_matter():
    (truth, predicted), _, _ = simulated()
    order = np.random.default_rng(5).permutation(len(truth))
    documents = [f"d{i // 7}" for i in range(len(truth))]
    one = score(truth, predicted, units=Units(clusters=documents))
    other = score(
        [truth[i] for i in order], [predicted[i] for i in order], units=Units(clusters=[documents[i] for i in order])
    )
    assert one.as_dict()["macro_f1_interval"] == pytest.approx(other.as_dict()["macro_f1_interval"])
    np.testing.assert_allclose(one.labels["f1_low"], other.labels["f1_low"])


def test_intervals_cover_the_scores_of_the_process_behind_the_passages():
    """Nominal 95 %, 120 corpora of 60 documents that differ in how easy they are."""
    rng = np.random.default_rng(0)
    prevalence, recall, false = np.array([0.1, 0.2]), np.array([0.7, 0.85]), np.array([0.02, 0.04])
    jaccard = prevalence * recall / (prevalence + (1 - prevalence) * false)
    truth = 2 * jaccard / (1 + jaccard)
    document = np.repeat(np.arange(60), 5)
    covered, macro = [], []
    for _ in range(120):
        easy = rng.beta(recall * 5, (1 - recall) * 5, (60, 2))[document]
        true = rng.random((300, 2)) < rng.beta(prevalence * 4, (1 - prevalence) * 4, (60, 2))[document]
        guess = np.where(true, rng.random((300, 2)) < easy, rng.random((300, 2)) < false)
        sets = [[{"ab"[j] for j in (0, 1) if row[j]} for row in table] for table in (true, guess)]
        scores = score(*sets, labels=["a", "b"], units=Units(clusters=document))
        covered.append((scores.labels["f1_low"] <= truth) & (truth <= scores.labels["f1_high"]))
        macro.append(scores.macro_low <= truth.mean() <= scores.macro_high)
    assert 0.91 <= np.mean(covered) <= 0.99
    assert 0.9 <= np.mean(macro) <= 0.99


def test_perfect_scores_still_have_an_interval():
    truth = [{"a"}, set()] * 10
    row = score(truth, truth).labels.iloc[0]
    assert (row["precision"], row["precision_high"]) == (1, 1)
    assert row["precision_low"] < 0.8
    assert score(truth, truth).macro_low < 0.8


def test_label_that_never_occurs_is_unknown_and_left_out_of_the_mean():
    scores = score([{"a"}, set()], [{"a"}, set()], labels=["a", "b"])
    assert scores.labels["f1"].isna().tolist() == [False, True]
    assert scores.macro_f1 == 1
    assert json.loads(json.dumps(scores.as_dict()))["labels"][1]["f1"] is None


def test_confusions_pair_what_was_missed_with_what_was_given_instead():
    truth = [{"a"}, {"a"}, set(), {"a", "b"}]
    predicted = [{"b"}, set(), {"b"}, {"a", "b"}]
    table = score(truth, predicted, units=Units(ids=["p0", "p1", "p2", "p3"])).confusions
    assert table[["truth", "predicted", "examples"]].to_numpy().tolist() == [
        ["(none)", "b", ["p2"]],
        ["a", "(none)", ["p1"]],
        ["a", "b", ["p0"]],
    ]


def test_groups_are_scored_apart_and_unknown_ones_are_named():
    truth, predicted = [{"a"}, {"a"}, {"a"}], [{"a"}, set(), {"a"}]
    table = score(truth, predicted, units=Units(groups={"script": ["hans", "hant", None]})).groups
    assert table[["value", "recall"]].to_numpy().tolist() == [["hans", 1.0], ["hant", 0.0], ["unknown", 1.0]]


def test_groups_have_intervals_too():
    (truth, predicted), _, _ = simulated()
    table = score(
        truth, predicted, units=Units(groups={"decade": [f"{2000 + 10 * (i % 2)}s" for i in range(300)]})
    ).groups
    assert len(table) == 6
    assert (table["f1_low"] <= table["f1"]).all()


def test_one_document_leaves_the_mean_without_an_interval():
    scores = score([{"a"}, set()], [{"a"}, {"a"}], units=Units(clusters=["d", "d"]))
    assert scores.macro_f1 == pytest.approx(2 / 3)
    assert scores.as_dict()["macro_f1_interval"] == [None, None]


def test_no_passages_are_an_error():
    with pytest.raises(LabelError, match="no passage to score"):
        score([], [], labels=["a"])


def test_calibration_of_perfect_and_wrong_probabilities():
    truth = [{"a"}] * 5 + [set()] * 5
    sure = score(truth, truth, probabilities=[[1.0]] * 5 + [[0.0]] * 5).calibration
    assert sure["ece"].tolist() == [0.0, 0.0]
    wrong = score(truth, truth, probabilities=[[0.0]] * 5 + [[1.0]] * 5).calibration
    assert wrong["ece"].tolist() == [1.0, 1.0]
    assert wrong["brier"].tolist() == [1.0, 1.0]


def test_calibration_error_is_small_for_honest_probabilities():
    rng = np.random.default_rng(2)
    probabilities = rng.random((20_000, 1))
    truth = [{"a"} if hit else set() for hit in rng.random(20_000) < probabilities[:, 0]]
    scores = score(truth, truth, probabilities=probabilities)
    assert scores.calibration.loc[0, "ece"] < 0.02
    assert scores.reliability.query("label == 'a'")["passages"].sum() == 20_000


def test_as_table_has_a_line_for_each_label_and_the_mean():
    (truth, predicted), _, _ = simulated()
    lines = score(truth, predicted).as_table().splitlines()
    assert [line.split()[0] for line in lines] == ["label", *LABELS, "macro"]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([set()], []), {}, "1 true and 0 predicted"),
        ((["a"], ["a"]), {}, "plain string"),
        (([{"a"}], [{"b"}]), {"labels": ["a"]}, '"b" is not among'),
        (([{"a"}], [{"a"}]), {"units": Units(ids=["x", "y"])}, "ids has 2 entries"),
        (([{"a"}], [{"a"}]), {"probabilities": [[0.1], [0.2]]}, "2 rows of probabilities"),
    ],
)
def test_malformed_labels_are_refused(arguments, options, message):
    with pytest.raises(LabelError, match=message):
        score(*arguments, **options)


def test_macro_f1_of_many_labels_is_no_surer_than_its_documents():
    labels = [f"l{i}" for i in range(12)]
    truth = [set(labels) for _ in range(100)]
    documents = [f"d{i // 10}" for i in range(100)]
    many = score(truth, truth, units=Units(clusters=documents))
    assert many.macro_low < 0.95


def test_passages_without_a_document_stay_with_their_label():
    scores = score(
        [{"a"}, {"b"}, {"b"}, {"b"}],
        [{"a"}, {"b"}, set(), set()],
        units=Units(clusters=["d0", "d1", None, None]),
    )
    assert scores.labels["recall"].tolist() == [1, pytest.approx(1 / 3)]
    assert scores.documents == 4


def test_where_there_is_no_interval_none_is_shown():
    table = score([{"a"}, set()], [{"a"}, set()]).as_table()
    assert "nan" not in table
    assert table.splitlines()[1].endswith("1.00")
