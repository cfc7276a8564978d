"""What can be asked of a store: trends, concordance, keywords, coverage of terms, topics, files for other tools.

Every function here is the library twin of a command.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from policytext import aggregate, convert, report
from policytext.analysis import codebook_of
from policytext.codebook import load as load_codebook
from policytext.config import GROUPS, Config
from policytext.errors import UsageError
from policytext.records import CODED_KINDS, Alignment
from policytext.report.export import Format
from policytext.store import Store
from policytext.tag.weak import coverage as term_coverage

_DOCUMENTS = 500  # originals in memory at a time
_CODED = ", ".join(f"'{kind}'" for kind in CODED_KINDS)


def trends(store: Store, config: Config) -> pd.DataFrame:
    """Return shares over time: one row a label, period and group, with intervals clustered by document."""
    return aggregate.trend(counts(store, config), config.trends)


PERIODS = {
    "year": "substr(d.date, 1, 4)",
    "quarter": "CASE WHEN length(d.date) > 4 THEN d.date[1:4] || 'Q' || (d.date[6:7]::INT + 2) // 3 END",
    "month": "CASE WHEN length(d.date) > 4 THEN substr(d.date, 1, 7) END",
}


def counts(store: Store, config: Config) -> pd.DataFrame:
    """Return, for each label and document, how many coded passages there are and how many carry the label.

    Raises:
        UsageError: the store was judged with another codebook than the config's.
    """
    by = config.trends.by
    labels = codebook_of(store, config).ids()
    groups = "".join(f', d."{name}"' for name in dict.fromkeys((*by, "outlet")))
    docs = store.sql(f"""
        SELECT d.id AS doc_id, {PERIODS[config.trends.period]} AS period{groups}, d.path, d.date, r.cluster,
               count(p.n) AS passages
        FROM documents d JOIN passages p ON p.doc_id = d.id AND p.kind IN ({_CODED})
        LEFT JOIN reprints r ON r.doc_id = d.id
        GROUP BY ALL ORDER BY doc_id
    """)
    judged = store.sql("""
        SELECT doc_id, label, count(DISTINCT n) FILTER (decision = 'yes') AS tagged,
               count(DISTINCT n) FILTER (decision = 'abstain') AS abstained
        FROM tags WHERE decision <> 'no' GROUP BY ALL
    """)
    return _every_label(docs, judged, sorted(labels))


def _every_label(docs: pd.DataFrame, judged: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return the documents once a label, with the numbers judged; a label and document without any has zeros."""
    row = pd.Index(docs["doc_id"]).get_indexer(pd.Index(judged["doc_id"]))
    label = pd.Index(labels).get_indexer(pd.Index(judged["label"]))
    known = (row >= 0) & (label >= 0)
    place = label[known].astype(np.int64) * len(docs) + row[known]
    table = docs.iloc[np.tile(np.arange(len(docs)), len(labels))].reset_index(drop=True)
    table.insert(0, "label", pd.Index(labels).repeat(len(docs)))
    for name in ("tagged", "abstained"):
        numbers = np.zeros(len(table), np.int64)
        numbers[place] = judged[name].to_numpy()[known]
        table[name] = numbers
    return table


def write_report(
    store: Store,
    config: Config,
    path: Path,
    *,
    trends_table: pd.DataFrame | None = None,
    provenance: dict[str, Any] | None = None,
    notes: Sequence[str] | None = None,
) -> Path:
    """Write the one-file page of a store to `path`; provenance and notes are those of the last run, if none are given.

    Raises:
        UsageError: the store was judged with another codebook than the config's.
    """
    codebook = codebook_of(store, config)
    table = trends(store, config) if trends_table is None else trends_table
    by = config.trends.by
    whole = trends(store, replace(config, trends=replace(config.trends, by=()))) if by else table
    last = json.loads(store.get("last_run") or "{}")
    provenance = last.get("provenance", {}) if provenance is None else provenance
    notes = last.get("notes", ()) if notes is None else notes
    data = report.gather(store, codebook, config, trends=whole, provenance=provenance, notes=tuple(notes))
    report.write(replace(data, grouped=report.grouped(table, by)) if by else data, path)
    return path


