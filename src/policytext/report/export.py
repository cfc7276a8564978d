"""Tables as files that other tools open: csv, xlsx, parquet, dta.

Text that a spreadsheet would run as a formula is escaped in csv and stored as plain text in xlsx; lists become JSON
text, except in parquet, which keeps them.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd

from policytext.errors import UsageError

log = logging.getLogger(__name__)

Format = Literal["csv", "xlsx", "parquet", "dta"]
XLSX_ROWS = 1_048_575  # of a sheet, below the header
XLSX_CELL = 32_767  # UTF-16 units of a cell, the format's limit
_FORMULA = re.compile(r"[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")  # ASCII and full-width: some versions take both
_PLAIN_NUMBER = re.compile(r"[+-]?\d[\d,]*(\.\d+)?%?")
# What XML 1.0 cannot hold.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_SHEET = re.compile(r"[\[\]:*?/\\]")


def export(tables: Mapping[str, pd.DataFrame], path: Path | str, format: Format) -> list[Path]:  # noqa: A002
    """Write tables to files and return their paths, in order.

    csv, parquet and dta make one file a table in the folder `path`; xlsx makes one workbook with a sheet a table:
    `path` itself when it ends in .xlsx, else `policytext.xlsx` in that folder. Each file is written to a temporary
    name, then moved.

    Raises:
        UsageError: the format is unknown, `path` is a file where a folder is wanted, or a table's name is no file name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [file.name for file in export({"trends": pd.DataFrame({"label": ["stage.open"]})}, folder, "csv")]
    ['trends.csv']
    """
    if format not in get_args(Format):
        raise UsageError(f'unknown export format "{format}"; valid formats: {", ".join(get_args(Format))}')
    for name in tables:
        if not re.fullmatch(r"[\w-]+", name):
            raise UsageError(f'a table cannot be named "{name}"; use letters, digits, "_" and "-"')
    path = Path(path)
    if format == "xlsx":
        file = path if path.suffix.lower() == ".xlsx" else path / "policytext.xlsx"
        return [_moved(file, lambda temporary: _xlsx(tables, temporary))]
    if path.suffix.lower().lstrip(".") in get_args(Format) and not path.is_dir():
        raise UsageError(f"{path}: {format} makes one file a table; name a folder" + _or_xlsx(path))
    return [_one(table, path / f"{name}.{format}", _WRITERS[format]) for name, table in tables.items()]


def _or_xlsx(path: Path) -> str:
    return ", or the format xlsx" if path.suffix.lower() == ".xlsx" else ""


def _one(table: pd.DataFrame, file: Path, writer: Callable[[pd.DataFrame, Path], None]) -> Path:
    return _moved(file, lambda temporary: writer(table, temporary))


def _moved(file: Path, write: Callable[[Path], None]) -> Path:
    """Let `write` fill a temporary file beside `file`, then move it into place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}.", suffix=f".tmp{file.suffix}")
    os.close(handle)
    try:
        write(Path(name))
        Path(name).chmod(0o644)  # mkstemp makes files that only their owner can read
        return Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _csv(table: pd.DataFrame, file: Path) -> None:
    """UTF-8 with a byte-order mark, without which Excel takes the bytes for the system's code page."""
    flat = guarded(_flat(table))
    with file.open("w", encoding="utf-8-sig", errors="replace", newline="") as out:
        flat.to_csv(out, index=False, lineterminator="\r\n")


def guarded(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy for CSV in which no text is a formula to a spreadsheet."""
    safe = table.copy()
    for column in _text_columns(safe):
        safe[column] = _objects(safe, column, [_guard(value) for value in safe[column]])
    return safe


def _guard(value: Any) -> Any:
    r"""Put an apostrophe before text that a spreadsheet would run as a formula; plain numbers stay.

    Source: OWASP, CSV injection.

    >>> _guard('=HYPERLINK("http://x")'), _guard("-3.5"), _guard("政务公开")
    ('\'=HYPERLINK("http://x")', '-3.5', '政务公开')
    """
    if not isinstance(value, str):
        return value
    value = value.replace("\x00", "\ufffd")
    return "'" + value if _FORMULA.match(value.lstrip(" \u3000")) and not _PLAIN_NUMBER.fullmatch(value) else value


def _parquet(table: pd.DataFrame, file: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = pa.Table.from_pandas(table, preserve_index=False)
    for i, column in enumerate(rows.schema):
        if pa.types.is_null(column.type):  # of a column without one value; readers want a type that stays
            rows = rows.set_column(i, column.name, rows.column(i).cast(pa.string()))
    pq.write_table(rows, file, compression="zstd")


_STATA_WORDS = frozenset({"end", "if", "in", "using", "with", "long", "int", "float", "byte", "double"})


def _dta(table: pd.DataFrame, file: Path) -> None:
    """Stata 14 and later (version 118: UTF-8); all text as strL, which holds a whole document."""
    flat = _flat(table)
    texts = _text_columns(flat)
    for column in texts:
        values = ["" if pd.isna(value) else str(value) for value in flat[column]]
        flat[column] = _objects(flat, column, [text.encode("utf-8", "replace").decode() for text in values])
    for column in flat.columns.difference(texts):
        if pd.api.types.is_bool_dtype(flat[column]):
            flat[column] = flat[column].astype("int8")
    flat.columns = pd.Index([_stata_name(column) for column in flat.columns])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.PerformanceWarning)
        flat.to_stata(file, version=118, write_index=False, convert_strl=[_stata_name(c) for c in texts])


def _stata_name(column: Any) -> str:
    """Return a name that Stata takes; `end` is a word of its own language."""
    name = re.sub(r"\W", "_", str(column))[:32]
    return f"{name}_" if name in _STATA_WORDS else name


_WRITERS: dict[str, Callable[[pd.DataFrame, Path], None]] = {"csv": _csv, "parquet": _parquet, "dta": _dta}


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Return a copy with lists, arrays and mappings as JSON text."""
    flat = table.copy()
    for column in flat.columns:
        if flat[column].dtype == object and flat[column].map(_is_nested).any():
            values = [json.dumps(_plain(v), ensure_ascii=False) if _is_nested(v) else v for v in flat[column]]
            flat[column] = _objects(flat, column, values)
    return flat


def _objects(table: pd.DataFrame, column: str, values: list[Any]) -> pd.Series:
    """Return values as a column of objects: the string type of pandas refuses lone surrogates."""
    return pd.Series(values, index=table.index, name=column, dtype=object)


def _is_nested(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict)) or (hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0)


