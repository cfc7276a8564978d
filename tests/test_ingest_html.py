"""Web pages: the article and what the page says about it, without what stands around."""

import pytest

from policytext import ingest
from policytext.config import IngestConfig
from policytext.errors import ReadError
from policytext.ingest import html

PARAGRAPHS = [f"这是第{n}段正文，说的是数字政府建设和政务服务的事情，内容写得足够长。" for n in range(6)]
BODY = "".join(f"<p>{text}</p>" for text in PARAGRAPHS)
TITLE = "青山市推进数字政府建设"


def page(byline: str = "", *, head: str = "", body: str = BODY, after: str = "", title: str = TITLE) -> bytes:
    return (
        f"<html><head><meta charset=utf-8><title>{title}_要闻_青山新闻网</title>{head}</head><body>"
        "<ul class=nav><li><a href=/>首页</a></li><li><a href=/n>新闻中心</a></li></ul>"
        f"<h1>{title}</h1>{byline}<div id=content>{body}</div>{after}"
        "<div class=related><h3>相关阅读</h3><ul><li><a href=/1>另一篇文章的标题，很长很长很长</a></li></ul></div>"
        "<div class=comments><p>网友甲：这个评论也有标点，而且很长很长很长很长。</p></div>"
        "<footer>版权所有 青山新闻网 京ICP备05000000号</footer></body></html>"
    ).encode()


@pytest.mark.parametrize(
    ("byline", "outlet", "author", "date"),
    [
        ("<div>2021-03-06 08:00 来源：青山日报 作者：王小明</div>", "青山日报", "王小明", "2021-03-06"),
        ("<p>发布时间：2021年3月6日　信息来源：市发改委　浏览次数：12</p>", "市发改委", None, "2021-03-06"),
        (
            "<span class=source>晨光网</span><span class=author>李文</span><i>2021/3/6 9:05</i>",
            "晨光网",
            "李文",
            "2021-03-06",
        ),
        (
            "<b>时间:</b>2021-03-06 10:11<small>来源:</small>青山晚报<small>作者:</small>李文<b>点击:</b>",
            "青山晚报",
            "李文",
            "2021-03-06",
        ),
        (
            '<b itemprop="author">李文</b><time datetime="2021-03-06T08">3月6日</time>',
            "青山新闻网",
            "李文",
            "2021-03-06",
        ),
        ("<p>来源：</p><p>青山日报</p><p>青山日报记者 陈思远</p><p>2021-03-06</p>", "青山日报", "陈思远", "2021-03-06"),
    ],
)
def test_bylines_give_outlet_author_and_date(byline, outlet, author, date):
    found = html.read_page(page(byline))
    assert (found.title, found.outlet, found.author, found.published) == (TITLE, outlet, author, date)
    assert found.published_source in {"byline", "label", "metadata"}
    assert found.text.split("\n") == PARAGRAPHS


def test_metadata_of_the_head_and_site_name():
    head = '<meta property="article:published_time" content="2021-03-06T08:00:00+08:00">'
    found = html.read_page(page(head=head))
    assert (found.published, found.published_source, found.outlet) == ("2021-03-06", "metadata", "青山新闻网")
    assert found.author is None


def test_nothing_around_the_article_stays():
    after = "<p>责任编辑：赵一鸣</p><p>【打印本页】【关闭窗口】</p><div>分享到：微信 微博</div>"
    text = html.read_page(page("<p>2021-03-06 来源：青山日报</p>", after=after)).text
    for stray in ("首页", "责任编辑", "关闭窗口", "相关阅读", "网友甲", "ICP备", "来源"):
        assert stray not in text


def test_wrong_declaration_does_not_win_over_evidence():
    data = page().decode().replace("charset=utf-8", "charset=gb2312").encode()
    assert html.read_page(data).encoding == "utf-8"
    data = page().decode().encode("gb18030")
    found = html.read_page(data)
    assert (found.encoding, found.title) == ("gb18030", TITLE)


def test_government_page_keeps_signing_and_publication_apart():
    table = (
        "<table><tr><td>索 引 号：</td><td>0001</td><td>发文机关：</td><td>青山市人民政府</td></tr>"
        "<tr><td>成文日期：</td><td>1996年02月06日</td><td>发布日期：</td><td>2018年12月03日</td></tr>"
        "<tr><td>发文字号：</td><td>青政发〔1996〕14号</td></tr></table>"
    )
    found = html.read_page(page(table))
    assert (found.published, found.signed, found.number) == ("2018-12-03", "1996-02-06", "青政发〔1996〕14号")
    assert found.issuer == "青山市人民政府"


def test_the_day_of_signing_counts_where_the_config_says_so(tmp_path):
    signed = "<p>青山市财政局</p><p>1997年4月8日</p>"
    (tmp_path / "a.html").write_bytes(page("<p>发布时间：2018-12-03</p>", body=BODY + signed))
    dates = []
    for rule in ("published", "signed"):
        config = IngestConfig(page_date=rule)
        (unit,) = ingest.units(ingest.find([tmp_path])[0], config)
        doc = ingest.read(unit, config)
        dates.append((doc.date, doc.published, doc.signed))
    assert dates == [("2018-12-03", "2018-12-03", "1997-04-08"), ("1997-04-08", "2018-12-03", "1997-04-08")]


