"""Bylines around an article on a web page: who wrote it, where it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from policytext.ingest import dates, sitelines
from policytext.ingest.pages import Block

_GENERIC = re.compile(
    r"^(?:admin|administrator|管理员|系统管理员|小编|编辑|網絡|网络|网络整理|互联网|综合|整理|未知|佚名|匿名|本站|本网|本站原创|原创|转载|网站编辑|网友|用户|来源|作者|关注|收藏|分享|"
    r"web|null|none|undefined|root|author|source|https?:.*|@?\s*|.*@.*|(?:企鹅|头条|百家|搜狐|网易|大鱼|一点|澎湃|新浪看点|凤凰)号|优质原创作者|微信公众平台|举报|打印|评论|正文|首页)$",
    re.IGNORECASE,
)
_HAN_NAME = r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,10}[·•・][\u4e00-\u9fff]{1,10}|[A-Za-z][A-Za-z .'-]{1,30}"
_NAMES = rf"(?:{_HAN_NAME})(?:[\s、，,/]+(?:{_HAN_NAME})){{0,3}}"
_WHO = re.compile(
    rf"(?:作\s*者|撰\s*文|撰\s*稿|采\s*写|(?<![\u4e00-\u9fff])文)\s*[:：︱丨|/／]\s*"
    rf"(?P<named>[^\s:：|｜,，、/／()（）\[\]【】<>]{{2,20}}(?:[ 、，,/]+(?:{_HAN_NAME})(?=[\s、，,/】)）]|$))*)"
)
_OFFICE = re.compile(
    r"(?:来源|來源|日报|晚报|日報|周刊|时报|時報)[^。]{0,16}(?:记者|記者)\s+(?P<name>[\u4e00-\u9fff]{2,4})(?=[\s、，,]|$)"
)
_BARE = re.compile(r"(?:^|[|｜丨\s])作者\s?(?P<name>[\u4e00-\u9fff]{2,4})(?=$|[|｜丨\s])")
_TITLED = (
    r"(?:特约|见习|实习|首席|高级|资深|本报|本刊|本台|本网|特派|专栏|驻[\u4e00-\u9fff]{1,6})*"
    r"(?:记者|記者|作者|撰稿人|评论员|通讯员|研究员|专栏作家)"
)
_REPORTER = re.compile(rf"^[\s【\[（(《]*[^。！？；：:]{{0,18}}?{_TITLED}[\s:：/丨|]+(?P<name>{_NAMES})[\s】\])）]*$")
_AFTER_TITLE = re.compile(rf"^.{{0,20}}?{_TITLED}[\s:：/]*(?=[\u4e00-\u9fff]{{2}})")
_CITY = (
    r"(?:台北|臺北|新北|高雄|台中|臺中|東京|东京|北京|上海|香港|澳門|澳门|广州|深圳|华盛顿|華盛頓|纽约|紐約|"
    r"伦敦|倫敦|巴黎|首尔|首爾|综合|綜合|[\u4e00-\u9fff]{2,4})"
)
_DATELINE = re.compile(
    rf"^[\s（(【\[]*(?P<agency>[\u4e00-\u9fff]{{2,6}}(?:社|报|報|网|網|台|臺|新闻|新聞))?[^（()）。，]{{0,14}}?(?:记者|記者)[\s:：]*"
    rf"(?P<name>[\u4e00-\u9fff]{{3}}|[\u4e00-\u9fff]{{2}}|[\u4e00-\u9fff]{{4}})(?:[ 、"
    rf"，,/][^（()）]{{0,40}}?)?(?:／?{_CITY}?(?:\d{{1,2}}月)?\d{{1,2}}日?(?:電|电|专电|專電|訊|讯|報導|报道|"
    rf"綜合\S{{0,6}})|／?{_CITY}報導)[）)】\]]"
)
_INLINE = re.compile(
    r"(?:讯|電|电|日)?\s*[（(](?:[^（()）]{0,14}?)(?:记者|記者)[\s:：]*(?P<name>[\u4e00-\u9fff]{2,4})(?:[ 、"
    r"，,/][^（()）]{0,40})?(?:摄|文|报道|整合|综合)?[）)]"
)
_SIGNED_END = re.compile(
    r"[（(](?:本报|本报讯|本网|特约|通讯员|记者|記者|作者|特约|评论员|文|图|撰稿|\s|"
    r"[:：/])*(?P<name>[\u4e00-\u9fff]{2,4}(?:[ 、　][\u4e00-\u9fff]{2,4}){0,2})[）)]\s*$"
)
_NO_NAME = re.compile(
    r"^(?:完|全文完|待续|下转|上接|略|图片|资料|资料图|图|终|结束|注|续|有删节|节选|摘编|记者|综合|视频|原文|来源|编译|本文有删减|掌声|笑声|试行|暂行|一|二|三|四|五|未完)"
)
_SOURCE = re.compile(
    r"(?:^|[\s|｜丨,，;；（(\[【>]|(?<=\d)|(?<=[分秒时]))(?:本文|信息|稿件|文章|新闻|内容|消息)?(?:来\s*源|來\s*源)\s*(?:于|自|於)?\s*[:：|丨]?\s*(?P<value>[^:：|｜<>【】\[\]()（）]{2,60}?)\s*"
    r"(?=$|[|｜)）\]】<>（(]|\s{2,}|作\s*者|时\s*间|责\s*任|责\s*编|编\s*辑|字\s*[号体]|分\s*享|打\s*印|浏\s*览|阅\s*读|点\s*击|发\s*布|发\s*表|日\s*期|评\s*论|举\s*报|参与|"
    r"\d+\s*人|\d{4}\s*[-年/.]|\d{1,2}:\d\d|关\s*键|大\s*中\s*小|\d+\s*条|0\s*评|我要|收藏|查看)"
)
_FROM = re.compile(
    r"(?:本文|原文)(?:来自|來自|转自|轉自|首发于)[:：]?\s*[“「《]?(?P<value>[\u4e00-\u9fffA-Za-z·]{2,14})(?=[，,。”」》）)]|$)(?<!自媒体)(?<!客户端)(?<!网络)(?<!平台)"
)
_SOURCE_ALONE = re.compile(r"(?:信息|文章|稿件)?(?:来源|來源)\s*[:：]?")
_SOURCE_CLASS = re.compile(
    r"(?:^|[\s_-])(?:\w{1,12}[_-])?(?:source|laiyuan|origin|sour|from|ly)(?:$|[\s_-]|\d)", re.IGNORECASE
)
_AUTHOR_CLASS = re.compile(
    r"(?:^|[\s_-])(?:\w{1,12}[_-])?(?:author|byline|writer)(?:[_-](?:name|txt))?(?:$|[\s_-]|\d)", re.IGNORECASE
)
_ACCOUNT_CLASS = re.compile(
    r"(?:^|[\s_-])(?:\w{1,12}[_-])?(?:nickname|account|js_name|user-?name|profile_?nickname)(?:$|[\s_-]|\d)",
    re.IGNORECASE,
)
_PLATFORM = re.compile(r"(?:企鹅|头条|百家|搜狐|网易|大鱼|一点|澎湃|看点|凤凰)号|[+＋]?\s*关注")
_EDITOR_CLASS = re.compile(r"editor|bianji|zeren", re.IGNORECASE)
_BYLINE_CLASS = re.compile(r"author|nickname|source|pub.?(?:time|date)|post.?(?:time|date)|publish", re.IGNORECASE)
_BYLINE_SIGN = re.compile(r"\d{1,2}[:：]\d{2}|来源|來源|作者|记者|記者|编辑|发布|發布|发表|發表")
_CLUTTER = re.compile(
    r"\d{1,2}[:：]\d{2}(?:[:：]\d{2})?|\d{1,2}[-月/]\d{1,2}日?|(?:阅读|浏览|评论|点击|参与|人气|热度|次|条|\d+人?)+[:：]?\s*\d*|[\[【（(][^\]】)）]{0,10}[\]】)）]|"
    r"字\s*[号体級级].*|[小中大]\s+[小中大].*|分享.*|打印|收藏|举报|关注|发布|发表|于|更新|时间|日期|訂閱|[|｜·•>/]+|企鹅号|头条号|百家号|原创"
)


@dataclass(frozen=True)
class Around:
    """Blocks around an article, in reading order."""

    above: list[Block] = field(default_factory=list)  # between the title (some before it) and the article
    body: list[Block] = field(default_factory=list)
    below: list[Block] = field(default_factory=list)
    before: list[Block] = field(default_factory=list)  # everything before the article


def is_generic(value: str) -> bool:
    """Say whether a name is a placeholder: 佚名, admin, 网络."""
    return _GENERIC.match(value.strip()) is not None


def outlet_name(value: str) -> str | None:
    """Return the name of an outlet without dates and marks around it; None if it is none."""
    value = re.split(r"\s{2,}|\u3000|\s*(?:见习|本报|本刊|特约|实习)?(?:记者|記者|通讯员|实习生)\s", value.strip())[0]
    value = re.sub(r"(?:\d{4}\s*[-年/.].*|\d{1,2}:\d\d.*)$", "", value)
    value = value.strip(" ：:，,、|-—_·>").strip("《》“”\"' ")
    if (
        not 2 <= len(value) <= 30
        or is_generic(value)
        or re.fullmatch(r"[\d.,;:%-]+", value)
        or re.search(r"[。！？；]", value)
    ):
        return None
    return value


def person(value: str) -> str | None:
    """Return the name in a byline without the paper and the office before it; None if it is a placeholder."""
    value = _AFTER_TITLE.sub("", value.strip())
    value = re.split(
        r"责任?编辑|責任?編輯|来源|來源|编辑|编译|时间|日期|浏览|阅读|点击|发布|评论|分享|字体|摄影|校对|\d{4}[-年]",
        value,
    )[0].strip(" 、，,/:：|·")
    if not 2 <= len(value) <= 30 or is_generic(value) or re.search(r"[。！？：]", value):
        return None
    return value if re.search(r"[^\W\d_]", value) else None


def is_byline(block: Block) -> bool:
    """Say whether a block is the line of date, outlet and account under a title."""
    text = block.text
    if len(text) > 80 or re.search(r"[。！？；]", text):
        return False
    if (
        re.search(r"\d{1,2}[:：]\d{2}|来源|來源|作者|记者|記者|编辑|发布|發布|发表|發表", text)
        and next(dates.find(text), None) is not None
    ):
        return True
    return any(_BYLINE_CLASS.search(names) and len(mark) > 0.3 * len(text) for names, mark in block.marks)


def outlet(around: Around) -> str | None:
    """Return where an article comes from, by label, by class, by the rest of the byline, by its dateline."""
    return (
        _labelled_outlet(around.above)
        or _classed(around.above, _SOURCE_CLASS)
        or _rest_of_byline(around.above, after=True)
        or _labelled_outlet(around.below[:14])
        or _agency(around.body)
        or _labelled_outlet([*around.body[:2], *around.body[-3:]])
    )


def author(around: Around) -> str | None:
    """Return who wrote an article, by label, by office, by class, by its dateline or its last words."""
    near = [*around.above, *around.body[:10], *reversed(around.body[-4:]), *around.below[:14]]
    return (
        _labelled_author(near)
        or _classed(around.above, _AUTHOR_CLASS)
        or _dateline(around.body)
        or _signed_end(around.body)
        or _rest_of_byline(around.above, after=False)
    )


def account(around: Around) -> str | None:
    """Return the account of a platform that posted the article."""
    for block, following in zip(around.above, around.above[1:], strict=False):
        if _PLATFORM.fullmatch(following.text) and re.fullmatch(r"[\u4e00-\u9fffA-Za-z0-9·]{2,14}", block.text):
            return person(block.text)
    return _classed(around.above, _ACCOUNT_CLASS)


def _labelled_outlet(found: list[Block]) -> str | None:
    for block, following in zip(found, [*found[1:], None], strict=False):
        if stated := _FROM.search(block.text):
            return outlet_name(stated["value"])
        if len(block.text) > 200 or (block.good and len(block.text) > 120):
            continue
        names = [outlet_name(match["value"]) for match in _SOURCE.finditer(block.text)]
        if following and len(following.text) <= 20 and _SOURCE_ALONE.fullmatch(block.text):
            names.append(outlet_name(following.text))
        if name := next(filter(None, names), None):
            return name
    return None


def _labelled_author(found: list[Block]) -> str | None:
    for block in found:
        text = block.text
        if len(text) > 120 or re.search(r"最近文章|最新文章|作者简介", text):
            continue
        names = [person(match["named"]) for match in _WHO.finditer(text)]
        if office := _OFFICE.search(text):
            names.append(person(office["name"]))
        if bare := _BARE.search(text):
            names.append(person(bare["name"]))
        if len(text) <= 40 and (reporter := _REPORTER.match(text)):
            names.append(person(reporter["name"]))
        names.append(person(sitelines.byline(text) or ""))
        if name := next(filter(None, names), None):
            return name
    return None


def _classed(found: list[Block], pattern: re.Pattern[str]) -> str | None:
    """Take a short text whose class or id names what is looked for."""
    for block in found:
        for names, text in (*block.marks, (block.names, block.text)):
            if not pattern.search(names) or _EDITOR_CLASS.search(names) or not 2 <= len(text) <= 24:
                continue
            value = outlet_name(re.sub(r"^(?:来源|來源|作者|文|記者|记者)\s*[:：/]?\s*", "", text))
            if (
                value
                and not re.search(r"[，、：:“”]|编辑|編輯|\d{1,2}-\d{1,2}", value)
                and next(dates.find(value), None) is None
            ):
                return person(value)
    return None


def _rest_of_byline(found: list[Block], *, after: bool) -> str | None:
    """Take what stands beside the date without a label: an outlet after it, a writer or account before it."""
    for block in found:
        if len(block.text) > 60:
            continue
        date = next((date for date in dates.find(block.text) if date.full), None)
        if date is None:
            continue
        part = block.text[date.end :] if after else block.text[: date.start]
        words = _CLUTTER.sub(" ", part).split()
        if (
            len(words) == 1
            and re.fullmatch(r"[\u4e00-\u9fffA-Za-z0-9·]{2,12}", words[0])
            and not re.search(r"来源|作者|编辑|位置", part)
        ):
            return outlet_name(words[0])
    return None


def _agency(body: list[Block]) -> str | None:
    found = (_DATELINE.match(block.text[:90]) for block in body[:3])
    return next((match["agency"] for match in found if match and match["agency"]), None)


def _dateline(body: list[Block]) -> str | None:
    for block in body[:3]:
        if match := _DATELINE.match(block.text[:90]) or _INLINE.search(block.text[:60]):
            return match["name"]
    return None


def _signed_end(body: list[Block]) -> str | None:
    match = _SIGNED_END.search(body[-1].text[-40:]) if body else None
    return match["name"] if match and not _NO_NAME.match(match["name"]) else None
