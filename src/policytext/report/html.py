"""The one-file page: what the corpus says, how sure that is, and the sentences it rests on.

The file needs no network and no script to be read. Every text from outside is escaped, and a content security policy
that names the hash of the page's own few lines of script lets nothing else run.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from policytext.codebook import Codebook, Dimension, Label
from policytext.report import card, charts, findings, quotes, templating
from policytext.report.quotes import Quote

COLOURS = 8  # classes s1 ... s8 of the page
MOST_ROWS = 150  # periods of a table; more are in trends.csv beside the page
MOST_CSV = 400_000  # characters of the embedded trends table; the page stays small enough to mail
GROUPS_SHOWN = 5  # lines of a chart by group; more cannot be told apart


@dataclass(frozen=True)
class Topic:
    """A topic with its words (heaviest first), its share of passages, over the periods, and where it shows best."""

    topic: int
    words: tuple[tuple[str, float], ...]
    share: float
    low: float | None = None
    high: float | None = None
    periods: tuple[tuple[str, float | None], ...] = ()
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True)
class ReportData:
    """All that the page shows, as plain tables; `gather.gather` fills it from a store."""

    title: str
    subtitle: str
    codebook: Codebook
    totals: Mapping[str, Any] = field(default_factory=dict)  # documents, passages, coded, characters, first, last
    groups: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # of documents: value, documents, passages, ...
    years: pd.DataFrame = field(default_factory=pd.DataFrame)  # period, documents
    trends: pd.DataFrame = field(default_factory=pd.DataFrame)  # label, period, documents, ..., share, low, high
    headline: pd.DataFrame = field(default_factory=pd.DataFrame)  # like trends, over windows of `window` years
    grouped: pd.DataFrame = field(default_factory=pd.DataFrame)  # like trends, with a column `group`
    topics: Sequence[Topic] = ()
    quotes: Mapping[str, Sequence[Quote]] = field(default_factory=dict)  # by label id, strongest first
    counts: Mapping[str, int] = field(default_factory=dict)  # read, stored, duplicates, skipped
    skipped: pd.DataFrame = field(default_factory=pd.DataFrame)  # path, room, reason; the first few
    reprints: pd.DataFrame = field(default_factory=pd.DataFrame)  # title, documents, first, last, sources
    card: Mapping[str, Any] = field(default_factory=dict)  # of the classifier
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    level: float = 0.95
    window: int = 1  # years of a period of the headline, where it is not the trends' own


def write(data: ReportData, path: Path | str) -> None:
    """Write the page to a temporary name, then move it into place."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    page = render(data)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(page)
        Path(name).chmod(0o644)  # mkstemp makes files that only their owner can read
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def render(data: ReportData) -> str:
    """Return the page as one HTML text."""
    style, chart_style, script = (templating.asset(name) for name in ("page.css", "chart.css", "page.js"))
    page = templating.fill(
        "report.html.j2",
        data=data,
        policy=_policy((style, chart_style), (script,)),
        style=style,
        chart_style=chart_style,
        script=script,
        dimensions=_dimensions(data),
        years=charts.columns(_year_rows(data), title="各时期文档数 documents per period"),
        groups=_group_rows(data),
        topics=_topic_rows(data),
        balance=_balance(data.counts),
        trends_csv=_csv(data.trends if data.grouped.empty else data.grouped.drop(columns="group")),
        any_coded=bool(data.codebook.ids("classifier")),
        any_quotes=any(data.quotes.values()),
        provenance=card.flat(data.provenance),
        card=card.table(data.card, data.codebook),
    )
    return page.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate must not stop the report


def _policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """Return a content security policy under which only these very texts apply as style and script."""
    style, script = (" ".join(f"'sha256-{_hash(text)}'" for text in texts) for texts in (styles, scripts))
    return f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


Lines = Mapping[str, charts.Series]  # by label id


def _lines(table: pd.DataFrame, codebook: Codebook) -> Lines:
    """Return the series of every label; those that a classifier decides take the first colours, eight in turn."""
    order = [*codebook.ids("classifier"), *codebook.ids("terms")]
    return {
        label_id: charts.series(table, label_id, name=codebook.label(label_id).name, colour=i % COLOURS + 1)
        for i, label_id in enumerate(order)
    }


def _dimensions(data: ReportData) -> list[dict[str, Any]]:
    """Return each dimension that has labels: its headline chart, its labels, its numbers as a table."""
    trends = _lines(data.trends, data.codebook)
    headline = trends if data.headline.empty else _lines(data.headline, data.codebook)
    axes = {}
    for kind in ("classifier", "terms"):
        lines = [trends[label_id] for label_id in data.codebook.ids(kind)]
        axes[kind] = {"top": charts.ceiling(lines), "shown": charts.span(lines)}
    used = {label.dimension for label in data.codebook.labels}
    return [
        _dimension(data, dimension, (headline, trends), axes[dimension.decided_by])
        for dimension in data.codebook.dimensions
        if dimension.id in used
    ]


