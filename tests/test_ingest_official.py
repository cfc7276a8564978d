"""Official documents say what they are: number, title, issuer, dates, and what is not body."""

import pytest

from policytext.ingest import history, issuers, numbers, official, titles

NOTICE = """青山市人民政府办公室关于印发
青山市数字政府建设实施方案的通知
青政办发〔2021〕15号
各区人民政府，市政府各部门：
按照《省政府办公厅关于数字政府建设的意见》（省府办〔2020〕7号）要求，现将方案印发给你们。
附件：1.任务分工表
2.2025年目标清单
青山市人民政府办公室
二〇二一年三月五日
（此件公开发布）
青山市数字政府建设实施方案
第一条 本方案自2021年4月1日起施行。
白河区人民政府
2022年1月1日
抄送：市委办公室，市人大常委会办公室。
青山市人民政府办公室 2021年3月8日印发
"""


def spans(text: str, found: official.Anatomy) -> dict[str, str]:
    return {kind: text[start:end].strip() for kind, start, end in found.blocks}


def test_notice_is_taken_apart():
    found = official.dissect(NOTICE)
    assert found.title == "青山市人民政府办公室关于印发青山市数字政府建设实施方案的通知"
    assert found.number == "青政办发〔2021〕15号"
    assert found.issuer == "青山市人民政府办公室"
    assert (found.signed, found.signed_source, found.printed) == ("2021-03-05", "signature", "2021-03-08")
    marked = spans(NOTICE, found)
    assert marked["addressee"] == "各区人民政府，市政府各部门："
    assert marked["attachments"].startswith("附件：1.任务分工表")
    assert marked["signature"] == "青山市人民政府办公室\n二〇二一年三月五日"
    assert marked["note"] == "（此件公开发布）"
    assert marked["copies"].startswith("抄送")


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("国发〔2016〕55号", "国发〔2016〕55号"),
        ("国发[2016]55号", "国发〔2016〕55号"),
        ("国发（２０１６）５５号", "国发〔2016〕55号"),
        ("（皖政办秘〔2021〕82号）", "皖政办秘〔2021〕82号"),
        ("京规自发 〔2026〕 1号", "京规自发〔2026〕1号"),
        ("文号：财税【2019】13号", "财税〔2019〕13号"),
        ("国发〔二〇一六〕55号", "国发〔2016〕55号"),
        ("公告2026年第15号", "公告2026年第15号"),
        ("北京市人民政府令第315号", "北京市人民政府令第315号"),
        ("按照财库〔2022〕3号", None),
        ("文号：", None),
        ("第三条", None),
        ("2021年行动计划", None),
    ],
)
def test_number_is_normalised_and_never_taken_from_a_sentence(line, number):
    assert numbers.own(line) == number


def test_cited_number_in_the_body_is_not_the_documents():
    text = "关于做好采购工作的提示\n各单位：\n按照财库〔2022〕3号要求，做好有关工作。\n青山市财政局\n2022年5月6日"
    found = official.dissect(text)
    assert found.number is None
    assert (found.issuer, found.signed) == ("青山市财政局", "2022-05-06")


def test_decree_takes_number_title_and_issuer_from_its_head():
    text = (
        "青山市人民政府令\n第19号\n"
        "《青山市公共数据管理办法》已经2021年9月22日市政府常务会议通过，现予公布，自2021年11月1日起施行。\n"
        "市长　王小明\n2021年10月18日\n青山市公共数据管理办法\n第一条 为了规范公共数据，制定本办法。"
    )
    found = official.dissect(text)
    assert (found.number, found.title) == ("青山市人民政府令第19号", "青山市公共数据管理办法")
    assert (found.issuer, found.signed) == ("青山市人民政府", "2021-10-18")


