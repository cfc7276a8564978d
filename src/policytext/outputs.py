"""What a run leaves in its folder beside the store: topics, trends, the report and its provenance."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from policytext import engine, topics, views
from policytext.config import Config, TopicsConfig
from policytext.ingest import reprints
from policytext.ingest.reprints import Sketch
from policytext.records import CODED_KINDS, Listener, Progress
from policytext.report.export import guarded
from policytext.store import NAME, REPRINTS, TOPIC_TERMS, TOPICS, Store

if TYPE_CHECKING:
    import pandas as pd

LIBRARIES = (
    "duckdb",
    "jieba",
    "numpy",
    "onnxruntime",
    "opencc-python-reimplemented",
    "pandas",
    "rjieba",
    "scikit-learn",
    "trafilatura",
)
_CODED = ", ".join(f"'{kind}'" for kind in CODED_KINDS)


def are_current(store: Store, config: Config, instrument: str, out: Path) -> bool:
    """Say whether `out` holds what the store has now, made with these settings."""
    return store.get("outputs") == _key(config, instrument) and _complete(out)


def forget(store: Store) -> None:
    """Note that what lies beside the store is of before; a run that dies from here on has it made by the next."""
    store.put("outputs", "")


def make(
    store: Store,
    config: Config,
    rooms: engine.Rooms,
    out: Path,
    about: tuple[datetime, dict[str, int], list[str]],
    listen: Listener,
) -> None:
    """Fit or extend topics, count trends, and write `trends.csv`, `report.html` and `run.json`.

    `about` says when the run started, what it counted, and its notes so far, to which more are added.
    """
    started, counted, notes = about
    if store.get("topics") != _topics_key(store, config.topics):
        store.put("topics", "")  # now: while the log is merged, whoever writes waits
    with ThreadPoolExecutor(1) as aside:  # trends need no topics
        found = aside.submit(_trends, store.beside(), config)
        _topics(store, config, out, listen, notes)
        listen(Progress("report", 0, 1))
        table = found.result()
        notes += [*_counted_once(store, config), *_left_open(table)]
        _write(store, config, rooms, out, table, (started, counted, notes))
        listen(Progress("report", 1, 1))
    store.put("outputs", _key(config, rooms.instrument))


def _trends(store: Store, config: Config) -> pd.DataFrame:
    """Return the trends, after reprints are found; the store's log is merged first, while a fit only reads."""
    store.merge_log()
    _reprints(store)
    return views.trends(store, config)


def _left_open(trends: pd.DataFrame) -> Iterator[str]:
    undecided = int(trends["abstained"].sum())
    if undecided:
        yield (
            f"{undecided} decisions are left open ([tag] abstain): shares count them as no, so they are lower bounds; "
            "`abstained` in trends.csv says how many"
        )


def _counted_once(store: Store, config: Config) -> Iterator[str]:
    """Say how many documents near copies leave out of the trends."""
    (row,) = store.sql("SELECT count(*) AS n, count(DISTINCT cluster) AS clusters FROM reprints").to_dict("records")
    if row["n"]:
        rule = {"once": "one of each counts", "outlet": "one an outlet counts", "each": "each counts"}
        texts = f"{row['clusters']} text{'s' * (row['clusters'] != 1)}"
        yield (
            f"{row['n']} documents are reprints of {texts}: in trends {rule[config.trends.reprints]} "
            "([trends] reprints); the table `reprints` of the store and of exports lists them"
        )


def _reprints(store: Store) -> None:
    """Find clusters of near-identical documents among all that the store holds."""
    rows = store.arrow("SELECT * FROM sketches ORDER BY doc_id").to_pylist()
    sketches = [
        Sketch(
            row["doc_id"],
            np.frombuffer(row["signature"], np.uint32),
            np.frombuffer(row["sentences"], np.uint64),
            np.frombuffer(row["lengths"], np.uint32),
        )
        for row in rows
    ]
    found = reprints.join(sketches)
    sizes = Counter(cluster for _, cluster in found)
    several = [{"doc_id": doc_id, "cluster": cluster} for doc_id, cluster in found if sizes[cluster] > 1]
    store.replace("reprints", pa.Table.from_pylist(several, schema=REPRINTS))


def _topics(store: Store, config: Config, out: Path, listen: Listener, notes: list[str]) -> None:
    """Fit topics once, then only place new passages in them: a frozen model keeps topic ids stable."""
    listen(Progress("topics", 0, 1))
    folder = out / "topics"
    try:
        if store.get("topics") != _topics_key(store, config.topics) or not folder.is_dir():
            fit_topics(store, config.topics, folder)
            store.put("topics", _topics_key(store, config.topics))
        place_topics(store, folder)
    except topics.EmptyVocabulary as error:
        notes.append(f"no topics: {error}")
    listen(Progress("topics", 1, 1))


