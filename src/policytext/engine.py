"""Where the rooms run: batches of inputs through ingest, convert, segment and tag, here or in other processes.

What to compute (`process`) is kept apart from where (`Local`). Results come back in the order of the jobs, so that
the number of workers never changes a table.
"""

from __future__ import annotations

import gc
import hashlib
import json
import logging
import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from itertools import islice
from types import ModuleType
from typing import Any, TypeVar

import pyarrow as pa
from threadpoolctl import threadpool_limits

from policytext import convert, ingest, segment, tag
from policytext.codebook import Codebook
from policytext.codebook import load as load_codebook
from policytext.config import Config
from policytext.ingest import reprints
from policytext.records import Document, Passage, Skipped
from policytext.segment.words import load as load_words
from policytext.store import EVIDENCE, PASSAGES, SKETCHES, TAGS, Batch, documents_table, passages_table

log = logging.getLogger(__name__)
JOB_SECONDS = 900  # for a batch; one of a million characters takes a few seconds
UNIT_SECONDS = 120  # for one document, when its batch died or hung
Found = TypeVar("Found")
Input = ingest.Unit | Skipped | Document  # a document is one that was read earlier and is judged anew


@dataclass(frozen=True)
class Rooms:
    """The fitted state that turns documents into tags; built once a process."""

    config: Config
    codebook: Codebook
    segmenter: segment.Segmenter
    tagger: tag.Tagger
    instrument: str


@dataclass(frozen=True)
class Job:
    """One batch of inputs, and how far each file will have been read when it is done."""

    units: tuple[Input, ...]
    files: tuple[dict[str, Any], ...]


def build(config: Config) -> Rooms:
    """Load codebook, words and model.

    Raises:
        ConfigError, CodebookError, ModelError: something the config names is missing or wrong.
    """
    codebook = load_codebook(config.resolve(config.tag.codebook))
    segmenter = segment.Segmenter(config.segment, domain_words(config, codebook))
    folder = None if config.tag.model is None else config.resolve(config.tag.model)
    classifier = None if folder is None else tag.Classifier.load(folder)
    if classifier is not None:
        classifier = classifier.reading(config.tag.second_reading)
    tagger = tag.Tagger(codebook, classifier, config.tag, embedder(config))
    return Rooms(config, codebook, segmenter, tagger, _instrument(config, codebook, tagger))


def embedder(config: Config) -> tag.Embedder | None:
    """Return the sentence-embedding model that the config names, if any.

    Raises:
        ModelError: the folder holds none, or the extra that reads it is not installed.
    """
    return None if config.tag.embeddings is None else tag.Embedder(config.resolve(config.tag.embeddings))


_built: dict[str, Rooms] = {}


def rooms(config: Config) -> Rooms:
    """Return the rooms of this process for a config, built at first use; the last are kept while no file changes."""
    key = f"{config!r} {_stamps(config)}"
    if key not in _built:
        _built.clear()
        _built[key] = build(config)
    return _built[key]


def _stamps(config: Config) -> list[tuple[int, int] | None]:
    """Return size and time of change of the files that rooms are built from: in a notebook, a codebook is edited."""
    named = (config.tag.codebook, config.segment.words, config.tag.embeddings)
    files = [config.resolve(name) for name in named if name is not None]
    if config.tag.model is not None:
        files.append(config.resolve(config.tag.model) / "card.json")
    found = [file.stat() if file.exists() else None for file in files]
    return [None if one is None else (one.st_size, one.st_mtime_ns) for one in found]


def domain_words(config: Config, codebook: Codebook) -> list[str]:
    """Return the words that segmentation must not split: the config's list and the codebook's terms."""
    words: set[str] = set()
    if config.segment.words is not None:
        words.update(load_words(config.resolve(config.segment.words)))
    if config.segment.codebook_words:
        words |= {term for label in codebook.labels for term in label.terms}
    return sorted(words)


def _instrument(config: Config, codebook: Codebook, tagger: tag.Tagger) -> str:
    """Return 16 hex digits over all that can change a tag: settings, codebook, words, model, versions."""
    parts = {
        "policytext": version("policytext"),
        "rooms": [asdict(config.ingest), asdict(config.convert), asdict(config.segment), asdict(config.tag)],
        "words": domain_words(config, codebook),
        "tagger": tagger.instrument(),
        "libraries": {
            name: version(name) for name in ("rjieba", "jieba", "opencc-python-reimplemented", "onnxruntime")
        },
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def process(units: Sequence[Input], rooms: Rooms) -> Batch:
    """Take a batch of inputs through ingest, convert, segment and tag."""
    docs: list[Document] = []
    skipped: list[Skipped] = []
    for unit in units:
        found = (
            unit
            if isinstance(unit, Skipped | Document)
            else _guarded(ingest.read, unit, rooms.config.ingest, place=unit)
        )
        if isinstance(found, Skipped):
            skipped.append(found)
        else:
            docs.append(found)
    return _judge(docs, rooms, skipped)


def _judge(docs: Sequence[Document], rooms: Rooms, skipped: list[Skipped]) -> Batch:
    """Take documents through convert, segment and tag; passages of equal documents come once."""
    kept: list[Document] = []
    passages: list[Passage] = []
    seen: set[str] = set()
    for doc in docs:
        if doc.id in seen:
            kept.append(doc)
            continue
        done = _guarded(_split, doc, rooms, place=doc)
        if isinstance(done, Skipped):
            skipped.append(done)
            continue
        seen.add(doc.id)
        kept.append(done[0])
        passages.extend(done[1])
    columns = rooms.tagger.columns(passages)
    return Batch(
        documents=documents_table(kept, rooms.instrument),
        passages=passages_table(passages) if passages else PASSAGES.empty_table(),
        tags=pa.table(columns.tags, schema=TAGS),
        evidence=pa.table(columns.evidence, schema=EVIDENCE),
        sketches=_sketches(kept),
        skipped=tuple(skipped),
    )


def _sketches(docs: Sequence[Document]) -> pa.Table:
    """Return what finds reprints later, a row a different document."""
    sketches = [reprints.sketch(doc_id, text) for doc_id, text in {doc.id: doc.text for doc in docs}.items()]
    columns = {name: [getattr(sketch, name).tobytes() for sketch in sketches] for name in SKETCHES.names[1:]}
    return pa.table({"doc_id": [sketch.doc_id for sketch in sketches], **columns}, schema=SKETCHES)


def _split(doc: Document, rooms: Rooms) -> tuple[Document, list[Passage]]:
    doc = convert.simplify(doc, rooms.config.convert)
    return doc, rooms.segmenter.split(doc)


def _guarded(function: Callable[..., Found], item: Any, *settings: Any, place: Any) -> Found | Skipped:
    """Call a room on one document; the only broad guard: what it raises becomes a Skipped row."""
    try:
        return function(item, *settings)
    except Exception as error:
        log.exception("%s: failed", place.path)
        reason = f"{type(error).__name__}: {error}; this is a fault of policytext, please report it with the file"
        return Skipped(place.path, function.__module__.split(".")[1], reason, place.member)


def _settle() -> None:
    """Make a fresh process a good neighbour: one thread for matrix products, as there is a process a core already.

    With two threads each, two processes on two cores took twice as long to tag. Batches are full of short-lived
    tuples, so the collector of cycles looks less often (a fifth off segmentation).
    """
    threadpool_limits(1)
    tag.Spacy.own_process = True
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)


