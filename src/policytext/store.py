"""The seam: one DuckDB file an analysis, written by one writer, one transaction a batch of documents.

Left of it things are records; right of it, tables that an analyst opens with any tool. A document's passages, tags and
evidence are always written and removed together with it, so its `instrument` column speaks for them too.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType, UnionType
from typing import TYPE_CHECKING, Any, Self, get_args, get_origin, get_type_hints

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from policytext.errors import StoreError
from policytext.records import Alignment, Document, Passage, Skipped, Tag

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)
FORMAT = "1"
NAME = "policytext.duckdb"
PER_DOCUMENT = (
    "passages",
    "tags",
    "evidence",
    "sketches",
    "topics",
    "reprints",
)  # tables whose rows go with their document

WRITTEN = ("documents", "passages", "tags", "evidence", "sketches")  # that one transaction adds rows to
_ARROW = {str: pa.string(), int: pa.int32(), float: pa.float64(), bool: pa.bool_()}
_SQL = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.int32(): "INTEGER",
    pa.float64(): "DOUBLE",
    pa.bool_(): "BOOLEAN",
}


def schema(record: type, **extra: pa.DataType) -> pa.Schema:
    """Return the Arrow schema of a record's dataclass, plus extra columns."""
    hints = get_type_hints(record)
    columns = [(f.name, _arrow_type(hints[f.name])) for f in dataclasses.fields(record)]
    return pa.schema([*columns, *extra.items()])


def _arrow_type(hint: Any) -> pa.DataType:
    if hint is Alignment:
        return pa.list_(pa.list_(pa.int32()))
    if get_origin(hint) is UnionType:
        return _arrow_type(next(kind for kind in get_args(hint) if kind is not type(None)))
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if get_origin(item) is tuple:
            kinds = get_args(item)
            return pa.list_(pa.struct([(f"f{i}", _arrow_type(kind)) for i, kind in enumerate(kinds)]))
        return pa.list_(_arrow_type(item))
    return _ARROW.get(hint, pa.string())  # Literals are strings


DOCUMENTS = schema(Document, instrument=pa.string())
PASSAGES = schema(Passage)
TAGS = schema(Tag)
EVIDENCE = pa.schema(
    [
        *(("doc_id", pa.string()), ("n", pa.int32()), ("label", pa.string()), ("method", pa.string())),
        *(("term", pa.string()), ("start", pa.int32()), ("end", pa.int32())),
    ]
)
SKIPPED = schema(Skipped)
DUPLICATES = pa.schema([("path", pa.string()), ("member", pa.int32()), ("doc_id", pa.string())])
FILES = pa.schema(
    [
        *(("path", pa.string()), ("location", pa.string()), ("sha256", pa.string()), ("size", pa.int64())),
        *(("mtime_ns", pa.int64()), ("members", pa.int32()), ("complete", pa.bool_())),
    ]
)
TOPICS = pa.schema([("doc_id", pa.string()), ("n", pa.int32()), ("topic", pa.int32()), ("share", pa.float64())])
TOPIC_TERMS = pa.schema([("topic", pa.int32()), ("rank", pa.int32()), ("term", pa.string()), ("weight", pa.float64())])
SKETCHES = pa.schema(
    [
        *(("doc_id", pa.string()), ("signature", pa.binary()), ("sentences", pa.binary()), ("lengths", pa.binary())),
    ]
)
REPRINTS = pa.schema([("doc_id", pa.string()), ("cluster", pa.string())])
LABELS = pa.schema(
    [("doc_id", pa.string()), ("n", pa.int32()), ("label", pa.string()), ("value", pa.bool_()), ("reader", pa.string())]
)
RUNS = pa.schema(
    [
        *(("started", pa.string()), ("finished", pa.string()), ("instrument", pa.string())),
        *(("config", pa.string()), ("counts", pa.string())),
    ]
)
META = pa.schema([("key", pa.string()), ("value", pa.string())])
TABLES = {
    "documents": DOCUMENTS,
    "passages": PASSAGES,
    "tags": TAGS,
    "evidence": EVIDENCE,
    "topics": TOPICS,
    "topic_terms": TOPIC_TERMS,
    "sketches": SKETCHES,
    "reprints": REPRINTS,
    "skipped": SKIPPED,
    "duplicates": DUPLICATES,
    "files": FILES,
    "labels": LABELS,
    "runs": RUNS,
    "meta": META,
}


