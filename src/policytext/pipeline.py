"""The order of the rooms: from sources to a store, from a store to topics, trends and a report."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from policytext import analysis, engine, ingest, outputs
from policytext.config import Config, default_path
from policytext.errors import UsageError
from policytext.plan import Plan, compare
from policytext.plan import jobs as planned_jobs
from policytext.records import Listener, Progress, Skipped
from policytext.store import NAME, Store, to_document

DEFAULT_OUT = "policytext-out"


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
    one trend never mixes two instruments. Without `config`, a store that is there goes on with its own.

    Raises:
        UsageError: a source does not exist.
        ConfigError, CodebookError, ModelError, StoreError: see their pages.
    """
    started = datetime.now(UTC)
    if isinstance(sources, str | Path):
        sources = [sources]
    out = Path(out)
    with ExitStack() as opened:
        store = opened.enter_context(Store.open(out)) if (out / NAME).is_file() else None
        notes = list(_own_config(store, config))
        config = analysis.config_of(store, config)
        paths = [Path(source) for source in sources] if sources else [_default_corpus(config)]
        found = ingest.find(paths, out)
        rooms = engine.rooms(config)
        if store is None:  # not before: a wrong path or config leaves no empty store behind
            out.mkdir(parents=True, exist_ok=True)
            store = opened.enter_context(Store.open(out))
        notes += [*rooms.tagger.remarks(), *_untaught(rooms)]
        plan = compare(store, found, config, notes)
        judged = _judge_anew(store, config, rooms.instrument, workers, listen, notes)
        if plan.sources or plan.changed or judged:
            outputs.forget(store)
        analysis.remember(store, config, rooms.codebook, rooms.instrument)
        counts = _read_all(store, plan, config, workers, listen)
        counts |= {"files_unchanged": plan.unchanged, "files_changed": len(plan.changed), "files_gone": plan.missing}
        if plan.missing:
            notes.append(f"{plan.missing} files read earlier are not in the sources now; their documents stay")
        fresh = counts["read"] == 0 and not judged and not plan.changed
        totals = store.counts()
        if not totals["documents"]:
            notes.append("no document is stored: the sources hold none that could be read")
        if not (fresh and outputs.are_current(store, config, rooms.instrument, out)):
            fresh = False
            outputs.make(store, config, rooms, out, (started, counts, notes), listen)
        skipped = store.sql("SELECT path, room, reason FROM skipped ORDER BY path, member, reason")
        return Run(
            out=out,
            counts=counts,
            totals=totals,
            instrument=rooms.instrument,
            seconds=round((datetime.now(UTC) - started).total_seconds(), 2),
            nothing_new=fresh,
            notes=tuple(notes),
            skipped=tuple(Skipped(*row) for row in skipped.itertuples(index=False)),
        )


def _own_config(store: Store | None, given: Config | Path | str | None) -> Iterator[str]:
    """Say so where a store goes on with its own config, and that is not the default one."""
    if store is not None and given is None:
        own = analysis.config_of(store)
        if own.file != default_path().resolve():
            place = own.file or "kept in the store"
            yield f'config "{own.name}" ({place}), as in the run before; --config names another'


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


def _read_all(store: Store, plan: Plan, config: Config, workers: int | None, listen: Listener) -> dict[str, int]:
    total = sum(source.size for source, _, _ in plan.sources)
    counts = dict.fromkeys(("read", "stored", "duplicates", "skipped"), 0)
    sizes: list[int] = []

    def jobs() -> Iterator[engine.Job]:
        for job, size in planned_jobs(plan, config):
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
