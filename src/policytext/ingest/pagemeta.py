"""What a web page says about itself: title, author, outlet, dates; in its head, its data for machines, its bylines."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from policytext.ingest import bylines, dates, numbers, sitelines
from policytext.ingest.bylines import Around as _Around
from policytext.ingest.pages import Block, Element

_NAMES = {
    "published": """article:published_time og:article:published_time og:published_time og:release_date published_time
        publishdate pubdate publishtime publish_time publication_date datepublished dc.date dc.date.issued
        dcterms.created dcterms.issued firstpublishedtime weibo:article:create_at bytedance:published_time date
        parsely-pub-date sailthru.date pub_date apub:time""",
    "modified": """article:modified_time og:updated_time dateupdate datemodified lastmodifiedtime last-modified
        bytedance:updated_time""",
    "title": "og:title articletitle twitter:title dc.title title headline",
    "author": """author article:author og:article:author dc.creator byl parsely-author sailthru.author
        bytedance:author twitter:creator""",
    "outlet": """contentsource content-source source mediaid media article:source dc.source og:source
        weibo:article:source publisher copyrightholder""",
}  # of meta elements
_META = {field: tuple(names.split()) for field, names in _NAMES.items()}
_LABELLED_DATE = re.compile(
    r"(?:发布|發布|發佈|上版|公告|張貼|刊登|建立|发表|發表|发稿|刊发|上传|创建|更新|录入|添加|公布)?(?:时\s*间|日\s*期|時間|于|於|在)?\s*[:：]?\s*$"
)
_SCRIPT_DATE = re.compile(
    r"""["']?(?:publish_?time|pub_?time|publish_?date|pub_?date|publishedAt|datePublished|create_?time|createTime|"""
    r"""post_?time|ptime|oriCreateTime|ct|svr_time|news_?time)["']?\s*[:=]\s*(?:["']?new Date\()?"""
    r"""["'](?P<value>\d{10}(?:\d{3})?|\d{4}[-/年]\d{1,2}[-/月]\d{1,2}[^"']{0,20})["']"""
)
_DATE_ONLY = re.compile(
    r"(?:[\d年月日时分秒時 \t:：\-/.,TZ+（()）星期周一二三四五六日更新發布发表于於]|发布|发表|更新|时间|日期|時間|"
    r"來源|来源|字号|大|中|小|阅读|评论|分享|浏览|次|人|参与|打印|收藏|\||｜)+"
)


_HEADINGS = frozenset({"h1", "h2", "h3", "h4"})


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
    titles = [metas.get(name) for name in _META["title"]] + [item.get("headline") for item in linked] + [page_title]
    published = _published(metas, linked)
    weaker = [(iso, "metadata") for name in _META["modified"] if (iso := dates.parse(metas.get(name)))]
    weaker += [(iso, "script") for match in _SCRIPT_DATE.finditer(source) if (iso := dates.parse(match["value"]))][:1]
    weaker += [(iso, "metadata") for value in root.xpath("//time/@datetime")[:1] if (iso := dates.parse(value))]
    return PageMeta(
        author=bylines.person(
            next(
                (
                    v
                    for v in [*(metas.get(n) for n in _META["author"]), *(_name_of(i.get("author")) for i in linked)]
                    if v
                ),
                "",
            )
        ),
        outlet=next((v for name in _META["outlet"] if (v := bylines.outlet_name(metas.get(name, "")))), None),
        site=metas.get("og:site_name")
        or next((v for item in linked if (v := _name_of(item.get("publisher")))), None)
        or metas.get("sitename"),
        published=published,
        published_source="metadata" if published else None,
        published_certainty=0.95 if published else 0.0,
        url=url if url and url.startswith("http") else None,
        titles=tuple(" ".join(str(title).split()) for title in titles if title and isinstance(title, str)),
        maybe=tuple(weaker),
    )