def kwic(store: Store, term: str, *, width: int = 20, regex: bool = False) -> pd.DataFrame:
    """Return every occurrence of a term in the store with its context, oldest first, as the documents write it.

    The term is sought in the simplified texts; one in traditional characters is converted first, and `attrs["sought"]`
    of the table says to what. Columns: doc_id, n, left, term, right (of the original), start, end (in the simplified
    text), original_start, original_end, date, title, path.
    """
    if not regex and (converted := convert.convert(term)).script == "hant":
        term = converted.text
    where = "" if regex else "WHERE contains(text, ?)"  # DuckDB's expressions are not those of Python
    query = f"SELECT doc_id, n, text, start FROM passages {where} ORDER BY 1, 2"
    batches = store.stream(query, [] if regex else [term])
    none = pd.DataFrame({"doc_id": [], "n": [], "text": []})
    parts = [aggregate.kwic(part, term, width=width, regex=regex) for part in (none, *(b.to_pandas() for b in batches))]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    about = store.sql("SELECT id AS doc_id, date, title, path FROM documents")
    table = _as_written(store, found).merge(about, on="doc_id", how="left")
    table = table.sort_values(["date", "path", "doc_id", "start"], ignore_index=True, kind="stable", na_position="last")
    table.attrs["sought"] = term
    return table


def _as_written(store: Store, found: pd.DataFrame) -> pd.DataFrame:
    """Return a concordance with context and term of the original, and where the term stands there."""
    starts, ends = found["start"], found["end"]
    spans = ((starts - found["left"].str.len(), starts), (starts, ends), (ends, ends + found["right"].str.len()))
    columns = [pd.concat(part, ignore_index=True) for part in ([found["doc_id"]] * 3, *zip(*spans, strict=True))]
    quoted = _originals(store, *columns)
    left, term, right = (quoted.iloc[i * len(found) : (i + 1) * len(found)].set_index(found.index) for i in range(3))
    written = found.assign(left=left["quote"], term=term["quote"], right=right["quote"])
    return written.join(term[["original_start", "original_end"]])


def _originals(store: Store, doc_id: pd.Series, start: pd.Series, end: pd.Series) -> pd.DataFrame:
    """Return quote, original_start and original_end of spans of simplified texts, one row a span, in order."""
    rows = pd.DataFrame({"start": start, "end": end}).groupby(doc_id.to_numpy(), sort=True)
    groups = {str(name): part for name, part in rows}
    ids = list(groups)
    pieces = [pd.DataFrame({"quote": [], "original_start": [], "original_end": []}, index=start.index[:0])]
    for chunk in (ids[i : i + _DOCUMENTS] for i in range(0, len(ids), _DOCUMENTS)):
        wanted = "SELECT id, original, alignment FROM documents WHERE id IN (SELECT unnest(?::VARCHAR[]))"
        for row in store.arrow(wanted, [chunk]).to_pylist():
            part, alignment = (
                groups[row["id"]],
                Alignment(tuple((int(a), int(b), int(c)) for a, b, c in row["alignment"])),
            )
            places = [alignment.to_original(*span) for span in zip(part["start"], part["end"], strict=True)]
            values = [(row["original"][first:last], first, last) for first, last in places]
            pieces.append(pd.DataFrame(values, columns=pieces[0].columns, index=part.index))
    found = pd.concat([piece for piece in pieces if len(piece)] or pieces).reindex(start.index)
    return found.astype({"original_start": "Int64", "original_end": "Int64"})


def show_topics(store: Store) -> pd.DataFrame:
    """Return one row a topic: its share of coded passages and its words; topic -1 is what no topic claims."""
    return store.sql(
        """
        SELECT s.topic, round(s.passages / sum(s.passages) OVER (), 4) AS share, s.passages,
               coalesce(w.words, '') AS words
        FROM (SELECT topic, count(*) AS passages FROM topics GROUP BY 1) s
        LEFT JOIN (
            SELECT topic, string_agg(term, ' ' ORDER BY rank) AS words FROM topic_terms WHERE rank < 12 GROUP BY 1
        ) w USING (topic) ORDER BY s.topic
        """
    )


EXPORTED = {
    "documents": "SELECT * EXCLUDE (original, text, alignment, blocks) FROM documents ORDER BY path, member",
    "passages": "SELECT * EXCLUDE (words), array_to_string(words, ' ') AS words FROM passages ORDER BY doc_id, n",
    "tags": "SELECT * FROM tags WHERE decision <> 'no' ORDER BY doc_id, n, label, start",
    "evidence": "SELECT * FROM evidence ORDER BY doc_id, n, label, start",
    "reprints": "SELECT * FROM reprints ORDER BY cluster, doc_id",
    "topics": "SELECT * FROM topics ORDER BY doc_id, n",
    "topic_terms": "SELECT * FROM topic_terms ORDER BY topic, rank",
    "skipped": "SELECT * FROM skipped ORDER BY path, member",
    "duplicates": "SELECT * FROM duplicates ORDER BY path, member",
}