def test_law_history_counts_the_latest_promulgation_and_no_entry_into_force():
    text = (
        "数据应急条例\n2018年12月5日 国务院第33次常务会议通过\n2019年2月17日 中华人民共和国国务院令第708号公布\n"
        "2019年4月1日 施行\n第一条 为了规范工作，制定本条例。"
    )
    found = official.dissect(text)
    assert (found.title, found.number, found.issuer) == ("数据应急条例", "国务院令第708号", "国务院")
    assert (found.signed, found.signed_source) == ("2019-02-17", "promulgation")


def test_history_of_taiwan_law_with_wrapped_lines():
    text = (
        "數位服務補助辦法\n1.中華民國一百零九年七月十日衛生福利部衛部醫字第 1091664060 號令\n  訂定發布全文 20 條\n"
        "2.中華民國一百十一年九月二十三日衛生福利部衛部醫字第 1111666020\n  號令修正發布第 13 條條文\n"
        "第 1 條\n本辦法依法訂定之。"
    )
    found = official.dissect(text)
    assert (found.number, found.issuer, found.signed) == ("衛部醫字第1111666020號", "衛生福利部", "2022-09-23")


@pytest.mark.parametrize(
    ("head", "date"),
    [
        ("青山市2025年数字经济行动计划\n为落实规划，制定本计划。", None),
        ("关于加强生态管控的实施意见\n（2025年6月26日）\n为落实意见，制定本意见。", "2025-06-26"),
        ("政府工作报告\n——2024年3月5日在青山市第十届人民代表大会第二次会议上\n各位代表：\n报告工作。", "2024-03-05"),
        ("城市统计公报\n青山市统计局\n2025年3月\n2024年是关键一年，全市坚持稳中求进。", "2025-03"),
    ],
)
def test_dates_of_the_head_and_plan_years(head, date):
    assert official.dissect(head).signed == date


def test_joint_issuers_and_forwarding():
    text = (
        "青山市商务局等部门转发商务部关于标准化试点工作的通知\n各单位：\n"
        "现将《商务部关于标准化试点工作的通知》（商建函〔2024〕574号）转发给你们。\n"
        "青山市商务局\n青山市市场监督管理局\n2024年9月29日"
    )
    found = official.dissect(text)
    assert found.issuer == "青山市商务局、青山市市场监督管理局"
    assert found.forwards == "商务部关于标准化试点工作的通知（商建函〔2024〕574号）"
    assert found.number is None


def test_article_saved_from_a_site_loses_no_line_but_marks_the_sites():
    text = (
        "晨光新聞\n\n李文:數據賦能城市,邁向智慧時代\n\n原標題:李文:數據賦能城市,邁向智慧時代\n\n文/李文\n\n"
        "每一次技術變革,都改變政府的治理方式。\n\n數據是其中的關鍵。\n\n相關文章"
    )
    found = official.dissect(text)
    assert (found.title, found.author, found.outlet) == ("李文:數據賦能城市,邁向智慧時代", "李文", "晨光新聞")
    sites = [text[start:end] for kind, start, end in found.blocks if kind == "site"]
    assert sites == ["晨光新聞", "原標題:李文:數據賦能城市,邁向智慧時代", "文/李文", "相關文章"]
    assert found.signed is None


@pytest.mark.parametrize(
    ("organ", "level"),
    [
        ("国务院", "national"),
        ("财政部", "ministry"),
        ("国家税务总局北京市税务局", "province"),
        ("广东省人民政府", "province"),
        ("广州市人民政府", "city"),
        ("北京市怀柔区教育委员会", "county"),
        ("中共芦阳镇委员会", "township"),
        ("數位發展部", "ministry"),
        (None, None),
    ],
)
def test_level_of_an_organ(organ, level):
    assert issuers.level(organ) == level


def test_wrapped_title_is_joined_and_a_complete_one_is_not_continued():
    assert titles.continues(["国务院办公厅关于2019年"], "部分节假日安排的通知", ["国办发明电〔2018〕15号"])
    assert not titles.continues(["青山市数据管理办法"], "第一章 总则", [])


def test_code_of_an_agency_is_told_from_its_name():
    assert history.split_code("行政院環境保護署環署空") == ("行政院環境保護署", "環署空")


