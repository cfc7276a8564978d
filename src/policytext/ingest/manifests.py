"""Manifests: a table beside the files that says what each of them is; it wins over what was extracted.

A file `manifest.csv`, `manifest.tsv` or `manifest.xlsx` at the top of a source folder is one. A column `path` (or file,
filename, 文件, 文件名, 路径 ...) names the file, relative to the folder; the others are read like those of any table.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from policytext.errors import ReadError
from policytext.ingest import archives, encodings, fields

NAMES = ("manifest.csv", "manifest.tsv", "manifest.xlsx")
_PATHS = (
    "path",
    "file",
    "filename",
    "filepath",
    "relativepath",
    "文件",
    "文件名",
    "文件路径",
    "路径",
    "檔案",
    "檔名",
    "檔案名稱",
    "路徑",
)
_MAX_BYTES = 64_000_000


def is_manifest(label: str) -> bool:
    """Say whether a path relative to the source folder is that of its manifest."""
    return label.lower() in NAMES


def load(file: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a manifest by the path they name, with forward slashes.

    Raises:
        ReadError: it cannot be read, or no column names the files.
    """
    try:
        rows = list(_rows(file))
    except ReadError:
        raise
    except (OSError, ValueError, KeyError, EOFError, RuntimeError) as error:
        raise ReadError(archives.explain(error)) from error
    column = next((name for name in (rows[0] if rows else ()) if fields.plain(name) in _PATHS), None)
    if column is None:
        raise ReadError(f'the manifest has no column "path"; columns: {", ".join(map(str, rows[0] if rows else ()))}')
    named = ((str(row.get(column) or "").strip(), row) for row in rows)
    return {path.replace("\\", "/").removeprefix("./"): row | {column: None} for path, row in named if path}


def stamp(row: dict[str, Any]) -> str:
    """Return a hash of a row, so that a change in the manifest shows."""
    return hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    from policytext.ingest import tables

    if file.stat().st_size > _MAX_BYTES:
        raise ReadError(f"a manifest of more than {_MAX_BYTES // 1_000_000} MB; split the folder")
    if file.suffix.lower() == ".xlsx":
        archives.check(file, limit=_MAX_BYTES * 4)
        yield from tables.sheet_rows(file)
    else:
        text = encodings.decode(file.read_bytes()).text
        yield from tables.text_rows(text, tab=file.suffix.lower() == ".tsv")