def export(store: Store, config: Config, to: Path, form: Format) -> list[Path]:
    """Write trends and the store's tables to files; return their paths.

    `form` is csv or parquet (a folder `to`, one file a table) or xlsx (a file `to`, one sheet a table). Tags that were
    decided "no" are left out; the store has them. Evidence has its quote in the original, and where it stands there.
    """
    tables = {"trends": trends(store, config), **{name: store.sql(query) for name, query in EXPORTED.items()}}
    spans = (tables["evidence"][name] for name in ("doc_id", "start", "end"))
    tables["evidence"] = tables["evidence"].join(_originals(store, *spans))
    return report.export(tables, to, form)


def keyness(store: Store, where: str, *, min_count: int = 5) -> pd.DataFrame:
    """Return which words mark the passages of the documents that `where` names against all others.

    `where` is `field=value`, such as `region=TW` or `date=2015..2019` (a span of ISO dates), or `label=stage.open` for
    passages that carry a label. Of reprints of one text the earliest counts. Documents of which the field is not known
    are on neither side; `attrs["unknown"]` of the table says how many.

    Raises:
        UsageError: the expression names no known field, or one of the two parts is empty.
    """
    name, _, value = where.partition("=")
    condition, params = _condition(name.strip(), value.strip())
    table = store.arrow(
        f"SELECT p.doc_id, p.words, {condition} AS target FROM passages p JOIN ({_FIRST}) d ON d.id = p.doc_id "
        f"WHERE p.kind IN ({_CODED}) ORDER BY p.doc_id, p.n",
        params,
    )
    target = table.column("target")
    known = table.filter(target.is_valid())
    documents = known.column("doc_id").to_pylist()
    sides = known.column("target").to_numpy()
    if not sides.any():
        raise UsageError(f"no passage is of {where}; {_there_is(store, name.strip())}")
    words = aggregate.keywords(known.column("words"), sides, documents=documents, min_count=min_count)
    words.attrs["unknown"] = len(table.filter(target.is_null()).column("doc_id").unique())
    return words


def _there_is(store: Store, name: str) -> str:
    """Say which values a field has in the store."""
    if name == "date":
        first, last = store.sql("SELECT min(date) AS first, max(date) AS last FROM documents").iloc[0]
        return f"dates go from {first} to {last}" if first else "no document has a date"
    query = "SELECT DISTINCT label AS v FROM tags WHERE decision = 'yes' ORDER BY 1"
    if name != "label":
        query = f'SELECT DISTINCT "{name}" AS v FROM documents WHERE "{name}" IS NOT NULL ORDER BY 1 LIMIT 20'
    values = [str(value) for value in store.sql(query)["v"]]
    return f"there is {', '.join(values)}" if values else f"the store knows no {name}"


# Documents, of the reprints of one text the earliest: in the order of `aggregate.represents`.
_FIRST = """
    SELECT * FROM documents d LEFT JOIN reprints r ON r.doc_id = d.id
    QUALIFY r.cluster IS NULL
        OR row_number() OVER (PARTITION BY r.cluster ORDER BY coalesce(d.date, '') || '~', d.path, d.id) = 1
"""


_VAGUE = "(starts_with(?, d.date) AND length(d.date) < length(?))"  # a year, where a month is asked for


def _condition(name: str, value: str) -> tuple[str, list[str]]:
    if name == "label":
        carried = "SELECT 1 FROM tags t WHERE t.doc_id = p.doc_id AND t.n = p.n AND t.decision = 'yes' AND t.label = ?"
        return f"EXISTS ({carried})", [value]
    if name == "date" and ".." in value:
        first, last = value.split("..", 1)
        inside = "d.date >= ? AND d.date[1:length(?)] <= ?"
        return f"CASE WHEN {_VAGUE} OR {_VAGUE} THEN NULL ELSE {inside} END", [
            first,
            first,
            last,
            last,
            first,
            last,
            last,
        ]
    if name == "date":
        return f"CASE WHEN {_VAGUE} THEN NULL ELSE starts_with(d.date, ?) END", [value, value, value]
    if name in GROUPS:
        return f'd."{name}" = ?', [value]
    raise UsageError(f'"{name}" is no field to compare by; write field=value with label, date, {", ".join(GROUPS)}')


def coverage(store: Store, config: Config, *, by: Literal["label", "term"] = "label") -> pd.DataFrame:
    """Return what the codebook's terms alone find in the coded passages: coverage, overlap, conflict (see tag)."""
    passages = store.arrow(f"SELECT text, words FROM passages WHERE kind IN ({_CODED}) ORDER BY doc_id, n")
    texts, words = (passages.column(name).to_pylist() for name in ("text", "words"))
    return term_coverage(load_codebook(config.resolve(config.tag.codebook)), texts, words, by=by)
