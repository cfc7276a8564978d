"""The order of the rooms: from sources to a store, from a store to topics, trends and a report."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import re
import sys
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from policytext import analysis, engine, ingest, topics, views
from policytext.config import Config, TopicsConfig
from policytext.config import load as load_config
from policytext.errors import UsageError
from policytext.ingest import reprints
from policytext.ingest.reprints import Sketch
from policytext.records import CODED_KINDS, Skipped
from policytext.report.export import guarded
from policytext.store import FILES, NAME, REPRINTS, TOPIC_TERMS, TOPICS, Store, to_document

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
DEFAULT_OUT = "policytext-out"
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
_UNREAD = "unread"  # instead of the hash of a file that cannot be opened
_CODED = ", ".join(f"'{kind}'" for kind in CODED_KINDS)


@dataclass(frozen=True)
class Progress:
    """How far a run is: `done` of `total` bytes of input in one `stage`."""

    stage: str
    done: int
    total: int


Listener = Callable[[Progress], None]


def _silent(_: Progress) -> None:
    pass


@dataclass(frozen=True)
class Run:
    """What a run did. `counts` are of this run, `totals` of everything in the store."""

    out: Path
    counts: dict[str, int]
    totals: dict[str, int]
    instrument: str
    seconds: float
    nothing_new: bool
    notes: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for `--json`."""
        return asdict(self) | {"out": str(self.out)}


@dataclass
class _Plan:
    """Which files a run has to read, and why."""

    sources: list[tuple[ingest.Source, dict[str, Any], int]] = field(
        default_factory=list
    )  # file row, members to pass over
    unchanged: int = 0
    changed: list[str] = field(default_factory=list)
    missing: int = 0


def run(
    sources: Path | str | Sequence[Path | str] | None = None,
    *,
    config: Config | Path | str | None = None,
    out: Path | str = DEFAULT_OUT,
    workers: int | None = None,
    listen: Listener = _silent,
) -> Run:
    """Take everything new in `sources` through all rooms into the folder `out`.

    `out` gets `policytext.duckdb`, `trends.csv`, `report.html` and `run.json`. Files that are in the store unchanged
    are not read again; files that changed are. Killed at any point, the same call finishes the work. When the
    instrument (settings, codebook, dictionaries, model, version) has changed, all documents are judged anew, so that
    one trend never mixes two instruments.

    Raises:
        UsageError: a source does not exist.
        ConfigError, CodebookError, ModelError, StoreError: see their pages.
    """
    started = datetime.now(UTC)
    config = config if isinstance(config, Config) else load_config(config)
    if isinstance(sources, str | Path):
        sources = [sources]
    paths = [Path(source) for source in sources] if sources else [_default_corpus(config)]
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    with Store.open(out) as store:
        rooms = engine.rooms(config)
        notes = [*rooms.tagger.remarks(), *_untaught(rooms)]
        plan = _plan(store, ingest.find(paths, out), config, notes)
        judged = _judge_anew(store, config, rooms.instrument, workers, listen, notes)
        if plan.sources or plan.changed or judged:
            store.put("outputs", "")  # of before; a run that dies from here on has them made by the next
        analysis.remember(store, config, rooms.codebook, rooms.instrument)
        counts = _read_all(store, plan, config, workers, listen)
        counts |= {"files_unchanged": plan.unchanged, "files_changed": len(plan.changed), "files_gone": plan.missing}
        if plan.missing:
            notes.append(f"{plan.missing} files read earlier are not in the sources now; their documents stay")
        fresh = counts["read"] == 0 and not judged and not plan.changed
        if not (fresh and store.get("outputs") == _outputs_key(config, rooms.instrument) and _complete(out)):
            fresh = False
            with ThreadPoolExecutor(1) as aside:  # trends need no topics
                table = aside.submit(_trends, store.beside(), config)
                _topics(store, config, out, listen, notes)
                listen(Progress("report", 0, 1))
                found = table.result()
                notes += [*_counted_once(store, config), *_left_open(found)]
                _write_outputs(store, config, rooms, out, found, (started, counts, notes))
                listen(Progress("report", 1, 1))
            store.put("outputs", _outputs_key(config, rooms.instrument))
        skipped = store.sql("SELECT path, room, reason FROM skipped ORDER BY path, member, reason")
        return Run(
            out=out,
            counts=counts,
            totals=store.counts(),
            instrument=rooms.instrument,
            seconds=round((datetime.now(UTC) - started).total_seconds(), 2),
            nothing_new=fresh,
            notes=tuple(notes),
            skipped=tuple(Skipped(*row) for row in skipped.itertuples(index=False)),
        )


def _untaught(rooms: engine.Rooms) -> Iterator[str]:
    """Say which labels wait for a classifier."""
    waiting = [label for label in rooms.codebook.ids("classifier") if label not in rooms.tagger.decided]
    if waiting:
        yield (
            f"no classifier for {', '.join(waiting)}: terms alone decide; label passages and use `policytext train`, "
            "or name its folder as [tag] model in the config"
        )


