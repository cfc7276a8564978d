"""A web page to its main text and what it says about itself."""

from __future__ import annotations

import logging
import re

from policytext.errors import ReadError
from policytext.ingest import bylines, encodings, issuers, pagemeta, pages, sitelines
from policytext.ingest.formats import Reading
from policytext.ingest.pages import Block

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_MAX_BYTES = 20_000_000  # parsers need some fifty times the bytes of a page
_ENDING = re.compile(
    r"^[\s【\[（(*#>★●■▲△◆・-]*(?:"
    r"相[关關]\s?(?:文章|阅读|閱讀|新闻|新聞|链接|鏈接|报道|報導|推荐|資訊|资讯|内容|专题|稿件|信息)|延伸\s?(?:阅读|閱讀|[·・]\s?推荐)|推荐\s?(?:阅读|閱讀|文章|新闻)|"
    r"更多(?:精彩|新闻|内容|资讯|相关|消息)|相关资讯请关注|猜你喜[欢歡]|[为為]您推[荐薦]|为你推荐|热门(?:推荐|文章|评论|新闻|话题)|精彩(?:推荐|图片|视频)|往期(?:回顾|推荐|精选|文章)|"
    r"近期热文|网友评论|最新(?:评论|报道|文章|资讯|新闻|消息)|全部评论|\d[\d,]*\s?条评论|我要(?:跟帖|评论)|发表(?:评论|我的评论)|用户评论|网友回复|(?:作者|小编)最(?:近|新)文章|阅读下一篇|[上下]一[篇页条]|"
    r"版[权權](?:声明|所有|聲明)|免[责責][声聲]明|特[别別][声聲]明|[郑鄭]重[声聲]明|[声聲]明[:：]|本文系|本文[为為].{0,30}(?:上传|原创)|本文由.{0,24}(?:上传|发布|授权|原创)|"
    r"本(?:网站|網站|站|网|平台|公众号)(?:之|所|刊|部分|原创|仅|文章|声明).{0,40}|(?:欢迎)?转载请|未[经經](?:授权|授權|許可|许可|书面)|非[经經]授[权權]|扫(?:一扫|描|码)|长按(?:识别|下方|图片|二维码)|"
    r"(?:欢迎)?关注(?:我们|公众号|微信|.{0,12}(?:公众号|微信))|[\d.、 ]*回复[【“「]|点击(?:菜单|阅读原文|上方|下方|"
    r"蓝字|图片)|点(?:个|亮|击)?[【“「]?在看|阅读原文|返回(?:首页|顶部|搜狐|腾讯)|"
    r"正文已结束|责任?编辑|責任?編輯|(?:责|責)编|编辑\s?[:：|/丨]|編輯\s?[:：|/丨]|关闭窗口|打印本?页?[】\]]?$|余下全文|主办单位[:：]|联系(?:我们|方式)|友情链接|Copyright|©|\W?(?:END|完)\W*$|"
    r"聚焦新聞|[京沪粤晋津渝苏浙鲁皖闽湘鄂川冀豫]ICP|下载.{0,12}(?:APP|客户端)|打开.{0,12}(?:APP|客户端)|您此时的心情|标签\s?[:：]?|關鍵字\s?[:：]?|关键[词字]\s?[:：]|"
    r"登[录錄入]后?|请先登录|分享(?:到|至|文章)|特别提示|风险提示[:：])",
    re.IGNORECASE,
)
# Of these signs, those that an article may well hold itself: they end it only where nothing of an article follows.
_WEAK_ENDING = re.compile(
    r"^[\s【\[（(*#>★●■▲△◆・-]*(?:登[录錄入]|下载|打开|主办单位|联系方式|特别提示|风险提示|标签|關鍵字|关键[词字]|分享|扫|"
    r"[声聲]明|本文[为為])"
)
_DISCLAIMER = re.compile(
    r"仅代表作者|僅代表作者|作者(?:本人|独立)?观点|本(?:网站|網站|站|网)|平台声明|侵[权權]|[仅僅]供[参參]考|网友|網友|的评论|转载"
)
_EDITORS = re.compile(r"^[\s【\[（(]*(?:责任编辑|責任編輯|责编|責編|编辑|編輯|本文来源|正文已结束)")
_PROMOTION = re.compile(
    r"下载.{0,8}客户端|点击(?:投票|进入|查看|这里|下载|报名)|火热进行|免费试玩|专享福利|戳这里|立即(?:报名|参与|下载)|扫码|关注.{0,10}(?:公众号|微信|微博)|粉絲團|按個.?讚|请下载"
)
_WRITER = re.compile(r"^[\s【\[（(]*(?:文\s*[/／丨|]|作者|记者|記者|采写|撰文)")  # part of the article for many papers
_NOISE = re.compile(
    r"隱私權|隐私政策|隐私权|使用cookie|(?:浏览器|瀏覽器).{0,20}(?:播放|支持|版本|升级)|暂时无法播放|广告.{0,6}拦截|视频加载|正在加载|登[录錄]后(?:可|才|即|参与)|请先登录|"
    r"(?:立即|点击|马上)下载|打开.{0,10}APP|微信扫一扫|長按|长按识别|人赞赏|赞赏作者|举报(?:文章|此)|^您需要|javascript|网页版权|跳转日期|加载中",
    re.IGNORECASE,
)
# A sentence, a clause of a list, or a numbered line: not what sites write, but for the words of browsers.
_PROSE = re.compile(
    r"[。；;！]$|^(?:[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十\d]{1,3}[)）]|"
    r"第[一二三四五六七八九十百\d]+[条條章节節款]|\d{1,2}(?:\.\d{1,2})*[.．、 ])"
)
_OF_BROWSERS = re.compile(
    r"cookie|浏览器|瀏覽器|javascript|播放|加载|二维码|扫码|扫一扫|微信|APP|客户端|我[們们]的(?:隱私|隐私)|本(?:網|网)?站.{0,10}(?:隱私|隐私)",
    re.IGNORECASE,
)
_BELOW_ARTICLE = re.compile(
    r"附(?:件|表|录|錄)?\s*[\d一二三四五六七八九十]{0,3}\s*[:：]|(?:19|20)\d\d\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日\s*$"
)
_MUCH = 100  # characters worth a note
_CREDIT = re.compile(
    r"^[\s【\[（(▲△■●|*]*(?:本文)?(?:来源|來源|原题为|来自|信息来源|稿件来源|文章来源|原标题|原標題|作者|记者|記者|编辑|編輯|责编|責編|责任编辑|責任編輯|校对|审核|监制|制图|排版|"
    r"文[/／丨]|图[/／]|摄影|供稿|采写|撰文|策划|统筹|编审|审校|值班|发布(?:时间|日期)|时间|發布時間|字号|字体|浏览|阅读|分享|评论|点击|日期|标签|关键词|所属分类|下载)[^。！？]{0,60}$"
)


