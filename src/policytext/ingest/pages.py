"""A web page as blocks of text: parsed, cleared of what no reader sees, and the part that holds the article."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from policytext.errors import ReadError

Element = Any  # lxml.html.HtmlElement; lxml ships no types

_TAGS = {
    "blocks": """address article aside blockquote body br center dd details div dl dt fieldset figcaption figure footer
        form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section summary table tbody td tfoot th thead tr ul""",
    "unseen": """script style noscript template svg canvas iframe object embed applet map audio video button input
        select textarea option head link meta""",
}
_BLOCKS = frozenset(_TAGS["blocks"].split())
_UNSEEN = frozenset(_TAGS["unseen"].split())
_VOID_LIKE = re.compile(
    r"<(button|div|span|p|a|i|b|em|td|li|ul|section|script|iframe|textarea|title|label|select|option)(\s[^<>]{0,2000})?/>",
    re.IGNORECASE,
)
_NOT_ARTICLE = re.compile(
    r"(?:^|[\s_-])(?:comment|comments|cmt|reply|replies|tie|related|relate|relevant|xiangguan|recommend|recommended|recommendation|tuijian|share|sharing|bdsharebuttonbox|"
    r"footer|foot|copyright|breadcrumb|breadcrumbs|crumb|crumbs|sidebar|side-bar|advert|advertisement|adsbygoogle|gg|qrcode|ewm|erweima|toolbar|pager|pagination|page-nav|"
    r"hot|rank|ranking|hotnews|topnav|subnav|navbar|nav|menu|login|register|popup|modal|dialog|popwin|disclaimer|statement|shengming|mood|vote|like|reward|"
    r"prevnext|prev-next|relnews|xgyd|xgnews|friendlink|links|taglist|search|searchbox|searchform|weixin|wx|app-download|download-app|"
    r"post[_-]?recommend|recent-article|article-other|news[_-]?editor|feedback|toolwrap|emotion|video-?(?:inner|box|wrap|info)|playlist|newsletter|donate|subscribe)(?:$|[\s_-]|\d)",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"ICP备|ICP證|版权所有|版權所有|Copyright|©|举报电话|客服电话|公网安备|增值电信|网络文化经营|广播电视节目制作|郑重声明|免责声明|違法和不良|违法和不良|未经.{0,8}授权|"
    r"非經授權|許可證|许可证编号|备案号|All Rights? Reserved",
    re.IGNORECASE,
)
_PUNCTUATION = re.compile(r"[，。！？；：、“”《》,.!?;]")
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_MAX_DEPTH = 200
_BUDGET = 40_000  # elements looked at when marking; real pages need under 15,000
_MARK = "data-policytext-beside"


@dataclass(frozen=True)
class Block:
    """A run of text that a reader sees as a paragraph, heading, cell or list item."""

    text: str
    linked: int  # code points that are links
    tag: str  # of the block element around it
    path: tuple[int, ...]  # numbers of the elements around it, from the root; a prefix is an ancestor
    names: str = ""  # class and id of the element around it
    marks: tuple[tuple[str, str], ...] = ()  # (class and id, text) of inline elements in it
    beside: bool = False  # part of a menu, of comments or the like

    @property
    def good(self) -> bool:
        """Whether it reads like a sentence of an article."""
        size = len(self.text)
        return size >= 12 and self.linked < 0.4 * size and (size >= 60 or _PUNCTUATION.search(self.text) is not None)


def parse(source: str) -> Element:
    """Parse a page, whatever state it is in.

    Raises:
        ReadError: nothing in it can be parsed.
    """
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    source = re.sub(r"</(?:html|body)\s*>", "", source, flags=re.IGNORECASE)  # a stray one would end the page there
    mended = _VOID_LIKE.sub(r"<\1\2></\1>", source.replace("\x00", ""))
    try:
        root = html.document_fromstring(mended.encode("utf-8", "replace"), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise ReadError("the page holds no HTML that can be read; save it again from the browser") from error
    return root


def clear(root: Element) -> None:
    """Take out what is no text, and mark comments, recommendations, menus and the like, unless they hold most of it."""
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or (element.tag in _UNSEEN and element.tag not in ("html", "body", "head")):
            _drop(element)
    whole = max(1, _weight(root))
    budget = _BUDGET
    for element in list(root.iter()):
        if element.tag in ("html", "body", "main", "article") or not (_hidden(element) or _beside(element)):
            continue
        budget -= sum(1 for _ in element.iter())
        if budget < 0:
            return
        if _weight(element) < 0.4 * whole:
            element.set(_MARK, "")


def _beside(element: Element) -> bool:
    """Say whether tag, class or id marks an element as something beside the article."""
    if element.tag in ("nav", "footer", "aside"):
        return True
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    return len(names) > 1 and _NOT_ARTICLE.search(re.sub(r"([a-z])([A-Z])", r"\1-\2", names)) is not None


def _hidden(element: Element) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return "display:none" in style or element.get("hidden") is not None


def _weight(element: Element) -> int:
    """Length of the sentences below an element, links left out."""
    return sum(len(block.text) for block in blocks(element) if block.good and len(block.text) > 25)


def _drop(element: Element) -> None:
    parent = element.getparent()
    if parent is None:
        return
    if element.tail:
        previous = element.getprevious()
        if previous is not None:
            previous.tail = (previous.tail or "") + element.tail
        else:
            parent.text = (parent.text or "") + element.tail
    parent.remove(element)


def blocks(root: Element) -> list[Block]:
    """Return the blocks of text below an element, in reading order."""
    return list(_Walk().run(root))


class _Walk:
    """Collects the text between block elements; holds the run of text that is open."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._linked = 0
        self._path: list[int] = []
        self._tags: list[str] = []
        self._names: list[str] = []
        self._count = 0
        self._beside = 0
        self._links = 0
        self._marks: list[tuple[str, str]] = []
        self._open: list[tuple[str, int]] = []  # inline elements with a class or id, and where their text began

    def run(self, root: Element) -> Iterator[Block]:
        stack: list[tuple[Element, bool]] = [(root, False)]
        while stack:
            element, closing = stack.pop()
            tag = element.tag if isinstance(element.tag, str) else ""
            if closing:
                yield from self._close(element, tag)
            elif tag in _UNSEEN or not tag or len(self._path) > _MAX_DEPTH:
                self._add(element.tail)
            elif tag == "br" and _HEADINGS & set(self._tags):
                self._add(" " + (element.tail or ""))  # a title over several lines is one title
            else:
                yield from self._enter(element, tag)
                stack.append((element, True))
                stack.extend((child, False) for child in reversed(element))
        yield from self._flush()

    def _enter(self, element: Element, tag: str) -> Iterator[Block]:
        marked = element.get(_MARK) is not None
        if marked or tag in _BLOCKS:
            yield from self._flush()
            self._beside += marked
        if tag in _BLOCKS:
            self._count += 1
            self._path.append(self._count)
            self._tags.append(tag)
            self._names.append(_names(element))
        elif names := _names(element):
            self._open.append((names, len(self._parts)))
        self._links += tag == "a"
        self._add(element.text)

    def _close(self, element: Element, tag: str) -> Iterator[Block]:
        marked = element.get(_MARK) is not None
        if tag not in _BLOCKS and (names := _names(element)):
            self._mark(names)
        if marked or tag in _BLOCKS:
            yield from self._flush()
            self._beside -= marked
        if tag in _BLOCKS:
            self._path.pop()
            self._tags.pop()
            self._names.pop()
        self._links -= tag == "a"
        self._add(element.tail)

    def _add(self, text: str | None) -> None:
        if text:
            self._parts.append(text)
            if self._links > 0:
                self._linked += len(text.strip())

    def _mark(self, names: str) -> None:
        if self._open and self._open[-1][0] == names:
            _, start = self._open.pop()
            text = " ".join("".join(self._parts[start:]).split())
            if 1 < len(text) <= 60:
                self._marks.append((names, text))

    def _flush(self) -> Iterator[Block]:
        raw = "".join(self._parts)
        linked, self._linked, self._parts = self._linked, 0, []
        marks, self._marks = tuple(self._marks), []
        self._open = [(names, 0) for names, _ in self._open]
        tag = self._tags[-1] if self._tags else "body"
        if "pre" in self._tags:
            text = raw.strip("\n\r").rstrip()
        else:
            text = re.sub(r"[ \t\r\n\xa0]+", " ", raw).strip(" \u3000\u200b\ufeff")
        if text.strip():
            yield Block(
                text,
                min(linked, len(text)),
                tag,
                tuple(self._path),
                self._names[-1] if self._names else "",
                marks,
                self._beside > 0,
            )


