"""What stands in the way of reading is set right, every change is an edit, and real paragraph breaks stay."""

import pytest

from policytext import convert
from policytext.config import ConvertConfig
from policytext.convert import normalise
from policytext.records import Document

SENTENCES = (
    "各级人民政府应当把数字政府建设摆在突出位置，统筹规划、分步实施，避免重复建设。"
    "要坚持以人民为中心，推动政务服务事项全程网办，让数据多跑路、群众少跑腿，切实减轻基层负担。"
    "有条件的地区可以先行先试，及时总结可复制可推广的经验，形成制度性成果并向全省推广。"
)


def simplified(text, **fields):
    doc = Document(id="a", path="a.txt", member=0, sha256="", original=text, text=text, **fields)
    return convert.simplify(doc, ConvertConfig())


def wrapped(paragraph, width, indent=""):
    text = indent + paragraph
    return [text[place : place + width] for place in range(0, len(text), width)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("２０２２年Ａ级增长３．５％", "2022年A级增长3.5%"),
        ("总\u3000则\u00a0和\u2003附则", "总 则 和 附则"),
        ("政\u200b府\ufeff公\u00ad开", "政府公开"),
        ("第一行\r\n第二行\r第三行\u2028第四行", "第一行\n第二行\n第三行\n第四行"),
        ("关 于 公 开 的 规 定", "关于公开的规定"),
        ("第一章 总则 附则", "第一章 总则 附则"),
        ("总 则 和 附则", "总 则 和 附则"),
        ("葛\U000e0100城", "葛城"),
        ("❤\ufe0f 数据", "❤\ufe0f 数据"),
        ("\uf0b7 第一项", "• 第一项"),
        ("⼈⼯智能与⼤数据，⺠⽣为本，⻓期", "人工智能与大数据，民生为本，长期"),
        ("甲\x00乙\x0b丙", "甲 乙\n丙"),
    ],
)
def test_tidy_sets_right(text, expected):
    tidy, edits = normalise.tidy(text)
    assert tidy == expected or tidy.replace("\ufe0f", "") == expected.replace("\ufe0f", "")
    assert sum(length - before for _, length, before in edits) == len(tidy) - len(text)


def test_glyphs_of_hong_kong_are_read_where_the_text_is_from_there():
    assert simplified("隨\ue2e5香港的發展，\ue40c生資訊科技", region="HK").text == "随着香港的发展，卫生信息技术"
    assert "\ue2e5" in simplified("隨\ue2e5臺灣的發展", region="TW").text


@pytest.mark.parametrize("width", [28, 35, 42])
@pytest.mark.parametrize("indent", ["", "\u3000\u3000"])
def test_lines_broken_at_a_fixed_width_are_joined(width, indent):
    paragraphs = [SENTENCES, SENTENCES[40:] + SENTENCES, SENTENCES * 2]
    text = "\n".join(line for paragraph in paragraphs for line in wrapped(paragraph, width, indent))
    doc = simplified(text)
    joined = [line.strip() for line in doc.text.split("\n")]
    assert "".join(joined) == "".join(paragraphs)
    assert all(line.endswith("。") for line in joined)  # where a full line ends a sentence, only an indent could tell
    if indent:
        assert joined == paragraphs
    start = doc.text.index("先行先试")
    assert doc.original[slice(*doc.alignment.to_original(start, start + 4))].replace("\n", "") == "先行先试"


def test_paragraphs_are_not_joined():
    lines = [SENTENCES, "一、总体要求", SENTENCES * 2, "第一条 " + SENTENCES[:30], "国务院办公厅"]
    text = "\n".join(lines * 3)
    assert simplified(text).text == text


def test_headlines_of_one_length_are_not_joined():
    text = "\n".join(["全国数字政府建设现场推进会在某某市召开"] * 12)
    assert simplified(text).text == text
