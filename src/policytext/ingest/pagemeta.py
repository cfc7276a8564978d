"""What a web page says about itself: title, author, outlet, dates; in its head, its data for machines, its bylines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from policytext.ingest import dates, numbers, sitelines
from policytext.ingest.pages import Block, Element

_PUBLISHED = (
    "article:published_time og:article:published_time og:published_time og:release_date published_time publishdate pubdate publishtime publish_time publication_date "
    "datepublished dc.date dc.date.issued dcterms.created dcterms.issued firstpublishedtime weibo:article:create_at bytedance:published_time date parsely-pub-date sailthru.date "
    "pub_date apub:time cxenseparse:recs:publishtime"
).split()
_MODIFIED = "article:modified_time og:updated_time dateupdate datemodified lastmodifiedtime last-modified bytedance:updated_time".split()
_TITLES = "og:title articletitle twitter:title dc.title title headline".split()
_AUTHORS = "author article:author og:article:author dc.creator byl parsely-author sailthru.author bytedance:author twitter:creator".split()
_OUTLETS = "contentsource content-source source mediaid media article:source dc.source og:source weibo:article:source publisher copyrightholder".split()
_GENERIC = re.compile(r"^(?:admin|administrator|管理员|系统管理员|小编|编辑|网络|未知|佚名|匿名|本站|本网|本站原创|原创|网站编辑|web|null|none|undefined|root|author|https?:.*|@?\s*)$", re.IGNORECASE)
_NAME = r"[\u4e00-\u9fff]{2,4}|[\u4e00-\u9fff]{1,10}[·•・][\u4e00-\u9fff]{1,10}|[A-Za-z][A-Za-z .'-]{1,30}"
_WHO = re.compile(
    rf"(?:作\s*者|撰\s*文|撰\s*稿|采\s*写|文)\s*[:：︱丨|/／]\s*(?P<named>[^\s:：|｜,，、/／()（）\[\]【】<>]{{2,20}}(?:[ 、，,/]+(?:{_NAME})(?=[\s、，,/]|$))*)"
)
_REPORTER = re.compile(
    rf"^[\s【\[（(《]*[^。！？；：:]{{0,18}}?(?:特约|见习|实习|首席|高级|本报|本刊|特派|驻[\u4e00-\u9fff]{{1,6}})?(?:记者|記者|作者|撰稿人|评论员|通讯员|研究员)[\s:：/丨|]+(?P<name>(?:{_NAME})(?:[\s、，,/]+(?:{_NAME})){{0,3}})[\s】\])）]*$"
)
_INLINE_REPORTER = re.compile(
    rf"[（(【\[](?:[^（()）]{{0,14}}?)(?:记者|記者)[\s:：]*(?P<name>[\u4e00-\u9fff]{{2,4}}?)(?:[ 、，,/][^（()）]{{0,40}})?(?:(?:台北|臺北|東京|北京|上海|香港|华盛顿|[\u4e00-\u9fff]{{2,4}})?\d{{1,2}}日(?:電|电|专电|專電|綜合.{{0,6}})|摄|攝|报道|報導|文)?[）)】\]]"
)
_SIGNED_END = re.compile(r"[（(](?:本报|本报讯|本网|特约|通讯员|记者|記者|作者|文|\s|[:：/])*(?P<name>[\u4e00-\u9fff]{2,4}(?:[ 、　][\u4e00-\u9fff]{2,4}){0,2})[）)]\s*$")
_SOURCE = re.compile(
    r"(?:^|[\s|｜丨,，;；(（\[【>]|(?<=\d)|(?<=[分秒时]))(?:本文|信息|稿件|文章|新闻|内容|消息|资料)?(?:来\s*源|來\s*源)\s*(?:于|自|於)?\s*[:：]?\s*(?P<value>[^:：|｜<>【】\[\]()（）]{2,60}?)\s*"
    r"(?=$|[|｜)）\]】<>]|\s{2,}|作\s*者|时\s*间|责\s*任|责\s*编|编\s*辑|字\s*[号体]|分\s*享|打\s*印|浏\s*览|阅\s*读|点\s*击|发\s*布|发\s*表|日\s*期|评\s*论|举\s*报|参与|\d+\s*人|\d{4}\s*[-年/.]|\d{1,2}:\d\d|关\s*键|大\s*中\s*小|\d+\s*条|0\s*评|我要|收藏)"
)
_LABELLED_DATE = re.compile(r"(?:发布|發布|发表|發表|发稿|刊发|上传|创建|更新|录入|添加|公布)?(?:时\s*间|日\s*期|時間|于|於|在)?\s*[:：]?\s*$")
_SCRIPT_DATE = re.compile(
    r"""["']?(?:publish_?time|pub_?time|publish_?date|pub_?date|publishedAt|datePublished|create_?time|createTime|post_?time|ptime|oriCreateTime|ct|svr_time|news_?time)["']?\s*[:=]\s*(?:["']?new Date\()?["'](?P<value>\d{10}(?:\d{3})?|\d{4}[-/年]\d{1,2}[-/月]\d{1,2}[^"']{0,20})["']"""
)
_DATE_ONLY = re.compile(r"(?:[\d年月日时分秒時 \t:：\-/.,TZ+（()）星期周一二三四五六日更新發布发表于於]|发布|发表|更新|时间|日期|時間|來源|来源|字号|大|中|小|阅读|评论|分享|浏览|次|人|参与|打印|收藏|\||｜)+")


@dataclass(frozen=True)
class PageMeta:
    """What a page says about itself; None where it says nothing."""

    title: str | None = None
    author: str | None = None
    outlet: str | None = None
    site: str | None = None  # the name of the web site
    number: str | None = None
    issuer: str | None = None
    published: str | None = None
    published_source: str | None = None
    published_certainty: float = 0.0
    signed: str | None = None
    url: str | None = None
    titles: tuple[str, ...] = ()  # candidates of the head
    maybe: tuple[tuple[str, str], ...] = ()  # dates of the head that are weaker than a visible one: (iso, source)


def from_head(root: Element, source: str) -> PageMeta:
    """Read the head of a page and its data for machines, before anything is taken out of it."""
    metas = _metas(root)
    linked = list(_json_ld(root))
    page_title = " ".join((root.findtext(".//title") or "").split())
    url = _first(root.xpath("//link[@rel='canonical']/@href")) or metas.get("og:url")
    titles = [metas.get(name) for name in _TITLES] + [item.get("headline") for item in linked] + [page_title]
    published = _published(metas, linked)
    weaker = [(iso, "metadata") for name in _MODIFIED if (iso := dates.parse(metas.get(name)))]
    weaker += [(iso, "script") for match in _SCRIPT_DATE.finditer(source) if (iso := dates.parse(match["value"]))][:1]
    weaker += [(iso, "metadata") for value in root.xpath("//time/@datetime")[:1] if (iso := dates.parse(value))]
    return PageMeta(
        author=_plain_name(next((v for v in [*(metas.get(n) for n in _AUTHORS), *(_name_of(i.get("author")) for i in linked)] if v), None)),
        outlet=next((v for name in _OUTLETS if (v := _outlet_value(metas.get(name)))), None),
        site=metas.get("og:site_name") or next((v for item in linked if (v := _name_of(item.get("publisher")))), None) or metas.get("sitename"),
        published=published,
        published_source="metadata" if published else None,
        published_certainty=0.95 if published else 0.0,
        url=url if url and url.startswith("http") else None,
        titles=tuple(" ".join(str(title).split()) for title in titles if title and isinstance(title, str)),
        maybe=tuple(weaker),
    )


def from_blocks(head: PageMeta, found: list[Block], first: int, last: int) -> PageMeta:
    """Complete what the head says by what a reader sees around the article, the blocks `first` to `last`."""
    title = _title(head, found, first, last)
    start = _title_place(found, title, first)
    above, below = found[start : first + 8], found[max(first + 3, last - 6) : last + 25]
    table = _table(found[: first + 3])
    published, source, certainty = _date(head, found, start, first, last, table, title)
    outlet = _outlet(above, below) or table.get("outlet") or _classed(above, r"source|laiyuan|origin|media|sour") or head.outlet or _usable_site(head)
    author = _author(above, below, found[first:last]) or table.get("author") or _classed(above, r"author|byline|writer|nickname|auth") or _head_author(head, outlet)
    return replace(
        head,
        title=title,
        author=author,
        outlet=outlet,
        number=numbers.own(table.get("number") or "") if table.get("number") else None,
        issuer=table.get("issuer"),
        published=published,
        published_source=source,
        published_certainty=certainty,
        signed=dates.parse(table.get("signed")),
    )


def is_dateline(text: str) -> bool:
    """Say whether a block is a date with what stands around it on a page, and no more."""
    return len(text) < 80 and _DATE_ONLY.fullmatch(text) is not None


def _metas(root: Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in root.iter("meta"):
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").strip().lower()
        content = " ".join((element.get("content") or "").split())
        if name and content:
            found.setdefault(name, content)
    return found


def _json_ld(root: Element) -> Iterator[dict[str, Any]]:
    """Yield the objects of schema.org data, at most fifty, nested ones included."""
    pending: list[Any] = []
    for text in root.xpath("//script[@type='application/ld+json']/text()")[:10]:
        try:
            pending.append(json.loads(text, strict=False))
        except (ValueError, RecursionError):
            continue
    for _ in range(50):
        if not pending:
            return
        item = pending.pop(0)
        if isinstance(item, list):
            pending.extend(item[:20])
        elif isinstance(item, dict):
            pending.extend(item["@graph"][:20] if isinstance(item.get("@graph"), list) else [])
            yield item


def _name_of(value: Any) -> str | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("name")
    return value.strip() if isinstance(value, str) and value.strip() else None


def _first(values: list[Any]) -> str | None:
    return str(values[0]) if values else None


def _published(metas: dict[str, str], linked: Iterable[dict[str, Any]]) -> str | None:
    values = [*(metas.get(name) for name in _PUBLISHED), *(item.get("datePublished") for item in linked)]
    return next((iso for value in values if value and (iso := dates.parse(value)) and len(iso) == 10), None)


def _plain_name(value: str | None) -> str | None:
    if value is None or not isinstance(value, str):
        return None
    value = value.strip()
    return None if _GENERIC.match(value) or len(value) > 30 else value


def _outlet_value(value: str | None) -> str | None:
    value = _plain_name(value)
    return value if value and not re.fullmatch(r"[\d.,;:-]+", value) else None


def _usable_site(head: PageMeta) -> str | None:
    return head.site if head.site and not _GENERIC.match(head.site) else None


def _head_author(head: PageMeta, outlet: str | None) -> str | None:
    author = head.author
    if author is None or (outlet and (author in outlet or outlet in author)) or (head.site and author in head.site):
        return None
    return author


def _title(head: PageMeta, found: list[Block], first: int, last: int) -> str | None:
    """Prefer the heading on the page that the page's own title begins with."""
    page_title = head.titles[-1] if head.titles else ""
    headings = [b.text for b in found[: last] if b.tag in ("h1", "h2", "h3", "h4") or re.search(r"tit|headline|bt\b", b.names, re.IGNORECASE)]
    for heading in [b.text for b in found[:last] if b.tag == "h1"] + headings + [b.text for b in found[max(0, first - 12) : first + 2]]:
        if 4 <= len(heading) <= 150 and any(_begins(title, heading) for title in head.titles):
            return _tidy(heading)
    best = next((title for title in head.titles[:-1] if len(title) >= 4), None)
    if best and not (page_title and len(best) < 0.3 * len(page_title)):
        return _tidy(_without_site(best, head, best == page_title))
    h1 = next((b.text for b in found[:last] if b.tag == "h1" and 6 <= len(b.text) <= 150), None)
    if page_title:
        bare = _without_site(page_title, head, True)
        return h1 if h1 and len(bare) < 6 else _tidy(bare)
    return _tidy(h1) if h1 else None


