"""Lines that a web site or an editor put around a plain text: navigation, fonts, sharing, labels, credits.

They are marked, never cut: offsets in the original stay true.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from policytext.ingest import dates

LABELS = {
    "number": "文号|发文字号|文號|發文字號|发文文号",
    "issuer": "发文机关|发文单位|制发机关|發文機關|发布机构|发布机关|公开机构|制定机关",
    "signed": "成文日期|发文日期|签发日期|發文日期|印发日期|制发日期",
    "published": "发布日期|发布时间|发布|公布日期|發布日期|發布時間|發佈日期|發佈時間|"
    "上版日期|公告日期|張貼日期|張貼日|刊登日期|建立日期|生成日期|日期|时间|時間|更新时间|更新日期|更新時間|公开日期|发稿时间|发表时间",
    "outlet": "来源|來源|信息来源|稿件来源|文章来源|文章來源|新闻来源|出处|资料来源于",
    "author": "作者|撰文|文/图|文图|記者|记者|撰稿|稿源作者|编撰",
    "title": "标题|标\\s*题|原标题|原標題|信息名称|名称",
    "other": "索引号|索取号|主题分类|主题词|关键字|关键词|有效性|所属机构|体裁分类|公开方式|公开范围|"
    "责任编辑|责编|编辑|責任編輯|校对|审核|初审|复审|终审|"
    "浏览次数|浏览量|浏览|阅读次数|阅读量|阅读|点击数|点击量|点击|访问次数|字体|字号|字級|分享|分享到|打印|下载|收藏|信息类别|效力|失效日期|实施日期|废止日期|"
    "组配分类|服务对象|公文种类|记录编号|附件下载|检索号|"
    "檔號|保存年限|地址|受文者|速別|密等及解密條件或保密期限|密等|解密條件|聯絡人|聯絡電話|聯絡方式|承辦人|傳真|電子信箱",
}
_SPACED = {
    field: "|".join(re.sub(r"(?<=[\u4e00-\u9fff])(?=[\u4e00-\u9fff])", r"\\s*", p) for p in pattern.split("|"))
    for field, pattern in LABELS.items()
}
_LABEL = re.compile("|".join(f"(?P<{field}>{pattern})" for field, pattern in _SPACED.items()))
_LABELLED = re.compile(rf"^[\s【\[（(]*(?:{_LABEL.pattern})\s*[:：]\s*(?P<value>.*?)[\s】\]）)]*$")
_FURNITURE = re.compile(
    r"(?:[^。，>»]{2,14}\s*[>»]\s*[^。，>»]{1,14}(?:\s*[>»]\s*[^。，>»]{1,24}){1,4}|(?:网站)?首\s*页|主页|登录|注册|收藏(?:本[站页])?|设为首页|加入收藏|无障碍(?:阅读|浏览)?|繁體?体?(?:中文|版)?|简体(?:中文|版)?|English|"
    r"政务公开|政府信息公开|信息公开|办事服务|政务服务|互动(?:交流|平台)|公众参与|新闻(?:中心|资讯)|民政资讯|政策(?:法规|文件)|机构(?:设置|概况)|"
    r"(?:您?的?(?:当前|现在|目前|所在)的?)?位置[:：].*|您(?:当前|现在|所在)?的?位置.*|首页\s*[>》〉-].*|"
    r"[【\[［（(]?\s*字\s*[体体号號級级]?\s*[:：大中小].{0,20}|[大中小]|(?:打印|关闭|收藏|分享|纠错|[【】\[\]\s])+|图集|微博|新浪微博|微信|朋友圈|Qzone|QQ(?:空间|好友)?|豆瓣|人人网?|Facebook|Twitter|LINE|\+1|收起|调整字体|文章关键词[:：].{0,60}|[【\[]?(?:打印|關閉|关闭|列印|轉寄|收藏|返回)(?:本页|窗口|文章|列表|顶部|视窗)?[】\]]?|"
    r"分享(?:(?:到|至)[:：]?.{0,20}|[:：].{0,20})?|扫一扫.{0,30}|(?:浏览|阅读|点击|访问)(?:次数|数|量)?[:：]?\s*\d*\s*次?|"
    r".{0,6}begin-->.{0,4}|.{0,6}end-->|[\"'>\s/<|_\-*=~.]+|&nbsp;?|"
    r"相[关關](?:文章|阅读|閱讀|新闻|新聞|链接|鏈接|报道|報導|推荐|資訊|内容|文件|稿件)[:：]?|延伸(?:阅读|閱讀)[:：]?|推荐阅读[:：]?|[上下]一[篇页条则][:：]?.{0,60}|"
    r"(?:热门|猜你喜欢|精彩推荐|最新文章|大家都在看|人气排行).{0,8}|版权(?:所有|声明).{0,80}|免责声明.{0,200}|"
    r"[（(【\[]?\s*(?:责任?编辑|責任?編輯|责编|責編|编辑|編輯|值班主任|校对|审核).{0,2}[:：/／]\s*.{0,16}[)）】\]]?|下载(?:APP|客户端).{0,20}|打开(?:APP|客户端).{0,20}|"
    r"(?:返回|回到)(?:顶部|首页|列表|上一[页頁])|附件下载[:：]?)",
    re.IGNORECASE,
)
_BYLINE = re.compile(
    r"^[（(【]?\s*(?:[文图圖]\s*[/／丨|│、]\s*|(?:撰\s*文|执\s*笔|采\s*写)\s*[:：/／|"
    r"丨]?\s*)+(?P<name>[\u4e00-\u9fffA-Za-z·・、&＆ ]{2,24}?)\s*[）)】]?$"
)
_OUTLET_NAME = re.compile(
    r"[\u4e00-\u9fffA-Za-z0-9·]{1,12}(?:网|網|新闻|新聞|日报|日報|晚报|晚報|早报|早報|时报|時報|周报|週報|导报|快报|周刊|週刊|杂志|雜誌|在线|在線|頻道|频道|"
    r"头条|頭條|通讯社|社|财经|財經|资讯|資訊|观察|客户端|传媒|廣播|广播|电视台|電視台)"
)


_REPORTER = re.compile(
    r"^[（(【]?(?:本报|本刊|本台|见习|特约|实习)*(?:记者|記者|通讯员)[\s:：]+(?P<name>[\u4e00-\u9fff]{2,4}(?:[\s、]+[\u4e00-\u9fff]{2,4}){0,3})[）)】]?$"
)
_BETWEEN = re.compile(rf"[\s|｜]+(?=(?:{'|'.join(_SPACED.values())})\s*[:：])")
_MASTHEAD = re.compile(
    r"^[（(]?(?:原载|原載|载于|刊于)?\s*(?:《(?P<quoted>[^》]{2,14})》|(?P<name>[^\s\d《》]{3,14}))[\s，,]*(?=\d{4}年)"
)


@dataclass(frozen=True)
class Line:
    """A line of a text without the white space around it: `text[start:end]`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Label:
    """A line such as 来源：人民日报."""

    field: str  # a key of LABELS
    value: str


