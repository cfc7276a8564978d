"""From the store to what the page shows, by SQL: only the few documents that are quoted leave the database."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from policytext.codebook import Codebook
from policytext.config import Config
from policytext.report import strongest, windows
from policytext.report.html import ReportData, Topic
from policytext.report.queries import CODED, Queryable, as_rows, text_or_none

TOPIC_WORDS = 12
_PERIODS = {
    "year": "left(date, 4)",
    "quarter": "left(date, 4) || 'Q' || ((CAST(substr(date, 6, 2) AS INTEGER) + 2) // 3)",
    "month": "left(date, 7)",
}
_LONG_ENOUGH = {"year": 4, "quarter": 7, "month": 7}  # characters of an ISO date that the period needs


def gather(
    store: Queryable,
    codebook: Codebook,
    config: Config,
    *,
    trends: pd.DataFrame | None = None,
    provenance: Mapping[str, Any] | None = None,
    notes: Sequence[str] = (),
) -> ReportData:
    """Return what the page shows of a store.

    Args:
        store: open for reading.
        codebook: the one that the tags were made with.
        config: title, period, level, and how much to show.
        trends: label, period, documents, clusters, passages, tagged, abstained, share, low, high over the whole corpus;
            None: computed here.
        provenance: versions, hashes, times, and the classifier's card under `model`; None takes the last row of `runs`.
        notes: sentences that a reader of the figures should know.
    """
    totals = _totals(store)
    provenance = provenance or _last_run(store)
    model = provenance.get("model")
    documents = windows.per_document(store, reprints=config.trends.reprints)
    shares = _shares(store, codebook, config, documents, trends)
    return ReportData(
        title=config.report.title,
        subtitle=f"{codebook.title} · {codebook.title_en}",
        codebook=codebook,
        totals=totals,
        groups=_groups(store) if totals["documents"] else {},
        years=_years(store, config.trends.period),
        **shares,
        topics=_topics(store, config, documents, shares["window"]),
        quotes=strongest.by_label(store, codebook, config.report.passages_per_label),
        counts=_counts(store),
        skipped=_skipped(store, config.report.max_skipped),
        reprints=_reprints(store),
        card=model if isinstance(model, Mapping) else {},
        provenance={key: value for key, value in provenance.items() if key != "model"},
        notes=notes,
        level=config.trends.level,
    )


def _shares(
    store: Queryable, codebook: Codebook, config: Config, documents: pd.DataFrame, trends: pd.DataFrame | None
) -> dict[str, Any]:
    """Return trends, headline and window of the page."""
    hits = windows.tagged(store)
    settings = config.trends
    texts = documents.assign(unit=windows.units_of(documents)).drop_duplicates("unit")
    years = windows.width([int(date[:4]) for date in texts["date"].dropna() if date[:4].isdigit()])

    def whole(width: int) -> pd.DataFrame:
        return windows.trend(documents, hits, codebook.ids(), period=settings.period, years=width, level=settings.level)

    plain = whole(1) if trends is None else trends
    return {"trends": plain, "headline": plain if years == 1 else whole(years), "window": years}


def grouped(trends: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return trends by the fields `by` as `ReportData.grouped` takes them, for charts by group and the page's file."""
    group = trends[by[0]].astype("str")
    for name in by[1:]:
        group = group + " · " + trends[name].astype("str")
    return trends.assign(group=group)


def _totals(store: Queryable) -> dict[str, Any]:
    documents = as_rows(
        store.sql(
            "SELECT count(*) AS documents, coalesce(sum(length(original)), 0) AS characters, min(date) AS first,"
            " max(date) AS last, count(*) - count(date) AS undated FROM documents"
        )
    )[0]
    (passages,) = as_rows(
        store.sql(f"SELECT count(*) AS passages, count(*) FILTER (WHERE {CODED}) AS coded FROM passages")
    )
    dates = {key: text_or_none(documents[key]) for key in ("first", "last")}
    numbers = {key: int(value) for key, value in {**documents, **passages}.items() if key not in dates}
    return {**numbers, **dates}


def _groups(store: Queryable) -> dict[str, pd.DataFrame]:
    """Return documents, passages and characters by region, script, genre and format; at most twelve rows each."""
    table = store.sql(
        """
        WITH counted AS (SELECT doc_id, count(*) AS n FROM passages GROUP BY doc_id),
        sized AS (
            SELECT d.region, d.script, d.genre, d.format, coalesce(c.n, 0) AS n, length(d.original) AS size
            FROM documents d LEFT JOIN counted c ON c.doc_id = d.id
        )
        SELECT grouping_id(region, script, genre, format) AS of, coalesce(region, script, genre, format) AS value,
            count(*) AS documents, CAST(sum(n) AS BIGINT) AS passages, CAST(sum(size) AS BIGINT) AS characters
        FROM sized GROUP BY GROUPING SETS ((region), (script), (genre), (format))
        ORDER BY documents DESC, value
        """
    )
    bits = {"region": 0b0111, "script": 0b1011, "genre": 0b1101, "format": 0b1110}  # set where a column is summed over
    return {key: table.loc[table["of"] == bit].drop(columns="of").head(12) for key, bit in bits.items()}


