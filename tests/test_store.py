"""The store: one transaction a batch, nothing lost, nothing twice."""

import dataclasses
import subprocess
import sys

import pyarrow as pa
import pytest

from policytext.errors import StoreError
from policytext.records import Alignment, Document, Passage, Skipped
from policytext.store import (
    EVIDENCE,
    FILES,
    NAME,
    TAGS,
    Added,
    Batch,
    Store,
    documents_table,
    passages_table,
    to_document,
)


def document(doc_id="d1", path="a.txt", member=0, **values):
    values = {"original": "數位政府", "text": "数字政府", "script": "hant", **values}
    return Document(doc_id, path, member, "0" * 64, **values)


def batch(*docs, skipped=(), files=()):
    passages = [Passage(doc.id, 0, 0, len(doc.text), "body", "", doc.text, (doc.text,)) for doc in docs]
    passages = list({passage.doc_id: passage for passage in passages}.values())
    tags = [
        dict(zip(TAGS.names, (p.doc_id, 0, "stage.open", "classifier", 0.9, "yes", p.start, p.end, ""), strict=True))
        for p in passages
    ]
    return Batch(
        documents_table(docs, "i1"),
        passages_table(passages),
        pa.Table.from_pylist(tags, schema=TAGS),
        EVIDENCE.empty_table(),
        tuple(skipped),
        tuple(files),
    )


def file_row(path, **values):
    row = dict(zip(FILES.names, (path, "/" + path, "ab", 1, 1, 1, True), strict=True))
    return row | values


@pytest.fixture
def store():
    with Store.open(None) as store:
        yield store


def test_a_document_comes_back_as_it_was(store):
    doc = document(
        alignment=Alignment(((2, 3, 2), (9, 1, 4))), blocks=(("attachment", 1, 3),), notes=("one", "two"), title="題"
    )
    store.commit(batch(doc))
    rows = store.arrow("SELECT * FROM documents").to_pylist()
    assert to_document(rows[0]) == doc
    assert rows[0]["instrument"] == "i1"


def test_what_is_read_is_stored_a_duplicate_or_skipped(store):
    skipped = [Skipped("c.pdf", "ingest", "truncated")]
    added = store.commit(batch(document("d1"), document("d1", "b.txt"), document("d2", "c.txt"), skipped=skipped))
    assert added == Added(read=4, stored=2, duplicates=1, skipped=1)
    counts = store.counts()
    assert counts["read"] == counts["documents"] + counts["duplicates"] + counts["skipped"] == 4
    assert counts["passages"] == 2


@pytest.mark.parametrize(
    "paths", [("a.txt", "b.txt", "c.txt"), ("c.txt", "a.txt", "b.txt"), ("b.txt", "c.txt", "a.txt")]
)
def test_the_smallest_path_keeps_a_document_whatever_the_order(store, paths):
    for path in paths:
        store.commit(batch(document("d1", path, title=path)))
    assert store.sql("SELECT path, title FROM documents").to_numpy().tolist() == [["a.txt", "a.txt"]]
    assert store.sql("SELECT path FROM duplicates ORDER BY path")["path"].tolist() == ["b.txt", "c.txt"]
    assert len(store.sql("SELECT * FROM passages")) == len(store.sql("SELECT * FROM tags")) == 1


def test_forgetting_a_file_frees_its_copies(store):
    store.commit(
        batch(document("d1", "a.txt"), document("d1", "b.txt"), document("d2", "c.txt"), files=[file_row("b.txt")])
    )
    assert store.forget(["a.txt"], {"a.txt", "b.txt"}) == {"a.txt", "b.txt"}
    assert store.sql("SELECT path FROM documents")["path"].tolist() == ["c.txt"]
    assert store.sql("SELECT doc_id FROM passages")["doc_id"].tolist() == ["d2"]
    assert store.files() == {}


def test_a_copy_that_is_not_read_again_keeps_the_document(store):
    copies = [document("d1", path) for path in ("a.txt", "c.txt", "b.txt")]
    store.commit(batch(*copies, document("d2", "b.txt", 1), files=[file_row("b.txt")]))
    assert store.forget(["a.txt"], {"a.txt", "c.txt"}) == {"a.txt", "c.txt"}
    assert store.sql("SELECT id, path FROM documents ORDER BY id").to_numpy().tolist() == [
        ["d1", "b.txt"],
        ["d2", "b.txt"],
    ]
    assert store.counts()["duplicates"] == 0
    assert list(store.files()) == ["b.txt"]


def test_a_failed_batch_leaves_nothing(store):
    broken = dataclasses.replace(batch(document("d1")), tags=pa.table({"nonsense": [1]}))
    with pytest.raises(Exception, match="nonsense"):
        store.commit(broken)
    assert store.counts()["documents"] == 0


def test_rewriting_replaces_judgements(store):
    store.commit(batch(document("d1")))
    store.rewrite(batch(document("d1", text="数码政府")))
    assert store.sql("SELECT text FROM passages")["text"].tolist() == ["数码政府"]
    assert store.counts()["documents"] == 1


def test_a_file_row_replaces_the_one_of_the_same_path(store):
    store.commit(batch(document("d1"), files=[file_row("a.txt", complete=False)]))
    store.commit(batch(document("d2", "b.txt"), files=[file_row("a.txt", members=2)]))
    assert store.files()["a.txt"]["members"] == 2
    assert store.files()["a.txt"]["complete"] is True


def test_a_missing_store_says_how_to_make_one(tmp_path):
    with pytest.raises(StoreError, match="policytext run"):
        Store.open(tmp_path, create=False)


def test_another_format_is_refused(tmp_path):
    with Store.open(tmp_path / NAME) as store:
        store.put("format", "0")
    with pytest.raises(StoreError, match="store format 0"):
        Store.open(tmp_path / NAME)


def test_a_file_that_is_no_store_is_refused(tmp_path):
    (tmp_path / NAME).write_bytes(b"not a database" * 400)
    with pytest.raises(StoreError, match="no DuckDB file, or a damaged one"):
        Store.open(tmp_path / NAME)


def test_a_store_in_use_is_said_to_be(tmp_path):
    script = "import sys, duckdb; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(tmp_path / NAME)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(StoreError, match="in use by another"):
            Store.open(tmp_path / NAME)
        other.communicate()


def test_streaming_is_in_bounded_batches(store):
    store.commit(batch(*(document(f"d{i:04}", f"{i}.txt") for i in range(5000))))
    sizes = [rows.num_rows for rows in store.stream("SELECT doc_id FROM passages", rows=2048)]
    assert sum(sizes) == 5000
    assert max(sizes) <= 2048


def test_writing_on_one_thread_ends_even_with_an_error(store):
    def threads():
        return store.connection.execute("SELECT current_setting('threads')").fetchone()[0]

    before, during = threads(), []

    def fail():
        with store.one_thread():
            during.append(threads())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert during == [1]
    assert threads() == before
