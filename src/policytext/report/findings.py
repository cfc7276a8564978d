"""Headline findings: plain sentences, each with its numbers, intervals and counts.

Only periods with enough documents speak. A change is claimed when two intervals do not touch, which is stricter than a
test at the same level. Where they touch but the interval of the difference leaves out zero, the sentence says that the
share tends up or down; else that no clear change is seen. Nothing here tests a whole trend or corrects a share.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

from policytext.report.charts import THIN, Point, Series, interval, percent

Shape = Literal["rise", "fall", "peak", "trough", "up", "down", "hump", "dip", "flat", "level", "none"]


VERDICTS: dict[Shape, tuple[str, str]] = {
    "rise": ("↗ 上升", "rise"),
    "fall": ("↘ 下降", "fall"),
    "peak": ("↗↘ 先升后降", "rise, then fall"),
    "trough": ("↘↗ 先降后升", "fall, then rise"),
    "up": ("↗ 倾向上升", "tends up"),
    "down": ("↘ 倾向下降", "tends down"),
    "hump": ("↗↘ 倾向先升后降", "tends up, then down"),
    "dip": ("↘↗ 倾向先降后升", "tends down, then up"),
    "flat": ("→ 无明确变化", "no clear change"),
    "level": ("· 单一时期", "one period"),
    "none": ("· 文档太少", "too few documents"),
}


@dataclass(frozen=True)
class Finding:
    """One sentence in Chinese and in English about one label."""

    name: str
    shape: Shape
    zh: str
    en: str
    colour: int = 1

    @property
    def verdict(self) -> tuple[str, str]:
        """What happened, in a word of Chinese and of English."""
        return VERDICTS[self.shape]


def shape(points: tuple[Point, ...]) -> tuple[Shape, Point | None]:
    """Return what a series does, and its turning point if it has one; `points` in time order, none of them thin."""
    if len(points) < 2:
        return ("level", None) if points else ("none", None)
    first, last = points[0], points[-1]
    highest = max(points, key=lambda p: (p.share, -p.at))
    lowest = min(points, key=lambda p: (p.share, p.at))
    way = _tends(first, last)
    rules: tuple[tuple[Shape, bool, Point | None], ...] = (  # the first that holds: clear changes before tendencies
        ("peak", highest.low > max(first.high, last.high), highest),
        ("trough", lowest.high < min(first.low, last.low), lowest),
        ("rise", last.low > first.high, None),
        ("fall", last.high < first.low, None),
        ("hump", _tends(first, highest) > 0 > _tends(highest, last), highest),
        ("dip", _tends(first, lowest) < 0 < _tends(lowest, last), lowest),
        ("up", way > 0, None),
        ("down", way < 0, None),
    )
    return next(((name, turn) for name, holds, turn in rules if holds), ("flat", None))


def _tends(first: Point, last: Point) -> int:
    """Return 1 or -1 where the interval of the difference lies above or below zero, else 0."""
    _, low, high = difference(first, last)
    return 1 if low > 0 else -1 if high < 0 else 0


def difference(first: Point, last: Point) -> tuple[float, float, float]:
    """Return the last share less the first, and its interval from the two intervals.

    Source: Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in
    Medicine 17, method 10; for any two intervals, Zou and Donner (2008), Construction of confidence limits about
    effect measures, Statistics in Medicine 27.
    """
    change = last.share - first.share
    down = math.hypot(last.share - last.low, first.high - first.share)
    up = math.hypot(last.high - last.share, first.share - first.low)
    return change, change - down, change + up


def sentence(line: Series, *, name_en: str, level: float = 0.95) -> Finding:
    """Return the finding of one label."""
    points = tuple(point for point in line.points if not point.thin)
    kind, turn = shape(points)
    if kind == "none":
        zh = f"没有一个时期有 {THIN} 篇以上文档，不作判断。"
        en = f"No period has {THIN} documents or more, so nothing is claimed."
        return Finding(line.name, kind, zh, en, line.colour)
    first, last = points[0], points[-1]
    if kind == "level":
        zh = f"{_when(first).strip()}占段落的 {_zh(first, level)}。其他时期文档太少，无从谈变化。"
        en = f"{_en(first, level)} of passages in {first.period}; too few documents elsewhere to speak of change."
        return Finding(line.name, kind, zh, f"{name_en}: {en}", line.colour)
    zh, en = _change(kind, first, last, turn, level)
    return Finding(line.name, kind, zh, f"{name_en}: {en}", line.colour)


def _change(kind: Shape, first: Point, last: Point, turn: Point | None, level: float) -> tuple[str, str]:
    a, b = _zh(first, level), _zh(last, level, short=True)
    a_en, b_en = _en(first, level), _en(last, level, short=True)
    start, end = _when(first), _when(last)
    if turn is not None:
        t, t_en, when = _zh(turn, level, short=True), _en(turn, level, short=True), _when(turn)
        up, down = ("升至", "回落到") if kind in ("peak", "hump") else ("降至", "回升到")
        verb, back = ("rose", "fell back") if kind in ("peak", "hump") else ("fell", "recovered")
        zh, en = _JUDGED["clear turn" if kind in ("peak", "trough") else "lean turn"]
        there, back_there = f"{verb} from {a_en} in {first.period}", f"then {back} to {b_en} in {last.period}"
        return (
            f"由{start}的 {a}{up}{when}的 {t}，又{down}{end}的 {b}，{zh}。",
            f"{there} to {t_en} in {turn.period}, {back_there}; {en}.",
        )
    d, d_en = _points(first, last)
    verbs = {"rise": ("升至", "rose"), "fall": ("降至", "fell")}
    up, verb = verbs.get(kind, ("到", "went"))
    zh, en = _JUDGED["clear" if kind in verbs else "flat" if kind == "flat" else "lean"]
    return (
        f"由{start}的 {a}{up}{end}的 {b}，{d}，{zh}。",
        f"{verb} from {a_en} in {first.period} to {b_en} in {last.period}, {d_en}; {en}.",
    )


_JUDGED = {
    "clear": ("两个区间不相交", "the intervals do not overlap"),
    "lean": (
        "两个区间重叠，但差值的区间不含零",
        "the intervals overlap, but that of the difference leaves out zero",
    ),
    "clear turn": ("中间的区间与首尾都不相交", "the middle interval overlaps neither end"),
    "lean turn": (
        "区间有重叠，但两个差值的区间都不含零",
        "intervals overlap, but those of both differences leave out zero",
    ),
    "flat": ("看不出明确变化", "no clear change"),
}


def _points(first: Point, last: Point) -> tuple[str, str]:
    """Return the difference in percentage points, with its interval, in Chinese and English."""
    change, low, high = (f"{100 * value:+.1f}".replace("-", "−") for value in difference(first, last))
    return f"相差 {change} 个百分点（{low} 至 {high}）", f"a difference of {change} points ({low} to {high})"


def _when(point: Point) -> str:
    return f" {point.period} 年" if re.fullmatch(r"\d{4}(–\d{4})?", point.period) else f" {point.period} "


def _zh(point: Point, level: float, *, short: bool = False) -> str:
    lead = "" if short else f"{100 * level:.0f}% 区间 "
    return f"{percent(point.share)}（{lead}{interval(point.low, point.high)}，{_counted(point, ' 篇', ' 种文本')}）"


def _en(point: Point, level: float, *, short: bool = False) -> str:
    lead = "" if short else f"{100 * level:.0f}% interval "
    return (
        f"{percent(point.share)} ({lead}{interval(point.low, point.high)}, {_counted(point, ' documents', ' texts')})"
    )


def _counted(point: Point, documents: str, texts: str) -> str:
    """Say how many documents there are, and how many texts where some are reprints."""
    counted = f"{point.documents:,}{documents}"
    if point.clusters is None or point.clusters == point.documents:
        return counted
    return f"{counted} / {point.clusters:,}{texts}"
