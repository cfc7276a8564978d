"""Headline findings: plain sentences, each with its numbers, intervals and counts.

Only periods with enough documents speak. A change is claimed when two intervals do not touch, which is stricter than a
test at the same level; else the sentence says that no clear change is seen. Nothing here tests a trend or corrects a
share: rooms to the left do, and the table says which.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from policytext.report.charts import THIN, Point, Series, interval, percent

Shape = Literal["rise", "fall", "peak", "trough", "flat", "level", "none"]


VERDICTS: dict[Shape, tuple[str, str]] = {
    "rise": ("↗ 上升", "rise"),
    "fall": ("↘ 下降", "fall"),
    "peak": ("↗↘ 先升后降", "rise, then fall"),
    "trough": ("↘↗ 先降后升", "fall, then rise"),
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
    if highest.low > max(first.high, last.high):
        return "peak", highest
    if lowest.high < min(first.low, last.low):
        return "trough", lowest
    if last.low > first.high:
        return "rise", None
    if last.high < first.low:
        return "fall", None
    return "flat", None


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
        up, down = ("升至", "回落到") if kind == "peak" else ("降至", "回升到")
        verb, back = ("rose", "fell back") if kind == "peak" else ("fell", "recovered")
        return (
            f"由{start}的 {a}{up}{when}的 {t}，又{down}{end}的 {b}。",
            f"{verb} from {a_en} in {first.period} to {t_en} in {turn.period}, then {back} to {b_en} in {last.period}.",
        )
    if kind == "flat":
        return (
            f"由{start}的 {a}到{end}的 {b}，区间重叠，看不出明确变化。",
            f"{a_en} in {first.period}, {b_en} in {last.period}; the intervals overlap, no clear change.",
        )
    up, verb = ("升至", "rose") if kind == "rise" else ("降至", "fell")
    return (
        f"由{start}的 {a}{up}{end}的 {b}，区间不相交。",
        f"{verb} from {a_en} in {first.period} to {b_en} in {last.period}; the intervals do not overlap.",
    )


def _when(point: Point) -> str:
    return f" {point.period} 年" if re.fullmatch(r"\d{4}(–\d{4})?", point.period) else f" {point.period} "


def _zh(point: Point, level: float, *, short: bool = False) -> str:
    lead = "" if short else f"{100 * level:.0f}% 区间 "
    return f"{percent(point.share)}（{lead}{interval(point.low, point.high)}，{point.documents:,} 篇）"


def _en(point: Point, level: float, *, short: bool = False) -> str:
    lead = "" if short else f"{100 * level:.0f}% interval "
    return f"{percent(point.share)} ({lead}{interval(point.low, point.high)}, {point.documents:,} documents)"