def _topics_key(store: Store, config: TopicsConfig) -> str:
    return json.dumps(asdict(config), sort_keys=True) + "".join(store.instruments())


def fit_topics(store: Store, config: TopicsConfig, folder: Path) -> topics.TopicModel:
    """Fit a topic model on a sample of the store's passages, drawn by hash, and save it in `folder`.

    The caller puts the key that says so; without one, after a crash, the next `run` fits again.
    """
    if store.get("topics"):
        store.put("topics", "")
    query = (
        f"SELECT doc_id, n, words FROM passages WHERE kind IN ({_CODED}) "
        "ORDER BY md5(doc_id || ':' || n::VARCHAR) LIMIT ?"
    )
    sample = store.arrow(query, [config.fit_passages])
    model = topics.fit(sample.column("words").combine_chunks(), config)
    model.save(folder)
    store.put("vocabulary", json.dumps(model.vocabulary.report() | {"converged": model.converged}, ensure_ascii=False))
    terms = [
        {"topic": topic, "rank": rank, "term": term, "weight": weight}
        for topic, rows in enumerate(model.terms(20))
        for rank, (term, weight) in enumerate(rows)
    ]
    store.replace("topics", TOPICS.empty_table())
    store.replace("topic_terms", pa.Table.from_pylist(terms, schema=TOPIC_TERMS))
    return model


def place_topics(store: Store, folder: Path) -> None:
    """Give each passage that has none its topic."""
    model = topics.load(folder)
    query = (
        f"SELECT doc_id, n, words FROM passages p WHERE kind IN ({_CODED}) AND NOT EXISTS "
        "(SELECT 1 FROM topics t WHERE t.doc_id = p.doc_id AND t.n = p.n)"
    )

    def place(batch: pa.RecordBatch) -> pa.Table:
        found, shares = model.assign(batch.column("words"))
        numbers = [pa.array(found, pa.int32()), pa.array(shares, pa.float64())]
        return pa.Table.from_arrays([batch.column("doc_id"), batch.column("n"), *numbers], schema=TOPICS)

    threads = min(os.cpu_count() or 1, 4)  # each holds the words of 50,000 passages, about 100 MB
    batches = store.stream(query, rows=50_000)
    with store.transaction(), ThreadPoolExecutor(threads) as pool:
        while waiting := list(islice(batches, threads)):
            for rows in pool.map(place, waiting):
                store.insert("topics", rows)


def refit_topics(store: Store, config: TopicsConfig, out: Path, *, k: int = 0) -> None:
    """Fit `k` topics (0: as many as in the config) anew on what the store holds now; topic numbers change.

    The next `run` keeps them, and writes the report anew.
    """
    forget(store)
    fit_topics(store, replace(config, k=k or config.k), out / "topics")
    store.put("topics", _topics_key(store, config))
    place_topics(store, out / "topics")


def _write(
    store: Store,
    config: Config,
    rooms: engine.Rooms,
    out: Path,
    table: pd.DataFrame,
    about: tuple[datetime, dict[str, int], list[str]],
) -> None:
    started, counted, notes = about
    _replace(out / "trends.csv", guarded(table).to_csv(index=False))
    finished = datetime.now(UTC)
    provenance = _provenance(config, rooms, started, finished)
    totals = store.counts()
    store.log_run(
        started=started.isoformat(),
        finished=finished.isoformat(),
        instrument=rooms.instrument,
        config=config.as_dict(),
        counts=counted,
    )
    store.put("last_run", json.dumps({"provenance": provenance, "notes": notes}, ensure_ascii=False))
    views.write_report(store, config, out / "report.html", trends_table=table, provenance=provenance, notes=notes)
    vocabulary = json.loads(store.get("vocabulary") or "null")
    page = {"run": counted, "totals": totals, "notes": notes, "topics": vocabulary, "provenance": provenance}
    _replace(out / "run.json", json.dumps(page, ensure_ascii=False, indent=2) + "\n")


def _provenance(config: Config, rooms: engine.Rooms, started: datetime, finished: datetime) -> dict[str, Any]:
    return {
        "policytext": version("policytext"),
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "instrument": rooms.instrument,
        "codebook": {"id": rooms.codebook.id, "version": rooms.codebook.version, "sha256": rooms.codebook.sha256()},
        "model": rooms.tagger.card(),
        "config": config.as_dict(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _key(config: Config, instrument: str) -> str:
    parts = [asdict(config.topics), asdict(config.trends), asdict(config.report), instrument, version("policytext")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _complete(out: Path) -> bool:
    return all((out / name).is_file() for name in (NAME, "trends.csv", "report.html", "run.json"))


def _replace(path: Path, text: str) -> None:
    """Write a file under a temporary name, then move it: a reader never sees half of it."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8", newline="")
    temporary.replace(path)
