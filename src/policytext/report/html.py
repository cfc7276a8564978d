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
from policytext.report import charts, findings, templating

COLOURS = 8  # classes s1 ... s8 of the page
GROUPS_SHOWN = 5  # lines of a chart by group; more cannot be told apart
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
    place: str = ""  # inside a file that holds many documents
    evidence: tuple[Evidence, ...] = ()


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
        dimensions=[shown for d in data.codebook.dimensions if (shown := _dimension(data, d))["labels"]],
        years=charts.columns(_year_rows(data), title="各时期文档数 documents per period"),
        groups=_group_rows(data),
        topics=_topic_rows(data),
        balance=_balance(data.counts),
        trends_csv=_csv(data.trends),
        any_coded=bool(data.codebook.ids("classifier")),
        any_quotes=any(data.quotes.values()),
        provenance=_flat(data.provenance),
        card=_card(data),
    )
    return page.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate must not stop the report


def _policy(styles: Iterable[str], scripts: Iterable[str]) -> str:
    """Return a content security policy under which only these very texts apply as style and script."""
    style, script = (" ".join(f"'sha256-{_hash(text)}'" for text in texts) for texts in (styles, scripts))
    return f"default-src 'none'; style-src {style}; script-src {script}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _dimension(data: ReportData, dimension: Dimension) -> dict[str, Any]:
    """Return one dimension's headline chart and, per label, chart, finding and quotes."""
    labels = [label for label in data.codebook.labels if label.dimension == dimension.id]
    head = [_line(data, data.trends if data.headline.empty else data.headline, label) for label in labels]
    shown = charts.span(head, solid=True)
    title = f"{dimension.name} {dimension.name_en}"
    overlay = charts.trend([line for line in head if line.points], title=title, shown=shown, wide=True)
    lines = [_line(data, data.trends, label) for label in labels]
    axis = _shared_axis(data, dimension.decided_by)
    return {
        "dimension": dimension,
        "coded": dimension.decided_by == "classifier",
        "overlay": overlay,
        "cropped": shown != charts.span(head),
        "labels": [
            _label(data, label, (one, line), axis) for label, one, line in zip(labels, head, lines, strict=True)
        ],
        "table": _period_rows(lines),
    }


def _label(
    data: ReportData,
    label: Label,
    lines: tuple[charts.Series, charts.Series],
    axis: tuple[float, tuple[int, int] | None],
) -> dict[str, Any]:
    """Return one label's chart, finding and quotes; `lines` are its headline and its trend."""
    head, line = lines
    title = f"{label.name} {label.name_en}"
    trends = data.trends
    return {
        "label": label,
        "colour": line.colour,
        "chart": charts.trend([line], title=title, top=axis[0], shown=axis[1]) if line.points else Markup(),
        "groups": _group_chart(data, label),
        "finding": findings.sentence(head, name_en=label.name_en, level=data.level) if head.points else None,
        "quotes": [_quote(quote) for quote in data.quotes.get(label.id, ())],
        "passages": 0 if trends.empty else int(trends.loc[trends["label"] == label.id, "tagged"].fillna(0).sum()),
    }


def _group_chart(data: ReportData, label: Label) -> Markup:
    """Return a chart with a line a group, for the groups that have most documents."""
    if data.grouped.empty or label.id not in data.codebook.ids("classifier"):
        return Markup()
    sizes = data.grouped.groupby("group")["documents"].sum().sort_values(ascending=False, kind="stable")
    lines = [
        charts.series(data.grouped[data.grouped["group"] == group], label.id, name=str(group), colour=i)
        for i, group in enumerate(sizes.index[:GROUPS_SHOWN], start=1)
    ]
    return charts.trend([line for line in lines if line.points], title=f"{label.name} {label.name_en}", wide=True)


def _period_rows(lines: Sequence[charts.Series]) -> list[tuple[str, int, list[str]]]:
    """Return (period, documents, share and interval of each series) for the table behind the charts."""
    points = {(line.name, p.at): p for line in lines for p in line.points}
    places = sorted({p.at: p for line in lines for p in line.points}.items())
    rows = []
    for at, any_point in places:
        cells = []
        for line in lines:
            p = points.get((line.name, at))
            cells.append(f"{charts.percent(p.share)} ({charts.interval(p.low, p.high)})" if p else "–")
        rows.append((any_point.period, any_point.documents, cells))
    return rows


def _line(data: ReportData, table: pd.DataFrame, label: Label) -> charts.Series:
    return charts.series(table, label.id, name=label.name, colour=_colour(data.codebook, label))


def _colour(codebook: Codebook, label: Label) -> int:
    """Labels that a classifier decides come first, in the codebook's order; colours repeat after eight."""
    order = [*codebook.ids("classifier"), *codebook.ids("terms")]
    return order.index(label.id) % COLOURS + 1


