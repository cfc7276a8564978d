"""Find dates in Chinese text: Arabic and Chinese numerals, full-width digits, the calendar of the Republic of China.

A date is kept with the precision it was written in: YYYY-MM-DD, YYYY-MM or YYYY.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_ROC_EPOCH = 1911
_FIRST_YEAR, _LAST_YEAR = 1840, 2099
_FOLD = str.maketrans(
    "０１２３４５６７８９○ＯO◯零Ｏ〇．／－—–−\u3000\xa0⼀⼆⼋⼗⽉⽇",
    "0123456789〇〇〇〇〇〇〇./----  一二八十月日",
)
_ODD = re.compile(r"[０-９○ＯO◯零．／－—–−\u3000\xa0⼀⼆⼋⼗⽉⽇]")
# Zeros among Chinese digits, as they are typed: 二0二0年, 二ΟΟ五年 (Greek), 二ОО五年 (Cyrillic), 二oo五年.
_MAY_HOLD_ZEROS = re.compile(r"[一二][〇一二三四五六七八九0oΟО]{3}\s{0,4}年")
_DIGITS = {"〇": 0, "一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9, "元": 1}
_S = r"[ \t\r\n]{0,4}"  # dates are wrapped and spaced out: 2024年   8  月   1   日
_CN = "〇一二三四五六七八九"
_WRITTEN = re.compile(
    rf"(?P<era>中華民國|中华民国|民國|民国)?{_S}"
    rf"(?P<y>(?<![0-9])[0-9][0-9 ]{{0,6}}[0-9]|[0-9]|[{_CN}十百元]{{1,6}}){_S}年{_S}"
    rf"(?P<m>[01]?{_S}[0-9]|[{_CN}十]{{1,3}}){_S}月(?:份?{_S}(?P<d>[0-3]?{_S}[0-9]|[{_CN}十廿卅]{{1,4}}){_S}[日号號])?"
)
_HINT = re.compile(r"年|[0-9０-９][-/.．／－][0-9０-９]")
_DASHED = re.compile(
    r"(?<![0-9./-])(?P<y>(?:18|19|20)[0-9]{2})(?P<sep>[-/.])(?P<m>[01]?[0-9])(?P=sep)(?P<d>[0-3]?[0-9])(?![0-9])"
)
_ROC_SHORT = re.compile(r"(?<![0-9./-])(?P<y>[1-9][0-9]{1,2})[./-](?P<m>[01]?[0-9])[./-](?P<d>[0-3]?[0-9])(?![0-9./-])")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_ENGLISH = re.compile(
    r"\b(?:(?P<d1>[0-3]?[0-9])(?:st|nd|rd|th)?[ ,]+)?(?P<m>(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|"
    r"dec)[a-z]{0,6})\.?[ ,]+"
    r"(?:(?P<d2>[0-3]?[0-9])(?:st|nd|rd|th)?[ ,]+)?(?:[a-z]{3,9}[ ,]+)?(?P<y>(?:19|20)[0-9]{2})\b",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(?<![0-9])(?P<y>(?:19|20)[0-9]{2})(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12][0-9]|3[01])(?![0-9])")
_URL = re.compile(
    r"(?<![0-9])(?P<y>(?:19|20)[0-9]{2})[-/_.]?(?P<m>0[1-9]|1[0-2])(?:[-/_.]?(?P<d>0[1-9]|[12][0-9]|3[01]))?(?![0-9])"
)


@dataclass(frozen=True)
class Date:
    """A date and where it stands: `text[start:end]`."""

    iso: str
    start: int
    end: int

    @property
    def full(self) -> bool:
        """Whether year, month and day are known."""
        return len(self.iso) == 10


def fold(text: str) -> str:
    """Return text of the same length with full-width digits, circles for zero and odd dashes made plain."""
    text = text.translate(_FOLD) if _ODD.search(text) else text  # translating costs 50 times the search
    return _MAY_HOLD_ZEROS.sub(_with_zeros, text)


def _with_zeros(match: re.Match[str]) -> str:
    return re.sub("[0oΟО]", "〇", match[0])


def find(text: str, *, roc: bool = False) -> Iterator[Date]:
    """Yield the dates that are written in a text, in order; `roc`: a year of one to three digits is of the Republic.

    >>> [date.iso for date in find("二〇二二年六月六日，民國一百一十一年三月，２０２１年1月3日")]
    ['2022-06-06', '2022-03', '2021-01-03']
    """
    if not _HINT.search(text):
        yield from _english(text)
        return
    folded = fold(text)
    found = [*_written(folded, roc=roc), *_matches(_DASHED, folded)]
    if roc:
        found += _matches(_ROC_SHORT, folded, offset=_ROC_EPOCH)
    found.sort(key=lambda date: (date.start, -date.end))
    end = 0
    for date in found:
        if date.start >= end:
            end = date.end
            yield date


def _written(folded: str, *, roc: bool) -> Iterator[Date]:
    for match in _WRITTEN.finditer(folded):
        year = _year(match["y"], era=bool(match["era"]), roc=roc)
        month = _number(match["m"])
        day = _number(match["d"]) if match["d"] else None
        iso = _iso(year, month, day)
        if iso:
            start = match.start() if match["era"] else match.start("y")
            yield Date(iso, start, match.end())


def _english(text: str) -> Iterator[Date]:
    """Dates such as Dec 28 Sat 2013 or 28 December 2013."""
    for match in _ENGLISH.finditer(text):
        day = match["d1"] or match["d2"]
        iso = _iso(int(match["y"]), _MONTHS.index(match["m"][:3].lower()) + 1, int(day) if day else None)
        if iso:
            yield Date(iso, match.start(), match.end())


def _matches(pattern: re.Pattern[str], folded: str, *, offset: int = 0) -> Iterator[Date]:
    for match in pattern.finditer(folded):
        iso = _iso(int(match["y"]) + offset, int(match["m"]), int(match["d"]))
        if iso:
            yield Date(iso, match.start(), match.end())


def _year(written: str, *, era: bool, roc: bool) -> int | None:
    plain = written.replace(" ", "")
    if era or (roc and len(plain) <= 3 and plain.isdigit()):
        number = _number(plain)
        return number + _ROC_EPOCH if number and number < 200 else None
    if plain.isascii() and plain.isdigit():
        return int(plain) if len(plain) == 4 else None
    if len(plain) == 4 and all(c in _DIGITS for c in plain):
        return int("".join(str(_DIGITS[c]) for c in plain))
    if roc and "百" in plain:
        number = _number(plain)
        return number + _ROC_EPOCH if number else None
    return None


def _number(written: str) -> int | None:
    """Read a number below 1000 in Arabic or Chinese numerals; digits may stand side by side (一一二).

    >>> _number("一百十一"), _number("廿三"), _number("一〇四"), _number("十")
    (111, 23, 104, 10)
    """
    plain = re.sub(r"\s", "", written)
    if plain.isascii():
        return int(plain) if plain.isdigit() else None
    plain = plain.replace("廿", "二十").replace("卅", "三十")
    if not set("十百") & set(plain):
        return int("".join(str(_DIGITS[c]) for c in plain)) if all(c in _DIGITS for c in plain) else None
    total, digit = 0, 0
    for c in plain:
        if c == "百":
            total, digit = total + (digit or 1) * 100, 0
        elif c == "十":
            total, digit = total + (digit or 1) * 10, 0
        elif c in _DIGITS:
            digit = _DIGITS[c]
        else:
            return None
    return total + digit


def _iso(year: int | None, month: int | None, day: int | None) -> str | None:
    if year is None or month is None or not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        date = dt.date(year, month, 1 if day is None else day)
    except ValueError:
        return None
    return date.isoformat() if day is not None else date.isoformat()[:7]


def from_url(url: str) -> str | None:
    """Return the date that an address or file name holds, if it holds one of at least year and month.

    >>> from_url("https://www.gov.cn/zhengce/2022-06/23/content_5697299.htm"), from_url("/a/20190907/1.html")
    ('2022-06-23', '2019-09-07')
    """
    for match in _URL.finditer(url):
        iso = _iso(int(match["y"]), int(match["m"]), int(match["d"]) if match["d"] else None)
        if iso and (match["d"] or not match[0].isdigit()):
            return iso
    return None


def parse(value: Any, *, republic: bool = False) -> str | None:
    """Return a declared date (a string, number or date of any table) as ISO, or None if it is none.

    A year of three digits is of the Republic of China, one of two or one only if `republic`: what a table means by
    21/3/5 or 令和3年 cannot be known.

    >>> parse("2021/3/5 12:00"), parse("2021"), parse(20210305), parse("民國110年3月5日")
    ('2021-03-05', '2021', '2021-03-05', '2021-03-05')
    """
    if isinstance(value, (dt.datetime, dt.date)):
        return value.isoformat()[:10]
    if value is None or isinstance(value, bool):
        return None
    text = str(value).strip()
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return _iso(int(text[:4]), int(text[5:7]), int(text[8:]))
    folded = fold(text)
    return _parse_text(folded, republic=republic) or _timestamp(folded)


def _parse_text(text: str, *, republic: bool) -> str | None:
    if re.fullmatch(r"[0-9]{4}年?(\.0)?", text):
        year = int(text[:4])
        return text[:4] if _FIRST_YEAR <= year <= _LAST_YEAR else None
    if match := re.fullmatch(r"([0-9]{4})[-/.]([0-9]{1,2})", text):
        return _iso(int(match[1]), int(match[2]), None)
    first = next(find(text), None)
    if first is None and (republic or re.match(r"1[0-9]{2} {0,3}[-/.年]", text)):
        first = next(find(text, roc=True), None)
    if first is not None and first.start < 12:
        return first.iso
    text = re.sub(r"^([0-9]{8})[0-9]{6}$", r"\1", text)  # with the time of day
    match = _COMPACT.match(text)
    return _iso(int(match["y"]), int(match["m"]), int(match["d"])) if match else None


def _timestamp(text: str) -> str | None:
    """Seconds or milliseconds since 1970, taken in China's time zone."""
    match = re.fullmatch(r"([0-9]{10})([0-9]{3})?(\.[0-9]+)?", text)
    if not match:
        return None
    zone = dt.timezone(dt.timedelta(hours=8))
    return dt.datetime.fromtimestamp(int(match[1]), zone).date().isoformat()
