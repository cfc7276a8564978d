"""Conversion is exact as OpenCC, aligned, and never loses the original."""

import json
from pathlib import Path

import pytest

from policytext import convert, dictionaries
from policytext.config import ConvertConfig
from policytext.errors import UsageError
from policytext.records import Document

CASES = Path(__file__).parents[2] / "shared" / "cases" / "opencc.json"


def document(text):
    return Document(id="a", path="a.txt", member=0, sha256="", original=text, text=text)


@pytest.mark.skipif(not CASES.exists(), reason="OpenCC's cases (../shared/cases/opencc.json) are not here")
def test_conversion_passes_opencc_cases():
    cases = json.loads(CASES.read_text(encoding="utf-8"))["cases"]
    wrong = [
        (case["id"], variant, expected, got)
        for case in cases
        for variant, expected in case["expected"].items()
        if (got := convert.convert(case["input"], variant).text) != expected
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("variant", "text", "expected"),
    [
        ("t2s", "乾隆皇帝曬乾衣服", "乾隆皇帝晒干衣服"),
        ("t2s", "頭髮發展", "头发发展"),
        ("t2s", "皇后之後", "皇后之后"),
        ("tw2s", "著作權與穿著", "著作权与穿着"),
        ("tw2sp", "人工智慧與智慧型手機", "人工智能与智能型手机"),
        ("tw2sp", "網際網路的資料庫程式", "互联网的数据库程序"),
        ("hk2sp", "伺服器硬碟", "服务器硬盘"),
        ("tw2sg", "績效指標與核心價值，檢附文件", "绩效指标与核心价值，检附文件"),
        ("tw2sg", "政府資料開放與個人資料", "政府数据开放与个人信息"),
        ("hk2sg", "資訊科技與數碼政府，的士兵", "信息技术与数字政府，的士兵"),
        ("none", "資訊", "資訊"),
    ],
)
def test_variants_convert_words(variant, text, expected):
    assert convert.convert(text, variant).text == expected


def test_longest_match_may_not_cross_a_segment_boundary():
    """OpenCC cuts at phrases of TSPhrases before regional phrases are looked up."""
    assert convert.convert("程式來解決方程式", "tw2sp").text == "程序来解决方程式"


def test_description_sequences_stay():
    assert convert.convert("⿰馬馬是馬", "t2s").text == "⿰馬馬是马"


def test_compatibility_ideographs_are_unified():
    assert convert.convert("\uf9e9\uf90a", "t2s").text == "里金"


@pytest.mark.parametrize("text", ["", "😀", "〇", "\ud800資", "𠮷野家資料", "a\x00b"])
def test_odd_text_survives(text):
    converted = convert.convert(text, "tw2sp")
    assert converted.alignment.to_original(0, len(converted.text)) == (0, len(text))


def test_alignment_leads_back_to_the_regional_word():
    text = "政府的網際網路服務"
    converted = convert.convert(text, "tw2sp")
    start = converted.text.index("互联网")
    assert text[slice(*converted.alignment.to_original(start, start + 3))] == "網際網路"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("政府信息公开条例", ("hans", "none")),
        ("行政院推動資訊公開與網路服務", ("hant", "tw2sg")),
        ("香港特區政府的資訊科技", ("hant", "hk2sg")),
        ("數字政府與網絡數據", ("hant", "t2s")),
        ("123 abc", ("none", "none")),
    ],
)
def test_detect_names_script_and_chain(text, expected):
    assert convert.detect(text) == expected


def test_simplify_records_script_and_variant():
    doc = convert.simplify(document("行政院資訊網路"), ConvertConfig())
    assert (doc.text, doc.script, doc.variant) == ("行政院信息网络", "hant", "tw2sg")
    assert doc.original == "行政院資訊網路"


def test_unknown_variant_is_refused():
    with pytest.raises(UsageError, match="valid variants"):
        convert.convert("x", "s2t")


def test_dictionaries_hold_single_values():
    for name in ("TSCharacters", "TSPhrases", "TWPhrasesRev", "HKPhrasesRev"):
        assert all(value and " " not in value for value in dictionaries.load(name).values())


def test_simplified_text_passes_untouched():
    text = "乾隆年间的著作，昇平、喆、堃等人名，瞭望与藉口。"
    assert convert.convert(text).text == text


def test_japanese_text_passes_untouched():
    text = "東京都は行政手続のオンライン化を進め、図書館や学校の機能を強化している。"
    assert convert.convert(text) == (text, convert.convert(text).alignment, "none", "none")


def test_traditional_lines_of_a_simplified_document_are_converted():
    text = "我国数字政府建设进入新阶段，各地推进政务服务一网通办。\n" * 5 + "臺灣的數位發展部推動資訊公開。"
    converted = convert.convert(text)
    assert converted.text.split("\n")[-1] == "台湾的数位发展部推动信息公开。"
    assert converted.text.split("\n")[0] == text.split("\n", maxsplit=1)[0]
    assert (converted.script, converted.variant) == ("mixed", "tw2sg") or converted.script == "hans"


def test_declared_region_decides_the_chain():
    doc = Document(id="a", path="a.txt", member=0, sha256="", original="資料與數碼", text="資料與數碼", region="HK")
    assert convert.simplify(doc, ConvertConfig()).variant == "hk2sg"


def test_edits_of_two_steps_become_one():
    """網際網路 -> 互聯網 -> 互联网 after a zero-width space that went: the span leads back to all of it."""
    doc = convert.simplify(document("上網\u200b際網路，网际"), ConvertConfig(variant="tw2sp"))
    assert doc.text.startswith("上互联网")
    assert doc.original[slice(*doc.alignment.to_original(1, 4))] == "網\u200b際網路"


def test_a_region_that_nobody_states_is_told_by_the_text_and_noted():
    done = convert.simplify(document("本縣推動數位服務，行政院核定計畫，公務人員透過網路申辦。"), ConvertConfig())
    assert done.region == "TW"
    assert any(note.startswith("region:") for note in done.notes)
    assert convert.simplify(document("本市推动政务公开。"), ConvertConfig()).region is None


def test_simplified_text_of_another_region_gets_the_same_words():
    text = "政府资讯公开后，民众可透过网路平台查询资料库的开放资料。"
    done = convert.convert(text)
    assert done.variant == "twg"
    assert done.text == convert.convert("政府資訊公開後，民眾可透過網路平台查詢資料庫的開放資料。").text
    start = done.text.index("数据库")
    assert text[slice(*done.alignment.to_original(start, start + 3))] == "资料库"


@pytest.mark.parametrize(
    "text",
    [
        "我国与香港立法会议员就网络数据库项目交换信息。",
        "行政许可涉及申请人与利害关系人重大利益的，应当告知，并承担相当责任。",
        "全部会员购买数码产品，观察软体动物，个人资料交办公部门。",
    ],
)
def test_mainland_text_stays(text):
    assert convert.convert(text)[0::2] == (text, "none")
