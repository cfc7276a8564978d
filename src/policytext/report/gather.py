"""From the store to what the page shows, by SQL: only the few documents that are quoted leave the database."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from policytext.codebook import Codebook
from policytext.config import Config
from policytext.records import Alignment
from policytext.report import windows
from policytext.report.html import Evidence, Quote, ReportData, Topic
from policytext.report.windows import CODED, Queryable

TOPIC_WORDS = 12
NEAR = 0.05  # a passage this close to a label's highest probability may be quoted for the sake of variety
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
        trends: label, period, documents, passages, tagged, share, low, high; None leaves the trend charts out.
        provenance: versions, hashes, times, and the classifier's card under `model`; None takes the last row of `runs`.
        notes: sentences that a reader of the figures should know.
    """
    totals = _totals(store)
    provenance = provenance or _last_run(store)
    model = provenance.get("model")
    shares = _shares(store, codebook, config, trends)
    return ReportData(
        title=config.report.title,
        subtitle=f"{codebook.title} · {codebook.title_en}",
        codebook=codebook,
        totals=totals,
        groups=_groups(store) if totals["documents"] else {},
        years=_years(store, config.trends.period),
        **shares,
        topics=_topics(store, config),
        quotes=_strongest(store, codebook, config.report.passages_per_label),
        counts=_counts(store),
        skipped=_skipped(store, config.report.max_skipped),
        reprints=_reprints(store),
        card=model if isinstance(model, Mapping) else {},
        provenance={key: value for key, value in provenance.items() if key != "model"},
        notes=notes,
        level=config.trends.level,
    )


def _shares(store: Queryable, codebook: Codebook, config: Config, trends: pd.DataFrame | None) -> dict[str, Any]:
    """Return trends, grouped, headline and window of the page.

    The trends given are shown as they are when they have one row a period. With groups they become the charts by
    group, and the whole is computed here.
    """
    documents = windows.per_document(store, reprints=config.trends.reprints)
    hits = windows.tagged(store)
    settings = config.trends
    years = windows.width([int(date[:4]) for date in documents["date"].dropna() if date[:4].isdigit()])

    def whole(width: int) -> pd.DataFrame:
        return windows.trend(documents, hits, codebook.ids(), period=settings.period, years=width, level=settings.level)

    by = [name for name in settings.by if trends is not None and name in trends]
    plain = trends if trends is not None and not by else whole(1)
    return {
        "trends": plain,
        "grouped": pd.DataFrame() if trends is None or not by else _grouped(trends, by),
        "headline": plain if years == 1 else whole(years),
        "window": years,
    }