@pytest.mark.parametrize(
    "text", ["", "\n", "（", "《" * 50, "第1号", "2021年", "各单位：", "附件：", "國", "抄送：" * 40]
)
def test_any_text_is_taken(text):
    found = official.dissect(text)
    assert all(0 <= start <= end <= len(text) for _, start, end in found.blocks)


def test_letterhead_is_no_title():
    text = (
        "青山市人民政府文件\n青政发〔2019〕21号\n青山市人民政府关于印发《青山市城市运行智能管理中\n"
        "心建设实施方案》的通知\n各部门：\n现印发给你们。\n青山市人民政府\n2019年6月24日"
    )
    found = official.dissect(text)
    assert found.title == "青山市人民政府关于印发《青山市城市运行智能管理中心建设实施方案》的通知"
    assert found.number == "青政发〔2019〕21号"


def test_masthead_and_line_of_several_labels():
    found = official.dissect("预算挂上网之后\n江城晚报　2010年4月12日　观点版\n作者：许观澜\n上月底，预算表挂上了网。")
    assert (found.title, found.outlet, found.published) == ("预算挂上网之后", "江城晚报", "2010-04-12")
    assert found.author == "许观澜"
    found = official.dissect(
        "数据不是桥\n来源：维港评论　作者：戚文煦　时间：2018-10-23 09:12　编辑：小满\n城中有两种故事。"
    )
    assert (found.title, found.outlet, found.author) == ("数据不是桥", "维港评论", "戚文煦")


def test_radicals_and_odd_zeros_hide_nothing():
    text = (
        "北京市⼈⺠政府关于数字政府的通知\n各区⼈⺠政府：\n现就有关事项通知如下。\n北京市⼈⺠政府\n二ΟΟ五年三⽉五⽇\n"
    )
    found = official.dissect(text)
    assert (found.issuer, found.signed) == ("北京市人民政府", "2005-03-05")


def test_a_press_release_of_hong_kong_is_dated_below_its_end():
    body = "立法會三題：開放數據\n以下是書面答覆：\n主席：\n政府已開放多個數據集。"
    assert official.dissect(f"{body}\n完\n2023年3月5日（星期三）\n香港時間12時30分").signed == "2023-03-05"


LETTER = """數位發展部　函
地址：臺北市中正區延平南路143號
受文者：臺北市政府
發文日期：中華民國112年3月5日
發文字號：數位策略字第1120001234號
速別：普通件
密等及解密條件或保密期限：
附件：如文
主旨：有關推動政府資料開放一案，請查照。
說明：
一、依據行政院112年2月1日院臺數字第1120000001號函辦理。
正本：各直轄市政府
"""


@pytest.mark.parametrize("above", ["", "檔　　號：\n保存年限：\n"])
def test_letter_of_an_agency_in_taiwan(above):
    found = official.dissect(above + LETTER)
    assert (found.title, found.issuer) == ("有關推動政府資料開放一案", "數位發展部")
    assert (found.number, found.signed) == ("數位策略字第1120001234號", "2023-03-05")
    marked = {(above + LETTER)[start:end] for kind, start, end in found.blocks if kind == "site"}
    assert not any("主旨" in text for text in marked)


@pytest.mark.parametrize("mark", ["", "\u200b"])
def test_number_beside_the_signer(mark):
    title = "北京市经济和信息化局关于报送数字政府建设情况的请示"
    lines = ["京经信发〔2021〕15号    签发人：张三", title, "市人民政府：", "现将有关情况报告如下。"]
    lines += ["北京市经济和信息化局", "2021年3月5日"]
    found = official.dissect("\n".join(mark + line for line in lines))
    assert (found.number, found.signed) == ("京经信发〔2021〕15号", "2021-03-05")
    assert found.title == title


def test_an_invisible_mark_inside_a_title_is_no_space():
    text = "北京市人民政府关于推进数\u200b字政府建设的通知\n各区：\n现将有关事项通知如下。\n"
    assert official.dissect(text).title == "北京市人民政府关于推进数字政府建设的通知"