def _shared_axis(data: ReportData, decided_by: str) -> tuple[float, tuple[int, int] | None]:
    """Return the top share and the span of periods that the small charts of one kind share."""
    lines = [_line(data, data.trends, data.codebook.label(label_id)) for label_id in data.codebook.ids(decided_by)]
    return charts.ceiling(lines), charts.span(lines)


def _quote(quote: Quote) -> dict[str, Any]:
    """Return a quote cut to size, as pieces of (text, terms that mark it or None)."""
    text, spans = cut(quote.text, quote.evidence)
    terms = list(dict.fromkeys(e.term for e in quote.evidence if e.term))
    return {
        "quote": quote,
        "pieces": pieces(text, spans),
        "terms": terms,
        "lang": SCRIPTS.get(quote.script, "zh"),
        "probability": _probability(quote.probability),
    }


def _probability(value: float | None) -> str:
    """Return a probability as text; no model is certain, so 0.998 is not shown as 1.00."""
    if value is None:
        return ""
    return "> 0.99" if value > 0.99 else f"= {value:.2f}"


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


def pieces(text: str, evidence: Iterable[Evidence]) -> list[tuple[str, str | None, bool]]:
    """Return the text in order as (piece, what marks it, whether a term or pattern does and not a weight alone).

    Overlapping evidence is one piece.

    >>> pieces("推进政务公开", [Evidence(2, 6, "政务公开", "lexicon")])
    [('推进', None, False), ('政务公开', 'lexicon: 政务公开', True)]
    """
    out: list[tuple[str, str | None, bool]] = []
    at = 0
    for start, end, whys in _merged(evidence, len(text)):
        if start > at:
            out.append((text[at:start], None, False))
        firm = any(not why.startswith("classifier") for why in whys)
        out.append((text[start:end], " · ".join(whys), firm))
        at = end
    if at < len(text):
        out.append((text[at:], None, False))
    return out


def _merged(evidence: Iterable[Evidence], length: int) -> list[tuple[int, int, list[str]]]:
    spans: list[tuple[int, int, list[str]]] = []
    for e in sorted(evidence, key=lambda e: (e.start, e.end, e.term)):
        start, end = max(0, e.start), min(e.end, length)
        if start >= end:
            continue
        why = f"{e.method}: {e.term}" if e.term else e.method
        if spans and start < spans[-1][1]:
            before = spans.pop()
            spans.append((before[0], max(before[1], end), list(dict.fromkeys([*before[2], why]))))
        else:
            spans.append((start, end, [why]))
    return spans


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


_METRICS = {
    "positives": "训练正例 positives",
    "precision": "精确率 precision",
    "recall": "召回率 recall",
    "f1": "F1",
    "expected_calibration_error": "校准误差 ECE",
    "abstain_f1": "弃权后 F1 with abstention",
    "thresholds": "阈值 threshold",
}


def _card(data: ReportData) -> dict[str, Any]:
    """Return the classifier's card: a table of whatever it says by label, its limits, and the rest as rows.

    A card holds mappings label -> number (`f1`), or label -> mapping of numbers (`scores`), at the top or one level in.
    """
    labels = data.codebook.ids("classifier")
    columns: dict[str, Mapping[str, Any]] = {}
    overall: dict[str, float] = {}
    for part in (data.card, *(value for value in data.card.values() if isinstance(value, Mapping))):
        for key, value in part.items():
            if isinstance(value, Mapping):
                columns |= _by_label(str(key), value, labels)
            elif _is_number(value) and "f1" in str(key):
                overall[str(key)] = value
    order = [*(key for key in _METRICS if key in columns), *(key for key in columns if key not in _METRICS)]
    limits = data.card.get("limits", ())
    return {
        "columns": [_METRICS.get(key, key) for key in order],
        "rows": [(data.codebook.label(label), [_number(columns[key].get(label)) for key in order]) for label in labels]
        if order
        else [],
        "overall": [(key, _number(value)) for key, value in overall.items()],
        "labelled_by": str(data.card.get("labelled_by", "")),
        "limits": [str(limit) for limit in limits] if isinstance(limits, (list, tuple)) else [str(limits)],
        "rest": [(key, value[:300]) for key, value in _flat(data.card)[:80]],
    }


def _by_label(key: str, value: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return columns label -> number out of one mapping; empty if it is about something else."""
    found = {label: value[label] for label in labels if label in value}
    if found and all(_is_number(cell) for cell in found.values()):
        return {key: found}
    if found and all(isinstance(cell, Mapping) for cell in found.values()):
        names = dict.fromkeys(name for cell in found.values() for name, item in cell.items() if _is_number(item))
        return {str(name): {label: cell.get(name) for label, cell in found.items()} for name in names}
    return {}


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> str:
    if not _is_number(value):
        return "–"
    return f"{value:.3f}" if isinstance(value, float) else f"{value:,}"
