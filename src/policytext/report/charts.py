"""Charts as SVG text: they need no script, print well, and follow the reader's light or dark page.

The SVG is drawn here from a template and not by Vega-Lite through vl-convert: for the 25 small charts of one page that
took 3.7 s, 126 MB of memory and 21 kB a chart, against 0.1 s and 8 kB, and the package weighs 87 MB installed.
`vega_lite` gives the same trend as a Vega-Lite specification for whoever wants to redraw it with Altair.

Colours are CSS classes of the page (`s1` ... `s8`), fonts are the page's own stacks, so Han text shows wherever the
file is opened.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from markupsafe import Markup

from policytext.report import templating

MOST_TIPS = 130  # periods; a chart with more has no room to point at one, and the page has the numbers as a table
THIN = 5  # documents; a period with fewer is drawn hollow and never used in a finding
_PERIOD = re.compile(r"(\d{4})(?:-?Q([1-4])|-(\d{2})|–(\d{4}))?")
_EM = 12.5  # font size of chart text, in units of the view box


@dataclass(frozen=True)
class Point:
    """One period of a series. `share`, `low`, `high` are fractions; `at` counts periods, so neighbours differ by 1."""

    at: int
    period: str
    share: float
    low: float
    high: float
    documents: int
    passages: int
    tagged: int
    clusters: int | None = None  # of these documents, reprints of one text as one; None: no reprints among them

    @property
    def thin(self) -> bool:
        """Whether too few independent documents stand behind it."""
        return (self.documents if self.clusters is None else self.clusters) < THIN


@dataclass(frozen=True)
class Series:
    """A line: one label, or one topic, over time."""

    name: str
    points: tuple[Point, ...]
    colour: int = 1  # 1 to 8: class `s1` ... of the page

    def within(self, first: int, last: int) -> Series:
        """Return the series between two periods, both included."""
        return replace(self, points=tuple(p for p in self.points if first <= p.at <= last))

    def runs(self) -> list[tuple[Point, ...]]:
        """Return the points in stretches without a missing period: a line never bridges a gap."""
        runs: list[list[Point]] = []
        for point in self.points:
            if runs and point.at - runs[-1][-1].at == 1:
                runs[-1].append(point)
            else:
                runs.append([point])
        return [tuple(run) for run in runs]


def position(period: str) -> int | None:
    """Return a number for a year, quarter, month or window of years, such that neighbours differ by 1; else None.

    >>> position("2021"), position("2021Q3"), position("2021-03"), position("2021–2025"), position("undated")
    (2021, 8086, 24254, 404, None)
    """
    match = _PERIOD.fullmatch(period)
    if match is None:
        return None
    year, quarter, month, last = match.groups()
    if quarter:
        return int(year) * 4 + int(quarter) - 1
    if month:
        return int(year) * 12 + int(month) - 1
    return (int(year) - 1) // (int(last) - int(year) + 1) if last else int(year)


def series(trends: pd.DataFrame, label: str, *, name: str, colour: int = 1) -> Series:
    """Return the series of one label from a trends table, in time order, without undated and empty periods."""
    points: list[Point] = []
    if trends.empty:
        return Series(name, (), colour)
    for row in trends[trends["label"] == label].to_dict("records"):
        place = position(str(row["period"]))
        share = float(row["share"]) if row["share"] is not None else math.nan
        if place is None or math.isnan(share) or not row["passages"]:
            continue
        low, high = _bound(row.get("low"), share), _bound(row.get("high"), share)
        counts = (int(row["documents"]), int(row["passages"]), int(row["tagged"]))
        clusters = int(row["clusters"]) if row.get("clusters") is not None else None
        points.append(Point(place, str(row["period"]), share, low, high, *counts, clusters))
    return Series(name, tuple(sorted(points, key=lambda point: point.at)), colour)


def _bound(value: Any, share: float) -> float:
    return share if value is None or math.isnan(float(value)) else float(value)


def ceiling(lines: Iterable[Series]) -> float:
    """Return the top of a shared axis: the highest upper bound that is not thin, rounded up to a readable tick."""
    points = [point for line in lines for point in line.points]
    solid = [point for point in points if not point.thin] or points
    top = max((max(point.high for point in solid), *(point.share for point in points)), default=0.0) if points else 0.0
    return next((tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8) if top <= tick), 1.0)


@dataclass(frozen=True)
class Frame:
    """The plotting area, in units of the view box, and the span of periods that it shows."""

    width: float
    height: float
    first: int
    last: int
    top: float  # share at the upper edge
    left: float = 40.0
    right: float = 14.0
    head: float = 10.0
    foot: float = 22.0

    def x(self, at: float) -> float:
        """Return the place of a period; periods have equal widths and sit in their middle."""
        step = (self.width - self.left - self.right) / (self.last - self.first + 1)
        return round(self.left + (at - self.first + 0.5) * step, 1)

    def y(self, share: float) -> float:
        """Return the place of a share; what lies above the frame is cut at its edge."""
        floor = self.height - self.foot
        return round(floor - min(share / self.top, 1.0) * (floor - self.head), 1)

    @property
    def step(self) -> float:
        """Width of one period."""
        return (self.width - self.left - self.right) / (self.last - self.first + 1)


def span(lines: Iterable[Series], *, solid: bool = False) -> tuple[int, int] | None:
    """Return the first and last period that any of the series has; None if there are no points.

    With `solid`, of the periods with enough documents, if there are at least two.
    """
    points = [point for line in lines for point in line.points]
    places = sorted({point.at for point in points if not (solid and point.thin)})
    if solid and len(places) < 2:
        places = sorted({point.at for point in points})
    return (places[0], places[-1]) if places else None


def trend(
    lines: Sequence[Series],
    *,
    title: str,
    top: float | None = None,
    shown: tuple[int, int] | None = None,
    wide: bool = False,
    disjoint: bool = False,
) -> Markup:
    """Return an SVG of one or several series with intervals and a strip of documents per period; empty without points.

    Neighbouring periods with enough documents share a band; the interval of any other period is a thin upright line,
    left out where several series share the chart and it would hide them.

    Args:
        lines: with more than one, each is named at its end and wears its own marker.
        title: read out by screen readers.
        top: share at the upper edge, to share an axis between charts.
        shown: first and last period, to share the time axis between charts.
        wide: for an overlay; else the size of a small multiple.
        disjoint: the series are about different documents, whose numbers add up; else about the same.
    """
    shown = shown or span(lines)
    if shown is None:
        return Markup()
    lines = [line.within(*shown) for line in lines]
    names = {line.name: _wrap(line.name) for line in lines} if len(lines) > 1 else {}
    margin = 14 + max((_width(part) for parts in names.values() for part in parts), default=0.0) * _EM
    width, height = (580.0, 300.0) if wide else (340.0, 190.0)
    frame = Frame(width, height - 34, *shown, top or ceiling(lines), right=margin)
    return templating.fill(
        "trend.svg.j2",
        frame=frame,
        height=height,
        title=title,
        lines=[_draw(line, frame, alone=len(lines) == 1) for line in lines],
        names=_place(lines, names, frame),
        ticks=_ticks(lines, frame),
        levels=[(frame.y(share), percent(share, 0 if frame.top >= 0.05 else 1)) for share in _levels(frame.top)],
        bars=_bars(lines, frame, height, disjoint=disjoint),
    )


def _draw(line: Series, frame: Frame, *, alone: bool) -> dict[str, Any]:
    """Return the geometry of one series: bands, strokes, whiskers and markers."""
    bands, strokes, banded = [], [], set()
    marked: list[Point] = []
    for run in line.runs():
        marked += run if len(run) == 1 or frame.step >= 4 else []  # closer marks would hide the line
        strokes.append(" ".join(f"{frame.x(p.at)},{frame.y(p.share)}" for p in run))
        for part in _solid(run):
            upper = [f"{frame.x(p.at)},{frame.y(p.high)}" for p in part]
            lower = [f"{frame.x(p.at)},{frame.y(p.low)}" for p in reversed(part)]
            bands.append(" ".join(upper + lower))
            banded |= {p.at for p in part}
    whiskers = [p for p in line.points if p.at not in banded and (alone or not p.thin)]
    size = round(max(0.4, min(1.0, frame.step / 7)), 2)  # of a marker: dense series must not clot
    shape = "circle" if alone else ("circle", "square", "triangle", "diamond")[(line.colour - 1) % 4]
    return {
        "colour": line.colour,
        "bands": bands,
        "strokes": [stroke for stroke in strokes if " " in stroke],
        "whiskers": "".join(f"M{frame.x(p.at)} {frame.y(p.low)}V{frame.y(p.high)}" for p in whiskers),
        "dots": _marks([p for p in marked if not p.thin], frame, shape, 2.9 * size),
        "hollow": _marks([p for p in marked if p.thin], frame, shape, 2.9 * size),
    }


def _marks(points: Iterable[Point], frame: Frame, shape: str, r: float) -> str:
    """Return one path with a closed outline of radius `r` at each point."""
    outline = {
        "circle": f"m{-r:.1f} 0a{r:.1f} {r:.1f} 0 1 0 {2 * r:.1f} 0a{r:.1f} {r:.1f} 0 1 0 {-2 * r:.1f} 0z",
        "square": f"m{-r:.1f} {-r:.1f}h{2 * r:.1f}v{2 * r:.1f}h{-2 * r:.1f}z",
        "triangle": f"m0 {-1.25 * r:.1f}l{1.25 * r:.1f} {2.2 * r:.1f}h{-2.5 * r:.1f}z",
        "diamond": "m0 {0:.1f}l{1:.1f} {1:.1f} {0:.1f} {1:.1f} {0:.1f} {0:.1f}z".format(-1.4 * r, 1.4 * r),
    }[shape]
    return "".join(f"M{frame.x(p.at)} {frame.y(p.share)}{outline}" for p in points)


def _solid(run: Sequence[Point]) -> list[list[Point]]:
    """Return the stretches of a run, two periods or longer, that have enough documents."""
    parts: list[list[Point]] = [[]]
    for point in run:
        if point.thin:
            parts.append([])
        else:
            parts[-1].append(point)
    return [part for part in parts if len(part) > 1]


def _bars(lines: Sequence[Series], frame: Frame, height: float, *, disjoint: bool) -> dict[str, Any]:
    """Return the strip of documents per period, and what to tell about each period when it is pointed at."""
    by_place: dict[int, list[tuple[Series, Point]]] = {}
    for line in lines:
        for point in line.points:
            by_place.setdefault(point.at, []).append((line, point))
    total = sum if disjoint else max
    documents = {at: total(point.documents for _, point in pairs) for at, pairs in by_place.items()}
    most = max(documents.values(), default=1) or 1
    wide = round(min(frame.step * 0.72, 30), 1)
    paths = {True: "", False: ""}
    for at, n in sorted(documents.items()):
        size = round(max(1.0, 22 * n / most), 1)
        paths[n < THIN] += f"M{frame.x(at) - wide / 2:.1f} {height - 2}v{-size}h{wide}v{size}z"
    tips = [
        (round(frame.x(at) - frame.step / 2, 1), _tip(pairs, several=len(lines) > 1, disjoint=disjoint))
        for at, pairs in sorted(by_place.items())
        if len(by_place) <= MOST_TIPS
    ]
    return {"solid": paths[False], "thin": paths[True], "tips": tips, "step": round(frame.step, 1), "most": f"{most:,}"}


def _tip(pairs: Sequence[tuple[Series, Point]], *, several: bool, disjoint: bool) -> str:
    """Return the numbers of one period as lines of text."""
    point = pairs[0][1]
    lines = [point.period if disjoint else f"{point.period}　{_size(point)}"]
    for line, p in pairs:
        name = f"{line.name}　" if several else ""
        size = f" · {_size(p)}" if disjoint else ""
        lines.append(f"{name}{percent(p.share)}（{interval(p.low, p.high)}） n = {p.tagged:,}{size}")
    return "\n".join(lines)


def _size(point: Point) -> str:
    return f"{point.documents:,} 篇 documents · {point.passages:,} 段 passages"


def _place(lines: Sequence[Series], names: dict[str, list[str]], frame: Frame) -> list[dict[str, Any]]:
    """Return the names at the ends of the lines, pushed apart where they would overlap."""
    ends = [(frame.y(line.points[-1].share), line) for line in lines if line.points and line.name in names]
    placed: list[dict[str, Any]] = []
    below = frame.head
    for y, line in sorted(ends, key=lambda end: (end[0], end[1].name)):
        size = len(names[line.name]) * (_EM + 2)
        first = max(y - size / 2 + _EM, below + _EM)
        below = first - _EM + size + 3
        placed.append({"y": round(first, 1), "parts": names[line.name], "colour": line.colour})
    excess = below - (frame.height - frame.foot + 12)
    if placed and excess > 0:
        placed = [{**name, "y": round(max(name["y"] - excess, _EM), 1)} for name in placed]
    return placed


def _wrap(name: str, *, most: float = 7.6) -> list[str]:
    """Return a name in at most two lines, without what stands in brackets; `most` is the width of a line in em."""
    name = re.sub(r"\s*[（(][^（()）]*[)）]\s*", "", name) or name
    if _width(name) <= most + 1:
        return [name]
    parts, line = [], ""
    for piece in re.findall(r"[A-Za-z0-9'-]+\s*|.", name):
        if line and _width(line + piece.rstrip()) > most:
            parts.append(line.rstrip())
            line = ""
        line += piece
    parts.append(line)
    if len(parts) > 2:
        parts = [parts[0], parts[1][:-1] + "…"]
    return parts


def _width(text: str) -> float:
    """Return the width of a text in em: Han characters are square, Latin letters about half as wide."""
    return sum(1.0 if unicodedata.east_asian_width(c) in "WFA" else 0.56 for c in text)


def _levels(top: float) -> list[float]:
    """Return the shares to mark on the axis: whole percents, tenths of one below five."""
    unit = 100 if top >= 0.05 else 1000
    count = next(n for n in (4, 5, 3, 2, 1) if abs(top * unit / n - round(top * unit / n)) < 1e-9)
    return [top * i / count for i in range(count + 1)]


def _ticks(lines: Iterable[Series], frame: Frame) -> list[tuple[float, str]]:
    """Return (x, text) of the years that can be read along the axis; windows are named by both ends."""
    periods = {point.at: point.period for line in lines for point in line.points}
    return _time_ticks(periods, frame)


def _time_ticks(periods: dict[int, str], frame: Frame) -> list[tuple[float, str]]:
    name = next(iter(periods.values()), "")
    room = max(2.0, (frame.width - frame.left - frame.right) / (60 if "–" in name else 44))
    if "–" in name:
        every = math.ceil((frame.last - frame.first + 1) / room)
        shown = [at for at in sorted(periods) if (frame.last - at) % every == 0]
        return [(frame.x(at), f"{periods[at][:4]}–{periods[at][-2:]}") for at in shown]
    a_year = 4 if "Q" in name else 12 if "-" in name else 1
    first, last = -(-frame.first // a_year), frame.last // a_year
    gap = next((n for n in (1, 2, 5, 10, 20, 50) if (last - first) / n <= room), 100)
    years = [year for year in range(first, last + 1) if year % gap == 0] or [first]
    return [(frame.x(year * a_year), str(year)) for year in years]


def columns(rows: Sequence[tuple[str, int]], *, title: str) -> Markup:
    """Return an SVG of documents per period; rows are (period, documents)."""
    placed = {place: (period, n) for period, n in rows if (place := position(period)) is not None}
    if not placed:
        return Markup()
    most = max(n for _, n in placed.values())
    frame = Frame(1200.0, 120.0, min(placed), max(placed), float(most or 1))
    bars = [
        {
            "x": round(frame.x(at) - min(frame.step * 0.36, 20), 1),
            "y": frame.y(n),
            "height": round(frame.height - frame.foot - frame.y(n), 1),
            "tip": f"{period}　{n:,} 篇 documents",
        }
        for at, (period, n) in sorted(placed.items())
    ]
    ticks = _time_ticks({at: period for at, (period, _) in placed.items()}, frame)
    wide = round(min(frame.step * 0.72, 40), 1)
    return templating.fill("columns.svg.j2", frame=frame, title=title, bars=bars, width=wide, most=most, ticks=ticks)


def spark(values: Sequence[float | None], *, title: str, colour: int = 8) -> Markup:
    """Return a word-sized line of a topic's share over the periods; None leaves a gap."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup()
    top = max(known) or 1.0
    step = 116 / max(len(values) - 1, 1)
    runs: list[list[str]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{2 + i * step:.1f},{26 - 22 * value / top:.1f}")
    return templating.fill("spark.svg.j2", title=title, colour=colour, runs=[run for run in runs if run])


def vega_lite(trends: pd.DataFrame, *, title: str = "") -> dict[str, Any]:
    """Return a trends table as a Vega-Lite specification: small multiples of share and interval by label.

    `altair.Chart.from_dict(vega_lite(trends))` draws it in a notebook.
    """
    columns = [c for c in ("label", "period", "documents", "passages", "tagged", "share", "low", "high") if c in trends]
    rows = trends[columns].astype(object).where(trends[columns].notna(), None).to_dict("records")
    axis = {"format": "%", "title": "share of passages"}
    x = {"field": "period", "type": "ordinal", "title": None}
    tips = [{"field": column} for column in columns]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": title,
        "data": {"values": rows},
        "facet": {"field": "label", "type": "nominal", "title": None},
        "columns": 3,
        "spec": {
            "layer": [
                {
                    "mark": {"type": "area", "opacity": 0.25},
                    "encoding": {
                        "x": x,
                        "y": {"field": "low", "type": "quantitative", "axis": axis},
                        "y2": {"field": "high"},
                    },
                },
                {
                    "mark": {"type": "line", "point": True},
                    "encoding": {"x": x, "y": {"field": "share", "type": "quantitative"}, "tooltip": tips},
                },
            ]
        },
    }


def percent(share: float, digits: int = 1) -> str:
    """Return a share as text.

    >>> percent(0.0837), percent(0.5, 0)
    ('8.4%', '50%')
    """
    return f"{100 * share:.{digits}f}%"


def interval(low: float, high: float) -> str:
    """Return an interval of shares as text.

    >>> interval(0.0512, 0.132)
    '5.1–13.2%'
    """
    return f"{100 * low:.1f}–{100 * high:.1f}%"