def documents_table(docs: Sequence[Document], instrument: str) -> pa.Table:
    """Return documents as Arrow rows."""
    columns: dict[str, list[Any]] = {}
    for name, kind in zip(DOCUMENTS.names[:-1], DOCUMENTS.types[:-1], strict=True):
        values = [getattr(doc, name) for doc in docs]
        if name == "alignment":
            values = [value.edits for value in values]
        elif pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
            values = [[{f"f{i}": part for i, part in enumerate(item)} for item in value] for value in values]
        columns[name] = values
    columns["instrument"] = [instrument] * len(docs)
    return pa.table(columns, schema=DOCUMENTS)


def to_document(row: dict[str, Any]) -> Document:
    """Return the document of one row of the `documents` table."""
    hints = get_type_hints(Document)
    values: dict[str, Any] = {}
    for f in dataclasses.fields(Document):
        value = row[f.name]
        if f.name == "alignment":
            value = Alignment(tuple((int(a), int(b), int(c)) for a, b, c in value))
        elif get_origin(hints[f.name]) is tuple:
            value = tuple(tuple(item.values()) if isinstance(item, dict) else item for item in value)
        values[f.name] = value
    return Document(**values)


def passages_table(passages: Sequence[Passage]) -> pa.Table:
    """Return passages as Arrow rows; words become a list column."""
    columns: dict[str, Any] = {
        name: [getattr(passage, name) for passage in passages] for name in PASSAGES.names if name != "words"
    }
    offsets = [0]
    flat: list[str] = []
    for passage in passages:
        flat.extend(passage.words)
        offsets.append(len(flat))
    columns["words"] = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(flat, pa.string()))
    return pa.table(columns, schema=PASSAGES)


@dataclass(frozen=True)
class Batch:
    """What one transaction adds: the rows of some documents, what was skipped, how far each file has been read.

    Documents of equal content may come twice; their passages, tags and evidence come once. `files` rows replace those
    of the same path.
    """

    documents: pa.Table
    passages: pa.Table
    tags: pa.Table
    evidence: pa.Table
    skipped: tuple[Skipped, ...] = ()
    files: tuple[dict[str, Any], ...] = ()
    sketches: pa.Table = dataclasses.field(default_factory=SKETCHES.empty_table)


@dataclass(frozen=True)
class Added:
    """How many inputs a transaction took in, and what became of them: read = stored + duplicates + skipped."""

    read: int
    stored: int
    duplicates: int
    skipped: int


def _why(message: str) -> str:
    """Say what a failure to open a store means."""
    if "set lock" in message:
        return "in use by another policytext; wait until it is done"
    if "not a valid DuckDB" in message or "Corrupt" in message:
        return "no DuckDB file, or a damaged one; move it away, or give another --out"
    return "cannot be opened or written; check the place, its permissions and the space left"