def test_stray_end_of_page_does_not_hide_the_article():
    data = page().replace(b"<h1>", b"</body></html><h1>")
    assert html.read_page(data).text.split("\n") == PARAGRAPHS


def test_scripts_are_not_text_and_markup_is_not_run():
    body = BODY + "<script>document.write('危险')</script><img src=x onerror=alert(1)>"
    assert "危险" not in html.read_page(page(body=body)).text


@pytest.mark.parametrize("data", [b"<html></html>", b"<", b"<!-- -->", b"<p></p>" * 100])
def test_page_without_text_says_so(data):
    with pytest.raises(ReadError, match=r"no main text|no HTML"):
        html.read_page(data)


def test_title_spread_over_lines_is_one_title():
    lines = "青山市人民政府<br>关于推进数字政府建设的<br>通知"
    whole = "青山市人民政府关于推进数字政府建设的通知"
    data = page(title=whole).decode().replace(f"<h1>{whole}</h1>", f"<p>{lines}</p>").encode()
    found = html.read_page(data)
    assert "".join((found.title or "").split()) == whole
    assert found.text.split("\n") == PARAGRAPHS


@pytest.mark.parametrize(
    "line",
    [
        "登录国家政务服务平台，完成实名认证。",
        "下载“随申办”APP，注册账号。",
        "主办单位：青山市经济和信息化局",
        "联系方式：010-12345678",
        "特别提示",
        "一、规范隐私政策文本，落实告知同意。",
        "三、隱私權保護",
        "点击下载电子证照；",
        "审核意见的公示",
        "编辑应急预案并报备；",
        "分享改革发展成果。",
    ],
)
def test_a_line_of_the_article_cuts_nothing_from_it(line):
    later = [text.replace("这是", "下半部分") for text in PARAGRAPHS]
    text = html.read_page(page(body="".join(f"<p>{text}</p>" for text in (*PARAGRAPHS, line, *later)))).text
    assert text.split("\n") == [*PARAGRAPHS, line, *later]


def test_what_stands_below_contact_details_belongs_to_the_document():
    below = "<p>联系方式：010-12345678</p><p>青山市财政局</p><p>2021年3月5日</p><p>附件：1. 报名表</p>"
    text = html.read_page(page(body=BODY + below)).text
    for part in ("联系方式", "青山市财政局", "2021年3月5日", "报名表"):
        assert part in text


@pytest.mark.parametrize(
    ("line", "date"),
    [
        ("發佈日期：110-03-05", "2021-03-05"),
        ("上版日期：112-03-05", "2023-03-05"),
        ("公告日期：110/03/05", "2021-03-05"),
        ("張貼日：110.3.5", "2021-03-05"),
        ("發佈日期：2021-03-05 更新日期：2023-01-02", "2021-03-05"),
    ],
)
def test_dates_of_pages_in_taiwan(line, date):
    assert html.read_page(page(f"<p>{line}</p>")).published == date


def test_a_title_ends_above_the_number_and_asterisks():
    lines = "<p>青山市人民政府关于加强数字政府建设的</p><p>指导意见</p><p>青政发〔2022〕14号</p><p>＊＊＊＊</p>"
    title = "青山市人民政府关于加强数字政府建设的指导意见（青政发〔2022〕14号）"
    data = page(body=lines + BODY, title=title).decode().replace(f"<h1>{title}</h1>", "").encode()
    found = html.read_page(data)
    assert found.title == "青山市人民政府关于加强数字政府建设的指导意见"
    assert found.text.split("\n")[0] == "青政发〔2022〕14号"  # the document's own: `official` reads it
    starred = html.read_page(page(body="<p>＊＊＊＊</p>" + BODY))
    assert starred.text.split("\n")[0] == PARAGRAPHS[0]


@pytest.mark.parametrize(
    "tail",
    [
        [
            "声明：该文观点仅代表作者本人，某号系信息发布平台，仅提供信息存储空间服务。",
            "平台声明：以上内容由用户上传。",
        ],
        ["声明：本网站转载的文章仅供参考。", "如有侵权，请联系我们删除，我们将及时处理；"],
        ["标签：数字政府", "1. 某市推进一网通办", "2. 某省开放公共数据"],
        [
            "特别提示：本网站内容仅供参考。",
            "网友上传的内容由其本人负责，与平台无关，如有疑问请与客服联系，我们会在第一时间答复并处理。",
        ],
    ],
)
def test_what_sites_say_below_an_article_goes(tail):
    text = html.read_page(page(body=BODY + "".join(f"<p>{line}</p>" for line in tail))).text
    assert text.split("\n") == PARAGRAPHS
