"""What a line of a document is: heading, list item, turn of talk, table row, or what carries no content.

Its own form decides first, its neighbours second.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBER = "[一二三四五六七八九十百零〇○两0-9]+"
_CN = "[一二三四五六七八九十]{1,4}"
# Marks that open a numbered line, and the level of the headings that they make.
LEVELS = {"title": 0.0, "part": 1.0, "chapter": 2.0, "section": 3.0, "article": 4.0, "plain": 5.0, "cn": 6.0}
LEVELS |= {"cn_paren": 7.0, "arabic": 8.0, "arabic_paren": 9.0, "circled": 10.0}
_MARK = re.compile(
    rf"(?P<part>第\s?{_NUMBER}\s?[编篇部](?!分))"
    rf"|(?P<chapter>第\s?{_NUMBER}\s?章)"
    rf"|(?P<section>第\s?{_NUMBER}\s?[节款])"
    rf"|(?P<article>第\s?{_NUMBER}\s?条(?:\s?之{_NUMBER})?(?:-[0-9]+)?)"
    rf"|(?P<cn>{_CN}[、．.])"
    rf"|(?P<cn_paren>[（(]\s?{_CN}\s?[)）])"
    r"|(?P<arabic>[0-9]{1,3}(?:[.．、](?![0-9])|(?:[.-][0-9]{1,2}){1,3}[.、 ]))"
    r"|(?P<arabic_paren>[（(][0-9]{1,3}[)）]|[0-9]{1,3}[)）])"
    r"|(?P<circled>[①-⑳])"
    r"|(?P<bullet>[•·●■◆○▪◇□★☆※►➢✓*+–-](?=[\s\w（(《“「])|—+(?=\w))"
)
_MAY_OPEN = frozenset("第一二三四五六七八九十（(①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳•·●■◆○▪◇□★☆※►➢✓*+–—-0123456789")
_NUMBERED = frozenset(("article", "cn", "cn_paren", "arabic"))  # marks of headings that look like list items
_ITEMS = frozenset(("arabic", "arabic_paren", "circled", "bullet"))
_NO_TITLE_END = frozenset("。！？；，、：….!?;,:—-")
_TITLE_LENGTH = 45  # characters after the mark; longer headings are rare, and shorter clauses end with a mark
_PLAIN_LENGTH = 40
_RUN_IN_LENGTH = 16
_CLAUSE_LENGTH = 150  # a longer numbered line is a paragraph with a run-in heading, not a clause
_HAN = re.compile("[\u3400-\u9fff]")
_PROSE = re.compile("[。！？；：]")
_SPEAKER = re.compile(
    r"([^：:，。！？；、\s（）()《》“”「」0-9][^：:，。！？；、（）()《》“”「」]{0,15})(?:（[^）]{1,20}）)?[：:](?!//)"
)
_DAY = (
    r"(?:中华民国\s?|公元\s?|民国\s?)?(?:[0-9]{2,4}|[〇○零一二三四五六七八九十]{1,5})\s?年\s?"
    r"(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})\s?月\s?(?:(?:[0-9]{1,2}|[一二三四五六七八九十]{1,3})\s?日)?"
)
_DATE = re.compile(
    rf"[（(]?\s?(?:{_DAY}|[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}})\s?(?:印发|发布|公布|施行)?[)）]?"
)
_ENACTED = re.compile(rf"[（(]?{_DAY}\s?[^。！？]{{0,100}}(?:通过|公布|发布|修正|修订|批准|施行|废止)[)）]?")
_FILE_NUMBER = re.compile(
    r"[（(]?[\u4e00-\u9fff]{1,16}[〔\[（(【]\s?[0-9]{4}\s?[〕\])）】]\s?第?\s?[0-9]{1,5}\s?号[)）]?"
)
_FIELDS = (
    "联系人|联络人|联系电话|咨询电话|电话|传真|邮箱|电子邮[箱件]|邮编|邮政编码|地址|网址|责任编辑|责编|编辑|校对|审核|来源"
    "|时间|日期|发布时间|编按|编者按|相关报道|相关阅读|相关新闻|延伸阅读|原标题|撰文|作者|记者|抄送|抄报|主送|发文机关|成文日期|发布日期|公开方式|索引号|主题词|打印|分享"
)
_FIELD = re.compile(_FIELDS)
_OFFICES = "主席|省长|市长|总理|州长|区长|县长|盟长|主任|行政长官|书记|部长|委员长|院长|检察长"
_BOILERPLATE = re.compile(
    rf"[（(]?(?:此件|本件)[^。]{{0,8}}公开[^。]{{0,6}}[)）]?$|[（(]?完[)）]?$|[（(【*]?(?:{_FIELDS})\s?[：:]|文\s?[/／]"
    rf"|(?:附件|附表|附录|附)\s?[0-9一二三四五六七八九十]{{0,3}}\s?(?:[：:]|$)|.{{2,30}}[厅室处]\s+{_DAY}\s?印发$"
    r"|[-—–\s]*[0-9]{1,4}[-—–\s]*$|第\s?[0-9]+\s?页|.{2,60}[.…·]{3,}\s?[0-9]{1,4}$"
)
_ADDRESSEE = re.compile(r"(?:各|本|省|市|县|区|国务院|全国|有关|相关|尊敬的|.{0,20}各位)[^。！？；]{0,200}[：:]$")
# Who speaks, when and where, above the salutation of a report: ——2025年1月19日在…会议上, 省长 某某.
_DELIVERY = re.compile(
    rf"[—-]{{0,3}}\s?[（(]?{_DAY}在.{{4,60}}[上会](?:.{{0,40}}报告。?)?[)）]?$|.{{0,30}}(?:{_OFFICES})\s*[\u4e00-\u9fff·\s]{{2,8}}$"
)
_ORGAN = re.compile(
    r"[^。，；：！？]{0,40}(?:政府|[厅局委院部署处会办行司校]|办公[厅室]|中心|公司|大学|集团|总队|法院|检察院|小组)$"
)


_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(slots=True)
class Line:
    """One line of the text without the white space around it, and what is known of it."""

    start: int
    end: int
    text: str
    mark: str = ""  # name of the mark that opens it
    rest: int = 0  # where the text after the mark or the speaker's name starts
    titled: bool = False  # could be a title: short, and does not end like a sentence
    kind: str = ""

    @property
    def content(self) -> int:
        """Length without the mark or the speaker's name."""
        return len(self.text) - self.rest


