"""Where a document is signed: organs above a date that stands alone, before the attachments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policytext.ingest import dates, issuers
from policytext.ingest.sitelines import is_furniture

Block = tuple[str, int, int]

_DIGIT = "0-9０-９〇○零ＯOoΟО一二三四五六七八九十百廿元"
_DATE_LINE = re.compile(
    rf"^[^\S\n]*(?:(?:中華民國|中华民国|民國)[^\S\n]*)?[{_DIGIT}][{_DIGIT}年月\s]{{3,28}}?[日号號][^\S\n]*"
    r"(?:[（(](?:此件|本文|星期)[^\n]{0,24}|&[^\n]{0,8}|end-->)?[^\S\n]*\r?$",
    re.MULTILINE,
)
_TIME = re.compile(r"\d{1,2}\s*[:：时時点]\s*\d{1,2}")
_PERSON_LINE = re.compile(
    r"^[\u4e00-\u9fff]{1,12}[\s　]+[\u4e00-\u9fff][\s　]*[\u4e00-\u9fff][\s　]*[\u4e00-\u9fff]?$|^(?:总理|省长|"
    r"市长|主席|部长|局长|主任|县长|区长|州长|院長|部長)[\u4e00-\u9fff]{2,4}$"
)
_ATTACHMENT = re.compile(r"^(?:附件|附表|附录|附)\s*[\d一二三四五六七八九十]{0,3}\s*[:：]?$")
_ADDRESSEES = re.compile(r"\s*([^\n。；]{2,800}[:：])[^\S\n]*\r?(?:\n|$)")
_NO_ADDRESSEES = re.compile(r"(?:一|第|（|\d|为|為|根据|按照|经|依据|现|現)|.*(?:如下|以下|下列).?$")
_ADDRESSED = re.compile(r"各|政府|委|局|部|厅|院|会|办|公司|单位|处|所|中心|同志|代表|朋友|主席|先生|居民")
_NOTE = re.compile(r"\s*([（(](?:此件|本文)[^（()）\n]*[)）])")
_INLINE = 400  # code points of the end in which a text without line ends is signed


@dataclass(frozen=True)
class Stamp:
    """A line that is nothing but a date."""

    iso: str
    of_page: bool  # it has a time, or dashes: a web page's
    bracketed: bool


@dataclass(frozen=True)
class Signature:
    """The organs that sign, the date, and where: `text[start:end]`."""

    organs: tuple[str, ...]
    iso: str | None
    start: int
    end: int


def stamp(line: str) -> Stamp | None:
    """Read a line that is nothing but a date, with or without a time.

    >>> stamp("（二〇二六年二月三日）").iso, stamp("2026-02-03 09:02:33").of_page, stamp("2025年行动计划")
    ('2026-02-03', True, None)
    """
    if len(line) > 45:
        return None
    bracketed = line[0] in "（(" and line[-1] in "）)"
    core = line[1:-1].strip() if bracketed else line
    date = next(dates.find(core, roc=core.startswith(("中華民國", "民國"))), None)
    if date is None or date.start > 0:
        return None
    rest = re.sub(r"[（(]?(?:星期|周|週|礼拜)[一二三四五六日天][)）]?", "", core[date.end :]).strip()
    time = _TIME.match(rest)
    if rest and not (time and len(rest) < 16) and not re.fullmatch(r"[（(](?:此件|本文).{0,20}[)）]", rest):
        return None
    return Stamp(
        date.iso, of_page=time is not None or "-" in core[:6] or "/" in core[:6] or "." in core[:6], bracketed=bracketed
    )


def find(text: str, start: int) -> Signature | None:
    """Find the signature of the document itself: the first below `start` that no attachment precedes."""
    fallback: Signature | None = None
    for match in _DATE_LINE.finditer(text, start):
        date = next(dates.find(match[0].strip()), None) or next(dates.find(match[0].strip(), roc=True), None)
        if date is None or not date.full:
            continue
        names, begin = _above(text, match.start())
        if names or begin < match.start():
            found = Signature(names, date.iso, begin, match.end())
            return found if names or fallback is None else fallback
        if fallback is None and _below_a_sentence(text, match.start()):
            fallback = Signature((), date.iso, match.start(), match.end())
    return fallback or _inline(text, start) or _undated(text, start)


def _above(text: str, end: int) -> tuple[tuple[str, ...], int]:
    """Organs in the lines right above `end`, and where the first of these lines begins; persons are passed over."""
    names: list[str] = []
    begin = end
    for line_start, line in _backwards(text, end):
        plain = re.sub(r"&\w*;?|(?:begin|end)-->", "", line).strip()
        if (found := issuers.organs(plain)) and not set(found) & set(names):
            names[:0] = found
        elif not (_PERSON_LINE.match(plain) and not plain.endswith(("。", "："))):
            break
        begin = line_start
        if len(names) >= 12:
            break
    return tuple(names), begin


def _backwards(text: str, end: int) -> Iterator[tuple[int, str]]:
    """Yield (start, line) of the lines before `end` that are not blank, last first, at most twenty."""
    for _ in range(60):
        if end <= 0:
            return
        start = text.rfind("\n", 0, end - 1) + 1
        line = text[start:end].strip()
        if line:
            yield start, line
        end = start


def _below_a_sentence(text: str, end: int) -> bool:
    line = next(_backwards(text, end), (0, ""))[1]
    ended = line in ("完", "（完）", "(完)")  # press releases of Hong Kong
    return ended or (line.endswith(("。", "！", "：", "行", "通知", "公告")) and len(line) > 4)


def _inline(text: str, start: int) -> Signature | None:
    """Read the end of a text poured into one line: ... 大家。 某局 某公司 2022年12月12日 分享： 关闭窗口."""
    if "年" not in text[-120:]:
        return None
    tail_start = max(start, len(text) - _INLINE)
    tail = text[tail_start:]
    last = None
    for date in dates.find(tail):
        last = date
    if last is None or not all(is_furniture(word) for word in tail[last.end :].split()):
        return None
    before = tail[: last.start]
    cut = max(before.rfind(mark) for mark in "。！？；\n") + 1
    names = [name for word in before[cut:].split() for name in issuers.organs(word)]
    if not names or len("".join(names)) < 0.8 * len("".join(before[cut:].split())):
        return None
    return Signature(tuple(names), last.iso, tail_start + cut, tail_start + last.end)


def _undated(text: str, start: int) -> Signature | None:
    """Organs at the very end, or before the list of attachments, without a date."""
    lines: list[tuple[int, str]] = []
    for line_start, line in _backwards(text, len(text)):
        if line_start < start or len(lines) > 14:
            break
        lines.append((line_start, line))
    while lines and (
        is_furniture(lines[0][1]) or re.match(r"(?:附件|附：|（此件|（联系人|联系|\d[.．、])", lines[0][1])
    ):
        lines.pop(0)
    names: list[str] = []
    begin = end = lines[0][0] + len(lines[0][1]) if lines else len(text)
    for line_start, line in lines:
        found = issuers.organs(line)
        if not found:
            break
        names[:0] = found
        begin = line_start
    return Signature(tuple(names), None, begin, end) if names else None


def printed(text: str) -> str | None:
    """Return the date of printing 印发日期 that ends a document: 国务院办公厅秘书局 2016年9月29日印发."""
    tail = text[-1500:]
    if "印发" not in tail and "印發" not in tail:
        return None
    for date in dates.find(tail):
        if date.full and re.match(r"\s*(?:印发|印發)\s*(?:$|[\n（(])", tail[date.end : date.end + 12]):
            return date.iso
    return None


def blocks(text: str, start: int, signature: Signature | None) -> list[Block]:
    """Mark addressees 主送, the list of attachments 附件, the signature 落款, copies 抄送 and the site's last lines."""
    found: list[Block] = []
    end = signature.start if signature else len(text)
    match = _ADDRESSEES.match(text, start)
    if match and not _NO_ADDRESSEES.match(match[1]) and _ADDRESSED.search(match[1]):
        found.append(("addressee", match.start(1), match.end(1)))
    if signature:
        found.append(("signature", signature.start, signature.end))
        if note := _NOTE.match(text, signature.end):
            found.append(("note", note.start(1), note.end(1)))
    found += _attachment_lists(text, start, end)
    for copies in re.finditer(
        r"^[^\S\n]*(?:抄送|抄報|抄报|副本|分送|主题词|主題詞)\s*[:：][^\n]*", text[-3000:], re.MULTILINE
    ):
        offset = max(0, len(text) - 3000)
        found.append(("copies", offset + copies.start(), offset + copies.end()))
    return found + _closing(text, start)


def _attachment_lists(text: str, start: int, end: int) -> list[Block]:
    """附件：1.... and the numbered lines below it, next to the signature or at the end."""
    found: list[Block] = []
    pattern = re.compile(
        r"^[^\S\n]*附(?:件|表|录|錄)?\s*[\d一二三四五六七八九十]{0,3}\s*[:：][^\n]*(?:\n[^\S\n]*\d{1,2}\s*[.．、][^\n。]{2,80}$)*",
        re.MULTILINE,
    )
    for area_start, area_end in ((max(start, end - 3000), end), (max(end, len(text) - 3000), len(text))):
        found += [("attachments", m.start(), m.end()) for m in pattern.finditer(text, area_start, area_end)]
    return found


def _closing(text: str, start: int) -> list[Block]:
    """Lines of the site at the very end, and the note that a document is public."""
    found: list[Block] = []
    for line_start, line in _backwards(text, len(text)):
        if line_start < start or not (is_furniture(line) or re.fullmatch(r"[（(](?:此件|本文)[^（()）]*[)）]", line)):
            break
        found.append(
            (
                "site" if is_furniture(line) else "note",
                line_start,
                line_start + len(text[line_start:].split("\n", 1)[0].rstrip()),
            )
        )
    return found