def complete(head: PageMeta, title: str | None, found: list[Block], kept: list[int]) -> PageMeta:
    """Complete what the head says by what a reader sees around the article, the blocks `kept`."""
    first, last = (kept[0], kept[-1]) if kept else (0, 0)
    around = _Around(
        above=found[_title_place(found, title, first) : first],
        body=[found[i] for i in kept],
        below=found[last + 1 : last + 25],
        before=found[:first],
    )
    table = _table(found[: first + 3])
    published, source, certainty = _date(head, around, table, title)
    outlet = bylines.outlet(around) or _table_outlet(table) or head.outlet or bylines.account(around) or _site(head)
    return replace(
        head,
        title=title,
        author=bylines.author(around)
        or _usable(table.get("author"))
        or _head_author(head, outlet, found)
        or bylines.account(around),
        outlet=outlet,
        number=numbers.own(table["number"]) if "number" in table else None,
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
    values = [*(metas.get(name) for name in _META["published"]), *(item.get("datePublished") for item in linked)]
    return next((iso for value in values if value and (iso := dates.parse(value)) and len(iso) == 10), None)


def _table_outlet(table: dict[str, str]) -> str | None:
    return bylines.outlet_name(re.split(r"作者|时间|编辑|责编|浏览|字体", table.get("outlet", ""))[0])


def _usable(value: str | None) -> str | None:
    return bylines.person(value) if value else None


def _site(head: PageMeta) -> str | None:
    """Name of the site: stated, or what the page's title ends with."""
    if head.site and not bylines.is_generic(head.site):
        return head.site
    parts = re.split(r"\s*[_|｜–—]\s*|\s*-\s*", head.titles[-1])[1:] if head.titles else []
    named = [part for part in parts if sitelines.is_outlet(part)]
    if named:
        return named[-1]
    last = parts[-1].strip() if parts else ""
    return (
        last
        if re.fullmatch(
            r"[\u4e00-\u9fff]{3,8}|[\u4e00-\u9fff]{3,16}(?:网站|网|社|报|局|府|厅|委|院|会)|[A-Z]{2,5} "
            r"?[\u4e00-\u9fff ]{2,10}",
            last,
        )
        else None
    )


def _head_author(head: PageMeta, outlet: str | None, found: list[Block]) -> str | None:
    """Return the author that the head states, unless it is the site, the outlet or the editor."""
    author, page_title = head.author, head.titles[-1] if head.titles else ""
    if author is None or re.search(rf"[_|｜-]\s*{re.escape(author)}", page_title):
        return None
    if (outlet and (author in outlet or outlet in author)) or (head.site and author in head.site):
        return None
    edits = re.compile(rf"(?:编辑|責編|责编|编輯|編輯)\s*[:：]\s*[^。]{{0,12}}{re.escape(author)}")
    return None if any(edits.search(block.text[:80]) for block in found) else author


def title_block(head: PageMeta, found: list[Block]) -> int:
    """Return the number of the block that shows the title, among those that belong to no menu; 0 if none does."""
    for wanted in (_HEADINGS, None):
        for i, block in enumerate(found):
            if block.beside or (wanted and block.tag not in wanted) or not 6 <= len(block.text) <= 150:
                continue
            if any(_starts(title, block.text) for title in head.titles):
                return i
    return 0


def title_of(head: PageMeta, found: list[Block], first: int, last: int) -> str | None:
    """Choose the title: the heading on the page that agrees with the page's own title, else that without the site."""
    page_title = head.titles[-1] if head.titles else ""
    bare = _without_site(page_title)
    shown = [b for b in found[:last] if not b.beside or b.tag == "h1"]
    headings = [b.text for b in shown if b.tag == "h1"]
    marked = [b.text for b in shown if b.tag in _HEADINGS or re.search(r"tit|headline", b.names, re.IGNORECASE)]
    marked += [text for b in shown for names, text in b.marks if re.search(r"tit|headline", names, re.IGNORECASE)]
    agreeing = [
        h for h in [*headings, *marked] if 4 <= len(h) <= 150 and any(_begins(title, h) for title in head.titles)
    ]
    agreeing += [
        h for h in _joined(found, first) if 4 <= len(h) <= 150 and any(_starts(title, h) for title in head.titles)
    ]
    if agreeing:
        within = [h for h in agreeing if len(_bare(h)) <= len(_bare(bare))] or agreeing
        return _tidy(next((h for h in within if h in headings), None) or max(within, key=len))
    stated = next((title for title in head.titles[:-1] if len(title) >= 4), None)
    if stated and not (page_title and len(stated) < 0.3 * len(page_title)):
        return _tidy(stated)
    above = _above_byline(found, first)
    if page_title:
        names_site = len(bare) < 6 or re.search(r"(?:官网|官方网站|网站|首页|网)$", bare)
        return _tidy((headings or [above or bare])[0]) if names_site else _tidy(bare)
    return _table(found[: first + 3]).get("title") or (_tidy(headings[0]) if headings else above)


def _joined(found: list[Block], first: int) -> list[str]:
    """Return runs of up to four lines near the article: a title may be spread over them."""
    lines = [block.text for block in found[max(0, first - 12) : first + 5]]
    runs = []
    for i in range(len(lines)):
        for j in range(i + 1, min(i + 5, len(lines) + 1)):
            if not _bare(lines[j - 1]) or (j - 1 > i and numbers.own(lines[j - 1])):
                break  # asterisks, or the number of the document: below a title, not in it
            runs.append("".join(lines[i:j]))
    return runs


def _above_byline(found: list[Block], first: int) -> str | None:
    """Return the line right above the date and source of an article."""
    for i in range(max(1, first - 6), min(len(found), first + 6)):
        if bylines.is_byline(found[i]) or (sitelines.label(found[i].text) and re.search(r"\d{4}", found[i].text)):
            text = found[i - 1].text
            return text if 6 <= len(text) <= 100 and not re.search(r"。|[:：]$", text) else None
    return None


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text)