def lines_of(text: str, start: int = 0, end: int | None = None) -> list[Line]:
    """Return the lines of `text[start:end]` that are not blank."""
    found = []
    position = start
    for raw in text[start:end].splitlines(keepends=True):
        stripped = raw.strip()
        if stripped:
            offset = position + raw.index(stripped[0])
            found.append(Line(stripped, offset, offset + len(stripped)))
        position += len(raw)
    return found


def label(line: str) -> Label | None:
    """Return what a labelled line says, e.g. 来源：人民日报; the value may be empty."""
    if len(line) > 120:
        return None
    match = _LABELLED.match(line)
    if match is None:
        return None
    field = next(name for name in LABELS if match[name])
    return Label(field, clean_value(match["value"]))


def labels(line: str) -> list[Label]:
    """Return what a line with several labels says: 来源：维港评论　作者：戚文煦　时间：2018-10-23.

    >>> [said.field for said in labels("来源：某报　作者：李文　时间：2018-10-23 09:12　编辑：小满")]
    ['outlet', 'author', 'published', 'other']
    """
    return [said for part in _BETWEEN.split(line) if (said := label(part))]


def masthead(line: str) -> tuple[str, str] | None:
    """Return outlet and date of a line such as 江城晚报　2010年4月12日　观点版 or 《维港评论》2024年11月18日.

    >>> masthead("江城晚报　2010年4月12日　观点版")
    ('江城晚报', '2010-04-12')
    """
    match = _MASTHEAD.match(line)
    date = next(dates.find(line), None) if match else None
    if match is None or date is None or not date.full or len(line) > 50:
        return None
    name = match["quoted"] or match["name"]
    return (name, date.iso) if match["quoted"] or is_outlet(name) else None


def clean_value(value: str) -> str:
    """Return the value of a label without the remains of page templates."""
    return re.sub(r"(?:begin|end)-->|&nbsp;?|<[^>]*>|^[\s|｜/]+|[\s|｜/]+$", "", value).strip()


def is_furniture(line: str) -> bool:
    """Say whether a line belongs to a web site rather than to a document."""
    return len(line) <= 220 and _FURNITURE.fullmatch(line) is not None


def byline(line: str) -> str | None:
    """Return the author of a line such as 文/陳根.

    >>> byline("文/陳根"), byline("本报记者　谷雨　夏楠"), byline("文章说明")
    ('陳根', '谷雨 夏楠', None)
    """
    match = _BYLINE.match(line) or _REPORTER.match(line)
    return " ".join(match["name"].split()) if match else None


def is_outlet(line: str) -> bool:
    """Say whether a line is the name of a news site or paper and nothing else."""
    return _OUTLET_NAME.fullmatch(line) is not None