def _years(store: Queryable, period: str) -> pd.DataFrame:
    return store.sql(
        f"SELECT {_PERIODS[period]} AS period, count(*) AS documents FROM documents"
        f" WHERE length(date) >= {_LONG_ENOUGH[period]} GROUP BY 1 ORDER BY 1"
    )


def _counts(store: Queryable) -> dict[str, int]:
    """Return stored, duplicates and skipped as the tables hold them, and `read` as the files' own counts of members."""
    row = as_rows(
        store.sql(
            "SELECT (SELECT count(*) FROM documents) AS stored, (SELECT count(*) FROM duplicates) AS duplicates,"
            " (SELECT count(*) FROM skipped) AS skipped, (SELECT CAST(sum(members) AS BIGINT) FROM files) AS read"
        )
    )[0]
    return {key: int(value) for key, value in row.items() if pd.notna(value)}


def _skipped(store: Queryable, most: int) -> pd.DataFrame:
    return store.sql("SELECT path, room, reason FROM skipped ORDER BY path, reason LIMIT ?", [most])


def _reprints(store: Queryable) -> pd.DataFrame:
    """Return the largest clusters of near-identical documents."""
    return store.sql(
        """
        SELECT min(coalesce(d.title, d.path)) AS title, count(*) AS documents,
            coalesce(string_agg(DISTINCT coalesce(d.outlet, d.issuer), '、' ORDER BY coalesce(d.outlet, d.issuer)), '')
                AS sources,
            concat_ws(' – ', min(d.date), CASE WHEN max(d.date) > min(d.date) THEN max(d.date) END) AS dates
        FROM reprints r JOIN documents d ON d.id = r.doc_id
        GROUP BY r.cluster HAVING count(*) > 1 ORDER BY documents DESC, title LIMIT 20
        """
    )


def _last_run(store: Queryable) -> dict[str, Any]:
    found = as_rows(store.sql("SELECT * FROM runs ORDER BY started DESC LIMIT 1"))
    return {key: _parsed(value) for key, value in found[0].items()} if found else {}


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _topics(store: Queryable, config: Config, documents: pd.DataFrame, years: int) -> list[Topic]:
    """Return the topics by share of passages, each with its heaviest words, its course and its clearest passage.

    A passage counts for its strongest topic, in the documents that count in trends. Passages that no topic fits come
    last, as topic -1 without words.
    """
    words = store.sql("SELECT topic, term, weight FROM topic_terms WHERE rank < ? ORDER BY topic, rank", [TOPIC_WORDS])
    if words.empty:
        return []
    passages = store.sql("SELECT doc_id, topic, count(*) AS n FROM topics GROUP BY ALL ORDER BY ALL")
    names = windows.window_names(documents["date"], period=config.trends.period, years=years)
    known = documents.assign(unit=windows.units_of(documents), period=names)[["doc_id", "unit", "period"]]
    table = passages.merge(known, on="doc_id")
    terms = {int(str(key)): rows for key, rows in words.groupby("topic")}
    shares = _topic_shares(table, config.trends.level)
    examples = strongest.of_topics(store)
    out = []
    for topic in sorted({*terms, *shares}):
        rows = terms.get(topic, words.iloc[:0])
        share, low, high = shares.get(topic, (0.0, None, None))
        out.append(
            Topic(
                topic=topic,
                words=tuple((str(t), float(w)) for t, w in zip(rows["term"], rows["weight"], strict=True)),
                share=share,
                low=low,
                high=high,
                periods=_course(table, topic),
                quotes=tuple(examples.get(topic, ())) if topic >= 0 else (),
            )
        )
    return sorted(out, key=lambda topic: (topic.topic < 0, -topic.share, topic.topic))


def _topic_shares(table: pd.DataFrame, level: float) -> dict[int, tuple[float, float | None, float | None]]:
    """Return topic -> share of passages, low, high, clustered by document, reprints as one.

    `table` has topic, n and unit of each document.
    """
    if table.empty:
        return {}
    doc, ids = pd.factorize(table["doc_id"])
    units = np.bincount(doc, weights=table["n"]).astype(float)
    unit = np.zeros(len(ids), np.int64)
    unit[doc] = table["unit"]
    out: dict[int, tuple[float, float | None, float | None]] = {}
    for topic, rows in table.groupby("topic"):
        hits = np.zeros(len(ids))
        hits[doc[rows.index]] = rows["n"]
        found = windows.shares(np.zeros(len(ids), np.int64), hits, units, unit, level=level)
        out[int(str(topic))] = (float(found["share"][0]), float(found["low"][0]), float(found["high"][0]))
    return out


def _course(table: pd.DataFrame, topic: int) -> tuple[tuple[str, float], ...]:
    """Return (period, share of that period's passages) in time order."""
    every = table.dropna(subset="period").groupby("period")["n"].sum()
    own = table[table["topic"] == topic].dropna(subset="period").groupby("period")["n"].sum()
    return tuple((str(period), float(own.get(period, 0)) / float(n)) for period, n in every.items())