def _plain(value: Any) -> Any:
    """Return arrays and NumPy numbers inside a nested value as what JSON knows."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _text_columns(table: pd.DataFrame) -> list[str]:
    kinds = (pd.StringDtype, pd.CategoricalDtype)
    return [c for c in table.columns if table[c].dtype == object or isinstance(table[c].dtype, kinds)]


def _xlsx(tables: Mapping[str, pd.DataFrame], file: Path) -> None:
    """Write a workbook in constant memory; text is never taken for a formula, a link or a number."""
    import xlsxwriter

    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    options = {"constant_memory": True, "nan_inf_to_errors": True, **plain}
    with xlsxwriter.Workbook(str(file), options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        used: set[str] = set()
        for name, table in tables.items():
            flat = _flat(table)
            parts = range(0, max(len(flat), 1), XLSX_ROWS)
            if len(parts) > 1:
                log.warning(
                    "%s has %d rows; a sheet holds %d, so it fills %d sheets", name, len(flat), XLSX_ROWS, len(parts)
                )
            for i, start in enumerate(parts):
                title = _sheet_name(f"{name}_{i + 1}" if i else name, used)
                _sheet(book.add_worksheet(title), flat.iloc[start : start + XLSX_ROWS], bold)


def _sheet_name(name: str, used: set[str]) -> str:
    r"""Return a name that Excel takes: at most 31 characters, none of []:*?/\, unique without regard to case."""
    name = _SHEET.sub("_", name)
    title, n = name[:31], 1
    while title.lower() in used:
        n += 1
        title = f"{name[: 30 - len(str(n))]}~{n}"
    used.add(title.lower())
    return title


def _sheet(sheet: Any, table: pd.DataFrame, bold: Any) -> None:
    sheet.freeze_panes(1, 0)
    for j, column in enumerate(table.columns):
        sheet.write_string(0, j, _cell(str(column)), bold)
    if len(table.columns):
        sheet.autofilter(0, 0, len(table), len(table.columns) - 1)
    for i, row in enumerate(table.itertuples(index=False, name=None), start=1):
        for j, value in enumerate(row):
            _write(sheet, i, j, value)


def _write(sheet: Any, i: int, j: int, value: Any) -> None:
    if value is None or value is pd.NaT or (isinstance(value, float) and pd.isna(value)) or value is pd.NA:
        return
    if isinstance(value, bool):
        sheet.write_boolean(i, j, value)
    elif isinstance(value, (int, float)) or hasattr(value, "dtype"):
        _write_number(sheet, i, j, value)
    else:
        sheet.write_string(i, j, _cell(str(value)))


def _write_number(sheet: Any, i: int, j: int, value: Any) -> None:
    """Write a number; one that a double cannot hold exactly is written as text."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, bool):
        sheet.write_boolean(i, j, value)
    elif isinstance(value, int) and abs(value) > 2**53:
        sheet.write_string(i, j, str(value))
    elif isinstance(value, (int, float)):
        sheet.write_number(i, j, value)
    else:
        sheet.write_string(i, j, _cell(str(value)))


def _cell(text: str) -> str:
    """Return text that a cell can hold: no control characters, cut at the format's limit with a mark that says so."""
    text = _NOT_XML.sub("\ufffd", text)
    if len(text) + sum(c > "\uffff" for c in text) <= XLSX_CELL:
        return text
    units = text.encode("utf-16-le")[: 2 * (XLSX_CELL - 1)]
    return units.decode("utf-16-le", "ignore") + "…"