def _starts(title: str, text: str) -> bool:
    """Say whether a page's title starts with a text, and the text makes up a good part of it."""
    a, b = _bare(title), _bare(text)
    return len(b) >= 4 and a.startswith(b) and len(b) > 0.4 * len(a)


def _begins(title: str, heading: str) -> bool:
    a, b = re.sub(r"\W", "", title), re.sub(r"\W", "", heading)
    return len(b) >= 4 and (
        a.startswith(b) or (b.endswith(a) and len(a) > 0.6 * len(b)) or (b in a and len(b) > 0.5 * len(a))
    )


def _without_site(title: str) -> str:
    """Cut the site's name from the end of a page's title: 甲乙丙丁_新闻中心_某网."""
    parts = re.split(
        r"\s*[_|｜]\s*|\s+[-–—]+\s+|(?<=[\u4e00-\u9fff”》！？.…])\s?[-–—]{1,2}\s?(?=[\u4e00-\u9fffA-Z]{2,20}$)", title
    )
    parts = [part for part in parts if part]
    if not parts:
        return title
    return max(parts[:2], key=len) if len(parts[0]) < 6 else parts[0]


def _tidy(title: str) -> str:
    title = re.sub(r"\s+", " ", title).strip()
    return re.sub(r"^(?:正在阅读|标题|當前位置|当前位置)[:：]\s*", "", title)


def _title_place(found: list[Block], title: str | None, first: int) -> int:
    """Return the number of a block shortly before the one that shows the title, else some blocks above the article."""
    plain = re.sub(r"\W", "", title or "")
    for i in range(first - 1, -1, -1):
        text = found[i].text
        if plain and len(text) < 2 * len(title or "") + 40 and plain in re.sub(r"\W", "", text):
            return max(0, i - 3)
    return max(0, first - 12)


def _table(found: list[Block]) -> dict[str, str]:
    """Labels and values of the table that government pages put above a document."""
    values: dict[str, str] = {}
    for block, following in itertools.pairwise(found):
        said = sitelines.label(block.text)
        if said is None:
            continue
        value = said.value or (
            following.text if sitelines.label(following.text) is None and len(following.text) < 120 else ""
        )
        if value:
            values.setdefault(said.field, value)
    return values


def _date(
    head: PageMeta, around: _Around, table: dict[str, str], title: str | None
) -> tuple[str | None, str | None, float]:
    """Choose the publication date: visible near the title or in the head, else below, in script, address or title."""
    if iso := dates.parse(table.get("published")):
        return iso, "label", 0.95
    seen = _visible(around.above)
    if head.published and not (seen and seen[1] and seen[0] != head.published):
        return head.published, "metadata", 0.95
    if seen:
        return seen[0], "byline", 0.8 if head.published else 0.95 if seen[1] else 0.9
    return next(_fainter_dates(head, around, title), (None, None, 0.0))


def _fainter_dates(head: PageMeta, around: _Around, title: str | None) -> Iterator[tuple[str, str, float]]:
    """Yield dates that stand less clearly for the publication, the clearest first."""
    if below := _visible([*around.below[:14], *around.before], labelled=True):
        yield below[0], "byline", 0.85
    if head.maybe:
        yield head.maybe[0][0], head.maybe[0][1], 0.7
    if head.url and (iso := dates.from_url(head.url)):
        yield iso, "url", 0.8
    if named := next((date for date in dates.find(title or "") if date.full), None):
        yield named.iso, "title", 0.6
    if loose := _visible(around.before[-30:]) or _visible(around.below[:6]):
        yield loose[0], "byline", 0.5


def _visible(found: list[Block], *, labelled: bool = False) -> tuple[str, bool] | None:
    """Return the first full date of short blocks and whether a label or a time goes with it."""
    texts = [block.text for block in found if len(block.text) < 120]
    for i in range(len(found) - 1):
        pieces = [block.text for block in found[i : i + 3]]
        if all(len(piece) < 30 for piece in pieces):
            texts += [" ".join(pieces), "/".join(pieces)]
    loose: tuple[str, bool] | None = None
    for text in texts:
        for date in dates.find(text, roc=False):
            if not date.full:
                continue
            label = _LABELLED_DATE.search(text[: date.start])
            time = re.match(r"\s*(?:日)?\s*[（(]?\s*\d{1,2}\s*[:：时時點点]\s*\d{1,2}", text[date.end :])
            if (label and label[0].strip()) or time:
                return date.iso, True
            if not labelled and loose is None and (date.end - date.start) * 2.5 > len(text):
                loose = date.iso, False
    return loose