def _begins(title: str, heading: str) -> bool:
    a, b = re.sub(r"\W", "", title), re.sub(r"\W", "", heading)
    return len(b) >= 4 and (a.startswith(b) or (b.endswith(a) and len(a) > 0.6 * len(b)) or (b in a and len(b) > 0.5 * len(a)))


def _without_site(title: str, head: PageMeta, cut: bool) -> str:  # noqa: FBT001
    """Cut the site's name from the end of a page's title: 甲乙丙丁_新闻中心_某网."""
    if not cut:
        return title
    parts = re.split(r"\s*[_|｜]\s*|\s+[-–—]+\s+|(?<=[\u4e00-\u9fff”》！？.…])\s?[-–—]{1,2}\s?(?=[\u4e00-\u9fffA-Z]{2,20}$)", title)
    parts = [part for part in parts if part]
    if not parts:
        return title
    return max(parts[:2], key=len) if len(parts[0]) < 6 else parts[0]


def _tidy(title: str) -> str:
    title = re.sub(r"\s+", " ", title).strip()
    return re.sub(r"^(?:正在阅读|标题|當前位置|当前位置)[:：]\s*", "", title)


def _title_place(found: list[Block], title: str | None, first: int) -> int:
    """Number of the block that shows the title; else some blocks above the article."""
    if title:
        plain = re.sub(r"\W", "", title)
        places = [i for i, block in enumerate(found[: first + 4]) if plain and plain in re.sub(r"\W", "", block.text) and len(block.text) < 2 * len(title) + 40]
        if places:
            return max(0, places[-1] - 4) if places[-1] > first else max(0, places[-1] - 3)
    return max(0, first - 12)


