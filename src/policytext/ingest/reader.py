"""Read anything, lose nothing: `units` splits a file, `read` makes a unit a Document or says why not."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from policytext.config import IngestConfig
from policytext.errors import ReadError
from policytext.ingest import encodings, fields, formats, members, metadata
from policytext.ingest.formats import Reading
from policytext.ingest.members import ROOM, Unit
from policytext.ingest.sources import Source
from policytext.records import Document, Skipped


def units(source: Source, config: IngestConfig) -> Iterator[Unit | Skipped]:
    """Split a file into units, streamed; runs in the parent process.

    Raises:
        ConfigError: `[ingest.columns]` names an unknown field.
    """
    fields.check(config.columns)
    yield from members.split(source, config)


def read(unit: Unit, config: IngestConfig) -> Document | Skipped:
    """Read one unit. Bad input never raises: it comes back as a Skipped with a reason that a person can act on."""
    try:
        return _read(unit, config)
    except ReadError as error:
        reason = str(error)
    except RecursionError:
        reason = "its content is nested too deep"
    except MemoryError:
        reason = "it needs more memory than there is; split it"
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or error}"
    except Exception as error:  # noqa: BLE001 - parsers of hostile files raise anything; one file never stops a batch
        reason = f"it is damaged ({type(error).__name__}: {' '.join(str(error).split())[:160]}); get it again"
    inside = f"{unit.name}: " if unit.format.startswith("zip/") else ""
    return Skipped(unit.path, ROOM, encodings.scrub(inside + reason)[0], unit.member)


def describe(doc: Document) -> dict[str, Any]:
    """Return a document as a mapping for people and other tools: what `policytext ingest` prints.

    `date` is a full date or None; a month or a year alone stands under `date_partial`. Blocks carry their text's place
    in `text`, the original.
    """
    full = doc.date is not None and len(doc.date) == 10
    return {
        "path": doc.path,
        "member": doc.member,
        "title": doc.title,
        "author": doc.author,
        "outlet": doc.outlet,
        "number": doc.number,
        "issuer": doc.issuer,
        "level": doc.level,
        "region": doc.region,
        "genre": doc.genre,
        "date": doc.date if full else None,
        "date_partial": None if full else doc.date,
        "date_source": doc.date_source,
        "date_certainty": doc.date_certainty,
        "signed": doc.signed,
        "printed": doc.printed,
        "published": doc.published,
        "forwards": doc.forwards,
        "url": doc.url,
        "format": doc.format,
        "encoding": doc.encoding,
        "encoding_certainty": doc.encoding_certainty,
        "id": doc.id,
        "source_id": doc.source_id,
        "sha256": doc.sha256,
        "blocks": [list(block) for block in doc.blocks],
        "notes": list(doc.notes),
        "text": doc.original,
    }


def _read(unit: Unit, config: IngestConfig) -> Document:
    if unit.kind in ("row", "line"):
        return _read_row(unit, config)
    data = unit.payload if isinstance(unit.payload, bytes) else unit.file.read_bytes()
    reading = formats.open_bytes(unit.kind, data, config)
    _check_length(reading.text, config)
    return metadata.complete(
        unit, reading, _manifest(unit, config), hashlib.sha256(data).hexdigest(), page_date=config.page_date
    )


def _read_row(unit: Unit, config: IngestConfig) -> Document:
    row, encoding, certainty = _row(unit)
    mapped = fields.take(row, config.columns)
    values = mapped.values
    text = values.pop("text")
    if isinstance(text, list) and all(isinstance(part, str) for part in text):  # paragraphs
        text = "\n".join(text)
    text = text if isinstance(text, str) else "" if text is None else json.dumps(text, ensure_ascii=False)
    text, notes = encodings.scrub(text)
    notes += (mapped.note,) if mapped.note else ()
    _check_length(text, config)
    digest = hashlib.sha256(unit.payload if isinstance(unit.payload, bytes) else _canonical(row)).hexdigest()
    reading = Reading(text, encoding=encoding, encoding_certainty=certainty, notes=notes)
    return metadata.complete(unit, reading, {**_manifest(unit, config), **_filled(values)}, digest)


def _manifest(unit: Unit, config: IngestConfig) -> dict[str, Any]:
    return _filled(fields.meta(unit.declared, config.columns)) if unit.declared else {}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in values.items() if value is not None and value != ""}


def _row(unit: Unit) -> tuple[dict[str, Any], str | None, float | None]:
    if isinstance(unit.payload, dict):
        return unit.payload, None, None
    data = unit.payload or b""
    try:
        try:
            value, encoding, certainty = json.loads(data), "utf-8", 1.0
        except UnicodeDecodeError:
            found = encodings.decode(data)
            value, encoding, certainty = json.loads(found.text), found.encoding, found.certainty
    except ValueError as error:
        raise ReadError(f"line {unit.member + 1} is not valid JSON: {str(error)[:120]}") from error
    if not isinstance(value, dict):
        raise ReadError(f"line {unit.member + 1} is no JSON object with fields")
    return value, encoding, certainty


def _canonical(row: dict[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=True, sort_keys=True, default=str).encode()


def _check_length(text: str, config: IngestConfig) -> None:
    if len(text) > config.max_document_chars:
        raise ReadError(f"{len(text)} characters, more than max_document_chars = {config.max_document_chars}; split it")
    if len(text) < 1000 and len("".join(text.split())) < config.min_document_chars:
        raise ReadError("it holds no text" if not text.strip() else "it holds less than min_document_chars characters")
