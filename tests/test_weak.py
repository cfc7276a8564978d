"""The table of weak supervision counts passages, not occurrences."""

import math

import pytest

from policytext.codebook import Codebook, Dimension, Group, Label
from policytext.errors import UsageError
from policytext.tag.weak import coverage

LABELS = (
    Label("d.a", "a", "a", "", "", terms=("公开", "公布", "透明")),
    Label("d.b", "b", "b", "", "", terms=("共享",)),
    Label("e.c", "c", "c", "", "", terms=("公开",)),
)
BOOK = Codebook(
    *("c", "1", "c", "c"),
    (Dimension("d", "d", "d"), Dimension("e", "e", "e")),
    LABELS,
    groups=(Group("trade", ("股东",), against="d.a"),),
)
TEXTS = ["公开公布", "公开共享", "向股东公开", "共享", "无"]


def test_labels():
    table = coverage(BOOK, TEXTS).set_index("label")
    assert table.loc["d.a"].tolist() == [4, 3, 0.6, pytest.approx(1 / 3), pytest.approx(1 / 3)]
    assert table.loc["d.b"].tolist() == [2, 2, 0.4, 0.5, 0.0]


def test_terms_that_never_occur_are_shown():
    table = coverage(BOOK, TEXTS, by="term").set_index(["label", "term"])
    assert table.loc[("d.a", "公开"), "passages"] == 3
    assert table.loc[("d.a", "公开"), "overlap"] == pytest.approx(1 / 3)
    assert table.loc[("d.a", "透明"), "passages"] == 0
    assert math.isnan(table.loc[("d.a", "透明"), "overlap"])


def test_precision_and_recall_against_labels_by_hand():
    truth = [{"d.a"}, {"d.a"}, set(), {"d.a"}, set()]
    table = coverage(BOOK, TEXTS, truth=truth).set_index("label")
    assert table.loc["d.a", ["precision", "recall"]].tolist() == [pytest.approx(2 / 3), pytest.approx(2 / 3)]


def test_truth_of_another_length_is_told():
    with pytest.raises(UsageError, match="one set a text"):
        coverage(BOOK, TEXTS, truth=[set()])
