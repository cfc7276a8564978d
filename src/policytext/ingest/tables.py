"""Rows of tables as mappings from the header: CSV, workbooks, Parquet, JSON; streamed where the format allows it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any

from policytext.errors import ReadError
from policytext.ingest import encodings, fields

Row = dict[str, Any]

_TITLES = 3  # lines above the header at most
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
    said = re.match(r"\ufeff?sep=(.)\r?\n", head)  # how Excel names the delimiter
    delimiter = said[1] if said else "\t" if tab else _delimiter(head)
    rows = csv.reader(lines, delimiter=delimiter, strict=False)
    if said:
        next(rows)
    filled = ([value.strip().lstrip("\ufeff") for value in row] if not i else row for i, row in enumerate(rows))
    names, rows_below = _header(row for row in filled if any(value.strip() for value in row))
    for values in rows_below:
        yield _row(names, values, delimiter)


def _row(names: list[str], values: list[Any], delimiter: str = " ") -> Row:
    """Return a row by its header; of columns of one name the first that is not empty counts.

    What stands beyond the last column belongs to it where that one holds the text: a delimiter was not quoted.
    """
    row: Row = {}
    for name, value in zip(names, values, strict=False):
        if row.get(name) in (None, ""):
            row[name] = value
    rest = [value for value in values[len(names) :] if value not in (None, "")]
    if rest and fields.is_text(names[-1]):
        row[names[-1]] = delimiter.join(map(str, [row[names[-1]], *rest]))
    elif rest:
        row["_rest"] = values[len(names) :]
    return row


def _header(rows: Iterator[list[Any]]) -> tuple[list[str], Iterator[list[Any]]]:
    """Return the names of the columns, and the rows below: a line with a title above them is no header.

    Raises:
        ReadError: the table is empty.
    """
    first = list(islice(rows, _TITLES + 1))
    if not first:
        raise ReadError("the table is empty")
    known = [sum(fields.is_known(value) for value in row) for row in first]
    at = next((i for i, count in enumerate(known) if count >= 2), 0)
    alone = all(sum(value not in (None, "") for value in row) <= 1 for row in first[:at])
    at = at if alone else 0
    names = [f"column {n}" if value in (None, "") else str(value).strip() for n, value in enumerate(first[at], 1)]
    return names, chain(first[at + 1 :], rows)


def _delimiter(head: str) -> str:
    """Return the delimiter that the first line holds most often, or a line below that is a header; else a comma."""
    first, *below = [line for line in head.split("\n") if line.strip()][: _TITLES + 1] or [""]
    for line in (first, *below):
        best = max(",;\t|", key=lambda mark: (line.count(mark), mark == ","))
        names = sum(fields.is_known(name.strip('" \ufeff\r')) for name in line.split(best))
        if best in line and (line is first or names >= 2):
            return best
    return ","


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
            filled = (list(row) for row in rows if any(cell not in (None, "") for cell in row))
            try:
                names, below = _header(filled)
            except ReadError:  # an empty sheet beside others
                continue
            yield from (_dated(_row(names, row)) for row in below)
    finally:
        book.close()


def _dated(row: Row) -> Row:
    """Return a row of a workbook with days counted from 1900 as dates, in columns of dates that were left numbers."""
    from openpyxl.utils.datetime import from_excel

    days = {name for name, value in row.items() if type(value) in (int, float) and 20_000 <= value <= 60_000}
    return row | {name: from_excel(row[name]).date() for name in days if fields.is_date(name)}


def parquet_rows(file: Path | IO[bytes]) -> Iterator[Row]:
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
    own = max((len(v) for v in value.values() if isinstance(v, str) and not fields.is_address(v)), default=0)
    inside = [len(v) for row in lists[0] for v in row.values() if isinstance(v, str)] if len(lists) == 1 else []
    wraps = inside and (own <= 20 or max(inside) > own) and not any(fields.is_text(name) for name in value)
    return lists[0] if wraps else [value]