def _work(units: Sequence[Input], config: Config) -> Batch:
    return process(units, rooms(config))


def run(jobs: Iterable[Job], config: Config, workers: int) -> Iterator[Batch]:
    """Yield the batch of every job, in the order of the jobs.

    With one worker everything happens in this process. With more, an input that kills its process is found by trying
    the inputs of its batch one by one, and skipped.
    """
    if workers <= 1:
        for job in jobs:
            with threadpool_limits(1):  # as in a worker, so that their number never changes a table
                batch = process(job.units, rooms(config))
            yield replace(batch, files=job.files)
        return
    pool = Pool(config, workers)
    try:
        yield from pool.run(jobs)
    finally:
        pool.close()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide the main module while a process starts.

    A fresh process imports the main module of its parent. Workers need nothing of it; a script that calls `run` without
    asking for its own name would run once more in each of them, and one read from standard input cannot be imported.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


class Pool:
    """Worker processes, replaced when one dies."""

    def __init__(self, config: Config, workers: int) -> None:
        self.config = config
        self.workers = workers
        self._executor = self._start()

    def _start(self) -> ProcessPoolExecutor:
        # Forking a process that holds DuckDB's and Arrow's threads can hang, so workers start afresh.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=_settle)

    def _submit(self, units: Sequence[Input]) -> Future[Batch]:
        with _without_main():  # processes start when work is submitted
            return self._executor.submit(_work, units, self.config)

    def run(self, jobs: Iterable[Job]) -> Iterator[Batch]:
        """Yield batches in order; at most two jobs a worker are in memory."""
        waiting: deque[tuple[Job, Future[Batch]]] = deque()
        jobs = iter(jobs)
        while True:
            for job in islice(jobs, 2 * self.workers - len(waiting)):
                waiting.append((job, self._submit(job.units)))
            if not waiting:
                return
            job, future = waiting.popleft()
            try:
                batch = future.result(timeout=JOB_SECONDS)
            except (BrokenProcessPool, TimeoutError):
                batch = self._one_by_one(job)
                waiting = deque((other, self._submit(other.units)) for other, _ in waiting)
            yield replace(batch, files=job.files)

    def _one_by_one(self, job: Job) -> Batch:
        """Process the inputs of a batch singly, after a worker died or hung; skip the one that does it again."""
        self.restart()
        batches = []
        for unit in job.units:
            try:
                batch = self._submit([unit]).result(timeout=UNIT_SECONDS)
            except BrokenProcessPool:
                batch = self._without(unit, "it killed the process that read it")
            except TimeoutError:
                batch = self._without(unit, f"it was not read within {UNIT_SECONDS} seconds")
            batches.append(batch)
        return merge(batches)

    def _without(self, unit: Input, what: str) -> Batch:
        self.restart()
        place = unit.path, "ingest", f"{what}; open and save it anew, split it, or leave it out", unit.member
        return process([Skipped(*place)], rooms(self.config))

    def restart(self) -> None:
        """Kill all workers, busy or not, and start others."""
        for worker in list(self._executor._processes.values()):  # noqa: SLF001 - a public way comes with Python 3.14
            worker.kill()
        self.close()
        self._executor = self._start()

    def close(self) -> None:
        """Let the workers go."""
        self._executor.shutdown(wait=False, cancel_futures=True)


def merge(batches: Sequence[Batch]) -> Batch:
    """Return one batch that holds what the given ones hold; passages of equal documents are taken once."""
    seen: set[str] = set()
    parts: dict[str, list[pa.Table]] = {"passages": [], "tags": [], "evidence": [], "sketches": []}
    for batch in batches:
        new = set(batch.documents.column("id").to_pylist()) - seen
        seen |= new
        if new or not batch.documents.num_rows:
            for name, tables in parts.items():
                tables.append(getattr(batch, name))
    return Batch(
        documents=pa.concat_tables([batch.documents for batch in batches]),
        **{name: pa.concat_tables(tables) for name, tables in parts.items()},
        skipped=tuple(row for batch in batches for row in batch.skipped),
    )
