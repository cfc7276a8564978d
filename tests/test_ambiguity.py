"""The ledger says where the conversion had a choice, and only there."""

from policytext import convert
from policytext.config import ConvertConfig
from policytext.records import Document


def ledger(text, variant="auto"):
    doc = Document(id="a", path="a.txt", member=0, sha256="", original=text, text=text)
    doc = convert.simplify(doc, ConvertConfig(variant=variant))
    found = convert.ambiguities(doc)
    assert all(doc.text[one.start : one.end] == one.chosen for one in found)
    return [(one.chosen, one.kind, one.others) for one in found]


def test_characters_with_several_readings_are_listed():
    assert ledger("乾隆曬乾衣服", "t2s") == [("乾", "character", ("干",)), ("干", "character", ("乾",))]


def test_regional_words_are_listed_with_their_literal_form():
    found = ledger("政府的網際網路資料", "tw2sp")
    assert ("互联网", "region", ("网际网路",)) in found
    assert ("数据", "region", ("资料",)) in found


def test_merged_characters_of_simplified_text_are_listed():
    assert ("后", "merged", ("後", "后")) in ledger("皇后和以后")


def test_plain_text_has_no_ledger():
    assert ledger("政府資訊公開", "t2s") == []