def _default_corpus(config: Config) -> Path:
    path = config.resolve(config.corpus.path)
    if not path.exists():
        raise UsageError(f"no SOURCE given, and the config's corpus {path} does not exist; name a file or folder")
    return path


# What to read


def _plan(store: Store, sources: Sequence[ingest.Source], config: Config, notes: list[str]) -> _Plan:
    """Compare the files found with the files known; forget those that changed."""
    reading = hashlib.sha256(json.dumps(asdict(config.ingest), sort_keys=True).encode()).hexdigest()[:8]
    known = store.files()
    sources = _named(sources, known)
    plan = _Plan(missing=len(known.keys() - {source.label for source in sources}))
    todo = []
    otherwise = {label for label, row in known.items() if not row["sha256"].endswith(f"@{reading}")}
    for source in sources:
        row = known.get(source.label)
        reread = source.label in otherwise
        same_stat = row is not None and (row["size"], row["mtime_ns"]) == (source.size, source.mtime_ns)
        same_place = row is not None and row["location"] == source.location and _content(row) != _UNREAD
        if row is not None and row["complete"] and same_stat and not reread and same_place:
            plan.unchanged += 1
            continue
        fresh = _file_row(source, reading)
        if row is not None and _content(fresh) == _UNREAD != _content(row):
            plan.missing += 1
            notes.append(f"{source.label} cannot be read now; what it held at an earlier run stays")
            continue
        if row is not None and row["sha256"] != fresh["sha256"]:
            plan.changed.append(source.label)
            row = None
        elif row is not None and row["complete"]:  # touched or moved, not changed
            store.keep(fresh | {"members": row["members"], "complete": True})
            plan.unchanged += 1
            continue
        todo.append((source, fresh, row["members"] if row is not None else 0))
    _note_settings(notes, otherwise, {source.label for source in sources})
    waiting = {source.label for source, _, _ in todo}
    copies = {source.label: source for source in sources if source.label not in waiting and source.problem is None}
    again = store.forget(plan.changed, waiting | copies.keys()) if plan.changed else set()
    todo = [(source, row, 0 if source.label in again else passed) for source, row, passed in todo]
    freed = [copies[label] for label in again - waiting]
    plan.sources = sorted([*todo, *((s, _file_row(s, reading), 0) for s in freed)], key=lambda item: item[0].label)
    return plan


def _named(sources: Sequence[ingest.Source], known: dict[str, dict[str, Any]]) -> list[ingest.Source]:
    """Give files of earlier runs the label that they have in the store, and other files one that is free.

    A file is known by where it is. One whose folder was moved is known by its label, when nothing is left at the old
    place and the content is the same.
    """
    at = {row["location"]: label for label, row in known.items()}
    taken = known.keys() | {source.label for source in sources}
    named = []
    for source in sorted(sources, key=lambda source: source.location):
        label = at.get(source.location, source.label)
        if source.location not in at and label in known and not _moved(source, known[label]):
            label = _free(source, taken)
            taken.add(label)
        named.append(replace(source, label=label))
    return sorted(named, key=lambda source: source.label)


def _moved(source: ingest.Source, row: dict[str, Any]) -> bool:
    if os.path.lexists(row["location"]) or row["size"] != source.size:
        return False
    return _content(row) == _content(_file_row(source, ""))


def _content(row: dict[str, Any]) -> str:
    return re.split("[+@]", row["sha256"])[0]


def _free(source: ingest.Source, taken: Collection[str]) -> str:
    """Return a label that no other file has: as much of the place as it takes."""
    parts = Path(source.location).parts[1:]
    labels = ("/".join(parts[-n:]) for n in range(2, len(parts) + 1))
    return next((label for label in labels if label not in taken), source.location)


def _note_settings(notes: list[str], otherwise: set[str], found: set[str]) -> None:
    """Say what becomes of files that were read with other settings of the room `ingest`."""
    if otherwise & found:
        notes.append(f"the [ingest] settings changed: {len(otherwise & found)} files are read again")
    if otherwise - found:
        notes.append(
            f"{len(otherwise - found)} files were read with other [ingest] settings and are not in the sources now; "
            "name their folder too, to have them read again"
        )


def _file_row(source: ingest.Source, reading: str) -> dict[str, Any]:
    """Return the row of `files` for a file not yet read; its hash speaks for content, manifest and settings."""
    sha256 = _UNREAD
    if source.problem is None:
        try:
            with source.file.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            log.info("%s: cannot be hashed; reading it will say why", source.label)
    sha256 += f"+{source.stamp}" if source.stamp else ""  # a changed row of the manifest is a changed file
    row = (source.label, source.location, f"{sha256}@{reading}", source.size, source.mtime_ns, 0, False)
    return dict(zip(FILES.names, row, strict=True))


