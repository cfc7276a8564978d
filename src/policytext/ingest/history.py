"""How a law came about: promulgations, amendments, adoptions and deliveries stated under the title.

The version that the text shows is the latest one; a date of entry into force is never the date of a document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from policytext.ingest import dates, issuers, numbers
from policytext.ingest.sitelines import Line

_VERB = re.compile(r"通过|通過|公布|发布|發布|颁布|修订|修訂|修正|批准|施行|核准|订立|订定|訂定|制定|審議|审议|备案")
_DATED = re.compile(
    r"^[（(]?\s*(?:根据)?\s*(?:中華民國|中华民国|民國)?[\d０-９〇○一二三四五六七八九十百 ]{1,10}\s*年[^。；]{3,2500}$"
)
_DELIVERED = re.compile(
    r"^[（(]?[—\-－–─]{0,6}\s*(?=[\d０-９〇○一二三四五六七八九])(?P<what>.{6,80}?(?:在|于|於).{4,80}(?:会议|會議|大会|大會|全会|论坛|立法會|宣讀|宣读|讲话|开幕式)?.{0,30})$"
)
_ROC_ENTRY = re.compile(r"^(?:\d{1,3}\s*[.．、]\s*)?(?:中華民國|民國).{1,16}年.{1,8}月.{1,8}日")


@dataclass(frozen=True)
class Events:
    """The event that made the text what it is."""

    date: str | None = None
    issuer: str | None = None
    number: str | None = None
    source: str = "promulgation"


def is_event(line: str, before: str) -> bool:
    """Say whether a line below a title tells of a promulgation, an adoption or a delivery, or goes on with one.

    >>> is_event("2018年12月5日 国务院第33次常务会议通过", ""), is_event("2019年以来，首都工作取得成效。", "")
    (True, False)
    """
    if _ROC_ENTRY.match(line):
        return True
    if _delivered(line) and len(line) < 120:
        return True
    if line.endswith(("。", "；")) or len(line) > 2500:
        return False
    if _DATED.match(line):
        first = next(dates.find(line), None)
        return first is not None and first.full and first.start <= 8 and _VERB.search(line) is not None
    return _goes_on(line, before)


def _goes_on(line: str, before: str) -> bool:
    """Say whether a line goes on with a wrapped entry: the one before has not closed its bracket or its sentence."""
    if not before or len(line) > 80 or re.match(r"第\s*[一二三四五六七八九十\d]+\s*[条條章]", line):
        return False
    open_bracket = before[:1] in "（(" and before.count("（") + before.count("(") > before.count("）") + before.count(
        ")"
    )
    wrapped = (
        re.search(
            r"(?:修|修正|訂定|訂定發|号|號|號令|根据|次|人民|令|令第|決定|决定|等|权|政府|公布|届|屆)$",
            before,
        )
        is not None
    )
    dated = _DATED.match(before) is not None or _ROC_ENTRY.match(before) is not None
    return open_bracket or (
        (dated or wrapped)
        and re.search(r"(?:令|號|号|发|發|布|條|条|修|正|行|管|批准|通过|目\s*录)", line) is not None
        and not re.search(r"[。：]$", line)
    )


def _delivered(line: str) -> str | None:
    if opened := re.match(r"[（(]([^（()）]{10,90})[)）]$", line):
        date = next(dates.find(opened[1]), None)
        if date and date.full and date.start == 0 and re.search(r"会议|大会|會議|大會", opened[1]):
            return None if _VERB.search(opened[1]) else date.iso
    match = _DELIVERED.match(line)
    if match is None or not re.search(r"会议|會議|大会|大會|全会|论坛|立法會|开幕|会上|典礼|峰会", line):
        return None
    date = next(dates.find(match["what"]), None)
    return date.iso if date and date.full and date.start <= 1 else None


def read(lines: list[Line]) -> Events:
    """Read the lines of a history; the latest promulgation, amendment or adoption counts."""
    if not lines:
        return Events()
    texts = [line.text for line in lines]
    if any(_ROC_ENTRY.match(text) for text in texts):
        return _republic(texts)
    delivered = next((iso for iso in map(_delivered, texts) if iso and not _is_law(texts)), None)
    if delivered:
        return Events(delivered, issuers.of_report("\n".join(texts), ""), None, "delivery")
    return _mainland("".join(re.sub(r"\s+", "", text) for text in texts))


def _is_law(texts: list[str]) -> bool:
    return any(re.search(r"公布|发布|修订|修正|通过|批准", text) for text in texts)


def _mainland(text: str) -> Events:
    """Clauses between dates; each says what happened on its date."""
    found = [date for date in dates.find(text) if date.full]
    best: Events = Events()
    rank = ("", 0)
    for i, date in enumerate(found):
        clause = text[date.end : found[i + 1].start if i + 1 < len(found) else len(text)]
        weight = _weight(clause)
        if weight and (date.iso, weight) >= rank:
            who = numbers.in_promulgation(clause)
            best = Events(
                date.iso,
                who[0] if who else _organ_of(clause) or best.issuer,
                who[1] if who else best.number,
                _source(clause),
            )
            rank = (date.iso, weight)
    return best


def _weight(clause: str) -> int:
    """2: it made the text; 1: it was approved; 0: it only came into force."""
    plain = re.sub(r"《[^》]*》", "", clause)
    if re.search(r"公布|发布|颁布|修订|修正|通过|通過|發布", plain):
        return 2
    return 1 if re.search(r"批准|核准", plain) else 0


def _source(clause: str) -> str:
    return (
        "adoption"
        if re.search(r"通过|通過|批准", clause) and not re.search(r"公布|发布|修订|修正", clause)
        else "promulgation"
    )


def _organ_of(clause: str) -> str | None:
    match = re.match(
        r"[,，]?([\u4e00-\u9fff、]{2,60}?)(?:通过|批准|公布|发布|颁布|修订|修正|令|第[\d一二三四五六七八九十]+次(?:常务|全体|部务|主席团|委务)?会议)",
        clause,
    )
    if match is None:
        return None
    name = numbers.short(match[1])
    session = re.match(r"[\u4e00-\u9fff]{0,12}第.{1,5}届.{2,20}?(?:委员会|大会)第.{1,6}次会议", clause)
    return session[0] if session else "、".join(issuers.organs(name)) or None


def _republic(texts: list[str]) -> Events:
    """Entries of the law database of Taiwan: 1.中華民國...日數位發展部數位策略字第...號令訂定發布."""
    entries: list[str] = []
    for text in texts:
        if _ROC_ENTRY.match(text):
            entries.append(text)
        elif entries:
            entries[-1] += text
    numbered = [entry for entry in entries if entry[0].isdigit()]  # the others move duties to another organ
    events = [event for event in map(_republic_entry, numbered or entries) if event]
    return events[-1] if events else Events()


def _republic_entry(entry: str) -> Events | None:
    plain = re.sub(r"\s+", "", entry)
    date = next(dates.find(plain, roc=True), None)
    if (
        date is None
        or not date.full
        or re.search(r"管轄|廢止$|發布定自", plain)
        or not re.search(r"訂定|制定|修正|公布|發布|增訂|公告", plain)
    ):
        return None
    rest = plain[date.end :]
    match = numbers.registered(rest)
    if match is None:
        who = re.match(r"([\u4e00-\u9fff、]{2,20}?)(?:令|制定|公布|修正|訂定)", rest)
        return Events(date.iso, who[1] if who else None, None)
    issuer, code = split_code(rest[: match.end("code")])
    return Events(date.iso, issuer, f"{code}字第{match['n']}號")


def split_code(text: str) -> tuple[str | None, str]:
    """Split 行政院環境保護署環署空 into the organ and its code: the code takes up a character of the organ's name.

    >>> split_code("行政院環境保護署環署空"), split_code("衛生福利部衛部醫"), split_code("總統華總一義")
    (('行政院環境保護署', '環署空'), ('衛生福利部', '衛部醫'), ('總統', '華總一義'))
    """
    year = re.search(r"[（(][\d〇一二三四五六七八九十]+[)）]", text)
    if year and year.start() >= 2 and re.search(r"[會部院署局處府統館]$", text[: year.start()]):
        return text[: year.start()], text[year.start() :]
    ends = [
        m.end()
        for m in re.finditer(r"(?:[會部院署局處府館所廳司校團]|中心|總統|總隊)", text)
        if 2 <= m.end() < len(text) and len(text) - m.end() <= 9
    ]
    known = [end for end in ends if text[end] in text[:end]]
    end = known[-1] if known else ends[0] if ends else 0
    if known:
        end = next((e for e in known if text[e] not in "院部會署局處府"), known[0])
    return (text[:end] or None), text[end:]
