import math
import xml.etree.ElementTree as ET
from itertools import pairwise

import pandas as pd
import pytest

from policytext.intervals import wilson
from policytext.report import charts, findings


def table(*rows):
    columns = ["label", "period", "documents", "passages", "tagged", "share", "low", "high"]
    return pd.DataFrame([("a.b", *row) for row in rows], columns=columns)


def line(*rows, name="开放政府"):
    return charts.series(table(*rows), "a.b", name=name)


GAP = (
    ("2001", 9, 100, 10, 0.10, 0.05, 0.18),
    ("2002", 0, 0, 0, math.nan, math.nan, math.nan),
    ("2003", 9, 100, 20, 0.20, 0.13, 0.29),
    ("2004", 9, 100, 22, 0.22, 0.15, 0.31),
    ("undated", 3, 30, 3, 0.10, 0.03, 0.25),
)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ("2021", 2021),
        ("2021Q3", 8086),
        ("2021-Q3", 8086),
        ("2021-12", 24263),
        ("2001–2005", 400),
        ("2006–2010", 401),
        ("undated", None),
        ("", None),
    ],
)
def test_period_becomes_a_position_whose_neighbours_differ_by_one(period, expected):
    assert charts.position(period) == expected


def test_series_leaves_out_undated_and_empty_periods_and_sorts_by_time():
    assert [point.period for point in line(*reversed(GAP)).points] == ["2001", "2003", "2004"]


def test_line_never_bridges_a_period_without_documents():
    assert [[p.period for p in run] for run in line(*GAP).runs()] == [["2001"], ["2003", "2004"]]


def test_trend_draws_one_stroke_a_run_and_a_whisker_for_a_lone_period():
    svg = charts.trend([line(*GAP)], title="开放")
    assert svg.count("<polyline") == 1
    assert svg.count("<polygon") == 1
    assert svg.count('class="whisker"') == 1
    ET.fromstring(svg)  # noqa: S314 - our own text


def test_trend_draws_periods_with_few_documents_hollow():
    svg = charts.trend([line(("2001", 2, 20, 2, 0.1, 0.0, 0.4), ("2002", 9, 90, 9, 0.1, 0.05, 0.2))], title="x")
    assert svg.count('class="hollow"') == 1
    assert svg.count('class="dot"') == 1


def test_band_leaves_out_periods_with_few_documents():
    rows = [(str(2000 + i), n, 20, 2, 0.1, 0.0, 0.4) for i, n in enumerate((9, 9, 1, 9, 9))]
    svg = charts.trend([line(*rows)], title="x")
    assert svg.count("<polyline") == 1
    assert svg.count("<polygon") == 2
    assert svg.count('class="whisker"') == 1


def test_overlay_shows_the_span_of_periods_with_enough_documents():
    rows = [(str(2000 + i), n, 20, 2, 0.1, 0.0, 0.4) for i, n in enumerate((1, 9, 1, 9, 1))]
    assert charts.span([line(*rows)], solid=True) == (2001, 2003)
    assert charts.span([line(*rows[:1])], solid=True) == (2000, 2000)


def test_windows_are_named_by_both_ends_on_the_axis():
    rows = [(f"{y}–{y + 4}", 9, 90, 9, 0.1, 0.05, 0.2) for y in (2001, 2006, 2011)]
    svg = charts.trend([line(*rows)], title="x", wide=True)
    assert "2001–05" in svg
    assert svg.count("<polyline") == 1


def test_trend_tells_share_interval_and_counts_of_each_period():
    svg = charts.trend([line(*GAP)], title="x")
    assert "20.0%（13.0–29.0%）" in svg
    assert "9 篇 documents · 100 段 passages" in svg


def test_trend_without_points_is_empty():
    assert charts.trend([line()], title="x") == ""


def test_names_in_charts_are_escaped():
    svg = charts.trend([line(*GAP, name="<b>"), line(*GAP, name='"&')], title="<script>")
    assert "<b>" not in svg
    assert "<script>" not in svg
    ET.fromstring(svg)  # noqa: S314


