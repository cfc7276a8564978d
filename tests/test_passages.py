"""Passages stand where a person would put them."""

from pathlib import Path

import pytest

from policytext import convert
from policytext.config import ConvertConfig, SegmentConfig
from policytext.records import Document
from policytext.segment import Segmenter

SEED = Path(__file__).parents[2] / "shared" / "corpora" / "seed_article.txt"


@pytest.fixture(scope="module")
def segmenter():
    return Segmenter(SegmentConfig())


def document(text, **fields):
    return Document(id="a", path="a.txt", member=0, sha256="", original=text, text=text, **fields)


def kinds(segmenter, *lines, **fields):
    return [passage.kind for passage in segmenter.split(document("\n".join(lines), **fields))]


PROSE = "各地区要加快推进数字政府建设，让企业和群众办事更方便。"


def test_headings_nest_by_their_marks(segmenter):
    text = f"第一章 总则\n一、总体要求\n{PROSE}\n（一）指导思想\n{PROSE}\n二、主要任务\n{PROSE}"
    passages = segmenter.split(document(text))
    assert [passage.heading for passage in passages if passage.kind == "body"] == [
        "第一章 总则 > 一、总体要求",
        "第一章 总则 > 一、总体要求 > （一）指导思想",
        "第一章 总则 > 二、主要任务",
    ]


def test_run_in_heading_stays_with_its_paragraph(segmenter):
    assert kinds(segmenter, "一、完善机制。" + PROSE, "二、加强保障。" + PROSE) == ["body", "body"]


def test_signature_and_attachments_are_boilerplate(segmenter):
    lines = [PROSE, "附件：1.任务清单", "2.责任分工", "国务院办公厅", "2018年12月30日", "（此件公开发布）"]
    assert kinds(segmenter, *lines) == ["body"] + ["boilerplate"] * 5


def test_turns_of_talk_are_speech(segmenter):
    lines = ["王小明：" + PROSE, "李大华：" + PROSE, "王小明：" + PROSE, "李大华：谢谢。"]
    assert kinds(segmenter, *lines) == ["speech", "speech", "speech", "short"]


def test_a_reporter_is_a_speaker_where_people_talk(segmenter):
    lines = ["记者：" + PROSE, "李大华：" + PROSE, "记者：" + PROSE, "李大华：" + PROSE]
    assert kinds(segmenter, *lines) == ["speech"] * 4
    assert kinds(segmenter, PROSE, "记者：张三", PROSE) == ["body", "boilerplate", "body"]


def test_a_turn_of_talk_goes_on_until_a_stage_direction(segmenter):
    lines = ["王小明：" + PROSE, PROSE, "李大华：" + PROSE, "（与会者鼓掌，并表示没有其他意见。）", PROSE]
    assert kinds(segmenter, *lines * 2)[:5] == ["speech", "speech", "speech", "boilerplate", "body"]


def test_clauses_after_a_colon_are_list_items(segmenter):
    lines = [
        "第三条 有下列情形之一的，应当公开：",
        "（一）涉及公众利益调整需要公众知晓的；",
        "（二）需要公众参与决策的其他重要情形。",
    ]
    assert kinds(segmenter, *lines, "第四条 " + PROSE) == ["body", "list", "list", "body"]


def test_a_numbered_line_with_a_full_stop_heads_plain_paragraphs(segmenter):
    lines = ["（一）指导思想。" + PROSE * 2, "（二）基本原则。", "坚持问题导向。" + PROSE, "坚持融合发展。" + PROSE]
    assert kinds(segmenter, *lines) == ["body", "heading", "body", "body"]


def test_headings_without_a_mark_stand_below_the_numbered_one_above(segmenter):
    text = f"一、引言\n愿景\n{PROSE}\n前提\n{PROSE}\n二、发展\n{PROSE}"
    passages = segmenter.split(document(text))
    assert [passage.heading for passage in passages if passage.kind == "body"] == [
        "一、引言 > 愿景",
        "一、引言 > 前提",
        "二、发展",
    ]


def test_what_stands_above_a_report_is_boilerplate(segmenter):
    lines = ["——2025年1月19日在省第十四届人民代表大会第三次会议上", "省长 张三", "各位代表：", PROSE]
    assert kinds(segmenter, *lines) == ["boilerplate", "boilerplate", "boilerplate", "body"]


def test_enactment_line_of_a_law_is_boilerplate(segmenter):
    lines = ["（2004年6月17日国务院第五十四次常务会议通过）", "第一章 总则", "第一条 " + PROSE]
    assert kinds(segmenter, *lines) == ["boilerplate", "heading", "body"]


def test_table_rows_make_one_passage(segmenter):
    assert kinds(segmenter, PROSE, "指标\t2020\t2021", "比例\t1\t2", PROSE) == ["body", "table", "body"]


def test_long_paragraph_is_split_at_sentences(segmenter):
    passages = segmenter.split(document(PROSE * 40))
    assert len(passages) > 1
    assert all(passage.text.endswith("。") and len(passage.text) <= 400 for passage in passages)


def test_blocks_of_the_reader_are_boilerplate(segmenter):
    assert kinds(segmenter, PROSE, PROSE, blocks=(("attachment", len(PROSE) + 1, 2 * len(PROSE) + 1),)) == [
        "body",
        "boilerplate",
    ]


def test_title_heads_no_passage(segmenter):
    passages = segmenter.split(document("关于推进数字政府建设的意见\n" + PROSE, title="关于推进数字政府建设的意见"))
    assert [(passage.kind, passage.heading) for passage in passages] == [("heading", ""), ("body", "")]


@pytest.mark.skipif(not SEED.exists(), reason="the seed article (../shared/corpora/seed_article.txt) is not here")
def test_seed_article_gives_one_passage_a_paragraph(segmenter):
    text = SEED.read_text(encoding="utf-8")
    doc = convert.simplify(document(text), ConvertConfig())
    passages = segmenter.split(doc)
    assert len(passages) == len([line for line in text.splitlines() if line.strip()])
    assert [passage.text for passage in passages if passage.kind == "heading"][-2:] == [
        "在数字时代建立数字政府",
        "从数字赋能到数字赋权",
    ]
