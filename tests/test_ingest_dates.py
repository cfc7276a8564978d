"""Dates in every form that Chinese texts write them, and none where none is."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policytext.ingest import dates

DIGITS = "〇一二三四五六七八九"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2022年6月6日", ["2022-06-06"]),
        ("二〇二二年六月六日", ["2022-06-06"]),
        ("二○二二年十二月三十一日", ["2022-12-31"]),
        ("２０２２年６月６日", ["2022-06-06"]),
        ("2024年   8  月   1   日", ["2024-08-01"]),
        ("民國一百一十年三月五日", ["2021-03-05"]),
        ("中華民國110年3月5日", ["2021-03-05"]),
        ("2022-06-06 10:20", ["2022-06-06"]),
        ("2022/6/6、2022.06.07", ["2022-06-06", "2022-06-07"]),
        ("2025年3月", ["2025-03"]),
        ("Dec 28 Sat 2013", ["2013-12-28"]),
        ("2025年行动计划", []),
        ("2022年13月1日", []),
        ("第2022-0606号文", []),
        ("版本1.2.3", []),
        ("112年2月16日", []),
    ],
)
def test_find(text, found):
    assert [date.iso for date in dates.find(text)] == found


def test_years_of_the_republic_only_where_asked():
    assert [date.iso for date in dates.find("112年2月16日", roc=True)] == ["2023-02-16"]


@pytest.mark.parametrize(
    ("value", "iso"),
    [
        ("2021-03-05", "2021-03-05"),
        (dt.datetime(2021, 3, 5, 10), "2021-03-05"),  # noqa: DTZ001
        (20210305, "2021-03-05"),
        (2021.0, "2021"),
        ("2021/3", "2021-03"),
        ("1614902400", "2021-03-05"),
        ("2021-02-30", None),
        ("112年2月16日", "2023-02-16"),
        ("110/3/5", "2021-03-05"),
        ("21年3月5日", None),
        ("20/3/5", None),
        ("21-03-05", None),
        ("令和3年5月1日", None),
        ("昭和62年5月1日", None),
        ("去年", None),
        (None, None),
        (True, None),
    ],
)
def test_declared_dates(value, iso):
    assert dates.parse(value) == iso


def test_short_years_are_of_the_republic_only_in_taiwan():
    assert dates.parse("98年12月31日") is None
    assert dates.parse("98年12月31日", republic=True) == dates.parse("98/12/31", republic=True) == "2009-12-31"


@pytest.mark.parametrize(
    ("url", "iso"),
    [
        ("https://a.cn/2022-06/23/content_1.htm", "2022-06-23"),
        ("/t20220623_100.html", "2022-06-23"),
        ("http://a.cn/202206/t1.html", None),
        ("/5355822.txt", None),
    ],
)
def test_dates_in_addresses(url, iso):
    assert dates.from_url(url) == iso


@given(st.dates(dt.date(1911 + 1, 1, 1), dt.date(2099, 12, 31)))
def test_every_date_is_found_in_every_form(date):
    year = "".join(DIGITS[int(c)] for c in str(date.year))
    numeral = ("", "十", "二十", "三十")
    day = f"{numeral[date.day // 10]}{DIGITS[date.day % 10] if date.day % 10 else ''}"
    month = f"{numeral[date.month // 10]}{DIGITS[date.month % 10] if date.month % 10 else ''}"
    for text in (
        f"{date.year}年{date.month}月{date.day}日",
        f"{year}年{month}月{day}日",
        date.isoformat(),
        f"民國{date.year - 1911}年{date.month}月{date.day}日",
    ):
        assert [found.iso for found in dates.find(f"于{text}印发")] == [date.isoformat()]


@given(st.text(max_size=100))
def test_spans_lie_in_the_text(text):
    for date in dates.find(text, roc=True):
        assert 0 <= date.start < date.end <= len(text)


@pytest.mark.parametrize("text", ["二0二0年三月五日", "二ΟΟ五年三月五日", "二ОО五年三月五日", "二oo五年三月五日"])
def test_zeros_of_any_kind_stand_among_chinese_digits(text):
    assert [date.iso for date in dates.find(text)] == ["2020-03-05" if "二0二" in text else "2005-03-05"]


def test_a_time_without_marks_is_left_off():
    assert dates.parse("20210305103000") == "2021-03-05"
