"""Files to units: one unit is one document to be, raw and cheap.

Rows of tables and lines of JSON are streamed; members of archives are handed on as bytes within limits; everything
else is one unit without payload, opened by the worker that reads it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from policytext.config import IngestConfig
from policytext.errors import ReadError
from policytext.ingest import archives, encodings
from policytext.ingest.sources import Source
from policytext.records import Skipped

ROOM = "ingest"
KINDS = {
    ".txt": "txt",
    ".text": "txt",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".shtml": "html",
    ".mhtml": "mhtml",
    ".mht": "mhtml",
    ".docx": "docx",
    ".pdf": "pdf",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".zip": "zip",
}
_INSTEAD = {
    ".doc": "the old Word format; save it as .docx",
    ".wps": "the WPS format; save it as .docx",
    ".rtf": "rich text; save it as .docx or .txt",
    ".odt": "OpenDocument; save it as .docx",
    ".xls": "the old Excel format; save it as .xlsx or .csv",
    ".rar": "a rar archive; unpack it or pack it as .zip",
    ".7z": "a 7z archive; unpack it or pack it as .zip",
    ".caj": "the CAJ format of CNKI; download the PDF instead",
    ".ofd": "the OFD format; export it as PDF",
    ".ppt": "slides; export them as PDF",
    ".pptx": "slides; export them as PDF",
}
_PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".svg", ".ico")
_LINE_BYTES_A_CHAR = 4  # UTF-8


@dataclass(frozen=True)
class Unit:
    """One document to be; picklable."""

    path: str  # label of the source
    file: Path
    member: int  # 0-based position in the file
    kind: str  # a value of KINDS, or "row" (a mapping) or "line" (bytes of one JSON object)
    format: str  # what the file is, for the record: txt, csv, jsonl, zip/html ...
    name: str  # name that dates and titles may be read from: of the file, or of the member
    payload: bytes | dict[str, Any] | None = field(default=None, repr=False)


def split(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    """Yield the units of one file; every part of it is a unit or a Skipped with a reason."""
    if source.problem:
        yield Skipped(source.label, ROOM, source.problem)
        return
    if source.size == 0:
        yield Skipped(source.label, ROOM, "the file is empty")
        return
    try:
        yield from _split(source, config)
    except (ReadError, OSError, EOFError, ValueError, csv.Error, RuntimeError) as error:
        yield Skipped(source.label, ROOM, archives.explain(error))


def _split(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    suffix, packed = suffix_of(source.file.name)
    kind = KINDS.get(suffix) or _sniffed(source.file)
    rows = _STREAMED.get(kind)
    if rows is not None:
        yield from rows(source, config)
        return
    if kind == "unknown":
        yield Skipped(source.label, ROOM, unknown(suffix))
    elif source.size > config.max_file_mb * 1_000_000:
        yield Skipped(
            source.label, ROOM, f"larger than max_file_mb = {config.max_file_mb}; split it or raise the limit"
        )
    elif packed:
        data = archives.inflate(source.file, limit=config.max_file_mb * 1_000_000)
        yield Unit(source.label, source.file, 0, kind, kind, source.file.name, data)
    else:
        yield Unit(source.label, source.file, 0, kind, kind, source.file.name)


def suffix_of(name: str) -> tuple[str, bool]:
    """Return the suffix that tells the kind, in lower case, and whether the file is gzipped.

    >>> suffix_of("a.JSONL.gz")
    ('.jsonl', True)
    """
    path = Path(name.lower())
    if path.suffix == ".gz":
        return Path(path.stem).suffix, True
    return path.suffix, False


def unknown(suffix: str) -> str:
    """Return the reason why a file of this suffix is not read."""
    if suffix in _INSTEAD:
        return f"not a readable kind: {_INSTEAD[suffix]}"
    if suffix in _PICTURES:
        return "a picture, not text"
    return f"not a readable kind{f' ({suffix})' if suffix else ''}; known: {', '.join(sorted(KINDS))}"


def _sniffed(file: Path) -> str:
    """Tell the kind of a file without a known suffix; a suffix that names another kind is believed."""
    suffix, _ = suffix_of(file.name)
    if suffix in _INSTEAD or suffix in _PICTURES:
        return "unknown"
    with file.open("rb") as stream:
        return sniff(stream.read(2048), known=bool(suffix))


def sniff(head: bytes, *, known: bool) -> str:
    """Tell the kind from the first bytes; `known`: there is a suffix, so only a clear sign counts."""
    if head.startswith(b"%PDF-"):
        return "pdf"
    lowered = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        return "html"
    if known:
        return "unknown"
    try:
        return "txt" if encodings.decode(head[: len(head) // 2 * 2]).certainty >= 0.6 else "unknown"
    except ReadError:
        return "unknown"


def _jsonl(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    """Lines of JSON as raw bytes; a UTF-16 file is turned into UTF-8 on the way."""
    limit = config.max_document_chars * _LINE_BYTES_A_CHAR
    with archives.opened(source.file) as stream:
        for member, line in enumerate(_lines(stream, limit)):
            if line is None:
                reason = f"line {member + 1} is longer than max_document_chars = {config.max_document_chars}; split it"
                yield Skipped(source.label, ROOM, reason, member)
            else:
                yield Unit(source.label, source.file, member, "line", "jsonl", source.file.name, line)


def _lines(stream: IO[bytes], limit: int) -> Iterator[bytes | None]:
    """Yield lines that are not blank; None for one that is longer than `limit` bytes."""
    first = True
    while line := stream.readline(limit):
        if first:
            first = False
            if line.startswith((b"\xff\xfe", b"\xfe\xff")):
                yield from _wide_lines(line, stream, limit)
                return
            line = line.removeprefix(b"\xef\xbb\xbf")
        if len(line) >= limit and not line.endswith(b"\n"):
            while (rest := stream.readline(limit)) and not rest.endswith(b"\n"):
                pass
            yield None
        elif line.strip():
            yield line


def _wide_lines(head: bytes, stream: IO[bytes], limit: int) -> Iterator[bytes | None]:
    data = head + stream.read(limit)
    if stream.read(1):
        raise ReadError("a UTF-16 file of this size cannot be streamed; save it as UTF-8")
    yield from (line.encode() for line in encodings.decode(data).text.splitlines() if line.strip())


def _json(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    """One object, a list of objects, or an object that wraps one list; also JSON lines under a wrong name."""
    data = archives.inflate(source.file, limit=config.max_file_mb * 1_000_000)
    text = encodings.decode(data).text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        if text.lstrip()[:1] == "{" and "\n" in text.strip():
            yield from _jsonl(source, config)
            return
        raise ReadError(f"not valid JSON: {error}") from error
    for member, row in enumerate(_records(value)):
        if isinstance(row, dict):
            yield Unit(source.label, source.file, member, "row", "json", source.file.name, row)
        else:
            yield Skipped(source.label, ROOM, f"element {member + 1} is no object with fields", member)


def _records(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and all(isinstance(row, dict) for row in v)]
        texts = [v for v in value.values() if isinstance(v, str) and len(v) > 20]
        return lists[0] if len(lists) == 1 and not texts else [value]
    raise ReadError("its JSON is neither an object nor a list of objects")


def _csv(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    suffix, _ = suffix_of(source.file.name)
    with archives.opened(source.file) as stream:
        yield from _table_text(stream, source, config, tab=suffix in (".tsv", ".tab"))


def _table_text(stream: IO[bytes], source: Source, config: IngestConfig, *, tab: bool) -> Iterator[Unit | Skipped]:
    sample = stream.read(1_000_000)
    cut = sample.rfind(b"\n") + 1 or len(sample)
    encoding = encodings.decode(sample[:cut]).encoding
    reader = io.TextIOWrapper(
        io.BufferedReader(_Rejoined(sample, stream)), encoding=encoding, errors="surrogateescape", newline=""
    )
    head = sample[:cut].decode(encoding, "replace")
    delimiter = "\t" if tab else _delimiter(head)
    csv.field_size_limit(min(config.max_document_chars, 2**31 - 1))
    rows = csv.reader(reader, delimiter=delimiter, strict=False)
    header = next(rows, None)
    if header is None:
        raise ReadError("the table is empty")
    names = [name.strip().lstrip("\ufeff") for name in header]
    yield from numbered(source, "tsv" if tab else "csv", (_row(names, row) for row in rows if any(row)))


def _row(names: list[str], values: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = dict(zip(names, values, strict=False))
    if len(values) > len(names):
        row["_rest"] = values[len(names) :]
    return row


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


def numbered(source: Source, format: str, rows: Iterator[dict[str, Any]]) -> Iterator[Unit | Skipped]:  # noqa: A002
    """Turn rows into units."""
    for member, row in enumerate(rows):
        yield Unit(source.label, source.file, member, "row", format, source.file.name, row)


def _xlsx(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    archives.check(source.file, limit=config.max_file_mb * 1_000_000 * 4)
    yield from numbered(source, "xlsx", sheet_rows(source.file))


def sheet_rows(file: Path | IO[bytes]) -> Iterator[dict[str, Any]]:
    """Yield the rows of every sheet as mappings from its header row."""
    from openpyxl import load_workbook

    book = load_workbook(file, read_only=True, data_only=True)
    try:
        for sheet in book.worksheets:
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


def _parquet(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:  # noqa: ARG001
    yield from numbered(source, "parquet", _parquet_rows(source.file))


def _parquet_rows(file: Path) -> Iterator[dict[str, Any]]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(file) as table:
        for batch in table.iter_batches(batch_size=500):
            yield from batch.to_pylist()


def _zip(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    member = 0
    for name, content in archives.walk(source.file, limit=config.max_file_mb * 1_000_000):
        for unit in _inside(source, name, content, config):
            yield _numbered(unit, member)
            member += 1


def _numbered(unit: Unit | Skipped, member: int) -> Unit | Skipped:
    return replace(unit, member=member)


def _inside(source: Source, name: str, content: bytes | str, config: IngestConfig) -> Iterator[Unit | Skipped]:
    """Units of one member of an archive; a str instead of bytes is the reason why it cannot be read."""
    if isinstance(content, str):
        yield Skipped(source.label, ROOM, f"{name}: {content}")
        return
    if not content:
        yield Skipped(source.label, ROOM, f"{name}: the file is empty")
        return
    suffix, _ = suffix_of(name)
    kind = KINDS.get(suffix) or (
        "unknown" if suffix in _INSTEAD or suffix in _PICTURES else sniff(content[:2048], known=bool(suffix))
    )
    try:
        if kind in _STREAMED:
            yield from _rows_inside(source, name, kind, content, config)
        elif kind == "unknown":
            yield Skipped(source.label, ROOM, f"{name}: {unknown(suffix)}")
        else:
            yield Unit(source.label, source.file, 0, kind, f"zip/{kind}", name, content)
    except (ReadError, OSError, EOFError, ValueError, csv.Error, RuntimeError) as error:
        yield Skipped(source.label, ROOM, f"{name}: {archives.explain(error)}")


def _rows_inside(
    source: Source, name: str, kind: str, content: bytes, config: IngestConfig
) -> Iterator[Unit | Skipped]:
    """Unpack a table of an archive into a temporary file and read it like any other."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"member{suffix_of(name)[0]}"
        file.write_bytes(content)
        inner = Source(source.label, file, len(content), 0)
        for unit in _STREAMED[kind](inner, config):
            if isinstance(unit, Unit):
                yield replace(unit, file=source.file, name=name, format=f"zip/{unit.format}")
            else:
                yield replace(unit, reason=f"{name}: {unit.reason}")


_STREAMED: dict[str, Callable[[Source, IngestConfig], Iterator[Unit | Skipped]]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "tsv": _csv,
    "xlsx": _xlsx,
    "parquet": _parquet,
    "zip": _zip,
}
