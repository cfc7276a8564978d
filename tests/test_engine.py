"""Where rooms run: a worker that dies costs one document, equal documents are judged once."""

import os
import time

import pytest
from threadpoolctl import threadpool_info

from policytext import config as configs
from policytext import engine, ingest
from policytext.records import Skipped


class Killer:
    """An input that ends the process that opens it, as a fault in a library would."""

    path, member = "killer.pdf", 0

    def __reduce__(self):
        return os._exit, (1,)


class Sleeper:
    """An input that never ends."""

    path, member = "sleeper.pdf", 0

    def __reduce__(self):
        return time.sleep, (3600,)


@pytest.fixture
def units(texts):
    config = configs.load().ingest
    return [unit for source in ingest.find([texts]) for unit in ingest.units(source, config)]


def test_a_worker_that_dies_costs_one_input(units):
    job = engine.Job((*units[:2], Killer(), *units[2:]), ())
    batches = list(engine.run([job, engine.Job(tuple(units[3:]), ())], configs.load(), workers=2))
    assert [(row.path, row.room) for row in batches[0].skipped] == [("killer.pdf", "ingest"), ("e.docx", "ingest")]
    assert "killed" in batches[0].skipped[0].reason
    assert batches[0].documents.num_rows == 5
    assert batches[0].passages.num_rows == batches[0].passages.group_by(["doc_id", "n"]).aggregate([]).num_rows
    assert batches[1].documents.num_rows == 2


def test_an_input_that_hangs_is_given_up(units, monkeypatch):
    monkeypatch.setattr(engine, "JOB_SECONDS", 1)
    monkeypatch.setattr(engine, "UNIT_SECONDS", 20)  # a fresh worker takes some of them to start
    pool = engine.Pool(configs.load(), 1)
    try:
        (batch,) = pool.run([engine.Job((Sleeper(), units[0]), ())])
    finally:
        pool.close()
    assert "not read within 20 seconds" in batch.skipped[0].reason
    assert batch.documents.num_rows == 1


def test_a_worker_keeps_to_one_core(units):
    pool = engine.Pool(configs.load(), 1)
    try:
        list(pool.run([engine.Job(tuple(units), ())]))  # with everything loaded that a batch needs
        found = pool._executor.submit(threadpool_info).result()
    finally:
        pool.close()
    assert {library["num_threads"] for library in found} == {1}


def test_equal_documents_are_judged_once(units):
    rooms = engine.rooms(configs.load())
    batch = engine.process(units, rooms)
    ids = batch.documents.column("id").to_pylist()
    assert len(ids) == 5
    assert len(set(ids)) == 4
    assert set(batch.passages.column("doc_id").to_pylist()) == set(ids)
    assert batch.sketches.num_rows == 4


def test_a_skip_goes_through():
    rooms = engine.rooms(configs.load())
    batch = engine.process([Skipped("x", "ingest", "why")], rooms)
    assert batch.skipped == (Skipped("x", "ingest", "why"),)
    assert batch.documents.num_rows == batch.tags.num_rows == 0