def read_page(data: bytes) -> Reading:
    """Read one page.

    Raises:
        ReadError: the page holds no text.
    """
    if len(data) > _MAX_BYTES:
        raise ReadError(f"a web page of more than {_MAX_BYTES // 1_000_000} MB; save its text")
    declared = _CHARSET.search(data[:20_000])
    found = encodings.decode(data, declared=declared[1].decode("ascii") if declared else None)
    root = pages.parse(found.text)
    head = pagemeta.from_head(root, found.text)
    pages.clear(root)
    every = pages.blocks(root)
    first, last = pages.article(every, pagemeta.title_block(head, every))
    title = pagemeta.title_of(head, every, first, last)
    kept = _trimmed(every, range(first, last), title)
    left = sum(len(every[i].text) for i in range(kept[-1] + 1, last) if every[i].good) if kept else 0
    known = pagemeta.complete(head, title, every, kept)
    text = "\n".join(every[i].text for i in kept)
    if _is_thin(text):
        text = _by_trafilatura(found.text) or text
    if not text.strip():
        raise ReadError("the page holds no main text (a shell filled by scripts?); save it from the browser")
    return Reading(
        text,
        title=known.title,
        author=known.author,
        outlet=known.outlet,
        number=known.number,
        issuer=known.issuer,
        published=known.published,
        published_source=known.published_source,
        published_certainty=known.published_certainty,
        signed=known.signed,
        url=known.url,
        encoding=found.encoding,
        encoding_certainty=found.certainty,
        notes=found.notes + ((f"{left} characters below the article taken for the site's",) if left > _MUCH else ()),
    )