def _table(found: list[Block]) -> dict[str, str]:
    """Labels and values of the table that government pages put above a document."""
    values: dict[str, str] = {}
    for block, following in zip(found, found[1:], strict=False):
        said = sitelines.label(block.text)
        if said is None:
            continue
        value = said.value or (following.text if sitelines.label(following.text) is None and len(following.text) < 120 else "")
        if value:
            values.setdefault(said.field, value)
    return values


def _date(head: PageMeta, found: list[Block], start: int, first: int, last: int, table: dict[str, str], title: str | None) -> tuple[str | None, str | None, float]:
    """Choose the publication date: of the head, else visible near the title, else below the article, in script, address, title."""
    seen = _visible(found[start : first + 4])
    if seen is None and (iso := dates.parse(table.get("published"))):
        seen = (iso, True)
    if head.published:
        if seen and seen[1] and seen[0] != head.published and len(seen[0]) == 10:
            return seen[0], "byline", 0.8
        return head.published, "metadata", 0.95
    if seen:
        return seen[0], "byline", 0.95 if seen[1] else 0.9
    below = _visible(found[last : last + 12], labelled=True) or _visible(found[: start], labelled=True)
    if below:
        return below[0], "byline", 0.85
    if head.maybe:
        return head.maybe[0][0], head.maybe[0][1], 0.7
    if head.url and (iso := dates.from_url(head.url)):
        return iso, "url", 0.8
    named = next((date for date in dates.find(title or "") if date.full), None)
    if named:
        return named.iso, "title", 0.6
    loose = _visible(found[max(0, start - 30) : start]) or _visible(found[last : last + 6])
    return (loose[0], "byline", 0.5) if loose else (None, None, 0.0)


