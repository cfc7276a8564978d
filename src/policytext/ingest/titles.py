"""Titles of official documents: wrapped lines joined, the right one chosen, what it forwards."""

from __future__ import annotations

import re

from policytext.ingest import dates, issuers
from policytext.ingest.sitelines import is_outlet

_TYPES = (
    "通知|通告|公告|公报|公報|通报|意见|意見|决定|決定|决议|決議|批复|批復|复函|函|请示|报告|報告|议案|纪要|紀要|答复|答覆|命令|令|条例|條例|办法|辦法|规定|規定|"
    "规则|規則|细则|細則|准则|章程|规程|标准|標準|规范|方案|规划|計畫|計劃|计划|纲要|綱要|要点|指南|指引|指导意见|措施|预案|目录|清单|名单|法|解释|解釋|"
    "倡议书|公约|讲话|講話|致辞|演讲|演講|说明|說明|声明|聲明|宣言|白皮书|白皮書|基准|政策|制度|协议|合同|汇编|总结|案|要點|須知|须知|原則|原则|啟事|启事|基準|守則|守则|组织法|暂行办法|试行办法"
)
_COMPLETE = re.compile(
    rf"(?:{_TYPES})[》〉”」』]*(?:的(?:通知|决定|意见|函|公告|批复|报告|通告|说明))?\s*(?:[（(〔\[][^（()）]{{1,40}}(?:[（(][^（()）]*[)）][^（()）]*)?[)）〕\]])*$"
)
_CONNECTS = re.compile(r"^(?:的|和|及|与|與|以及|等|暨|、|关于|關於|》|〉|”)")
_OPENERS = {"《": "》", "〈": "〉", "“": "”", "（": "）", "「": "」"}


def is_complete(title: str) -> bool:
    """Say whether a line could end a title: it ends with a kind of document and its brackets are closed.

    >>> is_complete("国务院关于印发办法的通知"), is_complete("国务院关于印发《")
    (True, False)
    """
    plain = join([title])
    return _COMPLETE.search(plain) is not None and _balanced(plain)


def continues(lines: list[str], following: str, ahead: list[str]) -> bool:
    """Say whether `following` goes on with the title that `lines` began; `ahead` are the lines after it."""
    title = join(lines)
    if len(lines) >= 8 or len(title) + len(following) > 200:
        return False
    if not _balanced(title):
        return True
    if is_complete(title):
        return _CONNECTS.match(following) is not None and is_complete(title + join([following]))
    if is_outlet(title):
        return False
    tail = join([following])
    return any(_ends_soon(title, [tail, *ahead[:n]]) for n in range(len(ahead) + 1))


def _ends_soon(title: str, rest: list[str]) -> bool:
    joined = title + "".join(join([part]) for part in rest)
    short = all(len(part) < 60 and not re.search(r"[。；：]", part) for part in rest)
    return short and is_complete(joined) and ("关于" in joined or "關於" in joined or len(joined) < 60)


def join(lines: list[str]) -> str:
    """Join wrapped lines of a title; letters that are spaced out come together: 国 家 预 案 is 国家预案."""
    return "".join(_unspaced(re.sub(r"(?:begin|end)-->", "", line).strip()) for line in lines)


def _unspaced(line: str) -> str:
    if (
        len(re.findall(r"[\u4e00-\u9fff]\s+(?=[\u4e00-\u9fff])", line)) * 2
        >= len(re.findall(r"[\u4e00-\u9fff]", line))
        > 2
    ):
        return re.sub(r"(?<=[\u4e00-\u9fff])\s+(?=[\u4e00-\u9fff])", "", line)
    return line


def _balanced(text: str) -> bool:
    return all(text.count(a) <= text.count(b) for a, b in _OPENERS.items())


def choose(groups: list[str], labelled: str | None, *, furnished: bool) -> str | None:
    """Choose the title among the groups of lines before the body; parts of a web page make the first line doubtful."""
    if labelled and len(labelled) >= 4:
        same = next(
            (g for g in groups if _bare(g) and (_bare(g) in _bare(labelled) or _bare(labelled) in _bare(g))), None
        )
        return same or labelled
    if not groups:
        return None
    named = [group for group in groups if not _is_letterhead(group)]
    groups = named or groups
    if not furnished:
        return groups[1] if len(groups) > 1 and is_outlet(groups[0]) else groups[0]
    complete = [group for group in groups if is_complete(group)]
    return max(complete, key=lambda g: (_worth(g), -groups.index(g))) if complete else groups[0]


def _is_letterhead(group: str) -> bool:
    """Say whether a line names the organ that writes, as the red head of a document does, not what it writes."""
    return re.search(r"(?:政府|厅|局|委|会|部|室|院)\s*文件$", group) is not None or bool(issuers.organs(group))


def _worth(group: str) -> float:
    return 2 * is_complete(group) + ("关于" in group) + min(len(group), 30) / 30 - 3 * is_outlet(group)


def _bare(text: str) -> str:
    return re.sub(r"\W", "", text)


def tidy(title: str) -> str:
    """Return a title without leading labels and the date in brackets that ends it."""
    title = re.sub(r"^[【\[]?(?:标题|標題|原标题|原標題)[】\]]?\s*[:：]\s*", "", title)
    match = re.search(r"\s*[（(][^（()）]*[)）]\s*$", title)
    if (
        match
        and (date := next(dates.find(match[0]), None))
        and date.full
        and re.search(r"宣|通过|通過|发布|讲|講|在", match[0])
    ):
        title = title[: match.start()]
    return " ".join(title.split())


def date_in(title: str | None) -> str | None:
    """Return the full date in brackets that ends a title: of delivery or adoption, never a plan's year."""
    match = re.search(r"[（(]([^（()）]*)[)）]\s*$", title or "")
    if match is None or not re.search(r"宣|通过|通過|发布|发表|發表|讲|講|在", match[1]):
        return None
    date = next(dates.find(match[1]), None)
    return date.iso if date and date.full else None


def of_decree(text: str, start: int) -> str | None:
    """Return the title of what a decree promulgates: 现公布《...》."""
    match = re.search(r"《([^《》]*(?:〈[^〉]*〉[^《》]*)?)》", text[start : start + 600])
    return match[1] if match else None


def of_attachment(text: str, number: str | None) -> str | None:
    """Return the title that an attachment line repeats together with the document's own number."""
    if number is None:
        return None
    digits = re.findall(r"\d+", number)
    for match in re.finditer(
        r"^附件\d*\s*[:：]\s*(.{6,150}?(?:通知|意见|决定|公告|通告|函|批复))\s*[（(]([^（()）\n]*号)[)）]",
        text,
        re.MULTILINE,
    ):
        if re.findall(r"\d+", match[2]) == digits:
            return match[1]
    return None


def forwarded(title: str | None, head: str) -> str | None:
    """Return what a document forwards (转发, 批转), by its title or by its first paragraph.

    >>> forwarded("国务院办公厅转发教育部关于学校工作意见的通知", "")
    '教育部关于学校工作意见'
    """
    if title is None or not re.search(r"(?:转发|轉發|批转|批轉)", title + head[:400]):
        return None
    if match := re.search(
        r"《([^《》]+)》\s*(?:[（(]([^（()）]*?号)[^（()）]*[)）])?[^。]{0,30}?(?:转发|轉發|批转)给", head
    ):
        return match[1] + (f"（{match[2]}）" if match[2] else "")
    if match := re.search(r"(?:转发|轉發|批转|批轉)(.{4,120}?)(?:的通知|的函)?$", title):
        return match[1].strip("《》") or None
    return None