def read(text: str) -> list[Line]:
    """Return the lines of a text that are not blank, described but without a kind."""
    lines, start = [], 0
    for raw in text.split("\n"):
        stripped = raw.strip()
        if stripped:
            lines.append(_describe(start + raw.index(stripped[0]), stripped))
        start += len(raw) + 1
    return lines


def _describe(start: int, text: str) -> Line:
    line = Line(start, start + len(text), text)
    if text[0] in _MAY_OPEN and (found := _MARK.match(text)):
        line.mark, line.rest = found.lastgroup or "", found.end()
    line.titled = line.content <= _TITLE_LENGTH and text[-1] not in _NO_TITLE_END and "。" not in text
    return line


def classify(lines: list[Line], title: str, blocks: Sequence[tuple[int, int]], shortest: int) -> None:
    """Give every line its kind: body, list, speech, heading, table, short or boilerplate.

    `title` is the document's title in simplified characters. `blocks` are spans of the text that hold no body.
    `shortest` is the length below which a line of body, list or speech is short.
    """
    speakers = _speakers(lines)
    for i in range(len(lines) - 1, -1, -1):  # from the end: what follows says what a heading is
        lines[i].kind = _own_kind(lines, i, speakers)
    for start, end in blocks:
        for line in lines:
            if start < line.end and line.start < end:
                line.kind = "boilerplate"
    _mark_signatures(lines)
    _mark_title(lines, title)
    _mark_attachments(lines)
    _mark_items(lines)
    if speakers:
        _mark_turns(lines)
    for line in lines:
        if line.kind in ("body", "list", "speech") and line.content < shortest:
            line.kind = "short"


def _own_kind(lines: Sequence[Line], i: int, speakers: frozenset[str]) -> str:
    line = lines[i]
    if "\t" in line.text or line.text.count("|") > 1 or line.text.count("│") > 1:
        return "table"
    if speakers and (found := _SPEAKER.match(line.text)) and found[1] in speakers:
        line.rest = found.end()
        return "speech"
    if _is_boilerplate(line, i):
        return "boilerplate"
    return "heading" if _is_heading(lines, i) else "body"


def _is_boilerplate(line: Line, i: int) -> bool:
    text = line.text
    if len(text) > 200:
        return False
    if text[-1] in "：:" and i < 8 and _ADDRESSEE.match(text):
        return True
    if i < 8 and len(text) <= 80 and _DELIVERY.match(text):
        return True
    if len(text) <= 120 and text[-1] not in "。；" and (_DATE.fullmatch(text) or _ENACTED.fullmatch(text)):
        return True
    return len(text) <= 80 and (_FILE_NUMBER.fullmatch(text) or _BOILERPLATE.match(text)) is not None


