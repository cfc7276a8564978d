import pandas as pd
import pytest

from policytext.aggregate import kwic
from policytext.errors import UsageError

PASSAGES = pd.DataFrame(
    {
        "doc_id": ["b", "a", "a"],
        "n": [0, 1, 0],
        "start": [5, 12, 0],
        "text": ["公众参与和社会监督。", "没有这个词", "参与决策，参与监督"],
    }
)


def test_kwic_finds_every_occurrence_in_reading_order():
    found = kwic(PASSAGES, "参与", width=3)
    assert found[["doc_id", "n", "left", "right", "start", "end"]].to_numpy().tolist() == [
        ["a", 0, "", "决策，", 0, 2],
        ["a", 0, "决策，", "监督", 5, 7],
        ["b", 0, "公众", "和社会", 7, 9],
    ]


def test_kwic_parts_tile_the_passage_when_the_width_is_large():
    found = kwic(PASSAGES, "监督", width=1000)
    texts = set(PASSAGES["text"])
    assert {f"{row.left}{row.term}{row.right}" for row in found.itertuples()} <= texts


def test_kwic_needs_no_word_boundary():
    assert len(kwic(PASSAGES, "众参")) == 1


def test_kwic_by_regular_expression():
    assert kwic(PASSAGES, "(社会|参与)监督", regex=True)["term"].tolist() == ["参与监督", "社会监督"]
    assert kwic(PASSAGES, "(社会|参与)监督").empty


def test_kwic_without_start_counts_from_the_passage():
    assert kwic(PASSAGES.drop(columns="start"), "公众").loc[0, "start"] == 0


@pytest.mark.parametrize(
    ("term", "options", "message"),
    [
        ("", {}, "empty"),
        ("(", {"regex": True}, "no regular expression"),
        ("x*", {"regex": True}, "empty string"),
        ("参", {"width": -1}, "width"),
    ],
)
def test_kwic_refuses_what_makes_no_sense(term, options, message):
    with pytest.raises(UsageError, match=message):
        kwic(PASSAGES, term, **options)


def test_kwic_without_a_hit_keeps_its_columns():
    assert kwic(PASSAGES, "区块链").columns.tolist() == ["doc_id", "n", "left", "term", "right", "start", "end"]