def _names(element: Element) -> str:
    """Return class, id and the property of schema.org that an element stands for."""
    return " ".join(filter(None, (element.get("class"), element.get("id"), element.get("itemprop"))))


def article(found: list[Block], title_at: int = 0) -> tuple[int, int]:
    """Return the range of the blocks that the article's element holds.

    Every element is worth the sentences below it less the links and scraps below it; the best one is the article's.
    Sentences above the block `title_at`, which shows the title, count for nothing.
    """
    worth: dict[int, float] = defaultdict(float)
    depths: dict[int, int] = {}
    for i, block in enumerate(found):
        value = 0.0 if block.beside else min(0.0, _value(block)) if i < title_at else _value(block)
        for depth, number in enumerate(block.path, 1):
            worth[number] += value
            depths[number] = depth
    if not worth:
        return 0, 0
    best = max(worth, key=lambda number: (worth[number] - 2.0 / depths[number], depths[number]))
    inside = [i for i, block in enumerate(found) if best in block.path]
    return max(inside[0], min(title_at, inside[-1])), inside[-1] + 1


def _value(block: Block) -> float:
    size = len(block.text)
    free = size - block.linked
    if _LEGAL.search(block.text) and size < 400:
        return -30.0
    if block.good:
        return free - block.linked
    if block.linked > 0.5 * size:
        return -(12.0 + block.linked)
    return -2.0 if block.tag in ("p", "br", "section", "pre", "span") or block.tag in _HEADINGS else -6.0