def _visible(found: list[Block], *, labelled: bool = False) -> tuple[str, bool] | None:
    """Return the first full date of short blocks and whether a label or a time goes with it."""
    joined = [block.text for block in found if len(block.text) < 120]
    joined += [" ".join(block.text for block in found[i : i + 3]) for i in range(len(found)) if all(len(b.text) < 30 for b in found[i : i + 3])]
    loose: tuple[str, bool] | None = None
    for text in joined:
        for date in dates.find(text):
            if not date.full:
                continue
            label = _LABELLED_DATE.search(text[: date.start])
            time = re.match(r"\s*(?:日)?\s*[（(]?\s*\d{1,2}\s*[:：时點点]\s*\d{1,2}", text[date.end :])
            marked = bool((label and label[0].strip()) or time)
            if marked:
                return date.iso, True
            if not labelled and loose is None and (date.end - date.start) * 2.5 > len(text):
                loose = date.iso, False
    return loose


def _outlet(above: list[Block], below: list[Block]) -> str | None:
    for block in [*above, *below]:
        if len(block.text) > 200 or (block.good and len(block.text) > 120):
            continue
        match = _SOURCE.search(block.text)
        value = _outlet_value(_clean_outlet(match["value"])) if match else None
        if value and len(value) <= 30:
            return value
    for block, following in zip(above, above[1:], strict=False):
        if re.fullmatch(r"(?:来源|來源)\s*[:：]?", block.text) and 2 <= len(following.text) <= 20:
            return _outlet_value(_clean_outlet(following.text))
    return None