def _trimmed(every: list[Block], inside: range, title: str | None) -> list[int]:
    """Cut what stands around the article inside its element: title, bylines, share buttons, related links, credits.

    Returns the numbers of the blocks that stay.
    """
    kept = [i for i in inside if not every[i].beside]
    kept = [i for i in kept[: _end([every[i] for i in kept])] if not _is_scrap(every[i])]
    while kept and (_leads_in(every[kept[0]], title) or _promotes(every[kept[0]])):
        kept.pop(0)
    while kept and (_leads_out(every[kept[-1]]) or _promotes(every[kept[-1]])):
        kept.pop()
    return kept


def _is_scrap(block: Block) -> bool:
    text = block.text
    if block.linked > 0.7 * len(text) and (len(text) < 60 or block.tag in ("li", "div")):
        return not re.search(r"[。！？]$", text)
    if not block.linked and _PROSE.search(text) and not _OF_BROWSERS.search(text):
        return False
    return sitelines.is_furniture(text) or (len(text) < 70 and _NOISE.search(text) is not None)


def _leads_in(block: Block, title: str | None) -> bool:
    text = block.text
    if title and len(text) < 2 * len(title) + 30 and _same(text, title):
        return True
    if title and len(text) > 3 and title.endswith(text) and not _PROSE.search(text):  # its last line
        return True
    if not re.search(r"\w", text):
        return True
    said = sitelines.label(text)
    if (said and said.field != "author") or (_CREDIT.match(text) and not _WRITER.match(text)):
        return True
    return pagemeta.is_dateline(text) or bylines.is_byline(block) or (block.linked > 0.5 * len(text) and not block.good)


def _promotes(block: Block) -> bool:
    """Say whether a block at an edge of the article is an advertisement of the site: it has a link and calls to act."""
    return block.linked > 0 and len(block.text) < 250 and _PROMOTION.search(block.text) is not None


def _leads_out(block: Block) -> bool:
    text = block.text
    return _CREDIT.match(text) is not None or _ENDING.match(text) is not None or block.linked > 0.6 * len(text)


def _end(kept: list[Block]) -> int:
    """Return where the article ends: before the first sign of an end that little text follows."""
    total = sum(len(block.text) for block in kept)
    seen = 0
    for i, block in enumerate(kept):
        if i and len(block.text) < 200 and _ENDING.match(block.text):
            rest = [b.text for b in kept[i:] if len(b.text) < 200]
            weak = _WEAK_ENDING.match(block.text) and not any(_DISCLAIMER.search(text) for text in rest)
            if weak and any(_is_article(b) for b in kept[i + 1 :]):
                seen += len(block.text)
                continue
            after = sum(len(b.text) for b in kept[i + 1 :] if b.good and len(b.text) > 60 and not _ENDING.match(b.text))
            if seen > 0.5 * total or after < 0.5 * seen or (seen > 200 and _EDITORS.match(block.text)):
                return i
        seen += len(block.text)
    return len(kept)


def _is_article(block: Block) -> bool:
    """Say whether a block is a sentence, a signature, its date or an attachment, and no sign of an end itself."""
    text = block.text
    if _ENDING.match(text) or block.linked > 0.5 * len(text):
        return False
    whole = (block.good and len(text) > 60) or (len(text) > 12 and re.search(r"[。；;！]$", text) is not None)
    return whole or bool(_BELOW_ARTICLE.match(text) or issuers.organs(text))


def _same(one: str, other: str) -> bool:
    a, b = re.sub(r"\W", "", one), re.sub(r"\W", "", other)
    return bool(a) and (a == b or (b in a and len(a) < len(b) + 6) or (a in b and len(a) > min(5, 0.5 * len(b))))


def _is_thin(text: str) -> bool:
    return len("".join(text.split())) < 60


def _by_trafilatura(source: str) -> str | None:
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    import trafilatura

    text: str | None = trafilatura.extract(source, include_comments=False, favor_recall=True)
    return text