def _dimension(
    data: ReportData, dimension: Dimension, lines: tuple[Lines, Lines], axis: Mapping[str, Any]
) -> dict[str, Any]:
    labels = [label for label in data.codebook.labels if label.dimension == dimension.id]
    head, trend = ([part[label.id] for label in labels] for part in lines)
    shown = charts.span(head, solid=True)
    drawn = [line for line in head if line.points]
    return {
        "dimension": dimension,
        "coded": dimension.decided_by == "classifier",
        "overlay": charts.trend(drawn, title=f"{dimension.name} {dimension.name_en}", shown=shown, wide=True),
        "cropped": shown != charts.span(head),
        "labels": [_label(data, label, pair, axis) for label, *pair in zip(labels, head, trend, strict=True)],
        "table": _period_rows(trend),
    }


def _label(data: ReportData, label: Label, lines: Sequence[charts.Series], axis: Mapping[str, Any]) -> dict[str, Any]:
    """Return one label's chart, finding and quotes; `lines` are its headline and its trend."""
    head, line = lines
    trends = data.trends
    return {
        "label": label,
        "colour": line.colour,
        "chart": charts.trend([line], title=f"{label.name} {label.name_en}", **axis) if line.points else Markup(),
        "groups": _group_chart(data, label),
        "finding": findings.sentence(head, name_en=label.name_en, level=data.level) if head.points else None,
        "quotes": [quotes.view(quote) for quote in data.quotes.get(label.id, ())],
        "passages": _sum(trends, label.id, "tagged"),
        "undecided": _sum(trends, label.id, "abstained"),
    }


def _sum(trends: pd.DataFrame, label_id: str, column: str) -> int:
    return 0 if column not in trends else int(trends.loc[trends["label"] == label_id, column].fillna(0).sum())


def _group_chart(data: ReportData, label: Label) -> Markup:
    """Return a chart with a line a group, for the groups that have most documents."""
    if data.grouped.empty or label.id not in data.codebook.ids("classifier"):
        return Markup()
    sizes = data.grouped.groupby("group")["documents"].sum().sort_values(ascending=False, kind="stable")
    lines = [
        charts.series(data.grouped[data.grouped["group"] == group], label.id, name=str(group), colour=i)
        for i, group in enumerate(sizes.index[:GROUPS_SHOWN], start=1)
    ]
    title = f"{label.name} {label.name_en}"
    return charts.trend([line for line in lines if line.points], title=title, wide=True, disjoint=True)


def _period_rows(lines: Sequence[charts.Series]) -> list[tuple[str, int, list[str]]]:
    """Return (period, documents, share and interval of each series) for the table behind the charts.

    Empty where there are too many periods to read.
    """
    points = {(line.name, p.at): p for line in lines for p in line.points}
    places = sorted({p.at: p for line in lines for p in line.points}.items())
    if len(places) > MOST_ROWS:
        return []
    rows = []
    for at, any_point in places:
        cells = []
        for line in lines:
            p = points.get((line.name, at))
            cells.append(f"{charts.percent(p.share)} ({charts.interval(p.low, p.high)})" if p else "–")
        rows.append((any_point.period, any_point.documents, cells))
    return rows


def _year_rows(data: ReportData) -> list[tuple[str, int]]:
    return [(str(row["period"]), int(row["documents"])) for row in data.years.to_dict("records")]


_GROUPS = {
    "region": ("地区", "region"),
    "script": ("字体", "script"),
    "genre": ("文体", "genre"),
    "format": ("格式", "format"),
}
_VALUES = {
    "hans": "简体 simplified",
    "hant": "繁體 traditional",
    "mixed": "繁简混用 mixed",
    "none": "无汉字 none",
    "CN": "中国大陆 CN",
    "TW": "台湾 TW",
    "HK": "香港 HK",
    "MO": "澳门 MO",
}


def _group_rows(data: ReportData) -> list[dict[str, Any]]:
    out = []
    for key, table in data.groups.items():
        if table.empty:
            continue
        rows = [
            {**row, "value": _VALUES.get(str(row["value"]), row["value"]) if pd.notna(row["value"]) else "未知 unknown"}
            for row in table.to_dict("records")
        ]
        zh, en = _GROUPS.get(key, (key, key))
        out.append({"zh": zh, "en": en, "rows": rows})
    return out


def _topic_rows(data: ReportData) -> list[dict[str, Any]]:
    most = max((topic.share for topic in data.topics), default=0.0) or 1.0
    return [
        {
            "topic": topic,
            "bar": round(100 * topic.share / most, 1),
            "spark": charts.spark([share for _, share in topic.periods], title=_spark_title(topic)),
            "quotes": [quotes.view(quote) for quote in topic.quotes],
        }
        for topic in data.topics
    ]


def _spark_title(topic: Topic) -> str:
    known = [(period, share) for period, share in topic.periods if share is not None]
    if not known:
        return ""
    (first, a), (last, b) = known[0], known[-1]
    return f"{first}: {charts.percent(a)} → {last}: {charts.percent(b)}"


def _balance(counts: Mapping[str, int]) -> dict[str, Any] | None:
    """Return read, stored, duplicates, skipped and whether they add up; None when nothing was counted."""
    if not counts:
        return None
    parts = {key: int(counts.get(key, 0)) for key in ("stored", "duplicates", "skipped")}
    total = sum(parts.values())
    read = int(counts.get("read", total))
    return {**parts, "read": read, "adds_up": read == total, "total": total}


def _csv(trends: pd.DataFrame) -> str:
    """Return the trends as CSV for the page's own button; empty when there are none or too many."""
    text = "" if trends.empty else trends.to_csv(index=False)
    return text if len(text) <= MOST_CSV else ""
