"""A web page to its main text and what it says about itself."""

from __future__ import annotations

import logging
import re

from policytext.errors import ReadError
from policytext.ingest import encodings, pagemeta, pages, sitelines
from policytext.ingest.formats import Reading
from policytext.ingest.pages import Block

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset=[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_MAX_BYTES = 20_000_000  # parsers need some fifty times the bytes of a page
_ENDING = re.compile(
    r"^[\s【\[（(*#>-]*(?:相[关關](?:文章|阅读|閱讀|新闻|新聞|链接|鏈接|报道|報導|推荐|資訊|资讯|内容|专题|稿件)|延伸(?:阅读|閱讀|[·・]推荐)|推荐阅读|更多(?:精彩|新闻|内容|资讯)|"
    r"猜你喜欢|为您推荐|为你推荐|热门(?:推荐|文章|评论|新闻)|精彩推荐|网友评论|最新评论|全部评论|\d[\d,]* ?条评论|我要(?:跟帖|评论)|发表评论|用户评论|"
    r"(?:作者|小编)最近文章|作者最新文章|阅读下一篇|下一篇|上一篇|版权(?:声明|所有)|免责声明|特别声明|郑重声明|声明[:：]|本文系|本文为.{0,30}(?:上传|原创)|"
    r"本文由.{0,20}(?:上传|发布|授权)|转载请注明|未经(?:授权|許可|许可)|非經授權|扫一扫|长按(?:识别)?二维码|关注我们|返回(?:首页|顶部|搜狐)|正文已结束|"
    r"责任?编辑|責任?編輯|[【\[（(]?责编|[【\[（(]?编辑[:：]|[【\[]?关闭窗口|[【\[]?打印本?页?[】\]]|余下全文|主办单位[:：]|联系我们|友情链接|Copyright|©|[京沪粤晋津渝苏浙鲁皖闽湘鄂川冀豫]ICP)",
    re.IGNORECASE,
)
_CREDIT = re.compile(
    r"^[\s【\[（(▲△■●|*]*(?:本文)?(?:来源|來源|信息来源|稿件来源|文章来源|原标题|原標題|作者|记者|記者|编辑|編輯|责编|責編|责任编辑|責任編輯|校对|审核|监制|制图|排版|"
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
    pages.prune(root)
    every = pages.blocks(root)
    first, last = pages.article(every)
    known = pagemeta.from_blocks(head, every, first, last)
    kept = _trimmed(every[first:last], known)
    text = "\n".join(block.text for block in kept)
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
        notes=found.notes,
    )


def _trimmed(found: list[Block], known: pagemeta.PageMeta) -> list[Block]:
    """Cut what stands around the article inside its element: title, bylines, share buttons, related links, credits."""
    kept = [block for block in found if not _is_scrap(block)]
    while kept and _leads_in(kept[0], known):
        kept.pop(0)
    kept = kept[: _end(kept)]
    while kept and _leads_out(kept[-1]):
        kept.pop()
    return kept


def _is_scrap(block: Block) -> bool:
    text = block.text
    if block.linked > 0.7 * len(text) and (len(text) < 60 or block.tag == "li"):
        return not re.search(r"[。！？]$", text)
    return sitelines.is_furniture(text)


def _leads_in(block: Block, known: pagemeta.PageMeta) -> bool:
    text = block.text
    if known.title and len(text) < 2 * len(known.title) + 30 and _same(text, known.title):
        return True
    if sitelines.label(text) or _CREDIT.match(text) or sitelines.byline(text):
        return True
    return pagemeta.is_dateline(text) or (len(text) < 90 and not block.good and bool(known.outlet and known.outlet in text))


def _leads_out(block: Block) -> bool:
    text = block.text
    return _CREDIT.match(text) is not None or _ENDING.match(text) is not None or block.linked > 0.6 * len(text)


def _end(kept: list[Block]) -> int:
    """Return where the article ends: before the first sign of an end that little text follows."""
    total = sum(len(block.text) for block in kept)
    seen = 0
    for i, block in enumerate(kept):
        rest = total - seen
        if i and _ENDING.match(block.text) and (rest < 0.5 * total or seen > 400) and len(block.text) < 200:
            after = sum(len(b.text) for b in kept[i + 1 :] if b.good and len(b.text) > 60)
            if after < 0.6 * seen:
                return i
        seen += len(block.text)
    return len(kept)


def _same(one: str, other: str) -> bool:
    a, b = re.sub(r"\W", "", one), re.sub(r"\W", "", other)
    return bool(a) and (a == b or (b in a and len(a) < len(b) + 6) or (a in b and len(a) > 0.5 * len(b)))


def _is_thin(text: str) -> bool:
    return len("".join(text.split())) < 60


def _by_trafilatura(source: str) -> str | None:
    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)
    import trafilatura

    text: str | None = trafilatura.extract(source, include_comments=False, favor_recall=True)
    return text