def _clean_outlet(value: str) -> str:
    value = re.split(r"\s{2,}|\u3000", value.strip())[0]
    value = re.sub(r"(?:\d{4}\s*[-年/.].*|\d{1,2}:\d\d.*)$", "", value)
    return value.strip(" ：:，,、|-—_·").strip("《》“”\"' ")


def _author(above: list[Block], below: list[Block], body: list[Block]) -> str | None:
    """Look for a byline above the article, in its first lines, its last lines, and below it."""
    for block in [*above, *body[:4], *reversed(body[-4:]), *below]:
        text = block.text
        if len(text) > 100 or re.search(r"最近文章|最新文章", text):
            continue
        if (name := sitelines.byline(text)) and not _GENERIC.match(name):
            return name
        if (match := _WHO.search(text)) and (name := _person(match["named"])):
            return name
        if match := _REPORTER.match(text):
            return _person(match["name"])
    for block in body[:2]:
        if match := _INLINE_REPORTER.search(block.text[:90]):
            return match["name"]
    for block in body[-1:]:
        if match := _SIGNED_END.search(block.text):
            return match["name"]
    return None


def _person(value: str) -> str | None:
    value = re.sub(r"^(?:本报|本刊|[\u4e00-\u9fff]{2,6}(?:日报|晚报|新闻|网|社|报))?(?:特约|见习|实习)?(?:记者|記者|作者|通讯员)[:：]?\s*(?=[\u4e00-\u9fff]{2})", "", value.strip())
    value = re.split(r"(?:责任?编辑|来源|编辑|时间|日期|浏览|阅读|摄影|校对|\d{4}[-年])", value)[0].strip(" 、，,/:：")
    return None if not value or _GENERIC.match(value) or len(value) > 30 else value


def _classed(found: list[Block], pattern: str) -> str | None:
    """Take a short block whose class or id names what is looked for."""
    for block in found:
        if re.search(rf"(?:^|[\s_-])(?:\w{{0,12}}[_-])?(?:{pattern})(?:$|[\s_-]|\d)", block.names, re.IGNORECASE) and 2 <= len(block.text) <= 24:
            value = _outlet_value(_clean_outlet(re.sub(r"^(?:来源|來源|作者|文)\s*[:：/]?\s*", "", block.text)))
            if value and not _DATE_ONLY.fullmatch(value) and not re.search(r"[。，！？:：]", value):
                return value
    return None