def _jobs(plan: _Plan, config: Config) -> Iterator[tuple[engine.Job, int]]:
    """Yield jobs of about `batch_chars`, each with its bytes of input, in the order of the files' paths."""
    units: list[ingest.Unit | Skipped] = []
    files: dict[str, dict[str, Any]] = {}
    size = 0
    for source, row, passed in plan.sources:
        members = 0
        for unit in ingest.units(source, config.ingest):
            members += 1
            if members <= passed:
                continue
            units.append(unit)
            size += _size(unit, source)
            files[source.label] = row | {"members": members}
            if size >= 2 * config.run.batch_chars:  # a Chinese character takes two to three bytes
                yield engine.Job(tuple(units), tuple(files.values())), size
                units, files, size = [], {}, 0
        files[source.label] = row | {"members": members, "complete": True}
    if files:
        yield engine.Job(tuple(units), tuple(files.values())), size


def _size(unit: ingest.Unit | Skipped, source: ingest.Source) -> int:
    if isinstance(unit, Skipped):
        return 0
    if isinstance(unit.payload, bytes):
        return len(unit.payload)
    if isinstance(unit.payload, dict):
        return sum(len(str(value)) for value in unit.payload.values())
    return source.size


def _read_all(store: Store, plan: _Plan, config: Config, workers: int | None, listen: Listener) -> dict[str, int]:
    total = sum(source.size for source, _, _ in plan.sources)
    counts = dict.fromkeys(("read", "stored", "duplicates", "skipped"), 0)
    sizes: list[int] = []

    def jobs() -> Iterator[engine.Job]:
        for job, size in _jobs(plan, config):
            sizes.append(size)
            yield job

    listen(Progress("read", 0, total))
    done = 0
    with store.one_thread():
        for i, batch in enumerate(engine.run(jobs(), config, _workers(workers, config, total))):
            added = asdict(store.commit(batch))
            counts = {name: counts[name] + added[name] for name in counts}
            done += sizes[i]
            listen(Progress("read", min(done, total), total))
    return counts


def _workers(asked: int | None, config: Config, size: int) -> int:
    """Return how many processes to use: a small job is done before a second process has started."""
    wanted = asked or config.run.workers
    return wanted or max(1, min(os.cpu_count() or 1, size // 1_500_000))


def _judge_anew(
    store: Store, config: Config, instrument: str, workers: int | None, listen: Listener, notes: list[str]
) -> int:
    """Convert, segment and tag again the documents that another instrument made; return how many."""
    old = {name: count for name, count in store.instruments().items() if name != instrument}
    total = sum(old.values())
    if not total:
        return 0
    notes.append(f"the instrument changed ({', '.join(old)} -> {instrument}): {total} documents are judged anew")
    ids = store.sql(
        "SELECT id, length(original) AS size FROM documents WHERE instrument <> ? ORDER BY id", [instrument]
    )
    sizes = [int(size) for size in ids["size"]]

    def jobs() -> Iterator[engine.Job]:
        part: list[str] = []
        size = 0
        for doc_id, doc_size in zip(ids["id"], sizes, strict=True):
            part.append(doc_id)
            size += doc_size
            if size >= config.run.batch_chars:
                yield engine.Job(tuple(_documents(store, part)), ())
                part, size = [], 0
        if part:
            yield engine.Job(tuple(_documents(store, part)), ())

    done = 0
    listen(Progress("judge anew", 0, total))
    with store.one_thread():
        for batch in engine.run(jobs(), config, _workers(workers, config, 2 * sum(sizes))):
            store.rewrite(batch)
            done += batch.documents.num_rows + len(batch.skipped)
            listen(Progress("judge anew", done, total))
    return total


def _documents(store: Store, ids: Sequence[str]) -> list[Any]:
    query = "SELECT * FROM documents WHERE id IN (SELECT unnest(?::VARCHAR[])) ORDER BY id"
    table = store.arrow(query, [list(ids)])
    return [to_document(row) for row in table.to_pylist()]


# What to say about it


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
    store.put("outputs", "")
    fit_topics(store, replace(config, k=k or config.k), out / "topics")
    store.put("topics", _topics_key(store, config))
    place_topics(store, out / "topics")


def _write_outputs(
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


def _outputs_key(config: Config, instrument: str) -> str:
    parts = [asdict(config.topics), asdict(config.trends), asdict(config.report), instrument, version("policytext")]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _complete(out: Path) -> bool:
    return all((out / name).is_file() for name in (NAME, "trends.csv", "report.html", "run.json"))


def _replace(path: Path, text: str) -> None:
    """Write a file under a temporary name, then move it: a reader never sees half of it."""
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(text, encoding="utf-8", newline="")
    temporary.replace(path)