def _grouped(trends: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    group = trends[by[0]].astype("str")
    for name in by[1:]:
        group = group + " · " + trends[name].astype("str")
    return trends.assign(group=group)


def _totals(store: Queryable) -> dict[str, Any]:
    documents = _rows(
        store.sql(
            "SELECT count(*) AS documents, coalesce(sum(length(original)), 0) AS characters, min(date) AS first,"
            " max(date) AS last, count(*) - count(date) AS undated FROM documents"
        )
    )[0]
    passages = _rows(store.sql(f"SELECT count(*) AS passages, count(*) FILTER (WHERE {CODED}) AS coded FROM passages"))[
        0
    ]
    dates = {key: _text(documents[key]) for key in ("first", "last")}
    numbers = {key: int(value) for key, value in {**documents, **passages}.items() if key not in dates}
    return {**numbers, **dates}


def _groups(store: Queryable) -> dict[str, pd.DataFrame]:
    """Return documents, passages and characters by region, script, genre and format; at most twelve rows each."""
    out = {}
    for key in ("region", "script", "genre", "format"):
        out[key] = store.sql(
            f"WITH counted AS (SELECT doc_id, count(*) AS n FROM passages GROUP BY doc_id)"
            f" SELECT d.{key} AS value, count(*) AS documents, CAST(coalesce(sum(c.n), 0) AS BIGINT) AS passages,"
            f" CAST(sum(length(d.original)) AS BIGINT) AS characters"
            f" FROM documents d LEFT JOIN counted c ON c.doc_id = d.id GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 12"
        )
    return out


def _years(store: Queryable, period: str) -> pd.DataFrame:
    return store.sql(
        f"SELECT {_PERIODS[period]} AS period, count(*) AS documents FROM documents"
        f" WHERE length(date) >= {_LONG_ENOUGH[period]} GROUP BY 1 ORDER BY 1"
    )


def _counts(store: Queryable) -> dict[str, int]:
    """Return stored, duplicates and skipped as the tables hold them, and `read` as the files' own counts of members."""
    row = _rows(
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


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _last_run(store: Queryable) -> dict[str, Any]:
    rows = _rows(store.sql("SELECT * FROM runs ORDER BY started DESC LIMIT 1"))
    if not rows:
        return {}
    return {key: _parsed(value) for key, value in rows[0].items()}


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _strongest(store: Queryable, codebook: Codebook, most: int) -> dict[str, list[Quote]]:
    """Return the passages with the highest probability per label, spread over scripts and decades where they are close.

    One a document, one a text, one a cluster of reprints; ties by the number of terms, then by id.
    """
    rows = store.sql(
        f"""
        WITH yes AS (
            SELECT t.label, t.doc_id, t.n, max(t.probability) AS probability,
                string_agg(DISTINCT t.method, ' + ' ORDER BY t.method) AS method
            FROM tags t WHERE t.decision = 'yes' GROUP BY ALL
        ), why AS (
            SELECT label, doc_id, n, count(DISTINCT term) AS terms FROM evidence GROUP BY ALL
        ), best AS (
            SELECT yes.*, coalesce(why.terms, 0) AS terms FROM yes LEFT JOIN why USING (label, doc_id, n)
            QUALIFY row_number() OVER (
                PARTITION BY label, doc_id ORDER BY probability DESC NULLS LAST, terms DESC, n) = 1
        ), near AS (
            SELECT best.*, d.script, coalesce(left(d.date, 3), '') AS decade,
                coalesce(probability >= max(probability) OVER (PARTITION BY label) - {NEAR}, true) AS near
            FROM best JOIN documents d ON d.id = best.doc_id
        ), few AS (
            SELECT * FROM near QUALIFY row_number() OVER (
                PARTITION BY label, script, decade ORDER BY probability DESC NULLS LAST, terms DESC, doc_id
            ) <= {2 * most}
        )
        SELECT few.*, p.start, p.end AS stop, p.heading, md5(p.text) AS hash, r.cluster
        FROM few JOIN passages p ON p.doc_id = few.doc_id AND p.n = few.n
        LEFT JOIN reprints r ON r.doc_id = few.doc_id
        ORDER BY label, probability DESC NULLS LAST, terms DESC, few.doc_id
        """
    )
    by_label = {str(label): _rows(table) for label, table in rows.groupby("label")}
    chosen = [row for label in codebook.ids() for row in _varied(by_label.get(label, []), most)]
    quotes: dict[str, list[Quote]] = {}
    for row, quote in zip(chosen, _quotes(store, chosen), strict=True):
        quotes.setdefault(row["label"], []).append(quote)
    return quotes


def _varied(rows: Sequence[Mapping[str, Any]], most: int) -> list[Mapping[str, Any]]:
    """Return at most `most` rows: near ones first, of the script, then the decade, that has come least so far."""
    out: list[Mapping[str, Any]] = []
    seen: set[Any] = set()
    taken: Counter[str] = Counter()
    while len(out) < most:
        rows = [row for row in rows if not _identity(row) & seen]
        if not rows:
            break
        row = min(rows, key=lambda row: (not row["near"], row["near"] and _taken(row, taken)))  # the first of equals
        out.append(row)
        seen |= _identity(row)
        taken.update((row["script"], row["decade"]))
    return out


def _taken(row: Mapping[str, Any], taken: Counter[str]) -> tuple[int, int]:
    return taken[row["script"]], taken[row["decade"]]


def _identity(row: Mapping[str, Any]) -> set[Any]:
    """Return what makes two rows the same to a reader: document, text, cluster of reprints."""
    cluster = {("cluster", row["cluster"])} if pd.notna(row["cluster"]) else set()
    return {row["hash"], row["doc_id"]} | cluster


def _quotes(store: Queryable, rows: Sequence[Mapping[str, Any]]) -> list[Quote]:
    """Return quotes in the original script; rows have label, doc_id, n, start, stop, probability, method, heading."""
    if not rows:
        return []
    ids = sorted({str(row["doc_id"]) for row in rows})
    documents = {row["id"]: row for row in _rows(_documents(store, ids))}
    evidence = _evidence(store, rows)
    return [_quote(row, documents[row["doc_id"]], evidence.get(_key(row), ())) for row in rows]


def _key(row: Mapping[str, Any]) -> tuple[str, str, int]:
    return str(row["label"]), str(row["doc_id"]), int(row["n"])


def _documents(store: Queryable, ids: Sequence[str]) -> pd.DataFrame:
    return store.sql(
        "SELECT id, path, member, source_id, title, coalesce(outlet, issuer, author) AS source, date, script, original,"
        " alignment"
        " FROM documents WHERE id IN (SELECT unnest(CAST(? AS VARCHAR[])))",
        [list(ids)],
    )


def _evidence(
    store: Queryable, rows: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str, int], list[tuple[int, int, str, str]]]:
    table = store.sql(
        'SELECT label, doc_id, n, start, "end" AS stop, term, method FROM evidence'
        " WHERE doc_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY label, doc_id, n, start, stop, term",
        [sorted({str(row["doc_id"]) for row in rows})],
    )
    out: dict[tuple[str, str, int], list[tuple[int, int, str, str]]] = {}
    for row in _rows(table):
        span = (int(row["start"]), int(row["stop"]), _text(row["term"]) or "", str(row["method"]))
        out.setdefault(_key(row), []).append(span)
    return out


def _quote(row: Mapping[str, Any], doc: Mapping[str, Any], evidence: Iterable[tuple[int, int, str, str]]) -> Quote:
    alignment = Alignment(tuple((int(p), int(n), int(o)) for p, n, o in _edits(doc["alignment"])))
    start, end = alignment.to_original(int(row["start"]), int(row["stop"]))
    spans = []
    for first, last, _, method in evidence:
        a, b = alignment.to_original(first, last)
        spans.append(Evidence(a - start, b - start, doc["original"][a:b], method))
    return Quote(
        label=str(row["label"]),
        text=doc["original"][start:end],
        title=_text(doc["title"]),
        source=_text(doc["source"]),
        date=_text(doc["date"]),
        path=str(doc["path"]),
        script=str(doc["script"]),
        probability=None if pd.isna(row["probability"]) else float(row["probability"]),
        method=str(row["method"]),
        heading=_text(row["heading"]) or "",
        place=_text(doc["source_id"]) or (f"#{doc['member']}" if doc["member"] else ""),
        evidence=tuple(spans),
    )


def _edits(value: Any) -> Any:
    """Return an alignment column's value, a list of triples or its JSON text, as triples."""
    if value is None or isinstance(value, float):
        return ()
    return json.loads(value) if isinstance(value, str) else value


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) or not str(value) else str(value)


