"""The passages that the page quotes: the most probable of each label, the clearest of each topic.

Only the documents that are quoted leave the database.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from policytext.codebook import Codebook
from policytext.records import Alignment
from policytext.report.queries import Queryable, as_rows, text_or_none
from policytext.report.quotes import Evidence, Quote

NEAR = 0.05  # a passage this close to a label's highest probability may be quoted for the sake of variety


def by_label(store: Queryable, codebook: Codebook, most: int) -> dict[str, list[Quote]]:
    """Return the passages with the highest probability per label, spread over scripts and decades where they are close.

    One a document, one a text, one a cluster of reprints; ties by the number of terms, then by id.
    """
    table = store.sql(
        f"""
        WITH best AS (  -- aggregates, not windows: a large store has millions of tags
            SELECT label, doc_id, max(probability) AS probability,
                arg_max(n, {{'p': coalesce(probability, 0), 'first': -n}}) AS n
            FROM tags WHERE decision = 'yes' GROUP BY label, doc_id
        ), ranked AS (
            SELECT best.*, d.script, coalesce(left(d.date, 3), '') AS decade,
                coalesce(probability >= max(probability) OVER (PARTITION BY label) - {NEAR}, true) AS near
            FROM best JOIN documents d ON d.id = best.doc_id
            QUALIFY row_number() OVER (
                PARTITION BY label, d.script, decade ORDER BY probability DESC NULLS LAST, doc_id
            ) <= {4 * most}
        ), ways AS (
            SELECT label, doc_id, n, string_agg(DISTINCT method, ' + ' ORDER BY method) AS method
            FROM tags SEMI JOIN ranked USING (label, doc_id, n) WHERE decision = 'yes' GROUP BY ALL
        ), why AS (
            SELECT label, doc_id, n, count(DISTINCT term) AS terms
            FROM evidence SEMI JOIN ranked USING (label, doc_id, n) GROUP BY ALL
        )
        SELECT ranked.*, ways.method, p.start, p.end AS stop, p.heading, md5(p.text) AS hash, r.cluster
        FROM ranked JOIN ways USING (label, doc_id, n) LEFT JOIN why USING (label, doc_id, n)
        JOIN passages p ON p.doc_id = ranked.doc_id AND p.n = ranked.n
        LEFT JOIN reprints r ON r.doc_id = ranked.doc_id
        ORDER BY label, probability DESC NULLS LAST, coalesce(why.terms, 0) DESC, ranked.doc_id
        """
    )
    found = {str(label): as_rows(part) for label, part in table.groupby("label")}
    chosen = [row for label in codebook.ids() for row in _varied(found.get(label, []), most)]
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
    documents = {row["id"]: row for row in as_rows(_documents(store, ids))}
    headings = _headings(store, documents)
    evidence = _evidence(store, rows)
    return [
        _quote(row, documents[row["doc_id"]], evidence.get(_key(row), ()), headings.get(str(row["doc_id"]), {}))
        for row in rows
    ]


def _headings(store: Queryable, documents: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, str]]:
    """Return document -> heading in simplified characters -> heading as written."""
    table = store.sql(
        "SELECT doc_id, text, start, \"end\" AS stop FROM passages WHERE kind = 'heading'"
        " AND doc_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) ORDER BY doc_id, n",
        [sorted(documents)],
    )
    out: dict[str, dict[str, str]] = {}
    for row in as_rows(table):
        doc = documents[row["doc_id"]]
        start, end = _alignment(doc).to_original(int(row["start"]), int(row["stop"]))
        out.setdefault(row["doc_id"], {})[row["text"].strip()] = doc["original"][start:end].strip()
    return out


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
) -> dict[tuple[str, str, int], list[tuple[int, int, str]]]:
    """Return (start, end, method) of the evidence of each row, in the ruler of the simplified text."""
    table = store.sql(
        """
        WITH asked AS (
            SELECT unnest(CAST(? AS VARCHAR[])) AS label, unnest(CAST(? AS VARCHAR[])) AS doc_id,
                unnest(CAST(? AS INTEGER[])) AS n
        )
        SELECT DISTINCT label, doc_id, n, start, "end" AS stop, method
        FROM evidence SEMI JOIN asked USING (label, doc_id, n) ORDER BY ALL
        """,
        [list(column) for column in zip(*(_key(row) for row in rows), strict=True)],
    )
    out: dict[tuple[str, str, int], list[tuple[int, int, str]]] = {}
    for row in as_rows(table):
        out.setdefault(_key(row), []).append((int(row["start"]), int(row["stop"]), str(row["method"])))
    return out


def _quote(
    row: Mapping[str, Any],
    doc: Mapping[str, Any],
    evidence: Iterable[tuple[int, int, str]],
    headings: Mapping[str, str],
) -> Quote:
    alignment = _alignment(doc)
    start, end = alignment.to_original(int(row["start"]), int(row["stop"]))
    spans = []
    for first, last, method in evidence:
        a, b = alignment.to_original(first, last)
        spans.append(Evidence(a - start, b - start, doc["original"][a:b], method))
    return Quote(
        label=str(row["label"]),
        text=doc["original"][start:end],
        title=text_or_none(doc["title"]),
        source=text_or_none(doc["source"]),
        date=text_or_none(doc["date"]),
        path=str(doc["path"]),
        script=str(doc["script"]),
        probability=None if pd.isna(row["probability"]) else float(row["probability"]),
        method=str(row["method"]),
        heading=" > ".join(headings.get(part, part) for part in (text_or_none(row["heading"]) or "").split(" > ")),
        place=text_or_none(doc["source_id"]) or (f"#{doc['member']}" if doc["member"] else ""),
        evidence=tuple(spans),
    )


def _alignment(doc: Mapping[str, Any]) -> Alignment:
    return Alignment(tuple((int(p), int(n), int(o)) for p, n, o in _edits(doc["alignment"])))


def _edits(value: Any) -> Any:
    """Return an alignment column's value, a list of triples or its JSON text, as triples."""
    if value is None or isinstance(value, float):
        return ()
    return json.loads(value) if isinstance(value, str) else value


def of_topics(store: Queryable) -> dict[Any, list[Quote]]:
    """Return the passage with the highest share of each topic."""
    rows = as_rows(
        store.sql(
            """
        WITH highest AS (SELECT topic, max(share) AS share FROM topics WHERE topic >= 0 GROUP BY topic),
        first AS (
            SELECT t.topic, t.share, min({'doc_id': t.doc_id, 'n': t.n}) AS place
            FROM topics t JOIN highest h ON h.topic = t.topic AND h.share = t.share GROUP BY t.topic, t.share
        ), top AS (SELECT topic, share, place.doc_id, place.n FROM first)
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