class Store:
    """An open store; use it as a context manager.

    >>> with Store.open(None) as store:  # None: in memory
    ...     store.counts()["documents"]
    0
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path | None) -> None:
        self.connection = connection
        self.path = path

    @classmethod
    def open(cls, path: Path | str | None, *, create: bool = True, read_only: bool = False) -> Self:
        """Open or create the store; `path` is the file, or the folder that holds `policytext.duckdb`.

        Raises:
            StoreError: it is missing (with `create=False`), in use by another process, or of another format.
        """
        file = None if path is None else Path(path)
        if file is not None and (file.is_dir() or (file.suffix != Path(NAME).suffix and not file.exists())):
            file = file / NAME
        if file is not None and not file.exists() and (read_only or not create):
            raise StoreError(f"{file}: no such store; run `policytext run SOURCE --out {file.parent}` first")
        try:
            connection = duckdb.connect(":memory:" if file is None else str(file), read_only=read_only)
            store = cls(connection, file)
            store._prepare(read_only=read_only)
        except duckdb.Error as error:
            raise StoreError(f"{file}: {_why(str(error))} ({error})") from error
        return store

    def _prepare(self, *, read_only: bool) -> None:
        # The log of a whole run is merged at its end: merging it every 16 MB took half of the time of writing.
        self.connection.execute("SET checkpoint_threshold = '2GB'")
        if not read_only:
            for name, columns in TABLES.items():
                body = ", ".join(f'"{f.name}" {_sql_type(f.type)}' for f in columns)
                self.connection.execute(f"CREATE TABLE IF NOT EXISTS {name} ({body})")
            if self.get("format") is None:
                self.put("format", FORMAT)
        if self.get("format") != FORMAT:
            found = self.get("format")
            self.close()
            raise StoreError(f"{self.path}: store format {found}, this policytext reads {FORMAT}; give another --out")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def beside(self) -> Store:
        """Return a second connection to the same store, for another thread of this process."""
        return Store(self.connection.cursor(), self.path)

    def merge_log(self) -> None:
        """Write what the log holds into the file now; closing does it otherwise, and then everybody waits."""
        try:
            self.connection.execute("CHECKPOINT")
        except (duckdb.TransactionException, duckdb.IOException) as error:
            log.info("%s: the log is merged when the store is closed, not now: %s", self.path, error)

    # Reading

    def sql(self, query: str, params: Sequence[Any] = ()) -> pd.DataFrame:
        """Run a query and return a DataFrame; tables as in docs/architecture.md."""
        frame: pd.DataFrame = self.connection.sql(query, params=list(params)).df()
        return frame

    def arrow(self, query: str, params: Sequence[Any] = ()) -> pa.Table:
        """Run a query and return an Arrow table."""
        return self.connection.sql(query, params=list(params)).to_arrow_table()

    def stream(self, query: str, params: Sequence[Any] = (), *, rows: int = 20_000) -> Iterator[pa.RecordBatch]:
        """Run a query and yield Arrow batches of at most `rows`, so that memory stays bounded."""
        cursor = self.connection.cursor()
        yield from cursor.sql(query, params=list(params)).to_arrow_reader(rows)

    def get(self, key: str) -> str | None:
        """Return a value of the `meta` table."""
        try:
            rows = self.connection.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchall()
        except duckdb.CatalogException:
            return None
        return str(rows[0][0]) if rows else None

    def counts(self) -> dict[str, int]:
        """Return the number of rows a table, and `read`: all inputs ever accounted for."""
        tables = ("documents", "duplicates", "skipped", "passages", "tags", "files")
        found = {name: int(self._scalar(f"SELECT count(*) FROM {name}")) for name in tables}
        return {"read": found["documents"] + found["duplicates"] + found["skipped"], **found}

    def files(self) -> dict[str, dict[str, Any]]:
        """Return what is known of each file, by path."""
        rows = self.connection.execute("SELECT * FROM files").fetchall()
        return {row[0]: dict(zip(FILES.names, row, strict=True)) for row in rows}

    def instruments(self) -> dict[str, int]:
        """Return how many documents each instrument made."""
        rows = self.connection.execute("SELECT instrument, count(*) FROM documents GROUP BY 1 ORDER BY 1").fetchall()
        return {str(name): int(count) for name, count in rows}

    def _scalar(self, query: str, params: Sequence[Any] = ()) -> Any:
        return self.connection.execute(query, list(params)).fetchall()[0][0]

    # Writing

    def put(self, key: str, value: str) -> None:
        """Set a value of the `meta` table."""
        self.connection.execute("DELETE FROM meta WHERE key = ?", [key])
        self.connection.execute("INSERT INTO meta VALUES (?, ?)", [key, value])

    def transaction(self) -> _Transaction:
        """Return a context manager: all that is written in it is written, or none of it."""
        return _Transaction(self.connection)

    def commit(self, batch: Batch) -> Added:
        """Write one batch in one transaction and say what became of its inputs.

        Content that is there already is a duplicate; the document keeps the smallest (path, member) of all its places,
        so that the order in which files arrive changes nothing.
        """
        with self.transaction():
            drop, duplicates = self._duplicates(batch.documents)
            keep = [i for i in range(batch.documents.num_rows) if i not in drop]
            kept = batch if not drop else _without(batch, keep)
            for name in WRITTEN:
                self.insert(name, getattr(kept, name))
            self.insert("duplicates", pa.Table.from_pylist(duplicates, schema=DUPLICATES))
            self.insert(
                "skipped", pa.Table.from_pylist([dataclasses.asdict(row) for row in batch.skipped], schema=SKIPPED)
            )
            self._put_files(batch.files)
        stored = batch.documents.num_rows - len(duplicates)
        read = batch.documents.num_rows + len(batch.skipped)
        return Added(read=read, stored=stored, duplicates=len(duplicates), skipped=len(batch.skipped))

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """Let DuckDB work on one thread meanwhile: for small transactions, several take twice the processor's time."""
        self.connection.execute("SET threads = 1")
        try:
            yield
        finally:
            self.connection.execute("RESET threads")

    def _duplicates(self, documents: pa.Table) -> tuple[set[int], list[dict[str, Any]]]:
        """Return rows of `documents` not to write, and the rows of `duplicates` to add; frees the rows to replace."""
        ids = documents.column("id").to_pylist()
        places = list(zip(documents.column("path").to_pylist(), documents.column("member").to_pylist(), strict=True))
        known = self._places(ids)
        best: dict[str, int | None] = dict.fromkeys(known)  # the row that stays; None: the one in the store
        drop: set[int] = set()
        duplicates = []
        for i in sorted(range(len(ids)), key=places.__getitem__):
            holder = best.get(ids[i], -1)
            if holder == -1:
                best[ids[i]] = i
            elif holder is None and places[i] < known[ids[i]]:
                duplicates.append({"path": known[ids[i]][0], "member": known[ids[i]][1], "doc_id": ids[i]})
                self._remove_documents([ids[i]])
                best[ids[i]] = i
            else:
                drop.add(i)
                duplicates.append({"path": places[i][0], "member": places[i][1], "doc_id": ids[i]})
        return drop, duplicates

    def _places(self, ids: Sequence[str]) -> dict[str, tuple[str, int]]:
        query = "SELECT id, path, member FROM documents WHERE id IN (SELECT unnest(?::VARCHAR[]))"
        rows = self.connection.execute(query, [list(ids)]).fetchall()
        return {row[0]: (row[1], row[2]) for row in rows}

    def insert(self, name: str, rows: pa.Table) -> None:
        """Append Arrow rows to a table."""
        if rows.num_rows:
            self.connection.register("incoming", rows)
            columns = ", ".join(f'"{column}"' for column in rows.column_names)
            self.connection.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM incoming")
            self.connection.unregister("incoming")

    def _put_files(self, rows: Iterable[dict[str, Any]]) -> None:
        rows = list(rows)
        self.connection.executemany(
            "DELETE FROM files WHERE path = ?", [[row["path"]] for row in rows]
        ) if rows else None
        self.insert("files", pa.Table.from_pylist(rows, schema=FILES))

    def replace(self, name: str, rows: pa.Table) -> None:
        """Replace all rows of a table in one transaction."""
        with self.transaction():
            self.connection.execute(f"DELETE FROM {name}")
            self.insert(name, rows)

    def rewrite(self, batch: Batch) -> None:
        """Replace documents that are in the store by the same documents, judged anew.

        One that could not be judged goes, and is skipped at each place where it was read, as in a first run.
        """
        with self.transaction():
            failed = [self._fail(row) for row in batch.skipped]
            self._remove_documents(
                [*batch.documents.column("id").to_pylist(), *(ids for found in failed for ids in found)]
            )
            for name in WRITTEN:
                self.insert(name, getattr(batch, name))

    def _fail(self, row: Skipped) -> list[str]:
        """Note as skipped the document read at the row's place, and its copies; return its id, to be removed."""
        place = [row.path, row.member]
        query = "SELECT id FROM documents WHERE path = ? AND member = ?"
        ids = [found[0] for found in self.connection.execute(query, place).fetchall()]
        copies = "DELETE FROM duplicates WHERE doc_id IN (SELECT unnest(?::VARCHAR[])) RETURNING path, member"
        places = [place, *map(list, self.connection.execute(copies, [ids]).fetchall())]
        rows = [{"path": path, "member": member, "room": row.room, "reason": row.reason} for path, member in places]
        self.insert("skipped", pa.Table.from_pylist(rows, schema=SKIPPED))
        return ids

    def keep(self, row: dict[str, Any]) -> None:
        """Replace what is known of a file that has moved or been touched; its documents stay."""
        with self.transaction():
            self._put_files([row])

    def forget(self, paths: Collection[str], readable: Collection[str]) -> set[str]:
        """Remove everything that came from these files, because they changed, and return all paths to read again.

        That is more than `paths` where another of the `readable` files holds a copy of a removed document: a copy is
        not stored itself. Where only a file that is not among them does, the document stays and takes its place.
        """
        again = set(paths)
        with self.transaction():
            while True:
                query = (
                    "SELECT DISTINCT u.path FROM duplicates u JOIN documents d ON u.doc_id = d.id "
                    "WHERE d.path IN (SELECT unnest(?::VARCHAR[]))"
                )
                more = {row[0] for row in self.connection.execute(query, [sorted(again)]).fetchall()} - again
                more &= set(readable)
                if not more:
                    break
                again |= more
            gone = [sorted(again)]
            for name in ("duplicates", "skipped", "files"):
                self.connection.execute(f"DELETE FROM {name} WHERE path IN (SELECT unnest(?::VARCHAR[]))", gone)
            self._hand_on(again)
            found = self.connection.execute(
                "SELECT id FROM documents WHERE path IN (SELECT unnest(?::VARCHAR[]))", gone
            ).fetchall()
            self._remove_documents([row[0] for row in found])
        return again

    def _hand_on(self, gone: set[str]) -> None:
        """Give documents of the files in `gone` the smallest place of a copy that stays."""
        query = (
            "SELECT u.doc_id, min((u.path, u.member)) FROM duplicates u JOIN documents d ON u.doc_id = d.id "
            "WHERE d.path IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1"
        )
        for doc_id, (path, member) in self.connection.execute(query, [sorted(gone)]).fetchall():
            place = [path, member, doc_id]
            self.connection.execute("UPDATE documents SET path = ?, member = ? WHERE id = ?", place)
            self.connection.execute("DELETE FROM duplicates WHERE path = ? AND member = ? AND doc_id = ?", place)

    def _remove_documents(self, ids: Sequence[str]) -> None:
        if ids:
            for name in PER_DOCUMENT:
                self.connection.execute(
                    f"DELETE FROM {name} WHERE doc_id IN (SELECT unnest(?::VARCHAR[]))", [list(ids)]
                )
            self.connection.execute("DELETE FROM documents WHERE id IN (SELECT unnest(?::VARCHAR[]))", [list(ids)])

    def log_run(
        self, *, started: str, finished: str, instrument: str, config: dict[str, Any], counts: dict[str, Any]
    ) -> None:
        """Append a row to `runs`."""
        row = {
            "started": started,
            "finished": finished,
            "instrument": instrument,
            "config": json.dumps(config, ensure_ascii=False),
            "counts": json.dumps(counts),
        }
        self.insert("runs", pa.Table.from_pylist([row], schema=RUNS))


class _Transaction:
    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def __enter__(self) -> None:
        self.connection.execute("BEGIN TRANSACTION")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.execute("COMMIT" if error is None else "ROLLBACK")


def _without(batch: Batch, keep: Sequence[int]) -> Batch:
    """Return the batch with only some of its documents, and what belongs to them."""
    documents = batch.documents.take(pa.array(keep, pa.int64()))
    ids = set(documents.column("id").to_pylist())
    parts = {name: _of(getattr(batch, name), ids) for name in WRITTEN[1:]}
    return dataclasses.replace(batch, documents=documents, **parts)


def _of(rows: pa.Table, ids: set[str]) -> pa.Table:
    """Return the rows that belong to the documents in `ids`."""
    return rows.filter(pc.is_in(rows.column("doc_id"), pa.array(sorted(ids), pa.string())))


def _sql_type(kind: pa.DataType) -> str:
    if pa.types.is_list(kind):
        return f"{_sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        return "STRUCT(" + ", ".join(f"{f.name} {_sql_type(f.type)}" for f in kind) + ")"
    if kind == pa.int64():
        return "BIGINT"
    return _SQL[kind]
