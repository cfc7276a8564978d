"""Numbers of official documents (发文字号): recognised where a document states its own, normalised to 国发〔2016〕55号.

A number counts only where it stands alone, ends the title, follows a label or belongs to a decree or promulgation;
a number cited in a sentence (按照财库〔2022〕3号) never does.
"""

from __future__ import annotations

import re

from policytext.ingest import dates

_OPEN, _CLOSE = r"[〔\[［（(【﹝〈<{]", r"[〕\]］）)】﹞〉>}]"
_YEAR = r"(?:(?:19|20)\d{2}|[一二][〇一二三四五六七八九]{3}|\d{2})"
_HAN = r"[\u4e00-\u9fff]"
# 国发〔2016〕55号, 皖政办秘(2021)82号, 公告〔2025〕11号, 沪府规〔2022〕第5号
_BRACKETED = re.compile(
    rf"(?P<agency>{_HAN}(?:\s?[\u4e00-\u9fffA-Z（）()]){{0,19}}?)\s*{_OPEN}\s*(?P<year>{_YEAR})\s*年?\s*{_CLOSE}\s*"
    rf"(?P<ordinal>第?)\s*(?P<n>\d{{1,7}}(?:-\d+)?)\s*(?P<mark>[号號])"
)
# 2025年第3号, 公告2026年第15号, 2025年标字第3号（总第361号）
_YEARLY = re.compile(
    rf"(?P<agency>{_HAN}{{0,30}}?)(?P<year>(?:19|20)\d{{2}})\s*年\s*(?P<series>{_HAN}{{0,4}})第\s*(?P<n>\d{{1,5}})\s*[号號期]"
    r"(?P<total>\s*[（(]总第?\s*\d+\s*[号期][）)])?"
)
# 第707号, （第19号）, 第四十六号
_ORDINAL = re.compile(r"[（(]?\s*(?P<n>第\s*[\d〇零一二三四五六七八九十百]+\s*[号號])\s*[）)]?")
# 北京市人民政府令第315号
_DECREE = re.compile(
    rf"(?P<agency>(?:{_HAN}|[、\s]){{2,60}}?)(?P<kind>令|公告|通告)\s*[（(]?\s*(?P<n>第\s*[\d〇零一二三四五六七八九十百]+\s*[号號])\s*[）)]?"
)
# 府教資字第1120001234A號, （90）檔秘字第0002054-3號
_REGISTERED = re.compile(
    rf"(?P<year>[（(]\s*[\d〇一二三四五六七八九十]{{1,4}}\s*[）)])?\s*(?P<code>(?:{_HAN}|[（）()\d]){{1,12}}?)字第\s*(?P<n>[0-9][0-9A-Z\s-]{{2,24}}?)\s*[號号]"
)
_LABELLED = re.compile(r"(?:发\s*文\s*字\s*号|發\s*文\s*字\s*號|文\s*号|文\s*號)\s*[:：]\s*(?P<value>.{0,60})")


def own(line: str) -> str | None:
    """Return the number that a line consists of, in brackets or not, normalised; None if it is anything else.

    >>> own("（皖政办秘[２０２１] 82 号）"), own("按照财库〔2022〕3号"), own("2025年第3号")
    ('皖政办秘〔2021〕82号', None, '2025年第3号')
    """
    plain = dates.fold(line).strip().strip("*")
    plain = _unwrapped(plain)
    if match := _LABELLED.fullmatch(plain):
        return own(match["value"]) if match["value"].strip() else None
    if match := _BRACKETED.fullmatch(plain):
        return None if _cites(match["agency"]) else normal(match)
    if match := _YEARLY.fullmatch(plain):
        return "".join(match[0].split())
    if (match := _REGISTERED.fullmatch(plain)) or (match := _DECREE.fullmatch(plain)):
        return _decree_of(match) if "kind" in match.re.groupindex else "".join(match[0].split())
    return None


def at_end(title: str) -> tuple[str | None, str]:
    """Return the number that ends a title, and the title without it where brackets set it off.

    >>> at_end("关于印发办法的通知（国发〔2016〕55号）")
    ('国发〔2016〕55号', '关于印发办法的通知')
    >>> at_end("北京市地方标准公告2025年标字第3号（总第361号）")
    ('2025年标字第3号（总第361号）', '北京市地方标准公告2025年标字第3号（总第361号）')
    """
    folded = dates.fold(title)
    bracketed = re.search(
        r"[（(](?P<inner>[^（()）]*[〔\[［(（][^（()）]*[〕\]］)）][^（()）]*[号號])\s*[）)]\s*$", folded
    )
    if bracketed and (number := own(bracketed["inner"])):
        return number, title[: bracketed.start()].rstrip()
    yearly = re.search(
        r"(?:19|20)\d{2}\s*年\s*[\u4e00-\u9fff]{0,4}第\s*\d{1,5}\s*号(?:\s*[（(]总第?\s*\d+\s*[号期][）)])?\s*$", folded
    )
    if yearly:
        return "".join(yearly[0].split()), title
    return None, title


def decree(issuer_line: str, ordinal_line: str) -> str | None:
    """Return the number of a decree whose head takes two lines: 北京市人民政府令 / 第315号."""
    match = _ORDINAL.fullmatch(dates.fold(ordinal_line).strip())
    agency = "".join(issuer_line.split())
    if match is None or not re.search(r"(?:令|公告|通告)$", agency):
        return None
    return short(agency) + "".join(match["n"].split())


def in_promulgation(clause: str) -> tuple[str, str] | None:
    """Return (issuer, number) of a clause such as 国务院令第708号公布; None if it names no decree."""
    match = _DECREE.search(dates.fold(clause))
    if match is None or match["kind"] != "令":
        return None
    agency = short("".join(match["agency"].split())).lstrip("经由据，,、")
    return agency, agency + "令" + "".join(match["n"].split())


def registered(text: str) -> re.Match[str] | None:
    """Find a number of the form used in Taiwan (機關代字 + 字第 ... 號) in text without white space."""
    return _REGISTERED.search(text)


def normal(match: re.Match[str]) -> str:
    """Write a bracketed number in its normal form."""
    year = "".join(str("〇一二三四五六七八九".index(c)) if c in "〇一二三四五六七八九" else c for c in match["year"])
    agency = "".join(match["agency"].split())
    return f"{agency}〔{year}〕{match['ordinal']}{match['n'].lstrip('0') or '0'}{match['mark']}"


def short(agency: str) -> str:
    """Leave out the state's name before an organ: 中华人民共和国国务院令 is 国务院令."""
    return re.sub(r"^中(?:华|華)人民共和(?:国|國)(?=.{2})", "", agency)


def _decree_of(match: re.Match[str]) -> str:
    return short("".join(match["agency"].split())) + match["kind"] + "".join(match["n"].split())


def _unwrapped(plain: str) -> str:
    if plain[:1] in "（(" and plain[-1:] in "）)" and plain.count(plain[0]) + plain[1:].count("(") > 0:
        inner = plain[1:-1].strip()
        if re.search(r"[号號]$", inner):
            return inner
    return plain


def _cites(agency: str) -> bool:
    return re.match(r"(?:按照|根据|依据|依照|参照|见|详见|关于|經|经|以)", agency) is not None