def test_names_at_line_ends_do_not_overlap():
    lines = [charts.series(table(*GAP), "a.b", name=name, colour=i) for i, name in enumerate("甲乙丙丁", start=1)]
    svg = charts.trend(lines, title="x", wide=True)
    ys = sorted(float(part.split('y="')[1].split('"')[0]) for part in svg.split('<text class="name')[1:])
    assert all(b - a >= 12 for a, b in pairwise(ys))


def test_shared_axis_ignores_upper_bounds_of_thin_periods():
    assert charts.ceiling([line(("2001", 1, 5, 1, 0.2, 0.0, 0.9), ("2002", 9, 90, 9, 0.1, 0.05, 0.18))]) == 0.2


@pytest.mark.parametrize("top", [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0])
def test_axis_labels_are_exact(top):
    digits = 0 if top >= 0.05 else 1
    for level in charts._levels(top):
        assert float(charts.percent(level, digits)[:-1]) == pytest.approx(100 * level)


def test_long_names_take_two_lines_without_their_brackets():
    assert charts._wrap("垂直业务系统信息化（电子政务）阶段") == ["垂直业务系统信", "息化阶段"]
    assert charts._wrap("赋能") == ["赋能"]


def test_spark_breaks_where_a_value_is_missing():
    assert charts.spark([0.1, 0.2, None, 0.3, 0.1], title="x").count("<polyline") == 2
    assert charts.spark([0.1], title="x") == ""


def test_vega_lite_has_plain_values_and_null_for_gaps():
    spec = charts.vega_lite(table(*GAP))
    assert spec["data"]["values"][1]["share"] is None
    assert spec["data"]["values"][2]["low"] == 0.13


def rows(*shares, documents=20):
    return [(str(2000 + i), documents, 100, 10, s, s - 0.03, s + 0.03) for i, s in enumerate(shares)]


@pytest.mark.parametrize(
    ("shares", "shape"),
    [
        ((0.1, 0.2, 0.3), "rise"),
        ((0.3, 0.2, 0.1), "fall"),
        ((0.1, 0.3, 0.1), "peak"),
        ((0.3, 0.1, 0.3), "trough"),
        ((0.1, 0.12, 0.11), "flat"),
        ((0.1, 0.12, 0.15), "up"),
        ((0.15, 0.12, 0.1), "down"),
        ((0.1, 0.15, 0.1), "hump"),
        ((0.15, 0.1, 0.15), "dip"),
        ((0.1,), "level"),
        ((), "none"),
    ],
)
def test_finding_claims_a_change_only_where_intervals_do_not_touch(shares, shape):
    assert findings.sentence(line(*rows(*shares)), name_en="open").shape == shape


def test_finding_ignores_periods_with_few_documents():
    series = line(*rows(0.1, 0.11), ("2010", 1, 5, 4, 0.8, 0.5, 0.95))
    assert findings.sentence(series, name_en="open").shape == "flat"


def test_finding_names_numbers_intervals_and_documents():
    finding = findings.sentence(line(*rows(0.1, 0.15, 0.3)), name_en="open")
    assert "10.0%（95% 区间 7.0–13.0%，20 篇）" in finding.zh
    assert "30.0% (27.0–33.0%, 20 documents) in 2002" in finding.en
    assert "do not overlap" in finding.en


def test_columns_under_groups_count_their_documents_together():
    lines = [charts.series(table(*GAP), "a.b", name=name, colour=i) for i, name in enumerate("甲乙", start=1)]
    assert ">18<" in charts.trend(lines, title="x", disjoint=True)
    assert ">9<" in charts.trend(lines, title="x")


def test_dense_series_have_a_line_and_no_marks():
    rows = [(f"{1980 + i // 12}-{i % 12 + 1:02d}", 9, 90, 9, 0.1, 0.05, 0.2) for i in range(300)]
    svg = charts.trend([line(*rows)], title="x")
    assert 'class="dot"' not in svg
    assert "<title>" not in svg
    assert svg.count("<polyline") == 1


def test_difference_is_newcombes_hybrid_score_interval():
    # Newcombe (1998), table II, example (a): 56/70 - 48/80, method 10: 0.0524 to 0.3339
    low, high = wilson([48 / 80, 56 / 70], [80, 70])
    first, last = (
        charts.Point(at, str(at), share, low[at], high[at], 9, 9, 9) for at, share in enumerate((48 / 80, 56 / 70))
    )
    assert findings.difference(first, last) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
