"""Rows of tables as mappings from the header: CSV, workbooks, Parquet, JSON; streamed where the format allows it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from policytext.errors import ReadError
from policytext.ingest import encodings

Row = dict[str, Any]

_SAMPLE = 1_000_000  # bytes from which encoding and delimiter of a table are told


def stream_rows(stream: IO[bytes], *, tab: bool, max_field: int) -> Iterator[Row]:
    """Yield the rows of delimited text; bytes that are no text come back as lone surrogates, row by row.

    Raises:
        ReadError: the table is empty or no text.
    """
    sample = stream.read(_SAMPLE)
    cut = sample.rfind(b"\n") + 1 or len(sample)
    encoding = encodings.decode(sample[:cut]).encoding
    reader = io.TextIOWrapper(
        io.BufferedReader(_Rejoined(sample, stream)), encoding=encoding, errors="surrogateescape", newline=""
    )
    yield from _rows(reader, sample[:cut].decode(encoding, "replace"), tab=tab, max_field=max_field)


def text_rows(text: str, *, tab: bool) -> Iterator[Row]:
    """Yield the rows of delimited text that is in memory."""
    yield from _rows(io.StringIO(text, newline=""), text[:_SAMPLE], tab=tab, max_field=10_000_000)


def _rows(lines: Iterable[str], head: str, *, tab: bool, max_field: int) -> Iterator[Row]:
    csv.field_size_limit(min(max_field, 2**31 - 1))
    rows = csv.reader(lines, delimiter="\t" if tab else _delimiter(head), strict=False)
    header = next(rows, None)
    if header is None:
        raise ReadError("the table is empty")
    names = [name.strip().lstrip("\ufeff") for name in header]
    for values in rows:
        if any(values):
            row: Row = dict(zip(names, values, strict=False))
            if len(values) > len(names):
                row["_rest"] = values[len(names) :]
            yield row


def _delimiter(head: str) -> str:
    """Return the delimiter that the header line holds most often; a comma if none."""
    line = head.split("\n", 1)[0]
    return max(",;\t|", key=lambda mark: (line.count(mark), mark == ","))


class _Rejoined(io.RawIOBase):
    """A stream whose first bytes were read already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = io.BytesIO(head), rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._head.read(len(buffer)) or self._rest.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def sheet_rows(file: Path | IO[bytes]) -> Iterator[Row]:
    """Yield the rows of every sheet of a workbook."""
    from openpyxl import load_workbook

    book = load_workbook(file, read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # some programs write a size that is not the sheet's
            rows = sheet.iter_rows(values_only=True)
            header = next((row for row in rows if any(cell is not None for cell in row)), None)
            if header is None:
                continue
            names = [str(cell).strip() if cell is not None else f"column {n}" for n, cell in enumerate(header, 1)]
            for row in rows:
                if any(cell is not None for cell in row):
                    yield dict(zip(names, row, strict=False))
    finally:
        book.close()


def parquet_rows(file: Path) -> Iterator[Row]:
    """Yield the rows of a Parquet file."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as table:
        for batch in table.iter_batches(batch_size=500):
            yield from batch.to_pylist()


def json_values(text: str) -> list[Any]:
    """Return the records of a JSON text: one object, a list of them, or the one list that an object wraps.

    Raises:
        ReadError: it is no JSON or holds no records.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ReadError(f"not valid JSON: {error}") from error
    except RecursionError as error:
        raise ReadError("its JSON is nested too deep") from error
    if isinstance(value, list):
        return value
    if not isinstance(value, dict):
        raise ReadError("its JSON is neither an object nor a list of objects")
    lists = [v for v in value.values() if isinstance(v, list) and v and all(isinstance(row, dict) for row in v)]
    texts = [v for v in value.values() if isinstance(v, str) and len(v) > 20]
    return lists[0] if len(lists) == 1 and not texts else [value]
