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

import jinja2
import pandas as pd
from markupsafe import Markup

from policytext.codebook import Codebook, Label
from policytext.report import charts, findings

COLOURS = 8  # classes s1 ... s8 of the page
MAX_QUOTE = 600  # code points of a quoted passage; longer ones are cut around their evidence
SCRIPTS = {"hans": "zh-Hans", "hant": "zh-Hant", "mixed": "zh", "none": "und"}


@dataclass(frozen=True)
class Evidence:
    """Why a tag was set: a span of the quoted text."""

    start: int
    end: int
    term: str
    method: str  # lexicon, pattern, classifier, hand


@dataclass(frozen=True)
class Quote:
    """A passage in the script it was written in; evidence spans count code points of `text`."""

    label: str
    text: str
    title: str | None
    source: str | None  # outlet or issuer
    date: str | None
    path: str
    script: str = "none"
    probability: float | None = None
    method: str = ""
    heading: str = ""
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Topic:
    """A topic with its words (heaviest first), its share of passages, over the periods, and where it shows best."""

    topic: int
    words: tuple[tuple[str, float], ...]
    share: float
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
    topics: Sequence[Topic] = ()
    quotes: Mapping[str, Sequence[Quote]] = field(default_factory=dict)  # by label id, strongest first
    counts: Mapping[str, int] = field(default_factory=dict)  # read, stored, duplicates, skipped
    skipped: pd.DataFrame = field(default_factory=pd.DataFrame)  # path, room, reason; the first few
    reprints: pd.DataFrame = field(default_factory=pd.DataFrame)  # title, documents, first, last, sources
    card: Mapping[str, Any] = field(default_factory=dict)  # of the classifier
    provenance: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    level: float = 0.95
    period: str = "year"


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
    style, chart_style, script = (_asset(name) for name in ("page.css", "chart.css", "page.js"))
    dimensions = [_dimension(data, dimension.id) for dimension in data.codebook.dimensions]
    page = _template().render(
        data=data,
        policy=_policy((style, chart_style), (script,)),
        style=Markup(style),  # noqa: S704 - our own file
        chart_style=Markup(chart_style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        dimensions=[dimension for dimension in dimensions if dimension["labels"]],
        years=_years_chart(data),
        groups=_group_rows(data),
        topics=_topic_rows(data),
        balance=_balance(data.counts),
        trends_csv=_csv(data.trends),
        any_coded=bool(data.codebook.ids("classifier")),
        any_quotes=any(data.quotes.values()),
        provenance=_flat(data.provenance),
        scores=_scores(data.card),
    )
    return page.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate must not stop the report


def _template() -> jinja2.Template:
    return charts.environment().get_template("report.html.j2")


def _asset(name: str) -> str:
    return (charts.TEMPLATES / name).read_text(encoding="utf-8")


def _policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """Return a content security policy under which only these very texts apply as style and script."""
    style, script = (" ".join(f"'sha256-{_hash(text)}'" for text in texts) for texts in (styles, scripts))
    return f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _dimension(data: ReportData, dimension_id: str) -> dict[str, Any]:
    """Return one dimension's overlay chart and, per label, chart, finding and quotes."""
    dimension = next(d for d in data.codebook.dimensions if d.id == dimension_id)
    labels = [label for label in data.codebook.labels if label.dimension == dimension_id]
    coded = dimension.decided_by == "classifier"
    lines = {label.id: _line(data, label) for label in labels}
    shared = _shared_axis(data, dimension.decided_by)
    periods = {"quarter": 4, "month": 12}.get(data.period, 1)
    overlay = [line for line in lines.values() if line.points]
    title = f"{dimension.name} {dimension.name_en}"
    return {
        "dimension": dimension,
        "coded": coded,
        "overlay": Markup(charts.trend(overlay, title=title, periods=periods, wide=True)),  # noqa: S704
        "labels": [_label(data, label, lines[label.id], shared, periods) for label in labels],
    }


def _label(
    data: ReportData, label: Label, line: charts.Series, shared: tuple[float, tuple[int, int] | None], periods: int
) -> dict[str, Any]:
    top, shown = shared
    chart = charts.trend([line], title=f"{label.name} {label.name_en}", periods=periods, top=top, shown=shown)
    return {
        "label": label,
        "colour": line.colour,
        "chart": Markup(chart if line.points else ""),  # noqa: S704 - made from escaped parts by our own template
        "finding": findings.sentence(line, name_en=label.name_en, level=data.level) if line.points else None,
        "quotes": [_quote(quote) for quote in data.quotes.get(label.id, ())],
        "passages": sum(point.tagged for point in line.points),
    }


def _line(data: ReportData, label: Label) -> charts.Series:
    return charts.series(data.trends, label.id, name=label.name, colour=_colour(data.codebook, label))


def _colour(codebook: Codebook, label: Label) -> int:
    """Labels that a classifier decides come first, in the codebook's order; colours repeat after eight."""
    order = [*codebook.ids("classifier"), *codebook.ids("terms")]
    return order.index(label.id) % COLOURS + 1


def _shared_axis(data: ReportData, decided_by: str) -> tuple[float, tuple[int, int] | None]:
    """Return the top share and the span of periods that the small charts of one kind share."""
    lines = [_line(data, data.codebook.label(label_id)) for label_id in data.codebook.ids(decided_by)]
    return charts.ceiling(lines), charts.span(lines)


def _quote(quote: Quote) -> dict[str, Any]:
    """Return a quote cut to size, as pieces of (text, terms that mark it or None)."""
    text, spans = cut(quote.text, quote.evidence)
    terms = list(dict.fromkeys(e.term for e in quote.evidence if e.term))
    return {"quote": quote, "pieces": pieces(text, spans), "terms": terms, "lang": SCRIPTS.get(quote.script, "zh")}


def cut(text: str, evidence: Sequence[Evidence], *, most: int = MAX_QUOTE) -> tuple[str, list[Evidence]]:
    """Return a passage of at most `most` code points around its first evidence, and the evidence that is left in it."""
    if len(text) <= most:
        return text, list(evidence)
    first = min((e.start for e in evidence), default=0)
    start = max(0, min(first - most // 4, len(text) - most))
    lead = "…" if start else ""
    shift = len(lead) - start
    kept = [
        Evidence(max(e.start, start) + shift, min(e.end, start + most) + shift, e.term, e.method)
        for e in evidence
        if e.start < start + most and e.end > start
    ]
    return lead + text[start : start + most] + ("…" if start + most < len(text) else ""), kept


def pieces(text: str, evidence: Iterable[Evidence]) -> list[tuple[str, str | None]]:
    """Return the text in order as (piece, what marks it); overlapping evidence is one piece.

    >>> pieces("推进政务公开", [Evidence(2, 6, "政务公开", "lexicon")])
    [('推进', None), ('政务公开', 'lexicon: 政务公开')]
    """
    out: list[tuple[str, str | None]] = []
    at = 0
    for start, end, why in _merged(evidence, len(text)):
        if start > at:
            out.append((text[at:start], None))
        out.append((text[start:end], why))
        at = end
    if at < len(text):
        out.append((text[at:], None))
    return out


def _merged(evidence: Iterable[Evidence], length: int) -> list[tuple[int, int, str]]:
    spans: list[tuple[int, int, list[str]]] = []
    for e in sorted(evidence, key=lambda e: (e.start, e.end, e.term)):
        start, end = max(0, e.start), min(e.end, length)
        if start >= end:
            continue
        why = f"{e.method}: {e.term}" if e.term else e.method
        if spans and start < spans[-1][1]:
            before = spans.pop()
            spans.append((before[0], max(before[1], end), [*before[2], why]))
        else:
            spans.append((start, end, [why]))
    return [(start, end, " · ".join(dict.fromkeys(whys))) for start, end, whys in spans]


def _years_chart(data: ReportData) -> Markup:
    rows = [
        (place[0], str(row["period"]), int(row["documents"]))
        for row in data.years.to_dict("records")
        if (place := charts.position(str(row["period"])))
    ]
    return Markup(charts.columns(sorted(rows), title="每年文档数 documents per year"))  # noqa: S704


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
            "spark": Markup(  # noqa: S704
                charts.spark([share for _, share in topic.periods], title=_spark_title(topic))
            ),
            "quotes": [_quote(quote) for quote in topic.quotes],
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
    """Return the trends as CSV for the page's own button; empty when there are none."""
    return "" if trends.empty else trends.to_csv(index=False)


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Return nested provenance as (dotted key, text) rows."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            rows += _flat(value, f"{name}.")
        elif isinstance(value, (list, tuple)):
            rows.append((name, ", ".join(str(item) for item in value)))
        else:
            rows.append((name, "–" if value is None else str(value)))
    return rows


def _scores(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the classifier's scores per label as a table of texts, its overall scores, and the rest of its card."""
    scores = card.get("scores", {})
    scores = scores if isinstance(scores, Mapping) else {}
    per_label = scores.get("labels", scores)
    rows = {str(key): row for key, row in per_label.items() if isinstance(row, Mapping)}
    columns = list(dict.fromkeys(name for row in rows.values() for name, value in row.items() if _is_number(value)))
    return {
        "columns": columns,
        "rows": [
            {"label": key, "cells": {name: _number(row.get(name)) for name in columns}} for key, row in rows.items()
        ],
        "overall": [(key, _number(value)) for key, value in scores.items() if _is_number(value)],
        "rest": [(k, v[:300]) for k, v in _flat({k: v for k, v in card.items() if k != "scores"})[:60]],
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> str:
    if not _is_number(value):
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
