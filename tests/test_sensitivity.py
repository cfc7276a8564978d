"""The same passages cut in other ways: what a trend is compared with."""

from policytext.config import SegmentConfig, load
from policytext.records import Document
from policytext.robustness import sensitivity
from policytext.segment import agreement, instruments
from policytext.store import Store

TEXT = "从数字赋能到数字赋权，各地推进一网通办。"


def test_instruments_differ_in_one_thing_each():
    usual, other, bare = instruments(SegmentConfig(), ["数字赋权", "一网通办"])
    assert [usual.name, other.name, bare.name] == ["rjieba", "jieba", "rjieba, no domain words"]
    assert usual.segmenter.cut(TEXT) == other.segmenter.cut(TEXT)
    assert "数字赋权" not in bare.segmenter.cut(TEXT)


def test_recut_keeps_the_passage_and_changes_its_words():
    usual, _, bare = instruments(SegmentConfig(), ["数字赋权"])
    doc = Document(id="a", path="a.txt", member=0, sha256="", original=TEXT, text=TEXT)
    passages = usual.segmenter.split(doc)
    again = bare.recut(passages)
    assert [(passage.start, passage.text) for passage in again] == [
        (passage.start, passage.text) for passage in passages
    ]
    assert "".join(again[0].words) == passages[0].text
    assert 0 < agreement([passages[0].words], [again[0].words]) < 1


def test_agreement_with_itself_is_whole():
    assert agreement([("一", "二")], [("一", "二")]) == 1.0
    assert agreement([("一",)], [("一",)]) == 1.0


def test_a_store_without_coded_passages_has_an_empty_table():
    with Store.open(None) as store:
        assert sensitivity(store, load(None)).empty