def _topics(store: Queryable, config: Config) -> list[Topic]:
    """Return the topics by share of passages, each with its heaviest words, its course and its clearest passage.

    A passage counts for its strongest topic. Passages that no topic fits come last, as topic -1 without words.
    """
    words = store.sql("SELECT topic, term, weight FROM topic_terms WHERE rank < ? ORDER BY topic, rank", [TOPIC_WORDS])
    if words.empty:
        return []
    table = _courses(store, config.trends.period)
    terms = {int(str(key)): rows for key, rows in words.groupby("topic")}
    shares = _topic_shares(store, config.trends.level)
    examples = _examples(store)
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


def _topic_shares(store: Queryable, level: float) -> dict[int, tuple[float, float | None, float | None]]:
    """Return topic -> share of passages, low, high, clustered by document."""
    table = store.sql("SELECT doc_id, topic, count(*) AS n FROM topics GROUP BY ALL ORDER BY ALL")
    if table.empty:
        return {}
    doc, ids = pd.factorize(table["doc_id"])
    units = np.bincount(doc, weights=table["n"]).astype(float)
    out: dict[int, tuple[float, float | None, float | None]] = {}
    for topic, rows in table.groupby("topic"):
        hits = np.zeros(len(ids))
        hits[doc[rows.index]] = rows["n"]
        cell, unit = np.zeros(len(ids), np.int64), np.arange(len(ids))
        found = windows.shares(cell, hits, units, unit, level=level)
        out[int(str(topic))] = (float(found["share"][0]), float(found["low"][0]), float(found["high"][0]))
    return out


def _courses(store: Queryable, period: str) -> pd.DataFrame:
    """Return passages by topic and period; the period is null where the date is unknown or too vague."""
    return store.sql(
        f"SELECT t.topic, CASE WHEN length(d.date) >= {_LONG_ENOUGH[period]} THEN {_PERIODS[period]} END AS period,"
        " count(*) AS n FROM topics t JOIN documents d ON d.id = t.doc_id GROUP BY ALL ORDER BY ALL"
    )


def _course(table: pd.DataFrame, topic: int) -> tuple[tuple[str, float], ...]:
    """Return (period, share of that period's passages) in time order."""
    every = table.dropna(subset="period").groupby("period")["n"].sum()
    own = table[table["topic"] == topic].dropna(subset="period").set_index("period")["n"]
    return tuple((str(period), float(own.get(period, 0)) / float(n)) for period, n in every.items())


def _examples(store: Queryable) -> dict[Any, list[Quote]]:
    """Return the passage with the highest share of each topic."""
    rows = _rows(
        store.sql(
            """
        WITH top AS (
            SELECT topic, doc_id, n, share FROM topics WHERE topic >= 0
            QUALIFY row_number() OVER (PARTITION BY topic ORDER BY share DESC, doc_id, n) = 1
        )
        SELECT '' AS label, topic, top.doc_id, top.n, share AS probability, 'topic' AS method,
            p.start, p.end AS stop, p.heading
        FROM top JOIN passages p ON p.doc_id = top.doc_id AND p.n = top.n ORDER BY topic
        """
        )
    )
    out: dict[Any, list[Quote]] = {}
    for row, quote in zip(rows, _quotes(store, rows), strict=True):
        out.setdefault(row["topic"], []).append(quote)
    return out