def _is_heading(lines: Sequence[Line], i: int) -> bool:
    line = lines[i]
    if i + 1 == len(lines):
        return False
    if line.titled:
        return _heads(line, lines[i + 1])
    # （二）基本原则。 alone on its line, above paragraphs without a number, and no item of a list of such lines
    alone = (
        line.mark in ("cn", "cn_paren")
        and line.content <= _RUN_IN_LENGTH
        and line.text.find("。") == len(line.text) - 1
    )
    listed = i > 0 and lines[i - 1].mark == line.mark and lines[i - 1].content <= _PLAIN_LENGTH
    return alone and not listed and not lines[i + 1].mark and len(lines[i + 1].text) > len(line.text)


def _heads(line: Line, following: Line) -> bool:
    """Say whether a line that could be a title heads the one that follows."""
    if line.mark in ("part", "chapter", "section"):
        return True
    if line.mark in _NUMBERED:  # titles of one mark in a row are a list
        return (
            following.mark != line.mark or not following.titled or (following.kind == "heading" and line.mark == "cn")
        )
    if line.mark or len(line.text) > _PLAIN_LENGTH or not _HAN.search(line.text) or line.text[0] in "（(【":
        return False
    if following.text[-1] in "：:" and len(following.text) <= 60 and _ADDRESSEE.match(following.text):
        return True  # the title of a letter within the document
    if following.kind == "heading":  # a heading may head a heading, but not a third one without a mark
        return bool(following.mark) or len(line.text) <= len(following.text) + 10
    return len(following.text) > len(line.text) and not following.titled and _PROSE.search(following.text) is not None


def _speakers(lines: Sequence[Line]) -> frozenset[str]:
    """Return the names that open turns of talk: in a transcript, at least a third of the lines start with `name：`."""
    names = Counter(found[1] for line in lines if not line.mark and (found := _SPEAKER.match(line.text)))
    turns = sum(count for count in names.values() if count > 1)
    if turns < 3 or turns * 3 < len(lines):
        return frozenset()
    return frozenset(name for name, count in names.items() if count > 1 or not _FIELD.fullmatch(name))


def _mark_signatures(lines: Sequence[Line]) -> None:
    """Mark the issuer's lines above a date line as boilerplate."""
    for i, line in enumerate(lines):
        if line.kind == "boilerplate" and _DATE.fullmatch(line.text):
            for above in reversed(lines[max(0, i - 5) : i]):
                if above.kind not in ("body", "heading") or above.mark or not _ORGAN.fullmatch(above.text):
                    break
                above.kind = "boilerplate"


def _mark_title(lines: Sequence[Line], title: str) -> None:
    """Mark the lines before the body that repeat the document's title, or a part of it, as headings."""
    title = _letters(title)
    for line in lines[:12]:
        written = _letters(line.text)
        known = written in title and (len(written) >= 8 or written == title) if written else False
        if known and line.kind in ("body", "heading"):
            line.kind, line.mark = "heading", "title"
        elif line.kind != "boilerplate" and not line.titled:
            break


def _letters(text: str) -> str:
    return _NO_LETTER.sub("", text)


def _mark_attachments(lines: Sequence[Line]) -> None:
    """Mark the numbered titles that follow `附件：` as boilerplate too."""
    inside = False
    for line in lines:
        if line.kind == "boilerplate" and line.text.startswith(("附件", "附：")):
            inside = "1" in line.text[:8]
        elif inside and line.mark == "arabic" and line.titled:
            line.kind = "boilerplate"
        else:
            inside = False


def _mark_turns(lines: Sequence[Line]) -> None:
    """Mark the paragraphs that go on with a turn of talk, until a heading or a stage direction ends it."""
    talking = False
    for line in lines:
        if line.kind == "speech":
            talking = True
        elif line.kind == "body" and line.text[0] in "（(" and line.text[-1] in "）)":
            line.kind, talking = "boilerplate", False  # a stage direction
        elif line.kind == "body":
            line.kind = "speech" if talking else "body"
        elif line.kind != "list":
            talking = False


def _mark_items(lines: Sequence[Line]) -> None:
    """Mark list items: lines with an item's mark, and clauses after a colon or between semicolons."""
    before: Line | None = None
    for line in lines:
        if line.kind == "body" and line.text[-1] in "；;":
            line.kind = "list"
        elif line.kind == "body" and line.mark:
            opened = before is not None and before.text[-1] in "：:"
            goes_on = before is not None and before.kind == "list" and before.mark == line.mark
            short = len(line.text) <= _CLAUSE_LENGTH and (opened or goes_on)
            if line.mark in _ITEMS or (short and line.mark in ("cn", "cn_paren")):
                line.kind = "list"
        before = line
