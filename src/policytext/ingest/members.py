"""Files to units: one unit is one document to be, raw and cheap.

Rows of tables and lines of JSON are streamed; members of archives are handed on as bytes within limits; everything
else is one unit without payload, opened by the worker that reads it.
"""

from __future__ import annotations

import csv
import io
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from policytext.config import IngestConfig
from policytext.errors import ReadError
from policytext.ingest import archives, encodings, tables
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
_ERRORS = (ReadError, OSError, EOFError, ValueError, KeyError, csv.Error, RuntimeError, zlib.error)


@dataclass(frozen=True)
class Unit:
    """One document to be; picklable."""

    path: str  # label of the source
    file: Path
    member: int  # 0-based position in the file
    kind: str  # a value of KINDS, or "row" (a mapping) or "line" (bytes of one JSON object)
    format: str  # what the file is, for the record: txt, csv, jsonl, zip/html ...
    name: str  # name that dates may be read from: of the file, or of the member of an archive
    payload: bytes | dict[str, Any] | None = field(default=None, repr=False)
    declared: dict[str, Any] | None = None  # row of the manifest


def split(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    """Yield the units of one file; every part of it is a unit or a Skipped with a reason."""
    member = 0
    try:
        for unit in _split(source, config):
            yield replace(unit, declared=source.declared) if isinstance(unit, Unit) and source.declared else unit
            member += 1
        if member == 0:
            yield Skipped(source.label, ROOM, "it holds no documents: no rows, lines or files")
    except Exception as error:  # noqa: BLE001 - parsers of hostile files raise anything; one never stops a batch
        rest = f"after {member} documents: " if member else ""
        yield Skipped(source.label, ROOM, encodings.scrub(rest + archives.explain(error))[0], member)


def _split(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    if source.problem or source.size == 0:
        yield Skipped(source.label, ROOM, source.problem or "the file is empty")
        return
    suffix, packed = suffix_of(source.file.name)
    kind = KINDS.get(suffix) or _sniffed(source.file)
    limit = config.max_file_mb * 1_000_000
    if kind in _STREAMED:
        yield from _STREAMED[kind](source, config)
    elif kind == "unknown":
        yield Skipped(source.label, ROOM, unknown(suffix))
    elif source.size > limit:
        yield Skipped(
            source.label, ROOM, f"larger than max_file_mb = {config.max_file_mb}; split it or raise the limit"
        )
    else:
        data = archives.inflate(source.file, limit=limit) if packed else None
        yield Unit(source.label, source.file, 0, kind, kind, source.name, data)


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
        for member, line in enumerate(_lines(stream, limit)):  # blank lines count, so that a member is a line
            if line is None:
                reason = f"line {member + 1} is longer than max_document_chars = {config.max_document_chars}; split it"
                yield Skipped(source.label, ROOM, reason, member)
            elif line.strip():
                yield Unit(source.label, source.file, member, "line", "jsonl", source.name, line)


def _lines(stream: IO[bytes], limit: int) -> Iterator[bytes | None]:
    """Yield lines; None for one that is longer than `limit` bytes."""
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
        else:
            yield line


def _wide_lines(head: bytes, stream: IO[bytes], limit: int) -> Iterator[bytes | None]:
    data = head + stream.read(limit)
    if stream.read(1):
        raise ReadError("a UTF-16 file of this size cannot be streamed; save it as UTF-8")
    yield from (line.encode() for line in encodings.decode(data).text.split("\n"))


def _json(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    """Yield the records of a JSON file; JSON lines under a wrong name are read as such."""
    text = encodings.decode(archives.inflate(source.file, limit=config.max_file_mb * 1_000_000)).text
    try:
        values = tables.json_values(text)
    except ReadError:
        if text.lstrip()[:1] != "{" or "\n" not in text.strip():
            raise
        yield from _jsonl(source, config)
        return
    for member, row in enumerate(values):
        if isinstance(row, dict):
            yield Unit(source.label, source.file, member, "row", "json", source.name, row)
        else:
            yield Skipped(source.label, ROOM, f"element {member + 1} is no object with fields", member)


def _csv(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    tab = suffix_of(source.file.name)[0] in (".tsv", ".tab")
    with archives.opened(source.file) as stream:
        rows = tables.stream_rows(stream, tab=tab, max_field=config.max_document_chars)
        yield from _numbered(source, "tsv" if tab else "csv", rows)


def _xlsx(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    file = _whole(source, config)
    archives.check(file, limit=config.max_file_mb * 1_000_000 * 4)
    yield from _numbered(source, "xlsx", tables.sheet_rows(file))


def _parquet(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    yield from _numbered(source, "parquet", tables.parquet_rows(_whole(source, config)))


def _whole(source: Source, config: IngestConfig) -> Path | IO[bytes]:
    """Return the file, or what it holds if it is gzipped, for libraries that jump about in it."""
    if not suffix_of(source.file.name)[1]:
        return source.file
    return io.BytesIO(archives.inflate(source.file, limit=config.max_file_mb * 1_000_000))


def _numbered(source: Source, name: str, rows: Iterator[dict[str, Any]]) -> Iterator[Unit | Skipped]:
    for member, row in enumerate(rows):
        yield Unit(source.label, source.file, member, "row", name, source.name, row)


def _zip(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    member = 0
    for name, content in archives.walk(source.file, limit=config.max_file_mb * 1_000_000):
        for unit in _inside(source, name, content, config):
            yield replace(unit, member=member)
            member += 1


def _inside(source: Source, name: str, content: bytes | str, config: IngestConfig) -> Iterator[Unit | Skipped]:
    """Units of one member of an archive; a str instead of bytes is the reason why it cannot be read."""
    suffix, packed = suffix_of(name)
    if isinstance(content, str) or not content:
        yield Skipped(source.label, ROOM, f"{name}: {content or 'the file is empty'}")
        return
    if packed and KINDS.get(suffix) not in _STREAMED:
        try:
            content = archives.inflate_bytes(content, limit=config.max_file_mb * 1_000_000)
        except _ERRORS as error:
            yield Skipped(source.label, ROOM, f"{name}: {archives.explain(error)}")
            return
    known = suffix in _INSTEAD or suffix in _PICTURES
    kind = KINDS.get(suffix) or ("unknown" if known else sniff(content[:2048], known=bool(suffix)))
    if kind in _STREAMED:
        yield from _rows_inside(source, name, kind, content, config)
    elif kind == "unknown":
        yield Skipped(source.label, ROOM, f"{name}: {unknown(suffix)}")
    else:
        yield Unit(source.label, source.file, 0, kind, f"zip/{kind}", name, content)


def _rows_inside(
    source: Source, name: str, kind: str, content: bytes, config: IngestConfig
) -> Iterator[Unit | Skipped]:
    """Unpack a table of an archive into a temporary file and read it like any other."""
    with tempfile.TemporaryDirectory() as folder:
        suffix, packed = suffix_of(name)
        file = Path(folder) / f"member{suffix}{'.gz' * packed}"
        file.write_bytes(content)
        try:
            for unit in _STREAMED[kind](Source(source.label, file, len(content), 0), config):
                if isinstance(unit, Unit):
                    yield replace(unit, file=source.file, name=name, format=f"zip/{unit.format}")
                else:
                    yield replace(unit, reason=f"{name}: {unit.reason}")
        except _ERRORS as error:
            yield Skipped(source.label, ROOM, f"{name}: {archives.explain(error)}")


_STREAMED: dict[str, Callable[[Source, IngestConfig], Iterator[Unit | Skipped]]] = {
    "jsonl": _jsonl,
    "json": _json,
    "csv": _csv,
    "tsv": _csv,
    "xlsx": _xlsx,
    "parquet": _parquet,
    "zip": _zip,
}
